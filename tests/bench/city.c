/* city.c - see city.h. 22 districts as in Tehran, so that work is routed as it would be there; one
 * type, or as many as the plan says, all of one department; a second department with one type, for
 * company.
 */
#include "city.h"
#include "flights.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <link.h>
#include <zmq.h>

/* Open at once beside what the plan's depth says: the broker's own default; and what a broker is given
 * to start for each of those. */
enum { INQUIRIES_MAX = 1000000, SERVING_EACH_US = 10 };

static const char city_yaml[] =
    "city: {id: bench, title: {fa: آزمون, en: Bench}}\n"
    "parcel: {parts: 7, district_part: 1, digits_max: 5,\n"
    "         districts: {first: 1, last: 22}, hierarchy: true, file_digits: 11}\n"
    "purposes: {permit: {title: {fa: پروانه, en: Permit}}}\n";

static const char departments_yaml[] = "departments:\n"
                                       "  owner: {title: {fa: مالک, en: Owner}}\n"
                                       "  answerer: {title: {fa: پاسخ‌ده, en: Answerer}}\n"
                                       "  second: {title: {fa: دوم, en: Second}}\n"
                                       "  operator: {title: {fa: گرداننده, en: Operator}}\n";

/* The name and the department are put in. */
static const char type_yaml[] = "  %s:\n"
                                "    title: {fa: بدهی, en: Debt}\n"
                                "    owner: owner\n"
                                "    answerer: %s\n"
                                "    operator: operator\n"
                                "    mode: automatic\n"
                                "    purposes: all\n"
                                "    target: 5 s\n"
                                "    expires: 30 d\n"
                                "    silence: escalate\n"
                                "    legal_basis: {title: made up, mark: P}\n"
                                "    outcomes: [positive]\n"
                                "    request:\n"
                                "      nz: {kind: nz}\n"
                                "      note: {kind: text, list: 40, max: 2000}\n"
                                "    reply:\n"
                                "      debt: {kind: rial}\n"
                                "      note: {kind: text, list: 40, max: 2000}\n";

/* --- Ids ------------------------------------------------------------------------------------------- */

static void big_endian(uint8_t *to, unsigned bytes, uint64_t value) {
    for (unsigned i = 0; i < bytes; i++)
        to[i] = (uint8_t)(value >> 8 * (bytes - 1 - i));
}

static uint32_t number_of(const uint8_t *from, unsigned bytes) {
    uint32_t value = 0;
    for (unsigned i = 0; i < bytes; i++)
        value = value << 8 | from[i];
    return value;
}

est_id city_id(const struct ticket *ticket, uint64_t ms) {
    est_id id;
    big_endian(id.bytes, 6, ms);
    big_endian(id.bytes + 6, 2, 0x7000 | ticket->requester);
    id.bytes[8] = 0x80;
    big_endian(id.bytes + 9, 4, ticket->counter);
    big_endian(id.bytes + 13, 3, ticket->flight);
    return id;
}

struct ticket city_ticket(const est_id *id) {
    return (struct ticket){.requester = number_of(id->bytes + 6, 2) & 0xfff,
                           .counter = number_of(id->bytes + 9, 4),
                           .flight = number_of(id->bytes + 13, 3)};
}

void city_type(unsigned nth, char ret[CITY_NAME_SIZE]) {
    snprintf(ret, CITY_NAME_SIZE, "bench.bedehi%u", nth);
}

/* --- Files ----------------------------------------------------------------------------------------- */

static int types_write(const struct stage *s) {
    FILE *file = stage_file_make(s, "city/types/bench.yaml");
    char name[CITY_NAME_SIZE];
    if (!file)
        return -EST_IO;
    fputs("types:\n", file);
    for (unsigned i = 0; i < plan_types(s->plan); i++) {
        city_type(i, name);
        fprintf(file, type_yaml, name, "answerer");
    }
    fprintf(file, type_yaml, CITY_SECOND_TYPE, "second");
    return stage_file_end(file, "city/types/bench.yaml");
}

