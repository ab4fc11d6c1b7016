/* fill.c - see fill.h.
 *
 * The events are those that the broker itself would have written, COMMIT inquiries in a commit: far
 * faster than asking a broker for them, and the same store afterwards. Bodies are of plan->body bytes.
 */
#include "fill.h"
#include "city.h"
#include "flights.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <store.h>

enum { COMMIT = EST_NUMBERS_MAX, FLIGHTS_BITS = 24, PER_MS = 200, BEGAN_S = 1767225600, TOLD_EVERY_S = 20 };

struct writer {
    const struct plan *plan;
    struct store *store;
    uint64_t seq, generation;
    int64_t at_us, told_us;
    uint32_t requester, agent, type, version, purpose; /* their numbers in this store */
    struct bodies requests, replies;
    uint64_t numbers[COMMIT];
};

/* One after the other in time, PER_MS a millisecond: as requesters make them. */
static est_id id_of(uint64_t nth, uint32_t flight) {
    struct ticket ticket = {.requester = 0, .flight = flight, .counter = (uint32_t)nth};
    return city_id(&ticket, BEGAN_S * UINT64_C(1000) + nth / PER_MS);
}

est_id fill_id(uint64_t nth) {
    return id_of(nth, (uint32_t)(nth * 2654435761u) & ((1u << FLIGHTS_BITS) - 1));
}

/* --- Opening --------------------------------------------------------------------------------------- */

static int thing_see(void *arg, const struct event *e) {
    struct writer *w = arg;
    char type[CITY_NAME_SIZE];
    city_type(0, type);
    if (e->type == EVENT_ACCOUNT_SET && slice_equal(e->account_set.name, slice_of("portal")))
        w->requester = e->account_set.account;
    if (e->type == EVENT_ACCOUNT_SET && slice_equal(e->account_set.name, slice_of("answerer-agent")))
        w->agent = e->account_set.account;
    if (e->type == EVENT_PURPOSE_SET && slice_equal(e->purpose_set.name, slice_of(CITY_PURPOSE)))
        w->purpose = e->purpose_set.purpose;
    if (e->type == EVENT_TYPE_SET && slice_equal(e->type_set.name, slice_of(type))) {
        w->type = e->type_set.type;
        w->version = e->type_set.version;
    }
    return 0;
}

/* The broker makes its things in the store, and leaves. */
static int things_make(const struct plan *plan) {
    struct stage stage;
    int code = stage_open(&stage, plan), closed = stage_close(&stage);
    return code < 0 ? code : closed;
}

static int writer_open(struct writer *w, const struct plan *plan) {
    struct store_options options = {.directory = plan->store, .size_max = UINT64_C(64) << 30};
    struct store_head head;
    *w = (struct writer){.plan = plan, .told_us = bench_now_us()};
    int code = things_make(plan);
    if (code < 0)
        return code;
    if (bodies_make(&w->requests, plan->body, false) < 0 || bodies_make(&w->replies, plan->body, true) < 0)
        return -EST_NO_MEMORY;
    if ((code = store_open(&options, &w->store)) < 0 ||
        (code = store_each_thing(w->store, thing_see, w)) < 0) {
        bench_say("%s", store_error(w->store));
        return code;
    }
    store_head(w->store, &head);
    w->seq = head.seq;
    w->at_us = head.at.us;
    w->generation = head.generation;
    return 0;
}

static uint64_t bytes_used(const struct writer *w) {
    struct store_sizes sizes;
    store_measure(w->store);
    store_sizes(w->store, &sizes);
    return sizes.used;
}

static void writer_close(struct writer *w) {
    store_close(&w->store);
    bodies_done(&w->requests);
    bodies_done(&w->replies);
}

/* --- Events ---------------------------------------------------------------------------------------- */

/* The clock of the events goes on by a microsecond a hundred: it does not run ahead of the world's. */
static struct event event_next(struct writer *w, enum event_type type, uint64_t number, uint64_t previous) {
    w->seq++;
    w->at_us += w->seq % 100 == 0;
    return (struct event){.seq = w->seq,
                          .at = {w->at_us},
                          .generation = w->generation,
                          .number = number,
                          .previous = previous,
                          .type = type};
}

static int submit(struct writer *w, uint64_t nth, est_id id, uint64_t *ret_number) {
    struct event e = event_next(w, EVENT_SUBMITTED, w->seq + 1, 0);
    e.submitted = (struct event_submitted){.id = id,
                                           .account = w->requester,
                                           .type = w->type,
                                           .version = w->version,
                                           .district = 1 + (uint32_t)(nth % DISTRICTS),
                                           .purpose = w->purpose,
                                           .due = {w->at_us + 30 * 86400 * EST_US_PER_S},
                                           .body = buffer_slice(&w->requests.at[nth % DISTRICTS])};
    *ret_number = e.number;
    return store_append(w->store, &e);
}

