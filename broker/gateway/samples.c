/* samples.c - see samples.h; and the endpoints that list them and send one. */
#include "samples.h"
#include "json.h"
#include "log.h"
#include "question.h"
#include "route.h"
#include "shelf.h"
#include "view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLES_MAX = 1000 };

static json_t *sample_read(struct yaml *yaml, yaml_node node) {
    static const char *const keys[] = {"type", "purpose", "body", NULL};
    if (!yaml_only(yaml, node, keys))
        return NULL;
    const char *type = yaml_text(yaml, yaml_need(yaml, node, "type"), "");
    const char *purpose = yaml_text(yaml, yaml_need(yaml, node, "purpose"), "");
    yaml_node body = yaml_need(yaml, node, "body");
    const char *text = body ? yaml_canonical(yaml, body) : NULL;
    json_t *json = text ? json_loads(text, JSON_REJECT_DUPLICATES, NULL) : NULL;
    if (body && !json_is_object(json))
        yaml_complain(yaml, body, "body: is a map of the type's fields");
    return json_pack("{s:s, s:s, s:o}", "type", type, "purpose", purpose, "body",
                     json ? json : json_object());
}

json_t *samples_load(const char *path, struct complaints *complaints) {
    static const char *const keys[] = {"samples", NULL};
    struct yaml *yaml = NULL;
    size_t before = complaints->count;
    json_t *all = json_object();
    if (yaml_open_file(path, complaints, &yaml) == 0 && yaml_only(yaml, yaml_root(yaml), keys)) {
        yaml_node map = yaml_need(yaml, yaml_root(yaml), "samples");
        if (map && (!yaml_is_map(map) || yaml_count(map) > SAMPLES_MAX))
            yaml_complain(yaml, map, "samples: is a map of at most %d names to {type, purpose, body}",
                          SAMPLES_MAX);
        for (size_t i = 0; yaml_is_map(map) && i < yaml_count(map) && i < SAMPLES_MAX; i++) {
            const char *name;
            yaml_node node;
            json_t *sample = yaml_pair(yaml, map, i, &name, &node) ? sample_read(yaml, node) : NULL;
            if (sample)
                json_object_set_new(all, name, sample);
        }
    }
    yaml_close(&yaml);
    if (complaints->count == before)
        return all;
    json_decref(all);
    return NULL;
}

/* --- Endpoints --------------------------------------------------------------------------------- */

/* The department that answers this sample's type; "" where the catalogue does not know it. */
static const char *sample_department(struct request *r, const json_t *sample, char ret[EST_NAME_MAX + 1]) {
    return shelf_department_of(r->gateway->shelf, json_string_value(json_object_get(sample, "type")), ret);
}

/* The file is read at each of these rare requests, so that a new sample needs no restart. */
static json_t *samples_now(struct request *r) {
    static _Thread_local struct complaints complaints;
    memset(&complaints, 0, offsetof(struct complaints, at));
    if (r->gateway->config.tests < 0) {
        request_problem(r, GW_NO_TESTS, "%s", "");
        return NULL;
    }
    json_t *samples = samples_load(r->gateway->config.samples, &complaints);
    for (size_t i = 0; i < complaints.kept; i++)
        log_line(LOG_LEVEL_ERROR, "%s: %s", complaints.at[i].where, complaints.at[i].text);
    if (!samples)
        request_problem(r, GW_NO_TESTS, "the samples' file cannot be read; the gateway's log says why");
    return samples;
}

void handle_samples(struct request *r) {
    json_t *samples = samples_now(r), *rows, *sample;
    const char *name;
    if (!samples)
        return;
    rows = json_array();
    json_object_foreach(samples, name, sample) {
        char department[EST_NAME_MAX + 1];
        const char *type = json_string_value(json_object_get(sample, "type"));
        json_t *row = shelf_titles_of(r->gateway->shelf, type);
        json_object_set_new(row, "name", json_string(name));
        json_object_set_new(row, "type", json_string(type));
        json_object_set(row, "purpose", json_object_get(sample, "purpose"));
        json_object_set_new(row, "department", json_string(sample_department(r, sample, department)));
        json_array_append_new(rows, row);
    }
    json_decref(samples);
    request_reply(r, MHD_HTTP_OK, json_pack("{s:o, s:n}", "rows", rows, "next"));
}

