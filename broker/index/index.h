/* index.h - search and event feed: a thread of its own, behind the log.
 *
 * The loop hands questions over and takes answers back; it never waits for the thread, and the thread
 * never holds anything that the loop needs. It runs with less right to the processor than the loop,
 * looks for new events some twenty times a second, and follows them in its own time: what it has not
 * seen yet is told with every answer. Search is not answered while the index is further behind than
 * INDEX_LAG_MAX, or while it is being built: nobody is to take half an answer for a whole one.
 *
 * Whatever fails in here (a full disk, a damaged index, no memory) ends search for a while and never
 * the broker: the thread says so in the log, and begins again some seconds later.
 */
#ifndef INDEX_H
#define INDEX_H

#include "ident.h"
#include "message.h"
#include "store.h"

struct index;

enum {
    INDEX_QUESTIONS_MAX = 256, /* that wait; beyond it BUSY */
    /* Up to here the thread gives way to a loop in a rush, beyond it no more: so much time behind, and in any case
     * so many events. A bound of events alone let search lag for a minute where a rush was a slow one, and for
     * hardly a second where it was not. */
    INDEX_LAG_BORNE_S = 4,
    INDEX_LAG_BORNE = 3000000,
    INDEX_LAG_MAX = 4000000, /* events */
    INDEX_LEASED_MAX = 1 << 17,
    INDEX_WHY_SIZE = 600,
};

struct index_options {
    const char *folder;
    struct store *store; /* outlives the index */
    void (*log)(int level, const char *format, ...) __attribute__((format(printf, 2, 3))); /* any thread */
};

/* 0, -EST_NO_MEMORY, -EST_IO: no thread, no file descriptor. A folder that cannot be used is no
 * error here: it shows in the status. */
int index_start(const struct index_options *, struct index **ret);
/* Waits for the thread, which commits what it has. Before the store is closed. NULL-safe. */
void index_stop(struct index **);
/* Readable while an answer waits. */
int index_fd(const struct index *);

/* Who asked: a peer, and in which of its lives. */
struct index_asker {
    uint32_t peer;
    int64_t since_us;
};

/* What the loop knows at the moment of a question and the thread does not. */
struct index_moment {
    uint64_t seq; /* of the newest event: the answer waits a little until it is in the index */
    uint64_t types_seq; /* of the newest event about a type since the broker began; 0: none */
    const struct parcel_rule *rule; /* as in find.h */
    uint64_t *leased;               /* ascending, allocated; taken over in any case; NULL for none */
    size_t leased_count;
    bool *confidential; /* by a type's number, allocated; taken over in any case; NULL: no type is */
    size_t confidential_count;
    bool sees_all;          /* the asker sees confidential inquiries too */
    est_time configured;    /* since when that is what is confidential */
};
/* `m` is EVENTS, FIND, COUNTERS or REINDEX, and is copied. 0 or -EST_BUSY. */
int index_hand_over(struct index *, struct index_asker, const struct message *m, const struct index_moment *);

/* An answer: the message to send (its rows lie in `rows`), or ERROR with its text in `why`. */
struct index_answer {
    struct index_asker asker;
    struct message message;
    struct buffer rows;
    char why[INDEX_WHY_SIZE];
};
/* Does one wait? Costs nothing to ask. */
bool index_has_answer(const struct index *);
/* The next one, to be given back to index_answer_free. NULL where none waits. */
struct index_answer *index_take(struct index *);
void index_answer_free(struct index_answer **);

struct index_status {
    uint64_t seq, head; /* folded; newest on disk */
    uint64_t entries, bytes;
    bool rebuilding; /* from nothing, and not yet at the log's end for the first time */
    bool failed;     /* search is off; `why` says why */
    char why[INDEX_WHY_SIZE];
};
void index_status(struct index *, struct index_status *ret);

#endif
