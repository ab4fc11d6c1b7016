/* yaml.c - YAML documents as small trees that know where each value stands in its file.
 *
 * libfyaml scans and parses; its events are gathered here into values that carry their line and
 * column, because the library's own document tree does not tell where a map begins. Gathering is
 * also where anchors, aliases, tags, merges, duplicate keys and second documents are refused: a
 * configuration file says what it means where it stands.
 */
#include "yaml.h"
#include "arena.h"

#include <libfyaml.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum value_kind { VALUE_NULL, VALUE_PLAIN, VALUE_QUOTED, VALUE_LIST, VALUE_MAP };

/* A value of the document. Children are a chain while the document is read, then an array. */
struct yaml_value {
    enum value_kind kind;
    int line, column;         /* from 1 */
    int key_line, key_column; /* of its key, in a map */
    const char *key;          /* in a map */
    const char *text;         /* of a scalar; terminated by zero */
    size_t count;
    struct yaml_value **children;
    struct yaml_value *first, *last, *next;
};

struct yaml {
    struct arena arena;
    const char *name;
    struct complaints *complaints;
    struct yaml_value *root;
};

/* What is open while events come in: containers from the root inwards, and a key that waits for
 * its value. */
struct gather {
    struct yaml *yaml;
    struct fy_parser *parser;
    struct yaml_value *open[YAML_DEPTH_MAX];
    struct yaml_value *key[YAML_DEPTH_MAX]; /* waiting, of the map open at that depth */
    int depth;
    int documents;
    int line, column; /* of the event at hand */
    bool stop;
};

/* --- Complaints ------------------------------------------------------------------------------- */

void text_trim(char *text) {
    size_t size = strlen(text), tail = 0;
    while (tail < size && tail < 3 && ((unsigned char)text[size - 1 - tail] & 0xC0) == 0x80)
        tail++;
    if (tail == size)
        return;
    unsigned char lead = (unsigned char)text[size - 1 - tail];
    size_t need = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : lead >= 0xC0 ? 1 : 0;
    if (tail < need)
        text[size - 1 - tail] = '\0';
}

static void complaints_put(struct complaints *complaints, const char *where, const char *format,
                           va_list arguments) {
    size_t room = sizeof complaints->at / sizeof complaints->at[0];
    complaints->count++;
    if (complaints->kept == room)
        return;
    struct complaint *complaint = &complaints->at[complaints->kept++];
    snprintf(complaint->where, sizeof complaint->where, "%s", where);
    int size = vsnprintf(complaint->text, sizeof complaint->text, format, arguments);
    if (size >= (int)sizeof complaint->text)
        text_trim(complaint->text);
}

void complaints_add(struct complaints *complaints, const char *where, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    complaints_put(complaints, where, format, arguments);
    va_end(arguments);
}

/* A long path loses its beginning, never the line and column. */
static void where_format(const struct yaml *yaml, int line, int column, char *ret, size_t size) {
    char tail[32];
    int tail_size = snprintf(tail, sizeof tail, ":%d:%d", line, column);
    size_t room = size - (size_t)tail_size - 1, length = strlen(yaml->name);
    snprintf(ret, size, "%s%s", yaml->name + (length > room ? length - room : 0), tail);
}

static void complain_at(struct yaml *yaml, int line, int column, const char *format, va_list arguments) {
    char where[sizeof((struct complaint *)0)->where];
    where_format(yaml, line, column, where, sizeof where);
    complaints_put(yaml->complaints, where, format, arguments);
}

void yaml_complain(struct yaml *yaml, yaml_node node, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    complain_at(yaml, node ? node->line : 1, node ? node->column : 1, format, arguments);
    va_end(arguments);
}

void yaml_complain_key(struct yaml *yaml, yaml_node node, const char *format, ...) {
    bool keyed = node && node->key;
    va_list arguments;
    va_start(arguments, format);
    complain_at(yaml,
                keyed  ? node->key_line
                : node ? node->line
                       : 1,
                keyed  ? node->key_column
                : node ? node->column
                       : 1,
                format, arguments);
    va_end(arguments);
}

