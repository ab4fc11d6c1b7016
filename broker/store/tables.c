/* tables.c - which table an event changes, and every read.
 *
 * How an event changes the tables is looked up by its type. The log is checked while it is
 * applied: an event about an inquiry that is not open, that has ended, or that does not follow
 * the inquiry's newest event is refused, because a log that contains it could not be folded.
 */
#include "ahead.h"
#include "room.h"
#include "warm.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

typedef unsigned long long ull; /* for %llu */

/* --- Applying ---------------------------------------------------------------------------------- */

int row_decode(struct store *store, uint64_t number, const MDB_val *data, struct inquiry_row *ret) {
    char why[RECORD_WHY_SIZE];
    struct inquiry_row row;
    int rc = row_read((est_slice){data->mv_data, data->mv_size}, &row, why);
    if (rc)
        return store_damaged(store, "the row of inquiry %llu cannot be used: %s", (ull)number, why);
    if (row.number != number)
        return store_damaged(store, "the row of inquiry %llu says it is of %llu", (ull)number,
                             (ull)row.number);
    *ret = row;
    return 0;
}

static int thing_put(struct store *store, const struct event *event, struct thing_key thing) {
    size_t size = record_size(event);
    MDB_val key = val_of(&thing, sizeof thing), data = val_of(NULL, size);
    int rc = mdb_put(store->txn, store->tables[TABLE_THINGS], &key, &data, MDB_RESERVE);
    if (rc != 0)
        return store_fail_lmdb(store, rc, "writing a definition");
    record_write(event, size, data.mv_data);
    return 0;
}

/* A thing that is set again after its end is in force again. */
static int thing_set(struct store *store, const struct event *event, uint32_t kind, uint32_t number,
                     uint32_t version) {
    struct thing_key retired = thing_key_of(kind, number, VERSION_RETIRED);
    MDB_val key = val_of(&retired, sizeof retired);
    int rc = mdb_del(store->txn, store->tables[TABLE_THINGS], &key, NULL);
    if (rc != 0 && rc != MDB_NOTFOUND)
        return store_fail_lmdb(store, rc, "writing a definition");
    return thing_put(store, event, thing_key_of(kind, number, version));
}

static int apply_department_set(struct store *store, const struct event *event) {
    return thing_set(store, event, THING_DEPARTMENT, event->department_set.department, 0);
}

static int apply_type_set(struct store *store, const struct event *event) {
    if (event->type_set.version == VERSION_RETIRED)
        return store_fail(store, -EST_INPUT, "event %llu sets a type version that no type can have",
                          (ull)event->seq);
    return thing_set(store, event, THING_TYPE, event->type_set.type, event->type_set.version);
}

static int apply_account_set(struct store *store, const struct event *event) {
    return thing_set(store, event, THING_ACCOUNT, event->account_set.account, 0);
}

static int apply_purpose_set(struct store *store, const struct event *event) {
    return thing_set(store, event, THING_PURPOSE, event->purpose_set.purpose, 0);
}

/* Once let go on again it stays, as the newest word on the department. */
static int apply_paused(struct store *store, const struct event *event) {
    return thing_put(store, event, thing_key_of(THING_PAUSE, event->paused.department, 0));
}

static int apply_retired(struct store *store, const struct event *event) {
    return thing_put(store, event,
                     thing_key_of(event->retired.thing, event->retired.number, VERSION_RETIRED));
}

static int apply_nothing(struct store *store, const struct event *event) {
    (void)store;
    (void)event;
    return 0;
}

typedef int (*table_change)(struct store *, const struct event *);

static const table_change changes[] = {
    [EVENT_STARTED] = apply_nothing, /* the generation is in the head */
    [EVENT_DEPARTMENT_SET] = apply_department_set,
    [EVENT_TYPE_SET] = apply_type_set,
    [EVENT_ACCOUNT_SET] = apply_account_set,
    [EVENT_RETIRED] = apply_retired,
    [EVENT_PURPOSE_SET] = apply_purpose_set,
    [EVENT_PAUSED] = apply_paused,
    [EVENT_SUBMITTED] = rows_submitted,
    [EVENT_ATTEMPT_FAILED] = rows_changed,
    [EVENT_PARKED] = rows_changed,
    [EVENT_REQUEUED] = rows_changed,
    [EVENT_REDIRECTED] = rows_changed,
    [EVENT_ANSWERED] = rows_changed,
    [EVENT_EXPIRED] = rows_changed,
    [EVENT_CANCELLED] = rows_changed,
    [EVENT_ACKNOWLEDGED] = rows_acknowledged,
    [EVENT_DRAIN] = apply_nothing,
};

