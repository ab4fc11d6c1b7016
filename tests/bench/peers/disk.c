/* disk.c - the limits of the disk: what any durable system could do if it did nothing else.
 *
 * For each inquiry two records of 400 bytes, and a commit for each 1, 64 or 512 inquiries: into LMDB,
 * and into a plain file with fdatasync. One process, no server, no agent; `window` is the batch, the
 * latency is the commit's.
 */
#include "system.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <lmdb.h>

enum { RECORD = 400, RECORDS = 2, FILE_STEP = 64 << 20 };

static const unsigned batches[] = {1, 64, 512, 0};

struct log {
    const struct part *part;
    uint64_t records;
    MDB_env *env;
    MDB_dbi dbi;
    int file;
};

static int disk_open(struct stage *s) {
    (void)s;
    return 0;
}

/* Commits batch after batch until the time is up. */
static int commits_run(struct log *log, int (*commit)(struct log *, unsigned records)) {
    const struct part *part = log->part;
    struct score *score = part->score;
    unsigned batch = part->plan->window;
    if (!player_await(part))
        return 1;
    for (int64_t from_us = bench_now_us(); from_us < part->board->until_us;) {
        if (commit(log, batch * RECORDS))
            return 1;
        int64_t now_us = bench_now_us();
        score->submitted += batch;
        score->accepted += batch;
        score->answered += batch;
        for (unsigned i = 0; i < batch && now_us >= part->board->from_us && now_us < part->board->until_us;
             i++)
            histogram_add(&score->latency, (uint64_t)(now_us - from_us));
        from_us = now_us;
    }
    return 0;
}

/* --- LMDB ------------------------------------------------------------------------------------------ */

static int lmdb_commit(struct log *log, unsigned records) {
    static char bytes[RECORD];
    MDB_txn *txn;
    int code = mdb_txn_begin(log->env, NULL, 0, &txn);
    if (code)
        return player_failed(log->part, "LMDB", mdb_strerror(code));
    for (unsigned i = 0; i < records && !code; i++) {
        MDB_val key = {sizeof log->records, &log->records}, data = {RECORD, bytes};
        memcpy(bytes, &log->records, sizeof log->records);
        code = mdb_put(txn, log->dbi, &key, &data, MDB_APPEND);
        log->records++;
    }
    if (code)
        mdb_txn_abort(txn);
    else
        code = mdb_txn_commit(txn);
    return code ? player_failed(log->part, "LMDB", mdb_strerror(code)) : 0;
}

static int lmdb_make(struct log *log) {
    MDB_txn *txn = NULL;
    int code = mdb_env_create(&log->env);
    if (!code)
        code = mdb_env_set_mapsize(log->env, (size_t)64 << 30);
    if (!code)
        code = mdb_env_open(log->env, log->part->stage->directory, 0, 0600);
    if (!code)
        code = mdb_txn_begin(log->env, NULL, 0, &txn);
    if (!code)
        code = mdb_dbi_open(txn, NULL, MDB_INTEGERKEY, &log->dbi);
    if (!code)
        code = mdb_txn_commit(txn);
    return code ? player_failed(log->part, "LMDB", mdb_strerror(code)) : 0;
}

static int lmdb_requester(const struct part *part) {
    struct log log = {.part = part};
    int status = lmdb_make(&log) || commits_run(&log, lmdb_commit);
    mdb_env_close(log.env);
    return status;
}

/* --- A plain file ---------------------------------------------------------------------------------- */

/* The file is made longer in steps, so that most syncs need not write its size too. */
static int append_commit(struct log *log, unsigned records) {
    static char bytes[512 * RECORDS * RECORD];
    size_t size = (size_t)records * RECORD, at = log->records * RECORD;
    if (at / FILE_STEP != (at + size) / FILE_STEP || at == 0)
        if (posix_fallocate(log->file, (off_t)(at / FILE_STEP * FILE_STEP), 2 * FILE_STEP) != 0)
            return player_failed(log->part, "posix_fallocate", NULL);
    memcpy(bytes, &log->records, sizeof log->records);
    if (pwrite(log->file, bytes, size, (off_t)at) != (ssize_t)size || fdatasync(log->file) != 0)
        return player_failed(log->part, "append", strerror(errno));
    log->records += records;
    return 0;
}

static int append_requester(const struct part *part) {
    char path[STAGE_PATH_SIZE];
    stage_path(part->stage, "log", path);
    struct log log = {.part = part, .file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600)};
    if (log.file < 0)
        return player_failed(part, path, strerror(errno));
    int status = commits_run(&log, append_commit);
    close(log.file);
    return status;
}

const struct system system_lmdb = {
    .name = "lmdb",
    .durable =
        "raw LMDB with default flags: two records of 400 bytes for each inquiry, W of them in a synced "
        "commit; no wire",
    .limit = true,
    .alone = true,
    .windows = batches,
    .open = disk_open,
    .requester = lmdb_requester,
};

const struct system system_append = {
    .name = "append",
    .durable = "the same bytes into a plain file that is allocated ahead, then fdatasync; no wire",
    .limit = true,
    .alone = true,
    .windows = batches,
    .open = disk_open,
    .requester = append_requester,
};
