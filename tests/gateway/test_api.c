/* test_api.c - inquiries over HTTP before a real broker and real agents. */
#include "gate.h"
#include "route.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static const char debt[] = "{\"type\":\"plot.debt\",\"purpose\":\"permit\",\"body\":{\"nz\":\"1-2-3\"}}";
static const char uuid[] = "0198c5a2-7d1e-7c3a-9f00-2b6d1c0a4e11";

/* A town with its broker, a gateway, and one token of the portal that may do all. */
struct stand {
    struct town *town;
    struct gate *gate;
    const char *portal, *duty;
};

static struct stand stand_new(const char *more) {
    struct stand s = {.town = gate_town()};
    town_start(s.town);
    s.gate = gate_new(s.town, more);
    s.portal = gate_token(s.gate, "portal", SCOPE_ALL);
    s.duty = gate_token(s.gate, "duty", SCOPE_ALL);
    gate_start(s.gate);
    return s;
}

#define SUBMIT(s, key, text, ...)                                                                            \
    CALL((s).gate, "/v1/inquiries", .token = (s).portal, .headers = {"Idempotency-Key: " key, __VA_ARGS__},  \
         .body = (text))

/* --- Submitting -------------------------------------------------------------------------------- */

static void a_submit_gets_a_receipt_and_a_place_to_look(void **state) {
    (void)state;
    struct stand s = stand_new(NULL);
    const struct reply *r = SUBMIT(s, "0198c5a2-7d1e-7c3a-9f00-2b6d1c0a4e11", debt, NULL);
    assert_int_equal(r->status, 202);
    assert_string_equal(reply_text(r, "id"), uuid);
    assert_true(reply_int(r, "number") > 0);
    assert_true(*reply_text(r, "tracking") && *reply_text(r, "received_at") && *reply_text(r, "due_at"));
    assert_string_equal(reply_text(r, "state"), "waiting");
    assert_string_equal(reply_text(r, "department"), "treasury");
    assert_true(json_is_false(json_object_get(r->json, "again")));
    assert_string_equal(reply_header(r, "Location"), "/v1/inquiries/0198c5a2-7d1e-7c3a-9f00-2b6d1c0a4e11");
    r = CALL(s.gate, "/v1/inquiries/0198c5a2-7d1e-7c3a-9f00-2b6d1c0a4e11", .token = s.portal);
    assert_int_equal(r->status, 200);
    assert_string_equal(reply_text(r, "type"), "plot.debt");
    assert_string_equal(reply_text(r, "requester"), "portal");
    assert_string_equal(json_string_value(json_object_get(json_object_get(r->json, "request"), "nz")),
                        "1-2-3");
    assert_true(json_is_null(json_object_get(r->json, "reply")));
}

static void the_same_key_gives_the_same_receipt_and_another_body_a_conflict(void **state) {
    (void)state;
    struct stand s = stand_new(NULL);
    const struct reply *first = SUBMIT(s, "order-1404/17", debt, NULL);
    const struct reply *again = SUBMIT(s, "\"order-1404/17\"", debt, NULL);
    assert_int_equal(first->status, 202);
    assert_int_equal(again->status, 202);
    assert_string_equal(reply_text(first, "id"), reply_text(again, "id"));
    assert_int_equal(reply_text(first, "id")[14], '8');
    assert_int_equal(reply_int(first, "number"), reply_int(again, "number"));
    assert_true(json_is_true(json_object_get(again->json, "again")));
    assert_problem(SUBMIT(s, "order-1404/17",
                          "{\"type\":\"plot.debt\",\"purpose\":\"permit\",\"body\":{\"nz\":\"1-2-4\"}}",
                          NULL),
                   409, "CONFLICT");
}

static void a_key_that_is_no_key_is_refused(void **state) {
    (void)state;
    struct stand s = stand_new(NULL);
    assert_problem(CALL(s.gate, "/v1/inquiries", .token = s.portal, .body = debt), 400, "HEADER_MISSING");
    assert_problem(SUBMIT(s, "\"\"", debt, NULL), 400, "INVALID_HEADER");
    assert_problem(SUBMIT(s, "a b", debt, NULL), 400, "INVALID_HEADER");
    assert_problem(SUBMIT(s, "00000000-0000-0000-0000-000000000000", debt, NULL), 400, "INVALID_HEADER");
    assert_problem(SUBMIT(s, "a", debt, "Idempotency-Key: b"), 400, "DUPLICATE_HEADER");
}

static void whoever_waits_gets_the_answer(void **state) {
    (void)state;
    struct stand s = stand_new(NULL);
    agent_start(s.town, "treasury-a", "answer", 1);
    const struct reply *r = SUBMIT(s, "k", debt, "Prefer: respond-async, wait=20");
    assert_int_equal(r->status, 200);
    assert_string_equal(reply_text(r, "state"), "answered");
    assert_string_equal(reply_text(r, "outcome"), "positive");
    assert_true(json_is_integer(json_object_get(json_object_get(r->json, "reply"), "debt")));
    assert_string_equal(reply_header(r, "Preference-Applied"), "wait=20");
    r = SUBMIT(s, "k", debt, "Prefer: wait=20"); /* it has ended already */
    assert_int_equal(r->status, 200);
}

static void whoever_waits_in_vain_gets_the_receipt(void **state) {
    (void)state;
    struct stand s = stand_new(NULL);
    int64_t start = now_ms();
    const struct reply *r = SUBMIT(s, "k", debt, "Prefer: wait=1");
    assert_int_equal(r->status, 202);
    assert_true(now_ms() - start >= 1000);
    assert_null(reply_header(r, "Preference-Applied"));
}

static void nobody_waits_longer_than_the_limit(void **state) {
    (void)state;
    struct stand s = stand_new("limits: {wait: 1 s}\n");
    int64_t start = now_ms();
    assert_int_equal(SUBMIT(s, "k", debt, "Prefer: wait=20")->status, 202);
    assert_in_range(now_ms() - start, 1000, 15000);
}