/* --- Gathering events into values ------------------------------------------------------------- */

__attribute__((format(printf, 2, 3))) static void gather_complain(struct gather *gather, const char *format,
                                                                  ...) {
    va_list arguments;
    va_start(arguments, format);
    complain_at(gather->yaml, gather->line, gather->column, format, arguments);
    va_end(arguments);
}

static struct yaml_value *value_new(struct gather *gather, enum value_kind kind) {
    struct yaml_value *value = arena_take(&gather->yaml->arena, sizeof *value);
    if (!value)
        return NULL;
    value->kind = kind;
    value->line = gather->line;
    value->column = gather->column;
    return value;
}

/* A value that stands where a key is expected. */
static void key_take(struct gather *gather, struct yaml_value *key) {
    int top = gather->depth - 1;
    if (key->kind == VALUE_LIST || key->kind == VALUE_MAP || key->kind == VALUE_NULL) {
        gather_complain(gather, "a key must be a plain word; write `name: value`");
        gather->stop = true;
    } else if (strlen(key->text) > YAML_KEY_MAX) {
        gather_complain(gather, "a key has at most %d bytes; shorten it", YAML_KEY_MAX);
    } else if (key->kind == VALUE_PLAIN && strcmp(key->text, "<<") == 0) {
        gather_complain(gather, "merge keys are not used here; write the values out");
    }
    gather->key[top] = key;
}

/* Puts a value where the innermost open container expects it. */
static void value_place(struct gather *gather, struct yaml_value *value) {
    if (gather->depth == 0) {
        gather->yaml->root = value;
        return;
    }
    int top = gather->depth - 1;
    struct yaml_value *parent = gather->open[top];
    if (parent->kind == VALUE_MAP) {
        if (!gather->key[top]) {
            key_take(gather, value);
            return;
        }
        value->key = gather->key[top]->text;
        value->key_line = gather->key[top]->line;
        value->key_column = gather->key[top]->column;
        gather->key[top] = NULL;
    }
    if (parent->last)
        parent->last->next = value;
    else
        parent->first = value;
    parent->last = value;
    parent->count++;
}

static void on_open(struct gather *gather, enum value_kind kind) {
    struct yaml_value *value = value_new(gather, kind);
    if (!value)
        return;
    value_place(gather, value);
    if (gather->depth == YAML_DEPTH_MAX) {
        gather_complain(gather, "nested deeper than %d levels; flatten it", YAML_DEPTH_MAX);
        gather->stop = true;
        return;
    }
    gather->open[gather->depth] = value;
    gather->key[gather->depth++] = NULL;
}

static int by_key_then_place(const void *a, const void *b) {
    const struct yaml_value *x = *(struct yaml_value *const *)a, *y = *(struct yaml_value *const *)b;
    int order = strcmp(x->key, y->key);
    if (order)
        return order;
    return x->key_line != y->key_line ? x->key_line - y->key_line : x->key_column - y->key_column;
}

/* Sorts a copy, so that a map of many thousand keys does not cost their square. */
static void duplicates_refuse(struct yaml *yaml, const struct yaml_value *map) {
    struct yaml_value **sorted = arena_take_many(&yaml->arena, map->count, sizeof *sorted);
    if (!sorted)
        return;
    memcpy(sorted, map->children, map->count * sizeof *sorted);
    qsort(sorted, map->count, sizeof *sorted, by_key_then_place);
    for (size_t i = 1; i < map->count; i++) {
        if (strcmp(sorted[i - 1]->key, sorted[i]->key) == 0)
            yaml_complain_key(yaml, sorted[i], "`%s` is there twice, first on line %d; remove one of the two",
                              sorted[i]->key, sorted[i - 1]->key_line);
    }
}

