/* sample.c - see sample.h. The comparisons name every field by hand: a field that the record's
 * tables forget must not be forgotten here by the same means. */
#include "sample.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const enum event_type sample_types[] = {
    EVENT_STARTED,     EVENT_DEPARTMENT_SET, EVENT_TYPE_SET,       EVENT_ACCOUNT_SET,  EVENT_RETIRED,
    EVENT_PURPOSE_SET, EVENT_SUBMITTED,      EVENT_ATTEMPT_FAILED, EVENT_PARKED,       EVENT_REQUEUED,
    EVENT_ANSWERED,    EVENT_EXPIRED,        EVENT_CANCELLED,      EVENT_ACKNOWLEDGED, EVENT_DRAIN,
    EVENT_PAUSED,      EVENT_REDIRECTED,
};
const size_t sample_types_count = sizeof sample_types / sizeof sample_types[0];

static uint8_t large[EST_BODY_MAX];
static uint64_t numbers[EST_NUMBERS_MAX];
static struct right rights[4096];

/* `nth` tells the slices of one event apart. */
static est_slice part(enum sample_size size, unsigned nth, size_t largest) {
    static const char *const usual[] = {"نوسازی", "portal", "{\"z\":1}", "1404/01/01", "signer"};
    if (size == SAMPLE_EMPTY)
        return (est_slice){NULL, 0};
    if (size == SAMPLE_USUAL)
        return (est_slice){usual[nth], strlen(usual[nth])};
    for (size_t i = 0; i < sizeof large; i++)
        large[i] = (uint8_t)(i * 7 + i / 251);
    return (est_slice){large + nth, largest - nth};
}

static size_t count_of(enum sample_size size, size_t largest) {
    return size == SAMPLE_EMPTY ? 0 : size == SAMPLE_USUAL ? 3 : largest;
}

static void lists_fill(void) {
    for (size_t i = 0; i < EST_NUMBERS_MAX; i++)
        numbers[i] = UINT64_C(0x1122334455667788) + i;
    for (size_t i = 0; i < sizeof rights / sizeof rights[0]; i++)
        rights[i] = (struct right){(uint32_t)i, (uint32_t)(0xf0f00000u + i)};
}

static est_id sample_id(void) {
    est_id id;
    for (size_t i = 0; i < sizeof id.bytes; i++)
        id.bytes[i] = (uint8_t)(0xa0 + i);
    return id;
}

static void fill_thing(struct event *e, enum sample_size size) {
    switch (e->type) {
    case EVENT_STARTED:
        e->started = (struct event_started){UINT64_C(0x8000000000000001)};
        break;
    case EVENT_DEPARTMENT_SET:
        e->department_set = (struct event_department_set){41, part(size, 0, EST_NAME_MAX)};
        break;
    case EVENT_TYPE_SET:
        e->type_set =
            (struct event_type_set){42, 43, 44, part(size, 0, EST_NAME_MAX), part(size, 2, EST_BODY_MAX)};
        break;
    case EVENT_ACCOUNT_SET:
        e->account_set =
            (struct event_account_set){.account = 45,
                                       .role = ROLE_DEPARTMENT,
                                       .department = 46,
                                       .level = EST_LEVEL_OBSERVER,
                                       .name = part(size, 1, EST_NAME_MAX),
                                       .rights = rights,
                                       .rights_count = count_of(size, sizeof rights / sizeof rights[0])};
        for (size_t i = 0; i < 16; i++)
            e->account_set.districts[i] = UINT64_C(0xfedcba9876543210) + i;
        break;
    case EVENT_PURPOSE_SET:
        e->purpose_set = (struct event_purpose_set){49, part(size, 0, EST_NAME_MAX)};
        break;
    case EVENT_PAUSED:
        e->paused = (struct event_paused){81, 82, 1, part(size, 1, EST_TEXT_MAX)};
        break;
    case EVENT_RETIRED:
        e->retired = (struct event_retired){THING_TYPE, 47};
        break;
    default:
        e->drain = (struct event_drain){48, 1, part(size, 1, EST_TEXT_MAX)};
        break;
    }
}

