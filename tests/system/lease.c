/* lease.c - what happens to work that is out: agents that die, stall, fail or refuse, and
 * inquiries that end before they are answered. */
#include "harness.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

/* "took NUMBER ATTEMPT" of an agent. */
static uint64_t took(struct child *agent, unsigned *ret_attempt) {
    const char *line = child_line(agent, "took ");
    unsigned long long number = 0;
    assert_non_null(line);
    assert_int_equal(sscanf(line, "%llu %u", &number, ret_attempt), 2);
    return number;
}

static est_time in_ms(int ms) {
    est_id id; /* a UUIDv7 carries the time of day in its first 48 bits */
    est_id_new(&id);
    int64_t now = 0;
    for (int i = 0; i < 6; i++)
        now = now << 8 | id.bytes[i];
    return (est_time){(now + ms) * EST_US_PER_MS};
}

/* --- How much at once ------------------------------------------------------------------------------ */

static void window_of_nothing_or_of_too_much_is_refused(void **state) {
    (void)state;
    static const unsigned wrong[] = {0, EST_WINDOW_MAX + 1};
    struct town *town = town_new(NULL);
    town_start(town);
    struct far *portal = far_open(town, "portal", 2);
    struct raw *agent = raw_session(town, "treasury-a");
    for (uint64_t i = 0; i < 2; i++) {
        struct message m = {.verb = VERB_READY, .ready = {.ref = 7 + i, .window = wrong[i]}};
        raw_send(agent, &m);
        const struct error_is *error = &raw_receive(agent, VERB_ERROR)->error;
        assert_int_equal(error->code, EST_INVALID_FIELD);
        assert_int_equal(error->ref, 7 + i);
    }
    assert_false(raw_heard(agent, VERB_DONE));
    uint64_t number = far_submit(portal, "plot.debt", "1-1-1", NULL);
    raw_ready(agent, EST_WINDOW_MAX);
    assert_int_equal(raw_receive(agent, VERB_ASSIGN)->assign.number, number);
    town_end(town);
}

/* --- Agents that go -------------------------------------------------------------------------------- */

/* Heartbeat and lease are ten minutes: only the end of the connection can be what moved the inquiry
 * within the test's time. */
static void agent_dies_holding_work_and_the_next_agent_has_it_at_once(void **state) {
    (void)state;
    struct town *town = town_new(&(struct town_options){.limits = "heartbeat: 10 min, lease: 10 min"});
    town_start(town);
    struct child *first = agent_start(town, "treasury-a", "hold", 1);
    assert_non_null(child_line(first, "up"));
    struct far *portal = far_open(town, "portal", 2);
    est_id id;
    uint64_t number = far_submit(portal, "plot.debt", "1-1-1", &id);
    unsigned attempt;
    assert_int_equal(took(first, &attempt), number);
    struct raw *second = raw_agent(town, "treasury-b", 1);
    child_signal(first, SIGKILL);
    const struct message *m = raw_receive(second, VERB_ASSIGN);
    assert_int_equal(m->assign.number, number);
    assert_int_equal(m->assign.attempt, 2);
    raw_answer(second, number, m->assign.epoch, 7);
    raw_receive(second, VERB_RECORDED);
    assert_int_equal(far_wait(portal, EST_EVENT_RESULT, .id = &id)->state, EST_STATE_ANSWERED);
    town_end(town);
}

/* A requester who keeps some inquiries going and acknowledges what comes. */
struct flow {
    struct far *portal;
    size_t submitted, answered;
};

static void flow_turn(struct flow *flow, bool more) {
    enum { OUT_MAX = 100 };
    const est_event *result;
    while (more && flow->submitted - flow->answered < OUT_MAX) {
        est_id id;
        est_id_new(&id);
        far_ask(flow->portal, "plot.debt", "2-2-2", NULL, &id, (est_time){0});
        flow->submitted++;
    }
    far_poll(flow->portal, 20);
    while ((result = far_peek(flow->portal, (struct want){.kind = EST_EVENT_RESULT}))) {
        assert_int_equal(result->state, EST_STATE_ANSWERED);
        assert_int_equal(est_client_ack(flow->portal->client, result->number), 0);
        flow->answered++;
    }
}

