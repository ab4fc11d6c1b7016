/* cmd_operator.c - what an operator looks at: queues, agents, parked inquiries, keys, settings, counters. */
#include "pages.h"
#include "run.h"
#include "say.h"
#include "table.h"
#include "moment.h"

#include <stdio.h>
#include <unistd.h>

enum { WATCH_DEFAULT_MS = 2000 };

static void queues_page(void *arg, const est_event *event) {
    struct table *table = arg;
    est_time now = moment_now();
    est_queue_row row;
    for (size_t i = 0; est_row_queue(event, i, &row); i++) {
        cell_text(table, row.department);
        cell_number(table, row.district);
        cell_uint(table, row.waiting);
        cell_uint(table, row.delayed);
        cell_uint(table, row.leased);
        cell_uint(table, row.parked);
        cell_age(table, row.oldest, now);
        cell_uint(table, row.agents);
        cell_bool(table, row.paused);
        cell_uint(table, row.unserved);
    }
}

static void agents_page(void *arg, const est_event *event) {
    struct table *table = arg;
    est_time now = moment_now();
    est_agent_row row;
    for (size_t i = 0; est_row_agent(event, i, &row); i++) {
        cell_text(table, row.account);
        cell_text(table, row.department);
        cell_text(table, row.software);
        cell_text(table, row.address);
        cell_uint(table, row.session);
        cell_uint(table, row.window);
        cell_uint(table, row.leased);
        cell_uint(table, row.answered);
        cell_age(table, row.since, now);
        cell_age(table, row.heard, now);
    }
}

static void parked_page(void *arg, const est_event *event) {
    struct table *table = arg;
    est_time now = moment_now();
    est_parked_row row;
    for (size_t i = 0; est_row_parked(event, i, &row); i++) {
        cell_uint(table, row.number);
        cell_text(table, row.type);
        cell_text(table, row.department);
        cell_number(table, row.district);
        cell_uint(table, row.attempts);
        cell_age(table, row.at, now);
        cell_cstr(table, est_code_name(row.code));
        cell_text(table, row.reason);
    }
}

/* One list of an operator: what to ask, and how it is shown. */
struct list {
    page_ask ask;
    enum est_event_kind kind;
    void (*page)(void *arg, const est_event *);
    const char *nothing; /* said where there is no row */
    size_t count;
    struct column columns[10];
};

static const struct list QUEUES = {est_client_queues,
                                   EST_EVENT_QUEUES,
                                   queues_page,
                                   "no queue holds anything",
                                   10,
                                   {{"department", "department", false, 0},
                                    {"district", "district", true, 0},
                                    {"waiting", "waiting", true, 0},
                                    {"delayed", "delayed", true, 0},
                                    {"leased", "leased", true, 0},
                                    {"parked", "parked", true, 0},
                                    {"oldest", "oldest", true, 0},
                                    {"agents", "agents", true, 0},
                                    {"paused", "paused", false, 0},
                                    {"unserved", NULL, true, 0}}};
static const struct list AGENTS = {est_client_agents,
                                   EST_EVENT_AGENTS,
                                   agents_page,
                                   "no agent is connected",
                                   10,
                                   {{"account", "account", false, 0},
                                    {"department", "department", false, 0},
                                    {"software", "software", false, 48},
                                    {"address", "address", false, 0},
                                    {"session", "session", true, 0},
                                    {"window", "window", true, 0},
                                    {"leased", "leased", true, 0},
                                    {"answered", "answered", true, 0},
                                    {"since", "connected", true, 0},
                                    {"heard", "heard", true, 0}}};
static const struct list PARKED = {est_client_parked,
                                   EST_EVENT_PARKED,
                                   parked_page,
                                   "nothing is parked",
                                   8,
                                   {{"number", "number", true, 0},
                                    {"type", "type", false, 0},
                                    {"department", "department", false, 0},
                                    {"district", "district", true, 0},
                                    {"attempts", "attempts", true, 0},
                                    {"at", "parked", true, 0},
                                    {"code", "code", false, 0},
                                    {"reason", "reason", false, 0}}};

