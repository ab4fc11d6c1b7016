/* machine.c - see machine.h. Everything from /proc/self and getrusage(2). */
#include "machine.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

static uint64_t resident_bytes(void) {
    unsigned long long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (file == NULL)
        return 0;
    if (fscanf(file, "%*u %llu", &pages) != 1)
        pages = 0;
    fclose(file);
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static uint64_t entries(const char *folder) {
    uint64_t count = 0;
    DIR *dir = opendir(folder);
    if (dir == NULL)
        return 0;
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
        count += entry->d_name[0] != '.';
    closedir(dir);
    return count;
}

void machine_look(struct machine *ret) {
    struct rusage usage = {0};
    getrusage(RUSAGE_SELF, &usage);
    uint64_t open_files = entries("/proc/self/fd");
    *ret = (struct machine){
        .resident_bytes = resident_bytes(),
        .cpu_us = (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000u +
                  (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec),
        .open_files = open_files > 0 ? open_files - 1 : 0, /* without the one that counts them */
        .threads = entries("/proc/self/task"),
    };
}
