/* trace.h - what the shim writes down while a workload runs, and the campaign reads back.
 *
 * Records one after the other, each a head and, where `size` says so, bytes. A file is known by its inode,
 * so it stays the same when it gets another name. Marks are put between the writes by the workload
 * itself: what it has appended, when it began a commit, when the commit returned. So the trace says
 * for each moment what was on its way to the disk and what had been promised.
 */
#ifndef TRACE_H
#define TRACE_H

#include <stdint.h>

/* Of the first seven `value` is the file; of MADE and NAMED `offset` is its trace_name. */
enum trace_kind {
    TRACE_MADE = 1,       /* this file begins, empty */
    TRACE_WRITE,          /* `size` bytes at `offset`, in the kernel's cache only */
    TRACE_WRITE_THROUGH,  /* the same by an O_DSYNC descriptor: on disk once the call returned */
    TRACE_TRUNCATE,       /* the file is `offset` bytes long now */
    TRACE_SYNC,           /* everything written to it before is on disk */
    TRACE_NAMED,          /* it has its name in the store's folder, in the cache */
    TRACE_FOLDER_SYNC,    /* the store's folder is on disk, with the names in it */
    TRACE_PARENT_SYNC,    /* and the folder that names it */
    TRACE_EVENT,          /* mark: event `offset` was appended; its record's checksum is `value` */
    TRACE_COMMIT,         /* mark: the commit of all up to event `offset` begins */
    TRACE_PROMISED,       /* mark: it is on the disk; all up to event `offset` has been promised */
    TRACE_ABORTED,        /* mark: what was appended since the last commit is void */
    TRACE_KINDS,
};

enum trace_name { TRACE_DATA, TRACE_JOURNAL };

struct trace_head {
    uint32_t kind, size; /* size: bytes that follow */
    uint64_t offset, value;
};

/* The environment of the shim. */
#define TRACE_FILE_ENV    "POWER_TRACE"
#define TRACE_STORE_ENV   "POWER_STORE"
#define TRACE_CONTROL_ENV "POWER_CONTROL"

/* The shim's functions for the workload, found by name: without the shim there are none. */
#define TRACE_MARK_NAME "power_mark"
typedef void (*trace_mark)(uint32_t kind, uint64_t offset, uint64_t value);
/* A process's life begins: the order of its threads' turns follows from the seed. It dies at that
 * moment of its calls, before one or after one; 0: it does not. */
#define TRACE_LIFE_NAME "power_life"
typedef void (*trace_life)(uint64_t seed, uint64_t death);

#endif
