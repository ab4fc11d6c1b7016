/* postgres.c - PostgreSQL as a queue: two tables, SELECT … FOR UPDATE SKIP LOCKED, LISTEN and NOTIFY.
 *
 * A turn of a player is one transaction, sent as one pipeline: rows that were taken at its beginning
 * are gone, and rows made of them are there, with its commit. So the answer and the agent's
 * acknowledgement are one write, and so are the requester's acknowledgement and its next inquiries.
 * The next turn's rows are asked for in the same pipeline, behind the commit. Who finds none ends the
 * transaction and waits to be notified.
 */
#include "flights.h"
#include "system.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include <libpq-fe.h>

enum {
    ROWS_MAX = 1000,
    OID_BYTEA = 17,
    OID_INT = 23,
    CONNINFO_SIZE = STAGE_PATH_SIZE + 64,
    CHANNEL_SIZE = 32
};

static const char *const servers[] = {"/usr/lib/postgresql/15/bin/postgres", NULL};
static const char *const makers[] = {"/usr/lib/postgresql/15/bin/initdb", NULL};

static const char schema[] =
    "CREATE TABLE requests (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, letter bytea NOT NULL);"
    "CREATE TABLE replies (requester int, id bigint GENERATED ALWAYS AS IDENTITY, letter bytea NOT NULL,"
    " PRIMARY KEY (requester, id));";

/* --- The server ------------------------------------------------------------------------------------ */

static bool postgres_is_there(void) {
    return stage_program_find(servers) && stage_program_find(makers);
}

static PGconn *postgres_connect(const struct stage *s) {
    char where[CONNINFO_SIZE];
    snprintf(where, sizeof where, "host=%s user=bench dbname=postgres", s->directory);
    PGconn *connection = PQconnectdb(where);
    if (PQstatus(connection) == CONNECTION_OK)
        return connection;
    PQfinish(connection);
    return NULL;
}

static bool postgres_is_up(struct stage *s) {
    s->own = postgres_connect(s);
    return s->own != NULL;
}

/* The log of transactions is synced at each commit, as by default. What is set is what a user with a
 * busy queue sets: room for the log, plans that use the index of a table that was empty just now. */
static int postgres_open(struct stage *s) {
    char *const make[] = {(char *)stage_program_find(makers),
                          "-D",
                          "data",
                          "-U",
                          "bench",
                          "--auth=trust",
                          "--no-sync",
                          "-E",
                          "UTF8",
                          "--locale=C",
                          NULL};
    char *const serve[] = {(char *)stage_program_find(servers),
                           "-D",
                           "data",
                           "-k",
                           s->directory,
                           "-c",
                           "listen_addresses=",
                           "-c",
                           "fsync=on",
                           "-c",
                           "synchronous_commit=on",
                           "-c",
                           "shared_buffers=512MB",
                           "-c",
                           "wal_level=minimal",
                           "-c",
                           "max_wal_senders=0",
                           "-c",
                           "max_wal_size=8GB",
                           "-c",
                           "wal_buffers=16MB",
                           "-c",
                           "jit=off",
                           "-c",
                           "enable_seqscan=off",
                           "-c",
                           "enable_bitmapscan=off",
                           NULL};
    int code = stage_program_run(s, make, "postgres");
    if (code == 0)
        code = stage_server_start(s, serve, -1, "postgres");
    if (code == 0)
        code = stage_server_await(s, postgres_is_up);
    if (code < 0)
        return code;
    PGresult *made = PQexec(s->own, schema);
    bool failed = PQresultStatus(made) != PGRES_COMMAND_OK;
    PQclear(made);
    if (failed)
        bench_say("postgres: %s", PQerrorMessage(s->own));
    return failed ? -EST_IO : 0;
}

static void postgres_close(struct stage *s) {
    if (s->own)
        PQfinish(s->own);
}

