/* hooks.h - webhooks by the Standard Webhooks rules: the end of each inquiry, told to its account.
 *
 *   line's thread -- hooks_result --> inbox --> on disk --> line_ack, and only then
 *                                                 |
 *                                              due, signed, POSTed --- 2xx ---> gone
 *                                                 ^      |
 *                                                 +------+ else: later, with jitter, for days
 *
 * What holds: a result is acknowledged to the broker only when its message is on disk. A message is
 * sent at least once, always under the same webhook-id. After the last attempt, or a 410, the endpoint
 * is disabled: its messages stay, new ones are kept, and nothing is sent until somebody asks for it.
 * An account with as many messages as limits.webhook_messages leaves further results with the broker;
 * that is no matter of the other accounts.
 */
#ifndef GATEWAY_HOOKS_H
#define GATEWAY_HOOKS_H

#include "gateway.h"

struct hooks;
/* 0 with *ret NULL where no account has a webhook; -EST_IO, -EST_NO_MEMORY. */
int hooks_new(struct gateway *, struct hooks **ret);
int hooks_start(struct hooks *);
void hooks_stop(struct hooks *);
void hooks_free(struct hooks **);
/* For line_on_result: `arg` is the hooks. */
bool hooks_result(void *arg, struct line *, const est_event *);
/* Microseconds after this many failed attempts, a tenth more or less; -1: that was the last. */
int64_t hooks_pause(const struct account_config *, uint32_t attempts);

#endif
