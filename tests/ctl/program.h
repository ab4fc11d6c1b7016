/* program.h - runs a program to its end and keeps what it said. */
#ifndef PROGRAM_H
#define PROGRAM_H

#include <stdint.h>

struct ran {
    int status;      /* exit status; -1: killed by a signal */
    char out[65536]; /* both cut at their sizes */
    char err[65536];
    int64_t took_ms;
};

/* `words` ends with NULL; words[0] is a path. `folder` is where it runs; its environment holds
 * no profile and no catalogue. Fails the test when the program cannot be run. */
void program_run(struct ran *ret, const char *folder, const char *const *words);

/* A fresh folder, and the end of it with the files in it. */
char *folder_make(void);
void folder_remove(char *folder);
/* Writes a file in it. */
void folder_write(const char *folder, const char *name, const char *text);

#endif