static uint64_t number_ask(struct stage *s, const char *query) {
    PGresult *result = PQexec(s->own, query);
    bool found = PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1;
    uint64_t value = found ? strtoull(PQgetvalue(result, 0, 0), NULL, 10) : COUNTER_UNKNOWN - 1;
    PQclear(result);
    return value;
}

/* The sequences tell how many rows there ever were: no transaction was given up. */
static int postgres_count(struct stage *s, struct counters *ret) {
    ret->submitted = number_ask(s, "SELECT last_value FROM requests_id_seq");
    ret->answered = number_ask(s, "SELECT last_value FROM replies_id_seq");
    ret->open = number_ask(s, "SELECT count(*) FROM requests");
    ret->unacknowledged = number_ask(s, "SELECT count(*) FROM replies");
    return 0;
}

/* --- A turn ---------------------------------------------------------------------------------------- */

/* An array in PostgreSQL's binary format, built as rows come. */
struct array {
    struct buffer bytes;
    uint32_t count;
};

struct player {
    const struct part *part;
    PGconn *connection;
    struct letter letter;
    struct array letters, owners; /* rows to be made; whose, where they are replies */
    bool owed[PLAYERS_MAX];       /* requesters to be notified */
    bool in_transaction, eager;   /* eager: ask for rows behind the commit */
    unsigned taken;               /* rows that the last turn brought */
    uint64_t *score;              /* where rows that are on disk are counted */
    void (*take)(struct player *, const struct ticket *);
    struct flights flights; /* requesters */
};

static void word_put(struct buffer *to, uint32_t word) {
    word = htonl(word);
    buffer_put(to, &word, sizeof word);
}

static void array_begin(struct array *a, uint32_t type) {
    buffer_clear(&a->bytes);
    a->count = 0;
    const uint32_t head[] = {1, 0, type, 0, 1}; /* dimensions, nulls, type, length, first index */
    for (size_t i = 0; i < sizeof head / sizeof *head; i++)
        word_put(&a->bytes, head[i]);
}

static void array_end(struct array *a) {
    uint32_t count = htonl(a->count);
    if (!a->bytes.failed)
        memcpy(a->bytes.data + 3 * sizeof count, &count, sizeof count);
}

static void rows_begin(struct player *p) {
    array_begin(&p->letters, OID_BYTEA);
    array_begin(&p->owners, OID_INT);
    memset(p->owed, 0, sizeof p->owed);
}

static void row_put(struct player *p, const struct ticket *ticket) {
    ticket_write(p->letter.bytes, ticket);
    word_put(&p->letters.bytes, (uint32_t)p->letter.size);
    buffer_put(&p->letters.bytes, p->letter.bytes, p->letter.size);
    word_put(&p->owners.bytes, sizeof(uint32_t));
    word_put(&p->owners.bytes, ticket->requester);
    p->letters.count++;
    p->owners.count++;
    p->owed[ticket->requester] = true;
}

static bool statement_send(struct player *p, const char *name, int count, const char *const *values,
                           const int *sizes) {
    static const int binary[] = {1, 1};
    return PQsendQueryPrepared(p->connection, name, count, values, sizes, binary, 1) == 1;
}

/* "put" of a requester takes letters alone. Notifications go out with the commit. */
static bool rows_send(struct player *p) {
    bool replies = p->flights.window == 0;
    array_end(&p->letters);
    array_end(&p->owners);
    const char *values[] = {(char *)p->letters.bytes.data, (char *)p->owners.bytes.data};
    const int sizes[] = {(int)p->letters.bytes.size, (int)p->owners.bytes.size};
    bool sent = !p->letters.bytes.failed && !p->owners.bytes.failed &&
                statement_send(p, "put", replies ? 2 : 1, values, sizes);
    for (unsigned i = 0; i < PLAYERS_MAX && sent && replies; i++) {
        char channel[CHANNEL_SIZE];
        const char *value = channel;
        int size = snprintf(channel, sizeof channel, "replies%u", i);
        sent = !p->owed[i] || statement_send(p, "notify", 1, &value, &size);
    }
    return sent && (replies || statement_send(p, "notify", 1, &(const char *){"requests"}, &(int){8}));
}

