/* link.c - the loop around a session: endpoints, pauses, frames, waiting.
 *
 * Waiting is one epoll descriptor over ZeroMQ's own (the socket's and its monitor's), a wake-up
 * eventfd, and, for programs that wait by themselves, a timerfd and a second eventfd. ZeroMQ's
 * descriptors are edge-triggered in meaning: they say "something changed", and any call on the
 * socket may swallow that. Hence three rules. Nobody waits before the last call on the socket has said
 * that nothing is left: a receive that found nothing, or, while a frame waits to be written,
 * connection_events. The monitor is read to its end, and then not before its descriptor speaks. And
 * while link_poll has given an event, so that more may follow, the second eventfd keeps link_fd readable.
 *
 * Each such question is two system calls of ZeroMQ's, so they are not asked to be sure: with one inquiry
 * in flight they were a third of all that a far end did. Nor is the clock read for each event: `turn` is
 * when the frame came that is being read, and its events are of that time.
 */
#include "link.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <zmq.h>

#include "connection.h"

#define NEVER          INT64_MAX
#define PAUSE_FIRST_US (100 * EST_US_PER_MS)
#define PAUSE_MAX_US   (10 * EST_US_PER_S)
/* While the way out is full a heartbeat that is due cannot leave: no use in waking for it. */
#define BLOCKED_US (100 * EST_US_PER_MS)
enum { PAUSE_DOUBLINGS_MAX = 20 };

struct link {
    struct session *session;
    void *context;
    struct connection connection;
    struct credentials credentials;
    char endpoints[EST_ENDPOINTS_MAX][ENDPOINT_SIZE];
    unsigned endpoints_count;

    unsigned attempts; /* since the link was opened: the next endpoint, the monitor's name */
    unsigned failures; /* in a row */
    est_span pause_first, pause_max;
    est_time attempt_at; /* of the next connection */
    est_time up_at;      /* the session's beginning; 0: none */
    est_time turn;       /* now, when it was last asked */

    zmq_msg_t received; /* what the session is reading */
    bool received_is_open;
    struct buffer frame; /* being sent */
    bool frame_is_unsent;
    bool monitor_spoke;
    int lost; /* the code with which the connection has ended; 0: it has not */
    char lost_text[CONNECTION_TEXT_SIZE];

    int epoll, wake, more, timer;
    bool fd_is_used, more_is_set;
    est_time timer_at;
    unsigned born; /* `generation` when it was opened */
};

/* How often this process is a fork's child. ZeroMQ's threads stay with the parent, and so does the link: in a
 * child every call on its socket would wait for them for ever, and its descriptors are the parent's. Counted by a
 * handler of fork, since to ask for the process's id would be a system call in every poll. */
static unsigned generation;
static pthread_once_t generation_once = PTHREAD_ONCE_INIT;

static void on_fork(void) {
    generation++;
}

static void forks_count(void) {
    pthread_atfork(NULL, NULL, on_fork);
}

bool link_is_parents(const struct link *l) {
    return l->born != generation;
}

est_time link_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (est_time){t.tv_sec * EST_US_PER_S + t.tv_nsec / 1000};
}

/* --- Opening. ------------------------------------------------------------------------------------- */

static bool key_is_good(const char *key) {
    uint8_t bytes[32];
    return key && strlen(key) == KEY_SIZE - 1 && zmq_z85_decode(bytes, key);
}

/* A public key of another pair would end every handshake as a wrong server key does. */
static bool keys_are_a_pair(const char *public_key, const char *secret_key) {
    char derived[KEY_SIZE];
    return zmq_curve_public(derived, secret_key) == 0 && strcmp(derived, public_key) == 0;
}

