/* test_events.c - streams of events, search and what operators do, over HTTP. */
#include "gate.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct stand {
    struct town *town;
    struct gate *gate;
    const char *portal, *notary, *duty, *chief;
};

static struct stand stand_new(const char *more) {
    struct stand s = {.town = gate_town()};
    town_start(s.town);
    s.gate = gate_new(s.town, more ? more : "feed: duty\n");
    s.portal = gate_token(s.gate, "portal", SCOPE_ALL);
    s.notary = gate_token(s.gate, "notary", SCOPE_ALL);
    s.duty = gate_token(s.gate, "duty", SCOPE_ALL);
    s.chief = gate_token(s.gate, "chief", SCOPE_ALL);
    gate_start(s.gate);
    return s;
}

/* --- A reader of a stream --------------------------------------------------------------------------------
 */

/* HTTP/1.0, so that what comes is the stream itself and not its chunks. */
struct reader {
    int fd;
    char *text; /* what came and was not taken yet */
    size_t size;
    bool ended;
    json_t *json; /* of the last event */
    uint64_t id;
};

static void reader_free(void *arg) {
    struct reader *r = arg;
    close(r->fd);
    free(r->text);
    json_decref(r->json);
    free(r);
}

/* `narrow`: little of the stream is on its way while it is not read. */
static struct reader *reader_connect(struct gate *gate, const char *token, const char *path,
                                     const char *header, bool narrow) {
    static const int segment = 536, room = 4096;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)gate->port)};
    struct reader *r = calloc(1, sizeof *r);
    char request[512];
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    r->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    gate_register(r, reader_free);
    if (narrow) {
        assert_int_equal(setsockopt(r->fd, IPPROTO_TCP, TCP_MAXSEG, &segment, sizeof segment), 0);
        assert_int_equal(setsockopt(r->fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room), 0);
    }
    assert_int_equal(connect(r->fd, (struct sockaddr *)&address, sizeof address), 0);
    int size = snprintf(request, sizeof request, "GET %s HTTP/1.0\r\nAuthorization: Bearer %s\r\n%s\r\n",
                        path, token, header ? header : "");
    assert_int_equal(send(r->fd, request, (size_t)size, MSG_NOSIGNAL), size);
    return r;
}

static struct reader *reader_open(struct gate *gate, const char *token, const char *path,
                                  const char *header) {
    return reader_connect(gate, token, path, header, false);
}

/* True when more came or it ended; false when the time is over. */
static bool reader_fill(struct reader *r, int64_t until) {
    struct pollfd p = {.fd = r->fd, .events = POLLIN};
    int64_t left = until - now_ms();
    if (r->ended || left <= 0 || poll(&p, 1, (int)left) <= 0)
        return r->ended;
    r->text = realloc(r->text, r->size + 65537);
    ssize_t got = recv(r->fd, r->text + r->size, 65536, 0);
    r->ended = got <= 0;
    r->size += got > 0 ? (size_t)got : 0;
    r->text[r->size] = '\0';
    return true;
}

/* Everything up to and with `end`; NULL when it did not come within `ms`. To be freed. */
static char *reader_until(struct reader *r, const char *end, int ms) {
    for (int64_t until = now_ms() + ms;;) {
        char *at = r->text ? strstr(r->text, end) : NULL;
        if (at) {
            size_t size = (size_t)(at - r->text) + strlen(end);
            char *part = strndup(r->text, size);
            memmove(r->text, r->text + size, r->size - size + 1);
            r->size -= size;
            return part;
        }
        if (r->ended || !reader_fill(r, until))
            return NULL;
    }
}

/* The next event; NULL when none came within `ms`. Blocks without data move the id on. */
static json_t *reader_next(struct reader *r, int ms) {
    int64_t until = now_ms() + ms;
    for (char *block; (block = reader_until(r, "\n\n", (int)(until - now_ms()))) != NULL;) {
        const char *id = strstr(block, "id: "), *data = strstr(block, "data: ");
        if (id)
            r->id = strtoull(id + 4, NULL, 10);
        json_decref(r->json);
        r->json = data ? json_loads(data + 6, JSON_DISABLE_EOF_CHECK, NULL) : NULL;
        free(block);
        if (r->json)
            return r->json;
    }
    return NULL;
}

/* Waits until the stream has come to the present. */
static void reader_live(struct reader *r) {
    char *text = reader_until(r, ": live\n", WAIT_MS);
    if (!text)
        print_error("instead: %s\n", r->text);
    assert_non_null(text);
    free(text);
}

static const char *event_text(const json_t *event, const char *name) {
    const char *text = json_string_value(json_object_get(event, name));
    return text ? text : "";
}

static const json_t *event_wait(struct reader *r, const char *name) {
    const json_t *event;
    do {
        event = reader_next(r, WAIT_MS);
        assert_non_null(event);
    } while (strcmp(event_text(event, "event"), name) != 0);
    return event;
}

static void submitted_wait(struct reader *r, uint64_t number) {
    while ((uint64_t)json_integer_value(json_object_get(event_wait(r, "submitted"), "number")) != number)
        continue;
}

static uint64_t submit_use(struct stand *s, const char *token, const char *key) {
    char header[128];
    snprintf(header, sizeof header, "Idempotency-Key: %s", key);
    const struct reply *r =
        CALL(s->gate, "/v1/inquiries", .token = token, .headers = {header},
             .body = "{\"type\":\"plot.use\",\"purpose\":\"permit\",\"body\":{\"nz\":\"2-2-3\"}}");
    assert_int_equal(r->status, 202);
    return (uint64_t)reply_int(r, "number");
}

/* The portal's, in batches. */
static void submit_many(struct stand *s, int count) {
    enum { BATCH = 2000 };
    struct far *portal = far_open(s->town, "portal", 0);
    for (; count > 0; count -= BATCH) {
        est_id id;
        for (int i = 0; i < BATCH; i++) {
            est_id_new(&id);
            far_ask(portal, "plot.debt", "1-2-3", NULL, &id, (est_time){0});
        }
        far_take(portal, (struct want){.kind = EST_EVENT_ACCEPTED, .id = &id});
        while (far_peek(portal, (struct want){.kind = EST_EVENT_ACCEPTED}))
            continue;
        far_forget(portal);
    }
    far_close(&portal);
}

/* --- Streams -----------------------------------------------------------------------------------------------
 */

