/* guard_index.c - the index over the log of a rush, for an instrument that counts instructions (see
 * guard.sh).
 *
 *     guard_index WINDOW INQUIRIES
 *
 * The log is written through the store as a broker with WINDOW inquiries in flight writes it: a commit has
 * new inquiries, answers to those of the commit before, and acknowledges the ones before that. The index
 * then follows it to its end, step by step. No thread and no clock.
 */
#include "player.h"

#include <indexer.h>

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BODY = 256, IN_FLIGHT = 3, BATCH_MAX = EST_NUMBERS_MAX };

#define BEGAN_US INT64_C(1760000000000000)

/* As in city.c. */
static const char definition[] =
    "{\"name\": \"bench.bedehi\", \"title\": {\"fa\": \"بدهی\", \"en\": \"Debt\"}, \"owner\": \"owner\","
    " \"answerer\": \"answerer\", \"operator\": \"operator\", \"mode\": \"automatic\", \"purposes\": \"all\","
    " \"target\": \"5 s\", \"expires\": \"30 d\", \"silence\": \"escalate\","
    " \"legal_basis\": {\"title\": \"made up\", \"mark\": \"P\"}, \"outcomes\": [\"positive\"],"
    " \"request\": {\"nz\": {\"kind\": \"nz\"}, \"note\": {\"kind\": \"text\", \"list\": 40, \"max\": 2000}},"
    " \"reply\": {\"debt\": {\"kind\": \"rial\"}, \"note\": {\"kind\": \"text\", \"list\": 40, \"max\": "
    "2000}}}";

/* The inquiries of one commit. */
struct batch {
    uint64_t numbers[BATCH_MAX];
    size_t count;
};

static struct store *store;
static struct bodies requests, replies;
static uint64_t seq, submitted;

static void need(bool good, const char *sentence) {
    if (good)
        return;
    fprintf(stderr, "guard_index: %s\n", sentence);
    exit(1);
}

/* --- The log --------------------------------------------------------------------------------------- */

static struct event next(enum event_type type, uint64_t number) {
    seq++;
    return (struct event){.type = type,
                          .seq = seq,
                          .at = {BEGAN_US + (int64_t)seq * 2},
                          .generation = 1,
                          .number = number,
                          .previous = number == seq ? 0 : number};
}

static void append(const struct event *event) {
    need(store_append(store, event) == 0, store_error(store));
}

static void things_write(void) {
    need(store_begin(store) == 0, store_error(store));
    struct event e = next(EVENT_DEPARTMENT_SET, 0);
    e.department_set = (struct event_department_set){1, slice_of("answerer")};
    append(&e);
    e = next(EVENT_TYPE_SET, 0);
    e.type_set = (struct event_type_set){1, 1, 1, slice_of("bench.bedehi"), slice_of(definition)};
    append(&e);
    need(store_commit(store) == 0, store_error(store));
}

static void submit(struct batch *batch, uint64_t nth) {
    struct event e = next(EVENT_SUBMITTED, seq + 1);
    e.submitted = (struct event_submitted){.account = 1,
                                           .type = 1,
                                           .version = 1,
                                           .district = 1 + (uint32_t)(nth % DISTRICTS),
                                           .due = {e.at.us + 10 * 86400 * EST_US_PER_S},
                                           .body = buffer_slice(&requests.at[nth % DISTRICTS])};
    uint64_t ordered = __builtin_bswap64((uint64_t)e.at.us / EST_US_PER_MS << 16 | 0x7000),
             noise = nth * UINT64_C(0x9e3779b97f4a7c15);
    memcpy(e.submitted.id.bytes, &ordered, 8);
    memcpy(e.submitted.id.bytes + 8, &noise, 8);
    append(&e);
    batch->numbers[batch->count++] = e.number;
}

