/* test_exposition.c - what the gateway writes is strictly Prometheus's format, and the reader that judges it
 * finds each kind of fault.
 */
#include "exposition.h"
#include "figures.h"
#include "metrics_text.h"
#include "strict.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct exposition_read got;

static void well_formed_text_is_taken(void **state) {
    (void)state;
    static const char text[] =
        "# HELP estelam_a_total Help it is.\n# TYPE estelam_a_total counter\n"
        "estelam_a_total{x=\"1\",y=\"a\\\"b\\\\c\\nd\"} 3\nestelam_a_total{x=\"2\"} 0.5\n"
        "# HELP estelam_h_seconds Help it is.\n# TYPE estelam_h_seconds histogram\n"
        "estelam_h_seconds_bucket{le=\"0.1\"} 1\nestelam_h_seconds_bucket{le=\"+Inf\"} 2\n"
        "estelam_h_seconds_sum 3.5\nestelam_h_seconds_count 2\n"
        "# HELP estelam_empty Help it is.\n# TYPE estelam_empty gauge\n";
    if (!strict_read(text, &got))
        fail_msg("%s", got.why);
    assert_true(strict_value(&got, "estelam_a_total{x=\"2\"}") == 0.5);
    assert_true(strict_value(&got, "estelam_b") == -1);
}

#define A "# HELP estelam_a Help it is.\n# TYPE estelam_a gauge\n"
#define H "# HELP estelam_h Help it is.\n# TYPE estelam_h histogram\n"

