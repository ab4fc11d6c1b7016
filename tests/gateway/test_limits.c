/* test_limits.c - what comes in is bounded, and what is not HTTP or not JSON is refused. */
#include "hook.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char debt[] = "{\"type\":\"plot.debt\",\"purpose\":\"permit\",\"body\":{\"nz\":\"1-2-3\"}}";

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

/* What the gateway answers to these bytes; `ms` is how long it has to close or to be done. */
static const char *said(struct stand *s, const char *text, bool closes) {
    static char kept[16384];
    bool closed;
    char *answer = raw_say(s->gate, text, strlen(text), closes ? WAIT_MS : 300, &closed);
    snprintf(kept, sizeof kept, "%s", answer);
    free(answer);
    assert_int_equal(closed, closes);
    return kept;
}

static void assert_status(const char *answer, int status, const char *code) {
    char start[32];
    snprintf(start, sizeof start, "HTTP/1.1 %d ", status);
    if (strncmp(answer, start, strlen(start)) != 0 || (code && !strstr(answer, code)))
        print_error("wanted %d %s, got: %s\n", status, code ? code : "", answer);
    assert_int_equal(strncmp(answer, start, strlen(start)), 0);
    if (code)
        assert_non_null(strstr(answer, code));
}

static const char *request_with(struct stand *s, const char *headers, const char *body) {
    static char text[8192];
    snprintf(text, sizeof text,
             "POST /v1/inquiries HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n"
             "Content-Type: application/json\r\nIdempotency-Key: k\r\n%s\r\n%s",
             s->portal, headers, body);
    return text;
}

static uint64_t accepted_so_far(struct stand *s) {
    struct far *duty = far_open(s->town, "duty", 0);
    uint64_t count = far_stat(duty, "inquiries_open");
    far_close(&duty);
    return count;
}

/* --- Framing ----------------------------------------------------------------------------------- */

static void what_leaves_it_open_where_a_request_ends_is_refused_and_cut(void **state) {
    (void)state;
    struct stand s = stand_new(NULL);
    char with[256];
    snprintf(with, sizeof with, "Content-Length: %zu\r\nContent-Length: %zu\r\n", strlen(debt), strlen(debt));
    assert_status(said(&s, request_with(&s, with, debt), true), 400, "DUPLICATE_HEADER");
    snprintf(with, sizeof with, "Content-Length: %zu\r\nTransfer-Encoding: chunked\r\n", strlen(debt));
    assert_status(said(&s, request_with(&s, with, debt), true), 400, NULL);
    assert_status(said(&s, request_with(&s, "Transfer-Encoding: gzip, chunked\r\n", debt), true), 501,
                  "UNSUPPORTED_ENCODING");
    assert_status(said(&s,
                       request_with(&s, "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", debt),
                       true),
                  400, NULL);
    assert_status(said(&s, request_with(&s, "Content-Length: +5\r\n", debt), true), 400, NULL);
    assert_status(said(&s, request_with(&s, "Content-Length: 99999999999999999999999\r\n", debt), true), 413,
                  NULL);
    assert_status(said(&s, request_with(&s, "Authorization: Bearer x\r\nContent-Length: 0\r\n", ""), true),
                  400, "DUPLICATE_HEADER");
    assert_int_equal(accepted_so_far(&s), 0);
}

/* The library's own answers, before the gateway sees a request; openapi.yaml tells of them. */
static void what_is_not_http_ends_the_connection_with_a_bare_answer_or_none(void **state) {
    static const struct {
        const char *text;
        int status;
    } rows[] = {
        {"GET /v1/problems\r\n\r\n", 400},
        {"GET /v1/problems http/1.1\r\nHost: x\r\n\r\n", 400},
        {"GET /v1/problems HTTP/1.1\r\nHost: x\r\nfrob\r\n\r\n", 400},
        {"GET /v1/problems HTTP/1.1\r\n\r\n", 400},
        {"GET /v1/problems HTTP/3.0\r\nHost: x\r\n\r\n", 505},
        {"frob\r\n\r\n", 0},
        {"GET /v1 /problems HTTP/1.1\r\nHost: x\r\n\r\n", 0},
    };
    (void)state;
    struct stand s = stand_new(NULL);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *answer = said(&s, rows[i].text, true);
        if (rows[i].status)
            assert_status(answer, rows[i].status, NULL);
        else
            assert_string_equal(answer, "");
        assert_null(strstr(answer, "problem+json"));
    }
    s = stand_new("limits: {request: 500 ms, idle: 500 ms}\n");
    assert_string_equal(said(&s, "frob", true), ""); /* after `request` */
}

