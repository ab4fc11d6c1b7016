/* message.c - every command of the protocol, read and written by one table of fields per verb.
 *
 * The tables below are the protocol: a field's key is its place in its table, counted from 1, so
 * a new field goes to the end of one. PROTOCOL.md says the same for people, and a test compares
 * the two by protocol_field.
 */
#include "message.h"

#include <stdio.h>
#include <string.h>

/* --- The tables ------------------------------------------------------------------------------- */

enum field_kind {
    FIELD_UINT64,
    FIELD_UINT32,
    FIELD_TIME,    /* an instant in microseconds, at most 2^63-1 */
    FIELD_ID,      /* 16 bytes of binary */
    FIELD_TEXT,    /* limit: bytes */
    FIELD_MAP,     /* a body; limit: bytes */
    FIELD_ROWS,    /* an array of arrays; limit: rows */
    FIELD_TEXTS,   /* an array of names; limit: how many */
    FIELD_UINTS,   /* an array of unsigned integers kept as bytes; limit: how many */
    FIELD_NUMBERS, /* an array of unsigned integers read into struct numbers; limit: how many */
    FIELD_PAIRS,   /* the same, and an even count; limit: how many integers */
};

enum { OPTIONAL = 0, REQUIRED = 1 };

struct field {
    const char *name;
    uint16_t offset; /* in struct message */
    uint8_t kind, required;
    uint32_t limit;
};

/* clang-format off */
#define FIELD(kind, need, member, name, limit) {#name, offsetof(struct message, member.name), kind, need, limit}
/* clang-format on */
#define UINT64(need, member, name)      FIELD(FIELD_UINT64, need, member, name, 0)
#define UINT32(need, member, name)      FIELD(FIELD_UINT32, need, member, name, 0)
#define TIME(need, member, name)        FIELD(FIELD_TIME, need, member, name, 0)
#define ID(need, member, name)          FIELD(FIELD_ID, need, member, name, 16)
#define TEXT(need, member, name, limit) FIELD(FIELD_TEXT, need, member, name, limit)
#define NAME(need, member, name)        FIELD(FIELD_TEXT, need, member, name, EST_NAME_MAX)
#define BODY(need, member, name)        FIELD(FIELD_MAP, need, member, name, EST_BODY_MAX)
#define ROWS(need, member, name, limit) FIELD(FIELD_ROWS, need, member, name, limit)

