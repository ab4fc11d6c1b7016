/* ident_test.c - every vector of the identifiers' rules, good and bad. */
#include "ident.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const struct parcel_rule tehran = {
    .parts = 7,
    .district_part = 1,
    .digits_max = 5,
    .district_first = 1,
    .district_last = 22,
    .hierarchy = true,
    .file_digits = 11,
};
static const struct parcel_rule town = {
    .parts = 3,
    .district_part = 2,
    .digits_max = 4,
    .district_first = 1,
    .district_last = 3,
};

struct vector {
    enum ident_kind kind;
    const char *value;
    const char *canonical; /* NULL: the value itself */
    unsigned district;
};

static const struct vector good[] = {
    {IDENT_NID, "0499370899", NULL, 0},
    {IDENT_NID, "0790419904", NULL, 0},
    {IDENT_NID, "4400276201", NULL, 0},
    {IDENT_NID, "2540201288", NULL, 0},
    {IDENT_NID, "7400076205", NULL, 0},
    {IDENT_NID, "7340416501", NULL, 0},
    {IDENT_NID, "0013542419", NULL, 0},
    {IDENT_NID, "0010002960", NULL, 0}, /* the sum leaves 0 */
    {IDENT_NID, "0010006291", NULL, 0}, /* the sum leaves 1 */
    {IDENT_NID, "1234567891", NULL, 0},
    {IDENT_NID, "0068415941", NULL, 0},
    {IDENT_NID, "۰49٩٣7۰۸9۹", "0499370899", 0},
    {IDENT_LEGAL, "10380284790", NULL, 0},
    {IDENT_LEGAL, "10100123456", NULL, 0},
    {IDENT_LEGAL, "14007650912", NULL, 0},
    {IDENT_LEGAL, "14000001232", NULL, 0},
    {IDENT_LEGAL, "10103100280", NULL, 0}, /* the sum leaves 10 */
    {IDENT_LEGAL, "۱۰۳۸۰۲۸۴۷۹۰", "10380284790", 0},
    {IDENT_POSTAL, "1193653471", NULL, 0},
    {IDENT_POSTAL, "1619735744", NULL, 0},
    {IDENT_POSTAL, "١١٩٣٦٥٣٤٧١", "1193653471", 0},
    {IDENT_PARCEL, "1-1-1-1-0-0-0", NULL, 1},
    {IDENT_PARCEL, "22-3-15-40-1-12-0", NULL, 22},
    {IDENT_PARCEL, "۲۲-۳-١٥-40-1-۱۲-0", "22-3-15-40-1-12-0", 22},
    {IDENT_PARCEL, "5-99999-0-0-0-0-0", NULL, 5},
    {IDENT_FILE, "22001840320", NULL, 22},
    {IDENT_FILE, "٠١۰۰۱۸۴۰۳۲۰", "01001840320", 1},
};

struct refusal {
    enum ident_kind kind;
    const char *value, *says; /* part of the sentence */
};

