/* filter_test.c - what people type, what it means, and what they are told when it means nothing.
 */
#include "filter.h"
#include "codec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static const struct parcel_rule tehran = {.parts = 7,
                                          .district_part = 1,
                                          .digits_max = 5,
                                          .district_first = 1,
                                          .district_last = 22,
                                          .hierarchy = true,
                                          .file_digits = 11};
static struct filter filter;
static char why[FILTER_WHY_SIZE];

static int parse(const char *text) {
    why[0] = '\0';
    return filter_parse(slice_of(text), &tehran, &filter, why);
}

static const char *canonical(const char *text) {
    static char out[FILTER_CANONICAL_MAX + 1];
    if (parse(text) != 0)
        fail_msg("`%s`: %s", text, why);
    filter_format(&filter, out);
    return out;
}

static const struct {
    const char *typed, *canonical;
} pairs[] = {
    {"", ""},
    {"  \t ", ""},
    {"department:nosazi", "department:nosazi"},
    {"Department:NOSAZI", "department:nosazi"},
    {"state:waiting,parked", "state:waiting,parked"},
    {"state:Waiting،PARKED", "state:waiting,parked"},
    {"type:nosazi.*   -state:parked", "type:nosazi.* -state:parked"},
    {"parcel:۱-۱۲-۳۴۵-۶-۷-۰-۰", "parcel:1-12-345-6-7-0-0"},
    {"1-12-345-6-7-0-0", "parcel:1-12-345-6-7-0-0"},
    {"nid:0499370899", "nid:0499370899"},
    {"٠٤٩٩٣٧٠٨٩٩", "nid:0499370899"},
    {"case:1404-17", "case:1404-17"},
    {"1404-17", "case:1404-17"},
    {"case:\"17 of, 1404\"", "case:\"17 of, 1404\""},
    {"case:\"1404-17\"", "case:1404-17"},
    {"\"a \\\"quoted\\\" case\"", "case:\"a \\\"quoted\\\" case\""},
    {"case:كيف-۱۷", "case:کیف-17"},
    {"case:پرونده\u200C۱۲", "case:پرونده12"},
    {"case:ا\u0653-۵", "case:ا-5"},
    {"requester:portal", "requester:portal"},
    {"tracking:00010j-9qx2m", "tracking:00010J-9QX2M"},
    {"OOO1OJ-9QX2M", "tracking:00010J-9QX2M"},
    {"district:01", "district:1"},
    {"outcome:negative,no_record", "outcome:negative,no-record"},
    {"code:lease_expired", "code:LEASE_EXPIRED"},
    {"purpose:permit", "purpose:permit"},
    {"received:1404/07/01..1404/07/30", "received:1404/07/01..1404/07/30"},
    {"received:۱۴۰۴-۰۷-۰۱..", "received:1404/07/01.."},
    {"received:۱۴۰۴/۷/۵", "received:1404/07/05"},
    {"received:۲۰۲۶-۰۱-۰۵..٢٠٢٦-٠١-٢٩", "received:2026-01-05..2026-01-29"},
    {"received:>=2026-01-05", "received:>=2026-01-05"},
    {"due:<2026-01-05T14:00:00+03:30", "due:<2026-01-05T10:30:00Z"},
    {"ended:1404/07/01,1404/07/03", "ended:1404/07/01,1404/07/03"},
    {"number:1042", "number:1042"},
    {"1042", "number:1042"},
    {"1234567890", "number:1234567890"},
    {"0198C5A2-7D1E-7C3A-9F00-2B6D1C0A4E11", "id:0198c5a2-7d1e-7c3a-9f00-2b6d1c0a4e11"},
    {"-1042", "-number:1042"},
    {"\u200Fdepartment:nosazi\u200E", "department:nosazi"},
};

static void typed_text_has_one_canonical_form(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        char once[FILTER_CANONICAL_MAX + 1];
        snprintf(once, sizeof once, "%s", canonical(pairs[i].typed));
        assert_string_equal(once, pairs[i].canonical);
        assert_string_equal(canonical(once), once);
    }
}

/* --- Folding ------------------------------------------------------------------------------------- */

