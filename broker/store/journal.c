/* journal.c - see journal.h. */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "pages.h"
#include "room.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    MAGIC = 0x4a545345, /* "ESTJ" */
    FORMAT = 1,
    CHECKED_FROM = 16,
    ZERO_STEP = 1 << 20,
    RECORD_LEAST = 88,
};

static const char file_name[] = "journal", making_name[] = "journal.new";

/* On disk as it is here: little-endian, as Debian's machines that this is built for are. */
struct block_header {
    uint32_t magic;
    uint16_t format, size;
    uint64_t checksum, first;
    uint32_t count, bytes;
    uint64_t before, after, none[2];
};
_Static_assert(sizeof(struct block_header) == JOURNAL_HEADER_SIZE, "a header without holes");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the journal's header is written as it is");

static uint64_t header_checksum(const struct journal *j, const uint8_t *block) {
    return XXH3_64bits_withSeed(block + CHECKED_FROM, JOURNAL_HEADER_SIZE - CHECKED_FROM, j->key);
}

static uint64_t aligned(uint64_t bytes) {
    return (bytes + JOURNAL_BLOCK - 1) / JOURNAL_BLOCK * JOURNAL_BLOCK;
}

/* --- The file ---------------------------------------------------------------------------------- */

static int fail(struct store *store, const char *what) {
    return journal_fail_with(store, errno, what);
}

/* Not every file system knows O_DIRECT; O_DSYNC alone costs a copy and promises the same. */
static int file_open(struct store *store, const char *name, int flags) {
    char path[4096];
    if (snprintf(path, sizeof path, "%s/%s", store->directory, name) >= (int)sizeof path)
        return errno = ENAMETOOLONG, -1;
    int fd = open(path, flags | O_DSYNC | O_DIRECT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0 && errno == EINVAL)
        fd = open(path, flags | O_DSYNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    return fd;
}

static int write_whole(int fd, const uint8_t *bytes, size_t size, uint64_t at) {
    while (size > 0) {
        ssize_t wrote = pwrite(fd, bytes, size, (off_t)at);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0 || wrote % JOURNAL_BLOCK != 0) /* a short write ends on a full disk */
            return errno = wrote < 0 ? errno : ENOSPC, -1;
        bytes += wrote, at += (uint64_t)wrote, size -= (size_t)wrote;
    }
    return 0;
}

/* All of it is written once, so that no later write has to give the file a place or a length. It
 * gets its name when it is whole. */
static int file_make(struct store *store) {
    struct journal *j = &store->journal;
    char from[4096], to[4096];
    memset(j->ring, 0, j->size);
    int fd = file_open(store, making_name, O_RDWR | O_CREAT | O_TRUNC);
    if (fd < 0)
        return fail(store, "making it");
    int rc = 0;
    for (uint64_t at = 0; rc == 0 && at < j->size; at += ZERO_STEP)
        rc = write_whole(fd, j->ring + at, j->size - at < ZERO_STEP ? j->size - at : ZERO_STEP, at);
    if (rc == 0)
        rc = fsync(fd);
    snprintf(from, sizeof from, "%s/%s", store->directory, making_name);
    snprintf(to, sizeof to, "%s/%s", store->directory, file_name);
    if (rc == 0)
        rc = rename(from, to);
    if (rc != 0) {
        rc = fail(store, "making it");
        unlink(from);
        close(fd);
        return rc;
    }
    j->fd = fd; /* the folder is synced before the store is open */
    return 0;
}

