/* subject.h - what a request is about: the parcels and national ids in its body, wherever they stand.
 */
#ifndef SUBJECT_H
#define SUBJECT_H

#include "catalogue.h"

/* Calls back for each parcel code (FIELD_NZ) and national id (FIELD_NID) of a canonical body, in
 * the schema's order. What is not as the schema says is passed over. */
void subject_each(const struct schema *, est_slice body,
                  void (*each)(void *arg, enum field_kind, est_slice text), void *arg);

#endif
