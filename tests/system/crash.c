/* crash.c - a broker that is killed, stopped and started again: what was accepted is there, every
 * result comes, and nothing is said twice in two ways. */
#include "harness.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- Killed under load ------------------------------------------------------------------------------- */

/* One inquiry as the requester knows it. */
struct known {
    est_id id;
    uint64_t number;
    char tracking[EST_TRACKING_MAX + 1];
    unsigned results;
    int64_t debt;
};

struct load {
    struct far *portal;
    struct known *all;
    size_t count, capacity, accepted, answered;
};

static struct known *known_find(struct load *load, const est_id *id) {
    for (size_t i = load->count; i-- > 0;) /* the recent ones are asked for most */
        if (memcmp(&load->all[i].id, id, sizeof *id) == 0)
            return &load->all[i];
    fail_msg("an id came that was never submitted");
    return NULL;
}

/* As many as keep `window` unanswered; the body of each differs, so that a mix-up would show. */
static void load_submit(struct load *load, size_t window) {
    while (load->count < load->capacity && load->count - load->answered < window) {
        struct known *it = &load->all[load->count++];
        char parcel[32];
        est_id_new(&it->id);
        snprintf(parcel, sizeof parcel, "%zu-%zu-1", load->count % 9 + 1, load->count % 1000);
        far_ask(load->portal, "plot.debt", parcel, NULL, &it->id, (est_time){0});
    }
}

/* A receipt that comes again is the receipt that came before. */
static void receipt_take(struct load *load, const est_event *e) {
    struct known *it = known_find(load, &e->id);
    if (it->number == 0) {
        it->number = e->number;
        snprintf(it->tracking, sizeof it->tracking, "%.*s", (int)e->tracking.size,
                 (const char *)e->tracking.data);
        load->accepted++;
    }
    assert_int_equal(it->number, e->number);
    assert_true(text_is(e->tracking, it->tracking));
}

/* So is a result. Every second one is acknowledged at once, the others only at the end: those come
 * again with every new session. */
static void result_take(struct load *load, const est_event *e) {
    struct known *it = known_find(load, &e->id);
    int64_t debt = -1;
    assert_int_equal(e->state, EST_STATE_ANSWERED);
    assert_true(est_field_int(e->body, "debt", &debt));
    load->answered += it->results == 0;
    if (it->results++ == 0)
        it->debt = debt;
    assert_true(it->debt == debt);
    if (e->number % 2 == 0)
        assert_int_equal(est_client_ack(load->portal->client, e->number), 0);
}

static void load_take(struct load *load) {
    const est_event *e;
    while ((e = far_peek(load->portal, (struct want){.kind = EST_EVENT_ACCEPTED})))
        receipt_take(load, e);
    while ((e = far_peek(load->portal, (struct want){.kind = EST_EVENT_RESULT})))
        result_take(load, e);
    assert_null(far_peek(load->portal, (struct want){.kind = EST_EVENT_REFUSED}));
    far_forget(load->portal);
}

/* Goes on until so many have an answer. */
static void load_run(struct load *load, size_t window, size_t answered) {
    int64_t until = now_ms() + WAIT_MS;
    while (load->answered < answered) {
        if (now_ms() > until)
            fail_msg("%zu submitted, %zu accepted, %zu answered of %zu wished", load->count, load->accepted,
                     load->answered, answered);
        load_submit(load, window);
        far_poll(load->portal, 100);
        load_take(load);
    }
}

/* Results that a killed broker owed come first with a new session, receipts of what is asked again after
 * them. */
static void receipts_await(struct load *load) {
    int64_t until = now_ms() + WAIT_MS;
    while (load->accepted < load->count) {
        if (now_ms() > until)
            fail_msg("%zu submitted, %zu accepted", load->count, load->accepted);
        far_poll(load->portal, 100);
        load_take(load);
    }
}

/* The same id again: the same receipt, and it says that it is not new. */
static void resubmit_all(struct load *load) {
    for (size_t i = 0; i < load->count; i++) {
        char parcel[32];
        snprintf(parcel, sizeof parcel, "%zu-%zu-1", (i + 1) % 9 + 1, (i + 1) % 1000);
        far_ask(load->portal, "plot.debt", parcel, NULL, &load->all[i].id, (est_time){0});
        const est_event *e = far_wait(load->portal, EST_EVENT_ACCEPTED, .id = &load->all[i].id);
        assert_true(e->again);
        receipt_take(load, e);
        far_forget(load->portal);
    }
}

