/* world.c - virtual time, and whose turn it is.
 *
 * The broker's own loop drives: it waits in net_wait, and while it waits the world goes on from
 * one instant to the next at which somebody has something to do. A run is a storm, in which faults
 * happen, and then a calm, in which everything must come to rest within a bound.
 */
#include "sim.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

enum { SETTLES_WITHIN_S = 1800, TIME_FIRST_S = 1800000000 };

struct sim sim;

uint64_t print_bytes(uint64_t print, est_slice bytes) {
    const uint8_t *at = bytes.data;
    for (size_t i = 0; i < bytes.size; i++)
        print = (print ^ at[i]) * 0x100000001b3ULL;
    return (print ^ bytes.size) * 0x9e3779b97f4a7c15ULL ^ print >> 29;
}

uint64_t print_body(est_slice body) {
    struct cursor c;
    size_t pairs = 0;
    est_slice key, value;
    uint64_t print = 0;
    cursor_init(&c, body);
    if (body.size == 0 || !cursor_map(&c, FRAME_PAIRS_MAX, &pairs))
        return 0;
    for (size_t i = 0; i < pairs && cursor_text(&c, EST_NAME_MAX, &key) && cursor_value(&c, &value); i++)
        print += print_bytes(print_bytes(1, key), value); /* a sum: the order of keys is nothing */
    return print;
}

void world_begin_settling(void) {
    tell("== the faults stop after %u batches", sim.steps);
    sim.phase = PHASE_SETTLING;
    sim.settling_since = sim.now;
    sim.arm = ARM_NONE;
    sim.crash_after_frames = -1;
    sim.slow_us = 0;
    sim.signal = sim.reloaded ? SIGHUP : 0;
    sim.signal_rides = false;
    for (int i = 0; i < FAR_ENDS; i++) {
        struct far_end *f = &far_ends[i];
        f->frozen_until = f->frozen_until > sim.now ? sim.now + 1 : f->frozen_until;
        f->partitioned_until = f->partitioned_until > sim.now ? sim.now + 1 : f->partitioned_until;
        f->act_at = sim.now + (int64_t)rng_below(&f->rng, 100000);
    }
}

/* Every inquiry has ended and been acknowledged, and everybody knows all that they asked for. What
 * is still open, or NULL. */
static const char *unsettled(void) {
    static char text[96];
    for (size_t i = 0; i < disk_rows(); i++) {
        const struct inquiry_row *row = disk_row(i);
        if (row->acked.us != 0)
            continue;
        snprintf(text, sizeof text, "#%llu of account %u, id %d, is %s and not acknowledged",
                 (unsigned long long)row->number, row->account, row->id.bytes[15],
                 est_state_name((enum est_state)row->state));
        return text;
    }
    if (!sim.broker_is_up || sim.signal != 0 || disk_head_seq() != disk_durable_seq())
        return "the broker is not at rest";
    const struct far_end *f = far_ends_undone();
    if (f != NULL)
        snprintf(text, sizeof text, "%s still waits for something", f->name);
    return f != NULL ? text : wires_are_quiet() ? NULL : "frames are on their way";
}

static void phase_turn(void) {
    if (sim.phase == PHASE_STORM && (sim.steps >= sim.steps_wanted || disk_head_seq() > NUMBERS / 2))
        world_begin_settling();
    if (sim.phase != PHASE_SETTLING)
        return;
    const char *open = unsettled();
    if (open == NULL) {
        oracle_settled();
        sim_end(RUN_SETTLED);
    }
    if (sim.now > sim.settling_since + SETTLES_WITHIN_S * EST_US_PER_S)
        violate(&invariant_all_settles, "%d s after the last fault %s", SETTLES_WITHIN_S, open);
}

void sim_end(enum run_end how) {
    longjmp(sim.end, (int)how);
}

static struct far_end *next_far_end(int64_t *ret_at) {
    struct far_end *first = NULL;
    *ret_at = INT64_MAX;
    for (int i = 0; i < FAR_ENDS; i++) {
        int64_t at = far_next_at(&far_ends[i]);
        if (at < *ret_at) {
            *ret_at = at;
            first = &far_ends[i];
        }
    }
    return first;
}

static void pass_until(int64_t at) {
    if (at > sim.now)
        sim.now = at;
}

bool world_run(int64_t until) {
    int64_t broker_at = INT64_MAX, far_at, fault_at;
    wires_tidy();
    phase_turn();
    for (;;) {
        bool waits = wire_waits_for_broker(&broker_at);
        if (sim.broker_is_up && (waits || (sim.signal != 0 && !sim.signal_rides)))
            return true;
        if (!sim.broker_is_up)
            broker_at = INT64_MAX;
        struct far_end *f = next_far_end(&far_at);
        fault_at = faults_next_at();
        int64_t at = far_at < fault_at ? far_at : fault_at;
        if (broker_at < at)
            at = broker_at;
        if (at > until) {
            pass_until(until);
            return false;
        }
        pass_until(at);
        if (at == fault_at)
            faults_strike();
        else if (at == far_at && f != NULL)
            far_run(f);
    }
}

static void sim_reset(const struct plan *plan) {
    memset(&sim, 0, sizeof sim);
    sim.plan = *plan;
    sim.now = TIME_FIRST_S * EST_US_PER_S;
    sim.rng = rng_from(plan->seed, 1);
    sim.crash_after_frames = -1;
    sim.steps_wanted = plan->steps != 0 ? plan->steps : (unsigned)rng_between(&sim.rng, 100, 500);
    faults_reset();
    disk_reset();
    wires_reset();
    notebooks_reset();
    far_ends_reset();
    oracle_reset();
}

enum run_end sim_run(const struct plan *plan) {
    sim_reset(plan);
    int end = setjmp(sim.end);
    while (end == 0)
        process_live();
    process_clean();
    far_ends_clean();
    wires_reset();
    return (enum run_end)end;
}