static const char *defect_persian(const struct reply *r, size_t index) {
    return json_string_value(json_object_get(json_array_get(json_object_get(r->json, "defects"), index), "text_fa"));
}

static void all_defects_are_told_at_once(void **state) {
    (void)state;
    struct stand s = stand_new(NULL);
    const struct reply *r =
        SUBMIT(s, "k", "{\"type\":7,\"frob\":1,\"body\":{\"nz\":1.5,\"a\":[{\"b\":2.5}]}}", NULL);
    assert_problem(r, 422, "INVALID_REQUEST");
    json_t *defects = json_object_get(r->json, "defects");
    assert_int_equal(json_array_size(defects), 5); /* type, frob, purpose, nz, a[0].b */
    for (size_t i = 0; i < 5; i++)
        assert_non_null(defect_persian(r, i));
    assert_string_equal(json_string_value(json_object_get(json_array_get(defects, 4), "path")), "a[0].b");
    r = SUBMIT(s, "k", "{\"type\":\"plot.debt\",\"purpose\":\"permit\",\"body\":{\"zz\":1}}", NULL);
    assert_problem(r, 422, "INVALID_BODY");
    assert_int_equal(json_array_size(json_object_get(r->json, "defects")), 2); /* zz, nz */
    assert_string_equal(defect_persian(r, 0), "چنین فیلدی تعریف نشده است");
    assert_string_equal(defect_persian(r, 1), "این فیلد لازم است و خالی است یا فرستاده نشده است");
    r = SUBMIT(s, "k",
               "{\"type\":\"plot.debt\",\"purpose\":\"permit\",\"body\":{\"nz\":\"1\",\"note\":7}}", NULL);
    assert_string_equal(defect_persian(r, 0), "با قاعده کدهای نوسازی این شهر نمی‌خواند");
    assert_string_equal(defect_persian(r, 1), "باید متن باشد");
    assert_problem(SUBMIT(s, "k", "{\"type\":\"no.such\",\"purpose\":\"permit\",\"body\":{}}", NULL), 422,
                   "UNKNOWN_TYPE");
    assert_problem(SUBMIT(s, "k",
                          "{\"type\":\"plot.debt\",\"purpose\":\"permit\",\"body\":{\"nz\":\"1-2-3\"},"
                          "\"deadline_at\":\"2020-01-01T00:00:00Z\"}",
                          NULL),
                   422, "DEADLINE_PASSED");
}

static void assert_told(const struct reply *r, long status, const char *code, const char *detail) {
    assert_problem(r, status, code);
    assert_string_equal(reply_text(r, "layer"), "requester");
    assert_string_equal(reply_text(r, "detail"), detail);
}

/* What the protocol cannot carry is told by its place, and not as a fault of anybody else's. */
static void what_no_command_can_hold_is_the_requesters_mistake_by_name(void **state) {
    (void)state;
    struct stand s = stand_new("feed: duty\n");
    assert_told(CALL(s.gate, "/v1/inquiries?q=%ff%fe", .token = s.portal), 400, "INVALID_QUERY",
                "q: is not UTF-8, or holds a zero character");
    assert_told(CALL(s.gate, "/v1/inquiries?q=case:a%00b", .token = s.portal), 400, "INVALID_QUERY",
                "q: is not UTF-8, or holds a zero character");
    assert_problem(CALL(s.gate, "/v1/inquiries?q%00=x", .token = s.portal), 400, "INVALID_QUERY");
    assert_problem(CALL(s.gate, "/v1/problems%00", .token = s.portal), 404, "NO_SUCH_PATH");
    assert_told(CALL(s.gate, "/v1/queues?department=%ff", .token = s.duty), 400, "INVALID_QUERY",
                "department: is not UTF-8, or holds a zero character");
    char path[128];
    snprintf(path, sizeof path, "/v1/queues?department=%065d", 1);
    assert_told(CALL(s.gate, path, .token = s.duty), 422, "INVALID_FIELD",
                "department: is longer than 64 bytes");
    snprintf(path, sizeof path, "/v1/departments/%065d/pause", 1);
    assert_told(CALL(s.gate, path, .token = s.duty, .body = "{\"reason\":\"x\"}"), 422, "INVALID_FIELD",
                "department: is longer than 64 bytes");
    assert_problem(CALL(s.gate, "/v1/departments/%ff/pause", .token = s.duty, .body = "{\"reason\":\"x\"}"),
                   404, "NO_SUCH_PATH");
}

/* {"nz":[1,1,…]}: the member counts too. */
static const struct reply *items_submit(struct stand *s, size_t count) {
    static char text[2 * EST_ITEMS_MAX + 256];
    size_t used = (size_t)snprintf(text, sizeof text,
                                   "{\"type\":\"plot.debt\",\"purpose\":\"permit\",\"body\":{\"nz\":[1");
    for (size_t i = 1; i < count; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, ",1");
    snprintf(text + used, sizeof text - used, "]}}");
    return SUBMIT(*s, "k", text, NULL);
}

static void a_body_has_no_more_elements_than_the_protocol_takes(void **state) {
    (void)state;
    struct stand s = stand_new(NULL);
    assert_problem(items_submit(&s, EST_ITEMS_MAX - 1), 422, "INVALID_BODY");
    const struct reply *r = items_submit(&s, EST_ITEMS_MAX);
    assert_problem(r, 422, "INVALID_REQUEST");
    json_t *defects = json_object_get(r->json, "defects");
    assert_int_equal(json_array_size(defects), 1);
    assert_string_equal(json_string_value(json_object_get(json_array_get(defects, 0), "path")), "body");
    assert_string_equal(json_string_value(json_object_get(json_array_get(defects, 0), "text")),
                        "more than 4096 elements");
}

