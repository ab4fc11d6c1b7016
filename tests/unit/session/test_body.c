/* test_body.c - bodies built and read through the public API, and rows read from events. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <estelam/client.h>

#include "message.h"

static void fields_that_were_put_in_come_out(void **state) {
    (void)state;
    est_body *body = est_body_new();
    est_slice map, text, raw, packed = {"\x92\x01\x02", 3};
    int64_t number;
    bool truth;
    est_body_text(body, "title", "بدهی نوسازی");
    est_body_int(body, "debt", INT64_MIN);
    est_body_bool(body, "free", true);
    est_body_raw(body, "years", packed);
    assert_int_equal(est_body_slice(body, &map), 0);
    assert_true(est_field_text(map, "title", &text));
    assert_true(slice_equal(text, slice_of("بدهی نوسازی")));
    assert_true(est_field_int(map, "debt", &number));
    assert_int_equal(number, INT64_MIN);
    assert_true(est_field_bool(map, "free", &truth) && truth);
    assert_true(est_field_raw(map, "years", &raw) && slice_equal(raw, packed));
    assert_false(est_field_int(map, "title", &number));
    assert_false(est_field_text(map, "absent", &text));
    est_body_free(&body);
    assert_null(body);
    est_body_free(&body);
}

/* 15 and 16 fields have headers of different sizes; so have none and a body used again. */
static void maps_of_any_size_are_well_formed(void **state) {
    (void)state;
    static const int counts[] = {0, 1, 15, 16, 17, 300, 2, 0};
    est_body *body = est_body_new();
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        est_slice map, whole;
        est_body_clear(body);
        for (int field = 0; field < counts[i]; field++) {
            char name[16];
            snprintf(name, sizeof name, "f%d", field);
            est_body_int(body, name, field);
        }
        assert_int_equal(est_body_slice(body, &map), 0);
        struct cursor c;
        size_t count;
        cursor_init(&c, map);
        assert_true(cursor_value(&c, &whole));
        assert_int_equal(cursor_left(&c), 0);
        cursor_init(&c, map);
        assert_true(cursor_map(&c, EST_ITEMS_MAX, &count));
        assert_int_equal(count, counts[i]);
    }
    est_body_free(&body);
}

static void failures_show_in_the_slice_until_cleared(void **state) {
    (void)state;
    est_body *body = est_body_new();
    est_slice map = {0};
    char *large = malloc(EST_BODY_MAX + 1);
    assert_non_null(large);
    memset(large, 'x', EST_BODY_MAX);
    large[EST_BODY_MAX] = 0;
    est_body_text(body, "large", large);
    est_body_int(body, "n", 1);
    assert_int_equal(est_body_slice(body, &map), -EST_TOO_LARGE);
    est_body_clear(body);
    est_body_text(body, "bad", "\xff\xfe");
    assert_int_equal(est_body_slice(body, &map), -EST_INPUT);
    est_body_clear(body);
    est_body_raw(body, "cut", (est_slice){"\x92\x01", 2});
    assert_int_equal(est_body_slice(body, &map), -EST_INPUT);
    assert_null(map.data);
    est_body_clear(body);
    assert_int_equal(est_body_slice(body, &map), 0);
    free(large);
    est_body_free(&body);
}

static void fails(est_body *body, int code, const char *fault) {
    est_slice map;
    assert_int_equal(est_body_slice(body, &map), code);
    assert_string_equal(est_body_fault(body), fault);
    est_body_clear(body);
    assert_string_equal(est_body_fault(body), "");
}

