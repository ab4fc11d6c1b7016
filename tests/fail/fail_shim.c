/* fail_shim.c - preloaded under a program: its nth call of one kind fails, once or from then on.
 *
 *   malloc     malloc, calloc, realloc, posix_memalign: no memory
 *   write      write, writev: the disk is full
 *   pwrite     pwrite, pwritev: an error of the disk
 *   fdatasync  fdatasync, fsync: an error of the disk
 *   open       open, fopen, opendir: too many files
 *   send       send, sendto, sendmsg: the connection is gone
 *
 * Calls made by or for libraries that end the process when they fail are passed on and not counted: libzmq
 * and libstdc++ abort without memory, by their own decision, libzmq wakes its threads by a write that
 * may not fail, and libfyaml 0.7 follows a null pointer in fy_parse_input_append (a broker that
 * starts, or reads its configuration again, without memory may die of it; nothing promised is lost
 * by that). What they send to peers is counted, because a connection may end.
 */
#include "inject.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum call { CALL_NONE, CALL_MALLOC, CALL_WRITE, CALL_PWRITE, CALL_FDATASYNC, CALL_OPEN, CALL_SEND, CALLS };
enum { RANGES_MAX = 16, FRAMES_MAX = 48 };

static const struct {
    const char *name;
    int error;
} kinds[CALLS] = {
    [CALL_MALLOC] = {"malloc", ENOMEM}, [CALL_WRITE] = {"write", ENOSPC},
    [CALL_PWRITE] = {"pwrite", EIO},    [CALL_FDATASYNC] = {"fdatasync", EIO},
    [CALL_OPEN] = {"open", EMFILE},     [CALL_SEND] = {"send", ECONNRESET},
};

static const char *const spared[] = {"libzmq", "libstdc++", "libgcc_s", "ld-linux", "libsodium", "libfyaml"};

static enum call chosen; /* none until the program begins */
static uint64_t nth;
static bool sticky;
static struct fail_tally *tally;
/* Where a library has its code. */
struct range {
    uintptr_t from, until;
};
static struct range ranges[RANGES_MAX];
static size_t ranges_count;

/* --- Which call fails? ------------------------------------------------------------------------- */

static struct range code_of(const struct dl_phdr_info *info) {
    struct range range = {0};
    for (int p = 0; p < info->dlpi_phnum && range.until == 0; p++) {
        if (info->dlpi_phdr[p].p_type != PT_LOAD || !(info->dlpi_phdr[p].p_flags & PF_X))
            continue;
        range.from = info->dlpi_addr + info->dlpi_phdr[p].p_vaddr;
        range.until = range.from + info->dlpi_phdr[p].p_memsz;
    }
    return range;
}

static int library_see(struct dl_phdr_info *info, size_t size, void *arg) {
    (void)size;
    (void)arg;
    const char *name = strrchr(info->dlpi_name, '/');
    for (size_t i = 0; name && i < sizeof spared / sizeof spared[0]; i++) {
        if (strncmp(name + 1, spared[i], strlen(spared[i])) != 0)
            continue;
        if (ranges_count < RANGES_MAX)
            ranges[ranges_count++] = code_of(info);
    }
    return 0;
}

__attribute__((constructor)) static void begin(void) {
    const char *call = getenv(FAIL_CALL_ENV), *number = getenv(FAIL_NTH_ENV), *path = getenv(FAIL_TALLY_ENV);
    if (!call || !number || !path)
        return;
    int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0);
    void *map = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof *tally, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED)
        _exit(98);
    syscall(SYS_close, fd);
    tally = map;
    dl_iterate_phdr(library_see, NULL);
    void *frames[FRAMES_MAX];
    backtrace(frames, FRAMES_MAX); /* loads what it needs now, while nothing fails */
    nth = strtoull(number, NULL, 10);
    sticky = getenv(FAIL_STICKY_ENV) != NULL;
    for (int i = 1; i < CALLS; i++)
        if (strcmp(kinds[i].name, call) == 0)
            chosen = (enum call)i;
}

static bool is_in_spared(const void *at) {
    for (size_t i = 0; i < ranges_count; i++)
        if ((uintptr_t)at >= ranges[i].from && (uintptr_t)at < ranges[i].until)
            return true;
    return false;
}

