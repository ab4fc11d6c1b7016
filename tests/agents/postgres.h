/* postgres.h - a real PostgreSQL server for a test: its own folder, a unix socket, gone at the end.
 *
 * It runs as an unprivileged user, because PostgreSQL refuses root, and dies with the test even
 * where the test dies badly.
 */
#ifndef POSTGRES_H
#define POSTGRES_H

#include <stddef.h>
#include <sys/types.h>

struct postgres {
    char folder[256];
    char programs[256]; /* where initdb and postgres are */
    pid_t pid;          /* 0: not running */
};

/* Makes a cluster and starts it. Fails the test where it cannot. */
void postgres_open(struct postgres *);
void postgres_start(struct postgres *);
/* Kills the server as a crash would. */
void postgres_kill(struct postgres *);
void postgres_close(struct postgres *);
/* The ODBC connection string. */
void postgres_connection(const struct postgres *, char *ret, size_t size);

#endif
