/* core.h - the broker's decisions, and nothing else.
 *
 * A step function: input in, effects out. No I/O, clock, entropy, environment or logging, and it
 * cannot fail: every table is sized from `core_limits` at core_new, and a full table is an answer
 * (BUSY). The same inputs give the same effects, byte for byte: there is no iteration in hash or
 * pointer order and no static state.
 *
 *                 +-----------------------------------------------+
 *                 v                                               | delay over
 *   SUBMITTED -> WAITING -- leased --> LEASED -- attempt failed -> DELAYED
 *                 ^  |                  |  |                        |
 *        REQUEUED |  |                  |  +-- last attempt failed -|--> PARKED
 *                 |  |                  |                           |      |
 *                 +--|------------------|---------------------------|------+
 *                    v                  v                           v
 *                 EXPIRED, CANCELLED (from every state above), ANSWERED (from LEASED)
 *                                       |
 *                                  result sent, again and again until ACKNOWLEDGED
 *
 *   and LEASED -> WAITING where the agent leaves in order: given back, and no attempt has failed
 *
 * Two kinds of state. The record (inquiries, accounts, types, departments) changes only by
 * core_apply, the function that recovery uses too. Dispatch (sessions, windows, leases, which
 * result is on its way) is this process's own and starts empty.
 *
 * Names: an inquiry is known by its number, the seq of its SUBMITTED event. A lane is the queue of
 * one type in one district: first in, first out by number; a department's queue in a district is
 * its lanes there, and an agent that may serve several gets the oldest of their heads.
 */
#ifndef CORE_H
#define CORE_H

#include "event.h"

struct core;

struct core_limits {
    uint32_t inquiries_max;       /* open at once, all accounts; at most 2^28 */
    uint32_t account_open_max;    /* the same of one account; a result that nobody acknowledges keeps its place */
    uint32_t sessions_max;        /* sessions are numbered 0 ... sessions_max-1 by the net ring */
    uint32_t accounts_max;        /* at most 65,536 */
    uint32_t departments_max;
    uint32_t types_max;           /* at most 1,024 */
    uint32_t lanes_max;           /* pairs of type and district that have been asked; at most 65,536 */
    uint32_t districts_max;       /* districts are 0 (none) ... districts_max; at most 1,023 */
    uint32_t window_max;          /* per session, at most EST_WINDOW_MAX */
    uint32_t attempts_max;        /* failed attempts before an inquiry is parked; at most ATTEMPTS_CEILING */
    est_span lease;               /* an agent's right, from the grant or the last renewal */
    est_span heartbeat;           /* silence of three ends a session */
    est_span retry_first, retry_max; /* delay after the first failed attempt; doubles up to the second */
    est_span busy_retry;          /* what BUSY and DRAINING advise */
};
void core_limits_default(struct core_limits *ret);

/* NULL when memory does not suffice. Pages that are never used are never touched. */
struct core *core_new(const struct core_limits *);
void core_free(struct core **);

/* --- Recovery: the newest event of each thing, then the store's rows, then the position. ------ */
/* Applies one event to the record: things at recovery, and a log tail. */
void core_apply(struct core *, const struct event *);
void core_restore_inquiry(struct core *, const struct inquiry_row *);
void core_restore_head(struct core *, uint64_t seq, est_time at, uint64_t generation);

/* --- Inputs ---------------------------------------------------------------------------------- */

enum input_kind {
    INPUT_START = 1,     /* once, before anything else: begins a generation */
    INPUT_TICK,          /* core_wakeup is due */
    INPUT_SET,           /* a department, type or account of the configuration: event */
    INPUT_STORE_FULL,    /* on: refuse new inquiries until off */
    INPUT_SESSION_UP,
    INPUT_SESSION_DOWN,  /* the connection is gone, the broker ended it, or the peer said BYE */
    INPUT_HEARD,         /* a frame came from this session */
    INPUT_SUBMIT,
    INPUT_CANCEL,
    INPUT_RESULT_ACK,
    INPUT_READY,
    INPUT_LEAVE,
    INPUT_ANSWER,
    INPUT_ATTEMPT_FAIL,  /* RETRY, or an answer that does not fit */
    INPUT_REFUSE,
    INPUT_RENEW,
    INPUT_REQUEUE,
    INPUT_DRAIN,
    INPUT_PAUSE,
    INPUT_REDIRECT,
};