static void work_of_agents_killed_under_load_is_answered_by_others(void **state) {
    (void)state;
    enum { KILLS = 10, WORKERS = 8 };
    struct town *town = town_new(&(struct town_options){.limits = "attempts_max: 100"});
    town_start(town);
    struct child *stays = agent_start(town, "treasury-a", "answer", 2);
    assert_non_null(child_line(stays, "up"));
    struct far *duty = far_open(town, "duty", 0);
    struct flow flow = {.portal = far_open(town, "portal", 2)};
    for (int i = 0; i < KILLS; i++) {
        struct child *victim = agent_start(town, "treasury-b", "hold", WORKERS);
        int64_t until = now_ms() + WAIT_MS;
        for (; !child_has_line(victim, "took "); assert_true(now_ms() < until))
            flow_turn(&flow, true);
        unsigned attempt;
        uint64_t number = took(victim, &attempt);
        assert_int_equal(far_status(flow.portal, NULL, number)->state, EST_STATE_LEASED);
        child_signal(victim, SIGKILL);
        assert_int_equal(child_wait(victim), -SIGKILL);
        for (; far_status(flow.portal, NULL, number)->state != EST_STATE_ANSWERED;
             assert_true(now_ms() < until))
            flow_turn(&flow, true);
        assert_true(far_status(flow.portal, NULL, number)->attempts >= 1);
    }
    for (int64_t until = now_ms() + WAIT_MS; flow.answered < flow.submitted; assert_true(now_ms() < until))
        flow_turn(&flow, false);
    assert_true(far_stat(duty, "fact_agent_lost") >= KILLS);
    assert_int_equal(far_stat(duty, "inquiries_open"), 0);
    assert_int_equal(far_stat(duty, "fact_answered"), flow.submitted);
    town_end(town);
}

/* --- Agents that stall ----------------------------------------------------------------------------- */

/* The quick one has to be ready before the first lease is over, and to answer before its own is. */
static void slow_agent_is_fenced_and_its_late_answer_changes_nothing(void **state) {
    (void)state;
    struct town *town = town_new(&(struct town_options){.limits = "lease: 3 s, heartbeat: 10 min"});
    town_start(town);
    struct far *portal = far_open(town, "portal", 2), *duty = far_open(town, "duty", 0);
    struct raw *slow = raw_agent(town, "treasury-a", 1), *quick = raw_session(town, "treasury-b");
    est_id id;
    uint64_t number = far_submit(portal, "plot.debt", "3-1-1", &id);
    uint64_t old_epoch = raw_receive(slow, VERB_ASSIGN)->assign.epoch;
    raw_ready(quick, 1); /* it is the next one's turn; and the slow one renews nothing */
    const struct message *m = raw_receive(quick, VERB_ASSIGN);
    assert_int_equal(m->assign.number, number);
    assert_int_equal(m->assign.attempt, 2);
    assert_true(m->assign.epoch > old_epoch);
    assert_int_equal(raw_receive(slow, VERB_REVOKE)->revoke.code, EST_LEASE_EXPIRED);
    raw_answer(slow, number, old_epoch, 666); /* while the other one is at it */
    assert_int_equal(raw_receive(slow, VERB_ERROR)->error.code, EST_STALE_EPOCH);
    raw_answer(quick, number, m->assign.epoch, 7);
    raw_receive(quick, VERB_RECORDED);
    raw_answer(slow, number, old_epoch, 666); /* and after it */
    assert_int_equal(raw_receive(slow, VERB_ERROR)->error.code, EST_STALE_EPOCH);
    int64_t debt = 0;
    const est_event *result = far_wait(portal, EST_EVENT_RESULT, .id = &id);
    assert_true(est_field_int(result->body, "debt", &debt));
    assert_int_equal(debt, 7);
    assert_int_equal(est_client_status(portal->client, 99, &id, 0, true), 0);
    assert_true(est_field_int(far_wait(portal, EST_EVENT_STATUS, .ref = 99)->body, "debt", &debt));
    assert_int_equal(debt, 7);
    assert_true(far_stat(duty, "fact_stale") >= 2);
    assert_int_equal(far_stat(duty, "fact_answered"), 1);
    town_end(town);
}

