/* fresh_test.c - rows that have not settled yet survive everything that the log survives.
 *
 * A long life of many inquiries, more than stay fresh, is played into a store by a child that is
 * killed in the middle, whatever journal and keeper are at; the parent opens what it left, and every
 * row in it must be what the model says; so must the list of the open ones, and every id. Then
 * the next child goes on. The model is in memory that both share.
 */
#include "sample.h"

#include "room.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { INQUIRIES = FRESH_KEPT * 3 / 2, BATCH = 700, CRASH_EVERY = 6000, LINGERING = 97 };
_Static_assert(INQUIRIES > FRESH_KEPT + FRESH_TOGETHER, "more than stay fresh");

struct model {
    struct inquiry_row *rows; /* the nth inquiry */
    est_slice body;
    size_t submitted, answered, acknowledged;
};

static uint64_t nth_of(size_t n) {
    return (uint64_t)n * 7919 % 1000003; /* ids in no order, none twice */
}

static void model_apply(struct model *m, struct writer *w, size_t n, const struct event *e) {
    writer_append(w, e);
    inquiry_row_apply(&m->rows[n], e);
}

static void submit_next(struct model *m, struct writer *w) {
    struct event e = writer_event(w, EVENT_SUBMITTED, 0, 0);
    size_t n = m->submitted++;
    e.number = e.seq;
    e.submitted = (struct event_submitted){
        .id = nth_id(nth_of(n)), .account = 1 + n % 3, .type = 2, .version = 1, .district = n % 23, .due = {e.at.us + 1000000}, .body = m->body};
    model_apply(m, w, n, &e);
}

/* All but a few are answered soon after; those linger for the length of the test. */
static void answer_next(struct model *m, struct writer *w) {
    size_t n = m->answered++;
    if (n % LINGERING == 0)
        return;
    struct event e = writer_event(w, EVENT_ANSWERED, m->rows[n].number, m->rows[n].last_seq);
    e.answered = (struct event_answered){.epoch = 5, .account = 9, .outcome = EST_OUTCOME_POSITIVE, .body = m->body};
    model_apply(m, w, n, &e);
}

static void acknowledge_next(struct model *m, struct writer *w) {
    uint64_t numbers[64];
    size_t count = 0, first = m->acknowledged;
    for (; count < 64 && m->acknowledged < m->answered; m->acknowledged++)
        if (m->acknowledged % LINGERING != 0)
            numbers[count++] = m->rows[m->acknowledged].number;
    if (count == 0)
        return;
    struct event e = writer_event(w, EVENT_ACKNOWLEDGED, 0, 0);
    e.acknowledged = (struct event_acknowledged){1, numbers, count, {NULL, 0}};
    writer_append(w, &e);
    for (size_t n = first; n < m->acknowledged; n++)
        if (n % LINGERING != 0)
            inquiry_row_apply(&m->rows[n], &e);
}

/* --- Crashes ---------------------------------------------------------------------------------------- */

struct open_walk { const struct model *m; size_t next; };

static int open_see(void *arg, const struct inquiry_row *row) {
    struct open_walk *it = arg;
    while (it->next < it->m->submitted && it->m->rows[it->next].acked.us != 0)
        it->next++;
    assert_true(it->next < it->m->submitted);
    assert_row_equal(row, &it->m->rows[it->next++]);
    return 0;
}

static void rows_are_the_models(struct store *store, const struct model *m) {
    struct open_walk it = {m, 0};
    expect_ok(store, store_each_open(store, open_see, &it));
    while (it.next < m->submitted && m->rows[it.next].acked.us != 0)
        it.next++;
    assert_int_equal(it.next, m->submitted);
    expect_ok(store, store_begin(store));
    for (size_t n = 0; n < m->submitted; n++) {
        struct inquiry_row row;
        uint64_t number = 0;
        expect_ok(store, store_row(store, m->rows[n].number, &row));
        assert_row_equal(&row, &m->rows[n]);
        expect_ok(store, store_find(store, m->rows[n].account, &m->rows[n].id, &number));
        assert_int_equal(number, m->rows[n].number);
    }
    store_abort(store);
}

