/* base_terms.c - which inquiries have a term: their numbers, some hundreds to a block.
 *
 *   key    term, first number       big-endian, so that LMDB's comparison of bytes puts them in order
 *   value  checksum, differences    of each further number to the first; 32 bits each, little-endian
 *
 * Nearly all numbers come in ascending order, and so go behind those that their term has. A row of its own
 * for each was half of what following the log cost. The checksum is of key and differences: a bit that
 * flips in a block would hide inquiries from whoever looks for them.
 */
#include "base_room.h"
#include "record.h"

#include <endian.h>
#include <string.h>

enum { BLOCK_MAX = 480 /* two of them fill a page of 4 KiB */, WORD = sizeof(uint32_t) };

struct posting_key {
    uint64_t term, number;
};

static struct posting_key key_of(uint64_t term, uint64_t number) {
    return (struct posting_key){htobe64(term), htobe64(number)};
}

/* --- One block ----------------------------------------------------------------------------------- */

/* As it lies in its page. */
struct block {
    uint64_t term, first;
    const uint8_t *differences;
    size_t count; /* of numbers, the first too */
};

static uint32_t block_sum(uint64_t term, uint64_t first, const void *differences, size_t size) {
    return (uint32_t)digest_step(digest_step(term, first), checksum_of(differences, size));
}

static int damaged(struct base *b) {
    return base_fail(b, -EST_INPUT, "a term is damaged");
}

static bool key_read(const MDB_val *key, struct posting *ret) {
    struct posting_key at;
    if (key->mv_size != sizeof at)
        return false;
    memcpy(&at, key->mv_data, sizeof at);
    *ret = (struct posting){be64toh(at.term), be64toh(at.number)};
    return true;
}

static int block_of(struct base *b, const MDB_val *key, const MDB_val *data, struct block *ret) {
    struct posting first;
    uint32_t sum;
    if (!key_read(key, &first) || data->mv_size < WORD || data->mv_size > BLOCK_MAX * WORD ||
        data->mv_size % WORD != 0)
        return damaged(b);
    memcpy(&sum, data->mv_data, sizeof sum);
    *ret =
        (struct block){first.term, first.number, (const uint8_t *)data->mv_data + WORD, data->mv_size / WORD};
    sum = le32toh(sum);
    return sum == block_sum(ret->term, ret->first, ret->differences, data->mv_size - WORD) ? 0 : damaged(b);
}

static uint64_t block_number(const struct block *block, size_t at) {
    uint32_t difference;
    if (at == 0)
        return block->first;
    memcpy(&difference, block->differences + (at - 1) * WORD, WORD);
    return block->first + le32toh(difference);
}

int base_block_check(struct base *b, const MDB_val *key, const MDB_val *data) {
    struct block block;
    return block_of(b, key, data, &block);
}

static int block_put(struct base *b, uint64_t term, const uint64_t *numbers, size_t count) {
    struct posting_key key = key_of(term, numbers[0]);
    uint32_t words[BLOCK_MAX];
    for (size_t i = 1; i < count; i++)
        words[i] = htole32((uint32_t)(numbers[i] - numbers[0]));
    words[0] = htole32(block_sum(term, numbers[0], words + 1, (count - 1) * WORD));
    return base_put(b, TABLE_TERMS, val_of(&key, sizeof key), val_of(words, count * WORD), 0);
}

static int block_drop(struct base *b, uint64_t term, uint64_t first) {
    struct posting_key bytes = key_of(term, first);
    MDB_val key = val_of(&bytes, sizeof bytes);
    int rc = mdb_del(b->txn, b->tables[TABLE_TERMS], &key, NULL);
    return rc == 0 ? 0 : base_fail_lmdb(b, rc, "writing");
}

/* --- Changing ------------------------------------------------------------------------------------ */

/* A block under change, and where the next one of its term begins. */
struct numbers {
    size_t count;
    uint64_t limit;
    uint64_t at[BLOCK_MAX];
};

/* Where postings begin that are behind this one. */
static int limit_find(struct base *b, MDB_cursor *cursor, struct posting p, uint64_t *ret) {
    struct posting_key bytes = key_of(p.term, p.number + 1);
    MDB_val key = val_of(&bytes, sizeof bytes), data;
    struct posting next;
    int rc = mdb_cursor_get(cursor, &key, &data, MDB_SET_RANGE);
    *ret = UINT64_MAX;
    if (rc != 0)
        return rc == MDB_NOTFOUND ? -EST_NOT_FOUND : base_fail_lmdb(b, rc, "reading a term");
    if (!key_read(&key, &next))
        return damaged(b);
    if (next.term == p.term)
        *ret = next.number;
    return 0;
}

/* The block in which this posting is or would be. No numbers: all of its term are behind it. */
static int numbers_find(struct base *b, struct posting p, struct numbers *ret) {
    MDB_cursor *cursor = NULL;
    MDB_val key, data;
    struct block block;
    ret->count = 0;
    int code = base_writer(b, TABLE_TERMS, &cursor);
    if (!code)
        code = limit_find(b, cursor, p, &ret->limit);
    if (code && code != -EST_NOT_FOUND)
        return code;
    int rc = mdb_cursor_get(cursor, &key, &data, code ? MDB_LAST : MDB_PREV);
    if (rc != 0)
        return rc == MDB_NOTFOUND ? 0 : base_fail_lmdb(b, rc, "reading a term");
    code = block_of(b, &key, &data, &block);
    if (code || block.term != p.term)
        return code;
    for (ret->count = 0; ret->count < block.count; ret->count++)
        ret->at[ret->count] = block_number(&block, ret->count);
    return 0;
}

