/* scenes_disk.c - a disk whose syncs take longer (slow_disk.c). */
#include "scenario.h"

enum { FAR_LESS = 3 };

/* The disk's rate of syncs falls to so much of the base's. */
static double disk_part(const struct row *base, unsigned delay_ms) {
    double sync_us = (double)base->figures.sync_us;
    return sync_us / (sync_us + 1000.0 * delay_ms);
}

/* With W in flight, each commit takes more of them with it: the disk's rate of syncs falls to nearly
 * nothing, that of inquiries far less. */
static void disk_play(struct scenes *s, const struct scenario *of) {
    static const unsigned delays_ms[] = {0, 1, 5, 20};
    const struct row *base = NULL;
    for (unsigned i = 0; i < sizeof delays_ms / sizeof delays_ms[0] && !bench_stopped; i++) {
        struct plan plan = scene_plan(s, 1000, !s->curve_off);
        plan.sync_ms = delays_ms[i];
        struct row *row = scene_round(s, of, &plan, "each sync %u ms longer", delays_ms[i]);
        if (!row)
            continue;
        base = i == 0 ? row : base;
        scene_remark(row, "commits_per_s", row->figures.commits_per_s);
        scene_remark(row, "inquiries_per_commit", row->figures.batch);
        double part = i == 0 ? 0 : scene_of_base(row, base);
        if (i > 0 && base && base->figures.sync_us > 0) {
            char what[80];
            double disk = disk_part(base, delays_ms[i]);
            scene_remark(row, "disk_of_base", disk);
            snprintf(what, sizeof what, "%u ms: throughput of base, of what the disk's syncs are of base",
                     delays_ms[i]);
            scene_claim(s, of, what, part / disk, false, FAR_LESS);
        }
        scene_tell(row);
    }
}

const struct scenario scenario_disk = {"disk", "each sync of the disk takes 1, 5, 20 ms longer", disk_play};
