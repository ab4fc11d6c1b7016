/* invariants.c - what must be true, by name, in sentences, and how each is checked.
 *
 * A check is shown one sight (oracle.h) before the oracle takes it into its account. The table at
 * the end is the list; the names are used by the mutants' test and by people.
 */
#include "oracle.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

typedef unsigned long long ull;

#define CHECK(name) static void name(const struct invariant *me, const void *shown)
#define SIGHT(s)    const struct sight *s = shown

const struct invariant *violated;
char violation_text[512];

void violate(const struct invariant *me, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(violation_text, sizeof violation_text, format, args);
    va_end(args);
    violated = me;
    tell("!! %s: %s", me->name, violation_text);
    sim_end(RUN_VIOLATED);
}

/* --- Keeping what was promised ------------------------------------------------------------------------- */

CHECK(accepted_is_kept) {
    (void)shown;
    for (uint64_t number = 0; number <= oracle.promised_highest; number++) {
        const struct promise *p = &oracle.promises[number];
        const struct tale *t = tale_of(number);
        if (!p->made)
            continue;
        if (t == NULL)
            violate(me, "#%llu was accepted and is not in the record", (ull)number);
        if (t->account != p->account || memcmp(&t->id, &p->id, sizeof p->id) != 0 || t->body != p->body)
            violate(me, "#%llu is not what was accepted", (ull)number);
    }
}

CHECK(told_after_the_disk) {
    SIGHT(s);
    if (disk_durable_seq() < s->head)
        violate(me, "what was made at event %llu leaves while the disk has event %llu", (ull)s->head,
                (ull)disk_durable_seq());
}

CHECK(same_receipt) {
    SIGHT(s);
    if (s->m->verb != VERB_ACCEPTED)
        return;
    const struct accepted *a = &s->m->accepted;
    const struct promise *p = &oracle.promises[a->number % NUMBERS];
    const struct tale *t = tale_of(a->number);
    if (t == NULL || (int64_t)a->at_us != t->received_us || (int64_t)a->due_us != t->due_us ||
        a->district != t->district)
        violate(me, "the receipt of #%llu is not what the record says", (ull)a->number);
    if (p->made && (strncmp(p->tracking, a->tracking.data, a->tracking.size) != 0 ||
                    p->at_us != (int64_t)a->at_us || p->due_us != (int64_t)a->due_us))
        violate(me, "#%llu has another receipt than before", (ull)a->number);
}

static bool same_question(const struct tale *t, const struct ask *ask) {
    return t->body == ask->body && t->type == ask->type && t->purpose == ask->purpose;
}

CHECK(same_id_same_inquiry) {
    SIGHT(s);
    if (s->ask == NULL || s->ask->verb != VERB_SUBMIT)
        return;
    const struct tale *t = tale_by_id(oracle.peers[s->peer].account, &s->ask->id);
    bool accepted = s->m->verb == VERB_ACCEPTED,
         conflict = s->m->verb == VERB_ERROR && s->m->error.code == EST_CONFLICT;
    if (accepted && (t == NULL || t->number != s->m->accepted.number))
        violate(me, "#%llu is the receipt of another inquiry", (ull)s->m->accepted.number);
    if (accepted && !same_question(t, s->ask))
        violate(me, "#%llu: another body under the same id was accepted", (ull)t->number);
    if (conflict && (t == NULL || same_question(t, s->ask)))
        violate(me, "#%llu: the same submit again is called a conflict", (ull)(t != NULL ? t->number : 0));
    if (!accepted && !conflict && t != NULL)
        violate(me, "#%llu: a submit of a known id is refused with %s", (ull)t->number,
                est_code_name((int)s->m->error.code));
}

CHECK(nothing_unasked) {
    SIGHT(s);
    if (s->e->type != EVENT_SUBMITTED)
        return;
    const struct event_submitted *e = &s->e->submitted;
    for (uint32_t peer = 0; peer < PEERS; peer++) {
        const struct peer_tale *p = &oracle.peers[peer];
        for (unsigned i = 0; p->live && p->account == e->account && i < p->asks_count; i++) {
            const struct ask *ask = &p->asks[i];
            if (ask->verb == VERB_SUBMIT && memcmp(&ask->id, &e->id, sizeof e->id) == 0 &&
                ask->body == print_body(e->body) && ask->type == e->type && ask->purpose == e->purpose)
                return;
        }
    }
    violate(me, "event %llu stores an inquiry that no peer of account %u has submitted", (ull)s->e->seq,
            e->account);
}

