/* search.c - what operators find and follow, with real processes: by each key, over kills of the broker,
 * after the index's folder is gone, while new inquiries come in; and the record's counters against the log.
 */
#include "harness.h"

#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- Asking ---------------------------------------------------------------------------------------- */

/* The answer, or NULL where it was refused; then *ret_code says with what. */
static const est_event *answer_of(struct far *far, uint64_t ref, enum est_event_kind kind, int *ret_code) {
    int64_t until = now_ms() + WAIT_MS;
    for (;;) {
        const est_event *e = far_peek(far, (struct want){.kind = kind, .ref = ref});
        if (e)
            return e;
        e = far_peek(far, (struct want){.kind = EST_EVENT_REFUSED, .ref = ref});
        if (e) {
            *ret_code = e->code;
            return NULL;
        }
        assert_true(now_ms() < until);
        far_poll(far, 100);
    }
}

/* A search is refused with BUSY while the index is being built: it is asked again, as it says. */
static const est_event *find_as_it_is(struct far *far, const char *filter, uint64_t after, unsigned limit) {
    int64_t until = now_ms() + WAIT_MS;
    for (;;) {
        int code = 0;
        assert_int_equal(est_client_find(far->client, ++far->ref, filter, after, limit, true), 0);
        const est_event *e = answer_of(far, far->ref, EST_EVENT_FIND, &code);
        if (e)
            return e;
        assert_int_equal(code, EST_BUSY);
        assert_true(now_ms() < until);
        far_poll(far, 50);
    }
}

/* Once nothing is behind: where disk or processor are slow, the index lags, and says so. */
static const est_event *find(struct far *far, const char *filter, uint64_t after, unsigned limit) {
    int64_t until = now_ms() + WAIT_MS;
    for (;;) {
        const est_event *e = find_as_it_is(far, filter, after, limit);
        if (e->behind == 0)
            return e;
        assert_true(now_ms() < until);
        far_poll(far, 50);
    }
}

static size_t rows_of(const est_event *e) {
    est_find_row row;
    size_t count = 0;
    while (est_row_find(e, count, &row))
        count++;
    return count;
}

/* Exactly this one. */
static void expect_one(struct far *far, const char *filter, uint64_t number) {
    est_find_row row;
    const est_event *e = find(far, filter, 0, 0);
    if (rows_of(e) != 1 || e->count != 1 || !est_row_find(e, 0, &row) || row.number != number)
        fail_msg("`%s` found %zu of %zu", filter, rows_of(e), (size_t)e->count);
    assert_true(e->counted_all);
}

static void expect_count(struct far *far, const char *filter, uint64_t count) {
    const est_event *e = find(far, filter, 0, 1);
    if (e->count != count)
        fail_msg("`%s` counted %zu and not %zu", filter, (size_t)e->count, (size_t)count);
}

/* --- Found ----------------------------------------------------------------------------------------- */

/* An inquiry of each state, of two departments and two requesters. */
struct cast {
    uint64_t answered, waiting, leased, parked, cancelled;
    char tracking[EST_TRACKING_MAX + 1], id[40];
};

static uint64_t submit_in_case(struct far *portal, const char *parcel, const char *case_id,
                               struct cast *cast) {
    est_id id;
    est_body *body = est_body_new();
    est_submit submit = {.type = "plot.debt", .purpose = "permit", .case_id = case_id};
    est_id_new(&id);
    est_body_text(body, "nz", parcel);
    assert_int_equal(est_body_slice(body, &submit.body), 0);
    submit.id = id;
    assert_int_equal(est_client_submit(portal->client, &submit), 0);
    const est_event *e = far_wait(portal, EST_EVENT_ACCEPTED, .id = &id);
    snprintf(cast->tracking, sizeof cast->tracking, "%.*s", (int)e->tracking.size,
             (const char *)e->tracking.data);
    for (size_t i = 0, used = 0; i < 16; i++)
        used += (size_t)sprintf(cast->id + used, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
                                id.bytes[i]);
    est_body_free(&body);
    return e->number;
}

