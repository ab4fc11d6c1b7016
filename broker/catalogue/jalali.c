/* jalali.c - Jalali dates by counting days in cycles of 33 years, eight of them leap.
 *
 * Between 1206 and 1498 this is the official table; the day count is tied to 1348/10/11, which is
 * 1970-01-01.
 */
#include "jalali.h"
#include "ident.h"

#include <stdio.h>

enum {
    YEAR_FIRST = 1206,
    YEAR_LAST = 1498,
    CYCLE_YEARS = 33,
    CYCLE_LEAPS = 8,
    CYCLE_DAYS = CYCLE_YEARS * 365 + CYCLE_LEAPS,
    UNIX_EPOCH = 492633, /* days from 0000/01/01 of the cycles to 1348/10/11 */
};

static const int leap_residues[CYCLE_LEAPS] = {1, 5, 9, 13, 17, 22, 26, 30};

bool jalali_is_leap(int year) {
    int residue = ((year % CYCLE_YEARS) + CYCLE_YEARS) % CYCLE_YEARS;
    for (int i = 0; i < CYCLE_LEAPS; i++) {
        if (leap_residues[i] == residue)
            return true;
    }
    return false;
}

static int month_days(int year, int month) {
    if (month <= 6)
        return 31;
    return month < 12 || jalali_is_leap(year) ? 30 : 29;
}

bool jalali_is_valid(struct jalali date) {
    return date.year >= YEAR_FIRST && date.year <= YEAR_LAST && date.month >= 1 && date.month <= 12 &&
           date.day >= 1 && date.day <= month_days(date.year, date.month);
}

/* Days of the whole years within a cycle before its year `residue`. */
static int64_t residue_days(int64_t residue) {
    int64_t days = residue * 365;
    for (int i = 0; i < CYCLE_LEAPS && leap_residues[i] < residue; i++)
        days++;
    return days;
}

static int64_t floor_div(int64_t a, int64_t b) {
    return a / b - (a % b < 0);
}

int64_t jalali_to_days(struct jalali date) {
    int64_t cycle = floor_div(date.year, CYCLE_YEARS), residue = date.year - cycle * CYCLE_YEARS;
    int64_t months = date.month <= 7 ? 31 * (date.month - 1) : 186 + 30 * (date.month - 7);
    return cycle * CYCLE_DAYS + residue_days(residue) + months + date.day - 1 - UNIX_EPOCH;
}

struct jalali jalali_from_days(int64_t days) {
    int64_t count = days + UNIX_EPOCH, cycle = floor_div(count, CYCLE_DAYS);
    int64_t rest = count - cycle * CYCLE_DAYS, residue = rest / 365;
    if (residue == CYCLE_YEARS || residue_days(residue) > rest)
        residue--; /* the leap days before it make it one year too far at most */
    rest -= residue_days(residue);
    struct jalali date = {.year = (int)(cycle * CYCLE_YEARS + residue)};
    date.month = (int)(rest < 186 ? rest / 31 + 1 : (rest - 186) / 30 + 7);
    date.day = (int)(rest < 186 ? rest % 31 + 1 : (rest - 186) % 30 + 1);
    return date;
}

/* `size` digits as a number, -1 where one is none. */
static int digits_read(const char *text, size_t size) {
    int number = 0;
    for (size_t i = 0; i < size; i++) {
        if (text[i] < '0' || text[i] > '9')
            return -1;
        number = number * 10 + text[i] - '0';
    }
    return number;
}

bool jalali_parse(est_slice text, struct jalali *ret) {
    char folded[10];
    if (ident_fold_digits(text, folded, sizeof folded) != sizeof folded)
        return false;
    if ((folded[4] != '/' && folded[4] != '-') || folded[7] != folded[4])
        return false;
    struct jalali date = {digits_read(folded, 4), digits_read(folded + 5, 2), digits_read(folded + 8, 2)};
    if (!jalali_is_valid(date))
        return false;
    *ret = date;
    return true;
}

void jalali_format(struct jalali date, char ret[11]) {
    snprintf(ret, 11, "%04u/%02u/%02u", (unsigned)date.year % 10000, (unsigned)date.month % 100,
             (unsigned)date.day % 100);
}
