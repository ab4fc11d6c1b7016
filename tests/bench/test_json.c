/* test_json.c - bench.json is JSON, and a row has every field that programs look for, by its name. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <jansson.h>
#include <stdlib.h>

#include "system.h"

static const struct system ours = {.name = "estelam"};

static json_t *rows_read_back(const struct row *rows, size_t count) {
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);
    rows_json(file, rows, count);
    fclose(file);
    json_t *array = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
    free(text);
    assert_non_null(array);
    assert_int_equal(json_array_size(array), count);
    return array;
}

static const struct row sample = {
    .plan = {.system = &ours, .curve = true, .window = 64, .body = 256, .requesters = 8, .agents = 4},
    .figures = {.per_s = 1234.5,
                .cpu_server_s = 1,
                .cpu_requesters_s = 0.5,
                .cpu_agents_s = 0.25,
                .written = 77.5,
                .p50_us = 5,
                .p99_us = 6,
                .p999_us = 7,
                .sync_us = 9}};

static void every_field_has_its_name_and_value(void **state) {
    (void)state;
    const struct {
        const char *name;
        double value;
    } numbers[] = {
        {"window", 64}, {"body", 256}, {"requesters", 8}, {"agents", 4},   {"inquiries_per_s", 1234.5},
        {"p50_us", 5},  {"p99_us", 6}, {"p999_us", 7},    {"cpu_s", 1.75}, {"bytes_written", 77.5},
        {"sync_us", 9}};
    json_t *array = rows_read_back(&sample, 1), *row = json_array_get(array, 0);
    assert_string_equal(json_string_value(json_object_get(row, "system")), "estelam");
    assert_string_equal(json_string_value(json_object_get(row, "curve")), "on");
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        json_t *field = json_object_get(row, numbers[i].name);
        if (!json_is_number(field))
            fail_msg("no number `%s`", numbers[i].name);
        assert_true(json_number_value(field) == numbers[i].value);
    }
    assert_null(json_object_get(row, "scenario"));
    assert_null(json_object_get(row, "awake"));
    json_decref(array);
}

static void an_awake_machine_says_so(void **state) {
    (void)state;
    struct row row = sample;
    row.plan.awake = true;
    json_t *array = rows_read_back(&row, 1);
    assert_true(json_is_true(json_object_get(json_array_get(array, 0), "awake")));
    json_decref(array);
}

static void a_scenario_says_so_with_its_remarks(void **state) {
    (void)state;
    struct row row = sample;
    row.scenario = "depth";
    snprintf(row.at, sizeof row.at, "1,000 deep");
    row.remarks[row.remarks_count++] = (struct remark){"serving_s", 1.5};
    row.remarks[row.remarks_count++] = (struct remark){"of_base", 0.25};
    json_t *array = rows_read_back(&row, 1), *found = json_array_get(array, 0);
    assert_string_equal(json_string_value(json_object_get(found, "scenario")), "depth");
    assert_string_equal(json_string_value(json_object_get(found, "case")), "1,000 deep");
    assert_true(json_number_value(json_object_get(found, "serving_s")) == 1.5);
    assert_true(json_number_value(json_object_get(found, "of_base")) == 0.25);
    json_decref(array);
}

static void none_and_many_are_arrays_too(void **state) {
    (void)state;
    const struct row rows[] = {sample, sample, sample};
    json_decref(rows_read_back(NULL, 0));
    json_decref(rows_read_back(rows, 3));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_has_its_name_and_value),
        cmocka_unit_test(an_awake_machine_says_so),
        cmocka_unit_test(a_scenario_says_so_with_its_remarks),
        cmocka_unit_test(none_and_many_are_arrays_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
