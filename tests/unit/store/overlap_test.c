/* overlap_test.c - a batch is written while the next one is made, and what is promised meanwhile: nothing.
 *
 * The test holds the journal's writer before its write, for as long as it likes; or until the test's own thread
 * begins to wait for it, and so it shows that a call waits. A broker that dies is a child process.
 */
#include "check.h"
#include "disk_calls.h"
#include "sample.h"

#include "room.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    LARGE = 20, BODY = 5000, /* inquiries and their bodies: more than the writer's thread is woken for */
    SMALL = 2 << 20,         /* a store of this size has a journal of 256 KiB: one large batch, and not two */
    ROWS = 2 * (FRESH_KEPT_OVER + FRESH_KEPT_DEEP + FRESH_TOGETHER),
    BLOCK = JOURNAL_BLOCK,
};

static uint8_t filler[EST_BODY_MAX];

/* --- Waiting ----------------------------------------------------------------------------------- */

static bool lets_when_it_waits;
static unsigned waits;
static pthread_t tester;

int __real_pthread_cond_wait(pthread_cond_t *, pthread_mutex_t *);
int __wrap_pthread_cond_wait(pthread_cond_t *, pthread_mutex_t *);
int __wrap_pthread_cond_wait(pthread_cond_t *condition, pthread_mutex_t *mutex) {
    if (pthread_equal(pthread_self(), tester) && lets_when_it_waits) {
        lets_when_it_waits = false;
        waits++;
        disk_calls_let_journal();
    }
    return __real_pthread_cond_wait(condition, mutex);
}

static void hold_until_it_waits(void) {
    lets_when_it_waits = true;
    waits = 0;
    disk_calls_hold_journal();
}

/* --- Batches ----------------------------------------------------------------------------------- */

static void append_inquiries(struct writer *w, unsigned count, size_t body) {
    for (unsigned i = 0; i < count; i++)
        writer_submit(w, 1, w->seq + 1, (est_slice){filler, body});
}

static void change_one(struct writer *w, enum event_type type, uint64_t number) {
    struct inquiry_row row;
    expect_ok(w->store, store_row(w->store, number, &row));
    struct event event = writer_event(w, type, number, row.last_seq);
    writer_append(w, &event);
}

/* The nth event is an inquiry with the nth id. */
static void commit_inquiries(struct writer *w, unsigned count, size_t body) {
    expect_ok(w->store, store_begin(w->store));
    append_inquiries(w, count, body);
    expect_ok(w->store, store_commit(w->store));
}

/* A batch of LARGE inquiries is under way, and stays so while the journal is held. */
static void begin_large(struct writer *w) {
    expect_ok(w->store, store_begin(w->store));
    append_inquiries(w, LARGE, BODY);
    expect_ok(w->store, store_commit_begin(w->store, true));
    assert_int_equal(store_commit_end(w->store, false), 1);
}

static void expect_events(const struct scratch *scratch, uint64_t count) {
    struct store_check check;
    struct store *store = NULL;
    struct store_options options = {.directory = scratch->store};
    struct store_head head;
    if (store_open(&options, &store) != 0)
        fail_msg("%s", store_error(NULL));
    store_head(store, &head);
    assert_int_equal(head.seq, count);
    expect_ok(store, store_check(store, &check));
    if (check.damaged)
        fail_msg("%s %s: %s", check.table, check.key, check.why);
    store_close(&store);
    assert_int_equal(store_check_folder(scratch->store, &check), 0);
    if (check.damaged || check.head.seq != count)
        fail_msg("closed: %s %s: %s", check.table, check.key, check.why);
}

/* Rows as they are now, to be compared with later. */
struct sight {
    struct inquiry_row rows[ROWS];
    size_t count;
};

