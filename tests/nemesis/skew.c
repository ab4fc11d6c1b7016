/* skew.c - see skew.h. The file is replaced by renaming, so that a reader finds the old or the new
 * time and never half a line. */
#include "skew.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char clock_file[256];

bool skew_begin(const char *folder) {
    if (FAKETIME_LIBRARY[0] != '/' || access(FAKETIME_LIBRARY, R_OK) != 0)
        return false;
    snprintf(clock_file, sizeof clock_file, "%s/clock", folder);
    skew_set(0);
    setenv("FAKETIME_TIMESTAMP_FILE", clock_file, 1);
    setenv("FAKETIME_NO_CACHE", "1", 1);
    setenv("FAKETIME_DONT_FAKE_MONOTONIC", "1", 1);
    setenv("NO_FAKE_STAT", "1", 1);
    setenv("LD_PRELOAD", FAKETIME_LIBRARY, 1);
    return true;
}

void skew_end(void) {
    unsetenv("LD_PRELOAD");
}

void skew_set(int64_t ahead_us) {
    char fresh[300];
    snprintf(fresh, sizeof fresh, "%s.new", clock_file);
    FILE *file = fopen(fresh, "w");
    if (!file || fprintf(file, "%+.6f\n", (double)ahead_us / 1e6) < 0 || fclose(file) != 0 ||
        rename(fresh, clock_file) != 0)
        abort();
}

void skew_sweep(pid_t pid) {
    char path[64];
    snprintf(path, sizeof path, "/dev/shm/faketime_shm_%d", (int)pid);
    unlink(path);
    snprintf(path, sizeof path, "/dev/shm/sem.faketime_sem_%d", (int)pid);
    unlink(path);
}
