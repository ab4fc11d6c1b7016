/* world.c - see world.h. */
#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint32_t all_ones = UINT32_MAX;
enum { EVENTS_MAX = 100000, FIRST_MS = 1700000000 };

static void tell(struct world *w, const char *format, ...) {
    va_list args;
    va_start(args, format);
    w->told += (size_t)vsnprintf(w->story + w->told, sizeof w->story - w->told, format, args);
    va_end(args);
    assert_true(w->told < sizeof w->story);
}

static unsigned ordinal(const struct world *w, uint64_t number) {
    for (unsigned i = w->submitted; i > 0; i--)
        if (w->numbers[i] == number)
            return i;
    return 0;
}

/* --- Effects become lines -------------------------------------------------------------------------- */

static void tell_event(struct world *w, const struct event *e) {
    assert_int_equal(e->seq, w->events_count + 1); /* gapless */
    if (w->events_count > 0)
        assert_true(e->at.us >= w->events[w->events_count - 1].at.us);
    assert_true(w->events_count < EVENTS_MAX);
    struct event *kept = &w->events[w->events_count++];
    *kept = *e;
    if (e->type == EVENT_SUBMITTED) {
        w->numbers[++w->submitted] = e->number;
        w->ids[w->submitted].id = e->submitted.id;
        w->ids[w->submitted].account = e->submitted.account;
        w->ids[w->submitted].ordinal = w->submitted;
    }
    if (e->type == EVENT_ACCOUNT_SET && e->account_set.rights_count > 0) {
        size_t size = e->account_set.rights_count * sizeof *e->account_set.rights;
        struct right *rights = malloc(size);
        assert_non_null(rights);
        memcpy(rights, e->account_set.rights, size);
        kept->account_set.rights = rights;
    }
    if (e->type == EVENT_ACKNOWLEDGED) {
        uint64_t *numbers = malloc(e->acknowledged.count * sizeof *numbers);
        memcpy(numbers, e->acknowledged.numbers, e->acknowledged.count * sizeof *numbers);
        kept->acknowledged.numbers = numbers;
        kept->acknowledged.ends = (est_slice){0}; /* nothing is folded out of them */
        for (size_t i = 0; i < e->acknowledged.count; i++)
            inquiry_row_apply(&w->rows[ordinal(w, numbers[i])], e);
    }
    if (e->number == 0) {
        tell(w, "+%s\n", e->type == EVENT_PAUSED ? event_name(e) : event_type_name(e->type));
        return;
    }
    inquiry_row_apply(&w->rows[ordinal(w, e->number)], e);
    tell(w, "+%s #%u%s%s\n", event_name(e), ordinal(w, e->number),
         e->type == EVENT_ATTEMPT_FAILED || e->type == EVENT_PARKED ? " " : "",
         e->type == EVENT_ATTEMPT_FAILED ? est_code_name((int)e->attempt_failed.code)
         : e->type == EVENT_PARKED       ? est_code_name((int)e->parked.code)
                                         : "");
}

static void tell_effect(struct world *w, const struct effect *x) {
    unsigned n = ordinal(w, x->number), lease = (uint32_t)x->epoch;
    switch (x->kind) {
    case EFFECT_EVENT:
        tell_event(w, &x->event);
        break;
    case EFFECT_ACCEPTED:
        tell(w, "s%u accepted%s #%u\n", x->session, x->again ? " again" : "", n);
        break;
    case EFFECT_REFUSED:
        tell(w, "s%u refused %s", x->session, est_code_name((int)x->code));
        if (n != 0)
            tell(w, " #%u e%u", n, lease);
        tell(w, "\n");
        break;
    case EFFECT_DONE:
        tell(w, "s%u done\n", x->session);
        break;
    case EFFECT_ASSIGN:
        w->last_epoch[lease] = x->epoch;
        tell(w, "s%u assign #%u e%u attempt %u\n", x->session, n, lease, x->attempt);
        break;
    case EFFECT_RESULT:
        tell(w, "s%u result #%u\n", x->session, n);
        break;
    case EFFECT_RECORDED:
        tell(w, "s%u recorded #%u e%u\n", x->session, n, lease);
        break;
    case EFFECT_RENEWED:
        tell(w, "s%u renewed #%u e%u\n", x->session, n, lease);
        break;
    case EFFECT_REVOKE:
        tell(w, "s%u revoke #%u e%u %s\n", x->session, n, lease, est_code_name((int)x->code));
        break;
    case EFFECT_CLOSE:
        tell(w, "s%u close %s\n", x->session, est_code_name((int)x->code));
        break;
    case EFFECT_NOTE:
        w->facts[x->fact]++;
        break;
    }
}

