/* upkeep.c - what the broker does by itself every second: whose key is over, who never said HELLO, is there room, and
 * what the log should tell. By a clock that nobody sets.
 */
#include "broker.h"

#include <string.h>

/* New inquiries are refused from 800 thousandths on; what is under way keeps its reserve. */
enum { FULL_AT = 800, FULL_UNTIL = 780, TELL_EVERY_S = 60, CLOCK_BEHIND_S = 5, HELLO_WITHIN_S = 5 };

/* --- Whose connection ends --------------------------------------------------------------------------- */

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

void keys_enforce(struct broker *b) {
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

/* --- Room, and what the log should tell --------------------------------------------------------------- */

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
 * ages stand still; timers go by the clock, and those that were set before it went back end later. Somebody set the
 * clock, or it was ahead before. */
static void clock_tell(struct broker *b) {
    struct store_head head;
    store_head(b->store, &head);
    int64_t behind_s = (head.at.us - b->now.us) / EST_US_PER_S;
    if (behind_s < CLOCK_BEHIND_S || b->ticks_us < b->clock_told_us)
        return;
    b->clock_told_us = b->ticks_us + TELL_EVERY_S * EST_US_PER_S;
    log_line(4, "this clock is %lld s behind the log's last event: until then every event has its time, ages stand still, and terms "
                "of what was under way end later; set the clock", (long long)behind_s);
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

void upkeep(struct broker *b) {
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
