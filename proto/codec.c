/* codec.c - msgpack read with bounded cursors, packed with msgpack-c.
 *
 * Reading rests on one function, token_read, which takes one header and the bytes it promises and
 * believes neither. The public calls ask it for a kind; cursor_value walks a whole value with it.
 * Short numbers, texts and maps go before it by ways of their own (codec.h), which take what is
 * surely whole and leave the rest, whatever is wrong with it, to token_read.
 */
#include "codec.h"

#include <stdlib.h>
#include <string.h>

/* --- Tokens --------------------------------------------------------------------------------------- */

/* One header: what it is, its number (a scalar, a length or a count), and for text and binary
 * where the bytes are. */
struct token {
    enum kind kind;
    uint64_t number; /* negative integers: two's complement */
    const uint8_t *data;
};

/* What the bytes 0xc0 ... 0xdf announce: a kind and how many bytes of number follow. */
struct form {
    uint8_t kind, width;
    bool is_signed;
};

static const struct form forms[32] = {
    [0x00] = {KIND_NIL, 0, false},   [0x02] = {KIND_BOOL, 0, false}, [0x03] = {KIND_BOOL, 0, false},
    [0x04] = {KIND_BIN, 1, false},   [0x05] = {KIND_BIN, 2, false},  [0x06] = {KIND_BIN, 4, false},
    [0x0c] = {KIND_UINT, 1, false},  [0x0d] = {KIND_UINT, 2, false}, [0x0e] = {KIND_UINT, 4, false},
    [0x0f] = {KIND_UINT, 8, false},  [0x10] = {KIND_UINT, 1, true},  [0x11] = {KIND_UINT, 2, true},
    [0x12] = {KIND_UINT, 4, true},   [0x13] = {KIND_UINT, 8, true},  [0x19] = {KIND_TEXT, 1, false},
    [0x1a] = {KIND_TEXT, 2, false},  [0x1b] = {KIND_TEXT, 4, false}, [0x1c] = {KIND_ARRAY, 2, false},
    [0x1d] = {KIND_ARRAY, 4, false}, [0x1e] = {KIND_MAP, 2, false},  [0x1f] = {KIND_MAP, 4, false},
};

void cursor_init(struct cursor *c, est_slice input) {
    static const uint8_t nothing[1];
    c->start = c->at = input.size ? input.data : nothing;
    c->end = c->start + input.size;
    c->bad = NULL;
    c->text_is_good = false;
}

bool cursor_fail(struct cursor *c, const char *why) {
    if (!c->bad) {
        c->bad = why;
    }
    return false;
}

/* A number of `width` bytes, none to eight, of which `left` are there: seldom fewer than eight, so that
 * mostly they are one word, of which the last bytes are shifted out. (A byte at a time, times and
 * numbers were a fifth of a far end's instructions.) */
static inline uint64_t big_endian(const uint8_t *at, size_t width, size_t left) {
    uint64_t number = 0;
    if (left >= sizeof number && width > 0 && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__) {
        memcpy(&number, at, sizeof number);
        return __builtin_bswap64(number) >> (64 - 8 * width);
    }
    for (size_t i = 0; i < width; i++) {
        number = number << 8 | at[i];
    }
    return number;
}

static uint64_t sign_extend(uint64_t number, size_t width) {
    unsigned shift = 64 - 8 * (unsigned)width;
    return (uint64_t)((int64_t)(number << shift) >> shift);
}

/* The one-byte forms: small integers, short text, small arrays and maps. */
static inline void token_short(uint8_t byte, struct token *ret) {
    if (byte < 0x80) {
        *ret = (struct token){KIND_UINT, byte, NULL};
    } else if (byte < 0x90) {
        *ret = (struct token){KIND_MAP, byte & 0x0f, NULL};
    } else if (byte < 0xa0) {
        *ret = (struct token){KIND_ARRAY, byte & 0x0f, NULL};
    } else if (byte < 0xc0) {
        *ret = (struct token){KIND_TEXT, byte & 0x1f, NULL};
    } else {
        *ret = (struct token){KIND_INT, (uint64_t)(int8_t)byte, NULL};
    }
}

/* Takes the header at `at` without moving the cursor; NULL with the cursor failed, or the place
 * after the header. */
