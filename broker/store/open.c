/* open.c - opening a store: its folder, its lock, its format, its room on disk.
 *
 * Order matters here. The broker's lock comes before LMDB touches anything, because LMDB itself
 * lets several writers take turns, and two brokers taking turns would give the same numbers
 * twice. The folder is synced before store_open returns, because LMDB syncs its file and never
 * the folder that names it.
 */
#include "room.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define MIB              (UINT64_C(1) << 20)
#define GIB              (UINT64_C(1) << 30)
#define SIZE_MAX_DEFAULT (64 * GIB)
#define SIZE_MAX_LEAST   (1 * MIB)
#define MAP_FIRST        (1 * GIB)
#define MAP_HEADROOM     (256 * MIB)

static const char lock_name[] = "broker.lock";

struct table_spec {
    const char *name;
    unsigned flags;
};

static const struct table_spec specs[TABLE_COUNT] = {
    [TABLE_META] = {"meta", 0},
    [TABLE_LOG] = {"log", MDB_INTEGERKEY},
    [TABLE_IDS] = {"ids", 0},
    [TABLE_OPEN] = {"open", MDB_INTEGERKEY},
    [TABLE_ENDED] = {"ended", MDB_INTEGERKEY},
    [TABLE_THINGS] = {"things", 0},
};

/* --- Sentences --------------------------------------------------------------------------------- */

/* A store that did not open is gone when its error is asked for. */
static _Thread_local char open_error[STORE_ERROR_SIZE] = "no store has failed to open";

const char *store_error(const struct store *store) {
    return store ? store->error : open_error;
}

int store_fail(struct store *store, int code, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(store->error, sizeof store->error, format, args);
    va_end(args);
    return code;
}

struct advice {
    int rc, code;
    const char *what_to_do;
};

static const struct advice advices[] = {
    {MDB_MAP_FULL, -EST_FULL, "the store has its configured size: raise store.size_max and start again"},
    {ENOSPC, -EST_IO, "free space on its disk, then start again"},
    {EDQUOT, -EST_IO, "raise the disk quota, then start again"},
    {EACCES, -EST_IO, "run as the user the folder belongs to"},
    {EROFS, -EST_IO, "its file system is mounted read-only: see the system's log for disk errors"},
    {EIO, -EST_IO, "the disk has failed: see the system's log, then restore the store from a backup"},
    {MDB_CORRUPTED, -EST_IO, "the file is damaged: restore the store from a backup"},
    {MDB_PAGE_NOTFOUND, -EST_IO, "the file is damaged: restore the store from a backup"},
    {MDB_INVALID, -EST_INPUT, "data.mdb is no store: name another folder, or restore it from a backup"},
    {MDB_VERSION_MISMATCH, -EST_INPUT, "data.mdb was written by another LMDB: use the program that wrote it"},
    {MDB_READERS_FULL, -EST_IO, "too many tools have it open: stop some"},
};

int store_fail_lmdb(struct store *store, int rc, const char *what) {
    const struct advice *found = NULL;
    for (size_t i = 0; i < sizeof advices / sizeof advices[0] && !found; i++)
        if (advices[i].rc == rc)
            found = &advices[i];
    return store_fail(store, found ? found->code : -EST_IO, "store %s: %s failed: %s; %s", store->directory,
                      what, mdb_strerror(rc), found ? found->what_to_do : "see the system's log");
}

/* --- The folder and the lock ------------------------------------------------------------------- */

static int directory_make(struct store *store) {
    struct stat info;
    if (!store->read_only && mkdir(store->directory, 0700) != 0 && errno != EEXIST)
        return store_fail(store, -EST_IO,
                          "store %s: cannot make this folder: %s; make its parent first, or "
                          "mend store.directory",
                          store->directory, strerror(errno));
    if (stat(store->directory, &info) != 0)
        return store_fail(store, -EST_IO, "store %s: %s; start the broker first, or name its folder",
                          store->directory, strerror(errno));
    if (!S_ISDIR(info.st_mode))
        return store_fail(store, -EST_INPUT, "store %s: this is not a folder; mend store.directory",
                          store->directory);
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
        return store_fail(store, -EST_IO, "store %s: cannot lock it: %s; use a local disk", store->directory,
                          strerror(error));
    return store_fail(store, -EST_IO,
                      "store %s: another broker (process %s) has it open; stop that one, or give "
                      "this one a store.directory of its own",
                      store->directory, holder[0] ? holder : "unknown");
}

