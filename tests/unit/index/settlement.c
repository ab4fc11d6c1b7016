/* settlement.c - see settlement.h. */
#include "settlement.h"

#include <stdio.h>
#include <stdlib.h>

const char *const settlement_types[SETTLEMENT_TYPES] = {"nosazi.bedehi", "sabtahval.hoviyat", "senfi.mahal"};
const char *const settlement_departments[SETTLEMENT_TYPES] = {"nosazi", "sabtahval", "shahrsazi"};
const char *const settlement_accounts[SETTLEMENT_ACCOUNTS] = {"portal", "notary", "nosazi-agent", "duty"};

static const char *const parcels[] = {"1-12-345-6-7-0-0", "1-1-1-1-0-0-0", "2-3-4-5-0-0-0",
                                      "22-3-15-40-1-12-0"};
static const char *const nids[] = {"0499370899", "0013542419", "1111111119"};
static const char *const cases[] = {"1404-17", "1404-18", "\u0643\u06CC-\u06F1\u06F7"};

/* --- Things -------------------------------------------------------------------------------------- */

static struct event next(struct settlement *s, enum event_type type, uint64_t number, uint64_t previous) {
    struct event event = {.type = type, .generation = 1, .number = number, .previous = previous};
    event.seq = ++s->writer.seq;
    event.at.us = s->writer.time_us += 1000 * (1 + rand_r(&s->seed) % 1000);
    return event;
}

static void things_set(struct settlement *s) {
    for (uint32_t i = 0; i < SETTLEMENT_TYPES; i++) {
        struct event e = next(s, EVENT_DEPARTMENT_SET, 0, 0);
        e.department_set = (struct event_department_set){i + 1, slice_of(settlement_departments[i])};
        writer_append(&s->writer, &e);
        const struct ctype *type = catalogue_type(s->catalogue, slice_of(settlement_types[i]));
        assert_non_null(type);
        e = next(s, EVENT_TYPE_SET, 0, 0);
        e.type_set =
            (struct event_type_set){i + 1, 1, i + 1, slice_of(type->name), slice_of(type->definition)};
        writer_append(&s->writer, &e);
    }
    for (uint32_t i = 0; i < SETTLEMENT_ACCOUNTS; i++) {
        struct event e = next(s, EVENT_ACCOUNT_SET, 0, 0);
        e.account_set.account = i + 1;
        e.account_set.role = i < 2 ? ROLE_REQUESTER : i == 2 ? ROLE_DEPARTMENT : ROLE_OPERATOR;
        e.account_set.name = slice_of(settlement_accounts[i]);
        writer_append(&s->writer, &e);
    }
    struct event e = next(s, EVENT_PURPOSE_SET, 0, 0);
    e.purpose_set = (struct event_purpose_set){0, slice_of("permit")};
    writer_append(&s->writer, &e);
}

void settlement_open(struct settlement *s, const struct scratch *scratch) {
    static struct complaints complaints;
    *s = (struct settlement){.writer = writer_open(scratch, 0), .seed = 7};
    s->lives = calloc(SETTLEMENT_LIVES_MAX, sizeof *s->lives);
    assert_int_equal(catalogue_load_city(TEHRAN, &s->catalogue, &complaints), 0);
    expect_ok(s->writer.store, store_begin(s->writer.store));
    things_set(s);
    expect_ok(s->writer.store, store_commit(s->writer.store));
}

void settlement_close(struct settlement *s) {
    writer_close(&s->writer);
    catalogue_free(&s->catalogue);
    free(s->lives);
}

/* --- Lives --------------------------------------------------------------------------------------- */

static void body_make(struct buffer *body, const struct life *life) {
    buffer_init(body);
    pack_map(body, (life->parcel[0] != '\0') + (life->nid[0] != '\0'));
    if (life->parcel[0]) {
        pack_cstr(body, "nz");
        pack_cstr(body, life->parcel);
    }
    if (life->nid[0]) {
        pack_cstr(body, "nid");
        pack_cstr(body, life->nid);
    }
}

size_t settlement_ask(struct settlement *s, unsigned type, unsigned account, const char *parcel,
                      const char *nid, const char *case_id) {
    struct life *life = &s->lives[s->count];
    struct buffer body;
    struct event e = next(s, EVENT_SUBMITTED, s->writer.seq + 1, 0);
    assert_true(s->count < SETTLEMENT_LIVES_MAX);
    *life = (struct life){.number = e.seq,
                          .last = e.seq,
                          .id = nth_id(e.seq * 977),
                          .type = type,
                          .account = account,
                          .state = EST_STATE_WAITING,
                          .received_us = e.at.us,
                          .due_us = e.at.us + 86400000000,
                          .district = parcel ? (unsigned)atoi(parcel) : 0};
    snprintf(life->parcel, sizeof life->parcel, "%s", parcel ? parcel : "");
    snprintf(life->nid, sizeof life->nid, "%s", nid ? nid : "");
    snprintf(life->case_id, sizeof life->case_id, "%s", case_id ? case_id : "");
    body_make(&body, life);
    e.submitted = (struct event_submitted){.id = life->id,
                                           .account = account,
                                           .type = type,
                                           .version = 1,
                                           .district = life->district,
                                           .due = {life->due_us},
                                           .case_id = slice_of(life->case_id),
                                           .body = buffer_slice(&body)};
    writer_append(&s->writer, &e);
    buffer_done(&body);
    return s->count++;
}

