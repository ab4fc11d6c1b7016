/* histogram.h - latencies in a fixed table: exact below 128 us, within 0.8 % above.
 *
 * Every power of two is cut into 128 steps, so that one table of 28 KiB holds a microsecond and an
 * hour alike, adding is two shifts, and tables of several processes are added cell by cell.
 */
#ifndef HISTOGRAM_H
#define HISTOGRAM_H

#include <stdint.h>

enum { HISTOGRAM_STEPS = 128, HISTOGRAM_CELLS = HISTOGRAM_STEPS * 27 };

struct histogram {
    uint64_t count, cells[HISTOGRAM_CELLS];
};

/* Values from 2^33 on share the last cell. */
void histogram_add(struct histogram *, uint64_t value);
void histogram_merge(struct histogram *to, const struct histogram *from);
/* The smallest upper edge that `share` (0 ... 1) of all values do not exceed; 0 where there are none. */
uint64_t histogram_quantile(const struct histogram *, double share);

#endif