/* The kernel drops the lock with the process, whatever way it ends: there is nothing to clean. */
static int lock_take(struct store *store) {
    char *path = path_in(store, lock_name);
    if (!path)
        return store_fail(store, -EST_NO_MEMORY, "store %s: out of memory", store->directory);
    store->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    int error = errno;
    free(path);
    if (store->lock < 0)
        return store_fail(store, -EST_IO,
                          "store %s: cannot open %s: %s; run as the user the folder belongs to",
                          store->directory, lock_name, strerror(error));
    if (flock(store->lock, LOCK_EX | LOCK_NB) != 0)
        return lock_refused(store, errno);
    /* For the message above only, so a failure to write it harms nothing. */
    if (ftruncate(store->lock, 0) == 0)
        dprintf(store->lock, "%ld\n", (long)getpid());
    return 0;
}

static int directory_sync(struct store *store, const char *path) {
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = fd < 0 ? -1 : fsync(fd);
    int error = errno;
    if (fd >= 0)
        close(fd);
    if (rc != 0)
        return store_fail(store, -EST_IO, "store %s: cannot sync the folder %s: %s; use a local disk",
                          store->directory, path, strerror(error));
    return 0;
}

/* At every start, new store or not: a broker may have died between making one and syncing it. */
static int directories_sync(struct store *store) {
    char *copy = strdup(store->directory);
    if (!copy)
        return store_fail(store, -EST_NO_MEMORY, "store %s: out of memory", store->directory);
    int rc = directory_sync(store, store->directory);
    if (!rc)
        rc = directory_sync(store, dirname(copy));
    free(copy);
    return rc;
}

/* --- Room -------------------------------------------------------------------------------------- */

static uint64_t used_bytes(const struct store *store) {
    MDB_envinfo info;
    if (mdb_env_info(store->env, &info) != 0)
        return 0;
    /* Pages that LMDB has free inside count as used: the growing log takes them soon anyway. */
    return (info.me_last_pgno + 1) * store->page;
}

static int disk_look(struct store *store) {
    struct statvfs disk;
    if (statvfs(store->directory, &disk) != 0)
        return store_fail(store, -EST_IO,
                          "store %s: cannot tell how full the disk is: %s; see the system's log",
                          store->directory, strerror(errno));
    /* As df(1) reckons: blocks kept for root are neither used nor free for us. */
    uint64_t unit = disk.f_frsize, used = disk.f_blocks - disk.f_bfree;
    store->disk_free = disk.f_bavail * unit;
    store->disk_total = (used + disk.f_bavail) * unit;
    return 0;
}

static uint64_t thousandths(uint64_t part, uint64_t whole) {
    return whole > 0 ? (uint64_t)((unsigned __int128)part * 1000 / whole) : 0;
}

unsigned store_fullness(const struct store *store) {
    uint64_t own = thousandths(used_bytes(store), store->size_max);
    uint64_t disk = thousandths(store->disk_total - store->disk_free, store->disk_total);
    return (unsigned)(own > disk ? own : disk);
}

void store_sizes(const struct store *store, struct store_sizes *ret) {
    *ret = (struct store_sizes){
        .used = used_bytes(store),
        .map = store->map,
        .size_max = store->size_max,
        .disk_free = store->disk_free,
        .disk_total = store->disk_total,
    };
}

int store_tidy(struct store *store) {
    int dead = 0, rc = mdb_reader_check(store->env, &dead);
    if (rc != 0)
        return store_fail_lmdb(store, rc, "looking for dead readers");
    return disk_look(store);
}

/* The map is address space, not disk: doubling it costs nothing, and a batch must never meet its
 * end before size_max because LMDB cannot move it while a transaction is open. */
