/* hook.h - the far side of a webhook: an HTTP server of the test's own that answers as it is told and
 * keeps what it was sent. */
#ifndef HOOK_H
#define HOOK_H

#include "gate.h"

struct hook;
struct delivery {
    char id[80], signature[160], agent[80], type[80];
    long long timestamp;
    char *body;
    json_t *json;
};

/* Listens on a free port; ends with the test. */
struct hook *hook_open(void);
const char *hook_url(const struct hook *);
/* From now on it answers so. `location` NULL: none. */
void hook_answer(struct hook *, unsigned status, const char *location);
/* While it holds, deliveries come and get no answer; then all of them do. */
void hook_hold(struct hook *, bool);
/* The count-th delivery (from 1) since the hook was opened; waits for it. */
const struct delivery *hook_take(struct hook *, size_t count);
size_t hook_count(struct hook *);

/* The secret of hook_secret_file's file, and whether a delivery is signed with it. */
#define HOOK_SECRET "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
bool delivery_is_signed(const struct delivery *);

#endif
