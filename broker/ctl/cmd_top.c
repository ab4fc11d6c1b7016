/* cmd_top.c - `estelam top`: queues and agents live, on a terminal by ncurses, or once as plain text. */
#include "glance.h"
#include "heap.h"
#include "moment.h"
#include "pages.h"
#include "run.h"
#include "say.h"
#include "top_view.h"

#include <curses.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TOP_ANSWER_MS = 2000, PAUSE_MAX_S = 60, ONCE_WIDTH = 80, ONCE_HEIGHT = 24 };

struct top {
    const struct call *call;
    struct desk desk;
    struct view view;
    struct glance before, now;
    struct screen screen;
    int64_t next; /* moment_ticks() of the next look */
    char said[256];
    bool quits;
};

/* --- Looking -------------------------------------------------------------------------------------- */

/* A broker that is gone for a while ends nothing: the old rows stay, and the screen says so. */
static void top_look(struct top *top) {
    struct glance fresh;
    top->said[0] = '\0';
    int status = glance_take(&top->desk.peer, call_value(top->call, "department"), &fresh);
    top->next = moment_ticks() + top->view.pause_s * 1000;
    snprintf(top->view.trouble, sizeof top->view.trouble, "%s", status ? top->said : "");
    if (status) {
        glance_done(&fresh);
        return;
    }
    glance_done(&top->before);
    top->before = top->now;
    top->now = fresh;
}

/* --- The terminal --------------------------------------------------------------------------------- */

static const chtype LOOKS[] = {
    [LOOK_PLAIN] = A_NORMAL, [LOOK_TITLE] = A_BOLD, [LOOK_HEADER] = A_UNDERLINE, [LOOK_WARN] = A_BOLD,
    [LOOK_ALARM] = A_BOLD,   [LOOK_DIM] = A_DIM,    [LOOK_FOCUS] = A_REVERSE};

static void terminal_open(void) {
    initscr();
    cbreak();
    noecho();
    nonl();
    keypad(stdscr, TRUE);
    nodelay(stdscr, TRUE);
    set_escdelay(50);
    curs_set(0);
    if (has_colors()) {
        start_color();
        use_default_colors();
        init_pair(LOOK_WARN, COLOR_YELLOW, -1);
        init_pair(LOOK_ALARM, COLOR_RED, -1);
    }
}

static unsigned within(int value, unsigned least, unsigned most) {
    return value < (int)least ? least : value > (int)most ? most : (unsigned)value;
}

static void top_draw(struct top *top) {
    top->screen.width = within(COLS, 1, SCREEN_WIDTH_MAX);
    top->screen.height = within(LINES, SCREEN_HEIGHT_MIN, SCREEN_HEIGHT_MAX);
    view_draw(&top->view, &top->before, &top->now, &top->screen);
    erase();
    for (unsigned i = 0; i < top->screen.height && (int)i < LINES; i++) {
        const struct screen_line *line = &top->screen.lines[i];
        bool coloured = line->look == LOOK_WARN || line->look == LOOK_ALARM;
        attrset((attr_t)LOOKS[line->look] | (coloured && has_colors() ? COLOR_PAIR(line->look) : 0));
        mvaddstr((int)i, 0, line->text);
    }
    attrset(A_NORMAL);
    refresh();
}

/* --- Keys ----------------------------------------------------------------------------------------- */

static void key_quit(struct top *top) {
    top->quits = true;
}
static void key_pane(struct top *top) {
    top->view.pane = top->view.pane == PANE_QUEUES ? PANE_AGENTS : PANE_QUEUES;
}
static void key_sort_next(struct top *top) {
    view_sort(&top->view, 1);
}
static void key_sort_back(struct top *top) {
    view_sort(&top->view, -1);
}
static void key_reverse(struct top *top) {
    top->view.reverse[top->view.pane] = !top->view.reverse[top->view.pane];
}
static void key_busy(struct top *top) {
    top->view.busy_only = !top->view.busy_only;
}
static void key_freeze(struct top *top) {
    top->view.frozen = !top->view.frozen;
}
static void key_slower(struct top *top) {
    top->view.pause_s = top->view.pause_s < PAUSE_MAX_S ? top->view.pause_s + 1 : PAUSE_MAX_S;
}
static void key_faster(struct top *top) {
    top->view.pause_s = top->view.pause_s > 1 ? top->view.pause_s - 1 : 1;
    top->next = moment_ticks();
}
static void scroll_by(struct top *top, int rows) {
    unsigned *scroll = &top->view.scroll[top->view.pane];
    *scroll = rows < 0 && *scroll < (unsigned)-rows ? 0 : *scroll + (unsigned)rows;
}
static void key_up(struct top *top) {
    scroll_by(top, -1);
}
static void key_down(struct top *top) {
    scroll_by(top, 1);
}
static void key_page_up(struct top *top) {
    scroll_by(top, -10);
}
static void key_page_down(struct top *top) {
    scroll_by(top, 10);
}
static void key_resize(struct top *top) {
    (void)top; /* drawing again is all that it needs */
}

