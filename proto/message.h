/* message.h - every command of the protocol as a C struct, and its two directions.
 *
 * A frame is one byte, the protocol version, then commands back to back. A command is a msgpack
 * array of two: its verb, and a map whose keys are the small integers of PROTOCOL.md in ascending
 * order. A key that this version does not know is checked and skipped.
 *
 * Reading and writing are driven by one table of fields per verb (message.c), from which the
 * tables of PROTOCOL.md are made too. An optional field that is zero or empty is not written;
 * one that is absent reads as zero or empty.
 *
 * Slices in a message that was read point into the frame; lists of numbers into the message.
 */
#ifndef MESSAGE_H
#define MESSAGE_H

#include "codec.h"

/* The revision counts what was added within a version: WELCOME tells it, and 0 is the first. */
enum { PROTOCOL_VERSION = 1, PROTOCOL_REVISION = 2 };

/* Which end may send a verb, and through which door. */
enum door { DOOR_REQUESTER = 1, DOOR_DEPARTMENT = 2, DOOR_OPERATOR = 4, DOOR_ANY = 7 };
enum direction { TO_BROKER = 1, TO_FAR_END = 2, BOTH_WAYS = 3 };

enum verb {
    VERB_NONE = 0,
    /* any door */
    VERB_HELLO = 1, VERB_WELCOME = 2, VERB_PING = 3, VERB_PONG = 4, VERB_BYE = 5, VERB_ERROR = 6, VERB_DONE = 7,
    /* requesters */
    VERB_SUBMIT = 16, VERB_ACCEPTED = 17, VERB_CANCEL = 18, VERB_STATUS = 19, VERB_STATUS_IS = 20,
    VERB_TIMELINE = 21, VERB_TIMELINE_IS = 22, VERB_RESULT = 23, VERB_RESULT_ACK = 24,
    /* departments */
    VERB_READY = 32, VERB_ASSIGN = 33, VERB_ANSWER = 34, VERB_RECORDED = 35, VERB_RETRY = 36, VERB_REFUSE = 37,
    VERB_RENEW = 38, VERB_RENEWED = 39, VERB_REVOKE = 40, VERB_LEAVE = 41,
    /* operators */
    VERB_QUEUES = 48, VERB_QUEUES_IS = 49, VERB_AGENTS = 50, VERB_AGENTS_IS = 51, VERB_PARKED = 52,
    VERB_PARKED_IS = 53, VERB_REQUEUE = 54, VERB_DRAIN = 55, VERB_STATS = 56, VERB_STATS_IS = 57,
    VERB_PAUSE = 58, VERB_REDIRECT = 59, VERB_KEYS = 60, VERB_KEYS_IS = 61, VERB_CONFIG = 62, VERB_CONFIG_IS = 63,
    VERB_EVENTS = 64, VERB_EVENTS_IS = 65, VERB_FIND = 66, VERB_FIND_IS = 67, VERB_REINDEX = 68,
    VERB_COUNTERS = 70, VERB_COUNTERS_IS = 71,
    VERB_MAX = 79,
};

/* Up to EST_NUMBERS_MAX unsigned integers. */
struct numbers {
    size_t count;
    uint64_t at[EST_NUMBERS_MAX * 2];
};

/* Which results a requester's session takes. */
enum results_mode {
    RESULTS_NONE = 0,
    RESULTS_OWN = 1, /* of the inquiries submitted (also again) in this session */
    RESULTS_ALL = 2, /* of every inquiry of the account */
};

