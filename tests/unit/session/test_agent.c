/* test_agent.c - est_agent_* against a small broker: workers, verdicts, lost leases, stopping. */
#include "fake.h"

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <estelam/agent.h>

enum { INQUIRIES = 1000, WINDOW = 64, WORKERS = 4 };

/* What a test knows of its agent and broker. */
struct scene {
    struct fake *broker;
    est_agent *agent;
    pthread_t thread;
    int drain_ms, returned;
    atomic_bool has_returned;
    sem_t begun, go; /* a handler has begun; it may go on */
    pthread_barrier_t together;
    atomic_uint lost, refused, defects, strangers;
    est_verdict verdict;

    /* The broker's thread alone: */
    unsigned assigned, inquiries;
    unsigned answered[INQUIRIES + 1];
    char reason[EST_TEXT_MAX + 1];
    uint64_t after_ms, debt_sum;
    int64_t after_us; /* what give_verdict wishes; 0: 1.5 s */
};

/* --- The broker: a window of work, and more for each answer. -------------------------------------------- */

static void assign_next(struct fake *f) {
    struct scene *s = fake_arg(f);
    static const uint8_t body[] = {0x81, 0xa1, 'n', 0x05};
    if (s->assigned >= s->inquiries)
        return;
    uint64_t number = ++s->assigned;
    FAKE_SAY(f, ASSIGN, assign,
             {.number = number,
              .epoch = number + 7,
              .type = slice_of("nosazi.bedehi"),
              .version = 2,
              .requester = slice_of("portal"),
              .district = 6,
              .lease_ms = 30000,
              .attempt = 1,
              .body = {body, 4}});
}

static void answer_take(struct fake *f, const struct answer *answer) {
    struct scene *s = fake_arg(f);
    int64_t debt = 0;
    est_field_int(answer->body, "debt", &debt);
    s->debt_sum += (uint64_t)debt;
    s->answered[answer->number]++;
    fake_record(f, answer->number, answer->epoch);
    assign_next(f);
}

static void serve(struct fake *f, const struct message *m) {
    struct scene *s = fake_arg(f);
    est_slice reason = {0};
    switch (m->verb) {
    case VERB_READY:
        for (unsigned i = 0; i < WINDOW; i++)
            assign_next(f);
        return;
    case VERB_ANSWER:
        answer_take(f, &m->answer);
        return;
    case VERB_RETRY:
        s->after_ms = m->retry.after_ms;
        reason = m->retry.reason;
        fake_record(f, m->retry.number, m->retry.epoch);
        break;
    case VERB_REFUSE:
        reason = m->refuse.reason;
        fake_record(f, m->refuse.number, m->refuse.epoch);
        break;
    default:
        return;
    }
    snprintf(s->reason, sizeof s->reason, "%.*s", (int)reason.size, (const char *)reason.data);
}

/* Poked, it takes the first inquiry away again. */
static void serve_and_revoke(struct fake *f, const struct message *m) {
    if (m->verb == VERB_NONE)
        FAKE_SAY(f, REVOKE, revoke, {.number = 1, .epoch = 8, .code = EST_CANCELLED});
    else
        serve(f, m);
}

/* Refuses every answer for two faults. */
static void serve_and_refuse(struct fake *f, const struct message *m) {
    static const est_defect defects[] = {{"debt", "missing", "the field is required"},
                                         {"years[1]", "range", "is larger than 1500"}};
    if (m->verb != VERB_ANSWER) {
        serve(f, m);
        return;
    }
    struct buffer rows;
    buffer_init(&rows);
    pack_array(&rows, 2);
    defect_pack(&rows, &defects[0]);
    defect_pack(&rows, &defects[1]);
    fake_refuse(f, &(struct error_is){.number = m->answer.number,
                                      .epoch = m->answer.epoch,
                                      .code = EST_INVALID_ANSWER,
                                      .layer = EST_LAYER_AGENT,
                                      .text = slice_of("nosazi.bedehi"),
                                      .defects = buffer_slice(&rows)});
    buffer_done(&rows);
}

static void serve_until_revoked(struct fake *f, const struct message *m) {
    if (m->verb == VERB_NONE)
        FAKE_SAY(f, BYE, bye, {.code = EST_KEY_REVOKED, .text = slice_of("since noon")});
    else
        serve(f, m);
}

/* --- Handlers. ------------------------------------------------------------------------------------------ */

