/* test_program.c - `estelam` as people run it, as far as it goes without a broker. */
#include "catalogue.h"
#include "command.h"
#include "program.h"

#include <fcntl.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static struct ran ran;

#define RUN(folder, ...) program_run(&ran, folder, (const char *const[]){PROGRAM, __VA_ARGS__, NULL})

static int folder_setup(void **state) {
    *state = folder_make();
    return 0;
}

static int folder_teardown(void **state) {
    folder_remove(*state);
    return 0;
}

/* --- Identifiers ------------------------------------------------------------------------------ */

static void identifiers_are_judged_with_reason_and_status(void **state) {
    static const struct {
        const char *kind, *value, *canonical; /* NULL: not valid */
    } rows[] = {
        {"nid", "0499370899", "0499370899"},
        {"nid", "۰49٩٣7۰۸9۹", "0499370899"},
        {"nid", "1234567890", NULL},
        {"nid", "1111111111", NULL},
        {"nid", "68415941", NULL},
        {"lid", "10380284790", "10380284790"},
        {"lid", "10103100280", "10103100280"},
        {"lid", "10380284792", NULL},
        {"postal", "1193653471", "1193653471"},
        {"postal", "1619535744", NULL},
        {"parcel", "1-1-1-1-0-0-0", "1-1-1-1-0-0-0"},
        {"parcel", "۲۲-۳-۱۵-۴۰-۱-۱۲-۰", "22-3-15-40-1-12-0"},
        {"parcel", "23-1-1-1-0-0-0", NULL},
        {"parcel", "01-1-1-1-0-0-0", NULL},
        {"file", "22001840320", "22001840320"},
        {"file", "23001840320", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        RUN(*state, "id", "check", rows[i].kind, rows[i].value, "--catalogue", TEHRAN);
        char wanted[80] = "";
        if (rows[i].canonical)
            snprintf(wanted, sizeof wanted, "%s\n", rows[i].canonical);
        assert_string_equal(ran.out, wanted);
        assert_int_equal(ran.status, rows[i].canonical ? EXIT_OK : EXIT_NO);
        if (!rows[i].canonical)
            assert_non_null(strstr(ran.err, rows[i].value));
    }
}

static void the_build_s_own_catalogue_is_the_last_resort(void **state) {
    RUN(*state, "id", "check", "parcel", "۱-۱-۱-۱-۰-۰-۰");
    assert_int_equal(ran.status, EXIT_OK);
    assert_string_equal(ran.out, "1-1-1-1-0-0-0\n");
    RUN(*state, "id", "check", "parcel", "1-1-1-1-0-0-0", "--catalogue", "nowhere");
    assert_int_equal(ran.status, EXIT_USAGE);
}

static void a_program_reads_the_judgement_as_json(void **state) {
    RUN(*state, "id", "check", "parcel", "۲۲-۳-۱۵-۴۰-۱-۱۲-۰", "--catalogue", TEHRAN, "--json");
    json_t *answer = json_loads(ran.out, 0, NULL);
    assert_non_null(answer);
    assert_true(json_is_true(json_object_get(answer, "valid")));
    assert_string_equal(json_string_value(json_object_get(answer, "canonical")), "22-3-15-40-1-12-0");
    assert_int_equal(json_integer_value(json_object_get(answer, "district")), 22);
    json_decref(answer);
    RUN(*state, "id", "check", "nid", "1", "--json");
    assert_int_equal(ran.status, EXIT_NO);
    answer = json_loads(ran.out, 0, NULL);
    assert_true(json_is_false(json_object_get(answer, "valid")));
    assert_true(strlen(json_string_value(json_object_get(answer, "reason"))) > 5);
    json_decref(answer);
}

static void ids_are_fresh_and_sort_by_time(void **state) {
    char first[64];
    RUN(*state, "id", "new");
    assert_int_equal(strlen(ran.out), 37);
    snprintf(first, sizeof first, "%.60s", ran.out);
    RUN(*state, "id", "new");
    assert_true(strcmp(first, ran.out) < 0 || strncmp(first, ran.out, 13) == 0);
    assert_string_not_equal(first, ran.out);
    assert_int_equal(ran.out[14], '7');
}

/* --- Keys ------------------------------------------------------------------------------------- */

static void a_key_file_is_private_and_the_program_itself_can_use_it(void **state) {
    char path[300];
    struct stat info;
    uint8_t public_key[32], secret_key[32], printed[32];
    const char *why = NULL;
    mode_t mask = umask(0);
    RUN(*state, "key", "new", "--out", "portal.key");
    umask(mask);
    assert_int_equal(ran.status, EXIT_OK);
    assert_int_equal(strlen(ran.out), 41);
    snprintf(path, sizeof path, "%s/portal.key", (const char *)*state);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0600);
    assert_int_equal(key_file_load(path, public_key, secret_key, &why), 0);
    assert_true(key_text_parse((est_slice){ran.out, 40}, printed));
    assert_memory_equal(printed, public_key, 32);
    assert_memory_not_equal(public_key, secret_key, 32);
}