static int file_read(struct store *store) {
    struct journal *j = &store->journal;
    struct stat info;
    if (fstat(j->fd, &info) != 0)
        return fail(store, "looking at it");
    /* Of another size: read as much as there is; it is made anew once nothing in it counts. */
    uint64_t size = (uint64_t)info.st_size / JOURNAL_BLOCK * JOURNAL_BLOCK;
    if (size > j->size) {
        uint8_t *larger = aligned_alloc(JOURNAL_BLOCK, size);
        if (larger == NULL)
            return store_fail(store, -EST_NO_MEMORY, "out of memory for the journal");
        free(j->ring);
        j->ring = larger;
        j->size = size;
    }
    memset(j->ring + size, 0, j->size - size);
    for (uint64_t at = 0; at < size;) {
        ssize_t got = pread(j->fd, j->ring + at, size - at, (off_t)at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return fail(store, "reading it");
        at += (uint64_t)got;
    }
    return 0;
}

static uint64_t size_wanted(const struct store *store) {
    uint64_t size = store->size_max / 8 / JOURNAL_BLOCK * JOURNAL_BLOCK;
    return size > JOURNAL_SIZE ? JOURNAL_SIZE : size < JOURNAL_SIZE_LEAST ? JOURNAL_SIZE_LEAST : size;
}

static int journal_allocate(struct store *store) {
    struct journal *j = &store->journal;
    uint64_t places = 1;
    j->size = size_wanted(store);
    while (places < j->size / RECORD_LEAST)
        places *= 2;
    j->mask = places - 1;
    j->ring = aligned_alloc(j->size % PAGES_LARGE == 0 ? PAGES_LARGE : JOURNAL_BLOCK, j->size);
    j->places = malloc(places * sizeof *j->places);
    if (j->ring == NULL || j->places == NULL)
        return store_fail(store, -EST_NO_MEMORY, "out of memory for the journal");
    /* The kernel then finds the pages of a write at one go; where it has none, it stays as it is. */
    pages_large(j->ring, j->size);
    memcpy(&j->key, store->secret, sizeof j->key);
    return 0;
}

static bool header_is_whole(const struct journal *j, uint64_t at) {
    const struct block_header *h = (const void *)(j->ring + at);
    return h->magic == MAGIC && h->format == FORMAT && h->size == JOURNAL_HEADER_SIZE && h->count > 0 &&
           h->bytes > JOURNAL_HEADER_SIZE && h->bytes <= j->size - at &&
           h->checksum == header_checksum(j, j->ring + at);
}

/* A header lies in one sector, so the block written last has a whole one whatever power did to it. Where there
 * are headers and none is whole, they are of another secret. */
static int owner_check(struct store *store) {
    const struct journal *j = &store->journal;
    bool has_blocks = false;
    for (uint64_t at = 0; at < j->size; at += JOURNAL_BLOCK) {
        const struct block_header *h = (const void *)(j->ring + at);
        has_blocks |= h->magic == MAGIC;
        if (header_is_whole(j, at))
            return 0;
    }
    return !has_blocks ? 0
                       : store_fail(store, -EST_INPUT,
                                    "this is a journal of another store, or a damaged one: put back the one that "
                                    "belongs to data.mdb; move it away only if what is in it may be lost");
}

int journal_open(struct store *store) {
    struct journal *j = &store->journal;
    int rc = journal_allocate(store);
    if (rc)
        return rc;
    j->fd = file_open(store, file_name, store->read_only ? O_RDONLY : O_RDWR);
    if (j->fd >= 0) {
        rc = file_read(store);
        return rc ? rc : owner_check(store);
    }
    if (errno != ENOENT)
        return fail(store, "opening it");
    memset(j->ring, 0, j->size);
    return store->read_only ? 0 : file_make(store);
}

/* 1: there is one; 0: there is none; -1: nobody can tell. */
static int blocks_find(int fd) {
    uint32_t magic = 0;
    ssize_t got = sizeof magic;
    for (off_t at = 0; got == (ssize_t)sizeof magic && magic != MAGIC; at += JOURNAL_BLOCK)
        got = pread(fd, &magic, sizeof magic, at);
    return got < 0 ? -1 : magic == MAGIC;
}

int journal_has_blocks(struct store *store, bool *ret) {
    char path[4096];
    if (snprintf(path, sizeof path, "%s/%s", store->directory, file_name) >= (int)sizeof path)
        return errno = ENAMETOOLONG, fail(store, "opening it");
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW); /* past the cache no four bytes can be read */
    if (fd < 0 && errno != ENOENT)
        return fail(store, "opening it");
    int found = fd < 0 ? 0 : blocks_find(fd);
    int rc = found < 0 ? fail(store, "reading it") : 0;
    if (fd >= 0)
        close(fd);
    if (rc == 0)
        *ret = found > 0;
    return rc;
}

