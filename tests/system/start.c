/* start.c - how a broker begins, or says why it does not; and a second city, from files alone. */
#include "harness.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EXIT_CONFIG = 3, EXIT_STORE = 4, EXIT_NET = 5 };

/* --- What keeps it from starting -------------------------------------------------------------------- */

static void second_broker_on_the_same_store_is_refused(void **state) {
    (void)state;
    struct town *town = town_new(NULL);
    town_start(town);
    struct far *portal = far_open(town, "portal", 2);
    char path[FOLDER_MAX + 16];
    snprintf(path, sizeof path, "%s/broker.yaml", town->folder);
    const char *const argv[] = {BROKER_PROGRAM, "--config", path, NULL};
    struct child *second = child_start(argv);
    assert_int_equal(child_wait(second), EXIT_STORE);
    child_error_wait(second, "another broker");
    assert_null(child_line(second, "listening "));
    far_submit(portal, "plot.debt", "1-1-1", NULL); /* the first one goes on */
    town_end(town);
}

static void port_in_use_is_said_and_nothing_listens(void **state) {
    (void)state;
    struct town *first = town_new(NULL), *second = town_new(NULL);
    town_start(first);
    snprintf(second->endpoints[OPERATORS], ENDPOINT_MAX, "%s", first->endpoints[OPERATORS]);
    town_broker_write(second);
    assert_int_equal(town_start_fails(second), EXIT_NET);
    child_error_wait(second->broker, first->endpoints[OPERATORS]);
    child_error_wait(second->broker, "in use");
    assert_null(child_line(second->broker, "listening "));
    child_free(&second->broker);
    far_open(first, "portal", 2);
    town_end(second);
    town_end(first);
}

static void configuration_with_mistakes_is_told_with_all_of_them(void **state) {
    (void)state;
    struct town *town = town_new(NULL);
    town_file(town, "accounts.yaml", "accounts:\n  a: {role: king}\n  b: {role: queen}\n");
    assert_int_equal(town_start_fails(town), EXIT_CONFIG);
    child_error_wait(town->broker, "accounts.yaml:2:");
    child_error_wait(town->broker, "accounts.yaml:3:");
    child_free(&town->broker);
    town_end(town);
}

static void plain_is_refused_beyond_this_machine(void **state) {
    (void)state;
    struct town *town = town_new(&(struct town_options){.plain = true});
    snprintf(town->endpoints[REQUESTERS], ENDPOINT_MAX, "tcp://0.0.0.0:0");
    town_broker_write(town);
    assert_int_equal(town_start_fails(town), EXIT_CONFIG);
    child_error_wait(town->broker, "plain");
    child_free(&town->broker);
    town_end(town);
}

static void limit_below_what_the_store_holds_is_said(void **state) {
    (void)state;
    struct town *town = town_new(NULL);
    town_start(town);
    struct far *portal = far_open(town, "portal", 2);
    for (int i = 0; i < 3; i++)
        far_submit(portal, "plot.debt", "1-1-1", NULL);
    assert_int_equal(town_stop(town), 0);
    town_limits_write(town, "inquiries_max: 2");
    assert_int_equal(town_start_fails(town), EXIT_STORE);
    child_error_wait(town->broker, "inquiries_max");
    child_free(&town->broker);
    town_broker_write(town);
    town_start(town); /* nothing is lost by it */
    struct far *duty = far_open(town, "duty", 0);
    assert_int_equal(far_stat(duty, "inquiries_waiting"), 3);
    town_end(town);
}

