/* test_utf8.c - texts are judged and counted as the standard says, in the plain way and in the
 * processor's own, whatever is in them and wherever it lies. */
#include <utf8.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static size_t utf8_write(uint32_t point, char *ret) {
    if (point < 0x80) {
        return (size_t)sprintf(ret, "%c", (int)point), 1;
    }
    size_t size = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    static const uint8_t leads[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = size; i-- > 1; point >>= 6) {
        ret[i] = (char)(0x80 | (point & 0x3f));
    }
    ret[0] = (char)(leads[size] | point);
    return size;
}

static void every_code_point_but_surrogates_is_text(void **state) {
    (void)state;
    for (uint32_t point = 0; point < 0x120000; point++) {
        char text[8];
        size_t size = utf8_write(point, text);
        bool expected = point < 0x110000 && (point < 0xd800 || point > 0xdfff);
        if (utf8_is_valid((est_slice){text, size}) != expected) {
            fail_msg("U+%04X", point);
        }
        if (size > 1 && utf8_is_valid((est_slice){text, size - 1})) {
            fail_msg("U+%04X without its last byte", point);
        }
    }
}

/* A text of two bytes is valid where both are ASCII, or where it is one of the 1,920 code points
 * of two bytes: counted, so that no overlong form slips in. */
static void no_other_pair_of_bytes_is_text(void **state) {
    (void)state;
    unsigned valid = 0;
    for (unsigned pair = 0; pair < 0x10000; pair++) {
        uint8_t text[2] = {(uint8_t)(pair >> 8), (uint8_t)pair};
        valid += utf8_is_valid((est_slice){text, 2});
    }
    assert_int_equal(valid, 128 * 128 + 1920);
}

/* As RFC 3629 says it, a byte at a time. */
static bool utf8_by_the_book(const uint8_t *at, size_t size) {
    for (size_t i = 0; i < size;) {
        uint8_t lead = at[i];
        size_t width = lead < 0x80   ? 1
                       : lead < 0xc2 ? 0
                       : lead < 0xe0 ? 2
                       : lead < 0xf0 ? 3
                       : lead < 0xf5 ? 4
                                     : 0;
        uint8_t low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
        uint8_t high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
        if (width == 0 || size - i < width || (width > 1 && (at[i + 1] < low || at[i + 1] > high))) {
            return false;
        }
        for (size_t k = 2; k < width; k++) {
            if ((at[i + k] & 0xc0) != 0x80) {
                return false;
            }
        }
        i += width;
    }
    return true;
}

static struct utf8_scan scan_by_the_book(const uint8_t *at, size_t size) {
    struct utf8_scan scan = {0};
    for (size_t i = 0; i < size; i++) {
        scan.characters += (at[i] & 0xc0) != 0x80;
        scan.has_control |= at[i] < 0x20 || at[i] == 0x7f;
    }
    return scan;
}

static bool scans_are_equal(struct utf8_scan a, struct utf8_scan b) {
    return a.characters == b.characters && a.has_control == b.has_control;
}

static void text_show(const uint8_t *at, size_t size) {
    for (size_t i = 0; i < size; i++) {
        print_error("%02x ", at[i]);
    }
}

/* Both ways, and both questions. */
static void utf8_compare_here(const uint8_t *at, size_t size) {
    est_slice text = {at, size};
    bool valid = utf8_by_the_book(at, size);
    if (utf8_is_valid(text) != valid || utf8_is_valid_plain(text) != valid) {
        text_show(at, size);
        fail_msg("%zu bytes are not judged as by the book", size);
    }
    struct utf8_scan scan = scan_by_the_book(at, size);
    if (!scans_are_equal(utf8_scan(text), scan) || !scans_are_equal(utf8_scan_plain(text), scan)) {
        text_show(at, size);
        fail_msg("%zu bytes are not counted as by the book", size);
    }
}

/* In a block of its own, so that the sanitizer sees a look beyond its end. */
static void utf8_compare(const uint8_t *text, size_t size) {
    uint8_t *copy = malloc(size > 0 ? size : 1);
    assert_non_null(copy);
    memcpy(copy, text, size);
    utf8_compare_here(copy, size);
    free(copy);
}

/* Every byte that some rule begins or ends with. */
static const uint8_t edges[] = {0x1f, 0x20, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc1, 0xc2,
                                0xdf, 0xe0, 0xe1, 0xed, 0xef, 0xf0, 0xf1, 0xf4, 0xf5, 0xff};
enum { EDGES = sizeof edges };

/* Four in a row alone, and in front of, between and behind good ones, at the seams of words and blocks. */
static void every_short_text_of_edges_is_judged_as_by_the_book(void **state) {
    (void)state;
    static const size_t places[] = {0, 3, 6, 29, 30, 31, 32, 33, 45, 61, 62, 63};
    for (uint32_t number = 0; number < EDGES * EDGES * EDGES * EDGES; number++) {
        uint8_t word[4], text[72];
        for (uint32_t i = 0, rest = number; i < sizeof word; i++, rest /= EDGES)
            word[i] = edges[rest % EDGES];
        size_t place = places[number % (sizeof places / sizeof *places)];
        for (size_t size = number < EDGES * EDGES * EDGES ? 1 : sizeof word; size <= sizeof word; size++)
            utf8_compare_here(word, size);
        memset(text, 'a', sizeof text);
        memcpy(text + place, word, sizeof word);
        utf8_compare_here(text, 67);
        utf8_compare_here(text, place + sizeof word);
        for (size_t i = 0; i + 1 < place; i += 2)
            memcpy(text + i, "\u0628", 2);
        utf8_compare_here(text, sizeof text);
    }
}

