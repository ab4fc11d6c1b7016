/* exposition.h - Prometheus's text format, version 0.0.4, written metric by metric.
 *
 *     exposition_open -> metric, its samples -> metric, … -> exposition_close
 *
 * What holds: a metric is announced once, before its samples, which stand together; label values are
 * escaped; microseconds come out as seconds and nothing of them is lost.
 */
#ifndef GATEWAY_EXPOSITION_H
#define GATEWAY_EXPOSITION_H

#include <estelam/types.h>

enum metric_type { METRIC_GAUGE, METRIC_COUNTER, METRIC_HISTOGRAM };

struct exposition;
struct exposition *exposition_open(void); /* NULL: no memory */
/* The whole text, to be freed by the caller; NULL without memory. Frees the exposition. */
char *exposition_close(struct exposition **, size_t *ret_size);

/* `name` without the prefix estelam_, unless it begins with process_, which has its own meaning. */
void metric(struct exposition *, const char *name, enum metric_type, const char *help);

/* One sample of the metric that was announced last. `labels`: name, value, name, value …, NULL. */
void sample_uint(struct exposition *, uint64_t value, const char *const *labels);
void sample_us(struct exposition *, uint64_t us, const char *const *labels); /* as seconds */
/* One part of a histogram: a cumulative bucket by its bound as text, the sum, the count. */
void sample_bucket(struct exposition *, const char *le, uint64_t count);
void sample_sum_us(struct exposition *, uint64_t us);
void sample_sum(struct exposition *, uint64_t sum);
void sample_count(struct exposition *, uint64_t count);

#define LABELS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define NO_LABELS   ((const char *const[]){NULL})

#endif
