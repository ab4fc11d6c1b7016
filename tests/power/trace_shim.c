/* trace_shim.c - preloaded under a workload: writes down all that the store does to its files.
 *
 * The store is the real one and so is LMDB; only the calls into the kernel pass through here. LMDB
 * writes by system calls alone (the file is mapped for reading), so nothing escapes. A mapping
 * that could be written through would, and ends the run.
 *
 * The store writes from three threads: the loop, the keeper and the journal's writer. Here one of them runs at a
 * time, and takes turns with the others as a seed says: so a trace can be made again, and the keeper's transaction,
 * a moment on this machine, lies open while the loop commits many batches, as on a slow disk, and a batch is
 * written before the next one is begun, or not before it is complete. Who waits for a condition gives
 * the turn away; there is no other reason to wait.
 *
 * The controls live here too, so that the product needs no switch for its own tests: `nosync` and
 * `nometasync` open LMDB with these flags, `lazyjournal` opens the journal without O_DSYNC, `ignored` is
 * a disk that says it has synced and has not, `nofolder` one that does so for folders only.
 */
#include "trace.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { DESCRIPTORS_MAX = 1024, FLAG_NOSYNC = 0x10000, FLAG_NOMETASYNC = 0x40000 };
enum file_kind { FILE_OTHER, FILE_PLAIN, FILE_THROUGH, FILE_FOLDER, FILE_PARENT };

/* By descriptor. */
static struct opened {
    enum file_kind kind;
    uint64_t inode;
} opened[DESCRIPTORS_MAX];
static int trace = -1;

/* --- Writing down ------------------------------------------------------------------------------ */

/* A trace that cannot be written proves nothing: the run ends. */
static void give_up(const char *why) {
    ssize_t ignored = write(STDERR_FILENO, why, strlen(why));
    (void)ignored;
    _exit(99);
}

static void put(const void *bytes, size_t size) {
    const char *at = bytes;
    while (size > 0) {
        long wrote = syscall(SYS_write, trace, at, size);
        if (wrote <= 0)
            give_up("trace_shim: the trace cannot be written\n");
        at += wrote;
        size -= (size_t)wrote;
    }
}

static bool trace_ready(void) {
    const char *path = getenv(TRACE_FILE_ENV);
    if (trace < 0 && path)
        trace = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND, 0600);
    return trace >= 0;
}

static void record(enum trace_kind kind, uint64_t offset, uint64_t value, const void *bytes, size_t size) {
    struct trace_head head = {kind, (uint32_t)size, offset, value};
    if (!trace_ready())
        return;
    put(&head, sizeof head);
    if (size > 0)
        put(bytes, size);
}

static bool control_is(const char *name) {
    const char *control = getenv(TRACE_CONTROL_ENV);
    return control && strcmp(control, name) == 0;
}

/* --- Turns ------------------------------------------------------------------------------------- */

enum turn { TURN_LOOP, TURN_KEEPER, TURN_WRITER, TURNS }; /* in the order in which the store starts them */
enum { PACES = 6, MARKS_LEAST = 4, KEEPER_AT_MARKS = 16, UNTIL_IT_WAITS = INT_MAX };

static struct {
    sem_t turns[TURNS];
    struct helper {
        bool lives;
        pthread_t thread;
        void *(*run)(void *);
        void *arg;
    } helpers[TURNS]; /* all but the loop */
    uint64_t seed;
    /* In this life: another thread's turn comes after one in so many calls of the loop, or after one in so many of
     * its marks, and is at most so many calls long. A slow keeper has its transaction open while the journal
     * goes round. */
    uint64_t rarity, marks_rarity, length;
    int left;       /* calls that the other one has left of its turn */
    uint64_t death; /* moments until then; 0: never */
} life;
static __thread enum turn mine;

static uint64_t life_chance(uint64_t below) {
    life.seed ^= life.seed << 13;
    life.seed ^= life.seed >> 7;
    life.seed ^= life.seed << 17;
    return (life.seed >> 11) % below;
}

