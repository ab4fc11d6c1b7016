/* pages.h - an operator's lists come in pages; these calls read all of them. */
#ifndef PAGES_H
#define PAGES_H

#include "peer.h"

enum { PAGE_ROWS = 200 };

typedef int (*page_ask)(est_client *, uint64_t ref, const char *department, uint64_t after, unsigned limit);

/* Profile and session of an operator. */
struct desk {
    struct profile profile;
    struct peer peer;
};
int desk_open(const struct call *, struct desk *ret);
void desk_close(struct desk *);

/* Asks page after page, and gives each to `page`. 0, or an exit status when it was told why. */
int pages_read(struct peer *, page_ask, enum est_event_kind, const char *department,
               void (*page)(void *arg, const est_event *), void *arg);

#endif
