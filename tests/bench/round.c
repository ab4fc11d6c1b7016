/* round.c - one round: a fresh server, the players, a sample at both ends of the measured time, and
 * a verdict that counts every inquiry. It is the same for all systems.
 */
#include "probe.h"
#include "process.h"
#include "system.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Everything at one instant; sums since the processes began. */
struct sample {
    int64_t at_us;
    struct usage server, requesters, agents;
    struct counters counters;
};

struct round {
    const struct plan *plan;
    struct stage stage;
    struct board *board;
    pid_t requesters[PLAYERS_MAX], agents[PLAYERS_MAX], crowd[CROWD_MAX]; /* 0: gone */
    int ready[2], go[2];
};

/* --- Players --------------------------------------------------------------------------------------- */

static unsigned agents_of(const struct round *r) {
    return r->plan->system->alone ? 0 : r->plan->agents;
}

static unsigned crowd_of(const struct round *r) {
    return r->plan->crowd ? r->plan->crowd->processes : 0;
}

static void player_child(struct round *r, struct part part, int (*play)(const struct part *)) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGINT, SIG_IGN); /* the keyboard's goes to all; the parent ends the players */
    signal(SIGTERM, SIG_DFL);
    close(r->go[1]);
    close(r->ready[0]);
    part.ready = r->ready[1];
    part.go = r->go[0];
    _exit(play(&part));
}

static int players_start(struct round *r, pid_t *pids, struct score *scores, unsigned count,
                         int (*play)(const struct part *)) {
    for (unsigned i = 0; i < count; i++) {
        struct part part = {
            .plan = r->plan, .stage = &r->stage, .board = r->board, .score = &scores[i], .index = i};
        pids[i] = fork();
        if (pids[i] == 0)
            player_child(r, part, play);
        if (pids[i] < 0) {
            pids[i] = 0;
            bench_say("fork: %s", strerror(errno));
            return -EST_IO;
        }
    }
    return 0;
}

/* Reads one byte of each player; a player that ends without one closes the pipe. */
static int players_await(struct round *r) {
    int64_t until_us = bench_now_us() + CONNECT_MS * EST_US_PER_MS;
    for (unsigned left = r->plan->requesters + agents_of(r) + crowd_of(r); left > 0; left--) {
        struct pollfd in = {.fd = r->ready[0], .events = POLLIN};
        int64_t left_ms = (until_us - bench_now_us()) / 1000;
        char byte;
        if (left_ms > 0 && poll(&in, 1, (int)left_ms) == 1 && read(r->ready[0], &byte, 1) == 1)
            continue;
        if (!bench_stopped)
            bench_say("not every player could connect");
        return -EST_UNREACHABLE;
    }
    return 0;
}

