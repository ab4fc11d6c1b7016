/* operators.c - what operators look at: queues, agents, parked, counters. */
#include "question.h"
#include "route.h"
#include "view.h"

enum { ROWS_DEFAULT = 500, ROWS_MAX = 1000 };

static bool answer_list(struct question *q, const est_event *event) {
    request_reply(q->request, MHD_HTTP_OK, view_list(event, q->row));
    return true;
}

/* ?department=&after=&limit= */
static void list_ask(struct request *r, question_call call, json_t *(*row)(const est_event *, size_t)) {
    uint64_t after = 0, limit = ROWS_DEFAULT;
    if (!request_query_uint(r, "after", UINT64_MAX, &after) ||
        !request_query_uint(r, "limit", ROWS_MAX, &limit))
        return;
    struct question *q = question_new(r);
    if (!q)
        return;
    q->department = request_query(r, "department");
    q->after = after;
    q->limit = (unsigned)limit;
    q->row = row;
    question_ask(q, r->line, call, answer_list);
}

static int call_queues(struct question *q, est_client *client, uint64_t ref) {
    return est_client_queues(client, ref, q->department, q->after, q->limit);
}
void handle_queues(struct request *r) {
    list_ask(r, call_queues, view_queue_row);
}

static int call_agents(struct question *q, est_client *client, uint64_t ref) {
    return est_client_agents(client, ref, q->department, q->after, q->limit);
}
void handle_agents(struct request *r) {
    list_ask(r, call_agents, view_agent_row);
}

static int call_parked(struct question *q, est_client *client, uint64_t ref) {
    return est_client_parked(client, ref, q->department, q->after, q->limit);
}
void handle_parked(struct request *r) {
    list_ask(r, call_parked, view_parked_row);
}

static int call_stats(struct question *q, est_client *client, uint64_t ref) {
    (void)q;
    return est_client_stats(client, ref);
}
void handle_stats(struct request *r) {
    struct question *q = question_new(r);
    if (!q)
        return;
    q->row = view_stat_row;
    question_ask(q, r->line, call_stats, answer_list);
}
