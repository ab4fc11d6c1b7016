/* campaign.c - power cuts by the thousand: the program and its verdict.
 *
 *     power_campaign [--states N] [--jobs J] [--seed S] [--workload NAME] [--control NAME] [--controls]
 *
 * Runs each workload under the shim, plays its trace on a model of a disk, cuts the power at random
 * moments, and judges what the store makes of the file that is left. Equal outcomes are judged once.
 * A control is a run with the safety taken away, and has to be caught: --controls runs them all.
 *
 * Exit status: 0 nothing was broken (or every control was caught), 1 otherwise, 2 usage.
 */
#include "disk.h"
#include "recover.h"
#include "trace.h"
#include "workloads.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* One trace has only so many different states: a long campaign goes round with new seeds. */
enum {
    STATES = 20000,
    ROUND_STATES = 20000,
    CONTROL_STATES = 250,
    JOBS_MAX = 64,
    PATH_SIZE = 512,
    MIB = 1 << 20,
    BARREN_MAX = 20
};

/* A control need not break every life of a store: these are lives that each of them breaks. In all of the first
 * the journal goes round, so what LMDB lacks is soon nowhere; in those of the others batches are so large
 * that they are written while the next one is made. */
enum { CONTROL_LIVES = 3 };
#define ROUND {"usual-batches", "churn-random-ids", "deaths"}
#define OVERLAP {"overlap", "overlap-deaths", "largest-bodies"}
static const struct control {
    const char *name, *workloads[CONTROL_LIVES];
} controls[] = {
    {"nosync", ROUND}, {"nometasync", ROUND}, {"lazyjournal", ROUND}, {"ignored", ROUND},
    {"early", ROUND},  {"nofolder", ROUND},   {"begun", OVERLAP},
};

struct options {
    uint64_t states, seed;
    unsigned jobs;
    const char *workload, *control;
    bool controls, quiet; /* quiet: lines for what is broken only */
};

/* What a job leaves to the campaign; shared between the two. */
struct result {
    uint64_t states, repeated, records, syncs, kept, broken;
    bool finished;
    char why[VERDICT_SIZE + 400];
};

/* --- A trace being played ---------------------------------------------------------------------- */

struct play {
    const struct workload *it;
    const struct options *options;
    struct result *result;
    char folder[PATH_SIZE], store[PATH_SIZE + 16], state[PATH_SIZE + 16]; /* the state's own folder */
    const uint8_t *trace;
    size_t trace_size;
    uint64_t moments; /* at which the power may be cut */
    uint64_t wanted;  /* states */
    struct disk disk;
    uint64_t inodes[FILES], capacity[FILES]; /* which file of the trace is which on the disk */
    uint64_t *checksums;
    uint64_t checksums_max, promised, committing;
    uint64_t *seen; /* hashes of outcomes, open addressing */
    size_t seen_slots;
    uint64_t seed;
};

static int broken_setup(struct play *p, const char *what, const char *of) {
    snprintf(p->result->why, sizeof p->result->why, "%s: %s%s%s", p->it->name, what, of,
             errno ? strerror(errno) : "");
    return -1;
}

/* Over what the state before had there: its pages are in memory already. */
static int file_write(const char *path, const uint8_t *bytes, uint64_t size) {
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    int rc = fd < 0 ? -1 : ftruncate(fd, (off_t)size);
    for (uint64_t at = 0; at < size && rc == 0;) {
        ssize_t wrote = pwrite(fd, bytes + at, size - at, (off_t)at);
        rc = wrote <= 0 ? -1 : 0;
        at += rc == 0 ? (uint64_t)wrote : 0;
    }
    if (fd >= 0)
        close(fd);
    return rc;
}

static int name_remove(struct play *p, const char *path) {
    if (unlink(path) != 0 && errno != ENOENT)
        return broken_setup(p, "cannot take a file's name away: ", "");
    return 0;
}

