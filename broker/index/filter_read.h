/* filter_read.h - what the files that read a filter share.
 */
#ifndef FILTER_READ_H
#define FILTER_READ_H

#include "codec.h"
#include "filter.h"

/* A filter being read: the folded text, and how far. */
struct filter_reader {
    const struct parcel_rule *rule;
    struct filter *filter;
    char text[FILTER_CANONICAL_MAX + 1];
    uint16_t
        places[FILTER_CANONICAL_MAX + 1]; /* of each byte of `text`: the character that was typed, from 1 */
    size_t at, size;
    char *why;
};

/* filter_fold, and for each byte written, and the one behind, which character of the text it is of. */
size_t filter_fold_places(est_slice text, char *ret, uint16_t *ret_places);

/* Writes "character 12: …" and returns -EST_INVALID_FIELD. */
int filter_fail(struct filter_reader *, size_t at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* One value of a field, already out of its quotes: into *ret, its text kept in the filter. */
int filter_value_read(struct filter_reader *, size_t at, enum filter_field, est_slice text,
                      struct filter_value *ret);
/* What a bare word is. Returns FILTER_FIELDS after filter_fail. */
enum filter_field filter_word_field(struct filter_reader *, size_t at, est_slice word);

/* A copy in the filter's own memory. */
est_slice filter_keep(struct filter *, const char *text, size_t size);

/* Shapes. */
bool filter_is_digits(est_slice);
bool filter_is_parcel(est_slice,
                      unsigned *ret_parts); /* whole numbers between hyphens, three parts and more */
bool filter_is_tracking(est_slice);
bool filter_is_uuid(est_slice);

/* filter_when.c */
int filter_when_read(struct filter_reader *, size_t at, est_slice text, struct filter_value *ret);

#endif
