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

/* Drawn over or under a letter, never a letter of its own: vowels, madda, hamza and Koranic signs. */
static bool is_mark(uint32_t c) {
    return (c >= 0x610 && c <= 0x61A) || (c >= 0x64B && c <= 0x65F) || c == 0x670 ||
           (c >= 0x6D6 && c <= 0x6DC) || (c >= 0x6DF && c <= 0x6E4) || c == 0x6E7 || c == 0x6E8 ||
           (c >= 0x6EA && c <= 0x6ED);
}

/* Joiners, and marks of direction: those come along when text is copied out of a page that is written from
 * the right. */
static bool is_unseen(uint32_t c) {
    return c == 0x61C || (c >= 0x200C && c <= 0x200F) || (c >= 0x202A && c <= 0x202E) ||
           (c >= 0x2066 && c <= 0x2069) || c == 0xFEFF;
}

/* What a character is compared as; 0: as nothing. A letter that Unicode also writes as another and a mark
 * becomes that other one, since marks are nothing: so both forms are the same. The list is PROTOCOL.md's,
 * section 15, and the console's (format/fold.ts). */
static uint32_t folded(uint32_t c) {
    switch (c) {
    case 0x622: /* alef with madda, with hamza over and under it */
    case 0x623:
    case 0x625:
        return 0x627;
    case 0x624: /* waw with hamza */
        return 0x648;
    case 0x626: /* ye with hamza, alef maksura, Arabic ye, bari ye and that with hamza */
    case 0x649:
    case 0x64A:
    case 0x6D2:
    case 0x6D3:
        return 0x6CC;
    case 0x629: /* te marbuta, he with hamza, he goal and that with hamza, ae */
    case 0x6C0:
    case 0x6C1:
    case 0x6C2:
    case 0x6D5:
        return 0x647;
    case 0x643: /* Arabic kaf */
        return 0x6A9;
    case 0x60C: /* comma */
        return ',';
    case 0xA0: /* blank that does not break */
        return ' ';
    case 0x640: /* kashida */
        return 0;
    default:
        return is_mark(c) || is_unseen(c) ? 0 : c;
    }
}

/* Of two or three bytes. */
static uint32_t char_read(const uint8_t *at, size_t size) {
    return size == 2 ? (uint32_t)(at[0] & 0x1F) << 6 | (at[1] & 0x3F)
                     : (uint32_t)(at[0] & 0x0F) << 12 | (uint32_t)(at[1] & 0x3F) << 6 | (at[2] & 0x3F);
}

/* Writes the folded form of one character and returns its bytes, at most `size`: nothing in the list becomes
 * longer, and none of it is more than two bytes. */
static size_t char_fold(const uint8_t *at, size_t size, char *ret) {
    char digit;
    if (size == 2 && ident_fold_digits((est_slice){at, size}, &digit, 1) == 1) {
        *ret = digit;
        return 1;
    }
    uint32_t c = size == 2 || size == 3 ? char_read(at, size) : 0, to = folded(c);
    if (to == c) {
        memcpy(ret, at, size);
        return size;
    }
    if (to >= 0x80) {
        ret[0] = (char)(0xC0 | to >> 6);
        ret[1] = (char)(0x80 | (to & 0x3F));
        return 2;
    }
    *ret = (char)to;
    return to != 0;
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
