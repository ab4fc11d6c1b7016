/* jalali_test.c - dates whose weekday and Gregorian day are on record, and the leap trap of 1404. */
#include "jalali.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

static est_slice text(const char *value) {
    return (est_slice){value, strlen(value)};
}

static int64_t gregorian_days(int year, int month, int day) {
    struct tm date = {.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day};
    return timegm(&date) / 86400;
}

static const struct {
    const char *jalali;
    int year, month, day, weekday; /* 0: Sunday */
} known[] = {
    {"1348/10/11", 1970, 1, 1, 4},  {"1360/05/26", 1981, 8, 17, 1}, {"1391/10/21", 2013, 1, 10, 4},
    {"1393/05/13", 2014, 8, 4, 1},  {"1397/11/18", 2019, 2, 7, 4},  {"1400/04/30", 2021, 7, 21, 3},
    {"1401/08/14", 2022, 11, 5, 6}, {"1403/01/01", 2024, 3, 20, 3}, {"1403/02/06", 2024, 4, 25, 4},
    {"1403/12/30", 2025, 3, 20, 4}, {"1404/01/01", 2025, 3, 21, 5}, {"1404/12/29", 2026, 3, 20, 5},
};

static void known_dates_convert_both_ways(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        struct jalali date;
        char again[11];
        assert_true(jalali_parse(text(known[i].jalali), &date));
        int64_t days = jalali_to_days(date);
        assert_int_equal(days, gregorian_days(known[i].year, known[i].month, known[i].day));
        assert_int_equal((days + 4) % 7, known[i].weekday);
        jalali_format(jalali_from_days(days), again);
        assert_string_equal(again, known[i].jalali);
    }
}

static void leap_years_follow_the_33_year_rule(void **state) {
    (void)state;
    static const int leaps[] = {1395, 1399, 1403, 1408, 1412, 1416, 1420,
                                1424, 1428, 1432, 1436, 1441, 1445, 1449};
    size_t next = 0;
    for (int year = 1395; year <= 1449; year++) {
        bool expected = next < sizeof leaps / sizeof leaps[0] && leaps[next] == year;
        assert_int_equal(jalali_is_leap(year), expected);
        next += expected;
    }
}

static void every_day_of_the_table_comes_back(void **state) {
    (void)state;
    int64_t first = jalali_to_days((struct jalali){1206, 1, 1});
    int64_t last = jalali_to_days((struct jalali){1498, 12, 29});
    struct jalali before = {1205, 12, 30};
    for (int64_t days = first; days <= last; days++) {
        struct jalali date = jalali_from_days(days);
        assert_true(jalali_is_valid(date));
        assert_int_equal(jalali_to_days(date), days);
        bool next_day = date.year == before.year && date.month == before.month && date.day == before.day + 1;
        assert_true(next_day || date.day == 1);
        before = date;
    }
}

static void impossible_dates_are_refused(void **state) {
    (void)state;
    static const char *const bad[] = {
        "1393/12/30", "1404/12/30", "1393/11/31", "1393/13/01", "1393/00/01",  "1393/01/32",  "1402/12/30",
        "1205/12/01", "1499/01/01", "1393/01/00", "1393-01/31", "1393.01.31",  "1393/1/31",   "1393/01/3",
        "93/01/31",   "",           "1393/01/3x", "۱۳۹۳/۰۱/۳۲", "1393/01/311", "1393/01/31 ",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct jalali date = {7, 7, 7};
        if (jalali_parse(text(bad[i]), &date))
            fail_msg("%s accepted", bad[i]);
        assert_int_equal(date.year, 7);
    }
}

static void dates_are_read_in_three_scripts(void **state) {
    (void)state;
    static const char *const same[] = {"1393/01/31", "1393-01-31", "۱۳۹۳/۰۱/۳۱", "١٣٩٣/٠١/٣١", "۱۳٩3-01-۳١"};
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        struct jalali date;
        char out[11];
        assert_true(jalali_parse(text(same[i]), &date));
        jalali_format(date, out);
        assert_string_equal(out, "1393/01/31");
    }
    struct jalali leap;
    assert_true(jalali_parse(text("1395/12/30"), &leap));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_dates_convert_both_ways),
        cmocka_unit_test(leap_years_follow_the_33_year_rule),
        cmocka_unit_test(every_day_of_the_table_comes_back),
        cmocka_unit_test(impossible_dates_are_refused),
        cmocka_unit_test(dates_are_read_in_three_scripts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
