/* net.c - peers behind the doors; see net.h. */
#include "door.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <zmq.h>

enum { FD_MAX = 1 << 20, ROUTING_SIZE = 5 };
/* Where no more connections fit an operator still gets in. */
enum { OPERATORS_KEPT = 8 };

/* A message whose bytes count until libzmq lets go of it: its thread has sent it, or its connection is gone. Small
 * ones are not counted, a thousand of them are little. */
enum { LETTER_MIN = 16 * 1024 };
struct letter {
    atomic_uint_fast64_t *owed, *total;
    size_t size;
    uint8_t bytes[];
};

/* A message that is whole and waits for its batch to be on the disk. */
struct outgoing {
    uint32_t peer, routing;
    struct door_socket *door;
    zmq_msg_t message;
};

struct net {
    struct net_options options;
    const struct keyring *ring;
    void *context;
    struct zap zap;
    struct door_socket doors[DOORS];
    struct peer *peers;
    uint32_t free_first;
    uint32_t *slots, slots_mask;    /* door and routing id -> peer + 1 */
    struct { uint32_t peer; int64_t came_us; } *by_fd; /* peer + 1; or 0, and when it came if it never said anything */
    int by_fd_size;
    est_time now;                   /* of the last look at a door */
    est_time (*clock)(void);        /* of net_wait; NULL before the first */
    uint32_t *dirty, dirty_count;   /* peers with something to send */
    uint32_t *leaving, leaving_count; /* to be shut after the flush */
    uint32_t *gone, gone_count;     /* found gone while sending */
    struct outgoing *outgoing;      /* messages that wait for net_flush */
    size_t outgoing_count, outgoing_capacity;
    int turn;                       /* the door that is read next */
    zmq_msg_t held;                 /* the frame last given out */
    struct net_counts counts;
    struct turned turned;
    uint32_t free_count;
    atomic_uint_fast64_t *owed;     /* by peer; of whoever had its number before too, until that is gone */
    atomic_uint_fast64_t owed_total;
};

/* --- Peers by routing id ------------------------------------------------------------------------ */

static uint32_t slot_hash(const struct net *n, enum door door, uint32_t routing) {
    return (uint32_t)((routing * 4ULL + door) * 0x9E3779B97F4A7C15ULL >> 32) & n->slots_mask;
}

static uint32_t peer_find(const struct net *n, enum door door, uint32_t routing) {
    for (uint32_t at = slot_hash(n, door, routing);; at = (at + 1) & n->slots_mask) {
        if (n->slots[at] == 0)
            return PEER_NONE;
        const struct peer *p = &n->peers[n->slots[at] - 1];
        if (p->routing == routing && p->door == door)
            return n->slots[at] - 1;
    }
}

static void slot_remove(struct net *n, uint32_t peer) {
    uint32_t at = slot_hash(n, n->peers[peer].door, n->peers[peer].routing);
    while (n->slots[at] != peer + 1)
        at = (at + 1) & n->slots_mask;
    for (uint32_t next = (at + 1) & n->slots_mask; n->slots[next] != 0; next = (next + 1) & n->slots_mask) {
        const struct peer *p = &n->peers[n->slots[next] - 1];
        uint32_t home = slot_hash(n, p->door, p->routing);
        if (((next - home) & n->slots_mask) >= ((next - at) & n->slots_mask)) {
            n->slots[at] = n->slots[next];
            at = next;
        }
    }
    n->slots[at] = 0;
}

/* Without room for it the connection's end is found by its silence instead. */
static bool fd_has_room(struct net *n, int fd) {
    if (fd < 0 || fd >= FD_MAX)
        return false;
    if (fd < n->by_fd_size)
        return true;
    int size = fd + 1024;
    void *grown = realloc(n->by_fd, (size_t)size * sizeof *n->by_fd);
    if (grown == NULL)
        return false;
    n->by_fd = grown;
    memset(n->by_fd + n->by_fd_size, 0, (size_t)(size - n->by_fd_size) * sizeof *n->by_fd);
    n->by_fd_size = size;
    return true;
}

