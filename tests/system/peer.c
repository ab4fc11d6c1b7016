/* peer.c - peers that break the protocol are cut off and counted, and nobody else notices. */
#include "harness.h"

#include <stdlib.h>
#include <string.h>

/* A town with somebody at work in it, who must notice nothing. */
struct witness {
    struct town *town;
    struct far *portal, *duty;
    struct child *agent;
    uint64_t disconnects;
};

static struct witness witness_start(void) {
    struct witness w = {.town = town_new(NULL)};
    town_start(w.town);
    w.agent = agent_start(w.town, "treasury-a", "answer", 1);
    assert_non_null(child_line(w.agent, "up"));
    w.portal = far_open(w.town, "portal", 2);
    w.duty = far_open(w.town, "duty", 0);
    return w;
}

static void witness_end(struct witness *w) {
    est_id id;
    far_submit(w->portal, "plot.debt", "1-1-1", &id);
    assert_int_equal(far_wait(w->portal, EST_EVENT_RESULT, .id = &id)->state, EST_STATE_ANSWERED);
    assert_null(far_peek(w->portal, (struct want){.kind = EST_EVENT_DISCONNECTED}));
    assert_null(far_peek(w->duty, (struct want){.kind = EST_EVENT_DISCONNECTED}));
    assert_false(child_has_line(w->agent, "up")); /* it was up once */
    town_end(w->town);
}

/* Says this after HELLO; it must be told MALFORMED, where and why, and cut off. */
static void expect_malformed(struct witness *w, const void *bytes, size_t size, const char *why) {
    uint64_t before = far_stat(w->duty, "refused_MALFORMED");
    struct raw *raw = raw_session(w->town, "notary");
    raw_send_bytes(raw, bytes, size, false);
    const struct bye *bye = &raw_receive(raw, VERB_BYE)->bye;
    assert_int_equal(bye->code, EST_MALFORMED);
    assert_true(text_has(bye->text, why));
    raw_ended(raw);
    raw_close(&raw);
    assert_int_equal(far_stat(w->duty, "refused_MALFORMED"), before + 1);
}

static void garbage_ends_its_connection_and_is_counted(void **state) {
    (void)state;
    struct witness w = witness_start();
    char noise[4096];
    unsigned seed = 7;
    noise[0] = PROTOCOL_VERSION;
    for (size_t i = 1; i < sizeof noise; i++)
        noise[i] = (char)(rand_r(&seed) >> 8);
    noise[1] = (char)0xc1; /* which msgpack never uses: no chance of a valid start */
    expect_malformed(&w, noise, sizeof noise, "byte 1: ");
    /* ends within a command; four thousand million elements; ACCEPTED, which only a broker says; a second
     * HELLO; a text where a number belongs */
    expect_malformed(&w, "\x01\x92\x10", 3, "byte 1: ");
    expect_malformed(&w, "\x01\xdd\xff\xff\xff\xff", 6, "byte 1: an array");
    expect_malformed(&w, "\x01\x92\x11\x80", 4, "");
    expect_malformed(&w, "\x01\x92\x01\x82\x01\x01\x02\x01", 8, "a second HELLO");
    expect_malformed(&w, "\x01\x92\x03\x81\x01\xa1\x61", 7, "PING.token, byte 5: an unsigned integer");
    witness_end(&w);
}

static void frame_of_another_version_ends_its_connection(void **state) {
    (void)state;
    struct witness w = witness_start();
    struct raw *raw = raw_session(w.town, "notary");
    raw_send_bytes(raw, "\x07\x92\x03\x81\x01\x01", 6, false);
    assert_int_equal(raw_receive(raw, VERB_BYE)->bye.code, EST_VERSION_UNSUPPORTED);
    raw_ended(raw);
    witness_end(&w);
}

static void command_before_hello_ends_its_connection(void **state) {
    (void)state;
    struct witness w = witness_start();
    struct raw *raw = raw_open(w.town->endpoints[REQUESTERS],
                               &(struct raw_options){.server_key = w.town->server.public_key,
                                                     .key = town_account(w.town, "notary")->key});
    struct message m = {.verb = VERB_STATUS};
    m.status = (struct status){.ref = 1, .number = 1};
    raw_send(raw, &m);
    assert_int_equal(raw_receive(raw, VERB_BYE)->bye.code, EST_HELLO_FIRST);
    raw_ended(raw);
    assert_int_equal(far_stat(w.duty, "refused_HELLO_FIRST"), 1);
    witness_end(&w);
}