/* The same with the public API: the whole process stands still, as with a full disk or a debugger. Until the quick one
 * has started, its lease ends again and again. */
static void agent_that_was_stopped_and_goes_on_does_no_harm(void **state) {
    (void)state;
    struct town *town = town_new(&(struct town_options){.limits = "lease: 200 ms, heartbeat: 10 min, attempts_max: 255"});
    town_start(town);
    struct child *slow = agent_start(town, "treasury-a", "hold", 1);
    assert_non_null(child_line(slow, "up"));
    struct far *portal = far_open(town, "portal", 2), *duty = far_open(town, "duty", 0);
    uint64_t number = far_submit(portal, "plot.debt", "3-1-1", NULL);
    unsigned attempt;
    assert_int_equal(took(slow, &attempt), number);
    child_signal(slow, SIGSTOP);
    struct child *quick = agent_start(town, "treasury-b", "answer", 1);
    est_slice body = far_wait(portal, EST_EVENT_RESULT, .number = number)->body;
    child_signal(slow, SIGCONT);
    child_say(slow, "go\n"); /* it answers, or has heard by then that its lease is over */
    child_signal(slow, SIGTERM);
    assert_int_equal(child_wait(slow), 0);
    assert_int_equal(est_client_status(portal->client, 99, NULL, number, true), 0);
    const est_event *status = far_wait(portal, EST_EVENT_STATUS, .ref = 99);
    assert_int_equal(status->body.size, body.size);
    assert_memory_equal(status->body.data, body.data, body.size);
    assert_int_equal(far_stat(duty, "fact_answered"), 1);
    child_signal(quick, SIGTERM);
    assert_int_equal(child_wait(quick), 0);
    town_end(town);
}

/* A lease is renewed when a third of it is over, so the agent may be nearly three seconds late on a busy machine. */
static void lease_that_is_renewed_does_not_end(void **state) {
    (void)state;
    enum { LEASE_MS = 4000 };
    struct town *town = town_new(&(struct town_options){.limits = "lease: 4 s"});
    town_start(town);
    struct child *slow = agent_start(town, "treasury-a", "hold", 1);
    assert_non_null(child_line(slow, "up"));
    struct far *portal = far_open(town, "portal", 2), *duty = far_open(town, "duty", 0);
    uint64_t number = far_submit(portal, "plot.debt", "3-1-1", NULL);
    unsigned attempt;
    assert_int_equal(took(slow, &attempt), number);
    int64_t until = far_status(portal, NULL, number)->until.us + LEASE_MS * EST_US_PER_MS;
    while (far_status(portal, NULL, number)->until.us < until) /* renewed when it had ended without */
        far_poll(portal, 50);
    child_say(slow, "go\n");
    assert_int_equal(far_wait(portal, EST_EVENT_RESULT, .number = number)->state, EST_STATE_ANSWERED);
    assert_int_equal(far_status(portal, NULL, number)->attempts, 0);
    assert_int_equal(far_stat(duty, "fact_lease_expired"), 0);
    town_end(town);
}

/* --- Attempts that fail ----------------------------------------------------------------------------- */

