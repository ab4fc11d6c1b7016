/* filter_fold.c - one form for what several keyboards write.
 */
#include "filter_read.h"

#include <string.h>

/* One character of UTF-8: its bytes; 0 where it is none. */
static size_t char_size(const uint8_t *at, size_t left) {
    size_t size = *at < 0x80                  ? 1
                  : *at >= 0xC2 && *at < 0xE0 ? 2
                  : *at >= 0xE0 && *at < 0xF0 ? 3
                  : *at >= 0xF0               ? 4
                                              : 0;
    return size <= left ? size : 0;
}

struct replacement {
    const char *from, *to;
};

/* What means the same, and ("") what means nothing: direction marks come along when text is copied
 * out of a page that is written from the right. */
static const struct replacement replacements[] = {
    {"\u064A", "\u06CC"}, {"\u0649", "\u06CC"}, {"\u0643", "\u06A9"}, {"\u060C", ","}, {"\u00A0", " "},
    {"\u200E", ""},       {"\u200F", ""},       {"\u061C", ""},       {"\u202A", ""},  {"\u202B", ""},
    {"\u202C", ""},       {"\u202D", ""},       {"\u202E", ""},       {"\u2066", ""},  {"\u2067", ""},
    {"\u2068", ""},       {"\u2069", ""},       {"\uFEFF", ""},
};

/* Writes the folded form of one character and returns its bytes, at most `size`. */
static size_t char_fold(const uint8_t *at, size_t size, char *ret) {
    char digit;
    if (size == 2 && ident_fold_digits((est_slice){at, size}, &digit, 1) == 1) {
        *ret = digit;
        return 1;
    }
    for (size_t i = 0; size > 1 && i < sizeof replacements / sizeof replacements[0]; i++) {
        const struct replacement *r = &replacements[i];
        if (strlen(r->from) != size || memcmp(r->from, at, size) != 0)
            continue;
        memcpy(ret, r->to, strlen(r->to));
        return strlen(r->to);
    }
    memcpy(ret, at, size);
    return size;
}

size_t filter_fold(est_slice text, char *ret) {
    const uint8_t *at = text.data;
    size_t used = 0;
    for (size_t left = text.size, size; left > 0; at += size, left -= size) {
        size = char_size(at, left);
        size = size > 0 ? size : 1;
        used += char_fold(at, size, ret + used);
    }
    return used;
}

size_t filter_fold_places(est_slice text, char *ret, uint16_t *ret_places) {
    const uint8_t *at = text.data;
    size_t used = 0;
    uint16_t place = 1;
    for (size_t left = text.size, size; left > 0; at += size, left -= size, place++) {
        size = char_size(at, left);
        size = size > 0 ? size : 1;
        size_t folded = char_fold(at, size, ret + used);
        for (size_t i = 0; i < folded; i++)
            ret_places[used++] = place;
    }
    ret_places[used] = place;
    return used;
}
