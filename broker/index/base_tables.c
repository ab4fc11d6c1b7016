/* base_tables.c - entries, counts and the position; terms are in base_terms.c.
 */
#include "base_room.h"
#include "record.h"

#include <endian.h>
#include <string.h>

/* Of this file's layout; the record's own row is a part of it. */
enum { BASE_FORMAT = 4 }; /* also of how text is folded: hashes of cases are kept */
#define FORMAT_WORD ((uint32_t)BASE_FORMAT << 16 | (uint32_t)ROW_FORMAT << 12 | ROW_SIZE)

static int get(struct base *b, enum base_table table, MDB_val key, MDB_val *ret) {
    int rc = base_begin(b);
    if (rc)
        return rc;
    rc = mdb_get(b->txn, b->tables[table], &key, ret);
    return rc == 0 ? 0 : rc == MDB_NOTFOUND ? -EST_NOT_FOUND : base_fail_lmdb(b, rc, "reading");
}

int base_writer(struct base *b, enum base_table table, MDB_cursor **ret) {
    int rc = base_begin(b);
    if (!rc && !b->writers[table]) {
        rc = mdb_cursor_open(b->txn, b->tables[table], &b->writers[table]);
        if (rc != 0)
            return base_fail_lmdb(b, rc, "writing");
    }
    *ret = b->writers[table];
    return rc;
}

int base_put(struct base *b, enum base_table table, MDB_val key, MDB_val data, unsigned flags) {
    MDB_cursor *cursor = NULL;
    int rc = base_writer(b, table, &cursor);
    if (rc)
        return rc;
    rc = mdb_cursor_put(cursor, &key, &data, flags);
    return rc == 0 ? 0 : base_fail_lmdb(b, rc, "writing");
}

/* --- The position -------------------------------------------------------------------------------- */

struct place_bytes {
    uint64_t checksum;
    uint32_t format, type;
    uint64_t seq, at_us, store;
};
static const char place_name[] = "place";

int base_place_read(struct base *b, struct base_place *ret) {
    struct place_bytes bytes;
    MDB_val data;
    int rc = get(b, TABLE_META, val_of(place_name, sizeof place_name), &data);
    *ret = (struct base_place){0};
    if (rc == -EST_NOT_FOUND)
        return 0;
    if (rc)
        return rc;
    if (data.mv_size != sizeof bytes)
        return base_fail(b, -EST_INPUT, "it has another format");
    memcpy(&bytes, data.mv_data, sizeof bytes);
    if (le32toh(bytes.format) != FORMAT_WORD)
        return base_fail(b, -EST_INPUT, "it has format %x, and this program writes %x", le32toh(bytes.format),
                         FORMAT_WORD);
    if (le64toh(bytes.checksum) != checksum_of(&bytes.format, sizeof bytes - sizeof bytes.checksum))
        return base_fail(b, -EST_INPUT, "its position is damaged");
    *ret = (struct base_place){le64toh(bytes.seq), (int64_t)le64toh(bytes.at_us), le32toh(bytes.type),
                               le64toh(bytes.store)};
    return 0;
}

int base_place_write(struct base *b, const struct base_place *place) {
    struct place_bytes bytes = {.format = htole32(FORMAT_WORD),
                                .type = htole32(place->type),
                                .seq = htole64(place->seq),
                                .at_us = htole64((uint64_t)place->at_us),
                                .store = htole64(place->store)};
    bytes.checksum = htole64(checksum_of(&bytes.format, sizeof bytes - sizeof bytes.checksum));
    return base_put(b, TABLE_META, val_of(place_name, sizeof place_name), val_of(&bytes, sizeof bytes), 0);
}

/* --- Entries ------------------------------------------------------------------------------------- */

static int entry_take(struct base *b, uint64_t number, const MDB_val *data, struct entry *ret) {
    int rc = entry_read((est_slice){data->mv_data, data->mv_size}, ret);
    if (rc || ret->row.number != number)
        return base_fail(b, -EST_INPUT, "the entry of inquiry %llu is damaged", (unsigned long long)number);
    return 0;
}

