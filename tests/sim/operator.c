/* operator.c - somebody on duty: looks at everything, requeues what is parked, drains and stops draining,
 * pauses departments and lets them go on, sends inquiries to other districts. */
#include "sim.h"

#include <session.h>

static uint64_t refs;
static bool draining, after_parked;
static const char *const departments[] = {"nosazi", "metro", "sabt"};
enum { DEPARTMENTS = sizeof departments / sizeof *departments, DISTRICTS_LAST = 4 };
static bool paused[DEPARTMENTS];

static void operator_start(struct far_end *f) {
    struct session_options options = {.role = SESSION_CLIENT, .software = "sim"};
    if (session_new(&options, &f->session) < 0)
        violate(&invariant_protocol_kept, "no session for %s", f->name);
    refs = 0;
    after_parked = false;
    draining = true; /* perhaps: a broker that was told so by the process before */
    for (int i = 0; i < DEPARTMENTS; i++)
        paused[i] = true;
}

static void operator_died(struct far_end *f) {
    (void)f;
}

static void ask_page(struct far_end *f, enum verb verb, const char *department) {
    struct message m = {.verb = verb};
    m.page = (struct page){.ref = ++refs, .department = slice_of(department)};
    session_ask(f->session, &m);
}

static void ask_drain(struct far_end *f, bool on) {
    struct message m = {.verb = VERB_DRAIN};
    m.drain = (struct drain){.ref = ++refs, .on = on, .reason = slice_of("a drill")};
    if (session_ask(f->session, &m) == 0)
        draining = on;
}

static void ask_pause(struct far_end *f, uint32_t department, bool on) {
    struct message m = {.verb = VERB_PAUSE};
    m.pause = (struct pause){.ref = ++refs,
                             .department = slice_of(departments[department]),
                             .on = on,
                             .reason = slice_of("a drill")};
    if (session_ask(f->session, &m) == 0)
        paused[department] = on;
}

static void pauses_act(struct far_end *f, bool storm) {
    for (uint32_t i = 0; i < DEPARTMENTS; i++) {
        if (paused[i] && (!storm || rng_chance(&f->rng, 500)))
            ask_pause(f, i, false);
        else if (storm && rng_chance(&f->rng, 30))
            ask_pause(f, i, true);
    }
}

static void ask_inquiry(struct far_end *f) {
    static const enum verb verbs[] = {VERB_STATUS, VERB_TIMELINE, VERB_CANCEL, VERB_REQUEUE};
    struct message m = {.verb = verbs[rng_below(&f->rng, 4)]};
    uint64_t number = rng_below(&f->rng, oracle_highest_number() + 4);
    if (m.verb == VERB_CANCEL)
        m.cancel = (struct cancel){.ref = ++refs, .number = number, .reason = slice_of("no longer wanted")};
    else if (m.verb == VERB_STATUS)
        m.status = (struct status){.ref = ++refs, .number = number, .bodies = rng_below(&f->rng, 8) == 0};
    else if (m.verb == VERB_TIMELINE)
        m.timeline = (struct timeline){.ref = ++refs, .number = number};
    else
        m.requeue = (struct requeue){.ref = ++refs, .number = number};
    session_ask(f->session, &m);
}

/* One of the newest, which are likely to be open; and districts one too many. */
static void ask_redirect(struct far_end *f) {
    struct message m = {.verb = VERB_REDIRECT};
    uint64_t highest = oracle_highest_number(), back = rng_below(&f->rng, 64);
    m.redirect = (struct redirect){.ref = ++refs,
                                   .number = back < highest ? highest - back : highest,
                                   .district = rng_below(&f->rng, DISTRICTS_LAST + 2),
                                   .reason = slice_of("moved")};
    session_ask(f->session, &m);
}

static void operator_act(struct far_end *f) {
    static const enum verb pages[] = {VERB_QUEUES, VERB_AGENTS, VERB_STATS, VERB_PARKED, VERB_KEYS};
    bool storm = sim.phase == PHASE_STORM;
    if (session_has_unsent(f->session)) {
        f->act_at = sim.now + 300 * EST_US_PER_MS;
        return;
    }
    if (draining && (!storm || rng_chance(&f->rng, 600)))
        ask_drain(f, false);
    else if (storm && rng_chance(&f->rng, 15))
        ask_drain(f, true);
    pauses_act(f, storm);
    ask_page(f, VERB_PARKED, "");
    if (storm && rng_chance(&f->rng, 200))
        ask_page(f, pages[rng_below(&f->rng, 5)], rng_chance(&f->rng, 300) ? "nosazi" : "");
    if (storm && rng_chance(&f->rng, 200))
        ask_inquiry(f);
    for (int i = 0; storm && i < 4; i++) /* most numbers are no inquiry's */
        ask_redirect(f);
    f->act_at = sim.now + rng_between(&f->rng, 300, 5000) * EST_US_PER_MS;
}

/* Every second one of what is parked is given back to its department. */
static void requeue_parked(struct far_end *f, const struct message *m) {
    struct cursor c;
    size_t count;
    struct parked_row row;
    if (!rows_open(&c, m->page_is.rows, &count))
        return;
    for (size_t i = 0; i < count && parked_row_next(&c, &row); i++) {
        after_parked = !after_parked;
        if (after_parked && sim.phase == PHASE_STORM)
            continue;
        struct message requeue = {.verb = VERB_REQUEUE};
        requeue.requeue =
            (struct requeue){.ref = ++refs, .number = row.number, .reason = slice_of("try again")};
        session_ask(f->session, &requeue);
    }
}

static void operator_event(struct far_end *f, const struct session_event *event) {
    if (event->kind == SESSION_ANSWER && event->message->verb == VERB_PARKED_IS)
        requeue_parked(f, event->message);
}

static bool operator_is_done(const struct far_end *f) {
    (void)f;
    return true;
}

const struct program operator_ = {.start = operator_start,
                                  .event = operator_event,
                                  .act = operator_act,
                                  .died = operator_died,
                                  .is_done = operator_is_done};
