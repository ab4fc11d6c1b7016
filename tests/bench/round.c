/* round.c - one round: a fresh broker, the players, a sample at both ends of the measured time, and
 * a verdict that counts every inquiry.
 *
 * Time passes in link_poll of an operator's connection, which also asks the broker for its own
 * counters; nothing here sleeps.
 */
#include "player.h"

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

struct counters {
    uint64_t commits, open, unacknowledged, submitted, again, answered;
};

/* Everything at one instant; sums since the processes began. */
struct sample {
    int64_t at_us;
    double cpu_broker, cpu_requesters, cpu_agents;
    uint64_t written;
    struct counters counters;
};

struct round {
    const struct plan *plan;
    struct stage stage;
    struct board *board;
    pid_t requesters[PLAYERS_MAX], agents[PLAYERS_MAX]; /* 0: gone */
    int ready[2], go[2];
    struct link *operator_;
};

/* --- Players --------------------------------------------------------------------------------------- */

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
    int64_t until_us = link_now().us + CONNECT_MS * EST_US_PER_MS;
    for (unsigned left = r->plan->requesters + r->plan->agents; left > 0; left--) {
        struct pollfd in = {.fd = r->ready[0], .events = POLLIN};
        int64_t left_ms = (until_us - link_now().us) / 1000;
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
    int code = players_start(r, r->agents, r->board->agents, r->plan->agents, agent_play);
    if (code == 0)
        code = players_start(r, r->requesters, r->board->requesters, r->plan->requesters, requester_play);
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

/* --- The operator ---------------------------------------------------------------------------------- */

static void counters_read(est_slice rows, struct counters *ret) {
    const struct {
        const char *name;
        uint64_t *at;
    } wanted[] = {{"commits", &ret->commits},
                  {"inquiries_open", &ret->open},
                  {"results_unacknowledged", &ret->unacknowledged},
                  {"fact_submitted", &ret->submitted},
                  {"fact_submitted_again", &ret->again},
                  {"fact_answered", &ret->answered}};
    struct cursor cursor;
    struct stat_row row;
    size_t count;
    if (!rows_open(&cursor, rows, &count))
        return;
    for (; count > 0 && stat_row_next(&cursor, &row); count--)
        for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
            if (slice_equal(row.name, slice_of(wanted[i].name)))
                *wanted[i].at = row.value;
}

static bool is_over(const struct round *r) {
    if (!bench_stopped && stage_is_dead(&r->stage))
        bench_say("the broker ended by itself");
    return bench_stopped || stage_is_dead(&r->stage);
}

/* Lets time pass until an event of this kind, or the instant. 1: the event. 0: the instant. */
static int operator_await(struct round *r, enum session_event_kind kind, int64_t until_us,
                          struct session_event *ret) {
    for (int64_t now_us = link_now().us; now_us < until_us; now_us = link_now().us) {
        int64_t left_ms = (until_us - now_us) / 1000 + 1;
        if (is_over(r))
            return -EST_CLOSED;
        if (link_poll(r->operator_, left_ms < 100 ? (int)left_ms : 100, ret) == 1 && kind &&
            ret->kind == kind)
            return 1;
    }
    return 0;
}

static int operator_connect(struct round *r) {
    est_options options = stage_options(&r->stage, STAGE_OPERATOR);
    struct session_event event;
    int code = link_open(&options, SESSION_CLIENT, NULL, NULL, &r->operator_);
    if (code == 0 && operator_await(r, SESSION_UP, link_now().us + CONNECT_MS * EST_US_PER_MS, &event) == 1)
        return 0;
    bench_say("no connection to the operators' door");
    return -EST_UNREACHABLE;
}

static int counters_ask(struct round *r, struct counters *ret) {
    struct message ask = {.verb = VERB_STATS};
    struct session_event event;
    int code = session_ask(link_session(r->operator_), &ask);
    if (code == 0 &&
        operator_await(r, SESSION_ANSWER, link_now().us + CONNECT_MS * EST_US_PER_MS, &event) == 1) {
        *ret = (struct counters){0};
        counters_read(event.message->stats_is.rows, ret);
        return 0;
    }
    if (!bench_stopped)
        bench_say("the broker does not tell its counters");
    return -EST_UNREACHABLE;
}

/* --- Samples --------------------------------------------------------------------------------------- */

static double cpu_of(pid_t pid) {
    clockid_t clock;
    struct timespec t;
    if (pid <= 0 || clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &t) != 0)
        return 0;
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double cpu_of_all(const pid_t *pids, unsigned count) {
    double sum = 0;
    for (unsigned i = 0; i < count; i++)
        sum += cpu_of(pids[i]);
    return sum;
}

/* What the process had written to the disk, page cache aside; 0 where the kernel does not tell. */
static uint64_t written_by(pid_t pid) {
    char path[64], line[128];
    unsigned long long bytes = 0;
    snprintf(path, sizeof path, "/proc/%d/io", (int)pid);
    FILE *file = fopen(path, "r");
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "write_bytes: %llu", &bytes) == 1)
            break;
    if (file)
        fclose(file);
    return bytes;
}

static int sample_take(struct round *r, struct sample *ret) {
    ret->at_us = link_now().us;
    ret->cpu_broker = cpu_of(r->stage.broker);
    ret->cpu_requesters = cpu_of_all(r->requesters, r->plan->requesters);
    ret->cpu_agents = cpu_of_all(r->agents, r->plan->agents);
    ret->written = written_by(r->stage.broker);
    return counters_ask(r, &ret->counters);
}

