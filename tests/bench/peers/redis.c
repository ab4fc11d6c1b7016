/* redis.c - Redis Streams with consumer groups.
 *
 * A stream of requests that a group of agents reads, and a stream of replies for each requester. All
 * of a turn goes out in one pipeline: the new entries and the acknowledgement of what was read, as one
 * MULTI, and the blocking read of what comes next. Redis carries them out in that order, and with
 * appendfsync always it holds all replies of one turn of its loop back until the file is synced.
 *
 * Two things of its loop shape the rest. It serves a blocked reader after each command, so without
 * MULTI the first of many new entries would travel alone. And it takes at most 16 KiB from a
 * connection in one turn, one sync each; so a player has several connections, as many consumers.
 */
#include "flights.h"
#include "system.h"

#include <poll.h>
#include <string.h>

#include <hiredis/hiredis.h>

enum { SHARE = 64, STREAMS_MAX = 16, ID_SIZE = 24, NAME_SIZE = 32 };

static const char *const programs[] = {"/usr/bin/redis-server", "/usr/local/bin/redis-server", NULL};

struct player;

/* A connection, a consumer of its own: its turn is under way, or it has taken leave. */
struct stream {
    redisContext *redis;
    char ids[SHARE][ID_SIZE];            /* read and not acknowledged */
    unsigned ids_count, added, receipts; /* XADDs of this turn; replies to come before its read's */
    bool reads, closed;
};

/* What requester and agent have in common: streams, and what to do in a turn. */
struct player {
    const struct part *part;
    char name[NAME_SIZE]; /* of the stream that it reads */
    struct stream streams[STREAMS_MAX];
    unsigned count;
    struct letter letter;
    struct flights flights; /* requesters */
    uint64_t *added;        /* where entries that are on disk are counted */
    bool (*is_over)(const struct player *);
    void (*take)(struct player *, struct stream *, const struct ticket *);
};

/* --- The server ------------------------------------------------------------------------------------ */

static bool redis_is_there(void) {
    return stage_program_find(programs) != NULL;
}

static redisContext *redis_connect(const struct stage *s) {
    char path[STAGE_PATH_SIZE];
    stage_path(s, "redis.sock", path);
    redisContext *redis = redisConnectUnix(path);
    if (redis && !redis->err)
        return redis;
    if (redis)
        redisFree(redis);
    return NULL;
}

static bool redis_is_up(struct stage *s) {
    s->own = redis_connect(s);
    return s->own != NULL;
}

static int groups_make(struct stage *s) {
    for (unsigned i = 0; i <= s->plan->requesters; i++) {
        char name[NAME_SIZE] = "requests";
        if (i > 0)
            snprintf(name, sizeof name, "replies:%u", i - 1);
        redisReply *reply = redisCommand(s->own, "XGROUP CREATE %s readers 0 MKSTREAM", name);
        bool made = reply && reply->type == REDIS_REPLY_STATUS;
        freeReplyObject(reply);
        if (!made) {
            bench_say("redis makes no group");
            return -EST_IO;
        }
    }
    return 0;
}

/* No snapshots and no rewrite of the file while it is measured: both would be to Redis's loss. */
static int redis_open(struct stage *s) {
    char program[STAGE_PATH_SIZE];
    snprintf(program, sizeof program, "%s", stage_program_find(programs));
    char *const arguments[] = {program,      "--port",
                               "0",          "--unixsocket",
                               "redis.sock", "--appendonly",
                               "yes",        "--appendfsync",
                               "always",     "--save",
                               "",           "--auto-aof-rewrite-percentage",
                               "0",          "--stream-node-max-entries",
                               "1000",       NULL};
    int code = stage_server_start(s, arguments, -1, NULL);
    if (code == 0)
        code = stage_server_await(s, redis_is_up);
    return code < 0 ? code : groups_make(s);
}

static void redis_close(struct stage *s) {
    if (s->own)
        redisFree(s->own);
}

static uint64_t number_ask(struct stage *s, const char *command, const char *name) {
    redisReply *reply = redisCommand(s->own, command, name);
    const redisReply *number =
        reply && reply->type == REDIS_REPLY_ARRAY && reply->elements > 0 ? reply->element[0] : reply;
    uint64_t value =
        number && number->type == REDIS_REPLY_INTEGER ? (uint64_t)number->integer : COUNTER_UNKNOWN - 1;
    freeReplyObject(reply);
    return value;
}

