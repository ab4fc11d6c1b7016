/* test_client.c - est_client_* against a small broker over real sockets. */
#include "fake.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <zmq.h>

static est_options options_for(const char *endpoint) {
    return (est_options){.endpoints = {endpoint},
                         .account = "portal",
                         .public_key = "",
                         .results = 1,
                         .reconnect_first = {10 * EST_US_PER_MS},
                         .reconnect_max = {50 * EST_US_PER_MS}};
}

static est_client *client_open(const char *endpoint) {
    est_options options = options_for(endpoint);
    est_client *client;
    assert_int_equal(est_client_open(&options, &client), 0);
    return client;
}

/* The next event of this kind; those before it are passed over. */
static est_event await(est_client *client, enum est_event_kind kind) {
    int64_t deadline = now_ms() + FAKE_DEADLINE_MS;
    est_event event;
    do {
        int64_t left = deadline - now_ms();
        if (left <= 0 || !est_client_poll(client, (int)left, &event))
            fail_msg("no event of kind %d came in time", kind);
    } while (event.kind != kind);
    return event;
}

static int submit(est_client *client, est_id *ret_id) {
    static const uint8_t body[] = {0x81, 0xa2, 'n', 'z', 0xa1, '1'};
    est_submit it = {.type = "nosazi.bedehi", .purpose = "permit", .body = {body, sizeof body}};
    est_id_new(&it.id);
    if (ret_id)
        *ret_id = it.id;
    return est_client_submit(client, &it);
}

/* --- Rules. ----------------------------------------------------------------------------------------- */

static void accept(struct fake *f, const struct message *m) {
    FAKE_SAY(f, ACCEPTED, accepted,
             {.id = m->submit.id,
              .number = 7,
              .tracking = slice_of("ABC"),
              .at_us = 1,
              .due_us = 2,
              .state = 1,
              .version = 3,
              .department = slice_of("nosazi"),
              .district = 6});
}

static void accept_and_answer(struct fake *f, const struct message *m) {
    static const uint8_t body[] = {0x81, 0xa4, 'd', 'e', 'b', 't', 5};
    if (m->verb != VERB_SUBMIT)
        return;
    est_id id = m->submit.id;
    accept(f, m);
    FAKE_SAY(f, RESULT, result,
             {.id = id,
              .number = 7,
              .state = EST_STATE_ANSWERED,
              .outcome = EST_OUTCOME_POSITIVE,
              .ended_us = 9,
              .signer = slice_of("head of office"),
              .body = {body, sizeof body}});
}

static void say_nothing(struct fake *f, const struct message *m) {
    (void)f, (void)m;
}

static void rows_tell(struct fake *f, const struct message *m) {
    struct buffer rows;
    buffer_init(&rows);
    pack_array(&rows, 2);
    queue_row_pack(&rows, &(struct queue_row){.department = slice_of("nosazi"), .district = 6, .waiting = 3});
    queue_row_pack(&rows, &(struct queue_row){.department = slice_of("bargh"), .parked = 4});
    if (m->verb == VERB_QUEUES)
        FAKE_SAY(f, QUEUES_IS, page_is,
                 {.ref = m->page.ref, .rows = buffer_slice(&rows), .next = m->page.after + 2});
    if (m->verb == VERB_CANCEL)
        FAKE_SAY(f, DONE, done, {.ref = m->cancel.ref});
    buffer_clear(&rows);
    pack_array(&rows, 1);
    defect_pack(&rows, &(est_defect){.path = "nz", .kind = "format", .text = "not a parcel code"});
    if (m->verb == VERB_SUBMIT)
        fake_refuse(f, &(struct error_is){.id = m->submit.id,
                                          .code = EST_INVALID_BODY,
                                          .layer = EST_LAYER_REQUESTER,
                                          .text = slice_of("one defect"),
                                          .defects = buffer_slice(&rows)});
    buffer_done(&rows);
}

