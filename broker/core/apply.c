/* apply.c - the record: what each event changes. Recovery, the running broker and (one day) a
 * standby come through here, so that state is a fold of the log and nothing else. */
#include "state.h"

#include <assert.h>
#include <string.h>

static void apply_started(struct core *c, const struct event *e) {
    c->generation = e->started.generation;
    c->epochs = 0;
    c->draining = false;
}

static void apply_department_set(struct core *c, const struct event *e) {
    c->departments[e->department_set.department].live = true;
}

/* A type may get another answerer: its lanes then leave the ring of the old one. */
static void apply_type_set(struct core *c, const struct event *e) {
    const struct event_type_set *set = &e->type_set;
    struct type *t = &c->types[set->type];
    uint32_t *lanes = &c->lane_of[(size_t)set->type * (c->limits.districts_max + 1)];
    bool moves = t->department != 0 && t->department != set->department;
    for (uint32_t d = 0; moves && d <= c->limits.districts_max; d++) {
        if (lanes[d] == 0)
            continue;
        struct list waiting = c->lanes[lanes[d] - 1].waiting;
        c->lanes[lanes[d] - 1].waiting.count = 0;
        lane_ready_set(c, lanes[d] - 1);
        c->lanes[lanes[d] - 1].waiting = waiting;
    }
    *t = (struct type){.live = true, .version = set->version, .department = set->department};
    for (uint32_t d = 0; moves && d <= c->limits.districts_max; d++)
        if (lanes[d] != 0)
            lane_ready_set(c, lanes[d] - 1);
}

static void apply_account_set(struct core *c, const struct event *e) {
    const struct event_account_set *set = &e->account_set;
    struct account *a = &c->accounts[set->account];
    uint32_t *rights = &c->rights[(size_t)set->account * c->limits.types_max];
    for (uint32_t t = 0; t < c->limits.types_max; t++)
        if (rights[t] != 0)
            rights[t] = 0;
    for (size_t i = 0; i < set->rights_count; i++)
        rights[set->rights[i].type] = set->rights[i].purposes;
    a->live = true;
    a->role = set->role;
    a->department = set->department;
    a->level = set->role != ROLE_OPERATOR ? EST_LEVEL_NONE : set->level != 0 ? set->level : EST_LEVEL_OPERATOR;
    memcpy(a->districts, set->districts, sizeof a->districts);
}

static void apply_retired(struct core *c, const struct event *e) {
    if (e->retired.thing == THING_TYPE)
        c->types[e->retired.number].live = false;
    else if (e->retired.thing == THING_ACCOUNT)
        c->accounts[e->retired.number].live = false;
}

static void apply_submitted(struct core *c, const struct event *e) {
    const struct event_submitted *s = &e->submitted;
    uint32_t inquiry = inquiry_new(c, e->number);
    assert(inquiry != NONE);
    struct inquiry *q = &c->inquiries[inquiry];
    q->received_us = e->at.us;
    q->due_us = s->due.us;
    q->account = (uint16_t)s->account;
    uint32_t lane = lane_get(c, s->type, s->district, true);
    assert(lane != NONE);
    q->lane = (uint16_t)lane;
    c->accounts[s->account].kept++;
    inquiry_move(c, inquiry, EST_STATE_WAITING, NONE);
}

static void apply_attempt_failed(struct core *c, uint32_t inquiry, const struct event *e) {
    struct inquiry *q = &c->inquiries[inquiry];
    if (attempt_is_given_back(&e->attempt_failed)) {
        inquiry_move(c, inquiry, EST_STATE_WAITING, NONE);
        return;
    }
    if (q->attempts < UINT8_MAX)
        q->attempts++;
    q->code = (uint16_t)e->attempt_failed.code;
    if (attempt_is_delayed(&e->attempt_failed, e->at))
        inquiry_delay(c, inquiry, e->attempt_failed.not_before.us);
    else
        inquiry_move(c, inquiry, EST_STATE_WAITING, NONE);
}

static void apply_parked(struct core *c, uint32_t inquiry, const struct event *e) {
    struct inquiry *q = &c->inquiries[inquiry];
    if (q->attempts < UINT8_MAX)
        q->attempts++;
    q->code = (uint16_t)e->parked.code;
    inquiry_move(c, inquiry, EST_STATE_PARKED, NONE);
}

static void apply_requeued(struct core *c, uint32_t inquiry, const struct event *e) {
    (void)e;
    c->inquiries[inquiry].attempts = 0;
    c->inquiries[inquiry].code = 0;
    inquiry_move(c, inquiry, EST_STATE_WAITING, NONE);
}