/* --- One end
 * ------------------------------------------------------------------------------------------------ */

static bool event_ends(const struct event *e) {
    return e->type == EVENT_ANSWERED || e->type == EVENT_EXPIRED || e->type == EVENT_CANCELLED;
}

CHECK(ends_once) {
    SIGHT(s);
    const struct tale *t = tale_of(s->e->number);
    if (t != NULL && tale_is_final(t) && event_ends(s->e))
        violate(me, "#%llu ended %s and ends %s", (ull)t->number, est_state_name((enum est_state)t->state),
                event_type_name(s->e->type));
}

CHECK(ends_by_its_deadline) {
    SIGHT(s);
    int64_t now = process_broker()->now.us;
    for (unsigned i = 0; i < oracle.tales_count; i++) {
        const struct tale *t = &oracle.tales[i];
        if (!tale_is_final(t) && (t->due_us <= now || s->kind == SIGHT_SETTLED))
            violate(me, "#%llu is open %lld ms after its deadline", (ull)t->number,
                    (long long)(now - t->due_us) / EST_US_PER_MS);
    }
}

static uint64_t result_print(const struct result *r) {
    return print_bytes((uint32_t)r->outcome + 1, r->reason) + print_body(r->body);
}

CHECK(end_never_changes) {
    SIGHT(s);
    if (s->kind == SIGHT_STARTED || s->kind == SIGHT_SETTLED) {
        for (uint64_t number = 0; number <= oracle.promised_highest; number++) {
            const struct promise *p = &oracle.promises[number];
            const struct tale *t = tale_of(number);
            if (p->end_told && (t == NULL || t->state != p->end_state || t->end != p->end))
                violate(me, "#%llu has not the end that was told", (ull)number);
        }
        return;
    }
    if (s->m->verb != VERB_RESULT)
        return;
    const struct result *r = &s->m->result;
    const struct promise *p = &oracle.promises[r->number % NUMBERS];
    if (p->end_told && (p->end_state != r->state || p->end != result_print(r)))
        violate(me, "#%llu is told another end than before", (ull)r->number);
}

/* --- Moves
 * ----------------------------------------------------------------------------------------------------- */

/* Who said BYE gives back what it held, and nobody else does. */
static bool leaves_rightly(const struct tale *t, uint32_t code) {
    bool bye = oracle.peers[t->holder].bye;
    return code == EST_AGENT_LEFT ? bye : code != EST_AGENT_LOST || !bye;
}

static const char *move_fault(const struct tale *t, const struct event *e) {
    uint32_t attempts_max = process_broker()->limits.attempts_max;
    const struct inquiry_row *row = disk_row_of(e->number);
    if (e->type == EVENT_SUBMITTED)
        return t == NULL && e->number == e->seq ? NULL : "an inquiry begins twice";
    if (t == NULL || row == NULL)
        return "it is about an inquiry that is not there";
    if (tale_is_final(t))
        return "the inquiry has ended";
    switch (e->type) {
    case EVENT_ATTEMPT_FAILED:
        if (!t->leased)
            return "nobody held it";
        if (!leaves_rightly(t, e->attempt_failed.code))
            return "its holder left otherwise";
        return e->attempt_failed.code != EST_AGENT_LEFT && row->attempts + 1 >= attempts_max ? "it was the last attempt"
                                                                                             : NULL;
    case EVENT_PARKED:
        if (!t->leased)
            return "nobody held it";
        if (!leaves_rightly(t, e->parked.code))
            return "its holder left otherwise";
        return e->parked.code != EST_AGENT_REFUSED && row->attempts + 1 < attempts_max ? "attempts are left"
                                                                                       : NULL;
    case EVENT_REQUEUED:
        return t->state == EST_STATE_PARKED ? NULL : "it is not parked";
    case EVENT_REDIRECTED:
        return e->redirected.district != t->district ? NULL : "it is there already";
    case EVENT_ANSWERED:
        return t->leased ? NULL : "nobody held it";
    case EVENT_EXPIRED:
        return t->due_us <= process_broker()->now.us ? NULL : "its deadline has not come";
    default:
        return NULL;
    }
}

