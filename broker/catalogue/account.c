/* account.c - accounts.yaml: who may connect, with which keys, and what each may ask or answer. */
#include "load.h"
#include "when.h"

#include <stdlib.h>
#include <string.h>

enum { GRANTS_MAX = 4096, KEYS_MAX = 16 };

/* Accounts under way: the catalogue whose types they name, and every key met so far, to find one used
 * twice: open addressing by the key's own first bytes, at most half full. */
struct accounts_load {
    struct loader *loader;
    const struct catalogue *catalogue;
    const struct key **seen;
    size_t seen_mask;
};

/* --- Keys ------------------------------------------------------------------------------------- */

/* A key is good from the beginning of the one day to the end of the other. */
static void load_day(struct yaml *yaml, yaml_node node, est_time *ret_from, est_time *ret_until) {
    const char *text = yaml_text(yaml, node, NULL);
    if (text && !when_parse_day_here(slice_of(text), ret_from, ret_until))
        yaml_complain(yaml, node, "`%.40s` is no date; write 2026-01-01 or 1404/10/11", text);
}

static bool key_is_new(struct accounts_load *load, const struct key *key) {
    uint64_t hash;
    memcpy(&hash, key->public_key, sizeof hash);
    size_t at = (size_t)hash & load->seen_mask;
    for (; load->seen[at]; at = (at + 1) & load->seen_mask) {
        if (memcmp(load->seen[at]->public_key, key->public_key, sizeof key->public_key) == 0)
            return false;
    }
    load->seen[at] = key;
    return true;
}

static bool seen_make(struct accounts_load *load, struct yaml *yaml, yaml_node map) {
    const char *name;
    yaml_node value;
    size_t keys = 0, size = 16;
    for (size_t i = 0; yaml_pair(yaml, map, i, &name, &value); i++)
        keys += yaml_count(yaml_get(value, "keys"));
    while (size < 2 * keys)
        size *= 2;
    load->seen = calloc(size, sizeof *load->seen);
    load->seen_mask = size - 1;
    return load->seen != NULL;
}

static void load_key(struct accounts_load *load, struct yaml *yaml, yaml_node node, struct key *ret) {
    static const char *const keys[] = {"public", "from", "until", NULL};
    if (!yaml_only(yaml, node, keys) && !yaml_is_map(node))
        return;
    yaml_node public_node = yaml_need(yaml, node, "public");
    const char *text = yaml_text(yaml, public_node, NULL);
    est_time other;
    load_day(yaml, yaml_get(node, "from"), &ret->from, &other);
    load_day(yaml, yaml_get(node, "until"), &other, &ret->until);
    if (ret->from.us && ret->until.us && ret->until.us <= ret->from.us)
        yaml_complain(yaml, yaml_get(node, "until"), "the key ends before it begins; swap the dates");
    if (!text)
        return;
    if (!key_text_parse(slice_of(text), ret->public_key)) {
        yaml_complain(yaml, public_node,
                      "this is no key of 40 Z85 characters; take the `public:` that `estelam key new` wrote");
        return;
    }
    memcpy(ret->text, text, sizeof ret->text);
    if (!key_is_new(load, ret))
        yaml_complain(yaml, public_node, "this key is there twice; a key belongs to one account, once");
}

static void load_keys(struct accounts_load *load, struct yaml *yaml, yaml_node node, struct account *ret) {
    size_t count = yaml_count(node);
    if (!node)
        return;
    if (!yaml_is_list(node) || count > KEYS_MAX) {
        yaml_complain(yaml, node,
                      "keys are a list of at most %d, each {public: …}; [] where none is valid now",
                      KEYS_MAX);
        return;
    }
    struct key *keys = arena_take_many(load->loader->arena, count, sizeof *keys);
    if (!keys)
        return;
    for (size_t i = 0; i < count; i++)
        load_key(load, yaml, yaml_at(node, i), &keys[i]);
    ret->keys = keys;
    ret->keys_count = count;
}

/* --- Grants ----------------------------------------------------------------------------------- */

static const struct ctype *load_type_name(struct accounts_load *load, struct yaml *yaml, yaml_node node) {
    const char *name = yaml_text(yaml, node, NULL);
    if (!name || !load->loader->types_known)
        return NULL;
    const struct ctype *type = catalogue_type(load->catalogue, slice_of(name));
    if (type)
        return type;
    struct nearest nearest;
    char hint[128];
    nearest_init(&nearest, slice_of(name));
    for (size_t i = 0; i < load->catalogue->types_count; i++)
        nearest_offer(&nearest, load->catalogue->types[i].name);
    yaml_complain(yaml, node, "there is no inquiry type `%.64s`%s", name,
                  nearest.best ? nearest_hint(&nearest, hint) : "; add it to the catalogue");
    return NULL;
}

