/* agent.c - est_agent_*: one thread pumps the link, workers run the handler.
 *
 *   link --- assigned ---> [ waiting ] --- workers --- handler ---> [ done ] --- pump ---> link
 *
 * The session is touched by the pump alone. Both queues hang on one mutex; they change hands in
 * whole chains, so that a frame of a hundred inquiries costs one lock, not a hundred. A job (the
 * inquiry's copy, the answer and its body) is used again for a later inquiry.
 */
#include <estelam/agent.h>

#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "link.h"

enum { WORKERS_MAX = 64, BYE_MS = 200, EVENTS_PER_TURN = 4096, JOB_KEEP_MAX = 16 * 1024 };

struct job {
    struct job *next;
    est_agent *agent;
    est_inquiry inquiry;
    est_answer answer;
    est_verdict verdict;
    atomic_bool over;
    bool handled;         /* the handler gave its verdict */
    struct buffer copies; /* what the inquiry's slices point into */
};

struct jobs {
    struct job *first, **end;
    unsigned count;
};

struct est_agent {
    struct link *link;
    est_handler handler;
    est_logger logger;
    void *arg;
    char account[EST_NAME_MAX + 1]; /* that the program takes itself for; empty: it does not say */

    pthread_mutex_t mutex;
    pthread_cond_t work;
    struct jobs waiting, done; /* under the mutex */
    bool closing;              /* under the mutex: workers leave */

    unsigned workers_count;
    pthread_t workers[WORKERS_MAX];

    /* The pump's own. */
    struct jobs fresh, spare;
    unsigned jobs_count; /* with the workers, waiting or done */
    int fatal;           /* why run must end */
    bool leaving, was_run;
    struct message message;

    atomic_bool stop;  /* asked to */
    atomic_bool ended; /* run is over: nobody waits for a handler any more */
};

/* --- Chains of jobs. ------------------------------------------------------------------------------ */

static void jobs_init(struct jobs *jobs) {
    *jobs = (struct jobs){.end = &jobs->first};
}

static void jobs_put(struct jobs *jobs, struct job *job) {
    job->next = NULL;
    *jobs->end = job;
    jobs->end = &job->next;
    jobs->count++;
}

static struct job *jobs_take(struct jobs *jobs) {
    struct job *job = jobs->first;
    if (!job)
        return NULL;
    jobs->first = job->next;
    jobs->count--;
    if (!jobs->first)
        jobs->end = &jobs->first;
    return job;
}

static void jobs_move(struct jobs *from, struct jobs *to) {
    if (!from->first)
        return;
    *to->end = from->first;
    to->end = from->end;
    to->count += from->count;
    jobs_init(from);
}

static void job_free(struct job *job) {
    est_body_free(&job->answer.body);
    buffer_done(&job->copies);
    free(job);
}

static void jobs_free(struct jobs *jobs) {
    struct job *job;
    while ((job = jobs_take(jobs)))
        job_free(job);
}

/* --- Jobs. ---------------------------------------------------------------------------------------- */

static struct job *job_new(est_agent *agent) {
    struct job *job = jobs_take(&agent->spare);
    if (job)
        return job;
    job = calloc(1, sizeof *job);
    if (!job)
        return NULL;
    buffer_init(&job->copies);
    job->answer.body = est_body_new();
    if (!job->answer.body) {
        free(job);
        return NULL;
    }
    job->agent = agent;
    return job;
}

static void job_recycle(est_agent *agent, struct job *job) {
    if (job->copies.capacity > JOB_KEEP_MAX)
        buffer_done(&job->copies);
    jobs_put(&agent->spare, job);
}

static void answer_clear(est_answer *answer) {
    answer->outcome = EST_OUTCOME_NONE;
    answer->reason[0] = answer->remark[0] = answer->legal_ref[0] = 0;
    answer->valid_until[0] = answer->signer[0] = 0;
    answer->after = (est_span){0};
    est_body_clear(answer->body);
}

static est_slice copy(struct buffer *copies, est_slice from) {
    const uint8_t *at = copies->data + copies->size;
    buffer_put(copies, from.data, from.size);
    return (est_slice){at, from.size};
}

