/* flips.c - every bit that flips inside a record of a closed store is found, and no flip anywhere
 * brings the check down.
 *
 * LMDB itself says where its records are: a cursor gives the address of each key and value in the
 * mapped file, and the address less the map's beginning is the place in the file. So bits are
 * flipped in what is live, never in free pages or in the unused end of a page, which nobody reads.
 *
 * In the journal of a broker that died it is the same with one exception, which cannot be mended: where the
 * last block is not whole, the disk may have changed it or never had it. There the check has to say
 * that a batch is not whole, or to count the events of one batch less.
 *
 * FLIPS=N in the environment: that many instead of ten thousand. SEED=N: others.
 */
#include "check.h"
#include "disk_calls.h"
#include "sample.h"

#include <fcntl.h>
#include <inttypes.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { JOURNAL_BATCHES = 12, JOURNAL_PER_FLIP = 10, BLOCK = 4096, JOURNAL_STORE = 2 << 20 };
enum { FLIPS = 10000, BLIND_PER_FLIP = 4, INQUIRIES = 300, RECORDS_MAX = 20000, PLACES = 16 };

static uint64_t seed = 20240517;

static uint64_t chance(uint64_t below) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (seed >> 11) % below;
}

static uint64_t environment(const char *name, uint64_t otherwise) {
    const char *text = getenv(name);
    return text ? strtoull(text, NULL, 10) : otherwise;
}

/* --- A store with everything in it ------------------------------------------------------------- */

static void things_fill(struct writer *w) {
    struct event event = writer_event(w, EVENT_STARTED, 0, 0);
    writer_append(w, &event);
    static const enum event_type types[] = {EVENT_DEPARTMENT_SET, EVENT_PURPOSE_SET, EVENT_TYPE_SET,
                                            EVENT_ACCOUNT_SET,    EVENT_RETIRED,     EVENT_DRAIN};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        event = writer_event(w, types[i], 0, 0);
        writer_append(w, &event);
    }
}

/* One of every seventh is of each fate: waiting, delayed, parked, expired, answered, acknowledged;
 * every twentieth has a body that needs pages of its own. */
static void inquiry_fill(struct writer *w, uint64_t nth) {
    static uint8_t body[20000];
    memset(body, (int)nth, sizeof body);
    uint64_t number = writer_submit(w, 1 + (uint32_t)(nth % 3), (nth * 7919) % 100003,
                                    (est_slice){body, nth % 20 == 0 ? sizeof body : nth % 300});
    struct event event = {.type = EVENT_NONE};
    if (nth % 7 == 1)
        event = writer_event(w, EVENT_ATTEMPT_FAILED, number, number);
    else if (nth % 7 == 2)
        event = writer_event(w, EVENT_PARKED, number, number);
    else if (nth % 7 == 3)
        event = writer_event(w, EVENT_EXPIRED, number, number);
    else if (nth % 7 > 3)
        event = writer_event(w, EVENT_ANSWERED, number, number);
    if (event.type != EVENT_NONE)
        writer_append(w, &event);
    if (nth % 7 > 4)
        writer_acknowledge(w, &number, 1);
}

static void store_fill(const struct scratch *scratch) {
    struct writer w = writer_open(scratch, 64 << 20);
    for (uint64_t nth = 0; nth < INQUIRIES; nth += 10) {
        expect_ok(w.store, store_begin(w.store));
        if (nth == 0)
            things_fill(&w);
        for (uint64_t i = 0; i < 10; i++)
            inquiry_fill(&w, nth + i);
        expect_ok(w.store, store_commit(w.store));
    }
    writer_close(&w);
}

/* --- Where its records are --------------------------------------------------------------------- */

struct place {
    const char *table;
    uint64_t offset, size; /* in the file */
};

struct places {
    struct place at[2 * RECORDS_MAX];
    size_t count;
};

static void must(int rc) {
    if (rc != 0)
        fail_msg("lmdb: %s", mdb_strerror(rc));
}

/* The address at which this process has mapped the file. */
static const uint8_t *map_address(const char *path) {
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[512], real[512];
    uintptr_t address = 0;
    assert_non_null(maps);
    assert_non_null(realpath(path, real));
    while (address == 0 && fgets(line, sizeof line, maps))
        if (strstr(line, real))
            address = (uintptr_t)strtoull(line, NULL, 16);
    fclose(maps);
    assert_true(address != 0);
    return (const uint8_t *)address;
}

static void place_add(struct places *places, const char *table, const uint8_t *map, MDB_val bytes) {
    if (bytes.mv_size == 0)
        return;
    assert_true(places->count < 2 * RECORDS_MAX);
    places->at[places->count++] =
        (struct place){table, (uint64_t)((uint8_t *)bytes.mv_data - map), bytes.mv_size};
}

