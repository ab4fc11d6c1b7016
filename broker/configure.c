/* configure.c - the configuration in force: at the start, and anew at each SIGHUP, as a whole or not at all.
 *
 * Endpoints, limits, security and key, and the places of store and index are read at start only.
 */
#include "broker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void step_arg(void *arg, const struct input *in) {
    broker_step(arg, in);
}

/* A key that the ring knows keeps its handle; only others need room. */
static int keys_reserve(struct broker *b, const struct catalogue *c) {
    size_t more = 0;
    for (size_t i = 0; i < c->accounts_count; i++)
        for (size_t k = 0; k < c->accounts[i].keys_count; k++)
            more += keyring_find(&b->keyring, c->accounts[i].keys[k].public_key) == KEY_NONE;
    return keyring_reserve(&b->keyring, more);
}

static void keys_load(struct broker *b, const struct catalogue *c) {
    keyring_begin(&b->keyring);
    for (size_t i = 0; i < c->accounts_count; i++) {
        const struct account *a = &c->accounts[i];
        uint32_t number = registry_number(b->registry, THING_ACCOUNT, slice_of(a->name));
        for (size_t k = 0; k < a->keys_count; k++)
            (void)keyring_add(&b->keyring, &a->keys[k], number, a->name, a->role); /* the room is reserved */
    }
}

static void configure_complain(const struct broker *b, int error, bool keys) {
    if (error == -EST_NO_MEMORY)
        log_line(3, "%s: out of memory", b->config);
    else if (keys)
        log_line(3, "%s: more than %d different keys since the broker started; a restart forgets those that are no longer used",
                 b->config, KEYS_MAX);
    else
        log_line(3, "%s: a store has room for %d departments, %d types, %d accounts and %d purposes, those no longer named "
                    "included, and this would be more", b->config, DEPARTMENTS_EVER, TYPES_EVER, ACCOUNTS_EVER, PURPOSES_MAX);
}

int broker_configure(struct broker *b, struct catalogue *c) {
    int keys = keys_reserve(b, c);
    int error = keys < 0 ? keys : registry_sync(b->registry, b->core, c, step_arg, b);
    if (error < 0) {
        configure_complain(b, error, keys < 0);
        return error;
    }
    keys_load(b, c);
    if (b->catalogue != b->first)
        catalogue_free(&b->catalogue);
    if (b->first == NULL)
        b->first = c;
    b->catalogue = c;
    b->configured = b->now;
    return 0;
}

/* --- Reload ---------------------------------------------------------------------------------------- */

static bool listeners_are_alike(const struct broker_settings *a, const struct broker_settings *b) {
    return strcmp(a->requesters.endpoint, b->requesters.endpoint) == 0 &&
           strcmp(a->departments.endpoint, b->departments.endpoint) == 0 &&
           strcmp(a->operators.endpoint, b->operators.endpoint) == 0;
}

static bool limits_are_alike(const struct broker_settings *a, const struct broker_settings *b) {
    return a->inquiries_max == b->inquiries_max && a->account_open_max == b->account_open_max &&
           a->sessions_max == b->sessions_max && a->window_max == b->window_max && a->attempts_max == b->attempts_max &&
           a->lease_ms == b->lease_ms && a->heartbeat_ms == b->heartbeat_ms && a->retry_first_ms == b->retry_first_ms &&
           a->retry_max_ms == b->retry_max_ms;
}

static bool paths_are_alike(const char *a, const char *b) {
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* Whoever reads "reloaded" at night takes it for done. */
static void restart_tell(const struct broker *b) {
    const struct broker_settings *was = &b->first->broker, *is = &b->catalogue->broker;
    const struct { const char *name; bool is_alike; } all[] = {
        {"listen", listeners_are_alike(was, is)},
        {"limits", limits_are_alike(was, is)},
        {"store", paths_are_alike(was->store, is->store) && was->store_size_max == is->store_size_max},
        {"index", paths_are_alike(was->index, is->index)},
        {"security", was->curve == is->curve},
        {"key", memcmp(was->secret_key, is->secret_key, sizeof was->secret_key) == 0},
    };
    char names[64] = "";
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (!all[i].is_alike)
            snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s", names[0] ? ", " : "", all[i].name);
    if (names[0])
        log_line(4, "%s: what changed in %s is read at start only: it waits for a restart", b->config, names);
}

void broker_reload(struct broker *b) {
    struct catalogue *c;
    struct complaints *complaints = calloc(1, sizeof *complaints);
    if (complaints == NULL)
        return;
    if (catalogue_load(b->config, &c, complaints) < 0) {
        for (size_t i = 0; i < complaints->kept; i++)
            log_line(3, "%s: %s", complaints->at[i].where, complaints->at[i].text);
        log_line(3, "reload refused: %zu complaint%s; the configuration in force stays", complaints->count,
                 complaints->count == 1 ? "" : "s");
    } else if (broker_configure(b, c) == 0) {
        keys_enforce(b);
        log_line(5, "reloaded %s: %zu types, %zu accounts", b->config, c->types_count, c->accounts_count);
        restart_tell(b);
    } else {
        log_line(3, "reload refused; the configuration in force stays");
        catalogue_free(&c);
    }
    free(complaints);
}