static void sight_take(struct store *store, const uint64_t *numbers, size_t count, struct sight *ret) {
    expect_ok(store, store_begin(store));
    for (ret->count = 0; ret->count < count; ret->count++)
        expect_ok(store, store_row(store, numbers[ret->count], &ret->rows[ret->count]));
    store_abort(store);
}

static void sight_compare(struct store *store, const struct sight *sight) {
    struct inquiry_row row;
    expect_ok(store, store_begin(store));
    for (size_t i = 0; i < sight->count; i++) {
        uint64_t number = 0;
        expect_ok(store, store_row(store, sight->rows[i].number, &row));
        assert_row_equal(&row, &sight->rows[i]);
        expect_ok(store, store_find(store, row.account, &row.id, &number));
        assert_int_equal(number, row.number);
    }
    store_abort(store);
}

static void expect_unknown(struct store *store, uint64_t nth) {
    est_id id = nth_id(nth);
    uint64_t number;
    struct inquiry_row row;
    assert_int_equal(store_find(store, 1, &id, &number), -EST_NOT_FOUND);
    assert_int_equal(store_row(store, nth, &row), -EST_NOT_FOUND);
}

/* --- Under way --------------------------------------------------------------------------------- */

/* A block of 15 pages is written at once, though the thread is held, and one of 16 beside which nothing is to be
 * done; where there is more, one of 16 is not. */
static void small_batch_is_on_the_disk_when_its_commit_has_begun(void **state) {
    struct writer w = writer_open(*state, 0);
    disk_calls_reset();
    disk_calls_hold_journal();
    expect_ok(w.store, store_begin(w.store));
    append_inquiries(&w, 1, 15 * BLOCK - 500);
    expect_ok(w.store, store_commit_begin(w.store, true));
    assert_int_equal(disk_calls_count(DISK_JOURNAL), 1);
    assert_int_equal(store_commit_end(w.store, false), 0);
    expect_ok(w.store, store_begin(w.store));
    append_inquiries(&w, 1, 16 * BLOCK - 500);
    expect_ok(w.store, store_commit_begin(w.store, false));
    assert_int_equal(store_commit_end(w.store, false), 0);
    expect_ok(w.store, store_begin(w.store));
    append_inquiries(&w, 1, 16 * BLOCK - 500);
    expect_ok(w.store, store_commit_begin(w.store, true));
    assert_int_equal(store_commit_end(w.store, false), 1);
    disk_calls_await_held();
    assert_int_equal(disk_calls_count(DISK_JOURNAL), 2);
    disk_calls_let_journal();
    expect_ok(w.store, store_commit_end(w.store, true));
    assert_int_equal(disk_calls_count(DISK_JOURNAL), 3);
    writer_close(&w);
    expect_events(*state, 3);
}

static void batch_without_an_append_costs_no_write(void **state) {
    struct writer w = writer_open(*state, 0);
    disk_calls_reset();
    expect_ok(w.store, store_begin(w.store));
    expect_ok(w.store, store_commit_begin(w.store, true));
    assert_int_equal(store_commit_end(w.store, false), 0);
    assert_int_equal(disk_calls_count(DISK_JOURNAL), 0);
    writer_close(&w);
}