static void step(struct world *w, const struct input *in) {
    core_step(w->core, w->now, in, &w->effects);
    for (size_t i = 0; i < w->effects.count; i++)
        tell_effect(w, &w->effects.at[i]);
}

static uint64_t epoch_of(const struct world *w, unsigned lease) {
    return w->last_epoch[lease] != 0 ? w->last_epoch[lease] : lease;
}

/* --- The city -------------------------------------------------------------------------------------- */

static void set(struct world *w, struct event e) {
    struct input in = {.kind = INPUT_SET, .set = e};
    step(w, &in);
}

static void account_set(struct world *w, uint32_t account, uint32_t role, uint32_t department, const struct right *rights,
                        size_t count) {
    struct event e = {.type = EVENT_ACCOUNT_SET,
                      .account_set = {.account = account, .role = role, .department = department, .rights = rights,
                                      .rights_count = count}};
    memset(e.account_set.districts, 0xff, sizeof e.account_set.districts);
    set(w, e);
}

static void city_set(struct world *w) {
    static const struct right asks[] = {{BEDEHI, 1}, {PASMAND, 1}, {HARIM, 1}}, bank[] = {{BEDEHI, 1}},
                              nosazi[] = {{BEDEHI, all_ones}, {PASMAND, all_ones}}, metro[] = {{HARIM, all_ones}};
    static const struct { uint32_t type, department; } types[] = {{BEDEHI, NOSAZI}, {PASMAND, NOSAZI}, {HARIM, METRO}};
    struct input start = {.kind = INPUT_START};
    step(w, &start);
    for (uint32_t d = NOSAZI; d <= METRO; d++)
        set(w, (struct event){.type = EVENT_DEPARTMENT_SET, .department_set = {.department = d}});
    for (size_t i = 0; i < 3; i++)
        set(w, (struct event){.type = EVENT_TYPE_SET,
                              .type_set = {.type = types[i].type, .version = 1, .department = types[i].department}});
    account_set(w, PORTAL, ROLE_REQUESTER, 0, asks, 3);
    account_set(w, BANK, ROLE_REQUESTER, 0, bank, 1);
    account_set(w, NOSAZI_AGENT, ROLE_DEPARTMENT, NOSAZI, nosazi, 2);
    account_set(w, METRO_AGENT, ROLE_DEPARTMENT, METRO, metro, 1);
    account_set(w, DUTY, ROLE_OPERATOR, 0, NULL, 0);
    forget(w);
}

struct world *world_new(void (*change)(struct core_limits *)) {
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    core_limits_default(&w->limits);
    w->limits.inquiries_max = 2000;
    w->limits.sessions_max = 64;
    w->limits.accounts_max = 16;
    w->limits.types_max = 16;
    w->limits.departments_max = 8;
    w->limits.lanes_max = 64;
    w->limits.districts_max = 22;
    w->limits.attempts_max = 3;
    if (change != NULL)
        change(&w->limits);
    w->core = core_new(&w->limits);
    w->events = calloc(EVENTS_MAX, sizeof *w->events);
    assert_non_null(w->core);
    assert_non_null(w->events);
    assert_int_equal(effects_init(&w->effects), 0);
    w->now.us = FIRST_MS * EST_US_PER_S;
    city_set(w);
    return w;
}

/* --- The fold -------------------------------------------------------------------------------------- */

static void row_matches(const struct world *w, struct core *folded, unsigned inquiry) {
    const struct inquiry_row *row = &w->rows[inquiry];
    struct inquiry_view live, again;
    bool there = core_inquiry(w->core, w->numbers[inquiry], &live);
    assert_int_equal(there, core_inquiry(folded, w->numbers[inquiry], &again));
    assert_int_equal(there, row->acked.us == 0);
    if (!there)
        return;
    assert_int_equal(live.row.last_seq, again.row.last_seq);
    assert_int_equal(live.row.last_seq, row->last_seq);
    assert_int_equal(live.row.attempts, row->attempts);
    assert_int_equal(live.row.due.us, row->due.us);
    assert_int_equal(live.row.account, row->account);
    assert_int_equal(live.row.district, row->district);
    /* the record knows no lease, and of a delay only when it ends */
    bool dispatch = live.row.state == EST_STATE_LEASED || live.row.state == EST_STATE_WAITING;
    if (dispatch)
        assert_true(row->state == EST_STATE_WAITING || row->state == EST_STATE_DELAYED);
    else
        assert_int_equal(live.row.state, row->state);
    if (!dispatch)
        assert_int_equal(again.row.state, row->state);
}

