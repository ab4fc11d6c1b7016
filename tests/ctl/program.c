/* program.c - see program.h. Output goes through files, so that nothing can block on a full pipe. */
#include "program.h"

#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static int64_t ticks(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void child_run(const char *folder, const char *const *words, int out, int err) {
    int in = open("/dev/null", O_RDONLY);
    if (in < 0 || chdir(folder) || dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0)
        _exit(126);
    unsetenv("ESTELAM_PROFILE");
    unsetenv("ESTELAM_CATALOGUE");
    execv(words[0], (char *const *)words);
    _exit(127);
}

static void file_take(FILE *file, char *ret, size_t size) {
    rewind(file);
    ret[fread(ret, 1, size - 1, file)] = '\0';
    fclose(file);
}

void program_run(struct ran *ret, const char *folder, const char *const *words) {
    FILE *out = tmpfile(), *err = tmpfile();
    int status = 0;
    assert_non_null(out);
    assert_non_null(err);
    int64_t start = ticks();
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        child_run(folder, words, fileno(out), fileno(err));
    assert_int_equal(waitpid(child, &status, 0), child);
    ret->took_ms = ticks() - start;
    ret->status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    assert_int_not_equal(ret->status, 126);
    assert_int_not_equal(ret->status, 127);
    file_take(out, ret->out, sizeof ret->out);
    file_take(err, ret->err, sizeof ret->err);
}

char *folder_make(void) {
    char path[] = "/tmp/estelam-ctl-XXXXXX";
    assert_non_null(mkdtemp(path));
    return strdup(path);
}

static int entry_remove(const char *path, const struct stat *info, int kind, struct FTW *walk) {
    (void)info;
    (void)kind;
    (void)walk;
    return remove(path);
}

void folder_remove(char *folder) {
    nftw(folder, entry_remove, 8, FTW_DEPTH | FTW_PHYS);
    free(folder);
}

void folder_write(const char *folder, const char *name, const char *text) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}
