/* replay.c - a main for fuzz targets where there is no libFuzzer: every file of a corpus, then
 * mutations of them, the same ones in every run.
 *
 *     fuzz_replay_wire FOLDER      all files, then mutations for FUZZ_SECONDS (5) from FUZZ_SEED (1)
 *     fuzz_replay_wire FILE ...    those files alone
 *
 * Mutation n depends on the seed, on n and on the corpus, not on those before it. An input that
 * ends the program, or takes longer than HANG_S, is left in the working folder as
 * crash-TARGET; move it into the corpus with a name that says what it is.
 */
#include "fuzz.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { SECONDS = 5, HANG_S = 60, EDITS_MAX = 5, INPUT_MAX = 128 * 1024, MEMORY_MIB = 2048 };

struct input {
    char *name;
    uint8_t *bytes;
    size_t size;
};

struct corpus {
    struct input *at;
    size_t count;
};

/* --- The input at hand, for whoever has to find out what was wrong with it --------------------- */

static const char *program;
static pid_t own;
static struct {
    const char *name;
    unsigned long mutation; /* 0: the file itself */
    const uint8_t *bytes;
    size_t size;
} at_hand;

/* Runs in signal handlers and while a sanitizer dies: nothing here allocates. A child that the
 * target has made dies for itself. */
static void input_leave(void) {
    if (getpid() != own || !at_hand.bytes)
        return;
    char path[300];
    snprintf(path, sizeof path, "crash-%s", program);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (fd < 0 || write(fd, at_hand.bytes, at_hand.size) != (ssize_t)at_hand.size)
        dprintf(STDERR_FILENO, "%s: the input cannot be written to %s\n", program, path);
    else
        dprintf(STDERR_FILENO, "%s: that was %s, mutation %lu; the input is in %s\n", program, at_hand.name,
                at_hand.mutation, path);
    at_hand.bytes = NULL;
}

static void on_signal(int number) {
    dprintf(STDERR_FILENO, "%s: %s\n", program, number == SIGALRM ? "hangs" : "ended by a signal");
    input_leave();
    signal(number, SIG_DFL);
    raise(number);
}

/* Of the sanitizers' runtime; NULL without it. */
__attribute__((weak)) void __sanitizer_set_death_callback(void (*callback)(void));

/* Asked by the runtime of the undefined-behaviour sanitizer, which knows no callback. */
const char *__ubsan_default_options(void);
const char *__ubsan_default_options(void) {
    return "abort_on_error=1";
}

static void watch(void) {
    static const int deaths[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGALRM};
    own = getpid();
    if (__sanitizer_set_death_callback)
        __sanitizer_set_death_callback(input_leave);
    /* A sanitizer tells more of a bad address than we could. */
    for (size_t i = 0; i < sizeof deaths / sizeof deaths[0]; i++)
        if (!__sanitizer_set_death_callback || deaths[i] == SIGABRT || deaths[i] == SIGALRM)
            signal(deaths[i], on_signal);
    /* The shadow of a sanitizer would count, so it has limits of its own. */
    static const struct rlimit memory = {MEMORY_MIB * 1024UL * 1024, MEMORY_MIB * 1024UL * 1024};
    if (!__sanitizer_set_death_callback)
        setrlimit(RLIMIT_DATA, &memory);
}

/* In memory of its own size, so that a read behind its end is seen. */
static void input_run(const char *name, unsigned long mutation, const uint8_t *bytes, size_t size) {
    uint8_t *copy = malloc(size ? size : 1);
    CLAIM(copy, "out of memory");
    if (size)
        memcpy(copy, bytes, size);
    at_hand.name = name;
    at_hand.mutation = mutation;
    at_hand.bytes = copy;
    at_hand.size = size;
    alarm(HANG_S);
    LLVMFuzzerTestOneInput(copy, size);
    alarm(0);
    at_hand.bytes = NULL;
    free(copy);
}

/* --- The corpus -------------------------------------------------------------------------------- */

static void trouble(const char *path) {
    perror(path);
    exit(1);
}