int tables_apply(struct store *store, const struct event *event) {
    size_t at = (size_t)event->type;
    if (at >= sizeof changes / sizeof changes[0] || !changes[at])
        return store_fail(store, -EST_INPUT, "event %llu is of a type that the tables do not know",
                          (ull)event->seq);
    return changes[at](store, event);
}

/* --- Reading ----------------------------------------------------------------------------------- */

enum { LINE = 64, LEAF = 4096 };

/* Of a deep queue everything is read once, in the order of its numbers and from memory that no cache has. Whoever comes
 * to a leaf will read the rest of it soon, so all of it is asked for at once, instead of line after line by searches
 * and checksums that each wait for theirs. A million deep, twelve rows in turn: 0.60 s of CPU for 100,000 instead of
 * 0.62, where only the next record's lines were asked for, and drained at 338 thousand a second instead of 314. Where
 * pages are larger it is the 4 KiB around the record. */
static void leaf_fetch(struct store *store, enum table table, const MDB_val *data) {
    uintptr_t leaf = (uintptr_t)data->mv_data & ~(uintptr_t)(LEAF - 1);
    if ((table != TABLE_LOG && table != TABLE_OPEN) || store->leaves[table] == leaf)
        return;
    store->leaves[table] = leaf;
    for (size_t at = 0; at < LEAF; at += LINE)
        __builtin_prefetch((const void *)(leaf + at));
}

/* Work is read mostly in the order of its numbers, and a cursor that stands in the right leaf need not come
 * down from the root again. */
static int look_get(struct store *store, enum table table, MDB_val *key, MDB_val *ret) {
    MDB_cursor **cursor = &store->looks[table];
    int rc = 0;
    if (*cursor == NULL)
        rc = mdb_cursor_open(store->look, store->tables[table], cursor);
    else if (!store->is_looking[table])
        rc = mdb_cursor_renew(store->look, *cursor);
    store->is_looking[table] = rc == 0;
    if (rc == 0)
        rc = mdb_cursor_get(*cursor, key, ret, MDB_SET);
    if (rc == 0)
        leaf_fetch(store, table, ret);
    return rc;
}

int table_get(struct store *store, enum table table, MDB_val key, MDB_val *ret) {
    if (!store->txn)
        return store_fail(store, -EST_INPUT, "reads belong in a batch, and none is open");
    int rc = store->txn == store->look ? look_get(store, table, &key, ret)
                                       : mdb_get(store->txn, store->tables[table], &key, ret);
    /* Not formatted: every new inquiry passes here once, when its id is looked up. */
    if (rc == MDB_NOTFOUND) {
        static const char sentence[] = "the store has no such record";
        memcpy(store->error, sentence, sizeof sentence);
        return -EST_NOT_FOUND;
    }
    return rc == 0 ? 0 : store_fail_lmdb(store, rc, "reading");
}

/* The greatest id of an account that `ids` has, or a greater one. Ids are ordered by time, by
 * convention, so that nearly every new one is beyond it and need not be looked for in a tree that
 * may be as large as the whole history. */
struct newest {
    bool is_known;
    est_id id;
};

enum { NEWEST_ACCOUNTS_MAX = 1 << 16 };

static struct newest *newest_of(struct store *store, uint32_t account) {
    if (account >= NEWEST_ACCOUNTS_MAX)
        return NULL;
    if (account >= store->newest_count) {
        uint32_t count = account + 64;
        struct newest *grown = realloc(store->newest, count * sizeof *grown);
        if (grown == NULL)
            return NULL;
        memset(grown + store->newest_count, 0, (count - store->newest_count) * sizeof *grown);
        store->newest = grown;
        store->newest_count = count;
    }
    return &store->newest[account];
}

