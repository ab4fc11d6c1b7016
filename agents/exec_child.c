/* exec_child.c - posix_spawn, poll, kill. See exec_child.h. */
#include "exec_child.h"
#include "clock.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TICK_MS = 50 }; /* how often a running exchange asks whether the inquiry is over */

/* --- Start --------------------------------------------------------------------------------------- */

struct pipes {
    int in[2], out[2], errors[2];
};

static void fd_close(int *fd) {
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void pipes_close(struct pipes *pipes) {
    int *all[] = {&pipes->in[0],  &pipes->in[1],     &pipes->out[0],
                  &pipes->out[1], &pipes->errors[0], &pipes->errors[1]};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        fd_close(all[i]);
}

static bool pipes_open(struct pipes *pipes, bool keeps_errors) {
    *pipes = (struct pipes){{-1, -1}, {-1, -1}, {-1, -1}};
    return !pipe2(pipes->in, O_CLOEXEC) && !pipe2(pipes->out, O_CLOEXEC) &&
           (!keeps_errors || !pipe2(pipes->errors, O_CLOEXEC));
}

/* In the child: its folder, its three streams, and nothing above them. */
static int actions_fill(posix_spawn_file_actions_t *actions, const struct pipes *pipes, const char *folder) {
    int code = posix_spawn_file_actions_addchdir_np(actions, folder);
    code = code ? code : posix_spawn_file_actions_adddup2(actions, pipes->in[0], 0);
    code = code ? code : posix_spawn_file_actions_adddup2(actions, pipes->out[1], 1);
    if (pipes->errors[1] >= 0)
        code = code ? code : posix_spawn_file_actions_adddup2(actions, pipes->errors[1], 2);
    return code ? code : posix_spawn_file_actions_addclosefrom_np(actions, 3);
}

static int attributes_fill(posix_spawnattr_t *attributes) {
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    int code = posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                                        POSIX_SPAWN_SETSIGDEF);
    code = code ? code : posix_spawnattr_setpgroup(attributes, 0);
    code = code ? code : posix_spawnattr_setsigmask(attributes, &none);
    return code ? code : posix_spawnattr_setsigdefault(attributes, &all);
}

static int command_spawn(const struct exec_config *config, const struct pipes *pipes, pid_t *ret) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int code = posix_spawn_file_actions_init(&actions);
    if (code)
        return code;
    code = posix_spawnattr_init(&attributes);
    if (!code) {
        code = actions_fill(&actions, pipes, config->folder);
        code = code ? code : attributes_fill(&attributes);
        code = code ? code
                    : posix_spawnp(ret, config->command[0], &actions, &attributes, config->command, environ);
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&actions);
    return code;
}

static bool fd_never_blocks(int fd) {
    return fd < 0 || fcntl(fd, F_SETFL, O_NONBLOCK) == 0;
}

int exec_child_start(const struct exec_config *config, bool keeps_errors, struct exec_child *ret) {
    struct pipes pipes;
    pid_t pid = 0;
    int code = pipes_open(&pipes, keeps_errors) ? command_spawn(config, &pipes, &pid) : errno;
    if (code) {
        pipes_close(&pipes);
        errno = code;
        return -EST_IO;
    }
    struct exec_child child = {pid, pipes.in[1], pipes.out[0], pipes.errors[0], pidfd_open(pid, 0)};
    pipes.in[1] = pipes.out[0] = pipes.errors[0] = -1;
    pipes_close(&pipes);
    if (child.exit < 0 || !fd_never_blocks(child.in) || !fd_never_blocks(child.out) ||
        !fd_never_blocks(child.errors)) {
        code = errno;
        exec_child_end(&child);
        errno = code;
        return -EST_IO;
    }
    *ret = child;
    return 0;
}

int exec_child_end(struct exec_child *child) {
    int status = 0;
    if (child->pid) {
        kill(-child->pid, SIGKILL); /* before the wait: until then nobody else can have this group's id */
        while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
            continue;
    }
    int *all[] = {&child->in, &child->out, &child->errors, &child->exit};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        fd_close(all[i]);
    child->pid = 0;
    return status;
}

/* --- Exchange -------------------------------------------------------------------------------------- */

