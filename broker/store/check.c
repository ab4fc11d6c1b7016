/* check.c - the walk of check.h: the log folded event by event, then the tables beside the fold.
 *
 * A table's rows are counted and each is looked up, so one that is missing, one too many and one
 * that differs are all found. What is final is compared when the log speaks of it: an id never
 * changes, and neither does the row of an acknowledged inquiry. What still changes (open rows,
 * things, the head) is compared at the end of the log.
 *
 * Rows that have not settled yet (fresh.h) are the broker's memory, not the file's. In their place
 * stands what opening the store would give: the row of the table with the rest of the log folded
 * onto it. That must equal the fold of the whole log, and a row in a table must be one of the
 * states that its inquiry went through.
 */
#include "check.h"
#include "fold.h"
#include "room.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef unsigned long long ull; /* for %llu */

/* Events in one transaction until the log that was there at the beginning is done. */
enum { STRETCH = 65536, THINGS_FIRST = 256, DAMAGED = 1 };

/* A record that `things` should hold, or held once. */
struct thing_seen {
    uint32_t kind, number, version;
    uint64_t seq;
};

struct walk {
    struct store *store;
    struct store_check *ret;
    MDB_txn *txn; /* of this stretch */
    struct fold fold;
    struct thing_seen *things;
    size_t things_count, things_max;
    struct record_scratch scratch;
    uint64_t next;    /* the seq that must come now */
    uint64_t settled; /* as of this stretch: what is younger may be missing in the tables */
};

/* --- What is wrong ----------------------------------------------------------------------------- */