static void table_places(MDB_txn *txn, const char *table, const uint8_t *map, struct places *places) {
    MDB_dbi dbi;
    MDB_cursor *cursor;
    MDB_val key, data;
    size_t before = places->count;
    must(mdb_dbi_open(txn, table, 0, &dbi));
    must(mdb_cursor_open(txn, dbi, &cursor));
    while (mdb_cursor_get(cursor, &key, &data, MDB_NEXT) == 0) {
        place_add(places, table, map, key);
        place_add(places, table, map, data);
    }
    mdb_cursor_close(cursor);
    assert_true(places->count > before);
}

static void store_places(const struct scratch *scratch, const char *path, struct places *ret) {
    static const char *const tables[] = {"meta", "log", "ids", "open", "ended", "things"};
    MDB_env *env;
    MDB_txn *txn;
    must(mdb_env_create(&env));
    must(mdb_env_set_maxdbs(env, PLACES));
    must(mdb_env_open(env, scratch->store, MDB_RDONLY, 0600));
    must(mdb_txn_begin(env, NULL, MDB_RDONLY, &txn));
    const uint8_t *map = map_address(path);
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
        table_places(txn, tables[i], map, ret);
    mdb_txn_abort(txn);
    mdb_env_close(env);
}

/* --- Flipping ---------------------------------------------------------------------------------- */

static void flip(int file, uint64_t offset, unsigned bit) {
    uint8_t byte;
    assert_int_equal(pread(file, &byte, 1, (off_t)offset), 1);
    byte ^= (uint8_t)(1u << bit);
    assert_int_equal(pwrite(file, &byte, 1, (off_t)offset), 1);
}

struct bench {
    struct scratch *scratch;
    char path[320];
    int file;
    struct places places;
};

static struct bench *bench_new(struct scratch *scratch) {
    struct bench *bench = calloc(1, sizeof *bench);
    assert_non_null(bench);
    bench->scratch = scratch;
    seed = environment("SEED", 20240517) | 1;
    store_fill(scratch);
    snprintf(bench->path, sizeof bench->path, "%s/data.mdb", scratch->store);
    store_places(scratch, bench->path, &bench->places);
    bench->file = open(bench->path, O_RDWR | O_CLOEXEC);
    assert_true(bench->file >= 0);
    return bench;
}

/* The flips were all taken back, so the store is whole again. */
static void bench_free(struct bench *bench) {
    struct store_check check;
    assert_int_equal(store_check_folder(bench->scratch->store, &check), 0);
    if (check.damaged)
        fail_msg("not whole after the flips were undone: %s %s: %s", check.table, check.key, check.why);
    close(bench->file);
    free(bench);
}

/* In this very process: inside a record no flip can lead LMDB astray. */
static bool damage_found(struct bench *bench) {
    struct store_options options = {.directory = bench->scratch->store, .read_only = true};
    struct store *store = NULL;
    struct store_check check;
    int rc = store_open(&options, &store);
    if (rc)
        return true;
    rc = store_check(store, &check);
    store_close(&store);
    return rc == 0 && check.damaged;
}

static void flip_inside_a_record_is_found(void **state) {
    struct bench *bench = bench_new(*state);
    uint64_t flips = environment("FLIPS", FLIPS);
    for (uint64_t i = 0; i < flips; i++) {
        const struct place *place = &bench->places.at[chance(bench->places.count)];
        uint64_t offset = place->offset + chance(place->size);
        unsigned bit = (unsigned)chance(8);
        flip(bench->file, offset, bit);
        bool found = damage_found(bench);
        flip(bench->file, offset, bit);
        if (!found)
            fail_msg("flip %" PRIu64 " was not found: table %s, byte %" PRIu64 " of %" PRIu64
                     " (file offset %" PRIu64 "), bit %u",
                     i, place->table, offset - place->offset, place->size, offset, bit);
    }
    print_message("%" PRIu64 " flips in %zu keys and values, all found\n", flips, bench->places.count);
    bench_free(bench);
}

