/* bench.h - what the rooms of the bench share: what is to be measured, and what came of it.
 *
 *   main.c       options; one round for each combination of system, players, body, CURVE and window
 *   round.c      one round: a fresh server, the players, two samples and a verdict
 *   system.h     what the bench asks of a system: open a server, play requester, play agent
 *   stage.c      a private folder, and a server in it that is ended by its process id
 *   process.c    what a process and its children have used
 *   flights.c    the W inquiries in flight of a requester, and latencies
 *   player.c     what requesters and agents are: a signal to begin, a score
 *   report.c     the table; rows_json.c, bench.json; plot.c, the same as bars
 *   ratios.c     what is to be reached against the others, and whether it was
 *   histogram.c  latencies in a fixed table
 *
 *   estelam.c    our own broker as a system; city.c its made-up city, requester.c and agent.c its
 *                players. These use the session and the link of libestelam in one thread each,
 *                without the thread hand-off of est_agent_run: the bench measures the broker, not
 *                its own far ends.
 *   peers/       everything else: the systems that a city would otherwise pick, each as its own
 *                users write it for speed, and the limits of wire and disk
 */
#ifndef BENCH_H
#define BENCH_H

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>

#include <estelam/types.h>

#include "histogram.h"

enum {
    PLAYERS_MAX = 64,   /* of each kind */
    CROWD_MAX = 16,     /* processes of others */
    WINDOWS_MAX = 16,   /* rows asked for with --window */
    WINDOW_MAX = 65536, /* what a session keeps */
    BENCH_BODY_MIN = 64,
    BENCH_BODY_MAX = 60000,
    DISTRICTS = 22,
    WARM_UP_MS = 500,   /* not counted */
    CONNECT_MS = 20000, /* given to broker and players to be ready */
    DRAIN_MS = 60000,   /* given to what is in flight to come back */
    ACKED_MS = 5000,   /* given to a server to count the last acknowledgements */
    DRAIN_EACH_US = 50, /* more for each that was in the store before */
};

struct system;
struct part;

/* Others who are connected to Estelam while a round is played: processes that begin before the players
 * and are ended after the requesters. Their inquiries are counted apart. */
struct crowd {
    unsigned processes;
    int (*play)(const struct part *);
};

/* What one round measures. */
struct plan {
    const struct system *system;
    const char *broker, *directory;
    double seconds;
    bool curve;
    bool awake; /* the machine's processors do not halt meanwhile; see probe.h */
    unsigned window, body, requesters, agents;

    /* Of Estelam alone, for what happens as work grows; zero in every other round. */
    unsigned types;            /* of the first department, each in 22 districts; 0: one */
    const char *store;         /* a folder that outlives the round; NULL: a new one, in the stage */
    unsigned depth;            /* open inquiries of the first requester that are in it */
    unsigned sync_ms;          /* what each sync of the disk takes longer */
    const struct crowd *crowd; /* who else is connected; NULL: nobody */
};

static inline unsigned plan_types(const struct plan *plan) {
    return plan->types > 0 ? plan->types : 1;
}

/* What one round found: over the measured time, but for the counts, which are of all inquiries. */
struct figures {
    double per_s, cpu_server_s, cpu_requesters_s, cpu_agents_s; /* CPU: seconds per 100,000 inquiries */
    double written, batch; /* bytes per inquiry; inquiries per commit, 0 where the system does not tell */
    uint64_t p50_us, p99_us, p999_us;
    uint64_t submitted;

    uint64_t sync_us;  /* of a synced write, just before; see probe.h */
    double serving_s;  /* from the server's start to its open doors; Estelam alone */
    double draining_s; /* from the end of the measured time until all that was open had come back */
    double commits_per_s;
    uint64_t anonymous; /* bytes of the server's own memory before anybody connected */
};

/* One process's counts, in memory that it shares with round.c. Players write, round.c reads them
 * when the player has gone. */
struct score {
    uint64_t submitted, accepted, answered, doubled, refused; /* requesters */
    uint64_t offered, recorded, lost;                         /* agents */
    bool stopped;                                             /* the crowd's: it cannot leave by itself */
    struct histogram latency;                                 /* of the measured time */
    char trouble[256];                                        /* the first thing that went wrong */
};

/* What the players are told; all of it is written before the signal to begin. */
struct board {
    int64_t from_us, until_us, drain_us; /* measured time; the end of all patience (bench_now_us) */
    struct score requesters[PLAYERS_MAX], agents[PLAYERS_MAX], crowd[CROWD_MAX];
};

/* Set by SIGINT and SIGTERM: leave, but clean up. */
extern volatile sig_atomic_t bench_stopped;
/* Microseconds of CLOCK_MONOTONIC, as link_now. */
int64_t bench_now_us(void);
/* A line on standard error. */
void bench_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* 0, or a negative code after a line that says why. Doubled or lost inquiries are -EST_CONFLICT. */
int round_run(const struct plan *, struct figures *ret);

/* What a scenario found beside the figures: a field of its own in bench.json. */
struct remark {
    const char *name;
    double value;
};
enum { REMARKS_MAX = 8 };

/* One round that was run. */
struct row {
    struct plan plan;
    struct figures figures;
    const char *scenario; /* NULL: a row of the comparison */
    char at[48];          /* which case of the scenario, in words */
    struct remark remarks[REMARKS_MAX];
    size_t remarks_count;
};

void report_head(void);
void report_row(const struct row *);
/* When each of these systems has an inquiry on disk. */
void report_foot(const struct system *const *, size_t count);
/* All rows as one JSON array; and that into a file: 0 or -EST_IO. */
void rows_json(FILE *, const struct row *, size_t count);
int report_json(const char *path, const struct row *, size_t count);
/* Throughput and latency as bars, a panel for each job. 0 or -EST_IO. */
int plot_svg(const char *path, const struct row *, size_t count);

#endif
