/* client.h - for requesters and operators: submit inquiries, take results, ask and steer.
 *
 * A client is one connection to the broker at a time, out of a list of endpoints. It reconnects
 * by itself (with growing, jittered pauses), says HELLO, sends again whatever has had no answer,
 * and beats its heart. It does this inside est_client_poll, so the program calls that often, or
 * waits on est_client_fd. Often is once in a heartbeat (5 s, unless the broker's operator set another) or more: a
 * session from which the broker heard nothing for three heartbeats is over, and what it had sent comes again in the
 * next. One thread uses a client at a time.
 *
 * Fork first, then open: a client lives in threads of its own, which a child does not get. In a child of the
 * process that opened it est_client_poll says EST_EVENT_DISCONNECTED with EST_CLOSED at once, every time,
 * est_client_close frees it without touching the parent's connection, and nothing else has any effect outside it.
 *
 *     est_client_open -> est_client_submit … -> est_client_poll -> events -> est_client_ack -> est_client_close
 *
 * What holds: a submit that got EST_EVENT_ACCEPTED is on the broker's disk. A submit that got
 * nothing yet is sent again on every new connection under the same id, so it is never doubled. A
 * result comes again until est_client_ack was called and the broker has recorded it.
 */
#ifndef ESTELAM_CLIENT_H
#define ESTELAM_CLIENT_H

#include <estelam/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define EST_ENDPOINTS_MAX 8

/* How to reach a broker, for clients and agents. The strings are copied. Keys are Z85, 40 characters. */
typedef struct est_options {
    const char *endpoints[EST_ENDPOINTS_MAX]; /* tried in order, round and round; ends with NULL */
    const char *server_key; /* NULL: PLAIN instead of CURVE, which a broker offers on loopback only */
    const char *public_key, *secret_key;      /* of the account; PLAIN sends public_key as the password */
    const char *account;                      /* the account's name; needed for PLAIN. NULL: whosever the key is */
    const char *software;                     /* shown to operators, such as "portal 2.1"; may be NULL */
    unsigned window;                          /* unacknowledged results or assignments at once; 0: 256 */
    unsigned results;                         /* clients: 0 none, 1 of this client's submits, 2 all of the account */
    unsigned heartbeat_ms;                    /* wished; 0: the broker's, which brokers of today keep to */
    est_span reconnect_first, reconnect_max;  /* 0: 100 ms, 10 s */
} est_options;

typedef struct est_client est_client;

/* A broker that knows the key as another account than `account` gives no session: EST_EVENT_DISCONNECTED with
 * EST_INPUT, both names in its text, and nothing of that account's is asked, told or acknowledged. It is
 * tried again, for the broker's list of accounts may be what was wrong.
 *
 * With results 1 the library keeps a copy of each submit until its result has come, since a new
 * connection has to submit it again to be sent the result; at most 65,536 of them. A program with
 * more open at once, or one whose inquiries outlive it, asks for 2 and picks its own by id.
 *
 * 0, -EST_INPUT (options: no endpoint or a wrong one, a key that is none, a public and a secret key that do not
 * belong together, no account in PLAIN, a text or a window that is too large), -EST_NO_MEMORY, -EST_IO. Does not
 * wait for a connection. */
int est_client_open(const est_options *, est_client **ret);
/* Sends what waits to be sent for at most 200 ms, says BYE. NULL-safe; sets *client to NULL. */
void est_client_close(est_client **client);
/* Becomes readable when est_client_poll has something to do, timers among it, and stays so until
 * est_client_poll has returned 0: for poll() and epoll, level-triggered. Not to be read from. Ask for
 * it once: the asking makes it readable, so that the first wait misses nothing. */
int est_client_fd(const est_client *);
/* Is there a session now? Its account's name, or NULL. */
const char *est_client_account(const est_client *);
/* What the broker said of itself and of the account when the session began; 0 and NULL where there
 * is none. Revision 2 brought pause, redirect, keys, config, events, find, reindex and counters; to
 * an earlier broker they break the session. */
enum est_level est_client_level(const est_client *); /* EST_LEVEL_NONE: no operator */
unsigned est_client_revision(const est_client *);
const char *est_client_city(const est_client *);

typedef struct est_submit {
    est_id id;               /* est_id_new() makes one; keep it until the end is known */
    const char *type, *purpose;
    est_slice body;          /* msgpack map of the request fields */
    est_time deadline;       /* 0: the type's own */
    const char *trace, *case_id; /* may be NULL; a case_id is a line without control characters */
} est_submit;

/* Queues a copy of it, connected or not; the outcome comes as EST_EVENT_ACCEPTED or
 * EST_EVENT_REFUSED. What is queued before one poll leaves in one frame, so submit many, then
 * poll. 0; -EST_FULL when as many asks as WELCOME allows (4,096 at most) are unanswered, or too
 * many results awaited: poll, then try again; -EST_TOO_LARGE; -EST_INPUT where the body is no msgpack map, the id is zero or
 * a text is too long or not UTF-8; -EST_NO_MEMORY. The same submit once more while it is
 * unanswered changes nothing and brings one event; another under its id is -EST_CONFLICT. */
