/* search_test.c - the index against a city that remembers by itself what it wrote.
 */
#include "feed.h"
#include "find.h"
#include "filter.h"
#include "indexer.h"
#include "message.h"
#include "settlement.h"
#include "tracking.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* --- An index beside the store ------------------------------------------------------------------- */

struct bench {
    struct settlement city;
    struct store_reader *reader;
    struct indexer indexer;
    char folder[300];
    char dropped[INDEXER_WHY_SIZE];
};

static void index_open(struct bench *b) {
    assert_int_equal(store_reader_open(b->city.writer.store, &b->reader), 0);
    if (indexer_open(b->reader, b->folder, &b->indexer, b->dropped) != 0)
        fail_msg("the index does not open: %s", b->indexer.why);
}

static void index_close(struct bench *b) {
    indexer_close(&b->indexer);
    store_reader_close(&b->reader);
}

static void index_follow(struct bench *b) {
    int rc;
    expect_ok(b->city.writer.store, store_drain(b->city.writer.store));
    while ((rc = indexer_step(&b->indexer)) == 1)
        continue;
    if (rc < 0)
        fail_msg("a step gave %d: %s", rc, b->indexer.why);
    assert_int_equal(indexer_behind(&b->indexer), 0);
}

static struct bench *bench_open(void **state) {
    static struct bench bench;
    const struct scratch *scratch = *state;
    settlement_open(&bench.city, scratch);
    snprintf(bench.folder, sizeof bench.folder, "%s/index", scratch->folder);
    index_open(&bench);
    return &bench;
}

static void bench_close(struct bench *b) {
    index_close(b);
    settlement_close(&b->city);
}

/* --- What a question should find ----------------------------------------------------------------- */

static const struct find_question everything = {.limit = 7};
static int64_t asked_at_us;
static const bool *hidden; /* types that whoever asks must not see, of every number; NULL: none */

static unsigned state_now(const struct life *l) {
    return l->state == EST_STATE_DELAYED && l->not_before_us <= asked_at_us ? EST_STATE_WAITING : l->state;
}

static bool is_shown(const struct life *l) {
    return !hidden || !hidden[l->type];
}

/* Page by page until the end: strictly downwards, each row as the city remembers it. */
static void expect_found(struct bench *b, const char *filter, bool (*fits)(const struct life *, const void *),
                         const void *arg) {
    struct find_answer answer;
    buffer_init(&answer.rows);
    struct find_question q = everything;
    q.filter = slice_of(filter);
    q.now.us = asked_at_us;
    q.count = true;
    q.hidden = hidden;
    q.hidden_count = SETTLEMENT_TYPES + 1;
    size_t at = b->city.count, found = 0, wanted = 0;
    for (size_t i = 0; i < b->city.count; i++)
        wanted += is_shown(&b->city.lives[i]) && fits(&b->city.lives[i], arg);
    do {
        int rc = find(&b->indexer, &q, &answer);
        if (rc)
            fail_msg("`%s` gave %d: %s", filter, rc, answer.why);
        assert_true(answer.counted_all);
        assert_int_equal(answer.count, wanted);
        struct cursor c;
        cursor_init(&c, buffer_slice(&answer.rows));
        for (size_t i = 0; i < answer.rows_count; i++, found++) {
            struct find_row row;
            assert_true(find_row_next(&c, &row));
            while (at > 0 && !(is_shown(&b->city.lives[at - 1]) && fits(&b->city.lives[at - 1], arg)))
                at--;
            if (at == 0)
                fail_msg("`%s` found inquiry %llu too", filter, (unsigned long long)row.number);
            const struct life *l = &b->city.lives[--at];
            if (row.number != l->number)
                fail_msg("`%s` found %llu where %llu should be", filter, (unsigned long long)row.number,
                         (unsigned long long)l->number);
            assert_true(slice_equal(row.type, slice_of(settlement_types[l->type - 1])));
            assert_true(slice_equal(row.department, slice_of(settlement_departments[l->type - 1])));
            assert_true(slice_equal(row.requester, slice_of(settlement_accounts[l->account - 1])));
            assert_true(slice_equal(row.purpose, slice_of("permit")));
            assert_true(slice_equal(row.case_id, slice_of(l->case_id)) &&
                        slice_equal(row.parcel, slice_of(l->parcel)));
            assert_int_equal(row.state, state_now(l));
            assert_int_equal(row.outcome, l->outcome);
            assert_int_equal(row.code, l->code);
            assert_int_equal(row.attempts, l->attempts);
            assert_int_equal(row.district, l->district);
            assert_int_equal(row.received_us, l->received_us);
            assert_int_equal(row.due_us, l->due_us);
            assert_int_equal(row.ended_us, l->ended_us);
        }
        q.after = answer.next;
    } while (answer.next != 0);
    if (found != wanted)
        fail_msg("`%s` found %zu of %zu", filter, found, wanted);
    buffer_done(&answer.rows);
}

