/* record.c - the layout of events and rows, as tables, and the two loops that follow them.
 *
 * An event's record:
 *
 *    0  magic "ESTL"     4  format, u16      6  header size, u16
 *    8  checksum, u64: XXH3-64 of everything after it; the eight bytes before it are constants
 *   16  type, u16       18  type version    20  shard, u32, 0
 *   24  payload, u32    28  0, u32          32  generation, u64
 *   40  leader epoch, u64, 0                48  seq, u64
 *   56  time, i64 (us)  64  inquiry number  72  previous seq
 *   80  payload: the fields of the type's table in their order, integers first, then slices and
 *       lists, each behind its u32 length
 *
 * The header size is there for a later format whose header ends with a hash that makes history
 * provable. Shard and leader epoch are for several machines; on one both are 0, and a record that
 * says otherwise is refused because this program would lose them.
 *
 * A row: format u16, size u16, 0 u32, checksum u64 (as above), then the fields of row_fields.
 */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "record.h"

#include <endian.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAGIC = 0x4c545345, /* "ESTL" */ CHECKED_FROM = 16 };

/* --- The tables -------------------------------------------------------------------------------- */

enum field_kind { FIELD_U32, FIELD_U64, FIELD_ID, FIELD_DISTRICTS, FIELD_SLICE, FIELD_NUMBERS, FIELD_RIGHTS };

/* Where a field is in the struct; of a list, where its pointer and its count are. */
struct field {
    uint16_t kind, offset, count_offset;
};

#define E(kind, member)                                                                                      \
    { kind, offsetof(struct event, member), 0 }
#define LIST(kind, member, count)                                                                            \
    { kind, offsetof(struct event, member), offsetof(struct event, count) }

static const struct field started_fields[] = {E(FIELD_U64, started.generation)};
static const struct field department_set_fields[] = {
    E(FIELD_U32, department_set.department),
    E(FIELD_SLICE, department_set.name),
};
static const struct field purpose_set_fields[] = {
    E(FIELD_U32, purpose_set.purpose),
    E(FIELD_SLICE, purpose_set.name),
};
static const struct field type_set_fields[] = {
    E(FIELD_U32, type_set.type),   E(FIELD_U32, type_set.version),      E(FIELD_U32, type_set.department),
    E(FIELD_SLICE, type_set.name), E(FIELD_SLICE, type_set.definition),
};
static const struct field account_set_fields[] = {
    E(FIELD_U32, account_set.account),    E(FIELD_U32, account_set.role),
    E(FIELD_U32, account_set.department), E(FIELD_DISTRICTS, account_set.districts),
    E(FIELD_SLICE, account_set.name),     LIST(FIELD_RIGHTS, account_set.rights, account_set.rights_count),
    E(FIELD_U32, account_set.level),
};
/* From before operators had levels; read for ever, written no more. */
enum { ACCOUNT_SET_V1_COUNT = 6 };
static const struct field retired_fields[] = {E(FIELD_U32, retired.thing), E(FIELD_U32, retired.number)};
static const struct field submitted_fields[] = {
    E(FIELD_ID, submitted.id),       E(FIELD_U32, submitted.account),   E(FIELD_U32, submitted.type),
    E(FIELD_U32, submitted.version), E(FIELD_U32, submitted.district),  E(FIELD_U32, submitted.purpose),
    E(FIELD_U64, submitted.due.us),  E(FIELD_SLICE, submitted.case_id), E(FIELD_SLICE, submitted.trace),
    E(FIELD_SLICE, submitted.body),
};
static const struct field attempt_failed_fields[] = {
    E(FIELD_U64, attempt_failed.epoch),         E(FIELD_U32, attempt_failed.account),
    E(FIELD_U32, attempt_failed.code),          E(FIELD_U64, attempt_failed.leased_at.us),
    E(FIELD_U64, attempt_failed.not_before.us), E(FIELD_SLICE, attempt_failed.reason),
    E(FIELD_U32, attempt_failed.delayed),
};
/* From when a delay was known by its end alone, which the log's time may have passed. */
enum { ATTEMPT_FAILED_V1_COUNT = 6 };
static const struct field parked_fields[] = {
    E(FIELD_U64, parked.epoch),        E(FIELD_U32, parked.account),  E(FIELD_U32, parked.code),
    E(FIELD_U64, parked.leased_at.us), E(FIELD_SLICE, parked.reason),
};
static const struct field requeued_fields[] = {E(FIELD_U32, requeued.account),
                                               E(FIELD_SLICE, requeued.reason)};
