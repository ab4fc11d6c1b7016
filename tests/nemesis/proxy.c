/* proxy.c - see proxy.h. One poll() loop over a bounded table of connections. */
#include "proxy.h"
#include "board.h"
#include "part.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    CONNECTIONS_MAX = 64,
    ROOM = 64 * 1024,
    CUT_AFTER_MAX = 6000,
    POLLED_MAX = 1 + PROXY_DOORS_MAX + 2 * CONNECTIONS_MAX,
};

/* One way of a connection: from one end to the other. */
struct way {
    char bytes[ROOM];
    size_t start, size;
    int64_t held_until;
    bool ended; /* its sender has nothing more to say */
};

struct connection {
    bool used, in_hole;
    int ends[2]; /* client, broker */
    int door;
    uint64_t carried;
    int64_t cut_after;  /* bytes that still go through; negative: no end is planned */
    struct way ways[2]; /* from ends[i] */
};

struct door {
    int listener, port, to, delay_ms;
    int64_t delay_until, hole_until;
};

struct proxy {
    struct door doors[PROXY_DOORS_MAX];
    int doors_count, wake;
    uint64_t dice, happened[PROXY_FAULTS];
    bool stop;
    pthread_t thread;
    pthread_mutex_t mutex; /* held but for the wait */
    struct connection connections[CONNECTIONS_MAX];
};

/* --- Connections --------------------------------------------------------------------------------- */