static void a_trace_goes_to_the_agent_only_where_it_is_one(void **state) {
    (void)state;
    struct stand s = stand_new(NULL);
    struct raw *agent = raw_agent(s.town, "treasury-a", 1);
    static const char trace[] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    SUBMIT(s, "k1", debt, "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
    const struct message *m = raw_receive(agent, VERB_ASSIGN);
    assert_int_equal(m->assign.trace.size, sizeof trace - 1);
    assert_memory_equal(m->assign.trace.data, trace, sizeof trace - 1);
    raw_answer(agent, m->assign.number, m->assign.epoch, 1);
    SUBMIT(s, "k2", debt, "traceparent: 00-00000000000000000000000000000000-00f067aa0ba902b7-01");
    m = raw_receive(agent, VERB_ASSIGN);
    assert_int_equal(m->assign.trace.size, 0);
}

static void a_case_goes_with_its_inquiry(void **state) {
    (void)state;
    struct stand s = stand_new(NULL);
    struct raw *agent = raw_agent(s.town, "treasury-a", 1);
    assert_int_equal(SUBMIT(s, "0198c5a2-7d1e-7c3a-9f00-2b6d1c0a4e11",
                            "{\"type\":\"plot.debt\",\"purpose\":\"permit\",\"body\":{\"nz\":\"1-2-3\"},"
                            "\"case_id\":\"پروانه-1404/17\"}",
                            NULL)
                         ->status,
                     202);
    assert_true(text_is(raw_receive(agent, VERB_ASSIGN)->assign.case_id, "پروانه-1404/17"));
    const struct reply *r =
        CALL(s.gate, "/v1/inquiries/0198c5a2-7d1e-7c3a-9f00-2b6d1c0a4e11", .token = s.portal);
    assert_string_equal(reply_text(r, "case_id"), "پروانه-1404/17");
}

/* --- Looking and cancelling -------------------------------------------------------------------- */

static void a_timeline_and_a_cancel(void **state) {
    (void)state;
    struct stand s = stand_new(NULL);
    uint64_t number = gate_submit(s.gate, s.portal, uuid);
    char path[128];
    const struct reply *r = CALL(s.gate, "/v1/inquiries/0198c5a2-7d1e-7c3a-9f00-2b6d1c0a4e11/cancel",
                                 .token = s.portal, .body = "{}");
    assert_problem(r, 422, "INVALID_REQUEST");
    r = CALL(s.gate, "/v1/inquiries/0198c5a2-7d1e-7c3a-9f00-2b6d1c0a4e11/cancel", .token = s.portal,
             .body = "{\"reason\":\"the owner withdrew\"}");
    assert_int_equal(r->status, 200);
    assert_string_equal(reply_text(r, "state"), "cancelled");
    r = CALL(s.gate, "/v1/inquiries/0198c5a2-7d1e-7c3a-9f00-2b6d1c0a4e11/cancel", .token = s.portal,
             .body = "{\"reason\":\"again\"}");
    assert_problem(r, 409, "ALREADY_FINAL");
    snprintf(path, sizeof path, "/v1/inquiries/%llu/timeline", (unsigned long long)number);
    r = CALL(s.gate, path, .token = s.duty);
    assert_int_equal(r->status, 200);
    json_t *rows = json_object_get(r->json, "rows");
    assert_true(json_array_size(rows) >= 2);
    assert_string_equal(json_string_value(json_object_get(json_array_get(rows, 0), "event")), "submitted");
    assert_string_equal(json_string_value(json_object_get(json_array_get(rows, 0), "actor")), "portal");
}

static void an_inquiry_is_named_by_its_tracking_code(void **state) {
    (void)state;
    struct stand s = stand_new(NULL);
    const char *notary = gate_token(s.gate, "notary", SCOPE_ALL);
    uint64_t number = gate_submit(s.gate, s.portal, uuid);
    char path[128], code[32];
    snprintf(path, sizeof path, "/v1/inquiries/%llu", (unsigned long long)number);
    snprintf(code, sizeof code, "%s", reply_text(CALL(s.gate, path, .token = s.portal), "tracking"));
    snprintf(path, sizeof path, "/v1/inquiries/%s", code);
    const char *const mine[] = {s.portal, s.duty};
    for (size_t i = 0; i < 2; i++) {
        const struct reply *r = CALL(s.gate, path, .token = mine[i]);
        assert_int_equal(r->status, 200);
        assert_int_equal(reply_int(r, "number"), number);
    }
    assert_problem(CALL(s.gate, path, .token = notary), 404, "NOT_FOUND");
    char *last = &path[strlen(path) - 1];
    *last = *last == '0' ? '1' : '0'; /* a slip of the pen ends nobody's inquiry */
    assert_problem(CALL(s.gate, path, .token = s.portal), 404, "NOT_FOUND");
    strcat(path, "/cancel");
    assert_problem(CALL(s.gate, path, .token = s.portal, .body = "{\"reason\":\"x\"}"), 404, "NOT_FOUND");
    snprintf(path, sizeof path, "/v1/inquiries/%s/timeline", code);
    assert_int_equal(CALL(s.gate, path, .token = s.duty)->status, 200);
    snprintf(path, sizeof path, "/v1/inquiries/%s/cancel", code);
    const struct reply *r = CALL(s.gate, path, .token = s.portal, .body = "{\"reason\":\"the owner withdrew\"}");
    assert_int_equal(r->status, 200);
    assert_string_equal(reply_text(r, "state"), "cancelled");
}

static void what_is_not_ones_own_is_not_found(void **state) {
    (void)state;
    struct stand s = stand_new(NULL);
    const char *notary = gate_token(s.gate, "notary", SCOPE_ALL);
    uint64_t number = gate_submit(s.gate, s.portal, uuid);
    char path[128];
    snprintf(path, sizeof path, "/v1/inquiries/%llu", (unsigned long long)number);
    assert_problem(CALL(s.gate, path, .token = notary), 404, "NOT_FOUND");
    assert_problem(CALL(s.gate, "/v1/inquiries/0198c5a2-7d1e-7c3a-9f00-2b6d1c0a4e11", .token = notary), 404,
                   "NOT_FOUND");
    assert_problem(CALL(s.gate, "/v1/inquiries/frob", .token = s.portal), 404, "NOT_FOUND");
    assert_problem(
        CALL(s.gate, "/v1/inquiries", .token = notary, .headers = {"Idempotency-Key: k"}, .body = debt), 403,
        "NOT_ALLOWED");
}

static void operators_see_queues_and_agents_and_no_bodies(void **state) {
    (void)state;
    struct stand s = stand_new(NULL);
    agent_start(s.town, "works-a", "answer", 1);
    uint64_t number = gate_submit(s.gate, s.portal, uuid);
    const struct reply *r = CALL(s.gate, "/v1/queues?department=treasury", .token = s.duty);
    assert_int_equal(r->status, 200);
    json_t *row = json_array_get(json_object_get(r->json, "rows"), 0);
    assert_string_equal(json_string_value(json_object_get(row, "department")), "treasury");
    assert_int_equal(json_integer_value(json_object_get(row, "waiting")), 1);
    assert_true(json_is_string(json_object_get(row, "oldest_at")));
    r = CALL(s.gate, "/v1/parked", .token = s.duty);
    assert_int_equal(r->status, 200);
    assert_int_equal(json_array_size(json_object_get(r->json, "rows")), 0);
    char path[128];
    snprintf(path, sizeof path, "/v1/inquiries/%llu", (unsigned long long)number);
    r = CALL(s.gate, path, .token = s.duty);
    assert_int_equal(r->status, 200);
    assert_true(json_is_null(json_object_get(r->json, "request")));
    assert_problem(
        CALL(s.gate, "/v1/inquiries", .token = s.duty, .headers = {"Idempotency-Key: k"}, .body = debt), 403,
        "NOT_ALLOWED");
    assert_problem(CALL(s.gate, "/v1/queues", .token = s.portal), 403, "NOT_ALLOWED");
}

static void the_catalogue_is_there_for_every_token(void **state) {
    (void)state;
    struct stand s = stand_new(NULL);
    const struct reply *r = CALL(s.gate, "/v1/catalogue/types", .token = s.portal);
    assert_int_equal(r->status, 200);
    assert_int_equal(json_array_size(json_object_get(r->json, "rows")), 2);
    r = CALL(s.gate, "/v1/catalogue/types/plot.debt", .token = s.duty);
    assert_string_equal(reply_text(r, "department"), "treasury");
    assert_string_equal(reply_text(r, "owner"), "council");
    assert_string_equal(reply_text(r, "operator"), "office");
    const json_t *reason = json_array_get(json_object_get(r->json, "reasons"), 0);
    assert_string_equal(json_string_value(json_object_get(reason, "code")), "debt-open");
    assert_string_equal(json_string_value(json_object_get(reason, "title_fa")), "بدهی");
    assert_string_equal(json_string_value(json_object_get(reason, "title_en")), "Debt is owed");
    assert_string_equal(
        json_string_value(json_object_get(json_array_get(json_object_get(r->json, "request"), 0), "name")),
        "nz");
    assert_problem(CALL(s.gate, "/v1/catalogue/types/no.such", .token = s.duty), 404, "NO_SUCH_PATH");
    assert_int_equal(CALL(s.gate, "/v1/catalogue/departments", .token = s.duty)->status, 200);
    assert_int_equal(CALL(s.gate, "/v1/catalogue/purposes", .token = s.duty)->status, 200);
    assert_problem(CALL(s.gate, "/v1/catalogue/types"), 401, "UNAUTHENTICATED");
}

/* No file came or went, which the folder's own time would tell, and the text is as long as before. */
static void a_type_that_is_edited_in_place_is_seen(void **state) {
    static const char path[] = "/v1/catalogue/types/plot.debt";
    (void)state;
    struct stand s = stand_new(NULL);
    assert_string_equal(reply_text(CALL(s.gate, path, .token = s.duty), "title_en"), "Debt");
    char *types = town_types("", ""), *title = strstr(types, "en: Debt}");
    memcpy(title, "en: Levy}", strlen("en: Levy}"));
    town_file(s.town, TOWN_TYPES, types);
    free(types);
    const char *now = "Debt";
    for (int64_t until = now_ms() + WAIT_MS; strcmp(now, "Levy") != 0 && now_ms() < until; poll(NULL, 0, 50))
        now = reply_text(CALL(s.gate, path, .token = s.duty), "title_en");
    assert_string_equal(now, "Levy");
}

static void choices_come_with_the_titles_they_have(void **state) {
    (void)state;
    struct stand s = stand_new(NULL);
    char *types = town_types("      use: {kind: enum, choices: [home, {shop: {fa: مغازه, en: Shop}}]}\n", "");
    town_file(s.town, TOWN_TYPES, types);
    free(types);
    const json_t *use = NULL;
    for (int64_t until = now_ms() + WAIT_MS; !use && now_ms() < until; poll(NULL, 0, 50)) {
        const struct reply *r = CALL(s.gate, "/v1/catalogue/types/plot.debt", .token = s.portal);
        use = json_array_get(json_object_get(r->json, "reply"), 1);
    }
    assert_string_equal(json_string_value(json_array_get(json_object_get(use, "choices"), 1)), "shop");
    const json_t *titles = json_object_get(use, "choice_titles");
    assert_int_equal(json_object_size(titles), 1);
    assert_string_equal(json_string_value(json_object_get(json_object_get(titles, "shop"), "title_fa")), "مغازه");
}

/* --- Tokens ------------------------------------------------------------------------------------ */

static void a_revoked_token_fails_on_the_next_call(void **state) {
    (void)state;
    struct stand s = stand_new(NULL);
    const struct reply *r = CALL(s.gate, "/v1/whoami", .token = s.portal);
    assert_int_equal(r->status, 200);
    assert_string_equal(reply_text(r, "account"), "portal");
    assert_string_equal(reply_text(r, "role"), "requester");
    gate_revoke(s.gate, s.portal);
    r = CALL(s.gate, "/v1/whoami", .token = s.portal);
    assert_problem(r, 401, "TOKEN_REVOKED");
    assert_non_null(strstr(reply_header(r, "WWW-Authenticate"), "Bearer"));
    gate_expire(s.gate, s.duty, -1000);
    assert_problem(CALL(s.gate, "/v1/whoami", .token = s.duty), 401, "TOKEN_EXPIRED");
    assert_problem(CALL(s.gate, "/v1/whoami", .token = "est_frob"), 401, "UNAUTHENTICATED");
    assert_problem(CALL(s.gate, "/v1/whoami", .headers = {"Authorization: Basic cG9ydGFsOng="}), 401,
                   "UNAUTHENTICATED");
}

/* Whoever holds it cannot mend it, and the gateway's operator is told once: a portal asks all the time. */
static void a_good_token_of_an_account_that_is_not_served_says_so(void **state) {
    static const char detail[] =
        "the token's account `nope` is not in gateway.yaml; ask the gateway's operator";
    (void)state;
    struct stand s = stand_new(NULL);
    const char *nope = gate_token(s.gate, "nope", SCOPE_ALL), *second = gate_token(s.gate, "nope", SCOPE_ALL);
    char of_second[64];
    snprintf(of_second, sizeof of_second, "token %s is refused",
             tokens_find(&s.gate->tokens, (est_slice){second, strlen(second)})->id);
    assert_told(CALL(s.gate, "/v1/whoami", .token = nope), 401, "UNAUTHENTICATED", detail);
    assert_told(CALL(s.gate, "/v1/whoami", .token = second), 401, "UNAUTHENTICATED", detail);
    assert_problem(CALL(s.gate, "/v1/whoami", .token = gate_token(s.gate, "neither", SCOPE_ALL)), 401,
                   "UNAUTHENTICATED");
    child_error_wait(s.gate->child, "its account `nope` is not in");
    child_error_wait(s.gate->child, "its account `neither` is not in");
    assert_false(child_error_has(s.gate->child, of_second));
    gate_revoke(s.gate, nope);
    assert_problem(CALL(s.gate, "/v1/whoami", .token = nope), 401, "TOKEN_REVOKED");
    assert_string_equal(reply_text(CALL(s.gate, "/v1/whoami", .token = "est_frob"), "detail"), "");
}

static void a_broken_tokens_file_lets_nobody_in(void **state) {
    (void)state;
    struct stand s = stand_new(NULL);
    town_file(s.town, "tokens.yaml", "tokens: [frob\n");
    assert_problem(CALL(s.gate, "/v1/whoami", .token = s.portal), 503, "TOKENS_UNREADABLE");
    assert_string_equal(reply_text(CALL(s.gate, "/v1/whoami", .token = s.portal), "layer"), "local");
    gate_token(s.gate, "portal", SCOPE_read); /* writes it whole again */
    assert_int_equal(CALL(s.gate, "/v1/whoami", .token = s.portal)->status, 200);
}

/* One request on a connection that stays open: the status. */
static int status_on(int fd, const char *token) {
    char text[512], reply[4096] = "";
    int size = snprintf(text, sizeof text,
                        "GET /v1/whoami HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n", token);
    assert_int_equal(send(fd, text, (size_t)size, MSG_NOSIGNAL), size);
    assert_true(recv(fd, reply, sizeof reply - 1, 0) > 0);
    int status = 0;
    assert_int_equal(sscanf(reply, "HTTP/1.1 %d", &status), 1);
    return status;
}

static void open_files_max(const struct gate *gate, rlim_t most) {
    struct rlimit limit;
    assert_int_equal(prlimit(child_pid(gate->child), RLIMIT_NOFILE, NULL, &limit), 0);
    limit.rlim_cur = most;
    assert_int_equal(prlimit(child_pid(gate->child), RLIMIT_NOFILE, &limit, NULL), 0);
}

/* The file is as it was: the trouble was the system's. */
static void a_tokens_file_that_could_not_be_opened_is_opened_again(void **state) {
    (void)state;
    struct stand s = stand_new(NULL);
    int fd = raw_connect(s.gate);
    assert_int_equal(status_on(fd, s.portal), 200);
    open_files_max(s.gate, 3);
    town_file(s.town, "tokens.yaml", "tokens: {}\n");
    gate_token(s.gate, "portal", SCOPE_read); /* writes it whole again */
    assert_int_equal(status_on(fd, s.portal), 503);
    open_files_max(s.gate, 1024);
    child_error_wait(s.gate->child, "cannot be read: Too many open files");
    int status = 503;
    for (int64_t until = now_ms() + WAIT_MS; status == 503 && now_ms() < until; poll(NULL, 0, 50))
        status = status_on(fd, s.portal);
    assert_int_equal(status, 200);
    close(fd);
}

static void a_token_is_good_for_its_scopes_only(void **state) {
    (void)state;
    struct stand s = stand_new(NULL);
    const char *reader = gate_token(s.gate, "portal", SCOPE_read);
    const char *watcher = gate_token(s.gate, "duty", SCOPE_watch);
    assert_problem(
        CALL(s.gate, "/v1/inquiries", .token = reader, .headers = {"Idempotency-Key: k"}, .body = debt), 403,
        "SCOPE_MISSING");
    assert_problem(CALL(s.gate, "/v1/inquiries/1", .token = watcher), 403, "SCOPE_MISSING");
    assert_int_equal(CALL(s.gate, "/v1/queues", .token = watcher)->status, 200);
    assert_problem(CALL(s.gate, "/v1/inquiries/1?bodies=1", .token = gate_token(s.gate, "duty", SCOPE_read)),
                   403, "SCOPE_MISSING");
}

/* Written here once more, and not taken from the router: a row that opens too much is seen here. */
enum { NO_TOKEN = 1 << 30, ANY_TOKEN = SCOPE_ALL };
static const struct {
    const char *method, *path;
    unsigned scopes; /* each of these alone opens it */
} doors[] = {
    {"POST", "/v1/inquiries", SCOPE_submit},
    {"GET", "/v1/inquiries/1", SCOPE_read | SCOPE_submit},
    {"GET", "/v1/inquiries/1/timeline", SCOPE_read | SCOPE_submit},
    {"POST", "/v1/inquiries/1/cancel", SCOPE_submit | SCOPE_operate},
    {"POST", "/v1/inquiries/1/requeue", SCOPE_operate},
    {"POST", "/v1/inquiries/1/redirect", SCOPE_operate},
    {"GET", "/v1/inquiries", SCOPE_read},
    {"GET", "/v1/inquiries.csv", SCOPE_read},
    {"GET", "/v1/events?after=x", SCOPE_events},
    {"GET", "/v1/queues", SCOPE_watch},
    {"GET", "/v1/agents", SCOPE_watch},
    {"GET", "/v1/parked", SCOPE_watch},
    {"GET", "/v1/stats", SCOPE_watch},
    {"GET", "/v1/counters", SCOPE_watch},
    {"GET", "/v1/keys", SCOPE_watch},
    {"GET", "/v1/config", SCOPE_watch},
    {"GET", "/v1/index", SCOPE_watch},
    {"POST", "/v1/parked/requeue", SCOPE_operate},
    {"POST", "/v1/departments/treasury/pause", SCOPE_operate},
    {"POST", "/v1/departments/treasury/resume", SCOPE_operate},
    {"POST", "/v1/departments/treasury/test", SCOPE_operate},
    {"GET", "/v1/samples", SCOPE_operate},
    {"POST", "/v1/drain", SCOPE_administer},
    {"POST", "/v1/index/rebuild", SCOPE_administer},
    {"GET", "/v1/webhooks", SCOPE_webhooks | SCOPE_watch},
    {"POST", "/v1/webhooks/portal/retry", SCOPE_webhooks | SCOPE_operate},
    {"GET", "/v1/catalogue/types", ANY_TOKEN},
    {"GET", "/v1/catalogue/types/plot.debt", ANY_TOKEN},
    {"GET", "/v1/catalogue/departments", ANY_TOKEN},
    {"GET", "/v1/catalogue/purposes", ANY_TOKEN},
    {"GET", "/v1/whoami", ANY_TOKEN},
    {"GET", "/v1/problems", NO_TOKEN},
    {"GET", "/v1/problems/BUSY", NO_TOKEN},
    {"GET", "/v1/openapi.yaml", NO_TOKEN},
    {"GET", "/metrics", NO_TOKEN},
    {"GET", "/livez", NO_TOKEN},
    {"GET", "/readyz", NO_TOKEN},
};
enum { DOORS = sizeof doors / sizeof doors[0] };

/* No body goes with it, so that whatever wants one is not done. */
static void door_try(struct gate *gate, size_t i, const char *token, unsigned scope) {
    const struct reply *r = CALL(gate, doors[i].path, .method = doors[i].method, .token = token);
    if (doors[i].scopes & scope) {
        if (r->status == 0 || r->status == 401 || strcmp(reply_text(r, "code"), "SCOPE_MISSING") == 0)
            fail_msg("%s %s: %ld %s", doors[i].method, doors[i].path, r->status, r->body);
    } else if (token) {
        assert_problem(r, 403, "SCOPE_MISSING");
    } else {
        assert_problem(r, 401, "UNAUTHENTICATED");
    }
}

static void every_door_opens_to_its_scopes_and_to_no_other(void **state) {
    (void)state;
    struct stand s = stand_new(NULL);
    assert_int_equal(DOORS, ROUTES_COUNT);
    for (unsigned scope = 1; scope < SCOPE_ALL; scope <<= 1) {
        const char *token = gate_token(s.gate, "chief", scope);
        for (size_t i = 0; i < DOORS; i++)
            door_try(s.gate, i, token, scope | NO_TOKEN);
    }
    for (size_t i = 0; i < DOORS; i++)
        door_try(s.gate, i, NULL, NO_TOKEN);
}

/* --- Paths -----------------------------------------------------------------------------------------------
 */

static void wrong_paths_methods_and_types_say_what_is_right(void **state) {
    (void)state;
    struct stand s = stand_new(NULL);
    assert_problem(CALL(s.gate, "/v1/frob", .token = s.portal), 404, "NO_SUCH_PATH");
    assert_problem(CALL(s.gate, "/", .token = s.portal), 404, "NO_SUCH_PATH");
    const struct reply *r = CALL(s.gate, "/v1/queues", .token = s.duty, .method = "DELETE");
    assert_problem(r, 405, "METHOD_NOT_ALLOWED");
    assert_string_equal(reply_header(r, "Allow"), "GET, HEAD, OPTIONS");
    r = CALL(s.gate, "/v1/queues", .method = "OPTIONS");
    assert_int_equal(r->status, 204);
    assert_string_equal(reply_header(r, "Allow"), "GET, HEAD, OPTIONS");
    r = CALL(s.gate, "/v1/queues", .token = s.duty, .method = "HEAD");
    assert_int_equal(r->status, 200);
    assert_string_equal(r->body, "");
    assert_true(atoi(reply_header(r, "Content-Length")) > 10);
    assert_problem(CALL(s.gate, "/v1/inquiries", .token = s.portal, .plain_body = true, .body = debt,
                        .headers = {"Idempotency-Key: k", "Content-Type: text/plain"}),
                   415, "UNSUPPORTED_MEDIA_TYPE");
    r = SUBMIT(s, "k", debt, "Content-Encoding: gzip");
    assert_problem(r, 415, "UNSUPPORTED_CONTENT_ENCODING");
    assert_string_equal(reply_header(r, "Accept-Encoding"), "identity");
    assert_int_equal(SUBMIT(s, "k", debt, "Content-Encoding: identity")->status, 202);
    assert_problem(CALL(s.gate, "/v1/queues?frob=1", .token = s.duty), 400, "INVALID_QUERY");
    assert_problem(CALL(s.gate, "/v1/queues?limit=x", .token = s.duty), 400, "INVALID_QUERY");
    assert_problem(CALL(s.gate, "/v1/queues?limit=1&limit=2", .token = s.duty), 400, "INVALID_QUERY");
}

static void every_code_is_explained(void **state) {
    (void)state;
    struct stand s = stand_new(NULL);
    const struct reply *r = CALL(s.gate, "/v1/problems");
    assert_int_equal(r->status, 200);
    assert_true(json_array_size(json_object_get(r->json, "rows")) > 50);
    r = CALL(s.gate, "/v1/problems/CONFLICT");
    assert_int_equal(reply_int(r, "status"), 409);
    assert_problem(CALL(s.gate, "/v1/problems/FROB"), 404, "NO_SUCH_PATH");
}

/* By which a caller decides whether it sends the same again. */
static void a_code_has_its_status(void **state) {
    static const struct {
        const char *code;
        int status;
    } rows[] = {
        {"BUSY", 503},         {"DRAINING", 503},      {"STOPPING", 503},      {"UNREACHABLE", 503},
        {"TIMEOUT", 503},      {"FULL", 503},          {"CLOSED", 503},        {"NO_MEMORY", 503},
        {"RATE_LIMITED", 429}, {"CONFLICT", 409},      {"ALREADY_FINAL", 409}, {"NOT_PARKED", 409},
        {"NOT_FOUND", 404},    {"NOT_ALLOWED", 403},   {"MALFORMED", 400},     {"UNKNOWN_TYPE", 422},
        {"INVALID_BODY", 422}, {"INVALID_FIELD", 422}, {"TOO_LARGE", 413},     {"DEADLINE_PASSED", 422},
        {"INTERNAL", 500},
    };
    char path[64];
    (void)state;
    struct stand s = stand_new(NULL);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        snprintf(path, sizeof path, "/v1/problems/%s", rows[i].code);
        int64_t status = reply_int(CALL(s.gate, path), "status");
        if (status != rows[i].status)
            fail_msg("%s is %lld, not %d", rows[i].code, (long long)status, rows[i].status);
    }
}

