/* cmd_config.c - configurations, read as the broker reads them. */
#include "catalogue.h"
#include "heap.h"
#include "profile.h"
#include "run.h"
#include "say.h"
#include "table.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* A folder is a catalogue, a file a broker's. 0, or an exit status when it was told why not. */
static int config_is_folder(const char *path, bool *ret) {
    struct stat info;
    if (stat(path, &info)) {
        say_error(EST_INPUT, "name a broker.yaml or a catalogue's folder", "%s: %s", path, strerror(errno));
        return EXIT_USAGE;
    }
    *ret = S_ISDIR(info.st_mode);
    return 0;
}

static void complaints_json(const struct complaints *complaints) {
    static const struct column columns[] = {{"where", "", false, 0}, {"text", "", false, 0}};
    struct table *table = table_new(columns, 2);
    for (size_t i = 0; i < complaints->kept; i++) {
        cell_cstr(table, complaints->at[i].where);
        cell_cstr(table, complaints->at[i].text);
    }
    table_print_json(table, stdout);
    table_free(&table);
}

static void config_summary(const char *path, const struct catalogue *catalogue) {
    printf("%s: good: %s (%s), %zu departments, %zu inquiry types, %u districts", path, catalogue->city.name,
           catalogue->city.title_en ? catalogue->city.title_en : "", catalogue->departments_count,
           catalogue->types_count, catalogue->city.districts_last);
    if (catalogue->accounts_count)
        printf(", %zu accounts", catalogue->accounts_count);
    putchar('\n');
}

int run_config_check(const struct call *call) {
    const char *path = call->arguments[0];
    struct catalogue *catalogue = NULL;
    bool folder = false;
    int status = config_is_folder(path, &folder);
    if (status)
        return status;
    struct complaints *complaints = heap_new(1, sizeof *complaints);
    int code = folder ? catalogue_load_city(path, &catalogue, complaints)
                      : catalogue_load(path, &catalogue, complaints);
    if (code && complaints->count == 0)
        say_error(code, NULL, "%s cannot be read", path);
    else if (code && call_json(call))
        complaints_json(complaints);
    else if (code)
        say_complaints(complaints);
    else if (!call_json(call))
        config_summary(path, catalogue);
    catalogue_free(&catalogue);
    heap_free((void **)&complaints);
    return code ? EXIT_NO : EXIT_OK;
}

/* --- Showing ---------------------------------------------------------------------------------- */

static const char *mode_name(enum mode mode) {
    static const char *const names[] = {"", "automatic", "automatic-then-clerk", "clerk", "visit"};
    return mode <= MODE_VISIT ? names[mode] : "";
}

static void purposes_cell(struct table *table, const struct city *city, const struct ctype *type) {
    json_t *names = json_array();
    for (size_t i = 0; i < city->purposes_count; i++)
        if (type->purposes & (UINT32_C(1) << i))
            json_array_append_new(names, json_string(city->purposes[i]));
    cell_json(table, names);
}

static void outcomes_cell(struct table *table, const struct ctype *type) {
    json_t *names = json_array();
    for (unsigned outcome = 1; outcome < 32; outcome++)
        if (type->outcomes & (UINT32_C(1) << outcome))
            json_array_append_new(names, json_string(est_outcome_name((enum est_outcome)outcome)));
    cell_json(table, names);
}

static void reasons_cell(struct table *table, const struct ctype *type) {
    json_t *reasons = json_array();
    for (size_t i = 0; i < type->reasons_count; i++)
        json_array_append_new(reasons,
                              json_pack("{s:s, s:s, s:s}", "code", type->reasons[i], "title_fa",
                                        type->reason_titles[i].fa, "title_en", type->reason_titles[i].en));
    cell_json(table, reasons);
}

static json_t *group_names(const struct ctype *type, uint64_t group) {
    json_t *names = json_array();
    for (size_t i = 0; i < type->request.count; i++)
        if (group >> i & 1)
            json_array_append_new(names, json_string(type->request.fields[i].name));
    return names;
}

