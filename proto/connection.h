/* connection.h - one attempt at one endpoint: a ZeroMQ DEALER socket and its monitor.
 *
 * A connection is never mended: libzmq's own reconnect is off, and a fresh socket is made for the
 * next attempt. So nothing that was queued for one session can ever reach another, and every
 * attempt may go to another endpoint. The monitor tells at once, and with its reason, what
 * libzmq itself keeps silent about: refused connections, refused keys, a peer that is gone.
 */
#ifndef CONNECTION_H
#define CONNECTION_H

#include <estelam/client.h>

enum { ENDPOINT_SIZE = 256, CONNECTION_TEXT_SIZE = 400, KEY_SIZE = 41 };

/* Who we are and whom we trust. No server key: PLAIN. */
struct credentials {
    bool curve;
    char server_key[KEY_SIZE], public_key[KEY_SIZE], secret_key[KEY_SIZE];
    char account[EST_NAME_MAX + 1];
};

struct connection {
    void *socket, *monitor; /* NULL: not open */
    int socket_fd, monitor_fd;
    bool handshaken;
    char endpoint[ENDPOINT_SIZE];
};

/* Begins to connect. `id` makes the monitor's address unique in the context. 0, or -EST_IO with
 * the reason in ret_text. */
int connection_open(struct connection *, void *context, const char *endpoint, const struct credentials *,
                    unsigned id, char ret_text[CONNECTION_TEXT_SIZE]);
/* What was sent may take this long to leave. */
void connection_close(struct connection *, int linger_ms);

/* 0 while all is well; else a negative code, and why in ret_text. */
int connection_check(struct connection *, char ret_text[CONNECTION_TEXT_SIZE]);
/* 1: sent; 0: the way is full, try again once it is writable; -EST_IO. */
int connection_send(struct connection *, est_slice frame);
/* 1 and the bits ZMQ_POLLIN, ZMQ_POLLOUT of what can be done now. */
int connection_events(struct connection *);

#endif
