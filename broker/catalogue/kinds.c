/* kinds.c - one check for each kind of field, and the fields that kinds with parts are made of. */
#include "body.h"
#include "when.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { TEXT_BYTES_MAX = 4000, PHOTOS_MAX = 50 };

/* --- Parts ------------------------------------------------------------------------------------ */

#define PART(label, kind_of, need, longest)                                                             \
    { .name = label, .kind = kind_of, .required = need, .filled = need, .min = 1, .max = longest }

static const struct field plaque_parts[] = {
    PART("main", FIELD_CODE, true, 32),
    PART("sub", FIELD_CODE, false, 32),
    PART("section", FIELD_CODE, false, 64),
    PART("subsection", FIELD_CODE, false, 64),
};
static const struct field doc_parts[] = {
    PART("id", FIELD_TEXT, true, 128),
    PART("type", FIELD_TEXT, true, 64),
    {.name = "sha256", .kind = FIELD_SHA256, .required = true},
};
static const struct field visit_parts[] = {
    PART("engineer_no", FIELD_CODE, true, 32),
    {.name = "at", .kind = FIELD_WHEN, .required = true},
    {.name = "geo", .kind = FIELD_GEO, .required = true},
    {.name = "photos", .kind = FIELD_DOC, .required = true, .list = true, .items_min = 1, .items_max = PHOTOS_MAX},
};

#define SCHEMA_OF(parts)                                                                                     \
    (struct schema) {                                                                                        \
        parts, sizeof(parts) / sizeof(parts)[0]                                                              \
    }

struct schema field_parts(const struct field *field) {
    switch (field->kind) {
    case FIELD_RECORD:
        return (struct schema){field->fields, field->fields_count};
    case FIELD_PLQ:
        return SCHEMA_OF(plaque_parts);
    case FIELD_DOC:
        return SCHEMA_OF(doc_parts);
    case FIELD_VISIT:
        return SCHEMA_OF(visit_parts);
    default:
        return (struct schema){NULL, 0};
    }
}

static void parts_check(struct check *check, const struct path *path, const struct field *field,
                        struct cursor *cursor) {
    struct schema parts = field_parts(field);
    map_check(check, path, parts.fields, parts.count, cursor, true);
}

/* --- Identifiers ------------------------------------------------------------------------------ */

/* Without a city whatever has digits to fold is a parcel or a file: what was taken once is compared, not judged. */
static const char *city_ident_check(const struct check *check, enum ident_kind kind, est_slice text,
                                    char ret_canonical[IDENT_MAX], unsigned *ret_district) {
    if (check->city != NULL || (kind != IDENT_PARCEL && kind != IDENT_FILE))
        return ident_check(kind, check->city != NULL ? &check->city->parcel : NULL, text, ret_canonical, ret_district);
    size_t size = ident_fold_digits(text, ret_canonical, IDENT_MAX - 1);
    ret_canonical[size] = '\0';
    return size > 0 ? NULL : "it is empty, or longer than any identifier";
}

static void ident_field_check(struct check *check, const struct path *path, const struct field *field,
                              struct cursor *cursor) {
    static const enum ident_kind kinds[] = {
        [FIELD_NZ] = IDENT_PARCEL, [FIELD_NID] = IDENT_NID, [FIELD_LID] = IDENT_LEGAL,
        [FIELD_PC] = IDENT_POSTAL, [FIELD_FN] = IDENT_FILE,
    };
    est_slice text;
    char canonical[IDENT_MAX];
    unsigned district = 0;
    if (!text_take(check, path, "text, so that zeros in front are kept", cursor, &text))
        return;
    const char *wrong = city_ident_check(check, kinds[field->kind], text, canonical, &district);
    if (wrong) {
        defect_add(check, path, strstr(wrong, "check digit") ? "checksum" : "format", "%s", wrong);
        return;
    }
    pack_cstr(check->out, canonical);
    if (check->district == 0)
        check->district = district;
}

/* --- Numbers and dates ------------------------------------------------------------------------ */

static void integer_check(struct check *check, const struct path *path, const struct field *field,
                          struct cursor *cursor) {
    enum kind kind = cursor_peek(cursor);
    struct cursor before = *cursor;
    int64_t number = 0;
    est_slice skipped;
    if (kind != KIND_UINT && kind != KIND_INT) {
        defect_type(check, path, "a whole number", cursor);
        return;
    }
    if (!cursor_int(cursor, &number)) { /* above 2^63-1, which no field takes */
        *cursor = before;
        value_skip(cursor, &skipped);
        number = INT64_MAX;
        kind = KIND_NONE;
    }
    if (kind == KIND_NONE || number < field->min || number > field->max)
        defect_add(check, path, "range", "must be from %" PRId64 " to %" PRId64, field->min, field->max);
    else
        pack_int(check->out, number);
}

static void bool_check(struct check *check, const struct path *path, const struct field *field,
                       struct cursor *cursor) {
    (void)field;
    bool truth;
    if (cursor_peek(cursor) != KIND_BOOL)
        defect_type(check, path, "true or false", cursor);
    else if (cursor_bool(cursor, &truth))
        pack_bool(check->out, truth);
}

/* Nobody has been there yet. Today counts whole: clocks differ, and a date has no hour. */
static bool is_to_come(const struct check *check, est_slice text) {
    struct jalali date;
    est_time at, until;
    bool is_known = when_parse_instant(text, &at) ||
                    (jalali_parse(text, &date) && when_parse_day_here(text, &at, &until));
    return is_known && !check->is_kept && at.us >= when_tomorrow_here(check->now).us;
}