static void goodbye_is_answered_by_goodbye(void **state) {
    (void)state;
    struct witness w = witness_start();
    struct raw *raw = raw_session(w.town, "notary");
    raw_send(raw, &(struct message){.verb = VERB_BYE});
    assert_int_equal(raw_receive(raw, VERB_BYE)->bye.code, EST_OK);
    raw_ended(raw);
    witness_end(&w);
}

static void message_of_two_frames_ends_its_connection_and_is_counted(void **state) {
    (void)state;
    struct witness w = witness_start();
    struct raw *raw = raw_session(w.town, "notary");
    raw_send_bytes(raw, "\x01", 1, true);
    raw_send_bytes(raw, "\x01", 1, false);
    assert_int_equal(raw_receive(raw, VERB_BYE)->bye.code, EST_MALFORMED);
    raw_ended(raw);
    assert_int_equal(far_stat(w.duty, "refused_MALFORMED"), 1);
    assert_int_equal(far_stat(w.duty, "dropped_protocol"), 1);
    raw_close(&raw);
    raw = raw_open(/* and as the very first thing said */
                   w.town->endpoints[REQUESTERS],
                   &(struct raw_options){.server_key = w.town->server.public_key,
                                         .key = town_account(w.town, "notary")->key});
    raw_send_bytes(raw, "\x01", 1, true);
    raw_send_bytes(raw, "\x01", 1, false);
    raw_ended(raw);
    assert_int_equal(far_stat(w.duty, "dropped_protocol"), 2);
    witness_end(&w);
}

static void chosen_routing_id_is_cut_off_and_counted(void **state) {
    (void)state;
    struct witness w = witness_start();
    struct raw *raw = raw_open(w.town->endpoints[REQUESTERS],
                               &(struct raw_options){.server_key = w.town->server.public_key,
                                                     .routing_id = "me",
                                                     .key = town_account(w.town, "notary")->key});
    raw_send_bytes(raw, "\x01\x92\x01\x82\x01\x01\x02\x01", 8, false);
    raw_ended(raw);
    assert_int_equal(far_stat(w.duty, "dropped_protocol"), 1);
    witness_end(&w);
}

/* --- Size --------------------------------------------------------------------------------------------- */

/* PINGs, and one unknown field to fill it up, so that the frame has exactly this size. */
static char *frame_of(size_t size) {
    char *frame = test_malloc(size);
    size_t at = 0;
    const char head[] = "\x01\x92\x03\x82\x01\x07\xcd\x01\x00\xc6"; /* PING, token 7, field 256: binary */
    memset(frame, 'x', size);
    memcpy(frame, head, sizeof head - 1);
    at = sizeof head - 1;
    size_t left = size - at - 4;
    for (int i = 0; i < 4; i++)
        frame[at + (size_t)i] = (char)(left >> (24 - 8 * i));
    return frame;
}

static void largest_frame_is_taken(void **state) {
    (void)state;
    struct witness w = witness_start();
    struct raw *raw = raw_session(w.town, "notary");
    char *frame = frame_of(EST_FRAME_MAX);
    raw_send_bytes(raw, frame, EST_FRAME_MAX, false);
    assert_int_equal(raw_receive(raw, VERB_PONG)->ping.token, 7);
    test_free(frame);
    witness_end(&w);
}

static void larger_frame_ends_its_connection_alone(void **state) {
    (void)state;
    static const size_t sizes[] = {EST_FRAME_MAX + 1, 4 * EST_FRAME_MAX};
    struct witness w = witness_start();
    for (size_t i = 0; i < 2; i++) {
        struct raw *raw = raw_session(w.town, "notary");
        char *frame = frame_of(sizes[i]);
        raw_send_bytes(raw, frame, sizes[i], false);
        raw_ended(raw);
        assert_false(raw_heard(raw, VERB_PONG));
        raw_close(&raw);
        test_free(frame);
    }
    witness_end(&w);
}

