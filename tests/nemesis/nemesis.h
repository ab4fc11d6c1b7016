/* nemesis.h - what a round is made of, and who does what in it.
 *
 *   main.c    the command line; rounds, one after the other; the summary
 *   cast.c    the town, its broker and the client processes: started, killed, stopped, followed
 *   chaos.c   the cycles: faults by the dice, each cycle ended by kill -9 of the broker
 *   settle.c  all faults over: until nothing is open; then the witness, the store check, the checker
 *   proxy.c   the network          skew.c   the broker's clock          board.c   a page for all
 *
 * The harness of the system tests is the library underneath: its town, its children, its waits,
 * which fail the run as they fail a test.
 */
#ifndef NEMESIS_H
#define NEMESIS_H

#include "../system/harness.h"

#include "board.h"
#include "part.h"
#include "proxy.h"

enum { CAST_MAX = 8, LATER_MAX = 16, FOLDER_SIZE = 64, FIGURES_MAX = 48 };

struct plan {
    unsigned cycles, round;
    int64_t minutes, seconds;
    uint64_t seed;
    bool keep;
};

/* Every fault, what the summary calls it, and how often in a thousand cycles the dice give it. */
#define FAULTS(X)                                                                                            \
    X(KILL_BROKER, "broker killed", 1000)                                                                    \
    X(KILL_AGENT, "agent killed", 140)                                                                       \
    X(KILL_REQUESTER, "requester killed", 140)                                                               \
    X(STOP_BROKER, "broker stopped and continued", 120)                                                      \
    X(STOP_AGENT, "agent stopped and continued", 140)                                                        \
    X(STOP_REQUESTER, "requester stopped and continued", 100)                                                \
    X(NET_DELAY, "bytes delayed", 100)                                                                       \
    X(NET_CUT, "connection cut amid its bytes", 120)                                                         \
    X(NET_RESET, "connection reset", 80)                                                                     \
    X(NET_HOLE, "connection through which nothing came for a while", 60)                                     \
    X(CLOCK_AHEAD, "broker's clock set ahead, and seen so", 80)                                              \
    X(CLOCK_BACK, "broker's clock set back, and seen so", 80)

enum fault {
#define FAULT_ENUM(name, text, chance) FAULT_##name,
    FAULTS(FAULT_ENUM)
#undef FAULT_ENUM
        FAULT_COUNT,
};

/* A client's role; one process at a time, each with a name and a history of its own. */
struct player {
    const char *role, *base, *account;
    unsigned door;
    struct child *child;
    unsigned life;
    char name[32], previous[32];
    bool stopped;
};

/* Something that ends at a moment: a process goes on. */
struct later {
    int64_t at;
    struct player *player; /* NULL: the broker */
    unsigned life;
};

struct figure {
    char name[48];
    uint64_t value;
};

struct nemesis {
    struct plan plan;
    uint64_t seed, dice;
    char folder[FOLDER_SIZE];
    struct town *town;
    struct proxy *proxy;
    struct board *board;
    struct player cast[CAST_MAX];
    size_t cast_count;
    struct later later[LATER_MAX];
    size_t later_count;
    bool skews, broker_stopped, settled;
    unsigned broker_life;
    int64_t clock_ahead_us, clock_before_us;
    int clock_waits; /* -1, 1: set back or ahead, and no receipt has shown it yet */
    int history;
    uint64_t happened[FAULT_COUNT];
    struct figure figures[FIGURES_MAX];
    size_t figures_count;
};

/* --- cast.c */
void cast_begin(struct nemesis *); /* a fresh town, folder, proxy; everybody starts */
void cast_end(struct nemesis *);   /* removes it all; the folder stays where the plan says so */
void broker_kill(struct nemesis *);
void broker_start(struct nemesis *);
void player_start(struct nemesis *, struct player *);
void player_kill(struct nemesis *, struct player *);
void player_stop_for(struct nemesis *, struct player *, int ms); /* NULL: the broker */
/* Lets those go on whose time has come; all of them where `now` is INT64_MAX. */
void later_run(struct nemesis *, int64_t now);
void players_end(struct nemesis *); /* SIGTERM, in peace */
/* A line in the nemesis's own history, for the stories. */
void chronicle(struct nemesis *, const char *what, const char *fields, ...)
    __attribute__((format(printf, 3, 4)));

/* --- chaos.c */
void cycle_run(struct nemesis *, unsigned number, bool second_half);

void clock_set(struct nemesis *, int64_t ahead_us); /* the broker's */

/* --- settle.c */
void settle(struct nemesis *);
void judge(struct nemesis *);
uint64_t figure(const struct nemesis *, const char *name);

#endif
