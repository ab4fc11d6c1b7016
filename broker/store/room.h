/* room.h - what the files of this folder share: the open store, its tables and its sentences.
 *
 * Never included from outside the folder: LMDB ends here.
 */
#ifndef ROOM_H
#define ROOM_H

#include "fresh.h"
#include "journal.h"
#include "keeper.h"
#include "record.h"
#include "store.h"
#include "writer.h"

#include <endian.h>
#include <lmdb.h>
#include <pthread.h>
#include <time.h>

enum {
    STORE_FORMAT = 1,
    STORE_SECRET_SIZE = 32,
    STORE_ERROR_SIZE = 512,
};

enum table { TABLE_META, TABLE_LOG, TABLE_IDS, TABLE_OPEN, TABLE_ENDED, TABLE_THINGS, TABLE_COUNT };

/* A batch that is complete and not known to be on the disk. */
struct pending {
    bool is_there;
    struct journal_span span;
    struct store_head head;
    uint64_t position, settled; /* of the journal and of the tables, once it is written */
    int failed;                 /* what came of the last one; whoever asks is told, also where another call met it first */
};

struct store {
    MDB_env *env;
    MDB_dbi tables[TABLE_COUNT];
    MDB_txn *txn;                     /* of the batch; NULL between batches */
    MDB_txn *look;                    /* to read in: the batch's, unless it is direct; kept and renewed */
    MDB_cursor *cursors[TABLE_COUNT]; /* of a writing transaction, opened when first needed; they die with it */
    MDB_cursor *closing;              /* one more of `open`, see rows.c */
    MDB_cursor *looks[TABLE_COUNT];   /* of the look, renewed with it when first needed; see table_get */
    bool is_looking[TABLE_COUNT];     /* which of them are */
    uintptr_t leaves[TABLE_COUNT];    /* the leaf that each was in last, see leaf_fetch */
    struct inquiry_row seen;          /* the row that the look read out of `open` last; number 0: none */
    bool direct;                      /* this batch writes to LMDB itself, past journal and keeper */
    struct journal journal;
    struct writer *writer;            /* as the keeper */
    struct pending pending;
    struct keeper *keeper;            /* NULL while a store is being opened or closed, and in tools */
    int spoiled;                      /* the code of the append that failed: the batch cannot be committed */
    bool read_only;
    struct store_opening opening;
    void (*fault)(const char *what);   /* see store_options */
    int lock;                          /* file descriptor of the broker's lock, -1 */
    struct store_head head, committed; /* with the batch's events; on disk */
    uint8_t secret[STORE_SECRET_SIZE];
    uint64_t size_max, map, page;
    pthread_mutex_t map_lock;          /* held while the map moves, and by reader.c while it may not */
    uint64_t disk_free, disk_total; /* as of the last store_measure */
    uint64_t settled;              /* the tables of inquiries have every event up to this one */
    uint64_t ended_last;           /* the highest number in `ended`, 0 when not known */
    struct fresh fresh;
    bool is_stale;                 /* the fresh rows are not what is committed: a batch could not be undone */
    bool is_deep;                  /* what came back out of `open` last had gone in too long ago to be kept */
    struct newest *newest;         /* by account: see tables.c */
    uint32_t newest_count;
    struct record_scratch scratch;
    char *directory;
    char error[STORE_ERROR_SIZE];
};