static void keys_page(void *arg, const est_event *event) {
    struct table *table = arg;
    est_key_row row;
    for (size_t i = 0; est_row_key(event, i, &row); i++) {
        cell_text(table, row.account);
        cell_text(table, row.role);
        cell_cstr(table, row.level != EST_LEVEL_NONE ? est_level_name(row.level) : "");
        cell_text(table, row.department);
        cell_text(table, row.key);
        cell_time(table, row.from);
        cell_time(table, row.until);
        cell_uint(table, row.sessions);
    }
}

static const struct list KEYS = {est_client_keys,
                                 EST_EVENT_KEYS,
                                 keys_page,
                                 "no key is in force",
                                 8,
                                 {{"account", "account", false, 0},
                                  {"role", "role", false, 0},
                                  {"level", "level", false, 0},
                                  {"department", "department", false, 0},
                                  {"key", "key", false, 0},
                                  {"from", "from", false, 0},
                                  {"until", "until", false, 0},
                                  {"sessions", "sessions", true, 0}}};

static int list_show(const struct call *call, struct peer *peer, const struct list *list) {
    struct table *table = table_new(list->columns, list->count);
    int status = pages_read(peer, list->ask, list->kind, call_value(call, "department"), list->page, table);
    if (!status)
        table_show(table, call);
    if (!status && table_rows(table) == 0)
        say_remark("%s", list->nothing);
    table_free(&table);
    return status;
}

static int list_run(const struct call *call, const struct list *list) {
    struct desk desk;
    int status = desk_open(call, &desk);
    if (!status)
        status = list_show(call, &desk.peer, list);
    desk_close(&desk);
    return status;
}

int run_queues(const struct call *call) {
    int pause_ms = call_seconds(call, "watch", WATCH_DEFAULT_MS);
    bool clears = isatty(STDOUT_FILENO) && !call_json(call);
    struct desk desk;
    if (pause_ms < 0)
        return EXIT_USAGE;
    if (!call_has(call, "watch"))
        return list_run(call, &QUEUES);
    if (pause_ms == 0)
        return call_usage(call, "--watch takes at least 1 second");
    int status = desk_open(call, &desk);
    while (!status) {
        if (clears)
            fputs("\033[H\033[2J", stdout);
        status = list_show(call, &desk.peer, &QUEUES);
        fflush(stdout);
        if (!status)
            status = peer_pause(&desk.peer, moment_ticks() + pause_ms);
    }
    desk_close(&desk);
    return status;
}

int run_agents(const struct call *call) {
    return list_run(call, &AGENTS);
}

int run_parked_list(const struct call *call) {
    return list_run(call, &PARKED);
}

int run_keys(const struct call *call) {
    return list_run(call, &KEYS);
}

int run_config_broker(const struct call *call) {
    static const struct column columns[] = {{"name", "setting", false, 0}, {"value", "value", false, 0}};
    struct desk desk;
    est_event event;
    est_config_row row;
    int status = desk_open(call, &desk);
    if (!status) {
        uint64_t ref = peer_ref(&desk.peer);
        status =
            peer_answer(&desk.peer, est_client_config(desk.peer.client, ref), ref, EST_EVENT_CONFIG, &event);
    }
    if (!status) {
        struct table *table = table_new(columns, 2);
        for (size_t i = 0; est_row_config(&event, i, &row); i++) {
            cell_text(table, row.name);
            cell_text(table, row.value);
        }
        table_show(table, call);
        table_free(&table);
    }
    desk_close(&desk);
    return status;
}

int run_stats(const struct call *call) {
    static const struct column columns[] = {{"name", "counter", false, 0}, {"value", "value", true, 0}};
    struct desk desk;
    est_event event;
    est_stat_row row;
    int status = desk_open(call, &desk);
    if (!status) {
        uint64_t ref = peer_ref(&desk.peer);
        status =
            peer_answer(&desk.peer, est_client_stats(desk.peer.client, ref), ref, EST_EVENT_STATS, &event);
    }
    if (!status) {
        struct table *table = table_new(columns, 2);
        for (size_t i = 0; est_row_stat(&event, i, &row); i++) {
            cell_text(table, row.name);
            cell_uint(table, row.value);
        }
        table_show(table, call);
        table_free(&table);
    }
    desk_close(&desk);
    return status;
}
