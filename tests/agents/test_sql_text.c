/* test_sql_text.c - names become markers, and nothing else of a statement changes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <estelam/types.h>
#include <stdio.h>
#include <string.h>
#include "sql_text.h"

/* Rewrites `source` and expects the statement and the names, joined by blanks. */
static void expect(const char *source, const char *statement, const char *names) {
    struct sql_text text = {0};
    const char *why = NULL;
    char joined[512] = "";
    assert_int_equal(sql_text_parse(source, &text, &why), 0);
    for (size_t i = 0; i < text.count; i++)
        snprintf(joined + strlen(joined), sizeof joined - strlen(joined), "%s%s", i ? " " : "",
                 text.names[i]);
    assert_string_equal(text.statement, statement);
    assert_string_equal(joined, names);
    sql_text_done(&text);
}

static void expect_refusal(const char *source, const char *part) {
    struct sql_text text = {0};
    const char *why = NULL;
    assert_int_equal(sql_text_parse(source, &text, &why), -EST_INPUT);
    assert_non_null(why);
    if (!strstr(why, part))
        fail_msg("\"%s\" is not in \"%s\"", part, why);
    assert_null(text.statement);
}

static void every_name_becomes_a_marker_in_order(void **state) {
    (void)state;
    expect("SELECT 1 WHERE a = :nz AND b=:plq.main OR c IN (:x,:nz)",
           "SELECT 1 WHERE a = ? AND b=? OR c IN (?,?)", "nz plq.main x nz");
    expect("SELECT :a_1", "SELECT ?", "a_1");
    expect("SELECT :a.", "SELECT ?.", "a");
    expect("SELECT :a.1", "SELECT ?.1", "a");
    expect("", "", "");
}

static void a_question_mark_right_behind_a_name_says_that_it_may_lack(void **state) {
    (void)state;
    struct sql_text text = {0};
    const char *why = NULL;
    expect("SELECT :a?, :b.c?::text, :d", "SELECT ?, ?::text, ?", "a b.c d");
    assert_int_equal(sql_text_parse("SELECT :a?, :b", &text, &why), 0);
    assert_true(text.may_lack[0]);
    assert_false(text.may_lack[1]);
    sql_text_done(&text);
    expect_refusal("SELECT :a ?", "bare ?");
    expect_refusal("SELECT :a??", "bare ?");
}

static void quoted_text_and_names_are_left_alone(void **state) {
    (void)state;
    expect("SELECT ':a', \":b\", `:c`, 'it''s :d', :e", "SELECT ':a', \":b\", `:c`, 'it''s :d', ?", "e");
    expect("SELECT 'سلام :a' WHERE x = :b", "SELECT 'سلام :a' WHERE x = ?", "b");
    expect("SELECT E'a\\':b' || :c", "SELECT E'a\\':b' || ?", "c");
    expect("SELECT $$ :a ' $$, $t$ :b $$ $t$, :c", "SELECT $$ :a ' $$, $t$ :b $$ $t$, ?", "c");
    expect("SELECT 'a?b;c'", "SELECT 'a?b;c'", "");
    expect("SELECT 'C:\\dir', :a", "SELECT 'C:\\dir', ?", "a");
}

static void comments_are_left_alone(void **state) {
    (void)state;
    expect("SELECT 1 -- :a it's ?\n, :b", "SELECT 1 -- :a it's ?\n, ?", "b");
    expect("SELECT /* :a ' ? ; */ :b", "SELECT /* :a ' ? ; */ ?", "b");
    expect("SELECT 1 - -:b / :c", "SELECT 1 - -? / ?", "b c");
}

static void casts_are_not_names(void **state) {
    (void)state;
    expect("SELECT a::text, :nz::text", "SELECT a::text, ?::text", "nz");
    expect("SELECT x[1 : 2]", "SELECT x[1 : 2]", "");
}

static void the_last_semicolon_is_dropped_and_a_second_statement_refused(void **state) {
    (void)state;
    expect("SELECT :a; -- done\n", "SELECT ?", "a");
    expect_refusal("SELECT 1; DELETE FROM d", "second statement");
    expect_refusal("SELECT 1;;", "second statement");
}

static void what_databases_read_differently_is_refused(void **state) {
    (void)state;
    expect_refusal("SELECT ?", "bare ?");
    expect_refusal("SELECT 'a\\' || ':b'", "backslash");
    expect_refusal("SELECT /* /* :a */ :b */ 1", "inside a comment");
    expect_refusal("SELECT 'abc", "not closed");
    expect_refusal("SELECT \"abc", "not closed");
    expect_refusal("SELECT /* abc", "not closed");
    expect_refusal("SELECT $x$ abc $$", "not closed");
    expect_refusal("SELECT E'abc\\'", "not closed");
}

static void values_have_a_limit(void **state) {
    (void)state;
    char source[1024] = "SELECT 1", *end = source + strlen(source);
    char wanted[1024] = "SELECT 1", *to = wanted + strlen(wanted);
    char names[512] = "";
    for (int i = 0; i < SQL_PARAMETERS_MAX; i++) {
        end = stpcpy(end, ",:a");
        to = stpcpy(to, ",?");
        strcat(names, i ? " a" : "a");
    }
    expect(source, wanted, names);
    strcpy(end, ",:a");
    expect_refusal(source, "64");
}

static void only_select_and_with_are_queries(void **state) {
    (void)state;
    assert_true(sql_text_is_query("SELECT 1"));
    assert_true(sql_text_is_query(" -- why\n /* x */ with a as (select 1) select 2"));
    assert_false(sql_text_is_query("DELETE FROM d"));
    assert_false(sql_text_is_query("selection"));
    assert_false(sql_text_is_query("-- SELECT\nUPDATE d SET x = 1"));
    assert_false(sql_text_is_query(""));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_name_becomes_a_marker_in_order),
        cmocka_unit_test(a_question_mark_right_behind_a_name_says_that_it_may_lack),
        cmocka_unit_test(quoted_text_and_names_are_left_alone),
        cmocka_unit_test(comments_are_left_alone),
        cmocka_unit_test(casts_are_not_names),
        cmocka_unit_test(the_last_semicolon_is_dropped_and_a_second_statement_refused),
        cmocka_unit_test(what_databases_read_differently_is_refused),
        cmocka_unit_test(values_have_a_limit),
        cmocka_unit_test(only_select_and_with_are_queries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