static inline const uint8_t *token_header(struct cursor *c, struct token *ret) {
    if (c->bad || c->at == c->end) {
        cursor_fail(c, "the input is cut short");
        return NULL;
    }
    const uint8_t *at = c->at;
    uint8_t byte = *at++;
    if (byte < 0xc0 || byte >= 0xe0) {
        token_short(byte, ret);
        return at;
    }
    const struct form *form = &forms[byte & 31];
    if (form->kind == KIND_NONE) {
        cursor_fail(c, byte == 0xca || byte == 0xcb ? "a floating-point number"
                       : byte == 0xc1               ? "the unused byte 0xc1"
                                                    : "an extension type");
        return NULL;
    }
    size_t left = (size_t)(c->end - at);
    if (left < form->width) {
        cursor_fail(c, "the input is cut short");
        return NULL;
    }
    uint64_t number = form->width ? big_endian(at, form->width, left) : byte & 1;
    if (form->is_signed) {
        number = sign_extend(number, form->width);
    }
    bool negative = form->is_signed && (int64_t)number < 0;
    *ret = (struct token){negative ? KIND_INT : form->kind, number, NULL};
    return at + form->width;
}

/* Takes one token and, for text and binary, its bytes. Counts and lengths are checked against
 * what is left, so that no caller can loop or reserve on the word of a hostile header. */
static bool token_read(struct cursor *c, struct token *ret) {
    const uint8_t *at = token_header(c, ret);
    if (!at) {
        return false;
    }
    size_t left = (size_t)(c->end - at);
    switch (ret->kind) {
    case KIND_TEXT:
    case KIND_BIN:
        if (ret->number > left) {
            return cursor_fail(c, "a length runs past the end");
        }
        ret->data = at;
        at += ret->number;
        break;
    case KIND_ARRAY:
        if (ret->number > left) {
            return cursor_fail(c, "an array has more elements than bytes are left");
        }
        break;
    case KIND_MAP:
        if (ret->number > left / 2) {
            return cursor_fail(c, "a map has more pairs than bytes are left");
        }
        break;
    default:
        break;
    }
    c->at = at;
    return true;
}

static const char *kind_wanted(enum kind kind) {
    static const char *const wanted[] = {
        [KIND_NONE] = "a value is expected",   [KIND_NIL] = "nil is expected",
        [KIND_BOOL] = "a boolean is expected", [KIND_UINT] = "an unsigned integer is expected",
        [KIND_INT] = "an integer is expected", [KIND_TEXT] = "text is expected",
        [KIND_BIN] = "binary is expected",     [KIND_ARRAY] = "an array is expected",
        [KIND_MAP] = "a map is expected",
    };
    return wanted[kind];
}

static bool token_want(struct cursor *c, enum kind kind, struct token *ret) {
    const uint8_t *before = c->at;
    if (!token_read(c, ret)) {
        return false;
    }
    if (ret->kind != kind) {
        c->at = before;
        return cursor_fail(c, kind_wanted(kind));
    }
    return true;
}

/* --- One value of a kind -------------------------------------------------------------------------- */

enum kind cursor_peek_long(const struct cursor *c) {
    struct cursor copy = *c;
    struct token token;
    return token_header(&copy, &token) ? token.kind : KIND_NONE;
}

bool cursor_nil(struct cursor *c) {
    struct token token;
    return token_want(c, KIND_NIL, &token);
}

bool cursor_bool(struct cursor *c, bool *ret) {
    struct token token;
    if (!token_want(c, KIND_BOOL, &token)) {
        return false;
    }
    *ret = token.number;
    return true;
}

/* Of one, two, four or eight bytes, with so much behind it that one load has them all. */
bool cursor_uint_long(struct cursor *c, uint64_t *ret) {
    struct token token;
    size_t left = cursor_left(c);
    unsigned log_width = left > sizeof *ret ? *c->at ^ 0xccu : 4;
    if (!c->bad && log_width < 4) {
        *ret = big_endian(c->at + 1, (size_t)1 << log_width, left - 1);
        c->at += 1 + ((size_t)1 << log_width);
        return true;
    }
    if (!token_want(c, KIND_UINT, &token)) {
        return false;
    }
    *ret = token.number;
    return true;
}

