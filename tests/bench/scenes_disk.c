/* scenes_disk.c - a disk whose syncs take longer (slow_disk.c). */
#include "scenario.h"

/* With W in flight, each commit takes more of them with it; the rate of commits falls as the disk
 * says, that of inquiries far less. */
static void disk_play(struct scenes *s, const struct scenario *of) {
    static const unsigned delays_ms[] = {0, 1, 5, 20};
    const struct row *base = NULL;
    for (unsigned i = 0; i < sizeof delays_ms / sizeof delays_ms[0] && !bench_stopped; i++) {
        struct plan plan = scene_plan(s, 1000, !s->curve_off);
        plan.sync_ms = delays_ms[i];
        struct row *row = scene_round(s, of, &plan, "each sync %u ms longer", delays_ms[i]);
        if (!row)
            continue;
        scene_remark(row, "commits_per_s", row->figures.commits_per_s);
        scene_remark(row, "inquiries_per_commit", row->figures.batch);
        if (i == 0)
            base = row;
        double part = scene_of_base(row, base);
        double commits = base && base->figures.commits_per_s > 0
                             ? row->figures.commits_per_s / base->figures.commits_per_s
                             : 0;
        scene_remark(row, "commits_of_base", commits);
        scene_tell(row);
        if (i == 0 || commits == 0)
            continue;
        char what[80];
        snprintf(what, sizeof what, "%u ms: throughput falls less than the commits do, so many times",
                 delays_ms[i]);
        scene_claim(s, of, what, part / commits, false, 2);
    }
}

const struct scenario scenario_disk = {"disk", "each sync of the disk takes 1, 5, 20 ms longer", disk_play};
