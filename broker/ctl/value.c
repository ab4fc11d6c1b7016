/* value.c - see value.h. */
#include "value.h"
#include "catalogue.h"
#include "ident.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_MAX_BYTES = EST_DEFECT_PATH_MAX };

static int value_refuse(char *ret_why, const char *format, ...) __attribute__((format(printf, 2, 3)));
static int value_refuse(char *ret_why, const char *format, ...) {
    va_list list;
    va_start(list, format);
    vsnprintf(ret_why, VALUE_WHY_SIZE, format, list);
    va_end(list);
    return -EST_INPUT;
}

static const struct field *field_find(const struct field *fields, size_t count, const char *name,
                                      size_t length) {
    for (size_t i = 0; i < count; i++)
        if (strlen(fields[i].name) == length && memcmp(fields[i].name, name, length) == 0)
            return &fields[i];
    return NULL;
}

static json_t *integer_parse(const char *text) {
    char latin[32], *end;
    size_t size = ident_fold_digits((est_slice){text, strlen(text)}, latin, sizeof latin - 1);
    if (size == 0)
        return NULL;
    latin[size] = '\0';
    errno = 0;
    long long value = strtoll(latin, &end, 10);
    return *end || end == latin || errno ? NULL : json_integer(value);
}

static json_t *bool_parse(const char *text) {
    static const char *const words[2][4] = {{"false", "no", "0", "خیر"}, {"true", "yes", "1", "بله"}};
    for (size_t value = 0; value < 2; value++)
        for (size_t i = 0; i < 4; i++)
            if (strcmp(words[value][i], text) == 0)
                return json_boolean(value);
    return NULL;
}

/* What plain text means for this kind. Text that does not fit stays text: the broker then names
 * it together with every other defect. */
static json_t *kind_value(enum field_kind kind, const char *text) {
    json_t *value = NULL;
    switch (kind) {
    case FIELD_M2:
    case FIELD_RIAL:
    case FIELD_INT:
        value = integer_parse(text);
        break;
    case FIELD_BOOL:
        value = bool_parse(text);
        break;
    case FIELD_PLQ:
    case FIELD_GEO:
    case FIELD_DOC:
    case FIELD_VISIT:
    case FIELD_RECORD:
        value = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
        break;
    default:
        break;
    }
    return value ? value : json_string(text);
}

/* One assignment on its way into the body. */
struct assignment {
    char name[NAME_MAX_BYTES];
    const char *text;
    bool is_json;
    json_t *json;              /* of name:=JSON; owned */
    const struct field *field; /* NULL: not known */
    char *why;
};

static int assignment_split(const char *argument, struct assignment *ret) {
    const char *equals = strchr(argument, '=');
    if (!equals || equals == argument)
        return value_refuse(ret->why, "`%s` is not FIELD=TEXT or FIELD:=JSON", argument);
    ret->is_json = equals[-1] == ':';
    size_t length = (size_t)(equals - argument) - ret->is_json;
    if (length == 0 || length >= sizeof ret->name)
        return value_refuse(ret->why, "a field's name has 1 to %d bytes", NAME_MAX_BYTES - 1);
    memcpy(ret->name, argument, length);
    ret->name[length] = '\0';
    ret->text = equals + 1;
    if (!ret->is_json)
        return 0;
    json_error_t error;
    ret->json = json_loads(ret->text, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &error);
    if (!ret->json)
        return value_refuse(ret->why, "%s: no JSON at character %d: %s", ret->name, error.position,
                            error.text);
    return 0;
}