static struct input input_read(const char *path) {
    FILE *file = fopen(path, "rbe");
    struct stat info;
    if (!file || fstat(fileno(file), &info) != 0)
        trouble(path);
    struct input input = {strdup(path), malloc((size_t)info.st_size + 1), (size_t)info.st_size};
    if (!input.name || !input.bytes || fread(input.bytes, 1, input.size, file) != input.size)
        trouble(path);
    fclose(file);
    return input;
}

static void corpus_add(struct corpus *corpus, const char *path) {
    corpus->at = reallocarray(corpus->at, corpus->count + 1, sizeof *corpus->at);
    CLAIM(corpus->at, "out of memory");
    corpus->at[corpus->count++] = input_read(path);
}

/* Sorted by name: the order of a folder is the file system's, and mutations depend on it. */
static void corpus_add_folder(struct corpus *corpus, const char *folder) {
    struct dirent **entries;
    int count = scandir(folder, &entries, NULL, alphasort);
    if (count < 0)
        trouble(folder);
    for (int i = 0; i < count; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        if (entries[i]->d_name[0] != '.')
            corpus_add(corpus, path);
        free(entries[i]);
    }
    free(entries);
}

static void corpus_done(struct corpus *corpus) {
    for (size_t i = 0; i < corpus->count; i++) {
        free(corpus->at[i].name);
        free(corpus->at[i].bytes);
    }
    free(corpus->at);
}

/* --- Mutations --------------------------------------------------------------------------------- */

/* What is mutated: `size` bytes of INPUT_MAX. */
struct mutant {
    uint64_t random;
    uint8_t *bytes;
    size_t size;
    const struct corpus *corpus;
};

/* splitmix64: good numbers from any seed, neighbours too. */
static uint64_t random_next(struct mutant *m) {
    uint64_t z = m->random += 0x9e3779b97f4a7c15U;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9U;
    z = (z ^ z >> 27) * 0x94d049bb133111ebU;
    return z ^ z >> 31;
}

static size_t random_below(struct mutant *m, size_t bound) {
    return bound ? random_next(m) % bound : 0;
}

/* Mostly short, now and then of any length. */
static size_t random_length(struct mutant *m, size_t most) {
    size_t bound = random_below(m, 4) ? 16 : most;
    return random_below(m, (bound < most ? bound : most) + 1);
}

static void piece_insert(struct mutant *m, size_t at, const uint8_t *piece, size_t size) {
    if (size == 0 || m->size + size > INPUT_MAX)
        return;
    memmove(m->bytes + at + size, m->bytes + at, m->size - at);
    memmove(m->bytes + at, piece, size);
    m->size += size;
}

static void edit_bit(struct mutant *m) {
    if (m->size)
        m->bytes[random_below(m, m->size)] ^= (uint8_t)(1U << random_below(m, 8));
}

static void edit_byte(struct mutant *m) {
    static const uint8_t telling[] = {0x00, 0x01, 0x7f, 0x80, 0xff, 0xc0, 0xc1, 0xca, 0xd9, 0xdc, 0xdf,
                                      '"',  '\'', ':',  '-',  '{',  '[',  '\n', ' ',  '0',  '9',  '\\'};
    if (m->size)
        m->bytes[random_below(m, m->size)] =
            random_below(m, 4) ? telling[random_below(m, sizeof telling)] : (uint8_t)random_next(m);
}

static void edit_step(struct mutant *m) {
    if (m->size)
        m->bytes[random_below(m, m->size)] += (uint8_t)(random_below(m, 2) ? 1 : -1);
}

/* A length or a number that stands at an edge, big-endian or little-endian. */
static void edit_number(struct mutant *m) {
    size_t width = (size_t)1 << random_below(m, 4), at = random_below(m, m->size + 1);
    uint64_t number = (random_below(m, 2) ? UINT64_C(1) << random_below(m, 64) : 0) - random_below(m, 3);
    bool big = random_below(m, 2);
    for (size_t i = 0; i < width && at + i < m->size; i++)
        m->bytes[at + i] = (uint8_t)(number >> 8 * (big ? width - 1 - i : i));
}

