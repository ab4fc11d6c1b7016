/* http.c - see http.h. */
#include "http.h"
#include "buckets.h"
#include "codec.h"
#include "guard.h"
#include "log.h"
#include "route.h"
#include "view.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    POOL_MIN = 32 * 1024, /* of a connection: headers, and what of the body is read at once */
    DISCARD_TIMES = 4,    /* a body too large is read on for so many times the limit, then cut */
    KEEPER_MS = 250,
    /* Connections that wait to be accepted: all of a city's screens come back at once. With 1,024, ten thousand that
     * came together lost two now and then; the system itself allows 4,096. */
    BACKLOG = 4096,
    ADDRESS_TEXT = 64,
};

/* What a connection is doing, and how long the keeper lets it:
 *
 *   opened -> RECEIVING -> WORKING -> SENDING -> IDLE -> RECEIVING …
 *             `request`      |        `request`  ^ `idle`
 *                            `----> STREAMING ---'
 *
 * It is IDLE no longer when the first line of the next request has come. */
enum doing { RECEIVING, WORKING, SENDING, STREAMING, IDLE };

struct connection {
    struct connection *next, *previous;
    int fd;
    enum doing doing;
    int64_t since_us;
};

struct http {
    struct gateway *gateway;
    struct MHD_Daemon *daemon;
    unsigned port;
    pthread_mutex_t lock; /* the connections */
    struct connection *first;
    size_t connections, working;
    pthread_t keeper;
    pthread_cond_t keeper_stop;
    bool keeper_runs, keeper_stopping;
    char *certificate, *key;
    _Atomic uint64_t answers[6];
};

/* --- Connections and their time ---------------------------------------------------------------- */

static void connection_turn(struct http *http, struct connection *c, enum doing doing) {
    if (!c)
        return;
    pthread_mutex_lock(&http->lock);
    if ((c->doing == WORKING) != (doing == WORKING))
        http->working += doing == WORKING ? 1 : (size_t)-1;
    c->doing = doing;
    c->since_us = gateway_ticks_us();
    pthread_mutex_unlock(&http->lock);
}

static struct connection *connection_of(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

static void connection_open(struct http *http, struct MHD_Connection *connection, void **socket_context) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct connection *c = calloc(1, sizeof *c);
    *socket_context = c;
    if (!c)
        return;
    c->fd = info ? info->connect_fd : -1;
    c->since_us = gateway_ticks_us();
    pthread_mutex_lock(&http->lock);
    c->next = http->first;
    if (c->next)
        c->next->previous = c;
    http->first = c;
    http->connections++;
    pthread_mutex_unlock(&http->lock);
}

static void connection_close(struct http *http, void **socket_context) {
    struct connection *c = *socket_context;
    if (!c)
        return;
    pthread_mutex_lock(&http->lock);
    *(c->previous ? &c->previous->next : &http->first) = c->next;
    if (c->next)
        c->next->previous = c->previous;
    http->connections--;
    if (c->doing == WORKING)
        http->working--;
    pthread_mutex_unlock(&http->lock);
    free(c);
    *socket_context = NULL;
}

static void connection_told(void *arg, struct MHD_Connection *connection, void **socket_context,
                            enum MHD_ConnectionNotificationCode code) {
    if (code == MHD_CONNECTION_NOTIFY_STARTED)
        connection_open(arg, connection, socket_context);
    else
        connection_close(arg, socket_context);
}

static bool connection_is_slow(const struct connection *c, const struct limits *limits, int64_t now) {
    int64_t allowed = c->doing == IDLE ? limits->idle : limits->request;
    return c->doing != WORKING && c->doing != STREAMING && now - c->since_us > allowed;
}

/* The library's own timeout is one of silence: a byte now and then would hold a connection for
 * ever. Shutting the socket down is safe here: it is closed only after it has left this list. */
static void slow_end(struct http *http) {
    const struct limits *limits = &http->gateway->config.limits;
    int64_t now = gateway_ticks_us();
    pthread_mutex_lock(&http->lock);
    for (struct connection *c = http->first; c; c = c->next)
        if (connection_is_slow(c, limits, now) && c->fd >= 0)
            shutdown(c->fd, SHUT_RDWR);
    pthread_mutex_unlock(&http->lock);
}

