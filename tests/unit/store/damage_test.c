/* damage_test.c - a store whose file says something wrong is refused, by name, and never trusted.
 *
 * The only test that goes behind the store's back: it writes into the closed file with LMDB.
 */
#include "sample.h"

#include <fcntl.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void check(int rc) {
    if (rc != 0)
        fail_msg("lmdb: %s", mdb_strerror(rc));
}

/* Changes one value of a table with `change`; NULL removes it. */
static void behind_the_back(const struct scratch *scratch, const char *table, unsigned flags, MDB_val key,
                            void (*change)(uint8_t *bytes, size_t size)) {
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi;
    MDB_val data;
    check(mdb_env_create(&env));
    check(mdb_env_set_maxdbs(env, 8));
    check(mdb_env_open(env, scratch->store, 0, 0600));
    check(mdb_txn_begin(env, NULL, 0, &txn));
    check(mdb_dbi_open(txn, table, flags, &dbi));
    if (change) {
        check(mdb_get(txn, dbi, &key, &data));
        uint8_t *copy = malloc(data.mv_size);
        assert_non_null(copy);
        memcpy(copy, data.mv_data, data.mv_size);
        change(copy, data.mv_size);
        check(mdb_put(txn, dbi, &key, &(MDB_val){data.mv_size, copy}, 0));
        free(copy);
    } else {
        check(mdb_del(txn, dbi, &key, NULL));
    }
    check(mdb_txn_commit(txn));
    mdb_env_close(env);
}

static MDB_val number_key(const uint64_t *number) {
    return (MDB_val){sizeof *number, (void *)number};
}

static MDB_val name_key(const char *name) {
    return (MDB_val){strlen(name), (void *)name};
}

static void flip_last(uint8_t *bytes, size_t size) {
    bytes[size - 1] ^= 0x10;
}

static void make_seven(uint8_t *bytes, size_t size) {
    assert_int_equal(size, 4);
    bytes[0] = 7;
}

/* Three inquiries; the second has been acknowledged. */
static void store_fill(const struct scratch *scratch) {
    struct writer w = writer_open(scratch, 0);
    expect_ok(w.store, store_begin(w.store));
    uint64_t second = 2;
    for (uint64_t i = 1; i <= 3; i++)
        writer_submit(&w, 3, i, (est_slice){"\x80", 1});
    writer_answer(&w, second);
    writer_acknowledge(&w, &second, 1);
    struct event type = writer_event(&w, EVENT_TYPE_SET, 0, 0);
    writer_append(&w, &type);
    expect_ok(w.store, store_commit(w.store));
    writer_close(&w);
}

static void expect_open_refused(const struct scratch *scratch, const char *part) {
    for (int read_only = 0; read_only < 2; read_only++) {
        struct store_options options = {.directory = scratch->store, .read_only = read_only};
        struct store *store = NULL;
        expect_error(NULL, store_open(&options, &store), -EST_INPUT, part);
        assert_null(store);
    }
}

static void store_of_unknown_format_is_refused(void **state) {
    store_fill(*state);
    behind_the_back(*state, "meta", 0, name_key("format"), make_seven);
    expect_open_refused(*state, "this store has format 7, this program knows 1");
}

static void damaged_head_or_secret_is_refused(void **state) {
    store_fill(*state);
    behind_the_back(*state, "meta", 0, name_key("secret"), flip_last);
    expect_open_refused(*state, "`secret` is damaged");
    behind_the_back(*state, "meta", 0, name_key("secret"), flip_last);
    behind_the_back(*state, "meta", 0, name_key("head"), flip_last);
    expect_open_refused(*state, "`head` is damaged");
    behind_the_back(*state, "meta", 0, name_key("head"), NULL);
    expect_open_refused(*state, "`head` is missing");
}

static void log_that_lost_its_end_is_refused(void **state) {
    uint64_t last = 6;
    store_fill(*state);
    behind_the_back(*state, "log", MDB_INTEGERKEY, number_key(&last), NULL);
    expect_open_refused(*state, "ends with event 5 but its head says 6");
}

static int nothing(void *arg, const struct event *event) {
    (void)arg;
    (void)event;
    return 0;
}

static int nothing_row(void *arg, const struct inquiry_row *row) {
    (void)arg;
    (void)row;
    return 0;
}

