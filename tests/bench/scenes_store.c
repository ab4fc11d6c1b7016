/* scenes_store.c - a store that is full of open inquiries, or of finished ones. */
#include "city.h"
#include "fill.h"
#include "scenario.h"

#include <link.h>
#include <string.h>

enum { GIB_MAX = 20, STATUS_BODY = BENCH_BODY_MIN };

/* --- A deep queue ----------------------------------------------------------------------------------- */

/* The queue is deep, and stays so: for each answer that comes in one more inquiry goes out. When the
 * time is up nothing goes out, and all of it is answered; the round counts every one. */
static struct row *depth_round(struct scenes *s, const struct scenario *of, unsigned depth) {
    struct plan plan = scene_plan(s, 1000, !s->curve_off);
    struct filled filled;
    char folder[512];
    struct row *row = NULL;
    if (!scene_folder_make(s, folder))
        return NULL;
    plan.body = STATUS_BODY;
    plan.store = folder;
    plan.depth = depth;
    int code = fill_open(&plan, depth, &filled);
    if (code == 0)
        row = scene_round(s, of, &plan, "%u deep", depth);
    else
        s->code = s->code == 0 ? code : s->code;
    scene_folder_remove(folder);
    if (!row)
        return NULL;
    scene_remark(row, "serving_s", row->figures.serving_s);
    if (depth > 0) {
        scene_remark(row, "drained_per_s", depth / row->figures.draining_s);
        scene_remark(row, "store_bytes_each", (double)filled.bytes / depth);
    }
    return row;
}

static void depth_play(struct scenes *s, const struct scenario *of) {
    static const unsigned whole[] = {0, 10000, 1000000, 10000000}, quick[] = {0, 10000, 100000};
    const unsigned *depths = s->quick ? quick : whole;
    unsigned count = s->quick ? sizeof quick / sizeof *quick : sizeof whole / sizeof *whole;
    const struct row *base = NULL;
    char what[80];
    for (unsigned i = 0; i < count && !bench_stopped; i++) {
        struct row *row = depth_round(s, of, depths[i]);
        base = i == 0 ? row : base;
        if (i == 0)
            scene_tell(row);
        if (i == 0 || !row || !base)
            continue;
        double part = scene_of_base(row, base);
        double each = ((double)row->figures.anonymous - (double)base->figures.anonymous) / depths[i];
        scene_remark(row, "memory_each", each);
        scene_tell(row);
        if (i + 1 < count)
            continue;
        snprintf(what, sizeof what, "%u deep: throughput, of that of an empty queue", depths[i]);
        scene_claim(s, of, what, part, false, 0.8);
        snprintf(what, sizeof what, "%u deep: bytes of the broker's own memory an inquiry", depths[i]);
        scene_claim(s, of, what, each, true, 100);
        snprintf(what, sizeof what, "%u deep: seconds from restart to serving", depths[i]);
        scene_claim(s, of, what, row->figures.serving_s, true, 10);
    }
}

/* --- A long log -------------------------------------------------------------------------------------- */

static bool event_await(struct stage *st, struct link *link, enum session_event_kind kind,
                        struct session_event *ret) {
    int64_t until_us = bench_now_us() + CONNECT_MS * EST_US_PER_MS;
    while (!bench_stopped && !stage_is_dead(st) && bench_now_us() < until_us)
        if (link_poll(link, 100, ret) == 1 && ret->kind == kind)
            return true;
    return false;
}

/* The same numbers in every run, and as good as any others. */
static uint64_t random_next(uint64_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    return *state ^= *state << 17;
}

/* Asks for the status of one after the other, by id, at random out of all. The time is that of the
 * requester: the broker's own and two hops. */
static bool statuses_ask(struct stage *st, struct link *link, uint64_t inquiries, double seconds,
                         struct histogram *ret) {
    int64_t until_us = bench_now_us() + (int64_t)(seconds * (double)EST_US_PER_S);
    uint64_t state = 88172645463325252u;
    struct session_event event;
    while (bench_now_us() < until_us) {
        est_id id = fill_id(random_next(&state) % inquiries);
        struct message ask = {.verb = VERB_STATUS, .status.id = id};
        int64_t from_us = bench_now_us();
        if (session_ask(link_session(link), &ask) < 0 || !event_await(st, link, SESSION_ANSWER, &event))
            return false;
        if (event.message->verb != VERB_STATUS_IS ||
            memcmp(&event.message->status_is.id, &id, sizeof id) != 0 ||
            event.message->status_is.state != EST_STATE_ANSWERED)
            return false;
        histogram_add(ret, (uint64_t)(bench_now_us() - from_us));
    }
    return true;
}

