/* metrics_text.c - see metrics_text.h. A table for each kind of answer; names by Prometheus's rules. */
#include "metrics_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- STATS ---------------------------------------------------------------------------------------- */

static const struct stat_metric {
    const char *stat, *name;
    enum metric_type type;
    bool us; /* told in microseconds, shown in seconds */
    const char *help;
} STATS[] = {
    {"started_us", "broker_start_time_seconds", METRIC_GAUGE, true, "When the broker started."},
    {"draining", "broker_draining", METRIC_GAUGE, false, "1 while the broker is draining."},
    {"log_seq", "log_position", METRIC_GAUGE, false, "Sequence number of the newest event of the log."},
    {"results_unacknowledged", "results_unacknowledged", METRIC_GAUGE, false,
     "Ended inquiries whose requester has not acknowledged the result yet."},
    {"inquiries_open", "inquiries_open", METRIC_GAUGE, false,
     "Inquiries that have not ended, of all departments."},
    {"store_full", "store_full", METRIC_GAUGE, false,
     "1 while new inquiries are refused because the store is full."},
    {"store_used_bytes", "store_used_bytes", METRIC_GAUGE, false, "Bytes of the store in use."},
    {"store_map_bytes", "store_map_bytes", METRIC_GAUGE, false,
     "Bytes of the store's memory map, which grows by itself."},
    {"store_limit_bytes", "store_limit_bytes", METRIC_GAUGE, false,
     "How large the store may grow (store.size_max)."},
    {"store_readers", "store_readers", METRIC_GAUGE, false, "Open read transactions of the store."},
    {"disk_free_bytes", "store_disk_free_bytes", METRIC_GAUGE, false,
     "Free bytes of the disk that the store lies on."},
    {"disk_total_bytes", "store_disk_size_bytes", METRIC_GAUGE, false,
     "Size of the disk that the store lies on."},
    {"clock_behind_us", "clock_behind_seconds", METRIC_GAUGE, true,
     "How far the broker's clock is behind the last event of its log: ages stand still until it is there, and terms of what was under way end later."},
    {"index_seq", "index_position", METRIC_GAUGE, false,
     "Sequence number up to which the index has read the log."},
    {"index_behind", "index_behind_events", METRIC_GAUGE, false,
     "Events of the log that the index has still to read."},
    {"index_rebuilding", "index_rebuilding", METRIC_GAUGE, false,
     "1 while the index is built again from the beginning."},
    {"index_bytes", "index_used_bytes", METRIC_GAUGE, false, "Bytes of the index in use."},
    {"index_entries", "index_entries", METRIC_GAUGE, false, "Entries of the index."},
    {"index_failed", "index_failed", METRIC_GAUGE, false, "1 while the index cannot be used."},
    {"commits", "commits_total", METRIC_COUNTER, false, "Commits of the store, one fsync each."},
    {"batches", "batches_total", METRIC_COUNTER, false, "Batches of commands handled."},
    {"frames_in", "frames_received_total", METRIC_COUNTER, false, "Frames received by the broker."},
    {"frames_out", "frames_sent_total", METRIC_COUNTER, false, "Frames sent by the broker."},
    {"bytes_in", "received_bytes_total", METRIC_COUNTER, false, "Bytes received by the broker."},
    {"bytes_out", "sent_bytes_total", METRIC_COUNTER, false, "Bytes sent by the broker."},
    {"disconnects", "disconnects_total", METRIC_COUNTER, false, "Connections to the broker that ended."},
    {"dropped_slow", "slow_peers_dropped_total", METRIC_COUNTER, false,
     "Connections ended because the peer did not read."},
    {"dropped_protocol", "bad_peers_dropped_total", METRIC_COUNTER, false,
     "Connections ended because the peer broke the protocol."},
    {"dropped_full", "connections_turned_away_total", METRIC_COUNTER, false,
     "Connections turned away because as many as sessions_max were open."},
    {"dropped_silent", "silent_connections_dropped_total", METRIC_COUNTER, false,
     "Connections ended because they never said anything."},
    {"handshakes_accepted", "handshakes_accepted_total", METRIC_COUNTER, false, "Keys that were let in."},
    {"handshakes_refused", "handshakes_refused_total", METRIC_COUNTER, false, "Keys that were turned away."},
    {"fact_leased", "leases_total", METRIC_COUNTER, false,
     "Inquiries handed to an agent, since the broker started."},
    {"fact_agent_lost", "agents_lost_total", METRIC_COUNTER, false,
     "Agents whose connection ended while they held work, since the broker started."},
    {"fact_redelivered", "results_resent_total", METRIC_COUNTER, false,
     "Results sent again because they had not been acknowledged, since the broker started."},
    {"fact_stale", "stale_answers_total", METRIC_COUNTER, false,
     "Answers refused because their lease was over, since the broker started."},
    {"fact_submitted_again", "submits_repeated_total", METRIC_COUNTER, false,
     "Submits of an inquiry that had been accepted before, since the broker started."},
    {"fact_session_up", "sessions_opened_total", METRIC_COUNTER, false, "Sessions that began."},
    {"fact_session_down", "sessions_closed_total", METRIC_COUNTER, false, "Sessions that ended."},
    {"process_cpu_us", "broker_process_cpu_seconds_total", METRIC_COUNTER, true,
     "Processor time of the broker."},
    {"process_resident_bytes", "broker_process_resident_memory_bytes", METRIC_GAUGE, false,
     "Resident memory of the broker, the store's page cache that it maps included."},
    {"process_open_files", "broker_process_open_fds", METRIC_GAUGE, false,
     "Open file descriptors of the broker."},
    {"process_threads", "broker_process_threads", METRIC_GAUGE, false, "Threads of the broker."},
};