static bool all(const struct life *l, const void *arg) {
    (void)l, (void)arg;
    return true;
}
static bool by_parcel(const struct life *l, const void *arg) {
    return strcmp(l->parcel, arg) == 0;
}
static bool by_nid(const struct life *l, const void *arg) {
    return strcmp(l->nid, arg) == 0;
}
static bool by_case(const struct life *l, const void *arg) {
    return strcmp(l->case_id, arg) == 0;
}
static bool by_type(const struct life *l, const void *arg) {
    return l->type == *(const unsigned *)arg;
}
static bool not_type(const struct life *l, const void *arg) {
    return l->type != *(const unsigned *)arg;
}
static bool by_account(const struct life *l, const void *arg) {
    return l->account == *(const unsigned *)arg;
}
static bool by_state(const struct life *l, const void *arg) {
    return state_now(l) == *(const unsigned *)arg;
}
static bool by_district(const struct life *l, const void *arg) {
    return l->district == *(const unsigned *)arg;
}
static bool by_outcome(const struct life *l, const void *arg) {
    return l->outcome == *(const unsigned *)arg;
}
static bool by_code(const struct life *l, const void *arg) {
    return l->code == *(const unsigned *)arg;
}
static bool by_number(const struct life *l, const void *arg) {
    return l->number == *(const uint64_t *)arg;
}
static bool received_before(const struct life *l, const void *arg) {
    return l->received_us < *(const int64_t *)arg;
}
static bool ended_before(const struct life *l, const void *arg) {
    return l->ended_us != 0 && l->ended_us < *(const int64_t *)arg;
}
static bool parked_of_two(const struct life *l, const void *arg) {
    (void)arg;
    return l->type != 2 && (state_now(l) == EST_STATE_PARKED || state_now(l) == EST_STATE_WAITING);
}
static bool none(const struct life *l, const void *arg) {
    (void)l, (void)arg;
    return false;
}

static void instant_text(int64_t us, char ret[40]) {
    time_t seconds = (time_t)(us / 1000000);
    strftime(ret, 40, "%Y-%m-%dT%H:%M:%SZ", gmtime(&seconds));
}

static void names_find(struct bench *b) {
    char filter[200];
    expect_found(b, "", all, NULL);
    for (unsigned type = 1; type <= SETTLEMENT_TYPES; type++) {
        snprintf(filter, sizeof filter, "type:%s", settlement_types[type - 1]);
        expect_found(b, filter, by_type, &type);
        snprintf(filter, sizeof filter, "-type:%s", settlement_types[type - 1]);
        expect_found(b, filter, not_type, &type);
        snprintf(filter, sizeof filter, "department:%s", settlement_departments[type - 1]);
        expect_found(b, filter, by_type, &type);
        snprintf(filter, sizeof filter, "type:%.4s*", settlement_types[type - 1]);
        expect_found(b, filter, by_type, &type);
    }
    for (unsigned account = 1; account <= 2; account++) {
        snprintf(filter, sizeof filter, "requester:%s purpose:permit", settlement_accounts[account - 1]);
        expect_found(b, filter, by_account, &account);
    }
    for (unsigned state = 1; state <= EST_STATE_CANCELLED; state++) {
        snprintf(filter, sizeof filter, "state:%s", est_state_name((enum est_state)state));
        expect_found(b, filter, state == EST_STATE_LEASED ? none : by_state, &state);
    }
    expect_found(b, "state:parked,waiting -type:sabtahval.*", parked_of_two, NULL);
}

static void values_find(struct bench *b) {
    char filter[200];
    expect_found(b, "parcel:1-12-345-6-7-0-0", by_parcel, "1-12-345-6-7-0-0");
    expect_found(b, "۱-۱-۱-۱-۰-۰-۰", by_parcel, "1-1-1-1-0-0-0");
    expect_found(b, "nid:0499370899", by_nid, "0499370899");
    expect_found(b, "case:1404-18", by_case, "1404-18");
    expect_found(b, "case:کی-17", by_case, "\u0643\u06CC-\u06F1\u06F7");
    expect_found(b, "case:ک\u200C\u064A\u0654-۱۷", by_case, "\u0643\u06CC-\u06F1\u06F7");
    expect_found(b, "parcel:9-9-9-9-0-0-0", none, NULL);
    for (unsigned outcome = 1; outcome <= 4; outcome++) {
        snprintf(filter, sizeof filter, "outcome:%s", est_outcome_name((enum est_outcome)outcome));
        expect_found(b, filter, by_outcome, &outcome);
    }
    unsigned district = 22, code = EST_LEASE_EXPIRED;
    expect_found(b, "district:22", by_district, &district);
    expect_found(b, "code:LEASE_EXPIRED", by_code, &code);
}