static void fill_attempt(struct event *e, enum sample_size size) {
    est_slice reason = part(size, 1, EST_TEXT_MAX);
    switch (e->type) {
    case EVENT_ATTEMPT_FAILED:
        e->attempt_failed = (struct event_attempt_failed){51, 52, EST_AGENT_LOST, {53}, {5400}, reason, 1};
        break;
    case EVENT_PARKED:
        e->parked = (struct event_parked){55, 56, EST_AGENT_REFUSED, {57}, reason};
        break;
    case EVENT_REDIRECTED:
        e->redirected = (struct event_redirected){83, 84, 85, 86, 87, {88}, reason};
        break;
    default:
        e->requeued = (struct event_requeued){58, reason};
        break;
    }
}

static void fill_inquiry(struct event *e, enum sample_size size) {
    switch (e->type) {
    case EVENT_SUBMITTED:
        e->submitted = (struct event_submitted){sample_id(),
                                                61,
                                                62,
                                                63,
                                                64,
                                                65,
                                                {-66},
                                                part(size, 0, EST_CASE_MAX),
                                                part(size, 1, EST_TRACE_MAX),
                                                part(size, 2, EST_BODY_MAX)};
        break;
    case EVENT_ANSWERED:
        e->answered = (struct event_answered){71,
                                              72,
                                              EST_OUTCOME_NEGATIVE,
                                              {73},
                                              part(size, 0, EST_TEXT_MAX),
                                              part(size, 1, EST_TEXT_MAX),
                                              part(size, 3, EST_DATE_MAX),
                                              part(size, 4, EST_SIGNER_MAX),
                                              part(size, 2, EST_BODY_MAX)};
        break;
    case EVENT_EXPIRED:
        break;
    case EVENT_CANCELLED:
        e->cancelled = (struct event_cancelled){74, part(size, 1, EST_TEXT_MAX)};
        break;
    case EVENT_ACKNOWLEDGED:
        e->acknowledged = (struct event_acknowledged){75, numbers, count_of(size, EST_NUMBERS_MAX), {numbers, 0}};
        e->acknowledged.ends.size = e->acknowledged.count * sizeof *numbers;
        break;
    default:
        fill_attempt(e, size);
        break;
    }
}

struct event sample_event(enum event_type type, enum sample_size size) {
    struct event event = {.seq = UINT64_C(0x0102030405060708),
                          .at = {INT64_C(1760000000123456)},
                          .generation = 12,
                          .number = UINT64_C(0x1112131415161718),
                          .previous = UINT64_C(0x2122232425262728),
                          .type = type};
    lists_fill();
    if (type < EVENT_SUBMITTED || type == EVENT_DRAIN)
        fill_thing(&event, size);
    else
        fill_inquiry(&event, size);
    return event;
}

#define SAME(member) assert_int_equal(a->member, b->member)
#define SAME_SLICE(member)                                                                                   \
    do {                                                                                                     \
        SAME(member.size);                                                                                   \
        if (a->member.size > 0)                                                                              \
            assert_memory_equal(a->member.data, b->member.data, a->member.size);                             \
    } while (0)

static void assert_account_set_equal(const struct event_account_set *a, const struct event_account_set *b) {
    SAME(account), SAME(role), SAME(department), SAME(level), SAME(rights_count);
    SAME_SLICE(name);
    assert_memory_equal(a->districts, b->districts, sizeof a->districts);
    for (size_t i = 0; i < a->rights_count; i++) {
        SAME(rights[i].type);
        SAME(rights[i].purposes);
    }
}

static void assert_submitted_equal(const struct event_submitted *a, const struct event_submitted *b) {
    assert_memory_equal(&a->id, &b->id, sizeof a->id);
    SAME(account), SAME(type), SAME(version), SAME(district), SAME(purpose), SAME(due.us);
    SAME_SLICE(case_id);
    SAME_SLICE(trace);
    SAME_SLICE(body);
}