void newest_forget(struct store *store) {
    free(store->newest);
    store->newest = NULL;
    store->newest_count = 0;
}

void newest_see(struct store *store, const struct inquiry_row *row) {
    struct newest *newest = row->account < store->newest_count ? &store->newest[row->account] : NULL;
    if (newest != NULL && newest->is_known && memcmp(&row->id, &newest->id, sizeof row->id) > 0)
        newest->id = row->id;
}

/* Looked up once for each account: the last key before the next account's first. */
static void newest_load(struct store *store, uint32_t account, struct newest *newest) {
    static const est_id none;
    struct id_key next = id_key_of(account + 1, &none), found;
    MDB_cursor *cursor;
    MDB_val key = val_of(&next, sizeof next), data;
    if (account == UINT32_MAX || mdb_cursor_open(store->txn, store->tables[TABLE_IDS], &cursor) != 0)
        return;
    int rc = mdb_cursor_get(cursor, &key, &data, MDB_SET_RANGE);
    rc = mdb_cursor_get(cursor, &key, &data, rc == 0 ? MDB_PREV : MDB_LAST);
    newest->is_known = rc == 0 || rc == MDB_NOTFOUND;
    newest->id = none;
    if (rc == 0 && key.mv_size == sizeof found) {
        memcpy(&found, key.mv_data, sizeof found);
        if (be32toh(found.account) == account)
            newest->id = found.id;
    }
    mdb_cursor_close(cursor);
}

static bool id_is_newer(struct store *store, uint32_t account, const est_id *id) {
    struct newest *newest = store->txn != NULL && !store->direct ? newest_of(store, account) : NULL;
    if (newest != NULL && !newest->is_known)
        newest_load(store, account, newest);
    return newest != NULL && newest->is_known && memcmp(id, &newest->id, sizeof *id) > 0;
}

int store_find(struct store *store, uint32_t account, const est_id *id, uint64_t *ret_number) {
    uint32_t place = fresh_find_id(&store->fresh, account, id);
    if (place != FRESH_NONE) {
        *ret_number = fresh_at(&store->fresh, place)->row.number;
        return 0;
    }
    if (id_is_newer(store, account, id))
        return -EST_NOT_FOUND;
    struct id_key key = id_key_of(account, id);
    MDB_val data;
    uint64_t number;
    int rc = table_get(store, TABLE_IDS, val_of(&key, sizeof key), &data);
    if (rc)
        return rc;
    if (data.mv_size != sizeof number)
        return store_damaged(store, "an id of account %u has no number behind it", account);
    memcpy(&number, data.mv_data, sizeof number);
    *ret_number = le64toh(number);
    return 0;
}

/* An answer's row is read twice in a row, to check the answer and to change it. */
int row_open_get(struct store *store, uint64_t number, struct inquiry_row *ret) {
    MDB_val data;
    if (number != 0 && store->seen.number == number) {
        *ret = store->seen;
        return 0;
    }
    int rc = table_get(store, TABLE_OPEN, val_of(&number, sizeof number), &data);
    if (!rc)
        rc = row_decode(store, number, &data, ret);
    if (!rc && store->txn == store->look)
        store->seen = *ret;
    return rc;
}

int store_row(struct store *store, uint64_t number, struct inquiry_row *ret) {
    uint32_t place = fresh_find(&store->fresh, number);
    if (place != FRESH_NONE) {
        *ret = fresh_at(&store->fresh, place)->row;
        return 0;
    }
    MDB_val data;
    int rc = row_open_get(store, number, ret);
    if (rc != -EST_NOT_FOUND)
        return rc;
    rc = table_get(store, TABLE_ENDED, val_of(&number, sizeof number), &data);
    return rc ? rc : row_decode(store, number, &data, ret);
}

static int event_decode(struct store *store, uint64_t seq, const MDB_val *data, struct event *ret) {
    char why[RECORD_WHY_SIZE];
    struct event event;
    int rc = record_read((est_slice){data->mv_data, data->mv_size}, &store->scratch, &event, why);
    if (rc == -EST_NO_MEMORY)
        return store_fail(store, rc, "out of memory while reading event %llu", (ull)seq);
    if (rc)
        return store_damaged(store, "event %llu cannot be used: %s", (ull)seq, why);
    if (event.seq != seq)
        return store_damaged(store, "event %llu says it is event %llu", (ull)seq, (ull)event.seq);
    *ret = event;
    return 0;
}

