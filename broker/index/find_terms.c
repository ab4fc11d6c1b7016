/* find_terms.c - see find_terms.h.
 */
#include "find_terms.h"
#include "tracking.h"
#include "yaml.h" /* nearest */

#include <stdio.h>
#include <string.h>

/* --- Names become numbers ------------------------------------------------------------------------ */

static const char *thing_word(enum thing thing) {
    return thing == THING_DEPARTMENT ? "department"
           : thing == THING_ACCOUNT  ? "requester"
           : thing == THING_TYPE     ? "type"
                                     : "purpose";
}

static int name_refuse(struct indexer *ix, enum thing thing, const struct filter_value *value,
                       char ret_why[FIND_WHY_SIZE]) {
    char hint[128];
    struct nearest nearest;
    nearest_init(&nearest, value->text);
    for (uint32_t i = 0; i < names_count(ix->names, thing); i++)
        if (names_of(ix->names, thing, i).size > 0)
            nearest_offer(&nearest, names_of(ix->names, thing, i).data);
    snprintf(ret_why, FIND_WHY_SIZE, "character %u: there is no %s `%s`%s", value->place, thing_word(thing),
             (const char *)value->text.data, nearest_hint(&nearest, hint));
    return -EST_INVALID_FIELD;
}

static int name_read(struct indexer *ix, enum thing thing, const struct filter_value *value, uint64_t *ret,
                     char ret_why[FIND_WHY_SIZE]) {
    uint32_t number = names_number(ix->names, thing, value->text);
    *ret = number;
    return number == UINT32_MAX ? name_refuse(ix, thing, value, ret_why) : 0;
}

static bool name_fits(est_slice name, const struct filter_value *value) {
    if (!value->prefix)
        return slice_equal(name, value->text);
    size_t size = value->text.size - 1;
    return name.size >= size && name.size > 0 && memcmp(name.data, value->text.data, size) == 0;
}

static int type_read(struct indexer *ix, const struct filter_value *value, uint64_t *types,
                     char ret_why[FIND_WHY_SIZE]) {
    bool found = false;
    for (uint32_t i = 0; i < names_count(ix->names, THING_TYPE) && i < TYPES_MAX; i++) {
        if (!name_fits(names_of(ix->names, THING_TYPE, i), value))
            continue;
        types[i / 64] |= UINT64_C(1) << (i % 64);
        found = true;
    }
    return found ? 0 : name_refuse(ix, THING_TYPE, value, ret_why);
}

static int value_read(struct indexer *ix, struct find_terms *t, size_t term, size_t v,
                      char ret_why[FIND_WHY_SIZE]) {
    const struct filter_value *value = &t->filter.values[v];
    switch (t->filter.terms[term].field) {
    case FILTER_DEPARTMENT:
        return name_read(ix, THING_DEPARTMENT, value, &t->numbers[v], ret_why);
    case FILTER_REQUESTER:
        return name_read(ix, THING_ACCOUNT, value, &t->numbers[v], ret_why);
    case FILTER_PURPOSE:
        return name_read(ix, THING_PURPOSE, value, &t->numbers[v], ret_why);
    case FILTER_TYPE:
        return type_read(ix, value, t->types[term], ret_why);
    case FILTER_PARCEL:
        t->hashes[v] = indexer_parcel(value->text);
        return 0;
    case FILTER_NID:
        t->hashes[v] = indexer_nid(ix, value->text);
        return 0;
    case FILTER_CASE:
        t->hashes[v] = indexer_case(value->text);
        return 0;
    case FILTER_TRACKING: /* one that this broker never gave is nobody's */
        t->numbers[v] = 0;
        tracking_read(store_reader_secret(ix->reader), value->text, &t->numbers[v]);
        return 0;
    default:
        return 0;
    }
}

