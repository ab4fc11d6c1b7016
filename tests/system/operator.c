/* operator.c - what operators may do, each by its level: pause, redirect, keys, configuration. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- Levels ---------------------------------------------------------------------------------------- */

/* What came of the ask with this ref: 0 where it was answered, else the code of its refusal. */
static int outcome(struct far *far, uint64_t ref) {
    static const enum est_event_kind kinds[] = {EST_EVENT_QUEUES, EST_EVENT_AGENTS,   EST_EVENT_STATS, EST_EVENT_PARKED,
                                                EST_EVENT_STATUS, EST_EVENT_TIMELINE, EST_EVENT_KEYS,  EST_EVENT_CONFIG,
                                                EST_EVENT_DONE,   EST_EVENT_EVENTS,   EST_EVENT_FIND, EST_EVENT_COUNTERS};
    int64_t until = now_ms() + WAIT_MS;
    for (;;) {
        const est_event *refused = far_peek(far, (struct want){.kind = EST_EVENT_REFUSED, .ref = ref});
        if (refused)
            return refused->code;
        for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
            if (far_peek(far, (struct want){.kind = kinds[i], .ref = ref}))
                return 0;
        assert_true(now_ms() < until);
        far_poll(far, 100);
    }
}

enum { SEES_COUNTS = EST_LEVEL_OBSERVER, STEERS = EST_LEVEL_OPERATOR, RULES = EST_LEVEL_ADMINISTRATOR };

/* Asks everything there is of this inquiry; each is allowed from its level on and refused below. What would end the
 * inquiry is asked of one that is not there: whose level does not suffice must not even hear that. */
static void level_check(struct far *far, enum est_level level, uint64_t number) {
    est_client *c = far->client;
    uint64_t ref = 100, nobodys = 999999;
    int needs[32];
    assert_int_equal(est_client_level(c), level);
#define ASKS(level_needed, call)                                                                             \
    do {                                                                                                     \
        needs[ref - 100] = level_needed;                                                                     \
        assert_int_equal(call, 0);                                                                           \
        ref++;                                                                                               \
    } while (0)
    ASKS(SEES_COUNTS, est_client_queues(c, ref, NULL, 0, 0));
    ASKS(SEES_COUNTS, est_client_agents(c, ref, NULL, 0, 0));
    ASKS(SEES_COUNTS, est_client_stats(c, ref));
    ASKS(STEERS, est_client_parked(c, ref, NULL, 0, 0));
    ASKS(STEERS, est_client_status(c, ref, NULL, number, false));
    ASKS(STEERS, est_client_timeline(c, ref, NULL, number));
    ASKS(STEERS, est_client_keys(c, ref, NULL, 0, 0));
    ASKS(STEERS, est_client_config(c, ref));
    ASKS(STEERS, est_client_pause(c, ref, "works", false, "a test"));
    ASKS(STEERS, est_client_redirect(c, ref, number, 3 + (unsigned)level, "a test"));
    ASKS(SEES_COUNTS, est_client_counters(c, ref));
    ASKS(STEERS, est_client_cancel(c, ref, NULL, nobodys, "a test"));
    ASKS(STEERS, est_client_requeue(c, ref, nobodys, "a test"));
    ASKS(STEERS, est_client_events(c, ref, NULL, 0, 0));
    ASKS(STEERS, est_client_find(c, ref, NULL, 0, 0, false));
    ASKS(RULES, est_client_status(c, ref, NULL, number, true));
    ASKS(RULES, est_client_reindex(c, ref, "a test"));
    ASKS(RULES, est_client_drain(c, ref, false, "a test"));
#undef ASKS
    for (uint64_t asked = 100; asked < ref; asked++)
        assert_int_equal(outcome(far, asked) != EST_NOT_ALLOWED, (int)level >= needs[asked - 100]);
}

