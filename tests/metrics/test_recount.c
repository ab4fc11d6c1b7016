/* test_recount.c - after a random load with everything that can befall an inquiry, each counter of /metrics
 * is what the log says when it is counted once more, and each refusal and lease what this test has seen.
 *
 * The load is by seed: RECOUNT_SEED, else the clock; it is printed.
 */
#include "look.h"
#include "recount.h"

#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static struct exposition_read got, counted;

struct load {
    struct gate *gate;
    struct town *town;
    struct far *portal, *duty;
    unsigned seed;
    size_t parked, refused, again;
};

static unsigned some(struct load *l, unsigned least, unsigned most) {
    return least + (unsigned)rand_r(&l->seed) % (most - least + 1);
}

static const char *parcel(struct load *l) {
    static char text[32];
    snprintf(text, sizeof text, "%u-2-%u", some(l, 1, 9), some(l, 1, 99));
    return text;
}

static est_time in_ms(int64_t ms) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (est_time){((int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000 + ms) * EST_US_PER_MS};
}

static uint64_t submit(struct load *l, const char *type, est_time deadline) {
    est_id id;
    est_id_new(&id);
    far_ask(l->portal, type, parcel(l), NULL, &id, deadline);
    return far_wait(l->portal, EST_EVENT_ACCEPTED, .id = &id)->number;
}

/* ACCEPTED or REFUSED. */
static const est_event *outcome_wait(struct load *l, const est_id *id) {
    for (int64_t until = now_ms() + WAIT_MS;;) {
        const est_event *e = far_peek(l->portal, (struct want){.kind = EST_EVENT_ACCEPTED, .id = id});
        e = e ? e : far_peek(l->portal, (struct want){.kind = EST_EVENT_REFUSED, .id = id});
        if (e)
            return e;
        assert_true(now_ms() < until);
        far_poll(l->portal, 100);
    }
}

/* Its end comes, and is acknowledged by chance. */
static void end_wait(struct load *l, uint64_t number) {
    far_wait(l->portal, EST_EVENT_RESULT, .number = number);
    if (some(l, 0, 2))
        assert_int_equal(est_client_ack(l->portal->client, number), 0);
}

static const char *some_type(struct load *l) {
    return some(l, 0, 1) ? "plot.debt" : "plot.use";
}

/* --- What can befall inquiries --------------------------------------------------------------------- */

static void some_are_answered(struct load *l) {
    struct child *treasury = agent_start(l->town, "treasury-a", "answer", 2);
    struct child *works = agent_start(l->town, "works-a", "answer", 2);
    for (unsigned i = some(l, 5, 40); i-- > 0;)
        end_wait(l, submit(l, some_type(l), (est_time){0}));
    child_free(&treasury);
    child_free(&works);
}

/* By an agent that fails until no attempt is left, or that refuses. */
static void some_are_parked(struct load *l, const char *mode) {
    struct child *agent = agent_start(l->town, "treasury-a", mode, 1);
    unsigned count = some(l, 2, 8);
    l->parked += count;
    while (count-- > 0)
        submit(l, "plot.debt", (est_time){0});
    look_until(l->gate, "estelam_inquiries{department=\"treasury\",state=\"parked\"}", (double)l->parked,
               &got);
    child_free(&agent);
}
static void some_fail(struct load *l) {
    some_are_parked(l, "retry");
}
static void some_are_refused_by_their_agent(struct load *l) {
    some_are_parked(l, "refuse");
}

/* With this deadline, or a later one where the machine is so slow that it has passed already. */
static uint64_t submit_until(struct load *l, const char *type, const char *where, unsigned ms,
                             est_id *ret_id) {
    for (;; ms *= 2) {
        est_id_new(ret_id);
        far_ask(l->portal, type, where, NULL, ret_id, in_ms(ms));
        const est_event *e = outcome_wait(l, ret_id);
        if (e->kind == EST_EVENT_ACCEPTED)
            return e->number;
        assert_int_equal(e->code, EST_DEADLINE_PASSED);
    }
}

