/* filter_value.c - what a value of each field may be. One small function a kind, found by a table.
 *
 * A sentence says what would be right: whoever sees it has the text before them and mends it.
 */
#include "filter_read.h"
#include "yaml.h" /* nearest */

#include <stdio.h>
#include <string.h>

/* --- Shapes -------------------------------------------------------------------------------------- */

bool filter_is_digits(est_slice text) {
    const char *at = text.data;
    for (size_t i = 0; i < text.size; i++)
        if (at[i] < '0' || at[i] > '9')
            return false;
    return text.size > 0;
}

/* What ident.c asks of any city's code; widths and districts are the city's own. */
bool filter_is_parcel(est_slice text, unsigned *ret_parts) {
    const char *at = text.data;
    unsigned parts = 0;
    for (size_t i = 0; i <= text.size; i++, parts++) {
        size_t began = i;
        while (i < text.size && at[i] >= '0' && at[i] <= '9')
            i++;
        if (i == began || i - began > 9 || (i < text.size && at[i] != '-') ||
            (i - began > 1 && at[began] == '0'))
            return false;
    }
    *ret_parts = parts;
    return parts >= 3 && parts <= 8;
}

bool filter_is_tracking(est_slice text) {
    char canonical[EST_TRACKING_MAX + 1];
    uint64_t number;
    return ident_tracking(text, canonical, &number);
}

static int hex_digit(char c) {
    return c >= '0' && c <= '9'                     ? c - '0'
           : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10
                                                    : -1;
}

static bool uuid_read(est_slice text, est_id *ret) {
    const char *at = text.data;
    size_t digits = 0;
    if (text.size != 36)
        return false;
    for (size_t i = 0; i < 36; i++) {
        if (i == 8 || i == 13 || i == 18 || i == 23) {
            if (at[i] != '-')
                return false;
            continue;
        }
        int digit = hex_digit(at[i]);
        if (digit < 0)
            return false;
        ret->bytes[digits / 2] = (uint8_t)(digits % 2 ? ret->bytes[digits / 2] | digit : digit << 4);
        digits++;
    }
    return true;
}

bool filter_is_uuid(est_slice text) {
    est_id id;
    return uuid_read(text, &id);
}

/* --- Kinds --------------------------------------------------------------------------------------- */

/* For a sentence: so much of the text as is told again, whole characters only. */
static int shown(est_slice text) {
    size_t size = text.size < 60 ? text.size : 60;
    while (size > 0 && size < text.size && ((((const uint8_t *)text.data)[size]) & 0xC0) == 0x80)
        size--;
    return (int)size;
}

static void lower(char *at, size_t size) {
    for (size_t i = 0; i < size; i++)
        at[i] = at[i] >= 'A' && at[i] <= 'Z' ? (char)(at[i] + 32) : at[i];
}

