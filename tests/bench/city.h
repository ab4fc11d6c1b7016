/* city.h - our own broker on the stage: a made-up city, its accounts and keys, and the three doors. */
#ifndef CITY_H
#define CITY_H

#include <estelam/client.h>

#include "system.h"

enum { CITY_DOORS = 3, CITY_TYPES_MAX = 256, CITY_NAME_SIZE = 24 };
/* The second department answers types of its own: CITY_SECOND_TYPE. */
enum city_account {
    CITY_REQUESTER,
    CITY_AGENT,
    CITY_OPERATOR,
    CITY_SECOND_AGENT,
    CITY_QUIET, /* a requester that asks nothing */
    CITY_ACCOUNTS,
    CITY_BROKER = CITY_ACCOUNTS,
    CITY_KEYS
};

#define CITY_SECOND_TYPE "bench.second"
#define CITY_PURPOSE     "permit"

struct bench_city {
    bool curve;
    struct {
        char public_key[41], secret_key[41];
    } keys[CITY_KEYS];
    char endpoints[CITY_DOORS][128]; /* requesters, departments, operators */
};

/* Makes keys, and writes the city and broker.yaml into the stage's folder. 0 or -EST_IO after a line
 * that says why. */
int city_write(struct bench_city *, const struct stage *);
/* The same, then starts the broker and waits until all doors are open. 0 or a negative code after a
 * line that says why. */
int city_open(struct bench_city *, struct stage *);
/* The nth type of the first department. */
void city_type(unsigned nth, char ret[CITY_NAME_SIZE]);
/* An id with a ticket in it, and back:
 *
 *     ms since 1970 (48 bits), version 7, requester (12), variant, counter (32), flight (24)
 */
struct ticket;
est_id city_id(const struct ticket *, uint64_t ms);
struct ticket city_ticket(const est_id *);

/* How an account connects. The strings are the city's. */
est_options city_options(const struct bench_city *, enum city_account);

/* The two players. */
int requester_play(const struct part *);
int agent_play(const struct part *);

struct link;
/* Opens a link, waits for the session, says so, and waits for the signal to begin. NULL after the
 * score's trouble has been set. */
struct link *city_begin(const struct part *, enum city_account, unsigned window, unsigned results);
/* Waits for the session alone. False after the score's trouble has been set. */
bool city_is_up(const struct part *, struct link *);

#endif
