/* test_metrics.c - /metrics, /livez and /readyz of a real gateway before a real broker. */
#include "look.h"

#include <stdlib.h>
#include <string.h>

static struct exposition_read got;

static void metrics_tell_of_queues_and_agents(void **state) {
    (void)state;
    struct gate *gate = look_stand(NULL);
    const char *portal = gate_token(gate, "portal", SCOPE_ALL);
    gate_submit(gate, portal, "first");
    look_until(gate, "estelam_inquiries{department=\"treasury\",state=\"waiting\"}", 1, &got);
    assert_true(strict_value(&got, "estelam_broker_up") == 1);
    assert_true(strict_value(&got, "estelam_inquiries_unserved{department=\"treasury\"}") == 1);
    assert_true(strict_value(&got, "estelam_agents{department=\"treasury\"}") == 0);
    double oldest = strict_value(&got, "estelam_oldest_waiting_timestamp_seconds{department=\"treasury\"}");
    assert_true(oldest > 1.6e9 && oldest >= strict_value(&got, "estelam_broker_start_time_seconds"));
    agent_start(gate->town, "treasury-a", "answer", 1);
    look_until(gate, "estelam_inquiries{department=\"treasury\",state=\"waiting\"}", 0, &got);
    look_until(gate, "estelam_agents{department=\"treasury\"}", 1, &got);
    assert_true(strict_value(&got, "estelam_inquiries_unserved{department=\"treasury\"}") == 0);
    assert_true(strict_value(&got, "estelam_agents_heard_timestamp_seconds{department=\"treasury\"}") >
                1.6e9);
    assert_true(strict_value(&got, "estelam_leases_total") == 1);
}

static void a_gateway_without_its_broker_tells_of_itself(void **state) {
    (void)state;
    struct gate *gate = look_stand(NULL);
    look_until(gate, "estelam_broker_up", 1, &got);
    town_kill(gate->town);
    look_until(gate, "estelam_broker_up", 0, &got);
    assert_true(strict_value(&got, "estelam_log_position") == -1);
    assert_true(strict_value(&got, "process_cpu_seconds_total") > 0);
    assert_true(strict_value(&got, "process_open_fds") > 3);
    assert_true(strict_value(&got, "estelam_gateway_http_responses_total{class=\"2xx\"}") >= 2);
    town_start(gate->town);
    look_until(gate, "estelam_broker_up", 1, &got);
}

static void a_gateway_without_an_operator_s_account_tells_of_itself(void **state) {
    (void)state;
    static const struct town_account accounts[] = {
        {.name = "portal", .door = REQUESTERS, .fields = "asks: [{types: all, purposes: all}], "},
        {.name = NULL}};
    struct gate *gate = look_stand(&(struct town_options){.accounts = accounts});
    look_scrape(gate, &got);
    assert_true(strict_value(&got, "estelam_broker_up") == -1); /* it never asks: 0 would be an alert for ever */
    assert_true(strict_value(&got, "estelam_gateway_account_connected{account=\"portal\"}") == 1);
    assert_true(strict_value(&got, "process_start_time_seconds") > 1.6e9);
}

/* The harness's first operator is an observer, who may not ask for keys. */
static void an_observer_is_enough_for_all_but_keys_and_versions(void **state) {
    (void)state;
    struct gate *gate = look_stand(NULL);
    look_until(gate, "estelam_broker_up", 1, &got);
    const struct reply *r = CALL(gate, "/metrics", 0);
    assert_non_null(strstr(r->body, "# TYPE estelam_inquiries_accepted_total counter"));
    assert_null(strstr(r->body, "estelam_key_expiry"));
    assert_null(strstr(r->body, "estelam_broker_build_info"));
    assert_true(strict_value(&got, "estelam_commands_refused_total{code=\"NOT_ALLOWED\"}") == 0);
}

static void readiness_names_what_is_missing(void **state) {
    (void)state;
    struct gate *gate = look_stand(NULL);
    const struct reply *r = look_reply(gate, "/readyz", 200);
    assert_string_equal(r->body, "ok\n");
    r = CALL(gate, "/readyz?verbose", 0);
    assert_int_equal(r->status, 200);
    assert_non_null(strstr(r->body, "[+]requester portal ok\n"));
    assert_non_null(strstr(r->body, "[+]operator duty ok\n"));
    assert_non_null(strstr(r->body, "readyz check passed\n"));
    town_kill(gate->town);
    int64_t deadline = now_ms() + WAIT_MS;
    do
        r = look_reply(gate, "/readyz", 503);
    while (!strstr(r->body, "[-]broker-operators failed") && now_ms() < deadline);
    assert_non_null(strstr(r->body, "[-]broker-operators failed"));
    assert_non_null(strstr(r->body, "[!]operator duty failed"));
    assert_non_null(strstr(r->body, "readyz check failed\n"));
    assert_non_null(reply_header(r, "Retry-After"));
    r = CALL(gate, "/livez", 0);
    assert_int_equal(r->status, 200);
    assert_string_equal(r->body, "ok\n");
    r = CALL(gate, "/livez?verbose=1", 0);
    assert_non_null(strstr(r->body, "livez check passed"));
    town_start(gate->town);
    look_reply(gate, "/readyz", 200);
}

static void a_gateway_that_cannot_read_its_tokens_is_not_ready(void **state) {
    (void)state;
    struct gate *gate = look_stand(NULL);
    for (int i = 0; i < 2; i++) {
        town_file(gate->town, "tokens.yaml", i ? "tokens: [" : "frob: 1\n");
        const struct reply *r = look_reply(gate, "/readyz", 503);
        assert_non_null(strstr(r->body, "[-]tokens failed: "));
        child_error_wait(gate->child, "cannot be read: nobody passes");
        gate_token(gate, "portal", SCOPE_ALL);
        r = CALL(gate, "/readyz?verbose", 0);
        assert_int_equal(r->status, 200);
        assert_non_null(strstr(r->body, "[+]tokens ok\n"));
        child_error_wait(gate->child, "can be read again");
    }
}

static void one_account_s_key_takes_the_door_from_nobody_else(void **state) {
    (void)state;
    struct gate *gate = look_stand(NULL);
    look_until(gate, "estelam_gateway_account_connected{account=\"notary\"}", 1, &got);
    town_account(gate->town, "notary")->revoked = true;
    town_accounts_write(gate->town);
    town_reload(gate->town, "reloaded");
    look_until(gate, "estelam_gateway_account_connected{account=\"notary\"}", 0, &got);
    const struct reply *r = CALL(gate, "/readyz?verbose", 0);
    assert_int_equal(r->status, 200);
    assert_non_null(strstr(r->body, "[!]requester notary failed: "));
    assert_non_null(strstr(r->body, "[+]broker-requesters ok\n"));
}

static void through_a_proxy_metrics_need_a_token(void **state) {
    (void)state;
    struct gate *gate = look_stand(NULL);
    const char *watch = gate_token(gate, "duty", SCOPE_watch), *other = gate_token(gate, "duty", SCOPE_read);
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
        GATE_CLAIM(a_gateway_without_an_operator_s_account_tells_of_itself),
        GATE_CLAIM(an_observer_is_enough_for_all_but_keys_and_versions),
        GATE_CLAIM(readiness_names_what_is_missing),
        GATE_CLAIM(a_gateway_that_cannot_read_its_tokens_is_not_ready),
        GATE_CLAIM(one_account_s_key_takes_the_door_from_nobody_else),
        GATE_CLAIM(through_a_proxy_metrics_need_a_token),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
