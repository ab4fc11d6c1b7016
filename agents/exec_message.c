/* exec_message.c - JSON out and in. See exec_message.h. */
#include "exec_message.h"
#include "json.h"
#include "verdict.h"
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* --- Out ----------------------------------------------------------------------------------------- */

static json_t *text_json(est_slice text) {
    return json_stringn(text.size ? text.data : "", text.size);
}

/* Instants as ISO 8601 in UTC, to the second; none is null. */
static json_t *time_json(est_time time) {
    char text[32];
    struct tm parts;
    time_t seconds = time.us / EST_US_PER_S;
    if (!time.us || !gmtime_r(&seconds, &parts) || !strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts))
        return json_null();
    return json_string(text);
}

static json_t *inquiry_json(const est_inquiry *in) {
    const struct {
        const char *key;
        json_t *value;
    } pairs[] = {
        {"number", json_integer((json_int_t)in->number)},
        {"type", text_json(in->type)},
        {"version", json_integer(in->version)},
        {"purpose", text_json(in->purpose)},
        {"district", json_integer(in->district)},
        {"requester", text_json(in->requester)},
        {"attempt", json_integer(in->attempt)},
        {"case", text_json(in->case_id)},
        {"trace", text_json(in->trace)},
        {"received", time_json(in->received)},
        {"due", time_json(in->due)},
        {"body", json_from_msgpack(in->body)},
    };
    json_t *object = json_object();
    bool good = object != NULL;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        good = !json_object_set_new(object, pairs[i].key, pairs[i].value) && good; /* takes it in any case */
    if (good)
        return object;
    json_decref(object);
    return NULL;
}

char *exec_inquiry_line(const est_inquiry *in) {
    json_t *object = inquiry_json(in);
    char *line = object ? json_dumps(object, JSON_COMPACT) : NULL;
    json_decref(object);
    size_t size = line ? strlen(line) : 0;
    char *longer = line ? realloc(line, size + 2) : NULL;
    if (!longer) {
        free(line);
        return NULL;
    }
    memcpy(longer + size, "\n", 2);
    return longer;
}

/* --- In ------------------------------------------------------------------------------------------ */

static const char *const keys[] = {"outcome", "reason", "legal_ref", "valid_until",
                                   "signer",  "body",   "retry",     "refuse"};

static const char *unknown_key(const json_t *object) {
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object, key, value) {
        bool known = false;
        for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
            known = known || !strcmp(key, keys[i]);
        if (!known)
            return key;
    }
    return NULL;
}

/* Copies an optional text of the object. False: of another kind, or too long. */
static bool text_take(const json_t *object, const char *key, char *to, size_t size) {
    const json_t *value = json_object_get(object, key);
    if (!value || json_is_null(value))
        return true;
    return json_is_string(value) &&
           text_copy(to, size, (est_slice){json_string_value(value), json_string_length(value)});
}

/* False, and `fault` says why. */
static bool body_take(const json_t *object, est_body *body, struct buffer *scratch,
                      char fault[JSON_FAULT_SIZE]) {
    const json_t *fields = json_object_get(object, "body");
    const char *name;
    json_t *value;
    if (!fields || json_is_null(fields))
        return true;
    if (!json_is_object(fields))
        return snprintf(fault, JSON_FAULT_SIZE, "not an object"), false;
    json_object_foreach((json_t *)fields, name, value) {
        buffer_clear(scratch);
        if (!json_to_msgpack_within(1, value, scratch))
            return json_fault(fields, fault), false;
        est_body_raw(body, name, buffer_slice(scratch));
    }
    return true;
}

static est_verdict fields_read(const json_t *object, est_answer *out) {
    const struct {
        const char *key;
        char *to;
        size_t size;
    } texts[] = {
        {"reason", out->reason, sizeof out->reason},
        {"legal_ref", out->legal_ref, sizeof out->legal_ref},
        {"valid_until", out->valid_until, sizeof out->valid_until},
        {"signer", out->signer, sizeof out->signer},
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (!text_take(object, texts[i].key, texts[i].to, texts[i].size))
            return verdict_retry(out, "the program's \"%s\" is not a text of at most %zu bytes", texts[i].key,
                                 texts[i].size - 1);
    struct buffer scratch;
    char fault[JSON_FAULT_SIZE];
    buffer_init(&scratch);
    bool good = body_take(object, out->body, &scratch, fault);
    buffer_done(&scratch);
    if (!good)
        return verdict_retry(out, "the program's \"body\" cannot be sent: %s", fault);
    est_slice all;
    if (est_body_slice(out->body, &all))
        return verdict_retry(out, "the program's \"body\" cannot be sent: %s", est_body_fault(out->body));
    return EST_VERDICT_ANSWER;
}

static est_verdict object_read(const json_t *object, est_answer *out) {
    if (!json_is_object(object))
        return verdict_retry(out, "the program's output is not a JSON object");
    const char *unknown = unknown_key(object), *retry = json_string_value(json_object_get(object, "retry")),
               *refuse = json_string_value(json_object_get(object, "refuse")),
               *outcome = json_string_value(json_object_get(object, "outcome"));
    if (unknown)
        return verdict_retry(out, "the program's output has an unknown key \"%s\"", unknown);
    if (!!retry + !!refuse + !!outcome != 1)
        return verdict_retry(
            out, "the program's output needs one of \"outcome\", \"retry\" and \"refuse\", a text");
    if (retry)
        return verdict_retry(out, "%s", retry);
    if (refuse)
        return verdict_refuse(out, "%s", refuse);
    out->outcome = est_outcome_parse(slice_of(outcome));
    if (out->outcome == EST_OUTCOME_NONE)
        return verdict_retry(out, "the program's \"outcome\" is none of the protocol's");
    return fields_read(object, out);
}

/* The parser's own sentence is left out: it quotes what it read. */
est_verdict exec_answer_read(est_slice text, est_answer *out) {
    json_error_t error;
    if (!text.size)
        return verdict_retry(out, "the program wrote no answer");
    json_t *object = json_loadb(text.data, text.size, JSON_REJECT_DUPLICATES, &error);
    if (!object)
        return verdict_retry(out, "the program's output is not one JSON object (line %d, column %d)",
                             error.line, error.column);
    est_verdict verdict = object_read(object, out);
    json_decref(object);
    return verdict;
}
