/* operator.c - what an operator and the configuration may do. */
#include "state.h"

void step_requeue(struct core *c, est_time now, const struct input *in, struct effects *fx) {
    const struct input_requeue *requeue = &in->requeue;
    uint32_t inquiry = inquiry_find(c, requeue->number);
    if (inquiry == NONE || c->inquiries[inquiry].state != EST_STATE_PARKED) {
        refuse(fx, in->session, inquiry == NONE ? EST_NOT_FOUND : EST_NOT_PARKED, requeue->ref);
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
