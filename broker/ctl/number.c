/* number.c - see number.h. */
#include "number.h"
#include "ident.h"

#include <string.h>

bool number_parse(const char *text, uint64_t max, uint64_t *ret) {
    char latin[40];
    size_t size = ident_fold_digits((est_slice){text, strlen(text)}, latin, sizeof latin);
    uint64_t number = 0;
    for (size_t i = 0; i < size; i++) {
        if (latin[i] < '0' || latin[i] > '9' || __builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, (uint64_t)(latin[i] - '0'), &number))
            return false;
    }
    if (size == 0 || number > max)
        return false;
    *ret = number;
    return true;
}