static void fold_matches(struct world *w) {
    struct core *folded = core_new(&w->limits);
    assert_non_null(folded);
    for (size_t i = 0; i < w->events_count; i++)
        core_apply(folded, &w->events[i]);
    for (unsigned i = 1; i <= w->submitted; i++)
        row_matches(w, folded, i);
    struct core_counts a, b;
    core_counts(w->core, &a);
    core_counts(folded, &b);
    assert_int_equal(a.open, b.open);
    assert_int_equal(a.unacknowledged, b.unacknowledged);
    assert_int_equal(a.parked, b.parked);
    assert_int_equal(a.seq, b.seq);
    core_free(&folded);
}

/* What each account has in the table, counted again from the rows. */
static void accounts_match(const struct world *w) {
    for (uint32_t account = PORTAL; account <= BANK; account++) {
        struct account_view v;
        uint32_t kept = 0;
        for (unsigned i = 1; i <= w->submitted; i++)
            kept += w->rows[i].account == account && w->rows[i].acked.us == 0;
        core_account(w->core, account, &v);
        assert_int_equal(v.kept, kept);
    }
}

/* Of each lane when the oldest was received that waits, or will when its delay ends. */
static void oldest_match(const struct world *w) {
    for (size_t i = 0; i < core_lane_count(w->core); i++) {
        struct lane_view lane;
        struct inquiry_view v;
        int64_t oldest_us = 0;
        core_lane(w->core, i, &lane);
        for (unsigned k = 1; k <= w->submitted; k++)
            if (core_inquiry(w->core, w->numbers[k], &v) && v.row.type == lane.type && v.row.district == lane.district &&
                (v.row.state == EST_STATE_WAITING || v.row.state == EST_STATE_DELAYED) &&
                (oldest_us == 0 || v.row.received.us < oldest_us))
                oldest_us = v.row.received.us;
        assert_int_equal(lane.oldest.us, oldest_us);
    }
}

/* Every lane's counts, counted again from the inquiries themselves. */
void counts_match(const struct world *w) {
    struct core_counts c;
    core_counts(w->core, &c);
    uint64_t waiting = 0, delayed = 0, leased = 0, parked = 0, lanes[4] = {0};
    for (unsigned i = 1; i <= w->submitted; i++) {
        struct inquiry_view v;
        if (!core_inquiry(w->core, w->numbers[i], &v))
            continue;
        waiting += v.row.state == EST_STATE_WAITING;
        delayed += v.row.state == EST_STATE_DELAYED;
        leased += v.row.state == EST_STATE_LEASED;
        parked += v.row.state == EST_STATE_PARKED;
    }
    for (size_t i = 0; i < core_lane_count(w->core); i++) {
        struct lane_view v;
        core_lane(w->core, i, &v);
        lanes[0] += v.waiting, lanes[1] += v.delayed, lanes[2] += v.leased, lanes[3] += v.parked;
    }
    const uint64_t told[] = {c.waiting, c.delayed, c.leased, c.parked}, counted[] = {waiting, delayed, leased, parked};
    assert_memory_equal(told, counted, sizeof told);
    assert_memory_equal(told, lanes, sizeof told);
    accounts_match(w);
    oldest_match(w);
}

void world_end(struct world **world) {
    struct world *w = *world;
    *world = NULL;
    fold_matches(w);
    counts_match(w);
    for (size_t i = 0; i < w->events_count; i++) {
        const struct event *e = &w->events[i];
        if (e->type == EVENT_ACKNOWLEDGED)
            free((void *)(uintptr_t)e->acknowledged.numbers);
        if (e->type == EVENT_ACCOUNT_SET && e->account_set.rights_count > 0)
            free((void *)(uintptr_t)e->account_set.rights);
    }
    core_free(&w->core);
    effects_done(&w->effects);
    free(w->events);
    free(w);
}

void restart(struct world *w) {
    struct core *fresh = core_new(&w->limits);
    assert_non_null(fresh);
    const struct event *last = &w->events[w->events_count - 1];
    for (size_t i = 0; i < w->events_count; i++)
        if (w->events[i].type < EVENT_SUBMITTED && w->events[i].type != EVENT_STARTED)
            core_apply(fresh, &w->events[i]);
    for (unsigned i = 1; i <= w->submitted; i++)
        if (w->rows[i].acked.us == 0)
            core_restore_inquiry(fresh, &w->rows[i]);
    core_restore_head(fresh, last->seq, last->at, last->generation);
    core_free(&w->core);
    w->core = fresh;
    struct input start = {.kind = INPUT_START};
    step(w, &start);
}

/* --- Peers ----------------------------------------------------------------------------------------- */