void power_life(uint64_t seed, uint64_t death);
void power_life(uint64_t seed, uint64_t death) {
    for (int i = 0; i < TURNS; i++)
        sem_init(&life.turns[i], 0, 0);
    life.seed = seed | 1;
    life.rarity = UINT64_C(1) << life_chance(PACES);
    life.marks_rarity = MARKS_LEAST << life_chance(PACES);
    life.length = UINT64_C(1) << life_chance(PACES);
    life.death = death;
}

static void turn_wait(void) {
    while (sem_wait(&life.turns[mine]) != 0)
        ;
}

static void turn_to_loop(void) {
    sem_post(&life.turns[TURN_LOOP]);
    turn_wait();
}

static void turn_to(enum turn other, int calls) {
    life.left = calls;
    sem_post(&life.turns[other]);
    turn_wait();
}

/* To one of those that live, if any does: to the keeper one time in so many. */
static void turn_to_some(uint64_t keeper, int calls) {
    enum turn other = life_chance(keeper) == 0 ? TURN_KEEPER : TURN_WRITER;
    if (!life.helpers[other].lives)
        other = other == TURN_KEEPER ? TURN_WRITER : TURN_KEEPER;
    if (life.helpers[other].lives)
        turn_to(other, calls);
}

/* Between two calls: the one whose turn it is may lose it. */
static void turn_pass(uint64_t rarity, uint64_t keeper) {
    if (mine != TURN_LOOP && --life.left <= 0)
        turn_to_loop();
    else if (mine == TURN_LOOP && life.seed != 0 && life_chance(rarity) == 0)
        turn_to_some(keeper, 1 + (int)life_chance(life.length));
}

/* Before a call into the kernel and after it. kill -9 does not ask where the threads are. */
static void moment(void) {
    if (life.death > 0 && --life.death == 0)
        _exit(0);
}

/* The loop makes no call while it makes a batch, so a write that is under way would always begin behind it. The
 * keeper seldom gets a turn here: it is to be slow in some lives. */
void power_mark(uint32_t kind, uint64_t offset, uint64_t value);
void power_mark(uint32_t kind, uint64_t offset, uint64_t value) {
    record((enum trace_kind)kind, offset, value, NULL, 0);
    turn_pass(life.marks_rarity, KEEPER_AT_MARKS);
}

static void *helper_begin(void *arg) {
    struct helper *helper = arg;
    mine = (enum turn)(helper - life.helpers);
    turn_wait();
    void *ret = helper->run(helper->arg);
    helper->lives = false;
    sem_post(&life.turns[TURN_LOOP]);
    return ret;
}

static void *real(const char *name) {
    void *symbol = dlsym(RTLD_NEXT, name);
    if (!symbol)
        give_up("trace_shim: a library is not there\n");
    return symbol;
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *arg) {
    int (*create)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    void *symbol = real("pthread_create");
    memcpy(&create, &symbol, sizeof create);
    struct helper *helper = &life.helpers[TURN_KEEPER];
    while (helper < life.helpers + TURNS && helper->lives)
        helper++;
    if (helper == life.helpers + TURNS)
        give_up("trace_shim: the store has more than three threads\n");
    *helper = (struct helper){.lives = true, .run = run, .arg = arg};
    int error = create(thread, attributes, helper_begin, helper);
    helper->thread = *thread;
    return error;
}

int pthread_join(pthread_t thread, void **ret) {
    int (*join)(pthread_t, void **);
    void *symbol = real("pthread_join");
    memcpy(&join, &symbol, sizeof join);
    for (int i = TURN_KEEPER; i < TURNS; i++)
        while (life.helpers[i].lives && pthread_equal(life.helpers[i].thread, thread))
            turn_to((enum turn)i, UNTIL_IT_WAITS);
    return join(thread, ret);
}

/* Whoever waits looks again whether it has to, as after any wake-up. */
int pthread_cond_wait(pthread_cond_t *condition, pthread_mutex_t *mutex) {
    (void)condition;
    pthread_mutex_unlock(mutex);
    if (mine == TURN_LOOP)
        turn_to_some(2, UNTIL_IT_WAITS);
    else
        turn_to_loop();
    pthread_mutex_lock(mutex);
    return 0;
}

int pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex, const struct timespec *until) {
    (void)until;
    pthread_cond_wait(condition, mutex);
    return ETIMEDOUT;
}

