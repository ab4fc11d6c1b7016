/* reader_test.c - a second thread reads the log while the first one writes it.
 */
#include "reader.h"
#include "room.h" /* to damage a record */
#include "sample.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

static const uint8_t body[1024] = {0x81};

static struct store_reader *reader_of(const struct writer *writer) {
    struct store_reader *reader = NULL;
    assert_int_equal(store_reader_open(writer->store, &reader), 0);
    return reader;
}

#define expect_read(reader, call)                                                                            \
    do {                                                                                                     \
        int expect_rc = (call);                                                                              \
        if (expect_rc < 0)                                                                                   \
            fail_msg("%s gave %d: %s", #call, expect_rc, store_reader_error(reader));                        \
    } while (0)

static void batch_of(struct writer *writer, unsigned count, est_slice text) {
    expect_ok(writer->store, store_begin(writer->store));
    for (unsigned i = 0; i < count; i++)
        writer_submit(writer, 1, writer->seq + 1, text);
    expect_ok(writer->store, store_commit(writer->store));
    expect_ok(writer->store, store_drain(writer->store)); /* a reader sees what LMDB has */
}

static void log_is_read_from_any_event_in_stretches(void **state) {
    struct writer writer = writer_open(*state, 0);
    struct store_reader *reader = reader_of(&writer);
    uint64_t head = 7;
    struct event event;
    expect_read(reader, store_reader_fetch(reader, 1, 10, &head));
    assert_int_equal(head, 0);
    assert_int_equal(store_reader_next(reader, &event), 0);
    batch_of(&writer, 10, (est_slice){body, sizeof body});
    expect_read(reader, store_reader_fetch(reader, 3, 4, &head));
    assert_int_equal(head, writer.seq);
    for (uint64_t seq = 3; seq < 7; seq++) {
        assert_int_equal(store_reader_next(reader, &event), 1);
        assert_int_equal(event.seq, seq);
        assert_memory_equal(event.submitted.body.data, body, sizeof body);
    }
    assert_int_equal(store_reader_next(reader, &event), 0);
    expect_read(reader, store_reader_fetch(reader, head + 1, 4, &head));
    assert_int_equal(store_reader_next(reader, &event), 0);
    store_reader_close(&reader);
    writer_close(&writer);
}

static void slices_outlive_the_transaction_they_were_read_in(void **state) {
    struct writer writer = writer_open(*state, 0);
    struct store_reader *reader = reader_of(&writer);
    uint64_t head;
    struct event event, other;
    batch_of(&writer, 3, (est_slice){body, sizeof body});
    expect_read(reader, store_reader_fetch(reader, 1, 3, &head));
    assert_int_equal(store_reader_next(reader, &event), 1);
    expect_read(reader, store_reader_event(reader, 2, &other));
    for (int i = 0; i < 20; i++)
        batch_of(&writer, 50, (est_slice){(const uint8_t[64]){0xff}, 64});
    assert_memory_equal(event.submitted.body.data, body, sizeof body);
    assert_memory_equal(other.submitted.body.data, body, sizeof body);
    assert_int_equal(store_reader_event(reader, writer.seq + 1, &other), -EST_NOT_FOUND);
    store_reader_close(&reader);
    writer_close(&writer);
}

struct thing_look {
    struct store *store;
    unsigned count;
};

/* In here a look is under way, so the map may not move. */
static int thing_count(void *arg, const struct event *event) {
    struct thing_look *look = arg;
    struct store_sizes sizes;
    assert_true(event->type < EVENT_SUBMITTED);
    store_sizes(look->store, &sizes);
    assert_int_equal(sizes.readers, 1);
    assert_int_not_equal(pthread_mutex_trylock(&look->store->map_lock), 0);
    look->count++;
    return 0;
}

static void things_are_there_as_soon_as_their_events_are(void **state) {
    struct writer writer = writer_open(*state, 0);
    struct store_reader *reader = reader_of(&writer);
    struct thing_look look = {.store = writer.store};
    expect_ok(writer.store, store_begin(writer.store));
    static const enum event_type sets[] = {EVENT_DEPARTMENT_SET, EVENT_TYPE_SET, EVENT_ACCOUNT_SET,
                                           EVENT_PURPOSE_SET, EVENT_PAUSED};
    for (size_t i = 0; i < 5; i++) {
        struct event sample = sample_event(sets[i], SAMPLE_USUAL),
                     event = writer_event(&writer, sets[i], 0, 0);
        sample.seq = event.seq;
        sample.at = event.at;
        sample.generation = event.generation;
        sample.number = sample.previous = 0;
        writer_append(&writer, &sample);
    }
    expect_ok(writer.store, store_commit(writer.store));
    expect_read(reader, store_reader_each_thing(reader, thing_count, &look));
    struct store_sizes sizes;
    store_sizes(writer.store, &sizes);
    assert_int_equal(sizes.readers, 0); /* its place is kept, and reads nothing */
    assert_int_equal(look.count, 5);
    store_reader_close(&reader);
    writer_close(&writer);
}

static void damaged_event_is_an_error_and_harms_nothing(void **state) {
    struct writer writer = writer_open(*state, 0);
    struct store_reader *reader = reader_of(&writer);
    uint64_t head, seq = 2;
    struct event event;
    batch_of(&writer, 3, (est_slice){body, 3});
    MDB_txn *txn;
    MDB_val key = val_of(&seq, sizeof seq), data;
    assert_int_equal(mdb_txn_begin(writer.store->env, NULL, 0, &txn), 0);
    assert_int_equal(mdb_get(txn, writer.store->tables[TABLE_LOG], &key, &data), 0);
    uint8_t bytes[4096];
    memcpy(bytes, data.mv_data, data.mv_size);
    bytes[RECORD_HEADER_SIZE + 1] ^= 1;
    data.mv_data = bytes;
    assert_int_equal(mdb_put(txn, writer.store->tables[TABLE_LOG], &key, &data, 0), 0);
    assert_int_equal(mdb_txn_commit(txn), 0);
    expect_read(reader, store_reader_fetch(reader, 1, 3, &head));
    assert_int_equal(store_reader_next(reader, &event), 1);
    assert_int_equal(store_reader_next(reader, &event), -EST_INPUT);
    assert_non_null(strstr(store_reader_error(reader), "event 2"));
    batch_of(&writer, 3, (est_slice){body, 3});
    store_reader_close(&reader);
    writer_close(&writer);
}

/* --- Both at once -------------------------------------------------------------------------------- */

struct follower {
    struct store_reader *reader;
    atomic_bool stop;
    uint64_t seen, stretches;
    char wrong[200];
};

static bool follow_once(struct follower *f) {
    uint64_t head;
    struct event event;
    bool is_last = atomic_load(&f->stop);
    int rc = store_reader_fetch(f->reader, f->seen + 1, READER_EVENTS_MAX, &head);
    while (rc >= 0 && (rc = store_reader_next(f->reader, &event)) == 1) {
        const uint8_t *bytes = event.submitted.body.data;
        if (event.seq != f->seen + 1 || event.number != event.seq || bytes[0] != 0xA5)
            rc = -EST_CONFLICT;
        f->seen = event.seq;
    }
    f->stretches++;
    if (rc < 0)
        snprintf(f->wrong, sizeof f->wrong, "after event %llu: %d: %s", (unsigned long long)f->seen, rc,
                 store_reader_error(f->reader));
    return rc >= 0 && (f->seen < head || !is_last);
}

static void *follow(void *arg) {
    struct follower *f = arg;
    while (follow_once(f))
        continue;
    return NULL;
}

/* The map begins with 512 MiB, and grows while less than 256 are free; with half of that it waits. */
static void map_does_not_move_under_a_look(void **state) {
    enum { BATCHES = 75, EVENTS = 64 }; /* 300 MiB */
    struct writer writer = writer_open(*state, UINT64_C(4) << 30);
    struct store_sizes before, after;
    uint8_t *large = calloc(1, EST_BODY_MAX);
    store_sizes(writer.store, &before);
    pthread_mutex_lock(&writer.store->map_lock);
    for (int i = 0; i < BATCHES; i++)
        batch_of(&writer, EVENTS, (est_slice){large, EST_BODY_MAX});
    store_sizes(writer.store, &after);
    assert_true(after.map == before.map);
    pthread_mutex_unlock(&writer.store->map_lock);
    batch_of(&writer, EVENTS, (est_slice){large, EST_BODY_MAX});
    store_sizes(writer.store, &after);
    assert_true(after.map > before.map);
    writer_close(&writer);
    free(large);
}

/* Enough that the map grows under the reader: it begins with 512 MiB and keeps a quarter free. */
static void reader_follows_a_writer_whose_map_grows(void **state) {
    enum { BATCHES = 110, EVENTS = 64 };
    struct writer writer = writer_open(*state, UINT64_C(4) << 30);
    struct follower f = {.reader = reader_of(&writer)};
    pthread_t thread;
    uint8_t *large = malloc(EST_BODY_MAX);
    memset(large, 0xA5, EST_BODY_MAX);
    struct store_sizes before, after;
    store_sizes(writer.store, &before);
    assert_int_equal(pthread_create(&thread, NULL, follow, &f), 0);
    for (int i = 0; i < BATCHES; i++)
        batch_of(&writer, EVENTS, (est_slice){large, EST_BODY_MAX});
    atomic_store(&f.stop, true);
    pthread_join(thread, NULL);
    store_sizes(writer.store, &after);
    assert_string_equal(f.wrong, "");
    assert_int_equal(f.seen, writer.seq);
    assert_true(after.map > before.map);
    assert_true(f.stretches > 10);
    store_reader_close(&f.reader);
    writer_close(&writer);
    free(large);
}

int main(void) {
#define CLAIM(name) cmocka_unit_test_setup_teardown(name, scratch_make, scratch_remove)
    const struct CMUnitTest tests[] = {
        CLAIM(log_is_read_from_any_event_in_stretches),
        CLAIM(slices_outlive_the_transaction_they_were_read_in),
        CLAIM(things_are_there_as_soon_as_their_events_are),
        CLAIM(damaged_event_is_an_error_and_harms_nothing),
        CLAIM(map_does_not_move_under_a_look),
        CLAIM(reader_follows_a_writer_whose_map_grows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
