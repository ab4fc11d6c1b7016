/* leases.h - the inquiries an agent's session holds, and its answers not yet recorded.
 *
 *   ASSIGN --> HELD -- answered --> READY -- into a frame --> SENT -- RECORDED, ERROR or REVOKE --> free
 *               |                     ^                        |
 *               | revoked, not        +----- disconnected -----+   (once; then it is dropped)
 *               | renewed, or disconnected
 *               v
 *             LOST -- told --> free
 *
 * A lease is known by number AND epoch: the same inquiry may be held anew while the work of an
 * older epoch still runs.
 */
#ifndef LEASES_H
#define LEASES_H

#include "message.h"
#include "slots.h"

enum lease_state { LEASE_FREE, LEASE_HELD, LEASE_READY, LEASE_SENT, LEASE_LOST, LEASE_STATES };

struct lease {
    enum lease_state state;
    uint64_t number, epoch;
    est_time until; /* by our clock, from when the grant or renewal arrived */
    est_span term;
    bool asked; /* RENEW was sent and nothing came yet */
    bool old;   /* of a session before this one */
    int code;   /* LOST: why */
    void *work; /* the program's */
    struct buffer answer;
};

struct leases {
    uint32_t capacity, used;
    struct lease *at;
    struct slot_link *links;
    struct chain chains[LEASE_STATES];
    struct index by_number;
};

int leases_init(struct leases *, uint32_t capacity); /* 0 or -EST_NO_MEMORY */
void leases_done(struct leases *);

/* A held lease; SLOT_NONE when all slots are taken. */
uint32_t lease_new(struct leases *, uint64_t number, uint64_t epoch, est_time until, est_span term);
uint32_t lease_find(const struct leases *, uint64_t number, uint64_t epoch); /* not LOST; or SLOT_NONE */
void lease_move(struct leases *, uint32_t slot, enum lease_state to);
void lease_lose(struct leases *, uint32_t slot, int code);
void lease_free(struct leases *, uint32_t slot);

/* The connection is gone: what was held is lost, answers wait to be sent once more. */
void leases_requeue(struct leases *, int code);
/* Loses what was held beyond its time. When the next one ends; {INT64_MAX}: none. */
est_time leases_expire(struct leases *, est_time now);
/* After every RENEW has had its RENEWED: what was asked for and not named is over. */
void leases_settle(struct leases *);

#endif
