/* probe.h - how fast the disk syncs at this moment, before a round. */
#ifndef PROBE_H
#define PROBE_H

#include "bench.h"

/* The median of some dozen synced writes of a page in this folder, in microseconds; 0 where it cannot
 * be found out. */
uint64_t probe_sync_us(const char *folder);
/* The smallest and the largest of these rows; a line that says so, and warns where they are far apart:
 * then somebody else used disk or processors, and rows are not to be compared. */
void probe_tell(const struct row *, size_t count);

#endif
