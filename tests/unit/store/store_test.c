/* store_test.c - what the store promises to the broker's loop, one claim a test. */
#include "sample.h"

#include <stdlib.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static const est_slice body = {"\x81\xa2nz\xa3"
                               "1-2",
                               8};

static int never_row(void *arg, const struct inquiry_row *row) {
    (void)arg;
    fail_msg("inquiry %llu is open", (unsigned long long)row->number);
    return -1;
}

static int count_rows(void *arg, const struct inquiry_row *row) {
    (void)row;
    ++*(uint64_t *)arg;
    return 0;
}

static uint64_t open_count(struct store *store) {
    uint64_t count = 0;
    expect_ok(store, store_each_open(store, count_rows, &count));
    return count;
}

static void new_store_is_empty_private_and_has_a_secret(void **state) {
    struct scratch *scratch = *state;
    struct writer w = writer_open(scratch, 0);
    struct store_head head;
    struct stat info;
    store_head(w.store, &head);
    assert_int_equal(head.seq, 0);
    assert_int_equal(head.digest, 0);
    expect_ok(w.store, store_each_open(w.store, never_row, NULL));
    uint8_t secret[32], zero[32] = {0};
    memcpy(secret, store_secret(w.store), sizeof secret);
    assert_memory_not_equal(secret, zero, sizeof secret);
    assert_int_equal(stat(scratch->store, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0700);
    writer_close(&w);
    assert_null(w.store);
    store_close(&w.store);
    w = writer_open(scratch, 0);
    assert_memory_equal(secret, store_secret(w.store), sizeof secret);
    writer_close(&w);
}

static void committed_events_are_there_after_reopening(void **state) {
    struct writer w = writer_open(*state, 0);
    expect_ok(w.store, store_begin(w.store));
    struct event started = writer_event(&w, EVENT_STARTED, 0, 0);
    started.started.generation = 5;
    writer_append(&w, &started);
    uint64_t number = writer_submit(&w, 3, 1, body);
    expect_ok(w.store, store_commit(w.store));
    struct store_head before, after;
    store_head(w.store, &before);
    writer_close(&w);

    w = writer_open(*state, 0);
    store_head(w.store, &after);
    assert_int_equal(after.seq, 2);
    assert_int_equal(after.generation, 5);
    assert_int_equal(after.at.us, before.at.us);
    assert_true(after.digest != 0 && after.digest == before.digest);
    expect_ok(w.store, store_begin(w.store));
    struct event event;
    expect_ok(w.store, store_event(w.store, number, &event));
    assert_int_equal(event.type, EVENT_SUBMITTED);
    assert_int_equal(event.submitted.body.size, body.size);
    assert_memory_equal(event.submitted.body.data, body.data, body.size);
    store_abort(w.store);
    assert_int_equal(open_count(w.store), 1);
    writer_close(&w);
}

static void id_finds_its_inquiry_in_its_own_account_only(void **state) {
    struct writer w = writer_open(*state, 0);
    est_id id = nth_id(1), other = nth_id(2);
    uint64_t found = 77;
    expect_ok(w.store, store_begin(w.store));
    assert_int_equal(store_find(w.store, 3, &id, &found), -EST_NOT_FOUND);
    assert_int_equal(found, 77);
    uint64_t mine = writer_submit(&w, 3, 1, body), theirs = writer_submit(&w, 4, 1, body);
    expect_ok(w.store, store_find(w.store, 3, &id, &found)); /* in the same batch */
    assert_int_equal(found, mine);
    expect_ok(w.store, store_commit(w.store));
    expect_ok(w.store, store_begin(w.store));
    expect_ok(w.store, store_find(w.store, 4, &id, &found));
    assert_int_equal(found, theirs);
    assert_int_equal(store_find(w.store, 5, &id, &found), -EST_NOT_FOUND);
    assert_int_equal(store_find(w.store, 3, &other, &found), -EST_NOT_FOUND);
    store_abort(w.store);
    writer_close(&w);
}

static void aborted_batch_leaves_nothing(void **state) {
    struct writer w = writer_open(*state, 0);
    struct store_head before, after;
    est_id id = nth_id(1);
    uint64_t found;
    struct event event;
    store_head(w.store, &before);
    expect_ok(w.store, store_begin(w.store));
    writer_submit(&w, 3, 1, body);
    store_abort(w.store);
    store_head(w.store, &after);
    assert_int_equal(after.seq, before.seq);
    assert_true(after.digest == before.digest);
    expect_ok(w.store, store_begin(w.store));
    assert_int_equal(store_find(w.store, 3, &id, &found), -EST_NOT_FOUND);
    assert_int_equal(store_event(w.store, 1, &event), -EST_NOT_FOUND);
    w.seq = 0;
    writer_submit(&w, 3, 1, body); /* the number is free again */
    expect_ok(w.store, store_commit(w.store));
    assert_int_equal(open_count(w.store), 1);
    writer_close(&w);
}

/* Appends one event that must be refused, and shows that the batch is lost with it. */
static void expect_append_refused(struct writer *w, const struct event *event, const char *part) {
    struct store_head before, after;
    store_head(w->store, &before);
    expect_ok(w->store, store_begin(w->store));
    expect_error(w->store, store_append(w->store, event), -EST_INPUT, part);
    struct event good = {.seq = before.seq + 1, .at = {INT64_MAX}, .type = EVENT_EXPIRED};
    expect_error(w->store, store_append(w->store, &good), -EST_INPUT, part);
    expect_error(w->store, store_commit(w->store), -EST_INPUT, part);
    store_head(w->store, &after);
    assert_int_equal(after.seq, before.seq);
    w->seq = before.seq;
}

static void gap_repeat_or_step_back_in_the_log_is_refused(void **state) {
    struct writer w = writer_open(*state, 0);
    expect_ok(w.store, store_begin(w.store));
    writer_submit(&w, 3, 1, body);
    expect_ok(w.store, store_commit(w.store));
    struct event event = writer_event(&w, EVENT_SUBMITTED, 3, 0);
    event.seq = 3;
    expect_append_refused(&w, &event, "event 3 does not follow event 1");
    event.seq = event.number = 1;
    expect_append_refused(&w, &event, "event 1 does not follow event 1");
    event.seq = event.number = 2;
    event.at.us = 5;
    expect_append_refused(&w, &event, "time of event 2");
    writer_close(&w);
}

static void event_that_no_log_can_hold_is_refused(void **state) {
    struct writer w = writer_open(*state, 0);
    struct event event = writer_event(&w, EVENT_STARTED, 0, 0);
    event.type = (enum event_type)9999;
    expect_append_refused(&w, &event, "no known type");
    event = writer_event(&w, EVENT_ACKNOWLEDGED, 0, 0);
    event.acknowledged.count = EST_NUMBERS_MAX + 1;
    expect_append_refused(&w, &event, "too large");
    event = writer_event(&w, EVENT_TYPE_SET, 0, 0);
    event.type_set.version = UINT32_MAX;
    expect_append_refused(&w, &event, "type version");
    writer_close(&w);
}

static void event_that_does_not_fit_its_inquiry_is_refused(void **state) {
    struct writer w = writer_open(*state, 0);
    uint64_t stranger = 999;
    expect_ok(w.store, store_begin(w.store));
    uint64_t waiting = writer_submit(&w, 3, 1, body), ended = writer_submit(&w, 3, 2, body);
    writer_answer(&w, ended);
    expect_ok(w.store, store_commit(w.store));

    struct event event = writer_event(&w, EVENT_SUBMITTED, w.seq + 1, 0);
    event.submitted.account = 3;
    event.submitted.id = nth_id(1);
    expect_append_refused(&w, &event, "account 3 has used already");
    event = writer_event(&w, EVENT_SUBMITTED, w.seq + 2, 0);
    expect_append_refused(&w, &event, "numbers it");
    event = writer_event(&w, EVENT_ANSWERED, stranger, 0);
    expect_append_refused(&w, &event, "inquiry 999, which is not open");
    event = writer_event(&w, EVENT_EXPIRED, ended, 3);
    expect_append_refused(&w, &event, "after its end");
    event = writer_event(&w, EVENT_EXPIRED, waiting, 2);
    expect_append_refused(&w, &event, "the newest of inquiry 1 is 1");
    event = writer_event(&w, EVENT_ACKNOWLEDGED, 0, 0);
    event.acknowledged.numbers = &waiting;
    event.acknowledged.count = 1;
    expect_append_refused(&w, &event, "has not ended");
    writer_close(&w);
}

static void acknowledged_inquiry_leaves_the_open_table_but_not_the_store(void **state) {
    struct writer w = writer_open(*state, 0);
    expect_ok(w.store, store_begin(w.store));
    uint64_t numbers[2] = {writer_submit(&w, 3, 1, body), writer_submit(&w, 3, 2, body)};
    writer_answer(&w, numbers[0]);
    writer_answer(&w, numbers[1]);
    expect_ok(w.store, store_commit(w.store));
    assert_int_equal(open_count(w.store), 2); /* ended, but the requester does not know yet */
    expect_ok(w.store, store_begin(w.store));
    writer_acknowledge(&w, numbers, 2);
    expect_ok(w.store, store_commit(w.store));
    writer_close(&w);

    w = writer_open(*state, 0);
    expect_ok(w.store, store_each_open(w.store, never_row, NULL));
    expect_ok(w.store, store_begin(w.store));
    for (size_t i = 0; i < 2; i++) {
        struct inquiry_row row;
        expect_ok(w.store, store_row(w.store, numbers[i], &row));
        assert_int_equal(row.state, EST_STATE_ANSWERED);
        assert_int_equal(row.acked.us, w.time_us);
    }
    store_abort(w.store);
    struct event again = writer_event(&w, EVENT_ACKNOWLEDGED, 0, 0);
    again.acknowledged.numbers = numbers;
    again.acknowledged.count = 1;
    expect_append_refused(&w, &again, "not open");
    writer_close(&w);
}

/* The broker reads a row that has settled, and then changes it. */
static void row_that_was_read_and_changed_in_one_batch_is_as_changed(void **state) {
    struct writer w = writer_open(*state, 0);
    expect_ok(w.store, store_begin(w.store));
    uint64_t numbers[2] = {writer_submit(&w, 3, 1, body), writer_submit(&w, 3, 2, body)};
    expect_ok(w.store, store_commit(w.store));
    writer_close(&w);

    w = writer_open(*state, 0);
    struct inquiry_row row;
    expect_ok(w.store, store_begin(w.store));
    expect_ok(w.store, store_row(w.store, numbers[0], &row));
    assert_int_equal(row.state, EST_STATE_WAITING);
    assert_int_equal(store_row(w.store, 0, &row), -EST_NOT_FOUND);
    writer_answer(&w, numbers[0]);
    expect_ok(w.store, store_row(w.store, numbers[0], &row));
    assert_int_equal(row.state, EST_STATE_ANSWERED);
    expect_ok(w.store, store_row(w.store, numbers[1], &row));
    assert_int_equal(row.number, numbers[1]);
    assert_int_equal(row.state, EST_STATE_WAITING);
    expect_ok(w.store, store_commit(w.store));
    expect_ok(w.store, store_begin(w.store));
    expect_ok(w.store, store_row(w.store, numbers[0], &row));
    assert_int_equal(row.state, EST_STATE_ANSWERED);
    store_abort(w.store);
    writer_close(&w);
}

static int note_thing(void *arg, const struct event *event) {
    char line[64];
    uint32_t number = event->type == EVENT_TYPE_SET ? event->type_set.version
                      : event->type == EVENT_PAUSED ? event->paused.department
                                                    : 0;
    snprintf(line, sizeof line, "%s:%u@%llu ", event_type_name(event->type), number,
             (unsigned long long)event->seq);
    strncat(arg, line, 1000 - strlen(arg) - 1);
    return 0;
}

static void thing_append(struct writer *w, enum event_type type, uint32_t number, uint32_t version) {
    struct event event = writer_event(w, type, 0, 0);
    if (type == EVENT_DEPARTMENT_SET)
        event.department_set.department = number;
    if (type == EVENT_PURPOSE_SET)
        event.purpose_set.purpose = number;
    if (type == EVENT_ACCOUNT_SET)
        event.account_set.account = number;
    if (type == EVENT_RETIRED)
        event.retired = (struct event_retired){THING_TYPE, number};
    if (type == EVENT_TYPE_SET)
        event.type_set.type = number, event.type_set.version = version;
    writer_append(w, &event);
}

static void things_come_back_by_kind_number_and_version(void **state) {
    struct writer w = writer_open(*state, 0);
    expect_ok(w.store, store_begin(w.store));
    thing_append(&w, EVENT_ACCOUNT_SET, 1, 0);
    thing_append(&w, EVENT_TYPE_SET, 7, 1);
    thing_append(&w, EVENT_TYPE_SET, 7, 300);
    thing_append(&w, EVENT_TYPE_SET, 7, 2);
    thing_append(&w, EVENT_DEPARTMENT_SET, 1, 0);
    thing_append(&w, EVENT_RETIRED, 7, 0);
    thing_append(&w, EVENT_ACCOUNT_SET, 1, 0); /* again: the newest counts */
    thing_append(&w, EVENT_PURPOSE_SET, 0, 0);
    expect_ok(w.store, store_commit(w.store));
    char seen[1000] = "";
    expect_ok(w.store, store_each_thing(w.store, note_thing, seen));
    assert_string_equal(seen, "department-set:0@5 type-set:1@2 type-set:2@4 type-set:300@3 retired:0@6 "
                              "account-set:0@7 purpose-set:0@8 ");
    expect_ok(w.store, store_begin(w.store));
    thing_append(&w, EVENT_TYPE_SET, 7, 301); /* in force again */
    expect_ok(w.store, store_commit(w.store));
    seen[0] = '\0';
    expect_ok(w.store, store_each_thing(w.store, note_thing, seen));
    assert_string_equal(seen, "department-set:0@5 type-set:1@2 type-set:2@4 type-set:300@3 type-set:301@9 "
                              "account-set:0@7 purpose-set:0@8 ");
    writer_close(&w);
}

static void newest_word_on_a_departments_pause_outlives_the_store(void **state) {
    struct writer w = writer_open(*state, 0);
    static const struct { uint32_t department, on; } words[] = {{2, 1}, {1, 1}, {2, 0}, {1, 1}};
    expect_ok(w.store, store_begin(w.store));
    for (size_t i = 0; i < 4; i++) {
        struct event event = writer_event(&w, EVENT_PAUSED, 0, 0);
        event.paused = (struct event_paused){.account = 1, .department = words[i].department, .on = words[i].on};
        writer_append(&w, &event);
    }
    expect_ok(w.store, store_commit(w.store));
    writer_close(&w);
    w = writer_open(*state, 0);
    char seen[1000] = "";
    expect_ok(w.store, store_each_thing(w.store, note_thing, seen));
    assert_string_equal(seen, "paused:1@4 paused:2@3 ");
    writer_close(&w);
}

static void every_type_version_is_kept(void **state) {
    struct writer w = writer_open(*state, 0);
    struct event first = sample_event(EVENT_TYPE_SET, SAMPLE_LARGEST), found;
    expect_ok(w.store, store_begin(w.store));
    first.seq = ++w.seq;
    first.at.us = w.time_us;
    first.type_set.type = 7, first.type_set.version = 1;
    writer_append(&w, &first);
    thing_append(&w, EVENT_TYPE_SET, 7, 2);
    expect_ok(w.store, store_commit(w.store));
    expect_ok(w.store, store_begin(w.store));
    expect_ok(w.store, store_type(w.store, 7, 1, &found));
    assert_event_equal(&first, &found);
    expect_ok(w.store, store_type(w.store, 7, 2, &found));
    assert_int_equal(found.seq, 2);
    assert_int_equal(store_type(w.store, 7, 3, &found), -EST_NOT_FOUND);
    assert_int_equal(store_type(w.store, 8, 1, &found), -EST_NOT_FOUND);
    store_abort(w.store);
    writer_close(&w);
}

static void event_of_any_type_and_size_is_read_back(void **state) {
    struct writer w = writer_open(*state, 0);
    expect_ok(w.store, store_begin(w.store));
    const enum event_type kinds[] = {EVENT_STARTED,     EVENT_DEPARTMENT_SET, EVENT_TYPE_SET,
                                     EVENT_ACCOUNT_SET, EVENT_RETIRED,        EVENT_PURPOSE_SET,
                                     EVENT_SUBMITTED,   EVENT_ATTEMPT_FAILED, EVENT_PARKED,
                                     EVENT_REQUEUED,    EVENT_REDIRECTED,     EVENT_ANSWERED,
                                     EVENT_DRAIN,       EVENT_PAUSED};
    struct event put[SAMPLE_SIZES][sizeof kinds / sizeof kinds[0]];
    for (int size = 0; size < SAMPLE_SIZES; size++) {
        uint64_t number = 0, previous = 0;
        for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
            struct event event = sample_event(kinds[i], (enum sample_size)size);
            bool submits = kinds[i] == EVENT_SUBMITTED,
                 about = kinds[i] >= EVENT_SUBMITTED && kinds[i] < EVENT_DRAIN;
            event.seq = ++w.seq;
            number = submits ? event.seq : number;
            event.number = about ? number : 0;
            event.previous = about ? previous : 0;
            previous = about ? event.seq : previous;
            if (submits)
                event.submitted.id = nth_id((uint64_t)size);
            writer_append(&w, &event);
            put[size][i] = event;
        }
    }
    for (int size = 0; size < SAMPLE_SIZES; size++) {
        for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
            struct event found;
            expect_ok(w.store, store_event(w.store, put[size][i].seq, &found));
            assert_event_equal(&put[size][i], &found);
        }
    }
    expect_ok(w.store, store_commit(w.store));
    writer_close(&w);
}

