/* sim.h - one simulated city: what its parts share.
 *
 * The broker is the real one: core, loop.c, inputs.c, outputs.c, queries.c, registry.c and the
 * opening and recovery of main.c, linked against a store (disk.c) and a net (wire.c) of ours that
 * keep the promises of store.h and net.h and break where a plan of faults says so. The far ends are
 * the real session engine driven by programs of ours. Frames are real frames.
 *
 *       requester.c  agent.c  operator.c  rogue.c          what people and machines do
 *            |          |         |          |
 *       farend.c: session engine, reconnecting             |
 *            +----------+---------+----------+
 *                       wire.c: net.h, connections, delays, losses
 *                       process.c: the broker, its starts and its deaths
 *                       disk.c: store.h, what is durable and what only seems so
 *       world.c: virtual time, who is next        faults.c: what breaks, and how often it did
 *       oracle.c: what must be true, remembered apart from the broker;  invariants.c: the sentences
 *
 * Only one city lives at a time, so its state is one variable. Everything that is drawn comes from
 * the seed: the same plan gives the same run, byte for byte.
 */
#ifndef SIM_H
#define SIM_H

#include <core.h>
#include <message.h>

#include <setjmp.h>

/* --- Chance -------------------------------------------------------------------------------------------- */

struct rng {
    uint64_t state;
};

static inline uint64_t rng_next(struct rng *r) { /* splitmix64 */
    uint64_t x = r->state += 0x9e3779b97f4a7c15ULL;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
    return x ^ x >> 31;
}
static inline uint64_t rng_below(struct rng *r, uint64_t bound) {
    return bound == 0 ? 0 : rng_next(r) % bound;
}
static inline int64_t rng_between(struct rng *r, int64_t low, int64_t high) {
    return low + (int64_t)rng_below(r, (uint64_t)(high - low + 1));
}
static inline bool rng_chance(struct rng *r, unsigned per_mille) {
    return rng_below(r, 1000) < per_mille;
}
static inline struct rng rng_from(uint64_t seed, uint64_t stream) {
    struct rng r = {seed * 0x9e3779b97f4a7c15ULL + stream * 0xd1b54a32d192ed03ULL};
    rng_next(&r);
    return r;
}

/* A fingerprint of bytes; of a body: the same for any order of its keys. */
uint64_t print_bytes(uint64_t print, est_slice bytes);
uint64_t print_body(est_slice body);

/* --- Faults: faults.c ---------------------------------------------------------------------------------- */

/* enum, name, mean ms between two (0: it comes where there is an opportunity), what it is */
#define FAULTS(X)                                                                                            \
    X(CUT, "cut", 12000, "a connection breaks, and both ends learn of it at different times")                \
    X(LOSS, "loss", 0, "frames on their way are lost with their connection")                                 \
    X(UNSEEN, "unseen-reconnect", 40000, "a connection is replaced and the far end does not notice")         \
    X(PARTITION, "partition", 30000, "some far ends cannot reach the broker for a while")                    \
    X(HEAL, "healed-in-disorder", 0, "a partition that began later ends earlier")                            \
    X(HIGH_WATER, "high-water", 0, "a peer reads too slowly: what it is sent is lost, and it with it")       \
    X(DELAY, "delay", 0, "a frame takes long")                                                               \
    X(DUPLICATE, "duplicate", 0, "the broker hears a submit that it has answered before")                    \
    X(GARBAGE, "garbage", 0, "a frame that is not of the protocol")                                          \
    X(COMMIT_FAILS, "commit-fails", 150000, "the disk refuses a commit")                                     \
    X(COMMIT_UNKNOWN, "commit-fails-late", 150000, "the disk reports a failure but has the batch")           \
    X(DISK_FULL, "disk-full", 150000, "no room for an event")                                                \
    X(NEARLY_FULL, "disk-nearly-full", 60000, "so little room that no new inquiry is taken")                 \
    X(SLOW, "disk-slow", 25000, "a commit takes seconds")                                                    \
    X(CRASH_BEFORE, "crash-before-commit", 120000, "the broker dies, the batch not committed")               \
    X(CRASH_AFTER, "crash-before-send", 120000, "the broker dies, the batch committed and nothing sent")     \
    X(CRASH_SENDING, "crash-while-sending", 120000, "the broker dies part-way through sending")              \
    X(CRASH_START, "crash-in-recovery", 0, "the broker dies in its first batch")                             \
    X(POWER, "power-cut", 0, "the broker's machine dies and nobody is told")                                 \
    X(STOP, "stop", 150000, "SIGTERM, and a new start")                                                      \
    X(RELOAD, "reload", 60000, "SIGHUP with other rights, keys and types")                                   \
    X(JUMP_AHEAD, "clock-ahead", 80000, "the broker's clock jumps forward")                                  \
    X(JUMP_BACK, "clock-back", 80000, "the broker's clock jumps back")                                       \
    X(FREEZE, "freeze", 20000, "a far end's process stands still")                                           \
    X(DEATH, "death", 25000, "a far end's process dies with all that it had in memory")                      \
    X(FOREIGN_ASK, "foreign-ask", 0, "a requester asks about what is not its own")                           \
    X(FOREIGN_ANSWER, "foreign-answer", 0, "an agent answers what another one holds")                        \
    X(LATE_ANSWER, "late-answer", 0, "an agent answers under a lease that is over")                          \
    X(OVERLAP, "overlap", 0, "a batch is left under way to the disk while the next one is made")             \
    X(CRASH_WRITING, "crash-while-writing", 120000, "the broker dies; the batch under way is there whole or not at all")

