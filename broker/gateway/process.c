/* process.c - see process.h. */
#include "process.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

static uint64_t cpu_us(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * EST_US_PER_S +
           (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

/* Pages of address space and of memory. */
static bool pages_read(uint64_t *ret_virtual, uint64_t *ret_resident) {
    unsigned long virtual_pages, resident;
    FILE *file = fopen("/proc/self/statm", "re");
    bool good = file && fscanf(file, "%lu %lu", &virtual_pages, &resident) == 2;
    if (file)
        fclose(file);
    *ret_virtual = good ? virtual_pages : 0;
    *ret_resident = good ? resident : 0;
    return good;
}

static uint64_t descriptors_count(void) {
    uint64_t count = 0;
    DIR *folder = opendir("/proc/self/fd");
    if (!folder)
        return 0;
    for (struct dirent *entry; (entry = readdir(folder));)
        count += entry->d_name[0] != '.';
    closedir(folder);
    return count - 1; /* the folder's own */
}

void process_write(struct exposition *x, est_time started) {
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), virtual_pages, resident;
    struct rlimit limit;
    metric(x, "process_cpu_seconds_total", METRIC_COUNTER, "Processor time of the gateway.");
    sample_us(x, cpu_us(), NO_LABELS);
    metric(x, "process_start_time_seconds", METRIC_GAUGE, "When the gateway started.");
    sample_us(x, (uint64_t)started.us, NO_LABELS);
    metric(x, "process_open_fds", METRIC_GAUGE, "Open file descriptors of the gateway.");
    sample_uint(x, descriptors_count(), NO_LABELS);
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        metric(x, "process_max_fds", METRIC_GAUGE, "File descriptors that the gateway may open.");
        sample_uint(x, limit.rlim_cur, NO_LABELS);
    }
    if (!pages_read(&virtual_pages, &resident))
        return;
    metric(x, "process_virtual_memory_bytes", METRIC_GAUGE, "Address space of the gateway.");
    sample_uint(x, virtual_pages * page, NO_LABELS);
    metric(x, "process_resident_memory_bytes", METRIC_GAUGE, "Resident memory of the gateway.");
    sample_uint(x, resident * page, NO_LABELS);
}
