/* shelf.c - see shelf.h. */
#include "shelf.h"
#include "catalogue.h"
#include "defect.h"
#include "log.h"
#include "request.h"
#include "route.h"
#include "view.h"

#include <dirent.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { LOOK_EVERY_S = 2, FILES_MAX = 1024 /* of types; the catalogue takes no more */ };

struct shelf {
    const char *folder;
    pthread_mutex_t lock;
    uint64_t stamp; /* of the files as they were read */
    int64_t looked_us;
    json_t *city, *types, *departments, *purposes; /* replaced as a whole, never changed */
};

/* --- Types, fields, departments ---------------------------------------------------------------- */

static json_t *fields_json(const struct schema *schema);

/* Of the choices that have titles; the others are read as they are. */
static json_t *choice_titles_json(const struct field *f) {
    json_t *titles = json_object();
    for (size_t i = 0; i < f->choices_count; i++)
        if (f->choice_titles[i].fa)
            json_object_set_new(titles, f->choices[i],
                                json_pack("{s:s, s:s?}", "title_fa", f->choice_titles[i].fa, "title_en",
                                          f->choice_titles[i].en));
    return titles;
}

static json_t *field_json(const struct field *f) {
    const char *kind = field_kind_name(f->kind);
    json_t *json =
        json_pack("{s:s, s:s?, s:s?, s:s?, s:b, s:b}", "name", f->name, "kind", kind, "title_fa", f->title_fa,
                  "title_en", f->title_en, "required", (int)f->required, "list", (int)f->list);
    struct schema parts = {f->fields, f->fields_count};
    if (f->list) {
        json_object_set_new(json, "items_min", json_integer(f->items_min));
        json_object_set_new(json, "items_max", json_integer(f->items_max));
    }
    if (f->kind == FIELD_INT || f->kind == FIELD_M2 || f->kind == FIELD_RIAL || f->kind == FIELD_TEXT ||
        f->kind == FIELD_CODE) {
        json_object_set_new(json, "min", json_integer(field_min(f)));
        json_object_set_new(json, "max", json_integer(f->max));
    }
    if (f->choices_count) {
        json_t *choices = json_array();
        for (size_t i = 0; i < f->choices_count; i++)
            json_array_append_new(choices, json_string(f->choices[i]));
        json_object_set_new(json, "choices", choices);
        json_object_set_new(json, "choice_titles", choice_titles_json(f));
    }
    if (f->not_before)
        json_object_set_new(json, "not_before", json_string(f->not_before->name));
    if (f->kind == FIELD_RECORD)
        json_object_set_new(json, "fields", fields_json(&parts));
    return json;
}

static json_t *fields_json(const struct schema *schema) {
    json_t *list = json_array();
    for (size_t i = 0; i < schema->count; i++)
        json_array_append_new(list, field_json(&schema->fields[i]));
    return list;
}

static const char *mode_name(enum mode mode) {
    static const char *const names[] = {NULL, "automatic", "automatic-then-clerk", "clerk", "visit"};
    return names[mode];
}

static json_t *purposes_json(const struct city *city, uint32_t bits) {
    json_t *list = json_array();
    for (size_t i = 0; i < city->purposes_count; i++)
        if (bits & 1u << i)
            json_array_append_new(list, json_string(city->purposes[i]));
    return list;
}

static json_t *outcomes_json(uint32_t bits) {
    json_t *list = json_array();
    for (int i = EST_OUTCOME_POSITIVE; i <= EST_OUTCOME_NOT_MINE; i++)
        if (bits & 1u << i)
            json_array_append_new(list, json_string(est_outcome_name((enum est_outcome)i)));
    return list;
}

static json_t *reasons_json(const struct ctype *t) {
    json_t *list = json_array();
    for (size_t i = 0; i < t->reasons_count; i++)
        json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "code", t->reasons[i], "title_fa",
                                              t->reason_titles[i].fa, "title_en", t->reason_titles[i].en));
    return list;
}

static json_t *one_of_json(const struct ctype *t) {
    json_t *groups = json_array();
    for (size_t i = 0; i < t->one_of_count; i++) {
        json_t *group = json_array();
        for (size_t k = 0; k < t->request.count; k++)
            if (t->one_of[i] >> k & 1)
                json_array_append_new(group, json_string(t->request.fields[k].name));
        json_array_append_new(groups, group);
    }
    return groups;
}

static json_t *type_json(const struct city *city, const struct ctype *t) {
    return json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s?, s:s?, s:s?, s:o, s:o, s:o, s:{s:s?, s:s?, s:s?, s:s?, s:s?}, "
        "s:I, s:b, s:o, s:o, s:o}",
        "name", t->name, "title_fa", t->title_fa, "title_en", t->title_en, "department", t->department,
        "owner", t->owner, "operator", t->operator_, "mode", mode_name(t->mode), "target", t->target, "statutory", t->statutory, "silence", t->silence,
        "purposes", purposes_json(city, t->purposes), "outcomes", outcomes_json(t->outcomes), "reasons",
        reasons_json(t), "legal_basis", "title", t->legal_title, "article", t->legal_article, "date",
        t->legal_date, "authority", t->legal_authority, "mark", t->legal_mark, "expires_s",
        (json_int_t)(t->expires.us / EST_US_PER_S), "confidential", (int)t->confidential, "request",
        fields_json(&t->request), "one_of", one_of_json(t), "reply", fields_json(&t->reply));
}

