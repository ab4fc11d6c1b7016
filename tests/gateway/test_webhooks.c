/* test_webhooks.c - the end of an inquiry, told over HTTP, signed, until somebody has heard it. */
#include "hook.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char uuid[] = "0198c5a2-7d1e-7c3a-9f00-2b6d1c0a4e11", other_uuid[] = "0198c5a2-7d1e-7c3a-9f00-2b6d1c0a4e12";
static const char hook_id[] = "msg_0198c5a27d1e7c3a9f002b6d1c0a4e11";

struct stand {
    struct town *town;
    struct gate *gate;
    struct hook *hook;
    const char *portal;
};

static struct stand stand_with(const char *retries, const char *limits) {
    char more[512];
    struct stand s = {.town = gate_town(), .hook = hook_open()};
    town_start(s.town);
    town_file(s.town, "hook.secret", HOOK_SECRET "\n");
    snprintf(more, sizeof more,
             "state: state\nwebhooks: {portal: {url: \"%s\", secret_file: hook.secret%s%s}}\nlimits: {%s}\n",
             hook_url(s.hook), retries ? ", retries: " : "", retries ? retries : "", limits);
    s.gate = gate_new(s.town, more);
    s.portal = gate_token(s.gate, "portal", SCOPE_ALL);
    gate_start(s.gate);
    return s;
}

static struct stand stand_new(const char *retries) {
    return stand_with(retries, "");
}

static const struct reply *webhook_of(struct stand *s) {
    const struct reply *r = CALL(s->gate, "/v1/webhooks", .token = s->portal);
    assert_int_equal(r->status, 200);
    return r;
}

static json_t *row_of(const struct reply *r) {
    return json_array_get(json_object_get(r->json, "rows"), 0);
}

/* Asks until this field of the webhook is this text. */
static void webhook_wait(struct stand *s, const char *name, const char *text) {
    for (int64_t until = now_ms() + WAIT_MS; now_ms() < until;) {
        const char *is = json_string_value(json_object_get(row_of(webhook_of(s)), name));
        if (is && strcmp(is, text) == 0)
            return;
    }
    fail_msg("the webhook's %s did not become %s", name, text);
}

static void figure_wait(struct stand *s, const char *name, json_int_t count) {
    for (int64_t until = now_ms() + WAIT_MS; now_ms() < until;) {
        if (json_integer_value(json_object_get(row_of(webhook_of(s)), name)) == count)
            return;
    }
    fail_msg("the webhook's %s did not come to %lld", name, (long long)count);
}

static void queued_wait(struct stand *s, json_int_t count) {
    figure_wait(s, "queued", count);
}

static void an_end_is_posted_and_signed(void **state) {
    (void)state;
    struct stand s = stand_new(NULL);
    agent_start(s.town, "treasury-a", "answer", 1);
    uint64_t number = gate_submit(s.gate, s.portal, uuid);
    const struct delivery *d = hook_take(s.hook, 1);
    assert_string_equal(d->id, hook_id);
    assert_string_equal(d->type, "application/json");
    assert_true(delivery_is_signed(d));
    assert_in_range(d->timestamp, time(NULL) - 60, time(NULL) + 60);
    assert_string_equal(json_string_value(json_object_get(d->json, "type")), "inquiry.ended");
    json_t *data = json_object_get(d->json, "data");
    assert_int_equal(json_integer_value(json_object_get(data, "number")), number);
    assert_string_equal(json_string_value(json_object_get(data, "state")), "answered");
    assert_true(json_is_integer(json_object_get(json_object_get(data, "reply"), "debt")));
    queued_wait(&s, 0);
    assert_string_equal(json_string_value(json_object_get(row_of(webhook_of(&s)), "state")), "active");
    assert_int_equal(hook_count(s.hook), 1);
}