static int rows_take(struct player *p, const PGresult *result) {
    p->taken = (unsigned)PQntuples(result);
    for (unsigned i = 0; i < p->taken; i++) {
        struct ticket ticket;
        if (!ticket_read(PQgetvalue(result, (int)i, 0), (size_t)PQgetlength(result, (int)i, 0), &ticket))
            return player_failed(p->part, "a row that nobody wrote", NULL);
        p->take(p, &ticket);
    }
    return 0;
}

/* Results of a pipeline, up to its end. The one with letters is what was taken. */
static int results_take(struct player *p) {
    for (bool ended = false; !ended;) {
        PGresult *result = PQgetResult(p->connection);
        ExecStatusType status = result ? PQresultStatus(result) : PGRES_COMMAND_OK;
        int code = 0;
        if (status == PGRES_TUPLES_OK && PQftype(result, 0) == OID_BYTEA)
            code = rows_take(p, result);
        else if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_PIPELINE_SYNC)
            code = player_failed(p->part, "postgres", PQerrorMessage(p->connection));
        ended = status == PGRES_PIPELINE_SYNC;
        PQclear(result);
        if (code)
            return code;
    }
    return 0;
}

/* Ends the transaction that is open, with the rows that are ready; then, if asked for, takes rows in
 * the next. */
static int turn(struct player *p, bool take) {
    unsigned made = p->letters.count;
    bool ends = p->in_transaction || made > 0, sent = true;
    if (made > 0 && !p->in_transaction)
        sent = statement_send(p, "begin", 0, NULL, NULL);
    if (made > 0)
        sent = sent && rows_send(p);
    if (ends)
        sent = sent && statement_send(p, "commit", 0, NULL, NULL);
    if (take)
        sent = sent && statement_send(p, "begin", 0, NULL, NULL) && statement_send(p, "take", 0, NULL, NULL);
    if (!sent || !PQpipelineSync(p->connection))
        return player_failed(p->part, "postgres", PQerrorMessage(p->connection));
    rows_begin(p);
    p->taken = 0;
    p->in_transaction = take;
    int status = results_take(p);
    *p->score += status == 0 ? made : 0;
    return status;
}

/* Waits until something has been notified, or PLAYER_WAIT_MS are over. */
static void news_await(struct player *p) {
    struct pollfd in = {.fd = PQsocket(p->connection), .events = POLLIN};
    bool any = false;
    PQconsumeInput(p->connection);
    for (int turns = 0; turns < 2; turns++) {
        for (PGnotify *news; (news = PQnotifies(p->connection)); PQfreemem(news))
            any = true;
        if (any || turns == 1)
            return;
        poll(&in, 1, PLAYER_WAIT_MS);
        PQconsumeInput(p->connection);
    }
}

/* One turn: what is ready goes, what is there comes. Nothing there: the transaction ends, and we wait. */
static int turn_whole(struct player *p) {
    bool has_rows = p->letters.count > 0;
    if (turn(p, p->eager || !has_rows))
        return 1;
    if (p->taken > 0)
        return 0;
    if (p->in_transaction && turn(p, false))
        return 1;
    news_await(p);
    return 0;
}

/* --- The players ----------------------------------------------------------------------------------- */

static bool prepare(struct player *p, const char *name, const char *query) {
    PGresult *result = PQprepare(p->connection, name, query, 0, NULL);
    bool done = PQresultStatus(result) == PGRES_COMMAND_OK;
    PQclear(result);
    return done;
}

static bool command(struct player *p, const char *query) {
    PGresult *result = PQexec(p->connection, query);
    bool done = PQresultStatus(result) == PGRES_COMMAND_OK;
    PQclear(result);
    return done;
}

