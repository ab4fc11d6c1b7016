/* wire.c - net.h over simulated connections.
 *
 * A connection keeps the order of its frames and nothing else: it delays, it is cut and loses what
 * is on its way, it stands still while its far end is partitioned, and at its high-water mark the
 * broker's send fails, as ROUTER_MANDATORY has it. What a far end sent before it closed still
 * arrives, first the frames, then the end. Which connection the broker reads next is chance.
 */
#include "sim.h"

#include "../../broker/broker.h"
#include <zap.h>

#include <stdlib.h>
#include <string.h>

enum { WIRES = 128, DOWN_MAX_LOW = 2, DOWN_MAX_HIGH = 40, UP_MAX = 64, WRITING_MAX_US = 800000 };

struct frame {
    struct frame *next;
    int64_t at; /* arrives then */
    size_t size;
    uint8_t bytes[];
};
struct queue {
    struct frame *head, *tail;
    unsigned count;
};

struct wire {
    bool used;
    unsigned far;
    enum door door;
    uint32_t key, peer;
    unsigned down_max;
    struct queue up, down;
    bool far_closed, broker_closed;
    int64_t up_end_at, down_end_at; /* when the other side learns of it; INT64_MAX: it never does */
    bool gone_told;
    uint32_t serial; /* what libzmq's routing id is: never given twice */
};

/* A frame that is whole and waits for its batch to be on the disk. */
struct outgoing {
    uint32_t peer, routing;
    uint64_t head; /* of the log, when it was made */
    size_t size;
    uint8_t *bytes;
};

struct net {
    struct peer peers[PEERS];
    int wire_of[PEERS];
    uint32_t dirty[PEERS], dirty_count, free_first;
    struct net_counts counts;
    struct zap zap;
    struct frame *held;
    const struct keyring *ring;
    struct outgoing *outgoing;
    size_t outgoing_count, outgoing_capacity;
    bool found_nothing; /* when it looked for something to read, since the last batch */
};

static struct wire wires[WIRES];
static uint32_t serials;
static struct net the_net;
static struct net *net; /* NULL while the broker is down */

/* --- Queues -------------------------------------------------------------------------------------------- */

static struct frame *queue_pop(struct queue *q) {
    struct frame *f = q->head;
    q->head = f->next;
    if (q->head == NULL)
        q->tail = NULL;
    q->count--;
    return f;
}

static unsigned queue_lose(struct queue *q, unsigned keep) {
    struct queue kept = {0};
    unsigned lost = 0;
    while (q->head != NULL) {
        struct frame *f = queue_pop(q);
        f->next = NULL;
        if (kept.count >= keep) {
            free(f);
            lost++;
            continue;
        }
        *(kept.tail == NULL ? &kept.head : &kept.tail->next) = f;
        kept.tail = f;
        kept.count++;
    }
    *q = kept;
    for (unsigned i = 0; i < lost; i++)
        fault_count(FAULT_LOSS);
    return lost;
}

static void queue_push(struct queue *q, uint8_t version, est_slice bytes) {
    size_t head = version != 0;
    struct frame *f = malloc(sizeof *f + bytes.size + head);
    if (f == NULL)
        abort();
    int64_t delay = rng_between(&sim.rng, 50, 3000);
    if (fault_comes(FAULT_DELAY, 20)) {
        fault_count(FAULT_DELAY);
        delay += rng_between(fault_rng(FAULT_DELAY), 20, 6000) * EST_US_PER_MS;
    }
    *f = (struct frame){.at = sim.now + delay, .size = bytes.size + head};
    if (q->tail != NULL && q->tail->at > f->at)
        f->at = q->tail->at; /* order is kept */
    if (head)
        f->bytes[0] = version;
    memcpy(f->bytes + head, bytes.data, bytes.size);
    *(q->tail == NULL ? &q->head : &q->tail->next) = f;
    q->tail = f;
    q->count++;
    sim.frames++;
}

/* --- Connections --------------------------------------------------------------------------------------- */

void wires_reset(void) {
    for (int i = 0; i < WIRES; i++) {
        while (wires[i].up.head != NULL)
            free(queue_pop(&wires[i].up));
        while (wires[i].down.head != NULL)
            free(queue_pop(&wires[i].down));
        wires[i] = (struct wire){0};
    }
    serials = 0;
}

