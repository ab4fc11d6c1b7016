/* body.c - request and reply bodies against their type's fields: closed, all defects at once. */
#include "body.h"
#include "when.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* --- Defects ---------------------------------------------------------------------------------- */

static size_t path_write(const struct path *path, char *ret, size_t size) {
    size_t used = path->up ? path_write(path->up, ret, size) : 0;
    if (used >= size)
        return size;
    if (!path->name.data)
        return path->up ? used + (size_t)snprintf(ret + used, size - used, "[%zu]", path->index) : used;
    int name = path->name.size < size ? (int)path->name.size : (int)size;
    return used + (size_t)snprintf(ret + used, size - used, "%s%.*s", used ? "." : "", name,
                                   (const char *)path->name.data);
}

/* A key of the body may hold anything, and a path is shown to people. */
static void path_format(const struct path *path, char ret[EST_DEFECT_PATH_MAX]) {
    ret[0] = '\0';
    if (path_write(path, ret, EST_DEFECT_PATH_MAX) >= EST_DEFECT_PATH_MAX)
        text_trim(ret);
    for (char *at = ret; *at; at++) {
        if ((unsigned char)*at < 0x20 || *at == 0x7F)
            *at = '?';
    }
}

void defect_add(struct check *check, const struct path *path, const char *kind, const char *format, ...) {
    struct defects *defects = check->defects;
    defects->count++;
    if (defects->kept == EST_DEFECTS_MAX)
        return;
    est_defect *defect = &defects->at[defects->kept++];
    path_format(path, defect->path);
    snprintf(defect->kind, sizeof defect->kind, "%s", kind);
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(defect->text, sizeof defect->text, format, arguments);
    va_end(arguments);
    if (size >= (int)sizeof defect->text)
        text_trim(defect->text);
}

void defect_type(struct check *check, const struct path *path, const char *wanted, struct cursor *cursor) {
    static const char *const found[] = {
        [KIND_NONE] = "nothing",  [KIND_NIL] = "nil",      [KIND_BOOL] = "true or false",
        [KIND_UINT] = "a number", [KIND_INT] = "a number", [KIND_TEXT] = "text",
        [KIND_BIN] = "binary",    [KIND_ARRAY] = "a list", [KIND_MAP] = "a map",
    };
    est_slice skipped;
    defect_add(check, path, "type", "must be %s, not %s", wanted, found[cursor_peek(cursor)]);
    value_skip(cursor, &skipped);
}

/* --- Values ----------------------------------------------------------------------------------- */

/* Takes the head of one value, and what it holds unless that is further values, which it counts. */
static bool head_skip(struct cursor *cursor, size_t *ret_inner) {
    est_slice bytes;
    bool truth;
    int64_t number;
    uint64_t natural;
    *ret_inner = 0;
    switch (cursor_peek(cursor)) {
    case KIND_NIL:
        return cursor_nil(cursor);
    case KIND_BOOL:
        return cursor_bool(cursor, &truth);
    case KIND_UINT:
        return cursor_uint(cursor, &natural);
    case KIND_INT:
        return cursor_int(cursor, &number);
    case KIND_TEXT:
        return cursor_text(cursor, EST_BODY_MAX, &bytes);
    case KIND_BIN:
        return cursor_bin(cursor, EST_BODY_MAX, &bytes);
    case KIND_ARRAY:
        return cursor_array(cursor, EST_BODY_MAX, ret_inner);
    case KIND_MAP:
        if (!cursor_map(cursor, EST_BODY_MAX, ret_inner))
            return false;
        *ret_inner *= 2;
        return true;
    case KIND_NONE:
        break;
    }
    return cursor_fail(cursor, "a value that the protocol does not have");
}

/* Counts what is still to come instead of recursing. Every value takes a byte at least, so a count
 * beyond what is left is cut short and the loop is bounded by the input. */
bool value_skip(struct cursor *cursor, est_slice *ret) {
    const uint8_t *before = cursor->at;
    for (size_t inner, to_come = 1; to_come > 0; to_come += inner - 1) {
        if (to_come > cursor_left(cursor))
            return cursor_fail(cursor, "the input is cut short");
        if (!head_skip(cursor, &inner))
            return false;
    }
    *ret = (est_slice){before, (size_t)(cursor->at - before)};
    return true;
}