static void fd_bind(struct net *n, int fd, uint32_t peer) {
    if (!fd_has_room(n, fd))
        return;
    n->by_fd[fd].peer = peer + 1;
    n->by_fd[fd].came_us = 0;
}

static uint32_t fd_peer(const struct net *n, int fd) {
    return fd >= 0 && fd < n->by_fd_size && n->by_fd[fd].peer != 0 ? n->by_fd[fd].peer - 1 : PEER_NONE;
}

static bool peer_fits(const struct net *n, enum door door) {
    uint32_t kept = n->options.peers_max > 8 * OPERATORS_KEPT ? OPERATORS_KEPT : n->options.peers_max > 1;
    return n->free_count > (door == DOOR_OPERATOR ? 0 : kept);
}

static uint32_t peer_new(struct net *n, enum door door, uint32_t routing, uint32_t key, est_time now) {
    if (!peer_fits(n, door)) {
        n->counts.dropped_full++;
        return PEER_NONE;
    }
    uint32_t peer = n->free_first;
    struct peer *p = &n->peers[peer];
    n->free_first = p->free_next;
    n->free_count--;
    struct buffer out = p->out;
    size_t *cuts = p->cuts, capacity = p->cuts_capacity;
    *p = (struct peer){.live = true, .door = door, .key = key, .routing = routing, .frame_max = n->options.frame_max, .since = now,
                       .dirty = p->dirty, .out = out, .cuts = cuts, .cuts_capacity = capacity};
    buffer_clear(&p->out);
    /* ZMQ_SRCFD is called deprecated and is the only way to tell, and to end, one connection. */
    p->fd = zmq_msg_get(&n->held, ZMQ_SRCFD);
    fd_bind(n, p->fd, peer);
    const char *address = zmq_msg_gets(&n->held, "Peer-Address");
    snprintf(p->address, sizeof p->address, "%s", address != NULL ? address_plain(address) : "");
    uint32_t at = slot_hash(n, door, routing);
    while (n->slots[at] != 0)
        at = (at + 1) & n->slots_mask;
    n->slots[at] = peer + 1;
    return peer;
}

static void peer_free(struct net *n, uint32_t peer) {
    struct peer *p = &n->peers[peer];
    slot_remove(n, peer);
    if (fd_peer(n, p->fd) == peer)
        n->by_fd[p->fd].peer = 0;
    for (uint32_t i = 0; p->gone && i < n->gone_count; i++)
        if (n->gone[i] == peer)
            n->gone[i--] = n->gone[--n->gone_count];
    p->live = p->session = p->gone = false;
    p->free_next = n->free_first;
    n->free_first = peer;
    n->free_count++;
}

/* --- Opening and closing -------------------------------------------------------------------------- */

static int net_allocate(struct net *n, uint32_t peers) {
    uint32_t slots = 64;
    while (slots < 2 * peers)
        slots *= 2;
    n->slots_mask = slots - 1;
    n->slots = calloc(slots, sizeof *n->slots);
    n->peers = calloc(peers, sizeof *n->peers);
    n->dirty = calloc(peers, sizeof *n->dirty);
    n->leaving = calloc(peers, sizeof *n->leaving);
    n->gone = calloc(peers, sizeof *n->gone);
    n->owed = calloc(peers, sizeof *n->owed);
    if (n->slots == NULL || n->peers == NULL || n->dirty == NULL || n->leaving == NULL || n->gone == NULL || n->owed == NULL)
        return -EST_NO_MEMORY;
    n->free_first = PEER_NONE;
    n->free_count = peers;
    for (uint32_t i = peers; i-- > 0; n->free_first = i)
        n->peers[i].free_next = n->free_first;
    return 0;
}