int est_client_submit(est_client *, const est_submit *);
/* The program has the result safe: the broker need not keep it for this account. 0, -EST_FULL. */
int est_client_ack(est_client *, uint64_t number);

/* The asks below come back as events carrying `ref`, whatever number the program likes. An inquiry
 * is named by id or, where `id` is NULL, by number. 0, -EST_FULL, -EST_INPUT, -EST_NO_MEMORY. An
 * ask without an answer is asked again on a new connection, so that a cancel or requeue which the
 * broker had done already may come back as refused, with ALREADY_FINAL or NOT_PARKED. */
int est_client_status(est_client *, uint64_t ref, const est_id *id, uint64_t number, bool bodies);
int est_client_timeline(est_client *, uint64_t ref, const est_id *id, uint64_t number);
int est_client_cancel(est_client *, uint64_t ref, const est_id *id, uint64_t number, const char *reason);
/* Operators. `department` NULL: all. `after`: 0, or what the page before gave as `next`. */
int est_client_queues(est_client *, uint64_t ref, const char *department, uint64_t after, unsigned limit);
int est_client_agents(est_client *, uint64_t ref, const char *department, uint64_t after, unsigned limit);
int est_client_parked(est_client *, uint64_t ref, const char *department, uint64_t after, unsigned limit);
int est_client_requeue(est_client *, uint64_t ref, uint64_t number, const char *reason);
int est_client_drain(est_client *, uint64_t ref, bool on, const char *reason);
int est_client_stats(est_client *, uint64_t ref);
/* `on`: the department's agents get no new leases; false ends it. `reason` is needed, as in each
 * call below that has one. */
int est_client_pause(est_client *, uint64_t ref, const char *department, bool on, const char *reason);
/* To the same type's queue in another district; 0: none. */
int est_client_redirect(est_client *, uint64_t ref, uint64_t number, unsigned district, const char *reason);
int est_client_keys(est_client *, uint64_t ref, const char *department, uint64_t after, unsigned limit);
int est_client_config(est_client *, uint64_t ref);
/* The log's events after the sequence `after`. `next` is the `after` of the page that follows, also
 * when there is nothing yet. */
int est_client_events(est_client *, uint64_t ref, const char *department, uint64_t after, unsigned limit);
/* `filter` NULL or empty: everything. The newest come first. */
int est_client_find(est_client *, uint64_t ref, const char *filter, uint64_t after, unsigned limit, bool count);
int est_client_reindex(est_client *, uint64_t ref, const char *reason);
int est_client_counters(est_client *, uint64_t ref);

enum est_event_kind {
    EST_EVENT_NONE = 0,
    EST_EVENT_CONNECTED,    /* a session began */
    EST_EVENT_DISCONNECTED, /* it ended, or could not begin: code, text; the client goes on trying */
    EST_EVENT_ACCEPTED,
    EST_EVENT_REFUSED,      /* of any ask: code, text, defects, and id (submit) or ref */
    EST_EVENT_RESULT,
    EST_EVENT_STATUS,
    EST_EVENT_TIMELINE,     /* rows */
    EST_EVENT_DONE,         /* cancel, requeue, drain, pause, redirect, reindex */
    EST_EVENT_QUEUES, EST_EVENT_AGENTS, EST_EVENT_PARKED, EST_EVENT_STATS, /* rows, next */
    EST_EVENT_KEYS,         /* rows, next */
    EST_EVENT_CONFIG,       /* rows */
    EST_EVENT_EVENTS,       /* rows, next, head */
    EST_EVENT_FIND,         /* rows, next, count, counted_all, behind */
    EST_EVENT_COUNTERS,     /* rows, seq */
};

typedef struct est_event {
    enum est_event_kind kind;
    uint64_t ref;
    est_id id;
    uint64_t number;
    int code;                /* est_code, positive */
    enum est_layer layer;
    enum est_state state;
    enum est_outcome outcome;
    bool again;              /* ACCEPTED: it had been accepted before */
    unsigned version, district, attempts;
    est_time at, due, ended, acked, until; /* at: received; EVENTS: when what is confidential was configured */
    est_span retry;          /* REFUSED with BUSY or DRAINING */
    est_slice text;          /* REFUSED, DISCONNECTED: the sentence */
    est_slice tracking, account, type, department, purpose, case_id, holder;
    est_slice reason, legal_ref, valid_until, signer;
    est_slice request, body; /* msgpack maps: what was asked, what was answered */
    est_slice rows;          /* packed rows; read with the est_row_* calls below; REFUSED: the defects */
    uint64_t next;           /* `after` of the next page; 0: no more */
    uint64_t head;           /* EVENTS: the newest sequence on disk */
    uint64_t seq;            /* COUNTERS: how far in the log they count */
    uint64_t count, behind;  /* FIND: how many match, where asked; events on disk and not in the index yet */
    bool counted_all;        /* FIND: `count` is all of them, and not only the first so many */
} est_event;

