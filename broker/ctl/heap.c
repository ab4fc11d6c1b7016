/* heap.c - see heap.h. */
#include "heap.h"
#include "command.h"
#include "say.h"

#include <estelam/types.h>
#include <stdlib.h>
#include <string.h>

static void *heap_need(void *got) {
    if (!got) {
        say_error(EST_NO_MEMORY, "free some memory, or ask for less at once", "out of memory");
        exit(EXIT_LOCAL);
    }
    return got;
}

void *heap_new(size_t count, size_t size) {
    return heap_need(calloc(count ? count : 1, size));
}

void *heap_grow(void *old, size_t count, size_t size) {
    return heap_need(reallocarray(old, count ? count : 1, size));
}

char *heap_text(const void *data, size_t size) {
    char *copy = heap_new(size + 1, 1);
    if (size)
        memcpy(copy, data, size);
    return copy;
}

void heap_free(void **at) {
    free(*at);
    *at = NULL;
}
