/* cast.c - the town, its broker and everybody who plays in it. */
#include "nemesis.h"
#include "skew.h"

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Two agents share the treasury's districts in part; two processes share one requester's account;
 * attempts are many, so that kills alone park little; leases are shorter than most stops. */
static const struct town_account accounts[] = {
    {.name = "portal", .door = REQUESTERS, .fields = "asks: [{types: all, purposes: all}], "},
    {.name = "notary", .door = REQUESTERS, .fields = "asks: [{types: [plot.use], purposes: all}], "},
    {.name = "treasury-a",
     .door = DEPARTMENTS,
     .fields = "department: treasury, districts: [1, 2, 3, 4, 5, 6], "},
    {.name = "treasury-b",
     .door = DEPARTMENTS,
     .fields = "department: treasury, districts: [4, 5, 6, 7, 8, 9], "},
    {.name = "works-a", .door = DEPARTMENTS, .fields = "department: works, "},
    {.name = "works-b", .door = DEPARTMENTS, .fields = "department: works, "},
    {.name = "duty", .door = OPERATORS, .fields = ""},
    {0}};
static const char limits[] = "attempts_max: 12, lease: 150 ms, account_open_max: 3000, heartbeat: 250 ms, "
                             "retry_first: 20 ms, retry_max: 200 ms";

static const struct player players[] = {
    {"requester", "portal-a", "portal", REQUESTERS, NULL, 0, "", "", false},
    {"requester", "portal-b", "portal", REQUESTERS, NULL, 0, "", "", false},
    {"requester", "notary-a", "notary", REQUESTERS, NULL, 0, "", "", false},
    {"agent", "treasury-a", "treasury-a", DEPARTMENTS, NULL, 0, "", "", false},
    {"agent", "treasury-b", "treasury-b", DEPARTMENTS, NULL, 0, "", "", false},
    {"agent", "works-a", "works-a", DEPARTMENTS, NULL, 0, "", "", false},
    {"agent", "works-b", "works-b", DEPARTMENTS, NULL, 0, "", "", false},
};

void chronicle(struct nemesis *n, const char *what, const char *fields, ...) {
    char line[1024], more[768];
    va_list arguments;
    va_start(arguments, fields);
    vsnprintf(more, sizeof more, fields, arguments);
    va_end(arguments);
    int size = snprintf(line, sizeof line, "{\"t\":%" PRId64 ",\"who\":\"nemesis\",\"do\":\"%s\"%s%s}\n",
                        monotonic_us(), what, *more ? "," : "", more);
    assert_int_equal(write(n->history, line, (size_t)size), size);
}

/* --- The broker ---------------------------------------------------------------------------------- */

void broker_start(struct nemesis *n) {
    n->skews = skew_begin(n->folder);
    if (n->skews)
        skew_set(n->clock_ahead_us);
    town_start(n->town);
    skew_end();
    n->broker_life++;
    n->broker_stopped = false;
}

void broker_kill(struct nemesis *n) {
    pid_t pid = child_pid(n->town->broker);
    chronicle(n, "broker-killed", "\"life\":%u", n->broker_life);
    town_kill(n->town);
    skew_sweep(pid);
    n->happened[FAULT_KILL_BROKER]++;
}

/* --- Players ------------------------------------------------------------------------------------- */

void player_start(struct nemesis *n, struct player *p) {
    const struct town_account *a = town_account(n->town, p->account);
    char slot[16], seed[32], endpoint[ENDPOINT_MAX], program[512];
    snprintf(p->previous, sizeof p->previous, "%s", p->life ? p->name : "-");
    snprintf(p->name, sizeof p->name, "%.20s.%04u", p->base, ++p->life);
    snprintf(slot, sizeof slot, "%zu", (size_t)(p - n->cast));
    snprintf(seed, sizeof seed, "%" PRIu64, n->seed * 1000003 + (uint64_t)(p - n->cast) * 7919 + p->life);
    snprintf(endpoint, sizeof endpoint, "tcp://127.0.0.1:%d", proxy_port(n->proxy, (int)p->door));
    snprintf(program, sizeof program, "%s/nemesis-%s", PROGRAMS, p->role);
    const char *const argv[] = {program,
                                n->folder,
                                p->role,
                                p->name,
                                slot,
                                seed,
                                p->previous,
                                p->account,
                                endpoint,
                                n->town->server.public_key,
                                a->key.public_key,
                                a->key.secret_key,
                                NULL};
    p->child = child_start(argv);
    p->stopped = false;
}