static void single_ones_find(struct bench *b) {
    char filter[200], code[EST_TRACKING_MAX + 1];
    for (size_t i = 0; i < b->city.count; i += b->city.count / 5 + 1) {
        const struct life *l = &b->city.lives[i];
        snprintf(filter, sizeof filter, "number:%llu", (unsigned long long)l->number);
        expect_found(b, filter, by_number, &l->number);
        tracking_write(store_secret(b->city.writer.store), l->number, code);
        expect_found(b, code, by_number, &l->number);
        char id[40] = "";
        for (size_t at = 0; at < 16; at++)
            sprintf(id + strlen(id), "%s%02x", at == 4 || at == 6 || at == 8 || at == 10 ? "-" : "",
                    l->id.bytes[at]);
        expect_found(b, id, by_number, &l->number);
    }
    code[7] = code[7] == '0' ? '1' : '0'; /* a slip of the pen */
    expect_found(b, code, none, NULL);
}

static void times_find(struct bench *b) {
    char filter[200], at[40];
    for (size_t i = 1; i < 4; i++) {
        int64_t us = b->city.lives[b->city.count * i / 4].received_us / 1000000 * 1000000;
        instant_text(us, at);
        snprintf(filter, sizeof filter, "received:<%s", at);
        expect_found(b, filter, received_before, &us);
        snprintf(filter, sizeof filter, "-received:>=%s", at);
        expect_found(b, filter, received_before, &us);
        snprintf(filter, sizeof filter, "ended:<%s", at);
        expect_found(b, filter, ended_before, &us);
    }
    expect_found(b, "received:2001-01-01..2002-01-01", none, NULL);
}

static void find_everything(struct bench *b) {
    asked_at_us = b->city.writer.time_us;
    names_find(b);
    values_find(b);
    single_ones_find(b);
    times_find(b);
}

static void every_key_finds_what_was_asked_with_it(void **state) {
    struct bench *b = bench_open(state);
    for (int i = 0; i < 12; i++) {
        settlement_batch(&b->city, 60, 150);
        index_follow(b);
    }
    find_everything(b);
    bench_close(b);
}

static void types_that_are_hidden_are_neither_found_nor_counted(void **state) {
    static const bool none_of[SETTLEMENT_TYPES + 1], second[SETTLEMENT_TYPES + 1] = {[2] = true},
                                                     all_of[SETTLEMENT_TYPES + 1] = {true, true, true, true};
    const bool *const each[] = {none_of, second, all_of};
    struct bench *b = bench_open(state);
    for (int i = 0; i < 6; i++) {
        settlement_batch(&b->city, 60, 150);
        index_follow(b);
    }
    for (size_t i = 0; i < sizeof each / sizeof each[0]; i++) {
        hidden = each[i];
        find_everything(b);
    }
    hidden = NULL;
    bench_close(b);
}

/* It came after the question: nobody has said of it that it may be seen. */
static void type_that_the_question_does_not_know_is_hidden(void **state) {
    static const bool known[3];
    struct bench *b = bench_open(state);
    struct find_answer answer;
    buffer_init(&answer.rows);
    settlement_batch(&b->city, 60, 0);
    index_follow(b);
    size_t wanted = 0;
    for (size_t i = 0; i < b->city.count; i++)
        wanted += b->city.lives[i].type < 3;
    struct find_question q = {.hidden = known, .hidden_count = 3, .count = true};
    assert_int_equal(find(&b->indexer, &q, &answer), 0);
    assert_int_equal(answer.count, wanted);
    assert_int_equal(answer.rows_count, wanted);
    buffer_done(&answer.rows);
    bench_close(b);
}

/* --- The same, however it came about ------------------------------------------------------------- */

static void counters_of(struct bench *b, struct buffer *ret) {
    buffer_init(ret);
    assert_int_equal(indexer_names(&b->indexer), 0);
    assert_true(counts_pack(b->indexer.counts, b->indexer.names, ret) > 0);
}

static void expect_counters_equal(struct bench *b, const struct buffer *wanted) {
    struct buffer counters;
    counters_of(b, &counters);
    assert_int_equal(counters.size, wanted->size);
    assert_memory_equal(counters.data, wanted->data, wanted->size);
    buffer_done(&counters);
}