static void next_batch_reads_and_changes_what_is_under_way(void **state) {
    struct writer w = writer_open(*state, 0);
    struct event event;
    uint64_t number = 0;
    est_id id = nth_id(3);
    disk_calls_hold_journal();
    begin_large(&w);
    expect_ok(w.store, store_begin(w.store));
    expect_ok(w.store, store_event(w.store, 3, &event));
    assert_int_equal(event.type, EVENT_SUBMITTED);
    assert_int_equal(event.submitted.body.size, BODY);
    assert_memory_equal(event.submitted.body.data, filler, BODY);
    expect_ok(w.store, store_find(w.store, 1, &id, &number));
    assert_int_equal(number, 3);
    change_one(&w, EVENT_ATTEMPT_FAILED, 3);
    change_one(&w, EVENT_ANSWERED, 3);
    number = writer_submit(&w, 1, 1000, (est_slice){filler, BODY});
    change_one(&w, EVENT_ANSWERED, number);
    writer_acknowledge(&w, &number, 1);
    assert_int_equal(store_commit_end(w.store, false), 1);
    disk_calls_let_journal();
    expect_ok(w.store, store_commit_end(w.store, true));
    assert_int_equal(store_commit_end(w.store, false), 0);
    expect_ok(w.store, store_event(w.store, LARGE + 1, &event)); /* the open one goes on */
    assert_int_equal(event.type, EVENT_ATTEMPT_FAILED);
    expect_ok(w.store, store_commit_begin(w.store, true));
    expect_ok(w.store, store_commit_end(w.store, true));
    writer_close(&w);
    expect_events(*state, LARGE + 5);
    w = writer_open(*state, 0);
    struct inquiry_row row;
    expect_ok(w.store, store_begin(w.store));
    expect_ok(w.store, store_row(w.store, 3, &row));
    assert_int_equal(row.state, EST_STATE_ANSWERED);
    assert_int_equal(row.last_seq, LARGE + 2);
    expect_ok(w.store, store_row(w.store, LARGE + 3, &row));
    assert_int_equal(row.acked.us, w.time_us);
    store_abort(w.store);
    writer_close(&w);
}

static void large_batches_one_after_the_other_are_all_there_in_order(void **state) {
    enum { BATCHES = 12 }; /* the ring goes round */
    struct writer w = writer_open(*state, SMALL * 2);
    for (unsigned i = 0; i < BATCHES; i++) {
        expect_ok(w.store, store_begin(w.store));
        append_inquiries(&w, LARGE, BODY);
        if (i > 0)
            change_one(&w, EVENT_ANSWERED, (i - 1) * (LARGE + 1) + 1);
        else
            append_inquiries(&w, 1, 10);
        expect_ok(w.store, store_commit_end(w.store, true));
        expect_ok(w.store, store_commit_begin(w.store, true));
    }
    expect_ok(w.store, store_commit_end(w.store, true));
    writer_close(&w);
    expect_events(*state, BATCHES * (LARGE + 1));
}

/* --- Who waits for it --------------------------------------------------------------------------- */

static void abort_of_the_open_batch_keeps_the_one_under_way(void **state) {
    struct writer w = writer_open(*state, 0);
    struct inquiry_row row;
    hold_until_it_waits();
    begin_large(&w);
    expect_ok(w.store, store_begin(w.store));
    change_one(&w, EVENT_ANSWERED, 2);
    append_inquiries(&w, LARGE, BODY);
    store_abort(w.store);
    assert_int_equal(waits, 1);
    assert_int_equal(store_commit_end(w.store, false), 0);
    w.seq = LARGE;
    expect_ok(w.store, store_begin(w.store));
    expect_ok(w.store, store_row(w.store, 2, &row));
    assert_int_equal(row.state, EST_STATE_WAITING);
    expect_unknown(w.store, LARGE + 2);
    append_inquiries(&w, 1, 10);
    expect_ok(w.store, store_commit(w.store));
    writer_close(&w);
    expect_events(*state, LARGE + 1);
}

/* What is defined goes past the journal, and so behind what is on its way into it. */
static void batch_that_defines_things_waits_for_it(void **state) {
    struct writer w = writer_open(*state, 0);
    hold_until_it_waits();
    begin_large(&w);
    expect_ok(w.store, store_begin(w.store));
    change_one(&w, EVENT_ANSWERED, 2);
    assert_int_equal(store_commit_end(w.store, false), 1);
    struct event event = writer_event(&w, EVENT_ACCOUNT_SET, 0, 0);
    writer_append(&w, &event);
    assert_int_equal(waits, 1);
    change_one(&w, EVENT_ANSWERED, 3);
    expect_ok(w.store, store_commit_begin(w.store, true));
    assert_int_equal(store_commit_end(w.store, false), 0);
    writer_close(&w);
    expect_events(*state, LARGE + 3);
}

