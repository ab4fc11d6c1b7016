/* attempts.c - when an attempt ends without an answer, and when waiting ends. */
#include "state.h"

/* Doubles with every failed attempt. An agent that was lost or fell silent says nothing about the
 * inquiry: the next agent may have it at once. */
static int64_t retry_at(const struct core *c, est_time now, const struct inquiry *q, uint32_t code, est_span after) {
    if (after.us > 0)
        return now.us + (after.us < c->limits.retry_max.us ? after.us : c->limits.retry_max.us);
    if (code == EST_AGENT_LOST || code == EST_LEASE_EXPIRED)
        return 0;
    int64_t delay = c->limits.retry_first.us;
    for (unsigned i = 0; i < q->attempts && delay < c->limits.retry_max.us; i++)
        delay *= 2;
    return now.us + (delay < c->limits.retry_max.us ? delay : c->limits.retry_max.us);
}

void inquiry_park(struct core *c, est_time now, uint32_t inquiry, uint32_t code, est_slice reason, struct effects *fx) {
    struct inquiry *q = &c->inquiries[inquiry];
    const struct lease *l = lease_of(c, q);
    uint32_t holder = l->session;
    struct event e = {.type = EVENT_PARKED, .number = q->number};
    e.parked = (struct event_parked){.epoch = l->epoch,
                                     .account = c->sessions[holder].account,
                                     .code = code,
                                     .leased_at = {l->leased_us},
                                     .reason = reason};
    emit(c, now, fx, &e);
    note(fx, FACT_PARKED, holder, q->number, code);
}

void inquiry_give_back(struct core *c, est_time now, uint32_t inquiry, struct effects *fx) {
    struct inquiry *q = &c->inquiries[inquiry];
    const struct lease *l = lease_of(c, q);
    uint32_t holder = l->session;
    struct event e = {.type = EVENT_ATTEMPT_FAILED, .number = q->number};
    e.attempt_failed = (struct event_attempt_failed){.epoch = l->epoch,
                                                     .account = c->sessions[holder].account,
                                                     .code = EST_AGENT_LEFT,
                                                     .leased_at = {l->leased_us}};
    emit(c, now, fx, &e);
    note(fx, FACT_GIVEN_BACK, holder, q->number, EST_AGENT_LEFT);
    offer_lane(c, now, q->lane, fx);
}

void attempt_fail(struct core *c, est_time now, uint32_t inquiry, uint32_t code, est_span after, est_slice reason,
                  struct effects *fx) {
    struct inquiry *q = &c->inquiries[inquiry];
    if (q->attempts + 1u >= c->limits.attempts_max) {
        inquiry_park(c, now, inquiry, code, reason, fx);
        return;
    }
    const struct lease *l = lease_of(c, q);
    uint32_t holder = l->session;
    int64_t not_before_us = retry_at(c, now, q, code, after);
    struct event e = {.type = EVENT_ATTEMPT_FAILED, .number = q->number};
    e.attempt_failed = (struct event_attempt_failed){.epoch = l->epoch,
                                                     .account = c->sessions[holder].account,
                                                     .code = code,
                                                     .leased_at = {l->leased_us},
                                                     .not_before = {not_before_us},
                                                     .reason = reason,
                                                     .delayed = not_before_us != 0};
    emit(c, now, fx, &e);
    note(fx, FACT_ATTEMPT_FAILED, holder, q->number, code);
    if (q->state == EST_STATE_WAITING)
        offer_lane(c, now, q->lane, fx);
}

void inquiry_end(struct core *c, est_time now, uint32_t inquiry, struct event *e, uint32_t code, struct effects *fx) {
    struct inquiry *q = &c->inquiries[inquiry];
    bool leased = q->state == EST_STATE_LEASED;
    uint32_t holder = leased ? lease_of(c, q)->session : NONE;
    uint64_t epoch = leased ? lease_of(c, q)->epoch : 0;
    e->number = q->number;
    emit(c, now, fx, e);
    note(fx, code == EST_EXPIRED ? FACT_EXPIRED : FACT_CANCELLED, NONE, q->number, code);
    if (holder != NONE) {
        struct effect *revoke = effect_new(fx, EFFECT_REVOKE, holder);
        revoke->number = q->number;
        revoke->epoch = epoch;
        revoke->code = code;
        feed_agent(c, now, holder, fx);
    }
    c->ended++;
    deliver_result(c, inquiry, fx);
}
