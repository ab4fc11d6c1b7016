/* types.h - the words that every part of Estelam shares: ids, time, codes, states, outcomes.
 *
 * Nothing here allocates or does I/O. Integers on the wire and on disk are the ones of this
 * header; they never change their meaning, and a number that was given up is never used again.
 */
#ifndef ESTELAM_TYPES_H
#define ESTELAM_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* An instant: microseconds since 1970-01-01T00:00:00Z, always UTC. 0 means "none". */
typedef struct est_time {
    int64_t us;
} est_time;

/* A duration in microseconds. A different type from an instant, so that the two do not mix. */
typedef struct est_span {
    int64_t us;
} est_span;

#define EST_US_PER_MS 1000LL
#define EST_US_PER_S 1000000LL

/* Bytes that belong to somebody else. `data` may be NULL when `size` is 0. Text is UTF-8 and is
 * not terminated by a zero byte. */
typedef struct est_slice {
    const void *data;
    size_t size;
} est_slice;

/* An inquiry's id: the requester's idempotency key, 128 bits, time-ordered (UUIDv7) by
 * convention. The same id from the same account is the same inquiry for ever; two accounts may
 * use the same id for different inquiries. */
typedef struct est_id {
    uint8_t bytes[16];
} est_id;

/* "018f…-…" (36 characters and a zero byte) from an id, and back. */
#define EST_ID_TEXT_SIZE 37
void est_id_format(const est_id *id, char ret_text[EST_ID_TEXT_SIZE]);
/* Takes 32 hexadecimal digits with or without the four hyphens. 0, or -EST_MALFORMED. */
int est_id_parse(const char *text, est_id *ret_id);
/* A fresh UUIDv7 of now and the system's randomness. */
void est_id_new(est_id *ret_id);

/* Limits of the protocol. A broker may be configured lower, never higher; WELCOME tells. */
enum {
    EST_BODY_MAX = 64 * 1024,         /* bytes of one request or reply body */
    EST_FRAME_MAX = 1024 * 1024,      /* bytes of one frame */
    EST_NAME_MAX = 64,                /* bytes of an account, department or type name */
    EST_TEXT_MAX = 1000,              /* bytes of a reason, a remark, a legal reference */
    EST_TRACE_MAX = 128,              /* bytes of a traceparent */
    EST_CASE_MAX = 64,                /* bytes of a case id */
    EST_SIGNER_MAX = 200,             /* bytes of a signer's name */
    EST_DATE_MAX = 10,                /* bytes of a Jalali date, 1404/01/01 */
    EST_TRACKING_MAX = 20,            /* bytes of a tracking code */
    EST_NUMBERS_MAX = 1024,           /* numbers in one list (RESULT_ACK); pairs (RENEW, RECORDED) */
    EST_WINDOW_MAX = 4096,            /* inquiries or results in flight to one session */
    EST_DEFECTS_MAX = 64,             /* defects told of one body */
    EST_DEPTH_MAX = 8,                /* nesting of a body */
    EST_ITEMS_MAX = 4096,             /* elements of a body, all levels together */
};

/* Every code a command can be answered with. Stable: number, name, the layer at fault, and what
 * to do about it. `EST_CODES` is the one table: the protocol document, --help and the man pages
 * are made from it.
 *      name, number, layer, what it says, what to do */
