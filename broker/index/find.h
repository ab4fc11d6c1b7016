/* find.h - FIND: which inquiries fit a filter, newest first, a page at a time.
 *
 * The term that fits the fewest is walked down, the others are asked of each entry. No answer looks at
 * more entries than its bound: it may then have few rows or none and still a `next` to go on from.
 */
#ifndef FIND_H
#define FIND_H

#include "filter.h"
#include "indexer.h"

enum {
    FIND_ROWS_MAX = 500, /* of one answer */
    FIND_ROWS_USUAL = 100,
    FIND_LOOKED_MAX = 20000,   /* entries looked at for a page */
    FIND_COUNTED_MAX = 200000, /* and for a count */
    FIND_BYTES_MAX = 700000,   /* of rows, so that they fit a frame */
    FIND_WHY_SIZE = 600,
};

struct find_question {
    est_slice filter;
    uint64_t after; /* numbers below it; 0: from the newest */
    uint64_t limit; /* 0: as many as are usual */
    bool count;
    uint64_t counted_max; /* entries looked at for it; 0: FIND_COUNTED_MAX */
    const struct parcel_rule *rule; /* may be NULL */
    const uint64_t *leased;         /* numbers that agents hold now, ascending: the record knows no leases */
    size_t leased_count;
    const bool *hidden; /* types that are left out, by number, and what is beyond it too; NULL: none */
    size_t hidden_count;
    est_time now;
};

struct find_answer {
    struct buffer rows; /* packed behind each other; init before, done after */
    size_t rows_count;
    uint64_t next, count;
    bool counted_all;
    char why[FIND_WHY_SIZE];
};

/* 0; -EST_INVALID_FIELD with a sentence in ret->why; or an error of the index. */
int find(struct indexer *, const struct find_question *, struct find_answer *ret);

#endif
