/* turned_test.c - who was turned away is told once a minute, and nobody can fill the log by knocking. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "turned.h"

#include <stdio.h>
#include <string.h>

static const est_time noon = {1764000000LL * EST_US_PER_S};

static est_time after(int64_t seconds) {
    return (est_time){noon.us + seconds * EST_US_PER_S};
}

static void knock(struct turned *t, enum turned_why why, const char *key) {
    struct turned_row row = {.why = why, .door = DOOR_DEPARTMENT};
    snprintf(row.key, sizeof row.key, "%s", key);
    snprintf(row.address, sizeof row.address, "10.0.0.5");
    turned_add(t, &row);
}

static void assert_tells(struct turned *t, est_time now, const char *sentence) {
    char told[TURNED_SIZE];
    assert_true(turned_next(t, now, told));
    assert_string_equal(told, sentence);
}

static void assert_silent(struct turned *t, est_time now) {
    char told[TURNED_SIZE];
    assert_false(turned_next(t, now, told));
}

static const char first[] = "turned away at the departments' door: a connection from 10.0.0.5, key K1: this key is not in accounts.yaml";
static const char ended[] = "turned away at the departments' door: a connection from 10.0.0.5, key K1: this key has ended, see its until: in accounts.yaml";

static void each_key_and_reason_is_told_once_a_minute(void **state) {
    (void)state;
    struct turned t = {0};
    assert_silent(&t, noon);
    knock(&t, TURNED_UNKNOWN, "K1");
    knock(&t, TURNED_UNKNOWN, "K1");
    assert_tells(&t, after(1), first);
    assert_silent(&t, after(1));
    knock(&t, TURNED_UNKNOWN, "K1");
    knock(&t, TURNED_LATE, "K1");
    assert_tells(&t, after(30), ended);
    assert_silent(&t, after(59));
    assert_silent(&t, after(61)); /* a new minute may begin */
    knock(&t, TURNED_UNKNOWN, "K1");
    assert_tells(&t, after(62), first);
}

static void beyond_the_rows_they_are_counted(void **state) {
    (void)state;
    struct turned t = {0};
    char key[8];
    assert_silent(&t, noon);
    for (unsigned i = 0; i < TURNED_ROWS + 5; i++) {
        snprintf(key, sizeof key, "K%u", i);
        knock(&t, TURNED_UNKNOWN, key);
    }
    for (unsigned i = 0; i < TURNED_ROWS; i++) {
        char told[TURNED_SIZE];
        assert_true(turned_next(&t, after(1), told));
    }
    assert_silent(&t, after(2));
    assert_tells(&t, after(61), "turned away at the doors: 5 more within a minute");
    assert_silent(&t, after(61));
}

static void the_longest_sentence_is_whole(void **state) {
    (void)state;
    struct turned t = {0};
    struct turned_row row = {.why = TURNED_CRYPTO, .door = DOOR_REQUESTER};
    memset(row.account, 'a', sizeof row.account - 1);
    memset(row.address, '1', sizeof row.address - 1);
    memset(row.key, 'k', sizeof row.key - 1);
    for (row.why = TURNED_MALFORMED; row.why <= TURNED_MECHANISM; row.why++) {
        char told[TURNED_SIZE];
        turned_add(&t, &row);
        assert_true(turned_next(&t, noon, told));
        assert_true(strlen(told) < TURNED_SIZE - 1);
        t = (struct turned){0};
    }
}

static void addresses_are_as_people_write_them(void **state) {
    (void)state;
    assert_string_equal(address_plain("::ffff:10.0.0.5"), "10.0.0.5");
    assert_string_equal(address_plain("10.0.0.5"), "10.0.0.5");
    assert_string_equal(address_plain("fe80::1"), "fe80::1");
    assert_string_equal(address_plain("::ffff:a00:5"), "::ffff:a00:5");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_key_and_reason_is_told_once_a_minute),
        cmocka_unit_test(beyond_the_rows_they_are_counted),
        cmocka_unit_test(the_longest_sentence_is_whole),
        cmocka_unit_test(addresses_are_as_people_write_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