static const struct refusal bad[] = {
    {IDENT_NID, "1234567890", "check digit"},
    {IDENT_NID, "0010000000", "000000"},
    {IDENT_NID, "9990419904", "check digit"},
    {IDENT_NID, "1111111111", "repeated"},
    {IDENT_NID, "0000000000", "repeated"},
    {IDENT_NID, "9999999999", "repeated"},
    {IDENT_NID, "68415941", "exactly 10"},
    {IDENT_NID, "049937089", "exactly 10"},
    {IDENT_NID, "049937089900", "exactly 10"},
    {IDENT_NID, "04993o0899", "digits only"},
    {IDENT_NID, "0499370899 ", "digits only"},
    {IDENT_NID, "", "empty"},
    {IDENT_NID, "۰۰۰۰۰۰۰۰۰۰۰۰۰۰۰۰۰۰۰۰۰۰۰۰۰۰۰۰۰۰۰۰۰۰۰۰۰۰۰۰۰۰۰۰۰۰۰۰۰۰۰۰۰۰۰۰۰۰۰۰۰۰۰۰۰۰۰۰", "longer than any"},
    {IDENT_LEGAL, "10380284792", "check digit"},
    {IDENT_LEGAL, "09748208301", "check digit"},
    {IDENT_LEGAL, "11111111111", "repeated"},
    {IDENT_LEGAL, "00000000000", "repeated"},
    {IDENT_LEGAL, "123000000", "exactly 11"},
    {IDENT_LEGAL, "103802847900", "exactly 11"},
    {IDENT_LEGAL, "10100000000", "000000"},
    {IDENT_LEGAL, "1038028479x", "digits only"},
    {IDENT_POSTAL, "142386473", "exactly 10"},
    {IDENT_POSTAL, "0423437584", "never 0 or 2"},
    {IDENT_POSTAL, "1111111111", "repeated"},
    {IDENT_POSTAL, "1234567890", "never 0 or 2"},
    {IDENT_POSTAL, "1619535744", "never 5"},
    {IDENT_POSTAL, "1193603471", "never 0"},
    {IDENT_POSTAL, "1193650000", "0000"},
    {IDENT_POSTAL, "11936-53471", "digits only"},
    {IDENT_PARCEL, "23-1-1-1-0-0-0", "district"},
    {IDENT_PARCEL, "0-1-1-1-0-0-0", "district"},
    {IDENT_PARCEL, "1-1-1-1-0-2-0", "building"},
    {IDENT_PARCEL, "1-1-1-0-1-0-0", "house"},
    {IDENT_PARCEL, "01-1-1-1-0-0-0", "zeros in front"},
    {IDENT_PARCEL, "1-1-1-1-0-0", "too few"},
    {IDENT_PARCEL, "1-1-1-1-0-0-0-0", "too many"},
    {IDENT_PARCEL, "0-0-0-40-15-3-22", "district"},
    {IDENT_PARCEL, "1-123456-1-1-0-0-0", "too long"},
    {IDENT_PARCEL, "12345678901-1-1-1-0-0-0", "too long"},
    {IDENT_PARCEL, "1--1-1-0-0-0", "empty"},
    {IDENT_PARCEL, "1-1-1-1-0-0-", "empty"},
    {IDENT_PARCEL, "-", "empty"},
    {IDENT_PARCEL, "1-1-1-1-0-0-a", "digits and hyphens"},
    {IDENT_PARCEL, "1/1/1/1/0/0/0", "digits and hyphens"},
    {IDENT_PARCEL, "\xDB", "digits and hyphens"},
    {IDENT_FILE, "23001840320", "first two"},
    {IDENT_FILE, "00001840320", "first two"},
    {IDENT_FILE, "2200184032", "number of digits"},
    {IDENT_FILE, "2200184032x", "digits only"},
    {99, "1", "no such kind"},
};

static est_slice text(const char *value) {
    return (est_slice){value, strlen(value)};
}

static void good_identifiers_come_out_canonical(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        char canonical[IDENT_MAX] = "";
        unsigned district = 77;
        const char *wrong = ident_check(good[i].kind, &tehran, text(good[i].value), canonical, &district);
        if (wrong)
            fail_msg("%s refused: %s", good[i].value, wrong);
        assert_string_equal(canonical, good[i].canonical ? good[i].canonical : good[i].value);
        assert_int_equal(district, good[i].district);
    }
}

static void bad_identifiers_are_refused_with_the_reason(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char canonical[IDENT_MAX] = "untouched";
        unsigned district = 77;
        const char *wrong = ident_check(bad[i].kind, &tehran, text(bad[i].value), canonical, &district);
        if (!wrong)
            fail_msg("%s accepted", bad[i].value);
        if (!strstr(wrong, bad[i].says))
            fail_msg("%s refused for another reason: %s", bad[i].value, wrong);
        assert_string_equal(canonical, "untouched");
        assert_int_equal(district, 77);
    }
}

static void another_city_has_its_own_parcel_code(void **state) {
    (void)state;
    char canonical[IDENT_MAX];
    unsigned district = 0;
    assert_null(ident_check(IDENT_PARCEL, &town, text("100-3-0"), canonical, &district));
    assert_int_equal(district, 3);
    assert_non_null(ident_check(IDENT_PARCEL, &town, text("100-4-0"), canonical, NULL));
    assert_non_null(ident_check(IDENT_PARCEL, &town, text("1-1-1-1-0-0-0"), canonical, NULL));
    assert_non_null(ident_check(IDENT_FILE, &town, text("22001840320"), canonical, NULL));
    assert_non_null(ident_check(IDENT_PARCEL, NULL, text("100-3-0"), canonical, NULL));
    struct parcel_rule without = town;
    without.district_part = 0;
    assert_null(ident_check(IDENT_PARCEL, &without, text("100-999-0"), canonical, &district));
    assert_int_equal(district, 0);
}

