/* disk.c - store.h over memory: the log as the bytes of real records, rows by inquiry_row_apply.
 *
 * Three heads: of the batch that is made, of what the broker believes to be committed, and of what
 * would be there after a power cut. The last two differ only while the disk misbehaves. A crash cuts
 * the log back to what is durable and makes the tables again from its bytes, as the real store finds
 * both in one transaction.
 *
 * About every other batch is left under way when its commit returns, for some looks or until somebody
 * waits, and the next one is made meanwhile. It strikes then what was armed for it. Who dies meanwhile
 * finds it there or not, by chance, but whole, and never anything of the next one.
 *
 * It refuses what the real store refuses (see tables.c there): a broker that asks for such a thing
 * has a mistake in its logic, and that is an invariant of its own.
 */
#include "sim.h"

#include <record.h>
#include <store.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 256, THINGS_MAX = 512, VERSION_RETIRED = -1, LOG_SIZE = 16 << 20 };

struct stored_thing {
    uint32_t kind, number, version;
    uint64_t seq;
};
struct tables {
    struct inquiry_row rows[ROWS]; /* by number, which only grows */
    size_t rows_count;
    struct stored_thing things[THINGS_MAX]; /* by kind, number, version */
    size_t things_count;
};

struct pending { /* a batch on its way to the disk */
    bool is_there;
    struct store_head head;
    unsigned looks; /* that still find it under way, where nobody waits */
};

struct store {
    uint8_t *log;
    size_t size;
    size_t end[NUMBERS + 1]; /* of the record of each seq */
    struct store_head head, committed, durable;
    struct tables tables;
    struct record_scratch scratch, walk;
    uint8_t secret[32];
    bool in_batch;
    int spoiled;
    struct pending pending;
    unsigned pending_share, awaits_share; /* in thousandths of the batches that write, of the appends meanwhile */
    int64_t began_us, took_us; /* the write */
};
static struct store disk;
static struct tables folded;

/* --- Tables -------------------------------------------------------------------------------------------- */

