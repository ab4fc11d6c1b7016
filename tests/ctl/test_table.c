/* test_table.c - what a command prints: columns line up for people, JSON is right for programs. */
#include "json.h"
#include "table.h"
#include "text.h"
#include "moment.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct column COLUMNS[] = {
    {"title", "title", false, 0}, {"count", "count", true, 0}, {"end", "end", false, 0}};
static const struct style PLAIN = {false, 0};

static void row_add(struct table *table, const char *title, uint64_t count, const char *end) {
    cell_cstr(table, title);
    cell_uint(table, count);
    cell_cstr(table, end);
}

/* What is printed, as text. To be freed. */
static char *printed(const struct table *table, struct style style) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    table_print(table, style, out);
    fclose(out);
    return text;
}

static char *line_of(char *text, int line) {
    char *at = text;
    for (; line > 0; line--)
        at = strchr(at, '\n') + 1;
    return strndup(at, strcspn(at, "\n"));
}

/* The column on the screen where `word` begins. */
static unsigned place_of(char *text, int line, const char *word) {
    char *row = line_of(text, line), *at = strstr(row, word);
    assert_non_null(at);
    *at = '\0';
    unsigned place = text_width(row);
    free(row);
    return place;
}

static void persian_text_takes_its_columns_not_its_bytes(void **state) {
    (void)state;
    struct table *table = table_new(COLUMNS, 3);
    row_add(table, "بدهی نوسازی و پسماند", 1, "X");
    row_add(table, "renovation tax", 22, "X");
    row_add(table, "مِلک و می‌شود", 333, "X"); /* a vowel sign and a zero-width non-joiner */
    char *text = printed(table, PLAIN);
    unsigned place = place_of(text, 0, "end");
    for (int line = 1; line <= 3; line++)
        assert_int_equal(place_of(text, line, "X"), place);
    assert_int_equal(place, 20 + 2 + 5 + 2);
    free(text);
    table_free(&table);
}

static void numbers_stand_to_the_right(void **state) {
    (void)state;
    struct table *table = table_new(COLUMNS, 3);
    row_add(table, "a", 7, "X");
    row_add(table, "b", 123456, "X");
    char *text = printed(table, PLAIN);
    assert_string_equal(text, "title   count  end\n"
                              "a           7  X\n"
                              "b      123456  X\n");
    free(text);
    table_free(&table);
}

static void what_is_too_wide_ends_in_an_ellipsis(void **state) {
    (void)state;
    static const struct column narrow[] = {{"t", "title", false, 10}, {"e", "end", false, 0}};
    struct table *table = table_new(narrow, 2);
    cell_cstr(table, "بدهی نوسازی و پسماند");
    cell_cstr(table, "X");
    char *text = printed(table, PLAIN);
    assert_non_null(strstr(text, "بدهی نوسا…  X"));
    assert_int_equal(place_of(text, 1, "X"), 12);
    free(text);
    table_free(&table);
}

static void a_wide_character_that_is_cut_leaves_the_columns_in_line(void **state) {
    (void)state;
    static const struct column narrow[] = {{"t", "title", false, 6}, {"e", "end", false, 0}};
    struct table *table = table_new(narrow, 2);
    cell_cstr(table, "漢字漢字"); /* two columns each */
    cell_cstr(table, "X");
    char *text = printed(table, PLAIN);
    assert_int_equal(place_of(text, 1, "X"), 8);
    free(text);
    table_free(&table);
}

static void a_terminal_gets_rows_that_fit_and_a_file_whole_ones(void **state) {
    (void)state;
    struct table *table = table_new(COLUMNS, 3);
    row_add(table, "a title that is far too long for a narrow terminal", 1,
            "and an end that is long as well");
    char *text = printed(table, (struct style){true, 40});
    for (int line = 0; line < 2; line++) {
        char *row = line_of(text, line);
        assert_in_range(text_width(row), 1, 40);
        free(row);
    }
    free(text);
    text = printed(table, PLAIN);
    assert_non_null(strstr(text, "for a narrow terminal"));
    assert_null(strstr(text, "…"));
    free(text);
    table_free(&table);
}

static void persian_is_isolated_on_a_terminal_only(void **state) {
    (void)state;
    struct table *table = table_new(COLUMNS, 3);
    row_add(table, "بدهی", 1, "latin");
    char *text = printed(table, (struct style){true, 80});
    assert_non_null(strstr(text, "\u2068بدهی\u2069"));
    assert_null(strstr(text, "\u2068latin"));
    free(text);
    text = printed(table, PLAIN);
    assert_null(strstr(text, "\u2068"));
    free(text);
    table_free(&table);
}