static int accounts_write(const struct bench_city *c, const struct stage *s) {
    FILE *file = stage_file_make(s, "accounts.yaml");
    if (!file)
        return -EST_IO;
    fprintf(file,
            "accounts:\n"
            "  portal: {role: requester, asks: [{types: all, purposes: all}], keys: [{public: \"%s\"}]}\n"
            "  answerer-agent: {role: department, department: answerer, keys: [{public: \"%s\"}]}\n"
            "  second-agent: {role: department, department: second, keys: [{public: \"%s\"}]}\n"
            "  duty: {role: operator, keys: [{public: \"%s\"}]}\n"
            "  quiet: {role: requester, asks: [{types: all, purposes: all}], keys: [{public: \"%s\"}]}\n",
            c->keys[CITY_REQUESTER].public_key, c->keys[CITY_AGENT].public_key,
            c->keys[CITY_SECOND_AGENT].public_key, c->keys[CITY_OPERATOR].public_key,
            c->keys[CITY_QUIET].public_key);
    return stage_file_end(file, "accounts.yaml");
}

static int broker_yaml_write(const struct bench_city *c, const struct stage *s) {
    FILE *file = stage_file_make(s, "broker.yaml");
    if (!file)
        return -EST_IO;
    fprintf(file,
            "catalogue: city\n"
            "accounts: accounts.yaml\n"
            "store: {directory: \"%s\", size_max: 64 GiB}\n"
            "index: {enabled: %s}\n"
            "limits: {inquiries_max: %u}\n"
            "security: %s\n"
            "%s"
            "listen: {requesters: \"tcp://127.0.0.1:0\", departments: \"tcp://127.0.0.1:0\", operators: "
            "\"tcp://127.0.0.1:0\"}\n",
            s->plan->store ? s->plan->store : "store", s->plan->store ? "false" : "true",
            s->plan->depth + INQUIRIES_MAX, c->curve ? "curve" : "plain",
            c->curve ? "key: broker.key\n" : "");
    return stage_file_end(file, "broker.yaml");
}

static int key_file_write(const struct bench_city *c, const struct stage *s) {
    mode_t before = umask(077);
    FILE *file = stage_file_make(s, "broker.key");
    umask(before);
    if (!file)
        return -EST_IO;
    fprintf(file, "public: \"%s\"\nsecret: \"%s\"\n", c->keys[CITY_BROKER].public_key,
            c->keys[CITY_BROKER].secret_key);
    return stage_file_end(file, "broker.key");
}

int city_write(struct bench_city *c, const struct stage *s) {
    *c = (struct bench_city){.curve = s->plan->curve};
    for (int i = 0; i < CITY_KEYS; i++)
        if (zmq_curve_keypair(c->keys[i].public_key, c->keys[i].secret_key) != 0) {
            bench_say("this libzmq cannot make CURVE keys");
            return -EST_IO;
        }
    bool failed = stage_folder_make(s, "city") < 0 || stage_folder_make(s, "city/types") < 0 ||
                  stage_folder_make(s, "store") < 0 || stage_file_write(s, "city/city.yaml", city_yaml) < 0 ||
                  stage_file_write(s, "city/departments.yaml", departments_yaml) < 0 || types_write(s) < 0 ||
                  accounts_write(c, s) < 0 || key_file_write(c, s) < 0 || broker_yaml_write(c, s) < 0;
    return failed ? -EST_IO : 0;
}

/* --- The broker ------------------------------------------------------------------------------------ */

/* One byte at a time: there are three short lines, and nothing may be read past them. */
static bool line_read(int fd, int64_t until_us, char *ret, size_t size) {
    size_t used = 0;
    for (;;) {
        int64_t left_ms = (until_us - bench_now_us()) / 1000;
        struct pollfd in = {.fd = fd, .events = POLLIN};
        if (bench_stopped || left_ms <= 0 || poll(&in, 1, (int)left_ms) <= 0)
            return false;
        char c;
        if (read(fd, &c, 1) != 1)
            return false;
        if (c == '\n')
            break;
        if (used + 1 < size)
            ret[used++] = c;
    }
    ret[used] = 0;
    return true;
}

