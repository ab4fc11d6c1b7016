/* fresh.c - see fresh.h. Two indexes over one array; a queue in the order of first change. */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "fresh.h"
#include "pages.h"

#include <stdlib.h>
#include <string.h>

enum { SIZE_LEAST = 1 << 12, SIZE_MOST = FRESH_CAPACITY * 2 };

/* --- Indexes ----------------------------------------------------------------------------------- */

static void slot_put(struct fresh_index *index, uint32_t hash, uint32_t place) {
    struct fresh_slot *slots = index->slots + index->size;
    uint32_t mask = index->size - 1, at = hash & mask;
    while (slots[at].place != 0)
        at = (at + 1) & mask;
    slots[at] = (struct fresh_slot){hash, place + 1};
}

static void index_grow(struct fresh_index *index) {
    const struct fresh_slot *from = index->slots + index->size;
    uint32_t size = index->size;
    index->size = size * 2;
    memset(index->slots + index->size, 0, index->size * sizeof *from);
    for (uint32_t i = 0; i < size; i++)
        if (from[i].place != 0)
            slot_put(index, from[i].hash, from[i].place - 1);
}

static void slot_add(struct fresh_index *index, uint32_t hash, uint32_t place) {
    if (++index->count * 2 > index->size)
        index_grow(index);
    slot_put(index, hash, place);
}

/* Closes the gap: whatever was pushed on by the one that leaves moves back. */
static void slot_remove(struct fresh_index *index, uint32_t hash, uint32_t place) {
    struct fresh_slot *slots = index->slots + index->size;
    uint32_t mask = index->size - 1, at = hash & mask;
    while (slots[at].place != place + 1)
        at = (at + 1) & mask;
    for (uint32_t next = (at + 1) & mask; slots[next].place != 0; next = (next + 1) & mask) {
        if (((next - slots[next].hash) & mask) >= ((next - at) & mask)) {
            slots[at] = slots[next];
            at = next;
        }
    }
    slots[at].place = 0;
    index->count--;
}

/* --- Beginning and end ------------------------------------------------------------------------- */

int fresh_init(struct fresh *f) {
    *f = (struct fresh){0};
    /* Each row is written whole when it is taken. */
    f->rows = aligned_alloc(_Alignof(struct fresh_row), FRESH_CAPACITY * sizeof *f->rows);
    f->queue = malloc(FRESH_CAPACITY * sizeof *f->queue);
    f->by_number.slots = malloc(2 * SIZE_MOST * sizeof *f->by_number.slots);
    f->by_id.slots = malloc(2 * SIZE_MOST * sizeof *f->by_id.slots);
    if (f->rows == NULL || f->queue == NULL || f->by_number.slots == NULL || f->by_id.slots == NULL) {
        fresh_done(f);
        return -EST_NO_MEMORY;
    }
    pages_large(f->rows, FRESH_CAPACITY * sizeof *f->rows);
    pages_large(f->queue, FRESH_CAPACITY * sizeof *f->queue);
    pages_large(f->by_number.slots, 2 * SIZE_MOST * sizeof *f->by_number.slots);
    pages_large(f->by_id.slots, 2 * SIZE_MOST * sizeof *f->by_id.slots);
    fresh_clear(f);
    return 0;
}

void fresh_done(struct fresh *f) {
    free(f->rows);
    free(f->queue);
    free(f->by_number.slots);
    free(f->by_id.slots);
    *f = (struct fresh){0};
}

static void index_clear(struct fresh_index *index) {
    index->size = SIZE_LEAST;
    index->count = 0;
    memset(index->slots + index->size, 0, index->size * sizeof *index->slots);
}

void fresh_clear(struct fresh *f) {
    f->free = FRESH_NONE;
    f->count = f->used = f->first = f->queued = 0;
    index_clear(&f->by_number);
    index_clear(&f->by_id);
}

/* --- Rows -------------------------------------------------------------------------------------- */

static uint32_t id_hash(uint32_t account, const est_id *id) {
    return (uint32_t)XXH3_64bits_withSeed(id, sizeof *id, account);
}

/* Numbers are dense: by their low bits they would form one long run, and removing from it would
 * walk all of it (it did: 11 % of the store's time). So groups of eight, a line of slots, are spread. */
