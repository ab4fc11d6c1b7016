/* table.h - what a command found, once, for people and for programs.
 *
 * A table has named columns and is filled cell after cell; each cell keeps what people read and
 * what JSON says. It is printed as aligned columns, as a sheet (one row, a line per column, empty
 * ones left out), or as JSON.
 */
#ifndef TABLE_H
#define TABLE_H

#include "command.h"

#include <estelam/types.h>
#include <jansson.h>
#include <stdio.h>

struct column {
    const char *key;   /* in JSON; NULL: for people only */
    const char *title; /* for people; NULL: in JSON only */
    bool right;        /* numbers */
    unsigned max;      /* columns on the screen, the rest is cut; 0: as many as needed */
};

struct table;
struct table *table_new(const struct column *, size_t count);
void table_free(struct table **);
size_t table_rows(const struct table *);
/* Forgets the rows, for the next page. */
void table_clear(struct table *);

/* Each fills the next cell; the columns' order, row after row. Empty text and no time are null. */
void cell_none(struct table *);
void cell_text(struct table *, est_slice);
void cell_cstr(struct table *, const char *);
void cell_uint(struct table *, uint64_t);
void cell_number(struct table *, uint64_t); /* 0 is none */
void cell_bool(struct table *, bool);
void cell_time(struct table *, est_time);              /* local time; UTC in JSON */
void cell_age(struct table *, est_time, est_time now); /* how long ago; UTC in JSON */
void cell_took(struct table *, int64_t ms);            /* a span; milliseconds in JSON */
void cell_json(struct table *, json_t *value);         /* takes the reference; `a=1, b=2` for people */
void cell_body(struct table *, est_slice msgpack);     /* the same from a packed body */

/* Where the table goes: `width` 0 never cuts; on a terminal right-to-left text is isolated, so
 * that it does not turn its neighbours around. */
struct style {
    bool terminal;
    unsigned width;
};
struct style style_of(FILE *);

void table_print(const struct table *, struct style, FILE *);
void table_print_sheet(const struct table *, struct style, FILE *); /* of the first row */
void table_print_json(const struct table *, FILE *);                /* a line per row */
/* RFC 4180 with what JSON has: a line per row, behind a line of names where that is wanted. */
void table_print_csv(const struct table *, bool names, FILE *);
json_t *table_json(const struct table *, size_t row);               /* a new reference */

/* On standard output, in the form that the call asks for. */
void table_show(const struct table *, const struct call *);
void table_show_sheet(const struct table *, const struct call *);

#endif
