/* leases.c - a lease is short, renewed, and fenced by its epoch. */
#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct world *leased_to_first_of_two(void) {
    struct world *w = world_new(NULL);
    requester_up(w, 1, PORTAL, 8, ALL_RESULTS);
    agent_up(w, 2, NOSAZI_AGENT, 4);
    agent_up(w, 3, NOSAZI_AGENT, 4);
    submit(w, 1, 1, BEDEHI, 5);
    forget(w);
    return w;
}

static void beat(struct world *w, int64_t ms, uint32_t silent) {
    for (int64_t gone = 0; gone < ms; gone += 1000) {
        advance(w, 1000);
        for (uint32_t s = 1; s <= 3; s++)
            if (s != silent)
                heard(w, s);
    }
}

static void lost_agent_loses_inquiry_to_the_next(void **state) {
    (void)state;
    struct world *w = leased_to_first_of_two();
    session_down(w, 2);
    EXPECT(w, "+attempt-failed #1 AGENT_LOST\ns3 assign #1 e2 attempt 2\n");
    answer(w, 3, 1, 2);
    EXPECT(w, "+answered #1\ns3 recorded #1 e2\ns1 result #1\n");
    world_end(&w);
}

static void silent_agent_loses_inquiry_to_the_next(void **state) {
    (void)state;
    struct world *w = leased_to_first_of_two();
    beat(w, 14000, 2);
    EXPECT(w, "");
    beat(w, 1000, 2);
    EXPECT(w, "+attempt-failed #1 AGENT_LOST\ns3 assign #1 e2 attempt 2\ns2 close SILENT_PEER\n");
    world_end(&w);
}

static void lease_that_is_not_renewed_expires(void **state) {
    (void)state;
    struct world *w = leased_to_first_of_two();
    beat(w, 29000, 0);
    EXPECT(w, "");
    beat(w, 1000, 0);
    EXPECT(w, "s2 revoke #1 e1 LEASE_EXPIRED\n+attempt-failed #1 LEASE_EXPIRED\ns3 assign #1 e2 attempt 2\n");
    world_end(&w);
}

static void renewed_lease_lives_on(void **state) {
    (void)state;
    struct world *w = leased_to_first_of_two();
    for (int i = 0; i < 10; i++) {
        beat(w, 10000, 0);
        renew(w, 2, 1, 1);
        EXPECT(w, "s2 renewed #1 e1\n");
    }
    answer(w, 2, 1, 1);
    EXPECT(w, "+answered #1\ns2 recorded #1 e1\ns1 result #1\n");
    world_end(&w);
}

static void slow_agent_is_fenced_by_its_epoch(void **state) {
    (void)state;
    struct world *w = leased_to_first_of_two();
    beat(w, 30000, 0);
    forget(w);
    answer(w, 2, 1, 1);
    EXPECT(w, "s2 refused STALE_EPOCH #1 e1\n");
    answer(w, 2, 1, 2); /* the epoch of the other agent's lease */
    EXPECT(w, "s2 refused STALE_EPOCH #1 e2\n");
    renew(w, 2, 1, 1);
    EXPECT(w, "");
    answer(w, 3, 1, 2);
    EXPECT(w, "+answered #1\ns3 recorded #1 e2\ns1 result #1\n");
    answer(w, 2, 1, 1);
    EXPECT(w, "s2 refused STALE_EPOCH #1 e1\n");
    world_end(&w);
}

/* The same session holds it again: the session alone does not tell the old lease from the new one. */
static void an_agent_is_fenced_from_its_own_older_lease(void **state) {
    (void)state;
    struct world *w = world_new(NULL);
    requester_up(w, 1, PORTAL, 8, ALL_RESULTS);
    agent_up(w, 2, NOSAZI_AGENT, 4);
    submit(w, 1, 1, BEDEHI, 5);
    forget(w);
    beat(w, 30000, 0);
    EXPECT(w, "s2 revoke #1 e1 LEASE_EXPIRED\n+attempt-failed #1 LEASE_EXPIRED\ns2 assign #1 e2 attempt 2\n");
    answer(w, 2, 1, 1);
    EXPECT(w, "s2 refused STALE_EPOCH #1 e1\n");
    answer(w, 2, 1, 2);
    EXPECT(w, "+answered #1\ns2 recorded #1 e2\ns1 result #1\n");
    world_end(&w);
}

