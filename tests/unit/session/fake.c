/* fake.c - a broker of a few lines. */
#include "fake.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <zmq.h>

struct fake {
    struct fake_options options;
    void *context, *router, *zap;
    char endpoint[128];
    pthread_t thread;
    int poke;
    atomic_bool closing, broken;
    atomic_uint counts[VERB_MAX + 1];
    int changed; /* eventfd: a count has grown */
    uint8_t peer[64];
    size_t peer_size;
    struct buffer reply;
    struct message in, out;
};

int64_t now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

void *fake_arg(struct fake *f) {
    return f->options.arg;
}

const char *fake_endpoint(const struct fake *f) {
    return f->endpoint;
}

struct message *fake_scratch(struct fake *f) {
    return &f->out;
}

void fake_say(struct fake *f, const struct message *m) {
    if (f->reply.size == 0)
        frame_begin(&f->reply);
    message_pack(&f->reply, m);
}

void fake_refuse(struct fake *f, const struct error_is *error) {
    f->out.verb = VERB_ERROR;
    f->out.error = *error;
    fake_say(f, &f->out);
}

void fake_record(struct fake *f, uint64_t number, uint64_t epoch) {
    f->out.verb = VERB_RECORDED;
    f->out.recorded.pairs.count = 2;
    f->out.recorded.pairs.at[0] = number;
    f->out.recorded.pairs.at[1] = epoch;
    fake_say(f, &f->out);
}

static void welcome(struct fake *f) {
    const struct fake_options *o = &f->options;
    FAKE_SAY(f, WELCOME, welcome,
             {.version = PROTOCOL_VERSION,
              .session = 1,
              .account = slice_of(o->account ? o->account : "portal"),
              .city = slice_of("tehran"),
              .heartbeat_ms = o->heartbeat_ms ? o->heartbeat_ms : 5000,
              .window = o->window ? o->window : 64,
              .asks_max = o->asks_max ? o->asks_max : 1000,
              .frame_max = EST_FRAME_MAX,
              .body_max = EST_BODY_MAX,
              .lease_ms = 30000,
              .time_us = 1,
              .revision = PROTOCOL_REVISION,
              .level = EST_LEVEL_OPERATOR});
    if (o->bye)
        FAKE_SAY(f, BYE, bye, {.code = o->bye, .text = slice_of("said the test")});
}

static void reply_send(struct fake *f) {
    if (f->reply.size == 0 || f->peer_size == 0)
        return;
    zmq_send(f->router, f->peer, f->peer_size, ZMQ_SNDMORE);
    if (atomic_load(&f->broken))
        zmq_send(f->router, f->reply.data, f->reply.size, ZMQ_SNDMORE);
    zmq_send(f->router, f->reply.data, f->reply.size, 0);
    buffer_clear(&f->reply);
}

static void count_up(struct fake *f, enum verb verb) {
    uint64_t one = 1;
    atomic_fetch_add(&f->counts[verb], 1);
    (void)!write(f->changed, &one, sizeof one);
}

static void frame_serve(struct fake *f) {
    zmq_msg_t frame;
    struct cursor c;
    f->peer_size = (size_t)zmq_recv(f->router, f->peer, sizeof f->peer, 0);
    zmq_msg_init(&frame);
    zmq_msg_recv(&frame, f->router, 0);
    bool good = frame_open(&c, (est_slice){zmq_msg_data(&frame), zmq_msg_size(&frame)});
    while (good && message_next(&c, &f->in) == 1) {
        if (f->in.verb == VERB_HELLO)
            welcome(f);
        else if (f->in.verb == VERB_PING)
            FAKE_SAY(f, PONG, ping, {.token = f->in.ping.token});
        else if (f->options.rule)
            f->options.rule(f, &f->in);
        count_up(f, f->in.verb);
    }
    zmq_msg_close(&frame);
    reply_send(f);
}

/* ZAP: version, request id, domain, address, identity, mechanism, credentials … */
static void zap_serve(struct fake *f) {
    char id[64];
    int id_size = 0, more = 1;
    size_t size = sizeof more;
    for (int i = 0; more; i++) {
        char part[256];
        int got = zmq_recv(f->zap, part, sizeof part, 0);
        if (i == 1)
            memcpy(id, part, (size_t)(id_size = got));
        zmq_getsockopt(f->zap, ZMQ_RCVMORE, &more, &size);
    }
    zmq_send(f->zap, "1.0", 3, ZMQ_SNDMORE);
    zmq_send(f->zap, id, (size_t)id_size, ZMQ_SNDMORE);
    zmq_send(f->zap, f->options.zap_status, 3, ZMQ_SNDMORE);
    zmq_send(f->zap, "said the test", 13, ZMQ_SNDMORE);
    zmq_send(f->zap, "portal", 6, ZMQ_SNDMORE);
    zmq_send(f->zap, "", 0, 0);
}