int map_grow(struct store *store) {
    uint64_t headroom = store->map / 4 > MAP_HEADROOM ? store->map / 4 : MAP_HEADROOM;
    if (store->map >= store->size_max || used_bytes(store) + headroom <= store->map)
        return 0;
    uint64_t larger = store->map;
    while (larger < store->size_max && used_bytes(store) + headroom > larger)
        larger *= 2;
    if (larger > store->size_max)
        larger = store->size_max;
    int rc = mdb_env_set_mapsize(store->env, larger);
    if (rc != 0)
        return store_fail_lmdb(store, rc, "growing the map");
    store->map = larger;
    return 0;
}

/* --- Format ------------------------------------------------------------------------------------ */

static int tables_open(struct store *store, MDB_txn *txn, unsigned flags) {
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        int rc = mdb_dbi_open(txn, specs[i].name, specs[i].flags | flags, &store->tables[i]);
        if (rc == MDB_NOTFOUND || rc == MDB_INCOMPATIBLE)
            return store_fail(store, -EST_INPUT,
                              "store %s: its table `%s` is missing or of another kind; restore "
                              "the store from a backup",
                              store->directory, specs[i].name);
        if (rc != 0)
            return store_fail_lmdb(store, rc, "opening a table");
    }
    return 0;
}

static int meta_put(struct store *store, MDB_txn *txn, const char *name, const void *bytes, size_t size) {
    MDB_val key = val_of(name, strlen(name)), data = val_of(bytes, size);
    int rc = mdb_put(txn, store->tables[TABLE_META], &key, &data, 0);
    return rc == 0 ? 0 : store_fail_lmdb(store, rc, "writing what the store knows of itself");
}

static int meta_get(struct store *store, MDB_txn *txn, const char *name, size_t size, MDB_val *ret) {
    MDB_val key = val_of(name, strlen(name));
    int rc = mdb_get(txn, store->tables[TABLE_META], &key, ret);
    if (rc != 0 && rc != MDB_NOTFOUND)
        return store_fail_lmdb(store, rc, "reading what the store knows of itself");
    if (rc != 0 || ret->mv_size != size)
        return store_fail(store, -EST_INPUT,
                          "store %s: its `%s` is missing or damaged; restore the store from a "
                          "backup",
                          store->directory, name);
    return 0;
}

/* A meta value behind its checksum. The format alone has none, so that a program of any age can
 * read it; a damaged one is refused for being unknown. */
struct sealed_head {
    uint64_t checksum, seq, at, generation, digest;
};
struct sealed_secret {
    uint64_t checksum;
    uint8_t bytes[STORE_SECRET_SIZE];
};

#define SEAL(value) checksum_of(&(value).checksum + 1, sizeof(value) - sizeof(uint64_t))

int head_write(struct store *store) {
    struct sealed_head sealed = {
        .seq = htole64(store->head.seq),
        .at = htole64((uint64_t)store->head.at.us),
        .generation = htole64(store->head.generation),
        .digest = htole64(store->head.digest),
    };
    sealed.checksum = htole64(SEAL(sealed));
    return meta_put(store, store->txn, "head", &sealed, sizeof sealed);
}

int head_read(struct store *store, MDB_txn *txn, struct store_head *ret) {
    MDB_val data;
    struct sealed_head sealed;
    int rc = meta_get(store, txn, "head", sizeof sealed, &data);
    if (rc)
        return rc;
    memcpy(&sealed, data.mv_data, sizeof sealed);
    if (le64toh(sealed.checksum) != SEAL(sealed))
        return store_fail(store, -EST_INPUT,
                          "store %s: its `head` is damaged; restore the store from a backup",
                          store->directory);
    *ret = (struct store_head){
        .seq = le64toh(sealed.seq),
        .at = {(int64_t)le64toh(sealed.at)},
        .generation = le64toh(sealed.generation),
        .digest = le64toh(sealed.digest),
    };
    return 0;
}

