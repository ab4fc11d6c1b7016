/* guard.c - the real broker and two far ends in one process, for an instrument that counts
 * instructions (see guard.sh).
 *
 *     guard WINDOW INQUIRIES
 *
 * main, loop, core, store, catalogue and codec are the broker's own. net.h is answered from here:
 * frames are handed over in memory, in lock-step. In each turn of the loop a requester with WINDOW
 * inquiries in flight and an agent, both the real sessions of libestelam, take all that the broker
 * sent, answer it, and what they have to say is the broker's next batch. The clock stands but for
 * STEP_US a turn. So the same broker does the same work, to the instruction, whenever and wherever it
 * is run; only the kernel's part, the sockets and the sync, is not in it.
 */
#include "city.h"
#include "flights.h"

#include <net.h>
#include <session.h>

#include <errno.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    STEP_US = 200,
    ENDS = 2,
    QUEUE_MAX = 256,
    CUTS_MAX = 64,
    BODY = 256,
    IDLE_TURNS_MAX = 10000,
    BEGAN_S = 1760000000
};

int broker_main(int, char **);
/* What loop.c has for clock_gettime. */
int guard_clock(clockid_t, struct timespec *ret);

volatile sig_atomic_t bench_stopped;

/* Frames on their way, in order. */
struct queue {
    struct buffer frames[QUEUE_MAX];
    unsigned read, count;
};

struct far_end {
    struct session *session;
    bool connected;
    struct queue to, from; /* the broker */
    struct peer *peer;
};

struct net {
    struct net_counts counts;
    struct zap zap;
    struct peer *peers; /* as many as the broker may look at; the first ENDS are there */
    size_t cuts[ENDS][CUTS_MAX];
    unsigned turn;
};

static struct far_end ends[ENDS]; /* requester, agent */
static struct net the_net;
static struct bodies requests, replies;
static unsigned window, in_flight;
static uint32_t wanted, submitted, landed, accepted, recorded;
static est_time now = {INT64_C(1000000) * BEGAN_S};
static unsigned idle_turns;

/* --- Odds and ends --------------------------------------------------------------------------------- */

int guard_clock(clockid_t id, struct timespec *ret) {
    (void)id;
    *ret = (struct timespec){now.us / EST_US_PER_S, now.us % EST_US_PER_S * 1000};
    return 0;
}

static void die(const char *what) {
    fprintf(stderr, "guard: %s (%u submitted, %u accepted, %u recorded, %u landed)\n", what, submitted,
            accepted, recorded, landed);
    _exit(1);
}

static struct buffer *queue_add(struct queue *q) {
    if (q->count == QUEUE_MAX)
        die("more frames than are expected in one turn");
    struct buffer *b = &q->frames[q->count++];
    buffer_clear(b);
    return b;
}

static struct buffer *queue_take(struct queue *q) {
    return q->read < q->count ? &q->frames[q->read++] : NULL;
}

static void queue_empty(struct queue *q) {
    q->read = q->count = 0;
}

/* --- The far ends ---------------------------------------------------------------------------------- */

static void ends_open(void) {
    static const enum session_role roles[ENDS] = {SESSION_CLIENT, SESSION_AGENT};
    for (unsigned i = 0; i < ENDS; i++) {
        struct session_options options = {.role = roles[i],
                                          .software = "guard",
                                          .window = i == 0 ? 2 * window : window,
                                          .results = RESULTS_OWN};
        if (session_new(&options, &ends[i].session) < 0)
            die("no session");
    }
    if (bodies_make(&requests, BODY, false) < 0 || bodies_make(&replies, BODY, true) < 0)
        die("no bodies");
}

static void on_work(struct session *s, const struct assign *work) {
    static struct message answer;
    answer.verb = VERB_ANSWER;
    answer.answer = (struct answer){.number = work->number,
                                    .epoch = work->epoch,
                                    .outcome = EST_OUTCOME_POSITIVE,
                                    .body = buffer_slice(&replies.at[work->number % DISTRICTS])};
    if (session_answer(s, &answer) < 0)
        die("an answer cannot be given");
}

static void on_result(struct session *s, const struct session_event *event) {
    if (event->message->result.state != EST_STATE_ANSWERED || session_ack(s, event->number) < 0)
        die("a result is not as it should be");
    landed++;
    in_flight--;
}

