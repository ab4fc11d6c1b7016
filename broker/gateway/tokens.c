/* tokens.c - see tokens.h. */
#include "tokens.h"
#include "codec.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char prefix[] = "est_";

static const struct {
    const char *name, *says;
    unsigned bit;
} scopes[] = {
#define SCOPE_ROW(name, bit, says) {#name, says, 1u << (bit)},
    SCOPES(SCOPE_ROW)
#undef SCOPE_ROW
};
enum { SCOPES_COUNT = sizeof scopes / sizeof scopes[0] };

unsigned scope_parse(est_slice name) {
    for (size_t i = 0; i < SCOPES_COUNT; i++)
        if (strlen(scopes[i].name) == name.size && memcmp(scopes[i].name, name.data, name.size) == 0)
            return scopes[i].bit;
    return 0;
}

const char *scope_name(unsigned bit) {
    for (size_t i = 0; i < SCOPES_COUNT; i++)
        if (scopes[i].bit == bit)
            return scopes[i].name;
    return NULL;
}

const char *scope_says(unsigned bit) {
    for (size_t i = 0; i < SCOPES_COUNT; i++)
        if (scopes[i].bit == bit)
            return scopes[i].says;
    return NULL;
}

void token_time_format(est_time t, char ret[TOKEN_TIME_SIZE]) {
    time_t seconds = (time_t)(t.us / EST_US_PER_S);
    struct tm parts;
    gmtime_r(&seconds, &parts);
    strftime(ret, TOKEN_TIME_SIZE, "%Y-%m-%dT%H:%M:%SZ", &parts);
}

bool token_time_parse(const char *text, est_time *ret) {
    struct tm parts = {0};
    const char *end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &parts);
    if (!end || *end)
        return false;
    ret->us = (int64_t)timegm(&parts) * EST_US_PER_S;
    return true;
}

/* --- Making and finding ------------------------------------------------------------------------ */

static int hash_compare(const void *a, const void *b) {
    const struct token *left = a, *right = b;
    return memcmp(left->hash, right->hash, TOKEN_HASH);
}

static void secret_hash(est_slice secret, uint8_t ret[TOKEN_HASH]) {
    crypto_generichash(ret, TOKEN_HASH, secret.data, secret.size, NULL, 0);
}

