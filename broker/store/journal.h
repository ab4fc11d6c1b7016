/* journal.h - the newest batches, on disk before LMDB has them: one flush a batch.
 *
 * A commit of LMDB is two flushes in a row (its pages, then its meta page), and its file grows, so
 * that each flush writes the file's length too. Measured on a virtio disk: 235 us for a commit of
 * LMDB with one event, 84 us for one write into a file of fixed size that is already on disk. So
 * a batch goes into a ring of fixed size, with one write that is on disk when it returns
 * (O_DIRECT, O_DSYNC); LMDB gets many batches at once, by the keeper's thread (keeper.h), a moment
 * later. What LMDB did not get before a crash is put into it when the store is opened.
 *
 * The ring is in memory too, and the very same bytes: a record is made where it is written from,
 * and read there until LMDB has it.
 *
 *     block    64 bytes of header, the records back to back, zeroes up to a multiple of 4,096
 *     header   magic "ESTJ", format u16, header size u16, checksum u64 of the rest of the header (keyed
 *              with the store's secret: no body can pretend to be a block), seq of the first record
 *              u64, count u32, bytes without the zeroes u32, digest before and after u64, 0, 0
 *
 * The records need no checksum beside their own: the digest after them is made of theirs, in order.
 *
 * A block does not wrap around the ring's end. Which blocks count follows from LMDB's position: the
 * one whose first record is the next event and whose digest is the log's, then the one after it ...
 * A block that is not whole is dropped, if it is the last: power was lost while it was written, and nobody was told
 * of it; or the disk has changed it in the milliseconds in which the log lacks it, which looks the same. A whole block
 * behind one that is missing, or behind the events of another log, means that the folder's files are
 * damaged or not of one time, and the store does not open. Neither does it where there are blocks and the log is
 * missing, or none of them has its secret: what is in the journal would be taken for nothing and written over.
 */
#ifndef JOURNAL_H
#define JOURNAL_H

#include "event.h"

struct store;
struct store_head;

enum {
    JOURNAL_BLOCK = 4096,       /* every block begins and ends at a multiple */
    JOURNAL_HEADER_SIZE = 64,
    JOURNAL_SIZE = 16 << 20,    /* bytes; a smaller store has a smaller one */
    JOURNAL_SIZE_LEAST = 256 << 10,
};

struct journal {
    int fd;                /* -1: none */
    uint8_t *ring;         /* `size` bytes */
    uint64_t size;
    uint64_t head, tail;   /* positions that only grow: of the open block, of the oldest that LMDB lacks */
    uint32_t *places;      /* seq & mask -> where its record is in the ring */
    uint64_t mask, oldest; /* oldest: the seq of the oldest record that LMDB lacks */
    uint64_t key;
    /* The open block. */
    uint64_t first;        /* seq of its first record */
    uint32_t count;
    size_t used;           /* its bytes with the header; 0: none is open */
};

/* Is there a block in the folder's journal, of whatever store? Before there is a log whose secret could tell. */
int journal_has_blocks(struct store *, bool *ret);
/* Makes the file where it is missing, reads it where it is there. 0 or a code, with a sentence: -EST_INPUT where
 * it has blocks and none is of this store. */
int journal_open(struct store *);
void journal_close(struct journal *);

/* Puts every event that LMDB lacks into it. After rows_recover, before the keeper starts. */
int journal_replay(struct store *);
/* For tools, of a journal that nobody writes: what opening the store would find behind its log. */
struct journal_sight {
    uint64_t events;         /* that it would put into LMDB */
    bool is_torn;            /* the block after them is not whole */
    uint64_t without_before; /* the first event of a whole block whose predecessors are missing; 0: none */
};
void journal_look(const struct store *, const struct store_head *kept, struct journal_sight *ret);

/* Room for the record of `seq` at the end of the open block. NULL while the ring is too full. */
uint8_t *journal_reserve(struct journal *, uint64_t seq, size_t size);
/* Finishes the open block: these bytes are to be written, and stay as they are until LMDB has them. */
struct journal_span {
    uint64_t from; /* a position */
    size_t size;
    int error; /* once it was written: 0 or an errno, and then it may be there or not */
    int64_t took_us;
};
void journal_finish(struct journal *, const struct store_head *before, const struct store_head *after,
                    struct journal_span *ret);
/* Onto the disk, in any thread. */
void journal_write(const struct journal *, struct journal_span *);
/* That failed: the sentence for it, and -EST_IO. The next block takes its place. */
int journal_fail(struct store *, const struct journal_span *);
/* Forgets the open block. */
void journal_drop(struct journal *);
/* LMDB has everything up to this position and before this seq. */
void journal_release(struct journal *, uint64_t position, uint64_t oldest);

/* The record of an event that LMDB lacks, in the open block too; a null slice where it has it. */
est_slice journal_record(const struct journal *, uint64_t seq);

#endif
