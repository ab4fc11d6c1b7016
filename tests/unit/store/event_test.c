/* event_test.c - what each event does to an inquiry's row, and what the events are called. */
#include "sample.h"

#include <string.h>

static struct inquiry_row fold(const enum event_type *types, size_t count) {
    struct inquiry_row row = {0};
    for (size_t i = 0; i < count; i++) {
        struct event event = sample_event(types[i], SAMPLE_USUAL);
        event.seq = 100 + i;
        event.at.us = 1000 + (int64_t)i;
        event.number = 100;
        inquiry_row_apply(&row, &event);
    }
    return row;
}

#define FOLD(...)                                                                                            \
    fold((const enum event_type[]){__VA_ARGS__},                                                             \
         sizeof((const enum event_type[]){__VA_ARGS__}) / sizeof(enum event_type))

static void submitted_fills_the_row(void **state) {
    (void)state;
    struct inquiry_row row = FOLD(EVENT_SUBMITTED);
    struct inquiry_row expected = {.number = 100,
                                   .account = 61,
                                   .type = 62,
                                   .version = 63,
                                   .district = 64,
                                   .purpose = 65,
                                   .state = EST_STATE_WAITING,
                                   .received = {1000},
                                   .due = {-66},
                                   .last_seq = 100};
    expected.id = sample_event(EVENT_SUBMITTED, SAMPLE_USUAL).submitted.id;
    assert_row_equal(&row, &expected);
}

static void failed_attempt_delays_or_queues_again(void **state) {
    (void)state;
    struct inquiry_row row = FOLD(EVENT_SUBMITTED, EVENT_ATTEMPT_FAILED);
    assert_int_equal(row.state, EST_STATE_DELAYED);
    assert_int_equal(row.attempts, 1);
    assert_int_equal(row.code, EST_AGENT_LOST);
    assert_int_equal(row.actor, 52);
    assert_int_equal(row.epoch, 51);
    assert_int_equal(row.not_before.us, 5400);
    assert_int_equal(row.last_seq, 101);
    struct event at_once = sample_event(EVENT_ATTEMPT_FAILED, SAMPLE_USUAL);
    at_once.attempt_failed.not_before.us = at_once.attempt_failed.delayed = 0;
    at_once.at.us = 1002;
    inquiry_row_apply(&row, &at_once);
    assert_int_equal(row.state, EST_STATE_WAITING);
    assert_int_equal(row.attempts, 2);
    assert_int_equal(row.not_before.us, 0);
}

/* The log's time was ahead of the clock, and of the end of the delay. */
static void a_delay_that_ends_before_the_events_own_time_is_one(void **state) {
    (void)state;
    struct inquiry_row row = FOLD(EVENT_SUBMITTED);
    struct event behind = sample_event(EVENT_ATTEMPT_FAILED, SAMPLE_USUAL);
    behind.at.us = behind.attempt_failed.not_before.us + 1000;
    inquiry_row_apply(&row, &behind);
    assert_int_equal(row.state, EST_STATE_DELAYED);
    assert_int_equal(row.not_before.us, 5400);
}

/* The program of that time took it for none, and so do the tables that it left. */
static void a_record_of_old_is_delayed_where_its_times_say_so(void **state) {
    (void)state;
    struct inquiry_row row = FOLD(EVENT_SUBMITTED);
    struct event old = sample_event(EVENT_ATTEMPT_FAILED, SAMPLE_USUAL);
    old.attempt_failed.delayed = 0;
    old.at.us = 5399;
    inquiry_row_apply(&row, &old);
    assert_int_equal(row.state, EST_STATE_DELAYED);
    old.at.us = 5400;
    inquiry_row_apply(&row, &old);
    assert_int_equal(row.state, EST_STATE_WAITING);
}

static void what_is_given_back_waits_as_if_nobody_had_had_it(void **state) {
    (void)state;
    struct inquiry_row row = FOLD(EVENT_SUBMITTED, EVENT_ATTEMPT_FAILED), before = row;
    struct event back = sample_event(EVENT_ATTEMPT_FAILED, SAMPLE_USUAL);
    back.seq = 102;
    back.attempt_failed = (struct event_attempt_failed){.epoch = 77, .account = 78, .code = EST_AGENT_LEFT};
    inquiry_row_apply(&row, &back);
    before.state = EST_STATE_WAITING;
    before.not_before.us = 0;
    before.last_seq = 102;
    assert_row_equal(&row, &before);
    assert_string_equal(event_name(&back), "given-back");
}

static void parked_counts_as_an_attempt_and_requeue_begins_anew(void **state) {
    (void)state;
    struct inquiry_row row = FOLD(EVENT_SUBMITTED, EVENT_ATTEMPT_FAILED, EVENT_PARKED);
    assert_int_equal(row.state, EST_STATE_PARKED);
    assert_int_equal(row.attempts, 2);
    assert_int_equal(row.code, EST_AGENT_REFUSED);
    assert_int_equal(row.actor, 56);
    assert_int_equal(row.epoch, 55);
    assert_int_equal(row.not_before.us, 0);
    row = FOLD(EVENT_SUBMITTED, EVENT_PARKED, EVENT_REQUEUED);
    assert_int_equal(row.state, EST_STATE_WAITING);
    assert_int_equal(row.attempts, 0);
    assert_int_equal(row.code, 0);
    assert_int_equal(row.actor, 58);
    assert_int_equal(row.last_seq, 102);
}

