/* gateway.c - the same job over HTTP: our broker behind estelam-gateway, as a portal would use it.
 *
 * A requester keeps W keep-alive connections and has one `Prefer: wait` under way on each, so that a
 * flight is a POST and its 200 with the answer in it. The first requester starts the gateway as its own
 * child, and opens STREAMS event streams that stay idle, since a city has as many screens open; the other
 * requesters share that gateway.
 *
 * The HTTP client is a few lines of its own: libraries for that take more time for a request than the
 * gateway does, and it would be they that are measured.
 */
#include "city.h"
#include "flights.h"
#include "json.h"
#include "tokens.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern const struct system system_estelam, system_http;

enum { STREAMS = 2000, ANSWER_SIZE = 160 * 1024, HEAD_SIZE = 512, EVENTS_AT_ONCE = 256 };

/* One keep-alive connection: what goes out, what has come in. */
struct wire {
    int fd;
    struct ticket ticket;
    char *out;
    size_t out_size, out_sent;
    char *in;
    size_t in_size;
};

struct caller {
    const struct part *part;
    struct flights flights;
    pid_t gateway; /* 0: another requester's */
    unsigned port;
    int port_file;                     /* locked, shared, by whoever uses another's gateway */
    char tokens[2][TOKEN_SECRET_SIZE]; /* portal, quiet */
    char *bodies[DISTRICTS];           /* whole JSON of a submit */
    struct wire *wires;
    unsigned wires_count;
    int epoll;
    int streams[STREAMS];
};

/* --- The gateway and its files -------------------------------------------------------------------- */

static int key_write(const struct part *part, const char *name, enum city_account who) {
    const struct bench_city *city = part->stage->own;
    mode_t before = umask(077);
    FILE *file = stage_file_make(part->stage, name);
    umask(before);
    if (!file)
        return -EST_IO;
    fprintf(file, "public: \"%s\"\nsecret: \"%s\"\n", city->keys[who].public_key, city->keys[who].secret_key);
    return stage_file_end(file, name);
}

static int tokens_write(struct caller *c) {
    static const char *const accounts[] = {"portal", "quiet"};
    struct tokens tokens = {0};
    char path[STAGE_PATH_SIZE];
    for (int i = 0; i < 2; i++) {
        struct token token = {.scopes = SCOPE_ALL, .created = {EST_US_PER_S}};
        snprintf(token.account, sizeof token.account, "%s", accounts[i]);
        token_make(&token, c->tokens[i]);
        if (tokens_add(&tokens, &token))
            return -EST_NO_MEMORY;
    }
    stage_path(c->part->stage, "tokens.yaml", path);
    int code = tokens_save(path, &tokens);
    tokens_done(&tokens);
    return code ? code : stage_file_write(c->part->stage, "tokens.txt", c->tokens[0]);
}

static int gateway_yaml_write(const struct part *part) {
    const struct bench_city *city = part->stage->own;
    FILE *file = stage_file_make(part->stage, "gateway.yaml");
    if (!file)
        return -EST_IO;
    fprintf(file,
            "listen: \"127.0.0.1:0\"\ncatalogue: city\ntokens: tokens.yaml\nfeed: duty\n"
            "broker: {%s%s%srequesters: [\"%s\"], operators: [\"%s\"]}\n"
            "accounts:\n  portal: {role: requester, key: portal.key}\n  quiet: {role: requester, key: "
            "quiet.key}\n"
            "  duty: {role: operator, key: duty.key}\n"
            "limits: {connections: 100000, waiting: 100000, requests_per_second: 1000000, burst: 1000000}\n",
            city->curve ? "server_key: \"" : "", city->curve ? city->keys[CITY_BROKER].public_key : "",
            city->curve ? "\", " : "", city->endpoints[0], city->endpoints[2]);
    return stage_file_end(file, "gateway.yaml");
}

static int files_write(struct caller *c) {
    bool failed = key_write(c->part, "portal.key", CITY_REQUESTER) < 0 ||
                  key_write(c->part, "quiet.key", CITY_QUIET) < 0 ||
                  key_write(c->part, "duty.key", CITY_OPERATOR) < 0 || tokens_write(c) < 0 ||
                  gateway_yaml_write(c->part) < 0;
    return failed ? -EST_IO : 0;
}