static json_t *department_json(const struct department *d) {
    return json_pack("{s:s, s:s?, s:s?, s:b}", "name", d->name, "title_fa", d->title_fa, "title_en",
                     d->title_en, "outside", (int)d->outside);
}

/* The broker has no use for the titles of purposes, so the catalogue does not keep them: they are read
 * from the city's file, which has been checked already. */
static json_t *purpose_json(const char *folder, const char *name) {
    static struct complaints none;
    char path[4096];
    struct yaml *yaml = NULL;
    snprintf(path, sizeof path, "%s/city.yaml", folder);
    memset(&none, 0, offsetof(struct complaints, at));
    yaml_node root = yaml_open_file(path, &none, &yaml) == 0 ? yaml_root(yaml) : NULL;
    yaml_node title = yaml_get(yaml_get(yaml_get(root, "purposes"), name), "title");
    json_t *json = json_pack("{s:s, s:s?, s:s?}", "name", name, "title_fa", yaml_word(yaml_get(title, "fa")),
                             "title_en", yaml_word(yaml_get(title, "en")));
    yaml_close(&yaml);
    return json;
}

/* --- Reading ----------------------------------------------------------------------------------- */

static void json_swap(json_t **at, json_t *fresh) {
    json_decref(*at);
    *at = fresh;
}

static void shelf_fill(struct shelf *shelf, const struct catalogue *c) {
    json_t *types = json_array(), *departments = json_array(), *purposes = json_array();
    for (size_t i = 0; i < c->types_count; i++)
        json_array_append_new(types, type_json(&c->city, &c->types[i]));
    for (size_t i = 0; i < c->departments_count; i++)
        json_array_append_new(departments, department_json(&c->departments[i]));
    for (size_t i = 0; i < c->city.purposes_count; i++)
        json_array_append_new(purposes, purpose_json(shelf->folder, c->city.purposes[i]));
    json_swap(&shelf->types, types);
    json_swap(&shelf->departments, departments);
    json_swap(&shelf->purposes, purposes);
    json_swap(&shelf->city, json_pack("{s:s, s:s?, s:s?}", "name", c->city.name, "title_fa", c->city.title_fa,
                                      "title_en", c->city.title_en));
}

static uint64_t file_mix(uint64_t mix, const char *folder, const char *name) {
    char path[4096];
    struct stat s = {0};
    snprintf(path, sizeof path, "%s/%s", folder, name);
    stat(path, &s);
    uint64_t values[] = {(uint64_t)s.st_size, (uint64_t)s.st_mtim.tv_sec, (uint64_t)s.st_mtim.tv_nsec,
                         s.st_ino};
    for (size_t v = 0; v < 4; v++)
        mix = (mix ^ values[v]) * 1099511628211u;
    return mix;
}

/* A file that is edited in place leaves its folder as it was. The folder gives them in any order, so they
 * are added up. */
static uint64_t types_mix(uint64_t seed, const char *folder) {
    char path[4096];
    snprintf(path, sizeof path, "%s/types", folder);
    DIR *types = opendir(path);
    const struct dirent *entry;
    uint64_t mix = 0;
    for (size_t count = 0; types && count < FILES_MAX && (entry = readdir(types)) != NULL;) {
        if (fnmatch("*.yaml", entry->d_name, FNM_PERIOD) != 0)
            continue;
        mix += file_mix(seed, path, entry->d_name);
        count++;
    }
    if (types)
        closedir(types);
    return mix;
}

/* Sizes, times and numbers of the folder's files, mixed: another value is another catalogue. */
static uint64_t folder_mix(const char *folder) {
    static const char *const parts[] = {"", "city.yaml", "departments.yaml", "types"};
    uint64_t mix = 1469598103934665603u;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        mix = file_mix(mix, folder, parts[i]);
    return mix + types_mix(mix, folder);
}

static bool shelf_read(struct shelf *shelf) {
    struct catalogue *catalogue = NULL;
    struct complaints *complaints = calloc(1, sizeof *complaints);
    if (!complaints)
        return false;
    bool good = catalogue_load_city(shelf->folder, &catalogue, complaints) == 0;
    for (size_t i = 0; i < complaints->kept; i++)
        log_line(LOG_LEVEL_ERROR, "%s: %s", complaints->at[i].where, complaints->at[i].text);
    free(complaints);
    if (good)
        shelf_fill(shelf, catalogue);
    catalogue_free(&catalogue);
    return good;
}