static void what_fails_is_sent_again_under_the_same_id(void **state) {
    (void)state;
    struct stand s = stand_new("[20 ms, 20 ms, 1 s, 2 s, 4 s, 8 s]");
    hook_answer(s.hook, 500, NULL);
    agent_start(s.town, "treasury-a", "answer", 1);
    gate_submit(s.gate, s.portal, uuid);
    hook_take(s.hook, 3);
    hook_answer(s.hook, 204, NULL);
    queued_wait(&s, 0);
    for (size_t i = 1; i <= hook_count(s.hook); i++) {
        assert_string_equal(hook_take(s.hook, i)->id, hook_id);
        assert_string_equal(hook_take(s.hook, i)->body, hook_take(s.hook, 1)->body);
        assert_true(delivery_is_signed(hook_take(s.hook, i)));
    }
}

static void submits(struct stand *s, const char *what, int count) {
    char key[32];
    for (int i = 0; i < count; i++) {
        snprintf(key, sizeof key, "%s-%d", what, i);
        gate_submit(s->gate, s->portal, key);
    }
}

static void a_receiver_that_failed_three_times_gets_one_at_a_time(void **state) {
    (void)state;
    struct stand s = stand_with("[1 h]", "webhook_answer: 60 s");
    hook_answer(s.hook, 500, NULL);
    agent_start(s.town, "treasury-a", "answer", 1);
    submits(&s, "first", 2);
    figure_wait(&s, "failed", 2);
    hook_hold(s.hook, true);
    submits(&s, "then", 2);
    hook_take(s.hook, 2 + 2); /* both at once */
    hook_hold(s.hook, false);
    figure_wait(&s, "failed", 2 + 2);
    hook_hold(s.hook, true);
    hook_answer(s.hook, 200, NULL);
    submits(&s, "later", 3);
    hook_take(s.hook, 4 + 1);
    queued_wait(&s, 4 + 3);
    for (int64_t until = now_ms() + 300; now_ms() < until; poll(NULL, 0, 20))
        assert_int_equal(hook_count(s.hook), 4 + 1);
    hook_hold(s.hook, false);
    queued_wait(&s, 4);
    assert_int_equal(hook_count(s.hook), 4 + 3);
}

static void a_receiver_that_says_nothing_has_failed_in_time(void **state) {
    (void)state;
    struct stand s = stand_with("[1 h]", "webhook_answer: 500 ms");
    agent_start(s.town, "treasury-a", "answer", 1);
    hook_hold(s.hook, true);
    int64_t start = now_ms();
    gate_submit(s.gate, s.portal, uuid);
    figure_wait(&s, "failed", 1);
    assert_in_range(now_ms() - start, 500, 15000); /* 20 s are the default */
    hook_take(s.hook, 1); /* our own thread may see it later than the gateway has given it up */
    assert_int_equal(hook_count(s.hook), 1);
}

static void a_redirect_is_a_failure_and_is_not_followed(void **state) {
    (void)state;
    struct stand s = stand_new("[30 s]");
    struct hook *elsewhere = hook_open();
    hook_answer(s.hook, 307, hook_url(elsewhere));
    agent_start(s.town, "treasury-a", "answer", 1);
    gate_submit(s.gate, s.portal, uuid);
    hook_take(s.hook, 1);
    webhook_wait(&s, "last_error", "the answer was 307");
    assert_int_equal(hook_count(elsewhere), 0);
    assert_int_equal(json_integer_value(json_object_get(row_of(webhook_of(&s)), "queued")), 1);
}

static void after_the_last_attempt_it_is_disabled_and_waits_for_a_person(void **state) {
    (void)state;
    struct stand s = stand_new("[10 ms]");
    hook_answer(s.hook, 503, NULL);
    agent_start(s.town, "treasury-a", "answer", 1);
    gate_submit(s.gate, s.portal, uuid);
    hook_take(s.hook, 2);
    webhook_wait(&s, "state", "disabled");
    gate_submit(s.gate, s.portal, "another");
    queued_wait(&s, 2); /* kept, and not sent */
    assert_int_equal(gate_stop(s.gate), 0);
    gate_start(s.gate);
    webhook_wait(&s, "state", "disabled");
    assert_int_equal(hook_count(s.hook), 2);
    hook_answer(s.hook, 200, NULL);
    const char *notary = gate_token(s.gate, "notary", SCOPE_ALL);
    assert_problem(CALL(s.gate, "/v1/webhooks/portal/retry", .method = "POST", .token = notary), 404,
                   "NO_WEBHOOK");
    const struct reply *r = CALL(s.gate, "/v1/webhooks/portal/retry", .method = "POST", .token = s.portal);
    assert_int_equal(r->status, 202);
    assert_int_equal(reply_int(r, "retrying"), 2);
    hook_take(s.hook, 4);
    queued_wait(&s, 0);
    webhook_wait(&s, "state", "active");
}

