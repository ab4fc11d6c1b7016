/* exec.c - the exec back end: a program of the department answers, `at_once` of it at a time. */
#include "exec.h"
#include "clock.h"
#include "verdict.h"
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TICK_US = 50 * 1000 };

struct exec_backend {
    struct backend base;
    struct exec_config config;
    struct backend_room room;
    pthread_mutex_t lock;
    pthread_cond_t freed;
    bool is_taken[WORKERS_MAX];
    struct exec_line_child lines[WORKERS_MAX]; /* mode: lines */
};

/* A running child first, so that `lines` starts no more of them than it needs. -1: all are taken. */
static int place_find(const struct exec_backend *backend) {
    int found = -1;
    for (unsigned i = 0; i < backend->config.at_once; i++)
        if (!backend->is_taken[i] &&
            (found < 0 || (backend->lines[i].child.pid && !backend->lines[found].child.pid)))
            found = (int)i;
    return found;
}

/* Waits for one of the `at_once` places; -1 when the lease ended first. */
static int place_take(struct exec_backend *backend, const est_inquiry *in) {
    pthread_mutex_lock(&backend->lock);
    int place = place_find(backend);
    while (place < 0 && !backend->room.is_over(in)) {
        condition_wait_until(&backend->freed, &backend->lock, time_after(clock_now(), TICK_US));
        place = place_find(backend);
    }
    if (place >= 0)
        backend->is_taken[place] = true;
    pthread_mutex_unlock(&backend->lock);
    return place;
}

static void place_give(struct exec_backend *backend, int place) {
    pthread_mutex_lock(&backend->lock);
    backend->is_taken[place] = false;
    pthread_cond_signal(&backend->freed);
    pthread_mutex_unlock(&backend->lock);
}

static est_verdict exec_answer(struct backend *base, const est_inquiry *in, est_answer *out) {
    struct exec_backend *backend = (struct exec_backend *)base;
    int place = place_take(backend, in);
    if (place < 0)
        return verdict_retry(out, "the lease ended");
    est_verdict verdict =
        backend->config.keeps_running
            ? exec_lines_answer(&backend->config, &backend->room, &backend->lines[place], in, out)
            : exec_once_answer(&backend->config, &backend->room, in, out);
    place_give(backend, place);
    return verdict;
}

static void exec_close(struct backend *base) {
    struct exec_backend *backend = (struct exec_backend *)base;
    for (unsigned i = 0; i < WORKERS_MAX; i++)
        if (backend->lines[i].child.pid)
            exec_child_end(&backend->lines[i].child);
    pthread_cond_destroy(&backend->freed);
    pthread_mutex_destroy(&backend->lock);
    exec_config_done(&backend->config);
    free(backend);
}

static struct backend *exec_open(const struct backend_file *file, yaml_node section,
                                 const struct backend_room *room) {
    struct exec_backend *backend = calloc(1, sizeof *backend);
    if (!backend) {
        yaml_complain(file->yaml, section, "out of memory");
        return NULL;
    }
    if (exec_config_read(file, section, room->workers, &backend->config)) {
        free(backend);
        return NULL;
    }
    backend->base.class = &backend_exec;
    backend->base.types = backend->config.types[0] ? backend->config.types : NULL;
    backend->room = *room;
    pthread_mutex_init(&backend->lock, NULL);
    condition_init(&backend->freed);
    signal(SIGPIPE, SIG_IGN); /* a child that does not read its input must not end the agent */
    return &backend->base;
}

/* The path of the program was tried when the file was read; one from PATH is tried here. */
static void exec_check(struct backend *base, struct yaml *yaml) {
    struct exec_backend *backend = (struct exec_backend *)base;
    const char *name = backend->config.command[0], *path = getenv("PATH");
    if (strchr(name, '/'))
        return;
    while (path && *path) {
        char file[4096];
        size_t length = strcspn(path, ":");
        snprintf(file, sizeof file, "%.*s/%s", (int)length, path, name);
        if (!access(file, X_OK))
            return;
        path += path[length] ? length + 1 : length;
    }
    yaml_node node = yaml_get(yaml_get(yaml_root(yaml), backend_exec.name), "command");
    yaml_complain(yaml, node, "command: no program %s in PATH", name);
}

const struct backend_class backend_exec = {"exec", exec_open, exec_check, exec_answer, exec_close};
