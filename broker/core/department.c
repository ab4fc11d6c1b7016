/* department.c - what an agent may do: take work, answer it, give it back, hold on to it. */
#include "state.h"

#include <string.h>

/* The inquiry that this session holds under this epoch, or NONE: the lease is over. */
static uint32_t lease_find(const struct core *c, uint32_t session, uint64_t number, uint64_t epoch) {
    uint32_t inquiry = inquiry_find(c, number);
    if (inquiry == NONE)
        return NONE;
    const struct inquiry *q = &c->inquiries[inquiry];
    if (q->state != EST_STATE_LEASED)
        return NONE;
    const struct lease *l = lease_of(c, q);
    return l->session == session && l->epoch == epoch ? inquiry : NONE;
}

static void stale(struct effects *fx, uint32_t session, uint64_t number, uint64_t epoch, uint32_t code) {
    struct effect *e = effect_new(fx, EFFECT_REFUSED, session);
    e->code = code;
    e->number = number;
    e->epoch = epoch;
    note(fx, FACT_STALE, session, number, code);
}

static void recorded(struct effects *fx, uint32_t session, uint64_t number, uint64_t epoch) {
    struct effect *e = effect_new(fx, EFFECT_RECORDED, session);
    e->number = number;
    e->epoch = epoch;
}

void step_ready(struct core *c, est_time now, const struct input *in, struct effects *fx) {
    const struct input_ready *ready = &in->ready;
    struct session *s = session_at(c, in->session);
    for (size_t i = 0; i < ready->types_count; i++)
        if (!core_may_answer(c, s->account, ready->types[i])) {
            refuse(fx, in->session, EST_NOT_ALLOWED, ready->ref);
            return;
        }
    bool any_district = false;
    for (size_t i = 0; i < 16; i++)
        any_district |= ready->districts[i] != 0;
    memset(s->types, ready->types_count == 0 ? 0xff : 0, sizeof s->types);
    for (size_t i = 0; i < ready->types_count; i++)
        bit_set(s->types, ready->types[i]);
    if (any_district)
        memcpy(s->districts, ready->districts, sizeof s->districts);
    else
        memset(s->districts, 0xff, sizeof s->districts);
    s->window = ready->window < c->limits.window_max ? ready->window : c->limits.window_max;
    s->ready = true;
    s->leaving = false;
    done(fx, in->session, ready->ref);
    feed_agent(c, now, in->session, fx);
}

void step_leave(struct core *c, est_time now, const struct input *in, struct effects *fx) {
    (void)now;
    session_at(c, in->session)->leaving = true;
    done(fx, in->session, in->leave.ref);
}

/* An answer is taken from the holder of the live lease and from nobody else. The one exception
 * changes nothing: the account whose answer is in the record already may hear so again. */
void step_answer(struct core *c, est_time now, const struct input *in, struct effects *fx) {
    const struct input_answer *answer = &in->answer;
    const struct session *s = session_at(c, in->session);
    uint32_t inquiry = lease_find(c, in->session, answer->number, answer->epoch);
    if (inquiry == NONE) {
        if (answer->recorded)
            recorded(fx, in->session, answer->number, answer->epoch);
        else
            stale(fx, in->session, answer->number, answer->epoch, EST_STALE_EPOCH);
        return;
    }
    struct inquiry *q = &c->inquiries[inquiry];
    if (!core_may_answer(c, s->account, c->lanes[q->lane].type)) {
        stale(fx, in->session, answer->number, answer->epoch, EST_NOT_ALLOWED);
        attempt_fail(c, now, inquiry, EST_NOT_ALLOWED, (est_span){0}, (est_slice){0}, fx);
        feed_agent(c, now, in->session, fx); /* it has room for what it may still do */
        return;
    }
    struct event e = {.type = EVENT_ANSWERED, .number = q->number, .answered = answer->it};
    e.answered.account = s->account;
    e.answered.epoch = answer->epoch;
    e.answered.leased_at.us = lease_of(c, q)->leased_us;
    emit(c, now, fx, &e);
    c->ended++;
    session_at(c, in->session)->answered++;
    recorded(fx, in->session, answer->number, answer->epoch);
    note(fx, FACT_ANSWERED, in->session, q->number, answer->it.outcome);
    deliver_result(c, inquiry, fx);
    feed_agent(c, now, in->session, fx);
}

/* RETRY is confirmed with RECORDED; an answer that does not fit is refused by the net ring, which
 * has the defects at hand, so here it only ends the attempt. */
void step_attempt_fail(struct core *c, est_time now, const struct input *in, struct effects *fx) {
    const struct input_fail *fail = &in->fail;
    uint32_t inquiry = lease_find(c, in->session, fail->number, fail->epoch);
    if (inquiry == NONE) {
        stale(fx, in->session, fail->number, fail->epoch, EST_STALE_EPOCH);
        return;
    }
    if (fail->code == EST_INVALID_ANSWER)
        stale(fx, in->session, fail->number, fail->epoch, EST_INVALID_ANSWER);
    else
        recorded(fx, in->session, fail->number, fail->epoch);
    attempt_fail(c, now, inquiry, fail->code, fail->after, fail->reason, fx);
    feed_agent(c, now, in->session, fx);
}

void step_refuse(struct core *c, est_time now, const struct input *in, struct effects *fx) {
    const struct input_refuse *no = &in->refuse;
    uint32_t inquiry = lease_find(c, in->session, no->number, no->epoch);
    if (inquiry == NONE) {
        stale(fx, in->session, no->number, no->epoch, EST_STALE_EPOCH);
        return;
    }
    recorded(fx, in->session, no->number, no->epoch);
    inquiry_park(c, now, inquiry, EST_AGENT_REFUSED, no->reason, fx);
    feed_agent(c, now, in->session, fx);
}

void step_renew(struct core *c, est_time now, const struct input *in, struct effects *fx) {
    for (size_t i = 0; i + 1 < in->renew.count * 2; i += 2) {
        uint64_t number = in->renew.pairs[i], epoch = in->renew.pairs[i + 1];
        uint32_t inquiry = lease_find(c, in->session, number, epoch);
        if (inquiry == NONE)
            continue;
        lease_renew(c, now, inquiry);
        struct effect *e = effect_new(fx, EFFECT_RENEWED, in->session);
        e->number = number;
        e->epoch = epoch;
    }
}
