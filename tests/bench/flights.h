/* flights.h - the W inquiries that a requester keeps in flight.
 *
 * Each carries a ticket: whose it is, its place in the table, and how many were before it. So a
 * result is matched, and one that comes twice is found, without a search. Players of peers put the
 * ticket before the body: their letter. (Ours has it in the inquiry's id.)
 */
#ifndef FLIGHTS_H
#define FLIGHTS_H

#include "player.h"

enum { TICKET_SIZE = 16 };

struct ticket {
    uint32_t requester, flight, counter;
};

struct flight {
    uint32_t counter;
    bool open, accepted;
    int64_t sent_us;
};

struct flights {
    const struct part *part;
    struct flight *all;
    uint32_t *idle; /* flights that are free */
    uint32_t idle_count, window, counter;
    uint32_t deep; /* the first so many were in the store before the round began */
};

/* 0 or -EST_NO_MEMORY. */
int flights_make(struct flights *, const struct part *);
void flights_done(struct flights *);

/* The next to go, unless all are in flight or the time is up. It is on its way, and counted as
 * submitted, with flight_depart. */
bool flight_next(const struct flights *, int64_t now_us, struct ticket *ret);
void flight_depart(struct flights *, const struct ticket *, int64_t now_us);
/* NULL where it has landed already, or never left. */
struct flight *flight_find(struct flights *, const struct ticket *);
/* Counts an answer, and its latency within the measured time; or that it came twice. */
void flight_land(struct flights *, const struct ticket *, int64_t now_us);
/* Is the time up, and has every one landed? */
bool flights_are_over(const struct flights *, int64_t now_us);

/* --- Letters --------------------------------------------------------------------------------------- */

/* A ticket of 16 bytes, then a body of about plan->body bytes. */
struct letter {
    char *bytes;
    size_t size;
};

/* 0 or -EST_NO_MEMORY. */
int letter_make(struct letter *, unsigned body, bool reply);
void letter_done(struct letter *);
void ticket_write(char *to, const struct ticket *);
/* False where this is no letter of ours, whole. */
bool ticket_read(const char *from, size_t size, struct ticket *ret);

#endif