/* Now and then the process dies: what is not committed is folded again. */
static void index_that_was_cut_short_anywhere_goes_on_the_same(void **state) {
    struct bench *b = bench_open(state);
    struct buffer counters;
    for (int i = 0; i < 12; i++) {
        settlement_batch(&b->city, 60, 150);
        index_follow(b);
        if (i % 3 != 0)
            assert_int_equal(indexer_commit(&b->indexer), 0);
        if (i % 2 != 0)
            continue;
        index_close(b);
        index_open(b);
        assert_string_equal(b->dropped, "");
        index_follow(b);
    }
    counters_of(b, &counters);
    find_everything(b);
    index_close(b);
    assert_int_equal(base_remove(b->folder), 0);
    index_open(b);
    assert_int_equal(b->indexer.place.seq, 0);
    index_follow(b);
    expect_counters_equal(b, &counters);
    find_everything(b);
    buffer_done(&counters);
    bench_close(b);
}

/* --- Counters ------------------------------------------------------------------------------------ */

static uint64_t counter(struct bench *b, const char *name, const char *department, const char *label) {
    struct buffer rows;
    struct cursor c;
    struct counter_row row;
    uint64_t value = 0;
    counters_of(b, &rows);
    cursor_init(&c, buffer_slice(&rows));
    while (cursor_left(&c) > 0 && counter_row_next(&c, &row))
        if (slice_equal(row.name, slice_of(name)) && slice_equal(row.department, slice_of(department)) &&
            slice_equal(row.label, slice_of(label)))
            value = row.value;
    buffer_done(&rows);
    return value;
}

struct recount {
    struct settlement *city;
    uint64_t accepted[4], positive[4], expired[4], failed[4], parked[4], requeued[4], acknowledged[4],
        answers, sum_us;
    uint64_t within_a_minute;
};

static const struct life *life_of(const struct settlement *s, uint64_t number) {
    for (size_t i = 0; i < s->count; i++)
        if (s->lives[i].number == number)
            return &s->lives[i];
    fail_msg("the log speaks of inquiry %llu", (unsigned long long)number);
    return NULL;
}

static int event_count(void *arg, const struct event *e) {
    struct recount *r = arg;
    unsigned type = e->number ? life_of(r->city, e->number)->type : 0;
    r->accepted[type] += e->type == EVENT_SUBMITTED;
    r->expired[type] += e->type == EVENT_EXPIRED;
    r->requeued[type] += e->type == EVENT_REQUEUED;
    r->parked[type] += e->type == EVENT_PARKED && e->parked.code == EST_LEASE_EXPIRED;
    r->failed[type] +=
        (e->type == EVENT_PARKED && e->parked.code == EST_LEASE_EXPIRED) || e->type == EVENT_ATTEMPT_FAILED;
    if (e->type == EVENT_ACKNOWLEDGED)
        for (size_t i = 0; i < e->acknowledged.count; i++)
            r->acknowledged[life_of(r->city, e->acknowledged.numbers[i])->type]++;
    if (e->type == EVENT_ANSWERED) {
        int64_t took = e->at.us - life_of(r->city, e->number)->received_us;
        r->positive[type] += e->answered.outcome == EST_OUTCOME_POSITIVE;
        r->answers++;
        r->sum_us += (uint64_t)took;
        r->within_a_minute += took <= 60000000;
    }
    return 0;
}

static void counters_are_a_recount_of_the_log(void **state) {
    struct bench *b = bench_open(state);
    for (int i = 0; i < 5; i++) {
        settlement_batch(&b->city, 100, 400);
        index_follow(b);
    }
    struct recount r = {.city = &b->city};
    expect_ok(b->city.writer.store, store_each_event(b->city.writer.store, 0, event_count, &r));
    for (unsigned type = 1; type <= SETTLEMENT_TYPES; type++) {
        const char *department = settlement_departments[type - 1];
        assert_int_equal(counter(b, "accepted", department, ""), r.accepted[type]);
        assert_int_equal(counter(b, "finished", department, "positive"), r.positive[type]);
        assert_int_equal(counter(b, "finished", department, "expired"), r.expired[type]);
        assert_int_equal(counter(b, "attempts_failed", department, "LEASE_EXPIRED"), r.failed[type]);
        assert_int_equal(counter(b, "parked", department, "LEASE_EXPIRED"), r.parked[type]);
        assert_int_equal(counter(b, "requeued", department, ""), r.requeued[type]);
        assert_int_equal(counter(b, "acknowledged", department, ""), r.acknowledged[type]);
        assert_true(r.accepted[type] > 0 && r.positive[type] > 0 && r.failed[type] > 0 &&
                    r.acknowledged[type] > 0);
    }
    assert_int_equal(counter(b, "answer_seconds", "", "+Inf"), r.answers);
    assert_int_equal(counter(b, "answer_seconds", "", "60"), r.within_a_minute);
    assert_int_equal(counter(b, "answer_seconds_sum", "", ""), r.sum_us);
    assert_int_equal(counter(b, "queue_wait_seconds", "", "+Inf"), r.answers);
    bench_close(b);
}

