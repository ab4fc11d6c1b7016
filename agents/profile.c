/* profile.c - reads an agent's file section by section. See profile.h. */
#include "profile.h"
#include <string.h>
#include <sys/stat.h>
#include <zmq.h>

enum { KEY_LENGTH = 40, WINDOW_PER_WORKER = 4 };

static bool key_is_z85(const char *text) {
    static const char alphabet[] =
        "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";
    return strlen(text) == KEY_LENGTH && strspn(text, alphabet) == KEY_LENGTH;
}

static const char *key_read(struct yaml *yaml, yaml_node node) {
    const char *text = yaml_text(yaml, node, NULL);
    if (text && !key_is_z85(text))
        yaml_complain(yaml, node, "a key is 40 characters of Z85, as `estelam key new` writes it");
    return text;
}

/* --- The broker: section -------------------------------------------------------------------------- */

/* A public key of another pair would be taken for a wrong server key. True where one of them is no key, which was
 * complained of. */
static bool keys_are_a_pair(const est_options *broker) {
    char derived[KEY_LENGTH + 1];
    return !broker->public_key || !broker->secret_key || !key_is_z85(broker->public_key) ||
           !key_is_z85(broker->secret_key) || zmq_curve_public(derived, broker->secret_key) ||
           !strcmp(derived, broker->public_key);
}

static void key_file_read(struct profile *profile, yaml_node node, est_options *broker) {
    static const char *const keys[] = {"public", "secret", NULL};
    const char *path = yaml_path(profile->file.yaml, node, NULL);
    struct stat about;
    if (!path || yaml_open_file(path, profile->file.complaints, &profile->key_file))
        return;
    yaml_node root = yaml_root(profile->key_file);
    yaml_only(profile->key_file, root, keys);
    broker->public_key = key_read(profile->key_file, yaml_need(profile->key_file, root, "public"));
    broker->secret_key = key_read(profile->key_file, yaml_need(profile->key_file, root, "secret"));
    if (broker->server_key && !keys_are_a_pair(broker))
        yaml_complain(profile->file.yaml, node,
                      "key: the public and secret keys of %s do not belong together; restore it from your backup, or "
                      "make a new one with `estelam key new`",
                      path);
    if (!stat(path, &about) && (about.st_mode & (S_IRWXG | S_IRWXO)))
        yaml_complain(profile->file.yaml, node, "key: others may read %s; chmod 600 it", path);
}

static void endpoints_read(struct yaml *yaml, yaml_node node, est_options *broker) {
    size_t count = yaml_count(node);
    if (!node)
        return;
    if (!yaml_is_list(node) || !count || count >= EST_ENDPOINTS_MAX) {
        yaml_complain(yaml, node,
                      "endpoints: is a list of 1 to %d addresses, such as \"tcp://127.0.0.1:7502\"",
                      EST_ENDPOINTS_MAX - 1);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        broker->endpoints[i] = yaml_text(yaml, yaml_at(node, i), "");
        if (!strstr(broker->endpoints[i], "://"))
            yaml_complain(yaml, yaml_at(node, i),
                          "an address begins with its transport, such as tcp:// or ipc://");
    }
}

static void broker_read(struct profile *profile, yaml_node section) {
    static const char *const keys[] = {"server_key", "account", "key", "endpoints", NULL};
    struct yaml *yaml = profile->file.yaml;
    est_options *broker = &profile->options.broker;
    if (!section)
        return;
    yaml_only(yaml, section, keys);
    if (!yaml_is_map(section))
        return;
    broker->server_key = key_read(yaml, yaml_get(section, "server_key"));
    broker->account = yaml_text(yaml, yaml_need(yaml, section, "account"), NULL);
    endpoints_read(yaml, yaml_need(yaml, section, "endpoints"), broker);
    /* Without server_key the broker is reached in PLAIN, where a key is only a password. */
    yaml_node key = broker->server_key ? yaml_need(yaml, section, "key") : yaml_get(section, "key");
    key_file_read(profile, key, broker);
    broker->software = "estelam-agent " ESTELAM_VERSION;
    broker->window = profile->options.workers * WINDOW_PER_WORKER;
}

/* --- The rest -------------------------------------------------------------------------------------- */

static bool types_have(const char *const *types, const char *name) {
    for (; types && *types; types++)
        if (!strcmp(*types, name))
            return true;
    return !types;
}

/* The types asked for, as long as the back end can answer them; without a list, all it can. */
static void types_read(struct profile *profile, yaml_node node) {
    struct yaml *yaml = profile->file.yaml;
    const char *const *able = profile->backend ? profile->backend->types : NULL;
    profile->options.types = able;
    if (!node || (!yaml_is_list(node) && !strcmp(yaml_text(yaml, node, ""), "all")))
        return;
    if (!yaml_is_list(node) || !yaml_count(node) || yaml_count(node) > PROFILE_TYPES_MAX) {
        yaml_complain(yaml, node, "types: is all, or a list of 1 to %d inquiry types", PROFILE_TYPES_MAX);
        return;
    }
    for (size_t i = 0; i < yaml_count(node); i++) {
        profile->types[i] = yaml_text(yaml, yaml_at(node, i), "");
        if (!types_have(able, profile->types[i]))
            yaml_complain(yaml, yaml_at(node, i), "the back end has no type %s", profile->types[i]);
    }
    profile->options.types = profile->types;
}

static void root_read(struct profile *profile, struct backend_room *room) {
    static const char *const keys[] = {"broker", "workers", "types", "signer", "sql", "exec", NULL};
    struct yaml *yaml = profile->file.yaml;
    yaml_node root = yaml_root(yaml);
    yaml_only(yaml, root, keys);
    if (!yaml_is_map(root))
        return;
    room->workers = profile->options.workers =
        (unsigned)yaml_int(yaml, yaml_get(root, "workers"), 1, WORKERS_MAX, WORKERS_DEFAULT);
    broker_read(profile, yaml_need(yaml, root, "broker"));
    profile->signer = yaml_text(yaml, yaml_get(root, "signer"), NULL);
    if (profile->signer && strlen(profile->signer) > EST_SIGNER_MAX)
        yaml_complain(yaml, yaml_get(root, "signer"), "signer: is longer than %d bytes", EST_SIGNER_MAX);
    profile->backend = backend_open(&profile->file, root, room);
    types_read(profile, yaml_get(root, "types"));
}

int profile_open(const char *path, struct complaints *complaints, struct backend_room *room,
                 struct profile *ret) {
    size_t before = complaints->count;
    memset(ret, 0, sizeof *ret);
    ret->file.path = path;
    ret->file.complaints = complaints;
    if (!yaml_open_file(path, complaints, &ret->file.yaml))
        root_read(ret, room);
    if (complaints->count == before)
        return 0;
    profile_close(ret);
    return -EST_INPUT;
}

void profile_close(struct profile *profile) {
    backend_close(&profile->backend);
    yaml_close(&profile->key_file);
    yaml_close(&profile->file.yaml);
}
