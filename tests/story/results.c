/* results.c - the end waits for the requester until it is acknowledged. */
#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void result_waits_for_the_account(void **state) {
    (void)state;
    struct world *w = world_new(NULL);
    requester_up(w, 1, PORTAL, 8, ALL_RESULTS);
    agent_up(w, 2, NOSAZI_AGENT, 4);
    submit(w, 1, 1, BEDEHI, 5);
    session_down(w, 1);
    forget(w);
    answer(w, 2, 1, 1);
    EXPECT(w, "+answered #1\ns2 recorded #1 e1\n");
    requester_up(w, 3, PORTAL, 8, ALL_RESULTS);
    EXPECT(w, "s3 result #1\n");
    session_down(w, 3);
    requester_up(w, 4, PORTAL, 8, ALL_RESULTS);
    EXPECT(w, "s4 result #1\n"); /* not acknowledged: once more */
    ack(w, 4, 1);
    EXPECT(w, "+acknowledged\n");
    session_down(w, 4);
    requester_up(w, 5, PORTAL, 8, ALL_RESULTS);
    EXPECT(w, "");
    world_end(&w);
}

static void result_waits_over_a_restart(void **state) {
    (void)state;
    struct world *w = world_new(NULL);
    requester_up(w, 1, PORTAL, 8, NO_RESULTS);
    agent_up(w, 2, NOSAZI_AGENT, 4);
    submit(w, 1, 1, BEDEHI, 5);
    answer(w, 2, 1, 1);
    restart(w);
    forget(w);
    requester_up(w, 1, PORTAL, 8, ALL_RESULTS);
    EXPECT(w, "s1 result #1\n");
    world_end(&w);
}

static void window_limits_results_on_their_way(void **state) {
    (void)state;
    struct world *w = world_new(NULL);
    requester_up(w, 1, PORTAL, 2, ALL_RESULTS);
    agent_up(w, 2, NOSAZI_AGENT, 8);
    for (unsigned i = 1; i <= 4; i++)
        submit(w, 1, i, BEDEHI, 5);
    forget(w);
    for (unsigned i = 1; i <= 4; i++)
        answer(w, 2, i, i);
    EXPECT(w, "+answered #1\ns2 recorded #1 e1\ns1 result #1\n"
              "+answered #2\ns2 recorded #2 e2\ns1 result #2\n"
              "+answered #3\ns2 recorded #3 e3\n"
              "+answered #4\ns2 recorded #4 e4\n");
    ack(w, 1, 1);
    EXPECT(w, "+acknowledged\ns1 result #3\n");
    ack(w, 1, 3);
    EXPECT(w, "+acknowledged\ns1 result #4\n");
    world_end(&w);
}

static void own_results_go_to_the_session_that_asked(void **state) {
    (void)state;
    struct world *w = world_new(NULL);
    requester_up(w, 1, PORTAL, 8, ALL_RESULTS);
    requester_up(w, 2, PORTAL, 1, OWN_RESULTS);
    agent_up(w, 3, NOSAZI_AGENT, 8);
    submit(w, 2, 1, BEDEHI, 5);
    submit(w, 1, 2, BEDEHI, 5);
    forget(w);
    answer(w, 3, 1, 1);
    answer(w, 3, 2, 2);
    EXPECT(w, "+answered #1\ns3 recorded #1 e1\ns2 result #1\n"
              "+answered #2\ns3 recorded #2 e2\ns1 result #2\n");
    world_end(&w);
}

static void own_results_beyond_the_window_follow(void **state) {
    (void)state;
    struct world *w = world_new(NULL);
    requester_up(w, 2, PORTAL, 1, OWN_RESULTS);
    agent_up(w, 3, NOSAZI_AGENT, 8);
    submit(w, 2, 1, BEDEHI, 5);
    submit(w, 2, 2, BEDEHI, 5);
    answer(w, 3, 1, 1);
    answer(w, 3, 2, 2);
    forget(w);
    ack(w, 2, 1);
    EXPECT(w, "+acknowledged\ns2 result #2\n");
    world_end(&w);
}

static void submitting_again_brings_the_result_again(void **state) {
    (void)state;
    struct world *w = world_new(NULL);
    requester_up(w, 1, PORTAL, 8, OWN_RESULTS);
    agent_up(w, 2, NOSAZI_AGENT, 4);
    submit(w, 1, 9, BEDEHI, 5);
    session_down(w, 1);
    answer(w, 2, 1, 1);
    requester_up(w, 3, PORTAL, 8, OWN_RESULTS);
    forget(w);
    submit(w, 3, 9, BEDEHI, 5);
    EXPECT(w, "s3 accepted again #1\ns3 result #1\n");
    world_end(&w);
}

