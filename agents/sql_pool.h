/* sql_pool.h - a connection for each worker, made when needed, made again when lost.
 *
 * A database that does not answer is tried at growing pauses by whoever needs it, never by all at
 * once: the pause is the pool's, not the connection's.
 *
 * While a statement runs it is under guard: a thread of the pool cancels it when it has overrun
 * the query timeout (for drivers that have none of their own, such as SQLite's) or when the
 * inquiry's lease has ended.
 */
#ifndef SQL_POOL_H
#define SQL_POOL_H

#include "sql_link.h"

struct sql_pool;
struct sql_slot; /* one place of the pool; belongs to one thread between take and give */

/* 0, -EST_NO_MEMORY, -EST_IO. `room` is copied. */
int sql_pool_open(const struct sql_config *, const struct backend_room *room, struct sql_pool **ret);
/* Every slot has been given back. */
void sql_pool_close(struct sql_pool **);

/* A slot with a connection. Waits for a free slot, and while the database is away for at most the
 * query timeout. -EST_UNREACHABLE; -EST_CLOSED: the inquiry is over. */
int sql_pool_take(struct sql_pool *, const est_inquiry *, struct sql_slot **ret);
void sql_pool_give(struct sql_pool *, struct sql_slot *);

struct sql_link *sql_slot_link(const struct sql_slot *);
/* Has this connection carried a statement before? A first use that fails is not a lost connection. */
bool sql_slot_is_used(const struct sql_slot *);
/* Closes the slot's connection; the next take makes another. */
void sql_slot_drop(struct sql_slot *);

/* From begin to end the statement may be cancelled by the pool. `end` says whether it was. */
void sql_guard_begin(struct sql_pool *, struct sql_slot *, SQLHSTMT, const est_inquiry *);
bool sql_guard_end(struct sql_pool *, struct sql_slot *);

#endif
