/* registry.c - see registry.h. Names are looked up by a linear walk on reload and for operators'
 * questions only; the hot path goes through the catalogue's own index and arrays by number. */
#include "registry.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <stdlib.h>
#include <string.h>

enum { THINGS = 5 /* enum thing + 1 */ };

struct entry {
    char name[EST_NAME_MAX + 1];
    bool known, live, seen;  /* seen: named by the configuration being compared */
    uint64_t fingerprint;    /* of the definition in force */
    uint32_t version, department; /* types: in force, or last in force */
    bool moved;              /* types: not all versions had the same department */
};

struct names { struct entry *at; uint32_t first, count, capacity; /* used: first ... count-1 */ };

struct old_version { uint32_t type, version; struct ctype *it; };

/* Who answers a type from this event on: its versions, all of them, in any order. */
struct answerer { uint32_t type, version, department; uint64_t seq; };

struct registry {
    struct names names[THINGS];
    const struct catalogue *catalogue;
    uint32_t *type_numbers;          /* by place in catalogue->types */
    const struct ctype **types;      /* in force, by number */
    uint32_t purposes[PURPOSES_MAX]; /* the city's order -> number */
    struct old_version *old;
    size_t old_count;
    struct answerer *answerers;
    size_t answerers_count, answerers_room;
    bool *confidential; /* by number */
    bool confidential_known;
};

/* Numbers begin at 1, 0 means none; purposes are bits and begin at 0. */
struct registry *registry_new(const struct core_limits *limits) {
    const uint32_t capacity[THINGS] = {[THING_DEPARTMENT] = limits->departments_max,
                                       [THING_TYPE] = limits->types_max,
                                       [THING_ACCOUNT] = limits->accounts_max,
                                       [THING_PURPOSE] = PURPOSES_MAX};
    struct registry *r = calloc(1, sizeof *r);
    if (r == NULL)
        return NULL;
    r->types = calloc(limits->types_max, sizeof *r->types);
    r->confidential = calloc(limits->types_max, sizeof *r->confidential);
    bool good = r->types != NULL && r->confidential != NULL;
    for (int thing = 1; thing < THINGS; thing++) {
        struct names *n = &r->names[thing];
        n->capacity = capacity[thing];
        n->first = n->count = thing == THING_PURPOSE ? 0 : 1;
        n->at = calloc(n->capacity, sizeof *n->at);
        good = good && n->at != NULL;
    }
    if (!good)
        registry_free(&r);
    return r;
}

void registry_free(struct registry **registry) {
    struct registry *r = *registry;
    *registry = NULL;
    if (r == NULL)
        return;
    for (int thing = 1; thing < THINGS; thing++)
        free(r->names[thing].at);
    for (size_t i = 0; i < r->old_count; i++)
        ctype_free(&r->old[i].it);
    free(r->old);
    free(r->answerers);
    free(r->types);
    free(r->confidential);
    free(r->type_numbers);
    free(r);
}

/* --- Names ---------------------------------------------------------------------------------------- */

uint32_t registry_number(const struct registry *r, enum thing thing, est_slice name) {
    const struct names *n = &r->names[thing];
    for (uint32_t i = n->first; i < n->count; i++)
        if (n->at[i].known && slice_equal(slice_of(n->at[i].name), name))
            return i;
    return UINT32_MAX;
}

est_slice registry_name(const struct registry *r, enum thing thing, uint32_t number) {
    const struct names *n = &r->names[thing];
    return number < n->count && n->at[number].known ? slice_of(n->at[number].name) : (est_slice){"", 0};
}

static struct entry *entry_put(struct registry *r, enum thing thing, uint32_t number, est_slice name) {
    struct names *n = &r->names[thing];
    if (number >= n->capacity)
        return NULL;
    if (number >= n->count)
        n->count = number + 1;
    struct entry *e = &n->at[number];
    size_t size = name.size < EST_NAME_MAX ? name.size : EST_NAME_MAX;
    memcpy(e->name, name.data, size);
    e->name[size] = '\0';
    e->known = e->live = true;
    return e;
}

