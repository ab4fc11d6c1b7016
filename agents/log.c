/* log.c - see log.h. A line is made whole and written by one call, so that threads do not mix. */
#include "log.h"
#include "clean.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void log_line(enum log_level level, const char *format, ...) {
    char line[2048];
    int start = getenv("JOURNAL_STREAM") ? snprintf(line, sizeof line, "<%d>", level) : 0;
    va_list args;
    va_start(args, format);
    vsnprintf(line + start, sizeof line - (size_t)start - 1, format, args);
    va_end(args);
    text_clean_in_place(line);
    size_t size = strlen(line);
    line[size++] = '\n';
    ssize_t written = write(STDERR_FILENO, line, size);
    (void)written; /* there is nowhere else to say it */
}
