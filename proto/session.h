/* session.h - the far end of the protocol as an engine: one for requesters, operators and agents.
 *
 * Free of I/O, clock, entropy and threads. It is told what happened (connected, a frame came, the
 * connection is gone, the program asks something, it is this late) and says what to do: frames to
 * send, events for the program, the instant to be woken at. The same calls give the same frames
 * and events, byte for byte.
 *
 *         connected            WELCOME                       broken: session_is_broken
 *   OFF -------------> HELLO -----------------> UP ----------------+
 *    ^                   |                                         |
 *    |                   +--- refused, or no WELCOME in time ------+--> BROKEN
 *    +------------------------- session_disconnected -----------------+
 *
 * It pulls instead of being pushed: commands stay in its tables and are packed only when
 * session_take is called, as many to a frame as fit. So nothing is lost with a connection, the
 * broker's limits are kept by packing later, and one call is one message. Tables are sized once;
 * beyond them a call says -EST_FULL.
 *
 * What it does by itself: HELLO; READY, of the types that it names without those that the broker refused by name, which
 * is told as REFUSED, and after a while with all of them again; PING when it was quiet for a heartbeat; PONG; RENEW at
 * every third of a lease; after a reconnect every unanswered ask again, every answer that is not
 * recorded once more, every recent acknowledgement. Frames that break the protocol break the
 * connection. `now` is any clock that does not go back.
 */
#ifndef SESSION_H
#define SESSION_H

#include "message.h"

struct session;

enum session_role { SESSION_CLIENT = 1, SESSION_AGENT = 2 };

enum {
    SESSION_ASKS_MAX = 4096,               /* unanswered at once, whatever WELCOME grants */
    SESSION_AWAITED_MAX = 65536,           /* accepted, result to come, with results of own submits only */
    SESSION_ACKS_MAX = 2 * EST_WINDOW_MAX, /* acknowledgements not sent yet */
    SESSION_ACKS_KEPT = 1024,              /* sent ones that a new connection hears again */
    /* A frame of many commands ends here, so that the broker starts early. With 32 KiB both ends took a tenth
     * more CPU at W = 1,000, and p99 was a tenth longer; 128 KiB bring nothing more. */
    SESSION_FRAME_FILL = 64 * 1024,
    SESSION_WINDOW_DEFAULT = 256,
    SESSION_WELCOME_MS = 5000,   /* given to a connection to become a session */
    SESSION_HEARTBEAT_MS = 5000, /* where WELCOME names none */
    SESSION_READY_AGAIN_MS = 60000, /* between READYs with all types, where some were refused */
};

/* The strings are copied. */
struct session_options {
    enum session_role role;
    const char *software; /* NULL: only the library's own name */
    const char *account;  /* a WELCOME to another one breaks the connection with EST_INPUT; NULL: any will do */
    uint32_t window;      /* 0: SESSION_WINDOW_DEFAULT */
    uint32_t results;     /* enum results_mode; clients */
    uint32_t heartbeat_ms;
    const char *const *types; /* agents; NULL: all */
    const unsigned *districts;
};

enum session_event_kind {
    SESSION_UP = 1,   /* message: WELCOME */
    SESSION_DOWN,     /* code, text; also where it never came up */
    SESSION_ANSWER,   /* message: ACCEPTED, DONE or …_IS; ref: the program's; id of a submit */
    SESSION_REFUSED,  /* of an ask (ref or id), an answer (number, epoch) or neither: code, text; message:
                         ERROR or NULL */
    SESSION_RESULT,   /* message: RESULT */
    SESSION_WORK,     /* message: ASSIGN; lease: give it to session_work_set */
    SESSION_RECORDED, /* number, epoch: the answer is in the record */
    SESSION_LOST,     /* number, epoch, code: the lease is over; work: what was set */
};

struct session_event {
    enum session_event_kind kind;
    int code;
    uint64_t ref, number, epoch;
    est_id id;
    est_slice text;
    uint32_t lease;
    void *work;
    const struct message *message; /* it and its slices live until the next call of session_next */
};

/* 0, -EST_INPUT (window, types, districts, software), -EST_NO_MEMORY. */
int session_new(const struct session_options *, struct session **ret);
void session_free(struct session **);

/* --- The connection. ---------------------------------------------------------------------------- */

void session_connected(struct session *, est_time now);
/* The connection is gone, or could not be made; code and text become the DOWN event, unless the
 * session knows better (it broke the connection itself, or the broker said BYE). */
void session_disconnected(struct session *, int code, const char *text);
/* Must the connection be ended? Then end it and call session_disconnected. */
bool session_is_broken(const struct session *);
bool session_is_up(const struct session *);
est_slice session_account(const struct session *); /* by the last WELCOME */

/* A frame came. Its bytes must stay until session_next has returned 0. */
void session_frame(struct session *, est_time now, est_slice frame);
/* The next event: 1 and *ret set; 0 when there is none left. */
int session_next(struct session *, est_time now, struct session_event *ret);
/* Timers; then session_next may have events. */
void session_tick(struct session *, est_time now);
/* When session_tick or session_take has something to do by itself; {INT64_MAX}: never. */
est_time session_wakeup(const struct session *);
/* Is there something to send (apart from what is due by time)? */
bool session_has_output(const struct session *);
/* Is there an ask or acknowledgement that no frame has carried, connected or not? */
bool session_has_unsent(const struct session *);
/* Packs the next frame into an empty buffer. False where there is nothing to send, or no memory. */
bool session_take(struct session *, est_time now, struct buffer *frame);
/* The last frame it gives ends with BYE. */
void session_bye(struct session *);
/* Has it been packed on this connection, after all that was to be sent? */
bool session_has_said_bye(const struct session *);

/* --- Asks. 0; -EST_FULL, -EST_TOO_LARGE, -EST_INPUT, -EST_NO_MEMORY. ----------------------------- */

/* The same submit again while it is unanswered changes nothing; another under its id is
 * -EST_CONFLICT. */
int session_submit(struct session *, const struct submit *);
/* Any other command that asks: its ref is the program's and comes back in the event. */
int session_ask(struct session *, const struct message *);
int session_ack(struct session *, uint64_t number);

/* --- Work. --------------------------------------------------------------------------------------- */

void session_work_set(struct session *, uint32_t lease, void *work);
/* ANSWER, RETRY or REFUSE. Besides the codes above -EST_STALE_EPOCH: the lease is over. */
int session_answer(struct session *, const struct message *);
/* No more work; what is held is finished. Holds for later connections too: they take no work. */
void session_leave(struct session *);
/* Nothing held and no answer on its way? */
bool session_is_idle(const struct session *);

#endif