static void poke_serve(struct fake *f) {
    uint64_t count;
    if (read(f->poke, &count, sizeof count) != sizeof count || atomic_load(&f->closing))
        return;
    f->in.verb = VERB_NONE;
    if (f->options.rule)
        f->options.rule(f, &f->in);
    reply_send(f);
}

static void *serve(void *arg) {
    struct fake *f = arg;
    while (!atomic_load(&f->closing)) {
        zmq_pollitem_t items[] = {
            {f->router, 0, ZMQ_POLLIN, 0}, {NULL, f->poke, ZMQ_POLLIN, 0}, {f->zap, 0, ZMQ_POLLIN, 0}};
        zmq_poll(items, f->zap ? 3 : 2, -1);
        if (items[1].revents)
            poke_serve(f);
        if (f->zap && items[2].revents)
            zap_serve(f);
        if (items[0].revents)
            frame_serve(f);
    }
    return NULL;
}

struct fake *fake_open(const struct fake_options *options) {
    struct fake *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->options = *options;
    if (!options->zap_status && !options->secret_key)
        f->options.zap_status = "200"; /* libzmq has no PLAIN without a handler */
    f->context = zmq_ctx_new();
    if (f->options.zap_status) {
        f->zap = zmq_socket(f->context, ZMQ_REP);
        assert_int_equal(zmq_bind(f->zap, "inproc://zeromq.zap.01"), 0);
    }
    f->router = zmq_socket(f->context, ZMQ_ROUTER);
    int on = 1, off = 0;
    zmq_setsockopt(f->router, ZMQ_LINGER, &off, sizeof off);
    zmq_setsockopt(f->router, ZMQ_ZAP_DOMAIN, "test", 4);
    if (options->secret_key) {
        zmq_setsockopt(f->router, ZMQ_CURVE_SERVER, &on, sizeof on);
        zmq_setsockopt(f->router, ZMQ_CURVE_SECRETKEY, options->secret_key, 40);
    } else {
        zmq_setsockopt(f->router, ZMQ_PLAIN_SERVER, &on, sizeof on);
    }
    assert_int_equal(zmq_bind(f->router, "tcp://127.0.0.1:*"), 0);
    size_t size = sizeof f->endpoint;
    zmq_getsockopt(f->router, ZMQ_LAST_ENDPOINT, f->endpoint, &size);
    buffer_init(&f->reply);
    f->poke = eventfd(0, EFD_NONBLOCK);
    f->changed = eventfd(0, EFD_NONBLOCK);
    assert_int_equal(pthread_create(&f->thread, NULL, serve, f), 0);
    return f;
}

void fake_close(struct fake **fake) {
    struct fake *f = *fake;
    if (!f)
        return;
    atomic_store(&f->closing, true);
    fake_poke(f);
    pthread_join(f->thread, NULL);
    zmq_close(f->router);
    if (f->zap)
        zmq_close(f->zap);
    zmq_ctx_term(f->context);
    close(f->poke);
    close(f->changed);
    buffer_done(&f->reply);
    free(f);
    *fake = NULL;
}

void fake_poke(struct fake *f) {
    uint64_t one = 1;
    assert_int_equal(write(f->poke, &one, sizeof one), sizeof one);
}

void fake_break(struct fake *f) {
    atomic_store(&f->broken, true);
}

unsigned fake_count(struct fake *f, enum verb verb) {
    return atomic_load(&f->counts[verb]);
}

void fake_await(struct fake *f, enum verb verb, unsigned count) {
    int64_t deadline = now_ms() + FAKE_DEADLINE_MS;
    while (fake_count(f, verb) < count) {
        int64_t left = deadline - now_ms();
        if (left <= 0)
            fail_msg("%u of %u %s came in time", fake_count(f, verb), count, verb_name(verb));
        struct pollfd changed = {.fd = f->changed, .events = POLLIN};
        poll(&changed, 1, (int)left);
        uint64_t times;
        (void)!read(f->changed, &times, sizeof times);
    }
}

void fake_await_polling(struct fake *f, enum verb verb, unsigned count, est_client *client) {
    int64_t deadline = now_ms() + FAKE_DEADLINE_MS;
    est_event event;
    while (fake_count(f, verb) < count) {
        if (now_ms() > deadline)
            fail_msg("%u of %u %s came in time", fake_count(f, verb), count, verb_name(verb));
        struct pollfd fds[] = {{.fd = f->changed, .events = POLLIN},
                               {.fd = est_client_fd(client), .events = POLLIN}};
        poll(fds, 2, 100);
        uint64_t times;
        (void)!read(f->changed, &times, sizeof times);
        while (est_client_poll(client, 0, &event))
            continue;
    }
}
