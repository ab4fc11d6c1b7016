/* trace.h - `traceparent` by the rules of W3C Trace Context. */
#ifndef GATEWAY_TRACE_H
#define GATEWAY_TRACE_H

#include <stdbool.h>

/* Version, trace id, parent id and flags in lower-case hexadecimal, neither id all zeros, version
 * not ff; of version 00 nothing more, of a later one more after a hyphen. */
bool trace_is_good(const char *text);

#endif