static void a_receiver_that_is_gone_disables_it_at_once(void **state) {
    (void)state;
    struct stand s = stand_new("[10 ms, 10 ms, 10 ms]");
    hook_answer(s.hook, 410, NULL);
    agent_start(s.town, "treasury-a", "answer", 1);
    gate_submit(s.gate, s.portal, uuid);
    webhook_wait(&s, "state", "disabled");
    assert_int_equal(hook_count(s.hook), 1);
    assert_int_equal(CALL(s.gate, "/v1/webhooks/msg_frob/retry", .method = "POST", .token = s.portal)->status,
                     404);
    hook_answer(s.hook, 200, NULL);
    assert_int_equal(CALL(s.gate, "/v1/webhooks/msg_0198c5a27d1e7c3a9f002b6d1c0a4e11/retry", .method = "POST",
                          .token = s.portal)
                         ->status,
                     202);
    hook_take(s.hook, 2);
    queued_wait(&s, 0);
}

/* The broker knows that the message is on disk, and will not bring the result again. */
static void acknowledged_wait(const struct stand *s, const char *id) {
    char path[64];
    snprintf(path, sizeof path, "/v1/inquiries/%s", id);
    const char *acknowledged = "";
    for (int64_t until = now_ms() + WAIT_MS; !*acknowledged && now_ms() < until;)
        acknowledged = reply_text(CALL(s->gate, path, .token = s->portal), "acknowledged_at");
    assert_true(*acknowledged);
}

/* Killed while the receiver says no: after the start it goes on under the same id, though the broker
 * has been told long since that the result is safe. */
static void a_killed_gateway_goes_on_where_it_was(void **state) {
    (void)state;
    struct stand s = stand_new("[100 ms, 200 ms, 500 ms, 2 s, 4 s, 8 s, 8 s]");
    hook_answer(s.hook, 500, NULL);
    agent_start(s.town, "treasury-a", "answer", 1);
    gate_submit(s.gate, s.portal, uuid);
    hook_take(s.hook, 1);
    acknowledged_wait(&s, uuid);
    gate_kill(s.gate);
    hook_answer(s.hook, 200, NULL);
    size_t before = hook_count(s.hook);
    gate_start(s.gate);
    assert_string_equal(hook_take(s.hook, before + 1)->id, hook_id);
    queued_wait(&s, 0);
}

/* The result comes while the gateway is down: the broker keeps it until a message is on disk. */
static void an_end_that_came_meanwhile_is_told_after_the_start(void **state) {
    (void)state;
    struct stand s = stand_new(NULL);
    gate_submit(s.gate, s.portal, uuid);
    gate_kill(s.gate);
    agent_start(s.town, "treasury-a", "answer", 1);
    struct far *duty = far_open(s.town, "duty", 0);
    far_stat_wait(duty, "results_unacknowledged", 1);
    gate_start(s.gate);
    assert_string_equal(hook_take(s.hook, 1)->id, hook_id);
    queued_wait(&s, 0);
}

