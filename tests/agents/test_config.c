/* test_config.c - what is wrong with an agent's file is said with its place, all of it in one run. */
#include "stand.h"
#include "profile.h"
#include "sql_expand.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char folder[256];
static struct complaints complaints;
static struct profile profile;

#define KEY    "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"
#define SECRET "JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6"

static int folder_open(void **state) {
    (void)state;
    folder_make(folder, sizeof folder);
    file_write(folder, "agent.key", "public: \"" KEY "\"\nsecret: \"" SECRET "\"\n", 0600);
    file_write(folder, "twice.key", "public: \"" KEY "\"\nsecret: \"" KEY "\"\n", 0600);
    file_write(folder, "open.key", "public: \"" KEY "\"\nsecret: \"" SECRET "\"\n", 0644);
    file_write(folder, "short.key", "public: \"abc\"\n", 0600);
    file_write(folder, "program", "#!/bin/sh\n", 0700);
    file_write(folder, "text", "hello\n", 0600);
    return 0;
}

static int folder_close(void **state) {
    (void)state;
    folder_remove(folder);
    return 0;
}

/* Writes and opens a file; 0 or -EST_INPUT. */
static int open_text(const char *text) {
    char path[512];
    file_write(folder, "agent.yaml", text, 0600);
    snprintf(path, sizeof path, "%s/agent.yaml", folder);
    memset(&complaints, 0, sizeof complaints);
    return profile_open(path, &complaints, &stand_room, &profile);
}

/* Opens a file that must not do; `line` is where, `part` of the sentence what. */
static void expect_wrong(const char *text, int line, const char *part) {
    char where[32];
    assert_int_equal(open_text(text), -EST_INPUT);
    snprintf(where, sizeof where, ".yaml:%d:", line);
    for (size_t i = 0; i < complaints.kept; i++)
        if (strstr(complaints.at[i].where, where) && strstr(complaints.at[i].text, part))
            return;
    fail_msg("no \"%s\" at line %d; the first of %zu is %s: %s", part, line, complaints.count,
             complaints.at[0].where, complaints.at[0].text);
}

#define BROKER                                                                                               \
    "broker: {server_key: \"" KEY                                                                            \
    "\", account: tax-agent, key: agent.key, endpoints: [\"tcp://127.0.0.1:7502\"]}\n"
#define EXEC "exec: {command: [./program]}\n"
#define SQL  "sql:\n  connection: \"Driver=SQLite3;\"\n  types:\n    t:\n"

static void a_whole_file_is_read(void **state) {
    (void)state;
    assert_int_equal(
        open_text(BROKER
                  "workers: 3\ntypes: [b]\nsigner: سامانه\n"
                  "exec: {command: [./program], types: [a, b], at_once: 2, mode: lines, timeout: 1 min}\n"),
        0);
    assert_int_equal(profile.options.workers, 3);
    assert_int_equal(profile.options.broker.window, 12);
    assert_string_equal(profile.options.broker.account, "tax-agent");
    assert_string_equal(profile.options.broker.server_key, KEY);
    assert_string_equal(profile.options.broker.public_key, KEY);
    assert_string_equal(profile.options.broker.secret_key, SECRET);
    assert_string_equal(profile.options.broker.endpoints[0], "tcp://127.0.0.1:7502");
    assert_null(profile.options.broker.endpoints[1]);
    assert_string_equal(profile.options.types[0], "b");
    assert_null(profile.options.types[1]);
    assert_string_equal(profile.signer, "سامانه");
    profile_close(&profile);
}

static void without_types_the_back_end_decides(void **state) {
    (void)state;
    assert_int_equal(open_text(BROKER SQL "      select: SELECT 1\n    u: {select: SELECT 2}\n"), 0);
    assert_string_equal(profile.options.types[0], "t");
    assert_string_equal(profile.options.types[1], "u");
    assert_null(profile.options.types[2]);
    profile_close(&profile);
    assert_int_equal(open_text(BROKER "types: all\n" EXEC), 0);
    assert_null(profile.options.types);
    assert_int_equal(profile.options.workers, WORKERS_DEFAULT);
    profile_close(&profile);
}

static void plain_needs_no_key(void **state) {
    (void)state;
    assert_int_equal(open_text("broker: {account: a, endpoints: [\"ipc:///tmp/x\"]}\n" EXEC), 0);
    assert_null(profile.options.broker.server_key);
    profile_close(&profile);
}

