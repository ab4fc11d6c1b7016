/* sql_text.h - a SELECT with :names becomes a SELECT with ? and the list of the names.
 *
 * Values are bound, never pasted, so this is the only place where the text of a statement is
 * touched. What is left alone: quoted text and names, comments, PostgreSQL's :: casts, E'..' and
 * $tag$..$tag$ texts. What databases read differently (a backslash before a closing quote, a
 * comment inside a comment, a bare ?, a second statement) is refused rather than guessed at. A ?
 * right behind a name is the name's: it was refused as a bare one before it meant anything.
 */
#ifndef SQL_TEXT_H
#define SQL_TEXT_H

#include <stdbool.h>
#include <stddef.h>

enum { SQL_PARAMETERS_MAX = 64 };

struct sql_text {
    char *statement; /* with a ? for each name */
    char *names[SQL_PARAMETERS_MAX];
    bool may_lack[SQL_PARAMETERS_MAX]; /* written :name?, for a field that an inquiry need not have */
    size_t count;
};

/* 0; -EST_INPUT and *ret_why says what to change; -EST_NO_MEMORY. Free with sql_text_done. */
int sql_text_parse(const char *source, struct sql_text *ret, const char **ret_why);
void sql_text_done(struct sql_text *);
/* Is its first word SELECT or WITH? */
bool sql_text_is_query(const char *source);

#endif
