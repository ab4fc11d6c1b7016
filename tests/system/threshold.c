/* threshold.c - a door by itself, without the broker around it: who gets in when the ZAP handler is
 * not there? libzmq alone would let ANY key in. */
#include "harness.h"

#include <door.h>
#include <poll.h>
#include <time.h>
#include <zmq.h>

/* For a frame on loopback to be there: whoever asked whether it is would take its sign away. Where it comes
 * later than that, the test claims less, and does not fail. */
enum { SETTLED_MS = 200 };

static est_time clock_real(void) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (est_time){(int64_t)t.tv_sec * EST_US_PER_S};
}

static void options_of(const struct key_pair *server, struct net_options *ret) {
    *ret = (struct net_options){.curve = true, .peers_max = 8, .frame_max = EST_FRAME_MAX};
    assert_non_null(zmq_z85_decode(ret->secret_key, server->secret_key));
}

/* Is this client let in by the door, as far as both of them can tell? */
static bool lets_in(const struct door_socket *door, const struct key_pair *server,
                    const struct key_pair *client) {
    struct raw *raw =
        raw_open(door->endpoint, &(struct raw_options){.server_key = server->public_key, .key = *client});
    raw_send_bytes(raw, "\x01", 1, false);
    raw_ended(raw);
    char byte;
    bool in = raw_was_welcome(raw) || zmq_recv(door->socket, &byte, 1, ZMQ_DONTWAIT) >= 0;
    raw_close(&raw);
    return in;
}

static void door_without_a_zap_handler_lets_nobody_in(void **state) {
    (void)state;
    struct key_pair server, client;
    struct net_options options;
    struct door_socket door;
    char why[256] = "";
    void *context = zmq_ctx_new();
    key_make(&server);
    key_make(&client);
    options_of(&server, &options);
    assert_int_equal(door_open(&door, context, DOOR_REQUESTER, &options, "tcp://127.0.0.1:0", why), 0);
    assert_false(lets_in(&door, &server, &client));
    door_close(&door);
    zmq_ctx_term(context);
}

/* Doors that know one requester's key. */
struct house {
    struct key_pair server, client;
    struct keyring ring;
    struct net *net;
};

static void house_open(struct house *h, uint64_t owed_max) {
    struct net_options options;
    struct key key = {0};
    char why[256] = "";
    key_make(&h->server);
    key_make(&h->client);
    options_of(&h->server, &options);
    options.owed_max = owed_max;
    for (int i = 0; i < DOORS; i++)
        options.endpoints[i] = "tcp://127.0.0.1:0";
    keyring_init(&h->ring);
    assert_non_null(zmq_z85_decode(key.public_key, h->client.public_key));
    assert_int_equal(keyring_add(&h->ring, &key, 1, "portal", ROLE_REQUESTER), 0);
    assert_int_equal(net_open(&options, &h->ring, &h->net, why), 0);
}

static void house_close(struct house *h) {
    net_close(&h->net);
    keyring_done(&h->ring);
}

/* Comes in and says one byte, which `ret` is then. */
static struct raw *enter(struct house *h, bool deaf, struct incoming *ret) {
    struct raw_options options = {.server_key = h->server.public_key, .key = h->client, .deaf = deaf};
    struct raw *raw = raw_open(net_endpoint(h->net, DOOR_REQUESTER), &options);
    raw_send_bytes(raw, "\x01", 1, false);
    int64_t until = now_ms() + WAIT_MS;
    while (!net_next(h->net, clock_real(), ret)) {
        assert_true(now_ms() < until);
        net_wait(h->net, -1, 100, clock_real);
    }
    return raw;
}

/* The test above would pass with a door that lets nobody in at all: this one opens for a key that
 * a handler knows. */
