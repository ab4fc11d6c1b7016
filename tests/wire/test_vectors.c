/* test_vectors.c - the golden vectors: bytes that other implementations can be held against.
 *
 * Each vector in the folder vectors is a frame in hexadecimal with either its meaning (`commands`) or
 * the reason it is refused for (`refused`: what cursor->bad says; `commands` are then those that
 * come before the fault). `canonical: false` marks a valid frame that our own writer would have
 * written otherwise. Long runs in a meaning are written {"$repeat": [what, times]}, and the list
 * 0, 1, 2 … is {"$count": how many}.
 */
#include "wire.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { VECTORS_MAX = 512, COMMANDS_MAX = 4096 };

struct vector {
    json_t *json;
    const char *name;
    struct buffer frame;
    bool refused, canonical;
};

static struct vector vectors[VECTORS_MAX];
static size_t vectors_count;
static struct message message; /* 16 KiB: not for the stack of every call */

static json_t *repeat_expand(const json_t *repeat) {
    json_t *what = json_array_get(repeat, 0);
    size_t times = (size_t)json_integer_value(json_array_get(repeat, 1));
    if (!json_is_string(what)) {
        json_t *array = json_array();
        for (size_t i = 0; i < times; i++) {
            json_array_append(array, what);
        }
        return array;
    }
    char *text = malloc(times);
    assert_non_null(text);
    memset(text, json_string_value(what)[0], times);
    json_t *json = json_stringn(text, times);
    free(text);
    return json;
}

/* A copy with every $repeat and $count written out. */
static json_t *meaning_expand(json_t *json) {
    const char *key;
    json_t *value, *copy;
    size_t index;
    if (json_object_get(json, "$repeat")) {
        return repeat_expand(json_object_get(json, "$repeat"));
    }
    if (json_object_get(json, "$count")) {
        copy = json_array();
        for (json_int_t i = 0; i < json_integer_value(json_object_get(json, "$count")); i++) {
            json_array_append_new(copy, json_integer(i));
        }
        return copy;
    }
    copy = json_is_object(json) ? json_object() : json_is_array(json) ? json_array() : json_copy(json);
    json_object_foreach(json, key, value) {
        json_object_set_new(copy, key, meaning_expand(value));
    }
    json_array_foreach(json, index, value) {
        json_array_append_new(copy, meaning_expand(value));
    }
    return copy;
}

static void vector_add(const char *file, json_t *json) {
    assert_true(vectors_count < VECTORS_MAX);
    struct vector *vector = &vectors[vectors_count++];
    vector->json = json_incref(json);
    vector->name = json_string_value(json_object_get(json, "name"));
    const char *hex = json_string_value(json_object_get(json, "hex"));
    buffer_init(&vector->frame);
    if (!vector->name || !hex || !hex_read(hex, &vector->frame)) {
        fail_msg("%s: %s: needs a name and hex", file, vector->name ? vector->name : "?");
    }
    vector->refused = json_object_get(json, "refused") != NULL;
    vector->canonical = !vector->refused && !json_is_false(json_object_get(json, "canonical"));
}

static void file_load(const char *path) {
    json_error_t error;
    json_t *file = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    if (!json_is_array(file)) {
        fail_msg("%s:%d: %s", path, error.line, error.text);
    }
    size_t index;
    json_t *json;
    json_array_foreach(file, index, json) {
        vector_add(path, json);
    }
    json_decref(file);
}

static int vectors_load(void **state) {
    (void)state;
    const char *folder = WIRE_FOLDER "/vectors";
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (strstr(entry->d_name, ".json")) {
            char path[512];
            snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
            file_load(path);
        }
    }
    closedir(dir);
    assert_true(vectors_count > 60);
    return 0;
}

static int vectors_free(void **state) {
    (void)state;
    for (size_t i = 0; i < vectors_count; i++) {
        json_decref(vectors[i].json);
        buffer_done(&vectors[i].frame);
    }
    return 0;
}

/* Reads a frame to its end: the meanings go to `meanings`, the place after each command to `ends`.
 * NULL where all of it is well, else why not. */
