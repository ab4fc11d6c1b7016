/* line.c - see line.h. */
#include "line.h"
#include "log.h"
#include "problem.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum {
    SLOTS_MAX = 1 << 16,
    BUCKETS = 1 << 13,
    EVENTS_PER_TURN = 512, /* before new asks are looked at again */
    SWEEP_MS = 50,         /* how late a timeout may be told */
    GRACE_MS = 3000,       /* a broker that restarts is waited for; one that is gone is told at once */
    RETRY_FIRST_MS = 50,
    RETRY_MAX_MS = 2000, /* between attempts to connect */
    WINDOW = 4096,
};

enum ask_state { ASK_WAITING, ASK_SENT, ASK_AWAITING };

/* A doubly linked list of asks, in the order in which they came. */
struct list {
    struct ask *first, *last;
    size_t count;
};

struct acks {
    uint64_t *at;
    size_t count, room;
};

struct line {
    const struct config *config;
    const struct account_config *account;
    est_client *client;
    line_result_call result;
    void *result_arg;
    pthread_t thread;
    bool started;
    int wake_fd, client_fd;

    pthread_mutex_t lock; /* guards the four below */
    struct list inbox;
    struct acks acks;
    bool stopping, woken;

    /* The thread's own. */
    struct list waiting;          /* the client had no room */
    struct list out;              /* sent or awaited */
    struct ask *slots[SLOTS_MAX]; /* asks with a ref */
    uint32_t turns[SLOTS_MAX];
    uint32_t spare[SLOTS_MAX];
    size_t spare_count;
    struct ask *by_id[BUCKETS], *by_number[BUCKETS];
    struct acks acks_taken;
    int64_t swept_us;

    _Atomic bool up;
    _Atomic unsigned level;
    _Atomic int down_code;
    _Atomic int64_t down_since_us;
    _Atomic size_t pending; /* asks without `done` yet */
};

static int64_t ticks_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * EST_US_PER_S + t.tv_nsec / 1000;
}

/* --- Lists and tables -------------------------------------------------------------------------- */

static void list_push(struct list *list, struct ask *ask) {
    ask->next = NULL;
    ask->previous = list->last;
    *(list->last ? &list->last->next : &list->first) = ask;
    list->last = ask;
    list->count++;
}

static void list_remove(struct list *list, struct ask *ask) {
    *(ask->previous ? &ask->previous->next : &list->first) = ask->next;
    *(ask->next ? &ask->next->previous : &list->last) = ask->previous;
    list->count--;
}

static size_t id_bucket(const est_id *id) {
    uint64_t half[2];
    memcpy(half, id->bytes, sizeof half);
    return ((half[0] ^ half[1]) * 0x9E3779B97F4A7C15u) >> 51; /* 13 bits */
}

static size_t number_bucket(uint64_t number) {
    return number % BUCKETS;
}

static bool id_is_zero(const est_id *id) {
    static const est_id zero;
    return memcmp(id, &zero, sizeof zero) == 0;
}

static void chain_remove(struct ask **bucket, const struct ask *ask) {
    while (*bucket && *bucket != ask)
        bucket = &(*bucket)->chain;
    if (*bucket)
        *bucket = ask->chain;
}

/* Slot 0 is none, so that no ref is 0: that is what a submit's events carry. */
static uint64_t slot_take(struct line *line, struct ask *ask) {
    ask->slot = line->spare[--line->spare_count];
    line->slots[ask->slot] = ask;
    return (uint64_t)line->turns[ask->slot] << 32 | ask->slot;
}

static void slot_give(struct line *line, struct ask *ask) {
    if (!ask->slot)
        return;
    line->slots[ask->slot] = NULL;
    line->turns[ask->slot]++;
    line->spare[line->spare_count++] = ask->slot;
    ask->slot = 0;
}

static struct ask *slot_find(struct line *line, uint64_t ref) {
    uint32_t slot = (uint32_t)ref;
    return slot < SLOTS_MAX && line->turns[slot] == ref >> 32 ? line->slots[slot] : NULL;
}

/* --- The end of an ask ------------------------------------------------------------------------- */

static void ask_finish(struct line *line, struct ask *ask, const est_event *event) {
    atomic_fetch_sub(&line->pending, 1);
    ask->done(ask, event);
}

