/* peer.h - one conversation with a broker: reach it in time, ask, wait for the answer.
 *
 * libestelam reconnects for ever; a command must not. A broker that cannot be reached for
 * --timeout seconds together ends the command.
 */
#ifndef PEER_H
#define PEER_H

#include "profile.h"

struct peer {
    est_client *client;
    int timeout_ms;
    bool connected;
    int64_t lost_at; /* moment_ticks() of the last moment with a session */
    uint64_t ref;    /* of the last ask */
    int last_code;   /* why there is no session, as far as known */
    char last_text[256];
    char where[512]; /* endpoints, for messages */
};

/* Connects as the section for `side` says and waits for the session. `results` as in est_options.
 * 0, or an exit status when it was told why not. peer_close in either case. */
int peer_open(const struct call *, const struct profile *, enum side, unsigned results, struct peer *ret);
void peer_close(struct peer *);

/* The next event that is not about the connection, or EST_EVENT_CONNECTED when a session began
 * anew. 1; 0 when `until` (moment_ticks) came first; or -EST_UNREACHABLE, or a code with which the
 * broker turned this account away for good. */
int peer_next(struct peer *, int64_t until, est_event *ret);
/* Says why there is no session; the exit status. `code` as peer_next gave it. */
int peer_say_lost(const struct peer *, int code);

/* Keeps the connection alive until `until`. 0, or an exit status when the broker was lost and that was told. */
int peer_pause(struct peer *, int64_t until);

/* A new `ref` for an ask. */
uint64_t peer_ref(struct peer *);
/* Waits for the answer to `ref`, of this kind. 0, or an exit status when it was told what went
 * wrong: refused, or nothing in time. `sent` is what est_client_… returned. */
int peer_answer(struct peer *, int sent, uint64_t ref, enum est_event_kind, est_event *ret);

#endif
