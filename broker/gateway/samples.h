/* samples.h - inquiries kept for trying a department: read from the file that `tests:` names. */
#ifndef GATEWAY_SAMPLES_H
#define GATEWAY_SAMPLES_H

#include <jansson.h>

struct complaints;

/* {name: {type, purpose, body}}: a new reference; NULL with complaints. */
json_t *samples_load(const char *path, struct complaints *);

#endif
