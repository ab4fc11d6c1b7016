/* glance.c - see glance.h. */
#include "glance.h"
#include "heap.h"
#include "moment.h"
#include "pages.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>

static void *room_for_one(void *rows, size_t count, size_t size) {
    bool grows = (count & (count - 1)) == 0; /* at every power of two */
    return grows ? heap_grow(rows, count ? count * 2 : 1, size) : rows;
}

static void name_take(char ret[EST_NAME_MAX + 1], est_slice text) {
    size_t size = text.size < EST_NAME_MAX ? text.size : EST_NAME_MAX;
    memcpy(ret, size ? text.data : "", size);
    ret[size] = '\0';
    text_clean_in_place(ret);
}

static void stats_take(struct glance *g, const est_event *event) {
    est_stat_row row;
    for (size_t i = 0; est_row_stat(event, i, &row); i++) {
        g->stats = room_for_one(g->stats, g->stats_count, sizeof *g->stats);
        struct glance_stat *stat = &g->stats[g->stats_count++];
        name_take(stat->name, row.name);
        stat->value = row.value;
    }
}

static void queues_page(void *arg, const est_event *event) {
    struct glance *g = arg;
    est_queue_row row;
    for (size_t i = 0; est_row_queue(event, i, &row); i++) {
        g->queues = room_for_one(g->queues, g->queues_count, sizeof *g->queues);
        struct glance_queue *q = &g->queues[g->queues_count++];
        *q = (struct glance_queue){.district = row.district,
                                   .waiting = row.waiting,
                                   .delayed = row.delayed,
                                   .leased = row.leased,
                                   .parked = row.parked,
                                   .agents = row.agents,
                                   .oldest = row.oldest,
                                   .paused = row.paused,
                                   .unserved = row.unserved};
        name_take(q->department, row.department);
        if (row.oldest.us && (g->oldest.us == 0 || row.oldest.us < g->oldest.us))
            g->oldest = row.oldest;
    }
}

static void agents_page(void *arg, const est_event *event) {
    struct glance *g = arg;
    est_agent_row row;
    for (size_t i = 0; est_row_agent(event, i, &row); i++) {
        g->agents = room_for_one(g->agents, g->agents_count, sizeof *g->agents);
        struct glance_agent *a = &g->agents[g->agents_count++];
        *a = (struct glance_agent){.session = row.session,
                                   .window = row.window,
                                   .leased = row.leased,
                                   .answered = row.answered,
                                   .since = row.since,
                                   .heard = row.heard};
        name_take(a->account, row.account);
        name_take(a->department, row.department);
        name_take(a->software, row.software);
        name_take(a->address, row.address);
    }
}

int glance_take(struct peer *peer, const char *department, struct glance *ret) {
    est_event event;
    memset(ret, 0, sizeof *ret);
    uint64_t ref = peer_ref(peer);
    int status = peer_answer(peer, est_client_stats(peer->client, ref), ref, EST_EVENT_STATS, &event);
    if (status)
        return status;
    stats_take(ret, &event);
    ret->at = moment_now();
    status = pages_read(peer, est_client_queues, EST_EVENT_QUEUES, department, queues_page, ret);
    return status ? status
                  : pages_read(peer, est_client_agents, EST_EVENT_AGENTS, department, agents_page, ret);
}

void glance_done(struct glance *glance) {
    free(glance->stats);
    free(glance->queues);
    free(glance->agents);
    memset(glance, 0, sizeof *glance);
}

uint64_t glance_stat(const struct glance *glance, const char *name) {
    for (size_t i = 0; i < glance->stats_count; i++)
        if (strcmp(glance->stats[i].name, name) == 0)
            return glance->stats[i].value;
    return 0;
}

uint64_t glance_grown(const struct glance *before, const struct glance *now, const char *name) {
    bool same = glance_stat(before, "started_us") == glance_stat(now, "started_us");
    uint64_t was = same ? glance_stat(before, name) : 0, is = glance_stat(now, name);
    return is > was ? is - was : 0;
}

double glance_rate(const struct glance *before, const struct glance *now, const char *name) {
    int64_t us = now->at.us - before->at.us;
    return us > 0 ? (double)glance_grown(before, now, name) * 1e6 / (double)us : 0;
}

double glance_ratio(const struct glance *before, const struct glance *now, const char *sum,
                    const char *count) {
    uint64_t times = glance_grown(before, now, count);
    return times ? (double)glance_grown(before, now, sum) / (double)times : 0;
}
