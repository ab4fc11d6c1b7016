/* sql_reply.c - maps columns to fields, outcome and reason. See sql_reply.h. */
#include "sql_reply.h"
#include "sql_row.h"
#include "sql_value.h"
#include "verdict.h"
#include <string.h>

/* What a column went wrong with: its name and why, for the sentence of the retry. */
struct fault {
    const char *column, *why;
};

/* --- Fields ------------------------------------------------------------------------------------- */

static bool cell_pack(struct buffer *out, const struct sql_column *column, const struct sql_field *field,
                      est_slice cell, struct fault *fault) {
    enum sql_kind kind = field ? field->kind : SQL_KIND_AUTO;
    const char *split = field ? field->split : NULL;
    if (kind == SQL_KIND_AUTO)
        kind = split ? SQL_KIND_TEXT : column->kind;
    fault->column = column->name;
    return sql_value_pack(out, cell, kind, split, &fault->why);
}

/* The index-th reply field of this row: its name and its column. */
static const char *field_at(const struct sql_type *type, const struct sql_statement *statement, size_t index,
                            const struct sql_field **ret_field, size_t *ret_column) {
    *ret_field = type->field_count ? &type->fields[index] : NULL;
    *ret_column = *ret_field ? (size_t)sql_column_find(statement, (*ret_field)->column) : index;
    return *ret_field ? (*ret_field)->name : statement->columns[index].name;
}

static size_t field_count(const struct sql_type *type, const struct sql_statement *statement) {
    return type->field_count ? type->field_count : statement->column_count;
}

/* A NULL is a field that is not there. */
static bool fields_put(const struct sql_type *type, const struct sql_statement *statement,
                       const struct sql_row *row, est_body *body, struct fault *fault) {
    struct buffer value;
    buffer_init(&value);
    bool good = true;
    for (size_t i = 0; i < field_count(type, statement) && good; i++) {
        const struct sql_field *field;
        size_t column;
        est_slice cell;
        const char *name = field_at(type, statement, i, &field, &column);
        if (!sql_row_cell(row, column, &cell))
            continue;
        buffer_clear(&value);
        good = cell_pack(&value, &statement->columns[column], field, cell, fault);
        if (good && value.failed)
            *fault = (struct fault){name, "out of memory"}, good = false;
        if (good)
            est_body_raw(body, name, buffer_slice(&value));
    }
    buffer_done(&value);
    return good;
}

/* One row as a record at the end of a list. */
static bool record_pack(const struct sql_type *type, const struct sql_statement *statement,
                        const struct sql_row *row, struct buffer *out, struct fault *fault) {
    size_t count = field_count(type, statement), present = 0, column;
    const struct sql_field *field;
    est_slice cell;
    for (size_t i = 0; i < count; i++) {
        field_at(type, statement, i, &field, &column);
        present += sql_row_cell(row, column, &cell);
    }
    pack_map(out, present);
    for (size_t i = 0; i < count; i++) {
        const char *name = field_at(type, statement, i, &field, &column);
        if (!sql_row_cell(row, column, &cell))
            continue;
        pack_cstr(out, name);
        if (!cell_pack(out, &statement->columns[column], field, cell, fault))
            return false;
    }
    return true;
}

/* --- Outcome and the texts beside the fields ------------------------------------------------------- */

/* The pick's text for this row, empty where nothing is given or the column is NULL. False: the
 * column's value is not in the map. */
static bool pick_text(const struct sql_pick *pick, const struct sql_statement *statement,
                      const struct sql_row *row, est_slice *ret) {
    est_slice cell = {"", 0};
    *ret = pick->text ? slice_of(pick->text) : cell;
    if (!pick->column)
        return true;
    bool is_null = !sql_row_cell(row, (size_t)sql_column_find(statement, pick->column), &cell);
    *ret = cell;
    if (is_null || !pick->map)
        return true;
    for (size_t i = 0; i < pick->map_count; i++)
        if (slice_equal(cell, slice_of(pick->map[i].from)))
            return *ret = slice_of(pick->map[i].to), true;
    return false;
}

static bool pick_copy(const struct sql_pick *pick, const struct sql_statement *statement,
                      const struct sql_row *row, char *to, size_t size, struct fault *fault) {
    est_slice text;
    fault->column = pick->column;
    if (!pick_text(pick, statement, row, &text))
        return fault->why = "a value that its map does not name", false;
    if (!utf8_is_valid(text) || !text_copy(to, size, text))
        return fault->why = "a text that is too long or not UTF-8", false;
    return true;
}

