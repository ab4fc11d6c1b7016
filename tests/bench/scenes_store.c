/* scenes_store.c - a store that is full of open inquiries, or of finished ones. */
#include "city.h"
#include "fill.h"
#include "scenario.h"

#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { BODY = BENCH_BODY_MIN, NEWEST = 1000000, DEPTHS = 3, DEPTH_LEAST = 10000, DEPTH_TURNS = 5, MEMORY_TAKEN_MIB = 3072 };

/* --- A deep queue ----------------------------------------------------------------------------------- */

/* How long a broker takes that finds nothing of the store in memory; 0 after trouble. */
static double cold_start(const struct plan *plan) {
    struct stage stage;
    fill_chill(plan);
    int code = stage_open(&stage, plan);
    double serving_s = stage.serving_s;
    return stage_close(&stage) < 0 || code < 0 ? 0 : serving_s;
}

/* A virtual machine gives memory that it does not use back to its host, and whoever uses it first again waits
 * until the host has found it: 10 to 14 us for a page of the page cache instead of 1 (once 3 GB of it were in
 * use), and each second of a row takes 0.3 GB. How much is away depends on what ran before, so at every depth the
 * host has to find it beforehand. */
static void memory_take(void) {
    size_t size = (size_t)MEMORY_TAKEN_MIB << 20, page = (size_t)sysconf(_SC_PAGESIZE);
    char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return;
    for (size_t at = 0; at < size; at += page)
        memory[at] = 1;
    munmap(memory, size);
}

/* The queue is deep, and stays so: for each answer that comes in one more inquiry goes out. When the
 * time is up nothing goes out, and all of it is answered; the round counts every one. A queue that
 * grew while the broker ran is in the page cache, so it is put there. */
static struct row *depth_row(struct scenes *s, const struct scenario *of, struct plan *plan) {
    struct filled filled;
    int code = fill_open(plan, plan->depth, &filled);
    if (code < 0) {
        s->code = s->code == 0 ? code : s->code;
        return NULL;
    }
    double cold_s = cold_start(plan);
    if (cold_s == 0) {
        s->code = s->code == 0 ? -EST_UNREACHABLE : s->code;
        return NULL;
    }
    fill_warm(plan);
    memory_take();
    struct row *row = scene_round(s, of, plan, "%u deep", plan->depth);
    if (!row)
        return NULL;
    scene_remark(row, "cold_serving_s", cold_s);
    scene_remark(row, "serving_s", row->figures.serving_s);
    if (plan->depth > 0) {
        scene_remark(row, "drained_per_s", plan->depth / row->figures.draining_s);
        scene_remark(row, "store_bytes_each", (double)filled.bytes / plan->depth);
    }
    return row;
}

static struct row *depth_round(struct scenes *s, const struct scenario *of, unsigned depth) {
    struct plan plan = scene_plan(s, 1000, !s->curve_off);
    char folder[512];
    if (!scene_folder_make(s, folder))
        return NULL;
    plan.body = BODY;
    plan.store = folder;
    plan.depth = depth;
    struct row *row = depth_row(s, of, &plan);
    scene_folder_remove(folder);
    return row;
}

static void depth_claims(struct scenes *s, const struct scenario *of, const struct row *row, double part,
                         double each) {
    unsigned depth = row->plan.depth;
    char what[80];
    snprintf(what, sizeof what, "%u deep: throughput, of that of an empty queue", depth);
    scene_claim(s, of, what, part, false, 0.8);
    snprintf(what, sizeof what, "%u deep: bytes of the broker's own memory an inquiry", depth);
    scene_claim(s, of, what, each, true, 100);
    snprintf(what, sizeof what, "%u deep: seconds from a cold restart to serving", depth);
    scene_claim(s, of, what, row->remarks[0].value, true, 10);
}

/* What one depth has shown: its rows, the row of an empty queue that was played before each, and what part of
 * that one's throughput each had. */
struct depth_seen {
    struct row rows[DEPTH_TURNS], empty[DEPTH_TURNS];
    double parts[DEPTH_TURNS];
    size_t count;
};

