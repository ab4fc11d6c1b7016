/* rows.c - what events do to an inquiry's row, and when the row reaches the tables.
 *
 * A row changes in memory (fresh.h) and settles later, in the transaction of some batch after. The
 * log is checked while it is applied: an event about an inquiry that is not open, that has ended,
 * or that does not follow the inquiry's newest event is refused, because a log that contains it
 * could not be folded.
 */
#include "room.h"

#include <string.h>

typedef unsigned long long ull; /* for %llu */

/* --- Settling ---------------------------------------------------------------------------------- */

static int row_put(struct store *store, enum table table, const struct inquiry_row *row, unsigned flags) {
    MDB_cursor *cursor;
    int rc = table_cursor(store, table, &cursor);
    if (rc)
        return rc;
    uint8_t bytes[ROW_SIZE];
    row_write(row, bytes);
    MDB_val key = val_of(&row->number, sizeof row->number), data = val_of(bytes, sizeof bytes);
    rc = mdb_cursor_put(cursor, &key, &data, flags);
    return rc == 0 ? 0 : store_fail_lmdb(store, rc, "writing an inquiry");
}

static int id_settle(struct store *store, const struct inquiry_row *row) {
    struct id_key id = id_key_of(row->account, &row->id);
    uint64_t number = htole64(row->number);
    MDB_cursor *ids;
    int rc = table_cursor(store, TABLE_IDS, &ids);
    if (rc)
        return rc;
    MDB_val key = val_of(&id, sizeof id), data = val_of(&number, sizeof number);
    rc = mdb_cursor_put(ids, &key, &data, MDB_NOOVERWRITE);
    if (rc == MDB_KEYEXIST)
        return store_fail(store, -EST_INPUT, "inquiry %llu has an id that account %u has used before",
                          (ull)row->number, row->account);
    return rc == 0 ? 0 : store_fail_lmdb(store, rc, "writing an id");
}

/* By a cursor of its own: what is over is at one end of the table, what is new at the other. */
static int open_remove(struct store *store, uint64_t number) {
    MDB_val key = val_of(&number, sizeof number), data;
    int rc = store->closing == NULL ? mdb_cursor_open(store->txn, store->tables[TABLE_OPEN], &store->closing) : 0;
    if (rc == 0)
        rc = mdb_cursor_get(store->closing, &key, &data, MDB_SET);
    if (rc == 0)
        rc = mdb_cursor_del(store->closing, 0);
    return rc == 0 || rc == MDB_NOTFOUND ? 0 : store_fail_lmdb(store, rc, "closing an inquiry");
}

/* Rows settle nearly in the order of their numbers, and what is appended fills its pages. */
static int ended_put(struct store *store, const struct inquiry_row *row) {
    bool is_last = row->number > store->ended_last;
    int rc = row_put(store, TABLE_ENDED, row, is_last ? MDB_APPEND : 0);
    if (!rc && is_last)
        store->ended_last = row->number;
    return rc;
}

/* The highest number in `ended`, looked up once. */
static int ended_last_find(struct store *store) {
    MDB_cursor *cursor;
    MDB_val key, data;
    int rc = table_cursor(store, TABLE_ENDED, &cursor);
    if (rc)
        return rc;
    store->ended_last = 0;
    rc = mdb_cursor_get(cursor, &key, &data, MDB_LAST);
    if (rc == 0)
        memcpy(&store->ended_last, key.mv_data, sizeof store->ended_last);
    return rc == 0 || rc == MDB_NOTFOUND ? 0 : store_fail_lmdb(store, rc, "reading ended inquiries");
}

int row_settle(struct store *store, const struct fresh_row *fresh) {
    int rc = store->ended_last == 0 ? ended_last_find(store) : 0;
    if (!rc && !fresh->in_ids)
        rc = id_settle(store, &fresh->row);
    if (rc)
        return rc;
    if (fresh->row.acked.us == 0)
        return row_put(store, TABLE_OPEN, &fresh->row, 0);
    rc = fresh->in_open ? open_remove(store, fresh->row.number) : 0;
    return rc ? rc : ended_put(store, &fresh->row);
}