/* A fresh store gives the numbers out again, and so does one from a backup. */
static void an_inquiry_with_a_number_given_twice_is_told_too(void **state) {
    (void)state;
    char store[FOLDER_MAX + 16], before[FOLDER_MAX + 16];
    struct stand s = stand_new("[1 h]");
    hook_answer(s.hook, 500, NULL);
    agent_start(s.town, "treasury-a", "answer", 1);
    uint64_t number = gate_submit(s.gate, s.portal, uuid);
    queued_wait(&s, 1);
    town_stop(s.town);
    snprintf(store, sizeof store, "%s/store", s.town->folder);
    snprintf(before, sizeof before, "%s/before", s.town->folder);
    assert_int_equal(rename(store, before), 0);
    town_start(s.town);
    child_error_wait(s.gate->child, "portal: connected to the broker");
    assert_int_equal(gate_submit(s.gate, s.portal, other_uuid), number);
    queued_wait(&s, 2);
    child_error_wait(s.gate->child, "another inquiry with that number");
    hook_take(s.hook, 2); /* the first attempt of each */
    acknowledged_wait(&s, other_uuid); /* else it would come once more, and be told once more */
    gate_kill(s.gate);
    hook_answer(s.hook, 200, NULL);
    gate_start(s.gate);
    assert_int_equal(CALL(s.gate, "/v1/webhooks/portal/retry", .method = "POST", .token = s.portal)->status,
                     202);
    const struct delivery *one = hook_take(s.hook, 3), *other = hook_take(s.hook, 4);
    assert_true((strcmp(one->id, hook_id) == 0) != (strcmp(other->id, hook_id) == 0));
    assert_string_not_equal(one->body, other->body);
    queued_wait(&s, 0);
}

/* Two accounts with a webhook each. The portal's receiver says no, and no account may have more than two
 * messages waiting. */
static struct stand stand_narrow(struct hook *notary) {
    char more[512];
    struct stand s = {.town = gate_town(), .hook = hook_open()};
    town_start(s.town);
    town_file(s.town, "hook.secret", HOOK_SECRET "\n");
    snprintf(more, sizeof more,
             "state: state\nlimits: {webhook_messages: 2}\n"
             "webhooks: {portal: {url: \"%s\", secret_file: hook.secret, retries: [1 h]},\n"
             "  notary: {url: \"%s\", secret_file: hook.secret}}\n",
             hook_url(s.hook), hook_url(notary));
    s.gate = gate_new(s.town, more);
    s.portal = gate_token(s.gate, "portal", SCOPE_ALL);
    hook_answer(s.hook, 500, NULL);
    return s;
}

static void a_full_queue_holds_back_its_own_account_only(void **state) {
    (void)state;
    struct hook *notary = hook_open();
    struct stand s = stand_narrow(notary);
    const char *token = gate_token(s.gate, "notary", SCOPE_ALL);
    gate_start(s.gate);
    agent_start(s.town, "treasury-a", "answer", 1);
    agent_start(s.town, "works-a", "answer", 1);
    gate_submit(s.gate, s.portal, "a");
    gate_submit(s.gate, s.portal, "b");
    queued_wait(&s, 2);
    gate_submit(s.gate, s.portal, "c");
    gate_submit(s.gate, s.portal, "d");
    for (size_t i = 1; i <= 3; i++) {
        char body[] = "{\"type\":\"plot.use\",\"purpose\":\"permit\",\"body\":{\"nz\":\"1-2-3\"}}";
        char key[32];
        snprintf(key, sizeof key, "Idempotency-Key: n%zu", i);
        assert_int_equal(
            CALL(s.gate, "/v1/inquiries", .token = token, .headers = {key}, .body = body)->status, 202);
        hook_take(notary, i);
    }
    child_error_wait(s.gate->child, "webhook of portal: 2 messages");
    queued_wait(&s, 2);
    struct far *duty = far_open(s.town, "duty", 0);
    for (int64_t until = now_ms() + WAIT_MS; far_stat(duty, "results_unacknowledged") != 2;)
        assert_true(now_ms() < until);
    town_stop(s.town); /* the next session brings again what waits */
    town_start(s.town);
    child_error_wait(s.gate->child, "portal: connected to the broker");
    gate_submit(s.gate, s.portal, "e");
    for (int64_t until = now_ms() + WAIT_MS; far_stat(duty, "results_unacknowledged") != 3;)
        assert_true(now_ms() < until);
    figure_wait(&s, "failed", 2); /* nothing is on its way */
    hook_answer(s.hook, 200, NULL);
    assert_int_equal(CALL(s.gate, "/v1/webhooks/portal/retry", .method = "POST", .token = s.portal)->status,
                     202);
    hook_take(s.hook, 2 + 5);
    queued_wait(&s, 0);
    assert_int_equal(hook_count(s.hook), 2 + 5);
}

