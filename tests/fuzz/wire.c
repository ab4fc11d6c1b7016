/* wire.c - whole frames, as they come in from strangers.
 *
 * What the reader takes is packed again and read again: the same messages, field by field, and the
 * second packing is the first. msgpack-c takes the same commands at the same places. An input that is
 * no frame is tried as a bare value. Rows inside messages are read too.
 */
#include "fuzz.h"
#include "message.h"

#include <msgpack.h>
#include <string.h>

/* --- The other reader -------------------------------------------------------------------------- */

/* Only ever shown what a cursor has accepted: it believes lengths. */
static void oracle_agrees(est_slice value) {
    msgpack_unpacked unpacked;
    size_t offset = 0;
    msgpack_unpacked_init(&unpacked);
    CLAIM(msgpack_unpack_next(&unpacked, value.data, value.size, &offset) == MSGPACK_UNPACK_SUCCESS,
          "msgpack-c refuses what was accepted");
    CLAIM(offset == value.size, "msgpack-c takes another number of bytes");
    msgpack_unpacked_destroy(&unpacked);
}

/* --- Messages that are the same ---------------------------------------------------------------- */

static bool numbers_equal(const struct numbers *a, const struct numbers *b) {
    return a->count == b->count && memcmp(a->at, b->at, a->count * sizeof a->at[0]) == 0;
}

static bool field_equal(const char *type, const void *a, const void *b) {
    static const char *const integers[] = {"uint64", "uint32", "time"};
    for (size_t i = 0; i < sizeof integers / sizeof integers[0]; i++)
        if (strcmp(type, integers[i]) == 0)
            return memcmp(a, b, sizeof(uint64_t)) == 0;
    if (strcmp(type, "id") == 0)
        return memcmp(a, b, sizeof(est_id)) == 0;
    if (strcmp(type, "numbers") == 0 || strcmp(type, "pairs") == 0)
        return numbers_equal(a, b);
    return slice_equal(*(const est_slice *)a, *(const est_slice *)b);
}

static void message_same(const struct message *a, const struct message *b) {
    struct protocol_field field;
    CLAIM(a->verb == b->verb, "another verb after packing");
    for (size_t i = 0; protocol_field(a->verb, i, &field); i++)
        CLAIM(field_equal(field.type, (const char *)a + field.offset, (const char *)b + field.offset),
              "a field changed its value in packing");
}

/* The message packed, read, and packed again. */
static void message_comes_back(const struct message *message) {
    static struct message again;
    struct buffer first, second;
    struct cursor c;
    buffer_init(&first);
    buffer_init(&second);
    frame_begin(&first);
    message_pack(&first, message);
    CLAIM(!first.failed && frame_open(&c, buffer_slice(&first)), "it cannot be packed");
    CLAIM(message_next(&c, &again) == 1, "what was packed is refused");
    message_same(message, &again);
    CLAIM(message_next(&c, &again) == 0, "something is behind it");
    frame_begin(&second);
    message_pack(&second, &again);
    CLAIM(slice_equal(buffer_slice(&first), buffer_slice(&second)), "the second packing differs");
    buffer_done(&first);
    buffer_done(&second);
}

/* --- Rows -------------------------------------------------------------------------------------- */

static union row {
    struct queue_row queue;
    struct agent_row agent;
    struct parked_row parked;
    struct timeline_row timeline;
    struct stat_row stat;
    struct key_row key;
    struct config_row config;
    struct event_row event;
    struct find_row find;
    struct counter_row counter;
    est_defect defect;
} row;

static bool queue_next(struct cursor *c) {
    return queue_row_next(c, &row.queue);
}
static bool agent_next(struct cursor *c) {
    return agent_row_next(c, &row.agent);
}
static bool parked_next(struct cursor *c) {
    return parked_row_next(c, &row.parked);
}
static bool timeline_next(struct cursor *c) {
    return timeline_row_next(c, &row.timeline);
}
static bool stat_next(struct cursor *c) {
    return stat_row_next(c, &row.stat);
}
static bool key_next(struct cursor *c) {
    return key_row_next(c, &row.key);
}
static bool config_next(struct cursor *c) {
    return config_row_next(c, &row.config);
}
static bool event_next(struct cursor *c) {
    return event_row_next(c, &row.event);
}
static bool find_next(struct cursor *c) {
    return find_row_next(c, &row.find);
}
static bool counter_next(struct cursor *c) {
    return counter_row_next(c, &row.counter);
}
static bool next_defect(struct cursor *c) {
    return defect_next(c, &row.defect);
}

/* Every kind of row is looked for in every list: a peer may put anything there. */
static void rows_read(est_slice rows) {
    static bool (*const readers[])(struct cursor *) = {queue_next, agent_next,   parked_next, timeline_next,
                                                       stat_next,  key_next,     config_next, event_next,
                                                       find_next,  counter_next, next_defect};
    for (size_t i = 0; i < sizeof readers / sizeof readers[0]; i++) {
        struct cursor c;
        size_t count = 0, read = 0;
        if (!rows_open(&c, rows, &count))
            continue;
        while (read < count && readers[i](&c))
            read++;
        CLAIM(read == count || c.bad, "a row was refused without a reason");
    }
}

static void message_rows_read(const struct message *message) {
    struct protocol_field field;
    for (size_t i = 0; protocol_field(message->verb, i, &field); i++)
        if (strcmp(field.type, "rows") == 0)
            rows_read(*(const est_slice *)((const char *)message + field.offset));
}

/* --- The target -------------------------------------------------------------------------------- */

static void value_read(est_slice bytes) {
    struct cursor c;
    est_slice value;
    cursor_init(&c, bytes);
    if (cursor_value(&c, &value))
        oracle_agrees(value);
    else
        CLAIM(c.bad, "a value was refused without a reason");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct message message;
    struct cursor c;
    if (!frame_open(&c, (est_slice){data, size})) {
        value_read((est_slice){data, size});
        return 0;
    }
    for (;;) {
        const uint8_t *start = c.at;
        int got = message_next(&c, &message);
        CLAIM(got == 1 || got == 0 || (got == -EST_MALFORMED && c.bad), "no answer, or one without a reason");
        if (got != 1)
            return 0;
        CLAIM(c.at > start, "a command of no bytes");
        oracle_agrees((est_slice){start, (size_t)(c.at - start)});
        message_comes_back(&message);
        message_rows_read(&message);
    }
}
