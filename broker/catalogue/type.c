/* type.c - inquiry types: from types/ *.yaml when the catalogue is loaded, and from a stored
 * definition when an inquiry began under an older version. Both go through load_type, so that a
 * definition means tomorrow what it meant when it was written.
 */
#include "load.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TYPE_FILES_MAX = 1024, REASONS_MAX = 256 };

/* --- Parts of a type -------------------------------------------------------------------------- */

/* Who owns, answers and operates it: three parties, each accountable, none to be left out. */
static void load_parties(struct loader *loader, struct yaml *yaml, yaml_node node, struct ctype *ret) {
    ret->owner = load_department(loader, yaml, yaml_need(yaml, node, "owner"));
    ret->department = load_department(loader, yaml, yaml_need(yaml, node, "answerer"));
    ret->operator_ = load_department(loader, yaml, yaml_need(yaml, node, "operator"));
}

static void load_terms(struct loader *loader, struct yaml *yaml, yaml_node node, struct ctype *ret) {
    ret->target = load_term(loader, yaml, yaml_need(yaml, node, "target"));
    ret->statutory = load_term(loader, yaml, yaml_get(node, "statutory"));
    yaml_node expires = yaml_need(yaml, node, "expires");
    ret->expires = yaml_span(yaml, expires, (est_span){EST_US_PER_S});
    if (ret->expires.us < EST_US_PER_S)
        yaml_complain(yaml, expires, "an inquiry waits for at least 1 s; raise it");
}

static void load_silence(struct loader *loader, struct yaml *yaml, yaml_node node, struct ctype *ret) {
    static const char *const words[] = {"escalate", "deemed-approved", "fail-closed"};
    static const char *const keys[] = {"inside", "outside", NULL};
    const size_t count = sizeof words / sizeof words[0];
    if (!yaml_is_map(node)) {
        int word = load_word(yaml, node, words, count);
        ret->silence = word < 0 ? NULL : words[word];
        return;
    }
    yaml_only(yaml, node, keys);
    yaml_node inside = yaml_need(yaml, node, "inside"), outside = yaml_need(yaml, node, "outside");
    int in = load_word(yaml, inside, words, count), out = load_word(yaml, outside, words, count);
    if (in >= 0 && out >= 0) {
        char text[64];
        snprintf(text, sizeof text, "inside %s, outside %s", words[in], words[out]);
        ret->silence = load_copy(loader, text);
    }
}

static void load_legal_basis(struct loader *loader, struct yaml *yaml, yaml_node node, struct ctype *ret) {
    static const char *const keys[] = {"title", "article", "date", "authority", "mark", NULL};
    static const char *const marks[] = {"V", "S", "C", "U", "P"};
    if (!yaml_only(yaml, node, keys) && !yaml_is_map(node))
        return;
    ret->legal_title = load_text(loader, yaml, yaml_need(yaml, node, "title"), EST_TEXT_MAX);
    ret->legal_article = load_text(loader, yaml, yaml_get(node, "article"), TITLE_MAX);
    ret->legal_date = load_text(loader, yaml, yaml_get(node, "date"), TITLE_MAX);
    ret->legal_authority = load_text(loader, yaml, yaml_get(node, "authority"), TITLE_MAX);
    int mark = load_word(yaml, yaml_need(yaml, node, "mark"), marks, sizeof marks / sizeof marks[0]);
    ret->legal_mark = mark < 0 ? NULL : marks[mark];
}

static void load_outcomes(struct yaml *yaml, yaml_node node, struct ctype *ret) {
#define OUTCOME_NAME(name, number, text) [number] = text,
    static const char *const names[] = {EST_OUTCOMES(OUTCOME_NAME)};
#undef OUTCOME_NAME
    if (!node)
        return;
    if (!yaml_is_list(node) || yaml_count(node) == 0)
        yaml_complain(yaml, node, "outcomes are a list such as [positive, negative, no-record]");
    for (size_t i = 0; i < yaml_count(node) && yaml_is_list(node); i++) {
        int outcome = load_word(yaml, yaml_at(node, i), names, sizeof names / sizeof names[0]);
        if (outcome < 0)
            continue;
        if (ret->outcomes & (UINT32_C(1) << outcome))
            yaml_complain(yaml, yaml_at(node, i), "the outcome `%s` is there twice; remove one",
                          names[outcome]);
        ret->outcomes |= UINT32_C(1) << outcome;
    }
}

static void load_reasons(struct loader *loader, struct yaml *yaml, yaml_node node, struct ctype *ret) {
    if (!node)
        return;
    size_t count = yaml_count(node);
    if (!yaml_is_map(node) || count == 0 || count > REASONS_MAX) {
        yaml_complain(yaml, node, "reasons are a map of 1 to %d codes and their texts; leave it out for none",
                      REASONS_MAX);
        return;
    }
    struct title *titles = arena_take_many(loader->arena, count, sizeof *titles);
    ret->reasons = arena_take_many(loader->arena, count, sizeof *ret->reasons);
    ret->reason_titles = titles;
    const char *code;
    yaml_node value;
    for (size_t i = 0; ret->reasons && titles && yaml_pair(yaml, node, i, &code, &value); i++) {
        load_key_name(yaml, value, name_is_valid, "a reason");
        titles[i] = load_title_of(loader, yaml, value);
        ret->reasons[i] = load_copy(loader, code);
    }
    ret->reasons_count = ret->reasons && titles ? count : 0;
}