static int answer(struct writer *w, uint64_t nth, uint64_t number) {
    struct event e = event_next(w, EVENT_ANSWERED, number, number);
    e.answered = (struct event_answered){.epoch = nth + 1,
                                         .account = w->agent,
                                         .outcome = EST_OUTCOME_POSITIVE,
                                         .leased_at = {w->at_us},
                                         .body = buffer_slice(&w->replies.at[nth % DISTRICTS])};
    return store_append(w->store, &e);
}

static int open_append(struct writer *w, uint64_t first, size_t count) {
    int code = 0;
    for (size_t i = 0; i < count && code == 0; i++)
        code = submit(w, first + i, id_of(first + i, (uint32_t)(first + i)), &w->numbers[i]);
    return code;
}

static int finished_append(struct writer *w, uint64_t first, size_t count) {
    int code = 0;
    for (size_t i = 0; i < count && code == 0; i++)
        code = submit(w, first + i, fill_id(first + i), &w->numbers[i]);
    for (size_t i = 0; i < count && code == 0; i++)
        code = answer(w, first + i, w->numbers[i]);
    struct event e = event_next(w, EVENT_ACKNOWLEDGED, 0, 0);
    e.acknowledged = (struct event_acknowledged){w->requester, w->numbers, count, {NULL, 0}};
    return code == 0 ? store_append(w->store, &e) : code;
}

/* --- All of it -------------------------------------------------------------------------------------- */

static void progress_tell(struct writer *w, uint64_t done, uint64_t of) {
    if (bench_now_us() - w->told_us < TOLD_EVERY_S * EST_US_PER_S)
        return;
    w->told_us = bench_now_us();
    bench_say("filling a store: %llu of %llu inquiries", (unsigned long long)done, (unsigned long long)of);
}

static int batches_write(struct writer *w, uint64_t inquiries, uint64_t bytes_max,
                         int (*append)(struct writer *, uint64_t first, size_t count), struct filled *ret) {
    while (ret->inquiries < inquiries && bytes_used(w) < bytes_max) {
        uint64_t left = inquiries - ret->inquiries;
        size_t count = left < COMMIT ? (size_t)left : COMMIT;
        int code = bench_stopped ? -EST_CLOSED : store_begin(w->store);
        if (code == 0)
            code = append(w, ret->inquiries, count);
        if (code == 0)
            code = store_commit(w->store);
        if (code < 0) {
            bench_say("filling a store: %s", bench_stopped ? "stopped" : store_error(w->store));
            return code;
        }
        ret->inquiries += count;
        progress_tell(w, ret->inquiries, inquiries);
    }
    int code = store_drain(w->store);
    ret->bytes = bytes_used(w);
    return code;
}

static int fill(const struct plan *plan, uint64_t inquiries, uint64_t bytes_max,
                int (*append)(struct writer *, uint64_t first, size_t count), struct filled *ret) {
    static struct writer w;
    int64_t from_us = bench_now_us();
    *ret = (struct filled){0};
    int code = writer_open(&w, plan);
    if (code == 0)
        code = batches_write(&w, inquiries, bytes_max, append, ret);
    writer_close(&w);
    ret->seconds = (double)(bench_now_us() - from_us) / EST_US_PER_S;
    return code;
}

int fill_open(const struct plan *plan, uint64_t inquiries, struct filled *ret) {
    return fill(plan, inquiries, UINT64_MAX, open_append, ret);
}

int fill_finished(const struct plan *plan, uint64_t inquiries, uint64_t bytes_max, struct filled *ret) {
    return fill(plan, inquiries, bytes_max, finished_append, ret);
}

/* --- The page cache -------------------------------------------------------------------------------- */

static int data_open(const struct plan *plan) {
    char path[STAGE_PATH_SIZE];
    snprintf(path, sizeof path, "%.500s/data.mdb", plan->store);
    return open(path, O_RDONLY | O_CLOEXEC);
}

void fill_chill(const struct plan *plan) {
    int fd = data_open(plan);
    if (fd < 0)
        return;
    fdatasync(fd);
    posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    close(fd);
}

void fill_warm(const struct plan *plan) {
    static char bytes[1 << 20];
    int fd = data_open(plan);
    while (fd >= 0 && !bench_stopped && read(fd, bytes, sizeof bytes) > 0)
        continue;
    if (fd >= 0)
        close(fd);
}
