/* when.h - time for people and for programs: local time and ages, RFC 3339 in UTC, and back. */
#ifndef WHEN_H
#define WHEN_H

#include <estelam/types.h>

#define WHEN_SIZE      64
#define WHEN_SPAN_SIZE 24

est_time when_now(void);
/* Milliseconds of a clock that nobody sets, for deadlines and for time taken. */
int64_t when_ticks(void);

/* "2025-03-21 09:30:00 +0330": local, with its zone. Empty for no time. */
void when_local(est_time, char ret[WHEN_SIZE]);
/* "2025-03-21T06:00:00.000000Z". Empty for no time. */
void when_utc(est_time, char ret[WHEN_SIZE]);
/* "12 ms", "3.4 s", "3 min", "5 h", "12 d" */
void when_span(est_span, char ret[WHEN_SPAN_SIZE]);

/* RFC 3339 ("2025-03-21T09:30:00+03:30"), or "+SPAN" from `now` on ("+90 s", "+2h", "+30 d").
 * 0 or -EST_INPUT. */
int when_parse(const char *text, est_time now, est_time *ret);

#endif
