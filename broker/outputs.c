/* outputs.c - effects of the core: events go to the store, commands to peers, facts to counters.
 *
 * Commands are packed at once, while the batch is open, so that a body is copied once more: out of the event
 * that the step has just appended, or, where it waited, out of the store. They leave the process
 * only after the commit.
 */
#include "broker.h"

#include <stdio.h>
#include <string.h>

void broker_fail(struct broker *b, const char *doing) {
    if (!b->failed)
        log_line(3, "%s: %s; stopping, because memory is ahead of disk: restart recovers", doing, store_error(b->store));
    b->failed = true;
}

static void command_send(struct broker *b, uint32_t peer, const struct message *m) {
    message_pack(net_out(b->net, peer), m);
    net_sent(b->net, peer);
}

/* A refusal in the log: whose, which code and layer, what and which field; never a value. No more
 * than so many a second, for a requester that errs may err a hundred thousand times. */
enum { REFUSALS_LOGGED = 20 };

static void refusal_log(struct broker *b, uint32_t peer, const struct error_is *error, const char *detail) {
    if (b->ticks_us >= b->refusals_until_us) {
        if (b->refusals > REFUSALS_LOGGED)
            log_line(6, "%u more refusals within a second", b->refusals - REFUSALS_LOGGED);
        b->refusals_until_us = b->ticks_us + EST_US_PER_S;
        b->refusals = 0;
    }
    if (++b->refusals > REFUSALS_LOGGED)
        return;
    char first[EST_DEFECT_PATH_MAX + EST_DEFECT_KIND_MAX + 32] = "";
    if (error->defects.size > 0 && b->defects.kept > 0)
        snprintf(first, sizeof first, "; first defect: %s %s", b->defects.at[0].path, b->defects.at[0].kind);
    log_line(6, "refused %s: %s (%s): %s%s%s%s", b->keyring.keys[net_peer(b->net, peer)->key].name,
             est_code_name((int)error->code), est_layer_name((enum est_layer)error->layer),
             est_code_text((int)error->code), detail != NULL ? ": " : "", detail != NULL ? detail : "", first);
}

void send_error(struct broker *b, uint32_t peer, struct error_is error, const char *detail) {
    char text[600];
    const char *advice = est_code_advice((int)error.code);
    snprintf(text, sizeof text, "%s%s%s%s%s", est_code_text((int)error.code), detail != NULL ? ": " : "",
             detail != NULL ? detail : "", advice[0] != '\0' ? "; " : "", advice);
    error.layer = est_code_layer((int)error.code);
    error.text = slice_of(text);
    if (error.code < 1000)
        b->refused[error.code]++;
    refusal_log(b, peer, &error, detail);
    struct message m;
    m.verb = VERB_ERROR;
    m.error = error;
    command_send(b, peer, &m);
}

void act_note(struct broker *b, uint32_t peer, const char *what, est_slice reason) {
    char line[600];
    int size = snprintf(line, sizeof line, "%s by %s: %.*s", what, b->keyring.keys[net_peer(b->net, peer)->key].name,
                        (int)reason.size, (const char *)reason.data);
    buffer_put(&b->acts, line, (size_t)(size < (int)sizeof line ? size : (int)sizeof line - 1) + 1);
}

/* Reads an event that must be there. Mostly it is the one that this step has just appended, and then nothing has
 * to be parsed: the step's effects and what they point to are there until it ends. */
static const struct event *event_read(struct broker *b, uint64_t seq, struct event *scratch) {
    if (b->appended != NULL && b->appended->seq == seq)
        return b->appended;
    if (store_event(b->store, seq, scratch) == 0)
        return scratch;
    broker_fail(b, "reading the log");
    return NULL;
}