static void a_key_is_never_overwritten_nor_written_through_a_link(void **state) {
    char before[300], path[300];
    folder_write(*state, "old.key", "precious");
    RUN(*state, "key", "new", "--out", "old.key");
    assert_int_equal(ran.status, EXIT_USAGE);
    assert_string_equal(ran.out, "");
    snprintf(path, sizeof path, "%s/old.key", (const char *)*state);
    FILE *file = fopen(path, "r");
    assert_non_null(fgets(before, sizeof before, file));
    fclose(file);
    assert_string_equal(before, "precious");
    snprintf(path, sizeof path, "%s/link.key", (const char *)*state);
    assert_int_equal(symlink("elsewhere.key", path), 0);
    RUN(*state, "key", "new", "--out", "link.key");
    assert_int_equal(ran.status, EXIT_USAGE);
}

static void two_keys_differ(void **state) {
    char first[64];
    RUN(*state, "key", "new", "--out", "a.key");
    snprintf(first, sizeof first, "%.60s", ran.out);
    RUN(*state, "key", "new", "--out", "b.key");
    assert_string_not_equal(first, ran.out);
}

/* --- Configurations --------------------------------------------------------------------------- */

static void the_city_in_the_tree_is_good(void **state) {
    RUN(*state, "config", "check", TEHRAN);
    assert_string_equal(ran.err, "");
    assert_int_equal(ran.status, EXIT_OK);
    assert_non_null(strstr(ran.out, "41 inquiry types"));
}

static void every_complaint_names_file_line_and_column(void **state) {
    folder_write(*state, "broker.yaml",
                 "catalogue: nowhere\n"
                 "frobnicate: yes\n"
                 "store: {directory: store, size_max: a lot}\n");
    RUN(*state, "config", "check", "broker.yaml");
    assert_int_equal(ran.status, EXIT_NO);
    assert_string_equal(ran.out, "");
    assert_non_null(strstr(ran.err, "broker.yaml:2:"));
    assert_non_null(strstr(ran.err, "frobnicate"));
    assert_non_null(strstr(ran.err, "broker.yaml:3:"));
    RUN(*state, "config", "check", "broker.yaml", "--json");
    assert_int_equal(ran.status, EXIT_NO);
    json_t *line = json_loads(ran.out, JSON_DISABLE_EOF_CHECK, NULL);
    assert_non_null(json_string_value(json_object_get(line, "where")));
    assert_non_null(json_string_value(json_object_get(line, "text")));
    json_decref(line);
}

static void broken_yaml_is_a_complaint_too(void **state) {
    folder_write(*state, "broker.yaml", "a: [1, 2\nb: }\n");
    RUN(*state, "config", "check", "broker.yaml");
    assert_int_equal(ran.status, EXIT_NO);
    assert_non_null(strstr(ran.err, "broker.yaml:"));
}

static void a_file_that_is_not_there_is_wrong_usage(void **state) {
    RUN(*state, "config", "check", "nowhere.yaml");
    assert_int_equal(ran.status, EXIT_USAGE);
}

static void the_catalogue_is_shown_to_people_and_programs(void **state) {
    size_t lines = 0;
    RUN(*state, "config", "show", TEHRAN);
    assert_int_equal(ran.status, EXIT_OK);
    assert_non_null(strstr(ran.out, "nosazi.bedehi"));
    assert_non_null(strstr(ran.out, "بدهی نوسازی"));
    RUN(*state, "config", "show", TEHRAN, "--json");
    for (char *at = ran.out; (at = strchr(at, '\n')); at++)
        lines++;
    assert_int_equal(lines, 41);
    RUN(*state, "config", "show", TEHRAN, "nosazi.bedehi");
    assert_int_equal(ran.status, EXIT_OK);
    assert_non_null(strstr(ran.out, "nz"));
    assert_non_null(strstr(ran.out, "debt-open"));
    RUN(*state, "config", "show", TEHRAN, "nosazi.frob");
    assert_int_equal(ran.status, EXIT_NO);
}

