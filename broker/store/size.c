/* size.c - how much room the store has, in its map and on its disk, and the map's growth.
 */
#include "room.h"

#include <errno.h>
#include <string.h>
#include <sys/statvfs.h>

#define MAP_HEADROOM (UINT64_C(256) << 20)
/* With so much room free a disk is not full, whatever part of it is used: the reserve that answers
 * need is a number of bytes, and a fifth of a large disk would be a hundred times of it. */
#define DISK_PLENTY (UINT64_C(8) << 30)

static uint64_t used_bytes(const struct store *store) {
    MDB_envinfo info;
    if (mdb_env_info(store->env, &info) != 0)
        return 0;
    /* Pages that LMDB has free inside count as used: the growing log takes them soon anyway. */
    return (info.me_last_pgno + 1) * store->page;
}

int store_measure(struct store *store) {
    struct statvfs disk;
    if (statvfs(store->directory, &disk) != 0)
        return store_fail(store, -EST_IO, "cannot tell how full the disk is: %s; see the system's log",
                          strerror(errno));
    /* As df(1) reckons: blocks kept for root are neither used nor free for us. */
    uint64_t unit = disk.f_frsize, used = disk.f_blocks - disk.f_bfree;
    store->disk_free = disk.f_bavail * unit;
    store->disk_total = (used + disk.f_bavail) * unit;
    return 0;
}

static uint64_t thousandths(uint64_t part, uint64_t whole) {
    return whole > 0 ? (uint64_t)((unsigned __int128)part * 1000 / whole) : 0;
}

unsigned store_fullness(const struct store *store) {
    uint64_t own = thousandths(used_bytes(store), store->size_max);
    uint64_t disk = thousandths(store->disk_total - store->disk_free, store->disk_total);
    if (store->disk_free >= DISK_PLENTY)
        disk = 0;
    return (unsigned)(own > disk ? own : disk);
}

/* LMDB tells its readers as text: a heading, then a line each, which ends with what the reader sees, or
 * with a dash where its place is kept and it reads nothing now. */
static int reader_line(const char *line, void *readers) {
    size_t size = strcspn(line, "\n");
    *(uint64_t *)readers += size > 0 && line[size - 1] >= '0' && line[size - 1] <= '9';
    return 0;
}

static uint64_t readers_count(const struct store *store) {
    uint64_t readers = 0;
    mdb_reader_list(store->env, reader_line, &readers);
    return readers;
}

void store_sizes(const struct store *store, struct store_sizes *ret) {
    *ret = (struct store_sizes){
        .used = used_bytes(store),
        .map = store->map,
        .size_max = store->size_max,
        .disk_free = store->disk_free,
        .disk_total = store->disk_total,
        .readers = readers_count(store),
    };
}

int store_tidy(struct store *store) {
    int dead = 0, rc = mdb_reader_check(store->env, &dead);
    if (rc != 0)
        return store_fail_lmdb(store, rc, "looking for dead readers");
    return store_measure(store);
}

static uint64_t headroom_of(const struct store *store) {
    return store->map / 4 > MAP_HEADROOM ? store->map / 4 : MAP_HEADROOM;
}

bool map_is_short(const struct store *store) {
    return store->map < store->size_max && used_bytes(store) + headroom_of(store) > store->map;
}

/* The map moves, so nobody may be looking at it. Where there is room for some batches yet, a look
 * under way is not waited for. */
bool map_hold(struct store *store) {
    bool is_urgent = used_bytes(store) + headroom_of(store) / 2 > store->map;
    return (is_urgent ? pthread_mutex_lock(&store->map_lock) : pthread_mutex_trylock(&store->map_lock)) == 0;
}

void map_release(struct store *store) {
    pthread_mutex_unlock(&store->map_lock);
}

/* The map is address space, not disk: doubling it costs nothing, and a batch must never meet its
 * end before size_max because LMDB cannot move it while a transaction is open. */
int map_grow(struct store *store) {
    uint64_t headroom = headroom_of(store), larger = store->map;
    while (larger < store->size_max && used_bytes(store) + headroom > larger)
        larger *= 2;
    if (larger > store->size_max)
        larger = store->size_max;
    int rc = mdb_env_set_mapsize(store->env, larger);
    if (rc != 0)
        return store_fail_lmdb(store, rc, "growing the map");
    store->map = larger;
    return 0;
}
