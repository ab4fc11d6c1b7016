/* main.c - estelam-broker: options, then opening everything in the one safe order.
 *
 * configuration, store, the record into the core, a new generation, the configuration into the
 * record, and the doors last: whoever can connect finds a broker that remembers everything.
 */
#include "broker.h"
#include "fault.h"

#include <getopt.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum exit_code { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_CONFIG = 3, EXIT_STORE = 4, EXIT_NET = 5 };

static const char help[] =
    "estelam-broker - carries inquiries to departments and their answers back, durably\n"
    "\n"
    "  estelam-broker --config broker.yaml        run in the foreground\n"
    "  estelam-broker --config broker.yaml --check  read the configuration, say what is wrong, exit\n"
    "\n"
    "  -c, --config FILE   the configuration; see deploy/README.md\n"
    "      --check         check only\n"
    "      --version, --help\n"
    "\n"
    "SIGHUP reads the configuration again: types, accounts and keys come into force while traffic\n"
    "flows. SIGTERM and SIGINT stop after the batch under way; what was accepted is on disk.\n"
    "When it is ready it prints one line for each door: `listening <door> <endpoint>`.\n"
    "\n"
    "exit status: 0 stopped as asked; 1 the store failed while running; 2 usage; 3 configuration;\n"
    "4 the store cannot be opened; 5 a door cannot be opened. A page of the store that cannot be read\n"
    "or leads nowhere is 4 while it opens and 1 later, or the signal SIGSEGV: the last line says so.\n";

/* --- Opening --------------------------------------------------------------------------------------- */

static int configuration_load(const char *path, struct catalogue **ret) {
    struct complaints *complaints = calloc(1, sizeof *complaints);
    if (complaints == NULL) {
        log_line(3, "no memory to read %s", path);
        return -EST_NO_MEMORY;
    }
    int error = catalogue_load(path, ret, complaints);
    for (size_t i = 0; error < 0 && i < complaints->kept; i++)
        fprintf(stderr, "%s: %s\n", complaints->at[i].where, complaints->at[i].text);
    free(complaints);
    return error;
}

static void set32(uint32_t *limit, uint64_t configured) {
    if (configured != 0)
        *limit = (uint32_t)configured;
}

static void set_ms(est_span *limit, uint64_t configured) {
    if (configured != 0)
        limit->us = (int64_t)configured * EST_US_PER_MS;
}

static void limits_take(struct core_limits *l, const struct broker_settings *s) {
    core_limits_default(l);
    set32(&l->inquiries_max, s->inquiries_max);
    l->account_open_max = l->inquiries_max;
    set32(&l->account_open_max, s->account_open_max);
    set32(&l->sessions_max, s->sessions_max);
    set32(&l->window_max, s->window_max);
    set32(&l->attempts_max, s->attempts_max);
    set_ms(&l->lease, s->lease_ms);
    set_ms(&l->heartbeat, s->heartbeat_ms);
    set_ms(&l->retry_first, s->retry_first_ms);
    set_ms(&l->retry_max, s->retry_max_ms);
}

struct recovery { struct broker *b; uint64_t open; };

static int thing_restore(void *arg, const struct event *e) {
    struct recovery *r = arg;
    core_apply(r->b->core, e);
    return registry_restore(r->b->registry, e);
}

static int inquiry_restore(void *arg, const struct inquiry_row *row) {
    struct recovery *r = arg;
    const struct core_limits *l = &r->b->limits;
    if (++r->open > l->inquiries_max)
        return -EST_FULL;
    if (row->account >= l->accounts_max || row->type >= l->types_max || row->district > l->districts_max ||
        row->state < EST_STATE_WAITING || row->state > EST_STATE_CANCELLED || row->state == EST_STATE_LEASED) {
        log_line(3, "inquiry %llu says what no broker of these limits wrote; run `estelam store check`",
                 (unsigned long long)row->number);
        return -EST_CONFLICT;
    }
    core_restore_inquiry(r->b->core, row);
    return 0;
}

/* Everything that the store remembers, into the core and the registry. */
static int recover(struct broker *b) {
    struct recovery r = {.b = b};
    struct store_head head;
    int error = store_each_thing(b->store, thing_restore, &r);
    if (error == 0)
        error = store_each_open(b->store, inquiry_restore, &r);
    if (error == -EST_FULL)
        log_line(3, "the store holds more than limits.inquiries_max (%u) allows; raise it in %s",
                 b->limits.inquiries_max, b->config);
    else if (error < 0 && error != -EST_CONFLICT) /* that has been said */
        log_line(3, "%s", store_error(b->store));
    if (error < 0)
        return error;
    store_head(b->store, &head);
    core_restore_head(b->core, head.seq, head.at, head.generation);
    b->now = clock_now();
    log_line(5, "recovered %llu inquiries at event %llu in %lld ms", (unsigned long long)r.open,
             (unsigned long long)head.seq, (long long)((b->now.us - b->started.us) / EST_US_PER_MS));
    return 0;
}

/* The new generation and what the configuration changed are the first batch. An exit status. */
static int first_batch(struct broker *b, struct catalogue **catalogue) {
    if (store_begin(b->store) < 0)
        return EXIT_STORE;
    struct input start = {.kind = INPUT_START};
    broker_step(b, &start);
    int error = broker_configure(b, *catalogue);
    if (error < 0 || b->failed) {
        store_abort(b->store);
        return error == -EST_FULL ? EXIT_CONFIG : error < 0 ? EXIT_FAILED : EXIT_STORE;
    }
    *catalogue = NULL; /* the broker's now */
    return store_commit(b->store) < 0 ? EXIT_STORE : EXIT_OK;
}

