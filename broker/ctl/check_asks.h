/* check_asks.h - what each check asks the broker and makes of the answers. */
#ifndef CHECK_ASKS_H
#define CHECK_ASKS_H

#include "verdict.h"
#include "pages.h"

#include <stdbool.h>
#include <stdint.h>

/* The conversation of one check, at the door that it needs. */
struct check_call {
    const struct call *call;
    struct desk desk; /* not of `roundtrip` */
    struct verdict *verdict;
};

/* What the broker tells of the store's room. `fullness`: thousandths, by which it refuses; an older broker
 * does not tell it. */
struct room {
    uint64_t used, limit, disk_free, fullness;
    bool fullness_told, refuses;
};
void room_judge(struct verdict *, const struct room *);

/* One key and its dates; 0: no bound. */
struct key_end {
    char account[EST_NAME_MAX + 1], key[16];
    est_time from, until;
};
void keys_judge(struct verdict *, est_time now, const struct key_end *, size_t count);

/* 0, or an exit_status when something went wrong and say_error was told. */
int check_ready(struct check_call *);
int check_queue_age(struct check_call *);
int check_agents(struct check_call *);
int check_parked(struct check_call *);
int check_disk(struct check_call *);
int check_key_expiry(struct check_call *);
int check_roundtrip(struct check_call *);

#endif