static void a_full_account_is_busy_and_told_when_to_come_again(void **state) {
    (void)state;
    struct town *town = gate_town();
    town->options.limits = "account_open_max: 1";
    town_broker_write(town);
    town_start(town);
    struct gate *gate = gate_new(town, NULL);
    const char *portal = gate_token(gate, "portal", SCOPE_ALL);
    gate_start(gate);
    gate_submit(gate, portal, "first");
    assert_problem(
        CALL(gate, "/v1/inquiries", .token = portal, .headers = {"Idempotency-Key: second"}, .body = debt),
        503, "BUSY");
    gate_submit(gate, portal, "first"); /* the same again is no more */
}

/* --- TLS ---------------------------------------------------------------------------------------------------
 */

/* Whether the gateway takes a handshake of this version; the caller's own policy allows every one. */
static bool tls_shakes(const struct gate *gate, const char *version) {
    char address[32];
    snprintf(address, sizeof address, "127.0.0.1:%u", gate->port);
    struct child *openssl =
        child_start((const char *const[]){"/usr/bin/openssl", "s_client", "-connect", address, version,
                                          "-cipher", "ALL@SECLEVEL=0", "-ign_eof", NULL});
    child_say(openssl, "GET /livez HTTP/1.0\r\n\r\n");
    return child_wait(openssl) == 0;
}