static int credentials_init(struct credentials *who, const est_options *options) {
    who->curve = options->server_key != NULL;
    if (options->account && strlen(options->account) > EST_NAME_MAX)
        return -EST_INPUT;
    if (who->curve && !(key_is_good(options->server_key) && key_is_good(options->public_key) &&
                        key_is_good(options->secret_key) &&
                        keys_are_a_pair(options->public_key, options->secret_key)))
        return -EST_INPUT;
    if (!who->curve && (!options->account || !options->account[0]))
        return -EST_INPUT;
    if (options->public_key && strlen(options->public_key) >= KEY_SIZE)
        return -EST_INPUT;
    snprintf(who->account, sizeof who->account, "%s", options->account ? options->account : "");
    snprintf(who->public_key, sizeof who->public_key, "%s", options->public_key ? options->public_key : "");
    if (who->curve) {
        snprintf(who->server_key, sizeof who->server_key, "%s", options->server_key);
        snprintf(who->secret_key, sizeof who->secret_key, "%s", options->secret_key);
    }
    return 0;
}

static bool endpoint_is_good(const char *endpoint) {
    bool known = strncmp(endpoint, "tcp://", 6) == 0 || strncmp(endpoint, "ipc://", 6) == 0;
    return known && strlen(endpoint) < ENDPOINT_SIZE;
}

static int endpoints_init(struct link *l, const est_options *options) {
    for (size_t i = 0; i < EST_ENDPOINTS_MAX && options->endpoints[i]; i++) {
        if (!endpoint_is_good(options->endpoints[i]))
            return -EST_INPUT;
        snprintf(l->endpoints[l->endpoints_count++], ENDPOINT_SIZE, "%s", options->endpoints[i]);
    }
    return l->endpoints_count > 0 ? 0 : -EST_INPUT;
}

