/* test_operator.c - an operator's commands against a broker that is in whatever state the test wishes. */
#include "fake.h"
#include "program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PARKED = 5, PAGE = 2 /* rows, so that there are three pages */ };

/* What the broker is like. Numbers 1 … PARKED are parked; agents hold an inquiry for ever. */
struct wishes {
    uint64_t store_full, draining, clock_behind_us, delayed;
};

/* --- The broker ------------------------------------------------------------------------------------ */

static void stats_tell(struct fake *f, uint64_t ref) {
    const struct wishes *w = fake_arg(f);
    const struct stat_row stats[] = {{slice_of("store_full"), w->store_full},
                                     {slice_of("draining"), w->draining},
                                     {slice_of("clock_behind_us"), w->clock_behind_us},
                                     {slice_of("inquiries_open"), 3},
                                     {slice_of("started_us"), 1}};
    enum { COUNT = sizeof stats / sizeof *stats };
    struct buffer rows;
    buffer_init(&rows);
    pack_array(&rows, COUNT);
    for (size_t i = 0; i < COUNT; i++)
        stat_row_pack(&rows, &stats[i]);
    FAKE_SAY(f, STATS_IS, stats_is, {.ref = ref, .rows = buffer_slice(&rows)});
    buffer_done(&rows);
}

static void parked_tell(struct fake *f, const struct page *page) {
    uint64_t ref = page->ref, last = page->after + PAGE < PARKED ? page->after + PAGE : PARKED;
    struct buffer rows;
    buffer_init(&rows);
    pack_array(&rows, (size_t)(last - page->after));
    for (uint64_t number = page->after + 1; number <= last; number++)
        parked_row_pack(&rows, &(struct parked_row){.number = number,
                                                    .type = slice_of("nosazi.bedehi"),
                                                    .department = slice_of("nosazi"),
                                                    .at_us = 1,
                                                    .code = EST_AGENT_REFUSED,
                                                    .reason = slice_of("a test")});
    FAKE_SAY(f, PARKED_IS, page_is, {.ref = ref, .rows = buffer_slice(&rows), .next = last < PARKED ? last : 0});
    buffer_done(&rows);
}

static void queues_tell(struct fake *f, uint64_t ref) {
    const struct wishes *w = fake_arg(f);
    struct buffer rows;
    buffer_init(&rows);
    pack_array(&rows, 1);
    queue_row_pack(&rows, &(struct queue_row){.department = slice_of("nosazi"),
                                              .leased = 1,
                                              .delayed = w->delayed,
                                              .oldest_us = w->delayed ? 1 : 0,
                                              .agents = 1});
    FAKE_SAY(f, QUEUES_IS, page_is, {.ref = ref, .rows = buffer_slice(&rows)});
    buffer_done(&rows);
}

static void requeue(struct fake *f, const struct requeue *it) {
    if (it->number > PARKED)
        fake_refuse(f, &(struct error_is){.ref = it->ref, .code = EST_NOT_PARKED, .layer = EST_LAYER_REQUESTER});
    else
        FAKE_SAY(f, DONE, done, {.ref = it->ref});
}

static void broker(struct fake *f, const struct message *m) {
    switch (m->verb) {
    case VERB_STATS:
        stats_tell(f, m->stats.ref);
        break;
    case VERB_PARKED:
        parked_tell(f, &m->page);
        break;
    case VERB_QUEUES:
        queues_tell(f, m->page.ref);
        break;
    case VERB_REQUEUE:
        requeue(f, &m->requeue);
        break;
    case VERB_DRAIN:
        FAKE_SAY(f, DONE, done, {.ref = m->drain.ref});
        break;
    default:
        break;
    }
}

/* --- The program ----------------------------------------------------------------------------------- */

struct desk {
    struct wishes wishes;
    struct fake *broker;
    char *folder;
    struct ran ran;
};

static int desk_setup(void **state) {
    struct desk *desk = calloc(1, sizeof *desk);
    char profile[300];
    assert_non_null(desk);
    desk->broker = fake_open(&(struct fake_options){.rule = broker, .arg = &desk->wishes, .account = "duty"});
    desk->folder = folder_make();
    snprintf(profile, sizeof profile, "operator: {account: duty, endpoints: [\"%s\"]}\n", fake_endpoint(desk->broker));
    folder_write(desk->folder, "client.yaml", profile);
    *state = desk;
    return 0;
}

static int desk_teardown(void **state) {
    struct desk *desk = *state;
    fake_close(&desk->broker);
    folder_remove(desk->folder);
    free(desk);
    return 0;
}

/* `estelam` with these words; what does not end by itself is ended with status 124. */
#define RUN(desk, ...)                                                                                       \
    program_run(&(desk)->ran, (desk)->folder, (const char *const[]){"/usr/bin/timeout", "20", PROGRAM, __VA_ARGS__, NULL})