/* RFC 9112, 5.1: what a proxy takes for a body must not be the next request here. */
static void a_header_with_a_blank_in_its_name_is_refused_and_cut(void **state) {
    static const char *const bad[] = {"Content-Length : 5\r\n",
                                      "Content-Length\t: 5\r\n",
                                      "Transfer-Encoding : chunked\r\n",
                                      "X y: 1\r\n",
                                      "X(y): 1\r\n",
                                      "X\xc3\xa9: 1\r\n"};
    char text[256];
    (void)state;
    struct stand s = stand_new(NULL);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const char *answer =
            said(&s, request_with(&s, bad[i], "GET /v1/problems/CONFLICT HTTP/1.1\r\nHost: x\r\n\r\n"), true);
        assert_status(answer, 400, "INVALID_HEADER");
        assert_null(strstr(answer, "CONFLICT"));
    }
    snprintf(text, sizeof text, "GET /v1/problems HTTP/1.1\r\n Content-Length: 5\r\nHost: x\r\n\r\nfrobs");
    assert_status(said(&s, text, true), 400, "INVALID_HEADER"); /* the first, which continues none */
    assert_status(
        said(&s, request_with(&s, "X-Y_z.1~: 1\r\nContent-Length: 0\r\nConnection: close\r\n", ""), true),
        400, "MALFORMED_JSON");
    assert_int_equal(accepted_so_far(&s), 0);
}

/* RFC 9110, 5.5, and 9112, 3.2.2. */
static void blanks_behind_a_value_and_a_whole_address_are_taken(void **state) {
    (void)state;
    struct stand s = stand_new(NULL);
    char text[512];
    snprintf(text, sizeof text, "GET http://elsewhere:80/v1/whoami HTTP/1.1\r\nHost: x\r\nAuthorization: \t Bearer %s \t \r\n\r\n",
             s.portal);
    const char *answer = said(&s, text, false);
    assert_status(answer, 200, "\"account\":\"portal\"");
    snprintf(text, sizeof text, "GET HTTPS://elsewhere HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_status(said(&s, text, false), 404, "NO_SUCH_PATH");
    snprintf(text, sizeof text, "GET /v1/queues?limit HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n",
             s.duty);
    assert_status(said(&s, text, false), 400, "limit: has no value");
}

static void head_of_a_stream_has_no_body(void **state) {
    (void)state;
    struct stand s = stand_new(NULL);
    char text[512];
    snprintf(text, sizeof text,
             "HEAD /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n"
             "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n",
             s.duty);
    const char *answer = said(&s, text, false);
    assert_status(answer, 200, "text/event-stream");
    const char *body = strstr(answer, "\r\n\r\n") + 4;
    assert_status(body, 200, "ok");
}

static void chunks_are_taken_whole_or_not_at_all(void **state) {
    (void)state;
    struct stand s = stand_new(NULL);
    char body[512];
    snprintf(body, sizeof body, "%zx\r\n%.10s\r\n%zx\r\n%s\r\n0\r\n\r\n", (size_t)10, debt, strlen(debt) - 10,
             debt + 10);
    assert_status(
        said(&s, request_with(&s, "Transfer-Encoding: chunked\r\nConnection: close\r\n", body), true), 202,
        "\"again\":false");
    assert_status(said(&s, request_with(&s, "Transfer-Encoding: chunked\r\n", "zz\r\nfrob\r\n"), true), 400,
                  NULL);
    assert_status(said(&s, request_with(&s, "Transfer-Encoding: chunked\r\n", "-5\r\nfrob\r\n"), true), 400,
                  NULL);
    assert_status(said(&s,
                       request_with(&s, "Transfer-Encoding: chunked\r\n", "ffffffffffffffffffff\r\nfrob\r\n"),
                       true),
                  413, NULL);
    assert_int_equal(accepted_so_far(&s), 1);
}

static void a_body_that_ends_early_is_nothing(void **state) {
    (void)state;
    struct stand s = stand_new("limits: {request: 500 ms, idle: 500 ms}\n");
    assert_string_equal(said(&s, request_with(&s, "Content-Length: 1000\r\n", debt), true), "");
    assert_string_equal(
        said(&s, request_with(&s, "Transfer-Encoding: chunked\r\n", "50\r\n{\"type\":"), true), "");
    assert_int_equal(accepted_so_far(&s), 0);
    assert_int_equal(CALL(s.gate, "/v1/whoami", .token = s.portal)->status, 200);
}

/* A request that never ends, byte by byte; how long after `began` the gateway takes no more of it. */
static int64_t drip(int fd, int64_t began) {
    static const char start[] = "GET /v1/whoami HTTP/1.1\r\nX-Slow: ";
    struct timeval pause = {0, 50000};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &pause, sizeof pause);
    ssize_t got = -1;
    for (size_t i = 0; got != 0 && now_ms() - began < WAIT_MS; i++) {
        char byte = i < sizeof start - 1 ? start[i] : 'a', answer[64];
        if (send(fd, &byte, 1, MSG_NOSIGNAL) < 0)
            break;
        got = recv(fd, answer, sizeof answer, 0); /* waits 50 ms for nothing */
    }
    close(fd);
    return now_ms() - began;
}

/* Nothing comes, and the connection is not closed. */
static void stays_open(int fd, int ms) {
    struct pollfd p = {.fd = fd, .events = POLLIN};
    assert_int_equal(poll(&p, 1, ms), 0);
}

static void assert_answer(int fd, int status) {
    char answer[4096] = "";
    struct pollfd p = {.fd = fd, .events = POLLIN};
    assert_int_equal(poll(&p, 1, WAIT_MS), 1);
    assert_true(recv(fd, answer, sizeof answer - 1, 0) >= 0);
    assert_status(answer, status, NULL);
}

