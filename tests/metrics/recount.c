/* recount.c - see recount.h. */
#include "recount.h"
#include "harness.h"
#include "store.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAMES = 256, TYPES = 64, INQUIRIES = 65536 };

struct count {
    const struct exposition_read *shown;
    struct exposition_read *out;
    char departments[NAMES][EST_NAME_MAX + 1];
    unsigned department_of[TYPES][8]; /* type, version */
    struct {
        unsigned department;
        est_time received;
    } inquiries[INQUIRIES];
};

static void add(struct count *c, double more, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void add(struct count *c, double more, const char *format, ...) {
    char name[SERIES_NAME_MAX];
    va_list list;
    va_start(list, format);
    vsnprintf(name, sizeof name, format, list);
    va_end(list);
    for (size_t i = 0; i < c->out->count; i++) {
        if (strcmp(c->out->at[i].name, name) == 0) {
            c->out->at[i].value += more;
            return;
        }
    }
    assert_true(c->out->count < SERIES_MAX);
    struct series *series = &c->out->at[c->out->count++];
    memcpy(series->name, name, sizeof name);
    series->value = more;
}

static void name_set(struct count *c, unsigned number, est_slice name) {
    assert_true(number < NAMES && name.size <= EST_NAME_MAX);
    memcpy(c->departments[number], name.data, name.size);
}

/* Every bucket that was shown and whose bound this span does not pass. */
static void span_add(struct count *c, const char *histogram, int64_t us) {
    char start[100];
    int size = snprintf(start, sizeof start, "estelam_%s_bucket{le=\"", histogram);
    for (size_t i = 0; i < c->shown->count; i++) {
        const char *name = c->shown->at[i].name;
        if (strncmp(name, start, (size_t)size) != 0)
            continue;
        double bound = strcmp(name + size, "+Inf\"}") == 0 ? INFINITY : strtod(name + size, NULL);
        add(c, (double)us <= bound * 1e6 ? 1 : 0, "%s", name);
    }
    add(c, (double)us / 1e6, "estelam_%s_sum", histogram);
    add(c, 1, "estelam_%s_count", histogram);
}

static void acknowledged_add(struct count *c, const struct event *e) {
    for (size_t i = 0; i < e->acknowledged.count; i++)
        add(c, 1, "estelam_results_acknowledged_total{department=\"%s\"}",
            c->departments[c->inquiries[e->acknowledged.numbers[i]].department]);
}

static void failed_add(struct count *c, const char *department, unsigned code) {
    add(c, 1, "estelam_attempts_failed_total{department=\"%s\",code=\"%s\"}", department,
        est_code_name((int)code));
    if (code == EST_LEASE_EXPIRED)
        add(c, 1, "estelam_lease_expiries_total{department=\"%s\"}", department);
}

static void finished_add(struct count *c, const char *department, const char *how) {
    add(c, 1, "estelam_inquiries_finished_total{department=\"%s\",outcome=\"%s\"}", department, how);
}

static void submitted_add(struct count *c, const struct event *e) {
    assert_true(e->number < INQUIRIES && e->submitted.type < TYPES && e->submitted.version < 8);
    unsigned department = c->department_of[e->submitted.type][e->submitted.version];
    c->inquiries[e->number].department = department;
    c->inquiries[e->number].received = e->at;
    add(c, 1, "estelam_inquiries_accepted_total{department=\"%s\"}", c->departments[department]);
}

static int event_add(void *arg, const struct event *e) {
    struct count *c = arg;
    const char *department =
        e->number && e->number < INQUIRIES ? c->departments[c->inquiries[e->number].department] : "";
    switch (e->type) {
    case EVENT_DEPARTMENT_SET:
        name_set(c, e->department_set.department, e->department_set.name);
        break;
    case EVENT_TYPE_SET:
        assert_true(e->type_set.type < TYPES && e->type_set.version < 8);
        c->department_of[e->type_set.type][e->type_set.version] = e->type_set.department;
        break;
    case EVENT_SUBMITTED:
        submitted_add(c, e);
        break;
    case EVENT_ATTEMPT_FAILED:
        failed_add(c, department, e->attempt_failed.code);
        add(c, 1, "estelam_redeliveries_total{department=\"%s\"}", department);
        break;
    case EVENT_PARKED: /* its last attempt failed too */
        failed_add(c, department, e->parked.code);
        add(c, 1, "estelam_inquiries_parked_total{department=\"%s\",code=\"%s\"}", department,
            est_code_name((int)e->parked.code));
        break;
    case EVENT_REQUEUED:
        add(c, 1, "estelam_inquiries_requeued_total{department=\"%s\"}", department);
        break;
    case EVENT_REDIRECTED:
        add(c, 1, "estelam_inquiries_redirected_total{department=\"%s\"}", department);
        break;
    case EVENT_ANSWERED:
        finished_add(c, department, est_outcome_name((enum est_outcome)e->answered.outcome));
        span_add(c, "answer_seconds", e->at.us - c->inquiries[e->number].received.us);
        span_add(c, "queue_wait_seconds", e->answered.leased_at.us - c->inquiries[e->number].received.us);
        break;
    case EVENT_EXPIRED:
        finished_add(c, department, "expired");
        break;
    case EVENT_CANCELLED:
        finished_add(c, department, "cancelled");
        break;
    case EVENT_ACKNOWLEDGED:
        acknowledged_add(c, e);
        break;
    default:
        break;
    }
    add(c, 1, "events"); /* for the position; no series of /metrics */
    return 0;
}

void recount(const char *folder, const struct exposition_read *shown, struct exposition_read *ret) {
    struct count *c = calloc(1, sizeof *c);
    struct store *store = NULL;
    assert_non_null(c);
    memset(ret, 0, sizeof *ret);
    c->shown = shown;
    c->out = ret;
    struct store_options options = {.directory = folder, .size_max = 1ull << 30, .read_only = true};
    if (store_open(&options, &store))
        fail_msg("%s", store_error(NULL));
    assert_int_equal(store_begin(store), 0);
    assert_int_equal(store_each_event(store, 0, event_add, c), 0);
    store_abort(store);
    store_close(&store);
    free(c);
}