static struct sockaddr_in loopback(int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

static void connection_end(struct connection *c, bool reset) {
    struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    for (int i = 0; i < 2; i++) {
        if (reset)
            setsockopt(c->ends[i], SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        close(c->ends[i]);
    }
    c->used = false;
}

static struct connection *connection_free(struct proxy *p) {
    for (int i = 0; i < CONNECTIONS_MAX; i++)
        if (!p->connections[i].used)
            return &p->connections[i];
    return NULL;
}

/* A client comes. The broker's port answers at once on this machine; where it does not, nobody is
 * there, and the client is turned away as it would be without us. */
static void door_accept(struct proxy *p, int door) {
    int client = accept4(p->doors[door].listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (client < 0)
        return;
    struct connection *c = connection_free(p);
    struct sockaddr_in to = loopback(p->doors[door].to);
    int broker = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1;
    bool there =
        broker >= 0 && (connect(broker, (struct sockaddr *)&to, sizeof to) == 0 || errno == EINPROGRESS);
    if (!c || !there) {
        close(client);
        if (broker >= 0)
            close(broker);
        return;
    }
    setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(broker, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    c->used = true, c->in_hole = false;
    c->ends[0] = client, c->ends[1] = broker;
    c->door = door, c->carried = 0, c->cut_after = -1;
    for (int i = 0; i < 2; i++) {
        c->ways[i].start = c->ways[i].size = 0;
        c->ways[i].ended = false;
        c->ways[i].held_until = 0;
    }
}

/* --- Bytes --------------------------------------------------------------------------------------- */

/* False: the connection is at its end. */
static bool way_read(struct proxy *p, struct connection *c, int from, int64_t now) {
    struct way *way = &c->ways[from];
    struct door *door = &p->doors[c->door];
    if (way->start > 0) {
        memmove(way->bytes, way->bytes + way->start, way->size);
        way->start = 0;
    }
    ssize_t got = recv(c->ends[from], way->bytes + way->size, ROOM - way->size, 0);
    if (got < 0)
        return errno == EAGAIN || errno == EINTR;
    if (got == 0) {
        way->ended = true;
        return way->size > 0;
    }
    if (way->size == 0 && now < door->delay_until) {
        way->held_until = now + door->delay_ms * EST_US_PER_MS;
        p->happened[PROXY_DELAY] += (uint64_t)got;
    }
    way->size += (size_t)got;
    return true;
}

static bool way_write(struct proxy *p, struct connection *c, int from) {
    struct way *way = &c->ways[from];
    size_t size = way->size;
    if (c->cut_after >= 0 && (int64_t)size > c->cut_after)
        size = (size_t)c->cut_after;
    ssize_t put = size > 0 ? send(c->ends[1 - from], way->bytes + way->start, size, MSG_NOSIGNAL) : 0;
    if (put < 0)
        return errno == EAGAIN || errno == EINTR;
    way->start += (size_t)put;
    way->size -= (size_t)put;
    c->carried += (uint64_t)put;
    if (c->cut_after >= 0 && (c->cut_after -= put) == 0) {
        p->happened[PROXY_CUT]++;
        return false;
    }
    return !(way->ended && way->size == 0);
}

static bool in_hole(const struct proxy *p, const struct connection *c, int64_t now) {
    return now < p->doors[c->door].hole_until;
}

/* --- The loop ------------------------------------------------------------------------------------ */

static void wish(struct pollfd *fd, struct connection *c, int end, int64_t now, int64_t *next) {
    struct way *out = &c->ways[end], *in = &c->ways[1 - end];
    *fd = (struct pollfd){.fd = c->ends[end]};
    if (!out->ended && out->size < ROOM)
        fd->events |= POLLIN;
    if (in->size > 0 && now >= in->held_until)
        fd->events |= POLLOUT;
    else if (in->size > 0 && in->held_until < *next)
        *next = in->held_until;
    if (fd->events == 0)
        fd->fd = -1;
}

/* What to wait for; how long at most, in milliseconds. */
static int wishes(struct proxy *p, struct pollfd *fds) {
    int64_t now = monotonic_us(), next = now + EST_US_PER_S;
    fds[0] = (struct pollfd){.fd = p->wake, .events = POLLIN};
    for (int i = 0; i < PROXY_DOORS_MAX; i++)
        fds[1 + i] = (struct pollfd){.fd = i < p->doors_count ? p->doors[i].listener : -1, .events = POLLIN};
    for (int i = 0; i < CONNECTIONS_MAX; i++) {
        struct connection *c = &p->connections[i];
        struct pollfd *pair = &fds[1 + PROXY_DOORS_MAX + 2 * i];
        pair[0].fd = pair[1].fd = -1;
        if (!c->used)
            continue;
        if (in_hole(p, c, now)) {
            if (p->doors[c->door].hole_until < next)
                next = p->doors[c->door].hole_until;
            if (!c->in_hole && c->carried > 0)
                p->happened[PROXY_HOLE]++;
            c->in_hole = true;
            continue;
        }
        c->in_hole = false;
        wish(&pair[0], c, 0, now, &next);
        wish(&pair[1], c, 1, now, &next);
    }
    return (int)((next - now) / EST_US_PER_MS) + 1;
}

static void serve(struct proxy *p, const struct pollfd *fds) {
    uint64_t woken;
    int64_t now = monotonic_us();
    if (fds[0].revents && read(p->wake, &woken, sizeof woken) < 0)
        return;
    for (int i = 0; i < CONNECTIONS_MAX; i++) {
        struct connection *c = &p->connections[i];
        const struct pollfd *pair = &fds[1 + PROXY_DOORS_MAX + 2 * i];
        bool good = true;
        if (!c->used || in_hole(p, c, now))
            continue;
        for (int end = 0; end < 2 && good; end++) {
            if (pair[end].fd != c->ends[end])
                continue; /* another connection's, ended meanwhile */
            if (pair[end].revents & (POLLIN | POLLHUP | POLLERR) && !c->ways[end].ended &&
                c->ways[end].size < ROOM)
                good = way_read(p, c, end, now);
            if (good && pair[end].revents & POLLOUT && now >= c->ways[1 - end].held_until)
                good = way_write(p, c, 1 - end);
        }
        if (!good)
            connection_end(c, false);
    }
    for (int i = 0; i < p->doors_count; i++)
        if (fds[1 + i].revents)
            door_accept(p, i);
}

static void *run(void *arg) {
    struct proxy *p = arg;
    struct pollfd fds[POLLED_MAX];
    pthread_mutex_lock(&p->mutex);
    while (!p->stop) {
        int timeout = wishes(p, fds);
        pthread_mutex_unlock(&p->mutex);
        int ready = poll(fds, POLLED_MAX, timeout);
        pthread_mutex_lock(&p->mutex);
        if (ready >= 0)
            serve(p, fds);
    }
    pthread_mutex_unlock(&p->mutex);
    return NULL;
}

/* --- From outside -------------------------------------------------------------------------------- */

static bool door_open(struct door *door, int to) {
    struct sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    door->to = to;
    door->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (door->listener < 0 || bind(door->listener, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(door->listener, 64) != 0 ||
        getsockname(door->listener, (struct sockaddr *)&address, &size) != 0)
        return false;
    door->port = ntohs(address.sin_port);
    return true;
}

struct proxy *proxy_open(const int *doors, int count, uint64_t seed) {
    struct proxy *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->dice = seed;
    p->doors_count = count;
    p->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    pthread_mutex_init(&p->mutex, NULL);
    bool good = p->wake >= 0;
    for (int i = 0; i < count && good; i++)
        good = door_open(&p->doors[i], doors[i]);
    if (good && pthread_create(&p->thread, NULL, run, p) == 0)
        return p;
    free(p);
    return NULL;
}

int proxy_port(const struct proxy *p, int door) {
    return p->doors[door].port;
}

static void wake(struct proxy *p) {
    uint64_t one = 1;
    if (write(p->wake, &one, sizeof one) < 0)
        abort();
}

/* Every connection of a door that has carried anything, or one of them by the dice. */
static void connections_hit(struct proxy *p, enum proxy_fault fault, int door) {
    int first = (int)dice(&p->dice, CONNECTIONS_MAX);
    for (int i = 0; i < CONNECTIONS_MAX; i++) {
        struct connection *c = &p->connections[(first + i) % CONNECTIONS_MAX];
        if (!c->used || c->door != door || c->carried == 0)
            continue;
        if (fault == PROXY_CUT) {
            c->cut_after = 1 + dice(&p->dice, CUT_AFTER_MAX);
            return;
        }
        connection_end(c, true);
        p->happened[PROXY_RESET]++;
    }
}

void proxy_fault(struct proxy *p, enum proxy_fault fault, int door, int ms) {
    pthread_mutex_lock(&p->mutex);
    int64_t until = monotonic_us() + ms * EST_US_PER_MS;
    struct door *d = &p->doors[door];
    if (fault == PROXY_DELAY) {
        d->delay_until = until;
        d->delay_ms = 1 + (int)dice(&p->dice, 20);
    } else if (fault == PROXY_HOLE) {
        d->hole_until = until;
    } else {
        connections_hit(p, fault, door);
    }
    pthread_mutex_unlock(&p->mutex);
    wake(p);
}

void proxy_calm(struct proxy *p) {
    pthread_mutex_lock(&p->mutex);
    for (int i = 0; i < p->doors_count; i++)
        p->doors[i].delay_until = p->doors[i].hole_until = 0;
    for (int i = 0; i < CONNECTIONS_MAX; i++)
        p->connections[i].cut_after = -1;
    pthread_mutex_unlock(&p->mutex);
    wake(p);
}

uint64_t proxy_happened(struct proxy *p, enum proxy_fault fault) {
    pthread_mutex_lock(&p->mutex);
    uint64_t happened = p->happened[fault];
    pthread_mutex_unlock(&p->mutex);
    return happened;
}

void proxy_close(struct proxy **at) {
    struct proxy *p = *at;
    *at = NULL;
    if (!p)
        return;
    pthread_mutex_lock(&p->mutex);
    p->stop = true;
    pthread_mutex_unlock(&p->mutex);
    wake(p);
    pthread_join(p->thread, NULL);
    for (int i = 0; i < CONNECTIONS_MAX; i++)
        if (p->connections[i].used)
            connection_end(&p->connections[i], false);
    for (int i = 0; i < p->doors_count; i++)
        close(p->doors[i].listener);
    close(p->wake);
    pthread_mutex_destroy(&p->mutex);
    free(p);
}
