/* stage.h - a private folder on disk, and one server in it, which is ended by its process id.
 *
 * No server is ever looked for by name, and none uses a port, a folder or a setting of the machine's
 * own: each has all of them in the folder, and a loopback port or a unix socket of its own.
 */
#ifndef STAGE_H
#define STAGE_H

#include <sys/types.h>

#include <estelam/types.h>

#include "bench.h"

enum { STAGE_PATH_SIZE = 512 };

struct stage {
    const struct plan *plan;
    char directory[STAGE_PATH_SIZE];
    pid_t server; /* 0: none */
    bool rough; /* the server is ended by SIGKILL: it would take its time, and what it keeps is thrown away */
    void *own;  /* the system's */
    double serving_s; /* from its start to its open doors, where the system tells */
};

/* Makes the folder and opens the plan's system. 0 or a negative code after a line that says why;
 * then, too, stage_close cleans up. */
int stage_open(struct stage *, const struct plan *);
/* Ends the server and removes the folder. 0, or -EST_IO where the server did not end well. */
int stage_close(struct stage *);
/* Has the server ended by itself? */
bool stage_is_dead(const struct stage *);

/* --- For systems ----------------------------------------------------------------------------------- */

void stage_path(const struct stage *, const char *name, char ret[STAGE_PATH_SIZE]);
/* 0 or -EST_IO after a line that says why. */
int stage_folder_make(const struct stage *, const char *name);
int stage_file_write(const struct stage *, const char *name, const char *text);
/* NULL after a line that says why; stage_file_end: 0 or -EST_IO. */
FILE *stage_file_make(const struct stage *, const char *name);
int stage_file_end(FILE *, const char *name);
/* Starts the server; what it says goes into server.log, and its standard output to `out` unless that
 * is -1. As `user`, who then owns the folder, where one is given and we are root. 0 or -EST_IO. */
int stage_server_start(struct stage *, char *const *arguments, int out, const char *user);
/* Asks again and again until it says yes. 0, or -EST_UNREACHABLE after the server's own words. */
int stage_server_await(struct stage *, bool (*is_up)(struct stage *));
/* Runs a program to its end, as stage_server_start would. 0 or -EST_IO after its own words. */
int stage_program_run(struct stage *, char *const *arguments, const char *user);
void stage_log_show(const struct stage *);
/* A loopback port that nobody has at this moment; 0 where there is none. */
unsigned stage_port_free(void);
/* Is somebody listening there? */
bool stage_port_listens(unsigned port);
/* The first of these paths that can be run; NULL where none can. */
const char *stage_program_find(const char *const *paths);

#endif
