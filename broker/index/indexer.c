/* indexer.c - see indexer.h. */
#include "indexer.h"
#include "filter.h"
#include "guard.h"
#include "record.h"
#include "subject.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SLOTS = 4 * INDEXER_STEP_EVENTS };

static int fail(struct indexer *ix, int code, const char *sentence) {
    snprintf(ix->why, sizeof ix->why, "%s", sentence);
    return code;
}

static int fail_base(struct indexer *ix, int code) {
    return code < 0 ? fail(ix, code, base_error(ix->base)) : code;
}

/* A log that is damaged is not mended by dropping the index. */
static int fail_reader(struct indexer *ix, int code) {
    return code < 0 ? fail(ix, code == -EST_INPUT ? -EST_IO : code, store_reader_error(ix->reader)) : code;
}

/* The log is not the index: what fails in there is no fault of this one. */
static int reader_fetch(struct indexer *ix) {
    bool was = guard_set(false);
    int rc = store_reader_fetch(ix->reader, ix->place.seq + 1, READER_EVENTS_MAX, &ix->head);
    guard_set(was);
    return fail_reader(ix, rc);
}

static int reader_next(struct indexer *ix, struct event *ret) {
    return fail_reader(ix, store_reader_next(ix->reader, ret)); /* out of memory of its own */
}

/* --- What terms stand for ------------------------------------------------------------------------ */

uint64_t indexer_parcel(est_slice canonical) {
    return checksum_of(canonical.data, canonical.size);
}

uint64_t indexer_nid(const struct indexer *ix, est_slice canonical) {
    uint64_t hash;
    _Static_assert(sizeof hash == crypto_shorthash_BYTES, "SipHash gives eight bytes");
    crypto_shorthash((uint8_t *)&hash, canonical.data, canonical.size, ix->nid_key);
    return hash;
}

uint64_t indexer_case(est_slice as_written) {
    char folded[EST_CASE_MAX];
    est_slice text = {as_written.data, as_written.size < EST_CASE_MAX ? as_written.size : EST_CASE_MAX};
    return checksum_of(folded, filter_fold(text, folded));
}

/* The beginning: ids are ordered by time, so that the term grows with the log. */
uint64_t indexer_id(const est_id *id) {
    uint64_t value = 0;
    for (size_t i = 0; i < 7; i++)
        value = value << 8 | id->bytes[i];
    return value;
}

/* --- The entries of a step ----------------------------------------------------------------------- */

static uint32_t *slot_of(struct indexer *ix, uint64_t number) {
    size_t at = (size_t)(number * UINT64_C(0x9e3779b97f4a7c15) >> 40) & (SLOTS - 1);
    while (ix->slots[at] && ix->entries[ix->slots[at] - 1].row.number != number)
        at = (at + 1) & (SLOTS - 1);
    return &ix->slots[at];
}

static struct entry *entry_new(struct indexer *ix, uint64_t number) {
    uint32_t *slot = slot_of(ix, number);
    struct entry *e = &ix->entries[*slot ? *slot - 1 : ix->count];
    if (!*slot)
        *slot = ++ix->count;
    memset(e, 0, offsetof(struct entry, hashes));
    e->row.number = number;
    e->case_size = 0;
    e->parcel[0] = '\0';
    e->state_kept = 0;
    ix->changed[e - ix->entries] = true;
    return e;
}

static int entry_get(struct indexer *ix, uint64_t number, struct entry **ret) {
    uint32_t *slot = slot_of(ix, number);
    if (!*slot) {
        struct entry *e = &ix->entries[ix->count];
        int rc = base_entry(ix->base, number, e);
        if (rc == -EST_NOT_FOUND)
            return fail(ix, -EST_INPUT, "the index lacks an inquiry that the log goes on about");
        if (rc)
            return fail_base(ix, rc);
        *slot = ++ix->count;
        ix->changed[e - ix->entries] = false;
    }
    *ret = &ix->entries[*slot - 1];
    return 0;
}

/* Of one that is not looked at any further. */
static int department_get(struct indexer *ix, uint64_t number, uint32_t *ret) {
    static _Thread_local struct entry entry;
    uint32_t slot = *slot_of(ix, number);
    if (slot) {
        *ret = ix->entries[slot - 1].department;
        return 0;
    }
    int rc = base_entry(ix->base, number, &entry);
    *ret = entry.department;
    return rc == -EST_NOT_FOUND ? fail(ix, -EST_INPUT, "the index lacks an inquiry that was acknowledged")
                                : fail_base(ix, rc);
}

/* --- Folding ------------------------------------------------------------------------------------- */

int indexer_names(struct indexer *ix) {
    if (!names_need_load(ix->names))
        return 0;
    bool was = guard_set(false);
    int rc = names_load(ix->names, ix->reader);
    guard_set(was);
    return fail_reader(ix, rc);
}

