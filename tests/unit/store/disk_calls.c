/* disk_calls.c - see disk_calls.h. */
#include "disk_calls.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static struct {
    unsigned count, spared;
    int error;
    bool behind;
} files[DISK_FILES];
static unsigned held_until; /* the journal's count; 0: not held */
static bool journal_held, journal_waits;
static pthread_t holder;

void disk_calls_reset(void) {
    pthread_mutex_lock(&mutex);
    memset(files, 0, sizeof files);
    held_until = 0;
    journal_held = false;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&mutex);
}

void disk_calls_fail(enum disk_file file, unsigned spared, int error) {
    pthread_mutex_lock(&mutex);
    files[file].spared = spared;
    files[file].error = error;
    pthread_mutex_unlock(&mutex);
}

void disk_calls_fail_behind(enum disk_file file, int error) {
    pthread_mutex_lock(&mutex);
    files[file].error = error;
    files[file].behind = true;
    pthread_mutex_unlock(&mutex);
}

void disk_calls_hold_data(unsigned journal_writes) {
    pthread_mutex_lock(&mutex);
    holder = pthread_self();
    held_until = journal_writes == DISK_HELD_FOREVER ? UINT_MAX : files[DISK_JOURNAL].count + journal_writes;
    pthread_mutex_unlock(&mutex);
}

void disk_calls_hold_journal(void) {
    pthread_mutex_lock(&mutex);
    holder = pthread_self();
    journal_held = true;
    pthread_mutex_unlock(&mutex);
}

void disk_calls_let_journal(void) {
    pthread_mutex_lock(&mutex);
    journal_held = false;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&mutex);
}

void disk_calls_await_held(void) {
    pthread_mutex_lock(&mutex);
    while (!journal_waits)
        pthread_cond_wait(&changed, &mutex);
    pthread_mutex_unlock(&mutex);
}

unsigned disk_calls_count(enum disk_file file) {
    pthread_mutex_lock(&mutex);
    unsigned count = files[file].count;
    pthread_mutex_unlock(&mutex);
    return count;
}

static enum disk_file file_of(int fd) {
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, path, sizeof path - 1);
    path[size > 0 ? size : 0] = '\0';
    const char *name = strrchr(path, '/');
    if (name && strcmp(name, "/data.mdb") == 0)
        return DISK_DATA;
    return name && strncmp(name, "/journal", strlen("/journal")) == 0 ? DISK_JOURNAL : DISK_FILES;
}

static bool is_held(enum disk_file file) {
    if (pthread_equal(pthread_self(), holder))
        return false;
    return file == DISK_DATA ? files[DISK_JOURNAL].count < held_until : journal_held;
}

/* 0: the kernel may have it; 1: it may, and then the call fails. */
static int call_begin(int fd) {
    enum disk_file file = file_of(fd);
    if (file == DISK_FILES)
        return 0;
    pthread_mutex_lock(&mutex);
    if (file == DISK_JOURNAL && is_held(file)) {
        journal_waits = true;
        pthread_cond_broadcast(&changed);
    }
    while (is_held(file))
        pthread_cond_wait(&changed, &mutex);
    if (file == DISK_JOURNAL)
        journal_waits = false;
    int error = files[file].error;
    if (error && files[file].spared > 0) {
        files[file].spared--;
        error = 0;
    }
    int rc = error == 0 ? 0 : files[file].behind ? 1 : -1;
    files[file].count++;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&mutex);
    errno = error;
    return rc;
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t at) {
    int rc = call_begin(fd), error = errno;
    ssize_t wrote = rc < 0 ? -1 : syscall(SYS_pwrite64, fd, bytes, size, at);
    errno = rc == 0 ? errno : error;
    return rc == 0 ? wrote : -1;
}

ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t at) {
    return pwrite(fd, bytes, size, at);
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at) {
    return call_begin(fd) ? -1 : syscall(SYS_pwritev, fd, parts, count, (long)at, 0L);
}

ssize_t write(int fd, const void *bytes, size_t size) {
    return call_begin(fd) ? -1 : syscall(SYS_write, fd, bytes, size);
}

int fdatasync(int fd) {
    return call_begin(fd) ? -1 : (int)syscall(SYS_fdatasync, fd);
}
