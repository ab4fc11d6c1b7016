/* fake.h - a broker of a few lines: a ROUTER in a thread that follows a rule.
 *
 * It says WELCOME to HELLO and PONG to PING by itself; every other command goes to the rule, which
 * answers with fake_say. What the rule says during one frame leaves in one frame. Tests wait for
 * what they expect with a deadline, never for time to pass.
 */
#ifndef FAKE_H
#define FAKE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <estelam/client.h>

#include "message.h"

enum { FAKE_DEADLINE_MS = 20000, FAKE_TEXT_SIZE = 4096 };

struct fake;
/* Called in the fake's thread. The verb is VERB_NONE when fake_poke was called. */
typedef void (*fake_rule)(struct fake *, const struct message *);

struct fake_options {
    fake_rule rule;
    void *arg;
    const char *secret_key; /* CURVE with this key; NULL: PLAIN */
    const char *zap_status; /* "200", "400" …; NULL: everybody may come in */
    const char *account;    /* what it calls everybody; NULL: "portal" */
    unsigned heartbeat_ms, window, asks_max;
    unsigned bye; /* a code that is said with each WELCOME, in the same frame; 0: none */
};

struct fake *fake_open(const struct fake_options *);
void fake_close(struct fake **);
const char *fake_endpoint(const struct fake *);
/* How many commands of this verb have come. */
unsigned fake_count(struct fake *, enum verb);
/* Waits until so many have come; fails the test at the deadline. */
void fake_await(struct fake *, enum verb, unsigned count);
/* The same, while this client is being polled; its events are passed over. */
void fake_await_polling(struct fake *, enum verb, unsigned count, est_client *);
void fake_poke(struct fake *);
/* Makes the fake send messages of two frames. */
void fake_break(struct fake *);

/* For rules. */
void *fake_arg(struct fake *);
void fake_say(struct fake *, const struct message *);
struct message *fake_scratch(struct fake *);
#define FAKE_SAY(fake, name, member, ...)                                                                    \
    do {                                                                                                     \
        struct message *scratch_ = fake_scratch(fake);                                                       \
        scratch_->verb = VERB_##name;                                                                        \
        scratch_->member = (struct member)__VA_ARGS__;                                                       \
        fake_say((fake), scratch_);                                                                          \
    } while (0)
void fake_refuse(struct fake *, const struct error_is *);
void fake_record(struct fake *, uint64_t number, uint64_t epoch);

int64_t now_ms(void);

#endif