static int doors_read(struct bench_city *c, const struct stage *s, int fd) {
    static const char *const names[] = {"requesters", "departments", "operators"};
    int64_t until_us = bench_now_us() + CONNECT_MS * EST_US_PER_MS + s->plan->depth * SERVING_EACH_US;
    char line[256], door[32], endpoint[128];
    unsigned found = 0;
    while (found < CITY_DOORS && line_read(fd, until_us, line, sizeof line)) {
        if (sscanf(line, "listening %31s %127s", door, endpoint) != 2)
            continue;
        for (unsigned i = 0; i < CITY_DOORS; i++)
            if (strcmp(door, names[i]) == 0) {
                snprintf(c->endpoints[i], sizeof c->endpoints[i], "%s", endpoint);
                found++;
            }
    }
    if (found == CITY_DOORS)
        return 0;
    bench_say("the broker does not open its doors");
    stage_log_show(s);
    return -EST_UNREACHABLE;
}

/* By its whole path: the server is started in the stage's folder. */
static int broker_start(struct bench_city *c, struct stage *s) {
    char program[PATH_MAX];
    char *const arguments[] = {program, "--config", "broker.yaml", NULL};
    int out[2];
    if (!realpath(s->plan->broker, program)) {
        bench_say("%s: %s", s->plan->broker, strerror(errno));
        return -EST_IO;
    }
    if (pipe2(out, O_CLOEXEC) != 0) {
        bench_say("pipe: %s", strerror(errno));
        return -EST_IO;
    }
    int code = stage_server_start(s, arguments, out[1], NULL);
    close(out[1]);
    if (code == 0)
        code = doors_read(c, s, out[0]);
    close(out[0]);
    return code;
}

int city_open(struct bench_city *c, struct stage *s) {
    int code = city_write(c, s);
    int64_t from_us = bench_now_us();
    if (code == 0)
        code = broker_start(c, s);
    s->serving_s = (double)(bench_now_us() - from_us) / EST_US_PER_S;
    return code;
}

/* --- The players' side ----------------------------------------------------------------------------- */

est_options city_options(const struct bench_city *c, enum city_account who) {
    static const struct {
        const char *name;
        unsigned door;
    } accounts[CITY_ACCOUNTS] = {[CITY_REQUESTER] = {"portal", 0},
                                 [CITY_AGENT] = {"answerer-agent", 1},
                                 [CITY_OPERATOR] = {"duty", 2},
                                 [CITY_SECOND_AGENT] = {"second-agent", 1},
                                 [CITY_QUIET] = {"quiet", 0}};
    return (est_options){.endpoints = {c->endpoints[accounts[who].door]},
                         .server_key = c->curve ? c->keys[CITY_BROKER].public_key : NULL,
                         .public_key = c->keys[who].public_key,
                         .secret_key = c->keys[who].secret_key,
                         .account = accounts[who].name,
                         .software = "estelam-bench"};
}

bool city_is_up(const struct part *part, struct link *link) {
    struct session_event event = {0};
    int64_t until_us = bench_now_us() + CONNECT_MS * EST_US_PER_MS;
    while (bench_now_us() < until_us)
        if (link_poll(link, 100, &event) == 1 && event.kind == SESSION_UP)
            return true;
    player_trouble(part, "no session", EST_TIMEOUT, event.text);
    return false;
}

struct link *city_begin(const struct part *part, enum city_account who, unsigned window, unsigned results) {
    est_options options = city_options(part->stage->own, who);
    struct link *link;
    options.window = window < EST_WINDOW_MAX ? window : EST_WINDOW_MAX;
    options.results = results;
    int code = link_open(&options, who == CITY_AGENT ? SESSION_AGENT : SESSION_CLIENT, NULL, NULL, &link);
    if (code < 0) {
        player_trouble(part, "no link", code, (est_slice){0});
        return NULL;
    }
    if (city_is_up(part, link) && player_await(part))
        return link;
    link_close(&link, 0);
    return NULL;
}
