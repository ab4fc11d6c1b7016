/* requester.c - keeps W inquiries in flight, acknowledges every result, and counts. The ticket of a
 * flight is in the inquiry's id. */
#include "city.h"
#include "flights.h"

#include <link.h>
#include <time.h>

struct requester {
    const struct part *part;
    struct link *link;
    struct session *session;
    struct score *score;
    struct bodies bodies;
    struct flights flights;
    char types[CITY_TYPES_MAX][CITY_NAME_SIZE];
    unsigned types_count;
    uint64_t last;    /* number of the last result */
    int64_t now_us;   /* of this turn: what came in one frame came at one time */
    int64_t began_us; /* bench_now_us was zero then, by the calendar */
};

/* --- Ids ------------------------------------------------------------------------------------------- */

static int64_t began(void) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return t.tv_sec * EST_US_PER_S + t.tv_nsec / 1000 - bench_now_us();
}

static est_id id_make(const struct requester *r, const struct ticket *ticket) {
    return city_id(ticket, (uint64_t)((r->began_us + r->now_us) / EST_US_PER_MS));
}

/* --- The job --------------------------------------------------------------------------------------- */

/* As many as the window allows. A full session is no trouble: the next receipt makes room. */
static int fill(struct requester *r) {
    for (struct ticket ticket; flight_next(&r->flights, r->now_us, &ticket);) {
        struct submit submit = {.id = id_make(r, &ticket),
                                .type = slice_of(r->types[ticket.counter / DISTRICTS % r->types_count]),
                                .purpose = slice_of(CITY_PURPOSE),
                                .body = buffer_slice(&r->bodies.at[ticket.counter % DISTRICTS])};
        int code = session_submit(r->session, &submit);
        if (code == -EST_FULL)
            return 0;
        if (code < 0)
            return player_trouble(r->part, "submitting", code, (est_slice){0});
        flight_depart(&r->flights, &ticket, r->now_us);
    }
    return 0;
}

static int on_accepted(struct requester *r, const struct session_event *event) {
    struct ticket ticket = city_ticket(&event->id);
    struct flight *flight = flight_find(&r->flights, &ticket);
    r->score->accepted++;
    if (event->message->accepted.again || !flight || flight->accepted)
        r->score->doubled++;
    else
        flight->accepted = true;
    return r->flights.idle_count > 0 ? fill(r) : 0;
}

static int on_result(struct requester *r, const struct session_event *event) {
    struct ticket ticket = city_ticket(&event->id);
    int code = session_ack(r->session, event->number);
    if (code < 0)
        return player_trouble(r->part, "acknowledging", code, (est_slice){0});
    if (event->message->result.state != EST_STATE_ANSWERED) {
        r->score->refused++;
        return 0;
    }
    r->last = event->number;
    flight_land(&r->flights, &ticket, r->now_us);
    return fill(r);
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
    struct session_event event;
    r->now_us = bench_now_us();
    if (fill(r))
        return 1;
    while (!flights_are_over(&r->flights, r->now_us)) {
        int got = link_poll(r->link, 100, &event);
        r->now_us = link_turn(r->link).us;
        if (got == 1 && event_take(r, &event))
            return 1;
        if (r->now_us > r->part->board->drain_us)
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
    while (code == 0 && bench_now_us() < r->part->board->drain_us)
        if (link_poll(r->link, 100, &event) == 1) {
            if (event.kind == SESSION_ANSWER && event.message->verb == VERB_STATUS_IS)
                return 0;
            if (event_take(r, &event))
                return 1;
        }
    return player_trouble(r->part, "the last acknowledgements", EST_TIMEOUT, (est_slice){0});
}

int requester_play(const struct part *part) {
    static struct requester r;
    r = (struct requester){.part = part,
                           .score = part->score,
                           .types_count = plan_types(part->plan),
                           .began_us = began()};
    for (unsigned i = 0; i < r.types_count; i++)
        city_type(i, r.types[i]);
    unsigned window = part->plan->window;
    int status = 1;
    if (flights_make(&r.flights, part) < 0 || bodies_make(&r.bodies, part->plan->body, false) < 0)
        player_trouble(part, "tables", EST_NO_MEMORY, (est_slice){0});
    else /* results may overtake acknowledgements; a window of twice W never makes them wait */
        r.link = city_begin(part, CITY_REQUESTER, window < 128 ? 256 : 2 * window,
                            r.flights.deep > 0 ? RESULTS_ALL : RESULTS_OWN);
    if (r.link) {
        r.session = link_session(r.link);
        status = fly(&r) || land(&r);
        link_close(&r.link, 200);
    }
    bodies_done(&r.bodies);
    flights_done(&r.flights);
    return status;
}
