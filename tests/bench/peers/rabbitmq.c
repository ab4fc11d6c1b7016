/* rabbitmq.c - quorum queues: one of requests, one of replies for each requester.
 *
 * Messages are persistent, every publication is confirmed, every delivery is acknowledged by hand. A
 * player has a connection to publish and another to consume, as RabbitMQ's users are advised. An agent
 * acknowledges a request only when its answer is confirmed: the n-th publication answers the n-th
 * delivery, so that a confirm's number is the number to acknowledge. Whatever can be acknowledged at
 * once goes as one `multiple`.
 */
#include "flights.h"
#include "system.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <amqp.h>
#include <amqp_tcp_socket.h>

enum {
    CHANNEL = 1,
    FRAME_MAX = 131072,
    NAME_SIZE = 32,
    VARIABLES = 14,
    MARKS = 1 << 17,
    PREFETCH_MAX = 2000,
    LINGER_MS = 1000
};

static const char *const programs[] = {"/usr/lib/rabbitmq/bin/rabbitmq-server", NULL};
static const char *const port_mappers[] = {"/usr/bin/epmd", NULL};

struct server {
    unsigned port, epmd_port;
    pid_t epmd;
    amqp_connection_state_t connection;
};

/* --- The server ------------------------------------------------------------------------------------ */

static bool rabbitmq_is_there(void) {
    return stage_program_find(programs) && stage_program_find(port_mappers);
}

/* A connection with an open channel; NULL where there is none to be had. */
static amqp_connection_state_t rabbitmq_connect(unsigned port) {
    amqp_connection_state_t connection = amqp_new_connection();
    amqp_socket_t *socket = connection ? amqp_tcp_socket_new(connection) : NULL;
    if (socket && amqp_socket_open(socket, "127.0.0.1", (int)port) == AMQP_STATUS_OK &&
        amqp_login(connection, "/", 0, FRAME_MAX, 0, AMQP_SASL_METHOD_PLAIN, "guest", "guest").reply_type ==
            AMQP_RESPONSE_NORMAL &&
        amqp_channel_open(connection, CHANNEL))
        return connection;
    if (connection)
        amqp_destroy_connection(connection);
    return NULL;
}

static bool rabbitmq_is_up(struct stage *s) {
    struct server *server = s->own;
    if (stage_port_listens(server->port))
        server->connection = rabbitmq_connect(server->port);
    return server->connection != NULL;
}

/* Erlang's port mapper would otherwise be started as a daemon that outlives us. */
static int epmd_start(struct server *server) {
    char port[16];
    snprintf(port, sizeof port, "%u", server->epmd_port);
    server->epmd = fork();
    if (server->epmd == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        setpgid(0, 0);
        execl(port_mappers[0], "epmd", "-address", "127.0.0.1", "-port", port, (char *)NULL);
        _exit(127);
    }
    return server->epmd > 0 ? 0 : -EST_IO;
}

static int queue_make(amqp_connection_state_t connection, const char *name) {
    amqp_table_entry_t quorum = {
        .key = amqp_cstring_bytes("x-queue-type"),
        .value = {.kind = AMQP_FIELD_KIND_UTF8, .value.bytes = amqp_cstring_bytes("quorum")}};
    amqp_table_t arguments = {1, &quorum};
    if (amqp_queue_declare(connection, CHANNEL, amqp_cstring_bytes(name), 0, 1, 0, 0, arguments))
        return 0;
    bench_say("rabbitmq makes no queue");
    return -EST_IO;
}

static void queue_name(char name[NAME_SIZE], unsigned requester) {
    snprintf(name, NAME_SIZE, "replies%u", requester);
}

static int queues_make(const struct stage *s) {
    const struct server *server = s->own;
    char name[NAME_SIZE];
    int code = queue_make(server->connection, "requests");
    for (unsigned i = 0; i < s->plan->requesters && code == 0; i++) {
        queue_name(name, i);
        code = queue_make(server->connection, name);
    }
    return code;
}

