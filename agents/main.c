/* main.c - estelam-agent: options, signals, exit codes; the work is in the back ends. */
#include "profile.h"
#include "log.h"
#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EXIT_STOPPED = 0, EXIT_TROUBLE = 1, EXIT_CONFIGURATION = 2, EXIT_REFUSED = 3, DRAIN_MS = 10000, LEAVE_S = 2 };

static const char help[] =
    "estelam-agent answers a department's inquiries from its own system.\n"
    "\n"
    "Usage: estelam-agent --config FILE [--check]\n"
    "\n"
    "  --config FILE  the agent's file (YAML): broker, workers, and one back end, sql or exec;\n"
    "                 the word --config may be left out\n"
    "  --check        check the file and, for sql, connect and prepare every statement; then exit\n"
    "  --help         print this\n"
    "  --version      print the version\n"
    "\n"
    "SIGTERM and SIGINT stop it: it takes no more, finishes what it holds for at most 10 s, gives back the rest, and\n"
    "exits, at the latest 2 s after that.\n"
    "SIGHUP changes nothing: the file is read at the start.\n"
    "\n"
    "Exit codes: 0 stopped, or the check found nothing; 1 the system failed it; 2 usage or\n"
    "configuration; 3 refused by the broker for good (key, all of its types, door or protocol version).\n"
    "\n"
    "Example: estelam-agent --config nosazi-agent.yaml --check && estelam-agent --config nosazi-agent.yaml\n";

struct options {
    const char *config;
    bool is_check;
};

static est_agent *running; /* for the signal handler; set before the handler is */
static bool was_let_in;    /* the broker took the key at least once */

static void on_signal(int number) {
    (void)number;
    est_agent_stop(running);
}

static void tell(const char *sentence) {
    log_line(LOG_LEVEL_WARNING, "%s", sentence);
}

static void tell_code(void *arg, int code, const char *sentence) {
    (void)arg;
    if (code)
        log_line(LOG_LEVEL_WARNING, "%s: %s", est_code_name(code), sentence);
    else
        log_line(LOG_LEVEL_INFO, "%s", sentence);
    was_let_in |= !code; /* the first good news is the session */
}

static est_verdict answer(void *arg, const est_inquiry *in, est_answer *out) {
    const struct profile *profile = arg;
    if (profile->signer)
        snprintf(out->signer, sizeof out->signer, "%s", profile->signer);
    est_verdict verdict = profile->backend->class->answer(profile->backend, in, out);
    if (verdict != EST_VERDICT_ANSWER)
        log_line(LOG_LEVEL_WARNING, "inquiry %llu (%.*s), attempt %u: %s: %s", (unsigned long long)in->number,
                 (int)in->type.size, (const char *)in->type.data, in->attempt,
                 verdict == EST_VERDICT_RETRY ? "retry" : "refused", out->remark);
    return verdict;
}

/* An exit code to leave with, or -1 to go on. */
static int options_read(int argc, char **argv, struct options *ret) {
    static const struct option known[] = {{"config", required_argument, NULL, 'c'},
                                          {"check", no_argument, NULL, 'k'},
                                          {"help", no_argument, NULL, 'h'},
                                          {"version", no_argument, NULL, 'v'},
                                          {NULL, 0, NULL, 0}};
    int letter;
    while ((letter = getopt_long(argc, argv, "", known, NULL)) != -1) {
        switch (letter) {
        case 'c':
            ret->config = optarg;
            break;
        case 'k':
            ret->is_check = true;
            break;
        case 'h':
            fputs(help, stdout);
            return EXIT_STOPPED;
        case 'v':
            puts("estelam-agent " ESTELAM_VERSION);
            return EXIT_STOPPED;
        default:
            fputs("try estelam-agent --help\n", stderr);
            return EXIT_CONFIGURATION;
        }
    }
    if (!ret->config && optind < argc)
        ret->config = argv[optind++];
    if (ret->config && optind == argc)
        return -1;
    fputs("estelam-agent needs one file, --config FILE; try --help\n", stderr);
    return EXIT_CONFIGURATION;
}

static int complaints_print(const struct complaints *complaints) {
    for (size_t i = 0; i < complaints->kept; i++)
        log_line(LOG_LEVEL_ERROR, "%s: %s", complaints->at[i].where, complaints->at[i].text);
    if (complaints->count > complaints->kept)
        log_line(LOG_LEVEL_ERROR, "and %zu more", complaints->count - complaints->kept);
    return complaints->count ? EXIT_CONFIGURATION : EXIT_STOPPED;
}

static int exit_code_of(int code) {
    switch (-code) {
    case EST_OK:
        return EXIT_STOPPED;
    case EST_NOT_ALLOWED:
    case EST_KEY_REVOKED:
    case EST_VERSION_UNSUPPORTED:
    case EST_WRONG_DOOR:
        return EXIT_REFUSED;
    case EST_INPUT:
        return EXIT_CONFIGURATION;
    default:
        return EXIT_TROUBLE;
    }
}