enum fault {
#define FAULT_ENUM(name, text, every_ms, sentence) FAULT_##name,
    FAULTS(FAULT_ENUM)
#undef FAULT_ENUM
        FAULT_COUNT
};
extern const struct fault_kind {
    const char *name;
    int64_t every_ms;
    const char *sentence;
} fault_kinds[FAULT_COUNT];

void faults_reset(void);
bool fault_is_on(enum fault);                     /* in this plan, and faults have not stopped */
bool fault_comes(enum fault, unsigned per_mille); /* on, and chance says now; does not count */
void fault_count(enum fault);                     /* it really happened */
struct rng *fault_rng(enum fault);                /* each kind draws from its own stream */
int64_t faults_next_at(void);
void faults_strike(void); /* whatever is due now */

/* --- The run: world.c ---------------------------------------------------------------------------------- */

enum { FRAME_PAIRS_MAX = 64 };
struct plan {
    uint64_t seed;
    unsigned steps; /* batches of the broker before the faults stop */
    uint32_t kinds; /* bits by enum fault that may happen at all */
};

enum phase { PHASE_STORM, PHASE_SETTLING };
enum arm { ARM_NONE, ARM_FAIL, ARM_UNKNOWN, ARM_FULL, ARM_CRASH_BEFORE, ARM_CRASH_AFTER, ARM_CRASH_WRITING };
enum run_end { RUN_SETTLED = 1, RUN_VIOLATED };

struct sim {
    struct plan plan;
    uint32_t kinds; /* of the plan's, those drawn for this seed */
    enum phase phase;
    int64_t now, skew, settling_since;
    unsigned steps, steps_wanted;
    bool broker_is_up;
    struct rng rng;
    jmp_buf crash, end;
    /* what is about to happen to the broker */
    enum arm arm;
    int crash_after_frames; /* of the next flush; -1: it goes through */
    int64_t slow_us, nearly_full_until;
    int signal;
    bool signal_rides; /* it finds the broker at work: with the next batch that there is anyway */
    bool reloaded; /* the configuration in force is the one after */
    bool reloading; /* the broker is at it, and holds memory that a jump out of it would lose: it does not die then */
    uint64_t faults[FAULT_COUNT];
    uint64_t digest; /* of everything that was said */
    uint64_t events, frames, restarts;
    uint64_t writes, overlapped; /* batches that wrote; those begun while the one before was being written */
};
extern struct sim sim;

enum run_end sim_run(const struct plan *);
void world_begin_settling(void);
/* Lets virtual time pass until there is something for the broker, or until this instant. */
bool world_run(int64_t until);
void sim_end(enum run_end) __attribute__((noreturn));
static inline est_time wall_now(void) {
    return (est_time){sim.now + sim.skew};
}
static inline est_time true_now(void) {
    return (est_time){sim.now};
}

/* --- The broker's process: process.c ------------------------------------------------------------------- */

struct broker;
struct broker *process_broker(void);
int process_load_city(void); /* once: both configurations; 0 or a negative code, complaints printed */
void process_live(void);     /* one life: start, loop, and an end of one kind or another */
void process_crash(void) __attribute__((noreturn));
void process_clean(void); /* after a run that ended with the broker alive */

/* --- The disk: disk.c ---------------------------------------------------------------------------------- */

void disk_reset(void);
void disk_crash(void); /* what was not durable is gone; a batch under way is there or not */
bool disk_is_writing(void);
uint64_t disk_head_seq(void);
uint64_t disk_durable_seq(void);
size_t disk_rows(void);
const struct inquiry_row *disk_row(size_t index);
const struct inquiry_row *disk_row_of(uint64_t number); /* NULL: none */
int disk_each_event(int (*each)(void *arg, const struct event *), void *arg);
const char *disk_fold_differs(void); /* tables against a fresh fold of the log's bytes; NULL: the same */

