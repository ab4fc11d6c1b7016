/* body.c - bodies built and read field by field, and the rows of events. */
#include <estelam/client.h>

#include <stdlib.h>
#include <string.h>

#include "message.h"

/* --- Building. ------------------------------------------------------------------------------------ */

/* The map's header depends on how many fields there will be: three bytes are kept free for it,
 * and the slice begins at the first or the third of them. */
enum { HEADER_SIZE = 3, FIXMAP = 0x80, FIXMAP_MAX = 15, MAP16 = 0xde };

struct est_body {
    struct buffer fields;
    unsigned count;
    int failed;
    const char *fault; /* why */
};

static void body_start(est_body *body) {
    static const uint8_t header[HEADER_SIZE];
    buffer_clear(&body->fields);
    buffer_put(&body->fields, header, sizeof header);
    body->count = 0;
    body->failed = 0;
    body->fault = "";
}

/* The first failure stays. */
static void fail(est_body *body, int code, const char *fault) {
    if (body->failed)
        return;
    body->failed = code;
    body->fault = fault;
}

static const char too_many[] = "it has more than 4096 items, of all levels together";

static void fail_by_cursor(est_body *body, const struct cursor *c) {
    if (c->bad == cursor_too_many)
        fail(body, -EST_TOO_LARGE, too_many);
    else
        fail(body, -EST_INPUT, c->bad ? c->bad : "a value is not one whole msgpack value");
}

est_body *est_body_new(void) {
    est_body *body = calloc(1, sizeof *body);
    if (!body)
        return NULL;
    buffer_init(&body->fields);
    body_start(body);
    return body;
}

void est_body_free(est_body **body) {
    if (!*body)
        return;
    buffer_done(&(*body)->fields);
    free(*body);
    *body = NULL;
}

void est_body_clear(est_body *body) {
    body_start(body);
}

/* The name of a field; false where the body has failed already or the name is none. */
static bool field_begin(est_body *body, const char *name) {
    if (!name || !utf8_is_valid(slice_of(name)))
        fail(body, -EST_INPUT, "a field's name is not UTF-8");
    if (body->failed)
        return false;
    pack_cstr(&body->fields, name);
    body->count++;
    return true;
}

_Static_assert(EST_BODY_MAX == 65536 && EST_ITEMS_MAX == 4096, "the sentences below name them");

static void field_end(est_body *body) {
    if (body->fields.failed)
        fail(body, -EST_NO_MEMORY, "out of memory");
    else if (body->fields.size > EST_BODY_MAX)
        fail(body, -EST_TOO_LARGE, "it is larger than 65536 bytes");
    else if (body->count > EST_ITEMS_MAX)
        fail(body, -EST_TOO_LARGE, too_many);
}

void est_body_text(est_body *body, const char *name, const char *value) {
    if (!value || !utf8_is_valid(slice_of(value)))
        fail(body, -EST_INPUT, "a text is not UTF-8");
    if (!field_begin(body, name))
        return;
    pack_cstr(&body->fields, value);
    field_end(body);
}

void est_body_int(est_body *body, const char *name, int64_t value) {
    if (!field_begin(body, name))
        return;
    pack_int(&body->fields, value);
    field_end(body);
}

void est_body_bool(est_body *body, const char *name, bool value) {
    if (!field_begin(body, name))
        return;
    pack_bool(&body->fields, value);
    field_end(body);
}

/* Looks through one value, or notes what is wrong with it. */
static bool value_is_whole(est_body *body, est_slice value) {
    struct cursor c;
    est_slice taken;
    cursor_init(&c, value);
    if (value.size > 0 && cursor_value(&c, &taken) && cursor_left(&c) == 0)
        return true;
    fail_by_cursor(body, &c);
    return false;
}

void est_body_raw(est_body *body, const char *name, est_slice value) {
    if (!value_is_whole(body, value) || !field_begin(body, name))
        return;
    buffer_put(&body->fields, value.data, value.size);
    field_end(body);
}

const char *est_body_fault(const est_body *body) {
    return body->fault;
}

