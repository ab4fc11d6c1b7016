/* base_sum.c - is the file as it was left? A checksum of all of it, from one orderly end to the next
 * beginning.
 *
 * LMDB writes into the pages it finds, and believes what they say of themselves: one that was damaged while
 * nobody looked may lead a write anywhere, which no guard can catch. So the file is read once when it is
 * closed and once when it is opened. After a crash there is no such sum, for it is taken away before the
 * first write, and base_check has to do. Files beyond BASE_SUM_BYTES have none: a stop should not wait for
 * it.
 */
#include "base_room.h"
#include "record.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PIECE = 1 << 20 };

struct sum {
    uint64_t size, digest;
};

static int path_of(const struct base *b, const char *name, char ret[BASE_PATH_SIZE]) {
    return snprintf(ret, BASE_PATH_SIZE, "%s/%s", b->folder, name) < BASE_PATH_SIZE ? 0 : -EST_IO;
}

/* False where it cannot be read, or is too large. */
static bool sum_make(const struct base *b, struct sum *ret) {
    char path[BASE_PATH_SIZE];
    uint8_t *piece = malloc(PIECE);
    int fd = piece && path_of(b, "data.mdb", path) == 0 ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    ssize_t got = -1;
    *ret = (struct sum){0, 0};
    while (fd >= 0 && ret->size <= BASE_SUM_BYTES && (got = read(fd, piece, PIECE)) > 0) {
        ret->digest = digest_step(ret->digest, checksum_of(piece, (size_t)got));
        ret->size += (uint64_t)got;
    }
    if (fd >= 0)
        close(fd);
    free(piece);
    return got == 0;
}

void base_sum_write(const struct base *b) {
    char path[BASE_PATH_SIZE];
    struct sum sum;
    if (path_of(b, "index.sum", path) < 0 || !sum_make(b, &sum))
        return;
    uint64_t bytes[2] = {htole64(sum.size), htole64(sum.digest)};
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool good = fd >= 0 && write(fd, bytes, sizeof bytes) == (ssize_t)sizeof bytes;
    if (fd >= 0)
        close(fd);
    if (!good)
        unlink(path);
}

int base_sum_check(struct base *b) {
    char path[BASE_PATH_SIZE];
    uint64_t bytes[2] = {0, 0};
    struct sum sum;
    if (path_of(b, "index.sum", path) < 0)
        return 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0; /* it did not end in order */
    bool good = read(fd, bytes, sizeof bytes) == (ssize_t)sizeof bytes;
    close(fd);
    good = good && sum_make(b, &sum) && sum.size == le64toh(bytes[0]) && sum.digest == le64toh(bytes[1]);
    if (unlink(path) != 0)
        return base_fail(b, -EST_IO, "index.sum cannot be removed: %s", strerror(errno));
    return good ? 0 : base_fail(b, -EST_INPUT, "data.mdb is not as it was left");
}