static int wire_new(unsigned far, enum door door, uint32_t key) {
    for (int i = 0; i < WIRES; i++) {
        if (wires[i].used)
            continue;
        wires[i] = (struct wire){.used = true, .far = far, .door = door, .key = key, .peer = PEER_NONE};
        wires[i].serial = ++serials;
        wires[i].down_max = (unsigned)rng_between(&sim.rng, DOWN_MAX_LOW, DOWN_MAX_HIGH);
        wires[i].up_end_at = wires[i].down_end_at = INT64_MAX;
        return i;
    }
    return WIRE_NONE;
}

static enum role role_of(enum door door) {
    return door == DOOR_REQUESTER    ? ROLE_REQUESTER
           : door == DOOR_DEPARTMENT ? ROLE_DEPARTMENT
                                     : ROLE_OPERATOR;
}

/* What the ZAP handler does: a good key, at its role's door. */
int wire_connect(unsigned far, enum door door, const char *key_text) {
    uint8_t bytes[32];
    if (net == NULL || !far_reaches(far) || !key_text_parse(slice_of(key_text), bytes))
        return WIRE_NONE;
    uint32_t key = keyring_find(net->ring, bytes);
    if (key == KEY_NONE || !keyring_is_good(net->ring, key, wall_now()) ||
        net->ring->keys[key].role != role_of(door)) {
        net->zap.refused++;
        return WIRE_NONE;
    }
    net->zap.accepted++;
    return wire_new(far, door, key);
}

static bool wire_is_idle(const struct wire *w) {
    return w->far_closed && w->broker_closed;
}

/* A connection of which both sides have done is forgotten. */
void wires_tidy(void) {
    for (int i = 0; i < WIRES; i++) {
        struct wire *w = &wires[i];
        if (!w->used || !wire_is_idle(w))
            continue;
        while (w->up.head != NULL)
            free(queue_pop(&w->up));
        while (w->down.head != NULL)
            free(queue_pop(&w->down));
        w->used = false;
    }
}

bool wire_send(int wire, est_slice frame) {
    struct wire *w = &wires[wire];
    if (w->up.count >= UP_MAX)
        return false;
    if (!w->broker_closed)
        queue_push(&w->up, 0, frame);
    return true;
}

static bool wire_moves(const struct wire *w) {
    return far_reaches(w->far);
}

int64_t wire_next_at(int wire) {
    const struct wire *w = &wires[wire];
    if (!wire_moves(w))
        return far_ends[w->far].partitioned_until;
    if (w->down.head != NULL)
        return w->down.head->at;
    return w->down_end_at;
}

bool wire_receive(int wire, struct buffer *frame) {
    struct wire *w = &wires[wire];
    if (!wire_moves(w) || w->down.head == NULL || w->down.head->at > sim.now)
        return false;
    struct frame *f = queue_pop(&w->down);
    buffer_clear(frame);
    buffer_put(frame, f->bytes, f->size);
    free(f);
    return true;
}

bool wire_is_lost(int wire) {
    const struct wire *w = &wires[wire];
    return wire_moves(w) && w->down.head == NULL && w->down_end_at <= sim.now;
}

static int64_t soon(void) {
    return sim.now + rng_between(&sim.rng, 100, 20000);
}

void wire_close(int wire) {
    struct wire *w = &wires[wire];
    w->far_closed = true;
    if (w->up_end_at == INT64_MAX)
        w->up_end_at = soon();
    if (w->peer == PEER_NONE && w->up.head == NULL)
        w->broker_closed = true;
}

void wire_cut(int wire) {
    struct wire *w = &wires[wire];
    queue_lose(&w->up, 0);
    queue_lose(&w->down, (unsigned)rng_below(&sim.rng, w->down.count + 1));
    w->up_end_at = sim.now + rng_between(&sim.rng, 100, 3000000);
    w->down_end_at = sim.now + rng_between(&sim.rng, 100, 3000000);
    if (w->peer == PEER_NONE)
        w->broker_closed = true;
}

int wire_swap(int wire) {
    struct wire *w = &wires[wire];
    int fresh = net == NULL ? WIRE_NONE : wire_new(w->far, w->door, w->key);
    if (fresh == WIRE_NONE)
        return wire;
    wire_cut(wire);
    w->far_closed = true;
    return fresh;
}

