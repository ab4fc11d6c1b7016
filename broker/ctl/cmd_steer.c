/* cmd_steer.c - what an operator does: requeue what was parked, drain the broker. */
#include "heap.h"
#include "number.h"
#include "pages.h"
#include "run.h"
#include "say.h"
#include "moment.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { DRAIN_LOOK_MS = 500 };

/* --- Requeue ---------------------------------------------------------------------------------- */

struct numbers_list {
    uint64_t *at;
    size_t count;
};

static void number_add(struct numbers_list *list, uint64_t number) {
    list->at = heap_grow(list->at, list->count + 1, sizeof *list->at);
    list->at[list->count++] = number;
}

static int numbers_parse(const struct call *call, struct numbers_list *ret) {
    for (size_t i = 0; i < call->count; i++) {
        uint64_t number;
        if (!number_parse(call->arguments[i], UINT64_MAX, &number) || number == 0)
            return call_usage(call, "`%s` is not an inquiry's number; `estelam parked list` shows them",
                              call->arguments[i]);
        number_add(ret, number);
    }
    return 0;
}

static void numbers_page(void *arg, const est_event *event) {
    est_parked_row row;
    for (size_t i = 0; est_row_parked(event, i, &row); i++)
        number_add(arg, row.number);
}

static int requeue_each(const struct call *call, struct peer *peer, const struct numbers_list *list) {
    int worst = 0;
    for (size_t i = 0; i < list->count; i++) {
        est_event event;
        uint64_t ref = peer_ref(peer);
        int sent = est_client_requeue(peer->client, ref, list->at[i], call_value(call, "reason"));
        int status = peer_answer(peer, sent, ref, EST_EVENT_DONE, &event);
        if (!status)
            printf(call_json(call) ? "{\"requeued\":%" PRIu64 "}\n" : "%" PRIu64 "\n", list->at[i]);
        else
            say_remark("%" PRIu64 " was not requeued", list->at[i]);
        worst = status ? status : worst;
        if (status == EXIT_UNREACHABLE)
            break;
    }
    return worst;
}

int run_parked_requeue(const struct call *call) {
    struct numbers_list list = {0};
    struct desk desk;
    bool all = call_has(call, "all");
    if (all == (call->count > 0))
        return call_usage(call, "name the numbers to requeue, or --all");
    if (!all && call_has(call, "department"))
        return call_usage(call, "--department goes with --all");
    int status = numbers_parse(call, &list);
    if (status) {
        free(list.at);
        return status;
    }
    status = desk_open(call, &desk);
    if (!status && all)
        status = pages_read(&desk.peer, est_client_parked, EST_EVENT_PARKED, call_value(call, "department"),
                            numbers_page, &list);
    if (!status && list.count == 0)
        say_remark("nothing is parked");
    if (!status)
        status = requeue_each(call, &desk.peer, &list);
    desk_close(&desk);
    free(list.at);
    return status;
}

/* --- Drain ------------------------------------------------------------------------------------ */

static void busy_page(void *arg, const est_event *event) {
    uint64_t *busy = arg;
    est_queue_row row;
    for (size_t i = 0; est_row_queue(event, i, &row); i++)
        *busy += row.leased;
}

/* Until no agent is at work: a draining broker hands out nothing new, so what waits goes on waiting. */
static int drain_wait(struct peer *peer, int64_t until) {
    for (;;) {
        uint64_t busy = 0;
        int status = pages_read(peer, est_client_queues, EST_EVENT_QUEUES, NULL, busy_page, &busy);
        if (status || busy == 0)
            return status;
        int64_t now = moment_ticks();
        if (now >= until) {
            say_error(EST_TIMEOUT, "wait longer, or look at `estelam queues`",
                      "%" PRIu64 " inquiries are still with agents", busy);
            return EXIT_UNANSWERED;
        }
        est_event event;
        int got, next_ms = until - now < DRAIN_LOOK_MS ? (int)(until - now) : DRAIN_LOOK_MS;
        while ((got = peer_next(peer, now + next_ms, &event)) > 0)
            continue;
        if (got < 0)
            return peer_say_lost(peer, got);
    }
}

int run_drain(const struct call *call) {
    bool on = !call_has(call, "off"), waits = call_has(call, "wait");
    int wait_ms = call_seconds(call, "wait", 0);
    struct desk desk;
    est_event event;
    if (wait_ms < 0)
        return EXIT_USAGE;
    if (!on && waits)
        return call_usage(call, "--off ends draining at once; there is nothing to wait for");
    int status = desk_open(call, &desk);
    if (!status) {
        uint64_t ref = peer_ref(&desk.peer);
        int sent = est_client_drain(desk.peer.client, ref, on, call_value(call, "reason"));
        status = peer_answer(&desk.peer, sent, ref, EST_EVENT_DONE, &event);
    }
    if (!status)
        say_remark(on ? "draining: new inquiries are refused" : "taking new inquiries again");
    if (!status && waits)
        status = drain_wait(&desk.peer, wait_ms ? moment_ticks() + wait_ms : INT64_MAX);
    if (!status && call_json(call))
        printf("{\"draining\":%s}\n", on ? "true" : "false");
    desk_close(&desk);
    return status;
}
