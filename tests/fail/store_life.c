/* store_life.c - a program that lives with a store as the broker does, and tells what was promised.
 *
 *     fail_store_life FOLDER PROMISES
 *
 * Opens it, commits batches of every kind of event, each while the one before is under way, closes and opens it again,
 * walks it, and ends. PROMISES is a mapped file of one number: the last event that store_commit_end has
 * said to be on the disk; it is asked to the last, also behind a failure. Exit status:
 * 0 all went well; 1 the store refused, with its sentence on standard error.
 */
#include "check.h"
#include "store.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { BATCHES = 8, INQUIRIES = 12, REFUSED = 1, SETUP = 2 };

static uint64_t *promised;
static uint64_t seq, committing; /* committing: the last event of the batch that is under way; 0: none */

static int refused(const struct store *store) {
    const char *sentence = store_error(store);
    fprintf(stderr, "%s\n", sentence);
    return sentence[0] != '\0' ? REFUSED : SETUP;
}

static struct event event_of(enum event_type type, uint64_t number, uint64_t previous) {
    return (struct event){.seq = seq + 1,
                          .at = {INT64_C(1760000000000000) + (int64_t)seq},
                          .generation = 1,
                          .number = number,
                          .previous = previous,
                          .type = type};
}

static int append(struct store *store, const struct event *event) {
    int rc = store_append(store, event);
    seq += rc == 0;
    return rc;
}

static int submit(struct store *store) {
    static uint8_t body[40000]; /* two or three in a batch: more than the loop writes by itself */
    struct event event = event_of(EVENT_SUBMITTED, seq + 1, 0);
    memcpy(event.submitted.id.bytes, &event.seq, sizeof event.seq);
    event.submitted.account = 1;
    event.submitted.type = 1;
    event.submitted.body = (est_slice){body, event.seq % 5 == 0 ? sizeof body : 40};
    return append(store, &event);
}

/* All that were submitted in this batch are answered, the first of them acknowledged. */
static int conclude(struct store *store, uint64_t first) {
    int rc = 0;
    for (uint64_t number = first; number < first + INQUIRIES && !rc; number++) {
        struct event event = event_of(EVENT_ANSWERED, number, number);
        event.answered.outcome = EST_OUTCOME_POSITIVE;
        rc = append(store, &event);
    }
    struct event event = event_of(EVENT_ACKNOWLEDGED, 0, 0);
    event.acknowledged = (struct event_acknowledged){1, &first, 1, {NULL, 0}};
    return rc ? rc : append(store, &event);
}

/* 0 also where it is under way and nobody `waits`. */
static int end(struct store *store, bool waits) {
    int rc = committing > 0 ? store_commit_end(store, waits) : 1;
    if (rc == 0)
        *promised = committing;
    if (rc <= 0)
        committing = 0;
    return rc < 0 ? rc : 0;
}

static int batch(struct store *store) {
    int rc = store_begin(store);
    uint64_t first = seq + 1;
    for (int i = 0; i < INQUIRIES && !rc; i++)
        rc = submit(store);
    if (!rc)
        rc = end(store, false);
    if (!rc)
        rc = conclude(store, first);
    if (!rc)
        rc = end(store, true);
    if (!rc)
        rc = store_commit_begin(store, true);
    if (!rc)
        committing = seq;
    return rc;
}

/* One that comes to nothing waits for the one before and cannot tell what became of it. */
static int batch_that_is_aborted(struct store *store) {
    uint64_t before = seq;
    int rc = store_begin(store);
    if (!rc)
        rc = submit(store);
    if (rc)
        return rc;
    store_abort(store);
    seq = before;
    return end(store, true);
}

static int row_see(void *arg, const struct inquiry_row *row) {
    (void)row;
    ++*(uint64_t *)arg;
    return 0;
}

static int event_see(void *arg, const struct event *event) {
    (void)event;
    ++*(uint64_t *)arg;
    return 0;
}

static int walk(struct store *store) {
    uint64_t rows = 0, events = 0, things = 0;
    struct store_check check;
    int rc = store_each_thing(store, event_see, &things);
    if (!rc)
        rc = store_each_open(store, row_see, &rows);
    if (!rc)
        rc = store_each_event(store, 0, event_see, &events);
    if (!rc)
        rc = store_check(store, &check);
    if (!rc)
        rc = store_tidy(store);
    return rc;
}

static int life(const char *folder) {
    struct store_options options = {.directory = folder, .size_max = 64 << 20};
    struct store_head head;
    struct store *store = NULL;
    if (store_open(&options, &store) != 0)
        return refused(NULL);
    store_head(store, &head);
    seq = head.seq;
    int rc = walk(store);
    for (int i = 0; i < BATCHES && !rc; i++)
        rc = i % 3 == 1 ? batch_that_is_aborted(store) : batch(store);
    if (!rc)
        rc = end(store, true);
    if (rc) {
        rc = refused(store);
        store_abort(store);
        end(store, true);
    }
    store_close(&store);
    return rc;
}

int main(int argc, char **argv) {
    int fd = argc == 3 ? open(argv[2], O_RDWR | O_CLOEXEC) : -1;
    void *map = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof *promised, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED)
        return SETUP; /* the shim may fail this too */
    promised = map;
    int rc = life(argv[1]);
    return rc ? rc : life(argv[1]);
}
