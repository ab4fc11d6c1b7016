/* requester.c - an office that asks: it submits, asks again, cancels, looks, and takes results.
 *
 * Its notebook is its database: it outlives the process, and both processes of the portal write in
 * the same one. The notebook is also a witness: what a program was told once it must be told again.
 */
#include "sim.h"

#include <session.h>

#include <stdio.h>
#include <string.h>

enum { ENTRIES = 40, NOTEBOOKS = 3, REQUESTERS = 4, OWN = 1, ALL = 2 };

enum entry_state { WANTED, RECEIVED, ENDED, REFUSED };
struct entry {
    enum entry_state state;
    unsigned type, purpose, parcel, copies, owner;
    bool reversed, broken; /* keys in the other order; a body that does not fit */
    int64_t deadline_us, retry_at, ack_at;
    uint64_t number, end_print;
};
static struct notebook {
    struct entry at[ENTRIES];
    unsigned count;
} notebooks[NOTEBOOKS];
static struct process {
    bool told_number[ENTRIES];
    uint64_t ref;
} processes[REQUESTERS];

static const char *const types[] = {"nosazi.debt", "nosazi.waste", "metro.line", "sabt.deed", "no.such"};
static const char *const purposes[] = {"permit", "transfer", "court"};

static struct notebook *notebook_of(const struct far_end *f) {
    return &notebooks[f->which == 0 ? 0 : f->which - 1];
}

void notebooks_reset(void) {
    memset(notebooks, 0, sizeof notebooks);
    memset(processes, 0, sizeof processes);
}

/* The same ids in every notebook: accounts must not meet through them. */
static est_id id_of(unsigned entry) {
    est_id id = {{0x01, 0x8f, 0x2c}};
    id.bytes[15] = (uint8_t)(entry + 1);
    return id;
}

static void body_pack(struct buffer *body, const struct entry *e, bool reversed) {
    char parcel[16];
    snprintf(parcel, sizeof parcel, "%u-%u", e->parcel % 4 + 1, e->parcel);
    pack_map(body, (e->broken ? 0 : 1) + (e->copies != 0));
    for (int half = 0; half < 2; half++) {
        if ((half == 0) != reversed && !e->broken) {
            pack_cstr(body, "nz");
            pack_cstr(body, parcel);
        } else if ((half == 0) == reversed && e->copies != 0) {
            pack_cstr(body, "copies");
            pack_uint(body, e->copies);
        }
    }
}

static void submit(struct far_end *f, unsigned entry, const struct entry *e, bool reversed) {
    struct buffer body;
    buffer_init(&body);
    body_pack(&body, e, reversed);
    struct submit it = {.id = id_of(entry),
                        .type = slice_of(types[e->type]),
                        .purpose = slice_of(purposes[e->purpose]),
                        .body = buffer_slice(&body),
                        .deadline_us = (uint64_t)e->deadline_us};
    session_submit(f->session, &it);
    buffer_done(&body);
}

/* --- What it does
 * ------------------------------------------------------------------------------------------- */

static void submit_new(struct far_end *f) {
    struct notebook *n = notebook_of(f);
    if (n->count == ENTRIES)
        return;
    unsigned at = n->count++;
    struct entry *e = &n->at[at];
    *e = (struct entry){.owner = f->which, .parcel = (unsigned)rng_below(&f->rng, 40), .ack_at = INT64_MAX};
    e->type = (unsigned)rng_below(&f->rng, 4);
    e->purpose = f->which == 2 ? 1 : (unsigned)rng_below(&f->rng, 3);
    e->copies = (unsigned)rng_below(&f->rng, 3);
    e->reversed = rng_chance(&f->rng, 300);
    e->broken = rng_chance(&f->rng, 30);
    if (rng_chance(&f->rng, 20))
        e->type = 4;
    if (rng_chance(&f->rng, 150))
        e->deadline_us = wall_now().us + rng_between(&f->rng, -1000, 20000) * EST_US_PER_MS;
    submit(f, at, e, e->reversed);
}

/* The same again, in the other order of keys now and then; or another body under the same id. */
static void submit_again(struct far_end *f) {
    struct notebook *n = notebook_of(f);
    unsigned at = (unsigned)rng_below(&f->rng, n->count ? n->count : 1);
    if (n->count == 0 || n->at[at].number == 0)
        return;
    struct entry e = n->at[at];
    if (rng_chance(&f->rng, 350))
        e.parcel += 4;
    submit(f, at, &e, rng_chance(&f->rng, 500));
}