/* --- What is not in the record ------------------------------------------------------------------- */

static size_t rows_found(struct bench *b, const struct find_question *q, struct find_answer *answer) {
    int rc = find(&b->indexer, q, answer);
    if (rc)
        fail_msg("%d: %s", rc, answer->why);
    return answer->rows_count;
}

static void leased_and_delayed_are_as_of_the_moment_of_the_question(void **state) {
    struct bench *b = bench_open(state);
    struct find_answer answer;
    buffer_init(&answer.rows);
    expect_ok(b->city.writer.store, store_begin(b->city.writer.store));
    for (int i = 0; i < 5; i++)
        settlement_ask(&b->city, 1, 1, "1-1-1-1-0-0-0", NULL, NULL);
    settlement_delay(&b->city, 0, b->city.writer.time_us + 1000000000);
    settlement_answer(&b->city, 4, 1);
    expect_ok(b->city.writer.store, store_commit(b->city.writer.store));
    index_follow(b);
    int64_t soon = b->city.writer.time_us, later = soon + 2000000000;
    const uint64_t leased[] = {b->city.lives[1].number, b->city.lives[4].number};
    const struct {
        const char *filter;
        int64_t now;
        size_t rows;
    } asks[] = {
        {"state:delayed", soon, 1},        {"state:waiting", soon, 2},  {"state:leased", soon, 1},
        {"state:delayed", later, 0},       {"state:waiting", later, 3}, {"state:answered", later, 1},
        {"state:leased,waiting", soon, 3}, {"-state:leased", soon, 4},
    };
    for (size_t i = 0; i < sizeof asks / sizeof asks[0]; i++) {
        struct find_question q = {
            .filter = slice_of(asks[i].filter), .now = {asks[i].now}, .leased = leased, .leased_count = 2};
        assert_int_equal(rows_found(b, &q, &answer), asks[i].rows);
    }
    buffer_done(&answer.rows);
    bench_close(b);
}

static void question_that_means_nothing_is_refused_with_its_place(void **state) {
    struct bench *b = bench_open(state);
    struct find_answer answer;
    buffer_init(&answer.rows);
    index_follow(b);
    static const char *const filters[][2] = {
        {"department:nosazzi", "character 12: there is no department `nosazzi`; did you mean `nosazi`?"},
        {"type:nosazi.bedeh", "did you mean `nosazi.bedehi`?"},
        {"type:xx.*", "character 6: there is no type `xx.*`"},
        {"state:parked requester:portl", "character 24: there is no requester `portl`"},
        {"stat:x", "there is no field `stat`"},
    };
    for (size_t i = 0; i < sizeof filters / sizeof filters[0]; i++) {
        struct find_question q = {.filter = slice_of(filters[i][0])};
        assert_int_equal(find(&b->indexer, &q, &answer), -EST_INVALID_FIELD);
        if (!strstr(answer.why, filters[i][1]))
            fail_msg("`%s`: %s", filters[i][0], answer.why);
    }
    buffer_done(&answer.rows);
    bench_close(b);
}

static void answer_looks_at_a_bounded_number_of_entries_and_says_where_to_go_on(void **state) {
    struct bench *b = bench_open(state);
    struct find_answer answer;
    buffer_init(&answer.rows);
    enum { COUNT = 2 * FIND_LOOKED_MAX + 100 };
    for (int i = 0; i < COUNT; i += 500) {
        expect_ok(b->city.writer.store, store_begin(b->city.writer.store));
        for (int k = 0; k < 500; k++)
            settlement_ask(&b->city, 1, 1, i == 0 && k == 0 ? "7-1-1-1-0-0-0" : "1-1-1-1-0-0-0", NULL, NULL);
        expect_ok(b->city.writer.store, store_commit(b->city.writer.store));
    }
    index_follow(b);
    struct find_question q = {.filter = slice_of("district:7"), .count = true};
    size_t pages = 0, rows = 0;
    do {
        rows += rows_found(b, &q, &answer);
        q.after = answer.next;
        pages++;
    } while (answer.next != 0);
    assert_int_equal(rows, 1);
    assert_int_equal(pages, 3);
    assert_int_equal(answer.count, 1);
    q = (struct find_question){.filter = slice_of("parcel:7-1-1-1-0-0-0")};
    assert_int_equal(rows_found(b, &q, &answer), 1);
    assert_int_equal(answer.next, 0);
    q = (struct find_question){.filter = slice_of(""), .limit = 100000};
    assert_int_equal(rows_found(b, &q, &answer), FIND_ROWS_MAX);
    assert_true(answer.next != 0);
    buffer_done(&answer.rows);
    bench_close(b);
}