static est_verdict answer_at_once(void *arg, const est_inquiry *in, est_answer *out) {
    (void)arg;
    int64_t n = 0;
    if (!est_field_int(in->body, "n", &n))
        return EST_VERDICT_REFUSE;
    est_body_int(out->body, "debt", n);
    out->outcome = EST_OUTCOME_POSITIVE;
    return EST_VERDICT_ANSWER;
}

/* The first four inquiries are answered only when four handlers are at work in one moment. */
static est_verdict answer_together(void *arg, const est_inquiry *in, est_answer *out) {
    struct scene *s = arg;
    if (in->number <= WORKERS)
        pthread_barrier_wait(&s->together);
    return answer_at_once(arg, in, out);
}

static est_verdict give_verdict(void *arg, const est_inquiry *in, est_answer *out) {
    struct scene *s = arg;
    (void)in;
    snprintf(out->reason, sizeof out->reason, "db-down");
    if (s->verdict == EST_VERDICT_REFUSE)
        snprintf(out->remark, sizeof out->remark, "the parcel is in another system");
    out->after.us = s->after_us ? s->after_us : 1500 * EST_US_PER_MS;
    return s->verdict;
}

static est_verdict answer_beyond_the_protocol(void *arg, const est_inquiry *in, est_answer *out) {
    (void)arg, (void)in;
    static char text[EST_BODY_MAX + 1];
    memset(text, 'x', EST_BODY_MAX);
    est_body_text(out->body, "too-much", text);
    return EST_VERDICT_ANSWER;
}

static est_verdict answer_when_told(void *arg, const est_inquiry *in, est_answer *out) {
    struct scene *s = arg;
    sem_post(&s->begun);
    sem_wait(&s->go);
    return answer_at_once(arg, in, out);
}

static est_verdict work_until_over(void *arg, const est_inquiry *in, est_answer *out) {
    struct scene *s = arg;
    int64_t deadline = now_ms() + FAKE_DEADLINE_MS;
    if (in->number > 1)
        return answer_at_once(arg, in, out);
    sem_post(&s->begun);
    while (!est_inquiry_is_over(in) && now_ms() < deadline)
        sched_yield();
    sem_post(&s->go);
    return answer_at_once(arg, in, out);
}

static void logger(void *arg, int code, const char *sentence) {
    struct scene *s = arg;
    if (code == EST_CANCELLED)
        atomic_fetch_add(&s->lost, 1);
    if (code == EST_INPUT && strstr(sentence, "as the account portal, not as nosazi-agent"))
        atomic_fetch_add(&s->strangers, 1);
    if (strstr(sentence, "cannot be sent"))
        atomic_fetch_add(&s->refused, 1);
    if (code == EST_INVALID_ANSWER &&
        (!strcmp(sentence, "the answer to inquiry 1: debt: the field is required") ||
         !strcmp(sentence, "the answer to inquiry 1: years[1]: is larger than 1500")))
        atomic_fetch_add(&s->defects, 1);
}

/* --- The scene. ----------------------------------------------------------------------------------------- */

static void *run(void *arg) {
    struct scene *s = arg;
    s->returned = est_agent_run(s->agent, s->drain_ms);
    atomic_store(&s->has_returned, true);
    return NULL;
}

static struct scene *scene_open_as(const char *account, unsigned inquiries, fake_rule rule, const char *zap,
                                   est_handler handler) {
    struct scene *s = calloc(1, sizeof *s);
    assert_non_null(s);
    sem_init(&s->begun, 0, 0);
    sem_init(&s->go, 0, 0);
    pthread_barrier_init(&s->together, NULL, WORKERS);
    s->inquiries = inquiries;
    s->drain_ms = FAKE_DEADLINE_MS;
    s->broker =
        fake_open(&(struct fake_options){.rule = rule, .arg = s, .zap_status = zap, .window = WINDOW});
    est_agent_options options = {.broker = {.endpoints = {fake_endpoint(s->broker)},
                                            .account = account,
                                            .window = WINDOW,
                                            .reconnect_first = {10 * EST_US_PER_MS}},
                                 .workers = WORKERS,
                                 .handler = handler,
                                 .logger = logger,
                                 .arg = s};
    assert_int_equal(est_agent_open(&options, &s->agent), 0);
    return s;
}

static struct scene *scene_open(unsigned inquiries, fake_rule rule, const char *zap, est_handler handler) {
    return scene_open_as("portal", inquiries, rule, zap, handler); /* so the fake calls everybody */
}

static void scene_run(struct scene *s) {
    assert_int_equal(pthread_create(&s->thread, NULL, run, s), 0);
}