/* A name of the catalogue: small letters, digits, dots and hyphens. */
static int name_read(struct filter_reader *r, size_t at, enum filter_field field, est_slice text,
                     struct filter_value *ret) {
    char name[EST_NAME_MAX + 3];
    if (text.size > EST_NAME_MAX)
        return filter_fail(r, at, "a %s's name has at most %d bytes", filter_field_name(field), EST_NAME_MAX);
    memcpy(name, text.data, text.size);
    lower(name, text.size);
    name[text.size] = '\0';
    if (strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789.-_") != text.size)
        return filter_fail(r, at,
                           "`%.*s` is no name of a %s; names have small letters, digits, dots and hyphens%s",
                           shown(text), (const char *)text.data, filter_field_name(field),
                           field == FILTER_TYPE ? ", and a type may end in .*" : "");
    ret->text = filter_keep(r->filter, name, text.size);
    return 0;
}

/* `nosazi.*`: every type whose name begins with `nosazi.`; `*` after other letters the same. */
static int type_read(struct filter_reader *r, size_t at, enum filter_field field, est_slice text,
                     struct filter_value *ret) {
    const char *name = text.data;
    if (text.size < 2 || name[text.size - 1] != '*')
        return name_read(r, at, field, text, ret);
    int rc = name_read(r, at, field, (est_slice){name, text.size - 1}, ret);
    if (rc)
        return rc;
    ret->prefix = true;
    char whole[EST_NAME_MAX + 2];
    int size = snprintf(whole, sizeof whole, "%s*", (const char *)ret->text.data);
    r->filter->texts_size -= ret->text.size + 1;
    ret->text = filter_keep(r->filter, whole, (size_t)size);
    return 0;
}

struct word {
    const char *name;
    uint64_t number;
};

static const struct word states[] = {
#define STATE_WORD(name, number, text) {text, number},
    EST_STATES(STATE_WORD)
#undef STATE_WORD
        {NULL, 0},
};
static const struct word outcomes[] = {
#define OUTCOME_WORD(name, number, text) {text, number},
    EST_OUTCOMES(OUTCOME_WORD)
#undef OUTCOME_WORD
        {NULL, 0},
};
static const struct word codes[] = {
#define CODE_WORD(name, number, layer, says, advice) {#name, number},
    EST_CODES(CODE_WORD)
#undef CODE_WORD
        {NULL, 0},
};

/* In any case of letters, and `_` as good as `-`. */
static bool word_is(est_slice text, const char *word) {
    const char *at = text.data;
    if (strlen(word) != text.size)
        return false;
    for (size_t i = 0; i < text.size; i++) {
        char a = at[i] == '_' ? '-' : at[i], b = word[i] == '_' ? '-' : word[i];
        if ((a >= 'A' && a <= 'Z' ? a + 32 : a) != (b >= 'A' && b <= 'Z' ? b + 32 : b))
            return false;
    }
    return true;
}

static int word_read(struct filter_reader *r, size_t at, enum filter_field field, est_slice text,
                     struct filter_value *ret) {
    const struct word *words = field == FILTER_STATE ? states : field == FILTER_OUTCOME ? outcomes : codes;
    char all[300] = "", hint[128];
    struct nearest nearest;
    nearest_init(&nearest, text);
    for (size_t used = 0; words->name; words++) {
        if (word_is(text, words->name)) {
            ret->text = filter_keep(r->filter, words->name, text.size);
            ret->number = words->number;
            return 0;
        }
        nearest_offer(&nearest, words->name);
        if (field != FILTER_CODE)
            used += (size_t)snprintf(all + used, sizeof all - used, "%s%s", used ? ", " : "; one of ",
                                     words->name);
    }
    return filter_fail(r, at, "there is no %s `%.*s`%s%s", filter_field_name(field), shown(text),
                       (const char *)text.data, nearest_hint(&nearest, hint), all);
}

static int number_read(struct filter_reader *r, size_t at, enum filter_field field, est_slice text,
                       struct filter_value *ret) {
    const char *digits = text.data;
    uint64_t number = 0;
    bool good = filter_is_digits(text) && text.size <= 19;
    for (size_t i = 0; good && i < text.size; i++)
        number = number * 10 + (uint64_t)(digits[i] - '0');
    if (!good || (field == FILTER_DISTRICT && number > UINT32_MAX))
        return filter_fail(r, at, "`%.*s` is no %s; write digits only%s", shown(text),
                           (const char *)text.data,
                           field == FILTER_DISTRICT ? "district" : "inquiry's number",
                           field == FILTER_DISTRICT ? " (0: without a district)" : "");
    char canonical[24];
    int size = snprintf(canonical, sizeof canonical, "%llu", (unsigned long long)number);
    ret->text = filter_keep(r->filter, canonical, (size_t)size);
    ret->number = number;
    return 0;
}

static int parcel_read(struct filter_reader *r, size_t at, enum filter_field field, est_slice text,
                       struct filter_value *ret) {
    char canonical[IDENT_MAX];
    unsigned parts;
    (void)field;
    const char *wrong = NULL;
    if (r->rule)
        wrong = ident_check(IDENT_PARCEL, r->rule, text, canonical, NULL);
    else if (!filter_is_parcel(text, &parts))
        wrong = "a parcel code is numbers between hyphens, such as 1-12-345-6-7-0-0";
    if (wrong)
        return filter_fail(r, at, "`%.*s`: %s", shown(text), (const char *)text.data, wrong);
    ret->text = filter_keep(r->filter, text.data, text.size);
    return 0;
}

static int nid_read(struct filter_reader *r, size_t at, enum filter_field field, est_slice text,
                    struct filter_value *ret) {
    char canonical[IDENT_MAX];
    (void)field;
    const char *wrong = ident_check(IDENT_NID, NULL, text, canonical, NULL);
    if (wrong)
        return filter_fail(r, at, "%s", wrong); /* not told again: it is a person's */
    ret->text = filter_keep(r->filter, text.data, text.size);
    return 0;
}

static int case_read(struct filter_reader *r, size_t at, enum filter_field field, est_slice text,
                     struct filter_value *ret) {
    (void)field;
    if (text.size > EST_CASE_MAX)
        return filter_fail(r, at, "a case's id has at most %d bytes", EST_CASE_MAX);
    ret->text = filter_keep(r->filter, text.data, text.size);
    return 0;
}

static int tracking_read(struct filter_reader *r, size_t at, enum filter_field field, est_slice text,
                         struct filter_value *ret) {
    char canonical[EST_TRACKING_MAX + 1];
    uint64_t number;
    (void)field;
    if (!ident_tracking(text, canonical, &number))
        return filter_fail(r, at, "`%.*s` is no tracking code; one looks like 00010J-9QX2M", shown(text),
                           (const char *)text.data);
    ret->text = filter_keep(r->filter, canonical, strlen(canonical));
    return 0;
}

static int id_read(struct filter_reader *r, size_t at, enum filter_field field, est_slice text,
                   struct filter_value *ret) {
    char canonical[36];
    (void)field;
    if (!uuid_read(text, &ret->id))
        return filter_fail(r, at, "`%.*s` is no UUID; an id looks like 0198c5a2-7d1e-7c3a-9f00-2b6d1c0a4e11",
                           shown(text), (const char *)text.data);
    memcpy(canonical, text.data, sizeof canonical);
    lower(canonical, sizeof canonical);
    ret->text = filter_keep(r->filter, canonical, sizeof canonical);
    return 0;
}

static int when_read(struct filter_reader *r, size_t at, enum filter_field field, est_slice text,
                     struct filter_value *ret) {
    (void)field;
    return filter_when_read(r, at, text, ret);
}

typedef int (*value_read)(struct filter_reader *, size_t at, enum filter_field, est_slice,
                          struct filter_value *);

static const value_read reads[FILTER_FIELDS] = {
    [FILTER_DEPARTMENT] = name_read, [FILTER_TYPE] = type_read,
    [FILTER_STATE] = word_read,      [FILTER_PARCEL] = parcel_read,
    [FILTER_NID] = nid_read,         [FILTER_CASE] = case_read,
    [FILTER_REQUESTER] = name_read,  [FILTER_TRACKING] = tracking_read,
    [FILTER_DISTRICT] = number_read, [FILTER_OUTCOME] = word_read,
    [FILTER_CODE] = word_read,       [FILTER_PURPOSE] = name_read,
    [FILTER_RECEIVED] = when_read,   [FILTER_DUE] = when_read,
    [FILTER_ENDED] = when_read,      [FILTER_NUMBER] = number_read,
    [FILTER_ID] = id_read,
};

int filter_value_read(struct filter_reader *r, size_t at, enum filter_field field, est_slice text,
                      struct filter_value *ret) {
    return reads[field](r, at, field, text, ret);
}

/* --- Bare words ---------------------------------------------------------------------------------- */

/* Ten digits with a zero in front cannot be a number, so they are a national id, also with a slip. */
static enum filter_field digits_field(est_slice word) {
    char canonical[IDENT_MAX];
    bool is_nid = word.size == 10 &&
                  (*(const char *)word.data == '0' || !ident_check(IDENT_NID, NULL, word, canonical, NULL));
    return is_nid ? FILTER_NID : FILTER_NUMBER;
}

static bool has_digit(est_slice word) {
    const char *at = word.data;
    for (size_t i = 0; i < word.size; i++)
        if (at[i] >= '0' && at[i] <= '9')
            return true;
    return false;
}

static enum filter_field word_refuse(struct filter_reader *r, size_t at, est_slice word) {
    for (const struct word *state = states; state->name; state++) {
        if (word_is(word, state->name)) {
            filter_fail(r, at, "`%s` alone is nothing; write state:%s", state->name, state->name);
            return FILTER_FIELDS;
        }
    }
    filter_fail(
        r, at,
        "`%.*s` is no tracking code, parcel code, national id, UUID, number or case id; name its field, "
        "as in department:%.*s or case:%.*s",
        shown(word), (const char *)word.data, shown(word), (const char *)word.data, shown(word),
        (const char *)word.data);
    return FILTER_FIELDS;
}

enum filter_field filter_word_field(struct filter_reader *r, size_t at, est_slice word) {
    unsigned parts;
    if (filter_is_uuid(word))
        return FILTER_ID;
    if (filter_is_digits(word))
        return digits_field(word);
    if (filter_is_parcel(word, &parts) && (!r->rule || parts == r->rule->parts))
        return FILTER_PARCEL;
    if (filter_is_tracking(word))
        return FILTER_TRACKING;
    if (has_digit(word))
        return FILTER_CASE;
    return word_refuse(r, at, word);
}