static void more_asked(struct bench *b, unsigned more) {
    expect_ok(b->city.writer.store, store_begin(b->city.writer.store));
    while (more-- > 0)
        settlement_ask(&b->city, 1, 1, "1-1-1-1-0-0-0", NULL, NULL);
    expect_ok(b->city.writer.store, store_commit(b->city.writer.store));
    index_follow(b);
}

static void expect_counted(struct bench *b, uint64_t most, uint64_t count, bool all_of_them) {
    struct find_answer answer;
    buffer_init(&answer.rows);
    struct find_question q = {.filter = slice_of("parcel:1-1-1-1-0-0-0"), .limit = 1, .count = true, .counted_max = most};
    assert_int_equal(rows_found(b, &q, &answer), 1);
    assert_int_equal(answer.count, count);
    assert_int_equal(answer.counted_all, all_of_them);
    buffer_done(&answer.rows);
}

static void count_that_was_cut_short_says_so(void **state) {
    struct bench *b = bench_open(state);
    more_asked(b, 9);
    expect_counted(b, 10, 9, true);
    more_asked(b, 11);
    expect_counted(b, 10, 10, false); /* at least so many */
    expect_counted(b, 0, 20, true);
    bench_close(b);
}

static void pages_do_not_shift_while_new_inquiries_come_in(void **state) {
    struct bench *b = bench_open(state);
    struct find_answer answer;
    buffer_init(&answer.rows);
    settlement_batch(&b->city, 100, 0);
    index_follow(b);
    size_t before = b->city.count, found = 0;
    struct find_question q = {.filter = slice_of(""), .limit = 9};
    do {
        found += rows_found(b, &q, &answer);
        q.after = answer.next;
        settlement_batch(&b->city, 3, 2);
        index_follow(b);
    } while (q.after != 0);
    assert_int_equal(found, before);
    buffer_done(&answer.rows);
    bench_close(b);
}

/* --- Dropped ------------------------------------------------------------------------------------- */

static void expect_rebuilt(struct bench *b, const char *because) {
    index_open(b);
    if (!strstr(b->dropped, because))
        fail_msg("it was dropped because \"%s\" and not because \"%s\"", b->dropped, because);
    assert_int_equal(b->indexer.place.seq, 0);
    index_follow(b);
    assert_int_equal(indexer_commit(&b->indexer), 0);
    find_everything(b);
}

/* As after a crash: what it says of itself has to do. */
static void sum_forget(struct bench *b) {
    char path[1024];
    snprintf(path, sizeof path, "%s/index.sum", b->folder);
    assert_int_equal(unlink(path), 0);
}

static void index_of_another_format_store_or_length_is_built_again(void **state) {
    struct bench *b = bench_open(state);
    char path[1024];
    settlement_batch(&b->city, 100, 200);
    index_follow(b);
    assert_int_equal(indexer_commit(&b->indexer), 0);
    struct base_place other = b->indexer.place;
    other.store ^= 1;
    assert_int_equal(base_place_write(b->indexer.base, &other), 0);
    assert_int_equal(base_commit(b->indexer.base), 0);
    index_close(b);
    expect_rebuilt(b, "of another store");
    other = b->indexer.place;
    other.seq += 5;
    assert_int_equal(base_place_write(b->indexer.base, &other), 0);
    assert_int_equal(base_commit(b->indexer.base), 0);
    index_close(b);
    expect_rebuilt(b, "ahead of the log");
    other = b->indexer.place;
    other.at_us -= 1;
    assert_int_equal(base_place_write(b->indexer.base, &other), 0);
    assert_int_equal(base_commit(b->indexer.base), 0);
    index_close(b);
    expect_rebuilt(b, "another log");
    index_close(b);
    snprintf(path, sizeof path, "%s/data.mdb", b->folder);
    sum_forget(b);
    assert_int_equal(truncate(path, 3 * 4096), 0);
    expect_rebuilt(b, "cut short");
    index_close(b);
    sum_forget(b);
    int fd = open(path, O_WRONLY);
    assert_int_equal(pwrite(fd, "this is no index", 16, 0) + pwrite(fd, "this is no index", 16, 4096), 32);
    assert_int_equal(pwrite(fd, "nor is this......", 16, 16) + pwrite(fd, "nor is this......", 16, 4112), 32);
    close(fd);
    expect_rebuilt(b, "index");
    bench_close(b);
}