/* Of 64 pages 20 have been used, 25 are under way, and the next 25 find 19 at the end and 20 at the beginning. */
static void batch_that_finds_the_ring_full_waits_for_it(void **state) {
    enum { BEFORE = 16 };
    struct writer w = writer_open(*state, SMALL);
    struct event event;
    commit_inquiries(&w, BEFORE, BODY);
    expect_ok(w.store, store_drain(w.store));
    disk_calls_reset();
    hold_until_it_waits();
    begin_large(&w);
    expect_ok(w.store, store_begin(w.store));
    expect_ok(w.store, store_event(w.store, BEFORE + 1, &event));
    append_inquiries(&w, LARGE, BODY);
    assert_int_equal(waits, 1);
    expect_ok(w.store, store_event(w.store, BEFORE + 1, &event)); /* out of LMDB now */
    expect_ok(w.store, store_event(w.store, BEFORE + LARGE + 1, &event));
    expect_ok(w.store, store_commit_begin(w.store, true));
    expect_ok(w.store, store_commit_end(w.store, true));
    assert_int_equal(disk_calls_count(DISK_JOURNAL), 2);
    writer_close(&w);
    expect_events(*state, BEFORE + 2 * LARGE);
}

static void batch_larger_than_the_ring_waits_for_it(void **state) {
    enum { MORE = 60 };
    struct writer w = writer_open(*state, SMALL);
    hold_until_it_waits();
    begin_large(&w);
    expect_ok(w.store, store_begin(w.store));
    append_inquiries(&w, MORE, BODY);
    assert_int_equal(waits, 1);
    expect_ok(w.store, store_commit_begin(w.store, true));
    assert_int_equal(store_commit_end(w.store, false), 0);
    writer_close(&w);
    expect_events(*state, LARGE + MORE);
}

static void the_next_commit_waits_for_it(void **state) {
    struct writer w = writer_open(*state, 0);
    for (unsigned i = 0; i < 2; i++) {
        hold_until_it_waits();
        begin_large(&w);
        expect_ok(w.store, store_begin(w.store));
        append_inquiries(&w, 1, 10);
        expect_ok(w.store, i == 0 ? store_commit(w.store) : store_commit_begin(w.store, true));
        assert_int_equal(waits, 1);
        assert_int_equal(store_commit_end(w.store, false), 0);
    }
    writer_close(&w);
    expect_events(*state, 2 * (LARGE + 1));
}

static void closing_keeps_what_is_under_way(void **state) {
    struct writer w = writer_open(*state, 0);
    hold_until_it_waits();
    begin_large(&w);
    writer_close(&w);
    assert_int_equal(waits, 1);
    expect_events(*state, LARGE);
}

static int event_count(void *arg, const struct event *event) {
    (void)event;
    ++*(uint64_t *)arg;
    return 0;
}

static void draining_waits_for_it_with_a_batch_open_and_without(void **state) {
    struct writer w = writer_open(*state, 0);
    uint64_t walked = 0;
    hold_until_it_waits();
    begin_large(&w);
    expect_ok(w.store, store_each_event(w.store, 0, event_count, &walked)); /* which drains */
    assert_int_equal(walked, LARGE);
    assert_int_equal(waits, 1);
    assert_int_equal(store_commit_end(w.store, false), 0);
    hold_until_it_waits();
    begin_large(&w);
    expect_ok(w.store, store_begin(w.store));
    append_inquiries(&w, 1, 10);
    expect_ok(w.store, store_drain(w.store));
    assert_int_equal(waits, 1);
    append_inquiries(&w, 1, 10);
    expect_ok(w.store, store_commit(w.store));
    writer_close(&w);
    expect_events(*state, 2 * LARGE + 2);
}