struct subject {
    struct indexer *ix;
    struct entry *entry;
    uint64_t nids[ENTRY_HASHES_MAX];
};

static void subject_take(void *arg, enum field_kind kind, est_slice text) {
    struct subject *s = arg;
    struct entry *e = s->entry;
    if (e->parcels + e->nids == ENTRY_HASHES_MAX)
        return;
    if (kind == FIELD_NID) {
        s->nids[e->nids++] = indexer_nid(s->ix, text);
        return;
    }
    if (e->parcels == 0 && text.size < sizeof e->parcel) {
        memcpy(e->parcel, text.data, text.size);
        e->parcel[text.size] = '\0';
    }
    e->hashes[e->parcels++] = indexer_parcel(text);
}

static int on_submitted(struct indexer *ix, const struct event *event) {
    const struct event_submitted *it = &event->submitted;
    int rc = indexer_names(ix);
    if (rc)
        return rc;
    struct entry *e = entry_new(ix, event->number);
    inquiry_row_apply(&e->row, event);
    e->department = names_department(ix->names, it->type, it->version);
    e->case_size = (uint8_t)(it->case_id.size < EST_CASE_MAX ? it->case_id.size : EST_CASE_MAX);
    if (e->case_size > 0)
        memcpy(e->case_id, it->case_id.data, e->case_size);
    struct subject subject = {.ix = ix, .entry = e};
    const struct schema *request = names_request(ix->names, it->type, it->version);
    if (request)
        subject_each(request, it->body, subject_take, &subject);
    memcpy(e->hashes + e->parcels, subject.nids, e->nids * sizeof subject.nids[0]);
    return counts_add(ix->counts, COUNT_ACCEPTED, e->department, 0, 1);
}

static int on_attempt_failed(struct indexer *ix, const struct event *event, const struct entry *e) {
    if (attempt_is_given_back(&event->attempt_failed))
        return 0;
    return counts_add(ix->counts, COUNT_ATTEMPTS_FAILED, e->department, event->attempt_failed.code, 1);
}

static int on_parked(struct indexer *ix, const struct event *event, const struct entry *e) {
    int rc = counts_add(ix->counts, COUNT_ATTEMPTS_FAILED, e->department, event->parked.code, 1);
    return rc ? rc : counts_add(ix->counts, COUNT_PARKED, e->department, event->parked.code, 1);
}

static int on_requeued(struct indexer *ix, const struct event *event, const struct entry *e) {
    (void)event;
    return counts_add(ix->counts, COUNT_REQUEUED, e->department, 0, 1);
}

static int on_redirected(struct indexer *ix, const struct event *event, const struct entry *e) {
    (void)event;
    return counts_add(ix->counts, COUNT_REDIRECTED, e->department, 0, 1);
}

static int on_answered(struct indexer *ix, const struct event *event, const struct entry *e) {
    est_span answer = {event->at.us - e->row.received.us};
    est_span wait = {event->answered.leased_at.us - e->row.received.us};
    int rc = counts_add(ix->counts, COUNT_FINISHED, e->department, event->answered.outcome, 1);
    if (!rc)
        rc = counts_span(ix->counts, COUNT_ANSWER_STEP, COUNT_ANSWER_SUM, answer);
    return rc ? rc : counts_span(ix->counts, COUNT_WAIT_STEP, COUNT_WAIT_SUM, wait);
}

static int on_expired(struct indexer *ix, const struct event *event, const struct entry *e) {
    (void)event;
    return counts_add(ix->counts, COUNT_FINISHED, e->department, FINISHED_EXPIRED, 1);
}

static int on_cancelled(struct indexer *ix, const struct event *event, const struct entry *e) {
    (void)event;
    return counts_add(ix->counts, COUNT_FINISHED, e->department, FINISHED_CANCELLED, 1);
}

/* No answer out of the index tells of it, so the entries stay as they are. */
static int on_acknowledged(struct indexer *ix, const struct event *event) {
    for (size_t i = 0; i < event->acknowledged.count; i++) {
        uint32_t department = 0;
        int rc = department_get(ix, event->acknowledged.numbers[i], &department);
        if (!rc)
            rc = counts_add(ix->counts, COUNT_ACKNOWLEDGED, department, 0, 1);
        if (rc)
            return rc;
    }
    return 0;
}

typedef int (*counter)(struct indexer *, const struct event *, const struct entry *);

static const counter counters[] = {
    [EVENT_ATTEMPT_FAILED] = on_attempt_failed,
    [EVENT_PARKED] = on_parked,
    [EVENT_REQUEUED] = on_requeued,
    [EVENT_ANSWERED] = on_answered,
    [EVENT_EXPIRED] = on_expired,
    [EVENT_CANCELLED] = on_cancelled,
    [EVENT_REDIRECTED] = on_redirected,
};

