/* test_runbooks.c - every `estelam` command of every runbook is one that the program would take: a command
 * that does not exist is found at the desk and not at three in the morning.
 */
#include "command.h"
#include "filter.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { WORDS_MAX = 32 };

/* Splits like a shell, as far as runbooks go: blanks, "quotes", 'quotes'; a pipe ends the command. */
static int words_split(char *line, char **words) {
    int count = 0;
    for (char *at = line; *at && count < WORDS_MAX;) {
        char *out = at, quote = 0;
        if (*at == '|')
            break;
        words[count++] = at;
        for (; *at && (quote || *at != ' '); at++) {
            if (quote ? *at == quote : *at == '"' || *at == '\'')
                quote = quote ? 0 : *at;
            else
                *out++ = *at;
        }
        bool more = *at == ' ';
        *out = '\0';
        at += more;
    }
    return count;
}

static size_t commands;
static bool prose;

static void command_judge(const char *page, const char *text, size_t size) {
    char line[500], kept[500], *words[WORDS_MAX];
    struct call call;
    static struct filter filter;
    char why[FILTER_WHY_SIZE];
    snprintf(line, sizeof line, "%.*s", (int)size, text);
    memcpy(kept, line, sizeof kept);
    int count = words_split(line, words);
    int status = call_parse(&call, count, words);
    bool named = call.command && call.count == 0; /* in prose: which command, not how it is typed */
    if (status && !(prose && named))
        fail_msg("%s: the program does not take: estelam %s", page, kept);
    if (!status && strcmp(call.command->name, "inquiry list") == 0) {
        const char *query = call_value(&call, "query");
        if (query && filter_parse((est_slice){query, strlen(query)}, NULL, &filter, why))
            fail_msg("%s: %s: %s", page, query, why);
    }
    call_done(&call);
    commands++;
}

/* In the first line, which is one, and wherever `estelam …` stands in the text. */
static void page_judge(const char *path) {
    static char text[65536];
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    if (strncmp(text, "    estelam ", 12) == 0)
        command_judge(path, text + 12, strcspn(text, "\n") - 12);
    for (const char *at = text; (at = strstr(at, "`estelam "));) {
        at += 9;
        command_judge(path, at, strcspn(at, "`\n"));
    }
}

static void every_command_of_a_runbook_is_taken(void **state) {
    (void)state;
    DIR *folder = opendir(DEPLOY "/runbooks");
    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder));) {
        char path[600];
        snprintf(path, sizeof path, "%s/%s", DEPLOY "/runbooks", entry->d_name);
        if (entry->d_name[0] != '.')
            page_judge(path);
    }
    closedir(folder);
    assert_true(commands > 50);
}

static void so_are_those_of_the_handbook(void **state) {
    (void)state;
    prose = true;
    page_judge(DEPLOY "/README.md");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_command_of_a_runbook_is_taken),
                                       cmocka_unit_test(so_are_those_of_the_handbook)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
