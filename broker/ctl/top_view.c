/* top_view.c - see top_view.h. */
#include "top_view.h"
#include "moment.h"
#include "text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- Sorting -------------------------------------------------------------------------------------- */

static int compare(uint64_t a, uint64_t b) {
    return a < b ? -1 : a > b;
}

#define QUEUE_ORDER(field)                                                                                   \
    static int queue_by_##field(const void *x, const void *y) {                                              \
        const struct glance_queue *a = x, *b = y;                                                            \
        return compare(a->field, b->field);                                                                  \
    }
QUEUE_ORDER(waiting)
QUEUE_ORDER(delayed)
QUEUE_ORDER(leased)
QUEUE_ORDER(parked)
QUEUE_ORDER(agents)

static int queue_by_name(const void *x, const void *y) {
    const struct glance_queue *a = x, *b = y;
    int names = strcmp(a->department, b->department);
    return names ? names : compare(a->district, b->district);
}

/* The age: the earlier it was received the greater. No age at all is the least. */
static int queue_by_age(const void *x, const void *y) {
    const struct glance_queue *a = x, *b = y;
    return compare(a->oldest.us ? UINT64_MAX - (uint64_t)a->oldest.us : 0,
                   b->oldest.us ? UINT64_MAX - (uint64_t)b->oldest.us : 0);
}

#define AGENT_ORDER(name, expression)                                                                        \
    static int agent_by_##name(const void *x, const void *y) {                                               \
        const struct glance_agent *a = x, *b = y;                                                            \
        return expression;                                                                                   \
    }
AGENT_ORDER(account, strcmp(a->account, b->account))
AGENT_ORDER(department, strcmp(a->department, b->department))
AGENT_ORDER(leased, compare(a->leased, b->leased))
AGENT_ORDER(window, compare(a->window, b->window))
AGENT_ORDER(answered, compare(a->answered, b->answered))
AGENT_ORDER(since, compare((uint64_t)b->since.us, (uint64_t)a->since.us))
AGENT_ORDER(heard, compare((uint64_t)b->heard.us, (uint64_t)a->heard.us))

struct column_of {
    const char *title;
    int width;  /* negative: to the left */
    bool falls; /* the greatest first */
    int (*order)(const void *, const void *);
};

static const struct column_of QUEUE_COLUMNS[] = {
    {"department", -16, false, queue_by_name}, {"waiting", 8, true, queue_by_waiting},
    {"delayed", 9, true, queue_by_delayed},    {"leased", 8, true, queue_by_leased},
    {"parked", 8, true, queue_by_parked},      {"oldest", 8, true, queue_by_age},
    {"agents", 8, false, queue_by_agents},
};
static const struct column_of AGENT_COLUMNS[] = {
    {"account", -17, false, agent_by_account}, {"department", -14, false, agent_by_department},
    {"leased", 7, true, agent_by_leased},      {"window", 8, true, agent_by_window},
    {"answered", 9, true, agent_by_answered},  {"since", 7, true, agent_by_since},
    {"heard", 7, true, agent_by_heard},
};
static const struct pane_of {
    const char *title;
    const struct column_of *columns;
    unsigned count, first; /* sorted by at the start */
} PANES[PANES_COUNT] = {
    {"QUEUES", QUEUE_COLUMNS, sizeof QUEUE_COLUMNS / sizeof QUEUE_COLUMNS[0], 5},
    {"AGENTS", AGENT_COLUMNS, sizeof AGENT_COLUMNS / sizeof AGENT_COLUMNS[0], 0},
};

void view_init(struct view *view) {
    memset(view, 0, sizeof *view);
    view->pause_s = 2;
    for (int p = 0; p < PANES_COUNT; p++) {
        view->sort[p] = PANES[p].first;
        view->reverse[p] = PANES[p].columns[PANES[p].first].falls;
    }
}