static bool ask(struct far_end *f, enum verb verb, unsigned entry, bool by_id, uint64_t number) {
    struct message m = {.verb = verb};
    m.cancel.ref = ++processes[f->which].ref;
    est_id id = by_id ? id_of(entry) : (est_id){{0}};
    if (verb == VERB_CANCEL)
        m.cancel.id = id, m.cancel.number = number;
    else if (verb == VERB_STATUS)
        m.status.id = id, m.status.number = number, m.status.bodies = entry & 1;
    else
        m.timeline.id = id, m.timeline.number = number;
    return session_ask(f->session, &m) == 0;
}

static void look(struct far_end *f) {
    static const enum verb verbs[] = {VERB_CANCEL, VERB_STATUS, VERB_STATUS, VERB_TIMELINE};
    struct notebook *n = notebook_of(f);
    enum verb verb = verbs[rng_below(&f->rng, 4)];
    if (fault_comes(FAULT_FOREIGN_ASK, 400)) {
        struct rng *r = fault_rng(FAULT_FOREIGN_ASK);
        uint64_t number = rng_below(r, oracle_highest_number() + 8);
        if (ask(f, verb, 0, false, number))
            fault_count(FAULT_FOREIGN_ASK);
        if (rng_chance(r, 300))
            session_ack(f->session, number);
        return;
    }
    unsigned at = (unsigned)rng_below(&f->rng, n->count ? n->count : 1);
    if (n->count > 0)
        ask(f, verb, at, n->at[at].number == 0 || rng_chance(&f->rng, 500), n->at[at].number);
}

/* What is due by the notebook: submits put off, acknowledgements, and looking where nothing is sent. */
static void errands(struct far_end *f) {
    struct notebook *n = notebook_of(f);
    for (unsigned at = 0; at < n->count; at++) {
        struct entry *e = &n->at[at];
        if (e->owner != f->which)
            continue;
        if (e->state == WANTED && e->retry_at != 0 && e->retry_at <= sim.now) {
            e->retry_at = 0;
            submit(f, at, e, e->reversed);
        }
        if (e->ack_at <= sim.now || (sim.phase == PHASE_SETTLING && e->ack_at != INT64_MAX)) {
            session_ack(f->session, e->number);
            e->ack_at = INT64_MAX;
        }
        /* A submit on a connection long given up may arrive after its resend was refused: so in the
         * calm it is asked for what was refused, too. */
        bool calm = sim.phase == PHASE_SETTLING && e->state != ENDED;
        bool looks = f->results == RESULTS_NONE && e->state == RECEIVED;
        if ((calm || looks) && rng_chance(&f->rng, 300))
            ask(f, VERB_STATUS, at, true, 0);
    }
}

static void requester_act(struct far_end *f) {
    bool storm = sim.phase == PHASE_STORM;
    errands(f);
    if (storm && rng_chance(&f->rng, 450))
        submit_new(f);
    if (storm && rng_chance(&f->rng, 150))
        submit_again(f);
    if (storm && rng_chance(&f->rng, 250))
        look(f);
    f->act_at = sim.now + rng_between(&f->rng, 20, 2500) * EST_US_PER_MS;
}

static void requester_start(struct far_end *f) {
    static const uint32_t modes[REQUESTERS] = {ALL, ALL, OWN, RESULTS_NONE};
    f->results = modes[f->which];
    if ((f->which == 1 || f->which == 2) && rng_below(&(struct rng){sim.plan.seed + f->which}, 2) == 0)
        f->results = f->which == 1 ? OWN : ALL;
    struct session_options options = {.role = SESSION_CLIENT,
                                      .software = "sim",
                                      .window = 1 + (uint32_t)rng_below(&f->rng, 6),
                                      .results = f->results};
    if (session_new(&options, &f->session) < 0)
        violate(&invariant_protocol_kept, "no session for %s", f->name);
    processes[f->which] = (struct process){.ref = processes[f->which].ref};
    struct notebook *n = notebook_of(f);
    for (unsigned at = 0; at < n->count; at++) {
        struct entry *e = &n->at[at];
        bool awaited = e->state == RECEIVED && f->results == OWN;
        if (e->owner != f->which)
            continue;
        if (e->state == WANTED || awaited)
            submit(f, at, e, e->reversed);
        if (e->state == ENDED)
            session_ack(f->session, e->number);
    }
}

