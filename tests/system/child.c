/* child.c - a child process, its streams gathered while it runs.
 *
 * A thread for each child takes in both of its streams, so that no child ever waits for a full
 * pipe, and so that a wait is a wait on a condition.
 */
#include "harness.h"
#include "registry.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct stream {
    int fd;
    char *text;
    size_t size, capacity, seen;
};

struct child {
    pid_t pid;
    bool waited;
    int status, in;
    struct stream out, error;
    char *line;
    pthread_t reader;
    pthread_mutex_t mutex;
    pthread_cond_t news;
};

int64_t now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* --- Starting ------------------------------------------------------------------------------------- */

static void stream_take(struct child *child, struct stream *stream) {
    char bytes[4096];
    ssize_t got = read(stream->fd, bytes, sizeof bytes);
    if (got < 0 && errno == EINTR)
        return;
    pthread_mutex_lock(&child->mutex);
    if (got <= 0) {
        close(stream->fd);
        stream->fd = -1;
    } else {
        while (stream->size + (size_t)got + 1 > stream->capacity) {
            stream->capacity = stream->capacity * 2 + sizeof bytes;
            stream->text = realloc(stream->text, stream->capacity);
            if (!stream->text)
                abort();
        }
        memcpy(stream->text + stream->size, bytes, (size_t)got);
        stream->size += (size_t)got;
        stream->text[stream->size] = '\0';
    }
    pthread_cond_broadcast(&child->news);
    pthread_mutex_unlock(&child->mutex);
}

static void *reader(void *arg) {
    struct child *child = arg;
    while (child->out.fd >= 0 || child->error.fd >= 0) {
        struct pollfd fds[] = {{child->out.fd, POLLIN, 0}, {child->error.fd, POLLIN, 0}};
        if (poll(fds, 2, -1) < 0)
            continue;
        if (fds[0].revents)
            stream_take(child, &child->out);
        if (fds[1].revents)
            stream_take(child, &child->error);
    }
    return NULL;
}

static void become(const char *const *argv, pid_t parent, const int ends[3]) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(127);
    for (int i = 0; i < 3; i++)
        dup2(ends[i], i);
    signal(SIGPIPE, SIG_DFL); /* which child_say ignores */
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execv(argv[0], (char *const *)(uintptr_t)argv);
    _exit(127);
}

struct child *child_start(const char *const *argv) {
    int in[2], out[2], error[2];
    struct child *child = calloc(1, sizeof *child);
    assert_non_null(child);
    assert_int_equal(pipe2(in, O_CLOEXEC) | pipe2(out, O_CLOEXEC) | pipe2(error, O_CLOEXEC), 0);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&child->mutex, NULL);
    pthread_cond_init(&child->news, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pid_t parent = getpid();
    child->pid = fork();
    if (child->pid == 0)
        become(argv, parent, (int[]){in[0], out[1], error[1]});
    assert_true(child->pid > 0);
    close(in[0]);
    close(out[1]);
    close(error[1]);
    child->in = in[1];
    child->out.fd = out[0];
    child->error.fd = error[0];
    assert_int_equal(pthread_create(&child->reader, NULL, reader, child), 0);
    children_add(child);
    return child;
}

/* --- Waiting -------------------------------------------------------------------------------------- */

static struct timespec deadline(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += WAIT_MS / 1000;
    return t;
}

/* Copies the next whole line that begins so into child->line. Under the mutex. */
static bool line_find(struct child *child, const char *start) {
    struct stream *s = &child->out;
    for (;;) {
        char *from = s->text ? s->text + s->seen : NULL;
        char *end = from ? strchr(from, '\n') : NULL;
        if (!end)
            return false;
        s->seen = (size_t)(end + 1 - s->text);
        if (strncmp(from, start, strlen(start)) != 0)
            continue;
        free(child->line);
        child->line = strndup(from + strlen(start), (size_t)(end - from) - strlen(start));
        return child->line != NULL;
    }
}

const char *child_line(struct child *child, const char *start) {
    struct timespec until = deadline();
    pthread_mutex_lock(&child->mutex);
    int late = 0;
    bool found;
    while (!(found = line_find(child, start)) && child->out.fd >= 0 && !late)
        late = pthread_cond_timedwait(&child->news, &child->mutex, &until);
    pthread_mutex_unlock(&child->mutex);
    if (late)
        fail_msg("no line `%s…` came in time", start);
    return found ? child->line : NULL;
}

