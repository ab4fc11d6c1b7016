/* keeper_test.c - a disk so slow that LMDB takes nothing for as long as the journal has room; a clock set back.
 *
 * Another process holds LMDB's lock of writers meanwhile, as a commit that takes its time would. Every
 * row then changes, is handed to the keeper, changes again and is handed over once more, before the
 * first of them is in a table.
 */
#include "sample.h"

#include "room.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* A batch is so large that the keeper has rows to write from its first job on. */
enum { INQUIRIES = 43500, LATER = 21750, BATCH = 21750, LOOKS = 10000 };
_Static_assert(3 * INQUIRIES < FRESH_CAPACITY && 3 * INQUIRIES + LATER > FRESH_CAPACITY, "as many hands as there are");

struct lock {
    pid_t pid;
    int release; /* closed: the lock is let go */
};

/* In the child: takes the lock, says so, and holds it until the pipe is closed. */
static void lock_hold(const char *folder, int ready, int release) {
    MDB_env *env;
    MDB_txn *txn;
    char byte = 0;
    if (mdb_env_create(&env) != 0 || mdb_env_open(env, folder, 0, 0600) != 0 ||
        mdb_txn_begin(env, NULL, 0, &txn) != 0)
        _exit(1);
    if (write(ready, &byte, 1) != 1 || read(release, &byte, 1) != 0)
        _exit(1);
    mdb_txn_abort(txn);
    _exit(0);
}

static struct lock lock_take(const char *folder) {
    struct lock lock;
    int ready[2], release[2];
    char byte;
    assert_true(pipe(ready) == 0 && pipe(release) == 0);
    lock.pid = fork();
    if (lock.pid == 0) {
        close(release[1]);
        lock_hold(folder, ready[1], release[0]);
    }
    close(ready[1]);
    close(release[0]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    lock.release = release[1];
    return lock;
}

static void lock_leave(struct lock *lock) {
    int status = 0;
    close(lock->release);
    assert_int_equal(waitpid(lock->pid, &status, 0), lock->pid);
    assert_int_equal(status, 0);
}

static void in_batches(struct writer *w, uint64_t *numbers, size_t total,
                       void (*each)(struct writer *, uint64_t *, size_t)) {
    for (size_t n = 0; n < total; n += BATCH) {
        expect_ok(w->store, store_begin(w->store));
        for (size_t i = 0; i < BATCH; i++)
            each(w, numbers, n + i);
        expect_ok(w->store, store_commit(w->store));
    }
}

static void submit_one(struct writer *w, uint64_t *numbers, size_t n) {
    static uint64_t nth;
    numbers[n] = writer_submit(w, 3, ++nth, (est_slice){NULL, 0});
}

static void answer_one(struct writer *w, uint64_t *numbers, size_t n) {
    struct event e = writer_event(w, EVENT_ANSWERED, numbers[n], numbers[n]);
    e.answered = (struct event_answered){.epoch = 5, .account = 9, .outcome = EST_OUTCOME_POSITIVE};
    writer_append(w, &e);
}

static void acknowledge_one(struct writer *w, uint64_t *numbers, size_t n) {
    if (n % 500 == 499)
        writer_acknowledge(w, &numbers[n - 499], 500);
}

static void row_is_over(struct writer *w, uint64_t *numbers, size_t n) {
    struct inquiry_row row;
    expect_ok(w->store, store_row(w->store, numbers[n], &row));
    assert_int_equal(row.state, EST_STATE_ANSWERED);
    assert_true(row.acked.us != 0);
}

static void row_waits(struct writer *w, uint64_t *numbers, size_t n) {
    struct inquiry_row row;
    expect_ok(w->store, store_row(w->store, numbers[n], &row));
    assert_int_equal(row.state, EST_STATE_WAITING);
}

/* INQUIRIES rows are handed over three times, which is as many hands as there are fresh rows at most;
 * those of LATER ones come on top. The keeper then commits in parts: what it has not written yet must
 * still be in memory, whichever part has just been committed. */
static void rows_handed_over_again_and_again_stay_until_they_are_kept(void **state) {
    const struct scratch *scratch = *state;
    static uint64_t numbers[INQUIRIES], later[LATER];
    struct writer w = writer_open(scratch, 0);
    struct lock lock = lock_take(scratch->store);
    w.store->is_deep = true; /* what changes is due soon */
    in_batches(&w, numbers, INQUIRIES, submit_one);
    in_batches(&w, numbers, INQUIRIES, answer_one);
    in_batches(&w, numbers, INQUIRIES, acknowledge_one);
    in_batches(&w, later, LATER, submit_one);
    assert_false(keeper_has_room(w.store));
    lock_leave(&lock);
    for (int look = 0; look < LOOKS && w.store->fresh.count > w.store->fresh.queued; look++) /* until all is kept */
        in_batches(&w, later, LATER, row_waits);
    expect_ok(w.store, store_drain(w.store));
    in_batches(&w, numbers, INQUIRIES, row_is_over);
    in_batches(&w, later, LATER, row_waits);
    writer_close(&w);
}

/* --- The clock --------------------------------------------------------------------------------- */

static atomic_long ahead_s;

/* In libc's place: what reads the clock that people set reads it as it was before it was set back. */
int clock_gettime(clockid_t clock, struct timespec *ret) {
    int rc = (int)syscall(SYS_clock_gettime, clock, ret);
    if (clock == CLOCK_REALTIME)
        ret->tv_sec += ahead_s;
    return rc;
}

/* How many events LMDB has: asked again and again, for the keeper tells nobody. */
static uint64_t kept(struct store *store) {
    struct view view;
    MDB_stat stat;
    expect_ok(store, view_begin(store, &view));
    assert_int_equal(mdb_stat(view.txn, store->tables[TABLE_LOG], &stat), 0);
    view_end(&view);
    return stat.ms_entries;
}

static void clock_that_is_set_back_holds_nothing(void **state) {
    enum { STEP_S = 3600, WITHIN_US = 10000000 };
    struct writer w = writer_open(*state, 0);
    ahead_s = STEP_S;
    expect_ok(w.store, store_begin(w.store));
    writer_submit(&w, 3, 1, (est_slice){NULL, 0});
    expect_ok(w.store, store_commit(w.store));
    for (int64_t until = monotonic_us() + WITHIN_US; kept(w.store) != 1 && monotonic_us() < until;)
        sched_yield();
    ahead_s = 0;
    assert_int_equal(kept(w.store), 1);
    writer_close(&w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(rows_handed_over_again_and_again_stay_until_they_are_kept,
                                        scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(clock_that_is_set_back_holds_nothing, scratch_make, scratch_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
