/* trace_shim.c - preloaded under a workload: writes down all that the store does to its file.
 *
 * The store is the real one and so is LMDB; only the calls into the kernel pass through here. LMDB
 * writes by system calls alone (the file is mapped for reading), so nothing escapes. A mapping
 * that could be written through would, and ends the run.
 *
 * The controls live here too, so that the product needs no switch for its own tests: `nosync` and
 * `nometasync` open LMDB with these flags, `ignored` is a disk that says it has synced and has not,
 * `nofolder` one that does so for folders only.
 */
#include "trace.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { FILES_MAX = 1024, FLAG_NOSYNC = 0x10000, FLAG_NOMETASYNC = 0x40000 };
enum file_kind { FILE_OTHER, FILE_DATA, FILE_DATA_THROUGH, FILE_FOLDER, FILE_PARENT };

static unsigned char files[FILES_MAX]; /* by descriptor */
static int trace = -1;

/* --- Writing down ------------------------------------------------------------------------------ */

/* A trace that cannot be written proves nothing: the run ends. */
static void give_up(const char *why) {
    ssize_t ignored = write(STDERR_FILENO, why, strlen(why));
    (void)ignored;
    _exit(99);
}

static void put(const void *bytes, size_t size) {
    const char *at = bytes;
    while (size > 0) {
        long wrote = syscall(SYS_write, trace, at, size);
        if (wrote <= 0)
            give_up("trace_shim: the trace cannot be written\n");
        at += wrote;
        size -= (size_t)wrote;
    }
}

static bool trace_ready(void) {
    const char *path = getenv(TRACE_FILE_ENV);
    if (trace < 0 && path)
        trace = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND, 0600);
    return trace >= 0;
}

static void record(enum trace_kind kind, uint64_t offset, uint64_t value, const void *bytes, size_t size) {
    struct trace_head head = {kind, (uint32_t)size, offset, value};
    if (!trace_ready())
        return;
    put(&head, sizeof head);
    if (size > 0)
        put(bytes, size);
}

void power_mark(uint32_t kind, uint64_t offset, uint64_t value);
void power_mark(uint32_t kind, uint64_t offset, uint64_t value) {
    record((enum trace_kind)kind, offset, value, NULL, 0);
}

static bool control_is(const char *name) {
    const char *control = getenv(TRACE_CONTROL_ENV);
    return control && strcmp(control, name) == 0;
}

/* --- Which file is it? ------------------------------------------------------------------------- */

static bool path_is(const char *path, const char *folder, const char *name) {
    size_t length = strlen(folder);
    return strncmp(path, folder, length) == 0 && strcmp(path + length, name) == 0;
}

static bool is_data(const char *path) {
    const char *store = getenv(TRACE_STORE_ENV), *name = strrchr(path, '/');
    return store && strncmp(path, store, strlen(store)) == 0 && name && strcmp(name, "/data.mdb") == 0;
}

static enum file_kind kind_of(const char *path, int flags) {
    const char *store = getenv(TRACE_STORE_ENV);
    if (!store)
        return FILE_OTHER;
    if (is_data(path))
        return flags & O_DSYNC ? FILE_DATA_THROUGH : FILE_DATA;
    if (strcmp(path, store) == 0)
        return FILE_FOLDER;
    const char *last = strrchr(store, '/');
    size_t parent = last ? (size_t)(last - store) : 0;
    return strlen(path) == parent && strncmp(path, store, parent) == 0 ? FILE_PARENT : FILE_OTHER;
}

static enum file_kind kind_get(int fd) {
    return fd >= 0 && fd < FILES_MAX ? (enum file_kind)files[fd] : FILE_OTHER;
}

static bool is_data_file(int fd) {
    return kind_get(fd) == FILE_DATA || kind_get(fd) == FILE_DATA_THROUGH;
}