int net_open(const struct net_options *o, const struct keyring *ring, struct net **ret, char *ret_why) {
    static const enum door order[DOORS] = {DOOR_REQUESTER, DOOR_DEPARTMENT, DOOR_OPERATOR};
    struct net *n = calloc(1, sizeof *n);
    if (n == NULL || net_allocate(n, o->peers_max) < 0 || (n->context = zmq_ctx_new()) == NULL) {
        snprintf(ret_why, 256, "out of memory for %u peers; lower sessions_max", o->peers_max);
        net_close(&n);
        return -EST_NO_MEMORY;
    }
    n->options = *o;
    if (n->options.owed_max == 0)
        n->options.owed_max = NET_OWED_TOTAL;
    n->ring = ring;
    zmq_msg_init(&n->held);
    zmq_ctx_set(n->context, ZMQ_MAX_SOCKETS, 65536);
    int error = zap_open(&n->zap, n->context, ring, &n->turned);
    if (error < 0)
        snprintf(ret_why, 256, "the ZAP handler cannot be bound; no door is opened without it");
    for (int i = 0; error == 0 && i < DOORS; i++)
        error = door_open(&n->doors[i], n->context, order[i], o, o->endpoints[i], ret_why);
    if (error < 0) {
        net_close(&n);
        return error;
    }
    *ret = n;
    return 0;
}

void net_close(struct net **net) {
    struct net *n = *net;
    *net = NULL;
    if (n == NULL)
        return;
    for (uint32_t i = 0; n->peers != NULL && i < n->options.peers_max; i++) {
        buffer_done(&n->peers[i].out);
        free(n->peers[i].cuts);
    }
    for (size_t i = 0; i < n->outgoing_count; i++)
        zmq_msg_close(&n->outgoing[i].message);
    free(n->outgoing);
    if (n->context != NULL) {
        zmq_msg_close(&n->held);
        for (int i = 0; i < DOORS; i++)
            door_close(&n->doors[i]);
        zap_close(&n->zap);
        zmq_ctx_term(n->context);
    }
    free(n->slots);
    free(n->peers);
    free(n->by_fd);
    free(n->owed); /* no message is left that counts in it */
    free(n->dirty);
    free(n->leaving);
    free(n->gone);
    free(n);
}

/* --- In --------------------------------------------------------------------------------------------- */

/* How often connections that are to be shut are looked at while nothing else happens. */
enum { LEAVING_LOOK_MS = 100 };

/* Is there something to read? Said by its own events, and only where it is not known. */
static bool has_frames(struct door_socket *d) {
    int events = 0;
    size_t size = sizeof events;
    if (d->is_unsure)
        d->is_unsure = zmq_getsockopt(d->socket, ZMQ_EVENTS, &events, &size) != 0 || (events & ZMQ_POLLIN) != 0;
    return d->is_unsure;
}

/* The descriptors are waited for, and a socket is asked only where it may have changed its mind (see
 * door.h). zmq_poll asks each of the seven twice, before and after it waits, and every question is a
 * poll and a getpid: with a read of each socket that made 27 and 29 of them a batch (strace, 64 in
 * flight). */
bool net_wait(struct net *n, int wake_fd, int timeout_ms, est_time (*clock)(void)) {
    struct pollfd items[2 * DOORS + 2];
    bool any = n->gone_count > 0;
    n->clock = clock;
    for (int i = 0; i < DOORS; i++) {
        any |= has_frames(&n->doors[i]) || n->doors[i].has_ended;
        items[i] = (struct pollfd){.fd = n->doors[i].fd, .events = POLLIN};
        items[DOORS + i] = (struct pollfd){.fd = n->doors[i].monitor_fd, .events = POLLIN};
    }
    items[2 * DOORS] = (struct pollfd){.fd = n->zap.fd, .events = POLLIN};
    items[2 * DOORS + 1] = (struct pollfd){.fd = wake_fd, .events = POLLIN};
    if (n->leaving_count > 0 && timeout_ms > LEAVING_LOOK_MS)
        timeout_ms = LEAVING_LOOK_MS;
    if (poll(items, 2 * DOORS + 2, any ? 0 : timeout_ms) <= 0)
        return any;
    if (items[2 * DOORS].revents != 0)
        zap_handle(&n->zap, clock());
    for (int i = 0; i < DOORS; i++) {
        n->doors[i].is_unsure |= items[i].revents != 0;
        n->doors[i].has_ended |= items[DOORS + i].revents != 0;
        any |= has_frames(&n->doors[i]) || n->doors[i].has_ended;
    }
    return any;
}