static void on_close(struct gather *gather) {
    struct yaml_value *value = gather->open[--gather->depth];
    value->children = arena_take_many(&gather->yaml->arena, value->count, sizeof *value->children);
    if (!value->children)
        return;
    size_t index = 0;
    for (struct yaml_value *child = value->first; child; child = child->next)
        value->children[index++] = child;
    if (value->kind == VALUE_MAP && value->count > 1)
        duplicates_refuse(gather->yaml, value);
}

static bool text_is_null(const char *text, size_t size) {
    return size == 0 || (size == 1 && *text == '~') || (size == 4 && memcmp(text, "null", 4) == 0);
}

static void on_scalar(struct gather *gather, struct fy_token *token) {
    size_t size = 0;
    const char *text = token ? fy_token_get_text(token, &size) : "";
    if (!text)
        text = "", size = 0;
    enum fy_scalar_style style = token ? fy_scalar_token_get_style(token) : FYSS_PLAIN;
    bool plain = style == FYSS_PLAIN;
    if (style == FYSS_SINGLE_QUOTED || style == FYSS_DOUBLE_QUOTED)
        gather->column--; /* the library's mark stands behind the quote */
    if (memchr(text, 0, size))
        gather_complain(gather, "a zero byte inside a text; remove it");
    struct yaml_value *value = value_new(gather, VALUE_QUOTED);
    if (!value)
        return;
    if (plain)
        value->kind = text_is_null(text, size) ? VALUE_NULL : VALUE_PLAIN;
    value->text = arena_copy(&gather->yaml->arena, text, size);
    if (value->text)
        value_place(gather, value);
}

static void gather_move(struct gather *gather, const struct fy_mark *mark) {
    if (!mark)
        return; /* an empty value stands where the event before it did */
    gather->line = mark->line + 1;
    gather->column = mark->column + 1;
}

/* Anchors and tags are complained about, then read past, so that the rest is checked too. */
static void refuse_marks(struct gather *gather, struct fy_token *anchor, struct fy_token *tag) {
    struct gather there = *gather;
    if (anchor) {
        gather_move(&there, fy_token_start_mark(anchor));
        there.column--; /* the library's mark stands behind the `&` */
        gather_complain(&there, "anchors are not used here; write the value out where it is needed");
    }
    if (tag) {
        gather_move(&there, fy_token_start_mark(tag));
        gather_complain(&there, "tags are not used here; remove the `!` and its word");
    }
}

static void on_event(struct gather *gather, struct fy_event *event) {
    switch (event->type) {
    case FYET_DOCUMENT_START:
        if (++gather->documents > 1) {
            gather_complain(gather, "a second document in one file; use a file for each");
            gather->stop = true;
        }
        break;
    case FYET_ALIAS:
        gather->column--; /* the library's mark stands behind the `*` */
        gather_complain(gather, "aliases are not used here; write the value out");
        on_scalar(gather, NULL);
        break;
    case FYET_SCALAR:
        refuse_marks(gather, event->scalar.anchor, event->scalar.tag);
        on_scalar(gather, event->scalar.value);
        break;
    case FYET_SEQUENCE_START:
        refuse_marks(gather, event->sequence_start.anchor, event->sequence_start.tag);
        on_open(gather, VALUE_LIST);
        break;
    case FYET_MAPPING_START:
        refuse_marks(gather, event->mapping_start.anchor, event->mapping_start.tag);
        on_open(gather, VALUE_MAP);
        break;
    case FYET_SEQUENCE_END:
    case FYET_MAPPING_END:
        on_close(gather);
        break;
    default:
        break;
    }
}

static void gather_events(struct gather *gather) {
    while (!gather->stop && !gather->yaml->arena.failed) {
        struct fy_event *event = fy_parser_parse(gather->parser);
        if (!event)
            break;
        gather_move(gather, fy_event_start_mark(event));
        on_event(gather, event);
        fy_parser_event_free(gather->parser, event);
    }
}