static void tls_is_the_gateways_own_where_it_is_asked_for(void **state) {
    (void)state;
    struct town *town = gate_town();
    char certificate[FOLDER_MAX + 16], key[FOLDER_MAX + 16];
    snprintf(certificate, sizeof certificate, "%s/tls.pem", town->folder);
    snprintf(key, sizeof key, "%s/tls.key", town->folder);
    struct child *openssl = child_start((const char *const[]){
        "/usr/bin/openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
        "-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key,
        "-out", certificate, NULL});
    assert_int_equal(child_wait(openssl), 0);
    town_start(town);
    struct gate *gate = gate_new(town, "tls: {certificate: tls.pem, key: tls.key}\n");
    const char *portal = gate_token(gate, "portal", SCOPE_ALL);
    gate_start(gate);
    assert_int_equal(strncmp(gate->url, "https://127.0.0.1:", 18), 0);
    const struct reply *r = CALL(gate, "/v1/whoami", .token = portal);
    if (r->status != 200)
        print_error("%s\n", r->error);
    assert_int_equal(r->status, 200);
    gate_submit(gate, portal, "k");
    bool closed;
    static const char hello[] = "GET /v1/whoami HTTP/1.1\r\nHost: x\r\n\r\n";
    char *plain = raw_say(gate, hello, sizeof hello - 1, WAIT_MS, &closed);
    assert_true(closed);
    assert_null(strstr(plain, "200 OK"));
    free(plain);
    assert_true(tls_shakes(gate, "-tls1_3"));
    assert_true(tls_shakes(gate, "-tls1_2"));
    assert_false(tls_shakes(gate, "-tls1_1"));
    assert_false(tls_shakes(gate, "-tls1"));
}

