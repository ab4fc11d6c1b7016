/* hook.c - see hook.h. The signature is checked by the words of the standard, not by the gateway's code. */
#include "hook.h"

#include <microhttpd.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { DELIVERIES_MAX = 256 };

struct hook {
    struct MHD_Daemon *daemon;
    char url[64], location[128];
    unsigned status;
    bool holds;
    struct MHD_Connection *held[DELIVERIES_MAX];
    size_t held_count;
    pthread_mutex_t lock;
    pthread_cond_t news;
    struct delivery at[DELIVERIES_MAX];
    size_t count;
};

struct upload {
    char *data;
    size_t size;
    bool kept;
};

static void header_take(struct MHD_Connection *c, const char *name, char *ret, size_t size) {
    const char *value = MHD_lookup_connection_value(c, MHD_HEADER_KIND, name);
    snprintf(ret, size, "%s", value ? value : "");
}

static void delivery_keep(struct hook *hook, struct MHD_Connection *c, struct upload *upload) {
    char timestamp[32];
    pthread_mutex_lock(&hook->lock);
    if (hook->count < DELIVERIES_MAX) {
        struct delivery *d = &hook->at[hook->count++];
        header_take(c, "webhook-id", d->id, sizeof d->id);
        header_take(c, "webhook-signature", d->signature, sizeof d->signature);
        header_take(c, "webhook-timestamp", timestamp, sizeof timestamp);
        header_take(c, "User-Agent", d->agent, sizeof d->agent);
        header_take(c, "Content-Type", d->type, sizeof d->type);
        d->timestamp = atoll(timestamp);
        d->body = upload->data ? upload->data : strdup("");
        d->json = json_loads(d->body, 0, NULL);
        upload->data = NULL;
        pthread_cond_broadcast(&hook->news);
    }
    upload->kept = true;
    if (hook->holds && hook->held_count < DELIVERIES_MAX) {
        hook->held[hook->held_count++] = c;
        MHD_suspend_connection(c);
    }
    pthread_mutex_unlock(&hook->lock);
}

/* 0: it is held, and this is asked again. */
static unsigned delivery_status(struct hook *hook, const struct MHD_Connection *c) {
    pthread_mutex_lock(&hook->lock);
    unsigned status = hook->status;
    for (size_t i = 0; i < hook->held_count; i++)
        if (hook->held[i] == c)
            status = 0;
    pthread_mutex_unlock(&hook->lock);
    return status;
}

static enum MHD_Result on_call(void *arg, struct MHD_Connection *c, const char *url, const char *method,
                               const char *version, const char *data, size_t *size, void **context) {
    struct hook *hook = arg;
    struct upload *upload = *context;
    (void)url, (void)method, (void)version;
    if (!upload) {
        *context = calloc(1, sizeof *upload);
        return MHD_YES;
    }
    if (*size) {
        upload->data = realloc(upload->data, upload->size + *size + 1);
        memcpy(upload->data + upload->size, data, *size);
        upload->size += *size;
        upload->data[upload->size] = '\0';
        *size = 0;
        return MHD_YES;
    }
    if (!upload->kept)
        delivery_keep(hook, c, upload);
    unsigned status = delivery_status(hook, c);
    if (!status)
        return MHD_YES;
    struct MHD_Response *response = MHD_create_response_from_buffer(2, "ok", MHD_RESPMEM_PERSISTENT);
    if (hook->location[0])
        MHD_add_response_header(response, "Location", hook->location);
    enum MHD_Result queued = MHD_queue_response(c, status, response);
    MHD_destroy_response(response);
    return queued;
}

static void on_done(void *arg, struct MHD_Connection *c, void **context,
                    enum MHD_RequestTerminationCode how) {
    struct upload *upload = *context;
    (void)arg, (void)c, (void)how;
    if (upload)
        free(upload->data);
    free(upload);
}

static void hook_free(void *arg) {
    struct hook *hook = arg;
    hook_hold(hook, false);
    MHD_stop_daemon(hook->daemon);
    for (size_t i = 0; i < hook->count; i++) {
        free(hook->at[i].body);
        json_decref(hook->at[i].json);
    }
    free(hook);
}

struct hook *hook_open(void) {
    struct hook *hook = calloc(1, sizeof *hook);
    assert_non_null(hook);
    pthread_mutex_init(&hook->lock, NULL);
    pthread_cond_init(&hook->news, NULL);
    hook->status = 200;
    hook->daemon =
        MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_call,
                         hook, MHD_OPTION_NOTIFY_COMPLETED, on_done, NULL, MHD_OPTION_END);
    assert_non_null(hook->daemon);
    snprintf(hook->url, sizeof hook->url, "http://127.0.0.1:%u/hook",
             MHD_get_daemon_info(hook->daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
    gate_register(hook, hook_free);
    return hook;
}

const char *hook_url(const struct hook *hook) {
    return hook->url;
}

void hook_answer(struct hook *hook, unsigned status, const char *location) {
    pthread_mutex_lock(&hook->lock);
    hook->status = status;
    snprintf(hook->location, sizeof hook->location, "%s", location ? location : "");
    pthread_mutex_unlock(&hook->lock);
}

void hook_hold(struct hook *hook, bool holds) {
    pthread_mutex_lock(&hook->lock);
    hook->holds = holds;
    while (!holds && hook->held_count)
        MHD_resume_connection(hook->held[--hook->held_count]);
    pthread_mutex_unlock(&hook->lock);
}

const struct delivery *hook_take(struct hook *hook, size_t count) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += WAIT_MS / 1000;
    pthread_mutex_lock(&hook->lock);
    int late = 0;
    while (hook->count < count && !late)
        late = pthread_cond_timedwait(&hook->news, &hook->lock, &until);
    size_t came = hook->count;
    pthread_mutex_unlock(&hook->lock);
    if (came < count)
        fail_msg("delivery %zu did not come; %zu did", count, came);
    return &hook->at[count - 1];
}

size_t hook_count(struct hook *hook) {
    pthread_mutex_lock(&hook->lock);
    size_t count = hook->count;
    pthread_mutex_unlock(&hook->lock);
    return count;
}

bool delivery_is_signed(const struct delivery *d) {
    uint8_t key[64], hash[crypto_auth_hmacsha256_BYTES];
    size_t key_size;
    char wanted[80] = "v1,", start[128];
    crypto_auth_hmacsha256_state state;
    assert_int_equal(sodium_base642bin(key, sizeof key, HOOK_SECRET + 6, strlen(HOOK_SECRET) - 6, NULL,
                                       &key_size, NULL, sodium_base64_VARIANT_ORIGINAL),
                     0);
    snprintf(start, sizeof start, "%s.%lld.", d->id, d->timestamp);
    crypto_auth_hmacsha256_init(&state, key, key_size);
    crypto_auth_hmacsha256_update(&state, (const uint8_t *)start, strlen(start));
    crypto_auth_hmacsha256_update(&state, (const uint8_t *)d->body, strlen(d->body));
    crypto_auth_hmacsha256_final(&state, hash);
    sodium_bin2base64(wanted + 3, sizeof wanted - 3, hash, sizeof hash, sodium_base64_VARIANT_ORIGINAL);
    return strcmp(wanted, d->signature) == 0;
}
