/* guard_broker.c - the broker's own main, under another name, so that the guard can call it. */
int broker_main(int, char **);
#define main broker_main
#include "../../broker/main.c"
