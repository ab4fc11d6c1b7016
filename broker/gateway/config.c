/* config.c - reads gateway.yaml section by section. See config.h. */
#include "config.h"

#include "catalogue.h"

#include <curl/curl.h>
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

enum { PORT_DEFAULT = 7580, THREADS_MAX = 64 };

int config_account(const struct config *config, est_slice name) {
    for (size_t i = 0; i < config->accounts_count; i++)
        if (slice_equal(slice_of(config->accounts[i].name), name))
            return (int)i;
    return -1;
}

/* --- listen, tls, files ------------------------------------------------------------------------ */

/* "127.0.0.1:7580", "[::1]:7580", "7580" on loopback. */
static void listen_read(struct config *c, yaml_node node) {
    const char *text = yaml_text(c->yaml, node, "127.0.0.1:7580");
    const char *colon = strrchr(text, ':');
    size_t host = colon ? (size_t)(colon - text) : 0;
    char *end;
    long port = strtol(colon ? colon + 1 : text, &end, 10);
    bool bracketed = host > 2 && text[0] == '[' && text[host - 1] == ']';
    if (*end || end == text || port < 0 || port > 65535 || host >= sizeof c->host || (colon && !host)) {
        yaml_complain(c->yaml, node,
                      "listen: is ADDRESS:PORT, such as 127.0.0.1:7580; port 0 is any free one");
        return;
    }
    if (colon)
        snprintf(c->host, sizeof c->host, "%.*s", (int)(bracketed ? host - 2 : host), text + bracketed);
    c->port = (unsigned)port;
}

static const char *file_read(struct config *c, yaml_node node, const char *what, bool folder) {
    struct stat about;
    const char *path = yaml_path(c->yaml, node, NULL);
    if (!path)
        return NULL;
    if (stat(path, &about))
        yaml_complain(c->yaml, node, "%s: %s: %s", what, path, strerror(errno));
    else if (folder != (S_ISDIR(about.st_mode) != 0))
        yaml_complain(c->yaml, node, "%s: %s is %s", what, path, folder ? "no folder" : "no file");
    else if (access(path, R_OK))
        yaml_complain(c->yaml, node, "%s: %s: %s", what, path, strerror(errno));
    return path;
}

static void tls_read(struct config *c, yaml_node section) {
    static const char *const keys[] = {"certificate", "key", NULL};
    if (!section || !yaml_only(c->yaml, section, keys))
        return;
    c->tls_certificate = file_read(c, yaml_need(c->yaml, section, "certificate"), "certificate", false);
    c->tls_key = file_read(c, yaml_need(c->yaml, section, "key"), "key", false);
    struct stat about;
    if (c->tls_key && !stat(c->tls_key, &about) && (about.st_mode & S_IRWXO))
        yaml_complain(c->yaml, yaml_get(section, "key"), "key: everybody may read it; chmod 640 %s",
                      c->tls_key);
}

/* The state folder is made where it is not there yet: only the gateway writes in it. */
static void state_read(struct config *c, yaml_node node) {
    c->state = yaml_path(c->yaml, node, NULL);
    if (!c->state)
        return;
    if (mkdir(c->state, 0700) && errno != EEXIST)
        yaml_complain(c->yaml, node, "state: %s: %s", c->state, strerror(errno));
    else if (access(c->state, W_OK | X_OK))
        yaml_complain(c->yaml, node, "state: %s: %s", c->state, strerror(errno));
}

/* --- broker, accounts -------------------------------------------------------------------------- */

static void endpoints_read(struct config *c, yaml_node list, const char **ret) {
    size_t count = yaml_count(list);
    if (list && (!yaml_is_list(list) || !count || count >= EST_ENDPOINTS_MAX)) {
        yaml_complain(c->yaml, list, "is a list of 1 to %d addresses, such as [\"tcp://127.0.0.1:7501\"]",
                      EST_ENDPOINTS_MAX - 1);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        ret[i] = yaml_text(c->yaml, yaml_at(list, i), "");
        if (!strstr(ret[i], "://"))
            yaml_complain(c->yaml, yaml_at(list, i), "an address begins with its transport, such as tcp://");
    }
}

