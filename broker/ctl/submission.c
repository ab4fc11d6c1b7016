/* submission.c - see submission.h. */
#include "submission.h"
#include "json.h"
#include "heap.h"
#include "say.h"
#include "moment.h"

#include <stdlib.h>
#include <string.h>

/* One run over a batch. */
struct flow {
    struct batch *batch;
    struct peer *peer;
    const struct flow_options *options;
    struct submission **by_id; /* sorted */
    size_t next;               /* none before it is STAGE_NEW */
    size_t left;               /* not yet where they should come to */
    int64_t pause_until;       /* BUSY: nothing is sent before */
};

struct submission *batch_add(struct batch *batch) {
    if (batch->count == batch->room) {
        batch->room = batch->room ? batch->room * 2 : 16;
        batch->at = heap_grow(batch->at, batch->room, sizeof *batch->at);
    }
    struct submission *s = &batch->at[batch->count++];
    memset(s, 0, sizeof *s);
    buffer_init(&s->body);
    return s;
}

void batch_done(struct batch *batch) {
    for (size_t i = 0; i < batch->count; i++) {
        struct submission *s = &batch->at[i];
        char *texts[] = {s->type, s->purpose, s->case_id,   s->trace,       s->tracking, s->department,
                         s->text, s->reason,  s->legal_ref, s->valid_until, s->signer};
        for (size_t t = 0; t < sizeof texts / sizeof texts[0]; t++)
            free(texts[t]);
        free(s->defects);
        buffer_done(&s->body);
        json_decref(s->reply);
    }
    heap_free((void **)&batch->at);
    *batch = (struct batch){0};
}

static int by_id_compare(const void *a, const void *b) {
    const struct submission *const *left = a, *const *right = b;
    return memcmp(&(*left)->id, &(*right)->id, sizeof(est_id));
}

static void flow_index(struct flow *flow) {
    flow->by_id = heap_new(flow->batch->count, sizeof(struct submission *));
    for (size_t i = 0; i < flow->batch->count; i++)
        flow->by_id[i] = &flow->batch->at[i];
    qsort(flow->by_id, flow->batch->count, sizeof(struct submission *), by_id_compare);
}

static struct submission *flow_find(const struct flow *flow, const est_id *id) {
    struct submission key = {.id = *id};
    const struct submission *wanted = &key;
    struct submission **found =
        bsearch(&wanted, flow->by_id, flow->batch->count, sizeof(struct submission *), by_id_compare);
    return found ? *found : NULL;
}

static void text_replace(char **at, est_slice text) {
    free(*at);
    *at = text.size ? heap_text(text.data, text.size) : NULL;
}

/* --- Sending ---------------------------------------------------------------------------------- */

static void submission_refuse(struct flow *flow, struct submission *s, int code, est_slice text) {
    s->stage = STAGE_REFUSED;
    s->code = abs(code);
    text_replace(&s->text, text.size ? text : slice_of(est_code_text(code)));
    flow->left--;
}

static int submission_send(struct flow *flow, struct submission *s) {
    est_submit submit = {.id = s->id,
                         .type = s->type,
                         .purpose = s->purpose,
                         .body = buffer_slice(&s->body),
                         .deadline = s->deadline,
                         .trace = s->trace,
                         .case_id = s->case_id};
    int code = est_client_submit(flow->peer->client, &submit);
    if (code == -EST_FULL)
        return code;
    if (s->sent_at == 0)
        s->sent_at = moment_ticks();
    s->stage = STAGE_SENT;
    if (code)
        submission_refuse(flow, s, code, (est_slice){0});
    return 0;
}

static void flow_fill(struct flow *flow) {
    if (moment_ticks() < flow->pause_until)
        return;
    for (; flow->next < flow->batch->count; flow->next++) {
        struct submission *s = &flow->batch->at[flow->next];
        if (s->stage == STAGE_NEW && submission_send(flow, s))
            return;
    }
}

/* A new session takes the results of what was submitted in it; submitting again what was accepted
 * is answered with the same receipt. What had no receipt yet the library sends again by itself. */
static void flow_connected(struct flow *flow) {
    for (size_t i = 0; i < flow->batch->count; i++)
        if (flow->batch->at[i].stage == STAGE_ACCEPTED && flow->options->results)
            flow->batch->at[i].stage = STAGE_NEW;
    flow->next = 0;
}

/* --- What comes back -------------------------------------------------------------------------- */

static void flow_accepted(struct flow *flow, struct submission *s, const est_event *event) {
    bool first = s->number == 0;
    if (s->stage >= STAGE_ACCEPTED)
        return;
    s->stage = STAGE_ACCEPTED;
    s->number = event->number;
    s->received = event->at;
    s->due = event->due;
    s->again = first ? event->again : s->again;
    s->state = event->state;
    s->version = event->version;
    s->district = event->district;
    text_replace(&s->tracking, event->tracking);
    text_replace(&s->department, event->department);
    if (!first)
        return;
    s->took_ms = moment_ticks() - s->sent_at;
    if (flow->options->accepted)
        flow->options->accepted(s);
    if (!flow->options->results)
        flow->left--;
}

