/* registry.h - what a test has open, so that its end closes it whatever happened. */
#ifndef REGISTRY_H
#define REGISTRY_H

#include "harness.h"

void children_add(struct child *);
void children_remove(struct child *);
void cities_add(struct city *);
void cities_remove(struct city *);
void fars_add(struct far *);
void fars_remove(struct far *);
void raws_add(struct raw *);
void raws_remove(struct raw *);
void city_free(struct city **);

#endif