static void text_send(int fd, const char *text) {
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static const char ask_livez[] = "HEAD /livez HTTP/1.1\r\nHost: x\r\n\r\n";

static void a_slow_sender_is_cut_however_steadily_it_drips(void **state) {
    (void)state;
    struct stand s = stand_new("limits: {request: 700 ms, idle: 60 s}\n");
    int64_t began = now_ms(); /* the gateway counts from the connection on, which may be there long before us */
    assert_in_range(drip(raw_connect(s.gate), began), 600, WAIT_MS - 1);
    int kept = raw_connect(s.gate);
    text_send(kept, ask_livez);
    assert_answer(kept, 200);
    assert_in_range(drip(kept, now_ms()), 600, WAIT_MS - 1);
}

/* A connection that stays open is idle until the next request, which then has all of its own time. */
static void a_request_has_its_whole_time_after_an_idle_one(void **state) {
    (void)state;
    struct stand s = stand_new("limits: {request: 5500 ms, idle: 5500 ms}\n");
    char headers[64];
    int fd = raw_connect(s.gate);
    text_send(fd, ask_livez);
    assert_answer(fd, 200);
    stays_open(fd, 3000);
    snprintf(headers, sizeof headers, "Content-Length: %zu\r\n", strlen(debt));
    text_send(fd, request_with(&s, headers, ""));
    stays_open(fd, 2700); /* 5.7 s since the answer, and either limit has half of itself left for a slow machine */
    text_send(fd, debt);
    assert_answer(fd, 202);
    close(fd);
}

/* More than the system takes in for somebody who does not read it. The next connection waits in the queue
 * until this one is cut. */
static void an_answer_that_nobody_reads_is_cut(void **state) {
    static const off_t size = 64 << 20;
    char path[FOLDER_MAX + 32];
    (void)state;
    struct town *town = gate_town();
    town_start(town);
    snprintf(path, sizeof path, "%s/console", town->folder);
    assert_int_equal(mkdir(path, 0700), 0);
    town_file(town, "console/large.txt", "");
    snprintf(path, sizeof path, "%s/console/large.txt", town->folder);
    assert_int_equal(truncate(path, size), 0);
    struct gate *gate =
        gate_new(town, "console: console\nthreads: 1\nlimits: {connections: 1, request: 700 ms}\n");
    gate_start(gate);
    int64_t start = now_ms();
    int fd = raw_connect(gate);
    text_send(fd, "GET /large.txt HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_int_equal(CALL(gate, "/livez")->status, 200);
    assert_in_range(now_ms() - start, 600, WAIT_MS - 1);
    char *part = malloc(1 << 20);
    assert_non_null(part);
    off_t came = 0;
    for (ssize_t got; (got = recv(fd, part, 1 << 20, 0)) > 0;)
        came += got;
    assert_true(came > 0 && came < size);
    free(part);
    close(fd);
}

/* --- Sizes ------------------------------------------------------------------------------------- */

static char *text_of(char letter, size_t size) {
    char *text = malloc(size + 1);
    assert_non_null(text);
    memset(text, letter, size);
    text[size] = '\0';
    return text;
}

static void bodies_and_headers_have_a_size(void **state) {
    (void)state;
    struct stand s = stand_new("limits: {body: 4 KiB, header: 2 KiB}\n");
    (void)s;
    char *large = text_of('x', 5000), *body;
    assert_true(asprintf(&body, "{\"type\":\"%s\"}", large) > 0);
    assert_problem(
        CALL(s.gate, "/v1/inquiries", .token = s.portal, .headers = {"Idempotency-Key: k"}, .body = body),
        413, "BODY_TOO_LARGE");
    assert_problem(CALL(s.gate, "/v1/inquiries", .token = s.portal,
                        .headers = {"Idempotency-Key: k", "Transfer-Encoding: chunked"}, .body = body),
                   413, "BODY_TOO_LARGE");
    free(body);
    char header[3200];
    snprintf(header, sizeof header, "X-Large: %.3000s", large);
    assert_problem(CALL(s.gate, "/v1/whoami", .token = s.portal, .headers = {header}), 431,
                   "HEADERS_TOO_LARGE");
    free(large);
    large = text_of('y', 100000);
    char *path;
    assert_true(asprintf(&path, "GET /v1/%s HTTP/1.1\r\nHost: x\r\n\r\n", large) > 0);
    bool closed;
    char *answer = raw_say(s.gate, path, strlen(path), WAIT_MS, &closed);
    assert_true(closed);
    assert_true(strncmp(answer, "HTTP/1.1 414", 12) == 0 || strncmp(answer, "HTTP/1.1 431", 12) == 0 ||
                !*answer);
    free(answer);
    free(path);
    free(large);
    assert_int_equal(CALL(s.gate, "/v1/whoami", .token = s.portal)->status, 200);
}

static void the_packed_body_has_the_protocols_own_size(void **state) {
    (void)state;
    struct stand s = stand_new(NULL);
    char *large = text_of('x', 70000), *body;
    assert_true(asprintf(&body, "{\"type\":\"plot.debt\",\"purpose\":\"permit\",\"body\":{\"nz\":\"%s\"}}",
                         large) > 0);
    assert_problem(
        CALL(s.gate, "/v1/inquiries", .token = s.portal, .headers = {"Idempotency-Key: k"}, .body = body),
        413, "TOO_LARGE");
    free(body);
    free(large);
}

/* --- Queries ----------------------------------------------------------------------------------- */

/* Of every kind of route: without a token, with one and without parameters, with one and with some. */
static const char *const asked[] = {"/livez", "/v1/problems", "/v1/whoami", "/v1/queues"};
enum { ASKED_COUNT = sizeof asked / sizeof asked[0] };

static const struct reply *queried(struct stand *s, const char *token, const char *path, const char *query) {
    char text[256];
    snprintf(text, sizeof text, "%s%s", path, query);
    return CALL(s->gate, text, .token = token);
}

static void a_parameter_whose_name_is_empty_or_has_a_blank_is_refused_at_once(void **state) {
    static const char *const bad[] = {
        "?=1", "?=", "?=&=", "?&=1", "?+", "?department%20after=1", "?%20=1", "?verbose+", "?after+limit=1"};
    (void)state;
    struct stand s = stand_new(NULL);
    const char *duty = gate_token(s.gate, "duty", SCOPE_ALL);
    for (size_t i = 0; i < ASKED_COUNT * sizeof bad / sizeof bad[0]; i++)
        assert_problem(queried(&s, duty, asked[i % ASKED_COUNT], bad[i / ASKED_COUNT]), 400, "INVALID_QUERY");
    assert_int_equal(gate_stop(s.gate), 0);
}

/* Load balancers send such, and it asks for nothing. */
static void an_ampersand_too_many_in_a_query_is_nothing(void **state) {
    static const char *const good[] = {"?", "?&", "?&&&&&&&&&&&&&&&&&&&&"};
    (void)state;
    struct stand s = stand_new(NULL);
    const char *duty = gate_token(s.gate, "duty", SCOPE_ALL);
    for (size_t i = 0; i < ASKED_COUNT * sizeof good / sizeof good[0]; i++)
        assert_int_equal(queried(&s, duty, asked[i % ASKED_COUNT], good[i / ASKED_COUNT])->status, 200);
    assert_int_equal(queried(&s, duty, "/v1/queues", "?&limit=1&&department=works&")->status, 200);
    assert_problem(queried(&s, duty, "/v1/queues", "?limit=1&&limit=1"), 400, "INVALID_QUERY");
}

/* --- JSON -------------------------------------------------------------------------------------- */

static void json_that_is_none_is_refused(void **state) {
    (void)state;
    struct stand s = stand_new(NULL);
    static const char *const bad[] = {
        "",
        "null",
        "[]",
        "7",
        "\"x\"",
        "{",
        "{\"a\":1,}",
        "{\"a\":1}x",
        "{'a':1}",
        "{\"a\":NaN}",
        "{\"type\":\"a\",\"type\":\"b\"}", /* a key twice */
        "{\"type\":\"\xff\xfe\"}",         /* no UTF-8 */
        "{\"type\":\"\xed\xa0\x80\"}",     /* half a surrogate pair */
        "{\"a\":9223372036854775808",      /* beyond 64 bits, and then no end */
        "{\"a\":1e309,\"b\":09223372036854775808}",
        "{\"a\":1e309,\"b\":99999999999999999999.}",
        "{\"a\":1e309,\"b\":-}",
        "{\"a\":1e309e309}",
        "{\"a\":1-9223372036854775809}",
        "{\"a\":1e309,\"a\":1}",
        "{\"body\":{\"a\":{\"b\":1,\"b\":2}}}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_problem(CALL(s.gate, "/v1/inquiries", .token = s.portal, .headers = {"Idempotency-Key: k"},
                            .body = bad[i]),
                       400, "MALFORMED_JSON");
    char *deep = text_of('[', 100000);
    assert_problem(
        CALL(s.gate, "/v1/inquiries", .token = s.portal, .headers = {"Idempotency-Key: k"}, .body = deep),
        400, "MALFORMED_JSON");
    free(deep);
    assert_problem(
        CALL(s.gate, "/v1/inquiries", .token = s.portal, .headers = {"Idempotency-Key: k"},
             .body =
                 "{\"type\":\"plot.debt\",\"purpose\":\"permit\",\"body\":{\"a\":[[[[[[[[[[1]]]]]]]]]]}}"),
        422, "INVALID_REQUEST");
    assert_int_equal(accepted_so_far(&s), 0);
}

static const struct reply *body_submit(struct stand *s, const char *text) {
    return CALL(s->gate, "/v1/inquiries", .token = s->portal, .headers = {"Idempotency-Key: k"},
                .body = text);
}

static void assert_defect(const struct reply *r, size_t index, const char *path, const char *kind) {
    const json_t *defect = json_array_get(json_object_get(r->json, "defects"), index);
    assert_string_equal(json_string_value(json_object_get(defect, "path")), path);
    assert_string_equal(json_string_value(json_object_get(defect, "kind")), kind);
}

/* A number that 64 bits do not hold is JSON, so its place is told, however many there are. */
static void a_number_beyond_64_bits_is_named_by_its_path(void **state) {
    (void)state;
    struct stand s = stand_new(NULL);
    const struct reply *r =
        body_submit(&s, "{\"type\":\"plot.debt\",\"purpose\":\"permit\",\"body\":{"
                        "\"nz\":\"\\\"99999999999999999999\",\"n\":9223372036854775808,"
                        "\"a\":[9223372036854775807,-9223372036854775808,{\"b\":-9223372036854775809}],"
                        "\"c\":1e309,\"d\":1.5,\"e\":1e-400}}");
    assert_problem(r, 422, "INVALID_REQUEST");
    assert_int_equal(json_array_size(json_object_get(r->json, "defects")), 5);
    assert_defect(r, 0, "n", "range");
    assert_defect(r, 1, "a[2].b", "range");
    assert_defect(r, 2, "c", "range");
    assert_defect(r, 3, "d", "type");
    assert_defect(r, 4, "e", "type");
    assert_non_null(strstr(r->body, "9223372036854775807"));
    r = body_submit(&s, "{\"type\":9223372036854775808}");
    assert_problem(r, 422, "INVALID_REQUEST");
    assert_defect(r, 0, "type", "type");
    const char *duty = gate_token(s.gate, "duty", SCOPE_ALL);
    r = CALL(s.gate, "/v1/inquiries/1/redirect", .token = duty,
             .body = "{\"reason\":\"x\",\"district\":18446744073709551616}");
    assert_problem(r, 422, "INVALID_REQUEST");
    assert_defect(r, 0, "district", "range");
}

static void what_is_no_object_has_a_place(void **state) {
    (void)state;
    struct stand s = stand_new(NULL);
    assert_string_equal(reply_text(body_submit(&s, "[]"), "detail"),
                        "line 1, column 1: it is no object, {…}");
}

static void a_deadline_before_1970_has_passed(void **state) {
    static const char *const times[] = {"1969-07-20T20:17:00Z", "1970-01-01T00:00:00Z",
                                        "1970-01-01T03:30:00+03:30", "0001-01-01T00:00:00Z"};
    char body[256];
    (void)state;
    struct stand s = stand_new(NULL);
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        snprintf(body, sizeof body, "%.*s,\"deadline_at\":\"%s\"}", (int)strlen(debt) - 1, debt, times[i]);
        assert_problem(body_submit(&s, body), 422, "DEADLINE_PASSED");
    }
    assert_int_equal(accepted_so_far(&s), 0);
}