void advance(struct world *w, int64_t ms) {
    int64_t until = w->now.us + ms * EST_US_PER_MS;
    struct input tick = {.kind = INPUT_TICK};
    while (core_wakeup(w->core).us <= until) {
        int64_t at = core_wakeup(w->core).us;
        w->now.us = at > w->now.us ? at : w->now.us;
        step(w, &tick);
    }
    w->now.us = until;
}

void requester_up(struct world *w, uint32_t session, uint32_t account, uint32_t window, uint32_t results) {
    struct input in = {.kind = INPUT_SESSION_UP, .session = session, .up = {account, window, results}};
    step(w, &in);
}

void operator_up(struct world *w, uint32_t session) {
    requester_up(w, session, DUTY, 1, NO_RESULTS);
}

void agent_up(struct world *w, uint32_t session, uint32_t account, uint32_t window) {
    struct input up = {.kind = INPUT_SESSION_UP, .session = session, .up = {account, window, 0}};
    struct input ready = {.kind = INPUT_READY, .session = session, .ready = {.window = window}};
    step(w, &up);
    step(w, &ready);
}

void agent_up_for(struct world *w, uint32_t session, uint32_t account, uint32_t window, uint32_t type, uint32_t district) {
    struct input up = {.kind = INPUT_SESSION_UP, .session = session, .up = {account, window, 0}};
    struct input ready = {.kind = INPUT_READY, .session = session, .ready = {.window = window, .types = &type, .types_count = 1}};
    ready.ready.districts[0] = 1ULL << district;
    step(w, &up);
    step(w, &ready);
}

void bye(struct world *w, uint32_t session) {
    struct input in = {.kind = INPUT_SESSION_DOWN, .session = session, .down = {.in_order = true}};
    step(w, &in);
}

void session_down(struct world *w, uint32_t session) {
    struct input in = {.kind = INPUT_SESSION_DOWN, .session = session};
    step(w, &in);
}

void heard(struct world *w, uint32_t session) {
    struct input in = {.kind = INPUT_HEARD, .session = session};
    step(w, &in);
}

/* What the store would say of the id. The body is compared through the event that was kept. */
static void submit_full(struct world *w, uint32_t session, unsigned id, uint32_t type, uint32_t district,
                        const char *body, int64_t due_ms) {
    struct session_view s;
    core_session(w->core, session, &s);
    struct input in = {.kind = INPUT_SUBMIT, .session = session};
    in.submit.it = (struct event_submitted){.type = type,
                                            .version = 1,
                                            .district = district,
                                            .due = {w->now.us + due_ms * EST_US_PER_MS},
                                            .body = {body, strlen(body)}};
    memcpy(in.submit.it.id.bytes, &id, sizeof id);
    for (unsigned i = 1; i <= w->submitted; i++) {
        if (w->ids[i].account != s.account || memcmp(&w->ids[i].id, &in.submit.it.id, sizeof(est_id)) != 0)
            continue;
        const struct event *e = &w->events[w->numbers[i] - 1];
        in.submit.known = w->numbers[i];
        in.submit.same = e->submitted.type == type && e->submitted.body.size == strlen(body) &&
                         memcmp(e->submitted.body.data, body, strlen(body)) == 0;
    }
    step(w, &in);
}

void submit(struct world *w, uint32_t session, unsigned id, uint32_t type, uint32_t district) {
    submit_full(w, session, id, type, district, "body", 24 * 3600 * 1000);
}

void submit_body(struct world *w, uint32_t session, unsigned id, uint32_t type, uint32_t district, const char *body) {
    submit_full(w, session, id, type, district, body, 24 * 3600 * 1000);
}

void submit_due(struct world *w, uint32_t session, unsigned id, uint32_t type, int64_t due_ms) {
    submit_full(w, session, id, type, 1, "body", due_ms);
}

void cancel(struct world *w, uint32_t session, unsigned inquiry) {
    struct input in = {.kind = INPUT_CANCEL, .session = session, .cancel = {.number = w->numbers[inquiry]}};
    in.cancel.known_account = w->rows[inquiry].account;
    in.cancel.known_ended = est_state_is_final((enum est_state)w->rows[inquiry].state);
    step(w, &in);
}

void ack(struct world *w, uint32_t session, unsigned inquiry) {
    struct input in = {.kind = INPUT_RESULT_ACK, .session = session, .ack = {&w->numbers[inquiry], 1}};
    step(w, &in);
}

void ack_two(struct world *w, uint32_t session, unsigned first, unsigned second) {
    const uint64_t numbers[] = {w->numbers[first], w->numbers[second]};
    struct input in = {.kind = INPUT_RESULT_ACK, .session = session, .ack = {numbers, 2}};
    step(w, &in);
}