static void *keeper_run(void *arg) {
    struct http *http = arg;
    pthread_mutex_lock(&http->lock);
    while (!http->keeper_stopping) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += KEEPER_MS * 1000000L;
        until.tv_sec += until.tv_nsec / 1000000000L;
        until.tv_nsec %= 1000000000L;
        pthread_cond_timedwait(&http->keeper_stop, &http->lock, &until);
        pthread_mutex_unlock(&http->lock);
        slow_end(http);
        pthread_mutex_lock(&http->lock);
    }
    pthread_mutex_unlock(&http->lock);
    return NULL;
}

/* --- What headers may say ---------------------------------------------------------------------- */

static const char *const single[] = {"Authorization", "Content-Length",  "Content-Type",  "Expect",
                                     "Host",          "Idempotency-Key", "Last-Event-ID", "Transfer-Encoding",
                                     "traceparent"};
enum { SINGLE_COUNT = sizeof single / sizeof single[0] };

struct header_look {
    unsigned count[SINGLE_COUNT];
    const char *twice;
    bool misnamed;
};

/* RFC 9110, 5.6.2: a token. */
static bool is_token(const char *name) {
    const char *at = name;
    for (; *at; at++) {
        bool letter = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') || (*at >= '0' && *at <= '9');
        if (!letter && !strchr("!#$%&'*+-.^_`|~", *at))
            return false;
    }
    return at > name;
}

/* RFC 9110, 5.5: blanks around a value are none of it; the library leaves those behind it. It is cut where it stands,
 * in the connection's own memory. */
static void value_trim(const char *value) {
    size_t size = value ? strlen(value) : 0;
    while (size > 0 && (value[size - 1] == ' ' || value[size - 1] == '\t'))
        ((char *)(uintptr_t)value)[--size] = '\0';
}

static enum MHD_Result header_look_at(void *arg, enum MHD_ValueKind kind, const char *key,
                                      const char *value) {
    struct header_look *look = arg;
    (void)kind;
    value_trim(value);
    if (!is_token(key))
        look->misnamed = true;
    for (size_t i = 0; i < SINGLE_COUNT; i++)
        if (strcasecmp(key, single[i]) == 0 && ++look->count[i] > 1)
            look->twice = single[i];
    return MHD_YES;
}

/* Everything that would leave it open where this request ends: the connection ends with the answer. Such as
 * `Content-Length : 5`: the library takes the blank into the name, a proxy may not. */
static bool framing_is_good(struct request *r, const char *version) {
    struct header_look look = {{0}, NULL, false};
    MHD_get_connection_values(r->connection, MHD_HEADER_KIND, header_look_at, &look);
    const char *coding = request_header_get(r, MHD_HTTP_HEADER_TRANSFER_ENCODING);
    const char *length = request_header_get(r, MHD_HTTP_HEADER_CONTENT_LENGTH);
    uint64_t bytes;
    if (look.misnamed)
        request_problem(r, GW_INVALID_HEADER,
                        "a header's name is no name; no blank stands in it or before its colon");
    else if (look.twice)
        request_problem(r, GW_DUPLICATE_HEADER, "%s came twice", look.twice);
    else if (coding && length)
        request_problem(r, GW_INVALID_HEADER, "Content-Length and Transfer-Encoding exclude each other");
    else if (coding && strcasecmp(coding, "chunked") != 0)
        request_problem(r, GW_UNSUPPORTED_ENCODING, "Transfer-Encoding: only `chunked` is taken");
    else if (coding && strcmp(version, MHD_HTTP_VERSION_1_1) != 0)
        request_problem(r, GW_INVALID_HEADER, "Transfer-Encoding belongs to HTTP/1.1");
    else if (length && !view_uint_parse(length, INT64_MAX, &bytes))
        request_problem(r, GW_INVALID_HEADER, "Content-Length is no whole number");
    else
        return true;
    r->closing = true;
    return false;
}

