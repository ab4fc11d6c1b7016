/* gate.c - see gate.h. */
#include "gate.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <curl/curl.h>
#include <poll.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* --- What a test has open ---------------------------------------------------------------------- */

/* Each answer is one, and who waits for something asks as often as the machine lets it. */
static struct {
    void *thing;
    void (*end)(void *);
} *open_things;
static size_t open_count, open_room;

void gate_register(void *thing, void (*end)(void *)) {
    if (open_count == open_room) {
        open_room = open_room ? 2 * open_room : 1024;
        open_things = realloc(open_things, open_room * sizeof *open_things);
        assert_non_null(open_things);
    }
    open_things[open_count].thing = thing;
    open_things[open_count++].end = end;
}

int gate_teardown(void **state) {
    while (open_count) {
        open_count--;
        open_things[open_count].end(open_things[open_count].thing);
    }
    free(open_things);
    open_things = NULL;
    open_room = 0;
    return harness_teardown(state);
}

/* --- The gateway ------------------------------------------------------------------------------- */

struct town *gate_town(void) {
    static const struct town_account accounts[] = {
        {.name = "portal", .door = REQUESTERS, .fields = "asks: [{types: all, purposes: all}], "},
        {.name = "notary", .door = REQUESTERS, .fields = "asks: [{types: [plot.use], purposes: all}], "},
        {.name = "treasury-a", .door = DEPARTMENTS, .fields = "department: treasury, "},
        {.name = "works-a", .door = DEPARTMENTS, .fields = "department: works, "},
        {.name = "duty", .door = OPERATORS, .fields = ""},
        {.name = "watch", .door = OPERATORS, .fields = "level: observer, "},
        {.name = "chief", .door = OPERATORS, .fields = "level: administrator, "},
        {.name = NULL},
    };
    struct town_options options = {.accounts = accounts};
    return town_new(&options);
}

static void gate_free(void *arg) {
    struct gate *gate = arg;
    child_free(&gate->child);
    tokens_done(&gate->tokens);
    free(gate);
}

static void path_of(const struct gate *gate, const char *name, char ret[FOLDER_MAX + 64]) {
    snprintf(ret, FOLDER_MAX + 64, "%s/%s", gate->town->folder, name);
}

static void tokens_write(struct gate *gate) {
    char path[FOLDER_MAX + 64];
    path_of(gate, "tokens.yaml", path);
    assert_int_equal(tokens_save(path, &gate->tokens), 0);
}

struct gate *gate_new(struct town *town, const char *more) {
    assert_true(sodium_init() >= 0);
    struct gate *gate = calloc(1, sizeof *gate);
    assert_non_null(gate);
    gate->town = town;
    snprintf(gate->more, sizeof gate->more, "%s", more ? more : "");
    gate_register(gate, gate_free);
    tokens_write(gate);
    return gate;
}

const char *gate_token(struct gate *gate, const char *account, unsigned scopes) {
    struct token token = {.scopes = scopes, .created = {1700000000 * EST_US_PER_S}};
    assert_true(gate->secrets_count < GATE_TOKENS_MAX);
    char *secret = gate->secrets[gate->secrets_count++];
    snprintf(token.account, sizeof token.account, "%s", account);
    token_make(&token, secret);
    assert_int_equal(tokens_add(&gate->tokens, &token), 0);
    tokens_write(gate);
    return secret;
}

static struct token *token_of(struct gate *gate, const char *secret) {
    const struct token *token = tokens_find(&gate->tokens, (est_slice){secret, strlen(secret)});
    assert_non_null(token);
    return tokens_by_id(&gate->tokens, token->id);
}

void gate_revoke(struct gate *gate, const char *secret) {
    token_of(gate, secret)->revoked.us = 1700000001 * EST_US_PER_S;
    tokens_write(gate);
}

void gate_expire(struct gate *gate, const char *secret, int64_t in_ms) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    token_of(gate, secret)->expires.us =
        now.tv_sec * EST_US_PER_S + now.tv_nsec / 1000 + in_ms * EST_US_PER_MS;
    tokens_write(gate);
}