#define READY(desk) RUN(desk, "check", "ready", "--warning", "10", "--critical", "20")

/* Its agent fails again and again: nothing waits now, and yet somebody has waited since 1970. */
static void what_is_only_delayed_has_an_age(void **state) {
    struct desk *desk = *state;
    RUN(desk, "check", "queue-age");
    assert_non_null(strstr(desk->ran.out, "QUEUE-AGE OK - nothing waits"));
    desk->wishes.delayed = 1;
    RUN(desk, "check", "queue-age");
    assert_int_equal(desk->ran.status, 2);
    assert_non_null(strstr(desk->ran.out, "QUEUE-AGE CRITICAL - the oldest waits for "));
    assert_non_null(strstr(desk->ran.out, "(nosazi), 1 wait in all, 1 of them after a failed attempt"));
}

static void a_full_store_is_critical_and_a_draining_broker_a_warning(void **state) {
    struct desk *desk = *state;
    READY(desk);
    assert_int_equal(desk->ran.status, 0);
    desk->wishes.draining = 1;
    READY(desk);
    assert_int_equal(desk->ran.status, 1);
    desk->wishes.store_full = 1;
    READY(desk);
    assert_int_equal(desk->ran.status, 2);
    assert_non_null(strstr(desk->ran.out, "READY CRITICAL - the store is full: new inquiries are refused with BUSY"));
}

static void a_clock_behind_the_log_is_a_warning(void **state) {
    struct desk *desk = *state;
    desk->wishes.clock_behind_us = 4999999;
    READY(desk);
    assert_int_equal(desk->ran.status, 0);
    desk->wishes.clock_behind_us = 61000000;
    READY(desk);
    assert_int_equal(desk->ran.status, 1);
    assert_non_null(strstr(desk->ran.out, "its clock is 61 s behind its log"));
}

static void a_pace_of_no_seconds_is_refused(void **state) {
    struct desk *desk = *state;
    RUN(desk, "queues", "--watch=0");
    assert_int_equal(desk->ran.status, 2);
    assert_non_null(strstr(desk->ran.err, "--watch takes at least 1 second"));
}

static void every_page_of_a_list_is_shown(void **state) {
    struct desk *desk = *state;
    RUN(desk, "parked", "list", "--json");
    assert_int_equal(desk->ran.status, 0);
    for (unsigned number = 1; number <= PARKED; number++) {
        char part[32];
        snprintf(part, sizeof part, "\"number\":%u,", number);
        assert_non_null(strstr(desk->ran.out, part));
    }
}

static void all_that_is_parked_goes_back(void **state) {
    struct desk *desk = *state;
    RUN(desk, "parked", "requeue", "--all", "--reason", "mended");
    assert_int_equal(desk->ran.status, 0);
    assert_string_equal(desk->ran.out, "1\n2\n3\n4\n5\n");
    assert_int_equal(fake_count(desk->broker, VERB_REQUEUE), PARKED);
}

/* A refusal is not forgotten over what went well after it. */
static void one_that_cannot_be_requeued_is_told_by_the_exit_status(void **state) {
    struct desk *desk = *state;
    RUN(desk, "parked", "requeue", "99", "1", "--reason", "mended");
    assert_int_equal(desk->ran.status, 3);
    assert_string_equal(desk->ran.out, "1\n");
    assert_non_null(strstr(desk->ran.err, "NOT_PARKED"));
    assert_non_null(strstr(desk->ran.err, "99 was not requeued"));
}

static void draining_waits_for_agents_no_longer_than_it_was_told(void **state) {
    struct desk *desk = *state;
    RUN(desk, "drain", "--reason", "test", "--wait=1");
    assert_int_equal(desk->ran.status, 5);
    assert_non_null(strstr(desk->ran.err, "1 inquiries are still with agents"));
    assert_true(desk->ran.took_ms >= 1000);
}

int main(void) {
#define CLAIM(name) cmocka_unit_test_setup_teardown(name, desk_setup, desk_teardown)
    const struct CMUnitTest tests[] = {
        CLAIM(what_is_only_delayed_has_an_age),
        CLAIM(a_full_store_is_critical_and_a_draining_broker_a_warning),
        CLAIM(a_clock_behind_the_log_is_a_warning),
        CLAIM(a_pace_of_no_seconds_is_refused),
        CLAIM(every_page_of_a_list_is_shown),
        CLAIM(all_that_is_parked_goes_back),
        CLAIM(one_that_cannot_be_requeued_is_told_by_the_exit_status),
        CLAIM(draining_waits_for_agents_no_longer_than_it_was_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
