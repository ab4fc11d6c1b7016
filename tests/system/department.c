/* department.c - estelam-agent at a real broker: what it is refused for, and what it says then. */
#include "harness.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { EXIT_CONFIGURATION = 2, EXIT_REFUSED = 3 };

/* Starts estelam-agent with this account's name, that account's key and these types. */
static struct child *department_start(struct town *town, const char *account, const struct key_pair *key,
                                      const char *types) {
    char text[1024], path[FOLDER_MAX + 32];
    snprintf(text, sizeof text, "public: \"%s\"\nsecret: \"%s\"\n", key->public_key, key->secret_key);
    town_file(town, "agent.key", text);
    town_file(town, "answer.sh", "#!/bin/sh\ncat >/dev/null\necho '{\"outcome\":\"positive\",\"body\":{\"debt\":1}}'\n");
    snprintf(path, sizeof path, "%s/answer.sh", town->folder);
    assert_int_equal(chmod(path, 0700), 0);
    snprintf(text, sizeof text,
             "broker: {server_key: \"%s\", account: %s, key: agent.key, endpoints: [\"%s\"]}\n"
             "exec: {command: [\"%s\"], types: [%s]}\n",
             town->server.public_key, account, town->endpoints[DEPARTMENTS], path, types);
    town_file(town, "agent.yaml", text);
    snprintf(path, sizeof path, "%s/agent.yaml", town->folder);
    return child_start((const char *const[]){DEPARTMENT_PROGRAM, "--config", path, NULL});
}

/* The same; its exit status. */
static int department_ends(struct town *town, const char *account, const struct key_pair *key,
                           const char *types, struct child **ret) {
    *ret = department_start(town, account, key, types);
    return child_wait(*ret);
}

static void types_write(struct town *town, const char *survey_by) {
    char *text = town_types("", survey_by != NULL ? town_survey(survey_by) : "");
    town_file(town, TOWN_TYPES, text);
    free(text);
}

static void answered(struct far *portal, const char *type) {
    est_id id;
    far_submit(portal, type, "1-1-1", &id);
    assert_int_equal(far_wait(portal, EST_EVENT_RESULT, .id = &id)->state, EST_STATE_ANSWERED);
}

static void restart(struct town *town, struct far *portal) {
    assert_int_equal(town_stop(town), 0);
    town_start(town);
    far_wait(portal, EST_EVENT_CONNECTED);
}

/* What the agent was set up for with `types` while treasury answered plot.survey; then `now` does, NULL: nobody. */
static void goes_on(const char *types, const char *now, const char *says) {
    struct town *town = town_new(NULL);
    types_write(town, "treasury");
    town_start(town);
    struct far *portal = far_open(town, "portal", 2);
    struct child *agent = department_start(town, "treasury-a", &town_account(town, "treasury-a")->key, types);
    answered(portal, "plot.survey");
    answered(portal, "plot.debt");
    types_write(town, now);
    town_reload(town, "reloaded");
    answered(portal, "plot.debt");
    restart(town, portal);
    answered(portal, "plot.debt");
    if (says != NULL)
        child_error_wait(agent, says);
    child_signal(agent, SIGTERM);
    assert_int_equal(child_wait(agent), 0);
    child_free(&agent);
    town_end(town);
}

static void type_that_is_retired_stops_none_of_the_others_also_after_a_restart(void **state) {
    (void)state;
    goes_on("plot.debt, plot.survey", NULL, NULL);
}

static void type_that_goes_to_another_department_stops_none_of_the_others(void **state) {
    (void)state;
    goes_on("plot.survey, plot.debt", "works", "plot.survey is left out: this type is not this account's");
}

static void type_that_never_was_is_left_out_with_a_word(void **state) {
    (void)state;
    goes_on("plot.survey, plot.nothing, plot.debt", NULL, "plot.nothing is left out: there is no such type");
}

static void agent_none_of_whose_types_is_there_waits_for_one(void **state) {
    (void)state;
    struct town *town = town_new(NULL);
    town_start(town);
    struct far *portal = far_open(town, "portal", 2);
    struct child *agent = department_start(town, "treasury-a", &town_account(town, "treasury-a")->key, "plot.survey");
    child_error_wait(agent, "the broker has none of this agent's types; waiting for one");
    types_write(town, "treasury");
    town_reload(town, "reloaded");
    answered(portal, "plot.survey");
    child_free(&agent);
    town_end(town);
}

static void type_that_is_not_its_own_is_named_and_the_key_not_blamed(void **state) {
    (void)state;
    struct town *town = town_new(NULL);
    struct child *agent;
    town_start(town);
    int status =
        department_ends(town, "works-a", &town_account(town, "works-a")->key, "plot.debt", &agent);
    assert_int_equal(status, EXIT_REFUSED);
    assert_true(child_error_has(agent, "types: `plot.debt` is not this account's"));
    assert_true(child_error_has(agent, "the key is good"));
    assert_false(child_error_has(agent, "public:"));
    child_free(&agent);
    town_end(town);
}

