/* fresh.c - see fresh.h. Two indexes over one array; a queue in the order of first change. */
#include "fresh.h"
#include "record.h"

#include <stdlib.h>
#include <string.h>

enum { SLOTS = FRESH_CAPACITY * 2, MASK = SLOTS - 1 };

int fresh_init(struct fresh *f) {
    *f = (struct fresh){0};
    f->rows = malloc(FRESH_CAPACITY * sizeof *f->rows); /* each is written whole when it is taken */
    f->by_number = calloc(SLOTS, sizeof *f->by_number);
    f->by_id = calloc(SLOTS, sizeof *f->by_id);
    if (f->rows == NULL || f->by_number == NULL || f->by_id == NULL) {
        fresh_done(f);
        return -EST_NO_MEMORY;
    }
    fresh_clear(f);
    return 0;
}

void fresh_done(struct fresh *f) {
    free(f->rows);
    free(f->by_number);
    free(f->by_id);
    *f = (struct fresh){0};
}

void fresh_clear(struct fresh *f) {
    bool untouched = f->used == 0; /* a megabyte of zeroes need not be zeroed again */
    f->first = f->last = f->free = FRESH_NONE;
    f->count = f->used = f->queued = 0;
    if (untouched)
        return;
    memset(f->by_number, 0, SLOTS * sizeof *f->by_number);
    memset(f->by_id, 0, SLOTS * sizeof *f->by_id);
}

static uint32_t id_hash(uint32_t account, const est_id *id) {
    struct { uint32_t account; est_id id; } key = {account, *id};
    return (uint32_t)checksum_of(&key, sizeof key);
}

/* Numbers are dense: by their low bits they would form one long run, and removing from it would
 * walk all of it (it did: 11 % of the store's time). So groups of sixteen are spread. */
static uint32_t number_hash(uint64_t number) {
    uint32_t group = (uint32_t)((number >> 4) * UINT64_C(0x9e3779b97f4a7c15) >> 40);
    return (group << 4 | (uint32_t)(number & 15)) & MASK;
}

static uint32_t number_home(const struct fresh_row *r) {
    return number_hash(r->row.number);
}

static uint32_t id_home(const struct fresh_row *r) {
    return r->hash & MASK;
}

static void slot_put(uint32_t *slots, uint32_t home, uint32_t place) {
    while (slots[home] != 0)
        home = (home + 1) & MASK;
    slots[home] = place + 1;
}

/* Closes the gap: whatever was pushed on by the one that leaves moves back. */
static void slot_remove(const struct fresh *f, uint32_t *slots, uint32_t place, uint32_t (*home_of)(const struct fresh_row *)) {
    uint32_t at = home_of(&f->rows[place]);
    while (slots[at] != place + 1)
        at = (at + 1) & MASK;
    for (uint32_t next = (at + 1) & MASK; slots[next] != 0; next = (next + 1) & MASK) {
        uint32_t home = home_of(&f->rows[slots[next] - 1]);
        if (((next - home) & MASK) >= ((next - at) & MASK)) {
            slots[at] = slots[next];
            at = next;
        }
    }
    slots[at] = 0;
}

uint32_t fresh_find(const struct fresh *f, uint64_t number) {
    for (uint32_t at = number_hash(number); f->by_number[at] != 0; at = (at + 1) & MASK)
        if (f->rows[f->by_number[at] - 1].row.number == number)
            return f->by_number[at] - 1;
    return FRESH_NONE;
}

uint32_t fresh_find_id(const struct fresh *f, uint32_t account, const est_id *id) {
    for (uint32_t at = id_hash(account, id) & MASK; f->by_id[at] != 0; at = (at + 1) & MASK) {
        const struct inquiry_row *row = &f->rows[f->by_id[at] - 1].row;
        if (row->account == account && memcmp(&row->id, id, sizeof *id) == 0)
            return f->by_id[at] - 1;
    }
    return FRESH_NONE;
}

static void enqueue(struct fresh *f, uint32_t place, uint64_t since) {
    struct fresh_row *r = &f->rows[place];
    r->since = since;
    r->next = FRESH_NONE;
    r->queued = true;
    *(f->last == FRESH_NONE ? &f->first : &f->rows[f->last].next) = place;
    f->last = place;
    f->queued++;
}

uint32_t fresh_add(struct fresh *f, const struct inquiry_row *row, uint64_t since) {
    uint32_t place = f->free;
    if (place != FRESH_NONE)
        f->free = f->rows[place].next;
    else
        place = f->used++;
    struct fresh_row *r = &f->rows[place];
    *r = (struct fresh_row){.row = *row, .hash = id_hash(row->account, &row->id)};
    slot_put(f->by_number, number_home(r), place);
    slot_put(f->by_id, id_home(r), place);
    f->count++;
    enqueue(f, place, since);
    return place;
}

uint32_t fresh_take(struct fresh *f) {
    uint32_t place = f->first;
    struct fresh_row *r = &f->rows[place];
    f->first = r->next;
    if (f->first == FRESH_NONE)
        f->last = FRESH_NONE;
    f->queued--;
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
    slot_remove(f, f->by_number, place, number_home);
    slot_remove(f, f->by_id, place, id_home);
    r->next = f->free;
    f->free = place;
    f->count--;
}
