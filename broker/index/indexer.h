/* indexer.h - the log folded into the index, step by step. No thread, no clock of its own.
 *
 * A step takes some thousands of events; each inquiry that they touch is read once, folded by the
 * record's own function, and written once, with its terms in the order in which they lie on disk. What is
 * asked and answered within a step is never filed as waiting.
 *
 * Errors are the base's and the reader's; after one the indexer is closed and opened again. Opening
 * drops what is damaged, of another format or of another store, and begins anew.
 */
#ifndef INDEXER_H
#define INDEXER_H

#include "base.h"
#include "counts.h"
#include "names.h"
#include "postings.h"
#include "reader.h"

enum {
    INDEXER_STEP_EVENTS = 8 * READER_EVENTS_MAX,
    INDEXER_COMMIT_EVENTS = 1 << 18, /* after so many it is time, whatever the clock says */
    INDEXER_WHY_SIZE = 600
};

struct indexer {
    struct store_reader *reader; /* not owned */
    struct base *base;
    struct names *names;
    struct counts *counts;
    struct base_place place; /* what has been folded */
    uint64_t head;           /* the newest event on disk, as last seen */
    uint8_t nid_key[16];     /* made from the store's secret, and from it alone */
    struct entry *entries;   /* of the step under way */
    bool *changed;
    uint32_t *slots, count;
    struct postings puts[TERMS], drops; /* of one kind of term, fewer bytes are to be sorted by */
    uint64_t committed;                 /* seq of the last commit */
    bool dirty;                         /* something is not committed */
    char why[INDEXER_WHY_SIZE];
};

/* ret_dropped: why an index that was there has been dropped, or "". */
int indexer_open(struct store_reader *, const char *folder, struct indexer *ret,
                 char ret_dropped[INDEXER_WHY_SIZE]);
void indexer_close(struct indexer *);
/* Folds at most INDEXER_STEP_EVENTS. 0 when the log's end is reached, 1 when there is more. */
int indexer_step(struct indexer *);
int indexer_commit(struct indexer *);
/* Names as of now, for whoever answers out of it. */
int indexer_names(struct indexer *);
static inline uint64_t indexer_behind(const struct indexer *ix) {
    return ix->head > ix->place.seq ? ix->head - ix->place.seq : 0;
}

/* Terms' values. */
uint64_t indexer_parcel(est_slice canonical);
uint64_t indexer_nid(const struct indexer *, est_slice canonical);
uint64_t indexer_case(est_slice as_written);
uint64_t indexer_id(const est_id *);

#endif
