/* workload.c - drives the real store through one of many lives, under the shim.
 *
 *     power_workload NAME FOLDER SEED
 *
 * A workload is a row of a table: how large batches and bodies are, what happens how often, when
 * the store is closed or its process dies. Each stretch between two openings is a process of its
 * own, because a broker that dies does not tidy up; what the inquiries are is kept in memory that
 * all of them share. Before each commit the shim is told what the commit holds, and after it that
 * it has been promised. Every other commit is only begun: the next batch is begun too and appends, and somewhere
 * in it the store is asked whether the one before is on the disk; nothing is promised until it says so. A
 * process that dies does so before or after any call of its threads, as kill -9 takes it: while the store
 * opens, in a commit, in the keeper's transaction, while it closes. A commit that was under way then
 * may be in the store or not, and what was appended behind it is not; the next life takes over what it finds.
 */
#include "record.h"
#include "store.h"
#include "trace.h"
#include "workloads.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { INQUIRIES_MAX = 200000, RECORD_MAX = 1 << 20, MOMENTS_PER_BATCH = 12, PATIENCES = 10 };

struct asked {
    uint64_t number, last_seq;
    uint32_t state;
};

/* Shared by the processes of one workload. */
struct model {
    /* As promised; with the commit that is under way; with the batch that is being made. */
    struct asked open[INQUIRIES_MAX], committing_open[INQUIRIES_MAX], batch_open[INQUIRIES_MAX];
    size_t count, committing_count, batch_count;
    uint64_t seq, time_us, ids, generation, seed;
    uint64_t committing, committing_us; /* the commit that is under way; 0: none */
    bool closed;                        /* and the store was closed in order behind it */
};

struct driver {
    const struct workload *it;
    struct model *m;
    struct store *store;
    trace_mark mark;
    trace_life live;
    bool early, begun; /* the controls: promises before the commit, or when it has begun */
    uint8_t *record;
    uint64_t seq, time_us;
};

static uint64_t chance(struct driver *d, uint64_t below) {
    uint64_t *seed = &d->m->seed;
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return below > 0 ? (*seed >> 11) % below : 0;
}

static void die(const char *what, const struct store *store) {
    fprintf(stderr, "power_workload: %s: %s\n", what, store_error(store));
    exit(3);
}

/* --- Events ------------------------------------------------------------------------------------ */

static struct event event_of(struct driver *d, enum event_type type, uint64_t number, uint64_t previous) {
    d->time_us += chance(d, 3); /* often the same instant */
    return (struct event){.seq = d->seq + 1,
                          .at = {(int64_t)d->time_us},
                          .generation = d->m->generation,
                          .number = number,
                          .previous = previous,
                          .type = type};
}

static void append(struct driver *d, const struct event *event) {
    size_t size = record_size(event);
    if (size == 0 || size > RECORD_MAX)
        die("an event is too large", d->store);
    uint64_t checksum = record_write(event, size, d->record);
    if (store_append(d->store, event) != 0)
        die("an append was refused", d->store);
    d->mark(TRACE_EVENT, event->seq, checksum);
    d->seq = event->seq;
}

static est_slice text_of(struct driver *d, size_t size) {
    static uint8_t bytes[1 << 17];
    uint64_t word = chance(d, UINT64_MAX);
    if (size > sizeof bytes)
        size = sizeof bytes;
    for (size_t i = 0; i < size; i += sizeof word, word = word * 6364136223846793005u + 1442695040888963407u)
        memcpy(bytes + i, &word, size - i < sizeof word ? size - i : sizeof word);
    return (est_slice){bytes, size};
}

