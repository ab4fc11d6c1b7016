/* session_in.c - frames that came: a handler for each verb, and the events nobody sent. */
#include "session_state.h"

#include <stdio.h>
#include <string.h>

/* --- Frames in: a handler for each verb says whether it made an event. --------------------------- */

typedef bool (*handler)(struct session *, est_time now, struct session_event *ret);

static bool breach(struct session *s, const char *what) {
    session_break_cstr(s, EST_MALFORMED, what);
    return false;
}

/* A grant of nothing leaves what we wished; one that is larger than our tables, too. */
static uint64_t granted(uint64_t grant, uint64_t wish) {
    return grant > 0 && grant < wish ? grant : wish;
}

/* Somebody else's key: what it asked and took would be another account's. It breaks before anything of that
 * account's is told to the program, or acknowledged: its results wait for it on. */
static bool stranger(struct session *s, est_slice account) {
    char text[EST_TEXT_MAX + 1];
    snprintf(text, sizeof text, "the broker knows this key as the account %.*s, not as %s", (int)account.size,
             (const char *)account.data, s->account_wish);
    session_break_cstr(s, EST_INPUT, text);
    return false;
}

static bool on_welcome(struct session *s, est_time now, struct session_event *ret) {
    (void)now;
    const struct welcome *welcome = &s->in.welcome;
    if (s->state != HELLO)
        return breach(s, "the broker said WELCOME twice");
    size_t lists = s->types.size + s->districts.size + COMMAND_SIZE_SMALL;
    if (welcome->version != PROTOCOL_VERSION || welcome->frame_max < FRAME_SIZE_MIN)
        return breach(s, "the broker's WELCOME names a version or a frame size that cannot be worked with");
    if (welcome->frame_max < lists)
        return breach(s, "the lists of types and districts are longer than this broker's frames");
    if (s->account_wish[0] && !slice_equal(welcome->account, slice_of(s->account_wish)))
        return stranger(s, welcome->account);
    s->state = UP;
    s->window_granted = (uint32_t)granted(welcome->window, s->window);
    s->asks_max = (uint32_t)granted(welcome->asks_max, SESSION_ASKS_MAX);
    s->frame_max = granted(welcome->frame_max, EST_FRAME_MAX);
    s->body_max = granted(welcome->body_max, EST_BODY_MAX);
    uint64_t heartbeat_ms = welcome->heartbeat_ms ? welcome->heartbeat_ms : SESSION_HEARTBEAT_MS;
    s->heartbeat.us = (int64_t)heartbeat_ms * EST_US_PER_MS;
    s->lease_term.us = (int64_t)welcome->lease_ms * EST_US_PER_MS;
    s->renew_at.us = s->expire_at.us = s->term_min.us = INT64_MAX;
    s->ready_due = s->role == SESSION_AGENT && !s->leaving;
    s->ready_is_rest = false;
    s->ready_again_at.us = INT64_MAX;
    buffer_clear(&s->types_rest);
    text_copy(s->account, sizeof s->account, welcome->account);
    ret->kind = SESSION_UP;
    return true;
}

static bool on_ping(struct session *s, est_time now, struct session_event *ret) {
    (void)now, (void)ret;
    s->pong_due = true;
    s->pong_token = s->in.ping.token;
    return false;
}

static bool on_pong(struct session *s, est_time now, struct session_event *ret) {
    (void)s, (void)now, (void)ret;
    return false; /* that it came is all it says */
}

/* The same bytes may not be sent twice to a broker that called them malformed: the program hears
 * of what was in flight, and this end does not try for ever. */
static bool on_bye(struct session *s, est_time now, struct session_event *ret) {
    (void)now, (void)ret;
    if (s->in.bye.code == EST_MALFORMED)
        asks_refuse_sent(&s->asks, NULL, EST_MALFORMED);
    session_break(s, (int)s->in.bye.code, s->in.bye.text);
    return false;
}

