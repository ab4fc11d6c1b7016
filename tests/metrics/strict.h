/* strict.h - reads Prometheus's text format and finds every fault: of the format, of its naming rules, and
 * of what we promise beyond them (one HELP and TYPE each, samples together, no series twice, base units,
 * no ages, histograms that add up). What real scrapers forgive is a fault here.
 */
#ifndef STRICT_H
#define STRICT_H

#include <stdbool.h>
#include <stddef.h>

enum { SERIES_MAX = 8192, SERIES_NAME_MAX = 400 };

struct series {
    char name[SERIES_NAME_MAX]; /* with its labels as they stood: a{b="c"} */
    double value;
};
struct exposition_read {
    size_t count;
    struct series at[SERIES_MAX];
    char why[300]; /* the first fault, with its line; empty: none */
};

/* True when there is no fault. The text ends with a zero byte. */
bool strict_read(const char *text, struct exposition_read *ret);
/* The value of a series; -1 and no fault where it is not there (ours are never negative). */
double strict_value(const struct exposition_read *, const char *name);

#endif