static bool sizes_are_good(struct request *r) {
    const struct limits *limits = &r->gateway->config.limits;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    const char *length = request_header_get(r, MHD_HTTP_HEADER_CONTENT_LENGTH);
    uint64_t bytes = 0;
    if (info && info->header_size > (size_t)limits->header)
        request_problem(r, GW_HEADERS_TOO_LARGE, "the request line and headers may be %lld bytes",
                        (long long)limits->header);
    else if (length && view_uint_parse(length, INT64_MAX, &bytes) && bytes > (uint64_t)limits->body)
        request_problem(r, GW_BODY_TOO_LARGE, "the body may be %lld bytes", (long long)limits->body);
    else
        return true;
    r->closing = true;
    return false;
}

/* --- Rights ------------------------------------------------------------------------------------ */

static const char *bearer_of(struct request *r) {
    static const char scheme[] = "Bearer ";
    const char *value = request_header_get(r, MHD_HTTP_HEADER_AUTHORIZATION);
    if (!value || strncasecmp(value, scheme, sizeof scheme - 1) != 0)
        return NULL;
    value += sizeof scheme - 1;
    return value + strspn(value, " ");
}

static bool token_is_good(struct request *r) {
    struct pass pass;
    const char *secret = bearer_of(r);
    if (!secret) {
        request_problem(r, GW_UNAUTHENTICATED, "this path needs `Authorization: Bearer TOKEN`");
        return false;
    }
    int code = guard_pass(r->gateway->guard, secret, &pass);
    if (code) {
        if (pass.unserved[0])
            request_problem(r, -code,
                            "the token's account `%s` is not in gateway.yaml; ask the gateway's operator",
                            pass.unserved);
        else
            request_problem(r, -code, "%s", "");
        return false;
    }
    r->line = pass.line;
    r->scopes = pass.scopes;
    memcpy(r->token_id, pass.id, sizeof r->token_id);
    est_span retry;
    if (buckets_take(r->gateway->buckets, pass.account, &retry))
        return true;
    request_problem_later(r, GW_RATE_LIMITED, retry, "the account %s may send %lld requests a second",
                          line_account(r->line), (long long)r->gateway->config.limits.requests_per_second);
    return false;
}

static void scopes_name(unsigned bits, char *ret, size_t size) {
    size_t used = 0;
    ret[0] = '\0';
    for (unsigned bit = 1; bit && bit <= SCOPE_ALL && used < size; bit <<= 1)
        if (bits & bit)
            used += (size_t)snprintf(ret + used, size - used, "%s`%s`", used ? " or " : "", scope_name(bit));
}

/* The broker refuses by itself what a level may not do; what it would not be asked is refused here, by its
 * last word on the account. */
static bool level_is_good(struct request *r) {
    if (!r->route->level || line_role(r->line) != ROLE_OPERATOR_BIT)
        return true;
    unsigned level = line_level(r->line);
    if (level >= r->route->level)
        return true;
    if (level)
        request_problem(r, EST_NOT_ALLOWED, "the account's level is too low for this");
    else
        request_problem(r, EST_UNREACHABLE, "the account's level is not known yet");
    return false;
}

static bool rights_are_good(struct request *r) {
    const struct route *route = r->route;
    char names[160];
    if (route->scopes & ANYONE)
        return true;
    if (!token_is_good(r))
        return false;
    if (route->scopes && !(route->scopes & r->scopes)) {
        scopes_name(route->scopes, names, sizeof names);
        request_problem(r, GW_SCOPE_MISSING, "the token needs the scope %s", names);
        return false;
    }
    if (route->roles && !(route->roles & line_role(r->line))) {
        request_problem(r, EST_NOT_ALLOWED, "the token's account is %s, and this is for %s",
                        line_role(r->line) == ROLE_OPERATOR_BIT ? "an operator's" : "a requester's",
                        route->roles == ROLE_OPERATOR_BIT ? "operators" : "requesters");
        return false;
    }
    return level_is_good(r);
}

/* --- The body's type and the query's names ----------------------------------------------------- */

static bool coding_is_good(struct request *r) {
    const char *coding = request_header_get(r, MHD_HTTP_HEADER_CONTENT_ENCODING);
    if (!coding || strcasecmp(coding, "identity") == 0)
        return true;
    request_problem(r, GW_UNSUPPORTED_CONTENT_ENCODING, "Content-Encoding: only `identity` is taken");
    request_header(r, MHD_HTTP_HEADER_ACCEPT_ENCODING, "identity");
    return false;
}

