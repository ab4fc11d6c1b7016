/* say.c - the clock and the voice of the bench's programs. */
#include "bench.h"

#include <stdarg.h>
#include <time.h>

int64_t bench_now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * EST_US_PER_S + t.tv_nsec / 1000;
}

void bench_say(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("estelam-bench: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
}
