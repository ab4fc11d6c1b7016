/* table.c - see table.h. Columns are aligned by what a terminal shows, not by bytes. */
#include "table.h"
#include "json.h"
#include "heap.h"
#include "text.h"
#include "moment.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { COLUMN_MIN = 8, GAP = 2 };

struct cell {
    char *text; /* clean, never NULL */
    json_t *json;
};

struct table {
    const struct column *columns;
    size_t count;
    struct cell *cells;
    size_t used, room;
};

struct table *table_new(const struct column *columns, size_t count) {
    struct table *table = heap_new(1, sizeof *table);
    table->columns = columns;
    table->count = count;
    return table;
}

void table_free(struct table **at) {
    struct table *table = *at;
    if (!table)
        return;
    table_clear(table);
    free(table->cells);
    heap_free((void **)at);
}

size_t table_rows(const struct table *table) {
    return table->used / table->count;
}

void table_clear(struct table *table) {
    for (size_t i = 0; i < table->used; i++) {
        free(table->cells[i].text);
        json_decref(table->cells[i].json);
    }
    table->used = 0;
}

/* --- Cells ------------------------------------------------------------------------------------ */

static void cell_add(struct table *table, char *text, json_t *json) {
    if (table->used == table->room) {
        table->room = table->room ? table->room * 2 : 64;
        table->cells = heap_grow(table->cells, table->room, sizeof *table->cells);
    }
    table->cells[table->used++] = (struct cell){text, json ? json : json_null()};
}

void cell_none(struct table *table) {
    cell_add(table, heap_text("", 0), NULL);
}

void cell_text(struct table *table, est_slice text) {
    if (text.size == 0) {
        cell_none(table);
        return;
    }
    char *clean = text_clean(text);
    json_t *json = json_stringn(text.data, text.size);
    cell_add(table, clean, json ? json : json_string(clean));
}

void cell_cstr(struct table *table, const char *text) {
    cell_text(table, slice_of(text));
}

void cell_uint(struct table *table, uint64_t value) {
    char text[24];
    int size = snprintf(text, sizeof text, "%" PRIu64, value);
    /* JSON integers here are signed; what is greater goes as text rather than wrong. */
    cell_add(table, heap_text(text, (size_t)size),
             value <= INT64_MAX ? json_integer((json_int_t)value) : json_string(text));
}

void cell_number(struct table *table, uint64_t number) {
    if (number)
        cell_uint(table, number);
    else
        cell_none(table);
}

void cell_bool(struct table *table, bool value) {
    cell_add(table, heap_text(value ? "yes" : "no", value ? 3 : 2), json_boolean(value));
}

static void cell_instant(struct table *table, est_time time, const char *text) {
    char utc[MOMENT_SIZE];
    moment_utc(time, utc);
    if (time.us == 0)
        cell_none(table);
    else
        cell_add(table, heap_text(text, strlen(text)), json_string(utc));
}

void cell_time(struct table *table, est_time time) {
    char text[MOMENT_SIZE];
    moment_local(time, text);
    cell_instant(table, time, text);
}

void cell_age(struct table *table, est_time time, est_time now) {
    char text[MOMENT_SPAN_SIZE];
    moment_span((est_span){now.us - time.us}, text);
    cell_instant(table, time, text);
}

void cell_took(struct table *table, int64_t ms) {
    char text[MOMENT_SPAN_SIZE];
    moment_span((est_span){ms * EST_US_PER_MS}, text);
    cell_add(table, heap_text(text, strlen(text)), json_integer(ms));
}

/* A text as it is, everything else as compact JSON. To be freed. */
static char *value_text(const json_t *value) {
    if (json_is_string(value))
        return heap_text(json_string_value(value), json_string_length(value));
    char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    return text ? text : heap_text("?", 1);
}

static char *fields_text(json_t *fields) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return heap_text("", 0);
    const char *name, *gap = "";
    json_t *value;
    json_object_foreach(fields, name, value) {
        char *shown = value_text(value);
        fprintf(out, "%s%s=%s", gap, name, shown);
        free(shown);
        gap = ", ";
    }
    fclose(out);
    return text;
}

void cell_json(struct table *table, json_t *value) {
    if (!value || json_is_null(value)) {
        json_decref(value);
        cell_none(table);
        return;
    }
    char *raw = json_is_object(value) ? fields_text(value) : value_text(value);
    cell_add(table, text_clean(slice_of(raw)), value);
    free(raw);
}

void cell_body(struct table *table, est_slice msgpack) {
    cell_json(table, msgpack.size ? json_from_msgpack(msgpack) : NULL);
}

/* --- Printing --------------------------------------------------------------------------------- */

struct style style_of(FILE *out) {
    struct style style = {.terminal = isatty(fileno(out))};
    struct winsize size;
    if (style.terminal && ioctl(fileno(out), TIOCGWINSZ, &size) == 0)
        style.width = size.ws_col;
    return style;
}

static void widths_measure(const struct table *table, unsigned *ret_widths) {
    for (size_t c = 0; c < table->count; c++) {
        const struct column *column = &table->columns[c];
        unsigned width = column->title ? text_width(column->title) : 0;
        for (size_t i = c; column->title && i < table->used; i += table->count) {
            unsigned cell = text_width(table->cells[i].text);
            width = cell > width ? cell : width;
        }
        ret_widths[c] = column->max && width > column->max ? column->max : width;
    }
}

