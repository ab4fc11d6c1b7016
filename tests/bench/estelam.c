/* estelam.c - our own broker as a system. An operator's connection asks it for its own counts; between
 * the samples time passes there, so that the connection keeps its heartbeats. */
#include "city.h"

#include <stdlib.h>

#include <link.h>
#include <message.h>

struct own {
    struct bench_city city;
    struct link *operator_;
};

static int estelam_open(struct stage *s) {
    struct own *own = s->own = calloc(1, sizeof *own);
    return own ? city_open(&own->city, s) : -EST_NO_MEMORY;
}

static void estelam_close(struct stage *s) {
    struct own *own = s->own;
    if (own)
        link_close(&own->operator_, 100);
    free(own);
}

static void estelam_pass(struct stage *s, int ms) {
    struct own *own = s->own;
    struct session_event event;
    link_poll(own->operator_, ms, &event);
}

/* False when the time is up, or the broker has gone. */
static bool event_await(struct stage *s, enum session_event_kind kind, struct session_event *ret) {
    struct own *own = s->own;
    int64_t until_us = bench_now_us() + CONNECT_MS * EST_US_PER_MS;
    while (!bench_stopped && !stage_is_dead(s) && bench_now_us() < until_us)
        if (link_poll(own->operator_, 100, ret) == 1 && ret->kind == kind)
            return true;
    return false;
}

static int estelam_connect(struct stage *s) {
    struct own *own = s->own;
    est_options options = city_options(&own->city, CITY_OPERATOR);
    struct session_event event;
    int code = link_open(&options, SESSION_CLIENT, NULL, NULL, &own->operator_);
    if (code == 0 && event_await(s, SESSION_UP, &event))
        return 0;
    bench_say("no connection to the operators' door");
    return -EST_UNREACHABLE;
}

static void counters_read(est_slice rows, struct counters *ret) {
    const struct {
        const char *name;
        uint64_t *at;
    } wanted[] = {{"commits", &ret->commits},
                  {"inquiries_open", &ret->open},
                  {"results_unacknowledged", &ret->unacknowledged},
                  {"fact_submitted", &ret->submitted},
                  {"fact_submitted_again", &ret->again},
                  {"fact_answered", &ret->answered}};
    struct cursor cursor;
    struct stat_row row;
    size_t count;
    if (!rows_open(&cursor, rows, &count))
        return;
    for (; count > 0 && stat_row_next(&cursor, &row); count--)
        for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
            if (slice_equal(row.name, slice_of(wanted[i].name)))
                *wanted[i].at = row.value;
}

static int estelam_count(struct stage *s, struct counters *ret) {
    struct own *own = s->own;
    struct message ask = {.verb = VERB_STATS};
    struct session_event event;
    int code = session_ask(link_session(own->operator_), &ask);
    if (code == 0 && event_await(s, SESSION_ANSWER, &event)) {
        *ret = (struct counters){0};
        counters_read(event.message->stats_is.rows, ret);
        return 0;
    }
    if (!bench_stopped)
        bench_say("the broker does not tell its counters");
    return -EST_UNREACHABLE;
}

const struct system system_estelam = {
    .name = "estelam",
    .durable =
        "a journal, synced before anyone is told, and LMDB from it; inquiry, answer and acknowledgement "
        "alike; rights, bodies and UTF-8 checked",
    .ours = true,
    .curve = true,
    .batches = true,
    .open = estelam_open,
    .close = estelam_close,
    .connect = estelam_connect,
    .pass = estelam_pass,
    .count = estelam_count,
    .requester = requester_play,
    .agent = agent_play,
};
