/* state.h - the core's own state; no other room includes it.
 *
 * Every table is an array allocated once; links between entries are 32-bit indexes. NONE ends a
 * list. An open inquiry costs 64 bytes here, which is a line of the processor's cache, 6 to 11 in the
 * index of numbers and 12 in the timer heap; while it is leased, 32 more.
 *
 * An inquiry is always in exactly one place, which its state and, once it has ended, `session` tell:
 *
 *   WAITING                    its lane's queue, ordered by number
 *   DELAYED                    its lane's tree of delayed ones; its timer brings it back, and alone knows when
 *   LEASED                     the list of its holder's session, ordered by the end of the lease
 *   PARKED                     its lane's list of parked ones
 *   final, session == NONE     its account's list of results to be sent
 *   final, session != NONE     that session's list of results on their way
 */
#ifndef STATE_H
#define STATE_H

#include "core.h"

enum {
    NONE = UINT32_MAX,
    TYPES_CEILING = TYPES_EVER + 1,
    DISTRICTS_CEILING = 1023,
    INQUIRIES_CEILING = 1 << 28, /* the children of the last entry of a heap are counted in 32 bits */
    ACCOUNTS_CEILING = 1 << 16, /* these two are 16 bits of each inquiry */
    LANES_CEILING = 1 << 16,
};

struct list { uint32_t head, tail, count; };

struct inquiry {
    uint64_t number, last_seq;
    int64_t received_us, due_us;
    uint32_t next, prev; /* in its list; of a delayed one the branches with higher and lower numbers */
    uint32_t timer;    /* position in the heap, NONE when not there. Its entry is, of a delayed one, the end of
                        * the delay; of another that is open no later than due_us; else it may be any */
    union {
        uint32_t lease;    /* while LEASED */
        uint32_t session;  /* once it has ended: where the result is on its way to */
    };
    uint32_t origin;   /* the session that submitted it … */
    uint32_t origin_life; /* … in this life: its number may be another's by now */
    uint16_t account, lane;
    uint16_t code;
    uint8_t state, attempts;
};
_Static_assert(sizeof(struct inquiry) == 64, "an open inquiry is one line of the cache");

/* Few of those that are open are leased, so what a lease says is kept apart from the inquiry. */
struct lease {
    uint64_t epoch;
    int64_t leased_us, until_us;
    uint32_t session;  /* who holds it */
    uint32_t next;     /* of the free ones */
};

struct lane {
    uint32_t type, district;
    struct list waiting, parked;
    uint64_t oldest;          /* number of the first that waits: who compares lanes needs no other line */
    uint32_t delayed, leased;
    uint32_t delayed_root;    /* of the tree of them, see places.c */
    uint32_t ready_next, ready_prev; /* in its department's ring of lanes with work; self-less: NONE */
    bool is_ready;
};

struct type { bool live; uint32_t version, department; };

struct department { bool live, paused; uint32_t ready; /* first lane with work */ uint32_t agents; /* a ring of sessions; where the next offer begins */ };

struct account {
    bool live;
    uint32_t role, department, kept;
    uint32_t level;           /* of an operator */
    struct list results;      /* ended, to be sent */
    uint32_t sessions;        /* a ring; where the next result goes */
    uint64_t districts[16];
};

struct session {
    bool live, ready, leaving;
    uint32_t account, role, window, results;
    uint32_t department;      /* whose ring it turns in: the account's, when it came */
    struct list held;         /* leases, or results on their way */
    uint32_t ring_next, ring_prev;   /* of its account's (requester) or department's (agent) ring */
    uint32_t timer;
    uint32_t life;            /* no two sessions have the same */
    uint32_t owed;            /* OWN mode: results in the account's list that it may take */
    int64_t since_us, heard_us;
    uint64_t answered;
    uint64_t types[TYPES_CEILING / 64], districts[16];
};

struct timer { int64_t at_us; uint32_t who; } __attribute__((packed));
struct heap {
    struct timer *at;
    uint32_t count;
    char *positions;          /* of the field that keeps an entry's position, first entry */
    size_t stride;
};

struct core {
    struct core_limits limits;
    uint64_t seq, generation;
    int64_t at_us;            /* of the last event */
    uint32_t epochs;          /* counter within the generation */
    uint32_t lives;           /* of sessions, counted */
    uint32_t paused;          /* departments */
    bool draining, full;
    bool unfed;               /* grants stopped for want of room: more may be given at once */
    uint64_t accepted, ended; /* since this process began; the rest is counted in places */
    uint64_t counts[8];       /* by enum est_state */

    struct inquiry *inquiries;
    uint32_t inquiries_used, inquiries_free; /* high-water mark; list of free ones by `next` */
    struct lease *leases;     /* as many as all sessions' windows may hold, or inquiries_max */
    uint32_t leases_used, leases_free;
    uint32_t *index;          /* number -> inquiry, open addressing by the low bits */
    uint64_t index_mask;
    struct lane *lanes;
    uint32_t lanes_count;
    uint32_t *lane_of;        /* type, district -> lane */
    struct type *types;
    struct department *departments;
    struct account *accounts;
    uint32_t *rights;         /* account, type -> purposes */
    struct session *sessions;
    struct heap due;          /* inquiries */
    struct heap quiet;        /* sessions: a lower bound of their next timer */

