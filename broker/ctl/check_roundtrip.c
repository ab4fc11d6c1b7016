/* check_roundtrip.c - the check that asks as a requester does: one stated inquiry, to its answer.
 *
 * The inquiry is real: it is in the log and the department answers it. So it is one that was agreed
 * with the department, and stands in the profile (requester.test) or on the command line.
 */
#include "catalogue.h"
#include "check_asks.h"
#include "heap.h"
#include "json.h"
#include "moment.h"
#include "say.h"
#include "submission.h"
#include "value.h"

#include <string.h>

/* The type and its fields: the arguments behind the check's name, else the profile's. */
static size_t words_find(const struct check_call *c, const struct section *section, const char *const **ret) {
    *ret = c->call->count > 1 ? c->call->arguments + 1 : section->test;
    if (c->call->count > 1)
        return c->call->count - 1;
    size_t count = 0;
    while (count < TEST_WORDS_MAX && section->test[count])
        count++;
    return count;
}

static int inquiry_build(const struct call *call, const struct profile *profile, const char *const *words,
                         size_t count, struct batch *ret) {
    const struct section *section = profile_section(profile, SIDE_REQUESTER);
    const char *purpose = call_value(call, "purpose") ? call_value(call, "purpose") : section->purpose;
    struct catalogue *catalogue = NULL;
    char why[VALUE_WHY_SIZE], fault[JSON_FAULT_SIZE];
    json_t *body = NULL;
    int status = profile_catalogue(call, profile, &catalogue);
    if (status)
        return status;
    struct submission *s = batch_add(ret);
    const struct ctype *type = catalogue ? catalogue_type(catalogue, slice_of(words[0])) : NULL;
    est_id_new(&s->id);
    s->type = heap_text(words[0], strlen(words[0]));
    s->purpose = purpose ? heap_text(purpose, strlen(purpose)) : NULL;
    int code = values_build(type ? &type->request : NULL, NULL, words + 1, count - 1, &body, why);
    if (code)
        status = call_usage(call, "%s", why);
    else if (!json_to_msgpack(body, &s->body)) {
        json_fault(body, fault);
        status = call_usage(call, "the fields cannot be sent: %s", fault);
    }
    json_decref(body);
    catalogue_free(&catalogue);
    return status;
}

/* A test inquiry that is not allowed or ill-formed says nothing about the city's service. */
static enum check_state refusal_state(int code) {
    return est_code_layer(code) == EST_LAYER_REQUESTER ? CHECK_UNKNOWN : CHECK_CRITICAL;
}

static void end_judge(struct verdict *v, const struct submission *s) {
    char span[MOMENT_SPAN_SIZE];
    int64_t took_ms = s->took_ms > 0 ? s->took_ms : 1; /* no way takes no time */
    moment_span((est_span){took_ms * EST_US_PER_MS}, span);
    if (s->stage == STAGE_REFUSED) {
        verdict_raise(v, refusal_state(s->code));
        verdict_say(v, "%s was refused: %s: %s", s->type, est_code_name(s->code), s->text ? s->text : "");
    } else if (s->state == EST_STATE_ANSWERED) {
        verdict_add(v, UNIT_SECONDS, (double)took_ms / 1e3, "roundtrip_seconds", "time");
        verdict_raise(v, verdict_judge(v, UNIT_SECONDS, (double)took_ms / 1e3));
        verdict_say(v, "%s answered %s in %s", s->department ? s->department : s->type,
                    est_outcome_name(s->outcome), span);
    } else if (s->number == 0) {
        verdict_raise(v, CHECK_CRITICAL);
        verdict_say(v, "%s had no receipt in time", s->type);
    } else {
        verdict_raise(v, CHECK_CRITICAL);
        verdict_say(v, "%s has no answer: inquiry %llu is %s at %s", s->type, (unsigned long long)s->number,
                    est_state_name(s->state), s->department ? s->department : "its department");
    }
}

int check_roundtrip(struct check_call *c) {
    struct batch batch = {0};
    struct profile profile;
    struct peer peer = {0};
    const char *const *words;
    int status = profile_load(c->call, &profile);
    size_t count = status ? 0 : words_find(c, profile_section(&profile, SIDE_REQUESTER), &words);
    if (!status && count == 0)
        status = call_usage(c->call, "no test inquiry is stated: give TYPE FIELD=VALUE…, or in the profile "
                                     "requester.test: [TYPE, FIELD=VALUE, …]");
    if (!status)
        status = inquiry_build(c->call, &profile, words, count, &batch);
    if (!status)
        status = peer_open(c->call, &profile, SIDE_REQUESTER, 1, &peer);
    if (!status) {
        struct flow_options options = {.results = true, .wait_ms = call_timeout(c->call)};
        status = batch_run(&batch, &peer, &options);
    }
    if (!status)
        end_judge(c->verdict, batch.at);
    peer_close(&peer);
    batch_done(&batch);
    profile_done(&profile);
    return status;
}
