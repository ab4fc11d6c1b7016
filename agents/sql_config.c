/* sql_config.c - reads the sql: section. See sql_config.h for what comes of it. */
#include "sql_config.h"
#include "sql_expand.h"
#include "codec.h"
#include "jalali.h"
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    enum sql_kind kind;
} kinds[] = {{"text", SQL_KIND_TEXT}, {"int", SQL_KIND_INT}, {"bool", SQL_KIND_BOOL}};

/* Memory for `count` things, never of size 0. */
static void *array_new(size_t count, size_t size) {
    return calloc(count ? count : 1, size);
}

/* --- Reply fields ----------------------------------------------------------------------------- */

static enum sql_kind kind_read(struct yaml *yaml, yaml_node node) {
    const char *text = yaml_text(yaml, node, NULL);
    if (!text)
        return SQL_KIND_AUTO;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (!strcmp(text, kinds[i].name))
            return kinds[i].kind;
    yaml_complain(yaml, node, "no kind \"%s\"; write text, int or bool", text);
    return SQL_KIND_AUTO;
}

static void field_read(struct yaml *yaml, const char *name, yaml_node node, struct sql_field *ret) {
    static const char *const keys[] = {"column", "split", "kind", "json", NULL};
    ret->name = name;
    ret->node = node;
    if (!yaml_is_map(node)) {
        ret->column = yaml_text(yaml, node, "");
        return;
    }
    yaml_only(yaml, node, keys);
    ret->column = yaml_text(yaml, yaml_need(yaml, node, "column"), "");
    ret->split = yaml_text(yaml, yaml_get(node, "split"), NULL);
    ret->kind = kind_read(yaml, yaml_get(node, "kind"));
    if (ret->split && !*ret->split)
        yaml_complain(yaml, yaml_get(node, "split"),
                      "split: needs the text between two items, such as \",\"");
    if (ret->split && ret->kind == SQL_KIND_BOOL)
        yaml_complain(yaml, yaml_get(node, "kind"), "a list by split: is of text or int");
    if (!yaml_bool(yaml, yaml_get(node, "json"), false))
        return;
    if (ret->split || ret->kind != SQL_KIND_AUTO)
        yaml_complain(yaml, yaml_get(node, "json"),
                      "json: says all about the value; leave out split: and kind:");
    ret->kind = SQL_KIND_JSON;
}

static void reply_read(struct yaml *yaml, yaml_node node, struct sql_type *type) {
    if (!node)
        return;
    if (!yaml_is_map(node) || !yaml_count(node) || yaml_count(node) > SQL_FIELDS_MAX) {
        yaml_complain(yaml, node,
                      "reply: is a map of 1 to %d fields, each `field: column` or "
                      "`field: {column: ..}`",
                      SQL_FIELDS_MAX);
        return;
    }
    type->fields = array_new(yaml_count(node), sizeof *type->fields);
    if (!type->fields) {
        yaml_complain(yaml, node, "out of memory");
        return;
    }
    const char *name;
    yaml_node value;
    for (size_t i = 0; yaml_pair(yaml, node, i, &name, &value); i++)
        field_read(yaml, name, value, &type->fields[type->field_count++]);
}

/* --- Outcome, reason and the other texts beside the fields ---------------------------------------- */

static void map_read(struct yaml *yaml, yaml_node node, struct sql_pick *pick) {
    if (!node)
        return;
    if (!yaml_is_map(node) || !yaml_count(node)) {
        yaml_complain(yaml, node, "map: is {value of the column: what it means, ..}");
        return;
    }
    pick->map = array_new(yaml_count(node), sizeof *pick->map);
    if (!pick->map) {
        yaml_complain(yaml, node, "out of memory");
        return;
    }
    const char *from;
    yaml_node value;
    for (size_t i = 0; yaml_pair(yaml, node, i, &from, &value); i++)
        pick->map[pick->map_count++] = (struct sql_translation){from, yaml_text(yaml, value, "")};
}

