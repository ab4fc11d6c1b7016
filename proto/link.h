/* link.h - drives one session over ZeroMQ: connects, sends, receives, waits, connects again.
 *
 * A session needs time, frames and news of its connection; the link gets them. It tries the
 * endpoints in turn, pausing longer after each round in which none became a session (with jitter,
 * so that a thousand far ends do not come back in one instant), and gives up a connection the
 * moment its monitor says that it is lost.
 *
 * One thread uses a link at a time; link_wake alone may be called from anywhere.
 */
#ifndef LINK_H
#define LINK_H

#include <estelam/client.h>

#include "session.h"

struct link;

/* Everything is copied. 0, -EST_INPUT, -EST_NO_MEMORY, -EST_IO. Does not wait for a connection. */
int link_open(const est_options *, enum session_role, const char *const *types, const unsigned *districts,
              struct link **ret);
/* Sends what waits to be sent and BYE, for at most linger_ms; then the link is good for nothing
 * but link_close. */
void link_shut(struct link *, int linger_ms);
/* link_shut, and frees it. */
void link_close(struct link **, int linger_ms);
struct session *link_session(struct link *);
/* Was it opened before this process was forked off? Then link_poll always gives SESSION_DOWN with EST_CLOSED, and
 * the others do nothing; link_close frees what is this process's. */
bool link_is_parents(const struct link *);

/* Does what is due, sends what the session has, and gives its next event: 1 and *ret set. 0 when
 * none came in time, or link_wake was called. Slices in *ret live until the next call. */
int link_poll(struct link *, int timeout_ms, struct session_event *ret);
/* Ends a wait in link_poll, or the next one. Async-signal-safe. */
void link_wake(struct link *);

/* Readable, level-triggered, whenever link_poll has something to do. */
int link_fd(struct link *);
/* The session was given something to send: the descriptor must say so. */
void link_touch(struct link *);

/* Microseconds of a clock that never goes back. */
est_time link_now(void);
/* The same, as it was when link_poll last waited or looked for a frame: before the frame was read whose
 * events it gives. */
est_time link_turn(const struct link *);

#endif
