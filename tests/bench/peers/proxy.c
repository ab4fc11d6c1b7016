/* proxy.c - the limit of the wire: libzmq's own ROUTER/DEALER proxy, which stores nothing.
 *
 * `proxy` sends one message for each inquiry and one for each answer. `proxy-batched` puts all that
 * is due into messages of up to 32 KiB, as we do with frames (of 64): what the wire gives to those who do.
 * `proxy-synced` does too, and its proxy is ours (synced.h): what is left where each hop waits for the disk.
 * Nobody acknowledges anything; that counts as acknowledged when sent.
 */
#include "flights.h"
#include "synced.h"
#include "system.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <zmq.h>

enum { FRAME_MAX = 32768, KEY_SIZE = 41, DOOR_SIZE = 64 };

struct proxy {
    char requesters[DOOR_SIZE], agents[DOOR_SIZE];
    char public_key[KEY_SIZE], secret_key[KEY_SIZE]; /* of the proxy; players have it for their own too */
};

/* --- The proxy ------------------------------------------------------------------------------------- */

static void *socket_make(void *context, int kind, const struct proxy *proxy, bool curve, bool server) {
    const int none = 0, yes = 1, wait_ms = PLAYER_WAIT_MS;
    void *socket = zmq_socket(context, kind);
    zmq_setsockopt(socket, ZMQ_SNDHWM, &none, sizeof none);
    zmq_setsockopt(socket, ZMQ_RCVHWM, &none, sizeof none);
    zmq_setsockopt(socket, ZMQ_LINGER, &none, sizeof none);
    if (!server)
        zmq_setsockopt(socket, ZMQ_RCVTIMEO, &wait_ms, sizeof wait_ms);
    if (!curve)
        return socket;
    if (server)
        zmq_setsockopt(socket, ZMQ_CURVE_SERVER, &yes, sizeof yes);
    else
        zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, proxy->public_key, KEY_SIZE);
    zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, proxy->public_key, KEY_SIZE);
    zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, proxy->secret_key, KEY_SIZE);
    return socket;
}

/* The system chooses the port and keeps it: one that was only found free may be taken before it is bound. */
static bool door_open(void *socket, char ret[DOOR_SIZE]) {
    size_t size = DOOR_SIZE;
    return zmq_bind(socket, "tcp://127.0.0.1:*") == 0 &&
           zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, ret, &size) == 0;
}

/* In the child: never returns. Its doors are told through `told`. */
static void proxy_serve(const struct stage *s, int told) {
    struct proxy *proxy = s->own;
    bool curve = s->plan->curve, synced = strcmp(s->plan->system->name, "proxy-synced") == 0;
    void *context = zmq_ctx_new();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGTERM, SIG_DFL);
    signal(SIGINT, SIG_IGN);
    void *front = socket_make(context, ZMQ_ROUTER, proxy, curve, true);
    void *back = socket_make(context, ZMQ_DEALER, proxy, curve, true);
    if (door_open(front, proxy->requesters) && door_open(back, proxy->agents) &&
        write(told, proxy, sizeof *proxy) == (ssize_t)sizeof *proxy)
        synced ? synced_serve(s, front, back) : (void)zmq_proxy(front, back, NULL);
    _exit(1);
}

static int proxy_open(struct stage *s) {
    struct proxy *proxy = s->own = calloc(1, sizeof *proxy);
    if (!proxy || zmq_curve_keypair(proxy->public_key, proxy->secret_key) != 0)
        return -EST_NO_MEMORY;
    int doors[2];
    if (pipe2(doors, O_CLOEXEC) < 0)
        return -EST_IO;
    s->rough = true;
    s->server = fork();
    if (s->server == 0)
        proxy_serve(s, doors[1]);
    close(doors[1]);
    bool told = s->server > 0 && read(doors[0], proxy, sizeof *proxy) == (ssize_t)sizeof *proxy;
    close(doors[0]);
    if (!told)
        bench_say("the proxy does not serve");
    return told ? 0 : -EST_UNREACHABLE;
}

static void proxy_close(struct stage *s) {
    free(s->own);
}

/* --- The players ----------------------------------------------------------------------------------- */

struct player {
    const struct part *part;
    void *context, *socket;
    struct letter letter;
    unsigned letters_max; /* in a message */
    size_t comes;         /* the size of the other side's letter */
    char frame[FRAME_MAX + BENCH_BODY_MAX], identity[256];
    size_t used, identity_size;
    struct flights flights; /* requesters */
};

/* The handshake is over before the measured time begins: the warm-up sees to that. */
static int player_open(struct player *p, const struct part *part, bool agent) {
    const struct proxy *proxy = part->stage->own;
    struct letter other;
    bool batched = strcmp(part->plan->system->name, "proxy") != 0;
    p->part = part;
    p->context = zmq_ctx_new();
    p->socket = socket_make(p->context, ZMQ_DEALER, proxy, part->plan->curve, false);
    bool failed = letter_make(&p->letter, part->plan->body, agent) < 0 ||
                  letter_make(&other, part->plan->body, !agent) < 0;
    p->comes = failed ? 0 : other.size;
    if (!failed)
        letter_done(&other);
    if (failed || zmq_connect(p->socket, agent ? proxy->agents : proxy->requesters) != 0)
        return player_failed(part, "no connection", zmq_strerror(errno));
    p->letters_max = batched && p->letter.size < FRAME_MAX ? (unsigned)(FRAME_MAX / p->letter.size) : 1;
    return player_await(part) ? 0 : 1;
}

