/* synced.c - see synced.h.
 *
 * One thread, as our broker's loop: one write for all that waits, then all of it goes out. The log is a ring
 * that is written in full beforehand, past the page cache, as our journal is: the cheapest synced write that
 * we know.
 */
#include "synced.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zmq.h>

enum {
    BLOCK = 4096,
    PARTS_MAX = 4096,
    BYTES_MAX = 1 << 20,
    BYTES_ENOUGH = BYTES_MAX / 2,
    LOG_SIZE = 16 << 20
};

struct held {
    zmq_msg_t parts[PARTS_MAX];
    void *to[PARTS_MAX];
    unsigned count;
    uint8_t *bytes; /* of all parts, aligned as the disk wants it */
    size_t size;
    int log;
    off_t end;
};

static bool log_write(struct held *h, size_t size) {
    if (h->end + (off_t)size > LOG_SIZE)
        h->end = 0;
    if (pwrite(h->log, h->bytes, size, h->end) != (ssize_t)size)
        return false;
    h->end += (off_t)size;
    return true;
}

static bool log_make(struct held *h, const struct stage *s) {
    char path[STAGE_PATH_SIZE];
    stage_path(s, "log", path);
    h->bytes = aligned_alloc(BLOCK, BYTES_MAX);
    h->log = open(path, O_WRONLY | O_CREAT | O_DIRECT | O_DSYNC | O_CLOEXEC, 0600);
    if (h->log < 0 && errno == EINVAL) /* a file system without O_DIRECT */
        h->log = open(path, O_WRONLY | O_CREAT | O_DSYNC | O_CLOEXEC, 0600);
    if (!h->bytes || h->log < 0)
        return false;
    memset(h->bytes, 0, BYTES_MAX);
    for (unsigned i = 0; i < LOG_SIZE / BYTES_MAX; i++)
        if (!log_write(h, BYTES_MAX))
            return false;
    return fsync(h->log) == 0;
}

/* 1: a part is held; 0: none waits; -1: what came cannot be. */
static int part_take(struct held *h, void *from, void *to, int flags) {
    zmq_msg_t *part = &h->parts[h->count];
    zmq_msg_init(part);
    if (zmq_msg_recv(part, from, flags) < 0)
        return errno == EAGAIN ? 0 : -1;
    size_t size = zmq_msg_size(part);
    if (size > BYTES_MAX - h->size)
        return errno = EMSGSIZE, -1;
    memcpy(h->bytes + h->size, zmq_msg_data(part), size);
    h->size += size;
    h->to[h->count++] = to;
    return 1;
}

static bool has_room(const struct held *h) {
    return h->size < BYTES_ENOUGH &&
           h->count < PARTS_MAX - 2; /* a message is two parts: for whom, and what */
}

static bool messages_take(struct held *h, void *from, void *to) {
    int taken = 1;
    while (taken > 0 && has_room(h)) {
        taken = part_take(h, from, to, ZMQ_DONTWAIT);
        if (taken > 0 && zmq_msg_more(&h->parts[h->count - 1]))
            taken = part_take(h, from, to, 0);
    }
    return taken >= 0;
}

static bool held_write(struct held *h) {
    size_t whole = (h->size + BLOCK - 1) / BLOCK * BLOCK;
    h->size = 0;
    return whole == 0 || log_write(h, whole);
}

static bool held_send(struct held *h) {
    unsigned count = h->count;
    h->count = 0;
    for (unsigned i = 0; i < count; i++)
        if (zmq_msg_send(&h->parts[i], h->to[i], zmq_msg_more(&h->parts[i]) ? ZMQ_SNDMORE : 0) < 0)
            return false;
    return true;
}

void synced_serve(const struct stage *s, void *front, void *back) {
    static struct held held;
    zmq_pollitem_t doors[] = {{front, 0, ZMQ_POLLIN, 0}, {back, 0, ZMQ_POLLIN, 0}};
    bool serves = log_make(&held, s);
    while (serves)
        serves = zmq_poll(doors, 2, -1) >= 0 && messages_take(&held, front, back) &&
                 messages_take(&held, back, front) && held_write(&held) && held_send(&held);
    bench_say("proxy-synced: %s", zmq_strerror(errno));
}
