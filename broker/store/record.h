/* record.h - events and rows as bytes, and back.
 *
 * What the log and the tables keep. Everything is little-endian and laid out by one table of
 * fields that both directions follow (record.c). Every record says its format and carries a
 * checksum, because LMDB has none: one flipped bit would read back as good data.
 *
 * Reading trusts nothing. A length is compared with what is left before it is used, the last byte
 * must be the last, and an unknown format, type or type version is an error, never skipped: a
 * fold that leaves out what it does not know ends in a wrong state that looks right.
 */
#ifndef RECORD_H
#define RECORD_H

#include "event.h"

enum {
    RECORD_FORMAT = 1,
    RECORD_HEADER_SIZE = 80,
    RECORD_PAYLOAD_MAX =
        4 * 1024 * 1024, /* a type's definition or an account's rights; others are far smaller */
    ROW_FORMAT = 1,
    ROW_SIZE = 136,
    RECORD_WHY_SIZE = 160,
};

/* Where lists (numbers, rights) of the event read last are put: in the bytes they have no
 * alignment. Start from {0}. */
struct record_scratch {
    void *data;
    size_t capacity;
};
void record_scratch_done(struct record_scratch *);

/* Bytes the event takes as a record. 0 where it cannot be one: its type is unknown, a list or the
 * whole is longer than the limits. */
size_t record_size(const struct event *);
/* Writes exactly record_size bytes and returns the record's checksum. */
uint64_t record_write(const struct event *, size_t size, void *bytes);
/* 0; -EST_INPUT, with the defect in `ret_why`; -EST_NO_MEMORY. Slices of *ret point into `bytes`,
 * lists into `scratch` until the next read. *ret keeps its value on failure. */
int record_read(est_slice bytes, struct record_scratch *, struct event *ret, char ret_why[RECORD_WHY_SIZE]);

/* The same for bytes that this process wrote, and that have been in its memory alone since: the
 * checksum is not looked at. */
int record_parse(est_slice bytes, struct record_scratch *, struct event *ret, char ret_why[RECORD_WHY_SIZE]);
/* Does it begin as an event does, and does its checksum match? */
bool record_is_whole(est_slice bytes);

/* Bytes of the record that these begin with, by its own header, which is not looked at otherwise;
 * no more than there are. */
size_t record_span(est_slice bytes);

/* The checksum that a record carries; 0 where it is too short to have one. */
uint64_t record_checksum(est_slice bytes);

void row_write(const struct inquiry_row *, uint8_t bytes[ROW_SIZE]);
/* 0 or -EST_INPUT. */
int row_read(est_slice bytes, struct inquiry_row *ret, char ret_why[RECORD_WHY_SIZE]);

/* The checksum used throughout, for small values of other shapes. */
uint64_t checksum_of(const void *bytes, size_t size);
/* The running digest after one more event: a chain, so it also says the order. */
uint64_t digest_step(uint64_t digest, uint64_t checksum);

#endif
