/* crowd.c - see crowd.h. */
#include "crowd.h"
#include "city.h"
#include "flights.h"

#include <errno.h>
#include <link.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

enum { STEP_MS = 10, STOP_MS = 200, REQUESTER_FIRST = 0x800, AGENT_WINDOW = 16 };

static struct link *agent_open(const struct part *part) {
    est_options options = city_options(part->stage->own, CITY_SECOND_AGENT);
    struct link *link;
    options.window = AGENT_WINDOW;
    int code = link_open(&options, SESSION_AGENT, NULL, NULL, &link);
    if (code == 0 && city_is_up(part, link))
        return link;
    if (code < 0)
        player_trouble(part, "no link", code, (est_slice){0});
    else
        link_close(&link, 0);
    return NULL;
}

static int answer(const struct part *part, struct link *link, const struct bodies *bodies,
                  const struct session_event *event) {
    static struct message m;
    if (event->kind == SESSION_DOWN)
        return player_trouble(part, "the connection was lost", event->code, event->text);
    if (event->kind != SESSION_WORK)
        return 0;
    m.verb = VERB_ANSWER;
    m.answer = (struct answer){.number = event->message->assign.number,
                               .epoch = event->message->assign.epoch,
                               .outcome = EST_OUTCOME_POSITIVE,
                               .body = buffer_slice(&bodies->at[0])};
    int code = session_answer(link_session(link), &m);
    return code < 0 ? player_trouble(part, "answering", code, (est_slice){0}) : 0;
}

/* What has come on this link, without waiting. */
static int link_serve(const struct part *part, struct link *link, const struct bodies *bodies) {
    struct session_event event;
    while (link_poll(link, 0, &event) == 1)
        if (answer(part, link, bodies, &event))
            return 1;
    return 0;
}

/* --- Agents ---------------------------------------------------------------------------------------- */

static int links_serve(const struct part *part, struct link **links, unsigned count) {
    struct epoll_event ready[IDLE_EACH];
    struct bodies bodies;
    int epoll = epoll_create1(EPOLL_CLOEXEC), status = 0;
    if (epoll < 0 || bodies_make(&bodies, part->plan->body, true) < 0)
        return player_trouble(part, "bodies", EST_NO_MEMORY, (est_slice){0});
    for (unsigned i = 0; i < count; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = i};
        if (epoll_ctl(epoll, EPOLL_CTL_ADD, link_fd(links[i]), &event) != 0)
            status = player_failed(part, "epoll", strerror(errno));
        link_touch(links[i]);
    }
    while (status == 0 && !player_is_leaving()) {
        int found = epoll_wait(epoll, ready, IDLE_EACH, PLAYER_WAIT_MS);
        for (int i = 0; i < found && status == 0; i++)
            status = link_serve(part, links[ready[i].data.u32], &bodies);
    }
    bodies_done(&bodies);
    close(epoll);
    return status;
}

static int agents_play(const struct part *part, unsigned count) {
    struct link *links[IDLE_EACH] = {0};
    int status = 0;
    player_leave_on_signal();
    for (unsigned i = 0; i < count && status == 0; i++)
        status = (links[i] = agent_open(part)) == NULL;
    if (status == 0)
        status = !player_await(part) || links_serve(part, links, count);
    for (unsigned i = 0; i < count; i++)
        if (links[i])
            link_close(&links[i], 0);
    return status;
}

/* Takes what work it gets within STOP_MS, and then is as a process that hangs. */
static int agent_stop(const struct part *part) {
    struct session_event event;
    struct link *link = agent_open(part);
    if (!link || !player_await(part))
        return 1;
    for (int64_t until_us = bench_now_us() + STOP_MS * EST_US_PER_MS; bench_now_us() < until_us;)
        link_poll(link, STEP_MS, &event);
    part->score->stopped = true;
    for (;;)
        kill(getpid(), SIGSTOP);
}

/* --- The requester --------------------------------------------------------------------------------- */

