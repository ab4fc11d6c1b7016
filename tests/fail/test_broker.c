/* test_broker.c - a real broker whose nth call fails: it works on or ends with a status that says
 * why, and a clean start finds every inquiry that it gave a receipt for.
 */
#include "harness.h"
#include "loop.h"

#include <check.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <store.h>
#include <stdlib.h>
#include <string.h>

/* ASKED: how many inquiries a run submits; where a call has failed, a peer that hears nothing waits PATIENCE_MS for
 * them. */
enum { ASKED = 4, PATIENCE_MS = 1500, LIMIT = 60 };
enum { STATUS_FAILED = 1, STATUS_CONFIG = 3, STATUS_STORE = 4, STATUS_NET = 5 };

struct run {
    bool listened;
    int status;
    est_id ids[ASKED];
    bool receipts[ASKED];
    unsigned receipts_count;
};

/* Until the broker listens (true) or has ended. */
static bool broker_start(struct town *town) {
    char path[FOLDER_MAX + 16];
    snprintf(path, sizeof path, "%s/broker.yaml", town->folder);
    const char *const argv[] = {BROKER_PROGRAM, "--config", path, NULL};
    town->broker = child_start(argv);
    for (int door = 0; door < DOOR_COUNT; door++)
        if (!child_line(town->broker, "listening "))
            return false;
    return true;
}

static void receipts_take(struct far *far, struct run *run) {
    for (int i = 0; i < ASKED; i++) {
        if (run->receipts[i] || !far_peek(far, (struct want){.kind = EST_EVENT_ACCEPTED, .id = &run->ids[i]}))
            continue;
        run->receipts[i] = true;
        run->receipts_count++;
    }
}

/* Asks, one after the other so that each is a batch of its own, for as long as the broker lives. Where nothing has
 * failed, or whatever fails must end the broker, it is waited for: its slowness is no failure. */
static void inquiries_ask(struct town *town, const struct fail_plan *plan, bool is_patient, struct run *run) {
    est_options options = far_options(town, "portal", 0);
    struct far *far = far_open_with(&options);
    int64_t began = now_ms();
    for (unsigned asked = 0; run->receipts_count < ASKED;) {
        int64_t patience = is_patient || plan->tally->failed == 0 ? WAIT_MS : PATIENCE_MS;
        if (now_ms() - began > patience)
            break;
        if (asked == run->receipts_count) {
            est_id_new(&run->ids[asked]);
            far_ask(far, "plot.debt", "1-2-3", "a note", &run->ids[asked], (est_time){0});
            asked++;
        }
        far_poll(far, 10);
        receipts_take(far, run);
        if (child_has_ended(town->broker))
            break;
    }
    far_close(&far);
}

static struct run broker_run(struct town *town, const struct fail_plan *plan, bool is_patient) {
    struct run run = {0};
    plan_arm(plan);
    run.listened = broker_start(town);
    plan_disarm();
    if (run.listened)
        inquiries_ask(town, plan, is_patient, &run);
    child_signal(town->broker, SIGTERM);
    run.status = child_wait(town->broker);
    return run;
}

/* --- What must hold -------------------------------------------------------------------------------- */

static void expect_clean_end(struct town *town, const struct fail_plan *plan, const struct run *run) {
    bool is_good = run->listened
                       ? run->status == 0 || run->status == STATUS_FAILED
                       : run->status == 0 || run->status == STATUS_FAILED || run->status == STATUS_CONFIG ||
                             run->status == STATUS_STORE || run->status == STATUS_NET;
    if (!is_good) {
        child_print(town->broker);
        fail_msg("%s: the broker %s ended with %d", plan_text(plan),
                 run->listened ? "that listened" : "at its start", run->status);
    }
    if (plan->tally->failed == 0 && (run->status != 0 || run->receipts_count < ASKED))
        fail_msg("%s: nothing failed, and status %d, %u receipts", plan_text(plan), run->status,
                 run->receipts_count);
}

struct finder {
    const struct run *run;
    unsigned found;
};

static int submitted_see(void *arg, const struct event *event) {
    struct finder *finder = arg;
    for (int i = 0; i < ASKED && event->type == EVENT_SUBMITTED; i++)
        if (finder->run->receipts[i] &&
            memcmp(&event->submitted.id, &finder->run->ids[i], sizeof(est_id)) == 0)
            finder->found++;
    return 0;
}