static void store_is_whole(const struct scratch *scratch, const struct model *m, bool read_only) {
    struct store *store = NULL;
    struct store_options options = {.directory = scratch->store, .read_only = read_only};
    if (store_open(&options, &store) != 0)
        fail_msg("%s", store_error(NULL));
    rows_are_the_models(store, m);
    store_close(&store);
}

static void *shared(size_t size) {
    void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(at != MAP_FAILED);
    return at;
}

static struct model *model_new(void) {
    struct model *m = shared(sizeof *m);
    *m = (struct model){.rows = shared(INQUIRIES * sizeof *m->rows), .body = {"0123456789abcdef", 16}};
    return m;
}

static void model_free(struct model *m) {
    munmap(m->rows, INQUIRIES * sizeof *m->rows);
    munmap(m, sizeof *m);
}

static void batch_play(struct model *m, struct writer *w) {
    expect_ok(w->store, store_begin(w->store));
    for (int i = 0; i < BATCH && m->submitted < INQUIRIES; i++)
        submit_next(m, w);
    while (m->answered + BATCH < m->submitted)
        answer_next(m, w);
    while (m->acknowledged + 2 * BATCH < m->answered)
        acknowledge_next(m, w);
    expect_ok(w->store, store_commit(w->store));
}

/* A child goes on with the life, and dies between two batches without a last word. As `deep` it keeps few rows
 * fresh, as in a long queue. */
