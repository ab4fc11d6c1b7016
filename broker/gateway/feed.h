/* feed.h - the broker's events, followed once and handed to every stream.
 *
 *                        EVENTS, page by page
 *     broker  <------------------------------------  the feed's thread
 *                                                        |
 *                                   ring of the last some thousand events
 *                                     |         |         |
 *                                  stream    stream    stream …     each at its own place
 *
 * A stream is a place in the log: what stands in the ring it reads there, what is older it asks the
 * broker for, page by page, until it has come up to the ring. While nobody listens nothing is asked.
 *
 * What holds: a stream sees every event after its place that its account may see, once, in order. One
 * that falls behind the ring while it does not read is ended; it comes back with its last id. Inquiries
 * acknowledged together are rows of one seq: the last of them bears the id, so a reader that was cut among
 * them sees them again, from the first on.
 */
#ifndef GATEWAY_FEED_H
#define GATEWAY_FEED_H

#include "gateway.h"
#include "request.h"

/* NULL: no memory. Without an operator account it has no streams, and handle_events says so. */
struct feed *feed_new(struct gateway *);
int feed_start(struct feed *);
/* Ends every stream. After that feed_free. */
void feed_stop(struct feed *);
void feed_free(struct feed **);
size_t feed_streams(struct feed *);

#endif