/* --- Connections: wire.c ------------------------------------------------------------------------------- */

enum { WIRE_NONE = -1, PEERS = 24 };
void wires_reset(void);
int wire_connect(unsigned far, enum door,
                 const char *key_text);            /* WIRE_NONE: nobody listens, or the key is refused */
bool wire_send(int wire, est_slice frame);         /* false: at its high-water mark, try later */
bool wire_receive(int wire, struct buffer *frame); /* the next frame that has arrived */
int64_t wire_next_at(int wire);                    /* when something will have arrived at the far end */
bool wire_is_lost(int wire);                       /* the far end can see that it is over */
void wire_close(int wire);                         /* by the far end */
int wire_swap(int wire); /* another connection that the far end takes for the same */
void wire_cut(int wire);
bool wire_waits_for_broker(int64_t *ret_at);
void wires_of_dead_broker(bool told);
void wires_tidy(void);
bool wires_are_quiet(void);
uint32_t peer_account(uint32_t peer);
enum door peer_door(uint32_t peer);
const char *peer_name(uint32_t peer);
bool peer_is_session(uint32_t peer);

/* --- Far ends: farend.c -------------------------------------------------------------------------------- */

struct session;
struct session_event;
struct far_end;
struct program {
    void (*start)(struct far_end *); /* a new process: what does it do first? */
    void (*event)(struct far_end *, const struct session_event *);
    void (*frame)(struct far_end *, est_slice); /* of one without a session engine */
    void (*act)(struct far_end *);              /* its time has come; sets act_at */
    void (*died)(struct far_end *);
    bool (*is_done)(const struct far_end *);
};
struct far_end {
    const struct program *program;
    const char *name, *key; /* the key text begins with this */
    enum door door;
    unsigned index, which, window, results;
    struct session *session;
    int wire;
    bool dead, fin_is_old;
    int64_t connect_at, frozen_until, partitioned_until, dead_until, act_at;
    unsigned failures, order;
    struct rng rng;
    struct buffer unsent;
    bool frame_is_unsent;
};
enum { FAR_ENDS = 13 };
extern struct far_end far_ends[FAR_ENDS];
extern const struct program requester, agent, operator_, rogue;

void far_ends_reset(void);
void far_ends_clean(void);
int64_t far_next_at(const struct far_end *);
void far_run(struct far_end *);
void far_die(struct far_end *, int64_t for_us);
void far_disconnected(struct far_end *, int code);
bool far_reaches(unsigned far);
const struct far_end *far_ends_undone(void); /* NULL: everybody has all that they asked for */
void notebooks_reset(void);

/* --- What must be true: oracle.c, invariants.c --------------------------------------------------------- */

enum { NUMBERS = 1 << 14, NOBODY = UINT32_MAX };

void oracle_reset(void);
void oracle_start(void);                            /* a broker has recovered; nobody has a session */
void oracle_heard(uint32_t peer, est_slice frame);  /* the broker is about to read this */
void oracle_event(const struct event *);            /* is about to enter the log */
void oracle_said(uint32_t peer, est_slice command); /* is packed; not sent yet */
/* Leaves the broker; `head`: the log's newest event when the frame was made. */
void oracle_told(uint32_t peer, est_slice frame, uint64_t head);
void oracle_batch(void); /* is complete, and its frames are about to be made */
void oracle_peer_ended(uint32_t peer);
void oracle_settled(void);
bool oracle_lease_spy(struct rng *, bool live, uint64_t *ret_number, uint64_t *ret_epoch);
uint64_t oracle_highest_number(void);

struct invariant {
    const char *name, *sentence;
    void (*check)(const struct invariant *, const void *sight);
    unsigned on;
};
extern const struct invariant *violated;
extern char violation_text[512];
/* Ends the run. */
void violate(const struct invariant *, const char *format, ...)
    __attribute__((format(printf, 2, 3), noreturn));
extern const struct invariant invariant_all_settles, invariant_store_never_refuses, invariant_protocol_kept,
    invariant_program_hears_once, invariant_broker_starts, invariant_told_before_waiting;
size_t invariants_count(void);
const struct invariant *invariant_at(size_t);

/* --- The story: story.c -------------------------------------------------------------------------------- */

enum telling { TELL_NOTHING, TELL_LAST, TELL_ALL };
void story_begin(enum telling);
bool story_is_told(void);
void tell(const char *format, ...) __attribute__((format(printf, 1, 2)));
void story_print_last(unsigned lines);
/* A command in a few words. */
const char *describe(const struct message *);

#endif
