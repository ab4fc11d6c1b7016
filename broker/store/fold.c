/* fold.c - see fold.h. Open addressing over a dense array: no pointers, nothing freed one by one.
 */
#include "fold.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS_FIRST = 1024 };

/* Numbers are dense, so their low bits alone would form long runs. */
static size_t slot_first(const struct fold *fold, uint64_t number) {
    return (size_t)((number * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & (fold->slots_count - 1);
}

/* The slot of this number, or the free one where it would go. */
static size_t slot_of(const struct fold *fold, uint64_t number) {
    size_t at = slot_first(fold, number);
    while (fold->slots[at] != 0 && fold->rows[fold->slots[at] - 1].number != number)
        at = (at + 1) & (fold->slots_count - 1);
    return at;
}

static bool fold_grow(struct fold *fold) {
    size_t rows_max = fold->rows_max > 0 ? fold->rows_max * 2 : ROWS_FIRST;
    if (rows_max >= UINT32_MAX)
        return false;
    struct inquiry_row *rows = realloc(fold->rows, rows_max * sizeof *rows);
    if (!rows)
        return false;
    fold->rows = rows;
    uint32_t *slots = calloc(rows_max * 2, sizeof *slots);
    if (!slots)
        return false;
    free(fold->slots);
    fold->slots = slots;
    fold->slots_count = rows_max * 2;
    fold->rows_max = rows_max;
    for (size_t i = 0; i < fold->count; i++)
        slots[slot_of(fold, rows[i].number)] = (uint32_t)i + 1;
    return true;
}

void fold_done(struct fold *fold) {
    free(fold->rows);
    free(fold->slots);
    *fold = (struct fold){0};
}

struct inquiry_row *fold_add(struct fold *fold, uint64_t number) {
    if (fold->count == fold->rows_max && !fold_grow(fold))
        return NULL;
    fold->slots[slot_of(fold, number)] = (uint32_t)fold->count + 1;
    struct inquiry_row *row = &fold->rows[fold->count++];
    *row = (struct inquiry_row){.number = number};
    return row;
}

struct inquiry_row *fold_find(const struct fold *fold, uint64_t number) {
    if (fold->count == 0)
        return NULL;
    size_t at = slot_of(fold, number);
    return fold->slots[at] != 0 ? &fold->rows[fold->slots[at] - 1] : NULL;
}

/* Whoever was put behind the freed slot because it was taken moves up, so that no search ends
 * too early. */
static void slots_close(struct fold *fold, size_t hole) {
    size_t mask = fold->slots_count - 1;
    for (size_t at = (hole + 1) & mask; fold->slots[at] != 0; at = (at + 1) & mask) {
        size_t first = slot_first(fold, fold->rows[fold->slots[at] - 1].number);
        if (((at - first) & mask) < ((at - hole) & mask))
            continue;
        fold->slots[hole] = fold->slots[at];
        hole = at;
    }
    fold->slots[hole] = 0;
}

void fold_remove(struct fold *fold, uint64_t number) {
    size_t slot = slot_of(fold, number);
    assert(fold->slots[slot] != 0);
    uint32_t place = fold->slots[slot] - 1;
    slots_close(fold, slot);
    fold->count--;
    if (place == fold->count)
        return;
    uint64_t last = fold->rows[fold->count].number;
    fold->slots[slot_of(fold, last)] = place + 1;
    fold->rows[place] = fold->rows[fold->count];
}
