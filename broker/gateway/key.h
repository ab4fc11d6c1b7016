/* key.h - the Idempotency-Key of a request, and the inquiry's id that it stands for.
 *
 * A UUID is taken as it is: the protocol's id IS the idempotency key. Any other key is hashed
 * together with the account's name into a UUID of version 8, always the same one.
 */
#ifndef GATEWAY_KEY_H
#define GATEWAY_KEY_H

#include <estelam/types.h>

enum { KEY_MAX = 255 };

/* 1 to 255 visible ASCII characters, with or without the double quotes of a structured header.
 * False: it is no key, and *ret_why says why. */
bool key_id(const char *header, const char *account, est_id *ret, const char **ret_why);

#endif
