/* field.c - the fields of requests and replies as a type declares them.
 *
 * Which keys a field may have depends on its kind; the table says so, and gives the bounds of
 * each kind's numbers.
 */
#include "load.h"

#include <string.h>

enum { TEXT_CHARACTERS = 2000, CODE_CHARACTERS = 200 };

/* What a kind takes besides kind, required, list and title. */
enum { TAKES_BOUNDS = 1, TAKES_CHOICES = 2, TAKES_FIELDS = 4, TAKES_ORDER = 8, TAKES_PLACE = 16 };

static const struct kind_rule {
    const char *name;
    unsigned takes;
    int64_t min, max;
    unsigned depth; /* containers of one value */
} kind_rules[] = {
    [FIELD_NZ] = {"nz", 0, 0, 0, 0},
    [FIELD_NID] = {"nid", 0, 0, 0, 0},
    [FIELD_LID] = {"lid", 0, 0, 0, 0},
    [FIELD_PC] = {"pc", 0, 0, 0, 0},
    [FIELD_FN] = {"fn", 0, 0, 0, 0},
    [FIELD_PLQ] = {"plq", 0, 0, 0, 1},
    [FIELD_GEO] = {"geo", TAKES_PLACE, 0, 0, 5},
    [FIELD_M2] = {"m2", TAKES_BOUNDS, 0, INT64_MAX, 0},
    [FIELD_RIAL] = {"rial", TAKES_BOUNDS, 0, INT64_MAX, 0},
    [FIELD_INT] = {"int", TAKES_BOUNDS, INT64_MIN, INT64_MAX, 0},
    [FIELD_BOOL] = {"bool", 0, 0, 0, 0},
    [FIELD_JD] = {"jd", TAKES_ORDER, 0, 0, 0},
    [FIELD_ENUM] = {"enum", TAKES_CHOICES, 0, 0, 0},
    [FIELD_DOC] = {"doc", 0, 0, 0, 1},
    [FIELD_VISIT] = {"visit", 0, 0, 0, 6},
    [FIELD_TEXT] = {"text", TAKES_BOUNDS, 0, TEXT_CHARACTERS, 0},
    [FIELD_CODE] = {"code", TAKES_BOUNDS, 0, CODE_CHARACTERS, 0},
    [FIELD_RECORD] = {"record", TAKES_FIELDS, 0, 0, 1},
};
enum { KINDS = sizeof kind_rules / sizeof kind_rules[0] };

const char *field_kind_name(enum field_kind kind) {
    return (size_t)kind < KINDS ? kind_rules[kind].name : NULL;
}

int64_t field_min(const struct field *field) {
    return field->filled && field->min < 1 ? 1 : field->min;
}

unsigned schema_depth(const struct field *fields, size_t count) {
    unsigned deepest = 0;
    for (size_t i = 0; i < count; i++) {
        unsigned depth = fields[i].kind == FIELD_RECORD
                             ? schema_depth(fields[i].fields, fields[i].fields_count)
                             : kind_rules[fields[i].kind].depth;
        depth += fields[i].list;
        deepest = depth > deepest ? depth : deepest;
    }
    return deepest + 1;
}

/* `list: 50`, or `list: {min: 0, max: 50}`. What is required is not empty unless the file says so. */
static void load_list(struct yaml *yaml, yaml_node node, struct field *ret) {
    static const char *const keys[] = {"min", "max", NULL};
    bool is_map = yaml_is_map(node);
    if (is_map)
        yaml_only(yaml, node, keys);
    yaml_node min = is_map ? yaml_get(node, "min") : NULL, max = is_map ? yaml_need(yaml, node, "max") : node;
    ret->items_max = (unsigned)yaml_int(yaml, max, 1, LIST_MAX, 0);
    ret->list = ret->items_max > 0;
    ret->items_min = (unsigned)yaml_int(yaml, min, 0, LIST_MAX, ret->list && ret->required);
    if (ret->list && ret->items_min > ret->items_max)
        yaml_complain(yaml, node, "min is above max; swap them");
}

static void load_bounds(struct yaml *yaml, yaml_node node, const struct kind_rule *rule, struct field *ret) {
    ret->min = yaml_int(yaml, yaml_get(node, "min"), rule->min, rule->max, rule->min);
    ret->max = yaml_int(yaml, yaml_get(node, "max"), rule->min, rule->max, rule->max);
    if (ret->min > ret->max)
        yaml_complain(yaml, node, "min is above max; swap them");
}

