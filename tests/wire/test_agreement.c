/* test_agreement.c - msgpack-c as the oracle: whatever our cursors accept, its unpacker accepts
 * too, takes the same number of bytes, and what it understood packs to the same value.
 *
 * Inputs are values made at random, and the same with bytes changed, all from a fixed seed. The
 * oracle only ever sees what a cursor accepted, since its own unpacker believes lengths.
 */
#include "wire.h"

#include <msgpack.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { VALUES = 20000, MUTANTS_EACH = 10 };

static uint64_t random_state = 0x9e3779b97f4a7c15U;

/* xorshift64*: small, and the same numbers everywhere. */
static uint64_t random_next(void) {
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return random_state * 0x2545f4914f6cdd1dU;
}

static uint64_t random_below(uint64_t bound) {
    return (random_next() >> 11) % bound;
}

/* --- Values made at random ------------------------------------------------------------------------ */

/* A number of any width, so that every form is met. */
static uint64_t random_number(void) {
    return random_next() >> random_below(64);
}

static void random_text(struct buffer *b) {
    static const char *const pieces[] = {
        "a", "nz", "سلام", "ولی‌عصر", "۱۲", "\xf0\x9f\x8f\x99", "0123456789", ""};
    char text[400] = "";
    for (uint64_t i = random_below(24); i > 0; i--) {
        strcat(text, pieces[random_below(sizeof pieces / sizeof *pieces)]);
    }
    pack_cstr(b, text);
}

static void random_value(struct buffer *b, int depth);

static void random_map(struct buffer *b, int depth) {
    size_t count = random_below(random_below(8) ? 6 : 40);
    uint64_t step = random_below(1000) + 1;
    bool ascending = random_below(2);
    pack_map(b, count);
    for (size_t i = 0; i < count; i++) {
        uint64_t key = (ascending ? i : count - i) * step;
        if (random_below(2)) {
            char text[32];
            snprintf(text, sizeof text, "%llu", (unsigned long long)key);
            pack_cstr(b, text);
        } else {
            pack_uint(b, key);
        }
        random_value(b, depth + 1);
    }
}

static void random_value(struct buffer *b, int depth) {
    char bytes[64] = {(char)random_next()};
    size_t count;
    switch (random_below(depth < EST_DEPTH_MAX ? 9 : 7)) {
    case 0:
        pack_nil(b);
        return;
    case 1:
        pack_bool(b, random_below(2));
        return;
    case 2:
    case 3:
        pack_uint(b, random_number());
        return;
    case 4:
        pack_int(b, -(int64_t)(random_number() >> 1) - 1);
        return;
    case 5:
        random_text(b);
        return;
    case 6:
        pack_bin(b, (est_slice){bytes, random_below(sizeof bytes)});
        return;
    case 7:
        random_map(b, depth);
        return;
    default:
        count = random_below(6);
        pack_array(b, count);
        for (size_t i = 0; i < count; i++) {
            random_value(b, depth + 1);
        }
    }
}

/* --- Packing again, from either side's understanding ----------------------------------------------- */

static void repack_ours(struct cursor *c, struct buffer *b) {
    bool truth;
    uint64_t number;
    int64_t negative;
    est_slice slice;
    size_t count;
    enum kind kind = cursor_peek(c);
    if (kind == KIND_NIL && cursor_nil(c)) {
        pack_nil(b);
    } else if (kind == KIND_BOOL && cursor_bool(c, &truth)) {
        pack_bool(b, truth);
    } else if (kind == KIND_UINT && cursor_uint(c, &number)) {
        pack_uint(b, number);
    } else if (kind == KIND_INT && cursor_int(c, &negative)) {
        pack_int(b, negative);
    } else if (kind == KIND_TEXT && cursor_text(c, SIZE_MAX, &slice)) {
        pack_text(b, slice);
    } else if (kind == KIND_BIN && cursor_bin(c, SIZE_MAX, &slice)) {
        pack_bin(b, slice);
    } else if (kind == KIND_ARRAY && cursor_array(c, SIZE_MAX, &count)) {
        for (pack_array(b, count); count > 0; count--) {
            repack_ours(c, b);
        }
    } else if (kind == KIND_MAP && cursor_map(c, SIZE_MAX, &count)) {
        for (pack_map(b, count), count *= 2; count > 0; count--) {
            repack_ours(c, b);
        }
    } else {
        fail_msg("a value that was accepted cannot be read: %s", c->bad);
    }
}