static void ask_refuse(struct line *line, struct ask *ask, int code) {
    const struct problem *problem = problem_of(code);
    est_event event = {
        .kind = EST_EVENT_REFUSED, .code = code, .layer = problem->layer, .retry = {EST_US_PER_S}};
    event.text = (est_slice){problem->title, strlen(problem->title)};
    ask_finish(line, ask, &event);
}

/* Out of every list and table that it is in. */
static void ask_detach(struct line *line, struct ask *ask) {
    if (ask->state == ASK_WAITING) {
        list_remove(&line->waiting, ask);
        return;
    }
    list_remove(&line->out, ask);
    slot_give(line, ask);
    if (ask->state == ASK_AWAITING)
        chain_remove(&line->by_number[number_bucket(ask->number)], ask);
    else if (!id_is_zero(&ask->id))
        chain_remove(&line->by_id[id_bucket(&ask->id)], ask);
}

static void ask_end(struct line *line, struct ask *ask, const est_event *event) {
    ask_detach(line, ask);
    ask_finish(line, ask, event);
}

/* --- Asking ------------------------------------------------------------------------------------ */

static void line_wake(struct line *line) {
    uint64_t one = 1;
    ssize_t wrote = write(line->wake_fd, &one, sizeof one);
    (void)wrote; /* a full counter is awake already */
}

/* A broker that has been away for longer than a restart takes is told at once. */
static int refusal_now(struct line *line) {
    if (line->stopping)
        return EST_CLOSED;
    if (!atomic_load(&line->up) && ticks_us() - atomic_load(&line->down_since_us) > GRACE_MS * EST_US_PER_MS)
        return EST_UNREACHABLE;
    return (int64_t)atomic_load(&line->pending) > line->config->limits.waiting ? GW_LINE_FULL : 0;
}

void line_ask(struct line *line, struct ask *ask) {
    ask->slot = 0;
    ask->until_us = ticks_us() + (ask->patience.us ? ask->patience.us : line->config->limits.broker);
    atomic_fetch_add(&line->pending, 1);
    pthread_mutex_lock(&line->lock);
    int refused = refusal_now(line);
    bool wake = !refused && !line->woken;
    if (!refused) {
        list_push(&line->inbox, ask);
        line->woken = true;
    }
    pthread_mutex_unlock(&line->lock);
    if (wake)
        line_wake(line);
    if (refused)
        ask_refuse(line, ask, refused);
}

void line_await(struct line *line, struct ask *ask, uint64_t number) {
    ask->slot = 0;
    ask->until_us = ticks_us() + ask->patience.us;
    ask->number = number;
    ask->state = ASK_AWAITING;
    atomic_fetch_add(&line->pending, 1);
    list_push(&line->out, ask);
    struct ask **bucket = &line->by_number[number_bucket(number)];
    ask->chain = *bucket;
    *bucket = ask;
}

void line_ack(struct line *line, uint64_t number) {
    bool wake = false;
    pthread_mutex_lock(&line->lock);
    struct acks *acks = &line->acks;
    if (acks->count == acks->room) {
        size_t room = acks->room ? acks->room * 2 : 256;
        uint64_t *grown = realloc(acks->at, room * sizeof *grown);
        if (grown) {
            acks->at = grown;
            acks->room = room;
        }
    }
    if (acks->count < acks->room) { /* without memory the result comes again, and so does this */
        acks->at[acks->count++] = number;
        wake = !line->woken;
        line->woken = true;
    }
    pthread_mutex_unlock(&line->lock);
    if (wake)
        line_wake(line);
}

/* --- The thread: sending ----------------------------------------------------------------------- */

/* Whatever a caller may get wrong was looked at before: what the library does not take is our own mistake. */
static int refusal_of(const struct line *line, int code) {
    if (code != EST_INPUT)
        return code;
    log_line(LOG_LEVEL_ERROR, "%s: a command was not as the protocol has it; this is the gateway's mistake",
             line->account->name);
    return GW_GATEWAY_FAULT;
}

/* True when it went out, or ended; false when the client has no room. */
static bool ask_send(struct line *line, struct ask *ask) {
    bool is_submit = !id_is_zero(&ask->id);
    if (!is_submit && line->spare_count == 0)
        return false;
    uint64_t ref = is_submit ? 0 : slot_take(line, ask);
    int code = ask->send(ask, line->client, ref);
    if (code == -EST_FULL) {
        slot_give(line, ask);
        return false;
    }
    list_remove(&line->waiting, ask);
    if (code) {
        slot_give(line, ask);
        ask_refuse(line, ask, refusal_of(line, -code));
        return true;
    }
    ask->state = ASK_SENT;
    list_push(&line->out, ask);
    if (is_submit) {
        struct ask **bucket = &line->by_id[id_bucket(&ask->id)];
        ask->chain = *bucket;
        *bucket = ask;
    }
    return true;
}

