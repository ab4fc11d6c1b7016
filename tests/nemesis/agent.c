/* agent.c - an agent that writes down every inquiry it saw and every answer it said.
 *
 * No two answers are alike, whoever gives them, so that a second answer to the same inquiry shows;
 * the signer names this process and the lease's epoch, so that the answer in the record can be
 * traced to the line that says it. While the nemesis is at work a few inquiries are put off,
 * refused, answered in a way that the type does not allow, or answered slowly.
 */
#include "part.h"

#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { WORKERS = 3, WINDOW = 24, DRAIN_MS = 5000, SLOW_MS = 80 };

static struct part part;
static est_agent *agent;
static atomic_uint answers;

enum mood { MOOD_ANSWER, MOOD_SLOW, MOOD_RETRY, MOOD_REFUSE, MOOD_SPOIL };

/* By epoch, so that the moods do not depend on which thread comes first. */
static enum mood mood_of(const est_inquiry *in) {
    uint64_t state = part.dice + in->epoch;
    unsigned draw = dice(&state, 1000);
    if (atomic_load(&part.board->phase) != PHASE_CHAOS || draw >= 45)
        return MOOD_ANSWER;
    return draw < 20 ? MOOD_SLOW : draw < 35 ? MOOD_RETRY : draw < 38 ? MOOD_REFUSE : MOOD_SPOIL;
}

static void take_tell(const est_inquiry *in) {
    char hex[ID_HEX_SIZE] = "";
    est_id id;
    if (question_id(in->body, &id))
        id_hex(&id, hex);
    tell(&part, "take",
         "\"number\":%" PRIu64 ",\"epoch\":%" PRIu64
         ",\"type\":\"%.*s\",\"district\":%u,\"requester\":\"%.*s\","
         "\"attempt\":%u,\"id\":\"%s\",\"digest\":\"%016" PRIx64 "\"",
         in->number, in->epoch, (int)in->type.size, (const char *)in->type.data, in->district,
         (int)in->requester.size, (const char *)in->requester.data, in->attempt, hex, digest(in->body));
}

static est_verdict answer(const est_inquiry *in, est_answer *out, bool spoiled) {
    unsigned count = atomic_fetch_add(&answers, 1);
    est_slice body = {0};
    char text[800];
    bool use = in->type.size == strlen("plot.use") && memcmp(in->type.data, "plot.use", in->type.size) == 0;
    int padding = count % 16 == 0 ? 700 : 1;
    snprintf(text, sizeof text, "%s %u%*s", part.name, count, padding, "");
    out->outcome = count % 8 == 0 ? EST_OUTCOME_NO_RECORD : EST_OUTCOME_POSITIVE;
    if (spoiled)
        est_body_text(out->body, "colour", "blue");
    else if (use)
        est_body_text(out->body, "use", text);
    else
        est_body_int(out->body, "debt", (int64_t)getpid() << 32 | count);
    snprintf(out->signer, sizeof out->signer, "%s %" PRIu64, part.name, in->epoch);
    est_body_slice(out->body, &body);
    tell(&part, spoiled ? "spoil" : "answer",
         "\"number\":%" PRIu64 ",\"epoch\":%" PRIu64 ",\"outcome\":\"%s\",\"digest\":\"%016" PRIx64 "\"",
         in->number, in->epoch, est_outcome_name(out->outcome), digest(body));
    return EST_VERDICT_ANSWER;
}

static est_verdict give_up(const est_inquiry *in, est_answer *out, bool for_good) {
    tell(&part, for_good ? "refuse" : "retry", "\"number\":%" PRIu64 ",\"epoch\":%" PRIu64, in->number,
         in->epoch);
    snprintf(out->reason, sizeof out->reason, "a mood");
    out->after.us = 20 * EST_US_PER_MS;
    return for_good ? EST_VERDICT_REFUSE : EST_VERDICT_RETRY;
}

static est_verdict handle(void *arg, const est_inquiry *in, est_answer *out) {
    (void)arg;
    take_tell(in);
    switch (mood_of(in)) {
    case MOOD_RETRY:
        return give_up(in, out, false);
    case MOOD_REFUSE:
        return give_up(in, out, true);
    case MOOD_SPOIL:
        return answer(in, out, true);
    case MOOD_SLOW: /* a department's own system takes its time; this is the work, not a wait for it */
        poll(NULL, 0, SLOW_MS);
        return answer(in, out, false);
    default:
        return answer(in, out, false);
    }
}

/* A refused answer and a lost lease are part of every story; the rest is for a person's eyes. */
static void log_line(void *arg, int code, const char *sentence) {
    (void)arg;
    if (code == EST_STALE_EPOCH || code == EST_INVALID_ANSWER || code == EST_LEASE_EXPIRED)
        tell(&part, "lost", "\"code\":\"%s\"", est_code_name(code));
    else if (code == EST_MALFORMED || code == EST_INTERNAL || code == EST_NOT_ALLOWED)
        fprintf(stderr, "%s: %s: %s\n", part.name, est_code_name(code), sentence);
}

static void stop(int signal_number) {
    (void)signal_number;
    est_agent_stop(agent);
}

int main(int argc, char **argv) {
    if (part_begin(&part, argc, argv) != 0)
        return 2;
    est_agent_options options = {
        .broker = part_options(&part, WINDOW, 0), .workers = WORKERS, .handler = handle, .logger = log_line};
    if (est_agent_open(&options, &agent) != 0)
        return 1;
    signal(SIGTERM, stop);
    int ended = est_agent_run(agent, DRAIN_MS);
    est_agent_close(&agent);
    tell(&part, "end", "\"code\":\"%s\"", est_code_name(ended));
    return ended == 0 ? 0 : 1;
}
