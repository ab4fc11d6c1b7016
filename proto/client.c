/* client.c - est_client_*: a session's events in the words of the public API. */
#include <estelam/client.h>

#include <stdio.h>
#include <stdlib.h>

#include "link.h"

enum { CLOSE_MS = 200 };

struct est_client {
    struct link *link;
    char account[EST_NAME_MAX + 1], city[EST_NAME_MAX + 1]; /* empty: no session */
    enum est_level level;
    unsigned revision;
};

int est_client_open(const est_options *options, est_client **ret) {
    est_client *client = calloc(1, sizeof *client);
    if (!client)
        return -EST_NO_MEMORY;
    int failed = link_open(options, SESSION_CLIENT, NULL, NULL, &client->link);
    if (failed) {
        free(client);
        return failed;
    }
    *ret = client;
    return 0;
}

void est_client_close(est_client **client) {
    if (!*client)
        return;
    link_close(&(*client)->link, CLOSE_MS);
    free(*client);
    *client = NULL;
}

int est_client_fd(const est_client *client) {
    return link_fd(client->link);
}

const char *est_client_account(const est_client *client) {
    return client->account[0] ? client->account : NULL;
}

enum est_level est_client_level(const est_client *client) {
    return client->level;
}

unsigned est_client_revision(const est_client *client) {
    return client->revision;
}

const char *est_client_city(const est_client *client) {
    return client->city[0] ? client->city : NULL;
}

/* --- Asks. ---------------------------------------------------------------------------------------- */

/* The session has something new to send, unless it said no. */
static int asked(est_client *client, int code) {
    if (code == 0)
        link_touch(client->link);
    return code;
}

static est_id id_or_zero(const est_id *id) {
    return id ? *id : (est_id){{0}};
}

int est_client_submit(est_client *client, const est_submit *it) {
    if (it->deadline.us < 0)
        return -EST_INPUT;
    struct submit submit = {.id = it->id,
                            .type = slice_of(it->type),
                            .purpose = slice_of(it->purpose),
                            .body = it->body,
                            .deadline_us = (uint64_t)it->deadline.us,
                            .trace = slice_of(it->trace),
                            .case_id = slice_of(it->case_id)};
    return asked(client, session_submit(link_session(client->link), &submit));
}

int est_client_ack(est_client *client, uint64_t number) {
    return asked(client, session_ack(link_session(client->link), number));
}

/* A message is large because of its lists of numbers, and an ask has none: nothing of it but the
 * command's own fields is ever set or copied. */
#define ASK(client, name, member, ...)                                                                       \
    do {                                                                                                     \
        struct message message;                                                                              \
        message.verb = VERB_##name;                                                                          \
        message.member = (__typeof__(message.member))__VA_ARGS__;                                            \
        return asked(client, session_ask(link_session((client)->link), &message));                           \
    } while (0)

int est_client_status(est_client *client, uint64_t ref, const est_id *id, uint64_t number, bool bodies) {
    ASK(client, STATUS, status, {.ref = ref, .id = id_or_zero(id), .number = number, .bodies = bodies});
}

int est_client_timeline(est_client *client, uint64_t ref, const est_id *id, uint64_t number) {
    ASK(client, TIMELINE, timeline, {.ref = ref, .id = id_or_zero(id), .number = number});
}

int est_client_cancel(est_client *client, uint64_t ref, const est_id *id, uint64_t number,
                      const char *reason) {
    ASK(client, CANCEL, cancel,
        {.ref = ref, .id = id_or_zero(id), .number = number, .reason = slice_of(reason)});
}

static int ask_page(est_client *client, enum verb verb, struct page page) {
    struct message message;
    message.verb = verb;
    message.page = page;
    return asked(client, session_ask(link_session(client->link), &message));
}

int est_client_queues(est_client *client, uint64_t ref, const char *department, uint64_t after,
                      unsigned limit) {
    return ask_page(client, VERB_QUEUES, (struct page){ref, after, limit, slice_of(department)});
}

int est_client_agents(est_client *client, uint64_t ref, const char *department, uint64_t after,
                      unsigned limit) {
    return ask_page(client, VERB_AGENTS, (struct page){ref, after, limit, slice_of(department)});
}

int est_client_parked(est_client *client, uint64_t ref, const char *department, uint64_t after,
                      unsigned limit) {
    return ask_page(client, VERB_PARKED, (struct page){ref, after, limit, slice_of(department)});
}

int est_client_requeue(est_client *client, uint64_t ref, uint64_t number, const char *reason) {
    ASK(client, REQUEUE, requeue, {.ref = ref, .number = number, .reason = slice_of(reason)});
}

int est_client_drain(est_client *client, uint64_t ref, bool on, const char *reason) {
    ASK(client, DRAIN, drain, {.ref = ref, .on = on, .reason = slice_of(reason)});
}

