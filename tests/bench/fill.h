/* fill.h - stores that are full before a round begins, written through the store itself. */
#ifndef FILL_H
#define FILL_H

#include "bench.h"

/* What a store was filled with, and what it took. */
struct filled {
    uint64_t inquiries, bytes; /* of data.mdb, all of it */
    double seconds;
};

/* Fills plan->store, an empty folder: the broker is started once, so that its departments, types and
 * accounts are there, and ended; then `inquiries` of the requester's, routed over all districts. Open
 * ones have the tickets of a deep queue (flights.h). Stops early at `bytes_max`, rounded to a commit.
 * 0 or a negative code after a line that says why. */
int fill_open(const struct plan *, uint64_t inquiries, struct filled *ret);
int fill_finished(const struct plan *, uint64_t inquiries, uint64_t bytes_max, struct filled *ret);
/* Puts the store's pages out of the page cache, as after a night; or into it, as far as they fit. */
void fill_chill(const struct plan *);
void fill_warm(const struct plan *);
/* The id of the nth finished inquiry. */
est_id fill_id(uint64_t nth);

#endif
