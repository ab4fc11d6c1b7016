/* sql_file.h - what SQLite leaves to its user: its database is a file, and nobody serves it.
 *
 * A server ends a query that waits for a lock, keeps its sessions off a database that was dropped, and says when
 * a table was made anew. SQLite waits for as long as its driver wishes (100 s), goes on reading a file that was
 * deleted or replaced, and prepares a statement anew without a word, while the driver (sqliteodbc) goes on naming
 * the columns that it had: a value of `SELECT *` would pass for another column's. So the wait is set, and a
 * connection whose file or tables are not the ones it was opened with is given up for a new one.
 */
#ifndef SQL_FILE_H
#define SQL_FILE_H

#include <sql.h>
#include <sqlext.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* All zero: no SQLite, and nothing below does anything. */
struct sql_file {
    bool is_sqlite, has_place; /* has_place: it is a file, and no database in memory */
    char path[4096];
    dev_t device;
    ino_t inode;
    int64_t tables; /* PRAGMA schema_version, which every change of a table increments; -1: not read yet */
    SQLHSTMT tables_ask;
};

/* The connection string for SQLite's driver, which looks at the file while it connects: with the wait put in, unless
 * it has one. A string that does not name the driver (a DSN) comes out as it is. A new string; NULL: no memory. */
char *sql_file_string(const char *connection, unsigned timeout_s);
/* After connecting. False where a statement failed; its diagnostics are in *ret_failed, which the caller frees.
 * *ret_failed is NULL where there was no memory for it. */
bool sql_file_open(struct sql_file *, SQLHDBC, const char *product, unsigned timeout_s, SQLHSTMT *ret_failed);
/* Before disconnecting. */
void sql_file_close(struct sql_file *);
/* Was the file deleted, or another one put into its place? */
bool sql_file_is_gone(const struct sql_file *);
/* Before the first statement is prepared: remembers the tables as they are. False: the diagnostics are at
 * tables_ask. */
bool sql_file_begin(struct sql_file *);
/* After a statement ran, and was closed: were its tables others than when the connection was new? Also where that
 * cannot be told. */
bool sql_file_has_changed(struct sql_file *);

#endif