static void bounds_choices_and_reasons_are_shown_with_their_titles(void **state) {
    RUN(*state, "config", "show", TEHRAN, "fazasabz.ghat");
    assert_non_null(strstr(ran.out, "1…2000"));
    assert_non_null(strstr(ran.out, "1…64 characters")); /* required, so it is not empty */
    assert_non_null(strstr(ran.out, "1 to 200"));
    assert_non_null(strstr(ran.out, "at least 0")); /* rial */
    assert_non_null(strstr(ran.out, "درخت سالم است"));
    RUN(*state, "config", "show", TEHRAN, "fani.hafari");
    assert_non_null(strstr(ran.out, "utility=water"));
    assert_non_null(strstr(ran.out, "فاضلاب"));
    assert_non_null(strstr(ran.out, "not before `from`"));
    RUN(*state, "config", "show", TEHRAN, "--json");
    assert_non_null(strstr(ran.out, "\"title_fa\":\"درخت سالم است\""));
}

static void fields_of_which_one_is_needed_are_shown_as_a_group(void **state) {
    RUN(*state, "config", "show", TEHRAN, "sabt.malekiyat");
    assert_non_null(strstr(ran.out, "nid|lid"));
    assert_non_null(strstr(ran.out, "at least one of these"));
    RUN(*state, "config", "show", TEHRAN, "--json");
    assert_non_null(strstr(ran.out, "\"one_of\":[[\"nid\",\"lid\"]]"));
}

/* --- Usage, and a broker that is not there ---------------------------------------------------- */

static void wrong_usage_ends_with_2_and_says_where_to_read(void **state) {
    RUN(*state, "frobnicate");
    assert_int_equal(ran.status, EXIT_USAGE);
    assert_string_equal(ran.out, "");
    assert_string_equal(ran.err,
                        "estelam: INPUT: there is no command `frobnicate` (local) - see `estelam help`\n");
    RUN(*state, "cancel", "1");
    assert_int_equal(ran.status, EXIT_USAGE);
    assert_non_null(strstr(ran.err, "estelam help cancel"));
    program_run(&ran, *state, (const char *const[]){PROGRAM, NULL});
    assert_int_equal(ran.status, EXIT_USAGE);
    assert_non_null(strstr(ran.err, "Usage:"));
}

static void help_goes_to_standard_output(void **state) {
    RUN(*state, "--help");
    assert_int_equal(ran.status, EXIT_OK);
    assert_non_null(strstr(ran.out, "parked requeue"));
    assert_string_equal(ran.err, "");
    RUN(*state, "submit", "--help");
    assert_int_equal(ran.status, EXIT_OK);
    assert_non_null(strstr(ran.out, "--batch"));
    RUN(*state, "help", "parked");
    assert_int_equal(ran.status, EXIT_OK);
    assert_non_null(strstr(ran.out, "parked list"));
    RUN(*state, "help", "frob");
    assert_int_equal(ran.status, EXIT_USAGE);
}

static const char *const PROFILE =
    "requester: {account: portal, endpoints: [\"tcp://127.0.0.1:1\"], purpose: permit}\n";

static void a_broker_that_is_not_there_ends_with_4_in_time(void **state) {
    folder_write(*state, "client.yaml", PROFILE);
    RUN(*state, "status", "0198c5a2-7d1e-7c3a-9f00-2b6d1c0a4e11", "--timeout", "1");
    assert_int_equal(ran.status, EXIT_UNREACHABLE);
    assert_in_range(ran.took_ms, 900, 8000);
    assert_non_null(strstr(ran.err, "estelam: UNREACHABLE: "));
    assert_non_null(strstr(ran.err, "tcp://127.0.0.1:1"));
    RUN(*state, "submit", "nosazi.bedehi", "nz=1-1-1-1-0-0-0", "--wait=60", "--timeout", "1");
    assert_int_equal(ran.status, EXIT_UNREACHABLE);
    assert_in_range(ran.took_ms, 900, 8000);
    RUN(*state, "queues", "--timeout=1");
    assert_int_equal(ran.status, EXIT_UNREACHABLE);
}

