/* trace.h - what the shim writes down while a workload runs, and the campaign reads back.
 *
 * Records one after the other, each a head and, where `size` says so, bytes. Marks are put between
 * the writes by the workload itself: what it has appended, when it began a commit, when the commit
 * returned. So the trace says for each moment what was on its way to the disk and what had been
 * promised.
 */
#ifndef TRACE_H
#define TRACE_H

#include <stdint.h>

enum trace_kind {
    TRACE_WRITE = 1,      /* `size` bytes at `offset`, in the kernel's cache only */
    TRACE_WRITE_THROUGH,  /* the same by an O_DSYNC descriptor: on disk once the call returned */
    TRACE_TRUNCATE,       /* the file is `offset` bytes long now */
    TRACE_SYNC,           /* everything written before is on disk */
    TRACE_NAMED,          /* the file has its name, data.mdb in the store's folder, in the cache */
    TRACE_FOLDER_SYNC,    /* the store's folder is on disk */
    TRACE_PARENT_SYNC,    /* and the folder that names it */
    TRACE_EVENT,          /* mark: event `offset` was appended; its record's checksum is `value` */
    TRACE_COMMIT,         /* mark: the commit of all up to event `offset` begins */
    TRACE_PROMISED,       /* mark: it returned; all up to event `offset` has been promised */
    TRACE_ABORTED,        /* mark: what was appended since the last commit is void */
    TRACE_KINDS,
};

struct trace_head {
    uint32_t kind, size; /* size: bytes that follow */
    uint64_t offset, value;
};

/* The environment of the shim. */
#define TRACE_FILE_ENV    "POWER_TRACE"
#define TRACE_STORE_ENV   "POWER_STORE"
#define TRACE_CONTROL_ENV "POWER_CONTROL"

/* The shim's one function for the workload, found by name: without the shim there is none. */
#define TRACE_MARK_NAME "power_mark"
typedef void (*trace_mark)(uint32_t kind, uint64_t offset, uint64_t value);

#endif
