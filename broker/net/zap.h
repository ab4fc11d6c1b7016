/* zap.h - the ZAP handler (RFC 27): libzmq asks it about every handshake.
 *
 * CURVE in libzmq lets ANY key in when nobody answers at inproc://zeromq.zap.01, so this is bound
 * before any door is, every door enforces its domain, and whatever is not exactly a request that
 * we know is answered 400. It is our own because czmq's zauth ignores the domain, rescans its
 * directory at each handshake and copies metadata into a fixed buffer.
 *
 * A good key gets the User-Id "k" and its handle; every message of that connection carries it.
 */
#ifndef ZAP_H
#define ZAP_H

#include "keyring.h"
#include "turned.h"

struct zap {
    void *socket;
    int fd;                     /* tells when it may be readable */
    const struct keyring *ring;
    uint64_t accepted, refused; /* handshakes since start */
    struct turned *turned;      /* who was refused */
};

/* 0, or -EST_IO: another handler is bound already, or out of sockets. */
int zap_open(struct zap *, void *context, const struct keyring *, struct turned *);
void zap_close(struct zap *);
/* Answers every request that waits. Quick: call it whenever the descriptor is readable. */
void zap_handle(struct zap *, est_time now);

/* libzmq's descriptor of a socket; -1 where it has none. */
int socket_fd(void *socket);

const char *zap_domain(enum door);
/* "k17" -> 17; KEY_NONE for anything else. */
uint32_t zap_user_id_parse(const char *user_id);

#endif
