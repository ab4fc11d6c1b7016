/* sql_link.c - connects, prepares, describes, disconnects. See sql_link.h. */
#include "sql_link.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct sql_link {
    const struct sql_config *config;
    SQLHDBC handle;
    struct sql_statement *statements; /* one for each type of the configuration */
    struct sql_file file;
};

/* How a database is told that this session only reads. What is not in the table is left to the
 * rights of the database account. */
static const struct {
    const char *product, *statement;
} read_only_sessions[] = {
    {"PostgreSQL", "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY"},
    {"SQLite", "PRAGMA query_only = ON"},
    {"MariaDB", "SET SESSION TRANSACTION READ ONLY"},
    {"MySQL", "SET SESSION TRANSACTION READ ONLY"},
};

/* SQLSTATEs of a connection that is gone although its class is not 08: PostgreSQL's shutdown,
 * crash and "not yet ready". */
static const char *const states_of_death[] = {"57P01", "57P02", "57P03"};

/* Integers are passed to ODBC in pointers. */
static SQLPOINTER attribute_of(SQLULEN value) {
    return (SQLPOINTER)(uintptr_t)value;
}

void sql_trouble_read(SQLSMALLINT handle_type, SQLHANDLE handle, struct sql_trouble *ret) {
    SQLCHAR state[6] = "", text[sizeof ret->text] = "";
    SQLINTEGER native = 0;
    SQLSMALLINT length;
    if (!SQL_SUCCEEDED(SQLGetDiagRec(handle_type, handle, 1, state, &native, text, sizeof text, &length)))
        snprintf((char *)text, sizeof text, "the driver gives no reason");
    snprintf(ret->state, sizeof ret->state, "%s", (char *)state);
    snprintf(ret->text, sizeof ret->text, "%s", (char *)text);
    ret->native = native;
}

static void trouble_set(struct sql_trouble *ret, const char *format, const char *what) {
    ret->state[0] = 0;
    snprintf(ret->text, sizeof ret->text, format, what);
}

/* --- The connection ----------------------------------------------------------------------------- */

static bool statement_run(SQLHDBC handle, const char *text, struct sql_trouble *ret_trouble) {
    SQLHSTMT statement;
    if (!SQL_SUCCEEDED(SQLAllocHandle(SQL_HANDLE_STMT, handle, &statement))) {
        sql_trouble_read(SQL_HANDLE_DBC, handle, ret_trouble);
        return false;
    }
    SQLRETURN code = SQLExecDirect(statement, (SQLCHAR *)text, SQL_NTS);
    if (!SQL_SUCCEEDED(code) && code != SQL_NO_DATA)
        sql_trouble_read(SQL_HANDLE_STMT, statement, ret_trouble);
    SQLFreeHandle(SQL_HANDLE_STMT, statement);
    return SQL_SUCCEEDED(code) || code == SQL_NO_DATA;
}

static bool session_protect(SQLHDBC handle, const char *product, struct sql_trouble *ret_trouble) {
    for (size_t i = 0; i < sizeof read_only_sessions / sizeof read_only_sessions[0]; i++)
        if (!strcasecmp(product, read_only_sessions[i].product))
            return statement_run(handle, read_only_sessions[i].statement, ret_trouble);
    return true;
}

static bool file_open(struct sql_link *link, const char *product, struct sql_trouble *ret_trouble) {
    SQLHSTMT failed;
    if (sql_file_open(&link->file, link->handle, product, link->config->timeout_s, &failed))
        return true;
    if (failed)
        sql_trouble_read(SQL_HANDLE_STMT, failed, ret_trouble), SQLFreeHandle(SQL_HANDLE_STMT, failed);
    else
        sql_trouble_read(SQL_HANDLE_DBC, link->handle, ret_trouble);
    return false;
}

