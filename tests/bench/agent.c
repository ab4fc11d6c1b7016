/* agent.c - answers whatever it is given, at once: what is left is the broker's time. */
#include "city.h"

#include <link.h>

static struct link *agent_link; /* for the signal handler alone */
static volatile sig_atomic_t leaving;

static void leave(int number) {
    (void)number;
    leaving = 1;
    if (agent_link)
        link_wake(agent_link);
}

static int on_work(const struct part *part, struct link *link, const struct bodies *bodies,
                   const struct session_event *event) {
    const struct assign *work = &event->message->assign;
    static struct message answer; /* large: kept off the stack, and cleared once */
    answer.verb = VERB_ANSWER;
    answer.answer = (struct answer){.number = work->number,
                                    .epoch = work->epoch,
                                    .outcome = EST_OUTCOME_POSITIVE,
                                    .body = buffer_slice(&bodies->at[work->number % DISTRICTS])};
    part->score->offered++;
    int code = session_answer(link_session(link), &answer);
    return code < 0 ? player_trouble(part, "answering", code, (est_slice){0}) : 0;
}

static int event_take(const struct part *part, struct link *link, const struct bodies *bodies,
                      const struct session_event *event) {
    switch (event->kind) {
    case SESSION_WORK:
        return on_work(part, link, bodies, event);
    case SESSION_RECORDED:
        part->score->recorded++;
        return 0;
    case SESSION_LOST:
    case SESSION_REFUSED:
        part->score->lost++;
        return player_trouble(part, "an answer was not taken", event->code, event->text);
    case SESSION_DOWN:
        return player_trouble(part, "the connection was lost", event->code, event->text);
    default:
        return 0;
    }
}

static int work(const struct part *part, struct link *link, const struct bodies *bodies) {
    struct session_event event;
    while (!leaving || !session_is_idle(link_session(link))) {
        if (link_poll(link, 1000, &event) == 1 && event_take(part, link, bodies, &event))
            return 1;
        if (leaving && bench_now_us() > part->board->drain_us)
            return player_trouble(part, "answers are not recorded", EST_TIMEOUT, (est_slice){0});
    }
    return 0;
}

int agent_play(const struct part *part) {
    const struct plan *plan = part->plan;
    struct bodies bodies;
    struct sigaction action = {.sa_handler = leave};
    sigaction(SIGTERM, &action, NULL);
    if (bodies_make(&bodies, plan->body, true) < 0)
        return player_trouble(part, "bodies", EST_NO_MEMORY, (est_slice){0});
    unsigned in_flight = plan->window * plan->requesters;
    struct link *link = city_begin(part, CITY_AGENT, in_flight < 256 ? 256 : in_flight, RESULTS_NONE);
    int status = 1;
    if (link) {
        agent_link = link;
        status = work(part, link, &bodies);
        agent_link = NULL;
        link_close(&link, 200);
    }
    bodies_done(&bodies);
    return status;
}