static bool type_is_good(struct request *r) {
    static const char json[] = "application/json";
    const char *type = request_header_get(r, MHD_HTTP_HEADER_CONTENT_TYPE);
    if (!r->route->body)
        return true;
    if (!coding_is_good(r))
        return false;
    size_t size = sizeof json - 1;
    if (type && strncasecmp(type, json, size) == 0 && strchr("; \t", type[size]) /* or its end */)
        return true;
    request_problem(r, GW_UNSUPPORTED_MEDIA_TYPE, "this path takes application/json");
    return false;
}

struct query_look {
    const char *allowed;
    struct request *request;
    const char *seen[16];
    size_t count;
};

/* It goes on by the words of ours, so it ends whatever the other one is: that came over the wire, and may be
 * empty or hold the very blank that stands between ours. */
static bool word_is_among(const char *word, const char *words) {
    size_t size = strlen(word);
    while (words && *words) {
        size_t own = strcspn(words, " ");
        if (own == size && memcmp(words, word, size) == 0)
            return true;
        words += own + strspn(words + own, " ");
    }
    return false;
}

static enum MHD_Result query_look_at(void *arg, enum MHD_ValueKind kind, const char *key, const char *value) {
    struct query_look *look = arg;
    (void)kind;
    if (!*key && !value) /* `?&`, `a=1&&b=2`: nothing stands between the two */
        return MHD_YES;
    bool twice = look->count == sizeof look->seen / sizeof look->seen[0];
    for (size_t i = 0; i < look->count && !twice; i++)
        twice = strcmp(look->seen[i], key) == 0;
    if (twice)
        request_problem(look->request, GW_INVALID_QUERY, "a parameter stands there twice");
    else if (!word_is_among(key, look->allowed))
        request_problem(look->request, GW_INVALID_QUERY, "this path takes %s%s",
                        look->allowed ? "only these parameters: " : "no parameters",
                        look->allowed ? look->allowed : "");
    else if (!value && strcmp(key, "verbose") != 0)
        request_problem(look->request, GW_INVALID_QUERY, "%s: has no value", key);
    else if (value && !utf8_is_valid(slice_of(value)))
        request_problem(look->request, GW_INVALID_QUERY, "%s: is not UTF-8, or holds a zero character", key);
    else
        look->seen[look->count++] = key;
    return look->request->response ? MHD_NO : MHD_YES;
}

static bool query_is_good(struct request *r) {
    struct query_look look = {.allowed = r->route->query, .request = r};
    if (r->route->handle != handle_static)
        MHD_get_connection_values(r->connection, MHD_GET_ARGUMENT_KIND, query_look_at, &look);
    return !r->response;
}

static bool route_is_good(struct request *r, const char *method) {
    char allow[64];
    /* Nothing has a name that is no text. */
    enum route_found found = utf8_is_valid(slice_of(r->url)) ? route_find(r, method, allow) : ROUTE_NONE;
    if (found == ROUTE_FOUND)
        return true;
    if (found == ROUTE_OTHER_METHOD && strcmp(method, MHD_HTTP_METHOD_OPTIONS) == 0)
        request_empty(r, MHD_HTTP_NO_CONTENT);
    else if (found == ROUTE_OTHER_METHOD)
        request_problem(r, GW_METHOD_NOT_ALLOWED, "this path has %s", allow);
    else
        request_problem(r, GW_NO_SUCH_PATH, "%s", "");
    if (found == ROUTE_OTHER_METHOD)
        request_header(r, MHD_HTTP_HEADER_ALLOW, allow);
    return false;
}

/* --- The life of a request --------------------------------------------------------------------- */

static void request_begin(struct request *r, const char *method, const char *version) {
    if (!framing_is_good(r, version) || !sizes_are_good(r))
        return;
    if (route_is_good(r, method) && rights_are_good(r) && type_is_good(r) && query_is_good(r) &&
        atomic_load(&r->gateway->stopping))
        request_problem(r, GW_GATEWAY_STOPPING, "%s", "");
}

static void security_headers(struct request *r) {
    request_header(r, "X-Content-Type-Options", "nosniff");
    if (r->closing || atomic_load(&r->gateway->stopping))
        request_header(r, MHD_HTTP_HEADER_CONNECTION, "close");
}

