/* life.c - an inquiry from submission to its one end. */
#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void an_inquiry_travels_and_is_acknowledged(void **state) {
    (void)state;
    struct world *w = world_new(NULL);
    requester_up(w, 1, PORTAL, 8, ALL_RESULTS);
    agent_up(w, 2, NOSAZI_AGENT, 4);
    EXPECT(w, "s2 done\n");
    submit(w, 1, 100, BEDEHI, 5);
    EXPECT(w, "+submitted #1\n"
              "s1 accepted #1\n"
              "s2 assign #1 e1 attempt 1\n");
    answer(w, 2, 1, 1);
    EXPECT(w, "+answered #1\n"
              "s2 recorded #1 e1\n"
              "s1 result #1\n");
    ack(w, 1, 1);
    EXPECT(w, "+acknowledged\n");
    world_end(&w);
}

static void work_waits_for_an_agent(void **state) {
    (void)state;
    struct world *w = world_new(NULL);
    requester_up(w, 1, PORTAL, 8, ALL_RESULTS);
    submit(w, 1, 1, BEDEHI, 5);
    submit(w, 1, 2, HARIM, 5);
    EXPECT(w, "+submitted #1\ns1 accepted #1\n+submitted #2\ns1 accepted #2\n");
    agent_up(w, 2, NOSAZI_AGENT, 4);
    EXPECT(w, "s2 done\ns2 assign #1 e1 attempt 1\n");
    agent_up(w, 3, METRO_AGENT, 4);
    EXPECT(w, "s3 done\ns3 assign #2 e2 attempt 1\n");
    world_end(&w);
}

static void the_oldest_goes_first_over_all_lanes_of_a_queue(void **state) {
    (void)state;
    struct world *w = world_new(NULL);
    requester_up(w, 1, PORTAL, 8, ALL_RESULTS);
    submit(w, 1, 1, PASMAND, 5);
    submit(w, 1, 2, BEDEHI, 5);
    submit(w, 1, 3, PASMAND, 5);
    submit(w, 1, 4, BEDEHI, 7);
    forget(w);
    agent_up(w, 2, NOSAZI_AGENT, 1);
    EXPECT(w, "s2 done\ns2 assign #1 e1 attempt 1\n");
    answer(w, 2, 1, 1);
    EXPECT(w, "+answered #1\ns2 recorded #1 e1\ns1 result #1\ns2 assign #2 e2 attempt 1\n");
    answer(w, 2, 2, 2);
    EXPECT(w, "+answered #2\ns2 recorded #2 e2\ns1 result #2\ns2 assign #3 e3 attempt 1\n");
    answer(w, 2, 3, 3);
    EXPECT(w, "+answered #3\ns2 recorded #3 e3\ns1 result #3\ns2 assign #4 e4 attempt 1\n");
    world_end(&w);
}

static void an_agent_gets_only_the_types_and_districts_it_asked_for(void **state) {
    (void)state;
    struct world *w = world_new(NULL);
    requester_up(w, 1, PORTAL, 8, ALL_RESULTS);
    agent_up_for(w, 2, NOSAZI_AGENT, 4, BEDEHI, 5);
    forget(w);
    submit(w, 1, 1, PASMAND, 5);
    submit(w, 1, 2, BEDEHI, 6);
    submit(w, 1, 3, HARIM, 5);
    forget(w);
    submit(w, 1, 4, BEDEHI, 5);
    EXPECT(w, "+submitted #4\ns1 accepted #4\ns2 assign #4 e1 attempt 1\n");
    world_end(&w);
}

static void an_agent_may_not_ask_for_a_foreign_type(void **state) {
    (void)state;
    struct world *w = world_new(NULL);
    agent_up_for(w, 2, NOSAZI_AGENT, 4, HARIM, 5);
    EXPECT(w, "s2 refused NOT_ALLOWED\n");
    world_end(&w);
}

static void agents_of_a_department_take_turns(void **state) {
    (void)state;
    struct world *w = world_new(NULL);
    requester_up(w, 1, PORTAL, 8, ALL_RESULTS);
    agent_up(w, 2, NOSAZI_AGENT, 4);
    agent_up(w, 3, NOSAZI_AGENT, 4);
    forget(w);
    for (unsigned i = 1; i <= 4; i++)
        submit(w, 1, i, BEDEHI, 5);
    EXPECT(w, "+submitted #1\ns1 accepted #1\ns2 assign #1 e1 attempt 1\n"
              "+submitted #2\ns1 accepted #2\ns3 assign #2 e2 attempt 1\n"
              "+submitted #3\ns1 accepted #3\ns2 assign #3 e3 attempt 1\n"
              "+submitted #4\ns1 accepted #4\ns3 assign #4 e4 attempt 1\n");
    world_end(&w);
}

