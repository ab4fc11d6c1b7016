/* find.c - see find.h. First the way is chosen, then it is walked.
 *
 * Ways, from the newest number down: a few numbers that are known (number, tracking, what is leased); the
 * numbers of one or several terms, merged; every entry. Whatever the way, times of receipt bound it,
 * because numbers grow with them.
 */
#include "find_terms.h"
#include "message.h"
#include "tracking.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WALKS_MAX = 64 };

enum way_kind { WAY_ALL, WAY_NUMBERS, WAY_TERMS };

struct way {
    enum way_kind kind;
    uint64_t cost;             /* entries it may lead to, about */
    uint64_t low;              /* no number below it */
    uint64_t terms[WALKS_MAX]; /* WAY_TERMS */
    size_t count;              /* of terms or numbers */
    const uint64_t *numbers;   /* WAY_NUMBERS, ascending */
    uint64_t own[FILTER_VALUES_MAX];
};

/* --- Choosing ------------------------------------------------------------------------------------ */

/* Few inquiries have one parcel, id or case in common; how many is not counted. */
enum { COST_KEY = 50 };

static void way_terms(struct way *way, enum term kind, const uint64_t *values, size_t count, uint64_t cost) {
    if (cost >= way->cost || count > WALKS_MAX)
        return;
    way->kind = WAY_TERMS;
    way->cost = cost;
    way->count = count;
    for (size_t i = 0; i < count; i++)
        way->terms[i] = term_of(kind, values[i]);
}

static void way_numbers(struct way *way, const uint64_t *numbers, size_t count) {
    if (count >= way->cost)
        return;
    way->kind = WAY_NUMBERS;
    way->cost = count;
    way->count = count;
    way->numbers = numbers;
}

