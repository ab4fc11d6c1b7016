/* test_document.c - PROTOCOL.md says what the code does: its tables are the code's tables, and its
 * conversation is what the real reader and writer make of it.
 */
#include "wire.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { CELLS_MAX = 8 };

static struct message message;

/* --- Markdown, as much of it as the document uses --------------------------------------------- */

static char *line_next(char **at) {
    char *line = *at;
    if (*line == '\0') {
        return NULL;
    }
    char *end = line + strcspn(line, "\n");
    *at = *end ? end + 1 : end;
    *end = '\0';
    return line;
}

static char *trim(char *text) {
    text += strspn(text, " ");
    for (char *end = text + strlen(text); end > text && end[-1] == ' ';) {
        *--end = '\0';
    }
    return text;
}

/* The cells of a table row, cut in place; 0 for any other line and for a table's head. */
static size_t cells_cut(char *line, char *cells[CELLS_MAX]) {
    size_t count = 0;
    if (line[0] != '|') {
        return 0;
    }
    for (char *at = line + 1, *bar; (bar = strchr(at, '|')) && count < CELLS_MAX; at = bar + 1) {
        *bar = '\0';
        cells[count++] = trim(at);
    }
    return count > 0 && isdigit((unsigned char)cells[0][0]) ? count : 0;
}

/* "1,024 bytes" -> 1024; empty -> 0 */
static size_t limit_of(const char *cell) {
    size_t limit = 0;
    for (; isdigit((unsigned char)*cell) || *cell == ','; cell++) {
        limit = *cell == ',' ? limit : limit * 10 + (size_t)(*cell - '0');
    }
    return limit;
}

/* The text between two headings; the caller frees it. */
static char *section_read(const char *from, const char *to) {
    char *text = file_read(PROTOCOL_MD);
    char *start = strstr(text, from);
    char *end = start ? strstr(start, to) : NULL;
    if (!end) {
        fail_msg("PROTOCOL.md has no section %s before %s", from, to);
    }
    *end = '\0';
    char *section = strdup(start);
    assert_non_null(section);
    free(text);
    return section;
}

/* --- Commands ------------------------------------------------------------------------------------ */

static enum verb verb_of(const char *name) {
    for (int verb = 1; verb <= VERB_MAX; verb++) {
        if (strcmp(verb_name((enum verb)verb), name) == 0) {
            return (enum verb)verb;
        }
    }
    fail_msg("the document has a verb that the code has not: %s", name);
    return VERB_NONE;
}

static void sender_check(enum verb verb, const char *line) {
    static const struct {
        int bits;
        const char *text;
    } directions[] = {{TO_BROKER, "far end"}, {TO_FAR_END, "broker"}, {BOTH_WAYS, "both"}},
      doors[] = {{DOOR_ANY, "any"},
                 {DOOR_REQUESTER, "requesters"},
                 {DOOR_DEPARTMENT, "departments"},
                 {DOOR_OPERATOR, "operators"},
                 {DOOR_REQUESTER | DOOR_OPERATOR, "requesters, operators"}};
    for (size_t d = 0; d < sizeof directions / sizeof *directions; d++) {
        for (size_t k = 0; k < sizeof doors / sizeof *doors; k++) {
            char expected[100];
            snprintf(expected, sizeof expected, "Sent by: %s. Doors: %s.", directions[d].text, doors[k].text);
            bool is_so =
                (int)verb_direction(verb) == directions[d].bits && (int)verb_doors(verb) == doors[k].bits;
            if (is_so && strncmp(line, expected, strlen(expected)) != 0) {
                fail_msg("%s: the document says '%s', the code '%s'", verb_name(verb), line, expected);
            }
        }
    }
}