/* --- Which file is it? ------------------------------------------------------------------------- */

/* The path behind the store's folder; NULL where it lies elsewhere. */
static const char *path_inside(const char *path) {
    const char *store = getenv(TRACE_STORE_ENV);
    size_t length = store ? strlen(store) : 0;
    return length > 0 && strncmp(path, store, length) == 0 && path[length] == '/' ? path + length : NULL;
}

static bool is_data(const char *path) {
    const char *inside = path_inside(path);
    return inside && (strcmp(inside, "/data.mdb") == 0 || strcmp(inside, "/new/data.mdb") == 0);
}

static bool is_journal(const char *path) {
    const char *inside = path_inside(path);
    return inside && (strcmp(inside, "/journal") == 0 || strcmp(inside, "/journal.new") == 0);
}

static enum file_kind kind_of(const char *path, int flags) {
    const char *store = getenv(TRACE_STORE_ENV);
    if (!store)
        return FILE_OTHER;
    if (is_data(path) || is_journal(path))
        return flags & O_DSYNC ? FILE_THROUGH : FILE_PLAIN;
    if (strcmp(path, store) == 0)
        return FILE_FOLDER;
    const char *last = strrchr(store, '/');
    size_t parent = last ? (size_t)(last - store) : 0;
    return strlen(path) == parent && strncmp(path, store, parent) == 0 ? FILE_PARENT : FILE_OTHER;
}

static const struct opened *opened_get(int fd) {
    static const struct opened none = {FILE_OTHER, 0};
    return fd >= 0 && fd < DESCRIPTORS_MAX ? &opened[fd] : &none;
}

static bool is_traced(int fd) {
    return opened_get(fd)->kind == FILE_PLAIN || opened_get(fd)->kind == FILE_THROUGH;
}

static int open_traced(const char *path, int flags, mode_t mode) {
    struct stat info;
    bool traced = is_data(path) || is_journal(path);
    bool is_new = traced && (flags & O_CREAT) && ((flags & O_TRUNC) || stat(path, &info) != 0);
    if (is_journal(path) && control_is("lazyjournal"))
        flags &= ~O_DSYNC;
    if (is_new)
        moment();
    int fd = (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
    if (fd >= DESCRIPTORS_MAX)
        give_up("trace_shim: too many files\n");
    if (fd < 0)
        return fd;
    opened[fd] = (struct opened){.kind = kind_of(path, flags)};
    if (!traced)
        return fd;
    if (fstat(fd, &info) != 0)
        give_up("trace_shim: a file has no inode\n");
    opened[fd].inode = info.st_ino;
    if (is_new)
        record(TRACE_MADE, is_data(path) ? TRACE_DATA : TRACE_JOURNAL, info.st_ino, NULL, 0);
    return fd;
}

/* --- The calls --------------------------------------------------------------------------------- */

int open(const char *path, int flags, ...) {
    va_list args;
    va_start(args, flags);
    mode_t mode = va_arg(args, mode_t);
    va_end(args);
    return open_traced(path, flags, mode);
}

int open64(const char *path, int flags, ...) {
    va_list args;
    va_start(args, flags);
    mode_t mode = va_arg(args, mode_t);
    va_end(args);
    return open_traced(path, flags, mode);
}

int close(int fd) {
    if (fd >= 0 && fd < DESCRIPTORS_MAX)
        opened[fd].kind = FILE_OTHER;
    return (int)syscall(SYS_close, fd);
}

/* A file has its name: data.mdb comes out of the folder in which it was made, the journal from beside. */
int rename(const char *from, const char *to) {
    struct stat info;
    bool traced = is_data(to) || is_journal(to);
    moment();
    int rc = (int)syscall(SYS_rename, from, to);
    if (rc == 0 && traced && stat(to, &info) == 0)
        record(TRACE_NAMED, is_data(to) ? TRACE_DATA : TRACE_JOURNAL, info.st_ino, NULL, 0);
    moment();
    return rc;
}

static void written(int fd, const void *bytes, ssize_t size, off_t offset) {
    const struct opened *file = opened_get(fd);
    bool through = file->kind == FILE_THROUGH && !control_is("ignored");
    if (size > 0 && is_traced(fd))
        record(through ? TRACE_WRITE_THROUGH : TRACE_WRITE, (uint64_t)offset, file->inode, bytes,
               (size_t)size);
}

static void before(int fd) {
    if (is_traced(fd))
        moment();
}

static void after(int fd) {
    if (!is_traced(fd))
        return;
    moment();
    turn_pass(life.rarity, 1);
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t offset) {
    before(fd);
    ssize_t wrote = syscall(SYS_pwrite64, fd, bytes, size, offset);
    written(fd, bytes, wrote, offset);
    after(fd);
    return wrote;
}

ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t offset) {
    return pwrite(fd, bytes, size, offset);
}

