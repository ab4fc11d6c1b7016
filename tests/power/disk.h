/* disk.h - a disk as a power cut leaves it: what was synced, and any part of what was not.
 *
 * The kernel's cache and the disk are two images of the file. A write changes the cache; each
 * sector of 512 bytes it touches gets one more version that the disk may or may not have had time
 * to write. A sync, or a write through, makes the cache's content the disk's. After a cut each
 * sector is as it was on the disk, or as any of its later versions: writes are torn at sectors, in
 * any order, and what was overwritten in the cache may have reached the disk before.
 */
#ifndef DISK_H
#define DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SECTOR = 512, SECTOR_NONE = 0xffffffffu };

struct version {
    uint32_t sector, write; /* write: counts the writes since the last sync */
    uint8_t bytes[SECTOR];
};

struct disk {
    uint8_t *cache, *durable; /* `capacity` bytes each */
    uint8_t *image;           /* as `durable`, and between disk_cut and disk_uncut as the cut left it */
    uint64_t capacity, cache_size, durable_size;
    struct version *pending; /* in the order of the writes; of SECTOR_NONE: on disk meanwhile */
    size_t pending_count, pending_max;
    uint32_t writes; /* since the last sync */
    uint64_t syncs;  /* how often the disk has changed for good */
    bool named, folder_synced, parent_synced;
};

int disk_init(struct disk *, uint64_t capacity); /* 0, or -1 without memory */
void disk_done(struct disk *);
int disk_write(struct disk *, uint64_t offset, const void *bytes, size_t size);
void disk_truncate(struct disk *, uint64_t size);
void disk_sync(struct disk *);
/* The sectors of this stretch are on the disk; others may still be pending. */
void disk_through(struct disk *, uint64_t offset, size_t size);

/* One outcome of a cut. */
struct outcome {
    uint64_t size;
    bool exists;   /* the file has its name */
    uint64_t hash; /* equal for equal outcomes at the same sync */
    size_t kept;   /* sectors that reached the disk though nobody had synced them */
    const char *how;
};

/* Puts one random outcome into `disk->image`, and disk_uncut takes it out again. */
void disk_cut(struct disk *, uint64_t *seed, struct outcome *ret);
void disk_uncut(struct disk *);

uint64_t random_next(uint64_t *seed);
uint64_t random_below(uint64_t *seed, uint64_t below);

#endif
