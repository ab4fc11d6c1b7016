/* view.c - see view.h. */
#include "view.h"
#include "json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* --- Values ------------------------------------------------------------------------------------ */

json_t *view_text(est_slice text) {
    return text.size ? json_stringn(text.data, text.size) : json_null();
}

void view_time_format(est_time t, char ret[VIEW_TIME_SIZE]) {
    time_t seconds = (time_t)(t.us / EST_US_PER_S);
    struct tm parts;
    gmtime_r(&seconds, &parts);
    snprintf(ret, VIEW_TIME_SIZE, "%04u-%02u-%02uT%02u:%02u:%02u.%06uZ",
             (unsigned)(parts.tm_year + 1900) % 10000, (unsigned)(parts.tm_mon + 1) % 100,
             (unsigned)parts.tm_mday % 100, (unsigned)parts.tm_hour % 100, (unsigned)parts.tm_min % 100,
             (unsigned)parts.tm_sec % 100, (unsigned)(t.us % EST_US_PER_S) % 1000000);
}

json_t *view_time(est_time t) {
    char text[VIEW_TIME_SIZE];
    if (t.us <= 0)
        return json_null();
    view_time_format(t, text);
    return json_string(text);
}

json_t *view_code(int code) {
    return code ? json_string(est_code_name(code)) : json_null();
}

json_t *view_id(const est_id *id) {
    static const est_id none;
    char text[EST_ID_TEXT_SIZE];
    if (memcmp(id, &none, sizeof none) == 0)
        return json_null();
    est_id_format(id, text);
    return json_string(text);
}

static json_t *state_name(enum est_state state) {
    return state ? json_string(est_state_name(state)) : json_null();
}

static json_t *outcome_name(enum est_outcome outcome) {
    return outcome ? json_string(est_outcome_name(outcome)) : json_null();
}

static json_t *body_view(est_slice body) {
    json_t *json = body.size ? json_from_msgpack(body) : NULL;
    return json ? json : json_null();
}

/* "Z", "+03:30": seconds east of UTC. */
static bool offset_parse(const char *text, int *ret) {
    unsigned hours, minutes;
    int used = 0;
    if (strcmp(text, "Z") == 0 || strcmp(text, "z") == 0) {
        *ret = 0;
        return true;
    }
    if ((text[0] != '+' && text[0] != '-') || strlen(text) != 6 ||
        sscanf(text + 1, "%2u:%2u%n", &hours, &minutes, &used) != 2 || used != 5 || hours > 23 ||
        minutes > 59)
        return false;
    *ret = (int)(hours * 3600 + minutes * 60) * (text[0] == '-' ? -1 : 1);
    return true;
}

bool view_time_parse(const char *text, est_time *ret) {
    struct tm parts = {0};
    int offset;
    int64_t fraction = 0, unit = EST_US_PER_S;
    if (strspn(text, "0123456789-") != 10)
        return false;
    const char *at = strptime(text, text[10] == 't' ? "%Y-%m-%dt%H:%M:%S" : "%Y-%m-%dT%H:%M:%S", &parts);
    if (!at || at - text != 19)
        return false;
    if (*at == '.') {
        const char *start = ++at;
        for (; *at >= '0' && *at <= '9'; at++) {
            unit /= 10;
            fraction += unit * (*at - '0');
        }
        if (at == start || at - start > 9)
            return false;
    }
    if (!offset_parse(at, &offset))
        return false;
    int day = parts.tm_mday;
    int64_t seconds = (int64_t)timegm(&parts) - offset;
    if (parts.tm_mday != day) /* the 31st of February moves on */
        return false;
    ret->us = seconds * EST_US_PER_S + fraction;
    return true;
}