int store_event(struct store *store, uint64_t seq, struct event *ret) {
    MDB_val data;
    if (store->keeper != NULL && !store->direct && seq >= store->journal.oldest && seq <= store->head.seq) {
        char why[RECORD_WHY_SIZE];
        int rc = record_parse(journal_record(&store->journal, seq), &store->scratch, ret, why);
        return rc ? store_fail(store, rc, "event %llu cannot be used: %s", (ull)seq, why) : 0;
    }
    int rc = table_get(store, TABLE_LOG, val_of(&seq, sizeof seq), &data);
    return rc ? rc : event_decode(store, seq, &data, ret);
}

/* A definition is a copy of its event: the log may be trimmed one day, the definition stays. */
static int thing_decode(struct store *store, const MDB_val *key, const MDB_val *data, struct event *ret) {
    char why[RECORD_WHY_SIZE];
    struct thing_key thing = {0};
    if (key->mv_size == sizeof thing)
        memcpy(&thing, key->mv_data, sizeof thing);
    int rc = record_read((est_slice){data->mv_data, data->mv_size}, &store->scratch, ret, why);
    if (rc == -EST_NO_MEMORY)
        return store_fail(store, rc, "out of memory while reading a definition");
    if (rc)
        return store_damaged(store, "the definition of thing %u/%u version %u cannot be used: %s",
                             be32toh(thing.kind), be32toh(thing.number), be32toh(thing.version), why);
    return 0;
}

int store_type(struct store *store, uint32_t type, uint32_t version, struct event *ret) {
    struct thing_key thing = thing_key_of(THING_TYPE, type, version);
    MDB_val key = val_of(&thing, sizeof thing), data;
    int rc = table_get(store, TABLE_THINGS, key, &data);
    return rc ? rc : thing_decode(store, &key, &data, ret);
}

/* --- Walks ------------------------------------------------------------------------------------- */

typedef int (*visit)(struct store *, const MDB_val *key, const MDB_val *data, void *arg);

/* Every pair of a table from `first` on (NULL: from its beginning) until `visit` says otherwise. */
static int walk(struct store *store, MDB_txn *txn, enum table table, const MDB_val *first, visit each,
                void *arg) {
    MDB_cursor *cursor;
    MDB_val key = first ? *first : val_of(NULL, 0), data;
    int rc = mdb_cursor_open(txn, store->tables[table], &cursor);
    if (rc != 0)
        return store_fail_lmdb(store, rc, "reading a table");
    int stop = 0;
    struct ahead ahead = {0};
    rc = mdb_cursor_get(cursor, &key, &data, first ? MDB_SET_RANGE : MDB_FIRST);
    while (rc == 0 && stop == 0) {
        ahead_ask(&ahead, data.mv_data);
        stop = each(store, &key, &data, arg);
        if (stop == 0)
            rc = mdb_cursor_get(cursor, &key, &data, MDB_NEXT);
    }
    mdb_cursor_close(cursor);
    if (rc != 0 && rc != MDB_NOTFOUND)
        return store_fail_lmdb(store, rc, "reading a table");
    return stop;
}

/* The rows of `open` and the fresh ones, in one order: of a row that is both, the fresh one counts. */
struct row_walk {
    int (*each)(void *, const struct inquiry_row *);
    void *arg;
    const struct inquiry_row **fresh; /* by number */
    size_t count, at;
};

static int fresh_before(struct row_walk *it, uint64_t number) {
    int stop = 0;
    for (; stop == 0 && it->at < it->count && it->fresh[it->at]->number < number; it->at++)
        if (it->fresh[it->at]->acked.us == 0)
            stop = it->each(it->arg, it->fresh[it->at]);
    return stop;
}

