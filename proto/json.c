/* json.c - bodies as JSON, for people and scripts.
 *
 * What has no counterpart on the other side is refused, never bent: binary, map keys that are
 * numbers and integers above 2^63-1 on the way out; real numbers on the way in.
 */
#include "json.h"

#include <stdio.h>
#include <string.h>

static json_t *value_to_json(struct cursor *c);

static json_t *map_to_json(struct cursor *c) {
    size_t count;
    json_t *object = json_object();
    if (!object || !cursor_map(c, EST_ITEMS_MAX, &count)) {
        json_decref(object);
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        est_slice key;
        if (!cursor_text(c, EST_BODY_MAX, &key) || memchr(key.data, 0, key.size) ||
            json_object_setn_new_nocheck(object, key.data, key.size, value_to_json(c)) != 0) {
            json_decref(object);
            return NULL;
        }
    }
    return object;
}

static json_t *array_to_json(struct cursor *c) {
    size_t count;
    json_t *array = json_array();
    if (!array || !cursor_array(c, EST_ITEMS_MAX, &count)) {
        json_decref(array);
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        if (json_array_append_new(array, value_to_json(c)) != 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

/* The value was walked by cursor_value before: depth and size are bounded here. */
static json_t *value_to_json(struct cursor *c) {
    bool truth;
    int64_t integer;
    est_slice text;
    switch (cursor_peek(c)) {
    case KIND_NIL:
        return cursor_nil(c) ? json_null() : NULL;
    case KIND_BOOL:
        return cursor_bool(c, &truth) ? json_boolean(truth) : NULL;
    case KIND_UINT:
    case KIND_INT:
        return cursor_int(c, &integer) ? json_integer(integer) : NULL;
    case KIND_TEXT:
        return cursor_text(c, EST_FRAME_MAX, &text) ? json_stringn_nocheck(text.data, text.size) : NULL;
    case KIND_ARRAY:
        return array_to_json(c);
    case KIND_MAP:
        return map_to_json(c);
    case KIND_BIN:
    case KIND_NONE:
        break;
    }
    return NULL;
}

json_t *json_from_msgpack(est_slice value) {
    struct cursor c;
    est_slice whole;
    cursor_init(&c, value);
    if (!cursor_value(&c, &whole) || cursor_left(&c) != 0) {
        return NULL;
    }
    cursor_init(&c, value);
    return value_to_json(&c);
}

static bool value_to_msgpack(const json_t *json, struct buffer *ret, int depth);

static bool object_to_msgpack(const json_t *json, struct buffer *ret, int depth) {
    pack_map(ret, json_object_size(json));
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)json, key, value) {
        pack_cstr(ret, key);
        if (!value_to_msgpack(value, ret, depth)) {
            return false;
        }
    }
    return true;
}

static bool array_to_msgpack(const json_t *json, struct buffer *ret, int depth) {
    pack_array(ret, json_array_size(json));
    size_t index;
    json_t *value;
    json_array_foreach(json, index, value) {
        if (!value_to_msgpack(value, ret, depth)) {
            return false;
        }
    }
    return true;
}

/* `depth` is how many containers are around this value. */
static bool value_to_msgpack(const json_t *json, struct buffer *ret, int depth) {
    if (!json) {
        return false;
    }
    switch (json_typeof(json)) {
    case JSON_OBJECT:
        return depth < EST_DEPTH_MAX && object_to_msgpack(json, ret, depth + 1);
    case JSON_ARRAY:
        return depth < EST_DEPTH_MAX && array_to_msgpack(json, ret, depth + 1);
    case JSON_STRING:
        pack_text(ret, (est_slice){json_string_value(json), json_string_length(json)});
        return true;
    case JSON_INTEGER:
        pack_int(ret, json_integer_value(json));
        return true;
    case JSON_TRUE:
    case JSON_FALSE:
        pack_bool(ret, json_is_true(json));
        return true;
    case JSON_NULL:
        pack_nil(ret);
        return true;
    case JSON_REAL:
        break;
    }
    return false;
}

/* --- Why not ---------------------------------------------------------------------------------------- */

struct fault {
    char path[JSON_FAULT_SIZE / 2];
    const char *why;
};

static bool fault_find(struct fault *fault, size_t length, const json_t *json, int depth);

static bool fault_below(struct fault *fault, size_t length, const json_t *json, int depth) {
    const char *key;
    json_t *value;
    size_t index, left = sizeof fault->path - length;
    json_object_foreach((json_t *)json, key, value) {
        int size = snprintf(fault->path + length, left, "%s%s", length ? "." : "", key);
        if (fault_find(fault, length + ((size_t)size < left ? (size_t)size : left - 1), value, depth)) {
            return true;
        }
    }
    json_array_foreach(json, index, value) {
        int size = snprintf(fault->path + length, left, "[%zu]", index);
        if (fault_find(fault, length + ((size_t)size < left ? (size_t)size : left - 1), value, depth)) {
            return true;
        }
    }
    fault->path[length] = '\0';
    return false;
}

/* The first value that value_to_msgpack refuses; fault->path is its path as far as it fits. */
static bool fault_find(struct fault *fault, size_t length, const json_t *json, int depth) {
    bool holds_others = json_is_object(json) || json_is_array(json);
    if (json_is_real(json)) {
        fault->why = "a real number, where a body has whole ones only: write a text, or a smaller unit";
    } else if (holds_others && depth == EST_DEPTH_MAX) {
        fault->why = "a level too many";
    }
    return fault->why || (holds_others && fault_below(fault, length, json, depth + 1));
}

void json_fault(const json_t *json, char ret[JSON_FAULT_SIZE]) {
    struct fault fault = {.why = NULL};
    bool found = fault_find(&fault, 0, json, 0);
    snprintf(ret, JSON_FAULT_SIZE, "%s%s%s", fault.path, fault.path[0] ? ": " : "",
             found ? fault.why : "out of memory");
}

bool json_to_msgpack(const json_t *json, struct buffer *ret) {
    return json_to_msgpack_within(0, json, ret);
}

bool json_to_msgpack_within(int around, const json_t *json, struct buffer *ret) {
    size_t before = ret->size;
    if (value_to_msgpack(json, ret, around) && !ret->failed) {
        return true;
    }
    ret->size = before;
    return false;
}
