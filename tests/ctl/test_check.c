/* test_check.c - thresholds and the four formats of `estelam check`, without a broker. */
#include "check_asks.h"
#include "program.h"

#include <jansson.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define OF(unit) (1u << (unit))

static struct range range(const char *text, unsigned units, enum leaning leaning) {
    struct range r = {0};
    char why[160] = "";
    if (range_parse(text, units, leaning, &r, why))
        fail_msg("%s: %s", text, why);
    return r;
}

/* The examples of the plugins' development guidelines. */
static void ranges_alert_as_the_guidelines_say(void **state) {
    (void)state;
    static const struct {
        const char *text;
        double value;
        bool alerts;
    } rows[] = {
        {"10", -0.1, true},   {"10", 0, false},      {"10", 10, false},    {"10", 10.1, true},
        {"10:", 9.9, true},   {"10:", 10, false},    {"10:", 1e12, false}, {"~:10", -1e12, false},
        {"~:10", 10, false},  {"~:10", 11, true},    {"10:20", 9, true},   {"10:20", 10, false},
        {"10:20", 20, false}, {"10:20", 21, true},   {"@10:20", 9, false}, {"@10:20", 10, true},
        {"@10:20", 20, true}, {"@10:20", 21, false}, {"0", 0, false},      {"0", 1, true},
        {"1.5", 1.6, true},   {"1.5", 1.5, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct range r = range(rows[i].text, OF(UNIT_COUNT), TOO_MUCH);
        if (range_alerts(&r, rows[i].value) != rows[i].alerts)
            fail_msg("%s at %g", rows[i].text, rows[i].value);
    }
}

static void units_are_read_and_base_units_are_kept(void **state) {
    (void)state;
    static const struct {
        const char *text;
        unsigned units;
        enum unit unit;
        double to;
    } rows[] = {
        {"90", OF(UNIT_SECONDS), UNIT_SECONDS, 90},
        {"90s", OF(UNIT_SECONDS), UNIT_SECONDS, 90},
        {"90 s", OF(UNIT_SECONDS), UNIT_SECONDS, 90},
        {"5min", OF(UNIT_SECONDS), UNIT_SECONDS, 300},
        {"5m", OF(UNIT_SECONDS), UNIT_SECONDS, 300},
        {"1.5 h", OF(UNIT_SECONDS), UNIT_SECONDS, 5400},
        {"30 d", OF(UNIT_SECONDS), UNIT_SECONDS, 2592000},
        {"250ms", OF(UNIT_SECONDS), UNIT_SECONDS, 0.25},
        {"75%", OF(UNIT_PERCENT) | OF(UNIT_BYTES), UNIT_PERCENT, 75},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct range r = range(rows[i].text, rows[i].units, TOO_MUCH);
        assert_int_equal(r.unit, rows[i].unit);
        assert_true(r.from == 0 && r.to == rows[i].to);
    }
    struct range r = range("5min:1h", OF(UNIT_SECONDS), TOO_MUCH);
    assert_true(r.from == 300 && r.to == 3600);
}

static void where_little_is_bad_a_lone_number_is_the_least(void **state) {
    (void)state;
    unsigned units = OF(UNIT_PERCENT) | OF(UNIT_BYTES);
    struct range room = range("20GiB", units, TOO_LITTLE), full = range("80 %", units, TOO_LITTLE);
    assert_int_equal(room.unit, UNIT_BYTES);
    assert_true(range_alerts(&room, 20.0 * 1073741824 - 1));
    assert_false(range_alerts(&room, 20.0 * 1073741824));
    assert_true(range_alerts(&full, 80.1));
    assert_false(range_alerts(&full, 79.9));
}

static void nonsense_is_no_threshold(void **state) {
    (void)state;
    static const char *const texts[] = {"",    " ",     "x",   "-5",   "5 parsecs", "20:10",   "@",
                                        ":",   "5:6:7", "1e3", "0x10", "nan",       "inf",     "~",
                                        "~:~", "5%",    "1.",  ".5",   "5  s s",    "10:5 d x"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct range r = {.from = 42};
        char why[160] = "";
        if (strcmp(texts[i], ":") == 0) /* 0 and all above it: allowed, as the guidelines have it */
            continue;
        if (range_parse(texts[i], OF(UNIT_SECONDS), TOO_MUCH, &r, why) != -EST_INPUT)
            fail_msg("taken: `%s`", texts[i]);
        assert_true(strlen(why) > 10 && r.from == 42);
    }
}

/* --- Formats --------------------------------------------------------------------------------------- */

static struct verdict sample;

static char *printed(const char *format) {
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    assert_true(check_print(&sample, format, out));
    fclose(out);
    return text;
}

static int sample_setup(void **state) {
    (void)state;
    memset(&sample, 0, sizeof sample);
    sample.check = "queue-age";
    sample.state = CHECK_WARNING;
    sample.warning = range("15 min", OF(UNIT_SECONDS), TOO_MUCH);
    sample.critical = range("1h", OF(UNIT_SECONDS), TOO_MUCH);
    snprintf(sample.text, sizeof sample.text, "bargh | waits\nlong");
    sample.values[0] = (struct value){
        "oldest_bargh", "oldest_waited_seconds", UNIT_SECONDS, 1000.25, true, "department", "bargh"};
    sample.values[1] = (struct value){"waiting", "waiting", UNIT_COUNT, 7, false, NULL, ""};
    sample.values[2] = (struct value){"full", "store_full_ratio", UNIT_PERCENT, 12.5, false, NULL, ""};
    sample.count = 3;
    return 0;
}

static void nagios_gets_one_line_with_performance_data(void **state) {
    (void)state;
    char *text = printed("nagios");
    assert_string_equal(text,
                        "QUEUE-AGE WARNING - bargh / waits long"
                        " | 'oldest_bargh'=1000.25s;900;3600;0; 'waiting'=7;;;0; 'full'=12.5%;;;0;100\n");
    free(text);
}

static void prometheus_gets_metrics(void **state) {
    (void)state;
    char *text = printed("prometheus");
    assert_non_null(
        strstr(text, "# TYPE estelam_check_state gauge\nestelam_check_state{check=\"queue-age\"} 1\n"));
    assert_non_null(strstr(
        text, "estelam_check_oldest_waited_seconds{check=\"queue-age\",department=\"bargh\"} 1000.25\n"));
    assert_non_null(strstr(text, "estelam_check_store_full_ratio{check=\"queue-age\"} 0.125\n"));
    free(text);
}

static void json_is_one_document(void **state) {
    (void)state;
    char *text = printed("json");
    json_t *whole = json_loads(text, 0, NULL);
    assert_non_null(whole);
    assert_string_equal(json_string_value(json_object_get(whole, "state")), "WARNING");
    assert_int_equal(json_integer_value(json_object_get(whole, "status")), 1);
    assert_int_equal(json_array_size(json_object_get(whole, "values")), 3);
    json_decref(whole);
    free(text);
}

static void a_format_that_is_not_there_is_none(void **state) {
    (void)state;
    assert_false(check_print(&sample, "xml", NULL));
    assert_true(check_print(&sample, "text", NULL));
}

/* --- How full ------------------------------------------------------------------------------------- */

/* A verdict on the disk by the default thresholds; its sentence is the sample's. */
static enum check_state disk_judged(const struct room *room) {
    memset(&sample, 0, sizeof sample);
    sample.warning = range("60 %", OF(UNIT_PERCENT), TOO_LITTLE);
    sample.critical = range("75 %", OF(UNIT_PERCENT), TOO_LITTLE);
    room_judge(&sample, room);
    return sample.state;
}
#define GIB(n) (UINT64_C(n) << 30)

/* 64 GiB of 4 TiB used, with 100 GiB free the disk is not the limit; a disk of 40 GiB with 4 free is. */
static void the_disk_is_as_full_as_the_broker_says(void **state) {
    (void)state;
    assert_int_equal(disk_judged(&(struct room){GIB(64), GIB(4096), GIB(20), 15, true, false}), CHECK_OK);
    assert_non_null(strstr(sample.text, "1.6 % full, store.size_max is the limit"));
    assert_int_equal(disk_judged(&(struct room){GIB(1), GIB(64), GIB(4), 900, true, true}), CHECK_CRITICAL);
    assert_non_null(strstr(sample.text, "new inquiries are refused; 90.0 % full, its disk is the limit"));
    assert_int_equal(disk_judged(&(struct room){GIB(1), GIB(64), GIB(4), 700, true, false}), CHECK_WARNING);
    assert_int_equal(disk_judged(&(struct room){GIB(64), GIB(4096), GIB(20), 15, true, true}), CHECK_CRITICAL); /* whatever is free */
}

static void of_a_broker_that_does_not_say_so_the_disk_is_reckoned(void **state) {
    (void)state;
    assert_int_equal(disk_judged(&(struct room){GIB(3), GIB(4), GIB(9), 0, false, false}), CHECK_WARNING);
    assert_non_null(strstr(sample.text, "75.0 % full, store.size_max is the limit"));
    assert_int_equal(disk_judged(&(struct room){GIB(9), GIB(64), GIB(1), 0, false, false}), CHECK_CRITICAL);
    assert_non_null(strstr(sample.text, "90.0 % full, its disk is the limit"));
}

/* --- Keys ----------------------------------------------------------------------------------------- */

#define NOW  INT64_C(1700000000000000)
#define DAYS (INT64_C(86400) * EST_US_PER_S)

static enum check_state keys_judged(const struct key_end *keys, size_t count) {
    memset(&sample, 0, sizeof sample);
    sample.warning = range("30 d", OF(UNIT_SECONDS), TOO_LITTLE);
    sample.critical = range("7 d", OF(UNIT_SECONDS), TOO_LITTLE);
    keys_judge(&sample, (est_time){NOW}, keys, count);
    return sample.state;
}

static void a_key_that_was_changed_in_time_hides_none(void **state) {
    (void)state;
    static const struct key_end keys[] = {{"portal", "old", {0}, {NOW - 3 * DAYS}},
                                          {"portal", "new", {NOW - 9 * DAYS}, {NOW + 300 * DAYS}},
                                          {"bargh-agent", "old", {0}, {NOW - 1}},
                                          {"bargh-agent", "new", {0}, {0}}};
    assert_int_equal(keys_judged(keys, 4), CHECK_OK);
    assert_non_null(strstr(sample.text, "the first key to end is that of portal new, in 300 d; 1 of 2 have"));
    assert_int_equal(sample.count, 1);
    assert_int_equal(keys_judged(keys + 2, 2), CHECK_OK);
    assert_string_equal(sample.text, "none of 1 keys has an end");
}

static void an_account_whose_key_has_ended_is_critical_and_the_next_end_is_told_too(void **state) {
    (void)state;
    static const struct key_end keys[] = {{"portal", "old", {0}, {NOW - 3 * DAYS}},
                                          {"portal", "later", {NOW + DAYS}, {0}},
                                          {"notary", "only", {0}, {NOW + 20 * DAYS}}};
    assert_int_equal(keys_judged(keys, 3), CHECK_CRITICAL);
    assert_non_null(strstr(sample.text,
                           "the key of portal old ended 3 d ago, and its account has no good one; "
                           "the first key to end is that of notary only, in 20 d; 1 of 3 have"));
    assert_int_equal(keys_judged(keys, 1), CHECK_CRITICAL);
    assert_non_null(strstr(sample.text, "portal old ended 3 d ago"));
}

/* --- The program ------------------------------------------------------------------------------------ */

static struct ran ran;

/* 2 would be CRITICAL to a monitoring system, and standard error it does not read. */
static void what_cannot_be_judged_is_unknown_in_one_line(void **state) {
    (void)state;
    static const char *const lines[][5] = {
        {"check"},
        {"check", "frob"},
        {"check", "ready", "--format", "xml"},
        {"check", "ready", "--frob"},
        {"check", "ready", "--warning", "soon"},
        {"check", "ready", "nosazi.bedehi"},
        {"check", "ready"}, /* no profile */
    };
    char *folder = folder_make();
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        const char *words[7] = {PROGRAM};
        memcpy(words + 1, lines[i], sizeof lines[i]);
        program_run(&ran, folder, words);
        assert_int_equal(ran.status, 3);
        assert_non_null(strstr(ran.out, "UNKNOWN - "));
        assert_ptr_equal(strchr(ran.out, '\n'), ran.out + strlen(ran.out) - 1);
    }
    folder_remove(folder);
}

