/* names.c - see names.h. Arrays by number, as the record gives numbers without gaps to speak of. */
#include "names.h"

#include <stdlib.h>
#include <string.h>

enum { THINGS = THING_PURPOSE + 1, NUMBERS_MAX = 1 << 20 };

struct type_version {
    uint32_t version, department;
    uint64_t seq; /* since then */
    char *definition;
    size_t size;
    struct ctype *it; /* made when first needed */
    bool tried;
};

struct name {
    char text[EST_NAME_MAX + 1];
    struct type_version *versions; /* of a type */
    uint32_t versions_count;
};

struct list {
    struct name *at;
    uint32_t count;
};

struct names {
    struct list lists[THINGS];
    uint64_t types_seq; /* of the newest version of any type */
    bool loaded;
};

struct names *names_new(void) {
    return calloc(1, sizeof(struct names));
}

static void lists_clear(struct names *n) {
    for (size_t thing = 0; thing < THINGS; thing++) {
        struct list *list = &n->lists[thing];
        for (uint32_t i = 0; i < list->count; i++) {
            for (uint32_t v = 0; v < list->at[i].versions_count; v++) {
                ctype_free(&list->at[i].versions[v].it);
                free(list->at[i].versions[v].definition);
            }
            free(list->at[i].versions);
        }
        free(list->at);
        *list = (struct list){0};
    }
}

void names_free(struct names **ref) {
    if (!*ref)
        return;
    lists_clear(*ref);
    free(*ref);
    *ref = NULL;
}

void names_are_old(struct names *n) {
    n->loaded = false;
}

bool names_need_load(const struct names *n) {
    return !n->loaded;
}

/* --- Loading ------------------------------------------------------------------------------------- */

static struct name *name_put(struct names *n, enum thing thing, uint32_t number, est_slice text) {
    struct list *list = &n->lists[thing];
    if (number >= NUMBERS_MAX)
        return NULL;
    if (number >= list->count) {
        struct name *more = realloc(list->at, (number + 1) * sizeof *more);
        if (!more)
            return NULL;
        memset(more + list->count, 0, (number + 1 - list->count) * sizeof *more);
        list->at = more;
        list->count = number + 1;
    }
    struct name *name = &list->at[number];
    size_t size = text.size < EST_NAME_MAX ? text.size : EST_NAME_MAX;
    if (size > 0)
        memcpy(name->text, text.data, size);
    name->text[size] = '\0';
    return name;
}

static struct name *version_put(struct name *name, const struct event_type_set *set, uint64_t seq) {
    struct type_version *more =
        name ? realloc(name->versions, (name->versions_count + 1) * sizeof *more) : NULL;
    if (!more)
        return NULL;
    name->versions = more;
    struct type_version *version = &more[name->versions_count];
    *version = (struct type_version){.version = set->version, .department = set->department, .seq = seq};
    version->definition = malloc(set->definition.size + 1);
    if (!version->definition)
        return NULL;
    if (set->definition.size > 0)
        memcpy(version->definition, set->definition.data, set->definition.size);
    version->size = set->definition.size;
    name->versions_count++;
    return name;
}

static int thing_take(void *arg, const struct event *e) {
    struct names *n = arg;
    const struct name *put = NULL;
    switch (e->type) {
    case EVENT_DEPARTMENT_SET:
        put = name_put(n, THING_DEPARTMENT, e->department_set.department, e->department_set.name);
        break;
    case EVENT_ACCOUNT_SET:
        put = name_put(n, THING_ACCOUNT, e->account_set.account, e->account_set.name);
        break;
    case EVENT_PURPOSE_SET:
        put = name_put(n, THING_PURPOSE, e->purpose_set.purpose, e->purpose_set.name);
        break;
    case EVENT_TYPE_SET:
        put = version_put(name_put(n, THING_TYPE, e->type_set.type, e->type_set.name), &e->type_set, e->seq);
        n->types_seq = e->seq > n->types_seq ? e->seq : n->types_seq;
        break;
    default: /* retired: the number keeps its name */
        return 0;
    }
    return put ? 0 : -EST_NO_MEMORY;
}

int names_load(struct names *n, struct store_reader *reader) {
    lists_clear(n);
    n->types_seq = 0;
    int rc = store_reader_each_thing(reader, thing_take, n);
    n->loaded = rc == 0;
    return rc;
}

/* --- Looking ------------------------------------------------------------------------------------- */

est_slice names_of(const struct names *n, enum thing thing, uint32_t number) {
    const struct list *list = &n->lists[thing];
    return number < list->count ? slice_of(list->at[number].text) : (est_slice){"", 0};
}

uint32_t names_number(const struct names *n, enum thing thing, est_slice name) {
    const struct list *list = &n->lists[thing];
    for (uint32_t i = 0; i < list->count && name.size > 0; i++)
        if (slice_equal(slice_of(list->at[i].text), name))
            return i;
    return UINT32_MAX;
}

uint32_t names_count(const struct names *n, enum thing thing) {
    return n->lists[thing].count;
}

static struct type_version *version_find(const struct names *n, uint32_t type, uint32_t version) {
    const struct list *list = &n->lists[THING_TYPE];
    for (uint32_t v = 0; type < list->count && v < list->at[type].versions_count; v++)
        if (list->at[type].versions[v].version == version)
            return &list->at[type].versions[v];
    return NULL;
}

uint32_t names_department(const struct names *n, uint32_t type, uint32_t version) {
    const struct type_version *found = version_find(n, type, version);
    return found ? found->department : 0;
}

/* A version that came back unchanged has the seq of its return; what was asked under it is no older than it. */
uint32_t names_answerer(const struct names *n, uint32_t type, uint32_t version, uint64_t seq) {
    const struct list *list = &n->lists[THING_TYPE];
    const struct type_version *newest = NULL;
    for (uint32_t v = 0; type < list->count && v < list->at[type].versions_count; v++) {
        const struct type_version *it = &list->at[type].versions[v];
        bool was = it->version == version || (it->version > version && it->seq <= seq);
        if (was && (!newest || it->version > newest->version))
            newest = it;
    }
    return newest ? newest->department : 0;
}

uint64_t names_types_seq(const struct names *n) {
    return n->types_seq;
}

bool names_type_was_of(const struct names *n, uint32_t type, uint32_t department) {
    const struct list *list = &n->lists[THING_TYPE];
    for (uint32_t v = 0; type < list->count && v < list->at[type].versions_count; v++)
        if (list->at[type].versions[v].department == department)
            return true;
    return false;
}

/* The city of the day gives only purposes and the rule of parcels, and neither says which fields
 * a type has. */
const struct schema *names_request(struct names *n, uint32_t type, uint32_t version) {
    static const struct city nowhere;
    struct type_version *found = version_find(n, type, version);
    if (!found)
        return NULL;
    if (!found->tried) {
        found->tried = true;
        ctype_parse((est_slice){found->definition, found->size}, &nowhere, &found->it);
    }
    return found->it ? &found->it->request : NULL;
}
