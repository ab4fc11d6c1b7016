/* yaml_test.c - what a configuration file may hold, and where a complaint says it stands. */
#include "yaml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static struct complaints complaints;

static int open_text(const char *text, struct yaml **ret) {
    memset(&complaints, 0, sizeof complaints);
    return yaml_open_text((est_slice){text, strlen(text)}, "conf/x.yaml", &complaints, ret);
}

static void assert_complaint(size_t index, const char *where, const char *says) {
    assert_true(index < complaints.kept);
    assert_string_equal(complaints.at[index].where, where);
    if (!strstr(complaints.at[index].text, says))
        fail_msg("complaint %zu says otherwise: %s", index, complaints.at[index].text);
}

static void refused_files_are_named_by_line_and_column(void **state) {
    (void)state;
    static const struct {
        const char *text, *where, *says;
    } table[] = {
        {"a: &x 1\n", "conf/x.yaml:1:4", "anchors"},
        {"a: 1\nb: *x\n", "conf/x.yaml:2:4", "aliases"},
        {"a: !!str 1\n", "conf/x.yaml:1:4", "tags"},
        {"a: 1\n<<: {b: 2}\n", "conf/x.yaml:2:1", "merge"},
        {"a: 1\nb: {c: 1, تهران: 2, c: 3}\n", "conf/x.yaml:2:21", "`c` is there twice, first on line 2"},
        {"a: 1\n---\nb: 2\n", "conf/x.yaml:2:1", "second document"},
        {"a: [1, 2\nb: 3", "conf/x.yaml:3:1", "closing bracket"},
        {"a: \"x\n", "conf/x.yaml:1:5", "closing quote"},
        {"a: 1\n  b: 2\n", "conf/x.yaml:1:4", "mend the YAML here"},
        {"? [a]\n: 3", "conf/x.yaml:1:3", "a key must be a plain word"},
        {"a: \"\\0\"", "conf/x.yaml:1:4", "zero byte"},
        {"a: 1\nb: t\xff", "conf/x.yaml:2:5", "UTF-8"},
        {"a: \xed\xa0\x80", "conf/x.yaml:1:4", "UTF-8"},
        {"a: \xc0\x80", "conf/x.yaml:1:4", "UTF-8"},
        {"", "conf/x.yaml:1:1", "empty"},
        {"# nothing but a remark\n", "conf/x.yaml:1:1", "empty"},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct yaml *yaml = NULL;
        assert_int_equal(open_text(table[i].text, &yaml), -EST_INPUT);
        assert_null(yaml);
        assert_int_equal(complaints.count, 1);
        assert_complaint(0, table[i].where, table[i].says);
    }
}

static void all_marks_of_one_file_are_reported_at_once(void **state) {
    (void)state;
    struct yaml *yaml = NULL;
    assert_int_equal(open_text("a: &x 1\nb: *x\nc: !t 1\na: 2\n", &yaml), -EST_INPUT);
    assert_int_equal(complaints.count, 4);
}

static void nesting_is_bounded(void **state) {
    (void)state;
    char text[YAML_DEPTH_MAX * 2 + 3];
    for (int depth = YAML_DEPTH_MAX; depth <= YAML_DEPTH_MAX + 1; depth++) {
        struct yaml *yaml = NULL;
        memset(text, '[', (size_t)depth);
        memset(text + depth, ']', (size_t)depth);
        text[2 * depth] = '\0';
        assert_int_equal(open_text(text, &yaml), depth == YAML_DEPTH_MAX ? 0 : -EST_INPUT);
        yaml_close(&yaml);
    }
    assert_complaint(0, "conf/x.yaml:1:33", "deeper than 32");
}

static void a_file_has_a_largest_size(void **state) {
    (void)state;
    struct yaml *yaml = NULL;
    char *text = malloc(YAML_SIZE_MAX + 1);
    assert_non_null(text);
    memset(text, '#', YAML_SIZE_MAX + 1);
    memcpy(text, "a: 1\n", 5);
    memset(&complaints, 0, sizeof complaints);
    assert_int_equal(yaml_open_text((est_slice){text, YAML_SIZE_MAX}, "x", &complaints, &yaml), 0);
    yaml_close(&yaml);
    assert_int_equal(yaml_open_text((est_slice){text, YAML_SIZE_MAX + 1}, "x", &complaints, &yaml),
                     -EST_INPUT);
    assert_complaint(0, "x:1:1", "larger than 4 MiB");
    free(text);
}

