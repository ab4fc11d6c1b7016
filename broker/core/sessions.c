/* sessions.c - peers come, are heard, fall silent and go; and the timers. */
#include "state.h"

#include <string.h>

/* The ring that a session turns in: its department's agents, or its account's requesters. An
 * account may be given another department while it is connected; the session stays in its ring,
 * where it may serve nothing any more, until the loop ends it. */
static uint32_t *ring_of(struct core *c, const struct session *s) {
    return s->role == ROLE_DEPARTMENT ? &c->departments[s->department].agents : &c->accounts[s->account].sessions;
}

static void ring_add(struct core *c, uint32_t session) {
    struct session *s = session_at(c, session);
    uint32_t *ring = ring_of(c, s);
    if (*ring == NONE) {
        *ring = s->ring_next = s->ring_prev = session;
        return;
    }
    struct session *first = session_at(c, *ring);
    s->ring_next = *ring;
    s->ring_prev = first->ring_prev;
    session_at(c, first->ring_prev)->ring_next = session;
    first->ring_prev = session;
}

static void ring_remove(struct core *c, uint32_t session) {
    struct session *s = session_at(c, session);
    uint32_t *ring = ring_of(c, s);
    if (s->ring_next == session) {
        *ring = NONE;
        return;
    }
    session_at(c, s->ring_prev)->ring_next = s->ring_next;
    session_at(c, s->ring_next)->ring_prev = s->ring_prev;
    if (*ring == session)
        *ring = s->ring_next;
}

static int64_t silent_at(const struct core *c, const struct session *s) {
    return s->heard_us + 3 * c->limits.heartbeat.us;
}

void step_session_up(struct core *c, est_time now, const struct input *in, struct effects *fx) {
    struct session *s = session_at(c, in->session);
    const struct account *a = &c->accounts[in->up.account];
    uint32_t window = in->up.window < c->limits.window_max ? in->up.window : c->limits.window_max;
    *s = (struct session){.live = true,
                          .account = in->up.account,
                          .role = a->role,
                          .department = a->department,
                          .window = window,
                          .results = a->role == ROLE_REQUESTER ? in->up.results : 0,
                          .held = {NONE, NONE, 0},
                          .timer = NONE,
                          .life = ++c->lives,
                          .since_us = now.us,
                          .heard_us = now.us};
    ring_add(c, in->session);
    heap_set(&c->quiet, in->session, silent_at(c, s));
    note(fx, FACT_SESSION_UP, in->session, 0, 0);
    if (s->results == 2)
        feed_results(c, in->session, fx);
}

/* Results that were on their way wait for the account again, the oldest first. The session that
 * asked may be another one by now: a requester that came back before its old connection was missed. */
static void results_return(struct core *c, uint32_t session, struct effects *fx) {
    struct session *s = session_at(c, session);
    while (s->held.head != NONE) {
        uint32_t inquiry = s->held.head;
        inquiry_move(c, inquiry, (enum est_state)c->inquiries[inquiry].state, NONE);
        uint32_t origin = origin_of(c, &c->inquiries[inquiry]);
        if (origin != NONE)
            session_at(c, origin)->owed++;
        note(fx, FACT_REDELIVERED, session, c->inquiries[inquiry].number, 0);
    }
    uint32_t at = c->accounts[s->account].sessions;
    while (at != NONE && c->accounts[s->account].results.count > 0) {
        feed_results(c, at, fx);
        at = session_at(c, at)->ring_next;
        if (at == c->accounts[s->account].sessions)
            break;
    }
}

/* From the tail, so that each goes back before the one put back last. */
static void leases_end(struct core *c, est_time now, uint32_t session, bool in_order, struct effects *fx) {
    struct session *s = session_at(c, session);
    if (s->held.count > 0 && !in_order)
        note(fx, FACT_AGENT_LOST, session, 0, s->held.count);
    while (s->held.tail != NONE) {
        if (in_order)
            inquiry_give_back(c, now, s->held.tail, fx);
        else
            attempt_fail(c, now, s->held.tail, EST_AGENT_LOST, (est_span){0}, (est_slice){0}, fx);
    }
}

