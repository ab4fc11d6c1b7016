/* search.c - inquiries by a filter: as pages, as CSV, and parked ones put back in bulk.
 *
 * All of it stands on FIND, which operators ask. For a requester the gateway asks by its own operator
 * account, limited to that requester: once in the filter, where every term must hold, and once more
 * here, row by row.
 */
#include "codec.h"
#include "question.h"
#include "route.h"
#include "view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE_DEFAULT = 50, PAGE_MAX = 500, CSV_ROWS_MAX = 10000, REQUEUE_MAX = 1000, FILTER_MAX = 1000 };

static bool own_of(const struct request *r, est_slice requester) {
    return line_role(r->line) == ROLE_OPERATOR_BIT || slice_equal(requester, slice_of(line_account(r->line)));
}

/* Ours stands behind what was typed, so that the broker counts characters as whoever typed them does. Every
 * term must hold and the language has no brackets, so nothing before it lets ours go; a quote without an
 * end is refused as a whole. */
static bool filter_join(struct question *q, const char *name, const char *typed, const char *ours) {
    size_t most = FILTER_MAX - strlen(ours);
    snprintf(q->text, sizeof q->text, "%s%s", typed ? typed : "", ours);
    if (!typed || strlen(typed) <= most)
        return true;
    request_problem(q->request, EST_INVALID_FIELD, "%s: is longer than %zu bytes", name, most);
    return false;
}

/* Which line asks, and the filter that it asks by; NULL where that was told already. */
static struct line *search_line(struct question *q) {
    struct request *r = q->request;
    bool requester = line_role(r->line) == ROLE_REQUESTER_BIT;
    struct line *line = requester ? gateway_feed_line(r->gateway) : r->line;
    char own[EST_NAME_MAX + 16] = "";
    if (requester)
        snprintf(own, sizeof own, " requester:%s", line_account(r->line));
    if (!line)
        request_problem(r, GW_NO_OPERATOR, "search is asked by an operator's account");
    return line && filter_join(q, "q", request_query(r, "q"), own) ? line : NULL;
}

static int call_find(struct question *q, est_client *client, uint64_t ref) {
    return est_client_find(client, ref, q->text, q->after, q->limit, q->on);
}

/* --- Pages ------------------------------------------------------------------------------------- */

static json_t *rows_own(const struct request *r, const est_event *event) {
    json_t *list = json_array();
    struct each rows;
    est_find_row row;
    each_open(&rows, event);
    while (each_next(&rows) && est_row_find(&rows.one, 0, &row))
        if (own_of(r, row.requester))
            json_array_append_new(list, view_find_row(&rows.one, 0));
    each_close(&rows);
    return list;
}

static bool answer_find(struct question *q, const est_event *event) {
    json_t *json = view_list(event, view_find_row);
    json_object_set_new(json, "rows", rows_own(q->request, event));
    json_object_set_new(json, "behind", json_integer((json_int_t)event->behind));
    if (q->on) {
        json_object_set_new(json, "count", json_integer((json_int_t)event->count));
        json_object_set_new(json, "counted_all", json_boolean(event->counted_all));
    }
    request_reply(q->request, MHD_HTTP_OK, json);
    return true;
}

void handle_search(struct request *r) {
    uint64_t after = 0, limit = PAGE_DEFAULT, count = 0;
    if (!request_query_uint(r, "after", UINT64_MAX, &after) ||
        !request_query_uint(r, "limit", PAGE_MAX, &limit) || !request_query_uint(r, "count", 1, &count))
        return;
    struct question *q = question_new(r);
    struct line *line = q ? search_line(q) : NULL;
    if (!line)
        return;
    q->after = after;
    q->limit = (unsigned)limit;
    q->on = count;
    question_ask(q, line, call_find, answer_find);
}

/* --- CSV --------------------------------------------------------------------------------------- */

/* A text that grows; q->more is one. */
struct text {
    FILE *file;
    char *data;
    size_t size;
    unsigned rows, rows_max;
    bool cut; /* there are more rows than rows_max */
    struct line *line;
};

static const char *const csv_columns[] = {
    "number", "id",    "tracking", "type", "department", "district",    "requester", "purpose", "case_id",
    "parcel", "state", "outcome",  "code", "attempts",   "received_at", "due_at",    "ended_at"};
enum { CSV_COLUMNS = sizeof csv_columns / sizeof csv_columns[0] };

/* RFC 4180. A text that a spreadsheet would take for a formula gets an apostrophe. */
static void cell_write(FILE *file, const json_t *value) {
    const char *text = json_string_value(value);
    if (json_is_integer(value))
        fprintf(file, "%lld", (long long)json_integer_value(value));
    if (!text)
        return;
    bool formula = strchr("=+-@\t\r", text[0]) && text[0];
    fputc('"', file);
    if (formula)
        fputc('\'', file);
    for (; *text; text++) {
        if (*text == '"')
            fputc('"', file);
        fputc(*text, file);
    }
    fputc('"', file);
}

static void csv_row(FILE *file, const json_t *row) {
    for (size_t i = 0; i < CSV_COLUMNS; i++) {
        if (i)
            fputc(',', file);
        cell_write(file, json_object_get(row, csv_columns[i]));
    }
    fputs("\r\n", file);
}

static void csv_head(FILE *file) {
    fputs("\xEF\xBB\xBF", file); /* by which spreadsheets know UTF-8 */
    for (size_t i = 0; i < CSV_COLUMNS; i++)
        fprintf(file, "%s%s", i ? "," : "", csv_columns[i]);
    fputs("\r\n", file);
}

