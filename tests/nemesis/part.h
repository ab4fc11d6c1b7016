/* part.h - one process's part in the play: how it was started, its history, its own dice, and the
 * bodies, which follow from an inquiry's id alone.
 *
 * A history is a file of JSON lines that only its process writes. A line goes out in one write
 * before the act it tells of (invoke, ack, answer), or after the event it tells of; so what a
 * killed process did is in its history, and a last line without its end was not yet done.
 */
#ifndef PART_H
#define PART_H

#include <estelam/agent.h>

#include "board.h"

enum { ID_HEX_SIZE = 33 };

/* argv: FOLDER ROLE NAME SLOT SEED PREVIOUS|- ACCOUNT ENDPOINT SERVER-KEY PUBLIC SECRET */
struct part {
    const char *folder, *role, *name, *previous, *account, *endpoint;
    const char *server_key, *public_key, *secret_key;
    unsigned slot;
    uint64_t dice;
    struct board *board;
    int history;
};
enum { PART_ARGUMENTS = 12 };

/* Reads the arguments, opens board and history, writes `start`. 0 or -1. */
int part_begin(struct part *, int argc, char **argv);
est_options part_options(const struct part *, unsigned window, unsigned results);

/* Writes {"t":…,"who":NAME,"do":`what`,…}. `fields` is JSON without braces. Any thread. Ends the
 * process where it cannot: a history with a hole proves nothing. */
void tell(const struct part *, const char *what, const char *fields, ...)
    __attribute__((format(printf, 3, 4)));

/* The part's own dice, by seed and name: 0 … sides-1. One thread. */
unsigned dice(uint64_t *state, unsigned sides);

/* --- Bodies -------------------------------------------------------------------------------------- */

/* What an account asks under this id. The request's note begins with the id, so that an agent knows
 * whose words it reads without asking the broker. */
struct question {
    const char *type;
    unsigned district;
    bool hurried; /* with a deadline that may pass */
    est_slice body;
    uint64_t digest;
};
void id_hex(const est_id *, char ret_text[ID_HEX_SIZE]);
bool id_from_hex(const char *text, est_id *ret);
/* Fills `body` anew; ret->body lives until its next change. `other`: the question that nobody may ask
 * under this id any more. 0 or a negative code. */
int question_make(const char *account, const est_id *, bool other, est_body *body, struct question *ret);
/* The id that a request's note begins with. */
bool question_id(est_slice request, est_id *ret);
/* FNV-1a, 64 bits. */
uint64_t digest(est_slice);

#endif
