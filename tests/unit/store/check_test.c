/* check_test.c - the check finds a whole store whole, and names the record that is not.
 *
 * Damage is done behind the store's back and well: records are forged with checksums that match,
 * so that only the comparison of the log with the tables can find them. Flipped bits by the
 * thousand are tests/power/flips.c.
 */
#include "check.h"
#include "record.h"
#include "sample.h"

#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>

/* --- Behind the store's back ------------------------------------------------------------------- */

struct edit {
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi;
};

static void must(int rc) {
    if (rc != 0)
        fail_msg("lmdb: %s", mdb_strerror(rc));
}

static struct edit edit_begin(const struct scratch *scratch, const char *table, unsigned flags) {
    struct edit edit;
    must(mdb_env_create(&edit.env));
    must(mdb_env_set_maxdbs(edit.env, 8));
    must(mdb_env_open(edit.env, scratch->store, 0, 0600));
    must(mdb_txn_begin(edit.env, NULL, 0, &edit.txn));
    must(mdb_dbi_open(edit.txn, table, flags, &edit.dbi));
    return edit;
}

static void edit_end(struct edit *edit) {
    must(mdb_txn_commit(edit->txn));
    mdb_env_close(edit->env);
}

static MDB_val of(const void *bytes, size_t size) {
    return (MDB_val){size, (void *)bytes};
}

static void put(const struct scratch *scratch, const char *table, unsigned flags, MDB_val key, MDB_val data) {
    struct edit edit = edit_begin(scratch, table, flags);
    must(mdb_put(edit.txn, edit.dbi, &key, &data, 0));
    edit_end(&edit);
}

static void drop(const struct scratch *scratch, const char *table, unsigned flags, MDB_val key) {
    struct edit edit = edit_begin(scratch, table, flags);
    must(mdb_del(edit.txn, edit.dbi, &key, NULL));
    edit_end(&edit);
}

/* --- The store --------------------------------------------------------------------------------- */

/* Events 1 ... 14: inquiries 2, 3, 4 and 5 of account 3; 2 is acknowledged, 3 answered, 4 parked
 * after a failed attempt, 5 waits. A type, an account that is retired, a purpose retired and set
 * again. */
static void store_fill(const struct scratch *scratch) {
    struct writer w = writer_open(scratch, 0);
    uint64_t second = 2;
    expect_ok(w.store, store_begin(w.store));
    struct event event = writer_event(&w, EVENT_STARTED, 0, 0);
    writer_append(&w, &event);
    for (uint64_t nth = 1; nth <= 4; nth++)
        writer_submit(&w, 3, nth, (est_slice){"\x80", 1});
    writer_answer(&w, 2);
    writer_answer(&w, 3);
    event = writer_event(&w, EVENT_ATTEMPT_FAILED, 4, 4);
    writer_append(&w, &event);
    event = writer_event(&w, EVENT_PARKED, 4, 8);
    writer_append(&w, &event);
    writer_acknowledge(&w, &second, 1);
    static const enum event_type things[] = {EVENT_TYPE_SET, EVENT_PURPOSE_SET, EVENT_RETIRED,
                                             EVENT_PURPOSE_SET};
    for (size_t i = 0; i < 4; i++) {
        event = writer_event(&w, things[i], 0, 0);
        if (things[i] == EVENT_RETIRED)
            event.retired = (struct event_retired){THING_PURPOSE, 49};
        writer_append(&w, &event);
    }
    expect_ok(w.store, store_commit(w.store));
    writer_close(&w);
}

static struct store_check checked(const struct scratch *scratch) {
    struct store_check check;
    int rc = store_check_folder(scratch->store, &check);
    if (rc != 0)
        fail_msg("%d: %s", rc, check.why);
    return check;
}

static void expect_good(const struct scratch *scratch) {
    struct store_check check = checked(scratch);
    if (check.damaged)
        fail_msg("damaged: %s %s: %s", check.table, check.key, check.why);
}

static void expect_damage(const struct scratch *scratch, const char *table, const char *key,
                          const char *part) {
    struct store_check check = checked(scratch);
    if (!check.damaged || strcmp(check.table, table) != 0 || strcmp(check.key, key) != 0 ||
        !strstr(check.why, part))
        fail_msg("%s: `%s` `%s`: %s", check.damaged ? "damaged" : "good", check.table, check.key, check.why);
}