static void an_operator_sees_all_and_a_requester_its_own(void **state) {
    (void)state;
    struct stand s = stand_new(NULL);
    struct reader *duty = reader_open(s.gate, s.duty, "/v1/events", NULL);
    struct reader *portal = reader_open(s.gate, s.portal, "/v1/events", NULL);
    reader_live(duty);
    reader_live(portal);
    uint64_t others = submit_use(&s, s.notary, "n1"), own = gate_submit(s.gate, s.portal, "p1");
    const json_t *event = event_wait(duty, "submitted");
    assert_int_equal(json_integer_value(json_object_get(event, "number")), others);
    assert_string_equal(event_text(event, "requester"), "notary");
    assert_int_equal(json_integer_value(json_object_get(event_wait(duty, "submitted"), "number")), own);
    event = reader_next(portal, WAIT_MS);
    assert_int_equal(json_integer_value(json_object_get(event, "number")), own);
    assert_string_equal(event_text(event, "event"), "submitted");
    assert_int_equal(json_integer_value(json_object_get(event, "seq")), portal->id);
}

static void only_operators_read_reasons(void **state) {
    (void)state;
    struct stand s = stand_new(NULL);
    submit_use(&s, s.portal, "before"); /* so that ?after=0 is older than the gateway's own place */
    struct reader *duty = reader_open(s.gate, s.duty, "/v1/events?department=treasury", NULL);
    struct reader *portal = reader_open(s.gate, s.portal, "/v1/events", NULL);
    reader_live(duty);
    reader_live(portal);
    submit_use(&s, s.portal, "elsewhere"); /* of another department */
    uint64_t number = gate_submit(s.gate, s.portal, "p1");
    char path[64];
    snprintf(path, sizeof path, "/v1/inquiries/%llu/cancel", (unsigned long long)number);
    assert_int_equal(CALL(s.gate, path, .token = s.duty, .body = "{\"reason\":\"by mistake\"}")->status, 200);
    assert_int_equal(json_integer_value(json_object_get(reader_next(duty, WAIT_MS), "number")), number);
    assert_string_equal(event_text(event_wait(duty, "cancelled"), "text"), "by mistake");
    assert_string_equal(event_text(event_wait(portal, "cancelled"), "text"), "");
    duty = reader_open(s.gate, s.duty, "/v1/events?after=0", NULL);
    portal = reader_open(s.gate, s.portal, "/v1/events?after=0", NULL);
    assert_string_equal(event_text(event_wait(duty, "cancelled"), "text"), "by mistake");
    assert_string_equal(event_text(event_wait(portal, "cancelled"), "text"), "");
}

/* More than the ring's page of catching up, over a restart of the gateway: nothing lost, nothing twice. */
static void a_reader_that_comes_back_misses_nothing(void **state) {
    enum { COUNT = 450 };
    (void)state;
    struct stand s = stand_new(NULL);
    struct reader *r = reader_open(s.gate, s.portal, "/v1/events", NULL);
    char header[64], key[16];
    reader_live(r);
    gate_submit(s.gate, s.portal, "first");
    uint64_t first = (uint64_t)json_integer_value(json_object_get(event_wait(r, "submitted"), "number"));
    uint64_t last_id = r->id, before = first;
    struct far *portal = far_open(s.town, "portal", 0);
    for (int i = 0; i < COUNT; i++)
        far_submit(portal, "plot.debt", "1-2-3", NULL);
    gate_kill(s.gate);
    gate_start(s.gate);
    snprintf(key, sizeof key, "last");
    gate_submit(s.gate, s.portal, key);
    snprintf(header, sizeof header, "Last-Event-ID: %llu\r\n", (unsigned long long)last_id);
    r = reader_open(s.gate, s.portal, "/v1/events", header);
    for (int i = 0; i < COUNT + 1; i++) {
        const json_t *event = event_wait(r, "submitted");
        uint64_t number = (uint64_t)json_integer_value(json_object_get(event, "number"));
        assert_true(number > before);
        before = number;
    }
    const json_t *more = reader_next(r, 200);
    if (more)
        print_error("one more: %s, seq %lld, number %lld\n", event_text(more, "event"), (long long)r->id,
                    json_integer_value(json_object_get(more, "number")));
    assert_null(more);
}

/* The operator's own connection knows the log's end before the gateway's follower has looked again. */
static void a_stream_ahead_of_the_follower_sees_nothing_before_its_place(void **state) {
    (void)state;
    struct stand s = stand_new(NULL);
    struct reader *duty = reader_open(s.gate, s.duty, "/v1/events", NULL);
    struct far *watcher = far_open(s.town, "duty", 0);
    char path[64], key[16];
    reader_live(duty);
    submit_use(&s, s.notary, "n1");
    gate_submit(s.gate, s.portal, "before");
    assert_int_equal(est_client_events(watcher->client, ++watcher->ref, NULL, 0, 1), 0);
    uint64_t place = far_wait(watcher, EST_EVENT_EVENTS, .ref = watcher->ref)->head;
    far_close(&watcher);
    snprintf(path, sizeof path, "/v1/events?after=%llu", (unsigned long long)place);
    struct reader *portal = reader_open(s.gate, s.portal, path, NULL);
    reader_live(portal);
    for (int i = 0; i < 4; i++) {
        snprintf(key, sizeof key, "p%d", i);
        gate_submit(s.gate, s.portal, key);
    }
    assert_true(json_integer_value(json_object_get(event_wait(portal, "submitted"), "seq")) >
                (json_int_t)place);
}

/* --- A log that went back -------------------------------------------------------------------------------- */

static void store_copy(const struct stand *s, const char *from, const char *to) {
    char command[3 * FOLDER_MAX + 64];
    snprintf(command, sizeof command, "cd '%s' && rm -rf '%s' && cp -a '%s' '%s'", s->town->folder, to, from, to);
    assert_int_equal(system(command), 0);
}

/* The reset: where the reader was, and where it is now. */
static uint64_t reset_wait(struct reader *r, uint64_t after) {
    char *before = reader_until(r, "event: reset\n", WAIT_MS);
    assert_non_null(before);
    free(before);
    const json_t *reset = reader_next(r, WAIT_MS);
    assert_non_null(reset);
    assert_int_equal(json_integer_value(json_object_get(reset, "after")), after);
    uint64_t head = (uint64_t)json_integer_value(json_object_get(reset, "head"));
    assert_true(head < after);
    assert_int_equal(r->id, head);
    return head;
}

