/* filter.h - the filter language: which inquiries? One grammar for command line, API and console.
 *
 *     department:nosazi state:waiting,parked -type:nosazi.* received:1404/07/01..1404/07/30
 *
 * Terms stand between blanks and all must hold; the values of one term stand between commas and any
 * may. `-` before a term turns it round. A bare word is recognised by its shape: tracking code,
 * parcel code, national id, UUID, number or case id. PROTOCOL.md has the grammar.
 *
 * People type on many keyboards: digits of the three scripts, the forms of alef, ye, kaf, he and waw, and the
 * Persian comma mean the same; joiners, kashida, vowels and marks of direction mean nothing. Days are days in
 * Tehran.
 *
 * A filter that was read has one canonical text; that text read again is the same filter. Nothing
 * is allocated and nothing is looked up: whether there is such a department is for the asker to know.
 */
#ifndef FILTER_H
#define FILTER_H

#include "ident.h"

enum {
    FILTER_TEXT_MAX = 1000,      /* bytes of what people type */
    FILTER_CANONICAL_MAX = 1400, /* bytes of what comes back: a recognised word gets its field's name */
    FILTER_TERMS_MAX = 32,
    FILTER_VALUES_MAX = 64, /* of all terms together */
    FILTER_WHY_SIZE = 512,
};

enum filter_field {
    FILTER_DEPARTMENT,
    FILTER_TYPE,
    FILTER_STATE,
    FILTER_PARCEL,
    FILTER_NID,
    FILTER_CASE,
    FILTER_REQUESTER,
    FILTER_TRACKING,
    FILTER_DISTRICT,
    FILTER_OUTCOME,
    FILTER_CODE,
    FILTER_PURPOSE,
    FILTER_RECEIVED,
    FILTER_DUE,
    FILTER_ENDED,
    FILTER_NUMBER,
    FILTER_ID,
    FILTER_FIELDS,
};
const char *filter_field_name(enum filter_field);

/* What a value is, beside its text: `number` of states, outcomes, codes, districts and numbers; `id`
 * of a UUID; `from` and `until` of times, the second not in it, INT64_MIN and INT64_MAX where open. */
struct filter_value {
    est_slice text; /* canonical, in the filter's own memory */
    uint64_t number;
    est_id id;
    est_time from, until;
    bool prefix;    /* `nosazi.*`: the text is what the name begins with, and the star */
    uint16_t place; /* the character, from 1, at which it was typed */
};

struct filter_term {
    enum filter_field field;
    bool negated;
    size_t first, count; /* of its values */
};

struct filter {
    struct filter_term terms[FILTER_TERMS_MAX];
    size_t terms_count;
    struct filter_value values[FILTER_VALUES_MAX];
    size_t values_count;
    char texts[FILTER_CANONICAL_MAX + FILTER_VALUES_MAX * 2 + 512];
    size_t texts_size;
};

/* `rule`: the city's parcel codes; NULL takes every code of the general shape. An empty text is a
 * filter without terms: everything. 0; or -EST_INVALID_FIELD, and `ret_why` says at which character,
 * what is wrong and what would be right. *ret is large: not on a small stack. It must not be moved. */
int filter_parse(est_slice text, const struct parcel_rule *rule, struct filter *ret,
                 char ret_why[FILTER_WHY_SIZE]);
/* The canonical text; it takes at most FILTER_CANONICAL_MAX bytes for what was at most FILTER_TEXT_MAX. */
size_t filter_format(const struct filter *, char ret[FILTER_CANONICAL_MAX + 1]);

/* How text is compared: a copy with Latin digits, one form of each letter and nothing unseen (PROTOCOL.md,
 * section 15, has the list). Bytes written; it is never longer than the text. What it writes it leaves as it
 * is. */
size_t filter_fold(est_slice text, char *ret);

#endif
