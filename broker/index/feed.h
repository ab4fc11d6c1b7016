/* feed.h - EVENTS: the log as a feed, for whoever follows it. It needs the log alone and so works
 * while the index is being built.
 */
#ifndef FEED_H
#define FEED_H

#include "codec.h"
#include "names.h"
#include "reader.h"

enum {
    FEED_ROWS_MAX = 1000,
    FEED_ROWS_USUAL = 200,
    FEED_LOOKED_MAX = 8192,  /* events looked at for one answer */
    FEED_BYTES_MAX = 500000, /* of rows; one event of many inquiries may go beyond it by its own size */
};

struct feed_question {
    uint64_t after; /* a seq; 0: from the beginning */
    uint64_t limit;
    est_slice department; /* empty: all */
    uint64_t types_seq;   /* of the newest event about a type that the asker knows of: names from before are read again */
    const bool *confidential; /* by a type's number; what is beyond it is too; NULL: no type is */
    size_t confidential_count;
    bool sees_all; /* else what is confidential is left out */
};

struct feed_answer {
    struct buffer rows; /* packed behind each other; init before, done after */
    size_t rows_count;
    uint64_t next, head;
    char why[512];
};

/* 0; -EST_INVALID_FIELD (no such department) or an error of the reader, with a sentence. */
int feed(struct store_reader *, struct names *, const struct feed_question *, struct feed_answer *ret);

#endif