static const char *frame_read(est_slice frame, json_t *meanings, size_t *ends, size_t *ret_count) {
    struct cursor c;
    *ret_count = 0;
    if (!frame_open(&c, frame)) {
        return c.bad;
    }
    int rc;
    while ((rc = message_next(&c, &message)) == 1) {
        assert_true(*ret_count < COMMANDS_MAX);
        if (ends) {
            ends[*ret_count] = cursor_offset(&c);
        }
        (*ret_count)++;
        if (meanings) {
            json_array_append_new(meanings, message_meaning(&message));
        }
    }
    assert_true(rc == 0 || rc == -EST_MALFORMED);
    assert_int_equal(rc == 0, c.bad == NULL);
    return c.bad;
}

static void every_vector_means_what_it_says(void **state) {
    (void)state;
    for (size_t i = 0; i < vectors_count; i++) {
        struct vector *vector = &vectors[i];
        json_t *meanings = json_array();
        size_t count;
        const char *bad = frame_read(buffer_slice(&vector->frame), meanings, NULL, &count);
        const char *refused = json_string_value(json_object_get(vector->json, "refused"));
        if ((bad == NULL) != (refused == NULL) || (bad && strcmp(bad, refused) != 0)) {
            fail_msg("%s: expected %s, got %s", vector->name, refused ? refused : "valid",
                     bad ? bad : "valid");
        }
        json_t *commands = meaning_expand(json_object_get(vector->json, "commands"));
        if (commands ? !json_equal(meanings, commands) : count != 0) {
            char *text = json_dumps(meanings, JSON_SORT_KEYS);
            print_error("%s means %.2000s\n", vector->name, text);
            free(text);
            fail();
        }
        json_decref(commands);
        json_decref(meanings);
    }
}

static void our_writer_gives_the_same_bytes(void **state) {
    (void)state;
    struct buffer again;
    buffer_init(&again);
    for (size_t i = 0; i < vectors_count; i++) {
        if (vectors[i].refused) {
            continue;
        }
        struct cursor c;
        buffer_clear(&again);
        frame_begin(&again);
        assert_true(frame_open(&c, buffer_slice(&vectors[i].frame)));
        while (message_next(&c, &message) == 1) {
            message_pack(&again, &message);
        }
        bool same = slice_equal(buffer_slice(&again), buffer_slice(&vectors[i].frame));
        if (same != vectors[i].canonical) {
            fail_msg("%s: %s", vectors[i].name, same ? "is canonical" : "is written otherwise");
        }
    }
    buffer_done(&again);
}

/* In memory of its own size, so that a sanitizer sees a read behind the cut. */
static void cut_read(const struct vector *vector, size_t size, const size_t *ends, size_t count) {
    uint8_t *cut = malloc(size ? size : 1);
    assert_non_null(cut);
    memcpy(cut, vector->frame.data, size);
    size_t whole = 0, read;
    while (whole < count && ends[whole] <= size) {
        whole++;
    }
    const char *bad = frame_read((est_slice){cut, size}, NULL, NULL, &read);
    bool at_boundary = size == 1 || (whole > 0 && ends[whole - 1] == size);
    if (read != whole || at_boundary != (bad == NULL)) {
        fail_msg("%s cut to %zu bytes: %zu commands read of %zu, %s", vector->name, size, read, whole,
                 bad ? bad : "accepted");
    }
    free(cut);
}

static void no_cut_command_is_accepted(void **state) {
    (void)state;
    static size_t ends[COMMANDS_MAX];
    for (size_t i = 0; i < vectors_count; i++) {
        struct vector *vector = &vectors[i];
        size_t count;
        frame_read(buffer_slice(&vector->frame), NULL, ends, &count);
        /* Of a refused frame the part before the fault; behind it no cut can mend it. */
        for (size_t size = 0; size < vector->frame.size; size++) {
            bool opens = vector->frame.data[0] == PROTOCOL_VERSION && vector->frame.size <= EST_FRAME_MAX;
            if (opens) {
                cut_read(vector, size, ends, count);
            }
        }
    }
}

