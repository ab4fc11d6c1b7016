/* views.c - looking into the core; nothing here changes anything. */
#include "state.h"

bool core_inquiry(const struct core *c, uint64_t number, struct inquiry_view *ret) {
    uint32_t inquiry = inquiry_find(c, number);
    if (inquiry == NONE)
        return false;
    const struct inquiry *q = &c->inquiries[inquiry];
    *ret = (struct inquiry_view){
        .row = {.number = q->number,
                .account = q->account,
                .type = c->lanes[q->lane].type,
                .district = c->lanes[q->lane].district,
                .state = q->state,
                .attempts = q->attempts,
                .code = q->code,
                .received = {q->received_us},
                .due = {q->due_us},
                .last_seq = q->last_seq},
        .holder = NONE,
    };
    if (q->state == EST_STATE_LEASED) {
        const struct lease *l = lease_of(c, q);
        ret->holder = l->session;
        ret->epoch = l->epoch;
        ret->until.us = l->until_us;
    } else if (q->state == EST_STATE_DELAYED) {
        ret->until.us = c->due.at[q->timer].at_us;
    }
    return true;
}

bool core_is_paused(const struct core *c, uint32_t department) {
    return c->departments[department].paused;
}

size_t core_lane_count(const struct core *c) {
    return c->lanes_count;
}

static uint32_t lane_agents(const struct core *c, const struct lane *l) {
    uint32_t first = c->departments[c->types[l->type].department].agents, count = 0;
    for (uint32_t at = first; at != NONE; at = c->sessions[at].ring_next == first ? NONE : c->sessions[at].ring_next)
        if (c->sessions[at].ready && !c->sessions[at].leaving && agent_can_serve(c, &c->sessions[at], l))
            count++;
    return count;
}

/* Of those that wait and those that will when their delay ends: an agent that fails again and again ages nothing
 * anew. Numbers are in order of receipt. */
static est_time lane_oldest(const struct core *c, const struct lane *l) {
    uint32_t oldest = l->waiting.head, at = l->delayed_root;
    while (at != NONE && c->inquiries[at].prev != NONE)
        at = c->inquiries[at].prev;
    if (oldest == NONE || (at != NONE && c->inquiries[at].number < c->inquiries[oldest].number))
        oldest = at;
    return (est_time){oldest != NONE ? c->inquiries[oldest].received_us : 0};
}

void core_lane(const struct core *c, size_t lane, struct lane_view *ret) {
    const struct lane *l = &c->lanes[lane];
    *ret = (struct lane_view){
        .type = l->type,
        .department = c->types[l->type].department,
        .district = l->district,
        .waiting = l->waiting.count,
        .delayed = l->delayed,
        .leased = l->leased,
        .parked = l->parked.count,
        .oldest = lane_oldest(c, l),
        .agents = lane_agents(c, l),
        .paused = c->departments[c->types[l->type].department].paused,
    };
}

/* Keeps the lowest `max` numbers seen so far in order; parked ones are few, or their being many is
 * the operator's worry, not the speed of the list. */
static size_t keep_lowest(uint64_t *numbers, size_t count, size_t max, uint64_t number) {
    if (count == max && (max == 0 || numbers[max - 1] < number))
        return count;
    size_t at = count < max ? count : max - 1;
    for (; at > 0 && numbers[at - 1] > number; at--)
        numbers[at] = numbers[at - 1];
    numbers[at] = number;
    return count < max ? count + 1 : max;
}

size_t core_parked(const struct core *c, uint32_t department, const bool *hidden, uint64_t after, uint64_t *ret_numbers,
                   size_t max) {
    size_t count = 0;
    for (uint32_t lane = 0; lane < c->lanes_count; lane++) {
        if (department != 0 && department_of(c, lane) != department)
            continue;
        if (hidden != NULL && hidden[c->lanes[lane].type])
            continue;
        for (uint32_t at = c->lanes[lane].parked.head; at != NONE; at = c->inquiries[at].next)
            if (c->inquiries[at].number > after)
                count = keep_lowest(ret_numbers, count, max, c->inquiries[at].number);
    }
    return count;
}

size_t core_leased(const struct core *c, uint64_t *ret_numbers, size_t max) {
    size_t count = 0;
    for (uint32_t i = 0; i < c->limits.sessions_max; i++) {
        const struct session *s = &c->sessions[i];
        if (!s->live || s->role != ROLE_DEPARTMENT)
            continue;
        for (uint32_t at = s->held.head; at != NONE && count < max; at = c->inquiries[at].next)
            ret_numbers[count++] = c->inquiries[at].number;
    }
    return count;
}

void core_session(const struct core *c, uint32_t session, struct session_view *ret) {
    const struct session *s = &c->sessions[session];
    *ret = (struct session_view){.live = s->live,
                                 .account = s->account,
                                 .role = s->role,
                                 .department = s->department,
                                 .window = s->window,
                                 .inflight = s->held.count,
                                 .answered = s->answered,
                                 .since = {s->since_us},
                                 .heard = {s->heard_us},
                                 .leaving = s->leaving};
}

void core_account(const struct core *c, uint32_t account, struct account_view *ret) {
    const struct account *a = &c->accounts[account];
    *ret = (struct account_view){.live = a->live,
                                 .role = a->role,
                                 .department = a->department,
                                 .kept = a->kept,
                                 .level = (enum est_level)a->level};
}

bool core_may_ask(const struct core *c, uint32_t account, uint32_t type, uint32_t purpose) {
    const struct account *a = &c->accounts[account];
    return a->live && a->role == ROLE_REQUESTER && type < c->limits.types_max && c->types[type].live && purpose < 32 &&
           (right_of(c, account, type) >> purpose & 1) != 0;
}

bool core_could_answer(const struct core *c, uint32_t account, uint32_t type) {
    const struct account *a = &c->accounts[account];
    return a->role == ROLE_DEPARTMENT && type < c->limits.types_max && a->department == c->types[type].department &&
           right_of(c, account, type) != 0;
}

/* A retired type may still be answered: what is under way finishes. */
bool core_may_answer(const struct core *c, uint32_t account, uint32_t type) {
    return c->accounts[account].live && core_could_answer(c, account, type);
}

bool core_serves_district(const struct core *c, uint32_t account, uint32_t district) {
    return bit_get(c->accounts[account].districts, district);
}

void core_counts(const struct core *c, struct core_counts *ret) {
    uint64_t final = c->counts[EST_STATE_ANSWERED] + c->counts[EST_STATE_EXPIRED] + c->counts[EST_STATE_CANCELLED];
    *ret = (struct core_counts){
        .accepted = c->accepted,
        .ended = c->ended,
        .unacknowledged = final,
        .waiting = c->counts[EST_STATE_WAITING],
        .delayed = c->counts[EST_STATE_DELAYED],
        .leased = c->counts[EST_STATE_LEASED],
        .parked = c->counts[EST_STATE_PARKED],
        .seq = c->seq,
        .paused = c->paused,
        .draining = c->draining,
        .full = c->full,
    };
    ret->open = ret->waiting + ret->delayed + ret->leased + ret->parked;
}
