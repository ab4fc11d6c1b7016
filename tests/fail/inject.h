/* inject.h - what the failing shim reads from its environment, and what it leaves behind.
 */
#ifndef INJECT_H
#define INJECT_H

#include <stdint.h>

#define FAIL_CALL_ENV   "FAIL_CALL"   /* one of fail_calls */
#define FAIL_NTH_ENV    "FAIL_NTH"    /* the nth such call fails, from 1; 0: none, they are counted */
#define FAIL_STICKY_ENV "FAIL_STICKY" /* and all after it */
#define FAIL_TALLY_ENV  "FAIL_TALLY" /* a file of one struct fail_tally, mapped, so that it outlives a crash \
                                      */

struct fail_tally {
    uint64_t calls, failed;
};

#endif
