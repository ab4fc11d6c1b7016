/* test_histogram.c - quantiles are right, or within the step that the table promises. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "histogram.h"

static void close_to(uint64_t found, uint64_t exact) {
    assert_true(found >= exact);
    assert_true((double)found <= (double)exact * 1.008);
}

static void small_values_are_exact(void **state) {
    (void)state;
    static struct histogram h;
    for (uint64_t value = 1; value <= 100; value++)
        histogram_add(&h, value);
    assert_int_equal(histogram_quantile(&h, 0.5), 50);
    assert_int_equal(histogram_quantile(&h, 0.99), 99);
    assert_int_equal(histogram_quantile(&h, 1.0), 100);
}

static void large_values_are_within_a_step(void **state) {
    (void)state;
    static struct histogram h;
    for (uint64_t value = 1; value <= 1000000; value++)
        histogram_add(&h, value);
    close_to(histogram_quantile(&h, 0.5), 500000);
    close_to(histogram_quantile(&h, 0.99), 990000);
    close_to(histogram_quantile(&h, 0.999), 999000);
}

static void every_power_of_two_and_its_neighbours_have_their_place(void **state) {
    (void)state;
    for (unsigned bit = 1; bit < 33; bit++)
        for (int64_t by = -1; by <= 1; by++) {
            struct histogram h = {0};
            uint64_t value = (uint64_t)((INT64_C(1) << bit) + by);
            histogram_add(&h, value);
            close_to(histogram_quantile(&h, 0.5), value);
        }
}

static void beyond_the_table_is_the_last_cell(void **state) {
    (void)state;
    static struct histogram h;
    histogram_add(&h, UINT64_MAX);
    assert_int_equal(histogram_quantile(&h, 0.5), (UINT64_C(1) << 33) - 1);
}

static void merged_tables_are_one(void **state) {
    (void)state;
    static struct histogram a, b;
    for (uint64_t value = 1; value <= 50; value++) {
        histogram_add(&a, value);
        histogram_add(&b, value + 50);
    }
    histogram_merge(&a, &b);
    assert_int_equal(a.count, 100);
    assert_int_equal(histogram_quantile(&a, 0.75), 75);
}

static void none_is_zero(void **state) {
    (void)state;
    static struct histogram h;
    assert_int_equal(histogram_quantile(&h, 0.99), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_values_are_exact),
        cmocka_unit_test(large_values_are_within_a_step),
        cmocka_unit_test(every_power_of_two_and_its_neighbours_have_their_place),
        cmocka_unit_test(beyond_the_table_is_the_last_cell),
        cmocka_unit_test(merged_tables_are_one),
        cmocka_unit_test(none_is_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
