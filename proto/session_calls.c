/* session_calls.c - what the program asks, answers and acknowledges.
 *
 * Everything is checked here, before it is kept: a command that breaks the protocol would break
 * the connection, be sent again on the next one, and break that too.
 */
#include "session_state.h"

#include <string.h>

/* --- Checks. -------------------------------------------------------------------------------------- */

static bool text_fits(est_slice text, size_t max) {
    return text.size <= max && utf8_is_valid(text);
}

/* A body is one map, whole and well formed; an empty slice stands for an empty map. */
static bool body_is_map(est_slice body) {
    struct cursor c;
    est_slice value;
    cursor_init(&c, body);
    return body.size == 0 ||
           (cursor_peek(&c) == KIND_MAP && cursor_value(&c, &value) && cursor_left(&c) == 0);
}

static int body_check(const struct session *s, est_slice body) {
    if (body.size > s->body_max)
        return -EST_TOO_LARGE;
    return body_is_map(body) ? 0 : -EST_INPUT;
}

static int submit_check(const struct session *s, const struct submit *it) {
    static const est_id zero;
    bool fits = text_fits(it->type, EST_NAME_MAX) && text_fits(it->purpose, EST_NAME_MAX) &&
                text_fits(it->trace, EST_TRACE_MAX) && text_fits(it->case_id, EST_CASE_MAX);
    bool named = it->type.size > 0 && memcmp(&it->id, &zero, sizeof zero) != 0;
    if (!fits || !named || it->deadline_us > INT64_MAX)
        return -EST_INPUT;
    return body_check(s, it->body);
}

/* --- Asks. ---------------------------------------------------------------------------------------- */

static bool asks_are_full(const struct session *s) {
    return s->asks.unanswered >= s->asks_max;
}

static int ask_keep(struct session *s, uint32_t slot) {
    struct buffer *command = &s->asks.at[slot].command;
    message_pack(command, &s->out);
    if (!command->failed)
        return 0;
    buffer_done(command);
    ask_free(&s->asks, slot);
    return -EST_NO_MEMORY;
}

/* The id is in the table. It is the same submit when it packs to the same bytes. */
static int submit_again(struct session *s, uint32_t slot) {
    struct buffer again;
    buffer_init(&again);
    message_pack(&again, &s->out);
    bool same = slice_equal(buffer_slice(&again), buffer_slice(&s->asks.at[slot].command));
    int code = again.failed ? -EST_NO_MEMORY : same ? 0 : -EST_CONFLICT;
    buffer_done(&again);
    return code;
}

int session_submit(struct session *s, const struct submit *it) {
    int wrong = submit_check(s, it);
    if (wrong)
        return wrong;
    s->out.verb = VERB_SUBMIT;
    s->out.submit = *it;
    uint32_t known = ask_by_id(&s->asks, &it->id);
    if (known != SLOT_NONE)
        return submit_again(s, known);
    uint32_t slot = asks_are_full(s) ? SLOT_NONE : ask_new_submit(&s->asks, &it->id);
    return slot == SLOT_NONE ? -EST_FULL : ask_keep(s, slot);
}

_Static_assert(offsetof(struct cancel, ref) == 0 && offsetof(struct status, ref) == 0 &&
                   offsetof(struct timeline, ref) == 0 && offsetof(struct page, ref) == 0 &&
                   offsetof(struct requeue, ref) == 0 && offsetof(struct drain, ref) == 0 &&
                   offsetof(struct stats, ref) == 0 && offsetof(struct pause, ref) == 0 &&
                   offsetof(struct redirect, ref) == 0 && offsetof(struct config_ask, ref) == 0 &&
                   offsetof(struct find, ref) == 0 && offsetof(struct reindex, ref) == 0 &&
                   offsetof(struct counters_ask, ref) == 0,
               "the ref of an ask comes first");

/* A text that is required may not be empty either: no broker does anything with it. */
static bool field_fits(const struct message *ask, const struct protocol_field *field) {
    const void *at = (const char *)ask + field->offset;
    if (strcmp(field->type, "uint32") == 0)
        return *(const uint64_t *)at <= UINT32_MAX;
    if (strcmp(field->type, "text") != 0)
        return true;
    const est_slice *text = at;
    return text_fits(*text, field->limit) && (text->size > 0 || !field->required);
}