static void each_level_may_do_what_it_may_and_no_more(void **state) {
    (void)state;
    struct town *town = town_new(NULL);
    town_start(town);
    struct far *portal = far_open(town, "portal", 2);
    uint64_t number = far_submit(portal, "plot.debt", "1-1-1", NULL);
    level_check(far_open(town, "watch", 0), EST_LEVEL_OBSERVER, number);
    level_check(far_open(town, "duty", 0), EST_LEVEL_OPERATOR, number);
    level_check(far_open(town, "chief", 0), EST_LEVEL_ADMINISTRATOR, number);
    assert_int_equal(est_client_level(portal->client), EST_LEVEL_NONE);
    town_end(town);
}

static void level_that_a_reload_takes_away_is_gone_on_open_connections(void **state) {
    (void)state;
    struct town *town = town_new(NULL);
    town_start(town);
    struct far *chief = far_open(town, "chief", 0);
    assert_int_equal(est_client_drain(chief->client, 1, false, "a test"), 0);
    assert_int_equal(outcome(chief, 1), 0);
    town_account(town, "chief")->fields = "level: observer, ";
    town_accounts_write(town);
    town_reload(town, "reloaded");
    assert_int_equal(est_client_drain(chief->client, 2, false, "a test"), 0);
    assert_int_equal(outcome(chief, 2), EST_NOT_ALLOWED);
    far_wait(chief, EST_EVENT_DISCONNECTED); /* and what WELCOME told it is told anew */
    far_wait(chief, EST_EVENT_CONNECTED);
    assert_int_equal(est_client_level(chief->client), EST_LEVEL_OBSERVER);
    town_end(town);
}

/* --- Pause ----------------------------------------------------------------------------------------- */

static bool queue_is_paused(struct far *far, const char *department) {
    uint64_t ref = ++far->ref;
    est_queue_row row = {0};
    assert_int_equal(est_client_queues(far->client, ref, department, 0, 0), 0);
    const est_event *page = far_wait(far, EST_EVENT_QUEUES, .ref = ref);
    assert_true(est_row_queue(page, 0, &row));
    return row.paused;
}

static void paused_department_stays_so_over_a_restart_until_it_is_let_go_on(void **state) {
    (void)state;
    struct town *town = town_new(NULL);
    town_start(town);
    struct far *portal = far_open(town, "portal", 2), *duty = far_open(town, "duty", 0);
    assert_int_equal(est_client_pause(duty->client, 1, "treasury", true, "the database moves"), 0);
    far_wait(duty, EST_EVENT_DONE, .ref = 1);
    uint64_t waits = far_submit(portal, "plot.debt", "1-1-1", NULL);
    town_kill(town);
    town_start(town);
    far_wait(duty, EST_EVENT_DISCONNECTED);
    struct raw *agent = raw_agent(town, "treasury-a", 1);
    far_submit(portal, "plot.debt", "1-1-2", NULL); /* a command later: the agent had its chance */
    assert_true(queue_is_paused(duty, "treasury"));
    assert_false(raw_heard(agent, VERB_ASSIGN));
    assert_int_equal(est_client_pause(duty->client, 2, "treasury", false, "moved"), 0);
    far_wait(duty, EST_EVENT_DONE, .ref = 2);
    assert_int_equal(raw_receive(agent, VERB_ASSIGN)->assign.number, waits);
    assert_false(queue_is_paused(duty, "treasury"));
    assert_int_equal(est_client_pause(duty->client, 3, "nobody", true, "a test"), 0);
    assert_int_equal(far_wait(duty, EST_EVENT_REFUSED, .ref = 3)->code, EST_INVALID_FIELD);
    town_end(town);
}

