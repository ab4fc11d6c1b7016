/* figures.c - see figures.h. */
#include "figures.h"

#include <stdlib.h>
#include <string.h>

struct figures *figures_new(void) {
    return calloc(1, sizeof(struct figures));
}

void figures_free(struct figures **at) {
    struct figures *f = *at;
    if (!f)
        return;
    free(f->stats);
    free(f->departments);
    free(f->counters);
    free(f->keys);
    free(f);
    *at = NULL;
}

/* Room for one more row, zeroed; NULL where there is none. Grows at powers of two. */
static void *row_add(void **rows, size_t *count, size_t max, size_t size) {
    if (*count == max)
        return NULL;
    if ((*count & (*count - 1)) == 0) {
        void *grown = realloc(*rows, (*count ? *count * 2 : 1) * size);
        if (!grown)
            return NULL;
        *rows = grown;
    }
    void *row = (char *)*rows + (*count)++ * size;
    return memset(row, 0, size);
}
#define ROW_ADD(f, rows, max) row_add((void **)&(f)->rows, &(f)->rows##_count, max, sizeof *(f)->rows)

static void name_take(char *ret, size_t room, est_slice text) {
    size_t size = text.size < room - 1 ? text.size : room - 1;
    memcpy(ret, size ? text.data : "", size);
    ret[size] = '\0';
}

void figures_stats(struct figures *f, const est_event *event) {
    est_stat_row row;
    f->stats_known = true;
    for (size_t i = 0; est_row_stat(event, i, &row); i++) {
        struct figure_stat *stat = ROW_ADD(f, stats, STATS_MAX);
        if (!stat)
            return;
        name_take(stat->name, sizeof stat->name, row.name);
        stat->value = row.value;
    }
}

static struct figure_department *department_of(struct figures *f, est_slice name) {
    char text[FIGURE_NAME];
    name_take(text, sizeof text, name);
    for (size_t i = f->departments_count; i-- > 0;) /* rows of one department come together */
        if (strcmp(f->departments[i].name, text) == 0)
            return &f->departments[i];
    struct figure_department *d = ROW_ADD(f, departments, DEPARTMENTS_MAX);
    if (d)
        memcpy(d->name, text, sizeof text);
    return d;
}

void figures_queues(struct figures *f, const est_event *event) {
    est_queue_row row;
    f->queues_known = true;
    for (size_t i = 0; est_row_queue(event, i, &row); i++) {
        struct figure_department *d = department_of(f, row.department);
        if (!d)
            continue;
        d->waiting += row.waiting;
        d->delayed += row.delayed;
        d->leased += row.leased;
        d->parked += row.parked;
        d->unserved += row.unserved;
        d->paused = d->paused || row.paused;
        if (row.oldest.us && (!d->oldest.us || row.oldest.us < d->oldest.us))
            d->oldest = row.oldest;
    }
}

void figures_agents(struct figures *f, const est_event *event) {
    est_agent_row row;
    f->agents_known = true;
    for (size_t i = 0; est_row_agent(event, i, &row); i++) {
        struct figure_department *d = department_of(f, row.department);
        if (!d)
            continue;
        d->agents++;
        d->heard.us = row.heard.us > d->heard.us ? row.heard.us : d->heard.us;
    }
}

void figures_counters(struct figures *f, const est_event *event) {
    est_counter_row row;
    f->counters_known = true;
    f->counters_seq = event->seq;
    for (size_t i = 0; est_row_counter(event, i, &row); i++) {
        struct figure_counter *c = ROW_ADD(f, counters, COUNTERS_MAX);
        if (!c)
            return;
        name_take(c->name, sizeof c->name, row.name);
        name_take(c->department, sizeof c->department, row.department);
        name_take(c->label, sizeof c->label, row.label);
        c->value = row.value;
    }
}

void figures_keys(struct figures *f, const est_event *event) {
    est_key_row row;
    f->keys_known = true;
    for (size_t i = 0; est_row_key(event, i, &row); i++) {
        struct figure_key *k = ROW_ADD(f, keys, KEYS_MAX);
        if (!k)
            return;
        name_take(k->account, sizeof k->account, row.account);
        name_take(k->role, sizeof k->role, row.role);
        name_take(k->key, sizeof k->key, row.key);
        k->from = row.from;
        k->until = row.until;
    }
}

void figures_config(struct figures *f, const est_event *event) {
    est_config_row row;
    f->config_known = true;
    for (size_t i = 0; est_row_config(event, i, &row); i++) {
        if (row.name.size == 7 && memcmp(row.name.data, "version", 7) == 0)
            name_take(f->version, sizeof f->version, row.value);
        if (row.name.size == 4 && memcmp(row.name.data, "city", 4) == 0)
            name_take(f->city, sizeof f->city, row.value);
    }
}

bool figures_stat(const struct figures *f, const char *name, uint64_t *ret) {
    for (size_t i = 0; i < f->stats_count; i++) {
        if (strcmp(f->stats[i].name, name) == 0) {
            *ret = f->stats[i].value;
            return true;
        }
    }
    return false;
}
