/* say.c - see say.h. Sentences may come from far away, so they are cleaned before they are shown. */
#include "say.h"
#include "command.h"
#include "heap.h"
#include "text.h"
#include "moment.h"
#include "yaml.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
    char *text; /* NULL: printed */
    size_t size;
} kept;

void say_keep(char *keep, size_t size) {
    kept.text = keep;
    kept.size = size;
    keep[0] = '\0';
}

void say_error(int code, const char *advice, const char *format, ...) {
    char text[2048];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    text_clean_in_place(text);
    if (!advice)
        advice = est_code_advice(code);
    if (strstr(text, advice)) /* the broker has said it already */
        advice = "";
    if (kept.text) {
        if (!*kept.text)
            snprintf(kept.text, kept.size, "%s: %s%s%s", est_code_name(code), text, *advice ? " - " : "", advice);
        return;
    }
    fprintf(stderr, "estelam: %s: %s (%s)%s%s\n", est_code_name(code), text,
            est_layer_name(est_code_layer(code)), *advice ? " - " : "", advice);
}

void say_remark(const char *format, ...) {
    char text[2048];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    text_clean_in_place(text);
    if (!kept.text)
        fprintf(stderr, "estelam: %s\n", text);
}

void say_defect(const est_defect *defect) {
    est_defect clean = *defect;
    text_clean_in_place(clean.path);
    text_clean_in_place(clean.text);
    if (!kept.text)
        fprintf(stderr, "  %s: %s\n", clean.path, clean.text);
}

int say_refused(const est_event *event) {
    est_slice text = event->text;
    if (text.size)
        say_error(event->code, NULL, "%.*s", (int)text.size, (const char *)text.data);
    else
        say_error(event->code, NULL, "%s", est_code_text(event->code));
    est_defect defect;
    for (size_t i = 0; est_row_defect(event, i, &defect); i++)
        say_defect(&defect);
    if (event->retry.us > 0) {
        char span[MOMENT_SPAN_SIZE];
        moment_span(event->retry, span);
        say_remark("try again in %s", span);
    }
    return exit_of_code(event->code);
}

void say_complaints(const struct complaints *complaints) {
    if (kept.text)
        return;
    for (size_t i = 0; i < complaints->kept; i++)
        fprintf(stderr, "%s: %s\n", complaints->at[i].where, complaints->at[i].text);
    if (complaints->count > complaints->kept)
        fprintf(stderr, "and %zu more\n", complaints->count - complaints->kept);
}

static int unwritten; /* errno of the first that could not be */

int say_flush(void) {
    if (fflush(stdout) == 0 && !ferror(stdout))
        return 0;
    if (!unwritten)
        unwritten = errno;
    return EXIT_LOCAL;
}

bool say_unwritten(void) {
    errno = 0; /* the stream may have failed long ago, and then flushes well */
    if (say_flush() == 0)
        return false;
    say_error(EST_IO, "check the disk or whatever reads the output", "standard output cannot be written%s%s",
              unwritten ? ": " : "", unwritten ? strerror(unwritten) : "");
    return true;
}

int exit_of_code(int code) {
    switch (abs(code)) {
    case EST_OK:
        return EXIT_OK;
    case EST_INPUT:
        return EXIT_USAGE;
    case EST_TIMEOUT:
    case EST_UNREACHABLE:
    case EST_CLOSED:
        return EXIT_UNREACHABLE;
    case EST_NO_MEMORY:
    case EST_FULL:
    case EST_IO:
        return EXIT_LOCAL;
    case EST_EXPIRED:
    case EST_CANCELLED:
        return EXIT_ENDED;
    default:
        return EXIT_REFUSED;
    }
}