static void assert_answered_equal(const struct event_answered *a, const struct event_answered *b) {
    SAME(epoch), SAME(account), SAME(outcome), SAME(leased_at.us);
    SAME_SLICE(reason);
    SAME_SLICE(legal_ref);
    SAME_SLICE(valid_until);
    SAME_SLICE(signer);
    SAME_SLICE(body);
}

static void assert_attempt_failed_equal(const struct event_attempt_failed *a,
                                        const struct event_attempt_failed *b) {
    SAME(epoch), SAME(account), SAME(code), SAME(leased_at.us), SAME(not_before.us), SAME(delayed);
    SAME_SLICE(reason);
}

static void assert_parked_equal(const struct event_parked *a, const struct event_parked *b) {
    SAME(epoch), SAME(account), SAME(code), SAME(leased_at.us);
    SAME_SLICE(reason);
}

static void assert_acknowledged_equal(const struct event_acknowledged *a,
                                      const struct event_acknowledged *b) {
    SAME(account), SAME(count);
    for (size_t i = 0; i < a->count; i++)
        SAME(numbers[i]);
    SAME_SLICE(ends);
}

static void assert_type_set_equal(const struct event_type_set *a, const struct event_type_set *b) {
    SAME(type), SAME(version), SAME(department);
    SAME_SLICE(name);
    SAME_SLICE(definition);
}

static void assert_small_equal(const struct event *a, const struct event *b) {
    switch (a->type) {
    case EVENT_STARTED:
        SAME(started.generation);
        break;
    case EVENT_DEPARTMENT_SET:
        SAME(department_set.department);
        SAME_SLICE(department_set.name);
        break;
    case EVENT_PURPOSE_SET:
        SAME(purpose_set.purpose);
        SAME_SLICE(purpose_set.name);
        break;
    case EVENT_RETIRED:
        SAME(retired.thing), SAME(retired.number);
        break;
    case EVENT_REQUEUED:
        SAME(requeued.account);
        SAME_SLICE(requeued.reason);
        break;
    case EVENT_CANCELLED:
        SAME(cancelled.account);
        SAME_SLICE(cancelled.reason);
        break;
    case EVENT_DRAIN:
        SAME(drain.account), SAME(drain.on);
        SAME_SLICE(drain.reason);
        break;
    case EVENT_PAUSED:
        SAME(paused.account), SAME(paused.department), SAME(paused.on);
        SAME_SLICE(paused.reason);
        break;
    case EVENT_REDIRECTED:
        SAME(redirected.epoch), SAME(redirected.account), SAME(redirected.from), SAME(redirected.district);
        SAME(redirected.holder), SAME(redirected.leased_at.us);
        SAME_SLICE(redirected.reason);
        break;
    case EVENT_EXPIRED:
        break;
    default:
        fail_msg("no comparison for event type %d", (int)a->type);
    }
}

void assert_event_equal(const struct event *a, const struct event *b) {
    SAME(type), SAME(seq), SAME(at.us), SAME(generation), SAME(number), SAME(previous);
    switch (a->type) {
    case EVENT_TYPE_SET:
        assert_type_set_equal(&a->type_set, &b->type_set);
        break;
    case EVENT_ACCOUNT_SET:
        assert_account_set_equal(&a->account_set, &b->account_set);
        break;
    case EVENT_SUBMITTED:
        assert_submitted_equal(&a->submitted, &b->submitted);
        break;
    case EVENT_ATTEMPT_FAILED:
        assert_attempt_failed_equal(&a->attempt_failed, &b->attempt_failed);
        break;
    case EVENT_PARKED:
        assert_parked_equal(&a->parked, &b->parked);
        break;
    case EVENT_ANSWERED:
        assert_answered_equal(&a->answered, &b->answered);
        break;
    case EVENT_ACKNOWLEDGED:
        assert_acknowledged_equal(&a->acknowledged, &b->acknowledged);
        break;
    default:
        assert_small_equal(a, b);
        break;
    }
}

