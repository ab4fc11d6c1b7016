/* test_message.c - messages where the vectors do not look: rows, lists at their limits, what is
 * left untouched, and verbs.
 */
#include "wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static struct message in, out;

static void frame_of(struct buffer *b, const struct message *m) {
    buffer_clear(b);
    frame_begin(b);
    message_pack(b, m);
    assert_false(b->failed);
}

static int frame_back(const struct buffer *b) {
    struct cursor c;
    assert_true(frame_open(&c, buffer_slice(b)));
    int rc = message_next(&c, &out);
    assert_int_equal(message_next(&c, &out), rc == 1 ? 0 : rc);
    return rc;
}

static void fields_that_are_absent_read_as_empty(void **state) {
    (void)state;
    struct buffer b;
    buffer_init(&b);
    in = (struct message){.verb = VERB_BYE, .bye = {.code = EST_STOPPING}};
    frame_of(&b, &in);
    memset(&out, 0xaa, sizeof out);
    assert_int_equal(frame_back(&b), 1);
    assert_int_equal(out.bye.code, EST_STOPPING);
    assert_null(out.bye.text.data);
    assert_int_equal(out.bye.text.size, 0);
    buffer_done(&b);
}

/* Reads a frame that must be refused, the last command of it with this sentence. */
static void expect_fault(const uint8_t *frame, size_t size, const char *sentence) {
    struct cursor c;
    char why[EST_TEXT_MAX];
    int rc;
    assert_true(frame_open(&c, (est_slice){frame, size}));
    while ((rc = message_next(&c, &out)) == 1) {
    }
    assert_int_equal(rc, -EST_MALFORMED);
    message_fault(&c, &out, why, sizeof why);
    assert_string_equal(why, sentence);
}

#define ID_FIELD 0x01, 0xc4, 0x10, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16
#define EXPECT_FAULT(sentence, ...)                                                                          \
    expect_fault((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}), sentence)

static void what_is_malformed_is_said_with_its_place(void **state) {
    (void)state;
    EXPECT_FAULT("SUBMIT.type, byte 24: text is expected", 1, 0x92, 0x10, 0x82, ID_FIELD, 0x02, 0x07);
    EXPECT_FAULT("HELLO.version_max, byte 7: an unsigned integer is expected", 1, 0x92, 0x01, 0x82, 1, 1, 2,
                 0xa0);
    EXPECT_FAULT("HELLO field 40, byte 9: a floating-point number", 1, 0x92, 0x01, 0x83, 1, 1, 2, 1, 40,
                 0xca);
    EXPECT_FAULT("PING, byte 3: a map is expected", 1, 0x92, 0x03, 0x91, 0x01);
    EXPECT_FAULT("PING, byte 4: an unsigned integer is expected", 1, 0x92, 0x03, 0x81, 0xc0, 0xc0);
    EXPECT_FAULT("byte 7: a verb that does not exist", 1, 0x92, 0x03, 0x80, 0x92, 0xcc, 0xf0, 0x80);
    EXPECT_FAULT("byte 1: an array is expected", 1, 0x07, 0x07);
}

static void a_field_out_of_its_order_is_not_called_missing(void **state) {
    (void)state;
    EXPECT_FAULT("SUBMIT.id, byte 7: keys do not ascend", 1, 0x92, 0x10, 0x82, 0x02, 0xa1, 't', ID_FIELD);
    EXPECT_FAULT("SUBMIT.id, byte 7: a required field is missing", 1, 0x92, 0x10, 0x82, 0x02, 0xa1, 't', 0x03,
                 0xa1, 'p');
    EXPECT_FAULT("HELLO.version_max, byte 6: a required field is missing", 1, 0x92, 0x01, 0x81, 1, 1);
    EXPECT_FAULT("PING.token, byte 7: keys do not ascend", 1, 0x92, 0x03, 0x82, 1, 1, 1, 1);
}