static bool choice_is_new(const struct field *field, const char *choice) {
    for (size_t i = 0; i < field->choices_count; i++) {
        if (strcmp(field->choices[i], choice) == 0)
            return false;
    }
    return true;
}

/* `home`, or with what people read instead of it: {home: {fa: خانه, en: Home}}. */
static const char *load_choice(struct loader *loader, struct yaml *yaml, yaml_node node, struct title *ret) {
    const char *name;
    yaml_node titles;
    if (!yaml_is_map(node))
        return load_text(loader, yaml, node, EST_NAME_MAX);
    if (yaml_count(node) != 1 || !yaml_pair(yaml, node, 0, &name, &titles) || !*name ||
        strlen(name) > EST_NAME_MAX) {
        yaml_complain(yaml, node, "a choice is a word of 1 to %d bytes, or one such word with its titles, "
                      "{home: {fa: خانه, en: Home}}", EST_NAME_MAX);
        return NULL;
    }
    *ret = load_title_of(loader, yaml, titles);
    return load_copy(loader, name);
}

static void load_choices(struct loader *loader, struct yaml *yaml, yaml_node node, struct field *ret) {
    if (!node)
        return;
    size_t count = yaml_count(node);
    if (!yaml_is_list(node) || count == 0 || count > CHOICES_MAX) {
        yaml_complain(yaml, node, "choices are a list of 1 to %d words", CHOICES_MAX);
        return;
    }
    struct title *titles = arena_take_many(loader->arena, count, sizeof *titles);
    ret->choices = arena_take_many(loader->arena, count, sizeof *ret->choices);
    ret->choice_titles = titles;
    if (!ret->choices || !titles)
        return;
    for (size_t i = 0; i < count; i++) {
        const char *choice = load_choice(loader, yaml, yaml_at(node, i), &titles[ret->choices_count]);
        if (choice && !choice_is_new(ret, choice))
            yaml_complain(yaml, yaml_at(node, i), "the choice `%s` is there twice; remove one", choice);
        else if (choice)
            ret->choices[ret->choices_count++] = choice;
    }
}

/* Keys that mean nothing for the kind are complained about, those it rests on are needed. */
static void load_kind_keys(struct loader *loader, struct yaml *yaml, yaml_node node, struct field *ret,
                           int nesting) {
    static const struct {
        const char *key;
        unsigned flag;
        const char *whose;
    } special[] = {
        {"min", TAKES_BOUNDS, "numbers, text and codes"},
        {"max", TAKES_BOUNDS, "numbers, text and codes"},
        {"choices", TAKES_CHOICES, "kind enum"},
        {"fields", TAKES_FIELDS, "kind record"},
        {"not_before", TAKES_ORDER, "kind jd"},
        {"anywhere", TAKES_PLACE, "kind geo"},
    };
    const struct kind_rule *rule = &kind_rules[ret->kind];
    for (size_t i = 0; i < sizeof special / sizeof special[0]; i++) {
        yaml_node extra = yaml_get(node, special[i].key);
        if (extra && !(rule->takes & special[i].flag))
            yaml_complain_key(yaml, extra, "`%s` is for %s, not for kind %s; remove it", special[i].key,
                              special[i].whose, rule->name);
    }
    if (rule->takes & TAKES_BOUNDS)
        load_bounds(yaml, node, rule, ret);
    if (ret->kind == FIELD_TEXT || ret->kind == FIELD_CODE)
        ret->filled = ret->required && (ret->min > 0 || !yaml_get(node, "min"));
    if (rule->takes & TAKES_PLACE)
        ret->anywhere = yaml_bool(yaml, yaml_get(node, "anywhere"), false);
    if (rule->takes & TAKES_CHOICES)
        load_choices(loader, yaml, yaml_need(yaml, node, "choices"), ret);
    if (rule->takes & TAKES_FIELDS) {
        struct schema inner = load_schema(loader, yaml, yaml_need(yaml, node, "fields"), nesting + 1);
        ret->fields = inner.fields;
        ret->fields_count = inner.count;
    }
}