/* The first error of the scanner is the cause; what follows it are echoes. */
static void scanner_complain(struct yaml *yaml, struct fy_diag *diag) {
    void *place = NULL;
    const struct fy_diag_error *error = fy_diag_errors_iterate(diag, &place);
    char where[256];
    if (error) {
        where_format(yaml, error->line > 0 ? error->line : 1, error->column > 0 ? error->column : 1, where,
                     sizeof where);
        complaints_add(yaml->complaints, where, "%s; mend the YAML here, the rest was not read", error->msg);
    } else {
        where_format(yaml, 1, 1, where, sizeof where);
        complaints_add(yaml->complaints, where, "this is not YAML; mend the file");
    }
}

/* Bytes of the character at `at`, 0 where it is no UTF-8 (also where overlong, a surrogate, or too large). */
static size_t character_size(const unsigned char *at, size_t left) {
    size_t size = *at < 0x80 ? 1 : *at < 0xC2 ? 0 : *at < 0xE0 ? 2 : *at < 0xF0 ? 3 : *at < 0xF5 ? 4 : 0;
    if (size == 0 || size > left)
        return 0;
    for (size_t i = 1; i < size; i++) {
        if ((at[i] & 0xC0) != 0x80)
            return 0;
    }
    if ((*at == 0xE0 && at[1] < 0xA0) || (*at == 0xED && at[1] > 0x9F) || (*at == 0xF0 && at[1] < 0x90) ||
        (*at == 0xF4 && at[1] > 0x8F))
        return 0;
    return size;
}

/* libfyaml takes what is not UTF-8 for the end of the text and says nothing. */
static bool encoding_check(struct yaml *yaml, est_slice text) {
    const unsigned char *at = text.data, *end = at + text.size;
    struct yaml_value here = {.line = 1, .column = 1};
    while (at < end) {
        size_t size = character_size(at, (size_t)(end - at));
        if (size == 0 || *at == 0) {
            yaml_complain(yaml, &here, "a byte that is not UTF-8 text; save the file as UTF-8");
            return false;
        }
        here.column = *at == '\n' ? 1 : here.column + 1;
        here.line += *at == '\n';
        at += size;
    }
    return true;
}

static void diag_silence(struct fy_diag *diag, void *user, const char *text, size_t size) {
    (void)diag, (void)user, (void)text, (void)size;
}

static void yaml_parse(struct yaml *yaml, est_slice text) {
    struct fy_diag_cfg diag_config;
    fy_diag_cfg_default(&diag_config);
    diag_config.fp = NULL;
    diag_config.output_fn = diag_silence;
    struct fy_diag *diag = fy_diag_create(&diag_config);
    if (!diag) {
        yaml->arena.failed = true;
        return;
    }
    fy_diag_set_collect_errors(diag, true);
    struct fy_parse_cfg config = {.flags = FYPCF_DEFAULT_VERSION_1_2 | FYPCF_JSON_NONE | FYPCF_COLLECT_DIAG,
                                  .diag = diag};
    struct gather gather = {.yaml = yaml, .line = 1, .column = 1, .parser = fy_parser_create(&config)};
    if (!gather.parser || fy_parser_set_string(gather.parser, text.data, text.size) != 0) {
        yaml->arena.failed = true;
    } else {
        gather_events(&gather);
        if (fy_parser_get_stream_error(gather.parser) && !gather.stop)
            scanner_complain(yaml, diag);
    }
    if (gather.parser)
        fy_parser_destroy(gather.parser);
    fy_diag_destroy(diag);
}

/* --- Opening ---------------------------------------------------------------------------------- */

void yaml_close(struct yaml **yaml) {
    if (!yaml || !*yaml)
        return;
    arena_done(&(*yaml)->arena);
    free(*yaml);
    *yaml = NULL;
}

