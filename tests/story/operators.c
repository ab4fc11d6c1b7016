/* operators.c - a department is paused, an inquiry goes to another district, and what an account may. */
#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

/* --- Pause ----------------------------------------------------------------------------------------- */

static void paused_department_gets_no_new_lease_and_finishes_what_it_holds(void **state) {
    (void)state;
    struct world *w = world_new(NULL);
    requester_up(w, 1, PORTAL, 8, ALL_RESULTS);
    agent_up(w, 2, NOSAZI_AGENT, 1);
    operator_up(w, 3);
    submit(w, 1, 1, BEDEHI, 5);
    submit(w, 1, 2, BEDEHI, 5);
    forget(w);
    pause_department(w, 3, NOSAZI, true);
    EXPECT(w, "+paused\ns3 done\n");
    assert_true(core_is_paused(w->core, NOSAZI) && !core_is_paused(w->core, METRO));
    pause_department(w, 3, NOSAZI, true);
    EXPECT(w, "s3 done\n"); /* what is so already is no event */
    submit(w, 1, 3, PASMAND, 5);
    EXPECT(w, "+submitted #3\ns1 accepted #3\n"); /* asking goes on */
    renew(w, 2, 1, 1);
    EXPECT(w, "s2 renewed #1 e1\n");
    answer(w, 2, 1, 1);
    EXPECT(w, "+answered #1\ns2 recorded #1 e1\ns1 result #1\n");
    pause_department(w, 3, NOSAZI, false);
    EXPECT(w, "+resumed\ns3 done\ns2 assign #2 e2 attempt 1\n");
    world_end(&w);
}

static void other_departments_do_not_notice_a_pause(void **state) {
    (void)state;
    struct world *w = world_new(NULL);
    requester_up(w, 1, PORTAL, 8, ALL_RESULTS);
    agent_up(w, 2, METRO_AGENT, 1);
    operator_up(w, 3);
    pause_department(w, 3, NOSAZI, true);
    forget(w);
    submit(w, 1, 1, HARIM, 5);
    EXPECT(w, "+submitted #1\ns1 accepted #1\ns2 assign #1 e1 attempt 1\n");
    world_end(&w);
}

static void an_attempt_that_fails_in_a_pause_waits_for_its_end(void **state) {
    (void)state;
    struct world *w = world_new(NULL);
    requester_up(w, 1, PORTAL, 8, ALL_RESULTS);
    agent_up(w, 2, NOSAZI_AGENT, 1);
    operator_up(w, 3);
    submit(w, 1, 1, BEDEHI, 5);
    pause_department(w, 3, NOSAZI, true);
    forget(w);
    retry(w, 2, 1, 1, 1000);
    EXPECT(w, "s2 recorded #1 e1\n+attempt-failed #1 AGENT_RETRY\n");
    advance(w, 2000);
    EXPECT(w, "");
    agent_up(w, 4, NOSAZI_AGENT, 1); /* nor does a fresh agent get it */
    EXPECT(w, "s4 done\n");
    pause_department(w, 3, NOSAZI, false);
    EXPECT(w, "+resumed\ns3 done\ns2 assign #1 e2 attempt 2\n");
    world_end(&w);
}

static void a_pause_outlives_the_process_and_its_end_too(void **state) {
    (void)state;
    struct world *w = world_new(NULL);
    struct lane_view lane;
    operator_up(w, 3);
    pause_department(w, 3, NOSAZI, true);
    restart(w);
    requester_up(w, 1, PORTAL, 8, ALL_RESULTS);
    agent_up(w, 2, NOSAZI_AGENT, 4);
    operator_up(w, 3);
    forget(w);
    submit(w, 1, 1, BEDEHI, 5);
    EXPECT(w, "+submitted #1\ns1 accepted #1\n");
    core_lane(w->core, 0, &lane);
    assert_true(lane.paused);
    pause_department(w, 3, NOSAZI, false);
    EXPECT(w, "+resumed\ns3 done\ns2 assign #1 e1 attempt 1\n");
    restart(w);
    agent_up(w, 2, NOSAZI_AGENT, 4);
    core_lane(w->core, 0, &lane);
    assert_false(lane.paused);
    assert_int_equal(state_of(w, 1), EST_STATE_LEASED);
    world_end(&w);
}