static int list_append(json_t *object, const char *name, struct assignment *a) {
    json_t *list = json_object_get(object, name);
    json_t *whole = a->text[0] == '[' ? json_loads(a->text, JSON_REJECT_DUPLICATES, NULL) : NULL;
    if (whole && !list)
        return json_object_set_new(object, name, whole) ? -EST_INPUT : 0;
    json_decref(whole);
    if (!list) {
        list = json_array();
        json_object_set_new(object, name, list);
    }
    if (!json_is_array(list))
        return value_refuse(a->why, "%s is given twice", a->name);
    if (json_array_append_new(list, kind_value(a->field->kind, a->text)))
        return value_refuse(a->why, "%s is not valid UTF-8", a->name);
    return 0;
}

static int leaf_set(json_t *object, const char *name, struct assignment *a) {
    json_t *value = NULL;
    if (a->field && a->field->list && !a->is_json)
        return list_append(object, name, a);
    if (json_object_get(object, name))
        return value_refuse(a->why, "%s is given twice", a->name);
    if (a->is_json)
        value = json_incref(a->json);
    else
        value = a->field ? kind_value(a->field->kind, a->text) : json_string(a->text);
    if (!value || json_object_set_new(object, name, value))
        return value_refuse(a->why, "%s is not valid UTF-8", a->name);
    return 0;
}

/* Walks down the dots of the name, making records on the way. */
static int assignment_apply(const struct schema *schema, json_t *body, struct assignment *a) {
    const struct field *fields = schema ? schema->fields : NULL;
    size_t count = schema ? schema->count : 0;
    json_t *object = body;
    char *part = a->name;
    for (char *dot; (dot = strchr(part, '.')); part = dot + 1) {
        char name[NAME_MAX_BYTES] = "";
        if (dot == part)
            return value_refuse(a->why, "%s: a name stands before and after each dot", a->name);
        memcpy(name, part, (size_t)(dot - part));
        const struct field *field = field_find(fields, count, name, strlen(name));
        fields = field ? field->fields : NULL;
        count = field ? field->fields_count : 0;
        json_t *next = json_object_get(object, name);
        if (next && !json_is_object(next))
            return value_refuse(a->why, "%s: `%s` is given as a value and as a record", a->name, name);
        if (!next && json_object_set_new(object, name, next = json_object()))
            return value_refuse(a->why, "%s is not valid UTF-8", a->name);
        object = next;
    }
    if (!*part)
        return value_refuse(a->why, "%s: a name stands before and after each dot", a->name);
    a->field = field_find(fields, count, part, strlen(part));
    return leaf_set(object, part, a);
}

static int base_parse(const char *base, json_t **ret, char *ret_why) {
    json_error_t error;
    *ret = base ? json_loads(base, JSON_REJECT_DUPLICATES, &error) : json_object();
    if (!*ret)
        return value_refuse(ret_why, "the body is no JSON: line %d, character %d: %s", error.line,
                            error.column, error.text);
    if (!json_is_object(*ret)) {
        json_decref(*ret);
        return value_refuse(ret_why, "the body must be a JSON object, {...}");
    }
    return 0;
}

static int arguments_apply(const struct schema *schema, const char *const *arguments, size_t count,
                           json_t *body, char *ret_why) {
    int code = 0;
    for (size_t i = 0; i < count && !code; i++) {
        struct assignment assignment = {.why = ret_why};
        code = assignment_split(arguments[i], &assignment);
        if (!code)
            code = assignment_apply(schema, body, &assignment);
        json_decref(assignment.json);
    }
    return code;
}

int values_build(const struct schema *schema, const char *base, const char *const *arguments, size_t count,
                 json_t **ret, char ret_why[VALUE_WHY_SIZE]) {
    json_t *body;
    int code = base_parse(base, &body, ret_why);
    if (code)
        return code;
    /* The arguments are read apart from the base, so that a field given twice among them is told
     * from one that takes the base's place. */
    json_t *own = json_object();
    code = arguments_apply(schema, arguments, count, own, ret_why);
    if (!code && json_object_update_recursive(body, own))
        code = value_refuse(ret_why, "out of memory");
    json_decref(own);
    if (code)
        json_decref(body);
    else
        *ret = body;
    return code;
}