/* All that is Erlang's is told by variables; with RABBITMQ_ALLOW_INPUT the script becomes the server. */
static int rabbitmq_open(struct stage *s) {
    struct server *server = s->own = calloc(1, sizeof *server);
    if (!server)
        return -EST_NO_MEMORY;
    server->port = stage_port_free();
    server->epmd_port = stage_port_free();
    char text[VARIABLES][STAGE_PATH_SIZE + 64], *arguments[VARIABLES + 3] = {"/usr/bin/env"};
    const char *d = s->directory;
    snprintf(text[0], sizeof *text, "HOME=%s", d);
    snprintf(text[1], sizeof *text, "ERL_EPMD_PORT=%u", server->epmd_port);
    snprintf(text[2], sizeof *text, "RABBITMQ_NODENAME=bench%u@localhost", server->port);
    snprintf(text[3], sizeof *text, "RABBITMQ_NODE_IP_ADDRESS=127.0.0.1");
    snprintf(text[4], sizeof *text, "RABBITMQ_NODE_PORT=%u", server->port);
    snprintf(text[5], sizeof *text, "RABBITMQ_DIST_PORT=%u", stage_port_free());
    snprintf(text[6], sizeof *text, "RABBITMQ_MNESIA_BASE=%s/mnesia", d);
    snprintf(text[7], sizeof *text, "RABBITMQ_LOGS=-");
    snprintf(text[8], sizeof *text, "RABBITMQ_LOG_BASE=%s/log", d);
    snprintf(text[9], sizeof *text, "RABBITMQ_ENABLED_PLUGINS_FILE=%s/plugins", d);
    snprintf(text[10], sizeof *text, "RABBITMQ_CONFIG_FILE=%s/rabbitmq.conf", d);
    snprintf(text[11], sizeof *text, "RABBITMQ_CONF_ENV_FILE=%s/none", d);
    snprintf(text[12], sizeof *text, "RABBITMQ_ALLOW_INPUT=1");
    snprintf(text[13], sizeof *text, "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=-noinput");
    for (int i = 0; i < VARIABLES; i++)
        arguments[i + 1] = text[i];
    arguments[VARIABLES + 1] = (char *)stage_program_find(programs);
    s->rough = true;
    int code =
        stage_file_write(s, "rabbitmq.conf", "log.console.level = error\ndisk_free_limit.absolute = 100MB\n");
    if (code == 0)
        code = epmd_start(server);
    if (code == 0)
        code = stage_server_start(s, arguments, -1, NULL);
    if (code == 0)
        code = stage_server_await(s, rabbitmq_is_up);
    return code < 0 ? code : queues_make(s);
}

static void rabbitmq_close(struct stage *s) {
    struct server *server = s->own;
    if (server && server->connection)
        amqp_destroy_connection(server->connection);
    if (server && server->epmd > 0) {
        kill(server->epmd, SIGKILL);
        waitpid(server->epmd, NULL, 0);
    }
    free(server);
}

/* Messages that are there to be delivered (again). */
static uint64_t ready_ask(const struct server *server, const char *name) {
    const amqp_queue_declare_ok_t *found = amqp_queue_declare(
        server->connection, CHANNEL, amqp_cstring_bytes(name), 1, 1, 0, 0, amqp_empty_table);
    return found ? found->message_count : COUNTER_UNKNOWN - 1;
}

static int rabbitmq_count(struct stage *s, struct counters *ret) {
    char name[NAME_SIZE];
    ret->open = ready_ask(s->own, "requests");
    ret->unacknowledged = 0;
    for (unsigned i = 0; i < s->plan->requesters; i++) {
        queue_name(name, i);
        ret->unacknowledged += ready_ask(s->own, name);
    }
    return 0;
}

/* --- Publishing and consuming ---------------------------------------------------------------------- */

struct player {
    const struct part *part;
    amqp_connection_state_t out, in;
    struct letter letter;
    uint64_t published, confirmed; /* all up to this one are confirmed */
    uint64_t delivered, acked;     /* delivery tags */
    bool marks[MARKS];             /* confirmed alone, before some that went out earlier */
    uint64_t *score;               /* where confirmed publications are counted */
    struct flights flights;        /* requesters */
};

