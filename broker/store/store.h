/* store.h - the log and its tables in LMDB. The only room that knows LMDB.
 *
 * One writer, the broker's loop. It opens a batch, appends events and reads what it needs, and
 * commits; once store_commit has returned 0, everything in the batch survives kill -9 and power
 * loss: it is in the journal, a file of fixed size that costs one flush a batch (journal.h). A thread
 * of the store's own puts many batches at once into LMDB a moment later (keeper.h), and opening a
 * store puts the rest there. LMDB writes with default flags: never NOSYNC, NOMETASYNC,
 * WRITEMAP or DUPSORT; it is read without read-ahead (ahead.h).
 *
 *   meta     name -> value       format version, position and digest, generation, secret
 *   log      seq -> event        appended only; header with checksum, see record.c
 *   ids      account, id -> number   an inquiry's id is the requester's idempotency key
 *   open     number -> inquiry_row   not ended, or ended and not acknowledged
 *   ended    number -> inquiry_row   ended and acknowledged
 *   things   kind, number, version -> the newest SET event of a department, type version, account or
 *            purpose, and the newest PAUSED of a department; after them, while it is retired, the thing's RETIRED event
 *
 * The tables are derived from the log. A transaction writes events and, with them, the position, a
 * running digest of the log, and the rows that are due in the tables: a row settles some thousands of
 * events after it changed, mostly once, when the inquiry is over. What has not settled is in memory;
 * reads see it, and opening a store folds it out of the end of the log again.
 *
 * Errors: 0, or a negative code: -EST_IO (the operating system or LMDB refused; after it in a
 * batch the process must stop: memory is ahead of disk), -EST_FULL (at the configured size),
 * -EST_NOT_FOUND, -EST_INPUT (unknown format, damaged record). store_error() has the sentence.
 */
#ifndef STORE_H
#define STORE_H

#include "event.h"

struct store;

struct store_options {
    const char *directory;   /* made when missing, mode 0700 */
    uint64_t size_max;       /* bytes the store may grow to; the map grows by itself up to it */
    void (*fault)(const char *what); /* called where LMDB finds that a page is not as it wrote it, in any thread; does
                              * not return. NULL: LMDB says so and aborts */
    bool read_only;          /* for tools beside a running broker: they see what LMDB has, a moment later */
};

struct store_head {
    uint64_t seq;            /* of the last event; 0 in a new store */
    est_time at;             /* its time */
    uint64_t generation;     /* of the last STARTED */
    uint64_t digest;         /* running digest of all events */
};

/* Opens, makes, locks (one broker a store), checks the format version, clears dead readers. Where the journal
 * has something and there is no log, it was lost: -EST_INPUT, and nothing is made.
 * fsyncs the directory of a new store before it returns. */
int store_open(const struct store_options *, struct store **ret);
void store_close(struct store **);
/* What opening it has met, for whoever starts a broker to say. */
struct store_opening {
    bool is_new;             /* nothing was there: it was made, and is empty */
    bool is_torn;            /* the journal's last block was not whole, and was dropped */
};
void store_opening(const struct store *, struct store_opening *ret);
/* The last error as a sentence that says what, where and what to do; never NULL. With `store`
 * NULL: of the store_open that failed. */
const char *store_error(const struct store *);

void store_head(const struct store *, struct store_head *ret);
/* 32 random bytes made with the store: keys the tracking codes. */
const uint8_t *store_secret(const struct store *);
/* Looks at the disk again; about every second. 0 or -EST_IO. */
int store_measure(struct store *);
/* Part of the room that is used, in thousandths: of size_max or of the disk, the greater. A disk
 * with 8 GiB free or more does not count. */
unsigned store_fullness(const struct store *);
/* readers: transactions that read now, of this process and of tools beside it. */
struct store_sizes { uint64_t used, map, size_max, disk_free, disk_total, readers; };
void store_sizes(const struct store *, struct store_sizes *ret);
/* About once a minute: frees what dead tools hold, and looks again how full the disk is. 0 or
 * -EST_IO, which harms nothing. */
int store_tidy(struct store *);

/* Recovery, before the first batch. Things come by kind, number and version, the RETIRED event of
 * a thing after its definitions; applying them in this order gives those in force.
 * Each calls back in ascending key order; slices live during the call; a non-zero return of the
 * callback stops and is returned. */
int store_each_open(struct store *, int (*each)(void *arg, const struct inquiry_row *), void *arg);
int store_each_thing(struct store *, int (*each)(void *arg, const struct event *), void *arg);
/* The log from event `from` on (0: from its beginning), any time. A missing event is -EST_INPUT. */
int store_each_event(struct store *, uint64_t from, int (*each)(void *arg, const struct event *), void *arg);

/* --- A batch. Reads between begin and commit see what the batch wrote. Slices that a read gave
 * live until the next append, commit or abort: use them or copy them at once. Lists (the numbers
 * of ACKNOWLEDGED, the rights of an account) live until the next read. Keep a batch under 64 MiB
 * of events: the map grows between batches only, and below size_max has four times that left. A
 * batch that defines things, or is larger than the journal, is one transaction of LMDB itself. -- */

/* In a read-only store a batch is a look at what is committed now, and nothing can be appended. Once
 * LMDB has refused what the journal holds, no batch begins any more: the process has to stop. */
int store_begin(struct store *);
/* event->seq must be head + 1: the log gives the numbers, the core foresees them. Its time is not
 * before the head's, its `previous` is the newest event of its inquiry, its inquiry is open, and
 * a submitted id is new; else -EST_INPUT. An append that failed spoils the batch: every later
 * append and the commit return the same code, and only store_abort is left. */
int store_append(struct store *, const struct event *);
/* Durable on 0. The batch is over either way. One without an append costs no write. */
int store_commit(struct store *);
/* The same, but where there is `more` to be done it may still be under way when this returns 0, and then the next
 * batch may begin. Nothing that the batch did may be told before store_commit_end says that it is on the disk. */
int store_commit_begin(struct store *, bool more);
/* 0: what store_commit_begin began, if anything, is on the disk; 1: it is under way, and nobody `waits` for
 * it. Else a code: the batch, and the one that was open, are as if they had never been. Where another call had to
 * wait for it and met the failure, this tells it again, until another batch is committed. */
int store_commit_end(struct store *, bool waits);
/* How long the write of the last batch that is over took. */
int64_t store_commit_took_us(const struct store *);
void store_abort(struct store *);
/* Waits until LMDB has everything, for tools beside; in a batch, what it appended too. */
int store_drain(struct store *);

/* The number behind an id of this account. -EST_NOT_FOUND. */
int store_find(struct store *, uint32_t account, const est_id *, uint64_t *ret_number);
int store_row(struct store *, uint64_t number, struct inquiry_row *ret);
/* One event, checksum checked. */
int store_event(struct store *, uint64_t seq, struct event *ret);
/* The definition of a type version: a TYPE_SET event. */
int store_type(struct store *, uint32_t type, uint32_t version, struct event *ret);

#endif
