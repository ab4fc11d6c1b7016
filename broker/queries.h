/* queries.h - what the files of questions share: pages of rows. */
#ifndef QUERIES_H
#define QUERIES_H

#include "broker.h"

enum { PAGE_MAX = 500 };

/* The department that a page is limited to: 0 for all. False: there is no such one, and it was said. */
bool page_department(struct broker *, uint32_t peer, const struct page *ask, uint32_t *ret);
/* How many rows the page may have. */
size_t page_limit(const struct page *ask);
/* The rows in `rows` of the broker, as an answer that is shaped like a page. */
void page_reply(struct broker *, uint32_t peer, enum verb, uint64_t ref, size_t rows, uint64_t next);

#endif
