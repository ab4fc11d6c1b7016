/* index_ask.c - questions that the index answers: EVENTS, FIND, REINDEX and COUNTERS.
 *
 * The loop hands them over and goes on; it never waits for one. This broker has no index yet, so
 * each is refused with BUSY, which is what a far end also hears while an index is not ready.
 */
#include "broker.h"

void index_ask(struct broker *b, uint32_t peer, const struct message *m) {
    struct error_is error = {.ref = m->done.ref, /* each begins with its ref */
                             .code = EST_BUSY,
                             .retry_ms = (uint64_t)(b->limits.busy_retry.us / EST_US_PER_MS)};
    send_error(b, peer, error, "the index is not there yet");
}