/* Each new answer with a row of its own, so that a mix-up of two would show. */
static void operator_tell(struct fake *f, const struct message *m) {
    struct buffer rows;
    uint64_t ref = m->done.ref;
    buffer_init(&rows);
    pack_array(&rows, 1);
    switch (m->verb) {
    case VERB_KEYS:
        key_row_pack(&rows, &(struct key_row){.account = slice_of("duty"), .level = 2, .until_us = 8});
        FAKE_SAY(f, KEYS_IS, page_is, {.ref = ref, .rows = buffer_slice(&rows), .next = m->page.after + 1});
        break;
    case VERB_CONFIG:
        config_row_pack(&rows, &(struct config_row){slice_of("city"), slice_of("tehran")});
        FAKE_SAY(f, CONFIG_IS, config_is, {.ref = ref, .rows = buffer_slice(&rows)});
        break;
    case VERB_EVENTS:
        event_row_pack(&rows, &(struct event_row){.seq = 31, .outcome = 2, .leased_us = 5, .confidential = 1});
        FAKE_SAY(f, EVENTS_IS, events_is,
                 {.ref = ref, .rows = buffer_slice(&rows), .next = 31, .head = 40, .configured_us = 6});
        break;
    case VERB_FIND:
        find_row_pack(&rows, &(struct find_row){.number = 9, .parcel = m->find.filter, .ended_us = 6});
        FAKE_SAY(f, FIND_IS, find_is,
                 {.ref = ref,
                  .rows = buffer_slice(&rows),
                  .next = 9,
                  .count = 17,
                  .behind = 3,
                  .counted_all = m->find.count});
        break;
    case VERB_COUNTERS:
        counter_row_pack(&rows, &(struct counter_row){.label = slice_of("positive"), .value = 12});
        FAKE_SAY(f, COUNTERS_IS, counters_is, {.ref = ref, .rows = buffer_slice(&rows), .seq = 44});
        break;
    default: /* pause, redirect, reindex: done where what was said has arrived */
        if ((m->verb == VERB_PAUSE && m->pause.on == 1 &&
             slice_equal(m->pause.department, slice_of("nosazi"))) ||
            (m->verb == VERB_REDIRECT && m->redirect.number == 7 && m->redirect.district == 3) ||
            (m->verb == VERB_REINDEX && slice_equal(m->reindex.reason, slice_of("rules"))))
            FAKE_SAY(f, DONE, done, {.ref = ref});
    }
    buffer_done(&rows);
}

/* --- Tests. ----------------------------------------------------------------------------------------- */

static void inquiry_goes_out_and_its_result_comes_back_and_is_acknowledged(void **state) {
    (void)state;
    struct fake *broker = fake_open(&(struct fake_options){.rule = accept_and_answer});
    est_client *client = client_open(fake_endpoint(broker));
    est_id id;
    int64_t debt = 0;
    assert_null(est_client_account(client));
    assert_int_equal(submit(client, &id), 0);
    est_event event = await(client, EST_EVENT_CONNECTED);
    assert_string_equal(est_client_account(client), "portal");
    event = await(client, EST_EVENT_ACCEPTED);
    assert_memory_equal(&event.id, &id, sizeof id);
    assert_int_equal(event.number, 7);
    assert_int_equal(event.district, 6);
    event = await(client, EST_EVENT_RESULT);
    assert_memory_equal(&event.id, &id, sizeof id);
    assert_int_equal(event.outcome, EST_OUTCOME_POSITIVE);
    assert_true(est_field_int(event.body, "debt", &debt));
    assert_int_equal(debt, 5);
    assert_int_equal(est_client_ack(client, event.number), 0);
    fake_await_polling(broker, VERB_RESULT_ACK, 1, client);
    est_client_close(&client);
    fake_await(broker, VERB_BYE, 1);
    fake_close(&broker);
}