static void expect_receipts_kept(struct town *town, const struct fail_plan *plan, const struct run *run) {
    char path[FOLDER_MAX + 16];
    struct finder finder = {run, 0};
    struct store_check check;
    struct store *store = NULL;
    snprintf(path, sizeof path, "%s/store", town->folder);
    struct store_options options = {.directory = path, .size_max = 2048ull << 20};
    if (store_open(&options, &store) != 0)
        fail_msg("%s: afterwards %s", plan_text(plan), store_error(NULL));
    assert_int_equal(store_each_event(store, 0, submitted_see, &finder), 0);
    if (finder.found != run->receipts_count)
        fail_msg("%s: %u receipts, %u inquiries in the store", plan_text(plan), run->receipts_count,
                 finder.found);
    assert_int_equal(store_check(store, &check), 0);
    if (check.damaged)
        fail_msg("%s: %s %s: %s", plan_text(plan), check.table, check.key, check.why);
    store_close(&store);
}

/* A broker without the shim starts on what is left and answers for every receipt. */
static void expect_clean_start(struct town *town, const struct run *run) {
    town->started = true;
    town_start(town);
    struct far *far = far_open(town, "portal", 0);
    for (int i = 0; i < ASKED; i++)
        if (run->receipts[i])
            assert_int_equal(far_status(far, &run->ids[i], 0)->state, EST_STATE_WAITING);
    far_close(&far);
    assert_int_equal(town_stop(town), 0);
}

static int entry_remove(const char *path, const struct stat *info, int flag, struct FTW *walk) {
    (void)info, (void)flag, (void)walk;
    return remove(path);
}

static void store_remove(const struct town *town) {
    char path[FOLDER_MAX + 16];
    snprintf(path, sizeof path, "%s/store", town->folder);
    nftw(path, entry_remove, 8, FTW_DEPTH | FTW_PHYS);
}

static void loop_runs(const char *call, uint64_t limit,
                      void (*also)(const struct fail_plan *, const struct run *)) {
    if (fail_unsupported()) {
        print_message("skipped: %s\n", fail_unsupported());
        skip();
    }
    struct town_options options = {.plain = true};
    struct fail_plan plan = plan_begin(call, limit);
    struct town *town = town_new(&options);
    do {
        struct run run = broker_run(town, &plan, also != NULL);
        expect_clean_end(town, &plan, &run);
        if (also)
            also(&plan, &run);
        child_free(&town->broker);
        expect_receipts_kept(town, &plan, &run);
        if (plan.runs % 4 == 0)
            expect_clean_start(town, &run);
        store_remove(town);
    } while (plan_next(&plan));
    town_end(town);
    plan_end(&plan);
}

/* --- The calls -------------------------------------------------------------------------------------- */

/* While it runs, an error of the disk ends the broker, with status 1; it never goes on without
 * giving receipts. */
static void expect_stop(const struct fail_plan *plan, const struct run *run) {
    if (run->listened && run->receipts_count < ASKED && run->status != STATUS_FAILED)
        fail_msg("%s: the broker went on after the disk had failed: status %d, %u receipts", plan_text(plan),
                 run->status, run->receipts_count);
}

static void memory_that_runs_out_ends_in_a_status(void **state) {
    (void)state;
    loop_runs("malloc", LIMIT, NULL);
}

static void a_disk_that_is_full_ends_in_a_status(void **state) {
    (void)state;
    loop_runs("write", LIMIT, expect_stop);
}

static void a_disk_error_ends_in_a_status(void **state) {
    (void)state;
    loop_runs("pwrite", LIMIT, expect_stop);
}

static void a_failed_sync_ends_the_broker(void **state) {
    (void)state;
    loop_runs("fdatasync", LIMIT, expect_stop);
}

static void files_that_do_not_open_end_in_a_status(void **state) {
    (void)state;
    loop_runs("open", LIMIT, NULL);
}

static void connections_that_end_harm_nobody(void **state) {
    (void)state;
    loop_runs("send", LIMIT / 3, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CLAIM(memory_that_runs_out_ends_in_a_status),  CLAIM(a_disk_that_is_full_ends_in_a_status),
        CLAIM(a_disk_error_ends_in_a_status),          CLAIM(a_failed_sync_ends_the_broker),
        CLAIM(files_that_do_not_open_end_in_a_status), CLAIM(connections_that_end_harm_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
