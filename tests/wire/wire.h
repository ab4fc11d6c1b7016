/* wire.h - what the wire tests share: bytes written as hexadecimal, and a message's meaning as
 * JSON, made from the broker's own field tables so that no field can be left out.
 *
 *     SUBMIT    {"SUBMIT": {"id": "018f…", "type": "nosazi.bedehi", "body": {…}}}
 *
 * A field that is optional and empty is not in the JSON; a required one always is. What JSON has
 * no word for is an object with one key that begins with a dollar sign: {"$bin": "00ff"},
 * {"$uint": "18446744073709551615"}, and {"$map": [[1, "x"]]} for a map with a number or U+0000 in a key.
 */
#ifndef WIRE_H
#define WIRE_H

#include "message.h"

#include <jansson.h>

/* Appends the bytes of `text`: hexadecimal digits in pairs, spaces anywhere between pairs, `#` to
 * the end of the line is a comment, and `ab01*300` is a group repeated. False where it is not. */
bool hex_read(const char *text, struct buffer *ret);

/* A new reference; NULL where the message's lists cannot be read. */
json_t *message_meaning(const struct message *);
/* Any packed value; NULL where it is not exactly one. */
json_t *value_meaning(est_slice value);

/* A whole file, terminated by zero; the caller frees it. Ends the program where there is none. */
char *file_read(const char *path);

#endif