static void failed_attempts_park_an_inquiry_and_a_requeue_gets_it_answered(void **state) {
    (void)state;
    struct town *town =
        town_new(&(struct town_options){.limits = "attempts_max: 3, retry_first: 1 ms, retry_max: 5 ms"});
    town_start(town);
    struct child *fails = agent_start(town, "treasury-a", "retry", 1);
    struct far *portal = far_open(town, "portal", 2), *duty = far_open(town, "duty", 0);
    est_id id;
    uint64_t number = far_submit(portal, "plot.debt", "4-1-1", &id);
    unsigned attempt = 0;
    for (unsigned i = 1; i <= 3; i++) {
        assert_int_equal(took(fails, &attempt), number);
        assert_int_equal(attempt, i);
    }
    far_stat_wait(duty, "inquiries_parked", 1);
    assert_int_equal(est_client_parked(duty->client, 50, "treasury", 0, 10), 0);
    est_parked_row row;
    const est_event *page = far_wait(duty, EST_EVENT_PARKED, .ref = 50);
    assert_true(est_row_parked(page, 0, &row));
    assert_false(est_row_parked(page, 1, &row));
    assert_int_equal(row.number, number);
    assert_int_equal(row.attempts, 3);
    assert_true(text_is(row.reason, "test says so"));
    const est_event *status = far_status(portal, &id, 0);
    assert_int_equal(status->state, EST_STATE_PARKED);
    assert_int_equal(status->attempts, 3);
    assert_true(text_is(status->reason, "test says so"));
    child_signal(fails, SIGTERM);
    assert_int_equal(child_wait(fails), 0);
    struct child *works = agent_start(town, "treasury-b", "answer", 1);
    assert_non_null(child_line(works, "up"));
    assert_int_equal(est_client_requeue(duty->client, 51, number, "mended"), 0);
    far_wait(duty, EST_EVENT_DONE, .ref = 51);
    assert_int_equal(far_wait(portal, EST_EVENT_RESULT, .id = &id)->state, EST_STATE_ANSWERED);
    town_end(town);
}

static void status_wait(struct far *far, const est_id *id, enum est_state wanted) {
    for (int64_t until = now_ms() + WAIT_MS; far_status(far, id, 0)->state != (unsigned)wanted; assert_true(now_ms() < until))
        far_poll(far, 20);
}

/* More often than an inquiry may fail. */
static void agents_that_leave_in_order_give_back_what_they_hold(void **state) {
    (void)state;
    struct town *town = town_new(&(struct town_options){.limits = "attempts_max: 2"});
    town_start(town);
    struct far *portal = far_open(town, "portal", 2);
    est_id id;
    uint64_t number = far_submit(portal, "plot.debt", "4-1-1", &id);
    for (int i = 0; i < 3; i++) {
        struct raw *agent = raw_agent(town, "treasury-a", 1);
        assert_int_equal(raw_receive(agent, VERB_ASSIGN)->assign.attempt, 1);
        struct message m = {.verb = VERB_BYE};
        m.bye.code = EST_OK;
        raw_send(agent, &m);
        raw_receive(agent, VERB_BYE);
        raw_close(&agent);
    }
    struct child *ours = agent_start(town, "treasury-a", "hold", 1);
    unsigned attempt;
    assert_int_equal(took(ours, &attempt), number);
    assert_int_equal(attempt, 1);
    child_signal(ours, SIGTERM);
    status_wait(portal, &id, EST_STATE_WAITING);
    assert_int_equal(far_status(portal, &id, 0)->attempts, 0);
    child_signal(ours, SIGKILL); /* its handler works on, for nobody */
    assert_int_equal(est_client_timeline(portal->client, 9, &id, 0), 0);
    const est_event *line = far_wait(portal, EST_EVENT_TIMELINE, .ref = 9);
    est_timeline_row row;
    for (size_t i = 0; i < 4; i++) {
        assert_true(est_row_timeline(line, 2 + 2 * i, &row));
        assert_true(text_is(row.event, "given-back") && row.code == EST_AGENT_LEFT);
    }
    town_end(town);
}

/* One that is sure its database is away for an hour, by mistake, must not hold an inquiry for so long. */
static void pause_that_an_agent_wishes_is_cut_to_the_longest(void **state) {
    (void)state;
    struct town *town = town_new(&(struct town_options){.limits = "retry_first: 1 ms, retry_max: 5 ms"});
    town_start(town);
    struct far *portal = far_open(town, "portal", 2);
    struct raw *agent = raw_agent(town, "treasury-a", 1);
    uint64_t number = far_submit(portal, "plot.debt", "4-1-1", NULL);
    struct message m = {.verb = VERB_RETRY};
    m.retry = (struct retry){.number = number,
                             .epoch = raw_receive(agent, VERB_ASSIGN)->assign.epoch,
                             .reason = slice_of("a test"),
                             .after_ms = 3600 * 1000};
    raw_send(agent, &m);
    const struct assign *again = &raw_receive(agent, VERB_ASSIGN)->assign;
    assert_int_equal(again->number, number);
    assert_int_equal(again->attempt, 2);
    town_end(town);
}

