/* session_out.c - frames to send: a packer for each kind of command, in the order of leaving. */
#include "session_state.h"

/* --- Frames out: each packer adds what it has while there is room, and says whether it is done. --- */

struct packing {
    struct session *session;
    struct buffer *frame;
    est_time now;
    size_t fill;
};
typedef bool (*packer)(struct packing *);

static bool room_for(const struct packing *p, size_t size) {
    size_t begun = p->frame->size > 1;
    return p->frame->size + size <= (begun ? p->fill : p->session->frame_max);
}

static bool command_add(struct packing *p, est_slice command) {
    if (!room_for(p, command.size))
        return false;
    buffer_put(p->frame, command.data, command.size);
    return true;
}

static struct message *out(struct packing *p, enum verb verb) {
    p->session->out.verb = verb;
    return &p->session->out;
}

static bool pong_pack(struct packing *p) {
    struct session *s = p->session;
    if (s->pong_due && !room_for(p, COMMAND_SIZE_SMALL))
        return false;
    if (s->pong_due) {
        out(p, VERB_PONG)->ping.token = s->pong_token;
        message_pack(p->frame, &s->out);
    }
    s->pong_due = false;
    return true;
}

static bool answers_pack(struct packing *p) {
    struct leases *leases = &p->session->leases;
    while (leases->chains[LEASE_READY].count) {
        uint32_t slot = leases->chains[LEASE_READY].first;
        est_slice command = buffer_slice(&leases->at[slot].answer);
        if (command.size + 1 > p->session->frame_max) { /* this session's frames are smaller */
            lease_lose(leases, slot, EST_TOO_LARGE);
            continue;
        }
        if (!command_add(p, command))
            return false;
        lease_move(leases, slot, LEASE_SENT);
    }
    return true;
}

/* After the answers of an older session, so that the broker does not offer the same work anew. */
static bool ready_pack(struct packing *p) {
    struct session *s = p->session;
    const struct buffer *types = s->ready_is_rest ? &s->types_rest : &s->types;
    if (s->ready_due && !room_for(p, COMMAND_SIZE_SMALL + types->size + s->districts.size))
        return false;
    if (s->ready_due) {
        out(p, VERB_READY)->ready = (struct ready){.ref = s->ready_is_rest ? REF_READY_REST : REF_READY,
                                                   .window = s->window_granted,
                                                   .types = buffer_slice(types),
                                                   .districts = buffer_slice(&s->districts)};
        message_pack(p->frame, &s->out);
    }
    s->ready_due = false;
    return true;
}

static bool leave_pack(struct packing *p) {
    struct session *s = p->session;
    if (s->leave_due && !room_for(p, COMMAND_SIZE_SMALL))
        return false;
    if (s->leave_due) {
        out(p, VERB_LEAVE)->leave.ref = REF_LEAVE;
        message_pack(p->frame, &s->out);
    }
    s->leave_due = false;
    return true;
}

/* All that is held, every third of a lease: each lease is then renewed at its third or earlier,
 * and short work is never renewed at all. What is renewed goes to the end of its chain, so that a
 * round may take several frames. */
static bool renew_pack(struct packing *p) {
    struct session *s = p->session;
    if (s->renew_left > s->leases.chains[LEASE_HELD].count)
        s->renew_left = s->leases.chains[LEASE_HELD].count;
    while (s->renew_left > 0) {
        if (!room_for(p, COMMAND_SIZE_SMALL + PAIRS_PER_COMMAND * 2 * NUMBER_SIZE_MAX))
            return false;
        struct numbers *pairs = &out(p, VERB_RENEW)->renew.pairs;
        for (pairs->count = 0; s->renew_left > 0 && pairs->count < PAIRS_PER_COMMAND * 2; s->renew_left--) {
            uint32_t slot = s->leases.chains[LEASE_HELD].first;
            struct lease *lease = &s->leases.at[slot];
            lease->asked = true;
            pairs->at[pairs->count++] = lease->number;
            pairs->at[pairs->count++] = lease->epoch;
            lease_move(&s->leases, slot, LEASE_HELD);
        }
        message_pack(p->frame, &s->out);
        s->renews_open++;
    }
    return true;
}

