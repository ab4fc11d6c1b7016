/* backup.c - a store copied whole, then looked at, then named.
 *
 * The journal comes first. Were data.mdb first, a broker that starts between the two would leave a
 * journal that does not continue that log. This way round it has put what the journal holds into the
 * log before the log is copied, and blocks that the log has already are passed over when the copy is
 * opened.
 */
#include "backup.h"
#include "apart.h"
#include "room.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const names[] = {"journal", "data.mdb"};
enum { NAMES = sizeof names / sizeof *names };

struct backup {
    const char *from;
    char to[PATH_MAX], making[PATH_MAX]; /* TO, and TO.unfinished */
    int folder;                          /* that one, locked while it is being written; -1 */
    int parent;                          /* -1 */
    bool is_named;                       /* it is TO now, and nothing in it is touched any more */
    struct stat parent_info;
    struct store_backup *ret;
};

/* "WHERE: what". */
static int fail(const struct backup *b, int code, const char *where, const char *what) {
    snprintf(b->ret->check.why, sizeof b->ret->check.why, "%.160s: %.200s", where, what);
    return code;
}

static int fail_system(const struct backup *b, const char *where) {
    int error = errno;
    char what[200];
    snprintf(what, sizeof what, "%s%s", strerror(error), error == ENOSPC ? "; free space on its disk" : "");
    return fail(b, error == ENOMEM ? -EST_NO_MEMORY : -EST_IO, where, what);
}

/* --- The folder that it is made in -------------------------------------------------------------------- */

static int paths_set(struct backup *b, const char *to) {
    size_t size = strlen(to);
    while (size > 1 && to[size - 1] == '/')
        size--;
    if (size == 0 || snprintf(b->to, sizeof b->to, "%.*s", (int)size, to) >= (int)sizeof b->to ||
        snprintf(b->making, sizeof b->making, "%s.unfinished", b->to) >= (int)sizeof b->making)
        return fail(b, -EST_INPUT, to, "this cannot be a folder's name");
    return 0;
}

static int target_refuse(const struct backup *b) {
    return fail(b, -EST_INPUT, b->to,
                "there is something here, and nothing is written over: move it away, or name another folder");
}

/* Missing, or a folder without anything in it: one that a unit or a person has made. */
static int target_look(const struct backup *b) {
    DIR *folder = opendir(b->to);
    if (!folder && errno == ENOENT)
        return 0;
    if (!folder)
        return errno == ENOTDIR ? fail(b, -EST_INPUT, b->to, "this is a file; name a folder that is not there yet")
                                : fail_system(b, b->to);
    bool is_empty = true;
    for (const struct dirent *at = readdir(folder); at && is_empty; at = readdir(folder))
        is_empty = strcmp(at->d_name, ".") == 0 || strcmp(at->d_name, "..") == 0;
    closedir(folder);
    return is_empty ? 0 : target_refuse(b);
}

static int parent_open(struct backup *b) {
    char copy[PATH_MAX];
    memcpy(copy, b->to, sizeof copy);
    const char *parent = dirname(copy);
    b->parent = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (b->parent < 0 || fstat(b->parent, &b->parent_info) != 0)
        return fail_system(b, parent);
    return 0;
}

static int owner_set(const struct backup *b, int fd) {
    return geteuid() == 0 ? fchown(fd, b->parent_info.st_uid, b->parent_info.st_gid) : 0;
}

static void leftovers_remove(const struct backup *b) {
    for (size_t i = 0; i < NAMES; i++)
        unlinkat(b->folder, names[i], 0);
}