/* --- The round ------------------------------------------------------------------------------------- */

static int measure(struct round *r, struct sample *ret_first, struct sample *ret_last) {
    struct board *board = r->board;
    struct session_event event;
    board->from_us = link_now().us + WARM_UP_MS * EST_US_PER_MS;
    board->until_us = board->from_us + (int64_t)(r->plan->seconds * (double)EST_US_PER_S);
    board->drain_us = board->until_us + DRAIN_MS * EST_US_PER_MS;
    descriptor_close(&r->go[1]);
    if (operator_await(r, 0, board->from_us, &event) < 0 || sample_take(r, ret_first) < 0 ||
        operator_await(r, 0, board->until_us, &event) < 0 || sample_take(r, ret_last) < 0)
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
    struct session_event event;
    int64_t until_us = r->board->drain_us + 5 * EST_US_PER_S;
    for (int gone = players_gone(pids, count); gone != 1; gone = players_gone(pids, count)) {
        if (gone < 0)
            return gone;
        if (link_now().us > until_us || operator_await(r, 0, link_now().us + 5 * EST_US_PER_MS, &event) < 0)
            return -EST_TIMEOUT;
    }
    return 0;
}

/* When a requester has gone, its acknowledgements are in the record: it waited for that. */
static int finish(struct round *r, struct counters *ret) {
    int code = players_end(r, r->requesters, r->plan->requesters);
    if (code == 0)
        code = counters_ask(r, ret);
    for (unsigned i = 0; i < r->plan->agents && code == 0; i++)
        kill(r->agents[i], SIGTERM);
    return code < 0 ? code : players_end(r, r->agents, r->plan->agents);
}

/* Every inquiry was accepted once, answered once, recorded once and acknowledged, by the players'
 * counts and by the broker's own. */
static int verdict(const struct round *r, const struct counters *broker, uint64_t *ret_submitted) {
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
    *ret_submitted = sum.submitted;
    const struct {
        const char *name;
        uint64_t found, wanted;
    } claims[] = {{"accepted", sum.accepted, sum.submitted},
                  {"answered", sum.answered, sum.submitted},
                  {"doubled", sum.doubled, 0},
                  {"refused", sum.refused, 0},
                  {"offered to agents", sum.offered, sum.submitted},
                  {"answers recorded", sum.recorded, sum.submitted},
                  {"submitted, by the broker", broker->submitted, sum.submitted},
                  {"submitted again, by the broker", broker->again, 0},
                  {"answered, by the broker", broker->answered, sum.submitted},
                  {"still open", broker->open, 0},
                  {"not acknowledged", broker->unacknowledged, 0}};
    int code = sum.submitted > 0 ? 0 : -EST_CONFLICT;
    for (size_t i = 0; i < sizeof claims / sizeof *claims; i++) {
        if (claims[i].found == claims[i].wanted)
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
    double count = all.count > 0 ? (double)all.count : 1;
    double commits = (double)(b->counters.commits - a->counters.commits);
    ret->per_s = (double)all.count / r->plan->seconds;
    ret->p50_us = histogram_quantile(&all, 0.5);
    ret->p99_us = histogram_quantile(&all, 0.99);
    ret->p999_us = histogram_quantile(&all, 0.999);
    ret->cpu_broker_s = (b->cpu_broker - a->cpu_broker) * 1e5 / count;
    ret->cpu_requesters_s = (b->cpu_requesters - a->cpu_requesters) * 1e5 / count;
    ret->cpu_agents_s = (b->cpu_agents - a->cpu_agents) * 1e5 / count;
    ret->written = (double)(b->written - a->written) / count;
    ret->batch = commits > 0 ? count / commits : 0;
}

static int play(struct round *r, struct figures *ret) {
    struct sample first, last;
    struct counters counters;
    int code = stage_open(&r->stage, r->plan);
    if (code == 0)
        code = players_connect(r);
    if (code == 0)
        code = operator_connect(r);
    if (code == 0)
        code = measure(r, &first, &last);
    if (code == 0)
        code = finish(r, &counters);
    troubles_say(r->board->requesters, r->plan->requesters, "requester");
    troubles_say(r->board->agents, r->plan->agents, "agent");
    if (code == 0)
        code = verdict(r, &counters, &ret->submitted);
    if (code == 0)
        figures_make(r, &first, &last, ret);
    return code;
}

int round_run(const struct plan *plan, struct figures *ret) {
    struct round r = {.plan = plan, .ready = {-1, -1}, .go = {-1, -1}};
    *ret = (struct figures){0};
    r.board = mmap(NULL, sizeof *r.board, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (r.board == MAP_FAILED) {
        bench_say("no memory to share with the players");
        return -EST_NO_MEMORY;
    }
    int code = play(&r, ret);
    players_kill(r.requesters, plan->requesters);
    players_kill(r.agents, plan->agents);
    link_close(&r.operator_, 100);
    for (int i = 0; i < 2; i++) {
        descriptor_close(&r.ready[i]);
        descriptor_close(&r.go[i]);
    }
    int closed = stage_close(&r.stage);
    munmap(r.board, sizeof *r.board);
    return code < 0 ? code : closed;
}
