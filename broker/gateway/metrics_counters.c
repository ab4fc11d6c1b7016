/* metrics_counters.c - what the whole log adds up to, as counters. See metrics_text.h.
 *
 * A counter that first shows itself at 1 looks to Prometheus as if it had never grown, and the alert on its
 * growth would sleep through the first time. So each department tells every label that it can have,
 * from 0 on.
 */
#include "metrics_text.h"

#include <stdio.h>
#include <string.h>

enum { DEPARTMENTS = DEPARTMENTS_MAX * 2 };

#define OUTCOME_TEXT(name, number, text) text,
static const char *const outcomes[] = {EST_OUTCOMES(OUTCOME_TEXT) "expired", "cancelled", NULL};
static const char *const codes[] = {"AGENT_LOST",    "LEASE_EXPIRED",  "AGENT_RETRY",
                                    "AGENT_REFUSED", "INVALID_ANSWER", NULL};

static const struct counter_metric {
    const char *counter, *name, *label; /* label NULL: none beside the department */
    const char *const *labels;          /* all that are known; others are told when they come */
    const char *help;
} COUNTERS[] = {
    {"accepted", "inquiries_accepted_total", NULL, NULL, "Inquiries accepted, by the whole log."},
    {"finished", "inquiries_finished_total", "outcome", outcomes,
     "Inquiries that ended, by the whole log: the answer's outcome, or expired or cancelled."},
    {"attempts_failed", "attempts_failed_total", "code", codes,
     "Attempts of agents that failed, by the whole log."},
    {"parked", "inquiries_parked_total", "code", codes,
     "Inquiries that were parked, by the whole log, and why."},
    {"requeued", "inquiries_requeued_total", NULL, NULL,
     "Parked inquiries put back by operators, by the whole log."},
    {"redirected", "inquiries_redirected_total", NULL, NULL,
     "Inquiries moved to another district, by the whole log."},
    {"acknowledged", "results_acknowledged_total", NULL, NULL,
     "Results acknowledged by requesters, by the whole log."},
};

/* --- Which departments ----------------------------------------------------------------------------- */

struct department_names {
    size_t count;
    const char *at[DEPARTMENTS];
};

static void name_note(struct department_names *names, const char *name) {
    for (size_t i = names->count; i-- > 0;) /* rows of one department come together */
        if (strcmp(names->at[i], name) == 0)
            return;
    if (*name && names->count < DEPARTMENTS)
        names->at[names->count++] = name;
}

static void names_collect(const struct figures *f, struct department_names *ret) {
    ret->count = 0;
    for (size_t i = 0; i < f->departments_count; i++)
        name_note(ret, f->departments[i].name);
    for (size_t i = 0; i < f->counters_count; i++)
        name_note(ret, f->counters[i].department);
}

/* --- Counters -------------------------------------------------------------------------------------- */

static uint64_t count_of(const struct figures *f, const char *counter, const char *department,
                         const char *label) {
    for (size_t i = 0; i < f->counters_count; i++) {
        const struct figure_counter *c = &f->counters[i];
        if (strcmp(c->name, counter) == 0 && strcmp(c->department, department) == 0 &&
            strcmp(c->label, label) == 0)
            return c->value;
    }
    return 0;
}

static bool label_is_known(const struct counter_metric *m, const char *label) {
    for (size_t i = 0; m->labels && m->labels[i]; i++)
        if (strcmp(m->labels[i], label) == 0)
            return true;
    return false;
}

static void department_write(struct exposition *x, const struct figures *f, const struct counter_metric *m,
                             const char *department) {
    if (!m->label)
        sample_uint(x, count_of(f, m->counter, department, ""), LABELS("department", department));
    for (size_t i = 0; m->labels && m->labels[i]; i++)
        sample_uint(x, count_of(f, m->counter, department, m->labels[i]),
                    LABELS("department", department, m->label, m->labels[i]));
    for (size_t i = 0; m->label && i < f->counters_count; i++) {
        const struct figure_counter *c = &f->counters[i];
        if (strcmp(c->name, m->counter) == 0 && strcmp(c->department, department) == 0 &&
            !label_is_known(m, c->label))
            sample_uint(x, c->value, LABELS("department", department, m->label, c->label));
    }
}

/* --- What follows from them ------------------------------------------------------------------------ */

static uint64_t sum_of(const struct figures *f, const char *counter, const char *department) {
    uint64_t sum = 0;
    for (size_t i = 0; i < f->counters_count; i++)
        if (strcmp(f->counters[i].name, counter) == 0 && strcmp(f->counters[i].department, department) == 0)
            sum += f->counters[i].value;
    return sum;
}

/* A failed attempt is either the last, which parks the inquiry, or it is delivered again. */
static void redeliveries_write(struct exposition *x, const struct figures *f,
                               const struct department_names *names) {
    metric(x, "redeliveries_total", METRIC_COUNTER,
           "Inquiries that went back into their queue after a failed attempt, by the whole log.");
    for (size_t i = 0; i < names->count; i++) {
        uint64_t failed = sum_of(f, "attempts_failed", names->at[i]),
                 parked = sum_of(f, "parked", names->at[i]);
        sample_uint(x, failed > parked ? failed - parked : 0, LABELS("department", names->at[i]));
    }
    metric(x, "lease_expiries_total", METRIC_COUNTER,
           "Leases that no agent renewed in time, by the whole log.");
    for (size_t i = 0; i < names->count; i++)
        sample_uint(x, count_of(f, "attempts_failed", names->at[i], "LEASE_EXPIRED"),
                    LABELS("department", names->at[i]));
}

/* --- Histograms: a row for each bound, of no department. ------------------------------------------- */

static void histogram_write(struct exposition *x, const struct figures *f, const char *name,
                            const char *help) {
    char sum_name[FIGURE_NAME + 8];
    uint64_t count = 0;
    snprintf(sum_name, sizeof sum_name, "%s_sum", name);
    metric(x, name, METRIC_HISTOGRAM, help);
    for (size_t i = 0; i < f->counters_count; i++) {
        const struct figure_counter *c = &f->counters[i];
        if (strcmp(c->name, name) != 0)
            continue;
        sample_bucket(x, c->label, c->value);
        if (strcmp(c->label, "+Inf") == 0)
            count = c->value;
    }
    sample_sum_us(x, sum_of(f, sum_name, ""));
    sample_count(x, count);
}

void metrics_counters(struct exposition *x, const struct figures *f) {
    struct department_names names;
    names_collect(f, &names);
    for (size_t i = 0; i < sizeof COUNTERS / sizeof COUNTERS[0]; i++) {
        metric(x, COUNTERS[i].name, METRIC_COUNTER, COUNTERS[i].help);
        for (size_t d = 0; d < names.count; d++)
            department_write(x, f, &COUNTERS[i], names.at[d]);
    }
    redeliveries_write(x, f, &names);
    histogram_write(x, f, "answer_seconds", "From an inquiry's receipt to its answer, by the whole log.");
    histogram_write(x, f, "queue_wait_seconds",
                    "From an inquiry's receipt to the lease under which it was answered, by the whole log.");
    metric(x, "counters_position", METRIC_GAUGE,
           "Sequence number of the log up to which the log's counters count.");
    sample_uint(x, f->counters_seq, NO_LABELS);
}