static void append(struct settlement *s, struct life *life, struct event *e) {
    life->last = e->seq;
    writer_append(&s->writer, e);
}

void settlement_answer(struct settlement *s, size_t at, unsigned outcome) {
    struct life *life = &s->lives[at];
    struct event e = next(s, EVENT_ANSWERED, life->number, life->last);
    life->leased_us = e.at.us - 500;
    e.answered = (struct event_answered){.epoch = 5,
                                         .account = 3,
                                         .outcome = outcome,
                                         .leased_at = {life->leased_us},
                                         .reason = slice_of("debt-open")};
    append(s, life, &e);
    life->state = EST_STATE_ANSWERED;
    life->outcome = outcome;
    life->code = 0;
    life->ended_us = e.at.us;
}

void settlement_delay(struct settlement *s, size_t at, int64_t until_us) {
    struct life *life = &s->lives[at];
    struct event e = next(s, EVENT_ATTEMPT_FAILED, life->number, life->last);
    e.attempt_failed = (struct event_attempt_failed){.epoch = 5,
                                                     .account = 3,
                                                     .code = EST_LEASE_EXPIRED,
                                                     .leased_at = {e.at.us - 500},
                                                     .not_before = {until_us},
                                                     .reason = slice_of("slow")};
    append(s, life, &e);
    life->state = EST_STATE_DELAYED;
    life->attempts++;
    life->code = EST_LEASE_EXPIRED;
    life->not_before_us = until_us;
}

void settlement_park(struct settlement *s, size_t at, unsigned code) {
    struct life *life = &s->lives[at];
    struct event e = next(s, EVENT_PARKED, life->number, life->last);
    e.parked = (struct event_parked){.epoch = 5, .account = 3, .code = code, .leased_at = {e.at.us - 500}};
    append(s, life, &e);
    life->state = EST_STATE_PARKED;
    life->attempts++;
    life->code = code;
    life->not_before_us = 0;
}

static void requeue(struct settlement *s, struct life *life) {
    struct event e = next(s, EVENT_REQUEUED, life->number, life->last);
    e.requeued = (struct event_requeued){4, slice_of("mended")};
    append(s, life, &e);
    life->state = EST_STATE_WAITING;
    life->attempts = life->code = 0;
}

static void end(struct settlement *s, struct life *life, enum event_type type) {
    struct event e = next(s, type, life->number, life->last);
    if (type == EVENT_CANCELLED)
        e.cancelled = (struct event_cancelled){life->account, slice_of("withdrawn")};
    append(s, life, &e);
    life->state = type == EVENT_CANCELLED ? EST_STATE_CANCELLED : EST_STATE_EXPIRED;
    life->code = type == EVENT_CANCELLED ? EST_CANCELLED : EST_EXPIRED;
    life->ended_us = e.at.us;
}

static void acknowledge(struct settlement *s, struct life *life) {
    struct event e = next(s, EVENT_ACKNOWLEDGED, 0, 0);
    e.acknowledged = (struct event_acknowledged){life->account, &life->number, 1, {NULL, 0}};
    writer_append(&s->writer, &e);
    life->acknowledged = true;
}

static void live(struct settlement *s, size_t at) {
    struct life *life = &s->lives[at];
    int chance = rand_r(&s->seed) % 100;
    if (life->ended_us != 0) {
        if (!life->acknowledged)
            acknowledge(s, life);
    } else if (life->state == EST_STATE_PARKED && chance < 70) {
        requeue(s, life);
    } else if (chance < 50) {
        settlement_answer(s, at, 1 + (unsigned)(chance % 4));
    } else if (chance < 70) {
        settlement_delay(s, at, s->writer.time_us + (chance % 2 ? 1 : 86400000000000));
    } else if (chance < 85) {
        settlement_park(s, at, chance % 2 ? EST_AGENT_REFUSED : EST_LEASE_EXPIRED);
    } else {
        end(s, life, chance < 92 ? EVENT_CANCELLED : EVENT_EXPIRED);
    }
}

static const char *pick(struct settlement *s, const char *const *from, unsigned count) {
    return from[(unsigned)rand_r(&s->seed) % count];
}

static void ask_by_chance(struct settlement *s) {
    unsigned type = 1 + (unsigned)rand_r(&s->seed) % SETTLEMENT_TYPES;
    settlement_ask(s, type, 1 + (unsigned)rand_r(&s->seed) % 2, type != 2 ? pick(s, parcels, 4) : NULL,
                   type != 1 ? pick(s, nids, 3) : NULL, rand_r(&s->seed) % 2 ? pick(s, cases, 3) : NULL);
}

void settlement_batch(struct settlement *s, unsigned inquiries, unsigned steps) {
    expect_ok(s->writer.store, store_begin(s->writer.store));
    for (unsigned i = 0; i < inquiries; i++)
        ask_by_chance(s);
    for (unsigned i = 0; i < steps && s->count > 0; i++)
        live(s, (size_t)rand_r(&s->seed) % s->count);
    expect_ok(s->writer.store, store_commit(s->writer.store));
}