static void unanswered_submit_goes_to_the_second_endpoint(void **state) {
    (void)state;
    struct fake *first = fake_open(&(struct fake_options){.rule = say_nothing});
    struct fake *second = fake_open(&(struct fake_options){.rule = accept_and_answer});
    est_options options = options_for(fake_endpoint(first));
    options.endpoints[1] = fake_endpoint(second);
    est_client *client;
    assert_int_equal(est_client_open(&options, &client), 0);
    est_id id;
    assert_int_equal(submit(client, &id), 0);
    fake_await_polling(first, VERB_SUBMIT, 1, client);
    fake_close(&first);
    est_event event = await(client, EST_EVENT_DISCONNECTED);
    assert_int_equal(event.code, EST_UNREACHABLE);
    event = await(client, EST_EVENT_ACCEPTED);
    assert_memory_equal(&event.id, &id, sizeof id);
    est_client_close(&client);
    fake_close(&second);
}

static void accept_and_leave_when_poked(struct fake *f, const struct message *m) {
    if (m->verb == VERB_SUBMIT)
        FAKE_SAY(f, ACCEPTED, accepted, {.id = m->submit.id, .number = 7});
    if (m->verb == VERB_NONE)
        FAKE_SAY(f, BYE, bye, {.code = EST_STOPPING});
}

/* Both say BYE at the same time. What was accepted and waits for its result is in the record, so a
 * client that closes has no reason to connect again and to submit it once more. */
static void client_that_closes_submits_nothing_again(void **state) {
    (void)state;
    struct fake *broker = fake_open(&(struct fake_options){.rule = accept_and_leave_when_poked});
    est_client *client = client_open(fake_endpoint(broker));
    struct pollfd in = {.fd = est_client_fd(client), .events = POLLIN};
    est_event event;
    assert_int_equal(submit(client, NULL), 0);
    await(client, EST_EVENT_ACCEPTED);
    while (est_client_poll(client, 0, &event) == 1)
        continue;
    fake_poke(broker);
    assert_int_equal(poll(&in, 1, FAKE_DEADLINE_MS), 1);
    est_client_close(&client);
    fake_await(broker, VERB_BYE, 1);
    assert_int_equal(fake_count(broker, VERB_SUBMIT), 1);
    fake_close(&broker);
}

static void nobody_listening_is_told_at_once(void **state) {
    (void)state;
    struct fake *gone = fake_open(&(struct fake_options){0});
    char endpoint[128];
    snprintf(endpoint, sizeof endpoint, "%s", fake_endpoint(gone));
    fake_close(&gone);
    est_client *client = client_open(endpoint);
    for (int attempt = 0; attempt < 3; attempt++) {
        est_event event = await(client, EST_EVENT_DISCONNECTED);
        assert_int_equal(event.code, EST_UNREACHABLE);
        assert_non_null(memmem(event.text.data, event.text.size, "nobody listens", 14));
    }
    est_client_close(&client);
}

static void refused_key_is_told_as_such(void **state) {
    (void)state;
    struct fake *broker = fake_open(&(struct fake_options){.zap_status = "400"});
    est_client *client = client_open(fake_endpoint(broker));
    est_event event = await(client, EST_EVENT_DISCONNECTED);
    assert_int_equal(event.code, EST_NOT_ALLOWED);
    assert_non_null(memmem(event.text.data, event.text.size, "refused the key", 15));
    est_client_close(&client);
    fake_close(&broker);
}

static void curve_works_and_a_wrong_server_key_does_not(void **state) {
    (void)state;
    char server[41], server_secret[41], mine[41], secret[41], other[41], other_secret[41];
    zmq_curve_keypair(server, server_secret);
    zmq_curve_keypair(mine, secret);
    zmq_curve_keypair(other, other_secret);
    struct fake *broker =
        fake_open(&(struct fake_options){.secret_key = server_secret, .rule = accept_and_answer});
    est_options options = options_for(fake_endpoint(broker));
    options.server_key = server;
    options.public_key = mine;
    options.secret_key = secret;
    est_client *client;
    assert_int_equal(est_client_open(&options, &client), 0);
    assert_int_equal(submit(client, NULL), 0);
    await(client, EST_EVENT_RESULT);
    est_client_close(&client);
    options.server_key = other;
    assert_int_equal(est_client_open(&options, &client), 0);
    est_event event = await(client, EST_EVENT_DISCONNECTED);
    assert_non_null(memmem(event.text.data, event.text.size, "server key", 10));
    est_client_close(&client);
    fake_close(&broker);
}

