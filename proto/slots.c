/* slots.c - chains of slots and the index that finds them. */
#include "slots.h"

#include <stdlib.h>

#include <estelam/types.h>

void chain_init(struct chain *chain) {
    *chain = (struct chain){.first = SLOT_NONE, .last = SLOT_NONE};
}

void chain_push(struct chain *chain, struct slot_link *links, uint32_t slot) {
    links[slot] = (struct slot_link){.next = SLOT_NONE, .previous = chain->last};
    if (chain->last == SLOT_NONE)
        chain->first = slot;
    else
        links[chain->last].next = slot;
    chain->last = slot;
    chain->count++;
}

void chain_remove(struct chain *chain, struct slot_link *links, uint32_t slot) {
    struct slot_link link = links[slot];
    if (link.previous == SLOT_NONE)
        chain->first = link.next;
    else
        links[link.previous].next = link.next;
    if (link.next == SLOT_NONE)
        chain->last = link.previous;
    else
        links[link.next].previous = link.previous;
    chain->count--;
}

enum { INDEX_FIRST = 256 };

/* At most half full, so that a probe stays short. Behind the whole there is room for what moves while
 * the part in use becomes larger: a quarter, since it was half full of half of it. */
int index_init(struct index *index, uint32_t capacity) {
    uint32_t size = 16;
    while (size < capacity * 2)
        size *= 2;
    index->count = 0;
    index->mask_max = size - 1;
    index->mask = (size < INDEX_FIRST ? size : INDEX_FIRST) - 1;
    index->at = calloc(size + size / 4, sizeof *index->at);
    return index->at ? 0 : -EST_NO_MEMORY;
}

void index_done(struct index *index) {
    free(index->at);
    *index = (struct index){0};
}

static uint32_t home(const struct index *index, uint64_t key) {
    return (uint32_t)key_mix(key) & index->mask;
}

static void place(struct index *index, struct index_entry entry) {
    uint32_t at = home(index, entry.key);
    while (index->at[at].slot_and_1)
        at = (at + 1) & index->mask;
    index->at[at] = entry;
}

static void spread(struct index *index) {
    uint32_t aside = index->mask_max + 1, end = aside;
    for (uint32_t at = 0; at <= index->mask; at++) {
        if (!index->at[at].slot_and_1)
            continue;
        index->at[end++] = index->at[at];
        index->at[at].slot_and_1 = 0;
    }
    index->mask = index->mask * 2 + 1;
    for (; aside < end; aside++)
        place(index, index->at[aside]);
}

void index_put(struct index *index, uint64_t key, uint32_t slot) {
    index->count++;
    if (index->count > (index->mask + 1) / 2 && index->mask < index->mask_max)
        spread(index);
    place(index, (struct index_entry){key, slot + 1});
}

uint32_t index_find(const struct index *index, uint64_t key, int64_t *walk) {
    if (!index->at)
        return SLOT_NONE; /* the table of the other role */
    uint32_t at = *walk < 0 ? home(index, key) : ((uint32_t)*walk + 1) & index->mask;
    for (; index->at[at].slot_and_1; at = (at + 1) & index->mask)
        if (index->at[at].key == key) {
            *walk = at;
            return index->at[at].slot_and_1 - 1;
        }
    return SLOT_NONE;
}

/* Closes the gap: whatever stands further along and may stand here moves here, so that no probe
 * ever meets a hole before what it looks for. */
static void gap_close(struct index *index, uint32_t gap) {
    for (uint32_t at = (gap + 1) & index->mask; index->at[at].slot_and_1; at = (at + 1) & index->mask) {
        uint32_t wish = home(index, index->at[at].key);
        if (((at - wish) & index->mask) < ((at - gap) & index->mask))
            continue;
        index->at[gap] = index->at[at];
        gap = at;
    }
    index->at[gap].slot_and_1 = 0;
}

void index_remove(struct index *index, uint64_t key, uint32_t slot) {
    for (uint32_t at = home(index, key); index->at[at].slot_and_1; at = (at + 1) & index->mask)
        if (index->at[at].slot_and_1 == slot + 1) {
            index->count--;
            gap_close(index, at);
            return;
        }
}
