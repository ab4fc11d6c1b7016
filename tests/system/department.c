/* department.c - estelam-agent at a real broker: what it is refused for, and what it says then. */
#include "harness.h"

#include <signal.h>
#include <stdio.h>

enum { EXIT_CONFIGURATION = 2, EXIT_REFUSED = 3 };

/* Starts estelam-agent with this account's name, that account's key and these types. */
static struct child *department_start(struct town *town, const char *account, const struct key_pair *key,
                                      const char *types) {
    char text[1024], path[FOLDER_MAX + 32];
    snprintf(text, sizeof text, "public: \"%s\"\nsecret: \"%s\"\n", key->public_key, key->secret_key);
    town_file(town, "agent.key", text);
    snprintf(text, sizeof text,
             "broker: {server_key: \"%s\", account: %s, key: agent.key, endpoints: [\"%s\"]}\n"
             "exec: {command: [cat], types: [%s]}\n",
             town->server.public_key, account, town->endpoints[DEPARTMENTS], types);
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

static void type_that_is_not_its_own_is_named_and_the_key_not_blamed(void **state) {
    (void)state;
    struct town *town = town_new(NULL);
    struct child *agent;
    town_start(town);
    int status =
        department_ends(town, "works-a", &town_account(town, "works-a")->key, "plot.use, plot.debt", &agent);
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

int main(void) {
    const struct CMUnitTest tests[] = {
        CLAIM(type_that_is_not_its_own_is_named_and_the_key_not_blamed),
        CLAIM(unknown_key_is_to_be_shown_to_the_operator),
        CLAIM(hangup_is_said_to_change_nothing),
        CLAIM(another_accounts_key_is_a_mistake_in_the_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