static void a_list_of_numbers_is_read_only_as_far_as_its_count(void **state) {
    (void)state;
    struct buffer b;
    buffer_init(&b);
    in.verb = VERB_RENEW;
    in.renew.pairs.count = 4;
    for (size_t i = 0; i < 4; i++) {
        in.renew.pairs.at[i] = UINT64_MAX - i;
    }
    frame_of(&b, &in);
    memset(&out, 0xaa, sizeof out);
    assert_int_equal(frame_back(&b), 1);
    assert_int_equal(out.renew.pairs.count, 4);
    assert_memory_equal(out.renew.pairs.at, in.renew.pairs.at, 4 * sizeof *in.renew.pairs.at);
    assert_int_equal(out.renew.pairs.at[4], 0xaaaaaaaaaaaaaaaaU); /* 16 KiB are not cleared for each */
    buffer_done(&b);
}

static void the_longest_lists_pass_whole(void **state) {
    (void)state;
    struct buffer b;
    buffer_init(&b);
    in.verb = VERB_RECORDED;
    in.recorded.pairs.count = EST_NUMBERS_MAX * 2;
    for (size_t i = 0; i < EST_NUMBERS_MAX * 2; i++) {
        in.recorded.pairs.at[i] = i << 40;
    }
    frame_of(&b, &in);
    assert_int_equal(frame_back(&b), 1);
    assert_int_equal(out.recorded.pairs.count, EST_NUMBERS_MAX * 2);
    assert_memory_equal(out.recorded.pairs.at, in.recorded.pairs.at, sizeof in.recorded.pairs.at);
    buffer_done(&b);
}

static void a_required_body_is_a_map_even_when_it_is_empty(void **state) {
    (void)state;
    struct buffer b;
    buffer_init(&b);
    in = (struct message){.verb = VERB_ANSWER,
                          .answer = {.number = 1, .epoch = 2, .outcome = EST_OUTCOME_NO_RECORD}};
    frame_of(&b, &in);
    assert_int_equal(frame_back(&b), 1);
    assert_int_equal(out.answer.body.size, 1);
    assert_int_equal(*(const uint8_t *)out.answer.body.data, 0x80);
    buffer_done(&b);
}

static void slices_point_into_the_frame(void **state) {
    (void)state;
    struct buffer b;
    buffer_init(&b);
    in = (struct message){.verb = VERB_BYE, .bye = {.text = slice_of("سلام")}};
    frame_of(&b, &in);
    assert_int_equal(frame_back(&b), 1);
    const uint8_t *text = out.bye.text.data;
    assert_true(text > b.data && text + out.bye.text.size <= b.data + b.size);
    assert_true(slice_equal(out.bye.text, slice_of("سلام")));
    buffer_done(&b);
}

static void a_verb_that_does_not_exist_is_nothing(void **state) {
    (void)state;
    struct buffer b;
    buffer_init(&b);
    in.verb = (enum verb)69;
    message_pack(&b, &in);
    assert_int_equal(b.size, 0);
    assert_int_equal(verb_direction((enum verb)69), 0);
    assert_int_equal(verb_doors((enum verb)1000), 0);
    assert_string_equal(verb_name((enum verb) - 1), "UNKNOWN_VERB");
    assert_string_equal(verb_name(VERB_SUBMIT), "SUBMIT");
    assert_int_equal(verb_direction(VERB_SUBMIT), TO_BROKER);
    assert_int_equal(verb_direction(VERB_PING), BOTH_WAYS);
    assert_int_equal(verb_doors(VERB_ASSIGN), DOOR_DEPARTMENT);
    buffer_done(&b);
}

/* --- Rows -------------------------------------------------------------------------------------------- */

static void rows_are_read_back_as_they_were_packed(void **state) {
    (void)state;
    struct buffer b;
    struct cursor c;
    size_t count;
    buffer_init(&b);
    const struct timeline_row rows[2] = {
        {.seq = 1, .at_us = 2, .event = slice_of("submitted"), .actor = slice_of("portal")},
        {.seq = UINT64_MAX, .at_us = 4, .event = slice_of("parked"), .code = 306, .text = slice_of("چرا")},
    };
    pack_array(&b, 2);
    timeline_row_pack(&b, &rows[0]);
    timeline_row_pack(&b, &rows[1]);
    assert_true(rows_open(&c, buffer_slice(&b), &count));
    assert_int_equal(count, 2);
    for (size_t i = 0; i < 2; i++) {
        struct timeline_row row;
        assert_true(timeline_row_next(&c, &row));
        assert_true(row.seq == rows[i].seq && row.at_us == rows[i].at_us && row.code == rows[i].code);
        assert_true(slice_equal(row.event, rows[i].event) && slice_equal(row.actor, rows[i].actor));
        assert_true(slice_equal(row.text, rows[i].text));
    }
    assert_int_equal(cursor_left(&c), 0);
    buffer_done(&b);
}

