/* when.h - days and instants as people write them in files and visit records. */
#ifndef WHEN_H
#define WHEN_H

#include <estelam/types.h>

#define WHEN_MAX 21 /* "2026-01-05T10:30:00Z" and a zero byte */

/* "2026-01-01" or the Jalali "1404/10/11" (also with hyphens), in any of the three digit scripts, and also as
 * 1404/1/5: 00:00 UTC of that day. A year below 1700 is Jalali. False where it is no date. */
bool when_parse_day(est_slice text, est_time *ret);
/* The same day as it is written in full, in Latin digits: 2026-01-01 or 1404/10/11. */
bool when_day_canonical(est_slice text, char ret[11]);
/* The same day as people here have it: its first instant in Tehran, and the one after its last. Iran has had no
 * summer time since 2022, so Tehran is three and a half hours ahead of UTC, always. */
bool when_parse_day_here(est_slice text, est_time *ret_from, est_time *ret_until);
/* Where today ends here: the first instant of tomorrow in Tehran. */
est_time when_tomorrow_here(est_time now);
/* An RFC 3339 time with its offset, in any of the three digit scripts; a fraction of a second is
 * dropped. */
bool when_parse_instant(est_slice text, est_time *ret);
/* The same, written in UTC, 2026-01-05T10:30:00Z. */
bool when_canonical(est_slice text, char ret[WHEN_MAX]);

#endif