static int player_open(struct player *p, const char *put, const char *take, const char *listen, bool reply) {
    buffer_init(&p->letters.bytes);
    buffer_init(&p->owners.bytes);
    rows_begin(p);
    p->connection = postgres_connect(p->part->stage);
    if (!p->connection || letter_make(&p->letter, p->part->plan->body, reply) < 0)
        return player_failed(p->part, "no connection", NULL);
    if (!prepare(p, "begin", "BEGIN") || !prepare(p, "commit", "COMMIT") || !prepare(p, "put", put) ||
        !prepare(p, "take", take) || !prepare(p, "notify", "SELECT pg_notify($1::text, '')") ||
        !command(p, listen) || !PQenterPipelineMode(p->connection))
        return player_failed(p->part, "postgres", PQerrorMessage(p->connection));
    return player_await(p->part) ? 0 : 1;
}

static void player_close(struct player *p) {
    if (p->connection)
        PQfinish(p->connection);
    buffer_done(&p->letters.bytes);
    buffer_done(&p->owners.bytes);
    letter_done(&p->letter);
}

static void answer_take(struct player *p, const struct ticket *ticket) {
    flight_land(&p->flights, ticket, bench_now_us());
}

static int fly(struct player *p) {
    for (int64_t now_us = bench_now_us(); !flights_are_over(&p->flights, now_us); now_us = bench_now_us()) {
        if (now_us > p->part->board->drain_us)
            return player_trouble(p->part, "inquiries are missing", EST_TIMEOUT, (est_slice){0});
        for (struct ticket ticket; flight_next(&p->flights, now_us, &ticket);) {
            row_put(p, &ticket);
            flight_depart(&p->flights, &ticket, now_us);
        }
        if (turn_whole(p))
            return 1;
    }
    return p->in_transaction ? turn(p, false) : 0;
}

static int postgres_requester(const struct part *part) {
    static struct player p;
    char take[128], listen[64];
    p = (struct player){
        .part = part, .score = &part->score->accepted, .take = answer_take, .eager = part->plan->window > 1};
    snprintf(take, sizeof take, "DELETE FROM replies WHERE requester = %u RETURNING letter", part->index);
    snprintf(listen, sizeof listen, "LISTEN replies%u", part->index);
    int status =
        flights_make(&p.flights, part) < 0 ||
        player_open(&p, "INSERT INTO requests (letter) SELECT unnest($1::bytea[])", take, listen, false) ||
        fly(&p);
    player_close(&p);
    flights_done(&p.flights);
    return status;
}

static void work_take(struct player *p, const struct ticket *ticket) {
    row_put(p, ticket);
    p->part->score->offered++;
}

static int work(struct player *p) {
    while (!player_is_leaving())
        if (turn_whole(p))
            return 1;
    return p->in_transaction ? turn(p, false) : 0;
}

static int postgres_agent(const struct part *part) {
    static struct player p;
    char take[256];
    unsigned share = part_share(part);
    p = (struct player){
        .part = part, .score = &part->score->recorded, .take = work_take, .eager = part->plan->window > 1};
    snprintf(take, sizeof take,
             "DELETE FROM requests WHERE id = ANY (ARRAY (SELECT id FROM requests ORDER BY id "
             "FOR UPDATE SKIP LOCKED LIMIT %u)) RETURNING letter",
             share < ROWS_MAX ? share : ROWS_MAX);
    player_leave_on_signal();
    int status = player_open(&p,
                             "INSERT INTO replies (requester, letter) "
                             "SELECT o, l FROM unnest($2::int[], $1::bytea[]) AS u (o, l)",
                             take, "LISTEN requests", true) ||
                 work(&p);
    player_close(&p);
    return status;
}

const struct system system_postgres = {
    .name = "postgres",
    .durable =
        "PostgreSQL 15, synchronous_commit on: the log of transactions is synced before a commit returns; "
        "an agent's answer and acknowledgement are one commit",
    .is_there = postgres_is_there,
    .open = postgres_open,
    .close = postgres_close,
    .count = postgres_count,
    .requester = postgres_requester,
    .agent = postgres_agent,
};