/* Fills a row with numbers that tell its places apart, packs, reads and compares: the order of the
 * fields and their count. */
#define NUMBERS_CHECK(row_type, expected_hex, ...)                                                           \
    do {                                                                                                     \
        struct row_type row = {__VA_ARGS__}, back;                                                           \
        struct buffer packed, expected;                                                                      \
        struct cursor c;                                                                                     \
        buffer_init(&packed);                                                                                \
        buffer_init(&expected);                                                                              \
        row_type##_pack(&packed, &row);                                                                      \
        assert_true(hex_read(expected_hex, &expected));                                                      \
        assert_true(slice_equal(buffer_slice(&packed), buffer_slice(&expected)));                            \
        cursor_init(&c, buffer_slice(&packed));                                                              \
        assert_true(row_type##_next(&c, &back));                                                             \
        buffer_clear(&expected);                                                                             \
        row_type##_pack(&expected, &back);                                                                   \
        assert_true(slice_equal(buffer_slice(&packed), buffer_slice(&expected)));                            \
        buffer_done(&packed);                                                                                \
        buffer_done(&expected);                                                                              \
    } while (0)

/* The order is the one of PROTOCOL.md, section 10. */
static void rows_have_their_fields_in_the_order_of_the_document(void **state) {
    (void)state;
    NUMBERS_CHECK(queue_row, "9a a164 01 02 03 04 05 06 07 01 08", .department = slice_of("d"), .district = 1,
                  .waiting = 2, .delayed = 3, .leased = 4, .parked = 5, .oldest_us = 6, .agents = 7,
                  .paused = 1, .unserved = 8);
    NUMBERS_CHECK(agent_row, "9a 01 a161 a164 a173 a174 02 03 04 05 06", .session = 1,
                  .account = slice_of("a"), .department = slice_of("d"), .software = slice_of("s"),
                  .address = slice_of("t"), .window = 2, .leased = 3, .since_us = 4, .heard_us = 5,
                  .answered = 6);
    NUMBERS_CHECK(parked_row, "98 01 a174 a164 02 03 04 05 a172", .number = 1, .type = slice_of("t"),
                  .department = slice_of("d"), .district = 2, .at_us = 3, .code = 4, .attempts = 5,
                  .reason = slice_of("r"));
    NUMBERS_CHECK(timeline_row, "96 01 02 a165 a161 03 a174", .seq = 1, .at_us = 2, .event = slice_of("e"),
                  .actor = slice_of("a"), .code = 3, .text = slice_of("t"));
    NUMBERS_CHECK(stat_row, "92 a16e 01", .name = slice_of("n"), .value = 1);
    NUMBERS_CHECK(key_row, "98 a161 a172 01 a164 a16b 02 03 04", .account = slice_of("a"),
                  .role = slice_of("r"), .level = 1, .department = slice_of("d"), .key = slice_of("k"),
                  .from_us = 2, .until_us = 3, .sessions = 4);
    NUMBERS_CHECK(config_row, "92 a16e a176", .name = slice_of("n"), .value = slice_of("v"));
    NUMBERS_CHECK(event_row, "dc0010 01 02 a165 03 a161 04 a178 a174 a164 05 a172 06 a163 a16b 07 01",
                  .seq = 1, .at_us = 2, .event = slice_of("e"), .number = 3, .actor = slice_of("a"),
                  .code = 4, .text = slice_of("x"), .type = slice_of("t"), .department = slice_of("d"),
                  .district = 5, .requester = slice_of("r"), .outcome = 6, .case_id = slice_of("c"),
                  .tracking = slice_of("k"), .leased_us = 7, .confidential = 1);
    NUMBERS_CHECK(find_row, "dc0012 01 a169 a16b a174 02 a164 03 a172 a170 a163 a16c 04 05 06 07 08 09 0a",
                  .number = 1, .id = slice_of("i"), .tracking = slice_of("k"), .type = slice_of("t"),
                  .version = 2, .department = slice_of("d"), .district = 3, .requester = slice_of("r"),
                  .purpose = slice_of("p"), .case_id = slice_of("c"), .parcel = slice_of("l"), .state = 4,
                  .outcome = 5, .code = 6, .attempts = 7, .received_us = 8, .due_us = 9, .ended_us = 10);
    NUMBERS_CHECK(counter_row, "94 a16e a164 a16c 01", .name = slice_of("n"), .department = slice_of("d"),
                  .label = slice_of("l"), .value = 1);
}

static bool stat_row_reads(const char *hex) {
    struct buffer b;
    struct cursor c;
    struct stat_row row;
    buffer_init(&b);
    assert_true(hex_read(hex, &b));
    cursor_init(&c, buffer_slice(&b));
    bool read = stat_row_next(&c, &row) && cursor_left(&c) == 0;
    buffer_done(&b);
    return read;
}

static void a_row_may_grow_but_not_shrink(void **state) {
    (void)state;
    assert_true(stat_row_reads("92 a16e 01"));
    assert_true(stat_row_reads("94 a16e 01 c0 81a16101"));
    assert_false(stat_row_reads("91 a16e"));
    assert_false(stat_row_reads("93 a16e 01 ca00000000"));
    assert_false(stat_row_reads("92 01 a16e"));
    assert_false(stat_row_reads("a16e"));
}

static void no_rows_are_an_empty_list(void **state) {
    (void)state;
    struct cursor c;
    struct stat_row row;
    size_t count = 9;
    assert_true(rows_open(&c, (est_slice){NULL, 0}, &count));
    assert_int_equal(count, 0);
    assert_false(stat_row_next(&c, &row));
}

static void a_defect_is_cut_between_characters(void **state) {
    (void)state;
    struct buffer b;
    struct cursor c;
    est_defect defect = {.path = "docs[2].id", .kind = "missing", .text = "لازم است"}, back;
    buffer_init(&b);
    defect_pack(&b, &defect);
    cursor_init(&c, buffer_slice(&b));
    assert_true(defect_next(&c, &back));
    assert_string_equal(back.path, defect.path);
    assert_string_equal(back.kind, defect.kind);
    assert_string_equal(back.text, defect.text);
    buffer_clear(&b);
    assert_true(hex_read("93 a170 da0032 6b*50 d9cb 61 d8b3*101", &b)); /* kind of 50, text of 203 bytes */
    cursor_init(&c, buffer_slice(&b));
    assert_true(defect_next(&c, &back));
    assert_int_equal(strlen(back.kind), EST_DEFECT_KIND_MAX - 1);
    assert_int_equal(strlen(back.text), EST_DEFECT_TEXT_MAX - 1);
    assert_true(utf8_is_valid(slice_of(back.text)));
    buffer_clear(&b);
    assert_true(
        hex_read("93 a170 a16b d9ca d8b3*101", &b)); /* text of 202 bytes: the cut falls in a letter */
    cursor_init(&c, buffer_slice(&b));
    assert_true(defect_next(&c, &back));
    assert_int_equal(strlen(back.text), EST_DEFECT_TEXT_MAX - 2);
    assert_true(utf8_is_valid(slice_of(back.text)));
    buffer_done(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_that_are_absent_read_as_empty),
        cmocka_unit_test(what_is_malformed_is_said_with_its_place),
        cmocka_unit_test(a_field_out_of_its_order_is_not_called_missing),
        cmocka_unit_test(a_list_of_numbers_is_read_only_as_far_as_its_count),
        cmocka_unit_test(the_longest_lists_pass_whole),
        cmocka_unit_test(a_required_body_is_a_map_even_when_it_is_empty),
        cmocka_unit_test(slices_point_into_the_frame),
        cmocka_unit_test(a_verb_that_does_not_exist_is_nothing),
        cmocka_unit_test(rows_are_read_back_as_they_were_packed),
        cmocka_unit_test(rows_have_their_fields_in_the_order_of_the_document),
        cmocka_unit_test(a_row_may_grow_but_not_shrink),
        cmocka_unit_test(no_rows_are_an_empty_list),
        cmocka_unit_test(a_defect_is_cut_between_characters),
    };
    return cmocka_run_group_tests_name("messages", tests, NULL, NULL);
}
