/* reload.c - the configuration changes while traffic flows: as a whole or not at all, and what is
 * under way ends by the version that it began with. */
#include "harness.h"

#include <codec.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

static void types_write(struct town *town, const char *debt_reply_more, const char *types_more) {
    char *text = town_types(debt_reply_more, types_more);
    town_file(town, TOWN_TYPES, text);
    free(text);
}

static int refusal_of(struct far *portal, const char *type) {
    est_id id;
    est_id_new(&id);
    far_ask(portal, type, "1-1-1", NULL, &id, (est_time){0});
    return far_wait(portal, EST_EVENT_REFUSED, .id = &id)->code;
}

static void broken_configuration_is_refused_with_its_reason_and_the_old_one_stays(void **state) {
    (void)state;
    static const struct {
        const char *name, *text, *says;
    } broken[] = {
        {"accounts.yaml", "accounts:\n  portal: {role: king}\n", "accounts.yaml:2:"},
        {"broker.yaml", "catalogue: [\n", "broker.yaml:"},
        {TOWN_TYPES, "types:\n  plot.debt: {title: 1}\n", "plots.yaml:2:"},
    };
    struct town *town = town_new(NULL);
    town_start(town);
    struct far *portal = far_open(town, "portal", 2);
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        town_file(town, broken[i].name, broken[i].text);
        town_reload(town, broken[i].says);
        child_error_wait(town->broker, "reload refused");
        far_submit(portal, "plot.debt", "1-1-1", NULL);
        town_accounts_write(town);
        town_broker_write(town);
        types_write(town, "", "");
    }
    town_reload(town, "reloaded");
    assert_null(far_peek(portal, (struct want){.kind = EST_EVENT_DISCONNECTED}));
    town_end(town);
}

/* Whoever reads "reloaded" takes it for done. */
static void change_that_waits_for_a_restart_is_told_at_each_reload(void **state) {
    (void)state;
    static const char says[] = "what changed in limits is read at start only: it waits for a restart";
    struct town *town = town_new(NULL);
    town_start(town);
    town_reload(town, "reloaded");
    town_limits_write(town, "inquiries_max: 200000, sessions_max: 65");
    town_reload(town, says);
    town_reload(town, says);
    town_broker_write(town);
    town_reload(town, "reloaded");
    town_file(town, "broker.yaml", "catalogue: [\n");
    town_reload(town, "reload refused"); /* whatever the one before it had to say has been said */
    assert_int_equal(child_error_count(town->broker, says), 2);
    town_end(town);
}

static void pipe_in_a_files_place_is_refused_at_once(void **state) {
    (void)state;
    char path[FOLDER_MAX + 16];
    struct town *town = town_new(NULL);
    town_start(town);
    struct far *portal = far_open(town, "portal", 2);
    snprintf(path, sizeof path, "%s/accounts.yaml", town->folder);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    town_reload(town, "it is no regular file");
    child_error_wait(town->broker, "reload refused");
    far_submit(portal, "plot.debt", "1-1-1", NULL);
    town_end(town);
}

static void new_type_goes_live_while_traffic_flows(void **state) {
    (void)state;
    enum { BEFORE = 200, AFTER = 200 };
    struct town *town = town_new(NULL);
    town_start(town);
    struct far *portal = far_open(town, "portal", 2);
    struct child *agent = agent_start(town, "treasury-a", "answer", 2);
    assert_non_null(child_line(agent, "up"));
    assert_int_equal(refusal_of(portal, "plot.survey"), EST_UNKNOWN_TYPE);
    types_write(town, "", town_survey("treasury"));
    for (int i = 0; i < BEFORE + AFTER; i++) {
        est_id id;
        est_id_new(&id);
        far_ask(portal, "plot.debt", "1-1-1", NULL, &id, (est_time){0});
        far_poll(portal, 0);
        if (i == BEFORE)
            child_signal(town->broker, SIGHUP);
    }
    child_error_wait(town->broker, "reloaded");
    est_id id;
    far_submit(portal, "plot.survey", "1-1-1", &id);
    assert_int_equal(far_wait(portal, EST_EVENT_RESULT, .id = &id)->state, EST_STATE_ANSWERED);
    for (int i = 0; i < BEFORE + AFTER; i++)
        assert_int_equal(far_wait(portal, EST_EVENT_RESULT)->state, EST_STATE_ANSWERED);
    assert_null(far_peek(portal, (struct want){.kind = EST_EVENT_DISCONNECTED}));
    assert_false(child_has_line(agent, "up"));
    town_end(town);
}

