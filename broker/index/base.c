/* base.c - see base.h. The folder, the file and its transaction; what lies in it is in base_tables.c.
 */
#include "base_room.h"
#include "guard.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define MIB          (UINT64_C(1) << 20)
#define MAP_FIRST    (256 * MIB)
#define MAP_HEADROOM (128 * MIB)
#define MAP_MAX      (UINT64_C(1) << 40)
/* The store on the same disk needs what is left more than the index does. */
#define DISK_RESERVE (256 * MIB)

static const char *const table_names[BASE_TABLES] = {"entries", "terms", "counts", "meta"};
static const unsigned table_flags[BASE_TABLES] = {MDB_INTEGERKEY, 0, 0, 0};
static _Thread_local char open_error[BASE_ERROR_SIZE] = "no index has failed to open";

int base_fail(struct base *b, int code, const char *format, ...) {
    char what[BASE_ERROR_SIZE - 160];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    snprintf(b->error, sizeof b->error, "index %.140s: %s", b->folder, what);
    return code;
}

/* What only a page that is not as LMDB wrote it can bring about. A full map too: it has room for a
 * transaction of INDEXER_COMMIT_EVENTS when that begins. */
static bool is_damage(int rc) {
    return rc == EINVAL || (rc < 0 && rc != MDB_READERS_FULL);
}

int base_fail_lmdb(struct base *b, int rc, const char *what) {
    int code = is_damage(rc) ? -EST_INPUT : rc == ENOMEM ? -EST_NO_MEMORY : -EST_IO;
    return base_fail(b, code, "%s: %s", what, mdb_strerror(rc));
}

const char *base_error(const struct base *b) {
    return b ? b->error : open_error;
}

/* --- Transactions -------------------------------------------------------------------------------- */

static uint64_t used_bytes(const struct base *b) {
    MDB_envinfo info;
    return mdb_env_info(b->env, &info) == 0 ? (info.me_last_pgno + 1) * b->page : 0;
}

uint64_t base_bytes(const struct base *b) {
    return used_bytes(b);
}

static int map_grow(struct base *b) {
    uint64_t map = b->map;
    while (used_bytes(b) + MAP_HEADROOM > map && map < MAP_MAX)
        map *= 2;
    if (map == b->map)
        return 0;
    int rc = mdb_env_set_mapsize(b->env, map);
    if (rc != 0)
        return base_fail_lmdb(b, rc, "growing the map");
    b->map = map;
    return 0;
}

static int disk_look(struct base *b) {
    struct statvfs disk;
    if (statvfs(b->folder, &disk) == 0 && disk.f_bavail * disk.f_frsize < DISK_RESERVE)
        return base_fail(b, -EST_FULL,
                         "less than %llu MiB of its disk are free, and the store needs them; free some",
                         (unsigned long long)(DISK_RESERVE / MIB));
    return 0;
}

int base_begin(struct base *b) {
    if (b->txn)
        return 0;
    int rc = map_grow(b);
    if (rc)
        return rc;
    rc = mdb_txn_begin(b->env, NULL, 0, &b->txn);
    memset(b->writers, 0, sizeof b->writers);
    return rc == 0 ? base_last_number(b, &b->last) : base_fail_lmdb(b, rc, "beginning a transaction");
}

int base_commit(struct base *b) {
    if (!b->txn)
        return 0;
    int rc = disk_look(b);
    if (rc) {
        base_abort(b);
        return rc;
    }
    rc = mdb_txn_commit(b->txn);
    b->txn = NULL;
    return rc == 0 ? 0 : base_fail_lmdb(b, rc, "committing");
}

void base_abort(struct base *b) {
    if (b->txn)
        mdb_txn_abort(b->txn);
    b->txn = NULL;
}

/* --- Opening ------------------------------------------------------------------------------------- */

static int path_in(const char *folder, const char *name, char ret[BASE_PATH_SIZE]) {
    return snprintf(ret, BASE_PATH_SIZE, "%s/%s", folder, name) < BASE_PATH_SIZE ? 0 : -EST_IO;
}

static const char *what_to_do(int error) {
    if (error == EMFILE)
        return "allow the broker more open files: LimitNOFILE of its unit, or ulimit -n";
    if (error == EROFS)
        return "its file system is mounted read-only: see the system's log for disk errors; or the broker's unit does "
               "not let it write here (ReadWritePaths=)";
    return error == EACCES ? "run as the user the folder belongs to, or chown it to that user" : "see the system's log";
}