/* The stored row of this table, changed and sealed again. */
static void row_forge(const struct scratch *scratch, const char *table, uint64_t number,
                      void (*change)(struct inquiry_row *)) {
    struct edit edit = edit_begin(scratch, table, MDB_INTEGERKEY);
    MDB_val key = of(&number, sizeof number), data;
    struct inquiry_row row;
    uint8_t bytes[ROW_SIZE];
    char why[RECORD_WHY_SIZE];
    must(mdb_get(edit.txn, edit.dbi, &key, &data));
    assert_int_equal(row_read((est_slice){data.mv_data, data.mv_size}, &row, why), 0);
    change(&row);
    row_write(&row, bytes);
    data = of(bytes, sizeof bytes);
    must(mdb_put(edit.txn, edit.dbi, &key, &data, 0));
    edit_end(&edit);
}

/* The log's event, changed and sealed again. */
static void event_forge(const struct scratch *scratch, uint64_t seq, void (*change)(struct event *)) {
    struct edit edit = edit_begin(scratch, "log", MDB_INTEGERKEY);
    MDB_val key = of(&seq, sizeof seq), data;
    struct event event;
    struct record_scratch lists = {0};
    char why[RECORD_WHY_SIZE];
    must(mdb_get(edit.txn, edit.dbi, &key, &data));
    uint8_t *copy = malloc(data.mv_size);
    assert_non_null(copy);
    memcpy(copy, data.mv_data, data.mv_size);
    assert_int_equal(record_read((est_slice){copy, data.mv_size}, &lists, &event, why), 0);
    change(&event);
    size_t size = record_size(&event);
    uint8_t *bytes = malloc(size);
    assert_non_null(bytes);
    record_write(&event, size, bytes);
    data = of(bytes, size);
    must(mdb_put(edit.txn, edit.dbi, &key, &data, 0));
    edit_end(&edit);
    record_scratch_done(&lists);
    free(copy);
    free(bytes);
}

/* --- A whole store ----------------------------------------------------------------------------- */

static void whole_store_is_good_and_its_figures_are_right(void **state) {
    store_fill(*state);
    expect_good(*state);
    struct store_check check = checked(*state);
    assert_int_equal(check.head.seq, 14);
    assert_int_equal(check.inquiries, 4);
    assert_int_equal(check.states[EST_STATE_WAITING], 1);
    assert_int_equal(check.states[EST_STATE_PARKED], 1);
    assert_int_equal(check.states[EST_STATE_ANSWERED], 2);
    assert_int_equal(check.acknowledged, 1);
    assert_int_equal(check.things, 2);
    assert_true(check.first.us < check.head.at.us);
    assert_true(check.log_bytes > 14 * RECORD_HEADER_SIZE && check.used_bytes > check.log_bytes);
    assert_string_equal(check.table, "");
}

static void empty_store_is_good(void **state) {
    struct writer w = writer_open(*state, 0);
    writer_close(&w);
    expect_good(*state);
}

static void store_is_checked_beside_its_broker(void **state) {
    struct scratch *scratch = *state;
    store_fill(scratch);
    struct writer w = writer_open(scratch, 0);
    expect_ok(w.store, store_begin(w.store));
    writer_answer(&w, 5);
    expect_good(scratch); /* what is not committed is not there */
    expect_ok(w.store, store_commit(w.store));
    expect_good(scratch); /* whether LMDB has it by now or not */
    expect_ok(w.store, store_drain(w.store));
    expect_good(scratch);
    assert_int_equal(checked(scratch).states[EST_STATE_ANSWERED], 3);
    struct store_check own;
    expect_ok(w.store, store_check(w.store, &own));
    assert_false(own.damaged);
    writer_close(&w);
}

static void folder_without_a_store_is_no_damage(void **state) {
    struct scratch *scratch = *state;
    struct store_check check;
    assert_int_equal(store_check_folder(scratch->store, &check), -EST_NOT_FOUND);
    assert_non_null(strstr(check.why, "no store here"));
    assert_int_equal(store_check_folder(scratch->folder, &check), -EST_NOT_FOUND);
    assert_false(check.damaged);
}

