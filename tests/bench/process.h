/* process.h - what a process and all that it started have used so far. */
#ifndef PROCESS_H
#define PROCESS_H

#include <stdint.h>
#include <sys/types.h>

struct usage {
    double cpu_s; /* of all threads, the kernel's part for them included */
    uint64_t
        written; /* bytes that were to go to a disk, page cache aside; 0 where the kernel does not tell */
};

/* Adds this process alone; nothing for 0 and for what has gone. */
void usage_add(pid_t, struct usage *);
/* Adds this process and its children, and theirs, as they are now. */
void usage_add_tree(pid_t, struct usage *);

/* Bytes of its memory that are no file's pages; 0 where the kernel does not tell. */
uint64_t process_anonymous(pid_t);

#endif
