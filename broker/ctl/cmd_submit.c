/* cmd_submit.c - `submit`: one inquiry from the command line, or many from a file. */
#include "batchfile.h"
#include "catalogue.h"
#include "json.h"
#include "heap.h"
#include "run.h"
#include "say.h"
#include "submission.h"
#include "table.h"
#include "value.h"
#include "moment.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WAIT_DEFAULT_MS = 60 * 1000, BODY_FILE_MAX = 16 * EST_BODY_MAX };

/* --- One inquiry out of the arguments --------------------------------------------------------- */

/* The text of --body: itself, a file, or standard input. To be freed; NULL when it was told why not. */
static char *body_text(const char *option) {
    if (option[0] != '@')
        return heap_text(option, strlen(option));
    const char *path = option + 1;
    FILE *in = strcmp(path, "-") == 0 ? stdin : fopen(path, "r");
    if (!in) {
        say_error(EST_INPUT, "check the file's name and rights", "%s: %s", path, strerror(errno));
        return NULL;
    }
    char *text = heap_new(BODY_FILE_MAX + 1, 1);
    size_t size = fread(text, 1, BODY_FILE_MAX + 1, in);
    bool bad = ferror(in) || size > BODY_FILE_MAX || memchr(text, '\0', size);
    if (in != stdin)
        fclose(in);
    if (bad) {
        say_error(EST_INPUT, "give a JSON file of less than 1 MiB", "%s cannot be read as a body", path);
        free(text);
        return NULL;
    }
    text[size] = '\0';
    return text;
}

static int body_build(const struct call *call, const struct catalogue *catalogue, struct buffer *ret) {
    const struct ctype *type = catalogue ? catalogue_type(catalogue, slice_of(call->arguments[0])) : NULL;
    const char *option = call_value(call, "body");
    char *base = option ? body_text(option) : NULL;
    char why[VALUE_WHY_SIZE];
    json_t *body = NULL;
    if (option && !base)
        return EXIT_USAGE;
    int code =
        values_build(type ? &type->request : NULL, base, call->arguments + 1, call->count - 1, &body, why);
    free(base);
    if (code)
        return call_usage(call, "%s", why);
    bool packed = json_to_msgpack(body, ret);
    char fault[JSON_FAULT_SIZE];
    if (!packed)
        json_fault(body, fault);
    json_decref(body);
    return packed ? 0 : call_usage(call, "the body cannot be sent: %s", fault);
}

static int options_take(const struct call *call, struct submission *s) {
    const char *id = call_value(call, "id"), *deadline = call_value(call, "deadline");
    const char *texts[] = {call_value(call, "case"), call_value(call, "trace")};
    char **kept[] = {&s->case_id, &s->trace};
    if (id && est_id_parse(id, &s->id))
        return call_usage(call, "`%s` is not a UUID", id);
    if (!id)
        est_id_new(&s->id);
    if (deadline && moment_parse(deadline, moment_now(), &s->deadline))
        return call_usage(
            call, "`%s` is no time: a day such as 1405/12/01, 2025-03-21T09:30:00+03:30, or +SPAN such as \"+2 h\"",
            deadline);
    for (size_t i = 0; i < 2; i++)
        *kept[i] = texts[i] ? heap_text(texts[i], strlen(texts[i])) : NULL;
    return 0;
}

static int single_build(const struct call *call, const struct catalogue *catalogue, struct batch *ret) {
    if (call->count == 0)
        return call_usage(call, "an inquiry type is needed, or --batch FILE");
    struct submission *s = batch_add(ret);
    s->type = heap_text(call->arguments[0], strlen(call->arguments[0]));
    int status = options_take(call, s);
    return status ? status : body_build(call, catalogue, &s->body);
}

/* --- Printing --------------------------------------------------------------------------------- */

