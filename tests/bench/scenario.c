/* scenario.c - see scenario.h. */
#include "scenario.h"

#include <errno.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

extern const struct scenario scenario_many, scenario_idle, scenario_routes, scenario_depth, scenario_history,
    scenario_disk, scenario_stopped;

const struct scenario *const scenarios[] = {
    &scenario_many, &scenario_idle,  &scenario_routes,  &scenario_stopped,
    &scenario_disk, &scenario_depth, &scenario_history, NULL};

const struct scenario *scenario_find(const char *name, size_t size) {
    for (size_t i = 0; scenarios[i]; i++)
        if (strlen(scenarios[i]->name) == size && memcmp(scenarios[i]->name, name, size) == 0)
            return scenarios[i];
    return NULL;
}

/* --- Rows ------------------------------------------------------------------------------------------ */

struct plan scene_plan(const struct scenes *s, unsigned window, bool curve) {
    struct plan plan = s->like;
    plan.window = window;
    plan.curve = curve;
    plan.requesters = plan.agents = 1;
    return plan;
}

struct row *scene_row(struct scenes *s, const struct scenario *of, const struct plan *plan, const char *at) {
    if (s->count == s->max)
        return NULL;
    struct row *row = &s->rows[s->count++];
    *row = (struct row){.plan = *plan, .scenario = of->name};
    row->plan.store = NULL; /* it goes when the scenario ends */
    snprintf(row->at, sizeof row->at, "%s", at);
    return row;
}

struct row *scene_round(struct scenes *s, const struct scenario *of, const struct plan *plan, const char *at,
                        ...) {
    char text[sizeof(((struct row *)0)->at)];
    struct figures figures;
    va_list arguments;
    va_start(arguments, at);
    vsnprintf(text, sizeof text, at, arguments);
    va_end(arguments);
    int code = bench_stopped ? -EST_CLOSED : round_run(plan, &figures);
    if (code < 0) {
        bench_say("no figures: %s, %s", of->name, text);
        s->code = s->code == 0 || code == -EST_CONFLICT ? code : s->code;
        return NULL;
    }
    struct row *row = scene_row(s, of, plan, text);
    if (row)
        row->figures = figures;
    return row;
}

static int by_throughput(const void *a, const void *b) {
    double x = ((const struct row *)a)->figures.per_s, y = ((const struct row *)b)->figures.per_s;
    return x < y ? -1 : x > y;
}

struct row *scene_middle(struct scenes *s, struct row *rows, size_t count) {
    if (count == 0 || s->count == s->max)
        return NULL;
    qsort(rows, count, sizeof *rows, by_throughput);
    s->rows[s->count] = rows[count / 2];
    return &s->rows[s->count++];
}

double scene_compare(struct scenes *s, const struct scenario *of, const struct scene_case *base,
                     const struct scene_case *other) {
    static struct row played[2][TURNS];
    size_t counts[2] = {0, 0};
    for (int turn = 0; turn < (s->quick ? 1 : TURNS); turn++)
        for (int which = 0; which < 2; which++) {
            const struct scene_case *c = which == 0 ? base : other;
            const struct row *row = scene_round(s, of, c->plan, "%s", c->at);
            if (!row)
                continue;
            played[which][counts[which]++] = *row;
            s->count--;
        }
    struct row *first = scene_middle(s, played[0], counts[0]);
    struct row *second = scene_middle(s, played[1], counts[1]);
    double part = scene_of_base(second, first);
    scene_tell(first);
    scene_tell(second);
    return part;
}

void scene_remark(struct row *row, const char *name, double value) {
    if (row && row->remarks_count < REMARKS_MAX)
        row->remarks[row->remarks_count++] = (struct remark){name, value};
}

double scene_of_base(struct row *row, const struct row *base) {
    if (!row || !base || base->figures.per_s <= 0)
        return 0;
    double part = row->figures.per_s / base->figures.per_s;
    scene_remark(row, "of_base", part);
    return part;
}

void scene_claim(struct scenes *s, const struct scenario *of, const char *what, double value, bool at_most,
                 double reach) {
    if (s->claims_count == CLAIMS_MAX)
        return;
    struct scenario_claim *claim = &s->claims[s->claims_count++];
    *claim =
        (struct scenario_claim){.scenario = of->name, .value = value, .reach = reach, .at_most = at_most};
    snprintf(claim->what, sizeof claim->what, "%s", what);
}

/* --- For people ------------------------------------------------------------------------------------ */

void scene_tell(const struct row *row) {
    if (!row)
        return;
    const struct plan *p = &row->plan;
    const struct figures *f = &row->figures;
    printf("%-8s %-30s %-5s %6u %4u %4u %11.0f %8llu %8llu ", row->scenario, row->at, p->curve ? "on" : "off",
           p->window, p->requesters, p->agents, f->per_s, (unsigned long long)f->p50_us,
           (unsigned long long)f->p99_us);
    for (size_t i = 0; i < row->remarks_count; i++)
        printf(" %s %.4g%s", row->remarks[i].name, row->remarks[i].value,
               i + 1 < row->remarks_count ? "," : "");
    printf("\n");
    fflush(stdout);
}

static void claims_print(const struct scenes *s) {
    if (s->claims_count > 0)
        printf("\nWhat must hold:\n");
    for (size_t i = 0; i < s->claims_count; i++) {
        const struct scenario_claim *c = &s->claims[i];
        bool met = c->at_most ? c->value <= c->reach : c->value >= c->reach;
        printf("%-8s %-72s %10.4g  %s %-8g %s\n", c->scenario, c->what, c->value,
               c->at_most ? "<=" : ">=", c->reach, met ? "met" : "NOT MET");
    }
    fflush(stdout);
}

int scenarios_play(struct scenes *s, const struct scenario *const *of, size_t count) {
    printf("%-8s %-30s %-5s %6s %4s %4s %11s %8s %8s\n", "scenario", "case", "curve", "window", "req.", "ag.",
           "inquiries/s", "p50 us", "p99 us");
    for (size_t i = 0; i < count && !bench_stopped; i++)
        of[i]->play(s, of[i]);
    claims_print(s);
    return s->code;
}

/* --- Folders --------------------------------------------------------------------------------------- */

bool scene_folder_make(const struct scenes *s, char ret[512]) {
    snprintf(ret, 512, "%s/estelam-bench-store-XXXXXX", s->like.directory);
    if (mkdtemp(ret))
        return true;
    bench_say("%s: %s", ret, strerror(errno));
    return false;
}

static int file_remove(const char *path, const struct stat *status, int kind, struct FTW *where) {
    (void)status, (void)kind, (void)where;
    return remove(path);
}

void scene_folder_remove(const char *path) {
    nftw(path, file_remove, 8, FTW_DEPTH | FTW_PHYS);
}
