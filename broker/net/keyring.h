/* keyring.h - whose key is it, and is it good now?
 *
 * A key's handle is its place in the ring; it is given once and never means another key, so the
 * User-Id that the ZAP handler put on a connection stays true over any number of reloads. A key
 * that a reload no longer names, or whose dates are over, is dead on its open connections with
 * the next message.
 */
#ifndef KEYRING_H
#define KEYRING_H

#include <catalogue.h>

enum { KEYS_MAX = 1 << 16, KEY_NONE = UINT32_MAX };

struct ring_key {
    uint8_t public_key[32];
    char text[41];
    uint32_t account;      /* number of the account in the record */
    char name[EST_NAME_MAX + 1];
    enum role role;
    est_time from, until;  /* 0: without end */
    bool live;             /* named by the configuration in force */
};

struct keyring {
    struct ring_key *keys;
    uint32_t count, capacity;
    uint32_t *slots;       /* public key -> handle + 1, open addressing; rebuilt when it grows */
    uint32_t slots_mask;
};

void keyring_init(struct keyring *);
void keyring_done(struct keyring *);
/* A reload is: reserve for what keyring_find does not know, begin, one add for each key of the configuration.
 * Where reserve says 0 no add fails; where it says -EST_NO_MEMORY or -EST_FULL nothing has changed. */
int keyring_reserve(struct keyring *, size_t more);
void keyring_begin(struct keyring *);
int keyring_add(struct keyring *, const struct key *, uint32_t account, const char *name, enum role);
/* KEY_NONE where nobody has this key. */
uint32_t keyring_find(const struct keyring *, const uint8_t public_key[32]);
/* Named by the configuration and within its dates. */
bool keyring_is_good(const struct keyring *, uint32_t handle, est_time now);

#endif
