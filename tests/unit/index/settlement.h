/* settlement.h - a log of a small city for the tests of the index: types of Tehran's catalogue, and inquiries
 * whose lives go every way. Beside the log the city remembers what it wrote, by itself, so that a test
 * compares the index with something that shares nothing with it.
 */
#ifndef SETTLEMENT_H
#define SETTLEMENT_H

#include "sample.h"
#include "catalogue.h"

enum { SETTLEMENT_TYPES = 3, SETTLEMENT_ACCOUNTS = 4, SETTLEMENT_LIVES_MAX = 60000 };

/* Numbers of the record are places in these, from 1. */
extern const char *const settlement_types[SETTLEMENT_TYPES]; /* nz; nid; nz and nid */
extern const char *const settlement_departments[SETTLEMENT_TYPES];
extern const char *const settlement_accounts[SETTLEMENT_ACCOUNTS]; /* two requesters, an agent, an operator */

struct life {
    uint64_t number, last;
    est_id id;
    unsigned type, account, state, outcome, code, attempts, district;
    char parcel[32], nid[11], case_id[16];
    int64_t received_us, due_us, not_before_us, ended_us, leased_us;
    bool acknowledged;
};

struct settlement {
    struct writer writer;
    struct life *lives;
    size_t count;
    unsigned seed;
    struct catalogue *catalogue;
};

void settlement_open(struct settlement *, const struct scratch *);
void settlement_close(struct settlement *);
/* So many new inquiries in one batch, and some steps in the lives of those that are there. */
void settlement_batch(struct settlement *, unsigned inquiries, unsigned steps);
/* One inquiry, said in full; NULL: none. The place among the lives. */
size_t settlement_ask(struct settlement *, unsigned type, unsigned account, const char *parcel,
                      const char *nid, const char *case_id);
/* Within a batch. */
void settlement_answer(struct settlement *, size_t life, unsigned outcome);
void settlement_delay(struct settlement *, size_t life, int64_t until_us);
void settlement_park(struct settlement *, size_t life, unsigned code);

#endif