static void type_that_is_gone_takes_no_more_and_its_inquiries_finish(void **state) {
    (void)state;
    struct town *town = town_new(NULL);
    types_write(town, "", town_survey("treasury"));
    town_start(town);
    struct far *portal = far_open(town, "portal", 2);
    struct raw *agent = raw_agent(town, "treasury-a", 1);
    est_id id;
    uint64_t number = far_submit(portal, "plot.survey", "1-1-1", &id);
    uint64_t epoch = raw_receive(agent, VERB_ASSIGN)->assign.epoch;
    types_write(town, "", "");
    town_reload(town, "reloaded");
    assert_int_equal(refusal_of(portal, "plot.survey"), EST_UNKNOWN_TYPE);
    assert_true(text_is(far_status(portal, &id, 0)->type, "plot.survey"));
    raw_answer(agent, number, epoch, 1);
    assert_int_equal(far_wait(portal, EST_EVENT_RESULT, .id = &id)->state, EST_STATE_ANSWERED);
    types_write(town, "", town_survey("treasury")); /* back again: it is the same type as before */
    town_reload(town, "reloaded");
    far_submit(portal, "plot.survey", "1-1-1", &id);
    assert_int_equal(far_status(portal, &id, 0)->version, 1);
    town_end(town);
}

/* --- More than there is room for ---------------------------------------------------------------------- */

enum { ACCOUNTS_TOO_MANY = 4100, KEYS_EACH = 16, OFFICES = 2100 };

/* What `more` writes, behind the town's own accounts. */
static void accounts_add(struct town *town, void (*more)(FILE *)) {
    char path[FOLDER_MAX + 32];
    town_accounts_write(town);
    snprintf(path, sizeof path, "%s/accounts.yaml", town->folder);
    FILE *file = fopen(path, "a");
    assert_non_null(file);
    more(file);
    assert_int_equal(fclose(file), 0);
}

static void too_many_accounts(FILE *file) {
    for (int i = 0; i < ACCOUNTS_TOO_MANY / 2; i++)
        fprintf(file, "  office-%d: {role: requester, asks: [{types: all, purposes: all}], keys: []}\n", i);
}

/* The same number under other names: no complaint of the loader's, and no numbers left. */
static void too_many_others(FILE *file) {
    for (int i = 0; i < ACCOUNTS_TOO_MANY / 2; i++)
        fprintf(file, "  notary-%d: {role: requester, asks: [{types: all, purposes: all}], keys: []}\n", i);
}

static void too_many_keys(FILE *file) {
    for (int i = 0; i < OFFICES; i++) {
        fprintf(file, "  office-%d: {role: requester, asks: [{types: all, purposes: all}], keys: [", i);
        for (int k = 0; k < KEYS_EACH; k++) {
            uint8_t bytes[32];
            char text[KEY_TEXT];
            assert_int_equal(getrandom(bytes, sizeof bytes, 0), sizeof bytes);
            fprintf(file, "%s{public: \"%s\"}", k > 0 ? ", " : "", zmq_z85_encode(text, bytes, sizeof bytes));
        }
        fputs("]}\n", file);
    }
}

static void city_write_of(struct town *town, const char *parcel, const char *first, const char *second) {
    char text[600];
    snprintf(text, sizeof text,
             "city: {id: testville, title: {fa: آزمون, en: Testville}}\n"
             "parcel: {%s, hierarchy: false}\n"
             "purposes:\n"
             "  %s: {title: {fa: منظور, en: Purpose}}\n"
             "  %s: {title: {fa: منظور, en: Purpose}}\n",
             parcel, first, second);
    town_file(town, "catalogue/city.yaml", text);
}

static void city_write(struct town *town, const char *first, const char *second) {
    city_write_of(town, "parts: 3, district_part: 1, digits_max: 4, districts: {first: 1, last: 9}", first, second);
}

static int code_for(struct far *far, const char *purpose, est_id *ret_id) {
    est_body *body = est_body_new();
    est_submit submit = {.type = "plot.debt", .purpose = purpose};
    const est_event *refused = NULL;
    est_id_new(&submit.id);
    *ret_id = submit.id;
    est_body_text(body, "nz", "1-1-1");
    assert_int_equal(est_body_slice(body, &submit.body), 0);
    assert_int_equal(est_client_submit(far->client, &submit), 0);
    est_body_free(&body);
    while (!far_peek(far, (struct want){.kind = EST_EVENT_ACCEPTED, .id = ret_id})) {
        if ((refused = far_peek(far, (struct want){.kind = EST_EVENT_REFUSED, .id = ret_id})))
            return refused->code;
        assert_true(far_poll(far, WAIT_MS));
    }
    return 0;
}