static void no_answer_quotes_a_body(void **state) {
    (void)state;
    struct stand s = stand_new(NULL);
    const struct reply *r =
        CALL(s.gate, "/v1/inquiries", .token = s.portal, .headers = {"Idempotency-Key: k"},
             .body = "{\"type\":\"plot.debt\",\"body\":{\"nid\": secret0499370899}}");
    assert_problem(r, 400, "MALFORMED_JSON");
    assert_null(strstr(r->body, "0499370899"));
    assert_null(strstr(r->body, "secret"));
}

/* --- Rates and room --------------------------------------------------------------------------------------
 */

static void too_many_requests_of_an_account_are_told_when_to_come_again(void **state) {
    (void)state;
    struct stand s = stand_new("limits: {requests_per_second: 1, burst: 3}\n");
    const char *notary = gate_token(s.gate, "notary", SCOPE_ALL);
    const struct reply *r = NULL;
    int64_t start = now_ms(), taken = 0;
    while ((r = CALL(s.gate, "/v1/whoami", .token = s.portal))->status == 200) { /* however slowly */
        assert_true(++taken <= 3 + (now_ms() - start) / 1000);
        assert_true(now_ms() - start < WAIT_MS);
    }
    assert_problem(r, 429, "RATE_LIMITED");
    assert_int_equal(CALL(s.gate, "/v1/whoami", .token = notary)->status, 200); /* another account */
}