static void damaged_entry_is_found_out_by_its_checksum(void **state) {
    struct bench *b = bench_open(state);
    struct find_answer answer;
    static char bytes[1 << 16];
    char path[1024];
    buffer_init(&answer.rows);
    settlement_batch(&b->city, 40, 0);
    index_follow(b);
    assert_int_equal(indexer_commit(&b->indexer), 0);
    index_close(b);
    snprintf(path, sizeof path, "%s/data.mdb", b->folder);
    int fd = open(path, O_RDWR);
    ssize_t size = pread(fd, bytes, sizeof bytes, 0);
    for (char *at = bytes; (at = memmem(at, (size_t)(bytes + size - at), "1-1-1-1-0-0-0", 13)); at += 13)
        assert_int_equal(pwrite(fd, "7", 1, at - bytes), 1);
    close(fd);
    sum_forget(b);
    expect_rebuilt(b, "is damaged");
    assert_int_equal(find(&b->indexer, &(struct find_question){.filter = slice_of("")}, &answer), 0);
    buffer_done(&answer.rows);
    bench_close(b);
}

static void national_ids_are_not_in_the_index(void **state) {
    struct bench *b = bench_open(state);
    static char bytes[1 << 22];
    char path[1024];
    settlement_batch(&b->city, 200, 0);
    index_follow(b);
    assert_int_equal(indexer_commit(&b->indexer), 0);
    snprintf(path, sizeof path, "%s/data.mdb", b->folder);
    int fd = open(path, O_RDONLY);
    ssize_t size = read(fd, bytes, sizeof bytes);
    assert_true(size > 50000 && size < (ssize_t)sizeof bytes);
    assert_null(memmem(bytes, (size_t)size, "0499370899", 10));
    assert_non_null(memmem(bytes, (size_t)size, "1-12-345-6-7-0-0", 16));
    close(fd);
    bench_close(b);
}

/* --- The feed ------------------------------------------------------------------------------------ */

struct seen {
    uint64_t seq[4000], number[4000];
    size_t count;
};

static int event_see(void *arg, const struct event *e) {
    struct seen *seen = arg;
    for (size_t i = 0; e->type == EVENT_ACKNOWLEDGED && i < e->acknowledged.count; i++) {
        seen->seq[seen->count] = e->seq;
        seen->number[seen->count++] = e->acknowledged.numbers[i];
    }
    if (e->number != 0) {
        seen->seq[seen->count] = e->seq;
        seen->number[seen->count++] = e->number;
    }
    return 0;
}

static void expect_row(struct bench *b, const struct event_row *row, uint64_t seq, uint64_t number) {
    const struct life *l = life_of(&b->city, number);
    assert_int_equal(row->seq, seq);
    assert_int_equal(row->number, number);
    assert_true(slice_equal(row->type, slice_of(settlement_types[l->type - 1])));
    assert_true(slice_equal(row->department, slice_of(settlement_departments[l->type - 1])));
    assert_true(slice_equal(row->requester, slice_of(settlement_accounts[l->account - 1])));
    assert_true(slice_equal(row->case_id, slice_of(l->case_id)));
    assert_int_equal(row->district, l->district);
    char code[EST_TRACKING_MAX + 1];
    tracking_write(store_secret(b->city.writer.store), number, code);
    assert_true(slice_equal(row->tracking, slice_of(code)));
}

