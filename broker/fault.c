/* fault.c - see fault.h. */
#include "fault.h"

#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char sentence[] = ": the store's pages are damaged (or there is a fault in the broker): do not "
                               "delete anything; run `estelam store check STORE`; restore a backup\n";

static const char *line_start = ""; /* as log.c begins an error's line */
static volatile sig_atomic_t exit_status = 1;
static struct sigaction segv_before;

/* No stdio: a handler must not. One write, so that another thread's line does not come between. */
static void say(const char *what) {
    const char *const parts[] = {line_start, what, sentence};
    char line[1024];
    size_t size = 0;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        size_t more = strlen(parts[i]), most = (sizeof line - sizeof sentence) / 2;
        if (i < 2 && more > most)
            more = most;
        memcpy(line + size, parts[i], more);
        size += more;
    }
    if (write(STDERR_FILENO, line, size) < 0)
        return; /* to whom? */
}

void fault_end(const char *what) {
    say(what);
    _exit(exit_status);
}

static void bus_take(int signal) {
    (void)signal;
    fault_end("a page cannot be read (SIGBUS)");
}

/* The faulting instruction runs again and meets what was there before us, as a rule the end and a core. Where
 * somebody has sent the signal there is no such instruction. */
static void segv_take(int signal, siginfo_t *info, void *context) {
    (void)context;
    say("a page leads nowhere (SIGSEGV)");
    sigaction(signal, &segv_before, NULL);
    if (info->si_code <= 0)
        raise(signal);
}

void fault_install(void) {
    struct sigaction bus = {.sa_handler = bus_take};
    struct sigaction segv = {.sa_sigaction = segv_take, .sa_flags = SA_SIGINFO};
    sigemptyset(&bus.sa_mask);
    sigemptyset(&segv.sa_mask);
    line_start = getenv("JOURNAL_STREAM") != NULL ? "<3>" : "estelam-broker: error: ";
    sigaction(SIGBUS, &bus, NULL);
    sigaction(SIGSEGV, &segv, &segv_before);
}

void fault_status(int status) {
    exit_status = status;
}
