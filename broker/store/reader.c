/* reader.c - see reader.h. Bytes are copied inside the transaction and understood after it. */
#include "reader.h"
#include "ahead.h"
#include "room.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef unsigned long long ull; /* for %llu */

struct copy {
    size_t offset, size;
};

/* Bytes out of the store, and where lists of the event read last are put. */
struct copies {
    uint8_t *bytes;
    size_t used, capacity;
    struct record_scratch scratch;
};

struct store_reader {
    struct store *store;
    struct copies many, one;
    struct copy places[READER_EVENTS_MAX];
    size_t count, next;
    uint64_t first; /* seq of places[0] */
    struct ahead ahead;
    char error[STORE_ERROR_SIZE];
};

int store_reader_open(struct store *store, struct store_reader **ret) {
    struct store_reader *r = calloc(1, sizeof *r);
    if (!r)
        return -EST_NO_MEMORY;
    r->store = store;
    snprintf(r->error, sizeof r->error, "nothing has failed");
    *ret = r;
    return 0;
}

static void copies_done(struct copies *c) {
    free(c->bytes);
    record_scratch_done(&c->scratch);
}

void store_reader_close(struct store_reader **ref) {
    if (!*ref)
        return;
    copies_done(&(*ref)->many);
    copies_done(&(*ref)->one);
    free(*ref);
    *ref = NULL;
}

const char *store_reader_error(const struct store_reader *r) {
    return r->error;
}

const uint8_t *store_reader_secret(const struct store_reader *r) {
    return r->store->secret;
}

