/* leases.c - the table of what an agent holds. */
#include "leases.h"

#include <stdlib.h>

enum { ANSWER_KEEP_MAX = 4096 }; /* a slot keeps its buffer unless it grew beyond this */

int leases_init(struct leases *leases, uint32_t capacity) {
    *leases = (struct leases){.capacity = capacity};
    for (int i = 0; i < LEASE_STATES; i++)
        chain_init(&leases->chains[i]);
    leases->at = calloc(capacity, sizeof *leases->at);
    leases->links = calloc(capacity, sizeof *leases->links);
    int failed = index_init(&leases->by_number, capacity);
    return leases->at && leases->links ? failed : -EST_NO_MEMORY;
}

void leases_done(struct leases *leases) {
    for (uint32_t i = 0; leases->at && i < leases->used; i++)
        buffer_done(&leases->at[i].answer);
    free(leases->at);
    free(leases->links);
    index_done(&leases->by_number);
    *leases = (struct leases){0};
}

static uint32_t slot_take(struct leases *leases) {
    struct chain *spare = &leases->chains[LEASE_FREE];
    uint32_t slot = spare->last;
    if (slot != SLOT_NONE) {
        chain_remove(spare, leases->links, slot);
    } else if (leases->used < leases->capacity) {
        slot = leases->used++;
        buffer_init(&leases->at[slot].answer);
    }
    return slot;
}

uint32_t lease_new(struct leases *leases, uint64_t number, uint64_t epoch, est_time until, est_span term) {
    uint32_t slot = slot_take(leases);
    if (slot == SLOT_NONE)
        return slot;
    struct lease *lease = &leases->at[slot];
    struct buffer answer = lease->answer;
    *lease = (struct lease){.state = LEASE_HELD, .number = number, .epoch = epoch, .until = until};
    lease->term = term;
    lease->answer = answer;
    buffer_clear(&lease->answer);
    chain_push(&leases->chains[LEASE_HELD], leases->links, slot);
    index_put(&leases->by_number, number, slot);
    return slot;
}

static bool lease_is(const struct leases *leases, uint32_t slot, uint64_t number, uint64_t epoch) {
    return slot != SLOT_NONE && leases->at[slot].number == number && leases->at[slot].epoch == epoch;
}

/* An agent that is quick answers what it was given last, and answers are recorded as they were sent. */
uint32_t lease_find(const struct leases *leases, uint64_t number, uint64_t epoch) {
    uint32_t held = leases->chains[LEASE_HELD].last, sent = leases->chains[LEASE_SENT].first;
    if (lease_is(leases, held, number, epoch))
        return held;
    if (lease_is(leases, sent, number, epoch))
        return sent;
    int64_t walk = INDEX_START;
    for (;;) {
        uint32_t slot = index_find(&leases->by_number, number, &walk);
        if (slot == SLOT_NONE)
            return slot;
        if (lease_is(leases, slot, number, epoch) && leases->at[slot].state != LEASE_LOST)
            return slot;
    }
}

void lease_move(struct leases *leases, uint32_t slot, enum lease_state to) {
    struct lease *lease = &leases->at[slot];
    chain_remove(&leases->chains[lease->state], leases->links, slot);
    chain_push(&leases->chains[to], leases->links, slot);
    lease->state = to;
}

void lease_lose(struct leases *leases, uint32_t slot, int code) {
    leases->at[slot].code = code;
    lease_move(leases, slot, LEASE_LOST);
}

void lease_free(struct leases *leases, uint32_t slot) {
    struct lease *lease = &leases->at[slot];
    index_remove(&leases->by_number, lease->number, slot);
    if (lease->answer.capacity > ANSWER_KEEP_MAX)
        buffer_done(&lease->answer);
    lease_move(leases, slot, LEASE_FREE);
}

/* Ready answers too count as tried once a connection was lost over them, so that a table of two
 * windows always has room: one for the old answers, one for the new session's work. */
static void answers_requeue(struct leases *leases, enum lease_state from) {
    uint32_t next;
    for (uint32_t slot = leases->chains[from].first; slot != SLOT_NONE; slot = next) {
        next = leases->links[slot].next;
        if (leases->at[slot].old) {
            lease_free(leases, slot);
            continue;
        }
        leases->at[slot].old = true;
        if (from != LEASE_READY)
            lease_move(leases, slot, LEASE_READY);
    }
}

void leases_requeue(struct leases *leases, int code) {
    while (leases->chains[LEASE_HELD].count)
        lease_lose(leases, leases->chains[LEASE_HELD].first, code);
    answers_requeue(leases, LEASE_READY);
    answers_requeue(leases, LEASE_SENT);
}

est_time leases_expire(struct leases *leases, est_time now) {
    est_time earliest = {INT64_MAX};
    uint32_t next;
    for (uint32_t slot = leases->chains[LEASE_HELD].first; slot != SLOT_NONE; slot = next) {
        est_time until = leases->at[slot].until;
        next = leases->links[slot].next;
        if (now.us >= until.us)
            lease_lose(leases, slot, EST_LEASE_EXPIRED);
        else if (until.us < earliest.us)
            earliest = until;
    }
    return earliest;
}

void leases_settle(struct leases *leases) {
    uint32_t next;
    for (uint32_t slot = leases->chains[LEASE_HELD].first; slot != SLOT_NONE; slot = next) {
        next = leases->links[slot].next;
        if (leases->at[slot].asked)
            lease_lose(leases, slot, EST_LEASE_EXPIRED);
    }
}
