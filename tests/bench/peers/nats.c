/* nats.c - JetStream on files: a stream of requests, a stream of replies, a subject for each requester.
 *
 * Publications are asynchronous, and their acknowledgements are counted as they come. Consumers are
 * durable and pulled: a pull for a batch is always under way, and renewed when half of it has come. (By
 * the protocol of pulls itself: the library's fetch has a pull for each call, and in 3.4 it writes past
 * the end of its list when messages of an earlier one come late.) A requester acknowledges a batch with
 * its last message. An agent acknowledges a request when the acknowledgement of its answer has come:
 * these come in the order of the answers.
 */
#include "flights.h"
#include "system.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <nats/nats.h>

enum { NAME_SIZE = 64, BATCH_MAX = 512, PENDING_MAX = 1 << 17, SETTLE_MS = 5000, STEP_MS = 10 };

static const char *const programs[] = {"/usr/sbin/nats-server", "/usr/bin/nats-server", NULL};

struct wire {
    natsOptions *options;
    natsConnection *connection;
    jsCtx *js;
};

struct server {
    unsigned port;
    struct wire wire; /* in a child of ours, see child_run */
};

/* --- Connections ----------------------------------------------------------------------------------- */

static void wire_close(struct wire *w) {
    jsCtx_Destroy(w->js);
    natsConnection_Destroy(w->connection);
    natsOptions_Destroy(w->options);
    *w = (struct wire){0};
}

/* `soon`: what is sent goes at once, without the library's millisecond for more to come. */
static natsStatus wire_open(struct wire *w, unsigned port, bool soon, jsPubAckHandler on_ack, void *with) {
    char url[NAME_SIZE], inbox[NAME_SIZE];
    jsOptions js;
    jsOptions_Init(&js);
    js.PublishAsync.MaxPending = PENDING_MAX;
    js.PublishAsync.AckHandler = on_ack;
    js.PublishAsync.AckHandlerClosure = with;
    /* Names that the library draws may be the same in processes that begin at the same instant. */
    snprintf(inbox, sizeof inbox, "_INBOX%d", (int)getpid());
    snprintf(url, sizeof url, "nats://127.0.0.1:%u", port);
    natsStatus status = natsOptions_Create(&w->options);
    if (status == NATS_OK)
        status = natsOptions_SetURL(w->options, url);
    if (status == NATS_OK)
        status = natsOptions_SetSendAsap(w->options, soon);
    if (status == NATS_OK)
        status = natsOptions_SetCustomInboxPrefix(w->options, inbox);
    if (status == NATS_OK)
        status = natsConnection_Connect(&w->connection, w->options);
    if (status == NATS_OK)
        status = natsConnection_JetStream(&w->js, w->connection, &js);
    return status;
}

/* --- The server ------------------------------------------------------------------------------------ */

static bool nats_is_there(void) {
    return stage_program_find(programs) != NULL;
}

static bool nats_is_up(struct stage *s) {
    return stage_port_listens(((struct server *)s->own)->port);
}

static natsStatus stream_make(const struct server *server, const char *name, const char *subject) {
    jsStreamConfig config;
    jsErrCode code;
    const char *subjects[] = {subject};
    jsStreamConfig_Init(&config);
    config.Name = name;
    config.Subjects = subjects;
    config.SubjectsLen = 1;
    config.Storage = js_FileStorage;
    return js_AddStream(NULL, server->wire.js, &config, NULL, &code);
}

static natsStatus consumer_make(const struct server *server, const char *stream, const char *name,
                                const char *subject, jsAckPolicy policy) {
    jsConsumerConfig config;
    jsErrCode code;
    jsConsumerConfig_Init(&config);
    config.Durable = name;
    config.FilterSubject = subject;
    config.AckPolicy = policy;
    config.MaxAckPending = PENDING_MAX;
    config.MaxWaiting = 10000;
    return js_AddConsumer(NULL, server->wire.js, stream, &config, NULL, &code);
}

static void names_make(unsigned requester, char consumer[NAME_SIZE], char subject[NAME_SIZE]) {
    snprintf(consumer, NAME_SIZE, "r%u", requester);
    snprintf(subject, NAME_SIZE, "replies.%u", requester);
}

