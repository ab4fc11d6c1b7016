/* city.c - city.yaml and departments.yaml: who the city is, how it numbers its land, who is in it. */
#include "body.h" /* degrees_parse */
#include "load.h"

#include <stdlib.h>
#include <string.h>

static void load_identity(struct loader *loader, struct yaml *yaml, yaml_node node) {
    static const char *const keys[] = {"id", "title", NULL};
    struct city *city = loader->city;
    if (!yaml_only(yaml, node, keys))
        return;
    yaml_node id = yaml_need(yaml, node, "id");
    city->name = load_text(loader, yaml, id, EST_NAME_MAX);
    if (city->name && !name_is_valid(city->name))
        yaml_complain(yaml, id, "`%s` is no name for a city; use letters a to z, digits, . and -",
                      city->name);
    load_title(loader, yaml, node, true, &city->title_fa, &city->title_en);
}

static unsigned load_unsigned(struct yaml *yaml, yaml_node node, int64_t min, int64_t max,
                              int64_t otherwise) {
    return (unsigned)yaml_int(yaml, node, min, max, otherwise);
}

static void load_districts(struct yaml *yaml, yaml_node node, struct parcel_rule *rule) {
    static const char *const keys[] = {"first", "last", NULL};
    if (!yaml_only(yaml, node, keys))
        return;
    rule->district_first = load_unsigned(yaml, yaml_need(yaml, node, "first"), 1, DISTRICTS_MAX, 1);
    rule->district_last = load_unsigned(yaml, yaml_need(yaml, node, "last"), 1, DISTRICTS_MAX, DISTRICTS_MAX);
    if (rule->district_last < rule->district_first)
        yaml_complain(yaml, node, "the last district comes before the first; swap them");
}

/* What the parts of the rule ask of each other. */
static void parcel_rule_check(struct yaml *yaml, yaml_node node, const struct parcel_rule *rule) {
    if (rule->district_part > rule->parts)
        yaml_complain(yaml, yaml_get(node, "district_part"), "the code has only %u parts", rule->parts);
    if (rule->hierarchy && rule->parts != 7)
        yaml_complain(yaml, yaml_get(node, "hierarchy"),
                      "the hierarchy rule is for codes of 7 parts; remove it");
    if ((rule->district_part || rule->file_digits) && !yaml_get(node, "districts"))
        yaml_need(yaml, node, "districts");
    if (rule->file_digits && rule->district_last > 99)
        yaml_complain(yaml, yaml_get(node, "file_digits"),
                      "file numbers carry the district in two digits, but there are districts above 99");
}

static void load_parcel(struct loader *loader, struct yaml *yaml, yaml_node node) {
    static const char *const keys[] = {"parts",     "district_part", "digits_max", "districts",
                                       "hierarchy", "file_digits",   NULL};
    struct parcel_rule *rule = &loader->city->parcel;
    size_t before = loader->complaints->count;
    if (!yaml_only(yaml, node, keys) && !yaml_is_map(node))
        return;
    rule->parts = load_unsigned(yaml, yaml_need(yaml, node, "parts"), 1, 8, 1);
    rule->district_part = load_unsigned(yaml, yaml_get(node, "district_part"), 0, 8, 0);
    rule->digits_max = load_unsigned(yaml, yaml_need(yaml, node, "digits_max"), 1, 6, 6);
    rule->hierarchy = yaml_bool(yaml, yaml_get(node, "hierarchy"), false);
    yaml_node digits = yaml_get(node, "file_digits");
    rule->file_digits = load_unsigned(yaml, digits, 0, 20, 0);
    if (rule->file_digits == 1 || rule->file_digits == 2)
        yaml_complain(yaml, digits, "a file number needs digits after its two of the district; 0 means none");
    load_districts(yaml, yaml_get(node, "districts"), rule);
    if (loader->complaints->count == before)
        parcel_rule_check(yaml, node, rule);
    loader->districts_known = loader->complaints->count == before;
    loader->city->districts_last = rule->district_last;
}

static int64_t load_degrees(struct yaml *yaml, yaml_node node, int most) {
    const char *word = yaml_word(node);
    int64_t value = 0;
    if (node && (!word || !degrees_parse(slice_of(word), &value) || value < -most * INT64_C(10000000) ||
                 value > most * INT64_C(10000000))) {
        yaml_complain(yaml, node, "must be degrees from -%d to %d, such as 35.7", most, most);
        value = 0;
    }
    return value;
}

