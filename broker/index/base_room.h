/* base_room.h - what the files of the base share.
 */
#ifndef BASE_ROOM_H
#define BASE_ROOM_H

#include "base.h"

#include <lmdb.h>

enum { BASE_PATH_SIZE = 4096, BASE_ERROR_SIZE = 512 };
enum base_table { TABLE_ENTRIES, TABLE_TERMS, TABLE_COUNTS, TABLE_META, BASE_TABLES };

struct base {
    MDB_env *env;
    MDB_dbi tables[BASE_TABLES];
    MDB_txn *txn; /* everything since the last commit */
    MDB_cursor
        *writers[BASE_TABLES]; /* of the transaction, and gone with it: what is written in order is near */
    uint64_t last;             /* the highest number among the entries */
    int lock;
    uint64_t map, page;
    char folder[BASE_PATH_SIZE], error[BASE_ERROR_SIZE];
};

static inline MDB_val val_of(const void *bytes, size_t size) {
    return (MDB_val){.mv_size = size, .mv_data = (void *)bytes};
}

/* base_sum.c: of the closed file, left beside it; and whether it still is. 0 or -EST_INPUT. */
void base_sum_write(const struct base *);
int base_sum_check(struct base *);

/* Opens the transaction where none is. */
int base_begin(struct base *);
/* The cursor that writes into a table, in the transaction. */
int base_writer(struct base *, enum base_table, MDB_cursor **ret);
int base_put(struct base *, enum base_table, MDB_val key, MDB_val data, unsigned flags);
/* base_terms.c: 0, or -EST_INPUT for a damaged block. */
int base_block_check(struct base *, const MDB_val *key, const MDB_val *data);
/* The highest number among the entries, 0 where there is none. */
int base_last_number(struct base *, uint64_t *ret);
int base_fail(struct base *, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));
int base_fail_lmdb(struct base *, int rc, const char *what);

#endif
