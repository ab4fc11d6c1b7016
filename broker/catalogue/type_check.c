/* type_check.c - what the keys of a type ask of each other, when each of them is good by itself.
 *
 * A type that breaks one of these rules loads and runs, and only then does harm: its owner watches
 * itself, its silence says yes on no law, it ends before its own term, or nobody can ask or answer
 * it. So the catalogue refuses it. Definitions out of the store are past that: they mean what they
 * meant when they were written.
 */
#include "jalali.h"
#include "load.h"
#include "when.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- Parties ---------------------------------------------------------------------------------- */

/* Who sets the terms and watches does not answer, and who runs the machines does neither. */
static void parties_check(struct yaml *yaml, yaml_node node, const struct ctype *type) {
    const struct party {
        const char *key, *name;
    } parties[] = {{"owner", type->owner}, {"answerer", type->department}, {"operator", type->operator_}};
    for (size_t i = 1; i < 3; i++) {
        for (size_t k = 0; k < i; k++) {
            if (!parties[i].name || !parties[k].name || strcmp(parties[i].name, parties[k].name) != 0)
                continue;
            yaml_complain(
                yaml, yaml_get(node, parties[i].key),
                "%s and %s are both `%s`; owner, answerer and operator are three bodies, name another",
                parties[k].key, parties[i].key, parties[i].name);
            return;
        }
    }
}

/* --- Terms and silence ------------------------------------------------------------------------ */

/* As if every day and hour were a working one, and every month a long one. */
static est_span term_span(const char *term) {
    static const struct unit {
        const char *name;
        int64_t seconds;
    } units[] = {{"s", 1},     {"min", 60},   {"h", 3600},   {"wh", 3600},
                 {"d", 86400}, {"wd", 86400}, {"cd", 86400}, {"mo", 31 * 86400}};
    char *unit = NULL;
    long number = strtol(term, &unit, 10);
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (strcmp(unit + 1, units[i].name) == 0)
            return (est_span){number * units[i].seconds * EST_US_PER_S};
    return (est_span){0};
}

/* A term that is not over before the inquiry is never late, and its silence never speaks. */
static void expires_check(struct yaml *yaml, yaml_node node, const struct ctype *type) {
    const struct {
        const char *key, *term;
    } terms[] = {{"target", type->target}, {"statutory", type->statutory}};
    for (size_t i = 0; i < 2; i++) {
        if (!terms[i].term || term_span(terms[i].term).us < type->expires.us)
            continue;
        yaml_complain(
            yaml, yaml_get(node, "expires"),
            "the inquiry would end as expired before its %s term of %s is over; raise expires above "
            "it (a month has up to 31 days)",
            terms[i].key, terms[i].term);
        return;
    }
}

static bool fields_have_visit(const struct field *fields, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (fields[i].kind == FIELD_VISIT || fields_have_visit(fields[i].fields, fields[i].fields_count))
            return true;
    }
    return false;
}

/* Silence says yes at a date that a law has set, and the record cites the law; but where somebody
 * must have gone and looked it says nothing, for it cannot have seen anything. */
static void deemed_check(struct yaml *yaml, yaml_node node, const struct ctype *type) {
    if (!type->silence || !strstr(type->silence, "deemed-approved"))
        return;
    if (type->mode == MODE_VISIT || fields_have_visit(type->reply.fields, type->reply.count)) {
        yaml_complain(yaml, yaml_get(node, "silence"),
                      "a type that needs a visit is never deemed approved; use escalate or fail-closed");
        return;
    }
    if (!yaml_get(node, "statutory"))
        yaml_complain(yaml, yaml_get(node, "silence"),
                      "silence is deemed approval at the statutory date, and there is none; add `statutory`, "
                      "or use escalate or fail-closed");
    if (type->legal_mark && strcmp(type->legal_mark, "P") == 0)
        yaml_complain(
            yaml, yaml_get(yaml_get(node, "legal_basis"), "mark"),
            "silence is deemed approval by a law only, and mark P says there is none; name the law, "
            "or use escalate or fail-closed");
}

/* --- Answers ---------------------------------------------------------------------------------- */

static void refusal_check(struct yaml *yaml, yaml_node node, const struct ctype *type) {
    if (type->outcomes & (UINT32_C(1) << EST_OUTCOME_NEGATIVE) && !yaml_get(node, "reasons"))
        yaml_complain(yaml, yaml_get(node, "outcomes"),
                      "a refusal has a cause; declare `reasons`, or take `negative` out");
}

/* --- Fields ----------------------------------------------------------------------------------- */

/* The first required field of a kind, also inside required records; a list of them may be empty. */
static const struct field *field_required(const struct field *fields, size_t count, enum field_kind kind) {
    for (size_t i = 0; i < count; i++) {
        const struct field *inner = NULL;
        if (!fields[i].required || fields[i].list)
            continue;
        if (fields[i].kind == kind)
            return &fields[i];
        if ((inner = field_required(fields[i].fields, fields[i].fields_count, kind)))
            return inner;
    }
    return NULL;
}