static void lost_log_is_said_and_never_begun_anew(void **state) {
    (void)state;
    struct town *town = town_new(NULL);
    char path[FOLDER_MAX + 32];
    town_start(town);
    child_error_wait(town->broker, "made a new, empty store in");
    far_submit(far_open(town, "portal", 2), "plot.debt", "1-1-1", NULL);
    assert_int_equal(town_stop(town), 0);
    snprintf(path, sizeof path, "%s/store/data.mdb", town->folder);
    assert_int_equal(remove(path), 0);
    assert_int_equal(town_start_fails(town), EXIT_STORE);
    child_error_wait(town->broker, "there is a journal but no log: restore data.mdb");
    child_free(&town->broker);
    snprintf(path, sizeof path, "%s/store/journal", town->folder);
    assert_int_equal(remove(path), 0); /* somebody wants it so */
    town_start(town);
    child_error_wait(town->broker, "made a new, empty store in");
    town_end(town);
}

static void store_cut(struct town *town, off_t size) {
    char path[FOLDER_MAX + 32];
    snprintf(path, sizeof path, "%s/store/data.mdb", town->folder);
    assert_int_equal(truncate(path, size), 0);
}

static void pages_that_are_gone_are_told_when_it_starts_and_when_it_runs(void **state) {
    (void)state;
    enum { PAGE = 4096, METAS = 2, STATUS_FAILED = 1 };
    struct town *town = town_new(NULL);
    est_id id;
    town_start(town);
    struct far *portal = far_open(town, "portal", 2);
    for (int i = 0; i < 100; i++)
        far_submit(portal, "plot.debt", "1-1-1", NULL);
    store_cut(town, METAS * PAGE);
    est_id_new(&id);
    far_ask(portal, "plot.debt", "1-1-1", NULL, &id, (est_time){0}); /* a thread writes it, and reads pages for it */
    for (int64_t until = now_ms() + WAIT_MS; !child_has_ended(town->broker) && now_ms() < until;)
        far_poll(portal, 10);
    assert_int_equal(child_wait(town->broker), STATUS_FAILED);
    child_error_wait(town->broker, "the store's pages are damaged");
    child_free(&town->broker);
    assert_int_equal(town_start_fails(town), EXIT_STORE);
    child_error_wait(town->broker, "the store's pages are damaged");
    child_free(&town->broker);
    town_end(town);
}

/* A core tells where; under sanitizers their report does, and the status is theirs. */
static void fault_of_its_own_is_told_and_ends_it_as_ever(void **state) {
    (void)state;
    struct town *town = town_new(NULL);
    town_start(town);
    child_signal(town->broker, SIGSEGV);
    int status = child_wait(town->broker);
    assert_true(status == -SIGSEGV || (status != 0 && child_error_has(town->broker, "Sanitizer")));
    child_error_wait(town->broker, "(SIGSEGV): the store's pages are damaged (or there is a fault in the broker)");
    child_free(&town->broker);
    town_end(town);
}

/* --- What it says when it starts ---------------------------------------------------------------------- */

static void port_0_is_told_as_the_port_that_it_became(void **state) {
    (void)state;
    struct town *town = town_new(&(struct town_options){.any_port = true});
    town_start(town);
    for (int i = 0; i < DOOR_COUNT; i++)
        assert_int_not_equal(atoi(strrchr(town->endpoints[i], ':') + 1), 0);
    far_submit(far_open(town, "portal", 2), "plot.debt", "1-1-1", NULL);
    town_end(town);
}

static void one_city_works_over_plain_on_this_machine(void **state) {
    (void)state;
    struct town *town = town_new(&(struct town_options){.plain = true});
    town_start(town);
    struct child *agent = agent_start(town, "treasury-a", "answer", 1);
    struct far *portal = far_open(town, "portal", 2);
    est_id id;
    far_submit(portal, "plot.debt", "1-1-1", &id);
    assert_int_equal(far_wait(portal, EST_EVENT_RESULT, .id = &id)->state, EST_STATE_ANSWERED);
    child_signal(agent, SIGTERM);
    assert_int_equal(child_wait(agent), 0);
    town_end(town);
}

