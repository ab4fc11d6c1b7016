/* record_test.c - the bytes of events and rows: there and back, and every way they can be bad. */
#include "record.h"
#include "sample.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GOLDEN_SUBMITTED                                                                                     \
    "4553544c01005000a27990fc5cf8168f100001000000000051000000000000000c000000000000000000000000000000"       \
    "080706050403020140e2cfeeb540060018171615141312112827262524232221a0a1a2a3a4a5a6a7a8a9aaabacadaeaf"       \
    "3d0000003e0000003f0000004000000041000000beffffffffffffff0c000000d986d988d8b3d8a7d8b2db8c06000000"       \
    "706f7274616c070000007b227a223a317d"
#define GOLDEN_ROW                                                                                           \
    "0100880000000000ba981c3010b803fc0807060504030201c0c1c2c3c4c5c6c7c8c9cacbcccdcecf0100000002000000"       \
    "030000000400000005000000020000000700000008000000090000000a0000000b00000000000000f4ffffffffffffff"       \
    "0d000000000000000e000000000000000f000000000000001000000000000000f0ffffffffffffff"

/* As the program before operators' levels wrote it. */
#define GOLDEN_ACCOUNT_SET_1                                                                                 \
    "4553544c01005000ba872039404cbeb10400010000000000b2000000000000000c000000000000000000000000000000"       \
    "080706050403020140e2cfeeb5400600181716151413121128272625242322212d000000020000002e00000010325476"       \
    "98badcfe1132547698badcfe1232547698badcfe1332547698badcfe1432547698badcfe1532547698badcfe16325476"       \
    "98badcfe1732547698badcfe1832547698badcfe1932547698badcfe1a32547698badcfe1b32547698badcfe1c325476"       \
    "98badcfe1d32547698badcfe1e32547698badcfe1f32547698badcfe06000000706f7274616c03000000000000000000"       \
    "f0f0010000000100f0f0020000000200f0f0"
/* As the program wrote it that did not say whether there is a delay. */
#define GOLDEN_ATTEMPT_FAILED_1                                                                              \
    "4553544c01005000929c6dd54a59dd7a11000100000000002a000000000000000c000000000000000000000000000000"       \
    "080706050403020140e2cfeeb5400600181716151413121128272625242322213300000000000000340000002e010000"       \
    "3500000000000000181500000000000006000000706f7274616c"
#define GOLDEN_ATTEMPT_FAILED_2                                                                              \
    "4553544c0100500080f4edb4af101c2411000200000000002e000000000000000c000000000000000000000000000000"       \
    "080706050403020140e2cfeeb5400600181716151413121128272625242322213300000000000000340000002e010000"       \
    "3500000000000000181500000000000006000000706f7274616c01000000"
#define GOLDEN_PAUSED                                                                                        \
    "4553544c010050003a724c9b9acf42d0070001000000000016000000000000000c000000000000000000000000000000"       \
    "080706050403020140e2cfeeb54006001817161514131211282726252423222151000000520000000100000006000000"       \
    "706f7274616c"
#define GOLDEN_REDIRECTED                                                                                    \
    "4553544c01005000619a29fbd2e4009414000100000000002a000000000000000c000000000000000000000000000000"       \
    "080706050403020140e2cfeeb54006001817161514131211282726252423222153000000000000005400000055000000"       \
    "5600000057000000580000000000000006000000706f7274616c"
#define GOLDEN_ACCOUNT_SET_2                                                                                 \
    "4553544c010050002c20e844810c75460400020000000000b6000000000000000c000000000000000000000000000000"       \
    "080706050403020140e2cfeeb5400600181716151413121128272625242322212d000000020000002e00000010325476"       \
    "98badcfe1132547698badcfe1232547698badcfe1332547698badcfe1432547698badcfe1532547698badcfe16325476"       \
    "98badcfe1732547698badcfe1832547698badcfe1932547698badcfe1a32547698badcfe1b32547698badcfe1c325476"       \
    "98badcfe1d32547698badcfe1e32547698badcfe1f32547698badcfe06000000706f7274616c03000000000000000000"       \
    "f0f0010000000100f0f0020000000200f0f001000000"