int yaml_open_text(est_slice text, const char *name, struct complaints *complaints, struct yaml **ret) {
    size_t before = complaints->count;
    struct yaml *yaml = calloc(1, sizeof *yaml);
    if (!yaml) {
        complaints_add(complaints, name, "no memory");
        return -EST_INPUT;
    }
    yaml->complaints = complaints;
    yaml->name = arena_copy(&yaml->arena, name, strlen(name));
    if (yaml->name && text.size > YAML_SIZE_MAX)
        yaml_complain(yaml, NULL, "larger than %d MiB; split it", YAML_SIZE_MAX / 1024 / 1024);
    else if (yaml->name && text.size && encoding_check(yaml, text))
        yaml_parse(yaml, text);
    if (yaml->arena.failed)
        complaints_add(complaints, name, "no memory");
    else if (complaints->count == before && !yaml->root)
        yaml_complain(yaml, NULL, "the file is empty");
    if (complaints->count != before) {
        yaml_close(&yaml);
        return -EST_INPUT;
    }
    *ret = yaml;
    return 0;
}

/* A pipe is refused, for a reload would wait at it for somebody to write, and all connections with it. */
static FILE *file_open(const char *path, const char **why) {
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    FILE *file = fd >= 0 && fstat(fd, &info) == 0 && S_ISREG(info.st_mode) ? fdopen(fd, "rb") : NULL;
    if (file)
        return file;
    *why = fd < 0 ? strerror(errno) : S_ISDIR(info.st_mode) ? strerror(EISDIR) : "it is no regular file";
    if (fd >= 0)
        close(fd);
    return NULL;
}

/* The whole file, or NULL with the reason. One byte more than allowed is read, to see that it is too large. */
static char *file_read(const char *path, size_t *ret_size, const char **why) {
    FILE *file = file_open(path, why);
    if (!file)
        return NULL;
    char *text = malloc(YAML_SIZE_MAX + 1);
    size_t size = text ? fread(text, 1, YAML_SIZE_MAX + 1, file) : 0;
    int trouble = !text ? ENOMEM : ferror(file) ? errno : 0;
    fclose(file);
    if (trouble) {
        free(text);
        *why = strerror(trouble);
        return NULL;
    }
    *ret_size = size;
    return text;
}

int yaml_open_file(const char *path, struct complaints *complaints, struct yaml **ret) {
    size_t size = 0;
    const char *why = "";
    char *text = file_read(path, &size, &why);
    if (!text) {
        char where[sizeof complaints->at[0].where];
        snprintf(where, sizeof where, "%.240s:1:1", path);
        complaints_add(complaints, where, "cannot be read: %s; check the path and its permissions", why);
        return -EST_INPUT;
    }
    int result = yaml_open_text((est_slice){text, size}, path, complaints, ret);
    free(text);
    return result;
}

yaml_node yaml_root(struct yaml *yaml) {
    return yaml->root;
}

/* --- Maps and lists --------------------------------------------------------------------------- */

static const char *kind_name(yaml_node node) {
    static const char *const names[] = {
        [VALUE_NULL] = "nothing", [VALUE_PLAIN] = "a plain value", [VALUE_QUOTED] = "a text",
        [VALUE_LIST] = "a list",  [VALUE_MAP] = "a map",
    };
    return names[node->kind];
}

/* How complaints call a value: by its key where it has one. */
struct label {
    char text[80];
};

static struct label label_of(yaml_node node) {
    struct label label;
    snprintf(label.text, sizeof label.text, node->key ? "`%.70s`" : "this value", node->key);
    return label;
}

bool yaml_is_map(yaml_node node) {
    return node && node->kind == VALUE_MAP;
}

bool yaml_is_list(yaml_node node) {
    return node && node->kind == VALUE_LIST;
}

static bool key_is_allowed(const char *key, const char *const *allowed) {
    for (; *allowed; allowed++) {
        if (strcmp(key, *allowed) == 0)
            return true;
    }
    return false;
}

