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

static int file_init(struct file *file, uint64_t capacity) {
    file->capacity = (capacity + SECTOR) / SECTOR * SECTOR; /* never nothing */
    file->cache = image_new(file->capacity);
    file->durable = image_new(file->capacity);
    file->image = image_new(file->capacity);
    return file->cache && file->durable && file->image ? 0 : -1;
}

int disk_init(struct disk *disk, const uint64_t capacity[FILES]) {
    *disk = (struct disk){.journal_named = FILE_NONE, .journal_kept = FILE_NONE};
    int rc = 0;
    for (int file = 0; file < FILES && rc == 0; file++)
        rc = file_init(&disk->files[file], capacity[file]);
    return rc;
}

void disk_done(struct disk *disk) {
    for (int i = 0; i < FILES; i++) {
        struct file *file = &disk->files[i];
        uint8_t *const images[] = {file->cache, file->durable, file->image};
        for (size_t image = 0; image < sizeof images / sizeof images[0]; image++)
            if (images[image])
                munmap(images[image], file->capacity);
        free(file->pending);
    }
    *disk = (struct disk){0};
}

static int version_add(struct file *file, uint32_t sector) {
    if (file->pending_count == file->pending_max) {
        size_t max = file->pending_max > 0 ? file->pending_max * 2 : 1024;
        struct version *pending = realloc(file->pending, max * sizeof *pending);
        if (!pending)
            return -1;
        file->pending = pending;
        file->pending_max = max;
    }
    struct version *version = &file->pending[file->pending_count++];
    version->sector = sector;
    version->write = file->writes;
    memcpy(version->bytes, file->cache + (uint64_t)sector * SECTOR, SECTOR);
    return 0;
}

/* Whatever of a removed file the disk still has, nobody finds it any more. */
void disk_make(struct disk *disk, int nth) {
    struct file *file = &disk->files[nth];
    uint8_t *const images[] = {file->cache, file->durable, file->image};
    for (size_t i = 0; i < sizeof images / sizeof images[0]; i++)
        madvise(images[i], file->capacity, MADV_DONTNEED); /* zeroes again */
    file->cache_size = file->durable_size = 0;
    file->pending_count = file->writes = 0;
    file->syncs++;
}

int disk_write(struct disk *disk, int nth, uint64_t offset, const void *bytes, size_t size) {
    struct file *file = &disk->files[nth];
    if (size == 0 || size > file->capacity || offset > file->capacity - size)
        return -1;
    memcpy(file->cache + offset, bytes, size);
    if (offset + size > file->cache_size)
        file->cache_size = offset + size;
    file->writes++;
    for (uint64_t sector = offset / SECTOR; sector <= (offset + size - 1) / SECTOR; sector++)
        if (version_add(file, (uint32_t)sector) != 0)
            return -1;
    return 0;
}

/* The store never makes a file of its own shorter; longer means zeroes. */
void disk_truncate(struct disk *disk, int nth, uint64_t size) {
    struct file *file = &disk->files[nth];
    if (size <= file->capacity)
        file->cache_size = size;
}

static void sector_settle(struct file *file, uint32_t sector) {
    uint64_t at = (uint64_t)sector * SECTOR;
    memcpy(file->durable + at, file->cache + at, SECTOR);
    memcpy(file->image + at, file->cache + at, SECTOR);
}

void disk_sync(struct disk *disk, int nth) {
    struct file *file = &disk->files[nth];
    for (size_t i = 0; i < file->pending_count; i++)
        if (file->pending[i].sector != SECTOR_NONE)
            sector_settle(file, file->pending[i].sector);
    file->pending_count = 0;
    file->writes = 0;
    file->durable_size = file->cache_size;
    file->syncs++;
}

void disk_through(struct disk *disk, int nth, uint64_t offset, size_t size) {
    struct file *file = &disk->files[nth];
    uint64_t first = offset / SECTOR, last = (offset + size - 1) / SECTOR;
    bool others = false;
    for (size_t i = 0; i < file->pending_count; i++) {
        struct version *version = &file->pending[i];
        if (version->sector >= first && version->sector <= last)
            version->sector = SECTOR_NONE;
        others = others || version->sector != SECTOR_NONE;
    }
    for (uint64_t sector = first; sector <= last; sector++)
        sector_settle(file, (uint32_t)sector);
    if (offset + size > file->durable_size)
        file->durable_size = offset + size;
    if (!others)
        file->pending_count = file->writes = 0;
    file->syncs++;
}