CHECK(legal_moves) {
    SIGHT(s);
    if (s->e->number != 0) {
        const char *fault = move_fault(tale_of(s->e->number), s->e);
        if (fault != NULL)
            violate(me, "%s of #%llu: %s", event_type_name(s->e->type), (ull)s->e->number, fault);
    }
    for (size_t i = 0; s->e->type == EVENT_ACKNOWLEDGED && i < s->e->acknowledged.count; i++) {
        const struct tale *t = tale_of(s->e->acknowledged.numbers[i]);
        if (t == NULL || !tale_is_final(t) || t->acked || t->account != s->e->acknowledged.account)
            violate(me, "account %u acknowledges #%llu", s->e->acknowledged.account,
                    (ull)s->e->acknowledged.numbers[i]);
    }
}

/* --- Leases
 * ------------------------------------------------------------------------------------------------------ */

/* The heard answer that this event came of. */
static bool answer_was_heard(const struct tale *t, const struct event_answered *a) {
    const struct peer_tale *p = &oracle.peers[t->holder];
    uint64_t print = print_bytes(a->outcome + 1, a->reason) + print_body(a->body);
    for (unsigned i = 0; i < p->asks_count; i++)
        if (p->asks[i].verb == VERB_ANSWER && p->asks[i].number == t->number &&
            p->asks[i].epoch == t->epoch && p->asks[i].body == print)
            return true;
    return false;
}

CHECK(only_the_holder_answers) {
    SIGHT(s);
    const struct tale *t = tale_of(s->e->number);
    if (s->e->type != EVENT_ANSWERED || t == NULL)
        return;
    const struct event_answered *a = &s->e->answered;
    if (!t->leased || a->epoch != t->epoch)
        violate(me, "#%llu is answered under epoch %llx, and e%llx holds it", (ull)t->number, (ull)a->epoch,
                (ull)(t->leased ? t->epoch : 0));
    if (oracle.peers[t->holder].account != a->account || !answer_was_heard(t, a))
        violate(me, "#%llu is answered by account %u, and session %u holds it", (ull)t->number, a->account,
                t->holder);
    if (!account_may_answer(a->account, t->type, t->district) &&
        oracle.accounts[a->account].department != oracle.department_of[t->type])
        violate(me, "#%llu is answered by a foreign department", (ull)t->number);
}

CHECK(epochs_are_fresh) {
    SIGHT(s);
    if (s->m->verb == VERB_ASSIGN && s->m->assign.epoch <= oracle.epoch_highest)
        violate(me, "epoch %llx was given before", (ull)s->m->assign.epoch);
}

CHECK(one_lease) {
    SIGHT(s);
    const struct tale *t = s->m->verb == VERB_ASSIGN ? tale_of(s->m->assign.number) : NULL;
    if (t != NULL && (t->leased || tale_is_final(t) || t->state == EST_STATE_PARKED))
        violate(me, "#%llu is leased again while it is %s", (ull)t->number,
                t->leased ? "leased" : est_state_name((enum est_state)t->state));
}

CHECK(leases_end) {
    (void)shown;
    int64_t now = process_broker()->now.us;
    for (unsigned i = 0; i < oracle.tales_count; i++) {
        const struct tale *t = &oracle.tales[i];
        if (t->leased && t->until_us <= now)
            violate(me, "the lease of #%llu ended %lld ms ago", (ull)t->number,
                    (long long)(now - t->until_us) / EST_US_PER_MS);
        if (t->leased && !oracle.peers[t->holder].live)
            violate(me, "#%llu is leased to a session that is gone", (ull)t->number);
    }
}

static bool is_recorded(uint64_t number, uint64_t epoch, uint32_t account) {
    const struct tale *t = tale_of(number);
    for (unsigned i = 0; t != NULL && i < t->pasts; i++)
        if (t->past[i].epoch == epoch && t->past[i].account == account)
            return true;
    return false;
}

CHECK(recorded_is_in_the_record) {
    SIGHT(s);
    const struct numbers *pairs = &s->m->recorded.pairs;
    for (size_t i = 0; s->m->verb == VERB_RECORDED && i + 1 < pairs->count; i += 2)
        if (!is_recorded(pairs->at[i], pairs->at[i + 1], peer_account(s->peer)))
            violate(me, "e%llx of #%llu is called recorded", (ull)pairs->at[i + 1], (ull)pairs->at[i]);
}

