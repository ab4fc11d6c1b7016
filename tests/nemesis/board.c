/* board.c - see board.h. A futex in shared memory: a wait without a socket, and nothing that a
 * killed process could leave half-said. */
#include "board.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int64_t clock_us(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * EST_US_PER_S + t.tv_nsec / 1000;
}

int64_t monotonic_us(void) {
    return clock_us(CLOCK_MONOTONIC);
}

int64_t wall_us(void) {
    return clock_us(CLOCK_REALTIME);
}

struct board *board_open(const char *folder) {
    char path[256];
    snprintf(path, sizeof path, "%s/board", folder);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return NULL;
    void *at = MAP_FAILED;
    if (ftruncate(fd, sizeof(struct board)) == 0)
        at = mmap(NULL, sizeof(struct board), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    return at == MAP_FAILED ? NULL : at;
}

void board_close(struct board **at) {
    if (*at)
        munmap(*at, sizeof **at);
    *at = NULL;
}

void board_tick(struct board *board) {
    atomic_fetch_add(&board->ticks, 1);
    if (atomic_load(&board->waiters) > 0)
        syscall(SYS_futex, &board->ticks, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

unsigned board_wait(struct board *board, unsigned seen, unsigned more, int timeout_ms) {
    int64_t until = monotonic_us() + timeout_ms * EST_US_PER_MS, left;
    unsigned now;
    atomic_fetch_add(&board->waiters, 1);
    while ((now = atomic_load(&board->ticks)) - seen < more && (left = until - monotonic_us()) > 0) {
        struct timespec t = {left / EST_US_PER_S, left % EST_US_PER_S * 1000};
        syscall(SYS_futex, &board->ticks, FUTEX_WAIT, now, &t, NULL, 0);
    }
    atomic_fetch_sub(&board->waiters, 1);
    return now - seen;
}
