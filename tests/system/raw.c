/* raw.c - a bare DEALER socket: it says exactly what a test wants said, in frames that may be of
 * the protocol or not, and renews, pings or resends nothing by itself. */
#include "harness.h"
#include "registry.h"

#include <stdlib.h>
#include <string.h>
#include <zmq.h>

struct raw {
    void *context, *socket, *monitor;
    zmq_msg_t frame;
    struct cursor cursor;
    struct message message;
    uint64_t heard; /* bits of verbs */
    bool open, welcome, ended;
};

/* --- Opening --------------------------------------------------------------------------------------- */

static void set_text(void *socket, int option, const char *text) {
    assert_int_equal(zmq_setsockopt(socket, option, text, strlen(text)), 0);
}

static void security_set(void *socket, const struct raw_options *o) {
    if (o->security == RAW_CURVE) {
        set_text(socket, ZMQ_CURVE_SERVERKEY, o->server_key);
        set_text(socket, ZMQ_CURVE_PUBLICKEY, o->key.public_key);
        set_text(socket, ZMQ_CURVE_SECRETKEY, o->key.secret_key);
    } else if (o->security == RAW_PLAIN) {
        set_text(socket, ZMQ_PLAIN_USERNAME, o->user);
        set_text(socket, ZMQ_PLAIN_PASSWORD, o->key.public_key);
    }
}

struct raw *raw_open(const char *endpoint, const struct raw_options *o) {
    struct raw *raw = calloc(1, sizeof *raw);
    assert_non_null(raw);
    raw->context = zmq_ctx_new();
    raw->socket = zmq_socket(raw->context, ZMQ_DEALER);
    raw->monitor = zmq_socket(raw->context, ZMQ_PAIR);
    zmq_msg_init(&raw->frame);
    raws_add(raw);
    int none = 0, day = 24 * 3600 * 1000;
    zmq_setsockopt(raw->socket, ZMQ_LINGER, &none, sizeof none);
    zmq_setsockopt(raw->socket, ZMQ_RECONNECT_IVL, &day, sizeof day);
    int one = 1;
    if (o->deaf)
        zmq_setsockopt(raw->socket, ZMQ_RCVHWM, &one, sizeof one);
    security_set(raw->socket, o);
    if (o->routing_id)
        set_text(raw->socket, ZMQ_ROUTING_ID, o->routing_id);
    assert_int_equal(zmq_socket_monitor(raw->socket, "inproc://monitor", ZMQ_EVENT_ALL), 0);
    assert_int_equal(zmq_connect(raw->monitor, "inproc://monitor"), 0);
    assert_int_equal(zmq_connect(raw->socket, endpoint), 0);
    return raw;
}

void raw_close(struct raw **at) {
    struct raw *raw = *at;
    *at = NULL;
    if (!raw)
        return;
    raws_remove(raw);
    zmq_msg_close(&raw->frame);
    zmq_socket_monitor(raw->socket, NULL, 0);
    zmq_close(raw->monitor);
    zmq_close(raw->socket);
    zmq_ctx_term(raw->context);
    free(raw);
}

static struct raw *session_open(struct town *town, const char *account, bool deaf) {
    const struct town_account *a = town_account(town, account);
    struct raw_options options = {.server_key = town->server.public_key, .key = a->key, .deaf = deaf};
    struct raw *raw = raw_open(town->endpoints[a->door], &options);
    struct message m = {.verb = VERB_HELLO};
    m.hello = (struct hello){
        .version_min = 1, .version_max = 1, .software = slice_of("raw"), .window = 256, .results = 2};
    raw_send(raw, &m);
    raw_receive(raw, VERB_WELCOME);
    return raw;
}

struct raw *raw_session(struct town *town, const char *account) {
    return session_open(town, account, false);
}

struct raw *raw_deaf_session(struct town *town, const char *account) {
    return session_open(town, account, true);
}

void raw_ready(struct raw *raw, unsigned window) {
    struct message m = {.verb = VERB_READY};
    m.ready = (struct ready){.ref = 1, .window = window};
    raw_send(raw, &m);
    raw_receive(raw, VERB_DONE);
}

struct raw *raw_agent(struct town *town, const char *account, unsigned window) {
    struct raw *raw = raw_session(town, account);
    raw_ready(raw, window);
    return raw;
}