/* As the program before the ends of what is acknowledged were told wrote it. */
#define GOLDEN_ACKNOWLEDGED_1                                                                                \
    "4553544c01005000d4491cd637894a90300001000000000020000000000000000c000000000000000000000000000000" \
    "080706050403020140e2cfeeb5400600181716151413121128272625242322214b000000030000008877665544332211" \
    "89776655443322118a77665544332211"

struct record {
    uint8_t *bytes;
    size_t size;
};

static struct record record_of(const struct event *event) {
    struct record record = {.size = record_size(event)};
    assert_int_not_equal(record.size, 0);
    record.bytes = malloc(record.size);
    assert_non_null(record.bytes);
    record_write(event, record.size, record.bytes);
    return record;
}

static int read_back(const uint8_t *bytes, size_t size, struct event *ret, char why[RECORD_WHY_SIZE]) {
    struct record_scratch scratch = {0};
    struct event event;
    int rc = record_read((est_slice){bytes, size}, &scratch, &event, why);
    record_scratch_done(&scratch);
    if (rc == 0 && ret)
        *ret = event;
    return rc;
}

/* What a writer other than ours would do after it changed something. */
static void seal(uint8_t *bytes, size_t size) {
    uint64_t checksum = checksum_of(bytes + 16, size - 16);
    for (size_t i = 0; i < 8; i++)
        bytes[8 + i] = (uint8_t)(checksum >> (8 * i));
}

static void expect_refused(const uint8_t *bytes, size_t size, const char *why_part) {
    char why[RECORD_WHY_SIZE] = "";
    /* A block of exactly this size: the sanitizer sees a read beyond it. */
    uint8_t *copy = malloc(size > 0 ? size : 1);
    assert_non_null(copy);
    memcpy(copy, bytes, size);
    assert_int_equal(read_back(copy, size, NULL, why), -EST_INPUT);
    free(copy);
    if (why_part && !strstr(why, why_part))
        fail_msg("refused for \"%s\" and not for \"%s\"", why, why_part);
}

static void every_event_of_every_size_comes_back_as_it_went(void **state) {
    (void)state;
    for (size_t i = 0; i < sample_types_count; i++) {
        for (int size = 0; size < SAMPLE_SIZES; size++) {
            struct event event = sample_event(sample_types[i], (enum sample_size)size), back;
            struct record record = record_of(&event);
            struct record_scratch scratch = {0};
            char why[RECORD_WHY_SIZE];
            assert_int_equal(record_read((est_slice){record.bytes, record.size}, &scratch, &back, why), 0);
            assert_event_equal(&event, &back);
            record_scratch_done(&scratch);
            free(record.bytes);
        }
    }
}

static void expect_hex(const uint8_t *bytes, size_t size, const char *expected) {
    char *hex = calloc(2, size + 1);
    assert_non_null(hex);
    for (size_t i = 0; i < size; i++)
        snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
    assert_string_equal(hex, expected);
    free(hex);
}

/* Logs that exist are in this layout. It may get a new version beside it, but never change. */
static void submitted_has_the_bytes_it_always_had(void **state) {
    (void)state;
    struct event event = sample_event(EVENT_SUBMITTED, SAMPLE_USUAL);
    struct record record = record_of(&event);
    expect_hex(record.bytes, record.size, GOLDEN_SUBMITTED);
    free(record.bytes);
}

static void later_events_have_the_bytes_they_always_had(void **state) {
    (void)state;
    static const struct { enum event_type type; const char *golden; } events[] = {
        {EVENT_PAUSED, GOLDEN_PAUSED},
        {EVENT_REDIRECTED, GOLDEN_REDIRECTED},
        {EVENT_ACCOUNT_SET, GOLDEN_ACCOUNT_SET_2},
        {EVENT_ATTEMPT_FAILED, GOLDEN_ATTEMPT_FAILED_2},
    };
    for (size_t i = 0; i < sizeof events / sizeof *events; i++) {
        struct event event = sample_event(events[i].type, SAMPLE_USUAL);
        struct record record = record_of(&event);
        expect_hex(record.bytes, record.size, events[i].golden);
        free(record.bytes);
    }
}