static void a_deadline_passes_in_a_pause_too(void **state) {
    (void)state;
    struct world *w = world_new(NULL);
    requester_up(w, 1, PORTAL, 8, ALL_RESULTS);
    operator_up(w, 3);
    pause_department(w, 3, NOSAZI, true);
    submit_due(w, 1, 1, BEDEHI, 5000);
    forget(w);
    advance(w, 5000);
    EXPECT(w, "+expired #1\ns1 result #1\n");
    world_end(&w);
}

/* --- Grants in steps ------------------------------------------------------------------------------- */

/* More than a world can tell: a core with the world's city, whose effects are only counted. */
struct crowd {
    struct core *core;
    struct effects effects;
    est_time now;
};

static void crowd_step(struct crowd *crowd, struct input in) {
    core_step(crowd->core, crowd->now, &in, &crowd->effects);
}

static void crowd_init(struct crowd *crowd, const struct world *city) {
    struct core_limits limits = city->limits;
    limits.inquiries_max = 5 * EST_WINDOW_MAX;
    limits.account_open_max = limits.inquiries_max;
    crowd->now = city->now;
    crowd->core = core_new(&limits);
    assert_non_null(crowd->core);
    assert_int_equal(effects_init(&crowd->effects), 0);
    for (size_t i = 0; i < city->events_count; i++)
        core_apply(crowd->core, &city->events[i]);
    crowd_step(crowd, (struct input){.kind = INPUT_SESSION_UP, .session = 1, .up = {PORTAL, 8, NO_RESULTS}});
    crowd_step(crowd, (struct input){.kind = INPUT_SESSION_UP, .session = 2, .up = {DUTY, 1, NO_RESULTS}});
}

static void crowd_ask(struct crowd *crowd, unsigned count) {
    struct input in = {.kind = INPUT_SUBMIT, .session = 1};
    in.submit.it = (struct event_submitted){
        .type = BEDEHI, .version = 1, .district = 5, .due = {crowd->now.us + 3600 * EST_US_PER_S}};
    for (unsigned i = 0; i < count; i++)
        crowd_step(crowd, in);
}

static uint64_t crowd_leased(const struct crowd *crowd) {
    struct core_counts counts;
    core_counts(crowd->core, &counts);
    return counts.leased;
}

static void long_queue_of_a_paused_department_is_given_in_bounded_steps(void **state) {
    (void)state;
    struct world *w = world_new(NULL);
    struct crowd crowd;
    enum { AGENTS = 4, ASKED = AGENTS * EST_WINDOW_MAX - 100 };
    crowd_init(&crowd, w);
    crowd_step(&crowd, (struct input){.kind = INPUT_PAUSE, .session = 2, .pause = {.department = NOSAZI, .on = true}});
    for (uint32_t agent = 3; agent < 3 + AGENTS; agent++) {
        crowd_step(&crowd, (struct input){.kind = INPUT_SESSION_UP, .session = agent, .up = {NOSAZI_AGENT, 1, 0}});
        crowd_step(&crowd, (struct input){.kind = INPUT_READY, .session = agent, .ready = {.window = EST_WINDOW_MAX}});
    }
    crowd_ask(&crowd, ASKED);
    assert_int_equal(crowd_leased(&crowd), 0);
    crowd_step(&crowd, (struct input){.kind = INPUT_PAUSE, .session = 2, .pause = {.department = NOSAZI}});
    assert_true(crowd_leased(&crowd) > 0 && crowd_leased(&crowd) < ASKED); /* as many as one step may bring */
    for (int i = 0; i < 4 && core_wakeup(crowd.core).us <= crowd.now.us; i++)
        crowd_step(&crowd, (struct input){.kind = INPUT_TICK});
    assert_int_equal(crowd_leased(&crowd), ASKED);
    assert_true(core_wakeup(crowd.core).us > crowd.now.us);
    core_free(&crowd.core);
    effects_done(&crowd.effects);
    world_end(&w);
}