static int open_traced(const char *path, int flags, mode_t mode) {
    const char *store = getenv(TRACE_STORE_ENV);
    struct stat info;
    bool is_new = is_data(path) && (flags & O_CREAT) && stat(path, &info) != 0;
    int fd = (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
    if (fd >= FILES_MAX)
        give_up("trace_shim: too many files\n");
    if (fd < 0)
        return fd;
    files[fd] = (unsigned char)kind_of(path, flags);
    if (is_new && path_is(path, store, "/data.mdb"))
        record(TRACE_NAMED, 0, 0, NULL, 0);
    return fd;
}

/* --- The calls --------------------------------------------------------------------------------- */

int open(const char *path, int flags, ...) {
    va_list args;
    va_start(args, flags);
    mode_t mode = va_arg(args, mode_t);
    va_end(args);
    return open_traced(path, flags, mode);
}

int open64(const char *path, int flags, ...) {
    va_list args;
    va_start(args, flags);
    mode_t mode = va_arg(args, mode_t);
    va_end(args);
    return open_traced(path, flags, mode);
}

int close(int fd) {
    if (fd >= 0 && fd < FILES_MAX)
        files[fd] = FILE_OTHER;
    return (int)syscall(SYS_close, fd);
}

int rename(const char *from, const char *to) {
    const char *store = getenv(TRACE_STORE_ENV);
    int rc = (int)syscall(SYS_rename, from, to);
    if (rc == 0 && store && path_is(to, store, "/data.mdb"))
        record(TRACE_NAMED, 0, 0, NULL, 0);
    return rc;
}

static void written(int fd, const void *bytes, ssize_t size, off_t offset) {
    bool through = kind_get(fd) == FILE_DATA_THROUGH && !control_is("ignored");
    if (size > 0 && is_data_file(fd))
        record(through ? TRACE_WRITE_THROUGH : TRACE_WRITE, (uint64_t)offset, 0, bytes, (size_t)size);
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t offset) {
    ssize_t wrote = syscall(SYS_pwrite64, fd, bytes, size, offset);
    written(fd, bytes, wrote, offset);
    return wrote;
}

ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t offset) {
    return pwrite(fd, bytes, size, offset);
}

ssize_t write(int fd, const void *bytes, size_t size) {
    off_t offset = is_data_file(fd) ? (off_t)syscall(SYS_lseek, fd, 0, SEEK_CUR) : 0;
    ssize_t wrote = syscall(SYS_write, fd, bytes, size);
    written(fd, bytes, wrote, offset);
    return wrote;
}

/* Each part is a write of its own: they may reach the disk in any order. */
static void parts_written(int fd, const struct iovec *parts, int count, ssize_t wrote, off_t offset) {
    for (int i = 0; i < count && wrote > 0; i++) {
        ssize_t part = (ssize_t)parts[i].iov_len < wrote ? (ssize_t)parts[i].iov_len : wrote;
        written(fd, parts[i].iov_base, part, offset);
        offset += part;
        wrote -= part;
    }
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
    off_t offset = is_data_file(fd) ? (off_t)syscall(SYS_lseek, fd, 0, SEEK_CUR) : 0;
    ssize_t wrote = syscall(SYS_writev, fd, parts, count);
    parts_written(fd, parts, count, wrote, offset);
    return wrote;
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset) {
    ssize_t wrote = syscall(SYS_pwritev, fd, parts, count, (long)offset, 0L);
    parts_written(fd, parts, count, wrote, offset);
    return wrote;
}

int ftruncate(int fd, off_t length) {
    int rc = (int)syscall(SYS_ftruncate, fd, length);
    if (rc == 0 && is_data_file(fd))
        record(TRACE_TRUNCATE, (uint64_t)length, 0, NULL, 0);
    return rc;
}

static int synced(int fd, int rc) {
    enum file_kind kind = kind_get(fd);
    if (rc != 0 || control_is("ignored"))
        return rc;
    if (is_data_file(fd))
        record(TRACE_SYNC, 0, 0, NULL, 0);
    else if (kind == FILE_FOLDER && !control_is("nofolder"))
        record(TRACE_FOLDER_SYNC, 0, 0, NULL, 0);
    else if (kind == FILE_PARENT && !control_is("nofolder"))
        record(TRACE_PARENT_SYNC, 0, 0, NULL, 0);
    return rc;
}

/* The real disk need not sync: what counts is that it was asked to. */
int fsync(int fd) {
    return synced(fd, 0);
}

int fdatasync(int fd) {
    return synced(fd, 0);
}

int msync(void *address, size_t size, int flags) {
    (void)address;
    (void)size;
    (void)flags;
    give_up("trace_shim: the store has written through its map, which no trace can see\n");
    return -1;
}

void *mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset) {
    if ((protection & PROT_WRITE) && (flags & MAP_SHARED) && is_data_file(fd))
        give_up("trace_shim: the store's file is mapped for writing, which no trace can see\n");
    return (void *)syscall(SYS_mmap, address, size, protection, flags, fd, offset);
}

/* LMDB's own: a control opens it with flags that the store never gives. */
int mdb_env_open(void *env, const char *path, unsigned flags, mode_t mode);
int mdb_env_open(void *env, const char *path, unsigned flags, mode_t mode) {
    int (*real)(void *, const char *, unsigned, mode_t) = NULL;
    void *symbol = dlsym(RTLD_NEXT, "mdb_env_open");
    memcpy(&real, &symbol, sizeof real);
    if (!real)
        give_up("trace_shim: there is no LMDB under it\n");
    if (control_is("nosync"))
        flags |= FLAG_NOSYNC;
    if (control_is("nometasync"))
        flags |= FLAG_NOMETASYNC;
    return real(env, path, flags, mode);
}
