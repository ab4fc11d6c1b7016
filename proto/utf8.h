/* utf8.h - is a text UTF-8, and what else must be known of it before it is taken.
 *
 * Every text that comes in or goes out is looked through here, so it is the most instructions of
 * any function on the main path: with 256-byte bodies in Persian an inquiry brings two kilobytes of
 * text past these calls.
 */
#ifndef UTF8_H
#define UTF8_H

#include <estelam/types.h>

#include <string.h>

bool utf8_is_valid_long(est_slice text);

/* Most texts are names, of ASCII: up to 32 bytes are up to four words, which may overlap. */
static inline bool utf8_is_short_ascii(est_slice text) {
    const uint8_t *at = text.data, *last;
    uint64_t any = 0, words[4];
    if (text.size < 8) {
        for (size_t i = 0; i < text.size; i++)
            any |= at[i];
        return any < 0x80;
    }
    if (text.size > 32)
        return false;
    last = at + text.size - 8;
    memcpy(&words[0], at, 8);
    memcpy(&words[1], last, 8);
    memcpy(&words[2], text.size > 16 ? at + 8 : at, 8);
    memcpy(&words[3], text.size > 16 ? last - 8 : last, 8);
    return ((words[0] | words[1] | words[2] | words[3]) & 0x8080808080808080U) == 0;
}

/* By the Unicode Standard, table 3-7: no overlong form, no surrogate, nothing above U+10FFFF. */
static inline bool utf8_is_valid(est_slice text) {
    return utf8_is_short_ascii(text) || utf8_is_valid_long(text);
}

/* Of a text that is UTF-8: how many characters it has, and whether any byte is a control
 * character's: below 0x20, or 0x7F. */
struct utf8_scan {
    size_t characters;
    bool has_control;
};
struct utf8_scan utf8_scan(est_slice text);

/* The same without what only some processors can do; for the test, and where that is missing. */
bool utf8_is_valid_plain(est_slice text);
struct utf8_scan utf8_scan_plain(est_slice text);

#endif