static void the_same_id_and_body_gives_the_same_receipt(void **state) {
    (void)state;
    struct world *w = world_new(NULL);
    requester_up(w, 1, PORTAL, 8, ALL_RESULTS);
    submit(w, 1, 7, BEDEHI, 5);
    forget(w);
    submit(w, 1, 7, BEDEHI, 5);
    EXPECT(w, "s1 accepted again #1\n");
    restart(w);
    requester_up(w, 1, PORTAL, 8, ALL_RESULTS);
    forget(w);
    submit(w, 1, 7, BEDEHI, 5);
    EXPECT(w, "s1 accepted again #1\n");
    world_end(&w);
}

static void the_same_receipt_comes_long_after_the_end(void **state) {
    (void)state;
    struct world *w = world_new(NULL);
    requester_up(w, 1, PORTAL, 8, ALL_RESULTS);
    agent_up(w, 2, NOSAZI_AGENT, 4);
    submit(w, 1, 7, BEDEHI, 5);
    answer(w, 2, 1, 1);
    ack(w, 1, 1);
    forget(w);
    submit(w, 1, 7, BEDEHI, 5);
    EXPECT(w, "s1 accepted again #1\n");
    world_end(&w);
}

static void the_same_id_with_another_body_is_a_conflict(void **state) {
    (void)state;
    struct world *w = world_new(NULL);
    requester_up(w, 1, PORTAL, 8, ALL_RESULTS);
    submit(w, 1, 7, BEDEHI, 5);
    forget(w);
    submit_body(w, 1, 7, BEDEHI, 5, "another");
    submit(w, 1, 7, PASMAND, 5);
    EXPECT(w, "s1 refused CONFLICT\ns1 refused CONFLICT\n");
    world_end(&w);
}

static void two_accounts_may_use_the_same_id(void **state) {
    (void)state;
    struct world *w = world_new(NULL);
    requester_up(w, 1, PORTAL, 8, ALL_RESULTS);
    requester_up(w, 2, BANK, 8, ALL_RESULTS);
    submit(w, 1, 7, BEDEHI, 5);
    submit_body(w, 2, 7, BEDEHI, 5, "another");
    EXPECT(w, "+submitted #1\ns1 accepted #1\n+submitted #2\ns2 accepted #2\n");
    world_end(&w);
}

static void a_type_that_the_account_may_not_ask_is_refused(void **state) {
    (void)state;
    struct world *w = world_new(NULL);
    requester_up(w, 2, BANK, 8, ALL_RESULTS);
    submit(w, 2, 1, HARIM, 5);
    EXPECT(w, "s2 refused NOT_ALLOWED\n");
    world_end(&w);
}

static void waiting_ends_at_the_deadline(void **state) {
    (void)state;
    struct world *w = world_new(NULL);
    requester_up(w, 1, PORTAL, 8, ALL_RESULTS);
    submit_due(w, 1, 1, BEDEHI, 10000);
    submit_due(w, 1, 2, BEDEHI, 5000);
    forget(w);
    for (int i = 0; i < 3; i++, heard(w, 1))
        advance(w, 1999);
    EXPECT(w, "+expired #2\ns1 result #2\n");
    for (int i = 0; i < 3; i++, heard(w, 1))
        advance(w, 2000);
    EXPECT(w, "+expired #1\ns1 result #1\n");
    world_end(&w);
}

static void a_deadline_ends_a_lease_and_the_late_answer_is_refused(void **state) {
    (void)state;
    struct world *w = world_new(NULL);
    requester_up(w, 1, PORTAL, 8, ALL_RESULTS);
    agent_up(w, 2, NOSAZI_AGENT, 4);
    submit_due(w, 1, 1, BEDEHI, 5000);
    forget(w);
    advance(w, 5000);
    EXPECT(w, "+expired #1\ns2 revoke #1 e1 EXPIRED\ns1 result #1\n");
    answer(w, 2, 1, 1);
    EXPECT(w, "s2 refused STALE_EPOCH #1 e1\n");
    assert_int_equal(state_of(w, 1), EST_STATE_EXPIRED);
    world_end(&w);
}

/* The places that inquiries have in memory are used again, and with each its timer. */
static void a_deadline_is_ones_own(void **state) {
    (void)state;
    struct world *w = world_new(NULL);
    requester_up(w, 1, PORTAL, 8, NO_RESULTS);
    submit_due(w, 1, 1, BEDEHI, 9000);
    cancel(w, 1, 1);
    ack(w, 1, 1);
    submit_due(w, 1, 2, BEDEHI, 4000); /* sooner than who had its place */
    forget(w);
    advance(w, 3999);
    EXPECT(w, "");
    advance(w, 1);
    EXPECT(w, "+expired #2\n");
    ack(w, 1, 2);
    submit_due(w, 1, 3, BEDEHI, 3000);
    cancel(w, 1, 3);
    ack(w, 1, 3);
    submit_due(w, 1, 4, BEDEHI, 8000); /* later */
    forget(w);
    for (int i = 0; i < 4; i++, heard(w, 1))
        advance(w, 1999);
    EXPECT(w, "");
    advance(w, 4);
    EXPECT(w, "+expired #4\n");
    world_end(&w);
}