static void connections_have_a_limit_and_the_next_one_waits(void **state) {
    (void)state;
    struct stand s = stand_new("threads: 1\nlimits: {connections: 3, idle: 600 ms, request: 600 ms}\n");
    int fds[8];
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)s.gate->port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (int i = 0; i < 8; i++) {
        fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(connect(fds[i], (struct sockaddr *)&address, sizeof address), 0);
    }
    /* They say nothing and are cut in their turn, so a caller gets through: unless it is as slow itself. */
    for (int64_t until = now_ms() + WAIT_MS; CALL(s.gate, "/v1/whoami", .token = s.portal)->status != 200;)
        assert_true(now_ms() < until);
    for (int i = 0; i < 8; i++)
        close(fds[i]);
}

static void one_too_many_of_an_address_is_closed_at_once(void **state) {
    (void)state;
    struct stand s = stand_new("limits: {connections_per_address: 2, request: 60 s}\n");
    char byte;
    int first = raw_connect(s.gate), second = raw_connect(s.gate), third;
    text_send(first, ask_livez);
    assert_answer(first, 200);
    text_send(second, ask_livez);
    assert_answer(second, 200);
    third = raw_connect(s.gate);
    struct pollfd p = {.fd = third, .events = POLLIN};
    assert_int_equal(poll(&p, 1, WAIT_MS), 1);
    assert_true(recv(third, &byte, 1, 0) <= 0);
    close(third);
    text_send(first, ask_livez);
    assert_answer(first, 200);
    close(second);
    for (int64_t until = now_ms() + WAIT_MS; CALL(s.gate, "/livez")->status != 200;) /* until that is seen */
        assert_true(now_ms() < until);
    close(first);
}

enum { QUEUE = 4096 }; /* as many as the system allows by itself */