bool cursor_int(struct cursor *c, int64_t *ret) {
    struct token token;
    if (!token_read(c, &token)) {
        return false;
    }
    if (token.kind == KIND_UINT && token.number > INT64_MAX) {
        return cursor_fail(c, "an integer above 2^63-1");
    }
    if (token.kind != KIND_UINT && token.kind != KIND_INT) {
        return cursor_fail(c, kind_wanted(KIND_INT));
    }
    *ret = (int64_t)token.number;
    return true;
}

/* Text or binary behind a header of one byte or two, as it mostly is. Moves nothing. */
static inline bool bytes_are_short(const struct cursor *c, enum kind kind, est_slice *ret) {
    const uint8_t *at = c->at;
    size_t left = cursor_left(c);
    if (c->bad || left < 2) {
        return false;
    }
    if (kind == KIND_TEXT && (at[0] ^ 0xa0) < 0x20) {
        *ret = (est_slice){at + 1, at[0] & 0x1f};
    } else if (at[0] == (kind == KIND_TEXT ? 0xd9 : 0xc4)) {
        *ret = (est_slice){at + 2, at[1]};
    } else {
        return false;
    }
    return ret->size <= (size_t)(c->end - (const uint8_t *)ret->data);
}

static inline void slice_pass(struct cursor *c, est_slice slice) {
    c->at = (const uint8_t *)slice.data + slice.size;
}

static __attribute__((noinline)) bool text_long(struct cursor *c, size_t max, est_slice *ret) {
    struct token token;
    if (!token_want(c, KIND_TEXT, &token)) {
        return false;
    }
    if (token.number > max) {
        return cursor_fail(c, "text is longer than its limit");
    }
    est_slice text = {token.data, token.number};
    if (!c->text_is_good && !utf8_is_valid(text)) {
        return cursor_fail(c, "text is not UTF-8");
    }
    *ret = text;
    return true;
}

static __attribute__((noinline)) bool text_judge(struct cursor *c, est_slice text, est_slice *ret) {
    if (!utf8_is_valid_long(text)) {
        return cursor_fail(c, "text is not UTF-8");
    }
    *ret = text;
    return true;
}

/* Names go no further than this; every other text goes a longer way, and so does what is wrong. */
bool cursor_text(struct cursor *c, size_t max, est_slice *ret) {
    est_slice text;
    if (!bytes_are_short(c, KIND_TEXT, &text) || text.size > max) {
        return text_long(c, max, ret);
    }
    slice_pass(c, text);
    if (!c->text_is_good && !utf8_is_short_ascii(text)) {
        return text_judge(c, text, ret);
    }
    *ret = text;
    return true;
}

static __attribute__((noinline)) bool bin_long(struct cursor *c, size_t max, est_slice *ret) {
    struct token token;
    if (!token_want(c, KIND_BIN, &token)) {
        return false;
    }
    if (token.number > max) {
        return cursor_fail(c, "binary is longer than its limit");
    }
    *ret = (est_slice){token.data, token.number};
    return true;
}

bool cursor_bin(struct cursor *c, size_t max, est_slice *ret) {
    est_slice bytes;
    if (bytes_are_short(c, KIND_BIN, &bytes) && bytes.size <= max) {
        slice_pass(c, bytes);
        *ret = bytes;
        return true;
    }
    return bin_long(c, max, ret);
}

bool cursor_array_long(struct cursor *c, size_t max, size_t *ret_count) {
    struct token token;
    if (!token_want(c, KIND_ARRAY, &token)) {
        return false;
    }
    if (token.number > max) {
        return cursor_fail(c, "an array has more elements than its limit");
    }
    *ret_count = token.number;
    return true;
}

bool cursor_map_long(struct cursor *c, size_t max, size_t *ret_count) {
    struct token token;
    if (!token_want(c, KIND_MAP, &token)) {
        return false;
    }
    if (token.number > max) {
        return cursor_fail(c, "a map has more pairs than its limit");
    }
    *ret_count = token.number;
    return true;
}

/* --- A whole value -------------------------------------------------------------------------------- */

/* A map key by its meaning, so that 1 in one byte and 1 in nine bytes are the same key. */
struct key {
    const uint8_t *text; /* NULL: an integer */
    uint64_t number;     /* the integer, or the length */
};

