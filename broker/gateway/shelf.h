/* shelf.h - the catalogue as JSON, made once and again when a file of it changes. */
#ifndef GATEWAY_SHELF_H
#define GATEWAY_SHELF_H

#include "gateway.h"

#include <jansson.h>

struct shelf;
/* `folder` NULL: no catalogue, and the handlers say so. NULL: no memory, or the catalogue has
 * complaints, which were told in the log. */
struct shelf *shelf_new(const char *folder);
void shelf_free(struct shelf **);
/* {name, title_fa, title_en}, or null. A new reference. */
json_t *shelf_city(struct shelf *);
/* The department that answers this type, "" where there is none such. Gives `ret` back. */
const char *shelf_department_of(struct shelf *, const char *type, char ret[EST_NAME_MAX + 1]);
/* Has the catalogue a department of this name? Without a catalogue nobody can say, and it may. */
bool shelf_may_have_department(struct shelf *, const char *name);
/* Adds what is wrong in Persian to defects of this type's request; see defect.h. NULL: of no type. */
void shelf_defects_persian(struct shelf *, const char *type, json_t *defects);
/* {title_fa, title_en} of a type, nulls where there is none such. A new reference. */
json_t *shelf_titles_of(struct shelf *, const char *type);

#endif
