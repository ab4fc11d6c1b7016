/* recount.h - the log's counters counted once more, from the log itself and nothing else: no index, no table.
 */
#ifndef RECOUNT_H
#define RECOUNT_H

#include "strict.h"

/* Reads every event of the store in `folder`, whose broker has stopped, and gives the series that /metrics
 * should have, those of histograms with the bounds that `shown` has. Fails the test where it cannot. */
void recount(const char *folder, const struct exposition_read *shown, struct exposition_read *ret);

#endif
