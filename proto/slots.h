/* slots.h - the two small structures under the far end's tables.
 *
 * A table there is an array of slots that is never moved. An `index` finds a slot by a 64-bit
 * key, a `chain` strings slots together in the order in which they came. Both are sized once, so
 * that a session allocates nothing while it works, and neither depends on addresses, so that the
 * same calls always give the same order.
 */
#ifndef SLOTS_H
#define SLOTS_H

#include <stdbool.h>
#include <stdint.h>

enum { SLOTS_MAX = 1 << 20 };
#define SLOT_NONE UINT32_MAX

/* --- Chains: first in, first out; a slot is in one chain at a time. ---------------------------- */

struct slot_link {
    uint32_t next, previous;
};
struct chain {
    uint32_t first, last, count;
};

void chain_init(struct chain *);
/* `links` is the table's array, one for each slot. */
void chain_push(struct chain *, struct slot_link *links, uint32_t slot);
void chain_remove(struct chain *, struct slot_link *links, uint32_t slot);

/* --- Index: open addressing, linear probing, deletion by shifting back. ------------------------
 *
 * It has memory for all that it may ever hold, and uses a part of that, twice as large whenever it is
 * half full: what is in flight is mostly a small part of what may be, and stays in the cache. */

struct index_entry {
    uint64_t key;
    uint32_t slot_and_1; /* 0: free */
};

struct index {
    uint32_t mask, mask_max; /* of the part in use; of the whole */
    uint32_t count;
    struct index_entry *at;
};

/* For at most `capacity` entries at once. 0 or -EST_NO_MEMORY. */
int index_init(struct index *, uint32_t capacity);
void index_done(struct index *);
void index_put(struct index *, uint64_t key, uint32_t slot);
void index_remove(struct index *, uint64_t key, uint32_t slot);
/* The first slot with this key, and with *walk as it was left, the next one: several things may
 * share a key, so the caller compares what the key was made from. SLOT_NONE at the end. */
enum { INDEX_START = -1 };
uint32_t index_find(const struct index *, uint64_t key, int64_t *walk);

/* Spreads the bits of a number (the finisher of splitmix64). */
static inline uint64_t key_mix(uint64_t x) {
    x ^= x >> 30;
    x *= 0xbf58476d1ce4e5b9ULL;
    x ^= x >> 27;
    x *= 0x94d049bb133111ebULL;
    return x ^ x >> 31;
}

#endif
