/* stage.c - see stage.h. */
#include "system.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STEP_MS = 10 };

/* --- Files ----------------------------------------------------------------------------------------- */

void stage_path(const struct stage *s, const char *name, char ret[STAGE_PATH_SIZE]) {
    snprintf(ret, STAGE_PATH_SIZE, "%.*s/%s", STAGE_PATH_SIZE / 2, s->directory, name);
}

FILE *stage_file_make(const struct stage *s, const char *name) {
    char path[STAGE_PATH_SIZE];
    stage_path(s, name, path);
    FILE *file = fopen(path, "w");
    if (!file)
        bench_say("%s: %s", path, strerror(errno));
    return file;
}

int stage_file_end(FILE *file, const char *name) {
    bool failed = ferror(file) != 0;
    if (fclose(file) == 0 && !failed)
        return 0;
    bench_say("%s: %s", name, strerror(errno));
    return -EST_IO;
}

int stage_file_write(const struct stage *s, const char *name, const char *text) {
    FILE *file = stage_file_make(s, name);
    if (!file)
        return -EST_IO;
    fputs(text, file);
    return stage_file_end(file, name);
}

int stage_folder_make(const struct stage *s, const char *name) {
    char path[STAGE_PATH_SIZE];
    stage_path(s, name, path);
    if (mkdir(path, 0700) == 0)
        return 0;
    bench_say("%s: %s", path, strerror(errno));
    return -EST_IO;
}

void stage_log_show(const struct stage *s) {
    char path[STAGE_PATH_SIZE], line[512];
    stage_path(s, "server.log", path);
    FILE *file = fopen(path, "r");
    while (file && fgets(line, sizeof line, file))
        fprintf(stderr, "  %s: %s", s->plan->system->name, line);
    if (file)
        fclose(file);
}

/* --- The server ------------------------------------------------------------------------------------ */

/* Some servers refuse to be root. Those who may not become another stay who they are. */
static void user_become(const struct stage *s, const char *user) {
    const struct passwd *entry = user && geteuid() == 0 ? getpwnam(user) : NULL;
    if (!entry)
        return;
    if (chown(s->directory, entry->pw_uid, entry->pw_gid) != 0 || initgroups(user, entry->pw_gid) != 0 ||
        setgid(entry->pw_gid) != 0 || setuid(entry->pw_uid) != 0)
        _exit(126);
}

/* What the server is started with, from here on: see slow_disk.c. */
static void disk_slow(unsigned ms) {
    char text[16];
    if (ms == 0)
        return;
    snprintf(text, sizeof text, "%u", ms);
    setenv("LD_PRELOAD", SLOW_DISK, 1);
    setenv("SLOW_DISK_MS", text, 1);
}

/* In the child: never returns. A change of user forgets the parent's death, so that is asked for last. */
static void server_exec(const struct stage *s, char *const *arguments, int out, const char *user) {
    char log[STAGE_PATH_SIZE];
    stage_path(s, "server.log", log);
    int err = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (err < 0 || chdir(s->directory) != 0)
        _exit(126);
    user_become(s, user);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    disk_slow(s->plan->sync_ms);
    dup2(out >= 0 ? out : err, STDOUT_FILENO);
    dup2(err, STDERR_FILENO);
    execv(arguments[0], arguments);
    fprintf(stderr, "%s: %s\n", arguments[0], strerror(errno));
    _exit(127);
}

/* A group of its own: the keyboard's signals are for the bench, which then ends the server. */
int stage_server_start(struct stage *s, char *const *arguments, int out, const char *user) {
    s->server = fork();
    if (s->server == 0) {
        setpgid(0, 0);
        server_exec(s, arguments, out, user);
    }
    if (s->server > 0)
        return 0;
    s->server = 0;
    bench_say("fork: %s", strerror(errno));
    return -EST_IO;
}

int stage_program_run(struct stage *s, char *const *arguments, const char *user) {
    int status = 0;
    pid_t pid = fork();
    if (pid == 0)
        server_exec(s, arguments, -1, user);
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    if (pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    bench_say("%s failed", arguments[0]);
    stage_log_show(s);
    return -EST_IO;
}

int stage_server_await(struct stage *s, bool (*is_up)(struct stage *)) {
    int64_t until_us = bench_now_us() + CONNECT_MS * EST_US_PER_MS;
    while (!bench_stopped && !stage_is_dead(s) && bench_now_us() < until_us) {
        if (is_up(s))
            return 0;
        poll(NULL, 0, STEP_MS);
    }
    bench_say("%s does not serve", s->plan->system->name);
    stage_log_show(s);
    return -EST_UNREACHABLE;
}

const char *stage_program_find(const char *const *paths) {
    while (*paths && access(*paths, X_OK) != 0)
        paths++;
    return *paths;
}

/* --- Ports ----------------------------------------------------------------------------------------- */

static struct sockaddr_in loopback(unsigned port) {
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

unsigned stage_port_free(void) {
    struct sockaddr_in at = loopback(0);
    socklen_t size = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool found = fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof at) == 0 &&
                 getsockname(fd, (struct sockaddr *)&at, &size) == 0;
    if (fd >= 0)
        close(fd);
    return found ? ntohs(at.sin_port) : 0;
}

bool stage_port_listens(unsigned port) {
    struct sockaddr_in at = loopback(port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool there = fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof at) == 0;
    if (fd >= 0)
        close(fd);
    return there;
}

/* --- Opening and closing --------------------------------------------------------------------------- */

int stage_open(struct stage *s, const struct plan *plan) {
    *s = (struct stage){.plan = plan};
    snprintf(s->directory, sizeof s->directory, "%s/estelam-bench-XXXXXX", plan->directory);
    if (!mkdtemp(s->directory)) {
        bench_say("%s: %s", s->directory, strerror(errno));
        s->directory[0] = 0;
        return -EST_IO;
    }
    return plan->system->open(s);
}

static int file_remove(const char *path, const struct stat *status, int kind, struct FTW *where) {
    (void)status, (void)kind, (void)where;
    return remove(path);
}

bool stage_is_dead(const struct stage *s) {
    siginfo_t info = {0};
    if (s->server <= 0)
        return false;
    return waitid(P_PID, (id_t)s->server, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid != 0;
}

static int server_end(struct stage *s) {
    int status = 0;
    kill(s->server, s->rough ? SIGKILL : SIGTERM);
    while (waitpid(s->server, &status, 0) < 0 && errno == EINTR)
        continue;
    if (s->rough || (WIFEXITED(status) && WEXITSTATUS(status) == 0))
        return 0;
    bench_say("%s ended with status %#x", s->plan->system->name, (unsigned)status);
    stage_log_show(s);
    return -EST_IO;
}

int stage_close(struct stage *s) {
    if (s->plan && s->plan->system->close)
        s->plan->system->close(s);
    int code = s->server > 0 ? server_end(s) : 0;
    if (s->directory[0])
        nftw(s->directory, file_remove, 8, FTW_DEPTH | FTW_PHYS);
    *s = (struct stage){0};
    return code;
}