static void a_stream_is_told_when_the_log_went_back_and_goes_on(void **state) {
    enum { LOST = 20 };
    (void)state;
    struct stand s = stand_new(NULL);
    assert_int_equal(town_stop(s.town), 0);
    store_copy(&s, "store", "copy");
    town_start(s.town);
    gate_submit(s.gate, s.portal, "lost"); /* waits for the broker, and so does the feed's account with it */
    while (CALL(s.gate, "/v1/queues", .token = s.duty)->status != 200)
        continue;
    struct reader *duty = reader_open(s.gate, s.duty, "/v1/events?after=0", NULL);
    struct reader *portal = reader_open(s.gate, s.portal, "/v1/events?after=0", NULL);
    char key[16];
    uint64_t number = 0;
    for (int i = 0; i < LOST; i++) {
        snprintf(key, sizeof key, "lost-%d", i);
        number = gate_submit(s.gate, s.portal, key);
    }
    submitted_wait(duty, number);
    submitted_wait(portal, number);
    assert_int_equal(town_stop(s.town), 0);
    store_copy(&s, "copy", "store");
    town_start(s.town);
    reset_wait(duty, duty->id);
    reset_wait(portal, portal->id);
    number = gate_submit(s.gate, s.portal, "after");
    submitted_wait(duty, number);
    submitted_wait(portal, number);
    child_error_wait(s.gate->child, "an older copy of its store was put back");
    struct reader *late = reader_open(s.gate, s.duty, "/v1/events", NULL);
    reader_live(late);
    submitted_wait(late, gate_submit(s.gate, s.portal, "later"));
}

/* The gateway has seen nothing of it: the reader brings a place that the log has not come to. */
static void a_place_that_the_log_does_not_reach_is_answered_with_a_reset(void **state) {
    (void)state;
    struct stand s = stand_new(NULL);
    gate_submit(s.gate, s.portal, "first");
    struct reader *quiet = reader_open(s.gate, s.duty, "/v1/events", NULL);
    reader_live(quiet);
    struct reader *r = reader_open(s.gate, s.portal, "/v1/events", "Last-Event-ID: 500\r\n");
    reset_wait(r, 500);
    reader_live(r);
    submitted_wait(r, gate_submit(s.gate, s.portal, "second"));
}

static void a_revoked_token_ends_its_stream(void **state) {
    (void)state;
    struct stand s = stand_new(NULL);
    struct reader *r = reader_open(s.gate, s.portal, "/v1/events", NULL);
    reader_live(r);
    gate_revoke(s.gate, s.portal);
    assert_null(reader_next(r, WAIT_MS));
    assert_true(r->ended);
}

/* By then the quiet stream under the same token has ended, so the busy one is looked at too. What was on its
 * way still comes, the log does not. */
static void a_revoked_token_ends_a_stream_that_is_busy(void **state) {
    enum { COUNT = 4000 };
    (void)state;
    struct stand s = stand_new(NULL);
    submit_many(&s, COUNT);
    struct reader *quiet = reader_open(s.gate, s.portal, "/v1/events?department=works", NULL);
    reader_live(quiet);
    struct reader *busy = reader_connect(s.gate, s.portal, "/v1/events?after=0", NULL, true);
    assert_non_null(reader_next(busy, WAIT_MS));
    int64_t revoked = now_ms();
    gate_revoke(s.gate, s.portal);
    assert_null(reader_next(quiet, WAIT_MS));
    assert_true(quiet->ended);
    int count = 1;
    while (reader_next(busy, WAIT_MS))
        count++;
    assert_true(busy->ended);
    assert_true(count < COUNT / 2);
    assert_true(now_ms() - revoked < 5000); /* and not when all tokens are looked at for their dates */
}

/* Nothing is written meanwhile: it is the date by itself. */
static void an_expired_token_ends_its_stream(void **state) {
    (void)state;
    struct stand s = stand_new(NULL);
    struct reader *r = reader_open(s.gate, s.portal, "/v1/events", NULL);
    reader_live(r);
    int64_t opened = now_ms();
    gate_expire(s.gate, s.portal, 1500);
    assert_null(reader_next(r, WAIT_MS));
    assert_true(r->ended);
    assert_in_range(now_ms() - opened, 500, 15000); /* the file has whole seconds */
    assert_problem(CALL(s.gate, "/v1/whoami", .token = s.portal), 401, "TOKEN_EXPIRED");
}

static void a_quiet_stream_is_kept_alive(void **state) {
    (void)state;
    struct stand s = stand_new("feed: duty\nlimits: {keep_alive: 200 ms}\n");
    struct reader *r = reader_open(s.gate, s.portal, "/v1/events", NULL);
    reader_live(r);
    for (int i = 0; i < 3; i++) {
        char *text = reader_until(r, ": keep-alive\n", WAIT_MS);
        assert_non_null(text);
        free(text);
    }
}

static void nobody_follows_a_department_that_is_none(void **state) {
    static const char *const bad[] = {"nope", "treasur", "treasury-and-what-else"};
    char path[64];
    (void)state;
    struct stand s = stand_new(NULL);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        snprintf(path, sizeof path, "/v1/events?department=%s", bad[i]);
        const struct reply *r = CALL(s.gate, path, .token = s.portal); /* a stream would end it at WAIT_MS */
        assert_problem(r, 422, "INVALID_FIELD");
        assert_non_null(strstr(reply_text(r, "detail"), bad[i]));
    }
    reader_live(reader_open(s.gate, s.duty, "/v1/events?department=treasury", NULL));
    reader_live(reader_open(s.gate, s.duty, "/v1/events?department=", NULL));
}

static void streams_have_a_limit(void **state) {
    (void)state;
    struct stand s = stand_new("feed: duty\nlimits: {streams: 3, streams_per_account: 2}\n");
    reader_live(reader_open(s.gate, s.portal, "/v1/events", NULL));
    reader_live(reader_open(s.gate, s.portal, "/v1/events", NULL));
    assert_problem(CALL(s.gate, "/v1/events", .token = s.portal), 503, "STREAMS_FULL");
    reader_live(reader_open(s.gate, s.duty, "/v1/events", NULL));
    assert_problem(CALL(s.gate, "/v1/events", .token = s.notary), 503, "STREAMS_FULL");
    assert_problem(CALL(s.gate, "/v1/events", .token = s.notary, .headers = {"Last-Event-ID: frob"}), 400,
                   "INVALID_HEADER");
}

