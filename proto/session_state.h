/* session_state.h - what the parts of the session engine share, and nobody else sees.
 *
 *   session.c        making one, the connection, time
 *   session_in.c     frames that came: a handler for each verb
 *   session_out.c    frames to send: a packer for each kind of command, in the order of leaving
 *   session_calls.c  what the program asks, answers and acknowledges
 */
#ifndef SESSION_STATE_H
#define SESSION_STATE_H

#include "asks.h"
#include "leases.h"
#include "session.h"

/* The drawing is in session.h. */
enum session_state { OFF, HELLO, UP, BROKEN };
enum { REF_READY = 1, REF_LEAVE = 2, REF_READY_REST = 3 };
enum { PAIRS_PER_COMMAND = EST_NUMBERS_MAX / 2, NUMBER_SIZE_MAX = 9 };
enum { SOFTWARE_SIZE = 128 };
/* WELCOME may not grant less: every command but one with a large body must fit. */
enum { FRAME_SIZE_MIN = 32 * 1024 };
enum { COMMAND_SIZE_SMALL = 64 }; /* PING, PONG, READY without its lists, LEAVE, BYE: less than this */

/* Results the program has safe. Those before `sent` were sent and are kept for a new connection. */
struct acks {
    uint64_t *at;
    uint32_t capacity;         /* a power of two */
    uint64_t first, sent, end; /* positions, counted from the beginning of time */
};

struct session {
    enum session_role role;
    enum session_state state;
    uint32_t window, results, heartbeat_wish_ms;
    char software[SOFTWARE_SIZE];
    char account_wish[EST_NAME_MAX + 1]; /* empty: any */
    struct buffer types, districts; /* of READY, packed */
    struct buffer types_rest;       /* those of `types` that this session was left; empty: all of them */

    /* Granted by WELCOME. */
    uint32_t window_granted, asks_max;
    size_t frame_max, body_max;
    est_span heartbeat, lease_term;
    char account[EST_NAME_MAX + 1];

    /* This connection. */
    est_time connected_at, sent_at, heard_at, pinged_at, resume_at;
    est_time renew_at;  /* the next round of renewals */
    est_time expire_at; /* no lease ends before this */
    est_span term_min;  /* of the leases of this session */
    est_time ready_again_at; /* all types are asked for again; INT64_MAX: nothing was refused */
    bool hello_due, ready_due, ready_is_rest, leave_due, pong_due, bye_due, bye_is_said, down_due;
    uint32_t renew_left;  /* leases still to be named in RENEW */
    uint32_t renews_open; /* RENEWs whose RENEWED has not come */
    uint64_t pong_token;
    int down_code;
    char down_text[EST_TEXT_MAX + 1];

    /* Wanted for good. */
    bool leaving;

    struct asks asks;
    struct acks acks;
    struct leases leases;

    struct cursor frame; /* what is being read */
    bool frame_is_open;
    size_t pairs_at; /* how far a RECORDED has been told; 0: none is being told */
    struct message in, out;
};

/* Ends the session for this reason, unless it has ended: the first reason is the true one. */
void session_break(struct session *, int code, est_slice text);
void session_break_cstr(struct session *, int code, const char *text);

/* The verb that answers a verb that asks; VERB_NONE where it is none of those. */
enum verb session_answer_of(enum verb);
/* When this end has heard nothing for a heartbeat, though it spoke: not every command is answered. */
est_time session_ping_at(const struct session *);

/* Cut to fit, ends with a zero byte. */
void text_copy(char *to, size_t size, est_slice from);

#endif
