/* cmd_check.c - `estelam check`: which checks there are, and how one is run. See verdict.h. */
#include "check_asks.h"
#include "heap.h"
#include "run.h"
#include "say.h"
#include "text.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define OF(unit) (1u << (unit))

static const struct check {
    const char *name;
    int (*ask)(struct check_call *);
    bool requester; /* goes through the requesters' door, and opens it itself */
    unsigned units; /* that its thresholds may be in */
    enum leaning leaning;
    const char *warning, *critical; /* where none are given */
} CHECKS[] = {
    {"ready", check_ready, false, OF(UNIT_SECONDS), TOO_MUCH, "1 s", "5 s"},
    {"queue-age", check_queue_age, false, OF(UNIT_SECONDS), TOO_MUCH, "15 min", "1 h"},
    {"agents", check_agents, false, OF(UNIT_COUNT), TOO_MUCH, "0", "0"},
    {"parked", check_parked, false, OF(UNIT_COUNT), TOO_MUCH, "0", "100"},
    {"disk", check_disk, false, OF(UNIT_PERCENT) | OF(UNIT_BYTES), TOO_LITTLE, "60 %", "75 %"},
    {"key-expiry", check_key_expiry, false, OF(UNIT_SECONDS), TOO_LITTLE, "30 d", "7 d"},
    {"roundtrip", check_roundtrip, true, OF(UNIT_SECONDS), TOO_MUCH, "5 s", "30 s"},
};
enum { CHECKS_COUNT = sizeof CHECKS / sizeof CHECKS[0] };

/* --- The verdict ---------------------------------------------------------------------------------- */

struct value *verdict_add(struct verdict *v, enum unit unit, double is, const char *metric,
                          const char *format, ...) {
    static struct value beyond; /* what finds no room is judged all the same, and not shown */
    struct value *value = v->count < VALUES_MAX ? &v->values[v->count++] : &beyond;
    va_list list;
    memset(value, 0, sizeof *value);
    va_start(list, format);
    vsnprintf(value->name, sizeof value->name, format, list);
    va_end(list);
    text_clean_in_place(value->name);
    for (char *c = value->name; *c; c++)
        *c = strchr("'=|;", *c) ? '_' : *c;
    value->metric = metric;
    value->unit = unit;
    value->is = is;
    value->judged = true;
    return value;
}

void value_label(struct value *value, const char *label, const char *format, ...) {
    va_list list;
    va_start(list, format);
    vsnprintf(value->labelled, sizeof value->labelled, format, list);
    va_end(list);
    text_clean_in_place(value->labelled);
    value->label = label;
}

void verdict_say(struct verdict *v, const char *format, ...) {
    va_list list;
    va_start(list, format);
    vsnprintf(v->text, sizeof v->text, format, list);
    va_end(list);
    text_clean_in_place(v->text);
}

enum check_state verdict_judge(const struct verdict *v, enum unit unit, double value) {
    if (v->critical.unit == unit && range_alerts(&v->critical, value))
        return CHECK_CRITICAL;
    return v->warning.unit == unit && range_alerts(&v->warning, value) ? CHECK_WARNING : CHECK_OK;
}

/* UNKNOWN hides nothing that is known to be bad, so it is the least of the three. */
void verdict_raise(struct verdict *v, enum check_state state) {
    static const int weight[] = {
        [CHECK_OK] = 0, [CHECK_UNKNOWN] = 1, [CHECK_WARNING] = 2, [CHECK_CRITICAL] = 3};
    if (weight[state] > weight[v->state])
        v->state = state;
}

/* --- Running -------------------------------------------------------------------------------------- */

static int threshold_read(const struct call *call, const char *option, const struct check *check,
                          const char *otherwise, struct range *ret) {
    char why[160];
    const char *text = call_value(call, option);
    if (range_parse(text ? text : otherwise, check->units, check->leaning, ret, why) == 0)
        return 0;
    return call_usage(call, "--%s: %s", option, why);
}

static int check_ask(const struct call *call, const struct check *check, struct verdict *v) {
    struct check_call c = {.call = call, .verdict = v};
    int status = threshold_read(call, "warning", check, check->warning, &v->warning);
    if (!status)
        status = threshold_read(call, "critical", check, check->critical, &v->critical);
    if (!status && !check->requester && call->count > 1)
        status = call_usage(call, "`%s` is one argument too many", call->arguments[1]);
    if (status || check->requester)
        return status ? status : check->ask(&c);
    status = desk_open(call, &c.desk);
    if (!status)
        status = check->ask(&c);
    desk_close(&c.desk);
    return status;
}

/* What was to be judged could not be: the broker is out of reach, or the question was wrong. */
static enum check_state failure_state(int status) {
    return status == EXIT_UNREACHABLE ? CHECK_CRITICAL : CHECK_UNKNOWN;
}

static const struct check *check_find(const char *name) {
    for (size_t i = 0; i < CHECKS_COUNT; i++)
        if (strcmp(CHECKS[i].name, name) == 0)
            return &CHECKS[i];
    return NULL;
}

static const char *format_of(const struct call *call) {
    const char *format = call_value(call, "format");
    return format ? format : call_json(call) ? "json" : "nagios";
}

int run_check(const struct call *call) {
    static char said[CHECK_TEXT_SIZE];
    struct verdict *v = heap_new(1, sizeof *v);
    const struct check *check = check_find(call->arguments[0]);
    const char *format = format_of(call);
    int status;
    v->check = check ? check->name : "check";
    say_keep(said, sizeof said);
    if (!check)
        status = call_usage(call, "there is no check `%s`", call->arguments[0]);
    else if (!check_print(v, format, NULL))
        status = call_usage(call, "there is no format `%s`", format);
    else
        status = check_ask(call, check, v);
    if (status) {
        v->state = failure_state(status);
        verdict_say(v, "%s", said);
    }
    if (!check_print(v, format, stdout))
        check_print(v, "nagios", stdout);
    int exit = (int)v->state;
    heap_free((void **)&v);
    return exit;
}