/* --- Fingerprints: has a definition changed? ------------------------------------------------------ */

static uint64_t fingerprint(const struct event *e) {
    XXH3_state_t state;
    XXH3_64bits_reset(&state);
    if (e->type == EVENT_TYPE_SET) {
        XXH3_64bits_update(&state, &e->type_set.department, sizeof e->type_set.department);
        XXH3_64bits_update(&state, e->type_set.definition.data, e->type_set.definition.size);
    } else if (e->type == EVENT_ACCOUNT_SET) {
        const struct event_account_set *a = &e->account_set;
        const uint32_t fixed[] = {a->role, a->department, a->level};
        XXH3_64bits_update(&state, fixed, sizeof fixed);
        XXH3_64bits_update(&state, a->districts, sizeof a->districts);
        if (a->rights_count > 0)
            XXH3_64bits_update(&state, a->rights, a->rights_count * sizeof *a->rights);
    }
    return XXH3_64bits_digest(&state);
}

/* --- Answerers ------------------------------------------------------------------------------------ */

static int answerers_reserve(struct registry *r, size_t more) {
    if (more <= r->answerers_room - r->answerers_count)
        return 0;
    size_t room = r->answerers_room + (more > r->answerers_room ? more : r->answerers_room);
    struct answerer *grown = realloc(r->answerers, room * sizeof *grown);
    if (grown == NULL)
        return -EST_NO_MEMORY;
    r->answerers = grown;
    r->answerers_room = room;
    return 0;
}

/* There is room: answerers_reserve. The newest version's department is the entry's own. */
static void answerer_add(struct registry *r, struct entry *type, const struct event_type_set *set, uint64_t seq) {
    type->moved |= type->version != 0 && type->department != set->department;
    if (set->version >= type->version) {
        type->version = set->version;
        type->department = set->department;
    }
    r->answerers[r->answerers_count++] = (struct answerer){set->type, set->version, set->department, seq};
}

/* A first version that came back unchanged has, from the store, the seq of its return; what was asked under a version
 * is no older than that. */
static uint32_t answerer_at(const struct registry *r, uint32_t type, uint32_t version, uint64_t seq) {
    const struct answerer *newest = NULL;
    for (size_t i = 0; i < r->answerers_count; i++) {
        const struct answerer *a = &r->answerers[i];
        bool was = a->type == type && (a->version == version || (a->version > version && a->seq <= seq));
        if (was && (newest == NULL || a->version > newest->version))
            newest = a;
    }
    return newest != NULL ? newest->department : 0;
}

/* Nearly every type has the department that it always had: this is asked for each result. */
est_slice registry_answerer(const struct registry *r, const struct inquiry_row *row) {
    if (row->type >= r->names[THING_TYPE].count)
        return (est_slice){"", 0};
    const struct entry *type = &r->names[THING_TYPE].at[row->type];
    uint32_t department = type->department;
    if (type->moved && est_state_is_final((enum est_state)row->state))
        department = answerer_at(r, row->type, row->version, row->last_seq);
    return registry_name(r, THING_DEPARTMENT, department);
}

int registry_restore(struct registry *r, const struct event *e) {
    struct entry *entry = NULL;
    switch (e->type) {
    case EVENT_DEPARTMENT_SET:
        entry = entry_put(r, THING_DEPARTMENT, e->department_set.department, e->department_set.name);
        break;
    case EVENT_PURPOSE_SET:
        entry = entry_put(r, THING_PURPOSE, e->purpose_set.purpose, e->purpose_set.name);
        break;
    case EVENT_ACCOUNT_SET:
        entry = entry_put(r, THING_ACCOUNT, e->account_set.account, e->account_set.name);
        break;
    case EVENT_TYPE_SET: /* every version comes; the highest is the one in force */
        entry = entry_put(r, THING_TYPE, e->type_set.type, e->type_set.name);
        if (entry != NULL && answerers_reserve(r, 1) < 0)
            return -EST_NO_MEMORY;
        if (entry != NULL)
            answerer_add(r, entry, &e->type_set, e->seq);
        if (entry != NULL && e->type_set.version < entry->version)
            return 0;
        break;
    case EVENT_RETIRED:
        if (e->retired.thing < THINGS && e->retired.number < r->names[e->retired.thing].count)
            r->names[e->retired.thing].at[e->retired.number].live = false;
        return 0;
    default:
        return 0;
    }
    if (entry == NULL)
        return -EST_FULL;
    entry->fingerprint = fingerprint(e);
    return 0;
}

