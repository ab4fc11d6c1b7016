/* meta.c - what the store knows of itself: its format, position, digest and secret; its tables.
 *
 * The format is read first, alone, because another format may have other tables.
 */
#include "room.h"

#include <endian.h>
#include <errno.h>
#include <string.h>
#include <sys/random.h>

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

static int tables_open(struct store *store, MDB_txn *txn, unsigned flags) {
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        int rc = mdb_dbi_open(txn, specs[i].name, specs[i].flags | flags, &store->tables[i]);
        if (rc == MDB_NOTFOUND || rc == MDB_INCOMPATIBLE)
            return store_damaged(store, "its table `%s` is missing or of another kind", specs[i].name);
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
        return store_damaged(store, "its `%s` is missing or damaged", name);
    return 0;
}

/* A meta value behind its checksum. The format alone has none, so that a program of any age can
 * read it; a damaged one is refused for being unknown. */
struct sealed_head {
    uint64_t checksum, seq, at, generation, digest, settled;
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
        .settled = htole64(store->settled),
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
        return store_damaged(store, "its `head` is damaged");
    *ret = (struct store_head){
        .seq = le64toh(sealed.seq),
        .at = {(int64_t)le64toh(sealed.at)},
        .generation = le64toh(sealed.generation),
        .digest = le64toh(sealed.digest),
    };
    store->settled = le64toh(sealed.settled);
    return 0;
}

static int secret_make(struct store *store) {
    struct sealed_secret sealed;
    if (getrandom(sealed.bytes, sizeof sealed.bytes, 0) != (ssize_t)sizeof sealed.bytes)
        return store_fail(store, -EST_IO, "the system gives no random bytes: %s; use a kernel of Debian 12",
                          strerror(errno));
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
        return store_damaged(store, "its `secret` is damaged");
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
                          "this store has format %u, this program knows %d; run the version of the broker "
                          "that wrote it, or convert it with that version",
                          format, STORE_FORMAT);
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
        return store_damaged(store, "its log ends with event %llu but its head says %llu",
                             (unsigned long long)last, (unsigned long long)store->committed.seq);
    return 0;
}

/* The format comes before the tables: another format may have others. */
static int store_load_in(struct store *store, MDB_txn *txn) {
    int rc = mdb_dbi_open(txn, specs[TABLE_META].name, 0, &store->tables[TABLE_META]);
    if (rc == MDB_NOTFOUND)
        return store_fail(store, -EST_INPUT, "data.mdb is not a broker's; name another folder");
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

int meta_open(struct store *store) {
    if (!store->read_only && store_is_empty(store)) {
        int rc = store_make(store);
        if (rc)
            return rc;
        store->opening.is_new = true;
    }
    return store_load(store);
}
