/* index_bench.c - the index over a big log: how fast it is built, how large it gets, how long a search takes.
 *
 *     index_bench [inquiries] [parcels]
 *
 * Inquiries about parcels by chance, every second one in a case, answered and acknowledged but for the
 * last hundredth. The folder is made under $TMPDIR and removed. Figures stand in broker/index/README.md.
 */
#include "find.h"
#include "indexer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 500, SEARCHES = 2000 };

static double now(void) {
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

static void need(bool good, const char *sentence) {
    if (good)
        return;
    fprintf(stderr, "index_bench: %s\n", sentence);
    exit(1);
}

/* --- The log ------------------------------------------------------------------------------------- */

static struct store *store;
static uint64_t seq, parcels;
static unsigned seed = 1;

static struct event next(enum event_type type, uint64_t number, uint64_t previous) {
    seq++;
    return (struct event){.type = type,
                          .seq = seq,
                          .at = {INT64_C(1760000000000000) + (int64_t)seq * 1000},
                          .generation = 1,
                          .number = number,
                          .previous = previous};
}

static void append(const struct event *event) {
    need(store_append(store, event) == 0, store_error(store));
}

static void things(const struct catalogue *city) {
    const struct ctype *type = catalogue_type(city, slice_of("nosazi.bedehi"));
    need(type != NULL, "Tehran has no nosazi.bedehi");
    need(store_begin(store) == 0, store_error(store));
    struct event e = next(EVENT_DEPARTMENT_SET, 0, 0);
    e.department_set = (struct event_department_set){1, slice_of("nosazi")};
    append(&e);
    e = next(EVENT_TYPE_SET, 0, 0);
    e.type_set = (struct event_type_set){1, 1, 1, slice_of(type->name), slice_of(type->definition)};
    append(&e);
    for (uint32_t i = 1; i <= 20; i++) {
        char name[16];
        snprintf(name, sizeof name, "portal-%u", i);
        e = next(EVENT_ACCOUNT_SET, 0, 0);
        e.account_set.account = i;
        e.account_set.name = slice_of(name);
        append(&e);
    }
    need(store_commit(store) == 0, store_error(store));
}

static size_t parcel_text(uint64_t nth, char ret[32]) {
    return (size_t)snprintf(ret, 32, "%u-%u-%u-%u-0-0-0", (unsigned)(nth % 22 + 1),
                            (unsigned)(nth / 22 % 99 + 1), (unsigned)(nth / 2178 % 999 + 1),
                            (unsigned)(nth % 97 + 1));
}

static uint64_t submit(uint64_t nth) {
    char parcel[32], case_id[24] = "";
    uint8_t body[64] = {0x81, 0xa2, 'n', 'z', 0xd9};
    uint64_t about = (uint64_t)rand_r(&seed) % parcels;
    size_t size = parcel_text(about, parcel);
    body[5] = (uint8_t)size;
    memcpy(body + 6, parcel, size);
    if (nth % 2)
        snprintf(case_id, sizeof case_id, "1404-%06u", (unsigned)(nth / 8));
    struct event e = next(EVENT_SUBMITTED, seq + 1, 0);
    e.submitted = (struct event_submitted){.account = 1 + (uint32_t)(nth % 20),
                                           .type = 1,
                                           .version = 1,
                                           .district = (uint32_t)(about % 22 + 1),
                                           .due = {e.at.us + 1},
                                           .case_id = slice_of(case_id),
                                           .body = {body, 6 + size}};
    uint64_t ordered = __builtin_bswap64(UINT64_C(1760000000000) << 16 | (nth << 8)),
             noise = nth * 0x9e3779b97f4a7c15u;
    memcpy(e.submitted.id.bytes, &ordered, 8);
    memcpy(e.submitted.id.bytes + 8, &noise, 8);
    append(&e);
    return e.number;
}

static void inquiries(uint64_t total) {
    static uint64_t before[BATCH];
    size_t kept = 0;
    for (uint64_t done = 0; done < total; done += BATCH) {
        need(store_begin(store) == 0, store_error(store));
        uint64_t now_asked[BATCH];
        for (size_t i = 0; i < BATCH; i++)
            now_asked[i] = submit(done + i);
        for (size_t i = 0; i < kept; i++) {
            struct event e = next(EVENT_ANSWERED, before[i], before[i]);
            e.answered = (struct event_answered){
                .account = 21, .outcome = 1 + (uint32_t)(i % 2), .leased_at = {e.at.us - 900}};
            append(&e);
        }
        if (kept > 0) {
            struct event e = next(EVENT_ACKNOWLEDGED, 0, 0);
            e.acknowledged = (struct event_acknowledged){1, before, kept, {NULL, 0}};
            append(&e);
        }
        need(store_commit(store) == 0, store_error(store));
        kept = done + total / 100 < total ? BATCH : 0;
        memcpy(before, now_asked, sizeof before);
    }
    need(store_drain(store) == 0, store_error(store));
}

/* --- Searches ------------------------------------------------------------------------------------ */

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static void searches(struct indexer *ix, const char *what, const char *format, bool by_parcel) {
    static double took[SEARCHES];
    struct find_answer answer;
    size_t rows = 0;
    buffer_init(&answer.rows);
    for (size_t i = 0; i < SEARCHES; i++) {
        char filter[200], parcel[32];
        parcel_text((uint64_t)rand_r(&seed) % parcels, parcel);
        if (by_parcel)
            snprintf(filter, sizeof filter, "parcel:%s", parcel);
        else
            snprintf(filter, sizeof filter, "%s", format);
        double began = now();
        struct find_question q = {.filter = slice_of(filter)};
        need(find(ix, &q, &answer) == 0, answer.why);
        took[i] = (now() - began) * 1e6;
        rows += answer.rows_count;
    }
    buffer_done(&answer.rows);
    qsort(took, SEARCHES, sizeof took[0], by_size);
    printf("FIND %-34s p50 %6.0f us  p99 %6.0f us  %.1f rows an answer\n", what, took[SEARCHES / 2],
           took[SEARCHES * 99 / 100], (double)rows / SEARCHES);
}

int main(int argc, char **argv) {
    static struct complaints complaints;
    static struct indexer ix;
    uint64_t total = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000000;
    parcels = argc > 2 ? strtoull(argv[2], NULL, 10) : 200000;
    const char *tmp = getenv("TMPDIR");
    char folder[400], path[512], command[600], dropped[INDEXER_WHY_SIZE];
    struct catalogue *city;
    struct store_reader *reader;
    snprintf(folder, sizeof folder, "%s/index_bench.XXXXXX", tmp ? tmp : "/tmp");
    need(mkdtemp(folder) != NULL, "no folder");
    snprintf(path, sizeof path, "%s/store", folder);
    need(catalogue_load_city(TEHRAN, &city, &complaints) == 0, "Tehran's catalogue does not load");
    need(store_open(&(struct store_options){.directory = path}, &store) == 0, store_error(NULL));
    double began = now();
    things(city);
    inquiries(total);
    printf("log: %llu inquiries, %llu events, written in %.1f s\n", (unsigned long long)total,
           (unsigned long long)seq, now() - began);
    need(store_reader_open(store, &reader) == 0, "no reader");
    snprintf(path, sizeof path, "%s/index", folder);
    began = now();
    need(indexer_open(reader, path, &ix, dropped) == 0, ix.why);
    int more;
    double committed = now();
    while ((more = indexer_step(&ix)) == 1) {
        if (now() - committed < 0.5)
            continue;
        need(indexer_commit(&ix) == 0, ix.why);
        committed = now();
    }
    need(more == 0 && indexer_commit(&ix) == 0, ix.why);
    double took = now() - began;
    printf("built in %.1f s: %.0f thousand inquiries/s, %.0f thousand events/s; %.0f bytes an inquiry\n",
           took, (double)total / took / 1e3, (double)seq / took / 1e3,
           (double)base_bytes(ix.base) / (double)total);
    searches(&ix, "by parcel", NULL, true);
    searches(&ix, "state:waiting", "state:waiting", false);
    searches(&ix, "department, two states", "department:nosazi state:waiting,parked", false);
    searches(&ix, "requester and outcome", "requester:portal-8 outcome:negative", false);
    searches(&ix, "one case", "case:1404-000077", false);
    searches(&ix, "a day of receipt", "received:2025-10-09", false);
    indexer_close(&ix);
    store_reader_close(&reader);
    store_close(&store);
    catalogue_free(&city);
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command) == 0 ? 0 : 1;
}