/* Sends as many as are due by the clock. */
static int ask_due(const struct part *part, struct session *session, const struct bodies *bodies,
                   int64_t from_us, unsigned per_s) {
    struct score *score = part->score;
    uint64_t due = (uint64_t)(bench_now_us() - from_us) * per_s / EST_US_PER_S;
    for (; score->submitted < due; score->submitted++) {
        struct ticket ticket = {.requester = REQUESTER_FIRST | part->index,
                                .counter = (uint32_t)score->submitted};
        struct submit submit = {.id = city_id(&ticket, (uint64_t)time(NULL) * 1000),
                                .type = slice_of(CITY_SECOND_TYPE),
                                .purpose = slice_of(CITY_PURPOSE),
                                .body = buffer_slice(&bodies->at[score->submitted % DISTRICTS])};
        int code = session_submit(session, &submit);
        if (code == -EST_FULL)
            return 0;
        if (code < 0)
            return player_trouble(part, "submitting", code, (est_slice){0});
    }
    return 0;
}

static int asker_event(const struct part *part, struct session *session, const struct session_event *event) {
    switch (event->kind) {
    case SESSION_RESULT:
        part->score->answered++;
        return session_ack(session, event->number) < 0;
    case SESSION_ANSWER:
        part->score->accepted++;
        return 0;
    case SESSION_REFUSED:
    case SESSION_DOWN:
        return player_trouble(part, "refused", event->code, event->text);
    default:
        return 0;
    }
}

/* When it leaves it has every receipt, and every result where they are answered; and what it asks then
 * has its answer after its acknowledgements are in the record. */
static int asker_finish(const struct part *part, struct link *link, bool answered) {
    struct score *score = part->score;
    struct session_event event;
    bool is_asked = false;
    while (bench_now_us() < part->board->drain_us) {
        if (!is_asked && score->accepted == score->submitted &&
            (!answered || score->answered == score->accepted)) {
            struct message ask = {.verb = VERB_STATUS, .status.number = 1};
            is_asked = session_ask(link_session(link), &ask) == 0;
        }
        if (link_poll(link, STEP_MS, &event) != 1)
            continue;
        if (is_asked && (event.kind == SESSION_ANSWER || event.kind == SESSION_REFUSED))
            return 0;
        if (asker_event(part, link_session(link), &event))
            return 1;
    }
    return player_trouble(part, "receipts are missing", EST_TIMEOUT, (est_slice){0});
}

static int ask(const struct part *part, unsigned per_s, bool answered) {
    struct bodies bodies;
    struct session_event event;
    player_leave_on_signal();
    if (bodies_make(&bodies, part->plan->body, false) < 0)
        return player_trouble(part, "bodies", EST_NO_MEMORY, (est_slice){0});
    struct link *link = city_begin(part, CITY_REQUESTER, EST_WINDOW_MAX, RESULTS_OWN);
    int64_t from_us = bench_now_us();
    int status = link == NULL;
    while (status == 0 && !player_is_leaving()) {
        status = ask_due(part, link_session(link), &bodies, from_us, per_s);
        if (link_poll(link, STEP_MS, &event) == 1)
            status |= asker_event(part, link_session(link), &event);
    }
    if (status == 0)
        status = asker_finish(part, link, answered);
    if (link)
        link_close(&link, 200);
    bodies_done(&bodies);
    return status;
}

/* --- Who they are ---------------------------------------------------------------------------------- */

static int idle_play(const struct part *part) {
    return part->index < IDLE_PROCESSES ? agents_play(part, IDLE_EACH) : ask(part, IDLE_PER_S, true);
}

static int working_play(const struct part *part) {
    return part->index == 0 ? agents_play(part, 1) : ask(part, SECOND_PER_S, true);
}

static int stopped_play(const struct part *part) {
    return part->index == 0 ? agent_stop(part) : ask(part, SECOND_PER_S, false);
}

const struct crowd crowd_idle = {IDLE_PROCESSES + 1, idle_play};
const struct crowd crowd_working = {2, working_play};
const struct crowd crowd_stopped = {2, stopped_play};
