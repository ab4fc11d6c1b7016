/* sql_file.c - SQLite's pragmas and the place of its file. See sql_file.h. */
#include "sql_file.h"
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

static bool place_find(const struct sql_file *file, dev_t *ret_device, ino_t *ret_inode) {
    struct stat about;
    if (stat(file->path, &about))
        return false;
    *ret_device = about.st_dev;
    *ret_inode = about.st_ino;
    return true;
}

static bool statement_run(SQLHDBC connection, const char *text, SQLHSTMT *ret_failed) {
    SQLHSTMT statement = NULL;
    if (!SQL_SUCCEEDED(SQLAllocHandle(SQL_HANDLE_STMT, connection, &statement)))
        return false;
    if (!SQL_SUCCEEDED(SQLExecDirect(statement, (SQLCHAR *)text, SQL_NTS))) {
        *ret_failed = statement;
        return false;
    }
    SQLFreeHandle(SQL_HANDLE_STMT, statement);
    return true;
}

/* The driver tries a statement that met a lock twice. */
static unsigned wait_ms(unsigned timeout_s) {
    return timeout_s * 1000 / 2;
}

char *sql_file_string(const char *connection, unsigned timeout_s) {
    char *string = NULL;
    bool is_ours = strcasestr(connection, "sqlite") && !strcasestr(connection, "timeout");
    int made = is_ours ? asprintf(&string, "%s;Timeout=%u", connection, wait_ms(timeout_s))
                       : asprintf(&string, "%s", connection);
    return made < 0 ? NULL : string;
}

bool sql_file_open(struct sql_file *file, SQLHDBC connection, const char *product, unsigned timeout_s,
                   SQLHSTMT *ret_failed) {
    char wait[64];
    SQLSMALLINT length = 0;
    *ret_failed = NULL;
    memset(file, 0, sizeof *file);
    file->is_sqlite = !strcasecmp(product, "SQLite");
    file->tables = -1;
    if (!file->is_sqlite)
        return true;
    SQLGetInfo(connection, SQL_DATABASE_NAME, file->path, sizeof file->path, &length);
    file->has_place = place_find(file, &file->device, &file->inode);
    snprintf(wait, sizeof wait, "PRAGMA busy_timeout = %u", wait_ms(timeout_s));
    return statement_run(connection, wait, ret_failed) &&
           SQL_SUCCEEDED(SQLAllocHandle(SQL_HANDLE_STMT, connection, &file->tables_ask));
}

void sql_file_close(struct sql_file *file) {
    if (file->tables_ask)
        SQLFreeHandle(SQL_HANDLE_STMT, file->tables_ask);
    file->tables_ask = NULL;
}

bool sql_file_is_gone(const struct sql_file *file) {
    dev_t device;
    ino_t inode;
    return file->has_place &&
           !(place_find(file, &device, &inode) && device == file->device && inode == file->inode);
}

static bool tables_read(struct sql_file *file, int64_t *ret) {
    SQLBIGINT number = 0;
    SQLLEN length = 0;
    bool good =
        SQL_SUCCEEDED(SQLExecDirect(file->tables_ask, (SQLCHAR *)"PRAGMA schema_version", SQL_NTS)) &&
        SQL_SUCCEEDED(SQLFetch(file->tables_ask)) &&
        SQL_SUCCEEDED(SQLGetData(file->tables_ask, 1, SQL_C_SBIGINT, &number, sizeof number, &length));
    if (good) {
        SQLFreeStmt(file->tables_ask, SQL_CLOSE);
        *ret = number;
    }
    return good;
}

bool sql_file_begin(struct sql_file *file) {
    return !file->is_sqlite || file->tables >= 0 || tables_read(file, &file->tables);
}

bool sql_file_has_changed(struct sql_file *file) {
    int64_t tables = -1;
    return file->is_sqlite && !(tables_read(file, &tables) && tables == file->tables);
}
