/* text.c - see text.h. */
#include "text.h"
#include "heap.h"

#include <langinfo.h>
#include <locale.h>
#include <string.h>
#include <wchar.h>

void text_locale(void) {
    setlocale(LC_ALL, "");
    if (strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
        setlocale(LC_CTYPE, "C.UTF-8");
}

/* One character: its bytes, 1 where they are no UTF-8, and then *ret is U+FFFD. */
static size_t char_next(const uint8_t *at, size_t left, uint32_t *ret) {
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

static bool char_is_blank(uint32_t c) {
    return c == '\t' || c == '\n' || c == '\r' || c == 0x2028 || c == 0x2029;
}

/* C0, C1, DEL and the controls that change the direction of what follows. The zero-width
 * non-joiner stays: Persian words are spelled with it. */
static bool char_is_control(uint32_t c) {
    return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x061C || c == 0x200E || c == 0x200F ||
           (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) || c == 0xFEFF || c == 0xFFFD;
}

char *text_clean(est_slice in) {
    static const char replacement[] = "\xEF\xBF\xBD";
    const uint8_t *at = in.data;
    char *out = heap_new(in.size * 3 + 1, 1);
    size_t used = 0;
    for (size_t left = in.size; left;) {
        uint32_t c;
        size_t size = char_next(at, left, &c);
        if (char_is_blank(c)) {
            out[used++] = ' ';
        } else if (char_is_control(c)) {
            memcpy(out + used, replacement, 3);
            used += 3;
        } else {
            memcpy(out + used, at, size);
            used += size;
        }
        at += size;
        left -= size;
    }
    return out;
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

static unsigned char_width(uint32_t c) {
    int width = wcwidth((wchar_t)c);
    return width < 0 ? 1 : (unsigned)width;
}

size_t text_fit(const char *text, unsigned width) {
    unsigned taken = 0;
    size_t at = 0;
    for (size_t all = strlen(text); at < all;) {
        uint32_t c;
        size_t size = char_next((const uint8_t *)text + at, all - at, &c);
        taken += char_width(c);
        if (taken > width)
            break;
        at += size;
    }
    return at;
}

unsigned text_width(const char *text) {
    unsigned width = 0;
    for (size_t at = 0, all = strlen(text); at < all;) {
        uint32_t c;
        at += char_next((const uint8_t *)text + at, all - at, &c);
        width += char_width(c);
    }
    return width;
}

bool text_has_rtl(const char *text) {
    for (size_t at = 0, all = strlen(text); at < all;) {
        uint32_t c;
        at += char_next((const uint8_t *)text + at, all - at, &c);
        if ((c >= 0x0590 && c <= 0x08FF) || (c >= 0xFB1D && c <= 0xFDFF) || (c >= 0xFE70 && c <= 0xFEFE))
            return true;
    }
    return false;
}