static void some_expire(struct load *l) {
    uint64_t numbers[10];
    unsigned count = some(l, 2, 10);
    est_id id;
    for (unsigned i = 0; i < count; i++)
        numbers[i] = submit_until(l, some_type(l), parcel(l), some(l, 100, 300), &id);
    for (unsigned i = 0; i < count; i++)
        end_wait(l, numbers[i]);
}

static void some_are_cancelled(struct load *l) {
    for (unsigned i = some(l, 1, 6); i-- > 0;) {
        uint64_t number = submit(l, some_type(l), (est_time){0}), ref = ++l->portal->ref;
        assert_int_equal(est_client_cancel(l->portal->client, ref, NULL, number, "by chance"), 0);
        far_wait(l->portal, EST_EVENT_DONE, .ref = ref);
        end_wait(l, number);
    }
}

/* Taken and left until the lease is over, or by an agent that goes; then answered. A slow machine may add
 * an expiry or two: attempts_max leaves room for them. */
static void a_lease_is_lost(struct load *l) {
    uint64_t number = submit(l, "plot.debt", (est_time){0});
    struct raw *idle = raw_agent(l->town, "treasury-b", 1);
    raw_receive(idle, VERB_ASSIGN);
    if (some(l, 0, 1))
        raw_receive(idle, VERB_REVOKE);
    raw_close(&idle);
    struct child *agent = agent_start(l->town, "treasury-a", "answer", 1);
    end_wait(l, number);
    child_free(&agent);
}

static void some_parked_go_back(struct load *l) {
    if (l->parked == 0)
        return;
    uint64_t ref = ++l->duty->ref;
    est_parked_row row;
    uint64_t numbers[64];
    size_t count = 0, want = some(l, 1, 5);
    assert_int_equal(est_client_parked(l->duty->client, ref, NULL, 0, 64), 0);
    const est_event *page = far_wait(l->duty, EST_EVENT_PARKED, .ref = ref);
    while (count < want && est_row_parked(page, count, &row))
        numbers[count++] = row.number;
    struct child *agent = agent_start(l->town, "treasury-a", "answer", 2);
    for (size_t i = 0; i < count; i++) {
        ref = ++l->duty->ref;
        assert_int_equal(est_client_requeue(l->duty->client, ref, numbers[i], "mended"), 0);
        far_wait(l->duty, EST_EVENT_DONE, .ref = ref);
        end_wait(l, numbers[i]);
    }
    l->parked -= count;
    child_free(&agent);
}

static void one_is_redirected(struct load *l) {
    est_id id;
    est_id_new(&id);
    far_ask(l->portal, "plot.debt", "3-1-1", NULL, &id, (est_time){0});
    uint64_t number = far_wait(l->portal, EST_EVENT_ACCEPTED, .id = &id)->number, ref = ++l->duty->ref;
    assert_int_equal(est_client_redirect(l->duty->client, ref, number, 4, "by chance"), 0);
    far_wait(l->duty, EST_EVENT_DONE, .ref = ref);
    struct child *agent = agent_start(l->town, "treasury-a", "answer", 1);
    end_wait(l, number);
    child_free(&agent);
}

static void some_are_refused(struct load *l) {
    for (unsigned i = some(l, 1, 8); i-- > 0; l->refused++) {
        est_id id;
        est_id_new(&id);
        far_ask(l->portal, "plot.debt", "not a parcel", NULL, &id, (est_time){0});
        assert_int_equal(far_wait(l->portal, EST_EVENT_REFUSED, .id = &id)->code, EST_INVALID_BODY);
    }
}

static void some_are_asked_again(struct load *l) {
    est_id id;
    const char *where = parcel(l);
    uint64_t number = submit_until(l, "plot.use", where, 200, &id);
    for (unsigned i = some(l, 1, 4); i-- > 0; l->again++) {
        far_ask(l->portal, "plot.use", where, NULL, &id, in_ms(200));
        assert_true(far_wait(l->portal, EST_EVENT_ACCEPTED, .id = &id)->again);
    }
    end_wait(l, number);
}