/* A file that had no name yet lies in the folder in which it was being made. */
static int data_write(struct play *p, const struct outcome *outcome) {
    char named[PATH_SIZE + 32], making[PATH_SIZE + 32], made[PATH_SIZE + 48];
    snprintf(named, sizeof named, "%s/data.mdb", p->state);
    snprintf(making, sizeof making, "%s/new", p->state);
    snprintf(made, sizeof made, "%s/data.mdb", making);
    int rc = outcome->data_exists ? 0 : name_remove(p, named);
    if (!rc && !outcome->data_exists && mkdir(making, 0700) != 0 && errno != EEXIST)
        return broken_setup(p, "cannot make a folder: ", "");
    if (!rc && file_write(outcome->data_exists ? named : made, p->disk.files[FILE_DATA].image,
                          outcome->size[FILE_DATA]) != 0)
        return broken_setup(p, "cannot write a state: ", "");
    return rc;
}

/* A journal that was being made lies beside the one there is. */
static int journal_write(struct play *p, const struct outcome *outcome) {
    char names[2][PATH_SIZE + 32];
    snprintf(names[0], sizeof names[0], "%s/journal", p->state);
    snprintf(names[1], sizeof names[1], "%s/journal.new", p->state);
    int made = outcome->journal == FILE_JOURNAL ? FILE_JOURNAL_OTHER : FILE_JOURNAL;
    const int files[] = {outcome->journal, outcome->size[made] > 0 ? made : FILE_NONE};
    int rc = 0;
    for (size_t i = 0; i < 2 && !rc; i++) {
        if (files[i] == FILE_NONE)
            rc = name_remove(p, names[i]);
        else if (file_write(names[i], p->disk.files[files[i]].image, outcome->size[files[i]]) != 0)
            rc = broken_setup(p, "cannot write a state: ", "");
    }
    return rc;
}

/* The folder as the cut left it. What LMDB and the broker lock with stays from the time before, as
 * it would. */
static int state_write(struct play *p, const struct outcome *outcome) {
    if (mkdir(p->state, 0700) != 0 && errno != EEXIST)
        return broken_setup(p, "cannot make a folder: ", "");
    int rc = data_write(p, outcome);
    return rc ? rc : journal_write(p, outcome);
}

static bool seen_add(struct play *p, uint64_t hash) {
    hash ^= p->promised * UINT64_C(0x9e3779b97f4a7c15) ^ p->committing;
    hash += hash == 0;
    size_t at = hash & (p->seen_slots - 1);
    while (p->seen[at] != 0 && p->seen[at] != hash)
        at = (at + 1) & (p->seen_slots - 1);
    bool is_new = p->seen[at] == 0;
    p->seen[at] = hash;
    return is_new;
}

static void story_tell(struct play *p, const struct outcome *outcome, size_t record, const char *why) {
    struct result *r = p->result;
    if (r->broken++ > 0)
        return;
    snprintf(
        r->why, sizeof r->why,
        "%s: %s\n    the power was cut after record %zu of the trace, with events up to %" PRIu64
        " promised and up to %" PRIu64 " being committed;\n    of %zu unsynced versions of sectors %zu had "
        "reached the disk (data.mdb: %s; journal: %s);\n    data.mdb %s, %" PRIu64
        " bytes; the journal %s.\n    again: power_campaign --workload %s --seed %" PRIu64
        " --states %" PRIu64 "%s%s",
        p->it->name, why, record, p->promised, p->committing, outcome->pending, outcome->kept,
        outcome->how[FILE_DATA], outcome->how[FILE_JOURNAL],
        outcome->data_exists ? "had its name" : "had no name", outcome->size[FILE_DATA],
        outcome->journal == FILE_NONE ? "had no name" : "had its name", p->it->name, p->options->seed,
        p->wanted, p->options->control ? " --control " : "", p->options->control ? p->options->control : "");
}

/* A control may bring LMDB down, so there each state has a process of its own. */
static int judge_apart(struct play *p, const struct promise *promise, char *why) {
    int status, ends[2];
    if (pipe(ends) != 0)
        return broken_setup(p, "no pipe: ", "");
    pid_t child = fork();
    if (child == 0) {
        int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
        dup2(null, STDERR_FILENO);
        int rc = recover_and_judge(p->state, (uint64_t)p->it->size_mib * MIB, promise, why);
        ssize_t ignored = write(ends[1], why, strlen(why));
        (void)ignored;
        _exit(rc ? 1 : 0);
    }
    close(ends[1]);
    ssize_t got = read(ends[0], why, VERDICT_SIZE - 1);
    why[got > 0 ? got : 0] = '\0';
    close(ends[0]);
    if (child < 0 || waitpid(child, &status, 0) < 0)
        return broken_setup(p, "no process: ", "");
    if (!WIFEXITED(status) || WEXITSTATUS(status) > 1)
        snprintf(why, VERDICT_SIZE, "whoever opens it is killed");
    return status == 0 ? 0 : -1;
}