/* The plainest of loops: poll() on the descriptor, then one event. Nothing may be left lying, and
 * heartbeats must go out although the program does nothing. */
static void descriptor_serves_a_program_that_takes_one_event_at_a_time(void **state) {
    (void)state;
    struct fake *broker = fake_open(&(struct fake_options){.rule = accept_and_answer, .heartbeat_ms = 50});
    est_client *client = client_open(fake_endpoint(broker));
    struct pollfd readable = {.fd = est_client_fd(client), .events = POLLIN};
    unsigned submitted = 0, results = 0;
    int64_t deadline = now_ms() + FAKE_DEADLINE_MS;
    while (results < 2000 || fake_count(broker, VERB_PING) < 3) {
        assert_true(now_ms() < deadline);
        while (submitted < 2000 && submit(client, NULL) == 0)
            submitted++;
        assert_int_equal(poll(&readable, 1, FAKE_DEADLINE_MS), 1);
        est_event event;
        if (est_client_poll(client, 0, &event) && event.kind == EST_EVENT_RESULT)
            results++;
    }
    assert_int_equal(results, 2000);
    est_client_close(&client);
    fake_close(&broker);
}

static void idle_descriptor_is_not_readable(void **state) {
    (void)state;
    struct fake *broker = fake_open(&(struct fake_options){.rule = accept_and_answer, .heartbeat_ms = 60000});
    est_client *client = client_open(fake_endpoint(broker));
    struct pollfd readable = {.fd = est_client_fd(client), .events = POLLIN};
    est_event event;
    await(client, EST_EVENT_CONNECTED);
    for (int i = 0; i < 100 && poll(&readable, 1, 0) == 1; i++)
        est_client_poll(client, 0, &event);
    assert_int_equal(poll(&readable, 1, 0), 0);
    assert_int_equal(submit(client, NULL), 0);
    assert_int_equal(poll(&readable, 1, 0), 1);
    est_client_close(&client);
    fake_close(&broker);
}

static void close_sends_what_waits(void **state) {
    (void)state;
    struct fake *broker = fake_open(&(struct fake_options){.rule = say_nothing});
    est_client *client = client_open(fake_endpoint(broker));
    await(client, EST_EVENT_CONNECTED);
    for (int i = 0; i < 50; i++)
        assert_int_equal(submit(client, NULL), 0);
    est_client_close(&client);
    assert_null(client);
    fake_await(broker, VERB_BYE, 1);
    assert_int_equal(fake_count(broker, VERB_SUBMIT), 50);
    fake_close(&broker);
    est_client_close(&client);
}

static void rows_refs_and_defects_come_back(void **state) {
    (void)state;
    struct fake *broker = fake_open(&(struct fake_options){.rule = rows_tell});
    est_client *client = client_open(fake_endpoint(broker));
    est_queue_row queue;
    est_stat_row stat;
    est_defect defect;
    assert_int_equal(est_client_queues(client, 41, NULL, 10, 100), 0);
    est_event event = await(client, EST_EVENT_QUEUES);
    assert_int_equal(event.ref, 41);
    assert_int_equal(event.next, 12);
    assert_true(est_row_queue(&event, 1, &queue));
    assert_int_equal(queue.parked, 4);
    assert_true(est_row_queue(&event, 0, &queue));
    assert_int_equal(queue.district, 6);
    assert_false(est_row_queue(&event, 2, &queue));
    assert_false(est_row_stat(&event, 0, &stat));
    assert_int_equal(est_client_cancel(client, 42, NULL, 7, "asked in error"), 0);
    assert_int_equal(await(client, EST_EVENT_DONE).ref, 42);
    assert_int_equal(submit(client, NULL), 0);
    event = await(client, EST_EVENT_REFUSED);
    assert_int_equal(event.code, EST_INVALID_BODY);
    assert_true(est_row_defect(&event, 0, &defect));
    assert_string_equal(defect.path, "nz");
    assert_false(est_row_defect(&event, 1, &defect));
    est_client_close(&client);
    fake_close(&broker);
}

