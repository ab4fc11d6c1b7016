/* catalogue.c - the whole: loads the parts in their order, owns them, and finds them by name. */
#include "load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the caller sees, with what it lives on behind it. Types are looked up for every submit, so
 * they have a table of their own: open addressing, at most half full. */
struct catalogue_box {
    struct catalogue catalogue;
    struct arena arena;
    uint32_t *slots; /* index of a type plus 1; 0: free */
    size_t mask;
};

/* --- Finding ---------------------------------------------------------------------------------- */

/* FNV-1a. The names are the configuration's own, so nobody outside can choose collisions. */
static size_t name_hash(est_slice name) {
    const unsigned char *at = name.data;
    uint64_t hash = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < name.size; i++)
        hash = (hash ^ at[i]) * UINT64_C(1099511628211);
    return (size_t)(hash ^ hash >> 32);
}

static void types_index(struct catalogue_box *box) {
    size_t size = 16;
    while (size < 2 * box->catalogue.types_count)
        size *= 2;
    box->slots = arena_take_many(&box->arena, size, sizeof *box->slots);
    if (!box->slots)
        return;
    box->mask = size - 1;
    for (size_t i = 0; i < box->catalogue.types_count; i++) {
        size_t at = name_hash(slice_of(box->catalogue.types[i].name)) & box->mask;
        while (box->slots[at])
            at = (at + 1) & box->mask;
        box->slots[at] = (uint32_t)i + 1;
    }
}

const struct ctype *catalogue_type(const struct catalogue *catalogue, est_slice name) {
    const struct catalogue_box *box = (const struct catalogue_box *)catalogue;
    if (name.size > EST_NAME_MAX || !box->slots)
        return NULL;
    for (size_t at = name_hash(name) & box->mask; box->slots[at]; at = (at + 1) & box->mask) {
        const struct ctype *type = &catalogue->types[box->slots[at] - 1];
        if (slice_equal(name, slice_of(type->name)))
            return type;
    }
    return NULL;
}

const struct department *catalogue_department(const struct catalogue *catalogue, est_slice name) {
    return named_find(catalogue->departments, catalogue->departments_count, sizeof(struct department), name);
}

const struct account *catalogue_account(const struct catalogue *catalogue, est_slice name) {
    return named_find(catalogue->accounts, catalogue->accounts_count, sizeof(struct account), name);
}

/* --- Loading ---------------------------------------------------------------------------------- */

static void box_free(struct catalogue_box *box) {
    arena_done(&box->arena);
    explicit_bzero(box, sizeof *box);
    free(box);
}

void catalogue_free(struct catalogue **catalogue) {
    if (!catalogue || !*catalogue)
        return;
    box_free((struct catalogue_box *)*catalogue);
    *catalogue = NULL;
}

static struct catalogue_box *box_new(const char *path, struct complaints *complaints) {
    struct catalogue_box *box = calloc(1, sizeof *box);
    if (!box)
        complaints_add(complaints, path, "no memory");
    return box;
}

static struct loader loader_of(struct catalogue_box *box, struct complaints *complaints) {
    return (struct loader){.arena = &box->arena,
                           .complaints = complaints,
                           .city = &box->catalogue.city,
                           .departments_known = false};
}

static void load_folder(struct loader *loader, struct catalogue_box *box, const char *folder) {
    char path[4096];
    struct catalogue *catalogue = &box->catalogue;
    snprintf(path, sizeof path, "%s/city.yaml", folder);
    load_city(loader, path);
    snprintf(path, sizeof path, "%s/departments.yaml", folder);
    load_departments(loader, path);
    catalogue->departments = loader->departments;
    catalogue->departments_count = loader->departments_count;
    load_types(loader, folder, &catalogue->types, &catalogue->types_count);
    types_index(box);
}

static int box_finish(struct catalogue_box *box, const char *path, size_t before,
                      struct complaints *complaints, struct catalogue **ret) {
    if (box->arena.failed)
        complaints_add(complaints, path, "no memory");
    if (complaints->count != before) {
        box_free(box);
        return -EST_INPUT;
    }
    *ret = &box->catalogue;
    return 0;
}

int catalogue_load_city(const char *folder, struct catalogue **ret, struct complaints *complaints) {
    size_t before = complaints->count;
    struct catalogue_box *box = box_new(folder, complaints);
    if (!box)
        return -EST_INPUT;
    struct loader loader = loader_of(box, complaints);
    load_folder(&loader, box, folder);
    return box_finish(box, folder, before, complaints, ret);
}

int catalogue_load(const char *broker_yaml, struct catalogue **ret, struct complaints *complaints) {
    size_t before = complaints->count;
    struct yaml *yaml;
    if (yaml_open_file(broker_yaml, complaints, &yaml) != 0)
        return -EST_INPUT;
    struct catalogue_box *box = box_new(broker_yaml, complaints);
    if (!box) {
        yaml_close(&yaml);
        return -EST_INPUT;
    }
    struct loader loader = loader_of(box, complaints);
    yaml_node root = yaml_root(yaml);
    load_settings(&loader, yaml, root, &box->catalogue.broker);
    const char *folder = yaml_path(yaml, yaml_need(yaml, root, "catalogue"), NULL);
    if (folder)
        load_folder(&loader, box, folder);
    const char *accounts = yaml_path(yaml, yaml_need(yaml, root, "accounts"), NULL);
    if (accounts)
        load_accounts(&loader, &box->catalogue, accounts, &box->catalogue.accounts,
                      &box->catalogue.accounts_count);
    yaml_close(&yaml);
    return box_finish(box, broker_yaml, before, complaints, ret);
}
