/* test_codec.c - cursors, buffers, ids and names: each rule of codec.h and types.h once. */
#include "wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* A cursor over hexadecimal; the bytes are kept until the next call. */
static struct cursor cursor_of(const char *hex) {
    static struct buffer bytes;
    struct cursor c;
    buffer_clear(&bytes);
    assert_true(hex_read(hex, &bytes));
    cursor_init(&c, buffer_slice(&bytes));
    return c;
}

static bool is_value(const char *hex) {
    struct cursor c = cursor_of(hex);
    est_slice value;
    return cursor_value(&c, &value) && cursor_left(&c) == 0;
}

/* --- Reading ------------------------------------------------------------------------------------- */

static void integers_keep_their_value_in_every_form(void **state) {
    (void)state;
    static const struct {
        const char *hex;
        uint64_t is;
    } unsigneds[] = {{"00", 0},
                     {"7f", 127},
                     {"cc80", 128},
                     {"cdffff", 65535},
                     {"ceffffffff", UINT32_MAX},
                     {"cfffffffffffffffff", UINT64_MAX},
                     {"d07f", 127},
                     {"d17fff", 32767},
                     {"d27fffffff", INT32_MAX},
                     {"d37fffffffffffffff", INT64_MAX}};
    static const struct {
        const char *hex;
        int64_t is;
    } signeds[] = {{"ff", -1},
                   {"e0", -32},
                   {"d080", -128},
                   {"d18000", -32768},
                   {"d280000000", INT32_MIN},
                   {"d38000000000000000", INT64_MIN},
                   {"cf7fffffffffffffff", INT64_MAX},
                   {"05", 5}};
    for (size_t i = 0; i < sizeof unsigneds / sizeof *unsigneds; i++) {
        struct cursor c = cursor_of(unsigneds[i].hex);
        uint64_t number = 1;
        assert_int_equal(cursor_peek(&c), KIND_UINT);
        assert_true(cursor_uint(&c, &number) && cursor_left(&c) == 0);
        assert_int_equal(number, unsigneds[i].is);
    }
    for (size_t i = 0; i < sizeof signeds / sizeof *signeds; i++) {
        struct cursor c = cursor_of(signeds[i].hex);
        int64_t number = 0;
        assert_true(cursor_int(&c, &number) && cursor_left(&c) == 0);
        assert_int_equal(number, signeds[i].is);
    }
}

static void an_integer_that_does_not_fit_is_refused(void **state) {
    (void)state;
    struct cursor c = cursor_of("ff");
    uint64_t number = 7;
    int64_t integer = 7;
    assert_false(cursor_uint(&c, &number));
    assert_int_equal(number, 7);
    c = cursor_of("cf8000000000000000");
    assert_false(cursor_int(&c, &integer));
    assert_int_equal(integer, 7);
    assert_non_null(c.bad);
}

static void a_failed_cursor_stays_failed(void **state) {
    (void)state;
    struct cursor c = cursor_of("a161 01 02");
    uint64_t number = 9;
    assert_false(cursor_uint(&c, &number));
    const char *bad = c.bad;
    est_slice text;
    assert_false(cursor_text(&c, 10, &text));
    assert_false(cursor_uint(&c, &number));
    assert_int_equal(number, 9);
    assert_ptr_equal(c.bad, bad);
    assert_int_equal(cursor_peek(&c), KIND_NONE);
}

static void texts_and_lists_keep_their_limits(void **state) {
    (void)state;
    est_slice slice;
    size_t count;
    struct cursor c = cursor_of("a3616263");
    assert_true(cursor_text(&c, 3, &slice));
    assert_true(slice_equal(slice, slice_of("abc")));
    c = cursor_of("a3616263");
    assert_false(cursor_text(&c, 2, &slice));
    c = cursor_of("c40200ff");
    assert_true(cursor_bin(&c, 2, &slice) && slice.size == 2);
    c = cursor_of("c40200ff");
    assert_false(cursor_bin(&c, 1, &slice));
    c = cursor_of("930102c0");
    assert_true(cursor_array(&c, 3, &count) && count == 3);
    c = cursor_of("930102c0");
    assert_false(cursor_array(&c, 2, &count));
    c = cursor_of("930102");
    assert_false(cursor_array(&c, 3, &count));
    c = cursor_of("8101c0");
    assert_true(cursor_map(&c, 1, &count) && count == 1);
    c = cursor_of("8101");
    assert_false(cursor_map(&c, 1, &count));
}

