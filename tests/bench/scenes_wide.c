/* scenes_wide.c - more of everything that is connected: players, agents with nothing to do, routes, a
 * department that has stopped. */
#include "crowd.h"
#include "scenario.h"

static const unsigned windows[] = {64, 1000};
enum { WINDOWS = sizeof windows / sizeof windows[0], TYPES = 80, MANY = 8 };

/* --- 8 requesters and 8 agents ---------------------------------------------------------------------- */

static void many_of(struct scenes *s, const struct scenario *of, unsigned window, bool curve) {
    struct plan plan = scene_plan(s, window, curve);
    const struct row *base = scene_round(s, of, &plan, "1 requester, 1 agent");
    scene_tell(base);
    plan.requesters = plan.agents = MANY;
    struct row *row = scene_round(s, of, &plan, "%d requesters, %d agents", MANY, MANY);
    scene_of_base(row, base);
    scene_tell(row);
}

static void many_play(struct scenes *s, const struct scenario *of) {
    for (unsigned i = 0; i < WINDOWS; i++) {
        if (s->curve_off)
            many_of(s, of, windows[i], false);
        if (s->curve_on)
            many_of(s, of, windows[i], true);
    }
}

/* --- 500 connected agents --------------------------------------------------------------------------- */

static void idle_play(struct scenes *s, const struct scenario *of) {
    for (unsigned i = 0; i < WINDOWS; i++) {
        struct plan plan = scene_plan(s, windows[i], !s->curve_off);
        const struct row *base = scene_round(s, of, &plan, "nobody else");
        scene_tell(base);
        plan.crowd = &crowd_idle;
        struct row *row =
            scene_round(s, of, &plan, "%d more agents, %d/s", IDLE_PROCESSES * IDLE_EACH, IDLE_PER_S);
        scene_of_base(row, base);
        scene_tell(row);
    }
}

/* --- 1,760 routes ----------------------------------------------------------------------------------- */

static void routes_play(struct scenes *s, const struct scenario *of) {
    for (unsigned i = 0; i < WINDOWS; i++) {
        struct plan plan = scene_plan(s, windows[i], !s->curve_off);
        const struct row *base = scene_round(s, of, &plan, "%d routes: 1 type", DISTRICTS);
        scene_tell(base);
        plan.types = TYPES;
        struct row *row = scene_round(s, of, &plan, "%d routes: %d types", DISTRICTS * TYPES, TYPES);
        scene_of_base(row, base);
        scene_tell(row);
    }
}

/* --- A department whose agents stopped --------------------------------------------------------------- */

static void stopped_play(struct scenes *s, const struct scenario *of) {
    for (unsigned i = 0; i < WINDOWS; i++) {
        struct plan plan = scene_plan(s, windows[i], !s->curve_off);
        plan.crowd = &crowd_working;
        const struct row *base = scene_round(s, of, &plan, "both answer");
        scene_tell(base);
        plan.crowd = &crowd_stopped;
        struct row *row = scene_round(s, of, &plan, "the second has stopped");
        double part = scene_of_base(row, base);
        scene_tell(row);
        char what[80];
        snprintf(what, sizeof what, "W = %u: the others' throughput, of that before", windows[i]);
        scene_claim(s, of, what, part, false, 0.9);
    }
}

const struct scenario scenario_many = {"many", "8 requesters and 8 agents", many_play};
const struct scenario scenario_idle = {"idle", "500 connected agents with hardly anything to do", idle_play};
const struct scenario scenario_routes = {"routes", "1,760 routes: 80 types in 22 districts", routes_play};
const struct scenario scenario_stopped = {
    "stopped", "a second department gets 2,000 inquiries a second, and its agents stop", stopped_play};
