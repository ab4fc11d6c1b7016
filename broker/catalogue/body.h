/* body.h - what the parts of checking bodies share; private to the catalogue.
 *
 * Most bodies come from programs: their fields in the schema's order, and without fault. Those are
 * read straight through, once. Whatever is not like that is checked anew from its beginning: the
 * body's maps are first cut into one slice for each field, then every field takes its slice in the
 * schema's order and writes its canonical form; only this way knows how to tell what is wrong.
 * Nothing is allocated but the output, and the recursion is as deep as the schema, whatever the
 * body nests.
 */
#ifndef BODY_H
#define BODY_H

#include "catalogue.h"

struct check {
    const struct city *city;
    est_time now;
    struct buffer *out;
    struct defects *defects;
    unsigned district; /* of the first parcel code or file number */
    uint64_t present;  /* the fields of the map that was read last, as bits; all ones where there was none */
    const struct bounds *bounds; /* of the geometry that is read; NULL: none, or it is told already */
    bool is_strict;    /* what is required is there, and is not empty */
    bool is_kept;      /* the body was taken once: what was allowed then is not judged again */
    bool is_straight;  /* read straight through, as long as ... */
    bool is_bent;      /* ... nothing is out of order */
};

/* Where in the body: a chain on the stack, written out only for a defect. */
struct path {
    const struct path *up;
    est_slice name; /* NULL data: an index */
    size_t index;
};

/* Takes exactly one value from the cursor, and writes its canonical form or adds a defect. */
typedef void (*kind_check)(struct check *, const struct path *, const struct field *, struct cursor *);

void defect_add(struct check *, const struct path *, const char *kind, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* "must be …, not …" for the value at the cursor, which is skipped. */
void defect_type(struct check *, const struct path *, const char *wanted, struct cursor *);

/* Takes one value of any shape; false with the cursor failed where it breaks the wire format. */
bool value_skip(struct cursor *, est_slice *ret);
/* A text, or a defect and false. */
bool text_take(struct check *, const struct path *, const char *wanted, struct cursor *, est_slice *ret);
/* A map, cut into a slice for each field; absent and nil ones are empty. Unknown and repeated keys
 * become defects. False where there is no map or the cursor failed. */
bool map_cut(struct check *, const struct path *, const struct field *, size_t count, struct cursor *,
             est_slice *ret_values);
/* A whole map by its fields. `strict`: required fields must be there. */
void map_check(struct check *, const struct path *, const struct field *, size_t count, struct cursor *,
               bool strict);

/* The check of a kind's value, list or not left aside. */
kind_check kind_check_of(enum field_kind);
/* "51.3890" in any digit script as whole 1e-7 degrees, rounded. */
bool degrees_parse(est_slice, int64_t *ret);
void geo_check(struct check *, const struct path *, const struct field *, struct cursor *);

#endif
