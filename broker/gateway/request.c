/* request.c - answers, and what a request says. See request.h. */
#include "request.h"
#include "route.h"
#include "shelf.h"
#include "view.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- Answers ----------------------------------------------------------------------------------- */

static const char problem_type[] = "application/problem+json";

void request_response(struct request *r, unsigned status, struct MHD_Response *take) {
    if (r->response) {
        if (take)
            MHD_destroy_response(take);
        return;
    }
    if (!take) { /* a few bytes may still be had */
        static const char text[] = "{\"code\":\"NO_MEMORY\",\"status\":503}";
        take = MHD_create_response_from_buffer(sizeof text - 1, (void *)text, MHD_RESPMEM_PERSISTENT);
        status = 503;
    }
    r->response = take;
    r->status = status;
}

static void request_give(struct request *r, unsigned status, const char *type, char *text, size_t size) {
    struct MHD_Response *response =
        text ? MHD_create_response_from_buffer(size, text, MHD_RESPMEM_MUST_FREE) : NULL;
    if (text && !response)
        free(text);
    if (response) {
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
        MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    }
    request_response(r, status, response);
}

static void request_json_give(struct request *r, unsigned status, const char *type, json_t *take) {
    char *text = take ? json_dumps(take, JSON_COMPACT) : NULL;
    json_decref(take);
    request_give(r, status, type, text, text ? strlen(text) : 0);
}

void request_reply(struct request *r, unsigned status, json_t *take) {
    request_json_give(r, status, "application/json", take);
}

void request_text(struct request *r, unsigned status, const char *type, const char *text, size_t size) {
    char *copy = malloc(size ? size : 1);
    if (copy)
        memcpy(copy, text, size);
    request_give(r, status, type, copy, size);
}

void request_empty(struct request *r, unsigned status) {
    request_response(r, status, MHD_create_response_from_buffer(0, "", MHD_RESPMEM_PERSISTENT));
}

void request_header(struct request *r, const char *name, const char *value) {
    if (r->response)
        MHD_add_response_header(r->response, name, value);
}

static void problem_give(struct request *r, int code, json_t *take_defects, const char *format,
                         va_list list) {
    const struct problem *problem = problem_of(code);
    char detail[1024];
    vsnprintf(detail, sizeof detail, format, list);
    text_trim(detail);
    json_t *json = problem_json(problem);
    if (detail[0])
        json_object_set_new(json, "detail", json_string(detail));
    if (take_defects)
        json_object_set_new(json, "defects", take_defects);
    request_json_give(r, problem->status, problem_type, json);
    if (problem->status == 401)
        request_header(r, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer realm=\"estelam\"");
}

void request_problem(struct request *r, int code, const char *format, ...) {
    va_list list;
    va_start(list, format);
    problem_give(r, code, NULL, format, list);
    va_end(list);
    if (r->status == 503)
        request_header(r, MHD_HTTP_HEADER_RETRY_AFTER, "1");
}

void request_defects(struct request *r, int code, json_t *take_defects, const char *format, ...) {
    va_list list;
    va_start(list, format);
    problem_give(r, code, take_defects, format, list);
    va_end(list);
}

/* Whole seconds, rounded up: "0" would invite at once. */
void request_problem_later(struct request *r, int code, est_span retry, const char *format, ...) {
    char seconds[24];
    int64_t wait = (retry.us + EST_US_PER_S - 1) / EST_US_PER_S;
    va_list list;
    va_start(list, format);
    problem_give(r, code, NULL, format, list);
    va_end(list);
    snprintf(seconds, sizeof seconds, "%lld", wait > 0 ? (long long)wait : 1);
    request_header(r, MHD_HTTP_HEADER_RETRY_AFTER, seconds);
}

void request_refused(struct request *r, const est_event *event) {
    const struct problem *problem = problem_of(event->code);
    int size = event->text.size < 900 ? (int)event->text.size : 900;
    json_t *defects = view_defects(event);
    shelf_defects_persian(r->gateway->shelf, json_string_value(json_object_get(r->json, "type")), defects);
    if (problem->status == 503 || problem->status == 429)
        request_problem_later(r, event->code, event->retry, "%.*s", size, (const char *)event->text.data);
    else
        request_defects(r, event->code, json_array_size(defects) ? json_incref(defects) : NULL, "%.*s", size,
                        (const char *)event->text.data);
    json_decref(defects);
}

