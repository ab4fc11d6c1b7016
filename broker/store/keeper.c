/* keeper.c - see keeper.h. */
#include "room.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Sooner would share less; later would leave more to do after a crash, and tools see an older log. A
 * batch that is written while LMDB's pages are flushed waits for them, so they are flushed a few at
 * a time. With 64 in flight p99 was 1.5 ms with 128 KiB (the middle of five rows in turn), 2.0 with 256,
 * and on another day 2.5 to 3.1 with 1 MiB and 5.4 with 4; the rate was the same, and 1.3, 1, 0.8 and 0.75 the
 * bytes on disk. With 64 KiB and 96 p99 was no better and the rate lower. With 1,000 in flight it makes no
 * difference. Where commits are slow, more goes with each: as much again for every millisecond that the
 * last one took. */
enum { WAKE_BYTES = 128 << 10, WAKE_STEPS = 16, WAKE_MS = 40 };
/* A commit begins when the loop has just written a batch: it flushes on the same disk, which has nothing else to
 * do while the next batch is on its way. With 64 in flight that made 4 % more a second (five rows in turn) and
 * p99 1.5 ms instead of 1.7; with 1,000 no difference. Where no batch comes it does not wait for long. */
enum { GAP_MS = 1 };

/* What LMDB is to have: everything up to `head`, and these rows. */
struct rows {
    struct fresh_row *at;
    size_t count, capacity;
};
struct job {
    struct store_head head;
    uint64_t position, settled;
    struct rows rows;
    bool urgent; /* somebody waits for it */
};

struct keeper {
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t wake, done;
    struct store *back;
    /* Under the mutex. */
    struct job next;          /* what was published and not yet taken by the thread */
    bool urgent, stopping;
    bool in_gap_wait;         /* the thread waits for the next publish, whatever it brings */
    uint64_t published;       /* batches */
    uint64_t wake_bytes;      /* as many are worth a commit */
    struct store_head kept;   /* what LMDB has */
    uint64_t kept_position;
    uint64_t rows_kept;       /* counted since the start */
    int failed;
    /* The thread's own. */
    struct job job;
    /* The loop's own: rows to go with the next publish; where those are that went, the oldest first. */
    struct rows handed;
    uint32_t *places;
    size_t places_first, places_count;
};

enum { PLACES = FRESH_CAPACITY };

/* --- The thread -------------------------------------------------------------------------------- */

static int events_put(struct store *back, const struct store_head *from, const struct store_head *to,
                      const struct journal *journal) {
    MDB_cursor *cursor;
    int rc = table_cursor(back, TABLE_LOG, &cursor);
    for (uint64_t seq = from->seq + 1; seq <= to->seq && !rc; seq++) {
        const uint8_t *at = journal->ring + journal->places[seq & journal->mask];
        MDB_val key = val_of(&seq, sizeof seq);
        MDB_val data = val_of(at, record_span((est_slice){at, SIZE_MAX}));
        int error = mdb_cursor_put(cursor, &key, &data, MDB_APPEND);
        rc = error == 0 ? 0 : store_fail_lmdb(back, error, "writing the log");
    }
    return rc;
}

/* By the clock that nobody sets: one that is set back would hold the thread for as long as the step. */
static void deadline_set(struct timespec *ret, int ms) {
    clock_gettime(CLOCK_MONOTONIC, ret);
    ret->tv_nsec += ms * 1000000L;
    ret->tv_sec += ret->tv_nsec / 1000000000L;
    ret->tv_nsec %= 1000000000L;
}

/* Until the loop has written its next batch, or writes none. */
static void gap_await(struct keeper *k) {
    struct timespec until;
    deadline_set(&until, GAP_MS);
    pthread_mutex_lock(&k->mutex);
    uint64_t was = k->published;
    k->in_gap_wait = true;
    while (k->published == was && !k->job.urgent && !k->urgent && !k->stopping)
        if (pthread_cond_timedwait(&k->wake, &k->mutex, &until) == ETIMEDOUT)
            break;
    k->in_gap_wait = false;
    pthread_mutex_unlock(&k->mutex);
}

static int job_write(struct keeper *k, const struct journal *journal) {
    struct store *back = k->back;
    struct job *job = &k->job;
    int rc = batch_begin(back);
    if (rc)
        return rc;
    rc = events_put(back, &back->committed, &job->head, journal);
    for (size_t i = 0; i < job->rows.count && !rc; i++)
        rc = row_settle(back, &job->rows.at[i]);
    back->head = job->head;
    back->settled = job->settled;
    if (!rc)
        rc = head_write(back);
    if (!rc)
        gap_await(k);
    rc = batch_end(back, rc);
    if (!rc)
        back->committed = back->head;
    return rc;
}