static void stats_write(struct exposition *x, const struct figures *f) {
    for (size_t i = 0; i < sizeof STATS / sizeof STATS[0]; i++) {
        uint64_t value;
        if (!figures_stat(f, STATS[i].stat, &value))
            continue;
        metric(x, STATS[i].name, STATS[i].type, STATS[i].help);
        (STATS[i].us ? sample_us : sample_uint)(x, value, NO_LABELS);
    }
}

/* Told in thousandths, shown as a part of 1. */
static void fullness_write(struct exposition *x, const struct figures *f) {
    uint64_t thousandths;
    if (!figures_stat(f, "store_fullness", &thousandths))
        return;
    metric(x, "store_fullness_ratio", METRIC_GAUGE,
           "How full the store is, of its limit or of its disk: at 0.8 new inquiries are refused.");
    sample_us(x, thousandths * 1000, NO_LABELS);
}

#define CODE_NAME(name, number, layer, says, advice) {#name, number},
static const struct {
    const char *name;
    int number;
} CODES[] = {EST_CODES(CODE_NAME)};

/* Every code that a broker may refuse with, from 0 on: see metrics_counters.c. */
static void refusals_write(struct exposition *x, const struct figures *f) {
    metric(x, "commands_refused_total", METRIC_COUNTER,
           "Commands refused, by code, since the broker started.");
    for (size_t i = 0; i < sizeof CODES / sizeof CODES[0]; i++) {
        char stat[FIGURE_NAME];
        uint64_t value = 0;
        snprintf(stat, sizeof stat, "refused_%s", CODES[i].name);
        bool told = figures_stat(f, stat, &value);
        bool refuses = CODES[i].number && est_code_layer(CODES[i].number) <= EST_LAYER_BROKER;
        if (told || refuses)
            sample_uint(x, value, LABELS("code", CODES[i].name));
    }
}

/* One metric from all stats that begin alike; what follows is the label's value. */
static void prefixed_write(struct exposition *x, const struct figures *f, const char *prefix,
                           const char *name, enum metric_type type, const char *label, const char *help) {
    size_t size = strlen(prefix);
    metric(x, name, type, help);
    for (size_t i = 0; i < f->stats_count; i++)
        if (strncmp(f->stats[i].name, prefix, size) == 0)
            sample_uint(x, f->stats[i].value, LABELS(label, f->stats[i].name + size));
}

/* --- Histograms ------------------------------------------------------------------------------------ */

/* "2500" microseconds as "0.0025". */
static void bound_seconds(const char *us, char ret[32]) {
    uint64_t value = strtoull(us, NULL, 10);
    snprintf(ret, 32, "%.9g", (double)value / 1e6);
}

/* PREFIX_le_N in rising order, PREFIX_le_inf, PREFIX_sum; nothing where the broker tells none. */
static void stat_histogram_write(struct exposition *x, const struct figures *f, const char *prefix,
                                 const char *name, bool us, const char *help) {
    char bound[FIGURE_NAME], all[FIGURE_NAME], sum_name[FIGURE_NAME], le[32];
    uint64_t count, sum;
    int size = snprintf(bound, sizeof bound, "%s_le_", prefix);
    snprintf(all, sizeof all, "%s_le_inf", prefix);
    snprintf(sum_name, sizeof sum_name, "%s_sum", prefix);
    if (!figures_stat(f, all, &count) || !figures_stat(f, sum_name, &sum))
        return;
    metric(x, name, METRIC_HISTOGRAM, help);
    for (size_t i = 0; i < f->stats_count; i++) {
        const char *stat = f->stats[i].name;
        if (strncmp(stat, bound, (size_t)size) != 0 || strcmp(stat, all) == 0)
            continue;
        bound_seconds(stat + size, le);
        sample_bucket(x, us ? le : stat + size, f->stats[i].value);
    }
    sample_bucket(x, "+Inf", count);
    (us ? sample_sum_us : sample_sum)(x, sum);
    sample_count(x, count);
}

/* --- QUEUES and AGENTS ----------------------------------------------------------------------------- */

static uint64_t of_waiting(const struct figure_department *d) {
    return d->waiting;
}
static uint64_t of_delayed(const struct figure_department *d) {
    return d->delayed;
}
static uint64_t of_leased(const struct figure_department *d) {
    return d->leased;
}
static uint64_t of_parked(const struct figure_department *d) {
    return d->parked;
}