/* Far more inquiries than the fold begins with, most of them acknowledged in no order. */
static void long_log_is_folded_whole(void **state) {
    enum { INQUIRIES = 70000, BATCH = 1000 };
    struct writer w = writer_open(*state, 0);
    for (uint64_t first = 0; first < INQUIRIES; first += BATCH) {
        uint64_t numbers[BATCH];
        expect_ok(w.store, store_begin(w.store));
        for (uint64_t i = 0; i < BATCH; i++)
            numbers[(i * 367) % BATCH] = writer_submit(&w, 3, first + i, (est_slice){"\x80", 1});
        for (uint64_t i = 0; i < BATCH; i++)
            writer_answer(&w, numbers[i]);
        for (uint64_t i = 0; i + 100 < BATCH; i += 100)
            writer_acknowledge(&w, numbers + i, 100);
        expect_ok(w.store, store_commit(w.store));
    }
    writer_close(&w);
    expect_good(*state);
    struct store_check check = checked(*state);
    assert_int_equal(check.states[EST_STATE_ANSWERED], INQUIRIES);
    assert_int_equal(check.acknowledged, INQUIRIES / BATCH * 900);
}

/* --- Forgeries --------------------------------------------------------------------------------- */

static void outcome_change(struct event *event) {
    event->answered.outcome++;
}

static void time_set_back(struct event *event) {
    event->at.us -= 1000;
}

static void previous_change(struct event *event) {
    event->previous--;
}

static void number_change(struct event *event) {
    event->number = 2;
}

static void name_change(struct event *event) {
    event->purpose_set.name.size--;
}

