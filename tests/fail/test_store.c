/* test_store.c - whatever call fails under the store, it says so, and keeps what it promised. */
#include "check.h"
#include "loop.h"
#include "store.h"

#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { DEADLINE_S = 60, LIMIT = 400 };

struct bench {
    char folder[64], store[80], promises[80];
    uint64_t *promised;
};

static int entry_remove(const char *path, const struct stat *info, int flag, struct FTW *walk) {
    (void)info, (void)flag, (void)walk;
    return remove(path);
}

static int setup(void **state) {
    struct bench *b = calloc(1, sizeof *b);
    const char *root = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"; /* syncs cost nothing there */
    snprintf(b->folder, sizeof b->folder, "%s/estelam-fail-XXXXXX", root);
    if (!mkdtemp(b->folder))
        return -1;
    snprintf(b->store, sizeof b->store, "%s/store", b->folder);
    snprintf(b->promises, sizeof b->promises, "%s/promises", b->folder);
    int fd = open(b->promises, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || ftruncate(fd, sizeof *b->promised) != 0)
        return -1;
    b->promised = mmap(NULL, sizeof *b->promised, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    *state = b;
    return b->promised == MAP_FAILED ? -1 : 0;
}

static int teardown(void **state) {
    struct bench *b = *state;
    munmap(b->promised, sizeof *b->promised);
    nftw(b->folder, entry_remove, 8, FTW_DEPTH | FTW_PHYS);
    free(b);
    return 0;
}

/* The exit status, or minus the signal that ended it; a hang ends with SIGALRM's. */
static int life_run(const struct bench *b, const struct fail_plan *plan) {
    int status;
    plan_arm(plan);
    pid_t child = fork();
    if (child == 0) {
        int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
        dup2(null, STDERR_FILENO);
        alarm(DEADLINE_S);
        execl(FAIL_STORE_LIFE, FAIL_STORE_LIFE, b->store, b->promises, (char *)NULL);
        _exit(127);
    }
    plan_disarm();
    assert_true(child > 0 && waitpid(child, &status, 0) == child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* A clean start after the failure, in this process and without the shim. */
static void expect_promises_kept(const struct bench *b, const struct fail_plan *plan) {
    struct store_options options = {.directory = b->store, .size_max = 64 << 20};
    struct store_head head;
    struct store_check check;
    struct store *store = NULL;
    if (store_open(&options, &store) != 0)
        fail_msg("%s: afterwards %s", plan_text(plan), store_error(NULL));
    store_head(store, &head);
    if (head.seq < *b->promised)
        fail_msg("%s: %llu events, %llu were promised", plan_text(plan), (unsigned long long)head.seq,
                 (unsigned long long)*b->promised);
    assert_int_equal(store_check(store, &check), 0);
    if (check.damaged)
        fail_msg("%s: %s %s: %s", plan_text(plan), check.table, check.key, check.why);
    store_close(&store);
}

static void loop(struct bench *b, const char *call) {
    struct fail_plan plan = plan_begin(call, LIMIT);
    do {
        nftw(b->store, entry_remove, 8, FTW_DEPTH | FTW_PHYS);
        *b->promised = 0;
        int status = life_run(b, &plan);
        if (status < 0 || status > 2)
            fail_msg("%s: status %d", plan_text(&plan), status);
        if (plan.tally->failed == 0 && status != 0)
            fail_msg("%s: nothing failed, and status %d", plan_text(&plan), status);
        expect_promises_kept(b, &plan);
    } while (plan_next(&plan));
    plan_end(&plan);
}

#define CLAIM(name, call)                                                                                    \
    static void name(void **state) {                                                                         \
        if (fail_unsupported()) {                                                                            \
            print_message("skipped: %s\n", fail_unsupported());                                              \
            skip();                                                                                          \
        }                                                                                                    \
        loop(*state, call);                                                                                  \
    }

CLAIM(no_memory_is_an_error_and_loses_nothing, "malloc")
CLAIM(full_disk_is_an_error_and_loses_nothing, "write")
CLAIM(disk_error_is_an_error_and_loses_nothing, "pwrite")
CLAIM(failed_sync_is_an_error_and_loses_nothing, "fdatasync")
CLAIM(too_many_files_is_an_error_and_loses_nothing, "open")

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(no_memory_is_an_error_and_loses_nothing),      TEST(full_disk_is_an_error_and_loses_nothing),
        TEST(disk_error_is_an_error_and_loses_nothing),     TEST(failed_sync_is_an_error_and_loses_nothing),
        TEST(too_many_files_is_an_error_and_loses_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
