/* batchfile.h - many inquiries out of a file of JSON lines. */
#ifndef BATCHFILE_H
#define BATCHFILE_H

#include "submission.h"

enum { BATCH_LINES_MAX = 1000000 };

/* Reads one inquiry per line; empty lines are passed over. "-" is standard input. Every bad line
 * is told as file:line:column: text. 0, or an exit status. */
int batch_read(const struct call *, const char *path, struct batch *ret);

#endif