/* Hundreds of streams that say nothing cost the others nothing, and an end of the gateway ends them. */
static void idle_streams_are_many_and_end_with_the_gateway(void **state) {
    enum { STREAMS = 400 };
    (void)state;
    struct stand s = stand_new(NULL);
    struct reader *readers[STREAMS];
    for (int i = 0; i < STREAMS; i++)
        readers[i] = reader_open(s.gate, i % 2 ? s.portal : s.notary, "/v1/events", NULL);
    for (int i = 0; i < STREAMS; i++)
        reader_live(readers[i]);
    uint64_t number = gate_submit(s.gate, s.portal, "k");
    for (int i = 1; i < STREAMS; i += 2)
        assert_int_equal(json_integer_value(json_object_get(reader_next(readers[i], WAIT_MS), "number")),
                         number);
    assert_null(reader_next(readers[0], 50));
    assert_int_equal(gate_stop(s.gate), 0);
    for (int i = 0; i < STREAMS; i++) {
        while (reader_next(readers[i], WAIT_MS))
            continue;
        assert_true(readers[i]->ended);
    }
}

/* One that does not read is not waited for, holds nothing up, and finds the rest when it comes back. */
static void a_reader_that_does_not_read_is_ended(void **state) {
    enum { COUNT = 40000 };
    (void)state;
    struct stand s = stand_new(NULL);
    struct reader *slow = reader_open(s.gate, s.duty, "/v1/events", NULL);
    struct reader *quick = reader_open(s.gate, s.notary, "/v1/events", NULL);
    reader_live(slow);
    reader_live(quick);
    submit_many(&s, COUNT);
    uint64_t own = submit_use(&s, s.notary, "n1");
    assert_int_equal(json_integer_value(json_object_get(reader_next(quick, WAIT_MS), "number")), own);
    int count = 0;
    char header[64];
    while (reader_next(slow, WAIT_MS))
        count++;
    assert_true(slow->ended);
    assert_true(count < COUNT);
    snprintf(header, sizeof header, "Last-Event-ID: %llu\r\n", (unsigned long long)slow->id);
    slow = reader_open(s.gate, s.duty, "/v1/events", header);
    for (; count < COUNT + 1; count++)
        assert_non_null(reader_next(slow, WAIT_MS));
    assert_int_equal(json_integer_value(json_object_get(slow->json, "number")), own);
}

/* --- Rows of one seq ---------------------------------------------------------------------------- */

enum { TOGETHER = 300 }; /* more than a stream makes at once */

/* The portal's inquiries, answered, and acknowledged by one RESULT_ACK. The gateway, which would acknowledge
 * each as it comes, is held still meanwhile. */
static void acknowledge_together(struct stand *s, uint64_t numbers[TOGETHER]) {
    struct far *portal = far_open(s->town, "portal", 0);
    child_signal(s->gate->child, SIGSTOP);
    for (int i = 0; i < TOGETHER; i++)
        numbers[i] = far_submit(portal, "plot.debt", "1-2-3", NULL);
    agent_start(s->town, "treasury-a", "answer", 1);
    int64_t until = now_ms() + WAIT_MS;
    for (int i = 0; i < TOGETHER; i++)
        while (far_status(portal, NULL, numbers[i])->state != EST_STATE_ANSWERED)
            assert_true(now_ms() < until);
    for (int i = 0; i < TOGETHER - 1; i++)
        assert_int_equal(est_client_ack(portal->client, numbers[i]), 0);
    far_ack(portal, numbers[TOGETHER - 1]);
    far_close(&portal);
    child_signal(s->gate->child, SIGCONT);
}

/* The next of them: this one, under the seq of all. Only the last one's id is that seq. */
static void assert_together(struct reader *r, const uint64_t numbers[TOGETHER], int i, uint64_t *seq) {
    const json_t *event = event_wait(r, "acknowledged");
    assert_int_equal(json_integer_value(json_object_get(event, "number")), numbers[i]);
    if (!*seq)
        *seq = (uint64_t)json_integer_value(json_object_get(event, "seq"));
    assert_int_equal(json_integer_value(json_object_get(event, "seq")), *seq);
    if (i < TOGETHER - 1)
        assert_true(r->id < *seq);
    else
        assert_int_equal(r->id, *seq);
}

static void all_that_was_acknowledged_together_is_shown(void **state) {
    (void)state;
    struct stand s = stand_new(NULL);
    uint64_t numbers[TOGETHER], seq = 0;
    struct reader *live[] = {reader_open(s.gate, s.portal, "/v1/events", NULL),
                             reader_open(s.gate, s.duty, "/v1/events", NULL),
                             reader_open(s.gate, s.duty, "/v1/events?department=treasury", NULL)};
    for (size_t r = 0; r < sizeof live / sizeof live[0]; r++)
        reader_live(live[r]);
    acknowledge_together(&s, numbers);
    for (size_t r = 0; r < sizeof live / sizeof live[0]; r++)
        for (int i = 0; i < TOGETHER; i++)
            assert_together(live[r], numbers, i, &seq);
    struct reader *later[] = {reader_open(s.gate, s.portal, "/v1/events?after=0", NULL),
                              reader_open(s.gate, s.duty, "/v1/events?after=0", NULL)};
    for (size_t r = 0; r < sizeof later / sizeof later[0]; r++)
        for (int i = 0; i < TOGETHER; i++)
            assert_together(later[r], numbers, i, &seq);
}

/* Live or catching up: it comes back with the id that it had, and sees them from the first one on. */
static void a_reader_cut_among_rows_of_one_seq_loses_none(void **state) {
    static const char *const paths[] = {"/v1/events", "/v1/events?after=0"};
    (void)state;
    struct stand s = stand_new(NULL);
    uint64_t numbers[TOGETHER], seq = 0;
    char header[64];
    struct reader *live = reader_open(s.gate, s.portal, paths[0], NULL);
    reader_live(live);
    acknowledge_together(&s, numbers);
    for (size_t p = 0; p < sizeof paths / sizeof paths[0]; p++) {
        struct reader *r = p ? reader_open(s.gate, s.portal, paths[p], NULL) : live;
        for (int i = 0; i < TOGETHER / 3; i++)
            assert_together(r, numbers, i, &seq);
        shutdown(r->fd, SHUT_RDWR);
        snprintf(header, sizeof header, "Last-Event-ID: %llu\r\n", (unsigned long long)r->id);
        r = reader_open(s.gate, s.portal, "/v1/events", header);
        for (int i = 0; i < TOGETHER; i++)
            assert_together(r, numbers, i, &seq);
    }
}

