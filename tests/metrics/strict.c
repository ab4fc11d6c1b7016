/* strict.c - see strict.h. */
#include "strict.h"

#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_MAX_BYTES = 128, METRICS_MAX = 512 };

struct reading {
    struct exposition_read *out;
    const char *at;
    size_t line;
    char metrics[METRICS_MAX][NAME_MAX_BYTES]; /* seen so far; the last one is announced now */
    size_t metrics_count;
    char type[16]; /* of the last one; empty between HELP and TYPE */
    bool sampled;
    double bucket, bound, sum; /* of the last histogram: its last bucket's value and bound */
    bool infinite, summed, counted;
};

static bool fault(struct reading *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
static bool fault(struct reading *r, const char *format, ...) {
    char text[240];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    if (!r->out->why[0])
        snprintf(r->out->why, sizeof r->out->why, "line %zu: %s", r->line, text);
    return false;
}

static bool ends_with(const char *text, const char *end) {
    size_t size = strlen(text), tail = strlen(end);
    return size >= tail && strcmp(text + size - tail, end) == 0;
}

/* [a-zA-Z_][a-zA-Z0-9_]* here: the colon is for recording rules. */
static size_t name_length(const char *at) {
    size_t size = 0;
    while (isalnum((unsigned char)at[size]) || at[size] == '_')
        size++;
    return isdigit((unsigned char)*at) ? 0 : size;
}

static bool name_take(struct reading *r, char ret[NAME_MAX_BYTES]) {
    size_t size = name_length(r->at);
    if (size == 0 || size >= NAME_MAX_BYTES)
        return fault(r, "no name where one must be: %.20s", r->at);
    memcpy(ret, r->at, size);
    ret[size] = '\0';
    r->at += size;
    return true;
}

static bool byte_take(struct reading *r, char byte) {
    if (*r->at != byte)
        return fault(r, "`%c` is wanted, not %.20s", byte, r->at);
    r->at++;
    return true;
}

/* --- Names ----------------------------------------------------------------------------------------- */

static bool name_is_good(struct reading *r, const char *name) {
    static const char *const bad_ends[] = {
        "_ms",      "_us",     "_milliseconds", "_microseconds", "_minutes", "_hours",
        "_days",    "_kb",     "_kib",          "_mb",           "_mib",     "_megabytes",
        "_percent", "_bucket", "_count",        "_sum",          "_age",     "_age_seconds"};
    if (strncmp(name, "estelam_", 8) != 0 && strncmp(name, "process_", 8) != 0)
        return fault(r, "%s has not our prefix", name);
    for (const char *c = name; *c; c++)
        if (isupper((unsigned char)*c))
            return fault(r, "%s has capital letters", name);
    for (size_t i = 0; i < sizeof bad_ends / sizeof bad_ends[0]; i++)
        if (ends_with(name, bad_ends[i]))
            return fault(r, "%s ends with %s", name, bad_ends[i]);
    return true;
}

static bool type_suits(struct reading *r, const char *name) {
    bool counter = strcmp(r->type, "counter") == 0;
    if (!counter && strcmp(r->type, "gauge") != 0 && strcmp(r->type, "histogram") != 0)
        return fault(r, "%s is of type %s", name, r->type);
    if (counter != ends_with(name, "_total"))
        return fault(r, "%s is a %s by its type and not by its name", name, r->type);
    return true;
}

/* --- Announcements ---------------------------------------------------------------------------------- */

static bool metric_is_whole(struct reading *r) {
    const char *name = r->metrics_count ? r->metrics[r->metrics_count - 1] : "";
    if (r->metrics_count && !r->type[0])
        return fault(r, "%s has no TYPE", name);
    if (strcmp(r->type, "histogram") == 0 && r->sampled && (!r->infinite || !r->summed || !r->counted))
        return fault(r, "the histogram %s is not whole", name);
    return true;
}

static bool help_take(struct reading *r) {
    char name[NAME_MAX_BYTES];
    r->at += strlen("# HELP ");
    if (!metric_is_whole(r) || !name_take(r, name) || !byte_take(r, ' ') || !name_is_good(r, name))
        return false;
    for (size_t i = 0; i < r->metrics_count; i++)
        if (strcmp(r->metrics[i], name) == 0)
            return fault(r, "%s is announced twice", name);
    if (strcspn(r->at, "\n") < 5)
        return fault(r, "%s has no help", name);
    if (r->metrics_count == METRICS_MAX)
        return fault(r, "too many metrics");
    memcpy(r->metrics[r->metrics_count++], name, sizeof name);
    r->type[0] = '\0';
    r->sampled = r->infinite = r->summed = r->counted = false;
    r->bucket = 0;
    r->bound = -INFINITY;
    r->at += strcspn(r->at, "\n");
    return true;
}

static bool type_take(struct reading *r) {
    char name[NAME_MAX_BYTES], type[NAME_MAX_BYTES];
    r->at += strlen("# TYPE ");
    if (!name_take(r, name) || !byte_take(r, ' ') || !name_take(r, type))
        return false;
    if (!r->metrics_count || strcmp(r->metrics[r->metrics_count - 1], name) != 0 || r->type[0])
        return fault(r, "TYPE of %s does not follow its HELP", name);
    snprintf(r->type, sizeof r->type, "%.15s", type);
    return type_suits(r, name);
}

/* --- Samples ---------------------------------------------------------------------------------------- */

static bool label_value_take(struct reading *r, char *ret, size_t size) {
    size_t used = 0;
    if (!byte_take(r, '"'))
        return false;
    while (*r->at != '"') {
        char c = *r->at++;
        if (c == '\\') {
            c = *r->at++;
            if (c != '\\' && c != '"' && c != 'n')
                return fault(r, "an escape that there is not: \\%c", c);
            c = c == 'n' ? '\n' : c;
        } else if (c == '\n' || c == '\0') {
            return fault(r, "a label's value does not end");
        }
        if (used + 1 < size)
            ret[used++] = c;
    }
    ret[used] = '\0';
    return byte_take(r, '"');
}

/* {a="b",c="d"}; the bound of a bucket comes out. */
static bool labels_take(struct reading *r, char le[64]) {
    char names[8][NAME_MAX_BYTES], value[256];
    size_t count = 0;
    le[0] = '\0';
    if (*r->at != '{')
        return true;
    do {
        r->at++;
        if (count == 8)
            return fault(r, "more than 8 labels");
        if (!name_take(r, names[count]) || !byte_take(r, '=') || !label_value_take(r, value, sizeof value))
            return false;
        for (size_t i = 0; i < count; i++)
            if (strcmp(names[i], names[count]) == 0)
                return fault(r, "the label %s stands twice", names[i]);
        if (!value[0] && strcmp(names[count], "department") != 0)
            return fault(r, "the label %s is empty", names[count]);
        if (strcmp(names[count], "le") == 0)
            snprintf(le, 64, "%.60s", value);
        count++;
    } while (*r->at == ',');
    return byte_take(r, '}');
}

static bool value_take(struct reading *r, double *ret) {
    char *end;
    if (!isdigit((unsigned char)*r->at))
        return fault(r, "no value, or a negative one: %.20s", r->at);
    *ret = strtod(r->at, &end);
    if (*end != '\n' || !isfinite(*ret))
        return fault(r, "a value, and nothing behind it, is wanted: %.20s", r->at);
    r->at = end;
    return true;
}

static bool bucket_suits(struct reading *r, const char *le, double value) {
    double bound = strcmp(le, "+Inf") == 0 ? INFINITY : strtod(le, NULL);
    if (!le[0] || !(bound > r->bound))
        return fault(r, "a bucket without a rising bound: %s", le);
    if (value < r->bucket || value != floor(value))
        return fault(r, "buckets do not add up at %s", le);
    r->bound = bound;
    r->bucket = value;
    r->infinite = bound == INFINITY;
    return true;
}

/* Does this name belong to the metric that was announced last, and the value to its type? */
static bool sample_suits(struct reading *r, const char *name, const char *le, double value) {
    const char *metric = r->metrics_count ? r->metrics[r->metrics_count - 1] : "";
    size_t size = strlen(metric);
    bool histogram = strcmp(r->type, "histogram") == 0;
    if (!size || strncmp(name, metric, size) != 0 || !r->type[0])
        return fault(r, "%s stands under %s", name, metric);
    const char *part = name + size;
    r->sampled = true;
    if (!histogram)
        return *part || le[0] ? fault(r, "%s stands under %s", name, metric) : true;
    if (strcmp(part, "_bucket") == 0)
        return bucket_suits(r, le, value);
    if (strcmp(part, "_sum") == 0)
        return r->summed = true;
    if (strcmp(part, "_count") != 0)
        return fault(r, "%s is no part of a histogram", name);
    r->counted = true;
    return r->infinite && value == r->bucket ? true : fault(r, "%s is not its last bucket", name);
}

static bool sample_take(struct reading *r) {
    const char *start = r->at;
    char name[NAME_MAX_BYTES], le[64];
    double value = 0;
    if (!name_take(r, name) || !labels_take(r, le))
        return false;
    size_t size = (size_t)(r->at - start);
    struct series *series = &r->out->at[r->out->count];
    if (r->out->count == SERIES_MAX || size >= sizeof series->name)
        return fault(r, "too many series, or too long a one");
    memcpy(series->name, start, size);
    series->name[size] = '\0';
    if (!byte_take(r, ' ') || !value_take(r, &value) || !sample_suits(r, name, le, value))
        return false;
    for (size_t i = 0; i < r->out->count; i++)
        if (strcmp(r->out->at[i].name, series->name) == 0)
            return fault(r, "%s is there twice", series->name);
    series->value = value;
    r->out->count++;
    return true;
}

static bool line_take(struct reading *r) {
    if (strncmp(r->at, "# HELP ", 7) == 0)
        return help_take(r);
    if (strncmp(r->at, "# TYPE ", 7) == 0)
        return type_take(r);
    return sample_take(r);
}

bool strict_read(const char *text, struct exposition_read *ret) {
    static struct reading reading;
    struct reading *r = &reading;
    memset(r, 0, sizeof *r);
    memset(ret, 0, sizeof *ret);
    r->out = ret;
    r->at = text;
    while (*r->at) {
        r->line++;
        if (!line_take(r))
            return false;
        if (*r->at != '\n')
            return fault(r, "the line does not end where it should: %.20s", r->at);
        r->at++;
    }
    return r->line ? metric_is_whole(r) : fault(r, "nothing at all");
}

double strict_value(const struct exposition_read *read, const char *name) {
    for (size_t i = 0; i < read->count; i++)
        if (strcmp(read->at[i].name, name) == 0)
            return read->at[i].value;
    return -1;
}