static void requester_died(struct far_end *f) {
    (void)f;
}

/* --- What it hears
 * ------------------------------------------------------------------------------------------ */

static struct entry *entry_by_id(struct far_end *f, const est_id *id) {
    struct notebook *n = notebook_of(f);
    unsigned at = id->bytes[15] - 1u;
    return at < n->count ? &n->at[at] : NULL;
}

static void hear_receipt(struct far_end *f, const struct session_event *event) {
    struct entry *e = entry_by_id(f, &event->id);
    if (e == NULL || (e->number != 0 && e->number != event->number))
        violate(&invariant_program_hears_once, "%s: a receipt for #%llu where #%llu was promised", f->name,
                (unsigned long long)event->number, (unsigned long long)(e != NULL ? e->number : 0));
    e->number = event->number;
    if (e->state == WANTED || e->state == REFUSED)
        e->state = RECEIVED;
}

static void hear_end(struct far_end *f, struct entry *e, uint64_t number, uint64_t print) {
    if (e == NULL || (e->number != 0 && e->number != number) || (e->end_print != 0 && e->end_print != print))
        violate(&invariant_program_hears_once, "%s: #%llu has another end than it was told", f->name,
                (unsigned long long)number);
    e->number = number;
    e->end_print = print;
    e->state = ENDED;
    e->owner = f->which; /* who has it acknowledges it */
    bool late = sim.phase == PHASE_STORM && rng_chance(&f->rng, 150);
    e->ack_at = sim.now + (late ? rng_between(&f->rng, 500, 20000) * EST_US_PER_MS : 0);
    if (e->ack_at == sim.now) {
        session_ack(f->session, number);
        e->ack_at = INT64_MAX;
    }
}

static void hear_status(struct far_end *f, const struct message *m) {
    const struct status_is *s = &m->status_is;
    struct entry *e = entry_by_id(f, &s->id);
    if (!est_state_is_final((enum est_state)s->state) || e == NULL)
        return;
    if (f->results == RESULTS_NONE || sim.phase == PHASE_SETTLING)
        hear_end(f, e, s->number, 1 + s->state * 16 + s->outcome);
}

static void hear_answer(struct far_end *f, const struct session_event *event) {
    if (event->message->verb == VERB_ACCEPTED)
        hear_receipt(f, event);
    else if (event->message->verb == VERB_STATUS_IS)
        hear_status(f, event->message);
}

static void hear_refusal(struct far_end *f, const struct session_event *event) {
    static const est_id none;
    if (memcmp(&event->id, &none, sizeof none) == 0)
        return; /* of a question; there is nothing to remember */
    struct entry *e = entry_by_id(f, &event->id);
    if (e == NULL || e->number != 0)
        return; /* another body under an id that has its receipt */
    if (event->code == EST_BUSY || event->code == EST_DRAINING)
        e->retry_at = sim.now + rng_between(&f->rng, 500, 3000) * EST_US_PER_MS;
    else
        e->state = REFUSED;
}

static void requester_event(struct far_end *f, const struct session_event *event) {
    switch (event->kind) {
    case SESSION_ANSWER:
        hear_answer(f, event);
        break;
    case SESSION_REFUSED:
        hear_refusal(f, event);
        break;
    case SESSION_RESULT:
        hear_end(f, entry_by_id(f, &event->id), event->number,
                 1 + event->message->result.state * 16 + event->message->result.outcome);
        break;
    default:
        break;
    }
}

static bool requester_is_done(const struct far_end *f) {
    const struct notebook *n = notebook_of(f);
    for (unsigned at = 0; at < n->count; at++)
        if (n->at[at].state == WANTED || n->at[at].state == RECEIVED || n->at[at].ack_at != INT64_MAX)
            return false;
    return !session_has_unsent(f->session);
}

const struct program requester = {.start = requester_start,
                                  .event = requester_event,
                                  .act = requester_act,
                                  .died = requester_died,
                                  .is_done = requester_is_done};
