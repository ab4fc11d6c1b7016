/* store_bench.c - how fast the store is alone: whole inquiries a second, and a restart.
 *
 *     store_bench [inquiries] [per commit] [open rows]
 *
 * An inquiry is looked up, submitted (256-byte body), answered, and acknowledged together with
 * the others of its batch. The folder is made under $TMPDIR and removed.
 */
#include "store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const uint8_t body[256] = {0x81};

static double now(void) {
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

static void need(int rc, const struct store *store) {
    if (rc == 0)
        return;
    fprintf(stderr, "store_bench: %s\n", store_error(store));
    exit(1);
}

static uint64_t seq;

static struct event event_next(enum event_type type, uint64_t number, uint64_t previous) {
    seq++;
    return (struct event){.seq = seq,
                          .at = {(int64_t)seq},
                          .generation = 1,
                          .number = number,
                          .previous = previous,
                          .type = type};
}

static est_id id_of(uint64_t i) {
    est_id id;
    uint64_t time_ordered = __builtin_bswap64(1760000000000 + i / 200),
             noise = i * UINT64_C(0x9e3779b97f4a7c15);
    memcpy(id.bytes, &time_ordered, 8);
    memcpy(id.bytes + 8, &noise, 8);
    return id;
}

static uint64_t submit(struct store *store, uint64_t i) {
    est_id id = id_of(i);
    uint32_t account = 1 + (uint32_t)(i % 3);
    uint64_t number;
    if (store_find(store, account, &id, &number) != -EST_NOT_FOUND)
        abort();
    struct event event = event_next(EVENT_SUBMITTED, seq + 1, 0);
    event.submitted = (struct event_submitted){.id = id,
                                               .account = account,
                                               .type = 7,
                                               .version = 1,
                                               .district = 3,
                                               .due = {1},
                                               .case_id = {"1404-0000123", 12},
                                               .body = {body, sizeof body}};
    need(store_append(store, &event), store);
    return event.number;
}

static void answer(struct store *store, uint64_t number) {
    struct event asked, event = event_next(EVENT_ANSWERED, number, number);
    need(store_event(store, number, &asked), store); /* the body is read when it is sent */
    event.answered = (struct event_answered){.epoch = 9,
                                             .account = 4,
                                             .outcome = 1,
                                             .leased_at = {1},
                                             .reason = {"none", 4},
                                             .signer = {"nosazi-agent", 12},
                                             .body = {body, sizeof body}};
    need(store_append(store, &event), store);
}

static void acknowledge(struct store *store, const uint64_t *numbers, size_t count) {
    struct event event = event_next(EVENT_ACKNOWLEDGED, 0, 0);
    event.acknowledged = (struct event_acknowledged){1, numbers, count, {NULL, 0}};
    need(store_append(store, &event), store);
}

/* Each commit submits a batch, answers the one before and acknowledges the one before that. */
static void inquiries(struct store *store, uint64_t total, size_t batch) {
    uint64_t(*numbers)[EST_NUMBERS_MAX] = calloc(3, sizeof *numbers);
    double began = now(), worst = 0;
    size_t turns = total / batch;
    for (size_t turn = 0; turn < turns + 2; turn++) {
        double before = now();
        need(store_begin(store), store);
        for (size_t i = 0; i < batch && turn < turns; i++)
            numbers[turn % 3][i] = submit(store, turn * batch + i);
        for (size_t i = 0; i < batch && turn >= 1 && turn <= turns; i++)
            answer(store, numbers[(turn - 1) % 3][i]);
        if (turn >= 2)
            acknowledge(store, numbers[(turn - 2) % 3], batch);
        need(store_commit(store), store);
        double took = now() - before;
        worst = took > worst ? took : worst;
    }
    double took = now() - began;
    printf("%zu inquiries, %zu a commit: %.0f inquiries/s, %.2f ms a commit, the longest %.2f ms\n",
           turns * batch, batch, (double)(turns * batch) / took, took * 1e3 / (double)(turns + 2),
           worst * 1e3);
    free(numbers);
}

static int count_row(void *arg, const struct inquiry_row *row) {
    (void)row;
    ++*(uint64_t *)arg;
    return 0;
}

static void restart(struct store **store, const struct store_options *options, uint64_t rows) {
    for (uint64_t done = 0; done < rows; done += 5000) {
        need(store_begin(*store), *store);
        for (uint64_t i = 0; i < 5000; i++)
            submit(*store, UINT64_C(1000000000) + done + i);
        need(store_commit(*store), *store);
    }
    store_close(store);
    double began = now();
    need(store_open(options, store), NULL);
    uint64_t count = 0;
    need(store_each_open(*store, count_row, &count), *store);
    printf("restart: %llu open rows in %.3f s\n", (unsigned long long)count, now() - began);
}

int main(int argc, char **argv) {
    uint64_t total = argc > 1 ? strtoull(argv[1], NULL, 10) : 600000;
    size_t batch = argc > 2 ? strtoull(argv[2], NULL, 10) : 300;
    uint64_t rows = argc > 3 ? strtoull(argv[3], NULL, 10) : 1000000;
    if (batch < 1 || batch > EST_NUMBERS_MAX) {
        fprintf(stderr, "store_bench: a commit takes 1 to %d inquiries\n", EST_NUMBERS_MAX);
        return 2;
    }
    const char *tmp = getenv("TMPDIR");
    char folder[512], command[600];
    snprintf(folder, sizeof folder, "%s/store_bench.XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(folder)) {
        perror(folder);
        return 1;
    }
    struct store_options options = {.directory = folder};
    struct store *store;
    need(store_open(&options, &store), NULL);
    inquiries(store, total, batch);
    restart(&store, &options, rows);
    struct store_sizes sizes;
    store_sizes(store, &sizes);
    printf("size: %llu MiB used\n", (unsigned long long)(sizes.used >> 20));
    store_close(&store);
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command) == 0 ? 0 : 1;
}