static natsStatus streams_make(const struct stage *s, struct counters *ret) {
    (void)ret;
    const struct server *server = s->own;
    char consumer[NAME_SIZE], subject[NAME_SIZE];
    natsStatus status = stream_make(server, "REQUESTS", "requests");
    if (status == NATS_OK)
        status = stream_make(server, "REPLIES", "replies.*");
    if (status == NATS_OK)
        status = consumer_make(server, "REQUESTS", "agents", "requests", js_AckExplicit);
    for (unsigned i = 0; i < s->plan->requesters && status == NATS_OK; i++) {
        names_make(i, consumer, subject);
        status = consumer_make(server, "REPLIES", consumer, subject, js_AckAll);
    }
    return status;
}

static uint64_t messages_ask(const struct server *server, const char *stream) {
    jsStreamInfo *info = NULL;
    jsErrCode code;
    uint64_t count = COUNTER_UNKNOWN - 1;
    if (js_GetStreamInfo(&info, server->wire.js, stream, NULL, &code) == NATS_OK)
        count = info->State.Msgs;
    jsStreamInfo_Destroy(info);
    return count;
}

/* Acknowledgements are not answered, so that the last ones may still be on their way. */
static uint64_t pending_ask(const struct server *server, const char *stream, const char *consumer) {
    int64_t until_us = bench_now_us() + SETTLE_MS * EST_US_PER_MS;
    for (;;) {
        jsConsumerInfo *info = NULL;
        jsErrCode code;
        uint64_t count = COUNTER_UNKNOWN - 1;
        if (js_GetConsumerInfo(&info, server->wire.js, stream, consumer, NULL, &code) == NATS_OK)
            count = (uint64_t)info->NumAckPending + info->NumPending;
        jsConsumerInfo_Destroy(info);
        if (count == 0 || bench_now_us() > until_us)
            return count;
        nats_Sleep(STEP_MS);
    }
}

static natsStatus counters_ask(const struct stage *s, struct counters *ret) {
    const struct server *server = s->own;
    char consumer[NAME_SIZE], subject[NAME_SIZE];
    ret->submitted = messages_ask(server, "REQUESTS");
    ret->answered = messages_ask(server, "REPLIES");
    ret->open = pending_ask(server, "REQUESTS", "agents");
    ret->unacknowledged = 0;
    for (unsigned i = 0; i < s->plan->requesters; i++) {
        names_make(i, consumer, subject);
        ret->unacknowledged += pending_ask(server, "REPLIES", consumer);
    }
    return NATS_OK;
}

/* The library has threads, and names that it draws once for a process. The players are our forks, so
 * that we may not touch it ourselves: two of them would have one name. */
static int child_run(struct stage *s, natsStatus (*task)(const struct stage *, struct counters *),
                     struct counters *ret) {
    struct server *server = s->own;
    int ends[2], status = 1;
    if (pipe(ends) != 0)
        return -EST_IO;
    pid_t pid = fork();
    if (pid == 0) {
        natsStatus code = wire_open(&server->wire, server->port, false, NULL, NULL);
        if (code == NATS_OK)
            code = task(s, ret);
        if (code != NATS_OK)
            bench_say("nats: %s", natsStatus_GetText(code));
        _exit(code != NATS_OK || write(ends[1], ret, sizeof *ret) != sizeof *ret);
    }
    close(ends[1]);
    if (pid > 0 && read(ends[0], ret, sizeof *ret) == sizeof *ret)
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
            continue;
    else if (pid > 0)
        waitpid(pid, NULL, 0);
    close(ends[0]);
    return status == 0 ? 0 : -EST_IO;
}

static int nats_count(struct stage *s, struct counters *ret) {
    return child_run(s, counters_ask, ret);
}

static int nats_open(struct stage *s) {
    struct server *server = s->own = calloc(1, sizeof *server);
    char config[STAGE_PATH_SIZE + 128];
    char *const arguments[] = {(char *)stage_program_find(programs), "-c", "nats.conf", NULL};
    if (!server)
        return -EST_NO_MEMORY;
    server->port = stage_port_free();
    s->rough = true;
    snprintf(config, sizeof config, "host: 127.0.0.1\nport: %u\njetstream { store_dir: \"%s/js\" }\n",
             server->port, s->directory);
    int code = stage_file_write(s, "nats.conf", config);
    if (code == 0)
        code = stage_server_start(s, arguments, -1, NULL);
    if (code == 0)
        code = stage_server_await(s, nats_is_up);
    return code < 0 ? code : child_run(s, streams_make, &(struct counters){0});
}