static int state_judge(struct play *p, const struct outcome *outcome, size_t record) {
    struct promise promise = {p->checksums, p->promised, p->committing};
    char why[VERDICT_SIZE];
    if (state_write(p, outcome) != 0)
        return -1;
    p->result->states++;
    p->result->kept += outcome->kept;
    int rc = p->options->control
                 ? judge_apart(p, &promise, why)
                 : recover_and_judge(p->state, (uint64_t)p->it->size_mib * MIB, &promise, why);
    if (rc)
        story_tell(p, outcome, record, why);
    return 0;
}

/* Some states at this moment, so many that the whole trace comes to what is wanted. */
static int power_cut(struct play *p, size_t record) {
    uint64_t due = p->wanted / p->moments + (random_below(&p->seed, p->moments) < p->wanted % p->moments);
    for (uint64_t barren = 0; due > 0 && barren < BARREN_MAX;) {
        struct outcome outcome;
        disk_cut(&p->disk, &p->seed, &outcome);
        if (seen_add(p, outcome.hash)) {
            int rc = state_judge(p, &outcome, record);
            if (rc)
                return rc;
            due--;
        } else {
            p->result->repeated++;
            barren++;
        }
        disk_uncut(&p->disk);
    }
    return 0;
}

/* A journal that is made anew does not take the place of the one there is, until it is named. */
static int file_begin(struct play *p, const struct trace_head *head) {
    int file = head->offset == TRACE_DATA ? FILE_DATA : FILE_JOURNAL;
    if (file == FILE_JOURNAL && p->disk.journal_named == FILE_JOURNAL)
        file = FILE_JOURNAL_OTHER;
    p->inodes[file] = head->value;
    return file;
}

static int file_of(const struct play *p, const struct trace_head *head) {
    int file = 0;
    while (file < FILES && p->inodes[file] != head->value)
        file++;
    return file;
}

static int name_play(struct disk *disk, const struct trace_head *head, int file) {
    if (head->offset == TRACE_DATA)
        disk->data_named = true;
    else
        disk->journal_named = file;
    return 0;
}

static int write_play(struct play *p, const struct trace_head *head, const uint8_t *bytes, int file,
                      size_t nth) {
    int rc = disk_write(&p->disk, file, head->offset, bytes, head->size);
    if (rc || head->kind == TRACE_WRITE)
        return rc;
    rc = power_cut(p, nth); /* while it is under way */
    disk_through(&p->disk, file, head->offset, head->size);
    p->result->syncs++;
    return rc;
}

static int file_play(struct play *p, const struct trace_head *head, const uint8_t *bytes, size_t nth) {
    struct disk *disk = &p->disk;
    int file = head->kind == TRACE_MADE ? file_begin(p, head) : file_of(p, head);
    if (file == FILES)
        return broken_setup(p, "the trace has a file that was never made", "");
    switch (head->kind) {
    case TRACE_MADE:
        disk_make(disk, file);
        return 0;
    case TRACE_TRUNCATE:
        disk_truncate(disk, file, head->offset);
        return 0;
    case TRACE_SYNC:
        disk_sync(disk, file);
        p->result->syncs++;
        return 0;
    case TRACE_NAMED:
        return name_play(disk, head, file);
    default:
        return write_play(p, head, bytes, file, nth);
    }
}

static bool mark_play(struct play *p, const struct trace_head *head) {
    if (head->kind == TRACE_EVENT)
        p->checksums[head->offset] = head->value;
    else if (head->kind == TRACE_COMMIT)
        p->committing = head->offset;
    else
        p->committing = 0; /* what was aborted may not appear, and nothing says that it may */
    if (head->kind == TRACE_PROMISED)
        p->promised = head->offset;
    return head->kind == TRACE_PROMISED;
}

