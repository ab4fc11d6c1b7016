/* question.h - one ask of one request: park, ask, answer, resume.
 *
 *     struct question *q = question_new(request);      fill what the call needs
 *     question_ask(q, line, call, answer);             from then on it looks after itself
 *
 * `answer` turns what the broker said into the request's answer; a refusal is told before it comes
 * to that. A question is freed with its request, and may be asked again from inside `answer`.
 */
#ifndef GATEWAY_QUESTION_H
#define GATEWAY_QUESTION_H

#include "request.h"

struct question;
typedef int (*question_call)(struct question *, est_client *, uint64_t ref);
/* True: the request has its answer and is resumed. False: the question goes on by itself. */
typedef bool (*question_answer)(struct question *, const est_event *);

struct question {
    struct ask ask;
    struct request *request;
    question_call call;
    question_answer answer;
    bool takes_refusals; /* `answer` is told of refusals too */
    json_t *(*row)(const est_event *, size_t); /* lists */
    /* What calls need; each uses its own. */
    est_id id;
    bool by_id, bodies, on;
    uint64_t number, after;
    char tracking[EST_TRACKING_MAX + 1]; /* as it was named; empty: otherwise */
    unsigned limit, district;
    const char *department, *reason; /* NULL or text that lives as long as the request */
    char text[1200];                 /* such as a filter */
    void *more;                      /* freed with free() */
    question_call then_call;         /* once the number is known */
    question_answer then_answer;
};

struct question *question_new(struct request *); /* NULL: no memory, and that was told */
void question_ask(struct question *, struct line *, question_call, question_answer);
void question_ask_again(struct question *, struct line *, question_call, question_answer); /* from `answer` */

/* The same about one inquiry. The broker knows an operator's inquiries by number alone, for two
 * accounts may use one id: a UUID is looked up in the index first. A tracking code is held against that of the record. */
void question_ask_about(struct question *, question_call, question_answer);

/* The inquiry that stands in the path, a UUID, a number or a tracking code. False: it is none, and that was told. */
bool question_names_inquiry(struct question *);
const est_id *question_id(const struct question *); /* NULL where it is named by number */

#endif