static bool watch(struct link *l, int fd) {
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    return fd >= 0 && epoll_ctl(l->epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

static int descriptors_init(struct link *l) {
    l->epoll = epoll_create1(EPOLL_CLOEXEC);
    l->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    l->more = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    l->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    bool good = l->epoll >= 0 && watch(l, l->wake) && watch(l, l->more) && watch(l, l->timer);
    return good ? 0 : -EST_IO;
}

static int link_init(struct link *l, const est_options *options, const struct session_options *session) {
    l->pause_first.us = options->reconnect_first.us > 0 ? options->reconnect_first.us : PAUSE_FIRST_US;
    l->pause_max.us = options->reconnect_max.us > 0 ? options->reconnect_max.us : PAUSE_MAX_US;
    l->timer_at.us = NEVER;
    buffer_init(&l->frame);
    int failed = endpoints_init(l, options);
    if (!failed)
        failed = credentials_init(&l->credentials, options);
    if (!failed)
        failed = session_new(session, &l->session);
    if (!failed)
        failed = descriptors_init(l);
    if (!failed && !(l->context = zmq_ctx_new()))
        failed = -EST_IO;
    return failed;
}

int link_open(const est_options *options, enum session_role role, const char *const *types,
              const unsigned *districts, struct link **ret) {
    struct link *l = calloc(1, sizeof *l);
    if (!l)
        return -EST_NO_MEMORY;
    l->epoll = l->wake = l->more = l->timer = -1;
    pthread_once(&generation_once, forks_count);
    l->born = generation;
    struct session_options session = {.role = role,
                                      .software = options->software,
                                      .account = role == SESSION_CLIENT ? options->account : NULL,
                                      .window = options->window,
                                      .results = options->results,
                                      .heartbeat_ms = options->heartbeat_ms,
                                      .types = types,
                                      .districts = districts};
    int failed = link_init(l, options, &session);
    if (failed) {
        link_close(&l, 0);
        return failed;
    }
    *ret = l;
    return 0;
}

struct session *link_session(struct link *l) {
    return l->session;
}

/* --- Connections and the pauses between them. ------------------------------------------------------- */

static uint64_t random_below(uint64_t bound) {
    uint64_t number = 0;
    if (getrandom(&number, sizeof number, 0) != sizeof number)
        number = (uint64_t)link_now().us; /* any spread will do */
    return bound ? number % bound : 0;
}

/* Doubles with each round through all endpoints; between half of it and all of it, by chance. */
static est_span pause_next(const struct link *l) {
    unsigned rounds = l->failures / l->endpoints_count;
    if (rounds > PAUSE_DOUBLINGS_MAX)
        rounds = PAUSE_DOUBLINGS_MAX;
    int64_t pause = l->pause_first.us;
    for (unsigned i = 0; i < rounds && pause < l->pause_max.us; i++)
        pause *= 2;
    if (pause > l->pause_max.us)
        pause = l->pause_max.us;
    return (est_span){pause / 2 + (int64_t)random_below((uint64_t)pause / 2 + 1)};
}

static void received_close(struct link *l) {
    if (l->received_is_open)
        zmq_msg_close(&l->received);
    l->received_is_open = false;
}

static void sockets_close(struct link *l, int linger_ms) {
    received_close(l);
    if (l->connection.socket) {
        epoll_ctl(l->epoll, EPOLL_CTL_DEL, l->connection.socket_fd, NULL);
        epoll_ctl(l->epoll, EPOLL_CTL_DEL, l->connection.monitor_fd, NULL);
    }
    connection_close(&l->connection, linger_ms);
    l->frame_is_unsent = false;
    l->lost = 0;
}

/* A session that lasted starts the pauses anew; one that died young counts as a failure, so that
 * a broker which takes everybody in and throws everybody out is not hammered. */
static void disconnect(struct link *l, est_time now, int code, const char *text) {
    bool lasted = l->up_at.us && now.us - l->up_at.us >= l->pause_max.us;
    sockets_close(l, 0);
    session_disconnected(l->session, code, text);
    l->attempt_at.us = now.us + pause_next(l).us;
    l->failures = lasted ? 0 : l->failures + 1;
    l->up_at.us = 0;
}

static void connect_next(struct link *l, est_time now) {
    char text[CONNECTION_TEXT_SIZE];
    const char *endpoint = l->endpoints[l->attempts % l->endpoints_count];
    l->attempts++;
    session_connected(l->session, now);
    int failed = connection_open(&l->connection, l->context, endpoint, &l->credentials, l->attempts, text);
    l->monitor_spoke = true;
    if (!failed && watch(l, l->connection.socket_fd) && watch(l, l->connection.monitor_fd))
        return;
    if (!failed)
        snprintf(text, sizeof text, "%s: %s", endpoint, strerror(errno));
    disconnect(l, now, EST_IO, text);
}

/* --- Frames. -------------------------------------------------------------------------------------- */

static void frames_send(struct link *l, est_time now) {
    for (;;) {
        if (!l->frame_is_unsent) {
            buffer_clear(&l->frame);
            l->frame_is_unsent = session_take(l->session, now, &l->frame);
        }
        if (!l->frame_is_unsent)
            return;
        int sent = connection_send(&l->connection, buffer_slice(&l->frame));
        if (sent < 0)
            disconnect(l, now, EST_IO, "the socket cannot be written to");
        if (sent <= 0)
            return;
        l->frame_is_unsent = false;
    }
}

static bool frame_receive(struct link *l, est_time now) {
    zmq_msg_init(&l->received);
    l->received_is_open = true;
    int size;
    do {
        size = zmq_msg_recv(&l->received, l->connection.socket, ZMQ_DONTWAIT);
    } while (size < 0 && zmq_errno() == EINTR); /* then it did not look */
    if (size < 0) {
        received_close(l);
        return false;
    }
    if (zmq_msg_more(&l->received)) {
        disconnect(l, now, EST_MALFORMED, "the broker sent a message of several frames");
        return true;
    }
    est_slice frame = {zmq_msg_data(&l->received), zmq_msg_size(&l->received)};
    session_frame(l->session, now, frame);
    return true;
}

/* --- The loop. ------------------------------------------------------------------------------------ */

/* What can be done without waiting. True where the session may have events now. */
static bool work(struct link *l, est_time now) {
    received_close(l);
    if (!l->connection.socket) {
        if (now.us < l->attempt_at.us)
            return false;
        connect_next(l, now);
        return true;
    }
    session_tick(l->session, now);
    if (session_is_broken(l->session)) {
        disconnect(l, now, EST_UNREACHABLE, "");
        return true;
    }
    frames_send(l, now);
    if (!l->connection.socket || frame_receive(l, now))
        return true;
    if (l->lost) {
        disconnect(l, now, l->lost, l->lost_text);
        return true;
    }
    if (!l->monitor_spoke)
        return false;
    l->monitor_spoke = false;
    /* Its last words may have come since the look above, and tell why: there is one more before it is given up. */
    l->lost = -connection_check(&l->connection, l->lost_text);
    return l->lost != 0;
}

static est_time wakeup(const struct link *l) {
    return l->connection.socket ? session_wakeup(l->session) : l->attempt_at;
}

/* May a wait begin, after `work` found nothing to read? Not when what waits to be written may be: that
 * it may, the look for something to read has swallowed. */
static bool is_quiet(struct link *l) {
    if (!l->connection.socket || !l->frame_is_unsent)
        return true;
    int events = connection_events(&l->connection);
    return !(events & (ZMQ_POLLIN | ZMQ_POLLOUT));
}

static void eventfd_clear(int fd) {
    uint64_t count;
    (void)!read(fd, &count, sizeof count);
}

static void more_set(struct link *l, bool on) {
    if (link_is_parents(l) || !l->fd_is_used || l->more_is_set == on)
        return;
    uint64_t one = 1;
    if (on)
        (void)!write(l->more, &one, sizeof one);
    else
        eventfd_clear(l->more);
    l->more_is_set = on;
}

/* The timer may fire too early (nothing to do, and it is set again), never too late. */
static void timer_set(struct link *l, est_time now) {
    int64_t at = wakeup(l).us;
    bool is_armed = l->timer_at.us != NEVER && l->timer_at.us > now.us;
    if (!l->fd_is_used || at == NEVER || (is_armed && l->timer_at.us <= at))
        return;
    if (at <= now.us)
        at = now.us + 1;
    struct itimerspec when = {.it_value = {at / EST_US_PER_S, at % EST_US_PER_S * 1000}};
    timerfd_settime(l->timer, TFD_TIMER_ABSTIME, &when, NULL);
    l->timer_at.us = at;
}

static bool was_woken(struct link *l, const struct epoll_event *events, int count) {
    bool woken = false;
    for (int i = 0; i < count; i++) {
        if (events[i].data.fd == l->timer)
            eventfd_clear(l->timer);
        if (l->connection.socket && events[i].data.fd == l->connection.monitor_fd)
            l->monitor_spoke = true;
        if (events[i].data.fd != l->wake)
            continue;
        eventfd_clear(l->wake);
        woken = true;
    }
    return woken;
}

/* Waits until something happens. False: the time is up, or link_wake was called. */
static bool wait_until(struct link *l, est_time now, int64_t deadline_us) {
    int64_t wake_us = wakeup(l).us;
    if (l->frame_is_unsent && wake_us < now.us + BLOCKED_US)
        wake_us = now.us + BLOCKED_US;
    int64_t until = wake_us < deadline_us ? wake_us : deadline_us;
    int64_t left_ms = until == NEVER ? -1 : until <= now.us ? 0 : (until - now.us + 999) / 1000;
    if (left_ms > INT32_MAX)
        left_ms = INT32_MAX;
    struct epoll_event events[8];
    int count = epoll_wait(l->epoll, events, 8, (int)left_ms);
    l->turn = link_now();
    if (was_woken(l, events, count))
        return false;
    return count > 0 || l->turn.us < deadline_us;
}

static bool event_next(struct link *l, struct session_event *ret) {
    if (!session_next(l->session, l->turn, ret))
        return false;
    if (ret->kind == SESSION_UP)
        l->up_at = l->turn;
    more_set(l, true);
    return true;
}

int link_poll(struct link *l, int timeout_ms, struct session_event *ret) {
    if (link_is_parents(l)) {
        static const char text[] = "this process was forked after the connection was opened: open one here";
        *ret = (struct session_event){.kind = SESSION_DOWN, .code = EST_CLOSED, .text = slice_of(text)};
        return 1;
    }
    if (event_next(l, ret))
        return 1;
    l->turn = link_now();
    int64_t deadline_us = timeout_ms < 0 ? NEVER : l->turn.us + timeout_ms * EST_US_PER_MS;
    for (;;) {
        bool has_worked = work(l, l->turn);
        if (event_next(l, ret))
            return 1;
        if (has_worked || !is_quiet(l)) {
            l->turn = link_now();
            continue;
        }
        more_set(l, false);
        bool may_wait = timeout_ms != 0 || l->fd_is_used;
        l->monitor_spoke |= !may_wait; /* nobody else would hear it */
        if (!may_wait || !wait_until(l, l->turn, deadline_us)) {
            timer_set(l, l->turn);
            return 0;
        }
    }
}

est_time link_turn(const struct link *l) {
    return l->turn;
}

void link_wake(struct link *l) {
    if (link_is_parents(l))
        return;
    uint64_t one = 1;
    int saved = errno;
    (void)!write(l->wake, &one, sizeof one);
    errno = saved;
}

int link_fd(struct link *l) {
    l->fd_is_used = true;
    more_set(l, true); /* the first poll sets the timer */
    return l->epoll;
}

void link_touch(struct link *l) {
    more_set(l, true);
}

/* --- Closing. ------------------------------------------------------------------------------------- */

/* Whatever happens meanwhile is not news to anybody. BYE goes with the last of the frames. */
static void send_rest(struct link *l, est_time until) {
    struct session_event event;
    bool bye_is_said = false;
    for (est_time now = link_now(); now.us < until.us; now = link_now()) {
        while (session_next(l->session, now, &event))
            continue;
        if (session_has_said_bye(l->session) && !session_is_up(l->session))
            return; /* the broker was the first to leave: what awaits results is not sent to it again */
        if (!bye_is_said && session_is_up(l->session)) {
            session_bye(l->session);
            bye_is_said = true;
        }
        bool rests = session_has_unsent(l->session) || l->frame_is_unsent;
        if (!rests && !(session_is_up(l->session) && session_has_output(l->session)))
            return;
        bool must_wait = rests && (l->frame_is_unsent || !session_has_output(l->session));
        if (!work(l, now) && is_quiet(l) && must_wait)
            wait_until(l, now, until.us);
    }
}

static void descriptors_close(struct link *l) {
    int descriptors[] = {l->epoll, l->wake, l->more, l->timer};
    for (size_t i = 0; i < sizeof descriptors / sizeof *descriptors; i++)
        if (descriptors[i] >= 0)
            close(descriptors[i]);
}

void link_shut(struct link *l, int linger_ms) {
    if (link_is_parents(l))
        return;
    bool polite = linger_ms > 0 && l->session && l->context;
    if (polite)
        send_rest(l, (est_time){link_now().us + linger_ms * EST_US_PER_MS});
    sockets_close(l, polite && session_is_up(l->session) ? linger_ms : 0);
    if (l->session)
        session_disconnected(l->session, EST_CLOSED, "");
}

void link_close(struct link **link, int linger_ms) {
    struct link *l = *link;
    if (!l)
        return;
    link_shut(l, linger_ms);
    if (l->context && !link_is_parents(l))
        zmq_ctx_term(l->context);
    session_free(&l->session);
    buffer_done(&l->frame);
    descriptors_close(l);
    free(l);
    *link = NULL;
}
