/* board.h - a page that all processes of one round share: how far the work has come, what phase it
 * is, and what the nemesis needs to see of processes that it is about to kill.
 *
 * The nemesis waits on `ticks`, which a requester moves with every new receipt and new
 * result: the moment of a kill is a point of the work, not of the clock. A process that dies leaves the page
 * as sound as it was, since nothing in it is ever locked.
 */
#ifndef BOARD_H
#define BOARD_H

#include <estelam/types.h>
#include <stdatomic.h>

enum { BOARD_SLOTS = 16 };
enum phase { PHASE_CHAOS, PHASE_SETTLE };

struct board {
    atomic_uint ticks;
    atomic_int phase;
    atomic_int waiters;
    atomic_uint pending[BOARD_SLOTS]; /* requesters: submits that have no answer */
    atomic_llong clock_ahead_us;      /* the broker's clock by the newest receipt, against this machine's */
    atomic_ullong lent_number; /* an inquiry that its owner never acknowledges; * 256 + the owner's initial */
    est_id lent;               /* an id for another account to use too; may be torn, then it is just an id */
};

/* Maps FOLDER/board; makes it where it is not there. NULL: no. */
struct board *board_open(const char *folder);
void board_close(struct board **);
void board_tick(struct board *);
/* Until `ticks` is past `seen` by `more`, or the time is over. How many it is past. */
unsigned board_wait(struct board *, unsigned seen, unsigned more, int timeout_ms);
/* This machine's clocks, in microseconds. */
int64_t monotonic_us(void);
int64_t wall_us(void);

#endif
