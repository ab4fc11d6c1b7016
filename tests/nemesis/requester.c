/* requester.c - a requester that writes down everything it asked and everything it was told.
 *
 * It keeps a few submits without an answer at any time, some with a deadline that may pass, asks
 * again under old ids, also with another body, cancels some, and acknowledges most results at once, some at
 * their next coming, and some never. One that follows a killed one takes over the ids that had no answer, and
 * some of those that had, to ask again under them.
 */
#include "part.h"
#include "ids.h"
#include "lines.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    OPEN_MAX = 12,     /* submits without an answer */
    AWAITED_MAX = 120, /* accepted, without a result yet; those of long ago are not waited for */
    AWAIT_US = 1500000,
    TAKE_OVER = 100, /* answered ids taken over from the one before */
    RESULTS_WINDOW = 512,
    POLL_MS = 20,
};

enum fate { FATE_OPEN, FATE_ACCEPTED, FATE_REFUSED };
struct ask {
    enum fate fate;
    bool result;
    bool asked_again, other; /* other: by another body */
    int64_t since;
};

static struct part part;
static est_client *client;
static est_body *body;
static struct ids ids;
static struct ask *asks;
static size_t asks_room, oldest_awaited, open_count, awaited;
static uint64_t ref;
static volatile sig_atomic_t stopping;

static void stop(int signal_number) {
    (void)signal_number;
    stopping = 1;
}

static struct ask *ask_of(const est_id *id, size_t *ret_place) {
    size_t known = ids.count, place = ids_add(&ids, id, 0);
    if (ids.count > asks_room) {
        asks_room = asks_room * 2 + 1024;
        asks = realloc(asks, asks_room * sizeof *asks);
        if (!asks)
            abort();
    }
    if (ids.count > known)
        asks[place] = (struct ask){.fate = FATE_OPEN, .result = true};
    if (ret_place)
        *ret_place = place;
    return &asks[place];
}

/* --- Asking -------------------------------------------------------------------------------------- */

/* From the time in the id, so that it is the same whenever the id is asked. */
static int64_t deadline_us(const est_id *id) {
    int64_t ms = 0;
    for (int i = 0; i < 6; i++)
        ms = ms << 8 | id->bytes[i];
    return (ms + 50 + id->bytes[10] * 2) * EST_US_PER_MS;
}

static void submit_question(const est_id *id, const struct question *q) {
    est_submit s = {.id = *id, .type = q->type, .purpose = "permit", .body = q->body};
    if (q->hurried)
        s.deadline.us = deadline_us(id);
    int error = est_client_submit(client, &s);
    if (error != 0 && error != -EST_FULL) {
        tell(&part, "trouble", "\"code\":\"%s\"", est_code_name(error));
        abort();
    }
}

static void submit(const est_id *id, bool again) {
    struct question q;
    char hex[ID_HEX_SIZE];
    id_hex(id, hex);
    if (question_make(part.account, id, false, body, &q) != 0)
        abort();
    tell(&part, "invoke",
         "\"id\":\"%s\",\"type\":\"%s\",\"district\":%u,\"digest\":\"%016" PRIx64
         "\",\"hurried\":%s,\"again\":%s",
         hex, q.type, q.district, q.digest, q.hurried ? "true" : "false", again ? "true" : "false");
    submit_question(id, &q);
}

/* Another body under an accepted id, which has to be refused whatever else happens. */
static void submit_other(const est_id *id) {
    struct question q;
    char hex[ID_HEX_SIZE];
    id_hex(id, hex);
    if (question_make(part.account, id, true, body, &q) != 0)
        abort();
    tell(&part, "other", "\"id\":\"%s\"", hex);
    submit_question(id, &q);
}