CHECK(window_is_kept) {
    SIGHT(s);
    const struct peer_tale *p = &oracle.peers[s->peer];
    if (s->m->verb == VERB_ASSIGN && peer_holds(s->peer) >= p->window)
        violate(me, "session %u gets more than %u inquiries", s->peer, p->window);
    if (s->m->verb == VERB_RESULT && peer_takes(s->peer) >= p->window)
        violate(me, "session %u gets more than %u results", s->peer, p->window);
}

/* --- Who sees what
 * -------------------------------------------------------------------------------------------------- */

static bool peer_serves(uint32_t peer, const struct tale *t) {
    const struct peer_tale *p = &oracle.peers[peer];
    return p->ready && (p->types >> t->type & 1) != 0 && (p->districts >> t->district & 1) != 0 &&
           account_may_answer(p->account, t->type, t->district);
}

CHECK(agent_sees_its_own) {
    SIGHT(s);
    if (s->m->verb != VERB_ASSIGN)
        return;
    const struct tale *t = tale_of(s->m->assign.number);
    if (t == NULL || !peer_serves(s->peer, t))
        violate(me, "#%llu is shown to %s", (ull)s->m->assign.number, peer_name(s->peer));
}

static uint64_t number_shown(const struct message *m) {
    switch (m->verb) {
    case VERB_ACCEPTED:
        return m->accepted.number;
    case VERB_RESULT:
        return m->result.number;
    case VERB_STATUS_IS:
        return m->status_is.number;
    case VERB_TIMELINE_IS:
        return m->timeline_is.number;
    default:
        return 0;
    }
}

CHECK(requester_sees_its_own) {
    SIGHT(s);
    uint64_t number = number_shown(s->m);
    const struct tale *t = tale_of(number);
    if (number == 0 || peer_door(s->peer) != DOOR_REQUESTER)
        return;
    if (t == NULL || t->account != oracle.peers[s->peer].account)
        violate(me, "#%llu is shown to %s", (ull)number, peer_name(s->peer));
}

static bool id_is_given(const est_id *id) {
    static const est_id none;
    return memcmp(id, &none, sizeof none) != 0;
}

/* The refusal of a foreign inquiry must not differ by a byte from that of one that never was. */
CHECK(unknown_looks_foreign) {
    SIGHT(s);
    bool asks = s->ask != NULL &&
                (s->ask->verb == VERB_CANCEL || s->ask->verb == VERB_STATUS || s->ask->verb == VERB_TIMELINE);
    if (!asks || peer_door(s->peer) != DOOR_REQUESTER)
        return;
    uint32_t account = oracle.peers[s->peer].account;
    const struct tale *t =
        id_is_given(&s->ask->id) ? tale_by_id(account, &s->ask->id) : tale_of(s->ask->number);
    bool own = t != NULL && t->account == account, refused = s->m->verb == VERB_ERROR;
    if (own && refused && s->m->error.code == EST_NOT_FOUND)
        violate(me, "#%llu is not found by its own account", (ull)t->number);
    if (own)
        return;
    const struct error_is *e = &s->m->error;
    if (!refused || e->code != EST_NOT_FOUND || e->number != 0 || e->epoch != 0 || e->defects.size != 0 ||
        e->retry_ms != 0)
        violate(me, "%s about #%llu, which is not its own, is not answered NOT_FOUND",
                verb_name(s->ask->verb), (ull)s->ask->number);
    if (oracle.foreign_text[0] == '\0')
        memcpy(oracle.foreign_text, e->text.data, e->text.size), oracle.foreign_text[e->text.size] = '\0';
    if (!slice_equal(slice_of(oracle.foreign_text), e->text))
        violate(me, "two NOT_FOUND differ: `%.*s`", (int)e->text.size, (const char *)e->text.data);
}

CHECK(carried_whole) {
    SIGHT(s);
    if (s->m->verb == VERB_ASSIGN) {
        const struct tale *t = tale_of(s->m->assign.number);
        if (t != NULL && (print_body(s->m->assign.body) != t->body || s->m->assign.district != t->district))
            violate(me, "#%llu is assigned with another body", (ull)t->number);
    } else if (s->m->verb == VERB_RESULT) {
        const struct tale *t = tale_of(s->m->result.number);
        if (t != NULL && (t->state != s->m->result.state || t->end != result_print(&s->m->result)))
            violate(me, "the result of #%llu is not its end", (ull)t->number);
    }
}

