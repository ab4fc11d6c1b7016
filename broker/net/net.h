/* net.h - the three doors: frames in from authenticated peers, frames out after the commit.
 *
 * A peer is one connection that has said something. Its number, 0 ... peers_max-1, is the core's
 * session number too. Who a peer is comes from its key by the ZAP handler, is read from each
 * message's payload frame (after a poll libzmq 4.3.4 loses metadata on the first frame), and is
 * checked against the keyring for every message: a revoked key dies on its open connections.
 *
 * Nothing is sent before net_flush, which the loop calls after the commit: everything bound for
 * one peer in one batch is packed into as few messages as its frame_max allows. No send ever waits: a
 * peer that does not read is dropped.
 */
#ifndef NET_H
#define NET_H

#include "keyring.h"
#include "zap.h"

enum { PEER_NONE = UINT32_MAX, DOORS = 3 };

struct net_options {
    const char *endpoints[DOORS];   /* requesters, departments, operators */
    bool curve;
    uint8_t secret_key[32];
    uint32_t peers_max;
    uint32_t frame_max;             /* bytes of the largest frame taken */
    uint64_t owed_max;              /* see NET_OWED_TOTAL, which 0 stands for */
};

struct peer {
    bool live, session;             /* session: HELLO was good, the core knows it */
    enum door door;
    uint32_t key;                   /* handle */
    uint32_t routing;               /* libzmq's own four bytes */
    int fd;
    uint32_t frame_max;             /* of the far end */
    uint32_t level;                 /* enum est_level: what WELCOME told it */
    struct buffer out;              /* commands, back to back, without the version byte */
    size_t *cuts, cuts_count, cuts_capacity; /* where `out` is cut into frames */
    size_t frame_start, mark;
    uint32_t asks;                  /* commands that ask, in this batch */
    uint64_t heard;                 /* the batch it last said something in */
    bool dirty, gone, leaving;
    est_time since, leave_at;       /* leave_at: 0 until its last words are sent */
    uint32_t free_next;
    char address[64], software[SOFTWARE_MAX + 1];
};

/* Bytes of large messages that a peer has been sent and did not take yet: libzmq keeps up to a thousand messages
 * for it, of a mebibyte each. Who owes more than this is asked to wait before it reads more ... */
enum { NET_OWED_MAX = 16 << 20 };
/* ... and where all together owe more than this, the one that owes most is dropped. */
enum { NET_OWED_TOTAL = 1 << 30 };

struct net_counts { uint64_t frames_in, frames_out, bytes_in, bytes_out, dropped_slow, dropped_protocol, dropped_full, dropped_silent, disconnects; };

struct net;

/* Binds the ZAP handler, then the doors. -EST_IO with a sentence in `ret_why` (at least 256
 * bytes): which endpoint, why, what to do. Refuses to open a door whose domain is not enforced. */
int net_open(const struct net_options *, const struct keyring *, struct net **ret, char *ret_why);
void net_close(struct net **);
/* Waits until a frame, a handshake or `wake_fd` is there, at most timeout_ms. Handshakes are
 * answered inside. True when frames or disconnects may wait. */
bool net_wait(struct net *, int wake_fd, int timeout_ms, est_time (*clock)(void));
/* The endpoint really bound, with the port that the system chose for port 0. */
const char *net_endpoint(const struct net *, enum door);

struct incoming {
    uint32_t peer;
    est_slice frame;    /* until the next net_next */
    const char *broken; /* what rule of the transport the peer broke; NULL: none */
};
/* The next frame, never waiting; false when none waits. The doors take turns. */
bool net_next(struct net *, est_time now, struct incoming *ret);
/* A peer whose connection ended, or that does not read what it is sent, PEER_NONE when there is
 * no more. The peer stays until net_release. */
uint32_t net_gone_next(struct net *);

struct peer *net_peer(struct net *, uint32_t peer);
/* Ends the connections that came before this and never said anything: to libzmq they are as good as any, and each holds a
 * descriptor. Whoever said something is a peer, and the loop's to judge. */
void net_silent_end(struct net *, est_time before);
/* One command for a peer: pack into what net_out gives, then net_sent. */
struct buffer *net_out(struct net *, uint32_t peer);
void net_sent(struct net *, uint32_t peer);
/* What the batch made becomes messages, which wait for net_flush: the next batch may begin. */
void net_prepare(struct net *);
/* Sends what was prepared. Peers that could not take it are reported by net_gone_next. */
void net_flush(struct net *, est_time now);
/* Lets a peer go: its last words are prepared with what the batch says else, and
 * some time after they are sent its connection is ended. */
void net_release(struct net *, uint32_t peer, est_time now);

/* What it was sent and did not take, and what this batch has for it so far. */
uint64_t net_owed(const struct net *, uint32_t peer);
const struct net_counts *net_counts(const struct net *);
const struct zap *net_zap(const struct net *);
/* Who was turned away lately: the next sentence for the log (turned.h), or false. */
bool net_turned_next(struct net *, est_time now, char ret[TURNED_SIZE]);

#endif