static int visit_row(struct store *store, const MDB_val *key, const MDB_val *data, void *arg) {
    struct row_walk *it = arg;
    struct inquiry_row row;
    uint64_t number;
    memcpy(&number, key->mv_data, sizeof number);
    int rc = fresh_before(it, number);
    if (rc || (it->at < it->count && it->fresh[it->at]->number == number))
        return rc;
    rc = row_decode(store, number, data, &row);
    return rc ? rc : it->each(it->arg, &row);
}

static int by_number(const void *a, const void *b) {
    const struct inquiry_row *const *x = a, *const *y = b;
    return (*x)->number < (*y)->number ? -1 : (*x)->number > (*y)->number;
}

int store_each_open(struct store *store, int (*each)(void *, const struct inquiry_row *), void *arg) {
    struct row_walk it = {.each = each, .arg = arg};
    struct view view;
    it.fresh = calloc(store->fresh.count + 1, sizeof *it.fresh);
    if (!it.fresh)
        return store_fail(store, -EST_NO_MEMORY, "out of memory for the open inquiries");
    for (uint32_t i = 0; i < store->fresh.queued; i++)
        it.fresh[it.count++] = &fresh_at(&store->fresh, fresh_waits(&store->fresh, i)->place)->row;
    qsort(it.fresh, it.count, sizeof *it.fresh, by_number);
    struct warm *warm = warm_begin(store);
    int rc = view_begin(store, &view);
    if (!rc) {
        rc = walk(store, view.txn, TABLE_OPEN, NULL, visit_row, &it);
        view_end(&view);
    }
    warm_end(warm);
    if (!rc)
        rc = fresh_before(&it, UINT64_MAX);
    free(it.fresh);
    return rc;
}

struct event_walk {
    int (*each)(void *, const struct event *);
    void *arg;
    uint64_t next;  /* the seq that must come now */
    unsigned quota; /* events until the transaction is renewed */
};

static int visit_thing(struct store *store, const MDB_val *key, const MDB_val *data, void *arg) {
    struct event_walk *it = arg;
    struct event event;
    int rc = thing_decode(store, key, data, &event);
    return rc ? rc : it->each(it->arg, &event);
}

int store_each_thing(struct store *store, int (*each)(void *, const struct event *), void *arg) {
    struct event_walk it = {.each = each, .arg = arg};
    struct view view;
    int rc = view_begin(store, &view);
    if (rc)
        return rc;
    rc = walk(store, view.txn, TABLE_THINGS, NULL, visit_thing, &it);
    view_end(&view);
    return rc;
}

/* Not a code a callback would return. */
enum { WALK_PAUSE = 0x7fffffff, WALK_QUOTA = 4096 };

static int visit_event(struct store *store, const MDB_val *key, const MDB_val *data, void *arg) {
    struct event_walk *it = arg;
    struct event event;
    uint64_t seq;
    if (it->quota-- == 0)
        return WALK_PAUSE;
    memcpy(&seq, key->mv_data, sizeof seq);
    if (seq != it->next)
        return store_damaged(store, "event %llu is missing from the log", (ull)it->next);
    int rc = event_decode(store, seq, data, &event);
    if (rc)
        return rc;
    it->next++;
    return it->each(it->arg, &event);
}

/* One stretch of the log in one transaction. 0 at the end of the log. */
static int walk_stretch(struct store *store, struct event_walk *it) {
    struct view view;
    int rc = view_begin(store, &view);
    if (rc)
        return rc;
    MDB_val first = val_of(&it->next, sizeof it->next);
    it->quota = WALK_QUOTA;
    rc = walk(store, view.txn, TABLE_LOG, &first, visit_event, it);
    view_end(&view);
    return rc;
}

int log_each(struct store *store, uint64_t from, int (*each)(void *, const struct event *), void *arg) {
    struct event_walk it = {.each = each, .arg = arg, .next = from > 0 ? from : 1};
    int rc;
    /* A long walk renews its transaction, or it would keep every page the broker frees meanwhile. */
    do {
        rc = walk_stretch(store, &it);
    } while (rc == WALK_PAUSE);
    return rc;
}

int store_each_event(struct store *store, uint64_t from, int (*each)(void *, const struct event *),
                     void *arg) {
    int rc = store_drain(store);
    return rc ? rc : log_each(store, from, each, arg);
}