static void load_city_bounds(struct loader *loader, struct yaml *yaml, yaml_node node) {
    static const char *const keys[] = {"west", "south", "east", "north", NULL};
    struct bounds *bounds = &loader->city->bounds;
    size_t before = loader->complaints->count;
    if (!node || !yaml_only(yaml, node, keys))
        return;
    bounds->west = load_degrees(yaml, yaml_need(yaml, node, "west"), 180);
    bounds->south = load_degrees(yaml, yaml_need(yaml, node, "south"), 90);
    bounds->east = load_degrees(yaml, yaml_need(yaml, node, "east"), 180);
    bounds->north = load_degrees(yaml, yaml_need(yaml, node, "north"), 90);
    if (loader->complaints->count == before && (bounds->east <= bounds->west || bounds->north <= bounds->south))
        yaml_complain(yaml, node, "east lies beyond west, and north beyond south; swap them");
    loader->city->is_bounded = true;
}

/* A purpose's bit is its place in the file, and stored inquiries keep it: new ones go to the end. */
static void load_city_purposes(struct loader *loader, struct yaml *yaml, yaml_node node) {
    static const char *const keys[] = {"title", NULL};
    struct city *city = loader->city;
    size_t before = loader->complaints->count;
    if (!node)
        return;
    if (!yaml_is_map(node) || yaml_count(node) == 0 || yaml_count(node) > PURPOSES_MAX) {
        yaml_complain(yaml, node, "purposes are a map of 1 to %d names and titles", PURPOSES_MAX);
        return;
    }
    const char *name;
    yaml_node value;
    for (size_t i = 0; yaml_pair(yaml, node, i, &name, &value); i++) {
        const char *fa, *en;
        if (load_key_name(yaml, value, name_is_valid, "a purpose") && strcmp(name, "all") == 0)
            yaml_complain_key(yaml, value, "`all` means every purpose; choose another name");
        if (yaml_only(yaml, value, keys))
            load_title(loader, yaml, value, true, &fa, &en);
        city->purposes[i] = load_copy(loader, name);
        if (city->purposes[i])
            city->purposes_count = i + 1;
    }
    loader->purposes_known = loader->complaints->count == before;
}

void load_city(struct loader *loader, const char *path) {
    static const char *const keys[] = {"city", "parcel", "bounds", "purposes", NULL};
    struct yaml *yaml;
    if (yaml_open_file(path, loader->complaints, &yaml) != 0)
        return;
    yaml_node root = yaml_root(yaml);
    yaml_only(yaml, root, keys);
    load_identity(loader, yaml, yaml_need(yaml, root, "city"));
    load_parcel(loader, yaml, yaml_need(yaml, root, "parcel"));
    load_city_bounds(loader, yaml, yaml_get(root, "bounds"));
    load_city_purposes(loader, yaml, yaml_need(yaml, root, "purposes"));
    yaml_close(&yaml);
}

int city_purpose(const struct city *city, est_slice name) {
    for (size_t i = 0; i < city->purposes_count; i++) {
        if (slice_equal(name, slice_of(city->purposes[i])))
            return (int)i;
    }
    return -1;
}

/* --- Departments ------------------------------------------------------------------------------ */

static void load_department_node(struct loader *loader, struct yaml *yaml, yaml_node node,
                                 struct department *ret) {
    static const char *const keys[] = {"title", "outside", NULL};
    load_key_name(yaml, node, name_is_valid, "a department");
    ret->name = load_copy(loader, yaml_key(node));
    if (!yaml_only(yaml, node, keys))
        return;
    load_title(loader, yaml, node, true, &ret->title_fa, &ret->title_en);
    ret->outside = yaml_bool(yaml, yaml_get(node, "outside"), false);
}

static void load_department_map(struct loader *loader, struct yaml *yaml, yaml_node map) {
    size_t count = yaml_count(map);
    if (!yaml_is_map(map) || count == 0 || count > DEPARTMENTS_EVER) {
        if (map)
            yaml_complain(yaml, map, "departments are a map of 1 to %d names", DEPARTMENTS_EVER);
        return;
    }
    size_t before = loader->complaints->count;
    struct department *departments = arena_take_many(loader->arena, count, sizeof *departments);
    if (!departments)
        return;
    const char *name;
    yaml_node value;
    for (size_t i = 0; yaml_pair(yaml, map, i, &name, &value); i++)
        load_department_node(loader, yaml, value, &departments[i]);
    if (loader->arena->failed)
        return;
    qsort(departments, count, sizeof *departments, named_compare);
    loader->departments = departments;
    loader->departments_count = count;
    loader->departments_known = loader->complaints->count == before;
}

void load_departments(struct loader *loader, const char *path) {
    static const char *const keys[] = {"departments", NULL};
    struct yaml *yaml;
    if (yaml_open_file(path, loader->complaints, &yaml) != 0)
        return;
    yaml_only(yaml, yaml_root(yaml), keys);
    load_department_map(loader, yaml, yaml_need(yaml, yaml_root(yaml), "departments"));
    yaml_close(&yaml);
}
