/* player.h - a process that takes part in a round: requester or agent.
 *
 * round.c forks it, it connects and says so on `ready`, waits for the end of `go`, plays, and
 * leaves its score on the board. It makes no ZeroMQ context before it is forked.
 */
#ifndef PLAYER_H
#define PLAYER_H

#include <link.h>

#include "stage.h"

struct part {
    const struct plan *plan;
    const struct stage *stage;
    const struct board *board;
    struct score *score;
    unsigned index;
    int ready, go;
};

/* Bodies of about plan->body bytes, one for each district. */
struct bodies {
    struct buffer at[DISTRICTS];
};

/* Each is the whole life of a process: its exit status. */
int requester_play(const struct part *);
int agent_play(const struct part *);

/* Opens a link, waits for the session, says so, and waits for the signal to begin. NULL after the
 * score's trouble has been set. */
struct link *player_begin(const struct part *, enum stage_account, unsigned window);
/* Keeps the first trouble. Always EST_IO, the exit status of a player in trouble. */
int player_trouble(const struct part *, const char *what, int code, est_slice text);
/* 0 or -EST_NO_MEMORY. */
int bodies_make(struct bodies *, unsigned size, bool reply);
void bodies_done(struct bodies *);

#endif
