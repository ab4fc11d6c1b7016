/* index_none.c - the simulated broker runs without the index: its thread is no part of what is decided,
 * and whatever it answered would depend on another clock than the simulated one.
 */
#include <broker.h>

void index_begin(struct broker *b) {
    (void)b;
}

void index_end(struct broker *b) {
    (void)b;
}

void index_answers(struct broker *b) {
    (void)b;
}

size_t index_stats(struct broker *b) {
    (void)b;
    return 0;
}

void index_ask(struct broker *b, uint32_t peer, const struct message *m) {
    send_error(b, peer, (struct error_is){.ref = m->done.ref, .code = EST_BUSY}, "this broker has no index");
}
