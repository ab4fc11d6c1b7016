/* store.c - a store whose file is not what was written, opened for reading and for writing.
 *
 * A small store with every event is made once. The input says what is different in its file:
 *
 *     byte 0   bit 0: anywhere in the file, else only inside keys and values of records
 *              bit 1: records that were changed have their checksums made right
 *              bit 2: opened by a broker, and one more batch written, else by a reader
 *     then     for each change three bytes for the place, big-endian, and one that is laid over by xor
 *
 * Changes inside records are read in this process: whatever they say, the pages are LMDB's and
 * lead somewhere. Changes anywhere are checked by store_check_folder, whose child may die of them.
 */
#include "fuzz.h"
#include "check.h"
#include "record.h"
#include "sample.h"

#include <endian.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { FLAG_ANYWHERE = 1, FLAG_MEND = 2, FLAG_WRITE = 4, CHANGE_SIZE = 4, PLACES_MAX = 400, INQUIRIES = 14 };

static est_slice image; /* of the file as it was written */

/* Where keys and values are. `key`: it is one, and has no checksum. */
static struct place {
    size_t offset, size;
    bool key;
} places[PLACES_MAX];
static size_t places_count, places_bytes;

/* --- A store with everything in it ------------------------------------------------------------- */

static void things_write(struct writer *w) {
    static const enum event_type types[] = {EVENT_STARTED,  EVENT_DEPARTMENT_SET, EVENT_PURPOSE_SET,
                                            EVENT_TYPE_SET, EVENT_ACCOUNT_SET,    EVENT_RETIRED,
                                            EVENT_DRAIN};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        struct event event = writer_event(w, types[i], 0, 0);
        writer_append(w, &event);
    }
}

/* Inquiries of each fate, and one with a body that needs a page of its own. */
static void store_write(void) {
    static const uint8_t body[3000] = {0x80};
    struct scratch scratch;
    snprintf(scratch.store, sizeof scratch.store, "%s", fuzz_path("store"));
    struct writer w = writer_open(&scratch, 64 << 20);
    CLAIM(store_begin(w.store) == 0, "no batch");
    things_write(&w);
    for (uint64_t nth = 0; nth < INQUIRIES; nth++)
        writer_some_fate(&w, nth, (est_slice){body, nth == 3 ? sizeof body : 1 + nth});
    CLAIM(store_commit(w.store) == 0, "no commit");
    writer_close(&w);
}

/* --- Where its records are --------------------------------------------------------------------- */

/* A page begins with its own number, and pages are mapped in order. */
static const uint8_t *map_start(const void *somewhere, size_t page_size) {
    const uint8_t *page = (const uint8_t *)((uintptr_t)somewhere & ~(uintptr_t)(page_size - 1));
    size_t number;
    memcpy(&number, page, sizeof number);
    return page - number * page_size;
}

static void place_add(const uint8_t *map, MDB_val bytes, bool key) {
    size_t offset = (size_t)((const uint8_t *)bytes.mv_data - map);
    CLAIM(places_count < PLACES_MAX && offset + bytes.mv_size <= image.size, "a record outside the file");
    CLAIM(memcmp((const uint8_t *)image.data + offset, bytes.mv_data, bytes.mv_size) == 0,
          "a record elsewhere");
    places[places_count++] = (struct place){offset, bytes.mv_size, key};
    places_bytes += bytes.mv_size;
}

static void table_find(MDB_txn *txn, MDB_dbi dbi, const uint8_t *map) {
    MDB_cursor *cursor;
    MDB_val key, data;
    CLAIM(mdb_cursor_open(txn, dbi, &cursor) == 0, "no cursor");
    while (mdb_cursor_get(cursor, &key, &data, MDB_NEXT) == 0) {
        place_add(map, key, true);
        place_add(map, data, false);
    }
    mdb_cursor_close(cursor);
}

static void records_find(void) {
    static const char *const tables[] = {"meta", "log", "ids", "open", "ended", "things"};
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi;
    MDB_val key = {6, (void *)"format"}, data;
    MDB_stat stat;
    CLAIM(mdb_env_create(&env) == 0 && mdb_env_set_maxdbs(env, 8) == 0 &&
              mdb_env_open(env, fuzz_path("store"), MDB_RDONLY, 0600) == 0 &&
              mdb_txn_begin(env, NULL, MDB_RDONLY, &txn) == 0 && mdb_dbi_open(txn, "meta", 0, &dbi) == 0 &&
              mdb_get(txn, dbi, &key, &data) == 0 && mdb_stat(txn, dbi, &stat) == 0,
          "the store cannot be opened by LMDB alone");
    const uint8_t *map = map_start(data.mv_data, stat.ms_psize);
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        CLAIM(mdb_dbi_open(txn, tables[i], 0, &dbi) == 0, "a table is missing");
        table_find(txn, dbi, map);
    }
    mdb_txn_abort(txn);
    mdb_env_close(env);
}

