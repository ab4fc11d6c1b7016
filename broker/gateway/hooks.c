/* hooks.c - see hooks.h. */
#include "hooks.h"
#include "codec.h"
#include "hookstore.h"
#include "log.h"
#include "request.h"
#include "route.h"
#include "view.h"

#include <curl/curl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SENDING_MAX = 8,   /* at once to one endpoint */
    FAILING_AFTER = 3, /* failures in a row; then one at a time */
    CONNECT_MS = 5000,
    ANSWER_MAX = 64 * 1024, /* bytes of an answer that are read at all */
    WAIT_MS = 1000,
    SHOWN_MAX = 50, /* messages in GET /v1/webhooks */
    HEADERS_ROOM = 256,
    STATUS_GONE = 410,
};

/* The standard's own pauses. */
static const int64_t pauses_s[] = {5,         5 * 60,    30 * 60,   2 * 3600,  5 * 3600,
                                   10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600, 24 * 3600};
enum { PAUSES = sizeof pauses_s / sizeof pauses_s[0] };

struct message {
    uint64_t number;
    est_id id;
    int64_t due_us;
    uint32_t attempts;
    bool sending;
};

/* A message that is not on disk yet. */
struct arrival {
    struct arrival *next;
    struct endpoint *endpoint;
    struct line *line;
    struct hook_record record;
    char *payload;
    bool known; /* it is in the queue already */
};

struct endpoint {
    const struct account_config *config; /* NULL url: this account has none */
    struct message *heap;                /* the soonest first; what is being sent is not in it */
    size_t count, room;
    struct arrival *waiting, **waiting_end; /* not on disk, not acknowledged; the thread's own */
    bool is_full;                           /* and the log says so */
    unsigned sending, failures;
    uint64_t delivered, failed;
    est_time disabled, disabled_saved; /* as it is, as it is on disk */
    est_time last_success, last_failure;
    int last_status;
    char last_error[HOOK_ERROR_SIZE];
};

struct sending {
    struct sending *next;
    struct endpoint *endpoint;
    struct message message;
    CURL *curl;
    struct curl_slist *headers;
    char *payload;
    size_t answered;
    struct hook_record record;
    /* how it ended */
    bool over, gone; /* gone: there is no such message any more */
    long status;
    char error[CURL_ERROR_SIZE];
};

struct hooks {
    struct gateway *gateway;
    struct hookstore *store;
    CURLM *multi;
    pthread_t thread;
    bool started;
    pthread_mutex_t lock; /* inbox, endpoints' figures and heaps, stopping */
    struct arrival *inbox, **inbox_end;
    struct endpoint endpoints[ACCOUNTS_MAX];
    struct sending *sendings; /* the thread's own */
    bool stopping;
};

/* --- A heap of messages by the time they are due ----------------------------------------------- */

static void heap_swap(struct message *a, struct message *b) {
    struct message c = *a;
    *a = *b;
    *b = c;
}

static bool heap_push(struct endpoint *e, const struct message *m) {
    if (e->count == e->room) {
        size_t room = e->room ? e->room * 2 : 64;
        struct message *grown = realloc(e->heap, room * sizeof *grown);
        if (!grown)
            return false;
        e->heap = grown;
        e->room = room;
    }
    size_t at = e->count++;
    e->heap[at] = *m;
    for (; at && e->heap[(at - 1) / 2].due_us > e->heap[at].due_us; at = (at - 1) / 2)
        heap_swap(&e->heap[at], &e->heap[(at - 1) / 2]);
    return true;
}

static void heap_sink(struct endpoint *e, size_t at) {
    for (;;) {
        size_t least = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2; child++)
            if (child < e->count && e->heap[child].due_us < e->heap[least].due_us)
                least = child;
        if (least == at)
            return;
        heap_swap(&e->heap[at], &e->heap[least]);
        at = least;
    }
}

static struct message heap_pop(struct endpoint *e) {
    struct message first = e->heap[0];
    e->heap[0] = e->heap[--e->count];
    heap_sink(e, 0);
    return first;
}

/* --- Results come in --------------------------------------------------------------------------- */