/* Into the tables at once where this batch writes to them, else by the keeper. */
static int first_settle(struct store *store) {
    uint32_t place = fresh_take(&store->fresh);
    const struct fresh_row *row = fresh_at(&store->fresh, place);
    if (!store->direct)
        return keeper_hand(store, row, place);
    int rc = row_settle(store, row);
    newest_see(store, &row->row);
    fresh_settled(&store->fresh, place);
    return rc;
}

/* What is over does not change any more: it would only take room in the caches. */
static bool is_due(const struct store *store, uint32_t more) {
    const struct fresh *f = &store->fresh;
    if (f->queued == 0)
        return false;
    const struct fresh_row *oldest = fresh_at(f, fresh_waits(f, 0)->place);
    uint32_t kept = oldest->row.acked.us != 0 ? FRESH_KEPT_OVER : store->is_deep ? FRESH_KEPT_DEEP : FRESH_KEPT;
    return f->queued > kept + more || store->head.seq - fresh_since(f) >= FRESH_EVENTS;
}

int rows_settle(struct store *store, bool all) {
    const struct fresh *f = &store->fresh;
    int rc = 0;
    if (all ? f->queued > 0 : is_due(store, FRESH_TOGETHER))
        while (!rc && (all ? f->queued > 0 : is_due(store, 0)) && (store->direct || keeper_has_room(store)))
            rc = first_settle(store);
    store->settled = f->queued > 0 ? fresh_since(f) - 1 : store->head.seq;
    return rc;
}

/* --- Applying ---------------------------------------------------------------------------------- */

/* All places are taken: some thousands of rows settle now, whoever waits for it. The batch has to
 * write them itself, since its own events are not in the log yet. */
static int rows_make_room(struct store *store) {
    struct fresh *f = &store->fresh;
    int rc = store->direct ? 0 : direct_begin(store);
    while (!rc && f->queued > 0 && f->count > FRESH_CAPACITY - FRESH_KEPT)
        rc = first_settle(store);
    return rc;
}

static int place_await(struct store *store) {
    return fresh_is_full(&store->fresh) ? rows_make_room(store) : 0;
}

/* The row in memory, out of its table if need be. -EST_NOT_FOUND where none with this number is
 * open. */
static int row_fetch(struct store *store, uint64_t number, uint64_t since, uint32_t *ret) {
    struct inquiry_row row;
    *ret = fresh_find(&store->fresh, number);
    if (*ret != FRESH_NONE) {
        fresh_touch(&store->fresh, *ret, since);
        return 0;
    }
    int rc = row_open_get(store, number, &row);
    if (!rc)
        rc = place_await(store);
    if (rc)
        return rc;
    *ret = fresh_add_again(&store->fresh, &row, since);
    store->is_deep = since - number >= FRESH_EVENTS;
    return 0;
}

/* An id that was used before and has settled is found when this one settles, or by whoever looked
 * the id up first, as the broker does. */
int rows_submitted(struct store *store, const struct event *event) {
    if (event->number != event->seq || event->previous != 0)
        return store_fail(store, -EST_INPUT, "event %llu submits an inquiry but numbers it %llu",
                          (ull)event->seq, (ull)event->number);
    if (fresh_find_id(&store->fresh, event->submitted.account, &event->submitted.id) != FRESH_NONE)
        return store_fail(store, -EST_INPUT, "event %llu submits an id that account %u has used already",
                          (ull)event->seq, event->submitted.account);
    struct inquiry_row row = {0};
    int rc = place_await(store);
    if (rc)
        return rc;
    inquiry_row_apply(&row, event);
    fresh_add(&store->fresh, &row, event->seq);
    return 0;
}

static int not_open(struct store *store, const struct event *event, uint64_t number, int rc) {
    if (rc != -EST_NOT_FOUND)
        return rc;
    return store_fail(store, -EST_INPUT, "event %llu (%s) is about inquiry %llu, which is not open",
                      (ull)event->seq, event_type_name(event->type), (ull)number);
}