static uint32_t number_hash(uint64_t number) {
    uint32_t group = (uint32_t)((number >> 3) * UINT64_C(0x9e3779b97f4a7c15) >> 35);
    return group << 3 | (uint32_t)(number & 7);
}

uint32_t fresh_find(const struct fresh *f, uint64_t number) {
    const struct fresh_slot *slots = f->by_number.slots + f->by_number.size;
    uint32_t mask = f->by_number.size - 1, hash = number_hash(number);
    for (uint32_t at = hash & mask; slots[at].place != 0; at = (at + 1) & mask)
        if (slots[at].hash == hash && f->rows[slots[at].place - 1].row.number == number)
            return slots[at].place - 1;
    return FRESH_NONE;
}

uint32_t fresh_find_id(const struct fresh *f, uint32_t account, const est_id *id) {
    const struct fresh_slot *slots = f->by_id.slots + f->by_id.size;
    uint32_t mask = f->by_id.size - 1, hash = id_hash(account, id);
    for (uint32_t at = hash & mask; slots[at].place != 0; at = (at + 1) & mask) {
        const struct inquiry_row *row = &f->rows[slots[at].place - 1].row;
        if (slots[at].hash == hash && row->account == account && memcmp(&row->id, id, sizeof *id) == 0)
            return slots[at].place - 1;
    }
    return FRESH_NONE;
}

static void enqueue(struct fresh *f, uint32_t place, uint64_t since) {
    f->rows[place].queued = true;
    f->queue[(f->first + f->queued++) % FRESH_CAPACITY] = (struct fresh_waiting){since, place};
}

static uint32_t add(struct fresh *f, const struct inquiry_row *row, uint64_t since, bool by_id) {
    uint32_t place = f->free;
    if (place == FRESH_NONE) {
        place = f->used++;
    } else {
        f->free = f->rows[place].next;
        if (f->free != FRESH_NONE)
            fresh_expect(f, f->free);
    }
    f->rows[place] = (struct fresh_row){.row = *row, .in_ids = !by_id, .in_open = !by_id, .by_id = by_id};
    slot_add(&f->by_number, number_hash(row->number), place);
    if (by_id)
        slot_add(&f->by_id, id_hash(row->account, &row->id), place);
    f->count++;
    enqueue(f, place, since);
    return place;
}

uint32_t fresh_add(struct fresh *f, const struct inquiry_row *row, uint64_t since) {
    return add(f, row, since, true);
}

uint32_t fresh_add_again(struct fresh *f, const struct inquiry_row *row, uint64_t since) {
    return add(f, row, since, false);
}

uint32_t fresh_take(struct fresh *f) {
    uint32_t place = fresh_waits(f, 0)->place;
    struct fresh_row *r = &f->rows[place];
    f->first = (f->first + 1) % FRESH_CAPACITY;
    f->queued--;
    if (f->queued > FRESH_AHEAD)
        fresh_expect(f, fresh_waits(f, FRESH_AHEAD)->place);
    r->queued = false;
    r->settling++;
    return place;
}

void fresh_touch(struct fresh *f, uint32_t place, uint64_t since) {
    struct fresh_row *r = &f->rows[place];
    if (r->queued)
        return;
    r->in_ids = true;
    r->in_open = r->row.acked.us == 0;
    enqueue(f, place, since);
}

void fresh_settled(struct fresh *f, uint32_t place) {
    struct fresh_row *r = &f->rows[place];
    if (--r->settling > 0 || r->queued)
        return;
    slot_remove(&f->by_number, number_hash(r->row.number), place);
    if (r->by_id)
        slot_remove(&f->by_id, id_hash(r->row.account, &r->row.id), place);
    r->next = f->free;
    f->free = place;
    f->count--;
}

static void slot_expect(const struct fresh_index *index, uint32_t hash) {
    __builtin_prefetch(&index->slots[index->size + (hash & (index->size - 1))], 1);
}

void fresh_expect_slots(const struct fresh *f, uint32_t place) {
    const struct fresh_row *r = &f->rows[place];
    slot_expect(&f->by_number, number_hash(r->row.number));
    if (r->by_id)
        slot_expect(&f->by_id, id_hash(r->row.account, &r->row.id));
}
