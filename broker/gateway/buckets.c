/* buckets.c - see buckets.h. Counted in millionths of a request, so that time in microseconds fills
 * it by whole numbers. */
#include "buckets.h"
#include "gateway.h"

#include <stdlib.h>

enum { ONE = 1000000 };

struct bucket {
    pthread_mutex_t lock;
    int64_t left, at_us;
};

struct buckets {
    int64_t per_second, most;
    struct bucket of[ACCOUNTS_MAX];
};

struct buckets *buckets_new(const struct limits *limits) {
    struct buckets *buckets = calloc(1, sizeof *buckets);
    if (!buckets)
        return NULL;
    buckets->per_second = limits->requests_per_second;
    buckets->most = limits->burst * ONE;
    for (size_t i = 0; i < ACCOUNTS_MAX; i++) {
        pthread_mutex_init(&buckets->of[i].lock, NULL);
        buckets->of[i].left = buckets->most;
        buckets->of[i].at_us = gateway_ticks_us();
    }
    return buckets;
}

void buckets_free(struct buckets **buckets) {
    free(*buckets);
    *buckets = NULL;
}

static void bucket_fill(const struct buckets *buckets, struct bucket *b) {
    int64_t now = gateway_ticks_us(), passed = now - b->at_us;
    b->at_us = now;
    if (passed >= buckets->most / buckets->per_second) /* also keeps the product small */
        b->left = buckets->most;
    else
        b->left += passed * buckets->per_second;
    if (b->left > buckets->most)
        b->left = buckets->most;
}

bool buckets_take(struct buckets *buckets, size_t account, est_span *ret_retry) {
    struct bucket *b = &buckets->of[account];
    pthread_mutex_lock(&b->lock);
    bucket_fill(buckets, b);
    bool good = b->left >= ONE;
    if (good)
        b->left -= ONE;
    else
        ret_retry->us = (ONE - b->left) / buckets->per_second + 1;
    pthread_mutex_unlock(&b->lock);
    return good;
}