/* A test inquiry on its way. The sample's texts belong to the request's work. */
struct trial {
    struct question question;
    est_submit submit;
    struct buffer body;
    json_t *sample;
    char case_id[EST_CASE_MAX + 1];
};

static void trial_free(void *work) {
    struct trial *t = work;
    buffer_done(&t->body);
    json_decref(t->sample);
    free(t);
}

static int trial_send(struct ask *ask, est_client *client, uint64_t ref) {
    (void)ref;
    return est_client_submit(client, &((struct trial *)ask)->submit);
}

static void trial_done(struct ask *ask, const est_event *event) {
    struct request *r = ((struct question *)ask)->request;
    char location[64];
    if (event->kind == EST_EVENT_ACCEPTED) {
        request_reply(r, MHD_HTTP_ACCEPTED, view_receipt(event));
        snprintf(location, sizeof location, "/v1/inquiries/%llu", (unsigned long long)event->number);
        request_header(r, MHD_HTTP_HEADER_LOCATION, location);
    } else {
        request_refused(r, event);
    }
    request_resume(r);
}

/* Whose sample it is must agree with the path: nobody tries a department by accident. */
static json_t *sample_pick(struct request *r, const char *name) {
    char department[EST_NAME_MAX + 1];
    json_t *samples = samples_now(r);
    json_t *sample = json_incref(json_object_get(samples, name));
    if (samples && !sample)
        request_problem(r, EST_INVALID_FIELD, "sample: there is no sample of this name; see GET /v1/samples");
    else if (sample && strcmp(sample_department(r, sample, department), r->arguments[0]) != 0)
        request_problem(r, EST_INVALID_FIELD, "sample: it is answered by `%s`", department);
    json_decref(samples);
    if (!r->response)
        return sample;
    json_decref(sample);
    return NULL;
}

/* A file of the operator's: nobody has looked through it yet. */
static bool body_pack(const json_t *body, struct buffer *ret) {
    struct cursor c;
    est_slice whole;
    if (!json_to_msgpack(body, ret))
        return false;
    cursor_init(&c, buffer_slice(ret));
    return cursor_value(&c, &whole);
}

static void trial_start(struct request *r, json_t *take_sample, const char *reason) {
    struct trial *t = calloc(1, sizeof *t);
    if (!t) {
        json_decref(take_sample);
        request_problem(r, EST_NO_MEMORY, "%s", "");
        return;
    }
    t->question.request = r;
    t->sample = take_sample;
    buffer_init(&t->body);
    r->work = t;
    r->work_free = trial_free;
    est_id_new(&t->submit.id);
    snprintf(t->case_id, sizeof t->case_id, "test by %.50s", line_account(r->line));
    t->submit.case_id = t->case_id;
    t->submit.type = json_string_value(json_object_get(t->sample, "type"));
    t->submit.purpose = json_string_value(json_object_get(t->sample, "purpose"));
    if (!body_pack(json_object_get(t->sample, "body"), &t->body)) {
        request_problem(r, EST_INVALID_FIELD,
                        "sample: its body holds a real number, is too deep or has too many elements");
        return;
    }
    t->submit.body = buffer_slice(&t->body);
    log_line(LOG_LEVEL_INFO, "%s tries %s with %s: %s", line_account(r->line), r->arguments[0],
             t->submit.type, reason);
    t->question.ask = (struct ask){.send = trial_send, .done = trial_done, .id = t->submit.id};
    request_park(r);
    line_ask(r->gateway->lines[r->gateway->config.tests], &t->question.ask);
}

void handle_test(struct request *r) {
    static const char *const names[] = {"sample", "reason", NULL};
    struct form form = form_open(r, names);
    const char *name = form_text(&form, "sample", true, EST_TEXT_MAX);
    const char *reason = form_text(&form, "reason", true, EST_TEXT_MAX);
    json_t *sample = form_close(&form) ? sample_pick(r, name) : NULL;
    if (sample)
        trial_start(r, sample, reason);
}