static void refused_inquiry_is_parked_at_once(void **state) {
    (void)state;
    struct town *town = town_new(NULL);
    town_start(town);
    struct child *refuses = agent_start(town, "treasury-a", "refuse", 1);
    assert_non_null(child_line(refuses, "up"));
    struct far *portal = far_open(town, "portal", 2), *duty = far_open(town, "duty", 0);
    uint64_t number = far_submit(portal, "plot.debt", "4-1-1", NULL);
    far_stat_wait(duty, "inquiries_parked", 1);
    const est_event *status = far_status(portal, NULL, number);
    assert_int_equal(status->state, EST_STATE_PARKED);
    assert_int_equal(status->code, EST_AGENT_REFUSED);
    town_end(town);
}

/* --- Inquiries that end unanswered ------------------------------------------------------------------- */

static void inquiry_expires_at_its_deadline_and_the_requester_hears_it(void **state) {
    (void)state;
    struct town *town = town_new(NULL);
    town_start(town);
    struct far *portal = far_open(town, "portal", 2);
    struct raw *agent = raw_agent(town, "treasury-a", 1); /* one is leased, one waits: both expire */
    est_id ids[2];
    for (int i = 0; i < 2; i++) {
        est_id_new(&ids[i]);
        far_ask(portal, "plot.debt", "5-1-1", NULL, &ids[i], in_ms(3000));
        far_wait(portal, EST_EVENT_ACCEPTED, .id = &ids[i]);
    }
    const struct message *m = raw_receive(agent, VERB_ASSIGN);
    uint64_t number = m->assign.number, epoch = m->assign.epoch;
    for (int i = 0; i < 2; i++) {
        const est_event *result = far_wait(portal, EST_EVENT_RESULT, .id = &ids[i]);
        assert_int_equal(result->state, EST_STATE_EXPIRED);
        assert_int_equal(result->code, EST_EXPIRED);
    }
    assert_int_equal(raw_receive(agent, VERB_REVOKE)->revoke.code, EST_EXPIRED);
    raw_answer(agent, number, epoch, 1);
    assert_int_equal(raw_receive(agent, VERB_ERROR)->error.code, EST_STALE_EPOCH);
    assert_int_equal(far_status(portal, &ids[0], 0)->state, EST_STATE_EXPIRED);
    town_end(town);
}

static void cancelled_inquiry_ends_and_its_holder_is_told(void **state) {
    (void)state;
    struct town *town = town_new(NULL);
    town_start(town);
    struct far *portal = far_open(town, "portal", 2);
    struct raw *agent = raw_agent(town, "treasury-a", 1);
    est_id id;
    uint64_t number = far_submit(portal, "plot.debt", "5-1-1", &id);
    uint64_t epoch = raw_receive(agent, VERB_ASSIGN)->assign.epoch;
    assert_int_equal(est_client_cancel(portal->client, 70, &id, 0, "sold"), 0);
    far_wait(portal, EST_EVENT_DONE, .ref = 70);
    const est_event *result = far_wait(portal, EST_EVENT_RESULT, .id = &id);
    assert_int_equal(result->state, EST_STATE_CANCELLED);
    assert_true(text_is(result->reason, "sold"));
    assert_int_equal(raw_receive(agent, VERB_REVOKE)->revoke.code, EST_CANCELLED);
    raw_answer(agent, number, epoch, 1);
    assert_int_equal(raw_receive(agent, VERB_ERROR)->error.code, EST_STALE_EPOCH);
    assert_int_equal(est_client_cancel(portal->client, 71, &id, 0, "again"), 0);
    assert_int_equal(far_wait(portal, EST_EVENT_REFUSED, .ref = 71)->code, EST_ALREADY_FINAL);
    town_end(town);
}

