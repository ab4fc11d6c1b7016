/* probe.c - see probe.h. */
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PROBES = 31, PAGE = 4096, APART = 3 };

static int by_size(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* The first write makes the file as long as it will be: the others change its bytes alone. */
static uint64_t syncs_time(int fd) {
    static char page[PAGE];
    uint64_t took[PROBES];
    for (int i = -1; i < PROBES; i++) {
        int64_t from_us = bench_now_us();
        if (pwrite(fd, page, sizeof page, 0) != PAGE || fdatasync(fd) != 0)
            return 0;
        if (i >= 0)
            took[i] = (uint64_t)(bench_now_us() - from_us);
    }
    qsort(took, PROBES, sizeof *took, by_size);
    return took[PROBES / 2];
}

uint64_t probe_sync_us(const char *folder) {
    char path[1024];
    snprintf(path, sizeof path, "%s/estelam-bench-probe-XXXXXX", folder);
    int fd = mkostemp(path, O_CLOEXEC);
    if (fd < 0)
        return 0;
    uint64_t us = syncs_time(fd);
    close(fd);
    unlink(path);
    return us;
}

void probe_tell(const struct row *rows, size_t count) {
    uint64_t least = UINT64_MAX, most = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t us = rows[i].figures.sync_us;
        least = us > 0 && us < least ? us : least;
        most = us > most ? us : most;
    }
    if (most == 0)
        return;
    printf("\nBefore each row a synced write of one page took %llu to %llu us (sync_us in bench.json).\n",
           (unsigned long long)least, (unsigned long long)most);
    if (most > APART * least)
        printf("SOMEBODY ELSE USED DISK OR PROCESSORS: rows of this run are not to be compared.\n");
    fflush(stdout);
}

int probe_awake(void) {
    static const char device[] = "/dev/cpu_dma_latency";
    const int32_t most_us = 0;
    int fd = open(device, O_WRONLY | O_CLOEXEC); /* the kernel forgets it when the last of us is gone */
    if (fd >= 0 && write(fd, &most_us, sizeof most_us) == (ssize_t)sizeof most_us)
        return 0;
    bench_say("%s: %s; --awake needs it, and root", device, strerror(errno));
    return -EST_IO;
}
