/* moment.c - see moment.h. */
#include "moment.h"
#include "ident.h"
#include "when.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { LATIN_SIZE = 64 };

/* 9999-12-31T23:59:59.999999Z: later ones RFC 3339 cannot write. */
#define MOMENT_LAST INT64_C(253402300799999999)

est_time moment_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (est_time){(int64_t)t.tv_sec * EST_US_PER_S + t.tv_nsec / 1000};
}

int64_t moment_ticks(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void moment_local(est_time time, char ret[MOMENT_SIZE]) {
    time_t seconds = (time_t)(time.us / EST_US_PER_S);
    struct tm parts;
    char zone[16];
    ret[0] = '\0';
    if (time.us == 0 || !localtime_r(&seconds, &parts))
        return;
    size_t used = strftime(ret, MOMENT_SIZE, "%Y-%m-%d %H:%M:%S", &parts);
    strftime(zone, sizeof zone, "%Z", &parts);
    snprintf(ret + used, MOMENT_SIZE - used, ".%03d %s", (int)(time.us % EST_US_PER_S / EST_US_PER_MS), zone);
}

void moment_utc(est_time time, char ret[MOMENT_SIZE]) {
    time_t seconds = (time_t)(time.us / EST_US_PER_S);
    struct tm parts;
    size_t used = 0;
    if (time.us != 0 && gmtime_r(&seconds, &parts))
        used = strftime(ret, MOMENT_SIZE, "%Y-%m-%dT%H:%M:%S", &parts);
    if (used)
        snprintf(ret + used, MOMENT_SIZE - used, ".%06dZ", (int)(time.us % EST_US_PER_S));
    else
        ret[0] = '\0';
}

static const struct unit {
    const char *name;
    int64_t us, until_us; /* shown in this unit below `until_us` */
} UNITS[] = {
    {"ms", EST_US_PER_MS, EST_US_PER_S},
    {"s", EST_US_PER_S, 120 * EST_US_PER_S},
    {"min", 60 * EST_US_PER_S, 120 * 60 * EST_US_PER_S},
    {"h", 3600 * EST_US_PER_S, 72 * 3600 * EST_US_PER_S},
    {"d", 86400 * EST_US_PER_S, INT64_MAX},
};
enum { UNITS_COUNT = sizeof UNITS / sizeof UNITS[0] };

void moment_span(est_span span, char ret[MOMENT_SPAN_SIZE]) {
    int64_t us = span.us < 0 ? 0 : span.us;
    if (us >= EST_US_PER_S && us < 10 * EST_US_PER_S) {
        snprintf(ret, MOMENT_SPAN_SIZE, "%lld.%lld s", us / EST_US_PER_S,
                 us % EST_US_PER_S / (EST_US_PER_S / 10));
        return;
    }
    const struct unit *unit = UNITS;
    while (us >= unit->until_us)
        unit++;
    snprintf(ret, MOMENT_SPAN_SIZE, "%" PRId64 " %s", us / unit->us, unit->name);
}

static int span_parse(const char *text, est_span *ret) {
    int64_t number = 0;
    size_t digits = 0;
    for (; isdigit((unsigned char)text[digits]); digits++)
        if ((number = number * 10 + (text[digits] - '0')) > 1000000000)
            return -EST_INPUT;
    const char *name = text + digits + strspn(text + digits, " ");
    for (size_t i = 0; digits && i < UNITS_COUNT; i++) {
        if (strcmp(UNITS[i].name, name) == 0)
            return __builtin_mul_overflow(number, UNITS[i].us, &ret->us) ? -EST_INPUT : 0;
    }
    return -EST_INPUT;
}

/* `count` digits as a number between two bounds; moves on behind them. */
static bool digits_take(const char **at, int count, int min, int max, int *ret) {
    int value = 0;
    for (int i = 0; i < count; i++, (*at)++) {
        if (!isdigit((unsigned char)**at))
            return false;
        value = value * 10 + (**at - '0');
    }
    *ret = value;
    return value >= min && value <= max;
}

static bool mark_take(const char **at, const char *marks) {
    return **at && strchr(marks, **at) && (*at)++;
}

static bool fraction_take(const char **at, int64_t *ret_us) {
    *ret_us = 0;
    if (!mark_take(at, "."))
        return true;
    int64_t worth = EST_US_PER_S / 10;
    const char *start = *at;
    for (; isdigit((unsigned char)**at); (*at)++, worth /= 10)
        *ret_us += worth * (**at - '0');
    return *at > start;
}

static bool offset_take(const char **at, int *ret_minutes) {
    int hours = 0, minutes = 0;
    *ret_minutes = 0;
    if (mark_take(at, "Zz"))
        return true;
    bool west = **at == '-';
    if (!mark_take(at, "+-") || !digits_take(at, 2, 0, 23, &hours) || !mark_take(at, ":") ||
        !digits_take(at, 2, 0, 59, &minutes))
        return false;
    *ret_minutes = (hours * 60 + minutes) * (west ? -1 : 1);
    return true;
}

static int instant_parse(const char *at, est_time *ret) {
    struct tm t = {0};
    int64_t fraction;
    int offset;
    bool good = digits_take(&at, 4, 1970, 9999, &t.tm_year) && mark_take(&at, "-") &&
                digits_take(&at, 2, 1, 12, &t.tm_mon) && mark_take(&at, "-") &&
                digits_take(&at, 2, 1, 31, &t.tm_mday) && mark_take(&at, "Tt ") &&
                digits_take(&at, 2, 0, 23, &t.tm_hour) && mark_take(&at, ":") &&
                digits_take(&at, 2, 0, 59, &t.tm_min) && mark_take(&at, ":") &&
                digits_take(&at, 2, 0, 59, &t.tm_sec) && fraction_take(&at, &fraction) &&
                offset_take(&at, &offset) && *at == '\0';
    if (!good)
        return -EST_INPUT;
    int day = t.tm_mday;
    t.tm_year -= 1900;
    t.tm_mon -= 1;
    time_t seconds = timegm(&t);
    if (t.tm_mday != day) /* the 31st of a month of 30 days became the 1st of the next */
        return -EST_INPUT;
    ret->us = ((int64_t)seconds - offset * 60) * EST_US_PER_S + fraction;
    return 0;
}

int moment_parse(const char *text, est_time now, est_time *ret) {
    char latin[LATIN_SIZE];
    est_span span;
    est_time begin;
    size_t size = ident_fold_digits((est_slice){text, strlen(text)}, latin, sizeof latin - 1);
    latin[size] = '\0'; /* empty where it is too long for a time */
    if (when_parse_day_here((est_slice){latin, size}, &begin, ret))
        return 0;
    if (latin[0] != '+')
        return instant_parse(latin, ret);
    if (span_parse(latin + 1, &span) || span.us > MOMENT_LAST - now.us)
        return -EST_INPUT;
    ret->us = now.us + span.us;
    return 0;
}