bool view_uint_parse(const char *text, uint64_t max, uint64_t *ret) {
    uint64_t value = 0;
    if (!*text || strlen(text) > 20)
        return false;
    for (; *text; text++) {
        unsigned digit = (unsigned)(*text - '0');
        if (digit > 9 || value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    if (value > max)
        return false;
    *ret = value;
    return true;
}

/* --- One inquiry ------------------------------------------------------------------------------- */

json_t *view_receipt(const est_event *e) {
    return json_pack("{s:o, s:I, s:o, s:o, s:o, s:o, s:I, s:o, s:I, s:b}", "id", view_id(&e->id), "number",
                     (json_int_t)e->number, "tracking", view_text(e->tracking), "received_at",
                     view_time(e->at), "due_at", view_time(e->due), "state", state_name(e->state), "version",
                     (json_int_t)e->version, "department", view_text(e->department), "district",
                     (json_int_t)e->district, "again", (int)e->again);
}

static void set(json_t *object, const char *name, json_t *take) {
    json_object_set_new(object, name, take);
}

/* How it ended, alike in a status and in a result. */
static void end_set(json_t *object, const est_event *e) {
    set(object, "state", state_name(e->state));
    set(object, "outcome", outcome_name(e->outcome));
    set(object, "code", view_code(e->code));
    set(object, "reason", view_text(e->reason));
    set(object, "ended_at", view_time(e->ended));
    set(object, "legal_ref", view_text(e->legal_ref));
    set(object, "valid_until", view_text(e->valid_until));
    set(object, "signer", view_text(e->signer));
}

json_t *view_inquiry(const est_event *e) {
    json_t *json = json_object();
    set(json, "id", view_id(&e->id));
    set(json, "number", json_integer((json_int_t)e->number));
    set(json, "tracking", view_text(e->tracking));
    set(json, "type", view_text(e->type));
    set(json, "version", json_integer((json_int_t)e->version));
    set(json, "department", view_text(e->department));
    set(json, "district", json_integer((json_int_t)e->district));
    set(json, "requester", view_text(e->account));
    set(json, "purpose", view_text(e->purpose));
    set(json, "case_id", view_text(e->case_id));
    set(json, "attempts", json_integer((json_int_t)e->attempts));
    set(json, "received_at", view_time(e->at));
    set(json, "due_at", view_time(e->due));
    end_set(json, e);
    set(json, "acknowledged_at", view_time(e->acked));
    set(json, "holder", view_text(e->holder));
    set(json, "until_at", view_time(e->until));
    set(json, "request", body_view(e->request));
    set(json, "reply", body_view(e->body));
    return json;
}

json_t *view_ended(const est_event *e) {
    json_t *json = json_object();
    set(json, "id", view_id(&e->id));
    set(json, "number", json_integer((json_int_t)e->number));
    set(json, "department", view_text(e->department));
    end_set(json, e);
    set(json, "reply", body_view(e->body));
    return json;
}

json_t *view_defects(const est_event *e) {
    json_t *defects = json_array();
    est_defect d;
    for (size_t i = 0; e->rows.size && est_row_defect(e, i, &d); i++)
        json_array_append_new(defects,
                              json_pack("{s:s, s:s, s:s}", "path", d.path, "kind", d.kind, "text", d.text));
    return defects;
}

/* --- Rows -------------------------------------------------------------------------------------- */

void each_open(struct each *rows, const est_event *e) {
    *rows = (struct each){.one = *e};
    buffer_init(&rows->buffer);
    cursor_init(&rows->cursor, e->rows);
    if (!e->rows.size || !cursor_array(&rows->cursor, EST_ITEMS_MAX, &rows->left))
        rows->left = 0;
}

bool each_next(struct each *rows) {
    est_slice row;
    if (!rows->left || !cursor_value(&rows->cursor, &row))
        return false;
    rows->left--;
    buffer_clear(&rows->buffer);
    pack_array(&rows->buffer, 1);
    buffer_put(&rows->buffer, row.data, row.size);
    rows->one.rows = buffer_slice(&rows->buffer);
    return !rows->buffer.failed;
}

void each_close(struct each *rows) {
    buffer_done(&rows->buffer);
}

static json_t *rows_of(const est_event *e, json_t *(*row)(const est_event *, size_t)) {
    json_t *list = json_array(), *one;
    struct each rows;
    each_open(&rows, e);
    while (each_next(&rows) && (one = row(&rows.one, 0)) != NULL)
        json_array_append_new(list, one);
    each_close(&rows);
    return list;
}

json_t *view_list(const est_event *e, json_t *(*row)(const est_event *, size_t)) {
    char next[24];
    snprintf(next, sizeof next, "%llu", (unsigned long long)e->next);
    return json_pack("{s:o, s:o}", "rows", rows_of(e, row), "next",
                     e->next ? json_string(next) : json_null());
}

static json_t *timeline_row(const est_event *e, size_t i) {
    est_timeline_row r;
    if (!est_row_timeline(e, i, &r))
        return NULL;
    return json_pack("{s:I, s:o, s:o, s:o, s:o, s:o}", "seq", (json_int_t)r.seq, "at", view_time(r.at),
                     "event", view_text(r.event), "actor", view_text(r.actor), "code", view_code(r.code),
                     "text", view_text(r.text));
}

json_t *view_timeline(const est_event *e) {
    return json_pack("{s:o, s:I, s:o, s:n}", "id", view_id(&e->id), "number", (json_int_t)e->number, "rows",
                     rows_of(e, timeline_row), "next");
}

json_t *view_queue_row(const est_event *e, size_t i) {
    est_queue_row r;
    if (!est_row_queue(e, i, &r))
        return NULL;
    return json_pack("{s:o, s:I, s:I, s:I, s:I, s:I, s:o, s:I, s:b, s:I}", "department", view_text(r.department),
                     "district", (json_int_t)r.district, "waiting", (json_int_t)r.waiting, "delayed",
                     (json_int_t)r.delayed, "leased", (json_int_t)r.leased, "parked", (json_int_t)r.parked,
                     "oldest_at", view_time(r.oldest), "agents", (json_int_t)r.agents, "paused",
                     (int)r.paused, "unserved", (json_int_t)r.unserved);
}

json_t *view_agent_row(const est_event *e, size_t i) {
    est_agent_row r;
    if (!est_row_agent(e, i, &r))
        return NULL;
    return json_pack("{s:I, s:o, s:o, s:o, s:o, s:I, s:I, s:I, s:o, s:o}", "session", (json_int_t)r.session,
                     "account", view_text(r.account), "department", view_text(r.department), "software",
                     view_text(r.software), "address", view_text(r.address), "window", (json_int_t)r.window,
                     "leased", (json_int_t)r.leased, "answered", (json_int_t)r.answered, "since_at",
                     view_time(r.since), "heard_at", view_time(r.heard));
}

json_t *view_parked_row(const est_event *e, size_t i) {
    est_parked_row r;
    if (!est_row_parked(e, i, &r))
        return NULL;
    return json_pack("{s:I, s:o, s:o, s:I, s:o, s:o, s:I, s:o}", "number", (json_int_t)r.number, "type",
                     view_text(r.type), "department", view_text(r.department), "district",
                     (json_int_t)r.district, "at", view_time(r.at), "code", view_code(r.code), "attempts",
                     (json_int_t)r.attempts, "reason", view_text(r.reason));
}

json_t *view_stat_row(const est_event *e, size_t i) {
    est_stat_row r;
    if (!est_row_stat(e, i, &r))
        return NULL;
    return json_pack("{s:o, s:I}", "name", view_text(r.name), "value", (json_int_t)r.value);
}

static json_t *level_json(enum est_level level) {
    return level ? json_string(est_level_name(level)) : json_null();
}

json_t *view_key_row(const est_event *e, size_t i) {
    est_key_row r;
    if (!est_row_key(e, i, &r))
        return NULL;
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:I}", "account", view_text(r.account), "role",
                     view_text(r.role), "level", level_json(r.level), "department", view_text(r.department),
                     "key", view_text(r.key), "from_at", view_time(r.from), "until_at", view_time(r.until),
                     "sessions", (json_int_t)r.sessions);
}