static void send_accepted(struct broker *b, const struct effect *fx) {
    struct inquiry_view view;
    struct inquiry_row *row = &view.row;
    /* A receipt given again tells the state of today; the rest is as it was. */
    if (fx->again || !core_inquiry(b->core, fx->number, &view)) {
        bool live = core_inquiry(b->core, fx->number, &view);
        uint32_t state = live ? view.row.state : 0;
        if (store_row(b->store, fx->number, row) < 0) {
            broker_fail(b, "reading a receipt");
            return;
        }
        row->state = live ? state : row->state;
    } else {
        row->version = registry_current(b->registry, row->type);
    }
    char tracking[EST_TRACKING_MAX + 1];
    tracking_code(b, fx->number, tracking);
    struct message m;
    m.verb = VERB_ACCEPTED;
    m.accepted = (struct accepted){.id = fx->id,
                                   .number = fx->number,
                                   .tracking = slice_of(tracking),
                                   .at_us = (uint64_t)row->received.us,
                                   .due_us = (uint64_t)row->due.us,
                                   .again = fx->again,
                                   .state = row->state,
                                   .version = row->version,
                                   .department = registry_answerer(b->registry, row),
                                   .district = row->district};
    command_send(b, fx->session, &m);
}

static void send_assign(struct broker *b, const struct effect *fx) {
    struct event scratch;
    const struct event *e = event_read(b, fx->number, &scratch);
    if (e == NULL)
        return;
    const struct event_submitted *s = &e->submitted;
    struct message m;
    m.verb = VERB_ASSIGN;
    m.assign = (struct assign){.number = fx->number,
                               .epoch = fx->epoch,
                               .type = registry_name(b->registry, THING_TYPE, s->type),
                               .version = s->version,
                               .purpose = registry_name(b->registry, THING_PURPOSE, s->purpose),
                               .requester = registry_name(b->registry, THING_ACCOUNT, s->account),
                               .case_id = s->case_id,
                               .trace = s->trace,
                               .district = fx->district,
                               .body = s->body,
                               .received_us = (uint64_t)e->at.us,
                               .due_us = (uint64_t)s->due.us,
                               .lease_ms = (uint64_t)(b->limits.lease.us / EST_US_PER_MS),
                               .attempt = fx->attempt};
    command_send(b, fx->session, &m);
}

/* The end of an inquiry is its newest event. */
static void send_result(struct broker *b, const struct effect *fx) {
    struct inquiry_row row;
    struct event scratch;
    if (store_row(b->store, fx->number, &row) < 0) {
        broker_fail(b, "reading a result");
        return;
    }
    const struct event *e = event_read(b, row.last_seq, &scratch);
    if (e == NULL)
        return;
    struct message m;
    m.verb = VERB_RESULT;
    m.result = (struct result){.id = row.id,
                               .number = row.number,
                               .state = row.state,
                               .ended_us = (uint64_t)row.ended.us,
                               .department = registry_answerer(b->registry, &row),
                               .code = row.state == EST_STATE_ANSWERED ? 0 : row.code};
    if (e->type == EVENT_ANSWERED) {
        m.result.outcome = e->answered.outcome;
        m.result.reason = e->answered.reason;
        m.result.legal_ref = e->answered.legal_ref;
        m.result.valid_until = e->answered.valid_until;
        m.result.signer = e->answered.signer;
        m.result.body = e->answered.body;
    } else if (e->type == EVENT_CANCELLED) {
        m.result.reason = e->cancelled.reason;
    }
    command_send(b, fx->session, &m);
}

/* Which limit a submission met: whoever reads it knows whom to call. */
static void busy_tell(const struct broker *b, uint32_t session, char *ret, size_t size) {
    struct core_counts counts;
    struct session_view s;
    struct account_view account;
    core_counts(b->core, &counts);
    core_session(b->core, session, &s);
    core_account(b->core, s.account, &account);
    if (counts.full)
        snprintf(ret, size, "the store is full");
    else if (account.kept >= b->limits.account_open_max)
        snprintf(ret, size, "the account has %u open or unacknowledged, limits.account_open_max", account.kept);
    else if (counts.open + counts.unacknowledged >= b->limits.inquiries_max)
        snprintf(ret, size, "%u are open or unacknowledged, limits.inquiries_max", b->limits.inquiries_max);
    else
        snprintf(ret, size, "too many pairs of type and district");
}