ssize_t write(int fd, const void *bytes, size_t size) {
    off_t offset = is_traced(fd) ? (off_t)syscall(SYS_lseek, fd, 0, SEEK_CUR) : 0;
    before(fd);
    ssize_t wrote = syscall(SYS_write, fd, bytes, size);
    written(fd, bytes, wrote, offset);
    after(fd);
    return wrote;
}

/* Each part is a write of its own: they may reach the disk in any order. */
static void parts_written(int fd, const struct iovec *parts, int count, ssize_t wrote, off_t offset) {
    for (int i = 0; i < count && wrote > 0; i++) {
        ssize_t part = (ssize_t)parts[i].iov_len < wrote ? (ssize_t)parts[i].iov_len : wrote;
        written(fd, parts[i].iov_base, part, offset);
        offset += part;
        wrote -= part;
    }
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
    off_t offset = is_traced(fd) ? (off_t)syscall(SYS_lseek, fd, 0, SEEK_CUR) : 0;
    before(fd);
    ssize_t wrote = syscall(SYS_writev, fd, parts, count);
    parts_written(fd, parts, count, wrote, offset);
    after(fd);
    return wrote;
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset) {
    before(fd);
    ssize_t wrote = syscall(SYS_pwritev, fd, parts, count, (long)offset, 0L);
    parts_written(fd, parts, count, wrote, offset);
    after(fd);
    return wrote;
}

int ftruncate(int fd, off_t length) {
    int rc = (int)syscall(SYS_ftruncate, fd, length);
    if (rc == 0 && is_traced(fd))
        record(TRACE_TRUNCATE, (uint64_t)length, opened_get(fd)->inode, NULL, 0);
    return rc;
}

static void synced(int fd) {
    const struct opened *file = opened_get(fd);
    if (is_traced(fd))
        record(TRACE_SYNC, 0, file->inode, NULL, 0);
    else if (file->kind == FILE_FOLDER && !control_is("nofolder"))
        record(TRACE_FOLDER_SYNC, 0, 0, NULL, 0);
    else if (file->kind == FILE_PARENT && !control_is("nofolder"))
        record(TRACE_PARENT_SYNC, 0, 0, NULL, 0);
}

/* The real disk need not sync: what counts is that it was asked to. */
int fsync(int fd) {
    before(fd);
    if (!control_is("ignored"))
        synced(fd);
    after(fd);
    return 0;
}

int fdatasync(int fd) {
    return fsync(fd);
}

int msync(void *address, size_t size, int flags) {
    (void)address;
    (void)size;
    (void)flags;
    give_up("trace_shim: the store has written through its map, which no trace can see\n");
    return -1;
}

void *mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset) {
    if ((protection & PROT_WRITE) && (flags & MAP_SHARED) && is_traced(fd))
        give_up("trace_shim: the store's file is mapped for writing, which no trace can see\n");
    return (void *)syscall(SYS_mmap, address, size, protection, flags, fd, offset);
}

/* LMDB's own: a control opens it with flags that the store never gives. */
int mdb_env_open(void *env, const char *path, unsigned flags, mode_t mode);
int mdb_env_open(void *env, const char *path, unsigned flags, mode_t mode) {
    int (*env_open)(void *, const char *, unsigned, mode_t);
    void *symbol = real("mdb_env_open");
    memcpy(&env_open, &symbol, sizeof env_open);
    if (control_is("nosync"))
        flags |= FLAG_NOSYNC;
    if (control_is("nometasync"))
        flags |= FLAG_NOMETASYNC;
    return env_open(env, path, flags, mode);
}
