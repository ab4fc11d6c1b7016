/* main.c - estelam-bench: durable inquiries per second, and what they cost. */
#include "probe.h"
#include "ratios.h"
#include "scenario.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum exit_code { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_COUNTS = 3 };
enum { LIST_MAX = 16, SYSTEMS_MAX = 16, ROWS_MAX = 2048, PATH_SIZE = 1024, MOST_MAX = 100000000 };
enum curve { CURVE_OFF = 1, CURVE_ON = 2, CURVE_BOTH = CURVE_OFF | CURVE_ON };

volatile sig_atomic_t bench_stopped;

static const char help[] =
    "estelam-bench - durable inquiries per second, from the submit to the answer in the requester's hand\n"
    "\n"
    "The same job on Estelam, on the peers that a city would otherwise pick, and on the bare wire and disk.\n"
    "For each row it starts a server of its own in a private folder, and requesters and agents as\n"
    "processes. Every inquiry is on disk before it is acknowledged, every answer is on disk before the\n"
    "requester has it (where a system does not promise that, a line below the table says so), and every\n"
    "one of them is counted: none may be lost, none may come twice.\n"
    "\n"
    "  estelam-bench                       every system that is installed; a quarter of an hour\n"
    "  estelam-bench --quick               the same with fewer and shorter rows\n"
    "  estelam-bench --only estelam,redis --window 1000 --body 256 --requesters 8 --agents 8\n"
    "\n"
    "  estelam-bench --scenario all        Estelam alone as work grows: deep queues, long logs, slow disks, "
    "...\n"
    "\n"
    "  --only NAME,...   systems (all that are installed); see --list\n"
    "  --list            the systems of this build, and whether they are installed\n"
    "  --window N,...    inquiries in flight of each requester (1,64,1000); at most 65536, of which\n"
    "                    Estelam keeps 4096 without a receipt\n"
    "  --body BYTES,...  size of the request body and of the reply body (256,1024); 64 ... 60000\n"
    "  --curve WHICH     off, on or both (both), for systems that can\n"
    "  --requesters N,.. processes that ask (1,8), and\n"
    "  --agents N,...    processes that answer (1,8): the first of these with the first of those, and\n"
    "                    so on; the last of a shorter list counts for the rest\n"
    "  --scenario NAME,.. rows of Estelam as work grows, instead of the comparison: all, or of these\n"
    "                    many, idle, routes, stopped, disk, depth, history; see --list\n"
    "  --most N          inquiries in the stores that `depth` and `history` fill (10 and 50 million)\n"
    "  --seconds S       measured time of each row (3), after a warm-up of 0.5 s\n"
    "  --quick           1 s per row; unless told otherwise, 256 bytes, one requester and one agent;\n"
    "                    scenarios of small sizes\n"
    "  --awake           no processor halts when it has nothing to do, for every system alike (root): what\n"
    "                    is left when a virtual machine's slow waking is taken away; see tests/bench/README.md\n"
    "  --json [FILE]     the rows as JSON (bench.json, written without this option too)\n"
    "  --svg [FILE]      the rows as bars (bench.svg, beside bench.json without this option too)\n"
    "  --dir DIR         where the private folders are made ($TMPDIR, or /var/tmp); a disk, not a tmpfs\n"
    "  --broker PATH     Estelam's program (estelam-broker beside this one)\n"
    "  --help\n"
    "\n"
    "Microseconds are from the submit call to the result. CPU is of all threads of the processes, the\n"
    "kernel's part for them included; the server's of all its processes. bytes/inquiry is what the server\n"
    "wrote to disk, inq./commit how many inquiries shared one transaction, where the system tells.\n"
    "At the end, where peers or the proxy were run too: what is to be reached against them, and whether it "
    "was.\n"
    "\n"
    "exit status: 0 every count is exact; 1 something failed; 2 usage; 3 inquiries lost or doubled.\n";

struct list {
    unsigned at[LIST_MAX];
    size_t count;
};

struct choice {
    struct list windows, bodies, requesters, agents;
    const struct system *only[SYSTEMS_MAX];
    const struct scenario *scenes[SYSTEMS_MAX];
    size_t only_count, scenes_count;
    enum curve curve;
    bool quick;
    unsigned most;
    const char *json, *svg;
    struct plan plan;
    char broker[PATH_SIZE];
};