static void scene_join(struct scene *s, int returned) {
    pthread_join(s->thread, NULL);
    assert_int_equal(s->returned, returned);
}

static void scene_close(struct scene **scene) {
    struct scene *s = *scene;
    est_agent_close(&s->agent);
    fake_close(&s->broker);
    sem_destroy(&s->begun);
    sem_destroy(&s->go);
    pthread_barrier_destroy(&s->together);
    free(s);
    *scene = NULL;
}

/* --- Tests. -----------------------------------------------------------------------------------------------
 */

static void four_workers_answer_a_thousand_inquiries_once_each(void **state) {
    (void)state;
    struct scene *s = scene_open(INQUIRIES, serve, NULL, answer_together);
    scene_run(s);
    fake_await(s->broker, VERB_ANSWER, INQUIRIES);
    est_agent_stop(s->agent);
    scene_join(s, 0);
    fake_await(s->broker, VERB_BYE, 1);
    for (unsigned i = 1; i <= INQUIRIES; i++)
        assert_int_equal(s->answered[i], 1);
    assert_int_equal(s->debt_sum, 5 * INQUIRIES);
    scene_close(&s);
}

static void verdict_brings_its(est_verdict verdict, enum verb verb, const char *reason) {
    struct scene *s = scene_open(1, serve, NULL, give_verdict);
    s->verdict = verdict;
    scene_run(s);
    fake_await(s->broker, verb, 1);
    est_agent_stop(s->agent);
    scene_join(s, 0);
    assert_string_equal(s->reason, reason);
    assert_int_equal(s->after_ms, verdict == EST_VERDICT_RETRY ? 1500 : 0);
    scene_close(&s);
}

static void retry_and_refuse_say_why(void **state) {
    (void)state;
    verdict_brings_its(EST_VERDICT_RETRY, VERB_RETRY, "db-down");
    verdict_brings_its(EST_VERDICT_REFUSE, VERB_REFUSE, "the parcel is in another system");
}

static void wish_of_any_length_reaches_the_broker(void **state) {
    (void)state;
    static const struct {
        int64_t us;
        uint64_t ms;
    } wishes[] = {{1, 1}, {1001, 2}, {3600 * EST_US_PER_S, 3600 * 1000}, {INT64_MAX, UINT32_MAX}, {-1, 0}};
    for (size_t i = 0; i < sizeof wishes / sizeof wishes[0]; i++) {
        struct scene *s = scene_open(1, serve, NULL, give_verdict);
        s->verdict = EST_VERDICT_RETRY;
        s->after_us = wishes[i].us;
        scene_run(s);
        fake_await(s->broker, VERB_RETRY, 1);
        est_agent_stop(s->agent);
        scene_join(s, 0);
        assert_int_equal(s->after_ms, wishes[i].ms);
        scene_close(&s);
    }
}

static void answer_that_is_too_large_is_refused_for_a_person_to_see(void **state) {
    (void)state;
    struct scene *s = scene_open(1, serve, NULL, answer_beyond_the_protocol);
    scene_run(s);
    fake_await(s->broker, VERB_REFUSE, 1);
    est_agent_stop(s->agent);
    scene_join(s, 0);
    assert_non_null(strstr(s->reason, "larger"));
    assert_int_equal(atomic_load(&s->refused), 1);
    scene_close(&s);
}

static void every_defect_of_an_answer_is_told_to_the_log(void **state) {
    (void)state;
    struct scene *s = scene_open(1, serve_and_refuse, NULL, answer_at_once);
    scene_run(s);
    fake_await(s->broker, VERB_ANSWER, 1);
    est_agent_stop(s->agent); /* it goes on until it has heard what became of the answer */
    scene_join(s, 0);
    assert_int_equal(atomic_load(&s->defects), 2);
    scene_close(&s);
}

static void lost_lease_is_told_to_the_handler_and_its_answer_dropped(void **state) {
    (void)state;
    struct scene *s = scene_open(2, serve_and_revoke, NULL, work_until_over);
    scene_run(s);
    sem_wait(&s->begun);
    fake_poke(s->broker);
    sem_wait(&s->go); /* the handler has seen it */
    est_agent_stop(s->agent);
    scene_join(s, 0);
    fake_await(s->broker, VERB_BYE, 1); /* the broker has seen everything */
    assert_int_equal(s->answered[1], 0);
    assert_int_equal(s->answered[2], 1);
    assert_int_equal(atomic_load(&s->lost), 1);
    scene_close(&s);
}

static est_agent *signalled;
static void on_signal(int number) {
    (void)number;
    est_agent_stop(signalled);
}