static void broker_read(struct config *c, yaml_node section) {
    static const char *const keys[] = {"server_key", "requesters", "operators", NULL};
    uint8_t key[32];
    if (!section || !yaml_only(c->yaml, section, keys))
        return;
    c->server_key = yaml_text(c->yaml, yaml_get(section, "server_key"), NULL);
    if (c->server_key && !key_text_parse(slice_of(c->server_key), key))
        yaml_complain(c->yaml, yaml_get(section, "server_key"), "a key is 40 characters of Z85");
    endpoints_read(c, yaml_get(section, "requesters"), c->requesters);
    endpoints_read(c, yaml_get(section, "operators"), c->operators);
}

static void key_read(struct config *c, yaml_node node, struct account_config *account) {
    uint8_t public_key[32], secret_key[32];
    const char *why, *path = yaml_path(c->yaml, node, NULL);
    if (!path)
        return;
    if (key_file_load(path, public_key, secret_key, &why)) {
        yaml_complain(c->yaml, node, "key: %s: %s", path, why);
        return;
    }
    zmq_z85_encode(account->public_key, public_key, sizeof public_key);
    zmq_z85_encode(account->secret_key, secret_key, sizeof secret_key);
    explicit_bzero(secret_key, sizeof secret_key);
}

static void account_read(struct config *c, const char *name, yaml_node node) {
    static const char *const keys[] = {"role", "key", NULL};
    struct account_config *account = &c->accounts[c->accounts_count++];
    account->name = name;
    if (!yaml_only(c->yaml, node, keys))
        return;
    const char *role = yaml_text(c->yaml, yaml_need(c->yaml, node, "role"), "");
    account->role = strcmp(role, "requester") == 0  ? ROLE_REQUESTER_BIT
                    : strcmp(role, "operator") == 0 ? ROLE_OPERATOR_BIT
                                                    : 0;
    if (!account->role)
        yaml_complain(c->yaml, yaml_get(node, "role"), "role: is requester or operator");
    else if (!(account->role == ROLE_REQUESTER_BIT ? c->requesters : c->operators)[0])
        yaml_complain(c->yaml, yaml_get(node, "role"), "broker: has no address of the %ss' door", role);
    /* Without server_key the broker is reached in PLAIN, where a key is only a password. */
    key_read(c, c->server_key ? yaml_need(c->yaml, node, "key") : yaml_get(node, "key"), account);
}

static void accounts_read(struct config *c, yaml_node map) {
    size_t count = yaml_count(map);
    if (map && (!yaml_is_map(map) || !count || count > ACCOUNTS_MAX)) {
        yaml_complain(c->yaml, map, "accounts: is a map of 1 to %d accounts", ACCOUNTS_MAX);
        return;
    }
    for (size_t i = 0; map && i < count; i++) {
        const char *name;
        yaml_node node;
        if (yaml_pair(c->yaml, map, i, &name, &node))
            account_read(c, name, node);
    }
}

/* The account that a key of the file names; it must have this role. */
static int account_named(struct config *c, yaml_node node, unsigned role, const char *role_name) {
    const char *name = yaml_text(c->yaml, node, NULL);
    if (!name)
        return -1;
    int at = config_account(c, slice_of(name));
    if (at >= 0 && c->accounts[at].role == role)
        return at;
    yaml_complain(c->yaml, node, "`%s` is no %s account of this file", name, role_name);
    return -1;
}

static void feed_read(struct config *c, yaml_node node) {
    c->feed = account_named(c, node, ROLE_OPERATOR_BIT, "operator");
    for (size_t i = 0; !node && c->feed < 0 && i < c->accounts_count; i++)
        if (c->accounts[i].role == ROLE_OPERATOR_BIT)
            c->feed = (int)i;
}

static void tests_read(struct config *c, yaml_node section) {
    static const char *const keys[] = {"account", "samples", NULL};
    c->tests = -1;
    if (!section || !yaml_only(c->yaml, section, keys))
        return;
    c->tests = account_named(c, yaml_need(c->yaml, section, "account"), ROLE_REQUESTER_BIT, "requester");
    c->samples = file_read(c, yaml_need(c->yaml, section, "samples"), "samples", false);
}

/* --- webhooks ---------------------------------------------------------------------------------- */

/* "whsec_" and base64; what signs is what that stands for. */
static bool secret_decode(struct account_config *account) {
    static const char start[] = "whsec_";
    const char *text = account->webhook_secret;
    size_t size = sizeof start - 1;
    return strncmp(text, start, size) == 0 &&
           sodium_base642bin(account->webhook_key, sizeof account->webhook_key, text + size,
                             strlen(text) - size, NULL, &account->webhook_key_size, NULL,
                             sodium_base64_VARIANT_ORIGINAL) == 0 &&
           account->webhook_key_size >= WEBHOOK_KEY_MIN;
}

