/* exec_child.h - one child process in a process group of its own, with pipes to it.
 *
 * The child inherits the environment, its three standard streams and nothing else: no other
 * descriptor, no signal mask, no ignored signal. Whatever it started dies with it, unless it left
 * the group (setsid, setpgid): such processes are not looked for. Reading is bounded by a deadline,
 * by the size of the output and by the inquiry's lease.
 */
#ifndef EXEC_CHILD_H
#define EXEC_CHILD_H

#include "exec_config.h"
#include "codec.h"
#include <sys/types.h>

enum { EXEC_OUTPUT_MAX = 1024 * 1024, EXEC_ERRORS_MAX = EST_TEXT_MAX };

struct exec_child {
    pid_t pid;                 /* 0: none */
    int in, out, errors, exit; /* ours; -1: closed. `exit` is a pidfd */
};

/* Starts the command. 0, or -EST_IO with errno set. With `keeps_errors` standard error comes
 * through the pipe `errors`, else it goes where the agent's own goes. */
int exec_child_start(const struct exec_config *, bool keeps_errors, struct exec_child *ret);
/* Kills the whole group, waits for the child, closes the pipes. Gives its wait status. A child
 * that was not started is left alone. */
int exec_child_end(struct exec_child *);

/* How an exchange with a child came to its end. */
enum exec_end {
    EXEC_LINE,   /* a whole line is in `output` */
    EXEC_EXITED, /* the child ended; everything it wrote is in `output` */
    EXEC_TIMEOUT,
    EXEC_OVER,   /* the lease ended */
    EXEC_FLOOD,  /* more than EXEC_OUTPUT_MAX */
    EXEC_BROKEN, /* memory, or the operating system */
};

struct exec_exchange {
    const char *input; /* what is left to be written */
    size_t input_size;
    bool ends_input; /* close the child's input after it */
    bool ends_at_line;
    est_time deadline; /* of clock_now */
    struct buffer output;
    char errors[EXEC_ERRORS_MAX + 1]; /* the beginning of what it wrote on standard error */
    size_t errors_size;
};

/* Writes the input and reads until one of the ends. The caller clears and frees `output`. */
enum exec_end exec_child_exchange(struct exec_child *, struct exec_exchange *, const struct backend_room *,
                                  const est_inquiry *);
/* Has the child ended, or written what nobody asked for? */
bool exec_child_is_astray(const struct exec_child *);
/* After EXEC_LINE: has it answered before it had read its input? The newline alone may be unread, for a
 * parser of JSON may stop at the last brace. */
bool exec_child_is_hasty(const struct exec_child *, const struct exec_exchange *);

#endif