void assert_row_equal(const struct inquiry_row *a, const struct inquiry_row *b) {
    assert_memory_equal(&a->id, &b->id, sizeof a->id);
    SAME(number), SAME(account), SAME(type), SAME(version), SAME(district), SAME(purpose), SAME(state);
    SAME(attempts), SAME(outcome), SAME(code), SAME(actor), SAME(received.us), SAME(due.us),
        SAME(not_before.us);
    SAME(ended.us), SAME(acked.us), SAME(epoch), SAME(last_seq);
}

int scratch_make(void **state) {
    struct scratch *scratch = calloc(1, sizeof *scratch);
    const char *tmp = getenv("TMPDIR");
    if (!scratch)
        return -1;
    snprintf(scratch->folder, sizeof scratch->folder, "%s/store_test.XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(scratch->folder)) {
        free(scratch);
        return -1;
    }
    snprintf(scratch->store, sizeof scratch->store, "%s/store", scratch->folder);
    *state = scratch;
    return 0;
}

static int remove_one(const char *path, const struct stat *info, int flag, struct FTW *ftw) {
    (void)info;
    (void)flag;
    (void)ftw;
    return remove(path);
}

int scratch_remove(void **state) {
    struct scratch *scratch = *state;
    int rc = nftw(scratch->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    free(scratch);
    return rc;
}

struct writer writer_open(const struct scratch *scratch, uint64_t size_max) {
    struct store_options options = {.directory = scratch->store, .size_max = size_max};
    struct writer writer = {0};
    struct store_head head;
    expect_ok(NULL, store_open(&options, &writer.store));
    store_head(writer.store, &head);
    writer.seq = head.seq;
    writer.time_us = head.at.us > 0 ? head.at.us : INT64_C(1760000000000000);
    return writer;
}

void writer_close(struct writer *writer) {
    store_close(&writer->store);
}

struct event writer_event(struct writer *writer, enum event_type type, uint64_t number, uint64_t previous) {
    struct event event = sample_event(type, SAMPLE_USUAL);
    event.seq = ++writer->seq;
    event.at.us = writer->time_us += 10;
    event.generation = 1;
    event.number = number;
    event.previous = previous;
    return event;
}

void writer_append(struct writer *writer, const struct event *event) {
    expect_ok(writer->store, store_append(writer->store, event));
}

est_id nth_id(uint64_t nth) {
    est_id id = {{0}};
    for (size_t i = 0; i < 8; i++)
        id.bytes[7 - i] = (uint8_t)(nth >> (8 * i));
    id.bytes[15] = 0x5a;
    return id;
}

uint64_t writer_submit(struct writer *writer, uint32_t account, uint64_t nth, est_slice body) {
    struct event event = writer_event(writer, EVENT_SUBMITTED, writer->seq + 1, 0);
    event.submitted.account = account;
    event.submitted.id = nth_id(nth);
    event.submitted.body = body;
    writer_append(writer, &event);
    return event.number;
}

void writer_answer(struct writer *writer, uint64_t number) {
    struct event event = writer_event(writer, EVENT_ANSWERED, number, number);
    writer_append(writer, &event);
}

void writer_acknowledge(struct writer *writer, const uint64_t *numbers_of, size_t count) {
    struct event event = writer_event(writer, EVENT_ACKNOWLEDGED, 0, 0);
    event.acknowledged.numbers = numbers_of;
    event.acknowledged.count = count;
    writer_append(writer, &event);
}

void writer_some_fate(struct writer *w, uint64_t nth, est_slice body) {
    static const enum event_type fates[] = {EVENT_NONE,     EVENT_ATTEMPT_FAILED, EVENT_PARKED,  EVENT_EXPIRED,
                                            EVENT_ANSWERED, EVENT_CANCELLED,      EVENT_ANSWERED};
    enum { FATES = sizeof fates / sizeof fates[0] };
    uint64_t number = writer_submit(w, 1 + (uint32_t)(nth % 3), nth * 7919 % 101, body);
    if (fates[nth % FATES] == EVENT_NONE)
        return;
    struct event event = writer_event(w, fates[nth % FATES], number, number);
    writer_append(w, &event);
    if (nth % FATES == FATES - 1)
        writer_acknowledge(w, &number, 1);
}
