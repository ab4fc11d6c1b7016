/* words.c - the small things that every configuration file is made of: names, titles, choices. */
#include "load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- Names ------------------------------------------------------------------------------------ */

static bool word_is_valid(const char *word, const char *first, const char *rest) {
    size_t size = strlen(word);
    return size >= 1 && size <= EST_NAME_MAX && strchr(first, word[0]) && strspn(word, rest) == size;
}

#define LOWER  "abcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"

bool name_is_valid(const char *name) {
    return word_is_valid(name, LOWER, LOWER DIGITS ".-");
}

bool field_name_is_valid(const char *name) {
    return word_is_valid(name, LOWER, LOWER DIGITS "_");
}

bool load_key_name(struct yaml *yaml, yaml_node node, bool (*is_valid)(const char *), const char *what) {
    const char *key = yaml_key(node);
    if (key && is_valid(key))
        return true;
    yaml_complain_key(
        yaml, node, "`%.80s` is no name for %s; use 1 to %d of the letters a to z, digits%s, a letter first",
        key ? key : "", what, EST_NAME_MAX, is_valid == field_name_is_valid ? " and _" : ", . and -");
    return false;
}

int named_compare(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* -1, 0, 1 as `name` stands before, at or after the zero-terminated word. */
static int slice_order(est_slice name, const char *word) {
    size_t size = strlen(word);
    int order = memcmp(name.data, word, name.size < size ? name.size : size);
    return order ? order : (name.size > size) - (name.size < size);
}

const void *named_find(const void *table, size_t count, size_t size, est_slice name) {
    size_t low = 0, high = count;
    if (name.size == 0)
        return NULL;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const char *element = (const char *)table + middle * size;
        int order = slice_order(name, *(const char *const *)element);
        if (order == 0)
            return element;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

/* --- Texts ------------------------------------------------------------------------------------ */

const char *load_copy(struct loader *loader, const char *text) {
    return text ? arena_copy(loader->arena, text, strlen(text)) : NULL;
}

/* Spaces and what takes no ink: no-break, zero-width and directional characters. */
static bool is_blank(const char *text) {
    static const char *const blanks[] = {" ", "\t", "\n", "\r", "\xC2\xA0"};
    const size_t count = sizeof blanks / sizeof blanks[0];
    while (*text) {
        const unsigned char *at = (const unsigned char *)text;
        size_t i = 0;
        if (at[0] == 0xE2 && at[1] == 0x80 && at[2] >= 0x80 && at[2] <= 0x8F) { /* U+2000 to U+200F */
            text += 3;
            continue;
        }
        while (i < count && strncmp(text, blanks[i], strlen(blanks[i])) != 0)
            i++;
        if (i == count)
            return false;
        text += strlen(blanks[i]);
    }
    return true;
}

const char *load_text(struct loader *loader, struct yaml *yaml, yaml_node node, size_t max) {
    const char *text = yaml_text(yaml, node, NULL);
    if (!text)
        return NULL;
    size_t size = strlen(text);
    if (size == 0 || size > max) {
        yaml_complain(yaml, node, "this text has %zu bytes; 1 to %zu are allowed", size, max);
        return NULL;
    }
    if (!loader->stored && is_blank(text)) {
        yaml_complain(yaml, node, "this text is blank; write what people are to read");
        return NULL;
    }
    return load_copy(loader, text);
}

struct title load_title_of(struct loader *loader, struct yaml *yaml, yaml_node title) {
    static const char *const keys[] = {"fa", "en", NULL};
    struct title ret = {NULL, NULL};
    if (!yaml_only(yaml, title, keys))
        return ret;
    ret.fa = load_text(loader, yaml, yaml_need(yaml, title, "fa"), TITLE_MAX);
    ret.en = load_text(loader, yaml, yaml_need(yaml, title, "en"), TITLE_MAX);
    return ret;
}

void load_title(struct loader *loader, struct yaml *yaml, yaml_node owner, bool needed, const char **ret_fa,
                const char **ret_en) {
    struct title title = load_title_of(
        loader, yaml, needed ? yaml_need(yaml, owner, "title") : yaml_get(owner, "title"));
    if (title.fa)
        *ret_fa = title.fa;
    if (title.en)
        *ret_en = title.en;
}

int load_word(struct yaml *yaml, yaml_node node, const char *const *words, size_t count) {
    const char *text = yaml_text(yaml, node, NULL);
    if (!text)
        return -1;
    struct nearest nearest;
    char hint[128], choice[256] = "";
    size_t used = 0;
    nearest_init(&nearest, slice_of(text));
    for (size_t i = 0; i < count; i++) {
        if (!words[i])
            continue;
        if (strcmp(text, words[i]) == 0)
            return (int)i;
        nearest_offer(&nearest, words[i]);
        if (used < sizeof choice)
            used += (size_t)snprintf(choice + used, sizeof choice - used, "%s%s", used ? ", " : "", words[i]);
    }
    if (nearest.best)
        yaml_complain(yaml, node, "unknown word `%.64s`%s", text, nearest_hint(&nearest, hint));
    else
        yaml_complain(yaml, node, "unknown word `%.64s`; use one of: %s", text, choice);
    return -1;
}

const char *load_term(struct loader *loader, struct yaml *yaml, yaml_node node) {
    static const char *const units[] = {"s", "min", "h", "wh", "wd", "cd", "d", "mo"};
    const char *text = yaml_text(yaml, node, NULL);
    if (!text)
        return NULL;
    size_t digits = strspn(text, DIGITS);
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (digits >= 1 && digits <= 4 && text[0] != '0' && text[digits] == ' ' &&
            strcmp(text + digits + 1, units[i]) == 0)
            return load_copy(loader, text);
    }
    yaml_complain(
        yaml, node,
        "`%.40s` is no term; write a number and s, min, h, wh (working hours), wd (working days), cd "
        "(calendar days) or mo (months), such as 10 wd",
        text);
    return NULL;
}

/* --- References ------------------------------------------------------------------------------- */

bool node_is_all(yaml_node node) {
    const char *text = yaml_word(node);
    return text && strcmp(text, "all") == 0;
}

static void purpose_take(struct loader *loader, struct yaml *yaml, yaml_node node, uint32_t *bits) {
    const char *name = yaml_text(yaml, node, NULL);
    if (!name)
        return;
    int index = city_purpose(loader->city, slice_of(name));
    if (index < 0 && !loader->purposes_known)
        return; /* for a stored type: the city gave it up since, and nothing new is asked under it */
    if (index < 0) {
        struct nearest nearest;
        char hint[128];
        nearest_init(&nearest, slice_of(name));
        for (size_t i = 0; i < loader->city->purposes_count; i++)
            nearest_offer(&nearest, loader->city->purposes[i]);
        yaml_complain(yaml, node, "the city has no purpose `%.64s`%s", name,
                      nearest.best ? nearest_hint(&nearest, hint) : "; add it to city.yaml");
    } else if (*bits & (UINT32_C(1) << index)) {
        yaml_complain(yaml, node, "the purpose `%s` is there twice; remove one", name);
    } else {
        *bits |= UINT32_C(1) << index;
    }
}

uint32_t load_purposes(struct loader *loader, struct yaml *yaml, yaml_node node, bool *ret_all) {
    *ret_all = node_is_all(node);
    if (*ret_all || !node)
        return (uint32_t)((UINT64_C(1) << loader->city->purposes_count) - 1);
    uint32_t bits = 0;
    if (!yaml_is_list(node) || yaml_count(node) == 0) {
        yaml_complain(yaml, node, "purposes are `all` or a list such as [permit, transfer]");
        return bits;
    }
    for (size_t i = 0; i < yaml_count(node); i++)
        purpose_take(loader, yaml, yaml_at(node, i), &bits);
    return bits;
}

const char *load_department(struct loader *loader, struct yaml *yaml, yaml_node node) {
    const char *name = yaml_text(yaml, node, NULL);
    if (!name || !loader->departments_known)
        return load_copy(loader, name);
    const struct department *department =
        named_find(loader->departments, loader->departments_count, sizeof *department, slice_of(name));
    if (department)
        return department->name;
    struct nearest nearest;
    char hint[128];
    nearest_init(&nearest, slice_of(name));
    for (size_t i = 0; i < loader->departments_count; i++)
        nearest_offer(&nearest, loader->departments[i].name);
    yaml_complain(yaml, node, "there is no department `%.64s`%s", name,
                  nearest.best ? nearest_hint(&nearest, hint) : "; add it to departments.yaml");
    return NULL;
}