static void flipped_bit_in_an_event_is_found(void **state) {
    uint64_t seq = 3;
    struct event event;
    store_fill(*state);
    behind_the_back(*state, "log", MDB_INTEGERKEY, number_key(&seq), flip_last);
    struct writer w = writer_open(*state, 0);
    expect_ok(w.store, store_begin(w.store));
    expect_ok(w.store, store_event(w.store, 2, &event));
    expect_error(w.store, store_event(w.store, 3, &event), -EST_INPUT,
                 "event 3 cannot be used: its checksum");
    assert_int_equal(event.seq, 2);
    store_abort(w.store);
    expect_error(w.store, store_each_event(w.store, 0, nothing, NULL), -EST_INPUT, "event 3");
    expect_ok(w.store, store_each_event(w.store, 4, nothing, NULL));
    writer_close(&w);
}

static void missing_event_is_found(void **state) {
    uint64_t seq = 3;
    store_fill(*state);
    behind_the_back(*state, "log", MDB_INTEGERKEY, number_key(&seq), NULL);
    struct writer w = writer_open(*state, 0);
    expect_error(w.store, store_each_event(w.store, 0, nothing, NULL), -EST_INPUT, "event 3 is missing");
    writer_close(&w);
}

static void flipped_bit_in_an_open_row_is_found(void **state) {
    uint64_t number = 3;
    struct inquiry_row row;
    store_fill(*state);
    behind_the_back(*state, "open", MDB_INTEGERKEY, number_key(&number), flip_last);
    struct writer w = writer_open(*state, 0);
    expect_error(w.store, store_each_open(w.store, nothing_row, NULL), -EST_INPUT,
                 "inquiry 3 cannot be used");
    expect_ok(w.store, store_begin(w.store));
    expect_error(w.store, store_row(w.store, 3, &row), -EST_INPUT, "inquiry 3 cannot be used");
    struct event event = writer_event(&w, EVENT_EXPIRED, 3, 3);
    expect_error(w.store, store_append(w.store, &event), -EST_INPUT, "inquiry 3 cannot be used");
    writer_close(&w);
}

static void flipped_bit_in_an_ended_row_is_found(void **state) {
    uint64_t number = 2;
    struct inquiry_row row;
    store_fill(*state);
    behind_the_back(*state, "ended", MDB_INTEGERKEY, number_key(&number), flip_last);
    struct writer w = writer_open(*state, 0);
    expect_ok(w.store, store_begin(w.store));
    expect_error(w.store, store_row(w.store, 2, &row), -EST_INPUT, "inquiry 2 cannot be used");
    writer_close(&w);
}

static void flipped_bit_in_a_definition_is_found(void **state) {
    static const uint8_t thing[12] = {0, 0, 0, THING_TYPE, 0, 0, 0, 42, 0, 0, 0, 43};
    struct event event;
    store_fill(*state);
    behind_the_back(*state, "things", 0, (MDB_val){sizeof thing, (void *)thing}, flip_last);
    struct writer w = writer_open(*state, 0);
    expect_error(w.store, store_each_thing(w.store, nothing, NULL), -EST_INPUT, "thing 2/42 version 43");
    expect_ok(w.store, store_begin(w.store));
    expect_error(w.store, store_type(w.store, 42, 43, &event), -EST_INPUT, "thing 2/42 version 43");
    writer_close(&w);
}

/* The bytes of what was read for the first number are put under the second. */
static uint8_t taken[512];

static void take_copy(uint8_t *bytes, size_t size) {
    assert_true(size <= sizeof taken);
    memcpy(taken, bytes, size);
}

static void put_copy(uint8_t *bytes, size_t size) {
    memcpy(bytes, taken, size);
}

static void good_record_in_the_wrong_place_is_found(void **state) {
    uint64_t first = 1, third = 3;
    struct inquiry_row row;
    struct event event;
    store_fill(*state);
    behind_the_back(*state, "log", MDB_INTEGERKEY, number_key(&first), take_copy);
    behind_the_back(*state, "log", MDB_INTEGERKEY, number_key(&third), put_copy);
    behind_the_back(*state, "open", MDB_INTEGERKEY, number_key(&first), take_copy);
    behind_the_back(*state, "open", MDB_INTEGERKEY, number_key(&third), put_copy);
    struct writer w = writer_open(*state, 0);
    expect_ok(w.store, store_begin(w.store));
    expect_error(w.store, store_event(w.store, 3, &event), -EST_INPUT, "event 3 says it is event 1");
    expect_error(w.store, store_row(w.store, 3, &row), -EST_INPUT, "inquiry 3 says it is of 1");
    writer_close(&w);
}

