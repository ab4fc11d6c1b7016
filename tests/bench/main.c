/* main.c - estelam-bench: durable inquiries per second, and what they cost. */
#include "bench.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum exit_code { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_COUNTS = 3 };
enum { ROWS_MAX = 2 * WINDOWS_MAX, PATH_SIZE = 1024 };
enum curve { CURVE_OFF = 1, CURVE_ON = 2, CURVE_BOTH = CURVE_OFF | CURVE_ON };

volatile sig_atomic_t bench_stopped;

static const char help[] =
    "estelam-bench - durable inquiries per second, from the submit to the answer in the requester's hand\n"
    "\n"
    "It starts a broker of its own with a made-up city in a private folder, and requesters and agents\n"
    "as processes. Every inquiry is on disk before it is acknowledged, every answer is on disk before\n"
    "the requester has it, and every one of them is counted: none may be lost, none may come twice.\n"
    "\n"
    "  estelam-bench                       W = 1, 64 and 1,000 in flight, CURVE off and on\n"
    "  estelam-bench --window 1000 --curve off --requesters 8 --agents 8\n"
    "\n"
    "  --window N,...    inquiries in flight of each requester (1,64,1000); at most 65536, of which\n"
    "                    4096 without a receipt\n"
    "  --body BYTES      size of the request body and of the reply body (256); 64 ... 60000\n"
    "  --curve WHICH     off, on or both (both)\n"
    "  --seconds S       measured time of each row (3), after a warm-up of 0.5 s\n"
    "  --requesters N    processes that ask (1)\n"
    "  --agents N        processes that answer (1)\n"
    "  --quick           1 s per row\n"
    "  --json [FILE]     the rows as JSON too (bench.json)\n"
    "  --dir DIR         where the private folder is made ($TMPDIR, or /var/tmp); a disk, not a tmpfs\n"
    "  --broker PATH     the broker's program (estelam-broker beside this one)\n"
    "  --help\n"
    "\n"
    "Microseconds are from the submit call to the result. CPU is of all threads of the processes, the\n"
    "kernel's part for them included. bytes/inquiry is what the broker wrote to disk, inq./commit how\n"
    "many inquiries shared one transaction.\n"
    "\n"
    "exit status: 0 every count is exact; 1 something failed; 2 usage; 3 inquiries lost or doubled.\n";

struct choice {
    unsigned windows[WINDOWS_MAX];
    size_t windows_count;
    enum curve curve;
    const char *json;
    struct plan plan;
    char broker[PATH_SIZE];
};

void bench_say(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("estelam-bench: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
}

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

static bool unsigned_parse(const char *text, unsigned min, unsigned max, unsigned *ret) {
    char *end;
    return number_parse(text, &end, min, max, ret) && *end == 0;
}

static bool windows_parse(const char *text, struct choice *c) {
    c->windows_count = 0;
    for (char *end;; text = end + 1) {
        if (c->windows_count == WINDOWS_MAX)
            return false;
        if (!number_parse(text, &end, 1, WINDOW_MAX, &c->windows[c->windows_count++]))
            return false;
        if (*end == 0)
            return true;
        if (*end != ',')
            return false;
    }
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

/* --json may stand alone: the word after it is its file unless it is an option. */
static const char *json_name(int argc, char **argv) {
    if (optarg)
        return optarg;
    return optind < argc && argv[optind][0] != '-' ? argv[optind++] : "bench.json";
}

static bool option_take(struct choice *c, int option, int argc, char **argv) {
    struct plan *p = &c->plan;
    switch (option) {
    case 'w':
        return windows_parse(optarg, c);
    case 'b':
        return unsigned_parse(optarg, BENCH_BODY_MIN, BENCH_BODY_MAX, &p->body);
    case 'c':
        return curve_parse(optarg, &c->curve);
    case 's':
        return seconds_parse(optarg, &p->seconds);
    case 'r':
        return unsigned_parse(optarg, 1, PLAYERS_MAX, &p->requesters);
    case 'a':
        return unsigned_parse(optarg, 1, PLAYERS_MAX, &p->agents);
    case 'q':
        p->seconds = 1;
        return true;
    case 'j':
        c->json = json_name(argc, argv);
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

static const struct option options[] = {{"window", required_argument, NULL, 'w'},
                                        {"body", required_argument, NULL, 'b'},
                                        {"curve", required_argument, NULL, 'c'},
                                        {"seconds", required_argument, NULL, 's'},
                                        {"requesters", required_argument, NULL, 'r'},
                                        {"agents", required_argument, NULL, 'a'},
                                        {"quick", no_argument, NULL, 'q'},
                                        {"json", optional_argument, NULL, 'j'},
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

/* EXIT_OK, EXIT_USAGE, or -1: go on. */
static int options_take(struct choice *c, int argc, char **argv) {
    for (int option; (option = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        if (option == 'h') {
            fputs(help, stdout);
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

static size_t plans_make(const struct choice *c, struct plan plans[ROWS_MAX]) {
    size_t count = 0;
    for (unsigned curve = CURVE_OFF; curve <= CURVE_ON; curve++)
        for (size_t i = 0; i < c->windows_count && (c->curve & curve); i++) {
            plans[count] = c->plan;
            plans[count].curve = curve == CURVE_ON;
            plans[count++].window = c->windows[i];
        }
    return count;
}

static int rows_run(const struct choice *c) {
    static struct plan plans[ROWS_MAX];
    static struct figures figures[ROWS_MAX];
    size_t count = plans_make(c, plans);
    report_head();
    for (size_t i = 0; i < count; i++) {
        int code = round_run(&plans[i], &figures[i]);
        if (code < 0)
            return code == -EST_CONFLICT ? EXIT_COUNTS : EXIT_FAILED;
        report_row(&plans[i], &figures[i]);
    }
    return c->json && report_json(c->json, plans, figures, count) < 0 ? EXIT_FAILED : EXIT_OK;
}

int main(int argc, char **argv) {
    const char *tmp = getenv("TMPDIR");
    struct choice c = {.windows = {1, 64, 1000},
                       .windows_count = 3,
                       .curve = CURVE_BOTH,
                       .plan = {.directory = tmp && *tmp ? tmp : "/var/tmp",
                                .seconds = 3,
                                .body = 256,
                                .requesters = 1,
                                .agents = 1}};
    int status = options_take(&c, argc, argv);
    if (status >= 0)
        return status;
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    status = rows_run(&c);
    if (bench_stopped)
        bench_say("stopped");
    return status;
}
