/* profile.h - an agent's file: the broker, the key, the workers, the back end.
 *
 *     profile_open -> options for est_agent_open -> profile_close
 *
 * What holds: after profile_open succeeded everything in the file has been checked that can be
 * checked without the broker and without the department's system.
 */
#ifndef PROFILE_H
#define PROFILE_H

#include "backend.h"

enum { PROFILE_TYPES_MAX = 256 };

struct profile {
    struct backend_file file;
    struct yaml *key_file;
    est_agent_options options; /* handler, logger and arg are left to the caller */
    const char *types[PROFILE_TYPES_MAX + 1];
    const char *signer; /* NULL: none */
    struct backend *backend;
};

/* 0, or -EST_INPUT with complaints, which have to outlive the profile. `room->workers` is set
 * from the file. */
int profile_open(const char *path, struct complaints *, struct backend_room *room, struct profile *ret);
void profile_close(struct profile *);

#endif