bool text_take(struct check *check, const struct path *path, const char *wanted, struct cursor *cursor,
               est_slice *ret) {
    if (cursor_peek(cursor) == KIND_TEXT)
        return cursor_text(cursor, EST_BODY_MAX, ret);
    defect_type(check, path, wanted, cursor);
    return false;
}

/* --- Maps ------------------------------------------------------------------------------------- */

/* The field of this name; bodies mostly come in the schema's order, so the search begins at `from`. */
static size_t field_find(const struct field *fields, size_t count, est_slice name, size_t from) {
    for (size_t i = 0; i < count; i++) {
        size_t at = from + i < count ? from + i : from + i - count;
        if (slice_equal(name, slice_of(fields[at].name)))
            return at;
    }
    return count;
}

static void unknown_add(struct check *check, const struct path *path, const struct field *fields,
                        size_t count, est_slice name) {
    struct path here = {.up = path, .name = name};
    struct nearest nearest;
    char hint[128];
    nearest_init(&nearest, name);
    for (size_t i = 0; i < count; i++)
        nearest_offer(&nearest, fields[i].name);
    if (name.size == 0)
        here.name = slice_of("\"\"");
    defect_add(check, &here, "unknown", "the inquiry type has no such field%s", nearest_hint(&nearest, hint));
}

/* One pair of the map into its place. */
static bool pair_cut(struct check *check, const struct path *path, const struct field *fields, size_t count,
                     struct cursor *cursor, size_t *from, est_slice *ret_values) {
    est_slice name, value;
    if (cursor_peek(cursor) != KIND_TEXT) {
        defect_add(check, path, "type", "a field's name must be text");
        return value_skip(cursor, &value) && value_skip(cursor, &value);
    }
    if (!cursor_text(cursor, EST_BODY_MAX, &name) || !value_skip(cursor, &value))
        return false;
    size_t index = field_find(fields, count, name, *from);
    if (index == count) {
        unknown_add(check, path, fields, count, name);
        return true;
    }
    if (ret_values[index].data) {
        struct path here = {.up = path, .name = name};
        defect_add(check, &here, "duplicate", "the field is there more than once");
    }
    ret_values[index] = value;
    *from = index + 1;
    return true;
}

bool map_cut(struct check *check, const struct path *path, const struct field *fields, size_t count,
             struct cursor *cursor, est_slice *ret_values) {
    size_t pairs, from = 0;
    if (cursor_peek(cursor) != KIND_MAP) {
        defect_type(check, path, "a map", cursor);
        return false;
    }
    if (!cursor_map(cursor, EST_BODY_MAX, &pairs))
        return false;
    for (size_t i = 0; i < count; i++)
        ret_values[i] = (est_slice){NULL, 0};
    for (size_t i = 0; i < pairs; i++) {
        if (!pair_cut(check, path, fields, count, cursor, &from, ret_values))
            return false;
    }
    return true;
}

static void list_check(struct check *check, const struct path *path, const struct field *field,
                       struct cursor *cursor) {
    size_t count;
    if (cursor_peek(cursor) != KIND_ARRAY) {
        defect_type(check, path, "a list", cursor);
        return;
    }
    if (!cursor_array(cursor, EST_BODY_MAX, &count))
        return;
    if (count > field->items_max)
        defect_add(check, path, "length", "has %zu elements; at most %u are allowed", count,
                   field->items_max);
    else if (count < field->items_min && check->is_strict)
        defect_add(check, path, "length", "has %zu elements; at least %u are needed", count,
                   field->items_min);
    pack_array(check->out, count);
    kind_check one = kind_check_of(field->kind);
    for (size_t i = 0; i < count && !cursor->bad; i++) {
        struct path here = {.up = path, .index = i};
        one(check, &here, field, cursor);
    }
}

static void field_check(struct check *check, const struct path *path, const struct field *field,
                        est_slice value) {
    struct path here = {.up = path, .name = slice_of(field->name)};
    struct cursor cursor;
    cursor_init(&cursor, value);
    cursor.text_is_good = true; /* map_cut looked through it */
    pack_text(check->out, here.name);
    if (field->list)
        list_check(check, &here, field, &cursor);
    else
        kind_check_of(field->kind)(check, &here, field, &cursor);
}

