/* reader.h - a second thread's look at the log of a live store.
 *
 * The store belongs to the broker's loop; this is the one thing of it that another thread may use.
 * It reads the log and the things, never the tables of inquiries, for rows settle late. Each
 * read is a short transaction of its own that copies out, so the writer can use again what
 * it frees, and what was read stays good for as long as this header says.
 *
 * One thread at a time uses a reader. It opens after the store and closes before it. The one moment in
 * which the two threads wait for each other is when the store's map moves to become larger: the
 * writer waits for the end of the transaction under way here, some tens of times in a store's life.
 *
 * Errors: 0, -EST_IO, -EST_INPUT (a damaged record, a missing event), -EST_NO_MEMORY, -EST_NOT_FOUND;
 * store_reader_error() has the sentence. None of them harms the store.
 */
#ifndef READER_H
#define READER_H

#include "store.h"

struct store_reader;

int store_reader_open(struct store *, struct store_reader **ret);
void store_reader_close(struct store_reader **);
const char *store_reader_error(const struct store_reader *);

/* 32 random bytes made with the store. */
const uint8_t *store_reader_secret(const struct store_reader *);
/* The newest event on disk; 0 in an empty log. */
int store_reader_head(struct store_reader *, uint64_t *ret_seq);

/* What one fetch copies at most; beyond the bytes no further event is begun. */
enum { READER_EVENTS_MAX = 1024, READER_BYTES_MAX = 1 << 20 };
/* Copies events from `from` on, at most `max` of them, for store_reader_next. *ret_head: the newest
 * on disk at that moment. At the end of the log nothing is fetched, and that is no error. */
int store_reader_fetch(struct store_reader *, uint64_t from, size_t max, uint64_t *ret_head);
/* The next of what was fetched: 1 and *ret, 0 when there is no more, or an error. Slices live until
 * the next fetch, lists until the next call. */
int store_reader_next(struct store_reader *, struct event *ret);
/* One event. Its slices live until the next call of this function. */
int store_reader_event(struct store_reader *, uint64_t seq, struct event *ret);

/* The SET and RETIRED events of all things, by kind, number and version. Slices and lists live during
 * the call; a non-zero return of the callback stops and is returned. The callback only copies. */
int store_reader_each_thing(struct store_reader *, int (*each)(void *arg, const struct event *), void *arg);

#endif
