/* zap.c - see zap.h. One request in, one reply out; fail closed. */
#include "zap.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

/* A request has six frames and the credentials: one for CURVE, two for PLAIN, none for NULL. */
enum { FRAMES_MIN = 6, FRAMES_MAX = 8, FRAME_SIZE_MAX = 255 };
enum { FRAME_VERSION, FRAME_REQUEST, FRAME_DOMAIN, FRAME_ADDRESS, FRAME_IDENTITY, FRAME_MECHANISM, FRAME_CREDENTIALS };

struct request {
    size_t count;
    bool oversize;
    struct { uint8_t bytes[FRAME_SIZE_MAX + 1]; size_t size; } frame[FRAMES_MAX];
};

static const struct domain { enum door door; enum role role; const char *domain; } domains[] = {
    {DOOR_REQUESTER, ROLE_REQUESTER, "requesters"},
    {DOOR_DEPARTMENT, ROLE_DEPARTMENT, "departments"},
    {DOOR_OPERATOR, ROLE_OPERATOR, "operators"},
};

const char *zap_domain(enum door door) {
    for (size_t i = 0; i < sizeof domains / sizeof *domains; i++)
        if (domains[i].door == door)
            return domains[i].domain;
    return "none";
}

uint32_t zap_user_id_parse(const char *user_id) {
    if (user_id == NULL || user_id[0] != 'k' || user_id[1] < '0' || user_id[1] > '9')
        return KEY_NONE;
    char *end;
    unsigned long handle = strtoul(user_id + 1, &end, 10);
    return *end == '\0' && handle < KEYS_MAX ? (uint32_t)handle : KEY_NONE;
}

int socket_fd(void *socket) {
    int fd = -1;
    size_t size = sizeof fd;
    return zmq_getsockopt(socket, ZMQ_FD, &fd, &size) == 0 ? fd : -1;
}

int zap_open(struct zap *zap, void *context, const struct keyring *ring, struct turned *turned) {
    *zap = (struct zap){.socket = zmq_socket(context, ZMQ_REP), .ring = ring, .turned = turned};
    int none = 0;
    if (zap->socket == NULL)
        return -EST_IO;
    zmq_setsockopt(zap->socket, ZMQ_LINGER, &none, sizeof none);
    zap->fd = socket_fd(zap->socket);
    if (zap->fd >= 0 && zmq_bind(zap->socket, "inproc://zeromq.zap.01") == 0)
        return 0;
    zap_close(zap);
    return -EST_IO;
}

void zap_close(struct zap *zap) {
    if (zap->socket != NULL)
        zmq_close(zap->socket);
    zap->socket = NULL;
}

/* All frames are taken off the socket, also those beyond what a request may have. */
static bool request_receive(void *socket, struct request *r) {
    r->count = 0;
    r->oversize = false;
    for (int more = 1; more;) {
        zmq_msg_t m;
        zmq_msg_init(&m);
        int got;
        do {
            got = zmq_msg_recv(&m, socket, ZMQ_DONTWAIT);
        } while (got < 0 && zmq_errno() == EINTR); /* then it did not look, and the sign is gone */
        if (got < 0) {
            zmq_msg_close(&m);
            return false;
        }
        size_t size = zmq_msg_size(&m);
        if (r->count < FRAMES_MAX && size <= FRAME_SIZE_MAX) {
            memcpy(r->frame[r->count].bytes, zmq_msg_data(&m), size);
            r->frame[r->count].bytes[size] = '\0';
            r->frame[r->count++].size = size;
        } else {
            r->oversize = true;
        }
        more = zmq_msg_more(&m);
        zmq_msg_close(&m);
    }
    return true;
}

static bool frame_is(const struct request *r, size_t frame, const char *text) {
    return r->frame[frame].size == strlen(text) && memcmp(r->frame[frame].bytes, text, strlen(text)) == 0;
}

/* PLAIN names the account and shows its public key; it is offered on loopback only. */
static bool plain_read(const struct request *r, uint8_t ret_key[32]) {
    return key_text_parse((est_slice){r->frame[FRAME_CREDENTIALS + 1].bytes, r->frame[FRAME_CREDENTIALS + 1].size}, ret_key);
}

