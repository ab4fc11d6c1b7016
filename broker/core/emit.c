/* emit.c - how a decision leaves the core: as events, commands and facts. */
#include "state.h"

#include <assert.h>
#include <stdlib.h>

int effects_init(struct effects *fx) {
    fx->count = 0;
    fx->at = malloc(EFFECTS_MAX * sizeof *fx->at);
    return fx->at == NULL ? -EST_NO_MEMORY : 0;
}

void effects_done(struct effects *fx) {
    free(fx->at);
    fx->at = NULL;
    fx->count = 0;
}

struct effect *effect_new(struct effects *fx, enum effect_kind kind, uint32_t session) {
    assert(fx->count < EFFECTS_MAX); /* every step is bounded; see core.h */
    struct effect *e = &fx->at[fx->count++];
    e->kind = kind;
    e->session = session;
    e->fact = 0;
    e->code = 0;
    e->ref = e->number = e->epoch = 0;
    e->id = (est_id){{0}};
    e->attempt = e->district = 0;
    e->again = false;
    e->retry = (est_span){0};
    return e;
}

void note(struct effects *fx, enum fact fact, uint32_t session, uint64_t number, uint32_t code) {
    struct effect *e = effect_new(fx, EFFECT_NOTE, session);
    e->fact = fact;
    e->number = number;
    e->code = code;
}

void refuse(struct effects *fx, uint32_t session, uint32_t code, uint64_t ref) {
    struct effect *e = effect_new(fx, EFFECT_REFUSED, session);
    e->code = code;
    e->ref = ref;
    note(fx, FACT_REFUSED, session, 0, code);
}

void done(struct effects *fx, uint32_t session, uint64_t ref) {
    effect_new(fx, EFFECT_DONE, session)->ref = ref;
}

void emit(struct core *c, est_time now, struct effects *fx, struct event *event) {
    event->seq = c->seq + 1;
    event->at.us = now.us > c->at_us ? now.us : c->at_us; /* a clock set back never turns the log's time back */
    event->generation = c->generation;
    if (event->type == EVENT_SUBMITTED)
        event->number = event->seq;
    uint32_t inquiry = inquiry_find(c, event->number);
    event->previous = inquiry == NONE ? 0 : c->inquiries[inquiry].last_seq;
    core_apply(c, event);
    effect_new(fx, EFFECT_EVENT, NONE)->event = *event;
}

const char *fact_name(enum fact fact) {
    static const char *const names[FACT_COUNT] = {
        [FACT_LEASED] = "leased",
        [FACT_LEASE_EXPIRED] = "lease-expired",
        [FACT_ATTEMPT_FAILED] = "attempt-failed",
        [FACT_PARKED] = "parked",
        [FACT_ANSWERED] = "answered",
        [FACT_EXPIRED] = "expired",
        [FACT_CANCELLED] = "cancelled",
        [FACT_SUBMITTED] = "submitted",
        [FACT_SUBMITTED_AGAIN] = "submitted-again",
        [FACT_REFUSED] = "refused",
        [FACT_STALE] = "stale",
        [FACT_ACKNOWLEDGED] = "acknowledged",
        [FACT_REDELIVERED] = "redelivered",
        [FACT_SESSION_UP] = "session-up",
        [FACT_SESSION_DOWN] = "session-down",
        [FACT_AGENT_LOST] = "agent-lost",
        [FACT_REDIRECTED] = "redirected",
        [FACT_GIVEN_BACK] = "given-back",
    };
    return fact > 0 && fact < FACT_COUNT ? names[fact] : "unknown";
}