/* An event about one inquiry: counted, then folded. */
static int on_changed(struct indexer *ix, const struct event *event) {
    struct entry *e;
    int rc = entry_get(ix, event->number, &e);
    if (!rc)
        rc = indexer_names(ix);
    if (rc)
        return rc;
    e->department = names_answerer(ix->names, e->row.type, e->row.version, event->seq);
    size_t at = (size_t)event->type;
    if (at < sizeof counters / sizeof counters[0] && counters[at])
        rc = counters[at](ix, event, e);
    inquiry_row_apply(&e->row, event);
    ix->changed[e - ix->entries] = true;
    return rc;
}

static int event_fold(struct indexer *ix, const struct event *event) {
    int rc = 0;
    if (event->type == EVENT_SUBMITTED)
        rc = on_submitted(ix, event);
    else if (event->type == EVENT_ACKNOWLEDGED)
        rc = on_acknowledged(ix, event);
    else if (event->number != 0)
        rc = on_changed(ix, event);
    else
        names_are_old(ix->names); /* a thing was set, or what costs no more than that */
    if (rc == -EST_NO_MEMORY)
        return fail(ix, rc, "out of memory");
    if (!rc) {
        ix->place.seq = event->seq;
        ix->place.at_us = event->at.us;
        ix->place.type = (uint32_t)event->type;
    }
    return rc;
}

/* --- Writing ------------------------------------------------------------------------------------- */

static int term_add(struct indexer *ix, enum term kind, uint64_t value, uint64_t number) {
    return postings_push(&ix->puts[kind], (struct posting){term_of(kind, value), number});
}

static int terms_of_new(struct indexer *ix, const struct entry *e) {
    uint64_t number = e->row.number;
    int rc = term_add(ix, TERM_TYPE, e->row.type, number);
    if (!rc)
        rc = term_add(ix, TERM_REQUESTER, e->row.account, number);
    if (!rc)
        rc = term_add(ix, TERM_ID, indexer_id(&e->row.id), number);
    if (!rc && e->case_size > 0)
        rc = term_add(ix, TERM_CASE, indexer_case((est_slice){e->case_id, e->case_size}), number);
    for (uint32_t i = 0; !rc && i < e->parcels + e->nids; i++)
        rc = term_add(ix, i < e->parcels ? TERM_PARCEL : TERM_NID, e->hashes[i], number);
    if (!rc)
        rc = counts_add(ix->counts, COUNT_OF_TYPE, 0, e->row.type, 1);
    return rc ? rc : counts_add(ix->counts, COUNT_OF_REQUESTER, 0, e->row.account, 1);
}

static int terms_of_state(struct indexer *ix, struct entry *e) {
    int rc = 0;
    if (e->state_kept == e->row.state)
        return 0;
    if (e->state_kept != 0) {
        struct posting old = {term_of(TERM_STATE, e->state_kept), e->row.number};
        rc = postings_push(&ix->drops, old);
        if (!rc)
            rc = counts_add(ix->counts, COUNT_OF_STATE, 0, e->state_kept, -1);
    }
    if (!rc)
        rc = term_add(ix, TERM_STATE, e->row.state, e->row.number);
    return rc ? rc : counts_add(ix->counts, COUNT_OF_STATE, 0, e->row.state, 1);
}

static int postings_write(struct indexer *ix) {
    postings_sort(&ix->drops);
    int rc = base_postings_drop(ix->base, ix->drops.at, ix->drops.count);
    ix->drops.count = 0;
    for (size_t kind = 0; kind < TERMS && !rc; kind++) {
        struct postings *puts = &ix->puts[kind];
        postings_sort(puts);
        rc = base_postings_put(ix->base, puts->at, puts->count);
        puts->count = 0;
    }
    return fail_base(ix, rc);
}

/* New entries came in the order of their numbers, so that they are appended. */
static int step_write(struct indexer *ix) {
    for (uint32_t i = 0; i < ix->count; i++) {
        struct entry *e = &ix->entries[i];
        if (!ix->changed[i])
            continue;
        int rc = e->state_kept == 0 ? terms_of_new(ix, e) : 0;
        if (!rc)
            rc = terms_of_state(ix, e);
        if (rc)
            return fail(ix, rc, "out of memory");
        rc = base_entry_put(ix->base, e);
        if (rc)
            return fail_base(ix, rc);
    }
    memset(ix->slots, 0, SLOTS * sizeof *ix->slots);
    ix->count = 0;
    return postings_write(ix);
}

