/* test_session.c - stories of the session engine: the connection, asks and results. */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct world *client(uint32_t results) {
    return world_new(&(struct session_options){.role = SESSION_CLIENT, .results = results});
}

static struct world *connected_client(uint32_t results) {
    struct world *w = client(results);
    struct welcome grants = world_welcome();
    world_connect(w, &grants);
    return w;
}

static void submit(struct world *w, unsigned id) {
    struct submit it = submit_of(id);
    assert_int_equal(session_submit(w->session, &it), 0);
}

static int ask(struct world *w, enum verb verb, uint64_t ref) {
    static struct message m;
    memset(&m, 0, sizeof(struct status) + sizeof m.verb);
    m.verb = verb;
    m.status.ref = ref;
    return session_ask(w->session, &m);
}

static void accept(struct world *w, unsigned id) {
    SAYS(w, ACCEPTED, accepted, {.id = id_of(id), .number = 100 + id, .state = 1, .at_us = 1, .due_us = 2});
}

static void result(struct world *w, unsigned id) {
    SAYS(w, RESULT, result,
         {.id = id_of(id), .number = 100 + id, .state = EST_STATE_ANSWERED, .ended_us = 1});
}

static void reconnect(struct world *w) {
    session_disconnected(w->session, EST_UNREACHABLE, "gone");
    expect_told(w, "DOWN UNREACHABLE");
    struct welcome grants = world_welcome();
    world_connect(w, &grants);
}

/* --- The connection. ------------------------------------------------------------------------------- */

static void hello_comes_first_and_alone(void **state) {
    (void)state;
    struct world *w = client(RESULTS_OWN);
    submit(w, 1);
    expect_sent(w, "");
    session_connected(w->session, w->now);
    expect_sent(w, "HELLO");
    assert_int_equal(w->got[0].hello.version_min, PROTOCOL_VERSION);
    assert_int_equal(w->got[0].hello.window, SESSION_WINDOW_DEFAULT);
    assert_int_equal(w->got[0].hello.results, RESULTS_OWN);
    expect_sent(w, "");
    struct welcome grants = world_welcome();
    said_scratch.verb = VERB_WELCOME;
    said_scratch.welcome = grants;
    world_says(w, &said_scratch);
    world_deliver(w);
    expect_told(w, "UP");
    expect_sent(w, "SUBMIT");
    assert_true(slice_equal(session_account(w->session), slice_of("portal")));
    world_free(&w);
}

static void broker_that_does_not_say_welcome_is_given_up(void **state) {
    (void)state;
    struct world *w = client(0);
    session_connected(w->session, w->now);
    expect_sent(w, "HELLO");
    assert_int_equal(session_wakeup(w->session).us, w->now.us + SESSION_WELCOME_MS * EST_US_PER_MS);
    world_pass_ms(w, SESSION_WELCOME_MS - 1);
    assert_false(session_is_broken(w->session));
    world_pass_ms(w, 1);
    assert_true(session_is_broken(w->session));
    session_disconnected(w->session, EST_IO, "another reason");
    expect_told(w, "DOWN UNREACHABLE");
    world_free(&w);
}

static void quiet_session_pings_and_silent_broker_is_left(void **state) {
    (void)state;
    struct world *w = connected_client(0);
    world_pass_ms(w, 4999);
    expect_sent(w, "");
    assert_int_equal(session_wakeup(w->session).us, w->now.us + EST_US_PER_MS);
    world_pass_ms(w, 1);
    expect_sent(w, "PING");
    expect_sent(w, "");
    SAYS(w, PONG, ping, {.token = 1});
    world_deliver(w);
    world_pass_ms(w, 14999);
    assert_false(session_is_broken(w->session));
    world_pass_ms(w, 1);
    assert_true(session_is_broken(w->session));
    session_disconnected(w->session, EST_UNREACHABLE, "");
    expect_told(w, "DOWN SILENT_PEER");
    world_free(&w);
}

