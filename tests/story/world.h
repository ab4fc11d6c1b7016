/* world.h - a small city around the real core: two departments, three types, five accounts.
 *
 * What the core does is told as lines, one an event or command, and a test states the whole story
 * that it expects. Inquiries are called #1, #2 … in the order of their submission; leases e1, e2 …
 * in the order of their grants. Facts (notes) are counted, not told.
 *
 *     +submitted #1            an event for the log
 *     s1 accepted #1           a command to session 1
 *     s4 assign #1 e1 attempt 1
 *
 * The world keeps every event, and world_end folds them again, into a fresh core and into rows, and
 * compares: state is a fold of the log.
 */
#ifndef WORLD_H
#define WORLD_H

#include <core.h>

enum { NOSAZI = 1, METRO = 2 };                   /* departments */
enum { BEDEHI = 1, PASMAND = 2, HARIM = 3 };      /* types; the first two are Nosazi's */
enum { PORTAL = 1, BANK = 2, NOSAZI_AGENT = 3, METRO_AGENT = 4, DUTY = 5 };
enum { NO_RESULTS = 0, OWN_RESULTS = 1, ALL_RESULTS = 2 };

struct world {
    struct core *core;
    struct core_limits limits;
    struct effects effects;
    est_time now;
    char story[65536];
    size_t told;
    uint64_t numbers[4096];                       /* of inquiry #i, from 1 */
    unsigned submitted;
    struct { est_id id; uint32_t account; unsigned ordinal; } ids[4096];
    struct inquiry_row rows[4096];                /* what the store would hold, by ordinal */
    struct event *events;
    size_t events_count;
    uint64_t facts[FACT_COUNT];
    uint64_t last_epoch[4096];
};

/* Limits small enough to be reached; a lease of 30 s, a heartbeat of 5 s, three attempts, a retry
 * after 1 s. `change` may alter them; NULL leaves them. */
struct world *world_new(void (*change)(struct core_limits *));
/* Folds the log again and compares, then frees. */
void world_end(struct world **);

/* What the core counts and what it calls the oldest, against the inquiries themselves; world_end does it, too. */
void counts_match(const struct world *);

void advance(struct world *, int64_t ms);         /* moves the clock, stepping every timer when due */

void requester_up(struct world *, uint32_t session, uint32_t account, uint32_t window, uint32_t results);
void operator_up(struct world *, uint32_t session);
/* A session of the account, ready for `window` inquiries of all its types. */
void agent_up(struct world *, uint32_t session, uint32_t account, uint32_t window);
void agent_up_for(struct world *, uint32_t session, uint32_t account, uint32_t window, uint32_t type, uint32_t district);
void session_down(struct world *, uint32_t session);
void bye(struct world *, uint32_t session);       /* it ends in order */
void heard(struct world *, uint32_t session);

/* `id` is any small number; the same one again is the same idempotency key. `body` stands for it. */
void submit(struct world *, uint32_t session, unsigned id, uint32_t type, uint32_t district);
void submit_body(struct world *, uint32_t session, unsigned id, uint32_t type, uint32_t district, const char *body);
void submit_due(struct world *, uint32_t session, unsigned id, uint32_t type, int64_t due_ms);
void cancel(struct world *, uint32_t session, unsigned inquiry);
void ack(struct world *, uint32_t session, unsigned inquiry);
void ack_two(struct world *, uint32_t session, unsigned first, unsigned second); /* in one command */
void answer(struct world *, uint32_t session, unsigned inquiry, unsigned lease);
void retry(struct world *, uint32_t session, unsigned inquiry, unsigned lease, int64_t after_ms);
void invalid(struct world *, uint32_t session, unsigned inquiry, unsigned lease);
void refuse_work(struct world *, uint32_t session, unsigned inquiry, unsigned lease);
void renew(struct world *, uint32_t session, unsigned inquiry, unsigned lease);
void leave(struct world *, uint32_t session);
void requeue(struct world *, uint32_t session, unsigned inquiry);
void drain(struct world *, uint32_t session, bool on);
void pause_department(struct world *, uint32_t session, uint32_t department, bool on);
void redirect(struct world *, uint32_t session, unsigned inquiry, uint32_t district);
void store_full(struct world *, bool full);
/* The account may answer or ask this type no more. */
void revoke_rights(struct world *, uint32_t account);
/* The agents' account is another department's from now on, with the rights of that one. */
void move_account(struct world *, uint32_t account, uint32_t department);
/* It may answer this type and no other from now on. */
void narrow_account(struct world *, uint32_t account, uint32_t department, uint32_t type);
/* A broker that was killed: a new core out of what the log and tables hold. */
void restart(struct world *);

/* The story since the last expect is exactly this. */
void expect(struct world *, const char *story);
#define EXPECT(w, ...) expect(w, "" __VA_ARGS__)
/* Forgets what was told so far. */
void forget(struct world *);
enum est_state state_of(const struct world *, unsigned inquiry);

#endif
