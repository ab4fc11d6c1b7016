/* ports.c - ports that no other test takes.
 *
 * A port that is found free may be somebody else's before it is bound, and one whose broker is killed may be so
 * before the next broker is there. So a process has blocks of ports to itself as long as it lives: whoever holds the
 * lock of the block's file. tests/ports.sh does the same.
 *
 * They lie below the range from which the kernel takes those of outgoing connections: a client that knocks at a
 * killed broker's port cannot be given that very port and meet itself.
 */
#include "harness.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FIRST = 15000, BLOCK = 64, BLOCKS = 265 };

/* The file stays open, and so the lock is held, until the process ends. */
static bool block_lock(int block) {
    const char *base = getenv("TMPDIR");
    char path[512];
    snprintf(path, sizeof path, "%s/estelam-test-ports", base ? base : "/tmp");
    if (mkdir(path, 0777) == 0)
        chmod(path, 0777); /* other users test too */
    snprintf(path, sizeof path, "%s/estelam-test-ports/%d", base ? base : "/tmp", block);
    int fd = open(path, O_RDONLY | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0)
        return false;
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        return true;
    close(fd);
    return false;
}

/* The first port of a block that is ours from now on. */
static int block_take(void) {
    static int next = -1;
    if (next < 0)
        next = getpid() % BLOCKS;
    for (int i = 0; i < BLOCKS; i++) {
        next = (next + 1) % BLOCKS;
        if (block_lock(next))
            return FIRST + next * BLOCK;
    }
    fail_msg("no free ports");
    return 0;
}

static bool port_is_free(int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    bool is_free = bind(fd, (struct sockaddr *)&address, sizeof address) == 0;
    close(fd);
    return is_free;
}

int ports_take(int count) {
    static int at, left;
    for (;;) {
        int free_count = 0;
        if (left < count) {
            at = block_take();
            left = BLOCK;
        }
        while (free_count < count && port_is_free(at + free_count))
            free_count++;
        int taken = free_count == count ? count : free_count + 1;
        at += taken;
        left -= taken;
        if (free_count == count)
            return at - count;
    }
}
