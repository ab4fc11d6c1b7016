/* gateway.h - the process: what all requests share.
 *
 *     gateway_open -> http_start -> … -> http_drain -> gateway_close
 *
 * Which thread touches what: HTTP threads (libmicrohttpd's) parse, check rights and hand asks to
 * lines; each line's thread talks to the broker and finishes requests; the keeper's thread looks at
 * time (slow connections, idle streams). Whatever two of them touch has a lock of its own.
 */
#ifndef GATEWAY_H
#define GATEWAY_H

#include "config.h"
#include "line.h"
#include "tokens.h"

#include <pthread.h>
#include <stdatomic.h>

struct MHD_Daemon;
struct catalogue;

struct gateway {
    struct config config;
    struct line *lines[ACCOUNTS_MAX]; /* beside config.accounts */
    struct buckets *buckets;          /* requests per second */
    struct guard *guard;                /* tokens in force */
    struct shelf *shelf;              /* the catalogue, as JSON */
    struct feed *feed;                /* events and their streams */
    struct hooks *hooks;              /* webhooks; NULL: none */
    struct http *http;
    _Atomic bool stopping;
    int64_t started_us;
};

/* The configuration is there already. A negative code, told in the log; gateway_close all the same. */
int gateway_open(struct gateway *);
void gateway_close(struct gateway *);
/* The operator account that feeds streams and searches; NULL where there is none. */
struct line *gateway_feed_line(const struct gateway *);
int64_t gateway_ticks_us(void); /* a clock that nobody sets */
est_time gateway_now(void);

#endif
