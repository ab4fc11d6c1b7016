/* world.h - a session and an imagined broker, told as text.
 *
 * Tests read like stories: `sent` is the next frame as the verbs in it, `told` is every event that
 * waits, one after the other. No socket, no clock: time is `now`.
 */
#ifndef WORLD_H
#define WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "session.h"

enum { WORLD_MESSAGES_MAX = 64, WORLD_TEXT_SIZE = 64 * 1024 };

struct world {
    struct session *session;
    est_time now;
    struct buffer said, frame;
    struct message got[WORLD_MESSAGES_MAX]; /* of the last frame sent, the first of them */
    size_t got_count;
    uint32_t lease; /* of the last WORK */
    void *work;     /* of the last LOST */
    bool told_is_read;
    char sent[WORLD_TEXT_SIZE], told[WORLD_TEXT_SIZE], text[EST_TEXT_MAX + 1];
};

struct world *world_new(const struct session_options *);
void world_free(struct world **);
/* HELLO and WELCOME with these grants; nothing is left to read or send. */
void world_connect(struct world *, const struct welcome *);
struct welcome world_welcome(void); /* a generous one */

void world_says(struct world *, const struct message *); /* adds a command to the broker's frame … */
void world_deliver(struct world *);                      /* … and delivers it */
#define SAYS(w, name, member, ...)                                                                           \
    do {                                                                                                     \
        said_scratch.verb = VERB_##name;                                                                     \
        said_scratch.member = (struct member)__VA_ARGS__;                                                    \
        world_says((w), &said_scratch);                                                                      \
    } while (0)
#define SAYS_ERROR(w, ...)                                                                                   \
    do {                                                                                                     \
        said_scratch.verb = VERB_ERROR;                                                                      \
        said_scratch.error = (struct error_is)__VA_ARGS__;                                                   \
        world_says((w), &said_scratch);                                                                      \
    } while (0)
extern struct message said_scratch;

/* The next frame, "" where there is none: "SUBMIT SUBMIT RESULT_ACK". */
const char *world_sent(struct world *);
/* All events, "" for none: "UP; ACCEPTED #7; REFUSED BUSY ref 5". */
const char *world_told(struct world *);
void world_pass_ms(struct world *, int64_t ms); /* time goes on; the timers run */

est_id id_of(unsigned);
struct submit submit_of(unsigned id);

#define expect_sent(w, text) assert_string_equal(world_sent(w), text)
#define expect_told(w, text) assert_string_equal(world_told(w), text)

#endif
