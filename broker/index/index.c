/* index.c - see index.h: the thread, its questions and its answers.
 */
#include "index.h"
#include "feed.h"
#include "find.h"
#include "guard.h"
#include "indexer.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum {
    NICE = 10,
    LOOK_EVERY_MS = 50,
    COMMIT_EVERY_MS = 2000, /* each syncs a file on the disk that the journal is on */
    RETRY_MS = 5000,
    CATCH_UP_MS = 250,
    FILTER_MAX = 1000,
    STOP_MAX_S = 20,
    YIELD_TIMES = 10, /* where the processor is short: as long again as a step took, times so many … */
    YIELD_MAX_MS = 200,
    RUSH_PER_S = 20000, /* events; while the log grows faster, search waits */
    RUSH_LOOK_MS = 100,
    IOPRIO_WHO_PROCESS = 1, /* glibc has no names for these */
    IOPRIO_IDLE = 3 << 13,
};

struct kept;

struct question {
    struct question *next;
    struct kept *kept; /* room for its answer, so that there is none without */
    struct index_asker asker;
    struct message message; /* its texts point into the two below */
    char filter[FILTER_MAX], department[EST_NAME_MAX];
    uint64_t seq, types_seq;
    struct parcel_rule rule;
    bool has_rule;
    uint64_t *leased;
    size_t leased_count;
    bool *confidential;
    size_t confidential_count;
    bool sees_all;
    est_time configured;
};

/* An answer in the list of those that wait. */
struct kept {
    struct index_answer answer;
    struct kept *next;
};

struct index {
    struct index_options options;
    char *folder;
    struct store_reader *reader;
    pthread_t thread;
    int fd;

    pthread_mutex_t lock; /* guards all down to `status` */
    pthread_cond_t asked;
    struct question *first, *last;
    unsigned waiting;
    struct kept *answers, *answers_last;
    atomic_bool answered; /* something is among them; to be read without the lock */
    bool stopping;
    struct index_status status;

    struct indexer indexer; /* the thread's own from here on */
    bool open, rebuilding;
    int64_t retry_ms, committed_ms;
    uint64_t entries, bytes;        /* of the index, as last seen */
    char dropped[INDEXER_WHY_SIZE]; /* why opening dropped what was there */
    char off_why[INDEXER_WHY_SIZE]; /* why search is off, as the log was told; "": it is on */
    int pause_ms;                   /* before the next step */
    int64_t rush_looked_ms;         /* when the log's growth was looked at, and where it was */
    uint64_t rush_head;
    bool rushing;
    struct names *names;            /* for the feed while there is no index */
};

static int64_t now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* --- Following the log --------------------------------------------------------------------------- */

static void status_set(struct index *in, const char *why) {
    struct index_status status = {.seq = in->indexer.place.seq,
                                  .head = in->indexer.head,
                                  .rebuilding = in->rebuilding,
                                  .failed = why != NULL};
    status.entries = in->entries;
    status.bytes = in->bytes;
    snprintf(status.why, sizeof status.why, "%s", why ? why : "");
    pthread_mutex_lock(&in->lock);
    in->status = status;
    pthread_mutex_unlock(&in->lock);
}

/* While an attempt has not written anything yet it is off as before. */
static void status_told(struct index *in) {
    status_set(in, in->off_why[0] ? in->off_why : NULL);
}

/* An index that opens may still have no room to write in. */
static void follow_good(struct index *in) {
    if (!in->open || in->indexer.dirty || !in->off_why[0])
        return;
    in->off_why[0] = '\0';
    in->options.log(5, "search is on again");
    status_set(in, NULL);
}

/* Search is off until the next attempt. Said once for each failure that is another one. */
static void follow_failed(struct index *in) {
    bool is_news = strcmp(in->off_why, in->indexer.why) != 0;
    if (is_news)
        in->options.log(4, "search is off and the broker goes on without it: %s; next attempt in %d s",
                        in->indexer.why, RETRY_MS / 1000);
    snprintf(in->off_why, sizeof in->off_why, "%s", in->indexer.why);
    indexer_close(&in->indexer);
    in->open = false;
    in->retry_ms = now_ms() + RETRY_MS;
    status_set(in, in->indexer.why);
}