static struct row *status_row(struct scenes *s, const struct scenario *of, struct plan plan,
                              uint64_t inquiries) {
    static struct histogram all;
    struct stage stage;
    struct session_event event;
    struct link *link = NULL;
    bool good = false;
    plan.window = 1;
    plan.agents = 0;
    all = (struct histogram){0};
    if (stage_open(&stage, &plan) == 0) {
        est_options options = city_options(stage.own, CITY_REQUESTER);
        good = link_open(&options, SESSION_CLIENT, NULL, NULL, &link) == 0 &&
               event_await(&stage, link, SESSION_UP, &event) &&
               statuses_ask(&stage, link, inquiries, plan.seconds, &all);
        link_close(&link, 100);
    }
    stage_close(&stage);
    if (!good || all.count == 0) {
        bench_say("no figures: a status that is not as it should be");
        s->code = s->code == 0 ? -EST_CONFLICT : s->code;
        return NULL;
    }
    struct row *row = scene_row(s, of, &plan, "status by id, one at a time");
    if (row)
        row->figures = (struct figures){.per_s = (double)all.count / plan.seconds,
                                        .p50_us = histogram_quantile(&all, 0.5),
                                        .p99_us = histogram_quantile(&all, 0.99),
                                        .p999_us = histogram_quantile(&all, 0.999)};
    scene_remark(row, "finished", (double)inquiries);
    return row;
}

static void history_full(struct scenes *s, const struct scenario *of, const struct plan *full,
                         const struct filled *filled, struct row *const base[2]) {
    char what[80];
    struct row *status = status_row(s, of, *full, filled->inquiries);
    scene_remark(status, "store_bytes_each", (double)filled->bytes / (double)filled->inquiries);
    scene_tell(status);
    if (status) {
        snprintf(what, sizeof what, "%.1f million finished: p99 of a status by id, ms, both hops in it",
                 (double)filled->inquiries / 1e6);
        scene_claim(s, of, what, (double)status->figures.p99_us / 1000, true, 1);
    }
    for (unsigned i = 0; i < 2; i++) {
        struct plan plan = *full;
        plan.window = i == 0 ? 64 : 1000;
        struct row *row = scene_round(s, of, &plan, "after %.1f million", (double)filled->inquiries / 1e6);
        double part = scene_of_base(row, base[i]);
        if (row)
            scene_remark(row, "serving_s", row->figures.serving_s);
        scene_tell(row);
        snprintf(what, sizeof what, "W = %u: throughput, of that of an empty log", plan.window);
        scene_claim(s, of, what, part, false, 0.9);
    }
}

/* As many of 50 million as fit into GIB_MAX. */
static void history_play(struct scenes *s, const struct scenario *of) {
    uint64_t wanted = s->quick ? 100000 : 50000000;
    struct plan plan = scene_plan(s, 1000, !s->curve_off);
    struct row *base[2];
    struct filled filled;
    char folder[512];
    plan.body = STATUS_BODY;
    for (unsigned i = 0; i < 2; i++) {
        plan.window = i == 0 ? 64 : 1000;
        base[i] = scene_round(s, of, &plan, "an empty log");
        scene_tell(base[i]);
    }
    if (!scene_folder_make(s, folder))
        return;
    plan.store = folder;
    int code = fill_finished(&plan, wanted, (uint64_t)GIB_MAX << 30, &filled);
    if (code == 0)
        history_full(s, of, &plan, &filled, base);
    else
        s->code = s->code == 0 ? code : s->code;
    scene_folder_remove(folder);
}

const struct scenario scenario_depth = {
    "depth", "a queue already 10 thousand, 1 million, 10 million deep; then all of it is answered",
    depth_play};
const struct scenario scenario_history = {
    "history", "a log of 50 million finished inquiries, or as many as fit into 20 GiB", history_play};