/* Does what is due and gives the next event: 1 and *ret set, or 0 when none came within
 * `timeout_ms` (0: do not wait; -1: wait). Slices live until the next call of est_client_poll. */
int est_client_poll(est_client *, int timeout_ms, est_event *ret);

/* Rows of an event, one at a time; `index` from 0. True while there is such a row. */
typedef struct est_queue_row { est_slice department; unsigned district; uint64_t waiting, delayed, leased, parked; est_time oldest; uint64_t agents; bool paused; uint64_t unserved; } est_queue_row;
typedef struct est_agent_row { uint64_t session; est_slice account, department, software, address; uint64_t window, leased, answered; est_time since, heard; } est_agent_row;
typedef struct est_parked_row { uint64_t number; est_slice type, department, reason; unsigned district, attempts; est_time at; int code; } est_parked_row;
typedef struct est_timeline_row { uint64_t seq; est_time at; est_slice event, actor, text; int code; } est_timeline_row;
typedef struct est_stat_row { est_slice name; uint64_t value; } est_stat_row;
/* `key`: the first 8 characters of the public key. */
typedef struct est_key_row { est_slice account, role, department, key; enum est_level level; est_time from, until; uint64_t sessions; } est_key_row;
typedef struct est_config_row { est_slice name, value; } est_config_row;
/* `leased`: when the lease began that this event ended; 0: none. `confidential`: its type is, and of operators an
 * administrator alone sees it. */
typedef struct est_event_row {
    uint64_t seq, number;
    est_time at, leased;
    int code;
    enum est_outcome outcome;
    unsigned district;
    bool confidential;
    est_slice event, actor, text, type, department, requester, case_id, tracking;
} est_event_row;
/* `id` as text, for a requester may use any 16 bytes. */
typedef struct est_find_row {
    uint64_t number;
    unsigned version, district, attempts;
    enum est_state state;
    enum est_outcome outcome;
    int code;
    est_time received, due, ended;
    est_slice id, tracking, type, department, requester, purpose, case_id, parcel;
} est_find_row;
typedef struct est_counter_row { est_slice name, department, label; uint64_t value; } est_counter_row;
bool est_row_queue(const est_event *, size_t index, est_queue_row *ret);
bool est_row_agent(const est_event *, size_t index, est_agent_row *ret);
bool est_row_parked(const est_event *, size_t index, est_parked_row *ret);
bool est_row_timeline(const est_event *, size_t index, est_timeline_row *ret);
bool est_row_stat(const est_event *, size_t index, est_stat_row *ret);
bool est_row_key(const est_event *, size_t index, est_key_row *ret);
bool est_row_config(const est_event *, size_t index, est_config_row *ret);
bool est_row_event(const est_event *, size_t index, est_event_row *ret);
bool est_row_find(const est_event *, size_t index, est_find_row *ret);
bool est_row_counter(const est_event *, size_t index, est_counter_row *ret);
bool est_row_defect(const est_event *, size_t index, est_defect *ret); /* REFUSED */

/* --- Bodies: a msgpack map built and read field by field. ------------------------------------- */

/* Lists and records in a body are msgpack values of their own, which the calls below hand on whole (est_body_raw,
 * est_field_raw): to make or read what is in them takes a msgpack library of the program's own. */

typedef struct est_body est_body;
est_body *est_body_new(void);                 /* NULL: no memory */
void est_body_free(est_body **);
void est_body_clear(est_body *);
/* Each adds one field. A failure (memory, more than EST_BODY_MAX bytes or EST_ITEMS_MAX items, more levels than
 * EST_DEPTH_MAX, a name used twice, a text that is not UTF-8, a value that is not one whole msgpack value) shows in
 * est_body_slice. The body itself is the first level; its items are the fields of every map and the elements of
 * every list, of all levels together. */
void est_body_text(est_body *, const char *name, const char *value);
void est_body_int(est_body *, const char *name, int64_t value);
void est_body_bool(est_body *, const char *name, bool value);
/* `value` is one packed msgpack value of any kind. */
void est_body_raw(est_body *, const char *name, est_slice value);
/* The whole map; lives until the next change. -EST_NO_MEMORY, -EST_TOO_LARGE, -EST_INPUT. */
int est_body_slice(est_body *, est_slice *ret);
/* Why est_body_slice failed last, in a few words, such as "nested too deep"; lives as long as the library. */
const char *est_body_fault(const est_body *);
/* A field of a map that came in; false where it is absent or of another kind. A text lives as long
 * as the map and has no zero byte at its end. */
bool est_field_text(est_slice body, const char *name, est_slice *ret);
bool est_field_int(est_slice body, const char *name, int64_t *ret);
bool est_field_bool(est_slice body, const char *name, bool *ret);
bool est_field_raw(est_slice body, const char *name, est_slice *ret);

#ifdef __cplusplus
}
#endif
#endif