/* --- The console's files -----------------------------------------------------------------------------------
 */

static void files_come_with_a_strict_policy_and_only_from_their_folder(void **state) {
    (void)state;
    struct town *town = gate_town();
    char path[FOLDER_MAX + 32];
    town_start(town);
    snprintf(path, sizeof path, "%s/console", town->folder);
    assert_int_equal(mkdir(path, 0700), 0);
    town_file(town, "console/index.html", "<!doctype html><title>x</title>");
    town_file(town, "console/app-4XZ2KQ7B.js", "1;");
    town_file(town, "console/.hidden", "secret");
    struct gate *gate = gate_new(town, "console: console\n");
    gate_start(gate);
    const struct reply *r = CALL(gate, "/");
    assert_int_equal(r->status, 200);
    assert_non_null(strstr(r->body, "<!doctype html>"));
    assert_string_equal(reply_header(r, "Content-Type"), "text/html; charset=utf-8");
    assert_string_equal(reply_header(r, "Cache-Control"), "no-cache");
    assert_string_equal(reply_header(r, "Content-Security-Policy"),
                        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
                        "font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; "
                        "form-action 'none'; frame-ancestors 'none'");
    assert_string_equal(reply_header(r, "X-Content-Type-Options"), "nosniff");
    char etag[96];
    snprintf(etag, sizeof etag, "If-None-Match: %s", reply_header(r, "ETag"));
    assert_int_equal(CALL(gate, "/", .headers = {etag})->status, 304);
    assert_int_equal(CALL(gate, "/department/treasury")->status, 200); /* a page of the console's own */
    r = CALL(gate, "/app-4XZ2KQ7B.js");
    assert_non_null(strstr(reply_header(r, "Cache-Control"), "immutable"));
    static const char *const bad[] = {
        "/../gateway.yaml", "/%2e%2e/gateway.yaml", "/..%2fgateway.yaml", "/.hidden",
        "/none.js",         "//etc/passwd",         "/console/",          "/a\\b.js",
        "/index.html%00.js"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        r = CALL(gate, bad[i]);
        if (r->status != 404 && r->status != 400)
            print_error("%s: %ld\n", bad[i], r->status);
        assert_true(r->status == 404 || r->status == 400);
    }
    assert_problem(CALL(gate, "/", .method = "DELETE"), 405, "METHOD_NOT_ALLOWED");
}