static void prepare(void) {
    store_write();
    image = fuzz_file(fuzz_path("store/data.mdb"));
    records_find();
}

/* --- Changes ----------------------------------------------------------------------------------- */

/* The nth byte of all records together. */
static size_t record_byte(size_t nth) {
    nth %= places_bytes;
    const struct place *place = places;
    for (; nth >= place->size; place++)
        nth -= place->size;
    return place->offset + nth;
}

/* Events and rows have the checksum at the same place, of everything behind it. */
static void checksums_mend(uint8_t *file) {
    for (const struct place *p = places; p < places + places_count; p++) {
        if (p->key || p->size < ROW_SIZE / 2 ||
            memcmp(file + p->offset, (const uint8_t *)image.data + p->offset, p->size) == 0)
            continue;
        uint64_t checksum = htole64(checksum_of(file + p->offset + 16, p->size - 16));
        memcpy(file + p->offset + 8, &checksum, sizeof checksum);
    }
}

static void file_change(unsigned flags, const uint8_t *changes, size_t size) {
    uint8_t *file = malloc(image.size);
    CLAIM(file, "out of memory");
    memcpy(file, image.data, image.size);
    for (; size >= CHANGE_SIZE; changes += CHANGE_SIZE, size -= CHANGE_SIZE) {
        size_t place = (size_t)changes[0] << 16 | (size_t)changes[1] << 8 | changes[2];
        file[flags & FLAG_ANYWHERE ? place % image.size : record_byte(place)] ^= changes[3];
    }
    if (flags & FLAG_MEND)
        checksums_mend(file);
    fuzz_write("store/data.mdb", (est_slice){file, image.size});
    free(file);
}

/* --- Looking at it ----------------------------------------------------------------------------- */

static int event_seen(void *arg, const struct event *event) {
    (void)arg;
    CLAIM(record_size(event) > 0, "an event that could not be written");
    return 0;
}

static int row_seen(void *arg, const struct inquiry_row *row) {
    struct inquiry_row *last = arg;
    CLAIM(row->number > last->number, "rows out of order");
    *last = *row;
    return 0;
}

static void check_is_sound(const struct store_check *check) {
    CLAIM(!check->damaged || (check->table && *check->table && check->why[0]), "damage without a word");
}

static void everything_read(struct store *store) {
    static struct store_check check;
    struct inquiry_row row = {0};
    struct event event;
    struct store_head head;
    uint64_t number;
    if (store_check(store, &check) == 0)
        check_is_sound(&check);
    store_each_event(store, 0, event_seen, NULL);
    store_each_open(store, row_seen, &row);
    store_each_thing(store, event_seen, NULL);
    store_head(store, &head);
    if (store_begin(store))
        return;
    for (uint64_t seq = 0; seq <= head.seq + 1 && seq < 100; seq++) {
        est_id id = nth_id(seq);
        store_event(store, seq, &event);
        store_row(store, seq, &row);
        store_find(store, 1 + (uint32_t)(seq % 3), &id, &number);
        store_type(store, 42, (uint32_t)seq, &event);
    }
    store_abort(store);
}

/* As a broker begins: a new generation, and an inquiry. A refused append spoils only the batch. */
static void batch_write(struct store *store) {
    struct store_head head;
    store_head(store, &head);
    if (store_begin(store))
        return;
    struct event event = sample_event(EVENT_SUBMITTED, SAMPLE_USUAL);
    event.seq = event.number = head.seq + 1;
    event.previous = 0;
    event.at = head.at;
    store_append(store, &event);
    store_commit(store);
}

static void open_and_read(bool writes) {
    struct store_options options = {
        .directory = fuzz_path("store"), .size_max = 64 << 20, .read_only = !writes};
    struct store *store = NULL;
    if (store_open(&options, &store)) {
        CLAIM(!store && store_error(NULL)[0], "refused without a sentence");
        return;
    }
    everything_read(store);
    if (writes)
        batch_write(store);
    store_close(&store);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct store_check check;
    if (size == 0)
        return 0;
    if (!image.data)
        prepare();
    file_change(data[0], data + 1, size - 1);
    if (!(data[0] & FLAG_ANYWHERE)) {
        open_and_read(data[0] & FLAG_WRITE);
        return 0;
    }
    int rc = store_check_folder(fuzz_path("store"), &check);
    CLAIM(rc == 0 || check.why[0], "not checked, without a sentence");
    check_is_sound(&check);
    return 0;
}