/* --- Levels ------------------------------------------------------------------------------------ */

static void an_observer_sees_counts_and_nothing_of_a_person(void **state) {
    (void)state;
    struct stand s = stand_new(NULL);
    const char *watch = gate_token(s.gate, "watch", SCOPE_ALL);
    static const char *const counts[] = {"/v1/queues", "/v1/agents", "/v1/stats", "/v1/counters"};
    static const char *const persons[] = {
        "/v1/parked", "/v1/inquiries", "/v1/inquiries.csv", "/v1/inquiries/1", "/v1/inquiries/1/timeline",
        "/v1/events", "/v1/keys",      "/v1/config"};
    gate_submit(s.gate, s.portal, "k");
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
        assert_int_equal(CALL(s.gate, counts[i], .token = watch)->status, 200);
    for (size_t i = 0; i < sizeof persons / sizeof persons[0]; i++)
        assert_problem(CALL(s.gate, persons[i], .token = watch), 403, "NOT_ALLOWED");
    assert_problem(
        CALL(s.gate, "/v1/departments/treasury/pause", .token = watch, .body = "{\"reason\":\"x\"}"), 403,
        "NOT_ALLOWED");
    assert_problem(CALL(s.gate, "/v1/drain", .token = s.duty, .body = "{\"on\":true,\"reason\":\"x\"}"), 403,
                   "NOT_ALLOWED");
    assert_string_equal(reply_text(CALL(s.gate, "/v1/whoami", .token = watch), "level"), "observer");
    assert_string_equal(reply_text(CALL(s.gate, "/v1/whoami", .token = s.chief), "level"), "administrator");
}

static void only_an_administrator_sees_bodies(void **state) {
    (void)state;
    struct stand s = stand_new(NULL);
    char path[64];
    snprintf(path, sizeof path, "/v1/inquiries/%llu?bodies=1",
             (unsigned long long)gate_submit(s.gate, s.portal, "k"));
    const struct reply *r = CALL(s.gate, path, .token = s.chief);
    assert_int_equal(r->status, 200);
    assert_string_equal(json_string_value(json_object_get(json_object_get(r->json, "request"), "nz")),
                        "1-2-3");
    assert_problem(CALL(s.gate, path, .token = s.duty), 403, "NOT_ALLOWED");
}

/* --- Search and acts --------------------------------------------------------------------------- */

/* The index is a little behind: asks until it has seen all. */
static const struct reply *found_wait(struct stand *s, const char *path, const char *token, size_t count) {
    const struct reply *r = NULL;
    for (int64_t until = now_ms() + WAIT_MS; now_ms() < until;) {
        r = CALL(s->gate, path, .token = token);
        if (r->status == 200 && json_array_size(json_object_get(r->json, "rows")) == count)
            return r;
    }
    fail_msg("%s: never %zu rows: %s", path, count, r->body);
    return NULL;
}

static void a_requester_finds_its_own_only(void **state) {
    (void)state;
    struct stand s = stand_new(NULL);
    uint64_t own = gate_submit(s.gate, s.portal, "p1");
    submit_use(&s, s.notary, "n1");
    found_wait(&s, "/v1/inquiries", s.duty, 2);
    const struct reply *r = found_wait(&s, "/v1/inquiries?count=1", s.portal, 1);
    json_t *row = json_array_get(json_object_get(r->json, "rows"), 0);
    assert_int_equal(json_integer_value(json_object_get(row, "number")), own);
    assert_int_equal(reply_int(r, "count"), 1);
    assert_int_equal(json_array_size(json_object_get(
                         CALL(s.gate, "/v1/inquiries?q=requester:notary", .token = s.portal)->json, "rows")),
                     0);
    found_wait(&s, "/v1/inquiries?q=state:waiting%20department:works", s.duty, 1);
    assert_problem(CALL(s.gate, "/v1/inquiries?q=frob:1", .token = s.duty), 422, "INVALID_FIELD");
    r = CALL(s.gate, "/v1/inquiries.csv", .token = s.portal);
    assert_int_equal(r->status, 200);
    assert_non_null(strstr(reply_header(r, "Content-Type"), "text/csv"));
    assert_non_null(strstr(r->body, "\"plot.debt\""));
    assert_null(strstr(r->body, "notary"));
    assert_int_equal(
        CALL(s.gate, "/v1/inquiries/0198c5a2-7d1e-7c3a-9f00-2b6d1c0a4e11", .token = s.duty)->status, 404);
}

/* --- Confidential types ------------------------------------------------------------------------ */

static void types_write(struct town *town, const char *of_debt, const char *of_use) {
    char *types = town_types(of_debt, of_use);
    town_file(town, TOWN_TYPES, types);
    free(types);
}

/* plot.debt is confidential; the feed is an administrator's, so that its requesters find their own. */
static struct stand stand_confidential(void) {
    struct stand s = {.town = gate_town()};
    types_write(s.town, "    confidential: true\n", "");
    town_start(s.town);
    s.gate = gate_new(s.town, "feed: chief\n");
    s.portal = gate_token(s.gate, "portal", SCOPE_ALL);
    s.duty = gate_token(s.gate, "duty", SCOPE_ALL);
    s.chief = gate_token(s.gate, "chief", SCOPE_ALL);
    gate_start(s.gate);
    return s;
}