static void resent_answer_is_recorded_once(void **state) {
    (void)state;
    struct world *w = leased_to_first_of_two();
    answer(w, 2, 1, 1);
    forget(w);
    answer(w, 2, 1, 1);
    EXPECT(w, "s2 recorded #1 e1\n");
    ack(w, 1, 1);
    forget(w);
    answer(w, 2, 1, 1);
    EXPECT(w, "s2 recorded #1 e1\n");
    world_end(&w);
}

static void nobody_learns_of_anothers_answer_by_its_epoch(void **state) {
    (void)state;
    struct world *w = leased_to_first_of_two();
    agent_up(w, 4, METRO_AGENT, 4);
    answer(w, 2, 1, 1);
    forget(w);
    answer(w, 4, 1, 1);
    EXPECT(w, "s4 refused STALE_EPOCH #1 e1\n");
    ack(w, 1, 1);
    forget(w);
    answer(w, 4, 1, 1);
    EXPECT(w, "s4 refused STALE_EPOCH #1 e1\n");
    world_end(&w);
}

static void retry_waits_and_doubles(void **state) {
    (void)state;
    struct world *w = leased_to_first_of_two();
    retry(w, 2, 1, 1, 0);
    EXPECT(w, "s2 recorded #1 e1\n+attempt-failed #1 AGENT_RETRY\n");
    assert_int_equal(state_of(w, 1), EST_STATE_DELAYED);
    advance(w, 999);
    EXPECT(w, "");
    advance(w, 1);
    EXPECT(w, "s3 assign #1 e2 attempt 2\n");
    retry(w, 3, 1, 2, 0);
    EXPECT(w, "s3 recorded #1 e2\n+attempt-failed #1 AGENT_RETRY\n");
    advance(w, 1999);
    EXPECT(w, "");
    advance(w, 1);
    EXPECT(w, "s2 assign #1 e3 attempt 3\n");
    world_end(&w);
}

static void an_agent_may_say_when_to_try_again(void **state) {
    (void)state;
    struct world *w = leased_to_first_of_two();
    retry(w, 2, 1, 1, 7000);
    forget(w);
    advance(w, 6999);
    EXPECT(w, "");
    advance(w, 1);
    EXPECT(w, "s3 assign #1 e2 attempt 2\n");
    world_end(&w);
}

static void too_many_attempts_park_it_and_an_operator_requeues(void **state) {
    (void)state;
    struct world *w = leased_to_first_of_two();
    operator_up(w, 4);
    invalid(w, 2, 1, 1);
    EXPECT(w, "s2 refused INVALID_ANSWER #1 e1\n+attempt-failed #1 INVALID_ANSWER\n");
    advance(w, 1000);
    forget(w);
    invalid(w, 3, 1, 2);
    advance(w, 2000);
    forget(w);
    invalid(w, 2, 1, 3);
    EXPECT(w, "s2 refused INVALID_ANSWER #1 e3\n+parked #1 INVALID_ANSWER\n");
    requeue(w, 4, 1);
    EXPECT(w, "+requeued #1\ns4 done\ns3 assign #1 e4 attempt 1\n");
    requeue(w, 4, 1);
    EXPECT(w, "s4 refused NOT_PARKED\n");
    requeue(w, 4, 99);
    EXPECT(w, "s4 refused NOT_FOUND\n");
    world_end(&w);
}

static void refused_work_is_parked_at_once(void **state) {
    (void)state;
    struct world *w = leased_to_first_of_two();
    refuse_work(w, 2, 1, 1);
    EXPECT(w, "s2 recorded #1 e1\n+parked #1 AGENT_REFUSED\n");
    uint64_t numbers[4];
    assert_int_equal(core_parked(w->core, NOSAZI, NULL, 0, numbers, 4), 1);
    assert_int_equal(core_parked(w->core, METRO, NULL, 0, numbers, 4), 0);
    assert_int_equal(numbers[0], w->numbers[1]);
    world_end(&w);
}

static void parked_of_hidden_types_are_left_out_of_the_list(void **state) {
    (void)state;
    struct world *w = leased_to_first_of_two();
    refuse_work(w, 2, 1, 1);
    bool hidden[TYPES_EVER + 1] = {false};
    uint64_t numbers[4];
    assert_int_equal(core_parked(w->core, 0, hidden, 0, numbers, 4), 1);
    hidden[BEDEHI] = true;
    assert_int_equal(core_parked(w->core, 0, hidden, 0, numbers, 4), 0);
    world_end(&w);
}