/* --- Speaking -------------------------------------------------------------------------------------- */

void raw_send_bytes(struct raw *raw, const void *bytes, size_t size, bool more) {
    assert_int_equal(zmq_send(raw->socket, bytes, size, more ? ZMQ_SNDMORE : 0), (int)size);
}

void raw_send(struct raw *raw, const struct message *m) {
    struct buffer frame;
    buffer_init(&frame);
    frame_begin(&frame);
    message_pack(&frame, m);
    raw_send_bytes(raw, frame.data, frame.size, false);
    buffer_done(&frame);
}

void raw_answer(struct raw *raw, uint64_t number, uint64_t epoch, int64_t debt) {
    est_body *body = est_body_new();
    assert_non_null(body);
    est_body_int(body, "debt", debt);
    struct message m = {.verb = VERB_ANSWER};
    m.answer = (struct answer){.number = number, .epoch = epoch, .outcome = EST_OUTCOME_POSITIVE};
    assert_int_equal(est_body_slice(body, &m.answer.body), 0);
    raw_send(raw, &m);
    est_body_free(&body);
}

/* --- Hearing --------------------------------------------------------------------------------------- */

static void frame_next(struct raw *raw, int64_t until) {
    zmq_pollitem_t item = {raw->socket, 0, ZMQ_POLLIN, 0};
    int64_t left = until - now_ms();
    if (left <= 0 || zmq_poll(&item, 1, left) <= 0)
        fail_msg("the broker says nothing more");
    zmq_msg_close(&raw->frame);
    zmq_msg_init(&raw->frame);
    assert_true(zmq_msg_recv(&raw->frame, raw->socket, 0) >= 0);
    assert_true(frame_open(&raw->cursor, (est_slice){zmq_msg_data(&raw->frame), zmq_msg_size(&raw->frame)}));
    raw->open = true;
}

static const struct message *next_until(struct raw *raw, int64_t until) {
    for (;;) {
        int got = raw->open ? message_next(&raw->cursor, &raw->message) : 0;
        assert_true(got >= 0);
        raw->open = got > 0;
        if (got > 0)
            return &raw->message;
        frame_next(raw, until);
    }
}

const struct message *raw_next(struct raw *raw) {
    return next_until(raw, now_ms() + WAIT_MS);
}

const struct message *raw_receive(struct raw *raw, enum verb verb) {
    int64_t until = now_ms() + WAIT_MS;
    for (;;) {
        next_until(raw, until);
        if (raw->message.verb == verb)
            return &raw->message;
        raw->heard |= 1ULL << raw->message.verb;
        if (raw->message.verb == VERB_BYE)
            fail_msg("instead of %s: BYE %s", verb_name(verb), est_code_name((int)raw->message.bye.code));
    }
}

bool raw_heard(const struct raw *raw, enum verb verb) {
    return raw->heard >> verb & 1;
}

static void monitor_take(struct raw *raw) {
    uint8_t event[6], address[256];
    uint16_t number;
    if (zmq_recv(raw->monitor, event, sizeof event, 0) != (int)sizeof event)
        return;
    zmq_recv(raw->monitor, address, sizeof address, 0);
    memcpy(&number, event, sizeof number);
    if (number == ZMQ_EVENT_HANDSHAKE_SUCCEEDED)
        raw->welcome = true;
    else if (number == ZMQ_EVENT_DISCONNECTED || number == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH ||
             number == ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL || number == ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL)
        raw->ended = true;
}

static void monitor_await(struct raw *raw, const bool *flag, const char *complaint) {
    int64_t until = now_ms() + WAIT_MS;
    while (!*flag) {
        zmq_pollitem_t item = {raw->monitor, 0, ZMQ_POLLIN, 0};
        int64_t left = until - now_ms();
        if (left <= 0 || zmq_poll(&item, 1, left) <= 0)
            fail_msg("%s", complaint);
        monitor_take(raw);
    }
}

void raw_ended(struct raw *raw) {
    monitor_await(raw, &raw->ended, "the broker does not end the connection");
}

void raw_welcomed(struct raw *raw) {
    monitor_await(raw, &raw->welcome, "the broker lets nobody in");
}

bool raw_was_welcome(const struct raw *raw) {
    return raw->welcome;
}
