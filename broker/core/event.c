/* event.c - the names of the events, and what each does to an inquiry's row.
 *
 * One small function per event that concerns an inquiry, found by a table. They copy and count;
 * none decides: a row that a newer broker folds out of an old log must come out the same.
 */
#include "event.h"

#include <endian.h>
#include <string.h>

static const char *const names[] = {
    [EVENT_STARTED] = "started",
    [EVENT_DEPARTMENT_SET] = "department-set",
    [EVENT_TYPE_SET] = "type-set",
    [EVENT_ACCOUNT_SET] = "account-set",
    [EVENT_RETIRED] = "retired",
    [EVENT_PURPOSE_SET] = "purpose-set",
    [EVENT_PAUSED] = "paused",
    [EVENT_SUBMITTED] = "submitted",
    [EVENT_ATTEMPT_FAILED] = "attempt-failed",
    [EVENT_PARKED] = "parked",
    [EVENT_REQUEUED] = "requeued",
    [EVENT_REDIRECTED] = "redirected",
    [EVENT_ANSWERED] = "answered",
    [EVENT_EXPIRED] = "expired",
    [EVENT_CANCELLED] = "cancelled",
    [EVENT_ACKNOWLEDGED] = "acknowledged",
    [EVENT_DRAIN] = "drain",
};

const char *event_type_name(enum event_type type) {
    size_t at = (size_t)type;
    if (at >= sizeof names / sizeof names[0] || !names[at])
        return "unknown";
    return names[at];
}

const char *event_name(const struct event *event) {
    if (event->type == EVENT_PAUSED && !event->paused.on)
        return "resumed";
    if (event->type == EVENT_DRAIN)
        return event->drain.on ? "drain-on" : "drain-off";
    if (event->type == EVENT_ATTEMPT_FAILED && attempt_is_given_back(&event->attempt_failed))
        return "given-back";
    return event_type_name(event->type);
}

uint64_t acknowledged_end(const struct event_acknowledged *it, size_t at) {
    uint64_t seq;
    if (it->ends.size < (at + 1) * sizeof seq)
        return 0;
    memcpy(&seq, (const uint8_t *)it->ends.data + at * sizeof seq, sizeof seq);
    return le64toh(seq);
}

static void apply_submitted(struct inquiry_row *row, const struct event *event) {
    const struct event_submitted *it = &event->submitted;
    row->number = event->number;
    row->id = it->id;
    row->account = it->account;
    row->type = it->type;
    row->version = it->version;
    row->district = it->district;
    row->purpose = it->purpose;
    row->state = EST_STATE_WAITING;
    row->received = event->at;
    row->due = it->due;
}

/* A delay has no event of its own when it ends: the row stays DELAYED with a `not_before` that
 * lies in the past, and whoever reads it compares. */
static void apply_attempt_failed(struct inquiry_row *row, const struct event *event) {
    const struct event_attempt_failed *it = &event->attempt_failed;
    if (attempt_is_given_back(it)) {
        row->state = EST_STATE_WAITING;
        row->not_before = (est_time){0};
        return;
    }
    row->state = attempt_is_delayed(it, event->at) ? EST_STATE_DELAYED : EST_STATE_WAITING;
    row->attempts++;
    row->code = it->code;
    row->actor = it->account;
    row->not_before = it->not_before;
    row->epoch = it->epoch;
}

static void apply_parked(struct inquiry_row *row, const struct event *event) {
    const struct event_parked *it = &event->parked;
    row->state = EST_STATE_PARKED;
    row->attempts++;
    row->code = it->code;
    row->actor = it->account;
    row->not_before = (est_time){0};
    row->epoch = it->epoch;
}

static void apply_requeued(struct inquiry_row *row, const struct event *event) {
    row->state = EST_STATE_WAITING;
    row->attempts = 0;
    row->code = 0;
    row->actor = event->requeued.account;
    row->not_before = (est_time){0};
}

static void apply_redirected(struct inquiry_row *row, const struct event *event) {
    row->state = EST_STATE_WAITING;
    row->district = event->redirected.district;
    row->attempts = 0;
    row->code = 0;
    row->actor = event->redirected.account;
    row->not_before = (est_time){0};
}

static void row_end(struct inquiry_row *row, const struct event *event, uint32_t state, uint32_t code) {
    row->state = state;
    row->code = code;
    row->not_before = (est_time){0};
    row->ended = event->at;
}

static void apply_answered(struct inquiry_row *row, const struct event *event) {
    row_end(row, event, EST_STATE_ANSWERED, 0);
    row->outcome = event->answered.outcome;
    row->actor = event->answered.account;
    row->epoch = event->answered.epoch;
}

static void apply_expired(struct inquiry_row *row, const struct event *event) {
    row_end(row, event, EST_STATE_EXPIRED, EST_EXPIRED);
}

static void apply_cancelled(struct inquiry_row *row, const struct event *event) {
    row_end(row, event, EST_STATE_CANCELLED, EST_CANCELLED);
    row->actor = event->cancelled.account;
}

static void apply_acknowledged(struct inquiry_row *row, const struct event *event) {
    row->acked = event->at;
}

typedef void (*row_change)(struct inquiry_row *, const struct event *);

static const row_change changes[] = {
    [EVENT_SUBMITTED] = apply_submitted,
    [EVENT_ATTEMPT_FAILED] = apply_attempt_failed,
    [EVENT_PARKED] = apply_parked,
    [EVENT_REQUEUED] = apply_requeued,
    [EVENT_REDIRECTED] = apply_redirected,
    [EVENT_ANSWERED] = apply_answered,
    [EVENT_EXPIRED] = apply_expired,
    [EVENT_CANCELLED] = apply_cancelled,
    [EVENT_ACKNOWLEDGED] = apply_acknowledged,
};

void inquiry_row_apply(struct inquiry_row *row, const struct event *event) {
    size_t at = (size_t)event->type;
    if (at >= sizeof changes / sizeof changes[0] || !changes[at])
        return;
    changes[at](row, event);
    /* One ACKNOWLEDGED speaks of many inquiries, so it cannot be a link in the chain of one. */
    if (event->type != EVENT_ACKNOWLEDGED)
        row->last_seq = event->seq;
}