/* Acknowledgements have no answer: who sends nothing else must ask for a sign of life. */
static void session_that_hears_nothing_pings_whatever_it_says(void **state) {
    (void)state;
    struct world *w = connected_client(RESULTS_ALL);
    for (int i = 1; i <= 4; i++) {
        world_pass_ms(w, 1000);
        assert_int_equal(session_ack(w->session, (uint64_t)i), 0);
        expect_sent(w, "RESULT_ACK");
    }
    world_pass_ms(w, 999);
    assert_int_equal(session_wakeup(w->session).us, w->now.us + EST_US_PER_MS);
    world_pass_ms(w, 1);
    assert_int_equal(session_ack(w->session, 5), 0);
    expect_sent(w, "RESULT_ACK PING");
    world_pass_ms(w, 1000);
    assert_int_equal(session_ack(w->session, 6), 0);
    expect_sent(w, "RESULT_ACK");
    SAYS(w, PONG, ping, {.token = 1});
    world_deliver(w);
    world_pass_ms(w, 4000);
    assert_int_equal(session_ack(w->session, 7), 0);
    expect_sent(w, "RESULT_ACK");
    world_pass_ms(w, 1000);
    assert_int_equal(session_ack(w->session, 8), 0);
    expect_sent(w, "RESULT_ACK PING");
    world_free(&w);
}

static void ping_is_answered_with_its_token(void **state) {
    (void)state;
    struct world *w = connected_client(0);
    SAYS(w, PING, ping, {.token = 77});
    world_deliver(w);
    expect_sent(w, "PONG");
    assert_int_equal(w->got[0].ping.token, 77);
    world_free(&w);
}

static void bye_and_refused_hello_say_why(void **state) {
    (void)state;
    struct world *w = connected_client(0);
    SAYS(w, BYE, bye, {.code = EST_KEY_REVOKED, .text = slice_of("since noon")});
    result(w, 1); /* what follows BYE is not read */
    world_deliver(w);
    assert_true(session_is_broken(w->session));
    session_disconnected(w->session, EST_UNREACHABLE, "");
    expect_told(w, "DOWN KEY_REVOKED");
    assert_string_equal(w->text, "since noon");
    session_connected(w->session, w->now);
    expect_sent(w, "HELLO");
    SAYS_ERROR(w, {.code = EST_NOT_ALLOWED, .layer = 1});
    world_deliver(w);
    session_disconnected(w->session, EST_UNREACHABLE, "");
    expect_told(w, "DOWN NOT_ALLOWED");
    world_free(&w);
}

static void our_bye_leaves_after_everything_else(void **state) {
    (void)state;
    struct world *w = connected_client(0);
    submit(w, 1);
    session_bye(w->session);
    expect_sent(w, "SUBMIT BYE");
    expect_sent(w, "");
    world_free(&w);
}

/* --- Asks. ------------------------------------------------------------------------------------------ */

static void commands_share_a_frame(void **state) {
    (void)state;
    struct world *w = connected_client(0);
    submit(w, 1);
    assert_int_equal(ask(w, VERB_STATUS, 5), 0);
    submit(w, 2);
    assert_int_equal(session_ack(w->session, 9), 0);
    assert_int_equal(session_ack(w->session, 10), 0);
    expect_sent(w, "RESULT_ACK SUBMIT STATUS SUBMIT");
    assert_int_equal(w->got[0].result_ack.numbers.count, 2);
    expect_sent(w, "");
    accept(w, 2);
    SAYS(w, STATUS_IS, status_is, {.ref = w->got[2].status.ref, .number = 9, .state = 1});
    accept(w, 1);
    world_deliver(w);
    expect_told(w, "ACCEPTED #102; STATUS_IS ref 5; ACCEPTED #101");
    world_free(&w);
}