static void expect_read_as(const char *golden, const struct event *expected) {
    struct event back;
    struct record_scratch scratch = {0};
    char why[RECORD_WHY_SIZE];
    uint8_t bytes[sizeof GOLDEN_ACCOUNT_SET_1 / 2]; /* the longer one */
    size_t count = strlen(golden) / 2;
    assert_true(count <= sizeof bytes);
    for (size_t i = 0; i < count; i++) {
        unsigned byte;
        assert_int_equal(sscanf(&golden[2 * i], "%2x", &byte), 1);
        bytes[i] = (uint8_t)byte;
    }
    assert_int_equal(record_read((est_slice){bytes, count}, &scratch, &back, why), 0);
    assert_event_equal(expected, &back);
    record_scratch_done(&scratch);
    for (size_t size = RECORD_HEADER_SIZE; size < count; size++)
        expect_refused(bytes, size, "checksum");
}

static void account_of_the_time_before_levels_is_still_read(void **state) {
    (void)state;
    struct event expected = sample_event(EVENT_ACCOUNT_SET, SAMPLE_USUAL);
    expected.account_set.level = 0;
    expect_read_as(GOLDEN_ACCOUNT_SET_1, &expected);
}

static void attempt_of_the_time_before_delays_were_said_is_still_read(void **state) {
    (void)state;
    struct event expected = sample_event(EVENT_ATTEMPT_FAILED, SAMPLE_USUAL);
    expected.attempt_failed.delayed = 0;
    expect_read_as(GOLDEN_ATTEMPT_FAILED_1, &expected);
}

static void acknowledgement_of_the_time_before_it_told_the_ends_is_still_read(void **state) {
    (void)state;
    struct event expected = sample_event(EVENT_ACKNOWLEDGED, SAMPLE_USUAL);
    assert_int_equal(acknowledged_end(&expected.acknowledged, 0), expected.acknowledged.numbers[0]);
    expected.acknowledged.ends.size = 0;
    assert_int_equal(acknowledged_end(&expected.acknowledged, 0), 0);
    expect_read_as(GOLDEN_ACKNOWLEDGED_1, &expected);
}

static struct inquiry_row sample_row(void) {
    struct inquiry_row row = {UINT64_C(0x0102030405060708),
                              {{0}},
                              1,
                              2,
                              3,
                              4,
                              5,
                              EST_STATE_DELAYED,
                              7,
                              8,
                              9,
                              10,
                              {11},
                              {-12},
                              {13},
                              {14},
                              {15},
                              16,
                              UINT64_C(0xfffffffffffffff0)};
    for (size_t i = 0; i < sizeof row.id.bytes; i++)
        row.id.bytes[i] = (uint8_t)(0xc0 + i);
    return row;
}

static void row_has_the_bytes_it_always_had(void **state) {
    (void)state;
    struct inquiry_row row = sample_row();
    uint8_t bytes[ROW_SIZE];
    row_write(&row, bytes);
    expect_hex(bytes, sizeof bytes, GOLDEN_ROW);
}

static void record_cut_at_any_length_is_refused(void **state) {
    (void)state;
    for (size_t i = 0; i < sample_types_count; i++) {
        struct event event = sample_event(sample_types[i], SAMPLE_USUAL);
        struct record record = record_of(&event);
        for (size_t size = 0; size < record.size; size++)
            expect_refused(record.bytes, size, NULL);
        free(record.bytes);
    }
}

/* The checksum is made to fit, so that the lengths inside have to be checked too. */
static void record_cut_and_sealed_again_is_refused(void **state) {
    (void)state;
    for (size_t i = 0; i < sample_types_count; i++) {
        struct event event = sample_event(sample_types[i], SAMPLE_USUAL);
        struct record record = record_of(&event);
        for (size_t size = RECORD_HEADER_SIZE; size < record.size; size++) {
            uint8_t *cut = malloc(size);
            assert_non_null(cut);
            memcpy(cut, record.bytes, size);
            uint32_t payload = (uint32_t)(size - RECORD_HEADER_SIZE);
            memcpy(cut + 24, &payload, sizeof payload);
            seal(cut, size);
            expect_refused(cut, size, "do not fill");
            free(cut);
        }
        free(record.bytes);
    }
}

