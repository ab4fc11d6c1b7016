/* guard.h - the tokens in force. The file is looked at on every request, by its inode, size and
 * times, so that a revocation holds from the next request on. A file that cannot be read lets
 * nobody in. */
#ifndef GATEWAY_GUARD_H
#define GATEWAY_GUARD_H

#include "gateway.h"

struct pass {
    struct line *line;
    size_t account; /* its place in the configuration */
    unsigned scopes;
    char id[TOKEN_ID_SIZE];
    char unserved[EST_NAME_MAX + 1]; /* with UNAUTHENTICATED: the account of a good token that is not ours */
};

struct guard;
struct guard *guard_new(struct gateway *); /* NULL: no memory */
void guard_free(struct guard **);
/* 0; -GW_UNAUTHENTICATED, -GW_TOKEN_EXPIRED, -GW_TOKEN_REVOKED, -GW_TOKENS_UNREADABLE. An account that is
 * not in gateway.yaml is told in `ret`, empty otherwise, and in the log, at most once a minute. */
int guard_pass(struct guard *, const char *secret, struct pass *ret);
/* Is this token still good? For streams, which outlive the request that opened them. */
bool guard_knows(struct guard *, const char *id);
/* Can the file be read? */
bool guard_reads(struct guard *);
/* Another number whenever the file was read anew. */
unsigned guard_version(struct guard *);

#endif