static void compare_with_record(struct load *load) {
    for (size_t i = 0; i < load->count; i++) {
        int64_t debt = -1;
        struct known *it = &load->all[i];
        assert_true(it->number != 0 && it->results >= 1);
        assert_int_equal(est_client_status(load->portal->client, i + 1, &it->id, 0, true), 0);
        const est_event *e = far_wait(load->portal, EST_EVENT_STATUS, .ref = i + 1);
        assert_int_equal(e->state, EST_STATE_ANSWERED);
        assert_int_equal(e->number, it->number);
        assert_true(est_field_int(e->body, "debt", &debt) && debt == it->debt);
        assert_int_equal(est_client_ack(load->portal->client, it->number), 0);
        far_forget(load->portal);
    }
}

static void accepted_inquiries_survive_kills_of_the_broker_under_load(void **state) {
    (void)state;
    enum { KILLS = 12, BETWEEN = 200, WINDOW = 300, ROOM = (KILLS + 1) * (BETWEEN + WINDOW) };
    struct town *town = town_new(&(struct town_options){.limits = "attempts_max: 200"});
    town_start(town);
    struct child *agents[] = {agent_start(town, "treasury-a", "answer", 2),
                              agent_start(town, "treasury-b", "answer", 2)};
    struct load load = {.portal = far_open(town, "portal", 2), .capacity = ROOM};
    struct far *duty = far_open(town, "duty", 0);
    load.all = test_calloc(ROOM, sizeof *load.all);
    unsigned seed = 1;
    for (int i = 0; i < KILLS; i++) { /* at another point of the work each time */
        size_t step = BETWEEN / 2 + (size_t)rand_r(&seed) % (BETWEEN / 2);
        load_run(&load, WINDOW, load.answered + step);
        town_kill(town);
        town_start(town);
    }
    load.capacity = load.count; /* no more: those that are out come in */
    load_run(&load, WINDOW, load.count);
    receipts_await(&load);
    assert_int_equal(load.accepted, load.count);
    far_wait(duty, EST_EVENT_CONNECTED);
    assert_int_equal(far_stat(duty, "inquiries_open"), 0);
    resubmit_all(&load);
    compare_with_record(&load);
    test_free(load.all);
    for (size_t i = 0; i < 2; i++) {
        child_signal(agents[i], SIGTERM);
        assert_int_equal(child_wait(agents[i]), 0);
    }
    town_end(town);
}

/* --- Results wait ------------------------------------------------------------------------------------- */

static void result_waits_for_the_account_until_it_is_acknowledged(void **state) {
    (void)state;
    struct town *town = town_new(NULL);
    town_start(town);
    struct far *portal = far_open(town, "portal", 2);
    est_id id;
    uint64_t number = far_submit(portal, "plot.debt", "1-1-1", &id);
    far_close(&portal);
    struct raw *agent = raw_agent(town, "treasury-a", 1);
    raw_answer(agent, number, raw_receive(agent, VERB_ASSIGN)->assign.epoch, 42);
    raw_receive(agent, VERB_RECORDED);
    for (int i = 0; i < 4; i++) { /* as long as nobody says that it has it, over a stop and a crash */
        int64_t debt = 0;
        portal = far_open(town, "portal", 2);
        const est_event *result = far_wait(portal, EST_EVENT_RESULT, .id = &id);
        assert_true(est_field_int(result->body, "debt", &debt));
        assert_int_equal(debt, 42);
        far_close(&portal);
        if (i == 1)
            assert_int_equal(town_stop(town), 0);
        if (i == 2)
            town_kill(town);
        if (i == 1 || i == 2)
            town_start(town);
    }
    portal = far_open(town, "portal", 2);
    far_wait(portal, EST_EVENT_RESULT, .id = &id);
    assert_int_equal(est_client_ack(portal->client, number), 0);
    far_close(&portal);
    for (int i = 0; i < 2; i++) { /* what is sent, is sent before the answer to a later question */
        portal = far_open(town, "portal", 2);
        assert_true(far_status(portal, &id, 0)->acked.us > 0);
        assert_null(far_peek(portal, (struct want){.kind = EST_EVENT_RESULT}));
        far_close(&portal);
        town_kill(town);
        town_start(town);
    }
    town_end(town);
}

static void answer_given_before_a_crash_is_not_asked_for_again(void **state) {
    (void)state;
    struct town *town = town_new(NULL);
    town_start(town);
    struct far *portal = far_open(town, "portal", 2);
    uint64_t number = far_submit(portal, "plot.debt", "1-1-1", NULL);
    struct raw *agent = raw_agent(town, "treasury-a", 8);
    uint64_t epoch = raw_receive(agent, VERB_ASSIGN)->assign.epoch;
    raw_answer(agent, number, epoch, 42);
    raw_receive(agent, VERB_RECORDED);
    town_kill(town);
    town_start(town);
    raw_close(&agent);
    agent = raw_agent(town, "treasury-a", 8);
    raw_answer(agent, number, epoch, 42); /* as one that missed RECORDED would */
    raw_receive(agent, VERB_RECORDED);
    assert_false(raw_heard(agent, VERB_ASSIGN));
    town_end(town);
}

