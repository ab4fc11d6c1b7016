/* histogram.c - see histogram.h. */
#include "histogram.h"

/* Values below 128 have a cell each; above, the leading bit chooses the row and the next seven
 * the cell. */
static unsigned cell_of(uint64_t value) {
    if (value < HISTOGRAM_STEPS)
        return (unsigned)value;
    unsigned shift = 63 - (unsigned)__builtin_clzll(value) - 7;
    uint64_t cell = HISTOGRAM_STEPS * (uint64_t)shift + (value >> shift);
    return cell < HISTOGRAM_CELLS ? (unsigned)cell : HISTOGRAM_CELLS - 1;
}

static uint64_t upper_edge(unsigned cell) {
    if (cell < 2 * HISTOGRAM_STEPS)
        return cell;
    unsigned shift = cell / HISTOGRAM_STEPS - 1;
    uint64_t step = cell - HISTOGRAM_STEPS * shift;
    return ((step + 1) << shift) - 1;
}

void histogram_add(struct histogram *h, uint64_t value) {
    h->cells[cell_of(value)]++;
    h->count++;
}

void histogram_merge(struct histogram *to, const struct histogram *from) {
    for (unsigned i = 0; i < HISTOGRAM_CELLS; i++)
        to->cells[i] += from->cells[i];
    to->count += from->count;
}

uint64_t histogram_quantile(const struct histogram *h, double share) {
    double wanted = share * (double)h->count;
    uint64_t seen = 0;
    for (unsigned i = 0; i < HISTOGRAM_CELLS; i++) {
        seen += h->cells[i];
        if (seen > 0 && (double)seen >= wanted)
            return upper_edge(i);
    }
    return 0;
}