static void unknown_keys_name_what_may_have_been_meant(void **state) {
    (void)state;
    static const char *const allowed[] = {"answerer", "operator", "owner", NULL};
    struct yaml *yaml = NULL;
    assert_int_equal(open_text("owner: a\nanswer: b\nzzz: c\n", &yaml), 0);
    assert_false(yaml_only(yaml, yaml_root(yaml), allowed));
    assert_int_equal(complaints.count, 2);
    assert_complaint(0, "conf/x.yaml:2:1", "unknown key `answer`; did you mean `answerer`?");
    assert_complaint(1, "conf/x.yaml:3:1", "unknown key `zzz`; allowed here: answerer, operator, owner");
    yaml_close(&yaml);
}

static void scalars_are_taken_as_they_are_written(void **state) {
    (void)state;
    struct yaml *yaml = NULL;
    assert_int_equal(
        open_text("{t: متن, i: -7, q: \"7\", b: true, s: 250 ms, d: 30 d, z: 64 GiB, n: 12, p: k/x.key,"
                  " abs: /etc/k}",
                  &yaml),
        0);
    yaml_node root = yaml_root(yaml);
    assert_string_equal(yaml_text(yaml, yaml_get(root, "t"), NULL), "متن");
    assert_int_equal(yaml_int(yaml, yaml_get(root, "i"), -10, 10, 0), -7);
    assert_true(yaml_bool(yaml, yaml_get(root, "b"), false));
    assert_int_equal(yaml_span(yaml, yaml_get(root, "s"), (est_span){0}).us, 250000);
    assert_int_equal(yaml_span(yaml, yaml_get(root, "d"), (est_span){0}).us, 30ll * 86400 * 1000000);
    assert_int_equal(yaml_bytes(yaml, yaml_get(root, "z"), 0), 64ull << 30);
    assert_int_equal(yaml_bytes(yaml, yaml_get(root, "n"), 0), 12);
    assert_string_equal(yaml_path(yaml, yaml_get(root, "p"), NULL), "conf/k/x.key");
    assert_string_equal(yaml_path(yaml, yaml_get(root, "abs"), NULL), "/etc/k");
    assert_int_equal(complaints.count, 0);
    assert_int_equal(yaml_int(yaml, yaml_get(root, "q"), -10, 10, 3), 3);
    assert_int_equal(yaml_int(yaml, yaml_get(root, "i"), 0, 10, 3), 3);
    assert_false(yaml_bool(yaml, yaml_get(root, "t"), false));
    assert_int_equal(yaml_span(yaml, yaml_get(root, "z"), (est_span){5}).us, 5);
    assert_int_equal(yaml_bytes(yaml, yaml_get(root, "s"), 5), 5);
    assert_int_equal(complaints.count, 5);
    yaml_close(&yaml);
}

static void absent_values_are_taken_without_a_complaint(void **state) {
    (void)state;
    struct yaml *yaml = NULL;
    assert_int_equal(open_text("a: []\n", &yaml), 0);
    assert_null(yaml_get(NULL, "x"));
    assert_null(yaml_at(NULL, 0));
    assert_int_equal(yaml_count(NULL), 0);
    assert_string_equal(yaml_text(yaml, NULL, "else"), "else");
    assert_int_equal(yaml_int(yaml, NULL, 0, 1, 9), 9);
    assert_int_equal(complaints.count, 0);
    assert_null(yaml_need(yaml, yaml_root(yaml), "b"));
    assert_complaint(0, "conf/x.yaml:1:1", "`b` is missing");
    yaml_close(&yaml);
}

static void numbers_beyond_their_bounds_are_refused(void **state) {
    (void)state;
    static const char *const bad[] = {"07", "+7", "0x7", "7.0", "1_000", "-0", "9223372036854775808",
                                      "",   "~"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char text[64];
        struct yaml *yaml = NULL;
        snprintf(text, sizeof text, "n: %s\n", bad[i]);
        assert_int_equal(open_text(text, &yaml), 0);
        assert_int_equal(yaml_int(yaml, yaml_get(yaml_root(yaml), "n"), INT64_MIN, INT64_MAX, 5), 5);
        assert_int_equal(complaints.count, 1);
        yaml_close(&yaml);
    }
}