/* --- Waiting ----------------------------------------------------------------------------------- */

void request_park(struct request *r) {
    r->parked = true;
    MHD_suspend_connection(r->connection);
}

void request_resume(struct request *r) {
    MHD_resume_connection(r->connection);
}

/* --- Reading ----------------------------------------------------------------------------------- */

const char *request_header_get(const struct request *r, const char *name) {
    return MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, name);
}

const char *request_query(const struct request *r, const char *name) {
    return MHD_lookup_connection_value(r->connection, MHD_GET_ARGUMENT_KIND, name);
}

bool request_query_uint(struct request *r, const char *name, uint64_t max, uint64_t *ret) {
    const char *text = request_query(r, name);
    if (!text)
        return true;
    uint64_t value;
    if (view_uint_parse(text, max, &value)) {
        *ret = value;
        return true;
    }
    request_problem(r, GW_INVALID_QUERY, "%s: is a whole number of at most %llu", name,
                    (unsigned long long)max);
    return false;
}

static json_t *json_read(const char *text, size_t size, json_error_t *ret) {
    return json_loadb(text, size, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, ret);
}

static const double beyond = 0x1p63;

bool number_is_beyond(const json_t *value) {
    return json_is_real(value) && (json_real_value(value) >= beyond || json_real_value(value) <= -beyond);
}

/* As JSON has it, so that what is wrong behind it stays wrong. */
static size_t number_size(const char *text, bool *ret_real) {
    static const char digits[] = "0123456789";
    const char *at = text + (*text == '-');
    at += *at == '0' ? 1 : strspn(at, digits);
    *ret_real = *at == '.' || *at == 'e' || *at == 'E';
    if (*at == '.')
        at += 1 + strspn(at + 1, digits);
    if (*at == 'e' || *at == 'E') {
        at += at[1] == '+' || at[1] == '-' ? 2 : 1;
        at += strspn(at, digits);
    }
    return (size_t)(at - text);
}

/* The end of the number that begins here. One that jansson would not hold becomes a real that it does hold,
 * as far out, with blanks behind it. The shortest is 1e309. */
static char *number_tame(char *text) {
    static const char tame[] = "1e300";
    bool real;
    size_t size = number_size(text, &real), sign = *text == '-';
    double value = 2;
    errno = 0;
    if (real)
        value = strtod(text, NULL);
    else
        strtoll(text, NULL, 10);
    if (errno == ERANGE && (value > 1 || value < -1)) { /* not one that is too small */
        memset(text + sign, ' ', size - sign);
        memcpy(text + sign, tame, sizeof tame - 1);
    }
    return text + size;
}

/* The library ends at the first number that 64 bits do not hold, without its path. */
static json_t *json_read_beyond(const char *text, size_t size, json_error_t *ret) {
    char *copy = malloc(size + 1);
    if (!copy)
        return NULL;
    memcpy(copy, text, size);
    copy[size] = '\0';
    bool quoted = false;
    for (char *at = copy; at < copy + size;) {
        bool number = !quoted && (*at == '-' || (*at >= '0' && *at <= '9'));
        if (*at == '"')
            quoted = !quoted;
        if (number)
            at = number_tame(at);
        else
            at += quoted && *at == '\\' && at[1] ? 2 : 1;
    }
    json_t *json = json_read(copy, size, ret);
    free(copy);
    return json;
}

json_t *request_json(struct request *r) {
    json_error_t error;
    const char *body = r->body ? r->body : "";
    json_t *json = json_read(body, r->body_size, &error);
    if (!json && json_error_code(&error) == json_error_numeric_overflow)
        json = json_read_beyond(body, r->body_size, &error);
    if (json && !json_is_object(json)) {
        json_decref(json);
        json = NULL;
        error.line = error.column = 1;
        snprintf(error.text, sizeof error.text, "it is no object, {…}");
    }
    if (!json) {
        /* jansson's text may quote the body, which is personal: only the place is told. */
        const char *near = strstr(error.text, " near '");
        request_problem(r, GW_MALFORMED_JSON, "line %d, column %d: %.*s", error.line, error.column,
                        near ? (int)(near - error.text) : (int)strlen(error.text), error.text);
        return NULL;
    }
    return r->json = json;
}

