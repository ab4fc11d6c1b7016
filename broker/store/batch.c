/* batch.c - one batch: begin, append, commit or abort; and the transactions that reads use.
 *
 * A batch reads in a look of LMDB, from what the journal holds and from the fresh rows. Its events
 * go into the journal; the keeper puts them into LMDB later. A batch that defines things, or that
 * the journal has no room for, is direct: one writing transaction of LMDB from then on.
 *
 * A batch that is complete is pending: its block is finished, and the rows that are due are handed over. Then it
 * is written, at once or by the writer's thread while the next batch is made, and only when it is on the disk
 * does the keeper hear of it. At most one is pending.
 *
 * An append that fails spoils the batch: the event may be in the log and not in the tables, so
 * nothing but abort is left, and a commit says so instead of writing.
 */
#include "room.h"

#include <string.h>

/* A smaller write is done at once, where it is asked for, and so is one beside which nothing is to be done: the
 * other thread would have to be woken, and wake. With 1,000 in flight to let it write whatever was larger took an
 * eighth more CPU for the same rate. */
enum { WRITER_BYTES = 64 << 10 };

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

/* --- Beginning --------------------------------------------------------------------------------- */

/* The look is one reader's slot for the store's whole life; renewing it costs no system call. */
static int look_begin(struct store *store) {
    int rc = store->look != NULL ? mdb_txn_renew(store->look) : 0;
    if (rc != 0)
        return store_fail_lmdb(store, rc, "beginning a transaction");
    if (store->look == NULL)
        rc = txn_begin(store, MDB_RDONLY, &store->look);
    store->txn = rc ? NULL : store->look;
    return rc;
}

static void look_end(struct store *store) {
    if (store->look != NULL)
        mdb_txn_reset(store->look);
    store->txn = NULL;
    store->seen.number = 0;
    memset(store->is_looking, 0, sizeof store->is_looking);
}

void look_close(struct store *store) {
    for (size_t i = 0; i < TABLE_COUNT; i++)
        if (store->looks[i] != NULL)
            mdb_cursor_close(store->looks[i]);
    if (store->look != NULL)
        mdb_txn_abort(store->look);
}

int batch_begin(struct store *store) {
    return txn_begin(store, 0, &store->txn);
}

/* LMDB frees the cursors of a writing transaction when it ends. */
int batch_end(struct store *store, int rc) {
    if (rc) {
        mdb_txn_abort(store->txn);
    } else {
        rc = mdb_txn_commit(store->txn);
        rc = rc == 0 ? 0 : store_fail_lmdb(store, rc, "committing");
    }
    store->txn = NULL;
    memset(store->cursors, 0, sizeof store->cursors);
    store->closing = NULL;
    return rc;
}

/* The map moves when nobody looks at it and nobody writes. */
static int map_look(struct store *store) {
    if (!map_is_short(store) || !map_hold(store)) /* held first: to drain and then go away empty costs every batch */
        return 0;
    int rc = keeper_drain(store);
    rc = rc ? rc : map_grow(store);
    map_release(store);
    return rc;
}

static int tool_begin(struct store *store) {
    uint64_t seen = store->committed.seq;
    int rc = txn_begin(store, MDB_RDONLY, &store->txn);
    if (rc)
        return rc;
    /* A tool sees what the broker has put into LMDB by now. */
    rc = head_read(store, store->txn, &store->committed);
    store->head = store->committed;
    if (!rc && store->committed.seq != seen)
        rc = rows_recover(store);
    if (rc)
        store_abort(store);
    return rc;
}

/* The fresh rows anew, out of what is committed. Until that is done no batch begins: without the rows that are
 * missing the tables would count as complete. */
static int fresh_recover(struct store *store) {
    struct view view;
    struct store_head head;
    store->is_stale = true;
    int rc = keeper_drain(store);
    keeper_forget(store);
    if (!rc)
        rc = view_begin(store, &view);
    if (rc)
        return rc;
    rc = head_read(store, view.txn, &head);
    view_end(&view);
    if (!rc)
        rc = rows_recover(store);
    store->is_stale = rc != 0;
    return rc;
}

