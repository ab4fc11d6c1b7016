/* check_range.c - thresholds as monitoring plugins write them, with units. See verdict.h. */
#include "verdict.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct unit_word {
    const char *word;
    enum unit unit;
    double worth;
} WORDS[] = {
    {"ms", UNIT_SECONDS, 1e-3},
    {"s", UNIT_SECONDS, 1},
    {"min", UNIT_SECONDS, 60},
    {"m", UNIT_SECONDS, 60},
    {"h", UNIT_SECONDS, 3600},
    {"d", UNIT_SECONDS, 86400},
    {"%", UNIT_PERCENT, 1},
    {"B", UNIT_BYTES, 1},
    {"KiB", UNIT_BYTES, 1024.0},
    {"MiB", UNIT_BYTES, 1048576.0},
    {"GiB", UNIT_BYTES, 1073741824.0},
    {"TiB", UNIT_BYTES, 1099511627776.0},
    {"KB", UNIT_BYTES, 1e3},
    {"MB", UNIT_BYTES, 1e6},
    {"GB", UNIT_BYTES, 1e9},
    {"TB", UNIT_BYTES, 1e12},
};
enum { WORDS_COUNT = sizeof WORDS / sizeof WORDS[0] };

static enum unit first_unit(unsigned units) {
    enum unit unit = UNIT_COUNT;
    while (unit < UNIT_PERCENT && !(units & 1u << unit))
        unit++;
    return unit;
}

/* Digits with at most one point: no sign, exponent, hexadecimal or "nan" as strtod would take. */
static size_t number_length(const char *text) {
    size_t whole = strspn(text, "0123456789");
    size_t part = whole && text[whole] == '.' ? strspn(text + whole + 1, "0123456789") : 0;
    return whole + (part ? part + 1 : 0);
}

/* "1.5 h" up to `end`: its value in base units; `*unit` is what it was given in. */
static bool amount_parse(const char *text, const char *end, unsigned units, enum unit *unit, double *ret) {
    char word[8] = "";
    size_t digits = number_length(text);
    const char *at = text + digits;
    while (at < end && *at == ' ')
        at++;
    if (digits == 0 || at > end || (size_t)(end - at) >= sizeof word)
        return false;
    memcpy(word, at, (size_t)(end - at));
    *ret = strtod(text, NULL);
    *unit = first_unit(units);
    if (!*word)
        return isfinite(*ret);
    for (size_t i = 0; i < WORDS_COUNT; i++) {
        if (strcmp(WORDS[i].word, word) != 0 || !(units & 1u << WORDS[i].unit))
            continue;
        *unit = WORDS[i].unit;
        *ret *= WORDS[i].worth;
        return isfinite(*ret);
    }
    return false;
}

/* One end of a range that has a colon. An end without a unit takes the other end's. */
static bool ends_parse(const char *text, const char *colon, unsigned units, struct range *r) {
    const char *end = text + strlen(text), *after = colon + 1;
    enum unit left = first_unit(units), right = left;
    r->from = 0;
    r->to = INFINITY;
    if (colon - text == 1 && *text == '~')
        r->from = -INFINITY;
    else if (colon > text && !amount_parse(text, colon, units, &left, &r->from))
        return false;
    if (after < end && !amount_parse(after, end, units, &right, &r->to))
        return false;
    bool both = colon > text && *text != '~' && after < end;
    r->unit = after < end ? right : left;
    return r->from <= r->to && (!both || left == right);
}

int range_parse(const char *text, unsigned units, enum leaning leaning, struct range *ret,
                char ret_why[160]) {
    struct range r = {.given = true, .inside = *text == '@'};
    const char *at = text + (r.inside ? 1 : 0), *colon = strchr(at, ':');
    enum unit unit = first_unit(units);
    double lone;
    bool good;
    if (colon) {
        good = ends_parse(at, colon, units, &r);
    } else {
        good = amount_parse(at, at + strlen(at), units, &unit, &lone);
        r.unit = unit;
        /* How full it is can only be too much, also where the check is about too little room. */
        bool low = leaning == TOO_LITTLE && unit != UNIT_PERCENT;
        r.from = good && low ? lone : 0;
        r.to = good && !low ? lone : INFINITY;
    }
    if (!good) {
        snprintf(ret_why, 160,
                 "`%.40s` is no threshold: a number or a range such as 10, 10:, 5:10 or @5:10, with a unit%s",
                 text,
                 units & 1u << UNIT_SECONDS ? " (s, min, h, d)"
                 : units & 1u << UNIT_BYTES ? " (%, MiB, GiB, TiB)"
                                            : " of none");
        return -EST_INPUT;
    }
    *ret = r;
    return 0;
}

bool range_alerts(const struct range *r, double value) {
    bool within = value >= r->from && value <= r->to;
    return r->given && within == r->inside;
}

void range_format(const struct range *r, char ret[64]) {
    char from[24] = "", to[24] = "";
    ret[0] = '\0';
    if (!r->given)
        return;
    if (r->from == -INFINITY)
        snprintf(from, sizeof from, "~:");
    else if (r->from != 0 || isinf(r->to))
        snprintf(from, sizeof from, "%.15g:", r->from);
    if (!isinf(r->to))
        snprintf(to, sizeof to, "%.15g", r->to);
    snprintf(ret, 64, "%s%s%s", r->inside ? "@" : "", from, to);
}
