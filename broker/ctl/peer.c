/* peer.c - see peer.h. */
#include "peer.h"
#include "catalogue.h"
#include "say.h"
#include "moment.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

struct keys {
    char public_key[41], secret_key[41];
};

static bool bytes_are_zero(const uint8_t *bytes, size_t size) {
    for (size_t i = 0; i < size; i++)
        if (bytes[i])
            return false;
    return true;
}

static int keys_load(const struct profile *profile, const struct section *section, struct keys *ret) {
    uint8_t public_key[32] = {0}, secret_key[32] = {0};
    const char *why = NULL;
    if (!section->key && !profile->server_key)
        return 0;
    if (!section->key)
        why = "the section names no key file, and the profile has a server_key, which means CURVE";
    else if (key_file_load(section->key, public_key, secret_key, &why) == 0)
        why = NULL;
    else if (!why)
        why = "it cannot be read";
    if (!why && profile->server_key && bytes_are_zero(secret_key, sizeof secret_key))
        why = "it holds no secret key";
    if (why) {
        say_error(EST_INPUT, section->key ? NULL : "make a key with `estelam key new --out FILE` and name it in the profile",
                  "%s: key %s: %s", profile->path, section->key ? section->key : "of the account", why);
        return EXIT_USAGE;
    }
    zmq_z85_encode(ret->public_key, public_key, sizeof public_key);
    zmq_z85_encode(ret->secret_key, secret_key, sizeof secret_key);
    explicit_bzero(secret_key, sizeof secret_key);
    return 0;
}

static void where_set(struct peer *peer, const struct section *section) {
    size_t used = 0;
    for (size_t i = 0; i < EST_ENDPOINTS_MAX && section->endpoints[i] && used < sizeof peer->where; i++)
        used += (size_t)snprintf(peer->where + used, sizeof peer->where - used, "%s%s", i ? ", " : "",
                                 section->endpoints[i]);
}

static int client_open(const struct profile *profile, const struct section *section, unsigned results,
                       est_client **ret) {
    struct keys keys = {0};
    int status = keys_load(profile, section, &keys);
    if (status)
        return status;
    est_options options = {
        .server_key = profile->server_key,
        .public_key = section->key ? keys.public_key : NULL,
        .secret_key = section->key && profile->server_key ? keys.secret_key : NULL,
        .account = section->account,
        .software = "estelam " ESTELAM_VERSION,
        .results = results,
    };
    memcpy(options.endpoints, section->endpoints, sizeof options.endpoints);
    int code = est_client_open(&options, ret);
    explicit_bzero(&keys, sizeof keys);
    if (code) {
        say_error(code, NULL, "%s: the connection cannot be set up with these endpoints and keys",
                  profile->path);
        return exit_of_code(code);
    }
    return 0;
}

int peer_open(const struct call *call, const struct profile *profile, enum side side, unsigned results,
              struct peer *ret) {
    const struct section *section = profile_section(profile, side);
    memset(ret, 0, sizeof *ret);
    ret->timeout_ms = call_timeout(call);
    where_set(ret, section);
    int status = client_open(profile, section, results, &ret->client);
    if (status)
        return status;
    ret->lost_at = moment_ticks();
    est_event event;
    while (!ret->connected) {
        int got = peer_next(ret, INT64_MAX, &event);
        if (got < 0)
            return peer_say_lost(ret, got);
    }
    return 0;
}

void peer_close(struct peer *peer) {
    est_client_close(&peer->client);
}

/* Trying again would only be turned away again. */
static bool code_is_final(int code) {
    return code == EST_VERSION_UNSUPPORTED || code == EST_NOT_ALLOWED || code == EST_KEY_REVOKED ||
           code == EST_WRONG_DOOR || code == EST_INPUT; /* another account's key */
}

static void peer_lost(struct peer *peer, const est_event *event) {
    if (peer->connected)
        peer->lost_at = moment_ticks();
    peer->connected = false;
    peer->last_code = event->code;
    snprintf(peer->last_text, sizeof peer->last_text, "%.*s", (int)event->text.size,
             event->text.size ? (const char *)event->text.data : "");
}

int peer_next(struct peer *peer, int64_t until, est_event *ret) {
    for (;;) {
        int64_t now = moment_ticks();
        int64_t lost = peer->lost_at + peer->timeout_ms;
        int64_t limit = !peer->connected && lost < until ? lost : until;
        int64_t wait = limit > now ? limit - now : 0;
        int got = est_client_poll(peer->client, (int)(wait > 1000 ? 1000 : wait), ret);
        if (got > 0 && ret->kind == EST_EVENT_DISCONNECTED) {
            peer_lost(peer, ret);
            if (code_is_final(peer->last_code))
                return -peer->last_code;
        } else if (got > 0) {
            peer->connected = peer->connected || ret->kind == EST_EVENT_CONNECTED;
            return 1;
        } else if (moment_ticks() >= limit) {
            return limit == until ? 0 : -EST_UNREACHABLE;
        }
    }
}

int peer_say_lost(const struct peer *peer, int code) {
    const char *text = peer->last_text[0] ? peer->last_text : est_code_text(peer->last_code);
    if (code_is_final(abs(code)))
        say_error(code,
                  code == -EST_VERSION_UNSUPPORTED ? NULL : "check the profile's account, key and endpoints",
                  "%s", text);
    else if (peer->last_code)
        say_error(EST_UNREACHABLE, NULL, "no session with %s within %d s: %s", peer->where,
                  peer->timeout_ms / 1000, text);
    else
        say_error(EST_UNREACHABLE, NULL, "no session with %s within %d s", peer->where,
                  peer->timeout_ms / 1000);
    return exit_of_code(code);
}

int peer_pause(struct peer *peer, int64_t until) {
    est_event event;
    int got;
    while ((got = peer_next(peer, until, &event)) > 0)
        continue;
    return got < 0 ? peer_say_lost(peer, got) : 0;
}

uint64_t peer_ref(struct peer *peer) {
    return ++peer->ref;
}

int peer_answer(struct peer *peer, int sent, uint64_t ref, enum est_event_kind kind, est_event *ret) {
    if (sent) {
        say_error(sent, NULL, "the request could not be sent: %s", est_code_text(sent));
        return exit_of_code(sent);
    }
    int64_t until = moment_ticks() + peer->timeout_ms;
    for (;;) {
        int got = peer_next(peer, until, ret);
        if (got < 0)
            return peer_say_lost(peer, got);
        if (got == 0) {
            say_error(EST_TIMEOUT, NULL, "%s said nothing within %d s", peer->where, peer->timeout_ms / 1000);
            return EXIT_UNREACHABLE;
        }
        if (ret->ref != ref)
            continue;
        if (ret->kind == EST_EVENT_REFUSED)
            return say_refused(ret);
        if (ret->kind == kind)
            return 0;
    }
}