/* Rights, purposes and versions stay as they were, although they changed too. */
static void configuration_with_more_accounts_than_there_is_room_for_changes_nothing(void **state) {
    (void)state;
    static const struct town_account accounts[] = {
        {.name = "portal", .door = REQUESTERS, .fields = "asks: [{types: all, purposes: [transfer]}], "},
        {.name = "duty", .door = OPERATORS, .fields = "level: administrator, "},
        {.name = NULL}};
    struct town *town = town_new(&(struct town_options){.accounts = accounts});
    city_write(town, "permit", "transfer");
    accounts_add(town, too_many_accounts);
    town_start(town);
    struct far *portal = far_open(town, "portal", 2), *duty = far_open(town, "duty", 0);
    uint64_t before = far_stat(duty, "log_seq");
    city_write(town, "transfer", "permit");
    types_write(town, "      years: {kind: int}\n", "");
    accounts_add(town, too_many_others);
    town_reload(town, "reload refused");
    est_id id;
    assert_int_equal(far_stat(duty, "log_seq"), before);
    assert_int_equal(code_for(portal, "permit", &id), EST_NOT_ALLOWED);
    assert_int_equal(code_for(portal, "transfer", &id), 0);
    const est_event *status = far_status(portal, &id, 0);
    assert_true(text_is(status->purpose, "transfer"));
    assert_int_equal(status->version, 1);
    town_end(town);
}

static void configuration_with_more_keys_than_there_is_room_for_changes_nothing(void **state) {
    (void)state;
    struct town *town = town_new(NULL);
    accounts_add(town, too_many_keys);
    town_start(town);
    struct far *portal = far_open(town, "portal", 2);
    accounts_add(town, too_many_keys);
    town_reload(town, "different keys since the broker started");
    child_error_wait(town->broker, "reload refused");
    far_submit(portal, "plot.debt", "1-1-1", NULL);
    struct far *notary = far_open(town, "notary", 2);
    far_submit(notary, "plot.use", "1-1-1", NULL);
    assert_null(far_peek(portal, (struct want){.kind = EST_EVENT_DISCONNECTED}));
    town_end(town);
}

/* --- Versions ----------------------------------------------------------------------------------------- */

static const char years[] = "      years: {kind: int}\n";

/* The answer of version 2: {debt, years}. */
static void answer_two(struct raw *agent, uint64_t number, uint64_t epoch) {
    est_body *body = est_body_new();
    assert_non_null(body);
    est_body_int(body, "debt", 1);
    est_body_int(body, "years", 2);
    struct message m = {.verb = VERB_ANSWER};
    m.answer = (struct answer){.number = number, .epoch = epoch, .outcome = EST_OUTCOME_POSITIVE};
    assert_int_equal(est_body_slice(body, &m.answer.body), 0);
    raw_send(agent, &m);
    est_body_free(&body);
}

static void expect_version(struct far *portal, const est_id *id, unsigned version) {
    assert_int_equal(far_status(portal, id, 0)->version, version);
}

/* `restart`: 0 the version is changed by a reload, 1 between two lives of the broker. */
static void versions(int restart) {
    struct town *town = town_new(&(struct town_options){.limits = "retry_first: 1 ms, retry_max: 2 ms"});
    town_start(town);
    struct far *portal = far_open(town, "portal", 2);
    est_id old, new;
    uint64_t number_old = far_submit(portal, "plot.debt", "1-1-1", &old);
    types_write(town, years, "");
    if (restart) {
        assert_int_equal(town_stop(town), 0);
        town_start(town);
        far_wait(portal, EST_EVENT_CONNECTED);
    } else {
        town_reload(town, "reloaded");
    }
    uint64_t number_new = far_submit(portal, "plot.debt", "1-1-2", &new);
    struct raw *agent = raw_agent(town, "treasury-a", 1);
    expect_version(portal, &old, 1);
    expect_version(portal, &new, 2);

    const struct message *m = raw_receive(agent, VERB_ASSIGN);
    assert_int_equal(m->assign.number, number_old);
    assert_int_equal(m->assign.version, 1);
    raw_answer(agent, number_old, m->assign.epoch, 1); /* by version 1 */
    assert_int_equal(far_wait(portal, EST_EVENT_RESULT, .id = &old)->state, EST_STATE_ANSWERED);

    m = raw_receive(agent, VERB_ASSIGN);
    assert_int_equal(m->assign.number, number_new);
    assert_int_equal(m->assign.version, 2);
    raw_answer(agent, number_new, m->assign.epoch, 1); /* no longer enough */
    m = raw_receive(agent, VERB_ERROR);
    assert_int_equal(m->error.code, EST_INVALID_ANSWER);
    assert_int_equal(m->error.number, number_new);
    answer_two(agent, number_new, raw_receive(agent, VERB_ASSIGN)->assign.epoch);
    assert_int_equal(far_wait(portal, EST_EVENT_RESULT, .id = &new)->state, EST_STATE_ANSWERED);

    far_ask(portal, "plot.debt", "1-1-1", NULL, &old,
            (est_time){0}); /* the old question again: no conflict */
    const est_event *again = far_wait(portal, EST_EVENT_ACCEPTED, .id = &old);
    assert_true(again->again);
    assert_int_equal(again->version, 1);
    town_end(town);
}

