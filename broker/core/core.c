/* core.c - the making of a core, and the step that every input goes through. */
#include "pages.h"
#include "state.h"

#include <assert.h>
#include <stdlib.h>

void core_limits_default(struct core_limits *ret) {
    *ret = (struct core_limits){
        .inquiries_max = 1000000,
        .account_open_max = 1000000,
        .sessions_max = 4096,
        .accounts_max = ACCOUNTS_EVER + 1,
        .types_max = TYPES_CEILING,
        .departments_max = DEPARTMENTS_EVER + 1,
        .lanes_max = 65536,
        .districts_max = DISTRICTS_CEILING,
        .window_max = EST_WINDOW_MAX,
        .attempts_max = 5,
        .lease = {30 * EST_US_PER_S},
        .heartbeat = {5 * EST_US_PER_S},
        .retry_first = {RETRY_FIRST_USUAL_MS * EST_US_PER_MS},
        .retry_max = {RETRY_MAX_USUAL_MS * EST_US_PER_MS},
        .busy_retry = {EST_US_PER_S},
    };
}

/* calloc gives untouched pages of zeroes for large tables: what is not used costs nothing. An inquiry and a
 * lease are written whole when they are taken; the inquiries begin where a line of the cache does. */
static bool tables_new(struct core *c) {
    const struct core_limits *l = &c->limits;
    uint64_t index = 64, held = (uint64_t)l->sessions_max * l->window_max;
    while (index < l->inquiries_max + l->inquiries_max * 2ULL / 5) /* at most 0.7 full */
        index *= 2;
    c->index_mask = index - 1;
    c->inquiries = aligned_alloc(sizeof *c->inquiries, l->inquiries_max * sizeof *c->inquiries);
    c->leases = calloc(held < l->inquiries_max ? held : l->inquiries_max, sizeof *c->leases);
    c->index = calloc(index, sizeof *c->index);
    c->lanes = calloc(l->lanes_max, sizeof *c->lanes);
    c->lane_of = calloc((size_t)l->types_max * (l->districts_max + 1), sizeof *c->lane_of);
    c->types = calloc(l->types_max, sizeof *c->types);
    c->departments = calloc(l->departments_max, sizeof *c->departments);
    c->accounts = calloc(l->accounts_max, sizeof *c->accounts);
    c->rights = calloc((size_t)l->accounts_max * l->types_max, sizeof *c->rights);
    c->sessions = calloc(l->sessions_max, sizeof *c->sessions);
    c->due.at = calloc(l->inquiries_max, sizeof *c->due.at);
    c->quiet.at = calloc(l->sessions_max, sizeof *c->quiet.at);
    pages_large(c->inquiries, l->inquiries_max * sizeof *c->inquiries);
    pages_large(c->index, index * sizeof *c->index);
    pages_large(c->due.at, l->inquiries_max * sizeof *c->due.at);
    return c->inquiries && c->leases && c->index && c->lanes && c->lane_of && c->types && c->departments &&
           c->accounts && c->rights && c->sessions && c->due.at && c->quiet.at;
}

struct core *core_new(const struct core_limits *limits) {
    assert(limits->types_max <= TYPES_CEILING && limits->districts_max <= DISTRICTS_CEILING);
    assert(limits->accounts_max <= ACCOUNTS_CEILING && limits->lanes_max <= LANES_CEILING);
    assert(limits->inquiries_max <= INQUIRIES_CEILING);
    assert(limits->window_max <= EST_WINDOW_MAX && limits->attempts_max <= ATTEMPTS_CEILING);
    struct core *c = calloc(1, sizeof *c);
    if (c == NULL)
        return NULL;
    c->limits = *limits;
    if (!tables_new(c)) {
        core_free(&c);
        return NULL;
    }
    c->inquiries_free = c->leases_free = NONE;
    c->due.positions = (char *)&c->inquiries[0].timer;
    c->due.stride = sizeof *c->inquiries;
    c->quiet.positions = (char *)&c->sessions[0].timer;
    c->quiet.stride = sizeof *c->sessions;
    for (uint32_t i = 0; i < limits->departments_max; i++)
        c->departments[i].ready = c->departments[i].agents = NONE;
    for (uint32_t i = 0; i < limits->accounts_max; i++) {
        c->accounts[i].results = (struct list){NONE, NONE, 0};
        c->accounts[i].sessions = NONE;
    }
    return c;
}

void core_free(struct core **core) {
    struct core *c = *core;
    *core = NULL;
    if (c == NULL)
        return;
    free(c->inquiries);
    free(c->leases);
    free(c->index);
    free(c->lanes);
    free(c->lane_of);
    free(c->types);
    free(c->departments);
    free(c->accounts);
    free(c->rights);
    free(c->sessions);
    free(c->due.at);
    free(c->quiet.at);
    free(c);
}

static step_fn *const steps[] = {
    [INPUT_START] = step_start,
    [INPUT_TICK] = step_tick,
    [INPUT_SET] = step_set,
    [INPUT_STORE_FULL] = step_store_full,
    [INPUT_SESSION_UP] = step_session_up,
    [INPUT_SESSION_DOWN] = step_session_down,
    [INPUT_HEARD] = step_heard,
    [INPUT_SUBMIT] = step_submit,
    [INPUT_CANCEL] = step_cancel,
    [INPUT_RESULT_ACK] = step_result_ack,
    [INPUT_READY] = step_ready,
    [INPUT_LEAVE] = step_leave,
    [INPUT_ANSWER] = step_answer,
    [INPUT_ATTEMPT_FAIL] = step_attempt_fail,
    [INPUT_REFUSE] = step_refuse,
    [INPUT_RENEW] = step_renew,
    [INPUT_REQUEUE] = step_requeue,
    [INPUT_DRAIN] = step_drain,
    [INPUT_PAUSE] = step_pause,
    [INPUT_REDIRECT] = step_redirect,
};

/* A session that has ended since its command was read is passed over: the peer will say it again
 * on its next connection. */
void core_step(struct core *c, est_time now, const struct input *in, struct effects *fx) {
    fx->count = 0;
    assert(in->kind > 0 && in->kind < sizeof steps / sizeof *steps && steps[in->kind] != NULL);
    if (in->kind > INPUT_SESSION_UP && !c->sessions[in->session].live)
        return;
    steps[in->kind](c, now, in, fx);
}

est_time core_wakeup(const struct core *c) {
    int64_t at = c->unfed ? 0 : INT64_MAX;
    if (c->due.count > 0 && c->due.at[0].at_us < at)
        at = c->due.at[0].at_us;
    if (c->quiet.count > 0 && c->quiet.at[0].at_us < at)
        at = c->quiet.at[0].at_us;
    return (est_time){at};
}
