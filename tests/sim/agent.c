/* agent.c - a department's process: it takes work and answers it, mostly well and in time.
 *
 * Now and then it is slow, says not now, refuses, answers what does not fit, or sits on the work
 * for ever while its session keeps renewing. In the calm it answers everything.
 */
#include "sim.h"

#include <session.h>

#include <string.h>

enum { AGENTS = 7, JOBS = 32 };
enum way { ANSWERS, ANSWERS_BADLY, RETRIES, REFUSES, SITS };

struct job {
    bool used;
    uint64_t number, epoch;
    int64_t done_at;
    enum way way;
};
static struct process {
    struct job jobs[JOBS];
    bool leaves;
} processes[AGENTS];

static void agent_start(struct far_end *f) {
    processes[f->which] = (struct process){0};
    struct session_options options = {
        .role = SESSION_AGENT, .software = "sim", .window = 1 + (uint32_t)rng_below(&f->rng, 6)};
    static const char *const debt[] = {"nosazi.debt", NULL};
    static const unsigned districts[][5] = {{1, 2, 3, 4, 0}, {1, 3, 0, 0, 0}};
    bool narrow = sim.phase == PHASE_STORM && rng_chance(&f->rng, 250);
    if (narrow && f->which == 0)
        options.types = debt;
    if (narrow && f->which != 2)
        options.districts = districts[rng_below(&f->rng, 2)];
    if (session_new(&options, &f->session) < 0)
        violate(&invariant_protocol_kept, "no session for %s", f->name);
}

static void agent_died(struct far_end *f) {
    (void)f;
}

static void job_begin(struct far_end *f, const struct session_event *event) {
    static const enum way ways[] = {ANSWERS, ANSWERS, ANSWERS, ANSWERS, ANSWERS,       ANSWERS, ANSWERS,
                                    ANSWERS, RETRIES, RETRIES, REFUSES, ANSWERS_BADLY, SITS};
    struct job *free_job = NULL;
    for (int i = 0; i < JOBS; i++)
        if (!processes[f->which].jobs[i].used)
            free_job = &processes[f->which].jobs[i];
    if (free_job == NULL)
        violate(&invariant_protocol_kept, "%s holds more than any window allows", f->name);
    *free_job = (struct job){.used = true, .number = event->number, .epoch = event->epoch};
    free_job->way = ways[rng_below(&f->rng, sizeof ways / sizeof *ways)];
    int64_t ms = rng_chance(&f->rng, 150) ? rng_between(&f->rng, 3000, 30000) : rng_between(&f->rng, 0, 1500);
    free_job->done_at = sim.now + ms * EST_US_PER_MS;
    if (free_job->done_at < f->act_at)
        f->act_at = free_job->done_at;
    session_work_set(f->session, event->lease, free_job);
}

static void agent_event(struct far_end *f, const struct session_event *event) {
    if (event->kind == SESSION_WORK)
        job_begin(f, event);
    if (event->kind == SESSION_LOST && event->work != NULL)
        ((struct job *)event->work)->used = false;
}

static void job_answer(struct far_end *f, struct job *j, bool badly) {
    struct message m = {.verb = VERB_ANSWER};
    struct buffer body;
    buffer_init(&body);
    pack_map(&body, badly ? 0 : 1);
    if (!badly) {
        pack_cstr(&body, "debt");
        pack_uint(&body, j->number * 1000 + (uint32_t)j->epoch % 1000);
    }
    bool negative = rng_chance(&f->rng, 300);
    m.answer = (struct answer){.number = j->number,
                               .epoch = j->epoch,
                               .outcome = negative ? EST_OUTCOME_NEGATIVE : EST_OUTCOME_POSITIVE,
                               .reason = slice_of(negative ? "open" : ""),
                               .body = buffer_slice(&body)};
    session_answer(f->session, &m);
    buffer_done(&body);
}

static void job_end(struct far_end *f, struct job *j) {
    struct message m = {0};
    enum way way = sim.phase == PHASE_SETTLING ? ANSWERS : j->way;
    if (way == SITS)
        return;
    j->used = false;
    if (way == ANSWERS || way == ANSWERS_BADLY) {
        job_answer(f, j, way == ANSWERS_BADLY);
        return;
    }
    m.verb = way == RETRIES ? VERB_RETRY : VERB_REFUSE;
    m.answer.number = j->number;
    m.answer.epoch = j->epoch;
    if (way == RETRIES)
        m.retry = (struct retry){j->number, j->epoch, slice_of("not now"), rng_below(&f->rng, 4000)};
    else
        m.refuse = (struct refuse){j->number, j->epoch, slice_of("not ours")};
    session_answer(f->session, &m);
}

static void agent_act(struct far_end *f) {
    struct process *p = &processes[f->which];
    f->act_at = sim.now + rng_between(&f->rng, 300, 4000) * EST_US_PER_MS;
    for (int i = 0; i < JOBS; i++) {
        struct job *j = &p->jobs[i];
        if (j->used && (j->done_at <= sim.now || sim.phase == PHASE_SETTLING))
            job_end(f, j);
        if (j->used && j->done_at > sim.now && j->done_at < f->act_at)
            f->act_at = j->done_at;
    }
    if (sim.phase == PHASE_STORM && !p->leaves && rng_chance(&f->rng, 8)) {
        tell("%s leaves", f->name);
        p->leaves = true;
        session_leave(f->session);
        if (rng_chance(&f->rng, 500)) /* in order, and in no mind to finish what it holds */
            session_bye(f->session);
    }
    /* A process that narrowed its work, or left, is started anew by its people. */
    if (p->leaves && (session_is_idle(f->session) || session_has_said_bye(f->session) || sim.phase == PHASE_SETTLING))
        far_die(f, 1000);
}

static bool agent_is_done(const struct far_end *f) {
    return session_is_idle(f->session);
}

const struct program agent = {.start = agent_start,
                              .event = agent_event,
                              .act = agent_act,
                              .died = agent_died,
                              .is_done = agent_is_done};