static void inquiry_is_answered_by_the_version_it_began_with(void **state) {
    (void)state;
    versions(0);
}

static void inquiry_is_answered_by_the_version_it_began_with_over_a_restart(void **state) {
    (void)state;
    versions(1);
}

static void reload_without_a_change_changes_nothing(void **state) {
    (void)state;
    struct town *town = town_new(NULL);
    town_start(town);
    struct far *portal = far_open(town, "portal", 2), *duty = far_open(town, "duty", 0);
    uint64_t before = far_stat(duty, "log_seq");
    for (int i = 0; i < 3; i++)
        town_reload(town, "reloaded");
    assert_int_equal(far_stat(duty, "log_seq"), before);
    est_id id;
    far_submit(portal, "plot.debt", "1-1-1", &id);
    expect_version(portal, &id, 1);
    town_end(town);
}

/* What it held is somebody else's; it comes back as an agent of the other department. */
static void account_moved_to_another_department_answers_for_that_alone(void **state) {
    (void)state;
    struct town *town = town_new(NULL);
    town_start(town);
    struct far *portal = far_open(town, "portal", 2);
    struct raw *agent = raw_agent(town, "treasury-a", 8);
    uint64_t debt = far_submit(portal, "plot.debt", "1-1-1", NULL);
    raw_receive(agent, VERB_ASSIGN);
    town_account(town, "treasury-a")->fields = "department: works, ";
    town_accounts_write(town);
    town_reload(town, "reloaded");
    assert_int_equal(raw_receive(agent, VERB_BYE)->bye.code, EST_STOPPING);
    raw_ended(agent);
    agent = raw_agent(town, "treasury-a", 8);
    uint64_t use = far_submit(portal, "plot.use", "1-1-1", NULL);
    assert_int_equal(raw_receive(agent, VERB_ASSIGN)->assign.number, use);
    struct raw *other = raw_agent(town, "treasury-b", 8);
    assert_int_equal(raw_receive(other, VERB_ASSIGN)->assign.number, debt);
    town_end(town);
}

/* --- What a reload changes of an account and of the city -------------------------------------------------- */

static void department_that_gets_other_districts_is_given_their_work_alone(void **state) {
    (void)state;
    struct town *town = town_new(NULL);
    town_account(town, "treasury-a")->fields = "department: treasury, districts: [1], ";
    town_accounts_write(town);
    town_start(town);
    struct far *portal = far_open(town, "portal", 2);
    struct raw *agent = raw_agent(town, "treasury-a", 8);
    uint64_t second = far_submit(portal, "plot.debt", "2-1-1", NULL);
    uint64_t first = far_submit(portal, "plot.debt", "1-1-1", NULL);
    assert_int_equal(raw_receive(agent, VERB_ASSIGN)->assign.number, first);
    town_account(town, "treasury-a")->fields = "department: treasury, districts: [2], ";
    town_accounts_write(town);
    town_reload(town, "reloaded");
    far_submit(portal, "plot.debt", "1-1-2", NULL); /* no longer its own */
    assert_int_equal(raw_receive(agent, VERB_ASSIGN)->assign.number, second);
    uint64_t third = far_submit(portal, "plot.debt", "2-1-2", NULL);
    assert_int_equal(raw_receive(agent, VERB_ASSIGN)->assign.number, third);
    town_end(town);
}

