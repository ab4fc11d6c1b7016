/* test_json.c - bodies as JSON and back: what passes passes whole, the rest is refused. */
#include "wire.h"

#include "json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static bool json_packs(const char *text, struct buffer *b) {
    json_t *json = json_loads(text, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    assert_non_null(json);
    bool packed = json_to_msgpack(json, b);
    json_decref(json);
    return packed;
}

static void a_body_comes_back_as_it_went(void **state) {
    (void)state;
    static const char *const bodies[] = {
        "{}",
        "[]",
        "null",
        "{\"nz\":\"1-12-345\",\"b\":true,\"a\":[1,-2,null,false,{\"x\":\"\"}]}",
        "{\"نشانی\":\"تهران، خیابان "
        "ولی‌عصر\",\"z\":9223372036854775807,\"a\":-9223372036854775808}",
        "\"a\\u0000b\"",
        "[[[[[[[[1]]]]]]]]",
    };
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        struct buffer b;
        buffer_init(&b);
        assert_true(json_packs(bodies[i], &b));
        json_t *back = json_from_msgpack(buffer_slice(&b));
        assert_non_null(back);
        char *text = json_dumps(back, JSON_COMPACT | JSON_ENCODE_ANY); /* keys keep their order */
        assert_string_equal(text, bodies[i]);
        free(text);
        json_decref(back);
        buffer_done(&b);
    }
}

static void what_has_no_msgpack_of_ours_adds_nothing(void **state) {
    (void)state;
    static const char *const refused[] = {"1.5", "{\"a\":[1,2.0]}", "[[[[[[[[[1]]]]]]]]]"};
    struct buffer b;
    buffer_init(&b);
    pack_uint(&b, 7);
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        assert_false(json_packs(refused[i], &b));
        assert_int_equal(b.size, 1);
    }
    assert_false(json_to_msgpack(NULL, &b));
    buffer_done(&b);
}

static void expect_fault(const char *text, const char *wanted) {
    char fault[JSON_FAULT_SIZE];
    json_t *json = json_loads(text, JSON_DECODE_ANY, NULL);
    assert_non_null(json);
    json_fault(json, fault);
    json_decref(json);
    if (strncmp(fault, wanted, strlen(wanted)) != 0) {
        fail_msg("\"%s\" does not begin with \"%s\"", fault, wanted);
    }
}

static void what_is_refused_is_named_by_its_path(void **state) {
    (void)state;
    char text[600];
    expect_fault("{\"a\":1,\"b\":[{\"c\":1},{\"d\":[1,2.5]}],\"e\":1.5}", "b[1].d[1]: a real number");
    expect_fault("1.5", "a real number");
    expect_fault("{\"a\":{\"b\":{\"c\":[[[[[[1]]]]]]}}}", "a.b.c[0][0][0][0][0]: a level too many");
    snprintf(text, sizeof text, "{\"%0400d\":{\"a\":1.5}}", 0); /* a path is cut, the cause is not */
    expect_fault(text, "000");
    json_t *json = json_loads(text, 0, NULL);
    json_fault(json, text);
    json_decref(json);
    assert_non_null(strstr(text, "0: a real number"));
}

static void what_has_no_json_is_refused(void **state) {
    (void)state;
    static const char *const refused[] = {
        "c40161",                /* binary */
        "81 0101",               /* a number as a key */
        "91 cf8000000000000000", /* 2^63 */
        "91 81 a161 c400",       /* binary within */
        "81 a100 01",            /* NUL in a key */
        "9101 00",               /* something behind */
        "92 01",                 /* cut */
        "ca00000000",
        "",
    };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        struct buffer b;
        buffer_init(&b);
        assert_true(hex_read(refused[i], &b));
        assert_null(json_from_msgpack(buffer_slice(&b)));
        buffer_done(&b);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_body_comes_back_as_it_went),
        cmocka_unit_test(what_has_no_msgpack_of_ours_adds_nothing),
        cmocka_unit_test(what_is_refused_is_named_by_its_path),
        cmocka_unit_test(what_has_no_json_is_refused),
    };
    return cmocka_run_group_tests_name("bodies as JSON", tests, NULL, NULL);
}