struct hello {
    uint64_t version_min, version_max;
    est_slice software; /* "libestelam/1.0 portal" */
    uint64_t window;    /* how many unacknowledged results (requester) the session takes at once */
    uint64_t frame_max; /* bytes of the largest frame it reads */
    uint64_t results;   /* enum results_mode */
    uint64_t heartbeat_ms; /* wished; 0 leaves it to the broker */
};
struct welcome {
    uint64_t version, session;
    est_slice account, city;
    uint64_t heartbeat_ms; /* the far end gives a sign of life this often, and asks for one; silence of three ends the session */
    uint64_t window;       /* granted, for results or assignments */
    uint64_t asks_max;     /* commands that ask, unanswered at once: beyond it BUSY */
    uint64_t frame_max, body_max, lease_ms;
    uint64_t time_us;
    uint64_t revision;     /* PROTOCOL_REVISION of the broker */
    uint64_t level;        /* enum est_level of an operator's account */
};
struct ping { uint64_t token; };                 /* PING and PONG */
struct bye { uint64_t code; est_slice text; };
struct error_is {                                /* ERROR: the one shape of every refusal */
    uint64_t ref;       /* of the command refused, where it had one */
    est_id id;          /* of the inquiry, for SUBMIT */
    uint64_t number, epoch; /* for ANSWER, RETRY, REFUSE */
    uint64_t code, layer;
    est_slice text;     /* what, where, what to do */
    est_slice defects;  /* array of [path, kind, text]; see defects_pack/next */
    uint64_t retry_ms;  /* with BUSY and DRAINING: not before */
};
struct done { uint64_t ref; };

struct submit {
    est_id id;
    est_slice type, purpose;
    est_slice body;        /* a map: the request fields */
    uint64_t deadline_us;  /* the requester's own, an instant; 0: the type's */
    est_slice trace, case_id;
};
struct accepted {
    est_id id;
    uint64_t number;
    est_slice tracking;
    uint64_t at_us, due_us;
    uint64_t again;        /* 1: this id was accepted before; the receipt is the same */
    uint64_t state, version;
    est_slice department;
    uint64_t district;
};
struct cancel { uint64_t ref; est_id id; uint64_t number; est_slice reason; };
struct status { uint64_t ref; est_id id; uint64_t number; uint64_t bodies; };
struct status_is {
    uint64_t ref;
    est_id id;
    uint64_t number;
    est_slice tracking, account, type;
    uint64_t version;
    est_slice department;
    uint64_t district, state;
    uint64_t received_us, due_us;
    uint64_t attempts;
    uint64_t until_us;     /* lease end, or end of a delay or of the inquiry, whichever comes first */
    est_slice holder;      /* the department account that holds the lease */
    uint64_t ended_us, acked_us;
    uint64_t outcome, code; /* code: why parked, expired or cancelled */
    est_slice reason;      /* the answer's reason code, or why parked or cancelled */
    est_slice legal_ref, valid_until, signer;
    est_slice purpose, case_id;
    est_slice request, reply; /* bodies, when asked for and allowed */
};
struct timeline { uint64_t ref; est_id id; uint64_t number; };
struct timeline_is { uint64_t ref; est_id id; uint64_t number; est_slice rows; };
struct result {
    est_id id;
    uint64_t number, state, outcome;
    est_slice reason, legal_ref, valid_until, signer;
    est_slice body;        /* the reply fields; a map, empty unless answered */
    uint64_t ended_us;
    est_slice department;
    uint64_t code;         /* EXPIRED, CANCELLED, or 0 */
};
struct result_ack { struct numbers numbers; };

struct ready { uint64_t ref, window; est_slice types, districts; /* arrays of text / of uint; absent: all allowed */ };
struct assign {
    uint64_t number, epoch;
    est_slice type;
    uint64_t version;
    est_slice purpose, requester, case_id, trace;
    uint64_t district;
    est_slice body;
    uint64_t received_us, due_us, lease_ms, attempt;
};
struct answer {
    uint64_t number, epoch, outcome;
    est_slice reason, legal_ref, valid_until, signer;
    est_slice body;
};
struct recorded { struct numbers pairs; };       /* number, epoch, number, epoch … */
struct retry { uint64_t number, epoch; est_slice reason; uint64_t after_ms; };
struct refuse { uint64_t number, epoch; est_slice reason; };
struct renew { struct numbers pairs; };
struct renewed { struct numbers pairs; };        /* those that are still held; the others are over */
struct revoke { uint64_t number, epoch, code; };
struct leave { uint64_t ref; };                  /* no more assignments; what is held is finished */