static struct inquiry_row *row_find(struct tables *t, uint64_t number) {
    size_t low = 0, high = t->rows_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (t->rows[middle].number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low < t->rows_count && t->rows[low].number == number ? &t->rows[low] : NULL;
}

static struct inquiry_row *row_by_id(struct tables *t, uint32_t account, const est_id *id) {
    for (size_t i = 0; i < t->rows_count; i++)
        if (t->rows[i].account == account && memcmp(&t->rows[i].id, id, sizeof *id) == 0)
            return &t->rows[i];
    return NULL;
}

static int thing_compare(const struct stored_thing *a, uint32_t kind, uint32_t number, uint32_t version) {
    if (a->kind != kind)
        return a->kind < kind ? -1 : 1;
    if (a->number != number)
        return a->number < number ? -1 : 1;
    return a->version == version ? 0 : a->version < version ? -1 : 1;
}

static void thing_put(struct tables *t, uint32_t kind, uint32_t number, uint32_t version, uint64_t seq) {
    size_t at = 0;
    while (at < t->things_count && thing_compare(&t->things[at], kind, number, version) < 0)
        at++;
    bool known = at < t->things_count && thing_compare(&t->things[at], kind, number, version) == 0;
    if (!known)
        memmove(&t->things[at + 1], &t->things[at], (t->things_count++ - at) * sizeof *t->things);
    t->things[at] = (struct stored_thing){kind, number, version, seq};
}

static void thing_drop(struct tables *t, uint32_t kind, uint32_t number, uint32_t version) {
    for (size_t at = 0; at < t->things_count; at++)
        if (thing_compare(&t->things[at], kind, number, version) == 0) {
            memmove(&t->things[at], &t->things[at + 1], (--t->things_count - at) * sizeof *t->things);
            return;
        }
}

static void thing_set(struct tables *t, uint32_t kind, uint32_t number, uint32_t version, uint64_t seq) {
    thing_drop(t, kind, number, (uint32_t)VERSION_RETIRED);
    thing_put(t, kind, number, version, seq);
}

static const char *apply_submitted(struct tables *t, const struct event *e) {
    if (e->number != e->seq || e->previous != 0)
        return "an inquiry's number is the seq of its first event";
    if (row_by_id(t, e->submitted.account, &e->submitted.id) != NULL)
        return "the account has used this id already";
    if (t->rows_count == ROWS)
        return "the simulated disk has no more rows";
    struct inquiry_row *row = &t->rows[t->rows_count++];
    memset(row, 0, sizeof *row);
    inquiry_row_apply(row, e);
    return NULL;
}

static const char *apply_change(struct tables *t, const struct event *e) {
    struct inquiry_row *row = row_find(t, e->number);
    if (row == NULL || row->acked.us != 0)
        return "the inquiry is not open";
    if (est_state_is_final((enum est_state)row->state))
        return "the inquiry has ended";
    if (e->previous != row->last_seq)
        return "the event does not follow the inquiry's newest";
    inquiry_row_apply(row, e);
    return NULL;
}

static const char *apply_acknowledged(struct tables *t, const struct event *e) {
    for (size_t i = 0; i < e->acknowledged.count; i++) {
        struct inquiry_row *row = row_find(t, e->acknowledged.numbers[i]);
        if (row == NULL || row->acked.us != 0 || !est_state_is_final((enum est_state)row->state))
            return "what is acknowledged has not ended, or was acknowledged before";
        inquiry_row_apply(row, e);
    }
    return NULL;
}

static const char *tables_apply(struct tables *t, const struct event *e) {
    switch (e->type) {
    case EVENT_DEPARTMENT_SET:
        thing_set(t, THING_DEPARTMENT, e->department_set.department, 0, e->seq);
        return NULL;
    case EVENT_TYPE_SET:
        thing_set(t, THING_TYPE, e->type_set.type, e->type_set.version, e->seq);
        return NULL;
    case EVENT_ACCOUNT_SET:
        thing_set(t, THING_ACCOUNT, e->account_set.account, 0, e->seq);
        return NULL;
    case EVENT_PURPOSE_SET:
        thing_set(t, THING_PURPOSE, e->purpose_set.purpose, 0, e->seq);
        return NULL;
    case EVENT_PAUSED:
        thing_put(t, THING_PAUSE, e->paused.department, 0, e->seq);
        return NULL;
    case EVENT_RETIRED:
        thing_put(t, e->retired.thing, e->retired.number, (uint32_t)VERSION_RETIRED, e->seq);
        return NULL;
    case EVENT_STARTED:
    case EVENT_DRAIN:
        return NULL;
    case EVENT_SUBMITTED:
        return apply_submitted(t, e);
    case EVENT_ACKNOWLEDGED:
        return apply_acknowledged(t, e);
    default:
        return apply_change(t, e);
    }
}

/* --- The log ------------------------------------------------------------------------------------------- */

static int log_read(uint64_t seq, struct record_scratch *scratch, struct event *ret) {
    char why[RECORD_WHY_SIZE];
    if (seq == 0 || seq > disk.head.seq)
        return -EST_NOT_FOUND;
    size_t from = disk.end[seq - 1];
    return record_read((est_slice){disk.log + from, disk.end[seq] - from}, scratch, ret, why);
}

int disk_each_event(int (*each)(void *, const struct event *), void *arg) {
    struct event e;
    for (uint64_t seq = 1; seq <= disk.head.seq; seq++) {
        int error = log_read(seq, &disk.walk, &e);
        if (error == 0)
            error = each(arg, &e);
        if (error != 0)
            return error;
    }
    return 0;
}

static int fold_one(void *arg, const struct event *e) {
    return tables_apply(arg, e) == NULL ? 0 : -EST_INPUT;
}

static bool fold(struct tables *ret) {
    ret->rows_count = ret->things_count = 0;
    return disk_each_event(fold_one, ret) == 0;
}

const char *disk_fold_differs(void) {
    if (!fold(&folded))
        return "the log cannot be folded";
    if (folded.rows_count != disk.tables.rows_count)
        return "the fold has other inquiries";
    for (size_t i = 0; i < folded.rows_count; i++) {
        uint8_t a[ROW_SIZE], b[ROW_SIZE];
        row_write(&folded.rows[i], a);
        row_write(&disk.tables.rows[i], b);
        if (memcmp(a, b, sizeof a) != 0)
            return "the fold has another row";
    }
    bool same = folded.things_count == disk.tables.things_count &&
                memcmp(folded.things, disk.tables.things, folded.things_count * sizeof *folded.things) == 0;
    return same ? NULL : "the fold has other things";
}

void disk_reset(void) {
    disk.size = 0;
    disk.in_batch = false;
    disk.spoiled = 0;
    disk.pending = (struct pending){0};
    disk.pending_share = (unsigned)rng_between(fault_rng(FAULT_OVERLAP), 100, 900); /* each run has its own */
    disk.awaits_share = (unsigned)rng_between(fault_rng(FAULT_OVERLAP), 0, 400);
    disk.began_us = disk.took_us = 0;
    disk.head = disk.committed = disk.durable = (struct store_head){0};
    disk.tables.rows_count = disk.tables.things_count = 0;
    for (size_t i = 0; i < sizeof disk.secret; i++)
        disk.secret[i] = (uint8_t)(sim.plan.seed >> (i % 8) * 8);
}

static void pending_falls(void) {
    bool is_written = rng_chance(fault_rng(FAULT_CRASH_WRITING), 500);
    tell("   the batch under way, up to event %llu, is %s the disk", (unsigned long long)disk.pending.head.seq,
         is_written ? "on" : "not on");
    if (is_written)
        disk.durable = disk.pending.head;
    disk.pending.is_there = false;
}

void disk_crash(void) {
    if (disk.pending.is_there)
        pending_falls();
    bool lost = disk.head.seq != disk.durable.seq;
    disk.in_batch = false;
    disk.spoiled = 0;
    disk.head = disk.committed = disk.durable;
    disk.size = disk.end[disk.head.seq];
    if (lost)
        fold(&disk.tables);
}

bool disk_is_writing(void) {
    return disk.pending.is_there;
}
uint64_t disk_head_seq(void) {
    return disk.head.seq;
}
uint64_t disk_durable_seq(void) {
    return disk.durable.seq;
}
size_t disk_rows(void) {
    return disk.tables.rows_count;
}
const struct inquiry_row *disk_row(size_t index) {
    return &disk.tables.rows[index];
}
const struct inquiry_row *disk_row_of(uint64_t number) {
    return row_find(&disk.tables, number);
}

/* --- store.h ------------------------------------------------------------------------------------------- */

int store_open(const struct store_options *options, struct store **ret) {
    (void)options;
    *ret = &disk;
    return 0;
}

void store_close(struct store **store) {
    *store = NULL;
}
const char *store_error(const struct store *store) {
    (void)store;
    return "the simulated disk refused";
}
void store_head(const struct store *store, struct store_head *ret) {
    *ret = store->head;
}
void store_opening(const struct store *store, struct store_opening *ret) {
    (void)store;
    *ret = (struct store_opening){0};
}
const uint8_t *store_secret(const struct store *store) {
    return store->secret;
}

/* The simulated disk knows at any time how full it is. */
int store_measure(struct store *store) {
    (void)store;
    return 0;
}

unsigned store_fullness(const struct store *store) {
    (void)store;
    if (sim.now >= sim.nearly_full_until || sim.phase == PHASE_SETTLING)
        return 100;
    fault_count(FAULT_NEARLY_FULL);
    return 850;
}

void store_sizes(const struct store *store, struct store_sizes *ret) {
    *ret = (struct store_sizes){.used = store->size, .map = LOG_SIZE, .size_max = LOG_SIZE};
}

int store_tidy(struct store *store) {
    (void)store;
    return 0;
}

int store_each_open(struct store *store, int (*each)(void *, const struct inquiry_row *), void *arg) {
    int stop = 0;
    for (size_t i = 0; i < store->tables.rows_count && stop == 0; i++)
        if (store->tables.rows[i].acked.us == 0)
            stop = each(arg, &store->tables.rows[i]);
    return stop;
}

int store_each_thing(struct store *store, int (*each)(void *, const struct event *), void *arg) {
    int stop = 0;
    struct event e;
    for (size_t i = 0; i < store->tables.things_count && stop == 0; i++) {
        stop = log_read(store->tables.things[i].seq, &store->walk, &e);
        if (stop == 0)
            stop = each(arg, &e);
    }
    return stop;
}

int store_begin(struct store *store) {
    if (store->in_batch)
        violate(&invariant_store_never_refuses, "a batch is begun while another is open");
    store->in_batch = true;
    sim.overlapped += store->pending.is_there;
    return 0;
}

/* Never moved: slices of events that were read point into it. */
static bool log_reserve(size_t size) {
    if (disk.log == NULL)
        disk.log = malloc(LOG_SIZE);
    return disk.log != NULL && disk.size + size <= LOG_SIZE;
}

static int append_checked(struct store *store, const struct event *e) {
    size_t size = record_size(e);
    if (e->seq != store->head.seq + 1 || e->at.us < store->head.at.us || size == 0 || !store->in_batch)
        violate(&invariant_store_never_refuses, "event %llu (%s) is out of place", (unsigned long long)e->seq,
                event_type_name(e->type));
    if (e->seq >= NUMBERS || !log_reserve(size))
        return -EST_FULL;
    uint64_t checksum = record_write(e, size, store->log + store->size);
    const char *why = tables_apply(&store->tables, e);
    if (why != NULL)
        violate(&invariant_store_never_refuses, "event %llu (%s of #%llu): %s", (unsigned long long)e->seq,
                event_type_name(e->type), (unsigned long long)e->number, why);
    store->size += size;
    store->end[e->seq] = store->size;
    store->head.seq = e->seq;
    store->head.at = e->at;
    store->head.digest = digest_step(store->head.digest, checksum);
    if (e->type == EVENT_STARTED)
        store->head.generation = e->started.generation;
    sim.events++;
    return 0;
}

/* The real store defines things in a transaction of LMDB, and where its journal is full it waits for room: in
 * both cases what is under way must be over first, and if it failed, this is where the broker hears of it. */
static int append_awaits(struct store *store, const struct event *e) {
    bool defines = e->type < EVENT_SUBMITTED && e->type != EVENT_STARTED;
    if (!store->pending.is_there || (!defines && !rng_chance(fault_rng(FAULT_OVERLAP), store->awaits_share)))
        return 0;
    return store_commit_end(store, true);
}

static void crash_while_writing(unsigned per_mille) {
    if (sim.arm != ARM_CRASH_WRITING || sim.reloading || !rng_chance(fault_rng(FAULT_CRASH_WRITING), per_mille))
        return;
    sim.arm = ARM_NONE;
    fault_count(FAULT_CRASH_WRITING);
    process_crash();
}

int store_append(struct store *store, const struct event *e) {
    if (store->spoiled)
        return store->spoiled;
    if (sim.arm == ARM_FULL) {
        sim.arm = ARM_NONE;
        fault_count(FAULT_DISK_FULL);
        return store->spoiled = -EST_FULL;
    }
    int error = append_awaits(store, e);
    if (error < 0)
        return store->spoiled = error;
    oracle_event(e);
    store->spoiled = append_checked(store, e);
    if (store->pending.is_there)
        crash_while_writing(100);
    return store->spoiled;
}

/* As if what is not committed had never been. The bytes stay, for a disk that has them all the same. */
static void restore(struct store *store) {
    store->in_batch = false;
    store->spoiled = 0;
    store->head = store->committed;
    store->size = store->end[store->head.seq];
    fold(&store->tables);
}

void store_abort(struct store *store) {
    store_commit_end(store, true);
    if (store->in_batch)
        restore(store);
}

static void commit_slowly(void) {
    if (sim.slow_us == 0)
        return;
    fault_count(FAULT_SLOW);
    sim.now += sim.slow_us;
    sim.slow_us = 0;
}

static int commit_armed(struct store *store, const struct store_head *head, enum arm arm) {
    if (sim.reloading && arm >= ARM_CRASH_BEFORE)
        return 0; /* the next commit meets it */
    sim.arm = ARM_NONE;
    switch (arm) {
    case ARM_FAIL:
        fault_count(FAULT_COMMIT_FAILS);
        return -EST_IO;
    case ARM_UNKNOWN:
        fault_count(FAULT_COMMIT_UNKNOWN);
        store->durable = *head;
        return -EST_IO;
    case ARM_CRASH_BEFORE:
        fault_count(FAULT_CRASH_BEFORE);
        process_crash();
    case ARM_CRASH_AFTER:
        fault_count(FAULT_CRASH_AFTER);
        store->durable = *head;
        process_crash();
    default:
        sim.arm = arm;
        return 0;
    }
}

/* The write of a batch comes to its end. Where it fails, what came after it never was either. */
static int write_over(struct store *store, struct store_head head) {
    store->pending.is_there = false;
    commit_slowly();
    int error = sim.arm == ARM_NONE ? 0 : commit_armed(store, &head, sim.arm);
    store->took_us = sim.now - store->began_us;
    if (error < 0) {
        restore(store);
        return error;
    }
    store->durable = head;
    store->committed = head;
    return 0;
}

/* A failure that another call met first is not told again, unlike the real store's: the loop holds without that. */
int store_commit_end(struct store *store, bool waits) {
    struct pending *p = &store->pending;
    if (!p->is_there)
        return 0;
    crash_while_writing(waits ? 1000 : 100);
    if (!waits && p->looks > 0) {
        p->looks--;
        return 1;
    }
    return write_over(store, p->head);
}

int64_t store_commit_took_us(const struct store *store) {
    return store->took_us;
}

/* 1: there is something to write. */
static int batch_close(struct store *store) {
    int error = store->spoiled;
    if (error < 0) {
        store_abort(store);
        return error;
    }
    error = store_commit_end(store, true);
    if (error < 0)
        return error;
    store->in_batch = false;
    store->began_us = sim.now;
    bool writes = store->head.seq != store->committed.seq;
    sim.writes += writes;
    return writes;
}

int store_commit(struct store *store) {
    int writes = batch_close(store);
    return writes > 0 ? write_over(store, store->head) : writes;
}

static bool stays_under_way(const struct store *store) {
    bool is_on = (sim.kinds >> FAULT_OVERLAP & 1) != 0; /* no fault, really: in the calm too */
    return sim.arm == ARM_CRASH_WRITING || (is_on && rng_chance(fault_rng(FAULT_OVERLAP), store->pending_share));
}

/* It is left under way also where the loop has nothing else to do: the loop must hold whatever the store does. */
int store_commit_begin(struct store *store, bool more) {
    (void)more;
    int writes = batch_close(store);
    if (writes <= 0)
        return writes;
    if (!stays_under_way(store))
        return write_over(store, store->head);
    struct rng *chance = fault_rng(FAULT_OVERLAP);
    unsigned looks = rng_chance(chance, 250) ? UINT32_MAX : (unsigned)rng_between(chance, 1, 6);
    fault_count(FAULT_OVERLAP);
    tell("     the batch up to event %llu is on its way to the disk", (unsigned long long)store->head.seq);
    store->pending = (struct pending){.is_there = true, .head = store->head, .looks = looks};
    return 0;
}

int store_find(struct store *store, uint32_t account, const est_id *id, uint64_t *ret_number) {
    const struct inquiry_row *row = row_by_id(&store->tables, account, id);
    if (row == NULL)
        return -EST_NOT_FOUND;
    *ret_number = row->number;
    return 0;
}

int store_row(struct store *store, uint64_t number, struct inquiry_row *ret) {
    const struct inquiry_row *row = row_find(&store->tables, number);
    if (row == NULL)
        return -EST_NOT_FOUND;
    *ret = *row;
    return 0;
}

int store_event(struct store *store, uint64_t seq, struct event *ret) {
    return log_read(seq, &store->scratch, ret);
}

int store_type(struct store *store, uint32_t type, uint32_t version, struct event *ret) {
    for (size_t i = 0; i < store->tables.things_count; i++)
        if (thing_compare(&store->tables.things[i], THING_TYPE, type, version) == 0)
            return log_read(store->tables.things[i].seq, &store->scratch, ret);
    return -EST_NOT_FOUND;
}