static int ask_check(const struct message *ask) {
    struct protocol_field field;
    if (ask->verb == VERB_SUBMIT || !session_answer_of(ask->verb))
        return -EST_INPUT;
    for (size_t i = 0; protocol_field(ask->verb, i, &field); i++)
        if (!field_fits(ask, &field))
            return -EST_INPUT;
    return 0;
}

int session_ask(struct session *s, const struct message *ask) {
    int wrong = ask_check(ask);
    if (wrong)
        return wrong;
    uint32_t slot = asks_are_full(s) ? SLOT_NONE : ask_new(&s->asks, ask->verb, ask->done.ref);
    if (slot == SLOT_NONE)
        return -EST_FULL;
    s->out.verb = ask->verb;
    memcpy(&s->out.page, &ask->page, verb_size(ask->verb));
    s->out.done.ref = ask_wire_ref(&s->asks, slot);
    return ask_keep(s, slot);
}

int session_ack(struct session *s, uint64_t number) {
    struct acks *acks = &s->acks;
    if (s->role != SESSION_CLIENT)
        return -EST_INPUT;
    if (acks->end - acks->sent >= SESSION_ACKS_MAX)
        return -EST_FULL;
    acks->at[acks->end++ & (acks->capacity - 1)] = number;
    return 0;
}

/* --- Work. ---------------------------------------------------------------------------------------- */

void session_work_set(struct session *s, uint32_t lease, void *work) {
    s->leases.at[lease].work = work;
}

static int answer_check(const struct session *s, const struct message *m) {
    const struct answer *answer = &m->answer;
    switch (m->verb) {
    case VERB_ANSWER:
        if (!text_fits(answer->reason, EST_TEXT_MAX) || !text_fits(answer->legal_ref, EST_TEXT_MAX) ||
            !text_fits(answer->valid_until, EST_DATE_MAX) || !text_fits(answer->signer, EST_SIGNER_MAX))
            return -EST_INPUT;
        return body_check(s, answer->body);
    case VERB_RETRY:
        return text_fits(m->retry.reason, EST_TEXT_MAX) && m->retry.after_ms <= UINT32_MAX ? 0 : -EST_INPUT;
    case VERB_REFUSE:
        return text_fits(m->refuse.reason, EST_TEXT_MAX) ? 0 : -EST_INPUT;
    default:
        return -EST_INPUT;
    }
}

_Static_assert(offsetof(struct answer, number) == offsetof(struct retry, number) &&
                   offsetof(struct answer, number) == offsetof(struct refuse, number) &&
                   offsetof(struct answer, epoch) == offsetof(struct retry, epoch) &&
                   offsetof(struct answer, epoch) == offsetof(struct refuse, epoch),
               "number and epoch are where they are in every answer");

int session_answer(struct session *s, const struct message *answer) {
    uint32_t slot = lease_find(&s->leases, answer->answer.number, answer->answer.epoch);
    if (slot == SLOT_NONE || s->leases.at[slot].state != LEASE_HELD)
        return -EST_STALE_EPOCH;
    s->leases.at[slot].work = NULL; /* it may be gone by the time the lease is */
    int wrong = answer_check(s, answer);
    if (wrong)
        return wrong;
    struct buffer *command = &s->leases.at[slot].answer;
    message_pack(command, answer);
    if (command->failed) {
        buffer_clear(command);
        return -EST_NO_MEMORY;
    }
    lease_move(&s->leases, slot, LEASE_READY);
    return 0;
}

void session_leave(struct session *s) {
    s->leaving = true;
    s->leave_due = s->state == UP && !s->ready_due;
    s->ready_due = false;
}

bool session_is_idle(const struct session *s) {
    const struct chain *chains = s->leases.chains;
    return !chains[LEASE_HELD].count && !chains[LEASE_READY].count && !chains[LEASE_SENT].count;
}