/* What the batch did to the fresh rows is undone. Where that fails the next batch tries again, and says so; the
 * sentence stays that of what failed first. */
static void fresh_restore(struct store *store) {
    char sentence[STORE_ERROR_SIZE];
    memcpy(sentence, store->error, sizeof sentence);
    fresh_recover(store);
    memcpy(store->error, sentence, sizeof sentence);
}

int store_begin(struct store *store) {
    if (store->txn)
        return store_fail(store, -EST_INPUT, "a batch is open already");
    if (store->read_only)
        return tool_begin(store);
    keeper_take(store);
    int rc = keeper_failure(store); /* also where nothing is written any more */
    if (!rc && store->is_stale)
        rc = fresh_recover(store);
    if (!rc)
        rc = map_look(store);
    return rc ? rc : look_begin(store);
}

/* --- Ending ------------------------------------------------------------------------------------ */

static void batch_leave(struct store *store) {
    if (store->direct || store->read_only)
        batch_end(store, -EST_INPUT);
    else
        look_end(store);
    store->direct = false;
    store->spoiled = 0;
    journal_drop(&store->journal);
}

static int pending_lose(struct store *store) {
    int rc = journal_fail(store, &store->pending.span);
    if (store->txn)
        batch_leave(store);
    store->head = store->committed;
    fresh_restore(store);
    return rc;
}

/* It is written, or could not be: then it never was, nor was what came after it. */
static int pending_end(struct store *store) {
    struct pending *p = &store->pending;
    p->is_there = false;
    if (p->span.error == 0)
        store->committed = p->head;
    p->failed = p->span.error == 0 ? keeper_publish(store, p) : pending_lose(store);
    return p->failed;
}

/* Nothing else may be done before it is over. */
static int pending_await(struct store *store) {
    if (!store->pending.is_there)
        return 0;
    writer_end(store->writer, true);
    return pending_end(store);
}

int store_drain(struct store *store) {
    if (store->read_only || store->direct)
        return 0;
    int rc = pending_await(store);
    if (rc)
        return rc;
    return store->txn != NULL ? direct_begin(store) : keeper_drain(store);
}

void store_abort(struct store *store) {
    pending_await(store);
    if (!store->txn)
        return;
    bool changed = store->head.seq != store->committed.seq || store->spoiled;
    batch_leave(store);
    store->head = store->committed;
    if (changed && !store->read_only)
        fresh_restore(store);
}

static int direct_commit(struct store *store) {
    int rc = rows_settle(store, false);
    if (!rc)
        rc = head_write(store);
    if (rc) {
        store_abort(store);
        return rc;
    }
    store->direct = false;
    int64_t began_us = monotonic_us();
    rc = batch_end(store, 0);
    store->pending.span.took_us = monotonic_us() - began_us;
    if (rc) {
        store->head = store->committed;
        fresh_restore(store);
        return rc;
    }
    store->committed = store->head;
    store->pending.failed = 0;
    keeper_rebase(store);
    return 0;
}

/* The rows that are due are handed over as they are now: the next batch changes them before this one is on
 * the disk. */
static int batch_finish(struct store *store) {
    struct pending *p = &store->pending;
    int rc = keeper_failure(store);
    if (!rc)
        rc = rows_settle(store, false);
    if (rc) {
        store_abort(store);
        return rc;
    }
    journal_finish(&store->journal, &store->committed, &store->head, &p->span);
    look_end(store);
    p->head = store->head;
    p->position = store->journal.head;
    p->settled = store->settled;
    p->is_there = true;
    return 0;
}

int store_commit_end(struct store *store, bool waits) {
    struct pending *p = &store->pending;
    if (!p->is_there)
        return p->failed;
    return writer_end(store->writer, waits) ? pending_end(store) : 1;
}