    uint64_t acked[EST_NUMBERS_MAX], acked_ends[EST_NUMBERS_MAX]; /* of the ACKNOWLEDGED event being made */
};

/* places.c: where inquiries are. */
uint32_t inquiry_find(const struct core *, uint64_t number);
uint32_t inquiry_new(struct core *, uint64_t number);       /* NONE when the table is full */
void inquiry_free(struct core *, uint32_t inquiry);
/* Takes it out of its place and puts it where `state` belongs, keeping every count right. A result
 * goes to `session`. From EST_STATE_NONE: it is new. */
void inquiry_move(struct core *, uint32_t inquiry, enum est_state state, uint32_t session);
/* The same, to DELAYED until then; and to LEASED, from WAITING. */
void inquiry_delay(struct core *, uint32_t inquiry, int64_t until_us);
void inquiry_lease(struct core *, uint32_t inquiry, const struct lease *);
/* Its lease ends then, and not when it would have. */
void lease_extend(struct core *, uint32_t inquiry, int64_t until_us);
/* Takes it out of its place and lets it wait in another lane, at the place of its number. */
void inquiry_redirect(struct core *, uint32_t inquiry, uint32_t lane);
uint32_t lane_get(struct core *, uint32_t type, uint32_t district, bool make); /* NONE: none, or no room */
void lane_ready_set(struct core *, uint32_t lane);          /* what waits has changed: in or out of the department's ring */
bool lane_has_room(const struct core *);

/* timers.c */
void heap_set(struct heap *, uint32_t who, int64_t at_us);  /* adds or moves */
void heap_remove(struct heap *, uint32_t who);
/* Sees that the heap wakes the inquiry at its deadline or before, unless it has ended. */
void inquiry_timer(struct core *, uint32_t inquiry);

/* emit.c: events and effects. */
struct effect *effect_new(struct effects *, enum effect_kind, uint32_t session);
/* Fills in seq, time, generation and previous, applies it, and makes the effect. */
void emit(struct core *, est_time now, struct effects *, struct event *);
void note(struct effects *, enum fact, uint32_t session, uint64_t number, uint32_t code);
void refuse(struct effects *, uint32_t session, uint32_t code, uint64_t ref);
void done(struct effects *, uint32_t session, uint64_t ref);

/* dispatch.c: work to agents, results to requesters. */
void offer_lane(struct core *, est_time now, uint32_t lane, struct effects *);
/* Its holder keeps it for the whole of a lease from now on. */
void lease_renew(struct core *, est_time now, uint32_t inquiry);
void feed_agent(struct core *, est_time now, uint32_t session, struct effects *);
void feed_all(struct core *, est_time now, struct effects *);
void deliver_result(struct core *, uint32_t inquiry, struct effects *);
void feed_results(struct core *, uint32_t session, struct effects *);
/* The live session that submitted this inquiry and takes results; NONE. */
uint32_t origin_of(const struct core *, const struct inquiry *);
void origin_set(struct core *, uint32_t inquiry, uint32_t session);
bool agent_can_serve(const struct core *, const struct session *, const struct lane *);

/* attempts.c: an attempt ends badly, or its agent left in order, which is no fault of anything. */
void inquiry_give_back(struct core *, est_time now, uint32_t inquiry, struct effects *);
void attempt_fail(struct core *, est_time now, uint32_t inquiry, uint32_t code, est_span after, est_slice reason, struct effects *);
void inquiry_park(struct core *, est_time now, uint32_t inquiry, uint32_t code, est_slice reason, struct effects *);
/* Ends it by EXPIRED or CANCELLED, tells a holder, sends the result. */
void inquiry_end(struct core *, est_time now, uint32_t inquiry, struct event *, uint32_t code, struct effects *);

/* One function per kind of input; the table is in core.c. */
typedef void step_fn(struct core *, est_time now, const struct input *, struct effects *);
step_fn step_start, step_tick, step_set, step_store_full, step_session_up, step_session_down, step_heard, step_submit,
    step_cancel, step_result_ack, step_ready, step_leave, step_answer, step_attempt_fail, step_refuse, step_renew,
    step_requeue, step_drain, step_pause, step_redirect;
/* Ends a session's life in every list; its leases fail with AGENT_LOST, or are given back. */
void session_end(struct core *, est_time now, uint32_t session, bool in_order, struct effects *);

static inline struct session *session_at(struct core *c, uint32_t session) { return &c->sessions[session]; }
static inline struct lease *lease_of(const struct core *c, const struct inquiry *q) { return &c->leases[q->lease]; }
static inline bool bit_get(const uint64_t *bits, uint32_t at) { return bits[at / 64] >> (at % 64) & 1; }
static inline void bit_set(uint64_t *bits, uint32_t at) { bits[at / 64] |= 1ULL << (at % 64); }
static inline uint32_t right_of(const struct core *c, uint32_t account, uint32_t type) {
    return c->rights[(size_t)account * c->limits.types_max + type];
}
static inline uint32_t department_of(const struct core *c, uint32_t lane) { return c->types[c->lanes[lane].type].department; }

#endif
