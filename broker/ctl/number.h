/* number.h - whole numbers of the command line, as any keyboard writes them. */
#ifndef NUMBER_H
#define NUMBER_H

#include <estelam/types.h>

/* Digits of one of the three scripts and nothing else, at most `max`. False where it is no such number. */
bool number_parse(const char *text, uint64_t max, uint64_t *ret);

#endif