/* What is done with the index's pages is done under guard: a fault in them is damage. */
enum { FAULT = 1 << 20 };

static int guarded(struct index *in, int (*work)(void *), void *arg) {
    int rc = guard_call(work, arg, FAULT);
    if (rc != FAULT)
        return rc;
    base_abandon(&in->indexer.base);
    snprintf(in->indexer.why, sizeof in->indexer.why, "index %.300s: its pages lead nowhere", in->folder);
    return -EST_INPUT;
}

static void figures_take(struct index *in) {
    in->entries = base_entries(in->indexer.base);
    in->bytes = base_bytes(in->indexer.base);
}

static int work_open(void *arg) {
    struct index *in = arg;
    int rc = indexer_open(in->reader, in->folder, &in->indexer, in->dropped);
    if (!rc)
        figures_take(in);
    return rc;
}

static int work_step(void *arg) {
    struct index *in = arg;
    int rc = indexer_step(&in->indexer);
    if (rc >= 0)
        figures_take(in);
    return rc;
}

static int work_commit(void *arg) {
    return indexer_commit(&((struct index *)arg)->indexer);
}

static void follow_drop(struct index *in, const char *why) {
    in->options.log(4, "the index is dropped and built again: %s", why);
    indexer_close(&in->indexer);
    in->open = false;
    base_remove(in->folder);
}

static void follow_open(struct index *in) {
    int rc = guarded(in, work_open, in);
    if (rc == -EST_INPUT) { /* found out by a fault; opening drops what it finds out by itself */
        follow_drop(in, in->indexer.why);
        rc = guarded(in, work_open, in);
    }
    in->open = rc == 0;
    if (in->dropped[0])
        in->options.log(4, "the index is dropped and built again: %s", in->dropped);
    if (rc) {
        follow_failed(in);
        return;
    }
    in->rebuilding = in->indexer.place.seq == 0 && in->indexer.head > 0;
    in->committed_ms = now_ms();
    status_told(in);
}

/* A damaged index is dropped at once; anything else is waited out. */
static void follow_check(struct index *in, int rc) {
    if (rc >= 0)
        return;
    if (rc != -EST_INPUT) {
        follow_failed(in);
        return;
    }
    follow_drop(in, in->indexer.why);
    follow_open(in);
}

static void commit_if_due(struct index *in, bool at_end) {
    bool is_due = now_ms() - in->committed_ms >= COMMIT_EVERY_MS || (at_end && in->rebuilding) ||
                  in->indexer.place.seq - in->indexer.committed >= INDEXER_COMMIT_EVENTS;
    if (!in->open || !in->indexer.dirty || !is_due)
        return;
    int rc = guarded(in, work_commit, in);
    in->committed_ms = now_ms();
    if (rc == 0 && at_end && in->rebuilding) {
        in->rebuilding = false;
        in->options.log(5, "the index is built: %llu events", (unsigned long long)in->indexer.place.seq);
    }
    follow_check(in, rc);
}

static int64_t clock_us(clockid_t id) {
    struct timespec t;
    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * EST_US_PER_S + t.tv_nsec / 1000;
}

static bool lag_is_borne(const struct index *in) {
    return indexer_behind(&in->indexer) <= INDEX_LAG_BORNE &&
           clock_us(CLOCK_REALTIME) - in->indexer.place.at_us <= INDEX_LAG_BORNE_S * EST_US_PER_S;
}

/* A step that took much longer than the work in it had to wait for a processor, and so had others: the
 * loop, perhaps. Then most of the time is left to them, as long as the lag is one that can be borne. */
static void yield_reckon(struct index *in, int64_t wall_us, int64_t work_us) {
    bool is_short = wall_us > work_us + work_us / 2 + 2000;
    int64_t pause_ms = is_short ? YIELD_TIMES * work_us / 1000 : 0;
    if (in->rebuilding || !lag_is_borne(in))
        pause_ms = 0;
    in->pause_ms = pause_ms < YIELD_MAX_MS ? (int)pause_ms : YIELD_MAX_MS;
}