static void cast_play(struct town *town, struct far *portal, struct cast *cast) {
    struct raw *agent = raw_agent(town, "treasury-a", 1);
    cast->answered = submit_in_case(portal, "1-100-1", "1404-17", cast);
    raw_answer(agent, cast->answered, raw_receive(agent, VERB_ASSIGN)->assign.epoch, 42);
    raw_receive(agent, VERB_RECORDED);
    cast->parked = far_submit(portal, "plot.debt", "2-200-1", NULL);
    const struct message *m = raw_receive(agent, VERB_ASSIGN);
    struct message refuse = {.verb = VERB_REFUSE};
    refuse.refuse =
        (struct refuse){.number = m->assign.number, .epoch = m->assign.epoch, .reason = {"no", 2}};
    raw_send(agent, &refuse);
    cast->leased = far_submit(portal, "plot.debt", "3-300-1", NULL);
    raw_receive(agent, VERB_ASSIGN);
    cast->waiting = far_submit(portal, "plot.debt", "4-400-1", NULL);
    struct far *notary = far_open(town, "notary", 0);
    cast->cancelled = far_submit(notary, "plot.use", "5-500-1", NULL);
    assert_int_equal(est_client_cancel(notary->client, 7, NULL, cast->cancelled, "withdrawn"), 0);
    far_wait(notary, EST_EVENT_DONE, .ref = 7);
}

static void cast_find(struct far *duty, const struct cast *cast) {
    char number[32];
    snprintf(number, sizeof number, "%llu", (unsigned long long)cast->answered);
    const struct {
        const char *filter;
        uint64_t number;
    } asks[] = {
        {number, cast->answered},
        {cast->tracking, cast->answered},
        {cast->id, cast->answered},
        {"1404-17", cast->answered},
        {"parcel:۱-۱۰۰-۱", cast->answered},
        {"1-100-1", cast->answered},
        {"outcome:positive", cast->answered},
        {"district:4 type:plot.debt", cast->waiting},
        {"state:parked code:AGENT_REFUSED", cast->parked},
        {"department:works", cast->cancelled},
        {"requester:notary", cast->cancelled},
        {"type:plot.u*", cast->cancelled},
        {"state:cancelled ended:>=2020-01-01", cast->cancelled},
        {"received:>=2020-01-01 3-300-1", cast->leased},
    };
    for (size_t i = 0; i < sizeof asks / sizeof *asks; i++)
        expect_one(duty, asks[i].filter, asks[i].number);
    expect_count(duty, "", 5);
    expect_count(duty, "received:..2020-01-01", 0);
    expect_count(duty, "-state:cancelled requester:portal", 4);
}

static void inquiry_is_found_by_each_of_its_keys_also_after_kills_and_without_its_folder(void **state) {
    (void)state;
    struct cast cast;
    struct town *town = town_new(&(struct town_options){.limits = "attempts_max: 1"});
    town_start(town);
    struct far *portal = far_open(town, "portal", 0), *duty = far_open(town, "duty", 0);
    cast_play(town, portal, &cast);
    cast_find(duty, &cast);
    expect_one(duty, "state:leased", cast.leased);
    expect_one(duty, "state:waiting", cast.waiting);
    for (int i = 0; i < 3; i++) {
        town_kill(town);
        if (i == 1) {
            char path[FOLDER_MAX + 32];
            snprintf(path, sizeof path, "%s/index/data.mdb", town->folder);
            assert_int_equal(unlink(path), 0);
        }
        if (i == 2) {
            char path[FOLDER_MAX + 32];
            snprintf(path, sizeof path, "%s/index/data.mdb", town->folder);
            assert_int_equal(truncate(path, 5000), 0);
        }
        town_start(town);
        far_wait(duty, EST_EVENT_CONNECTED);
        cast_find(duty, &cast);
        if (i == 2)
            assert_true(child_error_has(town->broker, "the index is dropped and built again"));
        expect_count(duty, "state:waiting", 2); /* a lease does not outlive the broker */
    }
    town_end(town);
}

/* --- Refused --------------------------------------------------------------------------------------- */