static bool queue_is_allowed(void) {
    int most = 0;
    struct rlimit files;
    FILE *file = fopen("/proc/sys/net/core/somaxconn", "r");
    if (file) {
        most = fscanf(file, "%d", &most) == 1 ? most : 0;
        fclose(file);
    }
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    if (most >= QUEUE && files.rlim_cur >= QUEUE + 100 && setrlimit(RLIMIT_NOFILE, &files) == 0)
        return true;
    print_message("skipped: net.core.somaxconn is %d and a process may have %llu files, for a queue of %d\n",
                  most, (unsigned long long)files.rlim_max, QUEUE);
    return false;
}

static void gate_hold(struct gate *gate) {
    int status = 0;
    child_signal(gate->child, SIGSTOP);
    assert_int_equal(waitpid(child_pid(gate->child), &status, WUNTRACED), child_pid(gate->child));
    assert_true(WIFSTOPPED(status));
}

/* The kernel completes a connection as long as there is room in the queue, and drops what comes then. */
static bool is_connected(int fd) {
    int error = 0;
    socklen_t size = sizeof error;
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    return poll(&p, 1, WAIT_MS) == 1 && getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 &&
           error == 0;
}

static void all_that_come_while_nobody_accepts_them_are_connected(void **state) {
    (void)state;
    static int fds[QUEUE];
    if (!queue_is_allowed())
        skip();
    struct stand s = stand_new(NULL);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)s.gate->port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    gate_hold(s.gate);
    for (int i = 0; i < QUEUE; i++) {
        fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        assert_true(connect(fds[i], (struct sockaddr *)&address, sizeof address) == 0 ||
                    errno == EINPROGRESS);
    }
    for (int i = 0; i < QUEUE; i++)
        if (!is_connected(fds[i]))
            fail_msg("connection %d of %d is not taken in", i + 1, QUEUE);
    for (int i = 0; i < QUEUE; i++)
        close(fds[i]);
    child_signal(s.gate->child, SIGCONT);
    assert_int_equal(CALL(s.gate, "/v1/whoami", .token = s.portal)->status, 200);
}

/* --- The broker --------------------------------------------------------------------------------------------
 */

static void a_broker_that_is_away_is_told_with_503(void **state) {
    (void)state;
    struct stand s = stand_new("limits: {broker: 1 s}\n");
    town_kill(s.town);
    int64_t start = now_ms();
    const struct reply *r =
        CALL(s.gate, "/v1/inquiries", .token = s.portal, .headers = {"Idempotency-Key: k"}, .body = debt);
    assert_problem(r, 503, "UNREACHABLE");
    assert_true(now_ms() - start < 10000); /* which would be the default */
    assert_int_equal(CALL(s.gate, "/v1/whoami", .token = s.portal)->status, 200);
}

/* The least that may be set. Of one HTTP thread, so that one alone is too many; all others go on waiting. */
enum { WAITING = 16 };

static void ask_debt(struct stand *s, int fd) {
    char headers[64];
    snprintf(headers, sizeof headers, "Content-Length: %zu\r\n", strlen(debt));
    text_send(fd, request_with(s, headers, debt));
}

static void as_many_as_the_limit_wait_for_a_broker_and_later_nobody(void **state) {
    (void)state;
    struct stand s = stand_new("threads: 1\nlimits: {waiting: 16, broker: 15 s}\n");
    struct pollfd fds[WAITING + 1];
    char answer[4096] = "";
    int64_t start = now_ms(); /* the grace begins when the gateway sees it, before we read of it */
    town_kill(s.town);
    child_error_wait(s.gate->child, "portal: no session with the broker");
    for (size_t i = 0; i <= WAITING; i++) {
        fds[i] = (struct pollfd){.fd = raw_connect(s.gate), .events = POLLIN};
        ask_debt(&s, fds[i].fd);
    }
    assert_int_equal(poll(fds, WAITING + 1, WAIT_MS), 1);
    for (size_t i = 0; i <= WAITING; i++)
        if (fds[i].revents)
            assert_true(recv(fds[i].fd, answer, sizeof answer - 1, 0) > 0);
    assert_status(answer, 503, "\"LINE_FULL\"");
    const struct reply *r;
    while (strcmp(reply_text(r = body_submit(&s, debt), "code"), "LINE_FULL") == 0)
        poll(NULL, 0, 50);
    assert_problem(r, 503, "UNREACHABLE");
    assert_in_range(now_ms() - start, 2500, 12000); /* the grace, and before those that wait are told */
    assert_int_equal(poll(fds, WAITING + 1, 0), 0);
    for (size_t i = 0; i <= WAITING; i++)
        close(fds[i].fd);
}

enum { LOCAL_COUNT = 4 };

/* What the gateway has by itself, and would give without a word of the broker's. */
static const struct reply *local_call(struct gate *gate, const char *token, size_t which) {
    static const struct {
        const char *path, *method, *body;
    } rows[LOCAL_COUNT] = {
        {"/v1/webhooks", NULL, NULL},
        {"/v1/webhooks/portal/retry", "POST", NULL},
        {"/v1/samples", NULL, NULL},
        {"/v1/departments/treasury/test", NULL, "{\"sample\":\"debt\",\"reason\":\"x\"}"},
    };
    return CALL(gate, rows[which].path, .method = rows[which].method, .token = token,
                .body = rows[which].body);
}