static void unanswered_asks_are_sent_again_in_their_order(void **state) {
    (void)state;
    struct world *w = connected_client(RESULTS_ALL);
    submit(w, 1);
    submit(w, 2);
    assert_int_equal(ask(w, VERB_CANCEL, 8), 0);
    expect_sent(w, "SUBMIT SUBMIT CANCEL");
    uint64_t ref = w->got[2].cancel.ref;
    accept(w, 1);
    world_deliver(w);
    expect_told(w, "ACCEPTED #101");
    submit(w, 3); /* not sent yet when the connection goes */
    reconnect(w);
    expect_sent(w, "SUBMIT CANCEL SUBMIT");
    assert_int_equal(w->got[0].submit.id.bytes[15], 2);
    assert_int_equal(w->got[1].cancel.ref, ref);
    assert_int_equal(w->got[2].submit.id.bytes[15], 3);
    SAYS(w, DONE, done, {.ref = ref});
    SAYS(w, DONE, done, {.ref = ref}); /* the answer to the first sending, come late */
    accept(w, 2);
    accept(w, 2);
    world_deliver(w);
    expect_told(w, "DONE ref 8; ACCEPTED #102");
    world_free(&w);
}

static void own_inquiry_is_submitted_again_until_its_result_came(void **state) {
    (void)state;
    struct world *w = connected_client(RESULTS_OWN);
    submit(w, 1);
    submit(w, 2);
    expect_sent(w, "SUBMIT SUBMIT");
    accept(w, 1);
    accept(w, 2);
    result(w, 2);
    world_deliver(w);
    expect_told(w, "ACCEPTED #101; ACCEPTED #102; RESULT #102");
    reconnect(w);
    expect_sent(w, "SUBMIT");
    accept(w, 1); /* no news */
    result(w, 1);
    world_deliver(w);
    expect_told(w, "RESULT #101");
    reconnect(w);
    expect_sent(w, "");
    world_free(&w);
}

static void busy_broker_hears_of_an_accepted_inquiry_later(void **state) {
    (void)state;
    struct world *w = connected_client(RESULTS_OWN);
    submit(w, 1);
    expect_sent(w, "SUBMIT");
    accept(w, 1);
    world_deliver(w);
    expect_told(w, "ACCEPTED #101");
    reconnect(w);
    expect_sent(w, "SUBMIT");
    SAYS_ERROR(w, {.id = id_of(1), .code = EST_BUSY, .layer = 2, .retry_ms = 700});
    world_deliver(w);
    expect_told(w, "");
    world_pass_ms(w, 699);
    expect_sent(w, "");
    assert_int_equal(session_wakeup(w->session).us, w->now.us + EST_US_PER_MS);
    world_pass_ms(w, 1);
    expect_sent(w, "SUBMIT");
    world_free(&w);
}

static void refusals_find_their_ask(void **state) {
    (void)state;
    struct world *w = connected_client(0);
    submit(w, 1);
    assert_int_equal(ask(w, VERB_TIMELINE, 4), 0);
    expect_sent(w, "SUBMIT TIMELINE");
    SAYS_ERROR(w, {.ref = w->got[1].timeline.ref, .code = EST_NOT_FOUND, .layer = 1});
    SAYS_ERROR(w, {.id = id_of(1), .code = EST_BUSY, .layer = 2});
    SAYS_ERROR(w, {.id = id_of(1), .code = EST_BUSY, .layer = 2});
    SAYS_ERROR(w, {.id = id_of(6), .code = EST_BUSY, .layer = 2});
    world_deliver(w);
    expect_told(w, "REFUSED NOT_FOUND ref 4; REFUSED BUSY id 1");
    reconnect(w);
    expect_sent(w, "");
    world_free(&w);
}

static void answer_to_what_was_not_sent_yet_is_passed_over(void **state) {
    (void)state;
    struct world *w = connected_client(RESULTS_OWN);
    submit(w, 1);
    accept(w, 1);
    SAYS_ERROR(w, {.id = id_of(1), .code = EST_BUSY, .layer = 2});
    world_deliver(w);
    expect_told(w, "");
    expect_sent(w, "SUBMIT");
    world_free(&w);
}

