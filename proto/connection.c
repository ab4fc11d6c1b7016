/* connection.c - one DEALER socket, its security and its monitor. */
#include "connection.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <zmq.h>

enum {
    SEND_FRAMES_MAX = 64, /* frames on their way out; more wait as commands in the session's tables */
    RECEIVE_FRAMES_MAX = 1000,
    HANDSHAKE_MS = 5000,
    CURVE_AROUND = 8 + 8 + 16 + 1, /* what CURVE puts around a frame; libzmq counts it in */
    /* Not -1: that would end the pipe, and what the broker said last before it went would be lost
     * with it. This long a pause is never lived through. */
    RECONNECT_MS = 24 * 3600 * 1000,
    WATCHED = ZMQ_EVENT_CLOSED | ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_CONNECT_RETRIED |
              ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_HANDSHAKE_SUCCEEDED |
              ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH,
};

static int fail(const struct connection *c, const char *what, char ret_text[CONNECTION_TEXT_SIZE]) {
    snprintf(ret_text, CONNECTION_TEXT_SIZE, "%s: %s: %s", c->endpoint, what, zmq_strerror(zmq_errno()));
    return -EST_IO;
}

static bool socket_set(void *socket, int option, int value) {
    return zmq_setsockopt(socket, option, &value, sizeof value) == 0;
}

static bool socket_set_text(void *socket, int option, const char *text) {
    return zmq_setsockopt(socket, option, text, strlen(text)) == 0;
}

static bool socket_set_limits(void *socket, bool curve) {
    int64_t size_max = EST_FRAME_MAX + (curve ? CURVE_AROUND : 0);
    return socket_set(socket, ZMQ_LINGER, 0) && socket_set(socket, ZMQ_SNDHWM, SEND_FRAMES_MAX) &&
           socket_set(socket, ZMQ_RCVHWM, RECEIVE_FRAMES_MAX) &&
           zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &size_max, sizeof size_max) == 0 &&
           socket_set(socket, ZMQ_HANDSHAKE_IVL, HANDSHAKE_MS) &&
           socket_set(socket, ZMQ_RECONNECT_IVL, RECONNECT_MS) && socket_set(socket, ZMQ_IPV6, 1);
}

/* An empty password is the default, and cannot be set. */
static bool socket_set_security(void *socket, const struct credentials *who) {
    if (who->curve)
        return socket_set_text(socket, ZMQ_CURVE_SERVERKEY, who->server_key) &&
               socket_set_text(socket, ZMQ_CURVE_PUBLICKEY, who->public_key) &&
               socket_set_text(socket, ZMQ_CURVE_SECRETKEY, who->secret_key);
    return socket_set_text(socket, ZMQ_PLAIN_USERNAME, who->account) &&
           (!who->public_key[0] || socket_set_text(socket, ZMQ_PLAIN_PASSWORD, who->public_key));
}

static int fd_of(void *socket) {
    int fd = -1;
    size_t size = sizeof fd;
    return zmq_getsockopt(socket, ZMQ_FD, &fd, &size) == 0 ? fd : -1;
}

/* The monitor listens before the socket connects: no news is missed. */
static bool monitor_open(struct connection *c, void *context, unsigned id) {
    char address[48];
    snprintf(address, sizeof address, "inproc://estelam-monitor-%u", id);
    c->monitor = zmq_socket(context, ZMQ_PAIR);
    return c->monitor && socket_set(c->monitor, ZMQ_LINGER, 0) &&
           zmq_socket_monitor(c->socket, address, WATCHED) == 0 && zmq_connect(c->monitor, address) == 0;
}