/* The frame goes with the next poll, so the slices are copied into the job: room for all of them
 * first, since a buffer that grows moves. */
static bool job_fill(struct job *job, const struct assign *from) {
    est_inquiry *to = &job->inquiry;
    struct buffer *copies = &job->copies;
    size_t size = from->type.size + from->purpose.size + from->requester.size + from->case_id.size +
                  from->trace.size + from->body.size;
    buffer_clear(copies);
    if (!buffer_reserve(copies, size))
        return false;
    *to = (est_inquiry){.number = from->number,
                        .epoch = from->epoch,
                        .type = copy(copies, from->type),
                        .purpose = copy(copies, from->purpose),
                        .requester = copy(copies, from->requester),
                        .case_id = copy(copies, from->case_id),
                        .trace = copy(copies, from->trace),
                        .version = (unsigned)from->version,
                        .district = (unsigned)from->district,
                        .attempt = from->attempt ? (unsigned)from->attempt : 1,
                        .body = copy(copies, from->body),
                        .received = {(int64_t)from->received_us},
                        .due = {(int64_t)from->due_us},
                        .internal = job};
    answer_clear(&job->answer);
    job->handled = false;
    atomic_store(&job->over, false);
    return true;
}

bool est_inquiry_is_over(const est_inquiry *inquiry) {
    struct job *job = (struct job *)(uintptr_t)inquiry->internal;
    return atomic_load(&job->over) || atomic_load(&job->agent->ended);
}

/* --- Workers. ------------------------------------------------------------------------------------- */

static struct job *work_wait(est_agent *agent) {
    pthread_mutex_lock(&agent->mutex);
    while (!agent->waiting.first && !agent->closing)
        pthread_cond_wait(&agent->work, &agent->mutex);
    struct job *job = agent->closing ? NULL : jobs_take(&agent->waiting);
    pthread_mutex_unlock(&agent->mutex);
    return job;
}

static void work_done(est_agent *agent, struct job *job) {
    pthread_mutex_lock(&agent->mutex);
    bool first = agent->done.first == NULL;
    jobs_put(&agent->done, job);
    pthread_mutex_unlock(&agent->mutex);
    if (first) /* the pump takes them all at once */
        link_wake(agent->link);
}

static void *worker(void *arg) {
    est_agent *agent = arg;
    struct job *job;
    while ((job = work_wait(agent))) {
        if (!est_inquiry_is_over(&job->inquiry)) {
            job->verdict = agent->handler(agent->arg, &job->inquiry, &job->answer);
            job->handled = true;
        }
        work_done(agent, job);
    }
    return NULL;
}

/* Signals are the program's: they go to its own threads. */
static int workers_start(est_agent *agent, unsigned count) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = 0;
    for (unsigned i = 0; i < count && !failed; i++) {
        failed = pthread_create(&agent->workers[i], NULL, worker, agent);
        agent->workers_count += failed == 0;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failed ? -EST_IO : 0;
}

static void workers_stop(est_agent *agent) {
    pthread_mutex_lock(&agent->mutex);
    agent->closing = true;
    pthread_cond_broadcast(&agent->work);
    pthread_mutex_unlock(&agent->mutex);
    for (unsigned i = 0; i < agent->workers_count; i++)
        pthread_join(agent->workers[i], NULL);
    agent->workers_count = 0;
}

/* --- Opening and closing. --------------------------------------------------------------------------- */

int est_agent_open(const est_agent_options *options, est_agent **ret) {
    if (!options->handler || options->workers > WORKERS_MAX)
        return -EST_INPUT;
    est_agent *agent = calloc(1, sizeof *agent);
    if (!agent)
        return -EST_NO_MEMORY;
    pthread_mutex_init(&agent->mutex, NULL);
    pthread_cond_init(&agent->work, NULL);
    struct jobs *chains[] = {&agent->waiting, &agent->done, &agent->fresh, &agent->spare};
    for (size_t i = 0; i < sizeof chains / sizeof *chains; i++)
        jobs_init(chains[i]);
    agent->handler = options->handler;
    agent->logger = options->logger;
    agent->arg = options->arg;
    if (options->broker.account)
        snprintf(agent->account, sizeof agent->account, "%s", options->broker.account);
    int failed = link_open(&options->broker, SESSION_AGENT, options->types, options->districts, &agent->link);
    if (!failed)
        failed = workers_start(agent, options->workers ? options->workers : 1);
    if (failed) {
        est_agent_close(&agent);
        return failed;
    }
    *ret = agent;
    return 0;
}

