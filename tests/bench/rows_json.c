/* rows_json.c - the rows for programs: one JSON array, an object a row. */
#include "system.h"

#include <errno.h>
#include <string.h>

static void row_print(FILE *file, const struct row *row) {
    const struct plan *p = &row->plan;
    const struct figures *f = &row->figures;
    fprintf(file,
            "  {\"system\": \"%s\", \"curve\": \"%s\", \"window\": %u, \"body\": %u, \"requesters\": %u, "
            "\"agents\": %u, \"inquiries_per_s\": %.1f, \"p50_us\": %llu, \"p99_us\": %llu, \"p999_us\": "
            "%llu, \"cpu_s\": %.4f, \"cpu_server_s\": %.4f, \"cpu_requesters_s\": %.4f, \"cpu_agents_s\": "
            "%.4f, \"bytes_written\": %.1f, \"sync_us\": %llu",
            p->system->name, p->curve ? "on" : "off", p->window, p->body, p->requesters, p->agents, f->per_s,
            (unsigned long long)f->p50_us, (unsigned long long)f->p99_us, (unsigned long long)f->p999_us,
            f->cpu_server_s + f->cpu_requesters_s + f->cpu_agents_s, f->cpu_server_s, f->cpu_requesters_s,
            f->cpu_agents_s, f->written, (unsigned long long)f->sync_us);
    if (p->awake)
        fputs(", \"awake\": true", file);
    if (row->scenario)
        fprintf(file, ", \"scenario\": \"%s\", \"case\": \"%s\"", row->scenario, row->at);
    for (size_t i = 0; i < row->remarks_count; i++)
        fprintf(file, ", \"%s\": %.10g", row->remarks[i].name, row->remarks[i].value);
    fputc('}', file);
}

void rows_json(FILE *file, const struct row *rows, size_t count) {
    fputs("[\n", file);
    for (size_t i = 0; i < count; i++) {
        row_print(file, &rows[i]);
        fputs(i + 1 < count ? ",\n" : "\n", file);
    }
    fputs("]\n", file);
}
