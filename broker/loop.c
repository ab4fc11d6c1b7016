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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

/* New inquiries are refused from 800 thousandths on; what is under way keeps its reserve. */
enum { FULL_AT = 800, FULL_UNTIL = 780, WAIT_MAX_MS = 1000, TIDY_EVERY_S = 60, TELL_EVERY_S = 60, CLOCK_BEHIND_S = 5, HELLO_WITHIN_S = 5, GONE_DELAY_BATCHES = 64, COMMIT_SLOW_US = 100000 };

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

static void step_arg(void *arg, const struct input *in) {
    broker_step(arg, in);
}

/* --- Reload ---------------------------------------------------------------------------------------- */

/* A key that the ring knows keeps its handle; only others need room. */
static int keys_reserve(struct broker *b, const struct catalogue *c) {
    size_t more = 0;
    for (size_t i = 0; i < c->accounts_count; i++)
        for (size_t k = 0; k < c->accounts[i].keys_count; k++)
            more += keyring_find(&b->keyring, c->accounts[i].keys[k].public_key) == KEY_NONE;
    return keyring_reserve(&b->keyring, more);
}

static void keys_load(struct broker *b, const struct catalogue *c) {
    keyring_begin(&b->keyring);
    for (size_t i = 0; i < c->accounts_count; i++) {
        const struct account *a = &c->accounts[i];
        uint32_t number = registry_number(b->registry, THING_ACCOUNT, slice_of(a->name));
        for (size_t k = 0; k < a->keys_count; k++)
            (void)keyring_add(&b->keyring, &a->keys[k], number, a->name, a->role); /* the room is reserved */
    }
}

static void configure_complain(const struct broker *b, int error, bool keys) {
    if (error == -EST_NO_MEMORY)
        log_line(3, "%s: out of memory", b->config);
    else if (keys)
        log_line(3, "%s: more than %d different keys since the broker started; a restart forgets those that are no longer used",
                 b->config, KEYS_MAX);
    else
        log_line(3, "%s: a store has room for %d departments, %d types, %d accounts and %d purposes, those no longer named "
                    "included, and this would be more", b->config, DEPARTMENTS_EVER, TYPES_EVER, ACCOUNTS_EVER, PURPOSES_MAX);
}

int broker_configure(struct broker *b, struct catalogue *c) {
    int keys = keys_reserve(b, c);
    int error = keys < 0 ? keys : registry_sync(b->registry, b->core, c, step_arg, b);
    if (error < 0) {
        configure_complain(b, error, keys < 0);
        return error;
    }
    keys_load(b, c);
    if (b->catalogue != b->first)
        catalogue_free(&b->catalogue);
    if (b->first == NULL)
        b->first = c;
    b->catalogue = c;
    b->configured = b->now;
    return 0;
}

/* A session began in its key's account and role; commands are judged by the key, what is due by the session. */
static bool session_is_its_keys(const struct broker *b, uint32_t peer) {
    const struct peer *p = net_peer(b->net, peer);
    const struct ring_key *key = &b->keyring.keys[p->key];
    struct session_view session;
    if (!p->session)
        return true;
    core_session(b->core, peer, &session);
    return session.account == key->account && session.role == (uint32_t)key->role;
}

/* It gets that department's work, and its account may answer another's alone. It comes back as one of that. */
static bool session_is_its_departments(const struct broker *b, uint32_t peer) {
    struct session_view session;
    struct account_view account;
    core_session(b->core, peer, &session);
    if (!session.live || session.role != ROLE_DEPARTMENT)
        return true;
    core_account(b->core, session.account, &account);
    return session.department == account.department;
}

/* What it may do is looked at for each command; what it was told of itself it goes by too, as a gateway does that
 * shows others what this account sees. */
static bool session_is_of_its_level(const struct broker *b, uint32_t peer) {
    const struct peer *p = net_peer(b->net, peer);
    struct account_view account;
    core_account(b->core, b->keyring.keys[p->key].account, &account);
    return !p->session || p->level == (uint32_t)account.level;
}

/* A key that is revoked, outdated, or another account's by now dies on its open connections, also when its peer
 * says nothing. */
