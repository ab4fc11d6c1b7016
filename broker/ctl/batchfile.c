/* batchfile.c - see batchfile.h. */
#include "batchfile.h"
#include "json.h"
#include "heap.h"
#include "say.h"
#include "moment.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct reader {
    const char *path;
    size_t line;
    size_t bad; /* lines that cannot be used */
    struct batch *batch;
};

static void line_complain(struct reader *reader, int column, const char *text) {
    fprintf(stderr, "%s:%zu:%d: %s\n", reader->path, reader->line, column, text);
    reader->bad++;
}

static char *text_take(const json_t *object, const char *key) {
    const json_t *value = json_object_get(object, key);
    return json_is_string(value) ? heap_text(json_string_value(value), json_string_length(value)) : NULL;
}

static const char *keys_check(json_t *object) {
    static const char *const texts[] = {"type", "purpose", "case", "id", "trace", "deadline"};
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value) {
        bool known = strcmp(key, "body") == 0;
        for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
            if (strcmp(key, texts[i]) != 0)
                continue;
            known = true;
            if (!json_is_string(value))
                return "type, purpose, case, id, trace and deadline are texts";
        }
        if (!known)
            return "an unknown key; type, purpose, body, case, id, trace and deadline are known";
    }
    if (!json_object_get(object, "type"))
        return "`type` is missing";
    if (!json_is_object(json_object_get(object, "body")))
        return "`body` is missing or no object";
    return NULL;
}

static const char *submission_fill(const json_t *object, struct submission *s, char fault[JSON_FAULT_SIZE]) {
    const json_t *id = json_object_get(object, "id"), *deadline = json_object_get(object, "deadline");
    if (id && est_id_parse(json_string_value(id), &s->id))
        return "`id` is not a UUID";
    if (!id)
        est_id_new(&s->id);
    if (deadline && moment_parse(json_string_value(deadline), moment_now(), &s->deadline))
        return "`deadline` is no day, no instant of RFC 3339 and no +SPAN";
    s->type = text_take(object, "type");
    s->purpose = text_take(object, "purpose");
    s->case_id = text_take(object, "case");
    s->trace = text_take(object, "trace");
    size_t max;
    const char *name = submission_too_long(s, &max);
    if (name)
        return snprintf(fault, JSON_FAULT_SIZE, "`%s` is longer than %zu bytes", name, max), fault;
    if (!json_to_msgpack(json_object_get(object, "body"), &s->body))
        return json_fault(json_object_get(object, "body"), fault), fault;
    return NULL;
}

static void line_read(struct reader *reader, const char *text, size_t size) {
    json_error_t error;
    char fault[JSON_FAULT_SIZE];
    if (strspn(text, " \t\r\n") == size)
        return;
    json_t *object = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);
    if (!object) {
        line_complain(reader, error.column > 0 ? error.column : 1, error.text);
        return;
    }
    const char *why = json_is_object(object) ? keys_check(object) : "a line is one JSON object";
    if (!why && reader->batch->count == BATCH_LINES_MAX)
        why = "too many lines; split the file";
    if (!why)
        why = submission_fill(object, batch_add(reader->batch), fault);
    if (why)
        line_complain(reader, 1, why);
    json_decref(object);
}

static int id_compare(const void *a, const void *b) {
    return memcmp(a, b, sizeof(est_id));
}

/* Two lines under one id would be one inquiry. */
static bool ids_are_distinct(const struct batch *batch) {
    est_id *ids = heap_new(batch->count, sizeof *ids);
    bool distinct = true;
    for (size_t i = 0; i < batch->count; i++)
        ids[i] = batch->at[i].id;
    qsort(ids, batch->count, sizeof *ids, id_compare);
    for (size_t i = 1; i < batch->count && distinct; i++)
        distinct = id_compare(&ids[i - 1], &ids[i]) != 0;
    free(ids);
    return distinct;
}

int batch_read(const struct call *call, const char *path, struct batch *ret) {
    FILE *in = strcmp(path, "-") == 0 ? stdin : fopen(path, "r");
    struct reader reader = {.path = path, .batch = ret};
    char *line = NULL;
    size_t room = 0;
    ssize_t size;
    if (!in) {
        say_error(EST_INPUT, "check the file's name and rights", "%s: %s", path, strerror(errno));
        return EXIT_USAGE;
    }
    while ((size = getline(&line, &room, in)) >= 0) {
        reader.line++;
        line_read(&reader, line, (size_t)size);
    }
    free(line);
    if (in != stdin)
        fclose(in);
    if (reader.bad)
        return call_usage(call, "%zu lines of %s cannot be used; nothing was submitted", reader.bad, path);
    if (!ids_are_distinct(ret))
        return call_usage(call, "two lines of %s have the same id", path);
    if (ret->count == 0)
        return call_usage(call, "%s holds no inquiry", path);
    return 0;
}
