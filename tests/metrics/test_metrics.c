/* test_metrics.c - /metrics, /livez and /readyz of a real gateway before a real broker. */
#include "gate.h"
#include "strict.h"

#include <stdlib.h>
#include <string.h>

static struct exposition_read got;

static struct gate *stand(void) {
    struct town *town = town_new(NULL);
    town_start(town);
    struct gate *gate = gate_new(town, NULL);
    gate_start(gate);
    return gate;
}

/* Asks until the line to the broker is as wished, since both ends hear of it in their own time. */
static const struct reply *reply_wait(struct gate *gate, const char *path, long status) {
    int64_t deadline = now_ms() + WAIT_MS;
    for (;;) {
        const struct reply *r = CALL(gate, path, 0);
        if (r->status == status)
            return r;
        if (now_ms() > deadline)
            fail_msg("%s: %ld, not %ld", path, r->status, status);
    }
}

static void scrape(struct gate *gate) {
    const struct reply *r = CALL(gate, "/metrics", 0);
    assert_int_equal(r->status, 200);
    assert_string_equal(reply_header(r, "Content-Type"), "text/plain; version=0.0.4; charset=utf-8");
    if (!strict_read(r->body, &got))
        fail_msg("%s", got.why);
}

static void scrape_until(struct gate *gate, const char *series, double value) {
    int64_t deadline = now_ms() + WAIT_MS;
    do {
        scrape(gate);
        if (now_ms() > deadline)
            fail_msg("%s is %f, not %f", series, strict_value(&got, series), value);
    } while (strict_value(&got, series) != value);
}

static void metrics_tell_of_queues_and_agents(void **state) {
    (void)state;
    struct gate *gate = stand();
    const char *portal = gate_token(gate, "portal", SCOPE_ALL);
    reply_wait(gate, "/readyz", 200);
    gate_submit(gate, portal, "first");
    scrape_until(gate, "estelam_inquiries{department=\"treasury\",state=\"waiting\"}", 1);
    assert_true(strict_value(&got, "estelam_broker_up") == 1);
    assert_true(strict_value(&got, "estelam_inquiries_unserved{department=\"treasury\"}") == 1);
    assert_true(strict_value(&got, "estelam_agents{department=\"treasury\"}") == 0);
    double oldest = strict_value(&got, "estelam_oldest_waiting_timestamp_seconds{department=\"treasury\"}");
    assert_true(oldest > 1.6e9 && oldest >= strict_value(&got, "estelam_broker_start_time_seconds"));
    agent_start(gate->town, "treasury-a", "answer", 1);
    scrape_until(gate, "estelam_inquiries{department=\"treasury\",state=\"waiting\"}", 0);
    scrape_until(gate, "estelam_agents{department=\"treasury\"}", 1);
    assert_true(strict_value(&got, "estelam_inquiries_unserved{department=\"treasury\"}") == 0);
    assert_true(strict_value(&got, "estelam_agents_heard_timestamp_seconds{department=\"treasury\"}") >
                1.6e9);
    assert_true(strict_value(&got, "estelam_leases_total") == 1);
}

static void a_gateway_without_its_broker_tells_of_itself(void **state) {
    (void)state;
    struct gate *gate = stand();
    reply_wait(gate, "/readyz", 200);
    scrape_until(gate, "estelam_broker_up", 1);
    town_kill(gate->town);
    scrape_until(gate, "estelam_broker_up", 0);
    assert_true(strict_value(&got, "estelam_log_position") == -1);
    assert_true(strict_value(&got, "process_cpu_seconds_total") > 0);
    assert_true(strict_value(&got, "process_open_fds") > 3);
    assert_true(strict_value(&got, "estelam_gateway_http_responses_total{class=\"2xx\"}") >= 2);
    town_start(gate->town);
    scrape_until(gate, "estelam_broker_up", 1);
}

static void readiness_names_what_is_missing(void **state) {
    (void)state;
    struct gate *gate = stand();
    const struct reply *r = reply_wait(gate, "/readyz", 200);
    assert_string_equal(r->body, "ok\n");
    r = CALL(gate, "/readyz?verbose", 0);
    assert_int_equal(r->status, 200);
    assert_non_null(strstr(r->body, "[+]requester portal ok\n"));
    assert_non_null(strstr(r->body, "[+]operator duty ok\n"));
    assert_non_null(strstr(r->body, "readyz check passed\n"));
    town_kill(gate->town);
    int64_t deadline = now_ms() + WAIT_MS;
    do
        r = reply_wait(gate, "/readyz", 503);
    while (!strstr(r->body, "[-]operator duty failed") && now_ms() < deadline);
    assert_non_null(strstr(r->body, "[-]operator duty failed"));
    assert_non_null(strstr(r->body, "readyz check failed\n"));
    assert_non_null(reply_header(r, "Retry-After"));
    r = CALL(gate, "/livez", 0);
    assert_int_equal(r->status, 200);
    assert_string_equal(r->body, "ok\n");
    r = CALL(gate, "/livez?verbose=1", 0);
    assert_non_null(strstr(r->body, "livez check passed"));
    town_start(gate->town);
    reply_wait(gate, "/readyz", 200);
}

static void through_a_proxy_metrics_need_a_token(void **state) {
    (void)state;
    struct gate *gate = stand();
    const char *watch = gate_token(gate, "duty", SCOPE_watch), *other = gate_token(gate, "duty", SCOPE_read);
    reply_wait(gate, "/readyz", 200);
#define FORWARDED {"X-Forwarded-For: 203.0.113.7"}
    assert_problem(CALL(gate, "/metrics", .headers = FORWARDED), 401, "UNAUTHENTICATED");
    assert_int_equal(CALL(gate, "/metrics", .headers = FORWARDED, .token = watch)->status, 200);
    assert_int_equal(CALL(gate, "/metrics", .headers = FORWARDED, .token = other)->status, 403);
    assert_int_equal(CALL(gate, "/metrics", 0)->status, 200);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        GATE_CLAIM(metrics_tell_of_queues_and_agents),
        GATE_CLAIM(a_gateway_without_its_broker_tells_of_itself),
        GATE_CLAIM(readiness_names_what_is_missing),
        GATE_CLAIM(through_a_proxy_metrics_need_a_token),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