static void purposes_in_another_order_change_nobodys_rights(void **state) {
    (void)state;
    static const struct town_account accounts[] = {
        {.name = "portal", .door = REQUESTERS, .fields = "asks: [{types: all, purposes: [transfer]}], "},
        {.name = "duty", .door = OPERATORS, .fields = "level: administrator, "},
        {.name = NULL}};
    struct town *town = town_new(&(struct town_options){.accounts = accounts});
    city_write(town, "permit", "transfer");
    town_start(town);
    struct far *portal = far_open(town, "portal", 2);
    est_id id;
    assert_int_equal(code_for(portal, "transfer", &id), 0);
    city_write(town, "transfer", "permit");
    town_reload(town, "reloaded");
    est_id after;
    assert_int_equal(code_for(portal, "permit", &after), EST_NOT_ALLOWED);
    assert_int_equal(code_for(portal, "transfer", &after), 0);
    assert_true(text_is(far_status(portal, &id, 0)->purpose, "transfer"));
    assert_true(text_is(far_status(portal, &after, 0)->purpose, "transfer"));
    town_end(town);
}

static void type_and_account_that_were_gone_come_back_over_a_restart(void **state) {
    (void)state;
    struct town *town = town_new(NULL);
    types_write(town, "", town_survey("treasury"));
    town_start(town);
    est_id id;
    struct far *portal = far_open(town, "portal", 2);
    far_submit(portal, "plot.survey", "1-1-1", &id);
    types_write(town, "", "");
    struct town_account notary_kept = town->accounts[1];
    memmove(&town->accounts[1], &town->accounts[2], (--town->accounts_count - 1) * sizeof notary_kept);
    town_accounts_write(town);
    town_reload(town, "reloaded");
    assert_int_equal(refusal_of(portal, "plot.survey"), EST_UNKNOWN_TYPE);
    assert_int_equal(town_stop(town), 0);
    town->accounts[town->accounts_count++] = notary_kept;
    town_accounts_write(town);
    types_write(town, "", town_survey("treasury"));
    town_start(town);
    far_wait(portal, EST_EVENT_CONNECTED);
    far_submit(portal, "plot.survey", "1-1-2", &id);
    assert_int_equal(far_status(portal, &id, 0)->version, 1);
    struct far *notary = far_open(town, "notary", 2);
    far_submit(notary, "plot.use", "1-1-1", NULL);
    town_end(town);
}

/* Neither the district nor the parts of its parcel are the city's any more. */
static void same_submit_gets_its_receipt_also_when_the_citys_parcel_rule_has_changed(void **state) {
    (void)state;
    static const char *const rules[] = {"parts: 3, district_part: 1, digits_max: 4, districts: {first: 1, last: 8}",
                                        "parts: 2, district_part: 1, digits_max: 1, districts: {first: 1, last: 9}"};
    struct town *town = town_new(NULL);
    town_start(town);
    struct far *portal = far_open(town, "portal", 2);
    est_id id;
    uint64_t number = far_submit(portal, "plot.debt", "9-11-1", &id);
    for (size_t i = 0; i < 2; i++) {
        city_write_of(town, rules[i], "permit", "transfer");
        town_reload(town, "reloaded");
        far_forget(portal);
        far_ask(portal, "plot.debt", i == 0 ? "9-11-1" : "۹-۱۱-۱", NULL, &id, (est_time){0});
        const est_event *again = far_wait(portal, EST_EVENT_ACCEPTED, .id = &id);
        assert_true(again->again);
        assert_int_equal(again->number, number);
    }
    far_ask(portal, "plot.debt", "9-11-2", NULL, &id, (est_time){0});
    assert_int_equal(far_wait(portal, EST_EVENT_REFUSED, .id = &id)->code, EST_CONFLICT);
    town_end(town);
}

/* --- Types that are gone ---------------------------------------------------------------------------------- */

static void ready_with(struct raw *agent, const char *const *types, size_t count) {
    struct buffer names;
    buffer_init(&names);
    pack_array(&names, count);
    for (size_t i = 0; i < count; i++)
        pack_cstr(&names, types[i]);
    struct message m = {.verb = VERB_READY};
    m.ready = (struct ready){.ref = 1, .window = 8, .types = buffer_slice(&names)};
    raw_send(agent, &m);
    buffer_done(&names);
}

