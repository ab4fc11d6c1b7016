/* player.h - a process that takes part in a round: requester or agent.
 *
 * round.c forks it, it connects, says so and waits for the signal (player_await), plays, and leaves
 * its score on the board. It makes no connection, thread or context before it is forked.
 */
#ifndef PLAYER_H
#define PLAYER_H

#include <codec.h>

#include "stage.h"

struct part {
    const struct plan *plan;
    struct stage *stage;
    const struct board *board;
    struct score *score;
    unsigned index;
    int ready, go;
};

/* How many inquiries an agent may have at once. */
unsigned part_share(const struct part *);
/* Says that it is connected, and waits for the signal to begin. False when there will be none. */
bool player_await(const struct part *);
/* Keeps the first trouble. Always 1, the exit status of a player in trouble. */
int player_trouble(const struct part *, const char *what, int code, est_slice text);
/* The same in the words of somebody else's library; `text` may be NULL. */
int player_failed(const struct part *, const char *what, const char *text);
/* From then on SIGTERM, the end of an agent's life, is told by player_is_leaving. Calls that wait go
 * on waiting: none of them may take longer than PLAYER_WAIT_MS. */
enum { PLAYER_WAIT_MS = 100 };
void player_leave_on_signal(void);
bool player_is_leaving(void);

/* Bodies of about plan->body bytes, one for each district. */
struct bodies {
    struct buffer at[DISTRICTS];
};

/* 0 or -EST_NO_MEMORY. */
int bodies_make(struct bodies *, unsigned size, bool reply);
void bodies_done(struct bodies *);

#endif
