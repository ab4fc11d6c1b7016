/* skew.h - the broker's clock, set ahead and back while it runs, by libfaketime where the machine
 * has it. Only the time of day is skewed, as an operator or a bad time server would; the monotonic
 * clock goes on as it does. */
#ifndef SKEW_H
#define SKEW_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* From here on processes are started with a clock that FOLDER/clock sets. False: this machine or
 * this build cannot, and nothing changes. */
bool skew_begin(const char *folder);
/* From here on processes are started with the machine's own clock. */
void skew_end(void);
void skew_set(int64_t ahead_us);
/* libfaketime keeps a semaphore and a page for each process, and one that was killed leaves them. */
void skew_sweep(pid_t pid);

#endif
