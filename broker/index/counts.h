/* counts.h - the record's counters: what the whole log says, kept by the index beside its position.
 *
 * Never reset, and the same whenever the log is counted again from its beginning. A few thousand of
 * them at most, in memory; what changed is written with the next commit.
 */
#ifndef COUNTS_H
#define COUNTS_H

#include "base.h"
#include "names.h"

enum count_name {
    COUNT_ACCEPTED = 1,    /* by department */
    COUNT_FINISHED,        /* by department; label: an outcome, or one of the two below */
    COUNT_ATTEMPTS_FAILED, /* by department; label: the code. Parking ends with a failed attempt too */
    COUNT_PARKED,          /* the same */
    COUNT_REQUEUED,
    COUNT_REDIRECTED,
    COUNT_ACKNOWLEDGED, /* by department */
    COUNT_ANSWER_STEP,  /* label: the step of the histogram, not cumulated */
    COUNT_ANSWER_SUM,   /* microseconds */
    COUNT_WAIT_STEP,
    COUNT_WAIT_SUM,
    /* For choosing the best way to an answer; not told. */
    COUNT_OF_TYPE = 100,
    COUNT_OF_REQUESTER,
    COUNT_OF_STATE,
};
enum { FINISHED_EXPIRED = 100, FINISHED_CANCELLED = 101 };

struct counts;

struct counts *counts_new(void); /* NULL without memory */
void counts_free(struct counts **);
int counts_load(struct counts *, struct base *);
/* Adds, also less than nothing. 0 or -EST_NO_MEMORY. */
int counts_add(struct counts *, enum count_name, uint32_t department, uint32_t label, int64_t more);
uint64_t counts_get(const struct counts *, enum count_name, uint32_t department, uint32_t label);
/* Puts this span into the histogram `step` and its sum. */
int counts_span(struct counts *, enum count_name step, enum count_name sum, est_span);
/* Writes those that changed into the base's transaction. */
int counts_save(struct counts *, struct base *);
/* Packs the rows of COUNTERS_IS behind each other; how many. */
size_t counts_pack(const struct counts *, const struct names *, struct buffer *ret);

#endif