static void what_comes_back_keeps_its_place(void **state) {
    (void)state;
    struct world *w = world_new(NULL);
    requester_up(w, 1, PORTAL, 64, ALL_RESULTS);
    for (unsigned i = 1; i <= 5; i++)
        submit(w, 1, i, BEDEHI, 5);
    agent_up(w, 2, NOSAZI_AGENT, 3);
    forget(w);
    session_down(w, 2);
    EXPECT(w, "+attempt-failed #3 AGENT_LOST\n+attempt-failed #2 AGENT_LOST\n+attempt-failed #1 AGENT_LOST\n");
    agent_up(w, 3, NOSAZI_AGENT, 5);
    EXPECT(w, "s3 done\ns3 assign #1 e4 attempt 2\ns3 assign #2 e5 attempt 2\ns3 assign #3 e6 attempt 2\n"
              "s3 assign #4 e7 attempt 1\ns3 assign #5 e8 attempt 1\n");
    world_end(&w);
}

static void leaving_agent_finishes_what_it_holds_and_gets_no_more(void **state) {
    (void)state;
    struct world *w = world_new(NULL);
    requester_up(w, 1, PORTAL, 64, ALL_RESULTS);
    agent_up(w, 2, NOSAZI_AGENT, 2);
    submit(w, 1, 1, BEDEHI, 5);
    forget(w);
    leave(w, 2);
    EXPECT(w, "s2 done\n");
    submit(w, 1, 2, BEDEHI, 5);
    EXPECT(w, "+submitted #2\ns1 accepted #2\n");
    answer(w, 2, 1, 1);
    EXPECT(w, "+answered #1\ns2 recorded #1 e1\ns1 result #1\n");
    world_end(&w);
}

static void agent_that_leaves_in_order_gives_back_what_it_holds(void **state) {
    (void)state;
    struct world *w = world_new(NULL);
    requester_up(w, 1, PORTAL, 64, ALL_RESULTS);
    for (unsigned i = 1; i <= 3; i++)
        submit(w, 1, i, BEDEHI, 5);
    agent_up(w, 2, NOSAZI_AGENT, 2);
    forget(w);
    bye(w, 2);
    EXPECT(w, "+given-back #2 AGENT_LEFT\n+given-back #1 AGENT_LEFT\n");
    agent_up(w, 3, NOSAZI_AGENT, 3);
    EXPECT(w, "s3 done\ns3 assign #1 e3 attempt 1\ns3 assign #2 e4 attempt 1\ns3 assign #3 e5 attempt 1\n");
    world_end(&w);
}

/* However often: what parks it is what fails. */
static void orderly_restarts_park_nothing_and_forgive_nothing(void **state) {
    (void)state;
    struct world *w = leased_to_first_of_two();
    session_down(w, 3);
    session_down(w, 2);
    EXPECT(w, "+attempt-failed #1 AGENT_LOST\n");
    for (unsigned i = 0; i < 10; i++) {
        agent_up(w, 2, NOSAZI_AGENT, 4);
        bye(w, 2);
    }
    restart(w);
    forget(w);
    requester_up(w, 1, PORTAL, 8, ALL_RESULTS);
    agent_up(w, 2, NOSAZI_AGENT, 4);
    EXPECT(w, "s2 done\ns2 assign #1 e1 attempt 2\n");
    struct inquiry_view v;
    assert_true(core_inquiry(w->core, w->numbers[1], &v));
    assert_int_equal(v.row.code, EST_AGENT_LOST);
    session_down(w, 2);
    agent_up(w, 2, NOSAZI_AGENT, 4);
    forget(w);
    session_down(w, 2);
    EXPECT(w, "+parked #1 AGENT_LOST\n");
    world_end(&w);
}

static void restart_offers_again_without_counting_an_attempt(void **state) {
    (void)state;
    struct world *w = leased_to_first_of_two();
    restart(w);
    EXPECT(w, "+started\n");
    requester_up(w, 1, PORTAL, 8, ALL_RESULTS);
    agent_up(w, 2, NOSAZI_AGENT, 4);
    EXPECT(w, "s2 done\ns2 assign #1 e1 attempt 1\n");
    struct inquiry_view v;
    assert_true(core_inquiry(w->core, w->numbers[1], &v));
    assert_int_equal(v.epoch >> 32, 2); /* the second generation: no epoch comes twice */
    world_end(&w);
}

static void revoked_account_gets_and_answers_nothing(void **state) {
    (void)state;
    struct world *w = leased_to_first_of_two();
    revoke_rights(w, NOSAZI_AGENT);
    forget(w);
    answer(w, 2, 1, 1);
    EXPECT(w, "s2 refused NOT_ALLOWED #1 e1\n+attempt-failed #1 NOT_ALLOWED\n");
    advance(w, 1000);
    EXPECT(w, "");
    world_end(&w);
}