static const struct field answered_fields[] = {
    E(FIELD_U64, answered.epoch),         E(FIELD_U32, answered.account),  E(FIELD_U32, answered.outcome),
    E(FIELD_U64, answered.leased_at.us),  E(FIELD_SLICE, answered.reason), E(FIELD_SLICE, answered.legal_ref),
    E(FIELD_SLICE, answered.valid_until), E(FIELD_SLICE, answered.signer), E(FIELD_SLICE, answered.body),
};
static const struct field cancelled_fields[] = {E(FIELD_U32, cancelled.account),
                                                E(FIELD_SLICE, cancelled.reason)};
static const struct field acknowledged_fields[] = {
    E(FIELD_U32, acknowledged.account),
    LIST(FIELD_NUMBERS, acknowledged.numbers, acknowledged.count),
    E(FIELD_SLICE, acknowledged.ends),
};
/* From before it told each one's end; read for ever, written no more. */
enum { ACKNOWLEDGED_V1_COUNT = 2 };
static const struct field drain_fields[] = {
    E(FIELD_U32, drain.account),
    E(FIELD_U32, drain.on),
    E(FIELD_SLICE, drain.reason),
};

static const struct field paused_fields[] = {
    E(FIELD_U32, paused.account),
    E(FIELD_U32, paused.department),
    E(FIELD_U32, paused.on),
    E(FIELD_SLICE, paused.reason),
};
static const struct field redirected_fields[] = {
    E(FIELD_U64, redirected.epoch),    E(FIELD_U32, redirected.account),
    E(FIELD_U32, redirected.from),     E(FIELD_U32, redirected.district),
    E(FIELD_U32, redirected.holder),   E(FIELD_U64, redirected.leased_at.us),
    E(FIELD_SLICE, redirected.reason),
};

struct layout {
    uint16_t version; /* of the type; 0: there is no such type */
    uint16_t count;
    const struct field *fields;
};

#define LAYOUT_OF(version, fields)                                                                           \
    { version, sizeof(fields) / sizeof((fields)[0]), fields }
#define LAYOUT(fields) LAYOUT_OF(1, fields)

static const struct layout layouts[] = {
    [EVENT_STARTED] = LAYOUT(started_fields),     [EVENT_DEPARTMENT_SET] = LAYOUT(department_set_fields),
    [EVENT_TYPE_SET] = LAYOUT(type_set_fields),   [EVENT_ACCOUNT_SET] = LAYOUT_OF(2, account_set_fields),
    [EVENT_RETIRED] = LAYOUT(retired_fields),     [EVENT_PURPOSE_SET] = LAYOUT(purpose_set_fields),
    [EVENT_SUBMITTED] = LAYOUT(submitted_fields), [EVENT_ATTEMPT_FAILED] = LAYOUT_OF(2, attempt_failed_fields),
    [EVENT_PARKED] = LAYOUT(parked_fields),       [EVENT_REQUEUED] = LAYOUT(requeued_fields),
    [EVENT_ANSWERED] = LAYOUT(answered_fields),   [EVENT_EXPIRED] = {1, 0, NULL},
    [EVENT_CANCELLED] = LAYOUT(cancelled_fields), [EVENT_ACKNOWLEDGED] = LAYOUT_OF(2, acknowledged_fields),
    [EVENT_DRAIN] = LAYOUT(drain_fields),         [EVENT_PAUSED] = LAYOUT(paused_fields),
    [EVENT_REDIRECTED] = LAYOUT(redirected_fields),
};

/* Layouts of older programs. A new version only adds fields behind, so that an older one is the
 * beginning of the newest; what it lacks reads as zero. */
static const struct {
    enum event_type type;
    struct layout layout;
} layouts_older[] = {
    {EVENT_ACCOUNT_SET, {1, ACCOUNT_SET_V1_COUNT, account_set_fields}},
    {EVENT_ATTEMPT_FAILED, {1, ATTEMPT_FAILED_V1_COUNT, attempt_failed_fields}},
    {EVENT_ACKNOWLEDGED, {1, ACKNOWLEDGED_V1_COUNT, acknowledged_fields}},
};

#define R(kind, member)                                                                                      \
    { kind, offsetof(struct inquiry_row, member), 0 }

