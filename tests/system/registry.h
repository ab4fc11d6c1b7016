/* registry.h - what a test has open, so that its end closes it whatever happened. */
#ifndef REGISTRY_H
#define REGISTRY_H

#include "harness.h"

void children_add(struct child *);
void children_remove(struct child *);
void towns_add(struct town *);
void towns_remove(struct town *);
void fars_add(struct far *);
void fars_remove(struct far *);
void raws_add(struct raw *);
void raws_remove(struct raw *);
void town_free(struct town **);

#endif
