/* asks.h - what this far end has asked and has had no answer to.
 *
 * A slot keeps the packed command, so that sending it, and sending it again on a new connection,
 * is one copy. A submit is known by its id, every other ask by a `ref` of this table's own: two
 * asks of the program may carry the same ref.
 *
 *                          +------- disconnected ------+
 *                          v                           |
 *   FREE -- ask_new --> QUEUED -- into a frame --> SENT -- answered --> FREE
 *                        ^  |                        |
 *             later over |  | too large              | accepted, and its result is awaited
 *                        |  v                        v
 *                     LATER REFUSED -- told --> FREE  AWAITING -- result --> FREE
 *
 * REFUSED is this end's own doing: the ask is too large for the broker's frames, was in a frame
 * that the broker called malformed, or is a question that was open when a malformed frame came.
 *
 * AWAITING is for a session that takes the results of its own submits only: the broker ties a
 * result to the session that submitted it, so a new session has to submit it again (under the
 * same id, which does nothing else).
 */
#ifndef ASKS_H
#define ASKS_H

#include "message.h"
#include "slots.h"

enum ask_state { ASK_FREE, ASK_QUEUED, ASK_SENT, ASK_AWAITING, ASK_LATER, ASK_REFUSED, ASK_STATES };

struct ask {
    enum ask_state state;
    enum verb verb;
    bool accepted; /* the program was told: an answer to sending it again is not news */
    uint32_t turn; /* how often the slot was used: part of the ref on the wire */
    int code;      /* REFUSED: why */
    uint64_t ref;  /* the program's */
    est_id id;     /* of a submit */
    struct buffer command;
};

struct asks {
    uint32_t capacity, used; /* slots from `used` on were never touched */
    uint32_t unanswered;     /* neither free nor accepted */
    struct ask *at;
    struct slot_link *links;
    struct chain chains[ASK_STATES];
    struct index by_id;
};

/* Refs below this are the session's own, for READY and LEAVE. */
enum { ASK_REF_FIRST = 16 };

int asks_init(struct asks *, uint32_t capacity); /* 0 or -EST_NO_MEMORY */
void asks_done(struct asks *);

/* A queued slot with an empty command; SLOT_NONE when all are taken. */
uint32_t ask_new(struct asks *, enum verb verb, uint64_t ref);
uint32_t ask_new_submit(struct asks *, const est_id *id);
void ask_move(struct asks *, uint32_t slot, enum ask_state to);
void ask_refuse(struct asks *, uint32_t slot, int code); /* here, not by the broker */
void ask_free(struct asks *, uint32_t slot);
/* The submit's receipt came: from now on only its result is awaited. */
void ask_accept(struct asks *, uint32_t slot);

uint64_t ask_wire_ref(const struct asks *, uint32_t slot);
/* The ask that an answer from the wire names; SLOT_NONE where it names none that is open. */
uint32_t ask_by_ref(const struct asks *, uint64_t wire_ref);
uint32_t ask_by_id(const struct asks *, const est_id *id);

/* The connection is gone: everything that was sent waits to be sent again, in its order. */
void asks_requeue(struct asks *);
/* What was put off is queued again. */
void asks_resume(struct asks *);
/* What was sent and is of such a verb (NULL: of any) may not be sent again. What was accepted before is known to be
 * readable, and stays. */
void asks_refuse_sent(struct asks *, bool (*which)(enum verb), int code);

#endif
