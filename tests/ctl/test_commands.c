/* test_commands.c - the table of commands is whole, and everything made from it agrees with it. */
#include "command.h"
#include "help.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Splits like a shell, as far as the examples go: blanks, and "quotes". */
static int words_split(char *line, char **words, int max) {
    int count = 0;
    for (char *at = line; *at && count < max;) {
        char *out = at;
        words[count++] = at;
        for (bool quoted = false; *at && (quoted || *at != ' '); at++) {
            if (*at == '"')
                quoted = !quoted;
            else
                *out++ = *at;
        }
        bool more = *at == ' ';
        *out = '\0';
        at += more ? 1 : 0;
    }
    return count;
}

static int parse(struct call *call, const char *text) {
    static char line[400];
    char *words[32];
    snprintf(line, sizeof line, "%s", text);
    return call_parse(call, words_split(line, words, 32), words);
}

static void usage_is_refused(const char *line) {
    struct call call;
    int status = parse(&call, line);
    call_done(&call);
    if (status != EXIT_USAGE)
        fail_msg("accepted: %s", line);
}

static char *made(void (*print)(FILE *)) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    print(out);
    fclose(out);
    return text;
}

static void every_command_has_summary_help_and_example(void **state) {
    (void)state;
    for (size_t i = 0; i < COMMANDS_COUNT; i++) {
        const struct command *c = &COMMANDS[i];
        assert_non_null(c->run);
        assert_true(strlen(c->summary) > 5 && strlen(c->summary) < 70);
        assert_true(c->summary[strlen(c->summary) - 1] != '.');
        assert_true(strlen(c->help) > 10 && c->help[strlen(c->help) - 1] == '.');
        assert_non_null(c->examples[0].line);
        assert_true(c->min <= c->max);
        assert_true(c->max == 0 || *c->arguments);
        assert_null(c->options[OPTIONS_MAX - 1].name);
        assert_null(c->examples[EXAMPLES_MAX - 1].line);
        for (const struct example *e = c->examples; e->line; e++)
            assert_true(e->says && *e->says);
    }
}

static void every_option_says_what_it_does_and_hides_no_other(void **state) {
    (void)state;
    for (size_t i = 0; i < COMMANDS_COUNT; i++) {
        for (const struct option *o = COMMANDS[i].options; o->name; o++) {
            assert_true(strlen(o->summary) > 5);
            assert_true(o->value || !o->value_optional);
            for (const struct option *g = GLOBALS; g->name; g++)
                assert_string_not_equal(o->name, g->name);
            for (const struct option *other = o + 1; other->name; other++)
                assert_string_not_equal(o->name, other->name);
        }
    }
}

static void names_are_unambiguous(void **state) {
    (void)state;
    for (size_t i = 0; i < COMMANDS_COUNT; i++) {
        for (size_t k = 0; k < COMMANDS_COUNT; k++) {
            size_t length = strlen(COMMANDS[i].name);
            if (i == k)
                continue;
            assert_string_not_equal(COMMANDS[i].name, COMMANDS[k].name);
            assert_false(strncmp(COMMANDS[k].name, COMMANDS[i].name, length) == 0 &&
                         COMMANDS[k].name[length] == ' ');
        }
    }
}

/* An example that the program would refuse is worse than none. */
static void every_example_is_accepted_and_shows_its_command(void **state) {
    (void)state;
    for (size_t i = 0; i < COMMANDS_COUNT; i++) {
        for (const struct example *e = COMMANDS[i].examples; e->line; e++) {
            char line[400];
            if (strncmp(e->line, "estelam ", 8) != 0)
                continue; /* a shell's own words around it */
            snprintf(line, sizeof line, "%s", e->line + 8);
            line[strcspn(line, "|$")] = '\0';
            if (strchr(e->line, '$'))
                strcat(line, "x");
            struct call call;
            assert_int_equal(parse(&call, line), 0);
            call_done(&call);
            char own[40];
            snprintf(own, sizeof own, "estelam %s", COMMANDS[i].name);
            assert_non_null(strstr(e->line, own));
        }
    }
}