static void on_signal(int number) {
    bench_stopped = number;
}

/* --- Options --------------------------------------------------------------------------------------- */

static bool number_parse(const char *text, char **ret_end, unsigned min, unsigned max, unsigned *ret) {
    errno = 0;
    unsigned long value = strtoul(text, ret_end, 10);
    if (*ret_end == text || text[0] == '-' || errno || value < min || value > max)
        return false;
    *ret = (unsigned)value;
    return true;
}

static bool list_parse(const char *text, unsigned min, unsigned max, struct list *ret) {
    ret->count = 0;
    for (char *end;; text = end + 1) {
        if (ret->count == LIST_MAX || !number_parse(text, &end, min, max, &ret->at[ret->count++]))
            return false;
        if (*end != ',')
            return *end == 0;
    }
}

static bool is_there(const struct system *system) {
    return !system->is_there || system->is_there();
}

static const struct system *system_find(const char *name, size_t size) {
    for (size_t i = 0; systems[i]; i++)
        if (strlen(systems[i]->name) == size && memcmp(systems[i]->name, name, size) == 0)
            return systems[i];
    return NULL;
}

static bool only_parse(const char *text, struct choice *c) {
    for (c->only_count = 0;; text++) {
        size_t size = strcspn(text, ",");
        const struct system *system = system_find(text, size);
        if (!system || c->only_count == SYSTEMS_MAX)
            return false;
        c->only[c->only_count++] = system;
        text += size;
        if (*text == 0)
            return true;
    }
}

static bool scenes_parse(const char *text, struct choice *c) {
    c->scenes_count = 0;
    if (strcmp(text, "all") == 0) {
        while (scenarios[c->scenes_count])
            c->scenes[c->scenes_count] = scenarios[c->scenes_count], c->scenes_count++;
        return true;
    }
    for (;; text++) {
        size_t size = strcspn(text, ",");
        const struct scenario *scenario = scenario_find(text, size);
        if (!scenario || c->scenes_count == SYSTEMS_MAX)
            return false;
        c->scenes[c->scenes_count++] = scenario;
        text += size;
        if (*text == 0)
            return true;
    }
}

/* What is not installed is left out of the default, and no trouble. */
static void only_default(struct choice *c) {
    for (size_t i = 0; systems[i] && c->only_count < SYSTEMS_MAX; i++)
        if (is_there(systems[i]))
            c->only[c->only_count++] = systems[i];
}

static void systems_list(void) {
    for (size_t i = 0; systems[i]; i++)
        printf("%-16s %-14s %s\n", systems[i]->name, is_there(systems[i]) ? "" : "not installed",
               systems[i]->durable);
    printf("\nscenarios:\n");
    for (size_t i = 0; scenarios[i]; i++)
        printf("%-16s %s\n", scenarios[i]->name, scenarios[i]->about);
}

static bool curve_parse(const char *text, enum curve *ret) {
    static const struct {
        const char *word;
        enum curve curve;
    } words[] = {{"off", CURVE_OFF}, {"on", CURVE_ON}, {"both", CURVE_BOTH}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(text, words[i].word) == 0) {
            *ret = words[i].curve;
            return true;
        }
    return false;
}

static bool seconds_parse(const char *text, double *ret) {
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end || !(value >= 0.1 && value <= 3600))
        return false;
    *ret = value;
    return true;
}

/* --json and --svg may stand alone: the word after them is the file unless it is an option. */
static const char *file_name(int argc, char **argv, const char *otherwise) {
    if (optarg)
        return optarg;
    return optind < argc && argv[optind][0] != '-' ? argv[optind++] : otherwise;
}