struct page { uint64_t ref, after, limit; est_slice department; }; /* QUEUES, AGENTS, PARKED, KEYS, EVENTS */
struct page_is { uint64_t ref; est_slice rows; uint64_t next; };   /* next: `after` of the next page; 0: no more */
struct requeue { uint64_t ref, number; est_slice reason; };
struct drain { uint64_t ref, on; est_slice reason; };
struct stats { uint64_t ref; };
struct stats_is { uint64_t ref; est_slice rows; };                 /* array of [name, value] */
struct pause { uint64_t ref; est_slice department; uint64_t on; est_slice reason; };
struct redirect { uint64_t ref, number, district; est_slice reason; };
struct config_ask { uint64_t ref; };
struct config_is { uint64_t ref; est_slice rows; };                /* array of [name, value], both text */
struct events_is {
    uint64_t ref;
    est_slice rows;
    uint64_t next, head;    /* head: the newest seq on disk */
    uint64_t configured_us; /* when the configuration came into force that says what is confidential */
};
struct find { uint64_t ref; est_slice filter; uint64_t after, limit, count; };
struct find_is {
    uint64_t ref;
    est_slice rows;
    uint64_t next, count;  /* count: how many match, where it was asked for */
    uint64_t behind;       /* events on disk that are not in the index yet */
    uint64_t counted_all;  /* 1: `count` is all of them; 0: at least so many */
};
struct reindex { uint64_t ref; est_slice reason; };
struct counters_ask { uint64_t ref; };
struct counters_is { uint64_t ref; est_slice rows; uint64_t seq; }; /* seq: how far in the log they count */

struct message {
    enum verb verb;
    uint32_t fault_key; /* of a command that message_next refused: the field's, 0: of none; see message_fault */
    union {
        struct hello hello; struct welcome welcome; struct ping ping; struct bye bye; struct error_is error; struct done done;
        struct submit submit; struct accepted accepted; struct cancel cancel; struct status status;
        struct status_is status_is; struct timeline timeline; struct timeline_is timeline_is; struct result result;
        struct result_ack result_ack;
        struct ready ready; struct assign assign; struct answer answer; struct recorded recorded; struct retry retry;
        struct refuse refuse; struct renew renew; struct renewed renewed; struct revoke revoke; struct leave leave;
        struct page page; struct page_is page_is; struct requeue requeue; struct drain drain;
        struct stats stats; struct stats_is stats_is; struct pause pause; struct redirect redirect;
        struct config_ask config; struct config_is config_is; struct events_is events_is;
        struct find find; struct find_is find_is; struct reindex reindex;
        struct counters_ask counters; struct counters_is counters_is;
    };
};

/* Limits of a command beside those of types.h. */
enum {
    COMMAND_FIELDS_MAX = 64, /* fields of one command, unknown ones too */
    SOFTWARE_MAX = 128,      /* bytes of HELLO.software */
    ROWS_MAX = 4096,         /* rows of one answer */
};

/* Starts a frame in an empty buffer: the version byte. */
void frame_begin(struct buffer *);
/* Opens a frame for reading. False where it is empty or of another version. */
bool frame_open(struct cursor *ret_cursor, est_slice frame);

/* Appends one command. */
void message_pack(struct buffer *, const struct message *);
/* Reads the next command. 1: one was read. 0: the frame is at its end. -EST_MALFORMED: the frame
 * breaks the protocol from here on, cursor->bad says how. Only the fields of the verb read are
 * set in *ret (a list of numbers only as far as its count). */
int message_next(struct cursor *, struct message *ret);
/* What message_next refused with -EST_MALFORMED and where, as a sentence cut to `size` bytes:
 * "SUBMIT.type, byte 21: text is expected". The byte is where reading stopped, counted from 0 in the frame. */
void message_fault(const struct cursor *, const struct message *, char *ret, size_t size);

const char *verb_name(enum verb);
enum direction verb_direction(enum verb); /* 0 for a verb that does not exist */
enum door verb_doors(enum verb);          /* bits of enum door */
size_t verb_size(enum verb);              /* bytes of its struct in struct message (of a list: of its count) */

/* One field of a verb's table, for what is made from the tables: the check of PROTOCOL.md, the
 * test vectors, a packet printer. */
