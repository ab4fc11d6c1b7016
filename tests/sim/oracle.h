/* oracle.h - what the oracle remembers, and what one of its checks is shown.
 *
 * The oracle sees what went in (heard), what entered the log (event), what was packed (said), what
 * left (told), and the moments between batches. It keeps its own account of every inquiry, lease
 * and peer, made from these and never from the broker's memory; where a check compares with the
 * broker's memory, that is its purpose.
 */
#ifndef ORACLE_H
#define ORACLE_H

#include "sim.h"

#include "../../broker/broker.h"

enum { TALES = 256, PASTS = 16, ASKS = 2048, ACCOUNTS = 32, TYPES = 16, DEPARTMENTS = 16 };

/* --- Inquiries ----------------------------------------------------------------------------------------- */

struct past_lease {
    uint64_t epoch;
    uint32_t account;
};
struct tale {
    uint64_t number;
    est_id id;
    uint32_t account, type, district, purpose;
    uint64_t body; /* fingerprint of the request */
    int64_t received_us, due_us;
    /* the lease that lives, as far as it was said */
    bool leased;
    uint32_t holder;
    uint64_t epoch;
    int64_t until_us;
    struct past_lease past[PASTS]; /* attempts that ended in the record, the newest last */
    unsigned pasts;
    /* the end */
    uint32_t state; /* as the log has it */
    int64_t not_before_us; /* of a delay that nobody saw end yet; 0: there is none */
    uint64_t end;   /* fingerprint of outcome, reason and body */
    bool acked;
    uint32_t way, origin; /* sessions that the result is on its way to, that submitted; NOBODY */
};

/* --- Promises: what left the broker, over all its lives ------------------------------------------------ */

struct promise {
    bool made;
    est_id id;
    uint32_t account;
    uint64_t body;
    int64_t at_us, due_us;
    char tracking[EST_TRACKING_MAX + 1];
    bool end_told;
    uint32_t end_state;
    uint64_t end;
};

/* --- Peers --------------------------------------------------------------------------------------------- */

struct ask {
    enum verb verb;
    uint64_t ref, number, epoch, body;
    est_id id;
    uint32_t type, purpose; /* of a submit; NOBODY: no such */
    uint64_t outcome, ready_types, ready_districts, window;
};
struct peer_tale {
    bool live, welcomed, ready, leaving, bye; /* bye: it left in order */
    uint32_t account, results, window;
    uint64_t types, districts; /* bits; of READY */
    struct ask *asks;          /* room for ASKS, in the order they were heard */
    unsigned asks_count;
};

struct right_tale {
    bool live;
    uint32_t role, department;
    uint32_t purposes[TYPES];
    uint64_t districts;
};

struct oracle {
    struct tale tales[TALES]; /* by number, which only grows */
    unsigned tales_count;
    uint16_t tale_of[NUMBERS]; /* number -> index + 1 */
    struct promise promises[NUMBERS];
    uint64_t promised_highest;
    struct peer_tale peers[PEERS];
    struct right_tale accounts[ACCOUNTS];
    uint32_t department_of[TYPES];
    uint64_t seq, generation, epoch_highest, accepted;
    int64_t at_us;
    bool draining, paused[DEPARTMENTS];
    char foreign_text[EST_TEXT_MAX + 1];
};
extern struct oracle oracle;

struct tale *tale_of(uint64_t number); /* NULL: no such inquiry */
struct tale *tale_by_id(uint32_t account, const est_id *);
bool tale_is_final(const struct tale *);
unsigned peer_holds(uint32_t peer); /* leases */
unsigned peer_takes(uint32_t peer); /* results on their way to it */
bool account_may_answer(uint32_t account, uint32_t type, uint32_t district);

/* --- What a check is shown
 * ------------------------------------------------------------------------------------ */

enum sight_kind {
    SIGHT_EVENT = 1,    /* e, before it is applied */
    SIGHT_SAID = 2,     /* m to peer; ask: what it answers, or NULL */
    SIGHT_TOLD = 4,     /* m has left */
    SIGHT_BATCH = 8,    /* a batch is complete */
    SIGHT_STARTED = 16, /* a broker has recovered */
    SIGHT_SETTLED = 32, /* all is quiet */
    SIGHT_LEAVES = 64,  /* a frame leaves, made when the log's newest event was `head` */
};
struct sight {
    enum sight_kind kind;
    uint32_t peer;
    const struct event *e;
    const struct message *m;
    const struct ask *ask;
    uint64_t head;
};
void invariants_check(const struct sight *);

#endif