void player_kill(struct nemesis *n, struct player *p) {
    chronicle(n, "killed", "\"whom\":\"%s\"", p->name);
    child_signal(p->child, SIGKILL);
    int status = child_wait(p->child);
    if (status != -SIGKILL)
        child_print(p->child);
    assert_int_equal(status, -SIGKILL);
    assert_true(child_free(&p->child));
    n->happened[strcmp(p->role, "agent") == 0 ? FAULT_KILL_AGENT : FAULT_KILL_REQUESTER]++;
}

void players_end(struct nemesis *n) {
    for (size_t i = 0; i < n->cast_count; i++)
        child_signal(n->cast[i].child, SIGTERM);
    for (size_t i = 0; i < n->cast_count; i++) {
        int status = child_wait(n->cast[i].child);
        if (status != 0)
            child_print(n->cast[i].child);
        assert_int_equal(status, 0);
        assert_true(child_free(&n->cast[i].child));
    }
}

/* --- Stopped for a while ------------------------------------------------------------------------- */

/* The kernel says so, not we. A process that ended instead is found by whoever waits for it next. */
static bool stops(pid_t pid) {
    siginfo_t info = {0};
    return waitid(P_PID, (id_t)pid, &info, WSTOPPED | WEXITED | WNOWAIT) == 0 &&
           info.si_code == CLD_STOPPED && waitid(P_PID, (id_t)pid, &info, WSTOPPED) == 0;
}

void player_stop_for(struct nemesis *n, struct player *p, int ms) {
    struct child *child = p ? p->child : n->town->broker;
    bool *stopped = p ? &p->stopped : &n->broker_stopped;
    if (*stopped || n->later_count == LATER_MAX)
        return;
    chronicle(n, "stopped", "\"whom\":\"%s\",\"ms\":%d", p ? p->name : "broker", ms);
    child_signal(child, SIGSTOP);
    if (!stops(child_pid(child)))
        return;
    *stopped = true;
    n->later[n->later_count++] =
        (struct later){monotonic_us() + ms * EST_US_PER_MS, p, p ? p->life : n->broker_life};
}

/* One that was killed meanwhile does not go on, so its stop is none that ended. */
static void go_on(struct nemesis *n, const struct later *later) {
    struct player *p = later->player;
    if (later->life != (p ? p->life : n->broker_life))
        return;
    chronicle(n, "continued", "\"whom\":\"%s\"", p ? p->name : "broker");
    child_signal(p ? p->child : n->town->broker, SIGCONT);
    if (p)
        p->stopped = false;
    else
        n->broker_stopped = false;
    n->happened[!p                              ? FAULT_STOP_BROKER
                : strcmp(p->role, "agent") == 0 ? FAULT_STOP_AGENT
                                                : FAULT_STOP_REQUESTER]++;
}

void later_run(struct nemesis *n, int64_t now) {
    for (size_t i = 0; i < n->later_count;) {
        struct later later = n->later[i];
        if (later.at > now) {
            i++;
            continue;
        }
        n->later[i] = n->later[--n->later_count];
        go_on(n, &later);
    }
}

/* --- A round's beginning and end ----------------------------------------------------------------- */

void cast_begin(struct nemesis *n) {
    char path[FOLDER_SIZE + 32];
    int ports[DOOR_COUNT];
    snprintf(n->folder, sizeof n->folder, "/tmp/estelam-nemesis-XXXXXX");
    assert_non_null(mkdtemp(n->folder));
    snprintf(path, sizeof path, "%s/nemesis.jsonl", n->folder);
    n->history = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    n->board = board_open(n->folder);
    assert_true(n->history >= 0 && n->board);
    chronicle(n, "seed", "\"seed\":%" PRIu64 ",\"wall\":%" PRId64, n->seed, wall_us());
    n->town = town_new(&(struct town_options){.accounts = accounts, .limits = limits});
    broker_start(n);
    for (int i = 0; i < DOOR_COUNT; i++)
        ports[i] = atoi(strrchr(n->town->endpoints[i], ':') + 1);
    n->proxy = proxy_open(ports, DOOR_COUNT, n->seed);
    assert_non_null(n->proxy);
    n->cast_count = sizeof players / sizeof *players;
    memcpy(n->cast, players, sizeof players);
    for (size_t i = 0; i < n->cast_count; i++)
        player_start(n, &n->cast[i]);
}

static void folder_remove(const char *folder) {
    const char *const argv[] = {"/bin/rm", "-rf", folder, NULL};
    struct child *child = child_start(argv);
    assert_int_equal(child_wait(child), 0);
    child_free(&child);
}

void cast_end(struct nemesis *n) {
    proxy_close(&n->proxy);
    board_close(&n->board);
    close(n->history);
    town_end(n->town);
    if (!n->plan.keep)
        folder_remove(n->folder);
    n->folder[0] = '\0';
}
