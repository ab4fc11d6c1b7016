/* limits.c - every full table is an answer, and draining refuses politely. */
#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void three_open(struct core_limits *l) { l->inquiries_max = 3; }
static void two_an_account(struct core_limits *l) { l->account_open_max = 2; }
static void one_lane(struct core_limits *l) { l->lanes_max = 1; }
static void three_sessions(struct core_limits *l) { l->sessions_max = 3, l->window_max = 2; }

static void a_full_table_is_busy_and_frees_with_an_acknowledgement(void **state) {
    (void)state;
    struct world *w = world_new(three_open);
    requester_up(w, 1, PORTAL, 8, ALL_RESULTS);
    agent_up(w, 2, NOSAZI_AGENT, 1);
    for (unsigned i = 1; i <= 3; i++)
        submit(w, 1, i, BEDEHI, 5);
    forget(w);
    submit(w, 1, 4, BEDEHI, 5);
    EXPECT(w, "s1 refused BUSY\n");
    submit(w, 1, 3, BEDEHI, 5); /* a resend is not new */
    EXPECT(w, "s1 accepted again #3\n");
    answer(w, 2, 1, 1);
    forget(w);
    submit(w, 1, 4, BEDEHI, 5);
    EXPECT(w, "s1 refused BUSY\n"); /* its result still has to be kept */
    ack(w, 1, 1);
    forget(w);
    submit(w, 1, 4, BEDEHI, 5);
    EXPECT(w, "+submitted #4\ns1 accepted #4\n");
    world_end(&w);
}

static void an_account_at_its_limit_does_not_stop_another(void **state) {
    (void)state;
    struct world *w = world_new(two_an_account);
    requester_up(w, 1, PORTAL, 8, ALL_RESULTS);
    requester_up(w, 2, BANK, 8, ALL_RESULTS);
    submit(w, 1, 1, BEDEHI, 5);
    submit(w, 1, 2, BEDEHI, 5);
    forget(w);
    submit(w, 1, 3, BEDEHI, 5);
    EXPECT(w, "s1 refused BUSY\n");
    submit(w, 2, 1, BEDEHI, 5);
    EXPECT(w, "+submitted #3\ns2 accepted #3\n");
    world_end(&w);
}

static void an_account_that_acknowledges_nothing_keeps_to_its_own_places(void **state) {
    (void)state;
    struct world *w = world_new(two_an_account);
    requester_up(w, 1, PORTAL, 8, ALL_RESULTS);
    requester_up(w, 2, BANK, 8, ALL_RESULTS);
    agent_up(w, 3, NOSAZI_AGENT, 2);
    for (unsigned i = 1; i <= 2; i++) {
        submit(w, 1, i, BEDEHI, 5);
        answer(w, 3, i, i);
    }
    forget(w);
    submit(w, 1, 3, BEDEHI, 5);
    EXPECT(w, "s1 refused BUSY\n");
    submit(w, 2, 1, BEDEHI, 5);
    EXPECT(w, "+submitted #3\ns2 accepted #3\ns3 assign #3 e3 attempt 1\n");
    restart(w);
    requester_up(w, 1, PORTAL, 8, ALL_RESULTS);
    forget(w);
    submit(w, 1, 3, BEDEHI, 5);
    EXPECT(w, "s1 refused BUSY\n");
    ack(w, 1, 1);
    forget(w);
    submit(w, 1, 3, BEDEHI, 5);
    EXPECT(w, "+submitted #4\ns1 accepted #4\n");
    world_end(&w);
}

static void no_room_for_a_lane_is_busy(void **state) {
    (void)state;
    struct world *w = world_new(one_lane);
    requester_up(w, 1, PORTAL, 8, ALL_RESULTS);
    submit(w, 1, 1, BEDEHI, 5);
    forget(w);
    submit(w, 1, 2, BEDEHI, 6);
    EXPECT(w, "s1 refused BUSY\n");
    submit(w, 1, 3, BEDEHI, 5);
    EXPECT(w, "+submitted #2\ns1 accepted #2\n");
    world_end(&w);
}

/* The core has room for as many leases as windows allow; what one agent lost, the next one holds. */
static void every_window_is_full_again_after_an_agent_was_lost(void **state) {
    (void)state;
    struct world *w = world_new(three_sessions);
    requester_up(w, 0, PORTAL, 2, ALL_RESULTS);
    agent_up(w, 1, NOSAZI_AGENT, 2);
    agent_up(w, 2, NOSAZI_AGENT, 9);
    for (unsigned i = 1; i <= 5; i++)
        submit(w, 0, i, BEDEHI, 5);
    forget(w);
    session_down(w, 1);
    EXPECT(w, "+attempt-failed #3 AGENT_LOST\n+attempt-failed #1 AGENT_LOST\n");
    agent_up(w, 1, NOSAZI_AGENT, 2);
    EXPECT(w, "s1 done\ns1 assign #1 e5 attempt 2\ns1 assign #3 e6 attempt 2\n");
    answer(w, 2, 2, 2);
    EXPECT(w, "+answered #2\ns2 recorded #2 e2\ns0 result #2\ns2 assign #5 e7 attempt 1\n");
    world_end(&w);
}

