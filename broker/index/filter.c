/* filter.c - terms, values and quotes: the grammar without the meaning of any value.
 */
#include "filter_read.h"
#include "yaml.h" /* nearest */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const names[FILTER_FIELDS] = {
    [FILTER_DEPARTMENT] = "department",
    [FILTER_TYPE] = "type",
    [FILTER_STATE] = "state",
    [FILTER_PARCEL] = "parcel",
    [FILTER_NID] = "nid",
    [FILTER_CASE] = "case",
    [FILTER_REQUESTER] = "requester",
    [FILTER_TRACKING] = "tracking",
    [FILTER_DISTRICT] = "district",
    [FILTER_OUTCOME] = "outcome",
    [FILTER_CODE] = "code",
    [FILTER_PURPOSE] = "purpose",
    [FILTER_RECEIVED] = "received",
    [FILTER_DUE] = "due",
    [FILTER_ENDED] = "ended",
    [FILTER_NUMBER] = "number",
    [FILTER_ID] = "id",
};

const char *filter_field_name(enum filter_field field) {
    return field < FILTER_FIELDS ? names[field] : "";
}

int filter_fail(struct filter_reader *r, size_t at, const char *format, ...) {
    va_list args;
    int used = snprintf(r->why, FILTER_WHY_SIZE,
                        "character %u: ", (unsigned)r->places[at <= r->size ? at : r->size]);
    va_start(args, format);
    vsnprintf(r->why + used, FILTER_WHY_SIZE - (size_t)used, format, args);
    va_end(args);
    return -EST_INVALID_FIELD;
}

est_slice filter_keep(struct filter *f, const char *text, size_t size) {
    char *at = f->texts + f->texts_size;
    if (size > 0)
        memcpy(at, text, size);
    at[size] = '\0';
    f->texts_size += size + 1;
    return (est_slice){at, size};
}

/* --- Reading ------------------------------------------------------------------------------------- */

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static char peek(const struct filter_reader *r) {
    return r->at < r->size ? r->text[r->at] : '\0';
}

static bool at_end_of_term(const struct filter_reader *r) {
    return r->at >= r->size || is_blank(r->text[r->at]);
}

/* "…" with \" and \\ in it; its inside is written over itself. */
static int quoted_take(struct filter_reader *r, est_slice *ret) {
    size_t began = r->at++, used = r->at;
    char *inside = r->text + r->at;
    while (r->at < r->size && r->text[r->at] != '"') {
        bool escaped = r->text[r->at] == '\\' && r->at + 1 < r->size;
        if (escaped && r->text[r->at + 1] != '"' && r->text[r->at + 1] != '\\')
            return filter_fail(r, r->at, "in quotes a backslash stands before \" or \\ only");
        r->at += escaped;
        r->text[used++] = r->text[r->at++];
    }
    if (r->at >= r->size)
        return filter_fail(r, began, "the quote that begins here has no end; close it with \"");
    r->at++;
    *ret = (est_slice){inside, (size_t)(r->text + used - inside)};
    return 0;
}

static int bare_take(struct filter_reader *r, bool with_commas, est_slice *ret) {
    size_t began = r->at;
    while (!at_end_of_term(r) && (with_commas || r->text[r->at] != ',')) {
        if (r->text[r->at] == '"')
            return filter_fail(r, r->at, "a quote stands around a whole value: case:\"17 of 1404\"");
        r->at++;
    }
    *ret = (est_slice){r->text + began, r->at - began};
    return 0;
}

static int value_take(struct filter_reader *r, est_slice *ret) {
    if (peek(r) != '"')
        return bare_take(r, false, ret);
    int rc = quoted_take(r, ret);
    if (!rc && !at_end_of_term(r) && peek(r) != ',')
        rc = filter_fail(r, r->at, "after a quoted value comes a blank or a comma");
    return rc;
}

static int value_add(struct filter_reader *r, size_t at, enum filter_field field, est_slice text) {
    struct filter *f = r->filter;
    if (text.size == 0)
        return filter_fail(r, at, "`%s:` has no value here", names[field]);
    if (f->values_count == FILTER_VALUES_MAX)
        return filter_fail(r, at, "more than %d values; ask in parts", FILTER_VALUES_MAX);
    struct filter_value value = {.from = {INT64_MIN}, .until = {INT64_MAX}, .place = r->places[at]};
    int rc = filter_value_read(r, at, field, text, &value);
    if (rc)
        return rc;
    f->values[f->values_count++] = value;
    f->terms[f->terms_count - 1].count++;
    return 0;
}

static int values_take(struct filter_reader *r, enum filter_field field) {
    for (;;) {
        size_t at = r->at;
        est_slice text;
        int rc = value_take(r, &text);
        if (!rc)
            rc = value_add(r, at, field, text);
        if (rc || at_end_of_term(r))
            return rc;
        r->at++; /* the comma */
    }
}

/* The name before a colon, in any case of letters; 0 where the term does not begin so. */
static size_t name_size(const struct filter_reader *r) {
    size_t size = 0;
    while (r->at + size < r->size) {
        char c = (char)(r->text[r->at + size] | 0x20);
        if (r->text[r->at + size] == ':')
            return size;
        if (c < 'a' || c > 'z')
            return 0;
        size++;
    }
    return 0;
}

