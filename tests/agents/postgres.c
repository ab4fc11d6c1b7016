/* postgres.c - see postgres.h. */
#include "postgres.h"
#include "stand.h"
#include <fcntl.h>
#include <glob.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { START_MS = 60000, LOOK_MS = 20, ARGUMENTS_MAX = 16 };

/* In the child only: the unprivileged user, and death with the parent. */
static void child_settle(const struct postgres *server) {
    const struct passwd *user = geteuid() == 0 ? getpwnam("postgres") : NULL;
    int log = open("server.log", O_WRONLY | O_CREAT | O_APPEND, 0644);
    if (geteuid() == 0 && (!user || setgroups(0, NULL) || setgid(user->pw_gid) || setuid(user->pw_uid)))
        _exit(126);
    prctl(PR_SET_PDEATHSIG, SIGQUIT); /* after the change of user, which clears it */
    if (log < 0)
        log = open("/dev/null", O_WRONLY);
    dup2(log, 1);
    dup2(log, 2);
    (void)server;
}

static pid_t program_start(const struct postgres *server, const char *name, char *const arguments[]) {
    char path[512], *whole[ARGUMENTS_MAX] = {path};
    snprintf(path, sizeof path, "%s/%s", server->programs, name);
    for (size_t i = 1; i + 1 < ARGUMENTS_MAX && arguments[i]; i++)
        whole[i] = arguments[i];
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid)
        return pid;
    if (chdir(server->folder))
        _exit(125);
    child_settle(server);
    execv(path, whole); /* by its whole path: initdb looks for its companions beside its own name */
    _exit(127);
}

static int program_run(const struct postgres *server, const char *name, char *const arguments[]) {
    int status = -1;
    pid_t pid = program_start(server, name, arguments);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

/* The newest of /usr/lib/postgresql/N/bin, where Debian keeps them. */
static void programs_find(struct postgres *server) {
    glob_t found;
    if (glob("/usr/lib/postgresql/*/bin/initdb", 0, NULL, &found) || !found.gl_pathc)
        fail_msg("no PostgreSQL server; apt install postgresql");
    snprintf(server->programs, sizeof server->programs, "%s", found.gl_pathv[found.gl_pathc - 1]);
    *strrchr(server->programs, '/') = 0;
    globfree(&found);
}

void postgres_start(struct postgres *server) {
    char *const arguments[] = {"postgres",          "-D", "data", "-k", server->folder, "-c",
                               "listen_addresses=", "-F", NULL};
    char *const ask[] = {"pg_isready", "-q", "-h", server->folder, NULL};
    int64_t deadline = stand_now_ms() + START_MS;
    server->pid = program_start(server, "postgres", arguments);
    while (program_run(server, "pg_isready", ask)) {
        assert_int_equal(waitpid(server->pid, NULL, WNOHANG), 0);
        assert_true(stand_now_ms() < deadline);
        poll(NULL, 0, LOOK_MS);
    }
}

void postgres_open(struct postgres *server) {
    char *const arguments[] = {"initdb",           "-D", "data", "-A", "trust", "-U", "tester", "-E", "UTF8",
                               "--locale=C.UTF-8", "-N", NULL};
    const struct passwd *user = getpwnam("postgres");
    memset(server, 0, sizeof *server);
    programs_find(server);
    folder_make(server->folder, sizeof server->folder);
    if (geteuid() == 0)
        assert_true(user && !chown(server->folder, user->pw_uid, user->pw_gid));
    if (program_run(server, "initdb", arguments))
        fail_msg("initdb failed; see %s/server.log", server->folder);
    postgres_start(server);
}

void postgres_kill(struct postgres *server) {
    char path[512];
    if (!server->pid)
        return;
    kill(server->pid, SIGQUIT); /* immediate: its children die at once, nothing is written */
    waitpid(server->pid, NULL, 0);
    server->pid = 0;
    snprintf(path, sizeof path, "%s/data/postmaster.pid", server->folder);
    unlink(path);
}

void postgres_close(struct postgres *server) {
    postgres_kill(server);
    if (*server->folder)
        folder_remove(server->folder);
    *server->folder = 0;
}

void postgres_connection(const struct postgres *server, char *ret, size_t size) {
    snprintf(ret, size, "Driver=PostgreSQL Unicode;Server=%s;Port=5432;Database=postgres;UID=tester;",
             server->folder);
}
