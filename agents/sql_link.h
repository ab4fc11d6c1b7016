/* sql_link.h - one ODBC connection with its prepared statements, used by one thread at a time.
 *
 * Connecting also asks the database itself for a read-only session where it has such a thing,
 * because drivers may ignore ODBC's own attribute (psqlodbc and sqliteodbc do). A statement is
 * prepared when it is first needed and its result columns are matched with the configuration
 * then; whatever fails is forgotten, so that the next use prepares it again.
 *
 * The ANSI calls are used throughout: the drivers for PostgreSQL and SQLite take and give UTF-8
 * through them.
 */
#ifndef SQL_LINK_H
#define SQL_LINK_H

#include "sql_config.h"
#include "sql_file.h"
#include <sql.h>
#include <sqlext.h>

enum { SQL_COLUMNS_MAX = 256, SQL_LOGIN_TIMEOUT_S = 5 };

/* What went wrong, out of the driver's diagnostics. `text` may name tables and users; it is for
 * the log, and only for errors before any value of an inquiry was bound. */
struct sql_trouble {
    char state[6]; /* SQLSTATE; empty: not the database's doing */
    char text[512];
    int native; /* the database's own number */
};

struct sql_column {
    char name[129];
    enum sql_kind kind; /* what its SQL type says; never SQL_KIND_AUTO */
};

struct sql_statement {
    SQLHSTMT handle; /* NULL: not prepared */
    size_t column_count;
    struct sql_column *columns;
};

struct sql_link;
/* 0, -EST_UNREACHABLE and *ret_trouble, -EST_NO_MEMORY. */
int sql_link_open(SQLHENV, const struct sql_config *, struct sql_link **ret, struct sql_trouble *ret_trouble);
void sql_link_close(struct sql_link **);

/* The type's prepared statement; it stays the link's. 0; -EST_INPUT and *ret_trouble when the
 * database does not take it or has not the columns; -EST_NO_MEMORY. */
int sql_link_prepare(struct sql_link *, size_t type, struct sql_statement **ret,
                     struct sql_trouble *ret_trouble);
/* --check: prepares it and complains of everything that is wrong with it, each at its own place. */
void sql_link_check(struct sql_link *, size_t type, struct yaml *);
/* Forgets the statement; the next sql_link_prepare makes it anew. */
void sql_link_forget(struct sql_link *, size_t type);
/* Is the connection lost, after an error with this SQLSTATE? */
bool sql_link_is_dead(struct sql_link *, const char *state);

/* Is it SQLite's word for a file that another program has locked? */
bool sql_link_is_locked(const struct sql_link *, const struct sql_trouble *);
/* Was the file of this SQLite database deleted or replaced? Ask before a statement. */
bool sql_link_is_gone(const struct sql_link *);
/* Were the tables changed since the connection was new, so that its statements describe others? Ask after a
 * statement was closed; false where the database itself refuses statements that are old. */
bool sql_link_has_changed(struct sql_link *);

/* Reads the first diagnostic of a handle. */
void sql_trouble_read(SQLSMALLINT handle_type, SQLHANDLE, struct sql_trouble *ret);
/* After the statement ran: have the columns of its result other names than when it was prepared? Their kinds are
 * not compared: a driver may guess the kind of a computed one by its value. */
bool sql_statement_is_old(const struct sql_statement *);
/* The index of a column by its name, case ignored; -1: there is none. */
int sql_column_find(const struct sql_statement *, const char *name);

#endif