/* Whoever has fewer rows than were found is told: the file itself looks whole. */
static void csv_done(struct question *q, struct text *text) {
    char rows[24];
    fclose(text->file);
    text->file = NULL;
    request_text(q->request, MHD_HTTP_OK, "text/csv; charset=utf-8", text->data ? text->data : "",
                 text->size);
    request_header(q->request, MHD_HTTP_HEADER_CONTENT_DISPOSITION, "attachment; filename=\"inquiries.csv\"");
    snprintf(rows, sizeof rows, "%u", text->rows);
    if (text->cut)
        request_header(q->request, "Estelam-Truncated", rows);
    free(text->data);
    text->data = NULL;
}

static bool answer_csv(struct question *q, const est_event *event) {
    struct text *text = q->more;
    json_t *rows = event->kind == EST_EVENT_FIND ? rows_own(q->request, event) : NULL, *row;
    size_t i;
    if (!rows) { /* what was gathered goes with the refusal */
        fclose(text->file);
        free(text->data);
        text->data = NULL;
        request_refused(q->request, event);
        return true;
    }
    json_array_foreach(rows, i, row) {
        text->cut = text->rows == text->rows_max;
        if (text->cut)
            break;
        csv_row(text->file, row);
        text->rows++;
    }
    json_decref(rows);
    if (!event->next || text->cut) {
        csv_done(q, text);
        return true;
    }
    q->after = event->next;
    question_ask_again(q, text->line, call_find, answer_csv);
    return false;
}

void handle_csv(struct request *r) {
    uint64_t most = CSV_ROWS_MAX;
    if (!request_query_uint(r, "limit", CSV_ROWS_MAX, &most))
        return;
    struct question *q = question_new(r);
    struct line *line = q ? search_line(q) : NULL;
    struct text *text = line ? q->more = calloc(1, sizeof *text) : NULL;
    if (!line)
        return;
    if (text)
        text->file = open_memstream(&text->data, &text->size);
    if (!text || !text->file) {
        request_problem(r, EST_NO_MEMORY, "%s", "");
        return;
    }
    csv_head(text->file);
    text->rows_max = (unsigned)most;
    text->line = line;
    q->limit = PAGE_MAX;
    q->takes_refusals = true;
    question_ask(q, line, call_find, answer_csv);
}

/* --- Bulk requeue ------------------------------------------------------------------------------ */

/* The numbers of one look at the index, then one REQUEUE after the other. */
struct bulk {
    uint64_t numbers[REQUEUE_MAX];
    size_t count, at, requeued, failed;
    bool more;
};

static void bulk_done(struct question *q, const struct bulk *bulk) {
    request_reply(q->request, MHD_HTTP_OK,
                  json_pack("{s:I, s:I, s:I, s:b}", "count", (json_int_t)bulk->count, "requeued",
                            (json_int_t)bulk->requeued, "failed", (json_int_t)bulk->failed, "more",
                            (int)bulk->more));
}

static int call_requeue_next(struct question *q, est_client *client, uint64_t ref) {
    const struct bulk *bulk = q->more;
    return est_client_requeue(client, ref, bulk->numbers[bulk->at], q->reason);
}

static bool answer_requeue_next(struct question *q, const est_event *event) {
    struct bulk *bulk = q->more;
    if (event && event->kind == EST_EVENT_DONE)
        bulk->requeued++;
    else if (event) /* somebody else was quicker, or it has ended */
        bulk->failed++;
    bulk->at += event != NULL;
    bool lost = event && est_code_layer(event->code) == EST_LAYER_LOCAL;
    bulk->more = bulk->more || (lost && bulk->at < bulk->count);
    if (lost || bulk->at == bulk->count) {
        bulk_done(q, bulk);
        return true;
    }
    question_ask_again(q, q->request->line, call_requeue_next, answer_requeue_next);
    return false;
}

static bool answer_bulk_found(struct question *q, const est_event *event) {
    struct bulk *bulk = q->more;
    struct each rows;
    est_find_row row;
    if (event->kind == EST_EVENT_REFUSED) {
        request_refused(q->request, event);
        return true;
    }
    each_open(&rows, event);
    while (bulk->count < REQUEUE_MAX && each_next(&rows) && est_row_find(&rows.one, 0, &row))
        bulk->numbers[bulk->count++] = row.number;
    each_close(&rows);
    if (event->next && bulk->count < REQUEUE_MAX) {
        q->after = event->next;
        question_ask_again(q, q->request->line, call_find, answer_bulk_found);
        return false;
    }
    bulk->more = event->next != 0;
    return answer_requeue_next(q, NULL);
}

static bool answer_bulk_count(struct question *q, const est_event *event) {
    request_reply(q->request, MHD_HTTP_OK,
                  json_pack("{s:I, s:b, s:I}", "count", (json_int_t)event->count, "counted_all",
                            (int)event->counted_all, "behind", (json_int_t)event->behind));
    return true;
}

void handle_parked_requeue(struct request *r) {
    static const char *const names[] = {"filter", "reason", "count_only", NULL};
    struct question *q = question_new(r);
    struct bulk *bulk = q ? q->more = calloc(1, sizeof *bulk) : NULL;
    if (!bulk) {
        request_problem(r, EST_NO_MEMORY, "%s", "");
        return;
    }
    struct form form = form_open(r, names);
    const char *filter = form_text(&form, "filter", false, FILTER_MAX);
    q->on = form_bool(&form, "count_only", false);
    q->reason = form_text(&form, "reason", !q->on, EST_TEXT_MAX);
    if (!form_close(&form) || !filter_join(q, "filter", filter, " state:parked"))
        return;
    q->limit = q->on ? 1 : PAGE_MAX;
    q->takes_refusals = !q->on;
    question_ask(q, r->line, call_find, q->on ? answer_bulk_count : answer_bulk_found);
}