static void folding_leaves_everything_but_digits(void **state) {
    (void)state;
    char out[32];
    size_t size = ident_fold_digits(text("پلاک ۱۲٣a"), out, sizeof out);
    assert_int_equal(size, strlen("پلاک 123a"));
    assert_memory_equal(out, "پلاک 123a", size);
    assert_int_equal(ident_fold_digits(text("12345"), out, 4), 0);
    assert_int_equal(ident_fold_digits(text("۱۲۳۴"), out, 4), 4);
    assert_int_equal(ident_fold_digits(text(""), out, 4), 0);
}

static void a_code_is_the_same_however_it_is_typed(void **state) {
    (void)state;
    static const char *const table[][2] = {
        {"1234500010119", "1234500010119"},
        {"۱۲۳۴۵۰۰۰۱۰۱۱۹", "1234500010119"},
        {"١٢٣٤٥", "12345"},
        {" 3467\t\r\n", "3467"},
        {"\u00a03467\u3000", "3467"},
        {"\u200f1234500010119", "1234500010119"},       /* a right-to-left mark before it */
        {"\u20661/1404\u200e/0017\u2069", "1/1404/0017"}, /* isolates around it, a mark inside */
        {"\ufeff \u200c22\u200b/871\u200c \u200f", "22/871"},
        {"علي\u200cآباد كوچك", "علی\u200cآباد کوچک"}, /* inside, a joiner is spelling and a blank is a blank */
        {" \u200f\u200c\u00a0", ""},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        char out[64] = "";
        size_t size = ident_fold_code(text(table[i][0]), out);
        assert_int_equal(size, strlen(table[i][1]));
        assert_memory_equal(out, table[i][1], size);
        assert_int_equal(ident_is_blank(text(table[i][0])), size == 0);
    }
}

static void folding_a_code_never_writes_beyond_the_texts_size(void **state) {
    (void)state;
    static const char broken[] = "\xd9\x8a \xe2\x80\xf0\x9f\xd9";
    for (size_t size = 0; size < sizeof broken; size++) {
        char *in = malloc(size + 1), *out = malloc(size + 1); /* a sanitizer sees one byte too far */
        memcpy(in, broken, size);
        out[size] = '!';
        assert_true(ident_fold_code((est_slice){in, size}, out) <= size);
        assert_int_equal(out[size], '!');
        free(in);
        free(out);
    }
}

static void kinds_have_their_names(void **state) {
    (void)state;
    assert_int_equal(ident_kind_parse("nid"), IDENT_NID);
    assert_int_equal(ident_kind_parse("lid"), IDENT_LEGAL);
    assert_int_equal(ident_kind_parse("legal"), IDENT_LEGAL);
    assert_int_equal(ident_kind_parse("postal"), IDENT_POSTAL);
    assert_int_equal(ident_kind_parse("pc"), IDENT_POSTAL);
    assert_int_equal(ident_kind_parse("parcel"), IDENT_PARCEL);
    assert_int_equal(ident_kind_parse("nz"), IDENT_PARCEL);
    assert_int_equal(ident_kind_parse("file"), IDENT_FILE);
    assert_int_equal(ident_kind_parse("fn"), IDENT_FILE);
    assert_int_equal(ident_kind_parse("passport"), 0);
}

static void tracking_codes_are_read_as_people_write_them(void **state) {
    (void)state;
    static const char *const same[] = {"00004F-22BEQ", "00004f-22beq", "oo004F-22BEQ", "۰۰۰۰۴F-۲۲BEQ", "٠٠٠٠٤f-22beq"};
    static const char *const wrong[] = {"", "00004F22BEQ", "0004F-22BEQ", "00004F-22BE", "00004U-22BEQ", "00004F-22BEQ ",
                                      "0198c5a2-7d1e-7c3a-9f00-2b6d1c0a4e11", "1-12-345-6-7-0-0", "ZZZZZZZZZZZZZZ-22BEQ"};
    char code[EST_TRACKING_MAX + 1];
    uint64_t number;
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        assert_true(ident_tracking(text(same[i]), code, &number));
        assert_string_equal(code, "00004F-22BEQ");
        assert_int_equal(number, 4 * 32 + 15);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        if (ident_tracking(text(wrong[i]), code, &number))
            fail_msg("read as a tracking code: %s", wrong[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_identifiers_come_out_canonical),
        cmocka_unit_test(bad_identifiers_are_refused_with_the_reason),
        cmocka_unit_test(another_city_has_its_own_parcel_code),
        cmocka_unit_test(folding_leaves_everything_but_digits),
        cmocka_unit_test(a_code_is_the_same_however_it_is_typed),
        cmocka_unit_test(folding_a_code_never_writes_beyond_the_texts_size),
        cmocka_unit_test(kinds_have_their_names),
        cmocka_unit_test(tracking_codes_are_read_as_people_write_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