static void draining_refuses_new_work_while_answers_go_on(void **state) {
    (void)state;
    struct town *town = town_new(NULL);
    town_start(town);
    struct far *portal = far_open(town, "portal", 2), *duty = far_open(town, "chief", 0);
    struct raw *agent = raw_agent(town, "treasury-a", 1);
    est_id held, late;
    uint64_t number = far_submit(portal, "plot.debt", "6-1-1", &held);
    uint64_t waits = far_submit(portal, "plot.debt", "6-1-2", NULL);
    uint64_t epoch = raw_receive(agent, VERB_ASSIGN)->assign.epoch;
    assert_int_equal(est_client_drain(duty->client, 80, true, "maintenance"), 0);
    far_wait(duty, EST_EVENT_DONE, .ref = 80);
    est_id_new(&late);
    far_ask(portal, "plot.debt", "6-1-3", NULL, &late, (est_time){0});
    const est_event *refused = far_wait(portal, EST_EVENT_REFUSED, .id = &late);
    assert_int_equal(refused->code, EST_DRAINING);
    assert_true(refused->retry.us > 0);
    raw_answer(agent, number, epoch, 5);
    raw_receive(agent, VERB_RECORDED);
    assert_int_equal(far_wait(portal, EST_EVENT_RESULT, .id = &held)->state, EST_STATE_ANSWERED);
    assert_int_equal(far_status(portal, NULL, waits)->state, EST_STATE_WAITING);
    assert_false(raw_heard(agent, VERB_ASSIGN));
    assert_int_equal(est_client_drain(duty->client, 81, false, "done"), 0);
    far_wait(duty, EST_EVENT_DONE, .ref = 81);
    assert_int_equal(raw_receive(agent, VERB_ASSIGN)->assign.number, waits);
    town_end(town);
}

/* Whoever corrects itself must not believe that the correction is on disk. */
static void another_answer_under_a_recorded_epoch_is_stale(void **state) {
    (void)state;
    struct town *town = town_new(NULL);
    town_start(town);
    struct far *portal = far_open(town, "portal", 2);
    struct raw *agent = raw_agent(town, "treasury-a", 1);
    est_id id;
    uint64_t number = far_submit(portal, "plot.debt", "1-1-1", &id);
    uint64_t epoch = raw_receive(agent, VERB_ASSIGN)->assign.epoch;
    raw_answer(agent, number, epoch, 7);
    raw_receive(agent, VERB_RECORDED);
    raw_answer(agent, number, epoch, 8);
    assert_int_equal(raw_receive(agent, VERB_ERROR)->error.code, EST_STALE_EPOCH);
    raw_answer(agent, number, epoch, 7); /* as one that missed RECORDED would */
    raw_receive(agent, VERB_RECORDED);
    int64_t debt = 0;
    const est_event *result = far_wait(portal, EST_EVENT_RESULT, .id = &id);
    assert_true(est_field_int(result->body, "debt", &debt));
    assert_int_equal(debt, 7);
    town_end(town);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CLAIM(another_answer_under_a_recorded_epoch_is_stale),
        CLAIM(window_of_nothing_or_of_too_much_is_refused),
        CLAIM(agent_dies_holding_work_and_the_next_agent_has_it_at_once),
        CLAIM(work_of_agents_killed_under_load_is_answered_by_others),
        CLAIM(slow_agent_is_fenced_and_its_late_answer_changes_nothing),
        CLAIM(agent_that_was_stopped_and_goes_on_does_no_harm),
        CLAIM(lease_that_is_renewed_does_not_end),
        CLAIM(failed_attempts_park_an_inquiry_and_a_requeue_gets_it_answered),
        CLAIM(agents_that_leave_in_order_give_back_what_they_hold),
        CLAIM(pause_that_an_agent_wishes_is_cut_to_the_longest),
        CLAIM(refused_inquiry_is_parked_at_once),
        CLAIM(inquiry_expires_at_its_deadline_and_the_requester_hears_it),
        CLAIM(cancelled_inquiry_ends_and_its_holder_is_told),
        CLAIM(draining_refuses_new_work_while_answers_go_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