const char *net_endpoint(const struct net *n, enum door door) {
    for (int i = 0; i < DOORS; i++)
        if (n->doors[i].door == door)
            return n->doors[i].endpoint;
    return "";
}

/* A connection that nobody may speak on, or that broke a rule before it became a peer. */
static void connection_shut(int fd) {
    if (fd >= 0)
        shutdown(fd, SHUT_RDWR);
}

static void gone_add(struct net *n, uint32_t peer) {
    if (n->peers[peer].gone)
        return;
    n->peers[peer].gone = true;
    n->gone[n->gone_count++] = peer;
}

static void connection_ended(struct net *n, int fd) {
    uint32_t peer = fd_peer(n, fd);
    if (fd < n->by_fd_size)
        n->by_fd[fd].peer = 0, n->by_fd[fd].came_us = 0;
    if (peer == PEER_NONE)
        return;
    n->peers[peer].fd = -1;
    n->counts.disconnects++;
    gone_add(n, peer);
}

/* Hears of every connection that came or ended. One I/O thread tells its events in order, so whoever asks
 * all doors before binding a descriptor knows that its former owner is gone. */
static void gone_collect(struct net *n, bool ask_all) {
    struct door_news news;
    for (int i = 0; i < DOORS; i++) {
        if (!ask_all && !n->doors[i].has_ended)
            continue;
        while (door_news(&n->doors[i], &n->turned, &news)) {
            if (!news.came)
                connection_ended(n, news.fd);
            else if (fd_has_room(n, news.fd))
                n->by_fd[news.fd].came_us = n->now.us;
        }
    }
}

void net_silent_end(struct net *n, est_time before) {
    gone_collect(n, true); /* whose descriptor may be another's by now */
    for (int fd = 0; fd < n->by_fd_size; fd++) {
        if (n->by_fd[fd].peer != 0 || n->by_fd[fd].came_us == 0 || n->by_fd[fd].came_us > before.us)
            continue;
        n->by_fd[fd].came_us = 0;
        n->counts.dropped_silent++;
        connection_shut(fd);
    }
}

uint32_t net_gone_next(struct net *n) {
    gone_collect(n, false);
    while (n->gone_count > 0) {
        uint32_t peer = n->gone[--n->gone_count];
        if (!n->peers[peer].live)
            continue;
        if (!n->peers[peer].leaving)
            return peer;
        peer_free(n, peer);
    }
    return PEER_NONE;
}

/* Takes one message off a door: the routing id, then exactly one data frame into n->held.
 * 1: there it is; 0: nothing waits; -1: it broke the rules, all of it has been taken off. */
static int message_receive(struct net *n, struct door_socket *d, uint32_t *ret_routing) {
    uint8_t id[ROUTING_SIZE];
    int size = zmq_recv(d->socket, id, sizeof id, ZMQ_DONTWAIT);
    if (size < 0) {
        d->is_unsure = zmq_errno() != EAGAIN;
        return 0;
    }
    zmq_msg_close(&n->held);
    zmq_msg_init(&n->held);
    if (zmq_msg_recv(&n->held, d->socket, 0) < 0)
        return -1;
    bool many = zmq_msg_more(&n->held) != 0;
    for (bool more = many; more;) {
        zmq_msg_t rest;
        zmq_msg_init(&rest);
        zmq_msg_recv(&rest, d->socket, 0);
        more = zmq_msg_more(&rest) != 0;
        zmq_msg_close(&rest);
    }
    /* libzmq's own ids are a zero and four bytes; a far end that chose its own is turned away */
    if (size != ROUTING_SIZE || id[0] != 0)
        return -1;
    memcpy(ret_routing, id + 1, sizeof *ret_routing);
    return many ? -1 : 1;
}