void journal_close(struct journal *j) {
    if (j->fd >= 0)
        close(j->fd);
    free(j->ring);
    free(j->places);
    *j = (struct journal){.fd = -1};
}

/* --- What counts ------------------------------------------------------------------------------- */

static bool records_are_whole(const uint8_t *block, const struct block_header *h) {
    size_t at = JOURNAL_HEADER_SIZE;
    uint64_t digest = h->before;
    for (uint32_t i = 0; i < h->count; i++) {
        est_slice record = {block + at, record_span((est_slice){block + at, h->bytes - at})};
        if (!record_is_whole(record))
            return false;
        digest = digest_step(digest, record_checksum(record));
        at += record.size;
    }
    return at == h->bytes && digest == h->after;
}

static const struct block_header *block_at(const struct journal *j, uint64_t at) {
    const struct block_header *h = (const void *)(j->ring + at);
    return header_is_whole(j, at) && records_are_whole(j->ring + at, h) ? h : NULL;
}

/* The block that continues the log; or any whole one that has events which the log lacks. */
static const struct block_header *block_find(const struct journal *j, const struct store_head *head, bool behind) {
    for (uint64_t at = 0; at < j->size; at += JOURNAL_BLOCK) {
        const struct block_header *h = (const void *)(j->ring + at);
        bool wanted = behind ? h->first > head->seq : h->first == head->seq + 1 && h->before == head->digest;
        if (wanted && block_at(j, at) != NULL)
            return h;
    }
    return NULL;
}

static int block_damaged(struct store *store, const struct block_header *h) {
    return store_damaged(store, "the journal has events from %llu on, but not those before them",
                         (unsigned long long)h->first);
}

/* Each record of a block, as an event. */
static int block_replay(struct store *store, const struct block_header *h) {
    char why[RECORD_WHY_SIZE];
    const uint8_t *at = (const uint8_t *)h + JOURNAL_HEADER_SIZE, *end = (const uint8_t *)h + h->bytes;
    uint64_t after = h->after;
    int rc = 0;
    for (uint32_t i = 0; i < h->count && !rc; i++) {
        struct event event;
        size_t size = record_span((est_slice){at, (size_t)(end - at)});
        if (record_read((est_slice){at, size}, &store->scratch, &event, why) < 0)
            return store_damaged(store, "an event in the journal cannot be used: %s", why);
        rc = store_append(store, &event);
        at += size;
    }
    if (!rc && store->head.digest != after)
        rc = store_damaged(store, "the journal's digest is not the log's");
    return rc;
}

static int ring_reset(struct store *store) {
    struct journal *j = &store->journal;
    j->head = j->tail = 0;
    j->oldest = store->head.seq + 1;
    struct stat info;
    if (fstat(j->fd, &info) != 0)
        return fail(store, "looking at it");
    if ((uint64_t)info.st_size == size_wanted(store))
        return 0;
    close(j->fd);
    j->fd = -1;
    j->size = size_wanted(store); /* the memory is at least as large */
    return file_make(store);
}

/* Is the next block there by its header, and its records are not? */
static bool next_is_torn(const struct journal *j, const struct store_head *head) {
    for (uint64_t at = 0; at < j->size; at += JOURNAL_BLOCK) {
        const struct block_header *h = (const void *)(j->ring + at);
        if (h->first == head->seq + 1 && h->before == head->digest && header_is_whole(j, at))
            return true; /* a whole one was found before */
    }
    return false;
}