static void file_of_another_program_is_refused(void **state) {
    struct scratch *scratch = *state;
    char path[320];
    store_fill(scratch);
    snprintf(path, sizeof path, "%s/data.mdb", scratch->store);
    FILE *file = fopen(path, "r+");
    assert_non_null(file);
    for (int i = 0; i < 8192; i++)
        fputc('x', file);
    assert_int_equal(fclose(file), 0);
    expect_open_refused(scratch, "data.mdb is no store");
}

static void environment_with_other_tables_is_refused(void **state) {
    struct scratch *scratch = *state;
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi;
    store_fill(scratch);
    snprintf(scratch->store, sizeof scratch->store, "%s", scratch->folder);
    check(mdb_env_create(&env));
    check(mdb_env_set_maxdbs(env, 8));
    check(mdb_env_open(env, scratch->store, 0, 0600));
    check(mdb_txn_begin(env, NULL, 0, &txn));
    check(mdb_dbi_open(txn, "mail", MDB_CREATE, &dbi));
    check(mdb_txn_commit(txn));
    mdb_env_close(env);
    expect_open_refused(scratch, "not a broker's");
}

/* --- Pages ------------------------------------------------------------------------------------- */

enum { PAGE = 4096, METAS = 2, FAULT = 42 };

static void fault_take(const char *what) {
    _exit(strstr(what, "Assertion") ? FAULT : 1);
}

static int each_seen(void *arg, const struct event *event) {
    (void)arg;
    return event->seq > 0 ? 0 : -1;
}

/* 0: as if nothing were wrong, or a refusal; FAULT: as LMDB told it. */
static int page_meet(const struct scratch *scratch) {
    struct store_options options = {.directory = scratch->store, .fault = fault_take};
    struct store *store = NULL;
    int status;
    pid_t child = fork();
    if (child == 0) {
        if (store_open(&options, &store) == 0)
            store_each_event(store, 0, each_seen, NULL);
        store_close(&store);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void page_of_zeroes_is_told_and_not_the_end_of_the_process(void **state) {
    static uint8_t bytes[1 << 20];
    static const uint8_t zeroes[PAGE];
    struct scratch *scratch = *state;
    char path[320];
    bool is_told = false;
    struct writer w = writer_open(scratch, 0);
    expect_ok(w.store, store_begin(w.store));
    for (uint64_t i = 1; i <= 100; i++) /* a log of some pages, which the cursor goes through */
        writer_submit(&w, 3, i, (est_slice){zeroes, 500});
    expect_ok(w.store, store_commit(w.store));
    writer_close(&w);
    snprintf(path, sizeof path, "%s/data.mdb", scratch->store);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    ssize_t size = read(fd, bytes, sizeof bytes);
    assert_true(size > METAS * PAGE);
    for (off_t at = METAS * PAGE; at < size; at += PAGE) {
        assert_int_equal(pwrite(fd, bytes, (size_t)size, 0), size); /* as it was */
        assert_int_equal(pwrite(fd, zeroes, PAGE, at), PAGE);
        is_told |= page_meet(scratch) == FAULT;
    }
    close(fd);
    assert_true(is_told);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_make, scratch_remove)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(store_of_unknown_format_is_refused),
        TEST(damaged_head_or_secret_is_refused),
        TEST(log_that_lost_its_end_is_refused),
        TEST(flipped_bit_in_an_event_is_found),
        TEST(missing_event_is_found),
        TEST(flipped_bit_in_an_open_row_is_found),
        TEST(flipped_bit_in_an_ended_row_is_found),
        TEST(flipped_bit_in_a_definition_is_found),
        TEST(good_record_in_the_wrong_place_is_found),
        TEST(file_of_another_program_is_refused),
        TEST(environment_with_other_tables_is_refused),
        TEST(page_of_zeroes_is_told_and_not_the_end_of_the_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