static void unknown_key_complain(struct yaml *yaml, yaml_node value, const char *const *allowed) {
    struct nearest nearest;
    char hint[128], known[300] = "";
    nearest_init(&nearest, (est_slice){value->key, strlen(value->key)});
    for (size_t used = 0; *allowed; allowed++) {
        nearest_offer(&nearest, *allowed);
        if (used < sizeof known)
            used += (size_t)snprintf(known + used, sizeof known - used, "%s%s", used ? ", " : "", *allowed);
    }
    if (nearest.best)
        yaml_complain_key(yaml, value, "unknown key `%.64s`%s", value->key, nearest_hint(&nearest, hint));
    else
        yaml_complain_key(yaml, value, "unknown key `%.64s`; allowed here: %s", value->key, known);
}

bool yaml_only(struct yaml *yaml, yaml_node node, const char *const *allowed) {
    if (!node)
        return false;
    if (node->kind != VALUE_MAP) {
        yaml_complain(yaml, node, "%s must be a map of keys and values, not %s", label_of(node).text,
                      kind_name(node));
        return false;
    }
    bool good = true;
    for (size_t i = 0; i < node->count; i++) {
        if (key_is_allowed(node->children[i]->key, allowed))
            continue;
        unknown_key_complain(yaml, node->children[i], allowed);
        good = false;
    }
    return good;
}

yaml_node yaml_get(yaml_node map, const char *key) {
    if (!yaml_is_map(map))
        return NULL;
    for (size_t i = 0; i < map->count; i++) {
        if (strcmp(map->children[i]->key, key) == 0)
            return map->children[i];
    }
    return NULL;
}

yaml_node yaml_need(struct yaml *yaml, yaml_node map, const char *key) {
    yaml_node node = yaml_get(map, key);
    if (!node && yaml_is_map(map))
        yaml_complain(yaml, map, "`%s` is missing%s%s; add it", key, map->key ? " in " : "",
                      map->key ? map->key : "");
    return node;
}

size_t yaml_count(yaml_node node) {
    return node ? node->count : 0;
}

bool yaml_pair(struct yaml *yaml, yaml_node map, size_t index, const char **ret_key, yaml_node *ret_value) {
    (void)yaml;
    if (!yaml_is_map(map) || index >= map->count)
        return false;
    *ret_key = map->children[index]->key;
    *ret_value = map->children[index];
    return true;
}

yaml_node yaml_at(yaml_node list, size_t index) {
    return yaml_is_list(list) && index < list->count ? list->children[index] : NULL;
}

const char *yaml_key(yaml_node node) {
    return node ? node->key : NULL;
}

/* --- Scalars ---------------------------------------------------------------------------------- */

static bool is_scalar(yaml_node node) {
    return node->kind == VALUE_PLAIN || node->kind == VALUE_QUOTED;
}

const char *yaml_word(yaml_node node) {
    return node && is_scalar(node) ? node->text : NULL;
}

const char *yaml_text(struct yaml *yaml, yaml_node node, const char *otherwise) {
    if (!node)
        return otherwise;
    if (is_scalar(node))
        return node->text;
    yaml_complain(yaml, node, "%s must be a text, not %s", label_of(node).text, kind_name(node));
    return otherwise;
}

/* Decimal, no plus sign, no leading zeros: the one spelling that yaml_canonical writes bare. */
static bool integer_parse(const char *text, int64_t *ret) {
    const char *digits = text + (*text == '-');
    if (*digits < '0' || *digits > '9' || (*digits == '0' && (digits[1] || digits != text)))
        return false;
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (errno || *end)
        return false;
    *ret = value;
    return true;
}

int64_t yaml_int(struct yaml *yaml, yaml_node node, int64_t min, int64_t max, int64_t otherwise) {
    if (!node)
        return otherwise;
    int64_t value;
    if (node->kind != VALUE_PLAIN || !integer_parse(node->text, &value) || value < min || value > max) {
        yaml_complain(yaml, node, "%s must be a whole number from %" PRId64 " to %" PRId64 ", without quotes",
                      label_of(node).text, min, max);
        return otherwise;
    }
    return value;
}

