/* sql_pool.c - slots, the pause after a failed connection, and the guard. See sql_pool.h. */
#include "sql_pool.h"
#include "clock.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PAUSE_FIRST_US = 250 * 1000,
    PAUSE_MAX_US = 30 * 1000 * 1000,
    TICK_US = 50 * 1000,         /* how often the guard looks, and a waiter asks whether it is over */
    GUARD_GRACE_US = 500 * 1000, /* the driver's own timeout comes first: its error is clearer */
};

struct sql_slot {
    struct sql_link *link;
    bool is_taken, is_used;
    pthread_mutex_t lock; /* of what follows; held while cancelling, so the handle stays alive */
    SQLHSTMT running;
    est_time deadline;
    const est_inquiry *inquiry;
    bool is_cancelled;
};

struct sql_pool {
    const struct sql_config *config;
    struct backend_room room;
    SQLHENV environment;
    pthread_mutex_t lock;
    pthread_cond_t changed; /* a slot was given back, a statement began, or the pool closes */
    struct sql_slot *slots;
    unsigned running; /* statements under guard */
    bool is_closing, is_guarded;
    pthread_t guard;
    bool is_connecting; /* somebody tries the database now */
    est_time try_after;
    int64_t pause_us; /* 0: the last try succeeded */
};

/* --- The guard ----------------------------------------------------------------------------------- */

static void slot_watch(struct sql_pool *pool, struct sql_slot *slot) {
    pthread_mutex_lock(&slot->lock);
    if (slot->running && !slot->is_cancelled &&
        (clock_now().us >= slot->deadline.us || pool->room.is_over(slot->inquiry))) {
        slot->is_cancelled = true;
        SQLCancel(slot->running);
    }
    pthread_mutex_unlock(&slot->lock);
}

