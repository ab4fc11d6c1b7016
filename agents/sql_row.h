/* sql_row.h - one row of a result, every column read as text, long ones in pieces.
 *
 * Columns are read from the first to the last, once each, because that is all that every driver
 * can do.
 */
#ifndef SQL_ROW_H
#define SQL_ROW_H

#include "sql_link.h"
#include "codec.h"

enum { SQL_ROW_SIZE_MAX = 256 * 1024 };

struct sql_row {
    struct buffer bytes;
    size_t count;
    struct {
        size_t offset, size;
        bool is_null;
    } cells[SQL_COLUMNS_MAX];
};

void sql_row_init(struct sql_row *);
void sql_row_done(struct sql_row *);
/* 1: a row was read. 0: there are no more. -EST_IO with the diagnostics at the statement,
 * -EST_TOO_LARGE, -EST_NO_MEMORY. */
int sql_row_next(struct sql_row *, const struct sql_statement *);
/* The text of a cell, until the next row. False: NULL. */
bool sql_row_cell(const struct sql_row *, size_t column, est_slice *ret);

#endif
