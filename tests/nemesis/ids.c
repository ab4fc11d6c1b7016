/* ids.c - see ids.h. Open addressing; ids end in random bits, which are the hash. */
#include "ids.h"

#include <stdlib.h>
#include <string.h>

static size_t hash(const struct ids_key *key) {
    uint64_t h;
    memcpy(&h, key->id.bytes + 8, sizeof h);
    return (size_t)((h ^ key->account * 0x9e3779b97f4a7c15u) * 0xd6e8feb86659fd93u >> 16);
}

static bool same(const struct ids_key *a, const struct ids_key *b) {
    return a->account == b->account && memcmp(&a->id, &b->id, sizeof a->id) == 0;
}

/* The cell where the key is, or would be. */
static uint32_t *cell(const struct ids *ids, const struct ids_key *key) {
    size_t at = hash(key) & (ids->cells_count - 1);
    while (ids->cells[at] && !same(&ids->keys[ids->cells[at] - 1], key))
        at = (at + 1) & (ids->cells_count - 1);
    return &ids->cells[at];
}

static void grow(struct ids *ids) {
    ids->room = ids->room ? ids->room * 2 : 256;
    ids->cells_count = ids->room * 2;
    free(ids->cells);
    ids->keys = realloc(ids->keys, ids->room * sizeof *ids->keys);
    ids->cells = calloc(ids->cells_count, sizeof *ids->cells);
    if (!ids->keys || !ids->cells)
        abort();
    for (size_t i = 0; i < ids->count; i++)
        *cell(ids, &ids->keys[i]) = (uint32_t)i + 1;
}

size_t ids_add(struct ids *ids, const est_id *id, uint64_t account) {
    if (ids->count == ids->room)
        grow(ids);
    struct ids_key key = {*id, account};
    uint32_t *at = cell(ids, &key);
    if (*at == 0) {
        ids->keys[ids->count++] = key;
        *at = (uint32_t)ids->count;
    }
    return *at - 1;
}

bool ids_find(const struct ids *ids, const est_id *id, uint64_t account, size_t *ret) {
    if (ids->count == 0)
        return false;
    struct ids_key key = {*id, account};
    uint32_t at = *cell(ids, &key);
    if (at != 0)
        *ret = at - 1;
    return at != 0;
}

void ids_done(struct ids *ids) {
    free(ids->keys);
    free(ids->cells);
    *ids = (struct ids){0};
}
