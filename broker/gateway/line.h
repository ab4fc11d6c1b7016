/* line.h - one account's connection to the broker, on a thread of its own.
 *
 *     line_open -> line_start -> line_ask … -> line_stop -> line_close
 *
 *   any thread --- line_ask ---> inbox --- the line's thread ---> broker
 *                                              |
 *                       ask->done, once <------+
 *
 * What holds: `done` of every ask is called exactly once: with the broker's answer, or with
 * EST_EVENT_REFUSED and TIMEOUT, UNREACHABLE or CLOSED when there is none in time, or GW_GATEWAY_FAULT
 * where the call itself was wrong: whatever a caller may get wrong is checked before. It runs on the
 * line's thread, or on the asker's inside line_ask where the line refuses at once, and must not
 * block. A submit that ended with TIMEOUT may still be accepted: its id makes asking again safe.
 */
#ifndef GATEWAY_LINE_H
#define GATEWAY_LINE_H

#include "config.h"

#include <estelam/client.h>
#include <stdatomic.h>

struct line;
struct ask {
    /* Filled by the asker. `send` makes the call of the client API; `id` is of a submit, else zero. */
    int (*send)(struct ask *, est_client *, uint64_t ref);
    void (*done)(struct ask *, const est_event *);
    est_id id;
    est_span patience; /* 0: the configuration's */
    /* The line's own. */
    uint64_t number; /* of an awaited inquiry */
    uint32_t slot;
    int64_t until_us;
    int state;
    struct ask *next, *previous, *chain;
};

/* Told of every result of the account, on the line's thread. True: it may be acknowledged now;
 * false: whoever took it calls line_ack later. */
typedef bool (*line_result_call)(void *arg, struct line *, const est_event *);

/* 0, -EST_INPUT, -EST_NO_MEMORY, -EST_IO. */
int line_open(const struct config *, const struct account_config *, struct line **ret);
void line_on_result(struct line *, line_result_call, void *arg); /* before line_start */
int line_start(struct line *);
/* Every ask under way is refused with CLOSED, and so is every later one. */
void line_stop(struct line *);
void line_close(struct line **);

void line_ask(struct line *, struct ask *);
/* On the line's thread, from inside `done`: waits for the result of this inquiry. */
void line_await(struct line *, struct ask *, uint64_t number);
/* The result is safe; the broker need not keep it. Any thread. */
void line_ack(struct line *, uint64_t number);

const char *line_account(const struct line *);
unsigned line_role(const struct line *);
const struct account_config *line_config(const struct line *);
bool line_is_up(const struct line *);
/* By the last session; 0 while there has been none. */
unsigned line_level(const struct line *);
/* Why there is no session now: the code, and since when. */
int line_down_code(const struct line *);
/* Requests that wait on this line now. */
size_t line_waiting(const struct line *);

#endif