struct input_session_up { uint32_t account; uint32_t window; uint32_t results; /* enum results_mode */ };
struct input_session_down { bool in_order; /* the peer said BYE, and that nothing is wrong */ };
struct input_submit {
    uint64_t known;             /* number of the inquiry that has this id, from the store; 0: none */
    bool same;                  /* and type, purpose and body are the same */
    struct event_submitted it;  /* account is taken from the session */
};
struct input_cancel { uint64_t ref, number; uint32_t known_account; bool known_ended; est_slice reason; };
struct input_result_ack { const uint64_t *numbers; size_t count; };
struct input_ready {
    uint64_t ref;
    uint32_t window;
    const uint32_t *types;      /* numbers; count 0: all that the account may answer */
    size_t types_count;
    uint64_t districts[16];     /* bits; all zero: all that the account may serve */
};
struct input_leave { uint64_t ref; };
struct input_answer {
    uint64_t number, epoch;
    bool recorded;              /* the store says: answered by this account under this epoch (a resend) */
    struct event_answered it;   /* account, epoch and leased_at are filled in by the core */
};
struct input_fail { uint64_t number, epoch; uint32_t code; est_span after; /* 0: the core's own */ est_slice reason; };
struct input_refuse { uint64_t number, epoch; est_slice reason; };
struct input_renew { const uint64_t *pairs; size_t count; /* pairs: number, epoch */ };
struct input_requeue {
    uint64_t ref, number;
    bool known_ended;           /* the store says so, where the core has forgotten it */
    est_slice reason;
};
struct input_drain { uint64_t ref; bool on; est_slice reason; };
struct input_pause { uint64_t ref; uint32_t department; bool on; est_slice reason; };
struct input_redirect {
    uint64_t ref, number;
    uint32_t district;          /* one of the city's; at most districts_max */
    bool known_ended;           /* the store says so, where the core has forgotten it */
    est_slice reason;
};

struct input {
    enum input_kind kind;
    uint32_t session;           /* for all that come from a peer */
    union {
        struct event set;       /* INPUT_SET: type and its fields; the rest is filled in */
        bool full;
        struct input_session_up up;
        struct input_session_down down;
        struct input_submit submit;
        struct input_cancel cancel;
        struct input_result_ack ack;
        struct input_ready ready;
        struct input_leave leave;
        struct input_answer answer;
        struct input_fail fail;
        struct input_refuse refuse;
        struct input_renew renew;
        struct input_requeue requeue;
        struct input_drain drain;
        struct input_pause pause;
        struct input_redirect redirect;
    };
};

/* --- Effects ---------------------------------------------------------------------------------- */

enum effect_kind {
    EFFECT_EVENT = 1, /* append to the log, in this order, before anything of the batch is sent */
    EFFECT_ACCEPTED,  /* to session: the receipt of number; again: it was known */
    EFFECT_REFUSED,   /* to session: code, with what identifies the command: ref, id or number and epoch */
    EFFECT_DONE,      /* to session: ref */
    EFFECT_ASSIGN,    /* to session: number under epoch, attempt */
    EFFECT_RESULT,    /* to session: the end of number */
    EFFECT_RECORDED,  /* to session: number, epoch */
    EFFECT_RENEWED,   /* to session: number, epoch is held on */
    EFFECT_REVOKE,    /* to session: number, epoch is over, code */
    EFFECT_CLOSE,     /* end the session, telling it code; the core has forgotten it already */
    EFFECT_NOTE,      /* a fact for counters, logs and stories: fact, with session, number, code */
};

enum fact {
    FACT_LEASED = 1, FACT_LEASE_EXPIRED, FACT_ATTEMPT_FAILED, FACT_PARKED, FACT_ANSWERED, FACT_EXPIRED, FACT_CANCELLED,
    FACT_SUBMITTED, FACT_SUBMITTED_AGAIN, FACT_REFUSED, FACT_STALE, FACT_ACKNOWLEDGED, FACT_REDELIVERED,
    FACT_SESSION_UP, FACT_SESSION_DOWN, FACT_AGENT_LOST, FACT_REDIRECTED, FACT_GIVEN_BACK,
    FACT_COUNT,
};
const char *fact_name(enum fact);