static void secret_read(struct config *c, yaml_node node, struct account_config *account) {
    const char *path = file_read(c, node, "secret_file", false);
    struct stat about;
    FILE *file = path ? fopen(path, "r") : NULL;
    if (!file)
        return;
    if (!fgets(account->webhook_secret, sizeof account->webhook_secret, file))
        account->webhook_secret[0] = '\0';
    fclose(file);
    account->webhook_secret[strcspn(account->webhook_secret, "\r\n")] = '\0';
    if (!secret_decode(account))
        yaml_complain(
            c->yaml, node,
            "secret_file: %s holds one line, whsec_ and base64 of 24 to 64 bytes; make it with: echo "
            "whsec_$(openssl rand -base64 32)",
            path);
    if (!stat(path, &about) && (about.st_mode & (S_IRWXG | S_IRWXO)))
        yaml_complain(c->yaml, node, "secret_file: others may read %s; chmod 600 it", path);
}

static bool host_is_loopback(const char *host) {
    return strcmp(host, "127.0.0.1") == 0 || strcmp(host, "[::1]") == 0 || strcasecmp(host, "localhost") == 0;
}

/* Taken apart by the library that will send there: it must not find another host in it than we do. */
static const char *url_defect(const char *url) {
    char *scheme = NULL, *host = NULL;
    CURLU *parts = curl_url();
    CURLUcode code =
        parts ? curl_url_set(parts, CURLUPART_URL, url, CURLU_DISALLOW_USER) : CURLUE_OUT_OF_MEMORY;
    code = code ? code : curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0);
    code = code ? code : curl_url_get(parts, CURLUPART_HOST, &host, 0);
    bool good =
        !code && (strcmp(scheme, "https") == 0 || (strcmp(scheme, "http") == 0 && host_is_loopback(host)));
    curl_free(scheme);
    curl_free(host);
    curl_url_cleanup(parts);
    if (code == CURLUE_USER_NOT_ALLOWED)
        return "url: has no user@ before the host; a message shows by its signature who sent it";
    return good ? NULL
                : "url: is a whole address that begins with https://; http:// is for 127.0.0.1, [::1] and "
                  "localhost only";
}

static void retries_read(struct config *c, yaml_node list, struct account_config *account) {
    size_t count = yaml_count(list);
    if (list && (!yaml_is_list(list) || !count || count > RETRIES_MAX)) {
        yaml_complain(c->yaml, list, "retries: is a list of 1 to %d pauses, such as [5 s, 5 min, 2 h]",
                      RETRIES_MAX);
        return;
    }
    for (size_t i = 0; list && i < count; i++)
        account->retries[account->retries_count++] = yaml_span(c->yaml, yaml_at(list, i), (est_span){0});
}

static void webhook_read(struct config *c, const char *name, yaml_node node) {
    static const char *const keys[] = {"url", "secret_file", "retries", NULL};
    int at = config_account(c, slice_of(name));
    if (at < 0 || c->accounts[at].role != ROLE_REQUESTER_BIT) {
        yaml_complain_key(c->yaml, node, "`%s` is no requester account of this file", name);
        return;
    }
    if (!yaml_only(c->yaml, node, keys))
        return;
    struct account_config *account = &c->accounts[at];
    account->webhook_url = yaml_text(c->yaml, yaml_need(c->yaml, node, "url"), NULL);
    const char *defect = account->webhook_url ? url_defect(account->webhook_url) : NULL;
    if (defect)
        yaml_complain(c->yaml, yaml_get(node, "url"), "%s", defect);
    secret_read(c, yaml_need(c->yaml, node, "secret_file"), account);
    retries_read(c, yaml_get(node, "retries"), account);
}

static void webhooks_read(struct config *c, yaml_node map) {
    if (!map)
        return;
    if (!yaml_is_map(map)) {
        yaml_complain(c->yaml, map, "webhooks: is a map of account names to {url, secret_file}");
        return;
    }
    for (size_t i = 0; i < yaml_count(map); i++) {
        const char *name;
        yaml_node node;
        if (yaml_pair(c->yaml, map, i, &name, &node))
            webhook_read(c, name, node);
    }
    if (!c->state)
        yaml_complain(c->yaml, map, "webhooks: need a folder for their queue; add `state: FOLDER`");
}

/* --- limits ------------------------------------------------------------------------------------ */