/* --- Order and progress
 * ------------------------------------------------------------------------------------------------ */

CHECK(first_in_first_out) {
    SIGHT(s);
    const struct tale *t = s->m->verb == VERB_ASSIGN ? tale_of(s->m->assign.number) : NULL;
    for (unsigned i = 0; t != NULL && i < oracle.tales_count && oracle.tales[i].number < t->number; i++) {
        const struct tale *older = &oracle.tales[i];
        if (older->type == t->type && older->district == t->district && older->state == EST_STATE_WAITING &&
            !older->leased)
            violate(me, "#%llu is offered before #%llu", (ull)t->number, (ull)older->number);
    }
}

CHECK(paused_gets_nothing) {
    SIGHT(s);
    const struct tale *t = s->m->verb == VERB_ASSIGN ? tale_of(s->m->assign.number) : NULL;
    if (t != NULL && oracle.paused[oracle.department_of[t->type]])
        violate(me, "#%llu is leased while its department is paused", (ull)t->number);
}

/* What holds of a moved inquiry by itself; that it ends once is another's sentence. */
CHECK(redirected_is_moved) {
    (void)shown;
    struct inquiry_view view;
    for (unsigned i = 0; i < oracle.tales_count; i++) {
        const struct tale *t = &oracle.tales[i];
        if (core_inquiry(process_broker()->core, t->number, &view) && view.row.district != t->district)
            violate(me, "#%llu is in district %u, and the log says %u", (ull)t->number, view.row.district,
                    t->district);
    }
}

CHECK(no_starvation) {
    (void)shown;
    struct inquiry_view view;
    for (unsigned i = 0; i < oracle.tales_count && !oracle.draining; i++) {
        const struct tale *t = &oracle.tales[i];
        bool waits = !t->leased && (t->state == EST_STATE_WAITING || t->state == EST_STATE_DELAYED);
        if (!waits || oracle.paused[oracle.department_of[t->type]] ||
            !core_inquiry(process_broker()->core, t->number, &view) ||
            view.row.state != EST_STATE_WAITING)
            continue;
        for (uint32_t peer = 0; peer < PEERS; peer++) {
            const struct peer_tale *p = &oracle.peers[peer];
            if (p->live && !p->leaving && peer_is_session(peer) && peer_serves(peer, t) &&
                peer_holds(peer) < p->window)
                violate(me, "#%llu waits while %s has room", (ull)t->number, peer_name(peer));
        }
    }
}

static bool delays_end(const struct tale *t) {
    const struct inquiry_row *row = disk_row_of(t->number);
    return row != NULL && row->state == EST_STATE_DELAYED && row->not_before.us <= process_broker()->now.us;
}

CHECK(delays_are_over) {
    (void)shown;
    struct inquiry_view view;
    for (unsigned i = 0; i < oracle.tales_count; i++) {
        const struct tale *t = &oracle.tales[i];
        if (t->state == EST_STATE_DELAYED && !t->leased && delays_end(t) &&
            core_inquiry(process_broker()->core, t->number, &view) && view.row.state == EST_STATE_DELAYED)
            violate(me, "#%llu is still delayed", (ull)t->number);
    }
}

CHECK(delays_are_kept) {
    SIGHT(s);
    int64_t now = process_broker()->now.us;
    struct tale *t = s->m->verb == VERB_ASSIGN ? tale_of(s->m->assign.number) : NULL;
    if (t != NULL && t->not_before_us > now)
        violate(me, "#%llu is offered %lld ms before its delay is over", (ull)t->number,
                (long long)(t->not_before_us - now) / EST_US_PER_MS);
}

CHECK(results_reach_takers) {
    (void)shown;
    for (unsigned i = 0; i < oracle.tales_count; i++) {
        const struct tale *t = &oracle.tales[i];
        if (!tale_is_final(t) || t->acked || t->way != NOBODY)
            continue;
        for (uint32_t peer = 0; peer < PEERS; peer++) {
            const struct peer_tale *p = &oracle.peers[peer];
            bool takes = p->results == RESULTS_ALL || (p->results == RESULTS_OWN && t->origin == peer);
            if (p->live && p->welcomed && peer_is_session(peer) && p->account == t->account && takes &&
                peer_door(peer) == DOOR_REQUESTER && peer_takes(peer) < p->window)
                violate(me, "the end of #%llu waits while %s would take it", (ull)t->number, peer_name(peer));
        }
    }
}

