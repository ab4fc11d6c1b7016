/* postings.h - the postings of a step, gathered in any order and sorted before they are written.
 */
#ifndef POSTINGS_H
#define POSTINGS_H

#include "base.h"

struct postings {
    struct posting *at, *room; /* as large, for sorting */
    size_t count, capacity;
};

/* 0 or -EST_NO_MEMORY. */
int postings_push(struct postings *, struct posting);
/* Ascending by term, then by number. */
void postings_sort(struct postings *);
void postings_done(struct postings *);

#endif