static void ask_outlives_a_broker_that_no_longer_leads(void **state) {
    (void)state;
    struct world *w = connected_client(0);
    submit(w, 1);
    expect_sent(w, "SUBMIT");
    SAYS_ERROR(w, {.id = id_of(1), .code = EST_NOT_LEADER, .layer = 2});
    world_deliver(w);
    assert_true(session_is_broken(w->session));
    session_disconnected(w->session, EST_UNREACHABLE, "");
    expect_told(w, "DOWN NOT_LEADER");
    struct welcome grants = world_welcome();
    world_connect(w, &grants);
    expect_sent(w, "SUBMIT");
    world_free(&w);
}

static void asks_beyond_the_grant_are_refused_or_wait(void **state) {
    (void)state;
    struct world *w = client(0);
    for (unsigned i = 1; i <= 5; i++)
        submit(w, i);
    struct welcome grants = world_welcome();
    grants.asks_max = 3;
    world_connect(w, &grants);
    expect_sent(w, "SUBMIT SUBMIT SUBMIT");
    expect_sent(w, "");
    struct submit more = submit_of(6);
    assert_int_equal(session_submit(w->session, &more), -EST_FULL);
    assert_int_equal(ask(w, VERB_STATS, 1), -EST_FULL);
    accept(w, 2);
    world_deliver(w);
    expect_sent(w, "SUBMIT");
    accept(w, 1);
    accept(w, 3);
    world_deliver(w);
    expect_sent(w, "SUBMIT");
    assert_int_equal(session_submit(w->session, &more), 0);
    world_free(&w);
}

/* Every verb that asks is answered by its own name or by DONE; another's answer is a breach. */
static void an_ask_is_answered_by_its_own_verb_alone(void **state) {
    (void)state;
    static const struct {
        enum verb ask, answer;
    } pairs[] = {
        {VERB_STATUS, VERB_STATUS_IS}, {VERB_TIMELINE, VERB_TIMELINE_IS}, {VERB_QUEUES, VERB_QUEUES_IS},
        {VERB_AGENTS, VERB_AGENTS_IS}, {VERB_PARKED, VERB_PARKED_IS},     {VERB_STATS, VERB_STATS_IS},
        {VERB_KEYS, VERB_KEYS_IS},     {VERB_CONFIG, VERB_CONFIG_IS},     {VERB_EVENTS, VERB_EVENTS_IS},
        {VERB_FIND, VERB_FIND_IS},     {VERB_COUNTERS, VERB_COUNTERS_IS}, {VERB_CANCEL, VERB_DONE},
    };
    enum { PAIRS = sizeof pairs / sizeof *pairs };
    for (size_t i = 0; i < 2 * PAIRS; i++) {
        struct world *w = connected_client(0);
        bool own = i < PAIRS;
        char expected[64];
        assert_int_equal(ask(w, pairs[i % PAIRS].ask, 4), 0);
        expect_sent(w, verb_name(pairs[i % PAIRS].ask));
        memset(&said_scratch, 0, sizeof(struct status_is) + sizeof said_scratch.verb);
        said_scratch.verb = pairs[own ? i : (i + 1) % PAIRS].answer;
        said_scratch.done.ref = w->got[0].done.ref;
        world_says(w, &said_scratch);
        world_deliver(w);
        snprintf(expected, sizeof expected, "%s ref 4", verb_name(said_scratch.verb));
        expect_told(w, own ? expected : "");
        assert_int_equal(session_is_broken(w->session), !own);
        world_free(&w);
    }
}

static void table_of_asks_has_its_limit(void **state) {
    (void)state;
    struct world *w = client(0);
    for (unsigned i = 1; i <= SESSION_ASKS_MAX; i++)
        submit(w, i);
    struct submit more = submit_of(SESSION_ASKS_MAX + 1);
    assert_int_equal(session_submit(w->session, &more), -EST_FULL);
    world_free(&w);
}