/* Waits for a job worth a commit. False: there is nothing left and the end has come. */
static bool job_take(struct keeper *k) {
    struct timespec until;
    while (k->next.head.seq == k->kept.seq && !k->stopping)
        pthread_cond_wait(&k->wake, &k->mutex);
    if (k->next.head.seq == k->kept.seq)
        return false;
    deadline_set(&until, WAKE_MS);
    while (!k->urgent && !k->stopping && k->next.position - k->kept_position < k->wake_bytes)
        if (pthread_cond_timedwait(&k->wake, &k->mutex, &until) == ETIMEDOUT)
            break;
    struct job taken = k->next;
    k->next.rows = k->job.rows; /* its memory, for the next */
    k->next.rows.count = 0;
    k->job = taken;
    k->job.urgent = k->urgent;
    k->urgent = false;
    return true;
}

static uint64_t bytes_worth(int64_t took_ms) {
    return (uint64_t)WAKE_BYTES * (uint64_t)(took_ms < 1 ? 1 : took_ms < WAKE_STEPS ? took_ms : WAKE_STEPS);
}

static void *keeper_run(void *arg) {
    struct store *store = arg;
    struct keeper *k = store->keeper;
    pthread_mutex_lock(&k->mutex);
    while (k->failed == 0 && job_take(k)) {
        pthread_mutex_unlock(&k->mutex);
        int64_t began_us = monotonic_us();
        int rc = job_write(k, &store->journal);
        int64_t took_ms = (monotonic_us() - began_us) / EST_US_PER_MS;
        pthread_mutex_lock(&k->mutex);
        k->wake_bytes = bytes_worth(took_ms);
        if (rc) {
            k->failed = rc;
        } else {
            k->kept = k->job.head;
            k->kept_position = k->job.position;
            k->rows_kept += k->job.rows.count;
        }
        pthread_cond_broadcast(&k->done);
    }
    pthread_mutex_unlock(&k->mutex);
    return NULL;
}

/* --- Beginning and end ------------------------------------------------------------------------- */

/* The store as the thread sees it: the same environment and tables, all else its own. */
static struct store *back_new(const struct store *store) {
    struct store *back = calloc(1, sizeof *back);
    if (back == NULL)
        return NULL;
    back->env = store->env;
    memcpy(back->tables, store->tables, sizeof back->tables);
    back->directory = store->directory;
    back->size_max = store->size_max;
    back->page = store->page;
    back->lock = -1;
    back->journal.fd = -1;
    return back;
}

static void keeper_free(struct keeper *k) {
    if (k == NULL)
        return;
    free(k->next.rows.at);
    free(k->job.rows.at);
    free(k->handed.at);
    free(k->places);
    free(k->back);
    free(k);
}

int thread_start(pthread_t *ret, const char *name, void *(*run)(void *), void *arg) {
    sigset_t all, before;
    sigfillset(&all);
    sigdelset(&all, SIGBUS); /* but a fault in it is its own: blocked, it would end the process without a word */
    sigdelset(&all, SIGSEGV);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(ret, NULL, run, arg);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error == 0)
        pthread_setname_np(*ret, name);
    return error;
}

int keeper_start(struct store *store) {
    struct keeper *k = calloc(1, sizeof *k);
    if (k != NULL) {
        k->back = back_new(store);
        k->places = malloc(PLACES * sizeof *k->places);
    }
    if (k == NULL || k->back == NULL || k->places == NULL) {
        keeper_free(k);
        return store_fail(store, -EST_NO_MEMORY, "out of memory");
    }
    pthread_condattr_t clock;
    pthread_mutex_init(&k->mutex, NULL);
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC); /* see deadline_set */
    pthread_cond_init(&k->wake, &clock);
    pthread_condattr_destroy(&clock);
    pthread_cond_init(&k->done, NULL);
    k->wake_bytes = WAKE_BYTES;
    store->keeper = k;
    keeper_rebase(store);
    int error = thread_start(&k->thread, "keeper", keeper_run, store);
    if (error == 0)
        return 0;
    store->keeper = NULL;
    keeper_free(k);
    return store_fail(store, -EST_NO_MEMORY, "no thread for the tables: %s; allow the broker one more", strerror(error));
}

int keeper_stop(struct store *store) {
    struct keeper *k = store->keeper;
    if (k == NULL)
        return 0;
    pthread_mutex_lock(&k->mutex);
    k->stopping = true;
    pthread_cond_signal(&k->wake);
    pthread_mutex_unlock(&k->mutex);
    pthread_join(k->thread, NULL);
    keeper_take(store);
    int failed = k->failed;
    store->keeper = NULL;
    pthread_mutex_destroy(&k->mutex);
    pthread_cond_destroy(&k->wake);
    pthread_cond_destroy(&k->done);
    keeper_free(k);
    return failed;
}

/* --- The loop's side --------------------------------------------------------------------------- */

/* Its failure becomes the store's, in its own words. */
static int failure_take(struct store *store, int failed) {
    if (failed)
        memcpy(store->error, store->keeper->back->error, sizeof store->error);
    return failed;
}