static int by_type(const void *a, const void *b) {
    const struct grant *x = a, *y = b;
    if (!x->type || !y->type)
        return (x->type != NULL) - (y->type != NULL);
    return strcmp(x->type, y->type);
}

/* One grant for each type, "every type" first, so that whoever looks finds one answer. */
static void grants_settle(struct account *account, struct grant *grants, size_t count) {
    size_t kept = 0;
    qsort(grants, count, sizeof *grants, by_type);
    for (size_t i = 0; i < count; i++) {
        if (kept && by_type(&grants[kept - 1], &grants[i]) == 0)
            grants[kept - 1].purposes |= grants[i].purposes;
        else
            grants[kept++] = grants[i];
    }
    account->grants = grants;
    account->grants_count = kept;
}

struct grant_list {
    struct grant *at;
    size_t count, room;
};

static void grant_add(struct yaml *yaml, yaml_node node, struct grant_list *list, struct grant grant) {
    if (list->count < list->room)
        list->at[list->count++] = grant;
    else if (list->count++ == list->room)
        yaml_complain(yaml, node, "more than %d grants in one account", GRANTS_MAX);
}

static void load_ask(struct accounts_load *load, struct yaml *yaml, yaml_node node, struct grant_list *list) {
    static const char *const keys[] = {"types", "purposes", NULL};
    bool all;
    if (!yaml_only(yaml, node, keys) && !yaml_is_map(node))
        return;
    yaml_node types = yaml_need(yaml, node, "types");
    uint32_t purposes = load_purposes(load->loader, yaml, yaml_need(yaml, node, "purposes"), &all);
    if (all)
        purposes = UINT32_MAX; /* those that the city will add too */
    if (node_is_all(types)) {
        grant_add(yaml, types, list, (struct grant){NULL, purposes});
        return;
    }
    if (types && (!yaml_is_list(types) || yaml_count(types) == 0))
        yaml_complain(yaml, types, "types are `all` or a list of names");
    for (size_t i = 0; yaml_is_list(types) && i < yaml_count(types); i++) {
        const struct ctype *type = load_type_name(load, yaml, yaml_at(types, i));
        if (type)
            grant_add(yaml, yaml_at(types, i), list, (struct grant){type->name, purposes});
    }
}

static void load_asks(struct accounts_load *load, struct yaml *yaml, yaml_node node,
                      struct grant_list *list) {
    if (!node)
        return;
    if (!yaml_is_list(node) || yaml_count(node) == 0)
        yaml_complain(yaml, node, "asks are a list, each {types: …, purposes: …}");
    for (size_t i = 0; yaml_is_list(node) && i < yaml_count(node); i++)
        load_ask(load, yaml, yaml_at(node, i), list);
}

/* A department answers its own types and no others; `all` is written out here. */
static void load_answers(struct accounts_load *load, struct yaml *yaml, yaml_node node,
                         const char *department, struct grant_list *list) {
    if (!department)
        return;
    for (size_t i = 0; (!node || node_is_all(node)) && i < load->catalogue->types_count; i++) {
        const struct ctype *type = &load->catalogue->types[i];
        if (type->department && strcmp(type->department, department) == 0)
            grant_add(yaml, node, list, (struct grant){type->name, UINT32_MAX});
    }
    if (!node || node_is_all(node))
        return;
    if (!yaml_is_list(node) || yaml_count(node) == 0)
        yaml_complain(yaml, node, "answers are `all` or a list of types");
    for (size_t i = 0; yaml_is_list(node) && i < yaml_count(node); i++) {
        const struct ctype *type = load_type_name(load, yaml, yaml_at(node, i));
        if (!type || !type->department)
            continue;
        if (strcmp(type->department, department) != 0)
            yaml_complain(yaml, yaml_at(node, i),
                          "`%s` is answered by %s, not by %s; change the type's answerer", type->name,
                          type->department, department);
        grant_add(yaml, yaml_at(node, i), list, (struct grant){type->name, UINT32_MAX});
    }
}

static void load_districts_served(struct accounts_load *load, struct yaml *yaml, yaml_node node,
                                  struct account *ret) {
    const int64_t last = load->loader->districts_known ? load->loader->city->districts_last : DISTRICTS_MAX;
    memset(ret->districts, 0xFF, sizeof ret->districts);
    if (!node || node_is_all(node))
        return;
    memset(ret->districts, 0, sizeof ret->districts);
    if (!yaml_is_list(node) || yaml_count(node) == 0)
        yaml_complain(yaml, node,
                      "districts are `all` or a list of numbers; 0 is for inquiries that name no parcel");
    for (size_t i = 0; yaml_is_list(node) && i < yaml_count(node); i++) {
        uint64_t district = (uint64_t)yaml_int(yaml, yaml_at(node, i), 0, last, 0);
        ret->districts[district / 64] |= UINT64_C(1) << district % 64;
    }
}

/* --- Accounts --------------------------------------------------------------------------------- */

