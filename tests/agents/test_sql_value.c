/* test_sql_value.c - what the text of a cell may become, and what it may not. */
#include "stand.h"
#include "json.h"
#include "sql_value.h"
#include <stdlib.h>
#include <string.h>

/* Packs a cell and expects this JSON; NULL: expects a refusal that does not quote the cell. */
static void expect(const char *cell, enum sql_kind kind, const char *split, const char *wanted) {
    struct buffer out;
    const char *why = NULL;
    buffer_init(&out);
    bool packed = sql_value_pack(&out, slice_of(cell), kind, split, &why);
    assert_int_equal(packed, wanted != NULL);
    if (packed) {
        json_t *json = json_from_msgpack(buffer_slice(&out));
        char *text = json ? json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
        assert_string_equal(text, wanted);
        free(text);
        json_decref(json);
    } else {
        assert_non_null(why);
        assert_true(!*cell || !strstr(why, cell));
    }
    buffer_done(&out);
}

static void integers_are_whole_and_of_64_bits(void **state) {
    (void)state;
    expect("0", SQL_KIND_INT, NULL, "0");
    expect("9223372036854775807", SQL_KIND_INT, NULL, "9223372036854775807");
    expect("-9223372036854775808", SQL_KIND_INT, NULL, "-9223372036854775808");
    expect(" 1500.000000 ", SQL_KIND_INT, NULL, "1500");
    expect("9223372036854775808", SQL_KIND_INT, NULL, NULL);
    expect("1500.5", SQL_KIND_INT, NULL, NULL);
    expect("15x", SQL_KIND_INT, NULL, NULL);
    expect("1e3", SQL_KIND_INT, NULL, NULL);
    expect("", SQL_KIND_INT, NULL, NULL);
}

static void booleans_have_the_words_of_the_databases(void **state) {
    (void)state;
    const char *const yes[] = {"1", "t", "true", "TRUE", "y", "Yes"}, *const no[] = {"0", "f", "False", "n",
                                                                                     "NO"};
    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++)
        expect(yes[i], SQL_KIND_BOOL, NULL, "true");
    for (size_t i = 0; i < sizeof no / sizeof no[0]; i++)
        expect(no[i], SQL_KIND_BOOL, NULL, "false");
    expect("2", SQL_KIND_BOOL, NULL, NULL);
    expect("", SQL_KIND_BOOL, NULL, NULL);
}

static void text_is_utf8_or_refused(void **state) {
    (void)state;
    expect("بدهی ندارد", SQL_KIND_TEXT, NULL, "\"بدهی ندارد\"");
    expect("", SQL_KIND_TEXT, NULL, "\"\"");
    expect("\xc7\xe1\xed", SQL_KIND_TEXT, NULL, NULL);
}

static void a_split_text_is_a_list(void **state) {
    (void)state;
    expect("1401, 1402 ,1403", SQL_KIND_INT, ",", "[1401,1402,1403]");
    expect("الف؛ب", SQL_KIND_TEXT, "؛", "[\"الف\",\"ب\"]");
    expect("a||b", SQL_KIND_TEXT, "|", "[\"a\",\"\",\"b\"]");
    expect("", SQL_KIND_INT, ",", "[]");
    expect("  ", SQL_KIND_TEXT, ",", "[]");
    expect("1,,2", SQL_KIND_INT, ",", NULL);
}

static void json_keeps_its_shape_and_has_no_reals(void **state) {
    (void)state;
    expect("{\"a\":[1,true,\"ب\"]}", SQL_KIND_JSON, NULL, "{\"a\":[1,true,\"ب\"]}");
    expect("7", SQL_KIND_JSON, NULL, "7");
    expect("{\"a\":1.5}", SQL_KIND_JSON, NULL, NULL);
    expect("{\"a\":1,\"a\":2}", SQL_KIND_JSON, NULL, NULL);
    expect("{broken", SQL_KIND_JSON, NULL, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_are_whole_and_of_64_bits),
        cmocka_unit_test(booleans_have_the_words_of_the_databases),
        cmocka_unit_test(text_is_utf8_or_refused),
        cmocka_unit_test(a_split_text_is_a_list),
        cmocka_unit_test(json_keeps_its_shape_and_has_no_reals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
