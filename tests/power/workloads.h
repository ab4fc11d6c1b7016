/* workloads.h - the table of workloads: what each life of a store is made of. */
#ifndef WORKLOADS_H
#define WORKLOADS_H

#include <stdbool.h>
#include <stddef.h>

enum { REQUESTERS = 3, ACCOUNTS = 6, TYPES = 8 };
enum doing { DO_SUBMIT, DO_ANSWER, DO_ACKNOWLEDGE, DO_FAIL, DO_END, DO_SET, DO_DRAIN, DO_COUNT };

struct workload {
    const char *name;
    unsigned batches, batch_min, batch_max; /* events a batch */
    unsigned body_min, body_max;
    unsigned weights[DO_COUNT]; /* how often what happens */
    unsigned acknowledge_max;   /* inquiries in one ACKNOWLEDGED */
    unsigned restart_every;     /* batches; 0: one life */
    bool dies;                  /* restarts are deaths at any moment, not closings */
    unsigned abort_every;       /* every nth batch is aborted */
    bool random_ids;
    unsigned prefill_mib, size_mib;
    bool resizes; /* every other life has twice the size */
    bool oldest_first; /* is answered and acknowledged: so rows are over in their order, and settle while others change */
    unsigned share; /* of the states of a campaign, in hundredths of the usual */
};

extern const struct workload workloads[];
extern const size_t workloads_count;
/* NULL where there is none. */
const struct workload *workload_find(const char *name);

#endif
