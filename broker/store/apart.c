/* apart.c - the check in a process of its own, and whatever else reads a store that may be damaged.
 *
 * LMDB follows the offsets in its pages without looking where they lead: a flipped bit in one may
 * take it outside the file, or into an assertion, and either ends the process. A child may end so;
 * whoever asked gets an answer all the same.
 */
#include "apart.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* What the child leaves to its parent. `table` is a constant: its address is the same in both. */
struct left_behind {
    bool done;
    int code;
    struct store_check check;
};

int apart_fail(struct store_check *ret, int code, const char *sentence, const char *more) {
    snprintf(ret->why, sizeof ret->why, "%s%s", sentence, more);
    return code;
}

int apart_open(const char *directory, struct store **store, struct store_check *ret) {
    struct store_options options = {.directory = directory, .read_only = true};
    int rc = store_open(&options, store);
    if (rc == -EST_INPUT) {
        ret->damaged = true;
        ret->table = "meta";
    }
    return rc ? apart_fail(ret, rc, store_error(NULL), "") : 0;
}

static int open_and_check(const void *directory, struct store_check *ret) {
    struct store *store = NULL;
    int rc = apart_open(directory, &store, ret);
    if (rc)
        return ret->damaged ? 0 : rc;
    rc = store_check(store, ret);
    if (rc)
        apart_fail(ret, rc, store_error(store), "");
    store_close(&store);
    return rc;
}

/* The death that is expected here is told by the parent, not by a core file or a library's remark. */
static void child_run(apart_work *work, const void *argument, struct left_behind *left) {
    static const struct rlimit none = {0, 0};
    static const int deaths[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL};
    for (size_t i = 0; i < sizeof deaths / sizeof deaths[0]; i++)
        signal(deaths[i], SIG_DFL); /* not into a handler of whoever called */
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    setrlimit(RLIMIT_CORE, &none);
    if (null >= 0)
        dup2(null, STDERR_FILENO);
    left->code = work(argument, &left->check);
    left->done = true;
    _exit(0);
}

static int child_take(pid_t child, const struct left_behind *left, struct store_check *ret) {
    int status;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return apart_fail(ret, -EST_IO, "the process that reads it cannot be waited for: ", strerror(errno));
    *ret = left->check;
    if (left->done)
        return left->code;
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
        return apart_fail(ret, -EST_IO, "the process that reads it was killed; is there enough memory?", "");
    ret->damaged = true;
    if (!ret->table || !*ret->table)
        ret->table = "file";
    return apart_fail(ret, 0, "its pages lead nowhere: whoever follows them is killed", "");
}

/* A journal alone is what is left of a store. */
static bool is_there(const char *directory, const char *name) {
    char path[4096];
    return snprintf(path, sizeof path, "%s/%s", directory, name) < (int)sizeof path &&
           (access(path, F_OK) == 0 || errno != ENOENT);
}

int apart_look(const char *directory, struct store_check *ret) {
    if (is_there(directory, "data.mdb") || is_there(directory, "journal"))
        return 0;
    return apart_fail(ret, -EST_NOT_FOUND, directory, ": there is no store here; name the folder of a broker");
}

int apart_run(apart_work *work, const void *argument, struct store_check *ret) {
    struct left_behind *left =
        mmap(NULL, sizeof *left, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (left == MAP_FAILED)
        return apart_fail(ret, -EST_NO_MEMORY, "out of memory", "");
    left->check.table = "";
    pid_t child = fork();
    if (child == 0)
        child_run(work, argument, left);
    int rc = child < 0 ? apart_fail(ret, -EST_NO_MEMORY, "no process to read it: ", strerror(errno))
                       : child_take(child, left, ret);
    munmap(left, sizeof *left);
    return rc;
}

int store_check_folder(const char *directory, struct store_check *ret) {
    *ret = (struct store_check){.table = ""};
    int rc = apart_look(directory, ret);
    if (rc)
        return rc;
    bool was_locked = is_there(directory, "lock.mdb");
    rc = apart_run(open_and_check, directory, ret);
    /* Without a lock file the check kept no page for itself, and a broker has begun to write. */
    if (rc == 0 && ret->damaged && !was_locked && is_there(directory, "lock.mdb"))
        return apart_fail(ret, -EST_IO, directory, ": a broker was started meanwhile; check it again");
    return rc;
}
