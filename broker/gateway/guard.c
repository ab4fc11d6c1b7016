/* guard.c - see guard.h. */
#include "guard.h"
#include "log.h"
#include "problem.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { UNSERVED_MAX = 16, UNSERVED_AGAIN_S = 60, UNREADABLE_AGAIN_S = 5 };

/* Whom the log told of last. When all of these are fresh others wait: a flood of callers is no flood of
 * lines. */
struct unserved {
    char name[EST_NAME_MAX + 1];
    int64_t told_us; /* 0: never */
};

struct guard {
    struct gateway *gateway;
    pthread_mutex_t unserved_lock;
    struct unserved unserved[UNSERVED_MAX];
    pthread_rwlock_t lock;
    struct stat seen;
    struct tokens tokens;
    bool readable, told; /* told: that it cannot be read */
    int64_t read_us;     /* 0: never */
    unsigned version;
};

static bool stat_is_same(const struct stat *a, const struct stat *b) {
    return a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
           a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* Once when it can no longer be read, and once when it can again. */
static void guard_tell(struct guard *guard) {
    if (guard->told == !guard->readable)
        return;
    guard->told = !guard->readable;
    if (guard->told)
        log_line(LOG_LEVEL_ERROR, "%s cannot be read: nobody passes until it is mended; is it this user's?",
                 guard->gateway->config.tokens);
    else
        log_line(LOG_LEVEL_INFO, "%s can be read again", guard->gateway->config.tokens);
}

/* It changed; or it could not be read, which may have been the system's trouble and not the file's. */
static bool guard_is_stale(const struct guard *guard, const struct stat *now) {
    return !guard->read_us || !stat_is_same(&guard->seen, now) ||
           (!guard->readable && gateway_ticks_us() - guard->read_us >= UNREADABLE_AGAIN_S * EST_US_PER_S);
}

/* Under the write lock. */
static void guard_read(struct guard *guard, const struct stat *now) {
    struct tokens fresh = {0};
    struct complaints *complaints = calloc(1, sizeof *complaints);
    int code = complaints ? tokens_load(guard->gateway->config.tokens, complaints, &fresh) : -EST_NO_MEMORY;
    bool is_news = !guard->told || !stat_is_same(&guard->seen, now);
    for (size_t i = 0; complaints && is_news && i < complaints->kept; i++)
        log_line(LOG_LEVEL_ERROR, "%s: %s", complaints->at[i].where, complaints->at[i].text);
    free(complaints);
    tokens_done(&guard->tokens);
    guard->tokens = fresh;
    guard->readable = code == 0;
    guard->read_us = gateway_ticks_us();
    guard->seen = *now;
    guard->version++;
    guard_tell(guard);
}

/* Comes back with the read lock held. */
static void guard_look(struct guard *guard) {
    struct stat now;
    if (stat(guard->gateway->config.tokens, &now))
        memset(&now, 0, sizeof now);
    pthread_rwlock_rdlock(&guard->lock);
    if (!guard_is_stale(guard, &now))
        return;
    pthread_rwlock_unlock(&guard->lock);
    pthread_rwlock_wrlock(&guard->lock);
    if (guard_is_stale(guard, &now))
        guard_read(guard, &now);
    pthread_rwlock_unlock(&guard->lock);
    pthread_rwlock_rdlock(&guard->lock);
}

static int token_judge(const struct token *token) {
    if (!token)
        return -GW_UNAUTHENTICATED;
    if (token->revoked.us)
        return -GW_TOKEN_REVOKED;
    return token->expires.us && token->expires.us <= gateway_now().us ? -GW_TOKEN_EXPIRED : 0;
}

/* True where the log is to tell of this account now. */
static bool unserved_note(struct guard *guard, const char *name) {
    int64_t now = gateway_ticks_us(), fresh = now - UNSERVED_AGAIN_S * EST_US_PER_S;
    struct unserved *row = NULL;
    pthread_mutex_lock(&guard->unserved_lock);
    for (size_t i = 0; i < UNSERVED_MAX; i++) {
        struct unserved *at = &guard->unserved[i];
        bool stale = !at->told_us || at->told_us <= fresh;
        if (strcmp(at->name, name) == 0) {
            row = stale ? at : NULL;
            break;
        }
        if (stale && !row)
            row = at;
    }
    if (row) {
        memcpy(row->name, name, strlen(name) + 1);
        row->told_us = now;
    }
    pthread_mutex_unlock(&guard->unserved_lock);
    return row;
}

static void unserved_tell(struct guard *guard, const struct token *token) {
    if (unserved_note(guard, token->account))
        log_line(LOG_LEVEL_WARNING,
                 "token %s is refused: its account `%s` is not in %s; add it there, or revoke the token",
                 token->id, token->account, guard->gateway->config.path);
}

int guard_pass(struct guard *guard, const char *secret, struct pass *ret) {
    guard_look(guard);
    const struct token *token =
        tokens_find(&guard->tokens, (est_slice){secret, strnlen(secret, TOKEN_SECRET_SIZE)});
    int code = guard->readable ? token_judge(token) : -GW_TOKENS_UNREADABLE;
    ret->unserved[0] = '\0';
    if (!code) {
        int account =
            config_account(&guard->gateway->config, (est_slice){token->account, strlen(token->account)});
        if (account < 0) {
            code = -GW_UNAUTHENTICATED;
            memcpy(ret->unserved, token->account, sizeof ret->unserved);
            unserved_tell(guard, token);
        } else {
            ret->account = (size_t)account;
            ret->line = guard->gateway->lines[account];
            ret->scopes = token->scopes;
            memcpy(ret->id, token->id, sizeof ret->id);
        }
    }
    pthread_rwlock_unlock(&guard->lock);
    return code;
}

bool guard_knows(struct guard *guard, const char *id) {
    guard_look(guard);
    bool good = guard->readable && token_judge(tokens_by_id(&guard->tokens, id)) == 0;
    pthread_rwlock_unlock(&guard->lock);
    return good;
}

bool guard_reads(struct guard *guard) {
    guard_look(guard);
    bool readable = guard->readable;
    pthread_rwlock_unlock(&guard->lock);
    return readable;
}

unsigned guard_version(struct guard *guard) {
    guard_look(guard);
    unsigned version = guard->version;
    pthread_rwlock_unlock(&guard->lock);
    return version;
}

struct guard *guard_new(struct gateway *gateway) {
    struct guard *guard = calloc(1, sizeof *guard);
    if (!guard)
        return NULL;
    guard->gateway = gateway;
    pthread_rwlock_init(&guard->lock, NULL);
    pthread_mutex_init(&guard->unserved_lock, NULL);
    return guard;
}

void guard_free(struct guard **guard) {
    if (!*guard)
        return;
    tokens_done(&(*guard)->tokens);
    pthread_rwlock_destroy(&(*guard)->lock);
    pthread_mutex_destroy(&(*guard)->unserved_lock);
    free(*guard);
    *guard = NULL;
}