/* The keys of every map that is open, each map's after its parent's. There are never more keys
 * than elements, so the room suffices for any value that keeps the limit. */
struct walk {
    size_t items, keys_count;
    struct key keys[EST_ITEMS_MAX];
};

static int key_compare(const struct key *a, const struct key *b) {
    if (!a->text || !b->text) {
        return a->text || b->text ? (a->text ? 1 : -1) : (a->number > b->number) - (a->number < b->number);
    }
    int order = memcmp(a->text, b->text, a->number < b->number ? a->number : b->number);
    return order ? order : (a->number > b->number) - (a->number < b->number);
}

static void key_sink(struct key *keys, size_t root, size_t count) {
    struct key key = keys[root];
    for (size_t child; (child = 2 * root + 1) < count; root = child) {
        if (child + 1 < count && key_compare(&keys[child], &keys[child + 1]) < 0) {
            child++;
        }
        if (key_compare(&key, &keys[child]) >= 0) {
            break;
        }
        keys[root] = keys[child];
    }
    keys[root] = key;
}

/* Heapsort: no allocation (qsort may), and no input makes it slow, as would a hash set whose
 * collisions a peer can choose. */
static void keys_sort(struct key *keys, size_t count) {
    for (size_t root = count / 2; root-- > 0;) {
        key_sink(keys, root, count);
    }
    while (count-- > 1) {
        struct key top = keys[0];
        keys[0] = keys[count];
        keys[count] = top;
        key_sink(keys, 0, count);
    }
}

/* The few keys of an ordinary body are compared each with each: mostly their lengths differ. */
enum { KEYS_FEW = 8 };
static bool few_are_unique(const struct key *keys, size_t count) {
    for (size_t i = 1; i < count; i++) {
        for (size_t k = 0; k < i; k++) {
            if (keys[i].number == keys[k].number && key_compare(&keys[i], &keys[k]) == 0) {
                return false;
            }
        }
    }
    return true;
}

static bool keys_are_unique(struct key *keys, size_t count) {
    if (count <= KEYS_FEW) {
        return few_are_unique(keys, count);
    }
    bool ascending = true;
    for (size_t i = 1; i < count && ascending; i++) {
        ascending = key_compare(&keys[i - 1], &keys[i]) < 0;
    }
    if (ascending) {
        return true; /* the order of a canonical map */
    }
    keys_sort(keys, count);
    for (size_t i = 1; i < count; i++) {
        if (key_compare(&keys[i - 1], &keys[i]) == 0) {
            return false;
        }
    }
    return true;
}

static inline bool text_is_next(const struct cursor *c) {
    return c->at < c->end && ((*c->at ^ 0xa0) < 0x20 || (*c->at >= 0xd9 && *c->at <= 0xdb));
}

static bool key_read(struct cursor *c, struct key *ret) {
    struct token token;
    est_slice text;
    if (text_is_next(c)) {
        if (!cursor_text(c, SIZE_MAX, &text)) {
            return false;
        }
        *ret = (struct key){text.data, text.size};
        return true;
    }
    if (!token_read(c, &token)) {
        return false;
    }
    *ret = (struct key){NULL, token.number};
    return token.kind == KIND_UINT || cursor_fail(c, "a map key is neither text nor an unsigned integer");
}

static bool value_walk(struct cursor *c, struct walk *walk, int depth);

/* Most elements are texts, which need no call of their own. */
static inline bool element_walk(struct cursor *c, struct walk *walk, int depth) {
    est_slice text;
    return text_is_next(c) ? cursor_text(c, SIZE_MAX, &text) : value_walk(c, walk, depth);
}

static bool map_walk(struct cursor *c, struct walk *walk, size_t count, int depth) {
    struct key *keys = walk->keys + walk->keys_count;
    walk->keys_count += count;
    for (size_t i = 0; i < count; i++) {
        if (!key_read(c, &keys[i]) || !element_walk(c, walk, depth)) {
            return false;
        }
    }
    walk->keys_count -= count;
    return keys_are_unique(keys, count) || cursor_fail(c, "a map has a key twice");
}

static bool array_walk(struct cursor *c, struct walk *walk, size_t count, int depth) {
    for (size_t i = 0; i < count; i++) {
        if (!element_walk(c, walk, depth)) {
            return false;
        }
    }
    return true;
}