static void a_webhook_needs_a_state_a_secret_and_https(void **state) {
    (void)state;
    struct town *town = gate_town();
    const char *says;
    struct gate *gate =
        gate_new(town, "webhooks: {portal: {url: \"http://example.com/x\", secret_file: none}}\n");
    assert_int_equal(gate_check(gate, &says), 3);
    assert_true(child_error_has(gate->child, "begins with https://"));
    assert_true(child_error_has(gate->child, "none: No such file"));
    assert_true(child_error_has(gate->child, "add `state: FOLDER`"));
    town_file(town, "weak.secret", "whsec_c2hvcnQ=\n");
    snprintf(gate->more, sizeof gate->more,
             "state: state\nwebhooks: {duty: {}, portal: {url: \"https://x/\", secret_file: weak.secret}}\n");
    assert_int_equal(gate_check(gate, &says), 3);
    assert_true(child_error_has(gate->child, "base64 of 24 to 64 bytes"));
    assert_true(child_error_has(gate->child, "no requester account"));
}

/* What curl takes for the host counts, not how the address begins. */
static void plain_http_goes_to_loopback_only(void **state) {
    (void)state;
    static const struct {
        const char *url, *says; /* NULL: it is good */
    } rows[] = {
        {"http://localhost:x@portal.example/hook", "before the host"},
        {"http://127.0.0.1:80@portal.example/", "before the host"},
        {"http://127.0.0.1.example/", "begins with https://"},
        {"http://localhost.example:80/", "begins with https://"},
        {"http://127.0.0.2/", "begins with https://"},
        {"http://user@127.0.0.1/hook", "before the host"},
        {"https://user:word@portal.example/hook", "before the host"},
        {"https://", "begins with https://"},
        {"https://portal .example/", "begins with https://"},
        {"ftp://127.0.0.1/", "begins with https://"},
        {"//127.0.0.1/", "begins with https://"},
        {"http://[::1]:8080/hook", NULL},
        {"http://[::1]/hook", NULL},
        {"http://127.0.0.1:8080/hook?a=b@c", NULL},
        {"http://localhost/hook", NULL},
        {"https://portal.example/hook", NULL},
        {"https://درگاه.example/قلاب", NULL},
    };
    struct town *town = gate_town();
    struct gate *gate = gate_new(town, NULL);
    town_file(town, "hook.secret", HOOK_SECRET "\n");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *says;
        snprintf(gate->more, sizeof gate->more,
                 "state: state\nwebhooks: {portal: {url: \"%s\", secret_file: hook.secret}}\n", rows[i].url);
        if (gate_check(gate, &says) != (rows[i].says ? 3 : 0))
            fail_msg("%s", rows[i].url);
        if (rows[i].says && !child_error_has(gate->child, rows[i].says))
            fail_msg("%s: not `%s`", rows[i].url, rows[i].says);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        GATE_CLAIM(an_end_is_posted_and_signed),
        GATE_CLAIM(what_fails_is_sent_again_under_the_same_id),
        GATE_CLAIM(a_receiver_that_failed_three_times_gets_one_at_a_time),
        GATE_CLAIM(a_receiver_that_says_nothing_has_failed_in_time),
        GATE_CLAIM(a_redirect_is_a_failure_and_is_not_followed),
        GATE_CLAIM(after_the_last_attempt_it_is_disabled_and_waits_for_a_person),
        GATE_CLAIM(a_receiver_that_is_gone_disables_it_at_once),
        GATE_CLAIM(a_killed_gateway_goes_on_where_it_was),
        GATE_CLAIM(an_end_that_came_meanwhile_is_told_after_the_start),
        GATE_CLAIM(an_inquiry_with_a_number_given_twice_is_told_too),
        GATE_CLAIM(a_full_queue_holds_back_its_own_account_only),
        GATE_CLAIM(a_webhook_needs_a_state_a_secret_and_https),
        GATE_CLAIM(plain_http_goes_to_loopback_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