int rows_changed(struct store *store, const struct event *event) {
    uint32_t place;
    int rc = row_fetch(store, event->number, event->seq, &place);
    if (rc)
        return not_open(store, event, event->number, rc);
    struct inquiry_row *row = &fresh_at(&store->fresh, place)->row;
    if (est_state_is_final((enum est_state)row->state))
        return store_fail(store, -EST_INPUT, "event %llu (%s) would change inquiry %llu after its end",
                          (ull)event->seq, event_type_name(event->type), (ull)event->number);
    if (event->previous != row->last_seq)
        return store_fail(store, -EST_INPUT,
                          "event %llu (%s) follows event %llu, but the newest of inquiry %llu is %llu",
                          (ull)event->seq, event_type_name(event->type), (ull)event->previous,
                          (ull)event->number, (ull)row->last_seq);
    inquiry_row_apply(row, event);
    return 0;
}

static int acknowledge_one(struct store *store, const struct event *event, uint64_t number) {
    uint32_t place;
    int rc = row_fetch(store, number, event->seq, &place);
    if (rc)
        return not_open(store, event, number, rc);
    struct inquiry_row *row = &fresh_at(&store->fresh, place)->row;
    if (row->acked.us != 0)
        return not_open(store, event, number, -EST_NOT_FOUND);
    if (!est_state_is_final((enum est_state)row->state))
        return store_fail(store, -EST_INPUT, "event %llu acknowledges inquiry %llu, which has not ended",
                          (ull)event->seq, (ull)number);
    inquiry_row_apply(row, event);
    return 0;
}

int rows_acknowledged(struct store *store, const struct event *event) {
    int rc = 0;
    for (size_t i = 0; i < event->acknowledged.count && !rc; i++)
        rc = acknowledge_one(store, event, event->acknowledged.numbers[i]);
    return rc;
}

/* --- Recovery ---------------------------------------------------------------------------------- */

/* Is this event in the row already? A row that settled has every event up to its settling. */
static int row_has(struct store *store, uint64_t number, const struct event *event, bool *ret) {
    struct inquiry_row row;
    int rc = store_row(store, number, &row);
    *ret = rc == 0 && (event->type == EVENT_ACKNOWLEDGED ? row.acked.us != 0 : row.last_seq >= event->seq);
    return rc == -EST_NOT_FOUND ? 0 : rc;
}

static int acknowledged_again(struct store *store, const struct event *event) {
    uint64_t numbers[EST_NUMBERS_MAX]; /* a read ends the life of the event's own list */
    size_t count = event->acknowledged.count;
    if (count > EST_NUMBERS_MAX)
        return store_damaged(store, "event %llu acknowledges too many inquiries", (ull)event->seq);
    memcpy(numbers, event->acknowledged.numbers, count * sizeof *numbers);
    for (size_t i = 0; i < count; i++) {
        bool has;
        int rc = row_has(store, numbers[i], event, &has);
        if (!rc && !has)
            rc = acknowledge_one(store, event, numbers[i]);
        if (rc)
            return rc;
    }
    return 0;
}

static int event_again(void *arg, const struct event *event) {
    struct store *store = arg;
    bool has;
    if (event->type == EVENT_ACKNOWLEDGED)
        return acknowledged_again(store, event);
    if (event->number == 0)
        return 0; /* the table of things never lags */
    int rc = row_has(store, event->number, event, &has);
    if (rc || has)
        return rc;
    return event->type == EVENT_SUBMITTED ? rows_submitted(store, event) : rows_changed(store, event);
}

/* One transaction for all of it: what is folded lies behind one position. */
int rows_recover(struct store *store) {
    struct view view;
    fresh_clear(&store->fresh);
    newest_forget(store);
    store->ended_last = 0;
    int rc = view_begin(store, &view);
    if (rc)
        return rc;
    store->txn = view.txn;
    rc = log_each(store, store->settled + 1, event_again, store);
    if (view.own)
        store->txn = NULL;
    view_end(&view);
    return rc;
}