static void live_and_die(const struct scratch *scratch, struct model *m, bool deep) {
    pid_t child = fork();
    if (child == 0) {
        struct writer w = writer_open(scratch, 0);
        w.store->is_deep = deep;
        size_t until = m->submitted + CRASH_EVERY;
        while (m->submitted < INQUIRIES && m->submitted < until)
            batch_play(m, &w);
        raise(SIGKILL);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void rows_survive_a_crash_at_any_time(void **state) {
    struct scratch *scratch = *state;
    struct model *m = model_new();
    while (m->submitted < INQUIRIES) {
        live_and_die(scratch, m, true);
        live_and_die(scratch, m, false); /* also where the one before left everything to be put right */
        store_is_whole(scratch, m, false);
        store_is_whole(scratch, m, true); /* closed in order: settled now, and the same */
    }
    model_free(m);
}

/* While the test itself writes, the keeper cannot: everything that is due is handed to it and waits,
 * each row as often as it changed, until there is no more room for that. */
static void rows_outlive_a_keeper_that_is_late(void **state) {
    enum { LATE = FRESH_CAPACITY / 3 + 2000 };
    struct scratch *scratch = *state;
    struct model *m = model_new();
    struct writer w = writer_open(scratch, 0);
    MDB_txn *held;
    w.store->is_deep = true; /* what changes is due soon */
    expect_ok(w.store, store_drain(w.store));
    assert_int_equal(mdb_txn_begin(w.store->env, NULL, 0, &held), 0);
    while (m->acknowledged < LATE) {
        expect_ok(w.store, store_begin(w.store));
        for (int i = 0; i < BATCH; i++)
            if (m->submitted < LATE)
                submit_next(m, &w);
            else if (m->answered < LATE)
                answer_next(m, &w);
            else if (m->acknowledged < LATE)
                acknowledge_next(m, &w);
        expect_ok(w.store, store_commit(w.store));
    }
    assert_false(keeper_has_room(w.store));
    mdb_txn_abort(held);
    expect_ok(w.store, store_drain(w.store));
    assert_int_equal(w.store->fresh.count, w.store->fresh.queued); /* what has settled is forgotten */
    rows_are_the_models(w.store, m);
    writer_close(&w);
    store_is_whole(scratch, m, true);
    model_free(m);
}

static void an_aborted_batch_leaves_fresh_rows_as_they_were(void **state) {
    struct scratch *scratch = *state;
    struct model *shared_model = model_new(), m = *shared_model;
    struct writer w = writer_open(scratch, 0);
    expect_ok(w.store, store_begin(w.store));
    for (int i = 0; i < 100; i++)
        submit_next(&m, &w);
    expect_ok(w.store, store_commit(w.store));
    uint64_t seq = w.seq;
    struct inquiry_row kept = m.rows[1];
    expect_ok(w.store, store_begin(w.store));
    m.answered = 1;
    answer_next(&m, &w);
    submit_next(&m, &w);
    store_abort(w.store);
    m.rows[1] = kept;
    m.submitted = 100;
    w.seq = seq;
    rows_are_the_models(w.store, &m);
    writer_close(&w);
    model_free(shared_model);
}

static void many_finish(struct writer *w, uint64_t first, uint64_t count) {
    static const est_slice body = {"\x80", 1};
    for (uint64_t i = 0; i < count; i++) {
        uint64_t number = writer_submit(w, 3, first + i, body);
        writer_answer(w, number);
        writer_acknowledge(w, &number, 1);
    }
}

/* Both the keeper and such a batch append to `ended`, and each has to know how far the other went. Here
 * one that ended late is the first that the batch settles, and the keeper has settled later ones. */
static void row_that_ends_late_settles_in_a_batch_past_the_keeper(void **state) {
    enum { FIRST = FRESH_KEPT_DEEP + 2 * FRESH_TOGETHER };
    struct writer w = writer_open(*state, 0);
    w.store->is_deep = true;
    expect_ok(w.store, store_begin(w.store));
    expect_ok(w.store, store_drain(w.store)); /* past the keeper from here on */
    many_finish(&w, 1 << 20, FIRST);
    expect_ok(w.store, store_commit(w.store));
    expect_ok(w.store, store_begin(w.store));
    uint64_t late = writer_submit(&w, 3, 1, (est_slice){"\x80", 1});
    many_finish(&w, 2 << 20, FIRST);
    expect_ok(w.store, store_commit(w.store));
    /* FRESH_KEPT_OVER are left. So many more that none settles yet, then as many as bring the late one to the front. */
    expect_ok(w.store, store_begin(w.store));
    many_finish(&w, 3 << 20, FRESH_TOGETHER - 24);
    expect_ok(w.store, store_commit(w.store));
    expect_ok(w.store, store_begin(w.store));
    writer_answer(&w, late);
    writer_acknowledge(&w, &late, 1);
    many_finish(&w, 4 << 20, FRESH_KEPT_OVER - 1);
    expect_ok(w.store, store_commit(w.store));
    expect_ok(w.store, store_drain(w.store));
    expect_ok(w.store, store_begin(w.store));
    expect_ok(w.store, store_drain(w.store));
    many_finish(&w, 5 << 20, 2 * FRESH_TOGETHER);
    expect_ok(w.store, store_commit(w.store));
    writer_close(&w);
}

/* --- How many stay fresh ------------------------------------------------------------------------------ */

static void submit_many(struct writer *w, uint64_t count) {
    for (uint64_t i = 0; i < count; i++) {
        if (i % BATCH == 0)
            expect_ok(w->store, store_begin(w->store));
        writer_submit(w, 1, w->seq + 1, (est_slice){"\x80", 1});
        if (i % BATCH == BATCH - 1 || i + 1 == count)
            expect_ok(w->store, store_commit(w->store));
    }
}

static void answer_in_a_batch(struct writer *w, uint64_t number) {
    expect_ok(w->store, store_begin(w->store));
    writer_answer(w, number);
    expect_ok(w->store, store_commit(w->store));
}

/* What comes back out of `open` tells how long the queue is: where it is older than all that could be kept, keeping
 * brings nothing; where it is not, it need not have gone. */
static void a_short_queue_stays_fresh_and_a_long_one_settles_early(void **state) {
    enum { FEW = FRESH_KEPT / 2, LONG = FRESH_EVENTS + 3 * BATCH };
    struct writer w = writer_open(*state, 0);
    const struct fresh *fresh = &w.store->fresh;
    submit_many(&w, FEW);
    answer_in_a_batch(&w, 1);
    assert_int_equal(fresh->queued, FEW);
    submit_many(&w, LONG - FEW);
    expect_ok(w.store, store_drain(w.store));
    assert_in_range(fresh->queued, FRESH_KEPT, FRESH_KEPT + FRESH_TOGETHER);
    answer_in_a_batch(&w, 2); /* came back, as old as can be */
    assert_in_range(fresh->queued, 1, FRESH_KEPT_DEEP);
    submit_many(&w, FEW);
    assert_in_range(fresh->queued, 1, FRESH_KEPT_DEEP + FRESH_TOGETHER);
    /* All that is older than FRESH_EVENTS is answered; the next one is younger. */
    expect_ok(w.store, store_drain(w.store));
    uint64_t young = w.seq + 2 - FRESH_EVENTS;
    answer_in_a_batch(&w, young - 1);
    submit_many(&w, 2 * FRESH_TOGETHER);
    assert_in_range(fresh->queued, 1, FRESH_KEPT_DEEP + FRESH_TOGETHER);
    expect_ok(w.store, store_drain(w.store));
    answer_in_a_batch(&w, w.seq + 2 - FRESH_EVENTS);
    submit_many(&w, FEW);
    assert_in_range(fresh->queued, FEW, FEW + FRESH_KEPT_DEEP + FRESH_TOGETHER + 1);
    writer_close(&w);
}

static void expect_found(struct store *store, uint64_t nth) {
    uint64_t number = 0;
    est_id id = nth_id(nth);
    expect_ok(store, store_find(store, 1, &id, &number));
    assert_int_equal(number, nth);
}

/* The nth event is an inquiry with the nth id. */
static void id_of_a_row_that_came_back_is_found_where_it_settled(void **state) {
    struct writer w = writer_open(*state, 0);
    struct store *store = w.store;
    est_id id = nth_id(1);
    store->is_deep = true;
    submit_many(&w, 2 * FRESH_TOGETHER);
    expect_ok(store, store_drain(store));
    assert_int_equal(fresh_find(&store->fresh, 1), FRESH_NONE);
    expect_ok(store, store_begin(store));
    writer_answer(&w, 1);
    assert_int_not_equal(fresh_find(&store->fresh, 1), FRESH_NONE);
    assert_int_equal(fresh_find_id(&store->fresh, 1, &id), FRESH_NONE);
    expect_found(store, 1);
    expect_ok(store, store_commit(store));
    store->is_deep = true;
    uint64_t newest = w.seq + 1;
    submit_many(&w, 2 * FRESH_TOGETHER);
    expect_ok(store, store_drain(store));
    assert_int_equal(fresh_find(&store->fresh, 1), FRESH_NONE);
    expect_ok(store, store_begin(store));
    expect_found(store, 1);
    expect_found(store, newest);
    struct event again = writer_event(&w, EVENT_SUBMITTED, w.seq + 1, 0);
    again.submitted.account = 1;
    again.submitted.id = nth_id(w.seq - 1); /* one that is fresh */
    expect_error(store, store_append(store, &again), -EST_INPUT, "has used already");
    store_abort(store);
    writer_close(&w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(rows_survive_a_crash_at_any_time, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(rows_outlive_a_keeper_that_is_late, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(row_that_ends_late_settles_in_a_batch_past_the_keeper, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(an_aborted_batch_leaves_fresh_rows_as_they_were, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(a_short_queue_stays_fresh_and_a_long_one_settles_early, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(id_of_a_row_that_came_back_is_found_where_it_settled, scratch_make, scratch_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