static void a_full_store_refuses_the_new_and_takes_the_answers(void **state) {
    (void)state;
    struct world *w = world_new(NULL);
    requester_up(w, 1, PORTAL, 8, ALL_RESULTS);
    agent_up(w, 2, NOSAZI_AGENT, 4);
    submit(w, 1, 1, BEDEHI, 5);
    store_full(w, true);
    forget(w);
    submit(w, 1, 2, BEDEHI, 5);
    EXPECT(w, "s1 refused BUSY\n");
    answer(w, 2, 1, 1);
    EXPECT(w, "+answered #1\ns2 recorded #1 e1\ns1 result #1\n");
    store_full(w, false);
    submit(w, 1, 2, BEDEHI, 5);
    EXPECT(w, "+submitted #2\ns1 accepted #2\ns2 assign #2 e2 attempt 1\n");
    world_end(&w);
}

/* What has ended and only waits to be acknowledged is not open, before a restart and after it. */
static void results_that_wait_over_a_restart_do_not_shut_out_their_account(void **state) {
    (void)state;
    struct world *w = world_new(NULL);
    requester_up(w, 1, PORTAL, 8, NO_RESULTS);
    agent_up(w, 2, NOSAZI_AGENT, 4);
    submit(w, 1, 1, BEDEHI, 5);
    answer(w, 2, 1, 1);
    restart(w);
    requester_up(w, 1, PORTAL, 8, NO_RESULTS);
    forget(w);
    submit(w, 1, 2, BEDEHI, 5);
    EXPECT(w, "+submitted #2\ns1 accepted #2\n");
    world_end(&w);
}

static void draining_takes_answers_gives_no_work_and_ends(void **state) {
    (void)state;
    struct world *w = world_new(NULL);
    requester_up(w, 1, PORTAL, 8, ALL_RESULTS);
    agent_up(w, 2, NOSAZI_AGENT, 1);
    operator_up(w, 3);
    submit(w, 1, 1, BEDEHI, 5);
    submit(w, 1, 2, BEDEHI, 5);
    forget(w);
    drain(w, 3, true);
    EXPECT(w, "+drain\ns3 done\n");
    drain(w, 3, true);
    EXPECT(w, "s3 done\n");
    submit(w, 1, 3, BEDEHI, 5);
    EXPECT(w, "s1 refused DRAINING\n");
    answer(w, 2, 1, 1);
    EXPECT(w, "+answered #1\ns2 recorded #1 e1\ns1 result #1\n");
    drain(w, 3, false);
    EXPECT(w, "+drain\ns3 done\ns2 assign #2 e2 attempt 1\n");
    world_end(&w);
}

static void draining_does_not_outlive_the_process(void **state) {
    (void)state;
    struct world *w = world_new(NULL);
    operator_up(w, 3);
    drain(w, 3, true);
    restart(w);
    requester_up(w, 1, PORTAL, 8, ALL_RESULTS);
    forget(w);
    submit(w, 1, 1, BEDEHI, 5);
    EXPECT(w, "+submitted #1\ns1 accepted #1\n");
    world_end(&w);
}

static void the_log_never_goes_back_in_time(void **state) {
    (void)state;
    struct world *w = world_new(NULL);
    requester_up(w, 1, PORTAL, 8, ALL_RESULTS);
    submit(w, 1, 1, BEDEHI, 5);
    w->now.us -= 3600 * EST_US_PER_S; /* somebody set the clock back; tell_event compares times */
    submit(w, 1, 2, BEDEHI, 5);
    forget(w);
    world_end(&w);
}

static void one_department_without_agents_delays_no_other(void **state) {
    (void)state;
    struct world *w = world_new(NULL);
    requester_up(w, 1, PORTAL, 64, ALL_RESULTS);
    agent_up(w, 2, METRO_AGENT, 4);
    for (unsigned i = 1; i <= 50; i++)
        submit(w, 1, i, BEDEHI, 5);
    forget(w);
    submit(w, 1, 100, HARIM, 5);
    EXPECT(w, "+submitted #51\ns1 accepted #51\ns2 assign #51 e1 attempt 1\n");
    world_end(&w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_table_is_busy_and_frees_with_an_acknowledgement),
        cmocka_unit_test(an_account_at_its_limit_does_not_stop_another),
        cmocka_unit_test(an_account_that_acknowledges_nothing_keeps_to_its_own_places),
        cmocka_unit_test(no_room_for_a_lane_is_busy),
        cmocka_unit_test(every_window_is_full_again_after_an_agent_was_lost),
        cmocka_unit_test(a_full_store_refuses_the_new_and_takes_the_answers),
        cmocka_unit_test(results_that_wait_over_a_restart_do_not_shut_out_their_account),
        cmocka_unit_test(draining_takes_answers_gives_no_work_and_ends),
        cmocka_unit_test(draining_does_not_outlive_the_process),
        cmocka_unit_test(the_log_never_goes_back_in_time),
        cmocka_unit_test(one_department_without_agents_delays_no_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
