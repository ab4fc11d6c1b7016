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

/* The test above would pass with a door that lets nobody in at all: this one opens for a key that
 * a handler knows. */
static void door_with_a_zap_handler_lets_in_whom_it_knows(void **state) {
    (void)state;
    struct key_pair server, client;
    struct net_options options;
    struct keyring ring;
    struct net *net;
    struct key key = {0};
    char why[256] = "";
    key_make(&server);
    key_make(&client);
    options_of(&server, &options);
    for (int i = 0; i < DOORS; i++)
        options.endpoints[i] = "tcp://127.0.0.1:0";
    keyring_init(&ring);
    assert_non_null(zmq_z85_decode(key.public_key, client.public_key));
    assert_int_equal(keyring_add(&ring, &key, 1, "portal", ROLE_REQUESTER), 0);
    assert_int_equal(net_open(&options, &ring, &net, why), 0);
    struct raw *raw = raw_open(net_endpoint(net, DOOR_REQUESTER),
                               &(struct raw_options){.server_key = server.public_key, .key = client});
    raw_send_bytes(raw, "\x01", 1, false);
    struct incoming in;
    int64_t until = now_ms() + WAIT_MS;
    while (!net_next(net, clock_real(), &in)) {
        assert_true(now_ms() < until);
        net_wait(net, -1, 100, clock_real);
    }
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
    net_close(&net);
    keyring_done(&ring);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CLAIM(door_without_a_zap_handler_lets_nobody_in),
        CLAIM(door_with_a_zap_handler_lets_in_whom_it_knows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