static void the_broker_section_is_checked(void **state) {
    (void)state;
    expect_wrong(EXEC, 1, "broker");
    expect_wrong("broker: {account: a, endpoints: [\"ipc:///tmp/x\"], colour: red}\n" EXEC, 1, "colour");
    expect_wrong("broker: {endpoints: [\"ipc:///tmp/x\"]}\n" EXEC, 1, "account");
    expect_wrong("broker: {account: a}\n" EXEC, 1, "endpoints");
    expect_wrong("broker: {account: a, endpoints: []}\n" EXEC, 1, "endpoints");
    expect_wrong("broker: {account: a, endpoints: [localhost]}\n" EXEC, 1, "transport");
    expect_wrong("broker: {account: a, endpoints: [\"ipc:///x\"], server_key: abc}\n" EXEC, 1, "Z85");
    expect_wrong("broker: {account: a, endpoints: [\"ipc:///x\"], server_key: \"" KEY "\"}\n" EXEC, 1, "key");
    expect_wrong("broker: {account: a, endpoints: [\"ipc:///x\"], key: twice.key, server_key: \"" KEY "\"}\n" EXEC,
                 1, "do not belong together");
    expect_wrong("broker: {account: a, endpoints: [\"ipc:///x\"], key: open.key}\n" EXEC, 1, "chmod 600");
    expect_wrong("workers: 65\n" BROKER EXEC, 1, "64");
    expect_wrong(BROKER "types: [other]\nexec: {command: [./program], types: [a]}\n", 2, "other");
    assert_int_equal(open_text("broker: {account: a, endpoints: [\"ipc:///x\"], key: short.key}\n" EXEC),
                     -EST_INPUT);
    assert_non_null(strstr(complaints.at[0].where, "short.key:1:"));
}

static void there_is_exactly_one_back_end(void **state) {
    (void)state;
    expect_wrong(BROKER, 1, "no back end");
    expect_wrong(BROKER EXEC SQL "      select: SELECT 1\n", 2, "one back end");
    expect_wrong(BROKER "exec: {mode: twice}\n" SQL "      select: DELETE\n", 2, "twice");
    expect_wrong(BROKER "exec: {mode: twice}\n" SQL "      select: DELETE\n", 7, "read_only");
}

static void the_exec_section_is_checked(void **state) {
    (void)state;
    expect_wrong(BROKER "exec: {mode: lines}\n", 2, "command");
    expect_wrong(BROKER "exec: {command: ./program}\n", 2, "list");
    expect_wrong(BROKER "exec: {command: []}\n", 2, "list");
    expect_wrong(BROKER "exec: {command: [./absent]}\n", 2, "not there or not executable");
    expect_wrong(BROKER "exec: {command: [./text]}\n", 2, "not there or not executable");
    expect_wrong(BROKER "exec: {command: [./program], mode: twice}\n", 2, "twice");
    expect_wrong(BROKER "exec: {command: [./program], timeout: 0 s}\n", 2, "timeout");
    expect_wrong(BROKER "exec: {command: [./program], at_once: 0}\n", 2, "at_once");
    expect_wrong(BROKER "exec: {command: [./program], tyeps: [a]}\n", 2, "tyeps");
}