/* --- Redirect -------------------------------------------------------------------------------------- */

static void redirected_inquiry_is_offered_where_it_went_and_attempts_start_anew(void **state) {
    (void)state;
    struct world *w = world_new(NULL);
    struct inquiry_view view;
    requester_up(w, 1, PORTAL, 8, ALL_RESULTS);
    agent_up_for(w, 2, NOSAZI_AGENT, 1, BEDEHI, 5);
    agent_up_for(w, 3, NOSAZI_AGENT, 1, BEDEHI, 6);
    operator_up(w, 4);
    submit(w, 1, 1, BEDEHI, 5);
    retry(w, 2, 1, 1, 60000);
    forget(w);
    redirect(w, 4, 1, 6);
    EXPECT(w, "+redirected #1\ns4 done\ns3 assign #1 e2 attempt 1\n");
    assert_true(core_inquiry(w->core, w->numbers[1], &view));
    assert_int_equal(view.row.district, 6);
    answer(w, 3, 1, 2);
    EXPECT(w, "+answered #1\ns3 recorded #1 e2\ns1 result #1\n");
    world_end(&w);
}

static void redirect_takes_the_lease_away_and_its_holder_gets_the_next(void **state) {
    (void)state;
    struct world *w = world_new(NULL);
    requester_up(w, 1, PORTAL, 8, ALL_RESULTS);
    agent_up_for(w, 2, NOSAZI_AGENT, 1, BEDEHI, 5);
    operator_up(w, 4);
    submit(w, 1, 1, BEDEHI, 5);
    submit(w, 1, 2, BEDEHI, 5);
    forget(w);
    redirect(w, 4, 1, 6);
    EXPECT(w, "+redirected #1\ns4 done\ns2 revoke #1 e1 STALE_EPOCH\ns2 assign #2 e2 attempt 1\n");
    assert_int_equal(w->events[w->events_count - 1].redirected.holder, NOSAZI_AGENT);
    assert_int_equal(w->events[w->events_count - 1].redirected.from, 5);
    answer(w, 2, 1, 1);
    EXPECT(w, "s2 refused STALE_EPOCH #1 e1\n");
    assert_int_equal(state_of(w, 1), EST_STATE_WAITING);
    world_end(&w);
}

static void redirected_inquiry_keeps_the_place_of_its_number(void **state) {
    (void)state;
    struct world *w = world_new(NULL);
    requester_up(w, 1, PORTAL, 8, ALL_RESULTS);
    operator_up(w, 4);
    submit(w, 1, 1, BEDEHI, 6);
    submit(w, 1, 2, BEDEHI, 5);
    submit(w, 1, 3, BEDEHI, 6);
    redirect(w, 4, 2, 6);
    forget(w);
    agent_up_for(w, 2, NOSAZI_AGENT, 4, BEDEHI, 6);
    EXPECT(w, "s2 done\ns2 assign #1 e1 attempt 1\ns2 assign #2 e2 attempt 1\ns2 assign #3 e3 attempt 1\n");
    world_end(&w);
}

static void parked_inquiry_can_be_redirected_and_waits_again(void **state) {
    (void)state;
    struct world *w = world_new(NULL);
    requester_up(w, 1, PORTAL, 8, ALL_RESULTS);
    agent_up_for(w, 2, NOSAZI_AGENT, 1, BEDEHI, 5);
    operator_up(w, 4);
    submit(w, 1, 1, BEDEHI, 5);
    refuse_work(w, 2, 1, 1);
    forget(w);
    redirect(w, 4, 1, 0);
    EXPECT(w, "+redirected #1\ns4 done\n");
    assert_int_equal(state_of(w, 1), EST_STATE_WAITING);
    restart(w);
    agent_up(w, 2, NOSAZI_AGENT, 1);
    assert_int_equal(state_of(w, 1), EST_STATE_LEASED);
    world_end(&w);
}