static void states_write(struct exposition *x, const struct figures *f) {
    static const struct {
        const char *state;
        uint64_t (*value)(const struct figure_department *);
    } rows[] = {
        {"waiting", of_waiting}, {"delayed", of_delayed}, {"leased", of_leased}, {"parked", of_parked}};
    metric(x, "inquiries", METRIC_GAUGE, "Open inquiries by department and state.");
    for (size_t i = 0; i < f->departments_count; i++)
        for (size_t s = 0; s < sizeof rows / sizeof rows[0]; s++)
            sample_uint(x, rows[s].value(&f->departments[i]),
                        LABELS("department", f->departments[i].name, "state", rows[s].state));
}

static void queues_write(struct exposition *x, const struct figures *f) {
    states_write(x, f);
    metric(x, "oldest_waiting_timestamp_seconds", METRIC_GAUGE,
           "When the department's oldest inquiry that waits or is delayed was received; absent where there is none.");
    for (size_t i = 0; i < f->departments_count; i++)
        if (f->departments[i].oldest.us)
            sample_us(x, (uint64_t)f->departments[i].oldest.us, LABELS("department", f->departments[i].name));
    metric(x, "inquiries_unserved", METRIC_GAUGE,
           "Inquiries that wait or are delayed in queues that no agent serves.");
    for (size_t i = 0; i < f->departments_count; i++)
        sample_uint(x, f->departments[i].unserved, LABELS("department", f->departments[i].name));
    metric(x, "department_paused", METRIC_GAUGE, "1 while an operator has paused the department.");
    for (size_t i = 0; i < f->departments_count; i++)
        sample_uint(x, f->departments[i].paused, LABELS("department", f->departments[i].name));
}

static void agents_write(struct exposition *x, const struct figures *f) {
    metric(x, "agents", METRIC_GAUGE,
           "Connected agents; absent where a department has none and nobody has asked it since the broker "
           "started.");
    for (size_t i = 0; i < f->departments_count; i++)
        sample_uint(x, f->departments[i].agents, LABELS("department", f->departments[i].name));
    metric(x, "agents_heard_timestamp_seconds", METRIC_GAUGE,
           "The last sign of life of any agent of the department; absent where none is connected.");
    for (size_t i = 0; i < f->departments_count; i++)
        if (f->departments[i].heard.us)
            sample_us(x, (uint64_t)f->departments[i].heard.us, LABELS("department", f->departments[i].name));
}

/* --- KEYS and CONFIG ------------------------------------------------------------------------------- */

static bool key_has_ended(const struct figures *f, const struct figure_key *k) {
    return k->until.us && k->until.us <= f->at.us;
}

/* What a change of keys leaves behind: it has ended, and its account has a good one. */
static bool key_is_replaced(const struct figures *f, const struct figure_key *key) {
    for (size_t i = 0; key_has_ended(f, key) && i < f->keys_count; i++) {
        const struct figure_key *k = &f->keys[i];
        if (strcmp(k->account, key->account) == 0 && k->from.us <= f->at.us && !key_has_ended(f, k))
            return true;
    }
    return false;
}

static void keys_write(struct exposition *x, const struct figures *f) {
    metric(x, "key_expiry_timestamp_seconds", METRIC_GAUGE,
           "When a key ends, or ended where its account has no good one; absent for keys without an end. "
           "`key` is its first characters.");
    for (size_t i = 0; i < f->keys_count; i++)
        if (f->keys[i].until.us && !key_is_replaced(f, &f->keys[i]))
            sample_us(x, (uint64_t)f->keys[i].until.us,
                      LABELS("account", f->keys[i].account, "role", f->keys[i].role, "key", f->keys[i].key));
}

static void config_write(struct exposition *x, const struct figures *f) {
    metric(x, "broker_build_info", METRIC_GAUGE, "The broker's version and city; always 1.");
    sample_uint(x, 1, LABELS("version", f->version, "city", f->city));
}

void metrics_broker(struct exposition *x, const struct figures *f, bool up) {
    metric(x, "broker_up", METRIC_GAUGE, "1 when the broker answered this scrape, 0 when not.");
    sample_uint(x, up, NO_LABELS);
    if (f->queues_known)
        queues_write(x, f);
    if (f->queues_known && f->agents_known)
        agents_write(x, f);
    if (f->counters_known)
        metrics_counters(x, f);
    if (f->stats_known) {
        stats_write(x, f);
        fullness_write(x, f);
        refusals_write(x, f);
        prefixed_write(x, f, "peers_", "peers", METRIC_GAUGE, "door", "Connections by door.");
        stat_histogram_write(x, f, "commit_us", "commit_seconds", true,
                             "How long a commit of the store took.");
        stat_histogram_write(x, f, "batch_events", "batch_events", false, "Events in a commit.");
    }
    if (f->keys_known)
        keys_write(x, f);
    if (f->config_known)
        config_write(x, f);
}
