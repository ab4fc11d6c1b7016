/* ratios.c - see ratios.h. */
#include "ratios.h"

#include <string.h>

/* p99 at W = 1,000 has to be better, at W = 64 no worse. */
const struct promise promises[] = {
    {1, 256, false, P50_NO_WORSE, 1.5},       {1, 256, true, P50_NO_WORSE, 1.5},
    {64, 256, false, THROUGHPUT, 3},          {64, 256, false, P99_NO_WORSE, 1},
    {64, 256, true, THROUGHPUT, 1.8},         {64, 256, true, P99_NO_WORSE, 1},
    {1000, 256, false, THROUGHPUT, 5},        {1000, 256, false, P99_NO_WORSE, 1},
    {1000, 256, false, THROUGHPUT_PROXY, .5}, {1000, 256, true, THROUGHPUT, 3},
    {1000, 256, true, P99_NO_WORSE, 1},       {1000, 256, true, THROUGHPUT_PROXY, .25},
    {64, 1024, false, THROUGHPUT, 3},         {1000, 1024, false, THROUGHPUT, 3},
};
const size_t promises_count = sizeof promises / sizeof promises[0];

static bool same_job(const struct plan *a, const struct plan *b) {
    return a->window == b->window && a->body == b->body && a->requesters == b->requesters &&
           a->agents == b->agents;
}

static bool is_durable_peer(const struct system *s) {
    return !s->ours && !s->limit && !s->unsynced;
}

const struct row *ratio_fastest_peer(const struct row *ours, const struct row *rows, size_t count) {
    const struct row *best = NULL;
    for (size_t i = 0; i < count; i++)
        if (is_durable_peer(rows[i].plan.system) && same_job(&rows[i].plan, &ours->plan) &&
            (!best || rows[i].figures.per_s > best->figures.per_s))
            best = &rows[i];
    return best;
}

static const struct row *soonest_peer(const struct row *ours, const struct row *rows, size_t count) {
    const struct row *best = NULL;
    for (size_t i = 0; i < count; i++)
        if (is_durable_peer(rows[i].plan.system) && same_job(&rows[i].plan, &ours->plan) &&
            (!best || rows[i].figures.p50_us < best->figures.p50_us))
            best = &rows[i];
    return best;
}

static const struct row *limit_find(const char *name, bool curve, const struct row *ours,
                                    const struct row *rows, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(rows[i].plan.system->name, name) == 0 && rows[i].plan.curve == curve &&
            same_job(&rows[i].plan, &ours->plan))
            return &rows[i];
    return NULL;
}

static double quotient(double a, double b) {
    return b > 0 ? a / b : 0;
}

static bool ratio_make(const struct promise *p, const struct row *ours, const struct row *rows, size_t count,
                       struct ratio *ret) {
    const struct row *other = p->measure == THROUGHPUT_PROXY ? limit_find("proxy", false, ours, rows, count)
                              : p->measure == P50_NO_WORSE   ? soonest_peer(ours, rows, count)
                                                             : ratio_fastest_peer(ours, rows, count);
    if (!other)
        return false;
    const struct figures *a = &ours->figures, *b = &other->figures;
    bool is_throughput = p->measure == THROUGHPUT || p->measure == THROUGHPUT_PROXY;
    *ret = (struct ratio){.promise = p, .ours = ours, .other = other};
    ret->value = is_throughput                ? quotient(a->per_s, b->per_s)
                 : p->measure == P99_NO_WORSE ? quotient((double)a->p99_us, (double)b->p99_us)
                                              : quotient((double)a->p50_us, (double)b->p50_us);
    const struct row *limit = limit_find("proxy-synced", ours->plan.curve, ours, rows, count);
    ret->limit = p->measure == THROUGHPUT && limit ? quotient(limit->figures.per_s, b->per_s) : 0;
    ret->met = is_throughput ? ret->value >= p->reach : ret->value <= p->reach;
    return true;
}

size_t ratios_make(const struct row *rows, size_t count, struct ratio *ret, size_t max) {
    size_t made = 0;
    for (size_t i = 0; i < count; i++) {
        const struct plan *plan = &rows[i].plan;
        for (size_t p = 0; plan->system->ours && !rows[i].scenario && p < promises_count && made < max; p++)
            if (promises[p].window == plan->window && promises[p].body == plan->body &&
                promises[p].curve == plan->curve)
                made += ratio_make(&promises[p], &rows[i], rows, count, &ret[made]);
    }
    return made;
}

/* --- For people ------------------------------------------------------------------------------------ */

static const char *measure_name(enum measure m) {
    static const char *const names[] = {[THROUGHPUT] = "inquiries/s against",
                                        [THROUGHPUT_PROXY] = "inquiries/s against bare",
                                        [P99_NO_WORSE] = "p99 against",
                                        [P50_NO_WORSE] = "p50 against"};
    return names[m];
}

void ratios_print(const struct ratio *ratios, size_t count) {
    if (count == 0)
        return;
    printf("\nAgainst the fastest durable peer, and the bare proxy without CURVE, of this run:\n");
    printf("%6s %5s %5s %4s %4s  %-38s %8s  %-8s %-8s %s\n", "window", "body", "curve", "req.", "ag.", "",
           "ratio", "reach", "", "proxy-synced");
    for (size_t i = 0; i < count; i++) {
        const struct ratio *r = &ratios[i];
        const struct plan *p = &r->ours->plan;
        char what[64], reach[16], limit[16] = "";
        bool least = r->promise->measure == THROUGHPUT || r->promise->measure == THROUGHPUT_PROXY;
        snprintf(what, sizeof what, "%s %s", measure_name(r->promise->measure), r->other->plan.system->name);
        snprintf(reach, sizeof reach, "%s %g", least ? ">=" : "<=", r->promise->reach);
        if (r->limit > 0)
            snprintf(limit, sizeof limit, "%.2f", r->limit);
        printf("%6u %5u %5s %4u %4u  %-38s %8.2f  %-8s %-8s %s\n", p->window, p->body,
               p->curve ? "on" : "off", p->requesters, p->agents, what, r->value, reach,
               r->met ? "met" : "NOT MET", limit);
    }
    fflush(stdout);
}