bool yaml_bool(struct yaml *yaml, yaml_node node, bool otherwise) {
    if (!node)
        return otherwise;
    if (node->kind == VALUE_PLAIN && strcmp(node->text, "true") == 0)
        return true;
    if (node->kind == VALUE_PLAIN && strcmp(node->text, "false") == 0)
        return false;
    yaml_complain(yaml, node, "%s must be true or false, without quotes", label_of(node).text);
    return otherwise;
}

struct unit {
    const char *name;
    uint64_t size;
};

/* "<whole number> <unit>" with at most one space between; the product is at most `max`. */
static bool quantity_parse(const char *text, const struct unit *units, uint64_t max, uint64_t *ret) {
    if (*text < '0' || *text > '9')
        return false;
    char *end;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    if (errno)
        return false;
    if (*end == ' ')
        end++;
    for (; units->name; units++) {
        if (strcmp(end, units->name) == 0) {
            if (number > max / units->size)
                return false;
            *ret = number * units->size;
            return true;
        }
    }
    return false;
}

est_span yaml_span(struct yaml *yaml, yaml_node node, est_span otherwise) {
    static const struct unit units[] = {
        {"us", 1},
        {"ms", EST_US_PER_MS},
        {"s", EST_US_PER_S},
        {"min", 60 * EST_US_PER_S},
        {"h", 3600 * EST_US_PER_S},
        {"d", 86400 * EST_US_PER_S},
        {NULL, 0},
    };
    const uint64_t century_us = 36525ull * 86400 * EST_US_PER_S;
    uint64_t us;
    if (!node)
        return otherwise;
    if (is_scalar(node) && quantity_parse(node->text, units, century_us, &us))
        return (est_span){(int64_t)us};
    yaml_complain(yaml, node, "%s must be a time span such as 250 ms, 5 s, 2 min, 1 h or 30 d",
                  label_of(node).text);
    return otherwise;
}

uint64_t yaml_bytes(struct yaml *yaml, yaml_node node, uint64_t otherwise) {
    static const struct unit units[] = {
        {"", 1},   {"KiB", 1ull << 10}, {"MiB", 1ull << 20}, {"GiB", 1ull << 30}, {"TiB", 1ull << 40},
        {NULL, 0},
    };
    uint64_t bytes;
    if (!node)
        return otherwise;
    if (is_scalar(node) && quantity_parse(node->text, units, INT64_MAX, &bytes))
        return bytes;
    yaml_complain(yaml, node, "%s must be a size such as 512 KiB, 16 MiB, 64 GiB or 1 TiB",
                  label_of(node).text);
    return otherwise;
}

const char *yaml_path(struct yaml *yaml, yaml_node node, const char *otherwise) {
    const char *path = yaml_text(yaml, node, NULL);
    if (!path)
        return otherwise;
    if (!*path) {
        yaml_complain(yaml, node, "%s must be a path, not an empty text", label_of(node).text);
        return otherwise;
    }
    const char *slash = strrchr(yaml->name, '/');
    if (*path == '/' || !slash)
        return path;
    size_t folder = (size_t)(slash - yaml->name) + 1, size = strlen(path);
    char *whole = arena_take(&yaml->arena, folder + size + 1);
    if (!whole)
        return otherwise;
    memcpy(whole, yaml->name, folder);
    memcpy(whole + folder, path, size);
    return whole;
}

/* --- Canonical text --------------------------------------------------------------------------- */

/* Characters that YAML or JSON would not take, or not give back, unescaped. */
static size_t escape_needed(const unsigned char *at) {
    if (*at < 0x20 || *at == '"' || *at == '\\' || *at == 0x7F)
        return 1;
    if (*at == 0xC2 && at[1] < 0xA0)
        return 2; /* U+0080-009F */
    if (*at == 0xE2 && at[1] == 0x80 && (at[2] == 0xA8 || at[2] == 0xA9))
        return 3; /* line and paragraph separators */
    if (*at == 0xEF && ((at[1] == 0xBB && at[2] == 0xBF) || (at[1] == 0xBF && at[2] >= 0xBE)))
        return 3; /* byte order mark, U+FFFE, U+FFFF */
    return 0;
}