static void awaited_results_have_their_limit(void **state) {
    (void)state;
    struct world *w = connected_client(RESULTS_OWN);
    unsigned last = SESSION_AWAITED_MAX + SESSION_ASKS_MAX;
    for (unsigned i = 1; i <= last; i++) {
        submit(w, i);
        if (i % 512 != 0)
            continue;
        while (world_sent(w)[0])
            continue;
        for (unsigned j = i - 511; j <= i; j++)
            accept(w, j);
        world_deliver(w);
        world_told(w);
    }
    struct submit more = submit_of(last + 1);
    assert_int_equal(session_submit(w->session, &more), -EST_FULL);
    result(w, 77);
    world_deliver(w);
    assert_int_equal(session_submit(w->session, &more), 0);
    world_free(&w);
}

static void frames_keep_to_the_size_granted(void **state) {
    (void)state;
    struct world *w = client(0);
    static uint8_t text[15000];
    memset(text, 'a', sizeof text);
    struct buffer body;
    buffer_init(&body);
    pack_map(&body, 1);
    pack_cstr(&body, "x");
    pack_text(&body, (est_slice){text, sizeof text});
    for (unsigned i = 1; i <= 4; i++) {
        struct submit it = submit_of(i);
        it.body = buffer_slice(&body);
        assert_int_equal(session_submit(w->session, &it), 0);
    }
    struct welcome grants = world_welcome();
    grants.frame_max = 33000;
    world_connect(w, &grants);
    expect_sent(w, "SUBMIT SUBMIT");
    assert_true(w->frame.size <= 33000);
    expect_sent(w, "SUBMIT SUBMIT");
    expect_sent(w, "");
    buffer_done(&body);
    world_free(&w);
}

static void ask_larger_than_the_new_brokers_frames_is_refused_here(void **state) {
    (void)state;
    struct world *w = client(0);
    static uint8_t text[40000];
    memset(text, 'a', sizeof text);
    struct buffer body;
    buffer_init(&body);
    pack_map(&body, 1);
    pack_cstr(&body, "x");
    pack_text(&body, (est_slice){text, sizeof text});
    struct submit it = submit_of(1);
    it.body = buffer_slice(&body);
    assert_int_equal(session_submit(w->session, &it), 0);
    submit(w, 2);
    struct welcome grants = world_welcome();
    grants.frame_max = 32 * 1024;
    world_connect(w, &grants);
    expect_sent(w, "SUBMIT");
    expect_told(w, "REFUSED TOO_LARGE id 1");
    grants.body_max = 100;
    session_disconnected(w->session, EST_UNREACHABLE, "");
    expect_told(w, "DOWN UNREACHABLE");
    world_connect(w, &grants);
    it = submit_of(3);
    it.body = buffer_slice(&body);
    assert_int_equal(session_submit(w->session, &it), -EST_TOO_LARGE);
    buffer_done(&body);
    world_free(&w);
}

static void submit_that_breaks_the_protocol_is_not_kept(void **state) {
    (void)state;
    struct world *w = connected_client(0);
    static const uint8_t not_a_map[] = {0x93, 1, 2, 3}, cut[] = {0x81, 0xa1, 'x'}, two[] = {0x80, 0x80};
    static const uint8_t twice[] = {0x82, 0xa1, 'x', 1, 0xa1, 'x', 2},
                         not_utf8[] = {0x81, 0xa1, 'x', 0xa1, 0xff};
    est_slice bodies[] = {{not_a_map, sizeof not_a_map},
                          {cut, sizeof cut},
                          {two, sizeof two},
                          {twice, sizeof twice},
                          {not_utf8, sizeof not_utf8}};
    struct submit it;
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        it = submit_of(1);
        it.body = bodies[i];
        assert_int_equal(session_submit(w->session, &it), -EST_INPUT);
    }
    it = submit_of(1);
    it.id = (est_id){{0}};
    assert_int_equal(session_submit(w->session, &it), -EST_INPUT);
    it = submit_of(1);
    it.type = slice_of("");
    assert_int_equal(session_submit(w->session, &it), -EST_INPUT);
    it = submit_of(1);
    it.trace = slice_of("\xff");
    assert_int_equal(session_submit(w->session, &it), -EST_INPUT);
    expect_sent(w, "");
    world_free(&w);
}

