/* find_terms.h - a filter whose names have become numbers, and whether an entry fits it.
 */
#ifndef FIND_TERMS_H
#define FIND_TERMS_H

#include "find.h"

enum { TYPES_MAX = 4096 };

/* Types of one term as bits; of the others every value has its number or hash. */
struct find_terms {
    struct filter filter;
    const struct names *names;
    uint64_t hashes[FILTER_VALUES_MAX];  /* parcel, nid, case */
    uint64_t numbers[FILTER_VALUES_MAX]; /* department, requester, purpose; of a tracking code its inquiry */
    uint64_t types[FILTER_TERMS_MAX][TYPES_MAX / 64];
};

/* Reads the filter and looks its names up. 0, or -EST_INVALID_FIELD with ret_why. */
int find_terms_read(struct indexer *, const struct find_question *, struct find_terms *ret,
                    char ret_why[FIND_WHY_SIZE]);
/* WAITING, DELAYED or LEASED as of now; the others as the record has them. */
uint32_t find_state(const struct find_question *, const struct entry *);
/* Who answered it, or should have; who answers it now, while it has not ended: a type may get another answerer. */
uint32_t find_department(const struct names *, const struct entry *);
/* Are inquiries of this type none for whoever asks? */
bool find_is_hidden(const struct find_question *, uint32_t type);
/* Never what is hidden. */
bool find_fits(const struct find_terms *, const struct find_question *, const struct entry *);

static inline bool find_type_is_in(const struct find_terms *t, size_t term, uint32_t type) {
    return type < TYPES_MAX && (t->types[term][type / 64] >> (type % 64) & 1);
}

#endif
