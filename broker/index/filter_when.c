/* filter_when.c - moments and stretches of time: 1404/07/01..1404/07/30, >=2026-01-05, <=…Z.
 *
 * A day is a day in Tehran, Jalali or Gregorian, and means all of it; an instant of RFC 3339 means
 * its second.
 */
#include "filter_read.h"
#include "when.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* All of what one moment names: its first instant and the one after its last. */
struct moment {
    est_time from, until;
    char text[WHEN_MAX];
};

static bool day_read(est_slice text, struct moment *ret) {
    return when_parse_day_here(text, &ret->from, &ret->until) && when_day_canonical(text, ret->text);
}

static bool instant_read(est_slice text, struct moment *ret) {
    struct tm utc = {0};
    if (!when_canonical(text, ret->text) || !strptime(ret->text, "%Y-%m-%dT%H:%M:%SZ", &utc))
        return false;
    ret->from.us = (int64_t)timegm(&utc) * EST_US_PER_S;
    ret->until.us = ret->from.us + EST_US_PER_S;
    return true;
}

static int moment_read(struct filter_reader *r, size_t at, est_slice text, struct moment *ret) {
    if (day_read(text, ret) || instant_read(text, ret))
        return 0;
    return filter_fail(
        r, at,
        "`%.*s` is no time; write a day (1404/07/01 or 2026-01-05), an instant "
        "(2026-01-05T10:30:00Z), a stretch (1404/07/01..1404/07/30) or >=, >, <=, < before one",
        (int)(text.size < 40 ? text.size : 0), (const char *)text.data);
}

static est_slice part(est_slice text, size_t from, size_t until) {
    return (est_slice){(const char *)text.data + from, until - from};
}

/* a..b, a.. and ..b: both ends are in it. */
static int stretch_read(struct filter_reader *r, size_t at, est_slice text, size_t dots,
                        struct filter_value *ret) {
    struct moment first = {.text = ""}, last = {.text = ""};
    int rc = 0;
    if (text.size == 2)
        return filter_fail(r, at, "a stretch has a beginning or an end: 1404/07/01.. or ..1404/07/30");
    if (dots > 0)
        rc = moment_read(r, at, part(text, 0, dots), &first);
    if (!rc && dots + 2 < text.size)
        rc = moment_read(r, at + dots + 2, part(text, dots + 2, text.size), &last);
    if (rc)
        return rc;
    if (dots > 0)
        ret->from = first.from;
    if (dots + 2 < text.size)
        ret->until = last.until;
    if (ret->from.us >= ret->until.us)
        return filter_fail(r, at, "the stretch ends before it begins; write the earlier time first");
    char canonical[2 * WHEN_MAX + 2];
    int size = snprintf(canonical, sizeof canonical, "%s..%s", first.text, last.text);
    ret->text = filter_keep(r->filter, canonical, (size_t)size);
    return 0;
}

static int bound_read(struct filter_reader *r, size_t at, est_slice text, size_t sign,
                      struct filter_value *ret) {
    const char *typed = text.data;
    struct moment moment;
    int rc = moment_read(r, at + sign, part(text, sign, text.size), &moment);
    if (rc)
        return rc;
    bool with = sign == 2 || sign == 0; /* the moment itself is in it */
    if (sign == 0)
        ret->from = moment.from, ret->until = moment.until;
    else if (typed[0] == '>')
        ret->from = with ? moment.from : moment.until;
    else
        ret->until = with ? moment.until : moment.from;
    char canonical[WHEN_MAX + 2];
    int size = snprintf(canonical, sizeof canonical, "%.*s%s", (int)sign, typed, moment.text);
    ret->text = filter_keep(r->filter, canonical, (size_t)size);
    return 0;
}

int filter_when_read(struct filter_reader *r, size_t at, est_slice text, struct filter_value *ret) {
    const char *typed = text.data;
    const char *dots = memmem(typed, text.size, "..", 2);
    if (dots)
        return stretch_read(r, at, text, (size_t)(dots - typed), ret);
    size_t sign = typed[0] == '<' || typed[0] == '>' ? 1 : 0;
    sign += sign && text.size > 1 && typed[1] == '=';
    return bound_read(r, at, text, sign, ret);
}
