/* synced.h - the limit of wire and disk together: a proxy that writes what it passes on, and looks at none of it. */
#ifndef SYNCED_H
#define SYNCED_H

#include "stage.h"

/* Takes what waits at both doors, writes it to a log in the stage's folder, synced, and only then passes it on, each
 * message to the other door. Returns when something failed, after a line that says what. */
void synced_serve(const struct stage *, void *front, void *back);

#endif