static int secret_make(struct store *store) {
    struct sealed_secret sealed;
    if (getrandom(sealed.bytes, sizeof sealed.bytes, 0) != (ssize_t)sizeof sealed.bytes)
        return store_fail(store, -EST_IO,
                          "store %s: the system gives no random bytes: %s; use a kernel of Debian 12",
                          store->directory, strerror(errno));
    sealed.checksum = htole64(SEAL(sealed));
    return meta_put(store, store->txn, "secret", &sealed, sizeof sealed);
}

static int secret_read(struct store *store, MDB_txn *txn) {
    MDB_val data;
    struct sealed_secret sealed;
    int rc = meta_get(store, txn, "secret", sizeof sealed, &data);
    if (rc)
        return rc;
    memcpy(&sealed, data.mv_data, sizeof sealed);
    if (le64toh(sealed.checksum) != SEAL(sealed))
        return store_fail(store, -EST_INPUT,
                          "store %s: its `secret` is damaged; restore the store from a backup",
                          store->directory);
    memcpy(store->secret, sealed.bytes, sizeof store->secret);
    return 0;
}

static int format_write(struct store *store) {
    uint32_t format = htole32(STORE_FORMAT);
    return meta_put(store, store->txn, "format", &format, sizeof format);
}

static int format_check(struct store *store, MDB_txn *txn) {
    MDB_val data;
    uint32_t format;
    int rc = meta_get(store, txn, "format", sizeof format, &data);
    if (rc)
        return rc;
    memcpy(&format, data.mv_data, sizeof format);
    format = le32toh(format);
    if (format != STORE_FORMAT)
        return store_fail(store, -EST_INPUT,
                          "store %s: this store has format %u, this program knows %d; run the "
                          "version of the broker that wrote it, or convert it with that version",
                          store->directory, format, STORE_FORMAT);
    return 0;
}

static int store_make(struct store *store) {
    int rc = mdb_txn_begin(store->env, NULL, 0, &store->txn);
    if (rc != 0)
        return store_fail_lmdb(store, rc, "making the store");
    rc = tables_open(store, store->txn, MDB_CREATE);
    if (!rc)
        rc = format_write(store);
    if (!rc)
        rc = secret_make(store);
    if (!rc)
        rc = head_write(store);
    if (rc) {
        store_abort(store);
        return rc;
    }
    rc = mdb_txn_commit(store->txn);
    store->txn = NULL;
    return rc == 0 ? 0 : store_fail_lmdb(store, rc, "making the store");
}

/* The position must be the log's end: both were written together, so a difference is damage. */
static int log_end_check(struct store *store, MDB_txn *txn) {
    MDB_cursor *cursor;
    MDB_val key, data;
    int rc = mdb_cursor_open(txn, store->tables[TABLE_LOG], &cursor);
    if (rc != 0)
        return store_fail_lmdb(store, rc, "reading the log");
    rc = mdb_cursor_get(cursor, &key, &data, MDB_LAST);
    mdb_cursor_close(cursor);
    if (rc != 0 && rc != MDB_NOTFOUND)
        return store_fail_lmdb(store, rc, "reading the log");
    uint64_t last = 0;
    if (rc == 0)
        memcpy(&last, key.mv_data, sizeof last);
    if (last != store->committed.seq)
        return store_fail(store, -EST_INPUT,
                          "store %s: its log ends with event %llu but its head says %llu; restore "
                          "the store from a backup",
                          store->directory, (unsigned long long)last,
                          (unsigned long long)store->committed.seq);
    return 0;
}

/* The format comes before the tables: another format may have others. */
static int store_load_in(struct store *store, MDB_txn *txn) {
    int rc = mdb_dbi_open(txn, specs[TABLE_META].name, 0, &store->tables[TABLE_META]);
    if (rc == MDB_NOTFOUND)
        return store_fail(store, -EST_INPUT, "store %s: data.mdb is not a broker's; name another folder",
                          store->directory);
    if (rc != 0)
        return store_fail_lmdb(store, rc, "opening the store");
    rc = format_check(store, txn);
    if (!rc)
        rc = tables_open(store, txn, 0);
    if (!rc)
        rc = secret_read(store, txn);
    if (!rc)
        rc = head_read(store, txn, &store->committed);
    if (!rc)
        rc = log_end_check(store, txn);
    store->head = store->committed;
    return rc;
}