#define EST_CODES(X)                                                                                  \
    X(OK, 0, NONE, "done", "")                                                                        \
    X(MALFORMED, 100, REQUESTER, "the frame or command is not of the protocol",                       \
      "read PROTOCOL.md; the broker closes the connection")                                           \
    X(VERSION_UNSUPPORTED, 101, REQUESTER, "no protocol version in common",                           \
      "use a version between the two that the answer names")                                          \
    X(TOO_LARGE, 102, REQUESTER, "larger than WELCOME allows", "send less; cite documents by digest") \
    X(HELLO_FIRST, 103, REQUESTER, "no session on this connection", "send HELLO first")               \
    X(WRONG_DOOR, 104, REQUESTER, "this command does not belong to this door",                        \
      "connect to the door of your role")                                                             \
    X(NOT_ALLOWED, 105, REQUESTER, "the account has no right to this",                                \
      "ask the operator to grant the type and purpose, or the level")                                               \
    X(KEY_REVOKED, 106, REQUESTER, "the key is revoked or outside its dates", "use a valid key")      \
    X(UNKNOWN_TYPE, 107, REQUESTER, "the catalogue has no such inquiry type",                         \
      "`estelam config show FOLDER` lists the types, and over HTTP GET /v1/catalogue/types")          \
    X(INVALID_BODY, 108, REQUESTER, "the body does not fit the type's fields",                        \
      "mend every defect listed and submit again")                                                    \
    X(CONFLICT, 109, REQUESTER, "this id was used for another inquiry", "use a fresh id")             \
    X(NOT_FOUND, 110, REQUESTER, "the account has no such inquiry", "check the id")                   \
    X(ALREADY_FINAL, 111, REQUESTER, "the inquiry has ended; its end never changes",                  \
      "ask for its status")                                                                           \
    X(DEADLINE_PASSED, 112, REQUESTER, "the deadline lies in the past", "submit with a later one")    \
    X(INVALID_FIELD, 113, REQUESTER, "a field of the command has no such value", "see the text")      \
    X(NOT_PARKED, 114, REQUESTER, "only a parked inquiry can be requeued", "ask for its status")      \
    X(BUSY, 200, BROKER, "a limit is reached; nothing was accepted",                                  \
      "try again after the time given: retry_ms, over HTTP Retry-After")                              \
    X(DRAINING, 201, BROKER, "the broker is draining",                                                \
      "try again after the time given: retry_ms, over HTTP Retry-After")                              \
    X(NOT_LEADER, 202, BROKER, "another broker leads", "use another endpoint")                        \
    X(STOPPING, 203, BROKER, "the broker is stopping", "connect again")                               \
    X(SILENT_PEER, 204, BROKER, "no sign of life for three heartbeats", "connect again")              \
    X(SLOW_PEER, 205, BROKER, "the peer does not read what it is sent", "connect again and read")     \
    X(INTERNAL, 206, BROKER, "the broker is at fault", "report it with the log")                      \
    X(STALE_EPOCH, 300, AGENT, "the lease is over; somebody else may hold it", "drop this work")      \
    X(INVALID_ANSWER, 301, AGENT, "the answer does not fit the type's reply fields",                  \
      "mend the agent's mapping; every defect is listed")                                             \
    X(AGENT_LOST, 302, AGENT, "the agent's connection ended while it held the lease",                 \
      "see the agent's log")                                                                          \
    X(LEASE_EXPIRED, 303, AGENT, "the agent did not renew its lease", "see the agent's log")          \
    X(AGENT_RETRY, 304, AGENT, "the agent could not answer now", "see the reason")                    \
    X(AGENT_REFUSED, 305, AGENT, "the agent will not answer this inquiry", "see the reason")          \
    X(ATTEMPTS_EXHAUSTED, 306, AGENT, "too many attempts failed; the inquiry is parked",              \
      "mend the cause, then `estelam parked requeue`")                                                \
    X(AGENT_LEFT, 307, AGENT, "the agent left in order and gave back what it held", "")               \
    X(EXPIRED, 400, DEPARTMENT, "the department did not answer before the deadline",                  \
      "submit again if still needed")                                                                 \
    X(CANCELLED, 401, DEPARTMENT, "the inquiry was cancelled", "")                                    \
    /* Never on the wire: what the far end's own library says. */                                     \
    X(TIMEOUT, 500, LOCAL, "nothing happened within the time given", "wait longer")                   \
    X(NO_MEMORY, 501, LOCAL, "out of memory", "")                                                     \
    X(UNREACHABLE, 502, LOCAL, "no broker could be reached", "check endpoints, keys and the network") \
    X(CLOSED, 503, LOCAL, "the handle is stopping", "")                                               \
    X(FULL, 504, LOCAL, "the window is full", "take what has come in, then try again")                \
    X(INPUT, 505, LOCAL, "a file or argument is wrong", "see the message")                            \
    X(IO, 506, LOCAL, "the operating system refused", "see the message")

enum est_code {
#define EST_CODE_ENUM(name, number, layer, says, advice) EST_##name = (number),
    EST_CODES(EST_CODE_ENUM)
#undef EST_CODE_ENUM
};