CHECK(own_means_own) {
    SIGHT(s);
    const struct tale *t = s->m->verb == VERB_RESULT ? tale_of(s->m->result.number) : NULL;
    if (t != NULL && oracle.peers[s->peer].results == RESULTS_OWN && t->origin != s->peer)
        violate(me, "%s takes its own results and gets #%llu, which it did not submit", peer_name(s->peer),
                (ull)t->number);
}

/* --- Log, tables, counts
 * --------------------------------------------------------------------------------------------------- */

CHECK(log_has_no_gap) {
    SIGHT(s);
    if (s->e->seq != oracle.seq + 1)
        violate(me, "event %llu follows event %llu", (ull)s->e->seq, (ull)oracle.seq);
    if (s->e->at.us < oracle.at_us)
        violate(me, "event %llu is %lld ms older than the one before", (ull)s->e->seq,
                (long long)(oracle.at_us - s->e->at.us) / EST_US_PER_MS);
    if (s->e->type == EVENT_STARTED && s->e->started.generation != oracle.generation + 1)
        violate(me, "generation %llu follows %llu", (ull)s->e->started.generation, (ull)oracle.generation);
}

CHECK(tables_are_a_fold) {
    (void)shown;
    const char *why = disk_fold_differs();
    if (why != NULL)
        violate(me, "%s", why);
}

/* What dispatch adds to the record: a lease, and the end of a delay. */
static bool state_fits(const struct tale *t, uint32_t core) {
    if (t->leased)
        return core == EST_STATE_LEASED;
    return core == t->state || (t->state == EST_STATE_DELAYED && core == EST_STATE_WAITING);
}

CHECK(memory_is_a_fold) {
    (void)shown;
    struct inquiry_view v;
    for (unsigned i = 0; i < oracle.tales_count; i++) {
        const struct tale *t = &oracle.tales[i];
        const struct inquiry_row *row = disk_row_of(t->number);
        bool there = core_inquiry(process_broker()->core, t->number, &v);
        if (there == t->acked || row == NULL)
            violate(me, "#%llu is %s the core's memory", (ull)t->number, there ? "still in" : "missing from");
        if (there && (v.row.last_seq != row->last_seq || v.row.attempts != row->attempts ||
                      v.row.due.us != row->due.us || v.row.account != row->account ||
                      v.row.type != row->type || v.row.district != row->district ||
                      v.row.received.us != row->received.us || !state_fits(t, v.row.state)))
            violate(me, "#%llu is remembered as %s with %u attempts, the record has %s with %u",
                    (ull)t->number, est_state_name((enum est_state)v.row.state), v.row.attempts,
                    est_state_name((enum est_state)row->state), row->attempts);
    }
}

struct recount {
    uint64_t open, waits, leased, parked, ended, acked, of_account[ACCOUNTS];
};

static struct recount recount(void) {
    struct recount r = {0};
    for (unsigned i = 0; i < oracle.tales_count; i++) {
        const struct tale *t = &oracle.tales[i];
        r.of_account[t->account % ACCOUNTS] += !t->acked;
        if (tale_is_final(t)) {
            r.ended++;
            r.acked += t->acked;
            continue;
        }
        r.open++;
        r.leased += t->leased;
        r.parked += t->state == EST_STATE_PARKED;
        r.waits += !t->leased && t->state != EST_STATE_PARKED;
    }
    return r;
}

CHECK(counts_are_a_recount) {
    (void)shown;
    struct core_counts c;
    struct recount r = recount();
    const struct core *core = process_broker()->core;
    core_counts(core, &c);
    if (c.open != r.open || c.leased != r.leased || c.parked != r.parked ||
        c.waiting + c.delayed != r.waits || c.unacknowledged != r.ended - r.acked)
        violate(me, "open %llu leased %llu parked %llu unacknowledged %llu; counted %llu %llu %llu %llu",
                (ull)c.open, (ull)c.leased, (ull)c.parked, (ull)c.unacknowledged, (ull)r.open, (ull)r.leased,
                (ull)r.parked, (ull)(r.ended - r.acked));
    struct lane_view sum = {0};
    for (size_t lane = 0; lane < core_lane_count(core); lane++) {
        struct lane_view v;
        core_lane(core, lane, &v);
        sum.waiting += v.waiting, sum.delayed += v.delayed, sum.leased += v.leased, sum.parked += v.parked;
    }
    if (sum.waiting != c.waiting || sum.delayed != c.delayed || sum.leased != c.leased ||
        sum.parked != c.parked)
        violate(me, "the lanes do not add up to the whole");
    for (uint32_t account = 1; account < ACCOUNTS; account++) {
        struct account_view v;
        core_account(core, account, &v);
        if (v.kept != r.of_account[account])
            violate(me, "account %u keeps %u, counted %llu", account, v.kept, (ull)r.of_account[account]);
    }
}