/* --- Forms ------------------------------------------------------------------------------------- */

void form_defect(struct form *form, const char *path, const char *kind, const char *format, ...) {
    char text[EST_DEFECT_TEXT_MAX];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    text_trim(text);
    if (!form->defects)
        form->defects = json_array();
    if (json_array_size(form->defects) < EST_DEFECTS_MAX)
        json_array_append_new(form->defects,
                              json_pack("{s:s, s:s, s:s}", "path", path, "kind", kind, "text", text));
}

static bool is_among(const char *name, const char *const *names) {
    for (; *names; names++)
        if (strcmp(*names, name) == 0)
            return true;
    return false;
}

struct form form_open(struct request *r, const char *const *names) {
    struct form form = {.request = r, .object = request_json(r)};
    const char *name;
    json_t *value;
    if (form.object)
        json_object_foreach(form.object, name, value) {
            char path[EST_DEFECT_PATH_MAX];
            snprintf(path, sizeof path, "%s", name);
            text_trim(path);
            if (!is_among(name, names))
                form_defect(&form, path, "unknown", "there is no such field");
        }
    return form;
}

/* The value, or NULL where it is absent, null, or not of this kind; the last two are told. */
static json_t *form_get(struct form *form, const char *name, bool needed, bool (*is)(const json_t *),
                        const char *what) {
    json_t *value = form->object ? json_object_get(form->object, name) : NULL;
    if (json_is_null(value))
        value = NULL;
    if (!value && needed && form->object)
        form_defect(form, name, "missing", "is needed: %s", what);
    if (!value || is(value))
        return value;
    form_defect(form, name, "type", "is %s", what);
    return NULL;
}

static bool is_text(const json_t *value) {
    return json_is_string(value);
}
static bool is_bool(const json_t *value) {
    return json_is_boolean(value);
}
static bool is_integer(const json_t *value) {
    return json_is_integer(value) || number_is_beyond(value);
}
static bool is_object(const json_t *value) {
    return json_is_object(value);
}

const char *form_text(struct form *form, const char *name, bool needed, size_t bytes_max) {
    json_t *value = form_get(form, name, needed, is_text, "a text");
    if (!value)
        return NULL;
    const char *text = json_string_value(value);
    if (needed && !*text)
        form_defect(form, name, "length", "is empty");
    else if (json_string_length(value) > bytes_max)
        form_defect(form, name, "length", "is longer than %zu bytes", bytes_max);
    else if (strlen(text) != json_string_length(value))
        form_defect(form, name, "format", "holds a zero character");
    else
        return text;
    return NULL;
}

bool form_bool(struct form *form, const char *name, bool otherwise) {
    json_t *value = form_get(form, name, false, is_bool, "true or false");
    return value ? json_is_true(value) : otherwise;
}

uint64_t form_uint(struct form *form, const char *name, bool needed, uint64_t max) {
    json_t *value = form_get(form, name, needed, is_integer, "a whole number");
    if (!value)
        return 0;
    json_int_t number = json_integer_value(value);
    if (json_is_integer(value) && number >= 0 && (uint64_t)number <= max)
        return (uint64_t)number;
    form_defect(form, name, "range", "is 0 to %llu", (unsigned long long)max);
    return 0;
}

json_t *form_object(struct form *form, const char *name, bool needed) {
    return form_get(form, name, needed, is_object, "an object");
}

est_time form_time(struct form *form, const char *name) {
    est_time time = {0};
    const char *text = form_text(form, name, false, 64);
    if (text && !view_time_parse(text, &time))
        form_defect(form, name, "format", "is an RFC 3339 time, such as 2026-11-25T10:00:00Z");
    else if (text && time.us <= 0)
        time.us = 1;
    return time;
}

bool form_close(struct form *form) {
    if (!form->object)
        return false;
    if (!form->defects)
        return true;
    shelf_defects_persian(form->request->gateway->shelf, NULL, form->defects);
    request_defects(form->request, GW_INVALID_REQUEST, form->defects, "%zu field%s not as it should be",
                    json_array_size(form->defects), json_array_size(form->defects) == 1 ? " is" : "s are");
    return false;
}
