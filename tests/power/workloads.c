/* workloads.c - see workloads.h. Columns:
 *
 *   name, batches, events a batch, body, {submit answer acknowledge fail end set drain}, acknowledged
 *   at once, restart, dies, abort, random ids, prefill and size in MiB, resizes, oldest first, share of the states
 *
 * The journal has an eighth of the size, at least 256 KiB: with 2 MiB it goes round after 64 batches of
 * a block, and a batch larger than that goes past it.
 */
#include "workloads.h"

#include <string.h>

#define USUAL {40, 36, 12, 6, 4, 1, 1}
/* Nothing is defined: all of it goes through the journal. */
#define PLAIN {40, 36, 13, 7, 4, 0, 0}

/* A table is read by its rows. */
/* clang-format off */
const struct workload workloads[] = {
    {"one-by-one",        150,   1,    1,     0,   200, PLAIN,                        4,  0, false, 0, false, 0,    2, false, false, 100},
    {"small-batches",     120,   1,    8,     0,   200, USUAL,                        8,  0, false, 0, false, 0,    2, false, false, 100},
    {"usual-batches",      60,  20,   60,     0,   300, PLAIN,                       16,  0, false, 0, false, 0,    2, false, false, 100},
    {"big-batches",         6, 400,  900,     0,   200, PLAIN,                       64,  0, false, 0, false, 0,    4, false, false, 100},
    {"one-huge-batch",      1,3000, 3000,     0,   100, USUAL,                       64,  0, false, 0, false, 0,    4, false, false,  50},
    {"growth",             60,  20,   40,     0,   900, {100, 0, 0, 0, 0, 0, 0},      1,  0, false, 0, false, 0,    8, false, false, 100},
    {"growth-random-ids",  60,  20,   40,     0,   100, {100, 0, 0, 0, 0, 0, 0},      1,  0, false, 0, true,  0,    4, false, false, 100},
    {"churn",             100,   4,   12,     0,   100, {34, 33, 33, 0, 0, 0, 0},     2,  0, false, 0, false, 0,    2, false, false, 100},
    {"churn-random-ids",  100,   4,   12,     0,   100, {34, 33, 33, 0, 0, 0, 0},     2,  0, false, 0, true,  0,    2, false, false, 100},
    {"overflow-bodies",    40,   1,    6,  2000, 20000, USUAL,                        8,  0, false, 0, false, 0,    8, false, false, 100},
    {"largest-bodies",     12,   1,    4, 60000, 65536, PLAIN,                        8,  0, false, 0, false, 0,    8, false, false, 100},
    {"bodies-of-all-sizes",40,   1,   10,     0, 65536, PLAIN,                        8,  0, false, 0, true,  0,   16, false, false,  50},
    {"empty-bodies",       80,   5,   30,     0,     0, USUAL,                       16,  0, false, 0, false, 0,    2, false, false, 100},
    {"acknowledge-storms", 30,  30,   60,     0,   100, {50, 46, 4, 0, 0, 0, 0},    400,  0, false, 0, false, 0,    2, false, false, 100},
    {"failing-agents",     60,  10,   30,     0,   100, {20, 5, 5, 65, 5, 0, 0},      4,  0, false, 0, false, 0,    2, false, false, 100},
    {"expiries",           60,  10,   30,     0,   100, {45, 2, 13, 0, 40, 0, 0},     8,  0, false, 0, false, 0,    2, false, false, 100},
    {"configuration",      50,   2,   10,     0,  4000, {10, 10, 5, 0, 0, 74, 1},     4,  0, false, 0, false, 0,    8, false, false, 100},
    {"restarts",           60,   5,   20,     0,   200, USUAL,                        8,  6, false, 0, false, 0,    2, false, false, 100},
    {"deaths",             60,   5,   20,     0,   200, PLAIN,                        8,  6, true,  0, false, 0,    2, false, false, 100},
    {"deaths-all-the-time",60,   1,   10,     0,   200, USUAL,                        8,  1, true,  0, true,  0,    2, false, false, 100},
    {"deaths-late",       210,   1,    6,     0,   200, PLAIN,                        8, 70, true,  0, true,  0,    2, false, false, 100},
    {"deaths-large-bodies",24,   1,    6,     0, 40000, PLAIN,                        8,  4, true,  0, true,  0,    8, false, false,  50},
    {"aborts",             90,   5,   20,     0,   200, PLAIN,                        8,  0, false, 3, false, 0,    2, false, false, 100},
    {"aborts-and-deaths",  60,   1,   30,     0,  3000, PLAIN,                        8, 10, true,  4, true,  0,    8, false, false, 100},
    {"resizes",            60,   1,   20,     0,   400, PLAIN,                        8,  5, false, 0, false, 0,    2, true,  false, 100},
    {"resizes-and-deaths", 60,   1,   20,     0,   400, PLAIN,                        8,  5, true,  0, true,  0,    2, true,  false, 100},
    {"overlap",            30,  40,   80,     0,  4000, PLAIN,                       16,  0, false, 0, false, 0,   16, false, false,  50},
    {"overlap-round",      24,  40,   80,  1000,  6000, USUAL,                        8,  8, false, 0, true,  0,    8, false, false,  50},
    {"overlap-deaths",     40,  20,   60,  2000,  6000, PLAIN,                        8,  4, true,  0, false, 0,   16, false, false,  50},
    {"overlap-aborts",     30,  20,   60,  1000,  8000, PLAIN,                        8,  6, true,  3, true,  0,   16, false, false,  50},
    {"overlap-settling",   16, 600,  900,    50,   250, {42, 34, 10, 0, 0, 0, 0},    64,  0, false, 0, false, 0,   16, false, true,  50},
    {"nearly-full",        60,   5,   20,     0,   400, {60, 30, 10, 0, 0, 0, 0},     8, 20, false, 0, false, 0,    2, false, false, 100},
    {"map-growth",         10,   1,    4, 60000, 65536, USUAL,                        8,  5, true,  0, false, 257, 1024, false, false,   2},
};
/* clang-format on */
const size_t workloads_count = sizeof workloads / sizeof workloads[0];

const struct workload *workload_find(const char *name) {
    for (size_t i = 0; i < workloads_count; i++)
        if (strcmp(workloads[i].name, name) == 0)
            return &workloads[i];
    return NULL;
}