/* The store's own sentences belong to the other thread. */
static int fail(struct store_reader *r, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static int fail(struct store_reader *r, int code, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(r->error, sizeof r->error, format, args);
    va_end(args);
    return code;
}

static int fail_lmdb(struct store_reader *r, int rc, const char *what) {
    if (rc == MDB_NOTFOUND)
        return fail(r, -EST_NOT_FOUND, "%s: the store has no such record", what);
    bool damaged = rc == MDB_CORRUPTED || rc == MDB_PAGE_NOTFOUND;
    return fail(r, damaged ? -EST_INPUT : -EST_IO, "%s failed: %s", what, mdb_strerror(rc));
}

/* --- Transactions -------------------------------------------------------------------------------- */

/* While it lasts the map cannot move. */
static int look_begin(struct store_reader *r, MDB_txn **ret) {
    pthread_mutex_lock(&r->store->map_lock);
    int rc = mdb_txn_begin(r->store->env, NULL, MDB_RDONLY, ret);
    if (rc == 0)
        return 0;
    pthread_mutex_unlock(&r->store->map_lock);
    return fail_lmdb(r, rc, "looking at the log");
}

static void look_end(struct store_reader *r, MDB_txn *txn) {
    mdb_txn_abort(txn);
    pthread_mutex_unlock(&r->store->map_lock);
}

static int copy_add(struct store_reader *r, struct copies *c, const MDB_val *data, struct copy *ret) {
    if (c->used + data->mv_size > c->capacity) {
        size_t capacity = c->capacity > 0 ? c->capacity : 64 * 1024;
        while (capacity < c->used + data->mv_size)
            capacity *= 2;
        uint8_t *bytes = realloc(c->bytes, capacity);
        if (!bytes)
            return fail(r, -EST_NO_MEMORY, "out of memory for events");
        c->bytes = bytes;
        c->capacity = capacity;
    }
    memcpy(c->bytes + c->used, data->mv_data, data->mv_size);
    *ret = (struct copy){c->used, data->mv_size};
    c->used += data->mv_size;
    return 0;
}

static int decode(struct store_reader *r, struct copies *c, struct copy place, uint64_t seq,
                  struct event *ret) {
    char why[RECORD_WHY_SIZE];
    int rc = record_read((est_slice){c->bytes + place.offset, place.size}, &c->scratch, ret, why);
    if (rc)
        return fail(r, rc, "event %llu cannot be used: %s", (ull)seq, why);
    return ret->seq == seq ? 0
                           : fail(r, -EST_INPUT, "event %llu says it is event %llu", (ull)seq, (ull)ret->seq);
}

/* --- The log ------------------------------------------------------------------------------------- */

static int head_in(struct store_reader *r, MDB_cursor *cursor, uint64_t *ret) {
    MDB_val key, data;
    int rc = mdb_cursor_get(cursor, &key, &data, MDB_LAST);
    *ret = 0;
    if (rc == 0)
        memcpy(ret, key.mv_data, sizeof *ret);
    return rc == 0 || rc == MDB_NOTFOUND ? 0 : fail_lmdb(r, rc, "reading the log's end");
}

static int fetch_in(struct store_reader *r, MDB_cursor *cursor, uint64_t from, size_t max, uint64_t head) {
    MDB_val key = val_of(&from, sizeof from), data;
    int rc = mdb_cursor_get(cursor, &key, &data, MDB_SET_RANGE);
    while (rc == 0 && r->count < max && r->many.used < READER_BYTES_MAX) {
        uint64_t seq;
        memcpy(&seq, key.mv_data, sizeof seq);
        if (seq != from + r->count)
            return fail(r, -EST_INPUT, "event %llu is missing from the log", (ull)(from + r->count));
        ahead_ask(&r->ahead, data.mv_data);
        int error = copy_add(r, &r->many, &data, &r->places[r->count]);
        if (error)
            return error;
        r->count++;
        rc = mdb_cursor_get(cursor, &key, &data, MDB_NEXT);
    }
    if (rc != 0 && rc != MDB_NOTFOUND)
        return fail_lmdb(r, rc, "reading the log");
    return rc == MDB_NOTFOUND && from + r->count <= head
               ? fail(r, -EST_INPUT, "event %llu is missing from the log", (ull)(from + r->count))
               : 0;
}

int store_reader_fetch(struct store_reader *r, uint64_t from, size_t max, uint64_t *ret_head) {
    MDB_txn *txn;
    MDB_cursor *cursor;
    uint64_t head = 0;
    r->count = r->next = r->many.used = 0;
    r->first = from > 0 ? from : 1;
    int error = look_begin(r, &txn);
    if (error)
        return error;
    int rc = mdb_cursor_open(txn, r->store->tables[TABLE_LOG], &cursor);
    error = rc == 0 ? head_in(r, cursor, &head) : fail_lmdb(r, rc, "reading the log");
    if (!error && r->first <= head && max > 0)
        error = fetch_in(r, cursor, r->first, max < READER_EVENTS_MAX ? max : READER_EVENTS_MAX, head);
    if (rc == 0)
        mdb_cursor_close(cursor);
    look_end(r, txn);
    if (error)
        r->count = 0;
    else
        *ret_head = head;
    return error;
}

int store_reader_head(struct store_reader *r, uint64_t *ret_seq) {
    return store_reader_fetch(r, 1, 0, ret_seq);
}

int store_reader_next(struct store_reader *r, struct event *ret) {
    if (r->next == r->count)
        return 0;
    size_t at = r->next++;
    int error = decode(r, &r->many, r->places[at], r->first + at, ret);
    return error ? error : 1;
}

int store_reader_event(struct store_reader *r, uint64_t seq, struct event *ret) {
    MDB_txn *txn;
    MDB_val key = val_of(&seq, sizeof seq), data;
    struct copy place = {0};
    r->one.used = 0;
    int error = look_begin(r, &txn);
    if (error)
        return error;
    int rc = mdb_get(txn, r->store->tables[TABLE_LOG], &key, &data);
    error = rc == 0 ? copy_add(r, &r->one, &data, &place) : fail_lmdb(r, rc, "reading an event");
    look_end(r, txn);
    return error ? error : decode(r, &r->one, place, seq, ret);
}

/* --- Things -------------------------------------------------------------------------------------- */

struct thing_call {
    int (*each)(void *, const struct event *);
    void *arg;
};

static int thing_see(struct store_reader *r, const MDB_val *data, const struct thing_call *call) {
    char why[RECORD_WHY_SIZE];
    struct event event;
    int rc = record_read((est_slice){data->mv_data, data->mv_size}, &r->one.scratch, &event, why);
    return rc ? fail(r, rc, "a definition cannot be used: %s", why) : call->each(call->arg, &event);
}

int store_reader_each_thing(struct store_reader *r, int (*each)(void *, const struct event *), void *arg) {
    struct thing_call call = {each, arg};
    MDB_txn *txn;
    MDB_cursor *cursor;
    MDB_val key, data;
    int error = look_begin(r, &txn);
    if (error)
        return error;
    int rc = mdb_cursor_open(txn, r->store->tables[TABLE_THINGS], &cursor);
    if (rc != 0) {
        look_end(r, txn);
        return fail_lmdb(r, rc, "reading definitions");
    }
    rc = mdb_cursor_get(cursor, &key, &data, MDB_FIRST);
    while (rc == 0 && (error = thing_see(r, &data, &call)) == 0)
        rc = mdb_cursor_get(cursor, &key, &data, MDB_NEXT);
    mdb_cursor_close(cursor);
    look_end(r, txn);
    if (!error && rc != 0 && rc != MDB_NOTFOUND)
        error = fail_lmdb(r, rc, "reading definitions");
    return error;
}
