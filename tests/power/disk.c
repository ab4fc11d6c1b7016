/* disk.c - see disk.h. */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "disk.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

uint64_t random_next(uint64_t *seed) {
    uint64_t z = (*seed += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

uint64_t random_below(uint64_t *seed, uint64_t below) {
    return random_next(seed) % below;
}

/* --- The two images ---------------------------------------------------------------------------- */

static uint8_t *image_new(uint64_t size) {
    void *image =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return image == MAP_FAILED ? NULL : image;
}

int disk_init(struct disk *disk, uint64_t capacity) {
    *disk = (struct disk){.capacity = (capacity + SECTOR - 1) / SECTOR * SECTOR};
    disk->cache = image_new(disk->capacity);
    disk->durable = image_new(disk->capacity);
    disk->image = image_new(disk->capacity);
    return disk->cache && disk->durable && disk->image ? 0 : -1;
}

void disk_done(struct disk *disk) {
    if (disk->cache)
        munmap(disk->cache, disk->capacity);
    if (disk->durable)
        munmap(disk->durable, disk->capacity);
    if (disk->image)
        munmap(disk->image, disk->capacity);
    free(disk->pending);
    *disk = (struct disk){0};
}

static int version_add(struct disk *disk, uint32_t sector) {
    if (disk->pending_count == disk->pending_max) {
        size_t max = disk->pending_max > 0 ? disk->pending_max * 2 : 1024;
        struct version *pending = realloc(disk->pending, max * sizeof *pending);
        if (!pending)
            return -1;
        disk->pending = pending;
        disk->pending_max = max;
    }
    struct version *version = &disk->pending[disk->pending_count++];
    version->sector = sector;
    version->write = disk->writes;
    memcpy(version->bytes, disk->cache + (uint64_t)sector * SECTOR, SECTOR);
    return 0;
}

int disk_write(struct disk *disk, uint64_t offset, const void *bytes, size_t size) {
    if (size == 0 || size > disk->capacity || offset > disk->capacity - size)
        return -1;
    memcpy(disk->cache + offset, bytes, size);
    if (offset + size > disk->cache_size)
        disk->cache_size = offset + size;
    disk->writes++;
    for (uint64_t sector = offset / SECTOR; sector <= (offset + size - 1) / SECTOR; sector++)
        if (version_add(disk, (uint32_t)sector) != 0)
            return -1;
    return 0;
}

/* The store never makes its file shorter; longer means zeroes. */
void disk_truncate(struct disk *disk, uint64_t size) {
    if (size <= disk->capacity)
        disk->cache_size = size;
}

static void sector_settle(struct disk *disk, uint32_t sector) {
    uint64_t at = (uint64_t)sector * SECTOR;
    memcpy(disk->durable + at, disk->cache + at, SECTOR);
    memcpy(disk->image + at, disk->cache + at, SECTOR);
}

void disk_sync(struct disk *disk) {
    for (size_t i = 0; i < disk->pending_count; i++)
        if (disk->pending[i].sector != SECTOR_NONE)
            sector_settle(disk, disk->pending[i].sector);
    disk->pending_count = 0;
    disk->writes = 0;
    disk->durable_size = disk->cache_size;
    disk->syncs++;
}

void disk_through(struct disk *disk, uint64_t offset, size_t size) {
    uint64_t first = offset / SECTOR, last = (offset + size - 1) / SECTOR;
    bool others = false;
    for (size_t i = 0; i < disk->pending_count; i++) {
        struct version *version = &disk->pending[i];
        if (version->sector >= first && version->sector <= last)
            version->sector = SECTOR_NONE;
        others = others || version->sector != SECTOR_NONE;
    }
    for (uint64_t sector = first; sector <= last; sector++)
        sector_settle(disk, (uint32_t)sector);
    if (offset + size > disk->durable_size)
        disk->durable_size = offset + size;
    if (!others)
        disk->pending_count = disk->writes = 0;
    disk->syncs++;
}

/* --- Cuts -------------------------------------------------------------------------------------- */

/* How a cut chooses among what was pending. Each has caught what others miss: whole writes out of
 * order, single sectors, all but one, the order kept but cut short. */
enum manner {
    NOTHING,
    EVERYTHING,
    FEW,
    HALF,
    MOST,
    WHOLE_WRITES,
    IN_ORDER,
    ALL_BUT_ONE_WRITE,
    ONE_WRITE,
    MANNERS
};
static const char *const manners[MANNERS] = {
    "nothing of it",       "all of it",           "few of its sectors",
    "half of its sectors", "most of its sectors", "some of its writes",
    "its first writes",    "all writes but one",  "one write alone",
};

struct choice {
    enum manner manner;
    uint64_t salt, write; /* of the writes 1 ... writes */
};

static bool is_kept(const struct choice *choice, const struct version *version, uint64_t *seed) {
    uint64_t mixed = choice->salt + version->write;
    switch (choice->manner) {
    case NOTHING:
        return false;
    case EVERYTHING:
        return true;
    case FEW:
        return random_below(seed, 16) == 0;
    case HALF:
        return random_below(seed, 2) == 0;
    case MOST:
        return random_below(seed, 16) != 0;
    case WHOLE_WRITES:
        return random_next(&mixed) % 2 == 0;
    case IN_ORDER: /* the last of them torn */
        return version->write < choice->write ||
               (version->write == choice->write && random_below(seed, 2) == 0);
    case ALL_BUT_ONE_WRITE:
        return version->write != choice->write;
    default:
        return version->write == choice->write;
    }
}

/* A file whose end was not synced may have its new length and zeroes, or only the old one. */
static uint64_t size_after(const struct disk *disk, uint64_t reached, uint64_t *seed) {
    uint64_t size = reached > disk->durable_size ? reached : disk->durable_size;
    if (disk->cache_size > size && random_below(seed, 4) == 0)
        size = disk->cache_size;
    return size < disk->cache_size ? size : disk->cache_size;
}

static bool exists_after(const struct disk *disk, uint64_t *seed) {
    if (disk->folder_synced && disk->parent_synced)
        return disk->named;
    return disk->named && random_below(seed, 3) != 0;
}

void disk_cut(struct disk *disk, uint64_t *seed, struct outcome *outcome) {
    struct choice choice = {(enum manner)random_below(seed, MANNERS), random_next(seed), 0};
    uint64_t reached = 0;
    choice.write = 1 + random_below(seed, disk->writes > 0 ? disk->writes : 1);
    outcome->kept = 0;
    outcome->how = manners[choice.manner];
    for (size_t i = 0; i < disk->pending_count; i++) {
        const struct version *version = &disk->pending[i];
        uint64_t at = (uint64_t)version->sector * SECTOR;
        if (version->sector == SECTOR_NONE || !is_kept(&choice, version, seed))
            continue;
        memcpy(disk->image + at, version->bytes, SECTOR);
        reached = at + SECTOR > reached ? at + SECTOR : reached;
        outcome->kept++;
    }
    outcome->size = size_after(disk, reached, seed);
    outcome->exists = exists_after(disk, seed);
    struct {
        uint64_t syncs, size, exists;
    } same = {disk->syncs, outcome->size, outcome->exists};
    outcome->hash = XXH3_64bits(&same, sizeof same);
    for (size_t i = 0; i < disk->pending_count; i++) {
        uint64_t at = (uint64_t)disk->pending[i].sector * SECTOR;
        if (disk->pending[i].sector == SECTOR_NONE ||
            memcmp(disk->image + at, disk->durable + at, SECTOR) == 0)
            continue;
        outcome->hash += XXH3_64bits_withSeed(disk->image + at, SECTOR, at);
    }
}

void disk_uncut(struct disk *disk) {
    for (size_t i = 0; i < disk->pending_count; i++) {
        uint64_t at = (uint64_t)disk->pending[i].sector * SECTOR;
        if (disk->pending[i].sector != SECTOR_NONE)
            memcpy(disk->image + at, disk->durable + at, SECTOR);
    }
}