/* How many postings go into this block, at once. */
static size_t postings_of(const struct numbers *n, const struct posting *p, size_t count) {
    size_t here = 0;
    while (here < count && here < BLOCK_MAX && p[here].term == p->term && p[here].number < n->limit)
        here++;
    return here;
}

/* What comes behind all others fills its block; what comes between them leaves room for more of its kind. */
static int blocks_write(struct base *b, uint64_t term, const uint64_t *numbers, size_t count, bool at_end) {
    size_t blocks = (count + BLOCK_MAX - 1) / BLOCK_MAX;
    size_t each = at_end ? BLOCK_MAX : (count + blocks - 1) / blocks;
    int rc = 0;
    for (size_t from = 0, to; from < count && !rc; from = to) {
        for (to = from + 1; to < count && to - from < each && numbers[to] - numbers[from] <= UINT32_MAX;)
            to++;
        rc = block_put(b, term, numbers + from, to - from);
    }
    return rc;
}

static int numbers_add(struct base *b, const struct numbers *n, const struct posting *p, size_t count) {
    uint64_t merged[2 * BLOCK_MAX];
    size_t total = 0, old = 0, added = 0;
    bool at_end = n->count == 0 || n->at[n->count - 1] < p->number;
    while (old < n->count || added < count) {
        bool is_old = added == count || (old < n->count && n->at[old] <= p[added].number);
        uint64_t next = is_old ? n->at[old++] : p[added++].number;
        if (total == 0 || merged[total - 1] != next)
            merged[total++] = next;
    }
    return blocks_write(b, p->term, merged, total, at_end);
}

static int numbers_remove(struct base *b, const struct numbers *n, const struct posting *p, size_t count) {
    uint64_t left[BLOCK_MAX];
    size_t kept = 0, gone = 0;
    for (size_t i = 0; i < n->count; i++) {
        while (gone < count && p[gone].number < n->at[i])
            gone++;
        if (gone == count || p[gone].number != n->at[i])
            left[kept++] = n->at[i];
    }
    bool is_moved = n->count > 0 && (kept == 0 || left[0] != n->at[0]);
    int rc = is_moved ? block_drop(b, p->term, n->at[0]) : 0;
    return !rc && kept > 0 ? block_put(b, p->term, left, kept) : rc;
}

typedef int numbers_change(struct base *, const struct numbers *, const struct posting *, size_t count);

/* A block at a time. */
static int postings_apply(struct base *b, const struct posting *p, size_t count, numbers_change *change) {
    struct numbers n;
    while (count > 0) {
        int rc = numbers_find(b, *p, &n);
        if (rc)
            return rc;
        size_t here = postings_of(&n, p, count);
        rc = change(b, &n, p, here);
        if (rc)
            return rc;
        p += here;
        count -= here;
    }
    return 0;
}

int base_postings_put(struct base *b, const struct posting *p, size_t count) {
    return postings_apply(b, p, count, numbers_add);
}

int base_postings_drop(struct base *b, const struct posting *p, size_t count) {
    return postings_apply(b, p, count, numbers_remove);
}

/* --- Walking ------------------------------------------------------------------------------------- */

/* Takes over the block on which the cursor stands, if it is still of the walk's term. */
static int walk_stand(struct base *b, struct posting_walk *w, int rc, const MDB_val *key, const MDB_val *data,
                      uint64_t before) {
    struct block block;
    w->number = w->left = 0;
    if (rc == MDB_NOTFOUND)
        return 0;
    if (rc != 0)
        return base_fail_lmdb(b, rc, "reading a term");
    rc = block_of(b, key, data, &block);
    if (rc || block.term != w->term)
        return rc;
    size_t low = 0, high = block.count; /* numbers in front of `low` are below `before`, from `high` not */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (block_number(&block, middle) < before)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0)
        return base_fail(b, -EST_INPUT, "a term goes round in circles");
    w->first = block.first;
    w->differences = block.differences;
    w->left = low - 1;
    w->number = block_number(&block, w->left);
    return 0;
}

int base_walk_begin(struct base *b, uint64_t term, uint64_t before, struct posting_walk *ret) {
    struct posting_key bytes = key_of(term, before);
    MDB_val key = val_of(&bytes, sizeof bytes), data;
    MDB_cursor *cursor;
    *ret = (struct posting_walk){.term = term};
    int rc = base_begin(b);
    if (rc)
        return rc;
    rc = mdb_cursor_open(b->txn, b->tables[TABLE_TERMS], &cursor);
    if (rc != 0)
        return base_fail_lmdb(b, rc, "reading a term");
    ret->cursor = cursor;
    rc = mdb_cursor_get(cursor, &key, &data, MDB_SET_RANGE);
    if (rc == 0 || rc == MDB_NOTFOUND)
        rc = mdb_cursor_get(cursor, &key, &data, rc == 0 ? MDB_PREV : MDB_LAST);
    return walk_stand(b, ret, rc, &key, &data, before);
}

int base_walk_next(struct base *b, struct posting_walk *w) {
    MDB_val key, data;
    if (w->left > 0) {
        struct block block = {w->term, w->first, w->differences, w->left + 1};
        w->number = block_number(&block, --w->left);
        return 0;
    }
    uint64_t before = w->number;
    int rc = mdb_cursor_get(w->cursor, &key, &data, MDB_PREV);
    return walk_stand(b, w, rc, &key, &data, before);
}

void base_walk_end(struct posting_walk *w) {
    if (w->cursor)
        mdb_cursor_close(w->cursor);
    w->cursor = NULL;
}