static void canonical_text_ignores_layout_and_reads_back(void **state) {
    (void)state;
    static const char *const same[] = {
        "a: 1\nb:\n  - x\n  - \"5\"\n  - true\nc:\n  تهران: \"q\\\"\\\\ \\u2028\"\n  d: ~\n",
        "{a:   1, b: [x, '5', true],\n c: {\"تهران\": \"q\\\"\\\\ \\u2028\", d: }}",
    };
    const char *expected =
        "{\"a\":1,\"b\":[\"x\",\"5\",true],\"c\":{\"تهران\":\"q\\\"\\\\ \\u2028\",\"d\":null}}";
    for (size_t i = 0; i < 2; i++) {
        struct yaml *yaml = NULL, *again = NULL;
        assert_int_equal(open_text(same[i], &yaml), 0);
        const char *text = yaml_canonical(yaml, yaml_root(yaml));
        assert_string_equal(text, expected);
        assert_int_equal(open_text(text, &again), 0);
        assert_string_equal(yaml_canonical(again, yaml_root(again)), expected);
        yaml_close(&again);
        yaml_close(&yaml);
    }
}

static void a_file_that_cannot_be_read_is_a_complaint(void **state) {
    (void)state;
    struct yaml *yaml = NULL;
    memset(&complaints, 0, sizeof complaints);
    assert_int_equal(yaml_open_file("/nonexistent/x.yaml", &complaints, &yaml), -EST_INPUT);
    assert_complaint(0, "/nonexistent/x.yaml:1:1", "cannot be read: No such file");
    assert_int_equal(yaml_open_file("/", &complaints, &yaml), -EST_INPUT);
}

/* Complaints past the room for them are counted, and a text is never cut inside a character. */
static void too_many_complaints_are_counted(void **state) {
    (void)state;
    struct yaml *yaml = NULL;
    assert_int_equal(open_text("a: 1\n", &yaml), 0);
    char long_text[900] = "";
    for (size_t i = 0; i + 2 < sizeof long_text; i += 2)
        memcpy(long_text + i, "م", 3);
    for (int i = 0; i < 101; i++)
        yaml_complain(yaml, NULL, ".%s", long_text);
    assert_int_equal(complaints.count, 101);
    assert_int_equal(complaints.kept, 100);
    assert_int_equal(strlen(complaints.at[0].text) % 2, 1);
    yaml_close(&yaml);
}

/* Random edits of a file that has one of everything; what is read must read back the same. */
static void mutated_files_never_crash(void **state) {
    (void)state;
    static const char seed[] =
        "city: {id: tehran, title: {fa: تهران, en: \"Teh\\u0041\"}}\nx: |\n  aaa\n  bb\ny:\n"
        "  - a\n  - [1, 2]\n? q\n: r\n&a *b !c 'x''y': >\n  w\n";
    static const char alphabet[] = "{}[],:-?&*!|>'\"%@`# \n\t\\ab1~<\xff\xd8";
    unsigned random = 12345;
    for (int round = 0; round < 20000; round++) {
        char text[sizeof seed];
        memcpy(text, seed, sizeof seed);
        for (int edits = 0; edits < 4; edits++) {
            random = random * 1103515245u + 12345u;
            text[(random >> 8) % (sizeof seed - 1)] = alphabet[(random >> 20) % (sizeof alphabet - 1)];
        }
        struct yaml *yaml = NULL, *again = NULL;
        if (open_text(text, &yaml) != 0)
            continue;
        const char *canonical = yaml_canonical(yaml, yaml_root(yaml));
        assert_int_equal(open_text(canonical, &again), 0);
        assert_string_equal(yaml_canonical(again, yaml_root(again)), canonical);
        yaml_close(&again);
        yaml_close(&yaml);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refused_files_are_named_by_line_and_column),
        cmocka_unit_test(all_marks_of_one_file_are_reported_at_once),
        cmocka_unit_test(nesting_is_bounded),
        cmocka_unit_test(a_file_has_a_largest_size),
        cmocka_unit_test(unknown_keys_name_what_may_have_been_meant),
        cmocka_unit_test(scalars_are_taken_as_they_are_written),
        cmocka_unit_test(absent_values_are_taken_without_a_complaint),
        cmocka_unit_test(numbers_beyond_their_bounds_are_refused),
        cmocka_unit_test(canonical_text_ignores_layout_and_reads_back),
        cmocka_unit_test(a_file_that_cannot_be_read_is_a_complaint),
        cmocka_unit_test(too_many_complaints_are_counted),
        cmocka_unit_test(mutated_files_never_crash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
