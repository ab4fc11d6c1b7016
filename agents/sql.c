/* sql.c - the sql back end: one SELECT for each inquiry type, over ODBC.
 *
 * One inquiry takes a connection of the pool, binds, executes, reads, and gives it back. A
 * connection that was lost while it lay idle (the database was restarted) costs the inquiry
 * nothing: a SELECT may be run twice, so it is run once more on a new connection.
 *
 * Reasons carry the SQLSTATE and never the driver's sentence, because a sentence may quote the data.
 */
#include "sql_pool.h"
#include "sql_bind.h"
#include "sql_reply.h"
#include "verdict.h"
#include "codec.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sql_backend {
    struct backend base;
    struct sql_config config;
    struct backend_room room;
    struct sql_pool *pool;
    const char **types;
};

/* PostgreSQL's cancelled statement, ODBC's two timeouts, ODBC's cancelled operation. */
static const char *const timeout_states[] = {"57014", "HYT00", "HYT01", "HY008"};

/* One inquiry on its way through the database. */
struct passage {
    struct sql_backend *backend;
    size_t type;
    const est_inquiry *in;
    est_answer *out;
    struct sql_slot *slot;
    bool was_used; /* the slot's connection, before */
};

static bool state_is_timeout(const char *state) {
    for (size_t i = 0; i < sizeof timeout_states / sizeof timeout_states[0]; i++)
        if (!strcmp(state, timeout_states[i]))
            return true;
    return false;
}

static void trouble_tell(const struct passage *p, const struct sql_trouble *trouble) {
    char sentence[768];
    snprintf(sentence, sizeof sentence, "%s: the statement cannot be prepared: SQLSTATE %s: %s",
             p->backend->config.types[p->type].name, trouble->state, trouble->text);
    p->backend->room.tell(sentence);
}

/* Decides what an error means for the connection and for the inquiry. True: worth a new connection. */
static bool trouble_judge(struct passage *p, const struct sql_trouble *trouble, bool was_cancelled,
                          est_verdict *ret) {
    const char *name = p->backend->config.types[p->type].name;
    struct sql_link *link = sql_slot_link(p->slot);
    bool is_dead = trouble->state[0] && sql_link_is_dead(link, trouble->state);
    bool is_locked = sql_link_is_locked(link, trouble);
    sql_link_forget(link, p->type);
    if (is_dead)
        sql_slot_drop(p->slot);
    if (was_cancelled && p->backend->room.is_over(p->in))
        *ret = verdict_retry(p->out, "%s: the lease ended; the query was cancelled", name);
    else if (is_locked)
        *ret = verdict_retry(p->out, "%s: another program has locked the database (SQLSTATE %s)", name,
                             trouble->state);
    else if (was_cancelled || state_is_timeout(trouble->state))
        *ret = verdict_retry(p->out, "%s: the query ran longer than %u s (SQLSTATE %s)", name,
                             p->backend->config.timeout_s, trouble->state);
    else if (is_dead)
        *ret = verdict_retry(p->out, "%s: the connection to the database was lost (SQLSTATE %s)", name,
                             trouble->state);
    else
        *ret = verdict_retry(p->out, "%s: the database refused the query (SQLSTATE %s)", name,
                             trouble->state[0] ? trouble->state : "none");
    return is_dead && !was_cancelled && p->was_used;
}

/* Binds, runs and reads. 0; -EST_IO with the diagnostics at the statement; -EST_CONFLICT when the result has
 * other columns than the statement had when it was prepared: read by its old place, a column would be another's. */
static int statement_answer(struct passage *p, const struct sql_statement *statement, est_verdict *ret) {
    const struct sql_type *type = &p->backend->config.types[p->type];
    struct sql_values values;
    int code = sql_values_bind(&values, statement->handle, &type->text, p->in);
    SQLRETURN executed = code ? SQL_ERROR : SQLExecute(statement->handle);
    if (!code && !SQL_SUCCEEDED(executed) && executed != SQL_NO_DATA)
        code = -EST_IO;
    if (!code && sql_statement_is_old(statement))
        code = -EST_CONFLICT;
    if (!code)
        code = sql_reply_read(type, statement, values.lacking, p->out, ret);
    sql_values_done(&values);
    return code;
}

/* The file was replaced, or a table was made anew: what this connection knows is not what the database is. */
static bool link_drop(struct passage *p, const char *why, est_verdict *ret) {
    *ret = verdict_retry(p->out, "%s: %s", p->backend->config.types[p->type].name, why);
    sql_slot_drop(p->slot);
    return true;
}

/* A statement whose columns do not match may have been read out of a table that is no more. */
static bool prepare_judge(struct passage *p, const struct sql_trouble *trouble, est_verdict *ret) {
    if (!trouble->state[0] && sql_link_has_changed(sql_slot_link(p->slot)))
        return link_drop(p, "the tables were changed", ret);
    trouble_tell(p, trouble);
    return trouble_judge(p, trouble, false, ret);
}

