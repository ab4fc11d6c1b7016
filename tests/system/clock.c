/* clock.c - a broker whose clock is behind the last event of its log: somebody set it back, or it was ahead before. */
#include "harness.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <store.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { AHEAD_S = 1000 };

/* One event more in the town's log, which changes nothing, of this time. */
static void event_add(struct town *town, est_time at) {
    char folder[FOLDER_MAX + 8];
    snprintf(folder, sizeof folder, "%s/store", town->folder);
    struct store *store;
    struct store_head head;
    assert_int_equal(store_open(&(struct store_options){.directory = folder, .size_max = UINT64_C(2) << 30}, &store), 0);
    store_head(store, &head);
    struct event e = {.seq = head.seq + 1, .at = at, .generation = head.generation, .type = EVENT_DRAIN};
    assert_int_equal(store_begin(store), 0);
    assert_int_equal(store_append(store, &e), 0);
    assert_int_equal(store_commit(store), 0);
    store_close(&store);
}

static void clock_behind_the_log_is_told_and_time_stands_still(void **state) {
    (void)state;
    struct town *town = town_new(NULL);
    town_start(town);
    assert_int_equal(town_stop(town), 0);
    est_time ahead = {((int64_t)time(NULL) + AHEAD_S) * EST_US_PER_S};
    event_add(town, ahead);
    town_start(town);
    child_error_wait(town->broker, "s behind the log's last event");
    struct far *portal = far_open(town, "portal", 2);
    est_id id;
    far_submit(portal, "plot.debt", "1-1-1", &id);
    assert_true(far_status(portal, &id, 0)->at.us == ahead.us);
    town_end(town);
}

/* What the broker does by itself every second and every minute does not wait for the hour to come back. */
static void clock_set_back_stops_no_upkeep(void **state) {
    (void)state;
    struct town *town = town_new(NULL);
    int64_t off_s = 0;
    char path[FOLDER_MAX + 8];
    snprintf(path, sizeof path, "%s/off", town->folder);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(write(fd, &off_s, sizeof off_s), sizeof off_s);
    setenv("CLOCK_SHIM", path, 1);
    setenv("LD_PRELOAD", CLOCK_SHIM, 1);
    char *options = getenv("ASAN_OPTIONS"), *before = strdup(options ? options : ""), *with;
    assert_true(asprintf(&with, "%s:verify_asan_link_order=0:detect_leaks=0", before) > 0);
    /* A library that comes before its own it refuses else; and the index's thread is left behind, whose end is
     * waited for until a time of our clock, which is over by the system's. */
    setenv("ASAN_OPTIONS", with, 1);
    town_start(town);
    setenv("ASAN_OPTIONS", before, 1);
    free(before);
    free(with);
    unsetenv("LD_PRELOAD");
    unsetenv("CLOCK_SHIM");
    struct far *duty = far_open(town, "duty", 0);
    assert_int_equal(far_stat(duty, "clock_behind_us"), 0);
    off_s = -AHEAD_S;
    assert_int_equal(pwrite(fd, &off_s, sizeof off_s, 0), sizeof off_s);
    child_error_wait(town->broker, "s behind the log's last event");
    assert_true(far_stat(duty, "clock_behind_us") > (AHEAD_S - 60) * (uint64_t)EST_US_PER_S);
    struct key_pair stranger;
    key_make(&stranger);
    raw_open(town->endpoints[REQUESTERS], &(struct raw_options){.server_key = town->server.public_key, .key = stranger});
    child_error_wait(town->broker, "turned away at the requesters' door");
    close(fd);
    town_end(town);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CLAIM(clock_behind_the_log_is_told_and_time_stands_still),
        CLAIM(clock_set_back_stops_no_upkeep),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
