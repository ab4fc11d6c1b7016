/* dispatch.c - who gets what: the oldest work to agents with room, ends to requesters with room.
 *
 * Nothing here is in the record. A lease is a right that this process gave and only it knows;
 * after a restart every inquiry that was leased simply waits again.
 */
#include "state.h"

bool agent_can_serve(const struct core *c, const struct session *s, const struct lane *l) {
    const struct account *a = &c->accounts[s->account];
    return a->live && bit_get(s->types, l->type) && right_of(c, s->account, l->type) != 0 &&
           bit_get(s->districts, l->district) && bit_get(a->districts, l->district);
}

static bool agent_has_room(const struct session *s) {
    return s->live && s->ready && !s->leaving && s->held.count < s->window;
}

/* The session's timer is a lower bound of the first end of its leases; a renewal too may lower it,
 * once the clock was set back. */
static void lease_watch(struct core *c, const struct lease *l) {
    if (c->quiet.at[session_at(c, l->session)->timer].at_us > l->until_us)
        heap_set(&c->quiet, l->session, l->until_us);
}

void lease_renew(struct core *c, est_time now, uint32_t inquiry) {
    lease_extend(c, inquiry, now.us + c->limits.lease.us);
    lease_watch(c, lease_of(c, &c->inquiries[inquiry]));
}

static void lease_grant(struct core *c, est_time now, uint32_t inquiry, uint32_t session, struct effects *fx) {
    struct inquiry *q = &c->inquiries[inquiry];
    struct lease l = {.epoch = c->generation << 32 | ++c->epochs,
                      .leased_us = now.us,
                      .until_us = now.us + c->limits.lease.us,
                      .session = session};
    inquiry_lease(c, inquiry, &l);
    lease_watch(c, &l);
    struct effect *e = effect_new(fx, EFFECT_ASSIGN, session);
    e->number = q->number;
    e->epoch = l.epoch;
    e->attempt = q->attempts + 1u;
    e->district = c->lanes[q->lane].district;
    note(fx, FACT_LEASED, session, q->number, 0);
}

/* Is anything leased out of this department's queues now? */
static bool is_offering(const struct core *c, uint32_t department) {
    return !c->draining && !c->departments[department].paused;
}

/* Has this step room for one grant more? If not, there is more to give, and the next step is due. */
static bool has_room_to_grant(struct core *c, const struct effects *fx) {
    bool room = fx->count + EFFECTS_RESERVE < EFFECTS_MAX;
    c->unfed |= !room;
    return room;
}

/* The next agent of the department that may serve the lane and has room, from where the last
 * offer ended, so that agents take turns. */
static uint32_t agent_pick(struct core *c, const struct lane *l) {
    struct department *d = &c->departments[c->types[l->type].department];
    uint32_t at = d->agents;
    if (at == NONE)
        return NONE;
    do {
        const struct session *s = session_at(c, at);
        if (agent_has_room(s) && agent_can_serve(c, s, l)) {
            d->agents = s->ring_next;
            return at;
        }
        at = s->ring_next;
    } while (at != d->agents);
    return NONE;
}

void offer_lane(struct core *c, est_time now, uint32_t lane, struct effects *fx) {
    while (c->lanes[lane].waiting.count > 0 && is_offering(c, department_of(c, lane))) {
        uint32_t session = agent_pick(c, &c->lanes[lane]);
        if (session == NONE || !has_room_to_grant(c, fx))
            return;
        lease_grant(c, now, c->lanes[lane].waiting.head, session, fx);
    }
}

/* Of the lanes with work that the agent may serve, the one whose head is the oldest. */
static uint32_t lane_pick(const struct core *c, const struct session *s) {
    uint32_t best = NONE;
    uint64_t oldest = UINT64_MAX;
    for (uint32_t lane = c->departments[s->department].ready; lane != NONE;
         lane = c->lanes[lane].ready_next) {
        const struct lane *l = &c->lanes[lane];
        if (l->oldest < oldest && agent_can_serve(c, s, l)) {
            best = lane;
            oldest = l->oldest;
        }
    }
    return best;
}

void feed_agent(struct core *c, est_time now, uint32_t session, struct effects *fx) {
    struct session *s = session_at(c, session);
    while (is_offering(c, s->department) && agent_has_room(s)) {
        uint32_t lane = lane_pick(c, s);
        if (lane == NONE || !has_room_to_grant(c, fx))
            return;
        lease_grant(c, now, c->lanes[lane].waiting.head, session, fx);
    }
}

/* After draining or a pause ended, or rights grew. */
void feed_all(struct core *c, est_time now, struct effects *fx) {
    for (uint32_t session = 0; session < c->limits.sessions_max; session++) {
        struct session *s = session_at(c, session);
        if (s->live && s->ready)
            feed_agent(c, now, session, fx);
    }
}

/* --- Results ------------------------------------------------------------------------------------ */

static bool takes_results(const struct session *s) {
    return s->live && s->held.count < s->window;
}

/* A session's number is given again once it has ended; the inquiries it submitted are not its
 * successor's. */
uint32_t origin_of(const struct core *c, const struct inquiry *q) {
    if (q->origin == NONE)
        return NONE;
    const struct session *s = &c->sessions[q->origin];
    return s->live && s->life == q->origin_life && s->results != 0 ? q->origin : NONE;
}

void origin_set(struct core *c, uint32_t inquiry, uint32_t session) {
    c->inquiries[inquiry].origin = session;
    c->inquiries[inquiry].origin_life = session_at(c, session)->life;
}

static void result_send(struct core *c, uint32_t inquiry, uint32_t session, struct effects *fx) {
    struct inquiry *q = &c->inquiries[inquiry];
    inquiry_move(c, inquiry, (enum est_state)q->state, session);
    effect_new(fx, EFFECT_RESULT, session)->number = q->number;
}

/* To the session that asked, if it takes its own results; else to the account's sessions that
 * take all, in turn; else it waits in the account's list. */
void deliver_result(struct core *c, uint32_t inquiry, struct effects *fx) {
    struct inquiry *q = &c->inquiries[inquiry];
    uint32_t origin = origin_of(c, q);
    if (origin != NONE && takes_results(session_at(c, origin))) {
        result_send(c, inquiry, origin, fx);
        return;
    }
    if (origin != NONE)
        session_at(c, origin)->owed++;
    struct account *a = &c->accounts[q->account];
    uint32_t at = a->sessions;
    if (at == NONE)
        return;
    do {
        const struct session *s = session_at(c, at);
        if (s->results == 2 && takes_results(s)) {
            a->sessions = s->ring_next;
            result_send(c, inquiry, at, fx);
            return;
        }
        at = s->ring_next;
    } while (at != a->sessions);
}

/* A session that takes all gets the account's oldest; one that takes its own looks for those that
 * found its window full, and only while there are any. */
void feed_results(struct core *c, uint32_t session, struct effects *fx) {
    struct session *s = session_at(c, session);
    if (s->results == 0 || (s->results == 1 && s->owed == 0))
        return;
    uint32_t at = c->accounts[s->account].results.head;
    while (at != NONE && takes_results(s)) {
        uint32_t next = c->inquiries[at].next;
        if (s->results == 2 || origin_of(c, &c->inquiries[at]) == session)
            result_send(c, at, session, fx);
        at = next;
    }
    if (at == NONE)
        s->owed = 0;
}