int est_body_slice(est_body *body, est_slice *ret) {
    if (body->fields.failed)
        body->failed = -EST_NO_MEMORY, body->fault = "out of memory";
    if (body->failed)
        return body->failed;
    uint8_t *data = body->fields.data;
    size_t skip = body->count <= FIXMAP_MAX ? HEADER_SIZE - 1 : 0;
    if (skip) {
        data[skip] = (uint8_t)(FIXMAP | body->count);
    } else {
        data[0] = MAP16;
        data[1] = (uint8_t)(body->count >> 8);
        data[2] = (uint8_t)body->count;
    }
    /* Levels, items and names are those of the whole. */
    est_slice whole = {data + skip, body->fields.size - skip};
    if (!value_is_whole(body, whole))
        return body->failed;
    *ret = whole;
    return 0;
}

/* --- Reading. ------------------------------------------------------------------------------------- */

/* Puts the cursor before the value of this field. */
static bool field_find(struct cursor *c, est_slice body, const char *name) {
    size_t count;
    est_slice wanted = slice_of(name), key, value;
    cursor_init(c, body);
    if (!cursor_map(c, EST_ITEMS_MAX, &count))
        return false;
    for (size_t i = 0; i < count; i++) {
        bool is_text = cursor_peek(c) == KIND_TEXT;
        if (!(is_text ? cursor_text(c, EST_BODY_MAX, &key) : cursor_value(c, &key)))
            return false;
        if (is_text && slice_equal(key, wanted))
            return true;
        if (!cursor_value(c, &value))
            return false;
    }
    return false;
}

bool est_field_text(est_slice body, const char *name, est_slice *ret) {
    struct cursor c;
    return field_find(&c, body, name) && cursor_text(&c, EST_BODY_MAX, ret);
}

bool est_field_int(est_slice body, const char *name, int64_t *ret) {
    struct cursor c;
    return field_find(&c, body, name) && cursor_int(&c, ret);
}

bool est_field_bool(est_slice body, const char *name, bool *ret) {
    struct cursor c;
    return field_find(&c, body, name) && cursor_bool(&c, ret);
}

bool est_field_raw(est_slice body, const char *name, est_slice *ret) {
    struct cursor c;
    return field_find(&c, body, name) && cursor_value(&c, ret);
}

/* --- Rows. ---------------------------------------------------------------------------------------- */

/* Puts the cursor before row `index`, in an event that has such rows. */
static bool row_find(struct cursor *c, const est_event *event, enum est_event_kind kind, size_t index) {
    size_t count;
    est_slice row;
    if (event->kind != kind || !rows_open(c, event->rows, &count) || index >= count)
        return false;
    for (size_t i = 0; i < index; i++)
        if (!cursor_value(c, &row))
            return false;
    return true;
}

bool est_row_queue(const est_event *event, size_t index, est_queue_row *ret) {
    struct cursor c;
    struct queue_row row;
    if (!row_find(&c, event, EST_EVENT_QUEUES, index) || !queue_row_next(&c, &row))
        return false;
    *ret = (est_queue_row){.department = row.department,
                           .district = (unsigned)row.district,
                           .waiting = row.waiting,
                           .delayed = row.delayed,
                           .leased = row.leased,
                           .parked = row.parked,
                           .oldest = {(int64_t)row.oldest_us},
                           .agents = row.agents,
                           .paused = row.paused != 0,
                           .unserved = row.unserved};
    return true;
}

bool est_row_agent(const est_event *event, size_t index, est_agent_row *ret) {
    struct cursor c;
    struct agent_row row;
    if (!row_find(&c, event, EST_EVENT_AGENTS, index) || !agent_row_next(&c, &row))
        return false;
    *ret = (est_agent_row){.session = row.session,
                           .account = row.account,
                           .department = row.department,
                           .software = row.software,
                           .address = row.address,
                           .window = row.window,
                           .leased = row.leased,
                           .answered = row.answered,
                           .since = {(int64_t)row.since_us},
                           .heard = {(int64_t)row.heard_us}};
    return true;
}

bool est_row_parked(const est_event *event, size_t index, est_parked_row *ret) {
    struct cursor c;
    struct parked_row row;
    if (!row_find(&c, event, EST_EVENT_PARKED, index) || !parked_row_next(&c, &row))
        return false;
    *ret = (est_parked_row){.number = row.number,
                            .type = row.type,
                            .department = row.department,
                            .reason = row.reason,
                            .district = (unsigned)row.district,
                            .attempts = (unsigned)row.attempts,
                            .at = {(int64_t)row.at_us},
                            .code = (int)row.code};
    return true;
}

