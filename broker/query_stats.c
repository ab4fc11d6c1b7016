/* query_stats.c - counters and gauges by name: the core's, the doors', the store's, the process's.
 *
 * Counters begin with the process. A histogram is told as Prometheus tells it: NAME_le_BOUND counts
 * what is at most BOUND, NAME_le_inf all; NAME_sum adds up the values.
 */
#include "machine.h"
#include "queries.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct stat { const char *name; uint64_t value; };

static size_t stat_add(struct broker *b, const char *name, uint64_t value) {
    struct stat_row row = {.name = slice_of(name), .value = value};
    stat_row_pack(&b->rows, &row);
    return 1;
}

static size_t stats_add(struct broker *b, const struct stat *rows, size_t count) {
    for (size_t i = 0; i < count; i++)
        stat_add(b, rows[i].name, rows[i].value);
    return count;
}
#define STATS_ADD(b, rows) stats_add(b, rows, sizeof rows / sizeof *rows)

static size_t core_add(struct broker *b) {
    struct core_counts c;
    core_counts(b->core, &c);
    const struct stat rows[] = {
        {"inquiries_open", c.open},       {"inquiries_waiting", c.waiting},
        {"inquiries_delayed", c.delayed}, {"inquiries_leased", c.leased},
        {"inquiries_parked", c.parked},   {"results_unacknowledged", c.unacknowledged},
        {"log_seq", c.seq},               {"draining", c.draining},
        {"store_full", c.full},           {"departments_paused", c.paused},
    };
    return STATS_ADD(b, rows);
}

static size_t doors_add(struct broker *b) {
    const struct net_counts *n = net_counts(b->net);
    uint64_t peers[DOOR_OPERATOR + 1] = {0};
    for (uint32_t i = 0; i < b->limits.sessions_max; i++) {
        const struct peer *p = net_peer(b->net, i);
        if (p->live && p->session)
            peers[p->door]++;
    }
    const struct stat rows[] = {
        {"frames_in", n->frames_in},
        {"frames_out", n->frames_out},
        {"bytes_in", n->bytes_in},
        {"bytes_out", n->bytes_out},
        {"disconnects", n->disconnects},
        {"dropped_slow", n->dropped_slow},
        {"dropped_full", n->dropped_full},
        {"dropped_silent", n->dropped_silent},
        {"dropped_protocol", n->dropped_protocol},
        {"handshakes_accepted", net_zap(b->net)->accepted},
        {"handshakes_refused", net_zap(b->net)->refused},
        {"peers_requesters", peers[DOOR_REQUESTER]},
        {"peers_departments", peers[DOOR_DEPARTMENT]},
        {"peers_operators", peers[DOOR_OPERATOR]},
    };
    return STATS_ADD(b, rows);
}

static size_t store_add(struct broker *b) {
    struct store_sizes sizes;
    struct store_head head;
    store_sizes(b->store, &sizes);
    store_head(b->store, &head);
    int64_t behind_us = head.at.us - b->now.us; /* see clock_tell in upkeep.c */
    const struct stat rows[] = {
        {"clock_behind_us", behind_us > 0 ? (uint64_t)behind_us : 0},
        {"batches", b->batches},
        {"commits", b->commits},
        {"generation", head.generation},
        {"store_used_bytes", sizes.used},
        {"store_map_bytes", sizes.map},
        {"store_limit_bytes", sizes.size_max},
        {"store_fullness", store_fullness(b->store)},
        {"store_readers", sizes.readers},
        {"disk_free_bytes", sizes.disk_free},
        {"disk_total_bytes", sizes.disk_total},
    };
    return STATS_ADD(b, rows);
}

static size_t process_add(struct broker *b) {
    struct machine m;
    machine_look(&m);
    const struct stat rows[] = {
        {"started_us", (uint64_t)b->started.us},
        {"uptime_us", (uint64_t)(b->now.us > b->started.us ? b->now.us - b->started.us : 0)},
        {"process_resident_bytes", m.resident_bytes},
        {"process_cpu_us", m.cpu_us},
        {"process_open_files", m.open_files},
        {"process_threads", m.threads},
    };
    return STATS_ADD(b, rows);
}

static size_t histogram_rows(struct broker *b, const char *name, const struct ladder *ladder,
                             const struct histogram *h) {
    char row[64];
    uint64_t below = 0;
    for (unsigned i = 0; i < ladder->steps; i++) {
        below += h->at[i];
        snprintf(row, sizeof row, "%s_le_%" PRIu64, name, ladder->bounds[i]);
        stat_add(b, row, below);
    }
    snprintf(row, sizeof row, "%s_le_inf", name);
    stat_add(b, row, h->count);
    snprintf(row, sizeof row, "%s_sum", name);
    stat_add(b, row, h->sum);
    snprintf(row, sizeof row, "%s_count", name);
    stat_add(b, row, h->count);
    return ladder->steps + 3;
}

static size_t facts_add(struct broker *b) {
    char name[64];
    for (int fact = 1; fact < FACT_COUNT; fact++) {
        snprintf(name, sizeof name, "fact_%s", fact_name((enum fact)fact));
        for (char *at = strchr(name, '-'); at != NULL; at = strchr(at, '-'))
            *at = '_';
        stat_add(b, name, b->facts[fact]);
    }
    return FACT_COUNT - 1;
}

static size_t refusals_add(struct broker *b) {
    char name[64];
    size_t rows = 0;
    for (int code = 1; code < 1000; code++) {
        if (b->refused[code] == 0)
            continue;
        snprintf(name, sizeof name, "refused_%s", est_code_name(code));
        rows += stat_add(b, name, b->refused[code]);
    }
    return rows;
}

void query_stats(struct broker *b, uint32_t peer, const struct stats *ask) {
    buffer_clear(&b->rows);
    size_t rows = core_add(b);
    rows += doors_add(b);
    rows += store_add(b);
    rows += process_add(b);
    rows += histogram_rows(b, "commit_us", &commit_ladder, &b->commit_us);
    rows += histogram_rows(b, "batch_events", &batch_ladder, &b->batch_events);
    rows += index_stats(b);
    rows += facts_add(b);
    rows += refusals_add(b);
    page_reply(b, peer, VERB_STATS_IS, ask->ref, rows, 0);
}