/* Whatever a changed frame is taken for, our own writing of it must be taken for the same. */
static void understood_check(const char *name, est_slice frame, struct buffer *again) {
    json_t *first = json_array(), *second = json_array();
    struct cursor c;
    size_t count;
    buffer_clear(again);
    frame_begin(again);
    for (bool open = frame_open(&c, frame); open && message_next(&c, &message) == 1;) {
        json_array_append_new(first, message_meaning(&message));
        message_pack(again, &message);
    }
    const char *bad = frame_read(buffer_slice(again), second, NULL, &count);
    if (bad || !json_equal(first, second)) {
        fail_msg("%s: what a mutant was taken for is not written so: %s", name,
                 bad ? bad : "another meaning");
    }
    json_decref(first);
    json_decref(second);
}

static void any_byte_may_change_and_only_the_meaning_with_it(void **state) {
    (void)state;
    static const uint8_t telling[] = {0x00, 0x01, 0x7f, 0x80, 0x90, 0xa0, 0xc0, 0xc4, 0xcf, 0xdd, 0xdf, 0xff};
    struct buffer again;
    buffer_init(&again);
    for (size_t i = 0; i < vectors_count; i++) {
        struct vector *vector = &vectors[i];
        uint8_t *bytes = malloc(vector->frame.size + 1);
        assert_non_null(bytes);
        for (size_t at = 0; at < vector->frame.size && vector->frame.size < 1500; at++) {
            for (size_t k = 0; k < sizeof telling; k++) {
                memcpy(bytes, vector->frame.data, vector->frame.size);
                bytes[at] = telling[k];
                understood_check(vector->name, (est_slice){bytes, vector->frame.size}, &again);
            }
        }
        free(bytes);
    }
    buffer_done(&again);
}

static void every_verb_and_field_has_a_vector(void **state) {
    (void)state;
    static uint32_t seen[VERB_MAX + 1]; /* bits of fields that a canonical vector carries */
    for (size_t i = 0; i < vectors_count; i++) {
        struct cursor c;
        if (vectors[i].refused || !frame_open(&c, buffer_slice(&vectors[i].frame))) {
            continue;
        }
        while (message_next(&c, &message) == 1) {
            json_t *meaning = message_meaning(&message);
            json_t *fields = json_object_get(meaning, verb_name(message.verb));
            struct protocol_field field;
            for (size_t f = 0; protocol_field(message.verb, f, &field); f++) {
                seen[message.verb] |= (json_object_get(fields, field.name) ? 1U : 0U) << f;
            }
            json_decref(meaning);
        }
    }
    for (int verb = 0; verb <= VERB_MAX; verb++) {
        struct protocol_field field;
        for (size_t f = 0; protocol_field((enum verb)verb, f, &field); f++) {
            if (!(seen[verb] >> f & 1)) {
                fail_msg("no vector has %s.%s", verb_name((enum verb)verb), field.name);
            }
        }
    }
}

/* `to` says which end reads the frame; a verb may not go the other way. */
static void vectors_go_the_way_their_verbs_may(void **state) {
    (void)state;
    for (size_t i = 0; i < vectors_count; i++) {
        const char *to = json_string_value(json_object_get(vectors[i].json, "to"));
        assert_non_null(to);
        enum direction way = strcmp(to, "broker") == 0 ? TO_BROKER : TO_FAR_END;
        assert_true(way == TO_BROKER || strcmp(to, "far end") == 0);
        struct cursor c;
        if (!frame_open(&c, buffer_slice(&vectors[i].frame))) {
            continue;
        }
        while (message_next(&c, &message) == 1) {
            if (!(verb_direction(message.verb) & way)) {
                fail_msg("%s: %s does not go to the %s", vectors[i].name, verb_name(message.verb), to);
            }
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_vector_means_what_it_says),
        cmocka_unit_test(our_writer_gives_the_same_bytes),
        cmocka_unit_test(no_cut_command_is_accepted),
        cmocka_unit_test(any_byte_may_change_and_only_the_meaning_with_it),
        cmocka_unit_test(every_verb_and_field_has_a_vector),
        cmocka_unit_test(vectors_go_the_way_their_verbs_may),
    };
    return cmocka_run_group_tests_name("vectors", tests, vectors_load, vectors_free);
}