static void set_account(struct driver *d, uint32_t account) {
    static struct right rights[TYPES];
    size_t count = 1 + chance(d, TYPES);
    for (size_t i = 0; i < count; i++)
        rights[i] = (struct right){(uint32_t)i + 1, (uint32_t)chance(d, UINT32_MAX)};
    struct event event = event_of(d, EVENT_ACCOUNT_SET, 0, 0);
    event.account_set =
        (struct event_account_set){.account = account,
                                   .role = account <= REQUESTERS ? ROLE_REQUESTER : ROLE_DEPARTMENT,
                                   .department = account <= REQUESTERS ? 0 : 1,
                                   .name = text_of(d, 1 + chance(d, 60)),
                                   .rights = rights,
                                   .rights_count = count};
    append(d, &event);
}

static void set_type(struct driver *d, uint32_t type, uint32_t version) {
    struct event event = event_of(d, EVENT_TYPE_SET, 0, 0);
    size_t size = 1 + chance(d, d->it->body_max < 60000 ? d->it->body_max + 100 : 60000);
    event.type_set = (struct event_type_set){type, version, 1, text_of(d, 20), text_of(d, size)};
    append(d, &event);
}

static void set_city(struct driver *d) {
    struct event event = event_of(d, EVENT_DEPARTMENT_SET, 0, 0);
    event.department_set = (struct event_department_set){1, text_of(d, 12)};
    append(d, &event);
    event = event_of(d, EVENT_PURPOSE_SET, 0, 0);
    event.purpose_set = (struct event_purpose_set){0, text_of(d, 6)};
    append(d, &event);
    for (uint32_t type = 1; type <= TYPES; type++)
        set_type(d, type, 1);
    for (uint32_t account = 1; account <= ACCOUNTS; account++)
        set_account(d, account);
}

static void do_set(struct driver *d) {
    if (chance(d, 2)) {
        set_account(d, 1 + (uint32_t)chance(d, ACCOUNTS));
        return;
    }
    if (chance(d, 3)) {
        set_type(d, 1 + (uint32_t)chance(d, TYPES), 1 + (uint32_t)chance(d, 4));
        return;
    }
    struct event event = event_of(d, EVENT_RETIRED, 0, 0);
    event.retired = (struct event_retired){THING_TYPE, 1 + (uint32_t)chance(d, TYPES)};
    append(d, &event);
}

static void do_submit(struct driver *d) {
    struct model *m = d->m;
    if (m->batch_count == INQUIRIES_MAX)
        return;
    struct event event = event_of(d, EVENT_SUBMITTED, d->seq + 1, 0);
    uint64_t nth = ++m->ids, id = d->it->random_ids ? nth * UINT64_C(0x9e3779b97f4a7c15) : nth;
    for (size_t i = 0; i < 8; i++)
        event.submitted.id.bytes[7 - i] = (uint8_t)(id >> (8 * i));
    event.submitted.account = 1 + (uint32_t)chance(d, REQUESTERS);
    event.submitted.type = 1 + (uint32_t)chance(d, TYPES);
    event.submitted.version = 1;
    event.submitted.district = (uint32_t)chance(d, 23);
    event.submitted.due.us = INT64_MAX / 2;
    uint64_t least = d->it->body_min, most = d->it->body_max;
    event.submitted.body = text_of(d, least + chance(d, most - least + 1));
    append(d, &event);
    m->batch_open[m->batch_count++] = (struct asked){event.number, event.seq, EST_STATE_WAITING};
}

static bool is_final(const struct asked *q) {
    return est_state_is_final((enum est_state)q->state);
}

static struct asked *pick_oldest(struct driver *d, bool over) {
    struct model *m = d->m;
    struct asked *oldest = NULL;
    for (struct asked *q = m->batch_open; q < m->batch_open + m->batch_count; q++)
        if (is_final(q) == over && (!oldest || q->number < oldest->number))
            oldest = q;
    return oldest;
}

/* One that is (or is not) over; NULL where luck finds none. */
static struct asked *pick(struct driver *d, bool over) {
    struct model *m = d->m;
    if (d->it->oldest_first)
        return pick_oldest(d, over);
    for (int tries = 0; tries < 8 && m->batch_count > 0; tries++) {
        struct asked *q = &m->batch_open[chance(d, m->batch_count)];
        if (is_final(q) == over)
            return q;
    }
    return NULL;
}

