/* probe.h - the machine: how fast its disk syncs at this moment, before a round; whether it may doze. */
#ifndef PROBE_H
#define PROBE_H

#include "bench.h"

/* The median of some dozen synced writes of a page in this folder, in microseconds; 0 where it cannot
 * be found out. */
uint64_t probe_sync_us(const char *folder);
/* The smallest and the largest of these rows; a line that says so, and warns where they are far apart:
 * then somebody else used disk or processors, and rows are not to be compared. */
void probe_tell(const struct row *, size_t count);

/* From now until the process ends no processor of this machine halts when it has nothing to do: it spins, and
 * is there at once when something comes. A processor of a virtual machine that halts has to be woken by
 * the host, some 25 microseconds later, and an inquiry wakes a dozen threads one after the other. This is the
 * kernel's own setting (PM QoS), for whoever runs on it: every system of the run has it. 0, or -EST_IO after a
 * line that says why: the kernel has no such device, or we are not root. */
int probe_awake(void);

#endif
