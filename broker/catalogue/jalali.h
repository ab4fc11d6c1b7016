/* jalali.h - the Jalali calendar by the 33-year rule: leap iff year mod 33 is one of 1, 5, 9, 13,
 * 17, 22, 26, 30. (The 2820-year rule, which libjalali uses, makes 1404 leap and every date of
 * that year one day off.) Valid for years 1206 ... 1498, the span of the official table.
 */
#ifndef JALALI_H
#define JALALI_H

#include <estelam/types.h>

struct jalali { int year, month, day; };

bool jalali_is_leap(int year);
bool jalali_is_valid(struct jalali);
/* Days since 1970-01-01 and back. */
int64_t jalali_to_days(struct jalali);
struct jalali jalali_from_days(int64_t days);
/* "1404/01/31" in any of the three digit scripts, also with hyphens. False where it is no date. */
bool jalali_parse(est_slice text, struct jalali *ret);
/* Always ten characters, 1404/01/31, and a zero byte. */
void jalali_format(struct jalali, char ret[11]);

#endif
