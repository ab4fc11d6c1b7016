/* load.h - what the parts of loading share; private to the catalogue.
 *
 * A loader goes through the files in the order in which they rest on each other: city,
 * departments, types, accounts, settings. Each part complains about all it finds and leaves
 * something usable behind, so that one run over broken files reports every complaint. Strings are
 * copied into the arena; documents are closed as soon as they were read.
 */
#ifndef LOAD_H
#define LOAD_H

#include "arena.h"
#include "catalogue.h"

enum { TITLE_MAX = 400, LIST_MAX = 1000, RECORD_NESTING_MAX = 3, DISTRICTS_MAX = 1023 };

struct loader {
    struct arena *arena;
    struct complaints *complaints;
    struct city *city;
    const struct department *departments;
    size_t departments_count;
    /* False where the part was not read whole, or not at all for a stored definition: what names it
     * is then taken on trust, so that one mistake does not become a complaint at each mention. */
    bool purposes_known, districts_known, departments_known, types_known;
    bool stored; /* a definition out of the store */
};

/* --- Words (words.c) -------------------------------------------------------------------------- */

/* ^[a-z][a-z0-9.-]{0,63}$, and with `_` for fields. */
bool name_is_valid(const char *name);
bool field_name_is_valid(const char *name);

/* Complains at the key of `node` unless the key is a name. */
bool load_key_name(struct yaml *, yaml_node, bool (*is_valid)(const char *), const char *what);
/* A copy of a text of 1 ... `max` bytes that is not all blanks; NULL where it is absent or
 * complained about. */
const char *load_text(struct loader *, struct yaml *, yaml_node, size_t max);
/* {fa: …, en: …}; both are needed. Absent titles are complained about at `owner` when `needed`. */
void load_title(struct loader *, struct yaml *, yaml_node owner, bool needed, const char **ret_fa,
                const char **ret_en);
/* A {fa: …, en: …} itself. */
struct title load_title_of(struct loader *, struct yaml *, yaml_node);
const char *load_copy(struct loader *, const char *text);

/* A word out of a table; complains with the nearest and the whole choice. -1: none. */
int load_word(struct yaml *, yaml_node, const char *const *words, size_t count);
/* `all`, or a list of the city's purposes, as bits. `all` is told by *ret_all. */
uint32_t load_purposes(struct loader *, struct yaml *, yaml_node, bool *ret_all);
bool node_is_all(yaml_node);
/* The name of a department that exists, copied; NULL after a complaint. */
const char *load_department(struct loader *, struct yaml *, yaml_node);
/* "1 wd", "10 cd", "2 mo": a term of the law, kept as it is written. */
const char *load_term(struct loader *, struct yaml *, yaml_node);

/* --- Parts ------------------------------------------------------------------------------------ */

void load_city(struct loader *, const char *path);
void load_departments(struct loader *, const char *path);
/* Fields of a request, a reply or a record, in the file's order. */
struct schema load_schema(struct loader *, struct yaml *, yaml_node fields, int nesting);
/* `one_of`: groups of a request's fields, as bits. */
void load_one_of(struct yaml *, yaml_node, struct ctype *);
/* The containers that a body of these fields nests, the body's own map included. */
unsigned schema_depth(const struct field *fields, size_t count);
/* One type from its node. False where it was complained about. */
bool load_type(struct loader *, struct yaml *, yaml_node, const char *name, struct ctype *ret);
/* What its keys ask of each other: a complaint a rule. `good`: the parts that were read without one. */
struct type_parts { bool terms, bodies; };
void type_check(struct loader *, struct yaml *, yaml_node, const struct ctype *, struct type_parts good);
/* Every types/ *.yaml of the folder, sorted by name. */
void load_types(struct loader *, const char *folder, const struct ctype **ret, size_t *ret_count);
void load_accounts(struct loader *, const struct catalogue *, const char *path, const struct account **ret,
                   size_t *ret_count);
void load_settings(struct loader *, struct yaml *, yaml_node root, struct broker_settings *ret);

/* Names in a table sorted by name: the element, or NULL. The name is the element's first member. */
const void *named_find(const void *table, size_t count, size_t size, est_slice name);
int named_compare(const void *a, const void *b);

#endif