/* One that was cut short has left its folder, unlocked; what lies in it is good for nothing. */
static int making_open(struct backup *b) {
    if (mkdir(b->making, 0700) != 0 && errno != EEXIST)
        return fail_system(b, b->making);
    b->folder = open(b->making, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (b->folder < 0)
        return fail_system(b, b->making);
    if (flock(b->folder, LOCK_EX | LOCK_NB) != 0) {
        int rc = errno == EWOULDBLOCK ? fail(b, -EST_IO, b->making, "another process is making this one now")
                                      : fail_system(b, b->making);
        close(b->folder);
        b->folder = -1;
        return rc;
    }
    leftovers_remove(b);
    return owner_set(b, b->folder) == 0 ? 0 : fail_system(b, b->making);
}

static void backup_end(struct backup *b) {
    if (b->folder >= 0 && !b->is_named) {
        leftovers_remove(b);
        rmdir(b->making);
    }
    if (b->folder >= 0)
        close(b->folder);
    if (b->parent >= 0)
        close(b->parent);
}

/* --- The files ---------------------------------------------------------------------------------------- */

static int file_make(const struct backup *b, const char *name) {
    int fd = openat(b->folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd >= 0 && owner_set(b, fd) != 0) {
        int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

static int file_finish(const struct backup *b, int fd) {
    int rc = fsync(fd) == 0 ? 0 : fail_system(b, b->making);
    if (close(fd) != 0 && !rc)
        rc = fail_system(b, b->making);
    return rc;
}

static int bytes_copy(const struct backup *b, int in, int out) {
    static char bytes[1 << 20];
    for (;;) {
        ssize_t got = read(in, bytes, sizeof bytes);
        if (got == 0)
            return 0;
        if (got < 0)
            return fail_system(b, "reading the journal");
        for (ssize_t done = 0, n; done < got; done += n)
            if ((n = write(out, bytes + done, (size_t)(got - done))) < 0)
                return fail_system(b, b->making);
    }
}

static int journal_copy(struct backup *b, int folder) {
    int in = openat(folder, "journal", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (in < 0)
        return errno == ENOENT ? 0 : fail_system(b, "opening the journal");
    int out = file_make(b, "journal");
    int rc = out < 0 ? fail_system(b, b->making) : bytes_copy(b, in, out);
    if (out >= 0) {
        int finished = file_finish(b, out);
        rc = rc ? rc : finished;
    }
    close(in);
    return rc;
}

/* No broker can start for as long as it takes, which is some milliseconds. */
static int journal_take(struct backup *b) {
    int folder = open(b->from, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return fail_system(b, b->from);
    int hold = -1, rc = 0;
    b->ret->beside_broker = !store_hold(b->from, &hold);
    if (!b->ret->beside_broker)
        rc = journal_copy(b, folder);
    if (hold >= 0)
        close(hold);
    close(folder);
    return rc;
}

struct copying { const struct backup *backup; int out; };

static int data_copy_apart(const void *argument, struct store_check *ret) {
    const struct copying *copying = argument;
    struct store *store = NULL;
    int rc = apart_open(copying->backup->from, &store, ret);
    if (rc)
        return ret->damaged ? 0 : rc;
    rc = mdb_env_copyfd2(store->env, copying->out, MDB_CP_COMPACT);
    if (rc == MDB_MAP_RESIZED) { /* the broker's file has grown since; nothing is written yet */
        rc = mdb_env_set_mapsize(store->env, 0);
        if (rc == 0)
            rc = mdb_env_copyfd2(store->env, copying->out, MDB_CP_COMPACT);
    }
    if (rc > 0) {
        errno = rc;
        rc = fail_system(copying->backup, copying->backup->making);
        memcpy(ret->why, copying->backup->ret->check.why, sizeof ret->why);
    } else if (rc < 0) {
        rc = store_fail_lmdb(store, rc, "copying data.mdb");
        apart_fail(ret, rc, store_error(store), "");
        ret->damaged = rc == -EST_INPUT;
        ret->table = "file";
    }
    store_close(&store);
    return ret->damaged ? 0 : rc;
}

static int data_take(struct backup *b) {
    struct copying copying = {b, file_make(b, "data.mdb")};
    if (copying.out < 0)
        return fail_system(b, b->making);
    int rc = apart_run(data_copy_apart, &copying, &b->ret->check);
    int finished = file_finish(b, copying.out);
    return rc || b->ret->check.damaged ? rc : finished;
}

/* --- The whole ---------------------------------------------------------------------------------------- */

static int copy_check(struct backup *b) {
    int rc = store_check_folder(b->making, &b->ret->check);
    if (rc || b->ret->check.damaged)
        return rc;
    if (fsync(b->folder) != 0)
        return fail_system(b, b->making);
    if (rename(b->making, b->to) != 0)
        return errno == ENOTEMPTY || errno == EEXIST ? target_refuse(b) : fail_system(b, b->to);
    b->is_named = true;
    return fsync(b->parent) == 0 ? 0 : fail_system(b, b->to);
}

static int backup_make(struct backup *b, const char *to) {
    int rc = paths_set(b, to);
    if (!rc)
        rc = apart_look(b->from, &b->ret->check);
    if (!rc)
        rc = target_look(b);
    if (!rc)
        rc = parent_open(b);
    if (!rc)
        rc = making_open(b);
    if (!rc)
        rc = journal_take(b);
    if (!rc)
        rc = data_take(b);
    return rc || b->ret->check.damaged ? rc : copy_check(b);
}

int store_backup(const char *from, const char *to, struct store_backup *ret) {
    *ret = (struct store_backup){.check.table = ""};
    struct backup *b = calloc(1, sizeof *b);
    if (!b)
        return apart_fail(&ret->check, -EST_NO_MEMORY, "out of memory", "");
    b->from = from;
    b->ret = ret;
    b->folder = b->parent = -1;
    int rc = backup_make(b, to);
    backup_end(b);
    free(b);
    return rc;
}