static int number_order(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static void consider_numbers(struct way *way, const struct find_terms *t, const struct filter_term *it) {
    if (it->count >= way->cost)
        return;
    for (size_t i = 0; i < it->count; i++)
        way->own[i] =
            it->field == FILTER_NUMBER ? t->filter.values[it->first + i].number : t->numbers[it->first + i];
    qsort(way->own, it->count, sizeof way->own[0], number_order);
    way_numbers(way, way->own, it->count);
}

/* Types of a term, or those that a department answers or has answered. */
static void consider_types(struct way *way, struct indexer *ix, const struct find_terms *t, size_t term) {
    const struct filter_term *it = &t->filter.terms[term];
    uint64_t types[WALKS_MAX], cost = 0;
    size_t count = 0;
    for (uint32_t type = 0; type < names_count(ix->names, THING_TYPE); type++) {
        bool fits = it->field == FILTER_TYPE && find_type_is_in(t, term, type);
        for (size_t v = it->first; it->field == FILTER_DEPARTMENT && !fits && v < it->first + it->count; v++)
            fits = names_type_was_of(ix->names, type, (uint32_t)t->numbers[v]);
        if (!fits)
            continue;
        if (count == WALKS_MAX)
            return;
        types[count++] = type;
        cost += counts_get(ix->counts, COUNT_OF_TYPE, 0, type);
    }
    way_terms(way, TERM_TYPE, types, count, cost);
}

/* A delay that is over, and a lease, are not in the record: both lie under the states before them. */
static void consider_states(struct way *way, struct indexer *ix, const struct find_question *q,
                            const struct find_terms *t, const struct filter_term *it) {
    uint64_t states[EST_STATE_CANCELLED + 1], cost = 0;
    size_t count = 0;
    bool wanted[EST_STATE_CANCELLED + 1] = {false}, only_leased = it->count == 1;
    for (size_t v = it->first; v < it->first + it->count; v++) {
        uint64_t state = t->filter.values[v].number;
        only_leased = only_leased && state == EST_STATE_LEASED;
        wanted[state] = true;
        if (state == EST_STATE_WAITING || state == EST_STATE_LEASED)
            wanted[EST_STATE_WAITING] = wanted[EST_STATE_DELAYED] = true;
    }
    if (only_leased) {
        way_numbers(way, q->leased, q->leased_count);
        return;
    }
    wanted[EST_STATE_LEASED] = false;
    for (uint32_t state = 1; state <= EST_STATE_CANCELLED; state++) {
        if (!wanted[state])
            continue;
        states[count++] = state;
        cost += counts_get(ix->counts, COUNT_OF_STATE, 0, state);
    }
    way_terms(way, TERM_STATE, states, count, cost);
}

static void consider_requesters(struct way *way, struct indexer *ix, const struct find_terms *t,
                                const struct filter_term *it) {
    uint64_t cost = 0;
    for (size_t v = it->first; v < it->first + it->count; v++)
        cost += counts_get(ix->counts, COUNT_OF_REQUESTER, 0, (uint32_t)t->numbers[v]);
    way_terms(way, TERM_REQUESTER, t->numbers + it->first, it->count, cost);
}

static void consider_ids(struct way *way, const struct find_terms *t, const struct filter_term *it) {
    uint64_t ids[FILTER_VALUES_MAX];
    for (size_t i = 0; i < it->count; i++)
        ids[i] = indexer_id(&t->filter.values[it->first + i].id);
    way_terms(way, TERM_ID, ids, it->count, it->count);
}

static void consider(struct way *way, struct indexer *ix, const struct find_question *q,
                     const struct find_terms *t, size_t term) {
    const struct filter_term *it = &t->filter.terms[term];
    const uint64_t *hashes = t->hashes + it->first;
    switch (it->field) {
    case FILTER_NUMBER:
    case FILTER_TRACKING:
        consider_numbers(way, t, it);
        break;
    case FILTER_ID:
        consider_ids(way, t, it);
        break;
    case FILTER_PARCEL:
        way_terms(way, TERM_PARCEL, hashes, it->count, COST_KEY * it->count);
        break;
    case FILTER_NID:
        way_terms(way, TERM_NID, hashes, it->count, COST_KEY * it->count);
        break;
    case FILTER_CASE:
        way_terms(way, TERM_CASE, hashes, it->count, COST_KEY * it->count);
        break;
    case FILTER_DEPARTMENT:
    case FILTER_TYPE:
        consider_types(way, ix, t, term);
        break;
    case FILTER_STATE:
        consider_states(way, ix, q, t, it);
        break;
    case FILTER_REQUESTER:
        consider_requesters(way, ix, t, it);
        break;
    default:
        break;
    }
}

/* The earliest and the latest of a term's stretches, as numbers. */
static int received_bound(struct indexer *ix, const struct find_terms *t, const struct filter_term *it,
                          uint64_t *low, uint64_t *before) {
    int64_t from = INT64_MAX, until = INT64_MIN;
    uint64_t number;
    for (size_t v = it->first; v < it->first + it->count; v++) {
        from = t->filter.values[v].from.us < from ? t->filter.values[v].from.us : from;
        until = t->filter.values[v].until.us > until ? t->filter.values[v].until.us : until;
    }
    int rc = base_number_at(ix->base, (est_time){from}, &number);
    if (!rc && number > *low)
        *low = number;
    if (!rc && until != INT64_MAX)
        rc = base_number_at(ix->base, (est_time){until}, &number);
    if (!rc && until != INT64_MAX && number < *before)
        *before = number;
    return rc;
}

static int way_choose(struct indexer *ix, const struct find_question *q, const struct find_terms *t,
                      struct way *ret, uint64_t *ret_before) {
    int rc = 0;
    *ret = (struct way){.kind = WAY_ALL, .cost = UINT64_MAX};
    *ret_before = UINT64_MAX;
    for (size_t term = 0; !rc && term < t->filter.terms_count; term++)
        if (t->filter.terms[term].field == FILTER_RECEIVED && !t->filter.terms[term].negated)
            rc = received_bound(ix, t, &t->filter.terms[term], &ret->low, ret_before);
    /* Every entry of a short time may be fewer than those of a term. */
    if (!rc && *ret_before != UINT64_MAX)
        ret->cost = *ret_before > ret->low ? *ret_before - ret->low : 0;
    for (size_t term = 0; !rc && term < t->filter.terms_count; term++)
        if (!t->filter.terms[term].negated)
            consider(ret, ix, q, t, term);
    return rc;
}

/* --- Walking ------------------------------------------------------------------------------------- */

struct walker {
    struct indexer *ix;
    const struct way *way;
    struct posting_walk walks[WALKS_MAX];
    size_t left;     /* of WAY_NUMBERS */
    uint64_t before; /* the next number is below it */
    struct entry entry;
};

static int walker_begin(struct walker *w, struct indexer *ix, const struct way *way, uint64_t before) {
    int rc = 0;
    *w = (struct walker){.ix = ix, .way = way, .before = before, .left = way->count};
    for (size_t i = 0; way->kind == WAY_TERMS && !rc && i < way->count; i++)
        rc = base_walk_begin(ix->base, way->terms[i], before, &w->walks[i]);
    return rc;
}

static void walker_end(struct walker *w) {
    for (size_t i = 0; w->way->kind == WAY_TERMS && i < w->way->count; i++)
        base_walk_end(&w->walks[i]);
}

/* The highest number of all terms; each that stands on it moves on. 0: no more. */
static int terms_next(struct walker *w, uint64_t *ret) {
    uint64_t highest = 0;
    for (size_t i = 0; i < w->way->count; i++)
        highest = w->walks[i].number > highest ? w->walks[i].number : highest;
    for (size_t i = 0; highest != 0 && i < w->way->count; i++) {
        int rc = w->walks[i].number == highest ? base_walk_next(w->ix->base, &w->walks[i]) : 0;
        if (rc)
            return rc;
    }
    *ret = highest;
    return 0;
}

static uint64_t numbers_next(struct walker *w) {
    while (w->left > 0) {
        uint64_t number = w->way->numbers[--w->left];
        if (number < w->before)
            return number;
    }
    return 0;
}

/* 1 and the entry; 0 at the way's end; or an error. */
static int walker_next(struct walker *w) {
    for (;;) {
        uint64_t number = 0;
        int rc = 0;
        if (w->way->kind == WAY_ALL)
            rc = base_entry_before(w->ix->base, w->before, &w->entry);
        else if (w->way->kind == WAY_TERMS)
            rc = terms_next(w, &number);
        else
            number = numbers_next(w);
        if (!rc && w->way->kind != WAY_ALL) {
            if (number == 0)
                return 0;
            w->before = number;
            rc = base_entry(w->ix->base, number, &w->entry);
            if (rc == -EST_NOT_FOUND) /* a number that never was, or that is still to come */
                continue;
        }
        if (rc)
            return rc == -EST_NOT_FOUND ? 0 : rc;
        w->before = w->entry.row.number;
        return w->before >= w->way->low;
    }
}

/* --- Answers ------------------------------------------------------------------------------------- */

static void id_text(const est_id *id, char ret[37]) {
    static const char digits[] = "0123456789abcdef";
    size_t used = 0;
    for (size_t i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            ret[used++] = '-';
        ret[used++] = digits[id->bytes[i] >> 4];
        ret[used++] = digits[id->bytes[i] & 15];
    }
    ret[used] = '\0';
}

static void row_add(struct indexer *ix, const struct find_question *q, const struct entry *e,
                    struct find_answer *ret) {
    char id[37], tracking[EST_TRACKING_MAX + 1];
    const struct inquiry_row *row = &e->row;
    id_text(&row->id, id);
    tracking_write(store_reader_secret(ix->reader), row->number, tracking);
    struct find_row out = {.number = row->number,
                           .id = slice_of(id),
                           .tracking = slice_of(tracking),
                           .type = names_of(ix->names, THING_TYPE, row->type),
                           .version = row->version,
                           .department = names_of(ix->names, THING_DEPARTMENT, find_department(ix->names, e)),
                           .district = row->district,
                           .requester = names_of(ix->names, THING_ACCOUNT, row->account),
                           .purpose = names_of(ix->names, THING_PURPOSE, row->purpose),
                           .case_id = {e->case_id, e->case_size},
                           .parcel = slice_of(e->parcel),
                           .state = find_state(q, e),
                           .outcome = row->outcome,
                           .code = row->code,
                           .attempts = row->attempts,
                           .received_us = (uint64_t)row->received.us,
                           .due_us = (uint64_t)row->due.us,
                           .ended_us = (uint64_t)row->ended.us};
    find_row_pack(&ret->rows, &out);
    ret->rows_count++;
}

static int page_take(struct indexer *ix, const struct find_question *q, const struct find_terms *t,
                     const struct way *way, uint64_t before, struct find_answer *ret) {
    static struct walker walker; /* large; one thread asks the index */
    size_t limit = q->limit == 0              ? FIND_ROWS_USUAL
                   : q->limit < FIND_ROWS_MAX ? (size_t)q->limit
                                              : FIND_ROWS_MAX;
    size_t looked = 0;
    int rc = walker_begin(&walker, ix, way, q->after != 0 && q->after < before ? q->after : before);
    while (!rc && (rc = walker_next(&walker)) == 1) {
        rc = 0;
        if (find_fits(t, q, &walker.entry))
            row_add(ix, q, &walker.entry, ret);
        bool full = ret->rows_count == limit || ret->rows.size > FIND_BYTES_MAX;
        if (full || ++looked == FIND_LOOKED_MAX) {
            ret->next = walker.before > way->low && walker.before > 1 ? walker.before : 0;
            break;
        }
    }
    walker_end(&walker);
    return rc < 0 ? rc : 0;
}

/* All that whoever asks may see. */
static uint64_t count_of_all(struct indexer *ix, const struct find_question *q) {
    uint64_t count = base_entries(ix->base);
    for (uint32_t type = 0; q->hidden && type < names_count(ix->names, THING_TYPE); type++)
        if (find_is_hidden(q, type))
            count -= counts_get(ix->counts, COUNT_OF_TYPE, 0, type);
    return count;
}

static int count_take(struct indexer *ix, const struct find_question *q, const struct find_terms *t,
                      const struct way *way, uint64_t before, struct find_answer *ret) {
    static struct walker walker;
    uint64_t looked = 0, most = q->counted_max != 0 ? q->counted_max : FIND_COUNTED_MAX;
    if (t->filter.terms_count == 0) {
        ret->count = count_of_all(ix, q);
        ret->counted_all = true;
        return 0;
    }
    int rc = walker_begin(&walker, ix, way, before);
    while (!rc && looked < most && (rc = walker_next(&walker)) == 1) {
        rc = 0;
        looked++;
        ret->count += find_fits(t, q, &walker.entry);
    }
    ret->counted_all = looked < most;
    walker_end(&walker);
    return rc < 0 ? rc : 0;
}

int find(struct indexer *ix, const struct find_question *q, struct find_answer *ret) {
    static struct find_terms terms;
    struct way way;
    uint64_t before;
    buffer_clear(&ret->rows);
    ret->rows_count = 0;
    ret->next = ret->count = 0;
    ret->counted_all = false;
    int rc = indexer_names(ix);
    if (!rc)
        rc = find_terms_read(ix, q, &terms, ret->why);
    if (!rc)
        rc = way_choose(ix, q, &terms, &way, &before);
    if (!rc)
        rc = page_take(ix, q, &terms, &way, before, ret);
    if (!rc && q->count)
        rc = count_take(ix, q, &terms, &way, before, ret);
    if (!rc && ret->rows.failed)
        rc = -EST_NO_MEMORY;
    if (rc && rc != -EST_INVALID_FIELD)
        snprintf(ret->why, sizeof ret->why, "%s",
                 rc == -EST_NO_MEMORY ? "out of memory" : base_error(ix->base));
    return rc;
}
