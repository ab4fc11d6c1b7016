/* loop.c - the one loop: batch, commit once, then speak.
 *
 * Wait for frames or a timer; take up to a bound of frames; step each; one write holds the batch's
 * events; only when it is on disk, send. Nothing is told to anyone before what it rests on is on disk,
 * and one write serves the whole batch. Where there is more to do a large one is under way while the next
 * batch is made; what that one says waits for its own. When the store refuses, the process stops without
 * sending: memory is ahead of disk then, and restart is the recovery.
 */
#include "broker.h"

#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

enum { WAIT_MAX_MS = 1000, TIDY_EVERY_S = 60, GONE_DELAY_BATCHES = 64, COMMIT_SLOW_US = 100000 };

est_time clock_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (est_time){(int64_t)t.tv_sec * EST_US_PER_S + t.tv_nsec / 1000};
}

/* Of a clock that nobody sets: how often things are looked at does not depend on what the hour is. */
static int64_t ticks_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * EST_US_PER_S + t.tv_nsec / 1000;
}

/* --- Signals --------------------------------------------------------------------------------------- */

static void signals_take(struct broker *b) {
    struct signalfd_siginfo info;
    while (read(b->signal_fd, &info, sizeof info) == (ssize_t)sizeof info) {
        if (info.ssi_signo == SIGHUP) {
            broker_reload(b);
            continue;
        }
        log_line(5, "stopping: asked by %s", info.ssi_signo == SIGTERM ? "SIGTERM" : "SIGINT");
        b->stopping = true;
    }
}

/* --- Writing --------------------------------------------------------------------------------------- */

const struct ladder commit_ladder = {
    {50, 100, 250, 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 500000, 1000000, 5000000}, 15};
const struct ladder batch_ladder = {{1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000}, 12};

static void commit_count(struct broker *b) {
    int64_t took_us = store_commit_took_us(b->store);
    b->commits++;
    b->commit_took_us = took_us < COMMIT_SLOW_US ? took_us : COMMIT_SLOW_US;
    histogram_add(&b->commit_us, &commit_ladder, took_us > 0 ? (uint64_t)took_us : 0);
    histogram_add(&b->batch_events, &batch_ladder, b->written_appends);
}

static void acts_log(struct buffer *acts) {
    for (size_t at = 0; at < acts->size; at += strlen((const char *)acts->data + at) + 1)
        log_line(5, "%s", (const char *)acts->data + at);
    buffer_clear(acts);
}

/* Where the batch that was under way is on the disk, what it did is told. Once the store has failed nothing is:
 * an append of the next batch may have waited for this write and been the first to hear that it failed. */
static void write_end(struct broker *b, bool waits) {
    if (!b->writing)
        return;
    int rc = store_commit_end(b->store, waits);
    if (rc > 0)
        return;
    b->writing = false;
    if (rc < 0)
        broker_fail(b, "committing");
    if (b->failed)
        return;
    if (b->written_appends > 0)
        commit_count(b);
    acts_log(&b->written_acts);
    net_flush(b->net, b->now);
}

/* The batch is complete. Where its write takes a while and there is more to do the next one is made meanwhile. */
static void write_begin(struct broker *b, bool more) {
    write_end(b, true);
    if (b->failed)
        return;
    net_prepare(b->net);
    if (store_commit_begin(b->store, more) < 0) {
        broker_fail(b, "committing");
        return;
    }
    b->batches++;
    b->writing = true;
    b->written_appends = b->batch_appends;
    struct buffer empty = b->written_acts;
    b->written_acts = b->acts;
    b->acts = empty;
    write_end(b, false);
}

/* --- A batch --------------------------------------------------------------------------------------- */

static unsigned commands_max(const struct broker *b) {
    unsigned most = b->batch_peers * BATCH_COMMANDS_EACH;
    if (most < BATCH_COMMANDS)
        most = BATCH_COMMANDS;
    if (most > BATCH_COMMANDS_MOST)
        most = BATCH_COMMANDS_MOST;
    return b->commit_took_us > most ? (unsigned)b->commit_took_us : most;
}