static int failed(const struct player *p, int status) {
    return player_failed(p->part, "rabbitmq", amqp_error_string2(status));
}

static int publish(struct player *p, const char *queue, const struct ticket *ticket) {
    amqp_basic_properties_t properties = {._flags = AMQP_BASIC_DELIVERY_MODE_FLAG,
                                          .delivery_mode = AMQP_DELIVERY_PERSISTENT};
    amqp_bytes_t body = {p->letter.size, p->letter.bytes};
    ticket_write(p->letter.bytes, ticket);
    int status = amqp_basic_publish(p->out, CHANNEL, amqp_empty_bytes, amqp_cstring_bytes(queue), 0, 0,
                                    &properties, body);
    p->published++;
    return status == AMQP_STATUS_OK ? 0 : failed(p, status);
}

/* Counts each publication once, whether confirmed alone or with all before it. */
static int confirm_take(struct player *p, uint64_t tag, bool multiple) {
    if (tag > p->published)
        return player_failed(p->part, "a confirm of nothing", NULL);
    if (!multiple && tag > p->confirmed && !p->marks[tag % MARKS]) {
        p->marks[tag % MARKS] = true;
        ++*p->score;
    }
    for (uint64_t i = p->confirmed + 1; multiple && i <= tag; i++) {
        *p->score += !p->marks[i % MARKS];
        p->marks[i % MARKS] = true;
    }
    for (; p->confirmed < p->published && p->marks[(p->confirmed + 1) % MARKS]; p->confirmed++)
        p->marks[(p->confirmed + 1) % MARKS] = false;
    return 0;
}

/* A letter is in one frame: frames are larger than bodies may be. */
static int letter_take(struct player *p, amqp_bytes_t body) {
    struct ticket ticket;
    char name[NAME_SIZE];
    if (!ticket_read(body.bytes, body.len, &ticket))
        return player_failed(p->part, "a message that nobody sent", NULL);
    if (p->flights.window > 0) {
        flight_land(&p->flights, &ticket, bench_now_us());
        return 0;
    }
    p->part->score->offered++;
    queue_name(name, ticket.requester);
    return publish(p, name, &ticket);
}

static int method_take(struct player *p, const amqp_method_t *method) {
    switch (method->id) {
    case AMQP_BASIC_ACK_METHOD: {
        const amqp_basic_ack_t *ack = method->decoded;
        return confirm_take(p, ack->delivery_tag, ack->multiple);
    }
    case AMQP_BASIC_DELIVER_METHOD:
        p->delivered = ((const amqp_basic_deliver_t *)method->decoded)->delivery_tag;
        return 0;
    default:
        return player_failed(p->part, "rabbitmq said", amqp_method_name(method->id));
    }
}

/* Takes what has come on this connection, without waiting. */
static int frames_take(struct player *p, amqp_connection_state_t from) {
    struct timeval none = {0};
    amqp_frame_t frame;
    int status, code = 0;
    while (code == 0 && (status = amqp_simple_wait_frame_noblock(from, &frame, &none)) == AMQP_STATUS_OK) {
        if (frame.frame_type == AMQP_FRAME_METHOD)
            code = method_take(p, &frame.payload.method);
        else if (frame.frame_type == AMQP_FRAME_BODY)
            code = letter_take(p, frame.payload.body_fragment);
    }
    amqp_maybe_release_buffers(from);
    if (code == 0 && status != AMQP_STATUS_TIMEOUT)
        code = failed(p, status);
    return code;
}

/* Waits for either connection, takes what there is, and acknowledges what may be. */
static int step(struct player *p) {
    struct pollfd at[] = {{.fd = amqp_get_sockfd(p->in), .events = POLLIN},
                          {.fd = amqp_get_sockfd(p->out), .events = POLLIN}};
    poll(at, 2, PLAYER_WAIT_MS);
    if ((at[0].revents && frames_take(p, p->in)) || (at[1].revents && frames_take(p, p->out)))
        return 1;
    uint64_t due = p->flights.window > 0 ? p->delivered : p->confirmed;
    if (due > p->acked) {
        int status = amqp_basic_ack(p->in, CHANNEL, due, 1);
        p->acked = due;
        return status == AMQP_STATUS_OK ? 0 : failed(p, status);
    }
    return 0;
}