/* A catalogue that went bad leaves the one before it in place. */
static void shelf_look(struct shelf *shelf) {
    int64_t now = gateway_ticks_us();
    if (!shelf->folder || now - shelf->looked_us < LOOK_EVERY_S * EST_US_PER_S)
        return;
    shelf->looked_us = now;
    uint64_t stamp = folder_mix(shelf->folder);
    if (stamp != shelf->stamp)
        shelf_read(shelf);
    shelf->stamp = stamp;
}

struct shelf *shelf_new(const char *folder) {
    struct shelf *shelf = calloc(1, sizeof *shelf);
    if (!shelf)
        return NULL;
    pthread_mutex_init(&shelf->lock, NULL);
    shelf->folder = folder;
    if (folder) {
        shelf->stamp = folder_mix(folder);
        shelf->looked_us = gateway_ticks_us();
        if (!shelf_read(shelf))
            shelf_free(&shelf);
    }
    return shelf;
}

void shelf_free(struct shelf **shelf) {
    struct shelf *s = *shelf;
    if (!s)
        return;
    json_decref(s->city);
    json_decref(s->types);
    json_decref(s->departments);
    json_decref(s->purposes);
    pthread_mutex_destroy(&s->lock);
    free(s);
    *shelf = NULL;
}

json_t *shelf_city(struct shelf *shelf) {
    pthread_mutex_lock(&shelf->lock);
    shelf_look(shelf);
    json_t *city = shelf->city ? json_deep_copy(shelf->city) : json_null();
    pthread_mutex_unlock(&shelf->lock);
    return city;
}

/* Under the lock; borrowed. */
static json_t *row_find(json_t *rows, const char *name) {
    size_t i;
    json_t *row;
    json_array_foreach(rows, i, row) if (strcmp(json_string_value(json_object_get(row, "name")), name) ==
                                         0) return row;
    return NULL;
}

static json_t *type_find(struct shelf *shelf, const char *name) {
    return row_find(shelf->types, name);
}

bool shelf_may_have_department(struct shelf *shelf, const char *name) {
    pthread_mutex_lock(&shelf->lock);
    shelf_look(shelf);
    bool may = !shelf->departments || row_find(shelf->departments, name);
    pthread_mutex_unlock(&shelf->lock);
    return may;
}

void shelf_defects_persian(struct shelf *shelf, const char *type, json_t *defects) {
    pthread_mutex_lock(&shelf->lock);
    defects_persian(defects, type ? json_object_get(type_find(shelf, type), "request") : NULL);
    pthread_mutex_unlock(&shelf->lock);
}

json_t *shelf_titles_of(struct shelf *shelf, const char *type) {
    pthread_mutex_lock(&shelf->lock);
    json_t *found = type_find(shelf, type);
    json_t *titles =
        json_pack("{s:s?, s:s?}", "title_fa", json_string_value(json_object_get(found, "title_fa")),
                  "title_en", json_string_value(json_object_get(found, "title_en")));
    pthread_mutex_unlock(&shelf->lock);
    return titles;
}

const char *shelf_department_of(struct shelf *shelf, const char *type, char ret[EST_NAME_MAX + 1]) {
    pthread_mutex_lock(&shelf->lock);
    shelf_look(shelf);
    json_t *found = type_find(shelf, type);
    snprintf(ret, EST_NAME_MAX + 1, "%s",
             found ? json_string_value(json_object_get(found, "department")) : "");
    pthread_mutex_unlock(&shelf->lock);
    return ret;
}

/* --- Endpoints --------------------------------------------------------------------------------- */

/* Printed under the lock: jansson's reference counts are no atomic ones. */
static void list_reply(struct request *r, json_t **which) {
    struct shelf *shelf = r->gateway->shelf;
    pthread_mutex_lock(&shelf->lock);
    shelf_look(shelf);
    if (*which)
        request_reply(r, MHD_HTTP_OK, json_pack("{s:O, s:n}", "rows", *which, "next"));
    else
        request_problem(r, GW_NO_CATALOGUE, "%s", "");
    pthread_mutex_unlock(&shelf->lock);
}

void handle_types(struct request *r) {
    list_reply(r, &r->gateway->shelf->types);
}

void handle_departments(struct request *r) {
    list_reply(r, &r->gateway->shelf->departments);
}

void handle_purposes(struct request *r) {
    list_reply(r, &r->gateway->shelf->purposes);
}

void handle_type(struct request *r) {
    struct shelf *shelf = r->gateway->shelf;
    pthread_mutex_lock(&shelf->lock);
    shelf_look(shelf);
    json_t *type = type_find(shelf, r->arguments[0]);
    if (!shelf->types)
        request_problem(r, GW_NO_CATALOGUE, "%s", "");
    else if (!type)
        request_problem(r, GW_NO_SUCH_PATH, "the catalogue has no type of this name");
    else
        request_reply(r, MHD_HTTP_OK, json_incref(type));
    pthread_mutex_unlock(&shelf->lock);
}
