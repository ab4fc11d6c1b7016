/* http.h - the HTTP server: libmicrohttpd with epoll threads, and what it does not do by itself.
 *
 * Beside libmicrohttpd's own parsing and its limits: a whole request has a time within which it must
 * have come, however slowly it drips; headers that may stand once do; a token is looked at on every
 * request; an account has so many requests a second.
 */
#ifndef GATEWAY_HTTP_H
#define GATEWAY_HTTP_H

#include "gateway.h"

/* 0 or -EST_IO, told in the log. */
int http_start(struct gateway *);
unsigned http_port(const struct gateway *);
/* No new connections; answers carry Connection: close; waits for what is under way, at most
 * limits.drain. */
void http_drain(struct gateway *);
void http_stop(struct gateway *); /* all lines have been stopped: nothing is parked any more */

/* For /metrics: requests by their answer's first digit (1 … 5), connections now. */
struct http_figures {
    uint64_t answers[6];
    size_t connections;
};
void http_figures(const struct gateway *, struct http_figures *ret);

#endif