int journal_replay(struct store *store) {
    const struct block_header *h;
    while ((h = block_find(&store->journal, &store->head, false)) != NULL) {
        int rc = store_begin(store);
        if (!rc)
            rc = direct_begin(store);
        if (!rc)
            rc = block_replay(store, h);
        if (!rc)
            rc = store_commit(store);
        if (rc) {
            store_abort(store);
            return rc;
        }
    }
    h = block_find(&store->journal, &store->head, true);
    if (h != NULL)
        return block_damaged(store, h);
    store->opening.is_torn = next_is_torn(&store->journal, &store->head);
    return ring_reset(store);
}

void journal_look(const struct store *store, const struct store_head *kept, struct journal_sight *ret) {
    const struct journal *j = &store->journal;
    struct store_head head = *kept;
    const struct block_header *h;
    *ret = (struct journal_sight){0};
    while ((h = block_find(j, &head, false)) != NULL) {
        ret->events += h->count;
        head.seq += h->count;
        head.digest = h->after;
    }
    ret->is_torn = next_is_torn(j, &head);
    h = block_find(j, &head, true);
    ret->without_before = h != NULL ? h->first : 0;
}

/* --- Blocks ------------------------------------------------------------------------------------ */

/* The block moves to the ring's beginning: it must not wrap. */
static void block_move(struct journal *j) {
    uint64_t from = j->head % j->size;
    memmove(j->ring, j->ring + from, j->used);
    for (uint32_t i = 0; i < j->count; i++)
        j->places[(j->first + i) & j->mask] -= (uint32_t)from;
    j->head += j->size - from;
}

uint8_t *journal_reserve(struct journal *j, uint64_t seq, size_t size) {
    size_t used = j->used > 0 ? j->used : JOURNAL_HEADER_SIZE;
    uint64_t offset = j->head % j->size, whole = aligned(used + size);
    bool moves = offset + whole > j->size;
    uint64_t room = j->size - (j->head - j->tail);
    if (whole + (moves ? j->size - offset : 0) > room || seq - j->oldest >= j->mask)
        return NULL;
    if (j->used == 0) {
        j->first = seq;
        j->count = 0;
    }
    j->used = used;
    if (moves)
        block_move(j);
    uint32_t place = (uint32_t)(j->head % j->size + used);
    j->places[seq & j->mask] = place;
    j->used = used + size;
    j->count++;
    return j->ring + place;
}

void journal_finish(struct journal *j, const struct store_head *before, const struct store_head *after,
                    struct journal_span *ret) {
    uint8_t *block = j->ring + j->head % j->size;
    struct block_header header = {.magic = MAGIC, .format = FORMAT, .size = JOURNAL_HEADER_SIZE,
                                  .first = j->first, .count = j->count, .bytes = (uint32_t)j->used,
                                  .before = before->digest, .after = after->digest};
    uint64_t whole = aligned(j->used);
    memcpy(block, &header, sizeof header);
    header.checksum = header_checksum(j, block);
    memcpy(block, &header, sizeof header);
    memset(block + j->used, 0, whole - j->used);
    *ret = (struct journal_span){.from = j->head, .size = whole};
    j->head += whole;
    j->used = j->count = 0;
}

void journal_write(const struct journal *j, struct journal_span *span) {
    uint64_t at = span->from % j->size;
    int64_t began_us = monotonic_us();
    span->error = write_whole(j->fd, j->ring + at, span->size, at) == 0 ? 0 : errno;
    span->took_us = monotonic_us() - began_us;
}

int journal_fail(struct store *store, const struct journal_span *span) {
    store->journal.head = span->from;
    errno = span->error;
    return fail(store, "writing a batch");
}

void journal_drop(struct journal *j) {
    j->used = j->count = 0;
}

void journal_release(struct journal *j, uint64_t position, uint64_t oldest) {
    j->tail = position;
    j->oldest = oldest;
}

est_slice journal_record(const struct journal *j, uint64_t seq) {
    if (seq < j->oldest)
        return (est_slice){0};
    const uint8_t *at = j->ring + j->places[seq & j->mask];
    return (est_slice){at, record_span((est_slice){at, j->size - (size_t)(at - j->ring)})};
}