static void a_link_leads_nobody_out_of_the_consoles_folder(void **state) {
    (void)state;
    struct town *town = gate_town();
    char at[FOLDER_MAX + 32];
    town_start(town);
    snprintf(at, sizeof at, "%s/console", town->folder);
    assert_int_equal(mkdir(at, 0700), 0);
    snprintf(at, sizeof at, "%s/console/below", town->folder);
    assert_int_equal(mkdir(at, 0700), 0);
    town_file(town, "console/below/page.txt", "a page");
    snprintf(at, sizeof at, "%s/console/link.yaml", town->folder);
    assert_int_equal(symlink("../gateway.yaml", at), 0);
    snprintf(at, sizeof at, "%s/console/up", town->folder);
    assert_int_equal(symlink("..", at), 0);
    struct gate *gate = gate_new(town, "console: console\n");
    gate_start(gate);
    assert_string_equal(CALL(gate, "/below/page.txt")->body, "a page");
    assert_problem(CALL(gate, "/link.yaml"), 404, "NO_SUCH_PATH");
    assert_problem(CALL(gate, "/up/gateway.yaml"), 404, "NO_SUCH_PATH");
    assert_problem(CALL(gate, "/"), 404, "NO_SUCH_PATH"); /* there is no index.html */
}

/* --- Configuration ---------------------------------------------------------------------------------------
 */

