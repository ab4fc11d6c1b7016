/* codec.h - msgpack read with bounded cursors, packed with msgpack-c.
 *
 * Reading never allocates and never trusts a length: every count is checked against what is left
 * of the input before it is used, depth and the number of elements are limited, and text must be
 * valid UTF-8. (msgpack-c's own unpacker reserves memory by the length that the peer claims: a
 * hundred hostile bytes make it ask for 160 GiB.) Floats, extension types and invalid UTF-8 are
 * refused; integers are -2^63 ... 2^64-1.
 *
 * A cursor is a view of somebody else's bytes. Once a read fails the cursor stays failed: `bad`
 * says why, and every later read fails too, so that a caller may check once at the end.
 */
#ifndef CODEC_H
#define CODEC_H

#include <estelam/types.h>

#include "utf8.h"

enum kind { KIND_NONE, KIND_NIL, KIND_BOOL, KIND_UINT, KIND_INT /* negative */, KIND_TEXT, KIND_BIN, KIND_ARRAY, KIND_MAP };

struct cursor {
    const uint8_t *at, *end;
    const uint8_t *start;
    const char *bad; /* NULL while all is well; else a short reason, a string constant */
    bool text_is_good; /* the bytes came out of cursor_value: text is not looked through again */
};

void cursor_init(struct cursor *, est_slice input);
static inline size_t cursor_left(const struct cursor *c) {
    return (size_t)(c->end - c->at);
}
static inline size_t cursor_offset(const struct cursor *c) {
    return (size_t)(c->at - c->start);
}
bool cursor_fail(struct cursor *, const char *why); /* always false */

/* What comes next, KIND_NONE at the end or where the byte is not of our msgpack. Reads nothing. */
enum kind cursor_peek_long(const struct cursor *); /* for the rarer forms */
static inline enum kind cursor_peek(const struct cursor *c) {
    if (c->bad || c->at == c->end)
        return KIND_NONE;
    uint8_t byte = *c->at;
    return byte < 0x80 ? KIND_UINT : byte < 0x90 ? KIND_MAP : byte < 0xa0 ? KIND_ARRAY : byte < 0xc0 ? KIND_TEXT
                                                                                     : cursor_peek_long(c);
}

/* Each takes one value of the kind named, or fails the cursor and returns false, leaving
 * *ret_x as it was. */
bool cursor_nil(struct cursor *);
bool cursor_bool(struct cursor *, bool *ret);
bool cursor_uint_long(struct cursor *, uint64_t *ret);
static inline bool cursor_uint(struct cursor *c, uint64_t *ret) { /* 0 ... 2^64-1 */
    if (c->bad || c->at == c->end || *c->at >= 0x80)
        return cursor_uint_long(c, ret);
    *ret = *c->at++; /* keys, verbs and most numbers: the one byte is the number */
    return true;
}
bool cursor_int(struct cursor *, int64_t *ret);             /* -2^63 ... 2^63-1 */
bool cursor_text(struct cursor *, size_t max, est_slice *ret); /* valid UTF-8, at most max bytes */
bool cursor_bin(struct cursor *, size_t max, est_slice *ret);
/* The header of an array or map; `ret_count` elements (or pairs) follow. Fails where fewer bytes
 * are left than the elements need at the least. */
bool cursor_array_long(struct cursor *, size_t max, size_t *ret_count);
bool cursor_map_long(struct cursor *, size_t max, size_t *ret_count);
static inline bool cursor_array(struct cursor *c, size_t max, size_t *ret_count) {
    size_t left = cursor_left(c), count = left > 0 ? *c->at ^ 0x90u : 16; /* of the one-byte form */
    if (c->bad || count > 15 || count >= left || count > max)
        return cursor_array_long(c, max, ret_count);
    c->at++;
    *ret_count = count;
    return true;
}
static inline bool cursor_map(struct cursor *c, size_t max, size_t *ret_count) {
    size_t left = cursor_left(c), count = left > 0 ? *c->at ^ 0x80u : 16;
    if (c->bad || count > 15 || 2 * count >= left || count > max)
        return cursor_map_long(c, max, ret_count);
    c->at++;
    *ret_count = count;
    return true;
}
/* Skips one value of any kind, checking all of it: depth at most EST_DEPTH_MAX, at most
 * EST_ITEMS_MAX elements, UTF-8, no float, no extension, no duplicate key in any map, map keys
 * are text or unsigned integers. `ret` is the value's own bytes. */
bool cursor_value(struct cursor *, est_slice *ret);
/* `bad` where there were more than EST_ITEMS_MAX elements. */
extern const char cursor_too_many[];

/* --- Writing: a growing buffer, filled through msgpack-c's packer. ------------------------- */

struct buffer {
    uint8_t *data;
    size_t size, capacity;
    bool failed; /* out of memory: size stays as it was, later writes do nothing */
};

void buffer_init(struct buffer *);
void buffer_done(struct buffer *); /* frees; the buffer may be used again after */
static inline void buffer_clear(struct buffer *b) {
    b->size = 0;
    b->failed = false;
}
static inline est_slice buffer_slice(const struct buffer *b) {
    return (est_slice){b->data, b->size};
}
bool buffer_grow(struct buffer *, size_t more);
static inline bool buffer_reserve(struct buffer *b, size_t more) {
    return __builtin_expect(more <= b->capacity - b->size && !b->failed, 1) || buffer_grow(b, more);
}
/* Raw bytes, such as a packed value. */
static inline void buffer_put(struct buffer *b, const void *data, size_t size) {
    if (size > 0 && buffer_reserve(b, size)) {
        __builtin_memcpy(b->data + b->size, data, size);
        b->size += size;
    }
}

void pack_nil(struct buffer *);
void pack_bool(struct buffer *, bool);
void pack_uint_long(struct buffer *, uint64_t);
static inline void pack_uint(struct buffer *b, uint64_t value) {
    if (value >= 0x80)
        pack_uint_long(b, value);
    else if (buffer_reserve(b, 1))
        b->data[b->size++] = (uint8_t)value; /* keys and most numbers are the one byte */
}
void pack_int(struct buffer *, int64_t);
void pack_text(struct buffer *, est_slice);
void pack_cstr(struct buffer *, const char *);
void pack_bin(struct buffer *, est_slice);
void pack_array(struct buffer *, size_t count);
void pack_map(struct buffer *, size_t pairs);

static inline est_slice slice_of(const char *text) {
    return (est_slice){text, text ? __builtin_strlen(text) : 0};
}
bool slice_equal(est_slice a, est_slice b);

#endif