static void operators_verbs_go_out_and_their_answers_come_back(void **state) {
    (void)state;
    struct fake *broker = fake_open(&(struct fake_options){.rule = operator_tell});
    est_client *client = client_open(fake_endpoint(broker));
    est_key_row key;
    est_config_row config;
    est_event_row line;
    est_find_row found;
    est_counter_row counter;
    assert_int_equal(est_client_level(client), EST_LEVEL_NONE);
    await(client, EST_EVENT_CONNECTED);
    assert_int_equal(est_client_level(client), EST_LEVEL_OPERATOR);
    assert_int_equal(est_client_revision(client), PROTOCOL_REVISION);
    assert_string_equal(est_client_city(client), "tehran");
    assert_int_equal(est_client_keys(client, 1, "nosazi", 4, 10), 0);
    est_event event = await(client, EST_EVENT_KEYS);
    assert_true(event.ref == 1 && event.next == 5 && est_row_key(&event, 0, &key));
    assert_true(key.level == EST_LEVEL_OPERATOR && key.until.us == 8 && !est_row_key(&event, 1, &key));
    assert_int_equal(est_client_config(client, 2), 0);
    event = await(client, EST_EVENT_CONFIG);
    assert_true(event.ref == 2 && est_row_config(&event, 0, &config));
    assert_true(slice_equal(config.value, slice_of("tehran")) && !est_row_key(&event, 0, &key));
    assert_int_equal(est_client_events(client, 3, NULL, 30, 1), 0);
    event = await(client, EST_EVENT_EVENTS);
    assert_true(event.ref == 3 && event.next == 31 && event.head == 40 && est_row_event(&event, 0, &line));
    assert_true(line.seq == 31 && line.outcome == EST_OUTCOME_NEGATIVE && line.leased.us == 5);
    assert_int_equal(est_client_find(client, 4, "state:parked", 0, 1, true), 0);
    event = await(client, EST_EVENT_FIND);
    assert_true(event.ref == 4 && event.next == 9 && event.count == 17 && event.behind == 3);
    assert_true(event.counted_all && est_row_find(&event, 0, &found));
    assert_true(slice_equal(found.parcel, slice_of("state:parked")) && found.ended.us == 6);
    assert_int_equal(est_client_counters(client, 5), 0);
    event = await(client, EST_EVENT_COUNTERS);
    assert_true(event.ref == 5 && event.seq == 44 && est_row_counter(&event, 0, &counter));
    assert_int_equal(counter.value, 12);
    assert_int_equal(est_client_pause(client, 6, "nosazi", true, "works"), 0);
    assert_int_equal(await(client, EST_EVENT_DONE).ref, 6);
    assert_int_equal(est_client_redirect(client, 7, 7, 3, "moved"), 0);
    assert_int_equal(await(client, EST_EVENT_DONE).ref, 7);
    assert_int_equal(est_client_reindex(client, 8, "rules"), 0);
    assert_int_equal(await(client, EST_EVENT_DONE).ref, 8);
    est_client_close(&client);
    fake_close(&broker);
}

