/* value.h - `nz=1-1-1-1-0-0-0 m2:=120 plq.main=12` made into a body.
 *
 * name=text is text, name:=JSON any JSON value; dots in a name make a record. Where the type is
 * known from a catalogue, the field's kind decides what plain text becomes: an integer, yes or
 * no, a list element; lists and records may be given as JSON text. Whether the body is right is
 * the broker's to say; here only what cannot be expressed is refused.
 */
#ifndef VALUE_H
#define VALUE_H

#include <estelam/types.h>
#include <jansson.h>

struct schema;

#define VALUE_WHY_SIZE 300

/* A JSON object from `base` (JSON text of an object, or NULL) and the arguments on top of it. 0 or
 * -EST_INPUT with a sentence. `schema` may be NULL. */
int values_build(const struct schema *, const char *base, const char *const *arguments, size_t count,
                 json_t **ret, char ret_why[VALUE_WHY_SIZE]);

#endif