static void switch_that_is_neither_on_nor_off_is_refused_and_changes_nothing(void **state) {
    (void)state;
    struct town *town = town_new(NULL);
    town_start(town);
    struct far *duty = far_open(town, "duty", 0);
    struct raw *chief = raw_session(town, "chief");
    struct message m = {.verb = VERB_PAUSE};
    m.pause = (struct pause){.ref = 9, .department = slice_of("works"), .on = 7, .reason = slice_of("a test")};
    raw_send(chief, &m);
    const struct error_is *error = &raw_receive(chief, VERB_ERROR)->error;
    assert_int_equal(error->code, EST_INVALID_FIELD);
    assert_int_equal(error->ref, 9);
    m = (struct message){.verb = VERB_DRAIN, .drain = {.ref = 10, .on = 2, .reason = slice_of("a test")}};
    raw_send(chief, &m);
    error = &raw_receive(chief, VERB_ERROR)->error;
    assert_int_equal(error->code, EST_INVALID_FIELD);
    assert_int_equal(error->ref, 10);
    assert_int_equal(far_stat(duty, "departments_paused"), 0);
    assert_int_equal(far_stat(duty, "draining"), 0);
    raw_close(&chief);
    town_end(town);
}

static void paused_department_that_nobody_asked_yet_is_shown(void **state) {
    (void)state;
    struct town *town = town_new(NULL);
    town_start(town);
    struct far *duty = far_open(town, "duty", 0);
    assert_int_equal(est_client_pause(duty->client, 1, "works", true, "not yet"), 0);
    far_wait(duty, EST_EVENT_DONE, .ref = 1);
    assert_int_equal(est_client_queues(duty->client, 2, NULL, 0, 0), 0);
    const est_event *page = far_wait(duty, EST_EVENT_QUEUES, .ref = 2);
    est_queue_row row;
    assert_true(est_row_queue(page, 0, &row) && text_is(row.department, "works") && row.paused);
    assert_false(est_row_queue(page, 1, &row));
    assert_int_equal(page->next, 0);
    assert_int_equal(far_stat(duty, "departments_paused"), 1);
    town_end(town);
}

/* --- Redirect -------------------------------------------------------------------------------------- */

static bool timeline_has(const est_event *event, size_t at, const char *name, const char *actor, const char *words) {
    est_timeline_row row;
    return est_row_timeline(event, at, &row) && text_is(row.event, name) && text_is(row.actor, actor) &&
           (!words || text_is(row.text, words));
}

/* As many bytes as a reason may have, of characters of two bytes: the districts before it cost some. */
static void redirect_for_a_long_reason(struct far *portal, struct far *duty) {
    char reason[1001];
    for (size_t i = 0; i < 1000; i += 2)
        memcpy(reason + i, "ب", 2);
    reason[1000] = '\0';
    uint64_t number = far_submit(portal, "plot.use", "1-1-2", NULL);
    assert_int_equal(est_client_redirect(duty->client, 50, number, 2, reason), 0);
    far_wait(duty, EST_EVENT_DONE, .ref = 50);
    assert_int_equal(est_client_timeline(duty->client, 51, NULL, number), 0);
    const est_event *line = far_wait(duty, EST_EVENT_TIMELINE, .ref = 51);
    est_timeline_row row;
    assert_true(est_row_timeline(line, 1, &row) && text_is(row.event, "redirected"));
    assert_true(row.text.size > 990 && row.text.size <= 1000 && row.text.size % 2 == 1); /* nine and a whole number of two */
}

