/* disk.h - a disk as a power cut leaves it: what was synced, and any part of what was not.
 *
 * It holds the store's two files, and a third one in which a journal of another size is made. The
 * kernel's cache and the disk are two images of each. A write changes the cache; each sector of 512
 * bytes it touches gets one more version that the disk may or may not have had time to write. A
 * sync of this file (never of another), or a write through, makes the cache's content the disk's. After a
 * cut each sector is as it was on the disk, or as any of its later versions: writes are torn at sectors,
 * in any order, and what was overwritten in the cache may have reached the disk before.
 *
 * A name is on the disk once its folder was synced. Until then it may be missing, or still be that of
 * the file that had it before.
 */
#ifndef DISK_H
#define DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SECTOR = 512, SECTOR_NONE = 0xffffffffu };

enum { FILE_DATA, FILE_JOURNAL, FILE_JOURNAL_OTHER, FILES, FILE_NONE = FILES };

struct version {
    uint32_t sector, write; /* write: counts the writes since the last sync */
    uint8_t bytes[SECTOR];
};

struct file {
    uint8_t *cache, *durable; /* `capacity` bytes each */
    uint8_t *image;           /* as `durable`, and between disk_cut and disk_uncut as the cut left it */
    uint64_t capacity, cache_size, durable_size;
    struct version *pending; /* in the order of the writes; of SECTOR_NONE: on disk meanwhile */
    size_t pending_count, pending_max;
    uint32_t writes; /* since the last sync */
    uint64_t syncs;  /* how often what is on the disk has changed for good */
};

struct disk {
    struct file files[FILES];
    /* data.mdb has its name, in the cache and on the disk; which file is `journal`, the same. */
    bool data_named, data_kept;
    int journal_named, journal_kept;
    bool parent_synced; /* the folder itself is on the disk */
};

int disk_init(struct disk *, const uint64_t capacity[FILES]); /* 0, or -1 without memory */
void disk_done(struct disk *);
/* The file begins anew, empty. */
void disk_make(struct disk *, int file);
int disk_write(struct disk *, int file, uint64_t offset, const void *bytes, size_t size);
void disk_truncate(struct disk *, int file, uint64_t size);
void disk_sync(struct disk *, int file);
/* The sectors of this stretch are on the disk; others may still be pending. */
void disk_through(struct disk *, int file, uint64_t offset, size_t size);
/* What was given is now on the disk too. */
void disk_folder_sync(struct disk *);

/* One outcome of a cut. */
struct outcome {
    uint64_t size[FILES];
    bool data_exists;     /* data.mdb has its name */
    int journal;          /* which file is named so, or FILE_NONE */
    uint64_t hash;        /* equal for equal outcomes at the same sync */
    size_t kept, pending; /* sectors that reached the disk though nobody had synced them; of how many */
    const char *how[FILES];
};

/* Puts one random outcome into the files' `image`, and disk_uncut takes it out again. */
void disk_cut(struct disk *, uint64_t *seed, struct outcome *ret);
void disk_uncut(struct disk *);

uint64_t random_next(uint64_t *seed);
uint64_t random_below(uint64_t *seed, uint64_t below);

#endif
