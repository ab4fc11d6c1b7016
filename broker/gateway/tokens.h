/* tokens.h - bearer tokens: who may pass the HTTP door, as which account, for what, until when.
 *
 *     token_make -> tokens_save        (the command line)
 *     tokens_load -> tokens_find       (the gateway, at every request)
 *
 * What holds: a token is 256 random bits and is shown once. The file keeps its BLAKE2b-256 hash and
 * nothing from which it could be made again, so whoever reads the file cannot pass. The file is
 * replaced as a whole, by rename, and never seen half written.
 */
#ifndef TOKENS_H
#define TOKENS_H

#include "yaml.h"

/* What a token may be used for, whatever else its account may do.
 *      name, bit, what it opens */
#define SCOPES(X)                                                                                            \
    X(submit, 0, "submit inquiries and cancel one's own")                                                    \
    X(read, 1, "read inquiries, timelines and search")                                                       \
    X(events, 2, "follow the stream of events")                                                              \
    X(webhooks, 3, "see one's webhook and send again what it missed")                                        \
    X(watch, 4, "queues, agents, parked, counters, keys, configuration")                                     \
    X(operate, 5, "cancel, requeue, redirect, pause, test")                                                  \
    X(administer, 6, "bodies, drain, rebuild the index")

enum scope {
#define SCOPE_ENUM(name, bit, says) SCOPE_##name = 1u << (bit),
    SCOPES(SCOPE_ENUM)
#undef SCOPE_ENUM
    SCOPE_ALL = (1u << 7) - 1,
};

enum {
    TOKEN_ID_SIZE = 13,     /* 12 hexadecimal digits and a zero byte: names it, opens nothing */
    TOKEN_SECRET_SIZE = 48, /* "est_", 43 of base64url and a zero byte */
    TOKEN_HASH = 32,
    TOKEN_TITLE_MAX = 200,
    TOKENS_MAX = 10000,
};

struct token {
    char id[TOKEN_ID_SIZE];
    char account[EST_NAME_MAX + 1];
    char title[TOKEN_TITLE_MAX + 1];
    unsigned scopes;
    uint8_t hash[TOKEN_HASH];
    est_time created, expires, revoked; /* expires, revoked: 0 for never */
};

struct tokens {
    struct token *at; /* sorted by hash */
    size_t count;
};

/* 0; -EST_INPUT with complaints; -EST_NO_MEMORY. A file that is not there is -EST_INPUT too. */
int tokens_load(const char *path, struct complaints *, struct tokens *ret);
void tokens_done(struct tokens *);
/* 0, or -EST_IO with errno set. The file is readable by its owner only, who stays the same. */
int tokens_save(const char *path, const struct tokens *);
/* Adds a copy. 0, -EST_NO_MEMORY, -EST_FULL. */
int tokens_add(struct tokens *, const struct token *);

/* A fresh secret, its hash and id go into the token. */
void token_make(struct token *, char ret_secret[TOKEN_SECRET_SIZE]);
/* The token of this secret, whatever its dates; NULL where there is none. */
const struct token *tokens_find(const struct tokens *, est_slice secret);
struct token *tokens_by_id(struct tokens *, const char *id);

/* A bit of one name, 0 for none; the name of one bit. */
unsigned scope_parse(est_slice name);
const char *scope_name(unsigned bit);
const char *scope_says(unsigned bit);

/* "2026-12-31T00:00:00Z", to the second. */
#define TOKEN_TIME_SIZE 24
void token_time_format(est_time, char ret[TOKEN_TIME_SIZE]);
bool token_time_parse(const char *text, est_time *ret);

#endif
