/* command.h - what a command is: one row of one table.
 *
 * The table (commands.c) is the only place that knows a command's name, arguments, options and
 * words of help. Parsing, usage errors, `help`, the bash completion and the man page are made
 * from it, so they cannot disagree.
 */
#ifndef COMMAND_H
#define COMMAND_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

/* Every status the program ends with; printed in the help and the man page. */
#define EXITS(X)                                                                                             \
    X(OK, 0, "done; what was asked for is on standard output")                                               \
    X(NO, 1, "the answer is no: an invalid identifier, complaints about a configuration")                    \
    X(USAGE, 2, "the command line, the profile or a file it names is wrong")                                 \
    X(REFUSED, 3, "the broker refused; its code is printed")                                                 \
    X(UNREACHABLE, 4, "no broker could be reached, or it said nothing in time")                              \
    X(UNANSWERED, 5, "accepted, but not answered in time; it stays with the broker")                         \
    X(ENDED, 6, "ended without an answer: expired or cancelled; or parked")                                  \
    X(LOCAL, 7, "this machine refused: no memory, a full disk, an output that cannot be written")

enum exit_status {
#define EXIT_ENUM(name, number, says) EXIT_##name = (number),
    EXITS(EXIT_ENUM)
#undef EXIT_ENUM
};

struct exit_row {
    int number;
    const char *says;
};
extern const struct exit_row EXIT_ROWS[];
extern const size_t EXIT_ROWS_COUNT;

enum { OPTIONS_MAX = 10, EXAMPLES_MAX = 5, TIMEOUT_DEFAULT_S = 10, SECONDS_MAX = 7 * 24 * 3600 };
#define ARGUMENTS_ANY UINT_MAX

struct option {
    const char *name;    /* without the dashes */
    const char *value;   /* how help calls its value, such as "FILE"; NULL: it takes none */
    const char *summary; /* one line */
    bool value_optional; /* only as --name=VALUE */
    bool needed;         /* the command cannot do without it */
    const char *words;   /* values that completion offers, blanks between; "@file", "@folder": paths */
    char letter;         /* for hands in a hurry: -q as good as --query; 0: none */
};

struct example {
    const char *line, *says;
};

struct call;
struct command {
    const char *name;                   /* one word or two */
    const char *arguments;              /* as help shows them; "" for none */
    const char *summary;                /* one line, no full stop */
    const char *help;                   /* paragraphs, an empty line between */
    const char *words;                  /* completion of the first argument, like option.words; NULL: none */
    unsigned min, max;                  /* arguments */
    struct option options[OPTIONS_MAX]; /* ends with a NULL name */
    struct example examples[EXAMPLES_MAX]; /* ends with a NULL line */
    int (*run)(const struct call *);       /* an exit_status */
    bool plugin; /* a monitoring plugin: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN instead, all on standard output */
};

extern const struct command COMMANDS[];
extern const size_t COMMANDS_COUNT;
extern const struct option GLOBALS[]; /* of every command; ends with a NULL name */

/* One command line, understood. Pointers are argv's own. */
struct call {
    const struct command *command; /* NULL: only the overview is wanted */
    const char **arguments;
    size_t count;
    const char *values[OPTIONS_MAX];  /* beside command->options; "" for a bare flag, NULL: not given */
    const char *globals[OPTIONS_MAX]; /* the same beside GLOBALS */
    bool help;                        /* --help stood somewhere */
};

/* 0, or EXIT_USAGE when it was told on standard error what is wrong. call_done in either case. */
int call_parse(struct call *ret, int argc, char *const *argv);
void call_done(struct call *);

/* Was this option given? Its value, "" where it came without one, NULL when it was not given. The
 * name must be one of the command's or of GLOBALS. */
bool call_has(const struct call *, const char *option);
const char *call_value(const struct call *, const char *option);
/* The value of an option in seconds as milliseconds; `otherwise` where none was given.
 * -1: it is no number of seconds, and that was told. */
int call_seconds(const struct call *, const char *option, int otherwise_ms);
/* --json */
bool call_json(const struct call *);
/* --timeout in milliseconds, or -1 as above. */
int call_timeout(const struct call *);

/* Says what is wrong with the command line and where to read more; EXIT_USAGE. */
int call_usage(const struct call *, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
