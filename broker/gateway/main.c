/* main.c - estelam-gateway: options, signals, draining. */
#include "feed.h"
#include "gateway.h"
#include "hooks.h"
#include "http.h"
#include "log.h"
#include "samples.h"
#include "shelf.h"

#include <curl/curl.h>
#include <getopt.h>
#include <malloc.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

enum { EXIT_STOPPED = 0, EXIT_TROUBLE = 1, EXIT_USAGE = 2, EXIT_CONFIGURATION = 3 };
enum { KEEP_BYTES = 128 * 1024 * 1024 };

static const char help[] =
    "estelam-gateway - Estelam over HTTP and JSON, for the portal's developers and the console\n"
    "\n"
    "  estelam-gateway --config gateway.yaml          run in the foreground\n"
    "  estelam-gateway --config gateway.yaml --check  read the configuration, say what is wrong, exit\n"
    "\n"
    "  -c, --config FILE   the configuration; see broker/gateway/README.md\n"
    "      --check         check only\n"
    "      --version, --help\n"
    "\n"
    "When it is ready it prints `listening http://ADDRESS:PORT`. SIGTERM and SIGINT stop it: it takes no\n"
    "new connections, answers what is under way, and exits. Whatever was answered with 202 is on the\n"
    "broker's disk, however the gateway ends. SIGHUP changes nothing: tokens and the catalogue are read when\n"
    "they change, everything else at the start.\n"
    "\n"
    "exit status: 0 stopped as asked, or the check found nothing; 1 trouble, see the log; 2 usage;\n"
    "3 configuration.\n";

static struct complaints complaints;

/* --- Running ----------------------------------------------------------------------------------- */

static void address_print(const struct gateway *gateway) {
    bool v6 = gateway->config.host[0] && strchr(gateway->config.host, ':');
    printf("listening %s://%s%s%s:%u\n", gateway->config.tls_certificate ? "https" : "http", v6 ? "[" : "",
           gateway->config.host, v6 ? "]" : "", http_port(gateway));
    fflush(stdout);
}

/* A hangup is what people send to whatever they hold to reload, and what a closing terminal sends. */
static void end_await(const sigset_t *set) {
    int number;
    while (sigwait(set, &number) == 0 && number == SIGHUP)
        log_line(LOG_LEVEL_WARNING,
                 "SIGHUP changes nothing: tokens and the catalogue are read when they change, the configuration and "
                 "its keys at the start only; restart the gateway for those");
}

static int gateway_run(struct gateway *gateway) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    pthread_sigmask(SIG_BLOCK, &set, NULL); /* before any thread, which inherits it */
    signal(SIGPIPE, SIG_IGN);
    mallopt(M_TRIM_THRESHOLD, KEEP_BYTES); /* what a busy second needs, the next one needs again */
    if (gateway_open(gateway)) {
        gateway_close(gateway);
        return EXIT_TROUBLE;
    }
    address_print(gateway);
    end_await(&set);
    log_line(LOG_LEVEL_INFO, "stopping");
    atomic_store(&gateway->stopping, true);
    feed_stop(gateway->feed);
    http_drain(gateway);
    gateway_close(gateway);
    log_line(LOG_LEVEL_INFO, "stopped");
    return EXIT_STOPPED;
}

static int complaints_print(void) {
    for (size_t i = 0; i < complaints.kept; i++)
        fprintf(stderr, "%s: %s\n", complaints.at[i].where, complaints.at[i].text);
    if (complaints.count > complaints.kept)
        fprintf(stderr, "and %zu more\n", complaints.count - complaints.kept);
    return EXIT_CONFIGURATION;
}

/* What config_open does not read itself: the files that it names. */
static int gateway_check(struct gateway *gateway) {
    struct tokens tokens = {0};
    tokens_load(gateway->config.tokens, &complaints, &tokens);
    tokens_done(&tokens);
    if (gateway->config.samples)
        json_decref(samples_load(gateway->config.samples, &complaints));
    struct shelf *shelf = complaints.count ? NULL : shelf_new(gateway->config.catalogue);
    bool good = shelf != NULL;
    shelf_free(&shelf);
    if (complaints.count)
        complaints_print();
    else if (good)
        printf("%s: nothing to complain about\n", gateway->config.path);
    if (good && gateway->config.feed < 0)
        fprintf(stderr,
                "%s: no account of role operator: /metrics has nothing of the broker, not even estelam_broker_up, and there "
                "are no event streams and no search\n",
                gateway->config.path);
    config_close(&gateway->config);
    return good ? EXIT_STOPPED : EXIT_CONFIGURATION;
}

int main(int argc, char **argv) {
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"check", no_argument, NULL, 'k'},
                                            {"version", no_argument, NULL, 'v'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    static struct gateway gateway;
    const char *path = NULL;
    bool check = false;
    for (int option; (option = getopt_long(argc, argv, "c:h", options, NULL)) != -1;) {
        if (option == 'c')
            path = optarg;
        else if (option == 'k')
            check = true;
        else if (option == 'v' || option == 'h')
            return fputs(option == 'h' ? help : "estelam-gateway " ESTELAM_VERSION "\n", stdout),
                   EXIT_STOPPED;
        else
            return EXIT_USAGE;
    }
    if (!path || optind != argc) {
        fputs("estelam-gateway: --config FILE is needed; see --help\n", stderr);
        return EXIT_USAGE;
    }
    if (sodium_init() < 0 || curl_global_init(CURL_GLOBAL_DEFAULT) ||
        config_open(path, &complaints, &gateway.config))
        return complaints_print();
    return check ? gateway_check(&gateway) : gateway_run(&gateway);
}