static void work_goes_to_the_departments_of_its_type(void **state) {
    (void)state;
    struct town *town = town_new(NULL);
    town_start(town);
    struct raw *treasury = raw_agent(town, "treasury-a", 8), *works = raw_agent(town, "works-a", 8);
    struct far *portal = far_open(town, "portal", 2);
    uint64_t debt = far_submit(portal, "plot.debt", "1-1-1", NULL);
    uint64_t use = far_submit(portal, "plot.use", "1-1-1", NULL);
    assert_int_equal(raw_receive(treasury, VERB_ASSIGN)->assign.number, debt);
    assert_int_equal(raw_receive(works, VERB_ASSIGN)->assign.number, use);
    town_end(town);
}

/* --- Another city --------------------------------------------------------------------------------------- */

static const struct town_account kuchak_accounts[] = {
    {.name = "portal", .door = REQUESTERS, .fields = "asks: [{types: all, purposes: [build, sell]}], "},
    {.name = "khazane-agent", .door = DEPARTMENTS, .fields = "department: khazane, "},
    {.name = "duty", .door = OPERATORS, .fields = ""},
    {.name = NULL},
};

static void ask_kuchak(struct far *portal, const char *parcel, const est_id *id) {
    est_body *body = est_body_new();
    assert_non_null(body);
    est_body_text(body, "nz", parcel);
    est_submit submit = {.id = *id, .type = "khazane.bedehi", .purpose = "sell"};
    assert_int_equal(est_body_slice(body, &submit.body), 0);
    assert_int_equal(est_client_submit(portal->client, &submit), 0);
    est_body_free(&body);
}

static void kuchak_boots_from_its_files_alone_and_numbers_its_land_its_own_way(void **state) {
    (void)state;
    struct town *town =
        town_new(&(struct town_options){.catalogue = DEPLOY "/kuchak", .accounts = kuchak_accounts});
    town_start(town);
    struct child *agent = agent_start(town, "khazane-agent", "answer", 1);
    struct far *portal = far_open(town, "portal", 2);
    est_id id, foreign;
    est_id_new(&id);
    ask_kuchak(portal, "12-3-7-40", &id); /* block 12, ward 3 */
    const est_event *receipt = far_wait(portal, EST_EVENT_ACCEPTED, .id = &id);
    assert_int_equal(receipt->district, 3);
    assert_true(text_is(receipt->department, "khazane"));
    const est_event *result = far_wait(portal, EST_EVENT_RESULT, .id = &id);
    assert_int_equal(result->state, EST_STATE_ANSWERED);
    assert_int_equal(result->outcome, EST_OUTCOME_POSITIVE);
    est_id_new(&foreign);
    ask_kuchak(portal, "1-1-1-1-0-0-0", &foreign); /* Tehran's */
    const est_event *refused = far_wait(portal, EST_EVENT_REFUSED, .id = &foreign);
    est_defect defect;
    assert_int_equal(refused->code, EST_INVALID_BODY);
    assert_true(est_row_defect(refused, 0, &defect));
    assert_string_equal(defect.path, "nz");
    assert_non_null(agent);
    town_end(town);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CLAIM(second_broker_on_the_same_store_is_refused),
        CLAIM(port_in_use_is_said_and_nothing_listens),
        CLAIM(configuration_with_mistakes_is_told_with_all_of_them),
        CLAIM(plain_is_refused_beyond_this_machine),
        CLAIM(limit_below_what_the_store_holds_is_said),
        CLAIM(lost_log_is_said_and_never_begun_anew),
        CLAIM(pages_that_are_gone_are_told_when_it_starts_and_when_it_runs),
        CLAIM(fault_of_its_own_is_told_and_ends_it_as_ever),
        CLAIM(port_0_is_told_as_the_port_that_it_became),
        CLAIM(one_city_works_over_plain_on_this_machine),
        CLAIM(work_goes_to_the_departments_of_its_type),
        CLAIM(kuchak_boots_from_its_files_alone_and_numbers_its_land_its_own_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
