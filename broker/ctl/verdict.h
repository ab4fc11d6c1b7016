/* verdict.h - `estelam check`: one question of a monitoring system, answered as its plugins answer.
 *
 *     check_run (cmd_check.c)  asks the broker  ->  a verdict: state, one sentence, values
 *     check_print              writes the verdict as nagios, prometheus, json or text
 *
 * The exit status is the plugins': 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN, in every format. UNKNOWN
 * is what cannot be judged (a wrong command line, no profile, no right to ask); a broker that
 * cannot be reached or refuses work is CRITICAL. Nothing but the verdict is written.
 */
#ifndef VERDICT_H
#define VERDICT_H

#include "command.h"

#include <estelam/types.h>
#include <stdint.h>
#include <stdio.h>

enum check_state { CHECK_OK, CHECK_WARNING, CHECK_CRITICAL, CHECK_UNKNOWN };
const char *check_state_name(enum check_state); /* "OK" … */

/* What a value counts, in Prometheus's base units. */
enum unit { UNIT_COUNT, UNIT_SECONDS, UNIT_BYTES, UNIT_PERCENT };

/* --- Thresholds (check_range.c) ----------------------------------------------------------------- */

/* The plugins' ranges: "10" alerts outside 0 … 10, "10:" below 10, "~:10" above 10, "5:10" outside,
 * "@5:10" inside. Each number may have a unit: 90, "90 s", 5min, 1.5h, 30d; 20GiB; 75%. */
struct range {
    bool given, inside;
    double from, to; /* may be infinite; in base units */
    enum unit unit;
};

/* A check whose small values are the bad ones reads a lone number as "at least". */
enum leaning { TOO_MUCH, TOO_LITTLE };
/* `units` is a set of 1 << enum unit; a number without a unit is of the first of them. 0, or
 * -EST_INPUT and a sentence. */
int range_parse(const char *text, unsigned units, enum leaning, struct range *ret, char ret_why[160]);
bool range_alerts(const struct range *, double value);
/* As it is written in performance data; empty where it was not given. */
void range_format(const struct range *, char ret[64]);

/* --- The verdict -------------------------------------------------------------------------------- */

enum { VALUES_MAX = 512, CHECK_TEXT_SIZE = 512 };

struct value {
    char name[96];      /* in performance data: "oldest_nosazi" */
    const char *metric; /* for Prometheus, with its unit: "oldest_waited_seconds" */
    enum unit unit;
    double is;
    bool judged;       /* the thresholds are about it */
    const char *label; /* for Prometheus, beside the check's name; NULL: none */
    char labelled[96]; /* its value */
};

struct verdict {
    const char *check; /* "queue-age" */
    enum check_state state;
    char text[CHECK_TEXT_SIZE]; /* one line */
    struct range warning, critical;
    size_t count;
    struct value values[VALUES_MAX];
};

struct value *verdict_add(struct verdict *, enum unit, double is, const char *metric, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
/* The label of the value that was added last. */
void value_label(struct value *, const char *label, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void verdict_say(struct verdict *, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* What a value comes to by the thresholds of its unit. */
enum check_state verdict_judge(const struct verdict *, enum unit, double value);
/* Raises the verdict to this state unless it is worse already. */
void verdict_raise(struct verdict *, enum check_state);

/* --- Output (check_print.c) --------------------------------------------------------------------- */

/* False where there is no such format. `out` NULL: only looks whether there is one. */
bool check_print(const struct verdict *, const char *format, FILE *);

#endif