void session_end(struct core *c, est_time now, uint32_t session, bool in_order, struct effects *fx) {
    struct session *s = session_at(c, session);
    s->live = s->ready = false;
    ring_remove(c, session);
    heap_remove(&c->quiet, session);
    note(fx, FACT_SESSION_DOWN, session, 0, 0);
    if (s->role == ROLE_DEPARTMENT)
        leases_end(c, now, session, in_order, fx);
    else
        results_return(c, session, fx);
}

void step_session_down(struct core *c, est_time now, const struct input *in, struct effects *fx) {
    session_end(c, now, in->session, in->down.in_order, fx);
}

/* The heap keeps a lower bound; it is set right when it comes due, so hearing costs nothing. */
void step_heard(struct core *c, est_time now, const struct input *in, struct effects *fx) {
    (void)fx;
    session_at(c, in->session)->heard_us = now.us;
}

/* --- Timers --------------------------------------------------------------------------------------- */

static void session_due(struct core *c, est_time now, uint32_t session, struct effects *fx) {
    struct session *s = session_at(c, session);
    if (silent_at(c, s) <= now.us) {
        session_end(c, now, session, false, fx);
        effect_new(fx, EFFECT_CLOSE, session)->code = EST_SILENT_PEER;
        return;
    }
    int64_t next = silent_at(c, s);
    if (s->role == ROLE_DEPARTMENT && s->held.head != NONE) {
        struct inquiry *q = &c->inquiries[s->held.head];
        const struct lease *l = lease_of(c, q);
        if (l->until_us <= now.us) {
            uint32_t inquiry = s->held.head;
            struct effect *revoke = effect_new(fx, EFFECT_REVOKE, session);
            revoke->number = q->number;
            revoke->epoch = l->epoch;
            revoke->code = EST_LEASE_EXPIRED;
            note(fx, FACT_LEASE_EXPIRED, session, q->number, 0);
            attempt_fail(c, now, inquiry, EST_LEASE_EXPIRED, (est_span){0}, (est_slice){0}, fx);
            feed_agent(c, now, session, fx); /* what it lost may be another's by now */
            next = now.us; /* the next one of its list may be due too */
        } else if (l->until_us < next) {
            next = l->until_us;
        }
    }
    heap_set(&c->quiet, session, next);
}

/* The heap keeps a lower bound here too. */
static void inquiry_due(struct core *c, est_time now, uint32_t inquiry, struct effects *fx) {
    struct inquiry *q = &c->inquiries[inquiry];
    bool is_open = q->state != EST_STATE_NONE && !est_state_is_final(q->state);
    if (!is_open || q->due_us <= now.us)
        heap_remove(&c->due, inquiry);
    else
        heap_set(&c->due, inquiry, q->due_us);
    if (!is_open)
        return;
    if (q->due_us <= now.us) {
        struct event e = {.type = EVENT_EXPIRED};
        inquiry_end(c, now, inquiry, &e, EST_EXPIRED, fx);
    } else if (q->state == EST_STATE_DELAYED) { /* its delay is over */
        inquiry_move(c, inquiry, EST_STATE_WAITING, NONE);
        offer_lane(c, now, q->lane, fx);
    }
}

void step_tick(struct core *c, est_time now, const struct input *in, struct effects *fx) {
    (void)in;
    if (c->unfed) {
        c->unfed = false;
        feed_all(c, now, fx);
    }
    for (int i = 0; i < CORE_TIMERS_PER_STEP && c->due.count > 0 && c->due.at[0].at_us <= now.us; i++)
        inquiry_due(c, now, c->due.at[0].who, fx);
    for (int i = 0; i < CORE_TIMERS_PER_STEP && c->quiet.count > 0 && c->quiet.at[0].at_us <= now.us; i++) {
        if (fx->count + 4 * EST_WINDOW_MAX > EFFECTS_MAX)
            return; /* a session with a full window needs that much room: the next tick is due at once */
        session_due(c, now, c->quiet.at[0].who, fx);
    }
}
