/* faults.c - what breaks, when, and how often it really did.
 *
 * Each seed draws its own half of the kinds and its own pace: runs that see everything at once see
 * little of each. Every kind draws from a stream of its own, so that leaving one out (which is how
 * a story is shrunk) changes the others as little as can be.
 */
#include "sim.h"

#include <signal.h>

const struct fault_kind fault_kinds[FAULT_COUNT] = {
#define FAULT_ROW(enum_name, text, every_ms, sentence) {text, every_ms, sentence},
    FAULTS(FAULT_ROW)
#undef FAULT_ROW
};

static struct rng streams[FAULT_COUNT];
static int64_t next_at[FAULT_COUNT];
static unsigned pace; /* in percent of the mean interval */

/* Those that only follow from others, or are counted where they are seen, are always on. */
static bool is_consequence(enum fault kind) {
    return kind == FAULT_LOSS || kind == FAULT_HEAL || kind == FAULT_HIGH_WATER || kind == FAULT_DUPLICATE ||
           kind == FAULT_OVERLAP;
}

static void schedule(enum fault kind) {
    int64_t every_us = fault_kinds[kind].every_ms * EST_US_PER_MS * pace / 100;
    next_at[kind] =
        every_us == 0 ? INT64_MAX : sim.now + rng_between(&streams[kind], every_us / 20, 2 * every_us);
}

void faults_reset(void) {
    struct rng draw = rng_from(sim.plan.seed, 1000);
    pace = (unsigned)rng_between(&draw, 20, 120);
    uint32_t drawn = (uint32_t)rng_next(&draw);
    if (rng_chance(&draw, 150))
        drawn = UINT32_MAX;
    for (int kind = 0; kind < FAULT_COUNT; kind++) {
        if (is_consequence((enum fault)kind))
            drawn |= 1u << kind;
        streams[kind] = rng_from(sim.plan.seed, 2000 + (uint64_t)kind);
    }
    sim.kinds = drawn & sim.plan.kinds;
    for (int kind = 0; kind < FAULT_COUNT; kind++)
        schedule((enum fault)kind);
}

bool fault_is_on(enum fault kind) {
    return sim.phase == PHASE_STORM && (sim.kinds >> kind & 1) != 0;
}

bool fault_comes(enum fault kind, unsigned per_mille) {
    return fault_is_on(kind) && rng_chance(&streams[kind], per_mille);
}

struct rng *fault_rng(enum fault kind) {
    return &streams[kind];
}

void fault_count(enum fault kind) {
    sim.faults[kind]++;
    if (kind != FAULT_LOSS && kind != FAULT_DUPLICATE && kind != FAULT_OVERLAP)
        tell("~~ %s: %s", fault_kinds[kind].name, fault_kinds[kind].sentence);
}

/* --- What each kind does ------------------------------------------------------------------------------- */

static struct far_end *any_far_end(enum fault kind) {
    return &far_ends[rng_below(&streams[kind], FAR_ENDS)];
}

static void strike_connection(enum fault kind) {
    struct far_end *f = any_far_end(kind);
    if (f->wire == WIRE_NONE)
        return;
    fault_count(kind);
    tell("   it is %s's", f->name);
    if (kind == FAULT_CUT)
        wire_cut(f->wire);
    else
        f->wire = wire_swap(f->wire);
}

static void strike_partition(enum fault kind) {
    static unsigned order;
    int far = (int)rng_between(&streams[kind], 1, 5);
    fault_count(kind);
    for (int i = 0; i < far; i++) {
        struct far_end *f = any_far_end(kind);
        f->partitioned_until = sim.now + rng_between(&streams[kind], 300, 22000) * EST_US_PER_MS;
        f->order = ++order;
        tell("   %s", f->name);
    }
}

static void strike_far_end(enum fault kind) {
    struct far_end *f = any_far_end(kind);
    if (f->dead)
        return;
    fault_count(kind);
    tell("   it is %s", f->name);
    if (kind == FAULT_DEATH)
        far_die(f, rng_between(&streams[kind], 50, 8000) * EST_US_PER_MS);
    else
        f->frozen_until = sim.now + rng_between(&streams[kind], 500, 30000) * EST_US_PER_MS;
}

/* Disk and crash: the next batch that has something to lose meets it. */
static void strike_batch(enum fault kind) {
    static const enum arm arms[FAULT_COUNT] = {[FAULT_COMMIT_FAILS] = ARM_FAIL,
                                               [FAULT_COMMIT_UNKNOWN] = ARM_UNKNOWN,
                                               [FAULT_DISK_FULL] = ARM_FULL,
                                               [FAULT_CRASH_BEFORE] = ARM_CRASH_BEFORE,
                                               [FAULT_CRASH_AFTER] = ARM_CRASH_AFTER,
                                               [FAULT_CRASH_WRITING] = ARM_CRASH_WRITING};
    if (sim.arm == ARM_NONE)
        sim.arm = arms[kind];
}

static void strike_sending(enum fault kind) {
    sim.crash_after_frames = (int)rng_below(&streams[kind], 4);
}

static void strike_slow(enum fault kind) {
    sim.slow_us = rng_between(&streams[kind], 200, 6000) * EST_US_PER_MS;
}

static void strike_nearly_full(enum fault kind) {
    sim.nearly_full_until = sim.now + rng_between(&streams[kind], 2000, 9000) * EST_US_PER_MS;
}

static void strike_signal(enum fault kind) {
    sim.signal = kind == FAULT_STOP ? SIGTERM : SIGHUP;
    sim.signal_rides = rng_chance(&streams[kind], 500);
}

static void strike_clock(enum fault kind) {
    int64_t jump =
        rng_between(&streams[kind], 1, rng_chance(&streams[kind], 300) ? 60000 : 4000) * EST_US_PER_MS;
    fault_count(kind);
    tell("   by %lld ms", (long long)(jump / EST_US_PER_MS));
    sim.skew += kind == FAULT_JUMP_AHEAD ? jump : -jump;
}

static void (*const strikes[FAULT_COUNT])(enum fault) = {
    [FAULT_CUT] = strike_connection,          [FAULT_UNSEEN] = strike_connection,
    [FAULT_PARTITION] = strike_partition,     [FAULT_COMMIT_FAILS] = strike_batch,
    [FAULT_COMMIT_UNKNOWN] = strike_batch,    [FAULT_DISK_FULL] = strike_batch,
    [FAULT_NEARLY_FULL] = strike_nearly_full, [FAULT_SLOW] = strike_slow,
    [FAULT_CRASH_BEFORE] = strike_batch,      [FAULT_CRASH_AFTER] = strike_batch,
    [FAULT_CRASH_SENDING] = strike_sending,   [FAULT_STOP] = strike_signal,
    [FAULT_RELOAD] = strike_signal,           [FAULT_JUMP_AHEAD] = strike_clock,
    [FAULT_JUMP_BACK] = strike_clock,         [FAULT_FREEZE] = strike_far_end,
    [FAULT_DEATH] = strike_far_end,           [FAULT_CRASH_WRITING] = strike_batch,
};

int64_t faults_next_at(void) {
    int64_t at = INT64_MAX;
    for (int kind = 0; kind < FAULT_COUNT; kind++)
        if (fault_is_on((enum fault)kind) && next_at[kind] < at)
            at = next_at[kind];
    return at;
}

void faults_strike(void) {
    for (int kind = 0; kind < FAULT_COUNT; kind++) {
        if (!fault_is_on((enum fault)kind) || next_at[kind] > sim.now)
            continue;
        strikes[kind]((enum fault)kind);
        schedule((enum fault)kind);
    }
}
