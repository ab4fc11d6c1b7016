/* session.c - making a session, its connection, and what is due by time. */
#include "session_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- Making one. -------------------------------------------------------------------------------- */

static int lists_pack(struct session *s, const struct session_options *options) {
    size_t count = 0;
    while (options->types && options->types[count])
        count++;
    if (count > EST_NUMBERS_MAX)
        return -EST_INPUT;
    if (count > 0)
        pack_array(&s->types, count);
    for (size_t i = 0; i < count; i++) {
        if (strlen(options->types[i]) > EST_NAME_MAX || !utf8_is_valid(slice_of(options->types[i])))
            return -EST_INPUT;
        pack_cstr(&s->types, options->types[i]);
    }
    count = 0;
    while (options->districts && options->districts[count])
        count++;
    if (count > EST_NUMBERS_MAX)
        return -EST_INPUT;
    if (count > 0)
        pack_array(&s->districts, count);
    for (size_t i = 0; i < count; i++)
        pack_uint(&s->districts, options->districts[i]);
    return s->types.failed || s->districts.failed ? -EST_NO_MEMORY : 0;
}

static int acks_init(struct acks *acks) {
    acks->capacity = SESSION_ACKS_MAX + SESSION_ACKS_KEPT;
    while (acks->capacity & (acks->capacity - 1))
        acks->capacity += acks->capacity & -acks->capacity;
    acks->at = calloc(acks->capacity, sizeof *acks->at);
    return acks->at ? 0 : -EST_NO_MEMORY;
}

static int tables_init(struct session *s) {
    if (s->role == SESSION_AGENT)
        return leases_init(&s->leases, 2 * s->window);
    uint32_t awaited = s->results == RESULTS_OWN ? SESSION_AWAITED_MAX : 0;
    int failed = asks_init(&s->asks, SESSION_ASKS_MAX + awaited);
    return failed ? failed : acks_init(&s->acks);
}

static int session_init(struct session *s, const struct session_options *options) {
    const char *software = options->software ? options->software : "";
    s->role = options->role;
    s->window = options->window ? options->window : SESSION_WINDOW_DEFAULT;
    s->results = options->results;
    s->heartbeat_wish_ms = options->heartbeat_ms;
    s->asks_max = SESSION_ASKS_MAX;
    s->body_max = EST_BODY_MAX;
    s->frame_max = EST_FRAME_MAX;
    bool fits = strlen(software) < SOFTWARE_SIZE - sizeof "libestelam/" ESTELAM_VERSION " ";
    if (!fits || !utf8_is_valid(slice_of(software)) || s->window > EST_WINDOW_MAX || s->results > RESULTS_ALL)
        return -EST_INPUT;
    text_copy(s->account_wish, sizeof s->account_wish, slice_of(options->account ? options->account : ""));
    snprintf(s->software, sizeof s->software, "libestelam/" ESTELAM_VERSION "%s%s", *software ? " " : "",
             software);
    int failed = lists_pack(s, options);
    return failed ? failed : tables_init(s);
}

int session_new(const struct session_options *options, struct session **ret) {
    struct session *s = calloc(1, sizeof *s);
    if (!s)
        return -EST_NO_MEMORY;
    for (int i = 0; i < ASK_STATES; i++)
        chain_init(&s->asks.chains[i]);
    for (int i = 0; i < LEASE_STATES; i++)
        chain_init(&s->leases.chains[i]);
    int failed = session_init(s, options);
    if (failed) {
        session_free(&s);
        return failed;
    }
    *ret = s;
    return 0;
}

void session_free(struct session **session) {
    struct session *s = *session;
    if (!s)
        return;
    asks_done(&s->asks);
    leases_done(&s->leases);
    free(s->acks.at);
    buffer_done(&s->types);
    buffer_done(&s->types_rest);
    buffer_done(&s->districts);
    free(s);
    *session = NULL;
}

/* --- The connection. ---------------------------------------------------------------------------- */

void text_copy(char *to, size_t size, est_slice from) {
    size_t length = from.size < size ? from.size : size - 1;
    memcpy(to, from.size ? from.data : "", length);
    to[length] = 0;
}

void session_connected(struct session *s, est_time now) {
    s->state = HELLO;
    s->hello_due = true;
    s->bye_is_said = false;
    s->connected_at = s->heard_at = s->sent_at = s->pinged_at = now;
}

