/* tracking.c - "000J2C-9QX2M": the number, and a keyed check of it.
 *
 * The number in Crockford's base 32 (no I, L, O, U), at least six digits, then five digits of
 * SipHash over it under the store's secret: 25 bits, so a code cannot be guessed from another, and
 * a slip of the pen is found out with 33 million to one. Nothing is stored: the code follows from
 * the number.
 */
#include "tracking.h"

#include <sodium.h>
#include <string.h>

static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

void tracking_write(const uint8_t secret[16], uint64_t number, char ret[EST_TRACKING_MAX + 1]) {
    uint8_t hash[crypto_shorthash_BYTES], message[8];
    for (int i = 0; i < 8; i++)
        message[i] = (uint8_t)(number >> (8 * i));
    crypto_shorthash(hash, message, sizeof message, secret);
    char body[14];
    size_t at = sizeof body;
    for (uint64_t rest = number; rest > 0 || at > sizeof body - 6; rest /= 32)
        body[--at] = digits[rest % 32];
    uint64_t check =
        (uint64_t)hash[0] | (uint64_t)hash[1] << 8 | (uint64_t)hash[2] << 16 | (uint64_t)hash[3] << 24;
    size_t size = sizeof body - at;
    memcpy(ret, body + at, size);
    ret[size++] = '-';
    for (int i = 0; i < 5; i++)
        ret[size++] = digits[check >> (5 * i) & 31];
    ret[size] = '\0';
}

bool tracking_read(const uint8_t secret[16], est_slice code, uint64_t *ret_number) {
    const char *at = code.data;
    char again[EST_TRACKING_MAX + 1];
    uint64_t number = 0;
    if (code.size < 12 || code.size > EST_TRACKING_MAX)
        return false;
    for (size_t i = 0; i < code.size - 6; i++) {
        const char *digit = at[i] ? strchr(digits, at[i]) : NULL;
        if (digit == NULL || number >> 59 != 0)
            return false;
        number = number * 32 + (uint64_t)(digit - digits);
    }
    tracking_write(secret, number, again);
    if (strlen(again) != code.size || memcmp(again, at, code.size) != 0)
        return false;
    *ret_number = number;
    return true;
}
