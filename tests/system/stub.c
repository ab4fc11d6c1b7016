/* stub.c - a bare ROUTER socket in a broker's place, to try a client with what a broker of ours
 * would hardly ever say. */
#include "harness.h"

#include <stdlib.h>
#include <string.h>
#include <zmq.h>

struct stub {
    void *context, *socket;
    char endpoint[ENDPOINT_MAX];
    uint8_t peer[16];
    size_t peer_size;
};

struct stub *stub_open(const struct key_pair *server) {
    struct stub *stub = calloc(1, sizeof *stub);
    assert_non_null(stub);
    stub->context = zmq_ctx_new();
    stub->socket = zmq_socket(stub->context, ZMQ_ROUTER);
    int on = 1, none = 0;
    size_t size = sizeof stub->endpoint;
    zmq_setsockopt(stub->socket, ZMQ_LINGER, &none, sizeof none);
    zmq_setsockopt(stub->socket, ZMQ_CURVE_SERVER, &on, sizeof on);
    zmq_setsockopt(stub->socket, ZMQ_CURVE_SECRETKEY, server->secret_key, strlen(server->secret_key));
    assert_int_equal(zmq_bind(stub->socket, "tcp://127.0.0.1:0"), 0);
    assert_int_equal(zmq_getsockopt(stub->socket, ZMQ_LAST_ENDPOINT, stub->endpoint, &size), 0);
    return stub;
}

const char *stub_endpoint(const struct stub *stub) {
    return stub->endpoint;
}

void stub_close(struct stub **at) {
    struct stub *stub = *at;
    *at = NULL;
    zmq_close(stub->socket);
    zmq_ctx_term(stub->context);
    free(stub);
}

/* Takes one message; true where this verb is in it. */
static bool stub_hears(struct stub *stub, enum verb verb) {
    static struct message m;
    struct cursor c;
    zmq_msg_t frame;
    int size = zmq_recv(stub->socket, stub->peer, sizeof stub->peer, ZMQ_DONTWAIT);
    if (size < 0)
        return false;
    stub->peer_size = (size_t)size;
    zmq_msg_init(&frame);
    assert_true(zmq_msg_recv(&frame, stub->socket, 0) >= 0);
    assert_true(frame_open(&c, (est_slice){zmq_msg_data(&frame), zmq_msg_size(&frame)}));
    bool heard = false;
    while (message_next(&c, &m) > 0)
        heard = heard || m.verb == verb;
    zmq_msg_close(&frame);
    return heard;
}

void stub_await(struct stub *stub, struct far *far, enum verb verb) {
    int64_t until = now_ms() + WAIT_MS;
    while (!stub_hears(stub, verb)) {
        assert_true(now_ms() < until);
        far_poll(far, 0);
        zmq_pollitem_t items[] = {{stub->socket, 0, ZMQ_POLLIN, 0},
                                  {NULL, est_client_fd(far->client), ZMQ_POLLIN, 0}};
        zmq_poll(items, 2, 100);
    }
}

void stub_send_bytes(struct stub *stub, const void *bytes, size_t size) {
    assert_true(zmq_send(stub->socket, stub->peer, stub->peer_size, ZMQ_SNDMORE) > 0);
    assert_int_equal(zmq_send(stub->socket, bytes, size, 0), (int)size);
}

void stub_send(struct stub *stub, const struct message *m) {
    struct buffer frame;
    buffer_init(&frame);
    frame_begin(&frame);
    message_pack(&frame, m);
    stub_send_bytes(stub, frame.data, frame.size);
    buffer_done(&frame);
}
