/* scenes_wide.c - more of everything that is connected: players, agents with nothing to do, routes, a
 * department that has stopped. */
#include "crowd.h"
#include "scenario.h"

static const unsigned windows[] = {64, 1000};
enum { WINDOWS = sizeof windows / sizeof windows[0], TYPES = 80, MANY = 8 };

/* --- 8 requesters and 8 agents ---------------------------------------------------------------------- */

static void many_of(struct scenes *s, const struct scenario *of, unsigned window, bool curve) {
    struct plan one = scene_plan(s, window, curve), many = one;
    many.requesters = many.agents = MANY;
    const struct scene_case base = {&one, "1 requester, 1 agent"}, other = {&many, "8 requesters, 8 agents"};
    scene_compare(s, of, &base, &other);
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
        struct plan alone = scene_plan(s, windows[i], !s->curve_off), crowded = alone;
        crowded.crowd = &crowd_idle;
        const struct scene_case base = {&alone, "nobody else"}, other = {&crowded, "500 more agents, 50/s"};
        scene_compare(s, of, &base, &other);
    }
}

/* --- 1,760 routes ----------------------------------------------------------------------------------- */

static void routes_play(struct scenes *s, const struct scenario *of) {
    for (unsigned i = 0; i < WINDOWS; i++) {
        struct plan few = scene_plan(s, windows[i], !s->curve_off), many = few;
        many.types = TYPES;
        const struct scene_case base = {&few, "22 routes: 1 type"}, other = {&many, "1,760 routes: 80 types"};
        scene_compare(s, of, &base, &other);
    }
}

/* --- A department whose agents stopped --------------------------------------------------------------- */

static void stopped_play(struct scenes *s, const struct scenario *of) {
    for (unsigned i = 0; i < WINDOWS; i++) {
        struct plan both = scene_plan(s, windows[i], !s->curve_off), one = both;
        char what[80];
        both.crowd = &crowd_working;
        one.crowd = &crowd_stopped;
        const struct scene_case base = {&both, "both answer"}, other = {&one, "the second has stopped"};
        double part = scene_compare(s, of, &base, &other);
        snprintf(what, sizeof what, "W = %u: the others' throughput, of that before", windows[i]);
        scene_claim(s, of, what, part, false, 0.9);
    }
}

const struct scenario scenario_many = {"many", "8 requesters and 8 agents", many_play};
const struct scenario scenario_idle = {"idle", "500 connected agents with hardly anything to do", idle_play};
const struct scenario scenario_routes = {"routes", "1,760 routes: 80 types in 22 districts", routes_play};
const struct scenario scenario_stopped = {
    "stopped", "a second department gets 2,000 inquiries a second, and its agents stop", stopped_play};
