/* places.c - the places an inquiry can be in, and the only functions that move it between them. */
#include "state.h"

#include <assert.h>

/* --- The index: number -> inquiry. A probe goes on to the next entry, a removal closes the gap.
 * Numbers are dense: by their low bits a million open inquiries would form one run, and each
 * removal would walk it to its end. So groups of sixteen are spread, each in one cache line. ------ */

static uint64_t index_home(const struct core *c, uint64_t number) {
    uint64_t group = (number >> 4) * UINT64_C(0x9e3779b97f4a7c15) >> 24;
    return (group << 4 | (number & 15)) & c->index_mask;
}

uint32_t inquiry_find(const struct core *c, uint64_t number) {
    if (number == 0)
        return NONE;
    for (uint64_t at = index_home(c, number);; at = (at + 1) & c->index_mask) {
        uint32_t inquiry = c->index[at];
        if (inquiry == 0)
            return NONE;
        if (c->inquiries[inquiry - 1].number == number)
            return inquiry - 1;
    }
}

static void index_add(struct core *c, uint32_t inquiry) {
    uint64_t at = index_home(c, c->inquiries[inquiry].number);
    while (c->index[at] != 0)
        at = (at + 1) & c->index_mask;
    c->index[at] = inquiry + 1; /* 0 means empty, so that untouched pages stay untouched */
}

static void index_remove(struct core *c, uint32_t inquiry) {
    uint64_t at = index_home(c, c->inquiries[inquiry].number);
    while (c->index[at] != inquiry + 1)
        at = (at + 1) & c->index_mask;
    for (uint64_t next = (at + 1) & c->index_mask; c->index[next] != 0; next = (next + 1) & c->index_mask) {
        uint64_t home = index_home(c, c->inquiries[c->index[next] - 1].number);
        if (((next - home) & c->index_mask) >= ((next - at) & c->index_mask)) {
            c->index[at] = c->index[next];
            at = next;
        }
    }
    c->index[at] = 0;
}

uint32_t inquiry_new(struct core *c, uint64_t number) {
    uint32_t inquiry = c->inquiries_free, timer = NONE; /* or that of who had the place before */
    if (inquiry != NONE) {
        c->inquiries_free = c->inquiries[inquiry].next;
        timer = c->inquiries[inquiry].timer;
    } else if (c->inquiries_used < c->limits.inquiries_max) {
        inquiry = c->inquiries_used++;
    } else {
        return NONE;
    }
    c->inquiries[inquiry] = (struct inquiry){
        .number = number, .session = NONE, .origin = NONE, .timer = timer, .next = NONE, .prev = NONE};
    index_add(c, inquiry);
    return inquiry;
}

/* --- Lists ------------------------------------------------------------------------------------- */

static void list_remove(struct core *c, struct list *l, uint32_t inquiry) {
    struct inquiry *q = &c->inquiries[inquiry];
    *(q->prev == NONE ? &l->head : &c->inquiries[q->prev].next) = q->next;
    *(q->next == NONE ? &l->tail : &c->inquiries[q->next].prev) = q->prev;
    q->next = q->prev = NONE;
    l->count--;
}

static void list_insert_after(struct core *c, struct list *l, uint32_t inquiry, uint32_t after) {
    struct inquiry *q = &c->inquiries[inquiry];
    q->prev = after;
    q->next = after == NONE ? l->head : c->inquiries[after].next;
    *(q->next == NONE ? &l->tail : &c->inquiries[q->next].prev) = inquiry;
    *(after == NONE ? &l->head : &c->inquiries[after].next) = inquiry;
    l->count++;
}

static void list_append(struct core *c, struct list *l, uint32_t inquiry) {
    list_insert_after(c, l, inquiry, l->tail);
}

/* In order of number. A new inquiry has the highest number and goes to the tail at once; one that
 * comes back is older than nearly all that wait, so it is looked for from the head. */
static void list_insert_ordered(struct core *c, struct list *l, uint32_t inquiry) {
    uint64_t number = c->inquiries[inquiry].number;
    if (l->tail == NONE || c->inquiries[l->tail].number < number) {
        list_append(c, l, inquiry);
        return;
    }
    uint32_t after = NONE;
    for (uint32_t at = l->head; at != NONE && c->inquiries[at].number < number; at = c->inquiries[at].next)
        after = at;
    list_insert_after(c, l, inquiry, after);
}

/* In order of the ends of leases. All are equally long, so the newest belongs to the tail, unless
 * the clock was set back. */
static void list_insert_by_end(struct core *c, struct list *l, uint32_t inquiry) {
    int64_t until_us = lease_of(c, &c->inquiries[inquiry])->until_us;
    uint32_t after = l->tail;
    while (after != NONE && lease_of(c, &c->inquiries[after])->until_us > until_us)
        after = c->inquiries[after].prev;
    list_insert_after(c, l, inquiry, after);
}