/* Writes the sentence, behind the store's folder, and returns `code`. */
int store_fail(struct store *, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The same for a record that cannot be used: adds what to do and returns -EST_INPUT. */
int store_damaged(struct store *, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same for what LMDB or the system answered while the store was doing `what` ("reading an inquiry"). */
int store_fail_lmdb(struct store *, int rc, const char *what);
/* The same for what the system answered about the journal. */
int journal_fail_with(struct store *, int error, const char *what);

/* What store_error(NULL) says from now on. */
void open_error_keep(const char *sentence);

/* False: a broker has this folder open. Else none can come until this descriptor is closed; -1 where none was ever there. */
bool store_hold(const char *directory, int *ret);

/* Makes a new store's tables, or checks and loads those that are there. */
int meta_open(struct store *);

/* The keys of `ids` and `things`; of the other tables they are the number itself. */

/* Big-endian, so that LMDB's comparison of bytes orders an account's ids together and by time. */
struct id_key {
    uint32_t account;
    est_id id;
};
_Static_assert(sizeof(struct id_key) == 20, "no padding in the key of an id");

static inline struct id_key id_key_of(uint32_t account, const est_id *id) {
    return (struct id_key){htobe32(account), *id};
}

struct thing_key {
    uint32_t kind, number, version;
};

/* After every version: a thing's end follows its definitions when the table is read in order. */
enum { VERSION_RETIRED = 0xffffffffu };

static inline struct thing_key thing_key_of(uint32_t kind, uint32_t number, uint32_t version) {
    return (struct thing_key){htobe32(kind), htobe32(number), htobe32(version)};
}

/* A transaction to read in: the batch's own, or a short one. */
struct view {
    MDB_txn *txn;
    bool own;
};
int view_begin(struct store *, struct view *ret);
void view_end(struct view *);

/* The position and digest as of this transaction. */
int head_read(struct store *, MDB_txn *, struct store_head *ret);
int head_write(struct store *);

/* A thread of the store, by the name that `top -H` shows: signals are for the loop's. 0 or an errno. */
int thread_start(pthread_t *ret, const char *name, void *(*run)(void *), void *arg);

/* The look is over for good: the environment may be closed. */
void look_close(struct store *);

/* A writing transaction in store->txn, and its end: committed where `rc` is 0, and `rc` else. */
int batch_begin(struct store *);
int batch_end(struct store *, int rc);
/* The open batch goes on as a writing transaction that holds what it has appended so far. */
int direct_begin(struct store *);
/* Waits for the keeper in the middle of a batch; what was read before is gone. */
int keeper_await(struct store *);

/* Gives the batch's cursor of a table. */
int table_cursor(struct store *, enum table, MDB_cursor **ret);
/* Applies an event that is in the log already to the other tables. */
int tables_apply(struct store *, const struct event *);
/* LMDB's part of the log, from event `from` on. */
int log_each(struct store *, uint64_t from, int (*each)(void *, const struct event *), void *arg);
/* -EST_NOT_FOUND where there is none. */
int table_get(struct store *, enum table table, MDB_val key, MDB_val *ret);

/* A fresh row has settled: `ids` has its id, or will have before it is looked for there. */
void newest_see(struct store *, const struct inquiry_row *);
void newest_forget(struct store *);

/* rows.c: inquiries as rows, fresh and settled. */
int rows_submitted(struct store *, const struct event *);
int rows_changed(struct store *, const struct event *);
int rows_acknowledged(struct store *, const struct event *);
/* Settles what has been fresh for long enough, or all of it; moves `settled`. At a batch's end. */
int rows_settle(struct store *, bool all);
/* One row into the tables, in a writing transaction. */
int row_settle(struct store *, const struct fresh_row *);
/* Forgets the fresh rows and folds them anew out of what is committed. */
int rows_recover(struct store *);

/* The row as `open` has it. -EST_NOT_FOUND. */
int row_open_get(struct store *, uint64_t number, struct inquiry_row *ret);
/* Reads the row in these bytes; it must be of `number`. */
int row_decode(struct store *, uint64_t number, const MDB_val *, struct inquiry_row *ret);

/* Is little room left in the map? Then it grows, between batches and while the keeper is idle. */
bool map_is_short(const struct store *);
/* Around map_grow: other threads do not look meanwhile. False where one does, and another batch may do it. */
bool map_hold(struct store *);
void map_release(struct store *);
int map_grow(struct store *);

static inline int64_t monotonic_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * EST_US_PER_S + t.tv_nsec / 1000;
}

static inline MDB_val val_of(const void *bytes, size_t size) {
    return (MDB_val){.mv_size = size, .mv_data = (void *)bytes};
}

#endif
