/* beanstalkd.c - a tube of requests, a tube of replies for each requester.
 *
 * The protocol is plain text on one connection, and its commands may be pipelined: a turn deletes the
 * jobs that were read, puts the new ones, and reserves what comes next: one that waits, and then as
 * many that do not wait as seems worth it, twice as many as the last turn found. There is no command
 * for many jobs at once.
 */
#include "flights.h"
#include "system.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Each put is a sync, so that a turn of more than TURN of them would only be late. */
enum { TURN = 64, LINE_SIZE = 256, INPUT_SIZE = 1 << 20 };

static const char *const programs[] = {"/usr/bin/beanstalkd", "/usr/local/bin/beanstalkd", NULL};

/* Replies come in the order of the commands, so that counting is enough to know which is whose. */
struct player {
    const struct part *part;
    int fd;
    struct letter letter;
    struct buffer out;
    char in[INPUT_SIZE + BENCH_BODY_MAX];
    size_t in_used, in_read;
    uint64_t jobs[TURN]; /* reserved, to be deleted in the next turn */
    struct ticket tickets[TURN];
    unsigned jobs_count;
    unsigned deletes, puts, uses, reserves; /* of this turn, to be replied to */
    unsigned wanted;                        /* reserves of the next turn */
    uint32_t tube;                          /* that puts go to */
    uint64_t *added;                        /* where jobs that are on disk are counted */
    struct flights flights;                 /* requesters */
};

/* --- The server ------------------------------------------------------------------------------------ */

static bool beanstalkd_is_there(void) {
    return stage_program_find(programs) != NULL;
}

static int beanstalkd_connect(const struct stage *s) {
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    snprintf(at.sun_path, sizeof at.sun_path, "%.90s/socket", s->directory);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof at) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

