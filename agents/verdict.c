/* verdict.c - sentences of retry and refuse made safe for the wire, and texts copied whole. */
#include "verdict.h"
#include "codec.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool text_copy(char *to, size_t size, est_slice from) {
    if (from.size >= size || (from.size && memchr(from.data, 0, from.size)))
        return false;
    if (from.size)
        memcpy(to, from.data, from.size);
    to[from.size] = 0;
    return true;
}

/* The length of the UTF-8 character at `text`, 0 where there is none. */
static size_t character_length(const char *text) {
    for (size_t size = 1; size <= 4 && text[size - 1]; size++)
        if (utf8_is_valid((est_slice){text, size}))
            return size;
    return 0;
}

static void sentence_copy(char *to, size_t size, const char *from) {
    size_t used = 0;
    while (*from) {
        size_t length = character_length(from);
        bool printable = length > 1 || (length == 1 && (unsigned char)*from >= 0x20 && *from != 0x7f);
        size_t step = length ? length : 1;
        if (used + step >= size)
            break;
        memcpy(to + used, printable ? from : "?", printable ? step : 1);
        used += printable ? step : 1;
        from += step;
    }
    to[used] = 0;
}

static void sentence_set(est_answer *out, const char *code, const char *format, va_list args) {
    char sentence[2 * EST_TEXT_MAX];
    vsnprintf(sentence, sizeof sentence, format, args);
    sentence_copy(out->remark, sizeof out->remark, sentence);
    snprintf(out->reason, sizeof out->reason, "%s", code);
}

est_verdict verdict_retry(est_answer *out, const char *format, ...) {
    va_list args;
    va_start(args, format);
    sentence_set(out, "retry", format, args);
    va_end(args);
    return EST_VERDICT_RETRY;
}

est_verdict verdict_refuse(est_answer *out, const char *format, ...) {
    va_list args;
    va_start(args, format);
    sentence_set(out, "refuse", format, args);
    va_end(args);
    return EST_VERDICT_REFUSE;
}