/* Anywhere in the file: also where LMDB keeps what leads it from page to page. */
static void flip_anywhere_harms_only_the_store(void **state) {
    struct bench *bench = bench_new(*state);
    uint64_t flips = environment("FLIPS", FLIPS) / BLIND_PER_FLIP, damaged = 0;
    struct stat info;
    struct store_check check;
    assert_int_equal(fstat(bench->file, &info), 0);
    for (uint64_t i = 0; i < flips; i++) {
        /* Half of them in the heads of pages, where the damage is worst. */
        uint64_t offset = chance((uint64_t)info.st_size);
        if (i % 2 == 0)
            offset = offset / 4096 * 4096 + chance(64);
        unsigned bit = (unsigned)chance(8);
        flip(bench->file, offset, bit);
        int rc = store_check_folder(bench->scratch->store, &check);
        flip(bench->file, offset, bit);
        /* A map of a size that no machine has is refused by this one: no verdict, but an answer. */
        if ((rc != 0 || check.damaged) && check.why[0] == '\0')
            fail_msg("flip %" PRIu64 " at %" PRIu64 ", bit %u: %d, %s", i, offset, bit, rc, check.why);
        damaged += rc != 0 || check.damaged;
    }
    assert_true(damaged > 0);
    print_message("%" PRIu64 " flips anywhere: %" PRIu64 " damage something, none brings the check down\n",
                  flips, damaged);
    bench_free(bench);
}

/* --- In the journal ---------------------------------------------------------------------------- */

/* Batches of one to twelve inquiries that LMDB does not get: the keeper is held, and the process is
 * gone as soon as the last of them is promised. */
static void broker_die(const struct scratch *scratch) {
    static uint8_t body[1000];
    int status;
    pid_t child = fork();
    if (child == 0) {
        struct writer w = writer_open(scratch, JOURNAL_STORE);
        disk_calls_hold_data(DISK_HELD_FOREVER);
        for (unsigned batch = 1; batch <= JOURNAL_BATCHES; batch++) {
            expect_ok(w.store, store_begin(w.store));
            for (unsigned i = 0; i < batch; i++)
                writer_submit(&w, 1, w.seq + 1, (est_slice){body, sizeof body});
            expect_ok(w.store, store_commit(w.store));
        }
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

struct block {
    uint64_t at, first;
    uint32_t count, bytes;
};

/* Those behind the log, in order; the ring was empty, so they lie one after the other. */
static size_t blocks_find(int journal, uint64_t logged, struct block *ret) {
    struct block block = {0};
    size_t count = 0;
    uint8_t header[64];
    while (pread(journal, header, sizeof header, (off_t)block.at) == sizeof header && header[0] == 'E') {
        memcpy(&block.first, header + 16, sizeof block.first);
        memcpy(&block.count, header + 24, sizeof block.count);
        memcpy(&block.bytes, header + 28, sizeof block.bytes);
        if (block.first > logged)
            ret[count++] = block;
        block.at += (block.bytes + BLOCK - 1) / BLOCK * BLOCK;
    }
    return count;
}

static void flip_in_the_journal_is_found(void **state) {
    struct scratch *scratch = *state;
    struct block blocks[JOURNAL_BATCHES];
    struct store_check whole, check;
    uint64_t flips = environment("FLIPS", FLIPS) / JOURNAL_PER_FLIP, torn = 0, fewer = 0;
    char path[320];
    seed = environment("SEED", 20240517) | 1;
    broker_die(scratch);
    assert_int_equal(store_check_folder(scratch->store, &whole), 0);
    snprintf(path, sizeof path, "%s/journal", scratch->store);
    int file = open(path, O_RDWR | O_CLOEXEC);
    size_t count = blocks_find(file, whole.head.seq, blocks);
    assert_int_equal(count, JOURNAL_BATCHES);
    for (uint64_t i = 0; i < flips; i++) {
        size_t nth = chance(count);
        uint64_t at = blocks[nth].at + chance(blocks[nth].bytes);
        unsigned bit = (unsigned)chance(8);
        flip(file, at, bit);
        assert_int_equal(store_check_folder(scratch->store, &check), 0);
        flip(file, at, bit);
        bool last = nth + 1 == count;
        bool is_less = check.journal_events + blocks[nth].count == whole.journal_events;
        if (last ? check.damaged || !is_less : !check.damaged)
            fail_msg("flip %" PRIu64 " was not found: block %zu of %zu, byte %" PRIu64 ", bit %u", i, nth, count,
                     at - blocks[nth].at, bit);
        torn += last && check.journal_torn;
        fewer += last && !check.journal_torn;
    }
    print_message("%" PRIu64 " flips in %zu blocks of the journal, all found; in the last one %" PRIu64
                  " leave a torn batch, and %" PRIu64 " only fewer events\n",
                  flips, count, torn, fewer);
    assert_int_equal(store_check_folder(scratch->store, &check), 0);
    assert_int_equal(check.journal_events, whole.journal_events);
    close(file);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(flip_inside_a_record_is_found, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(flip_anywhere_harms_only_the_store, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(flip_in_the_journal_is_found, scratch_make, scratch_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