static int stop_at_third(void *arg, const struct event *event) {
    ++*(uint64_t *)arg;
    return event->seq == 3 ? -4242 : 0;
}

static int expect_next(void *arg, const struct event *event) {
    uint64_t *next = arg;
    assert_int_equal(event->seq, *next);
    ++*next;
    return 0;
}

static void log_is_walked_from_anywhere_and_stops_when_told(void **state) {
    enum { EVENTS = 10000 }; /* more than one transaction's stretch */
    struct writer w = writer_open(*state, 0);
    expect_ok(w.store, store_begin(w.store));
    for (uint64_t i = 0; i < EVENTS; i++)
        writer_submit(&w, 3, i, body);
    uint64_t next = 1, stopped = 0;
    expect_ok(w.store, store_each_event(w.store, 0, expect_next, &next)); /* inside the batch */
    assert_int_equal(next, EVENTS + 1);
    expect_ok(w.store, store_commit(w.store));
    next = 1;
    expect_ok(w.store, store_each_event(w.store, 0, expect_next, &next));
    assert_int_equal(next, EVENTS + 1);
    next = EVENTS - 1;
    expect_ok(w.store, store_each_event(w.store, next, expect_next, &next));
    assert_int_equal(next, EVENTS + 1);
    expect_ok(w.store, store_each_event(w.store, EVENTS + 1, expect_next, &next));
    assert_int_equal(store_each_event(w.store, 0, stop_at_third, &stopped), -4242);
    assert_int_equal(stopped, 3);
    writer_close(&w);
}