static void same_submit_twice_is_one_and_another_under_its_id_a_conflict(void **state) {
    (void)state;
    struct world *w = connected_client(0);
    submit(w, 1);
    submit(w, 1);
    struct submit other = submit_of(1);
    other.purpose = slice_of("transfer");
    assert_int_equal(session_submit(w->session, &other), -EST_CONFLICT);
    expect_sent(w, "SUBMIT");
    submit(w, 1);
    expect_sent(w, "");
    world_free(&w);
}

static void frame_that_the_broker_calls_malformed_is_not_sent_again(void **state) {
    (void)state;
    struct world *w = connected_client(RESULTS_OWN);
    submit(w, 1);
    expect_sent(w, "SUBMIT");
    accept(w, 1);
    world_deliver(w);
    expect_told(w, "ACCEPTED #101");
    reconnect(w);
    submit(w, 2);
    assert_int_equal(ask(w, VERB_STATS, 3), 0);
    expect_sent(w, "SUBMIT SUBMIT STATS");
    submit(w, 4); /* not in that frame */
    SAYS(w, BYE, bye, {.code = EST_MALFORMED});
    world_deliver(w);
    session_disconnected(w->session, EST_UNREACHABLE, "");
    expect_told(w, "REFUSED MALFORMED id 2; REFUSED MALFORMED ref 3; DOWN MALFORMED");
    struct welcome grants = world_welcome();
    world_connect(w, &grants);
    expect_sent(w, "SUBMIT SUBMIT");
    world_free(&w);
}

/* A question may be what brings the answer that cannot be read; whether an act was done must be asked again. */
static void question_whose_answer_cannot_be_read_is_not_asked_again(void **state) {
    (void)state;
    struct world *w = connected_client(RESULTS_OWN);
    submit(w, 1);
    assert_int_equal(ask(w, VERB_AGENTS, 2), 0);
    assert_int_equal(ask(w, VERB_REQUEUE, 3), 0);
    expect_sent(w, "SUBMIT AGENTS REQUEUE");
    assert_int_equal(ask(w, VERB_STATS, 4), 0); /* not under way */
    session_frame(w->session, w->now, slice_of("\x01\x92\xc1"));
    expect_told(w, "REFUSED INTERNAL ref 2");
    assert_true(session_is_broken(w->session));
    session_disconnected(w->session, EST_UNREACHABLE, "");
    expect_told(w, "DOWN MALFORMED");
    struct welcome grants = world_welcome();
    world_connect(w, &grants);
    expect_sent(w, "SUBMIT REQUEUE STATS");
    world_free(&w);
}

/* --- Results. ---------------------------------------------------------------------------------------- */

static void acknowledgement_that_may_be_lost_is_repeated(void **state) {
    (void)state;
    struct world *w = connected_client(RESULTS_ALL);
    assert_int_equal(session_ack(w->session, 5), 0);
    expect_sent(w, "RESULT_ACK");
    reconnect(w);
    assert_int_equal(session_ack(w->session, 6), 0);
    expect_sent(w, "RESULT_ACK");
    assert_int_equal(w->got[0].result_ack.numbers.count, 2);
    assert_int_equal(w->got[0].result_ack.numbers.at[0], 5);
    assert_int_equal(w->got[0].result_ack.numbers.at[1], 6);
    world_free(&w);
}