static int lock_take(struct base *b) {
    char path[BASE_PATH_SIZE];
    if (path_in(b->folder, "index.lock", path) < 0)
        return base_fail(b, -EST_IO, "the folder's name is too long");
    b->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (b->lock < 0)
        return base_fail(b, -EST_IO, "cannot open index.lock: %s; %s", strerror(errno), what_to_do(errno));
    if (flock(b->lock, LOCK_EX | LOCK_NB) != 0)
        return base_fail(b, -EST_IO, "another broker uses it; give this one an index.directory of its own");
    return 0;
}

/* A file that is shorter than its own pages say kills whoever reads behind its end. */
static int length_check(struct base *b) {
    char path[BASE_PATH_SIZE];
    struct stat file;
    if (path_in(b->folder, "data.mdb", path) == 0 && stat(path, &file) == 0 &&
        (uint64_t)file.st_size < used_bytes(b))
        return base_fail(b, -EST_INPUT, "data.mdb is cut short");
    return 0;
}

static int tables_open(struct base *b) {
    MDB_txn *txn;
    int rc = mdb_txn_begin(b->env, NULL, 0, &txn);
    if (rc != 0)
        return base_fail_lmdb(b, rc, "opening");
    for (size_t i = 0; i < BASE_TABLES && rc == 0; i++)
        rc = mdb_dbi_open(txn, table_names[i], table_flags[i] | MDB_CREATE, &b->tables[i]);
    if (rc == 0)
        return (rc = mdb_txn_commit(txn)) == 0 ? 0 : base_fail_lmdb(b, rc, "opening");
    mdb_txn_abort(txn);
    return base_fail_lmdb(b, rc, "opening its tables");
}

static int env_open(struct base *b) {
    MDB_envinfo info;
    MDB_stat stat;
    int rc = mdb_env_create(&b->env);
    if (rc == 0)
        guard_env(b->env);
    if (rc == 0)
        rc = mdb_env_set_maxdbs(b->env, BASE_TABLES);
    if (rc == 0)
        rc = mdb_env_set_mapsize(b->env, MAP_FIRST);
    if (rc == 0)
        rc = mdb_env_open(b->env, b->folder, MDB_NOMETASYNC, 0600);
    if (rc != 0)
        return base_fail_lmdb(b, rc, "opening");
    mdb_env_info(b->env, &info);
    mdb_env_stat(b->env, &stat);
    b->map = info.me_mapsize;
    b->page = stat.ms_psize;
    rc = length_check(b);
    return rc ? rc : tables_open(b);
}

int base_open(const char *folder, struct base **ret) {
    struct base *b = calloc(1, sizeof *b);
    if (!b)
        return -EST_NO_MEMORY;
    *ret = b; /* at once: a fault below leaves the lock for base_abandon to let go of */
    b->lock = -1;
    snprintf(b->folder, sizeof b->folder, "%s", folder);
    snprintf(b->error, sizeof b->error, "index: nothing has failed");
    int rc = strlen(folder) < sizeof b->folder ? 0 : base_fail(b, -EST_IO, "the folder's name is too long");
    if (!rc && mkdir(folder, 0700) != 0 && errno != EEXIST)
        rc = base_fail(b, -EST_IO, "cannot make the folder: %s", strerror(errno));
    if (!rc)
        rc = lock_take(b);
    if (!rc)
        rc = base_sum_check(b);
    if (!rc)
        rc = env_open(b);
    if (!rc)
        return 0;
    memcpy(open_error, b->error, sizeof open_error);
    base_close(ret);
    return rc;
}

void base_abandon(struct base **ref) {
    if (!*ref)
        return;
    if ((*ref)->lock >= 0)
        close((*ref)->lock);
    free(*ref);
    *ref = NULL;
}

void base_close(struct base **ref) {
    struct base *b = *ref;
    if (!b)
        return;
    base_abort(b);
    if (b->env)
        mdb_env_close(b->env);
    if (b->env && b->page != 0)
        base_sum_write(b);
    if (b->lock >= 0)
        close(b->lock);
    free(b);
    *ref = NULL;
}

int base_remove(const char *folder) {
    static const char *const names[] = {"data.mdb", "lock.mdb", "index.sum"};
    char path[BASE_PATH_SIZE];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (path_in(folder, names[i], path) < 0 || (unlink(path) != 0 && errno != ENOENT))
            return -EST_IO;
    return 0;
}
