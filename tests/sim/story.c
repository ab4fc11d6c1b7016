/* story.c - what happened, line by line: all of it, or the last lines for a failure. */
#include "sim.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { LINES = 400, LINE_SIZE = 200 };

static enum telling mode;
static char lines[LINES][LINE_SIZE];
static unsigned long told;

void story_begin(enum telling how) {
    mode = how;
    told = 0;
}

bool story_is_told(void) {
    return mode != TELL_NOTHING;
}

void tell(const char *format, ...) {
    if (mode == TELL_NOTHING)
        return;
    char *line = lines[told++ % LINES];
    int at = snprintf(line, LINE_SIZE, "%9.3f  ", (double)(sim.now % (100000 * EST_US_PER_S)) / 1e6);
    va_list args;
    va_start(args, format);
    vsnprintf(line + at, (size_t)(LINE_SIZE - at), format, args);
    va_end(args);
    if (mode == TELL_ALL)
        puts(line);
}

void story_print_last(unsigned count) {
    unsigned long first = told > count ? told - count : 0;
    if (told > LINES && first < told - LINES)
        first = told - LINES;
    for (unsigned long i = first; i < told; i++)
        puts(lines[i % LINES]);
}

/* --- Commands in a few words --------------------------------------------------------------------------- */

static int id_tail(const est_id *id) {
    return id->bytes[15] | id->bytes[14] << 8;
}

static size_t describe_pairs(char *text, size_t size, const struct numbers *n) {
    size_t at = 0;
    for (size_t i = 0; i + 1 < n->count && at + 40 < size; i += 2)
        at += (size_t)snprintf(text + at, size - at, " #%llu e%llx", (unsigned long long)n->at[i],
                               (unsigned long long)n->at[i + 1]);
    return at;
}

static void describe_requester(const struct message *m, char *text, size_t size) {
    switch (m->verb) {
    case VERB_SUBMIT:
        snprintf(text, size, " id %d %.*s %.*s", id_tail(&m->submit.id), (int)m->submit.type.size,
                 (const char *)m->submit.type.data, (int)m->submit.purpose.size,
                 (const char *)m->submit.purpose.data);
        break;
    case VERB_ACCEPTED:
        snprintf(text, size, " id %d #%llu%s %s", id_tail(&m->accepted.id),
                 (unsigned long long)m->accepted.number, m->accepted.again ? " again" : "",
                 est_state_name((enum est_state)m->accepted.state));
        break;
    case VERB_RESULT:
        snprintf(text, size, " #%llu %s %s", (unsigned long long)m->result.number,
                 est_state_name((enum est_state)m->result.state),
                 est_outcome_name((enum est_outcome)m->result.outcome));
        break;
    case VERB_RESULT_ACK:
        for (size_t i = 0, at = 0; i < m->result_ack.numbers.count && at + 24 < size; i++)
            at += (size_t)snprintf(text + at, size - at, " #%llu",
                                   (unsigned long long)m->result_ack.numbers.at[i]);
        break;
    case VERB_CANCEL:
    case VERB_STATUS:
    case VERB_TIMELINE:
        snprintf(text, size, " ref %llu #%llu id %d", (unsigned long long)m->cancel.ref,
                 (unsigned long long)m->cancel.number, id_tail(&m->cancel.id));
        break;
    default:
        break;
    }
}

const char *describe(const struct message *m) {
    static char line[LINE_SIZE];
    char text[160] = "";
    switch (m->verb) {
    case VERB_ASSIGN:
        snprintf(text, sizeof text, " #%llu e%llx %.*s attempt %llu", (unsigned long long)m->assign.number,
                 (unsigned long long)m->assign.epoch, (int)m->assign.type.size,
                 (const char *)m->assign.type.data, (unsigned long long)m->assign.attempt);
        break;
    case VERB_ANSWER:
    case VERB_RETRY:
    case VERB_REFUSE:
    case VERB_REVOKE:
        snprintf(text, sizeof text, " #%llu e%llx", (unsigned long long)m->answer.number,
                 (unsigned long long)m->answer.epoch);
        break;
    case VERB_RECORDED:
    case VERB_RENEW:
    case VERB_RENEWED:
        describe_pairs(text, sizeof text, &m->recorded.pairs);
        break;
    case VERB_ERROR:
        snprintf(text, sizeof text, " %s ref %llu id %d #%llu e%llx", est_code_name((int)m->error.code),
                 (unsigned long long)m->error.ref, id_tail(&m->error.id), (unsigned long long)m->error.number,
                 (unsigned long long)m->error.epoch);
        break;
    case VERB_BYE:
        snprintf(text, sizeof text, " %s", est_code_name((int)m->bye.code));
        break;
    case VERB_WELCOME:
        snprintf(text, sizeof text, " session %llu", (unsigned long long)m->welcome.session);
        break;
    default:
        describe_requester(m, text, sizeof text);
    }
    snprintf(line, sizeof line, "%s%s", verb_name(m->verb), text);
    return line;
}