int est_client_stats(est_client *client, uint64_t ref) {
    ASK(client, STATS, stats, {.ref = ref});
}

int est_client_pause(est_client *client, uint64_t ref, const char *department, bool on, const char *reason) {
    ASK(client, PAUSE, pause,
        {.ref = ref, .department = slice_of(department), .on = on, .reason = slice_of(reason)});
}

int est_client_redirect(est_client *client, uint64_t ref, uint64_t number, unsigned district,
                        const char *reason) {
    ASK(client, REDIRECT, redirect,
        {.ref = ref, .number = number, .district = district, .reason = slice_of(reason)});
}

int est_client_keys(est_client *client, uint64_t ref, const char *department, uint64_t after,
                    unsigned limit) {
    return ask_page(client, VERB_KEYS, (struct page){ref, after, limit, slice_of(department)});
}

int est_client_config(est_client *client, uint64_t ref) {
    ASK(client, CONFIG, config, {.ref = ref});
}

int est_client_events(est_client *client, uint64_t ref, const char *department, uint64_t after,
                      unsigned limit) {
    return ask_page(client, VERB_EVENTS, (struct page){ref, after, limit, slice_of(department)});
}

int est_client_find(est_client *client, uint64_t ref, const char *filter, uint64_t after, unsigned limit,
                    bool count) {
    ASK(client, FIND, find,
        {.ref = ref, .filter = slice_of(filter), .after = after, .limit = limit, .count = count});
}

int est_client_reindex(est_client *client, uint64_t ref, const char *reason) {
    ASK(client, REINDEX, reindex, {.ref = ref, .reason = slice_of(reason)});
}

int est_client_counters(est_client *client, uint64_t ref) {
    ASK(client, COUNTERS, counters, {.ref = ref});
}

/* --- Events: one translator for each verb that answers. -------------------------------------------- */

static est_time time_of(uint64_t us) {
    return (est_time){(int64_t)us};
}

static void accepted_tell(const struct message *m, est_event *ret) {
    const struct accepted *it = &m->accepted;
    ret->kind = EST_EVENT_ACCEPTED;
    ret->id = it->id;
    ret->number = it->number;
    ret->tracking = it->tracking;
    ret->at = time_of(it->at_us);
    ret->due = time_of(it->due_us);
    ret->again = it->again != 0;
    ret->state = (enum est_state)it->state;
    ret->version = (unsigned)it->version;
    ret->department = it->department;
    ret->district = (unsigned)it->district;
}

static void result_tell(const struct message *m, est_event *ret) {
    const struct result *it = &m->result;
    ret->kind = EST_EVENT_RESULT;
    ret->id = it->id;
    ret->number = it->number;
    ret->state = (enum est_state)it->state;
    ret->outcome = (enum est_outcome)it->outcome;
    ret->reason = it->reason;
    ret->legal_ref = it->legal_ref;
    ret->valid_until = it->valid_until;
    ret->signer = it->signer;
    ret->body = it->body;
    ret->ended = time_of(it->ended_us);
    ret->department = it->department;
    ret->code = (int)it->code;
}

static void status_tell(const struct message *m, est_event *ret) {
    const struct status_is *it = &m->status_is;
    *ret = (est_event){.kind = EST_EVENT_STATUS,
                       .ref = ret->ref,
                       .id = it->id,
                       .number = it->number,
                       .tracking = it->tracking,
                       .account = it->account,
                       .type = it->type,
                       .version = (unsigned)it->version,
                       .department = it->department,
                       .district = (unsigned)it->district,
                       .state = (enum est_state)it->state,
                       .at = time_of(it->received_us),
                       .due = time_of(it->due_us),
                       .attempts = (unsigned)it->attempts,
                       .until = time_of(it->until_us),
                       .holder = it->holder,
                       .ended = time_of(it->ended_us),
                       .acked = time_of(it->acked_us),
                       .outcome = (enum est_outcome)it->outcome,
                       .code = (int)it->code,
                       .reason = it->reason,
                       .legal_ref = it->legal_ref,
                       .valid_until = it->valid_until,
                       .signer = it->signer,
                       .purpose = it->purpose,
                       .case_id = it->case_id,
                       .request = it->request,
                       .body = it->reply};
}

static void timeline_tell(const struct message *m, est_event *ret) {
    ret->kind = EST_EVENT_TIMELINE;
    ret->id = m->timeline_is.id;
    ret->number = m->timeline_is.number;
    ret->rows = m->timeline_is.rows;
}

static void done_tell(const struct message *m, est_event *ret) {
    (void)m;
    ret->kind = EST_EVENT_DONE;
}