static void levels_items_and_names_are_those_of_the_whole_body(void **state) {
    (void)state;
    est_body *body = est_body_new();
    static const uint8_t levels[] = {0x91, 0x91, 0x91, 0x91, 0x91, 0x91, 0x91, 0x91, 0x01}; /* [[[[[[[[1]]]]]]]] */
    static uint8_t list[3 + 4095] = {0xdc, 0x0f, 0xff}; /* 4,095 elements */
    est_slice map;
    est_body_raw(body, "a", (est_slice){levels + 1, sizeof levels - 1});
    est_body_raw(body, "b", (est_slice){list + 3, 1});
    assert_int_equal(est_body_slice(body, &map), 0);
    est_body_clear(body);
    est_body_raw(body, "a", (est_slice){levels, sizeof levels});
    fails(body, -EST_INPUT, "nested too deep");
    est_body_raw(body, "a", (est_slice){list, sizeof list});
    assert_int_equal(est_body_slice(body, &map), 0);
    est_body_int(body, "b", 1);
    fails(body, -EST_TOO_LARGE, "it has more than 4096 items, of all levels together");
    est_body_int(body, "a", 1);
    est_body_int(body, "a", 2);
    fails(body, -EST_INPUT, "a map has a key twice");
    est_body_text(body, "a", "\xff");
    fails(body, -EST_INPUT, "a text is not UTF-8");
    est_body_free(&body);
}

static void bodies_that_are_cut_anywhere_are_read_safely(void **state) {
    (void)state;
    est_body *body = est_body_new();
    est_slice map, value;
    est_body_text(body, "a", "text");
    est_body_int(body, "b", 70000);
    est_body_bool(body, "c", false);
    assert_int_equal(est_body_slice(body, &map), 0);
    for (size_t cut = 0; cut < map.size; cut++) {
        uint8_t *copy = malloc(cut ? cut : 1);
        assert_non_null(copy);
        memcpy(copy, map.data, cut);
        assert_false(est_field_raw((est_slice){copy, cut}, "c", &value));
        free(copy);
    }
    est_body_free(&body);
}

static void rows_of_every_kind_are_read(void **state) {
    (void)state;
    struct buffer rows;
    buffer_init(&rows);
    pack_array(&rows, 1);
    agent_row_pack(&rows,
                   &(struct agent_row){.session = 3, .account = slice_of("a"), .window = 64, .heard_us = 9});
    est_agent_row agent;
    est_event event = {.kind = EST_EVENT_AGENTS, .rows = buffer_slice(&rows)};
    assert_true(est_row_agent(&event, 0, &agent) && agent.window == 64 && agent.heard.us == 9);
    buffer_clear(&rows);
    pack_array(&rows, 1);
    parked_row_pack(&rows, &(struct parked_row){.number = 5, .code = EST_AGENT_REFUSED, .attempts = 2});
    est_parked_row parked;
    event = (est_event){.kind = EST_EVENT_PARKED, .rows = buffer_slice(&rows)};
    assert_true(est_row_parked(&event, 0, &parked) && parked.number == 5 && parked.code == EST_AGENT_REFUSED);
    buffer_clear(&rows);
    pack_array(&rows, 2);
    timeline_row_pack(&rows, &(struct timeline_row){.seq = 1, .event = slice_of("submitted")});
    timeline_row_pack(&rows,
                      &(struct timeline_row){.seq = 2, .event = slice_of("answered"), .text = slice_of("t")});
    est_timeline_row line;
    event = (est_event){.kind = EST_EVENT_TIMELINE, .rows = buffer_slice(&rows)};
    assert_true(est_row_timeline(&event, 1, &line) && line.seq == 2);
    assert_true(slice_equal(line.event, slice_of("answered")));
    buffer_clear(&rows);
    pack_array(&rows, 1);
    stat_row_pack(&rows, &(struct stat_row){.name = slice_of("open"), .value = UINT64_MAX});
    est_stat_row stat;
    event = (est_event){.kind = EST_EVENT_STATS, .rows = buffer_slice(&rows)};
    assert_true(est_row_stat(&event, 0, &stat) && stat.value == UINT64_MAX);
    event.rows = (est_slice){0};
    assert_false(est_row_stat(&event, 0, &stat));
    buffer_done(&rows);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_that_were_put_in_come_out),
        cmocka_unit_test(maps_of_any_size_are_well_formed),
        cmocka_unit_test(failures_show_in_the_slice_until_cleared),
        cmocka_unit_test(levels_items_and_names_are_those_of_the_whole_body),
        cmocka_unit_test(bodies_that_are_cut_anywhere_are_read_safely),
        cmocka_unit_test(rows_of_every_kind_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