static void agent_that_names_its_types_is_given_what_waits_of_one_that_is_gone(void **state) {
    (void)state;
    struct town *town = town_new(NULL);
    types_write(town, "", town_survey("treasury"));
    town_start(town);
    struct far *portal = far_open(town, "portal", 2);
    uint64_t survey = far_submit(portal, "plot.survey", "1-1-1", NULL);
    uint64_t debt = far_submit(portal, "plot.debt", "1-1-1", NULL);
    types_write(town, "", "");
    town_reload(town, "reloaded");
    for (int round = 0; round < 2; round++) { /* before and after a restart */
        struct raw *agent = raw_session(town, "treasury-a");
        ready_with(agent, (const char *const[]){"plot.debt", "plot.survey"}, 2);
        raw_receive(agent, VERB_DONE);
        assert_int_equal(raw_receive(agent, VERB_ASSIGN)->assign.number, survey);
        assert_int_equal(raw_receive(agent, VERB_ASSIGN)->assign.number, debt);
        raw_close(&agent);
        assert_int_equal(town_stop(town), 0);
        town_start(town);
    }
    town_end(town);
}

static void every_type_that_an_agent_may_not_have_is_named(void **state) {
    (void)state;
    struct town *town = town_new(NULL);
    town_start(town);
    struct raw *agent = raw_session(town, "treasury-a");
    ready_with(agent, (const char *const[]){"plot.nothing", "plot.debt", "plot.use"}, 3);
    const struct message *refused = raw_receive(agent, VERB_ERROR);
    assert_int_equal(refused->error.code, EST_UNKNOWN_TYPE);
    struct cursor c;
    est_defect defect;
    size_t count;
    assert_true(rows_open(&c, refused->error.defects, &count));
    assert_int_equal(count, 2);
    assert_true(defect_next(&c, &defect));
    assert_string_equal(defect.path, "plot.nothing");
    assert_string_equal(defect.kind, "unknown");
    assert_true(defect_next(&c, &defect));
    assert_string_equal(defect.path, "plot.use");
    assert_string_equal(defect.kind, "choice");
    town_end(town);
}

static void accounts_out(struct town *town, struct town_account *kept, size_t first, size_t count) {
    memcpy(kept, &town->accounts[first], count * sizeof *kept);
    memmove(&town->accounts[first], &town->accounts[first + count],
            (town->accounts_count - first - count) * sizeof *kept);
    town->accounts_count -= count;
    town_accounts_write(town);
}

static void accounts_in(struct town *town, const struct town_account *kept, size_t count) {
    memcpy(&town->accounts[town->accounts_count], kept, count * sizeof *kept);
    town->accounts_count += count;
    town_accounts_write(town);
}

/* `restart`: the broker starts anew while the accounts are away. */
static void account_comes_back(int restart) {
    struct town *town = town_new(NULL);
    types_write(town, "", town_survey("treasury"));
    town_start(town);
    struct far *portal = far_open(town, "portal", 2);
    uint64_t number = far_submit(portal, "plot.survey", "1-1-1", NULL);
    types_write(town, "", "");
    town_reload(town, "reloaded");
    struct town_account kept[2];
    accounts_out(town, kept, (size_t)(town_account(town, "treasury-a") - town->accounts), 2);
    town_reload(town, "reloaded");
    if (restart) {
        assert_int_equal(town_stop(town), 0);
        town_start(town);
    }
    accounts_in(town, kept, 2);
    town_reload(town, "reloaded");
    struct raw *agent = raw_agent(town, "treasury-a", 1);
    assert_int_equal(raw_receive(agent, VERB_ASSIGN)->assign.number, number);
    town_end(town);
}

static void account_that_was_away_answers_what_is_under_way_of_a_type_that_is_gone(void **state) {
    (void)state;
    account_comes_back(0);
}

static void account_that_was_away_over_a_restart_answers_what_is_under_way_of_a_type_that_is_gone(void **state) {
    (void)state;
    account_comes_back(1);
}

/* Both of the department's accounts make room for two of other names. */
static void new_account_answers_what_is_under_way_of_a_type_that_is_gone_where_nobody_else_is_left(void **state) {
    (void)state;
    struct town *town = town_new(NULL);
    types_write(town, "", town_survey("treasury"));
    town_start(town);
    struct far *portal = far_open(town, "portal", 2);
    uint64_t survey = far_submit(portal, "plot.survey", "1-1-1", NULL);
    uint64_t debt = far_submit(portal, "plot.debt", "1-1-1", NULL);
    struct town_account kept[2];
    accounts_out(town, kept, (size_t)(town_account(town, "treasury-a") - town->accounts), 2);
    kept[0].name = "treasury-c";
    kept[1].name = "treasury-d";
    types_write(town, "", "");
    accounts_in(town, kept, 2);
    town_reload(town, "reloaded");
    struct raw *agent = raw_agent(town, "treasury-c", 8);
    assert_int_equal(raw_receive(agent, VERB_ASSIGN)->assign.number, survey);
    assert_int_equal(raw_receive(agent, VERB_ASSIGN)->assign.number, debt);
    town_end(town);
}

