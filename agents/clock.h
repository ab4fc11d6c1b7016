/* clock.h - now, on a clock that nobody sets: for timeouts and pauses only. */
#ifndef CLOCK_H
#define CLOCK_H

#include <estelam/types.h>
#include <pthread.h>
#include <time.h>

static inline est_time clock_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (est_time){now.tv_sec * EST_US_PER_S + now.tv_nsec / 1000};
}

static inline est_time time_after(est_time start, int64_t us) {
    return (est_time){start.us + us};
}

/* A condition variable whose waits end by clock_now. 0, or a number of errno.h. */
static inline int condition_init(pthread_cond_t *condition) {
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    int code = pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
    return code;
}

/* Waits until the condition is signalled or the instant comes. */
static inline void condition_wait_until(pthread_cond_t *condition, pthread_mutex_t *lock, est_time until) {
    struct timespec at = {until.us / EST_US_PER_S, until.us % EST_US_PER_S * 1000};
    pthread_cond_timedwait(condition, lock, &at);
}

#endif