/* A broker of the test's own: it takes HELLO, says WELCOME, then a PING in the largest frame there
 * may be. A client that is cut off by its own libzmq never says PONG. */
/* --- Answers that nobody reads ---------------------------------------------------------------------------- */

enum { QUESTIONS = 4096 /* WELCOME's asks_max */, QUESTION_FRAMES = 30 };

/* The same frame so often, with so many questions; the sum of their bytes. */
static size_t questions_send(struct raw *raw, uint64_t number, unsigned questions, unsigned frames) {
    struct buffer frame;
    buffer_init(&frame);
    frame_begin(&frame);
    for (uint64_t i = 0; i < questions; i++) {
        struct message m = {.verb = VERB_STATUS};
        m.status = (struct status){.ref = i + 1, .number = number, .bodies = 1};
        message_pack(&frame, &m);
    }
    for (unsigned i = 0; i < frames; i++)
        raw_send_bytes(raw, frame.data, frame.size, false);
    size_t sent = frames * frame.size;
    buffer_done(&frame);
    return sent;
}

/* A few bytes ask for a kilobyte of answer. Each question has its one answer, and most are that it should read first. */
static void peer_that_reads_no_answers_is_asked_to_wait(void **state) {
    (void)state;
    struct witness w = witness_start();
    char note[1001];
    memset(note, 'n', sizeof note - 1);
    note[sizeof note - 1] = '\0';
    est_id id;
    est_id_new(&id);
    far_ask(w.portal, "plot.use", "1-1-1", note, &id, (est_time){0});
    uint64_t number = far_wait(w.portal, EST_EVENT_ACCEPTED, .id = &id)->number;
    struct raw *deaf = raw_deaf_session(w.town, "portal");
    uint64_t before = far_stat(w.duty, "bytes_in");
    size_t sent = questions_send(deaf, number, QUESTIONS, QUESTION_FRAMES);
    far_submit(w.portal, "plot.use", "1-1-1", NULL); /* meanwhile nobody else waits */
    struct message submit = {.verb = VERB_SUBMIT};
    submit.submit = (struct submit){.type = slice_of("plot.use"), .purpose = slice_of("permit"), .body = slice_of("\x80")};
    est_id_new(&submit.submit.id);
    raw_send(deaf, &submit); /* its defects would be one more */
    char *last = frame_of(EST_FRAME_MAX);
    raw_send_bytes(deaf, last, EST_FRAME_MAX, false);
    test_free(last);
    far_stat_wait(w.duty, "bytes_in", before + sent + EST_FRAME_MAX); /* all are judged: now it may read */
    unsigned answered = 0, busy = 0;
    while (answered + busy < QUESTIONS * QUESTION_FRAMES + 1) {
        const struct message *m = raw_next(deaf);
        if (m->verb == VERB_ERROR && memcmp(&m->error.id, &submit.submit.id, sizeof m->error.id) == 0)
            assert_int_equal(m->error.code, EST_BUSY);
        answered += m->verb == VERB_STATUS_IS;
        busy += m->verb == VERB_ERROR && m->error.code == EST_BUSY && m->error.retry_ms > 0;
    }
    assert_true(answered >= QUESTIONS && busy > QUESTIONS * QUESTION_FRAMES / 4);
    struct message m = {.verb = VERB_STATUS};
    m.status = (struct status){.ref = 1, .number = number, .bodies = 1};
    raw_send(deaf, &m);
    raw_receive(deaf, VERB_STATUS_IS); /* it has read all, and may ask again */
    witness_end(&w);
}

static void more_commands_at_once_than_welcome_granted_are_asked_to_wait(void **state) {
    (void)state;
    struct witness w = witness_start();
    struct raw *raw = raw_session(w.town, "notary");
    questions_send(raw, 999999, QUESTIONS + 1, 1);
    for (unsigned i = 1; i <= QUESTIONS; i++) {
        const struct error_is *error = &raw_receive(raw, VERB_ERROR)->error;
        assert_int_equal(error->code, EST_NOT_FOUND);
        assert_int_equal(error->ref, i);
    }
    const struct error_is *busy = &raw_receive(raw, VERB_ERROR)->error;
    assert_int_equal(busy->code, EST_BUSY);
    assert_int_equal(busy->ref, QUESTIONS + 1);
    assert_true(busy->retry_ms > 0);
    questions_send(raw, 999999, 1, 1); /* those have their answers by now */
    assert_int_equal(raw_receive(raw, VERB_ERROR)->error.code, EST_NOT_FOUND);
    witness_end(&w);
}