static void redirected_inquiry_is_answered_in_its_new_district(void **state) {
    (void)state;
    static const struct town_account accounts[] = {
        {.name = "portal", .door = REQUESTERS, .fields = "asks: [{types: all, purposes: all}], "},
        {.name = "first", .door = DEPARTMENTS, .fields = "department: treasury, districts: [1], "},
        {.name = "second", .door = DEPARTMENTS, .fields = "department: treasury, districts: [2], "},
        {.name = "duty", .door = OPERATORS, .fields = ""},
        {.name = NULL},
    };
    struct town *town = town_new(&(struct town_options){.accounts = accounts});
    town_start(town);
    struct far *portal = far_open(town, "portal", 2), *duty = far_open(town, "duty", 0);
    struct raw *first = raw_agent(town, "first", 1), *second = raw_agent(town, "second", 1);
    uint64_t number = far_submit(portal, "plot.debt", "1-1-1", NULL);
    uint64_t epoch = raw_receive(first, VERB_ASSIGN)->assign.epoch;
    assert_int_equal(est_client_redirect(duty->client, 1, number, 2, "the plot lies in 2"), 0);
    far_wait(duty, EST_EVENT_DONE, .ref = 1);
    assert_int_equal(raw_receive(first, VERB_REVOKE)->revoke.code, EST_STALE_EPOCH);
    raw_answer(first, number, epoch, 1);
    assert_int_equal(raw_receive(first, VERB_ERROR)->error.code, EST_STALE_EPOCH);
    const struct assign *assign = &raw_receive(second, VERB_ASSIGN)->assign;
    assert_true(assign->number == number && assign->district == 2 && assign->attempt == 1);
    raw_answer(second, number, assign->epoch, 5);
    assert_int_equal(far_wait(portal, EST_EVENT_RESULT, .number = number)->state, EST_STATE_ANSWERED);
    assert_int_equal(est_client_timeline(duty->client, 2, NULL, number), 0);
    const est_event *line = far_wait(duty, EST_EVENT_TIMELINE, .ref = 2);
    assert_true(timeline_has(line, 1, "leased", "first", NULL));
    assert_true(timeline_has(line, 2, "redirected", "duty", "1 → 2: the plot lies in 2"));
    assert_true(timeline_has(line, 3, "leased", "second", NULL));
    assert_int_equal(far_status(duty, NULL, number)->district, 2);
    redirect_for_a_long_reason(portal, duty);
    assert_int_equal(est_client_redirect(duty->client, 3, number, 1, "back"), 0);
    assert_int_equal(far_wait(duty, EST_EVENT_REFUSED, .ref = 3)->code, EST_ALREADY_FINAL);
    far_ack(portal, number); /* the core forgets it; it is ended all the same, and was never unknown */
    assert_int_equal(est_client_requeue(duty->client, 4, number, "again"), 0);
    assert_int_equal(far_wait(duty, EST_EVENT_REFUSED, .ref = 4)->code, EST_NOT_PARKED);
    assert_int_equal(est_client_requeue(duty->client, 5, 999999, "again"), 0);
    assert_int_equal(far_wait(duty, EST_EVENT_REFUSED, .ref = 5)->code, EST_NOT_FOUND);
    uint64_t open = far_submit(portal, "plot.use", "1-1-1", NULL);
    static const struct { uint64_t number; unsigned district; int code; } wrong[] = {
        {0, 1, EST_INVALID_FIELD}, {0, 10, EST_INVALID_FIELD}, {999999, 2, EST_NOT_FOUND}};
    for (uint64_t i = 0; i < 3; i++) {
        uint64_t named = wrong[i].number ? wrong[i].number : open;
        assert_int_equal(est_client_redirect(duty->client, 10 + i, named, wrong[i].district, "a test"), 0);
        assert_int_equal(far_wait(duty, EST_EVENT_REFUSED, .ref = 10 + i)->code, wrong[i].code);
    }
    town_end(town);
}

/* --- Keys and configuration ------------------------------------------------------------------------ */