bool child_has_line(struct child *child, const char *start) {
    pthread_mutex_lock(&child->mutex);
    size_t seen = child->out.seen;
    bool found = line_find(child, start);
    child->out.seen = seen;
    pthread_mutex_unlock(&child->mutex);
    return found;
}

static bool error_find(struct child *child, const char *part) {
    struct stream *s = &child->error;
    char *found = s->text ? strstr(s->text + s->seen, part) : NULL;
    if (found)
        s->seen = (size_t)(found - s->text) + strlen(part);
    return found != NULL;
}

void child_error_wait(struct child *child, const char *part) {
    struct timespec until = deadline();
    pthread_mutex_lock(&child->mutex);
    int late = 0;
    bool found;
    while (!(found = error_find(child, part)) && child->error.fd >= 0 && !late)
        late = pthread_cond_timedwait(&child->news, &child->mutex, &until);
    pthread_mutex_unlock(&child->mutex);
    if (!found)
        fail_msg("the log does not say `%s`", part);
}

bool child_error_has(struct child *child, const char *part) {
    pthread_mutex_lock(&child->mutex);
    bool has = child->error.text && strstr(child->error.text, part);
    pthread_mutex_unlock(&child->mutex);
    return has;
}

unsigned child_error_count(struct child *child, const char *part) {
    unsigned count = 0;
    pthread_mutex_lock(&child->mutex);
    for (const char *at = child->error.text; at && (at = strstr(at, part)) != NULL; at++)
        count++;
    pthread_mutex_unlock(&child->mutex);
    return count;
}

void child_print(struct child *child) {
    pthread_mutex_lock(&child->mutex);
    if (child->error.size > 0)
        print_message("--- process %d said:\n%s---\n", (int)child->pid, child->error.text);
    pthread_mutex_unlock(&child->mutex);
}

/* --- Ending --------------------------------------------------------------------------------------- */

/* It may have ended by then, which is not our end; what it ended with is for the test to judge. */
void child_say(struct child *child, const char *text) {
    signal(SIGPIPE, SIG_IGN);
    ssize_t said = write(child->in, text, strlen(text));
    assert_true(said == (ssize_t)strlen(text) || (said < 0 && errno == EPIPE));
}

void child_signal(struct child *child, int signal) {
    if (!child->waited)
        kill(child->pid, signal);
}

pid_t child_pid(const struct child *child) {
    return child->pid;
}

bool child_has_ended(struct child *child) {
    pthread_mutex_lock(&child->mutex);
    bool ended = child->out.fd < 0 && child->error.fd < 0;
    pthread_mutex_unlock(&child->mutex);
    return ended;
}

/* Both streams are at their end when the process is (no child of ours has children that keep
 * them), so the reader's end is the wait that can have a deadline. */
int child_wait(struct child *child) {
    if (child->waited)
        return child->status;
    struct timespec until = deadline();
    pthread_mutex_lock(&child->mutex);
    int late = 0;
    while ((child->out.fd >= 0 || child->error.fd >= 0) && !late)
        late = pthread_cond_timedwait(&child->news, &child->mutex, &until);
    pthread_mutex_unlock(&child->mutex);
    if (late)
        fail_msg("process %d does not end", (int)child->pid);
    int status = 0;
    waitpid(child->pid, &status, 0);
    child->waited = true;
    child->status = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    return child->status;
}

bool child_free(struct child **at) {
    struct child *child = *at;
    *at = NULL;
    if (!child)
        return true;
    if (!child->waited) {
        kill(child->pid, SIGKILL);
        waitpid(child->pid, NULL, 0);
    }
    pthread_join(child->reader, NULL);
    bool good = !child_error_has(child, "Sanitizer") && !child_error_has(child, "runtime error:");
    children_remove(child);
    close(child->in);
    free(child->line);
    free(child->out.text);
    free(child->error.text);
    pthread_cond_destroy(&child->news);
    pthread_mutex_destroy(&child->mutex);
    free(child);
    return good;
}
