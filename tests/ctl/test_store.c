/* test_store.c - `estelam store check`, `backup` and `restore` as people run them: a good store, a damaged one,
 * and none. */
#include "command.h"
#include "program.h"
#include "store.h"

#include <fcntl.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
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

static const char *path_of(const char *folder, const char *name) {
    static char path[300];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static int store_teardown(void **state) {
    char name[64];
    static const char *const folders[] = {"store", "copy", "copy.unfinished", "back"},
                             *const names[] = {"data.mdb", "lock.mdb", "broker.lock", "journal", ""};
    for (size_t f = 0; f < sizeof folders / sizeof folders[0]; f++)
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
            snprintf(name, sizeof name, "%s/%s", folders[f], names[i]);
            remove(path_of(*state, name));
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

/* --- Copies ------------------------------------------------------------------------------------------------- */

static bool is_there(const char *folder, const char *name) {
    return access(path_of(folder, name), F_OK) == 0;
}

static json_int_t figure(const char *name) {
    json_t *answer = json_loads(ran.out, 0, NULL);
    assert_non_null(answer);
    json_int_t value = json_integer_value(json_object_get(answer, name));
    json_decref(answer);
    return value;
}

static void backup_goes_there_and_back(void **state) {
    RUN(*state, "store", "backup", "store", "copy/", "--json");
    assert_int_equal(ran.status, EXIT_OK);
    assert_int_equal(figure("events"), 2);
    assert_string_equal(ran.err, "");
    assert_false(is_there(*state, "copy.unfinished"));
    struct stat info;
    assert_int_equal(stat(path_of(*state, "copy"), &info), 0);
    assert_int_equal(info.st_mode & 0777, 0700);
    assert_int_equal(stat(path_of(*state, "copy/data.mdb"), &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_int_equal(mkdir(path_of(*state, "back"), 0700), 0); /* an empty folder is as good as none */
    RUN(*state, "store", "restore", "copy", "back");
    assert_int_equal(ran.status, EXIT_OK);
    assert_non_null(strstr(ran.err, "its numbers are given out again"));
    RUN(*state, "store", "check", "back", "--json");
    assert_int_equal(ran.status, EXIT_OK);
    assert_int_equal(figure("waiting"), 1);
}

static void nothing_is_written_over(void **state) {
    RUN(*state, "store", "backup", "store", "copy");
    assert_int_equal(ran.status, EXIT_OK);
    RUN(*state, "store", "backup", "store", "copy");
    assert_int_equal(ran.status, EXIT_USAGE);
    assert_non_null(strstr(ran.err, "nothing is written over"));
    RUN(*state, "store", "restore", "copy", "store");
    assert_int_equal(ran.status, EXIT_USAGE);
    assert_non_null(strstr(ran.err, "move it away"));
    RUN(*state, "store", "backup", "store", "copy/data.mdb");
    assert_int_equal(ran.status, EXIT_USAGE);
    RUN(*state, "store", "backup", "nowhere", "back");
    assert_int_equal(ran.status, EXIT_USAGE);
    assert_non_null(strstr(ran.err, "nowhere: there is no store here"));
    RUN(*state, "store", "backup", "store", "nowhere/back");
    assert_int_equal(ran.status, EXIT_LOCAL);
    assert_non_null(strstr(ran.err, "nowhere: No such file"));
    assert_false(is_there(*state, "back"));
    RUN(*state, "store", "check", "copy");
    assert_int_equal(ran.status, EXIT_OK);
}

static void damaged_store_makes_no_backup(void **state) {
    body_damage(*state);
    RUN(*state, "store", "backup", "store", "copy");
    assert_int_equal(ran.status, EXIT_NO);
    assert_non_null(strstr(ran.out, "store: damaged: log 2: its checksum does not match"));
    assert_non_null(strstr(ran.err, "nothing was made"));
    assert_false(is_there(*state, "copy") || is_there(*state, "copy.unfinished"));
    RUN(*state, "store", "restore", "store", "copy");
    assert_int_equal(ran.status, EXIT_NO);
    assert_non_null(strstr(ran.err, "take an older backup"));
    assert_int_equal(truncate(path_of(*state, "store/data.mdb"), 6000), 0);
    RUN(*state, "store", "backup", "store", "copy");
    assert_int_equal(ran.status, EXIT_NO);
    assert_false(is_there(*state, "copy") || is_there(*state, "copy.unfinished"));
}

static void backup_that_was_cut_short_is_no_hindrance(void **state) {
    assert_int_equal(mkdir(path_of(*state, "copy.unfinished"), 0700), 0);
    int folder = open(path_of(*state, "copy.unfinished"), O_RDONLY | O_DIRECTORY);
    assert_int_equal(flock(folder, LOCK_EX), 0);
    RUN(*state, "store", "backup", "store", "copy"); /* by the lock it is not cut short, but under way */
    assert_int_equal(ran.status, EXIT_LOCAL);
    assert_non_null(strstr(ran.err, "copy.unfinished: another process is making this one now"));
    close(folder);
    folder_write(*state, "copy.unfinished/data.mdb", "half");
    folder_write(*state, "copy.unfinished/journal", "half");
    RUN(*state, "store", "backup", "store", "copy");
    assert_int_equal(ran.status, EXIT_OK);
    assert_false(is_there(*state, "copy.unfinished"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, store_setup, store_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(good_store_is_summed_up),
        TEST(promises_in_the_journal_are_counted),
        TEST(damaged_store_is_a_no_that_names_the_record),
        TEST(folder_without_a_store_is_a_wrong_command_line),
        TEST(backup_goes_there_and_back),
        TEST(nothing_is_written_over),
        TEST(damaged_store_makes_no_backup),
        TEST(backup_that_was_cut_short_is_no_hindrance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