struct protocol_field {
    size_t key;
    const char *name, *type; /* type: uint64, uint32, time, id, text, map, rows, texts, uints, numbers, pairs */
    bool required;
    size_t limit;            /* bytes of id, text and map; elements of the others; 0: the type's own range */
    size_t offset;           /* in struct message */
};
/* False where the verb has no field of this index, counted from 0. */
bool protocol_field(enum verb, size_t index, struct protocol_field *ret);

/* --- Rows inside messages ------------------------------------------------------------------ */

struct queue_row {
    est_slice department;
    uint64_t district, waiting, delayed, leased, parked, oldest_us, agents;
    uint64_t paused;   /* 1: an operator paused the department */
    uint64_t unserved; /* of waiting and delayed, those of types that no session here may take */
};
struct agent_row {
    uint64_t session;
    est_slice account, department, software, address;
    uint64_t window, leased, since_us, heard_us, answered;
};
struct parked_row {
    uint64_t number;
    est_slice type, department;
    uint64_t district, at_us, code, attempts;
    est_slice reason;
};
struct timeline_row {
    uint64_t seq, at_us;
    est_slice event;  /* "submitted", "attempt-failed" … */
    est_slice actor;  /* the account that did it; empty: the broker itself */
    uint64_t code;
    est_slice text;
};
struct stat_row { est_slice name; uint64_t value; };
struct key_row {
    est_slice account, role; /* "requester", "department", "operator" */
    uint64_t level;          /* enum est_level; 0: no operator */
    est_slice department;
    est_slice key;           /* its first KEY_SHOWN characters */
    uint64_t from_us, until_us, sessions;
};
struct config_row { est_slice name, value; };
struct event_row {
    uint64_t seq, at_us;
    est_slice event;         /* as in a timeline */
    uint64_t number;
    est_slice actor;
    uint64_t code;
    est_slice text, type, department;
    uint64_t district;
    est_slice requester;
    uint64_t outcome;
    est_slice case_id, tracking;
    uint64_t leased_us;      /* when the lease began that this event ended; 0: none */
    uint64_t confidential;   /* 1: its type is, now */
};
struct find_row {
    uint64_t number;
    est_slice id;            /* as text */
    est_slice tracking, type;
    uint64_t version;
    est_slice department;
    uint64_t district;
    est_slice requester, purpose, case_id, parcel;
    uint64_t state, outcome, code, attempts, received_us, due_us, ended_us;
};
struct counter_row { est_slice name, department, label; uint64_t value; };
enum { KEY_SHOWN = 8 };

/* Each packs one row as an array; the caller packs the array around them. */
void queue_row_pack(struct buffer *, const struct queue_row *);
void agent_row_pack(struct buffer *, const struct agent_row *);
void parked_row_pack(struct buffer *, const struct parked_row *);
void timeline_row_pack(struct buffer *, const struct timeline_row *);
void stat_row_pack(struct buffer *, const struct stat_row *);
void key_row_pack(struct buffer *, const struct key_row *);
void config_row_pack(struct buffer *, const struct config_row *);
void event_row_pack(struct buffer *, const struct event_row *);
void find_row_pack(struct buffer *, const struct find_row *);
void counter_row_pack(struct buffer *, const struct counter_row *);
void defect_pack(struct buffer *, const est_defect *);
/* Opens a `rows` (or `defects`) slice; *ret_count rows follow. An empty slice has none. */
bool rows_open(struct cursor *ret_cursor, est_slice rows, size_t *ret_count);
bool queue_row_next(struct cursor *, struct queue_row *ret);
bool agent_row_next(struct cursor *, struct agent_row *ret);
bool parked_row_next(struct cursor *, struct parked_row *ret);
bool timeline_row_next(struct cursor *, struct timeline_row *ret);
bool stat_row_next(struct cursor *, struct stat_row *ret);
bool key_row_next(struct cursor *, struct key_row *ret);
bool config_row_next(struct cursor *, struct config_row *ret);
bool event_row_next(struct cursor *, struct event_row *ret);
bool find_row_next(struct cursor *, struct find_row *ret);
bool counter_row_next(struct cursor *, struct counter_row *ret);
bool defect_next(struct cursor *, est_defect *ret); /* texts cut to fit */

#endif