static void pick_read(struct yaml *yaml, yaml_node node, struct sql_pick *ret) {
    static const char *const keys[] = {"column", "map", NULL};
    ret->node = node;
    if (!node)
        return;
    if (!yaml_is_map(node)) {
        ret->text = yaml_text(yaml, node, "");
        return;
    }
    yaml_only(yaml, node, keys);
    ret->column = yaml_text(yaml, yaml_need(yaml, node, "column"), "");
    map_read(yaml, yaml_get(node, "map"), ret);
}

/* What can be known of a text before any row is read: a wrong one would spoil every answer. */
static void text_check(struct yaml *yaml, yaml_node node, const char *key, const char *text, size_t max) {
    struct jalali date;
    if (strlen(text) > max)
        yaml_complain(yaml, node, "%s: is longer than %zu bytes", key, max);
    else if (max == EST_DATE_MAX && *text && !jalali_parse(slice_of(text), &date))
        yaml_complain(yaml, node, "%s: is no Jalali date, such as 1404/12/29", key);
}

static void beside_read(struct yaml *yaml, yaml_node type, const char *key, size_t max,
                        struct sql_pick *ret) {
    const char *from;
    yaml_node value;
    pick_read(yaml, yaml_get(type, key), ret);
    if (ret->text)
        text_check(yaml, ret->node, key, ret->text, max);
    for (size_t i = 0; i < ret->map_count && yaml_pair(yaml, yaml_get(ret->node, "map"), i, &from, &value);
         i++)
        text_check(yaml, value, key, ret->map[i].to, max);
}

static enum est_outcome outcome_read(struct yaml *yaml, yaml_node node, const char *text) {
    enum est_outcome outcome = est_outcome_parse((est_slice){text, strlen(text)});
    if (outcome == EST_OUTCOME_NONE)
        yaml_complain(yaml, node,
                      "no outcome \"%s\"; one of positive, negative, conditional, no-record, not-digitised, "
                      "need-document, need-visit, not-mine",
                      text);
    return outcome;
}

static void outcomes_read(struct yaml *yaml, yaml_node map, struct sql_type *type) {
    struct sql_pick *pick = &type->outcome;
    pick_read(yaml, yaml_get(map, "outcome"), pick);
    if (!pick->column && !pick->text)
        pick->text = "positive";
    if (pick->text)
        outcome_read(yaml, pick->node, pick->text);
    for (size_t i = 0; i < pick->map_count; i++)
        outcome_read(yaml, pick->node, pick->map[i].to);
    yaml_node no_row = yaml_get(map, "no_row");
    type->no_row = outcome_read(yaml, no_row, yaml_text(yaml, no_row, "no-record"));
}

/* --- One type ----------------------------------------------------------------------------------- */

static void select_read(struct yaml *yaml, yaml_node node, bool read_only, struct sql_type *type) {
    const char *source = yaml_text(yaml, node, NULL), *why = NULL;
    type->select_node = node;
    if (!source)
        return;
    int code = sql_text_parse(source, &type->text, &why);
    if (code)
        yaml_complain(yaml, node, "select: %s", why ? why : est_code_text(code));
    if (read_only && !sql_text_is_query(source))
        yaml_complain(yaml, node,
                      "select: does not begin with SELECT or WITH; a statement that changes "
                      "something needs read_only: false");
}

static void rows_read(struct yaml *yaml, yaml_node node, struct sql_type *type) {
    static const char *const keys[] = {"field", NULL};
    if (yaml_is_map(node)) {
        yaml_only(yaml, node, keys);
        type->rows_field = yaml_text(yaml, yaml_need(yaml, node, "field"), NULL);
        return;
    }
    if (strcmp(yaml_text(yaml, node, "one"), "one"))
        yaml_complain(yaml, node, "rows: is one, or {field: the list field that takes the rows}");
}