static bool beanstalkd_is_up(struct stage *s) {
    int fd = beanstalkd_connect(s);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

static int beanstalkd_open(struct stage *s) {
    char program[STAGE_PATH_SIZE], listen[STAGE_PATH_SIZE + 16];
    snprintf(program, sizeof program, "%s", stage_program_find(programs));
    snprintf(listen, sizeof listen, "unix:%s/socket", s->directory);
    char *const arguments[] = {program, "-b", s->directory, "-f0", "-z", "100000", "-l", listen, NULL};
    s->rough = true;
    int code = stage_server_start(s, arguments, -1, NULL);
    return code < 0 ? code : stage_server_await(s, beanstalkd_is_up);
}

/* "current-jobs-ready: 0" and its like in the answer to `stats`. */
static uint64_t number_find(const char *text, const char *name) {
    const char *at = strstr(text, name);
    return at ? strtoull(at + strlen(name), NULL, 10) : COUNTER_UNKNOWN - 1;
}

static int beanstalkd_count(struct stage *s, struct counters *ret) {
    char text[8192];
    size_t used = 0;
    int fd = beanstalkd_connect(s);
    ssize_t got = fd >= 0 ? write(fd, "stats\r\n", 7) : -1;
    while (got > 0 && used + 1 < sizeof text && (used < 4 || memcmp(text + used - 4, "\"\n\r\n", 4) != 0) &&
           (used < 3 || memcmp(text + used - 3, "\n\r\n", 3) != 0)) {
        got = read(fd, text + used, sizeof text - 1 - used);
        used += got > 0 ? (size_t)got : 0;
    }
    text[used] = 0;
    if (fd >= 0)
        close(fd);
    ret->open = number_find(text, "\ncurrent-jobs-ready: ");
    ret->unacknowledged = number_find(text, "\ncurrent-jobs-reserved: ");
    /* Requests and replies are all jobs to it. */
    uint64_t jobs = number_find(text, "\ntotal-jobs: ");
    ret->submitted = ret->answered = jobs % 2 == 0 ? jobs / 2 : jobs;
    return 0;
}

/* --- A turn ---------------------------------------------------------------------------------------- */

static void line_put(struct player *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void line_put(struct player *p, const char *format, ...) {
    char line[LINE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    buffer_put(&p->out, line, (size_t)size);
}

static void job_put(struct player *p, uint32_t tube, const struct ticket *ticket) {
    if (p->tube != tube) {
        line_put(p, "use t%u\r\n", tube);
        p->tube = tube;
        p->uses++;
    }
    ticket_write(p->letter.bytes, ticket);
    line_put(p, "put 0 0 600 %zu\r\n", p->letter.size);
    buffer_put(&p->out, p->letter.bytes, p->letter.size);
    buffer_put(&p->out, "\r\n", 2);
    p->puts++;
}

static void jobs_delete(struct player *p) {
    for (unsigned i = 0; i < p->jobs_count; i++)
        line_put(p, "delete %llu\r\n", (unsigned long long)p->jobs[i]);
    p->deletes = p->jobs_count;
    p->jobs_count = 0;
}

/* Who has more to put does not wait. */
static void jobs_reserve(struct player *p) {
    bool waits = p->flights.idle_count == 0 || bench_now_us() >= p->part->board->until_us;
    line_put(p, "reserve-with-timeout %d\r\n", waits);
    for (unsigned i = 1; i < p->wanted; i++)
        line_put(p, "reserve-with-timeout 0\r\n");
    p->reserves = p->wanted;
}

/* Reads while it writes: beanstalkd stops reading from who does not listen. */
static int exchange(struct player *p, size_t *sent) {
    bool writes = *sent < p->out.size;
    struct pollfd at = {.fd = p->fd, .events = (short)(POLLIN | (writes ? POLLOUT : 0))};
    if (poll(&at, 1, 2000) < 0 && errno != EINTR)
        return player_failed(p->part, "poll", strerror(errno));
    if (at.revents & POLLOUT) {
        ssize_t done = send(p->fd, p->out.data + *sent, p->out.size - *sent, MSG_DONTWAIT);
        *sent += done > 0 ? (size_t)done : 0;
    }
    if (!(at.revents & (POLLIN | POLLHUP | POLLERR)))
        return 0;
    memmove(p->in, p->in + p->in_read, p->in_used - p->in_read);
    p->in_used -= p->in_read;
    p->in_read = 0;
    ssize_t got = recv(p->fd, p->in + p->in_used, sizeof p->in - p->in_used, MSG_DONTWAIT);
    if (got == 0)
        return player_failed(p->part, "the connection was closed", NULL);
    p->in_used += got > 0 ? (size_t)got : 0;
    return 0;
}

/* The next line of what came, without its end; NULL where it is not whole. */
static const char *line_next(const struct player *p, size_t *ret_size) {
    const char *from = p->in + p->in_read, *end = memchr(from, '\n', p->in_used - p->in_read);
    if (!end || end == from)
        return NULL;
    *ret_size = (size_t)(end + 1 - from);
    return from;
}

static bool begins(const char *line, size_t size, const char *word) {
    return size >= strlen(word) && memcmp(line, word, strlen(word)) == 0;
}

static int wrong(const struct player *p, const char *line, size_t size) {
    return player_trouble(p->part, "beanstalkd", EST_MALFORMED, (est_slice){line, size});
}

/* "RESERVED id bytes", and the job. 1: not all of it is there. */
static int job_take(struct player *p, const char *line, size_t size, size_t *ret_used) {
    char *at;
    struct ticket ticket;
    uint64_t id = strtoull(line + strlen("RESERVED "), &at, 10);
    size_t bytes = strtoul(at, NULL, 10);
    if (p->in_used - p->in_read < size + bytes + 2)
        return 1;
    if (p->jobs_count == TURN || !ticket_read(line + size, bytes, &ticket))
        return -wrong(p, line, size);
    p->tickets[p->jobs_count] = ticket;
    p->jobs[p->jobs_count++] = id;
    *ret_used = size + bytes + 2;
    if (p->flights.window > 0)
        flight_land(&p->flights, &ticket, bench_now_us());
    return 0;
}

/* One reply of what came. 0; 1 where it is not whole; negative after trouble. */
static int reply_take(struct player *p) {
    size_t size;
    const char *line = line_next(p, &size);
    if (!line)
        return 1;
    const struct {
        const char *word;
        unsigned *left;
    } expected[] = {
        {"DELETED", &p->deletes}, {"USING", &p->uses}, {"INSERTED", &p->puts}, {"TIMED_OUT", &p->reserves}};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        if (begins(line, size, expected[i].word) && *expected[i].left > 0) {
            --*expected[i].left;
            *p->added += expected[i].left == &p->puts;
            p->in_read += size;
            return 0;
        }
    if (!begins(line, size, "RESERVED ") || p->reserves == 0)
        return -wrong(p, line, size);
    int code = job_take(p, line, size, &size);
    if (code == 0) {
        p->reserves--;
        p->in_read += size;
    }
    return code;
}

/* Sends what is in the pipeline and takes every reply to it; answers land as they come. */
static int turn(struct player *p, bool reserves) {
    size_t sent = 0;
    if (reserves)
        jobs_reserve(p);
    if (p->out.failed)
        return player_trouble(p->part, "memory", EST_NO_MEMORY, (est_slice){0});
    while (p->deletes + p->uses + p->puts + p->reserves > 0) {
        int code = reply_take(p);
        if (code < 0 || (code == 1 && exchange(p, &sent)))
            return 1;
        if (bench_now_us() > p->part->board->drain_us)
            return player_trouble(p->part, "replies are missing", EST_TIMEOUT, (est_slice){0});
    }
    buffer_clear(&p->out);
    unsigned share = part_share(p->part), most = share < TURN ? share : TURN;
    p->wanted = 2 * p->jobs_count > 1 ? 2 * p->jobs_count : 1;
    p->wanted = p->wanted < most ? p->wanted : most;
    return 0;
}

/* --- The players ----------------------------------------------------------------------------------- */

enum { TUBE_REQUESTS = PLAYERS_MAX, TUBE_NONE };

static int player_open(struct player *p, const struct part *part, uint32_t tube, bool reply) {
    p->part = part;
    p->wanted = 1;
    p->tube = TUBE_NONE;
    p->added = reply ? &part->score->recorded : &part->score->accepted;
    buffer_init(&p->out);
    p->fd = beanstalkd_connect(part->stage);
    if (p->fd < 0 || letter_make(&p->letter, part->plan->body, reply) < 0)
        return player_failed(part, "no connection", strerror(errno));
    char watch[LINE_SIZE];
    int size = snprintf(watch, sizeof watch, "watch t%u\r\nignore default\r\n", tube);
    static const char wanted[] = "WATCHING 2\r\nWATCHING 1\r\n";
    size_t used = 0;
    for (ssize_t got = write(p->fd, watch, (size_t)size); got > 0 && used < sizeof wanted - 1;
         used += (size_t)got)
        got = read(p->fd, p->in + used, sizeof wanted - 1 - used);
    if (used != sizeof wanted - 1 || memcmp(p->in, wanted, used) != 0)
        return player_failed(part, "beanstalkd does not watch", NULL);
    return player_await(part) ? 0 : 1;
}

static void player_close(struct player *p) {
    if (p->fd >= 0)
        close(p->fd);
    buffer_done(&p->out);
    letter_done(&p->letter);
}

static int fly(struct player *p) {
    for (int64_t now_us = bench_now_us(); !flights_are_over(&p->flights, now_us); now_us = bench_now_us()) {
        jobs_delete(p);
        for (struct ticket ticket; p->puts < TURN && flight_next(&p->flights, now_us, &ticket);) {
            job_put(p, TUBE_REQUESTS, &ticket);
            flight_depart(&p->flights, &ticket, now_us);
        }
        if (turn(p, true))
            return 1;
    }
    jobs_delete(p);
    return turn(p, false);
}

static int beanstalkd_requester(const struct part *part) {
    static struct player p;
    int status = flights_make(&p.flights, part) < 0 || player_open(&p, part, part->index, false) || fly(&p);
    player_close(&p);
    flights_done(&p.flights);
    return status;
}

/* Answers are put before what they answer is deleted: the commands are carried out in order. */
static void answers_put(struct player *p) {
    for (unsigned i = 0; i < p->jobs_count; i++)
        job_put(p, p->tickets[i].requester, &p->tickets[i]);
    p->part->score->offered += p->jobs_count;
    jobs_delete(p);
}

static int work(struct player *p) {
    while (!player_is_leaving()) {
        answers_put(p);
        if (turn(p, true))
            return 1;
    }
    answers_put(p);
    return turn(p, false);
}

static int beanstalkd_agent(const struct part *part) {
    static struct player p;
    player_leave_on_signal();
    int status = player_open(&p, part, TUBE_REQUESTS, true) || work(&p);
    player_close(&p);
    return status;
}

const struct system system_beanstalkd = {
    .name = "beanstalkd",
    .durable = "-b -f0: each put and each delete is written and synced by itself, before its reply",
    .is_there = beanstalkd_is_there,
    .open = beanstalkd_open,
    .count = beanstalkd_count,
    .requester = beanstalkd_requester,
    .agent = beanstalkd_agent,
};