/* 1: it is pending, and to be written; 0: it is over, nothing was to be. */
static int batch_close(struct store *store) {
    if (!store->txn)
        return store_fail(store, -EST_INPUT, "no batch is open");
    int rc = store->spoiled; /* the sentence is still the append's */
    if (rc) {
        store_abort(store);
        return rc;
    }
    rc = pending_await(store);
    if (rc)
        return rc;
    if (store->head.seq != store->committed.seq) {
        rc = store->direct ? direct_commit(store) : batch_finish(store);
        return rc ? rc : store->pending.is_there;
    }
    batch_leave(store);
    return 0;
}

static int pending_write(struct store *store) {
    journal_write(&store->journal, &store->pending.span);
    return pending_end(store);
}

int store_commit(struct store *store) {
    int rc = batch_close(store);
    return rc > 0 ? pending_write(store) : rc;
}

int store_commit_begin(struct store *store, bool more) {
    int rc = batch_close(store);
    if (rc <= 0)
        return rc;
    if (!more || store->pending.span.size < WRITER_BYTES)
        return pending_write(store);
    writer_begin(store->writer, &store->pending.span);
    return 0;
}

int64_t store_commit_took_us(const struct store *store) {
    return store->pending.span.took_us;
}

/* --- Writing ----------------------------------------------------------------------------------- */

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
static int log_reserve(struct store *store, uint64_t seq, size_t size, void **ret) {
    MDB_cursor *cursor;
    int rc = table_cursor(store, TABLE_LOG, &cursor);
    if (rc)
        return rc;
    MDB_val key = val_of(&seq, sizeof seq), data = val_of(NULL, size);
    rc = mdb_cursor_put(cursor, &key, &data, MDB_APPEND | MDB_RESERVE);
    if (rc != 0)
        return store_fail_lmdb(store, rc, "writing the log");
    *ret = data.mv_data;
    return 0;
}

int direct_begin(struct store *store) {
    struct journal *j = &store->journal;
    int rc = pending_await(store);
    if (!rc)
        rc = keeper_drain(store);
    look_end(store);
    if (!rc)
        rc = batch_begin(store);
    if (rc) {
        look_begin(store); /* the batch is open still, for store_abort */
        return rc;
    }
    store->direct = true;
    store->ended_last = 0; /* the keeper has gone on */
    for (uint64_t seq = j->first; j->used > 0 && seq < j->first + j->count && !rc; seq++) {
        est_slice record = journal_record(j, seq);
        void *bytes = NULL;
        rc = log_reserve(store, seq, record.size, &bytes);
        if (!rc)
            memcpy(bytes, record.data, record.size);
    }
    journal_drop(j);
    return rc;
}

/* A ring that is full gets room from the keeper; a batch that is too large for it goes its own way. */
static int record_reserve(struct store *store, uint64_t seq, size_t size, void **ret) {
    uint8_t *place = store->direct ? NULL : journal_reserve(&store->journal, seq, size);
    int rc = 0;
    if (!store->direct && place == NULL) {
        rc = keeper_await(store);
        if (!rc)
            place = journal_reserve(&store->journal, seq, size);
        if (!rc && place == NULL)
            rc = direct_begin(store);
    }
    if (!rc && place == NULL)
        return log_reserve(store, seq, size, ret);
    *ret = place;
    return rc;
}

int keeper_await(struct store *store) {
    int rc = pending_await(store);
    look_end(store);
    if (!rc)
        rc = keeper_drain(store);
    int error = look_begin(store);
    return rc ? rc : error;
}

/* What is defined goes into its table at once, and is read from there. */
static bool event_is_of_things(const struct event *event) {
    return event->type < EVENT_SUBMITTED && event->type != EVENT_STARTED;
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
    void *bytes = NULL;
    int rc = !store->direct && event_is_of_things(event) ? direct_begin(store) : 0;
    if (!rc)
        rc = record_reserve(store, event->seq, size, &bytes);
    if (rc)
        return rc;
    uint64_t checksum = record_write(event, size, bytes);
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
