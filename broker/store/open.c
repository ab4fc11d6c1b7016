/* open.c - opening a store: its folder, its lock, its environment; and closing it.
 *
 * Order matters here. The broker's lock comes before LMDB touches anything, because LMDB itself
 * lets several writers take turns, and two brokers taking turns would give the same numbers
 * twice. The folder is synced before store_open returns, because LMDB syncs its file and never
 * the folder that names it. A new store is made in a folder beside its place and moved there whole.
 */
#include "room.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define MIB              (UINT64_C(1) << 20)
#define GIB              (UINT64_C(1) << 30)
#define SIZE_MAX_DEFAULT (64 * GIB)
#define SIZE_MAX_LEAST   (1 * MIB)
#define MAP_FIRST        (512 * MIB)

static const char lock_name[] = "broker.lock";

/* --- The folder and the lock ------------------------------------------------------------------- */

static int directory_make(struct store *store) {
    struct stat info;
    int error = store->read_only || mkdir(store->directory, 0700) == 0 || errno == EEXIST ? 0 : errno;
    if (error == ENOENT)
        return store_fail(store, -EST_IO,
                          "cannot make this folder: %s; make its parent first, or mend store.directory",
                          strerror(error));
    if (error)
        return store_fail_lmdb(store, error, "making this folder");
    if (stat(store->directory, &info) != 0)
        return store_fail(store, -EST_IO, "%s; start the broker first, or name its folder", strerror(errno));
    if (!S_ISDIR(info.st_mode))
        return store_fail(store, -EST_INPUT, "this is not a folder; mend store.directory");
    return 0;
}

static char *path_in(const struct store *store, const char *name) {
    char *path = NULL;
    return asprintf(&path, "%s/%s", store->directory, name) < 0 ? NULL : path;
}

static int lock_refused(struct store *store, int error) {
    char holder[24] = "";
    if (pread(store->lock, holder, sizeof holder - 1, 0) < 0)
        holder[0] = '\0';
    holder[strcspn(holder, "\n")] = '\0';
    if (error != EWOULDBLOCK)
        return store_fail(store, -EST_IO, "cannot lock it: %s; use a local disk", strerror(error));
    return store_fail(store, -EST_IO,
                      "another broker (process %s) has it open; stop that one, or give this one a "
                      "store.directory of its own",
                      holder[0] ? holder : "unknown");
}

/* The kernel drops the lock with the process, whatever way it ends: there is nothing to clean. */
static int lock_take(struct store *store) {
    char *path = path_in(store, lock_name);
    if (!path)
        return store_fail(store, -EST_NO_MEMORY, "out of memory");
    store->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    int error = errno;
    free(path);
    if (store->lock < 0)
        return store_fail_lmdb(store, error, "opening broker.lock");
    if (flock(store->lock, LOCK_EX | LOCK_NB) != 0)
        return lock_refused(store, errno);
    /* For the message above only, so a failure to write it harms nothing. */
    if (ftruncate(store->lock, 0) == 0)
        dprintf(store->lock, "%ld\n", (long)getpid());
    return 0;
}

bool store_hold(const char *directory, int *ret) {
    char path[4096];
    *ret = -1;
    if (snprintf(path, sizeof path, "%s/%s", directory, lock_name) < (int)sizeof path)
        *ret = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (*ret < 0 || flock(*ret, LOCK_SH | LOCK_NB) == 0 || errno != EWOULDBLOCK)
        return true;
    close(*ret);
    *ret = -1;
    return false;
}

static int directory_sync(struct store *store, const char *path) {
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = fd < 0 ? -1 : fsync(fd);
    int error = errno;
    if (fd >= 0)
        close(fd);
    if (rc != 0)
        return store_fail(store, -EST_IO, "cannot sync the folder %s: %s; use a local disk", path,
                          strerror(error));
    return 0;
}

/* At every start, new store or not: a broker may have died between making one and syncing it. */
static int directories_sync(struct store *store) {
    char *copy = strdup(store->directory);
    if (!copy)
        return store_fail(store, -EST_NO_MEMORY, "out of memory");
    int rc = directory_sync(store, store->directory);
    if (!rc)
        rc = directory_sync(store, dirname(copy));
    free(copy);
    return rc;
}

/* --- Open and close ---------------------------------------------------------------------------- */

/* Beside a store that no broker has opened yet a tool makes no lock file: it would stay, and belong to whoever
 * ran the tool. A broker that is there, or was, has left one. */