static int record_play(struct play *p, const struct trace_head *head, const uint8_t *bytes, size_t nth) {
    int rc = 0;
    if (head->kind >= TRACE_EVENT && !mark_play(p, head))
        return 0;
    if (head->kind == TRACE_FOLDER_SYNC)
        disk_folder_sync(&p->disk);
    else if (head->kind == TRACE_PARENT_SYNC)
        p->disk.parent_synced = true;
    else if (head->kind < TRACE_FOLDER_SYNC)
        rc = file_play(p, head, bytes, nth);
    return rc ? rc : power_cut(p, nth);
}

/* Before there is a disk: how large its files become. */
static void record_measure(struct play *p, const struct trace_head *head) {
    bool writes = head->kind == TRACE_WRITE || head->kind == TRACE_WRITE_THROUGH;
    p->moments += head->kind < TRACE_EVENT;
    if (head->kind == TRACE_MADE)
        file_begin(p, head);
    int file = file_of(p, head);
    for (int i = 0; i < FILES && writes && file < FILES; i++)
        if ((i == FILE_DATA) == (file == FILE_DATA) && head->offset + head->size > p->capacity[i])
            p->capacity[i] = head->offset + head->size;
    if (head->kind == TRACE_EVENT && head->offset >= p->checksums_max)
        p->checksums_max = head->offset + 1;
}

/* Walks the trace; without `play` it only counts. */
static int trace_walk(struct play *p, bool play) {
    size_t at = 0, nth = 0;
    while (at + sizeof(struct trace_head) <= p->trace_size) {
        struct trace_head head;
        memcpy(&head, p->trace + at, sizeof head);
        at += sizeof head;
        if (head.size > p->trace_size - at || head.kind >= TRACE_KINDS)
            return broken_setup(p, "the trace is cut short", "");
        if (!play)
            record_measure(p, &head);
        else if (record_play(p, &head, p->trace + at, nth) != 0)
            return -1;
        at += head.size;
        nth++;
    }
    p->result->records = nth;
    return 0;
}

/* --- One workload ------------------------------------------------------------------------------ */

static char program_folder[PATH_SIZE];

static void workload_exec(const struct play *p, const char *trace) {
    char shim[PATH_SIZE + 32], program[PATH_SIZE + 32], seed[24];
    snprintf(shim, sizeof shim, "%s/libpower_trace.so", program_folder);
    snprintf(program, sizeof program, "%s/power_workload", program_folder);
    snprintf(seed, sizeof seed, "%" PRIu64, p->options->seed);
    setenv(TRACE_FILE_ENV, trace, 1);
    setenv(TRACE_STORE_ENV, p->store, 1);
    setenv(TRACE_CONTROL_ENV, p->options->control ? p->options->control : "", 1);
    setenv("LD_PRELOAD", shim, 1);
    setenv("ASAN_OPTIONS", "verify_asan_link_order=0:detect_leaks=0", 1);
    execl(program, program, p->it->name, p->store, seed, (char *)NULL);
    _exit(127);
}

static int trace_make(struct play *p) {
    char path[PATH_SIZE + 16];
    int status;
    struct stat info;
    snprintf(path, sizeof path, "%s/trace", p->folder);
    pid_t child = fork();
    if (child == 0)
        workload_exec(p, path);
    if (child < 0 || waitpid(child, &status, 0) < 0 || status != 0) {
        errno = 0;
        return broken_setup(p, "the workload itself failed", "");
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &info) != 0)
        return broken_setup(p, "there is no trace: ", "");
    p->trace_size = (size_t)info.st_size;
    void *trace = mmap(NULL, p->trace_size, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
    if (trace == MAP_FAILED)
        return broken_setup(p, "the trace cannot be read: ", "");
    p->trace = trace;
    return 0;
}

static int play_prepare(struct play *p) {
    int rc = trace_make(p);
    if (!rc)
        rc = trace_walk(p, false);
    if (rc)
        return rc;
    if (disk_init(&p->disk, p->capacity) != 0)
        return broken_setup(p, "out of memory", "");
    p->checksums = calloc(p->checksums_max + 1, sizeof *p->checksums);
    for (p->seen_slots = 1024; p->seen_slots < 4 * p->wanted;)
        p->seen_slots *= 2;
    p->seen = calloc(p->seen_slots, sizeof *p->seen);
    return p->checksums && p->seen && p->moments > 0 ? 0 : broken_setup(p, "out of memory", "");
}

