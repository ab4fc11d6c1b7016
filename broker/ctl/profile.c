/* profile.c - see profile.h. */
#include "profile.h"
#include "catalogue.h"
#include "heap.h"
#include "say.h"
#include "yaml.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *profile_find(const struct call *call) {
    static const char *const usual[] = {"./client.yaml", "/etc/estelam/client.yaml"};
    const char *named = call_value(call, "profile");
    if (!named || !*named)
        named = getenv("ESTELAM_PROFILE");
    if (named && *named)
        return named;
    for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++)
        if (access(usual[i], F_OK) == 0)
            return usual[i];
    return NULL;
}

static void test_read(struct yaml *yaml, yaml_node list, struct section *ret) {
    size_t count = yaml_count(list);
    if (!yaml_is_list(list) || count == 0 || count > TEST_WORDS_MAX) {
        yaml_complain(yaml, list, "test must be a list of 1 to %d texts, such as [nosazi.bedehi, nz=1-1-1-1-0-0-0]",
                      TEST_WORDS_MAX);
        return;
    }
    for (size_t i = 0; i < count; i++)
        ret->test[i] = yaml_text(yaml, yaml_at(list, i), NULL);
}

static void endpoints_read(struct yaml *yaml, yaml_node list, struct section *ret) {
    size_t count = yaml_count(list);
    if (!yaml_is_list(list) || count == 0 || count > EST_ENDPOINTS_MAX) {
        yaml_complain(yaml, list,
                      "endpoints must be a list of 1 to %d addresses, such as [\"tcp://127.0.0.1:7501\"]",
                      EST_ENDPOINTS_MAX);
        return;
    }
    for (size_t i = 0; i < count; i++)
        ret->endpoints[i] = yaml_text(yaml, yaml_at(list, i), NULL);
}

static void section_read(struct yaml *yaml, yaml_node node, enum side side, struct section *ret) {
    static const char *const allowed[SIDES_COUNT][6] = {
        [SIDE_REQUESTER] = {"account", "key", "endpoints", "purpose", "test", NULL},
        [SIDE_OPERATOR] = {"account", "key", "endpoints", NULL},
    };
    if (!node || !yaml_only(yaml, node, allowed[side]))
        return;
    ret->present = true;
    ret->account = yaml_text(yaml, yaml_need(yaml, node, "account"), NULL);
    ret->key = yaml_path(yaml, yaml_get(node, "key"), NULL);
    ret->purpose = yaml_text(yaml, yaml_get(node, "purpose"), NULL);
    yaml_node endpoints = yaml_need(yaml, node, "endpoints");
    if (endpoints)
        endpoints_read(yaml, endpoints, ret);
    if (yaml_get(node, "test"))
        test_read(yaml, yaml_get(node, "test"), ret);
}

static void server_key_read(struct yaml *yaml, yaml_node node, struct profile *ret) {
    uint8_t key[32];
    ret->server_key = yaml_text(yaml, node, NULL);
    if (ret->server_key && !key_text_parse(slice_of(ret->server_key), key))
        yaml_complain(yaml, node,
                      "server_key must be the broker's public key, 40 characters of Z85; "
                      "`estelam key new` printed it when the broker's key was made");
}

static void profile_read(struct yaml *yaml, struct profile *ret) {
    static const char *const allowed[] = {"server_key", "catalogue", "requester", "operator", NULL};
    yaml_node root = yaml_root(yaml);
    if (!yaml_only(yaml, root, allowed))
        return;
    server_key_read(yaml, yaml_get(root, "server_key"), ret);
    ret->catalogue = yaml_path(yaml, yaml_get(root, "catalogue"), NULL);
    section_read(yaml, yaml_get(root, "requester"), SIDE_REQUESTER, &ret->sides[SIDE_REQUESTER]);
    section_read(yaml, yaml_get(root, "operator"), SIDE_OPERATOR, &ret->sides[SIDE_OPERATOR]);
    if (!yaml_get(root, "requester") && !yaml_get(root, "operator"))
        yaml_complain(yaml, root, "a profile needs a section `requester` or `operator`");
}

int profile_load(const struct call *call, struct profile *ret) {
    memset(ret, 0, sizeof *ret);
    ret->path = profile_find(call);
    if (!ret->path) {
        say_error(EST_INPUT, "name one with --profile FILE or ESTELAM_PROFILE",
                  "no profile: neither ./client.yaml nor /etc/estelam/client.yaml is there");
        return EXIT_USAGE;
    }
    struct complaints *complaints = heap_new(1, sizeof *complaints);
    if (yaml_open_file(ret->path, complaints, &ret->yaml) == 0)
        profile_read(ret->yaml, ret);
    bool bad = complaints->count > 0;
    if (bad) {
        say_error(EST_INPUT, "mend every line below", "the profile %s cannot be used", ret->path);
        say_complaints(complaints);
    }
    heap_free((void **)&complaints);
    return bad ? EXIT_USAGE : 0;
}

void profile_done(struct profile *profile) {
    yaml_close(&profile->yaml);
}

const struct section *profile_section(const struct profile *profile, enum side side) {
    const struct section *wanted = &profile->sides[side];
    return wanted->present ? wanted
                           : &profile->sides[side == SIDE_REQUESTER ? SIDE_OPERATOR : SIDE_REQUESTER];
}

int profile_catalogue_open(const char *folder, struct catalogue **ret) {
    struct complaints *complaints = heap_new(1, sizeof *complaints);
    int code = catalogue_load_city(folder, ret, complaints);
    if (code) {
        say_error(code, "mend every line below", "the catalogue %s cannot be used", folder);
        say_complaints(complaints);
    }
    heap_free((void **)&complaints);
    return code ? EXIT_USAGE : 0;
}

int profile_catalogue(const struct call *call, const struct profile *profile, struct catalogue **ret) {
    *ret = NULL;
    const char *folder = call_value(call, "catalogue");
    if (!folder)
        folder = profile ? profile->catalogue : NULL;
    if (!folder)
        folder = getenv("ESTELAM_CATALOGUE");
    return folder && *folder ? profile_catalogue_open(folder, ret) : 0;
}
