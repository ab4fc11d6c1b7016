/* door.c - see door.h. */
#include "door.h"
#include "log.h"
#include "problem.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct door {
    struct gateway *gateway;
    pthread_rwlock_t lock;
    struct stat seen;
    struct tokens tokens;
    bool readable, looked;
    unsigned version;
};

static bool stat_is_same(const struct stat *a, const struct stat *b) {
    return a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
           a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* Under the write lock. */
static void door_read(struct door *door, const struct stat *now) {
    struct tokens fresh = {0};
    struct complaints *complaints = calloc(1, sizeof *complaints);
    int code = complaints ? tokens_load(door->gateway->config.tokens, complaints, &fresh) : -EST_NO_MEMORY;
    for (size_t i = 0; complaints && i < complaints->kept; i++)
        log_line(LOG_LEVEL_ERROR, "%s: %s", complaints->at[i].where, complaints->at[i].text);
    free(complaints);
    tokens_done(&door->tokens);
    door->tokens = fresh;
    door->readable = code == 0;
    door->looked = code != -EST_NO_MEMORY;
    door->seen = *now;
    door->version++;
    if (code)
        log_line(LOG_LEVEL_ERROR, "%s cannot be read: nobody passes until it is mended",
                 door->gateway->config.tokens);
}

/* Comes back with the read lock held. */
static void door_look(struct door *door) {
    struct stat now;
    if (stat(door->gateway->config.tokens, &now))
        memset(&now, 0, sizeof now);
    pthread_rwlock_rdlock(&door->lock);
    if (door->looked && stat_is_same(&door->seen, &now))
        return;
    pthread_rwlock_unlock(&door->lock);
    pthread_rwlock_wrlock(&door->lock);
    if (!door->looked || !stat_is_same(&door->seen, &now))
        door_read(door, &now);
    pthread_rwlock_unlock(&door->lock);
    pthread_rwlock_rdlock(&door->lock);
}

static int token_judge(const struct token *token) {
    if (!token)
        return -GW_UNAUTHENTICATED;
    if (token->revoked.us)
        return -GW_TOKEN_REVOKED;
    return token->expires.us && token->expires.us <= gateway_now().us ? -GW_TOKEN_EXPIRED : 0;
}

int door_pass(struct door *door, const char *secret, struct pass *ret) {
    door_look(door);
    const struct token *token =
        tokens_find(&door->tokens, (est_slice){secret, strnlen(secret, TOKEN_SECRET_SIZE)});
    int code = door->readable ? token_judge(token) : -GW_TOKENS_UNREADABLE;
    if (!code) {
        int account =
            config_account(&door->gateway->config, (est_slice){token->account, strlen(token->account)});
        if (account < 0) {
            code = -GW_UNAUTHENTICATED; /* an account that this gateway does not serve */
        } else {
            ret->account = (size_t)account;
            ret->line = door->gateway->lines[account];
            ret->scopes = token->scopes;
            memcpy(ret->id, token->id, sizeof ret->id);
        }
    }
    pthread_rwlock_unlock(&door->lock);
    return code;
}

bool door_knows(struct door *door, const char *id) {
    door_look(door);
    bool good = door->readable && token_judge(tokens_by_id(&door->tokens, id)) == 0;
    pthread_rwlock_unlock(&door->lock);
    return good;
}

unsigned door_version(struct door *door) {
    door_look(door);
    unsigned version = door->version;
    pthread_rwlock_unlock(&door->lock);
    return version;
}

struct door *door_new(struct gateway *gateway) {
    struct door *door = calloc(1, sizeof *door);
    if (!door)
        return NULL;
    door->gateway = gateway;
    pthread_rwlock_init(&door->lock, NULL);
    return door;
}

void door_free(struct door **door) {
    if (!*door)
        return;
    tokens_done(&(*door)->tokens);
    pthread_rwlock_destroy(&(*door)->lock);
    free(*door);
    *door = NULL;
}
