/* tracking.h - a code for people, from an inquiry's number and the store's secret: the same for ever,
 * and not to be guessed from another one.
 */
#ifndef TRACKING_H
#define TRACKING_H

#include <estelam/types.h>

void tracking_write(const uint8_t secret[16], uint64_t number, char ret[EST_TRACKING_MAX + 1]);
/* The number that a code in canonical form says. False where its check does not fit. */
bool tracking_read(const uint8_t secret[16], est_slice code, uint64_t *ret_number);

#endif