/* --- Those that are delayed: a treap of each lane, by number -------------------------------------
 * They come back in any order, and thousands may be delayed at once: a list in order would be walked for each of them.
 * Only the oldest is ever asked for, by operators. The heap's order is that of a number's mixed bits, so that the
 * shape follows from who is in it, and no branch is long: numbers are given out by the log, and nobody picks them. */

static uint64_t delayed_rank(const struct core *c, uint32_t inquiry) {
    uint64_t number = c->inquiries[inquiry].number;
    number = (number ^ number >> 31) * UINT64_C(0x9e3779b97f4a7c15);
    return (number ^ number >> 29) * UINT64_C(0xbf58476d1ce4e5b9);
}

static uint32_t *delayed_branch(struct core *c, uint32_t at, uint64_t number) {
    struct inquiry *q = &c->inquiries[at];
    return number < q->number ? &q->prev : &q->next;
}

/* Takes the place of the first that ranks below it, whose branches it parts. */
static void delayed_add(struct core *c, struct lane *l, uint32_t inquiry) {
    struct inquiry *q = &c->inquiries[inquiry];
    uint32_t *link = &l->delayed_root, *lower = &q->prev, *higher = &q->next;
    while (*link != NONE && delayed_rank(c, *link) > delayed_rank(c, inquiry))
        link = delayed_branch(c, *link, q->number);
    uint32_t at = *link;
    *link = inquiry;
    while (at != NONE) {
        struct inquiry *other = &c->inquiries[at];
        uint32_t **side = other->number < q->number ? &lower : &higher;
        **side = at;
        *side = other->number < q->number ? &other->next : &other->prev;
        at = **side;
    }
    *lower = *higher = NONE;
    l->delayed++;
}

static void delayed_remove(struct core *c, struct lane *l, uint32_t inquiry) {
    struct inquiry *q = &c->inquiries[inquiry];
    uint32_t *link = &l->delayed_root, lower = q->prev, higher = q->next;
    while (*link != inquiry)
        link = delayed_branch(c, *link, q->number);
    while (lower != NONE && higher != NONE) {
        if (delayed_rank(c, lower) > delayed_rank(c, higher)) {
            *link = lower;
            link = &c->inquiries[lower].next;
            lower = *link;
        } else {
            *link = higher;
            link = &c->inquiries[higher].prev;
            higher = *link;
        }
    }
    *link = lower != NONE ? lower : higher;
    q->next = q->prev = NONE;
    l->delayed--;
}

/* --- Lanes -------------------------------------------------------------------------------------- */

bool lane_has_room(const struct core *c) {
    return c->lanes_count < c->limits.lanes_max;
}

uint32_t lane_get(struct core *c, uint32_t type, uint32_t district, bool make) {
    uint32_t *lane = &c->lane_of[(size_t)type * (c->limits.districts_max + 1) + district];
    if (*lane == 0 && make && lane_has_room(c)) {
        c->lanes[c->lanes_count] = (struct lane){.type = type,
                                                 .district = district,
                                                 .waiting = {NONE, NONE, 0},
                                                 .parked = {NONE, NONE, 0},
                                                 .delayed_root = NONE,
                                                 .ready_next = NONE,
                                                 .ready_prev = NONE};
        *lane = ++c->lanes_count;
    }
    return *lane == 0 ? NONE : *lane - 1;
}

/* The ring of a department's lanes with work: offers look at no other. */
void lane_ready_set(struct core *c, uint32_t lane) {
    struct lane *l = &c->lanes[lane];
    struct department *d = &c->departments[c->types[l->type].department];
    bool ready = l->waiting.count > 0;
    if (ready) {
        const struct inquiry *head = &c->inquiries[l->waiting.head];
        l->oldest = head->number;
        if (head->next != NONE) /* of a long queue it is in no cache, and after the next grant it is asked for its number */
            __builtin_prefetch(&c->inquiries[head->next], 1);
    }
    if (ready == l->is_ready)
        return;
    l->is_ready = ready;
    if (ready) {
        l->ready_prev = NONE;
        l->ready_next = d->ready;
        if (d->ready != NONE)
            c->lanes[d->ready].ready_prev = lane;
        d->ready = lane;
        return;
    }
    *(l->ready_prev == NONE ? &d->ready : &c->lanes[l->ready_prev].ready_next) = l->ready_next;
    if (l->ready_next != NONE)
        c->lanes[l->ready_next].ready_prev = l->ready_prev;
}

/* --- Leases ------------------------------------------------------------------------------------- */

