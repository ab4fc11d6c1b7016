/* error.c - the store's sentences: what failed, where, and what to do.
 */
#include "room.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A store that did not open is gone when its error is asked for. */
static _Thread_local char open_error[STORE_ERROR_SIZE] = "no store has failed to open";

const char *store_error(const struct store *store) {
    return store ? store->error : open_error;
}

void open_error_keep(const char *sentence) {
    snprintf(open_error, sizeof open_error, "%s", sentence);
}

static void sentence_write(struct store *store, const char *format, va_list args, const char *advice) {
    char what[STORE_ERROR_SIZE];
    vsnprintf(what, sizeof what, format, args);
    snprintf(store->error, sizeof store->error, "store %.120s: %.350s%s", store->directory, what, advice);
}

int store_fail(struct store *store, int code, const char *format, ...) {
    va_list args;
    va_start(args, format);
    sentence_write(store, format, args, "");
    va_end(args);
    return code;
}

int store_damaged(struct store *store, const char *format, ...) {
    va_list args;
    va_start(args, format);
    sentence_write(store, format, args, "; use the broker that wrote it, or restore the store from a backup");
    va_end(args);
    return -EST_INPUT;
}

/* Less than this is no room to commit in. */
enum { DISK_FULL_PAGES = 64 };

struct advice {
    int rc, code;
    const char *what_to_do;
};

static const struct advice advices[] = {
    {MDB_MAP_FULL, -EST_FULL, "the store has its configured size: raise store.size_max and start again"},
    {ENOSPC, -EST_IO, "free space on its disk, then start again"},
    {EDQUOT, -EST_IO, "raise the disk quota, then start again"},
    {EACCES, -EST_IO, "run as the user the folder belongs to, or chown it to that user"},
    {EROFS, -EST_IO,
     "its file system is mounted read-only: see the system's log for disk errors; or its unit does not let it write "
     "here (ReadWritePaths=)"},
    {EMFILE, -EST_IO, "allow it more open files: LimitNOFILE of its unit, or ulimit -n"},
    {ENFILE, -EST_IO, "the whole machine has too many open files: raise fs.file-max, or stop who holds them"},
    {EIO, -EST_IO, "the disk has failed: see the system's log, then restore the store from a backup"},
    {MDB_CORRUPTED, -EST_INPUT, "the file is damaged: restore the store from a backup"},
    {MDB_PAGE_NOTFOUND, -EST_INPUT, "the file is damaged: restore the store from a backup"},
    {MDB_CURSOR_FULL, -EST_INPUT, "the file is damaged: restore the store from a backup"},
    {MDB_INVALID, -EST_INPUT, "data.mdb is no store: name another folder, or restore it from a backup"},
    {MDB_VERSION_MISMATCH, -EST_INPUT, "data.mdb was written by another LMDB: use the program that wrote it"},
    {MDB_READERS_FULL, -EST_IO, "too many tools have it open: stop some"},
};

/* On a full disk the last write may be a short one, and LMDB calls that EIO. */
static bool disk_is_full(struct store *store) {
    char sentence[STORE_ERROR_SIZE];
    memcpy(sentence, store->error, sizeof sentence);
    bool is_known = store_measure(store) == 0;
    memcpy(store->error, sentence, sizeof sentence);
    return is_known && store->disk_free < DISK_FULL_PAGES * store->page;
}

static const struct advice *advice_find(int rc) {
    for (size_t i = 0; i < sizeof advices / sizeof advices[0]; i++)
        if (advices[i].rc == rc)
            return &advices[i];
    return NULL;
}

/* What is written there is not what a backup has: a restore would lose it, and may not be needed. */
int journal_fail_with(struct store *store, int error, const char *what) {
    const struct advice *found = error == EIO ? NULL : advice_find(error);
    return store_fail(store, -EST_IO, "the journal: %s failed: %s; %s", what, strerror(error),
                      found ? found->what_to_do : "see the system's log");
}

int store_fail_lmdb(struct store *store, int rc, const char *what) {
    if (rc == EIO && disk_is_full(store))
        rc = ENOSPC;
    const struct advice *found = advice_find(rc);
    return store_fail(store, found ? found->code : -EST_IO, "%s failed: %s; %s", what, mdb_strerror(rc),
                      found ? found->what_to_do : "see the system's log");
}