static void descriptor_close(int *fd) {
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static int players_connect(struct round *r) {
    if (pipe2(r->ready, O_CLOEXEC) != 0 || pipe2(r->go, O_CLOEXEC) != 0) {
        bench_say("pipe: %s", strerror(errno));
        return -EST_IO;
    }
    const struct system *system = r->plan->system;
    int code = 0;
    if (r->plan->crowd)
        code = players_start(r, r->crowd, r->board->crowd, crowd_of(r), r->plan->crowd->play);
    if (code == 0)
        code = players_start(r, r->agents, r->board->agents, agents_of(r), system->agent);
    if (code == 0)
        code = players_start(r, r->requesters, r->board->requesters, r->plan->requesters, system->requester);
    descriptor_close(&r->ready[1]);
    descriptor_close(&r->go[0]);
    return code < 0 ? code : players_await(r);
}

/* 1 when all have gone, 0 when some are still there, a code when one of them failed. */
static int players_gone(pid_t *pids, unsigned count) {
    int result = 1;
    for (unsigned i = 0; i < count; i++) {
        int status = 0;
        pid_t pid = pids[i] > 0 ? waitpid(pids[i], &status, WNOHANG) : 0;
        if (pid > 0)
            pids[i] = 0;
        if (pid > 0 && (!WIFEXITED(status) || WEXITSTATUS(status) != 0))
            result = -EST_IO;
        else if (pids[i] > 0 && result > 0)
            result = 0;
    }
    return result;
}

static void players_kill(pid_t *pids, unsigned count) {
    for (unsigned i = 0; i < count; i++) {
        if (pids[i] <= 0)
            continue;
        kill(pids[i], SIGKILL);
        while (waitpid(pids[i], NULL, 0) < 0 && errno == EINTR)
            continue;
        pids[i] = 0;
    }
}

/* --- Time and samples ------------------------------------------------------------------------------ */

static bool is_over(const struct round *r) {
    if (!bench_stopped && stage_is_dead(&r->stage))
        bench_say("%s ended by itself", r->plan->system->name);
    return bench_stopped || stage_is_dead(&r->stage);
}

/* 0, or -EST_CLOSED when there is nothing left to wait for. */
static int pass_until(struct round *r, int64_t until_us) {
    for (int64_t now_us = bench_now_us(); now_us < until_us; now_us = bench_now_us()) {
        int64_t left_ms = (until_us - now_us) / 1000 + 1;
        int ms = left_ms < 100 ? (int)left_ms : 100;
        if (is_over(r))
            return -EST_CLOSED;
        if (r->plan->system->pass)
            r->plan->system->pass(&r->stage, ms);
        else
            poll(NULL, 0, ms);
    }
    return 0;
}

static int counters_ask(struct round *r, struct counters *ret) {
    const uint64_t u = COUNTER_UNKNOWN;
    *ret = (struct counters){u, u, u, u, u, u};
    return r->plan->system->count ? r->plan->system->count(&r->stage, ret) : 0;
}

static int sample_take(struct round *r, struct sample *ret) {
    *ret = (struct sample){.at_us = bench_now_us()};
    usage_add_tree(r->stage.server, &ret->server);
    for (unsigned i = 0; i < r->plan->requesters; i++)
        usage_add(r->requesters[i], r->plan->system->alone ? &ret->server : &ret->requesters);
    for (unsigned i = 0; i < agents_of(r); i++)
        usage_add(r->agents[i], &ret->agents);
    return r->plan->system->batches ? counters_ask(r, &ret->counters) : 0;
}

/* --- The round ------------------------------------------------------------------------------------- */

static int measure(struct round *r, struct sample *ret_first, struct sample *ret_last) {
    struct board *board = r->board;
    board->from_us = bench_now_us() + WARM_UP_MS * EST_US_PER_MS;
    board->until_us = board->from_us + (int64_t)(r->plan->seconds * (double)EST_US_PER_S);
    board->drain_us = board->until_us + DRAIN_MS * EST_US_PER_MS + (int64_t)r->plan->depth * DRAIN_EACH_US;
    descriptor_close(&r->go[1]);
    if (pass_until(r, board->from_us) < 0 || sample_take(r, ret_first) < 0 ||
        pass_until(r, board->until_us) < 0 || sample_take(r, ret_last) < 0)
        return -EST_CLOSED;
    return 0;
}

static void troubles_say(const struct score *scores, unsigned count, const char *who) {
    for (unsigned i = 0; i < count; i++)
        if (scores[i].trouble[0])
            bench_say("%s %u: %s", who, i + 1, scores[i].trouble);
}

/* Waits until all of them have gone by themselves. */
static int players_end(struct round *r, pid_t *pids, unsigned count) {
    int64_t until_us = r->board->drain_us + 5 * EST_US_PER_S;
    for (int gone = players_gone(pids, count); gone != 1; gone = players_gone(pids, count)) {
        if (gone < 0)
            return gone;
        if (bench_now_us() > until_us || pass_until(r, bench_now_us() + 5 * EST_US_PER_MS) < 0)
            return -EST_TIMEOUT;
    }
    return 0;
}

/* The last of them asks, the others answer it: so it is the first to leave. Who stopped itself cannot
 * hear that it is to leave. */
static int crowd_end(struct round *r) {
    int code = 0;
    for (unsigned i = crowd_of(r); i-- > 0 && code == 0;) {
        if (r->board->crowd[i].stopped)
            players_kill(&r->crowd[i], 1);
        else
            kill(r->crowd[i], SIGTERM);
        code = players_end(r, &r->crowd[i], 1);
    }
    return code;
}

/* When a requester of ours has gone, its acknowledgements are in the record: it waited for that. The
 * others' servers may still be taking in the last of them. */
static int counters_settle(struct round *r, struct counters *ret) {
    int64_t until_us = bench_now_us() + ACKED_MS * EST_US_PER_MS;
    int code = counters_ask(r, ret);
    while (code == 0 && !r->plan->system->ours && ret->unacknowledged != COUNTER_UNKNOWN && ret->unacknowledged > 0 &&
           bench_now_us() < until_us) {
        code = pass_until(r, bench_now_us() + 50 * EST_US_PER_MS);
        if (code == 0)
            code = counters_ask(r, ret);
    }
    return code;
}

static int finish(struct round *r, struct counters *ret, int64_t *ret_drained_us) {
    int code = players_end(r, r->requesters, r->plan->requesters);
    *ret_drained_us = bench_now_us();
    if (code == 0)
        code = crowd_end(r);
    if (code == 0)
        code = counters_settle(r, ret);
    for (unsigned i = 0; i < agents_of(r) && code == 0; i++)
        kill(r->agents[i], SIGTERM);
    return code < 0 ? code : players_end(r, r->agents, agents_of(r));
}

/* Every inquiry was accepted once, answered once, recorded once and acknowledged, by the players'
 * counts and, as far as it tells, by the server's own. */
static int verdict(const struct round *r, const struct counters *server, uint64_t *ret_submitted) {
    struct score sum = {0};
    for (unsigned i = 0; i < PLAYERS_MAX; i++) {
        const struct score *q = &r->board->requesters[i], *a = &r->board->agents[i];
        sum.submitted += q->submitted;
        sum.accepted += q->accepted;
        sum.answered += q->answered;
        sum.doubled += q->doubled;
        sum.refused += q->refused;
        sum.offered += a->offered;
        sum.recorded += a->recorded;
    }
    struct score others = {0};
    for (unsigned i = 0; i < CROWD_MAX; i++) {
        others.submitted += r->board->crowd[i].accepted;
        others.answered += r->board->crowd[i].answered;
    }
    uint64_t asked = sum.submitted - r->plan->depth + others.submitted;
    *ret_submitted = sum.submitted;
    bool alone = r->plan->system->alone;
    const struct {
        const char *name;
        uint64_t found, wanted;
    } claims[] = {{"accepted", sum.accepted, sum.submitted},
                  {"answered", sum.answered, sum.submitted},
                  {"doubled", sum.doubled, 0},
                  {"refused", sum.refused, 0},
                  {"offered to agents", sum.offered, alone ? 0 : sum.submitted},
                  {"answers recorded", sum.recorded, alone ? 0 : sum.submitted},
                  {"submitted, by the server", server->submitted, asked},
                  {"submitted again, by the server", server->again, 0},
                  {"answered, by the server", server->answered, sum.submitted + others.answered},
                  {"still open, by the server", server->open, others.submitted - others.answered},
                  {"not acknowledged, by the server", server->unacknowledged, 0}};
    int code = sum.submitted > 0 ? 0 : -EST_CONFLICT;
    for (size_t i = 0; i < sizeof claims / sizeof *claims; i++) {
        if (claims[i].found == claims[i].wanted || claims[i].found == COUNTER_UNKNOWN)
            continue;
        bench_say("%s: %llu, not %llu", claims[i].name, (unsigned long long)claims[i].found,
                  (unsigned long long)claims[i].wanted);
        code = -EST_CONFLICT;
    }
    return code;
}

static void figures_make(const struct round *r, const struct sample *a, const struct sample *b,
                         struct figures *ret) {
    static struct histogram all;
    all = (struct histogram){0};
    for (unsigned i = 0; i < r->plan->requesters; i++)
        histogram_merge(&all, &r->board->requesters[i].latency);
    double count = all.count > 0 ? (double)all.count : 1, share = 1e5 / count;
    double commits = (double)(b->counters.commits - a->counters.commits);
    ret->per_s = (double)all.count / r->plan->seconds;
    ret->p50_us = histogram_quantile(&all, 0.5);
    ret->p99_us = histogram_quantile(&all, 0.99);
    ret->p999_us = histogram_quantile(&all, 0.999);
    ret->cpu_server_s = (b->server.cpu_s - a->server.cpu_s) * share;
    ret->cpu_requesters_s = (b->requesters.cpu_s - a->requesters.cpu_s) * share;
    ret->cpu_agents_s = (b->agents.cpu_s - a->agents.cpu_s) * share;
    ret->written = (double)(b->server.written - a->server.written) / count;
    ret->batch = commits > 0 ? count / commits : 0;
    ret->commits_per_s = commits / ((double)(b->at_us - a->at_us) / EST_US_PER_S);
    ret->serving_s = r->stage.serving_s;
}

static int play(struct round *r, struct figures *ret) {
    struct sample first, last;
    struct counters counters;
    int64_t drained_us = 0;
    int code = stage_open(&r->stage, r->plan);
    ret->anonymous = code == 0 ? process_anonymous(r->stage.server) : 0;
    if (code == 0)
        code = players_connect(r);
    if (code == 0 && r->plan->system->connect)
        code = r->plan->system->connect(&r->stage);
    if (code == 0)
        code = measure(r, &first, &last);
    if (code == 0)
        code = finish(r, &counters, &drained_us);
    troubles_say(r->board->crowd, crowd_of(r), "in the crowd,");
    troubles_say(r->board->requesters, r->plan->requesters, "requester");
    troubles_say(r->board->agents, agents_of(r), "agent");
    if (code == 0)
        code = verdict(r, &counters, &ret->submitted);
    if (code == 0)
        figures_make(r, &first, &last, ret);
    ret->draining_s = (double)(drained_us - r->board->until_us) / EST_US_PER_S;
    return code;
}

int round_run(const struct plan *plan, struct figures *ret) {
    struct round r = {.plan = plan, .ready = {-1, -1}, .go = {-1, -1}};
    *ret = (struct figures){.sync_us = probe_sync_us(plan->directory)};
    r.board = mmap(NULL, sizeof *r.board, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (r.board == MAP_FAILED) {
        bench_say("no memory to share with the players");
        return -EST_NO_MEMORY;
    }
    int code = play(&r, ret);
    if (code < 0 && !bench_stopped && r.stage.server > 0)
        stage_log_show(&r.stage);
    players_kill(r.requesters, plan->requesters);
    players_kill(r.agents, agents_of(&r));
    players_kill(r.crowd, crowd_of(&r));
    for (int i = 0; i < 2; i++) {
        descriptor_close(&r.ready[i]);
        descriptor_close(&r.go[i]);
    }
    int closed = stage_close(&r.stage);
    munmap(r.board, sizeof *r.board);
    return code < 0 ? code : closed;
}
