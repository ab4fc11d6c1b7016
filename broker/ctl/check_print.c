/* check_print.c - a verdict for Nagios and its kin, for Prometheus's textfile collector, for programs
 * and for people. See verdict.h.
 */
#include "verdict.h"
#include "heap.h"
#include "moment.h"

#include <ctype.h>
#include <jansson.h>
#include <math.h>
#include <string.h>

const char *check_state_name(enum check_state state) {
    static const char *const names[] = {"OK", "WARNING", "CRITICAL", "UNKNOWN"};
    return names[state];
}

static const char *unit_symbol(enum unit unit) {
    static const char *const symbols[] = {"", "s", "B", "%"};
    return symbols[unit];
}

/* Counts and bytes as whole numbers, seconds to the microsecond. */
static void number_print(double value, FILE *out) {
    if (value == floor(value) && fabs(value) < 1e15)
        fprintf(out, "%.0f", value);
    else
        fprintf(out, "%.15g", round(value * 1e6) / 1e6);
}

/* The name of the check in capitals, as plugins begin their line. */
static void title_print(const struct verdict *v, FILE *out) {
    for (const char *c = v->check; *c; c++)
        fputc(toupper((unsigned char)*c), out);
    fprintf(out, " %s", check_state_name(v->state));
}

/* A bar would begin the performance data, a line end the long output. */
static void line_print(const char *text, FILE *out) {
    for (; *text; text++)
        fputc(*text == '|' ? '/' : (unsigned char)*text < ' ' ? ' ' : *text, out);
}

static void limits_print(const struct verdict *v, const struct value *value, FILE *out) {
    char warning[64] = "", critical[64] = "";
    if (value->judged && v->warning.unit == value->unit)
        range_format(&v->warning, warning);
    if (value->judged && v->critical.unit == value->unit)
        range_format(&v->critical, critical);
    fprintf(out, ";%s;%s;0;%s", warning, critical, value->unit == UNIT_PERCENT ? "100" : "");
}

/* 'label'=value[unit];warning;critical;min;max */
static void nagios_print(const struct verdict *v, FILE *out) {
    title_print(v, out);
    fputs(" - ", out);
    line_print(v->text, out);
    for (size_t i = 0; i < v->count; i++) {
        fprintf(out, "%s'%s'=", i ? " " : " | ", v->values[i].name);
        number_print(v->values[i].is, out);
        fputs(unit_symbol(v->values[i].unit), out);
        limits_print(v, &v->values[i], out);
    }
    fputc('\n', out);
}

static void text_print(const struct verdict *v, FILE *out) {
    title_print(v, out);
    fputs(": ", out);
    line_print(v->text, out);
    fputc('\n', out);
    for (size_t i = 0; i < v->count; i++) {
        fprintf(out, "  %-32s ", v->values[i].name);
        number_print(v->values[i].is, out);
        fprintf(out, "%s%s\n", *unit_symbol(v->values[i].unit) ? " " : "", unit_symbol(v->values[i].unit));
    }
}

static void escaped_print(const char *text, FILE *out) {
    for (; *text; text++)
        if (*text == '\n')
            fputs("\\n", out);
        else
            fprintf(out, "%s%c", *text == '"' || *text == '\\' ? "\\" : "", *text);
}

/* The samples of one metric must stand together, under one TYPE. */
static bool metric_is_new(const struct verdict *v, size_t index) {
    for (size_t i = 0; i < index; i++)
        if (strcmp(v->values[i].metric, v->values[index].metric) == 0)
            return false;
    return true;
}

static void metric_print(const struct verdict *v, const char *metric, FILE *out) {
    fprintf(out, "# HELP estelam_check_%s As estelam check saw it.\n# TYPE estelam_check_%s gauge\n", metric,
            metric);
    for (size_t i = 0; i < v->count; i++) {
        if (strcmp(v->values[i].metric, metric) != 0)
            continue;
        fprintf(out, "estelam_check_%s{check=\"%s\"", metric, v->check);
        if (v->values[i].label) {
            fprintf(out, ",%s=\"", v->values[i].label);
            escaped_print(v->values[i].labelled, out);
            fputc('"', out);
        }
        fputs("} ", out);
        /* Its base units know no percent. */
        number_print(v->values[i].unit == UNIT_PERCENT ? v->values[i].is / 100 : v->values[i].is, out);
        fputc('\n', out);
    }
}

static void prometheus_print(const struct verdict *v, FILE *out) {
    fprintf(out,
            "# HELP estelam_check_state The verdict: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.\n"
            "# TYPE estelam_check_state gauge\nestelam_check_state{check=\"%s\"} %d\n",
            v->check, (int)v->state);
    fprintf(out,
            "# HELP estelam_check_run_timestamp_seconds When the check ran.\n"
            "# TYPE estelam_check_run_timestamp_seconds gauge\n"
            "estelam_check_run_timestamp_seconds{check=\"%s\"} %.3f\n",
            v->check, (double)moment_now().us / 1e6);
    for (size_t i = 0; i < v->count; i++)
        if (metric_is_new(v, i))
            metric_print(v, v->values[i].metric, out);
}

static json_t *range_json(const struct range *range) {
    char text[64];
    range_format(range, text);
    return range->given ? json_pack("{s:s,s:s}", "range", text, "unit", unit_symbol(range->unit))
                        : json_null();
}

static void json_print(const struct verdict *v, FILE *out) {
    char utc[MOMENT_SIZE];
    moment_utc(moment_now(), utc);
    json_t *values = json_array();
    for (size_t i = 0; i < v->count; i++) {
        const struct value *value = &v->values[i];
        bool whole = value->is == floor(value->is) && fabs(value->is) < 9e15;
        json_t *row = json_pack("{s:s,s:o,s:s}", "name", value->name, "value",
                                whole ? json_integer((json_int_t)value->is) : json_real(value->is), "unit",
                                unit_symbol(value->unit));
        if (value->label)
            json_object_set_new(row, value->label, json_string(value->labelled));
        json_array_append_new(values, row);
    }
    json_t *whole =
        json_pack("{s:s,s:s,s:i,s:s,s:s,s:o,s:o,s:o}", "check", v->check, "state", check_state_name(v->state),
                  "status", (int)v->state, "text", v->text, "at", utc, "warning", range_json(&v->warning),
                  "critical", range_json(&v->critical), "values", values);
    json_dumpf(whole, out, JSON_COMPACT);
    fputc('\n', out);
    json_decref(whole);
}

static const struct format {
    const char *name;
    void (*print)(const struct verdict *, FILE *);
} FORMATS[] = {
    {"nagios", nagios_print}, {"prometheus", prometheus_print}, {"json", json_print}, {"text", text_print}};

bool check_print(const struct verdict *v, const char *format, FILE *out) {
    for (size_t i = 0; i < sizeof FORMATS / sizeof FORMATS[0]; i++) {
        if (strcmp(FORMATS[i].name, format) != 0)
            continue;
        if (out)
            FORMATS[i].print(v, out);
        return true;
    }
    return false;
}
