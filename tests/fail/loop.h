/* loop.h - the loop of every test here: count the calls of a run, then fail one after the other.
 *
 *     struct fail_plan plan = plan_begin("pwrite");
 *     run it with plan_arm / plan_disarm around the start of the program
 *     while (plan_next(&plan)) run it again
 *
 * Where there are more calls than FAIL_LIMIT (in the environment; else the test's own), the first
 * half of them are the first calls and the rest are spread over all the others. Each is failed once,
 * and then again with all that come after it.
 */
#ifndef LOOP_H
#define LOOP_H

#include "inject.h"

#include <stdbool.h>
#include <stddef.h>

struct fail_plan {
    const char *call;
    uint64_t total; /* calls of the run in which none failed */
    uint64_t nth;   /* the one that fails now; 0: none, it is the counting run */
    uint64_t limit, step, runs, hits;
    bool sticky;
    struct fail_tally *tally;
};

/* NULL, or why nothing of this can be tested here. */
const char *fail_unsupported(void);
struct fail_plan plan_begin(const char *call, uint64_t limit);
/* After a run: notes what it came to, and moves on. False: that was the last. */
bool plan_next(struct fail_plan *);
/* Says how many there were; every plan must have failed something. */
void plan_end(struct fail_plan *);
/* Between these two, programs that are started run under the shim. */
void plan_arm(const struct fail_plan *);
void plan_disarm(void);
/* "pwrite 17, sticky": for messages. Until the next call. */
const char *plan_text(const struct fail_plan *);

#endif