static void filter_that_cannot_be_read_is_refused_with_its_place(void **state) {
    (void)state;
    struct town *town = town_new(NULL);
    town_start(town);
    struct far *duty = far_open(town, "duty", 0);
    static const char *const asks[][2] = {
        {"state:waitin", "character 7"}, {"department:nobody", "character 12"}, {"case:\"x", "character 6"}};
    find(duty, "", 0, 0);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(est_client_find(duty->client, 900 + i, asks[i][0], 0, 0, false), 0);
        const est_event *e = far_wait(duty, EST_EVENT_REFUSED, .ref = 900 + i);
        assert_int_equal(e->code, EST_INVALID_FIELD);
        if (!text_has(e->text, asks[i][1]))
            fail_msg("`%s`: %.*s", asks[i][0], (int)e->text.size, (const char *)e->text.data);
    }
    town_end(town);
}

static void broker_without_an_index_says_so_and_does_its_work(void **state) {
    (void)state;
    struct town *town = town_new(NULL);
    town_file(town, "index", "this is no folder"); /* where the index would be */
    town_start(town);
    struct far *portal = far_open(town, "portal", 0), *duty = far_open(town, "chief", 0);
    child_error_wait(town->broker, "search is off and the broker goes on without it");
    uint64_t number = far_submit(portal, "plot.debt", "1-1-1", NULL);
    int code = 0;
    assert_int_equal(est_client_find(duty->client, 5, "", 0, 0, false), 0);
    assert_null(answer_of(duty, 5, EST_EVENT_FIND, &code));
    assert_int_equal(code, EST_BUSY);
    assert_int_equal(far_stat(duty, "index_failed"), 1);
    est_event_row row;
    assert_int_equal(est_client_events(duty->client, 6, NULL, number - 1, 0),
                     0); /* the feed needs the log alone */
    const est_event *e = answer_of(duty, 6, EST_EVENT_EVENTS, &code);
    for (int64_t until = now_ms() + WAIT_MS; !est_row_event(e, 0, &row);) {
        assert_true(now_ms() < until);
        assert_int_equal(est_client_events(duty->client, ++duty->ref, NULL, number - 1, 0), 0);
        e = answer_of(duty, duty->ref, EST_EVENT_EVENTS, &code);
    }
    assert_int_equal(row.number, number);
    assert_true(text_is(row.event, "submitted") && text_is(row.department, "treasury"));
    town_end(town);
}

/* --- Under load ------------------------------------------------------------------------------------ */

static void burst(struct far *portal, unsigned count) {
    est_id *ids = test_calloc(count, sizeof *ids);
    for (unsigned i = 0; i < count; i++) {
        est_id_new(&ids[i]);
        far_ask(portal, "plot.debt", "1-1-1", NULL, &ids[i], (est_time){0});
    }
    for (unsigned i = 0; i < count; i++)
        far_wait(portal, EST_EVENT_ACCEPTED, .id = &ids[i]);
    test_free(ids);
    far_forget(portal);
}

static void pages_neither_repeat_nor_leave_out_while_new_inquiries_come_in(void **state) {
    (void)state;
    enum { BEFORE = 700, PAGE = 50 };
    struct town *town = town_new(NULL);
    town_start(town);
    struct far *portal = far_open(town, "portal", 2), *duty = far_open(town, "duty", 0);
    burst(portal, BEFORE);
    expect_count(duty, "requester:portal", BEFORE);
    struct child *agent = agent_start(town, "treasury-a", "answer", 2);
    uint64_t after = 0, last = UINT64_MAX, first = 0;
    size_t found = 0;
    do {
        const est_event *e = find_as_it_is(duty, "requester:portal", after, PAGE);
        est_find_row row;
        for (size_t i = 0; est_row_find(e, i, &row); i++, found++) {
            assert_true(row.number < last);
            last = row.number;
            first = first ? first : row.number;
        }
        after = e->next;
        burst(portal, 20);
    } while (after != 0);
    assert_int_equal(found, BEFORE);
    /* Peace comes, and with it the index: nothing is behind, everything is answered. */
    far_stat_wait(duty, "fact_answered", BEFORE);
    int64_t until = now_ms() + WAIT_MS;
    while (find_as_it_is(duty, "-state:answered", 0, 1)->count != 0)
        assert_true(now_ms() < until);
    while (far_stat(duty, "index_behind") != 0)
        assert_true(now_ms() < until);
    child_signal(agent, SIGTERM);
    assert_int_equal(child_wait(agent), 0);
    town_end(town);
}