/* --- It fails ---------------------------------------------------------------------------------- */

static const char sentence[] = "the journal: writing a batch failed: Input/output error";

/* Rows enough that the failed batch hands many to the keeper: some are over, the others wait, and wait so long
 * that few stay in memory. The numbers of those that wait. */
static void rows_prepare(struct writer *w, uint64_t *waiting) {
    expect_ok(w->store, store_begin(w->store));
    for (unsigned i = 0; i < FRESH_KEPT_OVER + FRESH_TOGETHER / 2; i++) {
        uint64_t number = writer_submit(w, 1, w->seq + 1, (est_slice){filler, 10});
        writer_answer(w, number);
        writer_acknowledge(w, &number, 1);
    }
    for (unsigned i = 0; i < ROWS; i++)
        waiting[i] = writer_submit(w, 1, w->seq + 1, (est_slice){filler, 10});
    expect_ok(w->store, store_commit(w->store));
    w->store->is_deep = true; /* as if these came back out of a long queue */
}

/* Changes a third of the rows, of all ages; as `first` they have not changed before. Of four one is then over,
 * and one behind the second change. */
static void rows_change(struct writer *w, const uint64_t *waiting, size_t third, bool first) {
    for (size_t i = third; i < ROWS; i += 3) {
        if (i % 2 != 0)
            change_one(w, first ? EVENT_ATTEMPT_FAILED : EVENT_PARKED, waiting[i]);
        else if (first)
            change_one(w, EVENT_ANSWERED, waiting[i]);
        if (i % 4 == (first ? 0 : 2))
            writer_acknowledge(w, &waiting[i], 1);
    }
}

static void failed_write_loses_that_batch_and_the_open_one_only(void **state) {
    static uint64_t waiting[ROWS];
    static struct sight before, after;
    struct writer w = writer_open(*state, 0);
    struct store_head head;
    rows_prepare(&w, waiting);
    sight_take(w.store, waiting, ROWS, &before);
    for (unsigned lap = 0; lap < 2; lap++) {
        uint64_t seq = w.seq;
        disk_calls_hold_journal();
        expect_ok(w.store, store_begin(w.store));
        rows_change(&w, waiting, 0, true);
        append_inquiries(&w, LARGE, BODY);
        uint32_t queued = w.store->fresh.queued;
        w.store->is_deep = true;
        expect_ok(w.store, store_commit_begin(w.store, true));
        assert_true(w.store->fresh.queued + FRESH_TOGETHER < queued); /* handed over */
        expect_ok(w.store, store_begin(w.store));
        rows_change(&w, waiting, 0, false);
        append_inquiries(&w, LARGE, BODY);
        disk_calls_fail(DISK_JOURNAL, 0, EIO);
        disk_calls_let_journal();
        int rc = 1;
        while (rc == 1)
            rc = store_commit_end(w.store, lap == 1);
        expect_error(w.store, rc, -EST_IO, sentence);
        disk_calls_reset();
        struct event event = writer_event(&w, EVENT_EXPIRED, waiting[0], waiting[0]);
        expect_error(w.store, store_append(w.store, &event), -EST_INPUT, "no batch is open");
        store_head(w.store, &head);
        assert_int_equal(head.seq, seq);
        sight_compare(w.store, &before);
        expect_ok(w.store, store_begin(w.store));
        expect_unknown(w.store, w.seq - 1);
        store_abort(w.store);
        w.seq = seq;
    }
    expect_ok(w.store, store_begin(w.store));
    rows_change(&w, waiting, 1, true);
    append_inquiries(&w, LARGE, BODY);
    expect_ok(w.store, store_commit_begin(w.store, true));
    expect_ok(w.store, store_commit_end(w.store, true));
    expect_ok(w.store, store_begin(w.store));
    rows_change(&w, waiting, 1, false);
    expect_ok(w.store, store_commit(w.store));
    sight_take(w.store, waiting, ROWS, &after);
    expect_ok(w.store, store_drain(w.store)); /* or nobody would hear of a keeper that has failed */
    uint64_t seq = w.seq;
    writer_close(&w);
    expect_events(*state, seq);
    w = writer_open(*state, 0);
    sight_compare(w.store, &after);
    writer_close(&w);
}

