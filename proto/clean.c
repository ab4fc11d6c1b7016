/* clean.c - see clean.h. */
#include "clean.h"

#include <string.h>

size_t char_next(const uint8_t *at, size_t left, uint32_t *ret) {
    static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
    uint8_t first = at[0];
    size_t size = first < 0x80                    ? 1
                  : first >= 0xC2 && first < 0xE0 ? 2
                  : (first & 0xF0) == 0xE0        ? 3
                  : first < 0xF5                  ? 4
                                                  : 0;
    *ret = 0xFFFD;
    if (first >= 0x80 && first < 0xC2)
        size = 0;
    if (size == 0 || size > left)
        return 1;
    uint32_t c = size == 1 ? first : first & (0x7FU >> size);
    for (size_t i = 1; i < size; i++) {
        if ((at[i] & 0xC0) != 0x80)
            return 1;
        c = c << 6 | (at[i] & 0x3F);
    }
    if (c < least[size] || c > 0x10FFFF || (c >= 0xD800 && c < 0xE000))
        return 1;
    *ret = c;
    return size;
}

bool char_is_blank(uint32_t c) {
    return c == '\t' || c == '\n' || c == '\r' || c == 0x2028 || c == 0x2029;
}

bool char_is_control(uint32_t c) {
    return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x061C || c == 0x200E || c == 0x200F ||
           (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) || c == 0xFEFF || c == 0xFFFD;
}

void text_clean_in_place(char *text) {
    size_t used = 0;
    for (size_t at = 0, all = strlen(text); at < all;) {
        uint32_t c;
        size_t size = char_next((const uint8_t *)text + at, all - at, &c);
        if (char_is_blank(c)) {
            text[used++] = ' ';
        } else if (char_is_control(c)) {
            text[used++] = '?';
        } else {
            memmove(text + used, text + at, size);
            used += size;
        }
        at += size;
    }
    text[used] = '\0';
}