static void submit_new(void) {
    est_id id;
    est_id_new(&id);
    if (dice(&part.dice, 64) == 0 &&
        part.board->lent.bytes[0]) /* another account's id is nobody's business */
        id = part.board->lent;
    size_t known = ids.count;
    struct ask *ask = ask_of(&id, NULL);
    if (ids.count == known)
        return;
    ask->since = monotonic_us();
    ask->result = false;
    open_count++;
    if (dice(&part.dice, 64) == 0)
        part.board->lent = id;
    submit(&id, false);
}

static void submit_old(void) {
    size_t place = ids.count - 1 - dice(&part.dice, (unsigned)(ids.count < 2000 ? ids.count : 2000));
    struct ask *ask = &asks[place];
    if (ask->fate != FATE_ACCEPTED || ask->asked_again)
        return;
    ask->asked_again = true;
    ask->other = dice(&part.dice, 4) == 0;
    if (ask->other)
        submit_other(&ids.keys[place].id);
    else
        submit(&ids.keys[place].id, true);
}

static void fill(void) {
    int64_t late = monotonic_us() - AWAIT_US;
    while (oldest_awaited < ids.count && (asks[oldest_awaited].result || asks[oldest_awaited].since < late)) {
        if (!asks[oldest_awaited].result)
            asks[oldest_awaited].result = true, awaited--;
        oldest_awaited++;
    }
    while (open_count < OPEN_MAX && awaited < AWAITED_MAX) {
        size_t before = open_count;
        submit_new();
        awaited += open_count - before;
        if (ids.count > 0 && dice(&part.dice, 12) == 0)
            submit_old();
    }
}

/* --- What the one before left -------------------------------------------------------------------- */

static void inherit_line(void *arg, const json_t *line) {
    (void)arg;
    est_id id;
    if (!line_id(line, &id))
        return;
    if (line_is(line, "invoke"))
        ask_of(&id, NULL);
    else if (line_is(line, "ok"))
        ask_of(&id, NULL)->fate = FATE_ACCEPTED;
    else if (line_is(line, "fail"))
        ask_of(&id, NULL)->fate = FATE_REFUSED;
}

static void inherit(void) {
    char path[512];
    unsigned line;
    if (!part.previous)
        return;
    snprintf(path, sizeof path, "%s/%s-%s.jsonl", part.folder, part.role, part.previous);
    if (access(path, F_OK) != 0) /* killed before its first word */
        return;
    if (lines_read(path, inherit_line, NULL, &line) != 0)
        abort();
    size_t first = ids.count > TAKE_OVER ? ids.count - TAKE_OVER : 0;
    for (size_t i = 0; i < ids.count; i++) {
        if (asks[i].fate == FATE_OPEN)
            open_count++;
        if (asks[i].fate == FATE_OPEN || (asks[i].fate == FATE_ACCEPTED && i >= first && i % 4 == 0)) {
            asks[i].asked_again = true;
            submit(&ids.keys[i].id, true);
        }
    }
    oldest_awaited = ids.count;
}

/* --- Hearing ------------------------------------------------------------------------------------- */

static void ok_take(const est_event *e) {
    char hex[ID_HEX_SIZE];
    struct ask *ask = ask_of(&e->id, NULL);
    id_hex(&e->id, hex);
    tell(&part, "ok",
         "\"id\":\"%s\",\"number\":%" PRIu64 ",\"tracking\":\"%.*s\",\"again\":%s,\"at\":%" PRId64 "%s", hex,
         e->number, (int)e->tracking.size, (const char *)e->tracking.data, e->again ? "true" : "false",
         e->at.us, ask->other ? ",\"other\":true" : "");
    if (!e->again)
        atomic_store(&part.board->clock_ahead_us, e->at.us - wall_us());
    open_count -= ask->fate == FATE_OPEN;
    ask->fate = FATE_ACCEPTED;
    if (!e->again && dice(&part.dice, 40) == 0) {
        tell(&part, "cancel", "\"id\":\"%s\",\"ref\":%" PRIu64, hex, ref + 1);
        est_client_cancel(client, ++ref, &e->id, 0, "changed my mind");
    }
    if (!e->again)
        board_tick(part.board);
}

