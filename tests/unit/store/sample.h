/* sample.h - events and stores for the tests of the store: one of every type, and a scratch folder.
 */
#ifndef SAMPLE_H
#define SAMPLE_H

#include "store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

/* How much the variable parts of a sample hold. */
enum sample_size { SAMPLE_USUAL, SAMPLE_EMPTY, SAMPLE_LARGEST, SAMPLE_SIZES };

/* Every event type once, in ascending order of their numbers. */
extern const enum event_type sample_types[];
extern const size_t sample_types_count;

/* An event with all of its fields set, each to another value. Slices and lists are static. */
struct event sample_event(enum event_type, enum sample_size);
/* Fails the test unless every field of the two is equal. */
void assert_event_equal(const struct event *, const struct event *);
void assert_row_equal(const struct inquiry_row *, const struct inquiry_row *);

/* A folder under $TMPDIR, and its removal. The caller frees nothing. */
struct scratch {
    char folder[256];
    char store[300]; /* a path in it, for store_options.directory */
};
int scratch_make(void **state);   /* cmocka's setup */
int scratch_remove(void **state); /* and teardown */

#endif