static bool is_present(est_slice value) {
    const uint8_t nil = 0xc0;
    return value.size > 0 && *(const uint8_t *)value.data != nil;
}

static size_t fields_lacking(const struct field *fields, size_t from, size_t to, bool strict) {
    size_t lacking = 0;
    for (; from < to; from++)
        lacking += fields[from].required && strict;
    return lacking;
}

/* One pair of a map whose fields come in the schema's order; `*next` is the first that may come. A field that
 * is compared with another one is for the way that has both before it. */
static bool pair_straight(struct check *check, const struct path *path, const struct field *fields, size_t count,
                          struct cursor *cursor, size_t *next, bool strict) {
    const uint8_t nil = 0xc0;
    size_t from = *next;
    est_slice name;
    if (cursor_peek(cursor) != KIND_TEXT || !cursor_text(cursor, EST_BODY_MAX, &name))
        return false;
    while (*next < count && !slice_equal(name, slice_of(fields[*next].name)))
        ++*next;
    if (*next == count || fields[*next].not_before || fields_lacking(fields, from, *next, strict) > 0 || cursor_left(cursor) == 0 ||
        *cursor->at == nil)
        return false;
    const struct field *field = &fields[(*next)++];
    struct path here = {.up = path, .name = name};
    pack_text(check->out, name);
    if (field->list)
        list_check(check, &here, field, cursor);
    else
        kind_check_of(field->kind)(check, &here, field, cursor);
    return cursor->bad == NULL && check->defects->count == 0 && !check->is_bent;
}

/* All of a map, straight through; false where it is not of that kind, and then nothing of it counts. */
static bool map_straight(struct check *check, const struct path *path, const struct field *fields, size_t count,
                         struct cursor *cursor, bool strict) {
    size_t pairs, next = 0;
    if (cursor_peek(cursor) != KIND_MAP || !cursor_map(cursor, count, &pairs))
        return false;
    uint64_t present = 0;
    pack_map(check->out, pairs);
    for (size_t i = 0; i < pairs; i++) {
        if (!pair_straight(check, path, fields, count, cursor, &next, strict))
            return false;
        present |= UINT64_C(1) << (next - 1);
    }
    check->present = present;
    return fields_lacking(fields, next, count, strict) == 0;
}

static bool date_read(est_slice value, struct jalali *ret) {
    struct cursor cursor;
    est_slice text;
    cursor_init(&cursor, value);
    return cursor_peek(&cursor) == KIND_TEXT && cursor_text(&cursor, EST_BODY_MAX, &text) &&
           jalali_parse(text, ret);
}

/* A date which may not precede another one does not. Where one of them is no date, that is told elsewhere. */
static void order_check(struct check *check, const struct path *path, const struct field *fields, size_t index,
                        const est_slice *values) {
    const struct field *field = &fields[index], *other = field->not_before;
    struct path here = {.up = path, .name = slice_of(field->name)};
    struct jalali date, before;
    if (other && !check->is_kept && date_read(values[index], &date) && date_read(values[other - fields], &before) &&
        jalali_to_days(date) < jalali_to_days(before))
        defect_add(check, &here, "range", "comes before `%s`", other->name);
}

void map_check(struct check *check, const struct path *path, const struct field *fields, size_t count,
               struct cursor *cursor, bool strict) {
    est_slice values[FIELDS_MAX];
    size_t present = 0;
    if (check->is_straight) {
        if (!map_straight(check, path, fields, count, cursor, strict))
            check->is_bent = true;
        return;
    }
    if (!map_cut(check, path, fields, count, cursor, values))
        return;
    for (size_t i = 0; i < count; i++)
        present += is_present(values[i]);
    pack_map(check->out, present);
    for (size_t i = 0; i < count; i++) {
        if (is_present(values[i])) {
            field_check(check, path, &fields[i], values[i]);
            order_check(check, path, fields, i, values);
        } else if (fields[i].required && strict) {
            struct path here = {.up = path, .name = slice_of(fields[i].name)};
            defect_add(check, &here, "missing", "the field is missing");
        }
    }
    check->present = 0;
    for (size_t i = 0; i < count; i++)
        check->present |= (uint64_t)is_present(values[i]) << i;
}

/* --- Whole bodies ----------------------------------------------------------------------------- */