static void field_check(enum verb verb, size_t index, char *cells[CELLS_MAX]) {
    struct protocol_field field;
    if (!protocol_field(verb, index, &field)) {
        fail_msg("%s has no field %s", verb_name(verb), cells[1]);
    }
    bool same = (size_t)atoi(cells[0]) == field.key && strcmp(cells[1], field.name) == 0 &&
                strcmp(cells[2], field.type) == 0 && strcmp(cells[3], field.required ? "yes" : "no") == 0 &&
                limit_of(cells[4]) == field.limit;
    if (!same) {
        fail_msg("%s: the document says %s %s %s %s %s, the code %zu %s %s %s %zu", verb_name(verb), cells[0],
                 cells[1], cells[2], cells[3], cells[4], field.key, field.name, field.type,
                 field.required ? "yes" : "no", field.limit);
    }
}

static void field_tables_are_the_codes_own(void **state) {
    (void)state;
    char *section = section_read("\n## 9. ", "\n## 10. "), *at = section, *line, *cells[CELLS_MAX];
    size_t verbs = 0, fields[VERB_MAX + 1] = {0};
    enum verb verb = VERB_NONE;
    while ((line = line_next(&at))) {
        char name[32];
        int number;
        if (sscanf(line, "#### %31s (%d)", name, &number) == 2) {
            verb = verb_of(name);
            assert_int_equal(verb, number);
            verbs++;
        } else if (strncmp(line, "Sent by: ", 9) == 0) {
            sender_check(verb, line);
        } else if (cells_cut(line, cells) == 6) {
            field_check(verb, fields[verb]++, cells);
        }
    }
    struct protocol_field field;
    for (int i = 0; i <= VERB_MAX; i++) {
        verbs -= verb_direction((enum verb)i) != 0;
        if (protocol_field((enum verb)i, fields[i], &field)) {
            fail_msg("the document lacks %s.%s", verb_name((enum verb)i), field.name);
        }
    }
    assert_int_equal(verbs, 0);
    free(section);
}

/* --- Codes, states, outcomes ---------------------------------------------------------------------- */

static void code_table_is_the_codes_own(void **state) {
    (void)state;
    static const int numbers[] = {
#define NUMBER(name, number, layer, says, advice) number,
        EST_CODES(NUMBER)
#undef NUMBER
    };
    char *section = section_read("\n## 11. ", "\n## 12. "), *at = section, *line, *cells[CELLS_MAX];
    size_t count = 0;
    while ((line = line_next(&at))) {
        if (cells_cut(line, cells) != 5) {
            continue;
        }
        assert_true(count < sizeof numbers / sizeof *numbers);
        int number = numbers[count++];
        char layer[32];
        snprintf(layer, sizeof layer, "%d %s", est_code_layer(number),
                 est_layer_name(est_code_layer(number)));
        assert_int_equal(atoi(cells[0]), number);
        assert_string_equal(cells[1], est_code_name(number));
        assert_string_equal(cells[2], layer);
        assert_string_equal(cells[3], est_code_text(number));
        assert_string_equal(cells[4], est_code_advice(number));
    }
    assert_int_equal(count, sizeof numbers / sizeof *numbers);
    free(section);
}

static void states_and_outcomes_are_the_codes_own(void **state) {
    (void)state;
    char *section = section_read("\n## 5. ", "\n## 6. "), *at = section, *line, *cells[CELLS_MAX];
    int states = 0, outcomes = 0;
    bool in_outcomes = false;
    while ((line = line_next(&at))) {
        in_outcomes |= strncmp(line, "| outcome |", 11) == 0;
        if (cells_cut(line, cells) != 3) {
            continue;
        }
        int number = atoi(cells[0]);
        if (in_outcomes) {
            assert_int_equal(number, ++outcomes);
            assert_string_equal(cells[1], est_outcome_name((enum est_outcome)number));
        } else {
            assert_int_equal(number, ++states);
            assert_string_equal(cells[1], est_state_name((enum est_state)number));
        }
    }
    assert_int_equal(states, EST_STATE_CANCELLED);
    assert_int_equal(outcomes, EST_OUTCOME_NOT_MINE);
    free(section);
}