void token_make(struct token *token, char ret_secret[TOKEN_SECRET_SIZE]) {
    uint8_t bytes[32];
    randombytes_buf(bytes, sizeof bytes);
    memcpy(ret_secret, prefix, sizeof prefix - 1);
    sodium_bin2base64(ret_secret + sizeof prefix - 1, TOKEN_SECRET_SIZE - (sizeof prefix - 1), bytes,
                      sizeof bytes, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    sodium_memzero(bytes, sizeof bytes);
    secret_hash(slice_of(ret_secret), token->hash);
    sodium_bin2hex(token->id, sizeof token->id, token->hash, (TOKEN_ID_SIZE - 1) / 2);
}

const struct token *tokens_find(const struct tokens *tokens, est_slice secret) {
    struct token wanted;
    if (secret.size != TOKEN_SECRET_SIZE - 1 || tokens->count == 0)
        return NULL;
    secret_hash(secret, wanted.hash);
    return bsearch(&wanted, tokens->at, tokens->count, sizeof *tokens->at, hash_compare);
}

struct token *tokens_by_id(struct tokens *tokens, const char *id) {
    for (size_t i = 0; i < tokens->count; i++)
        if (strcmp(tokens->at[i].id, id) == 0)
            return &tokens->at[i];
    return NULL;
}

int tokens_add(struct tokens *tokens, const struct token *token) {
    if (tokens->count >= TOKENS_MAX)
        return -EST_FULL;
    struct token *grown = realloc(tokens->at, (tokens->count + 1) * sizeof *grown);
    if (!grown)
        return -EST_NO_MEMORY;
    tokens->at = grown;
    tokens->at[tokens->count++] = *token;
    qsort(tokens->at, tokens->count, sizeof *tokens->at, hash_compare);
    return 0;
}

void tokens_done(struct tokens *tokens) {
    free(tokens->at);
    *tokens = (struct tokens){0};
}

/* --- Reading ----------------------------------------------------------------------------------- */

static void text_read(struct yaml *yaml, yaml_node node, char *ret, size_t size) {
    const char *text = yaml_text(yaml, node, "");
    if (strlen(text) >= size)
        yaml_complain(yaml, node, "longer than %zu bytes", size - 1);
    else
        memcpy(ret, text, strlen(text) + 1);
}

static est_time time_read(struct yaml *yaml, yaml_node node) {
    est_time time = {0};
    const char *text = yaml_text(yaml, node, NULL);
    if (text && !token_time_parse(text, &time))
        yaml_complain(yaml, node, "a time is written 2026-12-31T00:00:00Z");
    return time;
}

static unsigned scopes_read(struct yaml *yaml, yaml_node list) {
    unsigned bits = 0;
    if (list && !yaml_is_list(list))
        yaml_complain(yaml, list, "scopes: is a list, such as [submit, read]");
    for (size_t i = 0; yaml_is_list(list) && i < yaml_count(list); i++) {
        const char *name = yaml_text(yaml, yaml_at(list, i), "");
        unsigned bit = scope_parse(slice_of(name));
        if (!bit)
            yaml_complain(yaml, yaml_at(list, i), "there is no scope `%s`; see `estelam help token new`",
                          name);
        bits |= bit;
    }
    return bits;
}

static void hash_read(struct yaml *yaml, yaml_node node, struct token *ret) {
    const char *text = yaml_text(yaml, node, "");
    size_t size = 0;
    if (node && (sodium_hex2bin(ret->hash, TOKEN_HASH, text, strlen(text), NULL, &size, NULL) ||
                 size != TOKEN_HASH || strlen(text) != TOKEN_HASH * 2))
        yaml_complain(yaml, node, "hash: is 64 hexadecimal digits, as `estelam token new` writes it");
}

static void token_read(struct yaml *yaml, const char *id, yaml_node node, struct token *ret) {
    static const char *const keys[] = {"account", "title",   "scopes",  "hash",
                                       "created", "expires", "revoked", NULL};
    *ret = (struct token){0};
    if (!yaml_only(yaml, node, keys))
        return;
    snprintf(ret->id, sizeof ret->id, "%s", id);
    text_read(yaml, yaml_need(yaml, node, "account"), ret->account, sizeof ret->account);
    text_read(yaml, yaml_get(node, "title"), ret->title, sizeof ret->title);
    ret->scopes = scopes_read(yaml, yaml_need(yaml, node, "scopes"));
    hash_read(yaml, yaml_need(yaml, node, "hash"), ret);
    ret->created = time_read(yaml, yaml_get(node, "created"));
    ret->expires = time_read(yaml, yaml_get(node, "expires"));
    ret->revoked = time_read(yaml, yaml_get(node, "revoked"));
}

static int all_read(struct yaml *yaml, struct tokens *ret) {
    static const char *const keys[] = {"tokens", NULL};
    yaml_node root = yaml_root(yaml);
    if (!yaml_only(yaml, root, keys))
        return 0;
    yaml_node map = yaml_get(root, "tokens");
    size_t count = yaml_count(map);
    if (map && !yaml_is_map(map) && count)
        yaml_complain(yaml, map, "tokens: is a map of ids to tokens");
    if (!yaml_is_map(map) || count == 0)
        return 0;
    if (count > TOKENS_MAX) {
        yaml_complain(yaml, map, "more than %d tokens; take out those that are revoked", TOKENS_MAX);
        return 0;
    }
    ret->at = calloc(count, sizeof *ret->at);
    if (!ret->at)
        return -EST_NO_MEMORY;
    for (size_t i = 0; i < count; i++) {
        const char *id;
        yaml_node node;
        if (yaml_pair(yaml, map, i, &id, &node))
            token_read(yaml, id, node, &ret->at[ret->count++]);
    }
    qsort(ret->at, ret->count, sizeof *ret->at, hash_compare);
    return 0;
}

int tokens_load(const char *path, struct complaints *complaints, struct tokens *ret) {
    struct tokens tokens = {0};
    struct yaml *yaml = NULL;
    size_t before = complaints->count;
    int code = yaml_open_file(path, complaints, &yaml);
    if (!code)
        code = all_read(yaml, &tokens);
    yaml_close(&yaml);
    if (!code && complaints->count > before)
        code = -EST_INPUT;
    if (code)
        tokens_done(&tokens);
    else
        *ret = tokens;
    return code;
}

/* --- Writing ----------------------------------------------------------------------------------- */

/* A JSON text is a YAML text too. */
static void text_write(FILE *file, const char *name, const char *text) {
    json_t *json = json_string(text);
    fprintf(file, ", %s: ", name);
    json_dumpf(json, file, JSON_ENCODE_ANY);
    json_decref(json);
}

static void time_write(FILE *file, const char *name, est_time time) {
    char text[TOKEN_TIME_SIZE];
    if (!time.us)
        return;
    token_time_format(time, text);
    fprintf(file, ", %s: \"%s\"", name, text);
}

static void token_write(FILE *file, const struct token *token) {
    char hash[TOKEN_HASH * 2 + 1];
    const char *comma = "";
    fprintf(file, "  \"%s\": {scopes: [", token->id);
    for (size_t i = 0; i < SCOPES_COUNT; i++)
        if (token->scopes & scopes[i].bit) {
            fprintf(file, "%s%s", comma, scopes[i].name);
            comma = ", ";
        }
    fputs("]", file);
    text_write(file, "account", token->account);
    if (token->title[0])
        text_write(file, "title", token->title);
    time_write(file, "created", token->created);
    time_write(file, "expires", token->expires);
    time_write(file, "revoked", token->revoked);
    sodium_bin2hex(hash, sizeof hash, token->hash, TOKEN_HASH);
    fprintf(file, ", hash: \"%s\"}\n", hash);
}

static bool file_write(int fd, const struct tokens *tokens) {
    FILE *file = fdopen(fd, "w");
    if (!file) {
        close(fd);
        return false;
    }
    fputs("# Written by `estelam token`: hashes only. The gateway looks at this file at every request.\n",
          file);
    fputs(tokens->count ? "tokens:\n" : "tokens: {}\n", file);
    for (size_t i = 0; i < tokens->count; i++)
        token_write(file, &tokens->at[i]);
    bool good = fflush(file) == 0 && fsync(fd) == 0 && !ferror(file);
    return fclose(file) == 0 && good;
}

/* The gateway runs as a user of its own, and whoever writes this is mostly root: a file that is replaced
 * stays its owner's, who could not read it any more. */
static bool owner_keep(const char *path, int fd) {
    struct stat old, fresh;
    if (stat(path, &old))
        return errno == ENOENT;
    return fstat(fd, &fresh) == 0 && (old.st_uid == fresh.st_uid || fchown(fd, old.st_uid, old.st_gid) == 0);
}

int tokens_save(const char *path, const struct tokens *tokens) {
    char beside[4096];
    if (snprintf(beside, sizeof beside, "%s.XXXXXX", path) >= (int)sizeof beside) {
        errno = ENAMETOOLONG;
        return -EST_IO;
    }
    int fd = mkostemp(beside, O_CLOEXEC); /* 0600 */
    if (fd < 0)
        return -EST_IO;
    bool good = owner_keep(path, fd);
    if (!good)
        close(fd);
    if (good && file_write(fd, tokens) && rename(beside, path) == 0)
        return 0;
    int error = errno;
    unlink(beside);
    errno = error;
    return -EST_IO;
}