/* The layer at fault, in the words of the architecture. */
enum est_layer {
    EST_LAYER_NONE = 0,
    EST_LAYER_REQUESTER = 1, /* whoever sent the command */
    EST_LAYER_BROKER = 2,
    EST_LAYER_AGENT = 3,
    EST_LAYER_DEPARTMENT = 4,
    EST_LAYER_LOCAL = 5,
};

/* "INVALID_BODY" …; "UNKNOWN_CODE" for a number that is not in the table. Functions return codes
 * as negative numbers; these three take either sign. */
const char *est_code_name(int code);
const char *est_code_text(int code);   /* what it says */
const char *est_code_advice(int code); /* what to do */
enum est_layer est_code_layer(int code);
const char *est_layer_name(enum est_layer layer); /* "requester" … */

/* Where an inquiry is in its life. The last three are final. */
#define EST_STATES(X)                                                                           \
    X(WAITING, 1, "waiting")       /* in its queue */                                           \
    X(DELAYED, 2, "delayed")       /* an attempt failed; back in the queue at a known time */   \
    X(LEASED, 3, "leased")         /* an agent is at it */                                      \
    X(PARKED, 4, "parked")         /* set aside after too many failed attempts */               \
    X(ANSWERED, 5, "answered")                                                                  \
    X(EXPIRED, 6, "expired")                                                                    \
    X(CANCELLED, 7, "cancelled")

enum est_state {
    EST_STATE_NONE = 0,
#define EST_STATE_ENUM(name, number, text) EST_STATE_##name = (number),
    EST_STATES(EST_STATE_ENUM)
#undef EST_STATE_ENUM
};
const char *est_state_name(enum est_state state);
static inline bool est_state_is_final(enum est_state state) {
    return state >= EST_STATE_ANSWERED;
}

/* What a department says (domain rules of the catalogue: which a type allows, and that a
 * negative outcome names a reason code). */
#define EST_OUTCOMES(X)                          \
    X(POSITIVE, 1, "positive")                   \
    X(NEGATIVE, 2, "negative")                   \
    X(CONDITIONAL, 3, "conditional")             \
    X(NO_RECORD, 4, "no-record")                 \
    X(NOT_DIGITISED, 5, "not-digitised")         \
    X(NEED_DOCUMENT, 6, "need-document")         \
    X(NEED_VISIT, 7, "need-visit")               \
    X(NOT_MINE, 8, "not-mine")

enum est_outcome {
    EST_OUTCOME_NONE = 0,
#define EST_OUTCOME_ENUM(name, number, text) EST_OUTCOME_##name = (number),
    EST_OUTCOMES(EST_OUTCOME_ENUM)
#undef EST_OUTCOME_ENUM
};
const char *est_outcome_name(enum est_outcome outcome);
/* EST_OUTCOME_NONE when the text is none of the table's. */
enum est_outcome est_outcome_parse(est_slice text);

/* What an operator's account may do; each level may also do what those above it in this list may. */
#define EST_LEVELS(X)                                                                           \
    X(OBSERVER, 1, "observer")           /* counts only, never a personal field */              \
    X(OPERATOR, 2, "operator")           /* looks and steers; no bodies */                      \
    X(ADMINISTRATOR, 3, "administrator") /* bodies, drain, the index */

enum est_level {
    EST_LEVEL_NONE = 0, /* no operator */
#define EST_LEVEL_ENUM(name, number, text) EST_LEVEL_##name = (number),
    EST_LEVELS(EST_LEVEL_ENUM)
#undef EST_LEVEL_ENUM
};
const char *est_level_name(enum est_level level);
/* EST_LEVEL_NONE when the text is none of the table's. */
enum est_level est_level_parse(est_slice text);

/* One thing that is wrong with a body: which field (a path such as `plq.main` or `docs[2].id`),
 * a stable word for what kind of defect, and a sentence. */
#define EST_DEFECT_PATH_MAX 96
#define EST_DEFECT_KIND_MAX 24
#define EST_DEFECT_TEXT_MAX 200
typedef struct est_defect {
    char path[EST_DEFECT_PATH_MAX];
    char kind[EST_DEFECT_KIND_MAX]; /* unknown, missing, type, range, length, checksum, format, duplicate, choice */
    char text[EST_DEFECT_TEXT_MAX];
} est_defect;

#ifdef __cplusplus
}
#endif
#endif