static char *payload_make(const est_event *event) {
    json_t *data = view_ended(event);
    json_t *json = json_pack("{s:s, s:o, s:o}", "type", "inquiry.ended", "timestamp",
                             view_time(event->ended.us ? event->ended : gateway_now()), "data", data);
    char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
    json_decref(json);
    return text;
}

bool hooks_result(void *arg, struct line *line, const est_event *event) {
    struct hooks *hooks = arg;
    const struct account_config *account = line_config(line);
    if (!account->webhook_url)
        return true;
    struct arrival *arrival = calloc(1, sizeof *arrival);
    char *payload = arrival ? payload_make(event) : NULL;
    if (!payload) { /* not acknowledged: the broker sends it again on the next connection */
        free(arrival);
        return false;
    }
    arrival->endpoint = &hooks->endpoints[account - hooks->gateway->config.accounts];
    arrival->line = line;
    arrival->payload = payload;
    arrival->record = (struct hook_record){
        .number = event->number, .id = event->id, .created = gateway_now(), .payload = slice_of(payload)};
    arrival->record.due = arrival->record.created;
    snprintf(arrival->record.account, sizeof arrival->record.account, "%s", account->name);
    pthread_mutex_lock(&hooks->lock);
    bool first = !hooks->inbox;
    *hooks->inbox_end = arrival;
    hooks->inbox_end = &arrival->next;
    pthread_mutex_unlock(&hooks->lock);
    if (first)
        curl_multi_wakeup(hooks->multi);
    return false;
}

static void arrival_free(struct arrival *arrival) {
    free(arrival->payload);
    free(arrival);
}

static void arrivals_free(struct arrival *first) {
    for (struct arrival *a = first, *next; a; a = next) {
        next = a->next;
        arrival_free(a);
    }
}

static struct arrival *inbox_take(struct hooks *hooks) {
    pthread_mutex_lock(&hooks->lock);
    struct arrival *first = hooks->inbox;
    hooks->inbox = NULL;
    hooks->inbox_end = &hooks->inbox;
    pthread_mutex_unlock(&hooks->lock);
    return first;
}

static bool arrival_waits(const struct arrival *arrival) {
    for (const struct arrival *a = arrival->endpoint->waiting; a; a = a->next)
        if (a->record.number == arrival->record.number &&
            memcmp(&a->record.id, &arrival->record.id, sizeof a->record.id) == 0)
            return true;
    return false;
}

/* Behind what waits already for its endpoint. To a full one each new session brings all of it again. */
static void arrivals_wait(struct arrival *first) {
    for (struct arrival *a = first, *next; a; a = next) {
        struct endpoint *e = a->endpoint;
        next = a->next;
        if (e->is_full && arrival_waits(a)) {
            arrival_free(a);
            continue;
        }
        a->next = NULL;
        *e->waiting_end = a;
        e->waiting_end = &a->next;
    }
}

/* Full when something waits, until half of it is delivered: the log need not tell each message. */
static void fullness_look(struct endpoint *e, int64_t most) {
    if (!e->waiting) {
        e->is_full = e->is_full && (int64_t)e->count > most / 2;
        return;
    }
    if (!e->is_full)
        log_line(LOG_LEVEL_WARNING,
                 "webhook of %s: %lld messages are not delivered; further results stay with the broker, "
                 "unacknowledged; when its receiver is mended: POST /v1/webhooks/%s/retry",
                 e->config->name, (long long)most, e->config->name);
    e->is_full = true;
}

/* As many as each endpoint has room for. */
static struct arrival *arrivals_take(struct hooks *hooks) {
    struct arrival *first = NULL, **end = &first;
    int64_t most = hooks->gateway->config.limits.webhook_messages;
    for (size_t i = 0; i < hooks->gateway->config.accounts_count; i++) {
        struct endpoint *e = &hooks->endpoints[i];
        for (int64_t room = most - (int64_t)(e->count + e->sending); room > 0 && e->waiting; room--) {
            *end = e->waiting;
            end = &e->waiting->next;
            e->waiting = *end;
        }
        if (!e->waiting)
            e->waiting_end = &e->waiting;
        fullness_look(e, most);
    }
    *end = NULL;
    return first;
}