/* What to do about the end, by its cause: the line before says what it was. */
static const char *remedy_of(int code) {
    switch (-code) {
    case EST_NOT_ALLOWED:
        if (was_let_in)
            return "the key is good: name types of this account in types: and in the back end's, or ask the broker's "
                   "operator to grant these";
        return "show the broker's operator the account's name and the public: line of the key file";
    case EST_KEY_REVOKED:
        return "show the broker's operator the account's name and the public: line of the key file";
    case EST_WRONG_DOOR:
        return "name the address of the departments' door in broker.endpoints";
    case EST_VERSION_UNSUPPORTED:
        return "install an estelam-agent of the broker's release";
    case EST_INPUT:
        return "set broker.account and broker.key of the file to one account's";
    default:
        return est_code_advice(-code)[0] ? est_code_advice(-code) : "the lines before say why";
    }
}

static void end_tell(int code) {
    const char *what =
        exit_code_of(code) == EXIT_REFUSED ? "the broker refuses it for good" : est_code_text(-code);
    if (code)
        log_line(LOG_LEVEL_ERROR, "the agent ends: %s (%s); %s", what, est_code_name(-code), remedy_of(code));
    else
        log_line(LOG_LEVEL_INFO, "stopped");
}

/* A hangup is what people send to whatever they hold to reload, and what a closing terminal sends. A thread
 * of its own, for nothing may be logged in a handler. */
static void *hangups_tell(void *arg) {
    const sigset_t *set = arg;
    int number;
    while (sigwait(set, &number) == 0)
        log_line(LOG_LEVEL_WARNING,
                 "SIGHUP changes nothing: the agent's file is read at the start only; restart the agent for a new one");
    return NULL;
}

/* Before any other thread, which inherits that it is blocked. Without a thread it is ignored all the same. */
static void hangups_take(void) {
    static sigset_t set;
    pthread_t thread;
    sigemptyset(&set);
    sigaddset(&set, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    if (pthread_create(&thread, NULL, hangups_tell, &set) == 0)
        pthread_detach(thread);
}

static void signals_catch(void) {
    struct sigaction action = {.sa_handler = on_signal};
    sigemptyset(&action.sa_mask);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
}

static volatile sig_atomic_t code_to_leave_with;

static void on_stuck(int number) {
    static const char line[] = "estelam-agent: the department's system does not let go of an inquiry: left as it is\n";
    (void)number;
    (void)!write(STDERR_FILENO, line, sizeof line - 1);
    _exit(code_to_leave_with);
}

/* Every back end is told that its inquiries are over, but a driver may wait for its database as long as it likes
 * (for the lock of a file, for a network that says nothing), and what waits for it would be killed by whoever
 * stops the agent. */
static void leave_soon(int code) {
    struct sigaction action = {.sa_handler = on_stuck};
    sigemptyset(&action.sa_mask);
    code_to_leave_with = code;
    sigaction(SIGALRM, &action, NULL);
    alarm(LEAVE_S);
}

static void signals_ignore(void) {
    signal(SIGTERM, SIG_IGN); /* the agent is being closed: stopping it again would touch freed memory */
    signal(SIGINT, SIG_IGN);
}

static int agent_run(struct profile *profile) {
    hangups_take();
    profile->options.handler = answer;
    profile->options.logger = tell_code;
    profile->options.arg = profile;
    int code = est_agent_open(&profile->options, &running);
    if (code) {
        log_line(LOG_LEVEL_ERROR, "the agent cannot begin: %s: %s", est_code_name(code), est_code_text(code));
        return exit_code_of(code);
    }
    signals_catch();
    log_line(LOG_LEVEL_INFO, "estelam-agent %s: %s at work with the %s back end and %u workers",
             ESTELAM_VERSION, profile->options.broker.account, profile->backend->class->name,
             profile->options.workers);
    code = est_agent_run(running, DRAIN_MS);
    signals_ignore();
    leave_soon(exit_code_of(code));
    end_tell(code);
    est_agent_close(&running);
    return exit_code_of(code);
}

int main(int argc, char **argv) {
    static struct complaints complaints;
    static struct profile profile;
    struct options options = {0};
    struct backend_room room = {.is_over = est_inquiry_is_over, .tell = tell};
    int code = options_read(argc, argv, &options);
    if (code >= 0)
        return code;
    if (profile_open(options.config, &complaints, &room, &profile))
        return complaints_print(&complaints);
    if (options.is_check) {
        profile.backend->class->check(profile.backend, profile.file.yaml);
        code = complaints_print(&complaints);
        if (!code)
            printf("%s: nothing to complain about\n", options.config);
    } else {
        code = agent_run(&profile);
    }
    profile_close(&profile);
    return code;
}
