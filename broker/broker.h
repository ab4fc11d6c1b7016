/* broker.h - the running broker: what the rooms of this folder share. No other ring sees it.
 *
 *   main.c       options, signals, the order of opening and closing
 *   loop.c       batch, commit once, then speak
 *   configure.c  the configuration comes into force, at the start and by a reload
 *   upkeep.c     what is looked at every second: keys, room, clock
 *   registry.c   names of the configuration <-> numbers of the record; type versions
 *   inputs.c     a command becomes an input of the core
 *   outputs.c    an effect of the core becomes an event in the store or a command to a peer
 *   queries.c    status, timeline, queues, agents, parked: reading only
 *   query_config.c  keys in force, and settings by name
 *   query_stats.c   counters, gauges and histograms by name
 *   machine.c    what this process takes of its machine
 *   index_ask.c  what the index answers: events, find, reindex, counters
 *   tracking.c   tracking codes
 *   log.c        lines for the journal
 *   fault.c      the last line of a broker whose store's pages lead nowhere; see fault.h
 */
#ifndef BROKER_H
#define BROKER_H

#include <catalogue.h>
#include <core.h>
#include <message.h>
#include <net.h>
#include <store.h>

#include "histogram.h"
#include "registry.h"
#include "tracking.h"

/* The most that one batch takes in before it commits. Fewer would pay for more commits; more lets
 * the far ends idle while the broker works, and the broker while they do. Measured with 1,000 in
 * flight, one requester and one agent on two cores: 80 to 90 thousand inquiries a second with no
 * bound on commands, 105 to 119 thousand with this one. The more peers a batch has heard the more it
 * takes, for what it says is spread over as many frames, and each costs both ends a few wake-ups: eight
 * requesters and eight agents, 1,000 in flight for each, got 142 to 171 thousand with 384 commands a batch
 * and 217 to 246 with 192 for each peer (rows in turn; 300 for each: no more). It ends at 4,096, for
 * whoever has just missed a batch waits for all of it, and 10,000 gave those eight a tenth less. Where the
 * disk is slow the bound grows with it, a command for each microsecond that the last write took, which is
 * about what a command costs: the batch grows and the rate falls less than the disk's does. */
enum {
    BATCH_COMMANDS = 384,       /* from one peer or two */
    BATCH_COMMANDS_EACH = 192,  /* for each that was heard */
    BATCH_COMMANDS_MOST = 4096, /* from however many */
    BATCH_FRAMES = 512,
    BATCH_BYTES = 8 * 1024 * 1024,
    ASKS_MAX = 4096,
};

struct broker {
    const char *config;              /* path of broker.yaml */
    struct catalogue *catalogue;     /* in force */
    struct catalogue *first;         /* that it was started with: what is read at start only is as that says */
    struct core_limits limits;
    struct store *store;
    char *store_folder;              /* where it was opened; NULL: unknown. A reload may name another */
    bool curve;                      /* the doors were opened with it */
    struct core *core;
    struct registry *registry;
    struct keyring keyring;
    struct net *net;
    struct effects effects;
    const struct event *appended;    /* the newest of the step under way */
    uint64_t types_seq;              /* of the newest TYPE_SET since the start */
    est_time now, started, configured;
    int signal_fd;                   /* signalfd */
    int wake_fd;                     /* what the loop waits for beside its doors: signals and the index's answers */
    struct index *index;             /* NULL: this broker has none */
    bool stopping;
    bool failed;                     /* the store refused: memory is ahead of disk, so stop */
    bool writing;                    /* the batch before this one is on its way to the disk, and nothing it did was told */
    uint64_t batch_appends, written_appends; /* events of the batch being made, and of that one */
    struct buffer acts, written_acts; /* of operators, for the log, in the same two batches; see act_note */
    unsigned batch_commands;         /* handled since the batch began */
    unsigned batch_peers;            /* that said something in it */
    int64_t commit_took_us;          /* the last write of a batch */
    unsigned gone_delayed;           /* batches since connections that ended were looked at */
    struct buffer body, rows;        /* scratch: a canonical body; rows or defects of an answer */
    struct defects defects;
    uint64_t facts[FACT_COUNT], refused[1000], commits, batches;
    struct histogram commit_us, batch_events; /* of the batches that wrote */
    int64_t ticks_us;                /* of a clock that nobody sets; so are the next, when each is due again */
    int64_t upkeep_us, tidy_us, full_told_us, clock_told_us;
    uint64_t full_told;              /* connections turned away that the log knows of */
    int64_t refusals_until_us;       /* of the second for which refusals are counted */
    unsigned refusals;
};

