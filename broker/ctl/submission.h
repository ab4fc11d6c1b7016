/* submission.h - inquiries under way: many at once, each followed to its receipt or its end.
 *
 * Only what the command line keeps of an inquiry lives here; `submit` and `submit --batch` differ
 * in how they make the list and how they print it.
 */
#ifndef SUBMISSION_H
#define SUBMISSION_H

#include "codec.h"
#include "peer.h"

#include <jansson.h>

enum stage {
    STAGE_NEW,      /* to be sent, or to be sent again */
    STAGE_SENT,     /* no word yet */
    STAGE_ACCEPTED, /* durable; the end is awaited */
    STAGE_ENDED,    /* answered, expired or cancelled */
    STAGE_REFUSED,  /* never accepted */
};

struct submission {
    est_id id;
    char *type, *purpose, *case_id, *trace; /* owned; NULL where there is none, except `type` */
    struct buffer body;
    est_time deadline;

    enum stage stage;
    uint64_t number;
    char *tracking, *department; /* owned */
    unsigned district, version;
    est_time received, due, ended;
    bool again;
    bool looked; /* its status was asked for and has not come */
    enum est_state state;
    enum est_outcome outcome;
    int code;   /* REFUSED, or why it ended */
    char *text; /* REFUSED: the sentence */
    est_defect *defects;
    size_t defects_count;
    est_span retry;
    char *reason, *legal_ref, *valid_until, *signer;
    json_t *reply;            /* an object, or NULL */
    int64_t sent_at, took_ms; /* took_ms: to the end, or to the receipt where that was all */
};

struct batch {
    struct submission *at;
    size_t count, room;
};

struct submission *batch_add(struct batch *); /* a new one, zeroed */
void batch_done(struct batch *);
/* The first of its texts that is longer than the protocol takes: type, purpose, case or trace, and
 * how many bytes it may have; NULL: none is. */
const char *submission_too_long(const struct submission *, size_t *ret_max);

struct flow_options {
    bool results;                                /* until each has ended; else until each has its receipt */
    bool try_again;                              /* BUSY is waited out instead of ending the submission */
    int wait_ms;                                 /* for all together */
    void (*accepted)(const struct submission *); /* told of each receipt; may be NULL */
};

/* Sends all, follows all, acknowledges results, and asks now and then after those without an end:
 * when all that is left is parked there is nothing to wait for. Ids are distinct. 0 when it came
 * to its end, or to the end of its time; else an exit status when the broker was lost and that was
 * told. */
int batch_run(struct batch *, struct peer *, const struct flow_options *);

/* The exit status that one submission, or a whole batch, comes to. */
int submission_status(const struct submission *, bool results);
int batch_status(const struct batch *, bool results);

#endif