static void keys_enforce(struct broker *b) {
    for (uint32_t peer = 0; peer < b->limits.sessions_max; peer++) {
        const struct peer *p = net_peer(b->net, peer);
        if (!p->live || p->leaving)
            continue;
        if (!keyring_is_good(&b->keyring, p->key, b->now) || !session_is_its_keys(b, peer)) {
            b->refused[EST_KEY_REVOKED]++;
            peer_end(b, peer, EST_KEY_REVOKED, NULL);
        } else if (!session_is_its_departments(b, peer)) {
            peer_end(b, peer, EST_STOPPING, "the account answers for another department now: connect again");
        } else if (!session_is_of_its_level(b, peer)) {
            peer_end(b, peer, EST_STOPPING, "the account has another level now: connect again");
        }
    }
}

/* A session's silence is the core's to judge. Who never began one holds a place too, and ends as soon: after three
 * heartbeats without HELLO, and no sooner than a slow far end needs. */
static void hello_enforce(struct broker *b) {
    int64_t within_us = 3 * b->limits.heartbeat.us;
    if (within_us < HELLO_WITHIN_S * EST_US_PER_S)
        within_us = HELLO_WITHIN_S * EST_US_PER_S;
    est_time before = {b->now.us - within_us};
    for (uint32_t peer = 0; peer < b->limits.sessions_max; peer++) {
        struct peer *p = net_peer(b->net, peer);
        if (p->since.us > b->now.us)
            p->since = b->now; /* the clock was set back since it came */
        if (p->live && !p->session && !p->leaving && !p->gone && p->since.us <= before.us)
            peer_end(b, peer, EST_SILENT_PEER, "no HELLO within three heartbeats");
    }
    net_silent_end(b->net, before);
}

static bool listeners_are_alike(const struct broker_settings *a, const struct broker_settings *b) {
    return strcmp(a->requesters.endpoint, b->requesters.endpoint) == 0 &&
           strcmp(a->departments.endpoint, b->departments.endpoint) == 0 &&
           strcmp(a->operators.endpoint, b->operators.endpoint) == 0;
}

static bool limits_are_alike(const struct broker_settings *a, const struct broker_settings *b) {
    return a->inquiries_max == b->inquiries_max && a->account_open_max == b->account_open_max &&
           a->sessions_max == b->sessions_max && a->window_max == b->window_max && a->attempts_max == b->attempts_max &&
           a->lease_ms == b->lease_ms && a->heartbeat_ms == b->heartbeat_ms && a->retry_first_ms == b->retry_first_ms &&
           a->retry_max_ms == b->retry_max_ms;
}

