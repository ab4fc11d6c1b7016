/* sql_expand.h - ${NAME} in a connection string becomes the value of the environment's NAME.
 *
 * So passwords stay out of the configuration file.
 */
#ifndef SQL_EXPAND_H
#define SQL_EXPAND_H

#include <stddef.h>

/* A new string; NULL and a sentence in `ret_why` where a variable is missing or misspelt. */
char *sql_expand(const char *source, char *ret_why, size_t why_size);

#endif
