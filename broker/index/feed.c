/* feed.c - see feed.h. What an event does not say itself, its inquiry's first event does: that one
 * lies in the log under the inquiry's number.
 */
#include "feed.h"
#include "message.h"
#include "tracking.h"

#include <stdio.h>
#include <string.h>

struct feeder {
    struct store_reader *reader;
    struct names *names;
    struct feed_answer *answer;
    const struct feed_question *question;
    uint32_t department; /* 0: all */
    bool reloaded;       /* the names, for this answer */
    struct event first;  /* SUBMITTED of the inquiry looked at last */
};

/* What an event itself says. */
struct said {
    uint32_t actor, code, outcome;
    est_slice text;
    est_time leased_at;
};

static struct said said_of(const struct event *e) {
    switch (e->type) {
    case EVENT_SUBMITTED:
        return (struct said){.actor = e->submitted.account};
    case EVENT_ATTEMPT_FAILED:
        return (struct said){e->attempt_failed.account, e->attempt_failed.code, 0, e->attempt_failed.reason,
                             e->attempt_failed.leased_at};
    case EVENT_PARKED:
        return (struct said){e->parked.account, e->parked.code, 0, e->parked.reason, e->parked.leased_at};
    case EVENT_REQUEUED:
        return (struct said){.actor = e->requeued.account, .text = e->requeued.reason};
    case EVENT_ANSWERED:
        return (struct said){e->answered.account, 0, e->answered.outcome, e->answered.reason,
                             e->answered.leased_at};
    case EVENT_EXPIRED:
        return (struct said){.code = EST_EXPIRED};
    case EVENT_CANCELLED:
        return (struct said){e->cancelled.account, EST_CANCELLED, 0, e->cancelled.reason, {0}};
    case EVENT_ACKNOWLEDGED:
        return (struct said){.actor = e->acknowledged.account};
    case EVENT_REDIRECTED:
        return (struct said){e->redirected.account, 0, 0, e->redirected.reason, e->redirected.leased_at};
    case EVENT_PAUSED:
        return (struct said){e->paused.account, 0, 0, e->paused.reason, {0}};
    case EVENT_DRAIN:
        return (struct said){e->drain.account, 0, 0, e->drain.reason, {0}};
    default:
        return (struct said){0};
    }
}

static est_slice name(const struct feeder *f, enum thing thing, uint32_t number) {
    return number == 0 && thing != THING_PURPOSE ? (est_slice){"", 0} : names_of(f->names, thing, number);
}

static struct event_row row_of(const struct feeder *f, const struct event *e) {
    struct said said = said_of(e);
    return (struct event_row){.seq = e->seq,
                              .at_us = (uint64_t)e->at.us,
                              .event = slice_of(event_name(e)),
                              .actor = name(f, THING_ACCOUNT, said.actor),
                              .code = said.code,
                              .text = said.text,
                              .outcome = said.outcome,
                              .leased_us = (uint64_t)said.leased_at.us};
}

static void row_add(struct feeder *f, const struct event_row *row) {
    event_row_pack(&f->answer->rows, row);
    f->answer->rows_count++;
}

/* The feed may be ahead of what the names were read for. */
static int names_look(struct feeder *f, const struct event *submitted) {
    const struct event_submitted *it = &submitted->submitted;
    bool known = names_department(f->names, it->type, it->version) != 0 &&
                 names_of(f->names, THING_ACCOUNT, it->account).size > 0;
    if (known || f->reloaded)
        return 0;
    f->reloaded = true;
    return names_load(f->names, f->reader);
}

/* Where it is after the event of this seq, its first or a later one of its own: an operator may have moved it. Mostly
 * that event or the one before is the first. */
static int district_at(struct feeder *f, uint64_t seq, uint64_t number, uint32_t *ret) {
    *ret = UINT32_MAX; /* as it was asked */
    while (seq > number) {
        struct event e;
        int rc = store_reader_event(f->reader, seq, &e);
        if (rc)
            return rc;
        if (e.type == EVENT_REDIRECTED)
            *ret = e.redirected.district;
        seq = e.type == EVENT_REDIRECTED ? 0 : e.previous;
    }
    return 0;
}

static int district_of(struct feeder *f, const struct event *e, uint64_t number, uint64_t last, uint32_t *ret) {
    *ret = e->redirected.district;
    return e->type == EVENT_REDIRECTED ? 0 : district_at(f, e->number != 0 ? e->previous : last, number, ret);
}

static bool is_confidential(const struct feeder *f, uint32_t type) {
    const struct feed_question *q = f->question;
    return q->confidential && (type >= q->confidential_count || q->confidential[type]);
}

/* `last`: its newest event, this one or, where it is acknowledged, its end (0: not known, in a log from before that was
 * told; then it is told as it was asked). 0, also where the department is another one or it is not for whoever asks. */
