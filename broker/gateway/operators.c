/* operators.c - what operators look at, and what they do to the whole: queues, agents, parked, keys,
 * configuration, counters; pause, drain, rebuild the index. */
#include "question.h"
#include "route.h"
#include "view.h"

#include <stdio.h>
#include <string.h>

enum { ROWS_DEFAULT = 500, ROWS_MAX = 1000 };

static bool answer_list(struct question *q, const est_event *event) {
    request_reply(q->request, MHD_HTTP_OK, view_list(event, q->row));
    return true;
}

/* A longer name is no department's, and no command of the protocol either. */
static bool department_fits(struct request *r, const char *name) {
    if (!name || strlen(name) <= EST_NAME_MAX)
        return true;
    request_problem(r, EST_INVALID_FIELD, "department: is longer than %d bytes", EST_NAME_MAX);
    return false;
}

/* ?department=&after=&limit= */
static void list_ask(struct request *r, question_call call, json_t *(*row)(const est_event *, size_t)) {
    uint64_t after = 0, limit = ROWS_DEFAULT;
    const char *department = request_query(r, "department");
    if (!request_query_uint(r, "after", UINT64_MAX, &after) ||
        !request_query_uint(r, "limit", ROWS_MAX, &limit) || !department_fits(r, department))
        return;
    struct question *q = question_new(r);
    if (!q)
        return;
    q->department = department;
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

static int call_keys(struct question *q, est_client *client, uint64_t ref) {
    return est_client_keys(client, ref, q->department, q->after, q->limit);
}
void handle_keys(struct request *r) {
    list_ask(r, call_keys, view_key_row);
}

/* --- Lists in one page ------------------------------------------------------------------------- */

static void whole_ask(struct request *r, question_call call, question_answer answer,
                      json_t *(*row)(const est_event *, size_t)) {
    struct question *q = question_new(r);
    if (!q)
        return;
    q->row = row;
    question_ask(q, r->line, call, answer);
}

static int call_config(struct question *q, est_client *client, uint64_t ref) {
    (void)q;
    return est_client_config(client, ref);
}
void handle_config(struct request *r) {
    whole_ask(r, call_config, answer_list, view_config_row);
}

static int call_counters(struct question *q, est_client *client, uint64_t ref) {
    (void)q;
    return est_client_counters(client, ref);
}

static bool answer_counters(struct question *q, const est_event *event) {
    json_t *json = view_list(event, view_counter_row);
    json_object_set_new(json, "seq", json_integer((json_int_t)event->seq));
    request_reply(q->request, MHD_HTTP_OK, json);
    return true;
}
void handle_counters(struct request *r) {
    whole_ask(r, call_counters, answer_counters, NULL);
}

/* What STATS says of the index: {"index_seq": …}. */
static bool answer_index(struct question *q, const est_event *event) {
    static const char start[] = "index";
    json_t *json = json_object();
    est_stat_row row;
    for (size_t i = 0; est_row_stat(event, i, &row); i++) {
        char name[EST_NAME_MAX + 1];
        snprintf(name, sizeof name, "%.*s", (int)row.name.size, (const char *)row.name.data);
        if (strncmp(name, start, sizeof start - 1) == 0)
            json_object_set_new(json, name, json_integer((json_int_t)row.value));
    }
    request_reply(q->request, MHD_HTTP_OK, json);
    return true;
}
void handle_index(struct request *r) {
    whole_ask(r, call_stats, answer_index, NULL);
}

/* --- Acts -------------------------------------------------------------------------------------- */

/* Every act takes a reason, which the broker keeps in its log. */
static void act_ask(struct request *r, question_call call, question_answer answer, bool on) {
    static const char *const names[] = {"reason", NULL};
    struct question *q = question_new(r);
    if (!q)
        return;
    struct form form = form_open(r, names);
    q->department = r->arguments[0];
    q->on = on;
    q->reason = form_text(&form, "reason", true, EST_TEXT_MAX);
    if (form_close(&form) && department_fits(r, q->department))
        question_ask(q, r->line, call, answer);
}

static int call_pause(struct question *q, est_client *client, uint64_t ref) {
    return est_client_pause(client, ref, q->department, q->on, q->reason);
}

static bool answer_pause(struct question *q, const est_event *event) {
    (void)event;
    request_reply(q->request, MHD_HTTP_OK,
                  json_pack("{s:s, s:b}", "department", q->department, "paused", (int)q->on));
    return true;
}

void handle_pause(struct request *r) {
    act_ask(r, call_pause, answer_pause, true);
}

void handle_resume(struct request *r) {
    act_ask(r, call_pause, answer_pause, false);
}

static int call_reindex(struct question *q, est_client *client, uint64_t ref) {
    return est_client_reindex(client, ref, q->reason);
}

static bool answer_reindex(struct question *q, const est_event *event) {
    (void)event;
    request_reply(q->request, MHD_HTTP_ACCEPTED, json_pack("{s:b}", "rebuilding", 1));
    return true;
}

void handle_reindex(struct request *r) {
    act_ask(r, call_reindex, answer_reindex, true);
}

static int call_drain(struct question *q, est_client *client, uint64_t ref) {
    return est_client_drain(client, ref, q->on, q->reason);
}

static bool answer_drain(struct question *q, const est_event *event) {
    (void)event;
    request_reply(q->request, MHD_HTTP_OK, json_pack("{s:b}", "draining", (int)q->on));
    return true;
}

void handle_drain(struct request *r) {
    static const char *const names[] = {"on", "reason", NULL};
    struct question *q = question_new(r);
    if (!q)
        return;
    struct form form = form_open(r, names);
    if (form.object && !json_object_get(form.object, "on"))
        form_defect(&form, "on", "missing", "is needed: true to begin, false to end");
    q->on = form_bool(&form, "on", false);
    q->reason = form_text(&form, "reason", true, EST_TEXT_MAX);
    if (form_close(&form))
        question_ask(q, r->line, call_drain, answer_drain);
}