/* Takes columns from the widest until the row fits, but leaves each something to show. */
static void widths_shrink(const struct table *table, unsigned *widths, unsigned room) {
    for (;;) {
        unsigned all = 0;
        size_t widest = 0;
        for (size_t c = 0; c < table->count; c++) {
            all += table->columns[c].title ? widths[c] + GAP : 0;
            widest = widths[c] > widths[widest] ? c : widest;
        }
        if (all <= room + GAP || widths[widest] <= COLUMN_MIN)
            return;
        widths[widest]--;
    }
}

static void blanks_print(unsigned count, FILE *out) {
    fprintf(out, "%*s", (int)count, "");
}

static void text_print(const char *text, unsigned width, bool right, bool last, struct style style,
                       FILE *out) {
    unsigned own = text_width(text);
    bool cut = own > width;
    size_t bytes = cut ? text_fit(text, width ? width - 1 : 0) : strlen(text);
    bool isolate = style.terminal && text_has_rtl(text);
    unsigned pad = cut ? 0 : width - own;
    if (cut) {
        char *kept = heap_text(text, bytes);
        pad = width - 1 - text_width(kept); /* a wide character may leave one column over */
        free(kept);
    }
    if (right)
        blanks_print(pad, out);
    fprintf(out, "%s%.*s%s%s", isolate ? "\u2068" : "", (int)bytes, text, cut ? "…" : "",
            isolate ? "\u2069" : "");
    if (!right && !last)
        blanks_print(pad, out);
}

/* One row: the cells from `cells` on, or the titles where that is NULL. */
static void row_print(const struct table *table, const struct cell *cells, const unsigned *widths,
                      struct style style, FILE *out) {
    size_t last = 0;
    for (size_t c = 0; c < table->count; c++)
        last = table->columns[c].title ? c : last;
    for (size_t c = 0; c <= last; c++) {
        const struct column *column = &table->columns[c];
        if (!column->title)
            continue;
        text_print(cells ? cells[c].text : column->title, widths[c], column->right, c == last, style, out);
        if (c != last)
            blanks_print(GAP, out);
    }
    fputc('\n', out);
}

void table_print(const struct table *table, struct style style, FILE *out) {
    unsigned *widths = heap_new(table->count, sizeof *widths);
    widths_measure(table, widths);
    if (style.width)
        widths_shrink(table, widths, style.width);
    row_print(table, NULL, widths, style, out);
    for (size_t row = 0; row < table_rows(table); row++)
        row_print(table, &table->cells[row * table->count], widths, style, out);
    free(widths);
}

void table_print_sheet(const struct table *table, struct style style, FILE *out) {
    if (table_rows(table) == 0)
        return;
    unsigned width = 0;
    for (size_t c = 0; c < table->count; c++) {
        const char *title = table->columns[c].title;
        if (title && *table->cells[c].text && text_width(title) > width)
            width = text_width(title);
    }
    for (size_t c = 0; c < table->count; c++) {
        const char *title = table->columns[c].title, *text = table->cells[c].text;
        if (!title || !*text)
            continue;
        text_print(title, width, false, false, style, out);
        blanks_print(GAP, out);
        text_print(text, text_width(text), false, true, style, out);
        fputc('\n', out);
    }
}

json_t *table_json(const struct table *table, size_t row) {
    json_t *object = json_object();
    for (size_t c = 0; c < table->count; c++)
        if (table->columns[c].key)
            json_object_set(object, table->columns[c].key, table->cells[row * table->count + c].json);
    return object;
}

void table_print_json(const struct table *table, FILE *out) {
    for (size_t row = 0; row < table_rows(table); row++) {
        json_t *object = table_json(table, row);
        json_dumpf(object, out, JSON_COMPACT);
        fputc('\n', out);
        json_decref(object);
    }
}

/* Quoted where a comma, a quote or a line end is in it. A text that a spreadsheet would take for a
 * formula is given an apostrophe, which it passes over. */
static void csv_text_print(const char *text, FILE *out) {
    bool formula = *text && strchr("=+@\t\r", *text);
    bool quoted = formula || strpbrk(text, ",\"\r\n");
    fputs(quoted ? "\"" : "", out);
    fputs(formula ? "'" : "", out);
    for (; *text; text++)
        fprintf(out, *text == '"' ? "\"\"" : "%c", *text);
    fputs(quoted ? "\"" : "", out);
}

static void csv_cell_print(const json_t *value, FILE *out) {
    char *text = json_is_null(value) ? NULL : value_text(value);
    csv_text_print(text ? text : "", out);
    free(text);
}

void table_print_csv(const struct table *table, bool names, FILE *out) {
    for (size_t row = 0; row < table_rows(table) + names; row++) {
        const char *gap = "";
        for (size_t c = 0; c < table->count; c++) {
            if (!table->columns[c].key)
                continue;
            fputs(gap, out);
            gap = ",";
            if (names && row == 0)
                csv_text_print(table->columns[c].key, out);
            else
                csv_cell_print(table->cells[(row - names) * table->count + c].json, out);
        }
        fputs("\r\n", out);
    }
}

void table_show(const struct table *table, const struct call *call) {
    if (call_json(call))
        table_print_json(table, stdout);
    else if (table_rows(table))
        table_print(table, style_of(stdout), stdout);
}

void table_show_sheet(const struct table *table, const struct call *call) {
    if (!call_json(call)) {
        table_print_sheet(table, style_of(stdout), stdout);
        return;
    }
    json_t *object = table_json(table, 0);
    json_dumpf(object, stdout, JSON_INDENT(2));
    fputc('\n', stdout);
    json_decref(object);
}