/* --- Comparing a configuration -------------------------------------------------------------------- */

struct sync {
    struct registry *r;
    const struct core *core;
    const struct catalogue *catalogue;
    void (*step)(void *arg, const struct input *);
    void *arg;
    /* Memory of its own, taken before anything changes. */
    uint32_t *numbers;   /* of the catalogue's types */
    uint32_t *masks;     /* of an account's rights, by type */
    bool *orphans;       /* types that are gone and that no account of this configuration could answer */
    struct right *rights;
};

/* There is one: names_fit. */
static uint32_t number_for(const struct sync *s, enum thing thing, const char *name) {
    uint32_t number = registry_number(s->r, thing, slice_of(name));
    return number == UINT32_MAX ? s->r->names[thing].count : number;
}

/* Is it, with this definition, the version that it is or was last? One that comes back is a new one, so that the
 * versions tell since when each was in force; but a first one, which nothing was before. */
static bool version_stands(const struct entry *e, uint64_t print) {
    return e->fingerprint == print && (e->live || e->version == 1);
}

/* Steps the event when the thing is new, changed, or back from retirement. */
static void thing_set(struct sync *s, enum thing thing, uint32_t number, const char *name, struct event *e) {
    struct names *n = &s->r->names[thing];
    uint64_t print = fingerprint(e);
    bool known = number < n->count && n->at[number].known;
    bool same = known && n->at[number].live && n->at[number].fingerprint == print;
    uint32_t version = known ? n->at[number].version : 0;
    if (e->type == EVENT_TYPE_SET)
        e->type_set.version = known && version_stands(&n->at[number], print) ? version : version + 1;
    struct entry *entry = entry_put(s->r, thing, number, slice_of(name));
    entry->seen = true;
    entry->fingerprint = print;
    if (same)
        return;
    struct input in = {.kind = INPUT_SET, .set = *e};
    s->step(s->arg, &in);
    struct core_counts counts;
    core_counts(s->core, &counts);
    if (e->type == EVENT_TYPE_SET && e->type_set.version != version)
        answerer_add(s->r, entry, &e->type_set, counts.seq);
}

static void departments_sync(struct sync *s) {
    for (size_t i = 0; i < s->catalogue->departments_count; i++) {
        const char *name = s->catalogue->departments[i].name;
        uint32_t number = number_for(s, THING_DEPARTMENT, name);
        struct event e = {.type = EVENT_DEPARTMENT_SET,
                          .department_set = {.department = number, .name = slice_of(name)}};
        thing_set(s, THING_DEPARTMENT, number, name, &e);
    }
}

static void purposes_sync(struct sync *s) {
    for (size_t i = 0; i < s->catalogue->city.purposes_count; i++) {
        const char *name = s->catalogue->city.purposes[i];
        uint32_t number = number_for(s, THING_PURPOSE, name);
        s->r->purposes[i] = number;
        struct event e = {.type = EVENT_PURPOSE_SET, .purpose_set = {.purpose = number, .name = slice_of(name)}};
        thing_set(s, THING_PURPOSE, number, name, &e);
    }
}