struct effect {
    enum effect_kind kind;
    enum fact fact;
    uint32_t session;
    uint32_t code;
    uint64_t ref, number, epoch;
    est_id id;
    uint32_t attempt, district; /* EFFECT_ASSIGN: where it waited */
    bool again;
    est_span retry;
    struct event event; /* EFFECT_EVENT */
};

/* What one step may bring: EST_WINDOW_MAX leases that end at once, each with an event, a new
 * assignment and notes. Grants stop where they would leave less than EFFECTS_RESERVE for the rest, and
 * go on with the next tick, due at once: a long queue that may be served again takes several. Timers beyond CORE_TIMERS_PER_STEP wait for the next tick, due at once. */
enum { CORE_TIMERS_PER_STEP = 256, EFFECTS_MAX = 6 * EST_WINDOW_MAX, EFFECTS_RESERVE = 3 * EST_WINDOW_MAX };
struct effects {
    size_t count;
    struct effect *at; /* room for EFFECTS_MAX */
};
int effects_init(struct effects *); /* 0 or -EST_NO_MEMORY */
void effects_done(struct effects *);

/* Decides one input at this instant and applies what it decided. Empties `effects` first. */
void core_step(struct core *, est_time now, const struct input *, struct effects *);
/* When a timer is next due; {INT64_MAX} when none is. */
est_time core_wakeup(const struct core *);

/* --- Looking in. Nothing here changes anything. ------------------------------------------------ */

struct inquiry_view {
    struct inquiry_row row;     /* last_seq, received, due, state (LEASED too) … */
    uint32_t holder;            /* session that holds the lease, UINT32_MAX when none */
    uint64_t epoch;             /* of the lease */
    est_time until;             /* end of the lease or of the delay, which the deadline ends too */
};
/* False where no open (or ended and unacknowledged) inquiry has this number. What
 * the core does not decide by (id, purpose, epoch, version, outcome, actor, not_before, ended, acked)
 * is not kept in it and is zero in the row: the store has it. */
bool core_inquiry(const struct core *, uint64_t number, struct inquiry_view *ret);

struct lane_view {
    uint32_t type, department, district;
    uint32_t waiting, delayed, leased, parked;
    est_time oldest;            /* when the oldest of the waiting and delayed was received; 0: there is none */
    uint32_t agents;            /* live sessions that may serve it */
    bool paused;                /* its department is */
};
bool core_is_paused(const struct core *, uint32_t department);
size_t core_lane_count(const struct core *);
void core_lane(const struct core *, size_t lane, struct lane_view *ret);
/* The lowest numbers above `after` that are parked, of one department or (0) of all, in order; without those of the
 * types that are true in `hidden`, which has types_max places (NULL: with all). */
size_t core_parked(const struct core *, uint32_t department, const bool *hidden, uint64_t after, uint64_t *ret_numbers,
                   size_t max);
/* What agents hold now, in no order. How many there are core_counts says. */
size_t core_leased(const struct core *, uint64_t *ret_numbers, size_t max);

struct session_view { bool live; uint32_t account, role, department; uint32_t window, inflight; uint64_t answered; est_time since, heard; bool leaving; };
void core_session(const struct core *, uint32_t session, struct session_view *ret);

/* `kept`: its inquiries that are not ended, or not acknowledged. */
struct account_view { bool live; uint32_t role, department; uint32_t kept; enum est_level level; };
void core_account(const struct core *, uint32_t account, struct account_view *ret);
/* May this account ask the type for this purpose / answer it? */
bool core_may_ask(const struct core *, uint32_t account, uint32_t type, uint32_t purpose);
bool core_may_answer(const struct core *, uint32_t account, uint32_t type);
/* The same of an account that is retired too: could it, the last time it was in force? */
bool core_could_answer(const struct core *, uint32_t account, uint32_t type);
/* Is this one of the districts (at most districts_max) that it answers for? */
bool core_serves_district(const struct core *, uint32_t account, uint32_t district);

struct core_counts { uint64_t accepted, open, ended, unacknowledged, waiting, delayed, leased, parked; uint64_t seq; uint32_t paused; /* departments */ bool draining, full; };
void core_counts(const struct core *, struct core_counts *ret);

#endif