static int64_t limit_int(struct config *c, yaml_node node, const char *name, int64_t min, int64_t max,
                         int64_t otherwise) {
    (void)name;
    return yaml_int(c->yaml, node, min, max, otherwise);
}

static int64_t limit_bytes(struct config *c, yaml_node node, const char *name, int64_t min, int64_t max,
                           int64_t otherwise) {
    uint64_t bytes = yaml_bytes(c->yaml, node, (uint64_t)otherwise);
    if (bytes < (uint64_t)min || bytes > (uint64_t)max)
        yaml_complain(c->yaml, node, "%s: is %lld to %lld bytes", name, (long long)min, (long long)max);
    return (int64_t)bytes;
}

/* In microseconds; the table's bounds are in milliseconds. */
static int64_t limit_span(struct config *c, yaml_node node, const char *name, int64_t min, int64_t max,
                          int64_t otherwise) {
    int64_t us = yaml_span(c->yaml, node, (est_span){otherwise * EST_US_PER_MS}).us;
    if (us < min * EST_US_PER_MS || us > max * EST_US_PER_MS)
        yaml_complain(c->yaml, node, "%s: is %lld ms to %lld ms", name, (long long)min, (long long)max);
    return us;
}

#define LIMIT_READ_INT   limit_int
#define LIMIT_READ_BYTES limit_bytes
#define LIMIT_READ_SPAN  limit_span

static void limits_read(struct config *c, yaml_node section) {
    static const char *const keys[] = {
#define LIMIT_KEY(name, kind, min, max, otherwise, says) #name,
        LIMITS(LIMIT_KEY)
#undef LIMIT_KEY
            NULL};
    if (section)
        yaml_only(c->yaml, section, keys);
    bool map = yaml_is_map(section);
#define LIMIT_READ(name, kind, min, max, otherwise, says)                                                    \
    c->limits.name = LIMIT_READ_##kind(c, map ? yaml_get(section, #name) : NULL, #name, min, max, otherwise);
    LIMITS(LIMIT_READ)
#undef LIMIT_READ
}

/* --- The whole --------------------------------------------------------------------------------- */

static void root_read(struct config *c) {
    static const char *const keys[] = {"listen", "threads",  "broker",  "accounts",  "feed",
                                       "tokens", "state",    "console", "catalogue", "tls",
                                       "limits", "webhooks", "tests",   NULL};
    yaml_node root = yaml_root(c->yaml);
    yaml_only(c->yaml, root, keys);
    if (!yaml_is_map(root))
        return;
    listen_read(c, yaml_get(root, "listen"));
    c->threads = (unsigned)yaml_int(c->yaml, yaml_get(root, "threads"), 1, THREADS_MAX,
                                    sysconf(_SC_NPROCESSORS_ONLN) > 4 ? 4 : 2);
    broker_read(c, yaml_need(c->yaml, root, "broker"));
    accounts_read(c, yaml_need(c->yaml, root, "accounts"));
    feed_read(c, yaml_get(root, "feed"));
    c->tokens = file_read(c, yaml_need(c->yaml, root, "tokens"), "tokens", false);
    state_read(c, yaml_get(root, "state"));
    c->console = file_read(c, yaml_get(root, "console"), "console", true);
    c->catalogue = file_read(c, yaml_get(root, "catalogue"), "catalogue", true);
    tls_read(c, yaml_get(root, "tls"));
    limits_read(c, yaml_get(root, "limits"));
    webhooks_read(c, yaml_get(root, "webhooks"));
    tests_read(c, yaml_get(root, "tests"));
}

int config_open(const char *path, struct complaints *complaints, struct config *ret) {
    size_t before = complaints->count;
    *ret = (struct config){.path = path, .host = "127.0.0.1", .port = PORT_DEFAULT, .feed = -1, .tests = -1};
    if (!yaml_open_file(path, complaints, &ret->yaml))
        root_read(ret);
    if (complaints->count == before)
        return 0;
    config_close(ret);
    return -EST_INPUT;
}

void config_close(struct config *config) {
    for (size_t i = 0; i < config->accounts_count; i++) {
        explicit_bzero(config->accounts[i].secret_key, sizeof config->accounts[i].secret_key);
        explicit_bzero(config->accounts[i].webhook_secret, sizeof config->accounts[i].webhook_secret);
        explicit_bzero(config->accounts[i].webhook_key, sizeof config->accounts[i].webhook_key);
    }
    yaml_close(&config->yaml);
}
