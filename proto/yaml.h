/* yaml.h - configuration files: YAML by libfyaml, with file:line:column for every complaint.
 *
 * A reader asks for what it knows and says what it allows; everything else in the file becomes a
 * complaint. Reading goes on after a complaint, so that one run reports all of them. No anchors,
 * tags or merges. Shared by the broker's catalogue, the agents and the command line.
 */
#ifndef YAML_H
#define YAML_H

#include <estelam/types.h>

struct complaint {
    char where[256]; /* file:line:column */
    char text[512];  /* what is wrong; what to do */
};
struct complaints {
    size_t count, kept; /* all that were found; those that found room */
    struct complaint at[100];
};

struct yaml;                      /* one document; owns every string it gives */
typedef const struct yaml_value *yaml_node; /* NULL: absent. Every call below takes an absent node. */

enum { YAML_SIZE_MAX = 4 * 1024 * 1024, YAML_DEPTH_MAX = 32, YAML_KEY_MAX = 256 };

/* 0, or -EST_INPUT with at least one complaint. */
int yaml_open_file(const char *path, struct complaints *, struct yaml **ret);
int yaml_open_text(est_slice text, const char *name, struct complaints *, struct yaml **ret);
void yaml_close(struct yaml **);
yaml_node yaml_root(struct yaml *);

/* Adds a complaint about this node; printf-like. */
void yaml_complain(struct yaml *, yaml_node, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The same at the key whose value the node is. */
void yaml_complain_key(struct yaml *, yaml_node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* A complaint about something that no document holds, such as a folder that cannot be read. */
void complaints_add(struct complaints *, const char *where, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

bool yaml_is_map(yaml_node);
bool yaml_is_list(yaml_node);
/* Complains unless `node` is a map whose keys are all in `allowed` (ends with NULL) and none is
 * there twice. */
bool yaml_only(struct yaml *, yaml_node, const char *const *allowed);
yaml_node yaml_get(yaml_node map, const char *key);
/* Like yaml_get; complains at the map when the key is absent. */
yaml_node yaml_need(struct yaml *, yaml_node map, const char *key);
size_t yaml_count(yaml_node);               /* pairs of a map, elements of a list */
/* The index-th pair of a map in the file's order. `*ret_key` is terminated by zero. */
bool yaml_pair(struct yaml *, yaml_node map, size_t index, const char **ret_key, yaml_node *ret_value);
yaml_node yaml_at(yaml_node list, size_t index);
const char *yaml_key(yaml_node); /* under which it stands in a map; NULL elsewhere */
const char *yaml_word(yaml_node); /* its text where it is a scalar, else NULL; never complains */

/* Scalars. Absent gives `otherwise` without a complaint; another kind complains and gives it too. A
 * number or truth value is plain, not quoted, so that a text never turns into one. */
const char *yaml_text(struct yaml *, yaml_node, const char *otherwise); /* zero-terminated */
int64_t yaml_int(struct yaml *, yaml_node, int64_t min, int64_t max, int64_t otherwise);
bool yaml_bool(struct yaml *, yaml_node, bool otherwise);
/* "250 ms", "5 s", "2 min", "1 h", "30 d" */
est_span yaml_span(struct yaml *, yaml_node, est_span otherwise);
/* "512 KiB", "16 MiB", "64 GiB", "1 TiB", or a plain number of bytes */
uint64_t yaml_bytes(struct yaml *, yaml_node, uint64_t otherwise);
/* A path in the file; a relative one is taken from the folder of the YAML file. */
const char *yaml_path(struct yaml *, yaml_node, const char *otherwise);
/* The node as one line of JSON, the same for the same content whatever its layout; keys stay in the
 * file's order. Reading it again gives the same content. Owned by the document; NULL without memory. */
const char *yaml_canonical(struct yaml *, yaml_node);

/* Cuts a text that lost its end in the middle of a character back to whole characters. */
void text_trim(char *text);

/* --- "Did you mean …?": offer every name that is known, then read the nearest. ---------------- */

struct nearest {
    est_slice word;
    const char *best; /* NULL while nothing is near enough */
    size_t distance;
};
void nearest_init(struct nearest *, est_slice word);
void nearest_offer(struct nearest *, const char *name);
/* "; did you mean `x`?" or "". `ret` is returned. */
const char *nearest_hint(const struct nearest *, char ret[128]);

#endif
