/* backend.c - the table of back ends, and the choice that a file makes among them. */
#include "backend.h"

static const struct backend_class *const classes[] = {&backend_sql, &backend_exec};
enum { CLASSES = sizeof classes / sizeof classes[0] };

struct backend *backend_open(const struct backend_file *file, yaml_node root,
                             const struct backend_room *room) {
    const struct backend_class *chosen = NULL;
    for (size_t i = 0; i < CLASSES; i++) {
        if (!yaml_get(root, classes[i]->name))
            continue;
        if (chosen) {
            yaml_complain(file->yaml, yaml_get(root, classes[i]->name),
                          "%s: and %s: in one file; an agent has one back end, so make it two files",
                          chosen->name, classes[i]->name);
            return NULL;
        }
        chosen = classes[i];
    }
    if (!chosen) {
        yaml_complain(file->yaml, root, "no back end; add a section sql: or exec:");
        return NULL;
    }
    return chosen->open(file, yaml_get(root, chosen->name), room);
}

void backend_close(struct backend **backend) {
    if (*backend)
        (*backend)->class->close(*backend);
    *backend = NULL;
}