static struct gate *local_gate(struct town *town) {
    town_file(town, "hook.secret", HOOK_SECRET "\n");
    town_file(town, "samples.yaml",
              "samples: {debt: {type: plot.debt, purpose: permit, body: {nz: 1-2-3}}}\n");
    return gate_new(town, "tests: {account: portal, samples: samples.yaml}\nstate: state\n"
                          "webhooks: {portal: {url: \"http://127.0.0.1:9/\", secret_file: hook.secret}}\n");
}

/* Its last word on an account holds until it has another. */
static void a_level_is_as_low_while_the_broker_is_away(void **state) {
    static const long duty_gets[LOCAL_COUNT] = {200, 202, 200, 503};
    (void)state;
    struct town *town = gate_town();
    town_start(town);
    struct gate *gate = local_gate(town);
    const char *watch = gate_token(gate, "watch", SCOPE_ALL), *duty = gate_token(gate, "duty", SCOPE_ALL);
    gate_start(gate);
    town_kill(town);
    child_error_wait(gate->child, "watch: no session with the broker");
    for (size_t i = 0; i < LOCAL_COUNT; i++) {
        assert_problem(local_call(gate, watch, i), 403, "NOT_ALLOWED");
        assert_int_equal(local_call(gate, duty, i)->status, duty_gets[i]);
    }
}

/* Its file, or the list of keys, was mixed up: what it submitted would be portal's, and portal's results would be
 * taken from the broker by a gateway that tells them to nobody. */
static void an_account_with_anothers_key_is_not_connected_and_says_so(void **state) {
    (void)state;
    struct town *town = gate_town();
    town_start(town);
    struct gate *gate = gate_new(town, NULL);
    const char *notary = gate_token(gate, "notary", SCOPE_ALL), *portal = gate_token(gate, "portal", SCOPE_ALL);
    struct child *broker = town->broker;
    town_account(town, "notary")->key = town_account(town, "portal")->key;
    town->broker = NULL; /* not all of its accounts come to be connected */
    gate_start(gate);
    town->broker = broker;
    child_error_wait(gate->child, "notary: no session with the broker: INPUT: the broker knows this key as the account "
                                  "portal, not as notary");
    gate_submit(gate, portal, "its-own");
    assert_problem(CALL(gate, "/v1/inquiries", .token = notary, .headers = {"Idempotency-Key: not-its-own"},
                        .body = "{\"type\":\"plot.use\",\"purpose\":\"permit\",\"body\":{\"nz\":\"1-2-3\"}}"),
                   503, "UNREACHABLE");
}

static void a_level_that_the_broker_never_told_opens_nothing(void **state) {
    (void)state;
    struct town *town = gate_town();
    struct gate *gate = local_gate(town);
    const char *watch = gate_token(gate, "watch", SCOPE_ALL), *portal = gate_token(gate, "portal", SCOPE_ALL);
    gate_start(gate);
    for (size_t i = 0; i < LOCAL_COUNT; i++)
        assert_problem(local_call(gate, watch, i), 503, "UNREACHABLE");
    assert_int_equal(local_call(gate, portal, 0)->status, 200); /* a requester has no level */
}

static void a_draining_broker_is_told_with_503(void **state) {
    (void)state;
    struct stand s = stand_new(NULL);
    struct far *duty = far_open(s.town, "chief", 0);
    duty->ref = 7;
    assert_int_equal(est_client_drain(duty->client, 7, true, "test"), 0);
    far_wait(duty, EST_EVENT_DONE, .ref = 7);
    assert_problem(
        CALL(s.gate, "/v1/inquiries", .token = s.portal, .headers = {"Idempotency-Key: k"}, .body = debt),
        503, "DRAINING");
}

/* Requests that wait when the broker dies are answered by the next one. */
static void a_broker_that_restarts_is_waited_for(void **state) {
    (void)state;
    struct stand s = stand_new(NULL);
    uint64_t number = gate_submit(s.gate, s.portal, "k1");
    town_kill(s.town);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) { /* asks while there is no broker */
        const struct reply *r = CALL(s.gate, "/v1/inquiries", .token = s.portal,
                                     .headers = {"Idempotency-Key: k2"}, .body = debt);
        _exit(r->status == 202 ? 0 : 1);
    }
    town_start(s.town);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(gate_submit(s.gate, s.portal, "k1"), number);
}

static void a_gateway_that_was_killed_has_lost_nothing_of_what_it_accepted(void **state) {
    (void)state;
    struct stand s = stand_new(NULL);
    uint64_t numbers[20];
    char key[16];
    for (int i = 0; i < 20; i++) {
        snprintf(key, sizeof key, "k%d", i);
        numbers[i] = gate_submit(s.gate, s.portal, key);
    }
    gate_kill(s.gate);
    gate_start(s.gate);
    for (int i = 0; i < 20; i++) {
        snprintf(key, sizeof key, "k%d", i);
        assert_int_equal(gate_submit(s.gate, s.portal, key), numbers[i]);
    }
}