static const struct column SUBMISSION_COLUMNS[] = {
    {"type", "type", false, 0},
    {"title_en", "title", false, 40},
    {"id", "id", false, 0},
    {"number", "number", false, 0},
    {"tracking", "tracking code", false, 0},
    {"department", "department", false, 0},
    {"district", "district", false, 0},
    {"again", NULL, false, 0},
    {"received", "received", false, 0},
    {"due", "due", false, 0},
    {"state", "state", false, 0},
    {"ended", "ended", false, 0},
    {"outcome", "outcome", false, 0},
    {"code", "code", false, 0},
    {"text", NULL, false, 0},
    {"reason", "reason", false, 0},
    {"legal_ref", "legal reference", false, 0},
    {"valid_until", "valid until", false, 0},
    {"signer", "signer", false, 0},
    {"reply", "answer", false, 0},
    {"took_ms", "time taken", false, 0},
    {"title_fa", "عنوان", false, 0},
};

static void id_cell(struct table *table, const est_id *id) {
    char text[EST_ID_TEXT_SIZE];
    est_id_format(id, text);
    cell_cstr(table, text);
}

/* The time to the end, or to the receipt where that was all; none where the end is still to come. */
static void took_cell(struct table *table, const struct submission *s, bool results) {
    if (s->stage == STAGE_ENDED || (s->stage == STAGE_ACCEPTED && !results))
        cell_took(table, s->took_ms);
    else
        cell_none(table);
}

static void receipt_cells(struct table *table, const struct submission *s, const struct ctype *type) {
    cell_cstr(table, s->type);
    cell_cstr(table, type ? type->title_en : NULL);
    id_cell(table, &s->id);
    cell_number(table, s->number);
    cell_cstr(table, s->tracking);
    cell_cstr(table, s->department);
    cell_number(table, s->district);
    cell_bool(table, s->again);
    cell_time(table, s->received);
    cell_time(table, s->due);
}

static void end_cells(struct table *table, const struct submission *s, const struct ctype *type,
                      bool results) {
    cell_cstr(table, s->stage == STAGE_REFUSED ? "refused"
                     : s->number               ? est_state_name(s->state)
                                               : "unknown");
    cell_time(table, s->ended);
    cell_cstr(table, s->outcome ? est_outcome_name(s->outcome) : NULL);
    cell_cstr(table, s->code ? est_code_name(s->code) : NULL);
    cell_cstr(table, s->text);
    cell_cstr(table, s->reason);
    cell_cstr(table, s->legal_ref);
    cell_cstr(table, s->valid_until);
    cell_cstr(table, s->signer);
    cell_json(table, json_incref(s->reply));
    took_cell(table, s, results);
    cell_cstr(table, type ? type->title_fa : NULL);
}

static const struct ctype *type_of(const struct catalogue *catalogue, const struct submission *s) {
    return catalogue ? catalogue_type(catalogue, slice_of(s->type)) : NULL;
}

static void single_show(const struct call *call, const struct submission *s,
                        const struct catalogue *catalogue, bool results) {
    struct table *table =
        table_new(SUBMISSION_COLUMNS, sizeof SUBMISSION_COLUMNS / sizeof SUBMISSION_COLUMNS[0]);
    receipt_cells(table, s, type_of(catalogue, s));
    end_cells(table, s, type_of(catalogue, s), results);
    table_show_sheet(table, call);
    table_free(&table);
}

static void batch_show_json(const struct batch *batch, const struct catalogue *catalogue) {
    struct table *table =
        table_new(SUBMISSION_COLUMNS, sizeof SUBMISSION_COLUMNS / sizeof SUBMISSION_COLUMNS[0]);
    for (size_t i = 0; i < batch->count; i++) {
        receipt_cells(table, &batch->at[i], type_of(catalogue, &batch->at[i]));
        end_cells(table, &batch->at[i], type_of(catalogue, &batch->at[i]), true);
    }
    table_print_json(table, stdout);
    table_free(&table);
}