static void a_delay_is_ones_own(void **state) {
    (void)state;
    struct world *w = world_new(NULL);
    requester_up(w, 1, PORTAL, 8, NO_RESULTS);
    agent_up(w, 2, NOSAZI_AGENT, 4);
    submit_due(w, 1, 1, BEDEHI, 3000);
    answer(w, 2, 1, 1);
    ack(w, 1, 1);
    submit(w, 1, 2, BEDEHI, 5); /* in the place of #1 */
    retry(w, 2, 2, 2, 5000);
    forget(w);
    advance(w, 4999); /* past the deadline of #1 */
    EXPECT(w, "");
    advance(w, 1);
    EXPECT(w, "s2 assign #2 e3 attempt 2\n");
    world_end(&w);
}

static void what_has_ended_has_no_deadline(void **state) {
    (void)state;
    struct world *w = world_new(NULL);
    requester_up(w, 1, PORTAL, 8, NO_RESULTS);
    submit_due(w, 1, 1, BEDEHI, 2000);
    cancel(w, 1, 1);
    submit_due(w, 1, 2, BEDEHI, 3000);
    cancel(w, 1, 2);
    ack(w, 1, 2);
    forget(w);
    for (int i = 0; i < 4; i++, heard(w, 1))
        advance(w, 1000);
    EXPECT(w, "");
    assert_int_equal(state_of(w, 1), EST_STATE_CANCELLED);
    world_end(&w);
}

static void a_deadline_in_the_past_is_refused(void **state) {
    (void)state;
    struct world *w = world_new(NULL);
    requester_up(w, 1, PORTAL, 8, ALL_RESULTS);
    submit_due(w, 1, 1, BEDEHI, 0);
    EXPECT(w, "s1 refused DEADLINE_PASSED\n");
    world_end(&w);
}

static void a_cancelled_inquiry_is_taken_from_its_agent(void **state) {
    (void)state;
    struct world *w = world_new(NULL);
    requester_up(w, 1, PORTAL, 8, ALL_RESULTS);
    agent_up(w, 2, NOSAZI_AGENT, 1);
    submit(w, 1, 1, BEDEHI, 5);
    submit(w, 1, 2, BEDEHI, 5);
    forget(w);
    cancel(w, 1, 1);
    EXPECT(w, "s1 done\n"
              "+cancelled #1\n"
              "s2 revoke #1 e1 CANCELLED\n"
              "s2 assign #2 e2 attempt 1\n"
              "s1 result #1\n");
    answer(w, 2, 1, 1);
    EXPECT(w, "s2 refused STALE_EPOCH #1 e1\n");
    cancel(w, 1, 1);
    EXPECT(w, "s1 refused ALREADY_FINAL\n");
    world_end(&w);
}

static void nobody_cancels_what_is_not_his_and_an_operator_any(void **state) {
    (void)state;
    struct world *w = world_new(NULL);
    requester_up(w, 1, PORTAL, 8, ALL_RESULTS);
    requester_up(w, 2, BANK, 8, ALL_RESULTS);
    operator_up(w, 3);
    submit(w, 1, 1, BEDEHI, 5);
    forget(w);
    cancel(w, 2, 1);
    EXPECT(w, "s2 refused NOT_FOUND\n");
    cancel(w, 2, 9);
    EXPECT(w, "s2 refused NOT_FOUND\n");
    cancel(w, 3, 1);
    EXPECT(w, "s3 done\n+cancelled #1\ns1 result #1\n");
    world_end(&w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_inquiry_travels_and_is_acknowledged),
        cmocka_unit_test(work_waits_for_an_agent),
        cmocka_unit_test(the_oldest_goes_first_over_all_lanes_of_a_queue),
        cmocka_unit_test(an_agent_gets_only_the_types_and_districts_it_asked_for),
        cmocka_unit_test(an_agent_may_not_ask_for_a_foreign_type),
        cmocka_unit_test(agents_of_a_department_take_turns),
        cmocka_unit_test(the_same_id_and_body_gives_the_same_receipt),
        cmocka_unit_test(the_same_receipt_comes_long_after_the_end),
        cmocka_unit_test(the_same_id_with_another_body_is_a_conflict),
        cmocka_unit_test(two_accounts_may_use_the_same_id),
        cmocka_unit_test(a_type_that_the_account_may_not_ask_is_refused),
        cmocka_unit_test(waiting_ends_at_the_deadline),
        cmocka_unit_test(a_deadline_ends_a_lease_and_the_late_answer_is_refused),
        cmocka_unit_test(a_deadline_is_ones_own),
        cmocka_unit_test(a_delay_is_ones_own),
        cmocka_unit_test(what_has_ended_has_no_deadline),
        cmocka_unit_test(a_deadline_in_the_past_is_refused),
        cmocka_unit_test(a_cancelled_inquiry_is_taken_from_its_agent),
        cmocka_unit_test(nobody_cancels_what_is_not_his_and_an_operator_any),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