/* What reads by words and blocks begins anywhere and ends anywhere. */
static void random_texts_of_every_size_and_place_are_judged_as_by_the_book(void **state) {
    (void)state;
    static const char *const characters[] = {"x", " ", "\n", "\u0633", "\u06cc", "\u200c", "\u20ac", "\ud7ff",
                                             "\ue000", "\U0001F600", "\U0010ffff"};
    enum { MOST = 300, ROUNDS = 12 };
    uint8_t text[32 + MOST + 8];
    uint64_t seed = 88172645463325252u;
    for (size_t size = 0; size <= MOST; size++) {
        for (size_t begin = 0; begin < 32; begin += size % 3 + 1) {
            for (int round = 0; round < ROUNDS; round++) {
                for (size_t at = begin; at < begin + size;) {
                    seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
                    const char *next = characters[(seed >> 30) % (sizeof characters / sizeof *characters)];
                    if (at + strlen(next) > begin + size)
                        next = "y";
                    memcpy(text + at, next, strlen(next));
                    at += strlen(next);
                }
                assert_true(utf8_by_the_book(text + begin, size));
                utf8_compare_here(text + begin, size);
                if (size > 0) { /* and with one byte that may break it */
                    text[begin + (seed >> 20) % size] = edges[(seed >> 40) % EDGES];
                    utf8_compare_here(text + begin, size);
                }
            }
        }
    }
}

/* Sums of a byte's place would overflow at 256. */
static void a_long_text_is_counted_to_its_end(void **state) {
    (void)state;
    enum { LONG = 40000 };
    uint8_t *text = malloc(LONG);
    assert_non_null(text);
    for (size_t i = 0; i < LONG; i += 4)
        memcpy(text + i, "\U0001F600", 4);
    for (size_t size = LONG; size > LONG - 100; size -= 4)
        utf8_compare_here(text, size);
    utf8_compare_here(text, LONG - 1);
    for (size_t size = 255 * 8 - 40; size < 255 * 8 + 40; size++)
        utf8_compare_here(text, size);
    for (size_t size = 254 * 32 - 40; size < 256 * 32 + 40; size++)
        utf8_compare_here(text, size);
    free(text);
}

/* Texts are looked through in blocks: characters of every width at every place, cut at every byte. */
static void a_character_may_lie_anywhere_and_be_cut_nowhere(void **state) {
    (void)state;
    static const char *const characters[] = {"x",      "\u0641",       "\u20ac",    "\U0001F600",
                                             "\u0800", "\xed\x9f\xbf", "\U00010000"};
    for (size_t fill = 0; fill < 2; fill++) {
        for (size_t i = 0; i < sizeof characters / sizeof *characters; i++) {
            for (size_t before = 0; before <= 40; before++) {
                uint8_t text[64];
                size_t size = 0, width = strlen(characters[i]);
                while (size < before) {
                    size += (size_t)sprintf((char *)text + size, "%s",
                                            fill && before - size > 1 ? "\u0628" : "a");
                }
                memcpy(text + size, characters[i], width);
                for (size_t cut = 0; cut <= size + width; cut++) {
                    utf8_compare(text, cut);
                }
            }
        }
    }
}

static void random_bytes_are_judged_as_by_the_book(void **state) {
    (void)state;
    static const uint8_t alphabet[] = {0x00, 'a',  0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1,
                                       0xc2, 0xd8, 0xdf, 0xe0, 0xe2, 0xed, 0xef, 0xf0, 0xf1, 0xf4, 0xf5};
    uint64_t seed = 88172645463325252u;
    for (int round = 0; round < 300000; round++) {
        uint8_t text[56];
        seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
        size_t size = (size_t)(seed >> 20) % sizeof text, odd = (size_t)(seed >> 40) % 56;
        for (size_t i = 0; i < size; i++) { /* mostly good pairs, so that a look goes far */
            text[i] = i % 2 == 0 && i + 1 < size ? 0xd8 : i % 2 == 0 ? 'a' : 0xa8;
        }
        for (size_t i = odd; i < size && i < odd + 4; i++) {
            seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
            text[i] = alphabet[(seed >> 30) % sizeof alphabet];
        }
        utf8_compare(text, size);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_point_but_surrogates_is_text),
        cmocka_unit_test(no_other_pair_of_bytes_is_text),
        cmocka_unit_test(a_character_may_lie_anywhere_and_be_cut_nowhere),
        cmocka_unit_test(random_bytes_are_judged_as_by_the_book),
        cmocka_unit_test(every_short_text_of_edges_is_judged_as_by_the_book),
        cmocka_unit_test(random_texts_of_every_size_and_place_are_judged_as_by_the_book),
        cmocka_unit_test(a_long_text_is_counted_to_its_end),
    };
    return cmocka_run_group_tests_name("utf8", tests, NULL, NULL);
}