static const struct field row_fields[] = {
    R(FIELD_U64, number),      R(FIELD_ID, id),        R(FIELD_U32, account),       R(FIELD_U32, type),
    R(FIELD_U32, version),     R(FIELD_U32, district), R(FIELD_U32, purpose),       R(FIELD_U32, state),
    R(FIELD_U32, attempts),    R(FIELD_U32, outcome),  R(FIELD_U32, code),          R(FIELD_U32, actor),
    R(FIELD_U64, received.us), R(FIELD_U64, due.us),   R(FIELD_U64, not_before.us), R(FIELD_U64, ended.us),
    R(FIELD_U64, acked.us),    R(FIELD_U64, epoch),    R(FIELD_U64, last_seq),
};

static const struct layout row_layout = LAYOUT(row_fields);

static const struct layout *layout_of(unsigned type) {
    if (type >= sizeof layouts / sizeof layouts[0] || layouts[type].version == 0)
        return NULL;
    return &layouts[type];
}

static const struct layout *layout_of_version(unsigned type, unsigned version) {
    const struct layout *newest = layout_of(type);
    if (!newest || newest->version == version)
        return newest;
    for (size_t i = 0; i < sizeof layouts_older / sizeof layouts_older[0]; i++)
        if ((unsigned)layouts_older[i].type == type && layouts_older[i].layout.version == version)
            return &layouts_older[i].layout;
    return NULL;
}

/* --- Writing ----------------------------------------------------------------------------------- */

static uint8_t *put_u16(uint8_t *at, uint16_t value) {
    value = htole16(value);
    return (uint8_t *)memcpy(at, &value, sizeof value) + sizeof value;
}

static uint8_t *put_u32(uint8_t *at, uint32_t value) {
    value = htole32(value);
    return (uint8_t *)memcpy(at, &value, sizeof value) + sizeof value;
}

static uint8_t *put_u64(uint8_t *at, uint64_t value) {
    value = htole64(value);
    return (uint8_t *)memcpy(at, &value, sizeof value) + sizeof value;
}

static uint8_t *put_bytes(uint8_t *at, const void *bytes, size_t size) {
    if (size > 0)
        memcpy(at, bytes, size);
    return at + size;
}

/* A member of the struct behind `base`, whatever struct that is. */
static uint32_t member_u32(const uint8_t *base, size_t offset) {
    uint32_t value;
    memcpy(&value, base + offset, sizeof value);
    return value;
}

static uint64_t member_u64(const uint8_t *base, size_t offset) {
    uint64_t value;
    memcpy(&value, base + offset, sizeof value);
    return value;
}

static est_slice member_slice(const uint8_t *base, size_t offset) {
    est_slice value;
    memcpy(&value, base + offset, sizeof value);
    return value;
}

struct list {
    const void *items;
    size_t count;
};

static struct list member_list(const uint8_t *base, const struct field *field) {
    struct list list;
    memcpy(&list.items, base + field->offset, sizeof list.items);
    memcpy(&list.count, base + field->count_offset, sizeof list.count);
    return list;
}

/* Both kinds of list have items of eight bytes. */
enum { ITEM_SIZE = 8, RIGHTS_MAX = 65536, DISTRICT_WORDS = 16 };

static size_t list_max(const struct field *field) {
    return field->kind == FIELD_NUMBERS ? EST_NUMBERS_MAX : RIGHTS_MAX;
}

/* Of the kinds whose fields all have one size, that size; 0 of slices and lists. */
static const uint8_t fixed_sizes[] = {
    [FIELD_U32] = sizeof(uint32_t),
    [FIELD_U64] = sizeof(uint64_t),
    [FIELD_ID] = sizeof(est_id),
    [FIELD_DISTRICTS] = DISTRICT_WORDS * sizeof(uint64_t),
    [FIELD_SLICE] = 0,
    [FIELD_NUMBERS] = 0,
    [FIELD_RIGHTS] = 0,
};

/* Of a slice or list. SIZE_MAX where it is too long; what is not can be added up without a wrap. */
static size_t varying_size(const struct field *field, const uint8_t *base) {
    if (field->kind == FIELD_SLICE) {
        size_t size = member_slice(base, field->offset).size;
        return size <= RECORD_PAYLOAD_MAX ? sizeof(uint32_t) + size : SIZE_MAX;
    }
    size_t count = member_list(base, field).count;
    return count <= list_max(field) ? sizeof(uint32_t) + count * ITEM_SIZE : SIZE_MAX;
}

static uint8_t *put_list(uint8_t *at, const struct field *field, struct list list) {
    at = put_u32(at, (uint32_t)list.count);
    for (size_t i = 0; i < list.count; i++) {
        if (field->kind == FIELD_NUMBERS) {
            at = put_u64(at, ((const uint64_t *)list.items)[i]);
        } else {
            const struct right *right = (const struct right *)list.items + i;
            at = put_u32(put_u32(at, right->type), right->purposes);
        }
    }
    return at;
}