/* --- The feed and the counters ---------------------------------------------------------------------- */

struct tally {
    uint64_t submitted, answered, parked, failed, cancelled, acknowledged, paused, last;
};

static void event_count(struct tally *t, const est_event_row *row) {
    assert_true(row->seq >= t->last);
    t->last = row->seq;
    t->submitted += text_is(row->event, "submitted");
    t->answered += text_is(row->event, "answered");
    t->parked += text_is(row->event, "parked");
    t->failed += text_is(row->event, "attempt-failed");
    t->cancelled += text_is(row->event, "cancelled");
    t->acknowledged += text_is(row->event, "acknowledged");
    t->paused += text_is(row->event, "paused") && text_is(row->department, "treasury") &&
                 text_is(row->actor, "chief") && text_is(row->text, "a pause is an event too");
}

/* All events so far. */
static struct tally feed_read(struct far *duty) {
    struct tally tally = {0};
    uint64_t after = 0, head;
    do {
        int code = 0;
        est_event_row row;
        assert_int_equal(est_client_events(duty->client, ++duty->ref, NULL, after, 37), 0);
        const est_event *e = answer_of(duty, duty->ref, EST_EVENT_EVENTS, &code);
        assert_non_null(e);
        for (size_t i = 0; est_row_event(e, i, &row); i++)
            event_count(&tally, &row);
        after = e->next;
        head = e->head;
    } while (after < head);
    return tally;
}

static uint64_t counter(const est_event *e, const char *name, const char *department, const char *label) {
    est_counter_row row;
    for (size_t i = 0; est_row_counter(e, i, &row); i++)
        if (text_is(row.name, name) && text_is(row.department, department) && text_is(row.label, label))
            return row.value;
    return 0;
}

/* Those of the log up to `seq`, and maybe of more: they come out of the index, which may lag. */
static const est_event *counters(struct far *duty, uint64_t seq) {
    int code = 0;
    for (int64_t until = now_ms() + WAIT_MS; now_ms() < until;) {
        assert_int_equal(est_client_counters(duty->client, ++duty->ref), 0);
        const est_event *e = answer_of(duty, duty->ref, EST_EVENT_COUNTERS, &code);
        if (e && e->seq >= seq)
            return e;
    }
    fail_msg("no counters up to %llu: %s", (unsigned long long)seq, est_code_name(code));
    return NULL;
}

static void expect_counters(struct far *duty) {
    struct tally t;
    const est_event *e;
    do { /* an acknowledgement may come in between */
        t = feed_read(duty);
        e = counters(duty, t.last);
    } while (feed_read(duty).last != t.last);
    assert_int_equal(counter(e, "accepted", "treasury", "") + counter(e, "accepted", "works", ""),
                     t.submitted);
    assert_int_equal(counter(e, "finished", "treasury", "positive"), t.answered);
    assert_int_equal(counter(e, "finished", "works", "cancelled"), t.cancelled);
    assert_int_equal(counter(e, "parked", "treasury", "AGENT_REFUSED"), t.parked);
    assert_int_equal(counter(e, "attempts_failed", "treasury", "AGENT_REFUSED"), t.parked);
    assert_int_equal(counter(e, "attempts_failed", "treasury", "AGENT_LOST"), t.failed);
    assert_int_equal(counter(e, "acknowledged", "treasury", "") + counter(e, "acknowledged", "works", ""),
                     t.acknowledged);
    assert_int_equal(counter(e, "answer_seconds", "", "+Inf"), t.answered);
    assert_int_equal(counter(e, "queue_wait_seconds", "", "+Inf"), t.answered);
    assert_int_equal(t.submitted, 205);
    assert_int_equal(t.answered, 203);
    assert_true(t.parked == 1 && t.cancelled == 1 && t.failed >= 1 && t.paused == 1);
}