static void change(struct driver *d, struct asked *q, const struct event *event, uint32_t state) {
    append(d, event);
    q->last_seq = event->seq;
    q->state = state;
}

static void do_answer(struct driver *d) {
    struct asked *q = pick(d, false);
    if (!q)
        return;
    struct event event = event_of(d, EVENT_ANSWERED, q->number, q->last_seq);
    event.answered.account = REQUESTERS + 1;
    event.answered.outcome = EST_OUTCOME_POSITIVE;
    event.answered.epoch = event.seq;
    event.answered.body = text_of(d, chance(d, d->it->body_max + 1));
    change(d, q, &event, EST_STATE_ANSWERED);
}

static void do_fail(struct driver *d) {
    struct asked *q = pick(d, false);
    if (!q)
        return;
    bool parks = chance(d, 3) == 0;
    struct event event = event_of(d, parks ? EVENT_PARKED : EVENT_ATTEMPT_FAILED, q->number, q->last_seq);
    if (parks) {
        event.parked = (struct event_parked){.account = REQUESTERS + 1, .code = EST_AGENT_REFUSED};
        event.parked.reason = text_of(d, chance(d, 200));
    } else {
        event.attempt_failed =
            (struct event_attempt_failed){.account = REQUESTERS + 1, .code = EST_AGENT_LOST};
        event.attempt_failed.not_before.us = event.at.us + (int64_t)chance(d, 2) * 1000;
    }
    change(d, q, &event, parks ? EST_STATE_PARKED : EST_STATE_WAITING);
}

static void do_end(struct driver *d) {
    struct asked *q = pick(d, false);
    if (!q)
        return;
    bool expires = chance(d, 2);
    struct event event = event_of(d, expires ? EVENT_EXPIRED : EVENT_CANCELLED, q->number, q->last_seq);
    if (!expires)
        event.cancelled = (struct event_cancelled){1, text_of(d, chance(d, 100))};
    change(d, q, &event, expires ? EST_STATE_EXPIRED : EST_STATE_CANCELLED);
}

/* As many as a storm brings at once. */
static void do_acknowledge(struct driver *d) {
    static uint64_t numbers[EST_NUMBERS_MAX];
    struct model *m = d->m;
    size_t count = 0, wanted = 1 + chance(d, d->it->acknowledge_max);
    for (size_t i = chance(d, m->batch_count + 1), left = m->batch_count; left > 0 && count < wanted;
         left--) {
        i = i < m->batch_count ? i : 0;
        if (!is_final(&m->batch_open[i])) {
            i++;
            continue;
        }
        numbers[count++] = m->batch_open[i].number;
        m->batch_open[i] = m->batch_open[--m->batch_count];
    }
    if (count == 0)
        return;
    struct event event = event_of(d, EVENT_ACKNOWLEDGED, 0, 0);
    event.acknowledged = (struct event_acknowledged){1, numbers, count, {NULL, 0}};
    append(d, &event);
}

static void do_drain(struct driver *d) {
    struct event event = event_of(d, EVENT_DRAIN, 0, 0);
    event.drain = (struct event_drain){ACCOUNTS, (uint32_t)chance(d, 2), text_of(d, chance(d, 50))};
    append(d, &event);
}

/* --- Batches ----------------------------------------------------------------------------------- */

static void step(struct driver *d) {
    static void (*const doing[])(struct driver *) = {
        [DO_SUBMIT] = do_submit, [DO_ANSWER] = do_answer, [DO_ACKNOWLEDGE] = do_acknowledge,
        [DO_FAIL] = do_fail,     [DO_END] = do_end,       [DO_SET] = do_set,
        [DO_DRAIN] = do_drain,
    };
    unsigned total = 0;
    for (size_t i = 0; i < DO_COUNT; i++)
        total += d->it->weights[i];
    unsigned at = (unsigned)chance(d, total), what = 0;
    while (at >= d->it->weights[what])
        at -= d->it->weights[what++];
    doing[what](d);
}

