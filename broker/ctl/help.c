/* help.c - see help.h. */
#include "help.h"
#include "run.h"

#include <string.h>

enum { HELP_WIDTH = 84 };

/* Words of `text` in lines of at most HELP_WIDTH, each behind `indent` blanks. */
static void wrap(const char *text, int indent, FILE *out) {
    int column = 0;
    while (*text) {
        size_t length = strcspn(text, " \n");
        if (column && column + 1 + (int)length > HELP_WIDTH) {
            fputc('\n', out);
            column = 0;
        }
        column += fprintf(out, "%*s%.*s", column ? 1 : indent, "", (int)length, text);
        text += length;
        if (*text == '\n') {
            fputs(text[1] == '\n' ? "\n\n" : "\n", out);
            column = 0;
        }
        text += strspn(text, " \n");
    }
    fputc('\n', out);
}

static int option_print(const struct option *o, FILE *out) {
    int letter = o->letter ? fprintf(out, "-%c, ", o->letter) : 0;
    if (!o->value)
        return letter + fprintf(out, "--%s", o->name);
    return letter + fprintf(out, o->value_optional ? "--%s[=%s]" : "--%s %s", o->name, o->value);
}

static void options_print(const struct option *options, FILE *out) {
    for (const struct option *o = options; o->name; o++) {
        fputs("  ", out);
        int used = option_print(o, out);
        fprintf(out, "%*s%s%s\n", used < 22 ? 24 - used : 2, "", o->summary, o->needed ? " (needed)" : "");
    }
}

static void exits_print(FILE *out) {
    fputs("\nExit status:\n", out);
    for (size_t i = 0; i < EXIT_ROWS_COUNT; i++)
        fprintf(out, "  %d  %s\n", EXIT_ROWS[i].number, EXIT_ROWS[i].says);
}

/* A plugin ends as the systems that call it expect. */
static void plugin_exits_print(FILE *out) {
    fputs("\nExit status:\n  0  OK\n  1  WARNING\n  2  CRITICAL\n  3  UNKNOWN\n", out);
}

void help_overview(FILE *out) {
    fputs("estelam - official inquiries between the units of a city: submit, follow, steer, check\n\n"
          "Usage: estelam COMMAND [ARGUMENTS] [OPTIONS]\n\nCommands:\n",
          out);
    for (size_t i = 0; i < COMMANDS_COUNT; i++)
        fprintf(out, "  %-16s%s\n", COMMANDS[i].name, COMMANDS[i].summary);
    fputs("\nOptions of every command:\n", out);
    options_print(GLOBALS, out);
    exits_print(out);
    fputs("\n`estelam help COMMAND` tells more, with examples.\n", out);
}

static void synopsis_print(const struct command *command, FILE *out) {
    fprintf(out, "estelam %s%s%s", command->name, *command->arguments ? " " : "", command->arguments);
    for (const struct option *o = command->options; o->name; o++) {
        fputs(o->needed ? " " : " [", out);
        option_print(o, out);
        fputs(o->needed ? "" : "]", out);
    }
    fputc('\n', out);
}

void help_command(const struct command *command, FILE *out) {
    char synopsis[1024] = "";
    FILE *line = fmemopen(synopsis, sizeof synopsis, "w");
    if (line) {
        synopsis_print(command, line);
        fclose(line);
    }
    fprintf(out, "estelam %s - %s\n\nUsage:\n", command->name, command->summary);
    wrap(synopsis, 2, out);
    wrap(command->help, 0, out);
    if (command->options[0].name) {
        fputs("\nOptions:\n", out);
        options_print(command->options, out);
    }
    fputs("\nOptions of every command:\n", out);
    options_print(GLOBALS, out);
    fputs("\nExamples:\n", out);
    for (const struct example *e = command->examples; e->line; e++)
        fprintf(out, "  %s%s%s\n", e->line, *e->says ? "\n      " : "", e->says);
    if (command->plugin)
        plugin_exits_print(out);
    else
        exits_print(out);
}

/* --- Commands --------------------------------------------------------------------------------- */

/* Every command that begins with this word; how many there are. */
static size_t group_print(const char *word, FILE *out) {
    size_t found = 0, length = strlen(word);
    for (size_t i = 0; i < COMMANDS_COUNT; i++) {
        if (strncmp(COMMANDS[i].name, word, length) != 0 || COMMANDS[i].name[length] != ' ')
            continue;
        fprintf(out, "  %-16s%s\n", COMMANDS[i].name, COMMANDS[i].summary);
        found++;
    }
    return found;
}

int run_help(const struct call *call) {
    if (call->count == 0) {
        help_overview(stdout);
        return EXIT_OK;
    }
    char name[64];
    snprintf(name, sizeof name, "%s%s%s", call->arguments[0], call->count > 1 ? " " : "",
             call->count > 1 ? call->arguments[1] : "");
    for (size_t i = 0; i < COMMANDS_COUNT; i++) {
        if (strcmp(COMMANDS[i].name, name) == 0) {
            help_command(&COMMANDS[i], stdout);
            return EXIT_OK;
        }
    }
    return group_print(name, stdout) ? EXIT_OK : call_usage(call, "there is no command `%s`", name);
}

int run_version(const struct call *call) {
    if (call_json(call))
        puts("{\"version\":\"" ESTELAM_VERSION "\",\"protocol\":1}");
    else
        puts("estelam " ESTELAM_VERSION ", protocol 1");
    return EXIT_OK;
}

