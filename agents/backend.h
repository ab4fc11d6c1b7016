/* backend.h - what the agent asks of a back end: open it, let it answer, close it.
 *
 * A back end turns one inquiry into one verdict out of a department's own system. It knows no
 * broker: whatever it needs from outside comes in `backend_room`, so that a test drives it alone.
 *
 *     <name>_open -> answer (any number of threads at once) -> close
 *
 * What holds: `answer` always gives a verdict within the back end's own timeout or soon after the
 * inquiry is over; trouble of the department's system is EST_VERDICT_RETRY with a sentence that
 * says what failed and never what the data was. The strings of the configuration belong to the
 * YAML document, which outlives the back end.
 */
#ifndef BACKEND_H
#define BACKEND_H

#include <estelam/agent.h>
#include "yaml.h"

enum { WORKERS_DEFAULT = 4, WORKERS_MAX = 64 };

struct backend_room {
    unsigned workers;                     /* answers that may be under way at once */
    bool (*is_over)(const est_inquiry *); /* did the lease end? */
    void (*tell)(const char *sentence);   /* takes what is worth a line in the log; any thread */
};

/* A document, where it came from, and the complaints it was opened with. */
struct backend_file {
    const char *path;
    struct yaml *yaml;
    struct complaints *complaints;
};

struct backend;
struct backend_class {
    const char *name; /* the key of its section in the file */
    /* Reads its section. Adds complaints to the document and gives NULL where it cannot serve. */
    struct backend *(*open)(const struct backend_file *, yaml_node section, const struct backend_room *);
    /* --check: tries what can be tried without an inquiry; adds complaints. */
    void (*check)(struct backend *, struct yaml *);
    est_verdict (*answer)(struct backend *, const est_inquiry *, est_answer *out);
    void (*close)(struct backend *);
};

/* Every back end embeds this as its first member. */
struct backend {
    const struct backend_class *class;
    const char *const *types; /* what it can answer, ends with NULL; NULL: anything */
};

extern const struct backend_class backend_sql, backend_exec;

/* Opens the back end that the file names; complains unless there is exactly one. */
struct backend *backend_open(const struct backend_file *, yaml_node root, const struct backend_room *);
/* NULL-safe; sets *backend to NULL. */
void backend_close(struct backend **backend);

#endif
