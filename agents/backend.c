/* backend.c - the table of back ends, and the choice that a file makes among them. */
#include "backend.h"

static const struct backend_class *const classes[] = {&backend_sql, &backend_exec};
enum { CLASSES = sizeof classes / sizeof classes[0] };

struct backend *backend_open(const struct backend_file *file, yaml_node root,
                             const struct backend_room *room) {
    const struct backend_class *chosen = NULL;
    struct backend *backend = NULL;
    for (size_t i = 0; i < CLASSES; i++) {
        yaml_node section = yaml_get(root, classes[i]->name);
        if (!section)
            continue;
        if (chosen)
            yaml_complain(file->yaml, section,
                          "%s: and %s: in one file; an agent has one back end, so make it two files",
                          chosen->name, classes[i]->name);
        /* One too many is read all the same, for what else is wrong with either. */
        backend_close(&backend);
        backend = classes[i]->open(file, section, room);
        chosen = classes[i];
    }
    if (!chosen)
        yaml_complain(file->yaml, root, "no back end; add a section sql: or exec:");
    return backend;
}

void backend_close(struct backend **backend) {
    if (*backend)
        (*backend)->class->close(*backend);
    *backend = NULL;
}
