/* stage.h - a private folder with a made-up city, keys, and a running broker that serves it. */
#ifndef STAGE_H
#define STAGE_H

#include <sys/types.h>

#include <estelam/client.h>

#include "bench.h"

enum { STAGE_PATH_SIZE = 512, STAGE_DOORS = 3 };
enum stage_account { STAGE_REQUESTER, STAGE_AGENT, STAGE_OPERATOR, STAGE_BROKER, STAGE_KEYS };

#define STAGE_TYPE    "bench.bedehi"
#define STAGE_PURPOSE "permit"

struct stage {
    char directory[STAGE_PATH_SIZE];
    bool curve;
    struct {
        char public_key[41], secret_key[41];
    } keys[STAGE_KEYS];
    char endpoints[STAGE_DOORS][128]; /* by enum stage_account */
    pid_t broker;
};

/* Makes the folder, starts the broker and waits until all doors are open. 0 or a negative code
 * after a line that says why; then, too, stage_close cleans up. */
int stage_open(struct stage *, const struct plan *);
/* Stops the broker and removes the folder. 0, or -EST_IO where the broker did not end well. */
int stage_close(struct stage *);
/* Has the broker ended by itself? */
bool stage_is_dead(const struct stage *);
/* How one of the first three accounts connects. The strings are the stage's. */
est_options stage_options(const struct stage *, enum stage_account);

#endif
