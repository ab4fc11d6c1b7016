/* stage.c - see stage.h. The city is made up: one type, one department, 22 districts as in Tehran,
 * so that work is routed as it would be there. */
#include "stage.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
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
                                 "  " STAGE_TYPE ":\n"
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

static FILE *file_make(const struct stage *s, const char *name) {
    char path[STAGE_PATH_SIZE + 64];
    snprintf(path, sizeof path, "%s/%s", s->directory, name);
    FILE *file = fopen(path, "w");
    if (!file)
        bench_say("%s: %s", path, strerror(errno));
    return file;
}

static int file_end(FILE *file, const char *name) {
    bool failed = ferror(file) != 0;
    if (fclose(file) == 0 && !failed)
        return 0;
    bench_say("%s: %s", name, strerror(errno));
    return -EST_IO;
}

static int file_write(const struct stage *s, const char *name, const char *text) {
    FILE *file = file_make(s, name);
    if (!file)
        return -EST_IO;
    fputs(text, file);
    return file_end(file, name);
}

static int folder_make(const struct stage *s, const char *name) {
    char path[STAGE_PATH_SIZE + 64];
    snprintf(path, sizeof path, "%s/%s", s->directory, name);
    if (mkdir(path, 0700) == 0)
        return 0;
    bench_say("%s: %s", path, strerror(errno));
    return -EST_IO;
}

static int accounts_write(const struct stage *s) {
    FILE *file = file_make(s, "accounts.yaml");
    if (!file)
        return -EST_IO;
    fprintf(file,
            "accounts:\n"
            "  portal: {role: requester, asks: [{types: all, purposes: all}], keys: [{public: \"%s\"}]}\n"
            "  answerer-agent: {role: department, department: answerer, keys: [{public: \"%s\"}]}\n"
            "  duty: {role: operator, keys: [{public: \"%s\"}]}\n",
            s->keys[STAGE_REQUESTER].public_key, s->keys[STAGE_AGENT].public_key,
            s->keys[STAGE_OPERATOR].public_key);
    return file_end(file, "accounts.yaml");
}

static int broker_yaml_write(const struct stage *s) {
    FILE *file = file_make(s, "broker.yaml");
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
            s->curve ? "curve" : "plain", s->curve ? "key: broker.key\n" : "");
    return file_end(file, "broker.yaml");
}

static int key_file_write(const struct stage *s) {
    mode_t before = umask(077);
    FILE *file = file_make(s, "broker.key");
    umask(before);
    if (!file)
        return -EST_IO;
    fprintf(file, "public: \"%s\"\nsecret: \"%s\"\n", s->keys[STAGE_BROKER].public_key,
            s->keys[STAGE_BROKER].secret_key);
    return file_end(file, "broker.key");
}

static int files_write(struct stage *s) {
    for (int i = 0; i < STAGE_KEYS; i++)
        if (zmq_curve_keypair(s->keys[i].public_key, s->keys[i].secret_key) != 0) {
            bench_say("this libzmq cannot make CURVE keys");
            return -EST_IO;
        }
    bool failed = folder_make(s, "city") < 0 || folder_make(s, "city/types") < 0 ||
                  folder_make(s, "store") < 0 || file_write(s, "city/city.yaml", city_yaml) < 0 ||
                  file_write(s, "city/departments.yaml", departments_yaml) < 0 ||
                  file_write(s, "city/types/bench.yaml", types_yaml) < 0 || accounts_write(s) < 0 ||
                  key_file_write(s) < 0 || broker_yaml_write(s) < 0;
    return failed ? -EST_IO : 0;
}

/* --- The broker ------------------------------------------------------------------------------------ */

static void log_show(const struct stage *s) {
    char path[STAGE_PATH_SIZE + 64], line[512];
    snprintf(path, sizeof path, "%s/broker.log", s->directory);
    FILE *file = fopen(path, "r");
    while (file && fgets(line, sizeof line, file))
        fprintf(stderr, "  broker: %s", line);
    if (file)
        fclose(file);
}