static uint8_t *put_field(uint8_t *at, const struct field *field, const uint8_t *base) {
    switch (field->kind) {
    case FIELD_U32:
        return put_u32(at, member_u32(base, field->offset));
    case FIELD_U64:
        return put_u64(at, member_u64(base, field->offset));
    case FIELD_ID:
        return put_bytes(at, base + field->offset, sizeof(est_id));
    case FIELD_DISTRICTS:
        for (size_t i = 0; i < DISTRICT_WORDS; i++)
            at = put_u64(at, member_u64(base, field->offset + i * sizeof(uint64_t)));
        return at;
    case FIELD_SLICE: {
        est_slice slice = member_slice(base, field->offset);
        return put_bytes(put_u32(at, (uint32_t)slice.size), slice.data, slice.size);
    }
    default:
        return put_list(at, field, member_list(base, field));
    }
}

static uint8_t *put_fields(uint8_t *at, const struct layout *layout, const void *base) {
    for (const struct field *f = layout->fields, *end = f + layout->count; f < end; f++) {
        if (f->kind == FIELD_U32) /* nearly all are of these two kinds */
            at = put_u32(at, member_u32(base, f->offset));
        else if (f->kind == FIELD_U64)
            at = put_u64(at, member_u64(base, f->offset));
        else
            at = put_field(at, f, base);
    }
    return at;
}

uint64_t checksum_of(const void *bytes, size_t size) {
    return XXH3_64bits(bytes, size);
}

uint64_t digest_step(uint64_t digest, uint64_t checksum) {
    uint64_t link[2] = {htole64(digest), htole64(checksum)};
    return XXH3_64bits(link, sizeof link);
}

static uint64_t read_u64(const uint8_t *at) {
    uint64_t value;
    memcpy(&value, at, sizeof value);
    return le64toh(value);
}

/* One pass over all that can vary: the constants before the checksum are compared as such. */
static uint64_t checksum_after(const uint8_t *bytes, size_t size) {
    return XXH3_64bits(bytes + CHECKED_FROM, size - CHECKED_FROM);
}

uint64_t record_checksum(est_slice bytes) {
    return bytes.size >= CHECKED_FROM ? read_u64((const uint8_t *)bytes.data + 8) : 0;
}

size_t record_span(est_slice bytes) {
    uint32_t payload;
    if (bytes.size < RECORD_HEADER_SIZE)
        return bytes.size;
    memcpy(&payload, (const uint8_t *)bytes.data + 24, sizeof payload);
    size_t span = RECORD_HEADER_SIZE + (size_t)le32toh(payload);
    return span < bytes.size ? span : bytes.size;
}

size_t record_size(const struct event *event) {
    const struct layout *layout = layout_of((unsigned)event->type);
    if (!layout)
        return 0;
    size_t payload = 0;
    for (const struct field *f = layout->fields, *end = f + layout->count; f < end; f++) {
        size_t size = fixed_sizes[f->kind];
        if (size == 0)
            size = varying_size(f, (const uint8_t *)event);
        if (size > RECORD_PAYLOAD_MAX - payload)
            return 0;
        payload += size;
    }
    return RECORD_HEADER_SIZE + payload;
}

uint64_t record_write(const struct event *event, size_t size, void *bytes) {
    const struct layout *layout = layout_of((unsigned)event->type);
    uint8_t *start = bytes, *at = start;
    at = put_u32(at, MAGIC);
    at = put_u16(at, RECORD_FORMAT);
    at = put_u16(at, RECORD_HEADER_SIZE);
    at += sizeof(uint64_t); /* the checksum, once the rest is there */
    at = put_u16(at, (uint16_t)event->type);
    at = put_u16(at, layout->version);
    at = put_u32(at, 0);
    at = put_u32(at, (uint32_t)(size - RECORD_HEADER_SIZE));
    at = put_u32(at, 0);
    at = put_u64(at, event->generation);
    at = put_u64(at, 0);
    at = put_u64(at, event->seq);
    at = put_u64(at, (uint64_t)event->at.us);
    at = put_u64(at, event->number);
    at = put_u64(at, event->previous);
    put_fields(at, layout, event);
    uint64_t checksum = checksum_after(start, size);
    put_u64(start + 8, checksum);
    return checksum;
}