static void inbox_take(struct line *line) {
    pthread_mutex_lock(&line->lock);
    struct list taken = line->inbox;
    struct acks acks = line->acks;
    line->inbox = (struct list){0};
    line->acks = line->acks_taken;
    line->acks.count = 0;
    line->acks_taken = acks;
    line->woken = false;
    pthread_mutex_unlock(&line->lock);
    for (struct ask *ask = taken.first, *next; ask; ask = next) {
        next = ask->next;
        ask->state = ASK_WAITING;
        list_push(&line->waiting, ask);
    }
    for (size_t i = 0; i < line->acks_taken.count; i++)
        est_client_ack(line->client, line->acks_taken.at[i]);
}

static void waiting_send(struct line *line) {
    while (line->waiting.first && ask_send(line, line->waiting.first))
        continue;
}

/* --- The thread: what the broker says ---------------------------------------------------------- */

/* Every ask of this id: two requests with one key are answered by one receipt. */
static void submit_answered(struct line *line, const est_event *event) {
    struct ask **bucket = &line->by_id[id_bucket(&event->id)];
    for (struct ask *ask = *bucket, *next; ask; ask = next) {
        next = ask->chain;
        if (memcmp(&ask->id, &event->id, sizeof ask->id) == 0)
            ask_end(line, ask, event);
    }
}

static void result_came(struct line *line, const est_event *event) {
    if (!line->result || line->result(line->result_arg, line, event))
        est_client_ack(line->client, event->number);
    struct ask **bucket = &line->by_number[number_bucket(event->number)];
    for (struct ask *ask = *bucket, *next; ask; ask = next) {
        next = ask->chain;
        if (ask->number == event->number)
            ask_end(line, ask, event);
    }
}

static void line_came_up(struct line *line) {
    atomic_store(&line->level, (unsigned)est_client_level(line->client));
    atomic_store(&line->down_code, 0);
    atomic_store(&line->up, true);
    log_line(LOG_LEVEL_INFO, "%s: connected to the broker", line->account->name);
}

static void line_went_down(struct line *line, const est_event *event) {
    bool was_up = atomic_exchange(&line->up, false);
    int before = atomic_exchange(&line->down_code, event->code);
    if (was_up)
        atomic_store(&line->down_since_us, ticks_us());
    if (was_up || before != event->code)
        log_line(LOG_LEVEL_WARNING, "%s: no session with the broker: %s: %.*s", line->account->name,
                 est_code_name(event->code), (int)event->text.size, (const char *)event->text.data);
}

static void event_take(struct line *line, const est_event *event) {
    struct ask *ask;
    switch (event->kind) {
    case EST_EVENT_CONNECTED:
        line_came_up(line);
        return;
    case EST_EVENT_DISCONNECTED:
        line_went_down(line, event);
        return;
    case EST_EVENT_RESULT:
        result_came(line, event);
        return;
    default:
        break;
    }
    if (event->ref == 0)
        submit_answered(line, event);
    else if ((ask = slot_find(line, event->ref)) != NULL)
        ask_end(line, ask, event);
}

/* --- The thread: time -------------------------------------------------------------------------- */

static void list_expire(struct line *line, struct list *list, int64_t now) {
    for (struct ask *ask = list->first, *next; ask; ask = next) {
        next = ask->next;
        if (ask->until_us > now)
            continue;
        ask_detach(line, ask);
        ask_refuse(line, ask, atomic_load(&line->up) ? EST_TIMEOUT : EST_UNREACHABLE);
    }
}

static void line_sweep(struct line *line) {
    int64_t now = ticks_us();
    if (now - line->swept_us < SWEEP_MS * EST_US_PER_MS)
        return;
    line->swept_us = now;
    list_expire(line, &line->waiting, now);
    list_expire(line, &line->out, now);
}

static void line_wait(struct line *line) {
    struct pollfd fds[2] = {{.fd = line->client_fd, .events = POLLIN},
                            {.fd = line->wake_fd, .events = POLLIN}};
    bool busy = line->waiting.first || line->out.first;
    poll(fds, 2, busy ? SWEEP_MS : 1000);
    uint64_t count;
    if (fds[1].revents && read(line->wake_fd, &count, sizeof count) < 0)
        return; /* somebody else's wake was taken already */
}

