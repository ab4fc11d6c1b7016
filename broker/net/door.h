/* door.h - one ROUTER socket with its options set before bind and read back, and its monitor. */
#ifndef DOOR_H
#define DOOR_H

#include "net.h"

/* libzmq's descriptor of a socket tells of a change, not of a state. A socket that was read until
 * nothing was left shows there when more comes, but a send, or a question for its events, takes the
 * sign away. So `is_unsure` is set by a sign and by each send, and cleared when a read finds nothing.
 * A monitor is never sent on: its sign stays until it is read. */
struct door_socket {
    enum door door;
    void *socket, *monitor;
    int fd, monitor_fd;
    bool is_unsure;       /* a read may find something */
    bool has_ended;       /* the monitor may have something to tell */
    char endpoint[256];
};

int door_open(struct door_socket *, void *context, enum door, const struct net_options *, const char *endpoint,
              char *ret_why);
void door_close(struct door_socket *);
/* A connection that came, before any handshake, or that ended. */
struct door_news {
    bool came;
    int fd;
};
/* The next of these, false when no more is known. Handshakes that libzmq itself gave up, before anybody was asked about a
 * key, are added to who was turned away. */
bool door_news(struct door_socket *, struct turned *, struct door_news *ret);

#endif
