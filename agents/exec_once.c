/* exec_once.c - a process for each inquiry: JSON in, JSON out, the exit code says which.
 *
 * The exit codes are those of sysexits.h, so that a shell script can say them by number. */
#include "exec.h"
#include "exec_message.h"
#include "clock.h"
#include "verdict.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>

/* The first line of what the program wrote on standard error, or `otherwise`. */
static const char *first_line(struct exec_exchange *x, const char *otherwise) {
    x->errors[strcspn(x->errors, "\r\n")] = 0;
    return *x->errors ? x->errors : otherwise;
}

static est_verdict exit_judge(int status, struct exec_exchange *x, est_answer *out) {
    if (WIFSIGNALED(status))
        return verdict_retry(out, "the program was ended by signal %d", WTERMSIG(status));
    switch (WEXITSTATUS(status)) {
    case EX_OK:
        return exec_answer_read(buffer_slice(&x->output), out);
    case EX_TEMPFAIL:
        return verdict_retry(out, "%s", first_line(x, "the program asks for a retry and gives no reason"));
    case EX_DATAERR:
        return verdict_refuse(out, "%s", first_line(x, "the program refuses and gives no reason"));
    default:
        return verdict_retry(out, "the program exited with %d: %s", WEXITSTATUS(status),
                             first_line(x, "nothing on standard error"));
    }
}

est_verdict exec_end_verdict(enum exec_end end, const struct exec_config *config, est_answer *out) {
    switch (end) {
    case EXEC_TIMEOUT:
        return verdict_retry(out, "the program did not answer within %lld ms and was killed",
                             (long long)(config->timeout.us / EST_US_PER_MS));
    case EXEC_OVER:
        return verdict_retry(out, "the lease ended; the program was killed");
    case EXEC_FLOOD:
        return verdict_retry(out, "the program wrote more than %d bytes and was killed", EXEC_OUTPUT_MAX);
    default:
        return verdict_retry(out, "out of memory for the program's output");
    }
}

est_verdict exec_once_answer(const struct exec_config *config, const struct backend_room *room,
                             const est_inquiry *in, est_answer *out) {
    struct exec_child child;
    char *line = exec_inquiry_line(in);
    if (!line)
        return verdict_retry(out, "out of memory");
    if (exec_child_start(config, true, &child)) {
        free(line);
        return verdict_retry(out, "the program %s cannot be started: %s", config->command[0],
                             strerror(errno));
    }
    struct exec_exchange x = {.input = line,
                              .input_size = strlen(line),
                              .ends_input = true,
                              .deadline = time_after(clock_now(), config->timeout.us)};
    buffer_init(&x.output);
    enum exec_end end = exec_child_exchange(&child, &x, room, in);
    int status = exec_child_end(&child);
    est_verdict verdict =
        end == EXEC_EXITED ? exit_judge(status, &x, out) : exec_end_verdict(end, config, out);
    buffer_done(&x.output);
    free(line);
    return verdict;
}