void disk_folder_sync(struct disk *disk) {
    disk->data_kept = disk->data_named;
    disk->journal_kept = disk->journal_named;
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
static uint64_t size_after(const struct file *file, uint64_t reached, uint64_t *seed) {
    uint64_t size = reached > file->durable_size ? reached : file->durable_size;
    if (file->cache_size > size && random_below(seed, 4) == 0)
        size = file->cache_size;
    return size < file->cache_size ? size : file->cache_size;
}

static void file_cut(struct file *file, int nth, uint64_t *seed, struct outcome *outcome) {
    struct choice choice = {(enum manner)random_below(seed, MANNERS), random_next(seed), 0};
    uint64_t reached = 0;
    choice.write = 1 + random_below(seed, file->writes > 0 ? file->writes : 1);
    outcome->how[nth] = manners[choice.manner];
    outcome->pending += file->pending_count;
    for (size_t i = 0; i < file->pending_count; i++) {
        const struct version *version = &file->pending[i];
        uint64_t at = (uint64_t)version->sector * SECTOR;
        if (version->sector == SECTOR_NONE || !is_kept(&choice, version, seed))
            continue;
        memcpy(file->image + at, version->bytes, SECTOR);
        reached = at + SECTOR > reached ? at + SECTOR : reached;
        outcome->kept++;
    }
    outcome->size[nth] = size_after(file, reached, seed);
}

/* Two cuts are the same when the files and the names that they leave are. */
static uint64_t file_hash(const struct file *file, uint64_t nth, uint64_t size) {
    struct {
        uint64_t nth, syncs, size;
    } same = {nth, file->syncs, size};
    uint64_t hash = XXH3_64bits(&same, sizeof same);
    for (size_t i = 0; i < file->pending_count; i++) {
        uint64_t at = (uint64_t)file->pending[i].sector * SECTOR;
        if (file->pending[i].sector == SECTOR_NONE ||
            memcmp(file->image + at, file->durable + at, SECTOR) == 0)
            continue;
        hash += XXH3_64bits_withSeed(file->image + at, SECTOR, at + nth);
    }
    return hash;
}

static void names_cut(const struct disk *disk, uint64_t *seed, struct outcome *outcome) {
    bool folder_is_gone = !disk->parent_synced && random_below(seed, 3) == 0;
    outcome->data_exists = disk->data_named;
    outcome->journal = disk->journal_named;
    if (disk->data_kept != disk->data_named && random_below(seed, 3) == 0)
        outcome->data_exists = disk->data_kept;
    if (disk->journal_kept != disk->journal_named && random_below(seed, 3) == 0)
        outcome->journal = disk->journal_kept;
    if (folder_is_gone) {
        outcome->data_exists = false;
        outcome->journal = FILE_NONE;
    }
}

void disk_cut(struct disk *disk, uint64_t *seed, struct outcome *outcome) {
    *outcome = (struct outcome){0};
    for (int file = 0; file < FILES; file++)
        file_cut(&disk->files[file], file, seed, outcome);
    names_cut(disk, seed, outcome);
    struct {
        uint64_t data_exists, journal;
    } same = {outcome->data_exists, (uint64_t)outcome->journal};
    outcome->hash = XXH3_64bits(&same, sizeof same);
    for (int file = 0; file < FILES; file++)
        outcome->hash += file_hash(&disk->files[file], (uint64_t)file, outcome->size[file]);
}

void disk_uncut(struct disk *disk) {
    for (int nth = 0; nth < FILES; nth++) {
        struct file *file = &disk->files[nth];
        for (size_t i = 0; i < file->pending_count; i++) {
            uint64_t at = (uint64_t)file->pending[i].sector * SECTOR;
            if (file->pending[i].sector != SECTOR_NONE)
                memcpy(file->image + at, file->durable + at, SECTOR);
        }
    }
}