/* loop.c */
extern const struct ladder commit_ladder, batch_ladder;
est_time clock_now(void);
/* Runs until a signal or a failure. 0, or a negative code. */
int loop_run(struct broker *);

/* configure.c */
/* Brings a loaded configuration into force and keeps it. In a batch. 0 or a negative code. */
int broker_configure(struct broker *, struct catalogue *);
/* Reads broker.yaml again: all of it comes into force, or none of it and the log says why. In a batch. */
void broker_reload(struct broker *);

/* upkeep.c */
/* In every batch: what is due once a second, and the room after whatever was written. */
void upkeep(struct broker *);
/* A key that is revoked, outdated, or another account's by now dies on its open connections, also when its peer
 * says nothing. So does a session whose account has another department or level. */
void keys_enforce(struct broker *);

/* inputs.c: one frame of a peer, all its commands. */
void frame_handle(struct broker *, uint32_t peer, est_slice frame);
/* The peer is out: the core forgets its session, it is told why, its connection ends. */
void peer_end(struct broker *, uint32_t peer, int code, const char *text);
/* The same for a peer that breaks the protocol, and counted. */
void peer_malformed(struct broker *, uint32_t peer, const char *why);

/* outputs.c */
/* One input through the core, and everything that comes of it. */
void broker_step(struct broker *, const struct input *);
/* Answers RECORDED are gathered; this packs them. Before a peer is let go, and at the batch's end. */
void recorded_flush(struct broker *);
void send_error(struct broker *, uint32_t peer, struct error_is error, const char *detail);
void broker_fail(struct broker *, const char *doing);
/* "WHAT by ACCOUNT: REASON" in the broker's log, once the batch is on the disk: an act that a full disk undid did
 * not happen. */
void act_note(struct broker *, uint32_t peer, const char *what, est_slice reason);

/* queries.c, query_config.c, query_stats.c */
void query_status(struct broker *, uint32_t peer, const struct status *);
void query_timeline(struct broker *, uint32_t peer, const struct timeline *);
void query_queues(struct broker *, uint32_t peer, const struct page *);
void query_agents(struct broker *, uint32_t peer, const struct page *);
void query_parked(struct broker *, uint32_t peer, const struct page *);
void query_keys(struct broker *, uint32_t peer, const struct page *);
void query_config(struct broker *, uint32_t peer, uint64_t ref);
void query_stats(struct broker *, uint32_t peer, const struct stats *);
/* Finds the inquiry that a command names, if this peer may know of it. 0, -EST_NOT_FOUND, or -EST_NOT_ALLOWED: a
 * confidential one, for operators below the level administrator. */
int inquiry_of(struct broker *, uint32_t peer, const est_id *, uint64_t number, struct inquiry_row *ret);

/* The types whose inquiries this peer must not see, by number; NULL: it may see all. As registry_confidential. */
const bool *types_hidden(struct broker *, uint32_t peer);
/* Refuses what inquiry_of found to be confidential. */
void refuse_confidential(struct broker *, uint32_t peer, uint64_t ref);

/* index_ask.c */
/* Starts the thread; where that cannot be the broker goes on without search. */
void index_begin(struct broker *);
void index_end(struct broker *);
/* EVENTS, FIND, REINDEX or COUNTERS; answers it now or, with the same ref, later. */
void index_ask(struct broker *, uint32_t peer, const struct message *);
/* Answers that have come since: to whoever is still there. */
void index_answers(struct broker *);
/* Rows of STATS, packed into b->rows; how many. */
size_t index_stats(struct broker *);

static inline void tracking_code(const struct broker *b, uint64_t number, char ret[EST_TRACKING_MAX + 1]) {
    tracking_write(store_secret(b->store), number, ret);
}

/* log.c: levels are syslog's: 3 error, 4 warning, 5 notice, 6 information. */
void log_line(int level, const char *format, ...) __attribute__((format(printf, 2, 3)));


#endif
