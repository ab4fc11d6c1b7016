/* metrics_text.h - every metric there is, and a look at the broker written down as them.
 *
 * Two kinds of counters: those of the log (COUNTERS) say what the whole log says and are never reset;
 * those of the process (STATS) begin at zero when the broker starts, which Prometheus expects.
 */
#ifndef GATEWAY_METRICS_TEXT_H
#define GATEWAY_METRICS_TEXT_H

#include "exposition.h"
#include "figures.h"

/* `up`: the broker answered. What was not told is left out. */
void metrics_broker(struct exposition *, const struct figures *, bool up);

/* Of them, those of COUNTERS. */
void metrics_counters(struct exposition *, const struct figures *);

#endif