bool est_row_timeline(const est_event *event, size_t index, est_timeline_row *ret) {
    struct cursor c;
    struct timeline_row row;
    if (!row_find(&c, event, EST_EVENT_TIMELINE, index) || !timeline_row_next(&c, &row))
        return false;
    *ret = (est_timeline_row){.seq = row.seq,
                              .at = {(int64_t)row.at_us},
                              .event = row.event,
                              .actor = row.actor,
                              .text = row.text,
                              .code = (int)row.code};
    return true;
}

bool est_row_stat(const est_event *event, size_t index, est_stat_row *ret) {
    struct cursor c;
    struct stat_row row;
    if (!row_find(&c, event, EST_EVENT_STATS, index) || !stat_row_next(&c, &row))
        return false;
    *ret = (est_stat_row){.name = row.name, .value = row.value};
    return true;
}

bool est_row_key(const est_event *event, size_t index, est_key_row *ret) {
    struct cursor c;
    struct key_row row;
    if (!row_find(&c, event, EST_EVENT_KEYS, index) || !key_row_next(&c, &row))
        return false;
    *ret = (est_key_row){.account = row.account,
                         .role = row.role,
                         .department = row.department,
                         .key = row.key,
                         .level = (enum est_level)row.level,
                         .from = {(int64_t)row.from_us},
                         .until = {(int64_t)row.until_us},
                         .sessions = row.sessions};
    return true;
}

bool est_row_config(const est_event *event, size_t index, est_config_row *ret) {
    struct cursor c;
    struct config_row row;
    if (!row_find(&c, event, EST_EVENT_CONFIG, index) || !config_row_next(&c, &row))
        return false;
    *ret = (est_config_row){.name = row.name, .value = row.value};
    return true;
}

bool est_row_event(const est_event *event, size_t index, est_event_row *ret) {
    struct cursor c;
    struct event_row row;
    if (!row_find(&c, event, EST_EVENT_EVENTS, index) || !event_row_next(&c, &row))
        return false;
    *ret = (est_event_row){.seq = row.seq,
                           .number = row.number,
                           .at = {(int64_t)row.at_us},
                           .leased = {(int64_t)row.leased_us},
                           .code = (int)row.code,
                           .outcome = (enum est_outcome)row.outcome,
                           .district = (unsigned)row.district,
                           .confidential = row.confidential != 0,
                           .event = row.event,
                           .actor = row.actor,
                           .text = row.text,
                           .type = row.type,
                           .department = row.department,
                           .requester = row.requester,
                           .case_id = row.case_id,
                           .tracking = row.tracking};
    return true;
}

bool est_row_find(const est_event *event, size_t index, est_find_row *ret) {
    struct cursor c;
    struct find_row row;
    if (!row_find(&c, event, EST_EVENT_FIND, index) || !find_row_next(&c, &row))
        return false;
    *ret = (est_find_row){.number = row.number,
                          .version = (unsigned)row.version,
                          .district = (unsigned)row.district,
                          .attempts = (unsigned)row.attempts,
                          .state = (enum est_state)row.state,
                          .outcome = (enum est_outcome)row.outcome,
                          .code = (int)row.code,
                          .received = {(int64_t)row.received_us},
                          .due = {(int64_t)row.due_us},
                          .ended = {(int64_t)row.ended_us},
                          .id = row.id,
                          .tracking = row.tracking,
                          .type = row.type,
                          .department = row.department,
                          .requester = row.requester,
                          .purpose = row.purpose,
                          .case_id = row.case_id,
                          .parcel = row.parcel};
    return true;
}

bool est_row_counter(const est_event *event, size_t index, est_counter_row *ret) {
    struct cursor c;
    struct counter_row row;
    if (!row_find(&c, event, EST_EVENT_COUNTERS, index) || !counter_row_next(&c, &row))
        return false;
    *ret = (est_counter_row){
        .name = row.name, .department = row.department, .label = row.label, .value = row.value};
    return true;
}

bool est_row_defect(const est_event *event, size_t index, est_defect *ret) {
    struct cursor c;
    return row_find(&c, event, EST_EVENT_REFUSED, index) && defect_next(&c, ret);
}