static void a_confidential_inquiry_is_for_its_requester_and_an_administrator(void **state) {
    (void)state;
    struct stand s = stand_confidential();
    static const char *const paths[] = {"/v1/inquiries/%llu", "/v1/inquiries/%llu/timeline"};
    char path[64];
    uint64_t number = gate_submit(s.gate, s.portal, "k");
    submit_use(&s, s.portal, "u");
    found_wait(&s, "/v1/inquiries", s.chief, 2);
    found_wait(&s, "/v1/inquiries", s.portal, 2);
    assert_int_equal(reply_int(found_wait(&s, "/v1/inquiries?count=1", s.duty, 1), "count"), 1);
    found_wait(&s, "/v1/inquiries?q=type:plot.debt", s.duty, 0);
    assert_null(strstr(CALL(s.gate, "/v1/inquiries.csv", .token = s.duty)->body, "plot.debt"));
    assert_non_null(strstr(CALL(s.gate, "/v1/inquiries.csv", .token = s.chief)->body, "plot.debt"));
    assert_non_null(strstr(CALL(s.gate, "/v1/inquiries.csv", .token = s.portal)->body, "plot.debt"));
    for (size_t i = 0; i < 2; i++) {
        snprintf(path, sizeof path, paths[i], (unsigned long long)number);
        assert_problem(CALL(s.gate, path, .token = s.duty), 403, "NOT_ALLOWED");
        assert_int_equal(CALL(s.gate, path, .token = s.chief)->status, 200);
        assert_int_equal(CALL(s.gate, path, .token = s.portal)->status, 200);
    }
    const struct reply *r = CALL(s.gate, "/v1/inquiries?q=type:plot.debt", .token = s.chief);
    json_t *row = json_array_get(json_object_get(r->json, "rows"), 0);
    snprintf(path, sizeof path, "/v1/inquiries/%s", event_text(row, "tracking"));
    assert_problem(CALL(s.gate, path, .token = s.duty), 403, "NOT_ALLOWED");
    snprintf(path, sizeof path, "/v1/inquiries/%s", event_text(row, "id"));
    assert_problem(CALL(s.gate, path, .token = s.duty), 404, "NOT_FOUND");
    snprintf(path, sizeof path, "/v1/inquiries/%llu/cancel", (unsigned long long)number);
    assert_problem(CALL(s.gate, path, .token = s.duty, .body = "{\"reason\":\"a test\"}"), 403,
                   "NOT_ALLOWED");
    assert_int_equal(CALL(s.gate, path, .token = s.chief, .body = "{\"reason\":\"a test\"}")->status, 200);
}

/* The next inquiry after this one that the stream tells of. */
static uint64_t submitted_after(struct reader *r, uint64_t before) {
    uint64_t number;
    do
        number = (uint64_t)json_integer_value(json_object_get(event_wait(r, "submitted"), "number"));
    while (number <= before);
    return number;
}

/* From the ring, and from the broker (after=0 is older than the ring). */
static void a_stream_leaves_out_what_is_confidential_for_whoever_reads_it(void **state) {
    (void)state;
    struct stand s = stand_confidential();
    uint64_t before = submit_use(&s, s.portal, "before");
    struct reader *duty = reader_open(s.gate, s.duty, "/v1/events", NULL);
    struct reader *chief = reader_open(s.gate, s.chief, "/v1/events", NULL);
    struct reader *portal = reader_open(s.gate, s.portal, "/v1/events", NULL);
    reader_live(duty);
    reader_live(chief);
    reader_live(portal);
    uint64_t secret = gate_submit(s.gate, s.portal, "k"), plain = submit_use(&s, s.portal, "u");
    assert_int_equal(submitted_after(duty, before), plain);
    assert_int_equal(submitted_after(chief, before), secret);
    assert_int_equal(submitted_after(portal, before), secret);
    duty = reader_open(s.gate, s.duty, "/v1/events?after=0", NULL);
    chief = reader_open(s.gate, s.chief, "/v1/events?after=0", NULL);
    assert_int_equal(submitted_after(duty, before), plain);
    assert_int_equal(submitted_after(chief, before), secret);
}

/* What the gateway has in memory was told by the configuration before. */
static void a_type_that_becomes_confidential_is_so_for_events_of_before(void **state) {
    (void)state;
    struct stand s = stand_confidential();
    char header[64];
    struct reader *duty = reader_open(s.gate, s.duty, "/v1/events", NULL);
    reader_live(duty);
    snprintf(header, sizeof header, "Last-Event-ID: %llu\r\n",
             (unsigned long long)submit_use(&s, s.portal, "u1") - 1);
    submit_use(&s, s.portal, "u2");
    event_wait(duty, "submitted");
    event_wait(duty, "submitted");
    types_write(s.town, "", "    confidential: true\n");
    town_reload(s.town, "reloaded");
    const struct reply *r =
        CALL(s.gate, "/v1/departments/works/pause", .token = s.duty, .body = "{\"reason\":\"a test\"}");
    assert_int_equal(r->status, 200);
    event_wait(duty, "paused"); /* by now the gateway has the broker's word */
    duty = reader_open(s.gate, s.duty, "/v1/events", header);
    assert_string_equal(event_text(reader_next(duty, WAIT_MS), "event"), "paused");
}

static void a_csv_that_is_not_whole_says_so(void **state) {
    (void)state;
    struct stand s = stand_new(NULL);
    gate_submit(s.gate, s.portal, "p1");
    gate_submit(s.gate, s.portal, "p2");
    submit_use(&s, s.notary, "n1");
    found_wait(&s, "/v1/inquiries", s.duty, 3);
    const struct reply *r = CALL(s.gate, "/v1/inquiries.csv?limit=2", .token = s.duty);
    assert_int_equal(r->status, 200);
    assert_non_null(reply_header(r, "Estelam-Truncated"));
    assert_string_equal(reply_header(r, "Estelam-Truncated"), "2");
    assert_null(
        reply_header(CALL(s.gate, "/v1/inquiries.csv?limit=3", .token = s.duty), "Estelam-Truncated"));
    /* What is not the requester's own is none of what it lacks. */
    assert_null(
        reply_header(CALL(s.gate, "/v1/inquiries.csv?limit=2", .token = s.portal), "Estelam-Truncated"));
}

static void assert_filter_refused(const struct reply *r, const char *why) {
    assert_problem(r, 422, "INVALID_FIELD");
    if (!strstr(reply_text(r, "detail"), why))
        fail_msg("wanted %s, got: %s", why, r->body);
}

/* Blanks: a filter of this length that is right. */
static const struct reply *blanks_search(struct stand *s, const char *token, size_t size) {
    char path[1100] = "/v1/inquiries?q=";
    size_t used = strlen(path);
    memset(path + used, '+', size);
    path[used + size] = '\0';
    return CALL(s->gate, path, .token = token);
}

