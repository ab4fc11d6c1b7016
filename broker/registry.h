/* registry.h - the names of the configuration and the numbers of the record.
 *
 * Configuration speaks in names and may change with every reload; the record speaks in numbers
 * that keep their meaning for ever. A name gets the next free number when it is first seen, by an
 * event; a changed definition is an event too; a name that is gone is retired and keeps its number.
 */
#ifndef REGISTRY_H
#define REGISTRY_H

#include <catalogue.h>
#include <core.h>
#include <store.h>

struct registry;

struct registry *registry_new(const struct core_limits *);
void registry_free(struct registry **);

/* Recovery: a thing of the store. 0 or -EST_NO_MEMORY, -EST_FULL (limits lowered below what is stored). */
int registry_restore(struct registry *, const struct event *);

/* Compares a configuration with what is in force and calls `step` with an INPUT_SET for each
 * difference. A department keeps its right to answer a type that is gone, so that what is under
 * way finishes, also with accounts that were gone meanwhile or are new. The registry keeps `catalogue` until the next call. 0; -EST_NO_MEMORY, or -EST_FULL where it
 * names more than there are numbers left for: then nothing has changed and nothing was stepped. */
int registry_sync(struct registry *, const struct core *, const struct catalogue *,
                  void (*step)(void *arg, const struct input *), void *arg);

/* A type in force by its name. False where there is none. */
bool registry_type(const struct registry *, est_slice name, const struct ctype **ret, uint32_t *ret_number,
                   uint32_t *ret_version);
/* Any version of a type; one that is no longer in force is made again from the store. NULL when
 * the store does not have it either. Owned by the registry. */
const struct ctype *registry_version(struct registry *, struct store *, uint32_t type, uint32_t version);
/* Whose inquiries are confidential: a place for each type's number, types_max of them, by the type's newest
 * version. A type whose newest version cannot be read is. Lives until the next registry_sync or call. */
const bool *registry_confidential(struct registry *, struct store *);
uint32_t registry_current(const struct registry *, uint32_t type); /* version in force, or last in force */
/* Name of the department that answered an inquiry, or should have, when it ended; while it has not, of the one that
 * answers its type now. "" where the type is not known. */
est_slice registry_answerer(const struct registry *, const struct inquiry_row *);
/* Number of a purpose, or -1. */
int registry_purpose(const struct registry *, est_slice name);
/* Is the type asked for this purpose? By the city's own order of purposes. */
bool registry_type_has_purpose(const struct registry *, const struct ctype *, uint32_t purpose);
/* The name behind a number; "" when there is none. */
est_slice registry_name(const struct registry *, enum thing, uint32_t number);
/* The number behind a name in force or retired; UINT32_MAX when there is none. */
uint32_t registry_number(const struct registry *, enum thing, est_slice name);
const struct city *registry_city(const struct registry *);

#endif
