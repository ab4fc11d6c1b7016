/* look.h - a gateway before a real broker, its /metrics read strictly. Shared by the tests of this folder. */
#ifndef LOOK_H
#define LOOK_H

#include "gate.h"
#include "strict.h"

/* A town's broker and gateway, both ready. `options` may be NULL. */
struct gate *look_stand(const struct town_options *options);
/* Asks until the answer has this status. */
const struct reply *look_reply(struct gate *, const char *path, long status);
/* One scrape; a fault of its text fails the test. */
void look_scrape(struct gate *, struct exposition_read *ret);
/* Scrapes until the series has this value. */
void look_until(struct gate *, const char *series, double value, struct exposition_read *ret);

#endif
