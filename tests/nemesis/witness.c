/* witness.c - asks the broker, when all is quiet, for everything it says of everything that anybody
 * ever asked, and writes that down. It judges nothing.
 *
 * For each account, on a session of that account: the status (with bodies) and the timeline of
 * every id that its requesters ever used, answered or not; some ids of other accounts and of nobody,
 * which must look alike; and then the results that still wait, until all that the record calls
 * unacknowledged have come. As operator: the counters. It is one process with one history, in which
 * `account` says as whom it asked.
 *
 *     nemesis-witness FOLDER witness NAME … (as every part; its account is the operator)
 *                     followed by: ENDPOINT-OF-REQUESTERS, then ACCOUNT PUBLIC SECRET for each
 */
#include "part.h"
#include "ids.h"
#include "lines.h"

#include <glob.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ASKS_AT_ONCE = 512,
    PATIENCE_MS = 20000,
    RESULTS_WINDOW = 1024,
    FOREIGN_EVERY = 97,
    FOREIGN_NUMBERS = 64
};
/* What an ask is about is in its ref: place * ASK_KINDS + kind. */
enum { ASK_STATUS, ASK_TIMELINE, ASK_FOREIGN, ASK_FOREIGN_NUMBER, ASK_STATS, ASK_KINDS };

static struct part part;
static struct {
    const char *name;
    struct ids *own, *foreign;
    est_client *client;
    size_t outstanding, unacknowledged; /* asks; ends that nobody acknowledged, by the record */
    struct ids came;                    /* results that came here */
    uint64_t numbers[FOREIGN_NUMBERS];  /* of other accounts' inquiries */
    size_t numbers_count;
} as;

/* requester-ACCOUNT-… */
static void account_of(const char *path, char ret_account[64]) {
    const char *name = strrchr(path, '/') + 1 + strlen("requester-");
    snprintf(ret_account, 64, "%.*s", (int)strcspn(name, "-."), name);
}

static void id_take(void *arg, const json_t *line) {
    est_id id;
    if (line_is(line, "invoke") && line_id(line, &id))
        ids_add(arg, &id, 0);
}

/* Of the others', the newest. */
static void number_take(void *arg, const json_t *line) {
    id_take(arg, line);
    if (line_is(line, "ok"))
        as.numbers[as.numbers_count++ % FOREIGN_NUMBERS] = (uint64_t)line_int(line, "number");
}

/* All ids of this account, and a few of the others'. */
static void ids_read(void) {
    struct ids others = {0};
    glob_t found;
    char pattern[512], account[64];
    unsigned line;
    snprintf(pattern, sizeof pattern, "%s/requester-*.jsonl", part.folder);
    if (glob(pattern, 0, NULL, &found) != 0)
        return;
    for (size_t i = 0; i < found.gl_pathc; i++) {
        account_of(found.gl_pathv[i], account);
        if (strcmp(account, as.name) == 0)
            lines_read(found.gl_pathv[i], id_take, as.own, &line);
        else
            lines_read(found.gl_pathv[i], number_take, &others, &line);
    }
    globfree(&found);
    for (size_t i = 0, place; i < others.count; i += FOREIGN_EVERY)
        if (!ids_find(as.own, &others.keys[i].id, 0, &place))
            ids_add(as.foreign, &others.keys[i].id, 0);
    for (int i = 0; i < 8; i++) {
        est_id nobodys;
        est_id_new(&nobodys);
        ids_add(as.foreign, &nobodys, 0);
    }
    ids_done(&others);
}

/* --- What the broker says ------------------------------------------------------------------------ */

static void outcome_tell(const char *what, const est_event *e, const char *more) {
    char hex[ID_HEX_SIZE];
    id_hex(&e->id, hex);
    tell(&part, what,
         "\"account\":\"%s\",\"id\":\"%s\",\"number\":%" PRIu64 ",\"state\":\"%s\",\"outcome\":\"%s\","
         "\"signer\":\"%.*s\",\"digest\":\"%016" PRIx64 "\"%s",
         as.name, hex, e->number, est_state_name(e->state), est_outcome_name(e->outcome), (int)e->signer.size,
         (const char *)e->signer.data, digest(e->body), more);
}

static void status_tell(const est_event *e) {
    char more[320];
    snprintf(more, sizeof more,
             ",\"due\":%" PRId64 ",\"ended\":%" PRId64
             ",\"tracking\":\"%.*s\",\"type\":\"%.*s\",\"of\":\"%.*s\",\"request\":\"%016" PRIx64
             "\",\"acked\":%s,\"attempts\":%u",
             e->due.us, e->ended.us, (int)e->tracking.size, (const char *)e->tracking.data, (int)e->type.size,
             (const char *)e->type.data, (int)e->account.size, (const char *)e->account.data,
             digest(e->request), e->acked.us ? "true" : "false", e->attempts);
    outcome_tell("status", e, more);
    as.unacknowledged += e->acked.us == 0 && est_state_is_final(e->state);
}

static void timeline_tell(const est_event *e) {
    char hex[ID_HEX_SIZE], events[1200];
    est_timeline_row row;
    size_t size = 0;
    unsigned expired = 0;
    events[0] = '\0';
    for (size_t i = 0; est_row_timeline(e, i, &row) && size + 96 < sizeof events; i++) {
        size += (size_t)snprintf(events + size, sizeof events - size, "%s\"%.*s\"", i ? "," : "",
                                 (int)row.event.size, (const char *)row.event.data);
        expired += row.code == EST_LEASE_EXPIRED;
    }
    id_hex(&e->id, hex);
    tell(&part, "timeline", "\"account\":\"%s\",\"id\":\"%s\",\"events\":[%s],\"leases_expired\":%u", as.name,
         hex, events, expired);
}