int keeper_failure(struct store *store) {
    struct keeper *k = store->keeper;
    if (k == NULL)
        return 0;
    pthread_mutex_lock(&k->mutex);
    int failed = k->failed;
    pthread_mutex_unlock(&k->mutex);
    return failure_take(store, failed);
}

static int rows_reserve(struct store *store, struct rows *rows, size_t more) {
    if (rows->count + more <= rows->capacity)
        return 0;
    size_t capacity = rows->capacity * 2 + more + FRESH_TOGETHER;
    struct fresh_row *grown = aligned_alloc(_Alignof(struct fresh_row), capacity * sizeof *grown);
    if (grown == NULL)
        return store_fail(store, -EST_NO_MEMORY, "out of memory for rows that settle");
    if (rows->count > 0)
        memcpy(grown, rows->at, rows->count * sizeof *grown);
    free(rows->at);
    rows->at = grown;
    rows->capacity = capacity;
    return 0;
}

bool keeper_has_room(const struct store *store) {
    return store->keeper->places_count < PLACES;
}

int keeper_hand(struct store *store, const struct fresh_row *row, uint32_t place) {
    struct keeper *k = store->keeper;
    int rc = rows_reserve(store, &k->handed, 1);
    if (rc)
        return rc;
    k->handed.at[k->handed.count++] = *row;
    k->places[(k->places_first + k->places_count++) % PLACES] = place;
    return 0;
}

static int handed_publish(struct store *store, struct keeper *k) {
    if (k->handed.count == 0)
        return 0;
    if (k->next.rows.count == 0) { /* as a rule: the thread has taken what was handed before */
        struct rows handed = k->handed;
        k->handed = k->next.rows;
        k->next.rows = handed;
        return 0;
    }
    int rc = rows_reserve(store, &k->next.rows, k->handed.count);
    if (rc)
        return rc;
    memcpy(k->next.rows.at + k->next.rows.count, k->handed.at, k->handed.count * sizeof *k->handed.at);
    k->next.rows.count += k->handed.count;
    k->handed.count = 0;
    return 0;
}

int keeper_publish(struct store *store, const struct pending *p) {
    struct keeper *k = store->keeper;
    pthread_mutex_lock(&k->mutex);
    bool was_idle = k->next.head.seq == k->kept.seq;
    int rc = handed_publish(store, k);
    if (!rc) {
        k->next.head = p->head;
        k->next.position = p->position;
        k->next.settled = p->settled;
    }
    k->published++;
    if (was_idle || k->in_gap_wait || k->next.position - k->kept_position >= k->wake_bytes)
        pthread_cond_signal(&k->wake);
    pthread_mutex_unlock(&k->mutex);
    return rc;
}

void keeper_forget(struct store *store) {
    struct keeper *k = store->keeper;
    if (k != NULL)
        k->handed.count = k->places_count = 0;
}

void keeper_take(struct store *store) {
    struct keeper *k = store->keeper;
    if (k == NULL)
        return;
    pthread_mutex_lock(&k->mutex);
    struct store_head kept = k->kept;
    uint64_t position = k->kept_position, rows = k->rows_kept;
    k->rows_kept = 0;
    pthread_mutex_unlock(&k->mutex);
    if (kept.seq + 1 > store->journal.oldest)
        journal_release(&store->journal, position, kept.seq + 1);
    for (; rows > 0; rows--) {
        uint32_t place = k->places[k->places_first];
        if (rows > FRESH_AHEAD)
            fresh_expect(&store->fresh, k->places[(k->places_first + FRESH_AHEAD) % PLACES]);
        if (rows > FRESH_AHEAD_SLOTS)
            fresh_expect_slots(&store->fresh, k->places[(k->places_first + FRESH_AHEAD_SLOTS) % PLACES]);
        newest_see(store, &fresh_at(&store->fresh, place)->row);
        fresh_settled(&store->fresh, place);
        k->places_first = (k->places_first + 1) % PLACES;
        k->places_count--;
    }
}

int keeper_drain(struct store *store) {
    struct keeper *k = store->keeper;
    if (k == NULL)
        return 0;
    pthread_mutex_lock(&k->mutex);
    while (k->failed == 0 && k->kept.seq != k->next.head.seq) {
        k->urgent = true;
        pthread_cond_signal(&k->wake);
        pthread_cond_wait(&k->done, &k->mutex);
    }
    int failed = k->failed;
    pthread_mutex_unlock(&k->mutex);
    keeper_take(store);
    return failure_take(store, failed);
}

void keeper_rebase(struct store *store) {
    struct keeper *k = store->keeper;
    if (k == NULL)
        return;
    pthread_mutex_lock(&k->mutex);
    k->kept = k->next.head = k->back->committed = k->back->head = store->head;
    k->kept_position = k->next.position = store->journal.head;
    k->back->ended_last = store->ended_last;
    pthread_mutex_unlock(&k->mutex);
    journal_release(&store->journal, store->journal.head, store->head.seq + 1);
}
