/* settings.c - broker.yaml: where the broker keeps its store, whom it listens to, and its limits. */
#include "load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#define STORE_SIZE_MIN   (UINT64_C(16) << 20)
#define STORE_SIZE_USUAL (UINT64_C(64) << 30)

/* --- Endpoints -------------------------------------------------------------------------------- */

/* The port of "tcp://host:port", or NULL; 0 and "*" mean a free one, which tests use. */
static const char *tcp_port(const char *endpoint, size_t *ret_host_size) {
    const char *host = endpoint + strlen("tcp://");
    const char *colon = strrchr(host, ':');
    if (!colon || colon == host || !colon[1])
        return NULL;
    *ret_host_size = (size_t)(colon - host);
    return colon + 1;
}

static bool port_is_valid(const char *port) {
    size_t digits = strspn(port, "0123456789");
    if (strcmp(port, "*") == 0)
        return true;
    return digits >= 1 && digits <= 5 && !port[digits] && atoi(port) <= 65535;
}

static const char *endpoint_complaint(const char *endpoint) {
    size_t host_size;
    if (strncmp(endpoint, "ipc://", 6) == 0) {
        size_t size = strlen(endpoint + 6);
        size_t room = sizeof((struct sockaddr_un *)0)->sun_path;
        return size == 0     ? "an ipc endpoint names a path"
               : size < room ? NULL
                             : "the path is too long for a socket";
    }
    if (strncmp(endpoint, "tcp://", 6) != 0)
        return "an endpoint begins with tcp:// or ipc://";
    const char *port = tcp_port(endpoint, &host_size);
    if (!port)
        return "a tcp endpoint is tcp://address:port";
    if (memchr(endpoint + 6, '/', host_size) || memchr(endpoint + 6, ' ', host_size))
        return "a tcp endpoint is tcp://address:port";
    return port_is_valid(port) ? NULL : "the port is a number up to 65535";
}

static bool endpoint_is_local(const char *endpoint) {
    static const char *const local[] = {"tcp://127.", "tcp://localhost:", "tcp://[::1]:", "ipc://"};
    for (size_t i = 0; i < sizeof local / sizeof local[0]; i++) {
        if (strncmp(endpoint, local[i], strlen(local[i])) == 0)
            return true;
    }
    return false;
}

static void load_endpoint(struct loader *loader, struct yaml *yaml, yaml_node node, bool curve,
                          const char **ret) {
    const char *endpoint = yaml_text(yaml, node, NULL);
    if (!endpoint)
        return;
    const char *wrong = endpoint_complaint(endpoint);
    if (wrong)
        yaml_complain(yaml, node, "`%.100s`: %s", endpoint, wrong);
    else if (!curve && !endpoint_is_local(endpoint))
        yaml_complain(yaml, node,
                      "security: plain is for 127.0.0.1, [::1] and ipc only; use security: curve");
    *ret = load_copy(loader, endpoint);
}

/* Two doors may share no address, unless the system picks a free port for each. */
static bool endpoints_clash(const char *a, const char *b) {
    size_t size = a ? strlen(a) : 0;
    if (!a || !b || strcmp(a, b) != 0 || size < 2)
        return false;
    return strcmp(a + size - 2, ":*") != 0 && strcmp(a + size - 2, ":0") != 0;
}

static void load_listen(struct loader *loader, struct yaml *yaml, yaml_node node,
                        struct broker_settings *ret) {
    static const char *const keys[] = {"requesters", "departments", "operators", NULL};
    struct listener *doors[] = {&ret->requesters, &ret->departments, &ret->operators};
    if (!yaml_only(yaml, node, keys) && !yaml_is_map(node))
        return;
    for (int i = 0; i < 3; i++) {
        yaml_node endpoint = yaml_need(yaml, node, keys[i]);
        load_endpoint(loader, yaml, endpoint, ret->curve, &doors[i]->endpoint);
        for (int j = 0; j < i; j++) {
            if (endpoints_clash(doors[i]->endpoint, doors[j]->endpoint))
                yaml_complain(yaml, endpoint, "%s and %s have one endpoint; give each its own", keys[j],
                              keys[i]);
        }
    }
}

/* --- The rest --------------------------------------------------------------------------------- */

static void load_security(struct yaml *yaml, yaml_node root, struct broker_settings *ret) {
    static const char *const words[] = {"plain", "curve"};
    int word = load_word(yaml, yaml_need(yaml, root, "security"), words, 2);
    ret->curve = word != 0;
    yaml_node key = word == 1 ? yaml_need(yaml, root, "key") : yaml_get(root, "key");
    const char *path = yaml_path(yaml, key, NULL), *why = NULL;
    if (path && key_file_load(path, ret->public_key, ret->secret_key, &why) != 0)
        yaml_complain(yaml, key, "%.200s: %s", path, why);
}