static int inquiry_add(struct feeder *f, const struct event *e, uint64_t number, uint64_t last) {
    char tracking[EST_TRACKING_MAX + 1];
    uint32_t district;
    int rc = district_of(f, e, number, last, &district);
    if (!rc && e->type != EVENT_SUBMITTED)
        rc = store_reader_event(f->reader, number, &f->first);
    const struct event *first = e->type == EVENT_SUBMITTED ? e : &f->first;
    if (!rc)
        rc = names_look(f, first);
    if (rc)
        return rc;
    uint32_t department = names_answerer(f->names, first->submitted.type, first->submitted.version, last);
    bool confidential = is_confidential(f, first->submitted.type);
    if ((f->department != 0 && department != f->department) || (confidential && !f->question->sees_all))
        return 0;
    struct event_row row = row_of(f, e);
    row.confidential = confidential;
    tracking_write(store_reader_secret(f->reader), number, tracking);
    row.number = number;
    row.type = name(f, THING_TYPE, first->submitted.type);
    row.department = name(f, THING_DEPARTMENT, department);
    row.district = district == UINT32_MAX ? first->submitted.district : district;
    row.requester = name(f, THING_ACCOUNT, first->submitted.account);
    row.case_id = first->submitted.case_id;
    row.tracking = slice_of(tracking);
    row_add(f, &row);
    return 0;
}

static int event_add(struct feeder *f, const struct event *e) {
    int rc = 0;
    if (e->type == EVENT_TYPE_SET && e->seq > names_types_seq(f->names))
        return names_load(f->names, f->reader); /* what follows is told by it */
    if (e->type == EVENT_DRAIN || e->type == EVENT_PAUSED) {
        uint32_t department = e->type == EVENT_PAUSED ? e->paused.department : 0;
        struct event_row row = row_of(f, e);
        row.department = name(f, THING_DEPARTMENT, department);
        if (f->department == 0 || f->department == department)
            row_add(f, &row);
    } else if (e->type == EVENT_ACKNOWLEDGED) {
        for (size_t i = 0; !rc && i < e->acknowledged.count; i++)
            rc = inquiry_add(f, e, e->acknowledged.numbers[i], acknowledged_end(&e->acknowledged, i));
    } else if (e->number != 0) {
        rc = inquiry_add(f, e, e->number, e->seq);
    }
    return rc;
}

static bool answer_is_full(const struct feed_answer *a, size_t limit) {
    return a->rows_count >= limit || a->rows.size >= FEED_BYTES_MAX;
}

static int events_take(struct feeder *f, uint64_t after, size_t limit) {
    struct feed_answer *a = f->answer;
    struct event event;
    size_t looked = 0;
    int rc;
    a->next = after;
    do {
        uint64_t from = a->next < UINT64_MAX ? a->next + 1 : UINT64_MAX; /* not round to the beginning */
        rc = store_reader_fetch(f->reader, from, limit - a->rows_count < 64 ? 64 : READER_EVENTS_MAX,
                                &a->head);
        while (rc >= 0 && !answer_is_full(a, limit) && (rc = store_reader_next(f->reader, &event)) == 1) {
            rc = event_add(f, &event);
            if (rc == 0)
                a->next = event.seq;
            looked++;
        }
    } while (rc >= 0 && !answer_is_full(a, limit) && a->next < a->head && looked < FEED_LOOKED_MAX);
    return rc < 0 ? rc : 0;
}

int feed(struct store_reader *reader, struct names *names, const struct feed_question *q,
         struct feed_answer *ret) {
    static struct feeder feeder;
    feeder = (struct feeder){.reader = reader, .names = names, .answer = ret, .question = q};
    buffer_clear(&ret->rows);
    ret->rows_count = 0;
    bool fresh = !names_need_load(names) && names_types_seq(names) >= q->types_seq;
    int rc = fresh ? 0 : names_load(names, reader);
    if (!rc && q->department.size > 0) {
        feeder.department = names_number(names, THING_DEPARTMENT, q->department);
        if (feeder.department == UINT32_MAX) {
            snprintf(ret->why, sizeof ret->why, "department: no `%.*s`", (int)q->department.size,
                     (const char *)q->department.data);
            return -EST_INVALID_FIELD;
        }
    }
    size_t limit = q->limit == 0              ? FEED_ROWS_USUAL
                   : q->limit < FEED_ROWS_MAX ? (size_t)q->limit
                                              : FEED_ROWS_MAX;
    if (!rc)
        rc = events_take(&feeder, q->after, limit);
    if (!rc && ret->rows.failed)
        rc = -EST_NO_MEMORY;
    if (rc)
        snprintf(ret->why, sizeof ret->why, "%s",
                 rc == -EST_NO_MEMORY ? "out of memory" : store_reader_error(reader));
    return rc;
}