static void what_cannot_be_redirected_is_refused(void **state) {
    (void)state;
    struct world *w = world_new(NULL);
    requester_up(w, 1, PORTAL, 8, ALL_RESULTS);
    agent_up(w, 2, NOSAZI_AGENT, 1);
    operator_up(w, 4);
    submit(w, 1, 1, BEDEHI, 5);
    forget(w);
    redirect(w, 4, 1, 5);
    EXPECT(w, "s4 refused INVALID_FIELD\n"); /* it is there already */
    redirect(w, 4, 9, 6);
    EXPECT(w, "s4 refused NOT_FOUND\n");
    answer(w, 2, 1, 1);
    forget(w);
    redirect(w, 4, 1, 6);
    EXPECT(w, "s4 refused ALREADY_FINAL\n");
    ack(w, 1, 1);
    forget(w);
    redirect(w, 4, 1, 6); /* the core has forgotten it; the store has not */
    EXPECT(w, "s4 refused ALREADY_FINAL\n");
    world_end(&w);
}

static void one_lane(struct core_limits *l) {
    l->lanes_max = 1;
}

static void no_room_for_another_lane_is_busy(void **state) {
    (void)state;
    struct world *w = world_new(one_lane);
    requester_up(w, 1, PORTAL, 8, ALL_RESULTS);
    operator_up(w, 4);
    submit(w, 1, 1, BEDEHI, 5);
    forget(w);
    redirect(w, 4, 1, 6);
    EXPECT(w, "s4 refused BUSY\n");
    world_end(&w);
}

/* --- Levels ---------------------------------------------------------------------------------------- */

static void an_account_without_a_level_in_the_record_is_an_operator(void **state) {
    (void)state;
    struct world *w = world_new(NULL);
    struct account_view view;
    core_account(w->core, DUTY, &view);
    assert_int_equal(view.level, EST_LEVEL_OPERATOR);
    core_account(w->core, NOSAZI_AGENT, &view);
    assert_int_equal(view.level, EST_LEVEL_NONE);
    struct event e = {.type = EVENT_ACCOUNT_SET,
                      .account_set = {.account = DUTY, .role = ROLE_OPERATOR, .level = EST_LEVEL_OBSERVER}};
    core_apply(w->core, &e);
    core_account(w->core, DUTY, &view);
    assert_int_equal(view.level, EST_LEVEL_OBSERVER);
    world_end(&w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paused_department_gets_no_new_lease_and_finishes_what_it_holds),
        cmocka_unit_test(other_departments_do_not_notice_a_pause),
        cmocka_unit_test(an_attempt_that_fails_in_a_pause_waits_for_its_end),
        cmocka_unit_test(a_pause_outlives_the_process_and_its_end_too),
        cmocka_unit_test(a_deadline_passes_in_a_pause_too),
        cmocka_unit_test(long_queue_of_a_paused_department_is_given_in_bounded_steps),
        cmocka_unit_test(redirected_inquiry_is_offered_where_it_went_and_attempts_start_anew),
        cmocka_unit_test(redirect_takes_the_lease_away_and_its_holder_gets_the_next),
        cmocka_unit_test(redirected_inquiry_keeps_the_place_of_its_number),
        cmocka_unit_test(parked_inquiry_can_be_redirected_and_waits_again),
        cmocka_unit_test(what_cannot_be_redirected_is_refused),
        cmocka_unit_test(no_room_for_another_lane_is_busy),
        cmocka_unit_test(an_account_without_a_level_in_the_record_is_an_operator),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
