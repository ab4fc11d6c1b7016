/* sql_reply.h - the rows of a result become an answer, as the type's configuration says. */
#ifndef SQL_REPLY_H
#define SQL_REPLY_H

#include "sql_link.h"

/* Reads all rows of a statement that was executed. 0: *ret_verdict is decided and `out` filled.
 * -EST_IO: the database failed on the way, the diagnostics are at the statement. */
int sql_reply_read(const struct sql_type *, const struct sql_statement *, est_answer *out,
                   est_verdict *ret_verdict);

#endif
