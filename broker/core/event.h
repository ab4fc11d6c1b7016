/* event.h - the facts of the log.
 *
 * The log is the truth: the record (open inquiries, accounts in force, types) is what comes of
 * applying its events one after the other, here and in the store's tables. An event says what was
 * decided, never why it would be decided again: applying needs no configuration and no clock.
 *
 * Slices belong to whoever made the event: to a frame being handled, or to a page of the store.
 * They live until the batch ends; nothing that keeps an event keeps its slices.
 */
#ifndef EVENT_H
#define EVENT_H

#include <estelam/types.h>

enum event_type {
    EVENT_NONE = 0,
    EVENT_STARTED = 1,          /* a broker opened this store: a new generation */
    EVENT_DEPARTMENT_SET = 2,   /* a department has this number and name */
    EVENT_TYPE_SET = 3,         /* an inquiry type, in this version, is in force */
    EVENT_ACCOUNT_SET = 4,      /* an account, with these rights, is in force */
    EVENT_RETIRED = 5,          /* a type or account is in force no more; its number stays taken */
    EVENT_PURPOSE_SET = 6,      /* a purpose of asking has this number and name */
    EVENT_PAUSED = 7,           /* an operator paused a department, or let it go on */
    EVENT_SUBMITTED = 16,
    EVENT_ATTEMPT_FAILED = 17,
    EVENT_PARKED = 18,
    EVENT_REQUEUED = 19,
    EVENT_REDIRECTED = 20,      /* an operator moved it to its type's queue in another district */
    EVENT_ANSWERED = 32,
    EVENT_EXPIRED = 33,
    EVENT_CANCELLED = 34,
    EVENT_ACKNOWLEDGED = 48,    /* results the requester has taken; many inquiries in one event */
    EVENT_DRAIN = 64,           /* an operator began or ended draining */
};

/* As many of each may ever be named in one store: a number is given once, and 0 means none. */
enum { DEPARTMENTS_EVER = 511, TYPES_EVER = 1023, ACCOUNTS_EVER = 4095, PURPOSES_MAX = 32 };
/* Failed attempts are counted in a byte. The delay after the first and the longest, where none is configured. */
enum { ATTEMPTS_CEILING = UINT8_MAX, RETRY_FIRST_USUAL_MS = 1000, RETRY_MAX_USUAL_MS = 300 * 1000 };

enum role { ROLE_REQUESTER = 1, ROLE_DEPARTMENT = 2, ROLE_OPERATOR = 3 };
enum thing { THING_DEPARTMENT = 1, THING_TYPE = 2, THING_ACCOUNT = 3, THING_PURPOSE = 4, THING_PAUSE = 5 };

/* A right to ask (requester) or answer (department) one type. */
struct right {
    uint32_t type;     /* number of the type */
    uint32_t purposes; /* bits by the purposes' numbers; all ones for a department */
};

struct event_started { uint64_t generation; };
struct event_department_set { uint32_t department; est_slice name; };
struct event_purpose_set { uint32_t purpose; est_slice name; }; /* 0 ... 31: the bit in rights */
struct event_type_set {
    uint32_t type, version, department;
    est_slice name;
    est_slice definition; /* the catalogue's own text of the type; kept for inquiries under way */
};
struct event_account_set {
    uint32_t account, role;
    uint32_t department;         /* for ROLE_DEPARTMENT */
    est_slice name;
    const struct right *rights;  /* sorted by type; none for an operator */
    size_t rights_count;
    uint64_t districts[16];      /* bits of the districts a department account serves; 1,024 of them */
    uint32_t level;              /* enum est_level, for ROLE_OPERATOR; 0 in records from before there were levels */
};
struct event_retired { uint32_t thing, number; };

struct event_submitted {
    est_id id;
    uint32_t account, type, version, district, purpose; /* purpose: the index of the bit */
    est_time due;        /* expires then */
    est_slice case_id, trace;
    est_slice body;      /* canonical msgpack map */
};
struct event_attempt_failed {
    uint64_t epoch;
    uint32_t account;    /* the department account that held the lease */
    uint32_t code;       /* AGENT_LOST, LEASE_EXPIRED, AGENT_RETRY, INVALID_ANSWER, NOT_ALLOWED; AGENT_LEFT */
    est_time leased_at, not_before; /* back in the queue then, by the clock; 0: at once */
    est_slice reason;
    uint32_t delayed;    /* 1: until `not_before`; 0 too in records from before this was said */
};
/* The clock may be behind the log, whose time stands still then: a delay may well end before the event's own
 * time. Records of old do not say that there is one; there only the two times tell. */