/* --- The players ----------------------------------------------------------------------------------- */

static int player_open(struct player *p, const char *queue, bool reply) {
    const struct server *server = p->part->stage->own;
    unsigned prefetch = 2 * part_share(p->part) + 16;
    p->out = rabbitmq_connect(server->port);
    p->in = rabbitmq_connect(server->port);
    if (!p->out || !p->in || letter_make(&p->letter, p->part->plan->body, reply) < 0)
        return player_failed(p->part, "no connection", NULL);
    if (prefetch > PREFETCH_MAX || !reply)
        prefetch = PREFETCH_MAX;
    if (!amqp_confirm_select(p->out, CHANNEL) || !amqp_basic_qos(p->in, CHANNEL, 0, (uint16_t)prefetch, 0) ||
        !amqp_basic_consume(p->in, CHANNEL, amqp_cstring_bytes(queue), amqp_empty_bytes, 0, 0, 0,
                            amqp_empty_table))
        return player_failed(p->part, "rabbitmq gives no messages", NULL);
    return player_await(p->part) ? 0 : 1;
}

/* A channel that is closed in order has read every acknowledgement before. But under load it holds them
 * back until its queue has taken in earlier ones, and loses them when it closes: up to 900 messages were
 * ready again, in seven rows of ten. So it gets time, that nobody measures. */
static int linger(struct player *p) {
    int64_t until_us = bench_now_us() + LINGER_MS * EST_US_PER_MS;
    int status = 0;
    while (status == 0 && bench_now_us() < until_us)
        status = step(p);
    return status;
}

static void player_close(struct player *p) {
    if (p->in) {
        amqp_channel_close(p->in, CHANNEL, AMQP_REPLY_SUCCESS);
        amqp_destroy_connection(p->in);
    }
    if (p->out)
        amqp_destroy_connection(p->out);
    letter_done(&p->letter);
}

static int fly(struct player *p) {
    for (int64_t now_us = bench_now_us();
         !flights_are_over(&p->flights, now_us) || p->confirmed < p->published; now_us = bench_now_us()) {
        if (now_us > p->part->board->drain_us)
            return player_trouble(p->part, "inquiries are missing", EST_TIMEOUT, (est_slice){0});
        for (struct ticket ticket; flight_next(&p->flights, now_us, &ticket);) {
            flight_depart(&p->flights, &ticket, now_us);
            if (publish(p, "requests", &ticket))
                return 1;
        }
        if (step(p))
            return 1;
    }
    return 0;
}

static int rabbitmq_requester(const struct part *part) {
    static struct player p;
    char name[NAME_SIZE];
    p.part = part;
    p.score = &part->score->accepted;
    queue_name(name, part->index);
    int status = flights_make(&p.flights, part) < 0 || player_open(&p, name, false) || fly(&p) ||
                 linger(&p);
    player_close(&p);
    flights_done(&p.flights);
    return status;
}

static int work(struct player *p) {
    while (!player_is_leaving() || p->acked < p->delivered)
        if (step(p))
            return 1;
    return 0;
}

static int rabbitmq_agent(const struct part *part) {
    static struct player p;
    p.part = part;
    p.score = &part->score->recorded;
    player_leave_on_signal();
    int status = player_open(&p, "requests", true) || work(&p);
    player_close(&p);
    return status;
}

const struct system system_rabbitmq = {
    .name = "rabbitmq",
    .durable =
        "quorum queues, one node, publisher confirms both ways: the log of each batch is synced before it "
        "is confirmed",
    .is_there = rabbitmq_is_there,
    .open = rabbitmq_open,
    .close = rabbitmq_close,
    .count = rabbitmq_count,
    .requester = rabbitmq_requester,
    .agent = rabbitmq_agent,
};
