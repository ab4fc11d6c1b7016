/* ahead.h - who walks through many pages asks for the next ones in time.
 *
 * The map is read one page at a time (MDB_NORDAHEAD), for most reads that find nothing in memory are of one
 * inquiry out of years: what the system would read around it, 128 KiB or as much as 8 MiB, takes longer than the
 * page and drives others out of memory. A walk knows better, and says so here.
 */
#ifndef AHEAD_H
#define AHEAD_H

#include <stdint.h>
#include <sys/mman.h>

enum { AHEAD_BYTES = 1 << 18, AHEAD_STEP = 1 << 16 /* a multiple of every page's size */ };

struct ahead {
    uintptr_t from, until; /* the first half of what was asked for last: in the second, more is */
};

/* Advice, so a failure is no matter. */
static inline void ahead_ask(struct ahead *a, const void *at) {
    uintptr_t from = (uintptr_t)at & ~(uintptr_t)(AHEAD_STEP - 1);
    if (from >= a->from && from < a->until)
        return;
    *a = (struct ahead){from, from + AHEAD_BYTES / 2};
    madvise((void *)from, AHEAD_BYTES, MADV_WILLNEED);
}

#endif