/* --- What the broker could read ------------------------------------------------------------------------ */

static bool wire_has_frame(const struct wire *w) {
    return w->used && !w->broker_closed && w->up.head != NULL && wire_moves(w) && w->up.head->at <= sim.now;
}

static bool wire_has_ended(const struct wire *w) {
    return w->used && !w->broker_closed && !w->gone_told && w->up.head == NULL && w->up_end_at <= sim.now &&
           wire_moves(w);
}

bool wire_waits_for_broker(int64_t *ret_at) {
    int64_t at = INT64_MAX;
    for (int i = 0; i < WIRES; i++) {
        const struct wire *w = &wires[i];
        if (!w->used || w->broker_closed || w->gone_told)
            continue;
        int64_t mine = w->up.head != NULL ? w->up.head->at : w->up_end_at;
        if (!wire_moves(w) && mine != INT64_MAX && mine < far_ends[w->far].partitioned_until)
            mine = far_ends[w->far].partitioned_until;
        if (mine < at)
            at = mine;
    }
    *ret_at = at;
    return at <= sim.now;
}

bool wires_are_quiet(void) {
    for (int i = 0; i < WIRES; i++)
        if (wires[i].used && !wires[i].broker_closed && wires[i].up.head != NULL)
            return false;
    return true;
}

/* The process is gone. What its kernel had taken may still arrive; then the far ends see the end,
 * unless the whole machine went. */
void wires_of_dead_broker(bool told) {
    for (int i = 0; i < WIRES; i++) {
        struct wire *w = &wires[i];
        if (!w->used || w->broker_closed)
            continue;
        queue_lose(&w->up, 0);
        queue_lose(&w->down, (unsigned)rng_below(&sim.rng, w->down.count + 1));
        w->broker_closed = true;
        if (told && w->down_end_at == INT64_MAX)
            w->down_end_at = soon();
    }
}

/* --- Peers, as net.c has them -------------------------------------------------------------------------- */

uint32_t peer_account(uint32_t peer) {
    return net->ring->keys[net->peers[peer].key].account;
}
enum door peer_door(uint32_t peer) {
    return net->peers[peer].door;
}
const char *peer_name(uint32_t peer) {
    return far_ends[wires[net->wire_of[peer]].far].name;
}
bool peer_is_session(uint32_t peer) {
    return net->peers[peer].session;
}

static uint32_t peer_new(struct wire *w) {
    uint32_t peer = net->free_first;
    if (peer == PEER_NONE)
        return PEER_NONE;
    struct peer *p = &net->peers[peer];
    net->free_first = p->free_next;
    struct buffer out = p->out;
    size_t *cuts = p->cuts, capacity = p->cuts_capacity;
    *p = (struct peer){.live = true,
                       .door = w->door,
                       .key = w->key,
                       .routing = w->serial,
                       .fd = -1,
                       .frame_max = EST_FRAME_MAX,
                       .dirty = p->dirty};
    p->out = out;
    p->cuts = cuts;
    p->cuts_capacity = capacity;
    buffer_clear(&p->out);
    strcpy(p->address, "simulated");
    net->wire_of[peer] = (int)(w - wires);
    w->peer = peer;
    return peer;
}

static void peer_free(uint32_t peer) {
    struct peer *p = &net->peers[peer];
    struct wire *w = &wires[net->wire_of[peer]];
    oracle_peer_ended(peer);
    w->broker_closed = true;
    w->peer = PEER_NONE;
    queue_lose(&w->up, 0);
    if (w->down_end_at == INT64_MAX)
        w->down_end_at = soon();
    p->live = p->session = p->gone = false;
    p->free_next = net->free_first;
    net->free_first = peer;
}

/* --- net.h --------------------------------------------------------------------------------------------- */

int net_open(const struct net_options *o, const struct keyring *ring, struct net **ret, char *ret_why) {
    (void)o, (void)ret_why;
    net = &the_net;
    net->ring = ring;
    net->dirty_count = 0;
    net->held = NULL;
    net->outgoing_count = 0;
    net->found_nothing = false;
    net->free_first = PEER_NONE;
    for (uint32_t i = PEERS; i-- > 0; net->free_first = i) {
        struct buffer out = net->peers[i].out;
        buffer_clear(&out);
        net->peers[i] = (struct peer){.out = out, .free_next = net->free_first};
    }
    *ret = net;
    return 0;
}

