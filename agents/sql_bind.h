/* sql_bind.h - the values of one inquiry, bound to the markers of a statement.
 *
 * Texts are bound as texts, integers as BIGINT, booleans as BIT, an absent or nil field as NULL,
 * a list or record as its JSON text. An absent field may as well be a name misspelt in the SELECT,
 * so one that is not marked :name? is remembered: no row then proves nothing.
 */
#ifndef SQL_BIND_H
#define SQL_BIND_H

#include "sql_link.h"

/* What the driver reads while the statement runs: keep it until then. */
struct sql_values {
    SQLLEN length[SQL_PARAMETERS_MAX];
    int64_t number[SQL_PARAMETERS_MAX];
    unsigned char bit[SQL_PARAMETERS_MAX];
    char *json[SQL_PARAMETERS_MAX]; /* owned */
    const char *lacking;            /* the first name that the inquiry should have and has not; the text's */
};

/* 0, -EST_NO_MEMORY, or -EST_IO with the diagnostics at the statement. Free with
 * sql_values_done, also after an error. */
int sql_values_bind(struct sql_values *, SQLHSTMT, const struct sql_text *, const est_inquiry *);
void sql_values_done(struct sql_values *);

#endif
