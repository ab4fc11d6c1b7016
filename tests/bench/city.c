/* city.c - see city.h. One type, one department, 22 districts as in Tehran, so that work is routed as
 * it would be there. */
#include "city.h"

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

static const char city_yaml[] =
    "city: {id: bench, title: {fa: آزمون, en: Bench}}\n"
    "parcel: {parts: 7, district_part: 1, digits_max: 5,\n"
    "         districts: {first: 1, last: 22}, hierarchy: true, file_digits: 11}\n"
    "purposes: {permit: {title: {fa: پروانه, en: Permit}}}\n";

static const char departments_yaml[] = "departments:\n"
                                       "  owner: {title: {fa: مالک, en: Owner}}\n"
                                       "  answerer: {title: {fa: پاسخ‌ده, en: Answerer}}\n"
                                       "  operator: {title: {fa: گرداننده, en: Operator}}\n";

static const char types_yaml[] = "types:\n"
                                 "  " CITY_TYPE ":\n"
                                 "    title: {fa: بدهی, en: Debt}\n"
                                 "    owner: owner\n"
                                 "    answerer: answerer\n"
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

/* --- Files ----------------------------------------------------------------------------------------- */

static int accounts_write(const struct city *c, const struct stage *s) {
    FILE *file = stage_file_make(s, "accounts.yaml");
    if (!file)
        return -EST_IO;
    fprintf(file,
            "accounts:\n"
            "  portal: {role: requester, asks: [{types: all, purposes: all}], keys: [{public: \"%s\"}]}\n"
            "  answerer-agent: {role: department, department: answerer, keys: [{public: \"%s\"}]}\n"
            "  duty: {role: operator, keys: [{public: \"%s\"}]}\n",
            c->keys[CITY_REQUESTER].public_key, c->keys[CITY_AGENT].public_key,
            c->keys[CITY_OPERATOR].public_key);
    return stage_file_end(file, "accounts.yaml");
}

static int broker_yaml_write(const struct city *c, const struct stage *s) {
    FILE *file = stage_file_make(s, "broker.yaml");
    if (!file)
        return -EST_IO;
    fprintf(file,
            "catalogue: city\n"
            "accounts: accounts.yaml\n"
            "store: {directory: store, size_max: 64 GiB}\n"
            "security: %s\n"
            "%s"
            "listen: {requesters: \"tcp://127.0.0.1:0\", departments: \"tcp://127.0.0.1:0\", operators: "
            "\"tcp://127.0.0.1:0\"}\n",
            c->curve ? "curve" : "plain", c->curve ? "key: broker.key\n" : "");
    return stage_file_end(file, "broker.yaml");
}

static int key_file_write(const struct city *c, const struct stage *s) {
    mode_t before = umask(077);
    FILE *file = stage_file_make(s, "broker.key");
    umask(before);
    if (!file)
        return -EST_IO;
    fprintf(file, "public: \"%s\"\nsecret: \"%s\"\n", c->keys[CITY_BROKER].public_key,
            c->keys[CITY_BROKER].secret_key);
    return stage_file_end(file, "broker.key");
}

static int files_write(struct city *c, const struct stage *s) {
    for (int i = 0; i < CITY_KEYS; i++)
        if (zmq_curve_keypair(c->keys[i].public_key, c->keys[i].secret_key) != 0) {
            bench_say("this libzmq cannot make CURVE keys");
            return -EST_IO;
        }
    bool failed = stage_folder_make(s, "city") < 0 || stage_folder_make(s, "city/types") < 0 ||
                  stage_folder_make(s, "store") < 0 || stage_file_write(s, "city/city.yaml", city_yaml) < 0 ||
                  stage_file_write(s, "city/departments.yaml", departments_yaml) < 0 ||
                  stage_file_write(s, "city/types/bench.yaml", types_yaml) < 0 || accounts_write(c, s) < 0 ||
                  key_file_write(c, s) < 0 || broker_yaml_write(c, s) < 0;
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

static int doors_read(struct city *c, const struct stage *s, int fd) {
    static const char *const names[] = {"requesters", "departments", "operators"};
    int64_t until_us = bench_now_us() + CONNECT_MS * EST_US_PER_MS;
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
static int broker_start(struct city *c, struct stage *s) {
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

int city_open(struct city *c, struct stage *s) {
    *c = (struct city){.curve = s->plan->curve};
    int code = files_write(c, s);
    return code < 0 ? code : broker_start(c, s);
}

/* --- The players' side ----------------------------------------------------------------------------- */

est_options city_options(const struct city *c, enum city_account who) {
    static const char *const names[] = {"portal", "answerer-agent", "duty"};
    return (est_options){.endpoints = {c->endpoints[who]},
                         .server_key = c->curve ? c->keys[CITY_BROKER].public_key : NULL,
                         .public_key = c->keys[who].public_key,
                         .secret_key = c->keys[who].secret_key,
                         .account = names[who],
                         .software = "estelam-bench"};
}

static bool is_up(const struct part *part, struct link *link) {
    struct session_event event = {0};
    int64_t until_us = bench_now_us() + CONNECT_MS * EST_US_PER_MS;
    while (bench_now_us() < until_us)
        if (link_poll(link, 100, &event) == 1 && event.kind == SESSION_UP)
            return true;
    player_trouble(part, "no session", EST_TIMEOUT, event.text);
    return false;
}

struct link *city_begin(const struct part *part, enum city_account who, unsigned window) {
    est_options options = city_options(part->stage->own, who);
    struct link *link;
    options.window = window < EST_WINDOW_MAX ? window : EST_WINDOW_MAX;
    options.results = RESULTS_OWN;
    int code = link_open(&options, who == CITY_AGENT ? SESSION_AGENT : SESSION_CLIENT, NULL, NULL, &link);
    if (code < 0) {
        player_trouble(part, "no link", code, (est_slice){0});
        return NULL;
    }
    if (is_up(part, link) && player_await(part))
        return link;
    link_close(&link, 0);
    return NULL;
}