static void *guard_run(void *argument) {
    struct sql_pool *pool = argument;
    pthread_mutex_lock(&pool->lock);
    while (!pool->is_closing) {
        if (!pool->running) {
            pthread_cond_wait(&pool->changed, &pool->lock);
            continue;
        }
        condition_wait_until(&pool->changed, &pool->lock, time_after(clock_now(), TICK_US));
        pthread_mutex_unlock(&pool->lock); /* cancelling may take as long as a connection */
        for (unsigned i = 0; i < pool->room.workers; i++)
            slot_watch(pool, &pool->slots[i]);
        pthread_mutex_lock(&pool->lock);
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

void sql_guard_begin(struct sql_pool *pool, struct sql_slot *slot, SQLHSTMT statement,
                     const est_inquiry *inquiry) {
    pthread_mutex_lock(&slot->lock);
    slot->running = statement;
    slot->inquiry = inquiry;
    slot->is_cancelled = false;
    slot->is_used = true;
    slot->deadline = time_after(clock_now(), pool->config->timeout_s * EST_US_PER_S + GUARD_GRACE_US);
    pthread_mutex_unlock(&slot->lock);
    pthread_mutex_lock(&pool->lock);
    if (!pool->running++)
        pthread_cond_broadcast(&pool->changed);
    pthread_mutex_unlock(&pool->lock);
}

bool sql_guard_end(struct sql_pool *pool, struct sql_slot *slot) {
    pthread_mutex_lock(&slot->lock);
    slot->running = NULL;
    bool was_cancelled = slot->is_cancelled;
    pthread_mutex_unlock(&slot->lock);
    pthread_mutex_lock(&pool->lock);
    pool->running--;
    pthread_mutex_unlock(&pool->lock);
    return was_cancelled;
}

/* --- Slots ----------------------------------------------------------------------------------------- */

/* Connected ones first. */
static struct sql_slot *slot_find(struct sql_pool *pool) {
    struct sql_slot *found = NULL;
    for (unsigned i = 0; i < pool->room.workers; i++) {
        struct sql_slot *slot = &pool->slots[i];
        if (!slot->is_taken && (!found || (slot->link && !found->link)))
            found = slot;
    }
    return found;
}

/* Tries the database; the pool's lock is given up meanwhile. */
static bool slot_connect(struct sql_pool *pool, struct sql_slot *slot) {
    struct sql_trouble trouble = {"", "", 0};
    pool->is_connecting = true;
    pthread_mutex_unlock(&pool->lock);
    int code = sql_link_open(pool->environment, pool->config, &slot->link, &trouble);
    if (code) {
        char sentence[640];
        snprintf(sentence, sizeof sentence, "no connection to the database: SQLSTATE %s: %s; trying again",
                 trouble.state, code == -EST_NO_MEMORY ? est_code_text(code) : trouble.text);
        pool->room.tell(sentence);
    }
    slot->is_used = false;
    pthread_mutex_lock(&pool->lock);
    pool->is_connecting = false;
    int64_t longer = pool->pause_us ? 2 * pool->pause_us : PAUSE_FIRST_US;
    pool->pause_us = !code ? 0 : longer < PAUSE_MAX_US ? longer : PAUSE_MAX_US;
    pool->try_after = time_after(clock_now(), pool->pause_us);
    pthread_cond_broadcast(&pool->changed);
    return !code;
}

/* While the database is away one thread tries and the others wait for what comes of it. */
static bool may_connect(const struct sql_pool *pool) {
    return !pool->pause_us || (!pool->is_connecting && clock_now().us >= pool->try_after.us);
}

int sql_pool_take(struct sql_pool *pool, const est_inquiry *inquiry, struct sql_slot **ret) {
    est_time deadline = time_after(clock_now(), pool->config->timeout_s * EST_US_PER_S);
    struct sql_slot *slot = NULL;
    int code = 1;
    pthread_mutex_lock(&pool->lock);
    while (code > 0) {
        slot = slot_find(pool);
        if (slot && (slot->link || may_connect(pool))) {
            slot->is_taken = true;
            if (slot->link || slot_connect(pool, slot))
                code = 0;
            else
                slot->is_taken = false;
        } else if (clock_now().us >= deadline.us) {
            code = -EST_UNREACHABLE;
        } else if (pool->room.is_over(inquiry)) {
            code = -EST_CLOSED;
        } else {
            condition_wait_until(&pool->changed, &pool->lock, time_after(clock_now(), TICK_US));
        }
    }
    pthread_mutex_unlock(&pool->lock);
    if (!code)
        *ret = slot;
    return code;
}

void sql_pool_give(struct sql_pool *pool, struct sql_slot *slot) {
    pthread_mutex_lock(&pool->lock);
    slot->is_taken = false;
    pthread_cond_broadcast(&pool->changed);
    pthread_mutex_unlock(&pool->lock);
}

struct sql_link *sql_slot_link(const struct sql_slot *slot) {
    return slot->link;
}

bool sql_slot_is_used(const struct sql_slot *slot) {
    return slot->is_used;
}

void sql_slot_drop(struct sql_slot *slot) {
    sql_link_close(&slot->link);
}

/* --- The pool --------------------------------------------------------------------------------------- */

static int pool_fill(struct sql_pool *pool) {
    pool->slots = calloc(pool->room.workers, sizeof *pool->slots);
    if (!pool->slots)
        return -EST_NO_MEMORY;
    for (unsigned i = 0; i < pool->room.workers; i++)
        pthread_mutex_init(&pool->slots[i].lock, NULL);
    if (!SQL_SUCCEEDED(SQLAllocHandle(SQL_HANDLE_ENV, SQL_NULL_HANDLE, &pool->environment)))
        return -EST_NO_MEMORY;
    SQLSetEnvAttr(pool->environment, SQL_ATTR_ODBC_VERSION, (SQLPOINTER)(uintptr_t)SQL_OV_ODBC3, 0);
    pool->is_guarded = !pthread_create(&pool->guard, NULL, guard_run, pool);
    return pool->is_guarded ? 0 : -EST_IO;
}

int sql_pool_open(const struct sql_config *config, const struct backend_room *room, struct sql_pool **ret) {
    struct sql_pool *pool = calloc(1, sizeof *pool);
    if (!pool)
        return -EST_NO_MEMORY;
    pool->config = config;
    pool->room = *room;
    pthread_mutex_init(&pool->lock, NULL);
    condition_init(&pool->changed);
    int code = pool_fill(pool);
    if (code)
        sql_pool_close(&pool);
    else
        *ret = pool;
    return code;
}

void sql_pool_close(struct sql_pool **pointer) {
    struct sql_pool *pool = *pointer;
    *pointer = NULL;
    if (!pool)
        return;
    pthread_mutex_lock(&pool->lock);
    pool->is_closing = true;
    pthread_cond_broadcast(&pool->changed);
    pthread_mutex_unlock(&pool->lock);
    if (pool->is_guarded)
        pthread_join(pool->guard, NULL);
    for (unsigned i = 0; pool->slots && i < pool->room.workers; i++) {
        sql_link_close(&pool->slots[i].link);
        pthread_mutex_destroy(&pool->slots[i].lock);
    }
    free(pool->slots);
    if (pool->environment)
        SQLFreeHandle(SQL_HANDLE_ENV, pool->environment);
    pthread_cond_destroy(&pool->changed);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}