static void keys_tell_whose_they_are_and_nothing_that_opens_a_door(void **state) {
    (void)state;
    struct town *town = town_new(NULL);
    town_account(town, "works-a")->dates = "until: 2099-01-01";
    town_accounts_write(town);
    town_start(town);
    struct far *duty = far_open(town, "duty", 0);
    struct raw *agent = raw_agent(town, "treasury-a", 1);
    assert_non_null(agent);
    assert_int_equal(est_client_keys(duty->client, 1, NULL, 0, 0), 0);
    const est_event *page = far_wait(duty, EST_EVENT_KEYS, .ref = 1);
    est_key_row row;
    size_t rows = 0;
    for (; est_row_key(page, rows, &row); rows++) {
        char name[65];
        snprintf(name, sizeof name, "%.*s", (int)row.account.size, (const char *)row.account.data);
        const struct town_account *account = town_account(town, name);
        bool connected = account == town_account(town, "duty") || account == town_account(town, "treasury-a");
        assert_int_equal(row.key.size, 8);
        assert_memory_equal(row.key.data, account->key.public_key, 8);
        assert_int_equal(row.sessions, connected);
        assert_int_equal(row.until.us != 0, account->dates != NULL);
        assert_int_equal(row.level != EST_LEVEL_NONE, account->door == OPERATORS);
    }
    assert_int_equal(rows, town->accounts_count);
    assert_int_equal(est_client_keys(duty->client, 2, "treasury", 0, 1), 0);
    page = far_wait(duty, EST_EVENT_KEYS, .ref = 2);
    assert_true(est_row_key(page, 0, &row) && text_is(row.department, "treasury") && page->next != 0);
    assert_false(est_row_key(page, 1, &row));
    town_end(town);
}

static void configuration_is_told_by_name_and_without_a_secret(void **state) {
    (void)state;
    struct town *town = town_new(&(struct town_options){.limits = "lease: 300 ms"});
    town_start(town);
    struct far *duty = far_open(town, "duty", 0);
    assert_int_equal(est_client_config(duty->client, 1), 0);
    const est_event *page = far_wait(duty, EST_EVENT_CONFIG, .ref = 1);
    const struct { const char *name, *value; } wanted[] = {{"city", "testville"},
                                                            {"version", ESTELAM_VERSION},
                                                            {"protocol_revision", "2"},
                                                            {"types", "2"},
                                                            {"lease_ms", "300"},
                                                            {"security", "curve"},
                                                            {"generation", "1"},
                                                            {"endpoint_operators", town->endpoints[OPERATORS]}};
    enum { WANTED = sizeof wanted / sizeof *wanted };
    est_config_row row;
    size_t found = 0;
    char store[FOLDER_MAX + 16];
    snprintf(store, sizeof store, "%s/store", town->folder);
    for (size_t i = 0; est_row_config(page, i, &row); i++) {
        assert_false(text_has(row.value, town->server.secret_key));
        found += text_is(row.name, "store") && text_has(row.value, store);
        for (size_t k = 0; k < WANTED; k++)
            found += text_is(row.name, wanted[k].name) && text_is(row.value, wanted[k].value);
    }
    assert_int_equal(found, WANTED + 1);
    town_end(town);
}

/* --- Counters -------------------------------------------------------------------------------------- */

static uint64_t stat_of(const est_event *page, const char *name) {
    est_stat_row row;
    for (size_t i = 0; est_row_stat(page, i, &row); i++)
        if (text_is(row.name, name))
            return row.value;
    fail_msg("there is no counter %s", name);
    return 0;
}

/* Steps rise, and the last is all. */
static uint64_t steps_rise(const est_event *page, const char *prefix) {
    est_stat_row row;
    uint64_t last = 0;
    size_t steps = 0;
    for (size_t i = 0; est_row_stat(page, i, &row); i++) {
        if (row.name.size < strlen(prefix) || memcmp(row.name.data, prefix, strlen(prefix)) != 0)
            continue;
        assert_true(row.value >= last);
        last = row.value;
        steps++;
    }
    assert_true(steps > 10);
    return last;
}

