/* batch.c - one batch: begin, append, commit or abort; and the transactions that reads use.
 *
 * A batch is one LMDB transaction. An append that fails spoils it: the event may be in the log
 * and not in the tables, so nothing but abort is left, and a commit says so instead of writing.
 */
#include "room.h"

#include <string.h>

/* A tool meets MAP_RESIZED when the broker's map has grown since: take over its size. */
static int txn_begin(struct store *store, unsigned flags, MDB_txn **ret) {
    int rc = mdb_txn_begin(store->env, NULL, flags, ret);
    if (rc == MDB_MAP_RESIZED) {
        rc = mdb_env_set_mapsize(store->env, 0);
        if (rc == 0)
            rc = mdb_txn_begin(store->env, NULL, flags, ret);
        MDB_envinfo info;
        if (mdb_env_info(store->env, &info) == 0)
            store->map = info.me_mapsize;
    }
    return rc == 0 ? 0 : store_fail_lmdb(store, rc, "beginning a transaction");
}

int view_begin(struct store *store, struct view *ret) {
    *ret = (struct view){.txn = store->txn};
    if (store->txn)
        return 0;
    ret->own = true;
    return txn_begin(store, MDB_RDONLY, &ret->txn);
}

void view_end(struct view *view) {
    if (view->own)
        mdb_txn_abort(view->txn);
    *view = (struct view){0};
}

int store_begin(struct store *store) {
    if (store->txn)
        return store_fail(store, -EST_INPUT, "a batch is open already");
    int rc = store->read_only ? 0 : map_grow(store);
    if (!rc)
        rc = txn_begin(store, store->read_only ? MDB_RDONLY : 0, &store->txn);
    if (rc || !store->read_only)
        return rc;
    /* A tool sees what the broker has committed by now. */
    uint64_t seen = store->committed.seq;
    rc = head_read(store, store->txn, &store->committed);
    store->head = store->committed;
    if (!rc && store->committed.seq != seen)
        rc = rows_recover(store);
    if (rc)
        store_abort(store);
    return rc;
}

/* LMDB frees the cursors of a write transaction when it ends. */
static void batch_forget(struct store *store) {
    store->txn = NULL;
    store->spoiled = 0;
    memset(store->cursors, 0, sizeof store->cursors);
}

/* What the batch did to the fresh rows is undone by folding them anew from what is committed. A
 * store that cannot be read any more says so at the next call; the sentence stays that of what
 * failed first. */
static void fresh_restore(struct store *store) {
    char sentence[STORE_ERROR_SIZE];
    struct view view;
    struct store_head head;
    memcpy(sentence, store->error, sizeof sentence);
    if (view_begin(store, &view) == 0) {
        int rc = head_read(store, view.txn, &head);
        view_end(&view);
        if (!rc)
            rows_recover(store);
    }
    memcpy(store->error, sentence, sizeof sentence);
}

void store_abort(struct store *store) {
    if (!store->txn)
        return;
    bool changed = store->head.seq != store->committed.seq || store->spoiled;
    mdb_txn_abort(store->txn);
    batch_forget(store);
    store->head = store->committed;
    if (changed && !store->read_only)
        fresh_restore(store);
}

int store_commit(struct store *store) {
    if (!store->txn)
        return store_fail(store, -EST_INPUT, "no batch is open");
    int rc = store->spoiled; /* the sentence is still the append's */
    if (!rc && store->head.seq != store->committed.seq)
        rc = rows_settle(store, false);
    if (!rc && store->head.seq != store->committed.seq)
        rc = head_write(store);
    if (rc) {
        store_abort(store);
        return rc;
    }
    rc = mdb_txn_commit(store->txn);
    batch_forget(store);
    if (rc != 0) {
        store->head = store->committed;
        rc = store_fail_lmdb(store, rc, "committing");
        fresh_restore(store);
        return rc;
    }
    store->committed = store->head;
    return 0;
}

int table_cursor(struct store *store, enum table table, MDB_cursor **ret) {
    if (!store->cursors[table]) {
        int rc = mdb_cursor_open(store->txn, store->tables[table], &store->cursors[table]);
        if (rc != 0)
            return store_fail_lmdb(store, rc, "opening a cursor");
    }
    *ret = store->cursors[table];
    return 0;
}

/* Written where it stays: LMDB reserves the place in its page and the record is made there. */
static int log_append(struct store *store, const struct event *event, size_t size, uint64_t *ret_checksum) {
    MDB_cursor *cursor;
    int rc = table_cursor(store, TABLE_LOG, &cursor);
    if (rc)
        return rc;
    MDB_val key = val_of(&event->seq, sizeof event->seq), data = val_of(NULL, size);
    rc = mdb_cursor_put(cursor, &key, &data, MDB_APPEND | MDB_RESERVE);
    if (rc != 0)
        return store_fail_lmdb(store, rc, "writing the log");
    *ret_checksum = record_write(event, size, data.mv_data);
    return 0;
}

static int append_checked(struct store *store, const struct event *event) {
    unsigned long long seq = event->seq;
    if (event->seq != store->head.seq + 1)
        return store_fail(store, -EST_INPUT, "event %llu does not follow event %llu", seq,
                          (unsigned long long)store->head.seq);
    if (event->at.us < store->head.at.us)
        return store_fail(store, -EST_INPUT, "the time of event %llu is before that of the event before it",
                          seq);
    size_t size = record_size(event);
    if (size == 0)
        return store_fail(store, -EST_INPUT, "event %llu (%s) is of no known type or too large to record",
                          seq, event_type_name(event->type));
    uint64_t checksum = 0;
    int rc = log_append(store, event, size, &checksum);
    if (!rc)
        rc = tables_apply(store, event);
    if (rc)
        return rc;
    store->head.seq = event->seq;
    store->head.at = event->at;
    store->head.digest = digest_step(store->head.digest, checksum);
    if (event->type == EVENT_STARTED)
        store->head.generation = event->started.generation;
    return 0;
}

int store_append(struct store *store, const struct event *event) {
    if (!store->txn || store->read_only)
        return store_fail(store, -EST_INPUT, "no batch is open for writing");
    if (store->spoiled)
        return store->spoiled;
    store->spoiled = append_checked(store, event);
    return store->spoiled;
}