static void visit_check(struct yaml *yaml, yaml_node node, const struct ctype *type) {
    if (type->mode == MODE_VISIT && !field_required(type->reply.fields, type->reply.count, FIELD_VISIT))
        yaml_complain(
            yaml, yaml_get(node, "reply"),
            "who answers a `mode: visit` type proves the visit; add a required field of kind visit");
}

static void file_number_check(struct loader *loader, struct yaml *yaml, yaml_node node,
                              const struct ctype *type) {
    const struct {
        const char *key;
        const struct schema *schema;
    } bodies[] = {{"request", &type->request}, {"reply", &type->reply}};
    if (!loader->districts_known || loader->city->parcel.file_digits)
        return;
    for (size_t i = 0; i < 2; i++) {
        const struct field *field =
            field_required(bodies[i].schema->fields, bodies[i].schema->count, FIELD_FN);
        if (field)
            yaml_complain(yaml, yaml_get(node, bodies[i].key),
                          "no %s can ever pass: `%s` is a required file number, and the city has none; set "
                          "parcel.file_digits in city.yaml, or take the field out",
                          bodies[i].key, field->name);
    }
}

/* --- Choices ---------------------------------------------------------------------------------- */

/* A choice as people read it: Arabic yeh and kaf as the Persian ones, no zero-width non-joiner. */
static void choice_fold(const char *choice, char ret[EST_NAME_MAX + 1]) {
    static const char *const folds[][2] = {{"ي", "ی"}, {"ك", "ک"}, {"\xE2\x80\x8C", ""}};
    while (*choice) {
        size_t i = 0, count = sizeof folds / sizeof folds[0];
        while (i < count && strncmp(choice, folds[i][0], strlen(folds[i][0])) != 0)
            i++;
        if (i == count) {
            *ret++ = *choice++;
            continue;
        }
        choice += strlen(folds[i][0]);
        ret = stpcpy(ret, folds[i][1]);
    }
    *ret = '\0';
}

static bool choices_check(struct yaml *yaml, yaml_node node, const struct field *field) {
    char folded[CHOICES_MAX][EST_NAME_MAX + 1];
    for (size_t i = 0; i < field->choices_count; i++) {
        choice_fold(field->choices[i], folded[i]);
        for (size_t k = 0; k < i; k++) {
            if (strcmp(folded[i], folded[k]) != 0)
                continue;
            yaml_complain(yaml, yaml_get(node, "choices"),
                          "the choices `%s` and `%s` look the same (ي and ی, ك and ک); remove one",
                          field->choices[k], field->choices[i]);
            return false;
        }
    }
    return true;
}

/* False after a complaint: one a type is enough. */
static bool fields_check(struct yaml *yaml, yaml_node map, const struct field *fields, size_t count) {
    for (size_t i = 0; i < count; i++) {
        yaml_node node = yaml_get(map, fields[i].name);
        if (!choices_check(yaml, node, &fields[i]) ||
            !fields_check(yaml, yaml_get(node, "fields"), fields[i].fields, fields[i].fields_count))
            return false;
    }
    return true;
}

/* --- The law ---------------------------------------------------------------------------------- */

static bool is_year(est_slice text) {
    const char *at = text.data;
    bool good = text.size == 4 && (*at == '1' || *at == '2');
    for (size_t i = 1; good && i < 4; i++)
        good = at[i] >= '0' && at[i] <= '9';
    return good;
}

static void legal_date_check(struct yaml *yaml, yaml_node node, const struct ctype *type) {
    char folded[16];
    est_time day;
    if (!type->legal_date)
        return;
    size_t size = ident_fold_digits(slice_of(type->legal_date), folded, sizeof folded);
    est_slice text = {folded, size};
    if (size == 0 || (!is_year(text) && !when_parse_day(text, &day)))
        yaml_complain(
            yaml, yaml_get(yaml_get(node, "legal_basis"), "date"),
            "`%.40s` is no date of a law; write a year such as \"1385\", or a day such as 1404/01/31",
            type->legal_date);
}

/* --- All of them ------------------------------------------------------------------------------ */

void type_check(struct loader *loader, struct yaml *yaml, yaml_node node, const struct ctype *type,
                struct type_parts good) {
    parties_check(yaml, node, type);
    if (good.terms)
        expires_check(yaml, node, type);
    deemed_check(yaml, node, type);
    refusal_check(yaml, node, type);
    legal_date_check(yaml, node, type);
    if (!good.bodies)
        return;
    visit_check(yaml, node, type);
    file_number_check(loader, yaml, node, type);
    if (fields_check(yaml, yaml_get(node, "request"), type->request.fields, type->request.count))
        fields_check(yaml, yaml_get(node, "reply"), type->reply.fields, type->reply.count);
}
