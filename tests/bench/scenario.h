/* scenario.h - what happens to Estelam as work grows: rows beside the comparison.
 *
 * A scenario plays rounds that differ in one thing, the first of them without it: the base. Its rows
 * go into the same table, bench.json and plot; what must hold is a claim, judged when all is done.
 */
#ifndef SCENARIO_H
#define SCENARIO_H

#include "system.h"

enum { CLAIMS_MAX = 64, SCENARIO_ROWS_MAX = 128 };

/* `value` is to be at least, or at most, `reach`. */
struct scenario_claim {
    const char *scenario;
    char what[80];
    double value, reach;
    bool at_most;
};

struct scenes {
    struct plan like; /* seconds, body, folders as asked for */
    bool quick;       /* sizes of CI */
    uint64_t most;    /* inquiries in a store that is filled; 0: as many as the scenario says */
    bool curve_off, curve_on;
    struct row *rows;
    size_t count, max;
    struct scenario_claim claims[CLAIMS_MAX];
    size_t claims_count;
    int code; /* the first trouble */
};

struct scenario {
    const char *name, *about;
    void (*play)(struct scenes *, const struct scenario *);
};

/* NULL-ended. */
extern const struct scenario *const scenarios[];
/* NULL where there is none of this name, which is `size` bytes long. */
const struct scenario *scenario_find(const char *name, size_t size);

/* Prints the head of the table, plays, prints the claims. 0 or the code of the first trouble. */
int scenarios_play(struct scenes *, const struct scenario *const *, size_t count);

/* --- For scenarios --------------------------------------------------------------------------------- */

/* The plan to begin with: Estelam, one requester and one agent, this window. */
struct plan scene_plan(const struct scenes *, unsigned window, bool curve);
/* Plays one round; its case in words. NULL after trouble, which the others outlive. */
struct row *scene_round(struct scenes *, const struct scenario *, const struct plan *, const char *at, ...)
    __attribute__((format(printf, 4, 5)));
/* Plays the base and the case it is compared with in turn, TURNS times each (once when quick), and keeps the
 * middle one of each by throughput: a machine is not the same from one moment to the next. Tells both,
 * and gives the second's throughput as a part of the first's; 0 after trouble. */
enum { TURNS = 3 };
struct scene_case {
    const struct plan *plan;
    char at[48];
};
double scene_compare(struct scenes *, const struct scenario *, const struct scene_case *base,
                     const struct scene_case *other);
/* Of `count` rows that were taken back out, keeps the middle one by throughput. They are sorted. NULL where there
 * is none. */
struct row *scene_middle(struct scenes *, struct row *rows, size_t count);
/* A row that is no round: the figures are to be filled in. */
struct row *scene_row(struct scenes *, const struct scenario *, const struct plan *, const char *at);
/* NULL is no row: nothing happens. */
void scene_remark(struct row *, const char *name, double value);
/* Throughput of a row as a part of the base's; also a remark of the row. 0 where either is NULL. */
double scene_of_base(struct row *, const struct row *base);
void scene_tell(const struct row *);
void scene_claim(struct scenes *, const struct scenario *, const char *what, double value, bool at_most,
                 double reach);
/* A folder of its own beside the stages', and its removal with all that is in it. */
bool scene_folder_make(const struct scenes *, char ret[512]);
void scene_folder_remove(const char *path);

#endif
