/* inquiries.c - one inquiry: submitted, looked at, followed, cancelled. */
#include "json.h"
#include "key.h"
#include "question.h"
#include "route.h"
#include "trace.h"
#include "view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- Submitting -------------------------------------------------------------------------------- */

/* ask -> receipt -> [result awaited -> status] -> answer. The receipt is kept: it is the answer
 * where the time for waiting is over. */
struct submission {
    struct question question;
    est_submit submit;
    struct buffer body;
    est_span wait;
    json_t *receipt;
    char location[64];
};

static void submission_free(void *work) {
    struct submission *s = work;
    buffer_done(&s->body);
    json_decref(s->receipt);
    free(s);
}

static int submission_send(struct ask *ask, est_client *client, uint64_t ref) {
    struct submission *s = (struct submission *)ask;
    (void)ref;
    return est_client_submit(client, &s->submit);
}

static void submission_accepted(struct submission *s) {
    struct request *r = s->question.request;
    request_reply(r, MHD_HTTP_ACCEPTED, json_incref(s->receipt));
    request_header(r, MHD_HTTP_HEADER_LOCATION, s->location);
    request_resume(r);
}

static bool submission_looked(struct question *q, const est_event *event) {
    struct submission *s = (struct submission *)q;
    char applied[32];
    if (event->kind != EST_EVENT_STATUS || !est_state_is_final(event->state)) {
        submission_accepted(s);
        return false; /* it has resumed the request by itself */
    }
    snprintf(applied, sizeof applied, "wait=%lld", (long long)(s->wait.us / EST_US_PER_S));
    request_reply(q->request, MHD_HTTP_OK, view_inquiry(event));
    request_header(q->request, "Preference-Applied", applied);
    request_header(q->request, MHD_HTTP_HEADER_LOCATION, s->location);
    return true;
}

static int submission_status(struct question *q, est_client *client, uint64_t ref) {
    return est_client_status(client, ref, &q->id, 0, true);
}

/* Answered, or the time is over: another gateway of the account may have taken the result, so the
 * record is asked either way. */
static void submission_waited(struct ask *ask, const est_event *event) {
    struct submission *s = (struct submission *)ask;
    if (event->kind == EST_EVENT_REFUSED && event->code == EST_CLOSED) {
        submission_accepted(s);
        return;
    }
    s->question.id = s->submit.id;
    s->question.takes_refusals = true;
    s->question.ask = (struct ask){0};
    question_ask_again(&s->question, s->question.request->line, submission_status, submission_looked);
}

static void submission_answered(struct ask *ask, const est_event *event) {
    struct submission *s = (struct submission *)ask;
    if (event->kind != EST_EVENT_ACCEPTED) {
        request_refused(s->question.request, event);
        request_resume(s->question.request);
        return;
    }
    s->receipt = view_receipt(event);
    if (!s->wait.us) {
        submission_accepted(s);
    } else if (est_state_is_final(event->state)) {
        submission_waited(ask, event);
    } else {
        s->question.ask = (struct ask){.done = submission_waited, .patience = s->wait};
        line_await(s->question.request->line, &s->question.ask, event->number);
    }
}

/* One look through a body; its elements are counted as the protocol counts them, all levels together. */
struct look {
    struct form *form;
    size_t items;
};

static bool items_fit(struct look *look, const json_t *value) {
    if (look->items > EST_ITEMS_MAX) /* which was told */
        return false;
    look->items += json_object_size(value) + json_array_size(value);
    if (look->items > EST_ITEMS_MAX)
        form_defect(look->form, "body", "range", "more than %d elements", EST_ITEMS_MAX);
    return look->items <= EST_ITEMS_MAX;
}