void row_write(const struct inquiry_row *row, uint8_t bytes[ROW_SIZE]) {
    put_u32(put_u16(put_u16(bytes, ROW_FORMAT), ROW_SIZE), 0);
    put_fields(bytes + CHECKED_FROM, &row_layout, row);
    put_u64(bytes + 8, checksum_after(bytes, ROW_SIZE));
}

/* --- Reading ----------------------------------------------------------------------------------- */

/* What is left of the bytes. A take that does not fit fails the reader and everything after. */
struct reader {
    const uint8_t *at;
    size_t left;
    bool bad;
};

static const uint8_t *take(struct reader *reader, size_t size) {
    if (reader->bad || size > reader->left) {
        reader->bad = true;
        return NULL;
    }
    const uint8_t *at = reader->at;
    reader->at += size;
    reader->left -= size;
    return at;
}

static uint16_t take_u16(struct reader *reader) {
    uint16_t value = 0;
    const uint8_t *at = take(reader, sizeof value);
    if (at)
        memcpy(&value, at, sizeof value);
    return le16toh(value);
}

static uint32_t take_u32(struct reader *reader) {
    uint32_t value = 0;
    const uint8_t *at = take(reader, sizeof value);
    if (at)
        memcpy(&value, at, sizeof value);
    return le32toh(value);
}

static uint64_t take_u64(struct reader *reader) {
    const uint8_t *at = take(reader, sizeof(uint64_t));
    return at ? read_u64(at) : 0;
}

static void take_into(struct reader *reader, void *ret, size_t size) {
    const uint8_t *at = take(reader, size);
    if (at)
        memcpy(ret, at, size);
}

static void take_slice(struct reader *reader, void *ret) {
    est_slice slice = {.size = take_u32(reader)};
    slice.data = take(reader, slice.size);
    if (!reader->bad)
        memcpy(ret, &slice, sizeof slice);
}

static bool scratch_reserve(struct record_scratch *scratch, size_t size) {
    if (size <= scratch->capacity)
        return true;
    void *data = realloc(scratch->data, size);
    if (!data)
        return false;
    scratch->data = data;
    scratch->capacity = size;
    return true;
}

void record_scratch_done(struct record_scratch *scratch) {
    free(scratch->data);
    *scratch = (struct record_scratch){0};
}

static int take_list(struct reader *reader, const struct field *field, struct record_scratch *scratch,
                     uint8_t *base) {
    size_t count = take_u32(reader);
    if (count > list_max(field) || count * ITEM_SIZE > reader->left)
        reader->bad = true;
    if (reader->bad)
        return 0;
    if (!scratch_reserve(scratch, count * ITEM_SIZE))
        return -EST_NO_MEMORY;
    for (size_t i = 0; i < count; i++) {
        if (field->kind == FIELD_NUMBERS) {
            ((uint64_t *)scratch->data)[i] = take_u64(reader);
        } else {
            struct right *right = (struct right *)scratch->data + i;
            right->type = take_u32(reader);
            right->purposes = take_u32(reader);
        }
    }
    const void *items = count > 0 ? scratch->data : NULL;
    memcpy(base + field->offset, &items, sizeof items);
    memcpy(base + field->count_offset, &count, sizeof count);
    return 0;
}

static int take_field(struct reader *reader, const struct field *field, struct record_scratch *scratch,
                      uint8_t *base) {
    uint8_t *ret = base + field->offset;
    switch (field->kind) {
    case FIELD_U32: {
        uint32_t value = take_u32(reader);
        memcpy(ret, &value, sizeof value);
        return 0;
    }
    case FIELD_U64: {
        uint64_t value = take_u64(reader);
        memcpy(ret, &value, sizeof value);
        return 0;
    }
    case FIELD_ID:
        take_into(reader, ret, sizeof(est_id));
        return 0;
    case FIELD_DISTRICTS:
        for (size_t i = 0; i < DISTRICT_WORDS; i++) {
            uint64_t word = take_u64(reader);
            memcpy(ret + i * sizeof word, &word, sizeof word);
        }
        return 0;
    case FIELD_SLICE:
        take_slice(reader, ret);
        return 0;
    default:
        return take_list(reader, field, scratch, base);
    }
}

static int take_fields(struct reader *reader, const struct layout *layout, struct record_scratch *scratch,
                       void *base) {
    for (size_t i = 0; i < layout->count; i++) {
        int rc = take_field(reader, &layout->fields[i], scratch, base);
        if (rc)
            return rc;
    }
    return 0;
}

