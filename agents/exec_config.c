/* exec_config.c - reads the exec: section. See exec_config.h. */
#include "exec_config.h"
#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The first word: a path is taken from the file's folder, a bare name from PATH when it is run. */
static char *program_make(struct yaml *yaml, yaml_node node, const char *word, const char *folder) {
    char *path = NULL;
    if (!strchr(word, '/') || *word == '/')
        path = strdup(word);
    else if (asprintf(&path, "%s/%s", folder, word) < 0)
        path = NULL;
    if (path && strchr(path, '/') && access(path, X_OK))
        yaml_complain(yaml, node, "command: %s is not there or not executable; check the path, chmod +x",
                      path);
    return path;
}

static void command_read(struct yaml *yaml, yaml_node node, struct exec_config *config) {
    size_t count = yaml_count(node);
    if (!node)
        return;
    if (!yaml_is_list(node) || !count || count > EXEC_WORDS_MAX) {
        yaml_complain(yaml, node, "command: is a list of 1 to %d words: the program, then its arguments",
                      EXEC_WORDS_MAX);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        yaml_node node_of_word = yaml_at(node, i);
        const char *word = yaml_text(yaml, node_of_word, "");
        if (!i && !*word)
            yaml_complain(yaml, node_of_word, "command: names no program");
        config->command[i] = i ? strdup(word) : program_make(yaml, node_of_word, word, config->folder);
        if (!config->command[i]) {
            yaml_complain(yaml, node_of_word, "out of memory");
            return;
        }
    }
}

static void mode_read(struct yaml *yaml, yaml_node node, struct exec_config *config) {
    const char *mode = yaml_text(yaml, node, "once");
    config->keeps_running = !strcmp(mode, "lines");
    if (!config->keeps_running && strcmp(mode, "once"))
        yaml_complain(yaml, node,
                      "no mode \"%s\"; write once (a process for each inquiry) or lines (one line "
                      "each way, the process stays)",
                      mode);
}

static void types_read(struct yaml *yaml, yaml_node node, struct exec_config *config) {
    if (!node)
        return;
    if (!yaml_is_list(node) || !yaml_count(node) || yaml_count(node) > EXEC_TYPES_MAX) {
        yaml_complain(yaml, node, "types: is a list of 1 to %d inquiry types", EXEC_TYPES_MAX);
        return;
    }
    for (size_t i = 0; i < yaml_count(node); i++)
        config->types[i] = yaml_text(yaml, yaml_at(node, i), "");
}

/* Absolute, because children are started from another folder than the agent. */
static char *folder_of(const char *path) {
    char *copy = strdup(path), *folder = copy ? realpath(dirname(copy), NULL) : NULL;
    free(copy);
    return folder;
}

int exec_config_read(const struct backend_file *file, yaml_node section, unsigned workers,
                     struct exec_config *ret) {
    static const char *const keys[] = {"command", "mode", "timeout", "at_once", "types", NULL};
    struct exec_config config = {0};
    size_t before = file->complaints->count;
    config.folder = folder_of(file->path);
    if (!config.folder)
        yaml_complain(file->yaml, section, "the folder of %s cannot be found: %s", file->path,
                      strerror(errno));
    yaml_only(file->yaml, section, keys);
    if (config.folder)
        command_read(file->yaml, yaml_need(file->yaml, section, "command"), &config);
    mode_read(file->yaml, yaml_get(section, "mode"), &config);
    config.timeout = yaml_span(file->yaml, yaml_get(section, "timeout"), (est_span){10 * EST_US_PER_S});
    if (config.timeout.us <= 0 || config.timeout.us > EXEC_TIMEOUT_MAX_S * EST_US_PER_S)
        yaml_complain(file->yaml, yaml_get(section, "timeout"), "timeout: is more than 0 and at most 24 h");
    config.at_once = (unsigned)yaml_int(file->yaml, yaml_get(section, "at_once"), 1, WORKERS_MAX, workers);
    types_read(file->yaml, yaml_get(section, "types"), &config);
    if (file->complaints->count != before) {
        exec_config_done(&config);
        return -EST_INPUT;
    }
    *ret = config;
    return 0;
}

void exec_config_done(struct exec_config *config) {
    for (size_t i = 0; config->command[i]; i++)
        free(config->command[i]);
    free(config->folder);
    memset(config, 0, sizeof *config);
}