/* The verb that answers a verb that asks. */
static const uint8_t answer_of[VERB_MAX + 1] = {
    [VERB_SUBMIT] = VERB_ACCEPTED,  [VERB_CANCEL] = VERB_DONE,          [VERB_STATUS] = VERB_STATUS_IS,
    [VERB_QUEUES] = VERB_QUEUES_IS, [VERB_TIMELINE] = VERB_TIMELINE_IS, [VERB_AGENTS] = VERB_AGENTS_IS,
    [VERB_PARKED] = VERB_PARKED_IS, [VERB_REQUEUE] = VERB_DONE,         [VERB_DRAIN] = VERB_DONE,
    [VERB_STATS] = VERB_STATS_IS,   [VERB_PAUSE] = VERB_DONE,           [VERB_REDIRECT] = VERB_DONE,
    [VERB_KEYS] = VERB_KEYS_IS,     [VERB_CONFIG] = VERB_CONFIG_IS,     [VERB_EVENTS] = VERB_EVENTS_IS,
    [VERB_FIND] = VERB_FIND_IS,     [VERB_REINDEX] = VERB_DONE,         [VERB_COUNTERS] = VERB_COUNTERS_IS,
};

enum verb session_answer_of(enum verb verb) {
    return verb <= VERB_MAX ? (enum verb)answer_of[verb] : VERB_NONE;
}

/* Every answer carries its ref first, so one place in the union reads it for all. */
_Static_assert(offsetof(struct done, ref) == 0 && offsetof(struct status_is, ref) == 0 &&
                   offsetof(struct timeline_is, ref) == 0 && offsetof(struct page_is, ref) == 0 &&
                   offsetof(struct stats_is, ref) == 0 && offsetof(struct config_is, ref) == 0 &&
                   offsetof(struct events_is, ref) == 0 && offsetof(struct find_is, ref) == 0 &&
                   offsetof(struct counters_is, ref) == 0,
               "the ref of an answer comes first");

/* An answer to what is no longer asked (it was sent twice, over two connections) is passed over. */
static bool on_answer(struct session *s, est_time now, struct session_event *ret) {
    (void)now;
    uint64_t wire_ref = s->in.done.ref;
    if (wire_ref == REF_READY)
        buffer_clear(&s->types_rest); /* all are taken */
    if (wire_ref < ASK_REF_FIRST)
        return false; /* DONE of READY or LEAVE */
    uint32_t slot = ask_by_ref(&s->asks, wire_ref);
    if (slot == SLOT_NONE)
        return false;
    if (answer_of[s->asks.at[slot].verb] != s->in.verb)
        return breach(s, "the broker answered another question than was asked");
    ret->kind = SESSION_ANSWER;
    ret->ref = s->asks.at[slot].ref;
    ask_free(&s->asks, slot);
    return true;
}

static bool on_accepted(struct session *s, est_time now, struct session_event *ret) {
    (void)now;
    uint32_t slot = ask_by_id(&s->asks, &s->in.accepted.id);
    if (slot == SLOT_NONE || s->asks.at[slot].state != ASK_SENT)
        return false;
    bool is_news = !s->asks.at[slot].accepted;
    if (s->results == RESULTS_OWN)
        ask_accept(&s->asks, slot);
    else
        ask_free(&s->asks, slot);
    ret->kind = SESSION_ANSWER;
    ret->id = s->in.accepted.id;
    ret->number = s->in.accepted.number;
    return is_news;
}

static bool on_result(struct session *s, est_time now, struct session_event *ret) {
    (void)now;
    uint32_t slot = ask_by_id(&s->asks, &s->in.result.id);
    if (slot != SLOT_NONE && s->asks.at[slot].state == ASK_AWAITING)
        ask_free(&s->asks, slot);
    ret->kind = SESSION_RESULT;
    ret->id = s->in.result.id;
    ret->number = s->in.result.number;
    return true;
}

/* Codes after which nothing more can be said on this connection; another one may do. */
static bool code_ends_session(uint64_t code) {
    switch (code) {
    case EST_VERSION_UNSUPPORTED:
    case EST_HELLO_FIRST:
    case EST_KEY_REVOKED:
    case EST_NOT_LEADER:
    case EST_STOPPING:
    case EST_SILENT_PEER:
    case EST_SLOW_PEER:
        return true;
    default:
        return false;
    }
}

static bool id_is_zero(const est_id *id) {
    static const est_id zero;
    return memcmp(id, &zero, sizeof zero) == 0;
}

/* An ask that was accepted before and only awaits its result is put off, not refused: the program
 * has its receipt, and the broker still holds the inquiry. */