static int defect(char ret_why[RECORD_WHY_SIZE], const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static int defect(char ret_why[RECORD_WHY_SIZE], const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(ret_why, RECORD_WHY_SIZE, format, args);
    va_end(args);
    return -EST_INPUT;
}

/* The checksum comes before the type: a flipped bit must not pass for a newer program's event. */
static int check_frame(est_slice bytes, size_t header_size, char ret_why[RECORD_WHY_SIZE]) {
    if (bytes.size < header_size)
        return defect(ret_why, "it is cut short: %zu bytes, and a header has %zu", bytes.size, header_size);
    if (checksum_after(bytes.data, bytes.size) != read_u64((const uint8_t *)bytes.data + 8))
        return defect(ret_why, "its checksum does not match its bytes");
    return 0;
}

/* Format first: of another format even the place of the checksum is not known. */
static int check_event_frame(est_slice bytes, char ret_why[RECORD_WHY_SIZE]) {
    struct reader reader = {bytes.data, bytes.size, false};
    uint32_t magic = take_u32(&reader);
    uint16_t format = take_u16(&reader), header_size = take_u16(&reader);
    if (!reader.bad && magic != MAGIC)
        return defect(ret_why, "it does not begin as an event does");
    if (!reader.bad && (format != RECORD_FORMAT || header_size != RECORD_HEADER_SIZE))
        return defect(ret_why, "it has format %u with a header of %u bytes, and this program knows format %d",
                      format, header_size, RECORD_FORMAT);
    return check_frame(bytes, RECORD_HEADER_SIZE, ret_why);
}

bool record_is_whole(est_slice bytes) {
    char why[RECORD_WHY_SIZE];
    return check_event_frame(bytes, why) == 0;
}

int record_read(est_slice bytes, struct record_scratch *scratch, struct event *ret,
                char ret_why[RECORD_WHY_SIZE]) {
    int rc = check_event_frame(bytes, ret_why);
    return rc ? rc : record_parse(bytes, scratch, ret, ret_why);
}

int record_parse(est_slice bytes, struct record_scratch *scratch, struct event *ret,
                 char ret_why[RECORD_WHY_SIZE]) {
    int rc;
    struct reader reader = {(const uint8_t *)bytes.data + CHECKED_FROM, bytes.size - CHECKED_FROM, false};
    unsigned type = take_u16(&reader), version = take_u16(&reader);
    const struct layout *layout = layout_of_version(type, version);
    if (!layout)
        return defect(ret_why, "it is of type %u version %u, which this program does not know", type,
                      version);
    uint32_t shard = take_u32(&reader);
    uint32_t payload = take_u32(&reader);
    uint32_t reserved = take_u32(&reader);
    struct event event = {.type = (enum event_type)type};
    event.generation = take_u64(&reader);
    uint64_t leader = take_u64(&reader);
    if (shard != 0 || leader != 0 || reserved != 0)
        return defect(ret_why, "it was written by a broker of several machines, which this program is not");
    event.seq = take_u64(&reader);
    event.at.us = (int64_t)take_u64(&reader);
    event.number = take_u64(&reader);
    event.previous = take_u64(&reader);
    if (payload != reader.left)
        return defect(ret_why, "it says %u bytes of payload and has %zu", payload, reader.left);
    rc = take_fields(&reader, layout, scratch, &event);
    if (rc) {
        defect(ret_why, "there is no memory for its list");
        return rc;
    }
    if (reader.bad || reader.left != 0)
        return defect(ret_why, "its fields do not fill its payload exactly");
    *ret = event;
    return 0;
}

int row_read(est_slice bytes, struct inquiry_row *ret, char ret_why[RECORD_WHY_SIZE]) {
    struct reader reader = {bytes.data, bytes.size, false};
    unsigned format = take_u16(&reader), size = take_u16(&reader), reserved = take_u32(&reader);
    if (!reader.bad && format != ROW_FORMAT)
        return defect(ret_why, "it has format %u, and this program knows %d", format, ROW_FORMAT);
    if (bytes.size != ROW_SIZE || size != ROW_SIZE || reserved != 0)
        return defect(ret_why, "it has %zu bytes instead of %d, or says so", bytes.size, ROW_SIZE);
    int rc = check_frame(bytes, ROW_SIZE, ret_why);
    if (rc)
        return rc;
    reader = (struct reader){(const uint8_t *)bytes.data + CHECKED_FROM, ROW_SIZE - CHECKED_FROM, false};
    return take_fields(&reader, &row_layout, NULL, ret);
}
