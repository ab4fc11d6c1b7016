/* fresh.h - rows that changed a short while ago: in memory, until they settle in the tables.
 *
 * Most inquiries are asked, answered and acknowledged within a moment. Written at every step, such
 * a row would go into `open`, change there, leave it, and go into `ended`: four writes into B-trees
 * for one that matters. So a changed row stays here, and settles when enough others changed
 * after it; one that is over by then is written once. The log alone makes a batch durable.
 *
 * A row that is due is handed to the keeper's thread and stays here until LMDB has it; it may change
 * meanwhile, and then it is due again later.
 *
 * The tables are complete up to the position `settled`, which is committed with them; what came after it is
 * folded out of the log when the store is opened. A row that settled since then has the later
 * events in it already, and its last_seq says so: folding them again does nothing.
 */
#ifndef FRESH_H
#define FRESH_H

#include "event.h"

/* With 4 thousand kept, a queue of ten thousand went through `open` row by row and got 0.73 of what an empty one
 * gets (0.94 to 1.0 with these), and eight requesters with 8,000 in flight 152 thousand a second instead of 175. */
enum {
    FRESH_NONE = UINT32_MAX,
    FRESH_CAPACITY = 1 << 17, /* rows; beyond it the oldest settle at once */
    FRESH_KEPT = 1 << 15,     /* rows that stay fresh after a commit; of those that are over FRESH_KEPT_OVER */
    FRESH_KEPT_OVER = 1 << 8,
    FRESH_KEPT_DEEP = 1 << 9, /* of a queue so long that none would still be here when its turn comes */
    FRESH_TOGETHER = 1 << 10, /* so many more, and they settle, all in one go */
    FRESH_EVENTS = 1 << 16,   /* the most events that opening a store folds again */
};

/* Two lines of cache: by the first a row is told from others, the second has times. */
struct fresh_row {
    _Alignas(64) struct inquiry_row row;
    uint32_t next;        /* the next free one */
    bool in_ids : 1, in_open : 1; /* what the tables have of it, or will when it is settled that far */
    bool by_id : 1;       /* found by its id here: the tables may lack it */
    bool queued : 1;      /* in the queue: the tables lack something of it that nobody is writing yet */
    uint8_t settling;     /* how often it is on its way into the tables */
};
_Static_assert(sizeof(struct fresh_row) == 128, "a fresh row has two lines");

/* Open addressing, at most half full. A slot has the hash, so that neither a search nor the
 * closing of a gap touches a row that is not meant. It grows with what it holds: of the sizes one after the
 * other in `slots` the one from `size` on is in use, and a short list stays in the cache. */
struct fresh_slot {
    uint32_t hash, place; /* place + 1; 0: free */
};
struct fresh_index {
    struct fresh_slot *slots;
    uint32_t size, count;
};

/* A row that waits to be settled, and its first event that the tables do not have. */
struct fresh_waiting {
    uint64_t since;
    uint32_t place;
};

struct fresh {
    struct fresh_row *rows;
    struct fresh_waiting *queue; /* a ring of FRESH_CAPACITY, in the order of `since` */
    uint32_t first, queued;
    struct fresh_index by_number, by_id;
    uint32_t count, free, used;
};

int fresh_init(struct fresh *); /* 0 or -EST_NO_MEMORY */
void fresh_done(struct fresh *);
void fresh_clear(struct fresh *);

uint32_t fresh_find(const struct fresh *, uint64_t number);
uint32_t fresh_find_id(const struct fresh *, uint32_t account, const est_id *);
static inline struct fresh_row *fresh_at(const struct fresh *f, uint32_t place) {
    return &f->rows[place];
}
/* The one that has waited for longest is the first, of `queued`. */
static inline const struct fresh_waiting *fresh_waits(const struct fresh *f, uint32_t nth) {
    return &f->queue[(f->first + nth) % FRESH_CAPACITY];
}
static inline uint64_t fresh_since(const struct fresh *f) {
    return fresh_waits(f, 0)->since;
}
static inline bool fresh_is_full(const struct fresh *f) {
    return f->count == FRESH_CAPACITY;
}
/* Keeps a row whose first unsettled event is `since`, the newest so far. There must be room. */
uint32_t fresh_add(struct fresh *, const struct inquiry_row *, uint64_t since);
/* The same for one that the tables have: as open, and its id. */
uint32_t fresh_add_again(struct fresh *, const struct inquiry_row *, uint64_t since);
/* Takes the one with the oldest `since` out of the queue: it is being settled, as it is now. */
uint32_t fresh_take(struct fresh *);
/* It is about to change, by event `since`. */
void fresh_touch(struct fresh *, uint32_t place, uint64_t since);
/* What fresh_take took is in the tables: it is forgotten, unless it has changed since. */
void fresh_settled(struct fresh *, uint32_t place);

/* Of thousands of rows the next one is in no cache that is near, but which it will be is known: whoever settles many in
 * a row asks for each some steps before, then for what fresh_settled needs of the indexes. */
enum { FRESH_AHEAD = 8, FRESH_AHEAD_SLOTS = 4 };
static inline void fresh_expect(const struct fresh *f, uint32_t place) {
    __builtin_prefetch(&f->rows[place], 1);
    __builtin_prefetch(&f->rows[place].next, 1);
}
void fresh_expect_slots(const struct fresh *, uint32_t place);

#endif