/* Everything unanswered waits for the next session. */
static void tables_requeue(struct session *s) {
    leases_requeue(&s->leases, EST_AGENT_LOST);
    asks_requeue(&s->asks);
    uint64_t kept = s->acks.sent - s->acks.first;
    s->acks.sent -= kept < SESSION_ACKS_KEPT ? kept : SESSION_ACKS_KEPT;
}

void session_break(struct session *s, int code, est_slice text) {
    if (s->state == OFF || s->state == BROKEN)
        return;
    s->down_code = code;
    text_copy(s->down_text, sizeof s->down_text, text.size ? text : slice_of(est_code_text(code)));
    if (s->state == UP)
        tables_requeue(s);
    s->state = BROKEN;
}

void session_break_cstr(struct session *s, int code, const char *text) {
    session_break(s, code, slice_of(text));
}

void session_disconnected(struct session *s, int code, const char *text) {
    session_break_cstr(s, code, text);
    if (s->state == OFF)
        return;
    s->state = OFF;
    s->down_due = true;
    s->frame_is_open = false;
    s->pairs_at = 0;
    s->hello_due = s->ready_due = s->leave_due = s->pong_due = s->bye_due = false;
    s->renew_left = s->renews_open = 0;
    s->resume_at = (est_time){0};
}

bool session_is_broken(const struct session *s) {
    return s->state == BROKEN;
}

bool session_is_up(const struct session *s) {
    return s->state == UP;
}

est_slice session_account(const struct session *s) {
    return slice_of(s->account);
}

void session_bye(struct session *s) {
    s->bye_due = s->state == UP;
}

bool session_has_said_bye(const struct session *s) {
    return s->bye_is_said;
}

/* --- Time. ---------------------------------------------------------------------------------------- */

static est_time silence_at(const struct session *s) {
    int64_t patience = s->state == HELLO ? SESSION_WELCOME_MS * EST_US_PER_MS : 3 * s->heartbeat.us;
    return (est_time){(s->state == HELLO ? s->connected_at.us : s->heard_at.us) + patience};
}

est_time session_ping_at(const struct session *s) {
    int64_t since = s->heard_at.us > s->pinged_at.us ? s->heard_at.us : s->pinged_at.us;
    return (est_time){since + s->heartbeat.us};
}

static void leases_tick(struct session *s, est_time now) {
    if (now.us >= s->expire_at.us)
        s->expire_at = leases_expire(&s->leases, now);
    if (now.us < s->renew_at.us)
        return;
    s->renew_left = s->leases.chains[LEASE_HELD].count;
    s->renew_at.us = now.us + s->term_min.us / 3;
}

void session_tick(struct session *s, est_time now) {
    if (s->state != HELLO && s->state != UP)
        return;
    if (now.us >= silence_at(s).us) {
        s->state == HELLO
            ? session_break_cstr(s, EST_UNREACHABLE, "the broker did not say WELCOME in time")
            : session_break_cstr(s, EST_SILENT_PEER, "nothing was heard from the broker for three heartbeats: it "
                                                    "fell silent, or this program did not poll");
        return;
    }
    if (s->resume_at.us && now.us >= s->resume_at.us) {
        s->resume_at.us = 0;
        asks_resume(&s->asks);
    }
    if (s->state == UP && s->leases.chains[LEASE_HELD].count)
        leases_tick(s, now);
    if (s->state == UP && now.us >= s->ready_again_at.us) {
        s->ready_due = !s->leaving;
        s->ready_is_rest = false;
        s->ready_again_at.us = INT64_MAX;
    }
}

est_time session_wakeup(const struct session *s) {
    if (s->state != HELLO && s->state != UP)
        return (est_time){INT64_MAX};
    int64_t at = silence_at(s).us;
    if (s->state == UP && s->sent_at.us + s->heartbeat.us < at)
        at = s->sent_at.us + s->heartbeat.us;
    if (s->state == UP && session_ping_at(s).us < at)
        at = session_ping_at(s).us;
    if (s->resume_at.us && s->resume_at.us < at)
        at = s->resume_at.us;
    if (s->state == UP && s->ready_again_at.us < at)
        at = s->ready_again_at.us;
    int64_t lease_at = s->renew_at.us < s->expire_at.us ? s->renew_at.us : s->expire_at.us;
    if (s->state == UP && s->leases.chains[LEASE_HELD].count && lease_at < at)
        at = lease_at;
    return (est_time){at};
}