static void *line_run(void *arg) {
    struct line *line = arg;
    bool stopping = false;
    line->client_fd = est_client_fd(line->client); /* once: asking for it makes it readable */
    while (!stopping) {
        inbox_take(line);
        waiting_send(line);
        est_event event;
        int taken = 0;
        while (taken < EVENTS_PER_TURN && est_client_poll(line->client, 0, &event)) {
            event_take(line, &event);
            taken++;
        }
        line_sweep(line);
        if (taken < EVENTS_PER_TURN)
            line_wait(line);
        pthread_mutex_lock(&line->lock);
        stopping = line->stopping;
        pthread_mutex_unlock(&line->lock);
    }
    inbox_take(line);
    while (line->waiting.first) {
        struct ask *ask = line->waiting.first;
        ask_detach(line, ask);
        ask_refuse(line, ask, EST_CLOSED);
    }
    while (line->out.first) {
        struct ask *ask = line->out.first;
        ask_detach(line, ask);
        ask_refuse(line, ask, EST_CLOSED);
    }
    return NULL;
}

/* --- Its life ---------------------------------------------------------------------------------- */

static est_options line_options(const struct config *config, const struct account_config *account) {
    bool requester = account->role == ROLE_REQUESTER_BIT;
    est_options options = {.server_key = config->server_key,
                           .public_key = account->public_key,
                           .secret_key = account->secret_key,
                           .account = account->name,
                           .software = "estelam-gateway " ESTELAM_VERSION,
                           .window = WINDOW,
                           .results = requester ? 2 : 0,
                           .reconnect_first = {RETRY_FIRST_MS * EST_US_PER_MS},
                           .reconnect_max = {RETRY_MAX_MS * EST_US_PER_MS}};
    const char *const *endpoints = requester ? config->requesters : config->operators;
    for (size_t i = 0; i < EST_ENDPOINTS_MAX && endpoints[i]; i++)
        options.endpoints[i] = endpoints[i];
    return options;
}

int line_open(const struct config *config, const struct account_config *account, struct line **ret) {
    struct line *line = calloc(1, sizeof *line);
    if (!line)
        return -EST_NO_MEMORY;
    line->config = config;
    line->account = account;
    pthread_mutex_init(&line->lock, NULL);
    for (uint32_t i = 1; i < SLOTS_MAX; i++)
        line->spare[line->spare_count++] = SLOTS_MAX - i;
    atomic_store(&line->down_since_us, ticks_us());
    atomic_store(&line->down_code, EST_UNREACHABLE);
    line->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    est_options options = line_options(config, account);
    int code = line->wake_fd < 0 ? -EST_IO : est_client_open(&options, &line->client);
    if (code)
        line_close(&line);
    else
        *ret = line;
    return code;
}

void line_on_result(struct line *line, line_result_call call, void *arg) {
    line->result = call;
    line->result_arg = arg;
}

int line_start(struct line *line) {
    if (pthread_create(&line->thread, NULL, line_run, line))
        return -EST_IO;
    line->started = true;
    return 0;
}

void line_stop(struct line *line) {
    pthread_mutex_lock(&line->lock);
    line->stopping = true;
    pthread_mutex_unlock(&line->lock);
    line_wake(line);
    if (line->started)
        pthread_join(line->thread, NULL);
    line->started = false;
}

void line_close(struct line **line) {
    struct line *l = *line;
    if (!l)
        return;
    if (l->client)
        est_client_close(&l->client);
    if (l->wake_fd >= 0)
        close(l->wake_fd);
    free(l->acks.at);
    free(l->acks_taken.at);
    pthread_mutex_destroy(&l->lock);
    free(l);
    *line = NULL;
}

const char *line_account(const struct line *line) {
    return line->account->name;
}

unsigned line_role(const struct line *line) {
    return line->account->role;
}

const struct account_config *line_config(const struct line *line) {
    return line->account;
}

bool line_is_up(const struct line *line) {
    return atomic_load(&line->up);
}

unsigned line_level(const struct line *line) {
    return atomic_load(&line->level);
}

int line_down_code(const struct line *line) {
    return atomic_load(&line->down_code);
}

size_t line_waiting(const struct line *line) {
    return atomic_load(&line->pending);
}