static void stats_tell(const est_event *e) {
    est_stat_row row;
    for (size_t i = 0; est_row_stat(e, i, &row); i++)
        tell(&part, "stat", "\"name\":\"%.*s\",\"value\":%" PRIu64, (int)row.name.size,
             (const char *)row.name.data, row.value);
}

static void refusal_tell(const est_event *e) {
    char hex[ID_HEX_SIZE] = "";
    unsigned kind = e->ref % ASK_KINDS;
    size_t place = e->ref / ASK_KINDS;
    if (kind == ASK_FOREIGN)
        id_hex(&as.foreign->keys[place].id, hex);
    else if (kind != ASK_FOREIGN_NUMBER)
        id_hex(&as.own->keys[place].id, hex);
    tell(&part, kind == ASK_FOREIGN || kind == ASK_FOREIGN_NUMBER ? "foreign" : "absent",
         "\"account\":\"%s\",\"id\":\"%s\",\"code\":\"%s\"", as.name, hex, est_code_name(e->code));
}

static void event_take(const est_event *e) {
    switch (e->kind) {
    case EST_EVENT_RESULT:
        outcome_tell("result", e, "");
        est_client_ack(as.client, e->number);
        ids_add(&as.came, &e->id, 0);
        return;
    case EST_EVENT_STATUS:
        if (e->ref % ASK_KINDS == ASK_FOREIGN || e->ref % ASK_KINDS == ASK_FOREIGN_NUMBER)
            outcome_tell("leak", e, "");
        else
            status_tell(e);
        break;
    case EST_EVENT_TIMELINE:
        timeline_tell(e);
        break;
    case EST_EVENT_STATS:
        stats_tell(e);
        break;
    case EST_EVENT_REFUSED:
        refusal_tell(e);
        break;
    default:
        return;
    }
    as.outstanding--;
}

/* --- Asking -------------------------------------------------------------------------------------- */

/* Waits for one event at least; ends the program where none comes, since then nothing can be judged. */
static void hear(void) {
    est_event event;
    int64_t until = monotonic_us() + PATIENCE_MS * EST_US_PER_MS;
    size_t outstanding = as.outstanding, came = as.came.count;
    while (as.outstanding == outstanding && as.came.count == came) {
        if (monotonic_us() > until) {
            fprintf(stderr, "witness: as %s: %zu asks have no answer; %zu results came of %zu\n", as.name,
                    as.outstanding, as.came.count, as.unacknowledged);
            tell(&part, "silence", "\"account\":\"%s\",\"asks\":%zu,\"came\":%zu,\"of\":%zu", as.name,
                 as.outstanding, as.came.count, as.unacknowledged);
            exit(4);
        }
        for (int wait = 100; est_client_poll(as.client, wait, &event) == 1; wait = 0)
            event_take(&event);
    }
}

static void ask(unsigned kind, size_t place) {
    const est_id *id = kind == ASK_FOREIGN          ? &as.foreign->keys[place].id
                       : kind == ASK_FOREIGN_NUMBER ? NULL
                                                    : &as.own->keys[place].id;
    uint64_t ref = place * ASK_KINDS + kind, number = id ? 0 : as.numbers[place];
    int error = kind == ASK_TIMELINE ? est_client_timeline(as.client, ref, id, number)
                                     : est_client_status(as.client, ref, id, number, true);
    if (error != 0)
        exit(5);
    as.outstanding++;
    while (as.outstanding >= ASKS_AT_ONCE)
        hear();
}

static void client_open(const est_options *options) {
    if (est_client_open(options, &as.client) != 0)
        exit(5);
}

/* As one account: what is recorded; then, with a session that takes results, what still waits. */
static void account_ask(const char *endpoint, char **name_and_keys) {
    struct ids own = {0}, foreign = {0};
    as.name = name_and_keys[0], as.own = &own, as.foreign = &foreign;
    as.unacknowledged = 0;
    as.came = (struct ids){0};
    as.numbers_count = 0;
    est_options options = part_options(&part, RESULTS_WINDOW, 0);
    options.endpoints[0] = endpoint;
    options.account = name_and_keys[0];
    options.public_key = name_and_keys[1];
    options.secret_key = name_and_keys[2];
    ids_read();
    client_open(&options);
    for (size_t i = 0; i < own.count; i++) {
        ask(ASK_STATUS, i);
        ask(ASK_TIMELINE, i);
        if (i % 1000 == 0)
            printf("asked %zu\n", i);
    }
    for (size_t i = 0; i < foreign.count; i++)
        ask(ASK_FOREIGN, i);
    for (size_t i = 0; i < as.numbers_count && i < FOREIGN_NUMBERS; i++)
        ask(ASK_FOREIGN_NUMBER, i);
    while (as.outstanding > 0)
        hear();
    est_client_close(&as.client);
    options.results = 2;
    client_open(&options);
    while (as.came.count < as.unacknowledged)
        hear();
    est_client_close(&as.client);
    ids_done(&own);
    ids_done(&foreign);
    ids_done(&as.came);
}

static void operator_ask(void) {
    est_options options = part_options(&part, 0, 0);
    as.name = part.account;
    client_open(&options);
    est_client_stats(as.client, ASK_STATS);
    as.outstanding = 1;
    while (as.outstanding > 0)
        hear();
    est_client_close(&as.client);
}

int main(int argc, char **argv) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc < PART_ARGUMENTS + 1 || part_begin(&part, PART_ARGUMENTS, argv) != 0)
        return 2;
    operator_ask(); /* before anything is acknowledged here */
    for (int i = PART_ARGUMENTS + 1; i + 3 <= argc; i += 3)
        account_ask(argv[PART_ARGUMENTS], argv + i);
    tell(&part, "end", "\"code\":\"OK\"");
    puts("done");
    return 0;
}
