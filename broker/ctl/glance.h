/* glance.h - one look at the broker: its counters, queues and agents at one moment, copied out.
 *
 * `stat` and `top` look again and again and show what changed between two looks.
 */
#ifndef GLANCE_H
#define GLANCE_H

#include "peer.h"

struct glance_stat {
    char name[EST_NAME_MAX + 1];
    uint64_t value;
};
struct glance_queue {
    char department[EST_NAME_MAX + 1];
    unsigned district;
    uint64_t waiting, delayed, leased, parked, agents, unserved;
    est_time oldest;
    bool paused;
};
struct glance_agent {
    char account[EST_NAME_MAX + 1], department[EST_NAME_MAX + 1], software[EST_NAME_MAX + 1],
        address[EST_NAME_MAX + 1];
    uint64_t session, window, leased, answered;
    est_time since, heard;
};
struct glance {
    est_time at; /* by this machine's clock */
    struct glance_stat *stats;
    struct glance_queue *queues;
    struct glance_agent *agents;
    size_t stats_count, queues_count, agents_count;
    est_time oldest; /* of all queues */
};

/* Asks for all three. 0, or an exit status when it was told what went wrong; glance_done in either case. */
int glance_take(struct peer *, const char *department, struct glance *ret);
void glance_done(struct glance *);

/* A counter or gauge; 0 where the broker tells no such thing. */
uint64_t glance_stat(const struct glance *, const char *name);
/* How much a counter grew between two looks; from zero on where the broker began anew in between. */
uint64_t glance_grown(const struct glance *before, const struct glance *now, const char *name);
/* The same for each second. */
double glance_rate(const struct glance *before, const struct glance *now, const char *name);
/* Two counters' growth divided, such as seconds by commits; 0 where the second did not grow. */
double glance_ratio(const struct glance *before, const struct glance *now, const char *sum,
                    const char *count);

#endif