/* --- The conversation ------------------------------------------------------------------------------- */

/* The next fenced block of this language after *at, cut in place; NULL when there is none. */
static char *block_next(char **at, const char *fence) {
    char *start = strstr(*at, fence);
    if (!start) {
        return NULL;
    }
    start += strlen(fence);
    char *end = strstr(start, "```");
    assert_non_null(end);
    *end = '\0';
    *at = end + 3;
    return start;
}

static void step_check(const char *hex, char *meanings) {
    struct buffer frame, again;
    struct cursor c;
    buffer_init(&frame);
    buffer_init(&again);
    frame_begin(&again);
    assert_true(hex_read(hex, &frame));
    assert_true(frame_open(&c, buffer_slice(&frame)));
    char *line;
    while ((line = line_next(&meanings))) {
        json_t *said = json_loads(line, 0, NULL);
        assert_non_null(said);
        assert_int_equal(message_next(&c, &message), 1);
        json_t *meant = message_meaning(&message);
        if (!json_equal(said, meant)) {
            char *text = json_dumps(meant, 0);
            fail_msg("the document says %s, the bytes %s", line, text);
        }
        message_pack(&again, &message);
        json_decref(said);
        json_decref(meant);
    }
    assert_int_equal(message_next(&c, &message), 0);
    assert_true(slice_equal(buffer_slice(&again), buffer_slice(&frame)));
    buffer_done(&frame);
    buffer_done(&again);
}

static void the_conversation_is_what_the_code_would_say(void **state) {
    (void)state;
    char *section = section_read("\n## 12. ", "\n## 13. "), *at = section, *hex;
    int steps = 0;
    while ((hex = block_next(&at, "```hex\n"))) {
        char *meanings = block_next(&at, "```json\n");
        assert_non_null(meanings);
        step_check(hex, meanings);
        steps++;
    }
    assert_true(steps >= 15);
    free(section);
}

/* The advice that a code gives names only what there is: commands of ours, fields of ERROR. */
static void advice_names_what_there_is(void **state) {
    (void)state;
    assert_non_null(strstr(est_code_advice(EST_UNKNOWN_TYPE), "`estelam config show FOLDER`"));
    assert_non_null(strstr(est_code_advice(EST_UNKNOWN_TYPE), "GET /v1/catalogue/types"));
    struct protocol_field field;
    size_t last = 0;
    while (protocol_field(VERB_ERROR, last + 1, &field)) {
        last++;
    }
    assert_true(protocol_field(VERB_ERROR, last, &field));
    assert_non_null(strstr(est_code_advice(EST_BUSY), field.name));
    assert_string_equal(est_code_advice(EST_DRAINING), est_code_advice(EST_BUSY));
}

static void every_section_stands_in_the_contents(void **state) {
    (void)state;
    char *text = file_read(PROTOCOL_MD), *contents = section_read("\n1. [", "\n## 1. ");
    unsigned sections = 0, number;
    for (char *at = text, *line, entry[16]; (line = line_next(&at));) {
        if (sscanf(line, "## %u. ", &number) == 1) {
            snprintf(entry, sizeof entry, "\n%u. [", number);
            if (!strstr(contents, entry)) {
                fail_msg("the contents lack %s", line);
            }
            sections++;
        }
    }
    assert_true(sections >= 15);
    free(contents);
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(field_tables_are_the_codes_own),
        cmocka_unit_test(code_table_is_the_codes_own),
        cmocka_unit_test(states_and_outcomes_are_the_codes_own),
        cmocka_unit_test(the_conversation_is_what_the_code_would_say),
        cmocka_unit_test(advice_names_what_there_is),
        cmocka_unit_test(every_section_stands_in_the_contents),
    };
    return cmocka_run_group_tests_name("PROTOCOL.md", tests, NULL, NULL);
}