/* Entries stay in a stream; what is read and not acknowledged is pending in the group. */
static int redis_count(struct stage *s, struct counters *ret) {
    ret->submitted = number_ask(s, "XLEN %s", "requests");
    ret->open = number_ask(s, "XPENDING %s readers", "requests");
    ret->answered = ret->unacknowledged = 0;
    for (unsigned i = 0; i < s->plan->requesters; i++) {
        char name[NAME_SIZE];
        snprintf(name, sizeof name, "replies:%u", i);
        ret->answered += number_ask(s, "XLEN %s", name);
        ret->unacknowledged += number_ask(s, "XPENDING %s readers", name);
    }
    return 0;
}

/* --- A turn ---------------------------------------------------------------------------------------- */

static void entry_add(struct player *p, struct stream *st, const char *to, const struct ticket *ticket) {
    const char *words[] = {"XADD", to, "*", "b", p->letter.bytes};
    const size_t sizes[] = {4, strlen(to), 1, 1, p->letter.size};
    if (st->added == 0)
        redisAppendCommand(st->redis, "MULTI");
    ticket_write(p->letter.bytes, ticket);
    redisAppendCommandArgv(st->redis, 5, words, sizes);
    st->added++;
}

static unsigned entries_ack(const struct player *p, struct stream *st) {
    const char *words[3 + SHARE] = {"XACK", p->name, "readers"};
    unsigned count = st->ids_count;
    for (unsigned i = 0; i < count; i++)
        words[3 + i] = st->ids[i];
    if (count > 0)
        redisAppendCommandArgv(st->redis, 3 + (int)count, words, NULL);
    st->ids_count = 0;
    return count > 0;
}

/* New flights, as far as there are any: agents have none. */
static void flights_add(struct player *p, struct stream *st) {
    int64_t now_us = bench_now_us();
    struct ticket ticket;
    while (st->added < SHARE && p->flights.window > 0 && flight_next(&p->flights, now_us, &ticket)) {
        entry_add(p, st, "requests", &ticket);
        flight_depart(&p->flights, &ticket, now_us);
    }
}

/* Sends a turn; the last one acknowledges and reads no more. */
static int turn_send(struct player *p, struct stream *st) {
    int done = 0;
    flights_add(p, st);
    st->receipts = entries_ack(p, st) + st->added;
    if (st->added > 0) {
        redisAppendCommand(st->redis, "EXEC");
        st->receipts += 2;
    }
    st->reads = !p->is_over(p);
    if (st->reads)
        redisAppendCommand(st->redis, "XREADGROUP GROUP readers c%u COUNT %d BLOCK %d STREAMS %s >",
                           p->part->index, SHARE, PLAYER_WAIT_MS, p->name);
    st->closed = !st->reads && st->receipts == 0;
    while (!st->closed && !done)
        if (redisBufferWrite(st->redis, &done) != REDIS_OK)
            return player_failed(p->part, "redis", st->redis->errstr);
    return 0;
}

/* [[stream, [[id, [field, value]], ...]]], or nothing after PLAYER_WAIT_MS. */
static int entries_take(struct player *p, struct stream *st, const redisReply *reply) {
    const redisReply *entries = reply->type == REDIS_REPLY_ARRAY ? reply->element[0]->element[1] : NULL;
    for (size_t i = 0; entries && i < entries->elements && i < SHARE; i++) {
        const redisReply *entry = entries->element[i], *value = entry->element[1]->element[1];
        struct ticket ticket;
        if (!ticket_read(value->str, value->len, &ticket))
            return player_failed(p->part, "an entry that nobody wrote", NULL);
        snprintf(st->ids[st->ids_count++], ID_SIZE, "%s", entry->element[0]->str);
        p->take(p, st, &ticket);
    }
    return turn_send(p, st);
}

static int reply_take(struct player *p, struct stream *st, const redisReply *reply) {
    if (reply->type == REDIS_REPLY_ERROR)
        return player_failed(p->part, "redis", reply->str);
    if (st->receipts == 0)
        return entries_take(p, st, reply);
    if (--st->receipts > 0)
        return 0;
    *p->added += st->added;
    st->added = 0;
    st->closed = !st->reads;
    return 0;
}