static void send_refused(struct broker *b, const struct effect *fx) {
    if (fx->code == EST_INVALID_ANSWER) /* said already, with the defects */
        return;
    struct error_is error = {.ref = fx->ref,
                             .id = fx->id,
                             .number = fx->number,
                             .epoch = fx->epoch,
                             .code = fx->code,
                             .retry_ms = (uint64_t)(fx->retry.us / EST_US_PER_MS)};
    char detail[128] = "";
    if (fx->code == EST_BUSY && fx->ref == 0)
        busy_tell(b, fx->session, detail, sizeof detail);
    send_error(b, fx->session, error, detail[0] != '\0' ? detail : NULL);
}

static void send_done(struct broker *b, const struct effect *fx) {
    struct message m;
    m.verb = VERB_DONE;
    m.done.ref = fx->ref;
    command_send(b, fx->session, &m);
}

/* An agent answers many in one frame; what is recorded of them is told in one command. */
static struct message recorded;
static uint32_t recorded_peer;

void recorded_flush(struct broker *b) {
    if (recorded.recorded.pairs.count == 0)
        return;
    recorded.verb = VERB_RECORDED;
    command_send(b, recorded_peer, &recorded);
    recorded.recorded.pairs.count = 0;
}

static void keep_recorded(struct broker *b, const struct effect *fx) {
    if (fx->session != recorded_peer || recorded.recorded.pairs.count == 2 * EST_NUMBERS_MAX)
        recorded_flush(b);
    recorded_peer = fx->session;
    recorded.recorded.pairs.at[recorded.recorded.pairs.count++] = fx->number;
    recorded.recorded.pairs.at[recorded.recorded.pairs.count++] = fx->epoch;
}

/* One RENEW has one RENEWED, however many of its leases live on: an agent takes what is not named
 * for over, so the pairs must not come apart into two frames. */
static struct message renewed;

static void keep_renewed(struct broker *b, const struct effect *fx) {
    (void)b;
    renewed.renewed.pairs.at[renewed.renewed.pairs.count++] = fx->number;
    renewed.renewed.pairs.at[renewed.renewed.pairs.count++] = fx->epoch;
}

static void send_renewed(struct broker *b, uint32_t session) {
    renewed.verb = VERB_RENEWED;
    command_send(b, session, &renewed);
    renewed.renewed.pairs.count = 0;
}

static void send_revoke(struct broker *b, const struct effect *fx) {
    struct message m;
    m.verb = VERB_REVOKE;
    m.revoke = (struct revoke){.number = fx->number, .epoch = fx->epoch, .code = fx->code};
    command_send(b, fx->session, &m);
}

static void close_session(struct broker *b, const struct effect *fx) {
    recorded_flush(b);
    struct message m;
    m.verb = VERB_BYE;
    m.bye = (struct bye){.code = fx->code, .text = slice_of(est_code_text((int)fx->code))};
    command_send(b, fx->session, &m);
    net_release(b->net, fx->session, b->now);
}

static void append_event(struct broker *b, const struct effect *fx) {
    b->batch_appends++;
    if (!b->failed && store_append(b->store, &fx->event) < 0)
        broker_fail(b, "writing the log");
    if (fx->event.type == EVENT_TYPE_SET)
        b->types_seq = fx->event.seq;
    b->appended = &fx->event;
}

static void count_fact(struct broker *b, const struct effect *fx) {
    b->facts[fx->fact] += fx->fact == FACT_ACKNOWLEDGED ? fx->code : 1;
}

static void (*const outputs[])(struct broker *, const struct effect *) = {
    [EFFECT_EVENT] = append_event,   [EFFECT_ACCEPTED] = send_accepted, [EFFECT_REFUSED] = send_refused,
    [EFFECT_DONE] = send_done,       [EFFECT_ASSIGN] = send_assign,     [EFFECT_RESULT] = send_result,
    [EFFECT_RECORDED] = keep_recorded, [EFFECT_RENEWED] = keep_renewed, [EFFECT_REVOKE] = send_revoke,
    [EFFECT_CLOSE] = close_session,  [EFFECT_NOTE] = count_fact,
};

void broker_step(struct broker *b, const struct input *in) {
    core_step(b->core, b->now, in, &b->effects);
    for (size_t i = 0; i < b->effects.count && !b->failed; i++)
        outputs[b->effects.at[i].kind](b, &b->effects.at[i]);
    b->appended = NULL;
    if (in->kind == INPUT_RENEW)
        send_renewed(b, in->session);
}