static bool link_connect(struct sql_link *link, struct sql_trouble *ret_trouble) {
    SQLHDBC handle = link->handle;
    char product[64] = "";
    SQLSMALLINT length;
    SQLSetConnectAttr(handle, SQL_ATTR_LOGIN_TIMEOUT, attribute_of(SQL_LOGIN_TIMEOUT_S), SQL_IS_UINTEGER);
    if (link->config->read_only)
        SQLSetConnectAttr(handle, SQL_ATTR_ACCESS_MODE, attribute_of(SQL_MODE_READ_ONLY), SQL_IS_UINTEGER);
    char *string = sql_file_string(link->config->connection, link->config->timeout_s);
    SQLRETURN code = string ? SQLDriverConnect(handle, NULL, (SQLCHAR *)string, SQL_NTS, NULL, 0, NULL,
                                               SQL_DRIVER_NOPROMPT)
                            : SQL_ERROR;
    free(string);
    if (!SQL_SUCCEEDED(code)) {
        sql_trouble_read(SQL_HANDLE_DBC, handle, ret_trouble);
        return false;
    }
    SQLGetInfo(handle, SQL_DBMS_NAME, product, sizeof product, &length);
    if (file_open(link, product, ret_trouble) &&
        (!link->config->read_only || session_protect(handle, product, ret_trouble)))
        return true;
    sql_file_close(&link->file);
    SQLDisconnect(handle);
    return false;
}

int sql_link_open(SQLHENV environment, const struct sql_config *config, struct sql_link **ret,
                  struct sql_trouble *ret_trouble) {
    struct sql_link *link = calloc(1, sizeof *link);
    if (!link)
        return -EST_NO_MEMORY;
    link->config = config;
    link->statements = calloc(config->type_count ? config->type_count : 1, sizeof *link->statements);
    if (!link->statements || !SQL_SUCCEEDED(SQLAllocHandle(SQL_HANDLE_DBC, environment, &link->handle))) {
        sql_link_close(&link);
        return -EST_NO_MEMORY;
    }
    if (!link_connect(link, ret_trouble)) {
        SQLFreeHandle(SQL_HANDLE_DBC, link->handle);
        link->handle = NULL;
        sql_link_close(&link);
        return -EST_UNREACHABLE;
    }
    *ret = link;
    return 0;
}

void sql_link_close(struct sql_link **pointer) {
    struct sql_link *link = *pointer;
    *pointer = NULL;
    if (!link)
        return;
    for (size_t i = 0; link->statements && i < link->config->type_count; i++)
        sql_link_forget(link, i);
    free(link->statements);
    sql_file_close(&link->file);
    if (link->handle) {
        SQLDisconnect(link->handle);
        SQLFreeHandle(SQL_HANDLE_DBC, link->handle);
    }
    free(link);
}

bool sql_link_is_dead(struct sql_link *link, const char *state) {
    if (!strncmp(state, "08", 2))
        return true;
    for (size_t i = 0; i < sizeof states_of_death / sizeof states_of_death[0]; i++)
        if (!strcmp(state, states_of_death[i]))
            return true;
    SQLUINTEGER dead = SQL_CD_FALSE;
    SQLGetConnectAttr(link->handle, SQL_ATTR_CONNECTION_DEAD, &dead, sizeof dead, NULL);
    return dead == SQL_CD_TRUE;
}

bool sql_link_is_locked(const struct sql_link *link, const struct sql_trouble *trouble) {
    enum { SQLITE_BUSY = 5, SQLITE_LOCKED = 6 };
    return link->file.is_sqlite && (trouble->native == SQLITE_BUSY || trouble->native == SQLITE_LOCKED);
}

bool sql_link_is_gone(const struct sql_link *link) {
    return sql_file_is_gone(&link->file);
}

bool sql_link_has_changed(struct sql_link *link) {
    return sql_file_has_changed(&link->file);
}

/* --- Statements --------------------------------------------------------------------------------- */

static const struct {
    SQLSMALLINT type;
    enum sql_kind kind;
} type_kinds[] = {
    {SQL_TINYINT, SQL_KIND_INT}, {SQL_SMALLINT, SQL_KIND_INT}, {SQL_INTEGER, SQL_KIND_INT},
    {SQL_BIGINT, SQL_KIND_INT},  {SQL_BIT, SQL_KIND_BOOL},
};