static bool paths_are_alike(const char *a, const char *b) {
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* Whoever reads "reloaded" at night takes it for done. */
static void restart_tell(const struct broker *b) {
    const struct broker_settings *was = &b->first->broker, *is = &b->catalogue->broker;
    const struct { const char *name; bool is_alike; } all[] = {
        {"listen", listeners_are_alike(was, is)},
        {"limits", limits_are_alike(was, is)},
        {"store", paths_are_alike(was->store, is->store) && was->store_size_max == is->store_size_max},
        {"index", paths_are_alike(was->index, is->index)},
        {"security", was->curve == is->curve},
        {"key", memcmp(was->secret_key, is->secret_key, sizeof was->secret_key) == 0},
    };
    char names[64] = "";
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (!all[i].is_alike)
            snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s", names[0] ? ", " : "", all[i].name);
    if (names[0])
        log_line(4, "%s: what changed in %s is read at start only: it waits for a restart", b->config, names);
}

/* The new configuration comes into force as a whole, or not at all. Endpoints, limits and the
 * store's place are read at start only. */
static void reload(struct broker *b) {
    struct catalogue *c;
    struct complaints *complaints = calloc(1, sizeof *complaints);
    if (complaints == NULL)
        return;
    if (catalogue_load(b->config, &c, complaints) < 0) {
        for (size_t i = 0; i < complaints->kept; i++)
            log_line(3, "%s: %s", complaints->at[i].where, complaints->at[i].text);
        log_line(3, "reload refused: %zu complaint%s; the configuration in force stays", complaints->count,
                 complaints->count == 1 ? "" : "s");
    } else if (broker_configure(b, c) == 0) {
        keys_enforce(b);
        log_line(5, "reloaded %s: %zu types, %zu accounts", b->config, c->types_count, c->accounts_count);
        restart_tell(b);
    } else {
        log_line(3, "reload refused; the configuration in force stays");
        catalogue_free(&c);
    }
    free(complaints);
}

static void signals_take(struct broker *b) {
    struct signalfd_siginfo info;
    while (read(b->signal_fd, &info, sizeof info) == (ssize_t)sizeof info) {
        if (info.ssi_signo == SIGHUP) {
            reload(b);
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

/* Looked at with each batch that writes: within a second a small disk may go from room enough to
 * none at all, and the look costs a thousandth of the commit. */
static void room_look(struct broker *b) {
    struct core_counts counts;
    core_counts(b->core, &counts);
    store_measure(b->store); /* where it cannot tell, what it told before stays */
    unsigned fullness = store_fullness(b->store);
    bool full = fullness >= (counts.full ? FULL_UNTIL : FULL_AT);
    if (full == counts.full)
        return;
    log_line(4, full ? "the store is %u.%u %% full: new inquiries are refused until there is room"
                     : "the store is %u.%u %% full: new inquiries are taken again",
             fullness / 10, fullness % 10);
    struct input in = {.kind = INPUT_STORE_FULL, .full = full};
    broker_step(b, &in);
}

/* The log never goes back in time: while this clock is behind its last event whatever happens has that event's time, and
 * ages and terms stand still. Somebody set the clock, or it was ahead before. */
static void clock_tell(struct broker *b) {
    struct store_head head;
    store_head(b->store, &head);
    int64_t behind_s = (head.at.us - b->now.us) / EST_US_PER_S;
    if (behind_s < CLOCK_BEHIND_S || b->ticks_us < b->clock_told_us)
        return;
    b->clock_told_us = b->ticks_us + TELL_EVERY_S * EST_US_PER_S;
    log_line(4, "this clock is %lld s behind the log's last event: until then every event has its time, and ages and terms "
                "stand still; set the clock", (long long)behind_s);
}

/* The account with the most connections, and how many. */
static const char *most_connected(const struct broker *b, uint32_t *ret_many) {
    static uint32_t counts[ACCOUNTS_EVER + 1];
    const char *who = "nobody";
    memset(counts, 0, sizeof counts);
    for (uint32_t peer = 0; peer < b->limits.sessions_max; peer++) {
        const struct peer *p = net_peer(b->net, peer);
        const struct ring_key *key = &b->keyring.keys[p->key];
        if (!p->live || ++counts[key->account] <= *ret_many)
            continue;
        *ret_many = counts[key->account];
        who = key->name;
    }
    return who;
}

/* Who cannot get in sees a connection that ends, and nothing else would say why. */
static void full_tell(struct broker *b) {
    uint64_t full = net_counts(b->net)->dropped_full;
    if (full == b->full_told || b->ticks_us < b->full_told_us)
        return;
    b->full_told = full;
    b->full_told_us = b->ticks_us + TELL_EVERY_S * EST_US_PER_S;
    uint32_t many = 0;
    const char *who = most_connected(b, &many);
    log_line(4, "limits.sessions_max (%u) connections are open, %u of them of %s: others are turned away, operators last",
             b->limits.sessions_max, many, who);
}

/* The far end is told that it may not come in, or nothing at all; its operators ask ours. */
static void turned_tell(struct broker *b) {
    char sentence[TURNED_SIZE];
    while (net_turned_next(b->net, (est_time){b->ticks_us}, sentence))
        log_line(5, "%s", sentence);
}

/* Key dates, and the room when nothing is written, once a second; the store's housekeeping once a
 * minute. */
static void upkeep(struct broker *b) {
    bool is_due = b->ticks_us >= b->upkeep_us;
    if (is_due) {
        b->upkeep_us = b->ticks_us + EST_US_PER_S;
        keys_enforce(b);
        hello_enforce(b);
        full_tell(b);
        turned_tell(b);
        clock_tell(b);
    }
    if (is_due || b->batch_appends > 0)
        room_look(b);
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
