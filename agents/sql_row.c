/* sql_row.c - SQLFetch and SQLGetData. See sql_row.h. */
#include "sql_row.h"
#include <string.h>

enum { PIECE_SIZE = 4096 };

void sql_row_init(struct sql_row *row) {
    row->count = 0;
    buffer_init(&row->bytes);
}

void sql_row_done(struct sql_row *row) {
    buffer_done(&row->bytes);
}

/* A piece that did not fit whole is full up to its closing zero byte, whatever the length says:
 * the length is of all that was left, or unknown. */
static size_t piece_size(SQLRETURN code, SQLLEN length) {
    bool is_cut = code == SQL_SUCCESS_WITH_INFO && (length == SQL_NO_TOTAL || length >= PIECE_SIZE);
    return is_cut ? PIECE_SIZE - 1 : (size_t)length;
}

static int cell_read(struct sql_row *row, SQLHSTMT handle, size_t column) {
    row->cells[column].offset = row->bytes.size;
    row->cells[column].is_null = false;
    for (;;) {
        char piece[PIECE_SIZE];
        SQLLEN length = 0;
        SQLRETURN code =
            SQLGetData(handle, (SQLUSMALLINT)(column + 1), SQL_C_CHAR, piece, sizeof piece, &length);
        if (code == SQL_NO_DATA)
            break;
        if (!SQL_SUCCEEDED(code))
            return -EST_IO;
        if (length == SQL_NULL_DATA) {
            row->cells[column].is_null = true;
            break;
        }
        size_t size = piece_size(code, length);
        if (row->bytes.size + size > SQL_ROW_SIZE_MAX)
            return -EST_TOO_LARGE;
        buffer_put(&row->bytes, piece, size);
        if (size < PIECE_SIZE - 1 || code == SQL_SUCCESS)
            break;
    }
    row->cells[column].size = row->bytes.size - row->cells[column].offset;
    return row->bytes.failed ? -EST_NO_MEMORY : 0;
}

int sql_row_next(struct sql_row *row, const struct sql_statement *statement) {
    SQLRETURN code = SQLFetch(statement->handle);
    if (code == SQL_NO_DATA)
        return 0;
    if (!SQL_SUCCEEDED(code))
        return -EST_IO;
    buffer_clear(&row->bytes);
    row->count = statement->column_count;
    for (size_t i = 0; i < row->count; i++) {
        int result = cell_read(row, statement->handle, i);
        if (result)
            return result;
    }
    return 1;
}

bool sql_row_cell(const struct sql_row *row, size_t column, est_slice *ret) {
    if (column >= row->count || row->cells[column].is_null)
        return false;
    const uint8_t *start =
        row->bytes.size ? row->bytes.data + row->cells[column].offset : (const uint8_t *)"";
    *ret = (est_slice){start, row->cells[column].size};
    return true;
}