static void a_broker_out_of_reach_is_critical(void **state) {
    (void)state;
    char *folder = folder_make();
    folder_write(folder, "client.yaml", "operator: {account: duty, endpoints: [\"ipc://nobody\"]}\n");
    program_run(&ran, folder, (const char *const[]){PROGRAM, "check", "ready", "--timeout", "1", NULL});
    assert_int_equal(ran.status, 2);
    assert_int_equal(strncmp(ran.out, "READY CRITICAL - UNREACHABLE: ", 30), 0);
    assert_string_equal(ran.err, "");
    folder_remove(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges_alert_as_the_guidelines_say),
        cmocka_unit_test(units_are_read_and_base_units_are_kept),
        cmocka_unit_test(where_little_is_bad_a_lone_number_is_the_least),
        cmocka_unit_test(nonsense_is_no_threshold),
        cmocka_unit_test_setup(nagios_gets_one_line_with_performance_data, sample_setup),
        cmocka_unit_test_setup(prometheus_gets_metrics, sample_setup),
        cmocka_unit_test_setup(json_is_one_document, sample_setup),
        cmocka_unit_test(a_format_that_is_not_there_is_none),
        cmocka_unit_test(the_disk_is_as_full_as_the_broker_says),
        cmocka_unit_test(of_a_broker_that_does_not_say_so_the_disk_is_reckoned),
        cmocka_unit_test(a_key_that_was_changed_in_time_hides_none),
        cmocka_unit_test(an_account_whose_key_has_ended_is_critical_and_the_next_end_is_told_too),
        cmocka_unit_test(what_cannot_be_judged_is_unknown_in_one_line),
        cmocka_unit_test(a_broker_out_of_reach_is_critical),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
