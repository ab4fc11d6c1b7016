/* sql_reply.h - the rows of a result become an answer, as the type's configuration says. */
#ifndef SQL_REPLY_H
#define SQL_REPLY_H

#include "sql_link.h"

/* Reads all rows of a statement that was executed. `lacking` is the name that the inquiry should have
 * and has not, or NULL: with one, no row is a retry. 0: *ret_verdict is decided and `out` filled.
 * -EST_IO: the database failed on the way, the diagnostics are at the statement. */
int sql_reply_read(const struct sql_type *, const struct sql_statement *, const char *lacking,
                   est_answer *out, est_verdict *ret_verdict);

#endif