static void defects_keep(struct submission *s, const est_event *event) {
    est_defect defect;
    while (est_row_defect(event, s->defects_count, &defect)) {
        s->defects = heap_grow(s->defects, s->defects_count + 1, sizeof *s->defects);
        s->defects[s->defects_count++] = defect;
    }
}

static void flow_refused(struct flow *flow, struct submission *s, const est_event *event) {
    if (s->stage != STAGE_SENT)
        return;
    if (s->number) { /* of sending it again: its receipt stands */
        s->stage = STAGE_ACCEPTED;
        return;
    }
    if (event->code == EST_BUSY && flow->options->try_again) {
        int64_t pause_ms = event->retry.us / EST_US_PER_MS;
        flow->pause_until = moment_ticks() + (pause_ms < 50 ? 50 : pause_ms);
        s->stage = STAGE_NEW;
        flow->next = 0;
        return;
    }
    defects_keep(s, event);
    s->retry = event->retry;
    submission_refuse(flow, s, event->code, event->text);
}

static void flow_result(struct flow *flow, const est_event *event) {
    struct submission *s = flow_find(flow, &event->id);
    if (!s || s->stage == STAGE_ENDED || s->stage == STAGE_REFUSED)
        return;
    s->stage = STAGE_ENDED;
    s->number = event->number;
    s->state = event->state;
    s->outcome = event->outcome;
    s->code = event->code;
    s->ended = event->ended;
    s->took_ms = moment_ticks() - s->sent_at;
    s->reply = event->body.size ? json_from_msgpack(event->body) : NULL;
    text_replace(&s->reason, event->reason);
    text_replace(&s->legal_ref, event->legal_ref);
    text_replace(&s->valid_until, event->valid_until);
    text_replace(&s->signer, event->signer);
    if (event->department.size)
        text_replace(&s->department, event->department);
    est_client_ack(flow->peer->client, event->number);
    flow->left--;
}

static void flow_event(struct flow *flow, const est_event *event) {
    struct submission *s = flow_find(flow, &event->id);
    switch (event->kind) {
    case EST_EVENT_CONNECTED:
        flow_connected(flow);
        break;
    case EST_EVENT_ACCEPTED:
        if (s)
            flow_accepted(flow, s, event);
        break;
    case EST_EVENT_REFUSED:
        if (s)
            flow_refused(flow, s, event);
        break;
    case EST_EVENT_RESULT:
        flow_result(flow, event);
        break;
    default:
        break;
    }
}

/* --- Running ---------------------------------------------------------------------------------- */

/* Time ran out: where does each stand? A parked one will not move without a person. */
static void flow_ask_states(struct flow *flow) {
    for (size_t i = 0; i < flow->batch->count; i++) {
        struct submission *s = &flow->batch->at[i];
        est_event event;
        if (s->stage != STAGE_ACCEPTED || !flow->peer->connected)
            continue;
        uint64_t ref = peer_ref(flow->peer);
        int sent = est_client_status(flow->peer->client, ref, &s->id, 0, false);
        if (peer_answer(flow->peer, sent, ref, EST_EVENT_STATUS, &event))
            return;
        s->state = event.state;
        s->code = event.code;
        text_replace(&s->reason, event.reason);
    }
}

int batch_run(struct batch *batch, struct peer *peer, const struct flow_options *options) {
    struct flow flow = {.batch = batch, .peer = peer, .options = options, .left = batch->count};
    int64_t until = moment_ticks() + options->wait_ms;
    int lost = 0;
    flow_index(&flow);
    while (flow.left > 0 && !lost && moment_ticks() < until) {
        est_event event;
        flow_fill(&flow);
        bool paused = flow.pause_until > moment_ticks() && flow.pause_until < until;
        int got = flow.left ? peer_next(peer, paused ? flow.pause_until : until, &event) : 0;
        if (got > 0)
            flow_event(&flow, &event);
        lost = got < 0 ? got : 0;
    }
    if (flow.left > 0 && !lost && options->results)
        flow_ask_states(&flow);
    free(flow.by_id);
    return lost ? peer_say_lost(peer, lost) : 0;
}

int submission_status(const struct submission *s, bool results) {
    if (s->stage == STAGE_REFUSED)
        return exit_of_code(s->code);
    if (s->number == 0)
        return EXIT_UNREACHABLE;
    if (!results || s->state == EST_STATE_ANSWERED)
        return EXIT_OK;
    if (est_state_is_final(s->state) || s->state == EST_STATE_PARKED)
        return EXIT_ENDED;
    return EXIT_UNANSWERED;
}

/* The gravest that happened: whoever reads only one number learns of the worst. */
int batch_status(const struct batch *batch, bool results) {
    static const int grave[] = {EXIT_LOCAL,   EXIT_USAGE, EXIT_UNREACHABLE,
                                EXIT_REFUSED, EXIT_ENDED, EXIT_UNANSWERED};
    bool seen[EXIT_LOCAL + 1] = {false};
    for (size_t i = 0; i < batch->count; i++)
        seen[submission_status(&batch->at[i], results)] = true;
    for (size_t i = 0; i < sizeof grave / sizeof grave[0]; i++)
        if (seen[grave[i]])
            return grave[i];
    return EXIT_OK;
}