static enum MHD_Result request_answer(struct request *r) {
    struct http *http = r->gateway->http;
    security_headers(r);
    connection_turn(http, r->peer, r->streaming ? STREAMING : SENDING);
    atomic_fetch_add(&http->answers[r->status / 100 % 6], 1);
    return MHD_queue_response(r->connection, r->status, r->response);
}

static bool body_take(struct request *r, const char *data, size_t size) {
    size_t limit = (size_t)r->gateway->config.limits.body;
    r->body_size += size;
    if (r->body_size > limit)
        r->body_too_large = true;
    if (r->body_too_large || r->response)
        return r->body_size <= limit * DISCARD_TIMES;
    if (r->body_size > r->body_room) {
        size_t room = r->body_room ? r->body_room * 2 : 1024;
        while (room < r->body_size)
            room *= 2;
        char *grown = realloc(r->body, room);
        if (!grown)
            return false;
        r->body = grown;
        r->body_room = room;
    }
    memcpy(r->body + r->body_size - size, data, size);
    return true;
}

static void request_handle(struct request *r) {
    r->begun = true;
    connection_turn(r->gateway->http, r->peer, WORKING);
    if (r->body_too_large)
        request_problem(r, GW_BODY_TOO_LARGE, "the body may be %lld bytes",
                        (long long)r->gateway->config.limits.body);
    else if (!r->response)
        r->route->handle(r);
}

/* RFC 9112, 3.2.2: a server takes `GET http://host/path` too; who we are is not for the request to say. */
static const char *path_of(const char *url) {
    size_t scheme = strncasecmp(url, "http://", 7) == 0 ? 7 : strncasecmp(url, "https://", 8) == 0 ? 8 : 0;
    const char *path = scheme ? strchr(url + scheme, '/') : url;
    return path ? path : "/";
}

static struct request *request_new(struct http *http, struct MHD_Connection *connection, const char *url,
                                   const char *method) {
    struct request *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->gateway = http->gateway;
    r->connection = connection;
    r->peer = connection_of(connection);
    r->url = path_of(url);
    r->is_head = strcmp(method, MHD_HTTP_METHOD_HEAD) == 0;
    return r;
}

/* A request's first line has come. The first request of a connection has its time since that was opened.
 * Nobody else changes what this connection is doing, so it is read without the lock. */
static void *on_line(void *arg, const char *line, struct MHD_Connection *connection) {
    struct connection *c = connection_of(connection);
    (void)line;
    if (c && c->doing == IDLE)
        connection_turn(arg, c, RECEIVING);
    return NULL; /* on_request's context: there is none yet */
}

/* An error found in the headers waits for the rest of a body that is not too large: whoever is still
 * sending would not read an answer, and would lose the connection. */
static bool answers_at_once(const struct request *r) {
    return r->response && (r->closing || request_header_get(r, MHD_HTTP_HEADER_EXPECT));
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_size, void **context) {
    struct http *http = arg;
    struct request *r = *context;
    if (!r) {
        r = *context = request_new(http, connection, url, method);
        if (!r)
            return MHD_NO;
        request_begin(r, method, version);
        return answers_at_once(r) ? request_answer(r) : MHD_YES;
    }
    if (*upload_size) {
        size_t size = *upload_size;
        *upload_size = 0;
        return body_take(r, upload, size) ? MHD_YES : MHD_NO;
    }
    if (!r->begun) {
        request_handle(r);
        /* Another thread may be at its answer by now: it is looked at when the request is resumed. */
        if (r->parked)
            return MHD_YES;
    }
    return request_answer(r);
}

static void on_completed(void *arg, struct MHD_Connection *connection, void **context,
                         enum MHD_RequestTerminationCode how) {
    struct http *http = arg;
    struct request *r = *context;
    (void)connection;
    (void)how;
    if (!r)
        return;
    connection_turn(http, r->peer, IDLE);
    if (r->response)
        MHD_destroy_response(r->response);
    if (r->work_free)
        r->work_free(r->work);
    json_decref(r->json);
    free(r->body);
    free(r);
    *context = NULL;
}