static void (*const FATES[])(struct load *) = {
    some_are_answered,    some_fail,          some_are_refused_by_their_agent,
    some_expire,          some_are_cancelled, a_lease_is_lost,
    some_parked_go_back,  one_is_redirected,  some_are_refused,
    some_are_asked_again,
};
enum { FATES_COUNT = sizeof FATES / sizeof FATES[0], TURNS = 8 };

/* --- The claim -------------------------------------------------------------------------------------- */

static bool is_of_the_log(const char *series) {
    static const char *const starts[] = {
        "estelam_inquiries_accepted_total",   "estelam_inquiries_finished_total",
        "estelam_attempts_failed_total",      "estelam_inquiries_parked_total",
        "estelam_inquiries_requeued_total",   "estelam_inquiries_redirected_total",
        "estelam_results_acknowledged_total", "estelam_redeliveries_total",
        "estelam_lease_expiries_total",       "estelam_answer_seconds",
        "estelam_queue_wait_seconds"};
    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++)
        if (strncmp(series, starts[i], strlen(starts[i])) == 0)
            return true;
    return false;
}

static void both_say_the_same(unsigned seed) {
    size_t compared = 0;
    for (size_t i = 0; i < got.count; i++) {
        if (!is_of_the_log(got.at[i].name))
            continue;
        double log = strict_value(&counted, got.at[i].name);
        if (fabs(got.at[i].value - (log < 0 ? 0 : log)) > 1e-5)
            fail_msg("seed %u: %s: /metrics %f, the log %f", seed, got.at[i].name, got.at[i].value, log);
        compared++;
    }
    for (size_t i = 0; i < counted.count; i++)
        if (is_of_the_log(counted.at[i].name) && strict_value(&got, counted.at[i].name) < 0)
            fail_msg("seed %u: the log has %s and /metrics not", seed, counted.at[i].name);
    assert_true(compared > 20);
}

static void each_counter_is_what_the_log_says(void **state) {
    (void)state;
    static const struct town_options options = {
        .limits = "lease: 300 ms, heartbeat: 10 min, attempts_max: 10, retry_first: 10 ms, retry_max: 50 ms"};
    const char *text = getenv("RECOUNT_SEED");
    unsigned seed = text ? (unsigned)atol(text) : (unsigned)time(NULL);
    struct load l = {.gate = look_stand(&options), .seed = seed};
    l.town = l.gate->town;
    l.portal = far_open(l.town, "portal", 2);
    l.duty = far_open(l.town, "duty", 0);
    print_message("RECOUNT_SEED=%u\n", seed);
    for (unsigned i = 0; i < FATES_COUNT + TURNS; i++)
        FATES[i < FATES_COUNT ? i : some(&l, 0, FATES_COUNT - 1)](&l);
    /* Nothing more happens once the portal is gone, its acknowledgements are in, and the gateway, which gets what it
     * has left, has acknowledged that. */
    far_close(&l.portal);
    far_close(&l.duty);
    int64_t deadline = now_ms() + WAIT_MS;
    double before;
    do {
        look_scrape(l.gate, &got);
        before = strict_value(&got, "estelam_log_position");
        look_scrape(l.gate, &got);
    } while (now_ms() < deadline && (strict_value(&got, "estelam_results_unacknowledged") != 0 ||
                                     strict_value(&got, "estelam_counters_position") != before ||
                                     strict_value(&got, "estelam_log_position") != before));
    assert_true(strict_value(&got, "estelam_results_unacknowledged") == 0);
    assert_true(strict_value(&got, "estelam_commands_refused_total{code=\"INVALID_BODY\"}") ==
                (double)l.refused);
    assert_true(strict_value(&got, "estelam_submits_repeated_total") == (double)l.again);
    assert_true(strict_value(&got, "estelam_inquiries{department=\"treasury\",state=\"parked\"}") ==
                (double)l.parked);
    char folder[FOLDER_MAX + 16];
    snprintf(folder, sizeof folder, "%s/store", l.town->folder);
    assert_int_equal(town_stop(l.town), 0);
    recount(folder, &got, &counted);
    assert_true(strict_value(&counted, "events") >= before);
    both_say_the_same(seed);
}

int main(void) {
    const struct CMUnitTest tests[] = {GATE_CLAIM(each_counter_is_what_the_log_says)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