static void stop_from_a_signal_finishes_what_is_held(void **state) {
    (void)state;
    struct scene *s = scene_open(WORKERS, serve, NULL, answer_when_told);
    scene_run(s);
    for (int i = 0; i < WORKERS; i++)
        sem_wait(&s->begun);
    signalled = s->agent;
    signal(SIGUSR1, on_signal);
    raise(SIGUSR1);
    fake_await(s->broker, VERB_LEAVE, 1);
    assert_int_equal(fake_count(s->broker, VERB_ANSWER), 0);
    for (int i = 0; i < WORKERS; i++)
        sem_post(&s->go);
    scene_join(s, 0);
    assert_int_equal(fake_count(s->broker, VERB_ANSWER), WORKERS);
    assert_int_equal(est_agent_run(s->agent, 0), -EST_CLOSED);
    scene_close(&s);
}

static void drain_ends_at_its_time_and_the_handler_hears_of_it(void **state) {
    (void)state;
    struct scene *s = scene_open(1, serve, NULL, work_until_over);
    s->drain_ms = 50;
    scene_run(s);
    sem_wait(&s->begun);
    est_agent_stop(s->agent);
    scene_join(s, 0);
    sem_wait(&s->go);
    fake_await(s->broker, VERB_BYE, 1);
    assert_int_equal(fake_count(s->broker, VERB_ANSWER), 0);
    scene_close(&s);
}

static void revoked_and_refused_keys_end_the_agent(void **state) {
    (void)state;
    struct scene *s = scene_open(1, serve_until_revoked, NULL, answer_at_once);
    scene_run(s);
    fake_await(s->broker, VERB_ANSWER, 1);
    fake_poke(s->broker);
    scene_join(s, -EST_KEY_REVOKED);
    scene_close(&s);
    s = scene_open(1, serve, "400", answer_at_once);
    scene_run(s);
    scene_join(s, -EST_NOT_ALLOWED);
    scene_close(&s);
}

static void agent_with_another_accounts_key_ends_without_taking_work(void **state) {
    (void)state;
    struct scene *s = scene_open_as("nosazi-agent", 1, serve, NULL, answer_at_once);
    scene_run(s);
    scene_join(s, -EST_INPUT);
    fake_await(s->broker, VERB_BYE, 1);
    assert_int_equal(fake_count(s->broker, VERB_READY), 0);
    assert_int_equal(atomic_load(&s->strangers), 1);
    scene_close(&s);
}

static void agent_that_never_ran_closes(void **state) {
    (void)state;
    struct scene *s = scene_open(1, serve, NULL, answer_at_once);
    scene_close(&s);
    est_agent_options none = {.workers = 1};
    est_agent *agent = NULL;
    assert_int_equal(est_agent_open(&none, &agent), -EST_INPUT);
    est_agent_close(&agent);
}

static void agent_of_a_parent_is_closed_in_the_child(void **state) {
    (void)state;
    struct scene *s = scene_open(1, serve, NULL, give_verdict);
    int status = -1;
    pid_t child = fork();
    if (child == 0) {
        alarm(FAKE_DEADLINE_MS / 1000);
        int code = est_agent_run(s->agent, 100);
        est_agent_stop(s->agent);
        est_agent_close(&s->agent);
        _exit(code != -EST_CLOSED || s->agent);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    s->verdict = EST_VERDICT_RETRY;
    scene_run(s);
    fake_await(s->broker, VERB_RETRY, 1);
    est_agent_stop(s->agent);
    scene_join(s, 0);
    scene_close(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(four_workers_answer_a_thousand_inquiries_once_each),
        cmocka_unit_test(retry_and_refuse_say_why),
        cmocka_unit_test(wish_of_any_length_reaches_the_broker),
        cmocka_unit_test(answer_that_is_too_large_is_refused_for_a_person_to_see),
        cmocka_unit_test(every_defect_of_an_answer_is_told_to_the_log),
        cmocka_unit_test(lost_lease_is_told_to_the_handler_and_its_answer_dropped),
        cmocka_unit_test(stop_from_a_signal_finishes_what_is_held),
        cmocka_unit_test(drain_ends_at_its_time_and_the_handler_hears_of_it),
        cmocka_unit_test(revoked_and_refused_keys_end_the_agent),
        cmocka_unit_test(agent_with_another_accounts_key_ends_without_taking_work),
        cmocka_unit_test(agent_that_never_ran_closes),
        cmocka_unit_test(agent_of_a_parent_is_closed_in_the_child),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
