/* proxy.h - the network between far ends and broker: a small TCP proxy in a thread of its own.
 *
 * It carries bytes as they are, later than they came, not at all, or up to some byte and no
 * further. What it did to connections that were at work it counts: a fault that found no
 * connection did not happen.
 */
#ifndef PROXY_H
#define PROXY_H

#include <stdint.h>

struct proxy;

enum { PROXY_DOORS_MAX = 4 };
enum proxy_fault {
    PROXY_DELAY, /* bytes of a door are held back for a while each */
    PROXY_CUT,   /* a connection ends with FIN after some more bytes, in the middle of whatever they are */
    PROXY_RESET, /* a connection ends with RST; what was on its way is lost */
    PROXY_HOLE,  /* a door's bytes stay where they are, both ways, and later go on */
    PROXY_FAULTS,
};

/* Listens on a port of its own for each of `doors` ports of this machine. NULL: no. */
struct proxy *proxy_open(const int *doors, int count, uint64_t seed);
int proxy_port(const struct proxy *, int door);
void proxy_fault(struct proxy *, enum proxy_fault, int door, int ms);
/* No fault is under way any more. */
void proxy_calm(struct proxy *);
/* How often it happened: bytes held, connections ended, connections whose bytes stayed. */
uint64_t proxy_happened(struct proxy *, enum proxy_fault);
/* Ends the thread and every connection. */
void proxy_close(struct proxy **);

#endif
