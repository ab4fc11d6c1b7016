/* check.h - is this store whole? Walks everything and trusts nothing.
 *
 * The log is read from its first event to its last: numbers without a gap, a checksum on each
 * record, times that never go back, each event following the newest of its inquiry, the running
 * digest. Every event is folded, by the same function that the broker folds with, and the result
 * is compared with the tables: open, ended, ids, things, their counts, and the head.
 *
 * Last comes the journal of a store that is not open: how many events wait in it, and whether one before
 * them is missing. A torn batch at its end is not called damage: a power cut leaves one, and nobody was told
 * of it. Where the disk has changed a whole one it looks the same. Beside a broker the journal is not looked at, it changes under one's eyes.
 *
 * Nothing is changed in the folder, and nothing is left there: where no broker has made a lock file yet, none is
 * made.
 *
 * It works in a closed store and beside a running broker alike. The log is read in stretches, each
 * in a transaction of its own, so that the broker may use again what it frees meanwhile; the
 * comparison is made in the last one, where log and tables are of one moment. It holds in memory
 * what the broker holds: the inquiries not yet acknowledged.
 */
#ifndef CHECK_H
#define CHECK_H

#include "store.h"

enum { CHECK_KEY_SIZE = 96, CHECK_WHY_SIZE = 400, CHECK_STATES = EST_STATE_CANCELLED + 1 };

struct store_check {
    bool damaged;
    const char *table;        /* of the first bad record: "log", "ids" …; "file" where the file itself is */
    char key[CHECK_KEY_SIZE]; /* its key, as people write it: "17", "account 3, id 0198…" */
    char why[CHECK_WHY_SIZE]; /* a sentence: what is wrong with it, or why nothing could be checked */
    struct store_head head;   /* of what was walked */
    est_time first;           /* time of the first event; 0 in an empty store */
    uint64_t log_bytes, used_bytes;           /* of the records in the log; of the whole file */
    uint64_t inquiries, states[CHECK_STATES]; /* by their state, open and ended; never LEASED */
    uint64_t acknowledged, things;
    uint64_t unsettled;       /* rows that opening the store folds out of the log's end */
    bool journal_seen;        /* false: not looked at, since a broker writes it */
    uint64_t journal_events;  /* promised, and not in the log yet: the next start puts them there */
    bool journal_torn;        /* and behind them a batch that is not whole */
};

/* 0: it was checked, and `ret->damaged` is the result. -EST_IO, -EST_NO_MEMORY: it could not be;
 * store_error() has the sentence. */
int store_check(struct store *, struct store_check *ret);

/* Opens this folder for reading and checks it, in a child process: pages that lead LMDB astray can
 * kill whoever follows them, and that too is a result. 0 as above, also where a damaged store did
 * not open; -EST_NOT_FOUND: there is no store here; else as above, with the sentence in `ret->why`. */
int store_check_folder(const char *directory, struct store_check *ret);

#endif