static void steps_without_a_reason_are_refused_at_once(void **state) {
    (void)state;
    struct fake *broker = fake_open(&(struct fake_options){.rule = operator_tell});
    est_client *client = client_open(fake_endpoint(broker));
    static char long_text[EST_TEXT_MAX + 2];
    memset(long_text, 'a', EST_TEXT_MAX + 1);
    assert_int_equal(est_client_pause(client, 1, "nosazi", true, ""), -EST_INPUT);
    assert_int_equal(est_client_pause(client, 1, NULL, true, "works"), -EST_INPUT);
    assert_int_equal(est_client_redirect(client, 1, 7, 3, NULL), -EST_INPUT);
    assert_int_equal(est_client_reindex(client, 1, ""), -EST_INPUT);
    assert_int_equal(est_client_find(client, 1, long_text, 0, 0, false), -EST_INPUT);
    assert_int_equal(est_client_find(client, 1, long_text + 1, 0, 0, false), 0);
    est_client_close(&client);
    fake_close(&broker);
}

static void message_of_two_frames_breaks_the_connection(void **state) {
    (void)state;
    struct fake *broker = fake_open(&(struct fake_options){.rule = accept_and_answer});
    est_client *client = client_open(fake_endpoint(broker));
    await(client, EST_EVENT_CONNECTED);
    fake_break(broker);
    assert_int_equal(submit(client, NULL), 0);
    assert_int_equal(await(client, EST_EVENT_DISCONNECTED).code, EST_MALFORMED);
    est_client_close(&client);
    fake_close(&broker);
}

static void wrong_options_are_refused_at_once(void **state) {
    (void)state;
    est_client *client = NULL;
    est_options options = options_for(NULL);
    assert_int_equal(est_client_open(&options, &client), -EST_INPUT);
    options = options_for("127.0.0.1:7501");
    assert_int_equal(est_client_open(&options, &client), -EST_INPUT);
    options = options_for("tcp://127.0.0.1:7501");
    options.account = NULL;
    assert_int_equal(est_client_open(&options, &client), -EST_INPUT);
    options = options_for("tcp://127.0.0.1:7501");
    options.server_key = "short";
    assert_int_equal(est_client_open(&options, &client), -EST_INPUT);
    options = options_for("tcp://127.0.0.1:7501");
    options.server_key = options.public_key = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7";
    options.secret_key = "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs"; /* of another pair */
    assert_int_equal(est_client_open(&options, &client), -EST_INPUT);
    options = options_for("tcp://127.0.0.1:7501");
    options.window = EST_WINDOW_MAX + 1;
    assert_int_equal(est_client_open(&options, &client), -EST_INPUT);
    assert_null(client);
}

/* --- Pauses. ---------------------------------------------------------------------------------------- */

/* Comes in and is thrown out so often. */
static void thrown_out(est_client *client, unsigned times) {
    await(client, EST_EVENT_CONNECTED);
    for (unsigned i = 0; i < times; i++) {
        await(client, EST_EVENT_DISCONNECTED);
        await(client, EST_EVENT_CONNECTED);
    }
}

/* A pause is half of its term at least: 5 ms, 10 ms, then 20 ms each. Without growth it were 10 ms each at most. */
static void broker_that_lets_in_and_throws_out_is_not_hammered(void **state) {
    (void)state;
    enum { TIMES = 20 };
    struct fake *broker = fake_open(&(struct fake_options){.bye = EST_STOPPING});
    est_options options = options_for(fake_endpoint(broker));
    options.reconnect_max.us = 40 * EST_US_PER_MS;
    est_client *client;
    int64_t began_ms = now_ms();
    assert_int_equal(est_client_open(&options, &client), 0);
    thrown_out(client, TIMES);
    assert_true(now_ms() - began_ms >= 5 + 10 + 20 * (TIMES - 2));
    est_client_close(&client);
    fake_close(&broker);
}

static void no_pause_is_longer_than_the_longest(void **state) {
    (void)state;
    struct fake *broker = fake_open(&(struct fake_options){.bye = EST_STOPPING});
    est_options options = options_for(fake_endpoint(broker));
    options.reconnect_first.us = 3 * FAKE_DEADLINE_MS * EST_US_PER_MS; /* what is cut needs no growing first */
    options.reconnect_max.us = 40 * EST_US_PER_MS;
    est_client *client;
    assert_int_equal(est_client_open(&options, &client), 0);
    thrown_out(client, 5); /* none of half of that, which would be waited for in vain */
    est_client_close(&client);
    fake_close(&broker);
}