static size_t utf8_write(unsigned c, char *ret) { /* of \uXXXX, so below U+10000 */
    if (c < 0x80) {
        ret[0] = (char)c;
        return 1;
    }
    size_t used = 0;
    if (c < 0x800) {
        ret[used++] = (char)(0xC0 | c >> 6);
    } else {
        ret[used++] = (char)(0xE0 | c >> 12);
        ret[used++] = (char)(0x80 | (c >> 6 & 0x3F));
    }
    ret[used++] = (char)(0x80 | (c & 0x3F));
    return used;
}

/* \uXXXX becomes its character, in place; what is behind the text's end is cut off. */
static est_slice unescape(char *text, size_t size) {
    size_t used = 0;
    for (size_t i = 0; i < size;) {
        unsigned c;
        bool escaped = text[i] == '\\' && sscanf(text + i, "\\u%4X", &c) == 1;
        used += escaped ? utf8_write(c, text + used) : (text[used] = text[i], 1);
        i += escaped ? 6 : 1;
    }
    return (est_slice){text, used};
}

/* The next line with two columns; the console's test reads the same file. */
static bool vector_next(FILE *file, char line[512], est_slice *ret_typed, est_slice *ret_folded) {
    while (fgets(line, 512, file)) {
        char *tab = strchr(line, '\t');
        if (line[0] == '#' || !tab)
            continue;
        *ret_folded = unescape(tab + 1, strcspn(tab + 1, "\n"));
        *ret_typed = unescape(line, (size_t)(tab - line));
        return true;
    }
    return false;
}

static void text_is_folded_as_the_shared_vectors_say(void **state) {
    (void)state;
    FILE *file = fopen(FOLDS, "r");
    char line[512], folded[512];
    est_slice typed, wanted;
    size_t count = 0;
    assert_non_null(file);
    for (; vector_next(file, line, &typed, &wanted); count++) {
        size_t size = filter_fold(typed, folded);
        if (!slice_equal((est_slice){folded, size}, wanted))
            fail_msg("`%.*s` becomes `%.*s`, not `%.*s`", (int)typed.size, (const char *)typed.data,
                     (int)size, folded, (int)wanted.size, (const char *)wanted.data);
        assert_true(size <= typed.size);
        assert_int_equal(filter_fold(wanted, folded), wanted.size); /* folded once is folded */
        assert_memory_equal(folded, wanted.data, wanted.size);
    }
    fclose(file);
    assert_true(count > 30);
}

static const struct {
    const char *typed, *place, *part;
} wrongs[] = {
    {"departmant:nosazi", "character 1:", "did you mean `department`?"},
    {"state:waiting stat:x", "character 15:", "there is no field `stat`"},
    {"state:waitin", "character 7:", "did you mean `waiting`?"},
    {"وضعیت:waiting", "character 1:", "name its field"},
    {"department:", "character 12:", "has no value"},
    {"department:a,,b", "character 14:", "has no value"},
    {"department:a,", "character 14:", "has no value"},
    {"case:\"17", "character 6:", "no end"},
    {"case:آ\u200Cب state:x", "character 16:", "no state"},
    {"case:\"17\"x", "character 10:", "a blank or a comma"},
    {"case:a\"b", "character 7:", "around a whole value"},
    {"case:\"a\\n\"", "character 8:", "backslash"},
    {"nid:0499370898", "character 5:", "check digit"},
    {"۰۴۹۹۳۷۰۸۹۸", "character 1:", "check digit"},
    {"parcel:1-2", "character 8:", "too few parts"},
    {"99-12-345-6-7-0-0", "character 1:", "not one of this city's"},
    {"tracking:1042", "character 10:", "00010J-9QX2M"},
    {"id:1042", "character 4:", "UUID"},
    {"number:x", "character 8:", "digits only"},
    {"number:99999999999999999999", "character 8:", "digits only"},
    {"district:-1", "character 10:", "no district"},
    {"received:yesterday", "character 10:", "1404/07/01"},
    {"received:1404/13/01", "character 10:", "no time"},
    {"received:1404/7/", "character 10:", "no time"},
    {"received:1404/7-5", "character 10:", "no time"},
    {"received:1404/007/5", "character 10:", "no time"},
    {"received:1404/07/30..1404/07/01", "character 10:", "ends before it begins"},
    {"received:..", "character 10:", "a beginning or an end"},
    {"received:1404/07/01..soon", "character 22:", "no time"},
    {"-", "character 2:", "a term is missing"},
    {"1042,1043", "character 1:", "field's name"},
    {"parked", "character 1:", "state:parked"},
    {"nosazi", "character 1:", "department:nosazi"},
    {"department:nosazi!", "character 12:", "no name"},
};