static bool ask_refused(struct session *s, est_time now, uint32_t slot, struct session_event *ret) {
    struct ask *ask = &s->asks.at[slot];
    if (ask->accepted) {
        uint64_t pause_ms = s->in.error.retry_ms ? s->in.error.retry_ms : 1000;
        ask_move(&s->asks, slot, ASK_LATER);
        s->resume_at.us = now.us + (int64_t)pause_ms * EST_US_PER_MS;
        return false;
    }
    ret->ref = ask->ref;
    ask_free(&s->asks, slot);
    return true;
}

static bool lease_refused(struct session *s, struct session_event *ret) {
    uint32_t slot = lease_find(&s->leases, s->in.error.number, s->in.error.epoch);
    if (slot == SLOT_NONE)
        return false;
    if (s->leases.at[slot].state == LEASE_HELD) {
        ret->kind = SESSION_LOST;
        ret->work = s->leases.at[slot].work;
    }
    lease_free(&s->leases, slot);
    return true;
}

static bool defects_name(est_slice defects, est_slice name) {
    struct cursor c;
    est_defect defect;
    size_t count;
    if (!rows_open(&c, defects, &count))
        return false;
    for (size_t i = 0; i < count && defect_next(&c, &defect); i++)
        if (slice_equal(slice_of(defect.path), name))
            return true;
    return false;
}

/* The list without the names that the defects name; how many are left. */
static size_t types_without(est_slice types, est_slice defects, struct buffer *ret) {
    size_t left = 0, count = 0;
    for (int round = 0; round < 2; round++) { /* first counted, since an array says how long it is */
        struct cursor c;
        est_slice name;
        rows_open(&c, types, &count);
        if (round == 1)
            pack_array(ret, left);
        for (size_t i = 0; i < count && cursor_text(&c, EST_NAME_MAX, &name); i++) {
            if (defects_name(defects, name))
                continue;
            left += round == 0;
            if (round == 1)
                pack_text(ret, name);
        }
    }
    return left;
}

/* A type was retired, or went to another department: that is no reason to answer none of the others. Without any
 * the session is of no use. True where it is news; asked again with all, the READY before is still in force. */
static bool ready_refused(struct session *s, est_time now) {
    const struct error_is *error = &s->in.error;
    est_slice asked = buffer_slice(error->ref == REF_READY ? &s->types : &s->types_rest);
    struct buffer rest;
    buffer_init(&rest);
    size_t left = asked.size > 0 ? types_without(asked, error->defects, &rest) : 0;
    bool news = !slice_equal(buffer_slice(&rest), buffer_slice(&s->types_rest));
    if (left == 0 || rest.failed || slice_equal(buffer_slice(&rest), asked)) {
        buffer_done(&rest);
        session_break(s, (int)error->code, error->text);
        return false;
    }
    if (news) {
        struct buffer before = s->types_rest;
        s->types_rest = rest;
        rest = before;
        s->ready_due = s->ready_is_rest = true;
    }
    buffer_done(&rest);
    s->ready_again_at.us = now.us + SESSION_READY_AGAIN_MS * EST_US_PER_MS;
    return news;
}

static bool on_error(struct session *s, est_time now, struct session_event *ret) {
    const struct error_is *error = &s->in.error;
    if (s->state == HELLO || code_ends_session(error->code)) {
        session_break(s, (int)error->code, error->text);
        return false;
    }
    ret->kind = SESSION_REFUSED;
    ret->code = (int)error->code;
    ret->text = error->text;
    ret->id = error->id;
    ret->number = error->number;
    ret->epoch = error->epoch;
    if (error->ref == REF_READY || error->ref == REF_READY_REST)
        return ready_refused(s, now);
    if (error->ref >= ASK_REF_FIRST) {
        uint32_t slot = ask_by_ref(&s->asks, error->ref);
        return slot != SLOT_NONE && ask_refused(s, now, slot, ret);
    }
    if (!id_is_zero(&error->id)) {
        uint32_t slot = ask_by_id(&s->asks, &error->id);
        return slot != SLOT_NONE && s->asks.at[slot].state == ASK_SENT && ask_refused(s, now, slot, ret);
    }
    if (error->epoch != 0)
        return lease_refused(s, ret);
    return error->ref == 0;
}

static void lease_clock_set(struct session *s, est_time now, est_time until, est_span term) {
    if (term.us == 0)
        return;
    if (term.us < s->term_min.us)
        s->term_min = term;
    if (now.us + term.us / 3 < s->renew_at.us)
        s->renew_at.us = now.us + term.us / 3;
    if (until.us < s->expire_at.us)
        s->expire_at = until;
}