void answer(struct world *w, uint32_t session, unsigned inquiry, unsigned lease) {
    const struct inquiry_row *row = &w->rows[inquiry];
    struct session_view who;
    core_session(w->core, session, &who);
    bool recorded = row->state == EST_STATE_ANSWERED && row->epoch == epoch_of(w, lease) && row->actor == who.account;
    struct input in = {.kind = INPUT_ANSWER, .session = session};
    in.answer = (struct input_answer){.number = w->numbers[inquiry],
                                      .epoch = epoch_of(w, lease),
                                      .recorded = recorded,
                                      .it = {.outcome = EST_OUTCOME_POSITIVE}};
    step(w, &in);
}

static void attempt_end(struct world *w, uint32_t session, unsigned inquiry, unsigned lease, uint32_t code, int64_t after_ms) {
    struct input in = {.kind = INPUT_ATTEMPT_FAIL, .session = session};
    in.fail = (struct input_fail){w->numbers[inquiry], epoch_of(w, lease), code, {after_ms * EST_US_PER_MS}, {0}};
    step(w, &in);
}

void retry(struct world *w, uint32_t session, unsigned inquiry, unsigned lease, int64_t after_ms) {
    attempt_end(w, session, inquiry, lease, EST_AGENT_RETRY, after_ms);
}

void invalid(struct world *w, uint32_t session, unsigned inquiry, unsigned lease) {
    attempt_end(w, session, inquiry, lease, EST_INVALID_ANSWER, 0);
}

void refuse_work(struct world *w, uint32_t session, unsigned inquiry, unsigned lease) {
    struct input in = {.kind = INPUT_REFUSE, .session = session, .refuse = {w->numbers[inquiry], epoch_of(w, lease), {0}}};
    step(w, &in);
}

void renew(struct world *w, uint32_t session, unsigned inquiry, unsigned lease) {
    const uint64_t pair[] = {w->numbers[inquiry], epoch_of(w, lease)};
    struct input in = {.kind = INPUT_RENEW, .session = session, .renew = {pair, 1}};
    step(w, &in);
}

void leave(struct world *w, uint32_t session) {
    struct input in = {.kind = INPUT_LEAVE, .session = session};
    step(w, &in);
}

void requeue(struct world *w, uint32_t session, unsigned inquiry) {
    struct input in = {.kind = INPUT_REQUEUE, .session = session, .requeue = {.number = w->numbers[inquiry]}};
    step(w, &in);
}

void drain(struct world *w, uint32_t session, bool on) {
    struct input in = {.kind = INPUT_DRAIN, .session = session, .drain = {.on = on}};
    step(w, &in);
}

void pause_department(struct world *w, uint32_t session, uint32_t department, bool on) {
    struct input in = {.kind = INPUT_PAUSE, .session = session, .pause = {.department = department, .on = on}};
    step(w, &in);
}

void redirect(struct world *w, uint32_t session, unsigned inquiry, uint32_t district) {
    struct input in = {.kind = INPUT_REDIRECT, .session = session};
    in.redirect = (struct input_redirect){.number = w->numbers[inquiry], .district = district};
    in.redirect.known_ended = est_state_is_final((enum est_state)w->rows[inquiry].state);
    step(w, &in);
}

void store_full(struct world *w, bool full) {
    struct input in = {.kind = INPUT_STORE_FULL, .full = full};
    step(w, &in);
}

void revoke_rights(struct world *w, uint32_t account) {
    set(w, (struct event){.type = EVENT_RETIRED, .retired = {.thing = THING_ACCOUNT, .number = account}});
}

void move_account(struct world *w, uint32_t account, uint32_t department) {
    static const struct right harim[] = {{HARIM, UINT32_MAX}};
    account_set(w, account, ROLE_DEPARTMENT, department, harim, 1);
}

void narrow_account(struct world *w, uint32_t account, uint32_t department, uint32_t type) {
    struct right one = {type, UINT32_MAX};
    account_set(w, account, ROLE_DEPARTMENT, department, &one, 1);
}

/* --- Telling --------------------------------------------------------------------------------------- */

void forget(struct world *w) {
    w->told = 0;
    w->story[0] = '\0';
}

void expect(struct world *w, const char *story) {
    w->story[w->told] = '\0';
    assert_string_equal(w->story, story);
    forget(w);
}

enum est_state state_of(const struct world *w, unsigned inquiry) {
    struct inquiry_view v;
    return core_inquiry(w->core, w->numbers[inquiry], &v) ? (enum est_state)v.row.state
                                                          : (enum est_state)w->rows[inquiry].state;
}