static void load_field(struct loader *loader, struct yaml *yaml, yaml_node node, struct field *ret,
                       int nesting) {
    static const char *const keys[] = {"kind",   "required",   "list",     "min",   "max", "choices",
                                       "fields", "not_before", "anywhere", "title", NULL};
    const char *names[KINDS];
    for (size_t i = 0; i < KINDS; i++)
        names[i] = kind_rules[i].name;
    load_key_name(yaml, node, field_name_is_valid, "a field");
    ret->name = load_copy(loader, yaml_key(node));
    ret->kind = FIELD_TEXT;
    yaml_only(yaml, node, keys);
    if (!yaml_is_map(node))
        return;
    int kind = load_word(yaml, yaml_need(yaml, node, "kind"), names, KINDS);
    ret->required = yaml_bool(yaml, yaml_get(node, "required"), true);
    load_list(yaml, yaml_get(node, "list"), ret);
    load_title(loader, yaml, node, false, &ret->title_fa, &ret->title_en);
    if (kind < 0)
        return;
    ret->kind = (enum field_kind)kind;
    load_kind_keys(loader, yaml, node, ret, nesting);
}

/* `not_before: from`, of a date that may not precede another, which stands above it. */
static void load_order(struct yaml *yaml, yaml_node node, const struct field *fields, struct field *ret) {
    const char *name = yaml_text(yaml, node, NULL);
    if (!name || ret->kind != FIELD_JD)
        return;
    for (const struct field *other = fields; other < ret; other++) {
        if (other->name && strcmp(other->name, name) == 0 && other->kind == FIELD_JD && !other->list && !ret->list)
            ret->not_before = other;
    }
    if (!ret->not_before)
        yaml_complain(yaml, node, "`not_before` names a single date that is declared above this one");
}

struct schema load_schema(struct loader *loader, struct yaml *yaml, yaml_node map, int nesting) {
    struct schema schema = {NULL, 0};
    size_t count = yaml_count(map);
    if (!map)
        return schema;
    if (!yaml_is_map(map) || count > FIELDS_MAX) {
        yaml_complain(yaml, map, "fields are a map of at most %d names", FIELDS_MAX);
        return schema;
    }
    if (nesting > RECORD_NESTING_MAX) {
        yaml_complain(yaml, map, "records stand in each other at most %d deep; flatten them",
                      RECORD_NESTING_MAX);
        return schema;
    }
    struct field *fields = arena_take_many(loader->arena, count, sizeof *fields);
    if (!fields)
        return schema;
    const char *name;
    yaml_node value;
    for (size_t i = 0; yaml_pair(yaml, map, i, &name, &value); i++) {
        load_field(loader, yaml, value, &fields[i], nesting);
        load_order(yaml, yaml_get(value, "not_before"), fields, &fields[i]);
    }
    if (loader->arena->failed)
        return schema;
    return (struct schema){fields, count};
}

/* --- One of several --------------------------------------------------------------------------- */

/* The bit of a field that a group names; 0 after a complaint. */
static uint64_t load_member(struct yaml *yaml, yaml_node node, const struct schema *request, uint64_t group) {
    const char *name = yaml_text(yaml, node, NULL);
    struct nearest nearest;
    char hint[128];
    if (!name)
        return 0;
    nearest_init(&nearest, slice_of(name));
    for (size_t i = 0; i < request->count; i++) {
        const struct field *field = &request->fields[i];
        uint64_t bit = UINT64_C(1) << i;
        if (field->name && strcmp(field->name, name) == 0) {
            if (field->required)
                yaml_complain(yaml, node, "`%s` is needed anyway; write required: false there, or no group", name);
            else if (group & bit)
                yaml_complain(yaml, node, "`%s` is there twice; remove one", name);
            return bit;
        }
        if (field->name)
            nearest_offer(&nearest, field->name);
    }
    yaml_complain(yaml, node, "`%s` is no field of the request%s", name, nearest_hint(&nearest, hint));
    return 0;
}

void load_one_of(struct yaml *yaml, yaml_node node, struct ctype *ret) {
    size_t count = yaml_count(node);
    if (!node)
        return;
    if (!yaml_is_list(node) || count == 0 || count > ONE_OF_MAX) {
        yaml_complain(yaml, node, "one_of is a list of 1 to %d groups of request fields, such as [[nid, lid]]",
                      ONE_OF_MAX);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        yaml_node group = yaml_at(node, i);
        if (!yaml_is_list(group) || yaml_count(group) < 2) {
            yaml_complain(yaml, group, "a group is a list of two fields or more, one of which is needed");
            continue;
        }
        uint64_t bits = 0;
        for (size_t k = 0; k < yaml_count(group); k++)
            bits |= load_member(yaml, yaml_at(group, k), &ret->request, bits);
        ret->one_of[ret->one_of_count++] = bits;
    }
}
