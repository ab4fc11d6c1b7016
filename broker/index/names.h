/* names.h - the names behind the record's numbers, for a thread that may not ask the registry.
 *
 * Read from the log's own things: departments, accounts, purposes, types and their versions. A name
 * is there as soon as the event that gave it. Numbers keep their names for ever, so what is gone from
 * the configuration still has one.
 */
#ifndef NAMES_H
#define NAMES_H

#include "catalogue.h"
#include "reader.h"

struct names;

struct names *names_new(void); /* NULL without memory */
void names_free(struct names **);
/* Reads them all again. 0 or what the reader said. */
int names_load(struct names *, struct store_reader *);
/* Things changed since: the next look loads again. */
void names_are_old(struct names *);
bool names_need_load(const struct names *);

/* "" where there is none. */
est_slice names_of(const struct names *, enum thing, uint32_t number);
/* UINT32_MAX where there is none. */
uint32_t names_number(const struct names *, enum thing, est_slice name);
/* Numbers are 0 … names_count - 1, with gaps. */
uint32_t names_count(const struct names *, enum thing);
/* The department of a type in a version; 0 where it is not known. */
uint32_t names_department(const struct names *, uint32_t type, uint32_t version);
/* Who answered, when the log was at this seq, what was asked of the type under this version; UINT64_MAX: who answers
 * it now. 0 where it is not known. */
uint32_t names_answerer(const struct names *, uint32_t type, uint32_t version, uint64_t seq);
/* The newest event about a type that they know of. */
uint64_t names_types_seq(const struct names *);
/* Has any version of the type been this department's? */
bool names_type_was_of(const struct names *, uint32_t type, uint32_t department);
/* The request's fields of a type's version; NULL where the definition cannot be read. */
const struct schema *names_request(struct names *, uint32_t type, uint32_t version);

#endif