static void counters_and_feed_tell_of_one_log_over_kills_and_rebuilds(void **state) {
    (void)state;
    struct cast cast;
    int code = 0;
    struct town *town = town_new(&(struct town_options){.limits = "attempts_max: 5, retry_first: 10 ms"});
    town_start(town);
    struct far *portal = far_open(town, "portal", 2), *duty = far_open(town, "chief", 0);
    cast_play(town, portal, &cast);
    town_kill(town); /* the agent is lost with its lease, and the new broker knows of neither */
    town_start(town);
    struct raw *agent = raw_agent(town, "treasury-b", 1);
    raw_receive(agent, VERB_ASSIGN);
    raw_close(&agent);
    far_wait(duty, EST_EVENT_CONNECTED);
    far_stat_wait(duty, "fact_agent_lost", 1);
    assert_int_equal(est_client_pause(duty->client, 40, "treasury", true, "a pause is an event too"), 0);
    far_wait(duty, EST_EVENT_DONE, .ref = 40);
    assert_int_equal(est_client_pause(duty->client, 41, "treasury", false, "go on"), 0);
    far_wait(duty, EST_EVENT_DONE, .ref = 41);
    struct child *answering = agent_start(town, "treasury-a", "answer", 2);
    far_wait(portal, EST_EVENT_CONNECTED);
    burst(portal, 200);
    far_stat_wait(duty, "fact_answered", 202);
    child_signal(answering, SIGTERM);
    assert_int_equal(child_wait(answering), 0);
    int64_t until = now_ms() + WAIT_MS;
    while (find(duty, "-state:answered,parked,cancelled", 0, 1)->count != 0)
        assert_true(now_ms() < until);
    expect_counters(duty);
    assert_int_equal(est_client_reindex(duty->client, 50, "a test"), 0);
    assert_non_null(answer_of(duty, 50, EST_EVENT_DONE, &code));
    expect_counters(duty);
    town_kill(town);
    town_start(town);
    far_wait(duty, EST_EVENT_CONNECTED);
    expect_counters(duty);
    town_end(town);
}

/* --- Where, and whose ---------------------------------------------------------------------------------- */

/* The feed's rows of one inquiry from its first on, once there are `count`: the answer that has them. */
static const est_event *feed_of(struct far *duty, const char *department, uint64_t number, size_t count) {
    int64_t until = now_ms() + WAIT_MS;
    for (;;) {
        int code = 0;
        est_event_row row;
        assert_int_equal(est_client_events(duty->client, ++duty->ref, department, number - 1, 0), 0);
        const est_event *e = answer_of(duty, duty->ref, EST_EVENT_EVENTS, &code);
        if (e && est_row_event(e, count - 1, &row))
            return e;
        assert_true(now_ms() < until);
        far_poll(duty, 50);
    }
}

static void feed_tells_a_redirected_inquirys_new_district_also_of_its_acknowledgement(void **state) {
    (void)state;
    static const unsigned districts[] = {1, 6, 6, 6};
    struct town *town = town_new(NULL);
    town_start(town);
    struct far *portal = far_open(town, "portal", 2), *duty = far_open(town, "duty", 0);
    est_id id;
    uint64_t number = far_submit(portal, "plot.debt", "1-1-1", &id);
    assert_int_equal(est_client_redirect(duty->client, 7, number, 6, "moved"), 0);
    far_wait(duty, EST_EVENT_DONE, .ref = 7);
    struct raw *agent = raw_agent(town, "treasury-a", 1);
    raw_answer(agent, number, raw_receive(agent, VERB_ASSIGN)->assign.epoch, 1);
    far_wait(portal, EST_EVENT_RESULT, .id = &id);
    far_ack(portal, number);
    const est_event *e = feed_of(duty, NULL, number, 4);
    for (size_t i = 0; i < 4; i++) {
        est_event_row row;
        assert_true(est_row_event(e, i, &row));
        assert_int_equal(row.number, number);
        assert_int_equal(row.district, districts[i]);
    }
    town_end(town);
}

static void survey_by(struct town *town, const char *answerer) {
    char *text = town_types("", answerer != NULL ? town_survey(answerer) : "");
    town_file(town, TOWN_TYPES, text);
    free(text);
    if (town->broker != NULL)
        town_reload(town, "reloaded");
}

