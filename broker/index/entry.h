/* entry.h - what the index knows of one inquiry, and how it lies on disk.
 *
 * The row is the record's own, folded by the record's own function. What stands beside it comes out of
 * the request: its case, the parcels it names, and the national ids, of which only keyed hashes
 * are kept: whoever reads the index learns no one's id from it.
 */
#ifndef ENTRY_H
#define ENTRY_H

#include "event.h"
#include "ident.h"

/* Parcels and national ids of one request by which it can be found, together. A request may have
 * more (heirs of an estate, say); those after these are not in the index. */
enum { ENTRY_HASHES_MAX = 64 };

struct entry {
    struct inquiry_row row;
    uint32_t department;    /* that answered it, or should have, once it has ended; before, at its newest event */
    uint32_t parcels, nids; /* how many of each; the parcels come first */
    uint64_t hashes[ENTRY_HASHES_MAX];
    uint8_t case_size;
    char case_id[EST_CASE_MAX]; /* as it was written */
    char parcel[IDENT_MAX];     /* the first one, "" where there is none */
    uint32_t state_kept;        /* the state it is filed under on disk; 0: it is not there yet */
};

enum { ENTRY_BYTES_MAX = 1024 };

size_t entry_write(const struct entry *, uint8_t ret[ENTRY_BYTES_MAX]);
/* 0 or -EST_INPUT: not of this format, or damaged. */
int entry_read(est_slice bytes, struct entry *ret);

bool entry_has_parcel(const struct entry *, uint64_t hash);
bool entry_has_nid(const struct entry *, uint64_t hash);

#endif
