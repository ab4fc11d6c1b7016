/* plot.c - the rows as bars, in an SVG that any browser shows.
 *
 * A panel for each job (players, body, window), or for each window of a scenario: a bar for each system by
 * its throughput, to one scale within the panel, with the figure, p50 and p99 in words beside it. What only
 * marks a limit is pale, and what is not on disk when it is acknowledged has a colour of its own.
 */
#include "system.h"

#include <errno.h>
#include <string.h>

enum { BAR = 18, TITLE = 40, LABEL = 210, WIDTH = 420, NOTES = 330, MARGIN = 20 };

/* What a scenario changes, players for one, does not make another panel. */
static bool same_job(const struct row *x, const struct row *y) {
    const struct plan *a = &x->plan, *b = &y->plan;
    if (x->scenario || y->scenario)
        return x->scenario == y->scenario && a->window == b->window && a->curve == b->curve;
    return a->window == b->window && a->body == b->body && a->requesters == b->requesters &&
           a->agents == b->agents;
}

/* Is no row before this one of the same job? */
static bool job_is_new(const struct row *rows, size_t at) {
    for (size_t i = 0; i < at; i++)
        if (same_job(&rows[i], &rows[at]))
            return false;
    return true;
}

static unsigned plot_height(const struct row *rows, size_t count) {
    unsigned height = MARGIN;
    for (size_t i = 0; i < count; i++)
        height += BAR + (job_is_new(rows, i) ? TITLE : 0);
    return height + MARGIN;
}

static const char *colour_of(const struct plan *p) {
    if (p->system->limit)
        return p->curve ? "#cfcfcf" : "#dedede";
    if (p->system->unsynced)
        return "#d9b88f";
    if (!p->system->ours)
        return "#7a9cc6";
    return p->curve ? "#2e8b6f" : "#1b6e57";
}

static void bar_print(FILE *file, const struct row *row, double most, unsigned y) {
    const struct figures *f = &row->figures;
    fprintf(file,
            "<text x=\"%d\" y=\"%u\" text-anchor=\"end\">%s%s</text>"
            "<rect x=\"%d\" y=\"%u\" width=\"%.1f\" height=\"%d\" fill=\"%s\"/>"
            "<text x=\"%.1f\" y=\"%u\">%.0f/s, p50 %llu µs, p99 %llu µs</text>\n",
            LABEL - 6, y + 13, row->scenario ? row->at : row->plan.system->name,
            row->scenario                ? ""
            : row->plan.curve            ? ", CURVE"
            : row->plan.system->unsynced ? ", not synced"
                                         : "",
            LABEL, y + 2, f->per_s / most * WIDTH, BAR - 4, colour_of(&row->plan),
            LABEL + f->per_s / most * WIDTH + 6, y + 13, f->per_s, (unsigned long long)f->p50_us,
            (unsigned long long)f->p99_us);
}

static unsigned panel_print(FILE *file, const struct row *rows, size_t count, size_t first, unsigned y) {
    const struct plan *job = &rows[first].plan;
    double most = 1;
    for (size_t i = first; i < count; i++)
        if (same_job(&rows[i], &rows[first]) && rows[i].figures.per_s > most)
            most = rows[i].figures.per_s;
    fprintf(file, "<text x=\"%d\" y=\"%u\" font-weight=\"bold\">", MARGIN, y + TITLE - 12);
    if (rows[first].scenario)
        fprintf(file, "%s, W = %u, CURVE %s: inquiries per second</text>\n", rows[first].scenario,
                job->window, job->curve ? "on" : "off");
    else if (rows[first].plan.system->alone)
        fprintf(file, "The disk alone, %u inquiries in a commit: inquiries per second</text>\n", job->window);
    else
        fprintf(file, "W = %u, %u bytes, %u requester%s, %u agent%s: inquiries per second</text>\n",
                job->window, job->body, job->requesters, job->requesters == 1 ? "" : "s", job->agents,
                job->agents == 1 ? "" : "s");
    y += TITLE;
    for (size_t i = first; i < count; i++)
        if (same_job(&rows[i], &rows[first])) {
            bar_print(file, &rows[i], most, y);
            y += BAR;
        }
    return y;
}

int plot_svg(const char *path, const struct row *rows, size_t count) {
    FILE *file = fopen(path, "w");
    unsigned y = MARGIN;
    if (!file) {
        bench_say("%s: %s", path, strerror(errno));
        return -EST_IO;
    }
    fprintf(file,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%u\" font-family=\"sans-serif\" "
            "font-size=\"12\">\n<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n",
            LABEL + WIDTH + NOTES, plot_height(rows, count));
    for (size_t i = 0; i < count; i++)
        if (job_is_new(rows, i))
            y = panel_print(file, rows, count, i, y);
    fputs("</svg>\n", file);
    return stage_file_end(file, path);
}