static bool arrivals_write(struct hooks *hooks, struct arrival *first) {
    if (hookstore_begin(hooks->store))
        return false;
    for (struct arrival *a = first; a; a = a->next) {
        int code = hookstore_put_new(hooks->store, &a->record);
        a->known = code == -EST_CONFLICT;
        if (code && !a->known) {
            hookstore_abort(hooks->store);
            return false;
        }
    }
    return hookstore_commit(hooks->store) == 0;
}

/* On disk, then acknowledged, then in the queue. One that came twice is in the queue already. What could
 * not be written waits: it is not acknowledged, and nothing is lost. */
static void inbox_store(struct hooks *hooks) {
    arrivals_wait(inbox_take(hooks));
    struct arrival *first = arrivals_take(hooks);
    if (!first)
        return;
    if (!arrivals_write(hooks, first)) {
        arrivals_wait(first);
        return;
    }
    pthread_mutex_lock(&hooks->lock);
    for (struct arrival *a = first, *next; a; a = next) {
        next = a->next;
        struct message m = {.number = a->record.number, .id = a->record.id, .due_us = a->record.due.us};
        if (!a->known)
            heap_push(a->endpoint, &m);
        line_ack(a->line, m.number);
        arrival_free(a);
    }
    pthread_mutex_unlock(&hooks->lock);
}

/* --- Sending ----------------------------------------------------------------------------------- */

static size_t answer_pass(char *data, size_t size, size_t count, void *arg) {
    struct sending *s = arg;
    (void)data;
    s->answered += size * count;
    return s->answered > ANSWER_MAX ? 0 : size * count;
}

static void message_name(const est_id *id, char ret[40]) {
    char hex[33];
    sodium_bin2hex(hex, sizeof hex, id->bytes, sizeof id->bytes);
    snprintf(ret, 40, "msg_%s", hex);
}

/* v1,base64(HMAC-SHA256(key, "id.timestamp.payload")) */
static void signature_make(const struct account_config *account, const char *id, long long timestamp,
                           est_slice payload, char ret[64]) {
    crypto_auth_hmacsha256_state state;
    uint8_t hash[crypto_auth_hmacsha256_BYTES];
    char start[80];
    int size = snprintf(start, sizeof start, "%s.%lld.", id, timestamp);
    crypto_auth_hmacsha256_init(&state, account->webhook_key, account->webhook_key_size);
    crypto_auth_hmacsha256_update(&state, (const uint8_t *)start, (unsigned long long)size);
    crypto_auth_hmacsha256_update(&state, payload.data, payload.size);
    crypto_auth_hmacsha256_final(&state, hash);
    memcpy(ret, "v1,", 3);
    sodium_bin2base64(ret + 3, 61, hash, sizeof hash, sodium_base64_VARIANT_ORIGINAL);
}

static struct curl_slist *sending_headers(const struct sending *s) {
    char id[40], signature[64], line[HEADERS_ROOM];
    long long timestamp = gateway_now().us / EST_US_PER_S;
    struct curl_slist *list = curl_slist_append(NULL, "Content-Type: application/json");
    message_name(&s->message.id, id);
    signature_make(s->endpoint->config, id, timestamp, s->record.payload, signature);
    snprintf(line, sizeof line, "webhook-id: %s", id);
    list = curl_slist_append(list, line);
    snprintf(line, sizeof line, "webhook-timestamp: %lld", timestamp);
    list = curl_slist_append(list, line);
    snprintf(line, sizeof line, "webhook-signature: %s", signature);
    list = curl_slist_append(list, line);
    return curl_slist_append(list, "Expect:");
}

static void sending_free(struct sending *s) {
    if (s->curl)
        curl_easy_cleanup(s->curl);
    curl_slist_free_all(s->headers);
    free(s->payload);
    free(s);
}