/* Each waits for the batch that is under way, and meets its failure. */
static int meets_by_append(struct writer *w) {
    int rc = 0;
    while (rc == 0) {
        struct event event = writer_event(w, EVENT_SUBMITTED, w->seq + 1, 0);
        event.submitted.account = 1;
        event.submitted.id = nth_id(event.seq);
        event.submitted.body = (est_slice){filler, BODY};
        rc = store_append(w->store, &event); /* until the ring is full */
    }
    return rc;
}

static int meets_by_definition(struct writer *w) {
    struct event event = writer_event(w, EVENT_ACCOUNT_SET, 0, 0);
    return store_append(w->store, &event);
}

static int meets_by_commit(struct writer *w) {
    return store_commit_begin(w->store, true);
}

static int meets_by_drain(struct writer *w) {
    return store_drain(w->store);
}

static int meets_by_abort(struct writer *w) {
    store_abort(w->store);
    return -EST_IO; /* it cannot tell */
}

/* Who asks what became of the batch hears it all the same, and tells nobody of a promise. */
static void failure_that_another_call_met_is_told_to_who_asks(void **state) {
    static int (*const ways[])(struct writer *) = {meets_by_append, meets_by_definition, meets_by_commit,
                                                   meets_by_drain, meets_by_abort};
    for (size_t way = 0; way < sizeof ways / sizeof ways[0]; way++) {
        struct writer w = writer_open(*state, SMALL);
        uint64_t seq = w.seq;
        hold_until_it_waits();
        begin_large(&w);
        expect_ok(w.store, store_begin(w.store));
        append_inquiries(&w, 1, 10);
        disk_calls_fail(DISK_JOURNAL, 0, EIO);
        expect_error(w.store, ways[way](&w), -EST_IO, sentence);
        assert_int_equal(waits, 1);
        disk_calls_reset();
        store_abort(w.store);
        expect_error(w.store, store_commit_end(w.store, way % 2), -EST_IO, sentence);
        w.seq = seq;
        commit_inquiries(&w, 1, 10);
        assert_int_equal(store_commit_end(w.store, true), 0); /* of this one now */
        writer_close(&w);
        expect_events(*state, seq + 1);
    }
}

/* --- The process dies --------------------------------------------------------------------------- */

static void expect_killed(pid_t child) {
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
        fail_msg("the child ended with status %d", status);
}

static void killed_while_it_is_under_way_leaves_what_was_promised(void **state) {
    pid_t child = fork();
    if (child == 0) {
        struct writer w = writer_open(*state, 0);
        commit_inquiries(&w, 3, 100);
        disk_calls_hold_journal();
        begin_large(&w);
        expect_ok(w.store, store_begin(w.store));
        change_one(&w, EVENT_ANSWERED, 1);
        change_one(&w, EVENT_ANSWERED, 5);
        append_inquiries(&w, LARGE, BODY);
        disk_calls_await_held();
        raise(SIGKILL);
    }
    expect_killed(child);
    expect_events(*state, 3);
}

static void killed_with_a_batch_open_keeps_the_one_that_was_written(void **state) {
    pid_t child = fork();
    if (child == 0) {
        struct writer w = writer_open(*state, 0);
        commit_inquiries(&w, 3, 100);
        disk_calls_hold_journal();
        begin_large(&w);
        expect_ok(w.store, store_begin(w.store));
        change_one(&w, EVENT_ANSWERED, 5);
        append_inquiries(&w, LARGE, BODY);
        disk_calls_let_journal();
        expect_ok(w.store, store_commit_end(w.store, true));
        change_one(&w, EVENT_ANSWERED, 1);
        raise(SIGKILL);
    }
    expect_killed(child);
    expect_events(*state, 3 + LARGE);
}

