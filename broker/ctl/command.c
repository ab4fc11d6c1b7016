/* command.c - the command line read against the table: which command, which options, what is wrong. */
#include "command.h"
#include "heap.h"
#include "number.h"
#include "say.h"

#include <assert.h>
#include <estelam/types.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct parse {
    struct call *call;
    const char *group; /* the first word of a command of two, until the second came */
    char *const *argv;
    int argc, at;
    bool only_arguments; /* "--" was there */
};

int call_usage(const struct call *call, const char *format, ...) {
    char text[400], advice[120];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    if (call->command)
        snprintf(advice, sizeof advice, "see `estelam help %s`", call->command->name);
    else
        snprintf(advice, sizeof advice, "see `estelam help`");
    say_error(EST_INPUT, advice, "%s", text);
    return EXIT_USAGE;
}

static const struct option *option_find(const struct option *options, const char *name, size_t length) {
    for (; options && options->name; options++)
        if (strlen(options->name) == length && memcmp(options->name, name, length) == 0)
            return options;
    return NULL;
}

/* Where the value of an option is kept; NULL for a name that neither table has. */
static const char **option_slot(struct call *call, const char *name, size_t length,
                                const struct option **ret_option) {
    const struct option *own = call->command ? call->command->options : NULL;
    if ((*ret_option = option_find(own, name, length)))
        return &call->values[*ret_option - own];
    if ((*ret_option = option_find(GLOBALS, name, length)))
        return &call->globals[*ret_option - GLOBALS];
    return NULL;
}

static int parse_option(struct parse *p, const char *word) {
    const char *name = word + 2;
    const char *equals = strchr(name, '=');
    size_t length = equals ? (size_t)(equals - name) : strlen(name);
    const struct option *option;
    const char **slot = option_slot(p->call, name, length, &option);
    if (!slot)
        return call_usage(p->call, "there is no option --%.*s here", (int)length, name);
    if (*slot)
        return call_usage(p->call, "--%s stands twice", option->name);
    if (!option->value && equals)
        return call_usage(p->call, "--%s takes no value", option->name);
    if (equals)
        *slot = equals + 1;
    else if (!option->value || option->value_optional)
        *slot = "";
    else if (p->at < p->argc)
        *slot = p->argv[p->at++];
    if (option->value && !option->value_optional && (!*slot || !**slot))
        return call_usage(p->call, "--%s needs a value: --%s %s", option->name, option->name, option->value);
    return 0;
}

/* -q is --query spelled shorter. False where no option of the command has this letter. */
static bool letter_spell(const struct parse *p, const char *word, char ret_name[32]) {
    const struct option *o = p->call->command && word[2] == '\0' ? p->call->command->options : NULL;
    for (; o && o->name; o++) {
        if (o->letter != word[1])
            continue;
        snprintf(ret_name, 32, "--%s", o->name);
        return true;
    }
    return false;
}

/* The command named by one word or two; *ret_group says whether `first` begins a longer name. */
static const struct command *command_find(const char *first, const char *second, bool *ret_group) {
    size_t length = strlen(first);
    *ret_group = false;
    for (size_t i = 0; i < COMMANDS_COUNT; i++) {
        const char *name = COMMANDS[i].name;
        if (!second && strcmp(name, first) == 0)
            return &COMMANDS[i];
        if (strncmp(name, first, length) != 0 || name[length] != ' ')
            continue;
        *ret_group = true;
        if (second && strcmp(name + length + 1, second) == 0)
            return &COMMANDS[i];
    }
    return NULL;
}

static int parse_command_word(struct parse *p, const char *word) {
    bool group;
    const char *first = p->group ? p->group : word;
    p->call->command = command_find(first, p->group ? word : NULL, &group);
    if (p->call->command)
        return 0;
    if (!p->group && group) {
        p->group = word;
        return 0;
    }
    if (p->group)
        return call_usage(p->call, "there is no command `%s %s`", p->group, word);
    return call_usage(p->call, "there is no command `%s`", word);
}

static int parse_word(struct parse *p, const char *word) {
    char name[32];
    if (!p->only_arguments && strcmp(word, "--") == 0) {
        p->only_arguments = true;
        return 0;
    }
    if (!p->only_arguments && (strcmp(word, "-h") == 0 || strcmp(word, "--help") == 0)) {
        p->call->help = true;
        return 0;
    }
    if (!p->only_arguments && strncmp(word, "--", 2) == 0)
        return parse_option(p, word);
    if (!p->only_arguments && word[0] == '-' && word[1] != '\0' && letter_spell(p, word, name))
        return parse_option(p, name);
    if (!p->only_arguments && word[0] == '-' && word[1] != '\0')
        return call_usage(p->call, "there is no option %s; a value that begins with - goes after --", word);
    if (!p->call->command)
        return parse_command_word(p, word);
    p->call->arguments[p->call->count++] = word;
    return 0;
}

static int parse_finish(const struct call *call, const char *group) {
    const struct command *command = call->command;
    if (call->help)
        return 0;
    if (!command && group)
        return call_usage(call, "`%s` needs a second word; `estelam help %s` lists them", group, group);
    if (!command)
        return call_usage(call, "no command was given");
    if (call->count < command->min)
        return call_usage(call, "too few arguments: estelam %s %s", command->name, command->arguments);
    if (call->count > command->max)
        return call_usage(call, "`%s` is one argument too many", call->arguments[command->max]);
    for (const struct option *o = command->options; o->name; o++)
        if (o->needed && !call->values[o - command->options])
            return call_usage(call, "--%s %s is needed", o->name, o->value);
    return call_timeout(call) < 0 ? EXIT_USAGE : 0;
}

int call_parse(struct call *ret, int argc, char *const *argv) {
    memset(ret, 0, sizeof *ret);
    ret->arguments = heap_new((size_t)argc + 1, sizeof *ret->arguments);
    struct parse p = {.call = ret, .argv = argv, .argc = argc};
    while (p.at < argc) {
        int status = parse_word(&p, argv[p.at++]);
        if (status)
            return status;
    }
    return parse_finish(ret, p.group);
}

void call_done(struct call *call) {
    heap_free((void **)&call->arguments);
}

const char *call_value(const struct call *call, const char *option) {
    const struct option *found;
    const char **slot = option_slot((struct call *)call, option, strlen(option), &found);
    assert(slot);
    return *slot;
}

bool call_has(const struct call *call, const char *option) {
    return call_value(call, option) != NULL;
}

int call_seconds(const struct call *call, const char *option, int otherwise_ms) {
    const char *text = call_value(call, option);
    if (!text || !*text)
        return otherwise_ms;
    uint64_t seconds;
    if (!number_parse(text, SECONDS_MAX, &seconds)) {
        call_usage(call, "--%s takes whole seconds, at most %d, not `%s`", option, SECONDS_MAX, text);
        return -1;
    }
    return (int)(seconds * 1000);
}

bool call_json(const struct call *call) {
    return call_has(call, "json");
}

int call_timeout(const struct call *call) {
    return call_seconds(call, "timeout", TIMEOUT_DEFAULT_S * 1000);
}
