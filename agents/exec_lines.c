/* exec_lines.c - a process that stays: one line of JSON in, one line of JSON out.
 *
 * What a line answers is known only by its place, so a child that ends, is late, answers before it has
 * read the inquiry, or writes what nobody asked for is killed and another is started. One that never
 * answered is started again at growing pauses only. */
#include "exec.h"
#include "exec_message.h"
#include "clock.h"
#include "verdict.h"
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

enum { PAUSE_FIRST_US = 100 * 1000, PAUSE_MAX_US = 10 * 1000 * 1000, TICK_MS = 50 };

static void child_end(const struct backend_room *room, struct exec_line_child *line, const char *why) {
    char sentence[256];
    int status = exec_child_end(&line->child);
    snprintf(sentence, sizeof sentence, "the program %s (%s %d); it is started again when it is needed", why,
             WIFSIGNALED(status) ? "signal" : "exit code",
             WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    room->tell(sentence);
    int64_t longer = line->pause_us ? 2 * line->pause_us : PAUSE_FIRST_US;
    line->pause_us = line->has_answered ? 0 : longer < PAUSE_MAX_US ? longer : PAUSE_MAX_US;
    line->try_after = time_after(clock_now(), line->pause_us);
}

/* Waits for the end of the pause. False: the deadline or the end of the lease came first. */
static bool pause_wait(const struct exec_line_child *line, est_time deadline, const struct backend_room *room,
                       const est_inquiry *in) {
    while (clock_now().us < line->try_after.us) {
        if (clock_now().us >= deadline.us || room->is_over(in))
            return false;
        poll(NULL, 0, TICK_MS);
    }
    return true;
}

static bool child_ready(const struct exec_config *config, const struct backend_room *room,
                        struct exec_line_child *line, est_time deadline, const est_inquiry *in,
                        est_answer *out) {
    if (line->child.pid && exec_child_is_astray(&line->child))
        child_end(room, line, "ended, or wrote a line that nobody asked for");
    if (line->child.pid)
        return true;
    if (!pause_wait(line, deadline, room, in)) {
        verdict_retry(out, "the program keeps ending without an answer; it is started again after a pause");
        return false;
    }
    line->has_answered = false;
    if (exec_child_start(config, false, &line->child)) {
        verdict_retry(out, "the program %s cannot be started: %s", config->command[0], strerror(errno));
        return false;
    }
    return true;
}

static est_verdict line_judge(const struct exec_config *config, const struct backend_room *room,
                              struct exec_line_child *line, struct exec_exchange *x, enum exec_end end,
                              est_answer *out) {
    const uint8_t *newline = x->output.size ? memchr(x->output.data, '\n', x->output.size) : NULL;
    size_t size = newline ? (size_t)(newline - x->output.data) : 0;
    /* What it left unread would be read as the next inquiry. */
    if (end == EXEC_LINE && exec_child_is_hasty(&line->child, x)) {
        child_end(room, line, "answered before it had read the inquiry and was killed");
        return verdict_retry(out, "the program answered before it had read the inquiry");
    }
    if (end == EXEC_LINE && size + 1 == x->output.size) {
        line->has_answered = true;
        line->pause_us = 0;
        return exec_answer_read((est_slice){x->output.data, size}, out);
    }
    if (end == EXEC_LINE) {
        child_end(room, line, "wrote more than one line for one inquiry and was killed");
        return verdict_retry(out, "the program wrote more than one line for one inquiry");
    }
    child_end(room, line, end == EXEC_EXITED ? "ended without an answer" : "was killed without an answer");
    return end == EXEC_EXITED ? verdict_retry(out, "the program ended without an answer")
                              : exec_end_verdict(end, config, out);
}

est_verdict exec_lines_answer(const struct exec_config *config, const struct backend_room *room,
                              struct exec_line_child *line, const est_inquiry *in, est_answer *out) {
    est_time deadline = time_after(clock_now(), config->timeout.us);
    char *text = exec_inquiry_line(in);
    if (!text)
        return verdict_retry(out, "out of memory");
    if (!child_ready(config, room, line, deadline, in, out)) {
        free(text);
        return EST_VERDICT_RETRY;
    }
    struct exec_exchange x = {
        .input = text, .input_size = strlen(text), .ends_at_line = true, .deadline = deadline};
    buffer_init(&x.output);
    enum exec_end end = exec_child_exchange(&line->child, &x, room, in);
    est_verdict verdict = line_judge(config, room, line, &x, end, out);
    buffer_done(&x.output);
    free(text);
    return verdict;
}