static bool key_read(const struct request *r, uint8_t ret_key[32]) {
    if (r->oversize || r->count < FRAMES_MIN || !frame_is(r, FRAME_VERSION, "1.0"))
        return false;
    if (frame_is(r, FRAME_MECHANISM, "PLAIN") && r->count == 8)
        return plain_read(r, ret_key);
    if (!frame_is(r, FRAME_MECHANISM, "CURVE") || r->count != 7 || r->frame[FRAME_CREDENTIALS].size != 32)
        return false;
    memcpy(ret_key, r->frame[FRAME_CREDENTIALS].bytes, 32);
    return true;
}

/* Which door it knocks at; NULL where there is no such door. */
static const struct domain *domain_read(const struct request *r) {
    for (size_t i = 0; i < sizeof domains / sizeof *domains && r->count >= FRAMES_MIN; i++)
        if (frame_is(r, FRAME_DOMAIN, domains[i].domain))
            return &domains[i];
    return NULL;
}

/* The handle of who may come in; or KEY_NONE, and why not in `ret`. */
static uint32_t judge(const struct keyring *ring, const struct request *r, const struct domain *domain, est_time now,
                      struct turned_row *ret) {
    uint8_t key[32];
    ret->why = TURNED_MALFORMED;
    if (domain == NULL || !key_read(r, key))
        return KEY_NONE;
    if (zmq_z85_encode(ret->key, key, sizeof key) == NULL)
        return KEY_NONE;
    uint32_t handle = keyring_find(ring, key);
    ret->why = TURNED_UNKNOWN;
    if (handle == KEY_NONE)
        return KEY_NONE;
    const struct ring_key *k = &ring->keys[handle];
    bool is_named = frame_is(r, FRAME_MECHANISM, "CURVE") || frame_is(r, FRAME_CREDENTIALS, k->name);
    memcpy(ret->account, k->name, sizeof ret->account);
    if (is_named && k->role == domain->role && keyring_is_good(ring, handle, now))
        return handle;
    ret->why = !is_named                                ? TURNED_NAME
               : !k->live                               ? TURNED_REVOKED
               : k->role != domain->role                ? TURNED_DOOR
               : k->from.us != 0 && now.us < k->from.us ? TURNED_EARLY
                                                        : TURNED_LATE;
    return KEY_NONE;
}

/* The reason of a refusal is for our log alone: a stranger learns nothing of who is known here. */
static uint32_t request_judge(const struct zap *zap, const struct request *r, est_time now) {
    const struct domain *domain = domain_read(r);
    struct turned_row row = {.door = domain != NULL ? domain->door : DOOR_ANY};
    uint32_t handle = judge(zap->ring, r, domain, now, &row);
    if (handle != KEY_NONE)
        return handle;
    if (r->count > FRAME_ADDRESS)
        snprintf(row.address, sizeof row.address, "%.*s", (int)sizeof row.address - 1,
                 address_plain((const char *)r->frame[FRAME_ADDRESS].bytes));
    turned_add(zap->turned, &row);
    return KEY_NONE;
}

static void send_text(void *socket, const void *data, size_t size, int flags) {
    zmq_send(socket, data, size, flags | ZMQ_DONTWAIT);
}

void zap_handle(struct zap *zap, est_time now) {
    static const char *const status[] = {"400", "200"}, *const says[] = {"not known here", "welcome"};
    struct request r;
    while (request_receive(zap->socket, &r)) {
        uint32_t handle = request_judge(zap, &r, now);
        bool good = handle != KEY_NONE;
        char user_id[16] = "";
        if (good)
            snprintf(user_id, sizeof user_id, "k%u", handle);
        zap->accepted += good;
        zap->refused += !good;
        send_text(zap->socket, "1.0", 3, ZMQ_SNDMORE);
        send_text(zap->socket, r.frame[FRAME_REQUEST].bytes, r.count > 1 ? r.frame[FRAME_REQUEST].size : 0, ZMQ_SNDMORE);
        send_text(zap->socket, status[good], 3, ZMQ_SNDMORE);
        send_text(zap->socket, says[good], strlen(says[good]), ZMQ_SNDMORE);
        send_text(zap->socket, user_id, strlen(user_id), ZMQ_SNDMORE);
        send_text(zap->socket, "", 0, 0);
    }
}