static void the_sql_section_is_checked(void **state) {
    (void)state;
    unsetenv("NOT_SET_ANYWHERE");
    expect_wrong(BROKER "sql:\n  connection: \"DB=${NOT_SET_ANYWHERE}\"\n  types: {t: {select: SELECT 1}}\n",
                 3, "NOT_SET_ANYWHERE");
    expect_wrong(BROKER "sql:\n  connection: x\n", 3, "types");
    expect_wrong(BROKER "sql:\n  connection: x\n  types: {}\n", 4, "types");
    expect_wrong(BROKER "sql:\n  connection: x\n  query_timeout: 1500 ms\n  types: {t: {select: SELECT 1}}\n",
                 4, "whole seconds");
    expect_wrong(BROKER SQL "      reply: {a: b}\n", 6, "select");
    expect_wrong(BROKER SQL "      select: DELETE FROM t\n", 6, "read_only: false");
    expect_wrong(BROKER SQL "      select: SELECT '\n", 6, "not closed");
    expect_wrong(BROKER SQL "      select: SELECT 1\n      outcome: maybe\n", 7, "maybe");
    expect_wrong(BROKER SQL "      select: SELECT 1\n      outcome: {column: c, map: {Y: perhaps}}\n", 7,
                 "perhaps");
    expect_wrong(BROKER SQL "      select: SELECT 1\n      no_row: none\n", 7, "none");
    expect_wrong(BROKER SQL "      select: SELECT 1\n      rows: all\n", 7, "rows");
    expect_wrong(BROKER SQL "      select: SELECT 1\n      reply: {a: {split: \",\"}}\n", 7, "column");
    expect_wrong(BROKER SQL "      select: SELECT 1\n      reply: {a: {column: c, kind: real}}\n", 7, "real");
    expect_wrong(BROKER SQL "      select: SELECT 1\n      reply: {a: {column: c, json: true, kind: int}}\n",
                 7, "json");
    expect_wrong(BROKER SQL "      select: SELECT 1\n      reply: {a: {column: c, split: \"\"}}\n", 7,
                 "split");
    expect_wrong(BROKER SQL "      select: SELECT 1\n      reson: x\n", 7, "reson");
}

static void texts_that_no_row_can_change_are_checked(void **state) {
    (void)state;
    char text[2048];
    expect_wrong(BROKER SQL "      select: SELECT 1\n      valid_until: 1404/13/40\n", 7, "Jalali");
    expect_wrong(BROKER SQL "      select: SELECT 1\n      valid_until: 2025-12-30\n", 7, "Jalali");
    expect_wrong(
        BROKER SQL
        "      select: SELECT 1\n      valid_until:\n        column: a\n        map: {Y: 1404/12/31}\n",
        9, "Jalali");
    snprintf(text, sizeof text, "%s      reason: x%0*d\n", BROKER SQL "      select: SELECT 1\n",
             EST_NAME_MAX, 0);
    expect_wrong(text, 7, "reason: is longer than 64 bytes");
    snprintf(text, sizeof text, "%s      legal_ref: x%0*d\n", BROKER SQL "      select: SELECT 1\n",
             EST_TEXT_MAX, 0);
    expect_wrong(text, 7, "legal_ref: is longer than");
    assert_int_equal(open_text(BROKER SQL "      select: SELECT 1\n      valid_until: 1403/12/30\n"
                                          "      reason: {column: c, map: {Y: \"\"}}\n"),
                     0);
    profile_close(&profile);
}

static void one_run_finds_everything(void **state) {
    (void)state;
    assert_int_equal(open_text("broker: {account: a, endpoints: [x], colour: red}\nworkers: 0\n" SQL
                               "      select: DELETE\n      outcome: maybe\n"),
                     -EST_INPUT);
    assert_int_equal(complaints.count, 5);
}

static void what_is_written_without_read_only_may_change_things(void **state) {
    (void)state;
    assert_int_equal(
        open_text(BROKER "sql:\n  connection: x\n  read_only: false\n  types:\n    t: {select: EXEC p}\n"),
        0);
    profile_close(&profile);
}

static void variables_come_from_the_environment(void **state) {
    (void)state;
    char why[128];
    setenv("AGENT_TEST_A", "x;y", 1);
    setenv("AGENT_TEST_B", "", 1);
    char *text = sql_expand("a=${AGENT_TEST_A};b=${AGENT_TEST_B}$c{}", why, sizeof why);
    assert_string_equal(text, "a=x;y;b=$c{}");
    free(text);
    assert_null(sql_expand("${AGENT_TEST_A", why, sizeof why));
    assert_null(sql_expand("${}", why, sizeof why));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_file_is_read),
        cmocka_unit_test(without_types_the_back_end_decides),
        cmocka_unit_test(plain_needs_no_key),
        cmocka_unit_test(the_broker_section_is_checked),
        cmocka_unit_test(there_is_exactly_one_back_end),
        cmocka_unit_test(the_exec_section_is_checked),
        cmocka_unit_test(the_sql_section_is_checked),
        cmocka_unit_test(texts_that_no_row_can_change_are_checked),
        cmocka_unit_test(one_run_finds_everything),
        cmocka_unit_test(what_is_written_without_read_only_may_change_things),
        cmocka_unit_test(variables_come_from_the_environment),
    };
    return cmocka_run_group_tests(tests, folder_open, folder_close);
}