static void redirect_moves_it_and_begins_anew(void **state) {
    (void)state;
    struct inquiry_row row = FOLD(EVENT_SUBMITTED, EVENT_ATTEMPT_FAILED, EVENT_REDIRECTED);
    assert_int_equal(row.state, EST_STATE_WAITING);
    assert_int_equal(row.district, 86);
    assert_int_equal(row.attempts, 0);
    assert_int_equal(row.code, 0);
    assert_int_equal(row.actor, 84);
    assert_int_equal(row.not_before.us, 0);
    assert_int_equal(row.last_seq, 102);
}

static void what_begins_and_what_ends_have_names_of_their_own(void **state) {
    (void)state;
    struct event event = {.type = EVENT_PAUSED, .paused = {.on = 1}};
    assert_string_equal(event_name(&event), "paused");
    event.paused.on = 0;
    assert_string_equal(event_name(&event), "resumed");
    event = (struct event){.type = EVENT_DRAIN, .drain = {.on = 1}};
    assert_string_equal(event_name(&event), "drain-on");
    event.drain.on = 0;
    assert_string_equal(event_name(&event), "drain-off");
    assert_string_equal(event_name(&(struct event){.type = EVENT_REDIRECTED}), "redirected");
}

static void each_end_says_when_and_why(void **state) {
    (void)state;
    struct inquiry_row row = FOLD(EVENT_SUBMITTED, EVENT_ATTEMPT_FAILED, EVENT_ANSWERED);
    assert_int_equal(row.state, EST_STATE_ANSWERED);
    assert_int_equal(row.outcome, EST_OUTCOME_NEGATIVE);
    assert_int_equal(row.code, 0);
    assert_int_equal(row.actor, 72);
    assert_int_equal(row.epoch, 71);
    assert_int_equal(row.not_before.us, 0);
    assert_int_equal(row.ended.us, 1002);
    row = FOLD(EVENT_SUBMITTED, EVENT_EXPIRED);
    assert_int_equal(row.state, EST_STATE_EXPIRED);
    assert_int_equal(row.code, EST_EXPIRED);
    assert_int_equal(row.ended.us, 1001);
    row = FOLD(EVENT_SUBMITTED, EVENT_CANCELLED);
    assert_int_equal(row.state, EST_STATE_CANCELLED);
    assert_int_equal(row.code, EST_CANCELLED);
    assert_int_equal(row.actor, 74);
    assert_int_equal(row.ended.us, 1001);
}

static void acknowledgement_is_no_link_of_the_timeline(void **state) {
    (void)state;
    struct inquiry_row row = FOLD(EVENT_SUBMITTED, EVENT_ANSWERED, EVENT_ACKNOWLEDGED);
    assert_int_equal(row.acked.us, 1002);
    assert_int_equal(row.last_seq, 101);
    assert_int_equal(row.state, EST_STATE_ANSWERED);
}

static void events_about_other_things_change_no_row(void **state) {
    (void)state;
    struct inquiry_row row = FOLD(EVENT_SUBMITTED), same = row;
    const enum event_type others[] = {EVENT_STARTED, EVENT_DEPARTMENT_SET, EVENT_TYPE_SET, EVENT_ACCOUNT_SET,
                                      EVENT_RETIRED, EVENT_PURPOSE_SET,    EVENT_DRAIN,    EVENT_PAUSED};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        struct event event = sample_event(others[i], SAMPLE_USUAL);
        inquiry_row_apply(&row, &event);
    }
    inquiry_row_apply(&row, &(struct event){.seq = 9, .type = (enum event_type)9999});
    assert_row_equal(&row, &same);
}

static void every_event_type_has_its_own_name(void **state) {
    (void)state;
    for (size_t i = 0; i < sample_types_count; i++) {
        assert_string_not_equal(event_type_name(sample_types[i]), "unknown");
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(event_type_name(sample_types[i]), event_type_name(sample_types[j]));
    }
    assert_string_equal(event_type_name(EVENT_ATTEMPT_FAILED), "attempt-failed");
    assert_string_equal(event_type_name(EVENT_NONE), "unknown");
    assert_string_equal(event_type_name((enum event_type)9999), "unknown");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(submitted_fills_the_row),
        cmocka_unit_test(failed_attempt_delays_or_queues_again),
        cmocka_unit_test(a_delay_that_ends_before_the_events_own_time_is_one),
        cmocka_unit_test(a_record_of_old_is_delayed_where_its_times_say_so),
        cmocka_unit_test(what_is_given_back_waits_as_if_nobody_had_had_it),
        cmocka_unit_test(parked_counts_as_an_attempt_and_requeue_begins_anew),
        cmocka_unit_test(redirect_moves_it_and_begins_anew),
        cmocka_unit_test(what_begins_and_what_ends_have_names_of_their_own),
        cmocka_unit_test(each_end_says_when_and_why),
        cmocka_unit_test(acknowledgement_is_no_link_of_the_timeline),
        cmocka_unit_test(events_about_other_things_change_no_row),
        cmocka_unit_test(every_event_type_has_its_own_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