/* What became of it, in one word: the outcome, or why there is none. */
static const char *outcome_word(const struct submission *s) {
    if (s->stage == STAGE_REFUSED)
        return est_code_name(s->code);
    if (s->outcome)
        return est_outcome_name(s->outcome);
    return s->number ? est_state_name(s->state) : "not accepted";
}

/* The Persian title comes last, where a terminal that does not order it well does no harm. */
static void batch_show_table(const struct batch *batch, const struct catalogue *catalogue) {
    static const struct column columns[] = {
        {NULL, "inquiry", false, 0}, {NULL, "title", false, 44},  {NULL, "department", false, 0},
        {NULL, "outcome", false, 0}, {NULL, "answer", false, 56}, {NULL, "time", true, 0},
        {NULL, "عنوان", false, 0},
    };
    static const struct column bare[] = {
        {NULL, "inquiry", false, 0}, {NULL, NULL, false, 0},      {NULL, "department", false, 0},
        {NULL, "outcome", false, 0}, {NULL, "answer", false, 56}, {NULL, "time", true, 0},
        {NULL, NULL, false, 0},
    };
    struct table *table = table_new(catalogue ? columns : bare, sizeof columns / sizeof columns[0]);
    for (size_t i = 0; i < batch->count; i++) {
        const struct submission *s = &batch->at[i];
        const struct ctype *type = type_of(catalogue, s);
        cell_cstr(table, s->type);
        cell_cstr(table, type ? type->title_en : NULL);
        cell_cstr(table, s->department);
        cell_cstr(table, outcome_word(s));
        if (s->reply && json_object_size(s->reply))
            cell_json(table, json_incref(s->reply));
        else
            cell_cstr(table, s->reason);
        took_cell(table, s, true);
        cell_cstr(table, type ? type->title_fa : NULL);
    }
    if (table_rows(table))
        table_print(table, style_of(stdout), stdout);
    table_free(&table);
}

static void refusal_say(const struct submission *s, bool with_id) {
    char id[EST_ID_TEXT_SIZE], span[MOMENT_SPAN_SIZE];
    est_id_format(&s->id, id);
    say_error(s->code, NULL, "%s%s%s", with_id ? id : "", with_id ? ": " : "", s->text);
    for (size_t i = 0; i < s->defects_count; i++)
        say_defect(&s->defects[i]);
    moment_span(s->retry, span);
    if (s->retry.us > 0)
        say_remark("try again in %s", span);
}

/* --- Running ---------------------------------------------------------------------------------- */

static void receipt_say(const struct submission *s) {
    char id[EST_ID_TEXT_SIZE];
    est_id_format(&s->id, id);
    say_remark("accepted%s: id %s, number %llu, tracking code %s; waiting for %s", s->again ? " before" : "",
               id, (unsigned long long)s->number, s->tracking ? s->tracking : "-",
               s->department ? s->department : "the answer");
}

static int single_finish(const struct call *call, const struct submission *s,
                         const struct catalogue *catalogue, bool results) {
    char id[EST_ID_TEXT_SIZE];
    est_id_format(&s->id, id);
    if (s->stage == STAGE_REFUSED) {
        refusal_say(s, false);
        return submission_status(s, results);
    }
    if (s->number == 0) {
        say_error(EST_TIMEOUT, NULL,
                  "no receipt in time; it may have been accepted: submit it again with --id %s", id);
        return EXIT_UNREACHABLE;
    }
    single_show(call, s, catalogue, results);
    int status = submission_status(s, results);
    if (status == EXIT_UNANSWERED)
        say_error(EST_TIMEOUT, "ask with `estelam status`, or submit again with the same --id and --wait",
                  "no answer yet; the inquiry stays with the broker");
    else if (status == EXIT_ENDED)
        say_error(s->code ? s->code : EST_ATTEMPTS_EXHAUSTED, NULL, "no answer: the inquiry is %s",
                  est_state_name(s->state));
    return status;
}

