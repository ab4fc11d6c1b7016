/* main.c - estelam-sim: many seeds, or one; and when one fails, its story, as short as it gets. */
#include "sim.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char help[] =
    "estelam-sim - the real broker core and far ends in a simulated city, by seeds\n"
    "\n"
    "  estelam-sim [--seeds N] [--from S] [--minutes M] [--quick]   a campaign\n"
    "  estelam-sim --seed S [--story]                               one run\n"
    "\n"
    "      --seeds N     this many seeds (default 5000)\n"
    "      --from S      the first seed (default 1)\n"
    "      --minutes M   seeds until the time is up\n"
    "      --quick       seeds for twenty seconds\n"
    "      --seed S      this seed alone; --story tells everything that happens in it\n"
    "      --steps N     batches of the broker before the faults stop (default: drawn by the seed)\n"
    "      --without K   without this kind of fault; may be repeated\n"
    "      --mutant      expect a failure: say which invariant found it, and do not shrink\n"
    "      --list        the invariants and the kinds of faults\n"
    "\n"
    "exit status: 0 all held; 1 an invariant was violated, or a kind of fault never happened; 2 usage.\n";

struct options {
    uint64_t seeds, from, seed;
    unsigned steps;
    double seconds;
    uint32_t kinds;
    bool one, story, mutant;
};

struct totals {
    uint64_t runs, steps, events, frames, restarts, writes, overlapped, faults[FAULT_COUNT];
};

static double core_seconds(void) {
    return (double)clock() / CLOCKS_PER_SEC;
}

static double seconds_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static enum run_end run(struct plan plan, enum telling how) {
    story_begin(how);
    violated = NULL;
    return sim_run(&plan);
}

/* --- A failure ----------------------------------------------------------------------------------------- */

static bool fails_alike(struct plan plan, const struct invariant *as) {
    return run(plan, TELL_NOTHING) == RUN_VIOLATED && violated == as;
}

/* Fewer batches, then fewer kinds of faults, as long as the same invariant breaks. */
static struct plan shrink(struct plan plan, const struct invariant *as) {
    unsigned low = 1, high = sim.steps_wanted < sim.steps + 1 ? sim.steps_wanted : sim.steps + 1;
    struct plan shorter = plan;
    for (shorter.steps = high; low < high;) {
        shorter.steps = (low + high) / 2;
        if (fails_alike(shorter, as))
            high = shorter.steps;
        else
            low = shorter.steps + 1;
    }
    shorter.steps = high;
    if (fails_alike(shorter, as))
        plan = shorter;
    for (int kind = 0; kind < FAULT_COUNT; kind++) {
        struct plan milder = plan;
        milder.kinds &= ~(1u << kind);
        if (milder.kinds != plan.kinds && fails_alike(milder, as))
            plan = milder;
    }
    return plan;
}

static void failure_print(struct plan plan, bool may_shrink) {
    const struct invariant *as = violated;
    printf("seed %" PRIu64 " violates %s: %s\n   %s\n", plan.seed, as->name, as->sentence, violation_text);
    if (may_shrink)
        plan = shrink(plan, as);
    run(plan, TELL_LAST);
    printf("\nIts story, %s; again with: estelam-sim --seed %" PRIu64 " --story",
           may_shrink ? "shrunk" : "whole", plan.seed);
    if (plan.steps != 0)
        printf(" --steps %u", plan.steps);
    for (int kind = 0; kind < FAULT_COUNT; kind++)
        if (!(plan.kinds >> kind & 1))
            printf(" --without %s", fault_kinds[kind].name);
    printf("\n\n");
    story_print_last(70);
}

/* --- Campaigns
 * ---------------------------------------------------------------------------------------------- */

static void totals_add(struct totals *t) {
    t->runs++;
    t->steps += sim.steps;
    t->events += sim.events;
    t->frames += sim.frames;
    t->restarts += sim.restarts;
    t->writes += sim.writes;
    t->overlapped += sim.overlapped;
    for (int kind = 0; kind < FAULT_COUNT; kind++)
        t->faults[kind] += sim.faults[kind];
}

static int totals_print(const struct totals *t, double seconds, const struct options *o) {
    int missing = 0;
    printf("%" PRIu64 " schedules, seeds %" PRIu64 " ... %" PRIu64 ": every invariant held\n", t->runs,
           o->from, o->from + t->runs - 1);
    printf("%.0f schedules a minute, %.0f a minute of one core's time; %" PRIu64 " batches, %" PRIu64
           " events, %" PRIu64 " frames, %" PRIu64 " starts\n",
           (double)t->runs * 60 / seconds, (double)t->runs * 60 / core_seconds(), t->steps, t->events, t->frames, t->restarts);
    printf("%" PRIu64 " batches wrote, %.0f %% of them were left under way; %" PRIu64 " were begun meanwhile\n",
           t->writes, t->writes > 0 ? 100.0 * (double)t->faults[FAULT_OVERLAP] / (double)t->writes : 0, t->overlapped);
    for (int kind = 0; kind < FAULT_COUNT; kind++) {
        printf("  %-20s %10" PRIu64 "  %s\n", fault_kinds[kind].name, t->faults[kind],
               fault_kinds[kind].sentence);
        if (t->faults[kind] > 0 || !(o->kinds >> kind & 1))
            continue;
        printf("FAILED: %s never happened\n", fault_kinds[kind].name);
        missing = 1;
    }
    return missing;
}