/* Real numbers have no place on the wire, and depth is limited: each place is told. */
static void body_look(struct look *look, const json_t *value, const char *path, int depth) {
    char inner[EST_DEFECT_PATH_MAX];
    const char *key;
    json_t *part;
    size_t i;
    if (number_is_beyond(value))
        form_defect(look->form, path, "range", "is beyond %lld … %lld; send a text", (long long)INT64_MIN,
                    (long long)INT64_MAX);
    else if (json_is_real(value))
        form_defect(look->form, path, "type",
                    "a real number; send a whole number, or a decimal text such as \"51.389\"");
    else if (depth >= EST_DEPTH_MAX && (json_is_object(value) || json_is_array(value)))
        form_defect(look->form, path, "range", "more than %d levels", EST_DEPTH_MAX);
    else if (!items_fit(look, value))
        return;
    else if (json_is_object(value))
        json_object_foreach((json_t *)value, key, part) {
            snprintf(inner, sizeof inner, "%s%s%s", path, *path ? "." : "", key);
            text_trim(inner);
            body_look(look, part, inner, depth + 1);
        }
    else
        json_array_foreach(value, i, part) {
            snprintf(inner, sizeof inner, "%s[%zu]", path, i);
            body_look(look, part, inner, depth + 1);
        }
}

static void body_read(struct submission *s, struct form *form) {
    struct look look = {.form = form};
    json_t *body = form_object(form, "body", true);
    if (!body)
        return;
    body_look(&look, body, "", 0);
    if (form->defects)
        return;
    if (!json_to_msgpack(body, &s->body))
        request_problem(form->request, EST_NO_MEMORY, "%s", "");
    else if (s->body.size > EST_BODY_MAX)
        request_problem(form->request, EST_TOO_LARGE, "an inquiry's body may be %d bytes as packed",
                        EST_BODY_MAX);
    s->submit.body = buffer_slice(&s->body);
}

static bool submission_key(struct submission *s) {
    struct request *r = s->question.request;
    const char *why, *key = request_header_get(r, "Idempotency-Key");
    const char *trace = request_header_get(r, "traceparent");
    if (!key)
        request_problem(r, GW_HEADER_MISSING,
                        "Idempotency-Key: send a UUID, the same one when you send it again");
    else if (!key_id(key, line_account(r->line), &s->submit.id, &why))
        request_problem(r, GW_INVALID_HEADER, "Idempotency-Key: %s", why);
    /* W3C: a traceparent that cannot be read is as if it were not there. */
    s->submit.trace = trace && trace_is_good(trace) ? trace : NULL;
    return !r->response;
}

/* "respond-async, wait=10": the first wait counts. */
static enum MHD_Result prefer_look(void *arg, enum MHD_ValueKind kind, const char *key, const char *value) {
    int64_t *seconds = arg;
    (void)kind;
    if (strcasecmp(key, "Prefer") != 0)
        return MHD_YES;
    for (const char *at = value; *at && *seconds < 0; at += strcspn(at, ",;"), at += *at != '\0') {
        unsigned long wait;
        at += strspn(at, " \t");
        if (strncasecmp(at, "wait", 4) == 0 && sscanf(at + 4, " = %9lu", &wait) == 1)
            *seconds = (int64_t)wait;
    }
    return MHD_YES;
}

static est_span prefer_wait(struct request *r) {
    int64_t seconds = -1, most = r->gateway->config.limits.wait;
    MHD_get_connection_values(r->connection, MHD_HEADER_KIND, prefer_look, &seconds);
    if (seconds <= 0)
        return (est_span){0};
    return (est_span){seconds * EST_US_PER_S < most ? seconds * EST_US_PER_S : most};
}

static bool submission_read(struct submission *s) {
    static const char *const names[] = {"type", "purpose", "body", "case_id", "deadline_at", NULL};
    struct request *r = s->question.request;
    if (!submission_key(s))
        return false;
    struct form form = form_open(r, names);
    s->submit.type = form_text(&form, "type", true, EST_NAME_MAX);
    s->submit.purpose = form_text(&form, "purpose", true, EST_NAME_MAX);
    s->submit.case_id = form_text(&form, "case_id", false, EST_CASE_MAX);
    s->submit.deadline = form_time(&form, "deadline_at");
    body_read(s, &form);
    return form_close(&form) && !r->response;
}

