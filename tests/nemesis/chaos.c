/* chaos.c - one cycle: some faults by the dice, at points of the work by the dice, and then the
 * broker dies and is started again.
 *
 * A point of the work is a number of receipts and results since the broker listens; a quarter of
 * the kills come at none, while everybody still connects. Work that does not come, because the
 * faults are in its way, ends the wait after a while; but every so often a cycle without faults has to
 * see work, or the run fails: a broker that does nothing breaks no promise.
 */
#include "nemesis.h"
#include "skew.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    TICKS_MAX = 200,
    CYCLE_MS = 350, /* a cycle's work is not waited for longer */
    CALM_EVERY = 20,
    STOP_AGENT_MS = 700, /* at most; a lease is 150 ms */
    STOP_OTHER_MS = 250,
    NET_MS = 300,
    AHEAD_MAX_US = 1500000,
    MISSING_CHANCE = 400,
};

static unsigned roll(struct nemesis *n, unsigned sides) {
    return dice(&n->dice, sides);
}

/* --- Waiting ------------------------------------------------------------------------------------- */

/* A clock's skew has happened once a receipt carries it. */
static void clock_look(struct nemesis *n) {
    int64_t seen = atomic_load(&n->board->clock_ahead_us), moved = n->clock_ahead_us - n->clock_before_us;
    if (n->clock_waits == 0 || llabs(seen - n->clock_ahead_us) > llabs(moved) / 2)
        return;
    n->happened[n->clock_waits > 0 ? FAULT_CLOCK_AHEAD : FAULT_CLOCK_BACK]++;
    n->clock_waits = 0;
}

/* Until so much work was seen from `seen` on, while stopped processes go on at their time. */
static unsigned work_wait(struct nemesis *n, unsigned seen, unsigned more, int64_t until) {
    unsigned done;
    for (;;) {
        int64_t now = monotonic_us(), next = until;
        later_run(n, now);
        for (size_t i = 0; i < n->later_count; i++)
            if (n->later[i].at < next)
                next = n->later[i].at;
        done = board_wait(n->board, seen, more, (int)((next - now) / EST_US_PER_MS) + 1);
        clock_look(n);
        if (done >= more || monotonic_us() >= until)
            return done;
    }
}

/* --- Faults -------------------------------------------------------------------------------------- */

static struct player *player_pick(struct nemesis *n, const char *role) {
    for (;;) {
        struct player *p = &n->cast[roll(n, (unsigned)n->cast_count)];
        if (strcmp(p->role, role) == 0)
            return p;
    }
}

static void kill_one(struct nemesis *n, const char *role) {
    struct player *p = player_pick(n, role);
    player_kill(n, p);
    player_start(n, p);
}

static void net(struct nemesis *n, enum proxy_fault fault) {
    static const char *const names[] = {"delay", "cut", "reset", "hole"};
    int door = (int)roll(n, 2), ms = 20 + (int)roll(n, NET_MS); /* the operators' door has no player */
    chronicle(n, "net", "\"kind\":\"%s\",\"door\":%d,\"ms\":%d", names[fault], door, ms);
    proxy_fault(n->proxy, fault, door, ms);
}

/* Written down first: the checker has to know what the broker's clock said at any moment. */
void clock_set(struct nemesis *n, int64_t ahead_us) {
    if (!n->skews)
        return;
    chronicle(n, "clock", "\"ahead_us\":%lld", (long long)ahead_us);
    n->clock_before_us = n->clock_ahead_us;
    n->clock_ahead_us = ahead_us;
    skew_set(ahead_us);
}

/* A random walk within bounds: what goes ahead has to come back. */
static void clock_move(struct nemesis *n, int way) {
    if (!n->skews)
        return;
    int64_t to = n->clock_ahead_us + way * (100000 + (int64_t)roll(n, 900000));
    if (to > AHEAD_MAX_US || to < -AHEAD_MAX_US)
        return;
    n->clock_waits = way;
    clock_set(n, to);
}