/* What one agent loses another takes, and then the first has room. */
static void room_that_an_expired_lease_leaves_is_filled(void **state) {
    (void)state;
    struct world *w = world_new(NULL);
    requester_up(w, 1, PORTAL, 8, ALL_RESULTS);
    agent_up(w, 2, NOSAZI_AGENT, 1);
    agent_up_for(w, 3, NOSAZI_AGENT, 1, BEDEHI, 5);
    submit(w, 1, 1, BEDEHI, 5);
    submit(w, 1, 2, PASMAND, 5);
    forget(w);
    beat(w, 30000, 0);
    EXPECT(w, "s2 revoke #1 e1 LEASE_EXPIRED\n+attempt-failed #1 LEASE_EXPIRED\n"
              "s3 assign #1 e2 attempt 2\ns2 assign #2 e3 attempt 1\n");
    world_end(&w);
}

static void room_that_a_forbidden_answer_leaves_is_filled(void **state) {
    (void)state;
    struct world *w = world_new(NULL);
    requester_up(w, 1, PORTAL, 8, ALL_RESULTS);
    agent_up(w, 2, NOSAZI_AGENT, 1);
    submit(w, 1, 1, BEDEHI, 5);
    submit(w, 1, 2, PASMAND, 5);
    narrow_account(w, NOSAZI_AGENT, NOSAZI, PASMAND);
    forget(w);
    answer(w, 2, 1, 1);
    EXPECT(w, "s2 refused NOT_ALLOWED #1 e1\n+attempt-failed #1 NOT_ALLOWED\ns2 assign #2 e2 attempt 1\n");
    world_end(&w);
}

static void a_clock_set_back_hides_no_lease_behind_an_older_one(void **state) {
    (void)state;
    struct world *w = world_new(NULL);
    requester_up(w, 1, PORTAL, 8, ALL_RESULTS);
    agent_up(w, 2, NOSAZI_AGENT, 4);
    submit(w, 1, 1, BEDEHI, 5); /* until 30 s */
    w->now.us -= 10 * EST_US_PER_S;
    submit(w, 1, 2, BEDEHI, 5); /* until 20 s */
    forget(w);
    beat(w, 29000, 0);
    EXPECT(w, "");
    beat(w, 1000, 0);
    EXPECT(w, "s2 revoke #2 e2 LEASE_EXPIRED\n+attempt-failed #2 LEASE_EXPIRED\ns2 assign #2 e3 attempt 2\n");
    world_end(&w);
}

/* The log's time stands still meanwhile, and is ahead of the end of the delay. */
static void a_clock_set_back_shortens_no_delay(void **state) {
    (void)state;
    struct world *w = leased_to_first_of_two();
    w->now.us -= 20 * EST_US_PER_S;
    retry(w, 2, 1, 1, 7000);
    EXPECT(w, "s2 recorded #1 e1\n+attempt-failed #1 AGENT_RETRY\n");
    assert_int_equal(state_of(w, 1), EST_STATE_DELAYED);
    advance(w, 6999);
    EXPECT(w, "");
    advance(w, 1);
    EXPECT(w, "s3 assign #1 e2 attempt 2\n");
    invalid(w, 3, 1, 2);
    EXPECT(w, "s3 refused INVALID_ANSWER #1 e2\n+attempt-failed #1 INVALID_ANSWER\n");
    advance(w, 1999);
    EXPECT(w, "");
    advance(w, 1);
    EXPECT(w, "s2 assign #1 e3 attempt 3\n");
    world_end(&w);
}

static void an_account_that_changes_department_leaves_its_old_work(void **state) {
    (void)state;
    struct world *w = leased_to_first_of_two();
    move_account(w, NOSAZI_AGENT, METRO);
    forget(w);
    submit(w, 1, 2, BEDEHI, 5);
    submit(w, 1, 3, HARIM, 5);
    EXPECT(w, "+submitted #2\ns1 accepted #2\n+submitted #3\ns1 accepted #3\n");
    session_down(w, 3);
    session_down(w, 2);
    EXPECT(w, "+attempt-failed #1 AGENT_LOST\n");
    agent_up(w, 2, NOSAZI_AGENT, 4);
    EXPECT(w, "s2 done\ns2 assign #3 e2 attempt 1\n");
    world_end(&w);
}

static void many_attempts(struct core_limits *limits) {
    limits->attempts_max = 100;
}

