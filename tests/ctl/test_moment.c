/* test_moment.c - times as people and programs write them. */
#include "moment.h"
#include "number.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static const est_time NOROOZ = {1742524200LL * EST_US_PER_S}; /* 2025-03-21 06:00 in Tehran */

static void instants_are_read_with_their_zone(void **state) {
    (void)state;
    static const char *const same[] = {"2025-03-21T02:30:00Z", "2025-03-21T06:00:00+03:30",
                                       "2025-03-21 06:00:00+03:30", "2025-03-20t23:30:00-03:00",
                                       "2025-03-21T02:30:00.000Z"};
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        est_time time = {0};
        assert_int_equal(moment_parse(same[i], NOROOZ, &time), 0);
        assert_int_equal(time.us, NOROOZ.us);
    }
    est_time time;
    assert_int_equal(moment_parse("2025-03-21T02:30:00.25Z", NOROOZ, &time), 0);
    assert_int_equal(time.us, NOROOZ.us + 250000);
}

static void spans_count_from_now(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int64_t seconds;
    } rows[] = {{"+90 s", 90},  {"+90s", 90},         {"+5 min", 300},
                {"+2 h", 7200}, {"+30d", 30 * 86400}, {"+0 s", 0}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        est_time time = {0};
        assert_int_equal(moment_parse(rows[i].text, NOROOZ, &time), 0);
        assert_int_equal(time.us, NOROOZ.us + rows[i].seconds * EST_US_PER_S);
    }
}

static void a_day_is_its_end_in_tehran(void **state) {
    (void)state;
    static const char *const same[] = {"2025-03-20", "1403/12/30", "1403-12-30", "۱۴۰۳/۱۲/۳۰", "۱۴۰۳/۱۲/۳۰", "٢٠٢٥-٠٣-٢٠"};
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        est_time time = {0};
        assert_int_equal(moment_parse(same[i], NOROOZ, &time), 0);
        assert_int_equal(time.us, NOROOZ.us - 6 * 3600 * EST_US_PER_S);
    }
}

static void times_come_from_any_keyboard(void **state) {
    (void)state;
    est_time time = {0};
    assert_int_equal(moment_parse("+۵ d", NOROOZ, &time), 0);
    assert_int_equal(time.us, NOROOZ.us + 5 * 86400 * EST_US_PER_S);
    assert_int_equal(moment_parse("+٩٠ s", NOROOZ, &time), 0);
    assert_int_equal(time.us, NOROOZ.us + 90 * EST_US_PER_S);
    assert_int_equal(moment_parse("۲۰۲۵-۰۳-۲۱T۰۶:۰۰:۰۰+۰۳:۳۰", NOROOZ, &time), 0);
    assert_int_equal(time.us, NOROOZ.us);
}

static void numbers_come_from_any_keyboard(void **state) {
    (void)state;
    static const char *const bad[] = {"", " 7", "7 ", "+7", "-7", "7a", "0x7", "18446744073709551616", "۷۷۷۷۷۷۷۷۷۷۷۷۷۷۷۷۷۷۷۷۷"};
    uint64_t number = 0;
    assert_true(number_parse("۱۴۳", UINT64_MAX, &number) && number == 143);
    assert_true(number_parse("١٤٣", 143, &number) && number == 143);
    assert_true(number_parse("18446744073709551615", UINT64_MAX, &number) && number == UINT64_MAX);
    assert_false(number_parse("144", 143, &number));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (number_parse(bad[i], UINT64_MAX, &number))
            fail_msg("read as a number: %s", bad[i]);
}

static void nonsense_is_no_time(void **state) {
    (void)state;
    static const char *const bad[] = {"",
                                      "+",
                                      "+5",
                                      "+s",
                                      "+5 weeks",
                                      "+1000000000 d", /* more microseconds than there is room */
                                      "+4000000 d",    /* after the year 9999 */
                                      "+-5 s",
                                      "tomorrow",
                                      "1404/13/01",
                                      "1404/12/30", /* no leap year */
                                      "1404/1",
                                      "2025-02-30T00:00:00Z",
                                      "2025-13-01T00:00:00Z",
                                      "2025-03-21T24:00:00Z",
                                      "2025-03-21T02:30:00",
                                      "2025-03-21T02:30:00+3:30",
                                      "2025-03-21T02:30:00Zx",
                                      "2025-03-21T02:30:00.Z",
                                      "+99999999999 d"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        est_time time = {42};
        if (moment_parse(bad[i], NOROOZ, &time) != -EST_INPUT)
            fail_msg("read as a time: %s", bad[i]);
        assert_int_equal(time.us, 42);
    }
}

static void people_see_their_own_zone_and_programs_utc(void **state) {
    (void)state;
    char text[MOMENT_SIZE];
    setenv("TZ", "<+0330>-3:30", 1);
    tzset();
    moment_local(NOROOZ, text);
    assert_string_equal(text, "2025-03-21 06:00:00.000 +0330");
    moment_utc(NOROOZ, text);
    assert_string_equal(text, "2025-03-21T02:30:00.000000Z");
    moment_local((est_time){0}, text);
    assert_string_equal(text, "");
    moment_utc((est_time){0}, text);
    assert_string_equal(text, "");
}

static void spans_are_short_to_read(void **state) {
    (void)state;
    static const struct {
        int64_t us;
        const char *text;
    } rows[] = {{-5, "0 ms"},         {999999, "999 ms"},  {1000000, "1.0 s"},
                {9999999, "9.9 s"},   {10000000, "10 s"},  {119000000, "119 s"},
                {180000000, "3 min"}, {7200000000, "2 h"}, {5 * 86400000000, "5 d"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[MOMENT_SPAN_SIZE];
        moment_span((est_span){rows[i].us}, text);
        assert_string_equal(text, rows[i].text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(instants_are_read_with_their_zone),
        cmocka_unit_test(spans_count_from_now),
        cmocka_unit_test(a_day_is_its_end_in_tehran),
        cmocka_unit_test(times_come_from_any_keyboard),
        cmocka_unit_test(numbers_come_from_any_keyboard),
        cmocka_unit_test(nonsense_is_no_time),
        cmocka_unit_test(people_see_their_own_zone_and_programs_utc),
        cmocka_unit_test(spans_are_short_to_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
