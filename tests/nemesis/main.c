/* main.c - estelam-nemesis: real processes on loopback, and somebody who wishes them ill.
 *
 *     estelam-nemesis [--cycles N] [--minutes M] [--seed S] [--round N] [--seconds T] [--keep]
 *
 * A round is a town, so many cycles each ended by a kill of the broker, and then the settling and
 * the judging; rounds follow each other until cycles or minutes are over. It is one claim of a
 * cmocka group, so that whatever fails ends every process and says where.
 */
#include "nemesis.h"
#include "skew.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUND_CYCLES = 500, EVERY_KIND_FROM = 300 };

static struct nemesis nemesis;
static uint64_t happened[FAULT_COUNT];

static void round_run(struct nemesis *n, unsigned number, unsigned cycles) {
    unsigned done;
    n->seed = n->plan.seed + number;
    n->dice = n->seed;
    memset(n->happened, 0, sizeof n->happened);
    n->clock_ahead_us = n->clock_before_us = n->clock_waits = 0;
    n->later_count = 0;
    cast_begin(n);
    int64_t began = now_ms(), until = began + (n->plan.seconds ? n->plan.seconds * 1000 : INT32_MAX);
    for (done = 0; done < cycles && !(done >= EVERY_KIND_FROM && now_ms() >= until); done++)
        cycle_run(n, done, done >= cycles / 2 || now_ms() - began > (until - began) / 2);
    int64_t calm = now_ms();
    settle(n);
    int64_t settled = now_ms();
    judge(n);
    if (!n->settled)
        fail_msg("not everything came to its end, though the checker sees no broken promise");
    print_message("             round %u, seed %" PRIu64
                  ": %u kills of the broker in %.1f s, settled in %.1f s, "
                  "judged in %.1f s\n",
                  number + 1, n->seed, done, (double)(calm - began) / 1e3, (double)(settled - calm) / 1e3,
                  (double)(now_ms() - settled) / 1e3);
    for (int i = 0; i < FAULT_COUNT; i++)
        happened[i] += n->happened[i];
    cast_end(n);
}

static void figures_print(const struct nemesis *n, double seconds) {
    static const char *const texts[] = {
#define FAULT_TEXT(name, text, chance) text,
        FAULTS(FAULT_TEXT)
#undef FAULT_TEXT
    };
    for (int i = 0; i < FAULT_COUNT; i++)
        print_message("             %8" PRIu64 "  %s\n", happened[i], texts[i]);
    for (size_t i = 0; i < n->figures_count; i++)
        print_message("             %8" PRIu64 "  %s\n", n->figures[i].value, n->figures[i].name);
    print_message("             %8.1f  seconds in all; seed %" PRIu64 "\n", seconds, n->plan.seed);
}

/* A fault that never happened proves nothing. So do the consequences it should have had. */
static void kinds_expect(const struct nemesis *n, unsigned cycles) {
    static const char *const figures[] = {"answered",       "expired",        "cancelled",    "results_again",
                                          "receipts_again", "takes_again",    "requeued",     "spoiled",
                                          "leases_lost",    "waited_at_end",  "two_accounts", "foreign_asked",
                                          "conflicts",      "leases_expired", "foreign_acks"};
    if (cycles < EVERY_KIND_FROM)
        return;
    for (int i = 0; i < FAULT_COUNT; i++) {
        bool possible = n->skews || (i != FAULT_CLOCK_AHEAD && i != FAULT_CLOCK_BACK);
        if (possible && happened[i] == 0)
            fail_msg("fault %d of the table never happened", i);
    }
    for (size_t i = 0; i < sizeof figures / sizeof *figures; i++)
        if (figure(n, figures[i]) == 0)
            fail_msg("%s is zero: the storm did not reach there", figures[i]);
}

static void every_promise_holds_under_the_nemesis(void **state) {
    (void)state;
    struct nemesis *n = &nemesis;
    unsigned done = 0, number = 0;
    int64_t began = now_ms(), until = n->plan.minutes ? began + n->plan.minutes * 60000 : INT64_MAX;
    print_message("             seed %" PRIu64 "\n", n->plan.seed);
    while (done < n->plan.cycles && now_ms() < until) {
        unsigned cycles = n->plan.cycles - done < n->plan.round ? n->plan.cycles - done : n->plan.round;
        round_run(n, number++, cycles);
        done += cycles;
    }
    figures_print(n, (double)(now_ms() - began) / 1e3);
    if (!n->skews)
        print_message("             the broker's clock was left alone: no libfaketime for this build\n");
    kinds_expect(n, done);
}

/* What is left of a round that failed. The town's folder goes with the town; its store is copied. */
static int round_remains(void **state) {
    struct nemesis *n = &nemesis;
    if (n->folder[0]) {
        char store[FOLDER_MAX + 16], copy[FOLDER_SIZE + 16];
        pid_t pid = n->town && n->town->broker ? child_pid(n->town->broker) : 0;
        snprintf(store, sizeof store, "%.*s/store", FOLDER_MAX, n->town ? n->town->folder : "/nowhere");
        snprintf(copy, sizeof copy, "%.*s/store", FOLDER_SIZE, n->folder);
        const char *const argv[] = {"/bin/cp", "-r", store, copy, NULL};
        struct child *child = child_start(argv);
        child_wait(child);
        print_error("seed %" PRIu64 ": histories and store are kept in %s\n", n->seed, n->folder);
        int result = harness_teardown(state);
        if (pid > 0)
            skew_sweep(pid);
        return result;
    }
    return harness_teardown(state);
}

/* --- The command line ---------------------------------------------------------------------------- */

static int usage(void) {
    fputs("usage: estelam-nemesis [--cycles N] [--minutes M] [--seed S] [--round N] [--seconds T] [--keep]\n"
          "  --cycles   kills of the broker in all (500)\n"
          "  --minutes  no new round begins after this long\n"
          "  --seed     of every die; the same seed gives the same faults at the same points of the work\n"
          "  --round    kills between two judgements (500)\n"
          "  --seconds  a round's faults end after this long and 300 kills at least, though kills are left\n"
          "  --keep     keep the histories of rounds that went well too\n",
          stderr);
    return 2;
}

static bool plan_read(int argc, char **argv, struct plan *ret) {
    *ret = (struct plan){.cycles = ROUND_CYCLES, .round = ROUND_CYCLES, .seed = (uint64_t)wall_us() / 1000};
    bool cycles = false;
    for (int i = 1; i < argc; i++) {
        char *end = NULL;
        if (strcmp(argv[i], "--keep") == 0) {
            ret->keep = true;
            continue;
        }
        if (i + 1 == argc)
            return false;
        uint64_t value = strtoull(argv[i + 1], &end, 10);
        if (*end || !argv[i + 1][0])
            return false;
        if (strcmp(argv[i], "--cycles") == 0)
            ret->cycles = (unsigned)value, cycles = true;
        else if (strcmp(argv[i], "--minutes") == 0)
            ret->minutes = (int64_t)value;
        else if (strcmp(argv[i], "--seconds") == 0)
            ret->seconds = (int64_t)value;
        else if (strcmp(argv[i], "--seed") == 0)
            ret->seed = value;
        else if (strcmp(argv[i], "--round") == 0 && value > 0)
            ret->round = (unsigned)value;
        else
            return false;
        i++;
    }
    if (ret->minutes && !cycles)
        ret->cycles = UINT32_MAX;
    return ret->cycles > 0;
}

int main(int argc, char **argv) {
    if (!plan_read(argc, argv, &nemesis.plan))
        return usage();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(every_promise_holds_under_the_nemesis, round_remains),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