static void load_rights(struct accounts_load *load, struct yaml *yaml, yaml_node node, struct account *ret) {
    struct grant_list list = {.room = GRANTS_MAX};
    list.at = calloc(list.room, sizeof *list.at);
    if (!list.at) {
        load->loader->arena->failed = true;
        return;
    }
    if (ret->role == ROLE_REQUESTER) {
        load_asks(load, yaml, yaml_need(yaml, node, "asks"), &list);
    } else if (ret->role == ROLE_DEPARTMENT) {
        ret->department = load_department(load->loader, yaml, yaml_need(yaml, node, "department"));
        load_answers(load, yaml, yaml_get(node, "answers"), ret->department, &list);
        load_districts_served(load, yaml, yaml_get(node, "districts"), ret);
    }
    size_t count = list.count < list.room ? list.count : list.room;
    struct grant *grants = arena_take_many(load->loader->arena, count, sizeof *grants);
    if (grants) {
        memcpy(grants, list.at, count * sizeof *grants);
        grants_settle(ret, grants, count);
    }
    free(list.at);
}

static enum est_level load_level(struct yaml *yaml, yaml_node node) {
    static const char *const names[] = {[EST_LEVEL_OBSERVER] = "observer",
                                        [EST_LEVEL_OPERATOR] = "operator",
                                        [EST_LEVEL_ADMINISTRATOR] = "administrator"};
    int level = node ? load_word(yaml, node, names, sizeof names / sizeof names[0]) : EST_LEVEL_OPERATOR;
    return level < 0 ? EST_LEVEL_OPERATOR : (enum est_level)level;
}

static void load_account(struct accounts_load *load, struct yaml *yaml, yaml_node node, struct account *ret) {
    static const char *const role_names[] = {
        [ROLE_REQUESTER] = "requester", [ROLE_DEPARTMENT] = "department", [ROLE_OPERATOR] = "operator"};
    static const char *const any[] = {"role",       "title",   "keys",      "asks",
                                      "department", "answers", "districts", "level", NULL};
    static const char *const requester[] = {"role", "title", "keys", "asks", NULL};
    static const char *const department[] = {"role",    "title",     "keys", "department",
                                             "answers", "districts", NULL};
    static const char *const operator_[] = {"role", "title", "keys", "level", NULL};
    static const char *const *const allowed[] = {any, requester, department, operator_};
    load_key_name(yaml, node, name_is_valid, "an account");
    ret->name = load_copy(load->loader, yaml_key(node));
    if (!yaml_is_map(node)) {
        yaml_only(yaml, node, any);
        return;
    }
    int role =
        load_word(yaml, yaml_need(yaml, node, "role"), role_names, sizeof role_names / sizeof role_names[0]);
    yaml_only(yaml, node, allowed[role < 0 ? 0 : role]);
    ret->title = load_text(load->loader, yaml, yaml_get(node, "title"), TITLE_MAX);
    load_keys(load, yaml, yaml_need(yaml, node, "keys"), ret);
    if (role < 0)
        return;
    ret->role = (enum role)role;
    ret->level = ret->role == ROLE_OPERATOR ? load_level(yaml, yaml_get(node, "level")) : EST_LEVEL_NONE;
    load_rights(load, yaml, node, ret);
}

static struct account *load_account_map(struct accounts_load *load, struct yaml *yaml, yaml_node map) {
    size_t count = yaml_count(map);
    if (!yaml_is_map(map) || count == 0 || count > ACCOUNTS_EVER) {
        if (map)
            yaml_complain(yaml, map, "accounts are a map of 1 to %d names", ACCOUNTS_EVER);
        return NULL;
    }
    struct account *accounts = arena_take_many(load->loader->arena, count, sizeof *accounts);
    if (!accounts || !seen_make(load, yaml, map)) {
        load->loader->arena->failed = true;
        return NULL;
    }
    const char *name;
    yaml_node value;
    for (size_t i = 0; yaml_pair(yaml, map, i, &name, &value); i++)
        load_account(load, yaml, value, &accounts[i]);
    return load->loader->arena->failed ? NULL : accounts;
}

void load_accounts(struct loader *loader, const struct catalogue *catalogue, const char *path,
                   const struct account **ret, size_t *ret_count) {
    static const char *const keys[] = {"accounts", NULL};
    struct yaml *yaml;
    if (yaml_open_file(path, loader->complaints, &yaml) != 0)
        return;
    yaml_only(yaml, yaml_root(yaml), keys);
    yaml_node map = yaml_need(yaml, yaml_root(yaml), "accounts");
    struct accounts_load load = {.loader = loader, .catalogue = catalogue};
    struct account *accounts = load_account_map(&load, yaml, map);
    if (accounts) {
        qsort(accounts, yaml_count(map), sizeof *accounts, named_compare);
        *ret = accounts;
        *ret_count = yaml_count(map);
    }
    free(load.seen);
    yaml_close(&yaml);
}