static void refusal_names_the_place_and_what_is_right(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof wrongs / sizeof wrongs[0]; i++) {
        assert_int_equal(parse(wrongs[i].typed), -EST_INVALID_FIELD);
        if (strncmp(why, wrongs[i].place, strlen(wrongs[i].place)) != 0 || !strstr(why, wrongs[i].part))
            fail_msg("`%s`: \"%s\" does not say \"%s … %s\"", wrongs[i].typed, why, wrongs[i].place,
                     wrongs[i].part);
    }
}

static void national_id_is_never_told_again(void **state) {
    (void)state;
    assert_int_equal(parse("nid:0499370898"), -EST_INVALID_FIELD);
    assert_null(strstr(why, "0499370898"));
}

/* 2025-09-23T00:00 in Tehran is 20:30 UTC of the day before. */
static void days_are_tehrans_days(void **state) {
    (void)state;
    const int64_t first = 1758573000 * EST_US_PER_S, day = 86400 * EST_US_PER_S;
    static const struct {
        const char *text;
        int days_from, days_until;
    } times[] = {
        {"received:1404/07/01", 0, 1},
        {"received:2025-09-23", 0, 1},
        {"received:1404/07/01..1404/07/30", 0, 30},
    };
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        canonical(times[i].text);
        assert_int_equal(filter.values[0].from.us, first + times[i].days_from * day);
        assert_int_equal(filter.values[0].until.us, first + times[i].days_until * day);
    }
    canonical("due:<1404/07/01");
    assert_int_equal(filter.values[0].from.us, INT64_MIN);
    assert_int_equal(filter.values[0].until.us, first);
    canonical("due:>1404/07/01");
    assert_int_equal(filter.values[0].from.us, first + day);
    assert_int_equal(filter.values[0].until.us, INT64_MAX);
    canonical("due:<=2025-09-22T20:30:00Z");
    assert_int_equal(filter.values[0].until.us, first + EST_US_PER_S);
}

static void as_many_terms_as_there_is_room_for_and_no_more(void **state) {
    (void)state;
    char text[FILTER_TEXT_MAX] = "";
    for (int i = 0; i < FILTER_TERMS_MAX; i++)
        strcat(text, "1042 ");
    assert_int_equal(parse(text), 0);
    assert_int_equal(filter.terms_count, FILTER_TERMS_MAX);
    assert_true(strlen(canonical(text)) <= FILTER_CANONICAL_MAX);
    strcat(text, "1042");
    assert_int_equal(parse(text), -EST_INVALID_FIELD);
    strcpy(text, "number:1");
    for (int i = 1; i < FILTER_VALUES_MAX; i++)
        strcat(text, ",1");
    assert_int_equal(parse(text), 0);
    strcat(text, ",1");
    assert_int_equal(parse(text), -EST_INVALID_FIELD);
}

static void what_is_no_text_is_no_filter(void **state) {
    (void)state;
    static char long_text[FILTER_CANONICAL_MAX + 2];
    memset(long_text, '1', sizeof long_text - 1);
    assert_int_equal(parse(long_text), -EST_INVALID_FIELD);
    assert_int_equal(parse("case:\xC3("), -EST_INVALID_FIELD);
    assert_int_equal(filter_parse((est_slice){"case:1\0002", 8}, NULL, &filter, why), -EST_INVALID_FIELD);
}

static void without_a_citys_rule_the_general_shape_of_a_parcel_counts(void **state) {
    (void)state;
    assert_int_equal(filter_parse(slice_of("9-1000-1"), NULL, &filter, why), 0);
    assert_int_equal(filter.terms[0].field, FILTER_PARCEL);
    assert_int_equal(filter_parse(slice_of("parcel:9-1000"), NULL, &filter, why), -EST_INVALID_FIELD);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(typed_text_has_one_canonical_form),
        cmocka_unit_test(text_is_folded_as_the_shared_vectors_say),
        cmocka_unit_test(refusal_names_the_place_and_what_is_right),
        cmocka_unit_test(national_id_is_never_told_again),
        cmocka_unit_test(days_are_tehrans_days),
        cmocka_unit_test(as_many_terms_as_there_is_room_for_and_no_more),
        cmocka_unit_test(what_is_no_text_is_no_filter),
        cmocka_unit_test(without_a_citys_rule_the_general_shape_of_a_parcel_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
