/* exec.h - what the two modes of the exec back end share, for exec*.c only. */
#ifndef EXEC_H
#define EXEC_H

#include "exec_child.h"

/* mode: once. */
est_verdict exec_once_answer(const struct exec_config *, const struct backend_room *, const est_inquiry *,
                             est_answer *out);

/* mode: lines. One child with its back-off; used by one thread at a time. */
struct exec_line_child {
    struct exec_child child;
    bool has_answered; /* since it was started */
    est_time try_after;
    int64_t pause_us; /* 0: no trouble */
};
est_verdict exec_lines_answer(const struct exec_config *, const struct backend_room *,
                              struct exec_line_child *, const est_inquiry *, est_answer *out);

/* A retry for an exchange that ended in a way that is the same in both modes. */
est_verdict exec_end_verdict(enum exec_end, const struct exec_config *, est_answer *out);

#endif