/* Beside the broker's program. */
static void gateway_child(const struct part *part, int out) {
    char program[PATH_MAX], config[STAGE_PATH_SIZE], log[STAGE_PATH_SIZE];
    char *const arguments[] = {program, "--config", config, NULL};
    stage_path(part->stage, "gateway.yaml", config);
    stage_path(part->stage, "gateway.log", log);
    snprintf(program, sizeof program, "%s", part->plan->broker);
    char *slash = strrchr(program, '/');
    snprintf(slash ? slash + 1 : program, 32, "estelam-gateway");
    int err = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (dup2(out, 1) < 0 || err < 0 || dup2(err, 2) < 0)
        _exit(126);
    execv(program, arguments);
    _exit(127);
}

static int gateway_start(struct caller *c) {
    int out[2];
    char line[128];
    if (pipe2(out, O_CLOEXEC) != 0)
        return -EST_IO;
    c->gateway = fork();
    if (c->gateway == 0)
        gateway_child(c->part, out[1]);
    close(out[1]);
    FILE *said = fdopen(out[0], "r");
    bool good = c->gateway > 0 && said && fgets(line, sizeof line, said) && strrchr(line, ':');
    c->port = good ? (unsigned)atoi(strrchr(line, ':') + 1) : 0;
    if (said)
        fclose(said);
    snprintf(line, sizeof line, "%u", c->port);
    return c->port ? stage_file_write(c->part->stage, "port.new", line) : -EST_UNREACHABLE;
}

static bool text_read(const struct part *part, const char *name, char *ret, size_t size) {
    char path[STAGE_PATH_SIZE];
    stage_path(part->stage, name, path);
    FILE *file = fopen(path, "r");
    bool good = file && fgets(ret, (int)size, file);
    if (file)
        fclose(file);
    return good;
}

/* The gateway lives until nobody uses it any more: the first requester may be the first to have all its answers. */
static bool port_lock(struct caller *c, int how) {
    char path[STAGE_PATH_SIZE];
    stage_path(c->part->stage, "port", path);
    c->port_file = open(path, O_RDONLY | O_CLOEXEC);
    return c->port_file >= 0 && flock(c->port_file, how) == 0;
}

/* The first requester's file appears whole, by rename, when its gateway serves. */
static int gateway_find(struct caller *c) {
    char port[16];
    for (int64_t until = bench_now_us() + CONNECT_MS * EST_US_PER_MS; bench_now_us() < until;
         poll(NULL, 0, 10))
        if (text_read(c->part, "port", port, sizeof port) &&
            text_read(c->part, "tokens.txt", c->tokens[0], sizeof c->tokens[0])) {
            c->port = (unsigned)atoi(port);
            return port_lock(c, LOCK_SH) ? 0 : -EST_IO;
        }
    return -EST_TIMEOUT;
}

/* The table's CPU is of server, requesters and agents; the gateway's own is told beside it. */
static void gateway_end(struct caller *c) {
    struct rusage used;
    int status;
    if (c->gateway <= 0)
        return;
    port_lock(c, LOCK_EX);
    kill(c->gateway, SIGTERM);
    if (wait4(c->gateway, &status, 0, &used) != c->gateway || c->part->score->answered == 0)
        return;
    double seconds = (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
                     (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
    bench_say("the gateway: %.3f CPU s per 100,000 answers of its first requester, %ld MiB",
              seconds * 100000 / (double)c->part->score->answered, used.ru_maxrss / 1024);
}

/* --- Connections ---------------------------------------------------------------------------------- */

static int wire_connect(const struct caller *c) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)c->port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0) {
        if (fd >= 0)
            close(fd);
        return -1;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

/* A small question and the beginning of its answer, before the round. */
static bool ask(const struct caller *c, const char *path, const char *token, int *ret_fd, char *ret,
                size_t size) {
    char request[HEAD_SIZE];
    int fd = wire_connect(c);
    int length = snprintf(request, sizeof request,
                          "GET %s HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer %s\r\n\r\n", path, token);
    bool good = fd >= 0 && send(fd, request, (size_t)length, MSG_NOSIGNAL) == length;
    ssize_t got = good ? recv(fd, ret, size - 1, 0) : 0;
    ret[got > 0 ? got : 0] = '\0';
    *ret_fd = fd;
    return got > 0 && strncmp(ret, "HTTP/1.1 200", 12) == 0;
}

/* Until both accounts have their sessions. */
static int gateway_await(struct caller *c) {
    char answer[2048];
    for (int64_t until = bench_now_us() + CONNECT_MS * EST_US_PER_MS; bench_now_us() < until;
         poll(NULL, 0, 20)) {
        int fd, ready = 0;
        for (int i = 0; i < 2; i++) {
            ready += ask(c, "/v1/whoami", c->tokens[i], &fd, answer, sizeof answer) &&
                     strstr(answer, "\"connected\":true");
            if (fd >= 0)
                close(fd);
        }
        if (ready == 2)
            return 0;
    }
    return -EST_TIMEOUT;
}

/* Idle ones: their account asks nothing. */
static int streams_open(struct caller *c) {
    char answer[1024];
    for (int i = 0; i < STREAMS; i++)
        if (!ask(c, "/v1/events", c->tokens[1], &c->streams[i], answer, sizeof answer))
            return -EST_IO;
    return 0;
}

static int wires_open(struct caller *c) {
    c->wires_count = c->part->plan->window;
    c->wires = calloc(c->wires_count, sizeof *c->wires);
    c->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (!c->wires || c->epoll < 0)
        return -EST_NO_MEMORY;
    for (unsigned i = 0; i < c->wires_count; i++) {
        struct wire *w = &c->wires[i];
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = w};
        w->in = malloc(ANSWER_SIZE);
        w->out = malloc(ANSWER_SIZE);
        w->fd = wire_connect(c);
        if (!w->in || !w->out || w->fd < 0 || epoll_ctl(c->epoll, EPOLL_CTL_ADD, w->fd, &event) < 0)
            return -EST_IO;
    }
    return 0;
}

