/* exec_config.h - the exec: section of an agent's file, checked and ready to use. */
#ifndef EXEC_CONFIG_H
#define EXEC_CONFIG_H

#include "backend.h"

enum { EXEC_WORDS_MAX = 64, EXEC_TYPES_MAX = 256, EXEC_TIMEOUT_MAX_S = 24 * 60 * 60 };

struct exec_config {
    char *command[EXEC_WORDS_MAX + 1]; /* ends with NULL */
    char *folder;                      /* of the YAML file, absolute: children work there */
    bool keeps_running;                /* mode: lines */
    est_span timeout;
    unsigned at_once;
    const char *types[EXEC_TYPES_MAX + 1]; /* none: whatever the account may answer */
};

/* 0, or -EST_INPUT with complaints. Free with exec_config_done. */
int exec_config_read(const struct backend_file *, yaml_node section, unsigned workers,
                     struct exec_config *ret);
void exec_config_done(struct exec_config *);

#endif
