/* disk.c - store.h over memory: the log as the bytes of real records, rows by inquiry_row_apply.
 *
 * Two heads: what the broker believes to be committed, and what would be there after a power cut.
 * They differ only while the disk misbehaves. A crash cuts the log back to what is durable and
 * makes the tables again from its bytes, as the real store finds both in one transaction.
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
    disk.head = disk.committed = disk.durable = (struct store_head){0};
    disk.tables.rows_count = disk.tables.things_count = 0;
    for (size_t i = 0; i < sizeof disk.secret; i++)
        disk.secret[i] = (uint8_t)(sim.plan.seed >> (i % 8) * 8);
}

void disk_crash(void) {
    bool lost = disk.head.seq != disk.durable.seq;
    disk.in_batch = false;
    disk.spoiled = 0;
    disk.head = disk.committed = disk.durable;
    disk.size = disk.end[disk.head.seq];
    if (lost)
        fold(&disk.tables);
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
    store->in_batch = true;
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

int store_append(struct store *store, const struct event *e) {
    if (store->spoiled)
        return store->spoiled;
    if (sim.arm == ARM_FULL) {
        sim.arm = ARM_NONE;
        fault_count(FAULT_DISK_FULL);
        return store->spoiled = -EST_FULL;
    }
    oracle_event(e);
    store->spoiled = append_checked(store, e);
    return store->spoiled;
}

void store_abort(struct store *store) {
    store->in_batch = false;
}

static void commit_slowly(void) {
    if (sim.slow_us == 0)
        return;
    fault_count(FAULT_SLOW);
    sim.now += sim.slow_us;
    sim.slow_us = 0;
}

static int commit_armed(struct store *store, enum arm arm) {
    sim.arm = ARM_NONE;
    switch (arm) {
    case ARM_FAIL:
        fault_count(FAULT_COMMIT_FAILS);
        return -EST_IO;
    case ARM_UNKNOWN:
        fault_count(FAULT_COMMIT_UNKNOWN);
        store->durable = store->head;
        return -EST_IO;
    case ARM_CRASH_BEFORE:
        fault_count(FAULT_CRASH_BEFORE);
        process_crash();
    case ARM_CRASH_AFTER:
        fault_count(FAULT_CRASH_AFTER);
        store->durable = store->head;
        process_crash();
    default:
        sim.arm = arm;
        return 0;
    }
}

int store_commit(struct store *store) {
    store->in_batch = false;
    if (store->spoiled)
        return store->spoiled;
    if (store->head.seq == store->committed.seq)
        return 0;
    commit_slowly();
    int error = sim.arm == ARM_NONE ? 0 : commit_armed(store, sim.arm);
    if (error < 0)
        return error;
    store->durable = store->head;
    store->committed = store->head;
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