/* A connection's first message makes it a peer. One whose descriptor is another peer's by now is
 * what was left in the pipe of a connection that ended. */
static uint32_t peer_meet(struct net *n, enum door door, uint32_t routing, uint32_t key, est_time now) {
    int fd = zmq_msg_get(&n->held, ZMQ_SRCFD);
    if (!keyring_is_good(n->ring, key, now)) {
        connection_shut(fd);
        return PEER_NONE;
    }
    gone_collect(n, true);
    if (fd_peer(n, fd) != PEER_NONE)
        return PEER_NONE;
    uint32_t peer = peer_new(n, door, routing, key, now);
    if (peer == PEER_NONE)
        connection_shut(fd);
    return peer;
}

/* Of what is not for the loop, such as the words of a peer that was told to go, so many are passed over in a row:
 * whoever says more than that must not keep the others waiting. */
enum { PASSED_OVER_MAX = 64 };

static bool frame_next(struct net *n, struct door_socket *d, est_time now, struct incoming *ret) {
    uint32_t routing = 0;
    for (int i = 0; i < PASSED_OVER_MAX; i++) {
        int got = message_receive(n, d, &routing);
        if (got == 0)
            return false;
        n->counts.frames_in++;
        n->counts.bytes_in += zmq_msg_size(&n->held);
        n->counts.dropped_protocol += got < 0;
        uint32_t key = zap_user_id_parse(zmq_msg_gets(&n->held, "User-Id"));
        uint32_t peer = routing != 0 ? peer_find(n, d->door, routing) : PEER_NONE;
        if (peer == PEER_NONE && got < 0) {
            connection_shut(zmq_msg_get(&n->held, ZMQ_SRCFD));
            continue;
        }
        if (peer == PEER_NONE)
            peer = peer_meet(n, d->door, routing, key, now);
        if (peer == PEER_NONE || n->peers[peer].leaving)
            continue;
        *ret = (struct incoming){.peer = peer, .frame = {zmq_msg_data(&n->held), zmq_msg_size(&n->held)}};
        if (got < 0 || key != n->peers[peer].key)
            ret->broken = got < 0 ? "a message is exactly one data frame" : "the connection changed its key";
        return true;
    }
    return false;
}

bool net_next(struct net *n, est_time now, struct incoming *ret) {
    n->now = now;
    for (int i = 0; i < DOORS; i++) {
        struct door_socket *d = &n->doors[n->turn];
        n->turn = (n->turn + 1) % DOORS;
        if (d->is_unsure && frame_next(n, d, now, ret))
            return true;
    }
    return false;
}

/* --- Out -------------------------------------------------------------------------------------------- */

struct peer *net_peer(struct net *n, uint32_t peer) {
    return &n->peers[peer];
}

struct buffer *net_out(struct net *n, uint32_t peer) {
    struct peer *p = &n->peers[peer];
    if (!p->dirty) {
        p->dirty = true;
        n->dirty[n->dirty_count++] = peer;
    }
    p->mark = p->out.size;
    return &p->out;
}

/* When the command just packed does not fit into the frame that is open, the frame ends before it. */
void net_sent(struct net *n, uint32_t peer) {
    struct peer *p = &n->peers[peer];
    if (1 + p->out.size - p->frame_start <= p->frame_max || p->mark == p->frame_start)
        return;
    if (p->cuts_count == p->cuts_capacity) {
        size_t capacity = p->cuts_capacity * 2 + 8;
        size_t *grown = realloc(p->cuts, capacity * sizeof *grown);
        if (grown == NULL) {
            p->out.failed = true;
            return;
        }
        p->cuts = grown;
        p->cuts_capacity = capacity;
    }
    p->cuts[p->cuts_count++] = p->mark;
    p->frame_start = p->mark;
}

