/* record.c - the store's bytes: events and rows as they are read from a disk.
 *
 * The input is read as an event and as a row, once as it is and once with its checksum made
 * right, since no other input would pass it. What is read and written again is the same; a record of an
 * older version is written in today's, and that one is.
 */
#include "fuzz.h"
#include "record.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

enum { CHECKSUM_AT = 8, CHECKED_FROM = 16, VERSION_AT = 18 };

static struct record_scratch scratch;

static void why_is_told(const char *why) {
    CLAIM(why[0] && strnlen(why, RECORD_WHY_SIZE) < RECORD_WHY_SIZE, "refused without a reason");
}

static void event_comes_back(est_slice bytes) {
    struct event event;
    struct inquiry_row row = {0};
    char why[RECORD_WHY_SIZE] = "";
    int rc = record_read(bytes, &scratch, &event, why);
    if (rc) {
        CLAIM(rc == -EST_INPUT, "another code than the header says");
        why_is_told(why);
        return;
    }
    size_t size = record_size(&event);
    uint8_t *again = malloc(size);
    CLAIM(again, "out of memory");
    uint64_t checksum = record_write(&event, size, again);
    if (memcmp(again + VERSION_AT, (const uint8_t *)bytes.data + VERSION_AT, sizeof(uint16_t)) != 0) {
        event_comes_back((est_slice){again, size});
        free(again);
        return;
    }
    CLAIM(size == bytes.size, "an event of another size");
    CLAIM(checksum == record_checksum(bytes), "another checksum");
    CLAIM(memcmp(again, bytes.data, bytes.size) == 0, "an event changes when it is written again");
    free(again);
    CLAIM(event_type_name(event.type)[0], "an event without a name");
    inquiry_row_apply(&row, &event);
}

static void row_comes_back(est_slice bytes) {
    struct inquiry_row row;
    uint8_t again[ROW_SIZE];
    char why[RECORD_WHY_SIZE] = "";
    if (row_read(bytes, &row, why)) {
        why_is_told(why);
        return;
    }
    CLAIM(bytes.size == ROW_SIZE, "a row of another size");
    row_write(&row, again);
    CLAIM(memcmp(again, bytes.data, ROW_SIZE) == 0, "a row changes when it is written again");
}

static void both(est_slice bytes) {
    event_comes_back(bytes);
    row_comes_back(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    both((est_slice){data, size});
    if (size < CHECKED_FROM)
        return 0;
    uint8_t *mended = malloc(size);
    CLAIM(mended, "out of memory");
    memcpy(mended, data, size);
    uint64_t checksum = htole64(checksum_of(mended + CHECKED_FROM, size - CHECKED_FROM));
    memcpy(mended + CHECKSUM_AT, &checksum, sizeof checksum);
    both((est_slice){mended, size});
    free(mended);
    return 0;
}
