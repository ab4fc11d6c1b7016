/* system.h - what the bench asks of a system that it measures, ours and every other.
 *
 * All do the same job: a requester's inquiry is on disk before it is acknowledged to it, an agent
 * answers, the answer is on disk before the requester has it, both sides acknowledge. Where a
 * system cannot promise one of these, `durable` says so below the table.
 */
#ifndef SYSTEM_H
#define SYSTEM_H

#include "player.h"

/* A server's own sums since it began; COUNTER_UNKNOWN where it does not tell. */
#define COUNTER_UNKNOWN UINT64_MAX
struct counters {
    uint64_t commits, open, unacknowledged, submitted, again, answered;
};

struct system {
    const char *name, *durable;
    bool ours;
    bool curve;    /* it can be had with CURVE */
    bool limit;    /* no peer but a limit: of the wire or of the disk */
    bool unsynced; /* it acknowledges what a power cut may take: no durable peer, and marked in the plot */
    bool alone;    /* no server and no agent: what the requester's process uses counts as the server's */
    bool batches;  /* `count` tells commits, and may be asked while it is measured */
    const unsigned *windows; /* 0-ended; NULL: those asked for */

    /* NULL, or: may it be run here? */
    bool (*is_there)(void);
    /* Starts the server and waits until it serves. 0, or a negative code after a line that says why. */
    int (*open)(struct stage *);
    /* NULL, or: frees what `open` made, before the server is ended. */
    void (*close)(struct stage *);
    /* NULL, or: a connection that is needed once the players have theirs. */
    int (*connect)(struct stage *);
    /* NULL, or: lets about so much time pass, at most 100 ms. */
    void (*pass)(struct stage *, int ms);
    /* NULL, or: asks the server for its own counts. */
    int (*count)(struct stage *, struct counters *ret);
    /* Each is the whole life of a process: its exit status. */
    int (*requester)(const struct part *);
    int (*agent)(const struct part *);
};

/* All that this build knows, ours first; NULL-ended. */
extern const struct system *const systems[];

#endif