static int replies_take(struct player *p, struct stream *st) {
    int status = 0;
    void *reply = NULL;
    if (redisBufferRead(st->redis) != REDIS_OK)
        return player_failed(p->part, "redis", st->redis->errstr);
    while (status == 0 && !st->closed) {
        if (redisGetReplyFromReader(st->redis, &reply) != REDIS_OK)
            return player_failed(p->part, "redis", st->redis->errstr);
        if (!reply)
            return 0;
        status = reply_take(p, st, reply);
        freeReplyObject(reply);
    }
    return status;
}

/* --- The players ----------------------------------------------------------------------------------- */

static bool streams_wait(const struct player *p, struct pollfd polls[STREAMS_MAX]) {
    bool any = false;
    for (unsigned i = 0; i < p->count; i++) {
        polls[i] =
            (struct pollfd){.fd = p->streams[i].closed ? -1 : p->streams[i].redis->fd, .events = POLLIN};
        any |= !p->streams[i].closed;
    }
    if (any)
        poll(polls, p->count, PLAYER_WAIT_MS);
    return any;
}

static int play(struct player *p) {
    struct pollfd polls[STREAMS_MAX];
    for (unsigned i = 0; i < p->count; i++)
        if (turn_send(p, &p->streams[i]))
            return 1;
    while (streams_wait(p, polls)) {
        for (unsigned i = 0; i < p->count; i++)
            if (polls[i].revents && replies_take(p, &p->streams[i]))
                return 1;
        if (bench_now_us() > p->part->board->drain_us)
            return player_trouble(p->part, "inquiries are missing", EST_TIMEOUT, (est_slice){0});
    }
    return 0;
}

/* Connects, waits for the signal, plays. */
static int player_run(struct player *p, unsigned in_flight, bool reply) {
    unsigned wanted = (in_flight + SHARE - 1) / SHARE;
    int status = letter_make(&p->letter, p->part->plan->body, reply) < 0;
    for (wanted = wanted < STREAMS_MAX ? wanted : STREAMS_MAX; p->count < wanted && status == 0; p->count++)
        if (!(p->streams[p->count].redis = redis_connect(p->part->stage)))
            status = player_failed(p->part, "no connection", NULL);
    if (status == 0)
        status = !player_await(p->part) || play(p);
    for (unsigned i = 0; i < p->count; i++)
        if (p->streams[i].redis)
            redisFree(p->streams[i].redis);
    letter_done(&p->letter);
    return status;
}

static bool requester_is_over(const struct player *p) {
    return flights_are_over(&p->flights, bench_now_us());
}

static void answer_take(struct player *p, struct stream *st, const struct ticket *ticket) {
    (void)st;
    flight_land(&p->flights, ticket, bench_now_us());
}

static int redis_requester(const struct part *part) {
    static struct player p;
    p = (struct player){
        .part = part, .added = &part->score->accepted, .is_over = requester_is_over, .take = answer_take};
    snprintf(p.name, sizeof p.name, "replies:%u", part->index);
    int status = flights_make(&p.flights, part) < 0 || player_run(&p, part->plan->window, false);
    flights_done(&p.flights);
    return status;
}

static bool agent_is_over(const struct player *p) {
    (void)p;
    return player_is_leaving();
}

static void work_take(struct player *p, struct stream *st, const struct ticket *ticket) {
    char to[NAME_SIZE];
    snprintf(to, sizeof to, "replies:%u", ticket->requester);
    entry_add(p, st, to, ticket);
    p->part->score->offered++;
}

static int redis_agent(const struct part *part) {
    static struct player p;
    p = (struct player){
        .part = part, .added = &part->score->recorded, .is_over = agent_is_over, .take = work_take};
    snprintf(p.name, sizeof p.name, "requests");
    player_leave_on_signal();
    return player_run(&p, part_share(part), true);
}

const struct system system_redis = {
    .name = "redis",
    .durable =
        "Streams, appendonly yes, appendfsync always: the file is synced before any reply of a turn of "
        "the server's loop goes out; no snapshot, no rewrite meanwhile",
    .is_there = redis_is_there,
    .open = redis_open,
    .close = redis_close,
    .count = redis_count,
    .requester = redis_requester,
    .agent = redis_agent,
};
