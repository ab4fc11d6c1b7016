/* gateway.c - opening and closing in the one safe order: configuration, catalogue, lines to the broker,
 * and HTTP last, so that whoever can connect finds a gateway that can answer. It closes the other way
 * round. See gateway.h. */
#include "gateway.h"
#include "buckets.h"
#include "feed.h"
#include "guard.h"
#include "hooks.h"
#include "http.h"
#include "log.h"
#include "shelf.h"

#include <sys/resource.h>
#include <time.h>

int64_t gateway_ticks_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * EST_US_PER_S + t.tv_nsec / 1000;
}

est_time gateway_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (est_time){(int64_t)t.tv_sec * EST_US_PER_S + t.tv_nsec / 1000};
}

struct line *gateway_feed_line(const struct gateway *gateway) {
    return gateway->config.feed >= 0 ? gateway->lines[gateway->config.feed] : NULL;
}

/* --- Opening ----------------------------------------------------------------------------------- */

static int lines_open(struct gateway *gateway) {
    for (size_t i = 0; i < gateway->config.accounts_count; i++) {
        int code = line_open(&gateway->config, &gateway->config.accounts[i], &gateway->lines[i]);
        if (code) {
            log_line(LOG_LEVEL_ERROR, "%s: %s: %s", gateway->config.accounts[i].name, est_code_name(code),
                     est_code_text(code));
            return code;
        }
    }
    return 0;
}

static int lines_start(struct gateway *gateway) {
    for (size_t i = 0; gateway->hooks && i < gateway->config.accounts_count; i++)
        line_on_result(gateway->lines[i], hooks_result, gateway->hooks);
    for (size_t i = 0; i < gateway->config.accounts_count; i++)
        if (line_start(gateway->lines[i]))
            return -EST_IO;
    return 0;
}

/* Each connection is a descriptor; the soft limit is for programs that use select. */
static void descriptors_raise(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

int gateway_open(struct gateway *gateway) {
    descriptors_raise();
    gateway->started_us = gateway_now().us;
    gateway->buckets = buckets_new(&gateway->config.limits);
    gateway->guard = guard_new(gateway);
    gateway->shelf = shelf_new(gateway->config.catalogue);
    if (!gateway->buckets || !gateway->guard || !gateway->shelf)
        return -EST_INPUT;
    int code = lines_open(gateway);
    gateway->feed = code ? NULL : feed_new(gateway);
    if (!gateway->feed)
        return code ? code : -EST_NO_MEMORY;
    code = hooks_new(gateway, &gateway->hooks);
    if (!code && gateway->hooks)
        code = hooks_start(gateway->hooks);
    if (!code)
        code = lines_start(gateway);
    if (!code)
        code = feed_start(gateway->feed);
    return code ? code : http_start(gateway);
}

void gateway_close(struct gateway *gateway) {
    if (gateway->feed)
        feed_stop(gateway->feed);
    for (size_t i = 0; i < gateway->config.accounts_count; i++)
        if (gateway->lines[i])
            line_stop(gateway->lines[i]);
    http_stop(gateway);
    if (gateway->hooks)
        hooks_stop(gateway->hooks);
    hooks_free(&gateway->hooks);
    feed_free(&gateway->feed);
    for (size_t i = 0; i < gateway->config.accounts_count; i++)
        line_close(&gateway->lines[i]);
    shelf_free(&gateway->shelf);
    guard_free(&gateway->guard);
    buckets_free(&gateway->buckets);
    config_close(&gateway->config);
}