/* --- Confidential types ------------------------------------------------------------------------------- */

static void survey_write(struct town *town, bool confidential) {
    char type[1024];
    snprintf(type, sizeof type, "%s%s", town_survey("treasury"), confidential ? "    confidential: true\n" : "");
    types_write(town, "", type);
}

/* Of what this operator finds when the index has caught up: how many rows, and how many were counted. */
static size_t found_by(struct far *far, const char *filter, uint64_t *ret_count) {
    for (int64_t until = now_ms() + WAIT_MS; now_ms() < until; far_poll(far, 50)) {
        est_find_row row;
        size_t rows = 0;
        uint64_t ref = ++far->ref;
        assert_int_equal(est_client_find(far->client, ref, filter, 0, 0, true), 0);
        const est_event *found = NULL;
        while (!found && !far_peek(far, (struct want){.kind = EST_EVENT_REFUSED, .ref = ref})) /* it is being built */
            if (!(found = far_peek(far, (struct want){.kind = EST_EVENT_FIND, .ref = ref})))
                assert_true(far_poll(far, WAIT_MS));
        if (!found || found->behind > 0)
            continue;
        while (est_row_find(found, rows, &row))
            rows++;
        *ret_count = found->count;
        return rows;
    }
    fail_msg("`%s` is not answered", filter);
    return 0;
}

/* Of this inquiry, in the whole log. */
static size_t events_of(struct far *far, uint64_t number, bool *ret_confidential) {
    size_t rows = 0;
    const est_event *page;
    uint64_t after = 0;
    do {
        est_event_row row;
        assert_int_equal(est_client_events(far->client, ++far->ref, NULL, after, 3), 0);
        page = far_wait(far, EST_EVENT_EVENTS, .ref = far->ref);
        for (size_t i = 0; est_row_event(page, i, &row); i++) {
            rows += row.number == number;
            *ret_confidential = row.number == number ? row.confidential : *ret_confidential;
        }
        after = page->next;
    } while (after < page->head);
    return rows;
}

static bool parked_for(struct far *far, uint64_t number) {
    est_parked_row row;
    bool there = false;
    assert_int_equal(est_client_parked(far->client, ++far->ref, NULL, 0, 0), 0);
    const est_event *page = far_wait(far, EST_EVENT_PARKED, .ref = far->ref);
    for (size_t i = 0; est_row_parked(page, i, &row); i++)
        there = there || row.number == number;
    return there;
}

/* Whoever sees it is told; whoever does not is refused, and cannot steer it either. Who sees it steers another here, so
 * that this one stays as it is. */
static void expect_named(struct far *far, uint64_t number, bool seen) {
    enum { ASKS = 5 };
    const enum est_event_kind seen_by[ASKS] = {EST_EVENT_STATUS, EST_EVENT_TIMELINE, EST_EVENT_REFUSED,
                                               EST_EVENT_REFUSED, EST_EVENT_REFUSED};
    est_client *c = far->client;
    uint64_t ref = far->ref + 1, steered = seen ? 999999 : number;
    far->ref += ASKS;
    assert_int_equal(est_client_status(c, ref, NULL, number, false), 0);
    assert_int_equal(est_client_timeline(c, ref + 1, NULL, number), 0);
    assert_int_equal(est_client_requeue(c, ref + 2, steered, "a test"), 0);
    assert_int_equal(est_client_redirect(c, ref + 3, steered, 1, "a test"), 0);
    assert_int_equal(est_client_cancel(c, ref + 4, NULL, steered, "a test"), 0);
    for (uint64_t i = 0; i < ASKS; i++) {
        struct want want = {.kind = seen ? seen_by[i] : EST_EVENT_REFUSED, .ref = ref + i};
        int code = far_take(far, want)->code;
        if (want.kind == EST_EVENT_REFUSED)
            assert_int_equal(code, seen ? EST_NOT_FOUND : EST_NOT_ALLOWED);
    }
}