json_t *view_config_row(const est_event *e, size_t i) {
    est_config_row r;
    if (!est_row_config(e, i, &r))
        return NULL;
    return json_pack("{s:o, s:o}", "name", view_text(r.name), "value", view_text(r.value));
}

json_t *view_counter_row(const est_event *e, size_t i) {
    est_counter_row r;
    if (!est_row_counter(e, i, &r))
        return NULL;
    return json_pack("{s:o, s:o, s:o, s:I}", "name", view_text(r.name), "department", view_text(r.department),
                     "label", view_text(r.label), "value", (json_int_t)r.value);
}

json_t *view_find_row(const est_event *e, size_t i) {
    est_find_row r;
    if (!est_row_find(e, i, &r))
        return NULL;
    json_t *json = json_object();
    set(json, "id", view_text(r.id));
    set(json, "number", json_integer((json_int_t)r.number));
    set(json, "tracking", view_text(r.tracking));
    set(json, "type", view_text(r.type));
    set(json, "version", json_integer((json_int_t)r.version));
    set(json, "department", view_text(r.department));
    set(json, "district", json_integer((json_int_t)r.district));
    set(json, "requester", view_text(r.requester));
    set(json, "purpose", view_text(r.purpose));
    set(json, "case_id", view_text(r.case_id));
    set(json, "parcel", view_text(r.parcel));
    set(json, "state", state_name(r.state));
    set(json, "outcome", outcome_name(r.outcome));
    set(json, "code", view_code(r.code));
    set(json, "attempts", json_integer((json_int_t)r.attempts));
    set(json, "received_at", view_time(r.received));
    set(json, "due_at", view_time(r.due));
    set(json, "ended_at", view_time(r.ended));
    return json;
}

json_t *view_event(const est_event_row *r, bool reasons) {
    json_t *json = json_object();
    set(json, "seq", json_integer((json_int_t)r->seq));
    set(json, "at", view_time(r->at));
    set(json, "event", view_text(r->event));
    set(json, "number", r->number ? json_integer((json_int_t)r->number) : json_null());
    set(json, "actor", view_text(r->actor));
    set(json, "code", view_code(r->code));
    set(json, "text", reasons ? view_text(r->text) : json_null());
    set(json, "type", view_text(r->type));
    set(json, "department", view_text(r->department));
    set(json, "district", json_integer((json_int_t)r->district));
    set(json, "requester", view_text(r->requester));
    set(json, "outcome", outcome_name(r->outcome));
    set(json, "case_id", view_text(r->case_id));
    set(json, "tracking", view_text(r->tracking));
    return json;
}