int connection_open(struct connection *c, void *context, const char *endpoint, const struct credentials *who,
                    unsigned id, char ret_text[CONNECTION_TEXT_SIZE]) {
    *c = (struct connection){.socket_fd = -1, .monitor_fd = -1};
    snprintf(c->endpoint, sizeof c->endpoint, "%s", endpoint);
    c->socket = zmq_socket(context, ZMQ_DEALER);
    int failed = 0;
    if (!c->socket || !socket_set_limits(c->socket, who->curve))
        failed = fail(c, "no socket", ret_text);
    else if (!socket_set_security(c->socket, who))
        failed = fail(c, "the keys or the account's name cannot be used", ret_text);
    else if (!monitor_open(c, context, id))
        failed = fail(c, "no monitor", ret_text);
    else if (zmq_connect(c->socket, endpoint) != 0)
        failed = fail(c, "this endpoint cannot be used", ret_text);
    if (failed) {
        connection_close(c, 0);
        return failed;
    }
    c->socket_fd = fd_of(c->socket);
    c->monitor_fd = fd_of(c->monitor);
    return 0;
}

void connection_close(struct connection *c, int linger_ms) {
    if (c->socket) {
        socket_set(c->socket, ZMQ_LINGER, linger_ms);
        zmq_socket_monitor(c->socket, NULL, 0);
        zmq_close(c->socket);
    }
    if (c->monitor)
        zmq_close(c->monitor);
    c->socket = c->monitor = NULL;
}

/* --- What the monitor says. ----------------------------------------------------------------------- */

/* One event: 16 bits of event, 32 of value, then a frame with the address. */
static bool monitor_next(void *monitor, uint16_t *ret_event, uint32_t *ret_value) {
    uint8_t bytes[6];
    if (zmq_recv(monitor, bytes, sizeof bytes, ZMQ_DONTWAIT) != sizeof bytes)
        return false;
    memcpy(ret_event, bytes, 2);
    memcpy(ret_value, bytes + 2, 4);
    char address[ENDPOINT_SIZE];
    zmq_recv(monitor, address, sizeof address, ZMQ_DONTWAIT);
    return true;
}

/* ZAP's status code: 400 is "this key is not known here", the others are trouble of the broker's. */
static int auth_failed(const struct connection *c, uint32_t status, char ret_text[CONNECTION_TEXT_SIZE]) {
    if (status != 400) {
        snprintf(ret_text, CONNECTION_TEXT_SIZE, "%s: the broker could not check the key (status %u)",
                 c->endpoint, (unsigned)status);
        return -EST_UNREACHABLE;
    }
    snprintf(
        ret_text, CONNECTION_TEXT_SIZE,
        "%s: the broker refused the key: it is unknown, revoked or outside its dates, or belongs to another "
        "door",
        c->endpoint);
    return -EST_NOT_ALLOWED;
}

static int lost(const struct connection *c, uint16_t event, char ret_text[CONNECTION_TEXT_SIZE]) {
    const char *why = "nobody listens there";
    if (c->handshaken)
        why = "the connection was lost";
    else if (event == ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL)
        why = "the handshake failed: it is no broker, or one with other security (CURVE or PLAIN)";
    else if (event == ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL || event == ZMQ_EVENT_DISCONNECTED)
        why = "the handshake was broken off: the server key may be wrong, or it is no broker";
    snprintf(ret_text, CONNECTION_TEXT_SIZE, "%s: %s", c->endpoint, why);
    return -EST_UNREACHABLE;
}

int connection_check(struct connection *c, char ret_text[CONNECTION_TEXT_SIZE]) {
    uint16_t event;
    uint32_t value;
    while (monitor_next(c->monitor, &event, &value)) {
        if (event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED)
            c->handshaken = true;
        else if (event == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH)
            return auth_failed(c, value, ret_text);
        else
            return lost(c, event, ret_text);
    }
    return 0;
}

/* --- Frames. -------------------------------------------------------------------------------------- */

int connection_send(struct connection *c, est_slice frame) {
    if (zmq_send(c->socket, frame.data, frame.size, ZMQ_DONTWAIT) >= 0)
        return 1;
    return zmq_errno() == EAGAIN || zmq_errno() == EINTR ? 0 : -EST_IO;
}

int connection_events(struct connection *c) {
    int events = 0;
    size_t size = sizeof events;
    return zmq_getsockopt(c->socket, ZMQ_EVENTS, &events, &size) == 0 ? events : ZMQ_POLLIN;
}
