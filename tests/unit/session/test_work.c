/* test_work.c - stories of the session engine as an agent's: leases, answers, draining. */
#include "world.h"

#include <string.h>

static struct world *agent(void) {
    return world_new(&(struct session_options){.role = SESSION_AGENT, .window = 64});
}

static struct world *ready_agent(void) {
    struct world *w = agent();
    struct welcome grants = world_welcome();
    world_connect(w, &grants);
    expect_sent(w, "READY");
    SAYS(w, DONE, done, {.ref = w->got[0].ready.ref});
    world_deliver(w);
    expect_told(w, "");
    return w;
}

static void assign(struct world *w, uint64_t number, uint64_t epoch) {
    SAYS(w, ASSIGN, assign,
         {.number = number, .epoch = epoch, .type = slice_of("t"), .version = 1, .lease_ms = 30000});
}

static int answer(struct world *w, uint64_t number, uint64_t epoch) {
    static struct message m;
    m.verb = VERB_ANSWER;
    m.answer = (struct answer){.number = number, .epoch = epoch, .outcome = EST_OUTCOME_POSITIVE};
    return session_answer(w->session, &m);
}

static void pairs_say(struct world *w, enum verb verb, const uint64_t *pairs, size_t count) {
    said_scratch.verb = verb;
    said_scratch.recorded.pairs.count = count;
    for (size_t i = 0; i < count; i++)
        said_scratch.recorded.pairs.at[i] = pairs[i];
    world_says(w, &said_scratch);
}
#define PAIRS(...) (const uint64_t[]){__VA_ARGS__}, sizeof((const uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t)