static void text_from_outside_cannot_steer_the_terminal(void **state) {
    (void)state;
    struct table *table = table_new(COLUMNS, 3);
    row_add(table, "red \033[31m\nline \u202Eevil\x80", 1, "X");
    char *text = printed(table, PLAIN);
    assert_null(strchr(text, '\033'));
    assert_null(strstr(text, "\u202E"));
    assert_non_null(strstr(text, "red \uFFFD[31m line \uFFFDevil\uFFFD"));
    free(text);
    char remark[] = "a\033b\u202Ec\xFF\nd";
    text_clean_in_place(remark);
    assert_string_equal(remark, "a?b?c? d");
    table_free(&table);
}

static void a_program_gets_types_and_nulls(void **state) {
    (void)state;
    static const struct column columns[] = {{"number", "number", true, 0}, {"at", "at", false, 0},
                                            {"again", NULL, false, 0},     {"none", "none", false, 0},
                                            {"body", "body", false, 0},    {NULL, "people only", false, 0}};
    struct table *table = table_new(columns, 6);
    cell_uint(table, 1234);
    cell_time(table, (est_time){1742524200LL * EST_US_PER_S});
    cell_bool(table, true);
    cell_none(table);
    cell_json(table, json_pack("{s:i,s:[i,i]}", "debt", 5, "years", 1, 2));
    cell_cstr(table, "hidden");
    json_t *row = table_json(table, 0);
    char *text = json_dumps(row, JSON_COMPACT);
    assert_string_equal(
        text, "{\"number\":1234,\"at\":\"2025-03-21T02:30:00.000000Z\",\"again\":true,\"none\":null,"
              "\"body\":{\"debt\":5,\"years\":[1,2]}}");
    free(text);
    json_decref(row);
    table_free(&table);
}

static void a_body_is_one_readable_line_for_people(void **state) {
    (void)state;
    static const struct column columns[] = {{"body", "body", false, 0}};
    struct buffer body;
    buffer_init(&body);
    pack_map(&body, 2);
    pack_cstr(&body, "debt");
    pack_int(&body, 9007199254740993);
    pack_cstr(&body, "use");
    pack_cstr(&body, "مسکونی");
    struct table *table = table_new(columns, 1);
    cell_body(table, buffer_slice(&body));
    char *text = printed(table, PLAIN);
    assert_string_equal(text, "body\ndebt=9007199254740993, use=مسکونی\n");
    free(text);
    table_free(&table);
    buffer_done(&body);
}

static void a_sheet_leaves_out_what_is_empty(void **state) {
    (void)state;
    struct table *table = table_new(COLUMNS, 3);
    char *text = NULL;
    size_t size = 0;
    row_add(table, "", 5, "X");
    FILE *out = open_memstream(&text, &size);
    table_print_sheet(table, PLAIN, out);
    fclose(out);
    assert_string_equal(text, "count  5\nend    X\n");
    free(text);
    table_free(&table);
}

static void csv_quotes_what_has_to_be_and_disarms_formulas(void **state) {
    (void)state;
    static const struct column columns[] = {
        {"number", "n", true, 0}, {"text", "t", false, 0}, {NULL, "people", false, 0}};
    struct table *table = table_new(columns, 3);
    static const char *const texts[] = {"plain", "a,b", "\"so\"", "=1+1", "متن"};
    for (size_t i = 0; i < 5; i++) {
        cell_uint(table, i);
        cell_cstr(table, texts[i]);
        cell_cstr(table, "not for programs");
    }
    cell_none(table);
    cell_none(table);
    cell_none(table);
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    table_print_csv(table, true, out);
    fclose(out);
    assert_string_equal(
        text, "number,text\r\n0,plain\r\n1,\"a,b\"\r\n2,\"\"\"so\"\"\"\r\n3,\"'=1+1\"\r\n4,متن\r\n,\r\n");
    free(text);
    table_clear(table);
    assert_int_equal(table_rows(table), 0);
    table_free(&table);
}

int main(void) {
    text_locale();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(persian_text_takes_its_columns_not_its_bytes),
        cmocka_unit_test(numbers_stand_to_the_right),
        cmocka_unit_test(what_is_too_wide_ends_in_an_ellipsis),
        cmocka_unit_test(a_wide_character_that_is_cut_leaves_the_columns_in_line),
        cmocka_unit_test(a_terminal_gets_rows_that_fit_and_a_file_whole_ones),
        cmocka_unit_test(persian_is_isolated_on_a_terminal_only),
        cmocka_unit_test(text_from_outside_cannot_steer_the_terminal),
        cmocka_unit_test(a_program_gets_types_and_nulls),
        cmocka_unit_test(a_body_is_one_readable_line_for_people),
        cmocka_unit_test(a_sheet_leaves_out_what_is_empty),
        cmocka_unit_test(csv_quotes_what_has_to_be_and_disarms_formulas),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