static void feed_tells_every_event_once_and_in_order(void **state) {
    struct bench *b = bench_open(state);
    static struct seen seen;
    struct feed_answer answer;
    seen.count = 0;
    buffer_init(&answer.rows);
    settlement_batch(&b->city, 150, 600);
    expect_ok(b->city.writer.store, store_drain(b->city.writer.store));
    expect_ok(b->city.writer.store, store_each_event(b->city.writer.store, 0, event_see, &seen));
    size_t at = 0, of_one = 0, ours = 0;
    struct feed_question q = {.limit = 33};
    struct event_row row;
    struct cursor c;
    do {
        assert_int_equal(feed(b->reader, b->indexer.names, &q, &answer), 0);
        assert_int_equal(answer.head, b->city.writer.seq);
        cursor_init(&c, buffer_slice(&answer.rows));
        for (size_t i = 0; i < answer.rows_count; i++, at++) {
            assert_true(event_row_next(&c, &row));
            expect_row(b, &row, seen.seq[at], seen.number[at]);
            of_one += slice_equal(row.department, slice_of("nosazi"));
        }
        q.after = answer.next;
    } while (answer.next < answer.head);
    assert_int_equal(at, seen.count);
    assert_int_equal(feed(b->reader, b->indexer.names, &q, &answer), 0);
    assert_int_equal(answer.rows_count, 0);
    assert_int_equal(answer.next, q.after);
    for (uint64_t beyond = UINT64_MAX; beyond > UINT64_MAX - 2; beyond--) {
        q = (struct feed_question){.after = beyond};
        assert_int_equal(feed(b->reader, b->indexer.names, &q, &answer), 0);
        assert_int_equal(answer.rows_count, 0);
        assert_true(answer.next == beyond);
    }
    q = (struct feed_question){.department = slice_of("nosazi")};
    do {
        assert_int_equal(feed(b->reader, b->indexer.names, &q, &answer), 0);
        ours += answer.rows_count;
        q.after = answer.next;
    } while (answer.next < answer.head);
    assert_int_equal(ours, of_one);
    q = (struct feed_question){.department = slice_of("nobody")};
    assert_int_equal(feed(b->reader, b->indexer.names, &q, &answer), -EST_INVALID_FIELD);
    buffer_done(&answer.rows);
    bench_close(b);
}

/* The same feed twice: for whoever sees all, and for whoever does not; *ret_rows those that are shown or marked. */
static void feed_read(struct bench *b, struct feed_question q, size_t ret_rows[2]) {
    struct feed_answer answer;
    struct event_row row;
    struct cursor c;
    buffer_init(&answer.rows);
    ret_rows[0] = ret_rows[1] = 0;
    do {
        assert_int_equal(feed(b->reader, b->indexer.names, &q, &answer), 0);
        cursor_init(&c, buffer_slice(&answer.rows));
        for (size_t i = 0; i < answer.rows_count; i++) {
            assert_true(event_row_next(&c, &row));
            assert_int_equal(row.confidential, slice_equal(row.type, slice_of(settlement_types[1])));
            ret_rows[row.confidential]++;
        }
        assert_true(answer.next > q.after || answer.next == answer.head);
        q.after = answer.next;
    } while (answer.next < answer.head);
    assert_int_equal(answer.next, answer.head);
    buffer_done(&answer.rows);
}

static void feed_marks_what_is_confidential_or_leaves_it_out_and_goes_on(void **state) {
    static const bool second[SETTLEMENT_TYPES + 1] = {[2] = true};
    struct bench *b = bench_open(state);
    size_t whole[2], part[2];
    settlement_batch(&b->city, 150, 600);
    expect_ok(b->city.writer.store, store_drain(b->city.writer.store));
    struct feed_question q = {
        .limit = 33, .confidential = second, .confidential_count = SETTLEMENT_TYPES + 1, .sees_all = true};
    feed_read(b, q, whole);
    assert_true(whole[0] > 0 && whole[1] > 0);
    q.sees_all = false;
    feed_read(b, q, part);
    assert_int_equal(part[0], whole[0]);
    assert_int_equal(part[1], 0);
    bench_close(b);
}

int main(void) {
#define CLAIM(name) cmocka_unit_test_setup_teardown(name, scratch_make, scratch_remove)
    const struct CMUnitTest tests[] = {
        CLAIM(every_key_finds_what_was_asked_with_it),
        CLAIM(types_that_are_hidden_are_neither_found_nor_counted),
        CLAIM(type_that_the_question_does_not_know_is_hidden),
        CLAIM(index_that_was_cut_short_anywhere_goes_on_the_same),
        CLAIM(counters_are_a_recount_of_the_log),
        CLAIM(leased_and_delayed_are_as_of_the_moment_of_the_question),
        CLAIM(question_that_means_nothing_is_refused_with_its_place),
        CLAIM(answer_looks_at_a_bounded_number_of_entries_and_says_where_to_go_on),
        CLAIM(count_that_was_cut_short_says_so),
        CLAIM(pages_do_not_shift_while_new_inquiries_come_in),
        CLAIM(index_of_another_format_store_or_length_is_built_again),
        CLAIM(damaged_entry_is_found_out_by_its_checksum),
        CLAIM(national_ids_are_not_in_the_index),
        CLAIM(feed_tells_every_event_once_and_in_order),
        CLAIM(feed_marks_what_is_confidential_or_leaves_it_out_and_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