static void no_time_to_wait_is_refused_before_anything_is_sent(void **state) {
    folder_write(*state, "client.yaml", PROFILE);
    folder_write(*state, "one.jsonl", "{\"type\": \"nosazi.bedehi\", \"body\": {\"nz\": \"1-1-1-1-0-0-0\"}}\n");
    RUN(*state, "submit", "--batch", "one.jsonl", "--wait=0", "--timeout", "1");
    assert_int_equal(ran.status, EXIT_USAGE);
    assert_non_null(strstr(ran.err, "--wait takes at least 1 second"));
    RUN(*state, "submit", "nosazi.bedehi", "nz=1-1-1-1-0-0-0", "--wait=0", "--timeout", "1");
    assert_int_equal(ran.status, EXIT_USAGE);
    assert_non_null(strstr(ran.err, "leave it out to wait for the receipt alone"));
}

static void a_profile_that_is_wrong_ends_with_2_and_names_the_place(void **state) {
    RUN(*state, "stats");
    assert_int_equal(ran.status, EXIT_USAGE);
    assert_non_null(strstr(ran.err, "no profile"));
    folder_write(*state, "client.yaml", "server_key: short\nrequester: {account: portal, frob: 1}\n");
    RUN(*state, "stats");
    assert_int_equal(ran.status, EXIT_USAGE);
    assert_non_null(strstr(ran.err, "client.yaml:1:"));
    assert_non_null(strstr(ran.err, "client.yaml:2:"));
    assert_non_null(strstr(ran.err, "frob"));
}

static void curve_without_a_key_is_told_before_anything_is_sent(void **state) {
    folder_write(*state, "client.yaml",
                 "server_key: \"rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7\"\n"
                 "requester: {account: portal, key: missing.key, endpoints: [\"tcp://127.0.0.1:1\"]}\n");
    RUN(*state, "status", "1", "--timeout", "1");
    assert_int_equal(ran.status, EXIT_USAGE);
    assert_non_null(strstr(ran.err, "missing.key"));
}

static void a_batch_with_bad_lines_names_each_and_submits_nothing(void **state) {
    folder_write(*state, "client.yaml", PROFILE);
    folder_write(*state, "bad.jsonl",
                 "{\"type\":\"nosazi.bedehi\",\"body\":{}}\n"
                 "{\"type\":\n"
                 "\n"
                 "{\"body\":{}}\n"
                 "{\"type\":\"a\",\"body\":{\"x\":1.5}}\n"
                 "{\"type\":\"a\",\"body\":{},\"frob\":1}\n"
                 "{\"type\":\"a\",\"body\":{},\"id\":\"x\"}\n");
    RUN(*state, "submit", "--batch", "bad.jsonl", "--timeout", "1");
    assert_int_equal(ran.status, EXIT_USAGE);
    assert_string_equal(ran.out, "");
    static const char *const places[] = {
        "bad.jsonl:2:", "bad.jsonl:4:", "bad.jsonl:5:", "bad.jsonl:6:", "bad.jsonl:7:"};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
        assert_non_null(strstr(ran.err, places[i]));
    assert_null(strstr(ran.err, "bad.jsonl:1:"));
    assert_null(strstr(ran.err, "bad.jsonl:3:"));
}

static void texts_that_are_too_long_are_named_with_their_limit(void **state) {
    char text[200], line[400];
    folder_write(*state, "client.yaml", PROFILE);
    snprintf(text, sizeof text, "%0*d", EST_CASE_MAX + 1, 0);
    RUN(*state, "submit", "a", "--case", text, "--timeout", "1");
    assert_int_equal(ran.status, EXIT_USAGE);
    assert_non_null(strstr(ran.err, "--case is longer than 64 bytes"));
    RUN(*state, "submit", "a", "--purpose", text, "--timeout", "1");
    assert_non_null(strstr(ran.err, "--purpose is longer than 64 bytes"));
    RUN(*state, "submit", text, "--timeout", "1");
    assert_non_null(strstr(ran.err, "the type is longer than 64 bytes"));
    snprintf(line, sizeof line, "{\"type\":\"a\",\"body\":{},\"case\":\"%s\"}\n", text);
    folder_write(*state, "long.jsonl", line);
    RUN(*state, "submit", "--batch", "long.jsonl", "--timeout", "1");
    assert_non_null(strstr(ran.err, "long.jsonl:1:1: `case` is longer than 64 bytes"));
    snprintf(text, sizeof text, "%0*d", EST_TRACE_MAX + 1, 0);
    RUN(*state, "submit", "a", "--trace", text, "--timeout", "1");
    assert_int_equal(ran.status, EXIT_USAGE);
    assert_non_null(strstr(ran.err, "--trace is longer than 128 bytes"));
}

