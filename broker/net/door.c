/* door.c - see door.h. */
#include "door.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <zmq.h>

/* In Debian's libzmq 4.3.4 the option works though its header shows it to draft builds only. */
enum { ENFORCE_DOMAIN = 93, WHY_SIZE = 256 };

/* How long a door that closes waits for peers that read slowly. */
enum { LAST_WORDS_MS = 500 };

/* What CURVE puts around a frame (RFC 26: name, nonce, box, flags). libzmq counts it in. */
enum { CURVE_AROUND = 8 + 8 + 16 + 1 };

static int why(char *ret_why, const char *endpoint, const char *what, const char *advice) {
    snprintf(ret_why, WHY_SIZE, "%s: %s: %s; %s", endpoint, what, zmq_strerror(zmq_errno()), advice);
    return -EST_IO;
}

/* MANDATORY: a send to a peer that is gone is an error, not a silence. HANDOVER stays off: nobody
 * takes over another's routing id. SNDHWM counts messages; a batch sends one or a few a peer. */
static bool options_set(void *s, const struct net_options *o) {
    const struct { int option, value; } plain[] = {
        {ZMQ_LINGER, 0},           {ZMQ_ROUTER_MANDATORY, 1},        {ZMQ_IPV6, 1},
        {ZMQ_SNDHWM, 1000},        {ZMQ_RCVHWM, 1000},               {ZMQ_HANDSHAKE_IVL, 2000},
        {ZMQ_BACKLOG, 1024},       {ZMQ_HEARTBEAT_IVL, 5000},        {ZMQ_HEARTBEAT_TIMEOUT, 15000},
        {ZMQ_TCP_KEEPALIVE, 1},    {ENFORCE_DOMAIN, 1},
    };
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        if (zmq_setsockopt(s, plain[i].option, &plain[i].value, sizeof plain[i].value) != 0)
            return false;
    int64_t frame_max = (int64_t)o->frame_max + (o->curve ? CURVE_AROUND : 0);
    int server = 1;
    if (zmq_setsockopt(s, ZMQ_MAXMSGSIZE, &frame_max, sizeof frame_max) != 0)
        return false;
    if (!o->curve)
        return zmq_setsockopt(s, ZMQ_PLAIN_SERVER, &server, sizeof server) == 0;
    return zmq_setsockopt(s, ZMQ_CURVE_SERVER, &server, sizeof server) == 0 &&
           zmq_setsockopt(s, ZMQ_CURVE_SECRETKEY, o->secret_key, 32) == 0;
}

/* What protects the door is read back: an option that did not take is a door left open. */
static bool options_hold(void *s, const struct net_options *o, const char *domain) {
    int enforced = 0, mechanism = -1;
    char set[64];
    size_t int_size = sizeof enforced, set_size = sizeof set;
    return zmq_getsockopt(s, ENFORCE_DOMAIN, &enforced, &int_size) == 0 && enforced == 1 &&
           zmq_getsockopt(s, ZMQ_ZAP_DOMAIN, set, &set_size) == 0 && strcmp(set, domain) == 0 &&
           zmq_getsockopt(s, ZMQ_MECHANISM, &mechanism, &int_size) == 0 &&
           mechanism == (o->curve ? ZMQ_CURVE : ZMQ_PLAIN);
}

static int monitor_open(struct door_socket *d, void *context) {
    char name[64];
    snprintf(name, sizeof name, "inproc://estelam-monitor-%s", zap_domain(d->door));
    if (zmq_socket_monitor(d->socket, name, ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL) != 0)
        return -EST_IO;
    d->monitor = zmq_socket(context, ZMQ_PAIR);
    int none = 0;
    if (d->monitor == NULL)
        return -EST_IO;
    zmq_setsockopt(d->monitor, ZMQ_LINGER, &none, sizeof none);
    zmq_setsockopt(d->monitor, ZMQ_RCVHWM, &none, sizeof none);
    return zmq_connect(d->monitor, name) == 0 ? 0 : -EST_IO;
}

/* On a socket that speaks IPv6 too libzmq tells an IPv4 address as [::ffff:127.0.0.1]. */
static void endpoint_plain(char endpoint[256]) {
    static const char mapped[] = "tcp://[::ffff:", plain[] = "tcp://";
    char *end = strchr(endpoint, ']');
    if (strncmp(endpoint, mapped, sizeof mapped - 1) != 0 || end == NULL || strchr(endpoint, '.') == NULL)
        return;
    memmove(end, end + 1, strlen(end + 1) + 1);
    char *address = endpoint + sizeof mapped - 1;
    memmove(endpoint + sizeof plain - 1, address, strlen(address) + 1);
}

