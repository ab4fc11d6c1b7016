/* agent.c - an agent of the public API for tests to command, kill and stop.
 *
 *     system-agent ENDPOINT SERVER-KEY|- PUBLIC SECRET ACCOUNT MODE WORKERS
 *
 *     answer   answers at once
 *     hold     answers once a line came on standard input, that inquiry and all later ones
 *     retry    cannot answer now, try again in a millisecond
 *     refuse   will never answer
 *
 * Says on standard output `up` for each session, and in every mode but `answer` `took NUMBER
 * ATTEMPT`. Its answer is a number that no other answer of any agent has, so that a second answer to
 * the same inquiry shows.
 */
#include <estelam/agent.h>

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *mode;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t released_news = PTHREAD_COND_INITIALIZER;
static bool released;
static atomic_long answers;
static est_agent *agent;

static void *listen_input(void *arg) {
    (void)arg;
    char line[16];
    while (fgets(line, sizeof line, stdin)) {
        pthread_mutex_lock(&mutex);
        released = true;
        pthread_cond_broadcast(&released_news);
        pthread_mutex_unlock(&mutex);
    }
    return NULL;
}

static void hold(void) {
    pthread_mutex_lock(&mutex);
    while (!released)
        pthread_cond_wait(&released_news, &mutex);
    pthread_mutex_unlock(&mutex);
}

static est_verdict handle(void *arg, const est_inquiry *in, est_answer *out) {
    (void)arg;
    if (strcmp(mode, "answer") != 0)
        printf("took %llu %u\n", (unsigned long long)in->number, in->attempt);
    if (strcmp(mode, "hold") == 0)
        hold();
    snprintf(out->reason, sizeof out->reason, "%s", "test says so");
    if (strcmp(mode, "retry") == 0) {
        out->after.us = EST_US_PER_MS;
        return EST_VERDICT_RETRY;
    }
    if (strcmp(mode, "refuse") == 0)
        return EST_VERDICT_REFUSE;
    out->reason[0] = '\0';
    out->outcome = EST_OUTCOME_POSITIVE;
    if (in->type.size == strlen("plot.use") && memcmp(in->type.data, "plot.use", in->type.size) == 0)
        est_body_text(out->body, "use", "garden");
    else
        est_body_int(out->body, "debt", (int64_t)getpid() << 32 | atomic_fetch_add(&answers, 1));
    return EST_VERDICT_ANSWER;
}

static void tell(void *arg, int code, const char *sentence) {
    (void)arg;
    if (code == EST_OK && strncmp(sentence, "connected", 9) == 0)
        puts("up");
    else
        fprintf(stderr, "system-agent: %s: %s\n", est_code_name(code), sentence);
}

static void stop(int signal_number) {
    (void)signal_number;
    est_agent_stop(agent);
}

int main(int argc, char **argv) {
    if (argc != 8)
        return 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    mode = argv[6];
    est_agent_options options = {.workers = (unsigned)atoi(argv[7]), .handler = handle, .logger = tell};
    options.broker = (est_options){.endpoints = {argv[1]},
                                   .server_key = strcmp(argv[2], "-") == 0 ? NULL : argv[2],
                                   .public_key = argv[3],
                                   .secret_key = argv[4],
                                   .account = argv[5],
                                   .software = "system-agent",
                                   .window = strcmp(mode, "answer") == 0 ? 64 : options.workers,
                                   .reconnect_first = {10 * EST_US_PER_MS},
                                   .reconnect_max = {100 * EST_US_PER_MS}};
    pthread_t input;
    if (est_agent_open(&options, &agent) != 0)
        return 1;
    signal(SIGTERM, stop);
    if (pthread_create(&input, NULL, listen_input, NULL) != 0)
        return 1;
    pthread_detach(input);
    int ended = est_agent_run(agent, 1000);
    est_agent_close(&agent);
    fflush(stdout);
    _exit(ended == 0 ? 0 : 1); /* the thread that listens has nothing to give back */
}
