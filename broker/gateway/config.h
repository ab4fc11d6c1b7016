/* config.h - gateway.yaml: where to listen, which broker, as which accounts, within which limits.
 *
 *     config_open -> … -> config_close
 *
 * What holds: after config_open succeeded everything has been checked that can be checked without
 * the broker: keys are read, files and folders are there, names refer to accounts of the file.
 */
#ifndef GATEWAY_CONFIG_H
#define GATEWAY_CONFIG_H

#include "yaml.h"

#include <estelam/client.h>

enum { ACCOUNTS_MAX = 64, RETRIES_MAX = 32, WEBHOOK_KEY_MIN = 24, WEBHOOK_KEY_MAX = 64, ROLE_REQUESTER_BIT = 1, ROLE_OPERATOR_BIT = 2 };

/* Every limit: key, kind (a number, bytes, a span), smallest, largest, default (spans in ms), meaning. */
#define LIMITS(X)                                                                                            \
    X(connections, INT, 1, 1000000, 10000, "connections at once; more wait in the system's queue")           \
    X(connections_per_address, INT, 0, 1000000, 0, "of one address; more are closed; 0: no limit of its own") \
    X(streams, INT, 0, 1000000, 5000, "event streams at once; more get 503")                                 \
    X(streams_per_account, INT, 1, 1000000, 2000, "event streams of one account")                            \
    X(body, BYTES, 1024, 1048576, 131072, "bytes of a request's body")                                         \
    X(header, BYTES, 1024, 49152, 16384, "bytes of a request's line and headers")                              \
    X(requests_per_second, INT, 1, 1000000, 20000, "of one account; more get 429")                           \
    X(burst, INT, 1, 1000000, 20000, "requests of one account at one moment")                                \
    X(waiting, INT, 16, 1000000, 20000, "requests of one account that wait for the broker")                  \
    X(request, SPAN, 100, 3600000, 30000, "for a whole request to come in, and for an answer to go out")     \
    X(idle, SPAN, 100, 3600000, 60000, "of a connection without any traffic")                                \
    X(broker, SPAN, 100, 600000, 10000, "for the broker's word; then 503")                                   \
    X(wait, SPAN, 0, 600000, 60000, "longest `Prefer: wait`")                                                \
    X(webhook_messages, INT, 1, 10000000, 1000000, "of one account not delivered; more stay with the broker") \
    X(webhook_answer, SPAN, 100, 600000, 20000, "for a webhook's receiver to answer; then it has failed")    \
    X(keep_alive, SPAN, 100, 600000, 15000, "between the comments on an idle event stream")                  \
    X(drain, SPAN, 0, 600000, 10000, "for what is under way when the gateway is stopped")

struct limits {
#define LIMIT_MEMBER(name, kind, min, max, otherwise, says) int64_t name;
    LIMITS(LIMIT_MEMBER)
#undef LIMIT_MEMBER
};

struct account_config {
    const char *name;
    unsigned role; /* one ROLE_ bit */
    char public_key[41], secret_key[41];
    const char *webhook_url;         /* NULL: none */
    char webhook_secret[128];        /* "whsec_…" */
    uint8_t webhook_key[WEBHOOK_KEY_MAX]; /* which it stands for */
    size_t webhook_key_size;
    est_span retries[RETRIES_MAX];   /* pauses after each failed attempt; none: the standard's own */
    unsigned retries_count;
};

struct config {
    struct yaml *yaml;
    const char *path;
    char host[64];
    unsigned port;
    unsigned threads;
    const char *server_key; /* NULL: PLAIN */
    const char *requesters[EST_ENDPOINTS_MAX], *operators[EST_ENDPOINTS_MAX];
    struct account_config accounts[ACCOUNTS_MAX];
    size_t accounts_count;
    int feed;       /* the operator account that feeds streams and searches; -1: none */
    const char *tokens, *state, *console, *catalogue; /* state, console, catalogue: NULL where there is none */
    const char *tls_certificate, *tls_key;            /* both or none */
    int tests;                                        /* the account that sends test inquiries; -1: none */
    const char *samples;
    struct limits limits;
};

/* 0 or -EST_INPUT with complaints. The strings live as long as the configuration. */
int config_open(const char *path, struct complaints *, struct config *ret);
void config_close(struct config *);
/* -1: none of this name. */
int config_account(const struct config *, est_slice name);

#endif