/* One step. True when there is more to do, after `pause_ms`. */
static bool follow(struct index *in) {
    if (!in->open && now_ms() >= in->retry_ms)
        follow_open(in);
    in->pause_ms = 0;
    if (!in->open)
        return false;
    int64_t wall = clock_us(CLOCK_MONOTONIC), work = clock_us(CLOCK_THREAD_CPUTIME_ID);
    int rc = guarded(in, work_step, in);
    yield_reckon(in, clock_us(CLOCK_MONOTONIC) - wall, clock_us(CLOCK_THREAD_CPUTIME_ID) - work);
    if (rc < 0) {
        follow_check(in, rc);
        return in->open;
    }
    status_told(in);
    commit_if_due(in, rc == 0);
    follow_good(in);
    return rc == 1;
}

/* A log that grows by tens of thousands of events a second has a loop behind it that needs what the
 * machine has: with two processors this thread took a fifth of its rate. So it lags, as far as can be
 * borne, and catches up when the rush is over. */
static bool log_is_rushing(struct index *in) {
    uint64_t head;
    int64_t now = now_ms(), passed = now - in->rush_looked_ms;
    if (passed >= RUSH_LOOK_MS && store_reader_head(in->reader, &head) == 0) {
        in->rushing = in->rush_looked_ms != 0 && (int64_t)(head - in->rush_head) * 1000 > RUSH_PER_S * passed;
        in->rush_head = in->indexer.head = head;
        in->rush_looked_ms = now;
    }
    return in->rushing && !in->rebuilding && lag_is_borne(in);
}

/* What is left while the thread has nothing else to do. True when there is more, after `pause_ms`. */
static bool follow_unasked(struct index *in) {
    if (!in->open || !log_is_rushing(in))
        return follow(in);
    in->pause_ms = YIELD_MAX_MS;
    status_told(in);
    return true;
}

/* --- Answers ------------------------------------------------------------------------------------- */

static void answer_error(struct index_answer *a, uint64_t ref, int code, const char *why) {
    snprintf(a->why, sizeof a->why, "%s", why);
    a->message.verb = VERB_ERROR;
    a->message.error = (struct error_is){.ref = ref, .code = (uint64_t)(code < 0 ? -code : code)};
}

/* The rows with their array's head in front. */
static est_slice rows_finish(struct index_answer *a, const struct buffer *rows, size_t count) {
    pack_array(&a->rows, count);
    buffer_put(&a->rows, rows->data, rows->size);
    return buffer_slice(&a->rows);
}

static void answer_events(struct index *in, const struct question *q, struct index_answer *a) {
    const struct page *ask = &q->message.page;
    struct feed_question question = {.after = ask->after,
                                     .limit = ask->limit,
                                     .department = ask->department,
                                     .types_seq = q->types_seq,
                                     .confidential = q->confidential,
                                     .confidential_count = q->confidential_count,
                                     .sees_all = q->sees_all};
    struct feed_answer answer;
    buffer_init(&answer.rows);
    int rc = feed(in->reader, in->names, &question, &answer);
    if (rc) {
        answer_error(a, ask->ref, rc == -EST_INVALID_FIELD ? rc : EST_INTERNAL, answer.why);
    } else {
        a->message.verb = VERB_EVENTS_IS;
        a->message.events_is = (struct events_is){.ref = ask->ref, .next = answer.next, .head = answer.head};
        a->message.events_is.configured_us = (uint64_t)q->configured.us;
        a->message.events_is.rows = rows_finish(a, &answer.rows, answer.rows_count);
    }
    buffer_done(&answer.rows);
}

static uint64_t behind_of(const struct index *in, const struct question *q) {
    uint64_t head = in->indexer.head > q->seq ? in->indexer.head : q->seq;
    return head > in->indexer.place.seq ? head - in->indexer.place.seq : 0;
}

/* What had been said when it was asked is mostly in the answer: the store puts events into the log some
 * milliseconds after they are on disk, and that is waited for. */
static void catch_up(struct index *in, const struct question *q) {
    static const struct timespec moment = {0, 2000000};
    int64_t until = now_ms() + CATCH_UP_MS;
    bool more = follow(in);
    while (in->open && in->indexer.place.seq < q->seq && now_ms() < until) {
        if (!more)
            nanosleep(&moment, NULL);
        more = follow(in);
    }
}