static void config_write(struct gate *gate) {
    struct town *town = gate->town;
    char text[16384];
    int used = snprintf(
        text, sizeof text,
        "listen: \"127.0.0.1:%u\"\ncatalogue: catalogue\ntokens: tokens.yaml\n"
        "broker: {server_key: \"%s\", requesters: [\"%s\"], operators: [\"%s\"]}\n%s\naccounts:\n",
        gate->listen, town->server.public_key, town->endpoints[REQUESTERS], town->endpoints[OPERATORS],
        gate->more);
    for (size_t i = 0; i < town->accounts_count; i++) {
        const struct town_account *a = &town->accounts[i];
        char name[128], key[160];
        if (a->door == DEPARTMENTS)
            continue;
        snprintf(name, sizeof name, "%s.key", a->name);
        snprintf(key, sizeof key, "public: \"%s\"\nsecret: \"%s\"\n", a->key.public_key, a->key.secret_key);
        town_file(town, name, key);
        used += snprintf(text + used, sizeof text - (size_t)used, "  %s: {role: %s, key: %s.key}\n", a->name,
                         a->door == REQUESTERS ? "requester" : "operator", a->name);
    }
    assert_true(used < (int)sizeof text);
    town_file(town, "gateway.yaml", text);
}

static void gate_spawn(struct gate *gate) {
    char path[FOLDER_MAX + 64];
    config_write(gate);
    path_of(gate, "gateway.yaml", path);
    child_free(&gate->child);
    gate->child = child_start((const char *const[]){GATEWAY_PROGRAM, "--config", path, NULL});
}

void gate_start(struct gate *gate) {
    gate_spawn(gate);
    const char *url = child_line(gate->child, "listening ");
    if (!url) {
        child_print(gate->child);
        fail_msg("the gateway did not start");
    }
    snprintf(gate->url, sizeof gate->url, "%s", url);
    gate->port = (unsigned)atoi(strrchr(gate->url, ':') + 1);
    for (size_t i = 0; i < gate->town->accounts_count; i++)
        if (gate->town->accounts[i].door != DEPARTMENTS && gate->town->broker)
            child_error_wait(gate->child, "connected to the broker");
}

int gate_start_fails(struct gate *gate) {
    gate_spawn(gate);
    assert_null(child_line(gate->child, "listening "));
    return child_wait(gate->child);
}

void gate_kill(struct gate *gate) {
    child_signal(gate->child, SIGKILL);
    child_wait(gate->child);
}

int gate_stop(struct gate *gate) {
    child_signal(gate->child, SIGTERM);
    return child_wait(gate->child);
}

int gate_check(struct gate *gate, const char **ret_says) {
    char path[FOLDER_MAX + 64];
    config_write(gate);
    path_of(gate, "gateway.yaml", path);
    child_free(&gate->child);
    gate->child = child_start((const char *const[]){GATEWAY_PROGRAM, "--config", path, "--check", NULL});
    *ret_says = child_line(gate->child, "");
    return child_wait(gate->child);
}

/* --- One call ---------------------------------------------------------------------------------- */

struct memory {
    char *data;
    size_t size;
};

static size_t memory_take(char *data, size_t size, size_t count, void *arg) {
    struct memory *m = arg;
    m->data = realloc(m->data, m->size + size * count + 1);
    assert_non_null(m->data);
    memcpy(m->data + m->size, data, size * count);
    m->size += size * count;
    m->data[m->size] = '\0';
    return size * count;
}

static void reply_free(void *arg) {
    struct reply *reply = arg;
    free(reply->headers);
    free(reply->body);
    json_decref(reply->json);
    free(reply);
}

static struct curl_slist *headers_of(const struct call *call) {
    struct curl_slist *list = NULL;
    char text[256];
    if (call->token) {
        snprintf(text, sizeof text, "Authorization: Bearer %s", call->token);
        list = curl_slist_append(list, text);
    }
    if (call->body && !call->plain_body)
        list = curl_slist_append(list, "Content-Type: application/json");
    for (size_t i = 0; i < CALL_HEADERS_MAX && call->headers[i]; i++)
        list = curl_slist_append(list, call->headers[i]);
    return curl_slist_append(list, "Expect:");
}

