/* sql_config.h - the sql: section of an agent's file, checked and ready to use.
 *
 * Everything that can be judged without the database is judged here, with file:line:column.
 * The strings belong to the YAML document.
 */
#ifndef SQL_CONFIG_H
#define SQL_CONFIG_H

#include "backend.h"
#include "sql_text.h"

enum {
    SQL_TYPES_MAX = 256,
    SQL_FIELDS_MAX = 64,
    SQL_ROWS_MAX = 1000,  /* rows of one `rows: {field: ..}` reply */
    SQL_TIMEOUT_MAX = 600 /* seconds */
};

enum sql_kind { SQL_KIND_AUTO, SQL_KIND_TEXT, SQL_KIND_INT, SQL_KIND_BOOL, SQL_KIND_JSON };

/* One reply field out of one column. */
struct sql_field {
    const char *name, *column;
    const char *split; /* a list: what stands between its items; NULL: no list */
    enum sql_kind kind;
    yaml_node node;
};

struct sql_translation {
    const char *from, *to;
};

/* A text that is fixed, or a column's, or a column's value looked up in a map. */
struct sql_pick {
    const char *text, *column; /* both NULL: not given */
    struct sql_translation *map;
    size_t map_count;
    yaml_node node;
};

struct sql_type {
    const char *name;
    yaml_node select_node;
    struct sql_text text;
    struct sql_field *fields; /* none: every column is the field of its name */
    size_t field_count;
    const char *rows_field; /* every row is a record of this list; NULL: one row */
    struct sql_pick outcome, reason, legal_ref, valid_until;
    enum est_outcome no_row;
};

struct sql_config {
    char *connection; /* with every ${NAME} put in */
    yaml_node connection_node;
    unsigned timeout_s;
    bool read_only;
    size_t type_count;
    struct sql_type *types;
};

/* 0, or -EST_INPUT with complaints. `complaints` are the document's. Free with sql_config_done. */
int sql_config_read(struct yaml *, struct complaints *, yaml_node section, struct sql_config *ret);
void sql_config_done(struct sql_config *);

#endif
