/* static.c - the console's files: read from one folder, strict policy, cached by their names.
 *
 * esbuild puts a hash of the content into a file's name, so such a file never changes and may be
 * kept for a year; everything else is asked for again, by its ETag. A path without a dot is a page
 * of the console and gets index.html.
 */
#include "request.h"
#include "route.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_SIZE = 512 };

static const char policy[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

static const struct {
    const char *ending, *type;
} types[] = {
    {".html", "text/html; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".svg", "image/svg+xml"},
    {".png", "image/png"},
    {".ico", "image/x-icon"},
    {".woff2", "font/woff2"},
    {".json", "application/json"},
    {".map", "application/json"},
    {".txt", "text/plain; charset=utf-8"},
    {".webmanifest", "application/manifest+json"},
};

static const char *type_of(const char *path) {
    const char *dot = strrchr(path, '.');
    for (size_t i = 0; dot && i < sizeof types / sizeof types[0]; i++)
        if (strcmp(types[i].ending, dot) == 0)
            return types[i].type;
    return "application/octet-stream";
}

/* Letters, digits, `-`, `_`, `.`, `/`; no part begins with a dot, none is empty. */
static bool path_is_good(const char *path) {
    for (const char *at = path; *at; at++) {
        bool letter = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') || (*at >= '0' && *at <= '9');
        if (!letter && !strchr("-_./", *at))
            return false;
        if (at[0] == '/' && (at[1] == '.' || at[1] == '/'))
            return false;
    }
    return path[0] == '/' && strlen(path) < PATH_SIZE;
}

/* "app-4XZ2KQ7B.js": a hyphen or dot, eight or more letters and digits, an ending. */
static bool name_has_hash(const char *path) {
    const char *dot = strrchr(path, '.');
    size_t count = 0;
    if (!dot)
        return false;
    while (dot - count > path && strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", dot[-1 - (long)count]))
        count++;
    return count == 8 && (dot[-9] == '-' || dot[-9] == '.');
}

/* Part by part, for O_NOFOLLOW speaks of the last one only: no link leads out of the folder. */
static int file_open(const char *folder, const char *path, struct stat *ret) {
    int fd = open(folder, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
    while (fd >= 0 && *path) {
        char part[PATH_SIZE];
        size_t size = strcspn(++path, "/");
        snprintf(part, sizeof part, "%.*s", (int)size, path);
        path += size;
        int below = openat(fd, part, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | (*path ? O_DIRECTORY : 0));
        close(fd);
        fd = below;
    }
    if (fd >= 0 && (fstat(fd, ret) || !S_ISREG(ret->st_mode))) {
        close(fd);
        return -1;
    }
    return fd;
}

static bool etag_is(struct request *r, const char *etag) {
    const char *wanted = request_header_get(r, MHD_HTTP_HEADER_IF_NONE_MATCH);
    return wanted && (strcmp(wanted, "*") == 0 || strstr(wanted, etag));
}

static void file_reply(struct request *r, const char *path, int fd, const struct stat *about) {
    char etag[64];
    snprintf(etag, sizeof etag, "\"%llx-%llx-%llx\"", (unsigned long long)about->st_mtim.tv_sec,
             (unsigned long long)about->st_mtim.tv_nsec, (unsigned long long)about->st_size);
    if (etag_is(r, etag)) {
        close(fd);
        request_empty(r, MHD_HTTP_NOT_MODIFIED);
    } else {
        struct MHD_Response *response = MHD_create_response_from_fd64((uint64_t)about->st_size, fd);
        if (!response)
            close(fd);
        request_response(r, MHD_HTTP_OK, response);
        request_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, type_of(path));
    }
    request_header(r, MHD_HTTP_HEADER_ETAG, etag);
    request_header(r, MHD_HTTP_HEADER_CACHE_CONTROL,
                   name_has_hash(path) ? "public, max-age=31536000, immutable" : "no-cache");
    request_header(r, "Content-Security-Policy", policy);
    request_header(r, "Referrer-Policy", "no-referrer");
    request_header(r, "Cross-Origin-Opener-Policy", "same-origin");
    request_header(r, "Cross-Origin-Resource-Policy", "same-origin");
}

void handle_static(struct request *r) {
    const char *path = r->url, *last = strrchr(r->url, '/');
    struct stat about;
    if (!last || !path_is_good(path) || (path[1] && !last[1])) {
        request_problem(r, GW_NO_SUCH_PATH, "%s", "");
        return;
    }
    if (!strchr(last, '.'))
        path = "/index.html";
    int fd = file_open(r->gateway->config.console, path, &about);
    if (fd < 0)
        request_problem(r, GW_NO_SUCH_PATH, "%s", "");
    else
        file_reply(r, path, fd, &about);
}