const struct reply *call_make(struct gate *gate, const char *path, const struct call *call) {
    struct reply *reply = calloc(1, sizeof *reply);
    struct memory head = {0}, body = {0};
    char url[2048], authority[FOLDER_MAX + 64];
    CURL *curl = curl_easy_init();
    struct curl_slist *headers = headers_of(call);
    assert_true(curl && reply);
    gate_register(reply, reply_free);
    snprintf(url, sizeof url, "%s%s", gate->url, path);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, call->timeout_ms ? call->timeout_ms : (long)WAIT_MS);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
    if (strncmp(gate->url, "https", 5) == 0) {
        path_of(gate, "tls.pem", authority);
        curl_easy_setopt(curl, CURLOPT_CAINFO, authority);
    }
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, reply->error);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, memory_take);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, &head);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, memory_take);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &body);
    if (call->body)
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, call->body);
    if (call->method && strcmp(call->method, "HEAD") == 0)
        curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    else if (call->method)
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, call->method);
    if (curl_easy_perform(curl) == CURLE_OK)
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &reply->status);
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    reply->headers = head.data ? head.data : strdup("");
    reply->body = body.data ? body.data : strdup("");
    reply->json = json_loads(reply->body, JSON_REJECT_DUPLICATES, NULL);
    return reply;
}

const char *reply_header(const struct reply *reply, const char *name) {
    static char value[1024];
    size_t size = strlen(name);
    for (const char *at = reply->headers; at; at = strstr(at, "\r\n"), at += at ? 2 : 0)
        if (strncasecmp(at, name, size) == 0 && at[size] == ':') {
            at += size + 1;
            at += strspn(at, " ");
            snprintf(value, sizeof value, "%.*s", (int)strcspn(at, "\r"), at);
            return value;
        }
    return NULL;
}

const char *reply_text(const struct reply *reply, const char *name) {
    const char *text = json_string_value(json_object_get(reply->json, name));
    return text ? text : "";
}

int64_t reply_int(const struct reply *reply, const char *name) {
    json_t *value = json_object_get(reply->json, name);
    return json_is_integer(value) ? json_integer_value(value) : -1;
}

void assert_problem(const struct reply *reply, long status, const char *code) {
    if (reply->status != status || strcmp(reply_text(reply, "code"), code) != 0)
        print_error("wanted %ld %s, got %ld: %s%s\n", status, code, reply->status, reply->body, reply->error);
    assert_int_equal(reply->status, status);
    assert_string_equal(reply_text(reply, "code"), code);
    assert_string_equal(reply_header(reply, "Content-Type"), "application/problem+json");
    assert_int_equal(reply_int(reply, "status"), status);
    char type[96];
    snprintf(type, sizeof type, "/v1/problems/%s", code);
    assert_string_equal(reply_text(reply, "type"), type);
    assert_true(*reply_text(reply, "title") && *reply_text(reply, "title_fa") && *reply_text(reply, "layer"));
    if (status == 503 || status == 429)
        assert_true(atoi(reply_header(reply, "Retry-After")) > 0);
}

/* --- Bytes ------------------------------------------------------------------------------------- */

int raw_connect(struct gate *gate) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)gate->port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

char *raw_say(struct gate *gate, const char *bytes, size_t size, int ms, bool *ret_closed) {
    int fd = raw_connect(gate);
    struct memory m = {0};
    char part[4096];
    memory_take(part, 0, 0, &m);
    *ret_closed = false;
    if (size && send(fd, bytes, size, MSG_NOSIGNAL) < 0)
        size = 0;
    for (int64_t until = now_ms() + ms; now_ms() < until && !*ret_closed;) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        if (poll(&p, 1, (int)(until - now_ms())) <= 0)
            continue;
        ssize_t got = recv(fd, part, sizeof part, 0);
        *ret_closed = got <= 0;
        if (got > 0)
            memory_take(part, 1, (size_t)got, &m);
    }
    close(fd);
    return m.data;
}

uint64_t gate_submit(struct gate *gate, const char *token, const char *key) {
    char header[320];
    snprintf(header, sizeof header, "Idempotency-Key: %s", key);
    const struct reply *reply =
        CALL(gate, "/v1/inquiries", .token = token, .headers = {header},
             .body = "{\"type\":\"plot.debt\",\"purpose\":\"permit\",\"body\":{\"nz\":\"1-2-3\"}}");
    if (reply->status != 202)
        print_error("wanted 202, got %ld: %s%s\n", reply->status, reply->body, reply->error);
    assert_int_equal(reply->status, 202);
    return (uint64_t)reply_int(reply, "number");
}
