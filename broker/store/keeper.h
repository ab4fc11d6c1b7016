/* keeper.h - the thread that puts into LMDB what the journal has on disk already.
 *
 * It takes all batches that came since it last looked, writes their events and the rows that are due
 * into the tables in ONE transaction with default flags, and commits. Whoever waits for a batch
 * waits for the journal alone, so neither B-trees nor LMDB's two flushes delay anyone; and many
 * batches share their cost. It is woken when a quarter of a megabyte is waiting, or
 * more where its last commit was slow, and after some milliseconds in any case.
 *
 * It shares no state with the loop's thread but this: the ring's bytes between two positions, which
 * stay as they are until the keeper has released them, and what is handed over under one mutex.
 * It writes through a store of its own (`back`), with its own transaction, cursors and sentence.
 */
#ifndef KEEPER_H
#define KEEPER_H

#include "fresh.h"
#include "store.h"

struct keeper;

/* Begins at what LMDB has now. 0, -EST_NO_MEMORY. */
int keeper_start(struct store *);
/* Lets it finish what waits, and ends it. 0, also where there is none; or its code, and then LMDB
 * lacks what the journal has. */
int keeper_stop(struct store *);

/* Has the keeper failed? Then nothing more may be promised. 0 or its code; its sentence becomes the
 * store's. */
int keeper_failure(struct store *);
/* A batch is on the disk: LMDB should have it too, one day soon. 0 or -EST_NO_MEMORY. */
struct pending;
int keeper_publish(struct store *, const struct pending *);
/* Nothing that was handed goes anywhere: all of it is folded anew. LMDB has all that was published. */
void keeper_forget(struct store *);
/* A row that has waited for long enough, as the batch that was finished last left it: it goes with the
 * publish of that. */
int keeper_hand(struct store *, const struct fresh_row *, uint32_t place);
/* A keeper that is late is handed no more: what is due waits, and the tables lag further behind. */
bool keeper_has_room(const struct store *);
/* Takes over what it has done since: room in the ring, rows that have settled. Never waits. In no
 * transaction, or the reader's view would lack what is forgotten here. */
void keeper_take(struct store *);
/* Waits until LMDB has all that was published; then as keeper_take. 0 or its code. */
int keeper_drain(struct store *);
/* The log goes on from the store's head: a batch went into LMDB past the keeper. */
void keeper_rebase(struct store *);

#endif
