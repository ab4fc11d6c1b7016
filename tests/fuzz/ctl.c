/* ctl.c - what people type: the command line's words, field=value, times, and lines of a batch.
 *
 * The first line says what the rest is:
 *
 *     args                  a word of the command line in each line
 *     fields [TYPE]         a FIELD=TEXT or FIELD:=JSON in each line, for a type of Tehran's
 *     base [TYPE]           the same; the first line is the body that they go on top of
 *     time                  a moment
 *     batch                 a batch file of JSON lines
 *     profile               a client.yaml
 *     show                  text out of somebody else's system, as it is shown on a terminal
 */
#include "fuzz.h"
#include "batchfile.h"
#include "catalogue.h"
#include "command.h"
#include "json.h"
#include "moment.h"
#include "profile.h"
#include "table.h"
#include "text.h"
#include "value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORDS_MAX = 64 };

/* --- Lines as words, of the same text ----------------------------------------------------------- */

static size_t words_cut(char *text, char *words[WORDS_MAX]) {
    size_t count = 0;
    for (char *line; count < WORDS_MAX && (line = strsep(&text, "\n"));)
        words[count++] = line;
    return count;
}

static void args_parse(char *text, est_slice line) {
    (void)line;
    char *words[WORDS_MAX];
    struct call call;
    int status = call_parse(&call, (int)words_cut(text, words), words);
    CLAIM(status == 0 || status == EXIT_USAGE, "a status of its own");
    if (status == 0 && call.command && !call.help) {
        CLAIM(call.count >= call.command->min && call.count <= call.command->max,
              "too few or too many arguments");
        CLAIM(call_timeout(&call) >= 0, "a timeout that was not looked at");
        for (const struct option *o = call.command->options; o->name; o++)
            CLAIM(call_has(&call, o->name) || !o->needed, "an option is missing");
    }
    CLAIM(status != 0 || call.command || call.help, "neither a command nor help");
    call_done(&call);
}

/* --- Fields ------------------------------------------------------------------------------------ */

static const struct schema *schema_of(est_slice name) {
    static struct catalogue *tehran;
    static struct complaints complaints;
    if (!tehran)
        catalogue_load_city(FUZZ_DEPLOY "/tehran", &tehran, &complaints);
    CLAIM(tehran, "Tehran's catalogue does not load");
    const struct ctype *type = catalogue_type(tehran, name);
    return type ? &type->request : NULL;
}

static void body_pack(const json_t *body) {
    struct buffer packed;
    struct cursor c;
    est_slice value;
    buffer_init(&packed);
    CLAIM(json_is_object(body), "a body that is no object");
    if (json_to_msgpack(body, &packed)) {
        cursor_init(&c, buffer_slice(&packed));
        CLAIM((cursor_value(&c, &value) && cursor_left(&c) == 0) || packed.size > EST_ITEMS_MAX,
              "what was typed is no value");
    }
    buffer_done(&packed);
}

static void fields_build(const char *base, char **words, size_t count, est_slice type) {
    char why[VALUE_WHY_SIZE] = "";
    json_t *body = NULL;
    if (values_build(schema_of(type), base, (const char *const *)words, count, &body, why)) {
        CLAIM(why[0] && memchr(why, 0, sizeof why), "refused without a reason");
        return;
    }
    body_pack(body);
    json_decref(body);
}

static void fields_read(char *text, est_slice line) {
    char *words[WORDS_MAX];
    fields_build(NULL, words, words_cut(text, words), line);
}

static void base_read(char *text, est_slice line) {
    char *words[WORDS_MAX];
    size_t count = words_cut(text, words);
    fields_build(words[0], words + 1, count - 1, line);
}

/* --- Times ------------------------------------------------------------------------------------- */

static void time_read(char *text, est_slice line) {
    (void)line;
    const est_time now = {INT64_C(1760000000123456)};
    char utc[MOMENT_SIZE], local[MOMENT_SIZE], span[MOMENT_SPAN_SIZE];
    est_time at = now, again = {0};
    if (moment_parse(text, now, &at)) {
        CLAIM(at.us == now.us, "a refused time changed its place");
        return;
    }
    moment_utc(at, utc);
    moment_local(at, local);
    moment_span((est_span){at.us - now.us}, span);
    CLAIM(at.us == 0 || (utc[0] && local[0] && span[0]), "a time that cannot be shown");
    if (at.us >= 0 && utc[0] && strlen(utc) == strlen("2025-03-21T06:00:00.000000Z")) {
        CLAIM(moment_parse(utc, now, &again) == 0, "our own form is refused");
        CLAIM(again.us == at.us, "our own form is another time");
    }
}