/* Tries once with the slot's connection. True: the connection was lost or given up, and another may do. */
static bool passage_try(struct passage *p, est_verdict *ret) {
    struct sql_trouble trouble = {"", "", 0};
    struct sql_statement *statement;
    struct sql_link *link = sql_slot_link(p->slot);
    if (sql_link_is_gone(link))
        return link_drop(p, "the file of the database was replaced", ret);
    if (sql_link_prepare(link, p->type, &statement, &trouble))
        return prepare_judge(p, &trouble, ret);
    sql_guard_begin(p->backend->pool, p->slot, statement->handle, p->in);
    int code = statement_answer(p, statement, ret);
    if (code == -EST_IO)
        sql_trouble_read(SQL_HANDLE_STMT, statement->handle, &trouble);
    bool was_cancelled = sql_guard_end(p->backend->pool, p->slot);
    if (code == -EST_IO)
        return trouble_judge(p, &trouble, was_cancelled, ret);
    SQLFreeStmt(statement->handle, SQL_CLOSE);
    SQLFreeStmt(statement->handle, SQL_RESET_PARAMS);
    if (code || sql_link_has_changed(link))
        return link_drop(p, "the tables were changed while it was asked", ret);
    return false;
}

/* What a failed try left behind. */
static void answer_reset(est_answer *out) {
    est_body_clear(out->body);
    out->outcome = EST_OUTCOME_NONE;
    out->reason[0] = out->remark[0] = out->legal_ref[0] = out->valid_until[0] = 0;
}

/* After a restart of the database every connection of the pool may be dead, after a change of its tables every
 * one may be old; each is tried once, and the one made last is new. */
static est_verdict passage_run(struct passage *p) {
    const char *name = p->backend->config.types[p->type].name;
    est_verdict verdict = EST_VERDICT_RETRY;
    for (unsigned tries = 0; tries <= p->backend->room.workers; tries++) {
        int code = sql_pool_take(p->backend->pool, p->in, &p->slot);
        if (code)
            return verdict_retry(p->out, "%s: %s", name,
                                 code == -EST_CLOSED ? "the lease ended" : "the database cannot be reached");
        p->was_used = sql_slot_is_used(p->slot);
        answer_reset(p->out);
        bool was_old = passage_try(p, &verdict);
        sql_pool_give(p->backend->pool, p->slot);
        if (!was_old)
            break;
    }
    return verdict;
}

static est_verdict sql_answer(struct backend *base, const est_inquiry *in, est_answer *out) {
    struct sql_backend *backend = (struct sql_backend *)base;
    for (size_t i = 0; i < backend->config.type_count; i++)
        if (slice_equal(in->type, slice_of(backend->config.types[i].name))) {
            struct passage passage = {backend, i, in, out, NULL, false};
            return passage_run(&passage);
        }
    return verdict_refuse(out, "this agent has no select: for the type %.*s", (int)in->type.size,
                          (const char *)in->type.data);
}

/* --- Open, check, close ------------------------------------------------------------------------------ */

static void sql_close(struct backend *base) {
    struct sql_backend *backend = (struct sql_backend *)base;
    sql_pool_close(&backend->pool);
    sql_config_done(&backend->config);
    free(backend->types);
    free(backend);
}

static int types_list(struct sql_backend *backend) {
    backend->types = calloc(backend->config.type_count + 1, sizeof *backend->types);
    if (!backend->types)
        return -EST_NO_MEMORY;
    for (size_t i = 0; i < backend->config.type_count; i++)
        backend->types[i] = backend->config.types[i].name;
    backend->base.types = backend->types;
    return 0;
}

static struct backend *sql_open(const struct backend_file *file, yaml_node section,
                                const struct backend_room *room) {
    struct sql_backend *backend = calloc(1, sizeof *backend);
    if (!backend) {
        yaml_complain(file->yaml, section, "out of memory");
        return NULL;
    }
    backend->base.class = &backend_sql;
    backend->room = *room;
    int code = sql_config_read(file->yaml, file->complaints, section, &backend->config);
    if (code) {
        free(backend);
        return NULL;
    }
    code = types_list(backend);
    if (!code)
        code = sql_pool_open(&backend->config, room, &backend->pool);
    if (code) {
        yaml_complain(file->yaml, section, "sql: cannot be started: %s", est_code_text(code));
        sql_close(&backend->base);
        return NULL;
    }
    return &backend->base;
}

static void sql_check(struct backend *base, struct yaml *yaml) {
    struct sql_backend *backend = (struct sql_backend *)base;
    struct sql_trouble trouble = {"", "", 0};
    struct sql_link *link = NULL;
    SQLHENV environment;
    if (!SQL_SUCCEEDED(SQLAllocHandle(SQL_HANDLE_ENV, SQL_NULL_HANDLE, &environment)))
        return yaml_complain(yaml, backend->config.connection_node, "out of memory");
    SQLSetEnvAttr(environment, SQL_ATTR_ODBC_VERSION, (SQLPOINTER)(uintptr_t)SQL_OV_ODBC3, 0);
    int code = sql_link_open(environment, &backend->config, &link, &trouble);
    if (code)
        yaml_complain(yaml, backend->config.connection_node, "connection: SQLSTATE %s: %s", trouble.state,
                      code == -EST_NO_MEMORY ? est_code_text(code) : trouble.text);
    for (size_t i = 0; link && i < backend->config.type_count; i++)
        sql_link_check(link, i, yaml);
    sql_link_close(&link);
    SQLFreeHandle(SQL_HANDLE_ENV, environment);
}

const struct backend_class backend_sql = {"sql", sql_open, sql_check, sql_answer, sql_close};