static void fault_begin(struct nemesis *n, enum fault fault) {
    switch (fault) {
    case FAULT_KILL_AGENT:
        kill_one(n, "agent");
        return;
    case FAULT_KILL_REQUESTER:
        kill_one(n, "requester");
        return;
    case FAULT_STOP_BROKER:
        player_stop_for(n, NULL, 10 + (int)roll(n, 120));
        return;
    case FAULT_STOP_AGENT:
        player_stop_for(n, player_pick(n, "agent"), 50 + (int)roll(n, STOP_AGENT_MS));
        return;
    case FAULT_STOP_REQUESTER:
        player_stop_for(n, player_pick(n, "requester"), 20 + (int)roll(n, STOP_OTHER_MS));
        return;
    case FAULT_CLOCK_AHEAD:
    case FAULT_CLOCK_BACK:
        clock_move(n, fault == FAULT_CLOCK_AHEAD ? 1 : -1);
        return;
    default:
        net(n, (enum proxy_fault)(fault - FAULT_NET_DELAY));
        return;
    }
}

/* --- A cycle ------------------------------------------------------------------------------------- */

static uint64_t happened_already(struct nemesis *n, enum fault fault) {
    bool net_fault = fault >= FAULT_NET_DELAY && fault <= FAULT_NET_HOLE;
    return net_fault ? proxy_happened(n->proxy, (enum proxy_fault)(fault - FAULT_NET_DELAY))
                     : n->happened[fault];
}

/* What did not happen in the first half of a round, though drawn perhaps, is drawn often in the
 * second: a round without one of its faults is a failed round. */
static size_t faults_draw(struct nemesis *n, bool second_half, enum fault ret_faults[FAULT_COUNT]) {
#define FAULT_CHANCE(name, text, chance) chance,
    static const unsigned chances[] = {FAULTS(FAULT_CHANCE)};
#undef FAULT_CHANCE
    size_t count = 0;
    for (unsigned fault = FAULT_KILL_BROKER + 1; fault < FAULT_COUNT; fault++) {
        bool is_missing = second_half && happened_already(n, (enum fault)fault) == 0;
        if (roll(n, 1000) < (is_missing ? MISSING_CHANCE : chances[fault]))
            ret_faults[count++] = (enum fault)fault;
    }
    for (size_t i = count; i > 1; i--) { /* in any order */
        size_t other = roll(n, (unsigned)i);
        enum fault kept = ret_faults[i - 1];
        ret_faults[i - 1] = ret_faults[other];
        ret_faults[other] = kept;
    }
    return count;
}

/* Nothing is in the way of work, so it has to come. */
static void calm(struct nemesis *n) {
    later_run(n, INT64_MAX);
    proxy_calm(n->proxy);
    unsigned seen = atomic_load(&n->board->ticks);
    int64_t until = monotonic_us() + WAIT_MS * EST_US_PER_MS;
    if (work_wait(n, seen, TICKS_MAX / 4, until) < TICKS_MAX / 4)
        fail_msg("no work is done, and nothing is in its way");
}

void cycle_run(struct nemesis *n, unsigned number, bool second_half) {
    enum fault faults[FAULT_COUNT];
    unsigned seen = atomic_load(&n->board->ticks), done = 0;
    unsigned ticks = roll(n, 4) == 0 ? 0 : 1 + roll(n, TICKS_MAX);
    int64_t until = monotonic_us() + CYCLE_MS * EST_US_PER_MS;
    chronicle(n, "cycle", "\"number\":%u,\"ticks\":%u", number, ticks);
    if (number % CALM_EVERY == CALM_EVERY - 1)
        calm(n);
    size_t count = faults_draw(n, second_half, faults);
    for (size_t i = 0; i < count; i++) {
        unsigned point = ticks * (unsigned)(i + 1) / (unsigned)(count + 1);
        if (done < point)
            done = work_wait(n, seen, point, until);
        fault_begin(n, faults[i]);
    }
    if (done < ticks)
        work_wait(n, seen, ticks, until);
    later_run(n, monotonic_us());
    broker_kill(n);
    broker_start(n);
}