static void folder_remove(const char *folder) {
    DIR *dir = opendir(folder);
    char path[2 * PATH_SIZE];
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (unlink(path) != 0 && (errno == EISDIR || errno == EPERM))
            folder_remove(path);
    }
    if (dir)
        closedir(dir);
    rmdir(folder);
}

/* Memory, not a disk: nothing here depends on what the machine's own disk does. */
static const char *scratch_root(void) {
    const char *tmp = getenv("TMPDIR");
    if (tmp)
        return tmp;
    return access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
}

static void workload_job(const struct workload *it, const struct options *options, uint64_t wanted,
                         struct result *result) {
    struct play p = {.it = it, .options = options, .result = result, .wanted = wanted};
    p.seed = options->seed * UINT64_C(0x100000001b3) + (uint64_t)(it - workloads);
    snprintf(p.folder, sizeof p.folder, "%s/power.XXXXXX", scratch_root());
    if (!mkdtemp(p.folder)) {
        broken_setup(&p, "no folder: ", "");
        return;
    }
    snprintf(p.store, sizeof p.store, "%s/run/store", p.folder);
    snprintf(p.state, sizeof p.state, "%s/state", p.folder);
    *strrchr(p.store, '/') = '\0';
    mkdir(p.store, 0700);
    snprintf(p.store, sizeof p.store, "%s/run/store", p.folder);
    if (play_prepare(&p) == 0 && trace_walk(&p, true) == 0)
        result->finished = true;
    folder_remove(p.folder);
}

/* --- The campaign ------------------------------------------------------------------------------ */

struct job {
    const struct workload *it;
    struct options options;
    uint64_t wanted;
    pid_t child;
};

static void job_start(struct job *job, struct result *result) {
    fflush(stdout);
    job->child = fork();
    if (job->child != 0)
        return;
    workload_job(job->it, &job->options, job->wanted, result);
    _exit(0);
}

static void job_report(const struct job *job, struct result *result, int status) {
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        result->broken++;
        snprintf(result->why, sizeof result->why, "%s: the store brought its process down at state %" PRIu64,
                 job->it->name, result->states);
    } else if (!result->finished) {
        result->broken++;
    }
    if (job->options.quiet && result->broken == 0)
        return;
    printf("%-20s %-10s %8" PRIu64 " states %8" PRIu64 " repeated %6" PRIu64 " records %5" PRIu64
           " syncs %8" PRIu64 " sectors %6" PRIu64 " broken\n",
           job->it->name, job->options.control ? job->options.control : "", result->states, result->repeated,
           result->records, result->syncs, result->kept, result->broken);
    if (result->broken > 0)
        printf("  %s\n", result->why);
    fflush(stdout);
}

/* At most `most` at a time, in the order of the table. */
static void jobs_run(struct job *jobs, struct result *results, size_t count, unsigned most) {
    for (size_t next = 0, done = 0, running = 0; done < count;) {
        for (; next < count && running < most; next++, running++)
            job_start(&jobs[next], &results[next]);
        int status;
        pid_t ended = wait(&status);
        for (size_t i = 0; i < next; i++) {
            if (jobs[i].child != ended)
                continue;
            jobs[i].child = 0;
            job_report(&jobs[i], &results[i], status);
            done++;
            running--;
        }
        if (ended < 0)
            return;
    }
}

static size_t jobs_make(const struct options *options, struct job *jobs) {
    size_t count = 0;
    uint64_t shares = 0;
    for (size_t i = 0; i < workloads_count; i++)
        shares += workloads[i].share;
    for (size_t i = 0; i < workloads_count && !options->controls; i++) {
        const struct workload *it = &workloads[i];
        if (options->workload && strcmp(options->workload, it->name) != 0)
            continue;
        uint64_t wanted = options->workload ? options->states : options->states * it->share / shares + 1;
        jobs[count++] = (struct job){.it = it, .options = *options, .wanted = wanted};
    }
    for (size_t c = 0; c < sizeof controls / sizeof controls[0] && options->controls; c++) {
        for (size_t w = 0; w < CONTROL_LIVES; w++) {
            struct job *job = &jobs[count++];
            *job = (struct job){.it = workload_find(controls[c].workloads[w]), .options = *options};
            job->options.control = controls[c].name;
            job->wanted = CONTROL_STATES;
        }
    }
    return count;
}

