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