static void nil_and_booleans_are_themselves_only(void **state) {
    (void)state;
    bool truth = false;
    struct cursor c = cursor_of("c0c3c2");
    assert_true(cursor_nil(&c) && cursor_bool(&c, &truth) && truth);
    assert_true(cursor_bool(&c, &truth) && !truth);
    c = cursor_of("00");
    assert_false(cursor_bool(&c, &truth));
    c = cursor_of("c2");
    assert_false(cursor_nil(&c));
}

static void a_value_is_checked_to_its_edges(void **state) {
    (void)state;
    assert_true(is_value("91*8 c0") && !is_value("91*9 c0"));
    assert_true(is_value("dc1000 c0*4096") && !is_value("dc1001 c0*4097"));
    assert_true(is_value("92 dc0800 c0*2048 dc07fe c0*2046"));
    assert_false(is_value("92 dc0800 c0*2048 dc07ff c0*2047"));
    assert_true(is_value("82 a16101 a16201") && !is_value("82 a16101 a16101"));
    assert_true(is_value("82 a16201 a16101")); /* any order */
    assert_true(is_value("82 0101 a13101"));   /* 1 and "1" are two keys */
    assert_true(is_value("92 81a16101 81a16101"));
    assert_false(is_value("ca00000000") || is_value("d40000") || is_value("c1") || is_value(""));
    struct cursor c = cursor_of("00 92a16101 00");
    uint64_t number;
    est_slice value;
    assert_true(cursor_uint(&c, &number) && cursor_value(&c, &value));
    assert_int_equal(value.size, 4);
    assert_int_equal(cursor_left(&c), 1);
}

/* Every count of keys from one to many more than the few, with each place doubled once. */
static void a_doubled_key_is_found_wherever_it_stands(void **state) {
    (void)state;
    struct buffer b;
    buffer_init(&b);
    for (uint64_t count = 2; count <= 70; count++) {
        for (uint64_t doubled = 0; doubled <= count; doubled += doubled + 9 < count ? 1 + count / 9 : 1) {
            buffer_clear(&b);
            pack_map(&b, count);
            for (uint64_t i = 0; i < count; i++) {
                bool is_double = doubled < count && i == (doubled + count / 2) % count;
                pack_uint(&b, (is_double ? doubled : i) * 29 % 71);
                pack_nil(&b);
            }
            bool has_double = doubled < count && (doubled + count / 2) % count != doubled;
            struct cursor c;
            est_slice value;
            cursor_init(&c, buffer_slice(&b));
            assert_int_equal(cursor_value(&c, &value), !has_double);
        }
    }
    buffer_done(&b);
}

/* --- Writing --------------------------------------------------------------------------------------- */

static void what_is_packed_is_read_back(void **state) {
    (void)state;
    struct buffer b;
    buffer_init(&b);
    char *longest = malloc(70000);
    assert_non_null(longest);
    memset(longest, 'x', 70000);
    static const size_t sizes[] = {0, 1, 31, 32, 255, 256, 65535, 65536, 70000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        est_slice in = {longest, sizes[i]}, text, bin;
        buffer_clear(&b);
        pack_text(&b, in);
        pack_bin(&b, in);
        struct cursor c;
        cursor_init(&c, buffer_slice(&b));
        assert_true(cursor_text(&c, 70000, &text) && cursor_bin(&c, 70000, &bin) && cursor_left(&c) == 0);
        assert_true(slice_equal(text, in) && slice_equal(bin, in));
    }
    free(longest);
    buffer_done(&b);
}

static void nothing_is_packed_as_empty(void **state) {
    (void)state;
    struct buffer b;
    buffer_init(&b);
    pack_text(&b, (est_slice){NULL, 0});
    pack_bin(&b, (est_slice){NULL, 0});
    pack_cstr(&b, "");
    buffer_put(&b, NULL, 0);
    static const uint8_t expected[] = {0xa0, 0xc4, 0x00, 0xa0};
    assert_true(slice_equal(buffer_slice(&b), (est_slice){expected, sizeof expected}));
    buffer_done(&b);
}

static void a_buffer_out_of_memory_keeps_what_it_had(void **state) {
    (void)state;
    struct buffer b;
    buffer_init(&b);
    pack_uint(&b, 300);
    assert_false(buffer_reserve(&b, SIZE_MAX - 8));
    assert_true(b.failed);
    pack_cstr(&b, "more");
    assert_int_equal(b.size, 3);
    buffer_clear(&b);
    pack_uint(&b, 1);
    assert_int_equal(b.size, 1);
    assert_false(b.failed);
    buffer_done(&b);
    assert_null(b.data);
}

/* --- Ids and names --------------------------------------------------------------------------------- */

