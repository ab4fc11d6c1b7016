/* schema.h - is a JSON value as a schema of openapi.yaml says? The keywords that the document uses, and
 * no other: one that it does not know is a failure of the test. */
#ifndef SCHEMA_H
#define SCHEMA_H

#include <jansson.h>
#include <stdbool.h>

/* True; or `ret_why` says where and what. `document` is where $ref looks. */
bool schema_holds(const json_t *document, const json_t *schema, const json_t *value, char ret_why[256]);
/* What a $ref stands for, or the value itself. */
json_t *schema_at(const json_t *document, json_t *value);

#endif