static const struct {
    int key;
    void (*act)(struct top *);
} KEYS[] = {{'q', key_quit},
            {'Q', key_quit},
            {'\t', key_pane},
            {'>', key_sort_next},
            {'s', key_sort_next},
            {KEY_RIGHT, key_sort_next},
            {'<', key_sort_back},
            {KEY_LEFT, key_sort_back},
            {'r', key_reverse},
            {'b', key_busy},
            {' ', key_freeze},
            {'+', key_slower},
            {'-', key_faster},
            {KEY_UP, key_up},
            {'k', key_up},
            {KEY_DOWN, key_down},
            {'j', key_down},
            {KEY_PPAGE, key_page_up},
            {KEY_NPAGE, key_page_down},
            {KEY_RESIZE, key_resize}};

static void keys_take(struct top *top) {
    for (int key = getch(); key != ERR; key = getch())
        for (size_t i = 0; i < sizeof KEYS / sizeof KEYS[0]; i++)
            if (KEYS[i].key == key)
                KEYS[i].act(top);
}

/* Until a key, a change of the terminal's size, or the time for the next look. */
static void top_wait(struct top *top) {
    struct pollfd ready[] = {{.fd = STDIN_FILENO, .events = POLLIN},
                             {.fd = est_client_fd(top->desk.peer.client), .events = POLLIN}};
    int64_t left = top->next - moment_ticks();
    est_event event;
    if (poll(ready, 2, left < 0 ? 0 : (int)left) > 0 && ready[1].revents)
        while (peer_next(&top->desk.peer, moment_ticks(), &event) > 0)
            continue;
    if (ready[0].revents & (POLLHUP | POLLERR))
        top->quits = true; /* the terminal went away */
}

static void top_live(struct top *top) {
    terminal_open();
    while (!top->quits) {
        if (!top->view.frozen && moment_ticks() >= top->next)
            top_look(top);
        if (top->view.frozen)
            top->next = moment_ticks() + top->view.pause_s * 1000;
        top_draw(top);
        top_wait(top);
        keys_take(top);
    }
    endwin();
}

/* --- Once ----------------------------------------------------------------------------------------- */

static unsigned size_from(const char *variable, unsigned otherwise, unsigned least, unsigned most) {
    const char *text = getenv(variable);
    int value = text ? atoi(text) : 0;
    return value > 0 ? within(value, least, most) : otherwise;
}

static void top_once(struct top *top) {
    top->screen.width = size_from("COLUMNS", ONCE_WIDTH, SCREEN_WIDTH_MIN, SCREEN_WIDTH_MAX);
    top->screen.height = size_from("LINES", ONCE_HEIGHT, SCREEN_HEIGHT_MIN, SCREEN_HEIGHT_MAX);
    view_draw(&top->view, &top->before, &top->now, &top->screen);
    unsigned last = top->screen.height - 1; /* the keys would be of no use */
    while (last > 0 && !*top->screen.lines[last - 1].text)
        last--;
    for (unsigned i = 0; i < last; i++)
        puts(top->screen.lines[i].text);
}

/* Rates need two looks. */
static int once_run(struct top *top) {
    int status = glance_take(&top->desk.peer, call_value(top->call, "department"), &top->before);
    if (!status)
        status = peer_pause(&top->desk.peer, moment_ticks() + 1000);
    if (!status)
        status = glance_take(&top->desk.peer, call_value(top->call, "department"), &top->now);
    if (!status)
        top_once(top);
    return status;
}

int run_top(const struct call *call) {
    struct top *top = heap_new(1, sizeof *top);
    top->call = call;
    view_init(&top->view);
    int status = 0;
    if (!call_has(call, "once") && (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)))
        status = call_usage(call, "this is for a terminal; --once prints one screen of plain text");
    if (!status)
        status = desk_open(call, &top->desk);
    if (!status && call_has(call, "once")) {
        status = once_run(top);
    } else if (!status) {
        say_keep(top->said, sizeof top->said);
        top->desk.peer.timeout_ms = TOP_ANSWER_MS;
        top_live(top);
    }
    glance_done(&top->before);
    glance_done(&top->now);
    desk_close(&top->desk);
    heap_free((void **)&top);
    return status;
}