static bool sending_open(struct hooks *hooks, struct sending *s) {
    void *payload = NULL;
    int code = hookstore_get(hooks->store, &s->record, &s->record, &payload);
    s->gone = code == -EST_NOT_FOUND;
    if (code)
        return false;
    s->payload = payload;
    s->curl = curl_easy_init();
    s->headers = s->curl ? sending_headers(s) : NULL;
    if (!s->headers)
        return false;
    curl_easy_setopt(s->curl, CURLOPT_PRIVATE, s);
    curl_easy_setopt(s->curl, CURLOPT_URL, s->endpoint->config->webhook_url);
    curl_easy_setopt(s->curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(s->curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(s->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(s->curl, CURLOPT_TIMEOUT_MS,
                     (long)(hooks->gateway->config.limits.webhook_answer / EST_US_PER_MS));
    curl_easy_setopt(s->curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    curl_easy_setopt(s->curl, CURLOPT_USERAGENT, "estelam-gateway/" ESTELAM_VERSION);
    curl_easy_setopt(s->curl, CURLOPT_HTTPHEADER, s->headers);
    curl_easy_setopt(s->curl, CURLOPT_POSTFIELDS, s->payload);
    curl_easy_setopt(s->curl, CURLOPT_POSTFIELDSIZE, (long)s->record.payload.size);
    curl_easy_setopt(s->curl, CURLOPT_WRITEFUNCTION, answer_pass);
    curl_easy_setopt(s->curl, CURLOPT_WRITEDATA, s);
    curl_easy_setopt(s->curl, CURLOPT_ERRORBUFFER, s->error);
    return curl_multi_add_handle(hooks->multi, s->curl) == CURLM_OK;
}

static void message_send(struct hooks *hooks, struct endpoint *e) {
    struct sending *s = calloc(1, sizeof *s);
    struct message m = heap_pop(e);
    if (!s) {
        heap_push(e, &m); /* there is room: it was taken out just now */
        return;
    }
    s->endpoint = e;
    s->message = m;
    s->record = (struct hook_record){.number = m.number, .id = m.id};
    snprintf(s->record.account, sizeof s->record.account, "%s", e->config->name);
    e->sending++;
    s->next = hooks->sendings;
    hooks->sendings = s;
    if (!sending_open(hooks, s)) {
        snprintf(s->error, sizeof s->error, "the message cannot be read or sent");
        s->over = true;
    }
}

static bool endpoint_may_send(const struct endpoint *e, int64_t now_us) {
    unsigned most = e->failures >= FAILING_AFTER ? 1 : SENDING_MAX;
    return e->count && !e->disabled.us && e->sending < most && e->heap[0].due_us <= now_us;
}

static void due_send(struct hooks *hooks) {
    int64_t now = gateway_now().us;
    pthread_mutex_lock(&hooks->lock);
    for (size_t i = 0; i < hooks->gateway->config.accounts_count && !hooks->stopping; i++)
        for (unsigned n = 0; n < SENDING_MAX && endpoint_may_send(&hooks->endpoints[i], now); n++)
            message_send(hooks, &hooks->endpoints[i]);
    pthread_mutex_unlock(&hooks->lock);
}

/* --- How it ended ------------------------------------------------------------------------------ */

int64_t hooks_pause(const struct account_config *account, uint32_t attempts) {
    size_t count = account->retries_count ? account->retries_count : PAUSES;
    if (attempts > count)
        return -1;
    int64_t us =
        account->retries_count ? account->retries[attempts - 1].us : pauses_s[attempts - 1] * EST_US_PER_S;
    int64_t tenth = us / 10;
    uint64_t draw; /* 32 bits would be 72 minutes of microseconds */
    randombytes_buf(&draw, sizeof draw);
    return us - tenth + (tenth ? (int64_t)(draw % (uint64_t)(2 * tenth)) : 0);
}

static void error_note(struct endpoint *e, struct sending *s) {
    if (s->status)
        snprintf(e->last_error, sizeof e->last_error, "the answer was %ld", s->status);
    else
        snprintf(e->last_error, sizeof e->last_error, "%.*s", HOOK_ERROR_SIZE - 1,
                 s->error[0] ? s->error : "no answer");
    text_trim(e->last_error);
    e->last_status = (int)s->status;
    e->last_failure = gateway_now();
    memcpy(s->record.last_error, e->last_error, sizeof s->record.last_error);
    s->record.last_status = e->last_status;
}

static void endpoint_disable(struct endpoint *e) {
    if (e->disabled.us)
        return;
    e->disabled = gateway_now();
    log_line(LOG_LEVEL_ERROR,
             "webhook of %s is disabled: %s; its messages are kept: POST /v1/webhooks/%s/retry",
             e->config->name, e->last_error, e->config->name);
}

/* Inside the store's transaction. */
static void sending_failed(struct hooks *hooks, struct sending *s) {
    struct endpoint *e = s->endpoint;
    struct message m = s->message;
    e->failed++;
    e->failures++;
    error_note(e, s);
    int64_t pause = hooks_pause(e->config, ++m.attempts);
    if (pause < 0 || s->status == STATUS_GONE)
        endpoint_disable(e);
    m.due_us = gateway_now().us + (pause < 0 ? 0 : pause);
    s->record.attempts = m.attempts;
    s->record.due.us = m.due_us;
    if (s->payload)
        hookstore_put(hooks->store, &s->record);
    heap_push(e, &m);
}

static void sending_succeeded(struct hooks *hooks, struct sending *s) {
    struct endpoint *e = s->endpoint;
    e->delivered++;
    e->failures = 0;
    e->last_success = gateway_now();
    e->last_status = (int)s->status;
    hookstore_drop(hooks->store, &s->record);
}

static void sending_end(struct hooks *hooks, struct sending *s) {
    s->endpoint->sending--;
    if (s->gone)
        log_line(LOG_LEVEL_ERROR, "webhook of %s: the message of inquiry %llu cannot be read and is dropped",
                 s->endpoint->config->name, (unsigned long long)s->message.number);
    else if (s->status >= 200 && s->status < 300)
        sending_succeeded(hooks, s);
    else
        sending_failed(hooks, s);
}

static void transfers_look(struct hooks *hooks) {
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(hooks->multi, &left)) != NULL) {
        struct sending *s = NULL;
        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&s);
        curl_easy_getinfo(message->easy_handle, CURLINFO_RESPONSE_CODE, &s->status);
        curl_multi_remove_handle(hooks->multi, message->easy_handle);
        s->over = true;
    }
}

/* All that ended by now, in one transaction. A commit that fails sends again what had been delivered:
 * at least once. */
static void ended_take(struct hooks *hooks) {
    struct sending **at = &hooks->sendings;
    bool any = false;
    for (struct sending *s = hooks->sendings; s; s = s->next)
        any = any || s->over;
    if (!any || hookstore_begin(hooks->store))
        return;
    pthread_mutex_lock(&hooks->lock);
    while (*at) {
        struct sending *s = *at;
        if (!s->over) {
            at = &s->next;
            continue;
        }
        *at = s->next;
        sending_end(hooks, s);
        sending_free(s);
    }
    pthread_mutex_unlock(&hooks->lock);
    hookstore_commit(hooks->store);
}

/* Disabled here, enabled by handle_webhook_retry: what changed goes to disk from this thread, the
 * store's only writer. */
static void endpoints_save(struct hooks *hooks) {
    for (size_t i = 0; i < hooks->gateway->config.accounts_count; i++) {
        struct endpoint *e = &hooks->endpoints[i];
        pthread_mutex_lock(&hooks->lock);
        est_time disabled = e->disabled;
        pthread_mutex_unlock(&hooks->lock);
        if (disabled.us == e->disabled_saved.us || hookstore_begin(hooks->store))
            continue;
        if (hookstore_disable(hooks->store, e->config->name, disabled) == 0 &&
            hookstore_commit(hooks->store) == 0)
            e->disabled_saved = disabled;
        else
            hookstore_abort(hooks->store);
    }
}

/* --- The thread -------------------------------------------------------------------------------- */

/* Until something is due, at most a second. */
static int wait_ms(struct hooks *hooks) {
    int64_t now = gateway_now().us, ms = WAIT_MS;
    pthread_mutex_lock(&hooks->lock);
    for (size_t i = 0; i < hooks->gateway->config.accounts_count; i++) {
        const struct endpoint *e = &hooks->endpoints[i];
        if (e->count && !e->disabled.us && e->sending < SENDING_MAX) {
            int64_t left = (e->heap[0].due_us - now) / EST_US_PER_MS + 1;
            if (e->failures >= FAILING_AFTER && e->sending)
                continue;
            ms = left < 0 ? 0 : left < ms ? left : ms;
        }
    }
    pthread_mutex_unlock(&hooks->lock);
    return (int)ms;
}

static void *hooks_run(void *arg) {
    struct hooks *hooks = arg;
    int running;
    for (bool stopping = false; !stopping;) {
        inbox_store(hooks);
        due_send(hooks);
        curl_multi_perform(hooks->multi, &running);
        transfers_look(hooks);
        ended_take(hooks);
        endpoints_save(hooks);
        curl_multi_poll(hooks->multi, NULL, 0, wait_ms(hooks), NULL);
        pthread_mutex_lock(&hooks->lock);
        stopping = hooks->stopping;
        pthread_mutex_unlock(&hooks->lock);
    }
    return NULL;
}

/* --- Its life ---------------------------------------------------------------------------------- */

static struct endpoint *endpoint_of(struct hooks *hooks, const char *account) {
    int at = config_account(&hooks->gateway->config, slice_of(account));
    return at >= 0 && hooks->endpoints[at].config->webhook_url ? &hooks->endpoints[at] : NULL;
}

static int message_load(void *arg, const struct hook_record *record) {
    struct hooks *hooks = arg;
    struct endpoint *e = endpoint_of(hooks, record->account);
    struct message m = {
        .number = record->number, .id = record->id, .due_us = record->due.us, .attempts = record->attempts};
    return !e || heap_push(e, &m) ? 0 : -EST_NO_MEMORY;
}

static bool webhooks_wanted(const struct config *config) {
    for (size_t i = 0; i < config->accounts_count; i++)
        if (config->accounts[i].webhook_url)
            return true;
    return false;
}

static int hooks_fill(struct hooks *hooks) {
    const struct config *config = &hooks->gateway->config;
    int code = hookstore_open(config->state, &hooks->store);
    if (code)
        return code;
    for (size_t i = 0; i < config->accounts_count; i++) {
        struct endpoint *e = &hooks->endpoints[i];
        e->config = &config->accounts[i];
        e->waiting_end = &e->waiting;
        e->disabled = e->disabled_saved = hookstore_disabled(hooks->store, config->accounts[i].name);
    }
    hooks->multi = curl_multi_init();
    return hooks->multi ? hookstore_each(hooks->store, message_load, hooks) : -EST_NO_MEMORY;
}

int hooks_new(struct gateway *gateway, struct hooks **ret) {
    *ret = NULL;
    if (!webhooks_wanted(&gateway->config))
        return 0;
    struct hooks *hooks = calloc(1, sizeof *hooks);
    if (!hooks)
        return -EST_NO_MEMORY;
    hooks->gateway = gateway;
    hooks->inbox_end = &hooks->inbox;
    pthread_mutex_init(&hooks->lock, NULL);
    int code = hooks_fill(hooks);
    if (code)
        hooks_free(&hooks);
    *ret = hooks;
    return code;
}

int hooks_start(struct hooks *hooks) {
    hooks->started = pthread_create(&hooks->thread, NULL, hooks_run, hooks) == 0;
    return hooks->started ? 0 : -EST_IO;
}

/* What is on its way is cut and sent again after the next start. */
void hooks_stop(struct hooks *hooks) {
    pthread_mutex_lock(&hooks->lock);
    hooks->stopping = true;
    pthread_mutex_unlock(&hooks->lock);
    curl_multi_wakeup(hooks->multi);
    if (hooks->started)
        pthread_join(hooks->thread, NULL);
    hooks->started = false;
}

void hooks_free(struct hooks **hooks) {
    struct hooks *h = *hooks;
    if (!h)
        return;
    for (struct sending *s = h->sendings, *next; s; s = next) {
        next = s->next;
        if (s->curl)
            curl_multi_remove_handle(h->multi, s->curl);
        sending_free(s);
    }
    arrivals_free(h->inbox);
    for (size_t i = 0; i < ACCOUNTS_MAX; i++) {
        arrivals_free(h->endpoints[i].waiting);
        free(h->endpoints[i].heap);
    }
    if (h->multi)
        curl_multi_cleanup(h->multi);
    hookstore_close(&h->store);
    pthread_mutex_destroy(&h->lock);
    free(h);
    *hooks = NULL;
}

/* --- Endpoints --------------------------------------------------------------------------------- */

static json_t *message_json(const struct message *m) {
    char id[40];
    message_name(&m->id, id);
    return json_pack("{s:s, s:I, s:I, s:o}", "id", id, "number", (json_int_t)m->number, "attempts",
                     (json_int_t)m->attempts, "next_at", view_time((est_time){m->due_us}));
}

static json_t *endpoint_json(const struct endpoint *e) {
    json_t *messages = json_array();
    for (size_t i = 0; i < e->count && i < SHOWN_MAX; i++)
        json_array_append_new(messages, message_json(&e->heap[i]));
    const char *state = e->disabled.us ? "disabled" : e->failures ? "failing" : "active";
    return json_pack("{s:s, s:s, s:s, s:o, s:I, s:I, s:I, s:o, s:o, s:o, s:o, s:o}", "id", e->config->name,
                     "url", e->config->webhook_url, "state", state, "disabled_at", view_time(e->disabled),
                     "queued", (json_int_t)(e->count + e->sending), "delivered", (json_int_t)e->delivered,
                     "failed", (json_int_t)e->failed, "last_success_at", view_time(e->last_success),
                     "last_failure_at", view_time(e->last_failure), "last_status",
                     e->last_status ? json_integer(e->last_status) : json_null(), "last_error",
                     e->last_error[0] ? json_string(e->last_error) : json_null(), "messages", messages);
}

/* A requester sees its own; an operator all of them. */
static bool endpoint_is_seen(const struct request *r, const struct endpoint *e) {
    return e->config && e->config->webhook_url &&
           (line_role(r->line) == ROLE_OPERATOR_BIT || strcmp(e->config->name, line_account(r->line)) == 0);
}

void handle_webhooks(struct request *r) {
    struct hooks *hooks = r->gateway->hooks;
    json_t *rows = json_array();
    if (hooks) {
        pthread_mutex_lock(&hooks->lock);
        for (size_t i = 0; i < r->gateway->config.accounts_count; i++)
            if (endpoint_is_seen(r, &hooks->endpoints[i]))
                json_array_append_new(rows, endpoint_json(&hooks->endpoints[i]));
        pthread_mutex_unlock(&hooks->lock);
    }
    request_reply(r, MHD_HTTP_OK, json_pack("{s:o, s:n}", "rows", rows, "next"));
}

/* All of an endpoint's messages, or one: due now, as if for the first time. The record on disk keeps
 * its older date until the next attempt, and a restart before that is no harm. */
static size_t endpoint_retry(struct endpoint *e, const char *id) {
    size_t count = 0;
    for (size_t i = 0; i < e->count; i++) {
        char name[40];
        message_name(&e->heap[i].id, name);
        if (id && strcmp(id, name) != 0)
            continue;
        e->heap[i].due_us = 0;
        e->heap[i].attempts = 0;
        count++;
    }
    for (size_t i = e->count / 2; i-- > 0;)
        heap_sink(e, i);
    return count;
}

static bool retry_one(struct request *r, struct endpoint *e, size_t *ret_count) {
    bool whole = strcmp(e->config->name, r->arguments[0]) == 0;
    size_t count = endpoint_retry(e, whole ? NULL : r->arguments[0]);
    if (!whole && !count)
        return false;
    if (whole || e->disabled.us)
        e->failures = 0;
    e->disabled.us = 0;
    *ret_count = count;
    return true;
}

void handle_webhook_retry(struct request *r) {
    struct hooks *hooks = r->gateway->hooks;
    size_t count = 0;
    bool found = false;
    if (hooks) {
        pthread_mutex_lock(&hooks->lock);
        for (size_t i = 0; i < r->gateway->config.accounts_count && !found; i++)
            if (endpoint_is_seen(r, &hooks->endpoints[i]))
                found = retry_one(r, &hooks->endpoints[i], &count);
        pthread_mutex_unlock(&hooks->lock);
        curl_multi_wakeup(hooks->multi);
    }
    if (found)
        request_reply(r, MHD_HTTP_ACCEPTED, json_pack("{s:I}", "retrying", (json_int_t)count));
    else
        request_problem(r, GW_NO_WEBHOOK, "%s", "");
}