static int mutant_report(const struct options *o, const struct plan *plan) {
    printf("caught by %s with seed %" PRIu64 " (%" PRIu64 " seeds): %s\n", violated->name, plan->seed,
           plan->seed - o->from + 1, violation_text);
    return 1;
}

static int campaign(const struct options *o) {
    static struct totals totals;
    double began = seconds_now();
    for (uint64_t i = 0; o->seconds > 0 ? seconds_now() - began < o->seconds : i < o->seeds; i++) {
        struct plan plan = {.seed = o->from + i, .steps = o->steps, .kinds = o->kinds};
        if (run(plan, TELL_NOTHING) == RUN_VIOLATED) {
            if (o->mutant)
                return mutant_report(o, &plan);
            failure_print(plan, true);
            return 1;
        }
        totals_add(&totals);
    }
    return totals_print(&totals, seconds_now() - began, o);
}

static int one(const struct options *o) {
    struct plan plan = {.seed = o->seed, .steps = o->steps, .kinds = o->kinds};
    enum run_end end = run(plan, o->story ? TELL_ALL : TELL_NOTHING);
    if (end == RUN_VIOLATED && o->story)
        printf("seed %" PRIu64 " violates %s: %s\n   %s\n", plan.seed, violated->name, violated->sentence,
               violation_text);
    else if (end == RUN_VIOLATED)
        failure_print(plan, o->kinds == UINT32_MAX);
    else
        printf("seed %" PRIu64 ": every invariant held; %u batches, %" PRIu64 " events, %" PRIu64 " starts\n",
               plan.seed, sim.steps, sim.events, sim.restarts);
    printf("digest %016" PRIx64 "\n", sim.digest);
    for (int kind = 0; kind < FAULT_COUNT; kind++)
        if (sim.faults[kind] > 0)
            printf("  %-20s %6" PRIu64 "\n", fault_kinds[kind].name, sim.faults[kind]);
    return end == RUN_VIOLATED;
}

static int list(void) {
    for (size_t i = 0; i < invariants_count(); i++)
        printf("| %s | %s |\n", invariant_at(i)->name, invariant_at(i)->sentence);
    printf("\n");
    for (int kind = 0; kind < FAULT_COUNT; kind++)
        printf("| %s | %s |\n", fault_kinds[kind].name, fault_kinds[kind].sentence);
    return 0;
}

/* --- Options
 * --------------------------------------------------------------------------------------------------- */

static bool kind_leave_out(struct options *o, const char *name) {
    for (int kind = 0; kind < FAULT_COUNT; kind++)
        if (strcmp(fault_kinds[kind].name, name) == 0) {
            o->kinds &= ~(1u << kind);
            return true;
        }
    fprintf(stderr, "estelam-sim: no kind of fault is called `%s`; see --list\n", name);
    return false;
}

enum { OPT_LIST = 'l', OPT_HELP = 'h' };

/* 0: go on; 1: help or list was wanted; -1: usage. */
static int options_read(int argc, char **argv, struct options *o) {
    static const struct option known[] = {
        {"seeds", required_argument, NULL, 'n'}, {"from", required_argument, NULL, 'f'},
        {"seed", required_argument, NULL, 's'},  {"minutes", required_argument, NULL, 'm'},
        {"steps", required_argument, NULL, 'b'}, {"without", required_argument, NULL, 'w'},
        {"quick", no_argument, NULL, 'q'},       {"story", no_argument, NULL, 't'},
        {"mutant", no_argument, NULL, 'x'},      {"list", no_argument, NULL, OPT_LIST},
        {"help", no_argument, NULL, OPT_HELP},   {0}};
    for (int c; (c = getopt_long(argc, argv, "h", known, NULL)) != -1;) {
        switch (c) {
        case 'n':
            o->seeds = strtoull(optarg, NULL, 10);
            break;
        case 'f':
            o->from = strtoull(optarg, NULL, 10);
            break;
        case 's':
            o->seed = strtoull(optarg, NULL, 10), o->one = true;
            break;
        case 'm':
            o->seconds = strtod(optarg, NULL) * 60;
            break;
        case 'b':
            o->steps = (unsigned)strtoul(optarg, NULL, 10);
            break;
        case 'q':
            o->seconds = 20;
            break;
        case 't':
            o->story = true;
            break;
        case 'x':
            o->mutant = true;
            break;
        case 'w':
            if (!kind_leave_out(o, optarg))
                return -1;
            break;
        case OPT_LIST:
            return list(), 1;
        case OPT_HELP:
            return fputs(help, stdout), 1;
        default:
            return -1;
        }
    }
    return optind == argc && o->seeds > 0 ? 0 : -1;
}

int main(int argc, char **argv) {
    struct options o = {.seeds = 5000, .from = 1, .kinds = UINT32_MAX};
    int wanted = options_read(argc, argv, &o);
    if (wanted < 0)
        fputs("estelam-sim: see --help\n", stderr);
    if (wanted != 0)
        return wanted < 0 ? 2 : 0;
    if (process_load_city() < 0)
        return fprintf(stderr, "estelam-sim: the simulated city in %s cannot be loaded\n", SIM_CITY), 2;
    return o.one ? one(&o) : campaign(&o);
}