static void event_take(struct session *s, const struct session_event *event) {
    switch (event->kind) {
    case SESSION_WORK:
        on_work(s, &event->message->assign);
        return;
    case SESSION_RESULT:
        on_result(s, event);
        return;
    case SESSION_ANSWER:
        accepted++;
        return;
    case SESSION_RECORDED:
        recorded++;
        return;
    case SESSION_UP:
        return;
    default:
        die("something was refused or lost");
    }
}

static void fill(struct session *s) {
    for (; in_flight < window && submitted < wanted; in_flight++, submitted++) {
        struct ticket ticket = {0, submitted % window, submitted};
        struct submit submit = {.id = city_id(&ticket, (uint64_t)now.us / EST_US_PER_MS),
                                .type = slice_of("bench.bedehi0"),
                                .purpose = slice_of(CITY_PURPOSE),
                                .body = buffer_slice(&requests.at[submitted % DISTRICTS])};
        int code = session_submit(s, &submit);
        if (code == -EST_FULL)
            return;
        if (code < 0)
            die("an inquiry cannot be submitted");
    }
}

static void end_turn(struct far_end *end) {
    struct session_event event;
    if (!end->connected)
        session_connected(end->session, now);
    end->connected = true;
    session_tick(end->session, now);
    for (const struct buffer *frame; (frame = queue_take(&end->from));) {
        session_frame(end->session, now, buffer_slice(frame));
        while (session_next(end->session, now, &event))
            event_take(end->session, &event);
    }
    queue_empty(&end->from);
    if (end == &ends[0] && session_is_up(end->session))
        fill(end->session);
    while (session_take(end->session, now, queue_add(&end->to)))
        continue;
    end->to.count--;
    if (session_is_broken(end->session))
        die("a session broke");
}

/* What the far ends do in a turn: guard.sh leaves it out by this name. */
__attribute__((noinline)) void far_ends_turn(void);
void far_ends_turn(void) {
    for (unsigned i = 0; i < ENDS; i++)
        end_turn(&ends[i]);
    if (ends[0].to.count + ends[1].to.count > 0) {
        idle_turns = 0;
        return;
    }
    if (landed == wanted)
        kill(getpid(), SIGTERM); /* blocked: the loop reads it from its descriptor */
    else if (++idle_turns > IDLE_TURNS_MAX)
        die("nothing moves");
}

/* --- net.h ------------------------------------------------------------------------------------------ */

static uint32_t key_of(const struct keyring *ring, const char *name) {
    for (uint32_t i = 0; i < ring->count; i++)
        if (strcmp(ring->keys[i].name, name) == 0)
            return i;
    return KEY_NONE;
}

int net_open(const struct net_options *o, const struct keyring *ring, struct net **ret, char *ret_why) {
    static const char *const names[ENDS] = {"portal", "answerer-agent"};
    static const enum door doors[ENDS] = {DOOR_REQUESTER, DOOR_DEPARTMENT};
    the_net.peers = calloc(o->peers_max, sizeof *the_net.peers);
    if (the_net.peers == NULL) {
        snprintf(ret_why, 256, "out of memory");
        return -EST_NO_MEMORY;
    }
    for (unsigned i = 0; i < ENDS; i++) {
        ends[i].peer = &the_net.peers[i];
        *ends[i].peer = (struct peer){.live = true,
                                      .door = doors[i],
                                      .key = key_of(ring, names[i]),
                                      .fd = -1,
                                      .frame_max = o->frame_max};
    }
    ends_open();
    *ret = &the_net;
    return 0;
}

void net_close(struct net **net) {
    if (*net)
        free((*net)->peers);
    *net = NULL;
}

bool net_wait(struct net *n, int wake_fd, int timeout_ms, est_time (*clock)(void)) {
    (void)n, (void)wake_fd, (void)timeout_ms, (void)clock;
    now.us += STEP_US;
    far_ends_turn();
    return ends[0].to.count + ends[1].to.count > 0;
}

const char *net_endpoint(const struct net *n, enum door door) {
    (void)n, (void)door;
    return "memory";
}

/* Turns, as the doors take them. What stays when a batch is full is read in the next. */
bool net_next(struct net *n, est_time at, struct incoming *ret) {
    (void)at;
    for (unsigned i = 0; i < ENDS; i++) {
        unsigned who = n->turn++ % ENDS;
        const struct buffer *frame = queue_take(&ends[who].to);
        if (!frame)
            continue;
        *ret = (struct incoming){.peer = who, .frame = buffer_slice(frame)};
        return true;
    }
    for (unsigned i = 0; i < ENDS; i++)
        queue_empty(&ends[i].to);
    return false;
}