static void player_close(struct player *p) {
    const int linger_ms = 1000; /* the last answers may still be on their way out */
    zmq_setsockopt(p->socket, ZMQ_LINGER, &linger_ms, sizeof linger_ms);
    zmq_close(p->socket);
    zmq_ctx_term(p->context);
    letter_done(&p->letter);
}

/* An agent's goes to the requester that it answers. */
static int frame_send(struct player *p) {
    int sent = 0;
    if (p->used > 0 && p->identity_size > 0)
        sent = zmq_send(p->socket, p->identity, p->identity_size, ZMQ_SNDMORE);
    if (p->used > 0 && sent >= 0)
        sent = zmq_send(p->socket, p->frame, p->used, 0);
    p->used = 0;
    return sent < 0 ? player_failed(p->part, "sending", zmq_strerror(errno)) : 0;
}

static int letter_put(struct player *p, const struct ticket *ticket) {
    ticket_write(p->letter.bytes, ticket);
    memcpy(p->frame + p->used, p->letter.bytes, p->letter.size);
    p->used += p->letter.size;
    return p->used == p->letters_max * p->letter.size ? frame_send(p) : 0;
}

static int fill(struct player *p) {
    int64_t now_us = bench_now_us();
    for (struct ticket ticket; flight_next(&p->flights, now_us, &ticket);) {
        flight_depart(&p->flights, &ticket, now_us);
        p->part->score->accepted++;
        if (letter_put(p, &ticket))
            return 1;
    }
    return frame_send(p);
}

/* Lands what a message brought; letters are all of one size. */
static int answers_land(struct player *p, const char *from, size_t size) {
    int64_t now_us = bench_now_us();
    struct ticket ticket;
    for (; size > 0; from += p->comes, size -= p->comes) {
        if (size < p->comes || !ticket_read(from, p->comes, &ticket))
            return player_failed(p->part, "a message that nobody sent", NULL);
        flight_land(&p->flights, &ticket, now_us);
    }
    return 0;
}

/* Waits for one message, and takes what came with it. */
static int answers_take(struct player *p) {
    zmq_msg_t message;
    int status = 0;
    zmq_msg_init(&message);
    for (int flags = 0; status == 0 && zmq_msg_recv(&message, p->socket, flags) >= 0; flags = ZMQ_DONTWAIT)
        status = answers_land(p, zmq_msg_data(&message), zmq_msg_size(&message));
    zmq_msg_close(&message);
    return status;
}

static int fly(struct player *p) {
    for (int64_t now_us = bench_now_us(); !flights_are_over(&p->flights, now_us); now_us = bench_now_us()) {
        if (now_us > p->part->board->drain_us)
            return player_trouble(p->part, "inquiries are missing", EST_TIMEOUT, (est_slice){0});
        if (fill(p) || answers_take(p))
            return 1;
    }
    return 0;
}

static int proxy_requester(const struct part *part) {
    static struct player p;
    int status = player_open(&p, part, false) || flights_make(&p.flights, part) < 0 || fly(&p);
    player_close(&p);
    flights_done(&p.flights);
    return status;
}

static int work_take(struct player *p, const char *from, size_t size) {
    struct ticket ticket;
    for (; size > 0; from += p->comes, size -= p->comes) {
        if (size < p->comes || !ticket_read(from, p->comes, &ticket))
            return player_failed(p->part, "a message that nobody sent", NULL);
        p->part->score->offered++;
        p->part->score->recorded++;
        if (letter_put(p, &ticket))
            return 1;
    }
    return frame_send(p);
}

static int work(struct player *p) {
    zmq_msg_t message;
    int status = 0;
    zmq_msg_init(&message);
    while (status == 0 && !player_is_leaving()) {
        int size = zmq_recv(p->socket, p->identity, sizeof p->identity, 0);
        if (size <= 0)
            continue;
        p->identity_size = (size_t)size;
        status = zmq_msg_recv(&message, p->socket, 0) < 0
                     ? player_failed(p->part, "receiving", zmq_strerror(errno))
                     : work_take(p, zmq_msg_data(&message), zmq_msg_size(&message));
    }
    zmq_msg_close(&message);
    return status;
}

static int proxy_agent(const struct part *part) {
    static struct player p;
    player_leave_on_signal();
    int status = player_open(&p, part, true) || work(&p);
    player_close(&p);
    return status;
}

const struct system system_proxy = {
    .name = "proxy",
    .durable = "never: libzmq's bare proxy stores nothing; one message for each inquiry and each answer",
    .curve = true,
    .limit = true,
    .open = proxy_open,
    .close = proxy_close,
    .requester = proxy_requester,
    .agent = proxy_agent,
};

const struct system system_proxy_batched = {
    .name = "proxy-batched",
    .durable = "never: as proxy, but with all that is due in messages of up to 32 KiB",
    .curve = true,
    .limit = true,
    .open = proxy_open,
    .close = proxy_close,
    .requester = proxy_requester,
    .agent = proxy_agent,
};

const struct system system_proxy_synced = {
    .name = "proxy-synced",
    .durable =
        "as proxy-batched, but what came in is written and synced before it is passed on; nobody looks "
        "at it, finds it again or acknowledges it",
    .curve = true,
    .limit = true,
    .open = proxy_open,
    .close = proxy_close,
    .requester = proxy_requester,
    .agent = proxy_agent,
};