static void unknown_key_is_to_be_shown_to_the_operator(void **state) {
    (void)state;
    struct town *town = town_new(NULL);
    struct child *agent;
    struct key_pair stranger;
    key_make(&stranger);
    town_start(town);
    assert_int_equal(department_ends(town, "works-a", &stranger, "plot.use", &agent), EXIT_REFUSED);
    assert_true(child_error_has(agent, "the public: line of the key file"));
    child_free(&agent);
    town_end(town);
}

static void another_accounts_key_is_a_mistake_in_the_file(void **state) {
    (void)state;
    struct town *town = town_new(NULL);
    struct child *agent;
    town_start(town);
    int status = department_ends(town, "works-a", &town_account(town, "treasury-a")->key, "plot.use", &agent);
    assert_int_equal(status, EXIT_CONFIGURATION);
    assert_true(child_error_has(agent, "as the account treasury-a, not as works-a"));
    assert_true(child_error_has(agent, "set broker.account and broker.key"));
    child_free(&agent);
    town_end(town);
}

/* Of which many hold that it reloads. */
static void hangup_is_said_to_change_nothing(void **state) {
    (void)state;
    struct town *town = town_new(NULL);
    town_start(town);
    struct child *agent = department_start(town, "works-a", &town_account(town, "works-a")->key, "plot.use");
    child_error_wait(agent, "connected to the broker");
    child_signal(agent, SIGHUP);
    child_error_wait(agent, "SIGHUP changes nothing: the agent's file is read at the start only");
    child_signal(agent, SIGHUP);
    child_error_wait(agent, "SIGHUP changes nothing");
    child_signal(agent, SIGTERM);
    assert_int_equal(child_wait(agent), 0);
    child_free(&agent);
    town_end(town);
}

/* The bytes by which SQLite locks a file, held as by a program that writes to it. */
static int database_lock(struct town *town) {
    char path[FOLDER_MAX + 32];
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0x40000000, .l_len = 512};
    town_file(town, "tax.db", "");
    snprintf(path, sizeof path, "%s/tax.db", town->folder);
    int file = open(path, O_RDWR | O_CLOEXEC);
    assert_true(file >= 0);
    assert_int_equal(fcntl(file, F_SETLK, &lock), 0);
    return file;
}

static bool process_has_open(pid_t pid, const char *name) {
    char path[64], at[512];
    for (int fd = 3; fd < 256; fd++) {
        snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)pid, fd);
        ssize_t size = readlink(path, at, sizeof at - 1);
        at[size > 0 ? size : 0] = 0;
        if (strstr(at, name))
            return true;
    }
    return false;
}

static void agent_ends_though_its_database_does_not_let_go(void **state) {
    (void)state;
    struct town *town = town_new(NULL);
    const struct key_pair *key = &town_account(town, "treasury-a")->key;
    char text[2048], path[FOLDER_MAX + 32];
    town_start(town);
    int file = database_lock(town);
    snprintf(text, sizeof text, "public: \"%s\"\nsecret: \"%s\"\n", key->public_key, key->secret_key);
    town_file(town, "agent.key", text);
    snprintf(text, sizeof text,
             "broker: {server_key: \"%s\", account: treasury-a, key: agent.key, endpoints: [\"%s\"]}\n"
             "sql: {connection: \"Driver=SQLite3;Database=%s/tax.db\", query_timeout: 600 s,\n"
             "      types: {plot.debt: {select: SELECT 1 AS debt}}}\n",
             town->server.public_key, town->endpoints[DEPARTMENTS], town->folder);
    town_file(town, "agent.yaml", text);
    snprintf(path, sizeof path, "%s/agent.yaml", town->folder);
    struct child *agent = child_start((const char *const[]){DEPARTMENT_PROGRAM, "--config", path, NULL});
    struct far *portal = far_open(town, "portal", 1);
    far_submit(portal, "plot.debt", "1-1-1", NULL);
    int64_t start = now_ms();
    while (!process_has_open(child_pid(agent), "tax.db")) {
        assert_true(now_ms() - start < WAIT_MS);
        far_poll(portal, 10);
    }
    start = now_ms();
    child_signal(agent, SIGTERM);
    assert_int_equal(child_wait(agent), 0);
    assert_true(now_ms() - start >= 9000); /* and it did end */
    assert_true(child_error_has(agent, "1 inquiries unfinished"));
    assert_true(child_error_has(agent, "does not let go"));
    far_close(&portal);
    child_free(&agent);
    close(file);
    town_end(town);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CLAIM(type_that_is_not_its_own_is_named_and_the_key_not_blamed),
        CLAIM(type_that_is_retired_stops_none_of_the_others_also_after_a_restart),
        CLAIM(type_that_goes_to_another_department_stops_none_of_the_others),
        CLAIM(type_that_never_was_is_left_out_with_a_word),
        CLAIM(agent_none_of_whose_types_is_there_waits_for_one),
        CLAIM(unknown_key_is_to_be_shown_to_the_operator),
        CLAIM(hangup_is_said_to_change_nothing),
        CLAIM(another_accounts_key_is_a_mistake_in_the_file),
        CLAIM(agent_ends_though_its_database_does_not_let_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