/* The broker refuses READY for these types. */
static void types_refuse(struct world *w, const char *const *types, size_t count) {
    struct buffer rows;
    buffer_init(&rows);
    pack_array(&rows, count);
    for (size_t i = 0; i < count; i++) {
        est_defect defect = {.kind = "unknown", .text = "there is no such type"};
        strcpy(defect.path, types[i]);
        defect_pack(&rows, &defect);
    }
    SAYS_ERROR(w, {.ref = w->got[w->got_count - 1].ready.ref,
                   .code = EST_UNKNOWN_TYPE,
                   .layer = EST_LAYER_REQUESTER,
                   .defects = buffer_slice(&rows)});
    world_deliver(w);
    buffer_done(&rows);
}
#define REFUSES(w, ...)                                                                                                \
    types_refuse(w, (const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static void expect_ready(struct world *w, const char *first, const char *second) {
    struct cursor c;
    size_t count;
    est_slice name;
    expect_sent(w, "READY");
    assert_true(rows_open(&c, w->got[0].ready.types, &count));
    assert_int_equal(count, 1 + (second != NULL));
    assert_true(cursor_text(&c, EST_NAME_MAX, &name) && slice_equal(name, slice_of(first)));
    if (second != NULL)
        assert_true(cursor_text(&c, EST_NAME_MAX, &name) && slice_equal(name, slice_of(second)));
}

static void ready_is_done(struct world *w) {
    SAYS(w, DONE, done, {.ref = w->got[w->got_count - 1].ready.ref});
    world_deliver(w);
    expect_told(w, "");
}

static struct world *agent_of(const char *const *types) {
    struct world *w =
        world_new(&(struct session_options){.role = SESSION_AGENT, .window = 64, .heartbeat_ms = 5000, .types = types});
    struct welcome grants = world_welcome();
    grants.heartbeat_ms = 600000;
    world_connect(w, &grants);
    return w;
}

static void types_that_the_broker_refuses_are_left_out_and_asked_for_again(void **state) {
    (void)state;
    struct world *w = agent_of((const char *const[]){"a", "b", "c", NULL});
    expect_sent(w, "READY");
    REFUSES(w, "b", "x");
    expect_told(w, "REFUSED UNKNOWN_TYPE id 0");
    expect_ready(w, "a", "c");
    ready_is_done(w);
    world_pass_ms(w, SESSION_READY_AGAIN_MS - 1);
    expect_sent(w, "");
    world_pass_ms(w, 1);
    expect_sent(w, "READY");
    REFUSES(w, "b");
    expect_told(w, ""); /* no news, and what was ready before is so still */
    expect_sent(w, "");
    world_pass_ms(w, SESSION_READY_AGAIN_MS);
    expect_sent(w, "READY");
    ready_is_done(w);
    world_pass_ms(w, 2 * SESSION_READY_AGAIN_MS);
    expect_sent(w, ""); /* it has them all */
    world_free(&w);
}

static void more_types_may_be_refused_later_until_none_is_left(void **state) {
    (void)state;
    struct world *w = agent_of((const char *const[]){"a", "b", "c", NULL});
    expect_sent(w, "READY");
    REFUSES(w, "c");
    expect_told(w, "REFUSED UNKNOWN_TYPE id 0");
    expect_ready(w, "a", "b");
    REFUSES(w, "a");
    expect_told(w, "REFUSED UNKNOWN_TYPE id 0");
    expect_ready(w, "b", NULL);
    ready_is_done(w);
    world_pass_ms(w, SESSION_READY_AGAIN_MS);
    expect_sent(w, "READY");
    REFUSES(w, "a", "b", "c");
    assert_true(session_is_broken(w->session));
    world_free(&w);
}

static void ready_that_is_refused_without_a_name_ends_the_session(void **state) {
    (void)state;
    struct world *w = agent_of((const char *const[]){"a", "b", NULL});
    expect_sent(w, "READY");
    SAYS_ERROR(w, {.ref = w->got[0].ready.ref, .code = EST_UNKNOWN_TYPE, .layer = EST_LAYER_REQUESTER});
    world_deliver(w);
    assert_true(session_is_broken(w->session));
    world_free(&w);
}

static void after_a_reconnect_all_types_are_asked_for(void **state) {
    (void)state;
    struct world *w = agent_of((const char *const[]){"a", "b", NULL});
    expect_sent(w, "READY");
    REFUSES(w, "a");
    expect_told(w, "REFUSED UNKNOWN_TYPE id 0");
    expect_ready(w, "b", NULL);
    session_disconnected(w->session, EST_UNREACHABLE, "gone");
    expect_told(w, "DOWN UNREACHABLE");
    struct welcome grants = world_welcome();
    world_connect(w, &grants);
    expect_ready(w, "a", "b");
    world_free(&w);
}

static void reconnect(struct world *w) {
    struct welcome grants = world_welcome();
    world_connect(w, &grants);
}

static void ready_names_types_districts_and_the_granted_window(void **state) {
    (void)state;
    const char *types[] = {"nosazi.bedehi", "nosazi.parvande", NULL};
    unsigned districts[] = {3, 22, 0};
    struct world *w = world_new(&(struct session_options){
        .role = SESSION_AGENT, .window = 64, .types = types, .districts = districts});
    struct welcome grants = world_welcome();
    world_connect(w, &grants);
    expect_sent(w, "READY");
    struct cursor c;
    size_t count;
    uint64_t district;
    assert_int_equal(w->got[0].ready.window, 16);
    cursor_init(&c, w->got[0].ready.types);
    assert_true(cursor_array(&c, 9, &count));
    assert_int_equal(count, 2);
    cursor_init(&c, w->got[0].ready.districts);
    assert_true(cursor_array(&c, 9, &count) && cursor_uint(&c, &district) && cursor_uint(&c, &district));
    assert_int_equal(district, 22);
    world_free(&w);
}

static void work_is_answered_and_recorded(void **state) {
    (void)state;
    struct world *w = ready_agent();
    assign(w, 1, 11);
    assign(w, 2, 12);
    world_deliver(w);
    expect_told(w, "WORK #1/11; WORK #2/12");
    assert_false(session_is_idle(w->session));
    assert_int_equal(answer(w, 2, 12), 0);
    assert_int_equal(answer(w, 2, 12), -EST_STALE_EPOCH);
    assert_int_equal(answer(w, 1, 99), -EST_STALE_EPOCH);
    assert_int_equal(answer(w, 1, 11), 0);
    expect_sent(w, "ANSWER ANSWER");
    pairs_say(w, VERB_RECORDED, PAIRS(1, 11, 7, 7, 2, 12));
    world_deliver(w);
    expect_told(w, "RECORDED #1/11; RECORDED #2/12");
    assert_true(session_is_idle(w->session));
    world_free(&w);
}

static void refused_answer_is_told_and_not_sent_again(void **state) {
    (void)state;
    struct world *w = ready_agent();
    assign(w, 1, 11);
    world_deliver(w);
    assert_int_equal(answer(w, 1, 11), 0);
    expect_sent(w, "ANSWER");
    SAYS_ERROR(w, {.number = 1, .epoch = 11, .code = EST_INVALID_ANSWER, .layer = 3});
    world_deliver(w);
    expect_told(w, "WORK #1/11; REFUSED INVALID_ANSWER #1/11");
    assert_true(session_is_idle(w->session));
    world_free(&w);
}

static void refusal_of_work_that_is_held_ends_it(void **state) {
    (void)state;
    struct world *w = ready_agent();
    int job;
    assign(w, 1, 11);
    world_deliver(w);
    session_work_set(w->session, w->lease, &job);
    SAYS_ERROR(w, {.number = 1, .epoch = 11, .code = EST_STALE_EPOCH, .layer = 3});
    SAYS_ERROR(w, {.number = 1, .epoch = 11, .code = EST_STALE_EPOCH, .layer = 3});
    world_deliver(w);
    expect_told(w, "WORK #1/11; LOST STALE_EPOCH #1/11");
    assert_ptr_equal(w->work, &job);
    assert_true(session_is_idle(w->session));
    world_free(&w);
}

static void work_is_lost_with_the_connection_but_a_ready_answer_is_sent_once_more(void **state) {
    (void)state;
    struct world *w = ready_agent();
    int job;
    assign(w, 1, 11);
    assign(w, 2, 12);
    assign(w, 3, 13);
    world_deliver(w);
    session_work_set(w->session, w->lease, &job);
    assert_int_equal(answer(w, 1, 11), 0);
    expect_sent(w, "ANSWER");
    assert_int_equal(answer(w, 2, 12), 0); /* ready, not sent */
    session_disconnected(w->session, EST_UNREACHABLE, "");
    expect_told(w, "WORK #1/11; WORK #2/12; WORK #3/13; DOWN UNREACHABLE; LOST AGENT_LOST #3/13");
    assert_ptr_equal(w->work, &job);
    assert_int_equal(answer(w, 3, 13), -EST_STALE_EPOCH);
    reconnect(w);
    expect_sent(w, "ANSWER ANSWER READY"); /* before READY, so that they are not offered anew */
    assert_int_equal(w->got[0].answer.epoch + w->got[1].answer.epoch, 23);
    pairs_say(w, VERB_RECORDED, PAIRS(1, 11));
    world_deliver(w);
    expect_told(w, "RECORDED #1/11");
    session_disconnected(w->session, EST_UNREACHABLE, "");
    expect_told(w, "DOWN UNREACHABLE");
    reconnect(w);
    expect_sent(w, "READY"); /* the other one was sent again once */
    world_free(&w);
}

static void failed_attempts_to_connect_do_not_cost_an_answer(void **state) {
    (void)state;
    struct world *w = ready_agent();
    assign(w, 1, 11);
    world_deliver(w);
    assert_int_equal(answer(w, 1, 11), 0);
    for (int i = 0; i < 3; i++) {
        session_disconnected(w->session, EST_UNREACHABLE, "");
        session_connected(w->session, w->now);
    }
    session_disconnected(w->session, EST_UNREACHABLE, "");
    world_told(w);
    reconnect(w);
    expect_sent(w, "ANSWER READY");
    world_free(&w);
}

static void stale_answer_of_an_old_session_is_dropped(void **state) {
    (void)state;
    struct world *w = ready_agent();
    assign(w, 1, 11);
    world_deliver(w);
    assert_int_equal(answer(w, 1, 11), 0);
    expect_sent(w, "ANSWER");
    session_disconnected(w->session, EST_UNREACHABLE, "");
    world_told(w);
    reconnect(w);
    expect_sent(w, "ANSWER READY");
    assign(w, 1, 21); /* the same inquiry, offered anew */
    SAYS_ERROR(w, {.number = 1, .epoch = 11, .code = EST_STALE_EPOCH, .layer = 3});
    world_deliver(w);
    expect_told(w, "WORK #1/21; REFUSED STALE_EPOCH #1/11");
    assert_int_equal(answer(w, 1, 21), 0);
    expect_sent(w, "ANSWER");
    world_free(&w);
}

static void leases_are_renewed_at_a_third(void **state) {
    (void)state;
    struct world *w = ready_agent();
    assign(w, 1, 11);
    assign(w, 2, 12);
    world_deliver(w);
    expect_told(w, "WORK #1/11; WORK #2/12");
    for (int third = 0; third < 5; third++) {
        SAYS(w, PING, ping, {.token = 1});
        world_deliver(w);
        expect_sent(w, "PONG");
        world_pass_ms(w, 9999);
        world_sent(w); /* its PING */
        SAYS(w, PONG, ping, {.token = 1});
        world_deliver(w);
        world_pass_ms(w, 1);
        expect_sent(w, "RENEW");
        assert_int_equal(w->got[0].renew.pairs.count, 4);
        pairs_say(w, VERB_RENEWED, PAIRS(1, 11, 2, 12));
        world_deliver(w);
    }
    expect_told(w, "");
    world_free(&w);
}

static void lease_that_renewed_does_not_name_is_over(void **state) {
    (void)state;
    struct world *w = ready_agent();
    assign(w, 1, 11);
    assign(w, 2, 12);
    world_deliver(w);
    world_pass_ms(w, 10000);
    expect_sent(w, "RENEW PING"); /* nothing was heard meanwhile */
    assign(w, 3, 13); /* after the question: not meant by the answer */
    pairs_say(w, VERB_RENEWED, PAIRS(2, 12));
    world_deliver(w);
    expect_told(w, "WORK #1/11; WORK #2/12; WORK #3/13; LOST LEASE_EXPIRED #1/11");
    assert_int_equal(answer(w, 1, 11), -EST_STALE_EPOCH);
    world_free(&w);
}

static void lease_that_nobody_renews_ends_by_our_clock(void **state) {
    (void)state;
    struct world *w = ready_agent();
    assign(w, 1, 11);
    world_deliver(w);
    expect_told(w, "WORK #1/11");
    for (int third = 0; third < 3; third++) {
        world_pass_ms(w, 10000);
        world_sent(w);
        SAYS(w, PONG, ping, {.token = 1});
        world_deliver(w);
    }
    expect_told(w, "LOST LEASE_EXPIRED #1/11");
    assert_true(session_is_idle(w->session));
    world_free(&w);
}

/* The broker's word is what counts, and where it is silent the clock: to the microsecond. */
static void lease_ends_at_its_very_time(void **state) {
    (void)state;
    struct world *w = ready_agent();
    assign(w, 1, 11);
    world_deliver(w);
    world_pass_ms(w, 6000);
    assign(w, 2, 12);
    world_deliver(w);
    expect_told(w, "WORK #1/11; WORK #2/12");
    for (int i = 0; i < 23; i++) {
        world_pass_ms(w, 1000);
        world_sent(w);
        SAYS(w, PONG, ping, {.token = 1});
        world_deliver(w);
    }
    world_pass_ms(w, 999);
    expect_told(w, "");
    world_pass_ms(w, 1);
    expect_told(w, "LOST LEASE_EXPIRED #1/11");
    world_pass_ms(w, 5999);
    expect_told(w, "");
    world_sent(w);
    assert_int_equal(session_wakeup(w->session).us, w->now.us + EST_US_PER_MS);
    world_pass_ms(w, 1);
    expect_told(w, "LOST LEASE_EXPIRED #2/12");
    world_free(&w);
}

static void renewed_that_names_nothing_ends_everything_asked_for(void **state) {
    (void)state;
    struct world *w = ready_agent();
    assign(w, 1, 11);
    world_deliver(w);
    world_pass_ms(w, 10000);
    expect_sent(w, "RENEW PING");
    pairs_say(w, VERB_RENEWED, NULL, 0);
    world_deliver(w);
    expect_told(w, "WORK #1/11; LOST LEASE_EXPIRED #1/11");
    world_free(&w);
}

static void revoked_work_is_lost_and_its_answer_on_its_way_refused(void **state) {
    (void)state;
    struct world *w = ready_agent();
    assign(w, 1, 11);
    assign(w, 2, 12);
    assign(w, 3, 13);
    world_deliver(w);
    assert_int_equal(answer(w, 2, 12), 0);
    expect_sent(w, "ANSWER");
    assert_int_equal(answer(w, 3, 13), 0); /* has not left */
    SAYS(w, REVOKE, revoke, {.number = 1, .epoch = 11, .code = EST_CANCELLED});
    SAYS(w, REVOKE, revoke, {.number = 2, .epoch = 12, .code = EST_CANCELLED});
    SAYS(w, REVOKE, revoke, {.number = 3, .epoch = 13, .code = EST_CANCELLED});
    SAYS_ERROR(w, {.number = 2, .epoch = 12, .code = EST_STALE_EPOCH}); /* no news */
    world_deliver(w);
    expect_told(w, "WORK #1/11; WORK #2/12; WORK #3/13; LOST CANCELLED #1/11; REFUSED CANCELLED #2/12; "
                   "LOST CANCELLED #3/13");
    expect_sent(w, "");
    world_free(&w);
}

/* The answers are on a slow way; the broker ends lease after lease and gives new work for each. */
static void answers_overtaken_by_revokes_never_fill_the_table(void **state) {
    (void)state;
    struct world *w = ready_agent();
    for (uint64_t i = 1; i <= 100; i++) {
        assign(w, i, i + 10);
        world_deliver(w);
        assert_int_equal(answer(w, i, i + 10), 0);
        expect_sent(w, "ANSWER");
        SAYS(w, REVOKE, revoke, {.number = i, .epoch = i + 10, .code = EST_EXPIRED});
        world_deliver(w);
    }
    assert_true(session_is_up(w->session));
    assert_true(session_is_idle(w->session));
    world_free(&w);
}

static void renewals_of_a_full_window_fit_their_commands(void **state) {
    (void)state;
    struct world *w = world_new(&(struct session_options){.role = SESSION_AGENT, .window = EST_WINDOW_MAX});
    struct welcome grants = world_welcome();
    grants.window = EST_WINDOW_MAX;
    grants.frame_max = 32 * 1024;
    world_connect(w, &grants);
    expect_sent(w, "READY");
    for (uint64_t i = 1; i <= EST_WINDOW_MAX; i++)
        assign(w, i, i + UINT32_MAX);
    world_deliver(w);
    world_told(w);
    world_pass_ms(w, 10000);
    size_t pairs = 0, frames = 0;
    for (; world_sent(w)[0]; frames++)
        for (size_t i = 0; i < w->got_count; i++) {
            assert_true(w->frame.size <= grants.frame_max);
            if (w->got[i].verb == VERB_PING)
                continue;
            assert_int_equal(w->got[i].verb, VERB_RENEW);
            pairs += w->got[i].renew.pairs.count / 2;
        }
    assert_true(frames > 1);
    assert_int_equal(pairs, EST_WINDOW_MAX);
    for (unsigned i = 0; i < EST_WINDOW_MAX / (EST_NUMBERS_MAX / 2) - 1; i++) {
        pairs_say(w, VERB_RENEWED, PAIRS(1, 1 + (uint64_t)UINT32_MAX));
        world_deliver(w);
    }
    expect_told(w, ""); /* one RENEWED is still to come */
    pairs_say(w, VERB_RENEWED, NULL, 0);
    world_deliver(w);
    assert_int_equal(strncmp(world_told(w), "LOST LEASE_EXPIRED #2", 21), 0);
    world_free(&w);
}

static void more_work_than_the_window_breaks_the_connection(void **state) {
    (void)state;
    struct world *w = ready_agent();
    for (uint64_t i = 1; i <= 16; i++)
        assign(w, i, i);
    world_deliver(w);
    assert_false(session_is_broken(w->session));
    assign(w, 17, 17);
    world_deliver(w);
    assert_true(session_is_broken(w->session));
    world_free(&w);
}

static void same_work_twice_breaks_the_connection(void **state) {
    (void)state;
    struct world *w = ready_agent();
    assign(w, 1, 1);
    assign(w, 1, 1);
    world_deliver(w);
    assert_true(session_is_broken(w->session));
    world_free(&w);
}

static void leaving_takes_no_more_work_in_any_session(void **state) {
    (void)state;
    struct world *w = ready_agent();
    assign(w, 1, 11);
    world_deliver(w);
    session_leave(w->session);
    expect_sent(w, "LEAVE");
    assert_int_equal(answer(w, 1, 11), 0);
    expect_sent(w, "ANSWER");
    session_disconnected(w->session, EST_UNREACHABLE, "");
    world_told(w);
    reconnect(w);
    expect_sent(w, "ANSWER");
    expect_sent(w, "");
    world_free(&w);
}

static void refused_ready_ends_the_session_with_its_reason(void **state) {
    (void)state;
    struct world *w = agent();
    struct welcome grants = world_welcome();
    world_connect(w, &grants);
    expect_sent(w, "READY");
    SAYS_ERROR(w, {.ref = w->got[0].ready.ref, .code = EST_NOT_ALLOWED, .layer = 1});
    world_deliver(w);
    assert_true(session_is_broken(w->session));
    session_disconnected(w->session, EST_UNREACHABLE, "");
    expect_told(w, "DOWN NOT_ALLOWED");
    world_free(&w);
}

static void answer_that_breaks_the_protocol_is_refused_here(void **state) {
    (void)state;
    struct world *w = ready_agent();
    assign(w, 1, 11);
    world_deliver(w);
    static struct message m;
    m.verb = VERB_ANSWER;
    m.answer = (struct answer){.number = 1, .epoch = 11, .outcome = 1, .signer = slice_of("\xff")};
    assert_int_equal(session_answer(w->session, &m), -EST_INPUT);
    m.verb = VERB_REFUSE;
    m.refuse = (struct refuse){.number = 1, .epoch = 11, .reason = slice_of("bad")};
    assert_int_equal(session_answer(w->session, &m), 0);
    expect_sent(w, "REFUSE");
    world_free(&w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ready_names_types_districts_and_the_granted_window),
        cmocka_unit_test(types_that_the_broker_refuses_are_left_out_and_asked_for_again),
        cmocka_unit_test(more_types_may_be_refused_later_until_none_is_left),
        cmocka_unit_test(ready_that_is_refused_without_a_name_ends_the_session),
        cmocka_unit_test(after_a_reconnect_all_types_are_asked_for),
        cmocka_unit_test(work_is_answered_and_recorded),
        cmocka_unit_test(refused_answer_is_told_and_not_sent_again),
        cmocka_unit_test(refusal_of_work_that_is_held_ends_it),
        cmocka_unit_test(work_is_lost_with_the_connection_but_a_ready_answer_is_sent_once_more),
        cmocka_unit_test(failed_attempts_to_connect_do_not_cost_an_answer),
        cmocka_unit_test(stale_answer_of_an_old_session_is_dropped),
        cmocka_unit_test(leases_are_renewed_at_a_third),
        cmocka_unit_test(lease_that_renewed_does_not_name_is_over),
        cmocka_unit_test(lease_that_nobody_renews_ends_by_our_clock),
        cmocka_unit_test(lease_ends_at_its_very_time),
        cmocka_unit_test(renewed_that_names_nothing_ends_everything_asked_for),
        cmocka_unit_test(revoked_work_is_lost_and_its_answer_on_its_way_refused),
        cmocka_unit_test(answers_overtaken_by_revokes_never_fill_the_table),
        cmocka_unit_test(renewals_of_a_full_window_fit_their_commands),
        cmocka_unit_test(more_work_than_the_window_breaks_the_connection),
        cmocka_unit_test(same_work_twice_breaks_the_connection),
        cmocka_unit_test(leaving_takes_no_more_work_in_any_session),
        cmocka_unit_test(refused_ready_ends_the_session_with_its_reason),
        cmocka_unit_test(answer_that_breaks_the_protocol_is_refused_here),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