static bool acks_pack(struct packing *p) {
    struct session *s = p->session;
    struct acks *acks = &s->acks;
    while (acks->sent < acks->end) {
        if (!room_for(p, COMMAND_SIZE_SMALL + EST_NUMBERS_MAX * NUMBER_SIZE_MAX))
            return false;
        struct numbers *numbers = &out(p, VERB_RESULT_ACK)->result_ack.numbers;
        for (numbers->count = 0; acks->sent < acks->end && numbers->count < EST_NUMBERS_MAX; acks->sent++)
            numbers->at[numbers->count++] = acks->at[acks->sent & (acks->capacity - 1)];
        message_pack(p->frame, &s->out);
        if (acks->sent - acks->first > SESSION_ACKS_KEPT)
            acks->first = acks->sent - SESSION_ACKS_KEPT;
    }
    return true;
}

static bool asks_pack(struct packing *p) {
    struct asks *asks = &p->session->asks;
    while (asks->chains[ASK_QUEUED].count && asks->chains[ASK_SENT].count < p->session->asks_max) {
        uint32_t slot = asks->chains[ASK_QUEUED].first;
        est_slice command = buffer_slice(&asks->at[slot].command);
        if (command.size + 1 > p->session->frame_max) {
            ask_refuse(asks, slot, EST_TOO_LARGE);
            continue;
        }
        if (!command_add(p, command))
            return false;
        ask_move(asks, slot, ASK_SENT);
    }
    return true;
}

/* What else is said is a sign of life too; but only what is answered brings one from the broker. */
static bool ping_is_due(const struct session *s, est_time now, bool says_else) {
    return (!says_else && now.us >= s->sent_at.us + s->heartbeat.us) || now.us >= session_ping_at(s).us;
}

static bool ping_pack(struct packing *p) {
    struct session *s = p->session;
    if (ping_is_due(s, p->now, p->frame->size > 1) && room_for(p, COMMAND_SIZE_SMALL)) {
        out(p, VERB_PING)->ping.token = (uint64_t)p->now.us;
        message_pack(p->frame, &s->out);
        s->pinged_at = p->now;
    }
    return true;
}

static bool bye_pack(struct packing *p) {
    struct session *s = p->session;
    if (s->bye_due && s->asks.chains[ASK_QUEUED].count == 0 && room_for(p, COMMAND_SIZE_SMALL)) {
        out(p, VERB_BYE)->bye = (struct bye){.code = EST_OK};
        message_pack(p->frame, &s->out);
        s->bye_due = false;
        s->bye_is_said = true;
    }
    return true;
}

static const packer packers[] = {pong_pack, answers_pack, ready_pack, leave_pack, renew_pack,
                                 acks_pack, asks_pack,    ping_pack,  bye_pack};

static void hello_pack(struct packing *p) {
    struct session *s = p->session;
    out(p, VERB_HELLO)->hello = (struct hello){.version_min = PROTOCOL_VERSION,
                                               .version_max = PROTOCOL_VERSION,
                                               .software = slice_of(s->software),
                                               .window = s->window,
                                               .frame_max = EST_FRAME_MAX,
                                               .results = s->results,
                                               .heartbeat_ms = s->heartbeat_wish_ms};
    message_pack(p->frame, &s->out);
    s->hello_due = false;
}

bool session_has_output(const struct session *s) {
    if (s->state == HELLO)
        return s->hello_due;
    if (s->state != UP)
        return false;
    bool asks = s->asks.chains[ASK_QUEUED].count && s->asks.chains[ASK_SENT].count < s->asks_max;
    return asks || s->acks.sent < s->acks.end || s->leases.chains[LEASE_READY].count || s->pong_due ||
           s->ready_due || s->leave_due || s->renew_left || s->bye_due;
}

bool session_has_unsent(const struct session *s) {
    return s->asks.chains[ASK_QUEUED].count || s->acks.sent < s->acks.end;
}

bool session_take(struct session *s, est_time now, struct buffer *frame) {
    bool ping_due = s->state == UP && ping_is_due(s, now, false);
    if (!session_has_output(s) && !ping_due)
        return false;
    /* With room for all that may come, nothing below can fail half-way. */
    if (!buffer_reserve(frame, s->frame_max + COMMAND_SIZE_SMALL))
        return false;
    struct packing p = {s, frame, now, s->frame_max < SESSION_FRAME_FILL ? s->frame_max : SESSION_FRAME_FILL};
    frame_begin(frame);
    if (s->state == HELLO) {
        hello_pack(&p);
    } else {
        for (size_t i = 0; i < sizeof packers / sizeof *packers; i++)
            if (!packers[i](&p))
                break;
    }
    if (frame->size <= 1)
        return false;
    s->sent_at = now;
    return true;
}