static bool on_assign(struct session *s, est_time now, struct session_event *ret) {
    const struct assign *assign = &s->in.assign;
    if (lease_find(&s->leases, assign->number, assign->epoch) != SLOT_NONE)
        return breach(s, "the broker assigned the same work twice");
    if (s->leases.chains[LEASE_HELD].count >= s->window_granted)
        return breach(s, "the broker assigned more work than the window allows");
    est_span term = {(int64_t)assign->lease_ms * EST_US_PER_MS};
    if (term.us == 0)
        term = s->lease_term;
    est_time until = {term.us ? now.us + term.us : INT64_MAX};
    uint32_t slot = lease_new(&s->leases, assign->number, assign->epoch, until, term);
    if (slot == SLOT_NONE)
        return breach(s, "the broker does not confirm the answers it is sent");
    lease_clock_set(s, now, until, term);
    ret->kind = SESSION_WORK;
    ret->number = assign->number;
    ret->epoch = assign->epoch;
    ret->lease = slot;
    return true;
}

/* One event for each pair; pairs_at remembers how far the list has been told. */
static bool on_recorded(struct session *s, est_time now, struct session_event *ret) {
    (void)now;
    const struct numbers *pairs = &s->in.recorded.pairs;
    while (s->pairs_at + 1 < pairs->count) {
        uint64_t number = pairs->at[s->pairs_at], epoch = pairs->at[s->pairs_at + 1];
        s->pairs_at += 2;
        uint32_t slot = lease_find(&s->leases, number, epoch);
        if (slot == SLOT_NONE || s->leases.at[slot].state == LEASE_HELD)
            continue;
        lease_free(&s->leases, slot);
        *ret = (struct session_event){.kind = SESSION_RECORDED, .number = number, .epoch = epoch};
        return true;
    }
    s->pairs_at = 0;
    return false;
}

/* The broker answers each RENEW with one RENEWED. What was asked for and is in none of them is over. */
static bool on_renewed(struct session *s, est_time now, struct session_event *ret) {
    (void)ret;
    const struct numbers *pairs = &s->in.renewed.pairs;
    for (size_t i = 0; i + 1 < pairs->count; i += 2) {
        uint32_t slot = lease_find(&s->leases, pairs->at[i], pairs->at[i + 1]);
        if (slot == SLOT_NONE)
            continue;
        struct lease *lease = &s->leases.at[slot];
        lease->asked = false;
        if (lease->term.us)
            lease->until.us = now.us + lease->term.us;
    }
    if (s->renews_open > 0 && --s->renews_open == 0)
        leases_settle(&s->leases);
    return false;
}

/* The broker ended the lease before the answer came, so the answer will be refused; that it is known
 * now makes room at once for the work that the broker gives in its place. */
static bool on_revoke(struct session *s, est_time now, struct session_event *ret) {
    (void)now;
    uint32_t slot = lease_find(&s->leases, s->in.revoke.number, s->in.revoke.epoch);
    if (slot == SLOT_NONE)
        return false;
    if (s->leases.at[slot].state != LEASE_SENT) { /* an answer that has not left is not sent */
        lease_lose(&s->leases, slot, (int)s->in.revoke.code);
        return false;
    }
    lease_free(&s->leases, slot);
    *ret = (struct session_event){.kind = SESSION_REFUSED,
                                  .code = (int)s->in.revoke.code,
                                  .number = s->in.revoke.number,
                                  .epoch = s->in.revoke.epoch,
                                  .text = slice_of(est_code_text((int)s->in.revoke.code))};
    return true;
}

static const handler handlers[VERB_MAX + 1] = {
    [VERB_WELCOME] = on_welcome,   [VERB_PING] = on_ping,          [VERB_PONG] = on_pong,
    [VERB_BYE] = on_bye,           [VERB_ERROR] = on_error,        [VERB_DONE] = on_answer,
    [VERB_ACCEPTED] = on_accepted, [VERB_STATUS_IS] = on_answer,   [VERB_TIMELINE_IS] = on_answer,
    [VERB_RESULT] = on_result,     [VERB_ASSIGN] = on_assign,      [VERB_RECORDED] = on_recorded,
    [VERB_RENEWED] = on_renewed,   [VERB_REVOKE] = on_revoke,      [VERB_QUEUES_IS] = on_answer,
    [VERB_AGENTS_IS] = on_answer,  [VERB_PARKED_IS] = on_answer,   [VERB_STATS_IS] = on_answer,
    [VERB_KEYS_IS] = on_answer,    [VERB_CONFIG_IS] = on_answer,   [VERB_EVENTS_IS] = on_answer,
    [VERB_FIND_IS] = on_answer,    [VERB_COUNTERS_IS] = on_answer,
};

