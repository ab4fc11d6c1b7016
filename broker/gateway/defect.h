/* defect.h - what is wrong with a field, for Persian readers.
 *
 * The broker tells a defect by its path, by a stable word for its kind, and by an English sentence.
 * Word and catalogue are enough to say it in Persian: the word says what is wrong, and the field of
 * the path has a title, a kind, bounds and choices.
 */
#ifndef GATEWAY_DEFECT_H
#define GATEWAY_DEFECT_H

#include <jansson.h>

/* Adds `text_fa` to each of the defects. `fields`: of the request as shelf.c writes them, NULL where
 * the defects are not of a type's fields. A kind of defect that came later has a sentence too. */
void defects_persian(json_t *defects, const json_t *fields);

#endif
