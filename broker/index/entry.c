/* entry.c - see entry.h. The row in the record's own format, then the rest behind it, then a checksum
 * of all: LMDB has none, and a flipped bit would be found as somebody else's inquiry.
 */
#include "entry.h"
#include "record.h"

#include <endian.h>
#include <string.h>

static uint8_t *put(uint8_t *at, const void *bytes, size_t size) {
    memcpy(at, bytes, size);
    return at + size;
}

size_t entry_write(const struct entry *e, uint8_t ret[ENTRY_BYTES_MAX]) {
    uint32_t department = htole32(e->department);
    uint8_t sizes[4] = {e->case_size, (uint8_t)strlen(e->parcel), (uint8_t)e->parcels, (uint8_t)e->nids};
    row_write(&e->row, ret);
    uint8_t *at = put(ret + ROW_SIZE, &department, sizeof department);
    at = put(at, sizes, sizeof sizes);
    at = put(at, e->case_id, sizes[0]);
    at = put(at, e->parcel, sizes[1]);
    for (size_t i = 0; i < e->parcels + e->nids; i++) {
        uint64_t hash = htole64(e->hashes[i]);
        at = put(at, &hash, sizeof hash);
    }
    uint64_t checksum = htole64(checksum_of(ret, (size_t)(at - ret)));
    return (size_t)(put(at, &checksum, sizeof checksum) - ret);
}

static const uint8_t *take(void *ret, const uint8_t *at, size_t size) {
    memcpy(ret, at, size);
    return at + size;
}

int entry_read(est_slice bytes, struct entry *ret) {
    enum { FIXED = ROW_SIZE + 4 + 4, CHECKSUM = 8 };
    char why[RECORD_WHY_SIZE];
    const uint8_t *at = bytes.data, *sizes = at + ROW_SIZE + 4;
    uint64_t checksum;
    if (bytes.size < FIXED + CHECKSUM || bytes.size > ENTRY_BYTES_MAX)
        return -EST_INPUT;
    memcpy(&checksum, at + bytes.size - CHECKSUM, CHECKSUM);
    if (le64toh(checksum) != checksum_of(at, bytes.size - CHECKSUM) || sizes[0] > EST_CASE_MAX ||
        sizes[1] >= IDENT_MAX || sizes[2] + sizes[3] > ENTRY_HASHES_MAX ||
        bytes.size != FIXED + sizes[0] + sizes[1] + 8u * (sizes[2] + sizes[3]) + CHECKSUM)
        return -EST_INPUT;
    if (row_read((est_slice){at, ROW_SIZE}, &ret->row, why) != 0)
        return -EST_INPUT;
    at = take(&ret->department, at + ROW_SIZE, sizeof ret->department) + 4;
    ret->department = le32toh(ret->department);
    ret->case_size = sizes[0];
    ret->parcels = sizes[2];
    ret->nids = sizes[3];
    at = take(ret->case_id, at, sizes[0]);
    at = take(ret->parcel, at, sizes[1]);
    ret->parcel[sizes[1]] = '\0';
    for (size_t i = 0; i < ret->parcels + ret->nids; i++) {
        at = take(&ret->hashes[i], at, sizeof ret->hashes[i]);
        ret->hashes[i] = le64toh(ret->hashes[i]);
    }
    ret->state_kept = ret->row.state;
    return 0;
}

static bool has(const uint64_t *hashes, size_t count, uint64_t hash) {
    for (size_t i = 0; i < count; i++)
        if (hashes[i] == hash)
            return true;
    return false;
}

bool entry_has_parcel(const struct entry *e, uint64_t hash) {
    return has(e->hashes, e->parcels, hash);
}

bool entry_has_nid(const struct entry *e, uint64_t hash) {
    return has(e->hashes + e->parcels, e->nids, hash);
}