static bool option_take(struct choice *c, int option, int argc, char **argv) {
    struct plan *p = &c->plan;
    char *end;
    switch (option) {
    case 'o':
        return only_parse(optarg, c);
    case 'S':
        return scenes_parse(optarg, c);
    case 'm':
        return number_parse(optarg, &end, 1, MOST_MAX, &c->most) && *end == 0;
    case 'w':
        return list_parse(optarg, 1, WINDOW_MAX, &c->windows);
    case 'b':
        return list_parse(optarg, BENCH_BODY_MIN, BENCH_BODY_MAX, &c->bodies);
    case 'c':
        return curve_parse(optarg, &c->curve);
    case 's':
        return seconds_parse(optarg, &p->seconds);
    case 'r':
        return list_parse(optarg, 1, PLAYERS_MAX, &c->requesters);
    case 'a':
        return list_parse(optarg, 1, PLAYERS_MAX, &c->agents);
    case 'q':
        return c->quick = true;
    case 'k':
        return p->awake = true;
    case 'j':
        c->json = file_name(argc, argv, c->json);
        return true;
    case 'v':
        c->svg = file_name(argc, argv, c->svg);
        return true;
    case 'd':
        p->directory = optarg;
        return true;
    case 'B':
        p->broker = optarg;
        return true;
    default:
        return false;
    }
}

static const struct option options[] = {{"only", required_argument, NULL, 'o'},
                                        {"list", no_argument, NULL, 'l'},
                                        {"scenario", required_argument, NULL, 'S'},
                                        {"most", required_argument, NULL, 'm'},
                                        {"window", required_argument, NULL, 'w'},
                                        {"body", required_argument, NULL, 'b'},
                                        {"curve", required_argument, NULL, 'c'},
                                        {"seconds", required_argument, NULL, 's'},
                                        {"requesters", required_argument, NULL, 'r'},
                                        {"agents", required_argument, NULL, 'a'},
                                        {"quick", no_argument, NULL, 'q'},
                                        {"awake", no_argument, NULL, 'k'},
                                        {"json", optional_argument, NULL, 'j'},
                                        {"svg", optional_argument, NULL, 'v'},
                                        {"dir", required_argument, NULL, 'd'},
                                        {"broker", required_argument, NULL, 'B'},
                                        {"help", no_argument, NULL, 'h'},
                                        {0}};

/* The broker of the same build. */
static bool broker_find(struct choice *c) {
    ssize_t size = readlink("/proc/self/exe", c->broker, sizeof c->broker - sizeof "estelam-broker");
    if (size <= 0)
        return false;
    c->broker[size] = 0;
    strcpy(strrchr(c->broker, '/') + 1, "estelam-broker");
    c->plan.broker = c->broker;
    return true;
}

/* What was not asked for. */
static void choice_complete(struct choice *c) {
    static const struct list windows = {{1, 64, 1000}, 3}, bodies = {{256, 1024}, 2}, players = {{1, 8}, 2},
                             one = {{1}, 1};
    if (c->plan.seconds == 0)
        c->plan.seconds = c->quick ? 1 : 3;
    if (c->windows.count == 0)
        c->windows = windows;
    if (c->bodies.count == 0) {
        c->bodies = bodies;
        c->bodies.count -= c->quick;
    }
    if (c->requesters.count == 0 && c->agents.count == 0) {
        c->requesters = c->agents = players;
        c->requesters.count = c->agents.count -= c->quick;
    }
    if (c->requesters.count == 0)
        c->requesters = one;
    if (c->agents.count == 0)
        c->agents = one;
    if (c->only_count == 0)
        only_default(c);
}

