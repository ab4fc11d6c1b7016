/* hookstore.c - see hookstore.h. Records are little-endian by a fixed layout with a version and a
 * checksum, for LMDB gives back a flipped bit as good data. */
#include "hookstore.h"
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { VERSION = 1, SUM = 16, TABLES = 2, NUMBER_SIZE = 8, KEY_MAX = NUMBER_SIZE + 16 + EST_NAME_MAX };
static const size_t map_size = (size_t)16 << 30; /* address space only; the file grows as needed */

struct head {
    uint32_t version, attempts;
    int64_t created_us, due_us;
    int32_t last_status;
    uint32_t payload_size;
    uint8_t id[16];
    char account[EST_NAME_MAX + 1 + 7]; /* the struct has no holes */
    char last_error[HOOK_ERROR_SIZE];
    uint8_t sum[SUM]; /* of what stands before it, and the payload */
};

struct hookstore {
    MDB_env *env;
    MDB_dbi messages, endpoints;
    MDB_txn *txn;
    int lock;
    bool twice_told; /* the log says that numbers are given out again */
};

static int store_fail(const char *what, int error) {
    log_line(LOG_LEVEL_ERROR, "webhooks: %s: %s", what, mdb_strerror(error));
    return -EST_IO;
}

static void head_sum(const struct head *head, est_slice payload, uint8_t ret[SUM]) {
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, SUM);
    crypto_generichash_update(&state, (const uint8_t *)head, offsetof(struct head, sum));
    crypto_generichash_update(&state, payload.data, payload.size);
    crypto_generichash_final(&state, ret, SUM);
}

/* The number, big-endian so that the keys' order is the numbers', then id and account. A message has the
 * number alone for its key, unless another inquiry's has that. */
static size_t key_make(const struct hook_record *record, uint8_t ret[KEY_MAX]) {
    size_t account = strlen(record->account);
    for (int i = 0; i < NUMBER_SIZE; i++)
        ret[i] = (uint8_t)(record->number >> (56 - 8 * i));
    memcpy(ret + NUMBER_SIZE, record->id.bytes, sizeof record->id.bytes);
    memcpy(ret + NUMBER_SIZE + sizeof record->id.bytes, record->account, account);
    return NUMBER_SIZE + sizeof record->id.bytes + account;
}

static uint64_t key_read(const uint8_t *key) {
    uint64_t number = 0;
    for (int i = 0; i < NUMBER_SIZE; i++)
        number = number << 8 | key[i];
    return number;
}

/* --- Opening ----------------------------------------------------------------------------------- */

static int folder_lock(const char *folder, int *ret) {
    char path[4096];
    snprintf(path, sizeof path, "%s/lock", folder);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0) {
        *ret = fd;
        return 0;
    }
    log_line(LOG_LEVEL_ERROR, "state: %s: %s", path,
             errno == EWOULDBLOCK ? "another gateway has this folder; give each its own" : strerror(errno));
    if (fd >= 0)
        close(fd);
    return -EST_IO;
}

static int tables_open(struct hookstore *store) {
    MDB_txn *txn;
    int error = mdb_txn_begin(store->env, NULL, 0, &txn);
    if (error)
        return error;
    error = mdb_dbi_open(txn, "messages", MDB_CREATE, &store->messages);
    if (!error)
        error = mdb_dbi_open(txn, "endpoints", MDB_CREATE, &store->endpoints);
    if (error)
        mdb_txn_abort(txn);
    return error ? error : mdb_txn_commit(txn);
}

static int env_open(struct hookstore *store, const char *folder) {
    char path[4096];
    snprintf(path, sizeof path, "%s/webhooks", folder);
    if (mkdir(path, 0700) && errno != EEXIST)
        return errno;
    int error = mdb_env_create(&store->env);
    if (!error)
        error = mdb_env_set_mapsize(store->env, map_size);
    if (!error)
        error = mdb_env_set_maxdbs(store->env, TABLES);
    if (!error)
        error = mdb_env_open(store->env, path, 0, 0600);
    if (!error)
        error = tables_open(store);
    int fd = open(path, O_DIRECTORY | O_RDONLY | O_CLOEXEC); /* LMDB does not sync the folder of a new file */
    if (!error && (fd < 0 || fsync(fd)))
        error = errno;
    if (fd >= 0)
        close(fd);
    return error;
}