static unsigned env_flags(const struct store *store, const char *directory) {
    char path[4096];
    snprintf(path, sizeof path, "%s/lock.mdb", directory);
    if (!store->read_only)
        return MDB_NORDAHEAD; /* see ahead.h */
    return access(path, F_OK) != 0 && errno == ENOENT ? MDB_RDONLY | MDB_NOLOCK : MDB_RDONLY;
}

/* LMDB does not say which of its files it was refused. */
static int open_fail(struct store *store, const char *directory, int rc) {
    static const char *const names[] = {"data.mdb", "lock.mdb"};
    char path[4096], what[32] = "opening";
    for (size_t i = 0; i < sizeof names / sizeof names[0] && rc == EACCES; i++) {
        snprintf(path, sizeof path, "%s/%s", directory, names[i]);
        int wanted = store->read_only && i == 0 ? R_OK : R_OK | W_OK;
        if (faccessat(AT_FDCWD, path, wanted, AT_EACCESS) != 0 && errno == EACCES)
            snprintf(what, sizeof what, "opening %s", names[i]);
    }
    return store_fail_lmdb(store, rc, what);
}

static void assertion_take(MDB_env *env, const char *sentence) {
    const struct store *store = mdb_env_get_userctx(env);
    store->fault(sentence);
}

static int env_open(struct store *store, const char *directory) {
    int rc = mdb_env_create(&store->env);
    if (rc != 0)
        return store_fail_lmdb(store, rc, "opening");
    if (store->fault) {
        mdb_env_set_userctx(store->env, store);
        mdb_env_set_assert(store->env, assertion_take);
    }
    store->map = store->size_max < MAP_FIRST ? store->size_max : MAP_FIRST;
    rc = mdb_env_set_maxdbs(store->env, TABLE_COUNT);
    if (rc == 0)
        rc = mdb_env_set_mapsize(store->env, store->map);
    if (rc == 0)
        rc = mdb_env_open(store->env, directory, env_flags(store, directory), 0600);
    if (rc != 0)
        return open_fail(store, directory, rc);
    MDB_stat stat;
    MDB_envinfo info;
    mdb_env_stat(store->env, &stat);
    mdb_env_info(store->env, &info);
    store->page = stat.ms_psize;
    store->map = info.me_mapsize; /* larger where the file already is */
    return 0;
}

/* --- A new store -------------------------------------------------------------------------------- */

/* An empty file is no log either: a store is there only when it is whole, so that one was lost. */
static int log_look(struct store *store, struct stat *ret) {
    char *data = path_in(store, "data.mdb");
    int error = !data ? ENOMEM : stat(data, ret) == 0 ? 0 : errno;
    free(data);
    if (error == ENOENT)
        *ret = (struct stat){0};
    return error == 0 || error == ENOENT ? 0 : store_fail_lmdb(store, error, "looking at data.mdb");
}

/* The journal knows whether there was a log: data.mdb has its name on the disk before the first block is
 * written. A new store in its place would take those blocks for nothing, and write over them. */
static int log_never_was(struct store *store) {
    bool has_blocks = false;
    int rc = journal_has_blocks(store, &has_blocks);
    if (rc || !has_blocks)
        return rc;
    return store_fail(store, -EST_INPUT,
                      "there is a journal but no log: restore data.mdb; move the journal away only if this is to "
                      "be a new store");
}

static int log_expect(struct store *store) {
    struct stat info;
    int rc = log_look(store, &info);
    if (rc || info.st_size > 0)
        return rc;
    rc = log_never_was(store);
    if (rc)
        return rc;
    return info.st_nlink == 0 ? store_fail(store, -EST_NOT_FOUND, "there is none here; name the folder of a broker")
                              : store_fail(store, -EST_INPUT, "data.mdb is empty: restore it from a backup");
}

/* What a start that was cut short has left, or the lock of one that was not. */
static int making_remove(struct store *store, const char *making) {
    static const char *const names[] = {"data.mdb", "lock.mdb"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char *path = NULL;
        if (asprintf(&path, "%s/%s", making, names[i]) < 0)
            return store_fail(store, -EST_NO_MEMORY, "out of memory");
        unlink(path);
        free(path);
    }
    if (rmdir(making) != 0 && errno != ENOENT)
        return store_fail(store, -EST_IO, "cannot remove %s: %s; remove it yourself", making, strerror(errno));
    return 0;
}

/* Made, synced by its first commit, and only then given its name. */
static int making_finish(struct store *store, const char *making, const char *data) {
    char *made = NULL;
    if (asprintf(&made, "%s/data.mdb", making) < 0)
        return store_fail(store, -EST_NO_MEMORY, "out of memory");
    int rc = env_open(store, making);
    if (!rc)
        rc = meta_open(store);
    if (store->env)
        mdb_env_close(store->env);
    store->env = NULL;
    if (!rc && rename(made, data) != 0)
        rc = store_fail_lmdb(store, errno, "naming the new data.mdb");
    free(made);
    return rc;
}