static void depth_turn(struct scenes *s, const struct scenario *of, unsigned depth, struct depth_seen *seen) {
    size_t before = s->count;
    const struct row *empty = depth_round(s, of, 0);
    const struct row *deep = empty ? depth_round(s, of, depth) : NULL;
    if (deep) {
        seen->empty[seen->count] = *empty;
        seen->rows[seen->count] = *deep;
        seen->parts[seen->count++] = deep->figures.per_s / empty->figures.per_s;
    }
    s->count = before;
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static void depth_judge(struct scenes *s, const struct scenario *of, struct depth_seen *seen, const struct row *base) {
    struct row *row = scene_middle(s, seen->rows, seen->count);
    if (!row)
        return;
    unsigned depth = row->plan.depth;
    qsort(seen->parts, seen->count, sizeof *seen->parts, by_size);
    double part = seen->parts[seen->count / 2];
    double each = ((double)row->figures.anonymous - (double)base->figures.anonymous) / depth;
    scene_remark(row, "of_base", part);
    scene_remark(row, "memory_each", each);
    scene_tell(row);
    if (depth > DEPTH_LEAST) /* below, whole pages and tables are all that is seen */
        depth_claims(s, of, row, part, each);
}

/* Two rows of one broker differ by a sixth and more, and one hour from the next by as much. So all depths are
 * played DEPTH_TURNS times, an empty queue before each of them, and each is compared with the empty queue just before it:
 * `of_base` is the middle one of these parts. The rows told are the middle ones by throughput. */
static void depth_play(struct scenes *s, const struct scenario *of) {
    unsigned depths[DEPTHS] = {DEPTH_LEAST, 1000000, 10000000};
    static struct depth_seen seen[DEPTHS];
    static struct row empty[DEPTHS * DEPTH_TURNS];
    size_t count = 0;
    uint64_t most = s->most > 0 ? s->most : s->quick ? DEPTH_LEAST : depths[DEPTHS - 1];
    if (most < DEPTH_LEAST)
        depths[0] = (unsigned)most;
    for (int turn = 0; turn < (s->quick ? 1 : DEPTH_TURNS); turn++)
        for (int i = 0; i < DEPTHS && depths[i] <= most && !bench_stopped; i++)
            depth_turn(s, of, depths[i], &seen[i]);
    for (int i = 0; i < DEPTHS; i++)
        for (size_t k = 0; k < seen[i].count; k++)
            empty[count++] = seen[i].empty[k];
    const struct row *base = scene_middle(s, empty, count);
    scene_tell(base);
    for (int i = 0; i < DEPTHS && base; i++)
        depth_judge(s, of, &seen[i], base);
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

/* Asks for the status of one after the other, by id, at random out of the newest `among`. The time is that of
 * the requester: the broker's own and two hops. */
static bool statuses_ask(struct stage *st, struct link *link, uint64_t inquiries, uint64_t among,
                         double seconds, struct histogram *ret) {
    int64_t until_us = bench_now_us() + (int64_t)(seconds * (double)EST_US_PER_S);
    uint64_t state = 88172645463325252u;
    struct session_event event;
    while (bench_now_us() < until_us) {
        est_id id = fill_id(inquiries - 1 - random_next(&state) % among);
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
                              uint64_t inquiries, uint64_t among) {
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
               statuses_ask(&stage, link, inquiries, among, plan.seconds, &all);
        link_close(&link, 100);
    }
    stage_close(&stage);
    if (!good || all.count == 0) {
        bench_say("no figures: a status that is not as it should be");
        s->code = s->code == 0 ? -EST_CONFLICT : s->code;
        return NULL;
    }
    struct row *row =
        scene_row(s, of, &plan, among < inquiries ? "status by id, newest million" : "status by id, any");
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
    uint64_t newest = filled->inquiries < NEWEST ? filled->inquiries : NEWEST;
    for (unsigned i = 0; i < 2; i++) {
        struct row *row = status_row(s, of, *full, filled->inquiries, i == 0 ? filled->inquiries : newest);
        scene_remark(row, "store_bytes_each", (double)filled->bytes / (double)filled->inquiries);
        scene_remark(row, "filled_per_s", (double)filled->inquiries / filled->seconds);
        scene_tell(row);
        if (!row)
            continue;
        snprintf(what, sizeof what, "%.1f million finished: p99 ms of a status by id, %s",
                 (double)filled->inquiries / 1e6, i == 0 ? "any" : "newest million");
        scene_claim(s, of, what, (double)row->figures.p99_us / 1000, true, 1);
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

/* Half of what the disk has free; the other half is somebody else's. */
static uint64_t room_of(const char *folder) {
    struct statvfs disk;
    return statvfs(folder, &disk) == 0 ? (uint64_t)disk.f_bavail * disk.f_frsize / 2 : 0;
}

/* 50 million, or as many as there is room for. */
static void history_play(struct scenes *s, const struct scenario *of) {
    uint64_t wanted = s->most > 0 ? s->most : s->quick ? 100000 : 50000000;
    struct plan plan = scene_plan(s, 1000, !s->curve_off);
    struct row *base[2];
    struct filled filled;
    char folder[512];
    plan.body = BODY;
    for (unsigned i = 0; i < 2; i++) {
        plan.window = i == 0 ? 64 : 1000;
        base[i] = scene_round(s, of, &plan, "an empty log");
        scene_tell(base[i]);
    }
    if (!scene_folder_make(s, folder))
        return;
    plan.store = folder;
    uint64_t room = room_of(folder);
    int code = fill_finished(&plan, wanted, room, &filled);
    if (code == 0 && filled.inquiries == 0)
        code = -EST_FULL;
    if (code == 0 && filled.inquiries < wanted)
        bench_say("history: %.1f million instead of %.1f: there is room for %.1f GiB, half of what the disk has free",
                  (double)filled.inquiries / 1e6, (double)wanted / 1e6, (double)room / (1 << 30));
    if (code == 0)
        fill_warm(&plan);
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
    "history", "a log of 50 million finished inquiries, or as many as fit into half of the free disk", history_play};
