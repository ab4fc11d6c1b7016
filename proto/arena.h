/* arena.h - memory that is given piece by piece and taken back all at once.
 *
 * What is read from configuration lives exactly as long as the document or catalogue it belongs
 * to, so it is freed with it. Pieces are zeroed and aligned for any type. After one failure the
 * arena stays failed, so that a reader may check once at its end.
 */
#ifndef ARENA_H
#define ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { ARENA_CHUNK = 16 * 1024 };

struct arena_chunk {
    struct arena_chunk *next;
    size_t used, size;
    _Alignas(max_align_t) unsigned char bytes[];
};
/* Begins zeroed. */
struct arena {
    struct arena_chunk *chunks;
    bool failed;
};

/* NULL when there is no memory. Never NULL for a size of 0. */
static inline void *arena_take(struct arena *arena, size_t size) {
    const size_t step = _Alignof(max_align_t);
    if (arena->failed || size > SIZE_MAX / 4) {
        arena->failed = true;
        return NULL;
    }
    size = (size + step - 1) / step * step;
    struct arena_chunk *chunk = arena->chunks;
    if (!chunk || chunk->size - chunk->used < size) {
        size_t room = size > ARENA_CHUNK ? size : ARENA_CHUNK;
        chunk = calloc(1, sizeof *chunk + room);
        if (!chunk) {
            arena->failed = true;
            return NULL;
        }
        chunk->size = room;
        chunk->next = arena->chunks;
        arena->chunks = chunk;
    }
    void *piece = chunk->bytes + chunk->used;
    chunk->used += size;
    return piece;
}

static inline void *arena_take_many(struct arena *arena, size_t count, size_t size) {
    if (size && count > SIZE_MAX / 8 / size) {
        arena->failed = true;
        return NULL;
    }
    return arena_take(arena, count * size);
}

/* A copy of `size` bytes and a zero byte after them. */
static inline char *arena_copy(struct arena *arena, const void *text, size_t size) {
    char *copy = arena_take(arena, size + 1);
    if (copy && size)
        memcpy(copy, text, size);
    return copy;
}

static inline void arena_done(struct arena *arena) {
    while (arena->chunks) {
        struct arena_chunk *chunk = arena->chunks;
        arena->chunks = chunk->next;
        free(chunk);
    }
}

#endif
