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
    size_t looks;              /* statuses asked for that have not come */
    bool stuck;                /* what is left is parked */
};

/* A requester is not told that its inquiry was parked. So those that are left are asked after, but
 * only where they are few: an answer that comes needs no asking. */
enum { LOOK_MS = 1000, LOOKS_MAX = 256 };

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

const char *submission_too_long(const struct submission *s, size_t *ret_max) {
    const struct {
        const char *name, *text;
        size_t max;
    } texts[] = {{"type", s->type, EST_NAME_MAX},
                 {"purpose", s->purpose, EST_NAME_MAX},
                 {"case", s->case_id, EST_CASE_MAX},
                 {"trace", s->trace, EST_TRACE_MAX}};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (texts[i].text && strlen(texts[i].text) > texts[i].max)
            return *ret_max = texts[i].max, texts[i].name;
    return NULL;
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

/* --- Looking after those without an end -------------------------------------------------------- */

static void flow_look(struct flow *flow) {
    for (size_t i = 0; i < flow->batch->count && flow->peer->connected; i++) {
        struct submission *s = &flow->batch->at[i];
        if (s->stage != STAGE_ACCEPTED || s->looked)
            continue;
        if (est_client_status(flow->peer->client, i + 1, &s->id, 0, false))
            return;
        s->looked = true;
        flow->looks++;
    }
}

static bool flow_is_stuck(const struct flow *flow) {
    for (size_t i = 0; i < flow->batch->count; i++) {
        const struct submission *s = &flow->batch->at[i];
        if (s->stage == STAGE_NEW || s->stage == STAGE_SENT)
            return false;
        if (s->stage == STAGE_ACCEPTED && s->state != EST_STATE_PARKED)
            return false;
    }
    return true;
}

static void flow_looked(struct flow *flow, const est_event *event) {
    if (event->ref == 0 || event->ref > flow->batch->count)
        return;
    struct submission *s = &flow->batch->at[event->ref - 1];
    if (!s->looked)
        return;
    s->looked = false;
    flow->looks--;
    if (event->kind == EST_EVENT_STATUS && s->stage == STAGE_ACCEPTED) {
        s->state = event->state;
        s->code = event->code;
        text_replace(&s->reason, event->reason);
    }
    if (flow->looks == 0)
        flow->stuck = flow_is_stuck(flow);
}

/* --- Running ---------------------------------------------------------------------------------- */

static void flow_event(struct flow *flow, const est_event *event) {
    struct submission *s = event->ref ? NULL : flow_find(flow, &event->id);
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
        else
            flow_looked(flow, event);
        break;
    case EST_EVENT_STATUS:
        flow_looked(flow, event);
        break;
    case EST_EVENT_RESULT:
        flow_result(flow, event);
        break;
    default:
        break;
    }
}

static int64_t sooner(int64_t a, int64_t b) {
    return a < b ? a : b;
}

/* Until all have come where they should, or cannot, or the time is over. What peer_next said. */
static int flow_follow(struct flow *flow, int64_t until) {
    int64_t look_at = flow->options->results ? moment_ticks() + LOOK_MS : INT64_MAX;
    while (flow->left > 0 && !flow->stuck) {
        int64_t now = moment_ticks();
        if (now >= until)
            return 0;
        flow_fill(flow);
        if (flow->left == 0)
            return 0;
        if (now >= look_at && flow->left <= LOOKS_MAX)
            flow_look(flow);
        if (now >= look_at)
            look_at = now + LOOK_MS;
        int64_t next = sooner(until, look_at);
        est_event event;
        int got =
            peer_next(flow->peer, flow->pause_until > now ? sooner(next, flow->pause_until) : next, &event);
        if (got < 0)
            return got;
        if (got > 0)
            flow_event(flow, &event);
    }
    return 0;
}

/* Time ran out: where does each stand? */
static int flow_settle(struct flow *flow) {
    int64_t until = moment_ticks() + flow->peer->timeout_ms;
    flow_look(flow);
    while (flow->looks > 0 && flow->left > 0) {
        est_event event;
        int got = peer_next(flow->peer, until, &event);
        if (got <= 0)
            return got;
        flow_event(flow, &event);
    }
    return 0;
}

int batch_run(struct batch *batch, struct peer *peer, const struct flow_options *options) {
    struct flow flow = {.batch = batch, .peer = peer, .options = options, .left = batch->count};
    flow_index(&flow);
    int lost = flow_follow(&flow, moment_ticks() + options->wait_ms);
    if (!lost && flow.left > 0 && !flow.stuck && options->results)
        lost = flow_settle(&flow);
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