uint32_t net_gone_next(struct net *n) {
    (void)n;
    return PEER_NONE;
}

struct peer *net_peer(struct net *n, uint32_t peer) {
    return &n->peers[peer];
}

struct buffer *net_out(struct net *n, uint32_t peer) {
    struct peer *p = &n->peers[peer];
    p->dirty = true;
    p->mark = p->out.size;
    return &p->out;
}

void net_sent(struct net *n, uint32_t peer) {
    struct peer *p = &n->peers[peer];
    if (1 + p->out.size - p->frame_start <= p->frame_max || p->mark == p->frame_start)
        return;
    if (p->cuts_count == CUTS_MAX)
        die("more frames than are expected in one batch");
    n->cuts[peer][p->cuts_count++] = p->mark;
    p->frame_start = p->mark;
}

static void frame_pass(struct far_end *end, const struct peer *p, size_t from, size_t to) {
    static const uint8_t version = PROTOCOL_VERSION;
    struct buffer *frame = queue_add(&end->from);
    buffer_put(frame, &version, 1);
    buffer_put(frame, p->out.data + from, to - from);
}

void net_prepare(struct net *n) {
    for (unsigned i = 0; i < ENDS; i++) {
        struct peer *p = ends[i].peer;
        size_t from = 0;
        for (size_t c = 0; c < p->cuts_count; from = n->cuts[i][c++])
            frame_pass(&ends[i], p, from, n->cuts[i][c]);
        if (p->out.size > from)
            frame_pass(&ends[i], p, from, p->out.size);
        buffer_clear(&p->out);
        p->cuts_count = p->frame_start = p->mark = 0;
        p->asks = 0;
        p->dirty = false;
    }
}

void net_flush(struct net *n, est_time at) {
    (void)n, (void)at;
}

void net_release(struct net *n, uint32_t peer, est_time at) {
    (void)n, (void)peer, (void)at;
    die("the broker let a far end go");
}

uint64_t net_owed(const struct net *n, uint32_t peer) {
    return n->peers[peer].out.size;
}

const struct net_counts *net_counts(const struct net *n) {
    return &n->counts;
}

const struct zap *net_zap(const struct net *n) {
    return &n->zap;
}

void net_silent_end(struct net *n, est_time before) {
    (void)n, (void)before;
}

bool net_turned_next(struct net *n, est_time at, char ret[TURNED_SIZE]) {
    (void)n, (void)at, (void)ret;
    return false;
}

/* --- The run ---------------------------------------------------------------------------------------- */

static int file_remove(const char *path, const struct stat *status, int kind, struct FTW *where) {
    (void)status, (void)kind, (void)where;
    return remove(path);
}

/* Every inquiry was accepted, answered, recorded and brought back, once; or nothing is said. */
static int verdict(int status) {
    if (status != 0 || landed != wanted || accepted != wanted || recorded != wanted) {
        fprintf(stderr, "guard: the broker ended with %d: %u of %u landed, %u accepted, %u recorded\n",
                status, landed, wanted, accepted, recorded);
        return 1;
    }
    printf("%u inquiries, %u in flight\n", wanted, window);
    return 0;
}

int main(int argc, char **argv) {
    const char *tmp = getenv("TMPDIR");
    struct plan plan = {.window = 1};
    struct stage stage = {.plan = &plan};
    struct bench_city city;
    char config[STAGE_PATH_SIZE];
    if (argc != 3 || (window = (unsigned)atoi(argv[1])) < 1 || window > EST_WINDOW_MAX ||
        (wanted = (uint32_t)atoi(argv[2])) < 1) {
        fprintf(stderr, "usage: guard WINDOW INQUIRIES\n");
        return 2;
    }
    snprintf(stage.directory, sizeof stage.directory, "%s/estelam-guard-XXXXXX",
             tmp && *tmp ? tmp : "/var/tmp");
    if (!mkdtemp(stage.directory) || city_write(&city, &stage) < 0) {
        fprintf(stderr, "guard: %s: %s\n", stage.directory, strerror(errno));
        return 1;
    }
    stage_path(&stage, "broker.yaml", config);
    char *arguments[] = {"estelam-broker", "--config", config, NULL};
    int status = broker_main(3, arguments);
    nftw(stage.directory, file_remove, 8, FTW_DEPTH | FTW_PHYS);
    return verdict(status);
}