/* True where search can answer. */
static bool search_ready(struct index *in, const struct question *q, uint64_t ref, struct index_answer *a) {
    char why[INDEX_WHY_SIZE];
    catch_up(in, q);
    uint64_t behind = behind_of(in, q);
    if (!in->open)
        snprintf(why, sizeof why, "search is off: %.400s", in->indexer.why);
    else if (in->rebuilding && behind > 0)
        snprintf(why, sizeof why, "the index is being built: %llu of %llu events",
                 (unsigned long long)in->indexer.place.seq, (unsigned long long)in->indexer.head);
    else if (behind > INDEX_LAG_MAX)
        snprintf(why, sizeof why, "the index is %llu events behind the log", (unsigned long long)behind);
    else
        return true;
    answer_error(a, ref, EST_BUSY, why);
    return false;
}

struct finding {
    struct indexer *indexer;
    const struct find_question *question;
    struct find_answer *answer;
};

static int work_find(void *arg) {
    struct finding *f = arg;
    return find(f->indexer, f->question, f->answer);
}

static void answer_find(struct index *in, const struct question *q, struct index_answer *a) {
    const struct find *ask = &q->message.find;
    struct timespec t;
    if (!search_ready(in, q, ask->ref, a))
        return;
    clock_gettime(CLOCK_REALTIME, &t);
    struct find_question question = {.filter = ask->filter,
                                     .after = ask->after,
                                     .limit = ask->limit,
                                     .count = ask->count != 0,
                                     .rule = q->has_rule ? &q->rule : NULL,
                                     .leased = q->leased,
                                     .leased_count = q->leased_count,
                                     .hidden = q->sees_all ? NULL : q->confidential,
                                     .hidden_count = q->confidential_count,
                                     .now = {(int64_t)t.tv_sec * EST_US_PER_S + t.tv_nsec / 1000}};
    struct find_answer answer;
    buffer_init(&answer.rows);
    struct finding finding = {&in->indexer, &question, &answer};
    int rc = guarded(in, work_find, &finding);
    if (rc == -EST_INPUT && !in->indexer.base)
        snprintf(answer.why, sizeof answer.why, "%s", in->indexer.why);
    if (rc) {
        answer_error(a, ask->ref, rc == -EST_INVALID_FIELD ? rc : EST_BUSY, answer.why);
    } else {
        a->message.verb = VERB_FIND_IS;
        a->message.find_is = (struct find_is){.ref = ask->ref,
                                              .next = answer.next,
                                              .count = answer.count,
                                              .behind = behind_of(in, q),
                                              .counted_all = answer.counted_all};
        a->message.find_is.rows = rows_finish(a, &answer.rows, answer.rows_count);
    }
    buffer_done(&answer.rows);
    if (rc == -EST_INPUT) {
        snprintf(in->indexer.why, sizeof in->indexer.why, "%s", answer.why);
        follow_check(in, rc);
    }
}

static void answer_counters(struct index *in, const struct question *q, struct index_answer *a) {
    uint64_t ref = q->message.counters.ref;
    struct buffer rows;
    if (!search_ready(in, q, ref, a))
        return;
    buffer_init(&rows);
    if (indexer_names(&in->indexer) < 0) {
        answer_error(a, ref, EST_BUSY, in->indexer.why);
    } else {
        size_t count = counts_pack(in->indexer.counts, in->indexer.names, &rows);
        a->message.verb = VERB_COUNTERS_IS;
        a->message.counters_is = (struct counters_is){.ref = ref, .seq = in->indexer.place.seq};
        a->message.counters_is.rows = rows_finish(a, &rows, count);
    }
    buffer_done(&rows);
}

static void answer_reindex(struct index *in, const struct question *q, struct index_answer *a) {
    if (in->open)
        indexer_close(&in->indexer);
    in->open = false;
    if (base_remove(in->folder) < 0) {
        answer_error(a, q->message.reindex.ref, EST_INTERNAL, "the index's files cannot be removed");
        in->retry_ms = now_ms();
        return;
    }
    follow_open(in);
    a->message.verb = VERB_DONE;
    a->message.done.ref = q->message.reindex.ref;
}

