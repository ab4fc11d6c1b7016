/* slow_disk.c - preloaded under a server: every sync of the disk takes SLOW_DISK_MS longer.
 *
 * fsync, fdatasync, msync that waits, and a write through a descriptor that was opened to be synced
 * at each write: LMDB writes its page of heads that way, so that a commit of LMDB is two syncs.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static struct timespec delay;

__attribute__((constructor)) static void begin(void) {
    const char *text = getenv("SLOW_DISK_MS");
    long ms = text ? strtol(text, NULL, 10) : 0;
    delay = (struct timespec){ms / 1000, ms % 1000 * 1000000};
}

static void wait_longer(void) {
    nanosleep(&delay, NULL);
}

static bool syncs_itself(int fd) {
    int flags = fcntl(fd, F_GETFL);
    return flags >= 0 && (flags & O_DSYNC);
}

static ssize_t written(int fd, ssize_t size) {
    if (size >= 0 && syncs_itself(fd))
        wait_longer();
    return size;
}

int fsync(int fd) {
    wait_longer();
    return (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd) {
    wait_longer();
    return (int)syscall(SYS_fdatasync, fd);
}

int msync(void *from, size_t size, int flags) {
    if (flags & MS_SYNC)
        wait_longer();
    return (int)syscall(SYS_msync, from, size, flags);
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t offset) {
    return written(fd, syscall(SYS_pwrite64, fd, bytes, size, offset));
}

ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t offset) {
    return written(fd, syscall(SYS_pwrite64, fd, bytes, size, offset));
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset) {
    return written(fd, syscall(SYS_pwritev, fd, parts, count, (long)offset, 0L));
}
