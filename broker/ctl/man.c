/* man.c - the man page, from the same table as the help. */
#include "help.h"

#include <string.h>

/* Text as roff takes it literally: a backslash doubled, a hyphen that can be copied, and no dot
 * or apostrophe at the beginning of a line. */
static void roff_print(const char *text, FILE *out) {
    bool begins = true;
    for (; *text; text++) {
        if (begins && (*text == '.' || *text == '\''))
            fputs("\\&", out);
        begins = *text == '\n';
        if (*text == '\\')
            fputs("\\e", out);
        else if (*text == '-')
            fputs("\\-", out);
        else
            fputc(*text, out);
    }
}

static void paragraphs_print(const char *text, FILE *out) {
    for (const char *gap; (gap = strstr(text, "\n\n")); text = gap + 2) {
        char part[2048];
        snprintf(part, sizeof part, "%.*s", (int)(gap - text), text);
        roff_print(part, out);
        fputs("\n.PP\n", out);
    }
    roff_print(text, out);
    fputc('\n', out);
}

static void man_options(const struct option *options, FILE *out) {
    for (const struct option *o = options; o->name; o++) {
        fputs(".TP\n", out);
        if (o->letter)
            fprintf(out, "\\fB\\-%c\\fR, ", o->letter);
        fputs("\\fB\\-\\-", out);
        roff_print(o->name, out);
        fputs("\\fR", out);
        if (o->value)
            fprintf(out, o->value_optional ? "[=\\fI%s\\fR]" : " \\fI%s\\fR", o->value);
        fputc('\n', out);
        roff_print(o->summary, out);
        fputs(o->needed ? " (needed)\n" : "\n", out);
    }
}

static void man_command(const struct command *command, FILE *out) {
    fputs(".SS ", out);
    roff_print(command->name, out);
    fputs(" ", out);
    roff_print(command->arguments, out);
    fputc('\n', out);
    roff_print(command->summary, out);
    fputs(".\n.PP\n", out);
    paragraphs_print(command->help, out);
    man_options(command->options, out);
    fputs(".PP\nExamples:\n.PP\n.nf\n.RS\n", out);
    for (const struct example *e = command->examples; e->line; e++) {
        roff_print(e->line, out);
        fputc('\n', out);
    }
    fputs(".RE\n.fi\n", out);
}

static void man_exits(FILE *out) {
    fputs(".SH EXIT STATUS\n", out);
    for (size_t i = 0; i < EXIT_ROWS_COUNT; i++) {
        fprintf(out, ".TP\n\\fB%d\\fR\n", EXIT_ROWS[i].number);
        roff_print(EXIT_ROWS[i].says, out);
        fputc('\n', out);
    }
}

static void man_files(FILE *out) {
    fputs(
        ".SH ENVIRONMENT\n"
        ".TP\n\\fBESTELAM_PROFILE\\fR\nthe profile, where \\fB\\-\\-profile\\fR names none\n"
        ".TP\n\\fBESTELAM_CATALOGUE\\fR\nthe catalogue's folder, where neither \\fB\\-\\-catalogue\\fR nor "
        "the "
        "profile names one\n"
        ".SH FILES\n"
        ".TP\n\\fIclient.yaml\\fR, \\fI/etc/estelam/client.yaml\\fR\nthe profile: which broker, and as whom\n"
        ".PP\n.nf\n.RS\n"
        "server_key: \"...\"        # the broker's public key; absent: PLAIN, on loopback only\n"
        "catalogue: ../tehran     # may be left out\n"
        "requester: {account: portal, key: portal.key, endpoints: [\"tcp://127.0.0.1:7501\"], purpose: "
        "permit}\n"
        "operator: {account: duty, key: duty.key, endpoints: [\"tcp://127.0.0.1:7503\"]}\n"
        ".RE\n.fi\n",
        out);
}

void help_man(FILE *out) {
    fputs(
        ".TH ESTELAM 1 \"\" \"estelam " ESTELAM_VERSION "\" \"User Commands\"\n"
        ".SH NAME\nestelam \\- official inquiries between the units of a city: submit, follow, steer, check\n"
        ".SH SYNOPSIS\n.B estelam\n\\fICOMMAND\\fR [\\fIARGUMENTS\\fR] [\\fIOPTIONS\\fR]\n"
        ".SH DESCRIPTION\nThe command line of the Estelam broker, for those who ask and those who run it.\n"
        "Data goes to standard output, remarks and errors to standard error.\n"
        "An error is one line, \\fIestelam: CODE: sentence (layer) \\- what to do\\fR, and one line for each "
        "defect.\n"
        ".SH COMMANDS\n",
        out);
    for (size_t i = 0; i < COMMANDS_COUNT; i++)
        man_command(&COMMANDS[i], out);
    fputs(".SH OPTIONS OF EVERY COMMAND\n", out);
    man_options(GLOBALS, out);
    man_exits(out);
    man_files(out);
}