static void client_with_another_accounts_key_has_no_session_and_takes_no_result(void **state) {
    (void)state;
    struct fake *broker = fake_open(&(struct fake_options){.rule = accept_and_answer, .account = "web"});
    est_options options = options_for(fake_endpoint(broker));
    options.results = 2;
    est_client *client;
    assert_int_equal(est_client_open(&options, &client), 0);
    submit(client, NULL);
    for (int i = 0; i < 3; i++) {
        est_event event;
        assert_true(est_client_poll(client, FAKE_DEADLINE_MS, &event));
        assert_int_equal(event.kind, EST_EVENT_DISCONNECTED);
        assert_int_equal(event.code, EST_INPUT);
        assert_non_null(strstr((const char *)event.text.data, "knows this key as the account web, not as portal"));
        assert_null(est_client_account(client));
    }
    assert_int_equal(fake_count(broker, VERB_SUBMIT), 0);
    assert_int_equal(fake_count(broker, VERB_RESULT_ACK), 0);
    est_client_close(&client);
    fake_close(&broker);
}

/* In the child a failed claim is an exit status; a wait that never ends is SIGALRM's. */
static void child_claims(est_client *client) {
    est_event event;
    alarm(FAKE_DEADLINE_MS / 1000);
    for (int i = 0; i < 3; i++)
        if (est_client_poll(client, 200, &event) != 1 || event.kind != EST_EVENT_DISCONNECTED ||
            event.code != EST_CLOSED)
            _exit(2);
    est_client_close(&client);
    _exit(client != NULL);
}

static void client_of_a_parent_is_closed_in_the_child_and_lives_on_in_the_parent(void **state) {
    (void)state;
    struct fake *broker = fake_open(&(struct fake_options){.rule = accept_and_answer});
    est_client *client = client_open(fake_endpoint(broker));
    int status = -1;
    await(client, EST_EVENT_CONNECTED);
    est_client_fd(client);
    pid_t child = fork();
    if (child == 0)
        child_claims(client);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(submit(client, NULL), 0);
    await(client, EST_EVENT_RESULT);
    assert_int_equal(fake_count(broker, VERB_BYE), 0);
    est_client_close(&client);
    fake_await(broker, VERB_BYE, 1);
    fake_close(&broker);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inquiry_goes_out_and_its_result_comes_back_and_is_acknowledged),
        cmocka_unit_test(unanswered_submit_goes_to_the_second_endpoint),
        cmocka_unit_test(client_that_closes_submits_nothing_again),
        cmocka_unit_test(nobody_listening_is_told_at_once),
        cmocka_unit_test(refused_key_is_told_as_such),
        cmocka_unit_test(curve_works_and_a_wrong_server_key_does_not),
        cmocka_unit_test(descriptor_serves_a_program_that_takes_one_event_at_a_time),
        cmocka_unit_test(idle_descriptor_is_not_readable),
        cmocka_unit_test(close_sends_what_waits),
        cmocka_unit_test(rows_refs_and_defects_come_back),
        cmocka_unit_test(operators_verbs_go_out_and_their_answers_come_back),
        cmocka_unit_test(steps_without_a_reason_are_refused_at_once),
        cmocka_unit_test(message_of_two_frames_breaks_the_connection),
        cmocka_unit_test(broker_that_lets_in_and_throws_out_is_not_hammered),
        cmocka_unit_test(no_pause_is_longer_than_the_longest),
        cmocka_unit_test(client_with_another_accounts_key_has_no_session_and_takes_no_result),
        cmocka_unit_test(wrong_options_are_refused_at_once),
        cmocka_unit_test(client_of_a_parent_is_closed_in_the_child_and_lives_on_in_the_parent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
