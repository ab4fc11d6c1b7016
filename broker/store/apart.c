/* apart.c - the check in a process of its own.
 *
 * LMDB follows the offsets in its pages without looking where they lead: a flipped bit in one may
 * take it outside the file, or into an assertion, and either ends the process. A child may end so;
 * whoever asked gets an answer all the same.
 */
#include "check.h"

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

static int fail(struct store_check *ret, int code, const char *sentence, const char *more) {
    snprintf(ret->why, sizeof ret->why, "%s%s", sentence, more);
    return code;
}

static int open_and_check(const char *directory, struct store_check *ret) {
    struct store_options options = {.directory = directory, .read_only = true};
    struct store *store = NULL;
    int rc = store_open(&options, &store);
    if (rc == -EST_INPUT) {
        ret->damaged = true;
        ret->table = "meta";
        return fail(ret, 0, store_error(NULL), "");
    }
    if (rc)
        return fail(ret, rc, store_error(NULL), "");
    rc = store_check(store, ret);
    if (rc)
        fail(ret, rc, store_error(store), "");
    store_close(&store);
    return rc;
}

/* The death that is expected here is told by the parent, not by a core file or a library's remark. */
static void child_run(const char *directory, struct left_behind *left) {
    static const struct rlimit none = {0, 0};
    static const int deaths[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL};
    for (size_t i = 0; i < sizeof deaths / sizeof deaths[0]; i++)
        signal(deaths[i], SIG_DFL); /* not into a handler of whoever called */
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    setrlimit(RLIMIT_CORE, &none);
    if (null >= 0)
        dup2(null, STDERR_FILENO);
    left->code = open_and_check(directory, &left->check);
    left->done = true;
    _exit(0);
}

static int child_take(pid_t child, const struct left_behind *left, struct store_check *ret) {
    int status;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return fail(ret, -EST_IO, "the check cannot be waited for: ", strerror(errno));
    *ret = left->check;
    if (left->done)
        return left->code;
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
        return fail(ret, -EST_IO, "the check was killed; is there enough memory?", "");
    ret->damaged = true;
    if (!ret->table || !*ret->table)
        ret->table = "file";
    return fail(ret, 0, "its pages lead nowhere: whoever follows them is killed", "");
}

/* A journal alone is what is left of a store. */
static bool is_there(const char *directory, const char *name) {
    char path[4096];
    return snprintf(path, sizeof path, "%s/%s", directory, name) < (int)sizeof path &&
           (access(path, F_OK) == 0 || errno != ENOENT);
}

int store_check_folder(const char *directory, struct store_check *ret) {
    *ret = (struct store_check){.table = ""};
    if (!is_there(directory, "data.mdb") && !is_there(directory, "journal"))
        return fail(ret, -EST_NOT_FOUND, directory, ": there is no store here; name the folder of a broker");
    struct left_behind *left =
        mmap(NULL, sizeof *left, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (left == MAP_FAILED)
        return fail(ret, -EST_NO_MEMORY, "out of memory", "");
    left->check.table = "";
    bool was_locked = is_there(directory, "lock.mdb");
    pid_t child = fork();
    if (child == 0)
        child_run(directory, left);
    int rc = child < 0 ? fail(ret, -EST_NO_MEMORY, "no process for the check: ", strerror(errno))
                       : child_take(child, left, ret);
    munmap(left, sizeof *left);
    /* Without a lock file the check kept no page for itself, and a broker has begun to write. */
    if (rc == 0 && ret->damaged && !was_locked && is_there(directory, "lock.mdb"))
        return fail(ret, -EST_IO, directory, ": a broker was started meanwhile; check it again");
    return rc;
}