static void key_set(struct walk *walk, const char *table, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void key_set(struct walk *walk, const char *table, const char *format, ...) {
    va_list args;
    va_start(args, format);
    walk->ret->table = table;
    vsnprintf(walk->ret->key, sizeof walk->ret->key, format, args);
    va_end(args);
}

/* The record named last by key_set is bad. */
static int bad(struct walk *walk, const char *format, ...) __attribute__((format(printf, 2, 3)));
static int bad(struct walk *walk, const char *format, ...) {
    va_list args;
    va_start(args, format);
    walk->ret->damaged = true;
    vsnprintf(walk->ret->why, sizeof walk->ret->why, format, args);
    va_end(args);
    return DAMAGED;
}

static int no_memory(struct walk *walk) {
    return store_fail(walk->store, -EST_NO_MEMORY, "out of memory while checking; close other programs");
}

/* What LMDB answers when a page leads nowhere is damage; anything else is this machine's. */
static int lmdb_bad(struct walk *walk, int rc) {
    static const int damages[] = {MDB_CORRUPTED, MDB_PAGE_NOTFOUND, MDB_CURSOR_FULL, MDB_PANIC,
                                  MDB_INVALID,   MDB_INCOMPATIBLE,  MDB_BAD_VALSIZE, MDB_NOTFOUND};
    for (size_t i = 0; i < sizeof damages / sizeof damages[0]; i++)
        if (damages[i] == rc)
            return bad(walk, "it cannot be reached: %s", mdb_strerror(rc));
    return store_fail_lmdb(walk->store, rc, "checking");
}

/* One record; `missing` says what its absence means. */
static int record_get(struct walk *walk, enum table table, const void *bytes, size_t size, MDB_val *ret,
                      const char *missing) {
    MDB_val key = val_of(bytes, size);
    int rc = mdb_get(walk->txn, walk->store->tables[table], &key, ret);
    if (rc == MDB_NOTFOUND)
        return bad(walk, "%s", missing);
    return rc == 0 ? 0 : lmdb_bad(walk, rc);
}

/* --- Rows -------------------------------------------------------------------------------------- */

#define FIELD(member)                                                                                        \
    { #member, offsetof(struct inquiry_row, member), sizeof(((struct inquiry_row *)0)->member) }

static const struct {
    const char *name;
    size_t offset, size;
} row_members[] = {
    FIELD(number),   FIELD(id),      FIELD(account),  FIELD(type),     FIELD(version),
    FIELD(district), FIELD(purpose), FIELD(state),    FIELD(attempts), FIELD(outcome),
    FIELD(code),     FIELD(actor),   FIELD(received), FIELD(due),      FIELD(not_before),
    FIELD(ended),    FIELD(acked),   FIELD(epoch),    FIELD(last_seq),
};

/* The stored row must be what the log says, member by member. */
static int row_compare(struct walk *walk, const MDB_val *data, const struct inquiry_row *folded) {
    struct inquiry_row stored;
    char why[RECORD_WHY_SIZE];
    if (row_read((est_slice){data->mv_data, data->mv_size}, &stored, why) != 0)
        return bad(walk, "%s", why);
    for (size_t i = 0; i < sizeof row_members / sizeof row_members[0]; i++)
        if (memcmp((const char *)&stored + row_members[i].offset,
                   (const char *)folded + row_members[i].offset, row_members[i].size) != 0)
            return bad(walk, "its `%s` is not what the log says", row_members[i].name);
    return 0;
}

/* --- Events ------------------------------------------------------------------------------------ */

static void id_key_set(struct walk *walk, uint32_t account, const est_id *id) {
    char text[EST_ID_TEXT_SIZE];
    est_id_format(id, text);
    key_set(walk, "ids", "account %u, id %s", account, text);
}

static int see_submitted(struct walk *walk, const struct event *event) {
    if (event->number != event->seq || event->previous != 0)
        return bad(walk, "it submits an inquiry but numbers it %llu, after event %llu", (ull)event->number,
                   (ull)event->previous);
    struct inquiry_row *row = fold_add(&walk->fold, event->number);
    if (!row)
        return no_memory(walk);
    inquiry_row_apply(row, event);
    walk->ret->inquiries++;
    struct id_key id = id_key_of(event->submitted.account, &event->submitted.id);
    uint64_t number;
    MDB_val data;
    if (event->seq > walk->settled)
        return 0; /* found through its row, at the end */
    id_key_set(walk, event->submitted.account, &event->submitted.id);
    int rc =
        record_get(walk, TABLE_IDS, &id, sizeof id, &data, "it is missing, though the log has its inquiry");
    if (rc)
        return rc;
    if (data.mv_size != sizeof number)
        return bad(walk, "it has %zu bytes instead of a number", data.mv_size);
    memcpy(&number, data.mv_data, sizeof number);
    if (le64toh(number) != event->number)
        return bad(walk, "it names inquiry %llu, and the log says %llu", (ull)le64toh(number),
                   (ull)event->number);
    return 0;
}

static int see_change(struct walk *walk, const struct event *event) {
    struct inquiry_row *row = fold_find(&walk->fold, event->number);
    if (!row)
        return bad(walk, "it is about inquiry %llu, which is not open", (ull)event->number);
    if (est_state_is_final((enum est_state)row->state))
        return bad(walk, "it changes inquiry %llu after its end", (ull)event->number);
    if (event->previous != row->last_seq)
        return bad(walk, "it follows event %llu, but the newest of inquiry %llu is %llu",
                   (ull)event->previous, (ull)event->number, (ull)row->last_seq);
    inquiry_row_apply(row, event);
    return 0;
}

static int see_acknowledged_one(struct walk *walk, const struct event *event, uint64_t number) {
    struct inquiry_row *row = fold_find(&walk->fold, number);
    if (!row)
        return bad(walk, "it acknowledges inquiry %llu, which is not open", (ull)number);
    if (!est_state_is_final((enum est_state)row->state))
        return bad(walk, "it acknowledges inquiry %llu, which has not ended", (ull)number);
    inquiry_row_apply(row, event);
    if (event->seq > walk->settled)
        return 0; /* stays in the fold, to be compared at the end */
    MDB_val data;
    key_set(walk, "ended", "%llu", (ull)number);
    int rc = record_get(walk, TABLE_ENDED, &number, sizeof number, &data,
                        "it is missing, though the log says that it was acknowledged");
    if (!rc)
        rc = row_compare(walk, &data, row);
    if (rc)
        return rc;
    walk->ret->states[row->state]++;
    walk->ret->acknowledged++;
    fold_remove(&walk->fold, number);
    key_set(walk, "log", "%llu", (ull)event->seq);
    return 0;
}

static int see_acknowledged(struct walk *walk, const struct event *event) {
    int rc = 0;
    for (size_t i = 0; i < event->acknowledged.count && !rc; i++)
        rc = see_acknowledged_one(walk, event, event->acknowledged.numbers[i]);
    return rc;
}

static bool thing_of(const struct event *event, struct thing_seen *ret) {
    switch (event->type) {
    case EVENT_DEPARTMENT_SET:
        *ret = (struct thing_seen){THING_DEPARTMENT, event->department_set.department, 0, event->seq};
        return true;
    case EVENT_TYPE_SET:
        *ret = (struct thing_seen){THING_TYPE, event->type_set.type, event->type_set.version, event->seq};
        return true;
    case EVENT_ACCOUNT_SET:
        *ret = (struct thing_seen){THING_ACCOUNT, event->account_set.account, 0, event->seq};
        return true;
    case EVENT_PURPOSE_SET:
        *ret = (struct thing_seen){THING_PURPOSE, event->purpose_set.purpose, 0, event->seq};
        return true;
    case EVENT_PAUSED:
        *ret = (struct thing_seen){THING_PAUSE, event->paused.department, 0, event->seq};
        return true;
    case EVENT_RETIRED:
        *ret = (struct thing_seen){event->retired.thing, event->retired.number, VERSION_RETIRED, event->seq};
        return true;
    default:
        return false;
    }
}

static int see_thing(struct walk *walk, const struct event *event) {
    if (walk->things_count == walk->things_max) {
        size_t max = walk->things_max > 0 ? walk->things_max * 2 : THINGS_FIRST;
        struct thing_seen *things = realloc(walk->things, max * sizeof *things);
        if (!things)
            return no_memory(walk);
        walk->things = things;
        walk->things_max = max;
    }
    thing_of(event, &walk->things[walk->things_count++]);
    return 0;
}

static int see_started(struct walk *walk, const struct event *event) {
    walk->ret->head.generation = event->started.generation;
    return 0;
}

static int see_nothing(struct walk *walk, const struct event *event) {
    (void)walk;
    (void)event;
    return 0;
}

typedef int (*sight)(struct walk *, const struct event *);

static const sight sights[] = {
    [EVENT_STARTED] = see_started,     [EVENT_DEPARTMENT_SET] = see_thing,
    [EVENT_TYPE_SET] = see_thing,      [EVENT_ACCOUNT_SET] = see_thing,
    [EVENT_RETIRED] = see_thing,       [EVENT_PURPOSE_SET] = see_thing,
    [EVENT_SUBMITTED] = see_submitted, [EVENT_ATTEMPT_FAILED] = see_change,
    [EVENT_PARKED] = see_change,       [EVENT_REQUEUED] = see_change,
    [EVENT_ANSWERED] = see_change,     [EVENT_EXPIRED] = see_change,
    [EVENT_CANCELLED] = see_change,    [EVENT_ACKNOWLEDGED] = see_acknowledged,
    [EVENT_DRAIN] = see_nothing,       [EVENT_PAUSED] = see_thing,
    [EVENT_REDIRECTED] = see_change,
};

/* --- The log ----------------------------------------------------------------------------------- */

static int event_see(struct walk *walk, const MDB_val *key, const MDB_val *data) {
    struct store_head *head = &walk->ret->head;
    struct event event;
    char why[RECORD_WHY_SIZE];
    uint64_t seq = 0;
    est_slice bytes = {data->mv_data, data->mv_size};
    key_set(walk, "log", "%llu", (ull)walk->next);
    if (key->mv_size == sizeof seq)
        memcpy(&seq, key->mv_data, sizeof seq);
    if (seq != walk->next)
        return bad(walk, "it is missing; event %llu is in its place", (ull)seq);
    int rc = record_read(bytes, &walk->scratch, &event, why);
    if (rc == -EST_NO_MEMORY)
        return no_memory(walk);
    if (rc)
        return bad(walk, "%s", why);
    if (event.seq != seq)
        return bad(walk, "it says that it is event %llu", (ull)event.seq);
    if (seq > 1 && event.at.us < head->at.us)
        return bad(walk, "its time is before that of the event before it");
    if ((size_t)event.type >= sizeof sights / sizeof sights[0] || !sights[event.type])
        return bad(walk, "it is of a type that no table knows");
    walk->ret->first = seq == 1 ? event.at : walk->ret->first;
    walk->ret->log_bytes += bytes.size;
    head->seq = seq;
    head->at = event.at;
    head->digest = digest_step(head->digest, record_checksum(bytes));
    walk->next++;
    return sights[event.type](walk, &event);
}

/* At most `quota` events. *ret_end: these were the last. */
static int log_stretch(struct walk *walk, uint64_t quota, bool *ret_end) {
    MDB_cursor *cursor;
    MDB_val key = val_of(&walk->next, sizeof walk->next), data;
    key_set(walk, "log", "%llu", (ull)walk->next);
    int rc = mdb_cursor_open(walk->txn, walk->store->tables[TABLE_LOG], &cursor);
    if (rc != 0)
        return lmdb_bad(walk, rc);
    int stop = 0;
    rc = mdb_cursor_get(cursor, &key, &data, MDB_SET_RANGE);
    while (rc == 0 && stop == 0 && quota-- > 0) {
        stop = event_see(walk, &key, &data);
        if (stop == 0)
            rc = mdb_cursor_get(cursor, &key, &data, MDB_NEXT);
    }
    mdb_cursor_close(cursor);
    *ret_end = rc == MDB_NOTFOUND;
    if (rc != 0 && rc != MDB_NOTFOUND)
        return lmdb_bad(walk, rc);
    return stop;
}

/* --- The tables at the end of the log ---------------------------------------------------------- */

static int head_compare(struct walk *walk) {
    struct store_head *walked = &walk->ret->head, stored;
    key_set(walk, "meta", "head");
    if (head_read(walk->store, walk->txn, &stored) != 0)
        return bad(walk, "it is missing or damaged");
    if (stored.seq != walked->seq)
        return bad(walk, "it says that the log ends with event %llu, and it ends with %llu", (ull)stored.seq,
                   (ull)walked->seq);
    if (stored.digest != walked->digest)
        return bad(walk, "its digest %016llx is not the log's, which is %016llx", (ull)stored.digest,
                   (ull)walked->digest);
    if (stored.at.us != walked->at.us || stored.generation != walked->generation)
        return bad(walk, "its time or generation is not that of the log's end");
    return 0;
}

static int count_compare(struct walk *walk, enum table table, const char *name, uint64_t wanted) {
    MDB_stat stat;
    key_set(walk, name, "all");
    int rc = mdb_stat(walk->txn, walk->store->tables[table], &stat);
    if (rc != 0)
        return lmdb_bad(walk, rc);
    if (stat.ms_entries != wanted)
        return bad(walk, "it has %llu records, and by the log there are %llu", (ull)stat.ms_entries,
                   (ull)wanted);
    return 0;
}

/* How many records the tables lack, or have still, for the rows that have not settled. */
struct unsettled { uint64_t ids, open, ended, closing; };

static struct unsettled unsettled_count(const struct walk *walk) {
    const struct fresh *fresh = &walk->store->fresh;
    struct unsettled count = {0};
    for (uint32_t i = 0; i < fresh->queued; i++) {
        const struct fresh_row *it = fresh_at(fresh, fresh_waits(fresh, i)->place);
        bool acknowledged = it->row.acked.us != 0;
        count.ids += !it->in_ids;
        count.open += !acknowledged && !it->in_open;
        count.ended += acknowledged;
        count.closing += acknowledged && it->in_open;
    }
    return count;
}

/* The row as opening the store would give it. */
static int row_see(struct walk *walk, const struct inquiry_row *folded) {
    struct inquiry_row row;
    uint8_t bytes[ROW_SIZE];
    key_set(walk, folded->acked.us != 0 ? "ended" : "open", "%llu", (ull)folded->number);
    int rc = store_row(walk->store, folded->number, &row);
    if (rc == -EST_NOT_FOUND)
        return bad(walk, "it is missing, though the log has not closed it");
    if (rc == -EST_INPUT)
        return bad(walk, "%s", store_error(walk->store));
    if (rc)
        return rc;
    row_write(&row, bytes);
    MDB_val data = val_of(bytes, sizeof bytes);
    rc = row_compare(walk, &data, folded);
    if (rc)
        return rc; /* its state may be none that there is */
    walk->ret->states[row.state]++;
    walk->ret->acknowledged += folded->acked.us != 0;
    walk->ret->unsettled += fresh_find(&walk->store->fresh, folded->number) != FRESH_NONE;
    return 0;
}

static int open_row_see(struct walk *walk, const MDB_val *key, uint64_t *last) {
    uint64_t number = 0;
    if (key->mv_size == sizeof number)
        memcpy(&number, key->mv_data, sizeof number);
    key_set(walk, "open", "%llu", (ull)number);
    if (number <= *last)
        return bad(walk, "it stands after inquiry %llu", (ull)*last);
    *last = number;
    return fold_find(&walk->fold, number) ? 0 : bad(walk, "the log has no such inquiry, or has closed it");
}

/* Every row that the table has is one of the fold's. */
static int open_walk(struct walk *walk) {
    MDB_cursor *cursor;
    MDB_val key, data;
    uint64_t last = 0;
    key_set(walk, "open", "all");
    int rc = mdb_cursor_open(walk->txn, walk->store->tables[TABLE_OPEN], &cursor);
    if (rc != 0)
        return lmdb_bad(walk, rc);
    int stop = 0;
    while (stop == 0 && (rc = mdb_cursor_get(cursor, &key, &data, MDB_NEXT)) == 0)
        stop = open_row_see(walk, &key, &last);
    mdb_cursor_close(cursor);
    return stop == 0 && rc != MDB_NOTFOUND ? lmdb_bad(walk, rc) : stop;
}

static int row_order(const void *left, const void *right) {
    const struct inquiry_row *a = left, *b = right;
    return a->number < b->number ? -1 : a->number > b->number;
}

/* Ends the fold's life as an index: its rows are sorted, so that the first bad one is named. */
static int rows_compare(struct walk *walk) {
    struct fold *fold = &walk->fold;
    int rc = open_walk(walk);
    if (!rc && fold->count > 0)
        qsort(fold->rows, fold->count, sizeof *fold->rows, row_order);
    for (size_t i = 0; i < fold->count && !rc; i++)
        rc = row_see(walk, &fold->rows[i]);
    return rc;
}

/* What opening the store would fold, out of this very transaction. */
static int unsettled_fold(struct walk *walk) {
    MDB_txn *batch = walk->store->txn;
    key_set(walk, "open", "all");
    walk->store->txn = walk->txn;
    int rc = rows_recover(walk->store);
    walk->store->txn = batch;
    return rc == -EST_INPUT ? bad(walk, "the rest of the log does not fold onto it: %s", store_error(walk->store)) : rc;
}

static int thing_order(const void *left, const void *right) {
    const struct thing_seen *a = left, *b = right;
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    if (a->number != b->number)
        return a->number < b->number ? -1 : 1;
    if (a->version != b->version)
        return a->version < b->version ? -1 : 1;
    return a->seq < b->seq ? -1 : a->seq > b->seq;
}

/* The table's record is a copy of the log's. */
static int thing_compare(struct walk *walk, const struct thing_seen *thing) {
    MDB_val stored, logged;
    struct thing_key key = thing_key_of(thing->kind, thing->number, thing->version);
    key_set(walk, "things", "kind %u, number %u, version %u", thing->kind, thing->number, thing->version);
    int rc =
        record_get(walk, TABLE_THINGS, &key, sizeof key, &stored, "it is missing, though the log sets it");
    if (!rc)
        rc =
            record_get(walk, TABLE_LOG, &thing->seq, sizeof thing->seq, &logged, "its event cannot be found");
    if (rc)
        return rc;
    if (stored.mv_size != logged.mv_size || memcmp(stored.mv_data, logged.mv_data, logged.mv_size) != 0)
        return bad(walk, "it is no copy of event %llu, which set it last", (ull)thing->seq);
    walk->ret->things++;
    return 0;
}

/* In order, the newest event of each key is its last; the end of a thing counts only when nothing
 * has set the thing after it. */
static int things_compare(struct walk *walk) {
    if (walk->things_count > 0)
        qsort(walk->things, walk->things_count, sizeof *walk->things, thing_order);
    uint64_t newest = 0; /* of this thing, all versions */
    int rc = 0;
    for (size_t i = 0; i < walk->things_count && !rc; i++) {
        const struct thing_seen *it = &walk->things[i], *before = it - 1, *after = it + 1;
        bool last = i + 1 == walk->things_count;
        if (i == 0 || before->kind != it->kind || before->number != it->number)
            newest = 0;
        if (!last && after->kind == it->kind && after->number == it->number && after->version == it->version)
            continue;
        if (it->version != VERSION_RETIRED)
            newest = it->seq > newest ? it->seq : newest;
        if (it->version != VERSION_RETIRED || it->seq > newest)
            rc = thing_compare(walk, it);
    }
    return rc;
}

/* store_row reads in the store's own transaction: for now that is this stretch's. */
static int rows_compare_in(struct walk *walk) {
    MDB_txn *batch = walk->store->txn;
    walk->store->txn = walk->txn;
    int rc = rows_compare(walk);
    walk->store->txn = batch;
    return rc;
}

static int tables_compare(struct walk *walk) {
    struct store_check *ret = walk->ret;
    int rc = head_compare(walk);
    if (!rc)
        rc = unsettled_fold(walk);
    if (!rc)
        rc = rows_compare_in(walk);
    if (!rc)
        rc = things_compare(walk);
    if (!rc)
        rc = count_compare(walk, TABLE_LOG, "log", ret->head.seq);
    struct unsettled lacks = unsettled_count(walk);
    uint64_t open = ret->inquiries - ret->acknowledged;
    if (!rc)
        rc = count_compare(walk, TABLE_IDS, "ids", ret->inquiries - lacks.ids);
    if (!rc)
        rc = count_compare(walk, TABLE_OPEN, "open", open - lacks.open + lacks.closing);
    if (!rc)
        rc = count_compare(walk, TABLE_ENDED, "ended", ret->acknowledged - lacks.ended);
    if (!rc)
        rc = count_compare(walk, TABLE_THINGS, "things", ret->things);
    return rc;
}

/* --- The journal ------------------------------------------------------------------------------- */

/* The lock is asked for and given back at once. A copy of a store has none. */
static bool broker_runs(const struct store *store) {
    int hold;
    bool runs = !store_hold(store->directory, &hold);
    if (hold >= 0)
        close(hold);
    return runs;
}

/* Of the very moment of the log that was walked: no broker before, none after, and none between. */
static int journal_see(struct walk *walk) {
    struct store *store = walk->store;
    struct store_check *ret = walk->ret;
    struct store_head now;
    struct journal_sight seen;
    struct view view;
    if (!store->read_only || broker_runs(store))
        return 0;
    int rc = journal_open(store);
    if (rc == -EST_INPUT) {
        ret->journal_seen = !broker_runs(store);
        key_set(walk, "journal", "all");
        return ret->journal_seen ? bad(walk, "%s", store_error(store)) : 0;
    }
    if (!rc)
        rc = view_begin(store, &view);
    if (rc)
        return rc;
    rc = head_read(store, view.txn, &now);
    view_end(&view);
    if (rc || now.seq != ret->head.seq || broker_runs(store))
        return rc;
    journal_look(store, &ret->head, &seen);
    ret->journal_seen = true;
    ret->journal_events = seen.events;
    ret->journal_torn = seen.is_torn;
    key_set(walk, "journal", "%llu", (ull)seen.without_before);
    if (seen.without_before > 0)
        return bad(walk, "the journal has this event, and those between the log and it are missing");
    return 0;
}

/* --- The whole --------------------------------------------------------------------------------- */

/* Past the log that was there at the beginning there is no pause any more: a busy broker would
 * otherwise keep ahead of the walk for ever. */
static int stretch(struct walk *walk, uint64_t until, bool *ret_end) {
    struct view view;
    int rc = view_begin(walk->store, &view);
    if (rc)
        return rc;
    struct store_head head;
    walk->txn = view.txn;
    walk->settled = head_read(walk->store, view.txn, &head) == 0 ? walk->store->settled : UINT64_MAX;
    rc = log_stretch(walk, walk->next + STRETCH > until ? UINT64_MAX : STRETCH, ret_end);
    if (!rc && *ret_end)
        rc = tables_compare(walk);
    view_end(&view);
    return rc;
}

int store_check(struct store *store, struct store_check *ret) {
    struct walk walk = {.store = store, .ret = ret, .next = 1};
    struct store_sizes sizes;
    bool end = false;
    *ret = (struct store_check){.table = ""};
    int rc = store_drain(store);
    store_sizes(store, &sizes);
    ret->used_bytes = sizes.used;
    while (!rc && !end)
        rc = stretch(&walk, store->committed.seq, &end);
    if (!rc)
        rc = journal_see(&walk);
    if (store->read_only)
        journal_close(&store->journal);
    fold_done(&walk.fold);
    free(walk.things);
    record_scratch_done(&walk.scratch);
    if (rc == 0)
        key_set(&walk, "", "%s", "");
    return rc == DAMAGED ? 0 : rc;
}