static enum filter_field field_find(struct filter_reader *r, size_t size) {
    char name[24] = "", all[240] = "", hint[128];
    struct nearest nearest;
    for (size_t i = 0; i < size && i + 1 < sizeof name; i++)
        name[i] = (char)(r->text[r->at + i] | 0x20);
    nearest_init(&nearest, slice_of(name));
    for (size_t i = 0, used = 0; i < FILTER_FIELDS; i++) {
        if (size < sizeof name && strcmp(name, names[i]) == 0)
            return (enum filter_field)i;
        nearest_offer(&nearest, names[i]);
        used += (size_t)snprintf(all + used, sizeof all - used, "%s%s", i ? ", " : "", names[i]);
    }
    filter_fail(r, r->at, "there is no field `%s`%s; fields are %s", name, nearest_hint(&nearest, hint), all);
    return FILTER_FIELDS;
}

static int word_take(struct filter_reader *r, struct filter_term *term) {
    size_t at = r->at;
    bool quoted = peek(r) == '"';
    est_slice word;
    int rc = quoted ? quoted_take(r, &word) : bare_take(r, true, &word);
    if (!rc && !at_end_of_term(r))
        rc = filter_fail(r, r->at, "after a quoted word comes a blank");
    if (rc)
        return rc;
    if (word.size == 0)
        return filter_fail(r, at, "a term is missing here; write field:value");
    if (!quoted && memchr(word.data, ',', word.size))
        return filter_fail(r, at, "several values need their field's name, as in number:1042,1043");
    term->field = quoted ? FILTER_CASE : filter_word_field(r, at, word);
    return term->field == FILTER_FIELDS ? -EST_INVALID_FIELD : value_add(r, at, term->field, word);
}

static int term_take(struct filter_reader *r) {
    struct filter *f = r->filter;
    if (f->terms_count == FILTER_TERMS_MAX)
        return filter_fail(r, r->at, "more than %d terms", FILTER_TERMS_MAX);
    struct filter_term *term = &f->terms[f->terms_count++];
    *term = (struct filter_term){.first = f->values_count};
    if (peek(r) == '-') {
        term->negated = true;
        r->at++;
    }
    size_t size = name_size(r);
    if (size == 0)
        return word_take(r, term);
    term->field = field_find(r, size);
    if (term->field == FILTER_FIELDS)
        return -EST_INVALID_FIELD;
    r->at += size + 1;
    return values_take(r, term->field);
}

int filter_parse(est_slice text, const struct parcel_rule *rule, struct filter *ret,
                 char ret_why[FILTER_WHY_SIZE]) {
    struct filter_reader r = {.rule = rule, .filter = ret, .why = ret_why};
    ret->terms_count = ret->values_count = ret->texts_size = 0;
    if (text.size > FILTER_CANONICAL_MAX) {
        snprintf(ret_why, FILTER_WHY_SIZE, "the filter has %zu bytes; at most %d are read", text.size,
                 FILTER_TEXT_MAX);
        return -EST_INVALID_FIELD;
    }
    if (!utf8_is_valid(text) || memchr(text.data ? text.data : "", 0, text.size)) {
        snprintf(ret_why, FILTER_WHY_SIZE, "the filter is not UTF-8 text");
        return -EST_INVALID_FIELD;
    }
    r.size = filter_fold_places(text, r.text, r.places);
    for (;;) {
        while (r.at < r.size && is_blank(r.text[r.at]))
            r.at++;
        if (r.at == r.size)
            return 0;
        int rc = term_take(&r);
        if (rc)
            return rc;
    }
}

/* --- Writing ------------------------------------------------------------------------------------- */

static bool needs_quotes(est_slice text) {
    const char *at = text.data;
    for (size_t i = 0; i < text.size; i++)
        if (is_blank(at[i]) || at[i] == ',' || at[i] == '"')
            return true;
    return false;
}

static size_t value_write(const struct filter_value *value, char *ret) {
    const char *text = value->text.data;
    size_t used = 0;
    if (!needs_quotes(value->text)) {
        memcpy(ret, text, value->text.size);
        return value->text.size;
    }
    ret[used++] = '"';
    for (size_t i = 0; i < value->text.size; i++) {
        if (text[i] == '"' || text[i] == '\\')
            ret[used++] = '\\';
        ret[used++] = text[i];
    }
    ret[used++] = '"';
    return used;
}

size_t filter_format(const struct filter *f, char ret[FILTER_CANONICAL_MAX + 1]) {
    size_t used = 0;
    for (size_t i = 0; i < f->terms_count; i++) {
        const struct filter_term *term = &f->terms[i];
        used += (size_t)sprintf(ret + used, "%s%s%s:", i ? " " : "", term->negated ? "-" : "",
                                names[term->field]);
        for (size_t v = 0; v < term->count; v++) {
            if (v > 0)
                ret[used++] = ',';
            used += value_write(&f->values[term->first + v], ret + used);
        }
    }
    ret[used] = '\0';
    return used;
}