int hookstore_open(const char *folder, struct hookstore **ret) {
    struct hookstore *store = calloc(1, sizeof *store);
    if (!store)
        return -EST_NO_MEMORY;
    store->lock = -1;
    int code = folder_lock(folder, &store->lock);
    int error = code ? 0 : env_open(store, folder);
    if (error)
        code = store_fail(folder, error);
    if (code)
        hookstore_close(&store);
    else
        *ret = store;
    return code;
}

void hookstore_close(struct hookstore **store) {
    struct hookstore *s = *store;
    if (!s)
        return;
    hookstore_abort(s);
    if (s->env)
        mdb_env_close(s->env);
    if (s->lock >= 0)
        close(s->lock);
    free(s);
    *store = NULL;
}

/* --- Reading ----------------------------------------------------------------------------------- */

static bool record_read(const MDB_val *key, const MDB_val *value, struct hook_record *ret) {
    struct head head;
    uint8_t sum[SUM];
    if (key->mv_size < NUMBER_SIZE || value->mv_size < sizeof head)
        return false;
    memcpy(&head, value->mv_data, sizeof head);
    est_slice payload = {(const char *)value->mv_data + sizeof head, value->mv_size - sizeof head};
    head_sum(&head, payload, sum);
    if (head.version != VERSION || head.payload_size != payload.size || memcmp(sum, head.sum, SUM) != 0)
        return false;
    *ret = (struct hook_record){.number = key_read(key->mv_data),
                                .created = {head.created_us},
                                .due = {head.due_us},
                                .attempts = head.attempts,
                                .last_status = head.last_status,
                                .payload = payload};
    memcpy(ret->id.bytes, head.id, sizeof head.id);
    snprintf(ret->account, sizeof ret->account, "%.*s", EST_NAME_MAX, head.account);
    snprintf(ret->last_error, sizeof ret->last_error, "%.*s", HOOK_ERROR_SIZE - 1, head.last_error);
    return true;
}

static bool record_is(const struct hook_record *a, const struct hook_record *b) {
    return a->number == b->number && memcmp(&a->id, &b->id, sizeof a->id) == 0 &&
           strcmp(a->account, b->account) == 0;
}

/* Where this message is, as it lies there; MDB_NOTFOUND: where it is to be. What is damaged is no message:
 * under a number alone it is left as it is, under a whole key it is written over. */
static int record_find(struct hookstore *store, MDB_txn *txn, const struct hook_record *record,
                       uint8_t bytes[KEY_MAX], MDB_val *ret_key, struct hook_record *ret) {
    MDB_val whole = {key_make(record, bytes), bytes}, number = {NUMBER_SIZE, bytes}, value;
    *ret_key = whole;
    int error = mdb_get(txn, store->messages, &whole, &value);
    if (error != MDB_NOTFOUND)
        return error || record_read(&whole, &value, ret) ? error : MDB_NOTFOUND;
    error = mdb_get(txn, store->messages, &number, &value);
    if (!error && !(record_read(&number, &value, ret) && record_is(ret, record)))
        return MDB_NOTFOUND;
    *ret_key = number;
    return error;
}

