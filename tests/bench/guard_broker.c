/* guard_broker.c - the broker's own main, under another name, so that the guard can call it. */
int broker_main(int, char **);
#define main broker_main

/* The loop is called through a pointer: as a function with one caller it would become a part of that when it is
 * optimised at link time, and callgrind could not see where it begins. */
#include "../../broker/broker.h"
static int (*volatile loop_called)(struct broker *) = loop_run;
#define loop_run loop_called
#include "../../broker/main.c"