static void forged_event_is_found(void **state) {
    static const struct {
        uint64_t seq;
        void (*change)(struct event *);
        const char *table, *key, *part;
    } rows[] = {
        {6, outcome_change, "ended", "2", "`outcome` is not what the log says"},
        {7, outcome_change, "meta", "head", "its digest"},
        {8, time_set_back, "log", "8", "its time is before"},
        {9, previous_change, "log", "9", "it follows event 7, but the newest of inquiry 4 is 8"},
        {9, number_change, "log", "9", "it changes inquiry 2 after its end"},
        {12, name_change, "meta", "head", "its digest"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct scratch *scratch = *state;
        snprintf(scratch->store, sizeof scratch->store, "%s/forged-%zu", scratch->folder, i);
        store_fill(scratch);
        event_forge(scratch, rows[i].seq, rows[i].change);
        expect_damage(scratch, rows[i].table, rows[i].key, rows[i].part);
    }
}

static void missing_event_is_named(void **state) {
    uint64_t middle = 8;
    store_fill(*state);
    drop(*state, "log", MDB_INTEGERKEY, of(&middle, sizeof middle));
    expect_damage(*state, "log", "8", "it is missing; event 9 is in its place");
}

static void attempts_change(struct inquiry_row *row) {
    row->attempts++;
}

static void forged_row_is_found(void **state) {
    store_fill(*state);
    row_forge(*state, "ended", 2, attempts_change);
    expect_damage(*state, "ended", "2", "`attempts` is not what the log says");
}

static void forged_open_row_is_found(void **state) {
    store_fill(*state);
    row_forge(*state, "open", 4, attempts_change);
    expect_damage(*state, "open", "4", "`attempts` is not what the log says");
}

static void missing_rows_are_found(void **state) {
    uint64_t acknowledged = 2, open = 3;
    store_fill(*state);
    drop(*state, "open", MDB_INTEGERKEY, of(&open, sizeof open));
    expect_damage(*state, "open", "3", "it is missing");
    drop(*state, "ended", MDB_INTEGERKEY, of(&acknowledged, sizeof acknowledged));
    expect_damage(*state, "ended", "2", "it is missing");
}

static void rows_too_many_are_found(void **state) {
    struct inquiry_row row = {.number = 6, .state = EST_STATE_ANSWERED};
    uint8_t bytes[ROW_SIZE];
    row_write(&row, bytes);
    store_fill(*state);
    put(*state, "ended", MDB_INTEGERKEY, of(&row.number, sizeof row.number), of(bytes, sizeof bytes));
    expect_damage(*state, "ended", "all", "it has 2 records, and by the log there are 1");
    put(*state, "open", MDB_INTEGERKEY, of(&row.number, sizeof row.number), of(bytes, sizeof bytes));
    expect_damage(*state, "open", "6", "the log has no such inquiry");
}

static void ids_that_lie_are_found(void **state) {
    struct {
        uint8_t account[4];
        est_id id;
    } key = {{0, 0, 0, 3}, nth_id(2)};
    uint64_t wrong = 4;
    store_fill(*state);
    put(*state, "ids", 0, of(&key, sizeof key), of(&wrong, sizeof wrong));
    expect_damage(*state, "ids", "account 3, id 00000000-0000-0002-0000-00000000005a",
                  "it names inquiry 4, and the log says 3");
    drop(*state, "ids", 0, of(&key, sizeof key));
    expect_damage(*state, "ids", "account 3, id 00000000-0000-0002-0000-00000000005a", "it is missing");
}

static void pauses_and_redirects_are_folded_and_compared(void **state) {
    static const uint8_t pause[12] = {0, 0, 0, THING_PAUSE, 0, 0, 0, 82};
    store_fill(*state);
    struct writer w = writer_open(*state, 0);
    expect_ok(w.store, store_begin(w.store));
    for (int i = 0; i < 2; i++) {
        struct event event = writer_event(&w, EVENT_PAUSED, 0, 0);
        writer_append(&w, &event);
    }
    struct event event = writer_event(&w, EVENT_REDIRECTED, 5, 5);
    writer_append(&w, &event);
    expect_ok(w.store, store_commit(w.store));
    writer_close(&w);
    expect_good(*state);
    drop(*state, "things", 0, of(pause, sizeof pause));
    expect_damage(*state, "things", "kind 5, number 82, version 0", "it is missing");
}

static void id_of_nothing_is_found(void **state) {
    uint8_t key[20] = {0, 0, 0, 9};
    uint64_t number = 2;
    store_fill(*state);
    put(*state, "ids", 0, of(key, sizeof key), of(&number, sizeof number));
    expect_damage(*state, "ids", "all", "it has 5 records, and by the log there are 4");
}

static void definitions_that_lie_are_found(void **state) {
    static const uint8_t type[12] = {0, 0, 0, THING_TYPE, 0, 0, 0, 42, 0, 0, 0, 43};
    static const uint8_t purpose[12] = {0, 0, 0, THING_PURPOSE, 0, 0, 0, 49};
    struct event older = sample_event(EVENT_PURPOSE_SET, SAMPLE_USUAL);
    uint8_t bytes[512];
    size_t size = record_size(&older);
    assert_true(size <= sizeof bytes);
    older.seq = 12;
    record_write(&older, size, bytes);
    store_fill(*state);
    put(*state, "things", 0, of(purpose, sizeof purpose), of(bytes, size));
    expect_damage(*state, "things", "kind 4, number 49, version 0", "it is no copy of event 14");
    drop(*state, "things", 0, of(type, sizeof type));
    expect_damage(*state, "things", "kind 2, number 42, version 43", "it is missing");
}

/* --- What cannot even be opened ---------------------------------------------------------------- */

static void damaged_head_is_damage(void **state) {
    static const uint8_t nonsense[48] = {7};
    store_fill(*state);
    put(*state, "meta", 0, of("head", 4), of(nonsense, sizeof nonsense));
    struct store_check check = checked(*state);
    assert_true(check.damaged);
    assert_string_equal(check.table, "meta");
    assert_non_null(strstr(check.why, "`head` is damaged"));
}

/* Zeroes from here on, so that pages point at nothing. */
static void pages_that_lead_nowhere_kill_only_the_child(void **state) {
    struct scratch *scratch = *state;
    char path[320];
    store_fill(scratch);
    snprintf(path, sizeof path, "%s/data.mdb", scratch->store);
    for (long page = 2; page < 9; page++) {
        FILE *file = fopen(path, "r+");
        assert_non_null(file);
        assert_int_equal(fseek(file, page * 4096, SEEK_SET), 0);
        for (int i = 0; i < 4096; i++)
            fputc(i < 16 ? 0xff : 0x7f, file);
        assert_int_equal(fclose(file), 0);
    }
    struct store_check check = checked(scratch);
    assert_true(check.damaged);
    assert_true(strlen(check.why) > 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_make, scratch_remove)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(whole_store_is_good_and_its_figures_are_right),
        TEST(empty_store_is_good),
        TEST(store_is_checked_beside_its_broker),
        TEST(folder_without_a_store_is_no_damage),
        TEST(long_log_is_folded_whole),
        TEST(forged_event_is_found),
        TEST(missing_event_is_named),
        TEST(forged_row_is_found),
        TEST(forged_open_row_is_found),
        TEST(missing_rows_are_found),
        TEST(rows_too_many_are_found),
        TEST(ids_that_lie_are_found),
        TEST(pauses_and_redirects_are_folded_and_compared),
        TEST(id_of_nothing_is_found),
        TEST(definitions_that_lie_are_found),
        TEST(damaged_head_is_damage),
        TEST(pages_that_lead_nowhere_kill_only_the_child),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
