/* help.h - help, completion and the man page, made from the table of commands. */
#ifndef HELP_H
#define HELP_H

#include "command.h"

#include <stdio.h>

void help_overview(FILE *);
void help_command(const struct command *, FILE *);
void help_completion(FILE *); /* bash */
void help_man(FILE *);        /* roff */

#endif