static void refusal_take(const est_event *e) {
    static const est_id none;
    char hex[ID_HEX_SIZE];
    if (memcmp(&e->id, &none, sizeof none) == 0) {
        tell(&part, "not-cancelled", "\"ref\":%" PRIu64 ",\"code\":\"%s\"", e->ref, est_code_name(e->code));
        return;
    }
    struct ask *ask = ask_of(&e->id, NULL);
    id_hex(&e->id, hex);
    if (ask->other && e->code == EST_CONFLICT) {
        tell(&part, "conflict", "\"id\":\"%s\"", hex);
        ask->other = false;
        return;
    }
    tell(&part, "fail", "\"id\":\"%s\",\"code\":\"%s\",\"again\":%s", hex, est_code_name(e->code),
         ask->fate == FATE_ACCEPTED ? "true" : "false");
    open_count -= ask->fate == FATE_OPEN;
    if (!ask->result)
        ask->result = true, awaited--;
    if (ask->fate == FATE_OPEN)
        ask->fate = FATE_REFUSED;
}

/* The owner keeps these for the witness; somebody else tries to take them away. */
static void withhold(const est_event *e) {
    uint64_t lent = atomic_load(&part.board->lent_number);
    unsigned char initial = (unsigned char)part.account[0];
    if (lent != 0 && lent % 256 != initial) {
        tell(&part, "foreign-ack", "\"about\":%" PRIu64, lent / 256);
        est_client_ack(client, lent / 256);
    }
    atomic_store(&part.board->lent_number, e->number * 256 + initial);
}

static void result_take(const est_event *e) {
    char hex[ID_HEX_SIZE];
    struct ask *ask = ask_of(&e->id, NULL);
    bool first = !ask->result;
    id_hex(&e->id, hex);
    tell(&part, "result",
         "\"id\":\"%s\",\"number\":%" PRIu64 ",\"state\":\"%s\",\"outcome\":\"%s\",\"signer\":\"%.*s\","
         "\"digest\":\"%016" PRIx64 "\"",
         hex, e->number, est_state_name(e->state), est_outcome_name(e->outcome), (int)e->signer.size,
         (const char *)e->signer.data, digest(e->body));
    if (first) {
        ask->result = true, awaited--;
        board_tick(part.board);
    }
    bool never = e->id.bytes[9] % 64 == 0;
    if (never)
        withhold(e);
    if (never || (first && dice(&part.dice, 8) == 0))
        return;
    tell(&part, "ack", "\"id\":\"%s\",\"number\":%" PRIu64, hex, e->number);
    est_client_ack(client, e->number);
}

static void event_take(const est_event *e) {
    switch (e->kind) {
    case EST_EVENT_ACCEPTED:
        ok_take(e);
        return;
    case EST_EVENT_REFUSED:
        refusal_take(e);
        return;
    case EST_EVENT_RESULT:
        result_take(e);
        return;
    case EST_EVENT_DONE:
        tell(&part, "cancelled", "\"ref\":%" PRIu64, e->ref);
        return;
    default:
        return;
    }
}

int main(int argc, char **argv) {
    if (part_begin(&part, argc, argv) != 0)
        return 2;
    est_options options = part_options(&part, RESULTS_WINDOW, 2);
    body = est_body_new();
    if (!body || est_client_open(&options, &client) != 0)
        return 1;
    signal(SIGTERM, stop);
    inherit();
    est_event event;
    while (!stopping) {
        if (atomic_load(&part.board->phase) == PHASE_CHAOS)
            fill();
        atomic_store(&part.board->pending[part.slot], (unsigned)open_count);
        for (int wait = POLL_MS; est_client_poll(client, wait, &event) == 1; wait = 0)
            event_take(&event);
    }
    est_client_close(&client);
    est_body_free(&body);
    ids_done(&ids);
    free(asks);
    tell(&part, "end", "\"code\":\"OK\"");
    board_close(&part.board);
    return 0;
}
