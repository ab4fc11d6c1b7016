/* loop.c - see loop.h. */
#include "loop.h"

#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

static char tally_path[64];

const char *fail_unsupported(void) {
#if defined(__SANITIZE_ADDRESS__)
    return "the sanitizers have a malloc of their own";
#else
    return NULL;
#endif
}

static struct fail_tally *tally_new(void) {
    snprintf(tally_path, sizeof tally_path, "/tmp/estelam-tally-XXXXXX");
    int fd = mkstemp(tally_path);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, sizeof(struct fail_tally)), 0);
    void *tally = mmap(NULL, sizeof(struct fail_tally), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    assert_ptr_not_equal(tally, MAP_FAILED);
    close(fd);
    return tally;
}

struct fail_plan plan_begin(const char *call, uint64_t limit) {
    const char *text = getenv("FAIL_LIMIT");
    return (struct fail_plan){
        .call = call, .limit = text ? strtoull(text, NULL, 10) : limit, .tally = tally_new()};
}

static void step_choose(struct fail_plan *plan) {
    uint64_t first = plan->limit / 2, rest = plan->total > first ? plan->total - first : 0;
    plan->step = rest > plan->limit - first ? rest / (plan->limit - first) : 1;
}

bool plan_next(struct fail_plan *plan) {
    plan->runs++;
    if (plan->nth == 0) {
        plan->total = plan->tally->calls;
        step_choose(plan);
    }
    plan->hits += plan->tally->failed > 0;
    bool was_once = plan->nth > 0 && !plan->sticky;
    plan->sticky = was_once;
    if (!was_once)
        plan->nth += plan->nth >= plan->limit / 2 ? plan->step : 1;
    *plan->tally = (struct fail_tally){0};
    return plan->nth <= plan->total;
}

void plan_end(struct fail_plan *plan) {
    print_message("%s: %" PRIu64 " calls, %" PRIu64 " runs, %" PRIu64 " with a failure\n", plan->call,
                  plan->total, plan->runs, plan->hits);
    assert_true(plan->total > 0);
    assert_true(plan->hits > 0);
    munmap(plan->tally, sizeof *plan->tally);
    unlink(tally_path);
}

void plan_arm(const struct fail_plan *plan) {
    char nth[24];
    snprintf(nth, sizeof nth, "%" PRIu64, plan->nth);
    setenv(FAIL_CALL_ENV, plan->call, 1);
    setenv(FAIL_NTH_ENV, nth, 1);
    setenv(FAIL_TALLY_ENV, tally_path, 1);
    if (plan->sticky)
        setenv(FAIL_STICKY_ENV, "1", 1);
    setenv("LD_PRELOAD", FAIL_SHIM, 1);
}

void plan_disarm(void) {
    unsetenv("LD_PRELOAD");
    unsetenv(FAIL_CALL_ENV);
    unsetenv(FAIL_NTH_ENV);
    unsetenv(FAIL_TALLY_ENV);
    unsetenv(FAIL_STICKY_ENV);
}

const char *plan_text(const struct fail_plan *plan) {
    static char text[64];
    snprintf(text, sizeof text, "%s %" PRIu64 "%s", plan->call, plan->nth, plan->sticky ? ", sticky" : "");
    return text;
}