CHECK(accepted_is_open_plus_ended) {
    (void)shown;
    struct core_counts c;
    struct recount r = recount();
    core_counts(process_broker()->core, &c);
    if (oracle.accepted != c.open + c.unacknowledged + r.acked)
        violate(me, "%llu accepted, %llu open, %llu ended", (ull)oracle.accepted, (ull)c.open,
                (ull)(c.unacknowledged + r.acked));
}

/* --- Conversation -------------------------------------------------------------------------------------- */

CHECK(one_answer_each) {
    SIGHT(s);
    if (s->kind == SIGHT_BATCH) {
        for (uint32_t peer = 0; peer < PEERS; peer++)
            if (oracle.peers[peer].live && oracle.peers[peer].asks_count > 0 && peer_is_session(peer))
                violate(me, "%s of %s has no answer", verb_name(oracle.peers[peer].asks[0].verb),
                        peer_name(peer));
        return;
    }
    bool unasked = s->m->verb == VERB_ASSIGN || s->m->verb == VERB_RESULT || s->m->verb == VERB_REVOKE ||
                   s->m->verb == VERB_BYE;
    if (!unasked && s->ask == NULL)
        violate(me, "%s to %s answers nothing", verb_name(s->m->verb), peer_name(s->peer));
}

CHECK(nobody_is_called_malformed) {
    SIGHT(s);
    bool rogue_ = far_ends[FAR_ENDS - 1].name == peer_name(s->peer);
    if (s->m->verb == VERB_BYE && s->m->bye.code == EST_MALFORMED && !rogue_)
        violate(me, "the broker calls a frame of %s malformed", peer_name(s->peer));
}

/* --- The table ----------------------------------------------------------------------------------------- */