static void counters_tell_commits_batches_peers_and_the_process(void **state) {
    (void)state;
    struct town *town = town_new(NULL);
    town_start(town);
    struct far *portal = far_open(town, "portal", 2), *duty = far_open(town, "watch", 0);
    struct raw *agent = raw_agent(town, "works-a", 1);
    assert_non_null(agent);
    uint64_t before = far_stat(duty, "log_seq");
    for (unsigned i = 0; i < 5; i++)
        far_submit(portal, "plot.debt", "1-1-1", NULL);
    assert_int_equal(est_client_stats(duty->client, 1), 0);
    const est_event *page = far_wait(duty, EST_EVENT_STATS, .ref = 1);
    assert_int_equal(stat_of(page, "log_seq"), before + 5);
    assert_int_equal(stat_of(page, "batch_events_sum"), 5); /* the first batch is before the loop's */
    assert_int_equal(steps_rise(page, "commit_us_le_"), stat_of(page, "commits"));
    assert_int_equal(steps_rise(page, "batch_events_le_"), stat_of(page, "commits"));
    assert_true(stat_of(page, "commit_us_sum") > 0);
    assert_int_equal(stat_of(page, "peers_requesters"), 1);
    assert_int_equal(stat_of(page, "peers_departments"), 1);
    assert_int_equal(stat_of(page, "peers_operators"), 1);
    assert_int_equal(stat_of(page, "generation"), 1);
    assert_true(stat_of(page, "process_resident_bytes") > 1024 * 1024);
    assert_true(stat_of(page, "process_open_files") > 3 && stat_of(page, "process_threads") > 1);
    assert_true(stat_of(page, "uptime_us") > 0 && stat_of(page, "uptime_us") < 600 * (uint64_t)EST_US_PER_S);
    assert_true(stat_of(page, "store_map_bytes") >= stat_of(page, "store_used_bytes"));
    assert_true(stat_of(page, "store_fullness") >=
                stat_of(page, "store_used_bytes") * 1000 / stat_of(page, "store_limit_bytes"));
    assert_true(stat_of(page, "store_fullness") <= 1000);
    assert_true(stat_of(page, "disk_total_bytes") >= stat_of(page, "disk_free_bytes"));
    town_end(town);
}

static void case_and_reason_are_lines_without_control_characters(void **state) {
    (void)state;
    struct town *town = town_new(NULL);
    static const uint8_t body[] = {0x81, 0xa2, 'n', 'z', 0xa5, '1', '-', '1', '-', '1'};
    static const char *const unclean[] = {"a\nb", "\x1b[31m", "\a", "\x7f", "a\tb"};
    town_start(town);
    struct far *portal = far_open(town, "portal", 0), *chief = far_open(town, "chief", 0);
    for (uint64_t i = 0; i < sizeof unclean / sizeof unclean[0]; i++) {
        est_submit it = {.type = "plot.debt", .purpose = "permit", .body = {body, sizeof body}, .case_id = unclean[i]};
        est_id_new(&it.id);
        assert_int_equal(est_client_submit(portal->client, &it), 0);
        const est_event *e = far_wait(portal, EST_EVENT_REFUSED, .id = &it.id);
        assert_int_equal(e->code, EST_INVALID_FIELD);
        assert_true(text_has(e->text, "case_id: has a control character"));
        assert_int_equal(est_client_drain(chief->client, i + 1, true, unclean[i]), 0);
        e = far_wait(chief, EST_EVENT_REFUSED, .ref = i + 1);
        assert_int_equal(e->code, EST_INVALID_FIELD);
        assert_true(text_has(e->text, "reason: has a control character"));
    }
    est_client_drain(chief->client, 99, true, "کار «شبانه»");
    far_wait(chief, EST_EVENT_DONE, .ref = 99);
    far_close(&chief);
    far_close(&portal);
    town_end(town);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CLAIM(each_level_may_do_what_it_may_and_no_more),
        CLAIM(level_that_a_reload_takes_away_is_gone_on_open_connections),
        CLAIM(paused_department_stays_so_over_a_restart_until_it_is_let_go_on),
        CLAIM(switch_that_is_neither_on_nor_off_is_refused_and_changes_nothing),
        CLAIM(paused_department_that_nobody_asked_yet_is_shown),
        CLAIM(redirected_inquiry_is_answered_in_its_new_district),
        CLAIM(keys_tell_whose_they_are_and_nothing_that_opens_a_door),
        CLAIM(configuration_is_told_by_name_and_without_a_secret),
        CLAIM(counters_tell_commits_batches_peers_and_the_process),
        CLAIM(case_and_reason_are_lines_without_control_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