/* --- More than there is room for ---------------------------------------------------------------------------- */

static void busy_says_which_limit_was_met(void **state) {
    (void)state;
    static const struct { const char *limits, *says; } limits[] = {
        {"account_open_max: 1", "limits.account_open_max"}, {"inquiries_max: 1, account_open_max: 9", "limits.inquiries_max"}};
    for (size_t i = 0; i < 2; i++) {
        struct town *town = town_new(NULL);
        town_limits_write(town, limits[i].limits);
        town_start(town);
        struct far *portal = far_open(town, "portal", 2);
        far_submit(portal, "plot.debt", "1-1-1", NULL);
        est_id id;
        est_id_new(&id);
        far_ask(portal, "plot.debt", "1-1-1", NULL, &id, (est_time){0});
        const est_event *refused = far_wait(portal, EST_EVENT_REFUSED, .id = &id);
        assert_int_equal(refused->code, EST_BUSY);
        assert_true(text_has(refused->text, limits[i].says));
        town_end(town);
    }
}

/* --- More than there are sessions for ---------------------------------------------------------------------- */

static void full_broker_tells_why_and_lets_operators_in(void **state) {
    (void)state;
    struct town *town = town_new(NULL);
    town_limits_write(town, "sessions_max: 3");
    town_start(town);
    struct far *portal = far_open(town, "portal", 2), *notary = far_open(town, "notary", 2);
    est_options options = far_options(town, "treasury-a", 0);
    struct far *late = far_open_with(&options);
    assert_int_equal(far_wait(late, EST_EVENT_DISCONNECTED)->code, EST_UNREACHABLE);
    child_error_wait(town->broker, "sessions_max (3) connections are open, 1 of them of portal");
    struct far *duty = far_open(town, "duty", 0);
    assert_true(far_stat(duty, "dropped_full") >= 1);
    far_submit(portal, "plot.debt", "1-1-1", NULL);
    far_submit(notary, "plot.use", "1-1-1", NULL);
    town_end(town);
}

/* Each holds a place, and nobody else would ever end it. */
static void connection_that_says_no_hello_ends(void **state) {
    (void)state;
    struct town *town = town_new(&(struct town_options){.limits = "heartbeat: 1 s"});
    town_start(town);
    const struct town_account *a = town_account(town, "portal");
    struct raw_options options = {.server_key = town->server.public_key, .key = a->key};
    struct raw *silent = raw_open(town->endpoints[REQUESTERS], &options), *empty = raw_open(town->endpoints[REQUESTERS], &options);
    raw_welcomed(silent);
    raw_send_bytes(empty, "\x01", 1, false); /* a frame that says nothing */
    const struct bye *bye = &raw_receive(empty, VERB_BYE)->bye;
    assert_int_equal(bye->code, EST_SILENT_PEER);
    assert_true(text_has(bye->text, "no HELLO"));
    raw_ended(silent);
    assert_int_equal(far_stat(far_open(town, "duty", 0), "dropped_silent"), 1);
    town_end(town);
}

/* As the runbook EstelamBrokerDown tells operators. */
static void last_places_of_a_large_broker_are_its_operators(void **state) {
    (void)state;
    enum { ALL = 72, KEPT = 8 };
    struct town *town = town_new(NULL);
    town_limits_write(town, "sessions_max: 72, heartbeat: 10 min");
    town_start(town);
    for (int i = 0; i < ALL - KEPT; i++)
        raw_session(town, "portal");
    est_options options = far_options(town, "notary", 2);
    struct far *late = far_open_with(&options);
    assert_int_equal(far_wait(late, EST_EVENT_DISCONNECTED)->code, EST_UNREACHABLE);
    for (int i = 0; i < KEPT; i++)
        raw_session(town, "duty");
    assert_null(far_peek(late, (struct want){.kind = EST_EVENT_CONNECTED}));
    town_end(town);
}

