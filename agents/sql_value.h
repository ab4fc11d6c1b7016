/* sql_value.h - the text of a cell becomes a packed value of a kind. */
#ifndef SQL_VALUE_H
#define SQL_VALUE_H

#include "sql_config.h"
#include "codec.h"

/* Packs the cell as `kind` (never AUTO), or as a list of that kind where `split` is given. False
 * and *ret_why when the text is no such value; the reason never quotes it. */
bool sql_value_pack(struct buffer *, est_slice cell, enum sql_kind kind, const char *split,
                    const char **ret_why);

#endif
