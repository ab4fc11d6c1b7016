/* process.c - see process.h. A database or an Erlang machine is many processes, so that the tree
 * is looked up at each sample: in /proc, as ps does. */
#include "process.h"

#include <ctype.h>
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PROCESSES_MAX = 4096 };

struct family {
    pid_t pids[PROCESSES_MAX], parents[PROCESSES_MAX];
    unsigned count;
};

static double cpu_of(pid_t pid) {
    clockid_t clock;
    struct timespec t;
    if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &t) != 0)
        return 0;
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* The number on the line of /proc/PID/FILE that begins with `name`. */
static uint64_t number_of(pid_t pid, const char *file_name, const char *name) {
    char path[64], line[256];
    uint64_t number = 0;
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, file_name);
    FILE *file = fopen(path, "r");
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, name, strlen(name)) == 0) {
            number = strtoull(line + strlen(name), NULL, 10);
            break;
        }
    if (file)
        fclose(file);
    return number;
}

static uint64_t written_by(pid_t pid) {
    return number_of(pid, "io", "write_bytes:");
}

uint64_t process_anonymous(pid_t pid) {
    return number_of(pid, "smaps_rollup", "Anonymous:") * 1024;
}

void usage_add(pid_t pid, struct usage *to) {
    if (pid <= 0)
        return;
    to->cpu_s += cpu_of(pid);
    to->written += written_by(pid);
}

/* The name, in parentheses, may hold anything; what follows the last one is regular. */
static pid_t parent_of(pid_t pid) {
    char path[64], line[512];
    int parent = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "r");
    char *after = file && fgets(line, sizeof line, file) ? strrchr(line, ')') : NULL;
    if (after)
        sscanf(after, ") %*c %d", &parent);
    if (file)
        fclose(file);
    return parent;
}

static void family_read(struct family *f) {
    DIR *proc = opendir("/proc");
    f->count = 0;
    for (const struct dirent *entry; proc && f->count < PROCESSES_MAX && (entry = readdir(proc));) {
        if (!isdigit((unsigned char)entry->d_name[0]))
            continue;
        f->pids[f->count] = (pid_t)atoi(entry->d_name);
        f->parents[f->count] = parent_of(f->pids[f->count]);
        f->count++;
    }
    if (proc)
        closedir(proc);
}

static void branch_add(const struct family *f, pid_t pid, struct usage *to) {
    usage_add(pid, to);
    for (unsigned i = 0; i < f->count; i++)
        if (f->parents[i] == pid)
            branch_add(f, f->pids[i], to);
}

void usage_add_tree(pid_t pid, struct usage *to) {
    static struct family family;
    if (pid <= 0)
        return;
    family_read(&family);
    branch_add(&family, pid, to);
}