static void load_bodies(struct loader *loader, struct yaml *yaml, yaml_node node, struct ctype *ret) {
    static const char *const keys[] = {"request", "reply"};
    struct schema *schemas[] = {&ret->request, &ret->reply};
    for (int i = 0; i < 2; i++) {
        yaml_node map = yaml_need(yaml, node, keys[i]);
        *schemas[i] = load_schema(loader, yaml, map, 1);
        if (yaml_is_map(map) && schema_depth(schemas[i]->fields, schemas[i]->count) > EST_DEPTH_MAX)
            yaml_complain(yaml, map, "bodies of these fields nest deeper than %d; flatten them",
                          EST_DEPTH_MAX);
    }
    if (yaml_is_map(yaml_get(node, "request")) && ret->request.count == 0)
        yaml_complain(yaml, yaml_get(node, "request"), "an inquiry asks about something; declare a field");
}

/* --- A whole type ----------------------------------------------------------------------------- */

/* {"name":…, and then the node's own pairs: the text that a version is known by. */
static const char *definition_make(struct loader *loader, struct yaml *yaml, yaml_node node,
                                   const char *name) {
    const char *body = yaml_canonical(yaml, node);
    if (!body)
        loader->arena->failed = true; /* a type without its text would be another version */
    if (!body || loader->stored)
        return load_copy(loader, body);
    size_t room = strlen(name) + strlen(body) + sizeof "{\"name\":\"\",";
    char *text = arena_take(loader->arena, room);
    if (text)
        snprintf(text, room, "{\"name\":\"%s\",%s", name, body + 1);
    return text;
}

bool load_type(struct loader *loader, struct yaml *yaml, yaml_node node, const char *name,
               struct ctype *ret) {
    static const char *const keys[] = {"title",       "owner",    "answerer",  "operator", "mode",
                                       "purposes",    "target",   "statutory", "expires",  "silence",
                                       "legal_basis", "outcomes", "reasons",   "request",  "reply",
                                       "one_of",      "confidential",
                                       "name",        NULL};
    static const char *const modes[] = {NULL, "automatic", "automatic-then-clerk", "clerk", "visit"};
    size_t before = loader->complaints->count;
    bool all;
    ret->name = load_copy(loader, name);
    if (!yaml_only(yaml, node, keys) && !yaml_is_map(node))
        return false;
    if (!loader->stored && yaml_get(node, "name"))
        yaml_complain_key(yaml, yaml_get(node, "name"), "unknown key `name`; a type is named by its own key");
    load_title(loader, yaml, node, true, &ret->title_fa, &ret->title_en);
    load_parties(loader, yaml, node, ret);
    int mode = load_word(yaml, yaml_need(yaml, node, "mode"), modes, sizeof modes / sizeof modes[0]);
    ret->mode = mode < 0 ? MODE_AUTOMATIC : (enum mode)mode;
    ret->purposes = load_purposes(loader, yaml, yaml_need(yaml, node, "purposes"), &all);
    struct type_parts good;
    size_t parts = loader->complaints->count;
    load_terms(loader, yaml, node, ret);
    good.terms = loader->complaints->count == parts;
    parts = loader->complaints->count;
    load_bodies(loader, yaml, node, ret);
    load_one_of(yaml, yaml_get(node, "one_of"), ret);
    good.bodies = loader->complaints->count == parts;
    load_silence(loader, yaml, yaml_need(yaml, node, "silence"), ret);
    load_legal_basis(loader, yaml, yaml_need(yaml, node, "legal_basis"), ret);
    load_outcomes(yaml, yaml_need(yaml, node, "outcomes"), ret);
    load_reasons(loader, yaml, yaml_get(node, "reasons"), ret);
    ret->confidential = yaml_bool(yaml, yaml_get(node, "confidential"), false);
    if (!loader->stored)
        type_check(loader, yaml, node, ret, good);
    ret->definition = definition_make(loader, yaml, node, name);
    return loader->complaints->count == before && !loader->arena->failed;
}

/* --- The folder ------------------------------------------------------------------------------- */

/* Types as they come in, before they are sorted. */
struct found {
    struct ctype type;
    const char *where;
    struct found *next;
};
struct finding {
    struct loader *loader;
    struct found *first, **last;
    size_t count;
    bool lost; /* something that may have held a type, or a type's name, could not be read */
};

static const struct found *found_by_name(const struct finding *finding, const char *name) {
    for (const struct found *found = finding->first; found; found = found->next) {
        if (strcmp(found->type.name, name) == 0)
            return found;
    }
    return NULL;
}

