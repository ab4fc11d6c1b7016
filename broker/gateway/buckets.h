/* buckets.h - requests per second of each account: a bucket of tokens that fills by itself. */
#ifndef GATEWAY_BUCKETS_H
#define GATEWAY_BUCKETS_H

#include "config.h"

struct buckets;
struct buckets *buckets_new(const struct limits *); /* NULL: no memory */
void buckets_free(struct buckets **);
/* True where the account (its place in the configuration) has one left; else how long until it has. */
bool buckets_take(struct buckets *, size_t account, est_span *ret_retry);

#endif