/* psqlodbc describes a boolean as a text of 5, so the type's own name counts first. */
static enum sql_kind kind_of(const char *type_name, SQLSMALLINT type, SQLSMALLINT scale) {
    if (!strcasecmp(type_name, "bool") || !strcasecmp(type_name, "boolean"))
        return SQL_KIND_BOOL;
    for (size_t i = 0; i < sizeof type_kinds / sizeof type_kinds[0]; i++)
        if (type == type_kinds[i].type)
            return type_kinds[i].kind;
    return (type == SQL_NUMERIC || type == SQL_DECIMAL) && scale == 0 ? SQL_KIND_INT : SQL_KIND_TEXT;
}

static bool column_describe(SQLHSTMT handle, SQLUSMALLINT index, struct sql_column *ret) {
    SQLCHAR type_name[129] = "";
    SQLSMALLINT length, type, scale, nullable;
    SQLULEN size;
    if (!SQL_SUCCEEDED(SQLDescribeCol(handle, index, (SQLCHAR *)ret->name, sizeof ret->name, &length, &type,
                                      &size, &scale, &nullable)))
        return false;
    SQLColAttribute(handle, index, SQL_DESC_TYPE_NAME, type_name, sizeof type_name, &length, NULL);
    ret->kind = kind_of((char *)type_name, type, scale);
    return true;
}

static int columns_describe(struct sql_statement *statement, struct sql_trouble *ret_trouble) {
    SQLSMALLINT count = 0;
    if (!SQL_SUCCEEDED(SQLNumResultCols(statement->handle, &count))) {
        sql_trouble_read(SQL_HANDLE_STMT, statement->handle, ret_trouble);
        return -EST_INPUT;
    }
    if (count < 1 || count > SQL_COLUMNS_MAX) {
        trouble_set(ret_trouble, "the statement gives %s columns", count < 1 ? "no" : "too many");
        return -EST_INPUT;
    }
    statement->columns = calloc((size_t)count, sizeof *statement->columns);
    if (!statement->columns)
        return -EST_NO_MEMORY;
    for (SQLSMALLINT i = 0; i < count; i++)
        if (!column_describe(statement->handle, (SQLUSMALLINT)(i + 1), &statement->columns[i])) {
            sql_trouble_read(SQL_HANDLE_STMT, statement->handle, ret_trouble);
            return -EST_INPUT;
        }
    statement->column_count = (size_t)count;
    return 0;
}

bool sql_statement_is_old(const struct sql_statement *statement) {
    SQLSMALLINT count = 0;
    if (!SQL_SUCCEEDED(SQLNumResultCols(statement->handle, &count)) || (size_t)count != statement->column_count)
        return true;
    for (size_t i = 0; i < statement->column_count; i++) {
        struct sql_column now = {.name = ""};
        if (!column_describe(statement->handle, (SQLUSMALLINT)(i + 1), &now) ||
            strcmp(now.name, statement->columns[i].name))
            return true;
    }
    return false;
}

int sql_column_find(const struct sql_statement *statement, const char *name) {
    for (size_t i = 0; i < statement->column_count; i++)
        if (!strcasecmp(statement->columns[i].name, name))
            return (int)i;
    return -1;
}

/* The next column that the configuration names and the result has not, with its place; NULL: there is
 * none. *at counts the fields and then the picks, from 0. */
static const char *column_missing(const struct sql_statement *statement, const struct sql_type *type,
                                  size_t *at, yaml_node *ret_node) {
    const struct sql_pick *picks[] = {&type->outcome, &type->reason, &type->legal_ref, &type->valid_until};
    size_t fields = type->field_count, count = fields + sizeof picks / sizeof picks[0];
    while (*at < count) {
        size_t i = (*at)++;
        const char *column = i < fields ? type->fields[i].column : picks[i - fields]->column;
        *ret_node = i < fields ? type->fields[i].node : picks[i - fields]->node;
        if (column && sql_column_find(statement, column) < 0)
            return column;
    }
    return NULL;
}

#define COLUMN_MISSING "the result has no column \"%s\""

static int columns_match(const struct sql_statement *statement, const struct sql_type *type,
                         struct sql_trouble *ret_trouble) {
    size_t at = 0;
    yaml_node node;
    const char *missing = column_missing(statement, type, &at, &node);
    if (missing)
        trouble_set(ret_trouble, COLUMN_MISSING, missing);
    return missing ? -EST_INPUT : 0;
}