/* One that is parked, of a parcel that has another inquiry too. */
static void expect_seen(struct far *far, uint64_t number, bool seen, bool confidential) {
    uint64_t count;
    bool marked = false;
    assert_int_equal(found_by(far, "parcel:1-1-1", &count), seen ? 2 : 1);
    assert_int_equal(count, seen ? 2 : 1);
    found_by(far, "", &count);
    assert_int_equal(count, seen ? 2 : 1);
    found_by(far, "type:plot.survey", &count);
    assert_int_equal(count, seen);
    assert_int_equal(events_of(far, number, &marked) > 0, seen);
    assert_int_equal(marked, seen && confidential);
    assert_int_equal(parked_for(far, number), seen);
    expect_named(far, number, seen);
}

static void type_is_confidential_for_old_inquiries_too_and_stays_so_when_it_is_gone(void **state) {
    (void)state;
    struct town *town = town_new(NULL);
    survey_write(town, false);
    town_start(town);
    struct far *portal = far_open(town, "portal", 2), *duty = far_open(town, "duty", 0), *chief = far_open(town, "chief", 0);
    struct raw *agent = raw_agent(town, "treasury-a", 1);
    far_submit(portal, "plot.use", "1-1-1", NULL);
    uint64_t number = far_submit(portal, "plot.survey", "1-1-1", NULL);
    const struct message *assign = raw_receive(agent, VERB_ASSIGN);
    struct message refuse = {.verb = VERB_REFUSE, .refuse = {.number = number, .epoch = assign->assign.epoch}};
    raw_send(agent, &refuse);
    raw_receive(agent, VERB_RECORDED);
    expect_seen(duty, number, true, false);
    survey_write(town, true);
    town_reload(town, "reloaded");
    expect_seen(duty, number, false, true);
    expect_seen(chief, number, true, true);
    assert_int_equal(far_status(portal, NULL, number)->state, EST_STATE_PARKED); /* its own */
    est_queue_row queue;
    assert_int_equal(est_client_queues(duty->client, ++duty->ref, "treasury", 0, 0), 0);
    assert_true(est_row_queue(far_wait(duty, EST_EVENT_QUEUES, .ref = duty->ref), 0, &queue) && queue.parked == 1);
    types_write(town, "", "");
    town_reload(town, "reloaded");
    expect_seen(duty, number, false, true);
    town_kill(town);
    town_start(town);
    far_wait(duty, EST_EVENT_DISCONNECTED);
    far_wait(chief, EST_EVENT_DISCONNECTED);
    expect_seen(duty, number, false, true);
    expect_seen(chief, number, true, true);
    survey_write(town, false); /* open again, and so is every one of them */
    town_reload(town, "reloaded");
    expect_seen(duty, number, true, false);
    town_end(town);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CLAIM(broken_configuration_is_refused_with_its_reason_and_the_old_one_stays),
        CLAIM(change_that_waits_for_a_restart_is_told_at_each_reload),
        CLAIM(pipe_in_a_files_place_is_refused_at_once),
        CLAIM(new_type_goes_live_while_traffic_flows),
        CLAIM(type_that_is_gone_takes_no_more_and_its_inquiries_finish),
        CLAIM(configuration_with_more_accounts_than_there_is_room_for_changes_nothing),
        CLAIM(configuration_with_more_keys_than_there_is_room_for_changes_nothing),
        CLAIM(inquiry_is_answered_by_the_version_it_began_with),
        CLAIM(inquiry_is_answered_by_the_version_it_began_with_over_a_restart),
        CLAIM(reload_without_a_change_changes_nothing),
        CLAIM(account_moved_to_another_department_answers_for_that_alone),
        CLAIM(department_that_gets_other_districts_is_given_their_work_alone),
        CLAIM(purposes_in_another_order_change_nobodys_rights),
        CLAIM(type_and_account_that_were_gone_come_back_over_a_restart),
        CLAIM(same_submit_gets_its_receipt_also_when_the_citys_parcel_rule_has_changed),
        CLAIM(agent_that_names_its_types_is_given_what_waits_of_one_that_is_gone),
        CLAIM(every_type_that_an_agent_may_not_have_is_named),
        CLAIM(account_that_was_away_answers_what_is_under_way_of_a_type_that_is_gone),
        CLAIM(account_that_was_away_over_a_restart_answers_what_is_under_way_of_a_type_that_is_gone),
        CLAIM(new_account_answers_what_is_under_way_of_a_type_that_is_gone_where_nobody_else_is_left),
        CLAIM(type_is_confidential_for_old_inquiries_too_and_stays_so_when_it_is_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