/* EXIT_OK, EXIT_USAGE, or -1: go on. */
static int options_take(struct choice *c, int argc, char **argv) {
    for (int option; (option = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        if (option == 'h') {
            fputs(help, stdout);
            return EXIT_OK;
        }
        if (option == 'l') {
            systems_list();
            return EXIT_OK;
        }
        if (option_take(c, option, argc, argv))
            continue;
        if (option != '?')
            bench_say("`%s` is out of range or no value of its option; see --help", optarg);
        return EXIT_USAGE;
    }
    if (optind < argc) {
        bench_say("`%s` is no option; see --help", argv[optind]);
        return EXIT_USAGE;
    }
    if (!c->plan.broker && !broker_find(c)) {
        bench_say("where is the broker? Name it with --broker");
        return EXIT_USAGE;
    }
    return -1;
}

/* --- Rows ------------------------------------------------------------------------------------------ */

static unsigned list_at(const struct list *list, size_t i) {
    return list->at[i < list->count ? i : list->count - 1];
}

/* Rows of one system with these players and this body: every CURVE and window that it has. */
static size_t rows_of_system(const struct choice *c, const struct plan *like, struct row *rows,
                             size_t count) {
    const struct system *system = like->system;
    for (unsigned curve = CURVE_OFF; curve <= CURVE_ON; curve++) {
        if (!(system->curve ? c->curve & curve : curve == CURVE_OFF))
            continue;
        for (size_t i = 0;
             count < ROWS_MAX && (system->windows ? system->windows[i] > 0 : i < c->windows.count); i++) {
            rows[count].plan = *like;
            rows[count].plan.curve = curve == CURVE_ON;
            rows[count++].plan.window = system->windows ? system->windows[i] : c->windows.at[i];
        }
    }
    return count;
}

/* By job, and then by system, so that what is compared was run within a few minutes. What has no
 * players has one job only. */
static size_t rows_make(const struct choice *c, struct row *rows) {
    size_t count = 0, groups = c->requesters.count > c->agents.count ? c->requesters.count : c->agents.count;
    for (size_t g = 0; g < groups; g++)
        for (size_t b = 0; b < c->bodies.count; b++)
            for (size_t i = 0; i < c->only_count; i++) {
                struct plan plan = c->plan;
                plan.system = c->only[i];
                plan.body = c->bodies.at[b];
                plan.requesters = list_at(&c->requesters, g);
                plan.agents = list_at(&c->agents, g);
                if (plan.system->alone && (g > 0 || b > 0))
                    continue;
                if (plan.system->alone)
                    plan.requesters = 1, plan.agents = 0;
                count = rows_of_system(c, &plan, rows, count);
            }
    return count;
}

/* A row that fails does not keep the others from being run, but the whole has failed then. */
static int rows_run(const struct choice *c) {
    static struct row rows[ROWS_MAX];
    static struct ratio ratios[ROWS_MAX];
    size_t count = rows_make(c, rows), done = 0;
    int status = EXIT_OK;
    report_head();
    for (size_t i = 0; i < count && !bench_stopped; i++) {
        int code = round_run(&rows[i].plan, &rows[i].figures);
        if (code < 0) {
            bench_say("no figures: %s, W = %u", rows[i].plan.system->name, rows[i].plan.window);
            status = code == -EST_CONFLICT ? EXIT_COUNTS : status == EXIT_OK ? EXIT_FAILED : status;
            continue;
        }
        report_row(&rows[i]);
        rows[done++] = rows[i];
    }
    report_foot(c->only, c->only_count);
    probe_tell(rows, done);
    ratios_print(ratios, ratios_make(rows, done, ratios, ROWS_MAX));
    if (report_json(c->json, rows, done) < 0 || plot_svg(c->svg, rows, done) < 0)
        return status == EXIT_OK ? EXIT_FAILED : status;
    return status;
}

static int status_of(int code) {
    return code == 0 ? EXIT_OK : code == -EST_CONFLICT ? EXIT_COUNTS : EXIT_FAILED;
}

static int scenes_run(const struct choice *c) {
    static struct row rows[SCENARIO_ROWS_MAX];
    static struct scenes s;
    s = (struct scenes){.like = c->plan,
                        .quick = c->quick,
                        .most = c->most,
                        .curve_off = c->curve & CURVE_OFF,
                        .curve_on = c->curve & CURVE_ON,
                        .rows = rows,
                        .max = SCENARIO_ROWS_MAX};
    s.like.system = systems[0];
    s.like.body = c->bodies.at[0];
    int status = status_of(scenarios_play(&s, c->scenes, c->scenes_count));
    probe_tell(rows, s.count);
    if (report_json(c->json, rows, s.count) < 0 || plot_svg(c->svg, rows, s.count) < 0)
        return status == EXIT_OK ? EXIT_FAILED : status;
    return status;
}

int main(int argc, char **argv) {
    static struct choice c;
    const char *tmp = getenv("TMPDIR");
    c.curve = CURVE_BOTH;
    c.json = "bench.json";
    c.svg = "bench.svg";
    c.plan.directory = tmp && *tmp ? tmp : "/var/tmp";
    int status = options_take(&c, argc, argv);
    if (status >= 0)
        return status;
    choice_complete(&c);
    if (c.plan.awake && probe_awake() < 0)
        return EXIT_FAILED;
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    status = c.scenes_count > 0 ? scenes_run(&c) : rows_run(&c);
    if (bench_stopped)
        bench_say("stopped");
    return bench_stopped && status == EXIT_OK ? EXIT_FAILED : status;
}