struct totals {
    uint64_t states, broken, missed;
    size_t jobs;
};

static void totals_add(struct totals *totals, const struct job *jobs, const struct result *results,
                       size_t count) {
    for (size_t i = 0; i < count; i++) {
        totals->states += results[i].states;
        totals->broken += results[i].broken;
        if (jobs[i].options.controls && (results[i].broken == 0 || !results[i].finished)) {
            printf("NOT CAUGHT: %s in %s\n", jobs[i].options.control, jobs[i].it->name);
            totals->missed++;
        }
    }
    totals->jobs += count;
}

static int round_run(const struct options *options, struct totals *totals) {
    size_t most = workloads_count + sizeof controls / sizeof controls[0] * 4;
    struct job *jobs = calloc(most, sizeof *jobs);
    struct result *results =
        mmap(NULL, most * sizeof *results, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (!jobs || results == MAP_FAILED) {
        free(jobs);
        return -1;
    }
    size_t count = jobs_make(options, jobs);
    jobs_run(jobs, results, count, options->jobs);
    totals_add(totals, jobs, results, count);
    munmap(results, most * sizeof *results);
    free(jobs);
    return 0;
}

static int campaign_run(const struct options *options) {
    struct options round = *options;
    struct totals totals = {0};
    struct timespec began, now;
    clock_gettime(CLOCK_MONOTONIC, &began);
    uint64_t before = 0;
    round.quiet = options->states > ROUND_STATES;
    do {
        before = totals.states;
        uint64_t left = options->states - totals.states;
        round.states = left < ROUND_STATES ? left : ROUND_STATES;
        if (round_run(&round, &totals) != 0 || totals.jobs == 0) {
            fputs("power_campaign: no such workload, or no memory\n", stderr);
            return 2;
        }
        clock_gettime(CLOCK_MONOTONIC, &now);
        printf("seed %" PRIu64 ": %" PRIu64 " different states, %" PRIu64 " broken so far, %lld s\n",
               round.seed, totals.states - before, totals.broken, (long long)(now.tv_sec - began.tv_sec));
        round.seed++;
    } while (!options->controls && totals.states > before && totals.states < options->states);
    printf("%" PRIu64 " different states, %" PRIu64 " broken\n", totals.states, totals.broken);
    return options->controls ? totals.missed > 0 : totals.broken > 0;
}

static void program_folder_find(void) {
    ssize_t size = readlink("/proc/self/exe", program_folder, sizeof program_folder - 1);
    program_folder[size > 0 ? size : 0] = '\0';
    char *slash = strrchr(program_folder, '/');
    if (slash)
        *slash = '\0';
}

int main(int argc, char **argv) {
    static const struct option words[] = {
        {"states", required_argument, NULL, 'n'},
        {"jobs", required_argument, NULL, 'j'},
        {"seed", required_argument, NULL, 's'},
        {"workload", required_argument, NULL, 'w'},
        {"control", required_argument, NULL, 'c'},
        {"controls", no_argument, NULL, 'C'},
        {0},
    };
    struct options options = {.states = STATES, .seed = 1, .jobs = (unsigned)sysconf(_SC_NPROCESSORS_ONLN)};
    for (int word; (word = getopt_long(argc, argv, "", words, NULL)) != -1;) {
        if (word == 'n')
            options.states = strtoull(optarg, NULL, 10);
        else if (word == 'j')
            options.jobs = (unsigned)strtoul(optarg, NULL, 10);
        else if (word == 's')
            options.seed = strtoull(optarg, NULL, 10);
        else if (word == 'w')
            options.workload = optarg;
        else if (word == 'c')
            options.control = optarg;
        else if (word == 'C')
            options.controls = true;
        else
            return 2;
    }
    if (options.states == 0 || options.jobs == 0 || options.jobs > JOBS_MAX || optind != argc)
        return 2;
    program_folder_find();
    return campaign_run(&options);
}
