/* writer.c - see writer.h. */
#include "room.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum state { IDLE, BUSY, OVER };

struct writer {
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t wake, done;
    struct journal *journal;
    struct journal_span *span;
    _Atomic int state; /* changed under the mutex; looked at without it between two frames */
    bool stopping;
};

static void *writer_run(void *arg) {
    struct writer *w = arg;
    pthread_mutex_lock(&w->mutex);
    for (;;) {
        while (w->state != BUSY && !w->stopping)
            pthread_cond_wait(&w->wake, &w->mutex);
        if (w->state != BUSY)
            break;
        pthread_mutex_unlock(&w->mutex);
        journal_write(w->journal, w->span);
        pthread_mutex_lock(&w->mutex);
        w->state = OVER;
        pthread_cond_signal(&w->done);
    }
    pthread_mutex_unlock(&w->mutex);
    return NULL;
}

int writer_start(struct store *store) {
    struct writer *w = calloc(1, sizeof *w);
    if (w == NULL)
        return store_fail(store, -EST_NO_MEMORY, "out of memory");
    pthread_mutex_init(&w->mutex, NULL);
    pthread_cond_init(&w->wake, NULL);
    pthread_cond_init(&w->done, NULL);
    w->journal = &store->journal;
    int error = thread_start(&w->thread, "writer", writer_run, w);
    if (error == 0) {
        store->writer = w;
        return 0;
    }
    free(w);
    return store_fail(store, -EST_NO_MEMORY, "no thread for the journal: %s; allow the broker one more", strerror(error));
}

void writer_stop(struct store *store) {
    struct writer *w = store->writer;
    if (w == NULL)
        return;
    pthread_mutex_lock(&w->mutex);
    w->stopping = true;
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->mutex);
    pthread_join(w->thread, NULL);
    store->writer = NULL;
    pthread_mutex_destroy(&w->mutex);
    pthread_cond_destroy(&w->wake);
    pthread_cond_destroy(&w->done);
    free(w);
}

void writer_begin(struct writer *w, struct journal_span *span) {
    pthread_mutex_lock(&w->mutex);
    w->span = span;
    w->state = BUSY;
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->mutex);
}

bool writer_end(struct writer *w, bool waits) {
    if (w->state == IDLE)
        return true;
    if (w->state == BUSY && !waits)
        return false;
    pthread_mutex_lock(&w->mutex);
    while (w->state == BUSY)
        pthread_cond_wait(&w->done, &w->mutex);
    w->state = IDLE;
    pthread_mutex_unlock(&w->mutex);
    return true;
}