static void door_with_a_zap_handler_lets_in_whom_it_knows(void **state) {
    (void)state;
    struct house house;
    house_open(&house, 0);
    struct net *net = house.net;
    struct incoming in;
    struct raw *raw = enter(&house, false, &in);
    assert_int_equal(in.frame.size, 1);
    assert_null(in.broken);
    /* What comes before a send, and whose sign the send takes away, is not waited for. */
    assert_false(net_next(net, clock_real(), &in));
    raw_send_bytes(raw, "\x01", 1, false);
    poll(NULL, 0, SETTLED_MS);
    buffer_put(net_out(net, in.peer), "\xc0", 1);
    net_sent(net, in.peer);
    net_flush(net, clock_real());
    int64_t began = now_ms();
    assert_true(net_wait(net, -1, WAIT_MS, clock_real));
    assert_true(now_ms() - began < WAIT_MS);
    assert_true(net_next(net, clock_real(), &in));
    raw_close(&raw);
    house_close(&house);
}

/* Frames of a mebibyte that nobody reads: more than the sockets of both sides hold. */
static void megabytes_send(struct net *net, uint32_t peer, unsigned count) {
    static uint8_t zeros[1 << 20];
    for (unsigned i = 0; i < count; i++) {
        buffer_put(net_out(net, peer), zeros, sizeof zeros - 1);
        net_sent(net, peer);
        net_prepare(net);
        net_flush(net, clock_real());
    }
}

static void who_owes_most_is_dropped_where_all_owe_too_much(void **state) {
    (void)state;
    struct house house;
    house_open(&house, 48 << 20);
    struct net *net = house.net;
    struct incoming in;
    struct raw *little = enter(&house, true, &in);
    uint32_t owes_little = in.peer;
    struct raw *much = enter(&house, true, &in);
    uint32_t owes_much = in.peer;
    megabytes_send(net, owes_little, 20);
    assert_true(net_owed(net, owes_little) <= 20 << 20);
    assert_int_equal(net_gone_next(net), PEER_NONE);
    megabytes_send(net, owes_much, 60);
    assert_int_equal(net_gone_next(net), owes_much);
    assert_int_equal(net_gone_next(net), PEER_NONE);
    assert_int_equal(net_counts(net)->dropped_slow, 1);
    net_release(net, owes_much, clock_real());
    raw_close(&little);
    raw_close(&much);
    for (int64_t until = now_ms() + WAIT_MS; net_owed(net, owes_much) + net_owed(net, owes_little) > 0;) {
        assert_true(now_ms() < until); /* what libzmq let go of is owed no more; it does so while it is asked */
        net_wait(net, -1, 1, clock_real);
        net_next(net, clock_real(), &in);
    }
    house_close(&house);
}

/* A clock that has gone on while the test did not. */
static int64_t ahead_us;
static est_time clock_ahead(void) {
    return (est_time){clock_real().us + ahead_us};
}

/* As long as the disk takes, or the machine has no time for us: the peer's time to hear it begins after that. */
static void last_words_are_heard_however_long_the_write_took_before_them(void **state) {
    (void)state;
    struct house house;
    house_open(&house, 0);
    struct net *net = house.net;
    struct incoming in;
    struct raw *raw = enter(&house, false, &in);
    net_wait(net, -1, 0, clock_ahead);
    struct message m = {.verb = VERB_BYE, .bye = {.code = EST_STOPPING, .text = slice_of("a test")}};
    message_pack(net_out(net, in.peer), &m);
    net_sent(net, in.peer);
    net_release(net, in.peer, clock_ahead());
    ahead_us = 10 * EST_US_PER_S;
    net_flush(net, clock_ahead()); /* of the batch before */
    net_prepare(net);
    ahead_us *= 2;
    net_flush(net, clock_ahead());
    assert_int_equal(raw_receive(raw, VERB_BYE)->bye.code, EST_STOPPING);
    ahead_us *= 2;
    net_flush(net, clock_ahead());
    raw_ended(raw);
    raw_close(&raw);
    house_close(&house);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CLAIM(door_without_a_zap_handler_lets_nobody_in),
        CLAIM(door_with_a_zap_handler_lets_in_whom_it_knows),
        CLAIM(who_owes_most_is_dropped_where_all_owe_too_much),
        CLAIM(last_words_are_heard_however_long_the_write_took_before_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
