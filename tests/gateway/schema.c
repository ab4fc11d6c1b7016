/* schema.c - see schema.h. */
#include "schema.h"

#include <stdio.h>
#include <string.h>

json_t *schema_at(const json_t *document, json_t *value) {
    const char *ref = json_string_value(json_object_get(value, "$ref"));
    if (!ref)
        return value;
    const json_t *at = document;
    for (const char *part = ref + 2; part && *part; part = strchr(part, '/'), part += part != NULL) {
        char name[128];
        snprintf(name, sizeof name, "%.*s", (int)strcspn(part, "/"), part);
        at = json_object_get(at, name);
    }
    return (json_t *)at;
}

static bool type_is(const char *name, const json_t *value) {
    return strcmp(name, "object") == 0    ? json_is_object(value)
           : strcmp(name, "array") == 0   ? json_is_array(value)
           : strcmp(name, "string") == 0  ? json_is_string(value)
           : strcmp(name, "integer") == 0 ? json_is_integer(value)
           : strcmp(name, "boolean") == 0 ? json_is_boolean(value)
           : strcmp(name, "null") == 0    ? json_is_null(value)
                                          : false;
}

static bool type_holds(const json_t *type, const json_t *value) {
    size_t i;
    json_t *one;
    if (!type || json_is_string(type))
        return !type || type_is(json_string_value(type), value);
    json_array_foreach(type, i, one) if (type_is(json_string_value(one), value)) return true;
    return false;
}

static bool is_among(const json_t *list, const json_t *value) {
    size_t i;
    json_t *one;
    json_array_foreach(list, i, one) if (json_equal(one, value)) return true;
    return false;
}

static bool fail_at(char *why, const char *what, const char *name) {
    snprintf(why, 256, "%s %s", what, name);
    return false;
}

static bool members_hold(const json_t *document, const json_t *schema, const json_t *value, char *why) {
    const json_t *properties = json_object_get(schema, "properties"),
                 *more = json_object_get(schema, "additionalProperties");
    const char *name;
    json_t *one;
    size_t i;
    json_array_foreach(
        json_object_get(schema, "required"), i,
        one) if (!json_object_get(value, json_string_value(one))) return fail_at(why, "lacks",
                                                                                 json_string_value(one));
    json_object_foreach((json_t *)value, name, one) {
        const json_t *part = json_object_get(properties, name);
        if (!part && json_is_false(more))
            return fail_at(why, "has an undescribed", name);
        if (!part && json_is_object(more))
            part = more;
        char inner[256];
        if (part && !schema_holds(document, part, one, inner)) {
            snprintf(why, 256, "%.60s: %.180s", name, inner);
            return false;
        }
    }
    return true;
}

bool schema_holds(const json_t *document, const json_t *schema, const json_t *value, char ret_why[256]) {
    static const char *const known =
        " $ref type required properties additionalProperties items enum description format "
        "minLength maxLength minimum pattern contentMediaType contentSchema ";
    const char *keyword;
    json_t *one, *items;
    size_t i;
    schema = schema_at(document, (json_t *)schema);
    json_object_foreach((json_t *)schema, keyword, one) {
        char word[64];
        snprintf(word, sizeof word, " %s ", keyword);
        if (!strstr(known, word))
            return fail_at(ret_why, "the test does not know the keyword", keyword);
    }
    if (!type_holds(json_object_get(schema, "type"), value))
        return fail_at(ret_why, "is of another type", "");
    if (json_object_get(schema, "enum") && !is_among(json_object_get(schema, "enum"), value))
        return fail_at(ret_why, "is none of the enum", "");
    items = json_object_get(schema, "items");
    json_array_foreach(value, i, one) if (items && !schema_holds(document, items, one, ret_why)) return false;
    return !json_is_object(value) || members_hold(document, schema, value, ret_why);
}