static void answer(struct index *in, const struct question *q, struct index_answer *a) {
    a->asker = q->asker;
    buffer_init(&a->rows);
    switch (q->message.verb) {
    case VERB_EVENTS:
        answer_events(in, q, a);
        break;
    case VERB_FIND:
        answer_find(in, q, a);
        break;
    case VERB_COUNTERS:
        answer_counters(in, q, a);
        break;
    default:
        answer_reindex(in, q, a);
    }
    if (a->rows.failed)
        answer_error(a, q->message.done.ref, EST_BUSY, "out of memory for the answer");
}

/* --- The thread ---------------------------------------------------------------------------------- */

static void question_free(struct question *q) {
    free(q->kept);
    free(q->leased);
    free(q->confidential);
    free(q);
}

static void answer_keep(struct index *in, struct kept *kept) {
    uint64_t one = 1;
    pthread_mutex_lock(&in->lock);
    if (in->answers_last)
        in->answers_last->next = kept;
    else
        in->answers = kept;
    in->answers_last = kept;
    atomic_store(&in->answered, true);
    /* Told with the lock held: whoever took the answer before it was told would find the sign later, with nothing
     * behind it, and never sleep again. It fails only where the count stands at its highest, and then it is readable. */
    (void)!write(in->fd, &one, sizeof one);
    pthread_mutex_unlock(&in->lock);
}

/* The next question; waits so long for one. */
static struct question *question_take(struct index *in, int wait_ms, bool *ret_stopping) {
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += wait_ms * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    pthread_mutex_lock(&in->lock);
    while (wait_ms > 0 && !in->first && !in->stopping &&
           pthread_cond_timedwait(&in->asked, &in->lock, &until) != ETIMEDOUT)
        continue;
    struct question *q = in->first;
    if (q) {
        in->first = q->next;
        if (!in->first)
            in->last = NULL;
        in->waiting--;
    }
    *ret_stopping = in->stopping;
    pthread_mutex_unlock(&in->lock);
    return q;
}

static void *thread_run(void *arg) {
    struct index *in = arg;
    bool stopping = false, more = true;
    pthread_setname_np(pthread_self(), "index");
    /* Of this thread alone, on Linux. Where the system refuses, it works as others do. */
    setpriority(PRIO_PROCESS, 0, NICE);
    sched_setscheduler(0, SCHED_BATCH, &(struct sched_param){0});
    syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_IDLE);
    while (!stopping) {
        struct question *q = question_take(in, more ? in->pause_ms : LOOK_EVERY_MS, &stopping);
        if (q) {
            struct kept *kept = q->kept;
            q->kept = NULL;
            answer(in, q, &kept->answer);
            answer_keep(in, kept);
            question_free(q);
        } else if (!stopping) {
            more = follow_unasked(in);
        }
    }
    if (in->open)
        guarded(in, work_commit, in);
    indexer_close(&in->indexer); /* in here: LMDB's transaction ends in the thread that began it */
    return NULL;
}

/* --- The loop's side ----------------------------------------------------------------------------- */

static int thread_start(struct index *in) {
    pthread_condattr_t clock;
    pthread_mutex_init(&in->lock, NULL);
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&in->asked, &clock);
    pthread_condattr_destroy(&clock);
    if (pthread_create(&in->thread, NULL, thread_run, in) == 0)
        return 0;
    pthread_mutex_destroy(&in->lock);
    pthread_cond_destroy(&in->asked);
    return -EST_IO;
}

static void index_free(struct index *in) {
    if (in->fd >= 0)
        close(in->fd);
    store_reader_close(&in->reader);
    names_free(&in->names);
    free(in->folder);
    free(in);
}

int index_start(const struct index_options *options, struct index **ret) {
    struct index *in = calloc(1, sizeof *in);
    if (!in)
        return -EST_NO_MEMORY;
    guard_install();
    in->options = *options;
    in->folder = strdup(options->folder);
    in->names = names_new();
    in->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    int rc = !in->folder || !in->names ? -EST_NO_MEMORY : in->fd < 0 ? -EST_IO : 0;
    if (!rc)
        rc = store_reader_open(options->store, &in->reader);
    if (!rc)
        rc = thread_start(in);
    if (rc) {
        index_free(in);
        return rc;
    }
    *ret = in;
    return 0;
}

