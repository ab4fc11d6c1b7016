/* base.h - the index on disk: an LMDB environment of its own, that may be lost at any time.
 *
 *   entries  number -> entry           one for each inquiry
 *   terms    term, number -> numbers   which inquiries have this parcel, type, state …
 *   counts   name, department, label -> how many
 *   meta     what it is, and how far in the log
 *
 * One thread uses it. Everything since the last commit lies in one open transaction, which reads see,
 * so that the position is always of the same moment as what stands beside it. The file is
 * synced with each commit; only the last page may come later (MDB_NOMETASYNC), and then the commit
 * before it counts: a power cut costs seconds of an index that follows the log anyway.
 *
 * Errors: 0, -EST_NOT_FOUND, -EST_INPUT (damaged, of another format or another store: drop it), -EST_IO,
 * -EST_FULL, -EST_NO_MEMORY; base_error() has the sentence.
 */
#ifndef BASE_H
#define BASE_H

#include "entry.h"

struct base;

#define BASE_CHECK_BYTES (UINT64_C(4) << 30)
#define BASE_SUM_BYTES   (UINT64_C(1) << 30)

/* Where the index is in the log: its last event, and by what the log is known. */
struct base_place {
    uint64_t seq;
    int64_t at_us;
    uint32_t type;
    uint64_t store;
};

enum term { TERM_PARCEL = 1, TERM_NID, TERM_CASE, TERM_ID, TERM_TYPE, TERM_REQUESTER, TERM_STATE, TERMS };

/* A term's value takes 56 bits, of a hash mostly; whoever needs it exactly looks at the entry. */
struct posting {
    uint64_t term, number;
};
static inline uint64_t term_of(enum term kind, uint64_t value) {
    return (uint64_t)kind << 56 | (value & UINT64_C(0x00ffffffffffffff));
}

/* Opens or makes it. It is nobody's but this process's: another broker's lock is -EST_IO. */
int base_open(const char *folder, struct base **ret);
void base_close(struct base **);
/* After a fault in its pages: lets go of the folder, and of nothing that LMDB holds. */
void base_abandon(struct base **);
/* Of the open that failed, with NULL. */
const char *base_error(const struct base *);
/* Removes what base_open would find, so that it makes a new one. */
int base_remove(const char *folder);

/* seq 0 in a new one. */
int base_place_read(struct base *, struct base_place *ret);
int base_place_write(struct base *, const struct base_place *);
int base_commit(struct base *);
/* Forgets what is not committed. */
void base_abort(struct base *);
/* Looks through all of it, before anything is written: each key after the one before, each entry by its
 * checksum. A file of more than BASE_CHECK_BYTES is taken on trust. 0 or -EST_INPUT. */
int base_check(struct base *);
uint64_t base_bytes(const struct base *);
uint64_t base_entries(struct base *);

/* --- Entries ------------------------------------------------------------------------------------- */

int base_entry(struct base *, uint64_t number, struct entry *ret);
int base_entry_put(struct base *, const struct entry *);
/* The highest number below `before`; -EST_NOT_FOUND. */
int base_entry_before(struct base *, uint64_t before, struct entry *ret);
/* The lowest number whose inquiry was received at or after this; UINT64_MAX where none was. */
int base_number_at(struct base *, est_time received, uint64_t *ret);

/* --- Terms --------------------------------------------------------------------------------------- */

/* Many at once, ascending by term and number. What is put may be there, what is dropped need not be. */
int base_postings_put(struct base *, const struct posting *, size_t count);
int base_postings_drop(struct base *, const struct posting *, size_t count);

/* A walk down one term's numbers. It ends with the next write or commit. */
struct posting_walk {
    void *cursor;
    uint64_t term, number;
    uint64_t first; /* of the block it stands in, with the differences of those after it; */
    const uint8_t *differences;
    size_t left; /* so many of them are before `number` */
};
/* Stands on the highest number below `before`; ret->number 0 where there is none. */
int base_walk_begin(struct base *, uint64_t term, uint64_t before, struct posting_walk *ret);
int base_walk_next(struct base *, struct posting_walk *);
void base_walk_end(struct posting_walk *);

/* --- Counts -------------------------------------------------------------------------------------- */

enum { COUNTS_MAX = 1 << 20 };
struct count_key {
    uint32_t name, department, label;
};
int base_count_put(struct base *, const struct count_key *, uint64_t value);
int base_each_count(struct base *, int (*each)(void *arg, const struct count_key *, uint64_t value),
                    void *arg);

#endif
