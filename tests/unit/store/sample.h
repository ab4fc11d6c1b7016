/* sample.h - events and stores for the tests of the store: one of every type, and a scratch folder.
 */
#ifndef SAMPLE_H
#define SAMPLE_H

#include "store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
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

/* A store and the numbers of what is appended to it. A failure of any call ends the test. */
struct writer {
    struct store *store;
    uint64_t seq; /* of the last event made */
    int64_t time_us;
};
struct writer writer_open(const struct scratch *, uint64_t size_max);
void writer_close(struct writer *);
/* The next event: sequence, time and generation filled in. */
struct event writer_event(struct writer *, enum event_type, uint64_t number, uint64_t previous);
void writer_append(struct writer *, const struct event *);
/* The nth inquiry of an account; its body is what `body` says. Returns its number. */
est_id nth_id(uint64_t nth);
uint64_t writer_submit(struct writer *, uint32_t account, uint64_t nth, est_slice body);
/* Ends an inquiry that nothing has happened to yet. */
void writer_answer(struct writer *, uint64_t number);
void writer_acknowledge(struct writer *, const uint64_t *numbers, size_t count);
/* The nth inquiry of three accounts, and what becomes of it: the fates that there are, in turn. */
void writer_some_fate(struct writer *, uint64_t nth, est_slice body);

/* Fails the test with the store's own sentence. */
#define expect_ok(store, call)                                                                               \
    do {                                                                                                     \
        int expect_rc = (call);                                                                              \
        if (expect_rc != 0)                                                                                  \
            fail_msg("%s gave %d: %s", #call, expect_rc, store_error(store));                                \
    } while (0)
/* Expects a code, and a part of the sentence that goes with it. */
#define expect_error(store, call, code, part)                                                                \
    do {                                                                                                     \
        assert_int_equal((call), (code));                                                                    \
        if (!strstr(store_error(store), (part)))                                                             \
            fail_msg("\"%s\" does not speak of \"%s\"", store_error(store), (part));                         \
    } while (0)

#endif