static void apply_redirected(struct core *c, uint32_t inquiry, const struct event *e) {
    struct inquiry *q = &c->inquiries[inquiry];
    uint32_t lane = lane_get(c, c->lanes[q->lane].type, e->redirected.district, true);
    assert(lane != NONE);
    q->attempts = 0;
    q->code = 0;
    inquiry_redirect(c, inquiry, lane);
}

static void apply_answered(struct core *c, uint32_t inquiry, const struct event *e) {
    (void)e;
    c->inquiries[inquiry].code = 0;
    inquiry_move(c, inquiry, EST_STATE_ANSWERED, NONE);
}

static void apply_expired(struct core *c, uint32_t inquiry, const struct event *e) {
    (void)e;
    c->inquiries[inquiry].code = EST_EXPIRED;
    inquiry_move(c, inquiry, EST_STATE_EXPIRED, NONE);
}

static void apply_cancelled(struct core *c, uint32_t inquiry, const struct event *e) {
    (void)e;
    c->inquiries[inquiry].code = EST_CANCELLED;
    inquiry_move(c, inquiry, EST_STATE_CANCELLED, NONE);
}

static void apply_acknowledged(struct core *c, const struct event *e) {
    for (size_t i = 0; i < e->acknowledged.count; i++) {
        uint32_t inquiry = inquiry_find(c, e->acknowledged.numbers[i]);
        if (inquiry != NONE)
            inquiry_free(c, inquiry);
    }
}

static void apply_drain(struct core *c, const struct event *e) {
    c->draining = e->drain.on;
}

static void apply_paused(struct core *c, const struct event *e) {
    struct department *d = &c->departments[e->paused.department];
    c->paused += (e->paused.on != 0) - d->paused;
    d->paused = e->paused.on != 0;
}

/* Events about the city or about many inquiries, and events about one. */
static void (*const apply_general[])(struct core *, const struct event *) = {
    [EVENT_STARTED] = apply_started,         [EVENT_DEPARTMENT_SET] = apply_department_set,
    [EVENT_TYPE_SET] = apply_type_set,       [EVENT_ACCOUNT_SET] = apply_account_set,
    [EVENT_RETIRED] = apply_retired,         [EVENT_SUBMITTED] = apply_submitted,
    [EVENT_ACKNOWLEDGED] = apply_acknowledged, [EVENT_DRAIN] = apply_drain,
    [EVENT_PAUSED] = apply_paused,
};
static void (*const apply_inquiry[])(struct core *, uint32_t inquiry, const struct event *) = {
    [EVENT_ATTEMPT_FAILED] = apply_attempt_failed, [EVENT_PARKED] = apply_parked,
    [EVENT_REQUEUED] = apply_requeued,             [EVENT_ANSWERED] = apply_answered,
    [EVENT_EXPIRED] = apply_expired,               [EVENT_CANCELLED] = apply_cancelled,
    [EVENT_REDIRECTED] = apply_redirected,
};

void core_apply(struct core *c, const struct event *e) {
    static const size_t general = sizeof apply_general / sizeof *apply_general;
    static const size_t single = sizeof apply_inquiry / sizeof *apply_inquiry;
    if (e->type < general && apply_general[e->type] != NULL)
        apply_general[e->type](c, e);
    uint32_t inquiry = inquiry_find(c, e->number);
    if (inquiry != NONE) {
        if (e->type < single && apply_inquiry[e->type] != NULL)
            apply_inquiry[e->type](c, inquiry, e);
        c->inquiries[inquiry].last_seq = e->seq;
    }
    if (e->seq > c->seq) { /* things at recovery come with the seq they had; the head is set after */
        c->seq = e->seq;
        c->at_us = e->at.us;
    }
}

void core_restore_inquiry(struct core *c, const struct inquiry_row *row) {
    uint32_t inquiry = inquiry_new(c, row->number);
    assert(inquiry != NONE); /* core_new was given room for what the store holds */
    struct inquiry *q = &c->inquiries[inquiry];
    q->last_seq = row->last_seq;
    q->received_us = row->received.us;
    q->due_us = row->due.us;
    q->account = (uint16_t)row->account;
    uint32_t lane = lane_get(c, row->type, row->district, true);
    assert(lane != NONE);
    q->lane = (uint16_t)lane;
    q->code = (uint16_t)row->code;
    q->attempts = (uint8_t)(row->attempts < UINT8_MAX ? row->attempts : UINT8_MAX);
    c->accounts[row->account].kept++;
    if (row->state == EST_STATE_DELAYED)
        inquiry_delay(c, inquiry, row->not_before.us);
    else
        inquiry_move(c, inquiry, (enum est_state)row->state, NONE);
}

void core_restore_head(struct core *c, uint64_t seq, est_time at, uint64_t generation) {
    c->seq = seq;
    c->at_us = at.us;
    c->generation = generation;
}
