/* pages.c - see pages.h. */
#include "pages.h"

#include <string.h>

int desk_open(const struct call *call, struct desk *ret) {
    memset(ret, 0, sizeof *ret);
    int status = profile_load(call, &ret->profile);
    return status ? status : peer_open(call, &ret->profile, SIDE_OPERATOR, 0, &ret->peer);
}

void desk_close(struct desk *desk) {
    peer_close(&desk->peer);
    profile_done(&desk->profile);
}

int pages_read(struct peer *peer, page_ask ask, enum est_event_kind kind, const char *department,
               void (*page)(void *arg, const est_event *), void *arg) {
    uint64_t after = 0;
    do {
        est_event event;
        uint64_t ref = peer_ref(peer);
        int sent = ask(peer->client, ref, department, after, PAGE_ROWS);
        int status = peer_answer(peer, sent, ref, kind, &event);
        if (status)
            return status;
        page(arg, &event);
        after = event.next;
    } while (after);
    return 0;
}