static const struct path root = {NULL, {NULL, 0}, 0};

/* False: nothing has happened. Other defects of the answer do not matter here. */
static bool body_straight(struct check *check, const struct schema *schema, struct cursor *cursor, bool strict) {
    struct check before = *check;
    struct defects *defects = check->defects;
    size_t size = check->out->size, count = defects->count, kept = defects->kept;
    defects->count = 0;
    check->is_straight = true;
    map_check(check, &root, schema->fields, schema->count, cursor, strict);
    bool good = !check->is_bent && defects->count == 0 && cursor->bad == NULL;
    unsigned district = check->district;
    uint64_t fields = check->present;
    *check = before;
    defects->count = count;
    defects->kept = kept;
    if (good) {
        check->district = district;
        check->present = fields;
    } else {
        check->out->size = size;
    }
    return good;
}

static void body_check(struct check *check, const struct schema *schema, est_slice body, bool strict) {
    struct cursor cursor;
    size_t before = check->out->size;
    check->is_strict = strict;
    check->present = UINT64_MAX;
    if (body.size > EST_BODY_MAX) {
        defect_add(check, &root, "length", "the body has %zu bytes; at most %d are allowed", body.size,
                   EST_BODY_MAX);
        return;
    }
    buffer_reserve(check->out, body.size); /* mostly a canonical body is no larger */
    cursor_init(&cursor, body);
    if (!body_straight(check, schema, &cursor, strict)) {
        cursor_init(&cursor, body);
        map_check(check, &root, schema->fields, schema->count, &cursor, strict);
    }
    if (cursor.bad)
        defect_add(check, &root, "format", "the body breaks the wire format: %s", cursor.bad);
    else if (cursor_left(&cursor))
        defect_add(check, &root, "format", "there are bytes after the body's map");
    else if (check->out->size - before > EST_BODY_MAX) /* "5" degrees became 50000000 */
        defect_add(check, &root, "length",
                   "the body has %zu bytes in its canonical form; at most %d are allowed",
                   check->out->size - before, EST_BODY_MAX);
    if (check->out->failed)
        defect_add(check, &root, "memory", "the broker has no memory for the body");
}

/* A body with defects leaves the output as it was. */
static bool check_finish(struct check *check, size_t before) {
    if (check->defects->count == 0)
        return true;
    check->out->size = before;
    return false;
}

/* Of each group one at least is there. The defect stands at the first and names all. */
static void one_of_check(struct check *check, const struct ctype *type) {
    for (size_t i = 0; i < type->one_of_count; i++) {
        uint64_t group = type->one_of[i];
        if (group & check->present)
            continue;
        char names[EST_DEFECT_TEXT_MAX] = "";
        size_t used = 0;
        for (size_t k = 0; k < type->request.count && used < sizeof names; k++)
            if (group >> k & 1)
                used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", used ? ", " : "",
                                         type->request.fields[k].name);
        const char *first = type->request.fields[__builtin_ctzll(group)].name;
        struct path here = {.up = &root, .name = slice_of(first)};
        defect_add(check, &here, "missing", "one of these must be there: %s", names);
    }
}

bool ctype_check_request(const struct ctype *type, const struct city *city, est_time now, est_slice body,
                         struct buffer *ret_body, unsigned *ret_district, struct defects *defects) {
    struct check check = {.city = city, .now = now, .out = ret_body, .defects = defects};
    size_t before = ret_body->size;
    defects->count = defects->kept = 0;
    body_check(&check, &type->request, body, true);
    one_of_check(&check, type);
    if (!check_finish(&check, before))
        return false;
    *ret_district = check.district;
    return true;
}

static void outcome_check(struct check *check, const struct ctype *type, uint64_t outcome) {
    static const struct path path = {&root, {"outcome", 7}, 0};
    if (outcome == 0 || outcome > 31 || !(type->outcomes & (UINT32_C(1) << outcome)))
        defect_add(check, &path, "choice", "`%s` is no outcome of this inquiry type",
                   est_outcome_name((enum est_outcome)(outcome < 32 ? outcome : 0)));
}