int hookstore_each(struct hookstore *store, int (*call)(void *arg, const struct hook_record *), void *arg) {
    MDB_txn *txn;
    MDB_cursor *cursor = NULL;
    MDB_val key, value;
    int code = 0, error = mdb_txn_begin(store->env, NULL, MDB_RDONLY, &txn);
    if (error)
        return store_fail("reading", error);
    error = mdb_cursor_open(txn, store->messages, &cursor);
    while (!error && !code && (error = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0) {
        struct hook_record record;
        if (record_read(&key, &value, &record)) {
            code = call(arg, &record);
        } else {
            log_line(LOG_LEVEL_ERROR,
                     "webhooks: a record is damaged; the inquiry's answer is with the broker still");
            code = 0;
        }
    }
    if (cursor)
        mdb_cursor_close(cursor);
    mdb_txn_abort(txn);
    return error && error != MDB_NOTFOUND ? store_fail("reading", error) : code;
}

int hookstore_get(struct hookstore *store, const struct hook_record *record, struct hook_record *ret,
                  void **ret_payload) {
    MDB_txn *txn;
    MDB_val key;
    uint8_t bytes[KEY_MAX];
    struct hook_record found;
    int code = -EST_NOT_FOUND, error = mdb_txn_begin(store->env, NULL, MDB_RDONLY, &txn);
    if (error)
        return store_fail("reading", error);
    error = record_find(store, txn, record, bytes, &key, &found);
    if (!error) {
        void *copy = malloc(found.payload.size + 1);
        code = copy ? 0 : -EST_NO_MEMORY;
        if (copy) {
            memcpy(copy, found.payload.data, found.payload.size);
            *ret = found;
            ret->payload.data = *ret_payload = copy;
        }
    }
    mdb_txn_abort(txn);
    return error && error != MDB_NOTFOUND ? store_fail("reading", error) : code;
}

est_time hookstore_disabled(struct hookstore *store, const char *account) {
    MDB_txn *txn;
    MDB_val key = {strlen(account), (void *)account}, value;
    est_time since = {0};
    if (mdb_txn_begin(store->env, NULL, MDB_RDONLY, &txn))
        return since;
    if (mdb_get(txn, store->endpoints, &key, &value) == 0 && value.mv_size == sizeof since.us)
        memcpy(&since.us, value.mv_data, sizeof since.us);
    mdb_txn_abort(txn);
    return since;
}

/* --- Writing ----------------------------------------------------------------------------------- */

int hookstore_begin(struct hookstore *store) {
    int error = mdb_txn_begin(store->env, NULL, 0, &store->txn);
    return error ? store_fail("writing", error) : 0;
}

static void number_tell(struct hookstore *store, const MDB_val *key, const struct hook_record *record) {
    if (key->mv_size == NUMBER_SIZE || store->twice_told)
        return;
    log_line(LOG_LEVEL_WARNING,
             "webhooks: inquiry %llu of %s: there is a message of another inquiry with that number, not "
             "delivered; both are sent. The broker's store was restored or is a new one",
             (unsigned long long)record->number, record->account);
    store->twice_told = true;
}

static int record_put(struct hookstore *store, const struct hook_record *record, bool must_be_new) {
    uint8_t bytes[KEY_MAX];
    MDB_val key, value = {sizeof(struct head) + record->payload.size, NULL};
    struct hook_record found;
    struct head head = {.version = VERSION,
                        .attempts = record->attempts,
                        .created_us = record->created.us,
                        .due_us = record->due.us,
                        .last_status = record->last_status,
                        .payload_size = (uint32_t)record->payload.size};
    memcpy(head.id, record->id.bytes, sizeof head.id);
    snprintf(head.account, sizeof head.account, "%s", record->account);
    snprintf(head.last_error, sizeof head.last_error, "%s", record->last_error);
    head_sum(&head, record->payload, head.sum);
    int error = record_find(store, store->txn, record, bytes, &key, &found);
    if (!error && must_be_new)
        return -EST_CONFLICT;
    if (error == MDB_NOTFOUND)
        number_tell(store, &key, record);
    if (!error || error == MDB_NOTFOUND)
        error = mdb_put(store->txn, store->messages, &key, &value, MDB_RESERVE);
    if (error)
        return store_fail("writing", error);
    memcpy(value.mv_data, &head, sizeof head);
    memcpy((char *)value.mv_data + sizeof head, record->payload.data, record->payload.size);
    return 0;
}

int hookstore_put(struct hookstore *store, const struct hook_record *record) {
    return record_put(store, record, false);
}

int hookstore_put_new(struct hookstore *store, const struct hook_record *record) {
    return record_put(store, record, true);
}

int hookstore_drop(struct hookstore *store, const struct hook_record *record) {
    uint8_t bytes[KEY_MAX];
    MDB_val key;
    struct hook_record found;
    int error = record_find(store, store->txn, record, bytes, &key, &found);
    if (!error)
        error = mdb_del(store->txn, store->messages, &key, NULL);
    return error && error != MDB_NOTFOUND ? store_fail("writing", error) : 0;
}

int hookstore_disable(struct hookstore *store, const char *account, est_time since) {
    MDB_val key = {strlen(account), (void *)account}, value = {sizeof since.us, &since.us};
    int error = since.us ? mdb_put(store->txn, store->endpoints, &key, &value, 0)
                         : mdb_del(store->txn, store->endpoints, &key, NULL);
    return error && error != MDB_NOTFOUND ? store_fail("writing", error) : 0;
}

int hookstore_commit(struct hookstore *store) {
    int error = mdb_txn_commit(store->txn);
    store->txn = NULL;
    return error ? store_fail("committing", error) : 0;
}

void hookstore_abort(struct hookstore *store) {
    if (store->txn)
        mdb_txn_abort(store->txn);
    store->txn = NULL;
}
