/* profile.h - client.yaml: which broker, and as whom. */
#ifndef PROFILE_H
#define PROFILE_H

#include "command.h"

#include <estelam/client.h>

struct catalogue;

/* The two ways in: as one who asks, and as one who runs the broker. */
enum side { SIDE_REQUESTER, SIDE_OPERATOR, SIDES_COUNT };

enum { TEST_WORDS_MAX = 16 };

struct section {
    bool present;
    const char *account, *key;                /* key: a file; NULL where the broker takes PLAIN */
    const char *endpoints[EST_ENDPOINTS_MAX]; /* ends with NULL where there are fewer */
    const char *purpose;                      /* of a submit that names none; may be NULL */
    const char *test[TEST_WORDS_MAX];         /* of `check roundtrip`: a type, then FIELD=VALUE; ends as above */
};

struct profile {
    struct yaml *yaml; /* owns every text */
    const char *path;
    const char *server_key; /* NULL: PLAIN */
    const char *catalogue;  /* a folder; may be NULL */
    struct section sides[SIDES_COUNT];
};

/* --profile, $ESTELAM_PROFILE, ./client.yaml, /etc/estelam/client.yaml: the first there is; NULL
 * when there is none. */
const char *profile_find(const struct call *);
/* 0, or an exit status when it was told what is wrong. profile_done in either case. */
int profile_load(const struct call *, struct profile *ret);
void profile_done(struct profile *);
/* The section for a side; the other one where the profile has only that. */
const struct section *profile_section(const struct profile *, enum side);

/* A catalogue's folder, or the one that --catalogue, the profile (may be NULL) or $ESTELAM_CATALOGUE names.
 * *ret is NULL where none does. 0, or an exit status when it could not be loaded and that was told. */
int profile_catalogue_open(const char *folder, struct catalogue **ret);
int profile_catalogue(const struct call *, const struct profile *, struct catalogue **ret);

#endif
