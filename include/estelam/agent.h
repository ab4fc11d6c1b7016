/* agent.h - for departments: take inquiries, answer them from the department's own system.
 *
 * The short way is a handler: est_agent_run calls it for every inquiry, in as many threads as
 * asked, renews the lease while it works, and sends the answer until the broker has recorded it.
 *
 *     static est_verdict answer(void *arg, const est_inquiry *in, est_answer *out) {
 *         est_slice parcel;
 *         if (!est_field_text(in->body, "nz", &parcel)) { … }
 *         est_body_int(out->body, "debt", look_up(parcel));
 *         out->outcome = EST_OUTCOME_POSITIVE;
 *         return EST_VERDICT_ANSWER;
 *     }
 *
 * What holds: an inquiry may be seen twice (a connection broke, a lease ran out), but only one
 * answer enters the record. When a lease is lost the handler's answer is dropped, and
 * est_inquiry_is_over says so to a handler that works long. Work that was under way when the
 * broker restarted is offered anew.
 *
 * Fork first, then open: in a child of the process that opened it est_agent_run returns -EST_CLOSED, and
 * est_agent_close frees little of it. A program that a handler starts inherits the thread's blocked signals:
 * empty the mask before exec (sigprocmask, POSIX_SPAWN_SETSIGMASK), or nothing but SIGKILL will end it.
 */
#ifndef ESTELAM_AGENT_H
#define ESTELAM_AGENT_H

#include <estelam/client.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct est_agent est_agent;

/* It and all that its slices point to live until the handler returns. */
typedef struct est_inquiry {
    uint64_t number, epoch;
    est_slice type, purpose, requester, case_id, trace;
    unsigned version, district, attempt; /* attempt: 1 for the first */
    est_slice body;                      /* msgpack map of the request fields */
    est_time received, due;
    const void *internal;
} est_inquiry;

typedef struct est_answer {
    enum est_outcome outcome;
    char reason[EST_NAME_MAX + 1];       /* a reason code that the type declares; RETRY and REFUSE: why */
    char remark[EST_TEXT_MAX + 1];       /* RETRY and REFUSE: a sentence, used where it is not empty */
    char legal_ref[EST_TEXT_MAX + 1];
    char valid_until[EST_DATE_MAX + 1];  /* a Jalali date, today or later, or empty */
    char signer[EST_SIGNER_MAX + 1];
    est_span after;                      /* RETRY: not before, but at most the broker's retry_max (5 min unless
                                          * its operator set another); 0: the broker's own back-off */
    est_body *body;                      /* the reply fields; made and freed by the library */
} est_answer;

typedef enum est_verdict {
    EST_VERDICT_ANSWER, /* the answer is in *out */
    EST_VERDICT_RETRY,  /* cannot answer now; counts as a failed attempt */
    EST_VERDICT_REFUSE, /* this agent will never answer it: it is parked for a person to see */
} est_verdict;

/* Called in the agent's own threads, `workers` at once. The answer comes in empty. Signals are
 * blocked there. */
typedef est_verdict (*est_handler)(void *arg, const est_inquiry *, est_answer *out);
/* Told of everything worth a log line: connections, refusals, lost leases. Called in the thread of
 * est_agent_run; code is an est_code, EST_OK for good news. May be NULL. */
typedef void (*est_logger)(void *arg, int code, const char *sentence);

typedef struct est_agent_options {
    est_options broker;          /* `window`: how many inquiries at once, those waiting here too */
    unsigned workers;            /* handlers at once, 1 ... 64; 0: 1 */
    /* The types this agent takes, ends with NULL; NULL: all its account may answer. One that the broker does not have, or
     * not for this account, is left out, which the logger is told, and asked for again every minute. */
    const char *const *types;
    const unsigned *districts;   /* the same for districts, ends with 0; district 0, without a parcel, comes with NULL alone */
    est_handler handler;
    est_logger logger;
    void *arg;                   /* for both */
} est_agent_options;

/* 0, -EST_INPUT, -EST_NO_MEMORY, -EST_IO. Does not wait for a connection. */
int est_agent_open(const est_agent_options *, est_agent **ret);
/* Works until est_agent_stop; then tells the broker, finishes what it holds (for at most
 * `drain_ms`), gives back the rest, which is no failed attempt, and returns 0. -EST_NOT_ALLOWED (with none of its types),
 * -EST_KEY_REVOKED, -EST_WRONG_DOOR and -EST_VERSION_UNSUPPORTED when the broker will never have it, -EST_INPUT when it
 * knows the key as another account than `broker.account`; every other trouble is waited out.
 * A handler that is still at work when it returns finds est_inquiry_is_over true. Once only:
 * -EST_CLOSED the second time, and in a forked child. */
int est_agent_run(est_agent *, int drain_ms);
/* From any thread or a signal handler. Before est_agent_run, it makes that return at once. */
void est_agent_stop(est_agent *);
/* Waits for the handlers that are at work. NULL-safe; sets *agent to NULL. Not while
 * est_agent_run runs. */
void est_agent_close(est_agent **);
/* Did the lease end, or the agent stop, while the handler worked? Any thread. */
bool est_inquiry_is_over(const est_inquiry *);

#ifdef __cplusplus
}
#endif
#endif