static bool verb_is_for(const struct session *s, enum verb verb) {
    unsigned doors = s->role == SESSION_AGENT ? DOOR_DEPARTMENT : DOOR_REQUESTER | DOOR_OPERATOR;
    return handlers[verb] && verb_direction(verb) & TO_FAR_END && verb_doors(verb) & doors;
}

static bool verb_may_precede_welcome(enum verb verb) {
    return verb == VERB_WELCOME || verb == VERB_ERROR || verb == VERB_BYE || verb == VERB_PING;
}

void session_frame(struct session *s, est_time now, est_slice frame) {
    if (s->state != HELLO && s->state != UP)
        return;
    s->heard_at = now;
    if (frame_open(&s->frame, frame))
        s->frame_is_open = true;
    else
        breach(s, "the broker's frame is of another protocol version");
}

static bool verb_is_question(enum verb verb) {
    return answer_of[verb] != VERB_ACCEPTED && answer_of[verb] != VERB_DONE;
}

/* Reads one command. Of what this end cannot read, any question that is open may be the reason, and asking it again
 * would bring it again. What is no question is asked again: nobody would know otherwise whether it was done.
 * True where it made an event. */
static bool command_read(struct session *s, est_time now, struct session_event *ret) {
    int got = message_next(&s->frame, &s->in);
    if (got == 0) {
        s->frame_is_open = false;
        return false;
    }
    if (got < 0) {
        char why[EST_TEXT_MAX / 2], text[EST_TEXT_MAX];
        message_fault(&s->frame, &s->in, why, sizeof why);
        snprintf(text, sizeof text, "the broker's frame breaks the protocol: %s", why);
        asks_refuse_sent(&s->asks, verb_is_question, EST_INTERNAL);
        return breach(s, text);
    }
    if (!verb_is_for(s, s->in.verb) || (s->state == HELLO && !verb_may_precede_welcome(s->in.verb)))
        return breach(s, "the broker sent a command that has no place here");
    *ret = (struct session_event){.message = &s->in};
    return handlers[s->in.verb](s, now, ret);
}

/* --- Events that no frame brings. ----------------------------------------------------------------- */

static void down_tell(struct session *s, struct session_event *ret) {
    *ret = (struct session_event){.kind = SESSION_DOWN, .code = s->down_code, .text = slice_of(s->down_text)};
    s->down_due = false;
}

static void lost_tell(struct session *s, struct session_event *ret) {
    uint32_t slot = s->leases.chains[LEASE_LOST].first;
    const struct lease *lease = &s->leases.at[slot];
    *ret = (struct session_event){.kind = SESSION_LOST,
                                  .code = lease->code,
                                  .number = lease->number,
                                  .epoch = lease->epoch,
                                  .work = lease->work,
                                  .text = slice_of(est_code_text(lease->code))};
    lease_free(&s->leases, slot);
}

static void refused_tell(struct session *s, struct session_event *ret) {
    uint32_t slot = s->asks.chains[ASK_REFUSED].first;
    const struct ask *ask = &s->asks.at[slot];
    *ret = (struct session_event){
        .kind = SESSION_REFUSED, .code = ask->code, .text = slice_of(est_code_text(ask->code))};
    if (ask->verb == VERB_SUBMIT)
        ret->id = ask->id;
    else
        ret->ref = ask->ref;
    ask_free(&s->asks, slot);
}

int session_next(struct session *s, est_time now, struct session_event *ret) {
    if (s->pairs_at > 0 && on_recorded(s, now, ret))
        return 1;
    for (;;) {
        if (s->down_due) {
            down_tell(s, ret);
            return 1;
        }
        if (s->leases.chains[LEASE_LOST].count) {
            lost_tell(s, ret);
            return 1;
        }
        if (s->asks.chains[ASK_REFUSED].count) {
            refused_tell(s, ret);
            return 1;
        }
        if (!s->frame_is_open || s->state == BROKEN)
            return 0;
        if (command_read(s, now, ret))
            return 1;
    }
}
