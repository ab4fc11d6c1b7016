/* sql_value.c - a table of kinds, each with its way from text to msgpack. See sql_value.h. */
#include "sql_value.h"
#include "json.h"
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static est_slice blanks_trim(est_slice text) {
    const char *start = text.data;
    size_t size = text.size;
    while (size && isspace((unsigned char)*start))
        start++, size--;
    while (size && isspace((unsigned char)start[size - 1]))
        size--;
    return (est_slice){start, size};
}

static bool text_put(struct buffer *out, est_slice cell) {
    if (!utf8_is_valid(cell))
        return false;
    pack_text(out, cell);
    return true;
}

/* A NUMERIC may come with a fraction of zeros: 1500.000000 is the integer 1500. */
static bool int_put(struct buffer *out, est_slice cell) {
    char text[64], *end;
    cell = blanks_trim(cell);
    if (!cell.size || cell.size >= sizeof text)
        return false;
    memcpy(text, cell.data, cell.size);
    text[cell.size] = 0;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (errno || end == text)
        return false;
    if (*end == '.')
        end += 1 + strspn(end + 1, "0");
    if (*end)
        return false;
    pack_int(out, value);
    return true;
}

static bool bool_put(struct buffer *out, est_slice cell) {
    static const struct {
        const char *text;
        bool value;
    } words[] = {{"1", true},      {"0", false}, {"t", true},  {"f", false},  {"true", true},
                 {"false", false}, {"y", true},  {"n", false}, {"yes", true}, {"no", false}};
    cell = blanks_trim(cell);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (cell.size == strlen(words[i].text) && !strncasecmp(cell.data, words[i].text, cell.size)) {
            pack_bool(out, words[i].value);
            return true;
        }
    return false;
}

static bool json_put(struct buffer *out, est_slice cell) {
    json_t *json = json_loadb(cell.data, cell.size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
    bool packed = json && json_to_msgpack(json, out);
    json_decref(json);
    return packed;
}

static const struct {
    bool (*put)(struct buffer *, est_slice);
    const char *why_not;
} kinds[] = {
    [SQL_KIND_TEXT] = {text_put, "not UTF-8 text"},
    [SQL_KIND_INT] = {int_put, "not a whole number of 64 bits"},
    [SQL_KIND_BOOL] = {bool_put, "neither true nor false"},
    [SQL_KIND_JSON] = {json_put, "not JSON, or JSON with a real number or too deep"},
};

/* The piece before the next separator; false at the end. */
static bool item_take(est_slice *left, const char *split, est_slice *ret) {
    if (!left->data)
        return false;
    const char *start = left->data, *end = memmem(start, left->size, split, strlen(split));
    *ret = blanks_trim((est_slice){start, end ? (size_t)(end - start) : left->size});
    size_t used = end ? (size_t)(end - start) + strlen(split) : 0;
    *left = end ? (est_slice){start + used, left->size - used} : (est_slice){0};
    return true;
}

static bool list_pack(struct buffer *out, est_slice cell, enum sql_kind kind, const char *split,
                      const char **ret_why) {
    est_slice item, left = cell;
    size_t count = 0;
    bool is_empty = !blanks_trim(cell).size;
    while (!is_empty && item_take(&left, split, &item))
        count++;
    if (count > EST_ITEMS_MAX)
        return *ret_why = "a list with too many items", false;
    pack_array(out, count);
    left = cell;
    while (!is_empty && item_take(&left, split, &item))
        if (!kinds[kind].put(out, item))
            return *ret_why = kinds[kind].why_not, false;
    return true;
}

bool sql_value_pack(struct buffer *out, est_slice cell, enum sql_kind kind, const char *split,
                    const char **ret_why) {
    if (split)
        return list_pack(out, cell, kind, split, ret_why);
    if (kinds[kind].put(out, cell))
        return true;
    *ret_why = kinds[kind].why_not;
    return false;
}