/* Also what libc and others do in the name of such a library: the whole stack is looked through. */
static bool is_spared(void) {
    void *frames[FRAMES_MAX];
    int count = backtrace(frames, FRAMES_MAX);
    for (int i = 0; i < count; i++)
        if (is_in_spared(frames[i]))
            return true;
    return false;
}

/* A place for a debugger: `break fail_note` stops where a call is about to fail. */
__attribute__((noinline)) static void fail_note(enum call call) {
    __atomic_add_fetch(&tally->failed, 1, __ATOMIC_RELAXED);
    errno = kinds[call].error;
}

static bool fails(enum call call) {
    if (chosen != call || (call != CALL_SEND && is_spared()))
        return false;
    uint64_t at = __atomic_add_fetch(&tally->calls, 1, __ATOMIC_RELAXED);
    if (nth == 0 || (sticky ? at < nth : at != nth))
        return false;
    fail_note(call);
    return true;
}

/* --- Memory ------------------------------------------------------------------------------------ */

void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);

void *malloc(size_t size) {
    return fails(CALL_MALLOC) ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
    return fails(CALL_MALLOC) ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size) {
    return fails(CALL_MALLOC) ? NULL : __libc_realloc(old, size);
}

int posix_memalign(void **ret, size_t alignment, size_t size) {
    void *memory = fails(CALL_MALLOC) ? NULL : __libc_memalign(alignment, size);
    if (!memory)
        return ENOMEM;
    *ret = memory;
    return 0;
}

/* --- Files ------------------------------------------------------------------------------------- */

ssize_t write(int fd, const void *bytes, size_t size) {
    return fails(CALL_WRITE) ? -1 : syscall(SYS_write, fd, bytes, size);
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
    return fails(CALL_WRITE) ? -1 : syscall(SYS_writev, fd, parts, count);
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t offset) {
    return fails(CALL_PWRITE) ? -1 : syscall(SYS_pwrite64, fd, bytes, size, offset);
}

ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t offset) {
    return fails(CALL_PWRITE) ? -1 : syscall(SYS_pwrite64, fd, bytes, size, offset);
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset) {
    return fails(CALL_PWRITE) ? -1 : syscall(SYS_pwritev, fd, parts, count, (long)offset, 0L);
}

int fdatasync(int fd) {
    return fails(CALL_FDATASYNC) ? -1 : (int)syscall(SYS_fdatasync, fd);
}

int fsync(int fd) {
    return fails(CALL_FDATASYNC) ? -1 : (int)syscall(SYS_fsync, fd);
}

int open(const char *path, int flags, ...) {
    va_list args;
    va_start(args, flags);
    mode_t mode = va_arg(args, mode_t);
    va_end(args);
    return fails(CALL_OPEN) ? -1 : (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...) {
    va_list args;
    va_start(args, flags);
    mode_t mode = va_arg(args, mode_t);
    va_end(args);
    return fails(CALL_OPEN) ? -1 : (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

static void *real(const char *name) {
    return dlsym(RTLD_NEXT, name);
}

FILE *fopen(const char *path, const char *mode) {
    FILE *(*next)(const char *, const char *) = NULL;
    void *symbol = real("fopen");
    memcpy(&next, &symbol, sizeof next);
    return fails(CALL_OPEN) ? NULL : next(path, mode);
}

DIR *opendir(const char *path) {
    DIR *(*next)(const char *) = NULL;
    void *symbol = real("opendir");
    memcpy(&next, &symbol, sizeof next);
    return fails(CALL_OPEN) ? NULL : next(path);
}

/* --- Peers ------------------------------------------------------------------------------------- */

ssize_t send(int fd, const void *bytes, size_t size, int flags) {
    return fails(CALL_SEND) ? -1 : syscall(SYS_sendto, fd, bytes, size, flags, NULL, 0);
}

ssize_t sendto(int fd, const void *bytes, size_t size, int flags, const struct sockaddr *to,
               socklen_t length) {
    return fails(CALL_SEND) ? -1 : syscall(SYS_sendto, fd, bytes, size, flags, to, length);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags) {
    return fails(CALL_SEND) ? -1 : syscall(SYS_sendmsg, fd, message, flags);
}