static void wrong_values_are_told_before_anything_is_sent(void **state) {
    folder_write(*state, "client.yaml", PROFILE);
    RUN(*state, "submit", "a", "nz");
    assert_int_equal(ran.status, EXIT_USAGE);
    RUN(*state, "submit", "a", "x:=1.5");
    assert_int_equal(ran.status, EXIT_USAGE);
    assert_non_null(strstr(ran.err, "x: a real number"));
    RUN(*state, "submit", "a", "--id", "x");
    assert_int_equal(ran.status, EXIT_USAGE);
    RUN(*state, "submit", "a", "--deadline", "tomorrow");
    assert_int_equal(ran.status, EXIT_USAGE);
    RUN(*state, "submit");
    assert_int_equal(ran.status, EXIT_USAGE);
    RUN(*state, "parked", "requeue", "--reason", "x");
    assert_int_equal(ran.status, EXIT_USAGE);
    RUN(*state, "parked", "requeue", "0", "--reason", "x");
    assert_int_equal(ran.status, EXIT_USAGE);
    RUN(*state, "status", "frob");
    assert_int_equal(ran.status, EXIT_USAGE);
}

static void output_that_cannot_be_written_is_no_success(void **state) {
    program_run(&ran, *state, (const char *const[]){"/bin/sh", "-c", PROGRAM " help > /dev/full", NULL});
    assert_int_equal(ran.status, EXIT_LOCAL);
}

/* --- What other programs make of it ----------------------------------------------------------- */

static void bash_completes_commands_options_and_kinds(void **state) {
    static const char script[] = "source <(" PROGRAM " completion bash) || exit 9\n"
                                 "complete_of() { COMP_WORDS=(\"$@\"); COMP_CWORD=$(($#-1)); COMPREPLY=(); "
                                 "_estelam; echo \"${COMPREPLY[*]}\"; }\n"
                                 "complete_of estelam ti\n"
                                 "complete_of estelam parked re\n"
                                 "complete_of estelam id check pa\n"
                                 "complete_of estelam submit --pu\n"
                                 "complete_of estelam parked requeue --al\n";
    folder_write(*state, "script", script);
    program_run(&ran, *state, (const char *const[]){"/bin/bash", "script", NULL});
    assert_string_equal(ran.err, "");
    assert_string_equal(ran.out, "timeline\nrequeue\nparcel\n--purpose\n--all\n");
}

int main(void) {
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, folder_setup, folder_teardown)
    const struct CMUnitTest tests[] = {
        IN_FOLDER(identifiers_are_judged_with_reason_and_status),
        IN_FOLDER(the_build_s_own_catalogue_is_the_last_resort),
        IN_FOLDER(a_program_reads_the_judgement_as_json),
        IN_FOLDER(ids_are_fresh_and_sort_by_time),
        IN_FOLDER(a_key_file_is_private_and_the_program_itself_can_use_it),
        IN_FOLDER(a_key_is_never_overwritten_nor_written_through_a_link),
        IN_FOLDER(two_keys_differ),
        IN_FOLDER(the_city_in_the_tree_is_good),
        IN_FOLDER(every_complaint_names_file_line_and_column),
        IN_FOLDER(broken_yaml_is_a_complaint_too),
        IN_FOLDER(a_file_that_is_not_there_is_wrong_usage),
        IN_FOLDER(the_catalogue_is_shown_to_people_and_programs),
        IN_FOLDER(bounds_choices_and_reasons_are_shown_with_their_titles),
        IN_FOLDER(fields_of_which_one_is_needed_are_shown_as_a_group),
        IN_FOLDER(wrong_usage_ends_with_2_and_says_where_to_read),
        IN_FOLDER(help_goes_to_standard_output),
        IN_FOLDER(a_broker_that_is_not_there_ends_with_4_in_time),
        IN_FOLDER(no_time_to_wait_is_refused_before_anything_is_sent),
        IN_FOLDER(a_profile_that_is_wrong_ends_with_2_and_names_the_place),
        IN_FOLDER(curve_without_a_key_is_told_before_anything_is_sent),
        IN_FOLDER(texts_that_are_too_long_are_named_with_their_limit),
        IN_FOLDER(a_batch_with_bad_lines_names_each_and_submits_nothing),
        IN_FOLDER(wrong_values_are_told_before_anything_is_sent),
        IN_FOLDER(output_that_cannot_be_written_is_no_success),
        IN_FOLDER(bash_completes_commands_options_and_kinds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
