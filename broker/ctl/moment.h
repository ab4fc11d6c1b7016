/* moment.h - time for people and for programs: local time and ages, RFC 3339 in UTC, and back. */
#ifndef MOMENT_H
#define MOMENT_H

#include <estelam/types.h>

#define MOMENT_SIZE      64
#define MOMENT_SPAN_SIZE 24

est_time moment_now(void);
/* Milliseconds of a clock that nobody sets, for deadlines and for time taken. */
int64_t moment_ticks(void);

/* "2025-03-21 09:30:00.250 +0330": local, with its zone. Empty for no time. */
void moment_local(est_time, char ret[MOMENT_SIZE]);
/* "2025-03-21T06:00:00.000000Z". Empty for no time. */
void moment_utc(est_time, char ret[MOMENT_SIZE]);
/* "12 ms", "3.4 s", "3 min", "5 h", "12 d" */
void moment_span(est_span, char ret[MOMENT_SPAN_SIZE]);

/* RFC 3339 ("2025-03-21T09:30:00+03:30"), "+SPAN" from `now` on ("+90 s", "+2h", "+30 d"), or a day, Jalali or
 * Gregorian ("1405/12/1", "2027-02-20"): its end in Tehran. Digits of any of the three scripts. 0 or -EST_INPUT. */
int moment_parse(const char *text, est_time now, est_time *ret);

#endif