static void type_read(struct yaml *yaml, const char *name, yaml_node node, bool read_only,
                      struct sql_type *ret) {
    static const char *const keys[] = {"select",    "reply",       "rows",   "outcome", "reason",
                                       "legal_ref", "valid_until", "no_row", NULL};
    ret->name = name;
    yaml_only(yaml, node, keys);
    if (!yaml_is_map(node))
        return;
    if (strlen(name) > EST_NAME_MAX)
        yaml_complain(yaml, node, "the type's name is longer than %d bytes", EST_NAME_MAX);
    select_read(yaml, yaml_need(yaml, node, "select"), read_only, ret);
    reply_read(yaml, yaml_get(node, "reply"), ret);
    rows_read(yaml, yaml_get(node, "rows"), ret);
    outcomes_read(yaml, node, ret);
    beside_read(yaml, node, "reason", EST_NAME_MAX, &ret->reason);
    beside_read(yaml, node, "legal_ref", EST_TEXT_MAX, &ret->legal_ref);
    beside_read(yaml, node, "valid_until", EST_DATE_MAX, &ret->valid_until);
}

static void types_read(struct yaml *yaml, yaml_node node, struct sql_config *config) {
    if (!yaml_is_map(node) || !yaml_count(node) || yaml_count(node) > SQL_TYPES_MAX) {
        if (node)
            yaml_complain(yaml, node, "types: is a map of 1 to %d inquiry types", SQL_TYPES_MAX);
        return;
    }
    config->types = array_new(yaml_count(node), sizeof *config->types);
    if (!config->types) {
        yaml_complain(yaml, node, "out of memory");
        return;
    }
    const char *name;
    yaml_node value;
    for (size_t i = 0; yaml_pair(yaml, node, i, &name, &value); i++)
        type_read(yaml, name, value, config->read_only, &config->types[config->type_count++]);
}

/* --- The section --------------------------------------------------------------------------------- */

static void connection_read(struct yaml *yaml, yaml_node node, struct sql_config *config) {
    const char *source = yaml_text(yaml, node, NULL);
    char why[256] = "";
    config->connection_node = node;
    if (!source)
        return;
    config->connection = sql_expand(source, why, sizeof why);
    if (!config->connection)
        yaml_complain(yaml, node, "connection: %s", why);
}

static unsigned timeout_read(struct yaml *yaml, yaml_node node) {
    est_span span = yaml_span(yaml, node, (est_span){5 * EST_US_PER_S});
    if (span.us < EST_US_PER_S || span.us > SQL_TIMEOUT_MAX * EST_US_PER_S || span.us % EST_US_PER_S)
        yaml_complain(yaml, node, "query_timeout: is whole seconds, 1 s to 10 min");
    return (unsigned)(span.us / EST_US_PER_S);
}

int sql_config_read(struct yaml *yaml, struct complaints *complaints, yaml_node section,
                    struct sql_config *ret) {
    static const char *const keys[] = {"connection", "query_timeout", "read_only", "types", NULL};
    struct sql_config config = {0};
    size_t before = complaints->count;
    yaml_only(yaml, section, keys);
    connection_read(yaml, yaml_need(yaml, section, "connection"), &config);
    config.timeout_s = timeout_read(yaml, yaml_get(section, "query_timeout"));
    config.read_only = yaml_bool(yaml, yaml_get(section, "read_only"), true);
    types_read(yaml, yaml_need(yaml, section, "types"), &config);
    if (complaints->count != before) {
        sql_config_done(&config);
        return -EST_INPUT;
    }
    *ret = config;
    return 0;
}

static void type_done(struct sql_type *type) {
    struct sql_pick *picks[] = {&type->outcome, &type->reason, &type->legal_ref, &type->valid_until};
    for (size_t i = 0; i < sizeof picks / sizeof picks[0]; i++)
        free(picks[i]->map);
    free(type->fields);
    sql_text_done(&type->text);
}

void sql_config_done(struct sql_config *config) {
    for (size_t i = 0; i < config->type_count; i++)
        type_done(&config->types[i]);
    free(config->types);
    free(config->connection);
    memset(config, 0, sizeof *config);
}