/* On top of what is under way, if anything is. */
static void begin(struct driver *d) {
    struct model *m = d->m;
    bool behind = m->committing > 0;
    if (store_begin(d->store) != 0)
        die("a batch cannot be begun", d->store);
    d->seq = behind ? m->committing : m->seq;
    d->time_us = behind ? m->committing_us : m->time_us;
    m->batch_count = behind ? m->committing_count : m->count;
    memcpy(m->batch_open, behind ? m->committing_open : m->open, m->batch_count * sizeof *m->open);
}

static void committed(struct driver *d) {
    struct model *m = d->m;
    d->mark(TRACE_PROMISED, m->committing, 0);
    m->seq = m->committing;
    m->time_us = m->committing_us;
    m->count = m->committing_count;
    m->committing = 0;
    memcpy(m->open, m->committing_open, m->count * sizeof *m->open);
}

static void committing(struct driver *d) {
    struct model *m = d->m;
    m->committing_us = d->time_us;
    m->committing_count = m->batch_count;
    memcpy(m->committing_open, m->batch_open, m->batch_count * sizeof *m->open);
    d->mark(TRACE_COMMIT, d->seq, 0);
    m->committing = d->seq;
    if (d->early)
        d->mark(TRACE_PROMISED, d->seq, 0);
}

/* What is under way, if anything is, has come to its end, or has not and nobody `waits`. */
static void end(struct driver *d, bool waits) {
    int rc = d->m->committing > 0 ? store_commit_end(d->store, waits) : 1;
    if (rc < 0)
        die("a commit failed", d->store);
    if (rc == 0)
        committed(d);
}

static void commit(struct driver *d) {
    bool begins = chance(d, 2);
    end(d, true);
    committing(d);
    if ((begins ? store_commit_begin(d->store, true) : store_commit(d->store)) != 0)
        die("a commit failed", d->store);
    if (!begins)
        committed(d);
    else if (d->begun)
        d->mark(TRACE_PROMISED, d->seq, 0);
}

/* The one before has been waited for, whoever hears of it. */
static void abort_open(struct driver *d) {
    store_abort(d->store);
    end(d, false);
    if (d->m->committing > 0)
        die("what was under way was not waited for", d->store);
    d->mark(TRACE_ABORTED, d->m->seq, 0);
}

static void batch(struct driver *d, unsigned nth) {
    unsigned least = d->it->batch_min, events = least + (unsigned)chance(d, d->it->batch_max - least + 1);
    unsigned patience = 1u << chance(d, PATIENCES);
    begin(d);
    for (unsigned i = 0; i < events; i++) {
        step(d);
        if (chance(d, patience) == 0)
            end(d, chance(d, 4) == 0);
    }
    if (d->it->abort_every > 0 && (nth + 1) % d->it->abort_every == 0)
        abort_open(d);
    else
        commit(d);
}

/* As the broker: a new generation is the first event of the first batch. */
static void first_batch(struct driver *d) {
    begin(d);
    struct event event = event_of(d, EVENT_STARTED, 0, 0);
    event.generation = event.started.generation = ++d->m->generation;
    append(d, &event);
    if (d->m->seq == 0)
        set_city(d);
    commit(d);
}

/* Much of the same, to have a large store soon: bodies as large as they may be. */
static void prefill(struct driver *d) {
    struct store_sizes sizes;
    do {
        begin(d);
        for (int i = 0; i < 64; i++)
            do_submit(d);
        commit(d);
        store_sizes(d->store, &sizes);
    } while (sizes.used < (uint64_t)d->it->prefill_mib << 20);
}