static void types_sync(struct sync *s) {
    for (size_t i = 0; i < s->catalogue->types_count; i++) {
        const struct ctype *t = &s->catalogue->types[i];
        uint32_t number = number_for(s, THING_TYPE, t->name);
        s->numbers[i] = number;
        struct event e = {.type = EVENT_TYPE_SET,
                          .type_set = {.type = number,
                                       .department = registry_number(s->r, THING_DEPARTMENT, slice_of(t->department)),
                                       .name = slice_of(t->name),
                                       .definition = slice_of(t->definition)}};
        thing_set(s, THING_TYPE, number, t->name, &e);
    }
}

/* The city's order of purposes may change between configurations; the record's numbers may not. */
static uint32_t purposes_to_record(const struct registry *r, const struct city *city, uint32_t purposes) {
    uint32_t mask = 0;
    for (size_t i = 0; i < city->purposes_count; i++)
        if (purposes >> i & 1)
            mask |= 1u << r->purposes[i];
    return mask;
}

static void right_add(const struct sync *s, const struct account *a, uint32_t *rights, const struct grant *grant) {
    for (size_t i = 0; i < s->catalogue->types_count; i++) {
        const struct ctype *t = &s->catalogue->types[i];
        uint32_t number = registry_number(s->r, THING_TYPE, slice_of(t->name));
        if (grant->type != NULL && strcmp(grant->type, t->name) != 0)
            continue;
        if (a->role == ROLE_REQUESTER)
            rights[number] |= purposes_to_record(s->r, &s->catalogue->city, grant->purposes & t->purposes);
        else if (a->department != NULL && strcmp(a->department, t->department) == 0)
            rights[number] = UINT32_MAX;
    }
}

static bool is_of(const struct account *a, const char *department) {
    return a->role == ROLE_DEPARTMENT && strcmp(a->department, department) == 0;
}

/* Is there an account in this configuration that could answer the type? */
static bool somebody_could(const struct sync *s, uint32_t type) {
    const char *department = s->r->names[THING_DEPARTMENT].at[s->r->names[THING_TYPE].at[type].department].name;
    for (size_t i = 0; i < s->catalogue->accounts_count; i++) {
        const struct account *a = &s->catalogue->accounts[i];
        uint32_t number = is_of(a, department) ? registry_number(s->r, THING_ACCOUNT, slice_of(a->name)) : UINT32_MAX;
        if (number != UINT32_MAX && core_could_answer(s->core, number, type))
            return true;
    }
    return false;
}

/* Found out before any account changes: which types that are gone have nobody left. */
static void orphans_find(struct sync *s) {
    const struct names *types = &s->r->names[THING_TYPE];
    for (uint32_t t = types->first; t < types->count; t++)
        s->orphans[t] = types->at[t].known && !types->at[t].seen && !somebody_could(s, t);
}

/* May it, by its rights, answer all that its department answers? */
static bool answers_all(const struct sync *s, const struct account *a, const uint32_t *rights) {
    for (size_t i = 0; i < s->catalogue->types_count; i++)
        if (is_of(a, s->catalogue->types[i].department) && rights[s->numbers[i]] == 0)
            return false;
    return true;
}

/* A type that the configuration no longer names may have inquiries under way; nobody can ask it. Whoever of its
 * department could answer it still can, also an account that was gone meanwhile. Where none of those is left, whoever
 * answers all that the department has: not everybody, since an agent that was set up for one type alone would
 * refuse what it does not know. */
static void rights_keep(const struct sync *s, const struct account *a, uint32_t account, uint32_t *rights) {
    const struct names *types = &s->r->names[THING_TYPE];
    uint32_t department = registry_number(s->r, THING_DEPARTMENT, slice_of(a->department));
    bool all = answers_all(s, a, rights);
    for (uint32_t t = types->first; t < types->count; t++)
        if (types->at[t].known && !types->at[t].seen && types->at[t].department == department &&
            (core_could_answer(s->core, account, t) || (all && s->orphans[t])))
            rights[t] = UINT32_MAX;
}