static struct outgoing *outgoing_add(struct net *n) {
    if (n->outgoing_count == n->outgoing_capacity) {
        size_t capacity = n->outgoing_capacity * 2 + 64;
        struct outgoing *grown = realloc(n->outgoing, capacity * sizeof *grown);
        if (grown == NULL)
            return NULL;
        n->outgoing = grown;
        n->outgoing_capacity = capacity;
    }
    return &n->outgoing[n->outgoing_count];
}

/* In libzmq's thread, or in the loop's. */
static void letter_free(void *bytes, void *hint) {
    struct letter *l = hint;
    (void)bytes;
    atomic_fetch_sub_explicit(l->owed, l->size, memory_order_relaxed);
    atomic_fetch_sub_explicit(l->total, l->size, memory_order_relaxed);
    free(l);
}

static bool letter_init(struct net *n, uint32_t peer, zmq_msg_t *message, size_t size) {
    struct letter *l = malloc(sizeof *l + size);
    if (l == NULL)
        return false;
    l->owed = &n->owed[peer];
    l->total = &n->owed_total;
    l->size = size;
    if (zmq_msg_init_data(message, l->bytes, size, letter_free, l) != 0) {
        free(l);
        return false;
    }
    atomic_fetch_add_explicit(l->owed, size, memory_order_relaxed);
    atomic_fetch_add_explicit(l->total, size, memory_order_relaxed);
    return true;
}

static bool message_init(struct net *n, uint32_t peer, zmq_msg_t *message, size_t size) {
    return size < LETTER_MIN ? zmq_msg_init_size(message, size) == 0 : letter_init(n, peer, message, size);
}

uint64_t net_owed(const struct net *n, uint32_t peer) {
    return n->peers[peer].out.size + atomic_load_explicit(&n->owed[peer], memory_order_relaxed);
}

static bool frame_prepare(struct net *n, uint32_t peer, size_t from, size_t to) {
    const struct peer *p = &n->peers[peer];
    struct outgoing *o = outgoing_add(n);
    if (o == NULL || !message_init(n, peer, &o->message, 1 + to - from))
        return false;
    o->peer = peer;
    o->routing = p->routing;
    o->door = &n->doors[p->door == DOOR_REQUESTER ? 0 : p->door == DOOR_DEPARTMENT ? 1 : 2];
    uint8_t *data = zmq_msg_data(&o->message);
    data[0] = PROTOCOL_VERSION;
    memcpy(data + 1, p->out.data + from, to - from);
    n->outgoing_count++;
    return true;
}

static bool peer_prepare(struct net *n, uint32_t peer) {
    const struct peer *p = &n->peers[peer];
    if (p->out.failed)
        return false;
    size_t from = 0;
    for (size_t i = 0; i < p->cuts_count; i++) {
        if (!frame_prepare(n, peer, from, p->cuts[i]))
            return false;
        from = p->cuts[i];
    }
    return from == p->out.size || frame_prepare(n, peer, from, p->out.size);
}

/* What a peer that is gone owes libzmq gives back soon; it counts no more. */
static void debtors_drop(struct net *n) {
    while (true) {
        uint64_t total = 0, most = 0;
        uint32_t who = PEER_NONE;
        for (uint32_t i = 0; i < n->options.peers_max; i++) {
            if (!n->peers[i].live || n->peers[i].gone)
                continue;
            uint64_t owed = atomic_load_explicit(&n->owed[i], memory_order_relaxed);
            total += owed;
            if (owed > most)
                most = owed, who = i;
        }
        if (total <= n->options.owed_max)
            return;
        n->counts.dropped_slow++;
        gone_add(n, who);
    }
}

/* A burst leaves a large buffer behind; few peers need it again. */
enum { OUT_KEPT = 256 * 1024 };