static bool outcome_put(const struct sql_type *type, const struct sql_statement *statement,
                        const struct sql_row *row, est_answer *out, struct fault *fault) {
    est_slice text;
    fault->column = type->outcome.column;
    fault->why = "no outcome, or a value that its map does not name";
    if (!pick_text(&type->outcome, statement, row, &text))
        return false;
    out->outcome = est_outcome_parse(text);
    return out->outcome != EST_OUTCOME_NONE;
}

static bool beside_put(const struct sql_type *type, const struct sql_statement *statement,
                       const struct sql_row *row, est_answer *out, struct fault *fault) {
    return outcome_put(type, statement, row, out, fault) &&
           pick_copy(&type->reason, statement, row, out->reason, sizeof out->reason, fault) &&
           pick_copy(&type->legal_ref, statement, row, out->legal_ref, sizeof out->legal_ref, fault) &&
           pick_copy(&type->valid_until, statement, row, out->valid_until, sizeof out->valid_until, fault);
}

/* --- Rows ------------------------------------------------------------------------------------------ */

/* Reads rows until the end, `rows_max` or a fault. The first row gives what stands beside the fields. */
static int rows_take(const struct sql_type *type, const struct sql_statement *statement, struct sql_row *row,
                     struct buffer *records, size_t *ret_count, est_answer *out, struct fault *fault) {
    size_t rows_max = type->rows_field ? SQL_ROWS_MAX : 1;
    for (;;) {
        int code = sql_row_next(row, statement);
        if (code <= 0)
            return code;
        if (++*ret_count > rows_max)
            return 0;
        bool good = (*ret_count > 1 || beside_put(type, statement, row, out, fault)) &&
                    (type->rows_field ? record_pack(type, statement, row, records, fault)
                                      : fields_put(type, statement, row, out->body, fault));
        if (!good)
            return -EST_INVALID_ANSWER;
    }
}

static bool list_put(const struct sql_type *type, size_t count, const struct buffer *records,
                     est_body *body) {
    struct buffer list;
    buffer_init(&list);
    pack_array(&list, count);
    buffer_put(&list, records->data, records->size);
    bool good = !list.failed && !records->failed;
    if (good)
        est_body_raw(body, type->rows_field, buffer_slice(&list));
    buffer_done(&list);
    return good;
}

/* Nothing equals NULL, so a SELECT with a misspelt name finds no row for anybody: such a silence must
 * not become an answer that stands for good. */
static est_verdict no_row_judge(const struct sql_type *type, const char *lacking, est_answer *out) {
    if (lacking)
        return verdict_retry(out, "%s: the SELECT asks for :%s, which the inquiry does not have", type->name,
                             lacking);
    out->outcome = type->no_row;
    return EST_VERDICT_ANSWER;
}

static est_verdict rows_judge(const struct sql_type *type, size_t count, const struct buffer *records,
                              est_answer *out) {
    if (!type->rows_field && count > 1)
        return verdict_retry(out, "%s: more than one row", type->name);
    if (count > SQL_ROWS_MAX)
        return verdict_retry(out, "%s: more than %d rows", type->name, SQL_ROWS_MAX);
    if (type->rows_field && !list_put(type, count, records, out->body))
        return verdict_retry(out, "%s: out of memory", type->name);
    est_slice all;
    if (est_body_slice(out->body, &all))
        return verdict_retry(out, "%s: the reply cannot be sent: %s", type->name, est_body_fault(out->body));
    return EST_VERDICT_ANSWER;
}

int sql_reply_read(const struct sql_type *type, const struct sql_statement *statement, const char *lacking,
                   est_answer *out, est_verdict *ret_verdict) {
    struct sql_row row;
    struct buffer records;
    struct fault fault = {"?", "?"};
    size_t count = 0;
    sql_row_init(&row);
    buffer_init(&records);
    int code = rows_take(type, statement, &row, &records, &count, out, &fault);
    if (!code)
        *ret_verdict = count ? rows_judge(type, count, &records, out) : no_row_judge(type, lacking, out);
    else if (code == -EST_INVALID_ANSWER)
        *ret_verdict =
            verdict_retry(out, "%s: column %s: %s", type->name, fault.column ? fault.column : "?", fault.why);
    else if (code != -EST_IO)
        *ret_verdict = verdict_retry(out,
                                     code == -EST_TOO_LARGE ? "%s: a row is larger than %d bytes"
                                                            : "%s: no memory for a row of up to %d bytes",
                                     type->name, SQL_ROW_SIZE_MAX);
    buffer_done(&records);
    sql_row_done(&row);
    return code == -EST_IO ? code : 0;
}
