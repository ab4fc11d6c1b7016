/* process.c - the broker's process: the real main.c and loop.c, from start to one end or another.
 *
 * main.c is included, not linked, for its own order of starting: recover, the first batch, then the
 * doors; outputs.c, because a new process has to find its static scratch empty. What it and loop.c ask of the
 * system is answered from here: the clock, signals, and the configuration, which is read from files once and
 * handed out again at each start and reload.
 *
 * A crash is a jump out of wherever the broker was. Its memory goes the way a process's does, all
 * at once; the disk and the connections keep what they had.
 */
#include "sim.h"

#define main broker_main
int broker_main(int, char **);
#include "../../broker/main.c"
#undef main
#include "../../broker/outputs.c"

#include "system.h"

#include "../../broker/machine.h"

#include <errno.h>
#include <stdarg.h>

static struct broker broker;
static struct catalogue *cities[2]; /* before and after a reload */

struct broker *process_broker(void) {
    return &broker;
}

int process_load_city(void) {
    static const char *const files[] = {SIM_CITY "/broker-before.yaml", SIM_CITY "/broker-after.yaml"};
    int error = sodium_init() < 0 ? -EST_IO : 0;
    for (size_t i = 0; i < 2 && error == 0; i++) {
        broker.config = files[i];
        error = configuration_load(files[i], &cities[i]);
    }
    return error;
}

/* --- What the broker asks of the system ---------------------------------------------------------------- */

int system_clock(clockid_t id, struct timespec *ret) {
    int64_t us = id == CLOCK_MONOTONIC ? sim.now : wall_now().us; /* nobody sets the first */
    ret->tv_sec = us / EST_US_PER_S;
    ret->tv_nsec = us % EST_US_PER_S * 1000;
    return 0;
}

ssize_t system_read(int fd, void *data, size_t size) {
    (void)fd, (void)size;
    if (sim.signal == 0) {
        sim.reloading = false;
        errno = EAGAIN;
        return -1;
    }
    fault_count(sim.signal == SIGHUP ? FAULT_RELOAD : FAULT_STOP);
    *(struct signalfd_siginfo *)data = (struct signalfd_siginfo){.ssi_signo = (uint32_t)sim.signal};
    sim.reloading = sim.signal == SIGHUP;
    if (sim.reloading)
        sim.reloaded = !sim.reloaded;
    sim.signal = 0;
    return sizeof(struct signalfd_siginfo);
}

int system_catalogue_load(const char *path, struct catalogue **ret, struct complaints *complaints) {
    (void)path, (void)complaints;
    *ret = cities[sim.reloaded];
    return 0;
}

void system_catalogue_free(struct catalogue **catalogue) {
    *catalogue = NULL;
}

/* Real figures would differ from run to run. */
void machine_look(struct machine *ret) {
    *ret = (struct machine){0};
}

void log_line(int level, const char *format, ...) {
    char line[300];
    va_list args;
    if (!story_is_told())
        return;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    tell("broker says <%d> %s", level, line);
}

/* --- One life
 * ------------------------------------------------------------------------------------------------ */

/* The tables of a city of this size, where the program's defaults are for a hundred real ones. */
static void limits_shrink(struct core_limits *l) {
    l->types_max = 16;
    l->departments_max = 16;
    l->accounts_max = 32;
    l->lanes_max = 64;
    l->districts_max = 7;
}

static int process_start(void) {
    struct catalogue *catalogue = cities[sim.reloaded];
    struct net_options options = {.peers_max = PEERS};
    char why[256];
    broker = (struct broker){.config = "simulated", .wake_fd = -1};
    recorded.recorded.pairs.count = renewed.renewed.pairs.count = 0;
    recorded_peer = 0;
    limits_take(&broker.limits, &catalogue->broker);
    limits_shrink(&broker.limits);
    broker.started = clock_now();
    sim.restarts++;
    if (memory_start(&broker) < 0)
        abort();
    if (fault_comes(FAULT_CRASH_START, 150)) {
        fault_count(FAULT_CRASH_START);
        sim.arm = rng_chance(fault_rng(FAULT_CRASH_START), 500) ? ARM_FAIL : ARM_CRASH_AFTER;
    }
    oracle_start();
    int status = store_start(&broker, &catalogue);
    return status != EXIT_OK ? -EST_IO : net_open(&options, &broker.keyring, &broker.net, why);
}

static void process_end(bool told) {
    if (broker.core == NULL && broker.registry == NULL)
        return;
    sim.broker_is_up = false;
    sim.crash_after_frames = -1;
    wires_of_dead_broker(told);
    disk_crash();
    broker.catalogue = broker.first = NULL; /* they are ours */
    broker_close(&broker);
    oracle_start();
}

void process_clean(void) {
    process_end(true);
}

void process_crash(void) {
    tell("   the broker's process is gone");
    longjmp(sim.crash, 1);
}

static void loop_live(void) {
    if (setjmp(sim.crash) != 0) {
        bool power = fault_comes(FAULT_POWER, 400);
        if (power)
            fault_count(FAULT_POWER);
        process_end(!power);
        return;
    }
    int error = process_start();
    if (error < 0) {
        tell("   the broker could not start: %s", est_code_name(-error));
        if (sim.phase == PHASE_SETTLING)
            violate(&invariant_broker_starts, "it ended with %s", est_code_name(-error));
        process_end(true);
        return;
    }
    tell("** the broker is up, generation %llu, event %llu",
         (unsigned long long)(disk_head_seq() ? sim.restarts : 0), (unsigned long long)disk_head_seq());
    sim.broker_is_up = true;
    error = loop_run(&broker);
    tell("** the broker ends: %s", error < 0 ? "the store failed" : "stopped as asked");
    process_end(true);
}

void process_live(void) {
    loop_live();
    world_run(sim.now + rng_between(&sim.rng, 20, 3000) * EST_US_PER_MS);
}