static void peer_heard(struct broker *b, uint32_t peer) {
    uint64_t batch = b->batches + 1;
    struct peer *p = net_peer(b->net, peer);
    b->batch_peers += p->heard != batch;
    p->heard = batch;
}

/* True when nothing more waited. */
static bool frames_take(struct broker *b) {
    struct incoming in;
    size_t bytes = 0;
    for (int i = 0; i < BATCH_FRAMES && b->batch_commands < commands_max(b) && bytes < BATCH_BYTES && !b->failed; i++) {
        if (!net_next(b->net, b->now, &in))
            return true;
        bytes += in.frame.size;
        peer_heard(b, in.peer);
        if (in.broken != NULL)
            peer_malformed(b, in.peer, in.broken);
        else
            frame_handle(b, in.peer, in.frame);
        write_end(b, false);
    }
    return false;
}

static void gone_take(struct broker *b) {
    for (uint32_t peer = net_gone_next(b->net); peer != PEER_NONE && !b->failed; peer = net_gone_next(b->net)) {
        if (net_peer(b->net, peer)->session) {
            struct input in = {.kind = INPUT_SESSION_DOWN, .session = peer};
            broker_step(b, &in);
        }
        recorded_flush(b);
        net_release(b->net, peer, b->now);
    }
}

static void batch(struct broker *b, bool frames) {
    b->now = clock_now();
    b->ticks_us = ticks_now();
    b->batch_appends = 0;
    b->batch_commands = b->batch_peers = 0;
    if (store_begin(b->store) < 0) {
        broker_fail(b, "beginning a batch");
        return;
    }
    signals_take(b);
    if (core_wakeup(b->core).us <= b->now.us) {
        struct input tick = {.kind = INPUT_TICK};
        broker_step(b, &tick);
    }
    /* A peer may have gone after its last words: those are read first, unless there is no end of
     * frames. What it asked and was not read it would ask again. */
    bool more = frames && !frames_take(b);
    if (!more || ++b->gone_delayed >= GONE_DELAY_BATCHES) {
        b->gone_delayed = 0;
        gone_take(b);
    }
    index_answers(b);
    upkeep(b);
    recorded_flush(b);
    if (b->failed) {
        store_abort(b->store);
        return;
    }
    write_begin(b, more);
}

static int wait_ms(const struct broker *b) {
    int64_t left = core_wakeup(b->core).us - clock_now().us;
    if (left <= 0)
        return 0;
    return left / EST_US_PER_MS < WAIT_MAX_MS ? (int)(left / EST_US_PER_MS) + 1 : WAIT_MAX_MS;
}

static void farewell(struct broker *b) {
    for (uint32_t peer = 0; peer < b->limits.sessions_max; peer++) {
        struct message m;
        m.verb = VERB_BYE;
        m.bye = (struct bye){.code = EST_STOPPING, .text = slice_of(est_code_text(EST_STOPPING))};
        if (!net_peer(b->net, peer)->session)
            continue;
        message_pack(net_out(b->net, peer), &m);
        net_sent(b->net, peer);
    }
    net_prepare(b->net);
    net_flush(b->net, b->now);
}

int loop_run(struct broker *b) {
    while (!b->stopping && !b->failed) {
        bool frames = net_wait(b->net, b->wake_fd, b->writing ? 0 : wait_ms(b), clock_now);
        if (b->writing && !frames) {
            write_end(b, true);
            continue;
        }
        batch(b, frames);
        if (b->ticks_us >= b->tidy_us) {
            b->tidy_us = b->ticks_us + TIDY_EVERY_S * EST_US_PER_S;
            store_tidy(b->store);
        }
    }
    write_end(b, true);
    if (b->failed)
        return -EST_IO;
    farewell(b);
    return 0;
}