static int batch_finish(const struct call *call, const struct batch *batch,
                        const struct catalogue *catalogue) {
    size_t answered = 0;
    for (size_t i = 0; i < batch->count; i++)
        answered += batch->at[i].state == EST_STATE_ANSWERED;
    if (call_json(call))
        batch_show_json(batch, catalogue);
    else
        batch_show_table(batch, catalogue);
    for (size_t i = 0; i < batch->count; i++)
        if (batch->at[i].stage == STAGE_REFUSED)
            refusal_say(&batch->at[i], true);
    say_remark("%zu of %zu answered", answered, batch->count);
    return batch_status(batch, true);
}

static void purposes_fill(const struct call *call, const struct section *section, struct batch *batch) {
    const char *purpose = call_value(call, "purpose");
    if (!purpose)
        purpose = section->purpose;
    for (size_t i = 0; purpose && i < batch->count; i++)
        if (!batch->at[i].purpose)
            batch->at[i].purpose = heap_text(purpose, strlen(purpose));
}

/* Only what came by an option, or as the type, can be too long here: of a file each line was looked at. */
static int lengths_check(const struct call *call, const struct batch *batch) {
    const char *name = NULL;
    size_t max;
    for (size_t i = 0; i < batch->count && !name; i++)
        name = submission_too_long(&batch->at[i], &max);
    if (!name)
        return 0;
    return call_usage(call, "%s%s is longer than %zu bytes", strcmp(name, "type") == 0 ? "the " : "--", name,
                      max);
}

static int batch_submit(const struct call *call, const struct profile *profile,
                        const struct catalogue *catalogue, struct batch *batch) {
    bool many = call_has(call, "batch");
    bool results = many || call_has(call, "wait");
    int wait_ms = results ? call_seconds(call, "wait", WAIT_DEFAULT_MS) : call_timeout(call);
    struct peer peer;
    if (wait_ms < 0)
        return EXIT_USAGE;
    struct flow_options options = {.results = results,
                                   .try_again = many,
                                   .wait_ms = wait_ms,
                                   .accepted = results && !many ? receipt_say : NULL};
    int status = peer_open(call, profile, SIDE_REQUESTER, results ? 1 : 0, &peer);
    if (!status) {
        status = batch_run(batch, &peer, &options);
        int said =
            many ? batch_finish(call, batch, catalogue) : single_finish(call, batch->at, catalogue, results);
        status = status ? status : said;
    }
    peer_close(&peer);
    return status;
}

/* With no time at all nothing would be sent, and the end would look as if nobody had answered. */
static int wait_check(const struct call *call) {
    int wait_ms = call_seconds(call, "wait", WAIT_DEFAULT_MS);
    if (wait_ms == 0 && call_has(call, "batch"))
        return call_usage(
            call, "--wait takes at least 1 second: a batch ends with the answers, or when it is over");
    if (wait_ms == 0)
        return call_usage(call, "--wait takes at least 1 second; leave it out to wait for the receipt alone");
    return wait_ms < 0 ? EXIT_USAGE : 0;
}

int run_submit(const struct call *call) {
    struct profile profile;
    struct catalogue *catalogue = NULL;
    struct batch batch = {0};
    const char *file = call_value(call, "batch");
    if (file && call->count)
        return call_usage(call, "--batch takes types and fields from the file, not from the command line");
    int status = wait_check(call);
    if (status)
        return status;
    status = profile_load(call, &profile);
    if (!status)
        status = profile_catalogue(call, &profile, &catalogue);
    if (!status)
        status = file ? batch_read(call, file, &batch) : single_build(call, catalogue, &batch);
    if (!status) {
        purposes_fill(call, profile_section(&profile, SIDE_REQUESTER), &batch);
        status = lengths_check(call, &batch);
    }
    if (!status)
        status = batch_submit(call, &profile, catalogue, &batch);
    batch_done(&batch);
    catalogue_free(&catalogue);
    profile_done(&profile);
    return status;
}
