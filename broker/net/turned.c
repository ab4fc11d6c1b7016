/* turned.c - see turned.h. */
#include "turned.h"

#include <stdio.h>
#include <string.h>

enum { AGAIN_AFTER_S = 60 };

const char *address_plain(const char *address) {
    static const char mapped[] = "::ffff:";
    bool is_mapped = strncmp(address, mapped, sizeof mapped - 1) == 0 && strchr(address, '.') != NULL;
    return is_mapped ? address + sizeof mapped - 1 : address;
}

void turned_add(struct turned *t, const struct turned_row *row) {
    for (unsigned i = 0; i < t->count; i++)
        if (t->rows[i].why == row->why && t->rows[i].door == row->door && strcmp(t->rows[i].key, row->key) == 0)
            return;
    if (t->count == TURNED_ROWS)
        t->more++;
    else
        t->rows[t->count++] = *row;
}

static const char *door_name(enum door door) {
    static const char *const names[] = {
        [DOOR_REQUESTER] = "requesters'", [DOOR_DEPARTMENT] = "departments'", [DOOR_OPERATOR] = "operators'", [DOOR_ANY] = "wrong"};
    return names[door];
}

static void sentence(const struct turned_row *r, char ret[TURNED_SIZE]) {
    static const char *const why[] = {
        [TURNED_MALFORMED] = "without credentials that this broker knows",
        [TURNED_UNKNOWN] = "this key is not in accounts.yaml",
        [TURNED_NAME] = "it says that it is another account",
        [TURNED_REVOKED] = "this key is no longer in accounts.yaml",
        [TURNED_EARLY] = "this key is not valid yet, see its from: in accounts.yaml",
        [TURNED_LATE] = "this key has ended, see its until: in accounts.yaml",
        [TURNED_DOOR] = "not the door of its account's role, see listen: in broker.yaml",
        [TURNED_CRYPTO] = "its CURVE handshake failed, mostly because its server_key is not this broker's",
        [TURNED_MECHANISM] = "CURVE on one side only, see security: in broker.yaml and server_key at the far end",
    };
    snprintf(ret, TURNED_SIZE, "turned away at the %s door: %s%s%s%s%s: %s", door_name(r->door),
             r->account[0] != '\0' ? r->account : "a connection", r->address[0] != '\0' ? " from " : "", r->address,
             r->key[0] != '\0' ? ", key " : "", r->key, why[r->why]);
}

/* A minute begins with the first row. */
bool turned_next(struct turned *t, est_time now, char ret[TURNED_SIZE]) {
    for (unsigned i = 0; i < t->count; i++)
        if (!t->rows[i].told) {
            t->rows[i].told = true;
            sentence(&t->rows[i], ret);
            return true;
        }
    if (t->count == 0)
        t->since = now;
    if (now.us - t->since.us < AGAIN_AFTER_S * EST_US_PER_S)
        return false;
    uint64_t more = t->more;
    t->count = 0;
    t->more = 0;
    t->since = now;
    if (more > 0)
        snprintf(ret, TURNED_SIZE, "turned away at the doors: %llu more within a minute", (unsigned long long)more);
    return more > 0;
}