static void account_sync(struct sync *s, const struct account *a) {
    uint32_t types = s->r->names[THING_TYPE].capacity, number = number_for(s, THING_ACCOUNT, a->name);
    memset(s->masks, 0, types * sizeof *s->masks);
    for (size_t i = 0; i < a->grants_count; i++)
        right_add(s, a, s->masks, &a->grants[i]);
    if (a->role == ROLE_DEPARTMENT)
        rights_keep(s, a, number, s->masks);
    size_t count = 0;
    for (uint32_t t = 0; t < types; t++)
        if (s->masks[t] != 0)
            s->rights[count++] = (struct right){.type = t, .purposes = s->masks[t]};
    struct event e = {.type = EVENT_ACCOUNT_SET,
                      .account_set = {.account = number,
                                      .role = a->role,
                                      .level = a->level,
                                      .name = slice_of(a->name),
                                      .rights = s->rights,
                                      .rights_count = count}};
    if (a->role == ROLE_DEPARTMENT) {
        e.account_set.department = registry_number(s->r, THING_DEPARTMENT, slice_of(a->department));
        memcpy(e.account_set.districts, a->districts, sizeof a->districts);
    }
    thing_set(s, THING_ACCOUNT, number, a->name, &e);
}

static void accounts_sync(struct sync *s) {
    orphans_find(s);
    for (size_t i = 0; i < s->catalogue->accounts_count; i++)
        account_sync(s, &s->catalogue->accounts[i]);
}

/* What the configuration no longer names goes out of force. Departments and purposes are only
 * words; nothing hangs on their absence. */
static void retire_sync(struct sync *s) {
    static const enum thing retiring[] = {THING_TYPE, THING_ACCOUNT};
    for (size_t k = 0; k < 2; k++) {
        struct names *n = &s->r->names[retiring[k]];
        for (uint32_t i = n->first; i < n->count; i++) {
            if (!n->at[i].known || !n->at[i].live || n->at[i].seen)
                continue;
            n->at[i].live = false;
            struct input in = {.kind = INPUT_SET,
                               .set = {.type = EVENT_RETIRED, .retired = {.thing = retiring[k], .number = i}}};
            s->step(s->arg, &in);
        }
    }
}

/* What cannot come into force as a whole is found out before any of it does. `names` is where the first one's
 * name is, `stride` how far it is to the next. */
static bool names_fit(const struct registry *r, enum thing thing, const void *names, size_t count, size_t stride) {
    size_t left = r->names[thing].capacity - r->names[thing].count;
    for (size_t i = 0; i < count; i++) {
        const char *name;
        memcpy(&name, (const char *)names + i * stride, sizeof name);
        if (registry_number(r, thing, slice_of(name)) == UINT32_MAX && left-- == 0)
            return false;
    }
    return true;
}

static bool catalogue_fits(const struct registry *r, const struct catalogue *c) {
    return names_fit(r, THING_DEPARTMENT, &c->departments->name, c->departments_count, sizeof *c->departments) &&
           names_fit(r, THING_PURPOSE, c->city.purposes, c->city.purposes_count, sizeof *c->city.purposes) &&
           names_fit(r, THING_TYPE, &c->types->name, c->types_count, sizeof *c->types) &&
           names_fit(r, THING_ACCOUNT, &c->accounts->name, c->accounts_count, sizeof *c->accounts);
}

static void sync_done(struct sync *s) {
    free(s->numbers);
    free(s->masks);
    free(s->orphans);
    free(s->rights);
}

static int sync_init(struct sync *s) {
    uint32_t types = s->r->names[THING_TYPE].capacity;
    s->numbers = calloc(s->catalogue->types_count + 1, sizeof *s->numbers);
    s->masks = calloc(types, sizeof *s->masks);
    s->rights = calloc(types, sizeof *s->rights);
    s->orphans = calloc(types, sizeof *s->orphans);
    if (s->numbers != NULL && s->masks != NULL && s->rights != NULL && s->orphans != NULL)
        return 0;
    sync_done(s);
    return -EST_NO_MEMORY;
}