/* Has an earlier column this one's name? */
static bool name_is_taken(const struct sql_statement *statement, size_t index) {
    for (size_t i = 0; i < index; i++)
        if (!strcmp(statement->columns[i].name, statement->columns[index].name))
            return true;
    return false;
}

static void columns_check(const struct sql_statement *statement, const struct sql_type *type,
                          struct yaml *yaml) {
    size_t at = 0;
    yaml_node node;
    for (const char *missing; (missing = column_missing(statement, type, &at, &node));)
        yaml_complain(yaml, node, COLUMN_MISSING, missing);
    for (size_t i = 1; !type->field_count && i < statement->column_count; i++)
        if (name_is_taken(statement, i))
            yaml_complain(yaml, type->select_node,
                          "the result has the column \"%s\" twice, and every column is the field of its name: "
                          "name one otherwise (AS), or give reply:",
                          statement->columns[i].name);
}

/* A marker that the driver sees and we did not (or the other way round) would shift the values. */
static int markers_match(const struct sql_statement *statement, const struct sql_type *type,
                         struct sql_trouble *ret_trouble) {
    SQLSMALLINT count = 0;
    if (SQL_SUCCEEDED(SQLNumParams(statement->handle, &count)) && (size_t)count != type->text.count) {
        trouble_set(ret_trouble, "the driver counts other values than the :names; %s",
                    "quote whatever it may take for a marker");
        return -EST_INPUT;
    }
    return 0;
}

static int statement_make(struct sql_link *link, const struct sql_type *type, struct sql_statement *statement,
                          struct sql_trouble *ret_trouble) {
    if (!SQL_SUCCEEDED(SQLAllocHandle(SQL_HANDLE_STMT, link->handle, &statement->handle))) {
        statement->handle = NULL;
        sql_trouble_read(SQL_HANDLE_DBC, link->handle, ret_trouble);
        return -EST_INPUT;
    }
    /* Not every driver knows timeouts; the pool's guard stands behind this. */
    SQLSetStmtAttr(statement->handle, SQL_ATTR_QUERY_TIMEOUT, attribute_of(link->config->timeout_s), 0);
    if (!SQL_SUCCEEDED(SQLPrepare(statement->handle, (SQLCHAR *)type->text.statement, SQL_NTS))) {
        sql_trouble_read(SQL_HANDLE_STMT, statement->handle, ret_trouble);
        return -EST_INPUT;
    }
    int code = columns_describe(statement, ret_trouble);
    return code ? code : markers_match(statement, type, ret_trouble);
}

int sql_link_prepare(struct sql_link *link, size_t type, struct sql_statement **ret,
                     struct sql_trouble *ret_trouble) {
    struct sql_statement *statement = &link->statements[type];
    if (!statement->handle) {
        const struct sql_type *about = &link->config->types[type];
        if (!sql_file_begin(&link->file)) {
            sql_trouble_read(SQL_HANDLE_STMT, link->file.tables_ask, ret_trouble);
            return -EST_INPUT;
        }
        int code = statement_make(link, about, statement, ret_trouble);
        if (!code)
            code = columns_match(statement, about, ret_trouble);
        if (code) {
            sql_link_forget(link, type);
            return code;
        }
    }
    *ret = statement;
    return 0;
}

void sql_link_check(struct sql_link *link, size_t type, struct yaml *yaml) {
    const struct sql_type *about = &link->config->types[type];
    struct sql_statement *statement = &link->statements[type];
    struct sql_trouble trouble = {"", "", 0};
    int code = statement_make(link, about, statement, &trouble);
    if (code)
        yaml_complain(yaml, about->select_node, "select: SQLSTATE %s: %s",
                      trouble.state[0] ? trouble.state : "none",
                      code == -EST_NO_MEMORY ? est_code_text(code) : trouble.text);
    else
        columns_check(statement, about, yaml);
    sql_link_forget(link, type);
}

void sql_link_forget(struct sql_link *link, size_t type) {
    struct sql_statement *statement = &link->statements[type];
    if (statement->handle)
        SQLFreeHandle(SQL_HANDLE_STMT, statement->handle);
    free(statement->columns);
    memset(statement, 0, sizeof *statement);
}