static void excess_byte_is_refused(void **state) {
    (void)state;
    for (size_t i = 0; i < sample_types_count; i++) {
        struct event event = sample_event(sample_types[i], SAMPLE_USUAL);
        struct record record = record_of(&event);
        uint8_t *longer = calloc(1, record.size + 1);
        assert_non_null(longer);
        memcpy(longer, record.bytes, record.size);
        expect_refused(longer, record.size + 1, "checksum");
        seal(longer, record.size + 1);
        expect_refused(longer, record.size + 1, "it says");
        uint32_t payload = (uint32_t)(record.size + 1 - RECORD_HEADER_SIZE);
        memcpy(longer + 24, &payload, sizeof payload);
        seal(longer, record.size + 1);
        expect_refused(longer, record.size + 1, "do not fill");
        free(longer);
        free(record.bytes);
    }
}

static void flipped_bit_anywhere_in_a_record_is_found(void **state) {
    (void)state;
    struct event event = sample_event(EVENT_ANSWERED, SAMPLE_USUAL);
    struct record record = record_of(&event);
    for (size_t bit = 0; bit < record.size * 8; bit++) {
        record.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        expect_refused(record.bytes, record.size, NULL);
        record.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_int_equal(read_back(record.bytes, record.size, NULL, (char[RECORD_WHY_SIZE]){0}), 0);
    free(record.bytes);
}

static void expect_change_refused(enum event_type type, size_t offset, uint8_t value, const char *why) {
    struct event event = sample_event(type, SAMPLE_USUAL);
    struct record record = record_of(&event);
    record.bytes[offset] = value;
    seal(record.bytes, record.size);
    expect_refused(record.bytes, record.size, why);
    free(record.bytes);
}

static void what_another_program_wrote_is_refused_by_name(void **state) {
    (void)state;
    expect_change_refused(EVENT_SUBMITTED, 0, 'X', "begin as an event");
    expect_change_refused(EVENT_SUBMITTED, 4, 2, "format 2");
    expect_change_refused(EVENT_SUBMITTED, 6, 112, "header of 112");
    expect_change_refused(EVENT_SUBMITTED, 16, 77, "type 77 version 1");
    expect_change_refused(EVENT_SUBMITTED, 16, 15, "type 15 version 1");
    expect_change_refused(EVENT_SUBMITTED, 18, 2, "type 16 version 2");
    expect_change_refused(EVENT_SUBMITTED, 20, 1, "several machines");
    expect_change_refused(EVENT_SUBMITTED, 28, 1, "several machines");
    expect_change_refused(EVENT_SUBMITTED, 40, 1, "several machines");
}

/* Offsets of the lengths: the case id of SUBMITTED, the list of ACKNOWLEDGED and of ACCOUNT_SET. */
static void length_that_lies_is_refused(void **state) {
    (void)state;
    enum { CASE_ID = 80 + 16 + 5 * 4 + 8, NUMBERS = 80 + 4, RIGHTS = 80 + 12 + 128 + 4 + 6 };
    expect_change_refused(EVENT_SUBMITTED, CASE_ID + 3, 0xff, "do not fill");
    expect_change_refused(EVENT_ACKNOWLEDGED, NUMBERS, 4, "do not fill");
    expect_change_refused(EVENT_ACKNOWLEDGED, NUMBERS, 2, "do not fill");
    expect_change_refused(EVENT_ACKNOWLEDGED, NUMBERS + 3, 0xff, "do not fill");
    expect_change_refused(EVENT_ACCOUNT_SET, RIGHTS, 4, "do not fill");
    expect_change_refused(EVENT_ACCOUNT_SET, RIGHTS + 3, 0xff, "do not fill");
}

static void event_that_cannot_be_a_record_has_no_size(void **state) {
    (void)state;
    struct event event = sample_event(EVENT_ACKNOWLEDGED, SAMPLE_LARGEST);
    assert_int_not_equal(record_size(&event), 0);
    event.acknowledged.count++;
    assert_int_equal(record_size(&event), 0);
    event = sample_event(EVENT_TYPE_SET, SAMPLE_EMPTY);
    size_t fixed = record_size(&event) - RECORD_HEADER_SIZE;
    event.type_set.definition.size = RECORD_PAYLOAD_MAX - fixed;
    assert_int_equal(record_size(&event), RECORD_HEADER_SIZE + RECORD_PAYLOAD_MAX);
    event.type_set.definition.size++;
    assert_int_equal(record_size(&event), 0);
    event.type_set.definition.size = SIZE_MAX;
    assert_int_equal(record_size(&event), 0);
    assert_int_equal(record_size(&(struct event){.type = EVENT_NONE}), 0);
    assert_int_equal(record_size(&(struct event){.type = (enum event_type)9999}), 0);
}

static void row_comes_back_as_it_went(void **state) {
    (void)state;
    struct inquiry_row row = sample_row(), back = {0};
    uint8_t bytes[ROW_SIZE];
    char why[RECORD_WHY_SIZE];
    row_write(&row, bytes);
    assert_int_equal(row_read((est_slice){bytes, sizeof bytes}, &back, why), 0);
    assert_row_equal(&row, &back);
}

static void row_cut_or_flipped_anywhere_is_refused(void **state) {
    (void)state;
    struct inquiry_row row = sample_row(), back = {0}, untouched = {0};
    uint8_t bytes[ROW_SIZE + 1] = {0};
    char why[RECORD_WHY_SIZE];
    row_write(&row, bytes);
    for (size_t size = 0; size <= sizeof bytes; size++) {
        uint8_t *copy = malloc(size > 0 ? size : 1);
        assert_non_null(copy);
        memcpy(copy, bytes, size);
        assert_int_equal(row_read((est_slice){copy, size}, &back, why), size == ROW_SIZE ? 0 : -EST_INPUT);
        free(copy);
    }
    back = untouched;
    for (size_t bit = 0; bit < ROW_SIZE * 8; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(row_read((est_slice){bytes, ROW_SIZE}, &back, why), -EST_INPUT);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_row_equal(&back, &untouched);
    bytes[0] = 9;
    assert_int_equal(row_read((est_slice){bytes, ROW_SIZE}, &back, why), -EST_INPUT);
    assert_non_null(strstr(why, "format 9"));
}

static void digest_depends_on_content_and_order(void **state) {
    (void)state;
    uint64_t ab = digest_step(digest_step(0, 1), 2), ba = digest_step(digest_step(0, 2), 1);
    assert_true(ab != ba);
    assert_true(ab != digest_step(0, 1));
    assert_true(ab == digest_step(digest_step(0, 1), 2));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_event_of_every_size_comes_back_as_it_went),
        cmocka_unit_test(submitted_has_the_bytes_it_always_had),
        cmocka_unit_test(later_events_have_the_bytes_they_always_had),
        cmocka_unit_test(account_of_the_time_before_levels_is_still_read),
        cmocka_unit_test(attempt_of_the_time_before_delays_were_said_is_still_read),
        cmocka_unit_test(acknowledgement_of_the_time_before_it_told_the_ends_is_still_read),
        cmocka_unit_test(row_has_the_bytes_it_always_had),
        cmocka_unit_test(record_cut_at_any_length_is_refused),
        cmocka_unit_test(record_cut_and_sealed_again_is_refused),
        cmocka_unit_test(excess_byte_is_refused),
        cmocka_unit_test(flipped_bit_anywhere_in_a_record_is_found),
        cmocka_unit_test(what_another_program_wrote_is_refused_by_name),
        cmocka_unit_test(length_that_lies_is_refused),
        cmocka_unit_test(event_that_cannot_be_a_record_has_no_size),
        cmocka_unit_test(row_comes_back_as_it_went),
        cmocka_unit_test(row_cut_or_flipped_anywhere_is_refused),
        cmocka_unit_test(digest_depends_on_content_and_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
