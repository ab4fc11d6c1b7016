/* report.c - rows for people and rows for programs. */
#include "system.h"

#include <errno.h>
#include <string.h>

void report_head(void) {
    printf("%-13s %-5s %6s %5s %4s %4s %11s %8s %8s %8s  %-23s %7s %7s\n", "", "", "", "", "", "", "durable",
           "", "", "", "CPU s per 100,000", "bytes/", "inq./");
    printf("%-13s %-5s %6s %5s %4s %4s %11s %8s %8s %8s  %7s %7s %7s %7s %7s\n", "system", "curve", "window",
           "body", "req.", "ag.", "inquiries/s", "p50 us", "p99 us", "p99.9", "server", "req.", "agents",
           "inquiry", "commit");
    fflush(stdout);
}

void report_row(const struct row *row) {
    const struct plan *p = &row->plan;
    const struct figures *f = &row->figures;
    char batch[32] = "-";
    if (f->batch > 0)
        snprintf(batch, sizeof batch, "%.1f", f->batch);
    printf("%-13s %-5s %6u %5u %4u %4u %11.0f %8llu %8llu %8llu  %7.3f %7.3f %7.3f %7.0f %7s\n",
           p->system->name, p->curve ? "on" : "off", p->window, p->body, p->requesters, p->agents, f->per_s,
           (unsigned long long)f->p50_us, (unsigned long long)f->p99_us, (unsigned long long)f->p999_us,
           f->cpu_server_s, f->cpu_requesters_s, f->cpu_agents_s, f->written, batch);
    fflush(stdout);
}

void report_foot(const struct system *const *of, size_t count) {
    printf("\nOn disk:\n");
    for (size_t i = 0; i < count; i++)
        printf("  %-13s %s\n", of[i]->name, of[i]->durable);
    fflush(stdout);
}

int report_json(const char *path, const struct row *rows, size_t count) {
    FILE *file = fopen(path, "w");
    if (!file) {
        bench_say("%s: %s", path, strerror(errno));
        return -EST_IO;
    }
    rows_json(file, rows, count);
    return stage_file_end(file, path);
}