/* Nobody was told of it, and the next batch takes its place. */
static void batch_that_failed_and_is_on_the_disk_never_comes_back(void **state) {
    pid_t child = fork();
    if (child == 0) {
        struct writer w = writer_open(*state, 0);
        commit_inquiries(&w, 3, 100);
        disk_calls_hold_journal();
        begin_large(&w);
        disk_calls_fail_behind(DISK_JOURNAL, EIO);
        disk_calls_let_journal();
        expect_error(w.store, store_commit_end(w.store, true), -EST_IO, sentence);
        disk_calls_reset();
        disk_calls_hold_data(DISK_HELD_FOREVER);
        w.seq = 3;
        commit_inquiries(&w, 2, 10);
        commit_inquiries(&w, 1, 10);
        raise(SIGKILL);
    }
    expect_killed(child);
    expect_events(*state, 3 + 2 + 1);
}

/* The rows go to the keeper as the batch left that handed them over, whatever became of them before the keeper heard. */
static void rows_in_the_tables_never_have_events_that_the_log_lacks(void **state) {
    pid_t child = fork();
    if (child == 0) {
        static uint64_t waiting[ROWS];
        struct writer w = writer_open(*state, 0);
        rows_prepare(&w, waiting);
        disk_calls_hold_journal();
        uint32_t queued = w.store->fresh.queued;
        begin_large(&w);
        assert_true(w.store->fresh.queued + FRESH_TOGETHER < queued);
        expect_ok(w.store, store_begin(w.store));
        rows_change(&w, waiting, 0, true);
        append_inquiries(&w, LARGE, BODY);
        disk_calls_let_journal();
        expect_ok(w.store, store_commit_end(w.store, true));
        disk_calls_hold_journal();
        expect_ok(w.store, store_commit_begin(w.store, true));
        assert_int_equal(store_commit_end(w.store, false), 1);
        expect_ok(w.store, keeper_drain(w.store)); /* of what it has been told */
        raise(SIGKILL);
    }
    expect_killed(child);
    expect_events(*state, 3 * (FRESH_KEPT_OVER + FRESH_TOGETHER / 2) + ROWS + LARGE);
}

static int setup(void **state) {
    tester = pthread_self();
    disk_calls_reset();
    for (size_t i = 0; i < sizeof filler; i++)
        filler[i] = (uint8_t)(i * 31 + i / 97);
    return scratch_make(state);
}

static int teardown(void **state) {
    disk_calls_reset();
    return scratch_remove(state);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(small_batch_is_on_the_disk_when_its_commit_has_begun),
        TEST(batch_without_an_append_costs_no_write),
        TEST(next_batch_reads_and_changes_what_is_under_way),
        TEST(large_batches_one_after_the_other_are_all_there_in_order),
        TEST(abort_of_the_open_batch_keeps_the_one_under_way),
        TEST(batch_that_defines_things_waits_for_it),
        TEST(batch_that_finds_the_ring_full_waits_for_it),
        TEST(batch_larger_than_the_ring_waits_for_it),
        TEST(the_next_commit_waits_for_it),
        TEST(closing_keeps_what_is_under_way),
        TEST(draining_waits_for_it_with_a_batch_open_and_without),
        TEST(failed_write_loses_that_batch_and_the_open_one_only),
        TEST(failure_that_another_call_met_is_told_to_who_asks),
        TEST(killed_while_it_is_under_way_leaves_what_was_promised),
        TEST(killed_with_a_batch_open_keeps_the_one_that_was_written),
        TEST(batch_that_failed_and_is_on_the_disk_never_comes_back),
        TEST(rows_in_the_tables_never_have_events_that_the_log_lacks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