static void help_completion_and_man_know_every_command_and_option(void **state) {
    (void)state;
    char *overview = made(help_overview), *completion = made(help_completion), *man = made(help_man);
    for (size_t i = 0; i < COMMANDS_COUNT; i++) {
        const struct command *c = &COMMANDS[i];
        char quoted[80], section[80];
        snprintf(quoted, sizeof quoted, "'%s')", c->name);
        snprintf(section, sizeof section, ".SS %s ", c->name);
        assert_non_null(strstr(overview, c->name));
        assert_non_null(strstr(overview, c->summary));
        assert_non_null(strstr(completion, quoted));
        assert_non_null(strstr(man, section));
        for (const struct option *o = c->options; o->name; o++) {
            char dashed[40], roff[40];
            snprintf(dashed, sizeof dashed, "--%s", o->name);
            snprintf(roff, sizeof roff, "\\-\\-%s", o->name);
            assert_non_null(strstr(completion, dashed));
            assert_non_null(strstr(man, roff));
        }
    }
    free(overview);
    free(completion);
    free(man);
}

static void exit_statuses_are_the_documented_ones(void **state) {
    (void)state;
    char *overview = made(help_overview);
    assert_int_equal(EXIT_ROWS_COUNT, 8);
    for (size_t i = 0; i < EXIT_ROWS_COUNT; i++) {
        assert_int_equal(EXIT_ROWS[i].number, (int)i);
        assert_non_null(strstr(overview, EXIT_ROWS[i].says));
    }
    assert_int_equal(EXIT_NO, 1);
    assert_int_equal(EXIT_USAGE, 2);
    assert_int_equal(EXIT_REFUSED, 3);
    assert_int_equal(EXIT_UNREACHABLE, 4);
    assert_int_equal(EXIT_UNANSWERED, 5);
    assert_int_equal(EXIT_ENDED, 6);
    free(overview);
}

static void a_call_is_read_whole(void **state) {
    (void)state;
    struct call call;
    assert_int_equal(
        parse(&call, "--json submit nosazi.bedehi nz=1 --wait=5 --purpose permit --case=7 -- --odd"), 0);
    assert_string_equal(call.command->name, "submit");
    assert_int_equal(call.count, 3);
    assert_string_equal(call.arguments[2], "--odd");
    assert_true(call_json(&call));
    assert_string_equal(call_value(&call, "purpose"), "permit");
    assert_string_equal(call_value(&call, "case"), "7");
    assert_int_equal(call_seconds(&call, "wait", 60000), 5000);
    assert_null(call_value(&call, "id"));
    assert_int_equal(call_timeout(&call), 10000);
    call_done(&call);
}

static void an_optional_value_does_not_swallow_the_next_word(void **state) {
    (void)state;
    struct call call;
    assert_int_equal(parse(&call, "submit --wait nosazi.bedehi nz=1"), 0);
    assert_int_equal(call.count, 2);
    assert_int_equal(call_seconds(&call, "wait", 60000), 60000);
    call_done(&call);
}

static void help_needs_no_arguments(void **state) {
    (void)state;
    struct call call;
    assert_int_equal(parse(&call, "cancel --help"), 0);
    assert_true(call.help);
    assert_string_equal(call.command->name, "cancel");
    call_done(&call);
}

static void wrong_usage_is_refused(void **state) {
    (void)state;
    static const char *const lines[] = {
        "frobnicate",
        "parked",
        "parked frob",
        "key",
        "status",
        "status a b",
        "status a --frob",
        "status a -x",
        "status a --bodies=1",
        "status a --bodies --bodies",
        "cancel 1",
        "cancel 1 --reason",
        "cancel 1 --reason=",
        "id check nid",
        "id check nid 1 2",
        "stats --timeout",
        "stats --timeout 1.5",
        "stats --timeout -1",
        "stats --timeout 99999999999",
        "stats --json=yes",
        "--json",
        "--frob stats",
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        usage_is_refused(lines[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_command_has_summary_help_and_example),
        cmocka_unit_test(every_option_says_what_it_does_and_hides_no_other),
        cmocka_unit_test(names_are_unambiguous),
        cmocka_unit_test(every_example_is_accepted_and_shows_its_command),
        cmocka_unit_test(help_completion_and_man_know_every_command_and_option),
        cmocka_unit_test(exit_statuses_are_the_documented_ones),
        cmocka_unit_test(a_call_is_read_whole),
        cmocka_unit_test(an_optional_value_does_not_swallow_the_next_word),
        cmocka_unit_test(help_needs_no_arguments),
        cmocka_unit_test(wrong_usage_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