/* --- The job -------------------------------------------------------------------------------------- */

static int bodies_write(struct caller *c) {
    struct bodies bodies;
    char type[CITY_NAME_SIZE];
    if (bodies_make(&bodies, c->part->plan->body, false) < 0)
        return -EST_NO_MEMORY;
    city_type(0, type);
    for (int i = 0; i < DISTRICTS; i++) {
        json_t *json = json_pack("{s:s, s:s, s:o}", "type", type, "purpose", CITY_PURPOSE, "body",
                                 json_from_msgpack(buffer_slice(&bodies.at[i])));
        c->bodies[i] = json ? json_dumps(json, JSON_COMPACT) : NULL;
        json_decref(json);
        if (!c->bodies[i])
            return -EST_NO_MEMORY;
    }
    bodies_done(&bodies);
    return 0;
}

/* The ticket is in the id, and the id is the key. */
static int wire_send(struct caller *c, struct wire *w, const struct ticket *ticket, int64_t now_us) {
    struct timespec t;
    char key[EST_ID_TEXT_SIZE];
    const char *body = c->bodies[ticket->counter % DISTRICTS];
    clock_gettime(CLOCK_REALTIME_COARSE, &t);
    est_id id = city_id(ticket, (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000);
    est_id_format(&id, key);
    w->ticket = *ticket;
    w->in_size = 0;
    w->out_size =
        (size_t)snprintf(w->out, ANSWER_SIZE,
                         "POST /v1/inquiries HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer %s\r\n"
                         "Content-Type: application/json\r\nPrefer: wait=30\r\nIdempotency-Key: %s\r\n"
                         "Content-Length: %zu\r\n\r\n%s",
                         c->tokens[0], key, strlen(body), body);
    flight_depart(&c->flights, ticket, now_us);
    for (size_t sent = 0; sent < w->out_size;) { /* loopback takes it at once */
        ssize_t size = send(w->fd, w->out + sent, w->out_size - sent, MSG_NOSIGNAL);
        if (size <= 0)
            return player_failed(c->part, "sending", strerror(errno));
        sent += (size_t)size;
    }
    return 0;
}

/* The length of a whole answer, 0 while it is not whole. */
static size_t answer_size(struct wire *w) {
    w->in[w->in_size] = '\0';
    char *end = strstr(w->in, "\r\n\r\n"), *length = strstr(w->in, "Content-Length: ");
    if (!end || !length || length > end)
        return 0;
    size_t size = (size_t)(end + 4 - w->in) + strtoul(length + 16, NULL, 10);
    return w->in_size >= size ? size : 0;
}

static int answer_take(struct caller *c, struct wire *w, int64_t now_us) {
    struct flight *flight = flight_find(&c->flights, &w->ticket);
    if (strncmp(w->in, "HTTP/1.1 200", 12) != 0 || !strstr(w->in, "\"state\":\"answered\"")) {
        c->part->score->refused++;
        return player_failed(c->part, "not answered", strstr(w->in, "\r\n\r\n"));
    }
    c->part->score->accepted++;
    if (flight)
        flight->accepted = true;
    flight_land(&c->flights, &w->ticket, now_us);
    struct ticket next;
    return flight_next(&c->flights, now_us, &next) ? wire_send(c, w, &next, now_us) : 0;
}

static int wire_read(struct caller *c, struct wire *w) {
    ssize_t size = recv(w->fd, w->in + w->in_size, ANSWER_SIZE - 1 - w->in_size, MSG_DONTWAIT);
    if (size < 0 && errno == EAGAIN)
        return 0;
    if (size <= 0)
        return player_failed(c->part, "the connection was lost", size < 0 ? strerror(errno) : NULL);
    w->in_size += (size_t)size;
    return answer_size(w) ? answer_take(c, w, bench_now_us()) : 0;
}

static int fly(struct caller *c) {
    struct epoll_event events[EVENTS_AT_ONCE];
    int64_t now_us = bench_now_us();
    struct ticket ticket;
    for (unsigned i = 0; i < c->wires_count && flight_next(&c->flights, now_us, &ticket); i++)
        if (wire_send(c, &c->wires[i], &ticket, now_us))
            return 1;
    while (!flights_are_over(&c->flights, now_us)) {
        int count = epoll_wait(c->epoll, events, EVENTS_AT_ONCE, 100);
        for (int i = 0; i < count; i++)
            if (wire_read(c, events[i].data.ptr))
                return 1;
        now_us = bench_now_us();
        if (now_us > c->part->board->drain_us)
            return player_trouble(c->part, "answers are missing", EST_TIMEOUT, (est_slice){0});
    }
    return 0;
}

/* --- Its life ------------------------------------------------------------------------------------- */

static int begin(struct caller *c) {
    char from[STAGE_PATH_SIZE], to[STAGE_PATH_SIZE];
    if (c->part->index > 0)
        return gateway_find(c) || wires_open(c) ? -EST_UNREACHABLE : 0;
    if (files_write(c) || gateway_start(c) || gateway_await(c) || streams_open(c) || wires_open(c))
        return -EST_UNREACHABLE;
    stage_path(c->part->stage, "port.new", from);
    stage_path(c->part->stage, "port", to);
    return rename(from, to) ? -EST_IO : 0;
}

static void end(struct caller *c) {
    for (unsigned i = 0; i < c->wires_count && c->wires; i++) {
        if (c->wires[i].fd > 0)
            close(c->wires[i].fd);
        free(c->wires[i].in);
        free(c->wires[i].out);
    }
    for (int i = 0; i < STREAMS; i++)
        if (c->streams[i] > 0)
            close(c->streams[i]);
    gateway_end(c);
    free(c->wires);
    for (int i = 0; i < DISTRICTS; i++)
        free(c->bodies[i]);
    flights_done(&c->flights);
}

static int http_requester(const struct part *part) {
    static struct caller c;
    struct rlimit limit;
    c = (struct caller){.part = part};
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    int status = 1;
    if (sodium_init() < 0 || flights_make(&c.flights, part) < 0 || bodies_write(&c) < 0)
        player_trouble(part, "tables", EST_NO_MEMORY, (est_slice){0});
    else if (begin(&c))
        player_failed(part, "the gateway", "it does not serve; see gateway.log");
    else if (player_await(part))
        status = fly(&c);
    end(&c);
    return status;
}

static int http_open(struct stage *s) {
    return system_estelam.open(s);
}
static void http_close(struct stage *s) {
    system_estelam.close(s);
}
static int http_connect(struct stage *s) {
    return system_estelam.connect(s);
}
static void http_pass(struct stage *s, int ms) {
    system_estelam.pass(s, ms);
}
static int http_count(struct stage *s, struct counters *ret) {
    return system_estelam.count(s, ret);
}

const struct system system_http = {
    .name = "http",
    .durable =
        "Estelam behind its HTTP gateway: a flight is a POST with `Prefer: wait` and its 200; as durable as "
        "estelam. 2,000 idle event streams are open; CPU is without the gateway's",
    .curve = true,
    .limit = true, /* no peer, and no row that a promise is made of */
    .batches = true,
    .open = http_open,
    .close = http_close,
    .connect = http_connect,
    .pass = http_pass,
    .count = http_count,
    .requester = http_requester,
    .agent = agent_play,
};
