/* operator.c - what an operator and the configuration may do. */
#include "state.h"

void step_requeue(struct core *c, est_time now, const struct input *in, struct effects *fx) {
    const struct input_requeue *requeue = &in->requeue;
    uint32_t inquiry = inquiry_find(c, requeue->number);
    if (inquiry == NONE || c->inquiries[inquiry].state != EST_STATE_PARKED) {
        bool unknown = inquiry == NONE && !requeue->known_ended;
        refuse(fx, in->session, unknown ? EST_NOT_FOUND : EST_NOT_PARKED, requeue->ref);
        return;
    }
    struct event e = {.type = EVENT_REQUEUED,
                      .number = requeue->number,
                      .requeued = {.account = session_at(c, in->session)->account, .reason = requeue->reason}};
    emit(c, now, fx, &e);
    done(fx, in->session, requeue->ref);
    offer_lane(c, now, c->inquiries[inquiry].lane, fx);
}

void step_drain(struct core *c, est_time now, const struct input *in, struct effects *fx) {
    if (in->drain.on != c->draining) {
        struct event e = {.type = EVENT_DRAIN,
                          .drain = {.account = session_at(c, in->session)->account,
                                    .on = in->drain.on,
                                    .reason = in->drain.reason}};
        emit(c, now, fx, &e);
    }
    done(fx, in->session, in->drain.ref);
    feed_all(c, now, fx);
}

/* Paused twice is paused: like draining, only a change is an event. */
void step_pause(struct core *c, est_time now, const struct input *in, struct effects *fx) {
    const struct input_pause *pause = &in->pause;
    if (pause->on != c->departments[pause->department].paused) {
        struct event e = {.type = EVENT_PAUSED,
                          .paused = {.account = session_at(c, in->session)->account,
                                     .department = pause->department,
                                     .on = pause->on,
                                     .reason = pause->reason}};
        emit(c, now, fx, &e);
    }
    done(fx, in->session, pause->ref);
    feed_all(c, now, fx);
}

static uint32_t redirect_check(const struct core *c, uint32_t inquiry, const struct input_redirect *to) {
    if (inquiry == NONE)
        return to->known_ended ? EST_ALREADY_FINAL : EST_NOT_FOUND;
    const struct inquiry *q = &c->inquiries[inquiry];
    if (est_state_is_final(q->state))
        return EST_ALREADY_FINAL;
    const struct lane *from = &c->lanes[q->lane];
    if (from->district == to->district)
        return EST_INVALID_FIELD;
    bool known = c->lane_of[(size_t)from->type * (c->limits.districts_max + 1) + to->district] != 0;
    return known || lane_has_room(c) ? EST_OK : EST_BUSY;
}

/* Whoever held it may have the next one; whoever serves the other district may have this one. */
void step_redirect(struct core *c, est_time now, const struct input *in, struct effects *fx) {
    const struct input_redirect *to = &in->redirect;
    uint32_t inquiry = inquiry_find(c, to->number), code = redirect_check(c, inquiry, to);
    if (code != EST_OK) {
        refuse(fx, in->session, code, to->ref);
        return;
    }
    struct inquiry *q = &c->inquiries[inquiry];
    const struct lease *lease = q->state == EST_STATE_LEASED ? lease_of(c, q) : NULL;
    uint32_t holder = lease != NULL ? lease->session : NONE;
    struct event e = {.type = EVENT_REDIRECTED, .number = to->number};
    e.redirected = (struct event_redirected){.account = session_at(c, in->session)->account,
                                             .from = c->lanes[q->lane].district,
                                             .district = to->district,
                                             .reason = to->reason};
    if (lease != NULL) {
        e.redirected.epoch = lease->epoch;
        e.redirected.holder = session_at(c, holder)->account;
        e.redirected.leased_at.us = lease->leased_us;
    }
    emit(c, now, fx, &e);
    done(fx, in->session, to->ref);
    note(fx, FACT_REDIRECTED, in->session, to->number, 0);
    if (holder != NONE) {
        struct effect *revoke = effect_new(fx, EFFECT_REVOKE, holder);
        revoke->number = to->number;
        revoke->epoch = e.redirected.epoch;
        revoke->code = EST_STALE_EPOCH;
    }
    offer_lane(c, now, q->lane, fx);
    if (holder != NONE)
        feed_agent(c, now, holder, fx);
}

void step_start(struct core *c, est_time now, const struct input *in, struct effects *fx) {
    (void)in;
    struct event e = {.type = EVENT_STARTED, .started = {.generation = c->generation + 1}};
    emit(c, now, fx, &e);
}

/* A thing of the configuration comes into force or goes out of it. */
void step_set(struct core *c, est_time now, const struct input *in, struct effects *fx) {
    struct event e = in->set;
    emit(c, now, fx, &e);
    feed_all(c, now, fx);
}

void step_store_full(struct core *c, est_time now, const struct input *in, struct effects *fx) {
    (void)now;
    (void)fx;
    c->full = in->full;
}