/* --- Batches ----------------------------------------------------------------------------------- */

static void batch_run_over(char *text, est_slice line) {
    (void)line;
    char *words[] = {"submit", "--batch", "lines"};
    struct call call;
    struct batch batch = {0};
    CLAIM(call_parse(&call, 3, words) == 0, "submit --batch is no command");
    fuzz_write("lines", slice_of(text));
    if (batch_read(&call, fuzz_path("lines"), &batch) == 0) {
        CLAIM(batch.count > 0, "a batch of nothing");
        for (size_t i = 0; i < batch.count; i++)
            CLAIM(batch.at[i].type && batch.at[i].body.size > 0, "a line without a type or body");
    }
    batch_done(&batch);
    call_done(&call);
}

/* --- Profiles ---------------------------------------------------------------------------------- */

static void profile_read_back(char *text, est_slice line) {
    (void)line;
    fuzz_write("client.yaml", slice_of(text));
    char *words[] = {"queues", "--profile", (char *)fuzz_path("client.yaml")};
    struct call call;
    struct profile profile;
    CLAIM(call_parse(&call, 3, words) == 0, "queues --profile is no command");
    if (profile_load(&call, &profile) == 0) {
        const struct section *section = profile_section(&profile, SIDE_REQUESTER);
        CLAIM(section->present && section->endpoints[0], "a profile that leads nowhere");
    }
    profile_done(&profile);
    call_done(&call);
}

/* --- What is shown ----------------------------------------------------------------------------- */

static void table_of(est_slice text, const struct style *style, FILE *out) {
    static const struct column columns[] = {{"a", "text", false, 20}, {"b", "body", false, 0}};
    struct table *table = table_new(columns, 2);
    cell_text(table, text);
    cell_json(table, json_pack("{s:o?,s:i}", "x", json_stringn(text.data, text.size), "y", 1));
    table_print(table, *style, out);
    table_print_sheet(table, *style, out);
    table_print_json(table, out);
    table_free(&table);
}

/* No byte of it may reach the terminal as a control. */
static void text_show(char *text, est_slice line) {
    (void)line;
    static const struct style styles[] = {{true, 30}, {true, 0}, {false, 0}};
    static FILE *null;
    est_slice whole = slice_of(text);
    char *clean = text_clean(whole);
    CLAIM(utf8_is_valid(slice_of(clean)), "clean text is not UTF-8");
    for (const char *c = clean; *c; c++)
        CLAIM((unsigned char)*c >= 0x20 && *c != 0x7f, "clean text has a control");
    CLAIM(text_fit(clean, text_width(clean)) == strlen(clean), "a text does not fit into its own width");
    CLAIM(text_width(clean) < 3 || text_fit(clean, 2) <= strlen(clean), "more fits than there is");
    free(clean);
    if (!null)
        null = fopen("/dev/null", "we");
    for (size_t i = 0; null && i < sizeof styles / sizeof styles[0]; i++)
        table_of(whole, &styles[i], null);
    text_clean_in_place(text);
    CLAIM(utf8_is_valid(slice_of(text)), "text cleaned in place is not UTF-8");
}

/* --- The target -------------------------------------------------------------------------------- */

static const struct grammar {
    const char *name;
    void (*read)(char *text, est_slice line);
} grammars[] = {
    {"args", args_parse},      {"fields", fields_read},        {"base", base_read}, {"time", time_read},
    {"batch", batch_run_over}, {"profile", profile_read_back}, {"show", text_show},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static bool ready;
    if (!ready)
        text_locale(), fuzz_quiet();
    ready = true;
    est_slice rest = {data, size}, line = fuzz_line(&rest), name = fuzz_word(&line);
    for (size_t i = 0; i < sizeof grammars / sizeof grammars[0]; i++)
        if (fuzz_is(name, grammars[i].name))
            grammars[i].read(fuzz_text(rest), line);
    return 0;
}
