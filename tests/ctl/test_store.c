/* test_store.c - `estelam store check` as people run it: a good store, a damaged one, and none. */
#include "command.h"
#include "program.h"
#include "store.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static struct ran ran;

#define RUN(folder, ...) program_run(&ran, folder, (const char *const[]){PROGRAM, __VA_ARGS__, NULL})

/* Two events: a generation, and one inquiry that waits. */
static int store_setup(void **state) {
    char path[300];
    struct store *store = NULL;
    *state = folder_make();
    snprintf(path, sizeof path, "%s/store", (char *)*state);
    struct store_options options = {.directory = path};
    struct event started = {.seq = 1, .at = {1000}, .generation = 1, .type = EVENT_STARTED, .started = {1}};
    struct event asked = {.seq = 2, .at = {1000}, .generation = 1, .number = 2, .type = EVENT_SUBMITTED};
    asked.submitted.account = asked.submitted.type = 1;
    asked.submitted.body = (est_slice){"a body that can be found", 24};
    if (store_open(&options, &store) != 0 || store_begin(store) != 0 || store_append(store, &started) != 0 ||
        store_append(store, &asked) != 0 || store_commit(store) != 0)
        return -1;
    store_close(&store);
    return 0;
}

static int store_teardown(void **state) {
    char path[300];
    static const char *const names[] = {"data.mdb", "lock.mdb", "broker.lock", "journal", ""};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "%s/store/%s", (char *)*state, names[i]);
        remove(path);
    }
    folder_remove(*state);
    return 0;
}

/* Every copy of the body in the file. */
static void body_damage(const char *folder) {
    static char bytes[1 << 20];
    char path[300];
    snprintf(path, sizeof path, "%s/store/data.mdb", folder);
    FILE *file = fopen(path, "r+");
    assert_non_null(file);
    size_t size = fread(bytes, 1, sizeof bytes, file);
    char *at = memmem(bytes, size, "a body that", 11);
    assert_non_null(at);
    assert_int_equal(fseek(file, at - bytes, SEEK_SET), 0);
    assert_int_equal(fputc('b', file), 'b');
    assert_int_equal(fclose(file), 0);
}

static void good_store_is_summed_up(void **state) {
    RUN(*state, "store", "check", "store");
    assert_int_equal(ran.status, EXIT_OK);
    assert_non_null(strstr(ran.out, "events"));
    RUN(*state, "store", "check", "store", "--json");
    assert_int_equal(ran.status, EXIT_OK);
    json_t *answer = json_loads(ran.out, 0, NULL);
    assert_non_null(answer);
    assert_true(json_is_true(json_object_get(answer, "good")));
    assert_int_equal(json_integer_value(json_object_get(answer, "events")), 2);
    assert_int_equal(json_integer_value(json_object_get(answer, "waiting")), 1);
    assert_int_equal(json_integer_value(json_object_get(answer, "ended")), 0);
    json_decref(answer);
}

/* A broker that died: what it promised last is in its journal. */
static void broker_die(const char *folder) {
    char path[300];
    snprintf(path, sizeof path, "%s/store", folder);
    struct store_options options = {.directory = path};
    struct store *store = NULL;
    struct event asked = {.seq = 3, .at = {2000}, .generation = 1, .number = 3, .type = EVENT_SUBMITTED};
    asked.submitted.account = 2;
    asked.submitted.type = 1;
    bool good = store_open(&options, &store) == 0 && store_begin(store) == 0 && store_append(store, &asked) == 0 &&
                store_commit(store) == 0;
    _exit(good ? 0 : 1);
}

/* The keeper waits for some milliseconds before it writes; where it was faster the event is in the log. */
static void promises_in_the_journal_are_counted(void **state) {
    int status;
    pid_t child = fork();
    if (child == 0)
        broker_die(*state);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    RUN(*state, "store", "check", "store", "--json");
    assert_int_equal(ran.status, EXIT_OK);
    json_t *answer = json_loads(ran.out, 0, NULL);
    assert_non_null(answer);
    json_int_t waiting = json_integer_value(json_object_get(answer, "journal_events"));
    assert_int_equal(json_integer_value(json_object_get(answer, "events")) + waiting, 3);
    assert_true(json_is_false(json_object_get(answer, "journal_torn")));
    json_decref(answer);
    RUN(*state, "store", "check", "store");
    assert_non_null(strstr(ran.out, "events in the journal"));
    assert_true(waiting == 0 || strstr(ran.err, "at its next start") != NULL);
}

static void damaged_store_is_a_no_that_names_the_record(void **state) {
    body_damage(*state);
    RUN(*state, "store", "check", "store");
    assert_int_equal(ran.status, EXIT_NO);
    assert_non_null(strstr(ran.out, "store: damaged: log 2: its checksum does not match"));
    assert_non_null(strstr(ran.err, "restore the folder from a backup"));
    RUN(*state, "store", "check", "store", "--json");
    assert_int_equal(ran.status, EXIT_NO);
    json_t *answer = json_loads(ran.out, 0, NULL);
    assert_non_null(answer);
    assert_true(json_is_false(json_object_get(answer, "good")));
    assert_string_equal(json_string_value(json_object_get(answer, "table")), "log");
    assert_string_equal(json_string_value(json_object_get(answer, "record")), "2");
    json_decref(answer);
}

static void folder_without_a_store_is_a_wrong_command_line(void **state) {
    RUN(*state, "store", "check", "nowhere");
    assert_int_equal(ran.status, EXIT_USAGE);
    assert_non_null(strstr(ran.err, "there is no store here"));
    RUN(*state, "store", "check");
    assert_int_equal(ran.status, EXIT_USAGE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, store_setup, store_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(good_store_is_summed_up),
        TEST(promises_in_the_journal_are_counted),
        TEST(damaged_store_is_a_no_that_names_the_record),
        TEST(folder_without_a_store_is_a_wrong_command_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
