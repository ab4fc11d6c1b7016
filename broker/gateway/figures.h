/* figures.h - what the broker said of itself for one look at /metrics, copied out of its answers.
 *
 * figures.c takes rows in; metrics.c writes them down. Queues and agents are added up by department:
 * a label for each district would be 22 times as many series, and nobody is called out by district.
 */
#ifndef GATEWAY_FIGURES_H
#define GATEWAY_FIGURES_H

#include <estelam/client.h>

enum {
    DEPARTMENTS_MAX = 512,
    STATS_MAX = 512,
    COUNTERS_MAX = 16384,
    KEYS_MAX = 4096,
    FIGURE_NAME = EST_NAME_MAX + 1
};

struct figure_stat {
    char name[FIGURE_NAME];
    uint64_t value;
};
struct figure_department {
    char name[FIGURE_NAME];
    uint64_t waiting, delayed, leased, parked, unserved, agents;
    est_time oldest, heard;
    bool paused;
};
struct figure_counter {
    char name[FIGURE_NAME], department[FIGURE_NAME], label[FIGURE_NAME];
    uint64_t value;
};
struct figure_key {
    char account[FIGURE_NAME], role[16], key[16];
    est_time from, until;
};

struct figures {
    est_time at; /* when it was looked; which keys are good then */
    bool stats_known, queues_known, agents_known, counters_known, keys_known, config_known;
    struct figure_stat *stats;
    struct figure_department *departments;
    struct figure_counter *counters;
    struct figure_key *keys;
    size_t stats_count, departments_count, counters_count, keys_count;
    uint64_t counters_seq;
    char version[FIGURE_NAME], city[FIGURE_NAME];
};

struct figures *figures_new(void); /* NULL: no memory */
void figures_free(struct figures **);

/* Each takes a page of rows. Rows beyond the limits above, and those that find no memory, are left out. */
void figures_stats(struct figures *, const est_event *);
void figures_queues(struct figures *, const est_event *);
void figures_agents(struct figures *, const est_event *);
void figures_counters(struct figures *, const est_event *);
void figures_keys(struct figures *, const est_event *);
void figures_config(struct figures *, const est_event *);

/* False where the broker tells no such thing. */
bool figures_stat(const struct figures *, const char *name, uint64_t *ret);

#endif