static void acknowledgements_have_their_limit(void **state) {
    (void)state;
    struct world *w = client(RESULTS_ALL);
    for (uint64_t i = 1; i <= SESSION_ACKS_MAX; i++)
        assert_int_equal(session_ack(w->session, i), 0);
    assert_int_equal(session_ack(w->session, 1), -EST_FULL);
    struct welcome grants = world_welcome();
    world_connect(w, &grants);
    assert_string_equal(
        world_sent(w),
        "RESULT_ACK RESULT_ACK RESULT_ACK RESULT_ACK RESULT_ACK RESULT_ACK RESULT_ACK RESULT_ACK");
    uint64_t next = 1;
    for (size_t i = 0; i < w->got_count; i++)
        for (size_t j = 0; j < w->got[i].result_ack.numbers.count; j++)
            assert_int_equal(w->got[i].result_ack.numbers.at[j], next++);
    assert_int_equal(next, SESSION_ACKS_MAX + 1);
    reconnect(w);
    expect_sent(w, "RESULT_ACK"); /* the last SESSION_ACKS_KEPT of them */
    assert_int_equal(w->got[0].result_ack.numbers.at[0], SESSION_ACKS_MAX - SESSION_ACKS_KEPT + 1);
    world_free(&w);
}

/* --- A broker that breaks the protocol. ---------------------------------------------------------------- */

static void expect_breach(struct world **w) {
    world_deliver(*w);
    assert_true(session_is_broken((*w)->session));
    session_disconnected((*w)->session, EST_UNREACHABLE, "");
    expect_told(*w, "DOWN MALFORMED");
    world_free(w);
}

static void command_out_of_place_breaks_the_connection(void **state) {
    (void)state;
    struct world *w = connected_client(0);
    SAYS(w, WELCOME, welcome, {.version = 1, .session = 1, .frame_max = EST_FRAME_MAX, .body_max = 1});
    expect_breach(&w);
    w = connected_client(0);
    SAYS(w, ASSIGN, assign, {.number = 1, .epoch = 1, .lease_ms = 1000}); /* for agents */
    expect_breach(&w);
    w = connected_client(0);
    SAYS(w, HELLO, hello, {.version_min = 1, .version_max = 1}); /* ours */
    expect_breach(&w);
    w = connected_client(0);
    assert_int_equal(ask(w, VERB_STATUS, 1), 0);
    expect_sent(w, "STATUS");
    SAYS(w, DONE, done, {.ref = w->got[0].status.ref}); /* not what was asked */
    expect_breach(&w);
    w = client(0);
    session_connected(w->session, w->now);
    accept(w, 1); /* before WELCOME */
    expect_breach(&w);
}

static void welcome_that_cannot_be_worked_with_breaks_the_connection(void **state) {
    (void)state;
    struct welcome grants[2] = {world_welcome(), world_welcome()};
    grants[0].version = 2;
    grants[1].frame_max = 1000;
    for (int i = 0; i < 2; i++) {
        struct world *w = client(0);
        session_connected(w->session, w->now);
        said_scratch.verb = VERB_WELCOME;
        said_scratch.welcome = grants[i];
        world_says(w, &said_scratch);
        expect_breach(&w);
    }
}

static void frame_of_another_version_breaks_the_connection(void **state) {
    (void)state;
    struct world *w = connected_client(0);
    result(w, 1);
    w->said.data[0] = 99;
    expect_breach(&w);
}

/* What came whole is told; where the cut is, the connection ends. */
static void frame_cut_anywhere_breaks_the_connection_and_nothing_else(void **state) {
    (void)state;
    struct world *whole = connected_client(0);
    accept(whole, 1);
    result(whole, 2);
    size_t size = whole->said.size, cuts_broken = 0;
    for (size_t cut = 0; cut < size; cut++) {
        struct world *w = connected_client(0);
        submit(w, 1);
        expect_sent(w, "SUBMIT");
        buffer_put(&w->said, whole->said.data, cut);
        w->said.size = cut;
        if (cut == 0)
            buffer_reserve(&w->said, 1);
        world_deliver(w);
        const char *told = world_told(w);
        assert_true(strcmp(told, "") == 0 || strcmp(told, "ACCEPTED #101") == 0);
        cuts_broken += session_is_broken(w->session);
        world_free(&w);
    }
    /* All but the cut between two commands and the frame of a version byte alone. */
    assert_int_equal(cuts_broken, size - 2);
    world_free(&whole);
}