/* One field a line, since its place is its key. */
/* clang-format off */
static const struct field hello_fields[] = {
    UINT32(REQUIRED, hello, version_min),
    UINT32(REQUIRED, hello, version_max),
    TEXT(OPTIONAL, hello, software, SOFTWARE_MAX),
    UINT32(OPTIONAL, hello, window),
    UINT32(OPTIONAL, hello, frame_max),
    UINT32(OPTIONAL, hello, results),
    UINT32(OPTIONAL, hello, heartbeat_ms),
};
static const struct field welcome_fields[] = {
    UINT32(REQUIRED, welcome, version),
    UINT64(REQUIRED, welcome, session),
    NAME(REQUIRED, welcome, account),
    NAME(REQUIRED, welcome, city),
    UINT32(REQUIRED, welcome, heartbeat_ms),
    UINT32(OPTIONAL, welcome, window),
    UINT32(OPTIONAL, welcome, asks_max),
    UINT32(REQUIRED, welcome, frame_max),
    UINT32(REQUIRED, welcome, body_max),
    UINT32(OPTIONAL, welcome, lease_ms),
    TIME(OPTIONAL, welcome, time_us),
    UINT32(OPTIONAL, welcome, revision),
    UINT32(OPTIONAL, welcome, level),
};
static const struct field ping_fields[] = {
    UINT64(OPTIONAL, ping, token),
};
static const struct field bye_fields[] = {
    UINT32(REQUIRED, bye, code),
    TEXT(OPTIONAL, bye, text, EST_TEXT_MAX),
};
static const struct field error_fields[] = {
    UINT64(OPTIONAL, error, ref),
    ID(OPTIONAL, error, id),
    UINT64(OPTIONAL, error, number),
    UINT64(OPTIONAL, error, epoch),
    UINT32(REQUIRED, error, code),
    UINT32(REQUIRED, error, layer),
    TEXT(OPTIONAL, error, text, EST_TEXT_MAX),
    ROWS(OPTIONAL, error, defects, EST_DEFECTS_MAX),
    UINT32(OPTIONAL, error, retry_ms),
};
static const struct field done_fields[] = {
    UINT64(REQUIRED, done, ref),
};
static const struct field submit_fields[] = {
    ID(REQUIRED, submit, id),
    NAME(REQUIRED, submit, type),
    NAME(REQUIRED, submit, purpose),
    BODY(REQUIRED, submit, body),
    TIME(OPTIONAL, submit, deadline_us),
    TEXT(OPTIONAL, submit, trace, EST_TRACE_MAX),
    TEXT(OPTIONAL, submit, case_id, EST_CASE_MAX),
};
static const struct field accepted_fields[] = {
    ID(REQUIRED, accepted, id),
    UINT64(REQUIRED, accepted, number),
    TEXT(REQUIRED, accepted, tracking, EST_TRACKING_MAX),
    TIME(REQUIRED, accepted, at_us),
    TIME(REQUIRED, accepted, due_us),
    UINT32(OPTIONAL, accepted, again),
    UINT32(REQUIRED, accepted, state),
    UINT32(REQUIRED, accepted, version),
    NAME(REQUIRED, accepted, department),
    UINT32(OPTIONAL, accepted, district),
};
static const struct field cancel_fields[] = {
    UINT64(REQUIRED, cancel, ref),
    ID(OPTIONAL, cancel, id),
    UINT64(OPTIONAL, cancel, number),
    TEXT(OPTIONAL, cancel, reason, EST_TEXT_MAX),
};
static const struct field status_fields[] = {
    UINT64(REQUIRED, status, ref),
    ID(OPTIONAL, status, id),
    UINT64(OPTIONAL, status, number),
    UINT32(OPTIONAL, status, bodies),
};
static const struct field status_is_fields[] = {
    UINT64(REQUIRED, status_is, ref),
    ID(OPTIONAL, status_is, id),
    UINT64(REQUIRED, status_is, number),
    TEXT(OPTIONAL, status_is, tracking, EST_TRACKING_MAX),
    NAME(OPTIONAL, status_is, account),
    NAME(OPTIONAL, status_is, type),
    UINT32(OPTIONAL, status_is, version),
    NAME(OPTIONAL, status_is, department),
    UINT32(OPTIONAL, status_is, district),
    UINT32(REQUIRED, status_is, state),
    TIME(OPTIONAL, status_is, received_us),
    TIME(OPTIONAL, status_is, due_us),
    UINT32(OPTIONAL, status_is, attempts),
    TIME(OPTIONAL, status_is, until_us),
    NAME(OPTIONAL, status_is, holder),
    TIME(OPTIONAL, status_is, ended_us),
    TIME(OPTIONAL, status_is, acked_us),
    UINT32(OPTIONAL, status_is, outcome),
    UINT32(OPTIONAL, status_is, code),
    TEXT(OPTIONAL, status_is, reason, EST_TEXT_MAX),
    TEXT(OPTIONAL, status_is, legal_ref, EST_TEXT_MAX),
    TEXT(OPTIONAL, status_is, valid_until, EST_DATE_MAX),
    TEXT(OPTIONAL, status_is, signer, EST_SIGNER_MAX),
    NAME(OPTIONAL, status_is, purpose),
    TEXT(OPTIONAL, status_is, case_id, EST_CASE_MAX),
    BODY(OPTIONAL, status_is, request),
    BODY(OPTIONAL, status_is, reply),
};
static const struct field timeline_fields[] = {
    UINT64(REQUIRED, timeline, ref),
    ID(OPTIONAL, timeline, id),
    UINT64(OPTIONAL, timeline, number),
};
static const struct field timeline_is_fields[] = {
    UINT64(REQUIRED, timeline_is, ref),
    ID(OPTIONAL, timeline_is, id),
    UINT64(REQUIRED, timeline_is, number),
    ROWS(OPTIONAL, timeline_is, rows, ROWS_MAX),
};
static const struct field result_fields[] = {
    ID(REQUIRED, result, id),
    UINT64(REQUIRED, result, number),
    UINT32(REQUIRED, result, state),
    UINT32(OPTIONAL, result, outcome),
    TEXT(OPTIONAL, result, reason, EST_TEXT_MAX),
    TEXT(OPTIONAL, result, legal_ref, EST_TEXT_MAX),
    TEXT(OPTIONAL, result, valid_until, EST_DATE_MAX),
    TEXT(OPTIONAL, result, signer, EST_SIGNER_MAX),
    BODY(OPTIONAL, result, body),
    TIME(REQUIRED, result, ended_us),
    NAME(OPTIONAL, result, department),
    UINT32(OPTIONAL, result, code),
};
static const struct field result_ack_fields[] = {
    FIELD(FIELD_NUMBERS, REQUIRED, result_ack, numbers, EST_NUMBERS_MAX),
};
static const struct field ready_fields[] = {
    UINT64(REQUIRED, ready, ref),
    UINT32(REQUIRED, ready, window),
    FIELD(FIELD_TEXTS, OPTIONAL, ready, types, EST_NUMBERS_MAX),
    FIELD(FIELD_UINTS, OPTIONAL, ready, districts, EST_NUMBERS_MAX),
};
static const struct field assign_fields[] = {
    UINT64(REQUIRED, assign, number),
    UINT64(REQUIRED, assign, epoch),
    NAME(REQUIRED, assign, type),
    UINT32(REQUIRED, assign, version),
    NAME(OPTIONAL, assign, purpose),
    NAME(OPTIONAL, assign, requester),
    TEXT(OPTIONAL, assign, case_id, EST_CASE_MAX),
    TEXT(OPTIONAL, assign, trace, EST_TRACE_MAX),
    UINT32(OPTIONAL, assign, district),
    BODY(REQUIRED, assign, body),
    TIME(OPTIONAL, assign, received_us),
    TIME(OPTIONAL, assign, due_us),
    UINT32(REQUIRED, assign, lease_ms),
    UINT32(OPTIONAL, assign, attempt),
};
static const struct field answer_fields[] = {
    UINT64(REQUIRED, answer, number),
    UINT64(REQUIRED, answer, epoch),
    UINT32(REQUIRED, answer, outcome),
    TEXT(OPTIONAL, answer, reason, EST_TEXT_MAX),
    TEXT(OPTIONAL, answer, legal_ref, EST_TEXT_MAX),
    TEXT(OPTIONAL, answer, valid_until, EST_DATE_MAX),
    TEXT(OPTIONAL, answer, signer, EST_SIGNER_MAX),
    BODY(REQUIRED, answer, body),
};
#define PAIRS(member) FIELD(FIELD_PAIRS, REQUIRED, member, pairs, EST_NUMBERS_MAX * 2)
static const struct field recorded_fields[] = {PAIRS(recorded)};
static const struct field renew_fields[] = {PAIRS(renew)};
static const struct field renewed_fields[] = {PAIRS(renewed)};
static const struct field retry_fields[] = {
    UINT64(REQUIRED, retry, number),
    UINT64(REQUIRED, retry, epoch),
    TEXT(OPTIONAL, retry, reason, EST_TEXT_MAX),
    UINT32(OPTIONAL, retry, after_ms),
};
static const struct field refuse_fields[] = {
    UINT64(REQUIRED, refuse, number),
    UINT64(REQUIRED, refuse, epoch),
    TEXT(OPTIONAL, refuse, reason, EST_TEXT_MAX),
};
static const struct field revoke_fields[] = {
    UINT64(REQUIRED, revoke, number),
    UINT64(REQUIRED, revoke, epoch),
    UINT32(REQUIRED, revoke, code),
};
static const struct field leave_fields[] = {
    UINT64(REQUIRED, leave, ref),
};
static const struct field page_fields[] = {
    UINT64(REQUIRED, page, ref),
    UINT64(OPTIONAL, page, after),
    UINT32(OPTIONAL, page, limit),
    NAME(OPTIONAL, page, department),
};
static const struct field page_is_fields[] = {
    UINT64(REQUIRED, page_is, ref),
    ROWS(OPTIONAL, page_is, rows, ROWS_MAX),
    UINT64(OPTIONAL, page_is, next),
};
static const struct field requeue_fields[] = {
    UINT64(REQUIRED, requeue, ref),
    UINT64(REQUIRED, requeue, number),
    TEXT(OPTIONAL, requeue, reason, EST_TEXT_MAX),
};
static const struct field drain_fields[] = {
    UINT64(REQUIRED, drain, ref),
    UINT32(OPTIONAL, drain, on),
    TEXT(OPTIONAL, drain, reason, EST_TEXT_MAX),
};
static const struct field stats_fields[] = {
    UINT64(REQUIRED, stats, ref),
};
static const struct field stats_is_fields[] = {
    UINT64(REQUIRED, stats_is, ref),
    ROWS(OPTIONAL, stats_is, rows, ROWS_MAX),
};
static const struct field pause_fields[] = {
    UINT64(REQUIRED, pause, ref),
    NAME(REQUIRED, pause, department),
    UINT32(OPTIONAL, pause, on),
    TEXT(REQUIRED, pause, reason, EST_TEXT_MAX),
};
static const struct field redirect_fields[] = {
    UINT64(REQUIRED, redirect, ref),
    UINT64(REQUIRED, redirect, number),
    UINT32(OPTIONAL, redirect, district),
    TEXT(REQUIRED, redirect, reason, EST_TEXT_MAX),
};
static const struct field config_ask_fields[] = {
    UINT64(REQUIRED, config, ref),
};
static const struct field config_is_fields[] = {
    UINT64(REQUIRED, config_is, ref),
    ROWS(OPTIONAL, config_is, rows, ROWS_MAX),
};
static const struct field events_is_fields[] = {
    UINT64(REQUIRED, events_is, ref),
    ROWS(OPTIONAL, events_is, rows, ROWS_MAX),
    UINT64(OPTIONAL, events_is, next),
    UINT64(OPTIONAL, events_is, head),
    TIME(OPTIONAL, events_is, configured_us),
};
static const struct field find_fields[] = {
    UINT64(REQUIRED, find, ref),
    TEXT(OPTIONAL, find, filter, EST_TEXT_MAX),
    UINT64(OPTIONAL, find, after),
    UINT32(OPTIONAL, find, limit),
    UINT32(OPTIONAL, find, count),
};
static const struct field find_is_fields[] = {
    UINT64(REQUIRED, find_is, ref),
    ROWS(OPTIONAL, find_is, rows, ROWS_MAX),
    UINT64(OPTIONAL, find_is, next),
    UINT64(OPTIONAL, find_is, count),
    UINT64(OPTIONAL, find_is, behind),
    UINT32(OPTIONAL, find_is, counted_all),
};
static const struct field reindex_fields[] = {
    UINT64(REQUIRED, reindex, ref),
    TEXT(REQUIRED, reindex, reason, EST_TEXT_MAX),
};
static const struct field counters_ask_fields[] = {
    UINT64(REQUIRED, counters, ref),
};
static const struct field counters_is_fields[] = {
    UINT64(REQUIRED, counters_is, ref),
    ROWS(OPTIONAL, counters_is, rows, ROWS_MAX),
    UINT64(OPTIONAL, counters_is, seq),
};
/* clang-format on */