static void escape_write(FILE *out, const unsigned char *at, size_t size) {
    unsigned code = size == 1   ? *at
                    : size == 2 ? (*at & 0x1Fu) << 6 | (at[1] & 0x3Fu)
                                : (*at & 0x0Fu) << 12 | (at[1] & 0x3Fu) << 6 | (at[2] & 0x3Fu);
    if (code == '"' || code == '\\')
        fprintf(out, "\\%c", (int)code);
    else
        fprintf(out, "\\u%04x", code);
}

static void text_write(FILE *out, const char *text) {
    const unsigned char *at = (const unsigned char *)text;
    fputc('"', out);
    while (*at) {
        size_t escape = escape_needed(at);
        if (escape)
            escape_write(out, at, escape);
        else
            fputc(*at, out);
        at += escape ? escape : 1;
    }
    fputc('"', out);
}

/* Plain numbers and truth values stay bare, everything else becomes a text: read again, each is
 * taken for the kind it was. */
static bool is_bare(yaml_node node) {
    int64_t number;
    return node->kind == VALUE_PLAIN &&
           (strcmp(node->text, "true") == 0 || strcmp(node->text, "false") == 0 ||
            integer_parse(node->text, &number));
}

/* Recursion ends: the document is at most YAML_DEPTH_MAX deep. */
static void value_write(FILE *out, yaml_node node) {
    bool map = node->kind == VALUE_MAP;
    if (node->kind == VALUE_NULL) {
        fputs("null", out);
    } else if (is_bare(node)) {
        fputs(node->text, out);
    } else if (is_scalar(node)) {
        text_write(out, node->text);
    } else {
        fputc(map ? '{' : '[', out);
        for (size_t i = 0; i < node->count; i++) {
            if (i)
                fputc(',', out);
            if (map) {
                text_write(out, node->children[i]->key);
                fputc(':', out);
            }
            value_write(out, node->children[i]);
        }
        fputc(map ? '}' : ']', out);
    }
}

const char *yaml_canonical(struct yaml *yaml, yaml_node node) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return NULL;
    if (node)
        value_write(out, node);
    else
        fputs("null", out);
    bool failed = ferror(out) != 0; /* a text that is cut short ends well enough for fclose */
    failed = fclose(out) != 0 || failed;
    const char *copy = failed ? NULL : arena_copy(&yaml->arena, text, size);
    free(text);
    return copy;
}

/* --- Did you mean ----------------------------------------------------------------------------- */

enum { NEAREST_MAX = 64 };

/* How many letters must be changed, added or removed; Levenshtein's table, one row at a time. */
static size_t edit_distance(const char *a, size_t a_size, const char *b, size_t b_size) {
    size_t row[NEAREST_MAX + 1];
    for (size_t j = 0; j <= b_size; j++)
        row[j] = j;
    for (size_t i = 1; i <= a_size; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b_size; j++) {
            size_t change = diagonal + (a[i - 1] != b[j - 1]);
            size_t best = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            diagonal = row[j];
            row[j] = change < best ? change : best;
        }
    }
    return row[b_size];
}

void nearest_init(struct nearest *nearest, est_slice word) {
    *nearest = (struct nearest){.word = word};
}

void nearest_offer(struct nearest *nearest, const char *name) {
    size_t size = strlen(name);
    if (size == 0 || size > NEAREST_MAX || nearest->word.size == 0 || nearest->word.size > NEAREST_MAX)
        return;
    size_t distance = edit_distance(nearest->word.data, nearest->word.size, name, size);
    size_t longer = size > nearest->word.size ? size : nearest->word.size;
    if (distance * 3 > longer + 1 || (nearest->best && distance >= nearest->distance))
        return;
    nearest->best = name;
    nearest->distance = distance;
}

const char *nearest_hint(const struct nearest *nearest, char ret[128]) {
    ret[0] = '\0';
    if (nearest->best)
        snprintf(ret, 128, "; did you mean `%s`?", nearest->best);
    return ret;
}
