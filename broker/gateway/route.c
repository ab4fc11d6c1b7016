/* route.c - see route.h. */
#include "route.h"

#include <stdio.h>
#include <string.h>

enum {
    OBSERVER = 1,
    OPERATOR = 2,
    ADMINISTRATOR = 3,
    REQUESTERS = ROLE_REQUESTER_BIT,
    OPERATORS = ROLE_OPERATOR_BIT,
};

#define PAGE "department after limit"

/* A table is read by its rows. */
/* clang-format off */
const struct route ROUTES[] = {
    {"POST", "/v1/inquiries", SCOPE_submit, REQUESTERS, 0, true, NULL, handle_submit},
    {"GET", "/v1/inquiries/{id}", SCOPE_read | SCOPE_submit, 0, OPERATOR, false, "bodies", handle_inquiry},
    {"GET", "/v1/inquiries/{id}/timeline", SCOPE_read | SCOPE_submit, 0, OPERATOR, false, NULL, handle_timeline},
    {"POST", "/v1/inquiries/{id}/cancel", SCOPE_submit | SCOPE_operate, 0, OPERATOR, true, NULL, handle_cancel},
    {"POST", "/v1/inquiries/{id}/requeue", SCOPE_operate, OPERATORS, OPERATOR, true, NULL, handle_requeue},
    {"POST", "/v1/inquiries/{id}/redirect", SCOPE_operate, OPERATORS, OPERATOR, true, NULL, handle_redirect},
    {"GET", "/v1/inquiries", SCOPE_read, 0, OPERATOR, false, "q after limit count", handle_search},
    {"GET", "/v1/inquiries.csv", SCOPE_read, 0, OPERATOR, false, "q limit", handle_csv},
    {"GET", "/v1/events", SCOPE_events, 0, OPERATOR, false, "after department", handle_events},
    {"GET", "/v1/queues", SCOPE_watch, OPERATORS, OBSERVER, false, PAGE, handle_queues},
    {"GET", "/v1/agents", SCOPE_watch, OPERATORS, OBSERVER, false, PAGE, handle_agents},
    {"GET", "/v1/parked", SCOPE_watch, OPERATORS, OPERATOR, false, PAGE, handle_parked},
    {"GET", "/v1/stats", SCOPE_watch, OPERATORS, OBSERVER, false, NULL, handle_stats},
    {"GET", "/v1/counters", SCOPE_watch, OPERATORS, OBSERVER, false, NULL, handle_counters},
    {"GET", "/v1/keys", SCOPE_watch, OPERATORS, OPERATOR, false, PAGE, handle_keys},
    {"GET", "/v1/config", SCOPE_watch, OPERATORS, OPERATOR, false, NULL, handle_config},
    {"GET", "/v1/index", SCOPE_watch, OPERATORS, OBSERVER, false, NULL, handle_index},
    {"POST", "/v1/parked/requeue", SCOPE_operate, OPERATORS, OPERATOR, true, NULL, handle_parked_requeue},
    {"POST", "/v1/departments/{name}/pause", SCOPE_operate, OPERATORS, OPERATOR, true, NULL, handle_pause},
    {"POST", "/v1/departments/{name}/resume", SCOPE_operate, OPERATORS, OPERATOR, true, NULL, handle_resume},
    {"POST", "/v1/departments/{name}/test", SCOPE_operate, OPERATORS, OPERATOR, true, NULL, handle_test},
    {"GET", "/v1/samples", SCOPE_operate, OPERATORS, OPERATOR, false, NULL, handle_samples},
    {"POST", "/v1/drain", SCOPE_administer, OPERATORS, ADMINISTRATOR, true, NULL, handle_drain},
    {"POST", "/v1/index/rebuild", SCOPE_administer, OPERATORS, ADMINISTRATOR, true, NULL, handle_reindex},
    {"GET", "/v1/webhooks", SCOPE_webhooks | SCOPE_watch, 0, OPERATOR, false, NULL, handle_webhooks},
    {"POST", "/v1/webhooks/{id}/retry", SCOPE_webhooks | SCOPE_operate, 0, OPERATOR, false, NULL, handle_webhook_retry},
    {"GET", "/v1/catalogue/types", 0, 0, 0, false, NULL, handle_types},
    {"GET", "/v1/catalogue/types/{name}", 0, 0, 0, false, NULL, handle_type},
    {"GET", "/v1/catalogue/departments", 0, 0, 0, false, NULL, handle_departments},
    {"GET", "/v1/catalogue/purposes", 0, 0, 0, false, NULL, handle_purposes},
    {"GET", "/v1/whoami", 0, 0, 0, false, NULL, handle_whoami},
    {"GET", "/v1/problems", ANYONE, 0, 0, false, NULL, handle_problems},
    {"GET", "/v1/problems/{code}", ANYONE, 0, 0, false, NULL, handle_problem},
    {"GET", "/v1/openapi.yaml", ANYONE, 0, 0, false, NULL, handle_openapi},
    {"GET", "/metrics", ANYONE, 0, 0, false, NULL, handle_metrics}, /* from this machine; see there */
    {"GET", "/livez", ANYONE, 0, 0, false, "verbose", handle_livez},
    {"GET", "/readyz", ANYONE, 0, 0, false, "verbose", handle_readyz},
};
/* clang-format on */
const size_t ROUTES_COUNT = sizeof ROUTES / sizeof ROUTES[0];

/* Everything outside the API: the console's files. */
static const struct route files = {"GET", "/", ANYONE, 0, 0, false, NULL, handle_static};

/* Walks pattern and path together; what stands for {…} is one segment, not empty. */
static bool path_matches(const char *pattern, const char *path,
                         char arguments[ARGUMENTS_MAX][ARGUMENT_SIZE]) {
    size_t count = 0;
    while (*pattern) {
        if (*pattern != '{') {
            if (*pattern++ != *path++)
                return false;
            continue;
        }
        size_t size = strcspn(path, "/");
        if (size == 0 || size >= ARGUMENT_SIZE || count == ARGUMENTS_MAX)
            return false;
        memcpy(arguments[count], path, size);
        arguments[count++][size] = '\0';
        path += size;
        pattern += strcspn(pattern, "}") + 1;
    }
    return !*path;
}

static bool method_serves(const char *route, const char *method) {
    return strcmp(route, method) == 0 || (strcmp(method, "HEAD") == 0 && strcmp(route, "GET") == 0);
}

static void allow_add(char *allow, const char *method) {
    size_t used = strlen(allow);
    snprintf(allow + used, 64 - used, "%s%s%s", used ? ", " : "", method,
             strcmp(method, "GET") == 0 ? ", HEAD" : "");
}

enum route_found route_find(struct request *r, const char *method, char ret_allow[64]) {
    ret_allow[0] = '\0';
    for (size_t i = 0; i < ROUTES_COUNT; i++) {
        if (!path_matches(ROUTES[i].path, r->url, r->arguments))
            continue;
        if (method_serves(ROUTES[i].method, method)) {
            r->route = &ROUTES[i];
            return ROUTE_FOUND;
        }
        allow_add(ret_allow, ROUTES[i].method);
    }
    if (!ret_allow[0] && r->gateway->config.console && strncmp(r->url, "/v1/", 4) != 0) {
        if (method_serves(files.method, method)) {
            r->route = &files;
            return ROUTE_FOUND;
        }
        allow_add(ret_allow, files.method);
    }
    if (!ret_allow[0])
        return ROUTE_NONE;
    allow_add(ret_allow, "OPTIONS");
    return ROUTE_OTHER_METHOD;
}
