/* process_test.c - more than one process: a broker killed, a tool beside it, a disk that refuses.
 *
 * LMDB forbids opening an environment twice in one process, so the other side is a child. It
 * ends with _exit, never through cmocka, and says by its status what it saw.
 */
#include "check.h"
#include "sample.h"

#include <dirent.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const est_slice body = {"\x80", 1};

/* A child says why on standard error and ends; the parent sees the status. */
static void child_need(bool good, const char *what, const struct store *store) {
    if (good)
        return;
    fprintf(stderr, "child: %s: %s\n", what, store_error(store));
    _exit(1);
}

static int child_status(pid_t child) {
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void expect_child_good(pid_t child) {
    int status = child_status(child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void committed_batch_survives_a_killed_broker_and_an_open_one_does_not(void **state) {
    pid_t child = fork();
    if (child == 0) {
        struct writer w = writer_open(*state, 0);
        for (uint64_t i = 0; i < 20; i++) {
            store_begin(w.store);
            writer_submit(&w, 3, i, body);
            child_need(i == 19 || store_commit(w.store) == 0, "commit", w.store);
        }
        raise(SIGKILL);
    }
    int status = child_status(child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGKILL);
    struct writer w = writer_open(*state, 0); /* the lock went with the process */
    assert_int_equal(w.seq, 19);
    expect_ok(w.store, store_begin(w.store));
    writer_submit(&w, 3, 19, body);
    expect_ok(w.store, store_commit(w.store));
    writer_close(&w);
}

struct pipes {
    int to_child[2], to_parent[2];
};

static void tell(int fd) {
    ssize_t sent = write(fd, "!", 1);
    assert_int_equal(sent, 1);
}

static void hear(int fd) {
    char byte;
    ssize_t came = read(fd, &byte, 1);
    assert_int_equal(came, 1);
}

static int count_event(void *arg, const struct event *event) {
    ++*(uint64_t *)arg;
    return event->seq == *(uint64_t *)arg ? 0 : -1;
}

static void child_look(struct store *store, uint64_t events) {
    struct store_head head;
    struct inquiry_row row;
    uint64_t walked = 0;
    child_need(store_begin(store) == 0, "begin", store);
    store_head(store, &head);
    child_need(head.seq == events, "head", store);
    child_need(store_row(store, events, &row) == 0 && row.number == events, "row", store);
    struct event event = {.seq = events + 1, .type = EVENT_EXPIRED};
    child_need(store_append(store, &event) == -EST_INPUT, "append refused", store);
    child_need(store_commit(store) == 0, "end of the look", store);
    child_need(store_each_event(store, 0, count_event, &walked) == 0 && walked == events, "walk", store);
}

static void child_read(const struct scratch *scratch, const struct pipes *pipes, uint64_t few,
                       uint64_t many) {
    struct store_options options = {.directory = scratch->store, .read_only = true, .size_max = 1};
    struct store *store;
    alarm(60); /* a parent that failed will not write */
    hear(pipes->to_child[0]);
    child_need(store_open(&options, &store) == 0, "open", NULL);
    child_look(store, few);
    tell(pipes->to_parent[1]);
    hear(pipes->to_child[0]);
    child_look(store, many);
    store_close(&store);
    _exit(0);
}

static void submit_many(struct writer *w, uint64_t count, est_slice of) {
    for (uint64_t i = 0; i < count; i++) {
        if (i % 500 == 0)
            expect_ok(w->store, store_begin(w->store));
        writer_submit(w, 3, w->seq, of);
        if (i % 500 == 499 || i + 1 == count)
            expect_ok(w->store, store_commit(w->store));
    }
    expect_ok(w->store, store_drain(w->store));
}

/* The tool's map is as large as the file was; the second look comes after it has outgrown that. */
static void tool_reads_beside_a_running_broker(void **state) {
    static uint8_t large[EST_BODY_MAX];
    enum { FEW = 5000, MORE = 600 };
    struct pipes pipes;
    assert_int_equal(pipe(pipes.to_child), 0);
    assert_int_equal(pipe(pipes.to_parent), 0);
    pid_t child = fork();
    if (child == 0)
        child_read(*state, &pipes, FEW, FEW + MORE);
    struct writer w = writer_open(*state, 0);
    submit_many(&w, FEW, body);
    tell(pipes.to_child[1]);
    close(pipes.to_parent[1]); /* a child that failed ends the wait below */
    hear(pipes.to_parent[0]);
    submit_many(&w, MORE, (est_slice){large, sizeof large});
    tell(pipes.to_child[1]);
    expect_child_good(child);
    expect_ok(w.store, store_tidy(w.store));
    writer_close(&w);
    close(pipes.to_child[0]), close(pipes.to_child[1]), close(pipes.to_parent[0]);
}

/* Files that must not grow stand for a full disk: LMDB's writes are refused, or the journal's. */
static void child_fill(const struct scratch *scratch, int report) {
    struct writer w = writer_open(scratch, 0);
    struct rlimit limit = {4 << 20, 4 << 20};
    signal(SIGXFSZ, SIG_IGN);
    child_need(setrlimit(RLIMIT_FSIZE, &limit) == 0, "setrlimit", w.store);
    uint64_t durable = 0;
    for (int rc = 0; rc == 0;) {
        rc = store_begin(w.store); /* the thread that writes LMDB may have been refused by now */
        for (int i = 0; i < 100 && rc == 0; i++)
            writer_submit(&w, 3, w.seq, (est_slice){"0123456789", 10});
        if (rc == 0)
            rc = store_commit(w.store);
        child_need(rc == 0 || rc == -EST_IO, "the code of a refused write", w.store);
        child_need(rc == 0 || strstr(store_error(w.store), "failed: "), "sentence", w.store);
        struct store_head head;
        store_head(w.store, &head);
        durable = rc == 0 ? w.seq : durable;
        child_need(head.seq == durable, "head", w.store);
    }
    child_need(write(report, &durable, sizeof durable) == sizeof durable, "report", w.store);
    _exit(0); /* as the broker does: memory is ahead of disk */
}

static void refused_write_loses_that_batch_only(void **state) {
    int report[2];
    uint64_t durable = 0;
    assert_int_equal(pipe(report), 0);
    pid_t child = fork();
    if (child == 0)
        child_fill(*state, report[1]);
    expect_child_good(child);
    assert_int_equal(read(report[0], &durable, sizeof durable), sizeof durable);
    close(report[0]), close(report[1]);
    assert_true(durable > 0);
    struct writer w = writer_open(*state, 0);
    uint64_t walked = 0;
    assert_int_equal(w.seq, durable);
    expect_ok(w.store, store_each_event(w.store, 0, count_event, &walked));
    assert_int_equal(walked, durable);
    writer_close(&w);
}

/* --- A look from outside --------------------------------------------------------------------------- */

static void store_fill(const struct scratch *scratch) {
    struct writer w = writer_open(scratch, 0);
    submit_many(&w, 3, body);
    writer_close(&w);
}

static const char *path_of(const struct scratch *scratch, const char *name) {
    static char path[400];
    snprintf(path, sizeof path, "%s/%s", scratch->store, name);
    return path;
}

/* As a restored store is, or a backup: the log alone. */
static void locks_remove(const struct scratch *scratch) {
    assert_int_equal(unlink(path_of(scratch, "lock.mdb")), 0);
    assert_int_equal(unlink(path_of(scratch, "broker.lock")), 0);
    assert_int_equal(unlink(path_of(scratch, "journal")), 0);
}

static void expect_whole(const struct scratch *scratch) {
    struct store_check check;
    assert_int_equal(store_check_folder(scratch->store, &check), 0);
    assert_false(check.damaged);
    assert_int_equal(check.head.seq, 3);
}

static unsigned files_count(const struct scratch *scratch) {
    unsigned count = 0;
    DIR *folder = opendir(scratch->store);
    assert_non_null(folder);
    while (readdir(folder))
        count++;
    closedir(folder);
    return count - 2; /* it and its parent */
}

static void check_leaves_nothing_behind(void **state) {
    store_fill(*state);
    locks_remove(*state);
    expect_whole(*state);
    assert_int_equal(files_count(*state), 1);
    store_fill(*state); /* a broker has been here now */
    unsigned before = files_count(*state);
    struct store_check check;
    assert_int_equal(store_check_folder(((struct scratch *)*state)->store, &check), 0);
    assert_false(check.damaged);
    assert_int_equal(files_count(*state), before);
}

/* In a child that is not root any more. */
static void child_become_nobody(void) {
    enum { NOBODY = 65534 };
    child_need(geteuid() != 0 || (setegid(NOBODY) == 0 && seteuid(NOBODY) == 0), "another user", NULL);
}

/* A backup that others may read and nobody may write in. */
static void check_needs_no_right_to_write(void **state) {
    const struct scratch *scratch = *state;
    store_fill(scratch);
    locks_remove(scratch);
    assert_int_equal(chmod(path_of(scratch, "data.mdb"), 0444), 0);
    assert_int_equal(chmod(scratch->store, 0555), 0);
    assert_int_equal(chmod(scratch->folder, 0755), 0);
    pid_t child = fork();
    if (child == 0) {
        struct store_check check;
        child_become_nobody();
        child_need(store_check_folder(scratch->store, &check) == 0 && !check.damaged, check.why, NULL);
        _exit(0);
    }
    expect_child_good(child);
    assert_int_equal(chmod(scratch->store, 0755), 0);
}

static void child_expect_refused(const struct scratch *scratch, const char *part) {
    struct store_options options = {.directory = scratch->store};
    struct store *store = NULL;
    child_need(store_open(&options, &store) == -EST_IO, "refused", NULL);
    child_need(strstr(store_error(NULL), part), part, NULL);
    _exit(0);
}

/* As a tool of root's left it, when tools still made one. */
static void file_that_may_not_be_opened_is_named(void **state) {
    static const char *const names[] = {"data.mdb", "lock.mdb"};
    const struct scratch *scratch = *state;
    store_fill(scratch);
    assert_int_equal(chmod(scratch->store, 0777), 0);
    assert_int_equal(chmod(scratch->folder, 0755), 0);
    assert_int_equal(chmod(path_of(scratch, "broker.lock"), 0666), 0);
    for (size_t i = 0; i < 2; i++) {
        char part[80];
        assert_int_equal(chmod(path_of(scratch, names[i]), 0), 0);
        assert_int_equal(chmod(path_of(scratch, names[1 - i]), 0666), 0);
        snprintf(part, sizeof part, "opening %s failed: Permission denied", names[i]);
        pid_t child = fork();
        if (child == 0) {
            child_become_nobody();
            child_expect_refused(scratch, part);
        }
        expect_child_good(child);
    }
}

/* --- What the system refuses ----------------------------------------------------------------------- */

static void too_many_open_files_are_told_as_such(void **state) {
    store_fill(*state);
    pid_t child = fork();
    if (child == 0) {
        struct rlimit none = {0, 0};
        child_need(setrlimit(RLIMIT_NOFILE, &none) == 0, "setrlimit", NULL);
        child_expect_refused(*state, "opening broker.lock failed: Too many open files; allow it more open files");
    }
    expect_child_good(child);
}

/* In a place of its own, where the folder is mounted once more. Root only. */
static bool folder_protect(const char *folder) {
    return unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount(folder, folder, NULL, MS_BIND, NULL) == 0 &&
           mount(NULL, folder, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL) == 0;
}

static void read_only_file_system_is_told_as_such(void **state) {
    enum { SKIPPED = 77 };
    const struct scratch *scratch = *state;
    store_fill(scratch);
    pid_t child = fork();
    if (child == 0) {
        if (!folder_protect(scratch->store))
            _exit(SKIPPED);
        child_expect_refused(scratch, "opening broker.lock failed: Read-only file system; its file system is mounted");
    }
    int status = child_status(child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == SKIPPED) {
        print_message("skipped: nothing can be mounted here\n");
        skip();
    }
    assert_int_equal(WEXITSTATUS(status), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_make, scratch_remove)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(committed_batch_survives_a_killed_broker_and_an_open_one_does_not),
        TEST(tool_reads_beside_a_running_broker),
        TEST(refused_write_loses_that_batch_only),
        TEST(check_leaves_nothing_behind),
        TEST(check_needs_no_right_to_write),
        TEST(file_that_may_not_be_opened_is_named),
        TEST(too_many_open_files_are_told_as_such),
        TEST(read_only_file_system_is_told_as_such),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