static void type_take(struct finding *finding, struct yaml *yaml, yaml_node node, const char *path) {
    struct loader *loader = finding->loader;
    const char *name = yaml_key(node);
    const struct found *before = found_by_name(finding, name);
    if (!load_key_name(yaml, node, name_is_valid, "a type") || before)
        finding->lost = true;
    if (before)
        yaml_complain_key(yaml, node, "the type `%.64s` is declared already, in %s; remove one", name,
                          before->where);
    if (strcmp(name, "all") == 0)
        yaml_complain_key(yaml, node, "`all` means every type; choose another name");
    struct found *found = arena_take(loader->arena, sizeof *found);
    if (!found)
        return;
    load_type(loader, yaml, node, name, &found->type);
    found->where = load_copy(loader, path);
    if (!found->type.name || !found->where)
        return;
    *finding->last = found;
    finding->last = &found->next;
    finding->count++;
}

static void type_file_load(struct finding *finding, const char *path) {
    static const char *const keys[] = {"types", NULL};
    struct yaml *yaml;
    if (yaml_open_file(path, finding->loader->complaints, &yaml) != 0) {
        finding->lost = true;
        return;
    }
    if (!yaml_only(yaml, yaml_root(yaml), keys))
        finding->lost = true;
    yaml_node types = yaml_need(yaml, yaml_root(yaml), "types");
    const char *name;
    yaml_node value;
    if (types && !yaml_is_map(types))
        yaml_complain(yaml, types, "types are a map of names");
    for (size_t i = 0; yaml_pair(yaml, types, i, &name, &value) && finding->count <= TYPES_EVER; i++)
        type_take(finding, yaml, value, path);
    yaml_close(&yaml);
}

static int is_yaml_file(const struct dirent *entry) {
    size_t size = strlen(entry->d_name);
    return entry->d_name[0] != '.' && size > 5 && strcmp(entry->d_name + size - 5, ".yaml") == 0;
}

static void type_files_load(struct finding *finding, const char *folder) {
    struct dirent **files = NULL;
    char path[4096];
    snprintf(path, sizeof path, "%s/types", folder);
    int count = scandir(path, &files, is_yaml_file, alphasort);
    if (count <= 0 || count > TYPE_FILES_MAX)
        complaints_add(finding->loader->complaints, path, "%s",
                       count > TYPE_FILES_MAX ? "too many files; put more types into each"
                       : count < 0 && errno != ENOENT
                           ? strerror(errno)
                           : "no types there; a city needs at least one, in types/NAME.yaml");
    for (int i = 0; i < count; i++) {
        int size = snprintf(path, sizeof path, "%s/types/%s", folder, files[i]->d_name);
        if (count <= TYPE_FILES_MAX && size > 0 && (size_t)size < sizeof path)
            type_file_load(finding, path);
        free(files[i]);
    }
    free(files);
}

void load_types(struct loader *loader, const char *folder, const struct ctype **ret, size_t *ret_count) {
    struct finding finding = {.loader = loader, .last = &finding.first};
    size_t before = loader->complaints->count;
    type_files_load(&finding, folder);
    struct ctype *types = arena_take_many(loader->arena, finding.count, sizeof *types);
    if (!types)
        return;
    size_t index = 0;
    for (const struct found *found = finding.first; found; found = found->next)
        types[index++] = found->type;
    qsort(types, finding.count, sizeof *types, named_compare);
    *ret = types;
    *ret_count = finding.count;
    loader->types_known = finding.count > 0 && !finding.lost;
    if (finding.count > TYPES_EVER)
        complaints_add(loader->complaints, folder, "more than %d types", TYPES_EVER);
    else if (finding.count == 0 && loader->complaints->count == before)
        complaints_add(loader->complaints, folder, "no types there; a city needs at least one");
}

/* --- Stored definitions ----------------------------------------------------------------------- */

/* What the caller sees, with the memory it lives in behind it. */
struct ctype_box {
    struct ctype type;
    struct arena arena;
};

static bool definition_load(est_slice definition, struct loader *loader, struct ctype *ret) {
    struct yaml *yaml;
    if (yaml_open_text(definition, "definition", loader->complaints, &yaml) != 0)
        return false;
    yaml_node name = yaml_need(yaml, yaml_root(yaml), "name");
    const char *text = yaml_text(yaml, name, NULL);
    bool good = text && name_is_valid(text) && load_type(loader, yaml, yaml_root(yaml), text, ret);
    yaml_close(&yaml);
    return good;
}

int ctype_parse(est_slice definition, const struct city *city, struct ctype **ret) {
    struct complaints *complaints = calloc(1, sizeof *complaints);
    struct ctype_box *box = calloc(1, sizeof *box);
    struct city copy = *city;
    int result = -EST_INPUT;
    if (complaints && box) {
        struct loader loader = {
            .arena = &box->arena, .complaints = complaints, .city = &copy, .stored = true};
        if (definition_load(definition, &loader, &box->type)) {
            *ret = &box->type;
            result = 0;
        }
    }
    free(complaints);
    if (result != 0 && box)
        arena_done(&box->arena);
    if (result != 0)
        free(box);
    return result;
}

void ctype_free(struct ctype **type) {
    if (!type || !*type)
        return;
    struct ctype_box *box = (struct ctype_box *)*type;
    arena_done(&box->arena);
    free(box);
    *type = NULL;
}