static void nats_close(struct stage *s) {
    free(s->own);
}

/* --- The players ----------------------------------------------------------------------------------- */

/* Two threads: ours publishes and fetches; the library's tells of acknowledgements. */
struct player {
    const struct part *part;
    struct wire wire;
    natsSubscription *in;
    char inbox[NAME_SIZE], pull[2 * NAME_SIZE]; /* where messages come to, and are asked for */
    unsigned coming;                            /* asked for, and not come */
    struct letter letter;
    unsigned batch;
    struct flights flights;      /* requesters */
    natsMsg *asked[PENDING_MAX]; /* agents: requests whose answers are not acknowledged, a ring */
    natsMsg *last;               /* requesters: come and not acknowledged */
    atomic_ullong published, acked;
    atomic_bool broken;
};

static int failed(const struct player *p, natsStatus status) {
    return player_failed(p->part, "nats", natsStatus_GetText(status));
}

static void message_ack(struct player *p, const natsMsg *message) {
    natsConnection_PublishString(p->wire.connection, natsMsg_GetReply(message), "+ACK");
}

/* In the library's thread. The n-th acknowledgement is of the n-th publication: its ticket shows it. */
static void on_ack(jsCtx *js, natsMsg *message, jsPubAck *ack, jsPubAckErr *error, void *with) {
    (void)js;
    struct player *p = with;
    unsigned long long number = atomic_load(&p->acked);
    natsMsg **asked = &p->asked[number % PENDING_MAX];
    if (!ack || (*asked && memcmp(natsMsg_GetData(*asked), natsMsg_GetData(message), TICKET_SIZE) != 0)) {
        player_failed(p->part, "nats acknowledged", error ? error->ErrText : "out of order");
        atomic_store(&p->broken, true);
    }
    if (*asked) {
        message_ack(p, *asked);
        natsMsg_Destroy(*asked);
        *asked = NULL;
    }
    natsMsg_Destroy(message);
    atomic_store(&p->acked, number + 1);
}

static int publish(struct player *p, const char *subject, const struct ticket *ticket, natsMsg *asked) {
    ticket_write(p->letter.bytes, ticket);
    p->asked[atomic_fetch_add(&p->published, 1) % PENDING_MAX] = asked;
    natsStatus status = js_PublishAsync(p->wire.js, subject, p->letter.bytes, (int)p->letter.size, NULL);
    return status == NATS_OK ? 0 : failed(p, status);
}

static natsStatus pull(struct player *p) {
    char request[NAME_SIZE];
    if (p->coming > p->batch / 2)
        return NATS_OK;
    snprintf(request, sizeof request, "{\"batch\":%u}", p->batch - p->coming);
    p->coming = p->batch;
    return natsConnection_PublishRequestString(p->wire.connection, p->pull, p->inbox, request);
}

/* Waits for one message, and takes all that have come then. The messages are `take`'s. */
static int messages_take(struct player *p, int (*take)(struct player *, natsMsg *, const struct ticket *)) {
    int come = 1, code = 0;
    natsStatus status = pull(p);
    for (int waits_ms = PLAYER_WAIT_MS; status == NATS_OK && come > 0 && code == 0; waits_ms = 1) {
        natsMsg *message;
        struct ticket ticket;
        status = natsSubscription_NextMsg(&message, p->in, waits_ms);
        if (status != NATS_OK)
            break;
        p->coming--;
        natsSubscription_GetPending(p->in, &come, NULL);
        if (ticket_read(natsMsg_GetData(message), (size_t)natsMsg_GetDataLength(message), &ticket))
            code = take(p, message, &ticket);
        else
            code = player_failed(p->part, "a message that nobody sent", natsMsg_GetData(message));
    }
    return status == NATS_OK || status == NATS_TIMEOUT ? code : failed(p, status);
}

