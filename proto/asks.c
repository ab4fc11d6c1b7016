/* asks.c - the table of unanswered asks. */
#include "asks.h"

#include <stdlib.h>
#include <string.h>

/* A slot keeps its buffer for the next ask, unless it grew for a rare large body. */
enum { COMMAND_KEEP_MAX = 4096 };

int asks_init(struct asks *asks, uint32_t capacity) {
    *asks = (struct asks){.capacity = capacity};
    for (int i = 0; i < ASK_STATES; i++)
        chain_init(&asks->chains[i]);
    asks->at = calloc(capacity, sizeof *asks->at);
    asks->links = calloc(capacity, sizeof *asks->links);
    int failed = index_init(&asks->by_id, capacity);
    return asks->at && asks->links ? failed : -EST_NO_MEMORY;
}

void asks_done(struct asks *asks) {
    for (uint32_t i = 0; asks->at && i < asks->used; i++)
        buffer_done(&asks->at[i].command);
    free(asks->at);
    free(asks->links);
    index_done(&asks->by_id);
    *asks = (struct asks){0};
}

static uint64_t id_key(const est_id *id) {
    uint64_t half[2];
    memcpy(half, id->bytes, sizeof half);
    return key_mix(half[0]) ^ half[1];
}

static uint32_t slot_take(struct asks *asks) {
    struct chain *spare = &asks->chains[ASK_FREE];
    uint32_t slot = spare->last; /* the warmest */
    if (slot != SLOT_NONE) {
        chain_remove(spare, asks->links, slot);
    } else if (asks->used < asks->capacity) {
        slot = asks->used++;
        buffer_init(&asks->at[slot].command);
    }
    return slot;
}

uint32_t ask_new(struct asks *asks, enum verb verb, uint64_t ref) {
    uint32_t slot = slot_take(asks);
    if (slot == SLOT_NONE)
        return slot;
    struct ask *ask = &asks->at[slot];
    ask->state = ASK_QUEUED;
    ask->verb = verb;
    ask->accepted = false;
    ask->ref = ref;
    buffer_clear(&ask->command);
    chain_push(&asks->chains[ASK_QUEUED], asks->links, slot);
    asks->unanswered++;
    return slot;
}

uint32_t ask_new_submit(struct asks *asks, const est_id *id) {
    uint32_t slot = ask_new(asks, VERB_SUBMIT, 0);
    if (slot == SLOT_NONE)
        return slot;
    asks->at[slot].id = *id;
    index_put(&asks->by_id, id_key(id), slot);
    return slot;
}

void ask_move(struct asks *asks, uint32_t slot, enum ask_state to) {
    struct ask *ask = &asks->at[slot];
    chain_remove(&asks->chains[ask->state], asks->links, slot);
    chain_push(&asks->chains[to], asks->links, slot);
    ask->state = to;
}

void ask_refuse(struct asks *asks, uint32_t slot, int code) {
    asks->at[slot].code = code;
    ask_move(asks, slot, ASK_REFUSED);
}

void ask_free(struct asks *asks, uint32_t slot) {
    struct ask *ask = &asks->at[slot];
    if (ask->verb == VERB_SUBMIT)
        index_remove(&asks->by_id, id_key(&ask->id), slot);
    if (!ask->accepted)
        asks->unanswered--;
    ask->turn++;
    if (ask->command.capacity > COMMAND_KEEP_MAX)
        buffer_done(&ask->command);
    ask_move(asks, slot, ASK_FREE);
}

void ask_accept(struct asks *asks, uint32_t slot) {
    struct ask *ask = &asks->at[slot];
    if (!ask->accepted)
        asks->unanswered--;
    ask->accepted = true;
    ask_move(asks, slot, ASK_AWAITING);
}

uint64_t ask_wire_ref(const struct asks *asks, uint32_t slot) {
    return (uint64_t)asks->at[slot].turn << 32 | (slot + ASK_REF_FIRST);
}

uint32_t ask_by_ref(const struct asks *asks, uint64_t wire_ref) {
    uint32_t slot = (uint32_t)wire_ref - ASK_REF_FIRST;
    if (slot >= asks->used || asks->at[slot].turn != wire_ref >> 32)
        return SLOT_NONE;
    const struct ask *ask = &asks->at[slot];
    return ask->state == ASK_SENT && ask->verb != VERB_SUBMIT ? slot : SLOT_NONE;
}

static bool ask_is(const struct asks *asks, uint32_t slot, const est_id *id) {
    return slot != SLOT_NONE && memcmp(&asks->at[slot].id, id, sizeof *id) == 0;
}

/* Receipts come in the order in which submits were sent, and results mostly in that of receipts. */
uint32_t ask_by_id(const struct asks *asks, const est_id *id) {
    uint32_t sent = asks->chains[ASK_SENT].first, awaiting = asks->chains[ASK_AWAITING].first;
    if (ask_is(asks, sent, id) && asks->at[sent].verb == VERB_SUBMIT)
        return sent;
    if (ask_is(asks, awaiting, id))
        return awaiting;
    int64_t walk = INDEX_START;
    uint64_t key = id_key(id);
    for (;;) {
        uint32_t slot = index_find(&asks->by_id, key, &walk);
        if (slot == SLOT_NONE || ask_is(asks, slot, id))
            return slot;
    }
}

static void chain_pour(struct asks *asks, enum ask_state from, enum ask_state to) {
    while (asks->chains[from].count)
        ask_move(asks, asks->chains[from].first, to);
}

void asks_requeue(struct asks *asks) {
    /* Sent before queued keeps the order of the program's calls; what is only awaited comes last. */
    chain_pour(asks, ASK_QUEUED, ASK_SENT);
    chain_pour(asks, ASK_SENT, ASK_QUEUED);
    chain_pour(asks, ASK_LATER, ASK_QUEUED);
    chain_pour(asks, ASK_AWAITING, ASK_QUEUED);
}

void asks_resume(struct asks *asks) {
    chain_pour(asks, ASK_LATER, ASK_QUEUED);
}

void asks_refuse_sent(struct asks *asks, bool (*which)(enum verb), int code) {
    uint32_t next;
    for (uint32_t slot = asks->chains[ASK_SENT].first; slot != SLOT_NONE; slot = next) {
        next = asks->links[slot].next;
        if (!asks->at[slot].accepted && (!which || which(asks->at[slot].verb)))
            ask_refuse(asks, slot, code);
    }
}