static void on_log(void *arg, const char *format, va_list list) {
    char text[512];
    (void)arg;
    vsnprintf(text, sizeof text, format, list);
    text[strcspn(text, "\n")] = '\0';
    log_line(LOG_LEVEL_INFO, "http: %s", text);
}

/* %00 would end a path or a value for us where it goes on for whoever looks at the log: what comes out
 * stands in no UTF-8, so that path and query are refused. */
static size_t on_escape(void *arg, struct MHD_Connection *connection, char *text) {
    size_t size = MHD_http_unescape(text);
    (void)arg;
    (void)connection;
    for (size_t i = 0; i < size; i++)
        if (!text[i])
            text[i] = '\xff';
    return size;
}

/* --- Starting and stopping --------------------------------------------------------------------- */

static char *file_text(const char *path) {
    FILE *file = fopen(path, "r");
    char *text = NULL;
    size_t size = 0, got;
    if (!file)
        return NULL;
    do {
        char *grown = realloc(text, size + 4097);
        if (!grown)
            break;
        text = grown;
        got = fread(text + size, 1, 4096, file);
        size += got;
        text[size] = '\0';
    } while (got && size < 1024 * 1024);
    fclose(file);
    return text;
}

static bool address_of(const struct config *c, struct sockaddr_storage *ret, bool *ret_v6) {
    struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM}, *found;
    char port[8];
    snprintf(port, sizeof port, "%u", c->port % 65536);
    int error = getaddrinfo(c->host, port, &hints, &found);
    if (error) {
        log_line(LOG_LEVEL_ERROR, "listen: %s: %s", c->host, gai_strerror(error));
        return false;
    }
    memcpy(ret, found->ai_addr, found->ai_addrlen);
    *ret_v6 = found->ai_family == AF_INET6;
    freeaddrinfo(found);
    return true;
}

static bool tls_read(struct http *http, const struct config *c) {
    if (!c->tls_certificate)
        return true;
    http->certificate = file_text(c->tls_certificate);
    http->key = file_text(c->tls_key);
    if (http->certificate && http->key)
        return true;
    log_line(LOG_LEVEL_ERROR, "tls: %s: %s", http->certificate ? c->tls_key : c->tls_certificate,
             strerror(errno));
    return false;
}

/* The library clears the whole of it between two requests, so it is no larger than it must be: twice the
 * headers, so that those a little too large are answered by us, as a problem. */
static int64_t pool_size(const struct limits *limits) {
    return limits->header * 2 > POOL_MIN ? limits->header * 2 : POOL_MIN;
}

/* The library's option for reusing an address stays away: it is SO_REUSEPORT, with which two gateways would
 * share a port and each get half of the connections. Without it the library sets SO_REUSEADDR, which is what
 * a quick restart needs. */
static struct MHD_Daemon *daemon_start(struct http *http, const struct config *c,
                                       struct sockaddr_storage *address, bool v6) {
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG |
                     (v6 ? MHD_USE_IPv6 : 0) | (http->certificate ? MHD_USE_TLS : 0);
    struct MHD_OptionItem options[24];
    size_t n = 0;
#define OPTION(name, value, pointer)                                                                         \
    options[n++] = (struct MHD_OptionItem) {                                                                 \
        name, (intptr_t)(value), pointer                                                                     \
    }
    if (c->threads > 1)
        OPTION(MHD_OPTION_THREAD_POOL_SIZE, c->threads, NULL);
    OPTION(MHD_OPTION_CONNECTION_LIMIT, c->limits.connections, NULL);
    OPTION(MHD_OPTION_PER_IP_CONNECTION_LIMIT, c->limits.connections_per_address, NULL);
    OPTION(MHD_OPTION_CONNECTION_MEMORY_LIMIT, pool_size(&c->limits), NULL);
    OPTION(MHD_OPTION_CONNECTION_TIMEOUT, (c->limits.idle + EST_US_PER_S - 1) / EST_US_PER_S, NULL);
    OPTION(MHD_OPTION_LISTEN_BACKLOG_SIZE, BACKLOG, NULL);
    OPTION(MHD_OPTION_STRICT_FOR_CLIENT, 1, NULL);
    if (http->certificate) {
        OPTION(MHD_OPTION_HTTPS_MEM_CERT, 0, http->certificate);
        OPTION(MHD_OPTION_HTTPS_MEM_KEY, 0, http->key);
        OPTION(MHD_OPTION_HTTPS_PRIORITIES, 0, "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2");
    }
    OPTION(MHD_OPTION_END, 0, NULL);
#undef OPTION
    return MHD_start_daemon(flags, 0, NULL, NULL, on_request, http, MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL,
                            MHD_OPTION_UNESCAPE_CALLBACK, on_escape, NULL, MHD_OPTION_SOCK_ADDR, address,
                            MHD_OPTION_URI_LOG_CALLBACK, on_line, http, MHD_OPTION_NOTIFY_COMPLETED,
                            on_completed, http, MHD_OPTION_NOTIFY_CONNECTION, connection_told, http,
                            MHD_OPTION_ARRAY, options, MHD_OPTION_END);
}