static const struct invariant invariants[] = {
    {"accepted-is-kept", "what was accepted is in the record after every restart, with the same body",
     accepted_is_kept, SIGHT_STARTED | SIGHT_SETTLED},
    {"told-after-the-disk", "nothing leaves the broker before what it rests on is durable",
     told_after_the_disk, SIGHT_LEAVES},
    {"nothing-unasked", "nothing is stored that nobody submitted", nothing_unasked, SIGHT_EVENT},
    {"same-receipt", "the same submit has the same receipt for ever: number, tracking code, times",
     same_receipt, SIGHT_SAID},
    {"same-id-same-inquiry",
     "an id with the same body is the same inquiry, with another a conflict, by account",
     same_id_same_inquiry, SIGHT_SAID},
    {"ends-once", "an inquiry has at most one end", ends_once, SIGHT_EVENT},
    {"ends-by-its-deadline", "an inquiry has an end when its deadline has passed", ends_by_its_deadline,
     SIGHT_BATCH | SIGHT_SETTLED},
    {"end-never-changes", "an end that was told never changes", end_never_changes,
     SIGHT_SAID | SIGHT_STARTED | SIGHT_SETTLED},
    {"legal-moves", "an inquiry moves only as the drawing in core.h says", legal_moves, SIGHT_EVENT},
    {"only-the-holder-answers", "an answer is taken from the holder of the live lease and nobody else",
     only_the_holder_answers, SIGHT_EVENT},
    {"epochs-are-fresh", "no epoch is given twice, over any number of restarts", epochs_are_fresh,
     SIGHT_SAID},
    {"one-lease", "an inquiry has at most one live lease, and only while it is open", one_lease, SIGHT_SAID},
    {"leases-end", "a lease that is not renewed ends in time, and with its session", leases_end, SIGHT_BATCH},
    {"recorded-is-in-the-record",
     "RECORDED is said only of what is in the record under that epoch, to the account that did it",
     recorded_is_in_the_record, SIGHT_TOLD},
    {"window-is-kept", "no session is given more than its window", window_is_kept, SIGHT_SAID},
    {"agent-sees-its-own", "an agent sees only what its key, its department and its READY allow",
     agent_sees_its_own, SIGHT_SAID},
    {"requester-sees-its-own", "a requester sees only its account's inquiries", requester_sees_its_own,
     SIGHT_SAID},
    {"unknown-looks-foreign", "what is another's is answered as what never was", unknown_looks_foreign,
     SIGHT_SAID},
    {"carried-whole", "an agent gets the body that was submitted, a requester the answer that was given",
     carried_whole, SIGHT_SAID},
    {"first-in-first-out", "of one type in one district the oldest that waits is offered first",
     first_in_first_out, SIGHT_SAID},
    {"paused-gets-nothing", "a paused department is given no new lease, over any number of restarts",
     paused_gets_nothing, SIGHT_SAID},
    {"redirected-is-moved", "an inquiry is in the queue of the district that it was last given",
     redirected_is_moved, SIGHT_BATCH},
    {"no-starvation", "nothing waits while an able agent has room", no_starvation, SIGHT_BATCH},
    {"delays-are-over", "a delay ends when its time has come", delays_are_over, SIGHT_BATCH},
    {"delays-are-kept", "nothing is offered before its delay is over, whatever time the log has", delays_are_kept,
     SIGHT_SAID},
    {"results-reach-takers",
     "no end waits while a session that takes it has room, over any number of reconnects",
     results_reach_takers, SIGHT_BATCH},
    {"own-means-own", "a session that takes its own results gets those of what it submitted, and no others",
     own_means_own, SIGHT_SAID},
    {"log-has-no-gap", "events are numbered without a gap, and their time and generation never go back",
     log_has_no_gap, SIGHT_EVENT},
    {"tables-are-a-fold", "the tables are what a fold of the log's bytes gives", tables_are_a_fold,
     SIGHT_STARTED | SIGHT_SETTLED},
    {"memory-is-a-fold", "the core remembers of each inquiry what the record says", memory_is_a_fold,
     SIGHT_BATCH},
    {"counts-are-a-recount", "every counter of depth is what a recount gives", counts_are_a_recount,
     SIGHT_BATCH},
    {"accepted-is-open-plus-ended", "what was accepted is open or has ended; nothing is dropped in silence",
     accepted_is_open_plus_ended, SIGHT_BATCH},
    {"one-answer-each", "every command that asks has exactly one answer, and nothing else is answered",
     one_answer_each, SIGHT_SAID | SIGHT_BATCH},
    {"nobody-is-called-malformed", "broker and session engine understand each other's frames",
     nobody_is_called_malformed, SIGHT_SAID},
};
/* Those that are not found by looking at a sight: the place that finds them names them. */
const struct invariant invariant_all_settles = {
    "all-settles", "once faults stop, everything comes to rest within a bound", NULL, 0};
const struct invariant invariant_store_never_refuses = {
    "store-never-refuses", "the broker asks nothing of the store that the store must refuse", NULL, 0};
const struct invariant invariant_protocol_kept = {
    "protocol-kept", "the session engine finds no breach in what the broker says", NULL, 0};
const struct invariant invariant_program_hears_once = {
    "programs-hear-the-same", "a program never hears another receipt or another end than it was told", NULL,
    0};
const struct invariant invariant_broker_starts = {"broker-starts",
                                                  "a broker starts from whatever a crash left", NULL, 0};
const struct invariant invariant_told_before_waiting = {
    "told-before-waiting", "a broker that has nothing to read tells what it did before it looks again", NULL, 0};

static const struct invariant *const others[] = {&invariant_all_settles, &invariant_store_never_refuses,
                                                 &invariant_protocol_kept, &invariant_program_hears_once,
                                                 &invariant_broker_starts, &invariant_told_before_waiting};
enum { TABLE = sizeof invariants / sizeof *invariants, OTHERS = sizeof others / sizeof *others };

size_t invariants_count(void) {
    return TABLE + OTHERS;
}
const struct invariant *invariant_at(size_t i) {
    return i < TABLE ? &invariants[i] : others[i - TABLE];
}

void invariants_check(const struct sight *s) {
    for (size_t i = 0; i < TABLE; i++)
        if (invariants[i].on & s->kind)
            invariants[i].check(&invariants[i], s);
}
