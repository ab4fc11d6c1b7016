/* requester.c - keeps W inquiries in flight, acknowledges every result, and counts.
 *
 * An inquiry's id tells its place in the table of flights and how many were before it, so a result
 * is matched, and one that comes twice is found, without a search.
 *
 *     ms since 1970 (48 bits), version 7, requester (12), variant, counter (32), flight (24)
 */
#include "player.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

struct flight {
    uint32_t counter;
    bool open, accepted;
    int64_t sent_us;
};

struct requester {
    const struct part *part;
    struct link *link;
    struct session *session;
    struct score *score;
    struct bodies bodies;
    struct flight *flights;
    uint32_t *idle; /* flights that are free */
    uint32_t idle_count, window, counter;
    uint64_t last; /* number of the last result */
};

/* --- Ids ------------------------------------------------------------------------------------------- */

static void big_endian(uint8_t *to, unsigned bytes, uint64_t value) {
    for (unsigned i = 0; i < bytes; i++)
        to[i] = (uint8_t)(value >> 8 * (bytes - 1 - i));
}

static uint32_t number_of(const uint8_t *from, unsigned bytes) {
    uint32_t value = 0;
    for (unsigned i = 0; i < bytes; i++)
        value = value << 8 | from[i];
    return value;
}

static est_id id_make(const struct requester *r, uint32_t counter, uint32_t flight) {
    struct timespec t;
    est_id id;
    clock_gettime(CLOCK_REALTIME_COARSE, &t);
    big_endian(id.bytes, 6, (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000);
    big_endian(id.bytes + 6, 2, 0x7000 | r->part->index);
    id.bytes[8] = 0x80;
    big_endian(id.bytes + 9, 4, counter);
    big_endian(id.bytes + 13, 3, flight);
    return id;
}

/* The open flight of this id; NULL where it has landed already, or never left. */
static struct flight *flight_of(struct requester *r, const est_id *id, uint32_t *ret) {
    uint32_t at = number_of(id->bytes + 13, 3);
    if (at >= r->window || !r->flights[at].open || r->flights[at].counter != number_of(id->bytes + 9, 4))
        return NULL;
    *ret = at;
    return &r->flights[at];
}

/* --- The job --------------------------------------------------------------------------------------- */

/* As many as the window allows. A full session is no trouble: the next receipt makes room. */
static int fill(struct requester *r, int64_t now_us) {
    while (r->idle_count > 0 && now_us < r->part->board->until_us) {
        uint32_t at = r->idle[r->idle_count - 1];
        struct submit submit = {.id = id_make(r, r->counter, at),
                                .type = slice_of(STAGE_TYPE),
                                .purpose = slice_of(STAGE_PURPOSE),
                                .body = buffer_slice(&r->bodies.at[r->counter % DISTRICTS])};
        int code = session_submit(r->session, &submit);
        if (code == -EST_FULL)
            return 0;
        if (code < 0)
            return code;
        r->flights[at] = (struct flight){.counter = r->counter++, .open = true, .sent_us = now_us};
        r->idle_count--;
        r->score->submitted++;
    }
    return 0;
}

static int refill(struct requester *r, int64_t now_us) {
    int code = fill(r, now_us);
    return code < 0 ? player_trouble(r->part, "submitting", code, (est_slice){0}) : 0;
}

static int on_accepted(struct requester *r, const struct session_event *event) {
    uint32_t at;
    struct flight *flight = flight_of(r, &event->id, &at);
    r->score->accepted++;
    if (event->message->accepted.again || !flight || flight->accepted)
        r->score->doubled++;
    else
        flight->accepted = true;
    return r->idle_count > 0 ? refill(r, link_now().us) : 0;
}

static int on_result(struct requester *r, const struct session_event *event) {
    uint32_t at;
    int64_t now_us = link_now().us;
    struct flight *flight = flight_of(r, &event->id, &at);
    int code = session_ack(r->session, event->number);
    if (code < 0)
        return player_trouble(r->part, "acknowledging", code, (est_slice){0});
    if (!flight || event->message->result.state != EST_STATE_ANSWERED) {
        r->score->doubled += !flight;
        r->score->refused += flight != NULL;
        return 0;
    }
    if (now_us >= r->part->board->from_us && now_us < r->part->board->until_us)
        histogram_add(&r->score->latency, (uint64_t)(now_us - flight->sent_us));
    r->score->answered++;
    r->last = event->number;
    flight->open = false;
    r->idle[r->idle_count++] = at;
    return refill(r, now_us);
}

static int event_take(struct requester *r, const struct session_event *event) {
    switch (event->kind) {
    case SESSION_RESULT:
        return on_result(r, event);
    case SESSION_ANSWER:
        return on_accepted(r, event);
    case SESSION_REFUSED:
        r->score->refused++;
        return player_trouble(r->part, "refused", event->code, event->text);
    case SESSION_DOWN:
        return player_trouble(r->part, "the connection was lost", event->code, event->text);
    default:
        return 0;
    }
}

/* Until the time is up and every flight has landed, or patience is at its end. */
static int fly(struct requester *r) {
    const struct board *board = r->part->board;
    int64_t now_us = link_now().us;
    if (refill(r, now_us))
        return 1;
    struct session_event event;
    while (now_us < board->until_us || r->idle_count < r->window) {
        bool came = link_poll(r->link, 100, &event) == 1;
        if (came && event_take(r, &event))
            return 1;
        now_us = link_now().us;
        if (now_us > board->drain_us)
            return player_trouble(r->part, "inquiries are missing", EST_TIMEOUT, (est_slice){0});
    }
    return 0;
}

/* Acknowledgements have no answer of their own. What is asked after them has one, and by then they
 * are in the record. */
static int land(struct requester *r) {
    struct message ask = {.verb = VERB_STATUS};
    ask.status.number = r->last;
    struct session_event event;
    int code = session_ask(r->session, &ask);
    while (code == 0 && link_now().us < r->part->board->drain_us)
        if (link_poll(r->link, 100, &event) == 1) {
            if (event.kind == SESSION_ANSWER && event.message->verb == VERB_STATUS_IS)
                return 0;
            if (event_take(r, &event))
                return 1;
        }
    return player_trouble(r->part, "the last acknowledgements", EST_TIMEOUT, (est_slice){0});
}

static int tables_make(struct requester *r) {
    r->flights = calloc(r->window, sizeof *r->flights);
    r->idle = calloc(r->window, sizeof *r->idle);
    if (!r->flights || !r->idle || bodies_make(&r->bodies, r->part->plan->body, false) < 0)
        return player_trouble(r->part, "tables", EST_NO_MEMORY, (est_slice){0});
    for (uint32_t i = 0; i < r->window; i++)
        r->idle[r->idle_count++] = i;
    return 0;
}

int requester_play(const struct part *part) {
    struct requester r = {.part = part, .score = part->score, .window = part->plan->window};
    int status = tables_make(&r);
    /* Results may overtake acknowledgements; a window of twice W never makes them wait. */
    r.link = status == 0 ? player_begin(part, STAGE_REQUESTER, r.window < 128 ? 256 : 2 * r.window) : NULL;
    if (r.link) {
        r.session = link_session(r.link);
        status = fly(&r) || land(&r);
        link_close(&r.link, 200);
    } else {
        status = 1;
    }
    bodies_done(&r.bodies);
    free(r.flights);
    free(r.idle);
    return status;
}