/* `size` is what is zeroed before a message of the verb is read: its struct, but of a list of
 * numbers only the count, since the list itself is 16 KiB. */
struct verb_row {
    const char *name;
    const struct field *fields;
    uint16_t size;
    uint8_t fields_count, direction, doors;
};

#define VERB_ROW(name, struct_name, size, fields, direction, doors)                                          \
    [VERB_##name] = {#name, fields, size, sizeof fields / sizeof *fields, direction, doors}
#define VERB_OF(name, struct_name, direction, doors)                                                         \
    VERB_ROW(name, struct_name, sizeof(struct struct_name), struct_name##_fields, direction, doors)
#define VERB_LIST(name, struct_name, direction, doors)                                                       \
    VERB_ROW(name, struct_name, offsetof(struct numbers, at), struct_name##_fields, direction, doors)
#define DOOR_ASKERS (DOOR_REQUESTER | DOOR_OPERATOR)

static const struct verb_row verbs[VERB_MAX + 1] = {
    VERB_OF(HELLO, hello, TO_BROKER, DOOR_ANY),
    VERB_OF(WELCOME, welcome, TO_FAR_END, DOOR_ANY),
    VERB_OF(PING, ping, BOTH_WAYS, DOOR_ANY),
    VERB_OF(PONG, ping, BOTH_WAYS, DOOR_ANY),
    VERB_OF(BYE, bye, BOTH_WAYS, DOOR_ANY),
    VERB_ROW(ERROR, error_is, sizeof(struct error_is), error_fields, TO_FAR_END, DOOR_ANY),
    VERB_OF(DONE, done, TO_FAR_END, DOOR_ANY),
    VERB_OF(SUBMIT, submit, TO_BROKER, DOOR_REQUESTER),
    VERB_OF(ACCEPTED, accepted, TO_FAR_END, DOOR_REQUESTER),
    VERB_OF(CANCEL, cancel, TO_BROKER, DOOR_ASKERS),
    VERB_OF(STATUS, status, TO_BROKER, DOOR_ASKERS),
    VERB_OF(STATUS_IS, status_is, TO_FAR_END, DOOR_ASKERS),
    VERB_OF(TIMELINE, timeline, TO_BROKER, DOOR_ASKERS),
    VERB_OF(TIMELINE_IS, timeline_is, TO_FAR_END, DOOR_ASKERS),
    VERB_OF(RESULT, result, TO_FAR_END, DOOR_REQUESTER),
    VERB_LIST(RESULT_ACK, result_ack, TO_BROKER, DOOR_REQUESTER),
    VERB_OF(READY, ready, TO_BROKER, DOOR_DEPARTMENT),
    VERB_OF(ASSIGN, assign, TO_FAR_END, DOOR_DEPARTMENT),
    VERB_OF(ANSWER, answer, TO_BROKER, DOOR_DEPARTMENT),
    VERB_LIST(RECORDED, recorded, TO_FAR_END, DOOR_DEPARTMENT),
    VERB_OF(RETRY, retry, TO_BROKER, DOOR_DEPARTMENT),
    VERB_OF(REFUSE, refuse, TO_BROKER, DOOR_DEPARTMENT),
    VERB_LIST(RENEW, renew, TO_BROKER, DOOR_DEPARTMENT),
    VERB_LIST(RENEWED, renewed, TO_FAR_END, DOOR_DEPARTMENT),
    VERB_OF(REVOKE, revoke, TO_FAR_END, DOOR_DEPARTMENT),
    VERB_OF(LEAVE, leave, TO_BROKER, DOOR_DEPARTMENT),
    VERB_OF(QUEUES, page, TO_BROKER, DOOR_OPERATOR),
    VERB_OF(QUEUES_IS, page_is, TO_FAR_END, DOOR_OPERATOR),
    VERB_OF(AGENTS, page, TO_BROKER, DOOR_OPERATOR),
    VERB_OF(AGENTS_IS, page_is, TO_FAR_END, DOOR_OPERATOR),
    VERB_OF(PARKED, page, TO_BROKER, DOOR_OPERATOR),
    VERB_OF(PARKED_IS, page_is, TO_FAR_END, DOOR_OPERATOR),
    VERB_OF(REQUEUE, requeue, TO_BROKER, DOOR_OPERATOR),
    VERB_OF(DRAIN, drain, TO_BROKER, DOOR_OPERATOR),
    VERB_OF(STATS, stats, TO_BROKER, DOOR_OPERATOR),
    VERB_OF(STATS_IS, stats_is, TO_FAR_END, DOOR_OPERATOR),
    VERB_OF(PAUSE, pause, TO_BROKER, DOOR_OPERATOR),
    VERB_OF(REDIRECT, redirect, TO_BROKER, DOOR_OPERATOR),
    VERB_OF(KEYS, page, TO_BROKER, DOOR_OPERATOR),
    VERB_OF(KEYS_IS, page_is, TO_FAR_END, DOOR_OPERATOR),
    VERB_OF(CONFIG, config_ask, TO_BROKER, DOOR_OPERATOR),
    VERB_OF(CONFIG_IS, config_is, TO_FAR_END, DOOR_OPERATOR),
    VERB_OF(EVENTS, page, TO_BROKER, DOOR_OPERATOR),
    VERB_OF(EVENTS_IS, events_is, TO_FAR_END, DOOR_OPERATOR),
    VERB_OF(FIND, find, TO_BROKER, DOOR_OPERATOR),
    VERB_OF(FIND_IS, find_is, TO_FAR_END, DOOR_OPERATOR),
    VERB_OF(REINDEX, reindex, TO_BROKER, DOOR_OPERATOR),
    VERB_OF(COUNTERS, counters_ask, TO_BROKER, DOOR_OPERATOR),
    VERB_OF(COUNTERS_IS, counters_is, TO_FAR_END, DOOR_OPERATOR),
};

static const struct verb_row *verb_find(uint64_t verb) {
    return verb <= VERB_MAX && verbs[verb].name ? &verbs[verb] : NULL;
}

const char *verb_name(enum verb verb) {
    const struct verb_row *row = verb_find(verb);
    return row ? row->name : "UNKNOWN_VERB";
}

enum direction verb_direction(enum verb verb) {
    const struct verb_row *row = verb_find(verb);
    return row ? row->direction : 0;
}

enum door verb_doors(enum verb verb) {
    const struct verb_row *row = verb_find(verb);
    return row ? row->doors : 0;
}

size_t verb_size(enum verb verb) {
    const struct verb_row *row = verb_find(verb);
    return row ? row->size : 0;
}

/* --- Writing -------------------------------------------------------------------------------------- */

static const uint8_t no_id[sizeof(est_id)];

static inline const void *field_at(const struct message *m, const struct field *field) {
    return (const char *)m + field->offset;
}

/* Of every kind but an id one word is zero where the field is empty: the number itself, the count of
 * a list, the size of a slice. */
static inline bool field_is_empty(const struct message *m, const struct field *field) {
    static const uint8_t words[] = {
        [FIELD_TEXT] = offsetof(est_slice, size),  [FIELD_MAP] = offsetof(est_slice, size),
        [FIELD_ROWS] = offsetof(est_slice, size),  [FIELD_TEXTS] = offsetof(est_slice, size),
        [FIELD_UINTS] = offsetof(est_slice, size), [FIELD_NUMBERS] = offsetof(struct numbers, count),
        [FIELD_PAIRS] = offsetof(struct numbers, count),
    };
    const char *at = field_at(m, field);
    uint64_t word;
    memcpy(&word, at + words[field->kind], sizeof word);
    return word == 0 && (field->kind != FIELD_ID || memcmp(at, no_id, sizeof no_id) == 0);
}

static void numbers_pack(struct buffer *b, const struct numbers *numbers) {
    pack_array(b, numbers->count);
    for (size_t i = 0; i < numbers->count; i++) {
        pack_uint(b, numbers->at[i]);
    }
}

static void field_pack(struct buffer *b, const struct message *m, const struct field *field) {
    const void *at = field_at(m, field);
    const est_slice *slice = at;
    switch ((enum field_kind)field->kind) {
    case FIELD_UINT64:
    case FIELD_UINT32:
    case FIELD_TIME:
        pack_uint(b, *(const uint64_t *)at);
        return;
    case FIELD_ID:
        pack_bin(b, (est_slice){at, sizeof(est_id)});
        return;
    case FIELD_TEXT:
        pack_text(b, *slice);
        return;
    case FIELD_MAP:
        if (slice->size == 0) {
            pack_map(b, 0); /* a required body without fields */
        }
        buffer_put(b, slice->data, slice->size);
        return;
    case FIELD_ROWS:
    case FIELD_TEXTS:
    case FIELD_UINTS:
        buffer_put(b, slice->data, slice->size);
        return;
    case FIELD_NUMBERS:
    case FIELD_PAIRS:
        numbers_pack(b, at);
        return;
    }
}

void frame_begin(struct buffer *b) {
    static const uint8_t version = PROTOCOL_VERSION;
    buffer_put(b, &version, sizeof version);
}

void message_pack(struct buffer *b, const struct message *m) {
    const struct verb_row *row = verb_find(m->verb);
    if (!row) {
        return;
    }
    uint32_t present = 0;
    for (size_t i = 0; i < row->fields_count; i++) {
        if (row->fields[i].required || !field_is_empty(m, &row->fields[i])) {
            present |= 1U << i;
        }
    }
    pack_array(b, 2);
    pack_uint(b, m->verb);
    pack_map(b, (size_t)__builtin_popcount(present));
    for (; present; present &= present - 1) {
        size_t i = (size_t)__builtin_ctz(present);
        pack_uint(b, i + 1);
        field_pack(b, m, &row->fields[i]);
    }
}

/* --- Reading -------------------------------------------------------------------------------------- */

bool frame_open(struct cursor *ret_cursor, est_slice frame) {
    cursor_init(ret_cursor, frame);
    if (frame.size == 0) {
        return cursor_fail(ret_cursor, "an empty frame");
    }
    if (frame.size > EST_FRAME_MAX) {
        return cursor_fail(ret_cursor, "a frame larger than the limit");
    }
    if (*ret_cursor->at != PROTOCOL_VERSION) {
        return cursor_fail(ret_cursor, "a frame of another protocol version");
    }
    ret_cursor->at++;
    return true;
}

static const uint64_t number_max[] = {
    [FIELD_UINT64] = UINT64_MAX, [FIELD_UINT32] = UINT32_MAX, [FIELD_TIME] = INT64_MAX};

static bool number_read(struct cursor *c, uint64_t max, uint64_t *ret) {
    uint64_t number;
    if (!cursor_uint(c, &number)) {
        return false;
    }
    if (number > max) {
        return cursor_fail(c, "a number is larger than its limit");
    }
    *ret = number;
    return true;
}

static bool id_read(struct cursor *c, bool required, est_id *ret) {
    est_slice bytes;
    if (!cursor_bin(c, sizeof ret->bytes, &bytes)) {
        return false;
    }
    if (bytes.size != sizeof ret->bytes) {
        return cursor_fail(c, "an id is not of 16 bytes");
    }
    if (required && memcmp(bytes.data, no_id, sizeof no_id) == 0) {
        return cursor_fail(c, "an id of zeros");
    }
    memcpy(ret->bytes, bytes.data, sizeof ret->bytes);
    return true;
}

static bool body_read(struct cursor *c, size_t max, est_slice *ret) {
    est_slice body;
    if (cursor_peek(c) != KIND_MAP) {
        return cursor_fail(c, "a body is not a map");
    }
    if (!cursor_value(c, &body)) {
        return false;
    }
    if (body.size > max) {
        return cursor_fail(c, "a body is larger than its limit");
    }
    *ret = body;
    return true;
}

/* An array whose elements are all of one kind, kept as the bytes that it is. Each row has the
 * limits of a value of its own, the array a limit of rows. */
static bool list_read(struct cursor *c, enum field_kind kind, size_t max, est_slice *ret) {
    const uint8_t *start = c->at;
    size_t count;
    est_slice text, row;
    uint64_t number;
    if (!cursor_array(c, max, &count)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        bool read = kind == FIELD_TEXTS            ? cursor_text(c, EST_NAME_MAX, &text)
                    : kind == FIELD_UINTS          ? cursor_uint(c, &number)
                    : cursor_peek(c) == KIND_ARRAY ? cursor_value(c, &row)
                                                   : cursor_fail(c, "a row is not an array");
        if (!read) {
            return false;
        }
    }
    *ret = (est_slice){start, (size_t)(c->at - start)};
    return true;
}

static bool numbers_read(struct cursor *c, bool pairs, size_t max, struct numbers *ret) {
    size_t count;
    if (!cursor_array(c, max, &count)) {
        return false;
    }
    if (pairs && count % 2 != 0) {
        return cursor_fail(c, "a list of pairs has an odd count");
    }
    for (size_t i = 0; i < count; i++) {
        if (!cursor_uint(c, &ret->at[i])) {
            return false;
        }
    }
    ret->count = count;
    return true;
}

static bool field_read(struct cursor *c, const struct field *field, struct message *ret) {
    void *at = (char *)ret + field->offset;
    enum field_kind kind = field->kind;
    switch (kind) {
    case FIELD_UINT64:
    case FIELD_UINT32:
    case FIELD_TIME:
        return number_read(c, number_max[kind], at);
    case FIELD_ID:
        return id_read(c, field->required, at);
    case FIELD_TEXT:
        return cursor_text(c, field->limit, at);
    case FIELD_MAP:
        return body_read(c, field->limit, at);
    case FIELD_ROWS:
    case FIELD_TEXTS:
    case FIELD_UINTS:
        return list_read(c, kind, field->limit, at);
    case FIELD_NUMBERS:
    case FIELD_PAIRS:
        return numbers_read(c, kind == FIELD_PAIRS, field->limit, at);
    }
    return false;
}

/* Where a command is refused is noted here and nowhere else, so that good ones pay nothing for it. */
static __attribute__((cold, noinline)) bool field_fault(struct message *ret, uint64_t key) {
    ret->fault_key = key < UINT32_MAX ? (uint32_t)key : UINT32_MAX;
    return false;
}

static __attribute__((cold, noinline)) int command_fault(struct message *ret) {
    ret->verb = VERB_NONE;
    ret->fault_key = 0;
    return -EST_MALFORMED;
}

/* The required field `lacking` was passed over, with `left` pairs to come: is it missing, or do the
 * keys not ascend? */
static __attribute__((cold, noinline)) bool field_lacks(struct cursor *c, struct message *ret,
                                                        uint64_t lacking, size_t left) {
    struct cursor ahead = *c;
    uint64_t key;
    est_slice value;
    for (; left > 0 && cursor_uint(&ahead, &key) && cursor_value(&ahead, &value); left--) {
        if (key <= lacking) {
            cursor_fail(c, "keys do not ascend");
        }
    }
    cursor_fail(c, "a required field is missing"); /* unless it has failed already */
    return field_fault(ret, lacking);
}

/* The first required field with a key from `first` up to but without `last`; 0: all are optional. */
static uint64_t required_among(const struct verb_row *row, uint64_t first, uint64_t last) {
    for (uint64_t key = first; key < last && key <= row->fields_count; key++) {
        if (row->fields[key - 1].required) {
            return key;
        }
    }
    return 0;
}

static bool fields_read(struct cursor *c, const struct verb_row *row, struct message *ret) {
    size_t count;
    uint64_t next = 1; /* the smallest key that may come now */
    if (!cursor_map(c, COMMAND_FIELDS_MAX, &count)) {
        return field_fault(ret, 0);
    }
    uint64_t lacking;
    for (size_t i = 0; i < count; i++) {
        uint64_t key;
        est_slice unknown;
        if (!cursor_uint(c, &key)) {
            return field_fault(ret, 0);
        }
        if (key < next || key == UINT64_MAX) {
            cursor_fail(c, "keys do not ascend");
            return field_fault(ret, key);
        }
        bool is_known = key <= row->fields_count;
        bool read = is_known ? field_read(c, &row->fields[key - 1], ret) : cursor_value(c, &unknown);
        if (!read) {
            return field_fault(ret, key);
        }
        if (key != next && (lacking = required_among(row, next, key))) {
            return field_lacks(c, ret, lacking, count - i - 1);
        }
        next = key + 1;
    }
    lacking = required_among(row, next, (uint64_t)row->fields_count + 1);
    return lacking ? field_lacks(c, ret, lacking, 0) : true;
}

int message_next(struct cursor *c, struct message *ret) {
    if (!c->bad && cursor_left(c) == 0) {
        return 0;
    }
    size_t parts;
    uint64_t verb;
    if (!cursor_array(c, 2, &parts) || (parts != 2 && !cursor_fail(c, "a command is not an array of two")) ||
        !cursor_uint(c, &verb)) {
        return command_fault(ret);
    }
    const struct verb_row *row = verb_find(verb);
    if (!row) {
        cursor_fail(c, "a verb that does not exist");
        return command_fault(ret);
    }
    ret->verb = (enum verb)verb;
    memset((char *)ret + offsetof(struct message, hello), 0, row->size);
    return fields_read(c, row, ret) ? 1 : -EST_MALFORMED;
}

void message_fault(const struct cursor *c, const struct message *m, char *ret, size_t size) {
    struct protocol_field field;
    size_t offset = cursor_offset(c);
    if (m->verb == VERB_NONE) {
        snprintf(ret, size, "byte %zu: %s", offset, c->bad);
    } else if (m->fault_key == 0) {
        snprintf(ret, size, "%s, byte %zu: %s", verb_name(m->verb), offset, c->bad);
    } else if (protocol_field(m->verb, m->fault_key - 1, &field)) {
        snprintf(ret, size, "%s.%s, byte %zu: %s", verb_name(m->verb), field.name, offset, c->bad);
    } else {
        snprintf(ret, size, "%s field %u, byte %zu: %s", verb_name(m->verb), m->fault_key, offset, c->bad);
    }
}

/* --- Rows ------------------------------------------------------------------------------------------ */

/* A row is an array of its fields in order, all of them written. A reader skips what a later
 * version adds behind, so a count above the known is well. */
struct row_field {
    uint16_t offset;
    bool is_text;
};

/* clang-format off */
#define ROW_TEXT(row, name) {offsetof(struct row, name), true}
#define ROW_UINT(row, name) {offsetof(struct row, name), false}
#define ROW_COUNT(fields)   (sizeof fields / sizeof *fields)

static const struct row_field queue_row_fields[] = {
    ROW_TEXT(queue_row, department),
    ROW_UINT(queue_row, district),
    ROW_UINT(queue_row, waiting),
    ROW_UINT(queue_row, delayed),
    ROW_UINT(queue_row, leased),
    ROW_UINT(queue_row, parked),
    ROW_UINT(queue_row, oldest_us),
    ROW_UINT(queue_row, agents),
    ROW_UINT(queue_row, paused),
    ROW_UINT(queue_row, unserved),
};
static const struct row_field agent_row_fields[] = {
    ROW_UINT(agent_row, session),
    ROW_TEXT(agent_row, account),
    ROW_TEXT(agent_row, department),
    ROW_TEXT(agent_row, software),
    ROW_TEXT(agent_row, address),
    ROW_UINT(agent_row, window),
    ROW_UINT(agent_row, leased),
    ROW_UINT(agent_row, since_us),
    ROW_UINT(agent_row, heard_us),
    ROW_UINT(agent_row, answered),
};
static const struct row_field parked_row_fields[] = {
    ROW_UINT(parked_row, number),
    ROW_TEXT(parked_row, type),
    ROW_TEXT(parked_row, department),
    ROW_UINT(parked_row, district),
    ROW_UINT(parked_row, at_us),
    ROW_UINT(parked_row, code),
    ROW_UINT(parked_row, attempts),
    ROW_TEXT(parked_row, reason),
};
static const struct row_field timeline_row_fields[] = {
    ROW_UINT(timeline_row, seq),
    ROW_UINT(timeline_row, at_us),
    ROW_TEXT(timeline_row, event),
    ROW_TEXT(timeline_row, actor),
    ROW_UINT(timeline_row, code),
    ROW_TEXT(timeline_row, text),
};
static const struct row_field stat_row_fields[] = {
    ROW_TEXT(stat_row, name),
    ROW_UINT(stat_row, value),
};
static const struct row_field key_row_fields[] = {
    ROW_TEXT(key_row, account),
    ROW_TEXT(key_row, role),
    ROW_UINT(key_row, level),
    ROW_TEXT(key_row, department),
    ROW_TEXT(key_row, key),
    ROW_UINT(key_row, from_us),
    ROW_UINT(key_row, until_us),
    ROW_UINT(key_row, sessions),
};
static const struct row_field config_row_fields[] = {
    ROW_TEXT(config_row, name),
    ROW_TEXT(config_row, value),
};
static const struct row_field event_row_fields[] = {
    ROW_UINT(event_row, seq),
    ROW_UINT(event_row, at_us),
    ROW_TEXT(event_row, event),
    ROW_UINT(event_row, number),
    ROW_TEXT(event_row, actor),
    ROW_UINT(event_row, code),
    ROW_TEXT(event_row, text),
    ROW_TEXT(event_row, type),
    ROW_TEXT(event_row, department),
    ROW_UINT(event_row, district),
    ROW_TEXT(event_row, requester),
    ROW_UINT(event_row, outcome),
    ROW_TEXT(event_row, case_id),
    ROW_TEXT(event_row, tracking),
    ROW_UINT(event_row, leased_us),
    ROW_UINT(event_row, confidential),
};
static const struct row_field find_row_fields[] = {
    ROW_UINT(find_row, number),
    ROW_TEXT(find_row, id),
    ROW_TEXT(find_row, tracking),
    ROW_TEXT(find_row, type),
    ROW_UINT(find_row, version),
    ROW_TEXT(find_row, department),
    ROW_UINT(find_row, district),
    ROW_TEXT(find_row, requester),
    ROW_TEXT(find_row, purpose),
    ROW_TEXT(find_row, case_id),
    ROW_TEXT(find_row, parcel),
    ROW_UINT(find_row, state),
    ROW_UINT(find_row, outcome),
    ROW_UINT(find_row, code),
    ROW_UINT(find_row, attempts),
    ROW_UINT(find_row, received_us),
    ROW_UINT(find_row, due_us),
    ROW_UINT(find_row, ended_us),
};
static const struct row_field counter_row_fields[] = {
    ROW_TEXT(counter_row, name),
    ROW_TEXT(counter_row, department),
    ROW_TEXT(counter_row, label),
    ROW_UINT(counter_row, value),
};
/* clang-format on */

static void row_pack(struct buffer *b, const void *row, const struct row_field *fields, size_t count) {
    pack_array(b, count);
    for (size_t i = 0; i < count; i++) {
        const void *at = (const char *)row + fields[i].offset;
        if (fields[i].is_text) {
            pack_text(b, *(const est_slice *)at);
        } else {
            pack_uint(b, *(const uint64_t *)at);
        }
    }
}

/* The header of a row that has at least the fields we know. */
static bool row_open(struct cursor *c, size_t known, size_t *ret_more) {
    size_t count;
    if (!cursor_array(c, EST_ITEMS_MAX, &count)) {
        return false;
    }
    if (count < known) {
        return cursor_fail(c, "a row has too few fields");
    }
    *ret_more = count - known;
    return true;
}

static bool row_close(struct cursor *c, size_t more) {
    est_slice unknown;
    while (more-- > 0) {
        if (!cursor_value(c, &unknown)) {
            return false;
        }
    }
    return true;
}

static bool row_next(struct cursor *c, void *row, const struct row_field *fields, size_t count) {
    size_t more = 0;
    if (!row_open(c, count, &more)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        void *at = (char *)row + fields[i].offset;
        if (!(fields[i].is_text ? cursor_text(c, EST_TEXT_MAX, at) : cursor_uint(c, at))) {
            return false;
        }
    }
    return row_close(c, more);
}

#define ROW_FUNCTIONS(row)                                                                                   \
    void row##_pack(struct buffer *b, const struct row *it) {                                                \
        row_pack(b, it, row##_fields, ROW_COUNT(row##_fields));                                              \
    }                                                                                                        \
    bool row##_next(struct cursor *c, struct row *ret) {                                                     \
        struct row it;                                                                                       \
        if (!row_next(c, &it, row##_fields, ROW_COUNT(row##_fields))) {                                      \
            return false;                                                                                    \
        }                                                                                                    \
        *ret = it;                                                                                           \
        return true;                                                                                         \
    }

ROW_FUNCTIONS(queue_row)
ROW_FUNCTIONS(agent_row)
ROW_FUNCTIONS(parked_row)
ROW_FUNCTIONS(timeline_row)
ROW_FUNCTIONS(stat_row)
ROW_FUNCTIONS(key_row)
ROW_FUNCTIONS(config_row)
ROW_FUNCTIONS(event_row)
ROW_FUNCTIONS(find_row)
ROW_FUNCTIONS(counter_row)

bool rows_open(struct cursor *ret_cursor, est_slice rows, size_t *ret_count) {
    cursor_init(ret_cursor, rows);
    if (rows.size == 0) {
        *ret_count = 0;
        return true;
    }
    return cursor_array(ret_cursor, ROWS_MAX, ret_count);
}

void defect_pack(struct buffer *b, const est_defect *defect) {
    pack_array(b, 3);
    pack_cstr(b, defect->path);
    pack_cstr(b, defect->kind);
    pack_cstr(b, defect->text);
}

/* Cuts text to fit, never within a character. */
static void text_copy(char *ret, size_t size, est_slice text) {
    const uint8_t *bytes = text.data;
    size_t length = text.size < size ? text.size : size - 1;
    while (length < text.size && length > 0 && (bytes[length] & 0xc0) == 0x80) {
        length--;
    }
    memcpy(ret, bytes, length);
    ret[length] = '\0';
}

bool defect_next(struct cursor *c, est_defect *ret) {
    est_slice path, kind, text;
    size_t more = 0;
    if (!row_open(c, 3, &more) || !cursor_text(c, EST_TEXT_MAX, &path) ||
        !cursor_text(c, EST_TEXT_MAX, &kind) || !cursor_text(c, EST_TEXT_MAX, &text) || !row_close(c, more)) {
        return false;
    }
    text_copy(ret->path, sizeof ret->path, path);
    text_copy(ret->kind, sizeof ret->kind, kind);
    text_copy(ret->text, sizeof ret->text, text);
    return true;
}

/* --- The tables as text ------------------------------------------------------------------------------ */

static const char *field_kind_name(enum field_kind kind) {
    static const char *const names[] = {
        [FIELD_UINT64] = "uint64",   [FIELD_UINT32] = "uint32", [FIELD_TIME] = "time",
        [FIELD_ID] = "id",           [FIELD_TEXT] = "text",     [FIELD_MAP] = "map",
        [FIELD_ROWS] = "rows",       [FIELD_TEXTS] = "texts",   [FIELD_UINTS] = "uints",
        [FIELD_NUMBERS] = "numbers", [FIELD_PAIRS] = "pairs",
    };
    return names[kind];
}

bool protocol_field(enum verb verb, size_t index, struct protocol_field *ret) {
    const struct verb_row *row = verb_find(verb);
    if (!row || index >= row->fields_count) {
        return false;
    }
    const struct field *field = &row->fields[index];
    *ret = (struct protocol_field){
        .key = index + 1,
        .name = field->name,
        .type = field_kind_name(field->kind),
        .required = field->required,
        .limit = field->limit,
        .offset = field->offset,
    };
    return true;
}
