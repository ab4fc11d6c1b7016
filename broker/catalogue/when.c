/* when.c - the Gregorian side of time; jalali.c is the other. */
#include "when.h"
#include "ident.h"
#include "jalali.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { DAY_S = 86400, AHEAD_S = 3 * 3600 + 1800, TIME_MAX = 40 };

/* `count` digits at *at, which moves on; -1 where one is none. */
static int digits_take(const char **at, const char *end, int count) {
    int number = 0;
    if (end - *at < count)
        return -1;
    for (int i = 0; i < count; i++, (*at)++) {
        if (**at < '0' || **at > '9')
            return -1;
        number = number * 10 + **at - '0';
    }
    return number;
}

static bool letter_take(const char **at, const char *end, const char *letters) {
    if (*at == end || !strchr(letters, **at) || !**at)
        return false;
    (*at)++;
    return true;
}

/* YYYY-MM-DD as days since 1970-01-01. */
static bool day_take(const char **at, const char *end, int64_t *ret_days) {
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year = digits_take(at, end, 4);
    bool marked = letter_take(at, end, "-");
    int month = digits_take(at, end, 2);
    marked = marked && letter_take(at, end, "-");
    int day = digits_take(at, end, 2);
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    if (!marked || year < 1700 || month < 1 || month > 12 || day < 1 ||
        day > lengths[month - 1] + (leap && month == 2))
        return false;
    struct tm date = {.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day};
    *ret_days = timegm(&date) / DAY_S;
    return true;
}

/* One digit or two become two. */
static bool two_take(const char **at, const char *end, char ret[2]) {
    const char *began = *at;
    while (*at < end && *at - began < 2 && **at >= '0' && **at <= '9')
        (*at)++;
    if (*at == began)
        return false;
    ret[0] = *at - began == 2 ? began[0] : '0';
    ret[1] = (*at)[-1];
    return true;
}

/* People write 1404/1/5; the table has two digits each. */
static bool jalali_spread(const char *at, const char *end, char ret[10]) {
    const char *began = at;
    if (digits_take(&at, end, 4) < 0 || !letter_take(&at, end, "/-"))
        return false;
    memcpy(ret, began, 5);
    ret[7] = ret[4];
    return two_take(&at, end, ret + 5) && at < end && *at++ == ret[4] && two_take(&at, end, ret + 8) && at == end;
}

/* Its days since 1970-01-01, and itself in full. */
static bool day_read(est_slice text, int64_t *ret_days, char ret[11]) {
    struct jalali jalali;
    char folded[TIME_MAX], spread[10];
    size_t size = ident_fold_digits(text, folded, sizeof folded);
    const char *at = folded, *end = folded + size;
    if (jalali_spread(folded, end, spread) && jalali_parse((est_slice){spread, sizeof spread}, &jalali)) {
        *ret_days = jalali_to_days(jalali);
        jalali_format(jalali, ret);
        return true;
    }
    if (!day_take(&at, end, ret_days) || at != end)
        return false;
    snprintf(ret, 11, "%.10s", folded);
    return true;
}

bool when_parse_day(est_slice text, est_time *ret) {
    char full[11];
    int64_t days;
    if (!day_read(text, &days, full))
        return false;
    *ret = (est_time){days * DAY_S * EST_US_PER_S};
    return true;
}

bool when_day_canonical(est_slice text, char ret[11]) {
    char full[11];
    int64_t days;
    if (!day_read(text, &days, full))
        return false;
    memcpy(ret, full, sizeof full);
    return true;
}

bool when_parse_day_here(est_slice text, est_time *ret_from, est_time *ret_until) {
    est_time day;
    if (!when_parse_day(text, &day))
        return false;
    ret_from->us = day.us - AHEAD_S * EST_US_PER_S;
    ret_until->us = ret_from->us + DAY_S * EST_US_PER_S;
    return true;
}

est_time when_tomorrow_here(est_time now) {
    const int64_t day = DAY_S * EST_US_PER_S, ahead = AHEAD_S * EST_US_PER_S;
    int64_t here = now.us + ahead, into_day = (here % day + day) % day;
    return (est_time){here - into_day + day - ahead};
}

/* Z or +HH:MM or -HH:MM as seconds east of Greenwich. */
static bool offset_take(const char **at, const char *end, int *ret_seconds) {
    *ret_seconds = 0;
    if (letter_take(at, end, "Zz"))
        return true;
    bool west = *at < end && **at == '-';
    if (!letter_take(at, end, "+-"))
        return false;
    int hours = digits_take(at, end, 2);
    bool marked = letter_take(at, end, ":");
    int minutes = digits_take(at, end, 2);
    if (!marked || hours < 0 || hours > 23 || minutes < 0 || minutes > 59)
        return false;
    *ret_seconds = (hours * 3600 + minutes * 60) * (west ? -1 : 1);
    return true;
}

static bool clock_take(const char **at, const char *end, int *ret_seconds) {
    int hours = digits_take(at, end, 2);
    bool marked = letter_take(at, end, ":");
    int minutes = digits_take(at, end, 2);
    marked = marked && letter_take(at, end, ":");
    int seconds = digits_take(at, end, 2);
    if (!marked || hours < 0 || hours > 23 || minutes < 0 || minutes > 59 || seconds < 0 || seconds > 59)
        return false;
    if (letter_take(at, end, ".")) {
        if (digits_take(at, end, 1) < 0)
            return false;
        while (letter_take(at, end, "0123456789"))
            continue;
    }
    *ret_seconds = hours * 3600 + minutes * 60 + seconds;
    return true;
}

bool when_parse_instant(est_slice text, est_time *ret) {
    char folded[TIME_MAX];
    size_t size = ident_fold_digits(text, folded, sizeof folded);
    const char *at = folded, *end = folded + size;
    int64_t days;
    int clock, offset;
    if (!day_take(&at, end, &days) || !letter_take(&at, end, "Tt") || !clock_take(&at, end, &clock) ||
        !offset_take(&at, end, &offset) || at != end)
        return false;
    *ret = (est_time){(days * DAY_S + clock - offset) * EST_US_PER_S};
    return true;
}

bool when_canonical(est_slice text, char ret[WHEN_MAX]) {
    est_time instant;
    struct tm utc;
    if (!when_parse_instant(text, &instant))
        return false;
    time_t seconds = (time_t)(instant.us / EST_US_PER_S); /* whole ones */
    return gmtime_r(&seconds, &utc) && strftime(ret, WHEN_MAX, "%Y-%m-%dT%H:%M:%SZ", &utc) == WHEN_MAX - 1;
}