/* Keeps the last one: it acknowledges those before it. */
static int answer_take(struct player *p, natsMsg *message, const struct ticket *ticket) {
    natsMsg_Destroy(p->last);
    p->last = message;
    flight_land(&p->flights, ticket, bench_now_us());
    return 0;
}

static int answers_take(struct player *p) {
    int code = messages_take(p, answer_take);
    if (p->last)
        message_ack(p, p->last);
    natsMsg_Destroy(p->last);
    p->last = NULL;
    return code;
}

static int request_take(struct player *p, natsMsg *message, const struct ticket *ticket) {
    char consumer[NAME_SIZE], subject[NAME_SIZE];
    names_make(ticket->requester, consumer, subject);
    p->part->score->offered++;
    return publish(p, subject, ticket, message);
}

static int player_open(struct player *p, const char *stream, const char *consumer, bool reply) {
    const struct server *server = p->part->stage->own;
    unsigned share = part_share(p->part);
    p->batch = share < BATCH_MAX ? share : BATCH_MAX;
    snprintf(p->pull, sizeof p->pull, "$JS.API.CONSUMER.MSG.NEXT.%s.%s", stream, consumer);
    snprintf(p->inbox, sizeof p->inbox, "_PULL%d", (int)getpid());
    natsStatus status = wire_open(&p->wire, server->port, p->part->plan->window == 1, on_ack, p);
    if (status == NATS_OK)
        status = natsConnection_SubscribeSync(&p->in, p->wire.connection, p->inbox);
    if (status != NATS_OK)
        return failed(p, status);
    if (letter_make(&p->letter, p->part->plan->body, reply) < 0)
        return player_failed(p->part, "memory", NULL);
    return player_await(p->part) ? 0 : 1;
}

/* Everything that was published has been acknowledged, and our own acknowledgements have gone. */
static int player_end(struct player *p, uint64_t *score) {
    natsStatus status = js_PublishAsyncComplete(p->wire.js, NULL);
    if (status == NATS_OK)
        status = natsConnection_FlushTimeout(p->wire.connection, SETTLE_MS);
    *score = atomic_load(&p->acked);
    return status == NATS_OK ? atomic_load(&p->broken) : failed(p, status);
}

static void player_close(struct player *p) {
    natsSubscription_Destroy(p->in);
    wire_close(&p->wire);
    letter_done(&p->letter);
}

static int fly(struct player *p) {
    for (int64_t now_us = bench_now_us(); !flights_are_over(&p->flights, now_us); now_us = bench_now_us()) {
        if (now_us > p->part->board->drain_us)
            return player_trouble(p->part, "inquiries are missing", EST_TIMEOUT, (est_slice){0});
        for (struct ticket ticket; flight_next(&p->flights, now_us, &ticket);) {
            flight_depart(&p->flights, &ticket, now_us);
            if (publish(p, "requests", &ticket, NULL))
                return 1;
        }
        if (answers_take(p))
            return 1;
    }
    return player_end(p, &p->part->score->accepted);
}

static int nats_requester(const struct part *part) {
    static struct player p;
    char consumer[NAME_SIZE], subject[NAME_SIZE];
    p.part = part;
    names_make(part->index, consumer, subject);
    int status = flights_make(&p.flights, part) < 0 || player_open(&p, "REPLIES", consumer, false) || fly(&p);
    player_close(&p);
    flights_done(&p.flights);
    return status;
}

static int work(struct player *p) {
    while (!player_is_leaving())
        if (messages_take(p, request_take))
            return 1;
    return player_end(p, &p->part->score->recorded);
}

static int nats_agent(const struct part *part) {
    static struct player p;
    p.part = part;
    player_leave_on_signal();
    int status = player_open(&p, "REQUESTS", "agents", true) || work(&p);
    player_close(&p);
    return status;
}

const struct system system_nats = {
    .name = "nats",
    .durable =
        "JetStream on files: NOT synced before it is acknowledged, but about every two minutes; a power cut "
        "takes what was promised since",
    .unsynced = true,
    .is_there = nats_is_there,
    .open = nats_open,
    .close = nats_close,
    .count = nats_count,
    .requester = nats_requester,
    .agent = nats_agent,
};