static inline bool attempt_is_delayed(const struct event_attempt_failed *it, est_time at) {
    return it->delayed != 0 || it->not_before.us > at.us;
}
/* Its agent left in order: the attempt is over and has not failed. The inquiry waits again as if nobody had
 * had it: not counted, not delayed, with the code that it had. */
static inline bool attempt_is_given_back(const struct event_attempt_failed *it) {
    return it->code == EST_AGENT_LEFT;
}
/* A failed attempt that was the last, or an agent's refusal: set aside. */
struct event_parked { uint64_t epoch; uint32_t account, code; est_time leased_at; est_slice reason; };
struct event_requeued { uint32_t account; est_slice reason; }; /* by this operator; attempts start anew */
/* It waits in its type's lane of `district` from now on, its attempts start anew. Where it was leased,
 * who held it and since when. */
struct event_redirected {
    uint64_t epoch;
    uint32_t account, from, district;
    uint32_t holder;     /* the department account that held the lease; 0: it was not leased */
    est_time leased_at;
    est_slice reason;
};
struct event_answered {
    uint64_t epoch;
    uint32_t account, outcome;
    est_time leased_at;
    est_slice reason, legal_ref, valid_until, signer;
    est_slice body;
};
struct event_expired { uint32_t none; };
struct event_cancelled { uint32_t account; est_slice reason; };
/* `ends` is the seq of each one's end, eight bytes little-endian in the order of `numbers`, so that who reads the
 * log alone can say where and by whom it ended; empty in records from before it was there. */
struct event_acknowledged {
    uint32_t account;
    const uint64_t *numbers;
    size_t count; /* <= EST_NUMBERS_MAX */
    est_slice ends;
};
/* 0 where the record is from before. */
uint64_t acknowledged_end(const struct event_acknowledged *, size_t at);
struct event_drain { uint32_t account, on; est_slice reason; };
/* Its department's agents get no new leases while `on`. The newest one of a department is a thing. */
struct event_paused { uint32_t account, department, on; est_slice reason; };

struct event {
    uint64_t seq;      /* 1, 2, 3 … without a gap */
    est_time at;       /* never before the event before */
    uint64_t generation;
    uint64_t number;   /* of the inquiry: the seq of its SUBMITTED; 0 where it is about none or many */
    uint64_t previous; /* seq of the event before on the same inquiry; 0 for its first */
    enum event_type type;
    union {
        struct event_started started;
        struct event_department_set department_set;
        struct event_purpose_set purpose_set;
        struct event_type_set type_set;
        struct event_account_set account_set;
        struct event_retired retired;
        struct event_submitted submitted;
        struct event_attempt_failed attempt_failed;
        struct event_parked parked;
        struct event_requeued requeued;
        struct event_answered answered;
        struct event_expired expired;
        struct event_cancelled cancelled;
        struct event_acknowledged acknowledged;
        struct event_drain drain;
        struct event_paused paused;
        struct event_redirected redirected;
    };
};

const char *event_type_name(enum event_type); /* "submitted", "attempt-failed" …; "unknown" */
/* The same, but what begins and what ends have names of their own: paused, resumed, drain-on,
 * drain-off; and an attempt that did not fail: given-back. As timelines and the event feed tell it. */
const char *event_name(const struct event *);

/* What the record holds of one inquiry, open or ended: the row of the store's tables and what the
 * core is rebuilt from. */
struct inquiry_row {
    uint64_t number;
    est_id id;
    uint32_t account, type, version, district, purpose;
    uint32_t state;      /* enum est_state, never LEASED: a lease is not in the record */
    uint32_t attempts;
    uint32_t outcome;    /* once answered */
    uint32_t code;       /* why delayed, parked, expired or cancelled */
    uint32_t actor;      /* account of the answer, cancellation, requeue or last failed attempt */
    est_time received, due, not_before, ended, acked;
    uint64_t epoch;      /* of the answer, or of the last attempt */
    uint64_t last_seq;   /* its newest event, for the timeline; not the shared ACKNOWLEDGED */
};

/* The one function that changes a row. `row` is zeroed before SUBMITTED. Used by the store and,
 * in its own layout, by the core; a test folds a log through both and compares. */
void inquiry_row_apply(struct inquiry_row *row, const struct event *event);

#endif