/* --- The same calls give the same bytes. -----------------------------------------------------------------
 */

static void story(struct buffer *transcript) {
    struct world *w = connected_client(RESULTS_OWN);
    for (int round = 0; round < 3; round++) {
        for (unsigned i = 1; i <= 50; i++)
            submit(w, (unsigned)round * 100 + i * 7919 % 1000);
        world_sent(w);
        buffer_put(transcript, w->frame.data, w->frame.size);
        for (unsigned i = 1; i <= 25; i++)
            accept(w, (unsigned)round * 100 + i * 7919 % 1000);
        world_deliver(w);
        const char *told = world_told(w);
        buffer_put(transcript, told, strlen(told));
        reconnect(w);
        world_sent(w);
        buffer_put(transcript, w->frame.data, w->frame.size);
    }
    world_free(&w);
}

static void same_calls_give_the_same_bytes(void **state) {
    (void)state;
    struct buffer first, second;
    buffer_init(&first);
    buffer_init(&second);
    story(&first);
    story(&second);
    assert_true(first.size > 10000);
    assert_true(slice_equal(buffer_slice(&first), buffer_slice(&second)));
    buffer_done(&first);
    buffer_done(&second);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hello_comes_first_and_alone),
        cmocka_unit_test(broker_that_does_not_say_welcome_is_given_up),
        cmocka_unit_test(quiet_session_pings_and_silent_broker_is_left),
        cmocka_unit_test(session_that_hears_nothing_pings_whatever_it_says),
        cmocka_unit_test(ping_is_answered_with_its_token),
        cmocka_unit_test(bye_and_refused_hello_say_why),
        cmocka_unit_test(our_bye_leaves_after_everything_else),
        cmocka_unit_test(commands_share_a_frame),
        cmocka_unit_test(unanswered_asks_are_sent_again_in_their_order),
        cmocka_unit_test(own_inquiry_is_submitted_again_until_its_result_came),
        cmocka_unit_test(busy_broker_hears_of_an_accepted_inquiry_later),
        cmocka_unit_test(refusals_find_their_ask),
        cmocka_unit_test(answer_to_what_was_not_sent_yet_is_passed_over),
        cmocka_unit_test(ask_outlives_a_broker_that_no_longer_leads),
        cmocka_unit_test(asks_beyond_the_grant_are_refused_or_wait),
        cmocka_unit_test(an_ask_is_answered_by_its_own_verb_alone),
        cmocka_unit_test(table_of_asks_has_its_limit),
        cmocka_unit_test(awaited_results_have_their_limit),
        cmocka_unit_test(frames_keep_to_the_size_granted),
        cmocka_unit_test(ask_larger_than_the_new_brokers_frames_is_refused_here),
        cmocka_unit_test(submit_that_breaks_the_protocol_is_not_kept),
        cmocka_unit_test(same_submit_twice_is_one_and_another_under_its_id_a_conflict),
        cmocka_unit_test(frame_that_the_broker_calls_malformed_is_not_sent_again),
        cmocka_unit_test(question_whose_answer_cannot_be_read_is_not_asked_again),
        cmocka_unit_test(acknowledgement_that_may_be_lost_is_repeated),
        cmocka_unit_test(acknowledgements_have_their_limit),
        cmocka_unit_test(command_out_of_place_breaks_the_connection),
        cmocka_unit_test(welcome_that_cannot_be_worked_with_breaks_the_connection),
        cmocka_unit_test(frame_of_another_version_breaks_the_connection),
        cmocka_unit_test(frame_cut_anywhere_breaks_the_connection_and_nothing_else),
        cmocka_unit_test(same_calls_give_the_same_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
