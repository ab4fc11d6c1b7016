/* warm.c - see warm.h. */
#include "warm.h"
#include "ahead.h"
#include "room.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
    ROWS_LEAST = 200000, /* fewer are read within a second anyway */
    THREADS = 8,         /* as many reads are under way at once */
    PARTS = 512,         /* of the numbers, taken in their order, so that the walker finds its part read */
};

struct warm {
    struct store *store;
    pthread_t threads[THREADS];
    size_t started;
    uint64_t first, last;
    atomic_uint part;
    atomic_bool stop;
};

static uint64_t number_of(const MDB_val *key) {
    uint64_t number = 0;
    if (key->mv_size == sizeof number)
        memcpy(&number, key->mv_data, sizeof number);
    return number;
}

/* One byte of each row is enough to bring its page. */
static void part_touch(struct warm *w, MDB_cursor *cursor, uint64_t from, uint64_t to) {
    MDB_val key = val_of(&from, sizeof from), data;
    struct ahead ahead = {0};
    volatile uint8_t sink = 0;
    int rc = mdb_cursor_get(cursor, &key, &data, MDB_SET_RANGE);
    while (rc == 0 && number_of(&key) < to && !atomic_load_explicit(&w->stop, memory_order_relaxed)) {
        ahead_ask(&ahead, data.mv_data);
        if (data.mv_size > 0)
            sink = *(const uint8_t *)data.mv_data;
        rc = mdb_cursor_get(cursor, &key, &data, MDB_NEXT);
    }
    (void)sink;
}

static void *warm_run(void *arg) {
    struct warm *w = arg;
    MDB_txn *txn;
    MDB_cursor *cursor;
    uint64_t span = (w->last - w->first) / PARTS + 1;
    if (mdb_txn_begin(w->store->env, NULL, MDB_RDONLY, &txn) != 0)
        return NULL;
    if (mdb_cursor_open(txn, w->store->tables[TABLE_OPEN], &cursor) == 0) {
        for (unsigned part; (part = atomic_fetch_add(&w->part, 1)) < PARTS && !w->stop;)
            part_touch(w, cursor, w->first + part * span, w->first + (part + 1) * span);
        mdb_cursor_close(cursor);
    }
    mdb_txn_abort(txn);
    return NULL;
}

/* The numbers of the first and the last row; false where there are too few. */
static bool range_find(struct store *store, struct warm *w) {
    struct view view;
    MDB_cursor *cursor;
    MDB_stat stat;
    MDB_val key, data;
    if (view_begin(store, &view) != 0)
        return false;
    bool found = mdb_stat(view.txn, store->tables[TABLE_OPEN], &stat) == 0 && stat.ms_entries >= ROWS_LEAST &&
                 mdb_cursor_open(view.txn, store->tables[TABLE_OPEN], &cursor) == 0;
    if (found) {
        found = mdb_cursor_get(cursor, &key, &data, MDB_FIRST) == 0;
        w->first = found ? number_of(&key) : 0;
        found = found && mdb_cursor_get(cursor, &key, &data, MDB_LAST) == 0;
        w->last = found ? number_of(&key) : 0;
        mdb_cursor_close(cursor);
    }
    view_end(&view);
    return found && w->last >= w->first;
}

struct warm *warm_begin(struct store *store) {
    struct warm *w = calloc(1, sizeof *w);
    if (w == NULL)
        return NULL;
    w->store = store;
    if (range_find(store, w))
        while (w->started < THREADS && thread_start(&w->threads[w->started], "warm", warm_run, w) == 0)
            w->started++;
    if (w->started > 0)
        return w;
    free(w);
    return NULL;
}

void warm_end(struct warm *w) {
    if (w == NULL)
        return;
    atomic_store(&w->stop, true);
    for (size_t i = 0; i < w->started; i++)
        pthread_join(w->threads[i], NULL);
    free(w);
}