int base_entry(struct base *b, uint64_t number, struct entry *ret) {
    MDB_val data;
    int rc = get(b, TABLE_ENTRIES, val_of(&number, sizeof number), &data);
    return rc ? rc : entry_take(b, number, &data, ret);
}

/* A new one is mostly the highest, and then it costs no search and fills its page. */
int base_entry_put(struct base *b, const struct entry *e) {
    uint8_t bytes[ENTRY_BYTES_MAX];
    size_t size = entry_write(e, bytes);
    int rc = base_begin(b);
    if (rc)
        return rc;
    bool is_last = e->row.number > b->last;
    b->last = is_last ? e->row.number : b->last;
    return base_put(b, TABLE_ENTRIES, val_of(&e->row.number, sizeof e->row.number), val_of(bytes, size),
                    is_last ? MDB_APPEND : 0);
}

/* Steps to the entry that lies before (NEXT: at or after) a number. */
static int entry_seek(struct base *b, uint64_t number, bool before, MDB_val *ret_key, MDB_val *ret_data) {
    MDB_cursor *cursor;
    int rc = base_begin(b);
    if (rc)
        return rc;
    rc = mdb_cursor_open(b->txn, b->tables[TABLE_ENTRIES], &cursor);
    if (rc != 0)
        return base_fail_lmdb(b, rc, "reading");
    *ret_key = val_of(&number, sizeof number);
    rc = mdb_cursor_get(cursor, ret_key, ret_data, MDB_SET_RANGE);
    if (before)
        rc = mdb_cursor_get(cursor, ret_key, ret_data, rc == MDB_NOTFOUND ? MDB_LAST : MDB_PREV);
    mdb_cursor_close(cursor);
    return rc == 0 ? 0 : rc == MDB_NOTFOUND ? -EST_NOT_FOUND : base_fail_lmdb(b, rc, "reading");
}

static uint64_t number_of(const MDB_val *key) {
    uint64_t number;
    memcpy(&number, key->mv_data, sizeof number);
    return number;
}

int base_entry_before(struct base *b, uint64_t before, struct entry *ret) {
    MDB_val key, data;
    int rc = entry_seek(b, before, true, &key, &data);
    if (!rc && number_of(&key) >= before)
        rc = base_fail(b, -EST_INPUT, "the entries go round in circles");
    return rc ? rc : entry_take(b, number_of(&key), &data, ret);
}

int base_last_number(struct base *b, uint64_t *ret) {
    MDB_val key, data;
    int rc = entry_seek(b, UINT64_MAX, true, &key, &data);
    *ret = rc == 0 ? number_of(&key) : 0;
    return rc == -EST_NOT_FOUND ? 0 : rc;
}

/* Numbers grow with the time of receipt, so that no index of days is needed: a search by halves. */
int base_number_at(struct base *b, est_time received, uint64_t *ret) {
    uint64_t low = 1, high = UINT64_MAX;
    MDB_val key, data;
    struct entry entry;
    int rc = entry_seek(b, UINT64_MAX, true, &key, &data);
    *ret = UINT64_MAX;
    if (rc)
        return rc == -EST_NOT_FOUND ? 0 : rc;
    high = number_of(&key) + 1; /* every number below `low` is too early, `high` is not */
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        rc = entry_seek(b, middle, false, &key, &data);
        if (!rc && number_of(&key) < middle)
            return base_fail(b, -EST_INPUT, "the entries are in disorder");
        if (!rc)
            rc = entry_take(b, number_of(&key), &data, &entry);
        if (rc && rc != -EST_NOT_FOUND)
            return rc;
        if (rc || entry.row.received.us >= received.us)
            high = middle;
        else
            low = entry.row.number + 1;
    }
    rc = entry_seek(b, low, false, &key, &data);
    if (!rc)
        *ret = number_of(&key);
    return rc == -EST_NOT_FOUND ? 0 : rc;
}