/* The new connection comes before the broker has missed the old one. */
static void result_under_way_to_the_old_session_follows_to_the_new(void **state) {
    (void)state;
    struct world *w = world_new(NULL);
    requester_up(w, 1, PORTAL, 8, OWN_RESULTS);
    agent_up(w, 2, NOSAZI_AGENT, 4);
    submit(w, 1, 9, BEDEHI, 5);
    answer(w, 2, 1, 1);
    requester_up(w, 3, PORTAL, 8, OWN_RESULTS);
    forget(w);
    submit(w, 3, 9, BEDEHI, 5);
    EXPECT(w, "s3 accepted again #1\n");
    session_down(w, 1);
    EXPECT(w, "s3 result #1\n");
    world_end(&w);
}

static void result_that_another_took_in_its_stead_comes_back_to_who_asked(void **state) {
    (void)state;
    struct world *w = world_new(NULL);
    requester_up(w, 1, PORTAL, 1, OWN_RESULTS);
    requester_up(w, 2, PORTAL, 8, ALL_RESULTS);
    agent_up(w, 3, NOSAZI_AGENT, 4);
    submit(w, 1, 1, BEDEHI, 5);
    submit(w, 1, 2, BEDEHI, 5);
    forget(w);
    answer(w, 3, 1, 1);
    EXPECT(w, "+answered #1\ns3 recorded #1 e1\ns1 result #1\n");
    answer(w, 3, 2, 2);
    EXPECT(w, "+answered #2\ns3 recorded #2 e2\ns2 result #2\n");
    ack(w, 1, 1);
    forget(w);
    session_down(w, 2);
    EXPECT(w, "s1 result #2\n");
    world_end(&w);
}

static void a_sessions_number_given_again_is_no_claim_to_its_results(void **state) {
    (void)state;
    struct world *w = world_new(NULL);
    requester_up(w, 1, PORTAL, 8, OWN_RESULTS);
    agent_up(w, 2, NOSAZI_AGENT, 4);
    submit(w, 1, 9, BEDEHI, 5);
    session_down(w, 1);
    requester_up(w, 1, PORTAL, 8, OWN_RESULTS); /* another process of the account */
    forget(w);
    answer(w, 2, 1, 1);
    EXPECT(w, "+answered #1\ns2 recorded #1 e1\n");
    world_end(&w);
}

static void nobody_acknowledges_for_another(void **state) {
    (void)state;
    struct world *w = world_new(NULL);
    requester_up(w, 1, PORTAL, 8, ALL_RESULTS);
    requester_up(w, 2, BANK, 8, ALL_RESULTS);
    agent_up(w, 3, NOSAZI_AGENT, 4);
    submit(w, 1, 1, BEDEHI, 5);
    ack(w, 1, 1); /* not ended yet */
    answer(w, 3, 1, 1);
    forget(w);
    ack(w, 2, 1);
    EXPECT(w, "");
    assert_int_equal(state_of(w, 1), EST_STATE_ANSWERED);
    world_end(&w);
}

static void a_number_named_twice_is_acknowledged_once(void **state) {
    (void)state;
    struct world *w = world_new(NULL);
    requester_up(w, 1, PORTAL, 8, ALL_RESULTS);
    agent_up(w, 3, NOSAZI_AGENT, 4);
    submit(w, 1, 1, BEDEHI, 5);
    answer(w, 3, 1, 1);
    forget(w);
    ack_two(w, 1, 1, 1);
    EXPECT(w, "+acknowledged\n");
    assert_int_equal(w->events[w->events_count - 1].acknowledged.count, 1);
    struct core_counts c;
    core_counts(w->core, &c);
    assert_int_equal(c.unacknowledged, 0);
    world_end(&w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(result_waits_for_the_account),
        cmocka_unit_test(result_waits_over_a_restart),
        cmocka_unit_test(window_limits_results_on_their_way),
        cmocka_unit_test(own_results_go_to_the_session_that_asked),
        cmocka_unit_test(own_results_beyond_the_window_follow),
        cmocka_unit_test(submitting_again_brings_the_result_again),
        cmocka_unit_test(result_under_way_to_the_old_session_follows_to_the_new),
        cmocka_unit_test(result_that_another_took_in_its_stead_comes_back_to_who_asked),
        cmocka_unit_test(a_sessions_number_given_again_is_no_claim_to_its_results),
        cmocka_unit_test(nobody_acknowledges_for_another),
        cmocka_unit_test(a_number_named_twice_is_acknowledged_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
