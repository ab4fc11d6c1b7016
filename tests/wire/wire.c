/* wire.c - hexadecimal and meanings, for the wire tests. */
#include "wire.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- Hexadecimal ----------------------------------------------------------------------------------- */

static int digit_value(char c) {
    const char *digits = "0123456789abcdef";
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : -1;
}

static const char *group_read(const char *text, struct buffer *ret) {
    size_t start = ret->size;
    while (digit_value(text[0]) >= 0 && digit_value(text[1]) >= 0) {
        uint8_t byte = (uint8_t)(digit_value(text[0]) << 4 | digit_value(text[1]));
        buffer_put(ret, &byte, 1);
        text += 2;
    }
    size_t size = ret->size - start;
    if (*text == '*') {
        char *end;
        unsigned long times = strtoul(text + 1, &end, 10);
        /* In place first: buffer_put may move what it would copy from. */
        for (unsigned long i = 1; i < times && buffer_reserve(ret, size); i++) {
            buffer_put(ret, ret->data + start, size);
        }
        text = end;
    }
    return text;
}

bool hex_read(const char *text, struct buffer *ret) {
    while (*text) {
        if (*text == '#') {
            text += strcspn(text, "\n");
        } else if (strchr(" \t\r\n", *text)) {
            text++;
        } else {
            const char *after = group_read(text, ret);
            if (after == text || (*after && !strchr(" \t\r\n#", *after))) {
                return false;
            }
            text = after;
        }
    }
    return !ret->failed;
}

/* --- Values ---------------------------------------------------------------------------------------- */

static json_t *bin_meaning(est_slice bytes) {
    char *text = malloc(bytes.size * 2 + 1);
    if (!text) {
        return NULL;
    }
    text[0] = '\0';
    for (size_t i = 0; i < bytes.size; i++) {
        snprintf(text + 2 * i, 3, "%02x", ((const uint8_t *)bytes.data)[i]);
    }
    json_t *json = json_pack("{s:s}", "$bin", text);
    free(text);
    return json;
}

static json_t *uint_meaning(uint64_t number) {
    if (number <= INT64_MAX) {
        return json_integer((json_int_t)number);
    }
    char text[24];
    snprintf(text, sizeof text, "%" PRIu64, number);
    return json_pack("{s:s}", "$uint", text);
}

static json_t *next_meaning(struct cursor *c);

static json_t *map_meaning(struct cursor *c) {
    size_t count;
    if (!cursor_map(c, SIZE_MAX, &count)) {
        return NULL;
    }
    bool plain = true;
    json_t *object = json_object(), *pairs = json_array();
    for (size_t i = 0; i < count; i++) {
        json_t *key = next_meaning(c), *value = next_meaning(c);
        /* Jansson stores a key with U+0000 in it and then does not find it. */
        plain = plain && json_is_string(key) && strlen(json_string_value(key)) == json_string_length(key);
        if (plain) {
            json_object_setn(object, json_string_value(key), json_string_length(key), value);
        }
        json_array_append_new(pairs, json_pack("[oo]", key, value));
    }
    if (plain) {
        json_decref(pairs);
        return object;
    }
    json_decref(object);
    return json_pack("{s:o}", "$map", pairs);
}

static json_t *array_meaning(struct cursor *c) {
    size_t count;
    if (!cursor_array(c, SIZE_MAX, &count)) {
        return NULL;
    }
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++) {
        json_array_append_new(array, next_meaning(c));
    }
    return array;
}

static json_t *next_meaning(struct cursor *c) {
    bool truth;
    uint64_t number;
    int64_t negative;
    est_slice slice;
    switch (cursor_peek(c)) {
    case KIND_NIL:
        return cursor_nil(c) ? json_null() : NULL;
    case KIND_BOOL:
        return cursor_bool(c, &truth) ? json_boolean(truth) : NULL;
    case KIND_UINT:
        return cursor_uint(c, &number) ? uint_meaning(number) : NULL;
    case KIND_INT:
        return cursor_int(c, &negative) ? json_integer(negative) : NULL;
    case KIND_TEXT:
        return cursor_text(c, SIZE_MAX, &slice) ? json_stringn(slice.data, slice.size) : NULL;
    case KIND_BIN:
        return cursor_bin(c, SIZE_MAX, &slice) ? bin_meaning(slice) : NULL;
    case KIND_ARRAY:
        return array_meaning(c);
    case KIND_MAP:
        return map_meaning(c);
    case KIND_NONE:
        break;
    }
    return NULL;
}

json_t *value_meaning(est_slice value) {
    struct cursor c;
    cursor_init(&c, value);
    json_t *json = next_meaning(&c);
    if (c.bad || cursor_left(&c) != 0) {
        json_decref(json);
        return NULL;
    }
    return json;
}

/* --- Messages -------------------------------------------------------------------------------------- */

static json_t *numbers_meaning(const struct numbers *numbers) {
    json_t *array = json_array();
    for (size_t i = 0; i < numbers->count; i++) {
        json_array_append_new(array, uint_meaning(numbers->at[i]));
    }
    return array;
}

static json_t *id_meaning(const est_id *id) {
    char text[EST_ID_TEXT_SIZE];
    est_id_format(id, text);
    return json_string(text);
}

static bool id_is_zero(const est_id *id) {
    est_id zero = {{0}};
    return memcmp(id, &zero, sizeof zero) == 0;
}

/* NULL where the field is empty and need not be told. */
static json_t *field_meaning(const struct message *m, const struct protocol_field *field) {
    const void *at = (const char *)m + field->offset;
    const uint64_t *number = at;
    const est_slice *slice = at;
    if (strcmp(field->type, "id") == 0) {
        return field->required || !id_is_zero(at) ? id_meaning(at) : NULL;
    }
    if (strcmp(field->type, "text") == 0) {
        return field->required || slice->size ? json_stringn(slice->data, slice->size) : NULL;
    }
    if (strcmp(field->type, "numbers") == 0 || strcmp(field->type, "pairs") == 0) {
        return numbers_meaning(at);
    }
    if (strcmp(field->type, "uint64") == 0 || strcmp(field->type, "uint32") == 0 ||
        strcmp(field->type, "time") == 0) {
        return field->required || *number ? uint_meaning(*number) : NULL;
    }
    return slice->size ? value_meaning(*slice) : NULL;
}

json_t *message_meaning(const struct message *m) {
    json_t *fields = json_object();
    struct protocol_field field;
    for (size_t i = 0; protocol_field(m->verb, i, &field); i++) {
        json_t *value = field_meaning(m, &field);
        if (value) {
            json_object_set_new(fields, field.name, value);
        }
    }
    return json_pack("{s:o}", verb_name(m->verb), fields);
}

/* --- Files ----------------------------------------------------------------------------------------- */

char *file_read(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END) != 0) {
        perror(path);
        exit(1);
    }
    long size = ftell(file);
    rewind(file);
    char *text = size < 0 ? NULL : malloc((size_t)size + 1);
    if (!text || fread(text, 1, (size_t)size, file) != (size_t)size) {
        perror(path);
        exit(1);
    }
    text[size] = '\0';
    fclose(file);
    return text;
}
