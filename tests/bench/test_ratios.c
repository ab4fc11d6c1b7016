/* test_ratios.c - a promise is held against the right row of the right job, and judged the right way. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "ratios.h"

static const struct system ours = {.name = "estelam", .ours = true}, redis = {.name = "redis"},
                           rabbit = {.name = "rabbitmq"}, nats = {.name = "nats", .unsynced = true},
                           proxy = {.name = "proxy", .limit = true},
                           synced = {.name = "proxy-synced", .limit = true};

static struct row row_of(const struct system *system, bool curve, unsigned window, double per_s, uint64_t p50,
                         uint64_t p99) {
    return (struct row){
        .plan =
            {.system = system, .curve = curve, .window = window, .body = 256, .requesters = 1, .agents = 1},
        .figures = {.per_s = per_s, .p50_us = p50, .p99_us = p99}};
}

static const struct ratio *ratio_of(const struct ratio *ratios, size_t count, enum measure measure) {
    for (size_t i = 0; i < count; i++)
        if (ratios[i].promise->measure == measure)
            return &ratios[i];
    fail_msg("no ratio of measure %d", (int)measure);
    return NULL;
}

static void the_fastest_durable_peer_is_the_measure(void **state) {
    (void)state;
    const struct row rows[] = {row_of(&ours, false, 64, 300, 10, 20), row_of(&redis, false, 64, 100, 8, 30),
                               row_of(&rabbit, false, 64, 50, 5, 10), row_of(&nats, false, 64, 900, 1, 1),
                               row_of(&proxy, false, 64, 9000, 1, 1)};
    struct ratio ratios[8];
    size_t count = ratios_make(rows, 5, ratios, 8);
    const struct ratio *r = ratio_of(ratios, count, THROUGHPUT);
    assert_int_equal(count, 2);
    assert_ptr_equal(r->other, &rows[1]);
    assert_true(r->met && r->value == 3.0);
    r = ratio_of(ratios, count, P99_NO_WORSE);
    assert_ptr_equal(r->other, &rows[1]);
    assert_true(r->met);
}

static void a_little_less_is_not_met(void **state) {
    (void)state;
    const struct row rows[] = {row_of(&ours, false, 64, 299, 10, 31), row_of(&redis, false, 64, 100, 8, 30)};
    struct ratio ratios[8];
    size_t count = ratios_make(rows, 2, ratios, 8);
    assert_false(ratio_of(ratios, count, THROUGHPUT)->met);
    assert_false(ratio_of(ratios, count, P99_NO_WORSE)->met);
}

static void the_proxy_counts_without_curve(void **state) {
    (void)state;
    const struct row rows[] = {row_of(&ours, true, 1000, 100, 10, 20), row_of(&proxy, true, 1000, 50, 1, 1),
                               row_of(&proxy, false, 1000, 500, 1, 1)};
    struct ratio ratios[8];
    size_t count = ratios_make(rows, 3, ratios, 8);
    assert_int_equal(count, 1);
    assert_ptr_equal(ratios[0].other, &rows[2]);
    assert_false(ratios[0].met);
}

static void alone_the_soonest_peer_is_the_measure(void **state) {
    (void)state;
    const struct row rows[] = {row_of(&ours, false, 1, 10, 160, 20), row_of(&redis, false, 1, 100, 135, 30),
                               row_of(&rabbit, false, 1, 50, 100, 10)};
    struct ratio ratios[8];
    size_t count = ratios_make(rows, 3, ratios, 8);
    assert_int_equal(count, 1);
    assert_ptr_equal(ratios[0].other, &rows[2]);
    assert_false(ratios[0].met);
}

static void other_jobs_and_scenarios_are_not_compared(void **state) {
    (void)state;
    struct row rows[] = {row_of(&ours, false, 64, 300, 10, 20), row_of(&redis, false, 1000, 100, 8, 30),
                         row_of(&ours, false, 1000, 300, 10, 20)};
    struct ratio ratios[8];
    rows[2].scenario = "depth";
    assert_int_equal(ratios_make(rows, 3, ratios, 8), 0);
    rows[1].plan.window = 64;
    rows[1].plan.agents = 8;
    assert_int_equal(ratios_make(rows, 3, ratios, 8), 0);
}

static void a_peer_that_did_nothing_is_no_division_by_zero(void **state) {
    (void)state;
    const struct row rows[] = {row_of(&ours, false, 64, 300, 10, 20), row_of(&redis, false, 64, 0, 0, 0)};
    struct ratio ratios[8];
    size_t count = ratios_make(rows, 2, ratios, 8);
    assert_false(ratio_of(ratios, count, THROUGHPUT)->met);
}

static void what_wire_and_disk_give_is_told_beside_it(void **state) {
    (void)state;
    const struct row rows[] = {row_of(&ours, true, 64, 120, 10, 20), row_of(&synced, false, 64, 900, 1, 1),
                               row_of(&redis, false, 64, 100, 8, 30), row_of(&synced, true, 64, 230, 1, 1)};
    struct ratio ratios[8];
    size_t count = ratios_make(rows, 4, ratios, 8);
    assert_true(ratio_of(ratios, count, THROUGHPUT)->limit == 2.3);
    assert_true(ratio_of(ratios, count, P99_NO_WORSE)->limit == 0);
    assert_ptr_equal(ratio_of(ratios, count, THROUGHPUT)->other, &rows[2]);
    count = ratios_make(rows, 3, ratios, 8); /* with CURVE it was not run */
    assert_true(ratio_of(ratios, count, THROUGHPUT)->limit == 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_fastest_durable_peer_is_the_measure),
        cmocka_unit_test(a_little_less_is_not_met),
        cmocka_unit_test(the_proxy_counts_without_curve),
        cmocka_unit_test(what_wire_and_disk_give_is_told_beside_it),
        cmocka_unit_test(alone_the_soonest_peer_is_the_measure),
        cmocka_unit_test(other_jobs_and_scenarios_are_not_compared),
        cmocka_unit_test(a_peer_that_did_nothing_is_no_division_by_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
