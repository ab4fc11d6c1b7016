/* question.c - see question.h. */
#include "question.h"
#include "ident.h"
#include "view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void question_free(void *question) {
    struct question *q = question;
    free(q->more);
    free(q);
}

struct question *question_new(struct request *r) {
    struct question *q = calloc(1, sizeof *q);
    if (!q) {
        request_problem(r, EST_NO_MEMORY, "%s", "");
        return NULL;
    }
    q->request = r;
    r->work = q;
    r->work_free = question_free;
    return q;
}

static int question_send(struct ask *ask, est_client *client, uint64_t ref) {
    struct question *q = (struct question *)ask; /* its first member */
    return q->call(q, client, ref);
}

static void question_done(struct ask *ask, const est_event *event) {
    struct question *q = (struct question *)ask;
    bool over = true;
    if (event->kind == EST_EVENT_REFUSED && !q->takes_refusals)
        request_refused(q->request, event);
    else
        over = q->answer(q, event);
    if (over)
        request_resume(q->request);
}

void question_ask_again(struct question *q, struct line *line, question_call call, question_answer answer) {
    q->call = call;
    q->answer = answer;
    q->ask.send = question_send;
    q->ask.done = question_done;
    line_ask(line, &q->ask);
}

void question_ask(struct question *q, struct line *line, question_call call, question_answer answer) {
    request_park(q->request);
    question_ask_again(q, line, call, answer);
}

bool question_names_inquiry(struct question *q) {
    const char *text = q->request->arguments[0];
    if (view_uint_parse(text, UINT64_MAX, &q->number) && strlen(text) < 20)
        return true;
    if (ident_tracking(slice_of(text), q->tracking, &q->number))
        return true;
    q->by_id = est_id_parse(text, &q->id) == 0;
    if (!q->by_id)
        request_problem(q->request, EST_NOT_FOUND, "an inquiry is named by its UUID, its number or its tracking code");
    return q->by_id;
}

const est_id *question_id(const struct question *q) {
    return q->by_id ? &q->id : NULL;
}

/* --- An operator's UUID ------------------------------------------------------------------------ */

static int call_find_id(struct question *q, est_client *client, uint64_t ref) {
    char text[EST_ID_TEXT_SIZE];
    est_id_format(&q->id, text);
    snprintf(q->text, sizeof q->text, "id:%s", text);
    return est_client_find(client, ref, q->text, 0, 2, false);
}

static bool answer_find_id(struct question *q, const est_event *event) {
    est_find_row first, second;
    if (!est_row_find(event, 0, &first)) {
        request_problem(q->request, EST_NOT_FOUND, "no inquiry has this id, or it is not in the index yet");
        return true;
    }
    if (est_row_find(event, 1, &second)) {
        request_problem(q->request, EST_INVALID_FIELD,
                        "two accounts have used this id: numbers %llu and %llu",
                        (unsigned long long)first.number, (unsigned long long)second.number);
        return true;
    }
    q->by_id = false;
    q->number = first.number;
    question_ask_again(q, q->request->line, q->then_call, q->then_answer);
    return false;
}

/* --- A tracking code --------------------------------------------------------------------------- */

static int call_tracked(struct question *q, est_client *client, uint64_t ref) {
    return est_client_status(client, ref, NULL, q->number, false);
}

/* Its number is in it; that the rest is right as well only the record can say. */
static bool answer_tracked(struct question *q, const est_event *event) {
    if (!slice_equal(event->tracking, slice_of(q->tracking))) {
        request_problem(q->request, EST_NOT_FOUND, "no inquiry has the tracking code %s", q->tracking);
        return true;
    }
    question_ask_again(q, q->request->line, q->then_call, q->then_answer);
    return false;
}

void question_ask_about(struct question *q, question_call call, question_answer answer) {
    struct line *line = q->request->line;
    bool found = q->by_id && line_role(line) == ROLE_OPERATOR_BIT;
    q->then_call = call;
    q->then_answer = answer;
    if (q->tracking[0])
        question_ask(q, line, call_tracked, answer_tracked);
    else if (found)
        question_ask(q, line, call_find_id, answer_find_id);
    else
        question_ask(q, line, call, answer);
}