/* What an agent calls itself is shown to operators as it is: all of it, and no half of a character. */
static void longest_name_of_a_program_is_shown_whole(void **state) {
    (void)state;
    struct town *town = town_new(NULL);
    town_start(town);
    char software[SOFTWARE_MAX + 1] = "";
    while (strlen(software) + 2 <= SOFTWARE_MAX)
        strcat(software, "ی");
    const struct town_account *a = town_account(town, "treasury-a");
    struct raw *raw = raw_open(town->endpoints[DEPARTMENTS], &(struct raw_options){.server_key = town->server.public_key, .key = a->key});
    struct message m = {.verb = VERB_HELLO};
    m.hello = (struct hello){.version_min = 1, .version_max = 1, .software = slice_of(software)};
    raw_send(raw, &m);
    raw_receive(raw, VERB_WELCOME);
    struct far *duty = far_open(town, "duty", 0);
    est_agent_row row;
    assert_int_equal(est_client_agents(duty->client, 1, NULL, 0, 0), 0);
    assert_true(est_row_agent(far_wait(duty, EST_EVENT_AGENTS, .ref = 1), 0, &row));
    assert_true(text_is(row.software, software));
    town_end(town);
}

static void what_a_requester_writes_begins_no_line_of_the_log(void **state) {
    (void)state;
    struct town *town = town_new(NULL);
    town_start(town);
    struct far *portal = far_open(town, "portal", 2);
    est_id id;
    est_id_new(&id);
    far_ask(portal, "z\x1b[2J\nfake: line", "1-1-1", NULL, &id, (est_time){0});
    assert_int_equal(far_wait(portal, EST_EVENT_REFUSED, .id = &id)->code, EST_UNKNOWN_TYPE);
    child_error_wait(town->broker, "`z?[2J fake: line`");
    town_end(town);
}

static void client_takes_the_largest_frame(void **state) {
    (void)state;
    struct key_pair server, own;
    key_make(&server);
    key_make(&own);
    struct stub *stub = stub_open(&server);
    est_options options = {.endpoints = {stub_endpoint(stub)},
                           .server_key = server.public_key,
                           .public_key = own.public_key,
                           .secret_key = own.secret_key,
                           .account = "portal"};
    struct far *far = far_open_with(&options);
    stub_await(stub, far, VERB_HELLO);
    struct message m = {.verb = VERB_WELCOME};
    m.welcome = (struct welcome){.version = 1,
                                 .session = 1,
                                 .account = slice_of("portal"),
                                 .city = slice_of("stub"),
                                 .heartbeat_ms = 5000,
                                 .window = 16,
                                 .asks_max = 16,
                                 .frame_max = EST_FRAME_MAX,
                                 .body_max = EST_BODY_MAX,
                                 .lease_ms = 5000,
                                 .time_us = 1};
    stub_send(stub, &m);
    char *frame = frame_of(EST_FRAME_MAX);
    stub_send_bytes(stub, frame, EST_FRAME_MAX);
    test_free(frame);
    stub_await(stub, far, VERB_PONG);
    far_close(&far);
    stub_close(&stub);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CLAIM(garbage_ends_its_connection_and_is_counted),
        CLAIM(frame_of_another_version_ends_its_connection),
        CLAIM(command_before_hello_ends_its_connection),
        CLAIM(goodbye_is_answered_by_goodbye),
        CLAIM(message_of_two_frames_ends_its_connection_and_is_counted),
        CLAIM(chosen_routing_id_is_cut_off_and_counted),
        CLAIM(largest_frame_is_taken),
        CLAIM(larger_frame_ends_its_connection_alone),
        CLAIM(peer_that_reads_no_answers_is_asked_to_wait),
        CLAIM(more_commands_at_once_than_welcome_granted_are_asked_to_wait),
        CLAIM(busy_says_which_limit_was_met),
        CLAIM(full_broker_tells_why_and_lets_operators_in),
        CLAIM(connection_that_says_no_hello_ends),
        CLAIM(last_places_of_a_large_broker_are_its_operators),
        CLAIM(longest_name_of_a_program_is_shown_whole),
        CLAIM(what_a_requester_writes_begins_no_line_of_the_log),
        CLAIM(client_takes_the_largest_frame),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