int registry_sync(struct registry *r, const struct core *core, const struct catalogue *catalogue,
                  void (*step)(void *arg, const struct input *), void *arg) {
    struct sync s = {.r = r, .core = core, .catalogue = catalogue, .step = step, .arg = arg};
    int error = catalogue_fits(r, catalogue) ? answerers_reserve(r, catalogue->types_count) : -EST_FULL;
    if (error == 0)
        error = sync_init(&s);
    if (error < 0)
        return error;
    for (int thing = 1; thing < THINGS; thing++)
        for (uint32_t i = 0; i < r->names[thing].count; i++)
            r->names[thing].at[i].seen = false;
    departments_sync(&s);
    purposes_sync(&s);
    types_sync(&s);
    accounts_sync(&s);
    retire_sync(&s);
    free(r->type_numbers);
    r->type_numbers = s.numbers;
    s.numbers = NULL;
    r->catalogue = catalogue;
    r->confidential_known = false;
    memset(r->types, 0, r->names[THING_TYPE].capacity * sizeof *r->types);
    for (size_t i = 0; i < catalogue->types_count; i++)
        r->types[r->type_numbers[i]] = &catalogue->types[i];
    sync_done(&s);
    return 0;
}

/* --- Looking up ----------------------------------------------------------------------------------- */

bool registry_type(const struct registry *r, est_slice name, const struct ctype **ret, uint32_t *ret_number,
                   uint32_t *ret_version) {
    const struct ctype *t = catalogue_type(r->catalogue, name);
    if (t == NULL)
        return false;
    *ret = t;
    *ret_number = r->type_numbers[t - r->catalogue->types];
    *ret_version = r->names[THING_TYPE].at[*ret_number].version;
    return true;
}

uint32_t registry_current(const struct registry *r, uint32_t type) {
    return type < r->names[THING_TYPE].count ? r->names[THING_TYPE].at[type].version : 0;
}

static const struct ctype *old_version(struct registry *r, struct store *store, uint32_t type, uint32_t version) {
    for (size_t i = 0; i < r->old_count; i++)
        if (r->old[i].type == type && r->old[i].version == version)
            return r->old[i].it;
    struct event e;
    struct old_version *grown = realloc(r->old, (r->old_count + 1) * sizeof *grown);
    if (grown == NULL)
        return NULL;
    r->old = grown;
    struct ctype *it;
    if (store_type(store, type, version, &e) < 0 || ctype_parse(e.type_set.definition, &r->catalogue->city, &it) < 0)
        return NULL;
    r->old[r->old_count++] = (struct old_version){type, version, it};
    return it;
}

const struct ctype *registry_version(struct registry *r, struct store *store, uint32_t type, uint32_t version) {
    if (type < r->names[THING_TYPE].count && r->types[type] != NULL && r->names[THING_TYPE].at[type].version == version)
        return r->types[type];
    return old_version(r, store, type, version);
}

/* What cannot be read now may be the next time. */
const bool *registry_confidential(struct registry *r, struct store *store) {
    const struct names *n = &r->names[THING_TYPE];
    if (r->confidential_known)
        return r->confidential;
    r->confidential_known = true;
    for (uint32_t type = n->first; type < n->count; type++) {
        const struct ctype *newest = n->at[type].known ? registry_version(r, store, type, n->at[type].version) : NULL;
        r->confidential[type] = newest == NULL || newest->confidential;
        if (n->at[type].known && newest == NULL)
            r->confidential_known = false;
    }
    return r->confidential;
}

int registry_purpose(const struct registry *r, est_slice name) {
    int at = city_purpose(&r->catalogue->city, name);
    return at < 0 ? -1 : (int)r->purposes[at];
}

bool registry_type_has_purpose(const struct registry *r, const struct ctype *t, uint32_t purpose) {
    return purposes_to_record(r, &r->catalogue->city, t->purposes) >> purpose & 1;
}

const struct city *registry_city(const struct registry *r) {
    return &r->catalogue->city;
}
