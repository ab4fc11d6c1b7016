/* guard.c - see guard.h. */
#include "guard.h"

#include <lmdb.h>
#include <setjmp.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>

static _Thread_local sigjmp_buf back;
static _Thread_local volatile bool armed;

static const int signals[] = {SIGSEGV, SIGBUS};
enum { SIGNALS = sizeof signals / sizeof signals[0] };
static struct sigaction before[SIGNALS];

/* Unguarded: as it would have been without us. The faulting instruction runs again and meets it; a signal that
 * somebody has sent has none, and is sent again. */
static void fault_take(int signal, siginfo_t *info, void *context) {
    (void)context;
    if (armed) {
        armed = false;
        siglongjmp(back, 1);
    }
    for (size_t i = 0; i < SIGNALS; i++)
        if (signals[i] == signal)
            sigaction(signal, &before[i], NULL);
    if (info->si_code <= 0)
        raise(signal);
}

void guard_install(void) {
    struct sigaction action = {.sa_sigaction = fault_take, .sa_flags = SA_SIGINFO}, there;
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < SIGNALS; i++) {
        if (sigaction(signals[i], NULL, &there) != 0 || there.sa_sigaction == fault_take)
            continue;
        before[i] = there;
        sigaction(signals[i], &action, NULL);
    }
}

int guard_call(int (*work)(void *), void *arg, int fault) {
    if (sigsetjmp(back, 1) != 0)
        return fault;
    armed = true;
    int rc = work(arg);
    armed = false;
    return rc;
}

bool guard_set(bool on) {
    bool was = armed;
    armed = on;
    return was;
}

static void assertion_take(MDB_env *env, const char *sentence) {
    (void)env, (void)sentence;
    if (!armed)
        abort();
    armed = false;
    siglongjmp(back, 1);
}

void guard_env(MDB_env *env) {
    mdb_env_set_assert(env, assertion_take);
}