static void load_store(struct loader *loader, struct yaml *yaml, yaml_node node,
                       struct broker_settings *ret) {
    static const char *const keys[] = {"directory", "size_max", NULL};
    if (!yaml_only(yaml, node, keys) && !yaml_is_map(node))
        return;
    ret->store = load_copy(loader, yaml_path(yaml, yaml_need(yaml, node, "directory"), NULL));
    ret->store_size_max = yaml_bytes(yaml, yaml_get(node, "size_max"), STORE_SIZE_USUAL);
    if (ret->store_size_max < STORE_SIZE_MIN)
        yaml_complain(yaml, yaml_get(node, "size_max"), "a store needs at least 16 MiB");
}

/* Beside the store, unless it is named or not wanted. */
static void load_index(struct loader *loader, struct yaml *yaml, yaml_node node, struct broker_settings *ret) {
    static const char *const keys[] = {"directory", "enabled", NULL};
    char beside[4096];
    if (node && !yaml_only(yaml, node, keys) && !yaml_is_map(node))
        return;
    const char *slash = ret->store ? strrchr(ret->store, '/') : NULL;
    snprintf(beside, sizeof beside, "%.*sindex", slash ? (int)(slash - ret->store + 1) : 0, ret->store ? ret->store : "");
    ret->index = load_copy(loader, yaml_path(yaml, yaml_get(node, "directory"), beside));
    if (!yaml_bool(yaml, yaml_get(node, "enabled"), true))
        ret->index = NULL;
    else if (ret->index && ret->store && strcmp(ret->index, ret->store) == 0)
        yaml_complain(yaml, node, "the index needs a directory of its own beside the store's");
}

/* What is not set counts too: a first delay above the longest would be cut to it without a word. */
static void retries_check(struct yaml *yaml, yaml_node node, const struct broker_settings *s) {
    uint64_t first = s->retry_first_ms ? s->retry_first_ms : RETRY_FIRST_USUAL_MS;
    uint64_t most = s->retry_max_ms ? s->retry_max_ms : RETRY_MAX_USUAL_MS;
    if (most >= first)
        return;
    if (s->retry_first_ms && s->retry_max_ms)
        yaml_complain(yaml, yaml_get(node, "retry_max"), "retry_max is below retry_first; swap them");
    else if (s->retry_first_ms)
        yaml_complain(yaml, yaml_get(node, "retry_first"),
                      "retry_first is above retry_max, which is %d ms where it is not set; set it too", RETRY_MAX_USUAL_MS);
    else
        yaml_complain(yaml, yaml_get(node, "retry_max"),
                      "retry_max is below retry_first, which is %d ms where it is not set; set it too", RETRY_FIRST_USUAL_MS);
}

/* Every limit with its range; spans are in milliseconds. */
static void load_limits(struct yaml *yaml, yaml_node node, struct broker_settings *ret) {
    const struct {
        const char *key;
        uint64_t *at;
        bool span;
        int64_t min, max;
    } limits[] = {
        {"inquiries_max", &ret->inquiries_max, false, 1, 100000000},
        {"account_open_max", &ret->account_open_max, false, 1, 100000000},
        {"sessions_max", &ret->sessions_max, false, 1, 100000},
        {"window_max", &ret->window_max, false, 1, EST_WINDOW_MAX},
        {"attempts_max", &ret->attempts_max, false, 1, ATTEMPTS_CEILING},
        {"lease", &ret->lease_ms, true, 50, 24 * 3600 * 1000},
        {"heartbeat", &ret->heartbeat_ms, true, 20, 600 * 1000},
        {"retry_first", &ret->retry_first_ms, true, 1, 24 * 3600 * 1000},
        {"retry_max", &ret->retry_max_ms, true, 1, 24 * 3600 * 1000},
    };
    enum { COUNT = sizeof limits / sizeof limits[0] };
    const char *keys[COUNT + 1] = {NULL};
    for (int i = 0; i < COUNT; i++)
        keys[i] = limits[i].key;
    yaml_only(yaml, node, keys);
    for (int i = 0; i < COUNT; i++) {
        yaml_node limit = yaml_get(node, limits[i].key);
        if (!limit)
            continue;
        int64_t value =
            limits[i].span
                ? yaml_span(yaml, limit, (est_span){limits[i].min * EST_US_PER_MS}).us / EST_US_PER_MS
                : yaml_int(yaml, limit, limits[i].min, limits[i].max, limits[i].min);
        if (limits[i].span && (value < limits[i].min || value > limits[i].max))
            yaml_complain(yaml, limit, "`%s` must be from %lld ms to %lld ms", limits[i].key,
                          (long long)limits[i].min, (long long)limits[i].max);
        *limits[i].at = (uint64_t)value;
    }
    retries_check(yaml, node, ret);
}

void load_settings(struct loader *loader, struct yaml *yaml, yaml_node root, struct broker_settings *ret) {
    static const char *const keys[] = {"catalogue", "accounts", "store",  "index",
                                       "security",  "key",      "listen", "limits", NULL};
    yaml_only(yaml, root, keys);
    load_security(yaml, root, ret);
    load_store(loader, yaml, yaml_need(yaml, root, "store"), ret);
    load_index(loader, yaml, yaml_get(root, "index"), ret);
    load_listen(loader, yaml, yaml_need(yaml, root, "listen"), ret);
    load_limits(yaml, yaml_get(root, "limits"), ret);
}