/* --- Processes --------------------------------------------------------------------------------- */

/* What the one that died had begun: the store says whether it is in. */
static void death_settle(struct driver *d) {
    struct store_head head;
    store_head(d->store, &head);
    if (d->m->committing > 0 && d->m->closed && head.seq != d->m->committing)
        die("closing has lost what was under way", d->store);
    d->m->closed = false;
    if (d->m->committing > 0 && head.seq == d->m->committing)
        committed(d);
    else
        d->mark(TRACE_ABORTED, d->m->seq, 0);
    d->m->committing = 0;
    if (head.seq != d->m->seq)
        die("a death has changed the log", d->store);
}

/* Often in the first moments, where much is done at once. */
static uint64_t death_choose(struct driver *d) {
    unsigned most = chance(d, 4) == 0 ? 40 : d->it->restart_every * MOMENTS_PER_BATCH;
    return 1 + chance(d, most);
}

/* Every second life has another size: the journal is made anew, with what counts of the old one. */
static uint64_t size_of(const struct driver *d, unsigned from) {
    bool other = d->it->resizes && from / d->it->restart_every % 2 == 1;
    return (uint64_t)d->it->size_mib << (other ? 21 : 20);
}

static void life(struct driver *d, const char *folder, unsigned from, unsigned until, bool last) {
    struct store_options options = {.directory = folder, .size_max = size_of(d, from)};
    uint64_t order = chance(d, UINT64_MAX), death = d->it->dies && !last ? death_choose(d) : 0;
    d->live(order, death);
    if (store_open(&options, &d->store) != 0)
        die("the store cannot be opened", NULL);
    death_settle(d);
    first_batch(d);
    if (from == 0 && d->it->prefill_mib > 0)
        prefill(d);
    for (unsigned nth = from; nth < until; nth++)
        batch(d, nth);
    if (!last && d->it->dies) {
        begin(d);
        for (int i = 0; i < 5; i++)
            step(d);
        _exit(0); /* no death has come: in the middle of a batch, nothing closed */
    }
    store_close(&d->store);
    d->m->closed = true;
    exit(0);
}

static int lives_run(struct driver *d, const char *folder) {
    const struct workload *it = d->it;
    unsigned length = it->restart_every > 0 ? it->restart_every : it->batches;
    for (unsigned from = 0; from < it->batches; from += length) {
        int status;
        pid_t child = fork();
        if (child == 0)
            life(d, folder, from, from + length, from + length >= it->batches);
        if (child < 0 || waitpid(child, &status, 0) < 0 || status != 0)
            return 3;
    }
    return 0;
}

int main(int argc, char **argv) {
    struct driver d = {.it = argc == 4 ? workload_find(argv[1]) : NULL};
    if (!d.it) {
        fputs("power_workload NAME FOLDER SEED; run by power_campaign\n", stderr);
        return 2;
    }
    void *symbol = dlsym(RTLD_DEFAULT, TRACE_MARK_NAME);
    memcpy(&d.mark, &symbol, sizeof d.mark);
    symbol = dlsym(RTLD_DEFAULT, TRACE_LIFE_NAME);
    memcpy(&d.live, &symbol, sizeof d.live);
    d.m = mmap(NULL, sizeof *d.m, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    d.record = malloc(RECORD_MAX);
    if (!d.mark || !d.live || d.m == MAP_FAILED || !d.record) {
        fputs("power_workload: the shim is not there, or no memory\n", stderr);
        return 3;
    }
    const char *control = getenv(TRACE_CONTROL_ENV);
    d.early = control && strcmp(control, "early") == 0;
    d.begun = control && strcmp(control, "begun") == 0;
    d.m->seed = strtoull(argv[3], NULL, 10) * 2654435761u + 88172645463325252u;
    d.m->time_us = UINT64_C(1760000000000000);
    return lives_run(&d, argv[2]);
}