static void edit_remove(struct mutant *m) {
    size_t at = random_below(m, m->size), size = random_length(m, m->size - at);
    memmove(m->bytes + at, m->bytes + at + size, m->size - at - size);
    m->size -= size;
}

static void edit_truncate(struct mutant *m) {
    m->size = random_below(m, m->size + 1);
}

static void edit_repeat(struct mutant *m) {
    uint8_t piece[512];
    size_t at = random_below(m, m->size), size = random_length(m, m->size - at);
    size = size < sizeof piece ? size : sizeof piece;
    if (size)
        memcpy(piece, m->bytes + at, size);
    for (size_t times = 1 + random_length(m, 100); times > 0; times--)
        piece_insert(m, at, piece, size);
}

/* A piece of another file, put in or laid over. */
static void edit_splice(struct mutant *m) {
    const struct input *other = &m->corpus->at[random_below(m, m->corpus->count)];
    size_t from = random_below(m, other->size), size = random_length(m, other->size - from);
    size_t at = random_below(m, m->size + 1);
    if (random_below(m, 2))
        piece_insert(m, at, other->bytes + from, size);
    else if (size)
        memcpy(m->bytes + at, other->bytes + from, size < m->size - at ? size : m->size - at);
}

static void mutate(struct mutant *m) {
    static void (*const edits[])(struct mutant *) = {edit_bit,    edit_byte,     edit_step,   edit_number,
                                                     edit_remove, edit_truncate, edit_repeat, edit_splice};
    const struct input *base = &m->corpus->at[random_below(m, m->corpus->count)];
    m->size = base->size < INPUT_MAX ? base->size : INPUT_MAX;
    if (m->size)
        memcpy(m->bytes, base->bytes, m->size);
    for (size_t count = 1 + random_below(m, EDITS_MAX); count > 0; count--)
        edits[random_below(m, sizeof edits / sizeof edits[0])](m);
}

/* --- Running ----------------------------------------------------------------------------------- */

static double clock_s(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static uint64_t environment(const char *name, uint64_t otherwise) {
    const char *text = getenv(name);
    return text ? strtoull(text, NULL, 10) : otherwise;
}

static unsigned long mutations_run(const struct corpus *corpus, uint64_t seed, double until) {
    struct mutant m = {.bytes = malloc(INPUT_MAX), .corpus = corpus};
    unsigned long number = 0;
    CLAIM(m.bytes, "out of memory");
    while (corpus->count && clock_s() < until) {
        m.random = seed * 0xd1342543de82ef95U + ++number;
        mutate(&m);
        input_run("a mutation", number, m.bytes, m.size);
    }
    free(m.bytes);
    return number;
}

/* After a minute of broken YAML libfyaml 0.7.12 has lost a buffer of its own on some error path. What
 * we forget to give back to it the catalogue's own tests find, where nothing is suppressed. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) {
    return "leak:libfyaml.so\n";
}

int main(int argc, char **argv) {
    struct corpus corpus = {0};
    struct stat info;
    bool folders = false;
    program = strrchr(argv[0], '/') ? strrchr(argv[0], '/') + 1 : argv[0];
    if (argc < 2) {
        fprintf(stderr, "%s FOLDER | FILE ...\n", program);
        return 2;
    }
    for (int i = 1; i < argc; i++) {
        bool is_folder = stat(argv[i], &info) == 0 && S_ISDIR(info.st_mode);
        folders = folders || is_folder;
        (is_folder ? corpus_add_folder : corpus_add)(&corpus, argv[i]);
    }
    watch();
    double start = clock_s();
    uint64_t seed = environment("FUZZ_SEED", 1);
    for (size_t i = 0; i < corpus.count; i++)
        input_run(corpus.at[i].name, 0, corpus.at[i].bytes, corpus.at[i].size);
    unsigned long mutations =
        folders ? mutations_run(&corpus, seed, start + (double)environment("FUZZ_SECONDS", SECONDS)) : 0;
    printf("%s: %zu files, %lu mutations from seed %llu, %.1f s\n", program, corpus.count, mutations,
           (unsigned long long)seed, clock_s() - start);
    bool empty = corpus.count == 0;
    corpus_done(&corpus);
    return empty;
}