void net_close(struct net **n) {
    *n = NULL;
    if (net == NULL)
        return;
    for (uint32_t i = 0; i < PEERS; i++) {
        free(net->peers[i].cuts);
        net->peers[i].cuts = NULL;
    }
    free(net->held);
    net->held = NULL;
    for (size_t i = 0; i < net->outgoing_count; i++)
        free(net->outgoing[i].bytes);
    free(net->outgoing);
    net->outgoing = NULL;
    net->outgoing_count = net->outgoing_capacity = 0;
    net = NULL;
}

const char *net_endpoint(const struct net *n, enum door door) {
    (void)n, (void)door;
    return "simulated";
}

const char *zap_domain(enum door door) {
    (void)door;
    return "simulated";
}

bool net_wait(struct net *n, int wake_fd, int timeout_ms, est_time (*clock)(void)) {
    (void)wake_fd, (void)clock;
    if (n->outgoing_count > 0 && (timeout_ms > 0 || n->found_nothing))
        violate(&invariant_told_before_waiting, "%zu frames are not sent, and the broker waits for others",
                n->outgoing_count);
    int64_t until = sim.now + timeout_ms * EST_US_PER_MS;
    if (timeout_ms == 0 && disk_is_writing()) /* a write takes its time, as long as it takes here for frames to come */
        until += rng_between(fault_rng(FAULT_OVERLAP), 0, WRITING_MAX_US);
    bool found = world_run(until);
    n->found_nothing = !found;
    return found;
}

/* One of the connections that have a frame, by chance. */
static struct wire *wire_pick(void) {
    struct wire *ready[WIRES];
    unsigned count = 0;
    for (int i = 0; i < WIRES; i++)
        if (wire_has_frame(&wires[i]))
            ready[count++] = &wires[i];
    return count == 0 ? NULL : ready[rng_below(&sim.rng, count)];
}

bool net_next(struct net *n, est_time now, struct incoming *ret) {
    for (struct wire *w = wire_pick(); w != NULL; w = wire_pick()) {
        free(n->held);
        n->held = queue_pop(&w->up);
        n->counts.frames_in++;
        if (w->peer == PEER_NONE && keyring_is_good(n->ring, w->key, now))
            peer_new(w);
        if (w->peer == PEER_NONE) {
            w->broker_closed = true;
            w->down_end_at = soon();
            continue;
        }
        if (n->peers[w->peer].leaving)
            continue;
        *ret = (struct incoming){.peer = w->peer, .frame = {n->held->bytes, n->held->size}};
        oracle_heard(w->peer, ret->frame);
        return true;
    }
    return false;
}

uint32_t net_gone_next(struct net *n) {
    for (int i = 0; i < WIRES; i++) {
        struct wire *w = &wires[i];
        if (!wire_has_ended(w))
            continue;
        w->gone_told = true;
        if (w->peer == PEER_NONE)
            w->broker_closed = true;
        else
            n->peers[w->peer].gone = true;
    }
    for (uint32_t peer = 0; peer < PEERS; peer++) {
        struct peer *p = &n->peers[peer];
        if (!p->live || !p->gone)
            continue;
        if (!p->leaving)
            return peer;
        peer_free(peer);
    }
    return PEER_NONE;
}

struct peer *net_peer(struct net *n, uint32_t peer) {
    return &n->peers[peer];
}
uint64_t net_owed(const struct net *n, uint32_t peer) {
    return n->peers[peer].out.size;
}
const struct net_counts *net_counts(const struct net *n) {
    return &n->counts;
}
const struct zap *net_zap(const struct net *n) {
    return &n->zap;
}

void net_silent_end(struct net *n, est_time before) {
    (void)n, (void)before;
}