/* What the gateway adds shifts no character, and has room of its own. */
static void a_filter_is_judged_as_it_was_typed(void **state) {
    static const size_t added = sizeof " requester:portal" - 1;
    (void)state;
    struct stand s = stand_new(NULL);
    assert_filter_refused(CALL(s.gate, "/v1/inquiries?q=foo:bar", .token = s.portal),
                          "character 1: there is no field `foo`");
    assert_filter_refused(CALL(s.gate, "/v1/inquiries.csv?q=state:parked+foo:bar", .token = s.portal),
                          "character 14: there is no field `foo`");
    assert_filter_refused(CALL(s.gate, "/v1/parked/requeue", .token = s.duty,
                               .body = "{\"filter\":\"foo:bar\",\"count_only\":true}"),
                          "character 1: there is no field `foo`");
    assert_int_equal(blanks_search(&s, s.duty, 1000)->status, 200);
    assert_filter_refused(blanks_search(&s, s.duty, 1001), "q: is longer than 1000 bytes");
    assert_int_equal(blanks_search(&s, s.portal, 1000 - added)->status, 200);
    assert_filter_refused(blanks_search(&s, s.portal, 1001 - added), "q: is longer than 983 bytes");
}

static size_t lines_of(const struct reply *r) {
    size_t count = 0;
    for (const char *at = r->body; (at = strstr(at, "\r\n")) != NULL; at += 2)
        count++;
    return count;
}

static void a_csv_holds_no_formula_and_as_many_rows_as_were_asked_for(void **state) {
    (void)state;
    struct stand s = stand_new(NULL);
    gate_submit(s.gate, s.portal, "plain");
    assert_int_equal(CALL(s.gate, "/v1/inquiries", .token = s.portal, .headers = {"Idempotency-Key: formula"},
                          .body =
                              "{\"type\":\"plot.debt\",\"purpose\":\"permit\",\"body\":{\"nz\":\"1-2-3\"},"
                              "\"case_id\":\"=1+1\"}")
                         ->status,
                     202);
    found_wait(&s, "/v1/inquiries", s.portal, 2);
    const struct reply *r = CALL(s.gate, "/v1/inquiries.csv", .token = s.portal);
    assert_int_equal(lines_of(r), 1 + 2);
    assert_non_null(strstr(r->body, ",\"'=1+1\","));
    assert_int_equal(lines_of(CALL(s.gate, "/v1/inquiries.csv?limit=1", .token = s.portal)), 1 + 1);
}

static void no_filter_of_a_requester_reaches_what_is_not_its_own(void **state) {
    static const char *const empty[] = {"-requester:portal", "requester:notary", "-type:plot.debt"};
    static const char *const open[] = {"%22", "case:%22x", "case:%22x%5C", "-", "number:1,", "requester:"};
    char path[96];
    (void)state;
    struct stand s = stand_new(NULL);
    gate_submit(s.gate, s.portal, "p1");
    submit_use(&s, s.notary, "n1");
    found_wait(&s, "/v1/inquiries", s.duty, 2);
    for (size_t i = 0; i < sizeof empty / sizeof empty[0]; i++) {
        snprintf(path, sizeof path, "/v1/inquiries?count=1&q=%s", empty[i]);
        assert_int_equal(reply_int(found_wait(&s, path, s.portal, 0), "count"), 0);
    }
    for (size_t i = 0; i < sizeof open / sizeof open[0]; i++) {
        snprintf(path, sizeof path, "/v1/inquiries?count=1&q=%s", open[i]);
        assert_filter_refused(CALL(s.gate, path, .token = s.portal), "character ");
    }
}

static void an_operator_names_an_inquiry_by_its_uuid_too(void **state) {
    (void)state;
    struct stand s = stand_new(NULL);
    uint64_t number = gate_submit(s.gate, s.portal, "0198c5a2-7d1e-7c3a-9f00-2b6d1c0a4e11");
    found_wait(&s, "/v1/inquiries", s.duty, 1);
    const struct reply *r =
        CALL(s.gate, "/v1/inquiries/0198c5a2-7d1e-7c3a-9f00-2b6d1c0a4e11", .token = s.duty);
    assert_int_equal(r->status, 200);
    assert_int_equal(reply_int(r, "number"), number);
}

static void parked_inquiries_are_counted_and_put_back(void **state) {
    enum { COUNT = 3 };
    (void)state;
    struct stand s = stand_new(NULL);
    struct child *agent = agent_start(s.town, "treasury-a", "refuse", 1);
    char key[8], path[64];
    uint64_t number = 0;
    for (int i = 0; i < COUNT; i++) {
        snprintf(key, sizeof key, "k%d", i);
        number = gate_submit(s.gate, s.portal, key);
    }
    found_wait(&s, "/v1/inquiries?q=state:parked", s.duty, COUNT);
    assert_int_equal(
        json_array_size(json_object_get(CALL(s.gate, "/v1/parked", .token = s.duty)->json, "rows")), COUNT);
    child_signal(agent, 9);
    child_wait(agent);
    struct far *watch = far_open(s.town, "watch", 0);
    for (int64_t until = now_ms() + WAIT_MS; far_stat(watch, "peers_departments") != 0;) /* or it gets what goes back */
        assert_true(now_ms() < until);
    const struct reply *r = CALL(s.gate, "/v1/parked/requeue", .token = s.duty,
                                 .body = "{\"filter\":\"department:treasury\",\"count_only\":true}");
    assert_int_equal(r->status, 200);
    assert_int_equal(reply_int(r, "count"), COUNT);
    assert_problem(CALL(s.gate, "/v1/parked/requeue", .token = s.duty, .body = "{}"), 422, "INVALID_REQUEST");
    snprintf(path, sizeof path, "/v1/inquiries/%llu/requeue", (unsigned long long)number);
    r = CALL(s.gate, path, .token = s.duty, .body = "{\"reason\":\"mended\"}");
    assert_string_equal(reply_text(r, "state"), "waiting");
    assert_problem(CALL(s.gate, path, .token = s.duty, .body = "{\"reason\":\"again\"}"), 409, "NOT_PARKED");
    found_wait(&s, "/v1/inquiries?q=state:parked", s.duty, COUNT - 1);
    r = CALL(s.gate, "/v1/parked/requeue", .token = s.duty,
             .body = "{\"filter\":\"department:treasury\",\"reason\":\"mended\"}");
    assert_int_equal(reply_int(r, "requeued"), COUNT - 1);
    found_wait(&s, "/v1/inquiries?q=state:parked", s.duty, 0);
}

