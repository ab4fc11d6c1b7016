/* top_view.h - what `estelam top` shows, as lines: no terminal is needed to make them.
 *
 *     two glances + a view (which pane, sorted how, scrolled where)  ->  a screen of lines
 *
 * cmd_top.c brings them onto the terminal, or with --once onto standard output.
 */
#ifndef TOP_VIEW_H
#define TOP_VIEW_H

#include "glance.h"

enum { SCREEN_WIDTH_MAX = 300, SCREEN_HEIGHT_MAX = 200, SCREEN_WIDTH_MIN = 40, SCREEN_HEIGHT_MIN = 10 };

enum look { LOOK_PLAIN, LOOK_TITLE, LOOK_HEADER, LOOK_WARN, LOOK_ALARM, LOOK_DIM, LOOK_FOCUS };

struct screen {
    unsigned width, height;
    struct screen_line {
        char text[SCREEN_WIDTH_MAX * 4 + 1];
        enum look look;
    } lines[SCREEN_HEIGHT_MAX];
};

enum pane { PANE_QUEUES, PANE_AGENTS, PANES_COUNT };

struct view {
    enum pane pane;             /* the one that keys are about */
    unsigned sort[PANES_COUNT]; /* which of the pane's columns */
    bool reverse[PANES_COUNT];
    unsigned scroll[PANES_COUNT]; /* rows passed over; kept within the rows by view_draw */
    bool busy_only;               /* queues that hold something */
    bool frozen;
    unsigned pause_s;
    char trouble[256]; /* said instead of the totals; empty: none */
};

void view_init(struct view *);
/* The next column, or the one before; the direction that suits the column. */
void view_sort(struct view *, int step);
const char *view_sorted_by(const struct view *, enum pane);
/* `now` may hold nothing yet. The glance's rows are sorted in place. */
void view_draw(struct view *, const struct glance *before, struct glance *now, struct screen *);

#endif
