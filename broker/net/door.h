/* door.h - one ROUTER socket with its options set before bind and read back, and its monitor. */
#ifndef DOOR_H
#define DOOR_H

#include "net.h"

struct door_socket {
    enum door door;
    void *socket, *monitor;
    char endpoint[256];
};

int door_open(struct door_socket *, void *context, enum door, const struct net_options *, const char *endpoint,
              char *ret_why);
void door_close(struct door_socket *);
/* The file descriptor of a connection that ended, or -1 when no more is known. */
int door_disconnected(struct door_socket *);

#endif