void net_prepare(struct net *n) {
    for (uint32_t i = 0; i < n->dirty_count; i++) {
        struct peer *p = &n->peers[n->dirty[i]];
        if (p->live && !peer_prepare(n, n->dirty[i]))
            gone_add(n, n->dirty[i]);
        if (p->out.capacity > OUT_KEPT)
            buffer_done(&p->out);
        buffer_clear(&p->out);
        p->cuts_count = p->frame_start = p->mark = 0;
        p->asks = 0;
        p->dirty = false;
    }
    n->dirty_count = 0;
    if (atomic_load_explicit(&n->owed_total, memory_order_relaxed) > n->options.owed_max)
        debtors_drop(n);
}

/* Closes the message in any case. */
static bool outgoing_send(struct net *n, struct outgoing *o) {
    uint8_t id[ROUTING_SIZE] = {0};
    memcpy(id + 1, &o->routing, sizeof o->routing);
    size_t size = zmq_msg_size(&o->message);
    o->door->is_unsure = true;
    if (zmq_send(o->door->socket, id, sizeof id, ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0 ||
        zmq_msg_send(&o->message, o->door->socket, ZMQ_DONTWAIT) < 0) {
        n->counts.dropped_slow += zmq_errno() == EAGAIN;
        zmq_msg_close(&o->message);
        return false;
    }
    n->counts.frames_out++;
    n->counts.bytes_out += size;
    return true;
}

/* What was said last is still on its way through libzmq; a connection shut at once would swallow
 * it. So it is shut half a second later, unless the far end closed it by then. That half second begins
 * when the words were sent: the batch's own time, `now`, may be that of before a long write. */
enum { LAST_WORDS_US = 500000 };

static void leaving_end(struct net *n, est_time now) {
    uint32_t kept = 0;
    if (n->leaving_count == 0)
        return;
    now = n->clock ? n->clock() : now;
    gone_collect(n, true); /* whose descriptor may be another's by now */
    for (uint32_t i = 0; i < n->leaving_count; i++) {
        uint32_t peer = n->leaving[i];
        struct peer *p = &n->peers[peer];
        if (!p->live || !p->leaving)
            continue;
        if (p->leave_at.us == 0 && !p->dirty) /* else they wait for the next flush */
            p->leave_at.us = now.us + LAST_WORDS_US;
        if (p->leave_at.us == 0 || p->leave_at.us > now.us) {
            n->leaving[kept++] = peer;
            continue;
        }
        connection_shut(p->fd);
        peer_free(n, peer);
    }
    n->leaving_count = kept;
}

/* Where a message was not taken, the ones after it to the same peer are not sent either. By now its number may
 * be another's. */
void net_flush(struct net *n, est_time now) {
    for (size_t i = 0; i < n->outgoing_count; i++) {
        struct outgoing *o = &n->outgoing[i];
        const struct peer *p = &n->peers[o->peer];
        bool is_its = p->live && p->routing == o->routing && p->door == o->door->door;
        if (!is_its || p->gone)
            zmq_msg_close(&o->message);
        else if (!outgoing_send(n, o))
            gone_add(n, o->peer);
    }
    n->outgoing_count = 0;
    n->now = now;
    leaving_end(n, now);
}

void net_release(struct net *n, uint32_t peer, est_time now) {
    (void)now;
    struct peer *p = &n->peers[peer];
    p->session = false;
    if (p->leaving)
        return;
    if (p->gone || n->leaving_count == n->options.peers_max) {
        connection_shut(p->fd);
        peer_free(n, peer);
        return;
    }
    p->leaving = true;
    p->leave_at.us = 0;
    n->leaving[n->leaving_count++] = peer;
}

const struct net_counts *net_counts(const struct net *n) {
    return &n->counts;
}

const struct zap *net_zap(const struct net *n) {
    return &n->zap;
}

bool net_turned_next(struct net *n, est_time now, char ret[TURNED_SIZE]) {
    return turned_next(&n->turned, now, ret);
}