static void a_check_names_file_line_and_column(void **state) {
    (void)state;
    struct town *town = gate_town();
    struct gate *gate = gate_new(town, NULL);
    const char *says;
    assert_int_equal(gate_check(gate, &says), 0);
    assert_non_null(strstr(says, "nothing to complain about"));
    snprintf(gate->more, sizeof gate->more, "frob: 1\nlimits: {body: 3}\nconsole: nowhere\nfeed: portal\n");
    assert_int_equal(gate_check(gate, &says), 3);
    assert_true(child_error_has(gate->child, "gateway.yaml:5:1: "));
    assert_true(child_error_has(gate->child, "gateway.yaml:6:16: "));
    assert_true(child_error_has(gate->child, "nowhere"));
    assert_true(child_error_has(gate->child, "no operator account"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        GATE_CLAIM(a_submit_gets_a_receipt_and_a_place_to_look),
        GATE_CLAIM(the_same_key_gives_the_same_receipt_and_another_body_a_conflict),
        GATE_CLAIM(a_key_that_is_no_key_is_refused),
        GATE_CLAIM(whoever_waits_gets_the_answer),
        GATE_CLAIM(whoever_waits_in_vain_gets_the_receipt),
        GATE_CLAIM(nobody_waits_longer_than_the_limit),
        GATE_CLAIM(all_defects_are_told_at_once),
        GATE_CLAIM(what_no_command_can_hold_is_the_requesters_mistake_by_name),
        GATE_CLAIM(a_body_has_no_more_elements_than_the_protocol_takes),
        GATE_CLAIM(a_trace_goes_to_the_agent_only_where_it_is_one),
        GATE_CLAIM(a_case_goes_with_its_inquiry),
        GATE_CLAIM(a_timeline_and_a_cancel),
        GATE_CLAIM(an_inquiry_is_named_by_its_tracking_code),
        GATE_CLAIM(what_is_not_ones_own_is_not_found),
        GATE_CLAIM(operators_see_queues_and_agents_and_no_bodies),
        GATE_CLAIM(the_catalogue_is_there_for_every_token),
        GATE_CLAIM(choices_come_with_the_titles_they_have),
        GATE_CLAIM(a_type_that_is_edited_in_place_is_seen),
        GATE_CLAIM(a_revoked_token_fails_on_the_next_call),
        GATE_CLAIM(a_good_token_of_an_account_that_is_not_served_says_so),
        GATE_CLAIM(a_broken_tokens_file_lets_nobody_in),
        GATE_CLAIM(a_tokens_file_that_could_not_be_opened_is_opened_again),
        GATE_CLAIM(a_token_is_good_for_its_scopes_only),
        GATE_CLAIM(every_door_opens_to_its_scopes_and_to_no_other),
        GATE_CLAIM(wrong_paths_methods_and_types_say_what_is_right),
        GATE_CLAIM(every_code_is_explained),
        GATE_CLAIM(a_code_has_its_status),
        GATE_CLAIM(a_full_account_is_busy_and_told_when_to_come_again),
        GATE_CLAIM(tls_is_the_gateways_own_where_it_is_asked_for),
        GATE_CLAIM(files_come_with_a_strict_policy_and_only_from_their_folder),
        GATE_CLAIM(a_link_leads_nobody_out_of_the_consoles_folder),
        GATE_CLAIM(a_check_names_file_line_and_column),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
