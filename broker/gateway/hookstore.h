/* hookstore.h - webhook messages on disk, in the gateway's own LMDB environment.
 *
 *     hookstore_open -> hookstore_each -> (begin -> put, drop … -> commit)* -> hookstore_close
 *
 * What holds: what was committed is there after a crash or a power cut. One thread uses a store. The
 * folder is locked: a second gateway with the same state is told so. A message is one inquiry's: number, id
 * and account together say which, for a broker whose store was restored gives numbers out again.
 */
#ifndef GATEWAY_HOOKSTORE_H
#define GATEWAY_HOOKSTORE_H

#include <estelam/types.h>

enum { HOOK_ERROR_SIZE = 128 };

/* One message; the payload is what is sent, byte for byte, on every attempt. */
struct hook_record {
    uint64_t number; /* the inquiry's: one end, one message */
    est_id id;
    char account[EST_NAME_MAX + 1];
    est_time created, due;
    uint32_t attempts;
    int32_t last_status; /* HTTP, 0: none came */
    char last_error[HOOK_ERROR_SIZE];
    est_slice payload;
};

struct hookstore;
/* 0, -EST_IO, -EST_NO_MEMORY; why goes to the log. */
int hookstore_open(const char *folder, struct hookstore **ret);
void hookstore_close(struct hookstore **);

/* Every record, the oldest number first; the payload lives for the call. Another value than 0 ends it. */
int hookstore_each(struct hookstore *, int (*call)(void *arg, const struct hook_record *), void *arg);
/* A copy of the one with the record's number, id and account, which may be `ret` itself; the payload is to be
 * freed by the caller. 0 or -EST_NOT_FOUND, -EST_IO, -EST_NO_MEMORY. */
int hookstore_get(struct hookstore *, const struct hook_record *, struct hook_record *ret,
                  void **ret_payload);
/* When this account's endpoint was disabled; 0: it is not. */
est_time hookstore_disabled(struct hookstore *, const char *account);

int hookstore_begin(struct hookstore *);
int hookstore_put(struct hookstore *, const struct hook_record *);
int hookstore_put_new(struct hookstore *, const struct hook_record *); /* -EST_CONFLICT: there is one */
int hookstore_drop(struct hookstore *, const struct hook_record *);    /* 0 also where there is none */
int hookstore_disable(struct hookstore *, const char *account, est_time since); /* 0: enabled again */
int hookstore_commit(struct hookstore *); /* failed: nothing of it is there */
void hookstore_abort(struct hookstore *);

#endif
