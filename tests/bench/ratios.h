/* ratios.h - what Estelam promises to reach against the others, and whether it did in these rows.
 *
 * Only rows of one run are compared, and only of the same job: window, body, requesters, agents.
 */
#ifndef RATIOS_H
#define RATIOS_H

#include "system.h"

/* A promise, and what is compared: */
enum measure {
    THROUGHPUT,       /* with the fastest durable peer's: at least so many times */
    THROUGHPUT_PROXY, /* with the bare proxy's without CURVE: at least so many times */
    P99_NO_WORSE,     /* with that of the fastest durable peer: at most so many times */
    P50_NO_WORSE,     /* with the lowest of a durable peer: at most so many times */
};
struct promise {
    unsigned window, body;
    bool curve;
    enum measure measure;
    double reach;
};
extern const struct promise promises[];
extern const size_t promises_count;

/* One promise held against rows. */
struct ratio {
    const struct promise *promise;
    const struct row *ours, *other;
    double value;
    double limit; /* of THROUGHPUT: what `proxy-synced` gives by the same measure; 0: it was not run */
    bool met;
};

/* The durable peer with the most inquiries a second in the job of `ours`; NULL where none was run. */
const struct row *ratio_fastest_peer(const struct row *ours, const struct row *rows, size_t count);
/* Every promise for every row of ours it speaks of, as far as the other one was run. How many. */
size_t ratios_make(const struct row *rows, size_t count, struct ratio *ret, size_t max);
void ratios_print(const struct ratio *, size_t count);

#endif
