/* exposition.c - see exposition.h. */
#include "exposition.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct exposition {
    FILE *out;
    char *text;
    size_t size;
    char name[128]; /* of the metric announced last */
};

struct exposition *exposition_open(void) {
    struct exposition *x = calloc(1, sizeof *x);
    if (x)
        x->out = open_memstream(&x->text, &x->size);
    if (x && !x->out) {
        free(x);
        return NULL;
    }
    return x;
}

char *exposition_close(struct exposition **at, size_t *ret_size) {
    struct exposition *x = *at;
    bool bad = ferror(x->out) != 0;
    bad = fclose(x->out) != 0 || bad;
    char *text = x->text;
    *ret_size = x->size;
    free(x);
    *at = NULL;
    if (!bad)
        return text;
    free(text);
    return NULL;
}

/* In HELP a quote stands for itself; in a label's value it ends it. */
static void escaped(FILE *out, const char *text, bool quoted) {
    for (; *text; text++) {
        if (*text == '\n')
            fputs("\\n", out);
        else if (*text == '\\' || (quoted && *text == '"'))
            fprintf(out, "\\%c", *text);
        else
            fputc(*text, out);
    }
}

void metric(struct exposition *x, const char *name, enum metric_type type, const char *help) {
    static const char *const types[] = {"gauge", "counter", "histogram"};
    bool own = strncmp(name, "process_", 8) == 0;
    snprintf(x->name, sizeof x->name, "%s%s", own ? "" : "estelam_", name);
    fprintf(x->out, "# HELP %s ", x->name);
    escaped(x->out, help, false);
    fprintf(x->out, "\n# TYPE %s %s\n", x->name, types[type]);
}

static void name_print(struct exposition *x, const char *suffix, const char *const *labels) {
    assert(x->name[0]);
    fprintf(x->out, "%s%s", x->name, suffix);
    for (size_t i = 0; labels[i]; i += 2) {
        fprintf(x->out, "%s%s=\"", i ? "," : "{", labels[i]);
        escaped(x->out, labels[i + 1], true);
        fputc('"', x->out);
    }
    fputs(labels[0] ? "} " : " ", x->out);
}

static void us_print(struct exposition *x, uint64_t us) {
    fprintf(x->out, "%" PRIu64 ".%06u\n", us / 1000000u, (unsigned)(us % 1000000u));
}

void sample_uint(struct exposition *x, uint64_t value, const char *const *labels) {
    name_print(x, "", labels);
    fprintf(x->out, "%" PRIu64 "\n", value);
}

void sample_us(struct exposition *x, uint64_t us, const char *const *labels) {
    name_print(x, "", labels);
    us_print(x, us);
}

void sample_bucket(struct exposition *x, const char *le, uint64_t count) {
    name_print(x, "_bucket", LABELS("le", le));
    fprintf(x->out, "%" PRIu64 "\n", count);
}

void sample_sum_us(struct exposition *x, uint64_t us) {
    name_print(x, "_sum", NO_LABELS);
    us_print(x, us);
}

void sample_sum(struct exposition *x, uint64_t sum) {
    name_print(x, "_sum", NO_LABELS);
    fprintf(x->out, "%" PRIu64 "\n", sum);
}

void sample_count(struct exposition *x, uint64_t count) {
    name_print(x, "_count", NO_LABELS);
    fprintf(x->out, "%" PRIu64 "\n", count);
}
