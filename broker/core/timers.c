/* timers.c - instants in order: a heap of eight children a node, each entry knowing its position.
 *
 * Deadlines mostly come in rising order, so adding one touches a single node; nothing ever waits
 * for the head of a queue to expire. Leases are not here: all are equally long, so a session's
 * list of leases is in the order of their ends already, and only its first one matters.
 *
 * An entry may come due too early, never too late: whom it wakes looks at what is true now and sets it right. So
 * an end moves nothing: the entry of an inquiry outlives it, and is the next one's that gets the same place, whose
 * deadline is as a rule later. To take each out at its end went down the whole heap, for the oldest is at its top:
 * in a queue of ten million 0.35 of the loop's 4 µs for each.
 */
#include "state.h"

enum { CHILDREN = 8 };

static uint32_t *position(struct heap *h, uint32_t who) {
    return (uint32_t *)(void *)(h->positions + h->stride * who);
}

static void put(struct heap *h, uint32_t at, struct timer t) {
    h->at[at] = t;
    *position(h, t.who) = at;
}

/* Equal instants go by `who`, so that order never depends on history. */
static bool before(struct timer a, struct timer b) {
    return a.at_us != b.at_us ? a.at_us < b.at_us : a.who < b.who;
}

static void rise(struct heap *h, uint32_t at, struct timer t) {
    while (at > 0) {
        uint32_t parent = (at - 1) / CHILDREN;
        if (!before(t, h->at[parent]))
            break;
        put(h, at, h->at[parent]);
        at = parent;
    }
    put(h, at, t);
}

static void sink(struct heap *h, uint32_t at, struct timer t) {
    for (;;) {
        uint32_t first = at * CHILDREN + 1, least = NONE;
        for (uint32_t child = first; child < first + CHILDREN && child < h->count; child++)
            if (least == NONE || before(h->at[child], h->at[least]))
                least = child;
        if (least == NONE || !before(h->at[least], t))
            break;
        put(h, at, h->at[least]);
        at = least;
    }
    put(h, at, t);
}

void heap_set(struct heap *h, uint32_t who, int64_t at_us) {
    struct timer t = {at_us, who};
    uint32_t at = *position(h, who);
    if (at == NONE)
        rise(h, h->count++, t);
    else if (before(t, h->at[at]))
        rise(h, at, t);
    else
        sink(h, at, t);
}

void heap_remove(struct heap *h, uint32_t who) {
    uint32_t at = *position(h, who);
    if (at == NONE)
        return;
    *position(h, who) = NONE;
    struct timer last = h->at[--h->count];
    if (at == h->count)
        return;
    if (before(last, h->at[at]))
        rise(h, at, last);
    else
        sink(h, at, last);
}

void inquiry_timer(struct core *c, uint32_t inquiry) {
    const struct inquiry *q = &c->inquiries[inquiry];
    if (!est_state_is_final(q->state) && (q->timer == NONE || c->due.at[q->timer].at_us > q->due_us))
        heap_set(&c->due, inquiry, q->due_us);
}