/* LMDB writes the beginning of a new file without a sync: a power cut in that moment would leave a
 * data.mdb that is neither a store nor absent, and no broker would start on it any more. So a
 * store is made in a folder beside its place, and is there only when it is whole. */
static int store_make_once(struct store *store) {
    struct stat info = {0};
    char *data = path_in(store, "data.mdb"), *making = path_in(store, "new");
    int rc = data && making ? log_look(store, &info) : store_fail(store, -EST_NO_MEMORY, "out of memory");
    if (!rc && info.st_size == 0) {
        rc = log_never_was(store);
        if (!rc)
            rc = making_remove(store, making);
        if (!rc && mkdir(making, 0700) != 0)
            rc = store_fail_lmdb(store, errno, "making the folder `new` in it");
        if (!rc)
            rc = making_finish(store, making, data);
    }
    if (!rc)
        rc = making_remove(store, making);
    free(data);
    free(making);
    return rc;
}

/* What the journal has and LMDB lacks comes first; then the two threads share the work. */
static int journal_start(struct store *store) {
    int rc = journal_open(store);
    if (!rc)
        rc = journal_replay(store);
    if (!rc)
        rc = directories_sync(store);
    if (!rc)
        rc = keeper_start(store);
    return rc ? rc : writer_start(store);
}

static int store_start(struct store *store) {
    int rc = directory_make(store);
    if (!rc && !store->read_only)
        rc = lock_take(store);
    if (!rc)
        rc = store->read_only ? log_expect(store) : store_make_once(store);
    if (!rc)
        rc = env_open(store, store->directory);
    if (!rc)
        rc = meta_open(store);
    if (!rc)
        rc = rows_recover(store);
    if (!rc && !store->read_only)
        rc = journal_start(store);
    if (!rc)
        rc = store_tidy(store);
    return rc;
}

int store_open(const struct store_options *options, struct store **ret) {
    struct store *store = calloc(1, sizeof *store);
    if (store)
        store->directory = strdup(options->directory);
    if (!store || !store->directory || fresh_init(&store->fresh) < 0) {
        open_error_keep("out of memory");
        free(store ? store->directory : NULL);
        free(store);
        return -EST_NO_MEMORY;
    }
    pthread_mutex_init(&store->map_lock, NULL);
    store->lock = store->journal.fd = -1;
    store->read_only = options->read_only;
    store->fault = options->fault;
    store->size_max = options->size_max > 0 ? options->size_max : SIZE_MAX_DEFAULT;
    if (store->size_max < SIZE_MAX_LEAST)
        store->size_max = SIZE_MAX_LEAST;
    store->size_max -= store->size_max % (uint64_t)sysconf(_SC_PAGESIZE);
    snprintf(store->error, sizeof store->error, "store %s: nothing has failed", store->directory);
    int rc = store_start(store);
    if (rc) {
        open_error_keep(store->error);
        store_close(&store);
        return rc;
    }
    *ret = store;
    return 0;
}

/* So that the tables of a closed store are complete. Where it fails nothing is lost: opening folds
 * what did not settle out of the log. */
static void all_settle(struct store *store) {
    if (!store->env || store->read_only || store->fresh.count == 0 || store_begin(store) < 0)
        return;
    int rc = direct_begin(store);
    if (!rc)
        rc = rows_settle(store, true);
    if (!rc)
        rc = head_write(store);
    store->direct = false;
    batch_end(store, rc);
}

void store_close(struct store **ref) {
    struct store *store = *ref;
    if (!store)
        return;
    store_abort(store);
    writer_stop(store);
    if (keeper_stop(store) == 0)
        all_settle(store);
    journal_close(&store->journal);
    look_close(store);
    if (store->env)
        mdb_env_close(store->env);
    /* Last: nobody may come in while LMDB still has the files. */
    if (store->lock >= 0)
        close(store->lock);
    record_scratch_done(&store->scratch);
    fresh_done(&store->fresh);
    newest_forget(store);
    pthread_mutex_destroy(&store->map_lock);
    explicit_bzero(store->secret, sizeof store->secret);
    free(store->directory);
    free(store);
    *ref = NULL;
}

void store_opening(const struct store *store, struct store_opening *ret) {
    *ret = store->opening;
}

void store_head(const struct store *store, struct store_head *ret) {
    *ret = store->head;
}

const uint8_t *store_secret(const struct store *store) {
    return store->secret;
}