static void answer(const struct batch *batch) {
    for (size_t i = 0; i < batch->count; i++) {
        struct event e = next(EVENT_ANSWERED, batch->numbers[i]);
        e.answered = (struct event_answered){.epoch = seq,
                                             .account = 2,
                                             .outcome = EST_OUTCOME_POSITIVE,
                                             .leased_at = {e.at.us - 900},
                                             .body = buffer_slice(&replies.at[i % DISTRICTS])};
        append(&e);
    }
}

static void acknowledge(const struct batch *batch) {
    if (batch->count == 0)
        return;
    struct event e = next(EVENT_ACKNOWLEDGED, 0);
    e.acknowledged = (struct event_acknowledged){1, batch->numbers, batch->count, {NULL, 0}};
    append(&e);
}

static void log_write(size_t window, uint64_t inquiries) {
    static struct batch batches[IN_FLIGHT];
    size_t each = (window + IN_FLIGHT - 1) / IN_FLIGHT, idle = 0;
    things_write();
    for (size_t turn = 0; idle < IN_FLIGHT; turn++) {
        struct batch *newest = &batches[turn % IN_FLIGHT], *before = &batches[(turn + 2) % IN_FLIGHT],
                     *oldest = &batches[(turn + 1) % IN_FLIGHT];
        need(store_begin(store) == 0, store_error(store));
        acknowledge(oldest);
        answer(before);
        newest->count = 0;
        while (newest->count < each && submitted < inquiries)
            submit(newest, submitted++);
        idle = newest->count == 0 ? idle + 1 : 0;
        need(store_commit(store) == 0, store_error(store));
    }
    need(store_drain(store) == 0, store_error(store));
}

/* --- The index ------------------------------------------------------------------------------------- */

/* What guard.sh counts, by this name. */
__attribute__((noipa)) void index_follow(struct indexer *);
void index_follow(struct indexer *ix) {
    int more;
    do {
        more = indexer_step(ix);
        if (more == 0 || ix->place.seq - ix->committed >= INDEXER_COMMIT_EVENTS)
            need(indexer_commit(ix) == 0, ix->why);
    } while (more == 1);
    need(more == 0, ix->why);
}

static int file_remove(const char *path, const struct stat *status, int kind, struct FTW *where) {
    (void)status, (void)kind, (void)where;
    return remove(path);
}

int main(int argc, char **argv) {
    static struct indexer ix;
    const char *tmp = getenv("TMPDIR");
    size_t window = argc == 3 ? strtoull(argv[1], NULL, 10) : 0;
    uint64_t inquiries = argc == 3 ? strtoull(argv[2], NULL, 10) : 0;
    char folder[400], path[512], dropped[INDEXER_WHY_SIZE];
    struct store_reader *reader;
    if (window < 1 || window > IN_FLIGHT * BATCH_MAX || inquiries < 1) {
        fprintf(stderr, "usage: guard_index WINDOW INQUIRIES\n");
        return 2;
    }
    snprintf(folder, sizeof folder, "%s/estelam-guard-XXXXXX", tmp && *tmp ? tmp : "/var/tmp");
    need(mkdtemp(folder) != NULL, "no folder");
    snprintf(path, sizeof path, "%s/store", folder);
    need(bodies_make(&requests, BODY, false) == 0 && bodies_make(&replies, BODY, true) == 0, "no bodies");
    need(store_open(&(struct store_options){.directory = path}, &store) == 0, store_error(NULL));
    log_write(window, inquiries);
    need(store_reader_open(store, &reader) == 0, "no reader");
    snprintf(path, sizeof path, "%s/index", folder);
    need(indexer_open(reader, path, &ix, dropped) == 0, ix.why);
    index_follow(&ix);
    need(names_request(ix.names, 1, 1) != NULL, "its type cannot be read");
    need(base_entries(ix.base) == inquiries && ix.place.seq == seq, "the index has not all of it");
    printf("%llu inquiries\n", (unsigned long long)inquiries);
    indexer_close(&ix);
    store_reader_close(&reader);
    store_close(&store);
    bodies_done(&requests);
    bodies_done(&replies);
    nftw(folder, file_remove, 8, FTW_DEPTH | FTW_PHYS);
    return 0;
}