/* There is one: a session holds at most its window of them. */
static uint32_t lease_new(struct core *c) {
    uint32_t lease = c->leases_free;
    if (lease == NONE)
        return c->leases_used++;
    c->leases_free = c->leases[lease].next;
    return lease;
}

static void lease_free(struct core *c, uint32_t lease) {
    c->leases[lease].next = c->leases_free;
    c->leases_free = lease;
}

/* --- Moving ------------------------------------------------------------------------------------- */

static void leave_place(struct core *c, uint32_t inquiry) {
    struct inquiry *q = &c->inquiries[inquiry];
    struct lane *l = &c->lanes[q->lane];
    switch ((enum est_state)q->state) {
    case EST_STATE_NONE:
        return;
    case EST_STATE_WAITING:
        list_remove(c, &l->waiting, inquiry);
        lane_ready_set(c, q->lane);
        break;
    case EST_STATE_DELAYED:
        delayed_remove(c, l, inquiry);
        break;
    case EST_STATE_LEASED:
        l->leased--;
        list_remove(c, &c->sessions[lease_of(c, q)->session].held, inquiry);
        lease_free(c, q->lease);
        break;
    case EST_STATE_PARKED:
        list_remove(c, &l->parked, inquiry);
        break;
    case EST_STATE_ANSWERED:
    case EST_STATE_EXPIRED:
    case EST_STATE_CANCELLED:
        list_remove(c, q->session == NONE ? &c->accounts[q->account].results : &c->sessions[q->session].held, inquiry);
        break;
    }
    c->counts[q->state]--;
    q->session = NONE;
}

void inquiry_move(struct core *c, uint32_t inquiry, enum est_state state, uint32_t session) {
    struct inquiry *q = &c->inquiries[inquiry];
    struct lane *l = &c->lanes[q->lane];
    leave_place(c, inquiry);
    q->state = (uint8_t)state;
    q->session = session;
    c->counts[state]++;
    switch (state) {
    case EST_STATE_NONE:
        break;
    case EST_STATE_WAITING:
        list_insert_ordered(c, &l->waiting, inquiry);
        lane_ready_set(c, q->lane);
        break;
    case EST_STATE_DELAYED:
        delayed_add(c, l, inquiry);
        break;
    case EST_STATE_LEASED:
        assert(false); /* inquiry_lease */
        break;
    case EST_STATE_PARKED:
        list_insert_ordered(c, &l->parked, inquiry);
        break;
    case EST_STATE_ANSWERED:
    case EST_STATE_EXPIRED:
    case EST_STATE_CANCELLED:
        list_append(c, session == NONE ? &c->accounts[q->account].results : &c->sessions[session].held, inquiry);
        break;
    }
    inquiry_timer(c, inquiry);
}

void inquiry_delay(struct core *c, uint32_t inquiry, int64_t until_us) {
    inquiry_move(c, inquiry, EST_STATE_DELAYED, NONE);
    int64_t due_us = c->inquiries[inquiry].due_us;
    heap_set(&c->due, inquiry, until_us < due_us ? until_us : due_us);
}

/* Its timer stays as it was while it waited. */
void inquiry_lease(struct core *c, uint32_t inquiry, const struct lease *lease) {
    struct inquiry *q = &c->inquiries[inquiry];
    assert(q->state == EST_STATE_WAITING);
    leave_place(c, inquiry);
    q->state = EST_STATE_LEASED;
    q->lease = lease_new(c);
    *lease_of(c, q) = *lease;
    c->counts[EST_STATE_LEASED]++;
    c->lanes[q->lane].leased++;
    list_insert_by_end(c, &c->sessions[lease->session].held, inquiry);
}

void lease_extend(struct core *c, uint32_t inquiry, int64_t until_us) {
    struct lease *l = lease_of(c, &c->inquiries[inquiry]);
    struct list *held = &c->sessions[l->session].held;
    list_remove(c, held, inquiry);
    l->until_us = until_us;
    list_insert_by_end(c, held, inquiry);
}

void inquiry_redirect(struct core *c, uint32_t inquiry, uint32_t lane) {
    leave_place(c, inquiry);
    c->inquiries[inquiry].state = EST_STATE_NONE;
    c->inquiries[inquiry].lane = (uint16_t)lane;
    inquiry_move(c, inquiry, EST_STATE_WAITING, NONE);
}

void inquiry_free(struct core *c, uint32_t inquiry) {
    struct inquiry *q = &c->inquiries[inquiry];
    assert(est_state_is_final(q->state));
    leave_place(c, inquiry);
    index_remove(c, inquiry);
    c->accounts[q->account].kept--;
    q->state = EST_STATE_NONE;
    q->number = 0;
    q->next = c->inquiries_free;
    c->inquiries_free = inquiry;
}
