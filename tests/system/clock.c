/* clock.c - a broker whose clock is behind the last event of its log: somebody set it back, or it was ahead before. */
#include "harness.h"

#include <stdio.h>
#include <store.h>
#include <time.h>

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

int main(void) {
    const struct CMUnitTest tests[] = {
        CLAIM(clock_behind_the_log_is_told_and_time_stands_still),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