static void each_kind_of_fault_is_found(void **state) {
    (void)state;
    static const char *const texts[] = {
        "",
        "estelam_a 1\n",
        "# TYPE estelam_a gauge\nestelam_a 1\n",
        "# HELP estelam_a Help it is.\nestelam_a 1\n",
        "# HELP estelam_a \n# TYPE estelam_a gauge\n",
        "# HELP other_a Help it is.\n# TYPE other_a gauge\n",
        "# HELP estelam_a_ms Help it is.\n# TYPE estelam_a_ms gauge\n",
        "# HELP estelam_a_age_seconds Help it is.\n# TYPE estelam_a_age_seconds gauge\n",
        "# HELP estelam_A Help it is.\n# TYPE estelam_A gauge\n",
        "# HELP estelam_a_total Help it is.\n# TYPE estelam_a_total gauge\n",
        "# HELP estelam_a Help it is.\n# TYPE estelam_a counter\n",
        "# HELP estelam_a Help it is.\n# TYPE estelam_a summary\n",
        A A,
        A "estelam_a 1",
        A "estelam_a 1\n\n",
        A "estelam_a 1 1700000000\n",
        A "estelam_a -1\n",
        A "estelam_a NaN\n",
        A "estelam_a one\n",
        A "estelam_a  1\n",
        A "estelam_b 1\n",
        A "estelam_a 1\nestelam_a 2\n",
        A "estelam_a{x=\"1\"} 1\nestelam_a{x=\"1\"} 1\n",
        A "estelam_a{x=\"1\",x=\"2\"} 1\n",
        A "estelam_a{x=\"\"} 1\n",
        A "estelam_a{x=\"a\\t\"} 1\n",
        A "estelam_a{x=\"a} 1\n",
        A "estelam_a{x=a} 1\n",
        A "estelam_a{1x=\"a\"} 1\n",
        A "estelam_a{} 1\n",
        A "estelam_a{le=\"1\"} 1\n",
        H "estelam_h 1\n",
        H "estelam_h_bucket{le=\"1\"} 1\nestelam_h_sum 1\nestelam_h_count 1\n",
        H
        "estelam_h_bucket{le=\"1\"} 2\nestelam_h_bucket{le=\"+Inf\"} 1\nestelam_h_sum 1\nestelam_h_count 1\n",
        H "estelam_h_bucket{le=\"2\"} 1\nestelam_h_bucket{le=\"1\"} 1\n",
        H "estelam_h_bucket{le=\"+Inf\"} 2\nestelam_h_sum 1\nestelam_h_count 1\n",
        H "estelam_h_bucket{le=\"+Inf\"} 2\nestelam_h_count 2\n",
        H "estelam_h_bucket 2\n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (strict_read(texts[i], &got) || !got.why[0])
            fail_msg("taken: %s", texts[i]);
}

static char *written(struct exposition *x) {
    size_t size;
    char *text = exposition_close(&x, &size);
    assert_non_null(text);
    assert_int_equal(strlen(text), size);
    return text;
}

static void values_keep_their_last_microsecond_and_labels_are_escaped(void **state) {
    (void)state;
    struct exposition *x = exposition_open();
    metric(x, "a_seconds", METRIC_GAUGE, "Help\nof \\ it.");
    sample_us(x, 1795614368756769, LABELS("name", "a\"b\\c\nd"));
    metric(x, "process_b_total", METRIC_COUNTER, "Help it is.");
    sample_uint(x, UINT64_MAX, NO_LABELS);
    char *text = written(x);
    assert_string_equal(text, "# HELP estelam_a_seconds Help\\nof \\\\ it.\n# TYPE estelam_a_seconds gauge\n"
                              "estelam_a_seconds{name=\"a\\\"b\\\\c\\nd\"} 1795614368.756769\n"
                              "# HELP process_b_total Help it is.\n# TYPE process_b_total counter\n"
                              "process_b_total 18446744073709551615\n");
    assert_true(strict_read(text, &got));
    free(text);
}

/* --- A whole look at a broker ------------------------------------------------------------------------ */

static struct figure_stat stats[] = {
    {"started_us", 1700000000000001}, {"log_seq", 120},           {"refused_BUSY", 3},
    {"refused_INVALID_BODY", 4},      {"commit_us_le_1000", 5},   {"commit_us_le_2500", 7},
    {"commit_us_le_inf", 9},          {"commit_us_sum", 12345},   {"batch_events_le_1", 1},
    {"batch_events_le_2", 1},         {"batch_events_le_inf", 4}, {"batch_events_sum", 40},
    {"peers_requesters", 2},          {"store_fullness", 657},    {"unheard_of", 1},
};
static struct figure_department departments[] = {
    {.name = "bargh", .waiting = 3, .delayed = 1, .unserved = 4, .oldest = {1700000001000000}},
    {.name = "na\"me\\", .agents = 2, .heard = {1700000002000000}, .paused = true},
};
static struct figure_counter counters[] = {
    {"accepted", "bargh", "", 10},
    {"finished", "bargh", "positive", 4},
    {"attempts_failed", "bargh", "AGENT_REFUSED", 2},
    {"attempts_failed", "bargh", "LEASE_EXPIRED", 7},
    {"attempts_failed", "bargh", "SOMETHING_NEW", 1},
    {"finished", "bargh", "expired", 1},
    {"parked", "bargh", "AGENT_REFUSED", 2},
    {"answer_seconds", "", "0.1", 2},
    {"answer_seconds", "", "+Inf", 5},
    {"answer_seconds_sum", "", "", 2500000},
    {"queue_wait_seconds", "", "+Inf", 0},
};
static struct figure_key keys[] = {{"portal", "requester", "abcd\"\\#", {0}, {1800000000000000}},
                                   {"duty", "operator", "x", {0}, {0}},
                                   {"duty", "operator", "old", {0}, {1600000000000000}},
                                   {"watch", "operator", "ended", {0}, {1600000000000000}},
                                   {"watch", "operator", "later", {1800000000000000}, {0}}};
#define COUNT(array) sizeof array / sizeof array[0]

static void a_look_at_a_broker_is_written_strictly(void **state) {
    (void)state;
    struct figures f = {.at = {1700000003000000},
                        .stats_known = true,
                        .queues_known = true,
                        .agents_known = true,
                        .counters_known = true,
                        .keys_known = true,
                        .config_known = true,
                        .stats = stats,
                        .departments = departments,
                        .counters = counters,
                        .keys = keys,
                        .stats_count = COUNT(stats),
                        .departments_count = COUNT(departments),
                        .counters_count = COUNT(counters),
                        .keys_count = COUNT(keys),
                        .counters_seq = 118,
                        .version = "0.1.0",
                        .city = "tehran"};
    static const struct {
        const char *series;
        double value;
    } wanted[] = {
        {"estelam_broker_up", 1},
        {"estelam_broker_start_time_seconds", 1700000000.000001},
        {"estelam_inquiries{department=\"bargh\",state=\"waiting\"}", 3},
        {"estelam_inquiries_unserved{department=\"bargh\"}", 4},
        {"estelam_oldest_waiting_timestamp_seconds{department=\"bargh\"}", 1700000001},
        {"estelam_oldest_waiting_timestamp_seconds{department=\"na\\\"me\\\\\"}", -1},
        {"estelam_agents{department=\"bargh\"}", 0},
        {"estelam_department_paused{department=\"na\\\"me\\\\\"}", 1},
        {"estelam_inquiries_finished_total{department=\"bargh\",outcome=\"expired\"}", 1},
        {"estelam_inquiries_parked_total{department=\"bargh\",code=\"AGENT_REFUSED\"}", 2},
        {"estelam_inquiries_finished_total{department=\"bargh\",outcome=\"cancelled\"}", 0},
        {"estelam_inquiries_finished_total{department=\"na\\\"me\\\\\",outcome=\"expired\"}", 0},
        {"estelam_attempts_failed_total{department=\"bargh\",code=\"SOMETHING_NEW\"}", 1},
        {"estelam_lease_expiries_total{department=\"bargh\"}", 7},
        {"estelam_redeliveries_total{department=\"bargh\"}", 8},
        {"estelam_commands_refused_total{code=\"DRAINING\"}", 0},
        {"estelam_answer_seconds_bucket{le=\"0.1\"}", 2},
        {"estelam_answer_seconds_sum", 2.5},
        {"estelam_answer_seconds_count", 5},
        {"estelam_counters_position", 118},
        {"estelam_commands_refused_total{code=\"INVALID_BODY\"}", 4},
        {"estelam_commit_seconds_bucket{le=\"0.0025\"}", 7},
        {"estelam_commit_seconds_sum", 0.012345},
        {"estelam_batch_events_count", 4},
        {"estelam_store_fullness_ratio", 0.657},
        {"estelam_peers{door=\"requesters\"}", 2},
        {"estelam_key_expiry_timestamp_seconds{account=\"portal\",role=\"requester\",key=\"abcd\\\"\\\\#\"}",
         1800000000},
        {"estelam_key_expiry_timestamp_seconds{account=\"watch\",role=\"operator\",key=\"ended\"}",
         1600000000},
        {"estelam_key_expiry_timestamp_seconds{account=\"duty\",role=\"operator\",key=\"old\"}", -1},
        {"estelam_broker_build_info{version=\"0.1.0\",city=\"tehran\"}", 1},
    };
    struct exposition *x = exposition_open();
    metrics_broker(x, &f, true);
    char *text = written(x);
    if (!strict_read(text, &got))
        fail_msg("%s", got.why);
    for (size_t i = 0; i < COUNT(wanted); i++)
        if (strict_value(&got, wanted[i].series) != wanted[i].value)
            fail_msg("%s is %f", wanted[i].series, strict_value(&got, wanted[i].series));
    assert_null(strstr(text, "unheard_of"));
    free(text);
}

static void a_broker_that_says_nothing_is_down(void **state) {
    (void)state;
    struct figures nothing = {0};
    struct exposition *x = exposition_open();
    metrics_broker(x, &nothing, false);
    char *text = written(x);
    assert_true(strict_read(text, &got));
    assert_true(got.count == 1 && strict_value(&got, "estelam_broker_up") == 0);
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(well_formed_text_is_taken),
        cmocka_unit_test(each_kind_of_fault_is_found),
        cmocka_unit_test(values_keep_their_last_microsecond_and_labels_are_escaped),
        cmocka_unit_test(a_look_at_a_broker_is_written_strictly),
        cmocka_unit_test(a_broker_that_says_nothing_is_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