static void listen_complain(const struct config *c, int error) {
    if (error == EADDRINUSE)
        log_line(LOG_LEVEL_ERROR,
                 "cannot listen on %s, port %u: address already in use; does another gateway run? "
                 "`ss -ltnp` shows who has it; stop that, or set another `listen` in gateway.yaml",
                 c->host, c->port);
    else
        log_line(LOG_LEVEL_ERROR, "cannot listen on %s, port %u%s%s: may this user, is the certificate good?",
                 c->host, c->port, error ? ": " : "", error ? strerror(error) : "");
}

int http_start(struct gateway *gateway) {
    struct sockaddr_storage address;
    bool v6;
    struct http *http = gateway->http = calloc(1, sizeof *http);
    if (!http)
        return -EST_NO_MEMORY;
    http->gateway = gateway;
    pthread_mutex_init(&http->lock, NULL);
    pthread_cond_init(&http->keeper_stop, NULL);
    if (!address_of(&gateway->config, &address, &v6) || !tls_read(http, &gateway->config))
        return -EST_IO;
    errno = 0;
    http->daemon = daemon_start(http, &gateway->config, &address, v6);
    if (!http->daemon) {
        listen_complain(&gateway->config, errno);
        return -EST_IO;
    }
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_BIND_PORT);
    http->port = info ? info->port : gateway->config.port;
    http->keeper_runs = pthread_create(&http->keeper, NULL, keeper_run, http) == 0;
    return http->keeper_runs ? 0 : -EST_IO;
}

unsigned http_port(const struct gateway *gateway) {
    return gateway->http->port;
}

void http_drain(struct gateway *gateway) {
    struct http *http = gateway->http;
    atomic_store(&gateway->stopping, true);
    MHD_socket listener = MHD_quiesce_daemon(http->daemon);
    if (listener != MHD_INVALID_SOCKET)
        close(listener);
    int64_t until = gateway_ticks_us() + gateway->config.limits.drain;
    size_t working = 1;
    while (working && gateway_ticks_us() < until) {
        struct timespec pause = {0, 10 * 1000000};
        pthread_mutex_lock(&http->lock);
        working = http->working;
        for (struct connection *c = http->first; c; c = c->next)
            working += c->doing == SENDING;
        pthread_mutex_unlock(&http->lock);
        if (working)
            nanosleep(&pause, NULL);
    }
}

void http_stop(struct gateway *gateway) {
    struct http *http = gateway->http;
    if (!http)
        return;
    if (http->keeper_runs) {
        pthread_mutex_lock(&http->lock);
        http->keeper_stopping = true;
        pthread_cond_signal(&http->keeper_stop);
        pthread_mutex_unlock(&http->lock);
        pthread_join(http->keeper, NULL);
    }
    if (http->daemon)
        MHD_stop_daemon(http->daemon);
    free(http->certificate);
    free(http->key);
    pthread_mutex_destroy(&http->lock);
    pthread_cond_destroy(&http->keeper_stop);
    free(http);
    gateway->http = NULL;
}

void http_figures(const struct gateway *gateway, struct http_figures *ret) {
    struct http *http = gateway->http;
    for (size_t i = 0; i < 6; i++)
        ret->answers[i] = atomic_load(&http->answers[i]);
    pthread_mutex_lock(&http->lock);
    ret->connections = http->connections;
    pthread_mutex_unlock(&http->lock);
}