int indexer_step(struct indexer *ix) {
    uint64_t began = ix->place.seq;
    struct event event;
    int rc = 0;
    do {
        rc = reader_fetch(ix);
        while (rc >= 0 && (rc = reader_next(ix, &event)) == 1)
            rc = event_fold(ix, &event);
    } while (rc == 0 && ix->place.seq < ix->head &&
             ix->place.seq + READER_EVENTS_MAX - began <= INDEXER_STEP_EVENTS);
    if (rc == 0 && ix->place.seq != began) {
        ix->dirty = true;
        rc = step_write(ix);
    }
    return rc ? rc : ix->place.seq < ix->head;
}

int indexer_commit(struct indexer *ix) {
    if (!ix->dirty)
        return 0;
    int rc = counts_save(ix->counts, ix->base);
    if (!rc)
        rc = base_place_write(ix->base, &ix->place);
    if (!rc)
        rc = base_commit(ix->base);
    ix->dirty = rc != 0;
    ix->committed = ix->place.seq;
    return fail_base(ix, rc);
}

/* --- Opening ------------------------------------------------------------------------------------- */

static void keys_make(struct indexer *ix, uint64_t *ret_store) {
    const uint8_t *secret = store_reader_secret(ix->reader);
    crypto_generichash(ix->nid_key, sizeof ix->nid_key, (const uint8_t *)"national ids in the index", 25,
                       secret, 32);
    crypto_generichash((uint8_t *)ret_store, sizeof *ret_store, (const uint8_t *)"whose index it is", 17,
                       secret, 32);
}

/* Is this the index of this log? A store that was put back from a backup has another event there. */
static int place_check(struct indexer *ix, uint64_t store) {
    struct event event;
    int rc = base_place_read(ix->base, &ix->place); /* first, for only what has this format can be checked */
    if (!rc)
        rc = base_check(ix->base);
    if (rc || ix->place.seq == 0)
        return fail_base(ix, rc);
    if (ix->place.store != store)
        return fail(ix, -EST_INPUT, "it is of another store");
    bool was = guard_set(false);
    rc = store_reader_event(ix->reader, ix->place.seq, &event);
    guard_set(was);
    if (rc == -EST_NOT_FOUND)
        return fail(ix, -EST_INPUT, "it is ahead of the log; the store was put back from a backup");
    if (rc)
        return fail_reader(ix, rc);
    if (event.at.us != ix->place.at_us || (uint32_t)event.type != ix->place.type)
        return fail(ix, -EST_INPUT, "it followed another log than this one");
    return 0;
}

static int base_start(struct indexer *ix, const char *folder, uint64_t store) {
    ix->place = (struct base_place){0};
    int rc = base_open(folder, &ix->base);
    if (rc)
        return fail(ix, rc, base_error(NULL));
    rc = place_check(ix, store);
    if (!rc)
        rc = fail_base(ix, counts_load(ix->counts, ix->base));
    ix->place.store = store;
    ix->committed = ix->place.seq;
    return rc;
}

static int tables_make(struct indexer *ix) {
    ix->entries = malloc((INDEXER_STEP_EVENTS + 1) * sizeof *ix->entries);
    ix->changed = malloc((INDEXER_STEP_EVENTS + 1) * sizeof *ix->changed);
    ix->slots = calloc(SLOTS, sizeof *ix->slots);
    ix->names = names_new();
    ix->counts = counts_new();
    bool good = ix->entries && ix->changed && ix->slots && ix->names && ix->counts;
    return good ? 0 : fail(ix, -EST_NO_MEMORY, "out of memory for the index");
}

int indexer_open(struct store_reader *reader, const char *folder, struct indexer *ix,
                 char ret_dropped[INDEXER_WHY_SIZE]) {
    uint64_t store;
    *ix = (struct indexer){.reader = reader};
    ret_dropped[0] = '\0';
    keys_make(ix, &store);
    int rc = tables_make(ix);
    if (!rc)
        rc = base_start(ix, folder, store);
    if (rc == -EST_INPUT) {
        memcpy(ret_dropped, ix->why, INDEXER_WHY_SIZE);
        base_close(&ix->base);
        rc = base_remove(folder) < 0
                 ? fail(ix, -EST_IO, "the damaged index cannot be removed; remove its folder")
                 : base_start(ix, folder, store);
    }
    if (!rc) {
        bool was = guard_set(false);
        rc = fail_reader(ix, store_reader_head(reader, &ix->head));
        guard_set(was);
    }
    return rc;
}

void indexer_close(struct indexer *ix) {
    base_close(&ix->base);
    names_free(&ix->names);
    counts_free(&ix->counts);
    free(ix->entries);
    free(ix->changed);
    free(ix->slots);
    for (size_t kind = 0; kind < TERMS; kind++)
        postings_done(&ix->puts[kind]);
    postings_done(&ix->drops);
    ix->entries = NULL;
    ix->changed = NULL;
    ix->slots = NULL;
}