/* Pages that lead in a circle inside LMDB may hold the thread for ever: the broker ends all the same. */
static bool thread_end(struct index *in) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += STOP_MAX_S;
    if (pthread_timedjoin_np(in->thread, NULL, &until) == 0)
        return true;
    in->options.log(4, "the index's thread does not end; it is left behind");
    return false;
}

void index_stop(struct index **ref) {
    struct index *in = *ref;
    *ref = NULL;
    if (!in)
        return;
    pthread_mutex_lock(&in->lock);
    in->stopping = true;
    pthread_cond_signal(&in->asked);
    pthread_mutex_unlock(&in->lock);
    if (!thread_end(in))
        return;
    for (struct question *q = in->first, *next; q; q = next) {
        next = q->next;
        question_free(q);
    }
    for (struct index_answer *a; (a = index_take(in));)
        index_answer_free(&a);
    pthread_mutex_destroy(&in->lock);
    pthread_cond_destroy(&in->asked);
    index_free(in);
}

int index_fd(const struct index *in) {
    return in->fd;
}

static void text_copy(est_slice *text, char *room, size_t size) {
    text->size = text->size < size ? text->size : size;
    if (text->size > 0)
        memcpy(room, text->data, text->size);
    text->data = room;
}

static struct question *question_new(struct index_asker asker, const struct message *m,
                                     const struct index_moment *moment) {
    struct question *q = calloc(1, sizeof *q);
    if (q)
        q->kept = calloc(1, sizeof *q->kept);
    if (!q || !q->kept) {
        free(q);
        return NULL;
    }
    q->asker = asker;
    q->message.verb = m->verb;
    if (m->verb == VERB_EVENTS) {
        q->message.page = m->page;
        text_copy(&q->message.page.department, q->department, sizeof q->department);
    } else if (m->verb == VERB_FIND) {
        q->message.find = m->find;
        text_copy(&q->message.find.filter, q->filter, sizeof q->filter);
    } else { /* the others say no more than their ref to the thread */
        q->message.done.ref = m->done.ref;
    }
    q->seq = moment->seq;
    q->types_seq = moment->types_seq;
    q->sees_all = moment->sees_all;
    q->configured = moment->configured;
    q->has_rule = moment->rule != NULL;
    if (moment->rule)
        q->rule = *moment->rule;
    return q;
}

int index_hand_over(struct index *in, struct index_asker asker, const struct message *m,
                    const struct index_moment *moment) {
    struct question *q = question_new(asker, m, moment);
    bool taken = false;
    pthread_mutex_lock(&in->lock);
    if (q && in->waiting < INDEX_QUESTIONS_MAX) {
        q->leased = moment->leased;
        q->leased_count = moment->leased_count;
        q->confidential = moment->confidential;
        q->confidential_count = moment->confidential_count;
        if (in->last)
            in->last->next = q;
        else
            in->first = q;
        in->last = q;
        in->waiting++;
        taken = true;
        pthread_cond_signal(&in->asked);
    }
    pthread_mutex_unlock(&in->lock);
    if (taken)
        return 0;
    free(moment->leased);
    free(moment->confidential);
    if (q)
        question_free(q);
    return -EST_BUSY;
}

bool index_has_answer(const struct index *in) {
    return atomic_load_explicit(&in->answered, memory_order_relaxed);
}

struct index_answer *index_take(struct index *in) {
    uint64_t count;
    pthread_mutex_lock(&in->lock);
    struct kept *kept = in->answers;
    if (kept) {
        in->answers = kept->next;
        if (!in->answers)
            in->answers_last = NULL;
    } else if (read(in->fd, &count, sizeof count) < 0) {
        count = 0; /* nothing had been told: nothing to forget */
    }
    atomic_store(&in->answered, kept != NULL);
    pthread_mutex_unlock(&in->lock);
    return kept ? &kept->answer : NULL;
}

void index_answer_free(struct index_answer **a) {
    if (!*a)
        return;
    buffer_done(&(*a)->rows);
    free((struct kept *)*a); /* its first member */
    *a = NULL;
}

void index_status(struct index *in, struct index_status *ret) {
    pthread_mutex_lock(&in->lock);
    *ret = in->status;
    pthread_mutex_unlock(&in->lock);
}
