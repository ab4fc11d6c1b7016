/* trace.c - see trace.h. */
#include "trace.h"

#include <estelam/types.h>
#include <string.h>

static bool part_is_good(const char *text, size_t size, bool may_be_zero) {
    bool zero = true;
    for (size_t i = 0; i < size; i++) {
        if (!text[i] || !strchr("0123456789abcdef", text[i]))
            return false;
        zero = zero && text[i] == '0';
    }
    return !zero || may_be_zero;
}

bool trace_is_good(const char *text) {
    size_t size = strlen(text);
    if (size < 55 || size > EST_TRACE_MAX || text[2] != '-' || text[35] != '-' || text[52] != '-')
        return false;
    if (!part_is_good(text, 2, true) || !part_is_good(text + 3, 32, false) ||
        !part_is_good(text + 36, 16, false) || !part_is_good(text + 53, 2, true) ||
        memcmp(text, "ff", 2) == 0)
        return false;
    return memcmp(text, "00", 2) == 0 ? size == 55 : size == 55 || text[55] == '-';
}
