/* requester.c - what a requester may do: submit, cancel, take results. */
#include "state.h"

#include <endian.h>

static void receipt(struct effects *fx, uint32_t session, uint64_t number, const est_id *id, bool again) {
    struct effect *e = effect_new(fx, EFFECT_ACCEPTED, session);
    e->number = number;
    e->id = *id;
    e->again = again;
}

static void submit_refuse(const struct core *c, struct effects *fx, uint32_t session, const est_id *id, uint32_t code) {
    struct effect *e = effect_new(fx, EFFECT_REFUSED, session);
    e->code = code;
    e->id = *id;
    if (code == EST_BUSY || code == EST_DRAINING)
        e->retry = c->limits.busy_retry;
    note(fx, FACT_REFUSED, session, 0, code);
}

/* The id is known: the same receipt as before, and the result once more if it is still to be
 * acknowledged and not on its way already. */
static void submit_again(struct core *c, uint32_t session, const struct input_submit *in, struct effects *fx) {
    if (!in->same) {
        submit_refuse(c, fx, session, &in->it.id, EST_CONFLICT);
        return;
    }
    receipt(fx, session, in->known, &in->it.id, true);
    note(fx, FACT_SUBMITTED_AGAIN, session, in->known, 0);
    uint32_t inquiry = inquiry_find(c, in->known);
    if (inquiry == NONE)
        return;
    struct inquiry *q = &c->inquiries[inquiry];
    origin_set(c, inquiry, session);
    if (est_state_is_final(q->state) && q->session == NONE)
        deliver_result(c, inquiry, fx);
}

static uint32_t submit_check(const struct core *c, est_time now, const struct event_submitted *it) {
    const struct account *a = &c->accounts[it->account];
    if (!core_may_ask(c, it->account, it->type, it->purpose))
        return EST_NOT_ALLOWED;
    if (c->draining)
        return EST_DRAINING;
    bool table_full = c->inquiries_free == NONE && c->inquiries_used >= c->limits.inquiries_max;
    if (c->full || table_full || a->kept >= c->limits.account_open_max)
        return EST_BUSY;
    const uint32_t *lane = &c->lane_of[(size_t)it->type * (c->limits.districts_max + 1) + it->district];
    if (*lane == 0 && !lane_has_room(c))
        return EST_BUSY;
    if (it->due.us <= now.us)
        return EST_DEADLINE_PASSED;
    return EST_OK;
}

void step_submit(struct core *c, est_time now, const struct input *in, struct effects *fx) {
    const struct input_submit *submit = &in->submit;
    if (submit->known != 0) {
        submit_again(c, in->session, submit, fx);
        return;
    }
    struct event e = {.type = EVENT_SUBMITTED, .submitted = submit->it};
    e.submitted.account = session_at(c, in->session)->account;
    uint32_t code = submit_check(c, now, &e.submitted);
    if (code != EST_OK) {
        submit_refuse(c, fx, in->session, &submit->it.id, code);
        return;
    }
    emit(c, now, fx, &e);
    c->accepted++;
    uint32_t inquiry = inquiry_find(c, e.number);
    origin_set(c, inquiry, in->session);
    receipt(fx, in->session, e.number, &submit->it.id, false);
    note(fx, FACT_SUBMITTED, in->session, e.number, 0);
    offer_lane(c, now, c->inquiries[inquiry].lane, fx);
}

/* A requester may end its own; an operator any. Unknown and foreign look alike. */
void step_cancel(struct core *c, est_time now, const struct input *in, struct effects *fx) {
    const struct input_cancel *cancel = &in->cancel;
    uint32_t account = session_at(c, in->session)->account;
    uint32_t inquiry = inquiry_find(c, cancel->number);
    uint32_t owner = inquiry != NONE ? c->inquiries[inquiry].account : cancel->known_account;
    bool known = inquiry != NONE || cancel->known_ended;
    if (!known || (c->accounts[account].role != ROLE_OPERATOR && owner != account)) {
        refuse(fx, in->session, EST_NOT_FOUND, cancel->ref);
        return;
    }
    if (inquiry == NONE || est_state_is_final(c->inquiries[inquiry].state)) {
        refuse(fx, in->session, EST_ALREADY_FINAL, cancel->ref);
        return;
    }
    done(fx, in->session, cancel->ref);
    struct event e = {.type = EVENT_CANCELLED, .cancelled = {.account = account, .reason = cancel->reason}};
    inquiry_end(c, now, inquiry, &e, EST_CANCELLED, fx);
}

/* One event for all of a command's numbers. A number that is not this account's ended inquiry is
 * passed over: it was acknowledged before, or never its own. One that the command names twice has the
 * event being made as its newest already. */
void step_result_ack(struct core *c, est_time now, const struct input *in, struct effects *fx) {
    uint32_t account = session_at(c, in->session)->account;
    size_t count = 0;
    for (size_t i = 0; i < in->ack.count && count < EST_NUMBERS_MAX; i++) {
        uint32_t inquiry = inquiry_find(c, in->ack.numbers[i]);
        if (inquiry == NONE)
            continue;
        struct inquiry *q = &c->inquiries[inquiry];
        if (q->account != account || !est_state_is_final(q->state) || q->last_seq > c->seq)
            continue;
        c->acked_ends[count] = htole64(q->last_seq);
        c->acked[count++] = q->number;
        q->last_seq = c->seq + 1;
    }
    if (count > 0) {
        struct event e = {.type = EVENT_ACKNOWLEDGED,
                          .acknowledged = {.account = account,
                                           .numbers = c->acked,
                                           .count = count,
                                           .ends = {c->acked_ends, count * sizeof *c->acked_ends}}};
        emit(c, now, fx, &e);
        note(fx, FACT_ACKNOWLEDGED, in->session, 0, (uint32_t)count);
    }
    /* The room may be another session's: it took the result, this one acknowledged it. */
    uint32_t at = c->accounts[account].sessions;
    while (at != NONE && c->accounts[account].results.count > 0) {
        feed_results(c, at, fx);
        at = session_at(c, at)->ring_next;
        if (at == c->accounts[account].sessions)
            break;
    }
}
