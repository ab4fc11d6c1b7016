/* city.h - our own broker on the stage: a made-up city, its accounts and keys, and the three doors. */
#ifndef CITY_H
#define CITY_H

#include <estelam/client.h>

#include "system.h"

enum { CITY_DOORS = 3 };
enum city_account { CITY_REQUESTER, CITY_AGENT, CITY_OPERATOR, CITY_BROKER, CITY_KEYS };

#define CITY_TYPE    "bench.bedehi"
#define CITY_PURPOSE "permit"

struct city {
    bool curve;
    struct {
        char public_key[41], secret_key[41];
    } keys[CITY_KEYS];
    char endpoints[CITY_DOORS][128]; /* by enum city_account */
};

/* Writes the city into the stage's folder, starts the broker and waits until all doors are open.
 * 0 or a negative code after a line that says why. */
int city_open(struct city *, struct stage *);
/* How one of the first three accounts connects. The strings are the city's. */
est_options city_options(const struct city *, enum city_account);

/* The two players. */
int requester_play(const struct part *);
int agent_play(const struct part *);

struct link;
/* Opens a link, waits for the session, says so, and waits for the signal to begin. NULL after the
 * score's trouble has been set. */
struct link *city_begin(const struct part *, enum city_account, unsigned window);

#endif
