/* json.h - bodies as JSON for people and scripts, by jansson; msgpack stays the wire's format.
 *
 * Linked by the command line, the agents and the gateway, not by libestelam itself. Integers up
 * to 2^63-1 pass whole; binary has no JSON form and is refused.
 */
#ifndef JSON_H
#define JSON_H

#include "codec.h"
#include <jansson.h>

/* A new reference, or NULL where the bytes are not one msgpack value of our kinds. */
json_t *json_from_msgpack(est_slice value);
/* Appends one packed value. False for a real number, an integer out of range, or too deep: a body has
 * EST_DEPTH_MAX levels, its own map among them. */
bool json_to_msgpack(const json_t *, struct buffer *ret);
/* The same for a value with `around` levels of the body around it: 1 for a field of it. */
bool json_to_msgpack_within(int around, const json_t *, struct buffer *ret);
enum { JSON_FAULT_SIZE = 300 };
/* Why json_to_msgpack refused it, with the path: "bar[2].x: a real number, ..". Never the value. */
void json_fault(const json_t *, char ret[JSON_FAULT_SIZE]);

#endif