/* No lease is of the same epoch as one of before the crash. */
static void lease_of_before_a_crash_is_stale_after_it(void **state) {
    (void)state;
    struct town *town = town_new(NULL);
    town_start(town);
    struct far *portal = far_open(town, "portal", 2);
    uint64_t number = far_submit(portal, "plot.debt", "1-1-1", NULL);
    struct raw *agent = raw_agent(town, "treasury-a", 1);
    uint64_t epoch = raw_receive(agent, VERB_ASSIGN)->assign.epoch;
    town_kill(town);
    town_start(town);
    raw_close(&agent);
    agent = raw_session(town, "treasury-a");
    raw_answer(agent, number, epoch, 42);
    assert_int_equal(raw_receive(agent, VERB_ERROR)->error.code, EST_STALE_EPOCH);
    raw_ready(agent, 1);
    const struct message *m = raw_receive(agent, VERB_ASSIGN);
    assert_int_equal(m->assign.number, number);
    assert_true(m->assign.epoch > epoch);
    raw_answer(agent, number, m->assign.epoch, 43);
    raw_receive(agent, VERB_RECORDED);
    town_end(town);
}

/* --- Stopped ------------------------------------------------------------------------------------------ */

static void stopped_broker_says_so_and_its_clients_go_on_with_the_next(void **state) {
    (void)state;
    struct town *town = town_new(NULL);
    town_start(town);
    struct far *portal = far_open(town, "portal", 2);
    struct child *agent = agent_start(town, "treasury-a", "answer", 1);
    assert_non_null(child_line(agent, "up"));
    for (int i = 0; i < 3; i++) {
        est_id id;
        far_submit(portal, "plot.debt", "1-1-1", &id);
        assert_int_equal(far_wait(portal, EST_EVENT_RESULT, .id = &id)->state, EST_STATE_ANSWERED);
        assert_int_equal(town_stop(town), 0);
        assert_int_equal(far_wait(portal, EST_EVENT_DISCONNECTED)->code, EST_STOPPING);
        town_start(town);
        assert_non_null(child_line(agent, "up"));
        far_wait(portal, EST_EVENT_CONNECTED);
    }
    town_end(town);
}

/* --- Many ------------------------------------------------------------------------------------------ */

/* One bit of every copy of the inquiry's row that LMDB's file has, old pages included. */
static void row_damage(struct town *town, uint64_t number) {
    static const uint8_t head[] = {1, 0, 136, 0, 0, 0, 0, 0}; /* format, size; see record.c */
    enum { NUMBER_AT = 16, BYTE = 100, ROW = 136 };
    char path[FOLDER_MAX + 32];
    unsigned damaged = 0;
    snprintf(path, sizeof path, "%s/store/data.mdb", town->folder);
    FILE *file = fopen(path, "r+");
    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    size_t size = (size_t)ftell(file);
    uint8_t *all = malloc(size);
    rewind(file);
    assert_int_equal(fread(all, 1, size, file), size);
    for (size_t i = 0; i + ROW <= size; i++) {
        if (memcmp(all + i, head, sizeof head) != 0 || memcmp(all + i + NUMBER_AT, &number, sizeof number) != 0)
            continue;
        assert_int_equal(fseek(file, (long)(i + BYTE), SEEK_SET), 0);
        fputc(all[i + BYTE] ^ 1, file);
        damaged++;
    }
    assert_int_equal(fclose(file), 0);
    free(all);
    assert_true(damaged > 0);
}

/* Who is told that it never was would believe it. */
static void damaged_row_stops_the_broker_and_is_no_unknown_inquiry(void **state) {
    (void)state;
    struct town *town = town_new(NULL);
    town_start(town);
    struct child *agent = agent_start(town, "treasury-a", "answer", 1);
    assert_non_null(child_line(agent, "up"));
    struct far *portal = far_open(town, "portal", 2);
    est_id id;
    uint64_t number = far_submit(portal, "plot.debt", "1-1-1", &id);
    far_wait(portal, EST_EVENT_RESULT, .id = &id);
    far_ack(portal, number); /* from now on the tables alone know it */
    far_close(&portal);
    assert_int_equal(town_stop(town), 0);
    row_damage(town, number);
    town_start(town);
    portal = far_open(town, "portal", 2);
    assert_int_equal(est_client_status(portal->client, 7, &id, 0, false), 0);
    while (!child_has_ended(town->broker))
        far_poll(portal, 10);
    assert_int_equal(child_wait(town->broker), 1);
    assert_true(child_error_has(town->broker, "reading an inquiry"));
    assert_null(far_peek(portal, (struct want){.kind = EST_EVENT_REFUSED}));
    child_free(&town->broker);
    town_end(town);
}