static void a_second_gateway_on_one_address_says_so_and_ends(void **state) {
    (void)state;
    struct stand s = stand_new(NULL);
    struct gate *second = gate_new(s.town, NULL);
    char says[64];
    second->listen = s.gate->port;
    assert_int_equal(gate_start_fails(second), 1);
    snprintf(says, sizeof says, "127.0.0.1, port %u: address already in use", s.gate->port);
    child_error_wait(second->child, says);
}

/* With connections of the one before, which the system remembers for a minute. */
static void a_gateway_that_starts_again_at_once_has_its_address_back(void **state) {
    (void)state;
    struct stand s = stand_new(NULL);
    bool closed;
    for (int i = 0; i < 2; i++) {
        s.gate->listen = s.gate->port;
        free(raw_say(s.gate, "nonsense\r\n\r\n", 12, WAIT_MS, &closed));
        assert_true(closed); /* by the gateway, whose end then waits in TIME_WAIT */
        i ? (void)gate_stop(s.gate) : gate_kill(s.gate);
        gate_start(s.gate);
        assert_int_equal(CALL(s.gate, "/livez", 0)->status, 200);
    }
}

/* SIGTERM: whoever waits gets its answer, then it is over. */
static void a_hangup_is_said_to_change_nothing(void **state) {
    (void)state;
    struct stand s = stand_new(NULL);
    for (int i = 0; i < 2; i++) {
        child_signal(s.gate->child, SIGHUP);
        child_error_wait(s.gate->child, "SIGHUP changes nothing: ");
    }
    gate_submit(s.gate, s.portal, "k");
    assert_int_equal(gate_stop(s.gate), 0);
}

static void a_gateway_that_stops_answers_what_is_under_way(void **state) {
    (void)state;
    struct stand s = stand_new("limits: {drain: 20 s}\n");
    struct raw *agent = raw_agent(s.town, "treasury-a", 1);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        const struct reply *r = CALL(s.gate, "/v1/inquiries", .token = s.portal,
                                     .headers = {"Idempotency-Key: k", "Prefer: wait=15"}, .body = debt);
        _exit(r->status == 200 ? 0 : 1);
    }
    const struct message *m = raw_receive(agent, VERB_ASSIGN);
    uint64_t number = m->assign.number, epoch = m->assign.epoch;
    child_signal(s.gate->child, SIGTERM);
    child_error_wait(s.gate->child, "stopping");
    raw_answer(agent, number, epoch, 5);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(child_wait(s.gate->child), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        GATE_CLAIM(what_leaves_it_open_where_a_request_ends_is_refused_and_cut),
        GATE_CLAIM(what_is_not_http_ends_the_connection_with_a_bare_answer_or_none),
        GATE_CLAIM(a_header_with_a_blank_in_its_name_is_refused_and_cut),
        GATE_CLAIM(blanks_behind_a_value_and_a_whole_address_are_taken),
        GATE_CLAIM(head_of_a_stream_has_no_body),
        GATE_CLAIM(chunks_are_taken_whole_or_not_at_all),
        GATE_CLAIM(a_body_that_ends_early_is_nothing),
        GATE_CLAIM(a_slow_sender_is_cut_however_steadily_it_drips),
        GATE_CLAIM(a_request_has_its_whole_time_after_an_idle_one),
        GATE_CLAIM(an_answer_that_nobody_reads_is_cut),
        GATE_CLAIM(bodies_and_headers_have_a_size),
        GATE_CLAIM(the_packed_body_has_the_protocols_own_size),
        GATE_CLAIM(a_parameter_whose_name_is_empty_or_has_a_blank_is_refused_at_once),
        GATE_CLAIM(an_ampersand_too_many_in_a_query_is_nothing),
        GATE_CLAIM(json_that_is_none_is_refused),
        GATE_CLAIM(a_number_beyond_64_bits_is_named_by_its_path),
        GATE_CLAIM(what_is_no_object_has_a_place),
        GATE_CLAIM(a_deadline_before_1970_has_passed),
        GATE_CLAIM(no_answer_quotes_a_body),
        GATE_CLAIM(too_many_requests_of_an_account_are_told_when_to_come_again),
        GATE_CLAIM(connections_have_a_limit_and_the_next_one_waits),
        GATE_CLAIM(one_too_many_of_an_address_is_closed_at_once),
        GATE_CLAIM(all_that_come_while_nobody_accepts_them_are_connected),
        GATE_CLAIM(a_broker_that_is_away_is_told_with_503),
        GATE_CLAIM(as_many_as_the_limit_wait_for_a_broker_and_later_nobody),
        GATE_CLAIM(a_level_is_as_low_while_the_broker_is_away),
        GATE_CLAIM(an_account_with_anothers_key_is_not_connected_and_says_so),
        GATE_CLAIM(a_level_that_the_broker_never_told_opens_nothing),
        GATE_CLAIM(a_draining_broker_is_told_with_503),
        GATE_CLAIM(a_broker_that_restarts_is_waited_for),
        GATE_CLAIM(a_gateway_that_was_killed_has_lost_nothing_of_what_it_accepted),
        GATE_CLAIM(a_second_gateway_on_one_address_says_so_and_ends),
        GATE_CLAIM(a_gateway_that_starts_again_at_once_has_its_address_back),
        GATE_CLAIM(a_hangup_is_said_to_change_nothing),
        GATE_CLAIM(a_gateway_that_stops_answers_what_is_under_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
