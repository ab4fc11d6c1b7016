/* fold_test.c - the tables are the fold of the log, however the log was cut into batches.
 *
 * A long random life of many inquiries is written once in the test's own memory, as a model, and
 * played into stores with different batches, some of them aborted and played again.
 */
#include "sample.h"

#include <stdio.h>
#include <stdlib.h>

enum { INQUIRIES = 3000, EVENTS = 20000, ACCOUNTS = 3 };

/* xorshift: the same story in every run. */
static uint32_t chance(uint64_t *seed, uint32_t below) {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return (uint32_t)((*seed >> 11) % below);
}

struct story {
    struct event events[EVENTS];
    uint64_t acknowledged[EVENTS]; /* the one number of an ACKNOWLEDGED, by its event */
    size_t count;
    struct inquiry_row rows[INQUIRIES];
    size_t inquiries;
};

static void story_add(struct story *story, struct event event, struct inquiry_row *row) {
    size_t at = story->count++;
    event.seq = at + 1;
    event.at.us = 1000 + (int64_t)at / 3;
    if (event.type == EVENT_SUBMITTED)
        event.number = event.seq;
    if (event.type == EVENT_ACKNOWLEDGED) {
        story->acknowledged[at] = row->number;
        event.acknowledged = (struct event_acknowledged){1, &story->acknowledged[at], 1, {NULL, 0}};
    }
    story->events[at] = event;
    inquiry_row_apply(row, &event);
}

static void story_submit(struct story *story, uint64_t *seed) {
    struct event event = sample_event(EVENT_SUBMITTED, SAMPLE_USUAL);
    size_t nth = story->inquiries++;
    event.previous = 0;
    event.submitted.account = 1 + (uint32_t)(nth % ACCOUNTS);
    event.submitted.id = nth_id(chance(seed, 1000000) * UINT64_C(100000) + nth); /* in no order */
    event.submitted.body.data = "0123456789abcdefghijklmnopqrstuv";
    event.submitted.body.size = chance(seed, 33);
    story_add(story, event, &story->rows[nth]);
}

static void story_continue(struct story *story, uint64_t *seed) {
    static const enum event_type next[] = {EVENT_ATTEMPT_FAILED, EVENT_ATTEMPT_FAILED, EVENT_PARKED,
                                           EVENT_REQUEUED,       EVENT_ANSWERED,       EVENT_EXPIRED,
                                           EVENT_CANCELLED,      EVENT_REDIRECTED};
    struct inquiry_row *row = &story->rows[chance(seed, (uint32_t)story->inquiries)];
    if (row->acked.us != 0)
        return;
    bool ended = est_state_is_final((enum est_state)row->state);
    struct event event = sample_event(ended ? EVENT_ACKNOWLEDGED : next[chance(seed, 8)], SAMPLE_USUAL);
    event.number = ended ? 0 : row->number;
    event.previous = ended ? 0 : row->last_seq;
    story_add(story, event, row);
}

static struct story *story_new(void) {
    struct story *story = calloc(1, sizeof *story);
    uint64_t seed = 88172645463325252u;
    assert_non_null(story);
    while (story->inquiries < INQUIRIES && story->count < EVENTS) {
        if (story->inquiries == 0 || chance(&seed, 4) == 0)
            story_submit(story, &seed);
        else
            story_continue(story, &seed);
    }
    assert_int_equal(story->inquiries, INQUIRIES);
    return story;
}

/* Batches of 1 ... `most` events; every third is aborted first and then played again. */
static uint64_t story_play(const struct story *story, const struct scratch *scratch, uint32_t most) {
    struct writer w = writer_open(scratch, 0);
    uint64_t seed = 4711 + most;
    for (size_t from = 0, turn = 0; from < story->count; turn++) {
        size_t until = from + 1 + chance(&seed, most);
        until = until < story->count ? until : story->count;
        expect_ok(w.store, store_begin(w.store));
        for (size_t i = from; i < until; i++)
            writer_append(&w, &story->events[i]);
        if (turn % 3 == 0) {
            store_abort(w.store);
            continue;
        }
        expect_ok(w.store, store_commit(w.store));
        from = until;
    }
    struct store_head head;
    store_head(w.store, &head);
    assert_int_equal(head.seq, story->count);
    writer_close(&w);
    return head.digest;
}

struct open_walk {
    const struct story *story;
    size_t at;
    uint64_t seen;
};

/* Rows come by number, as they were submitted; those not open are passed over. */
static int expect_open(void *arg, const struct inquiry_row *row) {
    struct open_walk *walk = arg;
    while (walk->at < walk->story->inquiries && walk->story->rows[walk->at].acked.us != 0)
        walk->at++;
    assert_true(walk->at < walk->story->inquiries);
    assert_row_equal(row, &walk->story->rows[walk->at++]);
    walk->seen++;
    return 0;
}

static void expect_story(const struct story *story, const struct scratch *scratch) {
    struct writer w = writer_open(scratch, 0);
    struct open_walk walk = {story, 0, 0};
    uint64_t open = 0;
    expect_ok(w.store, store_each_open(w.store, expect_open, &walk));
    expect_ok(w.store, store_begin(w.store));
    for (size_t i = 0; i < story->inquiries; i++) {
        struct inquiry_row row;
        uint64_t number;
        open += story->rows[i].acked.us == 0;
        expect_ok(w.store, store_row(w.store, story->rows[i].number, &row));
        assert_row_equal(&row, &story->rows[i]);
        expect_ok(w.store, store_find(w.store, row.account, &row.id, &number));
        assert_int_equal(number, row.number);
    }
    assert_int_equal(walk.seen, open);
    store_abort(w.store);
    writer_close(&w);
}

static void rows_equal_the_fold_of_the_log(void **state) {
    struct story *story = story_new();
    story_play(story, *state, 400);
    expect_story(story, *state);
    free(story);
}

static void digest_is_the_same_however_batches_are_cut(void **state) {
    static const uint32_t cuts[] = {20, 1000, EVENTS};
    struct scratch *scratch = *state;
    struct story *story = story_new();
    uint64_t digests[3];
    for (size_t i = 0; i < 3; i++) {
        struct scratch one = *scratch;
        snprintf(one.store, sizeof one.store, "%s/cut-%zu", scratch->folder, i);
        digests[i] = story_play(story, &one, cuts[i]);
        assert_true(digests[i] == digests[0]);
    }
    struct scratch other = *scratch;
    snprintf(other.store, sizeof other.store, "%s/other", scratch->folder);
    story->events[story->count / 2].generation++; /* and differs when anything differs */
    assert_true(story_play(story, &other, EVENTS) != digests[0]);
    free(story);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(rows_equal_the_fold_of_the_log, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(digest_is_the_same_however_batches_are_cut, scratch_make,
                                        scratch_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