void view_sort(struct view *view, int step) {
    const struct pane_of *pane = &PANES[view->pane];
    unsigned *sort = &view->sort[view->pane];
    *sort = (*sort + pane->count + (unsigned)step) % pane->count;
    view->reverse[view->pane] = pane->columns[*sort].falls;
    view->scroll[view->pane] = 0;
}

const char *view_sorted_by(const struct view *view, enum pane pane) {
    return PANES[pane].columns[view->sort[pane]].title;
}

/* Equal rows stay by name: first sorted by that, then, stably, by the column. qsort is not stable by
 * its contract, so the rows are merged by insertion; there are hundreds at most. */
static void rows_sort(void *rows, size_t count, size_t size, int (*order)(const void *, const void *),
                      bool falls) {
    char *at = rows, kept[512];
    for (size_t i = 1; i < count; i++) {
        size_t k = i;
        memcpy(kept, at + i * size, size);
        while (k > 0 && (falls ? order(kept, at + (k - 1) * size) > 0 : order(kept, at + (k - 1) * size) < 0))
            k--;
        memmove(at + (k + 1) * size, at + k * size, (i - k) * size);
        memcpy(at + k * size, kept, size);
    }
}

static void pane_sort(const struct view *view, enum pane p, void *rows, size_t count, size_t size,
                      int (*by_name)(const void *, const void *)) {
    if (count < 2) /* qsort may not be given NULL, and there is nothing to sort */
        return;
    qsort(rows, count, size, by_name);
    rows_sort(rows, count, size, PANES[p].columns[view->sort[p]].order, view->reverse[p]);
}

static void panes_sort(const struct view *view, struct glance *g) {
    _Static_assert(sizeof(struct glance_agent) <= 512 && sizeof(struct glance_queue) <= 512,
                   "rows_sort keeps one");
    pane_sort(view, PANE_QUEUES, g->queues, g->queues_count, sizeof *g->queues, queue_by_name);
    pane_sort(view, PANE_AGENTS, g->agents, g->agents_count, sizeof *g->agents, agent_by_account);
}

/* --- Lines ---------------------------------------------------------------------------------------- */

/* The place where the next line goes; beyond the screen's end it is thrown away. */
struct pen {
    struct screen *screen;
    unsigned at, end;
};