static void one_that_is_delayed_again_and_again_keeps_its_age(void **state) {
    (void)state;
    struct world *w = world_new(many_attempts);
    struct lane_view lane;
    requester_up(w, 1, PORTAL, 8, ALL_RESULTS);
    agent_up(w, 2, NOSAZI_AGENT, 1);
    submit(w, 1, 1, BEDEHI, 5);
    core_lane(w->core, 0, &lane);
    assert_int_equal(lane.oldest.us, 0); /* it is leased at once */
    int64_t received_us = w->now.us;
    for (unsigned lease = 1; lease <= 20; lease++) {
        retry(w, 2, 1, lease, 2000);
        core_lane(w->core, 0, &lane);
        assert_int_equal(lane.delayed, 1);
        assert_int_equal(lane.oldest.us, received_us);
        for (int i = 0; i < 10; i++) {
            heard(w, 1);
            heard(w, 2);
            advance(w, 200);
        }
    }
    world_end(&w);
}

/* Delayed in any order, out of it in another: by the end of the delay, by a cancellation, by the deadline. */
static void the_oldest_is_known_among_many_that_are_delayed(void **state) {
    enum { COUNT = 24, ROUNDS = 40 };
    (void)state;
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct world *w = world_new(many_attempts);
        unsigned order[COUNT], dice = round * 2654435761u + 1;
        requester_up(w, 1, PORTAL, COUNT, ALL_RESULTS);
        agent_up(w, 2, NOSAZI_AGENT, COUNT);
        for (unsigned i = 0; i < COUNT; i++) {
            advance(w, 1);
            submit(w, 1, i + 1, BEDEHI, 5);
            order[i] = i + 1;
        }
        for (unsigned i = 0; i < COUNT; i++) {
            dice = dice * 1664525u + 1013904223u;
            unsigned other = i + (dice >> 8) % (COUNT - i), inquiry = order[other];
            order[other] = order[i];
            order[i] = inquiry;
            retry(w, 2, inquiry, inquiry, 1000 + (dice >> 16) % 3000);
            counts_match(w);
        }
        session_down(w, 2);
        for (unsigned i = 0; i < COUNT / 3; i++) {
            cancel(w, 1, order[(i * 7 + round) % COUNT]);
            counts_match(w);
        }
        for (int i = 0; i < 50; i++) {
            heard(w, 1);
            advance(w, 100);
            counts_match(w);
        }
        world_end(&w);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lost_agent_loses_inquiry_to_the_next),
        cmocka_unit_test(silent_agent_loses_inquiry_to_the_next),
        cmocka_unit_test(lease_that_is_not_renewed_expires),
        cmocka_unit_test(renewed_lease_lives_on),
        cmocka_unit_test(slow_agent_is_fenced_by_its_epoch),
        cmocka_unit_test(an_agent_is_fenced_from_its_own_older_lease),
        cmocka_unit_test(resent_answer_is_recorded_once),
        cmocka_unit_test(nobody_learns_of_anothers_answer_by_its_epoch),
        cmocka_unit_test(retry_waits_and_doubles),
        cmocka_unit_test(an_agent_may_say_when_to_try_again),
        cmocka_unit_test(too_many_attempts_park_it_and_an_operator_requeues),
        cmocka_unit_test(refused_work_is_parked_at_once),
        cmocka_unit_test(parked_of_hidden_types_are_left_out_of_the_list),
        cmocka_unit_test(what_comes_back_keeps_its_place),
        cmocka_unit_test(leaving_agent_finishes_what_it_holds_and_gets_no_more),
        cmocka_unit_test(agent_that_leaves_in_order_gives_back_what_it_holds),
        cmocka_unit_test(orderly_restarts_park_nothing_and_forgive_nothing),
        cmocka_unit_test(restart_offers_again_without_counting_an_attempt),
        cmocka_unit_test(revoked_account_gets_and_answers_nothing),
        cmocka_unit_test(room_that_an_expired_lease_leaves_is_filled),
        cmocka_unit_test(room_that_a_forbidden_answer_leaves_is_filled),
        cmocka_unit_test(a_clock_set_back_hides_no_lease_behind_an_older_one),
        cmocka_unit_test(a_clock_set_back_shortens_no_delay),
        cmocka_unit_test(one_that_is_delayed_again_and_again_keeps_its_age),
        cmocka_unit_test(the_oldest_is_known_among_many_that_are_delayed),
        cmocka_unit_test(an_account_that_changes_department_leaves_its_old_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