void handle_submit(struct request *r) {
    char id[EST_ID_TEXT_SIZE];
    struct submission *s = calloc(1, sizeof *s);
    if (!s) {
        request_problem(r, EST_NO_MEMORY, "%s", "");
        return;
    }
    buffer_init(&s->body);
    s->question.request = r;
    r->work = s;
    r->work_free = submission_free;
    if (!submission_read(s))
        return;
    est_id_format(&s->submit.id, id);
    snprintf(s->location, sizeof s->location, "/v1/inquiries/%s", id);
    s->wait = prefer_wait(r);
    s->question.ask = (struct ask){.send = submission_send, .done = submission_answered, .id = s->submit.id};
    request_park(r);
    line_ask(r->line, &s->question.ask);
}

/* --- Looking ----------------------------------------------------------------------------------- */

static int call_status(struct question *q, est_client *client, uint64_t ref) {
    return est_client_status(client, ref, question_id(q), q->number, q->bodies);
}

static bool answer_status(struct question *q, const est_event *event) {
    request_reply(q->request, MHD_HTTP_OK, view_inquiry(event));
    return true;
}

/* A requester sees its own bodies; an operator only where level and token are an administrator's. */
void handle_inquiry(struct request *r) {
    uint64_t bodies = line_role(r->line) == ROLE_REQUESTER_BIT;
    if (!request_query_uint(r, "bodies", 1, &bodies))
        return;
    if (bodies && line_role(r->line) == ROLE_OPERATOR_BIT && !(r->scopes & SCOPE_administer)) {
        request_problem(r, GW_SCOPE_MISSING, "bodies need the scope `administer`");
        return;
    }
    struct question *q = question_new(r);
    if (!q || !question_names_inquiry(q))
        return;
    q->bodies = bodies;
    question_ask_about(q, call_status, answer_status);
}

static int call_timeline(struct question *q, est_client *client, uint64_t ref) {
    return est_client_timeline(client, ref, question_id(q), q->number);
}

static bool answer_timeline(struct question *q, const est_event *event) {
    request_reply(q->request, MHD_HTTP_OK, view_timeline(event));
    return true;
}

void handle_timeline(struct request *r) {
    struct question *q = question_new(r);
    if (q && question_names_inquiry(q))
        question_ask_about(q, call_timeline, answer_timeline);
}

/* --- Steering ---------------------------------------------------------------------------------- */

static int call_cancel(struct question *q, est_client *client, uint64_t ref) {
    return est_client_cancel(client, ref, question_id(q), q->number, q->reason);
}

static int call_requeue(struct question *q, est_client *client, uint64_t ref) {
    return est_client_requeue(client, ref, q->number, q->reason);
}

static int call_redirect(struct question *q, est_client *client, uint64_t ref) {
    return est_client_redirect(client, ref, q->number, q->district, q->reason);
}

/* What it has become, which is what whoever did it looks at next. */
static bool answer_steered(struct question *q, const est_event *event) {
    (void)event;
    q->bodies = line_role(q->request->line) == ROLE_REQUESTER_BIT;
    question_ask_again(q, q->request->line, call_status, answer_status);
    return false;
}

static void steer(struct request *r, question_call call, bool districts) {
    static const char *const names[] = {"reason", NULL}, *const with_district[] = {"reason", "district",
                                                                                   NULL};
    struct question *q = question_new(r);
    if (!q || !question_names_inquiry(q))
        return;
    struct form form = form_open(r, districts ? with_district : names);
    q->reason = form_text(&form, "reason", true, EST_TEXT_MAX);
    if (districts)
        q->district = (unsigned)form_uint(&form, "district", true, UINT32_MAX);
    if (form_close(&form))
        question_ask_about(q, call, answer_steered);
}

void handle_cancel(struct request *r) {
    steer(r, call_cancel, false);
}

void handle_requeue(struct request *r) {
    steer(r, call_requeue, false);
}

void handle_redirect(struct request *r) {
    steer(r, call_redirect, true);
}