static void one_of_cell(struct table *table, const struct ctype *type) {
    json_t *groups = json_array();
    for (size_t i = 0; i < type->one_of_count; i++)
        json_array_append_new(groups, group_names(type, type->one_of[i]));
    cell_json(table, groups);
}

static void types_show(const struct call *call, const struct catalogue *catalogue) {
    static const struct column columns[] = {
        {"type", "type", false, 0},          {"title_en", "title", false, 44},
        {"department", "answers", false, 0}, {"owner", NULL, false, 0},
        {"operator", NULL, false, 0},        {"mode", "mode", false, 0},
        {"target", "target", false, 0},      {"statutory", "statutory", false, 0},
        {"silence", "silence", false, 40},   {"legal_basis", NULL, false, 0},
        {"legal_mark", "law", false, 0},     {"confidential", "confidential", false, 0},
        {"title_fa", "عنوان", false, 0},     {"purposes", NULL, false, 0},
        {"outcomes", NULL, false, 0},        {"reasons", NULL, false, 0},
        {"one_of", NULL, false, 0},
    };
    struct table *table = table_new(columns, sizeof columns / sizeof columns[0]);
    for (size_t i = 0; i < catalogue->types_count; i++) {
        const struct ctype *type = &catalogue->types[i];
        const char *cells[] = {type->name,      type->title_en,        type->department, type->owner,
                               type->operator_, mode_name(type->mode), type->target,     type->statutory,
                               type->silence,   type->legal_title,     type->legal_mark};
        for (size_t c = 0; c < sizeof cells / sizeof cells[0]; c++)
            cell_cstr(table, cells[c]);
        cell_bool(table, type->confidential);
        cell_cstr(table, type->title_fa);
        purposes_cell(table, &catalogue->city, type);
        outcomes_cell(table, type);
        reasons_cell(table, type);
        one_of_cell(table, type);
    }
    table_show(table, call);
    table_free(&table);
}

/* "1…2000", "at least 0", "at most 200 characters"; nothing where any number will do. */
static size_t bounds_write(const struct field *field, char *ret, size_t size) {
    bool is_text = field->kind == FIELD_TEXT || field->kind == FIELD_CODE;
    const char *unit = is_text ? " characters" : "";
    int64_t min = field_min(field);
    bool least = min != INT64_MIN && !(is_text && min == 0);
    bool most = field->max != INT64_MAX;
    if (least && most)
        return (size_t)snprintf(ret, size, "%" PRId64 "…%" PRId64 "%s", min, field->max, unit);
    if (least || most)
        return (size_t)snprintf(ret, size, "at %s %" PRId64 "%s", least ? "least" : "most",
                                least ? min : field->max, unit);
    return 0;
}

static bool is_bounded(enum field_kind kind) {
    return kind == FIELD_INT || kind == FIELD_M2 || kind == FIELD_RIAL || kind == FIELD_TEXT ||
           kind == FIELD_CODE;
}

static void range_add(struct table *table, const struct field *field) {
    char text[400] = "";
    size_t used = is_bounded(field->kind) ? bounds_write(field, text, sizeof text) : 0;
    for (size_t i = 0; i < field->choices_count && used < sizeof text; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", i ? "|" : "", field->choices[i]);
    if (field->list && field->items_min)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%u to %u%s", used ? ", " : "",
                 field->items_min, field->items_max, used ? " of them" : "");
    else if (field->list)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%sat most %u%s", used ? ", " : "",
                 field->items_max, used ? " of them" : "");
    if (field->not_before)
        snprintf(text + strlen(text), sizeof text - strlen(text), "not before `%s`", field->not_before->name);
    cell_cstr(table, text);
}

