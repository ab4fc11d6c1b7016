/* query_config.c - how the running broker is configured: its keys, and its settings by name.
 *
 * An operator sees what is in force, which may differ from what the files say by now. Never a
 * secret: of keys only the first characters of the public ones.
 */
#include "queries.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* --- Keys ------------------------------------------------------------------------------------------ */

/* By handle; NULL without memory. */
static uint32_t *sessions_by_key(const struct broker *b) {
    uint32_t *counts = calloc((size_t)b->keyring.count + 1, sizeof *counts);
    for (uint32_t peer = 0; counts != NULL && peer < b->limits.sessions_max; peer++) {
        const struct peer *p = net_peer(b->net, peer);
        if (p->live && p->session && p->key < b->keyring.count)
            counts[p->key]++;
    }
    return counts;
}

static const char *role_name(enum role role) {
    switch (role) {
    case ROLE_REQUESTER:
        return "requester";
    case ROLE_DEPARTMENT:
        return "department";
    case ROLE_OPERATOR:
        return "operator";
    }
    return "";
}

/* False where the key is none of the configuration's, or of another department. */
static bool key_add(struct broker *b, const struct ring_key *key, uint32_t department, uint32_t sessions) {
    struct account_view account;
    core_account(b->core, key->account, &account);
    if (!key->live || (department != 0 && account.department != department))
        return false;
    struct key_row row = {.account = slice_of(key->name),
                          .role = slice_of(role_name(key->role)),
                          .level = account.level,
                          .department = registry_name(b->registry, THING_DEPARTMENT, account.department),
                          .key = {key->text, KEY_SHOWN},
                          .from_us = (uint64_t)key->from.us,
                          .until_us = (uint64_t)key->until.us,
                          .sessions = sessions};
    key_row_pack(&b->rows, &row);
    return true;
}

void query_keys(struct broker *b, uint32_t peer, const struct page *ask) {
    uint32_t department;
    if (!page_department(b, peer, ask, &department))
        return;
    uint32_t *sessions = sessions_by_key(b);
    if (sessions == NULL) {
        send_error(b, peer, (struct error_is){.ref = ask->ref, .code = EST_BUSY}, "no memory for the list");
        return;
    }
    size_t rows = 0;
    uint64_t at = ask->after;
    buffer_clear(&b->rows);
    for (; at < b->keyring.count && rows < page_limit(ask); at++)
        rows += key_add(b, &b->keyring.keys[at], department, sessions[at]);
    page_reply(b, peer, VERB_KEYS_IS, ask->ref, rows, at < b->keyring.count ? at : 0);
    free(sessions);
}

/* --- Settings -------------------------------------------------------------------------------------- */

static size_t text_add(struct broker *b, const char *name, const char *value) {
    struct config_row row = {slice_of(name), slice_of(value != NULL ? value : "")};
    if (row.value.size > EST_TEXT_MAX)
        row.value.size = 0; /* a path beyond what a row may hold; its name still says that there is one */
    config_row_pack(&b->rows, &row);
    return 1;
}

/* Paths in files are relative to them; an operator elsewhere wants to know which they are. */
static size_t path_add(struct broker *b, const char *name, const char *path) {
    char *whole = path != NULL ? realpath(path, NULL) : NULL;
    text_add(b, name, whole != NULL ? whole : path);
    free(whole);
    return 1;
}

static size_t number_add(struct broker *b, const char *name, uint64_t value) {
    char text[24];
    snprintf(text, sizeof text, "%" PRIu64, value);
    return text_add(b, name, text);
}

static size_t time_add(struct broker *b, const char *name, est_time at) {
    char text[40];
    time_t seconds = (time_t)(at.us / EST_US_PER_S);
    struct tm parts;
    gmtime_r(&seconds, &parts);
    size_t size = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
    snprintf(text + size, sizeof text - size, ".%06dZ", (int)(at.us % EST_US_PER_S));
    return text_add(b, name, text);
}

static size_t program_add(struct broker *b) {
    struct store_head head;
    store_head(b->store, &head);
    size_t rows = text_add(b, "version", ESTELAM_VERSION);
    rows += number_add(b, "protocol", PROTOCOL_VERSION);
    rows += number_add(b, "protocol_revision", PROTOCOL_REVISION);
    rows += time_add(b, "started_at", b->started);
    rows += time_add(b, "configured_at", b->configured);
    rows += number_add(b, "generation", head.generation);
    return rows;
}

static size_t city_add(struct broker *b) {
    const struct catalogue *c = b->catalogue;
    size_t rows = text_add(b, "city", c->city.name);
    rows += text_add(b, "city_title_fa", c->city.title_fa);
    rows += text_add(b, "city_title_en", c->city.title_en);
    rows += path_add(b, "configuration", b->config);
    rows += number_add(b, "departments", c->departments_count);
    rows += number_add(b, "types", c->types_count);
    rows += number_add(b, "accounts", c->accounts_count);
    rows += number_add(b, "purposes", c->city.purposes_count);
    rows += number_add(b, "districts_last", c->city.districts_last);
    return rows;
}

static size_t doors_add(struct broker *b) {
    size_t rows = text_add(b, "endpoint_requesters", net_endpoint(b->net, DOOR_REQUESTER));
    rows += text_add(b, "endpoint_departments", net_endpoint(b->net, DOOR_DEPARTMENT));
    rows += text_add(b, "endpoint_operators", net_endpoint(b->net, DOOR_OPERATOR));
    rows += text_add(b, "security", b->curve ? "curve" : "plain");
    return rows;
}

static size_t store_add(struct broker *b) {
    struct store_sizes sizes;
    store_sizes(b->store, &sizes);
    size_t rows = text_add(b, "store", b->store_folder);
    rows += number_add(b, "store_used_bytes", sizes.used);
    rows += number_add(b, "store_size_max_bytes", sizes.size_max);
    return rows;
}

/* As they are in force: settings that only a restart changes are not those of a newer file. */
static size_t limits_add(struct broker *b) {
    const struct core_limits *l = &b->limits;
    const struct { const char *name; uint64_t value; } rows[] = {
        {"inquiries_max", l->inquiries_max},
        {"account_open_max", l->account_open_max},
        {"sessions_max", l->sessions_max},
        {"window_max", l->window_max},
        {"attempts_max", l->attempts_max},
        {"lease_ms", (uint64_t)(l->lease.us / EST_US_PER_MS)},
        {"heartbeat_ms", (uint64_t)(l->heartbeat.us / EST_US_PER_MS)},
        {"retry_first_ms", (uint64_t)(l->retry_first.us / EST_US_PER_MS)},
        {"retry_max_ms", (uint64_t)(l->retry_max.us / EST_US_PER_MS)},
        {"asks_max", ASKS_MAX},
        {"frame_max", EST_FRAME_MAX},
        {"body_max", EST_BODY_MAX},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        number_add(b, rows[i].name, rows[i].value);
    return sizeof rows / sizeof *rows;
}

void query_config(struct broker *b, uint32_t peer, uint64_t ref) {
    buffer_clear(&b->rows);
    size_t rows = program_add(b);
    rows += city_add(b);
    rows += doors_add(b);
    rows += store_add(b);
    rows += limits_add(b);
    page_reply(b, peer, VERB_CONFIG_IS, ref, rows, 0);
}