static void call_out_of_order_is_refused(void **state) {
    struct writer w = writer_open(*state, 0);
    struct inquiry_row row;
    struct event event = writer_event(&w, EVENT_STARTED, 0, 0);
    expect_error(w.store, store_row(w.store, 1, &row), -EST_INPUT, "none is open");
    expect_error(w.store, store_append(w.store, &event), -EST_INPUT, "no batch is open");
    expect_error(w.store, store_commit(w.store), -EST_INPUT, "no batch is open");
    store_abort(w.store);
    expect_ok(w.store, store_begin(w.store));
    expect_error(w.store, store_begin(w.store), -EST_INPUT, "open already");
    expect_ok(w.store, store_commit(w.store));
    writer_close(&w);
}

static void empty_batch_writes_nothing(void **state) {
    struct scratch *scratch = *state;
    struct writer w = writer_open(scratch, 0);
    char path[320];
    struct stat before, after;
    snprintf(path, sizeof path, "%s/data.mdb", scratch->store);
    assert_int_equal(stat(path, &before), 0);
    for (int i = 0; i < 10; i++) {
        expect_ok(w.store, store_begin(w.store));
        expect_ok(w.store, store_commit(w.store));
    }
    assert_int_equal(stat(path, &after), 0);
    assert_int_equal(before.st_mtim.tv_sec, after.st_mtim.tv_sec);
    assert_int_equal(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
    writer_close(&w);
}

static void second_broker_is_refused_and_told_whom_to_stop(void **state) {
    struct scratch *scratch = *state;
    struct writer w = writer_open(scratch, 0);
    struct store *second = NULL;
    char process[32];
    snprintf(process, sizeof process, "process %ld", (long)getpid());
    struct store_options options = {.directory = scratch->store};
    expect_error(NULL, store_open(&options, &second), -EST_IO, process);
    expect_error(NULL, store_open(&options, &second), -EST_IO, "stop that one");
    assert_null(second);
    writer_close(&w);
    expect_ok(NULL, store_open(&options, &second));
    store_close(&second);
}

static void folder_that_is_none_is_refused(void **state) {
    struct scratch *scratch = *state;
    struct store *store = NULL;
    char path[400];
    struct store_options options = {.directory = path};
    snprintf(path, sizeof path, "%s/no/such", scratch->folder);
    expect_error(NULL, store_open(&options, &store), -EST_IO, "make its parent first");
    snprintf(path, sizeof path, "/dev/null");
    expect_error(NULL, store_open(&options, &store), -EST_INPUT, "not a folder");
    snprintf(path, sizeof path, "%s/absent", scratch->folder);
    options.read_only = true;
    expect_error(NULL, store_open(&options, &store), -EST_IO, "start the broker first");
    struct stat info;
    assert_int_not_equal(stat(path, &info), 0); /* a tool makes nothing */
    assert_int_equal(mkdir(path, 0700), 0);
    expect_error(NULL, store_open(&options, &store), -EST_NOT_FOUND, "none here");
    assert_null(store);
}

static uint8_t page_of_noise[EST_BODY_MAX];

static void map_grows_by_itself(void **state) {
    enum { BATCH = 500, ROUNDS = 9 }; /* 290 MiB */
    struct writer w = writer_open(*state, 0);
    struct store_sizes first, last;
    store_sizes(w.store, &first);
    for (uint64_t i = 0; i < ROUNDS * BATCH; i += BATCH) {
        expect_ok(w.store, store_begin(w.store));
        for (uint64_t j = 0; j < BATCH; j++)
            writer_submit(&w, 3, i + j, (est_slice){page_of_noise, sizeof page_of_noise});
        expect_ok(w.store, store_commit(w.store));
    }
    store_sizes(w.store, &last);
    assert_true(last.used > (uint64_t)ROUNDS * BATCH * EST_BODY_MAX);
    assert_true(last.map > first.map);
    assert_true(last.map <= last.size_max);
    assert_int_equal(last.size_max, UINT64_C(64) << 30);
    writer_close(&w);
    w = writer_open(*state, 0);
    assert_int_equal(open_count(w.store), ROUNDS * BATCH);
    writer_close(&w);
}

/* Commits one inquiry of the largest kind after the other until the store will not. */
static uint64_t fill(struct writer *w) {
    for (uint64_t count = 0;; count++) {
        struct event event = writer_event(w, EVENT_SUBMITTED, w->seq + 1, 0);
        event.submitted.id = nth_id(1000000 + count);
        event.submitted.body = (est_slice){page_of_noise, sizeof page_of_noise};
        int rc = store_begin(w->store);
        if (rc == 0)
            rc = store_append(w->store, &event);
        if (rc == 0)
            rc = store_commit(w->store);
        if (rc != 0) {
            expect_error(w->store, rc, -EST_FULL, "raise store.size_max");
            store_abort(w->store);
            return count;
        }
    }
}

/* Of one moment: the keeper may be at it. The disk that the test runs on may be the fuller of the two. */
static void expect_fullness_of_sizes(const struct store *store) {
    struct store_sizes sizes, after;
    unsigned fullness;
    do {
        store_sizes(store, &sizes);
        fullness = store_fullness(store);
        store_sizes(store, &after);
    } while (after.used != sizes.used);
    uint64_t own = sizes.used * 1000 / sizes.size_max;
    uint64_t disk = (sizes.disk_total - sizes.disk_free) * 1000 / sizes.disk_total;
    if (sizes.disk_free >= UINT64_C(8) << 30)
        disk = 0; /* plenty */
    assert_int_equal(fullness, own > disk ? own : disk);
}

static void full_store_says_so_and_keeps_what_it_has(void **state) {
    const uint64_t size = 16 << 20;
    struct writer w = writer_open(*state, size);
    expect_fullness_of_sizes(w.store);
    uint64_t count = fill(&w);
    /* The map's room, and what a late keeper leaves in the journal, an eighth of it at this size. */
    assert_true(count > 200 && count < (size + size / 8) / EST_BODY_MAX);
    assert_true(store_fullness(w.store) > 800); /* what the journal has yet is not in it */
    expect_fullness_of_sizes(w.store);
    struct store_sizes sizes;
    store_sizes(w.store, &sizes);
    assert_true(sizes.used <= size && sizes.map == size && sizes.size_max == size);
    assert_true(sizes.disk_free <= sizes.disk_total && sizes.disk_total > 0);
    struct store_head head;
    store_head(w.store, &head);
    assert_int_equal(head.seq, count);
    writer_close(&w);
    w = writer_open(*state, 2 * size); /* the operator raised the limit */
    assert_int_equal(open_count(w.store), count);
    expect_fullness_of_sizes(w.store);
    expect_ok(w.store, store_begin(w.store));
    writer_submit(&w, 3, 1, body);
    expect_ok(w.store, store_commit(w.store));
    expect_ok(w.store, store_tidy(w.store));
    writer_close(&w);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_make, scratch_remove)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(new_store_is_empty_private_and_has_a_secret),
        TEST(committed_events_are_there_after_reopening),
        TEST(id_finds_its_inquiry_in_its_own_account_only),
        TEST(aborted_batch_leaves_nothing),
        TEST(gap_repeat_or_step_back_in_the_log_is_refused),
        TEST(event_that_no_log_can_hold_is_refused),
        TEST(event_that_does_not_fit_its_inquiry_is_refused),
        TEST(acknowledged_inquiry_leaves_the_open_table_but_not_the_store),
        TEST(row_that_was_read_and_changed_in_one_batch_is_as_changed),
        TEST(things_come_back_by_kind_number_and_version),
        TEST(newest_word_on_a_departments_pause_outlives_the_store),
        TEST(every_type_version_is_kept),
        TEST(event_of_any_type_and_size_is_read_back),
        TEST(log_is_walked_from_anywhere_and_stops_when_told),
        TEST(call_out_of_order_is_refused),
        TEST(empty_batch_writes_nothing),
        TEST(second_broker_is_refused_and_told_whom_to_stop),
        TEST(folder_that_is_none_is_refused),
        TEST(map_grows_by_itself),
        TEST(full_store_says_so_and_keeps_what_it_has),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
