/* report.c - rows for people and rows for programs. */
#include "bench.h"

#include <errno.h>
#include <string.h>

void report_head(void) {
    printf("%-5s %6s %5s %4s %4s %11s %8s %8s %8s  %-22s %7s %7s\n", "", "", "", "", "", "durable", "", "",
           "", "CPU s per 100,000", "bytes/", "inq./");
    printf("%-5s %6s %5s %4s %4s %11s %8s %8s %8s  %6s %7s %7s %7s %7s\n", "curve", "window", "body", "req.",
           "ag.", "inquiries/s", "p50 us", "p99 us", "p99.9", "broker", "req.", "agents", "inquiry",
           "commit");
    fflush(stdout);
}

void report_row(const struct plan *p, const struct figures *f) {
    printf("%-5s %6u %5u %4u %4u %11.0f %8llu %8llu %8llu  %6.3f %7.3f %7.3f %7.0f %7.1f\n",
           p->curve ? "on" : "off", p->window, p->body, p->requesters, p->agents, f->per_s,
           (unsigned long long)f->p50_us, (unsigned long long)f->p99_us, (unsigned long long)f->p999_us,
           f->cpu_broker_s, f->cpu_requesters_s, f->cpu_agents_s, f->written, f->batch);
    fflush(stdout);
}

int report_json(const char *path, const struct plan *plans, const struct figures *figures, size_t count) {
    FILE *file = fopen(path, "w");
    if (!file) {
        bench_say("%s: %s", path, strerror(errno));
        return -EST_IO;
    }
    fputs("[\n", file);
    for (size_t i = 0; i < count; i++) {
        const struct plan *p = &plans[i];
        const struct figures *f = &figures[i];
        fprintf(file,
                "  {\"system\": \"estelam\", \"curve\": \"%s\", \"window\": %u, \"body\": %u, "
                "\"requesters\": %u, "
                "\"agents\": %u, \"inquiries_per_s\": %.1f, \"p50_us\": %llu, \"p99_us\": %llu, \"p999_us\": "
                "%llu, \"cpu_s\": %.4f, \"bytes_written\": %.1f}%s\n",
                p->curve ? "on" : "off", p->window, p->body, p->requesters, p->agents, f->per_s,
                (unsigned long long)f->p50_us, (unsigned long long)f->p99_us, (unsigned long long)f->p999_us,
                f->cpu_broker_s + f->cpu_requesters_s + f->cpu_agents_s, f->written,
                i + 1 < count ? "," : "");
    }
    fputs("]\n", file);
    bool failed = ferror(file) != 0;
    if (fclose(file) == 0 && !failed)
        return 0;
    bench_say("%s: %s", path, strerror(errno));
    return -EST_IO;
}