static void an_operator_moves_pauses_and_resumes(void **state) {
    (void)state;
    struct stand s = stand_new(NULL);
    char path[64];
    snprintf(path, sizeof path, "/v1/inquiries/%llu/redirect",
             (unsigned long long)gate_submit(s.gate, s.portal, "k"));
    assert_problem(CALL(s.gate, path, .token = s.duty, .body = "{\"reason\":\"x\"}"), 422, "INVALID_REQUEST");
    const struct reply *r =
        CALL(s.gate, path, .token = s.duty, .body = "{\"reason\":\"moved\",\"district\":4}");
    assert_int_equal(r->status, 200);
    assert_int_equal(reply_int(r, "district"), 4);
    assert_problem(CALL(s.gate, path, .token = s.duty, .body = "{\"reason\":\"moved\",\"district\":4}"), 422,
                   "INVALID_FIELD");
    r = CALL(s.gate, "/v1/departments/treasury/pause", .token = s.duty, .body = "{\"reason\":\"upgrade\"}");
    assert_true(json_is_true(json_object_get(r->json, "paused")));
    r = CALL(s.gate, "/v1/queues?department=treasury", .token = s.duty);
    assert_true(json_is_true(json_object_get(json_array_get(json_object_get(r->json, "rows"), 0), "paused")));
    r = CALL(s.gate, "/v1/departments/treasury/resume", .token = s.duty, .body = "{\"reason\":\"done\"}");
    assert_true(json_is_false(json_object_get(r->json, "paused")));
    assert_int_equal(
        CALL(s.gate, "/v1/index/rebuild", .token = s.chief, .body = "{\"reason\":\"test\"}")->status, 202);
}

static void a_sample_tries_a_department(void **state) {
    (void)state;
    struct stand s = {.town = gate_town()};
    town_start(s.town);
    town_file(s.town, "samples.yaml",
              "samples: {debt: {type: plot.debt, purpose: permit, body: {nz: 1-2-3}}}\n");
    s.gate = gate_new(s.town, "feed: duty\ntests: {account: portal, samples: samples.yaml}\n");
    s.duty = gate_token(s.gate, "duty", SCOPE_ALL);
    gate_start(s.gate);
    const struct reply *r = CALL(s.gate, "/v1/samples", .token = s.duty);
    assert_string_equal(
        json_string_value(json_object_get(json_array_get(json_object_get(r->json, "rows"), 0), "department")),
        "treasury");
    assert_problem(CALL(s.gate, "/v1/departments/works/test", .token = s.duty,
                        .body = "{\"sample\":\"debt\",\"reason\":\"x\"}"),
                   422, "INVALID_FIELD");
    r = CALL(s.gate, "/v1/departments/treasury/test", .token = s.duty,
             .body = "{\"sample\":\"debt\",\"reason\":\"x\"}");
    assert_int_equal(r->status, 202);
    r = CALL(s.gate, reply_header(r, "Location"), .token = s.duty);
    assert_string_equal(reply_text(r, "requester"), "portal");
    assert_string_equal(reply_text(r, "case_id"), "test by duty");
}

/* --- Without an operator ----------------------------------------------------------------------- */

static void without_an_operator_some_things_cannot_be_had(void **state) {
    static const struct town_account accounts[] = {
        {.name = "portal", .door = REQUESTERS, .fields = "asks: [{types: all, purposes: all}], "},
        {.name = NULL},
    };
    (void)state;
    struct town_options options = {.accounts = accounts};
    struct town *town = town_new(&options);
    town_start(town);
    struct gate *gate = gate_new(town, NULL);
    const char *portal = gate_token(gate, "portal", SCOPE_ALL);
    gate_start(gate);
    assert_problem(CALL(gate, "/v1/events", .token = portal), 503, "NO_OPERATOR");
    assert_problem(CALL(gate, "/v1/inquiries", .token = portal), 503, "NO_OPERATOR");
    gate_submit(gate, portal, "k");
    const char *says;
    assert_int_equal(gate_check(gate, &says), 0);
    child_error_wait(gate->child, "no account of role operator: /metrics has nothing of the broker");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        GATE_CLAIM(an_operator_sees_all_and_a_requester_its_own),
        GATE_CLAIM(only_operators_read_reasons),
        GATE_CLAIM(a_reader_that_comes_back_misses_nothing),
        GATE_CLAIM(a_stream_ahead_of_the_follower_sees_nothing_before_its_place),
        GATE_CLAIM(a_stream_is_told_when_the_log_went_back_and_goes_on),
        GATE_CLAIM(a_place_that_the_log_does_not_reach_is_answered_with_a_reset),
        GATE_CLAIM(a_revoked_token_ends_its_stream),
        GATE_CLAIM(a_revoked_token_ends_a_stream_that_is_busy),
        GATE_CLAIM(an_expired_token_ends_its_stream),
        GATE_CLAIM(a_quiet_stream_is_kept_alive),
        GATE_CLAIM(nobody_follows_a_department_that_is_none),
        GATE_CLAIM(streams_have_a_limit),
        GATE_CLAIM(idle_streams_are_many_and_end_with_the_gateway),
        GATE_CLAIM(a_reader_that_does_not_read_is_ended),
        GATE_CLAIM(all_that_was_acknowledged_together_is_shown),
        GATE_CLAIM(a_reader_cut_among_rows_of_one_seq_loses_none),
        GATE_CLAIM(an_observer_sees_counts_and_nothing_of_a_person),
        GATE_CLAIM(only_an_administrator_sees_bodies),
        GATE_CLAIM(a_requester_finds_its_own_only),
        GATE_CLAIM(a_confidential_inquiry_is_for_its_requester_and_an_administrator),
        GATE_CLAIM(a_stream_leaves_out_what_is_confidential_for_whoever_reads_it),
        GATE_CLAIM(a_type_that_becomes_confidential_is_so_for_events_of_before),
        GATE_CLAIM(a_csv_that_is_not_whole_says_so),
        GATE_CLAIM(a_filter_is_judged_as_it_was_typed),
        GATE_CLAIM(a_csv_holds_no_formula_and_as_many_rows_as_were_asked_for),
        GATE_CLAIM(no_filter_of_a_requester_reaches_what_is_not_its_own),
        GATE_CLAIM(an_operator_names_an_inquiry_by_its_uuid_too),
        GATE_CLAIM(parked_inquiries_are_counted_and_put_back),
        GATE_CLAIM(an_operator_moves_pauses_and_resumes),
        GATE_CLAIM(a_sample_tries_a_department),
        GATE_CLAIM(without_an_operator_some_things_cannot_be_had),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