static int store_load(struct store *store) {
    struct view view;
    int rc = view_begin(store, &view);
    if (rc)
        return rc;
    rc = store_load_in(store, view.txn);
    /* Table handles opened in a transaction are the environment's only once it is committed. */
    if (!rc) {
        rc = mdb_txn_commit(view.txn);
        return rc == 0 ? 0 : store_fail_lmdb(store, rc, "opening the store");
    }
    view_end(&view);
    return rc;
}

static bool store_is_empty(struct store *store) {
    MDB_stat stat;
    return mdb_env_stat(store->env, &stat) == 0 && stat.ms_entries == 0;
}

/* --- Open and close ---------------------------------------------------------------------------- */

static int env_open(struct store *store) {
    int rc = mdb_env_create(&store->env);
    if (rc != 0)
        return store_fail_lmdb(store, rc, "opening");
    store->map = store->size_max < MAP_FIRST ? store->size_max : MAP_FIRST;
    rc = mdb_env_set_maxdbs(store->env, TABLE_COUNT);
    if (rc == 0)
        rc = mdb_env_set_mapsize(store->env, store->map);
    if (rc == 0)
        rc = mdb_env_open(store->env, store->directory, store->read_only ? MDB_RDONLY : 0, 0600);
    if (rc == ENOENT && store->read_only)
        return store_fail(store, -EST_NOT_FOUND, "store %s: there is none here; name the folder of a broker",
                          store->directory);
    if (rc != 0)
        return store_fail_lmdb(store, rc, "opening");
    MDB_stat stat;
    MDB_envinfo info;
    mdb_env_stat(store->env, &stat);
    mdb_env_info(store->env, &info);
    store->page = stat.ms_psize;
    store->map = info.me_mapsize; /* larger where the file already is */
    return 0;
}

static int store_start(struct store *store) {
    int rc = directory_make(store);
    if (!rc && !store->read_only)
        rc = lock_take(store);
    if (!rc)
        rc = env_open(store);
    if (!rc && !store->read_only && store_is_empty(store))
        rc = store_make(store);
    if (!rc)
        rc = store_load(store);
    if (!rc && !store->read_only)
        rc = directories_sync(store);
    if (!rc)
        rc = store_tidy(store);
    return rc;
}

int store_open(const struct store_options *options, struct store **ret) {
    struct store *store = calloc(1, sizeof *store);
    if (store)
        store->directory = strdup(options->directory);
    if (!store || !store->directory) {
        snprintf(open_error, sizeof open_error, "store %s: out of memory", options->directory);
        free(store);
        return -EST_NO_MEMORY;
    }
    store->lock = -1;
    store->read_only = options->read_only;
    store->size_max = options->size_max > 0 ? options->size_max : SIZE_MAX_DEFAULT;
    if (store->size_max < SIZE_MAX_LEAST)
        store->size_max = SIZE_MAX_LEAST;
    store->size_max -= store->size_max % (uint64_t)sysconf(_SC_PAGESIZE);
    snprintf(store->error, sizeof store->error, "store %s: nothing has failed", store->directory);
    int rc = store_start(store);
    if (rc) {
        memcpy(open_error, store->error, sizeof open_error);
        store_close(&store);
        return rc;
    }
    *ret = store;
    return 0;
}

void store_close(struct store **ref) {
    struct store *store = *ref;
    if (!store)
        return;
    store_abort(store);
    if (store->env)
        mdb_env_close(store->env);
    /* Last: nobody may come in while LMDB still has the files. */
    if (store->lock >= 0)
        close(store->lock);
    record_scratch_done(&store->scratch);
    explicit_bzero(store->secret, sizeof store->secret);
    free(store->directory);
    free(store);
    *ref = NULL;
}

void store_head(const struct store *store, struct store_head *ret) {
    *ret = store->head;
}

const uint8_t *store_secret(const struct store *store) {
    return store->secret;
}