static void an_id_is_the_same_after_text_and_back(void **state) {
    (void)state;
    est_id id, back;
    char text[EST_ID_TEXT_SIZE];
    for (int i = 0; i < 1000; i++) {
        est_id_new(&id);
        est_id_format(&id, text);
        assert_int_equal(strlen(text), 36);
        assert_int_equal(est_id_parse(text, &back), 0);
        assert_memory_equal(&id, &back, sizeof id);
    }
    assert_int_equal(est_id_parse("018F2C3A5B6D7E8F9A0B1C2D3E4F5061", &id), 0);
    assert_int_equal(est_id_parse("018f2c3a-5b6d-7e8f-9a0b-1c2d3e4f5061", &back), 0);
    assert_memory_equal(&id, &back, sizeof id);
}

static void what_is_not_an_id_leaves_the_output_alone(void **state) {
    (void)state;
    static const char *const wrong[] = {"",
                                        "018f2c3a",
                                        "018f2c3a5b6d7e8f9a0b1c2d3e4f506",
                                        "018f2c3a5b6d7e8f9a0b1c2d3e4f50611",
                                        "018f2c3a5b6d7e8f9a0b1c2d3e4f506g",
                                        "018f2c3a+5b6d-7e8f-9a0b-1c2d3e4f5061",
                                        "018f2c3-a5b6d-7e8f-9a0b-1c2d3e4f5061",
                                        "018f2c3a-5b6d-7e8f-9a0b-1c2d3e4f50611",
                                        "018f2c3a5b6d-7e8f-9a0b-1c2d3e4f5061--"};
    est_id id = {{7}}, before = id;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(est_id_parse(wrong[i], &id), -EST_MALFORMED);
    }
    assert_int_equal(est_id_parse(NULL, &id), -EST_MALFORMED);
    assert_memory_equal(&id, &before, sizeof id);
}

static void new_ids_are_uuids_of_version_7_in_the_order_of_time(void **state) {
    (void)state;
    est_id last = {{0}}, id;
    for (int i = 0; i < 1000; i++) {
        est_id_new(&id);
        assert_int_equal(id.bytes[6] >> 4, 7);
        assert_int_equal(id.bytes[8] >> 6, 2);
        assert_true(memcmp(last.bytes, id.bytes, 6) <= 0);
        assert_memory_not_equal(&last, &id, sizeof id);
        last = id;
    }
    assert_true(id.bytes[0] == 0x01 && id.bytes[1] >= 0x8f); /* after April 2024 */
}

static void names_are_found_by_either_sign(void **state) {
    (void)state;
    assert_string_equal(est_code_name(EST_BUSY), "BUSY");
    assert_string_equal(est_code_name(-EST_BUSY), "BUSY");
    assert_string_equal(est_code_name(999), "UNKNOWN_CODE");
    assert_string_equal(est_code_name(INT32_MIN), "UNKNOWN_CODE");
    assert_int_equal(est_code_layer(-EST_EXPIRED), EST_LAYER_DEPARTMENT);
    assert_string_equal(est_layer_name(EST_LAYER_AGENT), "agent");
    assert_string_equal(est_state_name(EST_STATE_PARKED), "parked");
    assert_string_equal(est_state_name((enum est_state)99), "unknown");
    for (int outcome = EST_OUTCOME_POSITIVE; outcome <= EST_OUTCOME_NOT_MINE; outcome++) {
        est_slice name = slice_of(est_outcome_name((enum est_outcome)outcome));
        assert_int_equal(est_outcome_parse(name), outcome);
    }
    assert_int_equal(est_outcome_parse(slice_of("posit")), EST_OUTCOME_NONE);
    assert_int_equal(est_outcome_parse((est_slice){NULL, 0}), EST_OUTCOME_NONE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_keep_their_value_in_every_form),
        cmocka_unit_test(an_integer_that_does_not_fit_is_refused),
        cmocka_unit_test(a_failed_cursor_stays_failed),
        cmocka_unit_test(texts_and_lists_keep_their_limits),
        cmocka_unit_test(nil_and_booleans_are_themselves_only),
        cmocka_unit_test(a_value_is_checked_to_its_edges),
        cmocka_unit_test(a_doubled_key_is_found_wherever_it_stands),
        cmocka_unit_test(what_is_packed_is_read_back),
        cmocka_unit_test(nothing_is_packed_as_empty),
        cmocka_unit_test(a_buffer_out_of_memory_keeps_what_it_had),
        cmocka_unit_test(an_id_is_the_same_after_text_and_back),
        cmocka_unit_test(what_is_not_an_id_leaves_the_output_alone),
        cmocka_unit_test(new_ids_are_uuids_of_version_7_in_the_order_of_time),
        cmocka_unit_test(names_are_found_by_either_sign),
    };
    return cmocka_run_group_tests_name("codec", tests, NULL, NULL);
}