static void date_check(struct check *check, const struct path *path, const struct field *field,
                       struct cursor *cursor) {
    est_slice text;
    struct jalali date;
    char canonical[11], instant[WHEN_MAX];
    bool both = field->kind == FIELD_WHEN;
    if (!text_take(check, path, "text", cursor, &text))
        return;
    if (both && is_to_come(check, text)) {
        defect_add(check, path, "range", "lies after the broker's today");
    } else if (jalali_parse(text, &date)) {
        jalali_format(date, canonical);
        pack_cstr(check->out, canonical);
    } else if (both && when_canonical(text, instant)) {
        pack_cstr(check->out, instant);
    } else {
        defect_add(check, path, "format", "must be a Jalali date such as 1404/01/31%s",
                   both ? ", or a time such as 2026-01-05T10:30:00+03:30" : "");
    }
}

/* --- Texts ------------------------------------------------------------------------------------ */

static bool is_control(unsigned char byte) {
    return (byte < 0x20 && byte != '\n' && byte != '\r' && byte != '\t') || byte == 0x7F;
}

static bool has_control(est_slice text) {
    const unsigned char *at = text.data;
    for (size_t i = 0; i < text.size; i++)
        if (is_control(at[i]))
            return true;
    return false;
}

/* Takes a text that is not longer than any may be. */
static bool sized_text_take(struct check *check, const struct path *path, struct cursor *cursor,
                            est_slice *ret) {
    if (!text_take(check, path, "text", cursor, ret))
        return false;
    if (ret->size <= TEXT_BYTES_MAX)
        return true;
    defect_add(check, path, "length", "has %zu bytes; at most %d are allowed", ret->size, TEXT_BYTES_MAX);
    return false;
}

/* Writes it where it is within its field's bounds. */
static void text_put(struct check *check, const struct path *path, const struct field *field,
                     est_slice text) {
    struct utf8_scan scan = utf8_scan(text);
    int64_t least = check->is_kept ? 0 : field->min;
    if ((int64_t)scan.characters < least || (int64_t)scan.characters > field->max)
        defect_add(check, path, "length", "has %zu characters; %" PRId64 " to %" PRId64 " are allowed",
                   scan.characters, least, field->max);
    else if (scan.has_control && has_control(text)) /* or it has lines and tabs */
        defect_add(check, path, "format", "has a control character");
    else if (field->filled && check->is_strict && ident_is_blank(text))
        defect_add(check, path, "missing", "is blank, and the field is needed");
    else
        pack_text(check->out, text);
}

static void text_check(struct check *check, const struct path *path, const struct field *field,
                       struct cursor *cursor) {
    est_slice text;
    if (sized_text_take(check, path, cursor, &text))
        text_put(check, path, field, text);
}

static void code_check(struct check *check, const struct path *path, const struct field *field,
                         struct cursor *cursor) {
    char folded[TEXT_BYTES_MAX];
    est_slice text;
    if (sized_text_take(check, path, cursor, &text))
        text_put(check, path, field, (est_slice){folded, ident_fold_code(text, folded)});
}

static void sha256_check(struct check *check, const struct path *path, const struct field *field,
                         struct cursor *cursor) {
    (void)field;
    est_slice text;
    char lower[64];
    if (!text_take(check, path, "text", cursor, &text))
        return;
    const char *at = text.data;
    bool good = text.size == sizeof lower;
    for (size_t i = 0; good && i < sizeof lower; i++) {
        lower[i] = at[i] >= 'A' && at[i] <= 'F' ? (char)(at[i] + 'a' - 'A') : at[i];
        good = (lower[i] >= '0' && lower[i] <= '9') || (lower[i] >= 'a' && lower[i] <= 'f');
    }
    if (good)
        pack_text(check->out, (est_slice){lower, sizeof lower});
    else
        defect_add(check, path, "format", "must be a SHA-256 digest of 64 hexadecimal digits");
}

static void enum_check(struct check *check, const struct path *path, const struct field *field,
                       struct cursor *cursor) {
    est_slice text;
    if (!text_take(check, path, "text", cursor, &text))
        return;
    for (size_t i = 0; i < field->choices_count; i++) {
        if (slice_equal(text, slice_of(field->choices[i]))) {
            pack_text(check->out, text);
            return;
        }
    }
    char choices[EST_DEFECT_TEXT_MAX] = "";
    size_t used = 0;
    for (size_t i = 0; i < field->choices_count && used < sizeof choices; i++)
        used +=
            (size_t)snprintf(choices + used, sizeof choices - used, "%s%s", i ? ", " : "", field->choices[i]);
    defect_add(check, path, "choice", "must be one of: %s", choices);
}

/* --- All of them ------------------------------------------------------------------------------ */

kind_check kind_check_of(enum field_kind kind) {
    static const kind_check checks[] = {
        [FIELD_NZ] = ident_field_check, [FIELD_NID] = ident_field_check, [FIELD_LID] = ident_field_check,
        [FIELD_PC] = ident_field_check, [FIELD_FN] = ident_field_check,  [FIELD_PLQ] = parts_check,
        [FIELD_GEO] = geo_check,        [FIELD_M2] = integer_check,      [FIELD_RIAL] = integer_check,
        [FIELD_INT] = integer_check,    [FIELD_BOOL] = bool_check,       [FIELD_JD] = date_check,
        [FIELD_ENUM] = enum_check,      [FIELD_DOC] = parts_check,       [FIELD_VISIT] = parts_check,
        [FIELD_TEXT] = text_check,      [FIELD_RECORD] = parts_check,    [FIELD_CODE] = code_check,
        [FIELD_SHA256] = sha256_check,  [FIELD_WHEN] = date_check,
    };
    return checks[kind];
}
