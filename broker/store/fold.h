/* fold.h - rows in memory, by number: what folding the log gives before it is compared.
 *
 * Holds the inquiries that the walk has seen begin and not yet seen acknowledged, as the broker
 * itself does: ten million take about 1.3 GiB, and the log may be as long as it likes.
 */
#ifndef FOLD_H
#define FOLD_H

#include "event.h"

/* Start from {0}. */
struct fold {
    struct inquiry_row *rows; /* the first `count`, in no order */
    uint32_t *slots;          /* place in rows + 1, found by number; 0: free */
    size_t count, rows_max, slots_count;
};

void fold_done(struct fold *);
/* A zeroed row for a number that is not there. NULL without memory. Moves the other rows. */
struct inquiry_row *fold_add(struct fold *, uint64_t number);
/* NULL where it is not there. Until the next add or remove. */
struct inquiry_row *fold_find(const struct fold *, uint64_t number);
/* It must be there. */
void fold_remove(struct fold *, uint64_t number);

#endif
