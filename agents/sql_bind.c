/* sql_bind.c - finds each :name in the inquiry and binds it by its kind. See sql_bind.h. */
#include "sql_bind.h"
#include "codec.h"
#include "json.h"
#include <stdlib.h>
#include <string.h>

enum { NAME_PART_MAX = 64 };

/* The names that mean the inquiry itself; they come before a request field of the same name. */
static bool envelope_text(const est_inquiry *in, const char *name, est_slice *ret) {
    if (!strcmp(name, "purpose"))
        return *ret = in->purpose, true;
    if (!strcmp(name, "requester"))
        return *ret = in->requester, true;
    return false;
}

static bool envelope_number(const est_inquiry *in, const char *name, int64_t *ret) {
    if (!strcmp(name, "number"))
        return *ret = (int64_t)in->number, true;
    if (!strcmp(name, "district"))
        return *ret = in->district, true;
    return false;
}

/* Follows "plq.main" into the body. False: absent on the way. */
static bool field_find(est_slice body, const char *name, est_slice *ret) {
    while (*name) {
        char part[NAME_PART_MAX + 1];
        size_t length = strcspn(name, ".");
        if (length >= sizeof part)
            return false;
        memcpy(part, name, length);
        part[length] = 0;
        if (!est_field_raw(body, part, &body))
            return false;
        name += name[length] ? length + 1 : length;
    }
    *ret = body;
    return true;
}

/* One marker about to be bound. */
struct marker {
    struct sql_values *values;
    SQLHSTMT statement;
    size_t index;
};

static bool marker_bind(const struct marker *m, SQLSMALLINT c_type, SQLSMALLINT type, SQLULEN size,
                        const void *data) {
    SQLLEN length = m->values->length[m->index];
    return SQL_SUCCEEDED(SQLBindParameter(m->statement, (SQLUSMALLINT)(m->index + 1), SQL_PARAM_INPUT, c_type,
                                          type, size, 0, (SQLPOINTER)data, length > 0 ? length : 0,
                                          &m->values->length[m->index]));
}

static bool text_bind(const struct marker *m, est_slice text) {
    m->values->length[m->index] = (SQLLEN)text.size;
    return marker_bind(m, SQL_C_CHAR, SQL_VARCHAR, text.size ? text.size : 1, text.size ? text.data : "");
}

static bool number_bind(const struct marker *m, int64_t number) {
    m->values->number[m->index] = number;
    m->values->length[m->index] = 0;
    return marker_bind(m, SQL_C_SBIGINT, SQL_BIGINT, 0, &m->values->number[m->index]);
}

static bool bit_bind(const struct marker *m, bool value) {
    m->values->bit[m->index] = value;
    m->values->length[m->index] = 0;
    return marker_bind(m, SQL_C_BIT, SQL_BIT, 0, &m->values->bit[m->index]);
}

static bool null_bind(const struct marker *m) {
    m->values->length[m->index] = SQL_NULL_DATA;
    return marker_bind(m, SQL_C_CHAR, SQL_VARCHAR, 1, "");
}

static bool json_bind(const struct marker *m, est_slice value) {
    json_t *json = json_from_msgpack(value);
    char *text = json ? json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    json_decref(json);
    m->values->json[m->index] = text;
    return text ? text_bind(m, slice_of(text)) : null_bind(m);
}

static bool value_bind(const struct marker *m, est_slice value) {
    struct cursor cursor;
    est_slice text;
    int64_t number;
    bool truth;
    cursor_init(&cursor, value);
    switch (cursor_peek(&cursor)) {
    case KIND_TEXT:
        return cursor_text(&cursor, EST_BODY_MAX, &text) ? text_bind(m, text) : null_bind(m);
    case KIND_BOOL:
        return cursor_bool(&cursor, &truth) ? bit_bind(m, truth) : null_bind(m);
    case KIND_UINT:
    case KIND_INT:
        /* Beyond 2^63-1 there is no BIGINT; as text the database can still compare it. */
        return cursor_int(&cursor, &number) ? number_bind(m, number) : json_bind(m, value);
    case KIND_ARRAY:
    case KIND_MAP:
        return json_bind(m, value);
    default:
        return null_bind(m);
    }
}

static bool absent_bind(const struct marker *m, const struct sql_text *text) {
    if (!text->may_lack[m->index] && !m->values->lacking)
        m->values->lacking = text->names[m->index];
    return null_bind(m);
}

static bool name_bind(const struct marker *m, const struct sql_text *text, const est_inquiry *in) {
    const char *name = text->names[m->index];
    est_slice value;
    int64_t number;
    if (envelope_text(in, name, &value))
        return text_bind(m, value);
    if (envelope_number(in, name, &number))
        return number_bind(m, number);
    return field_find(in->body, name, &value) ? value_bind(m, value) : absent_bind(m, text);
}

int sql_values_bind(struct sql_values *values, SQLHSTMT statement, const struct sql_text *text,
                    const est_inquiry *in) {
    memset(values, 0, sizeof *values);
    for (size_t i = 0; i < text->count; i++) {
        struct marker marker = {values, statement, i};
        if (!name_bind(&marker, text, in))
            return -EST_IO;
    }
    return 0;
}

void sql_values_done(struct sql_values *values) {
    for (size_t i = 0; i < SQL_PARAMETERS_MAX; i++)
        free(values->json[i]);
    memset(values, 0, sizeof *values);
}