/* It may be meant so; or a disk is not mounted, and the city's record is elsewhere. */
static void store_warn(const struct store *store, const char *folder) {
    struct store_opening opening;
    store_opening(store, &opening);
    if (opening.is_new)
        log_line(4, "made a new, empty store in %s; if there was one, stop and look for it: is its disk mounted?",
                 folder);
    if (opening.is_torn)
        log_line(4, "the journal's last block is not whole, and was dropped: power was lost while it was written, or "
                    "the disk changed it");
}

static int store_start(struct broker *b, struct catalogue **catalogue) { /* an exit status */
    const struct broker_settings *s = &(*catalogue)->broker;
    struct store_options options = {.directory = s->store, .size_max = s->store_size_max, .fault = fault_end};
    if (store_open(&options, &b->store) < 0) {
        log_line(3, "%s", store_error(NULL));
        return EXIT_STORE;
    }
    b->store_folder = realpath(s->store, NULL);
    store_warn(b->store, s->store);
    if (recover(b) < 0)
        return EXIT_STORE;
    int status = first_batch(b, catalogue);
    if (status == EXIT_STORE)
        log_line(3, "%s", store_error(b->store));
    return status;
}

static int memory_start(struct broker *b) {
    b->core = core_new(&b->limits);
    b->registry = registry_new(&b->limits);
    keyring_init(&b->keyring);
    buffer_init(&b->body);
    buffer_init(&b->rows);
    buffer_init(&b->acts);
    buffer_init(&b->written_acts);
    if (b->core != NULL && b->registry != NULL && effects_init(&b->effects) == 0)
        return 0;
    log_line(3, "out of memory for the tables; lower the limits in %s", b->config);
    return -EST_NO_MEMORY;
}

static int doors_start(struct broker *b) {
    const struct broker_settings *s = &b->catalogue->broker;
    struct net_options options = {
        .endpoints = {s->requesters.endpoint, s->departments.endpoint, s->operators.endpoint},
        .curve = s->curve,
        .peers_max = b->limits.sessions_max,
        .frame_max = EST_FRAME_MAX};
    b->curve = s->curve;
    memcpy(options.secret_key, s->secret_key, sizeof options.secret_key);
    char why[256];
    if (net_open(&options, &b->keyring, &b->net, why) < 0) {
        log_line(3, "%s", why);
        return -EST_IO;
    }
    static const enum door doors[] = {DOOR_REQUESTER, DOOR_DEPARTMENT, DOOR_OPERATOR};
    for (size_t i = 0; i < DOORS; i++)
        printf("listening %s %s\n", zap_domain(doors[i]), net_endpoint(b->net, doors[i]));
    fflush(stdout);
    return 0;
}

/* Each connection is a descriptor, and the usual soft limit is for programs that use select. */
static void descriptors_raise(const struct broker *b) {
    enum { BESIDE = 64 }; /* libzmq's own, the store's, the index's */
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_max < (rlim_t)b->limits.sessions_max + BESIDE)
        log_line(4, "the system allows %llu descriptors, fewer than limits.sessions_max (%u) needs: raise LimitNOFILE or lower the limit",
                 (unsigned long long)limit.rlim_max, b->limits.sessions_max);
}

static int signals_start(struct broker *b) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, NULL); /* before libzmq's threads, which inherit it */
    signal(SIGPIPE, SIG_IGN);
    b->signal_fd = b->wake_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    return b->signal_fd < 0 ? -EST_IO : 0;
}

static void broker_close(struct broker *b) {
    net_close(&b->net);
    index_end(b);
    store_close(&b->store);
    free(b->store_folder);
    core_free(&b->core);
    registry_free(&b->registry);
    keyring_done(&b->keyring);
    effects_done(&b->effects);
    if (b->first != b->catalogue)
        catalogue_free(&b->first);
    catalogue_free(&b->catalogue);
    buffer_done(&b->body);
    buffer_done(&b->rows);
    buffer_done(&b->acts);
    buffer_done(&b->written_acts);
    if (b->signal_fd >= 0)
        close(b->signal_fd);
}

static int broker_run(struct broker *b, struct catalogue **catalogue) {
    limits_take(&b->limits, &(*catalogue)->broker);
    b->started = clock_now();
    descriptors_raise(b);
    if (signals_start(b) < 0 || memory_start(b) < 0)
        return EXIT_FAILED;
    fault_install();
    fault_status(EXIT_STORE);
    int status = store_start(b, catalogue);
    if (status != EXIT_OK)
        return status;
    fault_status(EXIT_FAILED);
    index_begin(b);
    if (doors_start(b) < 0)
        return EXIT_NET;
    return loop_run(b) < 0 ? EXIT_FAILED : EXIT_OK;
}

int main(int argc, char **argv) {
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"check", no_argument, NULL, 'k'},
                                            {"version", no_argument, NULL, 'v'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    static struct broker broker = {.signal_fd = -1, .wake_fd = -1};
    bool check = false;
    for (int option; (option = getopt_long(argc, argv, "c:h", options, NULL)) != -1;) {
        if (option == 'c')
            broker.config = optarg;
        else if (option == 'k')
            check = true;
        else if (option == 'v' || option == 'h')
            return fputs(option == 'h' ? help : "estelam-broker " ESTELAM_VERSION "\n", stdout), EXIT_OK;
        else
            return EXIT_USAGE;
    }
    if (broker.config == NULL || optind != argc) {
        fputs("estelam-broker: --config FILE is needed; see --help\n", stderr);
        return EXIT_USAGE;
    }
    struct catalogue *catalogue = NULL;
    if (sodium_init() < 0 || configuration_load(broker.config, &catalogue) < 0)
        return EXIT_CONFIG;
    int code = check ? EXIT_OK : broker_run(&broker, &catalogue);
    catalogue_free(&catalogue);
    broker_close(&broker);
    return code;
}
