/* recover.h - a store after a power cut: does it start as the broker starts it, and is all there? */
#ifndef RECOVER_H
#define RECOVER_H

#include <stddef.h>
#include <stdint.h>

/* What the trace says of the moment of the cut. */
struct promise {
    const uint64_t *checksums; /* of event `seq`, at [seq] */
    uint64_t promised;         /* every event up to this one must be there */
    uint64_t committing;       /* and the log may end here instead, all or nothing; 0: nothing under way */
};

enum { VERDICT_SIZE = 600 };

/* Starts on this folder: store, record into a core, a new generation, as the broker's main does;
 * and compares. 0, or -1 with the sentence that says what was broken. */
int recover_and_judge(const char *folder, uint64_t size_max, const struct promise *,
                      char ret_why[VERDICT_SIZE]);

#endif