int run_completion(const struct call *call) {
    if (strcmp(call->arguments[0], "bash") != 0)
        return call_usage(call, "there is a completion for bash only, not for `%s`", call->arguments[0]);
    help_completion(stdout);
    return EXIT_OK;
}

int run_man(const struct call *call) {
    (void)call;
    help_man(stdout);
    return EXIT_OK;
}

/* --- Completion ------------------------------------------------------------------------------- */

static void first_words_print(FILE *out) {
    for (size_t i = 0; i < COMMANDS_COUNT; i++) {
        size_t length = strcspn(COMMANDS[i].name, " ");
        bool again = i > 0 && strncmp(COMMANDS[i - 1].name, COMMANDS[i].name, length) == 0 &&
                     COMMANDS[i - 1].name[length] == ' ';
        if (!again)
            fprintf(out, "%s%.*s", i ? " " : "", (int)length, COMMANDS[i].name);
    }
}

static void options_words_print(const struct option *options, FILE *out) {
    for (const struct option *o = options; o->name; o++)
        fprintf(out, " --%s%s", o->name, o->value_optional ? "=" : "");
}

/* What completes a value: files, folders, or words. */
static void words_action_print(const char *words, FILE *out) {
    if (!words)
        fputs("COMPREPLY=()", out);
    else if (strcmp(words, "@file") == 0)
        fputs("COMPREPLY=($(compgen -f -- \"$cur\"))", out);
    else if (strcmp(words, "@folder") == 0)
        fputs("COMPREPLY=($(compgen -d -- \"$cur\"))", out);
    else
        fprintf(out, "COMPREPLY=($(compgen -W '%s' -- \"$cur\"))", words);
}

static void value_cases_print(const struct option *options, FILE *out) {
    for (const struct option *o = options; o->name; o++) {
        if (!o->value || o->value_optional)
            continue;
        if (o->letter)
            fprintf(out, "        -%c|--%s) ", o->letter, o->name);
        else
            fprintf(out, "        --%s) ", o->name);
        words_action_print(o->words, out);
        fputs("; return ;;\n", out);
    }
}

/* The options that take a value, each once, whichever command has them. */
static void all_value_cases_print(FILE *out) {
    value_cases_print(GLOBALS, out);
    for (size_t i = 0; i < COMMANDS_COUNT; i++)
        value_cases_print(COMMANDS[i].options, out);
}

static void command_cases_print(FILE *out) {
    for (size_t i = 0; i < COMMANDS_COUNT; i++) {
        const struct command *command = &COMMANDS[i];
        fprintf(out, "        '%s') options=\"", command->name);
        options_words_print(command->options, out);
        fputs("\"; ", out);
        if (command->words) {
            fputs("if [[ $cur != -* ]]; then ", out);
            words_action_print(command->words, out);
            fputs("; return; fi; ", out);
        }
        fputs(";;\n", out);
    }
}

static void group_cases_print(FILE *out) {
    for (size_t i = 0; i < COMMANDS_COUNT; i++) {
        const char *name = COMMANDS[i].name, *blank = strchr(name, ' ');
        if (!blank || (i > 0 && strncmp(COMMANDS[i - 1].name, name, (size_t)(blank - name) + 1) == 0))
            continue;
        fprintf(out, "        '%.*s') COMPREPLY=($(compgen -W '", (int)(blank - name), name);
        for (size_t k = i; k < COMMANDS_COUNT && !strncmp(COMMANDS[k].name, name, (size_t)(blank - name) + 1);
             k++)
            fprintf(out, "%s%s", k > i ? " " : "", COMMANDS[k].name + (blank - name) + 1);
        fputs("' -- \"$cur\")); return ;;\n", out);
    }
}

/* First words of names of two, each once. */
static void groups_print(FILE *out) {
    const char *gap = "";
    for (size_t i = 0; i < COMMANDS_COUNT; i++) {
        const char *name = COMMANDS[i].name, *blank = strchr(name, ' ');
        if (!blank || (i > 0 && strncmp(COMMANDS[i - 1].name, name, (size_t)(blank - name) + 1) == 0))
            continue;
        fprintf(out, "%s%.*s", gap, (int)(blank - name), name);
        gap = "|";
    }
}

void help_completion(FILE *out) {
    fputs("# bash completion for estelam; made by `estelam completion bash`\n"
          "_estelam() {\n"
          "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} options=\n"
          "    local first=${COMP_WORDS[1]} words=${COMP_WORDS[1]}\n"
          "    case $prev in\n",
          out);
    all_value_cases_print(out);
    fputs("    esac\n"
          "    if (( COMP_CWORD == 1 )); then COMPREPLY=($(compgen -W '",
          out);
    first_words_print(out);
    fputs("' -- \"$cur\")); return; fi\n"
          "    if (( COMP_CWORD == 2 )); then case $first in\n",
          out);
    group_cases_print(out);
    fputs("    esac; fi\n    case $first in ", out);
    groups_print(out);
    fputs(") words=\"$first ${COMP_WORDS[2]}\" ;; esac\n    case $words in\n", out);
    command_cases_print(out);
    fputs("    esac\n    COMPREPLY=($(compgen -W \"$options", out);
    options_words_print(GLOBALS, out);
    fputs(" --help\" -- \"$cur\"))\n}\ncomplete -F _estelam estelam\n", out);
}