static void hundred_thousand_open_inquiries_are_all_there_after_a_restart(void **state) {
    (void)state;
    enum { TOTAL = 100000, SAMPLE = 97 };
    struct town *town = town_new(NULL);
    town_start(town);
    struct far *portal = far_open(town, "portal", 2);
    est_id *ids = test_calloc(TOTAL, sizeof *ids);
    size_t accepted = 0;
    for (size_t i = 0; i < TOTAL || accepted < TOTAL;) {
        for (size_t burst = 0; burst < 1000 && i < TOTAL && i - accepted < 3000; burst++, i++) {
            est_id_new(&ids[i]);
            far_ask(portal, "plot.debt", "1-1-1", NULL, &ids[i], (est_time){0});
        }
        assert_true(far_poll(portal, WAIT_MS));
        while (far_peek(portal, (struct want){.kind = EST_EVENT_ACCEPTED}))
            accepted++;
        assert_null(far_peek(portal, (struct want){.kind = EST_EVENT_REFUSED}));
        far_forget(portal);
    }
    town_kill(town);
    int64_t began = now_ms();
    town_start(town);
    print_message("             %d open inquiries: the broker listens after %d ms\n", TOTAL,
                  (int)(now_ms() - began));
    struct far *duty = far_open(town, "duty", 0);
    assert_int_equal(far_stat(duty, "inquiries_open"), TOTAL);
    assert_int_equal(far_stat(duty, "inquiries_waiting"), TOTAL);
    far_wait(portal, EST_EVENT_CONNECTED);
    for (size_t i = 0; i < TOTAL; i += TOTAL / SAMPLE)
        assert_int_equal(far_status(portal, &ids[i], 0)->state, EST_STATE_WAITING);
    test_free(ids);
    town_end(town);
}

/* --- An id that is used again -------------------------------------------------------------------------- */

static void ask_for(struct far *far, const char *type, const char *purpose, const est_id *id) {
    est_body *body = est_body_new();
    assert_non_null(body);
    est_body_text(body, "nz", "1-1-1");
    est_submit submit = {.id = *id, .type = type, .purpose = purpose};
    assert_int_equal(est_body_slice(body, &submit.body), 0);
    assert_int_equal(est_client_submit(far->client, &submit), 0);
    est_body_free(&body);
}

/* The body is the same each time: what differs is what it is asked of, or for what. */
static void id_of_another_type_or_purpose_is_a_conflict_and_the_first_has_its_receipt(void **state) {
    (void)state;
    struct town *town = town_new(NULL);
    town_file(town, "catalogue/city.yaml",
              "city: {id: testville, title: {fa: آزمون, en: Testville}}\n"
              "parcel: {parts: 3, district_part: 1, digits_max: 4, districts: {first: 1, last: 9}, hierarchy: false}\n"
              "purposes:\n"
              "  permit: {title: {fa: پروانه, en: Permit}}\n"
              "  transfer: {title: {fa: انتقال, en: Transfer}}\n");
    town_start(town);
    struct far *portal = far_open(town, "portal", 2);
    est_id id;
    est_id_new(&id);
    ask_for(portal, "plot.debt", "permit", &id);
    const est_event *first = far_wait(portal, EST_EVENT_ACCEPTED, .id = &id);
    assert_false(first->again);
    ask_for(portal, "plot.debt", "transfer", &id);
    assert_int_equal(far_wait(portal, EST_EVENT_REFUSED, .id = &id)->code, EST_CONFLICT);
    ask_for(portal, "plot.use", "permit", &id);
    assert_int_equal(far_wait(portal, EST_EVENT_REFUSED, .id = &id)->code, EST_CONFLICT);
    ask_for(portal, "plot.debt", "permit", &id);
    const est_event *again = far_wait(portal, EST_EVENT_ACCEPTED, .id = &id);
    assert_true(again->again && again->number == first->number && again->tracking.size == first->tracking.size);
    assert_memory_equal(again->tracking.data, first->tracking.data, first->tracking.size);
    town_end(town);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CLAIM(accepted_inquiries_survive_kills_of_the_broker_under_load),
        CLAIM(result_waits_for_the_account_until_it_is_acknowledged),
        CLAIM(answer_given_before_a_crash_is_not_asked_for_again),
        CLAIM(lease_of_before_a_crash_is_stale_after_it),
        CLAIM(stopped_broker_says_so_and_its_clients_go_on_with_the_next),
        CLAIM(damaged_row_stops_the_broker_and_is_no_unknown_inquiry),
        CLAIM(id_of_another_type_or_purpose_is_a_conflict_and_the_first_has_its_receipt),
        CLAIM(hundred_thousand_open_inquiries_are_all_there_after_a_restart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
