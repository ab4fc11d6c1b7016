/* test_hostile.c - frames that somebody made to hurt: none is accepted, none crashes, none takes
 * long, and reading them reserves no memory at all.
 *
 * The corpus is the folder hostile, a frame a line. The linker puts our counters before malloc,
 * calloc and realloc, so that any allocation while a frame is read is seen.
 */
#include "wire.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

enum { FRAMES_MIN = 500, FRAME_MS_MAX = 250 };

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);

static unsigned long allocations;

void *__wrap_malloc(size_t size) {
    allocations++;
    return __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size) {
    allocations++;
    return __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size) {
    allocations++;
    return __real_realloc(old, size);
}

static struct message message;

/* Reads as the broker does. NULL where the whole frame is well, else why not. */
static const char *frame_read(est_slice frame) {
    struct cursor c;
    if (frame_open(&c, frame)) {
        while (message_next(&c, &message) == 1) {
        }
    }
    return c.bad;
}

static double cpu_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void frame_check(const char *file, const char *line, const struct buffer *frame) {
    /* Bytes of its own size, so that a sanitizer sees any read behind them. */
    uint8_t *bytes = malloc(frame->size ? frame->size : 1);
    assert_non_null(bytes);
    memcpy(bytes, frame->size ? (const void *)frame->data : "", frame->size);
    unsigned long before = allocations;
    double start = cpu_ms();
    const char *bad = frame_read((est_slice){bytes, frame->size});
    double took = cpu_ms() - start;
    if (!bad || allocations != before || took > FRAME_MS_MAX) {
        fail_msg("%s: %.120s: %s, %lu allocations, %.0f ms", file, line, bad ? bad : "accepted",
                 allocations - before, took);
    }
    free(bytes);
}

typedef void frame_visit(const char *file, const char *line, const struct buffer *frame);

static unsigned file_visit(const char *path, frame_visit *visit) {
    char *text = file_read(path), *rest = text, *line;
    unsigned count = 0;
    struct buffer frame;
    buffer_init(&frame);
    while ((line = strsep(&rest, "\n"))) {
        bool is_empty_frame = strncmp(line, "\"\"", 2) == 0;
        buffer_clear(&frame);
        if (!hex_read(is_empty_frame ? "" : line, &frame)) {
            fail_msg("%s: not hexadecimal: %.120s", path, line);
        }
        if (frame.size > 0 || is_empty_frame) {
            visit(path, line, &frame);
            count++;
        }
    }
    buffer_done(&frame);
    free(text);
    return count;
}

static unsigned corpus_visit(frame_visit *visit) {
    const char *folder = WIRE_FOLDER "/hostile";
    unsigned count = 0;
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (strstr(entry->d_name, ".hex")) {
            char path[512];
            snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
            count += file_visit(path, visit);
        }
    }
    closedir(dir);
    return count;
}

static void no_hostile_frame_is_accepted_or_costs_anything(void **state) {
    (void)state;
    assert_true(corpus_visit(frame_check) >= FRAMES_MIN);
}

/* Also with a good command before it and with the rest of a frame behind it. */
static void frame_between_others_check(const char *file, const char *line, const struct buffer *frame) {
    static const uint8_t ping[] = {0x92, VERB_PING, 0x81, 0x01, 0x07};
    if (frame->size < 2 || frame->data[0] != PROTOCOL_VERSION || frame->size > EST_FRAME_MAX - sizeof ping) {
        return;
    }
    struct buffer joined;
    buffer_init(&joined);
    frame_begin(&joined);
    buffer_put(&joined, ping, sizeof ping);
    buffer_put(&joined, frame->data + 1, frame->size - 1);
    frame_check(file, line, &joined);
    struct cursor c;
    assert_true(frame_open(&c, buffer_slice(&joined)));
    assert_int_equal(message_next(&c, &message), 1);
    assert_int_equal(message.ping.token, 7);
    buffer_done(&joined);
}

static void a_good_command_before_a_hostile_one_stands(void **state) {
    (void)state;
    corpus_visit(frame_between_others_check);
}

static void the_counter_sees_allocations(void **state) {
    (void)state;
    unsigned long before = allocations;
    struct buffer b;
    buffer_init(&b);
    pack_nil(&b);
    assert_true(allocations > before);
    buffer_done(&b);
}

/* Within the limits, but the dearest to check: many maps, each with keys in no good order. */
static void the_dearest_valid_frame_is_read_in_time(void **state) {
    (void)state;
    struct buffer b;
    buffer_init(&b);
    frame_begin(&b);
    while (b.size < EST_FRAME_MAX - 20000) {
        pack_array(&b, 2);
        pack_uint(&b, VERB_PING);
        pack_map(&b, 1);
        pack_uint(&b, 9);
        pack_map(&b, EST_ITEMS_MAX);
        for (uint64_t i = 0; i < EST_ITEMS_MAX; i++) {
            pack_uint(&b, i * 2654435761U % 4096);
            pack_nil(&b);
        }
    }
    unsigned long before = allocations;
    double start = cpu_ms();
    assert_null(frame_read(buffer_slice(&b)));
    assert_true(cpu_ms() - start < 4 * FRAME_MS_MAX);
    assert_int_equal(allocations, before);
    buffer_done(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_counter_sees_allocations),
        cmocka_unit_test(no_hostile_frame_is_accepted_or_costs_anything),
        cmocka_unit_test(a_good_command_before_a_hostile_one_stands),
        cmocka_unit_test(the_dearest_valid_frame_is_read_in_time),
    };
    return cmocka_run_group_tests_name("hostile frames", tests, NULL, NULL);
}