static void expect_department(est_slice is, const char *expected) {
    if (!slice_equal(is, slice_of(expected)))
        fail_msg("department %.*s and not %s", (int)is.size, (const char *)is.data, expected);
}

static void expect_found(struct far *duty, const char *department, uint64_t number) {
    char filter[64];
    est_find_row row;
    snprintf(filter, sizeof filter, "department:%s number:%llu", department, (unsigned long long)number);
    expect_one(duty, filter, number);
    assert_true(est_row_find(find(duty, filter, 0, 0), 0, &row));
    expect_department(row.department, department);
}

static void expect_parked(struct far *duty, const char *department, uint64_t number) {
    est_parked_row row;
    assert_int_equal(est_client_parked(duty->client, ++duty->ref, department, 0, 0), 0);
    const est_event *e = far_wait(duty, EST_EVENT_PARKED, .ref = duty->ref);
    assert_int_equal(est_row_parked(e, 0, &row), number != 0);
    if (number != 0) {
        assert_int_equal(row.number, number);
        expect_department(row.department, department);
    }
}

static uint64_t counted(struct far *duty, const char *name, const char *department) {
    int code = 0;
    est_counter_row row;
    uint64_t sum = 0;
    find(duty, "", 0, 1); /* nothing is behind */
    assert_int_equal(est_client_counters(duty->client, ++duty->ref), 0);
    const est_event *e = answer_of(duty, duty->ref, EST_EVENT_COUNTERS, &code);
    assert_non_null(e);
    for (size_t i = 0; est_row_counter(e, i, &row); i++)
        if (slice_equal(row.name, slice_of(name)) && slice_equal(row.department, slice_of(department)))
            sum += row.value;
    return sum;
}

/* Events of one inquiry told under this department. */
static void expect_told(struct far *duty, const char *department, uint64_t number, const char *events) {
    char told[400] = "";
    int code = 0;
    est_event_row row;
    assert_int_equal(est_client_events(duty->client, ++duty->ref, department, 0, 0), 0);
    const est_event *e = answer_of(duty, duty->ref, EST_EVENT_EVENTS, &code);
    assert_non_null(e);
    for (size_t i = 0; est_row_event(e, i, &row); i++) {
        if (row.number != number)
            continue;
        expect_department(row.department, department);
        size_t at = strlen(told);
        snprintf(told + at, sizeof told - at, "%.*s ", (int)row.event.size, (const char *)row.event.data);
    }
    assert_string_equal(told, events);
}

static void park(struct raw *agent, uint64_t number) {
    struct message refuse = {.verb = VERB_REFUSE};
    refuse.refuse = (struct refuse){
        .number = number, .epoch = raw_receive(agent, VERB_ASSIGN)->assign.epoch, .reason = {"no", 2}};
    raw_send(agent, &refuse);
    raw_receive(agent, VERB_RECORDED);
}

static void answer(struct raw *agent, uint64_t number) {
    raw_answer(agent, number, raw_receive(agent, VERB_ASSIGN)->assign.epoch, 1);
    raw_receive(agent, VERB_RECORDED);
}

/* One that treasury answered, one that works answered after the type went there, one that it has parked, and one
 * that was cancelled there. */
struct moved { uint64_t old, answered, parked, cancelled; est_id old_id, answered_id, parked_id, cancelled_id; };

static void moved_expect(struct far *portal, struct far *duty, const struct moved *m) {
    expect_department(far_status(portal, &m->old_id, 0)->department, "treasury");
    expect_department(far_status(portal, &m->answered_id, 0)->department, "works");
    expect_department(far_status(portal, &m->parked_id, 0)->department, "works");
    expect_department(far_status(portal, &m->cancelled_id, 0)->department, "works");
    expect_parked(duty, "works", m->parked);
    expect_parked(duty, "treasury", 0);
    expect_found(duty, "treasury", m->old);
    expect_found(duty, "works", m->answered);
    expect_found(duty, "works", m->parked);
    expect_found(duty, "works", m->cancelled);
    assert_int_equal(counted(duty, "accepted", "treasury"), 4);
    assert_int_equal(counted(duty, "parked", "treasury"), 1);
    assert_int_equal(counted(duty, "finished", "treasury"), 1);
    assert_int_equal(counted(duty, "finished", "works"), 2);
    assert_int_equal(counted(duty, "acknowledged", "treasury"), 1);
    assert_int_equal(counted(duty, "acknowledged", "works"), 1);
    expect_told(duty, "treasury", m->old, "submitted answered acknowledged ");
    expect_told(duty, "treasury", m->answered, "submitted ");
    expect_told(duty, "works", m->answered, "answered acknowledged ");
    expect_told(duty, "treasury", m->parked, "submitted parked ");
    expect_told(duty, "works", m->cancelled, "cancelled ");
}