bool net_turned_next(struct net *n, est_time at, char ret[TURNED_SIZE]) {
    (void)n, (void)at, (void)ret;
    return false;
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

/* The same arithmetic as net.c's: a command that does not fit the open frame begins the next. */
void net_sent(struct net *n, uint32_t peer) {
    struct peer *p = &n->peers[peer];
    if (p->live)
        oracle_said(peer, (est_slice){p->out.data + p->mark, p->out.size - p->mark});
    if (1 + p->out.size - p->frame_start <= p->frame_max || p->mark == p->frame_start)
        return;
    if (p->cuts_count == p->cuts_capacity) {
        p->cuts_capacity = p->cuts_capacity * 2 + 8;
        p->cuts = realloc(p->cuts, p->cuts_capacity * sizeof *p->cuts);
        if (p->cuts == NULL)
            abort();
    }
    p->cuts[p->cuts_count++] = p->mark;
    p->frame_start = p->mark;
}

static void frame_prepare(struct net *n, uint32_t peer, size_t from, size_t to) {
    if (n->outgoing_count == n->outgoing_capacity) {
        n->outgoing_capacity = n->outgoing_capacity * 2 + 64;
        n->outgoing = realloc(n->outgoing, n->outgoing_capacity * sizeof *n->outgoing);
        if (n->outgoing == NULL)
            abort();
    }
    struct outgoing *o = &n->outgoing[n->outgoing_count];
    *o = (struct outgoing){.peer = peer,
                           .routing = n->peers[peer].routing,
                           .head = disk_head_seq(),
                           .size = to - from,
                           .bytes = malloc(to - from)};
    if (o->bytes == NULL)
        abort();
    memcpy(o->bytes, n->peers[peer].out.data + from, to - from);
    n->outgoing_count++;
}

static void peer_prepare(struct net *n, uint32_t peer) {
    const struct peer *p = &n->peers[peer];
    size_t from = 0;
    for (size_t i = 0; i < p->cuts_count; i++) {
        frame_prepare(n, peer, from, p->cuts[i]);
        from = p->cuts[i];
    }
    if (from < p->out.size)
        frame_prepare(n, peer, from, p->out.size);
}

void net_prepare(struct net *n) {
    oracle_batch();
    for (uint32_t i = 0; i < n->dirty_count; i++) {
        uint32_t peer = n->dirty[i];
        struct peer *p = &n->peers[peer];
        if (p->live)
            peer_prepare(n, peer);
        buffer_clear(&p->out);
        p->cuts_count = p->frame_start = p->mark = 0;
        p->asks = 0;
        p->dirty = false;
    }
    n->dirty_count = 0;
    n->found_nothing = false;
    sim.steps++;
}

static bool frame_send(struct net *n, const struct outgoing *o) {
    struct wire *w = &wires[n->wire_of[o->peer]];
    est_slice commands = {o->bytes, o->size};
    if (sim.crash_after_frames >= 0 && sim.crash_after_frames-- == 0) {
        fault_count(FAULT_CRASH_SENDING);
        process_crash();
    }
    if (w->far_closed || w->down_end_at != INT64_MAX) { /* into a connection that is over already */
        fault_count(FAULT_LOSS);
        return true;
    }
    if (w->down.count >= w->down_max && sim.phase == PHASE_STORM) {
        fault_count(FAULT_HIGH_WATER);
        n->counts.dropped_slow++;
        return false;
    }
    oracle_told(o->peer, commands, o->head);
    queue_push(&w->down, PROTOCOL_VERSION, commands);
    n->counts.frames_out++;
    return true;
}

static void leaving_end(struct net *n, est_time now) {
    for (uint32_t peer = 0; peer < PEERS; peer++)
        if (n->peers[peer].live && n->peers[peer].leaving && n->peers[peer].leave_at.us <= now.us)
            peer_free(peer);
}

/* As net.c has it: what is for a peer that ended meanwhile, or whose number is another's by now, is lost. */
void net_flush(struct net *n, est_time now) {
    for (size_t i = 0; i < n->outgoing_count; i++) {
        struct outgoing *o = &n->outgoing[i];
        struct peer *p = &n->peers[o->peer];
        bool is_its = p->live && p->routing == o->routing;
        if (!is_its || p->gone)
            fault_count(FAULT_LOSS);
        else if (!frame_send(n, o))
            p->gone = true;
        free(o->bytes);
        o->bytes = NULL;
    }
    n->outgoing_count = 0;
    leaving_end(n, now);
}

/* Told why, it is let go half a second later, or at once when it is gone already. */
void net_release(struct net *n, uint32_t peer, est_time now) {
    struct peer *p = &n->peers[peer];
    p->session = false;
    oracle_peer_ended(peer);
    if (p->leaving)
        return;
    if (p->gone) {
        peer_free(peer);
        return;
    }
    p->leaving = true;
    p->leave_at.us = now.us + 500000;
}