const char cursor_too_many[] = "too many elements";

/* `depth` is how many containers are around this value. */
static bool value_walk(struct cursor *c, struct walk *walk, int depth) {
    struct token token;
    if (!token_read(c, &token)) {
        return false;
    }
    if (token.kind == KIND_TEXT) {
        return c->text_is_good || utf8_is_valid((est_slice){token.data, token.number}) ||
               cursor_fail(c, "text is not UTF-8");
    }
    if (token.kind != KIND_ARRAY && token.kind != KIND_MAP) {
        return true;
    }
    if (depth == EST_DEPTH_MAX) {
        return cursor_fail(c, "nested too deep");
    }
    if (token.number > EST_ITEMS_MAX - walk->items) {
        return cursor_fail(c, cursor_too_many);
    }
    walk->items += token.number;
    return token.kind == KIND_MAP ? map_walk(c, walk, token.number, depth + 1)
                                  : array_walk(c, walk, token.number, depth + 1);
}

bool cursor_value(struct cursor *c, est_slice *ret) {
    struct walk walk;
    walk.items = walk.keys_count = 0;
    const uint8_t *before = c->at;
    if (!value_walk(c, &walk, 0)) {
        return false;
    }
    *ret = (est_slice){before, (size_t)(c->at - before)};
    return true;
}

/* --- Writing -------------------------------------------------------------------------------------- */

void buffer_init(struct buffer *b) {
    *b = (struct buffer){0};
}

void buffer_done(struct buffer *b) {
    free(b->data);
    buffer_init(b);
}

bool buffer_grow(struct buffer *b, size_t more) {
    if (b->failed) {
        return false;
    }
    size_t capacity = b->capacity < 256 ? 256 : b->capacity * 2;
    if (more > SIZE_MAX / 2 - b->size) {
        b->failed = true;
        return false;
    }
    if (capacity < b->size + more) {
        capacity = b->size + more;
    }
    uint8_t *data = realloc(b->data, capacity);
    if (!data) {
        b->failed = true;
        return false;
    }
    b->data = data;
    b->capacity = capacity;
    return true;
}

/* msgpack-c's packer, made for our buffer: its templates come down to stores into it. Through the
 * packer's callback each piece was a call. */
#include <msgpack/pack_define.h>
#include <msgpack/timestamp.h>
#define msgpack_pack_inline_func_fixint(name)                     static inline int msgpack_pack_fix##name
#define msgpack_pack_inline_func(name)                            static inline int msgpack_pack##name
#define msgpack_pack_inline_func_cint(name)                       static inline int msgpack_pack##name
#define msgpack_pack_user                                         struct buffer *
#define msgpack_pack_append_buffer(buffer, bytes, size)           return buffer_put(buffer, bytes, size), (buffer)->failed ? -1 : 0
#include <msgpack/pack_template.h>

void pack_nil(struct buffer *b) {
    msgpack_pack_nil(b);
}

void pack_bool(struct buffer *b, bool value) {
    (void)(value ? msgpack_pack_true(b) : msgpack_pack_false(b));
}

void pack_uint_long(struct buffer *b, uint64_t value) {
    msgpack_pack_uint64(b, value);
}

void pack_int(struct buffer *b, int64_t value) {
    msgpack_pack_int64(b, value);
}

/* Reserving first keeps header and bytes together: a buffer that fails is never half a value. */
void pack_text(struct buffer *b, est_slice text) {
    if (buffer_reserve(b, text.size + 5)) {
            msgpack_pack_str(b, text.size);
        buffer_put(b, text.data, text.size);
    }
}

void pack_cstr(struct buffer *b, const char *text) {
    pack_text(b, slice_of(text));
}

void pack_bin(struct buffer *b, est_slice bytes) {
    if (buffer_reserve(b, bytes.size + 5)) {
            msgpack_pack_bin(b, bytes.size);
        buffer_put(b, bytes.data, bytes.size);
    }
}

void pack_array(struct buffer *b, size_t count) {
    msgpack_pack_array(b, count);
}

void pack_map(struct buffer *b, size_t pairs) {
    msgpack_pack_map(b, pairs);
}

bool slice_equal(est_slice a, est_slice b) {
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}