static void page_tell(const struct message *m, est_event *ret) {
    ret->kind = m->verb == VERB_QUEUES_IS   ? EST_EVENT_QUEUES
                : m->verb == VERB_AGENTS_IS ? EST_EVENT_AGENTS
                : m->verb == VERB_KEYS_IS   ? EST_EVENT_KEYS
                                            : EST_EVENT_PARKED;
    ret->rows = m->page_is.rows;
    ret->next = m->page_is.next;
}

static void stats_tell(const struct message *m, est_event *ret) {
    ret->kind = EST_EVENT_STATS;
    ret->rows = m->stats_is.rows;
}

static void config_tell(const struct message *m, est_event *ret) {
    ret->kind = EST_EVENT_CONFIG;
    ret->rows = m->config_is.rows;
}

static void events_tell(const struct message *m, est_event *ret) {
    ret->kind = EST_EVENT_EVENTS;
    ret->rows = m->events_is.rows;
    ret->next = m->events_is.next;
    ret->head = m->events_is.head;
    ret->at.us = (int64_t)m->events_is.configured_us;
}

static void find_tell(const struct message *m, est_event *ret) {
    ret->kind = EST_EVENT_FIND;
    ret->rows = m->find_is.rows;
    ret->next = m->find_is.next;
    ret->count = m->find_is.count;
    ret->behind = m->find_is.behind;
    ret->counted_all = m->find_is.counted_all != 0;
}

static void counters_tell(const struct message *m, est_event *ret) {
    ret->kind = EST_EVENT_COUNTERS;
    ret->rows = m->counters_is.rows;
    ret->seq = m->counters_is.seq;
}

typedef void (*teller)(const struct message *, est_event *ret);
static const teller tellers[VERB_MAX + 1] = {
    [VERB_ACCEPTED] = accepted_tell, [VERB_RESULT] = result_tell,        [VERB_STATUS_IS] = status_tell,
    [VERB_DONE] = done_tell,         [VERB_TIMELINE_IS] = timeline_tell, [VERB_QUEUES_IS] = page_tell,
    [VERB_AGENTS_IS] = page_tell,    [VERB_PARKED_IS] = page_tell,       [VERB_STATS_IS] = stats_tell,
    [VERB_KEYS_IS] = page_tell,      [VERB_CONFIG_IS] = config_tell,     [VERB_EVENTS_IS] = events_tell,
    [VERB_FIND_IS] = find_tell,      [VERB_COUNTERS_IS] = counters_tell,
};

static void refused_tell(const struct session_event *event, est_event *ret) {
    ret->kind = EST_EVENT_REFUSED;
    ret->id = event->id;
    ret->number = event->number;
    ret->code = event->code;
    ret->layer = est_code_layer(event->code);
    ret->text = event->text;
    if (!event->message)
        return;
    ret->layer = (enum est_layer)event->message->error.layer;
    ret->rows = event->message->error.defects;
    ret->retry.us = (int64_t)event->message->error.retry_ms * EST_US_PER_MS;
}

static void connected_tell(est_client *client, const struct session_event *event, est_event *ret) {
    const struct welcome *it = &event->message->welcome;
    snprintf(client->account, sizeof client->account, "%.*s", (int)it->account.size,
             (const char *)it->account.data);
    snprintf(client->city, sizeof client->city, "%.*s", (int)it->city.size, (const char *)it->city.data);
    client->level = it->level <= EST_LEVEL_ADMINISTRATOR ? (enum est_level)it->level : EST_LEVEL_NONE;
    client->revision = (unsigned)it->revision;
    ret->kind = EST_EVENT_CONNECTED;
    ret->account = slice_of(client->account);
}

static void disconnected_tell(est_client *client, const struct session_event *event, est_event *ret) {
    client->account[0] = client->city[0] = 0;
    client->level = EST_LEVEL_NONE;
    client->revision = 0;
    ret->kind = EST_EVENT_DISCONNECTED;
    ret->code = event->code;
    ret->layer = est_code_layer(event->code);
    ret->text = event->text;
}

static void event_tell(est_client *client, const struct session_event *event, est_event *ret) {
    *ret = (est_event){.ref = event->ref};
    switch (event->kind) {
    case SESSION_UP:
        connected_tell(client, event, ret);
        return;
    case SESSION_DOWN:
        disconnected_tell(client, event, ret);
        return;
    case SESSION_REFUSED:
        refused_tell(event, ret);
        return;
    default: /* an answer or a result: a client's session has no other events */
        tellers[event->message->verb](event->message, ret);
        return;
    }
}

int est_client_poll(est_client *client, int timeout_ms, est_event *ret) {
    struct session_event event;
    if (!link_poll(client->link, timeout_ms, &event))
        return 0;
    event_tell(client, &event, ret);
    return 1;
}