static void reason_check(struct check *check, const struct ctype *type, uint64_t outcome, est_slice reason) {
    static const struct path path = {&root, {"reason", 6}, 0};
    if (type->reasons_count == 0)
        return;
    if (reason.size == 0) {
        if (outcome == EST_OUTCOME_NEGATIVE)
            defect_add(check, &path, "missing", "a negative answer names one of the type's reason codes");
        return;
    }
    struct nearest nearest;
    char hint[128];
    nearest_init(&nearest, reason);
    for (size_t i = 0; i < type->reasons_count; i++) {
        if (slice_equal(reason, slice_of(type->reasons[i])))
            return;
        nearest_offer(&nearest, type->reasons[i]);
    }
    defect_add(check, &path, "choice", "the inquiry type declares no such reason%s",
               nearest_hint(&nearest, hint));
}

static void valid_until_check(struct check *check, est_slice text, char ret[11]) {
    static const struct path path = {&root, {"valid_until", 11}, 0};
    struct jalali date;
    est_time from, until;
    ret[0] = '\0';
    if (text.size == 0)
        return;
    if (!jalali_parse(text, &date))
        defect_add(check, &path, "format", "must be a Jalali date such as 1404/01/31");
    else if (when_parse_day_here(text, &from, &until) && until.us <= check->now.us)
        defect_add(check, &path, "range", "is over: this day was before the broker's today");
    else
        jalali_format(date, ret);
}

/* Outcomes that say something about the subject; the others need no fields. */
static bool outcome_is_said(uint64_t outcome) {
    return outcome == EST_OUTCOME_POSITIVE || outcome == EST_OUTCOME_NEGATIVE ||
           outcome == EST_OUTCOME_CONDITIONAL;
}

static est_slice map_or_empty(est_slice body) {
    static const uint8_t empty_map[] = {0x80};
    return body.size == 0 ? (est_slice){empty_map, sizeof empty_map} : body;
}

bool ctype_check_reply(const struct ctype *type, const struct city *city, est_time now, uint64_t outcome,
                       est_slice reason, est_slice valid_until, est_slice body, struct buffer *ret_body,
                       char ret_valid_until[11], struct defects *defects) {
    struct check check = {.city = city, .now = now, .out = ret_body, .defects = defects};
    size_t before = ret_body->size;
    char date[11];
    defects->count = defects->kept = 0;
    outcome_check(&check, type, outcome);
    reason_check(&check, type, outcome, reason);
    valid_until_check(&check, valid_until, date);
    body_check(&check, &type->reply, map_or_empty(body), outcome_is_said(outcome));
    if (!check_finish(&check, before))
        return false;
    memcpy(ret_valid_until, date, sizeof date);
    return true;
}

/* --- Bodies that come again ------------------------------------------------------------------- */

static bool kept_form(const struct schema *schema, const struct city *city, est_slice body,
                      struct buffer *ret, struct defects *defects) {
    struct check check = {.city = city, .out = ret, .defects = defects, .is_kept = true};
    defects->count = defects->kept = 0;
    body_check(&check, schema, body, false);
    return defects->count == 0;
}

static bool bodies_agree(const struct schema *schema, const struct city *city, est_slice body,
                         est_slice stored, struct defects *defects) {
    struct buffer one, other;
    if (slice_equal(body, stored))
        return true;
    buffer_init(&one);
    buffer_init(&other);
    bool agree = kept_form(schema, city, body, &one, defects) &&
                 kept_form(schema, city, stored, &other, defects) &&
                 slice_equal(buffer_slice(&one), buffer_slice(&other));
    buffer_done(&one);
    buffer_done(&other);
    return agree;
}

bool ctype_same_request(const struct ctype *type, const struct city *city, est_slice body, est_slice stored,
                        struct defects *scratch) {
    return bodies_agree(&type->request, city, body, stored, scratch);
}

static bool dates_agree(est_slice one, est_slice other) {
    struct jalali a, b;
    if (one.size == 0 || other.size == 0)
        return one.size == other.size;
    return jalali_parse(one, &a) && jalali_parse(other, &b) && jalali_to_days(a) == jalali_to_days(b);
}

bool ctype_same_reply(const struct ctype *type, const struct city *city, est_slice valid_until, est_slice body,
                      est_slice stored_valid_until, est_slice stored, struct defects *scratch) {
    return dates_agree(valid_until, stored_valid_until) &&
           bodies_agree(&type->reply, city, map_or_empty(body), stored, scratch);
}