/* 1 where the oracle took exactly these bytes. */
static bool repack_oracle(est_slice value, struct buffer *b) {
    msgpack_unpacked unpacked;
    msgpack_sbuffer again;
    msgpack_packer packer;
    size_t offset = 0;
    msgpack_unpacked_init(&unpacked);
    msgpack_sbuffer_init(&again);
    msgpack_packer_init(&packer, &again, msgpack_sbuffer_write);
    bool whole = msgpack_unpack_next(&unpacked, value.data, value.size, &offset) == MSGPACK_UNPACK_SUCCESS &&
                 offset == value.size && msgpack_pack_object(&packer, unpacked.data) == 0;
    buffer_put(b, again.data, whole ? again.size : 0);
    msgpack_sbuffer_destroy(&again);
    msgpack_unpacked_destroy(&unpacked);
    return whole;
}

/* Reads one value from `input` as a peer's; true where it was accepted. */
static bool agree(est_slice input) {
    struct cursor c;
    est_slice value;
    cursor_init(&c, input);
    if (!cursor_value(&c, &value)) {
        return false;
    }
    struct buffer ours, theirs;
    buffer_init(&ours);
    buffer_init(&theirs);
    cursor_init(&c, value);
    repack_ours(&c, &ours);
    assert_int_equal(cursor_left(&c), 0);
    assert_true(repack_oracle(value, &theirs));
    assert_true(slice_equal(buffer_slice(&ours), buffer_slice(&theirs)));
    buffer_done(&ours);
    buffer_done(&theirs);
    return true;
}

static void what_we_pack_we_accept_and_the_oracle_understands_alike(void **state) {
    (void)state;
    struct buffer b;
    buffer_init(&b);
    for (int i = 0; i < VALUES; i++) {
        buffer_clear(&b);
        random_value(&b, 0);
        struct cursor c;
        est_slice value;
        cursor_init(&c, buffer_slice(&b));
        if (!cursor_value(&c, &value)) {
            assert_string_equal(c.bad, "too many elements"); /* the one limit chance may pass */
            continue;
        }
        assert_int_equal(value.size, b.size);
        assert_true(agree(value));
    }
    buffer_done(&b);
}

static void mutate(uint8_t *bytes, size_t *size) {
    static const uint8_t telling[] = {0xc0, 0xc1, 0xc4, 0xc6, 0xca, 0xcc, 0xcf, 0xd0, 0xd3, 0xd4, 0xd9,
                                      0xdb, 0xdc, 0xdd, 0xde, 0xdf, 0x80, 0x90, 0xa0, 0xff, 0x00, 0x7f};
    for (uint64_t i = random_below(3) + 1; i > 0; i--) {
        size_t at = random_below(*size);
        switch (random_below(4)) {
        case 0:
            bytes[at] ^= (uint8_t)(1 << random_below(8));
            break;
        case 1:
            bytes[at] = telling[random_below(sizeof telling)];
            break;
        case 2:
            bytes[at] = (uint8_t)random_next();
            break;
        default:
            *size = at + 1;
        }
    }
}

static void what_we_accept_of_mutants_the_oracle_accepts_too(void **state) {
    (void)state;
    struct buffer b;
    unsigned accepted = 0, refused = 0;
    buffer_init(&b);
    for (int i = 0; i < VALUES; i++) {
        buffer_clear(&b);
        random_value(&b, 0);
        for (int k = 0; k < MUTANTS_EACH; k++) {
            size_t size = b.size;
            uint8_t *bytes = malloc(size); /* its own size: a sanitizer sees a read behind it */
            assert_non_null(bytes);
            memcpy(bytes, b.data, size);
            mutate(bytes, &size);
            *(agree((est_slice){bytes, size}) ? &accepted : &refused) += 1;
            free(bytes);
        }
    }
    /* Both must have been met often, or the test says nothing. */
    assert_true(accepted > VALUES && refused > VALUES);
    buffer_done(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_we_pack_we_accept_and_the_oracle_understands_alike),
        cmocka_unit_test(what_we_accept_of_mutants_the_oracle_accepts_too),
    };
    return cmocka_run_group_tests_name("agreement with msgpack-c", tests, NULL, NULL);
}