/* `use=home`, and what people read in its place. */
static void choices_add(struct table *table, const char *part, const char *path, const struct field *field) {
    for (size_t i = 0; i < field->choices_count; i++) {
        char choice[EST_DEFECT_PATH_MAX + EST_NAME_MAX + 1];
        if (!field->choice_titles[i].fa)
            continue;
        snprintf(choice, sizeof choice, "%s=%s", path, field->choices[i]);
        cell_cstr(table, part);
        cell_cstr(table, choice);
        cell_cstr(table, "choice");
        cell_none(table);
        cell_none(table);
        cell_cstr(table, field->choice_titles[i].en);
        cell_cstr(table, field->choice_titles[i].fa);
    }
}

static void fields_add(struct table *table, const char *part, const char *prefix, const struct field *fields,
                       size_t count) {
    for (size_t i = 0; i < count; i++) {
        const struct field *field = &fields[i];
        char path[EST_DEFECT_PATH_MAX], kind[32];
        snprintf(path, sizeof path, "%s%s", prefix, field->name);
        snprintf(kind, sizeof kind, "%s%s", field_kind_name(field->kind), field->list ? "[]" : "");
        cell_cstr(table, part);
        cell_cstr(table, path);
        cell_cstr(table, kind);
        cell_bool(table, field->required);
        range_add(table, field);
        cell_cstr(table, field->title_en);
        cell_cstr(table, field->title_fa);
        choices_add(table, part, path, field);
        if (field->fields_count && strlen(path) + 2 < sizeof path) {
            strcat(path, ".");
            fields_add(table, part, path, field->fields, field->fields_count);
        }
    }
}

/* A row for each group, after the request's fields: `one_of`, and the fields of which one is needed. */
static void groups_add(struct table *table, const struct ctype *type) {
    for (size_t g = 0; g < type->one_of_count; g++) {
        char names[EST_DEFECT_TEXT_MAX] = "";
        size_t used = 0;
        for (size_t i = 0; i < type->request.count && used < sizeof names; i++)
            if (type->one_of[g] >> i & 1)
                used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", used ? "|" : "",
                                         type->request.fields[i].name);
        const char *cells[] = {"one_of", names, NULL};
        for (size_t i = 0; i < 3; i++)
            cell_cstr(table, cells[i]);
        cell_bool(table, true);
        cell_cstr(table, "at least one of these");
        cell_none(table);
        cell_none(table);
    }
}

static void reasons_add(struct table *table, const struct ctype *type) {
    for (size_t i = 0; i < type->reasons_count; i++) {
        cell_cstr(table, "reason");
        cell_cstr(table, type->reasons[i]);
        cell_none(table);
        cell_none(table);
        cell_none(table);
        cell_cstr(table, type->reason_titles[i].en);
        cell_cstr(table, type->reason_titles[i].fa);
    }
}

static int type_show(const struct call *call, const struct catalogue *catalogue, const char *name) {
    static const struct column columns[] = {
        {"part", "part", false, 0},       {"field", "field", false, 0},  {"kind", "kind", false, 0},
        {"required", "needed", false, 0}, {"range", "range", false, 60}, {"title_en", "title", false, 40},
        {"title_fa", "عنوان", false, 0},
    };
    const struct ctype *type = catalogue_type(catalogue, slice_of(name));
    if (!type) {
        say_error(EST_UNKNOWN_TYPE, "`estelam config show FOLDER` lists them",
                  "the catalogue has no type `%s`", name);
        return EXIT_NO;
    }
    struct table *table = table_new(columns, sizeof columns / sizeof columns[0]);
    fields_add(table, "request", "", type->request.fields, type->request.count);
    groups_add(table, type);
    fields_add(table, "reply", "", type->reply.fields, type->reply.count);
    reasons_add(table, type);
    table_show(table, call);
    table_free(&table);
    return EXIT_OK;
}

int run_config_show(const struct call *call) {
    struct catalogue *catalogue = NULL;
    int status = profile_catalogue_open(call->arguments[0], &catalogue);
    if (status)
        return status;
    if (call->count > 1)
        status = type_show(call, catalogue, call->arguments[1]);
    else
        types_show(call, catalogue);
    catalogue_free(&catalogue);
    return status;
}