/* A child that does not read its input has its reasons; its answer tells. */
static void input_write(struct exec_child *child, struct exec_exchange *x) {
    ssize_t written = write(child->in, x->input, x->input_size);
    if (written > 0) {
        x->input += written;
        x->input_size -= (size_t)written;
    } else if (written < 0 && errno != EAGAIN && errno != EINTR) {
        x->input_size = 0;
    }
    if (!x->input_size && x->ends_input)
        fd_close(&child->in);
}

/* Reads what is there. EXEC_LINE stands for "go on reading" too; the caller looks for the line. */
static enum exec_end output_read(struct exec_child *child, struct exec_exchange *x) {
    char piece[16384];
    ssize_t got;
    while ((got = read(child->out, piece, sizeof piece)) > 0) {
        if (x->output.size + (size_t)got > EXEC_OUTPUT_MAX)
            return EXEC_FLOOD;
        buffer_put(&x->output, piece, (size_t)got);
        if (x->output.failed)
            return EXEC_BROKEN;
    }
    if (got == 0)
        fd_close(&child->out);
    return EXEC_LINE;
}

static void errors_read(struct exec_child *child, struct exec_exchange *x) {
    char piece[4096];
    ssize_t got;
    while ((got = read(child->errors, piece, sizeof piece)) > 0) {
        size_t room = EXEC_ERRORS_MAX - x->errors_size, size = (size_t)got < room ? (size_t)got : room;
        memcpy(x->errors + x->errors_size, piece, size);
        x->errors_size += size;
        x->errors[x->errors_size] = 0;
    }
    if (got == 0)
        fd_close(&child->errors);
}

/* Negative descriptors are skipped by poll: what is closed asks for nothing. */
static void events_wait(const struct exec_child *child, const struct exec_exchange *x, struct pollfd at[4]) {
    int64_t left_ms = (x->deadline.us - clock_now().us) / EST_US_PER_MS + 1;
    at[0] = (struct pollfd){x->input_size ? child->in : -1, POLLOUT, 0};
    at[1] = (struct pollfd){child->out, POLLIN, 0};
    at[2] = (struct pollfd){child->errors, POLLIN, 0};
    at[3] = (struct pollfd){child->exit, POLLIN, 0};
    if (poll(at, 4, left_ms < TICK_MS ? (int)(left_ms > 0 ? left_ms : 0) : TICK_MS) < 0)
        for (int i = 0; i < 4; i++)
            at[i].revents = 0;
}

static enum exec_end events_serve(struct exec_child *child, struct exec_exchange *x,
                                  const struct pollfd at[4]) {
    enum exec_end end = EXEC_LINE;
    if (at[0].revents)
        input_write(child, x);
    if (at[1].revents || (at[3].revents && child->out >= 0))
        end = output_read(child, x);
    if (at[2].revents || (at[3].revents && child->errors >= 0))
        errors_read(child, x);
    return end;
}

enum exec_end exec_child_exchange(struct exec_child *child, struct exec_exchange *x,
                                  const struct backend_room *room, const est_inquiry *inquiry) {
    for (;;) {
        struct pollfd at[4];
        events_wait(child, x, at);
        enum exec_end end = events_serve(child, x, at);
        if (end != EXEC_LINE)
            return end;
        if (x->ends_at_line && x->output.size && memchr(x->output.data, '\n', x->output.size))
            return EXEC_LINE;
        if (at[3].revents || (x->ends_at_line && child->out < 0))
            return EXEC_EXITED; /* whatever the child left running is killed with its group */
        if (room->is_over(inquiry))
            return EXEC_OVER;
        if (clock_now().us >= x->deadline.us)
            return EXEC_TIMEOUT;
    }
}

bool exec_child_is_astray(const struct exec_child *child) {
    struct pollfd at[] = {{child->out, POLLIN, 0}, {child->exit, POLLIN, 0}};
    return child->pid == 0 || poll(at, 2, 0) != 0;
}

bool exec_child_is_hasty(const struct exec_child *child, const struct exec_exchange *x) {
    int unread = 0;
    return x->input_size > 0 || (ioctl(child->in, FIONREAD, &unread) == 0 && unread > 1);
}