int door_open(struct door_socket *d, void *context, enum door door, const struct net_options *o, const char *endpoint,
              char *ret_why) {
    const char *domain = zap_domain(door);
    *d = (struct door_socket){.door = door, .socket = zmq_socket(context, ZMQ_ROUTER)};
    if (d->socket == NULL)
        return why(ret_why, endpoint, "no socket", "raise the limit of open files");
    if (!options_set(d->socket, o) || zmq_setsockopt(d->socket, ZMQ_ZAP_DOMAIN, domain, strlen(domain)) != 0)
        return why(ret_why, endpoint, "libzmq refuses an option", "use libzmq 4.3.4 or newer, built with CURVE");
    if (!options_hold(d->socket, o, domain))
        return why(ret_why, endpoint, "this libzmq does not enforce ZAP, any key would be let in",
                   "use libzmq 4.3.4 or newer");
    if (monitor_open(d, context) < 0)
        return why(ret_why, endpoint, "no monitor", "raise the limit of open files");
    if (zmq_bind(d->socket, endpoint) != 0)
        return why(ret_why, endpoint, "cannot listen", "is another broker running, or the address not this machine's?");
    size_t size = sizeof d->endpoint;
    if (zmq_getsockopt(d->socket, ZMQ_LAST_ENDPOINT, d->endpoint, &size) != 0)
        return why(ret_why, endpoint, "cannot tell the address", "report it");
    endpoint_plain(d->endpoint);
    d->fd = socket_fd(d->socket);
    d->monitor_fd = socket_fd(d->monitor);
    if (d->fd < 0 || d->monitor_fd < 0)
        return why(ret_why, endpoint, "the socket has no descriptor", "report it");
    d->is_unsure = d->has_ended = true;
    return 0;
}

void door_close(struct door_socket *d) {
    if (d->socket != NULL) {
        int linger_ms = LAST_WORDS_MS; /* what was sent may still be on its way: that the broker stops, last of all */
        zmq_setsockopt(d->socket, ZMQ_LINGER, &linger_ms, sizeof linger_ms);
        zmq_socket_monitor(d->socket, NULL, 0);
        zmq_close(d->socket);
    }
    if (d->monitor != NULL)
        zmq_close(d->monitor);
    d->socket = d->monitor = NULL;
}

/* libzmq does not say whose it was. What is no ZMTP at all is not told: somebody looks for open ports. */
static void handshake_failed(const struct door_socket *d, int32_t error, struct turned *turned) {
    if (error == ZMQ_PROTOCOL_ERROR_ZMTP_CRYPTOGRAPHIC)
        turned_add(turned, &(struct turned_row){.why = TURNED_CRYPTO, .door = d->door});
    if (error == ZMQ_PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH)
        turned_add(turned, &(struct turned_row){.why = TURNED_MECHANISM, .door = d->door});
}

/* An event is six bytes, the number and the descriptor or error, then a frame with the endpoint. */
bool door_news(struct door_socket *d, struct turned *turned, struct door_news *ret) {
    for (;;) {
        zmq_msg_t event;
        zmq_msg_init(&event);
        if (zmq_msg_recv(&event, d->monitor, ZMQ_DONTWAIT) < 0) {
            d->has_ended = zmq_errno() != EAGAIN; /* else it did not look */
            zmq_msg_close(&event);
            return false;
        }
        uint16_t number = 0;
        int32_t value = -1;
        if (zmq_msg_size(&event) >= 6) {
            memcpy(&number, zmq_msg_data(&event), sizeof number);
            memcpy(&value, (const char *)zmq_msg_data(&event) + 2, sizeof value);
        }
        int more = zmq_msg_more(&event);
        zmq_msg_close(&event);
        for (; more; more = zmq_msg_more(&event), zmq_msg_close(&event)) {
            zmq_msg_init(&event);
            zmq_msg_recv(&event, d->monitor, 0);
        }
        if (number == ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL)
            handshake_failed(d, value, turned);
        else if (value >= 0) {
            *ret = (struct door_news){.came = number == ZMQ_EVENT_ACCEPTED, .fd = value};
            return true;
        }
    }
}