/* In the child: never returns. */
static void broker_exec(const struct stage *s, const char *program, int out) {
    char config[STAGE_PATH_SIZE + 64], log[STAGE_PATH_SIZE + 64];
    snprintf(config, sizeof config, "%s/broker.yaml", s->directory);
    snprintf(log, sizeof log, "%s/broker.log", s->directory);
    int err = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(out, STDOUT_FILENO);
    if (err >= 0)
        dup2(err, STDERR_FILENO);
    execl(program, program, "--config", config, (char *)NULL);
    fprintf(stderr, "%s: %s\n", program, strerror(errno));
    _exit(127);
}

/* One byte at a time: there are three short lines, and nothing may be read past them. */
static bool line_read(int fd, int64_t until_us, char *ret, size_t size) {
    size_t used = 0;
    for (;;) {
        int64_t left_ms = (until_us - link_now().us) / 1000;
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

static int doors_read(struct stage *s, int fd) {
    static const char *const names[] = {"requesters", "departments", "operators"};
    int64_t until_us = link_now().us + CONNECT_MS * EST_US_PER_MS;
    char line[256], door[32], endpoint[128];
    unsigned found = 0;
    while (found < STAGE_DOORS && line_read(fd, until_us, line, sizeof line)) {
        if (sscanf(line, "listening %31s %127s", door, endpoint) != 2)
            continue;
        for (unsigned i = 0; i < STAGE_DOORS; i++)
            if (strcmp(door, names[i]) == 0) {
                snprintf(s->endpoints[i], sizeof s->endpoints[i], "%s", endpoint);
                found++;
            }
    }
    if (found == STAGE_DOORS)
        return 0;
    bench_say("the broker does not open its doors");
    log_show(s);
    return -EST_UNREACHABLE;
}

static int broker_start(struct stage *s, const char *program) {
    int out[2];
    if (pipe2(out, O_CLOEXEC) != 0) {
        bench_say("pipe: %s", strerror(errno));
        return -EST_IO;
    }
    s->broker = fork();
    if (s->broker == 0)
        broker_exec(s, program, out[1]);
    close(out[1]);
    int code = s->broker > 0 ? doors_read(s, out[0]) : -EST_IO;
    close(out[0]);
    return code;
}

int stage_open(struct stage *s, const struct plan *plan) {
    *s = (struct stage){.curve = plan->curve};
    snprintf(s->directory, sizeof s->directory, "%s/estelam-bench-XXXXXX", plan->directory);
    if (!mkdtemp(s->directory)) {
        bench_say("%s: %s", s->directory, strerror(errno));
        s->directory[0] = 0;
        return -EST_IO;
    }
    int code = files_write(s);
    return code < 0 ? code : broker_start(s, plan->broker);
}

/* --- Closing --------------------------------------------------------------------------------------- */

static int file_remove(const char *path, const struct stat *status, int kind, struct FTW *where) {
    (void)status, (void)kind, (void)where;
    return remove(path);
}

bool stage_is_dead(const struct stage *s) {
    siginfo_t info = {0};
    return waitid(P_PID, (id_t)s->broker, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid != 0;
}

int stage_close(struct stage *s) {
    int code = 0, status = 0;
    if (s->broker > 0) {
        kill(s->broker, SIGTERM);
        while (waitpid(s->broker, &status, 0) < 0 && errno == EINTR)
            continue;
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
            bench_say("the broker ended with status %#x", (unsigned)status);
            log_show(s);
            code = -EST_IO;
        }
    }
    if (s->directory[0])
        nftw(s->directory, file_remove, 8, FTW_DEPTH | FTW_PHYS);
    *s = (struct stage){0};
    return code;
}

est_options stage_options(const struct stage *s, enum stage_account who) {
    static const char *const names[] = {"portal", "answerer-agent", "duty"};
    return (est_options){.endpoints = {s->endpoints[who]},
                         .server_key = s->curve ? s->keys[STAGE_BROKER].public_key : NULL,
                         .public_key = s->keys[who].public_key,
                         .secret_key = s->keys[who].secret_key,
                         .account = names[who],
                         .software = "estelam-bench"};
}
