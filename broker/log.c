/* log.c - one line each on standard error; under systemd with the level in front. What a requester or an operator wrote
 * may be in it, and begins no line of its own. */
#include "broker.h"
#include "clean.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void log_line(int level, const char *format, ...) {
    static const char *const words[] = {"", "", "", "error", "warning", "notice", "info"};
    char line[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    text_clean_in_place(line);
    if (getenv("JOURNAL_STREAM") != NULL)
        fprintf(stderr, "<%d>%s\n", level, line);
    else
        fprintf(stderr, "estelam-broker: %s: %s\n", words[level], line);
}