static void line_add(struct pen *pen, enum look look, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void line_add(struct pen *pen, enum look look, const char *format, ...) {
    if (pen->at >= pen->end)
        return;
    struct screen_line *line = &pen->screen->lines[pen->at++];
    va_list list;
    va_start(list, format);
    vsnprintf(line->text, sizeof line->text, format, list);
    va_end(list);
    text_clean_in_place(line->text);
    line->text[text_fit(line->text, pen->screen->width)] = '\0';
    line->look = look;
}

static const char *age_text(est_time then, est_time now, char room[MOMENT_SPAN_SIZE]) {
    room[0] = '\0';
    if (then.us)
        moment_span((est_span){now.us - then.us}, room);
    return room;
}

static void title_draw(struct pen *pen, const struct view *view, const struct glance *now) {
    char clock[MOMENT_SIZE] = "", up[MOMENT_SPAN_SIZE];
    moment_local(now->at, clock);
    clock[strcspn(clock, ".")] = '\0';
    age_text((est_time){(int64_t)glance_stat(now, "started_us")}, now->at, up);
    bool full = glance_stat(now, "store_full"), draining = glance_stat(now, "draining");
    line_add(pen, full ? LOOK_ALARM : LOOK_TITLE, "estelam top  %s  up %s  every %u s%s%s%s", clock, up,
             view->pause_s, view->frozen ? "  FROZEN" : "", draining ? "  DRAINING" : "",
             full ? "  STORE FULL" : "");
}

static void totals_draw(struct pen *pen, const struct view *view, const struct glance *before,
                        const struct glance *now) {
    double used = (double)glance_stat(now, "store_used_bytes"),
           limit = (double)glance_stat(now, "store_limit_bytes");
    if (*view->trouble) {
        line_add(pen, LOOK_ALARM, "%s", view->trouble);
        line_add(pen, LOOK_DIM, "trying again; what is below is as it was before");
    } else {
        line_add(pen, LOOK_PLAIN,
                 "submitted %.1f/s  answered %.1f/s  failed %.1f/s  commits %.1f/s of %.2f ms",
                 glance_rate(before, now, "fact_submitted"), glance_rate(before, now, "fact_answered"),
                 glance_rate(before, now, "fact_attempt_failed"), glance_rate(before, now, "commits"),
                 glance_ratio(before, now, "commit_us_sum", "commit_us_count") / 1e3);
        line_add(pen, LOOK_PLAIN, "store %.1f MiB, %.1f %% of its limit  disk free %.1f GiB",
                 used / 1048576.0, limit > 0 ? used * 100 / limit : 0,
                 (double)glance_stat(now, "disk_free_bytes") / 1073741824.0);
    }
    line_add(pen, LOOK_PLAIN,
             "waiting %" PRIu64 "  delayed %" PRIu64 "  leased %" PRIu64 "  parked %" PRIu64
             "  unacknowledged %" PRIu64 "  agents %zu",
             glance_stat(now, "inquiries_waiting"), glance_stat(now, "inquiries_delayed"),
             glance_stat(now, "inquiries_leased"), glance_stat(now, "inquiries_parked"),
             glance_stat(now, "results_unacknowledged"), now->agents_count);
}

static bool queue_is_unserved(const struct glance_queue *q) {
    return q->unserved > 0;
}

static void unserved_draw(struct pen *pen, const struct glance *now) {
    char names[SCREEN_WIDTH_MAX] = "";
    for (size_t i = 0; i < now->queues_count; i++) {
        const struct glance_queue *q = &now->queues[i];
        size_t used = strlen(names);
        if (!queue_is_unserved(q))
            continue;
        snprintf(names + used, sizeof names - used, " %s", q->department);
        if (q->district && strlen(names) < sizeof names - 16)
            sprintf(names + strlen(names), "/%u", q->district);
    }
    if (*names)
        line_add(pen, LOOK_ALARM, "WORK WAITS AND NOBODY SERVES IT:%s", names);
}

static void header_draw(struct pen *pen, const struct view *view, enum pane p, size_t rows) {
    char text[SCREEN_WIDTH_MAX * 4] = "";
    const struct pane_of *pane = &PANES[p];
    for (unsigned i = 0; i < pane->count; i++) {
        char title[32];
        snprintf(title, sizeof title, "%s%s", pane->columns[i].title,
                 i != view->sort[p] ? ""
                 : view->reverse[p] ? "-"
                                    : "+");
        snprintf(text + strlen(text), sizeof text - strlen(text), "%*s", pane->columns[i].width, title);
    }
    line_add(pen, view->pane == p ? LOOK_FOCUS : LOOK_HEADER, "%s  %s %zu", text,
             p == PANE_QUEUES && view->busy_only ? "BUSY" : pane->title, rows);
}

static bool queue_is_shown(const struct view *view, const struct glance_queue *q) {
    return !view->busy_only || q->waiting + q->delayed + q->leased + q->parked > 0;
}

static void queue_draw(struct pen *pen, const struct glance_queue *q, est_time now) {
    char name[EST_NAME_MAX + 16], age[MOMENT_SPAN_SIZE];
    snprintf(name, sizeof name, q->district ? "%s/%u" : "%s", q->department, q->district);
    if (strlen(name) > 16)
        memcpy(name + 13, "...", 4);
    line_add(pen,
             queue_is_unserved(q)     ? LOOK_ALARM
             : q->parked || q->paused ? LOOK_WARN
                                      : LOOK_PLAIN,
             "%-16s%8" PRIu64 "%9" PRIu64 "%8" PRIu64 "%8" PRIu64 "%8s%8" PRIu64 "%s", name, q->waiting,
             q->delayed, q->leased, q->parked, age_text(q->oldest, now, age), q->agents,
             q->paused ? "  paused" : "");
}

static void agent_draw(struct pen *pen, const struct glance_agent *a, est_time now) {
    char since[MOMENT_SPAN_SIZE], heard[MOMENT_SPAN_SIZE];
    bool silent = a->heard.us && now.us - a->heard.us > 15 * EST_US_PER_S;
    line_add(pen, silent ? LOOK_WARN : LOOK_PLAIN,
             "%-16.16s %-13.13s %7" PRIu64 "%8" PRIu64 "%9" PRIu64 "%7s%7s  %s  %s", a->account,
             a->department, a->leased, a->window, a->answered, age_text(a->since, now, since),
             age_text(a->heard, now, heard), a->address, a->software);
}

static void scroll_keep(unsigned *scroll, size_t rows, unsigned room) {
    size_t most = rows > room ? rows - room : 0;
    *scroll = *scroll > most ? (unsigned)most : *scroll;
}

static void queues_draw(struct pen *pen, struct view *view, const struct glance *now) {
    size_t rows = 0, at = 0;
    for (size_t i = 0; i < now->queues_count; i++)
        rows += queue_is_shown(view, &now->queues[i]);
    header_draw(pen, view, PANE_QUEUES, rows);
    scroll_keep(&view->scroll[PANE_QUEUES], rows, pen->end > pen->at ? pen->end - pen->at : 0);
    for (size_t i = 0; i < now->queues_count; i++)
        if (queue_is_shown(view, &now->queues[i]) && at++ >= view->scroll[PANE_QUEUES])
            queue_draw(pen, &now->queues[i], now->at);
}

static void agents_draw(struct pen *pen, struct view *view, const struct glance *now) {
    header_draw(pen, view, PANE_AGENTS, now->agents_count);
    scroll_keep(&view->scroll[PANE_AGENTS], now->agents_count, pen->end > pen->at ? pen->end - pen->at : 0);
    for (size_t i = view->scroll[PANE_AGENTS]; i < now->agents_count; i++)
        agent_draw(pen, &now->agents[i], now->at);
}

/* Queues get what agents leave of the room, but each pane at least a third. */
static unsigned queues_room(const struct view *view, const struct glance *now, unsigned room) {
    size_t queues = 1, agents = 1 + now->agents_count;
    for (size_t i = 0; i < now->queues_count; i++)
        queues += queue_is_shown(view, &now->queues[i]);
    if (queues + agents <= room)
        return (unsigned)queues;
    unsigned third = room / 3, half = room / 2;
    if (agents < half)
        return room - (unsigned)agents;
    if (queues < half)
        return (unsigned)queues;
    return view->pane == PANE_QUEUES ? room - third : third;
}

void view_draw(struct view *view, const struct glance *before, struct glance *now, struct screen *screen) {
    struct pen pen = {screen, 0, screen->height - 1};
    panes_sort(view, now);
    for (unsigned i = 0; i < screen->height; i++)
        screen->lines[i] = (struct screen_line){.look = LOOK_PLAIN};
    title_draw(&pen, view, now);
    totals_draw(&pen, view, before, now);
    unserved_draw(&pen, now);
    unsigned room = pen.end > pen.at ? pen.end - pen.at : 0, end = pen.end;
    pen.end = pen.at + queues_room(view, now, room);
    queues_draw(&pen, view, now);
    pen.at = pen.end;
    pen.end = end;
    agents_draw(&pen, view, now);
    pen = (struct pen){screen, screen->height - 1, screen->height};
    line_add(&pen, LOOK_DIM, "q quit  Tab pane  <> by %s  r turn  b busy  ↑↓ rows  +- pace  space hold",
             view_sorted_by(view, view->pane));
}