static void result_take(struct far *portal, const est_id *id, uint64_t number, const char *department, bool ack) {
    expect_department(far_wait(portal, EST_EVENT_RESULT, .id = id)->department, department);
    if (ack)
        far_ack(portal, number);
}

static void type_that_goes_to_another_department_takes_what_is_under_way_along_everywhere_alike(void **state) {
    (void)state;
    struct moved m;
    struct town *town = town_new(NULL);
    survey_by(town, "treasury");
    town_start(town);
    struct far *portal = far_open(town, "portal", 2), *duty = far_open(town, "chief", 0);
    struct raw *agent = raw_agent(town, "treasury-a", 1);
    m.old = far_submit(portal, "plot.survey", "1-1-1", &m.old_id);
    answer(agent, m.old);
    result_take(portal, &m.old_id, m.old, "treasury", true);
    m.parked = far_submit(portal, "plot.survey", "1-1-2", &m.parked_id);
    park(agent, m.parked);
    raw_send(agent, &(struct message){.verb = VERB_LEAVE, .leave = {.ref = 2}}); /* it gets no more */
    raw_receive(agent, VERB_DONE);
    m.answered = far_submit(portal, "plot.survey", "1-1-3", &m.answered_id);
    m.cancelled = far_submit(portal, "plot.survey", "1-1-4", &m.cancelled_id);
    expect_parked(duty, "treasury", m.parked);
    expect_found(duty, "treasury", m.answered);
    expect_told(duty, "treasury", m.answered, "submitted "); /* the feed has read the names before the type goes */
    survey_by(town, "works");
    raw_close(&agent);
    agent = raw_agent(town, "works-a", 1);
    answer(agent, m.answered);
    result_take(portal, &m.answered_id, m.answered, "works", true);
    assert_int_equal(est_client_cancel(portal->client, 7, &m.cancelled_id, 0, "withdrawn"), 0);
    result_take(portal, &m.cancelled_id, m.cancelled, "works", false);
    raw_close(&agent);
    moved_expect(portal, duty, &m);

    assert_int_equal(town_stop(town), 0);
    town_start(town);
    far_wait(portal, EST_EVENT_CONNECTED);
    far_wait(duty, EST_EVENT_CONNECTED);
    result_take(portal, &m.cancelled_id, m.cancelled, "works", false);
    moved_expect(portal, duty, &m);
    survey_by(town, NULL); /* gone, and back as it was: history stays as it is */
    survey_by(town, "works");
    assert_int_equal(est_client_reindex(duty->client, ++duty->ref, "as a test"), 0);
    far_wait(duty, EST_EVENT_DONE, .ref = duty->ref);
    moved_expect(portal, duty, &m);
    assert_int_equal(town_stop(town), 0);
    town_start(town);
    far_wait(portal, EST_EVENT_CONNECTED);
    far_wait(duty, EST_EVENT_CONNECTED);
    moved_expect(portal, duty, &m);
    town_end(town);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CLAIM(inquiry_is_found_by_each_of_its_keys_also_after_kills_and_without_its_folder),
        CLAIM(filter_that_cannot_be_read_is_refused_with_its_place),
        CLAIM(broker_without_an_index_says_so_and_does_its_work),
        CLAIM(pages_neither_repeat_nor_leave_out_while_new_inquiries_come_in),
        CLAIM(feed_tells_a_redirected_inquirys_new_district_also_of_its_acknowledgement),
        CLAIM(type_that_goes_to_another_department_takes_what_is_under_way_along_everywhere_alike),
        CLAIM(counters_and_feed_tell_of_one_log_over_kills_and_rebuilds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
