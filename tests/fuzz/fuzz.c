/* fuzz.c - see fuzz.h. */
#include "fuzz.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void claim_fail(const char *file, int line, const char *fact, const char *sentence) {
    dprintf(STDERR_FILENO, "%s:%d: %s: not so: %s\n", file, line, sentence, fact);
    abort();
}

/* --- Text ------------------------------------------------------------------------------------- */

/* Of its own size each time, so that a sanitizer sees any read behind it. */
char *fuzz_text(est_slice bytes) {
    static char *text;
    free(text);
    text = malloc(bytes.size + 1);
    CLAIM(text, "out of memory");
    if (bytes.size)
        memcpy(text, bytes.data, bytes.size);
    text[bytes.size] = '\0';
    return text;
}

static est_slice cut(est_slice *rest, char mark) {
    const char *start = rest->data;
    const char *end = rest->size ? memchr(start, mark, rest->size) : NULL;
    est_slice piece = {start, end ? (size_t)(end - start) : rest->size};
    size_t used = piece.size + (end ? 1 : 0);
    *rest = (est_slice){start ? start + used : NULL, rest->size - used};
    return piece;
}

est_slice fuzz_line(est_slice *rest) {
    return cut(rest, '\n');
}

est_slice fuzz_word(est_slice *line) {
    return cut(line, ' ');
}

bool fuzz_is(est_slice slice, const char *text) {
    return slice.size == strlen(text) && (slice.size == 0 || memcmp(slice.data, text, slice.size) == 0);
}

/* --- Files ------------------------------------------------------------------------------------ */

static char folder[256];

static int remove_one(const char *path, const struct stat *info, int flag, struct FTW *ftw) {
    (void)info;
    (void)flag;
    (void)ftw;
    return remove(path);
}

static void folder_remove(void) {
    nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

const char *fuzz_folder(void) {
    if (folder[0])
        return folder;
    const char *tmp = getenv("TMPDIR");
    if (!tmp)
        tmp = access("/dev/shm", W_OK | X_OK) == 0 ? "/dev/shm" : "/tmp";
    snprintf(folder, sizeof folder, "%s/fuzz.XXXXXX", tmp);
    CLAIM(mkdtemp(folder), "no folder can be made under $TMPDIR");
    atexit(folder_remove);
    return folder;
}

const char *fuzz_path(const char *name) {
    static char paths[4][512];
    static unsigned turn;
    char *path = paths[turn++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", fuzz_folder(), name);
    return path;
}

void fuzz_write(const char *name, est_slice bytes) {
    int fd = open(fuzz_path(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    CLAIM(fd >= 0, "a file cannot be written");
    for (size_t done = 0; done < bytes.size;) {
        ssize_t wrote = write(fd, (const char *)bytes.data + done, bytes.size - done);
        CLAIM(wrote > 0, "a file cannot be written");
        done += (size_t)wrote;
    }
    close(fd);
}

est_slice fuzz_file(const char *path) {
    FILE *file = fopen(path, "rbe");
    struct stat info;
    CLAIM(file && fstat(fileno(file), &info) == 0, path);
    char *bytes = malloc((size_t)info.st_size + 1);
    CLAIM(bytes && fread(bytes, 1, (size_t)info.st_size, file) == (size_t)info.st_size, path);
    fclose(file);
    return (est_slice){bytes, (size_t)info.st_size};
}

/* Only the stream is turned aside: the descriptor stays for claims and sanitizers, and libFuzzer
 * has kept the stream that it found. */
void fuzz_quiet(void) {
    FILE *null = stderr ? fopen("/dev/null", "we") : NULL;
    if (null)
        stderr = null;
}