uint64_t base_entries(struct base *b) {
    MDB_stat stat;
    return base_begin(b) == 0 && mdb_stat(b->txn, b->tables[TABLE_ENTRIES], &stat) == 0 ? stat.ms_entries : 0;
}

/* --- Counts -------------------------------------------------------------------------------------- */

int base_count_put(struct base *b, const struct count_key *count, uint64_t value) {
    struct count_key key = {htobe32(count->name), htobe32(count->department), htobe32(count->label)};
    uint64_t bytes = htole64(value);
    return base_put(b, TABLE_COUNTS, val_of(&key, sizeof key), val_of(&bytes, sizeof bytes), 0);
}

int base_each_count(struct base *b, int (*each)(void *, const struct count_key *, uint64_t), void *arg) {
    MDB_cursor *cursor;
    MDB_val key, data;
    int rc = base_begin(b), stop = 0, seen = 0;
    if (rc)
        return rc;
    rc = mdb_cursor_open(b->txn, b->tables[TABLE_COUNTS], &cursor);
    if (rc != 0)
        return base_fail_lmdb(b, rc, "reading counts");
    for (rc = mdb_cursor_get(cursor, &key, &data, MDB_FIRST); rc == 0 && stop == 0;
         rc = mdb_cursor_get(cursor, &key, &data, MDB_NEXT)) {
        struct count_key at;
        uint64_t value;
        if (++seen > COUNTS_MAX || key.mv_size != sizeof at || data.mv_size != sizeof value) {
            stop = base_fail(b, -EST_INPUT, "a count is damaged");
            break;
        }
        memcpy(&at, key.mv_data, sizeof at);
        memcpy(&value, data.mv_data, sizeof value);
        at = (struct count_key){be32toh(at.name), be32toh(at.department), be32toh(at.label)};
        stop = each(arg, &at, le64toh(value));
    }
    mdb_cursor_close(cursor);
    return stop ? stop : rc == MDB_NOTFOUND ? 0 : base_fail_lmdb(b, rc, "reading counts");
}

/* --- All of it ----------------------------------------------------------------------------------- */

static int pair_check(struct base *b, enum base_table table, const MDB_val *key, const MDB_val *data) {
    struct entry entry;
    switch (table) {
    case TABLE_ENTRIES:
        return key->mv_size == sizeof(uint64_t)
                   ? entry_take(b, number_of(key), data, &entry)
                   : base_fail(b, -EST_INPUT, "the number of an entry is damaged");
    case TABLE_TERMS:
        return base_block_check(b, key, data);
    default:
        return 0;
    }
}

static int table_check(struct base *b, enum base_table table) {
    MDB_cursor *cursor;
    MDB_val key, data, last = {0};
    int rc = mdb_cursor_open(b->txn, b->tables[table], &cursor), error = 0;
    if (rc != 0)
        return base_fail_lmdb(b, rc, "looking through it");
    rc = mdb_cursor_get(cursor, &key, &data, MDB_FIRST);
    while (rc == 0 && !error) {
        error = pair_check(b, table, &key, &data);
        if (!error && last.mv_data && mdb_cmp(b->txn, b->tables[table], &last, &key) >= 0)
            error = base_fail(b, -EST_INPUT, "its keys are in disorder");
        last = key;
        rc = error ? 0 : mdb_cursor_get(cursor, &key, &data, MDB_NEXT);
    }
    mdb_cursor_close(cursor);
    if (!error && rc != MDB_NOTFOUND)
        error = base_fail_lmdb(b, rc, "looking through it");
    return error;
}

int base_check(struct base *b) {
    int rc = base_bytes(b) <= BASE_CHECK_BYTES ? base_begin(b) : 0;
    for (size_t table = 0; b->txn && table < BASE_TABLES && !rc; table++)
        rc = table_check(b, (enum base_table)table);
    base_abort(b);
    return rc;
}
