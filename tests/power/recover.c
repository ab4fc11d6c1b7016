/* recover.c - see recover.h. What is compared was computed by the workload when it appended:
 * nothing here believes the store's own word for what it should hold.
 */
#include "recover.h"

#include <check.h>
#include <core.h>
#include <record.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <store.h>
#include <string.h>

enum { RECORD_MAX = 1 << 20 };

struct judge {
    struct store *store;
    struct core *core;
    const struct promise *promise;
    uint64_t seen;
    char *why;
};

static int verdict(struct judge *j, const char *format, ...) __attribute__((format(printf, 2, 3)));
static int verdict(struct judge *j, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(j->why, VERDICT_SIZE, format, args);
    va_end(args);
    return -1;
}

/* --- Every event, byte for byte ---------------------------------------------------------------- */

static int event_compare(void *arg, const struct event *event) {
    static uint8_t bytes[RECORD_MAX];
    struct judge *j = arg;
    size_t size = record_size(event);
    j->seen = event->seq;
    if (size == 0 || size > sizeof bytes)
        return verdict(j, "event %llu cannot be written again", (unsigned long long)event->seq);
    if (record_write(event, size, bytes) != j->promise->checksums[event->seq])
        return verdict(j, "event %llu is not what was appended", (unsigned long long)event->seq);
    return 0;
}

static int log_compare(struct judge *j) {
    struct store_head head;
    store_head(j->store, &head);
    bool is_promised = head.seq == j->promise->promised;
    if (!is_promised && (j->promise->committing == 0 || head.seq != j->promise->committing))
        return verdict(j, "the log ends with event %llu; promised were %llu, and being committed %llu",
                       (unsigned long long)head.seq, (unsigned long long)j->promise->promised,
                       (unsigned long long)j->promise->committing);
    int rc = store_each_event(j->store, 0, event_compare, j);
    if (rc && j->why[0] == '\0')
        return verdict(j, "%s", store_error(j->store));
    if (rc)
        return rc;
    if (j->seen != head.seq)
        return verdict(j, "the log has events up to %llu, and its head says %llu",
                       (unsigned long long)j->seen, (unsigned long long)head.seq);
    return 0;
}

static int check_compare(struct judge *j) {
    struct store_check check;
    if (store_check(j->store, &check) != 0)
        return verdict(j, "%s", store_error(j->store));
    if (check.damaged)
        return verdict(j, "store check: %s %s: %s", check.table, check.key, check.why);
    return 0;
}

/* --- As the broker starts ---------------------------------------------------------------------- */

static int thing_restore(void *arg, const struct event *event) {
    struct judge *j = arg;
    core_apply(j->core, event);
    return 0;
}

static int inquiry_restore(void *arg, const struct inquiry_row *row) {
    struct judge *j = arg;
    core_restore_inquiry(j->core, row);
    return 0;
}

/* INPUT_START decides on the new generation; its event is the first batch. */
static int generation_begin(struct judge *j, const struct store_head *head) {
    struct effects effects;
    struct input start = {.kind = INPUT_START};
    if (effects_init(&effects) != 0)
        return verdict(j, "out of memory");
    core_step(j->core, (est_time){head->at.us + 1}, &start, &effects);
    int rc = store_begin(j->store);
    for (size_t i = 0; i < effects.count && !rc; i++)
        if (effects.at[i].kind == EFFECT_EVENT)
            rc = store_append(j->store, &effects.at[i].event);
    if (!rc)
        rc = store_commit(j->store);
    effects_done(&effects);
    return rc ? verdict(j, "the first batch after the cut: %s", store_error(j->store)) : 0;
}

static int core_recover(struct judge *j) {
    struct core_limits limits;
    struct store_head head, after;
    core_limits_default(&limits);
    limits.inquiries_max = 1 << 16;
    limits.accounts_max = limits.types_max = 16;
    limits.sessions_max = limits.departments_max = 4;
    limits.districts_max = 30;
    limits.lanes_max = 512;
    j->core = core_new(&limits);
    if (!j->core)
        return verdict(j, "out of memory");
    int rc = store_each_thing(j->store, thing_restore, j);
    if (!rc)
        rc = store_each_open(j->store, inquiry_restore, j);
    if (rc)
        return verdict(j, "recovery: %s", store_error(j->store));
    store_head(j->store, &head);
    core_restore_head(j->core, head.seq, head.at, head.generation);
    rc = generation_begin(j, &head);
    store_head(j->store, &after);
    if (!rc && (after.seq != head.seq + 1 || after.generation <= head.generation))
        rc = verdict(j, "no new generation began after the cut");
    return rc;
}

static int judge_open_store(struct judge *j) {
    int rc = log_compare(j);
    if (!rc)
        rc = check_compare(j);
    if (!rc)
        rc = core_recover(j);
    if (!rc)
        rc = check_compare(j);
    return rc;
}

int recover_and_judge(const char *folder, uint64_t size_max, const struct promise *promise,
                      char ret_why[VERDICT_SIZE]) {
    struct judge j = {.promise = promise, .why = ret_why};
    struct store_options options = {.directory = folder, .size_max = size_max};
    ret_why[0] = '\0';
    if (store_open(&options, &j.store) != 0)
        return verdict(&j, "it does not open: %s", store_error(NULL));
    int rc = judge_open_store(&j);
    core_free(&j.core);
    store_close(&j.store);
    return rc;
}
