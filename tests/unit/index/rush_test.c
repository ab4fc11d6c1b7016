/* rush_test.c - how far search lags behind a log in a rush, in time and in events, and no further.
 *
 * The index's thread has a clock that the test moves, and a log that is as long as the test says. Its waits
 * end at once, as its clock is in the past.
 */
#include "index.h"
#include "reader.h"
#include "settlement.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

enum {
    WAIT_MS = 20000,
    LOOK_US = 100000, /* from one look at the log's growth to the next */
    RUSH = 10000,     /* events in that time, five times as many as make a rush */
    READINGS = 40,    /* of its clock: the thread has gone round a few times */
};

/* --- What the thread sees ---------------------------------------------------------------------------- */

static _Atomic int64_t monotonic_us, real_us;
static _Atomic uint64_t readings, claimed; /* events beyond those that there are */

static bool is_of_the_index(void) {
    static _Thread_local char name[16];
    if (name[0] == '\0')
        pthread_getname_np(pthread_self(), name, sizeof name);
    return strcmp(name, "index") == 0;
}

int __real_clock_gettime(clockid_t id, struct timespec *ret);
int __wrap_clock_gettime(clockid_t id, struct timespec *ret);
int __wrap_clock_gettime(clockid_t id, struct timespec *ret) {
    if (!is_of_the_index() || (id != CLOCK_MONOTONIC && id != CLOCK_REALTIME))
        return __real_clock_gettime(id, ret);
    int64_t us = id == CLOCK_MONOTONIC ? monotonic_us : real_us;
    *ret = (struct timespec){us / EST_US_PER_S, us % EST_US_PER_S * 1000};
    readings++;
    return 0;
}

int __real_store_reader_head(struct store_reader *r, uint64_t *ret_head);
int __wrap_store_reader_head(struct store_reader *r, uint64_t *ret_head);
int __wrap_store_reader_head(struct store_reader *r, uint64_t *ret_head) {
    int rc = __real_store_reader_head(r, ret_head);
    *ret_head += claimed;
    return rc;
}

/* --- A city and its index ---------------------------------------------------------------------------- */

struct bench {
    struct settlement city;
    struct index *index;
    char folder[300];
};

static void say_nothing(int level, const char *format, ...) {
    (void)level, (void)format;
}

static uint64_t indexed(struct bench *b) {
    struct index_status status;
    index_status(b->index, &status);
    assert_false(status.failed);
    return status.seq;
}

static int64_t real_ms(void) {
    struct timespec t;
    __real_clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void indexed_wait(struct bench *b) {
    for (int64_t until = real_ms() + WAIT_MS; indexed(b) != b->city.writer.seq; poll(NULL, 0, 1))
        if (real_ms() > until)
            fail_msg("search stays at event %llu of %llu", (unsigned long long)indexed(b),
                     (unsigned long long)b->city.writer.seq);
}

/* The thread does whatever it does at this instant. */
static void thread_goes_round(void) {
    uint64_t enough = readings + READINGS;
    for (int64_t until = real_ms() + WAIT_MS; readings < enough; poll(NULL, 0, 1))
        assert_true(real_ms() < until);
}

static void log_grows(struct bench *b) {
    settlement_batch(&b->city, 20, 0);
    expect_ok(b->city.writer.store, store_drain(b->city.writer.store));
}

static void look_comes(uint64_t growth) {
    claimed += growth;
    monotonic_us += LOOK_US;
    thread_goes_round();
}

/* Nothing is behind, by either measure, and the rush begins. */
static struct bench *bench_open_in_a_rush(void **state) {
    static struct bench bench;
    const struct scratch *scratch = *state;
    monotonic_us = EST_US_PER_S;
    claimed = 0;
    settlement_open(&bench.city, scratch);
    snprintf(bench.folder, sizeof bench.folder, "%s/index", scratch->folder);
    struct index_options options = {
        .folder = bench.folder, .store = bench.city.writer.store, .log = say_nothing};
    assert_int_equal(index_start(&options, &bench.index), 0);
    log_grows(&bench);
    indexed_wait(&bench);
    thread_goes_round(); /* and looks for the first time */
    real_us = bench.city.writer.time_us;
    look_comes(RUSH);
    return &bench;
}

static void bench_close(struct bench *b) {
    index_stop(&b->index);
    settlement_close(&b->city);
}

/* --- Claims ------------------------------------------------------------------------------------------ */

static void search_gives_way_to_a_rush_for_so_much_time_and_catches_up_after_it(void **state) {
    struct bench *b = bench_open_in_a_rush(state);
    uint64_t before = b->city.writer.seq;
    log_grows(b);
    look_comes(RUSH);
    assert_int_equal(indexed(b), before);
    real_us += INDEX_LAG_BORNE_S * EST_US_PER_S;
    thread_goes_round();
    assert_int_equal(indexed(b), before);
    real_us += 1;
    indexed_wait(b);
    before = b->city.writer.seq; /* it is near again, and gives way again */
    log_grows(b);
    look_comes(RUSH);
    assert_int_equal(indexed(b), before);
    look_comes(0); /* the rush is over */
    indexed_wait(b);
    bench_close(b);
}

static void search_gives_way_to_a_rush_for_so_many_events(void **state) {
    struct bench *b = bench_open_in_a_rush(state);
    uint64_t before = b->city.writer.seq;
    log_grows(b);
    look_comes(INDEX_LAG_BORNE - (b->city.writer.seq - before) - claimed);
    assert_int_equal(indexed(b), before);
    look_comes(RUSH);
    indexed_wait(b);
    bench_close(b);
}

int main(void) {
#define CLAIM(name) cmocka_unit_test_setup_teardown(name, scratch_make, scratch_remove)
    const struct CMUnitTest tests[] = {
        CLAIM(search_gives_way_to_a_rush_for_so_much_time_and_catches_up_after_it),
        CLAIM(search_gives_way_to_a_rush_for_so_many_events),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