void est_agent_close(est_agent **agent_at) {
    est_agent *agent = *agent_at;
    if (!agent)
        return;
    if (agent->link && link_is_parents(agent->link)) { /* the workers stayed with the parent, and perhaps the mutex */
        link_close(&agent->link, 0);
        free(agent);
        *agent_at = NULL;
        return;
    }
    workers_stop(agent);
    link_close(&agent->link, 0);
    struct jobs *chains[] = {&agent->waiting, &agent->done, &agent->fresh, &agent->spare};
    for (size_t i = 0; i < sizeof chains / sizeof *chains; i++)
        jobs_free(chains[i]);
    pthread_cond_destroy(&agent->work);
    pthread_mutex_destroy(&agent->mutex);
    free(agent);
    *agent_at = NULL;
}

void est_agent_stop(est_agent *agent) {
    atomic_store(&agent->stop, true);
    link_wake(agent->link);
}

/* --- The pump: what comes. -------------------------------------------------------------------------- */

static void say(est_agent *agent, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void say(est_agent *agent, int code, const char *format, ...) {
    char sentence[EST_TEXT_MAX + 256];
    if (!agent->logger)
        return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    agent->logger(agent->arg, code, sentence);
}

#define TEXT(slice) (int)(slice).size, (const char *)(slice).data

static int give_back(est_agent *agent, uint64_t number, uint64_t epoch, const char *reason) {
    agent->message.verb = VERB_RETRY;
    agent->message.retry = (struct retry){.number = number, .epoch = epoch, .reason = slice_of(reason)};
    return session_answer(link_session(agent->link), &agent->message);
}

static void on_work(est_agent *agent, const struct session_event *event) {
    struct job *job = job_new(agent);
    if (job && !job_fill(job, &event->message->assign)) {
        job_free(job);
        job = NULL;
    }
    if (!job) {
        say(agent, EST_NO_MEMORY, "no memory for inquiry %llu: it is given back",
            (unsigned long long)event->number);
        give_back(agent, event->number, event->epoch, "the agent is out of memory");
        return;
    }
    session_work_set(link_session(agent->link), event->lease, job);
    agent->jobs_count++;
    jobs_put(&agent->fresh, job);
}

static void on_lost(est_agent *agent, const struct session_event *event) {
    struct job *job = event->work;
    if (job)
        atomic_store(&job->over, true);
    say(agent, event->code, "the lease of inquiry %llu is over: %.*s", (unsigned long long)event->number,
        TEXT(event->text));
}

/* Somebody else's key, or somebody else's file: what it would answer is another department's to say.
 * It takes no work before it ends, since every lease would be an attempt that failed. */
static void on_stranger(est_agent *agent, est_slice account) {
    say(agent, EST_INPUT, "the broker knows this key as the account %.*s, not as %s", TEXT(account),
        agent->account);
    session_leave(link_session(agent->link));
    agent->fatal = -EST_INPUT;
}

static void on_up(est_agent *agent, const struct session_event *event) {
    const struct welcome *welcome = &event->message->welcome;
    if (agent->account[0] && !slice_equal(welcome->account, slice_of(agent->account))) {
        on_stranger(agent, welcome->account);
        return;
    }
    say(agent, EST_OK, "connected to the broker of %.*s as %.*s, session %llu", TEXT(welcome->city),
        TEXT(welcome->account), (unsigned long long)welcome->session);
}

/* With these the broker will never have this agent; everything else may pass. */
static bool code_is_final(int code) {
    return code == EST_NOT_ALLOWED || code == EST_KEY_REVOKED || code == EST_VERSION_UNSUPPORTED ||
           code == EST_WRONG_DOOR;
}

/* Every lease ended with the session. What no worker has begun is not begun any more, so that a
 * connection that comes and goes does not pile up work that nobody wants. */
static void waiting_drop(est_agent *agent) {
    pthread_mutex_lock(&agent->mutex);
    jobs_move(&agent->fresh, &agent->done);
    jobs_move(&agent->waiting, &agent->done);
    pthread_mutex_unlock(&agent->mutex);
}

static void on_down(est_agent *agent, const struct session_event *event) {
    waiting_drop(agent);
    say(agent, event->code, "%s: %.*s",
        event->code == EST_UNKNOWN_TYPE ? "no session, since the broker has none of this agent's types; waiting for one"
                                        : "no session",
        TEXT(event->text));
    if (code_is_final(event->code) || event->code == EST_CLOSED) /* the latter in a forked child */
        agent->fatal = -event->code;
}

static void defect_say(est_agent *agent, const struct session_event *event, const est_defect *defect) {
    if (event->epoch)
        say(agent, event->code, "the answer to inquiry %llu: %s: %s", (unsigned long long)event->number, defect->path,
            defect->text);
    else
        say(agent, event->code, "%s is left out: %s; the other types are answered, and it is asked for again every minute",
            defect->path, defect->text);
}

/* A line for each, since whoever mends the mapping, or the list of types, has to see them all at once. */
static void defects_say(est_agent *agent, const struct session_event *event) {
    struct cursor c;
    est_defect defect;
    size_t count;
    if (!event->message || event->message->verb != VERB_ERROR ||
        !rows_open(&c, event->message->error.defects, &count))
        return;
    for (size_t i = 0; i < count && defect_next(&c, &defect); i++)
        defect_say(agent, event, &defect);
}

static void on_refused(est_agent *agent, const struct session_event *event) {
    if (event->epoch)
        say(agent, event->code, "the answer to inquiry %llu was refused: %.*s",
            (unsigned long long)event->number, TEXT(event->text));
    else
        say(agent, event->code, "the broker refused: %.*s", TEXT(event->text));
    defects_say(agent, event);
}

static void on_event(est_agent *agent, const struct session_event *event) {
    switch (event->kind) {
    case SESSION_UP:
        on_up(agent, event);
        return;
    case SESSION_DOWN:
        on_down(agent, event);
        return;
    case SESSION_WORK:
        on_work(agent, event);
        return;
    case SESSION_LOST:
        on_lost(agent, event);
        return;
    case SESSION_REFUSED:
        on_refused(agent, event);
        return;
    default: /* RECORDED: as it should be */
        return;
    }
}

static void fresh_give(est_agent *agent) {
    unsigned count = agent->fresh.count;
    if (count == 0)
        return;
    pthread_mutex_lock(&agent->mutex);
    jobs_move(&agent->fresh, &agent->waiting);
    pthread_mutex_unlock(&agent->mutex);
    if (count == 1)
        pthread_cond_signal(&agent->work);
    else
        pthread_cond_broadcast(&agent->work);
}

/* --- The pump: what goes. --------------------------------------------------------------------------- */

static const char *why(const est_answer *answer) {
    return answer->remark[0] ? answer->remark : answer->reason;
}

/* Rounded up, since it says "not before"; the broker cuts it long before the protocol's 49 days. */
static uint64_t after_ms(est_span after) {
    int64_t ms = after.us / EST_US_PER_MS + (after.us % EST_US_PER_MS > 0);
    return ms <= 0 ? 0 : ms < UINT32_MAX ? (uint64_t)ms : UINT32_MAX;
}

static void verdict_pack(struct message *m, const struct job *job, est_slice body) {
    const est_answer *answer = &job->answer;
    uint64_t number = job->inquiry.number, epoch = job->inquiry.epoch;
    switch (job->verdict) {
    case EST_VERDICT_ANSWER:
        m->verb = VERB_ANSWER;
        m->answer = (struct answer){.number = number,
                                    .epoch = epoch,
                                    .outcome = (uint64_t)answer->outcome,
                                    .reason = slice_of(answer->reason),
                                    .legal_ref = slice_of(answer->legal_ref),
                                    .valid_until = slice_of(answer->valid_until),
                                    .signer = slice_of(answer->signer),
                                    .body = body};
        return;
    case EST_VERDICT_RETRY:
        m->verb = VERB_RETRY;
        m->retry = (struct retry){.number = number, .epoch = epoch, .reason = slice_of(why(answer))};
        m->retry.after_ms = after_ms(answer->after);
        return;
    default:
        m->verb = VERB_REFUSE;
        m->refuse = (struct refuse){.number = number, .epoch = epoch, .reason = slice_of(why(answer))};
        return;
    }
}

/* An answer that cannot be sent as it is would be wrong again at the next attempt: it is refused,
 * so that a person sees it. Only want of memory may pass. */
static void verdict_replace(est_agent *agent, const struct job *job, int code) {
    const char *fault = est_body_fault(job->answer.body);
    if (!fault[0])
        fault = code == -EST_TOO_LARGE ? "its body is larger than the broker takes" : "one of its texts is not UTF-8";
    char reason[256];
    snprintf(reason, sizeof reason, "the agent's answer cannot be sent: %s", fault);
    say(agent, -code, "the handler's answer to inquiry %llu cannot be sent: %s",
        (unsigned long long)job->inquiry.number, fault);
    if (code == -EST_NO_MEMORY) {
        give_back(agent, job->inquiry.number, job->inquiry.epoch, "the agent is out of memory");
        return;
    }
    agent->message.verb = VERB_REFUSE;
    agent->message.refuse = (struct refuse){
        .number = job->inquiry.number, .epoch = job->inquiry.epoch, .reason = slice_of(reason)};
    session_answer(link_session(agent->link), &agent->message);
}

static void verdict_send(est_agent *agent, struct job *job) {
    est_slice body = {0};
    int failed = job->verdict == EST_VERDICT_ANSWER ? est_body_slice(job->answer.body, &body) : 0;
    if (!failed) {
        verdict_pack(&agent->message, job, body);
        failed = session_answer(link_session(agent->link), &agent->message);
    }
    if (failed && failed != -EST_STALE_EPOCH)
        verdict_replace(agent, job, failed);
}

static void done_send(est_agent *agent) {
    struct jobs done;
    jobs_init(&done);
    pthread_mutex_lock(&agent->mutex);
    jobs_move(&agent->done, &done);
    pthread_mutex_unlock(&agent->mutex);
    struct job *job;
    while ((job = jobs_take(&done))) {
        if (job->handled && !atomic_load(&job->over))
            verdict_send(agent, job);
        agent->jobs_count--;
        job_recycle(agent, job);
    }
}

/* --- Running. ------------------------------------------------------------------------------------- */

/* Takes what has come and gives what is done; then waits for either. */
static void pump(est_agent *agent, int timeout_ms) {
    struct session_event event;
    int count = 0;
    while (count < EVENTS_PER_TURN && link_poll(agent->link, count ? 0 : timeout_ms, &event)) {
        on_event(agent, &event);
        count++;
    }
    fresh_give(agent);
    done_send(agent);
}

static bool may_end(est_agent *agent) {
    return agent->jobs_count == 0 && session_is_idle(link_session(agent->link));
}

static void drain(est_agent *agent, int drain_ms) {
    int64_t deadline_us = link_now().us + drain_ms * EST_US_PER_MS;
    say(agent, EST_OK, "stopping: %u inquiries to finish", agent->jobs_count);
    session_leave(link_session(agent->link));
    for (int64_t left_us; !may_end(agent) && !agent->fatal; pump(agent, (int)(left_us / EST_US_PER_MS) + 1)) {
        left_us = deadline_us - link_now().us;
        if (left_us <= 0) {
            say(agent, EST_TIMEOUT, "stopped with %u inquiries unfinished: they will be offered anew",
                agent->jobs_count);
            return;
        }
    }
}

int est_agent_run(est_agent *agent, int drain_ms) {
    if (agent->was_run || link_is_parents(agent->link))
        return -EST_CLOSED;
    agent->was_run = true;
    while (!atomic_load(&agent->stop) && !agent->fatal)
        pump(agent, -1);
    if (!agent->fatal)
        drain(agent, drain_ms);
    link_shut(agent->link, BYE_MS);
    atomic_store(&agent->ended, true);
    return agent->fatal;
}