int find_terms_read(struct indexer *ix, const struct find_question *q, struct find_terms *ret,
                    char ret_why[FIND_WHY_SIZE]) {
    ret->names = ix->names;
    memset(ret->types, 0, sizeof ret->types);
    int rc = filter_parse(q->filter, q->rule, &ret->filter, ret_why);
    for (size_t term = 0; !rc && term < ret->filter.terms_count; term++) {
        const struct filter_term *it = &ret->filter.terms[term];
        for (size_t v = it->first; !rc && v < it->first + it->count; v++)
            rc = value_read(ix, ret, term, v, ret_why);
    }
    return rc;
}

/* --- Does it fit? -------------------------------------------------------------------------------- */

static bool is_leased(const struct find_question *q, uint64_t number) {
    size_t low = 0, high = q->leased_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (q->leased[middle] < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low < q->leased_count && q->leased[low] == number;
}

uint32_t find_state(const struct find_question *q, const struct entry *e) {
    uint32_t state = e->row.state;
    if (state != EST_STATE_WAITING && state != EST_STATE_DELAYED)
        return state;
    if (is_leased(q, e->row.number))
        return EST_STATE_LEASED;
    return state == EST_STATE_DELAYED && e->row.not_before.us > q->now.us ? EST_STATE_DELAYED
                                                                          : EST_STATE_WAITING;
}

uint32_t find_department(const struct names *names, const struct entry *e) {
    return est_state_is_final((enum est_state)e->row.state)
               ? e->department
               : names_answerer(names, e->row.type, e->row.version, UINT64_MAX);
}

static bool time_fits(const struct filter_value *value, est_time at) {
    return at.us != 0 && at.us >= value->from.us && at.us < value->until.us;
}

static bool value_fits(const struct find_terms *t, const struct find_question *q, size_t term, size_t v,
                       const struct entry *e) {
    const struct filter_value *value = &t->filter.values[v];
    switch (t->filter.terms[term].field) {
    case FILTER_DEPARTMENT:
        return find_department(t->names, e) == t->numbers[v];
    case FILTER_TYPE:
        return find_type_is_in(t, term, e->row.type);
    case FILTER_STATE:
        return find_state(q, e) == value->number;
    case FILTER_PARCEL:
        return entry_has_parcel(e, t->hashes[v]);
    case FILTER_NID:
        return entry_has_nid(e, t->hashes[v]);
    case FILTER_CASE:
        return e->case_size > 0 && indexer_case((est_slice){e->case_id, e->case_size}) == t->hashes[v];
    case FILTER_REQUESTER:
        return e->row.account == t->numbers[v];
    case FILTER_TRACKING:
        return e->row.number == t->numbers[v];
    case FILTER_DISTRICT:
        return e->row.district == value->number;
    case FILTER_OUTCOME:
        return e->row.outcome == value->number;
    case FILTER_CODE:
        return e->row.code == value->number;
    case FILTER_PURPOSE:
        return e->row.purpose == t->numbers[v];
    case FILTER_RECEIVED:
        return time_fits(value, e->row.received);
    case FILTER_DUE:
        return time_fits(value, e->row.due);
    case FILTER_ENDED:
        return time_fits(value, e->row.ended);
    case FILTER_NUMBER:
        return e->row.number == value->number;
    case FILTER_ID:
        return memcmp(&e->row.id, &value->id, sizeof value->id) == 0;
    case FILTER_FIELDS:
        break;
    }
    return false;
}

/* A type beyond the list came after the question: nobody has said of it that it may be seen. */
bool find_is_hidden(const struct find_question *q, uint32_t type) {
    return q->hidden && (type >= q->hidden_count || q->hidden[type]);
}

bool find_fits(const struct find_terms *t, const struct find_question *q, const struct entry *e) {
    if (find_is_hidden(q, e->row.type))
        return false;
    for (size_t term = 0; term < t->filter.terms_count; term++) {
        const struct filter_term *it = &t->filter.terms[term];
        bool fits = false;
        for (size_t v = it->first; !fits && v < it->first + it->count; v++)
            fits = value_fits(t, q, term, v, e);
        if (fits == it->negated)
            return false;
    }
    return true;
}
